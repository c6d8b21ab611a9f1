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

#[test]
fn first_sentences_say_what_is_there_and_how_little() {
    let few = "Mind that this rests on 1 Ajax exchange and 2 WebSocket messages: what so few cost may be chance.";
    let mut report = deck_report();
    assert!(verdict::verdict(&report).iter().any(|sentence| sentence == few));
    (report.ajax.exchanges, report.websocket.figures.messages) = (Some(5), 5);
    assert!(!verdict::verdict(&report).iter().any(|sentence| sentence.contains("may be chance")));
    // A WebSocket that was opened and carried nothing is no reason to look for one.
    report.websocket.figures.messages = 0;
    assert!(verdict::verdict(&report)[0].starts_with("This capture holds 5 Ajax exchanges and 1 WebSocket connection without a message: "));
    let looks = |report: &Report| verdict::hints(report).iter().any(|hint| hint.starts_with("no WebSocket found"));
    assert!(!looks(&report));
    report.websocket.connections = 0;
    assert!(looks(&report));
}

#[test]
fn what_makes_figures_doubtful_is_said_with_them() {
    let mut report = deck_report();
    let says = |report: &Report, what: &str| verdict::verdict(report).iter().any(|sentence| sentence.contains(what));
    assert!(!says(&report, "weak sign") && !says(&report, "not captured"));
    (report.ajax.exchanges, report.ajax.weak_exchanges, report.coverage.lost_bytes) = (Some(3), Some(2), 100);
    assert!(says(&report, "Mind that 2 of 3 Ajax exchanges count as such by one weak sign"));
    assert!(says(&report, "Mind that 100 bytes were sent and not captured"), "of 2404 and 100");
    (report.ajax.weak_exchanges, report.coverage.lost_bytes) = (Some(1), 40);
    assert!(!says(&report, "weak sign") && !says(&report, "not captured"));
    report.ajax.incomplete_exchanges = Some(1);
    assert!(says(&report, "1 of 3 Ajax exchanges lacks its request or response"));
}

#[test]
fn a_snap_length_is_said_before_what_it_hides() {
    let mut report = deck_report();
    report.captures[0].captured_bytes = 2000;
    (report.ajax.exchanges, report.other_http.exchanges) = (Some(0), Some(3));
    let hints = verdict::hints(&report);
    let at = |what: &str| hints.iter().position(|hint| hint.contains(what));
    assert!(at("snap length") < at("as far as their headers were captured"), "{hints:?}");
}

#[test]
fn one_side_alone_is_counted_by_the_basis() {
    let mut report = deck_report();
    report.websocket.figures.messages = 0;
    // 671 octets on the wire, 28 of them Ethernet's; 376 of header sections.
    for (basis, counted) in [
        (Basis::Wire, "671 bytes on the wire"),
        (Basis::Ip, "643 bytes from the IP header up"),
        (Basis::Application, "376 bytes of framing alone"),
    ] {
        report.settings.basis = basis;
        assert!(verdict::verdict(&report)[0].contains(&format!(": {counted} for each exchange")), "{basis:?}");
    }
}

#[test]
fn only_udp_may_be_http_3() {
    let mut report = deck_report();
    let suspects = |report: &Report| verdict::hints(report).iter().any(|hint| hint.contains("QUIC"));
    report.coverage.not_tcp[0].wire_bytes = 2000;
    assert!(!suspects(&report), "most of it is ARP");
    report.coverage.not_tcp[0].name = "UDP".into();
    assert!(suspects(&report));
}
