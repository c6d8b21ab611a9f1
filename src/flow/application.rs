//! What runs on a connection, and how it is recognised.

use crate::http;
use crate::message::{Application, Direction};
use crate::stream::StreamBuffer;
use crate::websocket;

/// What runs on a connection.
#[derive(Debug, Default)]
pub(super) enum Running {
    /// Nothing recognised yet; each segment's beginning is looked at.
    #[default]
    Detecting,
    /// HTTP/1.
    Http(Box<http::Connection>),
    /// WebSocket; a receiver for each direction.
    WebSocket(Box<[websocket::Receiver; 2]>),
    /// Something that is only accounted.
    Opaque,
    /// It has ended; late segments are still accounted as its own.
    Ended(Application),
}

impl Running {
    /// What the ledger calls it.
    #[inline]
    pub(super) fn kind(&self) -> Application {
        match self {
            Self::Detecting | Self::Opaque => Application::None,
            Self::Http(_) => Application::Http,
            Self::WebSocket(_) => Application::WebSocket,
            Self::Ended(kind) => *kind,
        }
    }
}

/// What the beginning of a segment looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// HTTP/1, spoken by the client (a request) or the server (a response).
    Http(Direction),
    /// A TLS record; only at the beginning of a stream.
    Tls,
    /// The HTTP/2 connection preface (RFC 9113 §3.4).
    Http2,
    /// Not yet to be told.
    Unclear,
    /// None of them.
    Unknown,
}

/// The HTTP/2 connection preface up to where an HTTP/1 parser could not have made it up.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// A look at the front of a direction, which remembers how far it went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glance {
    request: http::StartLook,
    response: http::StartLook,
}

impl Glance {
    /// Recognises what a segment begins with. `stream_begins`: these are the first bytes of their direction.
    #[inline]
    pub(super) fn recognise(&mut self, buffer: &StreamBuffer, stream_begins: bool) -> Looks {
        recognise_by(buffer.peek(), stream_begins, || (self.request.request(buffer), self.response.response(buffer)))
    }
}

/// The same of a segment that is not in a buffer.
pub(super) fn recognise(bytes: &[u8], stream_begins: bool) -> Looks {
    recognise_by(bytes, stream_begins, || (http::looks_like_request(bytes), http::looks_like_response(bytes)))
}

/// `http_looks`: whether it looks like a request, and like a response.
#[inline]
fn recognise_by(bytes: &[u8], stream_begins: bool, http_looks: impl FnOnce() -> (Option<bool>, Option<bool>)) -> Looks {
    if stream_begins && is_tls_record(bytes) {
        return Looks::Tls;
    }
    if bytes.starts_with(HTTP2_PREFACE) {
        return Looks::Http2;
    }
    match http_looks() {
        (Some(true), _) => Looks::Http(Direction::ClientToServer),
        (_, Some(true)) => Looks::Http(Direction::ServerToClient),
        (None, _) | (_, None) => Looks::Unclear,
        (Some(false), Some(false)) => Looks::Unknown,
    }
}

/// Handshake or alert records of TLS 1.x begin a stream (RFC 8446 §5.1).
fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15 | 0x16, 0x03, 0x00..=0x04, ..])
}
