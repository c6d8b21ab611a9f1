//! `wiretare report`: Ajax against WebSocket.

use std::time::Duration;

use clap::ValueEnum;
use wiretare::analysis::comparison::Basis;
use wiretare::report::table::{self, Layout};
use wiretare::report::{CaptureFile, Report, Settings, json};
use wiretare::{AssumedCompression, AssumedRequests, Assumptions, Error, Options, Quantity, Result, Row, Side, Summary};

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
  wiretare report --poll-interval 5s capture.pcapng
  wiretare report trace_00001.pcap trace_00002.pcap    rotated files, one capture

Sizes are in bytes on the wire, as the capture saw them; durations in seconds.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) input: Input,
    /// How the report is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    /// What is counted of a message in the verdict and in the table by layer
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Counted::Wire)]
    basis: Counted,
    #[command(flatten)]
    assumed: Assumed,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Counted {
    /// Every byte of the captured frames
    Wire,
    /// From the IP header up
    Ip,
    /// Framing of HTTP and WebSocket alone: what the figures of 2010 counted
    Application,
}

/// What is assumed of what one side would have cost as the other.
#[derive(Debug, clap::Args)]
struct Assumed {
    /// WebSocket as Ajax: poll at this interval, such as `5s`, instead of long polling
    #[arg(long, value_name = "TIME", help_heading = "What one would have cost as the other")]
    poll_interval: Option<String>,
    /// How content would be sent
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Compression::Range, help_heading = "What one would have cost as the other")]
    compression: Compression,
    /// What would become of requests, and of what clients say
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Requests::Range, help_heading = "What one would have cost as the other")]
    requests: Requests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compression {
    /// From compressed (low end) to uncompressed (high end)
    Range,
    /// Uncompressed
    None,
    /// As it was sent; by a WebSocket deflated as this capture's messages are, where that is less
    Deflate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Requests {
    /// From shared (low end) to own (high end)
    Range,
    /// Each a message, or a POST, of its own
    Own,
    /// Questions without content are not asked; what clients say rides on polls
    Shared,
}

impl Assumed {
    fn assumptions(&self) -> Result<Assumptions> {
        let interval = |text: &String| {
            let interval = interval(text).filter(|interval| !interval.is_zero());
            interval.ok_or_else(|| Error::Usage(format!("--poll-interval: `{text}` is no time, such as 500ms, 5s or 1min")))
        };
        Ok(Assumptions {
            poll_interval: self.poll_interval.as_ref().map(interval).transpose()?,
            compression: match self.compression {
                Compression::Range => AssumedCompression::Range,
                Compression::None => AssumedCompression::None,
                Compression::Deflate => AssumedCompression::Deflate,
            },
            requests: match self.requests {
                Requests::Range => AssumedRequests::Range,
                Requests::Own => AssumedRequests::Own,
                Requests::Shared => AssumedRequests::Shared,
            },
        })
    }
}

/// A duration in whole milliseconds, or as limits are written.
fn interval(text: &str) -> Option<Duration> {
    match text.trim().strip_suffix("ms") {
        Some(number) => number.trim().parse().ok().map(Duration::from_millis),
        None => Quantity::Duration.parse(text).map(Duration::from_secs),
    }
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
    let options = Options { assumptions: args.assumed.assumptions()?, ..args.input.options()? };
    let files = args.input.files()?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let basis = match args.basis {
        Counted::Wire => Basis::Wire,
        Counted::Ip => Basis::Ip,
        Counted::Application => Basis::Application,
    };
    let settings = Settings { basis, ..Settings::new(&options) };
    let progress = Progress::new(!args.display.quiet && !args.display.no_progress);
    let mut summary = Summary::new(options.assumptions);
    let mut measured = false;
    let facts = read(&files, options, progress, |event| {
        if let Event::Row(row) = event {
            measured |= is_measured(row);
            summary.add(row);
        }
        Ok(())
    })?;

    let report = Report::new(facts.files.iter().map(CaptureFile::from).collect(), settings, &facts.totals, &summary);
    let layout = Layout {
        width: args.display.width().map(|width| u16::try_from(width).unwrap_or(u16::MAX)),
        color: args.display.color(),
        without_hints: args.display.quiet,
    };
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
