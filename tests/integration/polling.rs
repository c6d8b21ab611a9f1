//! Polls and server-sent events against what the programs that answered them wrote down.

use serde_json::{Value, json};
use wiretare::{Options, Row, Summary};

use crate::support::{analyze, sample};

fn truth(capture: &str) -> Value {
    let text = std::fs::read_to_string(sample("polling/truth.json")).expect("what the server knew");
    serde_json::from_str::<Value>(&text).expect("JSON")["captures"][capture]["polls"].clone()
}

fn summary(rows: &[Row]) -> Summary {
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    summary
}

#[test]
fn polls_are_what_the_server_answered() {
    let (rows, _) = analyze(&sample("polling/polling.pcapng"), &Options::default()).expect("a readable sample");
    let summary = summary(&rows);
    let mut found = json!({});
    for ((method, endpoint), totals) in summary.polls().by_wire_bytes() {
        assert_eq!((method.as_str(), totals.unknown, totals.series), ("GET", 0, 1));
        let path = endpoint.path.split('?').next().expect("a path");
        found[path] = json!({"kind": totals.kind().name(), "polls": totals.polls(), "new": totals.polls() - totals.wasted.count});
    }
    let mut known = truth("polling.pcapng");
    // The last poll of engine.io ended with nothing but a `noop`: all others brought messages.
    let engine = &mut known["/socket.io/"];
    let polls = engine["polls"].as_u64().expect("a number");
    *engine = json!({"kind": "engine.io", "polls": polls, "new": polls - 1});
    assert_eq!(found, known);
}

/// They are POSTs of nothing, answered as JavaScript; the first brings the session, the last its end.
#[test]
fn polls_of_sockjs_are_long_ones() {
    let (rows, _) = analyze(&sample("polling/sockjs.pcapng"), &Options::default()).expect("a readable sample");
    let summary = summary(&rows);
    let found = summary.polls().by_wire_bytes();
    let [((method, _), totals)] = &found[..] else { panic!("one endpoint is expected, not {}", found.len()) };
    let known = &truth("sockjs.pcapng")["/talk/xhr"];
    assert_eq!((method.as_str(), totals.series, totals.wasted.count), ("POST", 1, 0));
    assert_eq!(json!({"kind": totals.kind().name(), "polls": totals.polls(), "messages": totals.polls() - 2}), *known);
}

#[test]
fn messages_that_shared_answers_are_counted() {
    let (rows, _) = analyze(&sample("polling/polling.pcapng"), &Options::default()).expect("a readable sample");
    let sum = summary(&rows).polls().sum();
    // Each of five rounds of three: one message alone, and two that waited for the next poll together.
    let (answers, messages, _) = sum.batched;
    assert_eq!((answers, messages), (5, 10));
}

#[test]
fn poll_that_asks_at_intervals_adds_half_of_one_to_the_wait() {
    let (rows, _) = analyze(&sample("polling/polling.pcapng"), &Options::default()).expect("a readable sample");
    let summary = summary(&rows);
    let wait = |path: &str| {
        let found = summary.polls().by_wire_bytes().into_iter().find(|((_, endpoint), _)| endpoint.path.starts_with(path));
        found.and_then(|(_, totals)| totals.added_wait_s()).expect("polls").0
    };
    // The client waits 200 ms between answer and question.
    assert!((0.1..0.12).contains(&wait("/state")), "{}", wait("/state"));
    assert!(wait("/wait") < 0.001, "{}", wait("/wait"));
}

#[test]
fn events_of_a_stream_are_counted_sized_and_timed() {
    let (rows, _) = analyze(&sample("http/http.pcapng"), &Options::default()).expect("a readable sample");
    let streams: Vec<_> = rows
        .iter()
        .filter_map(|row| if let Row::Exchange(exchange) = row { exchange.response.as_ref()?.content.http.as_ref()?.events } else { None })
        .collect();
    let [stream] = &streams[..] else { panic!("one stream is expected: {streams:?}") };
    // server.js: `id: N`, `event: tick`, `data: {"n":N,"price":P}` and an empty line, six times; `: a comment` and an empty line.
    // data: {"n":1,"price":100.25} 22, 100.5 21, 100.75 22, 101 19, 101.25 22, 101.5 21 = 127 octets.
    assert_eq!((stream.events, stream.data_bytes, stream.comments, stream.comment_bytes), (6, 127, 1, 12));
    // Beside data: `id: N` 6, `event: tick` 12, `data: ` 6, its line end and the empty line 2: 26 octets each.
    assert_eq!(stream.event_bytes, 127 + 6 * 26);
    let interval = stream.mean_interval_s().expect("several events");
    assert!((0.055..0.075).contains(&interval), "every 60 ms: {interval}");
}
