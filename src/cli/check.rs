//! `wiretare check`: a budget for CI.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wiretare::budget::{Bound, Budget, Catalogue, Rule, check, differing_settings};
use wiretare::report::{schema, thousands};
use wiretare::{Error, Result};

use super::arguments::{Display, Input, reads_stdin_once};
use super::measure::{load, wants_capture};
use super::notes::Notes;
use super::output::Output;
use super::{Outcome, verdicts};

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare check capture.pcapng --max websocket.per_message.overhead_bytes.p95=40
  wiretare check capture.pcapng --budget wiretare.toml --baseline main.json
  wiretare check capture.pcapng --budget wiretare.toml -f junit -o wiretare.xml

A budget is TOML:
  [[budget]]
  metric = \"ajax.per_exchange.wire_bytes.mean\"
  max = \"2 KiB\"
  max_increase = \"5%\"          # than in the baseline

Metrics are paths in the JSON of `wiretare report -f json`; `wiretare schema budget` describes the file.
Exit codes, the first that fits: 2 it could not be checked: no such metric, or one of a rule that was not measured (unless \
its `no_data` says what follows); 130 or 143 interrupted; 1 a rule does not hold; 3 with --strict, when a capture was damaged or \
held neither an Ajax exchange nor a WebSocket message; 0 every rule holds.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) input: Input,
    /// A budget file; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Budget")]
    budget: Vec<PathBuf>,
    /// A report, or a capture, that relative bounds compare with
    #[arg(long, value_name = "REPORT", help_heading = "Budget")]
    baseline: Option<PathBuf>,
    /// A metric and the most that it may be, such as `ajax.setup=2KiB`; may be repeated
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Budget")]
    max: Vec<String>,
    /// A metric and the least that it has to be
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Budget")]
    min: Vec<String>,
    /// A metric and by how much it may be more than in the baseline, such as `ajax.setup=5%`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Budget")]
    max_increase: Vec<String>,
    /// Compare with a baseline that was made with other settings
    #[arg(long, help_heading = "Budget")]
    force: bool,
    /// How the verdict is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Table,
    /// One JSON object
    Json,
    /// The table as GitHub Flavored Markdown
    Markdown,
    /// JUnit's XML, a test case for each rule
    Junit,
    /// Annotations of a GitHub workflow
    Github,
    /// SARIF 2.1.0, a result for each rule that does not hold
    Sarif,
}

/// Checks captures or a report against budgets.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    reads_stdin_once(args.input.captures.iter().chain(&args.baseline))?;
    let budget = budget(&args)?;
    let inputs: Vec<_> = args.input.captures.iter().chain(&args.baseline).chain(&args.budget).cloned().collect();
    let mut output = Output::open(args.display.output.as_deref(), &inputs)?;
    let baseline = args.baseline.as_ref().map(|file| load(&args.input.of(file), &args.display, notes)).transpose()?;
    let loaded = load(&args.input, &args.display, notes)?;
    wants_capture(&args.input, &baseline.iter().chain([&loaded]).collect::<Vec<_>>())?;
    let is_damaged = loaded.is_damaged || baseline.as_ref().is_some_and(|baseline| baseline.is_damaged);
    let (report, baseline) = (loaded.report, baseline.map(|baseline| baseline.report));
    if let Some(baseline) = baseline.as_ref().filter(|_| !args.force) {
        super::same_settings(&differing_settings(baseline, &report))?;
    }
    let checked = check(&report, baseline.as_ref(), &budget, &Catalogue::of(&schema::report()))?;
    let out = output.buffer();
    match args.format {
        Format::Table => verdicts::page::checked(&checked, args.display.layout(), out),
        Format::Markdown => verdicts::page::checked(&checked, args.display.markdown(), out),
        Format::Json => verdicts::json(&checked, out),
        Format::Junit => verdicts::junit::write(&checked, out),
        Format::Github => verdicts::github::write(&checked, out),
        Format::Sarif => verdicts::sarif::write(&checked, args.input.captures.first().map(PathBuf::as_path), out),
    }
    .expect("a Vec takes every write");
    output.finish()?;
    Ok(Outcome::judged(checked.verdict, is_damaged, loaded.is_empty))
}

/// Octets of a budget: thousands of rules.
const LONGEST_BUDGET: u64 = 1 << 20;

fn text_of(file: &Path, name: &str) -> Result<String> {
    let open_failed = |source| Error::Open { file: name.to_owned(), source };
    let mut octets = Vec::new();
    std::fs::File::open(file).and_then(|file| file.take(LONGEST_BUDGET + 1).read_to_end(&mut octets)).map_err(open_failed)?;
    if octets.len() as u64 > LONGEST_BUDGET {
        return Err(Error::Usage(format!("{name}: not a budget: wanted at most {} MiB of TOML, had more", LONGEST_BUDGET >> 20)));
    }
    String::from_utf8(octets).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::Usage(format!("{name}: not a budget: wanted TOML in UTF-8, had another octet at offset {}", thousands(at as u64)))
    })
}

/// Files and flags together.
fn budget(args: &Args) -> Result<Budget> {
    let mut budget = Budget::default();
    for file in &args.budget {
        let name = file.display().to_string();
        budget.rules.extend(Budget::parse(&name, &text_of(file, &name)?)?.rules);
    }
    type ToRule = fn(Bound) -> Rule;
    let flags: [(&str, &[String], ToRule); 3] = [
        ("--max", &args.max, |bound| Rule { max: Some(bound), ..Rule::default() }),
        ("--min", &args.min, |bound| Rule { min: Some(bound), ..Rule::default() }),
        ("--max-increase", &args.max_increase, |bound| Rule { max_increase: Some(bound), ..Rule::default() }),
    ];
    for (flag, given, rule) in flags {
        for text in given {
            let Some((metric, value)) = text.split_once('=').filter(|(metric, _)| !metric.trim().is_empty()) else {
                return Err(Error::Usage(format!("{flag} {text}: wanted PATH=VALUE, such as ajax.per_exchange.wire_bytes.mean=2KiB")));
            };
            budget.rules.push(Rule { metric: metric.trim().to_owned(), ..rule(Bound::Text(value.trim().to_owned())) });
        }
    }
    match budget.rules.is_empty() {
        true => Err(Error::Usage(
            "no budget: wanted `--budget FILE`, or `--max PATH=VALUE`\nhint: `wiretare check --help` has an example".into(),
        )),
        false => Ok(budget),
    }
}
