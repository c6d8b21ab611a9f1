//! One side of the report: its sums, by direction, and how its messages are distributed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::{
    Compression, ConnectionUse, DirectionTotals, Distribution, Distributions, EFFICIENCY_SCALE, EnvelopeTotals, Envelopes, EventTotals,
    FieldTotals, Fields, Money, SideTotals, SubprotocolTotals, Summary,
};
use crate::analysis::{ratio, six_digits};
use crate::message::{Bucket, Side};

/// One side of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct SideReport {
    /// Connections with at least one row of the side.
    pub connections: u64,
    /// Exchanges; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchanges: Option<u64>,
    /// Content-bearing WebSocket messages, or exchanges that brought content either way.
    pub deliveries: u64,
    /// Octets on the wire, all in, for each delivery.
    pub all_in_wire_bytes_per_delivery: Option<f64>,
    /// What is charged to the side ÷ the capture's octets on the wire.
    pub share_of_capture: Option<f64>,
    /// Both directions together.
    #[serde(flatten)]
    pub figures: Figures,
    /// Parts of `all_in_wire_bytes`, each ÷ all of it.
    pub shares_of_all_in: Shares,
    /// The same by direction.
    pub by_direction: ByDirection,
    /// Distributions of request and response together; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_exchange: Option<PerExchange>,
    /// Exchanges by final status code; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statuses: Option<BTreeMap<u16, u64>>,
    /// Opening handshakes that succeeded; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrades: Option<u64>,
    /// Opening handshakes that were refused, by reason, which are exchanges of another side; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_handshakes: Option<BTreeMap<&'static str, u64>>,
    /// Messages and control frames by opcode; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opcodes: Option<Vec<OpcodeCount>>,
    /// Connections by subprotocol, the first 64 in alphabetical order; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocols: Option<BTreeMap<String, u64>>,
    /// What connections paid for messages and control frames, by subprotocol; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_subprotocol: Option<Vec<SubprotocolReport>>,
    /// What header fields cost, by name; of WebSocket those of opening handshakes.
    pub header_fields: HeaderFields,
    /// How long it took to set connections up.
    pub set_up: SetUpReport,
    /// How exchanges used connections; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_use: Option<ConnectionUseReport>,
    /// Server-sent events in its responses; only of that side, `None` without a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventsReport>,
    /// What is inside its messages, by protocol.
    #[cfg_attr(feature = "cli", schemars(extend("propertyNames" = {"enum": crate::message::EnvelopeProtocol::ALL.map(crate::message::EnvelopeProtocol::name)})))]
    pub envelopes: BTreeMap<&'static str, EnvelopeReport>,
    /// How long answers took; `None` for HTTP, whose times stand in `per_message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Parts of what a side paid, each ÷ everything it paid; `None` where it paid nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Shares {
    /// Its messages.
    pub messages: Option<f64>,
    /// TCP and TLS set-up.
    pub setup: Option<f64>,
    /// WebSocket opening handshakes.
    pub upgrade: Option<f64>,
    /// Segments that only acknowledge.
    pub acknowledgements: Option<f64>,
    /// What was sent again.
    pub retransmissions: Option<f64>,
    /// TCP keep-alives and window probes.
    pub keep_alive: Option<f64>,
    /// Ping and Pong.
    pub liveness: Option<f64>,
    /// Close frames, FIN, RST, TLS alerts.
    pub teardown: Option<f64>,
    /// Octets that no parser could own.
    pub unattributed: Option<f64>,
}

/// How long it took to set up the connections of a side, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct SetUpReport {
    /// From the SYN to the ACK that completes TCP's handshake (`tcp.analysis.initial_rtt`).
    pub initial_rtt_s: Option<Spread<f64>>,
    /// From the first octet of a WebSocket opening handshake to its last.
    pub opening_handshake_s: Option<Spread<f64>>,
}

