//! `wiretare report`: Ajax against WebSocket.

use std::time::Duration;

use clap::ValueEnum;
use wiretare::analysis::comparison::Basis;
use wiretare::report::{csv, json, table};
use wiretare::{AssumedCompression, AssumedRequests, Assumptions, Error, Options, Quantity, Result};

use super::Outcome;
use super::arguments::{Display, Input};
use super::measure::{Measured, measure};
use super::notes::Notes;
use super::output::Output;

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
    /// The tables as GitHub Flavored Markdown
    Markdown,
    /// A line for each figure: its path in the JSON, its value
    Csv,
}

/// Prints the report on the captures.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let options = Options { assumptions: args.assumed.assumptions()?, ..args.input.options()? };
    let mut output = Output::open(args.display.output.as_deref(), &args.input.files()?)?;
    let basis = match args.basis {
        Counted::Wire => Basis::Wire,
        Counted::Ip => Basis::Ip,
        Counted::Application => Basis::Application,
    };
    let Measured { report, is_damaged, is_empty } = measure(&args.input, options, basis, &args.display, notes)?;
    match args.format {
        Format::Csv => csv::write(&report, output.buffer()),
        Format::Table => table::write(&report, args.display.layout(), output.buffer()),
        Format::Markdown => table::write(&report, args.display.markdown(), output.buffer()),
        Format::Json => json::write(&report, output.buffer()),
    }
    .expect("a Vec takes every write");
    output.finish()?;
    Ok(Outcome::of(is_damaged, is_empty))
}
