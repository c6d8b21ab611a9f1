//! The report as a page: the verdict first, then what it rests on.

mod sections;

use std::io::{self, Write};

use super::Report;
use super::page::{Layout, Page};
use super::verdict::{hints, verdict};

/// Writes the report.
pub fn write(report: &Report, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(layout, out);
    for sentence in verdict(report) {
        page.paragraph("", &sentence)?;
    }
    sections::captured(&mut page, report)?;
    sections::one_by_one(&mut page, report)?;
    sections::all_in(&mut page, report)?;
    sections::distributions(&mut page, report)?;
    sections::break_even(&mut page, report)?;
    sections::counterfactual(&mut page, report)?;
    sections::compression(&mut page, report)?;
    sections::envelopes(&mut page, report)?;
    sections::header_fields(&mut page, report)?;
    sections::polling(&mut page, report)?;
    sections::engine_io(&mut page, report)?;
    sections::refusals(&mut page, report)?;
    sections::endpoints(&mut page, report)?;
    sections::findings(&mut page, report)?;
    sections::transport(&mut page, report)?;
    sections::anomalies(&mut page, report)?;
    sections::conservation(&mut page, report)?;
    let hints = if layout.without_hints { Vec::new() } else { hints(report) };
    if !hints.is_empty() {
        page.gap()?;
    }
    for hint in hints {
        page.paragraph("hint: ", &hint)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
