//! Exchanges of which only one message was captured.

use serde_json::Value;
use wiretare::report::{Report, Settings};
use wiretare::{Options, Row, Summary};

use crate::conversation::Conversation;

const ASKED: &str = "GET /api HTTP/1.1\r\nHost: a.example\r\nX-Requested-With: XMLHttpRequest\r\n\r\n";
const ANSWERED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// Three exchanges: frames 4 and 5, 6 and 7, 8 and 9.
fn three() -> Conversation {
    let mut conversation = Conversation::open();
    for _ in 0..3 {
        conversation.client(ASKED).server(ANSWERED);
    }
    conversation.client_acknowledges().close();
    conversation
}

fn report(conversation: &Conversation) -> Value {
    let options = Options::default();
    let (rows, totals) = conversation.analyze(&options);
    let mut summary = Summary::new(options.assumptions);
    rows.iter().for_each(|row| summary.add(row));
    serde_json::to_value(Report::new(Vec::new(), Settings::new(&options), &totals, &summary)).expect("a report is JSON")
}

#[test]
fn mean_of_an_exchange_is_of_whole_ones() {
    let whole = report(&three());
    let part = report(three().lose(7));
    let of = |report: &Value, path: &str| report.pointer(path).cloned().unwrap_or_else(|| panic!("{path}"));
    assert_eq!((of(&whole, "/ajax/incomplete_exchanges"), of(&part, "/ajax/incomplete_exchanges")), (0.into(), 1.into()));
    assert_eq!(of(&part, "/ajax/exchanges"), 3);
    for path in ["/ajax/per_exchange/wire_bytes/mean", "/ajax/per_exchange/means/wire_bytes"] {
        assert_eq!(of(&part, path), of(&whole, path), "{path}");
    }
    let assumed = |report: &Value| report["comparison"]["counterfactual"]["ajax_as_websocket"]["assumptions"].to_string();
    assert!(assumed(&part).contains("1 of 3 exchanges lacks its") && !assumed(&whole).contains("lacks its request"));
}

#[test]
fn nobody_knows_what_an_exchange_cost_of_which_one_direction_was_captured() {
    let mut one_way = three();
    for frame in [12, 9, 7, 5, 2] {
        one_way.lose(frame);
    }
    let (rows, _) = one_way.analyze(&Options::default());
    let lost: Vec<_> = rows.iter().filter_map(|row| if let Row::Connection(row) = row { Some(row.tcp.lost_bytes) } else { None }).collect();
    assert_eq!(lost, [3 * ANSWERED.len() as u64], "what the client acknowledged, but the FIN");
    let report = report(&one_way);
    assert_eq!((&report["ajax"]["exchanges"], &report["ajax"]["incomplete_exchanges"]), (&3.into(), &3.into()));
    for path in [
        "/ajax/per_exchange/wire_bytes",
        "/ajax/per_exchange/means",
        "/ajax/all_in_wire_bytes_per_delivery",
        "/comparison/exchange_to_message/wire/ajax_bytes",
        "/comparison/all_in/wire/ajax_bytes",
        "/comparison/break_even",
        "/comparison/counterfactual/ajax_as_websocket",
    ] {
        assert_eq!(report.pointer(path), Some(&Value::Null), "{path}");
    }
}

#[test]
fn client_that_waits_is_paired_behind_more_lost_responses_than_requests_may_wait() {
    let mut conversation = Conversation::open();
    for _ in 0..8 {
        conversation.client(ASKED).server(ANSWERED);
    }
    conversation.client_acknowledges().close();
    // The responses to the first five.
    for frame in [13, 11, 9, 7, 5] {
        conversation.lose(frame);
    }
    let mut options = Options::default();
    options.set_limit("pending_requests=3").expect("a limit");
    let (rows, _) = conversation.analyze(&options);
    let whole =
        rows.iter().filter(|row| matches!(row, Row::Exchange(exchange) if exchange.request.is_some() && exchange.response.is_some()));
    assert_eq!(whole.count(), 3);
}
