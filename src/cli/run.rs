//! Packets of the captures through the analysis, rows out to whoever wants them.

use std::path::{Path, PathBuf};

use wiretare::{Options, Result, Row, Timestamp, Totals};

use super::progress::Progress;

/// What a run meets, in order.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The first packet of the capture.
    First(Timestamp),
    /// A row is known.
    Row(&'a Row),
    /// No more rows until the next packet, which on a live capture may take its time.
    Pause,
}

/// What is known at the end of a run.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) totals: Totals,
}

/// Reads captures and hands on what is found.
pub(super) fn run(_files: &[PathBuf], _options: Options, _progress: Progress, _each: impl FnMut(Event<'_>) -> Result<()>) -> Result<Facts> {
    // The seam: open the captures, push each packet into the analyzer, poll its rows into `each`.
    Err(wiretare::Error::Usage("this build cannot read captures yet".into()))
}

/// Whether packets of an input may be a while in coming: a pipe or a device, not a file.
pub(super) fn is_live(input: &Path) -> bool {
    let path = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    path.metadata().map_or(true, |metadata| !metadata.is_file())
}
