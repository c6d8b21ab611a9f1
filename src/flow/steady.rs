//! The common case of a connection on which all goes well: the next acknowledgment, the next WebSocket messages, each whole within one
//! segment and in order, or an HTTP message that is a segment of its own.
//!
//! Such a segment is read where it was captured. What it leaves behind is what the general path leaves, which takes all others.

use super::application::{Looks, Running, recognise};
use super::connection::Connection;
use super::half::Memory;
use super::output::Output;
use crate::http;
use crate::message::{Bucket, ContentSink, Direction, Row};
use crate::options::Options;
use crate::packet::{Flags, Segment};
use crate::stream::{LayerBytes, Place, Provenance};
use crate::websocket;

/// Which segments of a connection may be taken the short way. Found out behind every segment that was not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steady {
    /// Acknowledgments without payload, of either side.
    acknowledgments: bool,
    /// Segments of WebSocket frames, by who sends them.
    frames: [Frames; 2],
}

/// What of WebSocket frames may be taken the short way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Frames {
    #[default]
    None,
    /// Messages that are each one frame, all there.
    Whole,
    /// More payload data of the frame that is under way.
    Payload,
}

impl Frames {
    /// What the next octet begins, or goes on with.
    fn of(receiver: &websocket::Receiver) -> Self {
        match (receiver.is_between_messages(), receiver.is_in_binary_payload()) {
            (true, _) => Self::Whole,
            (false, true) => Self::Payload,
            (false, false) => Self::None,
        }
    }
}

/// What a segment brings that is taken the short way.
enum Brings {
    /// No payload: an acknowledgment.
    Nothing,
    /// Messages that are each one frame, all there; the header of the first.
    Messages(websocket::Header),
    /// More payload data of the frame that is under way.
    Payload,
}

impl Connection {
    /// What may be taken the short way from now on.
    #[inline]
    pub(super) fn find_steady(&self, options: &Options) -> Steady {
        // Many connections say no here on every segment: they are being set up, or end.
        let [client, server] = &self.halves;
        if !self.handshake.is_settled() || !client.is_open() || !server.is_open() || self.reset {
            return Steady::default();
        }
        self.find_steady_when_open(options)
    }

    fn find_steady_when_open(&self, options: &Options) -> Steady {
        let is_even = |direction: Direction| {
            let half = &self.halves[direction as usize];
            half.is_even() && half.assembler.is_at(self.analysis.next(direction))
        };
        let is_steady = self.held == 0
            && self.parsed == 0
            && self.analysis.is_even()
            && Direction::BOTH.into_iter().all(is_even)
            && !options.parts
            && !options.keeps_large_contents();
        if !is_steady {
            return Steady::default();
        }
        let frames = match &self.running {
            Running::WebSocket(receivers) => Direction::BOTH.map(|direction| match Frames::of(&receivers[direction as usize]) {
                // What is kept of it has to be counted.
                Frames::Payload if self.keeps_head(direction) => Frames::None,
                frames => frames,
            }),
            Running::Detecting | Running::Http(_) | Running::Opaque | Running::Ended(_) => [Frames::None; 2],
        };
        Steady { acknowledgments: true, frames }
    }

    /// Whether a message of that direction is under way of which first octets are kept.
    #[inline]
    pub(super) fn keeps_head(&self, direction: Direction) -> bool {
        self.halves[direction as usize].stage.as_ref().is_some_and(|stage| stage.keeps_head())
    }

    /// Takes a segment if it is a common one; whether it did.
    // Always, as what it is made of: their calls took a twentieth of the instructions of small messages.
    #[inline(always)]
    pub(crate) fn receive_common(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) -> bool {
        if !self.steady.acknowledgments || !is_common(segment) {
            return false;
        }
        let direction = self.direction(segment.sender);
        let Some(brings) = self.brings(segment, direction) else { return false };
        if !self.analysis.receive_next(segment, direction, &mut self.facts) {
            return false;
        }
        self.note_segment(segment);
        match brings {
            Brings::Nothing => self.book(Bucket::Acknowledgements, direction, segment.bytes.total()),
            Brings::Messages(first) => self.take_messages(first, segment, direction, out),
            Brings::Payload => self.take_payload(segment, direction, out),
        }
        true
    }

    /// What a segment brings that may be taken the short way; whether it is the next one is still to be asked.
    #[inline(always)]
    fn brings(&self, segment: &Segment<'_>, direction: Direction) -> Option<Brings> {
        let payload = segment.payload;
        if segment.payload_len == 0 {
            return Some(Brings::Nothing);
        }
        let frames = self.steady.frames[direction as usize];
        if frames == Frames::None || !self.is_usual(segment, direction) {
            return None;
        }
        let Running::WebSocket(receivers) = &self.running else { return None };
        let receiver = &receivers[direction as usize];
        if frames == Frames::Payload {
            return (u64::from(segment.payload_len) < receiver.payload_left()).then_some(Brings::Payload);
        }
        let first = receiver.whole_message(payload)?;
        // Fits: the frame is all there.
        let rest = &payload[first.frame_len() as usize..];
        (rest.is_empty() || receiver.are_whole_messages(rest)).then_some(Brings::Messages(first))
    }

    /// Whether all of its payload was captured, and is no more than fits a segment.
    #[inline]
    fn is_usual(&self, segment: &Segment<'_>, direction: Direction) -> bool {
        let is_captured = segment.payload.len() as u64 == u64::from(segment.payload_len);
        is_captured && segment.payload_len <= self.max_payload[direction as usize]
    }

