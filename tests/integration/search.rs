//! `messages` with filters, against the same choice made by hand from all rows.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

const DEFLATE: &str = "samples/deflate/takeover.pcapng";
const BROWSER: &str = "samples/browser/ajax-and-websocket.pcapng";
const ODD: &str = "samples/php/textalk-both.pcapng";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wiretare"));
    command.arg("messages").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.output().expect("the command starts")
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Rows of a capture with a filter are those that fit among all of its rows.
fn is_chosen(capture: &str, filter: &[&str], fits: impl Fn(&Value) -> bool) -> usize {
    let chosen = rows(&[&[capture][..], filter].concat());
    let expected: Vec<Value> = rows(&[capture]).into_iter().filter(fits).collect();
    assert_eq!(chosen, expected, "{filter:?}");
    chosen.len()
}

fn len(part: &Value) -> u64 {
    part["content_bytes"].as_u64().or(part["encoded_bytes"].as_u64()).unwrap_or(0)
}

#[test]
fn opcode_and_direction_choose_websocket_messages() {
    assert!(is_chosen(DEFLATE, &["--opcode", "text"], |row| row["opcode"] == "text") > 5);
    assert!(is_chosen(DEFLATE, &["--opcode", "ping,close"], |row| row["opcode"] == "ping" || row["opcode"] == "close") > 1);
    assert!(is_chosen(DEFLATE, &["--direction", "server"], |row| row["direction"] == "server_to_client") > 5);
    let both = |row: &Value| row["opcode"] == "binary" && row["direction"] == "client_to_server";
    assert!(is_chosen(DEFLATE, &["--opcode", "binary", "--direction", "client"], both) > 0);
}

#[test]
fn size_is_that_of_the_decoded_content() {
    for (capture, least) in [(DEFLATE, 200), (BROWSER, 500)] {
        let large = |row: &Value| {
            row["type"] != "connection" && [row, &row["request"], &row["response"]].into_iter().any(|part| len(part) >= least)
        };
        assert!(is_chosen(capture, &["--min-bytes", &format!("{least} B")], large) > 0);
    }
}

#[test]
fn grep_searches_what_is_said_and_shows_no_more_than_asked_for() {
    let all = rows(&["--content", "full", BROWSER]);
    let says = |part: &Value| part["content"].as_str().is_some_and(|content| content.contains("ALPHA"));
    let expected: Vec<_> = all.iter().filter(|row| [*row, &row["request"], &row["response"]].into_iter().any(says)).collect();
    let full = rows(&["--content", "full", "--grep", "(?i)alpha", BROWSER]);
    assert_eq!(full.iter().collect::<Vec<_>>(), expected);
    assert!(full.len() > 20, "{}", full.len());
    let bare = rows(&["--grep", "ALPHA", BROWSER]);
    assert_eq!(bare.len(), full.len());
    assert!(bare.iter().all(|row| row.get("content").is_none() && row["response"].get("content").is_none()));
    let cut = rows(&["--content", "preview", "--limit", "preview=4", "--grep", "ALPHA", BROWSER]);
    let lengths = cut.iter().filter_map(|row| row["content"].as_str()).map(str::len);
    assert_eq!((cut.len(), lengths.max()), (full.len(), Some(4)));
}

#[test]
fn anomalies_choose_rows_of_every_kind() {
    let odd = |row: &Value| row["anomalies"].as_array().is_some_and(|anomalies| !anomalies.is_empty());
    assert!(is_chosen(ODD, &["--anomalies"], odd) > 3);
}

#[test]
fn what_is_no_filter_says_what_is_wanted() {
    for (arguments, expected) in [
        (["--opcode", "texts", DEFLATE], "`texts` is none of text, binary"),
        (["--min-bytes", "many", DEFLATE], "`many` is no size"),
        (["--grep", "[", DEFLATE], "--grep: regex parse error"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expected), "{said}");
    }
    let nothing = run(&["--grep", "no such text", DEFLATE]);
    assert_eq!((nothing.status.code(), nothing.stdout.len()), (Some(0), 0));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("passed the filter"));
}
