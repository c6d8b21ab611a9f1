//! The rows: what was found in a capture, as plain data. Field names and units are those of docs/formats.md.

mod buckets;
mod connection;
mod content;
mod envelope;
mod events;
mod exchange;
mod head;
mod odd;
mod opcode;
mod part;
mod polling;
mod tcp;

pub use buckets::{Bucket, Buckets};
pub use connection::{Application, ConnectionRow, WebSocketFacts};
pub use content::{Content, ContentSink, Form, TextState};
pub use envelope::{Answered, Envelope, EnvelopeId, EnvelopeProtocol};
pub use events::{EventStream, HttpContent};
pub use exchange::{Ajax, Exchange, RefusalReason, RefusedUpgrade, Request, Response, Side, Upgrade};
pub use head::Head;
pub(crate) use head::{Field, FieldName, FieldTag, Lines, Span, field, field_value};
pub use odd::{AnomalyDetail, AnomalyDetails};
pub use opcode::Opcode;
pub use part::{AnsweredRequest, HttpPart, Part, SegmentPart, WebSocketFrame};
pub use polling::{EarlierPoll, Poll, PollingKind};
pub use tcp::{RoundTrips, TcpAnalysis, TcpAnalysisCounts, TcpFacts, TcpSide};

use crate::anomaly::AnomalySet;
use crate::stream::{Frame, Provenance};

/// One of the two directions of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From the side that opened the connection.
    ClientToServer = 0,
    /// From the side that listened.
    ServerToClient = 1,
}

impl Direction {
    /// Both directions, the client's first.
    pub const BOTH: [Self; 2] = [Self::ClientToServer, Self::ServerToClient];

    /// The other one.
    pub fn reverse(self) -> Self {
        match self {
            Self::ClientToServer => Self::ServerToClient,
            Self::ServerToClient => Self::ClientToServer,
        }
    }

    /// The name that rows print.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientToServer => "client_to_server",
            Self::ServerToClient => "server_to_client",
        }
    }
}

/// What one application message cost (the money fields of docs/accounting.md).
///
/// Invariant: `provenance.bytes.payload == encoded_bytes + framing_bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// What the application got, in octets, after decoding; `None` when it cannot be known.
    pub content_bytes: Option<u64>,
    /// The same as sent: HTTP content after transfer-coding is undone, WebSocket payload data over all fragments.
    pub encoded_bytes: u64,
    /// HTTP start line, header section, chunk lines, trailers; WebSocket frame headers.
    pub framing_bytes: u64,
    /// Octets of the message that were sent but not captured: in no other figure.
    pub lost_bytes: u64,
    /// The headers that carried it, by layer, and the frames.
    pub provenance: Provenance,
}

impl Cost {
    /// Octets on the wire: encoded + framing + TLS + TCP + IP + link.
    pub fn wire_bytes(&self) -> u64 {
        self.provenance.bytes.total()
    }

    /// Octets on the wire that are not encoded content.
    pub fn overhead_bytes(&self) -> u64 {
        self.wire_bytes() - self.encoded_bytes
    }

    /// Decoded content, where all of the message was captured: what can be set against what was sent.
    #[inline]
    pub fn captured_content_bytes(&self) -> Option<u64> {
        self.content_bytes.filter(|_| self.lost_bytes == 0)
    }

    /// Books framing: bytes consumed that are not content.
    pub fn add_framing(&mut self, consumed: Provenance) {
        self.framing_bytes += consumed.bytes.payload;
        self.provenance += consumed;
    }

    /// Books a whole frame at once: its header and its encoded content, all of it captured.
    #[inline]
    pub(crate) fn add_frame(&mut self, header_len: u64, payload_len: u64, consumed: Provenance) {
        self.framing_bytes += header_len;
        self.encoded_bytes += payload_len;
        self.provenance += consumed;
    }

    /// Books `len` bytes of encoded content, of which what was consumed shows how many were captured.
    pub fn add_encoded(&mut self, len: u64, consumed: Provenance) {
        self.encoded_bytes += consumed.bytes.payload;
        self.lost_bytes += len - consumed.bytes.payload;
        self.provenance += consumed;
    }
}

/// A WebSocket message or control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Number of its connection (`tcp.stream`).
    pub connection: u64,
    /// n-th message of its direction on that connection, control frames included, from 1.
    pub number: u64,
    /// Who sent it.
    pub direction: Direction,
    /// Of its first frame; never [`Opcode::Continuation`] but for an orphan.
    pub opcode: Opcode,
    /// What it cost.
    pub cost: Cost,
    /// Frames it came in.
    pub fragments: u32,
    /// Whether RSV1 of its first frame said so under permessage-deflate.
    pub compressed: bool,
    /// Whether its (first) frame was masked.
    pub masked: bool,
    /// Code and reason, of a Close.
    pub close: Option<Box<Close>>,
    /// Its decoded content, as far as asked for.
    pub content: Content,
    /// The time it took, when it is a Pong or an answer to what the peer asked.
    pub answered: Option<Answered>,
    /// What was odd in it.
    pub anomalies: AnomalySet,
    /// Where that lies.
    pub anomaly_details: AnomalyDetails,
}

impl Message {
    /// What was odd in it, and in its content.
    #[inline]
    pub fn oddities(&self) -> AnomalySet {
        let mut odd = self.anomalies;
        odd.merge(self.content.anomalies);
        odd
    }
}

/// What a Close frame says (RFC 6455 §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    /// `None` when its payload is empty or cut.
    pub code: Option<u16>,
    /// UTF-8 (invalid octets replaced); empty when none was given, `None` when it is not known: its payload is cut, or too long.
    pub reason: Option<String>,
}

/// What an analysis yields, as soon as it is known.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "messages are by far the most rows, and cost no allocation")]
pub enum Row {
    /// An HTTP request and its response.
    Exchange(Box<Exchange>),
    /// A WebSocket message or control frame.
    Message(Message),
    /// A connection that has ended; after all its other rows.
    Connection(Box<ConnectionRow>),
}

impl Row {
    /// Whether nothing of it is still to be decoded.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        !matches!(self, Self::Message(message) if message.content.is_waiting)
    }

    /// The last frame of it, which orders rows.
    pub fn last_frame(&self) -> Frame {
        match self {
            Self::Exchange(exchange) => {
                let request = exchange.request.as_ref().map(|r| r.cost.provenance.last);
                let response = exchange.response.as_ref().map(|r| r.cost.provenance.last);
                request.max(response).unwrap_or_default()
            }
            Self::Message(message) => message.cost.provenance.last,
            Self::Connection(connection) => connection.last,
        }
    }
}

/// What an analysis knows of a capture as a whole, beside its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Captured frames.
    pub packets: u64,
    /// Octets on the wire: Σ `frame.len`.
    pub wire_bytes: u64,
    /// Octets captured: Σ `frame.cap_len`.
    pub captured_bytes: u64,
    /// Octets on the wire of frames that carry no TCP segment (or whose headers are cut).
    pub not_tcp_bytes: u64,
    /// What those frames carried: (name, frames, octets on the wire), largest first.
    pub not_tcp: Vec<(String, u64, u64)>,
    /// Octets on the wire of frames that are copies of frames already counted.
    pub duplicate_bytes: u64,
    /// Connections begun so far.
    pub connections: u64,
    /// Oddities of the capture and its packets; those of a connection are in its [`ConnectionRow`].
    pub anomalies: crate::AnomalyCounts,
}
