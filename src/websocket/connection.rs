//! One direction of a WebSocket connection: frames in, messages out (RFC 6455 §5.4).

use super::close;
use super::extension::Compression;
use super::frame::{self, Header, RSV1};
use super::mask::unmask;
use super::resync::{Habit, begins_with_frame};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Content, ContentSink, Cost, Direction, Form, Message, Opcode};
use crate::stream::{Provenance, StreamBuffer};

/// What a direction yields.
#[derive(Debug)]
pub(crate) enum Event {
    /// A message or control frame, complete or ended early.
    Message(Message),
    /// Bytes that no frame owns.
    Unattributed(Provenance),
}

/// The machine of one direction.
#[derive(Debug)]
pub(crate) struct Receiver {
    connection: u64,
    direction: Direction,
    compression: Option<Compression>,
    /// Messages and control frames so far.
    number: u64,
    state: State,
    /// The data message whose last fragment has not come.
    message: Option<Open>,
    /// Whether frames were masked so far; the RFC's rule before the first.
    masked: bool,
    close_seen: bool,
    /// The next message is the first after a loss.
    after_loss: bool,
}

#[derive(Debug)]
enum State {
    /// A frame header comes next.
    Header,
    /// Inside a frame's payload.
    Payload(Payload),
    /// Bytes were lost where a header was; a frame boundary is looked for.
    Lost,
}

/// A frame whose payload has begun.
#[derive(Debug)]
struct Payload {
    header: Header,
    /// Octets still to come.
    left: u64,
    /// The control frame it is; `None` for a fragment of the data message.
    control: Option<Open>,
}

/// A message or control frame that is not complete.
#[derive(Debug)]
struct Open {
    opcode: Opcode,
    cost: Cost,
    fragments: u32,
    compressed: bool,
    masked: bool,
    anomalies: AnomalySet,
    /// The payload of a Close, as far as it can hold a code and reason.
    close: Vec<u8>,
}

/// RFC 6455 §5.5: control frames carry at most this many octets.
const MAX_CONTROL_PAYLOAD: u64 = 125;

impl Receiver {
    pub(crate) fn new(connection: u64, direction: Direction, compression: Option<Compression>) -> Self {
        Self {
            connection,
            direction,
            compression,
            number: 0,
            state: State::Header,
            message: None,
            masked: direction == Direction::ClientToServer,
            close_seen: false,
            after_loss: false,
        }
    }

