//! Rows as CSV (RFC 4180) for spreadsheets: a line for each request, response and WebSocket message, and for what a side paid of a
//! connection's bucket in a direction. So no octet is in two lines, and `wire_bytes` adds up to all that was sent.

use std::collections::HashMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use super::harmless;
use crate::account::charges;
use crate::anomaly::AnomalySet;
use crate::message::{
    Bucket, ConnectionRow, Content, Cost, Direction, Envelope, EnvelopeId, Exchange, FieldName, Head, Message, Request, Row, Side, Upgrade,
};
use crate::report::clock::Clock;
use crate::report::encode;
use crate::report::ndjson::as_text;
use crate::report::text::safe_bytes;
use crate::stream::Frame;

/// Octets of a target or host that are kept while its WebSocket is open.
const LONGEST_KEPT: usize = 2 << 10;

/// A line; the names of its columns are those of the fields.
#[derive(Debug, Default, Serialize)]
struct Line {
    r#type: &'static str,
    connection: u64,
    number: Option<u64>,
    direction: &'static str,
    client: String,
    server: String,
    side: &'static str,
    first_frame: Option<u64>,
    last_frame: Option<u64>,
    time: String,
    content_bytes: Option<u64>,
    encoded_bytes: Option<u64>,
    framing_bytes: Option<u64>,
    tls_bytes: Option<u64>,
    tcp_bytes: Option<u64>,
    ip_bytes: Option<u64>,
    link_bytes: Option<u64>,
    wire_bytes: u64,
    overhead_bytes: u64,
    lost_bytes: Option<u64>,
    bucket: &'static str,
    method: String,
    host: String,
    target: String,
    status: Option<u16>,
    content_type: String,
    content_encoding: String,
    ajax: Option<bool>,
    reasons: String,
    upgrade: &'static str,
    time_to_first_byte_s: String,
    time_to_last_byte_s: String,
    polling: &'static str,
    opcode: &'static str,
    fragments: Option<u32>,
    compressed: Option<bool>,
    masked: Option<bool>,
    close_code: Option<u16>,
    close_reason: String,
    envelope: &'static str,
    envelope_kind: &'static str,
    envelope_name: String,
    envelope_id: String,
    envelope_bytes: Option<u64>,
    answered_in_s: String,
    anomalies: String,
    content_sha256: String,
    content: String,
    content_base64: String,
}

/// Who talks on a WebSocket, and what was asked for: messages do not say.
#[derive(Debug)]
struct Peers {
    client: SocketAddr,
    server: SocketAddr,
    host: String,
    target: String,
}

/// Turns rows into lines.
#[derive(Debug, Default)]
pub struct Lines {
    clock: Clock,
    peers: HashMap<u64, Peers>,
}

impl Lines {
    /// Appends the names of the columns.
    pub fn append_header(&self, out: &mut Vec<u8>) {
        let mut lines = csv::Writer::from_writer(Vec::new());
        write(&mut lines, &Line::default());
        let lines = lines.into_inner().unwrap_or_default();
        out.extend(lines.split_inclusive(|&octet| octet == b'\n').next().unwrap_or_default());
    }

    /// Appends the lines of a row.
    pub fn append(&mut self, row: &Row, out: &mut Vec<u8>) {
        let mut lines = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        match row {
            Row::Exchange(exchange) => {
                self.learn(row);
                self.request(exchange).iter().for_each(|line| write(&mut lines, line));
                self.response(exchange).iter().for_each(|line| write(&mut lines, line));
            }
            Row::Message(message) => write(&mut lines, &self.message(message)),
            Row::Connection(connection) => {
                self.buckets(connection, |line| write(&mut lines, &line));
                self.learn(row);
            }
        }
    }

    /// Learns who talks on a connection: of rows that are not shown, too.
    pub fn learn(&mut self, row: &Row) {
        match row {
            Row::Exchange(exchange) if exchange.upgrade == Some(Upgrade::WebSocket) => {
                let request = exchange.request.as_ref();
                let kept = |part: Option<&[u8]>| part.map(|part| text(&part[..part.len().min(LONGEST_KEPT)])).unwrap_or_default();
                let (host, target) = (kept(request.and_then(Request::host)), kept(request.map(Request::target)));
                self.peers.insert(exchange.connection, Peers { client: exchange.client, server: exchange.server, host, target });
            }
            Row::Connection(connection) => drop(self.peers.remove(&connection.connection)),
            Row::Exchange(_) | Row::Message(_) => {}
        }
    }

