//! Server-sent events, summed over their streams.

use std::ops::AddAssign;

use super::histogram::Distribution;
use super::sighting::FirstFrames;
use crate::message::{Cost, EventStream};

/// Sums over event streams.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventTotals {
    /// Streams.
    pub streams: u64,
    /// Events in them.
    pub events: u64,
    /// Octets of the events, line ends included.
    pub event_bytes: u64,
    /// Of these, what scripts get.
    pub data_bytes: u64,
    /// Comment lines.
    pub comments: u64,
    /// Their octets.
    pub comment_bytes: u64,
    /// Where responses with comments begin.
    pub comment_frames: FirstFrames,
    /// Octets on the wire of the responses with at least one event.
    pub wire_bytes: u64,
    /// Mean time from one event to the next of each stream, in nanoseconds.
    pub interval_ns: Distribution,
}

impl EventTotals {
    /// Adds a stream, and what its response cost.
    pub(super) fn add(&mut self, stream: &EventStream, cost: &Cost) {
        self.streams += 1;
        self.events += stream.events;
        self.event_bytes += stream.event_bytes;
        self.data_bytes += stream.data_bytes;
        self.comments += stream.comments;
        self.comment_bytes += stream.comment_bytes;
        if stream.comments > 0 {
            self.comment_frames.add(cost.provenance.first.number);
        }
        if stream.events > 0 {
            self.wire_bytes += cost.wire_bytes();
        }
        self.interval_ns.add_seconds(stream.mean_interval_s());
    }
}

impl AddAssign<&Self> for EventTotals {
    fn add_assign(&mut self, other: &Self) {
        self.streams += other.streams;
        self.events += other.events;
        self.event_bytes += other.event_bytes;
        self.data_bytes += other.data_bytes;
        self.comments += other.comments;
        self.comment_bytes += other.comment_bytes;
        self.comment_frames += other.comment_frames;
        self.wire_bytes += other.wire_bytes;
        self.interval_ns += &other.interval_ns;
    }
}
