//! What is known of HTTP content beyond its length: whether it is the same as another, and the events of an event stream.

use crate::stream::Timestamp;

/// What is known of an HTTP content alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpContent {
    /// Equal for contents of equal octets, and for no others but by a chance of 2⁻⁶⁴; `None` when not all of it is known.
    pub identity: Option<u64>,
    /// The events of a `text/event-stream`, as far as they were captured.
    pub events: Option<EventStream>,
}

/// Server-sent events in a response (WHATWG HTML §9.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventStream {
    /// Events dispatched: blocks of lines with at least one `data`, ended by an empty line.
    pub events: u64,
    /// Octets of these blocks, line ends and the empty line included.
    pub event_bytes: u64,
    /// Of these, what scripts get as `data`.
    pub data_bytes: u64,
    /// Octets of the shortest and longest `data`.
    pub data_range: Option<(u64, u64)>,
    /// Comment lines: mostly sent to keep the connection open.
    pub comments: u64,
    /// Their octets, line ends included.
    pub comment_bytes: u64,
    /// The reconnection time that the server asked for last, in milliseconds.
    pub retry_ms: Option<u64>,
    /// When the last octet of the first and of the last event was captured.
    pub times: Option<(Timestamp, Timestamp)>,
    /// The longest time between two events, in nanoseconds.
    pub longest_gap_ns: u64,
}

impl EventStream {
    /// Mean time from one event to the next, in seconds; `None` below two events.
    pub fn mean_interval_s(&self) -> Option<f64> {
        let (first, last) = self.times.filter(|_| self.events > 1)?;
        Some(last.seconds_since(first) / (self.events - 1) as f64)
    }
}
