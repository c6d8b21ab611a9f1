//! The report's `polling`: endpoints that are asked again and again.

use serde::Serialize;

use crate::account::{PollTotals, PolledKey, Polls, Reframed};
use crate::analysis::six_digits;

use super::side::{Spread, fractions};

/// Polled endpoints listed.
const LISTED: usize = 50;

/// An endpoint that is polled.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PollingReport {
    /// The method; `None` for all that are not listed.
    pub method: Option<String>,
    /// The host asked.
    pub host: Option<String>,
    /// The path, a template.
    pub path: Option<String>,
    /// `short`, `long`, `conditional` or `engine.io`: what most of its polls are.
    #[cfg_attr(feature = "cli", schemars(with = "super::schema::names::PollingKindName"))]
    pub kind: &'static str,
    /// Clients and questions: each a series of three polls or more.
    pub series: u64,
    /// Polls.
    pub polls: u64,
    /// Octets on the wire of requests and responses.
    pub wire_bytes: u64,
    /// Polls that brought nothing new: empty, 304, or the content of the one before.
    pub wasted_polls: u64,
    /// Their octets on the wire.
    pub wasted_wire_bytes: u64,
    /// Polls of which that cannot be known.
    pub unknown_polls: u64,
    /// From one request to the next, in seconds.
    pub interval_s: Option<Spread<f64>>,
    /// Mean difference between one interval and the next, in seconds.
    pub jitter_s: Option<f64>,
    /// Mean time to the first byte of answers, in seconds.
    pub held_s: Option<f64>,
    /// How long an event waits on average, and at most, until a poll asks for it, in seconds.
    pub added_wait_s: Option<AddedWait>,
    /// Answers that carried several messages; `None` without any.
    pub batched: Option<Batched>,
    /// The first frame to look at.
    pub first_frame: Option<u64>,
    /// Frames of polls that brought nothing new.
    pub wasted_frames: Vec<u64>,
}

/// The wait that polling adds, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AddedWait {
    /// For an event that happens at any time.
    pub mean: f64,
    /// For the unluckiest one.
    pub max: f64,
}

/// Messages that shared an answer, and what they would be as WebSocket frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Batched {
    /// Answers.
    pub answers: u64,
    /// Messages in them.
    pub messages: u64,
    /// Decoded content of the answers, in octets.
    pub content_bytes: u64,
    /// As frames that share segments as they shared answers, in octets on the wire.
    pub as_frames_low_wire_bytes: u64,
    /// As frames in segments of their own, each acknowledged.
    pub as_frames_high_wire_bytes: u64,
}

impl PollingReport {
    fn new(key: Option<&PolledKey>, totals: &PollTotals, header_bytes: u64) -> Self {
        let jitter = (totals.jitter_ns.1 > 0).then(|| totals.jitter_ns.0 as f64 / totals.jitter_ns.1 as f64 / 1e9);
        let held = (totals.held_ns.1 > 0).then(|| totals.held_ns.0 as f64 / totals.held_ns.1 as f64 / 1e9);
        let rounded = |number: f64| six_digits(number).unwrap_or_default();
        Self {
            method: key.map(|(method, _)| method.clone()),
            host: key.map(|(_, endpoint)| endpoint.host.clone()).filter(|host| !host.is_empty()),
            path: key.map(|(_, endpoint)| endpoint.path.clone()),
            kind: totals.kind().name(),
            series: totals.series,
            polls: totals.polls(),
            wire_bytes: totals.wire_bytes,
            wasted_polls: totals.wasted.count,
            wasted_wire_bytes: totals.wasted.bytes,
            unknown_polls: totals.unknown,
            interval_s: fractions(&totals.interval_ns, 1e9),
            jitter_s: jitter.and_then(six_digits),
            held_s: held.and_then(six_digits),
            added_wait_s: totals.added_wait_s().map(|(mean, max)| AddedWait { mean: rounded(mean), max: rounded(max) }),
            batched: Batched::new(totals, header_bytes),
            first_frame: totals.first_frame,
            wasted_frames: totals.wasted.frames.iter().collect(),
        }
    }

    /// The endpoints of a capture, largest first, and the sum of those that are not listed; with the mean headers of a segment.
    pub(super) fn list(polls: &Polls, header_bytes: u64) -> Vec<Self> {
        let all = polls.by_wire_bytes();
        let (listed, unlisted) = all.split_at(all.len().min(LISTED));
        let mut reports: Vec<_> = listed.iter().map(|(key, totals)| Self::new(Some(key), totals, header_bytes)).collect();
        let mut rest = polls.other().clone();
        unlisted.iter().for_each(|(_, totals)| rest += *totals);
        if rest.polls() > 0 {
            reports.push(Self::new(None, &rest, header_bytes));
        }
        reports
    }
}

impl Batched {
    /// The messages of an answer are taken to be of equal length.
    fn new(totals: &PollTotals, header_bytes: u64) -> Option<Self> {
        let (answers, messages, content_bytes) = totals.batched;
        let mut frames = Reframed::default();
        for message in 0..messages {
            // Shares that sum to the content.
            frames.add_websocket(content_bytes * (message + 1) / messages - content_bytes * message / messages, false);
        }
        (answers > 0).then_some(Self {
            answers,
            messages,
            content_bytes,
            as_frames_low_wire_bytes: frames.payload_bytes + answers * header_bytes,
            as_frames_high_wire_bytes: frames.payload_bytes + (frames.segments + messages) * header_bytes,
        })
    }
}
