//! The report as CSV (RFC 4180) for spreadsheets: a line for each figure or text, by its path in the JSON.

pub mod rows;

use std::io::{self, Write};

use serde_json::Value;

use super::Report;

/// Writes the report: `path,value`, the names in each object in alphabetical order. What is not known has no value.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = csv::Writer::from_writer(out);
    lines.write_record(["path", "value"])?;
    write_value(&mut String::new(), &serde_json::to_value(report)?, &mut lines)?;
    lines.flush()
}

fn write_value(path: &mut String, value: &Value, lines: &mut csv::Writer<&mut dyn Write>) -> io::Result<()> {
    let mut below = |name: &str, value: &Value| {
        let end = path.len();
        if end > 0 {
            path.push('.');
        }
        path.push_str(name);
        let written = write_value(path, value, lines);
        path.truncate(end);
        written
    };
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| below(name, value)),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(at, item)| below(&at.to_string(), item)),
        Value::Null => Ok(lines.write_record([path.as_str(), ""])?),
        Value::String(text) => Ok(lines.write_record([path.as_str(), &harmless(text)])?),
        Value::Bool(_) | Value::Number(_) => Ok(lines.write_record([path.as_str(), &value.to_string()])?),
    }
}

/// Text that a spreadsheet takes for text: what begins like a formula has an apostrophe before it.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_network_becomes_no_formula() {
        assert_eq!(["=1+1", "-2", "@a", "/api"].map(harmless), ["'=1+1", "'-2", "'@a", "/api"]);
    }
}
