//! The rows of `messages -f ndjson` as types, for their schema alone: they are written by hand, for speed, in the ndjson module.
//! A test holds what is written to what is described here.
#![expect(dead_code, reason = "described, never made")]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::anomaly::AnomalyKind;
use crate::message::{Bucket, TcpAnalysis};

/// A row: one JSON object a line.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Row {
    /// An HTTP request and its response.
    Exchange(Box<Exchange>),
    /// A WebSocket message or control frame.
    Message(Box<Message>),
    /// A TCP connection that has ended.
    Connection(Box<Connection>),
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
enum IsExchange {
    Exchange,
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
enum IsMessage {
    Message,
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "snake_case")]
enum IsConnection {
    Connection,
}

/// What a message was charged with, in octets.
#[derive(JsonSchema)]
struct Money {
    /// Decoded content; null when it cannot be known.
    content_bytes: Option<u64>,
    /// Content as sent.
    encoded_bytes: u64,
    /// HTTP header sections and chunk lines; WebSocket frame headers.
    framing_bytes: u64,
    /// TLS records around it.
    tls_bytes: u64,
    /// TCP headers of the segments that carried it.
    tcp_bytes: u64,
    /// Their IP headers.
    ip_bytes: u64,
    /// Their link layer and tunnels.
    link_bytes: u64,
    /// All of these but `content_bytes`.
    wire_bytes: u64,
    /// wire − encoded.
    overhead_bytes: u64,
    /// Sent but not captured; in no other figure.
    lost_bytes: u64,
    /// First frame that carried a part (`frame.number`).
    first_frame: Option<u64>,
    /// Last frame that carried a part.
    last_frame: Option<u64>,
    /// Of `first_frame`: RFC 3339, UTC.
    time: Option<String>,
}

/// Content of a message, as far as it was asked for.
#[derive(JsonSchema)]
struct Content {
    /// SHA-256 of the decoded content in hexadecimal, with `--digest`.
    content_sha256: Option<String>,
    /// Decoded content as text, with `--content`.
    #[schemars(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// The same in base64, where it is not UTF-8.
    #[schemars(skip_serializing_if = "Option::is_none")]
    content_base64: Option<String>,
}

#[derive(JsonSchema)]
pub(super) struct Exchange {
    r#type: IsExchange,
    /// Its connection (`tcp.stream`).
    connection: u64,
    /// n-th exchange on that connection, from 1.
    number: u64,
    /// Address and port.
    client: String,
    /// Address and port.
    server: String,
    /// Null when it was not captured.
    request: Option<Request>,
    /// Null when there was none or it was not captured.
    response: Option<Response>,
    /// Status codes of 1xx responses before the final one.
    informational: Vec<u16>,
    /// What the connection became.
    upgrade: Option<Upgrade>,
    /// The answer to a request to open a WebSocket that was refused.
    upgrade_refused: Option<Refused>,
    /// From the request's first octet to the response's first, in seconds.
    time_to_first_byte_s: Option<f64>,
    /// From the request's first octet to the response's last, in seconds.
    time_to_last_byte_s: Option<f64>,
    ajax: Ajax,
    /// Of a poll, from the third of its series on.
    polling: Option<Poll>,
    #[schemars(flatten)]
    oddities: Oddities,
}

/// What was odd in an exchange or message.
#[derive(JsonSchema)]
struct Oddities {
    /// Kinds of anomalies.
    anomalies: Vec<Kind>,
    /// Where each lies; left out where there is none.
    #[schemars(skip_serializing_if = "Option::is_none")]
    anomaly_details: Option<Vec<Detail>>,
}

/// A kind of anomaly.
struct Kind;

impl JsonSchema for Kind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnomalyKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = AnomalyKind::ALL.iter().map(|kind| kind.name()).collect();
        schemars::json_schema!({"type": "string", "enum": names})
    }
}