    /// Takes what it can of the buffer; call again until `None`.
    #[inline]
    pub(crate) fn advance(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        while !buffer.is_empty() {
            let event = match &self.state {
                State::Header => match frame::parse(buffer.peek()) {
                    Some(header) => self.begin_frame(header, buffer, sink),
                    // A header is cut by bytes that were not captured.
                    None if (buffer.peek().len() as u64) < buffer.len() => self.lose(sink),
                    None => return None,
                },
                State::Payload(_) => self.take_payload(buffer, sink),
                State::Lost => self.seek(buffer),
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Nothing more comes: what is unfinished ends. Call again until `None`.
    pub(crate) fn end(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        if let Some(event) = self.advance(buffer, sink) {
            return Some(event);
        }
        if !buffer.is_empty() {
            return Some(Event::Unattributed(buffer.consume_all()));
        }
        let state = std::mem::replace(&mut self.state, State::Header);
        if let State::Payload(Payload { control: Some(open), .. }) = state {
            return Some(Event::Message(self.break_off(open, AnomalyKind::IncompleteMessage, sink)));
        }
        let open = self.message.take()?;
        Some(Event::Message(self.break_off(open, AnomalyKind::IncompleteMessage, sink)))
    }

    /// A frame header is there; most often the whole frame is.
    #[inline]
    fn begin_frame(&mut self, header: Header, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        let starts_message = !header.opcode.is_control() && header.opcode != Opcode::Continuation;
        if starts_message && let Some(unfinished) = self.message.take() {
            return Some(Event::Message(self.break_off(unfinished, AnomalyKind::MissingContinuation, sink)));
        }
        let mut control = header.opcode.is_control().then(|| self.open(&header, sink));
        if control.is_none() && self.message.is_none() {
            self.message = Some(self.open(&header, sink));
        }
        let violations = self.violations(&header);
        self.masked = header.masking_key.is_some();
        let open = control.as_mut().or(self.message.as_mut())?;
        open.fragments += 1;
        open.anomalies.merge(violations);
        let header_len = u64::from(header.len);
        if header.payload_len <= buffer.peek().len() as u64 - header_len {
            open.take(buffer, &header, usize::from(header.len), header.payload_len, 0, sink);
            let consumed = buffer.consume(header_len + header.payload_len);
            open.cost.add_frame(header_len, header.payload_len, consumed);
            return self.end_frame(&header, control, sink);
        }
        open.cost.add_framing(buffer.consume(header_len));
        self.state = State::Payload(Payload { header, left: header.payload_len, control });
        None
    }

    /// Takes what has come of a payload.
    fn take_payload(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        let State::Payload(payload) = &mut self.state else { return None };
        let open = payload.control.as_mut().or(self.message.as_mut())?;
        let missing = buffer.missing().min(payload.left);
        let len = if missing > 0 { missing } else { payload.left.min(buffer.peek().len() as u64) };
        if missing > 0 {
            sink.missing(len);
            open.anomalies.insert(AnomalyKind::LostBytes);
        } else {
            let position = payload.header.payload_len - payload.left;
            open.take(buffer, &payload.header, 0, len, position, sink);
        }
        open.cost.add_encoded(len, buffer.consume(len));
        payload.left -= len;
        if payload.left > 0 {
            return None;
        }
        let State::Payload(Payload { header, control, .. }) = std::mem::replace(&mut self.state, State::Header) else { return None };
        self.end_frame(&header, control, sink)
    }

    /// A frame is complete: a control frame, or a fragment and with the last one its message.
    #[inline]
    fn end_frame(&mut self, header: &Header, control: Option<Open>, sink: &mut impl ContentSink) -> Option<Event> {
        let open = match control {
            Some(control) => control,
            None if header.fin => self.message.take()?,
            None => return None,
        };
        let content = sink.end(true);
        Some(Event::Message(self.message(open, content)))
    }

    #[inline]
    fn open(&mut self, header: &Header, sink: &mut impl ContentSink) -> Open {
        let data = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let marked = header.rsv & RSV1 != 0;
        let mut anomalies = AnomalySet::EMPTY;
        if std::mem::take(&mut self.after_loss) {
            anomalies.insert(AnomalyKind::LostBytes);
        }
        // RSV1 that nothing defines: what the payload is cannot be known, so it is not taken for text.
        sink.begin(Form::WebSocket { opcode: header.opcode, compressed: data && marked });
        Open {
            opcode: header.opcode,
            cost: Cost::default(),
            fragments: 0,
            compressed: data && marked && self.compression.is_some(),
            masked: header.masking_key.is_some(),
            anomalies,
            close: Vec::new(),
        }
    }

    /// What a frame header violates.
    #[inline]
    fn violations(&mut self, header: &Header) -> AnomalySet {
        let mut violations = AnomalySet::EMPTY;
        let is_data = !header.opcode.is_control();
        let may_mark = self.compression.is_some() && matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let continues = self.message.as_ref().is_some_and(|open| open.fragments > 0);
        let masked = header.masking_key.is_some();
        let rules = [
            (!masked && self.direction == Direction::ClientToServer, AnomalyKind::UnmaskedClientFrame),
            (masked && self.direction == Direction::ServerToClient, AnomalyKind::MaskedServerFrame),
            (header.rsv & if may_mark { !RSV1 } else { !0 } != 0, AnomalyKind::ReservedBits),
            (matches!(header.opcode, Opcode::Reserved(_)), AnomalyKind::ReservedOpcode),
            (!header.is_minimal, AnomalyKind::NonMinimalLength),
            (!is_data && header.payload_len > MAX_CONTROL_PAYLOAD, AnomalyKind::ControlFrameTooLong),
            (!is_data && !header.fin, AnomalyKind::FragmentedControlFrame),
            (header.opcode == Opcode::Continuation && !continues, AnomalyKind::OrphanContinuation),
            (self.close_seen && is_data, AnomalyKind::DataAfterClose),
        ];
        for (violated, kind) in rules {
            if violated {
                violations.insert(kind);
            }
        }
        self.close_seen |= header.opcode == Opcode::Close;
        violations
    }

    /// A message that ended early: its octets are known, its content is not.
    fn break_off(&mut self, mut open: Open, why: AnomalyKind, sink: &mut impl ContentSink) -> Message {
        open.anomalies.insert(why);
        let content = sink.end(false);
        self.message(open, content)
    }

    #[inline]
    fn message(&mut self, mut open: Open, content: Content) -> Message {
        self.number += 1;
        let close = (open.opcode == Opcode::Close).then(|| close::parse(&open.close));
        open.anomalies.merge(content.anomalies);
        open.anomalies.merge(close.as_ref().map_or(AnomalySet::EMPTY, |(_, anomalies)| *anomalies));
        open.cost.content_bytes = content.bytes;
        Message {
            connection: self.connection,
            number: self.number,
            direction: self.direction,
            opcode: open.opcode,
            cost: open.cost,
            fragments: open.fragments,
            compressed: open.compressed,
            masked: open.masked,
            close: close.map(|(close, _)| close),
            content,
            anomalies: open.anomalies,
        }
    }

    /// Bytes were lost where a frame header was.
    fn lose(&mut self, sink: &mut impl ContentSink) -> Option<Event> {
        self.state = State::Lost;
        self.after_loss = true;
        let unfinished = self.message.take();
        let ended = unfinished.map(|open| Event::Message(self.break_off(open, AnomalyKind::IncompleteMessage, sink)));
        sink.lose_context();
        ended
    }

    /// Looks for a frame at the next segment's beginning; what is passed over is nobody's.
    fn seek(&mut self, buffer: &mut StreamBuffer) -> Option<Event> {
        if buffer.missing() == 0 && buffer.at_run_start() {
            let habit = Habit { masked: self.masked, compressed: self.compression.is_some() };
            let run = usize::try_from(buffer.front_run()).unwrap_or(usize::MAX).min(buffer.peek().len());
            if begins_with_frame(&buffer.peek()[..run], habit) {
                self.state = State::Header;
                return None;
            }
        }
        let run = buffer.front_run();
        Some(Event::Unattributed(buffer.consume(run)))
    }
}

impl Open {
    /// Unmasks payload octets where they lie in the buffer and hands them on.
    #[inline]
    fn take(&mut self, buffer: &mut StreamBuffer, header: &Header, offset: usize, len: u64, position: u64, sink: &mut impl ContentSink) {
        // Fits: both lie within what `peek` shows.
        let data = &mut buffer.peek_mut()[offset..offset + len as usize];
        if let Some(key) = header.masking_key {
            unmask(data, key, position);
        }
        if self.opcode == Opcode::Close {
            let room = (MAX_CONTROL_PAYLOAD as usize).saturating_sub(self.close.len());
            self.close.extend_from_slice(&data[..data.len().min(room)]);
        }
        sink.data(data);
    }
}

#[cfg(test)]
mod tests;
