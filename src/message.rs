//! The rows: what was found in a capture, as plain data. Field names and units are those of docs/formats.md.

mod events;
mod head;
mod odd;
mod part;
mod polling;
mod tcp;

pub use events::{EventStream, HttpContent};
pub use head::Head;
pub(crate) use head::{Field, FieldName, FieldTag, Lines, Span, field, field_value};
pub use odd::{AnomalyDetail, AnomalyDetails};
pub use part::{AnsweredRequest, HttpPart, Part, SegmentPart, WebSocketFrame};
pub use polling::{EarlierPoll, Poll, PollingKind};
pub use tcp::{RoundTrips, TcpAnalysis, TcpAnalysisCounts, TcpFacts, TcpSide};

use std::borrow::Cow;
use std::net::SocketAddr;

use crate::anomaly::AnomalySet;
use crate::stream::{Frame, Place, Provenance, Timestamp};

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

    /// Books framing: bytes consumed that are not content.
    pub fn add_framing(&mut self, consumed: Provenance) {
        self.framing_bytes += consumed.bytes.payload;
        self.provenance += consumed;
    }

    /// Books a whole frame at once: its header and its encoded content, all of it captured.
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

/// The protocol of an envelope: what is spoken inside WebSocket messages or engine.io's polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnvelopeProtocol {
    /// engine.io 3 and 4.
    EngineIo,
    /// socket.io, in packets of engine.io.
    SocketIo,
    /// SockJS's framing.
    SockJs,
    /// The hub protocol of ASP.NET Core SignalR, as JSON or MessagePack.
    SignalR,
    /// STOMP 1.0 to 1.2.
    Stomp,
    /// MQTT 3.1, 3.1.1 and 5.
    Mqtt,
    /// WAMP 2, as JSON or MessagePack.
    Wamp,
    /// The subprotocol `graphql-transport-ws`, of the library graphql-ws.
    GraphqlTransportWs,
    /// The subprotocol `graphql-ws`, of the library subscriptions-transport-ws.
    GraphqlWs,
    /// JSON-RPC 2.0.
    JsonRpc,
}

impl EnvelopeProtocol {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::EngineIo,
        Self::SocketIo,
        Self::SockJs,
        Self::SignalR,
        Self::Stomp,
        Self::Mqtt,
        Self::Wamp,
        Self::GraphqlTransportWs,
        Self::GraphqlWs,
        Self::JsonRpc,
    ];

    /// The name that rows and reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::EngineIo => "engine.io",
            Self::SocketIo => "socket.io",
            Self::SockJs => "sockjs",
            Self::SignalR => "signalr",
            Self::Stomp => "stomp",
            Self::Mqtt => "mqtt",
            Self::Wamp => "wamp",
            Self::GraphqlTransportWs => "graphql-transport-ws",
            Self::GraphqlWs => "graphql-ws",
            Self::JsonRpc => "json-rpc",
        }
    }
}

/// What a message's envelope says. Of several packets in one message, the first one names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The protocol.
    pub protocol: EnvelopeProtocol,
    /// The type of the packet, in the protocol's words.
    pub kind: &'static str,
    /// Event, topic, method or destination; `None` when the packet has none.
    pub name: Option<Box<str>>,
    /// socket.io's namespace, when it is not the main one.
    pub namespace: Option<Box<str>>,
    /// What pairs asks with answers.
    pub id: Option<EnvelopeId>,
    /// Octets of decoded content that are the envelope's own, over all packets; `None` when it cannot be known.
    pub bytes: Option<u64>,
    /// Packets in the message, counted where they end.
    pub count: u64,
}

/// An identifier in an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeId {
    /// An unsigned number.
    Number(u64),
    /// Text, or a number of another kind as it was written.
    Text(Box<str>),
}

/// How long a message's answer took: from the ask's first octet to the answer's last, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// To an ask, by its id.
    Ask(u64),
    /// To a ping or another heartbeat.
    Ping(u64),
}

