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
    #[inline]
    pub(crate) fn receive_common(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) -> bool {
        if !self.steady.acknowledgments || !is_common(segment) {
            return false;
        }
        let direction = self.direction(segment.sender);
        if segment.payload_len == 0 {
            return self.receive_acknowledgment(segment, direction);
        }
        match self.steady.frames[direction as usize] {
            Frames::Whole if self.is_usual(segment, direction) => self.receive_messages(segment, direction, out),
            Frames::Payload if self.is_usual(segment, direction) => self.receive_payload(segment, direction, out),
            Frames::Whole | Frames::Payload | Frames::None => false,
        }
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

    #[inline]
    fn receive_acknowledgment(&mut self, segment: &Segment<'_>, direction: Direction) -> bool {
        let is_next = self.analysis.receive_next(segment, direction, &mut self.facts);
        if is_next {
            let bytes = segment.bytes.total();
            self.note_segment(segment);
            self.book(Bucket::Acknowledgements, direction, bytes);
        }
        is_next
    }

    #[inline]
    fn receive_messages(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) -> bool {
        let Running::WebSocket(receivers) = &self.running else { return false };
        let (receiver, payload) = (&receivers[direction as usize], segment.payload);
        let Some(first) = receiver.whole_message(payload) else { return false };
        // Fits: the frame is all there.
        let first_len = first.frame_len() as usize;
        if !receiver.are_whole_messages(&payload[first_len..]) || !self.analysis.receive_next(segment, direction, &mut self.facts) {
            return false;
        }
        self.note_segment(segment);
        self.halves[direction as usize].assembler.deliver_elsewhere(segment.payload_len);
        if first_len == payload.len() {
            self.take_message(&first, payload, segment, segment.bytes, direction, out);
        } else {
            self.take_several(segment, direction, out);
        }
        true
    }

    /// Takes payload data that does not end its frame.
    fn receive_payload(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) -> bool {
        let Running::WebSocket(receivers) = &mut self.running else { return false };
        let receiver = &mut receivers[direction as usize];
        if u64::from(segment.payload_len) >= receiver.payload_left() || !self.analysis.receive_next(segment, direction, &mut self.facts) {
            return false;
        }
        let half = &mut self.halves[direction as usize];
        half.assembler.deliver_elsewhere(segment.payload_len);
        half.buffer.pass_by(segment.payload_len.into());
        let stage = half.stage(out.options);
        let payload = match receiver.mask_under_way(stage) {
            Some((key, offset)) => out.memory.unmasked(segment.payload, key, offset),
            None => segment.payload,
        };
        receiver.take_payload(payload, Provenance::of_frame(segment.frame, segment.bytes), stage);
        let has_done = stage.has_done();
        self.note_segment(segment);
        if has_done {
            self.deliver(direction, out);
        }
        true
    }

    /// Takes messages that share a segment and what it cost.
    fn take_several(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) {
        let mut at = 0;
        while let Some(header) = websocket::Header::parse(&segment.payload[at..]) {
            let end = at + header.frame_len() as usize;
            // Fits: within a segment, whose length is a u32.
            let bytes = segment.bytes.share(at as u32, end as u32, segment.payload_len);
            self.take_message(&header, &segment.payload[at..end], segment, bytes, direction, out);
            at = end;
        }
    }

    /// Takes a message that is one frame, all there.
    #[inline]
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
