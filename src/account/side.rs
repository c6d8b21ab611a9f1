//! What one side paid: sums by direction, distributions, and what findings and the counterfactual rest on.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::connection_use::ConnectionUse;
use super::envelopes::Envelopes;
use super::events::EventTotals;
use super::exchanges::ExchangeTotals;
use super::fields::Fields;
use super::histogram::Distribution;
use super::money::Money;
use super::reframing::{AsAjax, AsWebSocket};
use super::segments::SegmentHeaders;
use super::sighting::{FirstFrames, Sighting};
use crate::message::{Bucket, Cost, Direction, FieldName, Head, RefusalReason};

/// Efficiency is kept in a histogram of integers: billionths.
pub(crate) const EFFICIENCY_SCALE: f64 = 1e9;

/// How single messages are distributed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distributions {
    /// Octets on the wire.
    pub wire_bytes: Distribution,
    /// Octets on the wire that are not encoded content.
    pub overhead_bytes: Distribution,
    /// Decoded content where known, in octets.
    pub content_bytes: Distribution,
    /// Content ÷ wire in billionths, where content is known and nothing was lost.
    pub efficiency: Distribution,
}

impl Distributions {
    /// Adds one message.
    #[inline]
    pub fn add(&mut self, cost: &Cost) {
        let wire = cost.wire_bytes();
        self.wire_bytes.add(wire);
        self.overhead_bytes.add(wire.saturating_sub(cost.encoded_bytes));
        if let Some(content) = cost.content_bytes {
            self.content_bytes.add(content);
        }
        if let Some(content) = cost.captured_content_bytes().filter(|_| wire > 0) {
            // Rounded by the cast; `round` would be a call of a library.
            self.efficiency.add((content as f64 * EFFICIENCY_SCALE / wire as f64 + 0.5) as u64);
        }
    }
}

impl AddAssign<&Self> for Distributions {
    fn add_assign(&mut self, other: &Self) {
        self.wire_bytes += &other.wire_bytes;
        self.overhead_bytes += &other.overhead_bytes;
        self.content_bytes += &other.content_bytes;
        self.efficiency += &other.efficiency;
    }
}

/// Compression, over messages whose content is known, and of which nothing was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    /// Those that have content.
    pub content_bearing: u64,
    /// Decoded content in octets.
    pub content_bytes: u64,
    /// The same as sent.
    pub encoded_bytes: u64,
    /// Messages sent under a content coding or permessage-deflate, whether their content is known or not.
    pub compressed_messages: u64,
    /// Of these, messages over which it is.
    pub known_compressed_messages: u64,
    /// Of these, messages that grew by it; octets they grew by, and first frames.
    pub grown: Sighting,
    /// Where messages begin that were not compressed.
    pub uncompressed: FirstFrames,
}

impl Compression {
    /// Adds one message.
    #[inline]
    pub fn add(&mut self, cost: &Cost, compressed: bool) {
        // The answer to HEAD and such names a coding of what it does not carry.
        let compressed = compressed && cost.encoded_bytes + cost.lost_bytes > 0;
        self.compressed_messages += u64::from(compressed);
        if !compressed {
            self.uncompressed.add(cost.provenance.first.number);
        }
        let Some(content) = cost.captured_content_bytes() else { return };
        self.content_bearing += u64::from(content > 0);
        self.content_bytes += content;
        self.encoded_bytes += cost.encoded_bytes;
        self.known_compressed_messages += u64::from(compressed);
        if compressed && cost.encoded_bytes > content {
            self.grown.add(cost.encoded_bytes - content, cost.provenance.first.number);
        }
    }
}

impl AddAssign for Compression {
    fn add_assign(&mut self, other: Self) {
        self.content_bearing += other.content_bearing;
        self.content_bytes += other.content_bytes;
        self.encoded_bytes += other.encoded_bytes;
        self.compressed_messages += other.compressed_messages;
        self.known_compressed_messages += other.known_compressed_messages;
        self.grown += other.grown;
        self.uncompressed += other.uncompressed;
    }
}

/// One direction of a side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectionTotals {
    /// Requests, responses or WebSocket messages.
    pub messages: Money,
    /// Those with content.
    pub content_bearing: u64,
    /// Opening handshakes.
    pub upgrade: Money,
    /// Ping, Pong and reserved control frames.
    pub liveness: Money,
    /// Where these begin.
    pub liveness_frames: FirstFrames,
    /// Close frames.
    pub close: Money,
    /// Connection buckets charged to the side, in the order of [`Bucket::ALL`], in octets on the wire.
    pub buckets: [u64; 7],
    /// Compression of the messages.
    pub compression: Compression,
    /// How the messages are distributed.
    pub per_message: Distributions,
    /// Headers of the segments that carried messages and control frames.
    pub segment_headers: SegmentHeaders,
    /// Header sections of HTTP messages.
    pub header_sections: HeaderSections,
}

/// How long header sections are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderSections {
    count: u64,
    bytes: u64,
}

impl HeaderSections {
    /// Adds that of a message, with its start line and informational responses before it.
    pub(super) fn add(&mut self, head: &Head, cost: &Cost) {
        self.count += 1;
        // Of chunks there is other framing, too.
        self.bytes += if head.has(FieldName::TransferEncoding) { head.raw().len() as u64 } else { cost.framing_bytes };
    }

    /// Their mean in octets; `None` without one.
    pub fn mean(&self) -> Option<u64> {
        self.bytes.checked_div(self.count)
    }
}