impl Answered {
    /// The time in nanoseconds.
    pub fn nanoseconds(self) -> u64 {
        match self {
            Self::Ask(time) | Self::Ping(time) => time,
        }
    }
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
        /// RSV1 under permessage-deflate (RFC 7692 §6).
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
    /// Between messages, an unknown part of the stream was lost.
    fn lose_context(&mut self) {}
}

/// WebSocket opcode (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0
    Continuation,
    /// 0x1
    Text,
    /// 0x2
    Binary,
    /// 0x8
    Close,
    /// 0x9
    Ping,
    /// 0xA
    Pong,
    /// 0x3–0x7 and 0xB–0xF
    Reserved(u8),
}

impl Opcode {
    /// Of the low four bits of a frame's first byte.
    pub const fn of_bits(bits: u8) -> Self {
        match bits & 0xf {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            other => Self::Reserved(other),
        }
    }

    /// The four bits.
    pub const fn bits(self) -> u8 {
        // Numbers alone, which a table gives without a jump.
        let known = match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
            Self::Reserved(_) => u8::MAX,
        };
        match self {
            Self::Reserved(bits) => bits,
            Self::Continuation | Self::Text | Self::Binary | Self::Close | Self::Ping | Self::Pong => known,
        }
    }

    /// Control frames are 0x8–0xF (RFC 6455 §5.5).
    pub fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }

    /// The name that rows print: `text`, … or `reserved-0xb`.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "continuation",
            "text",
            "binary",
            "reserved-0x3",
            "reserved-0x4",
            "reserved-0x5",
            "reserved-0x6",
            "reserved-0x7",
            "close",
            "ping",
            "pong",
            "reserved-0xb",
            "reserved-0xc",
            "reserved-0xd",
            "reserved-0xe",
            "reserved-0xf",
        ];
        NAMES[(self.bits() & 0xf) as usize]
    }
}

/// The request of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What it cost.
    pub cost: Cost,
    /// Its start line and header section.
    pub head: Head,
    /// Its decoded content, as far as asked for.
    pub content: Content,
}

impl Request {
    /// The method, such as `GET`.
    pub fn method(&self) -> &[u8] {
        self.head.start_line_part(0)
    }

    /// The request target as sent (RFC 9112 §3.2), absolute-form included.
    pub fn target(&self) -> &[u8] {
        self.head.start_line_part(1)
    }

    /// Such as `HTTP/1.1`.
    pub fn version(&self) -> &[u8] {
        self.head.start_line_part(2)
    }

    /// Host and port the request names: of an absolute-form target, else the Host field (RFC 9112 §3.2.2).
    pub fn host(&self) -> Option<&[u8]> {
        authority_of_absolute_form(self.target()).or_else(|| self.head.first(FieldName::Host))
    }
}

fn authority_of_absolute_form(target: &[u8]) -> Option<&[u8]> {
    // As most are: origin-form.
    if target.first() == Some(&b'/') {
        return None;
    }
    let scheme_end = memchr::memmem::find(target, b"://")?;
    if !target[..scheme_end].iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    target[scheme_end + 3..].split(|&b| matches!(b, b'/' | b'?' | b'#')).next()
}

/// The final response of an exchange; the informational ones before it are part of its cost (framing).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// What it cost.
    pub cost: Cost,
    /// Its status line and header section.
    pub head: Head,
    /// Its decoded content, as far as asked for.
    pub content: Content,
    /// Status code.
    pub status: u16,
}

impl Response {
    /// Such as `HTTP/1.1`.
    pub fn version(&self) -> &[u8] {
        self.head.start_line_part(0)
    }
}

/// What an exchange switched its connection to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// A WebSocket opening handshake that succeeded (RFC 6455 §4).
    WebSocket,
    /// CONNECT, answered with 2xx: a tunnel (RFC 9110 §9.3.6).
    Tunnel,
    /// Another protocol by 101 (RFC 9110 §7.8), such as h2c.
    Other,
}

/// A request to open a WebSocket that was not followed by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedUpgrade {
    /// Of the answer; `None` when the connection ended without one.
    pub status: Option<u16>,
    /// Why, as far as it can be told.
    pub reason: RefusalReason,
}

