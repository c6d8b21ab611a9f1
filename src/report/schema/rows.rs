//! The rows of `wiretare messages -f ndjson` as types: to read them back, and to derive their schema from.
//!
//! `report::ndjson` writes rows by hand, for speed; tests hold the two together. Fields that these types do not know are passed over
//! when rows are read, so rows of a later version can be read too.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::names::{AjaxReason, AnomalyKind, DirectionName, EnvelopeProtocolName, OpcodeName, PollingKindName, SideName};
use super::object_of;
use crate::message::{Bucket, TcpAnalysis};
use crate::report::BothWays;

/// A row: sizes in octets, durations in seconds, frames and connections by Wireshark's numbers. What is not known is `null`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Row {
    /// An HTTP request and its response.
    Exchange(Box<Exchange>),
    /// A WebSocket message or control frame.
    Message(Box<Message>),
    /// A TCP connection that has ended; it follows all other rows of its connection.
    Connection(Box<Connection>),
}

/// The `type` of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeType {
    /// `exchange`.
    Exchange,
}

/// The `type` of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    /// `message`.
    Message,
}

/// The `type` of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionType {
    /// `connection`.
    Connection,
}

/// What a message cost.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Money {
    /// Decoded content; `null` when it cannot be known.
    pub content_bytes: Option<u64>,
    /// Content as sent.
    pub encoded_bytes: u64,
    /// HTTP header sections and chunk lines; WebSocket frame headers.
    pub framing_bytes: u64,
    /// TLS records around it.
    pub tls_bytes: u64,
    /// TCP headers of the segments that carried it.
    pub tcp_bytes: u64,
    /// IP headers of these.
    pub ip_bytes: u64,
    /// Link layer and tunnels of these.
    pub link_bytes: u64,
    /// All of these but `content_bytes`.
    pub wire_bytes: u64,
    /// wire − encoded.
    pub overhead_bytes: u64,
    /// Sent but not captured; in no other figure.
    pub lost_bytes: u64,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub frames: Frames,
}

/// The frames that carried something.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Frames {
    /// First frame that carried a part; `null` when nothing of it was captured.
    pub first_frame: Option<u64>,
    /// Last frame that carried a part.
    pub last_frame: Option<u64>,
    /// Of `first_frame`: RFC 3339, UTC, nanoseconds.
    #[schemars(extend("format" = "date-time"))]
    pub time: Option<String>,
}

/// The decoded content and its digest.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Content {
    /// SHA-256 of the decoded content, with `--digest`.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub content_sha256: Option<String>,
    /// With `--content preview` or `full`: decoded content that is UTF-8; `null` when it cannot be known. Left out without, and
    /// beside `content_base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "text_or_null")]
    pub content: Option<String>,
    /// The same in base64 where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("contentEncoding" = "base64"))]
    pub content_base64: Option<String>,
}

fn text_or_null(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"oneOf": [{"type": "string"}, {"type": "null"}]})
}

/// An HTTP request and its response.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Exchange {
    /// `exchange`.
    #[schemars(with = "String", extend("const" = "exchange"))]
    pub r#type: ExchangeType,
    /// Its connection (`tcp.stream`).
    pub connection: u64,
    /// n-th exchange on that connection, from 1.
    #[schemars(range(min = 1))]
    pub number: u64,
    /// Address and port of the client, IPv6 in brackets.
    pub client: String,
    /// Address and port of the server, IPv6 in brackets.
    pub server: String,
    /// `null` when it was not captured.
    pub request: Option<Request>,
    /// `null` when there was none or it was not captured. Informational responses before it are part of its framing.
    pub response: Option<Response>,
    /// Status codes of 1xx responses before the final one.
    pub informational: Vec<u16>,
    /// What the connection became by it: `websocket` for an opening handshake that succeeded, `tunnel` for CONNECT, `other`.
    #[schemars(extend("enum" = ["websocket", "tunnel", "other", null]))]
    pub upgrade: Option<String>,
    /// `null` unless the request asked for a WebSocket and did not get one.
    pub upgrade_refused: Option<RefusedUpgrade>,
    /// From the request's first octet to the (final) response's first, in seconds.
    pub time_to_first_byte_s: Option<f64>,
    /// From the request's first octet to the response's last, in seconds.
    pub time_to_last_byte_s: Option<f64>,
    /// The side of the report that it is charged to; rows of earlier versions do not say.
    #[serde(default)]
    #[schemars(with = "SideName")]
    pub side: Option<SideName>,
    /// Whether a script made it.
    pub ajax: Ajax,
    /// Of a poll, from the third of its series on.
    pub polling: Option<Polling>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub oddities: Oddities,
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Request {
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub money: Money,
    /// Method of the request line, as sent.
    pub method: Option<String>,
    /// Target of the request line, as sent.
    pub target: Option<String>,
    /// Host and port: of an absolute target, else of the Host field.
    pub host: Option<String>,
    /// Version of the request line, as sent.
    pub version: Option<String>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub http: HttpContent,
}