/// The messages of a subprotocol.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct SubprotocolReport {
    /// As the server chose it; `None` for connections without one.
    pub subprotocol: Option<String>,
    /// Connections.
    pub connections: u64,
    /// Messages, control frames left out.
    pub messages: u64,
    /// Octets on the wire of messages and control frames.
    pub wire_bytes: u64,
    /// Of these, what is not content as sent.
    pub overhead_bytes: u64,
    /// Decoded content where known.
    pub content_bytes: u64,
    /// Octets on the wire of a message, control frames left out.
    pub wire_bytes_per_message: Option<f64>,
    /// Its standard deviation.
    pub wire_bytes_stddev: Option<f64>,
}

/// What header fields cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct HeaderFields {
    /// Of requests, those with the most octets first.
    pub requests: Vec<FieldReport>,
    /// Of responses.
    pub responses: Vec<FieldReport>,
}

/// The field lines of a name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct FieldReport {
    /// In lower case; `None` for all that are not listed.
    pub name: Option<String>,
    /// Field lines.
    pub lines: u64,
    /// Their octets, line ends included.
    pub bytes: u64,
    /// The same for each request or response of the side.
    pub bytes_per_message: Option<f64>,
    /// The same ÷ octets on the wire of the side's requests or responses.
    pub share_of_wire: Option<f64>,
}

/// Field names listed of each direction.
const FIELDS: usize = 30;

/// How exchanges used connections.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ConnectionUseReport {
    /// Exchanges on each connection with at least one of the side.
    pub exchanges_per_connection: Option<Spread<u64>>,
    /// Connections with a single exchange.
    pub single_exchange_connections: u64,
    /// Octets of their set-up and teardown.
    pub single_exchange_setup_bytes: u64,
    /// From the SYN to the first request, in seconds.
    pub time_to_first_request_s: Option<Spread<f64>>,
}

/// Server-sent events (WHATWG HTML section 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EventsReport {
    /// Responses of type `text/event-stream`.
    pub streams: u64,
    /// Events in them.
    pub events: u64,
    /// Octets of the events, line ends included.
    pub event_bytes: u64,
    /// Of these, what scripts get.
    pub data_bytes: u64,
    /// Comment lines, mostly heartbeats.
    pub comments: u64,
    /// Their octets.
    pub comment_bytes: u64,
    /// Octets on the wire of the responses for each event.
    pub wire_bytes_per_event: Option<f64>,
    /// Mean time from one event to the next, in seconds: how the streams are distributed.
    pub interval_s: Option<Spread<f64>>,
}

/// Sums over the messages of one envelope protocol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EnvelopeReport {
    /// Messages, or contents of polls.
    pub messages: u64,
    /// Packets in them.
    pub packets: u64,
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// Decoded content in octets of those whose envelope is known to its last octet.
    pub content_bytes: u64,
    /// Of these, octets that are the envelope's own.
    pub envelope_bytes: u64,
    /// envelope ÷ content.
    pub envelope_share: Option<f64>,
    /// Messages whose envelope is not known to its last octet.
    pub unknown_envelope_messages: u64,
}

/// Distributions of how long answers took, in seconds; `None` without a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Latency {
    /// From an ask's first octet to its answer's last, by the ids of envelopes.
    pub answer_s: Option<Spread<f64>>,
    /// From a ping to its pong: control frames, and heartbeats of envelopes.
    pub ping_s: Option<Spread<f64>>,
}

/// The two directions of a side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ByDirection {
    /// Requests, or messages of clients.
    pub client_to_server: Figures,
    /// Responses, or messages of servers.
    pub server_to_client: Figures,
}