/// Why a request to open a WebSocket was refused, as far as request and answer tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefusalReason {
    /// The server names the versions it speaks, and the request's is not among them (RFC 6455 §4.4).
    UnsupportedVersion,
    /// 4xx to a request that breaks RFC 6455 §4.1: the first of its faults that a server checks.
    Malformed(crate::AnomalyKind),
    /// 401 or 407: the client is to authenticate.
    Unauthorized,
    /// 403: often an Origin that is not allowed.
    Forbidden,
    /// 404 or 410: there is nothing at that target.
    NotFound,
    /// 405 to a GET.
    MethodNotAllowed,
    /// 426 that names no version.
    UpgradeRequired,
    /// 429: too many requests.
    TooManyRequests,
    /// Another 4xx.
    ClientError,
    /// 3xx: the client is to ask elsewhere.
    Redirected,
    /// 2xx: answered as any other request, by a server that speaks no WebSocket there.
    NotUpgraded,
    /// 5xx: a server, or a proxy before it, could not.
    ServerError,
    /// The connection ended without an answer.
    NoAnswer,
}

impl RefusalReason {
    /// The stable name that rows and reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnsupportedVersion => "unsupported_version",
            Self::Malformed(kind) => kind.name(),
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UpgradeRequired => "upgrade_required",
            Self::TooManyRequests => "too_many_requests",
            Self::ClientError => "client_error",
            Self::Redirected => "redirected",
            Self::NotUpgraded => "not_upgraded",
            Self::ServerError => "server_error",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// The classifier's word on whether a script made an exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ajax {
    /// Whether it counts as Ajax.
    pub verdict: bool,
    /// How sure that is: 0 (a guess) to 1 (the browser said so).
    pub confidence: f64,
    /// Why, strongest first: stable names.
    pub reasons: Cow<'static, [&'static str]>,
}

/// The part of the comparison that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Exchanges that a script made.
    Ajax = 0,
    /// WebSocket messages, and the opening handshake.
    WebSocket = 1,
    /// Responses of type `text/event-stream`, with their requests.
    ServerSentEvents = 2,
    /// Documents, images, scripts, … and exchanges whose request was not captured.
    OtherHttp = 3,
}

impl Side {
    /// All sides in the order of the report.
    pub const ALL: [Self; 4] = [Self::Ajax, Self::WebSocket, Self::ServerSentEvents, Self::OtherHttp];

    /// The name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ajax => "ajax",
            Self::WebSocket => "websocket",
            Self::ServerSentEvents => "server_sent_events",
            Self::OtherHttp => "other_http",
        }
    }
}

/// An HTTP request and its response.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Number of its connection (`tcp.stream`).
    pub connection: u64,
    /// n-th exchange on that connection, from 1.
    pub number: u64,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// `None` when it was not captured.
    pub request: Option<Request>,
    /// `None` when there was none or it was not captured.
    pub response: Option<Response>,
    /// Status codes of informational responses before the final one (RFC 9110 §15.2).
    pub informational: Vec<u16>,
    /// What the connection became by it.
    pub upgrade: Option<Upgrade>,
    /// From the request's first octet to the (final) response's first, in seconds.
    pub time_to_first_byte_s: Option<f64>,
    /// From the request's first octet to the response's last, in seconds.
    pub time_to_last_byte_s: Option<f64>,
    /// Whether a script made it.
    pub ajax: Ajax,
    /// The side it is charged to.
    pub side: Side,
    /// Its part in a series of polls, from the third on.
    pub polling: Option<Box<Poll>>,
    /// Why its request to open a WebSocket was refused, when it was.
    pub upgrade_refused: Option<RefusedUpgrade>,
    /// Where its request and its (final) response begin; `None` for one that was not captured.
    pub places: [Option<Place>; 2],
    /// What was odd in it.
    pub anomalies: AnomalySet,
    /// Where that lies.
    pub anomaly_details: AnomalyDetails,
}

