//! Verdicts in the formats that people and CI systems read.

pub(super) mod github;
pub(super) mod junit;
pub(super) mod page;
pub(super) mod sarif;

use std::io::{self, Write};

use serde::Serialize;

/// Anything as JSON, as reports are written.
pub(super) fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
