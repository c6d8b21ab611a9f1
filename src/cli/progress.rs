//! Progress on standard error: only on a terminal, and only when a run takes longer than a second.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Packets between two looks at the clock: some hundred microseconds.
const STRIDE: u32 = 4096;

/// How far a run has come.
#[derive(Debug)]
pub(super) enum Progress {
    Off,
    Waiting { began: Instant, packets: u32 },
    Shown { bar: ProgressBar, packets: u32 },
}

impl Progress {
    /// Shows itself when wanted and standard error is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        if wanted && std::io::stderr().is_terminal() { Self::Waiting { began: now(), packets: 0 } } else { Self::Off }
    }

    /// One packet more; `position` gives the octets read and, when known, of how many.
    #[inline]
    pub(super) fn packet(&mut self, position: impl FnOnce() -> (u64, Option<u64>)) {
        match self {
            Self::Off => {}
            Self::Waiting { packets, .. } | Self::Shown { packets, .. } => {
                *packets += 1;
                if *packets == STRIDE {
                    *packets = 0;
                    self.show(position());
                }
            }
        }
    }

    fn show(&mut self, (read, size): (u64, Option<u64>)) {
        if let Self::Waiting { began, .. } = self
            && began.elapsed() >= PATIENCE
        {
            *self = Self::Shown { bar: bar(size), packets: 0 };
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
