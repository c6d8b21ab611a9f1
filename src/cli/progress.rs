//! Progress on standard error: only on a terminal, and only when a run takes longer than a second.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Advances between two looks at the clock: some hundred microseconds.
const STRIDE: u32 = 64;

/// How far a run has come.
#[derive(Debug)]
pub(super) enum Progress {
    Off,
    Waiting { began: Instant, steps: u32 },
    Shown { bar: ProgressBar, steps: u32 },
}

impl Progress {
    /// Shows itself when wanted and standard error is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        if wanted && std::io::stderr().is_terminal() { Self::Waiting { began: now(), steps: 0 } } else { Self::Off }
    }

    /// A packet more, or a few; `position` gives the octets read and, when known, of how many.
    #[inline]
    pub(super) fn advance(&mut self, position: impl FnOnce() -> (u64, Option<u64>)) {
        match self {
            Self::Off => {}
            Self::Waiting { steps, .. } | Self::Shown { steps, .. } => {
                *steps += 1;
                if *steps == STRIDE {
                    *steps = 0;
                    self.show(position());
                }
            }
        }
    }

    fn show(&mut self, (read, size): (u64, Option<u64>)) {
        if let Self::Waiting { began, .. } = self
            && began.elapsed() >= PATIENCE
        {
            *self = Self::Shown { bar: bar(size), steps: 0 };
        }
        if let Self::Shown { bar, .. } = self {
            bar.set_position(read);
        }
    }
}

impl Drop for Progress {
    /// Takes it off the terminal.
    fn drop(&mut self) {
        if let Self::Shown { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

fn bar(size: Option<u64>) -> ProgressBar {
    let (bar, template) = match size {
        Some(size) => (ProgressBar::new(size), "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {bytes_per_sec}"),
    };
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[expect(clippy::disallowed_methods, reason = "progress is about the reader's patience, not about the capture")]
fn now() -> Instant {
    Instant::now()
}