impl Exchange {
    /// Octets on the wire of request and response.
    pub fn wire_bytes(&self) -> u64 {
        self.request.as_ref().map_or(0, |r| r.cost.wire_bytes()) + self.response.as_ref().map_or(0, |r| r.cost.wire_bytes())
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

/// What a Close frame says (RFC 6455 §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Close {
    /// `None` when its payload is empty or cut.
    pub code: Option<u16>,
    /// UTF-8 (invalid octets replaced); empty when none was given.
    pub reason: String,
}

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
    pub protocols: Vec<&'static str>,
    /// Octets on the wire, both directions: Σ `frame.len`.
    pub wire_bytes: u64,
    /// Octets on the wire of its exchanges and messages, by [`Side`].
    pub side_wire_bytes: [u64; 4],
    /// HTTP exchanges on it.
    pub exchanges: u64,
    /// From its first frame to its first request, in seconds; `None` where either was not captured.
    pub time_to_first_request_s: Option<f64>,
    /// What no message owns.
    pub buckets: Buckets,
    /// Facts of the WebSocket on it.
    pub websocket: Option<WebSocketFacts>,
    /// Facts of its transport.
    pub tcp: TcpFacts,
    /// What was odd in it: kind, count, first frame.
    pub anomalies: Vec<(crate::AnomalyKind, u64, u64)>,
    /// Where the first of each kind lies.
    pub anomaly_details: AnomalyDetails,
}

/// Why bytes that no message owns were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Bucket {
    /// SYN, SYN+ACK, the ACK that completes.
    TcpSetup = 0,
    /// TLS handshake and change-cipher-spec records with their carriers.
    TlsSetup = 1,
    /// Segments without payload that acknowledge, window updates.
    Acknowledgements = 2,
    /// Bytes sent again, and whole segments that brought nothing new.
    Retransmissions = 3,
    /// TCP keep-alives, zero-window probes and their answers.
    KeepAlive = 4,
    /// FIN, RST, TLS alerts.
    Teardown = 5,
    /// Bytes no parser could own: opaque protocols, damage, what stayed unread.
    Unattributed = 6,
}

impl Bucket {
    /// All buckets in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::TcpSetup,
        Self::TlsSetup,
        Self::Acknowledgements,
        Self::Retransmissions,
        Self::KeepAlive,
        Self::Teardown,
        Self::Unattributed,
    ];

    /// The name in rows and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TcpSetup => "tcp_setup",
            Self::TlsSetup => "tls_setup",
            Self::Acknowledgements => "acknowledgements",
            Self::Retransmissions => "retransmissions",
            Self::KeepAlive => "keep_alive",
            Self::Teardown => "teardown",
            Self::Unattributed => "unattributed",
        }
    }
}

/// Octets on the wire that no message owns, by application at the time, bucket and direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buckets([[[u64; 2]; 7]; 3]);

impl Buckets {
    /// Books octets.
    #[inline]
    pub fn add(&mut self, application: Application, bucket: Bucket, direction: Direction, bytes: u64) {
        self.0[application as usize][bucket as usize][direction as usize] += bytes;
    }

    /// Octets of one cell.
    pub fn get(&self, application: Application, bucket: Bucket, direction: Direction) -> u64 {
        self.0[application as usize][bucket as usize][direction as usize]
    }

    /// Octets of a bucket in one direction, over all applications.
    pub fn in_direction(&self, bucket: Bucket, direction: Direction) -> u64 {
        Application::ALL.iter().map(|&application| self.get(application, bucket, direction)).sum()
    }

    /// Octets of a bucket.
    pub fn of_bucket(&self, bucket: Bucket) -> u64 {
        Direction::BOTH.iter().map(|&direction| self.in_direction(bucket, direction)).sum()
    }

    /// The same octets with the two directions exchanged.
    pub(crate) fn with_swapped_directions(mut self) -> Self {
        self.0.iter_mut().flatten().for_each(|directions| directions.swap(0, 1));
        self
    }

    /// Octets of all buckets.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().flatten().sum()
    }
}

impl std::ops::AddAssign for Buckets {
    fn add_assign(&mut self, other: Self) {
        for (sum, part) in self.0.iter_mut().flatten().flatten().zip(other.0.iter().flatten().flatten()) {
            *sum += part;
        }
    }
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
