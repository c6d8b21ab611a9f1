//! What a side's connections, header fields and contents tell beside its sums.

use serde::Serialize;

use super::{Spread, fractions, octets};
use crate::account::{ConnectionUse, DirectionTotals, EnvelopeTotals, Envelopes, EventTotals, FieldTotals, Fields, SubprotocolTotals};
use crate::analysis::{ratio, six_digits};

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

impl SubprotocolReport {
    pub(super) fn new((name, totals): (&String, &SubprotocolTotals)) -> Self {
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

impl SetUpReport {
    pub(super) fn new(used: &ConnectionUse) -> Self {
        Self { initial_rtt_s: fractions(&used.initial_rtt_ns, 1e9), opening_handshake_s: fractions(&used.opening_handshake_ns, 1e9) }
    }
}

impl HeaderFields {
    /// Of WebSocket, messages and octets are those of opening handshakes.
    pub(super) fn new([requests, responses]: &[Fields; 2], [upwards, downwards]: &[DirectionTotals; 2]) -> Self {
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
    pub(super) fn new(used: &ConnectionUse) -> Self {
        Self {
            exchanges_per_connection: octets(&used.exchanges),
            single_exchange_connections: used.single.count,
            single_exchange_setup_bytes: used.single.bytes,
            time_to_first_request_s: fractions(&used.time_to_first_request_ns, 1e9),
        }
    }
}

impl EventsReport {
    pub(super) fn new(totals: &EventTotals) -> Option<Self> {
        let EventTotals { streams, events, event_bytes, data_bytes, comments, comment_bytes, wire_bytes, interval_ns, comment_frames: _ } =
            totals;
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
    pub(super) fn new(totals: &EnvelopeTotals) -> Self {
        let EnvelopeTotals { messages, packets, wire_bytes, content_bytes, envelope_bytes, unknown_envelope_messages, frames: _ } = *totals;
        let envelope_share = ratio(envelope_bytes, content_bytes);
        Self { messages, packets, wire_bytes, content_bytes, envelope_bytes, envelope_share, unknown_envelope_messages }
    }
}

impl Latency {
    pub(super) fn new(envelopes: &Envelopes) -> Self {
        Self { answer_s: fractions(&envelopes.answer_ns, 1e9), ping_s: fractions(&envelopes.ping_ns, 1e9) }
    }
}