/// Where an anomaly lies.
#[derive(JsonSchema)]
struct Detail {
    kind: Kind,
    /// The section of a specification that is broken.
    reference: Option<String>,
    direction: Option<Direction>,
    /// The frame that carried the octet at `stream_offset`.
    frame: Option<u64>,
    /// Octets before it in its direction's stream.
    stream_offset: Option<u64>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Direction {
    ClientToServer,
    ServerToClient,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Upgrade {
    Websocket,
    Tunnel,
    Other,
}

#[derive(JsonSchema)]
struct Refused {
    /// Status code of the answer; null when the connection ended without one.
    status: Option<u16>,
    reason: String,
}

#[derive(JsonSchema)]
struct Ajax {
    /// Whether it counts as Ajax.
    verdict: bool,
    /// From 0 to 1.
    confidence: f64,
    /// Why, strongest first.
    reasons: Vec<String>,
}

#[derive(JsonSchema)]
struct Poll {
    kind: PollingKind,
    /// In its series, from 3.
    number: u64,
    /// Since the request before it, in seconds.
    interval_s: Option<f64>,
    /// Whether its answer brought what the one before had not.
    is_new: Option<bool>,
}

#[derive(JsonSchema)]
enum PollingKind {
    #[schemars(rename = "short")]
    Short,
    #[schemars(rename = "long")]
    Long,
    #[schemars(rename = "conditional")]
    Conditional,
    #[schemars(rename = "engine.io")]
    EngineIo,
}

#[derive(JsonSchema)]
struct Request {
    #[schemars(flatten)]
    money: Money,
    /// Of the request line, as sent.
    method: Option<String>,
    target: Option<String>,
    /// Host and port: of an absolute target, else of the Host field.
    host: Option<String>,
    version: Option<String>,
    #[schemars(flatten)]
    content: HttpContent,
}

#[derive(JsonSchema)]
struct Response {
    #[schemars(flatten)]
    money: Money,
    /// Status code.
    status: u16,
    version: Option<String>,
    #[schemars(flatten)]
    content: HttpContent,
    /// Of a `text/event-stream`.
    event_stream: Option<EventStream>,
}

#[derive(JsonSchema)]
struct HttpContent {
    content_type: Option<String>,
    content_encoding: Option<String>,
    /// What a poll of engine.io carries.
    envelope: Option<Envelope>,
    #[schemars(flatten)]
    content: Content,
}

/// Server-sent events of a response.
#[derive(JsonSchema)]
struct EventStream {
    events: u64,
    event_bytes: u64,
    data_bytes: u64,
    comments: u64,
    comment_bytes: u64,
    retry_ms: Option<u64>,
    mean_interval_s: Option<f64>,
    longest_interval_s: Option<f64>,
}

#[derive(JsonSchema)]
struct Envelope {
    protocol: String,
    /// Kind of the packet.
    kind: String,
    /// Event, method, destination or the like.
    name: Option<String>,
    namespace: Option<String>,
    id: Option<Id>,
    /// Octets of the decoded content that are the envelope's own.
    envelope_bytes: Option<u64>,
    /// Packets.
    count: u64,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

#[derive(JsonSchema)]
pub(super) struct Message {
    r#type: IsMessage,
    /// Its connection (`tcp.stream`).
    connection: u64,
    /// n-th message of its direction on that connection, from 1.
    number: u64,
    direction: Direction,
    /// `text`, `binary`, `close`, `ping`, `pong`, `continuation`, or `reserved-0x3` and the like.
    opcode: String,
    #[schemars(flatten)]
    money: Money,
    /// WebSocket frames it came in.
    fragments: u64,
    /// Whether permessage-deflate was used on it.
    compressed: bool,
    /// Whether its first frame was masked.
    masked: bool,
    close_code: Option<u16>,
    close_reason: Option<String>,
    envelope: Option<Envelope>,
    /// Of an answer: since it was asked for, in seconds.
    answered_in_s: Option<f64>,
    #[schemars(flatten)]
    content: Content,
    #[schemars(flatten)]
    oddities: Oddities,
}

#[derive(JsonSchema)]
pub(super) struct Connection {
    r#type: IsConnection,
    /// Its number (`tcp.stream`).
    connection: u64,
    client: String,
    server: String,
    first_frame: Option<u64>,
    last_frame: Option<u64>,
    /// Of `first_frame`.
    time: Option<String>,
    duration_s: f64,
    /// What was spoken, in order.
    protocols: Vec<String>,
    /// All of its frames.
    wire_bytes: u64,
    /// HTTP exchanges on it.
    exchanges: u64,
    /// From its SYN to its first request, in seconds.
    time_to_first_request_s: Option<f64>,
    /// Null unless it became one.
    websocket: Option<WebSocket>,
    /// What no message owns, in octets.
    buckets: Buckets,
    tcp: Tcp,
    anomalies: Vec<Met>,
    /// Where the first of each kind lies; left out where there is none.
    #[schemars(skip_serializing_if = "Option::is_none")]
    anomaly_details: Option<Vec<Detail>>,
}

#[derive(JsonSchema)]
struct Met {
    kind: Kind,
    count: u64,
    first_frame: u64,
}

#[derive(JsonSchema)]
struct WebSocket {
    host: Option<String>,
    target: Option<String>,
    version: Option<u64>,
    /// As the server chose it.
    subprotocol: Option<String>,
    /// As the server answered.
    extensions: Option<String>,
    accept_valid: Option<bool>,
    handshake_captured: bool,
    /// From its first octet to its last, in seconds.
    handshake_s: Option<f64>,
    close_code: Option<u16>,
    close_reason: Option<String>,
    closed_by: Option<Peer>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Peer {
    Client,
    Server,
}

/// A figure for each direction.
#[derive(JsonSchema)]
struct BothWays {
    client_to_server: u64,
    server_to_client: u64,
}

/// Every bucket by its name.
struct Buckets;

impl JsonSchema for Buckets {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Buckets".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = Bucket::ALL.into_iter().map(Bucket::name).collect();
        let both = generator.subschema_for::<BothWays>();
        let properties: BTreeMap<_, _> = names.iter().map(|name| (*name, both.clone())).collect();
        schemars::json_schema!({"type": "object", "properties": properties, "required": names})
    }
}

/// The kinds of the TCP analysis that were met.
struct Analysis;

impl JsonSchema for Analysis {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TcpAnalysis".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let both = generator.subschema_for::<BothWays>();
        let properties: BTreeMap<_, _> = TcpAnalysis::ALL.into_iter().map(|kind| (kind.name(), both.clone())).collect();
        schemars::json_schema!({"type": "object", "properties": properties})
    }
}

#[derive(JsonSchema)]
struct Tcp {
    segments: u64,
    retransmitted_segments: u64,
    /// From SYN to the ACK that completes, in seconds.
    initial_rtt_s: Option<f64>,
    retransmitted_bytes: u64,
    out_of_order_segments: u64,
    duplicate_segments: u64,
    lost_bytes: u64,
    client_mss: Option<u64>,
    server_mss: Option<u64>,
    client: TcpSide,
    server: TcpSide,
    analysis: Analysis,
}

#[derive(JsonSchema)]
struct TcpSide {
    window_scale: Option<u64>,
    sack_permitted: Option<bool>,
    timestamps: Option<bool>,
    max_bytes_in_flight: u64,
    ack_rtt: RoundTrips,
}

#[derive(JsonSchema)]
struct RoundTrips {
    count: u64,
    min_s: Option<f64>,
    mean_s: Option<f64>,
    max_s: Option<f64>,
}
