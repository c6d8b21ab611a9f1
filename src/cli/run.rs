//! Packets of the captures through the analysis, rows out to whoever wants them.

use std::path::PathBuf;

use wiretare::{Analyzer, CaptureFile, Options, Result, Row, Timestamp, Totals};

use super::live;
use super::progress::Progress;

/// Who is told what a run meets, in order.
pub(super) trait Sink {
    /// The first packet of the capture.
    fn first(&mut self, _time: Timestamp) {}
    /// A row is known: its number in order of completion, from 0.
    fn row(&mut self, number: u64, row: &mut Row) -> Result<()>;
    /// No more rows until the next packet, which on a live capture may take its time.
    fn pause(&mut self) -> Result<()> {
        Ok(())
    }
}

/// In which order rows are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By their numbers.
    Completion,
    /// As they become known: some are late.
    Known,
}

/// What is known at the end of a run.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) files: Vec<CaptureFile>,
    pub(super) totals: Totals,
}

/// Reads captures and hands on what is found.
pub(super) fn run(files: &[PathBuf], options: Options, order: Order, mut progress: Progress, sink: &mut impl Sink) -> Result<Facts> {
    let mut capture = live::open(files, &options.limits)?;
    let is_full = options.keeps_large_contents();
    let mut analyzer = Analyzer::new(options);
    let mut begun = false;
    let mut next = 0;
    while let Some(packets) = capture.next_packets()? {
        if !begun && let Some(first) = packets.clone().next() {
            begun = true;
            sink.first(first.frame.time);
        }
        let any = if is_full {
            // What rows hold then is large: they leave as they come.
            packets.into_iter().try_fold(false, |any, packet| {
                analyzer.packet(&packet);
                hand_on(&mut analyzer, order, &mut next, sink).map(|more| any || more)
            })?
        } else {
            analyzer.packets(packets);
            hand_on(&mut analyzer, order, &mut next, sink)?
        };
        if any {
            sink.pause()?;
        }
        progress.advance(|| (capture.bytes_read(), capture.size()));
    }
    analyzer.finish();
    while hand_on(&mut analyzer, order, &mut next, sink)? {}
    let (files, mut totals) = (capture.files(), analyzer.totals().clone());
    files.iter().for_each(|file| totals.anomalies += &file.anomalies);
    Ok(Facts { files, totals })
}

/// Hands on the rows that are known; whether there was any.
#[inline(never)]
fn hand_on(analyzer: &mut Analyzer, order: Order, next: &mut u64, sink: &mut impl Sink) -> Result<bool> {
    match order {
        Order::Completion => hand_on_all(zip_numbers(next, analyzer.rows()), sink),
        Order::Known => hand_on_all(analyzer.numbered_rows(), sink),
    }
}

/// Gives the next numbers to what comes.
fn zip_numbers<T>(next: &mut u64, items: impl Iterator<Item = T>) -> impl Iterator<Item = (u64, T)> {
    items.map(|item| {
        *next += 1;
        (*next - 1, item)
    })
}

/// Hands on rows; whether there was any.
#[inline(always)]
fn hand_on_all<'a>(rows: impl Iterator<Item = (u64, &'a mut Row)>, sink: &mut impl Sink) -> Result<bool> {
    let mut any = false;
    for (number, row) in rows {
        any = true;
        sink.row(number, row)?;
    }
    Ok(any)
}
