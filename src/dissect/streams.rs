//! What is remembered of a connection between its frames: where its streams begin, which frames carried what is not
//! complete, and how many messages went by.

use std::collections::VecDeque;

use crate::message::{Direction, HttpPart, Message, SegmentPart, WebSocketFrame};
use crate::packet::{Flags, Sender, SeqNumber};
use crate::stream::Timestamp;

/// Frames remembered of one direction: those that carry one message of 5 MiB. Beyond it the oldest are forgotten.
const MAX_FRAMES: usize = 4096;

/// Frames remembered of all connections together: 24 MiB.
const MAX_REMEMBERED: usize = 1 << 20;

/// Fragments remembered of one message.
const MAX_FRAGMENTS: usize = 1024;

/// The frames that carried something, as far as they are remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Frame numbers, and octets that each of them brought.
    pub frames: Vec<(u64, u64)>,
    /// Whether more of them were there than are remembered.
    pub is_cut: bool,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The sequence number before the first octet of the lower and the higher endpoint.
    bases: [Option<SeqNumber>; 2],
    sides: [Side; 2],
    /// When its last segment came.
    pub(super) last: Option<Timestamp>,
    requests: u64,
    responses: u64,
}

#[derive(Debug, Default)]
struct Side {
    /// In the order of their offsets.
    carried: VecDeque<Piece>,
    /// Stream offset up to which frames were forgotten.
    forgotten: u64,
    fragments: Vec<(u64, u64)>,
}

/// What one frame brought of a stream.
#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: u64,
    len: u32,
    frame: u64,
}

impl Streams {
    /// Sequence and acknowledgment numbers counted as Wireshark counts them: the SYN is 0, or what is seen first is 1.
    pub(super) fn relative(&mut self, part: &SegmentPart) -> (u32, u32) {
        let before = |seq: SeqNumber| SeqNumber(seq.0.wrapping_sub(1));
        let has_syn = part.flags.has(Flags::SYN);
        let [mine, peer] = [part.sender, part.sender.other()].map(|sender: Sender| sender as usize);
        // A SYN says where its stream begins, whatever came before it: a RST that was no answer, a segment of an older connection.
        let base = match has_syn {
            true => *self.bases[mine].insert(part.seq),
            false => *self.bases[mine].get_or_insert(before(part.seq)),
        };
        let seq = part.seq.0.wrapping_sub(base.0);
        if !part.flags.has(Flags::ACK) {
            return (seq, part.ack.0);
        }
        let base = *self.bases[peer].get_or_insert(before(part.ack));
        (seq, part.ack.0.wrapping_sub(base.0))
    }

    /// Remembers which octets of its stream a segment brought.
    pub(super) fn remember(&mut self, part: &SegmentPart, remembered: &mut usize) {
        let (Some(offset), true) = (part.offset, part.is_new) else { return };
        let side = &mut self.sides[part.direction as usize];
        if !matches!(part.protocol, Some("http/1.1" | "websocket")) {
            return;
        }
        if side.carried.len() == MAX_FRAMES || *remembered == MAX_REMEMBERED {
            let Some(oldest) = side.carried.pop_front() else { return };
            side.forgotten = side.forgotten.max(oldest.end());
            *remembered -= 1;
        }
        let place = side.carried.iter().rposition(|piece| piece.offset <= offset).map_or(0, |before| before + 1);
        side.carried.insert(place, Piece { offset, len: part.payload_len, frame: part.frame });
        *remembered += 1;
    }

    /// The frames that brought a part of a stream.
    pub(super) fn carried(&self, direction: Direction, start: u64, end: u64) -> Carried {
        let side = &self.sides[direction as usize];
        let frames = side.carried.iter().take_while(|piece| piece.offset < end).filter_map(|piece| {
            let octets = piece.end().min(end).checked_sub(piece.offset.max(start))?;
            (octets > 0).then_some((piece.frame, octets))
        });
        Carried { frames: frames.collect(), is_cut: side.forgotten > start }
    }

    /// Everything up to that offset of a stream was shown.
    pub(super) fn passed(&mut self, direction: Direction, end: u64, remembered: &mut usize) {
        let side = &mut self.sides[direction as usize];
        while let Some(oldest) = side.carried.front()
            && oldest.end() <= end
        {
            side.carried.pop_front();
            *remembered -= 1;
        }
    }

    /// The frames that it has in mind.
    pub(super) fn remembered(&self) -> usize {
        self.sides.iter().map(|side| side.carried.len()).sum()
    }

    /// Counts an HTTP message: its number among its like.
    pub(super) fn count(&mut self, part: &HttpPart) -> u64 {
        let counter = match part.direction {
            Direction::ClientToServer => &mut self.requests,
            Direction::ServerToClient => &mut self.responses,
        };
        *counter += 1;
        *counter
    }

    /// A frame of a message that may have several.
    pub(super) fn fragment(&mut self, frame: &WebSocketFrame) {
        let fragments = &mut self.sides[frame.direction as usize].fragments;
        if !frame.opcode.is_control() && fragments.len() < MAX_FRAGMENTS {
            fragments.push((frame.cost.last.number, frame.payload_len));
        }
    }

    /// The frames of the message that has ended.
    pub(super) fn take_fragments(&mut self, message: &Message) -> Vec<(u64, u64)> {
        match message.opcode.is_control() {
            true => Vec::new(),
            false => std::mem::take(&mut self.sides[message.direction as usize].fragments),
        }
    }
}

impl Piece {
    fn end(&self) -> u64 {
        self.offset + u64::from(self.len)
    }
}