    /// Takes a segment if it brings the next data in order, and leaves that to the parsers; whether it did.
    #[inline]
    pub(super) fn receive_next_data(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) -> bool {
        let direction = self.direction(segment.sender);
        let is_next = self.steady.acknowledgments
            && is_common(segment)
            && segment.payload_len > 0
            && self.is_usual(segment, direction)
            && self.analysis.receive_next(segment, direction, &mut self.facts);
        if is_next {
            self.note_segment(segment);
            self.note_acknowledged(segment, direction);
            self.detect_http(segment.payload, direction, out);
            if !self.receive_http(segment, direction, out) {
                self.halves[direction as usize].deliver(segment, out.memory);
                self.advance(direction, out);
            }
            self.halves[direction as usize].give_back(out.memory);
        }
        is_next
    }

    /// Takes the payload of a segment that is one whole HTTP message; whether it is.
    fn receive_http(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) -> bool {
        // What segments acknowledge would have to be remembered.
        if self.is_irregular {
            return false;
        }
        let Running::Http(http) = &mut self.running else { return false };
        let half = &mut self.halves[direction as usize];
        let cost = Provenance::of_frame(segment.frame, segment.bytes);
        let captured = http::Captured { octets: segment.payload, start: half.buffer.start(), frame: segment.frame, cost };
        let (_, stage) = half.parts(out.options, out.memory);
        let Memory { seen, heads, .. } = &mut *out.memory;
        let taken = stage.with_seen(seen, |stage| http.take_segment(direction, &captured, stage, heads));
        let Some(taken) = taken else { return false };
        half.assembler.deliver_elsewhere(segment.payload_len);
        half.buffer.pass_by(segment.payload_len.into());
        if let http::Taken::Response(exchange) = taken {
            self.emit_exchange(exchange, out);
        }
        self.update_parsed(out.memory);
        true
    }

    /// Begins HTTP if nothing has begun, and this is the first that is said.
    fn detect_http(&mut self, payload: &[u8], direction: Direction, out: &mut Output<'_>) {
        let is_first = |direction: Direction| self.halves[direction as usize].buffer.start() == self.begins[direction as usize];
        let is_begin = matches!(self.running, Running::Detecting) && self.told.is_none() && Direction::BOTH.into_iter().all(is_first);
        if is_begin && recognise(payload, true) == Looks::Http(direction) {
            self.begin_http(direction, direction, out);
        }
    }

    /// Takes messages that share a segment and what it cost.
    #[inline(always)]
    fn take_messages(&mut self, first: websocket::Header, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) {
        let (mut header, mut at) = (first, 0);
        loop {
            let end = at + header.frame_len() as usize;
            // Fits: within a segment, whose length is a u32.
            let bytes = segment.bytes.share(at as u32, end as u32, segment.payload_len);
            self.take_message(&header, &segment.payload[at..end], segment, bytes, direction, out);
            at = end;
            match websocket::Header::parse(&segment.payload[at..]) {
                Some(next) => header = next,
                None => return,
            }
        }
    }

    /// Takes payload data that does not end its frame.
    #[inline(never)]
    fn take_payload(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) {
        let Running::WebSocket(receivers) = &mut self.running else { return };
        let receiver = &mut receivers[direction as usize];
        let half = &mut self.halves[direction as usize];
        half.assembler.deliver_elsewhere(segment.payload_len);
        half.buffer.pass_by(segment.payload_len.into());
        let stage = half.stage(out.options);
        let payload = match receiver.mask_under_way(stage) {
            Some((key, offset)) => out.memory.unmasked(segment.payload, key, offset),
            None => segment.payload,
        };
        receiver.take_payload(payload, Provenance::of_frame(segment.frame, segment.bytes), stage);
        if stage.has_done() {
            self.deliver(direction, out);
        }
    }

    /// Takes a message that is one frame, all there.
    #[inline(always)]
    fn take_message(
        &mut self,
        header: &websocket::Header,
        frame: &[u8],
        segment: &Segment<'_>,
        bytes: LayerBytes,
        direction: Direction,
        out: &mut Output<'_>,
    ) {
        let Running::WebSocket(receivers) = &mut self.running else { return };
        let half = &mut self.halves[direction as usize];
        let start = Place { stream_offset: half.buffer.start(), frame: Some(segment.frame.number) };
        half.assembler.deliver_elsewhere(frame.len() as u32);
        half.buffer.pass_by(frame.len() as u64);
        let stage = half.stage(out.options);
        let form = receivers[direction as usize].form(header);
        let mut payload = &frame[usize::from(header.len)..];
        let content = if stage.is_ascii_only(form, payload, header.masking_key) {
            stage.measure_ascii(payload.len())
        } else if stage.leaves_encoded(form) {
            stage.leave_encoded()
        } else {
            if let Some(key) = header.masking_key.filter(|_| stage.looks_at(form)) {
                payload = out.memory.unmasked(payload, key, 0);
            }
            stage.whole(form, payload, true)
        };
        if content.is_waiting {
            stage.waits_from(start);
        }
        let has_done = stage.has_done();
        let cost = Provenance::of_frame(segment.frame, bytes);
        let message = receivers[direction as usize].take_whole(header, payload, start, cost, content);
        if has_done {
            self.deliver(direction, out);
        }
        out.rows.push_back(Row::Message(message));
        self.note_message(out);
    }
}

/// Whether of the control bits that say something of the connection only ACK is set.
#[inline]
fn is_common(segment: &Segment<'_>) -> bool {
    segment.flags.0 & (Flags::SYN | Flags::FIN | Flags::RST | Flags::ACK).0 == Flags::ACK.0
}