/// Sums over messages and what was paid beside them; octets.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Figures {
    /// WebSocket messages, or requests and responses.
    pub messages: u64,
    /// Those whose content is not known: they are in no figure of content.
    pub unknown_content_messages: u64,
    /// Decoded content; `None` when it is known of no message.
    pub content_bytes: Option<u64>,
    /// Content as sent.
    pub encoded_bytes: u64,
    /// Framing of the protocol itself.
    pub framing_bytes: u64,
    /// TLS records around it.
    pub tls_bytes: u64,
    /// TCP headers.
    pub tcp_bytes: u64,
    /// IP headers.
    pub ip_bytes: u64,
    /// Link layer and tunnels.
    pub link_bytes: u64,
    /// All of these but `content_bytes`.
    pub wire_bytes: u64,
    /// wire − encoded.
    pub overhead_bytes: u64,
    /// overhead ÷ wire.
    pub overhead_share: Option<f64>,
    /// content ÷ wire, over the messages whose content is known.
    pub efficiency: Option<f64>,
    /// Sent but not captured; in no other figure.
    pub lost_bytes: u64,
    /// Every octet charged to the side: `wire_bytes` and all that follow down to `unattributed`.
    pub all_in_wire_bytes: u64,
    /// TCP and TLS set-up.
    pub setup: u64,
    /// WebSocket opening handshakes.
    pub upgrade: u64,
    /// Segments that only acknowledge.
    pub acknowledgements: u64,
    /// What was sent again.
    pub retransmissions: u64,
    /// TCP keep-alives and window probes.
    pub keep_alive: u64,
    /// Ping and Pong.
    pub liveness: u64,
    /// Close frames, FIN, RST, TLS alerts.
    pub teardown: u64,
    /// Octets that no parser could own.
    pub unattributed: u64,
    /// Content against what was sent of it.
    pub compression: CompressionReport,
    /// Distributions of single messages.
    pub per_message: PerMessage,
}

/// Means of one message, or exchange, by layer; octets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct LayerMeans {
    /// Link layer and tunnels.
    pub link_bytes: f64,
    /// IP headers.
    pub ip_bytes: f64,
    /// TCP headers.
    pub tcp_bytes: f64,
    /// TLS records around it.
    pub tls_bytes: f64,
    /// Framing of the protocol itself.
    pub framing_bytes: f64,
    /// Content as sent.
    pub encoded_bytes: f64,
    /// All of these.
    pub wire_bytes: f64,
    /// wire − encoded.
    pub overhead_bytes: f64,
    /// wire − link: the basis `ip`.
    pub from_ip_wire_bytes: f64,
    /// overhead − link.
    pub from_ip_overhead_bytes: f64,
    /// framing + encoded: what the applications sent.
    pub application_bytes: f64,
}

/// Compression, over messages whose content is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CompressionReport {
    /// Decoded content in octets.
    pub content_bytes: u64,
    /// The same as sent.
    pub encoded_bytes: u64,
    /// content ÷ encoded: above 1 when compression pays.
    pub ratio: Option<f64>,
    /// Messages sent under a content coding or permessage-deflate, whether their content is known or not.
    pub compressed_messages: u64,
    /// Of these, messages whose content is known.
    pub known_compressed_messages: u64,
    /// Of these, messages that grew by it.
    pub grown_messages: u64,
}

/// A distribution: integers for octets, fractions for ratios and seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "Spread_{T}"))]
pub struct Spread<T> {
    /// Values.
    pub count: u64,
    /// Exact mean.
    pub mean: Option<f64>,
    /// Standard deviation, to three significant digits at least.
    pub stddev: Option<f64>,
    /// Exact minimum.
    pub min: T,
    /// Quantiles by nearest rank, to three significant digits.
    pub p50: T,
    /// 90 % are not larger.
    pub p90: T,
    /// 95 % are not larger.
    pub p95: T,
    /// 99 % are not larger.
    pub p99: T,
    /// Exact maximum.
    pub max: T,
}

/// Distributions of single messages; `None` without a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PerMessage {
    /// Means by layer; `None` without a message.
    pub means: Option<LayerMeans>,
    /// Octets on the wire.
    pub wire_bytes: Option<Spread<u64>>,
    /// Octets on the wire that are not encoded content.
    pub overhead_bytes: Option<Spread<u64>>,
    /// Decoded content, where known.
    pub content_bytes: Option<Spread<u64>>,
    /// content ÷ wire, where known.
    pub efficiency: Option<Spread<f64>>,
    /// From a request's first octet to its response's first, in seconds; of a side and of its responses alone.
    pub time_to_first_byte_s: Option<Spread<f64>>,
    /// From a request's first octet to its response's last, in seconds.
    pub time_to_last_byte_s: Option<Spread<f64>>,
}

/// Distributions of exchanges; `None` without a value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PerExchange {
    /// Means of request and response together by layer; `None` without an exchange.
    pub means: Option<LayerMeans>,
    /// Octets on the wire of request and response.
    pub wire_bytes: Option<Spread<u64>>,
    /// The part of it that is not encoded content.
    pub overhead_bytes: Option<Spread<u64>>,
    /// Decoded content of both, where known.
    pub content_bytes: Option<Spread<u64>>,
}