    fn request(&mut self, exchange: &Exchange) -> Option<Line> {
        let request = exchange.request.as_ref()?;
        let line = Line { r#type: "request", direction: Direction::ClientToServer.name(), ..of_exchange(exchange) };
        Some(self.with_cost(with_http(line, &request.head, &request.content, &request.cost), &request.cost))
    }

    fn response(&mut self, exchange: &Exchange) -> Option<Line> {
        let response = exchange.response.as_ref()?;
        let line = Line {
            r#type: "response",
            direction: Direction::ServerToClient.name(),
            status: Some(response.status),
            ..of_exchange(exchange)
        };
        Some(self.with_cost(with_http(line, &response.head, &response.content, &response.cost), &response.cost))
    }

    fn message(&mut self, message: &Message) -> Line {
        let peers = self.peers.get(&message.connection);
        let address = |of: fn(&Peers) -> SocketAddr| peers.map(of).map(|address| address.to_string()).unwrap_or_default();
        let line = Line {
            r#type: "message",
            connection: message.connection,
            number: Some(message.number),
            direction: message.direction.name(),
            client: address(|peers| peers.client),
            server: address(|peers| peers.server),
            host: peers.map(|peers| peers.host.clone()).unwrap_or_default(),
            target: peers.map(|peers| peers.target.clone()).unwrap_or_default(),
            side: Side::WebSocket.name(),
            opcode: message.opcode.name(),
            fragments: Some(message.fragments),
            compressed: Some(message.compressed),
            masked: Some(message.masked),
            close_code: message.close.as_ref().and_then(|close| close.code),
            close_reason: message
                .close
                .as_ref()
                .and_then(|close| close.reason.as_deref())
                .map(|reason| text(reason.as_bytes()))
                .unwrap_or_default(),
            answered_in_s: seconds(message.answered.map(|answered| answered.nanoseconds() as f64 / 1e9)),
            anomalies: names(message.oddities()),
            ..Line::default()
        };
        self.with_cost(with_content(line, &message.content, &message.cost), &message.cost)
    }

    /// What each side paid of a connection beside its messages; where there is none, nobody's.
    fn buckets(&mut self, row: &ConnectionRow, mut line: impl FnMut(Line)) {
        let charges = charges(row);
        let unclaimed = |bucket, direction| charges.is_none().then(|| row.buckets.in_direction(bucket, direction));
        for (bucket, direction) in Bucket::ALL.into_iter().flat_map(|bucket| Direction::BOTH.map(|direction| (bucket, direction))) {
            let of_side = |side: Side| charges.map(|charges| charges[side as usize][bucket as usize][direction as usize]);
            let of_sides = Side::ALL.into_iter().map(|side| (side.name(), of_side(side)));
            for (side, bytes) in of_sides.chain([("", unclaimed(bucket, direction))]) {
                let Some(wire_bytes) = bytes.filter(|&bytes| bytes > 0) else { continue };
                line(Line {
                    r#type: "bucket",
                    connection: row.connection,
                    direction: direction.name(),
                    client: row.client.to_string(),
                    server: row.server.to_string(),
                    side,
                    first_frame: known(row.first),
                    last_frame: known(row.last),
                    time: self.time(row.first),
                    wire_bytes,
                    overhead_bytes: wire_bytes,
                    bucket: bucket.name(),
                    ..Line::default()
                });
            }
        }
    }

    fn with_cost(&mut self, line: Line, cost: &Cost) -> Line {
        let Cost { content_bytes, encoded_bytes, framing_bytes, lost_bytes, provenance } = *cost;
        Line {
            first_frame: known(provenance.first),
            last_frame: known(provenance.last),
            time: self.time(provenance.first),
            content_bytes,
            encoded_bytes: Some(encoded_bytes),
            framing_bytes: Some(framing_bytes),
            tls_bytes: Some(provenance.bytes.tls),
            tcp_bytes: Some(provenance.bytes.tcp),
            ip_bytes: Some(provenance.bytes.ip),
            link_bytes: Some(provenance.bytes.link),
            wire_bytes: cost.wire_bytes(),
            overhead_bytes: cost.overhead_bytes(),
            lost_bytes: Some(lost_bytes),
            ..line
        }
    }

    fn time(&mut self, frame: Frame) -> String {
        known(frame).map(|_| String::from_utf8_lossy(&self.clock.text(frame.time)).into_owned()).unwrap_or_default()
    }
}

/// What stands in the lines of both messages of an exchange.
fn of_exchange(exchange: &Exchange) -> Line {
    let request = exchange.request.as_ref();
    let of_request = |of: fn(&Request) -> Option<&[u8]>| request.and_then(of).map(text).unwrap_or_default();
    Line {
        connection: exchange.connection,
        number: Some(exchange.number),
        client: exchange.client.to_string(),
        server: exchange.server.to_string(),
        side: exchange.side.name(),
        method: of_request(|request| Some(request.method())),
        host: of_request(Request::host),
        target: of_request(|request| Some(request.target())),
        ajax: Some(exchange.ajax.verdict),
        reasons: exchange.ajax.reasons.join(", "),
        upgrade: exchange.upgrade.map(Upgrade::name).unwrap_or_default(),
        time_to_first_byte_s: seconds(exchange.time_to_first_byte_s),
        time_to_last_byte_s: seconds(exchange.time_to_last_byte_s),
        polling: exchange.polling.as_ref().map(|poll| poll.kind.name()).unwrap_or_default(),
        anomalies: names(exchange.oddities()),
        ..Line::default()
    }
}

fn with_http(line: Line, head: &Head, content: &Content, cost: &Cost) -> Line {
    let line = Line {
        content_type: head.first(FieldName::ContentType).map(text).unwrap_or_default(),
        content_encoding: head.list(FieldName::ContentEncoding).map(|codings| text(&codings)).unwrap_or_default(),
        ..line
    };
    with_content(line, content, cost)
}

fn with_content(line: Line, content: &Content, cost: &Cost) -> Line {
    let sample = content.sample.as_deref();
    let as_text = sample.and_then(|sample| as_text(sample, cost.content_bytes)).filter(|text| !text.contains(is_unprintable));
    let envelope = content.envelope.as_deref();
    Line {
        envelope: envelope.map(|envelope| envelope.protocol.name()).unwrap_or_default(),
        envelope_kind: envelope.map(|envelope| envelope.kind).unwrap_or_default(),
        envelope_name: envelope.and_then(|envelope| envelope.name.as_deref()).map(|name| text(name.as_bytes())).unwrap_or_default(),
        envelope_id: envelope.map(id).unwrap_or_default(),
        envelope_bytes: envelope.and_then(|envelope| envelope.bytes),
        content_sha256: content.sha256.iter().flat_map(|digest| digest.iter()).map(|octet| format!("{octet:02x}")).collect(),
        content: as_text.map(harmless).unwrap_or_default(),
        content_base64: sample.filter(|_| as_text.is_none()).map(|sample| BASE64.encode(sample)).unwrap_or_default(),
        ..line
    }
}

fn id(envelope: &Envelope) -> String {
    match &envelope.id {
        None => String::new(),
        Some(EnvelopeId::Number(id)) => id.to_string(),
        Some(EnvelopeId::Text(id)) => text(id.as_bytes()),
    }
}

/// Control characters but those that lay text out: cells with them cannot be read.
fn is_unprintable(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\r' | '\n')
}

/// A name of the network that neither drives a terminal nor is a formula.
fn text(octets: &[u8]) -> String {
    harmless(&safe_bytes(octets))
}

fn names(odd: AnomalySet) -> String {
    odd.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

fn seconds(seconds: Option<f64>) -> String {
    let mut digits = Vec::new();
    seconds.iter().for_each(|&seconds| encode::decimal(&mut digits, seconds));
    String::from_utf8_lossy(&digits).into_owned()
}

/// Frame number 0 is none: nothing was captured.
fn known(frame: Frame) -> Option<u64> {
    (frame.number > 0).then_some(frame.number)
}

fn write(lines: &mut csv::Writer<impl std::io::Write>, line: &Line) {
    // To memory, and every field is one cell.
    lines.serialize(line).expect("a Vec takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_of(octets: &[u8]) -> (String, String) {
        let content = Content { bytes: Some(octets.len() as u64), sample: Some(octets.into()), ..Content::default() };
        let cost = Cost { content_bytes: content.bytes, ..Cost::default() };
        let line = with_content(Line::default(), &content, &cost);
        (line.content, line.content_base64)
    }

    #[test]
    fn content_is_text_where_a_cell_can_show_it() {
        for (octets, text, base64) in [
            (&b"{\"a\": 1}\r\n\t"[..], "{\"a\": 1}\r\n\t", ""),
            (b"=1+1", "'=1+1", ""),
            ("ß".as_bytes(), "ß", ""),
            (b"\x1b[2J", "", "G1sySg=="),
            (b"\0", "", "AA=="),
            (b"\xff", "", "/w=="),
        ] {
            assert_eq!(content_of(octets), (text.to_owned(), base64.to_owned()));
        }
    }

    #[test]
    fn names_of_the_network_neither_drive_a_terminal_nor_are_formulas() {
        assert_eq!(text(b"/a\x1b[2J\n"), "/a\\u{1b}[2J\\n");
        assert_eq!(text(b"@SUM(A1)"), "'@SUM(A1)");
    }
}
