//! What only exchanges have: two messages that cost something together, times, statuses.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::histogram::Distribution;
use super::money::Money;
use super::sighting::{FirstFrames, Sighting};
use crate::message::Exchange;

/// What only exchanges have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExchangeTotals {
    /// Exchanges; upgrades are not among them.
    pub count: u64,
    /// Sums of those whose request and response were both captured: two messages each. The three distributions below are of these, too.
    pub whole: Money,
    /// Octets on the wire of request and response together.
    pub wire_bytes: Distribution,
    /// The part of it that is not encoded content.
    pub overhead_bytes: Distribution,
    /// Decoded content of both, where known.
    pub content_bytes: Distribution,
    /// From the request's first octet to the response's first, in nanoseconds.
    pub time_to_first_byte_ns: Distribution,
    /// From the request's first octet to the response's last, in nanoseconds.
    pub time_to_last_byte_ns: Distribution,
    /// Final status codes.
    pub statuses: BTreeMap<u16, u64>,
    /// GETs [answered without content](Exchange::is_answered_empty) that are not marked as polls, the first two of a series among them: octets
    /// of both messages.
    pub empty_answers: Sighting,
    /// Those that count as Ajax by one weak sign.
    pub weak: u64,
    /// Cookie field lines of requests, in octets.
    pub cookies: Sighting,
    /// Where requests begin.
    pub requests: FirstFrames,
}

impl ExchangeTotals {
    /// Adds an exchange; `whole` is what its messages cost together.
    pub(super) fn add(&mut self, exchange: &Exchange, whole: &Money) {
        let wire = whole.wire_bytes();
        self.count += 1;
        // What was not captured of one cost something, too.
        if exchange.request.is_some() && exchange.response.is_some() {
            self.whole += *whole;
            self.wire_bytes.add(wire);
            self.overhead_bytes.add(whole.overhead_bytes());
            if whole.unknown_content_messages == 0 {
                self.content_bytes.add(whole.content_bytes);
            }
        }
        self.weak += u64::from(exchange.ajax.is_weak());
        self.time_to_first_byte_ns.add_seconds(exchange.time_to_first_byte_s);
        self.time_to_last_byte_ns.add_seconds(exchange.time_to_last_byte_s);
        if let Some(response) = &exchange.response {
            *self.statuses.entry(response.status).or_default() += 1;
        }
        if let Some(request) = &exchange.request {
            let frame = request.cost.provenance.first.number;
            self.requests.add(frame);
            // Those of polls are told by the polls.
            if exchange.polling.is_none() && exchange.is_answered_empty() {
                self.empty_answers.add(wire, frame);
            }
            let cookies: u64 = request.head.fields().filter(|(name, _)| name.eq_ignore_ascii_case(b"cookie")).map(field_line_bytes).sum();
            if cookies > 0 {
                self.cookies.add(cookies, frame);
            }
        }
    }

    /// Exchanges whose request and response were both captured.
    pub fn whole_count(&self) -> u64 {
        self.whole.messages / 2
    }

    /// Exchanges of which a message was not captured.
    pub fn incomplete(&self) -> u64 {
        self.count - self.whole_count()
    }
}

impl AddAssign<&Self> for ExchangeTotals {
    fn add_assign(&mut self, other: &Self) {
        self.count += other.count;
        self.whole += other.whole;
        self.wire_bytes += &other.wire_bytes;
        self.overhead_bytes += &other.overhead_bytes;
        self.content_bytes += &other.content_bytes;
        self.time_to_first_byte_ns += &other.time_to_first_byte_ns;
        self.time_to_last_byte_ns += &other.time_to_last_byte_ns;
        for (&status, &count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.empty_answers += other.empty_answers;
        self.weak += other.weak;
        self.cookies += other.cookies;
        self.requests += other.requests;
    }
}

/// Octets of a field line: `name: value` CRLF.
pub(super) fn field_line_bytes((name, value): (&[u8], &[u8])) -> u64 {
    (name.len() + value.len() + 4) as u64
}
