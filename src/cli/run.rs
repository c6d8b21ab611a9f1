//! Packets of the captures through the analysis, rows out to whoever wants them.

use std::path::{Path, PathBuf};

use wiretare::{Analyzer, Capture, CaptureFile, Options, Result, Row, Timestamp, Totals};

use super::progress::Progress;

/// What a run meets, in order.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The first packet of the capture.
    First(Timestamp),
    /// A row is known.
    Row(&'a mut Row),
    /// No more rows until the next packet, which on a live capture may take its time.
    Pause,
}

/// What is known at the end of a run.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) files: Vec<CaptureFile>,
    pub(super) totals: Totals,
}

/// Reads captures and hands on what is found.
pub(super) fn run(
    files: &[PathBuf],
    options: Options,
    mut progress: Progress,
    mut each: impl FnMut(Event<'_>) -> Result<()>,
) -> Result<Facts> {
    let mut capture = Capture::open(files, &options.limits)?;
    let mut analyzer = Analyzer::new(options);
    let mut begun = false;
    while let Some(packets) = capture.next_packets()? {
        if !begun && let Some(first) = packets.clone().next() {
            begun = true;
            each(Event::First(first.frame.time))?;
        }
        analyzer.packets(packets);
        if hand_on(&mut analyzer, &mut each)? {
            each(Event::Pause)?;
        }
        progress.advance(|| (capture.bytes_read(), capture.size()));
    }
    analyzer.finish();
    while hand_on(&mut analyzer, &mut each)? {}
    let (files, mut totals) = (capture.files(), analyzer.totals().clone());
    files.iter().for_each(|file| totals.anomalies += &file.anomalies);
    Ok(Facts { files, totals })
}

/// Hands on the rows that are known; whether there was any.
fn hand_on(analyzer: &mut Analyzer, each: &mut impl FnMut(Event<'_>) -> Result<()>) -> Result<bool> {
    let mut any = false;
    for row in analyzer.rows() {
        any = true;
        each(Event::Row(row))?;
    }
    Ok(any)
}

/// Whether packets of an input may be a while in coming: a pipe or a device, not a file.
pub(super) fn is_live(input: &Path) -> bool {
    let path = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    path.metadata().map_or(true, |metadata| !metadata.is_file())
}