impl AddAssign for HeaderSections {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
    }
}

impl DirectionTotals {
    /// Adds one request, response or WebSocket message.
    #[inline]
    pub fn add_message(&mut self, cost: &Cost, compressed: bool) {
        self.messages.add(cost);
        self.content_bearing += u64::from(bears_content(cost));
        self.compression.add(cost, compressed);
        self.per_message.add(cost);
    }

    /// Octets of a bucket charged to the side.
    pub fn bucket(&self, bucket: Bucket) -> u64 {
        self.buckets[bucket as usize]
    }

    /// Octets on the wire of every row of the side: messages, handshakes and control frames.
    pub fn rows_wire_bytes(&self) -> u64 {
        [&self.messages, &self.upgrade, &self.liveness, &self.close].into_iter().map(Money::wire_bytes).sum()
    }

    /// Every octet on the wire charged to the side.
    pub fn all_in_wire_bytes(&self) -> u64 {
        self.rows_wire_bytes() + self.buckets.iter().sum::<u64>()
    }
}

/// Whether a message brought content; what was encoded but could not be decoded did.
pub(super) fn bears_content(cost: &Cost) -> bool {
    cost.content_bytes.map_or(cost.encoded_bytes > 0, |content| content > 0)
}

impl AddAssign<&Self> for DirectionTotals {
    fn add_assign(&mut self, other: &Self) {
        self.messages += other.messages;
        self.content_bearing += other.content_bearing;
        self.upgrade += other.upgrade;
        self.liveness += other.liveness;
        self.liveness_frames += other.liveness_frames;
        self.close += other.close;
        for (sum, part) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += part;
        }
        self.compression += other.compression;
        self.per_message += &other.per_message;
        self.segment_headers += &other.segment_headers;
        self.header_sections += other.header_sections;
    }
}

/// One side of the comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SideTotals {
    /// Connections with at least one row of the side.
    pub connections: u64,
    /// Both directions, in the order of [`Direction::BOTH`].
    pub directions: [DirectionTotals; 2],
    /// What only exchanges have.
    pub exchanges: ExchangeTotals,
    /// Content-bearing WebSocket messages, or exchanges that brought content either way.
    pub deliveries: u64,
    /// Opening handshakes that succeeded.
    pub upgrades: u64,
    /// Opening handshakes that were refused, by reason.
    pub refused_upgrades: BTreeMap<RefusalReason, u64>,
    /// Its exchanges as WebSocket messages.
    pub as_websocket: AsWebSocket,
    /// Its messages as exchanges.
    pub as_ajax: AsAjax,
    /// What is inside its messages.
    pub envelopes: Envelopes,
    /// Server-sent events in its responses.
    pub events: EventTotals,
    /// Header fields of its requests and responses, in the order of [`Direction::BOTH`]; of WebSocket those of opening handshakes.
    pub fields: [Fields; 2],
    /// How its exchanges used connections.
    pub connection_use: ConnectionUse,
}

impl SideTotals {
    /// One direction.
    pub fn direction(&self, direction: Direction) -> &DirectionTotals {
        &self.directions[direction as usize]
    }

    /// A figure summed over both directions.
    pub fn sum(&self, figure: impl Fn(&DirectionTotals) -> u64) -> u64 {
        self.directions.iter().map(figure).sum()
    }

    /// Money of one kind in both directions.
    pub fn money(&self, kind: impl Fn(&DirectionTotals) -> Money) -> Money {
        let mut sum = Money::default();
        self.directions.iter().for_each(|direction| sum += kind(direction));
        sum
    }

    /// Octets of a bucket charged to the side.
    pub fn bucket(&self, bucket: Bucket) -> u64 {
        self.sum(|direction| direction.bucket(bucket))
    }

    /// Every octet on the wire charged to the side.
    pub fn all_in_wire_bytes(&self) -> u64 {
        self.sum(DirectionTotals::all_in_wire_bytes)
    }

    /// Deliveries whose cost is known: none where of no exchange both messages were captured.
    pub fn measured_deliveries(&self) -> u64 {
        if self.exchanges.count > 0 && self.exchanges.whole_count() == 0 { 0 } else { self.deliveries }
    }

    /// Distributions over both directions.
    pub fn per_message(&self) -> Distributions {
        let mut both = self.directions[0].per_message.clone();
        both += &self.directions[1].per_message;
        both
    }

    /// Compression over both directions.
    pub fn compression(&self) -> Compression {
        let mut both = self.directions[0].compression;
        both += self.directions[1].compression;
        both
    }

    /// Whether nothing at all is charged to the side.
    pub fn is_empty(&self) -> bool {
        self.all_in_wire_bytes() == 0
    }
}

impl AddAssign<&Self> for SideTotals {
    fn add_assign(&mut self, other: &Self) {
        self.connections += other.connections;
        for (sum, part) in self.directions.iter_mut().zip(&other.directions) {
            *sum += part;
        }
        self.exchanges += &other.exchanges;
        self.deliveries += other.deliveries;
        self.upgrades += other.upgrades;
        for (&reason, count) in &other.refused_upgrades {
            *self.refused_upgrades.entry(reason).or_default() += count;
        }
        self.as_websocket += other.as_websocket;
        self.as_ajax += other.as_ajax;
        self.envelopes += &other.envelopes;
        self.events += &other.events;
        for (sum, part) in self.fields.iter_mut().zip(&other.fields) {
            *sum += part;
        }
        self.connection_use += &other.connection_use;
    }
}
