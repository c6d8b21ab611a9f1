//! A capture, or a report that was saved, as the report's JSON.

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use wiretare::analysis::comparison::Basis;
use wiretare::report::{CaptureFile, Report, Settings, thousands};
use wiretare::{Error, Options, Result, Row, Side, Summary, budget};

use super::arguments::{Display, Input};
use super::notes::Notes;
use super::progress::Progress;
use super::run::{Order, Sink, run as read};

/// The report of captures.
pub(super) struct Measured {
    pub(super) report: Report,
    /// Whether the captures were damaged.
    pub(super) is_damaged: bool,
    /// Whether they held nothing that the comparison is about.
    pub(super) is_empty: bool,
}

/// Measures captures.
pub(super) fn measure(input: &Input, options: Options, basis: Basis, display: &Display, notes: &Notes) -> Result<Measured> {
    let files = input.files()?;
    let settings = Settings { basis, ..Settings::new(&options) };
    let progress = Progress::new(!display.quiet && !display.no_progress);
    let mut sums = Sums { summary: Summary::new(options.assumptions), is_empty: true };
    let facts = read(&files, options, Order::Completion, progress, &mut sums)?;
    let Sums { summary, is_empty } = sums;
    let report = Report::new(facts.files.iter().map(CaptureFile::from).collect(), settings, &facts.totals, &summary);
    if report.conservation.difference != 0 {
        return Err(Error::Books { difference: report.conservation.difference });
    }
    Ok(Measured { report, is_damaged: notes.damage(&facts), is_empty })
}

/// What rows add up to.
struct Sums {
    summary: Summary,
    /// Whether none of them was one that the comparison is about.
    is_empty: bool,
}

impl Sink for Sums {
    #[inline]
    fn row(&mut self, _number: u64, row: &mut Row) -> Result<()> {
        self.is_empty &= !is_measured(row);
        self.summary.add(row);
        Ok(())
    }
}

/// Whether a row is one that the comparison is about.
fn is_measured(row: &Row) -> bool {
    match row {
        Row::Exchange(exchange) => matches!(exchange.side, Side::Ajax | Side::WebSocket),
        Row::Message(_) => true,
        Row::Connection(_) => false,
    }
}

/// A report as JSON.
pub(super) struct Loaded {
    pub(super) report: Value,
    /// Whether what it rests on was damaged.
    pub(super) is_damaged: bool,
    /// Whether that held nothing that the comparison is about.
    pub(super) is_empty: bool,
    /// Whether it was read from a file that was saved.
    is_saved: bool,
}

/// Refuses options that would have no effect: how captures are read is settled in reports.
pub(super) fn wants_capture(input: &Input, loaded: &[&Loaded]) -> Result<()> {
    let all_are_saved = loaded.iter().all(|loaded| loaded.is_saved);
    match input.how_is_chosen() && all_are_saved {
        true => Err(Error::Usage(
            "options that say how captures are read have no effect on a saved report; give them to `wiretare report`".into(),
        )),
        false => Ok(()),
    }
}

/// The report of captures, or one that was saved.
pub(super) fn load(input: &Input, display: &Display, notes: &Notes) -> Result<Loaded> {
    if let [file] = &input.captures[..]
        && let Some(text) = json_of(file)?
    {
        let report = budget::read(&file.display().to_string(), &text)?;
        let (is_damaged, is_empty) = (budget::is_damaged(&report), budget::is_empty(&report));
        return Ok(Loaded { report, is_damaged, is_empty, is_saved: true });
    }
    let measured = measure(input, input.options()?, Basis::default(), display, notes)?;
    let report = serde_json::to_value(&measured.report).expect("a report has text for keys and no number that JSON has not");
    Ok(Loaded { report, is_damaged: measured.is_damaged, is_empty: measured.is_empty, is_saved: false })
}

/// The text of a file that begins like JSON; `None` for any other, and for standard input, which can be read once.
fn json_of(file: &Path) -> Result<Option<Vec<u8>>> {
    if file == Path::new("-") {
        return Ok(None);
    }
    let name = || file.display().to_string();
    let mut opened = std::fs::File::open(file).map_err(|source| Error::Open { file: name(), source })?;
    let read_failed = |source| Error::Read { file: name(), offset: 0, source };
    // What opens and is no plain file, such as a directory or a pipe, is for the reader of captures to judge.
    if !opened.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let mut text = Vec::new();
    (&mut opened).take(BEGINNING).read_to_end(&mut text).map_err(read_failed)?;
    if !text.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    (&mut opened).take(LONGEST_REPORT).read_to_end(&mut text).map_err(read_failed)?;
    if text.len() as u64 > LONGEST_REPORT {
        let (wanted, had) = (LONGEST_REPORT >> 20, opened.metadata().map_err(read_failed)?.len());
        return Err(Error::Usage(format!("{}: not a report: wanted at most {wanted} MiB of JSON, had {} bytes", name(), thousands(had))));
    }
    Ok(Some(text))
}

/// Octets in which JSON has to begin.
const BEGINNING: u64 = 4096;

/// A report takes less: 500 endpoints and all distributions are below 2 MiB.
const LONGEST_REPORT: u64 = 16 << 20;
