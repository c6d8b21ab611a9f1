//! Rows built in code, for tests.

use std::net::SocketAddr;

use crate::message::*;
use crate::stream::{Frame, LayerBytes, Provenance, Timestamp};

/// A head of a start line and fields, as the HTTP parser would give it.
pub(crate) fn head(start_line: &str, fields: &[(&str, &str)]) -> Head {
    let mut raw = format!("{start_line}\r\n");
    let mut spans = Vec::new();
    for (name, value) in fields {
        let at = raw.len();
        raw += &format!("{name}: {value}\r\n");
        spans.push((at..at + name.len(), at + name.len() + 2..at + name.len() + 2 + value.len()));
    }
    raw += "\r\n";
    let bytes = raw.as_bytes();
    let mut parts = start_line.splitn(3, ' ').scan(0, |at, part| {
        let start = *at;
        *at += part.len() + 1;
        Some(&bytes[start..start + part.len()])
    });
    let start = std::array::from_fn(|_| parts.next().unwrap_or_default());
    Head::new(bytes, start, spans.into_iter().map(|(name, value)| (&bytes[name], &bytes[value])))
}

/// A request without cost.
pub(crate) fn request(request_line: &str, fields: &[(&str, &str)]) -> Request {
    Request { head: head(request_line, fields), ..Request::default() }
}

/// A response without cost.
pub(crate) fn response(status: u16, fields: &[(&str, &str)]) -> Response {
    Response { head: head(&format!("HTTP/1.1 {status} Any"), fields), status, ..Response::default() }
}

/// A frame, one second of capture time for each number.
pub(crate) fn frame(number: u64) -> Frame {
    Frame { number, time: Timestamp(1_469_653_000_000_000_000 + number as i64 * 1_000_000_000) }
}

/// The cost of a message that one frame carried: Ethernet 14, IPv4 20, TCP as given.
pub(crate) fn cost(number: u64, tcp: u64, framing: u64, encoded: u64, content: Option<u64>) -> Cost {
    let bytes = LayerBytes { link: 14, ip: 20, tcp, tls: 0, payload: framing + encoded };
    let provenance = Provenance::of_frame(frame(number), bytes);
    Cost { content_bytes: content, encoded_bytes: encoded, framing_bytes: framing, lost_bytes: 0, provenance }
}

pub(crate) const CLIENT: &str = "192.168.1.102:56700";
pub(crate) const SERVER: &str = "69.164.217.35:80";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("a socket address")
}

/// An Ajax exchange: GET in frame 25, the deck's response in frame 29 (14 + 20 + 20 + 188 + 187 = 429, content 262).
pub(crate) fn deck_exchange() -> Exchange {
    let mut request = request("GET /lorem?_=1 HTTP/1.1", &[("Host", "a.example"), ("X-Requested-With", "XMLHttpRequest")]);
    // 14 + 20 + 20 + 188 = 242.
    request.cost = cost(25, 20, 188, 0, Some(0));
    let mut response = response(200, &[("Content-Type", "text/html"), ("Content-Encoding", "gzip")]);
    response.cost = cost(29, 20, 188, 187, Some(262));
    Exchange {
        connection: 0,
        number: 1,
        client: address(CLIENT),
        server: address(SERVER),
        request: Some(request),
        response: Some(response),
        informational: Vec::new(),
        upgrade: None,
        time_to_first_byte_s: Some(0.09353),
        time_to_last_byte_s: Some(0.09353),
        ajax: Ajax { verdict: true, confidence: 0.99, reasons: vec!["x-requested-with"].into() },
        side: Side::Ajax,
        polling: None,
        upgrade_refused: None,
        places: [None; 2],
        anomalies: Default::default(),
        anomaly_details: Default::default(),
    }
}

