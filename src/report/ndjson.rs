//! Rows as JSON, one object a line: field names and order are those of docs/formats.md.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::clock::Clock;
use super::encode::{name, null, number, optional_number, optional_text, text};
use super::line::Line;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{
    AnomalyDetail, AnomalyDetails, Bucket, Buckets, Close, ConnectionRow, Content, Cost, Direction, Envelope, EnvelopeId, EventStream,
    Exchange, Head, Message, Poll, RefusedUpgrade, Request, Response, Row, TcpAnalysis, TcpFacts, TcpSide, Upgrade, WebSocketFacts,
};
use crate::options::ContentMode;
use crate::stream::Frame;

/// Appends a comma, a key and a colon; the text is put together at compile time.
macro_rules! key {
    ($out:expr, $key:literal) => {
        $out.extend_from_slice(concat!(",\"", $key, "\":").as_bytes())
    };
}

/// The same where the length counts, for a [`Line`].
macro_rules! put_key {
    ($line:expr, $key:literal) => {{
        const KEY: &str = concat!(",\"", $key, "\":");
        const OCTETS: &[u8; KEY.len()] = KEY.as_bytes().first_chunk().expect("as long as it is");
        $line.put(OCTETS)
    }};
}

/// Turns rows into lines of JSON.
#[derive(Clone, Debug)]
pub struct Lines {
    content: ContentMode,
    clock: Clock,
    line: Line,
}

impl Lines {
    /// Lines that show as much of the content as was asked of the analysis.
    pub fn new(content: ContentMode) -> Self {
        Self { content, clock: Clock::default(), line: Line::default() }
    }

    /// Appends one row and its line feed.
    pub fn append(&mut self, row: &Row, out: &mut Vec<u8>) {
        match row {
            Row::Exchange(exchange) => self.exchange(exchange, out),
            Row::Message(message) => self.message(message, out),
            Row::Connection(connection) => self.connection(connection, out),
        }
    }

