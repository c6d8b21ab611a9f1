//! What polling costs, and how much of it brought nothing, by method, host and path.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::ops::AddAssign;

use foldhash::quality::FixedState;

use super::endpoints::EndpointKey;
use super::histogram::Distribution;
use super::sighting::Sighting;
use crate::message::{Exchange, PollingKind, Side};

/// Polled endpoints kept by name.
const KEPT: usize = 512;

/// The seed is fixed, so that every run and every machine keeps the same endpoints.
const HASHES: FixedState = FixedState::with_seed(0x706f_6c6c);

/// What names a polled endpoint: method, then host and path template.
pub type PolledKey = (String, EndpointKey);

/// What the polls of an endpoint were.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PollTotals {
    /// Series: a client that asks the same again and again.
    pub series: u64,
    /// Polls by kind, in the order of [`PollingKind::ALL`].
    pub kinds: [u64; 4],
    /// Octets on the wire of requests and responses.
    pub wire_bytes: u64,
    /// Polls that brought nothing new, and their octets on the wire.
    pub wasted: Sighting,
    /// Polls of which that cannot be known.
    pub unknown: u64,
    /// From one request to the next, in nanoseconds.
    pub interval_ns: Distribution,
    /// Differences between one interval and the next, in nanoseconds: sum and count.
    pub jitter_ns: (u64, u64),
    /// For an event that happens at any time: Σ of the squares of the times in which nobody listened, in µs², the longest of
    /// them in nanoseconds, and Σ of all intervals in µs.
    pub deaf: (u128, u64, u64),
    /// How long answers were held, in nanoseconds: sum, count, longest.
    pub held_ns: (u64, u64, u64),
    /// Answers that carried several packets: how many, packets in them, their decoded content in octets.
    pub batched: (u64, u64, u64),
    /// The first frame of the first poll; `None` before it.
    pub first_frame: Option<u64>,
}

impl PollTotals {
    /// Polls.
    pub fn polls(&self) -> u64 {
        self.kinds.iter().sum()
    }

    /// The kind of most of them.
    pub fn kind(&self) -> PollingKind {
        let most = self.kinds.iter().max().copied().unwrap_or_default();
        PollingKind::ALL.into_iter().find(|&kind| self.kinds[kind as usize] == most).unwrap_or(PollingKind::Short)
    }

    fn add(&mut self, exchange: &Exchange) {
        let Some(poll) = exchange.polling.as_deref() else { return };
        for earlier in &poll.earlier {
            self.add_poll(poll.kind, earlier.wire_bytes, earlier.frame, earlier.is_new);
            self.add_times(earlier.interval_ns, earlier.deaf_ns);
            self.add_held(earlier.held_ns);
        }
        self.series += u64::from(!poll.earlier.is_empty());
        let frame = exchange.request.as_ref().map_or(0, |request| request.cost.provenance.first.number);
        self.add_poll(poll.kind, exchange.wire_bytes(), frame, poll.is_new);
        self.add_times(poll.interval_ns, poll.deaf_ns);
        if let Some(jitter) = poll.jitter_ns {
            self.jitter_ns.0 = self.jitter_ns.0.saturating_add(jitter);
            self.jitter_ns.1 += 1;
        }
        self.add_held(exchange.held_ns());
        if let Some(packets) = poll.packets {
            let content = exchange.response.as_ref().and_then(|response| response.content.bytes).unwrap_or(0);
            self.batched = (self.batched.0 + 1, self.batched.1 + packets, self.batched.2 + content);
        }
    }

    fn add_poll(&mut self, kind: PollingKind, wire_bytes: u64, frame: u64, is_new: Option<bool>) {
        self.kinds[kind as usize] += 1;
        self.wire_bytes += wire_bytes;
        self.first_frame = Some(self.first_frame.map_or(frame, |first| first.min(frame)));
        match is_new {
            Some(true) => {}
            Some(false) => self.wasted.add(wire_bytes, frame),
            None => self.unknown += 1,
        }
    }

    fn add_held(&mut self, held_ns: Option<u64>) {
        if let Some(held) = held_ns {
            self.held_ns = (self.held_ns.0.saturating_add(held), self.held_ns.1 + 1, self.held_ns.2.max(held));
        }
    }

    fn add_times(&mut self, interval_ns: Option<u64>, deaf_ns: Option<u64>) {
        let Some((interval, deaf)) = interval_ns.zip(deaf_ns) else { return };
        self.interval_ns.add(interval);
        let deaf_us = u128::from(deaf / 1000);
        self.deaf.0 += deaf_us * deaf_us;
        self.deaf.1 = self.deaf.1.max(deaf);
        self.deaf.2 = self.deaf.2.saturating_add(interval / 1000);
    }

