//! Exchanges that ask again and again.

/// How a client polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PollingKind {
    /// At intervals; what there is, or is not, is answered at once.
    Short,
    /// The server holds its answer back until there is something to say, and the next request follows the answer.
    Long,
    /// At intervals, with a condition that lets the server answer 304 (RFC 9110 §13).
    Conditional,
    /// engine.io's transport, a kind of long polling.
    EngineIo,
}

impl PollingKind {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Short, Self::Long, Self::Conditional, Self::EngineIo];

    /// The name that rows and reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Conditional => "conditional",
            Self::EngineIo => "engine.io",
        }
    }
}

/// An exchange's part in a series of polls.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// How this client polls, as far as the series tells by then.
    pub kind: PollingKind,
    /// n-th of its series, from 1; the first two, which are no series yet, are not marked.
    pub number: u64,
    /// From the request before it to this one, in nanoseconds; `None` when the capture clock stepped back.
    pub interval_ns: Option<u64>,
    /// By how much that differs from the interval before.
    pub jitter_ns: Option<u64>,
    /// Of the interval, the time in which the client listened to nobody: all of it, or with long polls from the answer to the
    /// next request.
    pub deaf_ns: Option<u64>,
    /// Whether its answer brought something that the one before it had not; `None` when that cannot be known.
    pub is_new: Option<bool>,
    /// Packets of an envelope that its answer carried, when there were several: events that waited for each other.
    pub packets: Option<u64>,
    /// With the third: the first two.
    pub earlier: Vec<EarlierPoll>,
}

/// A poll before its series was recognised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlierPoll {
    /// Octets on the wire of request and response.
    pub wire_bytes: u64,
    /// Encoded content of its answer, in octets; 0 where that could not have been 304.
    pub answer_bytes: u64,
    /// The first frame of its request.
    pub frame: u64,
    /// From the request before it to this one, in nanoseconds.
    pub interval_ns: Option<u64>,
    /// Of the interval, the time in which the client listened to nobody.
    pub deaf_ns: Option<u64>,
    /// How long its answer was held, in nanoseconds; `None` without one.
    pub held_ns: Option<u64>,
    /// Whether its answer brought something new.
    pub is_new: Option<bool>,
    /// Whether it asked for content and was [answered without](super::Exchange::is_answered_empty).
    pub is_empty: bool,
}
