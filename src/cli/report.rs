//! `wiretare report`: Ajax against WebSocket.

use clap::ValueEnum;
use wiretare::Result;

use super::Outcome;
use super::arguments::{Display, Input};
use super::notes::Notes;

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
pub(super) fn run(args: Args, _notes: &Notes) -> Result<Outcome> {
    let _files = args.input.files()?;
    // The seam: a Summary takes every row; the Report made of it is written by report::table or report::json.
    Err(wiretare::Error::Usage("this build cannot write reports yet".into()))
}
