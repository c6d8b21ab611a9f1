//! A message of which not all frames are there, and where it is odd.

use super::close;
use super::frame::Header;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Content, Form, Message, TextState};
use crate::stream::{Place, StreamBuffer};

/// A message under way.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) message: Message,
    /// Where its first frame begins.
    pub(super) start: Place,
    /// Where its last frame begins.
    pub(super) frame: Place,
    /// Whether octets of its last frame are not those of its content, and those of any frame.
    is_frame_encoded: bool,
    is_encoded: bool,
    /// Where its text ceases to be UTF-8.
    invalid: Option<Place>,
    /// Where a character of its text begins whose end has not come.
    cut: Option<Place>,
}

impl Partial {
    /// A message that begins with the frame at that place.
    pub(super) fn new(message: Message, frame: Place, is_encoded: bool) -> Self {
        Self { message, start: frame, frame, is_frame_encoded: is_encoded, is_encoded, invalid: None, cut: None }
    }

    /// How the content of its last frame is encoded.
    pub(super) fn form(&self) -> Form<'static> {
        Form::WebSocket { opcode: self.message.opcode, compressed: self.is_frame_encoded }
    }

    /// Whether some of it is encoded.
    pub(super) fn is_encoded(&self) -> bool {
        self.is_encoded
    }

    /// Its last frame is compressed by itself, or not.
    pub(super) fn encode_frame(&mut self, is_encoded: bool) {
        self.is_frame_encoded = is_encoded;
        self.is_encoded |= is_encoded;
        self.message.compressed |= is_encoded;
    }

    /// It goes on with the frame at that place, which is odd in these ways.
    pub(super) fn continue_with(&mut self, odd: AnomalySet, frame: Place) {
        self.message.fragments = self.message.fragments.saturating_add(1);
        self.frame = frame;
        self.add_all(odd, frame);
    }

    /// Something is odd at that place.
    pub(super) fn add_odd(&mut self, kind: AnomalyKind, place: Place) {
        self.add_all(AnomalySet::from_iter([kind]), place);
    }

    fn add_all(&mut self, odd: AnomalySet, place: Place) {
        if !odd.is_empty() {
            self.message.anomalies.merge(odd);
            self.message.anomaly_details.add(odd, self.message.direction, place);
        }
    }

    /// Follows its text: how far that is UTF-8 after the `len` unread octets at the front of the buffer, its next ones.
    pub(super) fn follow_text(&mut self, text: TextState, len: u64, buffer: &StreamBuffer) {
        let before = self.message.cost.encoded_bytes + self.message.cost.lost_bytes;
        match text {
            _ if self.invalid.is_some() => {}
            TextState::Whole => self.cut = None,
            // Where decoding leads from cannot be told by octets: the frame has to do.
            TextState::Invalid(_) if self.is_encoded => self.invalid = Some(self.frame),
            TextState::Invalid(at) => {
                let is_before = at.is_some_and(|at| at < before);
                let here = at.filter(|_| !is_before).map(|at| buffer.place(at - before));
                self.invalid = here.or(self.cut.filter(|_| is_before)).or(Some(self.frame));
            }
            TextState::Cut(_) if self.is_encoded => self.cut = Some(self.frame),
            TextState::Cut(octets) => {
                if let Some(ahead) = len.checked_sub(octets.into()) {
                    self.cut = Some(buffer.place(ahead));
                }
            }
        }
    }

    /// Octets of its text are missing: what follows them is not looked at.
    pub(super) fn skip_text(&mut self) {
        self.cut = None;
    }

    /// Reads the payload of a Close frame, all of which is there.
    pub(super) fn close_with(&mut self, header: &Header, payload: &Payload) {
        let (close, odd) = close::parse(payload.octets(), self.message.direction);
        if odd.contains(AnomalyKind::InvalidUtf8) {
            let at = close::invalid_utf8_at(header.opcode, payload.octets());
            // Fits: at most the payload's length. The header and what precedes it lie before the frame's own payload.
            let frame = payload.frames.get(at as usize).copied().flatten();
            let stream_offset = self.frame.stream_offset + u64::from(header.len) + at;
            self.add_odd(AnomalyKind::InvalidUtf8, Place { stream_offset, frame });
        }
        self.add_all(odd, self.frame);
        self.message.close = Some(Box::new(close));
    }

    /// The message with its content, at its end.
    pub(super) fn end(mut self, content: Content) -> Message {
        if content.anomalies.contains(AnomalyKind::InvalidUtf8) {
            self.add_odd(AnomalyKind::InvalidUtf8, self.invalid.or(self.cut).unwrap_or(self.frame));
        }
        // RFC 7692 §6.1: a message is compressed as a whole. How far into it decoding went depends on how it was cut.
        self.add_all(content.anomalies, self.start);
        Message { content, ..self.message }
    }
}

/// Payload of a Close frame that comes in pieces, as far as a control frame may reach.
#[derive(Debug, Default)]
pub(super) struct Payload {
    octets: Vec<u8>,
    /// The captured frame of each.
    frames: Vec<Option<u64>>,
}

impl Payload {
    /// Takes its next `len` octets from the front of the buffer.
    pub(super) fn extend(&mut self, len: usize, buffer: &StreamBuffer) {
        let room = close::MAX_PAYLOAD + 1 - self.octets.len().min(close::MAX_PAYLOAD);
        let len = len.min(room);
        self.frames.extend((0..len as u64).map(|ahead| buffer.place(ahead).frame));
        self.octets.extend_from_slice(&buffer.peek()[..len]);
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }
}
