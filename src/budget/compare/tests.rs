use serde_json::json;

use super::*;

fn spread(count: u64, mean: f64, stddev: f64, min: f64, max: f64) -> Value {
    json!({"count": count, "mean": mean, "stddev": stddev, "min": min, "max": max, "p95": max})
}

fn report(wire: Value, endpoints: Value) -> Value {
    json!({
        "websocket": {"messages": wire["count"], "all_in_wire_bytes": 9000, "per_message": {"wire_bytes": wire}},
        "ajax": {"messages": 0, "all_in_wire_bytes": 0},
        "endpoints": endpoints,
        "findings": [{"id": "retransmissions"}],
        "anomalies": [],
    })
}

fn mean_of(comparison: &Comparison) -> &Compared {
    comparison.sides[0].metrics.iter().find(|figure| figure.metric == "per_message.wire_bytes.mean").expect("compared")
}

#[test]
fn growth_from_nothing_is_growth() {
    let [nothing, something] = [0.0, 70.0].map(|mean| report(spread(100, mean, 0.0, mean, mean), json!([])));
    assert_eq!(compare(&nothing, &something, Some(5.0)).verdict, Verdict::Fail);
    assert_eq!(compare(&something, &nothing, Some(0.0)).verdict, Verdict::Pass);
    assert_eq!(compare(&nothing, &nothing, Some(0.0)).verdict, Verdict::Pass);
}

#[test]
fn noise_is_told_from_change() {
    let base = report(spread(100, 90.0, 10.0, 70.0, 120.0), json!([]));
    for (wire, expected) in [
        (spread(100, 90.0, 3.0, 80.0, 99.0), Significance::Same),
        // Standard error √(10²/100 + 10²/100) = 1.41: 4.2 is no chance, 4.3 is.
        (spread(100, 94.2, 10.0, 70.0, 120.0), Significance::Noise),
        (spread(100, 94.3, 10.0, 70.0, 120.0), Significance::Clear),
        (spread(4, 150.0, 10.0, 110.0, 160.0), Significance::Few),
        // No value is among the other's: no chance of five, of fewer it may be.
        (spread(4, 150.0, 10.0, 140.0, 160.0), Significance::Few),
        (spread(5, 150.0, 200.0, 140.0, 160.0), Significance::Clear),
        (json!({"count": 100, "mean": 94.0}), Significance::Unknown),
    ] {
        assert_eq!(mean_of(&compare(&base, &report(wire.clone(), json!([])), None)).significance, expected, "{wire}");
    }
}

#[test]
fn what_is_said_is_no_noise_where_the_same_is_said() {
    // The contents vary so much that wire bytes do. Standard error of the overhead √(47²/32 + 47²/32) = 11.75: 35.3 are clear.
    let with = |wire: f64, content: Value| {
        let mut report = report(spread(32, wire, 400.0, 68.0, 1810.0), json!([]));
        report["websocket"]["per_message"]["content_bytes"] = content;
        report["websocket"]["per_message"]["overhead_bytes"] = spread(32, 88.0, 47.0, 68.0, 220.0);
        report
    };
    let talk = || spread(32, 184.0, 368.0, 0.0, 1588.0);
    let base = with(166.0, talk());
    for (wire, content, expected) in [
        (166.0, talk(), Significance::Same),
        (201.2, talk(), Significance::Noise),
        (201.3, talk(), Significance::Clear),
        (272.0, talk(), Significance::Clear),
        (272.0, spread(32, 184.0, 368.5, 0.0, 1588.0), Significance::Noise),
        // Of one message nobody knows what it said.
        (272.0, spread(31, 184.0, 368.0, 0.0, 1588.0), Significance::Noise),
    ] {
        assert_eq!(mean_of(&compare(&base, &with(wire, content.clone()), None)).significance, expected, "{wire} {content}");
    }
    // Known in both of as many, and not of all.
    let unknown = || spread(31, 184.0, 368.0, 0.0, 1588.0);
    let compared = compare(&with(166.0, unknown()), &with(272.0, unknown()), None);
    assert_eq!(mean_of(&compared).significance, Significance::Noise);
}

#[test]
fn growth_beyond_the_bound_that_may_be_chance_is_named() {
    let base = report(spread(32, 100.0, 400.0, 68.0, 1810.0), json!([]));
    let said = |mean: f64, most: f64| compare(&base, &report(spread(32, mean, 400.0, 68.0, 1810.0), json!([])), Some(most)).summary;
    let sentences = said(164.4, 0.05);
    assert_eq!(
        sentences[1..],
        [
            "No cost of one grew clearly by more than 5.0 %.",
            "By more than 5.0 % and not clearly, so that it may be chance, grew: a WebSocket message (a message, on the wire +64.4 %). \
             `wiretare check --max-increase` bounds a mean in any case.",
        ]
    );
    assert_eq!([said(164.4, 0.7).len(), said(90.0, 0.05).len()], [2, 2]);
}

