//! The report as JSON: keys in a fixed order, two spaces of indentation, a line feed at the end; the same bytes for the same capture.

use std::io::{self, Write};

use super::Report;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
