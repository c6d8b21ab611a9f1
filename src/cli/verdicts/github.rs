//! Workflow commands of GitHub Actions: annotations for the rules that do not hold.

use std::io::{self, Write};

use wiretare::budget::{Checked, Verdict};
use wiretare::report::text::safe;

/// Writes an annotation for each rule that does not hold, and a notice that says how many do.
pub(crate) fn write(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    for outcome in &checked.outcomes {
        let command = match outcome.verdict {
            Verdict::Pass => continue,
            Verdict::Warn => "warning",
            Verdict::Fail => "error",
        };
        let of = outcome.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        let message = data(&format!("{}{of}: {}", outcome.metric, outcome.message));
        writeln!(out, "::{command} title={}::{message}", property(&format!("wiretare: {}", outcome.name)))?;
    }
    checked.cautions.iter().try_for_each(|caution| writeln!(out, "::warning title=wiretare::{}", data(caution)))?;
    writeln!(out, "::notice title=wiretare::{}", data(&super::page::verdict(checked)))
}

/// Text of a command: a line feed would end it.
fn data(text: &str) -> String {
    safe(text).replace('%', "%25")
}

/// Text of a property, which a colon or comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
