//! `wiretare schema`: what is printed and read, as JSON Schema.

use std::path::PathBuf;

use clap::ValueEnum;
use wiretare::Result;
use wiretare::budget::{Budget, Checked, Comparison};
use wiretare::report::schema;

use super::Outcome;
use super::output::Output;

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare schema report > report.schema.json
  wiretare schema budget -o budget.schema.json    for an editor that completes TOML";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Of what
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// `wiretare report -f json`
    Report,
    /// A row of `wiretare messages -f ndjson`
    Messages,
    /// A budget file of `wiretare check`
    Budget,
    /// `wiretare check -f json`
    Check,
    /// `wiretare compare -f json`
    Compare,
}

/// Prints a schema.
pub(super) fn run(args: &Args) -> Result<Outcome> {
    let schema = match args.what {
        What::Report => schema::report(),
        What::Messages => schema::messages(),
        What::Budget => schema::of_input::<Budget>("wiretare budget"),
        What::Check => schema::of::<Checked>("wiretare check, schema version 1"),
        What::Compare => schema::of::<Comparison>("wiretare compare, schema version 1"),
    };
    let mut output = Output::open(args.output.as_deref(), &[])?;
    super::verdicts::json(&schema, output.buffer()).expect("a Vec takes every write");
    output.finish()?;
    Ok(Outcome::Done)
}
