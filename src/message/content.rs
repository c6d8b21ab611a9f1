//! What content came to, and who takes it.

use super::{Direction, Envelope, HttpContent, Opcode};
use crate::anomaly::AnomalySet;
use crate::stream::{Place, Timestamp};

/// What is known of a message's decoded content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its length in octets; `None` when it cannot be known.
    pub bytes: Option<u64>,
    /// Its SHA-256, when asked for and known.
    pub sha256: Option<Box<[u8; 32]>>,
    /// Its first octets, or all of them, as [`ContentMode`](crate::ContentMode) says.
    pub sample: Option<Box<[u8]>>,
    /// What was odd in decoding it.
    pub anomalies: AnomalySet,
    /// The envelope around the application's own octets, when one is recognised.
    pub envelope: Option<Box<Envelope>>,
    /// What is known of HTTP content alone; `None` of WebSocket messages, and where there was no content.
    pub http: Option<Box<HttpContent>>,
    /// Whether it is still to be decoded: such a row stays in the analyzer.
    pub(crate) is_waiting: bool,
}

/// How the encoded content that follows is to be decoded.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
    /// HTTP content; the values of its Content-Encoding field lines, in order (RFC 9110 §8.4).
    Http {
        /// Such as `gzip` or `deflate, br`; empty for none.
        content_encoding: &'a [u8],
        /// Its length in octets, where it was declared.
        len: Option<u64>,
        /// The target of the request; empty when it was not captured.
        target: &'a [u8],
        /// Whether it is the request's content or the response's.
        direction: Direction,
        /// Whether its Content-Type is `text/event-stream`.
        is_event_stream: bool,
    },
    /// A WebSocket message (RFC 6455 §5.6) or control frame.
    WebSocket {
        /// Text is checked to be UTF-8.
        opcode: Opcode,
        /// RSV1 of the first frame (RFC 7692 §6); where each frame is compressed by itself, of the frame under way.
        compressed: bool,
    },
}

/// How far a text message under way is UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextState {
    /// It ends with a whole character, or is no text, or nobody looks.
    Whole,
    /// It ends within a character, of which that many octets have come.
    Cut(u8),
    /// From that octet of the content on it is none; `None` behind 4 GiB.
    Invalid(Option<u64>),
}

/// Takes the encoded content of messages as it is framed, in stream order: `begin`, any of `data` and `missing`, `end`.
///
/// A control frame may begin and end between the fragments of a data message: `end` closes what was begun last.
pub trait ContentSink {
    /// A message begins.
    fn begin(&mut self, form: Form<'_>);
    /// The octets that follow were captured at that time.
    fn at(&mut self, _time: Timestamp) {}
    /// Whether the octets of such a message are looked at: others need no unmasking.
    fn looks_at(&self, _form: Form<'_>) -> bool {
        true
    }
    /// A message that is all there: `begin`, `data` and `end` at once.
    fn whole(&mut self, form: Form<'_>, encoded: &[u8], complete: bool) -> Content {
        self.begin(form);
        if !encoded.is_empty() {
            self.data(encoded);
        }
        self.end(complete)
    }
    /// The message begun last goes on with a further frame.
    fn go_on(&mut self) {}
    /// The message begun last goes on with a frame that, as each of its frames, is compressed by itself or not at all.
    fn fragment(&mut self, _compressed: bool) {}
    /// Encoded octets of the message begun last, unmasked.
    fn data(&mut self, encoded: &[u8]);
    /// That many encoded octets were not captured.
    fn missing(&mut self, len: u64);
    /// How far the content of the message begun last is text; asked between two calls of `data`.
    fn text(&mut self) -> TextState {
        TextState::Whole
    }
    /// The message begun last is complete (or, with `complete` false, ended too early).
    fn end(&mut self, complete: bool) -> Content;
    /// The message that ended last began there; of contents that are still to be decoded alone.
    fn waits_from(&mut self, _start: Place) {}
    /// An unknown part of the stream was lost, or nobody knows what it did to the compression.
    fn lose_context(&mut self) {}
    /// The same, and what is still to come of the message begun last cannot be known.
    fn obscure(&mut self) {
        self.lose_context();
    }
}
