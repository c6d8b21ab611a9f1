//! Rows as CSV, beside the same rows as JSON and the report.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use wiretare::report::csv::rows::Lines;
use wiretare::report::{CaptureFile, Report, Settings, ndjson};
use wiretare::{AjaxScope, Capture, ContentMode, Options, Summary};

use crate::support::{analyze, captures_below, corpus, samples};

/// A line by the names of its columns; empty cells are left out.
type Cells = HashMap<String, String>;

/// The lines, the same rows as JSON, and the report; `None` where it is no capture.
fn printed(path: &Path, options: &Options) -> Option<(Vec<Cells>, Vec<Value>, Value)> {
    let (rows, totals) = analyze(path, options).ok()?;
    let files = Capture::open(&[path.to_owned()], &options.limits).ok()?;
    let (mut lines, mut json) = (Lines::default(), ndjson::Lines::new(options.content));
    let (mut csv, mut values, mut summary) = (Vec::new(), Vec::new(), Summary::new(options.assumptions));
    lines.append_header(&mut csv);
    for row in &rows {
        summary.add(row);
        lines.append(row, &mut csv);
        let mut line = Vec::new();
        json.append(row, &mut line);
        values.push(serde_json::from_slice(&line).expect("a row is JSON"));
    }
    let files = files.files().iter().map(CaptureFile::from).collect();
    let report = Report::new(files, Settings::new(options), &totals, &summary);
    Some((cells(&csv), values, serde_json::to_value(report).expect("a report is JSON")))
}

fn columns() -> Vec<String> {
    let mut header = Vec::new();
    Lines::default().append_header(&mut header);
    csv::Reader::from_reader(header.as_slice()).headers().expect("names of columns").iter().map(str::to_owned).collect()
}

fn cells(csv: &[u8]) -> Vec<Cells> {
    let mut reader = csv::Reader::from_reader(csv);
    let names = reader.headers().expect("names of columns").clone();
    let lines = reader.records().map(|line| line.expect("as many cells as columns"));
    let filled = |line: csv::StringRecord| {
        let cells = names.iter().zip(&line).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    };
    lines.map(filled).collect()
}

fn captures() -> Vec<std::path::PathBuf> {
    samples().into_iter().chain(corpus().iter().flat_map(|corpus| captures_below(corpus))).collect()
}

fn wire_bytes<'a>(lines: impl Iterator<Item = &'a Cells>) -> u64 {
    lines.map(|line| line["wire_bytes"].parse::<u64>().expect("octets")).sum()
}

#[test]
fn lines_of_a_side_add_up_to_what_the_report_says_that_it_paid() {
    for ajax in [AjaxScope::Detected, AjaxScope::All] {
        let options = Options { ajax, ..Options::default() };
        for path in captures() {
            let Some((lines, _, report)) = printed(&path, &options) else { continue };
            for side in ["ajax", "websocket", "server_sent_events", "other_http"] {
                let paid = wire_bytes(lines.iter().filter(|line| line.get("side").is_some_and(|of| of == side)));
                assert_eq!(Some(paid), report[side]["all_in_wire_bytes"].as_u64(), "{side} of {}", path.display());
            }
            let nobodys = wire_bytes(lines.iter().filter(|line| !line.contains_key("side")));
            let conservation = |name: &str| report["conservation"][name].as_u64().expect("octets");
            assert_eq!(nobodys, conservation("unclaimed_buckets"), "{}", path.display());
            assert_eq!(wire_bytes(lines.iter()), conservation("messages") + conservation("buckets"), "{}", path.display());
        }
    }
}

/// Columns that are called otherwise in JSON, or stand in the exchange around a message.
const ELSEWHERE: [(&str, &str); 17] = [
    ("client", "/exchange/client"),
    ("server", "/exchange/server"),
    ("number", "/exchange/number"),
    ("connection", "/exchange/connection"),
    ("method", "/exchange/request/method"),
    ("host", "/exchange/request/host"),
    ("target", "/exchange/request/target"),
    ("ajax", "/exchange/ajax/verdict"),
    ("upgrade", "/exchange/upgrade"),
    ("time_to_first_byte_s", "/exchange/time_to_first_byte_s"),
    ("time_to_last_byte_s", "/exchange/time_to_last_byte_s"),
    ("polling", "/exchange/polling/kind"),
    ("envelope", "/message/envelope/protocol"),
    ("envelope_kind", "/message/envelope/kind"),
    ("envelope_name", "/message/envelope/name"),
    ("envelope_id", "/message/envelope/id"),
    ("envelope_bytes", "/message/envelope/envelope_bytes"),
];

/// Columns that JSON has no text for.
const OURS: [&str; 6] = ["type", "direction", "side", "bucket", "anomalies", "reasons"];

/// Each message of a row as JSON, with the exchange around it.
fn messages(row: &Value) -> Vec<Value> {
    let around = |message: &Value, exchange: &Value| serde_json::json!({"message": message, "exchange": exchange});
    match row["type"].as_str() {
        Some("exchange") => ["request", "response"].map(|which| around(&row[which], row)).into_iter().filter(is_there).collect(),
        Some("message") => vec![around(row, &serde_json::json!({"connection": row["connection"], "number": row["number"]}))],
        _ => Vec::new(),
    }
}

fn is_there(message: &Value) -> bool {
    !message["message"].is_null()
}

/// A value of JSON as a cell holds it; `None` where it is empty.
fn cell(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        other => Some(other.to_string()),
    }
}

/// What cannot have been changed lest it drive a terminal or be a formula.
fn is_harmless(text: &str) -> bool {
    text.is_ascii() && !text.contains(|c: char| c.is_ascii_control()) && !text.starts_with(['=', '+', '-', '@'])
}

/// Where JSON has what a column holds; `None` where it says it otherwise.
fn path_in_json(column: &str, is_websocket: bool) -> Option<String> {
    // WebSocket messages have these of their opening handshakes.
    let is_of_handshake = is_websocket && ["client", "server", "host", "target"].contains(&column);
    let path =
        ELSEWHERE.iter().find(|(name, _)| *name == column).map_or_else(|| format!("/message/{column}"), |&(_, path)| path.to_owned());
    (!is_of_handshake && !OURS.contains(&column)).then_some(path)
}

#[test]
fn cells_say_what_json_says() {
    let options = Options { content: ContentMode::Preview, digest: true, ..Options::default() };
    let mut compared = 0;
    let columns = columns();
    for path in samples() {
        let Some((lines, rows, _)) = printed(&path, &options) else { continue };
        let of_messages: Vec<_> = lines.iter().filter(|line| line["type"] != "bucket").collect();
        let messages: Vec<_> = rows.iter().flat_map(messages).collect();
        assert_eq!(of_messages.len(), messages.len(), "{}", path.display());
        for (line, message) in of_messages.into_iter().zip(&messages) {
            let is_websocket = line["type"] == "message";
            for column in &columns {
                let said = line.get(column);
                let Some(path_in_json) = path_in_json(column, is_websocket) else { continue };
                let expected = match cell(message.pointer(&path_in_json)) {
                    Some(expected) if !is_harmless(&expected) => continue,
                    // Text that has control characters.
                    None if column == "content_base64" && message.pointer("/message/content").is_some() => continue,
                    expected => expected,
                };
                assert_eq!(said, expected.as_ref(), "{column} in {line:?} of {}", path.display());
                compared += usize::from(said.is_some());
            }
        }
    }
    assert!(compared > 10_000, "only {compared} cells were compared");
}