/// How often an opcode was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct OpcodeCount {
    /// Its name.
    #[cfg_attr(feature = "cli", schemars(with = "super::schema::names::OpcodeName"))]
    pub opcode: &'static str,
    /// From clients.
    pub client_to_server: u64,
    /// From servers.
    pub server_to_client: u64,
}

impl SideReport {
    /// A side of a summary.
    pub fn new(summary: &Summary, side: Side, capture_wire_bytes: u64) -> Self {
        let totals = summary.side(side);
        let websocket = side == Side::WebSocket;
        let exchanges = &totals.exchanges;
        let [upwards, downwards] = &totals.directions;
        let mut both = upwards.clone();
        both += downwards;
        let mut figures = Figures::new(&both, Some(totals));
        if totals.directions.iter().any(|direction| direction.messages.known_content_bytes().is_none()) {
            // Of one direction alone it would be another figure.
            figures.efficiency = None;
        }
        let per_exchange = PerExchange {
            means: LayerMeans::new(&both.messages, exchanges.count),
            wire_bytes: octets(&exchanges.wire_bytes),
            overhead_bytes: octets(&exchanges.overhead_bytes),
            content_bytes: octets(&exchanges.content_bytes),
        };
        let opcode = |(opcode, client_to_server, server_to_client)| OpcodeCount { opcode, client_to_server, server_to_client };
        Self {
            connections: totals.connections,
            exchanges: (!websocket).then_some(exchanges.count),
            deliveries: totals.deliveries,
            all_in_wire_bytes_per_delivery: ratio(figures.all_in_wire_bytes, totals.deliveries),
            share_of_capture: ratio(figures.all_in_wire_bytes, capture_wire_bytes),
            shares_of_all_in: Shares::new(&figures),
            figures,
            by_direction: ByDirection {
                client_to_server: Figures::new(upwards, None),
                server_to_client: Figures::new(downwards, Some(totals)),
            },
            per_exchange: (!websocket).then_some(per_exchange),
            statuses: (!websocket).then(|| exchanges.statuses.clone()),
            upgrades: websocket.then_some(totals.upgrades),
            refused_handshakes: websocket.then(|| totals.refused_upgrades.iter().map(|(reason, &count)| (reason.name(), count)).collect()),
            opcodes: websocket.then(|| summary.opcodes().map(opcode).collect()),
            subprotocols: websocket.then(|| summary.subprotocols().clone()),
            by_subprotocol: websocket.then(|| summary.by_subprotocol().iter().map(SubprotocolReport::new).collect()),
            header_fields: HeaderFields::new(&totals.fields, &totals.directions),
            set_up: SetUpReport::new(&totals.connection_use),
            connection_use: (!websocket).then(|| ConnectionUseReport::new(&totals.connection_use)),
            events: EventsReport::new(&totals.events),
            envelopes: totals.envelopes.protocols.iter().map(|(protocol, totals)| (protocol.name(), EnvelopeReport::new(totals))).collect(),
            latency: websocket.then(|| Latency::new(&totals.envelopes)),
        }
    }
}

impl SubprotocolReport {
    fn new((name, totals): (&String, &SubprotocolTotals)) -> Self {
        let figures = &totals.figures;
        Self {
            subprotocol: (!name.is_empty()).then(|| name.clone()),
            connections: totals.connections,
            messages: figures.messages,
            wire_bytes: figures.wire_bytes,
            overhead_bytes: figures.overhead_bytes,
            content_bytes: figures.content_bytes,
            wire_bytes_per_message: ratio(figures.messages_wire_bytes, figures.messages),
            wire_bytes_stddev: figures.wire_bytes_stddev().and_then(six_digits),
        }
    }
}

