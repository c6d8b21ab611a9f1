//! What each endpoint paid: side, host and path template, in a table of bounded size.

mod template;

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::AddAssign;

use foldhash::quality::FixedState;
pub use template::hash_question;

use crate::message::{RoundTrips, Side};

/// Endpoints kept by name.
const KEPT: usize = 4096;

/// The seed is fixed, so that every run and every machine keeps the same endpoints.
const HASHES: FixedState = FixedState::with_seed(0x656e_6470);

/// What names an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointKey {
    /// The side it belongs to.
    pub side: Side,
    /// As sent, in lower case; empty when no host was named.
    pub host: String,
    /// The path with its identifiers replaced by `{}`, and the names of the query's parameters.
    pub path: String,
}

impl EndpointKey {
    /// The key of a request.
    pub fn new(side: Side, host: &[u8], target: &[u8]) -> Self {
        let host = &host[..host.len().min(255)];
        Self { side, host: String::from_utf8_lossy(host).to_ascii_lowercase(), path: template::of_target(target) }
    }
}

/// What an endpoint paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Exchanges, or WebSocket messages (control frames not counted).
    pub messages: u64,
    /// Octets on the wire of these.
    pub messages_wire_bytes: u64,
    /// Σ of their squares, one by one.
    pub messages_wire_squares: u128,
    /// Octets on the wire of its exchanges, messages, control frames and opening handshakes.
    pub wire_bytes: u64,
    /// Octets on the wire that are not encoded content.
    pub overhead_bytes: u64,
    /// Decoded content where known, in octets.
    pub content_bytes: u64,
    /// Messages whose content is not known.
    pub unknown_content_messages: u64,
    /// The first frame of its first message; `None` without one.
    pub first_frame: Option<u64>,
    /// From a request's first octet to its response's first.
    pub to_first_byte: RoundTrips,
    /// From a request's first octet to its response's last; of WebSocket, from an ask to its answer by the ids of envelopes.
    pub to_answer: RoundTrips,
}

impl Endpoint {
    /// Standard deviation (population) of what its messages cost on the wire, in octets; `None` without one, or where the
    /// squares are too large to count.
    pub fn wire_bytes_stddev(&self) -> Option<f64> {
        let count = (self.messages > 0).then_some(self.messages as f64)?;
        // n·Σx² − (Σx)² is an integer, and never below 0.
        let sum = u128::from(self.messages_wire_bytes);
        let squares = self.messages_wire_squares.checked_mul(u128::from(self.messages))?.checked_sub(sum * sum)?;
        Some((squares as f64).sqrt() / count)
    }
}

impl AddAssign for Endpoint {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.messages_wire_bytes += other.messages_wire_bytes;
        self.messages_wire_squares = self.messages_wire_squares.saturating_add(other.messages_wire_squares);
        self.wire_bytes += other.wire_bytes;
        self.overhead_bytes += other.overhead_bytes;
        self.content_bytes += other.content_bytes;
        self.unknown_content_messages += other.unknown_content_messages;
        self.first_frame = match (self.first_frame, other.first_frame) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.to_first_byte += other.to_first_byte;
        self.to_answer += other.to_answer;
    }
}

/// The table of endpoints.
///
/// Kept are the 4096 keys with the smallest hashes; all others share one line for each side. The largest hash kept only ever
/// falls, so a key that is kept at the end was never turned away, and a key that was turned away once stays away: the
/// table holds complete figures, and it is the same whatever the order in which rows are added or parts merged. (Keeping the
/// dearest endpoints instead would depend on that order.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    kept: BTreeMap<(u64, EndpointKey), Endpoint>,
    other: [Endpoint; 4],
}

impl Endpoints {
    /// Adds figures to an endpoint.
    pub fn add(&mut self, key: EndpointKey, figures: Endpoint) {
        self.insert((HASHES.hash_one(&key), key), figures);
    }

    fn insert(&mut self, key: (u64, EndpointKey), figures: Endpoint) {
        if self.kept.len() >= KEPT && self.kept.last_key_value().is_some_and(|(last, _)| key > *last) {
            self.other[key.1.side as usize] += figures;
            return;
        }
        *self.kept.entry(key).or_default() += figures;
        if self.kept.len() > KEPT
            && let Some(((_, key), figures)) = self.kept.pop_last()
        {
            self.other[key.side as usize] += figures;
        }
    }

    /// The dearest endpoints by octets on the wire, dearest first.
    pub fn dearest(&self, count: usize) -> Vec<(&EndpointKey, &Endpoint)> {
        let mut all: Vec<_> = self.kept.iter().map(|((_, key), figures)| (key, figures)).collect();
        all.sort_unstable_by(|(a, x), (b, y)| y.wire_bytes.cmp(&x.wire_bytes).then_with(|| a.cmp(b)));
        all.truncate(count);
        all
    }

    /// Endpoints kept by name.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// What the endpoints of a side paid that are not kept by name.
    pub fn other(&self, side: Side) -> &Endpoint {
        &self.other[side as usize]
    }
}

impl AddAssign<&Self> for Endpoints {
    fn add_assign(&mut self, other: &Self) {
        for (key, &figures) in &other.kept {
            self.insert(key.clone(), figures);
        }
        for (sum, &part) in self.other.iter_mut().zip(&other.other) {
            *sum += part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(numbers: impl Iterator<Item = u32>) -> Endpoints {
        let mut table = Endpoints::default();
        for number in numbers {
            // Letters, so that the template keeps them apart.
            let name: String = number.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            let figures = Endpoint { messages: 1, wire_bytes: u64::from(number), ..Endpoint::default() };
            table.add(EndpointKey::new(Side::Ajax, b"h", format!("/{name}").as_bytes()), figures);
        }
        table
    }

    #[test]
    fn an_overfull_table_is_the_same_in_any_order() {
        let whole = table(0..6000);
        assert_eq!(whole.len(), KEPT);
        assert_eq!(whole.other(Side::Ajax).messages, 6000 - KEPT as u64);
        assert_eq!(table((0..6000).rev()), whole);
        let mut merged = table(3000..6000);
        merged += &table((0..3000).rev());
        assert_eq!(merged, whole);
    }
}
