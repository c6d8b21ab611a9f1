//! What envelopes cost, by protocol, and how long answers took.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::histogram::Distribution;
use super::sighting::FirstFrames;
use crate::message::{Answered, Content, Cost, EnvelopeProtocol};

/// Sums over the messages of one envelope protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnvelopeTotals {
    /// Messages, or contents of polls.
    pub messages: u64,
    /// Packets in them.
    pub packets: u64,
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// Decoded content of those whose envelope is known to its last octet.
    pub content_bytes: u64,
    /// Of these, octets that are the envelope's own.
    pub envelope_bytes: u64,
    /// Messages whose envelope is not known to its last octet.
    pub unknown_envelope_messages: u64,
    /// Where messages begin.
    pub frames: FirstFrames,
}

impl AddAssign for EnvelopeTotals {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.packets += other.packets;
        self.wire_bytes += other.wire_bytes;
        self.content_bytes += other.content_bytes;
        self.envelope_bytes += other.envelope_bytes;
        self.unknown_envelope_messages += other.unknown_envelope_messages;
        self.frames += other.frames;
    }
}

/// The envelopes of a side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelopes {
    /// Sums by protocol.
    pub protocols: BTreeMap<EnvelopeProtocol, EnvelopeTotals>,
    /// From an ask's first octet to its answer's last, in nanoseconds.
    pub answer_ns: Distribution,
    /// From a ping's first octet to its pong's last, in nanoseconds; heartbeats of envelopes too.
    pub ping_ns: Distribution,
}

impl Envelopes {
    /// Adds a message, or the content of a poll.
    #[inline]
    pub(super) fn add(&mut self, content: &Content, cost: &Cost) {
        let Some(envelope) = &content.envelope else { return };
        let totals = self.protocols.entry(envelope.protocol).or_default();
        totals.messages += 1;
        totals.packets += envelope.count;
        totals.frames.add(cost.provenance.first.number);
        totals.wire_bytes += cost.wire_bytes();
        match (envelope.bytes, content.bytes) {
            (Some(own), Some(content)) => {
                totals.envelope_bytes += own;
                totals.content_bytes += content;
            }
            _ => totals.unknown_envelope_messages += 1,
        }
    }

    /// Adds the time that an answer took.
    #[inline]
    pub(super) fn add_answered(&mut self, answered: Option<Answered>) {
        match answered {
            None => {}
            Some(Answered::Ask(time)) => self.answer_ns.add(time),
            Some(Answered::Ping(time)) => self.ping_ns.add(time),
        }
    }
}

impl AddAssign<&Self> for Envelopes {
    fn add_assign(&mut self, other: &Self) {
        for (&protocol, &totals) in &other.protocols {
            *self.protocols.entry(protocol).or_default() += totals;
        }
        self.answer_ns += &other.answer_ns;
        self.ping_ns += &other.ping_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::cost;
    use crate::message::Envelope;

    #[test]
    fn envelopes_are_summed_where_they_are_known() {
        let envelope = |bytes| Envelope {
            protocol: EnvelopeProtocol::SocketIo,
            kind: "event",
            name: None,
            namespace: None,
            id: None,
            bytes,
            count: 1,
        };
        let content = |bytes| Content { bytes: Some(40), envelope: Some(Box::new(envelope(bytes))), ..Content::default() };
        let mut envelopes = Envelopes::default();
        envelopes.add(&Content::default(), &cost(1, 32, 6, 40, Some(40)));
        // 14 + 20 + 32 + 6 + 40 = 112
        envelopes.add(&content(Some(12)), &cost(1, 32, 6, 40, Some(40)));
        envelopes.add(&content(None), &cost(2, 32, 6, 40, Some(40)));
        envelopes.add_answered(Some(Answered::Ping(7)));
        let mut twice = envelopes.clone();
        twice += &envelopes;
        let expected = EnvelopeTotals {
            messages: 4,
            packets: 4,
            wire_bytes: 448,
            content_bytes: 80,
            envelope_bytes: 24,
            unknown_envelope_messages: 2,
            frames: twice.protocols[&EnvelopeProtocol::SocketIo].frames,
        };
        assert_eq!(expected.frames.iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(twice.protocols, BTreeMap::from([(EnvelopeProtocol::SocketIo, expected)]));
        assert_eq!(twice.ping_ns.quantiles().map(|quantiles| (quantiles.count, quantiles.max)), Some((2, 7)));
    }
}
