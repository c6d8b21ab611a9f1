use super::*;
use crate::account::samples::{deck_rows, frame};

/// The report of the deck's small capture, with 100 octets of ARP beside it: 671 + 408 + 817 + 408 + 100 = 2404.
pub(super) fn deck_report() -> Report {
    let mut summary = Summary::default();
    deck_rows().iter().for_each(|row| summary.add(row));
    let totals = Totals {
        packets: 20,
        wire_bytes: 2404,
        captured_bytes: 2404,
        not_tcp_bytes: 100,
        not_tcp: vec![("arp".into(), 2, 100)],
        ..Totals::default()
    };
    let file = CaptureFile {
        file: "deck.pcapng".into(),
        format: "pcapng".into(),
        packets: 20,
        wire_bytes: 2404,
        captured_bytes: 2404,
        captured_share: Some(1.0),
        first_time: Some(rfc_3339(frame(1).time)),
        duration_s: 179.0,
        truncated: false,
    };
    Report::new(vec![file], Settings::new(&Options::default()), &totals, &summary)
}

#[test]
fn captures_stand_in_the_order_of_their_first_frames() {
    let file = |file: &str, first_time: Option<&str>| CaptureFile {
        file: file.into(),
        first_time: first_time.map(str::to_owned),
        ..deck_report().captures.remove(0)
    };
    let (early, late) = (Some("2016-07-27T20:56:41.000000000Z"), Some("2016-07-27T20:57:41.000000000Z"));
    let given = vec![file("a", None), file("b", late), file("d", early), file("c", early)];
    let report = Report::new(given, Settings::new(&Options::default()), &Totals::default(), &Summary::default());
    let names: Vec<&str> = report.captures.iter().map(|capture| capture.file.as_str()).collect();
    assert_eq!(names, ["c", "d", "b", "a"]);
}

#[test]
fn the_deck_as_json() {
    // Its version is the crate's.
    let report = Report { generator: Generator { name: "wiretare", version: "0" }, ..deck_report() };
    let mut out = Vec::new();
    json::write(&report, &mut out).expect("a vector takes every byte");
    let written = String::from_utf8(out).expect("JSON is UTF-8");
    assert_eq!(written, include_str!("deck.json"));
}

#[test]
fn captures_times_are_rfc_3339_in_utc() {
    assert_eq!(rfc_3339(Timestamp(1_469_653_001_000_000_000)), "2016-07-27T20:56:41.000000000Z");
}