impl Shares {
    fn new(figures: &Figures) -> Self {
        let of_all = |part: u64| ratio(part, figures.all_in_wire_bytes);
        Self {
            messages: of_all(figures.wire_bytes),
            setup: of_all(figures.setup),
            upgrade: of_all(figures.upgrade),
            acknowledgements: of_all(figures.acknowledgements),
            retransmissions: of_all(figures.retransmissions),
            keep_alive: of_all(figures.keep_alive),
            liveness: of_all(figures.liveness),
            teardown: of_all(figures.teardown),
            unattributed: of_all(figures.unattributed),
        }
    }
}

impl SetUpReport {
    fn new(used: &ConnectionUse) -> Self {
        Self { initial_rtt_s: fractions(&used.initial_rtt_ns, 1e9), opening_handshake_s: fractions(&used.opening_handshake_ns, 1e9) }
    }
}

impl LayerMeans {
    fn new(money: &Money, count: u64) -> Option<Self> {
        let each = |bytes: u64| ratio(bytes, count).unwrap_or_default();
        let Money { encoded_bytes, framing_bytes, bytes, .. } = *money;
        (count > 0).then(|| Self {
            link_bytes: each(bytes.link),
            ip_bytes: each(bytes.ip),
            tcp_bytes: each(bytes.tcp),
            tls_bytes: each(bytes.tls),
            framing_bytes: each(framing_bytes),
            encoded_bytes: each(encoded_bytes),
            wire_bytes: each(money.wire_bytes()),
            overhead_bytes: each(money.overhead_bytes()),
            from_ip_wire_bytes: each(money.wire_bytes() - bytes.link),
            from_ip_overhead_bytes: each(money.overhead_bytes() - bytes.link),
            application_bytes: each(framing_bytes + encoded_bytes),
        })
    }
}

impl HeaderFields {
    /// Of WebSocket, messages and octets are those of opening handshakes.
    fn new([requests, responses]: &[Fields; 2], [upwards, downwards]: &[DirectionTotals; 2]) -> Self {
        Self { requests: FieldReport::list(requests, upwards), responses: FieldReport::list(responses, downwards) }
    }
}

impl FieldReport {
    fn list(fields: &Fields, direction: &DirectionTotals) -> Vec<Self> {
        let carriers = if direction.upgrade.messages > 0 { &direction.upgrade } else { &direction.messages };
        let all = fields.by_bytes();
        let (listed, unlisted) = all.split_at(all.len().min(FIELDS));
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let report = |name: Option<String>, totals: FieldTotals| Self {
            name,
            lines: totals.lines,
            bytes: totals.bytes,
            bytes_per_message: ratio(totals.bytes, carriers.messages),
            share_of_wire: ratio(totals.bytes, carriers.wire_bytes()),
        };
        let mut reports: Vec<_> = listed.iter().map(|&(found, totals)| report(Some(name(found)), totals)).collect();
        let mut rest = fields.other();
        unlisted.iter().for_each(|(_, totals)| rest += *totals);
        if rest.lines > 0 {
            reports.push(report(None, rest));
        }
        reports
    }
}

impl ConnectionUseReport {
    fn new(used: &ConnectionUse) -> Self {
        Self {
            exchanges_per_connection: octets(&used.exchanges),
            single_exchange_connections: used.single.count,
            single_exchange_setup_bytes: used.single.bytes,
            time_to_first_request_s: fractions(&used.time_to_first_request_ns, 1e9),
        }
    }
}

impl EventsReport {
    fn new(totals: &EventTotals) -> Option<Self> {
        let EventTotals { streams, events, event_bytes, data_bytes, comments, comment_bytes, wire_bytes, interval_ns } = totals;
        (*streams > 0).then(|| Self {
            streams: *streams,
            events: *events,
            event_bytes: *event_bytes,
            data_bytes: *data_bytes,
            comments: *comments,
            comment_bytes: *comment_bytes,
            wire_bytes_per_event: ratio(*wire_bytes, *events),
            interval_s: fractions(interval_ns, 1e9),
        })
    }
}

impl EnvelopeReport {
    fn new(totals: &EnvelopeTotals) -> Self {
        let EnvelopeTotals { messages, packets, wire_bytes, content_bytes, envelope_bytes, unknown_envelope_messages } = *totals;
        let envelope_share = ratio(envelope_bytes, content_bytes);
        Self { messages, packets, wire_bytes, content_bytes, envelope_bytes, envelope_share, unknown_envelope_messages }
    }
}

