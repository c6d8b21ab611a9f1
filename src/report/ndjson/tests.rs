use super::*;
use crate::message::{
    Ajax, Application, Bucket, Buckets, Close, ConnectionRow, Exchange, Head, Message, Poll, PollingKind, RefusalReason, RefusedUpgrade,
    Request, Response, RoundTrips, Side, TcpAnalysis, TcpFacts, TcpSide, Upgrade, WebSocketFacts,
};
use crate::stream::{Frame, LayerBytes, Place, Provenance, Timestamp};

/// 2016-07-27T21:13:34Z, when the deck's capture was made.
const START: i64 = 1_469_654_014_000_000_000;

fn frame(number: u64, after_ns: i64) -> Frame {
    Frame { number, time: Timestamp(START + after_ns) }
}

fn cost(content_bytes: Option<u64>, encoded_bytes: u64, framing_bytes: u64, tcp: u64, first: Frame) -> Cost {
    let bytes = LayerBytes { link: 14, ip: 20, tcp, tls: 0, payload: encoded_bytes + framing_bytes };
    Cost { content_bytes, encoded_bytes, framing_bytes, lost_bytes: 0, provenance: Provenance::of_frame(first, bytes) }
}

fn head(raw: &str) -> Head {
    let (start, fields) = raw.split_once("\r\n").expect("a start line");
    let mut start = start.splitn(3, ' ').map(str::as_bytes);
    let mut part = || start.next().unwrap_or_default();
    let start = [part(), part(), part()];
    let fields = fields.split("\r\n").filter_map(|line| line.split_once(": "));
    Head::new(raw.as_bytes(), start, fields.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

fn line(content: ContentMode, row: Row) -> String {
    let mut out = Vec::new();
    Lines::new(content).append(&row, &mut out);
    let line = String::from_utf8(out).expect("JSON is UTF-8");
    serde_json::from_str::<serde_json::Value>(&line).expect("one JSON value");
    line
}

fn without_spaces(json: &str) -> String {
    json.lines().map(str::trim).collect::<String>() + "\n"
}

fn details(kind: AnomalyKind, direction: Direction, stream_offset: u64, frame: Option<u64>) -> AnomalyDetails {
    let mut details = AnomalyDetails::default();
    details.add(AnomalySet::from_iter([kind]), direction, Place { stream_offset, frame });
    details
}

fn exchange() -> Exchange {
    let request = "GET /a?q=\"x\" HTTP/1.1\r\nHost: example.org\r\nX-Requested-With: XMLHttpRequest\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: deflate\r\nContent-Encoding: gzip\r\n\r\n";
    Exchange {
        connection: 3,
        number: 1,
        client: "192.168.1.102:56700".parse().expect("an address"),
        server: "69.164.217.35:80".parse().expect("an address"),
        request: Some(Request { cost: cost(Some(0), 0, 300, 20, frame(25, 0)), head: head(request), content: Content::default() }),
        // The deck's frame 29: 14 + 20 + 20 + 188 + 187 = 429, of which overhead 242.
        response: Some(Response {
            cost: cost(Some(262), 187, 188, 20, frame(29, 93_530_000)),
            head: head(response),
            content: Content::default(),
            status: 200,
        }),
        informational: vec![103],
        upgrade: None,
        time_to_first_byte_s: Some(0.093_53),
        time_to_last_byte_s: Some(0.093_53),
        ajax: Ajax { verdict: true, confidence: 0.9, reasons: vec!["x-requested-with"].into() },
        side: Side::Ajax,
        polling: Some(Box::new(Poll {
            kind: PollingKind::Short,
            number: 3,
            interval_ns: Some(1_500_000_000),
            jitter_ns: None,
            deaf_ns: None,
            is_new: Some(false),
            packets: None,
            earlier: Vec::new(),
        })),
        upgrade_refused: None,
        places: [None; 2],
        anomalies: AnomalySet::EMPTY,
        anomaly_details: AnomalyDetails::default(),
    }
}

fn message() -> Message {
    Message {
        connection: 5,
        number: 1,
        direction: Direction::ClientToServer,
        opcode: Opcode::Text,
        // The deck's frame 136: 14 + 20 + 32 + 6 + 17 = 89, of which overhead 72.
        cost: cost(Some(23), 17, 6, 32, frame(136, 60_000_000_001)),
        fragments: 1,
        compressed: true,
        masked: true,
        close: None,
        content: Content::default(),
        answered: None,
        anomalies: AnomalySet::EMPTY,
        anomaly_details: AnomalyDetails::default(),
    }
}

#[test]
fn exchange_line() {
    let expected = r#"{"type":"exchange","connection":3,"number":1,"client":"192.168.1.102:56700","server":"69.164.217.35:80",
        "request":{"content_bytes":0,"encoded_bytes":0,"framing_bytes":300,"tls_bytes":0,"tcp_bytes":20,"ip_bytes":20,"link_bytes":14,
        "wire_bytes":354,"overhead_bytes":354,"lost_bytes":0,"first_frame":25,"last_frame":25,"time":"2016-07-27T21:13:34.000000000Z",
        "method":"GET","target":"/a?q=\"x\"","host":"example.org","version":"HTTP/1.1","content_type":null,"content_encoding":null,
        "envelope":null,"content_sha256":null},
        "response":{"content_bytes":262,"encoded_bytes":187,"framing_bytes":188,"tls_bytes":0,"tcp_bytes":20,"ip_bytes":20,"link_bytes":14,
        "wire_bytes":429,"overhead_bytes":242,"lost_bytes":0,"first_frame":29,"last_frame":29,"time":"2016-07-27T21:13:34.093530000Z",
        "status":200,"version":"HTTP/1.1","content_type":"text/html","content_encoding":"deflate, gzip","envelope":null,"content_sha256":null,"event_stream":null},
        "informational":[103],"upgrade":null,"upgrade_refused":null,"time_to_first_byte_s":0.09353,"time_to_last_byte_s":0.09353,
        "side":"ajax","ajax":{"verdict":true,"confidence":0.9,"reasons":["x-requested-with"]},
        "polling":{"kind":"short","number":3,"interval_s":1.5,"is_new":false},"anomalies":[]}"#;
    assert_eq!(line(ContentMode::None, Row::Exchange(Box::new(exchange()))), without_spaces(expected));
}

#[test]
fn exchange_of_which_only_a_damaged_response_was_captured() {
    let response = Response {
        cost: Cost { lost_bytes: 10, ..cost(None, 0, 19, 20, frame(7, 0)) },
        head: head("HTTP/1.1 204\r\nContent-Type: caf\u{9}\r\n\r\n"),
        content: Content { anomalies: AnomalySet::from_iter([AnomalyKind::DecodingFailed]), ..Content::default() },
        status: 204,
    };
    let row = Exchange {
        request: None,
        response: Some(response),
        informational: Vec::new(),
        upgrade: Some(Upgrade::Tunnel),
        time_to_first_byte_s: None,
        time_to_last_byte_s: None,
        ajax: Ajax::default(),
        polling: None,
        anomalies: AnomalySet::from_iter([AnomalyKind::ResponseWithoutRequest]),
        anomaly_details: details(AnomalyKind::ResponseWithoutRequest, Direction::ServerToClient, 0, Some(7)),
        ..exchange()
    };
    let expected = r#"{"type":"exchange","connection":3,"number":1,"client":"192.168.1.102:56700","server":"69.164.217.35:80",
        "request":null,
        "response":{"content_bytes":null,"encoded_bytes":0,"framing_bytes":19,"tls_bytes":0,"tcp_bytes":20,"ip_bytes":20,"link_bytes":14,
        "wire_bytes":73,"overhead_bytes":73,"lost_bytes":10,"first_frame":7,"last_frame":7,"time":"2016-07-27T21:13:34.000000000Z",
        "status":204,"version":"HTTP/1.1","content_type":"caf\t","content_encoding":null,"envelope":null,"content_sha256":null,"event_stream":null},
        "informational":[],"upgrade":"tunnel","upgrade_refused":null,"time_to_first_byte_s":null,"time_to_last_byte_s":null,
        "side":"ajax","ajax":{"verdict":false,"confidence":0,"reasons":[]},"polling":null,"anomalies":["response_without_request","decoding_failed"],
        "anomaly_details":[{"kind":"response_without_request","reference":null,"direction":"server_to_client","frame":7,"stream_offset":0},
        {"kind":"decoding_failed","reference":null,"direction":null,"frame":null,"stream_offset":null}]}"#;
    assert_eq!(line(ContentMode::None, Row::Exchange(Box::new(row))), without_spaces(expected));
}

