//! What a shell and `man` know of the command: both made from its own definition.

use clap::builder::{Resettable, StyledStr};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, roman};
use wiretare::{Error, Result};

use super::output::Output;
use super::{Cli, Outcome};

pub(super) const COMPLETIONS: &str = "\
Examples:
  wiretare completions bash > ~/.local/share/bash-completion/completions/wiretare
  wiretare completions zsh > ~/.zfunc/_wiretare
  wiretare completions fish > ~/.config/fish/completions/wiretare.fish";

pub(super) const MAN: &str = "\
Examples:
  wiretare man | man -l -
  wiretare man messages > wiretare-messages.1";

/// What stands at the foot of manual pages.
const SOURCE: &str = concat!("wiretare ", env!("CARGO_PKG_VERSION"));

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The command that the page is about, such as `messages`; without it, wiretare itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Prints a script that completes commands, options and their values.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wiretare", &mut script);
    print(&script)
}

/// Prints a manual page.
pub(super) fn man(args: &ManArgs) -> Result<Outcome> {
    let mut page = Vec::new();
    let command = command(args.command.as_deref())?;
    let behind = command.get_after_long_help().or_else(|| command.get_after_help()).map(StyledStr::to_string);
    // What it calls EXTRA has no line ends.
    let command = command.after_help(Resettable::Reset).after_long_help(Resettable::Reset);
    clap_mangen::Man::new(command).source(SOURCE).render(&mut page).expect("a Vec takes every write");
    sections(&behind.unwrap_or_default()).to_writer(&mut page).expect("a Vec takes every write");
    print(&page)
}

/// What stands behind the help, as sections: examples, then notes, then exit codes.
fn sections(behind: &str) -> Roff {
    let (before, codes) = behind.split_once("\nExit codes").unwrap_or((behind, ""));
    let mut paragraphs: Vec<&str> = before.split("\n\n").map(str::trim_end).filter(|paragraph| !paragraph.is_empty()).collect();
    let examples = paragraphs.first().and_then(|first| first.strip_prefix("Examples:\n"));
    if examples.is_some() {
        paragraphs.remove(0);
    }
    let mut roff = Roff::new();
    if !codes.is_empty() {
        roff.control("SH", ["EXIT STATUS"]).text([roman(format!("One of these{}", codes.replace('\n', " ")))]);
    }
    if !paragraphs.is_empty() {
        roff.control("SH", ["NOTES"]);
    }
    for paragraph in paragraphs {
        as_written(&mut roff, paragraph);
        roff.control("PP", []);
    }
    if let Some(examples) = examples {
        roff.control("SH", ["EXAMPLES"]);
        as_written(&mut roff, examples);
    }
    roff
}

/// Lines that stay lines.
fn as_written(roff: &mut Roff, lines: &str) {
    roff.control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

fn command(name: Option<&str>) -> Result<Command> {
    let mut whole = Cli::command().disable_help_subcommand(true);
    // Options of all, and the names that pages give to commands.
    whole.build();
    let Some(name) = name else { return Ok(whole) };
    let names = || whole.get_subcommands().map(Command::get_name).collect::<Vec<_>>().join(", ");
    match whole.find_subcommand(name) {
        Some(command) => Ok(command.clone()),
        None => Err(Error::Usage(format!("man: `{name}` is no command; there are {}", names()))),
    }
}

fn print(text: &[u8]) -> Result<Outcome> {
    let mut output = Output::open(None, &[])?;
    output.buffer().extend_from_slice(text);
    output.finish()?;
    Ok(Outcome::Done)
}
