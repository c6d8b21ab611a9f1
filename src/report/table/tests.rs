use super::*;
use crate::account::Summary;
use crate::account::samples::deck_rows;
use crate::message::{Row, Side, Totals};
use crate::options::Options;
use crate::report::tests::deck_report;
use crate::report::{CaptureFile, Settings};

fn page(report: &Report, width: Option<u16>) -> String {
    let mut out = Vec::new();
    write(report, Layout { width, ..Layout::default() }, &mut out).expect("a vector takes every byte");
    String::from_utf8(out).expect("pages are UTF-8")
}

#[test]
fn the_deck_reads_from_the_top() {
    let page = page(&deck_report(), None);
    let lines: Vec<_> = page.lines().collect();
    assert_eq!(
        lines[0],
        "To the client, a response cost 429 bytes by Ajax and a message 89 by WebSocket (Ajax 4.8 times as much); to the server, a request cost 242 bytes by Ajax and a message 89 by WebSocket (Ajax 2.7 times as much)."
    );
    for expected in [
        "If one message does what one exchange did, WebSocket's set-up pays for itself with the first delivery; if question and answer take one each, from the 2nd exchange on.",
        "Ajax ÷ WebSocket on the wire: to the client 4.8, to the server 2.7, exchange against message 7.5",
        "Set-up and teardown cost 892, then 167 a delivery by WebSocket against 1,079 by Ajax: cheaper from delivery 1 on.",
        "2,404 bytes on the wire = messages 1,488 + connections beside them 816 + not TCP 100; difference 0",
    ] {
        assert!(lines.contains(&expected), "missing: {expected}");
    }
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn a_narrow_page_stays_narrow() {
    for width in [60, 70, 80] {
        for line in page(&deck_report(), Some(width)).lines() {
            assert!(crate::report::text::width(line) <= width.into(), "{width}: {line}");
        }
    }
}

#[test]
fn columns_without_room_are_named_and_none_is_missing_in_markdown() {
    let report = deck_report();
    let narrow = page(&report, Some(60));
    assert!(narrow.contains("\nno room for: Ajax request, WebSocket from client\n"), "{narrow}");
    assert!(!page(&report, Some(120)).contains("no room for"));
    let mut out = Vec::new();
    let layout = Layout { width: Some(60), markup: crate::report::page::Markup::Markdown, ..Layout::default() };
    write(&report, layout, &mut out).expect("a vector takes every byte");
    let markdown = String::from_utf8(out).expect("UTF-8");
    assert!(markdown.contains(" Ajax request | WebSocket from client |") && !markdown.contains("no room for"), "{markdown}");
}

#[test]
fn names_are_cut_in_the_middle_rather_than_broken() {
    let mut report = deck_report();
    report.endpoints[0].host = Some("a-host-with-a-name-that-is-much-too-long-for-any-page.example".into());
    report.endpoints[0].path = Some("/and/漢字漢字漢字漢字漢字漢字/a/path".into());
    report.captures[0].file = "a-file-with-a-name-that-is-much-too-long.pcapng".into();
    for width in [80, 100, 120] {
        let page = page(&report, Some(width));
        assert!(page.lines().all(|line| crate::report::text::width(line) <= usize::from(width)), "{page}");
        assert!(page.contains(" a-file") && page.contains("pcapng  "), "{width}: {page}");
        assert!(page.contains(" a-host") && page.contains("/path"), "{width}: {page}");
    }
}

#[test]
fn a_range_says_what_its_ends_assume() {
    let rows: Vec<_> = deck_rows().into_iter().filter(|row| !matches!(row, Row::Message(_))).collect();
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    let totals = Totals { packets: 9, wire_bytes: 1000, ..Totals::default() };
    let page = page(&Report::new(vec![CaptureFile::default()], Settings::new(&Options::default()), &totals, &summary), None);
    let lines: Vec<_> = page.lines().take(3).collect();
    assert!(lines[1].contains(" by WebSocket the same would have cost between "), "{lines:?}");
    assert!(
        lines[2].starts_with("The low end assumes: answers without content ") && lines[2].contains(" The high end: each exchange becomes "),
        "{lines:?}"
    );
}

#[test]
fn hints_are_left_out_for_the_quiet() {
    let mut report = deck_report();
    report.coverage.encrypted_connections = 1;
    assert!(page(&report, None).contains("\nhint: "));
    let mut out = Vec::new();
    write(&report, Layout { without_hints: true, ..Layout::default() }, &mut out).expect("a vector takes every byte");
    assert!(!String::from_utf8(out).expect("UTF-8").contains("hint: "));
}

#[test]
fn an_endpoint_cannot_steer_the_terminal() {
    let mut report = deck_report();
    report.endpoints[0].path = Some("/\u{1b}[2J\u{202e}\nx".into());
    let page = page(&report, None);
    assert!(page.contains("/\\u{1b}[2J\\u{202e}\\nx"), "{page}");
}

#[test]
fn a_capture_without_ajax_or_websocket_says_what_it_holds() {
    let mut tls = deck_rows().pop().expect("rows");
    let Row::Connection(connection) = &mut tls else { panic!("the last row is a connection") };
    connection.side_wire_bytes = [0; 4];
    connection.websocket = None;
    connection.protocols = (&["tls"]).into();
    connection.buckets = Default::default();
    connection.buckets.add(crate::Application::None, crate::Bucket::Unattributed, crate::Direction::ClientToServer, 900);
    let mut summary = Summary::default();
    summary.add(&tls);
    assert!(Side::ALL.iter().all(|&side| summary.side(side).is_empty()));
    let totals = Totals { packets: 9, wire_bytes: 1000, not_tcp_bytes: 100, ..Totals::default() };
    let files = vec![CaptureFile { packets: 9, wire_bytes: 1000, captured_bytes: 1000, ..CaptureFile::default() }];
    let page = page(&Report::new(files, Settings::new(&Options::default()), &totals, &summary), None);
    let lines: Vec<_> = page.lines().collect();
    assert_eq!(
        lines[0],
        "Neither an Ajax exchange nor a WebSocket message was found in 9 packets; the capture holds 1 TLS connection, 10.0 % of its bytes in frames without TCP."
    );
    assert_eq!(
        lines.last().copied(),
        Some(
            "hint: 1 TLS connection could not be read (90.0 % of all bytes): TLS is accounted and not decrypted; capture in front of it, behind the proxy that ends it, to see the messages"
        )
    );
}

#[test]
fn http_2_and_refused_handshakes_are_named_where_nothing_else_is() {
    let mut http2 = deck_rows().pop().expect("rows");
    let Row::Connection(connection) = &mut http2 else { panic!("the last row is a connection") };
    connection.side_wire_bytes = [0; 4];
    connection.websocket = None;
    connection.protocols = (&["http/2"]).into();
    connection.buckets = Default::default();
    connection.buckets.add(crate::Application::None, crate::Bucket::Unattributed, crate::Direction::ClientToServer, 900);
    let mut refused = deck_rows().into_iter().find(|row| matches!(row, Row::Exchange(_))).expect("an exchange");
    let Row::Exchange(exchange) = &mut refused else { panic!("chosen so") };
    exchange.side = Side::OtherHttp;
    exchange.upgrade_refused = Some(crate::RefusedUpgrade { status: Some(403), reason: crate::RefusalReason::ClientError });
    let mut summary = Summary::default();
    [&http2, &refused].into_iter().for_each(|row| summary.add(row));
    let totals = Totals { packets: 9, wire_bytes: 2000, ..Totals::default() };
    let files = vec![CaptureFile { packets: 9, wire_bytes: 2000, captured_bytes: 2000, ..CaptureFile::default() }];
    let page = page(&Report::new(files, Settings::new(&Options::default()), &totals, &summary), None);
    assert!(
        page.lines().next().is_some_and(|line| {
            line.ends_with("; the capture holds 1 WebSocket opening handshake without success, 1 HTTP/2 connection.")
        }),
        "{page}"
    );
    assert!(
        page.contains("\nhint: 1 HTTP/2 connection (45.0 % of all bytes) could not be read: ") && !page.contains("--ajax all"),
        "{page}"
    );
}