#[test]
fn message_line() {
    let expected = r#"{"type":"message","connection":5,"number":1,"direction":"client_to_server","opcode":"text",
        "content_bytes":23,"encoded_bytes":17,"framing_bytes":6,"tls_bytes":0,"tcp_bytes":32,"ip_bytes":20,"link_bytes":14,
        "wire_bytes":89,"overhead_bytes":72,"lost_bytes":0,"first_frame":136,"last_frame":136,"time":"2016-07-27T21:14:34.000000001Z",
        "fragments":1,"compressed":true,"masked":true,"close_code":null,"close_reason":null,"envelope":null,"answered_in_s":null,
        "content_sha256":null,"anomalies":[]}"#;
    assert_eq!(line(ContentMode::None, Row::Message(message())), without_spaces(expected));
}

#[test]
fn reason_that_is_not_known_is_null() {
    let close = Close { code: Some(1000), reason: None };
    let row = Message { opcode: Opcode::Close, close: Some(Box::new(close)), ..message() };
    let line = line(ContentMode::None, Row::Message(row));
    assert!(line.contains(r#""close_code":1000,"close_reason":null,"envelope":null,"#), "{line}");
}

#[test]
fn close_line_with_a_hostile_reason_and_its_content() {
    let row = Message {
        direction: Direction::ServerToClient,
        opcode: Opcode::Close,
        close: Some(Box::new(Close { code: Some(1001), reason: Some("bye\u{1b}[2J".into()) })),
        content: Content { sha256: Some(Box::new([0xab; 32])), sample: Some((*b"\x03\xe9bye").into()), ..Content::default() },
        cost: cost(Some(5), 5, 2, 32, frame(140, 0)),
        compressed: false,
        masked: false,
        ..message()
    };
    // The code's octets are not UTF-8, so base64: 03 e9 62 79 65 is A+lieWU=.
    let expected = r#"{"type":"message","connection":5,"number":1,"direction":"server_to_client","opcode":"close",
        "content_bytes":5,"encoded_bytes":5,"framing_bytes":2,"tls_bytes":0,"tcp_bytes":32,"ip_bytes":20,"link_bytes":14,
        "wire_bytes":73,"overhead_bytes":68,"lost_bytes":0,"first_frame":140,"last_frame":140,"time":"2016-07-27T21:13:34.000000000Z",
        "fragments":1,"compressed":false,"masked":false,"close_code":1001,"close_reason":"bye\u001b[2J","envelope":null,"answered_in_s":null,
        "content_sha256":"abababababababababababababababababababababababababababababababab","content_base64":"A+lieWU=","anomalies":[]}"#;
    assert_eq!(line(ContentMode::Full, Row::Message(row)), without_spaces(expected));
}

#[test]
fn refused_opening_handshake_says_why() {
    let refused = RefusedUpgrade { status: Some(403), reason: RefusalReason::Forbidden };
    let row = Exchange { upgrade_refused: Some(refused), ..exchange() };
    let line = line(ContentMode::None, Row::Exchange(Box::new(row)));
    assert!(line.contains(r#","upgrade":null,"upgrade_refused":{"status":403,"reason":"forbidden"},"#), "{line}");
}

#[test]
fn message_of_which_nothing_was_captured() {
    let row = Message { cost: Cost { lost_bytes: 40, ..Cost::default() }, ..message() };
    let expected = r#"{"type":"message","connection":5,"number":1,"direction":"client_to_server","opcode":"text",
        "content_bytes":null,"encoded_bytes":0,"framing_bytes":0,"tls_bytes":0,"tcp_bytes":0,"ip_bytes":0,"link_bytes":0,
        "wire_bytes":0,"overhead_bytes":0,"lost_bytes":40,"first_frame":null,"last_frame":null,"time":null,
        "fragments":1,"compressed":true,"masked":true,"close_code":null,"close_reason":null,"envelope":null,"answered_in_s":null,
        "content_sha256":null,"content":null,"anomalies":[]}"#;
    assert_eq!(line(ContentMode::Preview, Row::Message(row)), without_spaces(expected));
}

#[test]
fn frames_of_any_number_follow_lost_octets() {
    for lost_bytes in [0, 1] {
        for (first, last) in [(9, 9), (9, 10), (99_999_999, 99_999_999), (99_999_999, 100_000_000), (100_000_000, u64::MAX)] {
            let mut cost = Cost { lost_bytes, ..cost(Some(5), 5, 2, 20, frame(first, 0)) };
            cost.provenance.last = frame(last, 0);
            let line = line(ContentMode::None, Row::Message(Message { cost, ..message() }));
            let members = format!(r#","lost_bytes":{lost_bytes},"first_frame":{first},"last_frame":{last},"time":"2016-07-27T21:13:34"#);
            assert!(line.contains(&members), "{line}");
        }
    }
}

fn tcp_facts() -> TcpFacts {
    let mut round_trips = RoundTrips::default();
    round_trips.add(1_000_000);
    round_trips.add(3_000_000);
    let client = TcpSide {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: Some(true),
        timestamps: Some(false),
        max_bytes_in_flight: 2920,
        round_trips,
    };
    let sides = [client, TcpSide::default()];
    let mut facts = TcpFacts { segments: 61, initial_rtt_s: Some(0.002_5), sides, ..TcpFacts::default() };
    facts.mark(TcpAnalysis::DuplicateAck, Direction::ServerToClient);
    facts
}

#[test]
fn connection_line() {
    let mut buckets = Buckets::default();
    buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 140);
    buckets.add(Application::None, Bucket::TcpSetup, Direction::ServerToClient, 74);
    buckets.add(Application::Http, Bucket::Acknowledgements, Direction::ClientToServer, 66);
    buckets.add(Application::WebSocket, Bucket::Acknowledgements, Direction::ClientToServer, 132);
    let row = ConnectionRow {
        connection: 5,
        client: "[2001:db8::1]:51774".parse().expect("an address"),
        server: "[2001:db8::2]:80".parse().expect("an address"),
        first: frame(120, 0),
        last: frame(180, 1_500_000_000),
        syn_captured: true,
        protocols: (&["http/1.1", "websocket"]).into(),
        wire_bytes: 12_345,
        side_wire_bytes: [0, 11_933, 0, 0],
        exchanges: 1,
        time_to_first_request_s: Some(0.25),
        buckets,
        first_retransmission: None,
        websocket: Some(WebSocketFacts {
            host: Some("example.org".into()),
            target: Some("/ws".into()),
            version: Some(13),
            subprotocol: None,
            extensions: Some("permessage-deflate".into()),
            accept_valid: Some(true),
            handshake_captured: true,
            handshake_s: Some(0.01),
            close: Some(Close { code: Some(1000), reason: Some(String::new()) }),
            closed_by: Some(Direction::ClientToServer),
        }),
        tcp: tcp_facts(),
        anomalies: vec![(AnomalyKind::LostBytes, 2, 133), (AnomalyKind::SecondClose, 1, 140)],
        anomaly_details: details(AnomalyKind::SecondClose, Direction::ServerToClient, 2048, Some(140)),
    };
    let expected = r#"{"type":"connection","connection":5,"client":"[2001:db8::1]:51774","server":"[2001:db8::2]:80",
        "first_frame":120,"last_frame":180,"time":"2016-07-27T21:13:34.000000000Z","duration_s":1.5,
        "protocols":["http/1.1","websocket"],"wire_bytes":12345,"exchanges":1,"time_to_first_request_s":0.25,
        "websocket":{"host":"example.org","target":"/ws","version":13,"subprotocol":null,"extensions":"permessage-deflate",
        "accept_valid":true,"handshake_captured":true,"handshake_s":0.01,"close_code":1000,"close_reason":"","closed_by":"client"},
        "buckets":{"tcp_setup":{"client_to_server":140,"server_to_client":74},"tls_setup":{"client_to_server":0,"server_to_client":0},
        "acknowledgements":{"client_to_server":198,"server_to_client":0},"retransmissions":{"client_to_server":0,"server_to_client":0},
        "keep_alive":{"client_to_server":0,"server_to_client":0},"teardown":{"client_to_server":0,"server_to_client":0},
        "unattributed":{"client_to_server":0,"server_to_client":0}},
        "tcp":{"segments":61,"retransmitted_segments":0,"initial_rtt_s":0.0025,"retransmitted_bytes":0,"out_of_order_segments":0,
        "duplicate_segments":0,"lost_bytes":0,"client_mss":1460,"server_mss":null,
        "client":{"window_scale":7,"sack_permitted":true,"timestamps":false,"max_bytes_in_flight":2920,
        "ack_rtt":{"count":2,"min_s":0.001,"mean_s":0.002,"max_s":0.003}},
        "server":{"window_scale":null,"sack_permitted":null,"timestamps":null,"max_bytes_in_flight":0,
        "ack_rtt":{"count":0,"min_s":null,"mean_s":null,"max_s":null}},
        "analysis":{"duplicate_ack":{"client_to_server":0,"server_to_client":1}}},
        "anomalies":[{"kind":"lost_bytes","count":2,"first_frame":133},{"kind":"second_close","count":1,"first_frame":140}],
        "anomaly_details":[{"kind":"lost_bytes","reference":null,"direction":null,"frame":133,"stream_offset":null},
        {"kind":"second_close","reference":"RFC 6455 §5.5.1","direction":"server_to_client","frame":140,"stream_offset":2048}]}"#;
    assert_eq!(line(ContentMode::None, Row::Connection(Box::new(row))), without_spaces(expected));
}

#[test]
fn preview_that_ends_within_a_character_is_text_without_it() {
    // "né" cut after the first octet of é; the whole content has more.
    assert_eq!(as_text(b"n\xc3", Some(3)), Some("n"));
    assert_eq!(as_text(b"n\xc3", None), Some("n"));
    assert_eq!(as_text(b"n\xc3", Some(2)), None, "all of it is there, and it is not UTF-8");
    assert_eq!(as_text(b"n\xff!", Some(9)), None);
}
