//! Sums, means and distributions of messages.

use serde::Serialize;

use crate::account::{Compression, DirectionTotals, Distribution, Distributions, EFFICIENCY_SCALE, Money, SideTotals};
use crate::analysis::{ratio, six_digits};
use crate::message::Bucket;

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
    /// content ÷ wire, over the messages whose content is known, and of which nothing was lost.
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

/// Compression, over messages whose content is known, and of which nothing was lost.
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
    /// Of these, messages over which it is.
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
    /// Standard deviation (population).
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
    /// content ÷ wire, where content is known and nothing was lost.
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

impl LayerMeans {
    pub(super) fn new(money: &Money, count: u64) -> Option<Self> {
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

impl Figures {
    /// Figures of totals; with the times of the side's exchanges where they belong.
    pub(super) fn new(totals: &DirectionTotals, times: Option<&SideTotals>) -> Self {
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
    pub(super) fn new(totals: &Compression) -> Self {
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
    pub(super) fn new(totals: &DirectionTotals, times: Option<&SideTotals>) -> Self {
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

pub(super) fn octets(distribution: &Distribution) -> Option<Spread<u64>> {
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

pub(in crate::report) fn fractions(distribution: &Distribution, scale: f64) -> Option<Spread<f64>> {
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
