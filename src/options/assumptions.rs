//! What the counterfactual assumes, where a range of assumptions is not what is wanted.

use std::time::Duration;

/// How content would be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssumedCompression {
    /// From compressed (low) to uncompressed (high).
    #[default]
    Range,
    /// Uncompressed.
    None,
    /// Compressed: as it was sent; by a WebSocket as the messages of this capture were, where that is less.
    Deflate,
}

/// What would become of requests, and of what clients say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssumedRequests {
    /// From shared (low) to own (high).
    #[default]
    Range,
    /// Each a message, or a POST, of its own.
    Own,
    /// Polls are not asked; what clients say rides on polls.
    Shared,
}

/// What the counterfactual assumes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// Polls at this interval; `None` for long polling.
    pub poll_interval: Option<Duration>,
    /// How content would be sent.
    pub compression: AssumedCompression,
    /// What would become of requests.
    pub requests: AssumedRequests,
}

impl AssumedCompression {
    /// The name that reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::None => "none",
            Self::Deflate => "deflate",
        }
    }
}

impl AssumedRequests {
    /// The name that reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Own => "own",
            Self::Shared => "shared",
        }
    }
}
