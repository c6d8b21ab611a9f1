//! Limits by their names: the table of docs/limits.md, what the program lists, and what setting them does.

use std::process::{Command, Output};

use wiretare::{Analyzer, Capture, Limits, NamedLimit, Options};

use crate::conversation::Conversation;
use crate::support::{analyze, difference, sample, samples};

fn wiretare(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wiretare"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("the command starts")
}

fn text(octets: &[u8]) -> &str {
    str::from_utf8(octets).expect("UTF-8")
}

/// Name and default of every row of docs/limits.md that has a name.
fn documented() -> Vec<(String, String)> {
    let page = include_str!("../../docs/limits.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| row.split(" | ").collect::<Vec<_>>());
    rows.map(|cells| (cells[0].trim_end_matches('`').to_owned(), cells[2].to_owned())).collect()
}

#[test]
fn the_documented_limits_are_the_programs() {
    let options = Options::default();
    let limits = NamedLimit::ALL.iter().map(|limit| (limit.name.to_owned(), limit.display(limit.get(&options))));
    assert_eq!(documented(), limits.collect::<Vec<_>>());
}

#[test]
fn limit_help_lists_every_name_with_its_default() {
    for command in ["report", "messages"] {
        let output = wiretare(&[command, "--limit", "help"]);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        let listed: Vec<_> = text(&output.stdout).lines().map(|line| line.split_whitespace().next().unwrap_or_default()).collect();
        assert_eq!(listed, NamedLimit::ALL.iter().map(|limit| limit.name).collect::<Vec<_>>());
    }
}

#[test]
fn every_limit_at_its_least_keeps_the_books() {
    for limit in NamedLimit::ALL {
        let mut options = Options::default();
        limit.set(&mut options, &limit.display(limit.least)).expect("its least");
        for path in samples() {
            let (rows, totals) = analyze(&path, &options).expect("a readable sample");
            assert_eq!(difference(&rows, &totals), 0, "{} with the least {limit:?}", path.display());
        }
    }
}

#[test]
fn all_limits_at_their_least_keep_the_books() {
    let mut options = Options::default();
    for limit in NamedLimit::ALL.iter().filter(|limit| limit.name != "block") {
        limit.set(&mut options, &limit.display(limit.least)).expect("its least");
    }
    for path in samples() {
        let (rows, totals) = analyze(&path, &options).expect("a readable sample");
        assert_eq!(difference(&rows, &totals), 0, "{}", path.display());
    }
}

#[test]
fn what_was_set_stands_in_the_report() {
    let capture = sample("browser/ajax-and-websocket.pcapng");
    let capture = capture.to_str().expect("UTF-8");
    let set = ["--limit", "http-head=64", "--limit=idle_timeout=10min", "--limit", "preview=9", "--separate-networks"];
    let output = wiretare(&[&["report", "-f", "json", capture][..], &set].concat());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["settings"]["limits"], serde_json::json!({"http_head": 64, "idle_timeout": 600}));
    assert_eq!(report["settings"]["separate_networks"], true);
    let kinds: Vec<_> = report["anomalies"].as_array().expect("a list").iter().map(|anomaly| &anomaly["kind"]).collect();
    assert!(kinds.iter().any(|kind| *kind == "http_head_limit"), "{kinds:?}");
    assert_eq!(report["conservation"]["difference"], 0);
}

#[test]
fn content_is_shown_up_to_its_limit() {
    let capture = sample("browser/ajax-and-websocket.pcapng");
    let arguments = ["messages", "--content", "preview", "--limit", "preview=5", capture.to_str().expect("UTF-8")];
    let output = wiretare(&arguments);
    let contents: Vec<String> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .filter_map(|row| row["content"].as_str().map(str::to_owned))
        .collect();
    let longest = contents.iter().map(String::len).max();
    assert_eq!(longest, Some(5));
}

#[test]
fn what_is_no_limit_is_bad_usage() {
    for (limit, expected) in [
        ("http_hed=1", "error: no limit is named \"http_hed\"; did you mean http_head?"),
        ("block=0", "error: limit block: wanted at least 64 B, had \"0\""),
    ] {
        let output = wiretare(&["messages", "--limit", limit, "samples/deck/deck.pcapng"]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
        assert!(text(&output.stderr).starts_with(expected), "{}", text(&output.stderr));
    }
}

/// Connections that are there where 20 close at the same time and each is heard of once more.
fn connections_of_late_segments(is_acknowledged: bool) -> u64 {
    let talks: Vec<_> = (0..20)
        .map(|n| {
            let mut talk = Conversation::open_from(40_000 + n);
            talk.close().server_acknowledges();
            if !is_acknowledged {
                let last = talk.len() - 1;
                talk.lose(last);
            }
            talk
        })
        .collect();
    let options = Options { limits: Limits { lingering_connections: 32, ..Limits::default() }, ..Options::default() };
    let file = std::io::Cursor::new(Conversation::pcap_of_all(&talks));
    let mut capture = Capture::from_reader("talks", file, &options.limits).expect("a well-formed capture");
    let mut analyzer = Analyzer::new(options);
    while let Some(packets) = capture.next_packets().expect("a well-formed capture") {
        analyzer.packets(packets);
    }
    analyzer.finish();
    analyzer.totals().connections
}

#[test]
fn closed_connections_listen_longer_for_what_is_due() {
    assert_eq!(connections_of_late_segments(false), 20);
    // 32 / 8 of those that got everything still listen; the segments of the others begin connections.
    assert_eq!(connections_of_late_segments(true), 20 + 16);
}
