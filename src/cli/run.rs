//! Packets of the captures through the analysis, rows out to whoever wants them.

use std::path::PathBuf;

use wiretare::{Analyzer, CaptureFile, Options, Result, Row, Timestamp, Totals};

use super::live;
use super::progress::Progress;

/// What a run meets, in order.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The first packet of the capture.
    First(Timestamp),
    /// A row is known: its number in order of completion, from 0.
    Row(u64, &'a mut Row),
    /// No more rows until the next packet, which on a live capture may take its time.
    Pause,
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
pub(super) fn run(
    files: &[PathBuf],
    options: Options,
    order: Order,
    mut progress: Progress,
    mut each: impl FnMut(Event<'_>) -> Result<()>,
) -> Result<Facts> {
    let mut capture = live::open(files, &options.limits)?;
    let is_full = options.keeps_large_contents();
    let mut analyzer = Analyzer::new(options);
    let mut begun = false;
    let mut next = 0;
    let mut hand_on = |analyzer: &mut Analyzer, each: &mut _| match order {
        Order::Completion => hand_on_all(zip_numbers(&mut next, analyzer.rows()), each),
        Order::Known => hand_on_all(analyzer.numbered_rows(), each),
    };
    while let Some(packets) = capture.next_packets()? {
        if !begun && let Some(first) = packets.clone().next() {
            begun = true;
            each(Event::First(first.frame.time))?;
        }
        let any = if is_full {
            // What rows hold then is large: they leave as they come.
            packets.into_iter().try_fold(false, |any, packet| {
                analyzer.packet(&packet);
                hand_on(&mut analyzer, &mut each).map(|more| any || more)
            })?
        } else {
            analyzer.packets(packets);
            hand_on(&mut analyzer, &mut each)?
        };
        if any {
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

/// Gives the next numbers to what comes.
fn zip_numbers<T>(next: &mut u64, items: impl Iterator<Item = T>) -> impl Iterator<Item = (u64, T)> {
    items.map(|item| {
        *next += 1;
        (*next - 1, item)
    })
}

/// Hands on the rows that are known; whether there was any.
fn hand_on_all<'a>(mut rows: impl Iterator<Item = (u64, &'a mut Row)>, each: &mut impl FnMut(Event<'_>) -> Result<()>) -> Result<bool> {
    let mut any = false;
    rows.try_for_each(|(number, row)| {
        any = true;
        each(Event::Row(number, row))
    })?;
    Ok(any)
}
