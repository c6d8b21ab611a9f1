//! The command line: the only reader of arguments and environment, the only writer to the terminal.

mod arguments;
mod check;
mod compare;
mod dissect;
mod filter;
mod follow;
mod interrupts;
mod live;
mod measure;
mod messages;
mod notes;
mod ordered;
mod output;
mod progress;
mod report;
mod run;
mod schema;
mod search;
mod shell;
mod verdicts;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use wiretare::budget::Verdict;
use wiretare::{Error, Result};

use arguments::Input;
use notes::Notes;
use output::Output;

const EXAMPLES: &str = "\
Examples:
  wiretare capture.pcapng                         what Ajax and WebSocket cost, as a table
  wiretare report -f json -o cost.json *.pcap     the same for scripts; several files, one capture
  wiretare messages -f table capture.pcapng       a line for each exchange, message and connection
  wiretare dissect --frame 136 capture.pcapng     one frame, layer by layer
  wiretare follow --connection 2 capture.pcapng   what was said on a connection
  wiretare compare before.pcapng after.pcapng     what changed
  wiretare check capture.pcapng --budget b.toml   whether it keeps a budget
  tcpdump -i any -U -w - | wiretare messages -    the same as JSON, live

Exit codes, the first that fits: 2 bad usage, or input or output that cannot be read, written or judged; \
130 or 143 interrupted (SIGINT, SIGTERM); 1 `check` or `compare` says no; 3 with --strict, when the capture was damaged or held \
nothing to measure; 0 done.";

/// Weighs web traffic in packet captures: what every Ajax exchange and WebSocket message costs on the wire.
///
/// Reads pcap and pcapng, plain or compressed (gzip, zstd, lz4, xz), and counts for each message its content, its
/// framing, and the TLS, TCP, IP and link headers that carried it. Without a command, `wiretare CAPTURE...` is
/// `wiretare report CAPTURE...`.
#[derive(Debug, Parser)]
#[command(name = "wiretare", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    report: report::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compares what Ajax and WebSocket cost in a capture (also without the word `report`)
    ///
    /// Ajax is every exchange that a script made; the opening handshake of a WebSocket is charged to the WebSocket.
    #[command(after_long_help = report::EXAMPLES)]
    Report(report::Args),
    /// Prints a row for each HTTP exchange, WebSocket message and connection, as soon as it is known
    ///
    /// A row says what its message carried (content_bytes), what that took as sent (encoded_bytes), what HTTP or WebSocket
    /// added (framing_bytes), what TLS, TCP, IP and the link added, and the sum (wire_bytes).
    #[command(after_long_help = messages::EXAMPLES)]
    Messages(messages::Args),
    /// Shows frames layer by layer: headers, WebSocket frames bit by bit, messages unmasked and decoded
    ///
    /// Each frame as Wireshark shows it, with what its layers cost. Analysis begins with the capture even where only some
    /// frames are shown, so that compressed and reassembled messages are known.
    #[command(after_long_help = dissect::EXAMPLES)]
    Dissect(dissect::Args),
    /// Prints what was said on one connection, both directions, unmasked, inflated and decoded
    ///
    /// HTTP messages with their header sections and decoded content, WebSocket messages and control frames.
    #[command(after_long_help = follow::EXAMPLES)]
    Follow(follow::Args),
    /// Compares two captures, or reports that were saved: what changed, in bytes and per cent
    ///
    /// Sides, endpoints and subprotocols are matched by name. What may be chance is said to be so.
    #[command(after_long_help = compare::EXAMPLES)]
    Compare(compare::Args),
    /// Checks a capture, or a report that was saved, against a budget: the verdict for CI
    ///
    /// A rule bounds a metric of the report, absolutely or against a baseline. What was not measured never passes silently.
    #[command(after_long_help = check::EXAMPLES)]
    Check(check::Args),
    /// Prints the JSON Schema of what is printed or read
    #[command(after_long_help = schema::EXAMPLES)]
    Schema(schema::Args),
    /// Prints a script that completes the command line in a shell
    #[command(after_long_help = shell::COMPLETIONS)]
    Completions(shell::CompletionsArgs),
    /// Prints a manual page
    #[command(after_long_help = shell::MAN)]
    Man(shell::ManArgs),
}

/// How a run ended that was not stopped by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The capture was damaged.
    Damaged,
    /// What was read, or chosen of it, held nothing to measure.
    Empty,
    /// The verdict is no.
    Refused,
}

impl Outcome {
    fn of(is_damaged: bool, is_empty: bool) -> Self {
        match (is_damaged, is_empty) {
            (true, _) => Self::Damaged,
            (false, true) => Self::Empty,
            (false, false) => Self::Done,
        }
    }

