//! What is said beside the data, on standard error.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;

use wiretare::report::text;
use wiretare::{Error, nearest};

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
        } else if starts(&["rows"]) {
            say("hint", "a report is made of the capture that the rows are of: `wiretare report CAPTURE`");
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
            && let Some(hint) = mistyped(file, &std::env::args_os().skip(1).collect::<Vec<_>>())
        {
            say("hint", hint);
        }
    }
}

/// What a name was meant for that is no file's, and may be a command's.
fn mistyped(file: &str, arguments: &[OsString]) -> Option<String> {
    if file.contains(['/', '.']) {
        return None;
    }
    if COMMANDS.contains(&file) {
        return Some(format!("flags follow the command: `wiretare {file} …`"));
    }
    // A command comes first; behind a file or another command a name is that of a file.
    let mut before = arguments.iter().take_while(|argument| *argument != file);
    let is_command = |argument: &OsString| argument.to_str().is_some_and(|argument| COMMANDS.contains(&argument));
    if before.any(|argument| Path::new(argument).exists()) || arguments.iter().any(is_command) {
        return None;
    }
    let meant = nearest(file, COMMANDS.into_iter()).map(|command| format!("did you mean `wiretare {command}`? ")).unwrap_or_default();
    let commands = COMMANDS.map(|command| format!("`{command}`")).join(", ");
    Some(format!("{meant}commands are {commands}; anything else is the name of a capture"))
}

/// Columns of a line that quotes what was given: more is no line that anybody reads.
const LONGEST_LINE: usize = 1000;

/// The message may quote file names and captured octets: each of its lines is made safe to show.
fn say(kind: &str, message: impl Display) {
    let message = message.to_string();
    let lines: Vec<_> = message.lines().map(|line| text::shorten(&text::safe(line), LONGEST_LINE)).collect();
    let _ = writeln!(std::io::stderr(), "{kind}: {}", lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_name_may_be_a_mistyped_command() {
        let hint = |file: &str, arguments: &[&str]| mistyped(file, &arguments.iter().map(OsString::from).collect::<Vec<_>>());
        let begins =
            |hint: Option<String>, expected: &str| assert!(hint.as_deref().is_some_and(|hint| hint.starts_with(expected)), "{hint:?}");
        begins(hint("mesages", &["mesages", "own.pcap"]), "did you mean `wiretare messages`? commands are `report`, ");
        begins(hint("mesages", &["-q", "mesages"]), "did you mean `wiretare messages`?");
        begins(hint("shopping", &["shopping"]), "commands are ");
        begins(hint("messages", &["-q", "messages"]), "flags follow the command");
        for (file, arguments) in [
            ("nope", &["Cargo.toml", "nope"][..]),
            ("nope", &["compare", "Cargo.toml", "nope"]),
            ("nope.pcap", &["nope.pcap"]),
            ("captures/nope", &["captures/nope"]),
        ] {
            assert_eq!(hint(file, arguments), None, "{arguments:?}");
        }
    }
}
