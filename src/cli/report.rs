//! `wiretare report`: Ajax against WebSocket.

use clap::ValueEnum;
use wiretare::report::table::{self, Layout};
use wiretare::report::{CaptureFile, Report, Settings, json};
use wiretare::{Error, Result, Row, Side, Summary};

use super::Outcome;
use super::arguments::{Display, Input};
use super::notes::Notes;
use super::output::Output;
use super::progress::Progress;
use super::run::{Event, run as read};

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare report capture.pcapng
  wiretare report --ajax all -f json -o cost.json before.pcap.gz
  wiretare report trace_00001.pcap trace_00002.pcap    rotated files, one capture

Sizes are in bytes on the wire, as the capture saw them; durations in seconds.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) input: Input,
    /// How the report is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people
    Table,
    /// One JSON object
    Json,
}

/// Prints the report on the captures.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let options = args.input.options()?;
    let files = args.input.files()?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let settings = Settings::new(&options);
    let progress = Progress::new(!args.display.quiet && !args.display.no_progress);
    let mut summary = Summary::default();
    let mut measured = false;
    let facts = read(&files, options, progress, |event| {
        if let Event::Row(row) = event {
            measured |= is_measured(row);
            summary.add(row);
        }
        Ok(())
    })?;

    let report = Report::new(facts.files.iter().map(CaptureFile::from).collect(), settings, &facts.totals, &summary);
    let layout = Layout { width: args.display.width().map(|width| u16::try_from(width).unwrap_or(u16::MAX)), color: args.display.color() };
    match args.format {
        Format::Table => table::write(&report, layout, output.buffer()),
        Format::Json => json::write(&report, output.buffer()),
    }
    .expect("a Vec takes every write");
    output.finish()?;
    if report.conservation.difference != 0 {
        return Err(Error::Books { difference: report.conservation.difference });
    }
    let damaged = notes.damage(&facts);
    Ok(Outcome::of(damaged, !measured))
}

/// Whether a row is one that the comparison is about.
fn is_measured(row: &Row) -> bool {
    match row {
        Row::Exchange(exchange) => matches!(exchange.side, Side::Ajax | Side::WebSocket),
        Row::Message(_) => true,
        Row::Connection(_) => false,
    }
}
