use super::*;
use crate::message::{Ajax, Application, Bucket, Buckets, Close, Request, Response, TcpFacts};
use crate::stream::{LayerBytes, Provenance};
use unicode_width::UnicodeWidthStr;

fn frame(number: u64, ms: i64) -> Frame {
    Frame { number, time: Timestamp(ms * 1_000_000) }
}

fn cost(content_bytes: Option<u64>, encoded_bytes: u64, framing_bytes: u64, at: Frame) -> Cost {
    let bytes = LayerBytes { link: 14, ip: 20, tcp: 20, tls: 0, payload: encoded_bytes + framing_bytes };
    Cost { content_bytes, encoded_bytes, framing_bytes, lost_bytes: 0, provenance: Provenance::of_frame(at, bytes) }
}

fn sample(octets: &[u8]) -> Content {
    Content { sample: Some(octets.into()), ..Content::default() }
}

fn rows() -> [Row; 4] {
    let (client, server) = ("192.168.1.102:56700".parse().expect("an address"), "69.164.217.35:80".parse().expect("an address"));
    let raw = b"GET /ws\x1b[2J HTTP/1.1";
    let head = Head::new(raw, [&raw[0..3], &raw[4..11], &raw[12..]], std::iter::empty());
    let request = Request { cost: cost(Some(0), 0, 150, frame(25, 0)), head, content: Content::default() };
    let raw = b"text/html; charset=utf-8 Content-Type";
    let head = Head::new(raw, [&[]; 3], std::iter::once((&raw[25..], &raw[..24])));
    let response =
        Response { cost: cost(Some(262), 187, 188, frame(29, 93)), head, content: sample("Lorem\nipsum".as_bytes()), status: 200 };
    let exchange = Exchange {
        connection: 3,
        number: 1,
        client,
        server,
        request: Some(request),
        response: Some(response),
        informational: Vec::new(),
        upgrade: Some(Upgrade::WebSocket),
        time_to_first_byte_s: None,
        time_to_last_byte_s: None,
        ajax: Ajax::default(),
        side: Side::WebSocket,
        polling: None,
        upgrade_refused: None,
        places: [None; 2],
        anomalies: AnomalySet::EMPTY,
        anomaly_details: Default::default(),
    };
    let message = Message {
        connection: 3,
        number: 1,
        direction: Direction::ServerToClient,
        opcode: Opcode::Binary,
        cost: cost(None, 3, 2, frame(30, 1_500)),
        fragments: 2,
        compressed: true,
        masked: false,
        close: None,
        content: sample(b"\xff\x00\x10"),
        answered: None,
        anomalies: AnomalySet::from_iter([crate::AnomalyKind::LostBytes]),
        anomaly_details: Default::default(),
    };
    let close = Message {
        connection: 4,
        opcode: Opcode::Close,
        close: Some(Box::new(Close { code: Some(1000), reason: Some("bye\u{202e}".into()) })),
        content: Content::default(),
        anomalies: AnomalySet::EMPTY,
        compressed: false,
        fragments: 1,
        ..message.clone()
    };
    let mut buckets = Buckets::default();
    buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 214);
    let connection = ConnectionRow {
        connection: 3,
        client,
        server,
        first: frame(20, 0),
        last: frame(31, 2_000),
        syn_captured: true,
        protocols: (&["http/1.1", "websocket"]).into(),
        wire_bytes: 906,
        side_wire_bytes: [0; 4],
        exchanges: 0,
        time_to_first_request_s: None,
        buckets,
        first_retransmission: None,
        websocket: None,
        tcp: TcpFacts::default(),
        anomalies: Vec::new(),
        anomaly_details: Default::default(),
    };
    [Row::Exchange(Box::new(exchange)), Row::Message(message), Row::Message(close), Row::Connection(Box::new(connection))]
}