/// An HTTP response.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Response {
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub money: Money,
    /// Status code.
    pub status: u16,
    /// Version of the status line, as sent.
    pub version: Option<String>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub http: HttpContent,
    /// Of a `text/event-stream`.
    pub event_stream: Option<EventStream>,
}

/// What an HTTP message says of its content.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct HttpContent {
    /// Content-Type, as sent.
    pub content_type: Option<String>,
    /// Content-Encoding, as sent; several lines joined by commas.
    pub content_encoding: Option<String>,
    /// What a poll of engine.io carries.
    pub envelope: Option<Envelope>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub content: Content,
}

/// Server-sent events of a response.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct EventStream {
    /// Events.
    pub events: u64,
    /// Octets of the events, line ends included.
    pub event_bytes: u64,
    /// Of these, what scripts get.
    pub data_bytes: u64,
    /// Comment lines.
    pub comments: u64,
    /// Their octets.
    pub comment_bytes: u64,
    /// The reconnection time that the server asked for last, in milliseconds.
    pub retry_ms: Option<u64>,
    /// Mean time from one event to the next, in seconds.
    pub mean_interval_s: Option<f64>,
    /// Longest time from one event to the next, in seconds.
    pub longest_interval_s: Option<f64>,
}

/// Why a request to open a WebSocket was refused.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct RefusedUpgrade {
    /// Status of the answer; `null` when the connection ended without one.
    pub status: Option<u16>,
    /// Why; the names stand in docs/formats.md.
    pub reason: String,
}

/// The classifier's word.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Ajax {
    /// Whether it counts as Ajax.
    pub verdict: bool,
    /// How sure that is.
    #[schemars(range(min = 0, max = 1))]
    pub confidence: f64,
    /// Why, strongest first.
    pub reasons: Vec<AjaxReason>,
}

/// An exchange's part in a series of polls.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Polling {
    /// How the client polls.
    pub kind: PollingKindName,
    /// n-th of its series, from 1.
    #[schemars(range(min = 1))]
    pub number: u64,
    /// Since the request before it, in seconds.
    pub interval_s: Option<f64>,
    /// Whether its answer brought what the one before it had not.
    pub is_new: Option<bool>,
}

/// What was odd.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Oddities {
    /// What was odd.
    pub anomalies: Vec<AnomalyKind>,
    /// Where it lies, in the same order; left out when `anomalies` is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub anomaly_details: Vec<AnomalyDetail>,
}

/// Where something odd lies.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct AnomalyDetail {
    /// What was odd.
    pub kind: AnomalyKind,
    /// The section of a specification that it breaks, such as `RFC 6455 §5.1`.
    pub reference: Option<String>,
    /// In whose stream it lies.
    pub direction: Option<DirectionName>,
    /// The frame that carried the octet at `stream_offset`, or a frame to look at.
    pub frame: Option<u64>,
    /// Octets before it in its direction's TCP stream, those that were not captured included.
    pub stream_offset: Option<u64>,
}

/// A WebSocket message or control frame.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Message {
    /// `message`.
    #[schemars(with = "String", extend("const" = "message"))]
    pub r#type: MessageType,
    /// Its connection (`tcp.stream`).
    pub connection: u64,
    /// n-th message of its direction on that connection, control frames included, from 1.
    #[schemars(range(min = 1))]
    pub number: u64,
    /// Who sent it.
    pub direction: DirectionName,
    /// Of its first frame; `continuation` only where it continues nothing.
    pub opcode: OpcodeName,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub money: Money,
    /// WebSocket frames it came in.
    pub fragments: u32,
    /// Whether permessage-deflate was used on it.
    pub compressed: bool,
    /// Whether its first frame was masked.
    pub masked: bool,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub close: Close,
    /// What is inside, when a protocol is recognised.
    pub envelope: Option<Envelope>,
    /// Of an answer, a Pong, and of heartbeats in envelopes: seconds since what it answers was asked.
    pub answered_in_s: Option<f64>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub content: Content,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub oddities: Oddities,
}

/// What a Close frame says.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Close {
    /// Status code of a Close.
    pub close_code: Option<u16>,
    /// Its reason; empty when it gives none, `null` when it is not known.
    pub close_reason: Option<String>,
}

/// What an application protocol says of a message.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Envelope {
    /// The protocol.
    pub protocol: EnvelopeProtocolName,
    /// Type of the packet, in the protocol's words.
    pub kind: String,
    /// Event, topic, method, procedure, destination or operation.
    pub name: Option<String>,
    /// Of socket.io; `null` for the main one.
    pub namespace: Option<String>,
    /// What pairs asks with answers, or names a message.
    pub id: Option<EnvelopeId>,
    /// Octets of decoded content that are not the application's payload, over all packets.
    pub envelope_bytes: Option<u64>,
    /// Packets that end in the message.
    pub count: u64,
}

/// An identifier in an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EnvelopeId {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