    /// How long an event that happens at any time waits until somebody listens: mean and longest, in seconds. An event in a
    /// time D in which nobody listens waits D/2 on average, and falls into it with D / Σ intervals.
    pub fn added_wait_s(&self) -> Option<(f64, f64)> {
        let (squares, longest, whole) = self.deaf;
        (whole > 0).then(|| (squares as f64 / 2.0 / whole as f64 / 1e6, longest as f64 / 1e9))
    }
}

impl AddAssign<&Self> for PollTotals {
    fn add_assign(&mut self, other: &Self) {
        self.series += other.series;
        for (sum, part) in self.kinds.iter_mut().zip(other.kinds) {
            *sum += part;
        }
        self.wire_bytes += other.wire_bytes;
        self.wasted += other.wasted;
        self.unknown += other.unknown;
        self.interval_ns += &other.interval_ns;
        self.jitter_ns = (self.jitter_ns.0.saturating_add(other.jitter_ns.0), self.jitter_ns.1 + other.jitter_ns.1);
        self.deaf = (self.deaf.0 + other.deaf.0, self.deaf.1.max(other.deaf.1), self.deaf.2.saturating_add(other.deaf.2));
        self.held_ns =
            (self.held_ns.0.saturating_add(other.held_ns.0), self.held_ns.1 + other.held_ns.1, self.held_ns.2.max(other.held_ns.2));
        self.batched = (self.batched.0 + other.batched.0, self.batched.1 + other.batched.1, self.batched.2 + other.batched.2);
        self.first_frame = self.first_frame.into_iter().chain(other.first_frame).min();
    }
}

/// The polled endpoints of a capture: those with the smallest hashes by name, as with [`Endpoints`](super::Endpoints), so that the
/// table is the same whatever the order; all others share one line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polls {
    kept: BTreeMap<(u64, PolledKey), PollTotals>,
    other: PollTotals,
    early_empty_answers: Sighting,
}

impl Polls {
    /// Adds an exchange that is a poll.
    pub(super) fn add(&mut self, exchange: &Exchange) {
        let (Some(request), Some(poll)) = (&exchange.request, &exchange.polling) else { return };
        for earlier in poll.earlier.iter().filter(|earlier| earlier.is_empty) {
            self.early_empty_answers.add(earlier.wire_bytes, earlier.frame);
        }
        let method = String::from_utf8_lossy(&request.method()[..request.method().len().min(16)]).into_owned();
        let endpoint = EndpointKey::new(Side::Ajax, request.host().unwrap_or_default(), request.target());
        let key = (method, endpoint);
        self.entry((HASHES.hash_one(&key), key)).add(exchange);
        self.bound();
    }

    fn entry(&mut self, key: (u64, PolledKey)) -> &mut PollTotals {
        if self.kept.len() >= KEPT && self.kept.last_key_value().is_some_and(|(last, _)| key > *last) {
            return &mut self.other;
        }
        self.kept.entry(key).or_default()
    }

    fn bound(&mut self) {
        while self.kept.len() > KEPT {
            if let Some((_, totals)) = self.kept.pop_last() {
                self.other += &totals;
            }
        }
    }

    /// The endpoints by octets on the wire, largest first.
    pub fn by_wire_bytes(&self) -> Vec<(&PolledKey, &PollTotals)> {
        let mut all: Vec<_> = self.kept.iter().map(|((_, key), totals)| (key, totals)).collect();
        all.sort_unstable_by(|(a, x), (b, y)| y.wire_bytes.cmp(&x.wire_bytes).then_with(|| a.cmp(b)));
        all
    }

    /// Those [answered without content](Exchange::is_answered_empty) before their series was recognised: octets of both messages.
    pub fn early_empty_answers(&self) -> Sighting {
        self.early_empty_answers
    }

    /// Those that are not kept by name.
    pub fn other(&self) -> &PollTotals {
        &self.other
    }

    /// All of them together.
    pub fn sum(&self) -> PollTotals {
        let mut sum = self.other.clone();
        self.kept.values().for_each(|totals| sum += totals);
        sum
    }
}

impl AddAssign<&Self> for Polls {
    fn add_assign(&mut self, other: &Self) {
        for (key, totals) in &other.kept {
            *self.entry(key.clone()) += totals;
            self.bound();
        }
        self.other += &other.other;
        self.early_empty_answers += other.early_empty_answers;
    }
}
