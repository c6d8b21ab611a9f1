//! What is said beside the data, on standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use wiretare::Error;
use wiretare::report::text;

use super::run::Facts;

/// ENFILE and EMFILE, which have no kind: more files than the system, or this process, may have open.
const TOO_MANY_FILES: [i32; 2] = [23, 24];

/// What may follow the name of the program; a mistyped one is taken for the name of a capture.
const COMMANDS: [&str; 9] = ["report", "messages", "dissect", "follow", "compare", "check", "schema", "completions", "man"];

/// Says things on standard error, in one form; a failure to say them is not worth stopping for.
#[derive(Debug)]
pub(super) struct Notes {
    quiet: bool,
}

impl Notes {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Something to know about the result.
    pub(super) fn note(&self, message: impl Display) {
        if !self.quiet {
            say("note", message);
        }
    }

    /// What to do, or to look for instead.
    pub(super) fn hint(&self, message: impl Display) {
        if !self.quiet {
            say("hint", message);
        }
    }

    /// Something that makes the result less than was asked for.
    pub(super) fn warning(&self, message: impl Display) {
        if !self.quiet {
            say("warning", message);
        }
    }

    /// Why the run, though done, is not what was asked for.
    pub(super) fn refusal(&self, message: impl Display) {
        say("error", message);
    }

    /// Warns of damage to the files, and says whether there was any.
    pub(super) fn damage(&self, facts: &Facts) -> bool {
        let mut damaged = false;
        for file in facts.files.iter().filter(|file| file.truncated || file.damage.is_some()) {
            damaged = true;
            let what = file.damage.as_deref().unwrap_or("ends too early");
            let name = if file.file == "-" { "standard input" } else { &file.file };
            self.warning(format_args!("{name}: {what}; shown is what could be read"));
        }
        damaged
    }

    /// What to do with an input that is something else.
    fn not_a_capture(&self, found: &str) {
        let starts = |words: &[&str]| words.iter().any(|word| found.starts_with(word));
        if starts(&["a ", "an "]) && found.contains(" capture") {
            say("hint", "Wireshark's `editcap FILE OUT.pcapng` converts captures of other programs");
        } else if starts(&["a zip", "a bzip2", "an lz4", "a file compressed more than twice"]) {
            say("hint", "decompress it first");
        } else if starts(&["a report"]) {
            say("hint", "`wiretare compare` and `wiretare check` read reports, as plain files");
        } else if starts(&["JSON"]) {
            say("hint", "wiretare reads packets; what a browser logged (HAR) holds none");
        } else if starts(&["an empty file"]) {
            say("hint", "was the capture stopped before its first packets were written? `tcpdump -U` writes each at once");
        }
    }

    /// What stopped the run.
    pub(super) fn error(&self, error: &Error) {
        say("error", error);
        if let Error::NotACapture { found, .. } = error {
            self.not_a_capture(found);
        }
        if let Error::Open { source, .. } | Error::Write { source, .. } = error
            && source.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code))
        {
            say("hint", "these captures overlap in time, so that many are open at once: `ulimit -n 4096` in this shell allows more files");
        }
        if let Error::Open { file, source } = error
            && source.kind() == ErrorKind::NotFound
            && !file.contains(['/', '.'])
        {
            match file.as_str() {
                command if COMMANDS.contains(&command) => say("hint", format_args!("flags follow the command: `wiretare {command} …`")),
                _ if std::env::args_os().skip(1).any(|arg| arg.to_str().is_some_and(|arg| COMMANDS.contains(&arg))) => {}
                _ => {
                    let commands = COMMANDS.map(|command| format!("`{command}`")).join(", ");
                    say("hint", format_args!("commands are {commands}; anything else is the name of a capture"))
                }
            }
        }
    }
}

/// Columns of a line that quotes what was given: more is no line that anybody reads.
const LONGEST_LINE: usize = 1000;

/// The message may quote file names and captured octets: each of its lines is made safe to show.
fn say(kind: &str, message: impl Display) {
    let message = message.to_string();
    let lines: Vec<_> = message.lines().map(|line| text::shorten(&text::safe(line), LONGEST_LINE)).collect();
    let _ = writeln!(std::io::stderr(), "{kind}: {}", lines.join("\n"));
}