/// An opening handshake: request 14 + 20 + 32 + 200 = 266, 101 response 14 + 20 + 32 + 129 = 195; 461 octets.
pub(crate) fn upgrade_exchange(connection: u64) -> Exchange {
    let fields =
        [("Host", "a.example"), ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "zigDl7tK3w+TZ4Tbo1PsrA==")];
    let mut request = request("GET /ws HTTP/1.1", &fields);
    request.cost = cost(120, 32, 200, 0, Some(0));
    let mut response = response(101, &[("Upgrade", "websocket")]);
    response.cost = cost(121, 32, 129, 0, Some(0));
    Exchange {
        connection,
        upgrade: Some(Upgrade::WebSocket),
        side: Side::WebSocket,
        request: Some(request),
        response: Some(response),
        ajax: Ajax::default(),
        ..deck_exchange()
    }
}

/// The deck's frame 136 in a direction: 14 + 20 + 32 + 6 + 17 = 89, its content taken to be 24 octets.
pub(crate) fn deck_message(connection: u64, number: u64, direction: Direction, opcode: Opcode) -> Message {
    Message {
        connection,
        number,
        direction,
        opcode,
        cost: cost(135 + number, 32, 6, 17, Some(24)),
        fragments: 1,
        compressed: true,
        masked: direction == Direction::ClientToServer,
        close: None,
        content: Content::default(),
        answered: None,
        anomalies: Default::default(),
        anomaly_details: Default::default(),
    }
}

/// A connection row over rows of its own: side octets and buckets summed.
pub(crate) fn connection(number: u64, rows: &[Row], buckets: Buckets) -> ConnectionRow {
    let mut side_wire_bytes = [0; 4];
    for row in rows {
        match row {
            Row::Exchange(exchange) => side_wire_bytes[exchange.side as usize] += exchange.wire_bytes(),
            Row::Message(message) => side_wire_bytes[Side::WebSocket as usize] += message.cost.wire_bytes(),
            Row::Connection(_) => {}
        }
    }
    let websocket = side_wire_bytes[Side::WebSocket as usize] > 0;
    ConnectionRow {
        connection: number,
        client: address(CLIENT),
        server: address(SERVER),
        first: frame(1),
        last: frame(180),
        syn_captured: true,
        protocols: if websocket { (&["http/1.1", "websocket"]).into() } else { (&["http/1.1"]).into() },
        wire_bytes: side_wire_bytes.iter().sum::<u64>() + buckets.total(),
        side_wire_bytes,
        exchanges: rows.iter().filter(|row| matches!(row, Row::Exchange(_))).count() as u64,
        time_to_first_request_s: None,
        buckets,
        first_retransmission: None,
        websocket: websocket.then(|| WebSocketFacts {
            host: Some("a.example".into()),
            target: Some("/ws".into()),
            handshake_captured: true,
            ..WebSocketFacts::default()
        }),
        tcp: TcpFacts::default(),
        anomalies: Vec::new(),
        anomaly_details: Default::default(),
    }
}

/// A small capture: connection 0 with the deck's exchange, connection 1 with a handshake, the deck's message from each side,
/// a ping and a close; 210 octets of TCP set-up, 66 of acknowledgement, 132 of teardown on each.
pub(crate) fn deck_rows() -> Vec<Row> {
    let mut buckets = Buckets::default();
    buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 140);
    buckets.add(Application::None, Bucket::TcpSetup, Direction::ServerToClient, 70);
    let (mut http, mut websocket) = (buckets, buckets);
    for (buckets, application) in [(&mut http, Application::Http), (&mut websocket, Application::WebSocket)] {
        buckets.add(application, Bucket::Acknowledgements, Direction::ClientToServer, 66);
        buckets.add(application, Bucket::Teardown, Direction::ServerToClient, 132);
    }
    let first = vec![Row::Exchange(Box::new(deck_exchange()))];
    let second = vec![
        Row::Exchange(Box::new(upgrade_exchange(1))),
        Row::Message(deck_message(1, 1, Direction::ClientToServer, Opcode::Text)),
        Row::Message(deck_message(1, 1, Direction::ServerToClient, Opcode::Text)),
        Row::Message(deck_message(1, 2, Direction::ServerToClient, Opcode::Ping)),
        Row::Message(deck_message(1, 3, Direction::ServerToClient, Opcode::Close)),
    ];
    let ends = [connection(0, &first, http), connection(1, &second, websocket)].map(|end| Row::Connection(Box::new(end)));
    let [end_first, end_second] = ends;
    [first, vec![end_first], second, vec![end_second]].concat()
}
