//! A connection, and what it says of a WebSocket.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::{AnomalyDetails, Buckets, Close, Direction, TcpFacts};
use crate::stream::Frame;

/// The application that ran on a connection at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Application {
    /// Before any was seen, or none that is understood.
    #[default]
    None = 0,
    /// HTTP/1.
    Http = 1,
    /// WebSocket.
    WebSocket = 2,
}

impl Application {
    /// All of them, in the order of the ledger.
    pub const ALL: [Self; 3] = [Self::None, Self::Http, Self::WebSocket];

    /// The name that rows print.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Http => "http",
            Self::WebSocket => "websocket",
        }
    }
}

/// The opening handshake and the end of a WebSocket connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebSocketFacts {
    /// Host the handshake named.
    pub host: Option<String>,
    /// Request target.
    pub target: Option<String>,
    /// Sec-WebSocket-Version (13 is RFC 6455).
    pub version: Option<u8>,
    /// Subprotocol the server chose.
    pub subprotocol: Option<String>,
    /// Sec-WebSocket-Extensions as the server answered.
    pub extensions: Option<String>,
    /// Whether Sec-WebSocket-Accept answers the key; `None` when one of them was not captured.
    pub accept_valid: Option<bool>,
    /// Whether the opening handshake was captured.
    pub handshake_captured: bool,
    /// From the first octet of the Upgrade request to the last of the 101, in seconds.
    pub handshake_s: Option<f64>,
    /// Of the first Close.
    pub close: Option<Close>,
    /// Who sent the first Close.
    pub closed_by: Option<Direction>,
}

/// A connection, when it has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionRow {
    /// Its number (`tcp.stream`).
    pub connection: u64,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// First frame of it.
    pub first: Frame,
    /// Last frame of it.
    pub last: Frame,
    /// Whether its SYN was captured.
    pub syn_captured: bool,
    /// What was spoken, in order: `http/1.1`, `websocket`, `tls`, `http/2`; empty when unknown.
    pub protocols: Cow<'static, [&'static str]>,
    /// Octets on the wire, both directions: Σ `frame.len`.
    pub wire_bytes: u64,
    /// Octets on the wire of its exchanges and messages, by [`Side`](super::Side).
    pub side_wire_bytes: [u64; 4],
    /// HTTP exchanges on it.
    pub exchanges: u64,
    /// From its first frame to its first request, in seconds; `None` where either was not captured.
    pub time_to_first_request_s: Option<f64>,
    /// What no message owns.
    pub buckets: Buckets,
    /// The frame that first sent something again (`frame.number`).
    pub first_retransmission: Option<u64>,
    /// Facts of the WebSocket on it.
    pub websocket: Option<WebSocketFacts>,
    /// Facts of its transport.
    pub tcp: TcpFacts,
    /// What was odd in it: kind, count, first frame.
    pub anomalies: Vec<(crate::AnomalyKind, u64, u64)>,
    /// Where the first of each kind lies.
    pub anomaly_details: AnomalyDetails,
}
