//! What each frame of a capture brought to its connection, for who shows a capture frame by frame.
//!
//! Rows come when they are complete, an exchange with its response; parts come with the frame that completes them.

use super::{AnomalyDetails, Content, Cost, Direction, Head, Message, Opcode, RefusedUpgrade, TcpAnalysis, Upgrade};
use crate::anomaly::AnomalySet;
use crate::packet::{ConnectionKey, Flags, Sender, SeqNumber};
use crate::stream::{Frame, LayerBytes, Provenance, Timestamp};

/// What a frame brought. The parts of a frame follow each other in the order in which they were complete, its segment last.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// The segment that the frame carried, or that it completed as the last of its fragments.
    Segment(Box<SegmentPart>),
    /// A packet that was captured before, and is charged there: its segment, while its connection is open.
    Copy(Option<Box<SegmentPart>>),
    /// An HTTP message has ended.
    Http(Box<HttpPart>),
    /// A WebSocket frame has ended; the message that it ends, if it does, follows.
    WebSocketFrame(Box<WebSocketFrame>),
    /// A WebSocket message or control frame has ended: the row, as it was then.
    Message(Box<Message>),
}

/// A segment and what its connection made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentPart {
    /// Number of its connection (`tcp.stream`).
    pub connection: u64,
    /// Who sent it.
    pub direction: Direction,
    /// The frame that carried it, or completed it.
    pub frame: u64,
    /// Addresses and ports.
    pub key: ConnectionKey,
    /// Who of the key sent it.
    pub sender: Sender,
    /// Sequence number (`tcp.seq_raw`).
    pub seq: SeqNumber,
    /// Acknowledgment number (`tcp.ack_raw`).
    pub ack: SeqNumber,
    /// Control bits.
    pub flags: Flags,
    /// Window as sent, not scaled.
    pub window: u16,
    /// Shift of its sender's windows, when both SYNs announced one, or the server's did and the client's was not captured.
    pub window_shift: Option<u8>,
    /// Payload octets on the wire (`tcp.len`).
    pub payload_len: u32,
    /// Payload octets captured.
    pub captured_len: u32,
    /// The frame's octets by layer; of all frames that carried fragments of it.
    pub bytes: LayerBytes,
    /// Stream offset of its payload, when that is known.
    pub offset: Option<u64>,
    /// Whether it brought octets that were not there before.
    pub is_new: bool,
    /// What Wireshark's analysis would mark.
    pub analysis: Vec<TcpAnalysis>,
    /// The protocol that is spoken on its connection, when that is known.
    pub protocol: Option<&'static str>,
    /// When the connection began.
    pub began: Timestamp,
    /// From SYN to the ACK that completes the handshake, in seconds, when that is known (`tcp.analysis.initial_rtt`).
    pub initial_rtt_s: Option<f64>,
}

/// An HTTP message that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpPart {
    /// Number of its connection (`tcp.stream`).
    pub connection: u64,
    /// Of a request, from client to server; of a response, from server to client.
    pub direction: Direction,
    /// Its start line and header section.
    pub head: Head,
    /// Status code of a response, informational ones included; 0 of a request.
    pub status: u16,
    /// What it cost. (That of informational responses is part of the final one's.)
    pub cost: Cost,
    /// Its decoded content, as far as asked for.
    pub content: Content,
    /// Stream offset of its first octet.
    pub start: u64,
    /// Stream offset behind its last octet.
    pub end: u64,
    /// What the connection becomes by this response.
    pub upgrade: Option<Upgrade>,
    /// The request that it answers, when it is a response and that was captured.
    pub request: Option<AnsweredRequest>,
    /// Why a WebSocket was refused by it.
    pub upgrade_refused: Option<RefusedUpgrade>,
    /// What was odd in its exchange, when it completed that.
    pub anomalies: AnomalySet,
    /// Where that lies.
    pub anomaly_details: AnomalyDetails,
}

/// What a response says of its request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnsweredRequest {
    /// Frames of the request.
    pub first: Frame,
    /// Frame of the request's last octet, as far as it was read.
    pub last: Frame,
    /// Host that the request named.
    pub host: Option<Box<[u8]>>,
    /// Request target.
    pub target: Box<[u8]>,
}

/// A WebSocket frame (RFC 6455 §5.2) that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSocketFrame {
    /// Number of its connection (`tcp.stream`).
    pub connection: u64,
    /// Who sent it.
    pub direction: Direction,
    /// Last fragment of its message.
    pub fin: bool,
    /// RSV1, RSV2, RSV3 as the bits 4, 2, 1.
    pub rsv: u8,
    /// Whether an extension that compresses was negotiated, so that RSV1 says whether this is compressed.
    pub may_be_compressed: bool,
    /// As sent: a continuation frame says so.
    pub opcode: Opcode,
    /// There exactly when the mask bit is set.
    pub masking_key: Option<[u8; 4]>,
    /// Octets of the header, masking key included.
    pub header_len: u8,
    /// Octets of payload data as declared.
    pub payload_len: u64,
    /// The payload data unmasked, otherwise as sent; its first octets, as far as asked for and captured.
    pub payload: Box<[u8]>,
    /// Whether all of it came. (The capture may hold less than what came.)
    pub is_complete: bool,
    /// Stream offset of its first octet.
    pub start: u64,
    /// Stream offset behind its last octet.
    pub end: u64,
    /// What it cost, by layer, and its frames.
    pub cost: Provenance,
}