impl Latency {
    fn new(envelopes: &Envelopes) -> Self {
        Self { answer_s: fractions(&envelopes.answer_ns, 1e9), ping_s: fractions(&envelopes.ping_ns, 1e9) }
    }
}

impl Figures {
    /// Figures of totals; with the times of the side's exchanges where they belong.
    fn new(totals: &DirectionTotals, times: Option<&SideTotals>) -> Self {
        let Money { messages, unknown_content_messages, encoded_bytes, framing_bytes, lost_bytes, bytes, .. } = totals.messages;
        Self {
            messages,
            unknown_content_messages,
            content_bytes: totals.messages.known_content_bytes(),
            encoded_bytes,
            framing_bytes,
            tls_bytes: bytes.tls,
            tcp_bytes: bytes.tcp,
            ip_bytes: bytes.ip,
            link_bytes: bytes.link,
            wire_bytes: totals.messages.wire_bytes(),
            overhead_bytes: totals.messages.overhead_bytes(),
            overhead_share: ratio(totals.messages.overhead_bytes(), totals.messages.wire_bytes()),
            efficiency: totals.messages.efficiency().and_then(six_digits),
            lost_bytes,
            all_in_wire_bytes: totals.all_in_wire_bytes(),
            setup: totals.bucket(Bucket::TcpSetup) + totals.bucket(Bucket::TlsSetup),
            upgrade: totals.upgrade.wire_bytes(),
            acknowledgements: totals.bucket(Bucket::Acknowledgements),
            retransmissions: totals.bucket(Bucket::Retransmissions),
            keep_alive: totals.bucket(Bucket::KeepAlive),
            liveness: totals.liveness.wire_bytes(),
            teardown: totals.close.wire_bytes() + totals.bucket(Bucket::Teardown),
            unattributed: totals.bucket(Bucket::Unattributed),
            compression: CompressionReport::new(&totals.compression),
            per_message: PerMessage::new(totals, times),
        }
    }
}

impl CompressionReport {
    fn new(totals: &Compression) -> Self {
        Self {
            content_bytes: totals.content_bytes,
            encoded_bytes: totals.encoded_bytes,
            ratio: ratio(totals.content_bytes, totals.encoded_bytes),
            compressed_messages: totals.compressed_messages,
            known_compressed_messages: totals.known_compressed_messages,
            grown_messages: totals.grown.count,
        }
    }
}

impl PerMessage {
    fn new(totals: &DirectionTotals, times: Option<&SideTotals>) -> Self {
        let distributions: &Distributions = &totals.per_message;
        Self {
            means: LayerMeans::new(&totals.messages, totals.messages.messages),
            wire_bytes: octets(&distributions.wire_bytes),
            overhead_bytes: octets(&distributions.overhead_bytes),
            content_bytes: octets(&distributions.content_bytes),
            efficiency: fractions(&distributions.efficiency, EFFICIENCY_SCALE),
            time_to_first_byte_s: times.and_then(|totals| fractions(&totals.exchanges.time_to_first_byte_ns, 1e9)),
            time_to_last_byte_s: times.and_then(|totals| fractions(&totals.exchanges.time_to_last_byte_ns, 1e9)),
        }
    }
}

fn octets(distribution: &Distribution) -> Option<Spread<u64>> {
    let q = distribution.quantiles()?;
    Some(Spread {
        count: q.count,
        mean: six_digits(q.mean),
        stddev: six_digits(q.stddev),
        min: q.min,
        p50: q.p50,
        p90: q.p90,
        p95: q.p95,
        p99: q.p99,
        max: q.max,
    })
}

pub(super) fn fractions(distribution: &Distribution, scale: f64) -> Option<Spread<f64>> {
    let q = distribution.quantiles()?;
    let of = |value: u64| six_digits(value as f64 / scale).unwrap_or_default();
    Some(Spread {
        count: q.count,
        mean: six_digits(q.mean / scale),
        stddev: six_digits(q.stddev / scale),
        min: of(q.min),
        p50: of(q.p50),
        p90: of(q.p90),
        p95: of(q.p95),
        p99: of(q.p99),
        max: of(q.max),
    })
}