fn listing(width: Option<usize>, color: bool) -> String {
    let (mut listing, mut out) = (Listing::new(width, color), Vec::new());
    listing.start(Timestamp(0));
    listing.append_header(&mut out);
    rows().iter().for_each(|row| listing.append(row, &mut out));
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn rows_without_a_width_are_whole() {
    let expected = "\
Sizes in bytes, times in seconds since the first frame; - is not known.
! begins what was odd; a connection's end shows what no message owns.
  frame        time conn from → to                                  content  encoded     wire overhead  what
    #29    0.093000    3 192.168.1.102:56700 → 69.164.217.35:80         262      187      633      446  GET /ws\\u{1b}[2J 200 html, opens a WebSocket  response: Lorem\\nipsum…
    #30    1.500000    3 69.164.217.35:80 → 192.168.1.102:56700           -        3       59       56 !lost_bytes binary, deflated, 2 fragments  ff 00 10
    #30    1.500000    4 server → client                                  -        3       59       56  close 1000  bye\\u{202e}
    #31    2.000000    3 192.168.1.102:56700 → 69.164.217.35:80                           214      214  end (http/1.1, websocket): 906 bytes in 2.000 s
";
    assert_eq!(listing(None, false), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [0, 1, 20, 79, 80, 100, 120, 139, 140, 200] {
        assert!(listing(Some(width), false).lines().all(|line| line.width() <= width), "{width}");
    }
}

#[test]
fn narrow_terminals_show_the_direction_alone() {
    let expected = "\
Sizes in bytes, times in seconds since the first frame; - is not known.
! begins what was odd; a connection's end shows what no message owns.
  frame     time conn    content     wire  what
    #29    0.093    3 →      262      633  GET /ws\\u{1b}[2J 200 html, opens a W…
    #30    1.500    3 ←        -       59 !lost_bytes binary, deflated, 2 fragm…
    #30    1.500    4 ←        -       59  close 1000  bye\\u{202e}
    #31    2.000    3 →               214  end (http/1.1, websocket): 906 bytes…
";
    assert_eq!(listing(Some(80), false), expected);
}

#[test]
fn narrow_line_of_an_odd_connection_says_that_it_is_its_end() {
    let Row::Connection(mut connection) = rows()[3].clone() else { panic!("the last row is a connection") };
    let line = |connection: &ConnectionRow, width: Option<usize>| {
        let (mut listing, mut out) = (Listing::new(width, false), Vec::new());
        listing.append(&Row::Connection(Box::new(connection.clone())), &mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    connection.anomalies =
        [crate::AnomalyKind::WrongHandshakeMethod, crate::AnomalyKind::MissingUpgrade].map(|kind| (kind, 1, 30)).to_vec();
    let [narrow, wide] = [Some(80), None].map(|width| line(&connection, width));
    assert!(narrow.ends_with("  214  end !wrong_handshake_method,missing_…\n"), "{narrow}");
    assert!(wide.ends_with("  end !wrong_handshake_method,missing_upgrade (http/1.1, websocket): 906 bytes in 2.000 s\n"), "{wide}");
}

/// A text message that says something, in a line of so many columns, from the third line on.
fn said(opcode: Opcode, octets: &[u8], content_bytes: u64, width: Option<usize>) -> String {
    let Row::Message(message) = rows()[1].clone() else { panic!("the second row is a message") };
    let message = Message {
        opcode,
        cost: cost(Some(content_bytes), octets.len() as u64, 2, frame(30, 1_500)),
        content: sample(octets),
        compressed: false,
        fragments: 1,
        anomalies: AnomalySet::EMPTY,
        ..message
    };
    let (mut listing, mut out) = (Listing::new(width, false), Vec::new());
    listing.start(Timestamp(0));
    listing.append(&Row::Message(message), &mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn nothing_of_the_network_reaches_the_terminal_as_it_is() {
    let hostile = "a\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\u{85}\r\n\u{2028}\u{7f}\u{e0041}\u{feff}".as_bytes();
    for opcode in [Opcode::Text, Opcode::Ping, Opcode::Continuation, Opcode::Binary] {
        for width in [None, Some(60), Some(80), Some(120), Some(200)] {
            let line = said(opcode, hostile, hostile.len() as u64, width);
            let line = line.strip_suffix('\n').expect("a line");
            assert!(!line.contains(|c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || c > '\u{e000}'), "{line:?}");
        }
    }
}

#[test]
fn preview_is_text_or_hexadecimal_by_what_it_is_said_to_be() {
    let ends = |opcode, octets: &[u8], end: &str| {
        let line = said(opcode, octets, octets.len() as u64, None);
        assert!(line.trim_end().ends_with(end), "{line}");
    };
    ends(Opcode::Binary, b"hello", "binary  68 65 6c 6c 6f");
    ends(Opcode::Binary, b"\x00\xff", "binary  00 ff");
    ends(Opcode::Text, b"hello \xff", "text  hello \\xff");
    ends(Opcode::Ping, b"\x00\x01", "ping  \\u{0}\\u{1}");
    ends(Opcode::Reserved(3), b"hi", "reserved-0x3  68 69");
    let kinds =
        ["text/html; charset=utf-8", "application/json", "application/problem+json", "image/svg+xml", "Application/X-WWW-Form-Urlencoded"];
    assert!(kinds.iter().all(|kind| is_text(kind.as_bytes())));
    assert!(!["image/png", "application/octet-stream", "application/wasm", ""].iter().any(|kind| is_text(kind.as_bytes())));
}

#[test]
fn preview_ends_between_characters_escapes_and_octets() {
    // 80 columns leave 80 - 40 - 8 = 32 behind `  text  `, 30 behind `  binary  `.
    let row = |line: String| line.trim_end().split("  ").last().expect("a preview").to_owned();
    assert_eq!(row(said(Opcode::Binary, &[0xab; 20], 20, Some(80))), "ab ab ab ab ab ab ab ab ab …");
    assert_eq!(row(said(Opcode::Binary, &[0xab; 10], 10, Some(80))), "ab ab ab ab ab ab ab ab ab ab");
    assert_eq!(row(said(Opcode::Text, "漢".repeat(20).as_bytes(), 60, Some(80))), format!("{}…", "漢".repeat(15)));
    assert_eq!(row(said(Opcode::Text, &[7; 20], 20, Some(80))), format!("{}…", "\\u{7}".repeat(6)));
    // The sample ends within a character, since the content goes on.
    assert_eq!(row(said(Opcode::Text, &"aé".as_bytes()[..2], 3, None)), "a…");
    assert_eq!(row(said(Opcode::Text, b"a\xc3", 2, None)), "a\\xc3");
}

#[test]
fn exclamation_mark_of_anomalies_has_a_column_of_its_own() {
    let lines = listing(None, false);
    let lines: Vec<_> = lines.lines().skip(3).collect();
    let column = lines[1].find(" !lost_bytes").expect("an anomaly") + 1;
    // What a network says in the same words stands further right, behind what is ours.
    let spoof = said(Opcode::Text, b" !lost_bytes", 12, None);
    assert!(spoof.contains("text   !lost_bytes") && !spoof[..spoof.find("text").expect("ours")].contains('!'), "{spoof}");
    let at = |line: &str| line.chars().nth(lines[1][..column].chars().count());
    assert_eq!(lines.iter().map(|line| at(line)).collect::<Vec<_>>(), [Some(' '), Some('!'), Some(' '), Some(' ')]);
}

#[test]
fn request_leaves_half_of_the_line_to_the_response() {
    let Row::Exchange(mut exchange) = rows()[0].clone() else { panic!("the first row is an exchange") };
    let request = exchange.request.as_mut().expect("captured");
    (request.content, request.cost.content_bytes) = (sample(&[b'q'; 300]), Some(300));
    let response = exchange.response.as_mut().expect("captured");
    (response.content, response.cost.content_bytes) = (sample(&[b'r'; 300]), Some(300));
    exchange.upgrade = None;
    let line = |width: usize| {
        let (mut listing, mut out) = (Listing::new(Some(width), false), Vec::new());
        listing.append(&Row::Exchange(exchange.clone()), &mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    for width in [160, 200, 250] {
        let line = line(width);
        let (asked, answered) = line.trim_end().split_once("…  response: ").expect("both");
        let asked = asked.split_once("  request: ").expect("both").1;
        // The labels take 11 and 12.
        assert!(asked.len().abs_diff(answered.chars().count()) <= 12 && answered.ends_with("r…"), "{line}");
    }
    assert!(line(80).ends_with("200 html …\n"), "{}", line(80));
    // Where there is no room for both, the request has its method and target already.
    for width in [100, 120, 140] {
        assert!(line(width).contains("  response: r") && !line(width).contains("request"), "{}", line(width));
    }
}

#[test]
fn status_and_content_type_are_seen_behind_a_long_target() {
    let line = |target: &[u8], width: Option<usize>| {
        let Row::Exchange(mut exchange) = rows()[0].clone() else { panic!("the first row is an exchange") };
        let raw = [b"GET ", target, b" HTTP/1.1"].concat();
        let end = 4 + target.len();
        exchange.request.as_mut().expect("captured").head = Head::new(&raw, [&raw[..3], &raw[4..end], &raw[end + 1..]], std::iter::empty());
        exchange.upgrade = None;
        exchange.side = Side::Ajax;
        let (mut listing, mut out) = (Listing::new(width, false), Vec::new());
        listing.append(&Row::Exchange(exchange), &mut out);
        String::from_utf8(out).expect("UTF-8")
    };
    let long = format!("/api/items?query={}&page=7", "x".repeat(200));
    for (width, shown) in
        [(60, "GET /a…7 200 htm…"), (80, "GET /api/ite…&page=7 200 html, ajax …"), (100, "GET /api/items?q…xxxx&page=7 200 html, ajax …")]
    {
        let line = line(long.as_bytes(), Some(width));
        assert!(line.trim_end().ends_with(&format!("  {shown}")) && line.trim_end().width() <= width, "{width}: {line}");
    }
    assert!(line(long.as_bytes(), None).contains(&format!("GET {long} 200 html, ajax")));
    assert!(line(b"/short", Some(80)).contains("GET /short 200 html, ajax"));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let plain = listing(Some(120), true).replace("\x1b[2m", "").replace("\x1b[33m", "").replace("\x1b[0m", "");
    assert_eq!(plain, listing(Some(120), false));
}
