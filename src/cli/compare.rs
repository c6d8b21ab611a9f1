//! `wiretare compare`: what changed from one capture to another.

use std::path::PathBuf;

use clap::ValueEnum;
use wiretare::budget::{Unit, compare, differing_settings};
use wiretare::{Error, Result};

use super::arguments::{Display, Input, reads_stdin_once};
use super::measure::{load, wants_capture};
use super::notes::Notes;
use super::output::Output;
use super::{Outcome, verdicts};

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare compare before.pcapng after.pcapng
  wiretare compare main.json capture.pcapng --max-increase 5%
  wiretare compare -f github main.json branch.json >> \"$GITHUB_STEP_SUMMARY\"

A mean that changed by less than three standard errors is noise, unless no value of one is among the other's; one of fewer than \
five values says little: neither fails. Where both carried the same content, errors of the cost on the wire are those of the overhead. \
`wiretare check --max-increase` bounds a mean however it varies.
Exit codes, the first that fits: 2 what cannot be compared; 130 or 143 interrupted; 1 with --max-increase, when a cost grew \
clearly by more; 3 with --strict, when a capture was damaged or held neither an Ajax exchange nor a WebSocket message; 0 compared.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What it is compared with: a capture, or a report of `wiretare report -f json`
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// What is new: a capture or a report
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Exit with 1 when what one exchange or message costs grew clearly by more than this, such as `5%`, or is only in the base
    #[arg(long, value_name = "PERCENT")]
    max_increase: Option<String>,
    /// Compare reports that were made with different settings
    #[arg(long)]
    force: bool,
    /// How the comparison is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    pub(super) analysis: Analysis,
    #[command(flatten)]
    pub(super) display: Display,
}

/// How captures are read; reports say how they were made.
#[derive(Debug, clap::Args)]
pub(super) struct Analysis {
    #[command(flatten)]
    pub(super) how: super::arguments::How,
    /// Exit with 3 when a capture was damaged or held nothing to measure
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people
    Table,
    /// One JSON object
    Json,
    /// The tables as GitHub Flavored Markdown
    Markdown,
    /// A summary for a pull request: the sides, the rest folded
    Github,
}

/// Compares two captures or reports.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let max_increase = args.max_increase.as_deref().map(percentage).transpose()?;
    let files = [args.base, args.new];
    reads_stdin_once(&files)?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let [base, new] = files.map(|file| Input::of_file(file, args.analysis.how.clone()));
    let (old, fresh) = (load(&base, &args.display, notes)?, load(&new, &args.display, notes)?);
    wants_capture(&base, &[&old, &fresh])?;
    if !args.force {
        super::same_settings(&differing_settings(&old.report, &fresh.report))?;
    }
    let comparison = compare(&old.report, &fresh.report, max_increase);
    if let Some(lack) = max_increase.and_then(|_| comparison.lacks(&old.report, &fresh.report)) {
        return Err(Error::Usage(format!("no verdict: {lack}")));
    }
    let out = output.buffer();
    match args.format {
        Format::Table => verdicts::page::compared(&comparison, args.display.layout(), out),
        Format::Markdown => verdicts::page::compared(&comparison, args.display.markdown(), out),
        Format::Github => verdicts::page::summary(&comparison, args.display.markdown(), out),
        Format::Json => verdicts::json(&comparison, out),
    }
    .expect("a Vec takes every write");
    output.finish()?;
    Ok(Outcome::judged(comparison.verdict, old.is_damaged || fresh.is_damaged, old.is_empty || fresh.is_empty))
}

fn percentage(text: &str) -> Result<f64> {
    Unit::Share
        .parse(text)
        .filter(|part| text.trim_end().ends_with('%') && *part >= 0.0)
        .ok_or_else(|| Error::Usage(format!("--max-increase {text}: wanted per cent, such as 5%")))
}