    fn exchange(&mut self, exchange: &Exchange, out: &mut Vec<u8>) {
        let line = &mut self.line;
        line.put(br#"{"type":"exchange","connection":"#);
        line.number(exchange.connection);
        put_key!(line, "number");
        line.number(exchange.number);
        put_key!(line, "client");
        line.address(exchange.client);
        put_key!(line, "server");
        line.address(exchange.server);
        put_key!(line, "request");
        self.request(exchange.request.as_ref(), out);
        put_key!(self.line, "response");
        self.response(exchange.response.as_ref(), out);
        put_key!(self.line, "informational");
        self.line.append_to(out);
        list(out, &exchange.informational, |out, &status| number(out, status));
        self.outcome(exchange, out);
        let mut odd = exchange.anomalies;
        exchange.request.iter().for_each(|request| odd.merge(request.content.anomalies));
        exchange.response.iter().for_each(|response| odd.merge(response.content.anomalies));
        self.anomalies(odd, &exchange.anomaly_details, out);
        self.line.put(b"}\n");
        self.line.append_to(out);
    }

    /// What came of it, and when.
    fn outcome(&mut self, exchange: &Exchange, out: &mut Vec<u8>) {
        let line = &mut self.line;
        put_key!(line, "upgrade");
        upgrade(line, exchange.upgrade);
        put_key!(line, "upgrade_refused");
        refused(line, exchange.upgrade_refused);
        put_key!(line, "time_to_first_byte_s");
        line.optional_decimal(exchange.time_to_first_byte_s);
        put_key!(line, "time_to_last_byte_s");
        line.optional_decimal(exchange.time_to_last_byte_s);
        line.put(br#","ajax":{"verdict":"#);
        line.boolean(exchange.ajax.verdict);
        put_key!(line, "confidence");
        line.optional_decimal(Some(exchange.ajax.confidence));
        put_key!(line, "reasons");
        line.append_to(out);
        list(out, &exchange.ajax.reasons, |out, reason| name(out, reason));
        line.put(br#"},"polling":"#);
        polling(line, exchange.polling.as_deref());
        line.append_to(out);
    }

    fn request(&mut self, request: Option<&Request>, out: &mut Vec<u8>) {
        let Some(request) = request else { return self.line.put(b"null") };
        self.line.put(b"{");
        self.cost(&request.cost);
        put_key!(self.line, "method");
        self.line.append_to(out);
        let [method, target, version] = request.head.start_line();
        optional_text(out, not_empty(method));
        key!(out, "target");
        optional_text(out, not_empty(target));
        key!(out, "host");
        optional_text(out, request.host());
        key!(out, "version");
        optional_text(out, not_empty(version));
        self.http_content(&request.head, &request.content, &request.cost, out);
        self.line.put(b"}");
    }

    fn response(&mut self, response: Option<&Response>, out: &mut Vec<u8>) {
        let Some(response) = response else { return self.line.put(b"null") };
        self.line.put(b"{");
        self.cost(&response.cost);
        put_key!(self.line, "status");
        self.line.number(response.status.into());
        put_key!(self.line, "version");
        self.line.append_to(out);
        optional_text(out, not_empty(response.version()));
        self.http_content(&response.head, &response.content, &response.cost, out);
        put_key!(self.line, "event_stream");
        event_stream(&mut self.line, response.content.http.as_ref().and_then(|http| http.events.as_ref()));
        self.line.put(b"}");
    }

    fn http_content(&mut self, head: &Head, content: &Content, cost: &Cost, out: &mut Vec<u8>) {
        key!(out, "content_type");
        optional_text(out, head.field("content-type"));
        key!(out, "content_encoding");
        optional_text(out, list_field(head, "content-encoding").as_deref());
        key!(out, "envelope");
        envelope(out, content.envelope.as_deref());
        self.content(content, cost, out);
    }

    fn message(&mut self, message: &Message, out: &mut Vec<u8>) {
        let line = &mut self.line;
        line.put(br#"{"type":"message","connection":"#);
        line.frequent_number(message.connection);
        put_key!(line, "number");
        line.frequent_number(message.number);
        match message.direction {
            Direction::ClientToServer => line.put(br#","direction":"client_to_server","opcode":""#),
            Direction::ServerToClient => line.put(br#","direction":"server_to_client","opcode":""#),
        }
        line.name(message.opcode.name());
        line.put(br#"","#);
        self.cost(&message.cost);
        let line = &mut self.line;
        put_key!(line, "fragments");
        line.frequent_number(message.fragments.into());
        put_key!(line, "compressed");
        line.boolean(message.compressed);
        put_key!(line, "masked");
        line.boolean(message.masked);
        close(line, message.close.as_deref(), out);
        if message.content.envelope.is_none() && message.answered.is_none() {
            // As most are.
            line.put(br#","envelope":null,"answered_in_s":null"#);
        } else {
            put_key!(line, "envelope");
            line.append_to(out);
            envelope(out, message.content.envelope.as_deref());
            put_key!(line, "answered_in_s");
            // Nanoseconds below 2⁵³ (104 days) are exact.
            line.optional_decimal(message.answered.map(|answered| answered.nanoseconds() as f64 / 1e9));
        }
        self.content(&message.content, &message.cost, out);
        let mut odd = message.anomalies;
        odd.merge(message.content.anomalies);
        self.anomalies(odd, &message.anomaly_details, out);
        self.line.put(b"}\n");
        self.line.append_to(out);
    }

    fn connection(&mut self, connection: &ConnectionRow, out: &mut Vec<u8>) {
        let line = &mut self.line;
        line.put(br#"{"type":"connection","connection":"#);
        line.number(connection.connection);
        put_key!(line, "client");
        line.address(connection.client);
        put_key!(line, "server");
        line.address(connection.server);
        self.frames(connection.first, connection.last);
        let line = &mut self.line;
        put_key!(line, "duration_s");
        line.optional_decimal(Some(connection.last.time.seconds_since(connection.first.time)));
        put_key!(line, "protocols");
        line.append_to(out);
        list(out, &connection.protocols, |out, protocol| name(out, protocol));
        put_key!(line, "wire_bytes");
        line.number(connection.wire_bytes);
        put_key!(line, "exchanges");
        line.number(connection.exchanges);
        put_key!(line, "time_to_first_request_s");
        line.optional_decimal(connection.time_to_first_request_s);
        put_key!(line, "websocket");
        websocket(line, connection.websocket.as_ref(), out);
        buckets(line, &connection.buckets);
        line.append_to(out);
        tcp(line, &connection.tcp, out);
        key!(out, "anomalies");
        list(out, &connection.anomalies, |out, &(kind, count, first_frame)| {
            out.extend_from_slice(br#"{"kind":"#);
            name(out, kind.name());
            key!(out, "count");
            number(out, count);
            key!(out, "first_frame");
            optional_number(out, (first_frame > 0).then_some(first_frame));
            out.push(b'}');
        });
        if !connection.anomalies.is_empty() {
            key!(out, "anomaly_details");
            list(out, &connection.anomalies, |out, &(kind, _, first_frame)| {
                let first_frame = (first_frame > 0).then_some(first_frame);
                detail(out, kind, connection.anomaly_details.of_kind(kind), first_frame);
            });
        }
        out.extend_from_slice(b"}\n");
    }

    /// The money fields.
    fn cost(&mut self, cost: &Cost) {
        let (line, bytes) = (&mut self.line, &cost.provenance.bytes);
        line.put(br#""content_bytes":"#);
        line.optional_number(cost.content_bytes);
        put_key!(line, "encoded_bytes");
        line.frequent_number(cost.encoded_bytes);
        put_key!(line, "framing_bytes");
        line.frequent_number(cost.framing_bytes);
        put_key!(line, "tls_bytes");
        line.frequent_number(bytes.tls);
        put_key!(line, "tcp_bytes");
        line.frequent_number(bytes.tcp);
        put_key!(line, "ip_bytes");
        line.frequent_number(bytes.ip);
        put_key!(line, "link_bytes");
        line.frequent_number(bytes.link);
        put_key!(line, "wire_bytes");
        line.frequent_number(cost.wire_bytes());
        put_key!(line, "overhead_bytes");
        line.frequent_number(cost.overhead_bytes());
        put_key!(line, "lost_bytes");
        line.frequent_number(cost.lost_bytes);
        self.frames(cost.provenance.first, cost.provenance.last);
    }

    /// Frame number 0 is none: nothing of the message was captured.
    fn frames(&mut self, first: Frame, last: Frame) {
        let line = &mut self.line;
        put_key!(line, "first_frame");
        line.optional_number((first.number > 0).then_some(first.number));
        put_key!(line, "last_frame");
        line.optional_number((last.number > 0).then_some(last.number));
        put_key!(line, "time");
        match first.number {
            0 => line.put(b"null"),
            _ => {
                line.put(b"\"");
                line.put(&self.clock.text(first.time));
                line.put(b"\"");
            }
        }
    }

    /// The digest and, when asked for, the content: as text when it is UTF-8.
    fn content(&mut self, content: &Content, cost: &Cost, out: &mut Vec<u8>) {
        let line = &mut self.line;
        match &content.sha256 {
            None => line.put(br#","content_sha256":null"#),
            Some(digest) => {
                put_key!(line, "content_sha256");
                line.append_to(out);
                hexadecimal(out, digest.as_slice());
            }
        }
        if self.content != ContentMode::None {
            line.append_to(out);
            sample(content.sample.as_deref(), cost, out);
        }
    }

    fn anomalies(&mut self, set: AnomalySet, details: &AnomalyDetails, out: &mut Vec<u8>) {
        if set.is_empty() {
            return self.line.put(br#","anomalies":[]"#);
        }
        self.line.append_to(out);
        odd(out, set, details);
    }
}

fn sample(sample: Option<&[u8]>, cost: &Cost, out: &mut Vec<u8>) {
    let Some(sample) = sample else { return out.extend_from_slice(br#","content":null"#) };
    match as_text(sample, cost.content_bytes) {
        Some(sample) => {
            key!(out, "content");
            text(out, sample.as_bytes());
        }
        None => {
            key!(out, "content_base64");
            name(out, &BASE64.encode(sample));
        }
    }
}

/// The sample as text, when it is; one that was cut short may end within a character, which is left out.
pub(super) fn as_text(sample: &[u8], content_bytes: Option<u64>) -> Option<&str> {
    match simdutf8::compat::from_utf8(sample) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() && content_bytes != Some(sample.len() as u64) => {
            str::from_utf8(&sample[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

fn not_empty(octets: &[u8]) -> Option<&[u8]> {
    (!octets.is_empty()).then_some(octets)
}

/// The value of a list field over all its field lines (RFC 9110 §5.3).
fn list_field<'a>(head: &'a Head, name: &'a str) -> Option<Cow<'a, [u8]>> {
    let mut values = head.values(name);
    let mut list = Cow::Borrowed(values.next()?);
    for value in values {
        list.to_mut().extend_from_slice(b", ");
        list.to_mut().extend_from_slice(value);
    }
    Some(list)
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut append: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append(out, item);
    }
    out.push(b']');
}

fn hexadecimal(out: &mut Vec<u8>, octets: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    out.extend(octets.iter().flat_map(|&octet| [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 0xf)]]));
    out.push(b'"');
}

#[cold]
fn odd(out: &mut Vec<u8>, set: AnomalySet, details: &AnomalyDetails) {
    let kinds: Vec<_> = set.iter().collect();
    key!(out, "anomalies");
    list(out, &kinds, |out, kind| name(out, kind.name()));
    key!(out, "anomaly_details");
    list(out, &kinds, |out, &kind| detail(out, kind, details.of_kind(kind), None));
}

/// Where a kind of oddity lies: its place, or only a frame to look at.
fn detail(out: &mut Vec<u8>, kind: AnomalyKind, detail: Option<&AnomalyDetail>, frame: Option<u64>) {
    out.extend_from_slice(br#"{"kind":"#);
    name(out, kind.name());
    key!(out, "reference");
    optional_text(out, kind.reference().map(str::as_bytes));
    key!(out, "direction");
    optional_text(out, detail.map(|detail| detail.direction.name().as_bytes()));
    key!(out, "frame");
    optional_number(out, detail.and_then(|detail| detail.place.frame).or(frame));
    key!(out, "stream_offset");
    optional_number(out, detail.map(|detail| detail.place.stream_offset));
    out.push(b'}');
}

fn refused(line: &mut Line, refused: Option<RefusedUpgrade>) {
    let Some(refused) = refused else { return line.put(b"null") };
    line.put(br#"{"status":"#);
    line.optional_number(refused.status.map(u64::from));
    line.put(br#","reason":""#);
    line.name(refused.reason.name());
    line.put(br#""}"#);
}

fn upgrade(line: &mut Line, upgrade: Option<Upgrade>) {
    match upgrade {
        None => line.put(b"null"),
        Some(Upgrade::WebSocket) => line.put(br#""websocket""#),
        Some(Upgrade::Tunnel) => line.put(br#""tunnel""#),
        Some(Upgrade::Other) => line.put(br#""other""#),
    }
}

fn polling(line: &mut Line, poll: Option<&Poll>) {
    let Some(poll) = poll else { return line.put(b"null") };
    line.put(br#"{"kind":""#);
    line.name(poll.kind.name());
    line.put(br#"","number":"#);
    line.number(poll.number);
    put_key!(line, "interval_s");
    line.optional_decimal(poll.interval_ns.map(|interval| interval as f64 / 1e9));
    put_key!(line, "is_new");
    line.optional_boolean(poll.is_new);
    line.put(b"}");
}

fn event_stream(line: &mut Line, events: Option<&EventStream>) {
    let Some(events) = events else { return line.put(b"null") };
    line.put(br#"{"events":"#);
    line.number(events.events);
    put_key!(line, "event_bytes");
    line.number(events.event_bytes);
    put_key!(line, "data_bytes");
    line.number(events.data_bytes);
    put_key!(line, "comments");
    line.number(events.comments);
    put_key!(line, "comment_bytes");
    line.number(events.comment_bytes);
    put_key!(line, "retry_ms");
    line.optional_number(events.retry_ms);
    put_key!(line, "mean_interval_s");
    line.optional_decimal(events.mean_interval_s());
    put_key!(line, "longest_interval_s");
    line.optional_decimal((events.events > 1).then_some(events.longest_gap_ns as f64 / 1e9));
    line.put(b"}");
}

fn envelope(out: &mut Vec<u8>, envelope: Option<&Envelope>) {
    let Some(envelope) = envelope else { return null(out) };
    let string = |out: &mut Vec<u8>, value: &Option<Box<str>>| optional_text(out, value.as_deref().map(str::as_bytes));
    out.extend_from_slice(br#"{"protocol":"#);
    name(out, envelope.protocol.name());
    key!(out, "kind");
    name(out, envelope.kind);
    key!(out, "name");
    string(out, &envelope.name);
    key!(out, "namespace");
    string(out, &envelope.namespace);
    key!(out, "id");
    match &envelope.id {
        None => null(out),
        Some(EnvelopeId::Number(id)) => number(out, *id),
        Some(EnvelopeId::Text(id)) => text(out, id.as_bytes()),
    }
    key!(out, "envelope_bytes");
    optional_number(out, envelope.bytes);
    key!(out, "count");
    number(out, envelope.count);
    out.push(b'}');
}

fn close(line: &mut Line, close: Option<&Close>, out: &mut Vec<u8>) {
    let Some(close) = close else { return line.put(br#","close_code":null,"close_reason":null"#) };
    put_key!(line, "close_code");
    line.optional_number(close.code.map(u64::from));
    put_key!(line, "close_reason");
    line.append_to(out);
    text(out, close.reason.as_bytes());
}

fn websocket(line: &mut Line, facts: Option<&WebSocketFacts>, out: &mut Vec<u8>) {
    let Some(facts) = facts else { return line.put(b"null") };
    let string = |out: &mut Vec<u8>, value: &Option<String>| optional_text(out, value.as_deref().map(str::as_bytes));
    line.put(br#"{"host":"#);
    line.append_to(out);
    string(out, &facts.host);
    key!(out, "target");
    string(out, &facts.target);
    key!(out, "version");
    optional_number(out, facts.version);
    key!(out, "subprotocol");
    string(out, &facts.subprotocol);
    key!(out, "extensions");
    string(out, &facts.extensions);
    put_key!(line, "accept_valid");
    line.optional_boolean(facts.accept_valid);
    put_key!(line, "handshake_captured");
    line.boolean(facts.handshake_captured);
    put_key!(line, "handshake_s");
    line.optional_decimal(facts.handshake_s);
    close(line, facts.close.as_ref(), out);
    put_key!(line, "closed_by");
    match facts.closed_by {
        Some(Direction::ClientToServer) => line.put(br#""client"}"#),
        Some(Direction::ServerToClient) => line.put(br#""server"}"#),
        None => line.put(b"null}"),
    }
    line.append_to(out);
}

fn buckets(line: &mut Line, buckets: &Buckets) {
    line.put(br#","buckets":{"#);
    for (at, bucket) in Bucket::ALL.into_iter().enumerate() {
        both_ways(line, at > 0, bucket.name(), |direction| buckets.in_direction(bucket, direction));
    }
    line.put(b"}");
}

/// A member of an object: a number for each direction.
fn both_ways(line: &mut Line, follows: bool, name: &str, of: impl Fn(Direction) -> u64) {
    if follows {
        line.put(b",");
    }
    line.put(b"\"");
    line.name(name);
    line.put(br#"":{"client_to_server":"#);
    line.number(of(Direction::ClientToServer));
    put_key!(line, "server_to_client");
    line.number(of(Direction::ServerToClient));
    line.put(b"}");
}

fn tcp(line: &mut Line, tcp: &TcpFacts, out: &mut Vec<u8>) {
    line.put(br#","tcp":{"segments":"#);
    line.number(tcp.segments);
    put_key!(line, "retransmitted_segments");
    line.number(tcp.retransmitted_segments);
    put_key!(line, "initial_rtt_s");
    line.optional_decimal(tcp.initial_rtt_s);
    put_key!(line, "retransmitted_bytes");
    line.number(tcp.retransmitted_bytes);
    put_key!(line, "out_of_order_segments");
    line.number(tcp.out_of_order_segments);
    put_key!(line, "duplicate_segments");
    line.number(tcp.duplicate_segments);
    put_key!(line, "lost_bytes");
    line.number(tcp.lost_bytes);
    put_key!(line, "client_mss");
    line.optional_number(tcp.sides[0].mss.map(u64::from));
    put_key!(line, "server_mss");
    line.optional_number(tcp.sides[1].mss.map(u64::from));
    put_key!(line, "client");
    tcp_side(line, &tcp.sides[0]);
    put_key!(line, "server");
    tcp_side(line, &tcp.sides[1]);
    line.put(br#","analysis":{"#);
    line.append_to(out);
    if tcp.analysis.is_some() {
        let both = |kind| Direction::BOTH.map(|direction| tcp.analysis(kind, direction));
        for (at, kind) in TcpAnalysis::ALL.into_iter().filter(|&kind| both(kind) != [0, 0]).enumerate() {
            both_ways(line, at > 0, kind.name(), |direction| tcp.analysis(kind, direction));
            line.append_to(out);
        }
    }
    line.put(b"}}");
    line.append_to(out);
}

fn tcp_side(line: &mut Line, side: &TcpSide) {
    line.put(br#"{"window_scale":"#);
    line.optional_number(side.window_scale.map(u64::from));
    put_key!(line, "sack_permitted");
    line.optional_boolean(side.sack_permitted);
    put_key!(line, "timestamps");
    line.optional_boolean(side.timestamps);
    put_key!(line, "max_bytes_in_flight");
    line.number(side.max_bytes_in_flight.into());
    let times = &side.round_trips;
    line.put(br#","ack_rtt":{"count":"#);
    line.number(times.count);
    put_key!(line, "min_s");
    line.optional_decimal(times.min_s());
    put_key!(line, "mean_s");
    line.optional_decimal(times.mean_s());
    put_key!(line, "max_s");
    line.optional_decimal(times.max_s());
    line.put(b"}}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Ajax, Application, Opcode, PollingKind, RefusalReason, RoundTrips, Side};
    use crate::stream::{LayerBytes, Place, Provenance, Timestamp};

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
            "ajax":{"verdict":true,"confidence":0.9,"reasons":["x-requested-with"]},
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
            "ajax":{"verdict":false,"confidence":0,"reasons":[]},"polling":null,"anomalies":["response_without_request","decoding_failed"],
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
    fn close_line_with_a_hostile_reason_and_its_content() {
        let row = Message {
            direction: Direction::ServerToClient,
            opcode: Opcode::Close,
            close: Some(Box::new(Close { code: Some(1001), reason: "bye\u{1b}[2J".into() })),
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
            protocols: vec!["http/1.1", "websocket"],
            wire_bytes: 12_345,
            side_wire_bytes: [0, 11_933, 0, 0],
            exchanges: 1,
            time_to_first_request_s: Some(0.25),
            buckets,
            websocket: Some(WebSocketFacts {
                host: Some("example.org".into()),
                target: Some("/ws".into()),
                version: Some(13),
                subprotocol: None,
                extensions: Some("permessage-deflate".into()),
                accept_valid: Some(true),
                handshake_captured: true,
                handshake_s: Some(0.01),
                close: Some(Close { code: Some(1000), reason: String::new() }),
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
}