#[test]
fn fewer_than_five_values_never_fail() {
    let of = |count: u64, mean: f64| report(spread(count, mean, 0.0, mean, mean), json!([]));
    let compared = |count: u64| compare(&of(count, 90.0), &of(count, 180.0), Some(0.05)).verdict;
    assert_eq!([3, 4, 5].map(compared), [Verdict::Pass, Verdict::Pass, Verdict::Fail]);
}

#[test]
fn verdict_fails_on_clear_growth_alone() {
    let base = report(spread(100, 90.0, 0.0, 90.0, 90.0), json!([]));
    let verdict = |mean: f64, stddev: f64| compare(&base, &report(spread(100, mean, stddev, 0.0, 999.0), json!([])), Some(0.05)).verdict;
    assert_eq!(
        [verdict(94.5, 0.0), verdict(95.0, 0.0), verdict(95.0, 50.0), verdict(80.0, 0.0)],
        [Verdict::Pass, Verdict::Fail, Verdict::Pass, Verdict::Pass]
    );
    assert_eq!(compare(&base, &report(spread(100, 500.0, 0.0, 500.0, 500.0), json!([])), None).verdict, Verdict::Pass);
}

#[test]
fn what_is_not_measured_any_more_has_not_passed() {
    let with = |side: &str| {
        let mut report = report(spread(100, 90.0, 0.0, 90.0, 90.0), json!([]));
        report[side] = json!({"messages": 8, "all_in_wire_bytes": 800});
        report
    };
    let (ajax, other, alone) = (with("ajax"), with("other_http"), report(spread(100, 90.0, 0.0, 90.0, 90.0), json!([])));
    let compared = compare(&ajax, &alone, Some(0.05));
    assert_eq!(compared.verdict, Verdict::Fail);
    assert_eq!(
        compared.summary.last().map(String::as_str),
        Some("The verdict is no, for nothing says what these cost now: an Ajax exchange.")
    );
    let passes = [compare(&ajax, &alone, None), compare(&alone, &ajax, Some(0.05)), compare(&other, &alone, Some(0.05))];
    assert!(passes.iter().all(|comparison| comparison.verdict == Verdict::Pass));
}

#[test]
fn endpoints_are_matched_by_name_and_sorted_by_what_changed() {
    let endpoint = |path: &str, each: f64, messages: u64| {
        json!({"side": "ajax", "host": "a.example", "path": path, "wire_bytes_per_message": each, "messages": messages,
            "wire_bytes": each * messages as f64})
    };
    let wire = spread(9, 9.0, 0.0, 9.0, 9.0);
    let base = report(wire.clone(), json!([endpoint("/same", 10.0, 5), endpoint("/more", 10.0, 5), endpoint("/gone", 10.0, 1)]));
    let new = report(wire, json!([endpoint("/more", 20.0, 50), endpoint("/same", 10.0, 6), endpoint("/fresh", 100.0, 4)]));
    let found: Vec<_> = compare(&base, &new, None).endpoints.into_iter().map(|group| (group.name, group.change)).collect();
    let expected = [("more", Change::Matched), ("fresh", Change::New), ("gone", Change::Vanished), ("same", Change::Matched)];
    assert_eq!(found, expected.map(|(path, change)| (format!("ajax a.example/{path}"), change)));
}

#[test]
fn sentences_say_what_changed() {
    let base = report(spread(100, 90.0, 10.0, 70.0, 120.0), json!([]));
    let said = |wire: Value| compare(&base, &report(wire, json!([])), None).summary;
    assert_eq!(said(spread(100, 90.0, 0.0, 90.0, 90.0)), ["A WebSocket message costs 90 B on the wire, as before."]);
    assert_eq!(
        said(spread(1000, 99.0, 0.0, 99.0, 99.0)),
        ["A WebSocket message costs 99 B on the wire, 10.0 % more than before (90 B); of 100 and 1,000."]
    );
    assert_eq!(
        said(spread(2, 45.0, 0.0, 45.0, 45.0)),
        ["A WebSocket message costs 45 B on the wire, 50.0 % less than before (90 B), but 100 and 2 are too few to tell."]
    );
}

#[test]
fn findings_that_came_and_went_are_named() {
    let wire = spread(9, 9.0, 0.0, 9.0, 9.0);
    let (base, mut new) = (report(wire.clone(), json!([])), report(wire, json!([])));
    new["findings"] = json!([{"id": "cookies-repeated"}]);
    let comparison = compare(&base, &new, None);
    assert_eq!((comparison.new_findings, comparison.vanished_findings), (vec!["cookies-repeated".into()], vec!["retransmissions".into()]));
}
