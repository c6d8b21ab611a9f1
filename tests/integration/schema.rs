//! What is printed, against the schemas in docs/schema, by a validator that others wrote.

use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};
use wiretare::report::ndjson::Lines;
use wiretare::report::schema::rows;
use wiretare::report::{self, CaptureFile, Report, Settings};
use wiretare::{AjaxScope, Analyzer, Assumptions, Capture, ContentMode, Options, Row, Summary};

use crate::support::{captures_below, corpus, sample, samples};

/// Of a published schema; `gate` holds those to what the program prints.
fn validator(what: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schema/{what}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema = serde_json::from_str(&text).expect("a schema is JSON");
    jsonschema::meta::validate(&schema).expect("a schema as draft 2020-12 wants it");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema that can be compiled")
}

/// The first complaint about a value, and where in it.
fn complaint(validator: &Validator, value: &Value) -> Option<String> {
    validator.iter_errors(value).next().map(|error| format!("{}: {error}", error.instance_path()))
}

/// What the program prints of a capture: the report, and the lines of its rows; `None` where it is no capture.
fn printed(path: &Path, options: &Options) -> Option<(String, String)> {
    let mut capture = Capture::open(&[path.to_owned()], &options.limits).ok()?;
    let mut analyzer = Analyzer::new(options.clone());
    let (mut summary, mut lines, mut rows) = (Summary::new(options.assumptions), Lines::new(options.content), Vec::new());
    let mut take = |row: Row| {
        summary.add(&row);
        lines.append(&row, &mut rows);
    };
    while let Some(packet) = capture.next().ok()? {
        analyzer.packet(&packet);
        std::iter::from_fn(|| analyzer.poll()).for_each(&mut take);
    }
    analyzer.finish();
    std::iter::from_fn(|| analyzer.poll()).for_each(&mut take);
    let (files, mut totals) = (capture.files(), analyzer.totals().clone());
    files.iter().for_each(|file| totals.anomalies += &file.anomalies);
    let mut text = Vec::new();
    let report = Report::new(files.iter().map(CaptureFile::from).collect(), Settings::new(options), &totals, &summary);
    report::json::write(&report, &mut text).expect("a vector takes every byte");
    let utf8 = |octets| String::from_utf8(octets).expect("JSON is UTF-8");
    Some((utf8(text), utf8(rows)))
}

/// Options that fill fields which are empty without.
fn option_sets() -> [Options; 3] {
    let mut limited = Options { ajax: AjaxScope::All, content: ContentMode::Preview, separate_networks: true, ..Options::default() };
    limited.set_limit("idle_timeout=1h").expect("a limit");
    limited.decode_as = vec!["tcp.port==9000,websocket".parse().expect("a rule")];
    limited.assumptions = Assumptions { poll_interval: Some(std::time::Duration::from_secs(5)), ..Assumptions::default() };
    [Options::default(), Options { content: ContentMode::Full, digest: true, ..Options::default() }, limited]
}

/// Validates all that is printed of captures; returns how many captures and rows that was.
fn validate(captures: &[std::path::PathBuf], sets: &[Options]) -> (usize, usize) {
    let (report_validator, row_validator) = (validator("report"), validator("messages"));
    let (mut captures_read, mut rows_read, mut complaints) = (0, 0, Vec::new());
    for (path, options) in captures.iter().flat_map(|path| sets.iter().map(move |options| (path, options))) {
        let Some((report, lines)) = printed(path, options) else { continue };
        captures_read += 1;
        let report = serde_json::from_str(&report).expect("a report is JSON");
        complaints.extend(complaint(&report_validator, &report).map(|why| format!("{}: report{why}", path.display())));
        for line in lines.lines() {
            rows_read += 1;
            let row = serde_json::from_str(line).expect("a row is JSON");
            complaints.extend(complaint(&row_validator, &row).map(|why| format!("{}: {why}\n  {line}", path.display())));
            if let Err(error) = serde_json::from_str::<rows::Row>(line) {
                complaints.push(format!("{}: not read back: {error}\n  {line}", path.display()));
            }
        }
    }
    complaints.truncate(20);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    (captures_read, rows_read)
}

