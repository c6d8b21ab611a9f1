//! What is said beside the data, on standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use wiretare::report::text;
use wiretare::{AnomalyKind, Error};

use super::run::Facts;

/// What says that octets of the file itself are missing or wrong, not just of what was captured.
const DAMAGE: [AnomalyKind; 3] = [AnomalyKind::TruncatedCapture, AnomalyKind::MalformedBlock, AnomalyKind::DamagedCompression];

/// Says things on standard error, in one form; a failure to say them is not worth stopping for.
#[derive(Debug)]
pub(super) struct Notes {
    quiet: bool,
}

impl Notes {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Something to know about the result.
    pub(super) fn note(&self, message: impl Display) {
        if !self.quiet {
            say("note", message);
        }
    }

    /// Something that makes the result less than was asked for.
    pub(super) fn warning(&self, message: impl Display) {
        if !self.quiet {
            say("warning", message);
        }
    }

    /// Warns of damage to the capture itself, and says whether there was any.
    pub(super) fn damage(&self, facts: &Facts) -> bool {
        let damage: Vec<_> = facts.totals.anomalies.iter().filter(|(kind, ..)| DAMAGE.contains(kind)).collect();
        for (kind, count, frame) in &damage {
            self.warning(format_args!("{} ({count}), first at frame {frame}; what could be read is shown", kind.name()));
        }
        !damage.is_empty()
    }

    /// What stopped the run.
    pub(super) fn error(&self, error: &Error) {
        say("error", error);
        if let Error::Open { file, source } = error
            && source.kind() == ErrorKind::NotFound
            && !file.contains(['/', '.'])
        {
            say("hint", "commands are `report` and `messages`; anything else is the name of a capture");
        }
    }
}

/// The message may quote file names and captured octets: each of its lines is made safe to show.
fn say(kind: &str, message: impl Display) {
    let message = message.to_string();
    let lines: Vec<_> = message.lines().map(text::safe).collect();
    let _ = writeln!(std::io::stderr(), "{kind}: {}", lines.join("\n"));
}