    /// Of a verdict for CI; a no comes before all else.
    fn judged(verdict: Verdict, is_damaged: bool, is_empty: bool) -> Self {
        match verdict {
            Verdict::Fail => Self::Refused,
            Verdict::Pass | Verdict::Warn => Self::of(is_damaged, is_empty),
        }
    }

    /// Why it is not what `--strict` asks for.
    fn lacks(self) -> Option<&'static str> {
        match self {
            Self::Done | Self::Refused => None,
            Self::Damaged => Some("the capture is damaged"),
            Self::Empty => Some("nothing to measure: no Ajax exchange and no WebSocket message in what was read and chosen"),
        }
    }
}

/// Reads the arguments, does what they ask for, and says how it went.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Report(cli.report));
    let (input, strict, quiet) = match &command {
        Command::Report(args) => (Some(&args.input), args.input.strict, args.display.quiet),
        Command::Messages(args) => (Some(&args.input), args.input.strict, args.display.quiet),
        Command::Dissect(args) => (Some(&args.input), args.input.strict, args.display.quiet),
        Command::Follow(args) => (Some(&args.input), args.input.strict, args.display.quiet),
        Command::Check(args) => (Some(&args.input), args.input.strict, args.display.quiet),
        Command::Compare(args) => (None, args.analysis.strict, args.display.quiet),
        Command::Schema(_) | Command::Completions(_) | Command::Man(_) => (None, false, false),
    };
    let notes = Notes::new(quiet);
    for file in input.into_iter().flat_map(Input::repeated) {
        notes.warning(format_args!("{}: given more than once; its packets are taken for copies", file.display()));
    }
    let outcome = match command {
        _ if input.is_some_and(Input::asks_for_limits) => list_limits(),
        Command::Report(args) => report::run(args, &notes),
        Command::Messages(args) => messages::run(args, &notes),
        Command::Dissect(args) => dissect::run(args, &notes),
        Command::Follow(args) => follow::run(args, &notes),
        Command::Compare(args) => compare::run(args, &notes),
        Command::Check(args) => check::run(args, &notes),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    match (outcome, live::interrupted()) {
        (Ok(_), Some(code)) => {
            notes.note("interrupted; shown is what came until then");
            ExitCode::from(code)
        }
        // Not even the beginning of a capture.
        (Err(Error::NotACapture { .. }), Some(code)) => {
            notes.note("interrupted; nothing had come that could be shown");
            ExitCode::from(code)
        }
        (Ok(Outcome::Refused), None) => ExitCode::from(1),
        (Ok(outcome), None) => match outcome.lacks().filter(|_| strict) {
            Some(lacking) => {
                notes.refusal(format_args!("strict: {lacking}"));
                ExitCode::from(3)
            }
            None => ExitCode::SUCCESS,
        },
        // The reader of our output has had enough, as in `wiretare messages … | head`.
        (Err(Error::Write { source, .. }), _) if source.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        (Err(error), _) => {
            notes.error(&error);
            ExitCode::from(2)
        }
    }
}

/// Reports that were made with different settings are not compared unless that is asked for.
fn same_settings(differing: &[String]) -> Result<()> {
    match differing.is_empty() {
        true => Ok(()),
        false => {
            Err(Error::Usage(format!("the two were made with different settings ({}); `--force` compares them", differing.join("; "))))
        }
    }
}

/// What `--limit help` prints.
fn list_limits() -> Result<Outcome> {
    let mut output = Output::open(None, &[])?;
    output.buffer().extend_from_slice(arguments::list_of_limits().as_bytes());
    output.finish()?;
    Ok(Outcome::Done)
}

/// What to do when neither files nor a pipe were given: the usage, as clap prints it.
fn usage() -> Result<()> {
    let text = Cli::command().render_usage();
    Err(Error::Usage(format!("no capture given\n\n{text}\n\nFor more information, try '--help'.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn capture_without_a_command_is_a_report() {
        let cli = Cli::try_parse_from(["wiretare", "-f", "json", "a.pcap", "-"]).expect("good usage");
        assert!(cli.command.is_none());
        assert_eq!(cli.report.input.captures, ["a.pcap", "-"].map(std::path::PathBuf::from));
    }

    #[test]
    fn nothing_at_all_is_for_the_run_to_judge_by_what_stdin_is() {
        for arguments in [vec!["wiretare"], vec!["wiretare", "messages"]] {
            assert!(Cli::try_parse_from(arguments).is_ok());
        }
    }

    #[test]
    fn every_long_flag_says_what_it_does() {
        for command in Cli::command().get_subcommands() {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }
}