/// A TCP connection that has ended.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Connection {
    /// `connection`.
    #[schemars(with = "String", extend("const" = "connection"))]
    pub r#type: ConnectionType,
    /// Its number (`tcp.stream`).
    pub connection: u64,
    /// Address and port of the client, IPv6 in brackets.
    pub client: String,
    /// Address and port of the server, IPv6 in brackets.
    pub server: String,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub frames: Frames,
    /// From `first_frame` to `last_frame`, in seconds.
    pub duration_s: f64,
    /// What was spoken, in order: `http/1.1`, `websocket`, `tls`, `http/2`; empty when unknown.
    pub protocols: Vec<String>,
    /// All of its frames: its rows' `wire_bytes` and its buckets together.
    pub wire_bytes: u64,
    /// HTTP exchanges on it.
    pub exchanges: u64,
    /// From its SYN to its first request, in seconds.
    pub time_to_first_request_s: Option<f64>,
    /// `null` unless it became one.
    pub websocket: Option<WebSocket>,
    /// What no message owns, in octets on the wire by bucket and direction.
    #[schemars(schema_with = "buckets")]
    pub buckets: BTreeMap<String, BothWays<u64>>,
    /// Its transport.
    pub tcp: Tcp,
    /// What was odd.
    pub anomalies: Vec<AnomalyCount>,
    /// Where the first of each kind lies; left out when `anomalies` is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub anomaly_details: Vec<AnomalyDetail>,
}

fn buckets(generator: &mut SchemaGenerator) -> Schema {
    let names = Bucket::ALL.map(Bucket::name);
    let mut schema = object_of::<BothWays<u64>>(generator, &names);
    schema.insert("required".into(), names.as_slice().into());
    schema
}

/// The WebSocket of a connection.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct WebSocket {
    /// Host that the opening handshake named.
    pub host: Option<String>,
    /// Its target.
    pub target: Option<String>,
    /// Sec-WebSocket-Version.
    pub version: Option<u8>,
    /// Subprotocol, as the server answered.
    pub subprotocol: Option<String>,
    /// Extensions, as the server answered.
    pub extensions: Option<String>,
    /// Whether Sec-WebSocket-Accept answers the key.
    pub accept_valid: Option<bool>,
    /// Whether the opening handshake is in the capture.
    pub handshake_captured: bool,
    /// From its first octet to its last, in seconds.
    pub handshake_s: Option<f64>,
    #[serde(flatten)]
    #[allow(missing_docs)]
    pub close: Close,
    /// Who sent the first Close.
    #[schemars(extend("enum" = ["client", "server", null]))]
    pub closed_by: Option<String>,
}

/// The transport of a connection.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct Tcp {
    /// Segments in both directions, copies left out.
    pub segments: u64,
    /// Of these, segments that brought nothing new.
    pub retransmitted_segments: u64,
    /// From SYN to the ACK that completes, in seconds.
    pub initial_rtt_s: Option<f64>,
    /// Octets that were sent again.
    pub retransmitted_bytes: u64,
    /// Segments that arrived before an earlier one.
    pub out_of_order_segments: u64,
    /// Further copies of packets in the capture.
    pub duplicate_segments: u64,
    /// Octets sent but not captured.
    pub lost_bytes: u64,
    /// Maximum segment size that the client announced, in octets.
    pub client_mss: Option<u16>,
    /// Maximum segment size that the server announced, in octets.
    pub server_mss: Option<u16>,
    /// What the client announced and sent.
    pub client: TcpSide,
    /// What the server announced and sent.
    pub server: TcpSide,
    /// Segments that Wireshark would mark `tcp.analysis.*`, by direction; kinds that were not met are left out.
    #[schemars(schema_with = "analysis")]
    pub analysis: BTreeMap<String, BothWays<u64>>,
}

fn analysis(generator: &mut SchemaGenerator) -> Schema {
    object_of::<BothWays<u64>>(generator, &TcpAnalysis::ALL.map(TcpAnalysis::name))
}

/// One side of a connection.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct TcpSide {
    /// Shift of its windows, in bits.
    pub window_scale: Option<u8>,
    /// Whether its SYN permits selective acknowledgements.
    pub sack_permitted: Option<bool>,
    /// Whether its SYN has timestamps.
    pub timestamps: Option<bool>,
    /// Most octets that were sent and not acknowledged at a time.
    pub max_bytes_in_flight: u64,
    /// From data to its ACK.
    pub ack_rtt: RoundTrips,
}

/// Round-trip times, in seconds.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct RoundTrips {
    /// Samples.
    pub count: u64,
    /// The shortest.
    pub min_s: Option<f64>,
    /// The mean.
    pub mean_s: Option<f64>,
    /// The longest.
    pub max_s: Option<f64>,
}

/// How often something odd was met on a connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct AnomalyCount {
    /// What was odd.
    pub kind: AnomalyKind,
    /// How often.
    pub count: u64,
    /// A frame to look at; `None` where it lies in none.
    pub first_frame: Option<u64>,
}