#[test]
fn every_published_schema_is_one() {
    for what in ["report", "messages", "budget", "check", "compare"] {
        validator(what);
    }
}

#[test]
fn all_that_is_printed_of_the_samples_is_as_the_schemas_say() {
    let samples = samples();
    let (captures, rows) = validate(&samples, &option_sets());
    assert_eq!(captures, samples.len() * option_sets().len());
    assert!(rows > 5_000, "only {rows} rows");
}

#[test]
fn all_that_is_printed_of_the_corpus_is_as_the_schemas_say() {
    let Some(corpus) = corpus() else { return };
    let (captures, rows) = validate(&captures_below(&corpus), &option_sets()[1..2]);
    assert!(captures > 700 && rows > 10_000, "only {captures} captures, {rows} rows");
}

/// A change that breaks the schema: what it is, and how a value is changed.
type Break = (&'static str, fn(&mut Value));

/// Each change makes a valid value invalid, by itself.
fn assert_each_breaks(validator: &Validator, value: &Value, breaks: &[Break]) {
    assert_eq!(complaint(validator, value), None);
    for (what, apply) in breaks {
        let mut broken = value.clone();
        apply(&mut broken);
        assert_ne!(&broken, value, "{what}: nothing was changed");
        assert!(complaint(validator, &broken).is_some(), "{what}: still valid");
    }
}

fn rename(value: &mut Value, from: &str, to: &str) {
    let object = value.as_object_mut().expect("an object");
    let value = object.remove(from).expect("the field");
    object.insert(to.into(), value);
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().expect("an object").remove(name).expect("the field");
}

#[test]
fn broken_report_is_not_as_the_schema_says() {
    let (report, _) = printed(&sample("browser/ajax-and-websocket.pcapng"), &Options::default()).expect("a capture");
    let breaks: &[Break] = &[
        ("a text for a number", |report| report["ajax"]["wire_bytes"] = json!("65632")),
        ("a fraction for a count", |report| report["websocket"]["messages"] = json!(1.5)),
        ("a number below zero", |report| report["tcp"]["segments"] = json!(-1)),
        ("null where it is never null", |report| report["conservation"]["buckets"] = Value::Null),
        ("null for what is left out", |report| report["websocket"]["exchanges"] = Value::Null),
        ("a renamed field", |report| rename(&mut report["websocket"]["per_message"], "overhead_bytes", "overhead")),
        ("a field left out", |report| remove(&mut report["comparison"]["all_in"]["wire"], "ratio")),
        ("a further field", |report| report["ajax"]["by_direction"]["client_to_server"]["surprise"] = json!(1)),
        ("a further field at the top", |report| report["surprise"] = json!(1)),
        ("another version", |report| report["schema_version"] = json!(2)),
        ("books that do not balance", |report| report["conservation"]["difference"] = json!(1)),
        ("a trouble of no such name", |report| rename(&mut report["tcp"]["analysis"], "zero_window", "no_window")),
        ("a side that is none", |report| report["endpoints"][0]["side"] = json!("http")),
        ("a time that is none", |report| report["captures"][0]["first_time"] = json!("yesterday")),
        ("an opcode that is none", |report| report["websocket"]["opcodes"][0]["opcode"] = json!("txt")),
    ];
    assert_each_breaks(&validator("report"), &serde_json::from_str(&report).expect("JSON"), breaks);
}

#[test]
fn broken_rows_are_not_as_the_schema_says() {
    let options = Options { content: ContentMode::Full, digest: true, ..Options::default() };
    let (_, lines) = printed(&sample("browser/ajax-and-websocket.pcapng"), &options).expect("a capture");
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let first = |wanted: &str| rows.iter().find(|row| row["type"] == wanted).expect("a row of each type");
    let exchange: &[Break] = &[
        ("a text for a number", |row| row["connection"] = json!("3")),
        ("a renamed field", |row| rename(row, "time_to_first_byte_s", "time_to_first_byte")),
        ("a field left out", |row| remove(&mut row["response"], "lost_bytes")),
        ("a further field", |row| row["request"]["surprise"] = json!(1)),
        ("a digest that is none", |row| row["response"]["content_sha256"] = json!("0f")),
        ("an upgrade to nothing known", |row| row["upgrade"] = json!("h2c")),
        ("more than sure", |row| row["ajax"]["confidence"] = json!(1.1)),
        ("details without anomalies", |row| row["anomaly_details"] = json!([])),
        ("an anomaly of no such name", |row| row["anomalies"] = json!(["oddity"])),
    ];
    let message: &[Break] = &[
        ("another type", |row| row["type"] = json!("exchange")),
        ("a type that is none", |row| row["type"] = json!("frame")),
        ("no type", |row| remove(row, "type")),
        ("a text for a number", |row| row["wire_bytes"] = json!("179")),
        ("a number for true and false", |row| row["masked"] = json!(1)),
        ("a renamed field", |row| rename(row, "encoded_bytes", "sent_bytes")),
        ("an opcode that is none", |row| row["opcode"] = json!("0x1")),
        ("a direction that is none", |row| row["direction"] = json!("client")),
        ("a time that is none", |row| row["time"] = json!(1_469_654_014)),
    ];
    let connection: &[Break] = &[
        ("a bucket left out", |row| remove(&mut row["buckets"], "teardown")),
        ("a bucket of no such name", |row| row["buckets"]["waste"] = json!({"client_to_server": 0, "server_to_client": 0})),
        ("a bucket without a direction", |row| remove(&mut row["buckets"]["teardown"], "client_to_server")),
        ("a trouble of no such name", |row| row["tcp"]["analysis"]["slow"] = json!({"client_to_server": 1, "server_to_client": 0})),
        ("null where it is never null", |row| row["tcp"]["client"]["ack_rtt"]["count"] = Value::Null),
        ("a renamed field", |row| rename(&mut row["tcp"], "segments", "packets")),
    ];
    let validator = validator("messages");
    assert_each_breaks(&validator, first("exchange"), exchange);
    assert_each_breaks(&validator, first("message"), message);
    assert_each_breaks(&validator, first("connection"), connection);
}

#[test]
fn rows_read_back_say_what_was_printed() {
    let (report, lines) = printed(&sample("browser/ajax-and-websocket.pcapng"), &Options::default()).expect("a capture");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let (mut messages, mut buckets) = (0, 0);
    for line in lines.lines() {
        match serde_json::from_str(line).expect("a row") {
            rows::Row::Exchange(exchange) => {
                messages += exchange.request.map_or(0, |request| request.money.wire_bytes);
                messages += exchange.response.map_or(0, |response| response.money.wire_bytes);
            }
            rows::Row::Message(message) => messages += message.money.wire_bytes,
            rows::Row::Connection(connection) => {
                buckets += connection.buckets.values().map(|bucket| bucket.client_to_server + bucket.server_to_client).sum::<u64>();
            }
        }
    }
    assert_eq!((json!(messages), json!(buckets)), (report["conservation"]["messages"].clone(), report["conservation"]["buckets"].clone()));
}

#[test]
fn row_of_a_later_version_can_be_read() {
    let (_, lines) = printed(&sample("deck/deck.pcap"), &Options::default()).expect("a capture");
    let line = lines.lines().find(|line| line.contains(r#""type":"message""#)).expect("a message");
    let later = line.replacen('{', r#"{"surprise":[1],"#, 1);
    let read = |line: &str| serde_json::from_str::<rows::Row>(line).expect("a row");
    assert_eq!(read(&later), read(line));
}
