//! Rows as JSON, one object a line: field names and order are those of docs/formats.md.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::costs::Costs;
use super::encode::{name, null, number, optional_number, optional_text, text};
use super::line::{Fixed, Line, Padded, Room, field, padded, padded_len, put_key, seconds, short_decimal};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{
    AnomalyDetail, AnomalyDetails, Bucket, Buckets, Close, ConnectionRow, Content, Cost, Direction, Envelope, EnvelopeId, EventStream,
    Exchange, FieldName, Head, Message, Opcode, Poll, RefusedUpgrade, Request, Response, Row, TcpAnalysis, TcpFacts, TcpSide, Upgrade,
    WebSocketFacts,
};
use crate::options::ContentMode;

/// Appends a comma, a key and a colon to what may be of any length.
macro_rules! key {
    ($out:expr, $key:literal) => {
        $out.extend_from_slice(concat!(",\"", $key, "\":").as_bytes())
    };
}

/// Turns rows into lines of JSON.
#[derive(Clone, Debug)]
pub struct Lines {
    content: ContentMode,
    room: Room,
    costs: Costs,
}

impl Lines {
    /// Lines that show as much of the content as was asked of the analysis.
    pub fn new(content: ContentMode) -> Self {
        Self { content, room: Room::default(), costs: Costs::default() }
    }

    /// Appends one row and its line feed.
    pub fn append(&mut self, row: &Row, out: &mut Vec<u8>) {
        self.gather(row, out);
        self.room.append_to(out);
    }

    /// Gathers one row and its line feed behind those before it, to be taken many at a time. What there is no room for goes to the
    /// end of `out`, behind all that was gathered before.
    pub fn gather(&mut self, row: &Row, out: &mut Vec<u8>) {
        let mut line = self.room.line(out);
        match row {
            Row::Message(row) => message(&mut line, row, self.content, &mut self.costs, out),
            Row::Exchange(row) => line.with(|line| exchange(line, row, self.content, &mut self.costs, out)),
            Row::Connection(row) => line.with(|line| connection(line, row, &mut self.costs, out)),
        }
        let end = line.at();
        self.room.end(end);
    }

    /// What is gathered; it follows what went to the `out` of [`gather`](Self::gather).
    #[inline]
    pub fn gathered(&self) -> &[u8] {
        self.room.gathered()
    }

    /// Forgets what was gathered, when it was taken.
    pub fn clear(&mut self) {
        self.room.clear();
    }
}

#[inline(never)]
fn exchange(mut line: Line<'_>, exchange: &Exchange, mode: ContentMode, costs: &mut Costs, out: &mut Vec<u8>) -> usize {
    line.field(padded!(r#"{"type":"exchange","connection":"#), exchange.connection);
    field!(line, "number", exchange.number);
    put_key!(line, "client");
    line.address(exchange.client);
    put_key!(line, "server");
    line.address(exchange.server);
    put_key!(line, "request");
    match &exchange.request {
        Some(row) => line.with(|line| request(line, row, mode, costs, out)),
        None => line.put(b"null"),
    }
    put_key!(line, "response");
    match &exchange.response {
        Some(row) => line.with(|line| response(line, row, mode, costs, out)),
        None => line.put(b"null"),
    }
    if exchange.informational.is_empty() && exchange.upgrade.is_none() && exchange.upgrade_refused.is_none() {
        // As most are.
        line.padded(padded!(r#","informational":[],"upgrade":null,"upgrade_refused":null"#));
    } else {
        put_key!(line, "informational");
        line.append_to(out);
        list(out, &exchange.informational, |out, &status| number(out, status));
        put_key!(line, "upgrade");
        upgrade(&mut line, exchange.upgrade);
        put_key!(line, "upgrade_refused");
        refused(&mut line, exchange.upgrade_refused);
    }
    times(&mut line, exchange.time_to_first_byte_s, exchange.time_to_last_byte_s);
    line.padded(padded!(r#","ajax":{"verdict":"#));
    line.boolean(exchange.ajax.verdict);
    put_key!(line, "confidence");
    line.decimal(exchange.ajax.confidence);
    put_key!(line, "reasons");
    names(&mut line, &exchange.ajax.reasons, out);
    line.padded(padded!(r#"},"polling":"#));
    polling(&mut line, exchange.polling.as_deref());
    let mut odd = exchange.anomalies;
    exchange.request.iter().for_each(|request| odd.merge(request.content.anomalies));
    exchange.response.iter().for_each(|response| odd.merge(response.content.anomalies));
    end(&mut line, odd, &exchange.anomaly_details, out);
    line.at()
}

/// The times to the first and to the last octet of the response, which are the same where one segment carried it.
#[inline(always)]
fn times(line: &mut Line<'_>, first: Option<f64>, last: Option<f64>) {
    put_key!(line, "time_to_first_byte_s");
    if let (Some(first), Some(last)) = (first, last)
        && first == last
        && let Some(time) = short_decimal(first)
    {
        line.short(time);
        put_key!(line, "time_to_last_byte_s");
        line.short(time);
    } else {
        line.optional_decimal(first);
        put_key!(line, "time_to_last_byte_s");
        line.optional_decimal(last);
    }
}

#[inline(never)]
fn request(mut line: Line<'_>, request: &Request, mode: ContentMode, costs: &mut Costs, out: &mut Vec<u8>) -> usize {
    line.padded(padded!(r#"{"content_bytes":"#));
    line.with(|line| http_cost(line, Direction::ClientToServer, &request.cost, costs));
    let [method, target, version] = request.head.start_line();
    match method {
        b"GET" => line.padded(padded!(r#","method":"GET""#)),
        _ => {
            put_key!(line, "method");
            line.optional_text(not_empty(method), out);
        }
    }
    put_key!(line, "target");
    line.optional_text(not_empty(target), out);
    put_key!(line, "host");
    line.optional_text(request.host(), out);
    http_version(&mut line, version, out);
    line.with(|line| http_content(line, &request.head, &request.content, &request.cost, mode, out));
    line.put(b"}");
    line.at()
}

#[inline(never)]
fn response(mut line: Line<'_>, response: &Response, mode: ContentMode, costs: &mut Costs, out: &mut Vec<u8>) -> usize {
    line.padded(padded!(r#"{"content_bytes":"#));
    line.with(|line| http_cost(line, Direction::ServerToClient, &response.cost, costs));
    field!(line, "status", response.status.into());
    http_version(&mut line, response.version(), out);
    line.with(|line| http_content(line, &response.head, &response.content, &response.cost, mode, out));
    put_key!(line, "event_stream");
    event_stream(&mut line, response.content.http.as_ref().and_then(|http| http.events.as_ref()));
    line.put(b"}");
    line.at()
}

#[inline(never)]
fn http_cost(mut line: Line<'_>, direction: Direction, cost: &Cost, costs: &mut Costs) -> usize {
    costs.put(&mut line, direction, cost);
    line.at()
}

#[inline(always)]
fn http_version(line: &mut Line<'_>, version: &[u8], out: &mut Vec<u8>) {
    match version {
        b"HTTP/1.1" => line.padded(padded!(r#","version":"HTTP/1.1""#)),
        _ => {
            put_key!(line, "version");
            line.optional_text(not_empty(version), out);
        }
    }
}

#[inline(never)]
fn http_content(mut line: Line<'_>, head: &Head, content: &Content, cost: &Cost, mode: ContentMode, out: &mut Vec<u8>) -> usize {
    put_key!(line, "content_type");
    line.optional_text(head.first(FieldName::ContentType), out);
    match head.first(FieldName::ContentEncoding) {
        None => line.padded(padded!(r#","content_encoding":null"#)),
        Some(_) => {
            put_key!(line, "content_encoding");
            line.optional_text(list_field(head, "content-encoding").as_deref(), out);
        }
    }
    if content.envelope.is_none() && content.sha256.is_none() && mode == ContentMode::None {
        // As most are.
        line.padded(padded!(r#","envelope":null,"content_sha256":null"#));
    } else {
        line.append_to(out);
        key!(out, "envelope");
        envelope(out, content.envelope.as_deref());
        shown(out, content, cost, mode);
    }
    line.at()
}

/// `,"direction":"client_to_server","opcode":"text","content_bytes":` of each direction and opcode.
static DIRECTIONS_AND_OPCODES: [[Fixed<80>; 16]; 2] = {
    let mut all = [[Fixed::of(&[]); 16]; 2];
    let mut at = 0;
    while at < 32 {
        let (direction, opcode) = (Direction::BOTH[at / 16].name(), Opcode::of_bits(at as u8 % 16).name());
        all[at / 16][at % 16] = Fixed::of(&[r#","direction":""#, direction, r#"","opcode":""#, opcode, r#"","content_bytes":"#]);
        at += 1;
    }
    all
};

/// The end of an ordinary message, uncompressed and compressed, and of each unmasked and masked.
static ORDINARY_ENDS: [[Fixed<176>; 2]; 2] = {
    const fn of(compressed: &str, masked: &str) -> Fixed<176> {
        const REST: &str = ",\"close_code\":null,\"close_reason\":null,\"envelope\":null,\"answered_in_s\":null,\"content_sha256\":null,\"anomalies\":[]}\n";
        Fixed::of(&[r#","fragments":1,"compressed":"#, compressed, r#","masked":"#, masked, REST])
    }
    [[of("false", "false"), of("false", "true")], [of("true", "false"), of("true", "true")]]
};

#[inline(always)]
fn message(line: &mut Line<'_>, message: &Message, mode: ContentMode, costs: &mut Costs, out: &mut Vec<u8>) {
    line.field(padded!(r#"{"type":"message","connection":"#), message.connection);
    field!(line, "number", message.number);
    line.fixed(&DIRECTIONS_AND_OPCODES[message.direction as usize][usize::from(message.opcode.bits() & 0xf)]);
    costs.put(line, message.direction, &message.cost);
    let content = &message.content;
    let mut odd = message.anomalies;
    odd.merge(content.anomalies);
    let is_plain = content.envelope.is_none() && content.sha256.is_none() && mode == ContentMode::None;
    let is_single = message.fragments == 1 && message.close.is_none() && message.answered.is_none();
    if is_plain && is_single && odd.is_empty() {
        line.fixed(&ORDINARY_ENDS[usize::from(message.compressed)][usize::from(message.masked)]);
    } else {
        line.with(|line| unusual_end(line, message, odd, mode, out));
    }
}

/// The end of a message of which there is more to say.
#[inline(never)]
fn unusual_end(mut line: Line<'_>, message: &Message, odd: AnomalySet, mode: ContentMode, out: &mut Vec<u8>) -> usize {
    field!(line, "fragments", message.fragments.into());
    put_key!(line, "compressed");
    line.boolean(message.compressed);
    put_key!(line, "masked");
    line.boolean(message.masked);
    close(&mut line, message.close.as_deref(), out);
    put_key!(line, "envelope");
    match message.content.envelope.as_deref() {
        None => line.put(b"null"),
        some => {
            line.append_to(out);
            envelope(out, some);
        }
    }
    put_key!(line, "answered_in_s");
    // Nanoseconds below 2⁵³ (104 days) are exact.
    line.optional_decimal(message.answered.map(|answered| answered.nanoseconds() as f64 / 1e9));
    if message.content.sha256.is_none() && mode == ContentMode::None {
        line.padded(padded!(r#","content_sha256":null"#));
    } else {
        line.append_to(out);
        shown(out, &message.content, &message.cost, mode);
    }
    end(&mut line, odd, &message.anomaly_details, out);
    line.at()
}

#[inline(never)]
fn connection(mut line: Line<'_>, connection: &ConnectionRow, costs: &mut Costs, out: &mut Vec<u8>) -> usize {
    line.field(padded!(r#"{"type":"connection","connection":"#), connection.connection);
    put_key!(line, "client");
    line.address(connection.client);
    put_key!(line, "server");
    line.address(connection.server);
    costs.frames(&mut line, connection.first, connection.last);
    put_key!(line, "duration_s");
    match connection.last.time.0.checked_sub(connection.first.time.0) {
        Some(ns @ 0..) => line.nanoseconds(ns as u64),
        Some(_) | None => line.decimal(connection.last.time.seconds_since(connection.first.time)),
    }
    put_key!(line, "protocols");
    names(&mut line, &connection.protocols, out);
    field!(line, "wire_bytes", connection.wire_bytes);
    field!(line, "exchanges", connection.exchanges);
    put_key!(line, "time_to_first_request_s");
    line.optional_decimal(connection.time_to_first_request_s);
    put_key!(line, "websocket");
    match &connection.websocket {
        Some(facts) => line.with(|line| websocket(line, facts, out)),
        None => line.put(b"null"),
    }
    line.with(|line| buckets(line, &connection.buckets));
    line.with(|line| tcp(line, &connection.tcp));
    if connection.anomalies.is_empty() {
        line.padded(padded!(",\"anomalies\":[]}\n"));
    } else {
        line.append_to(out);
        connection_anomalies(out, connection);
    }
    line.at()
}

#[cold]
fn connection_anomalies(out: &mut Vec<u8>, connection: &ConnectionRow) {
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
    key!(out, "anomaly_details");
    list(out, &connection.anomalies, |out, &(kind, _, first_frame)| {
        let first_frame = (first_frame > 0).then_some(first_frame);
        detail(out, kind, connection.anomaly_details.of_kind(kind), first_frame);
    });
    out.extend_from_slice(b"}\n");
}

/// What was odd in a row, and its end.
#[inline(always)]
fn end(line: &mut Line<'_>, set: AnomalySet, details: &AnomalyDetails, out: &mut Vec<u8>) {
    if set.is_empty() {
        line.padded(padded!(",\"anomalies\":[]}\n"));
    } else {
        line.append_to(out);
        odd(out, set, details);
    }
}

/// A list of a few names of ours.
fn names(line: &mut Line<'_>, names: &[&str], out: &mut Vec<u8>) {
    if let ["http/1.1"] = names {
        // As most connections speak.
        return line.padded(padded!(r#"["http/1.1"]"#));
    }
    line.put(b"[");
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            line.put(b",");
        }
        line.text(name.as_bytes(), out);
    }
    line.put(b"]");
}

/// The digest and, when asked for, the content: as text when it is UTF-8.
fn shown(out: &mut Vec<u8>, content: &Content, cost: &Cost, mode: ContentMode) {
    key!(out, "content_sha256");
    match &content.sha256 {
        None => null(out),
        Some(digest) => hexadecimal(out, digest.as_slice()),
    }
    if mode != ContentMode::None {
        sample(content.sample.as_deref(), cost, out);
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
    out.extend_from_slice(b"}\n");
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

fn refused(line: &mut Line<'_>, refused: Option<RefusedUpgrade>) {
    let Some(refused) = refused else { return line.put(b"null") };
    line.padded(padded!(r#"{"status":"#));
    line.optional_number(refused.status.map(u64::from));
    line.padded(padded!(r#","reason":""#));
    line.name(refused.reason.name());
    line.put(br#""}"#);
}

fn upgrade(line: &mut Line<'_>, upgrade: Option<Upgrade>) {
    match upgrade {
        None => line.put(b"null"),
        Some(Upgrade::WebSocket) => line.padded(padded!(r#""websocket""#)),
        Some(Upgrade::Tunnel) => line.put(br#""tunnel""#),
        Some(Upgrade::Other) => line.put(br#""other""#),
    }
}

fn polling(line: &mut Line<'_>, poll: Option<&Poll>) {
    let Some(poll) = poll else { return line.put(b"null") };
    line.padded(padded!(r#"{"kind":""#));
    line.name(poll.kind.name());
    line.field(padded!(r#"","number":"#), poll.number);
    put_key!(line, "interval_s");
    line.optional_decimal(poll.interval_ns.map(|interval| interval as f64 / 1e9));
    put_key!(line, "is_new");
    line.optional_boolean(poll.is_new);
    line.put(b"}");
}

fn event_stream(line: &mut Line<'_>, events: Option<&EventStream>) {
    let Some(events) = events else { return line.put(b"null") };
    line.field(padded!(r#"{"events":"#), events.events);
    field!(line, "event_bytes", events.event_bytes);
    field!(line, "data_bytes", events.data_bytes);
    field!(line, "comments", events.comments);
    field!(line, "comment_bytes", events.comment_bytes);
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

fn close(line: &mut Line<'_>, close: Option<&Close>, out: &mut Vec<u8>) {
    let Some(close) = close else { return line.padded(padded!(r#","close_code":null,"close_reason":null"#)) };
    put_key!(line, "close_code");
    line.optional_number(close.code.map(u64::from));
    put_key!(line, "close_reason");
    line.text(close.reason.as_bytes(), out);
}

#[inline(never)]
fn websocket(mut line: Line<'_>, facts: &WebSocketFacts, out: &mut Vec<u8>) -> usize {
    fn octets(text: &Option<String>) -> Option<&[u8]> {
        text.as_deref().map(str::as_bytes)
    }
    line.put(br#"{"host":"#);
    line.optional_text(octets(&facts.host), out);
    put_key!(line, "target");
    line.optional_text(octets(&facts.target), out);
    put_key!(line, "version");
    line.optional_number(facts.version.map(u64::from));
    put_key!(line, "subprotocol");
    line.optional_text(octets(&facts.subprotocol), out);
    put_key!(line, "extensions");
    line.optional_text(octets(&facts.extensions), out);
    put_key!(line, "accept_valid");
    line.optional_boolean(facts.accept_valid);
    put_key!(line, "handshake_captured");
    line.boolean(facts.handshake_captured);
    put_key!(line, "handshake_s");
    line.optional_decimal(facts.handshake_s);
    close(&mut line, facts.close.as_ref(), out);
    put_key!(line, "closed_by");
    match facts.closed_by {
        Some(Direction::ClientToServer) => line.padded(padded!(r#""client"}"#)),
        Some(Direction::ServerToClient) => line.padded(padded!(r#""server"}"#)),
        None => line.put(b"null}"),
    }
    line.at()
}

/// Appends the member of a bucket, with what stands before it.
macro_rules! bucket {
    ($line:expr, $buckets:expr, $bucket:ident, $before:literal) => {{
        let client = $buckets.in_direction(Bucket::$bucket, Direction::ClientToServer);
        let server = $buckets.in_direction(Bucket::$bucket, Direction::ServerToClient);
        if client | server == 0 {
            $line.padded(padded!($before, r#":{"client_to_server":0,"server_to_client":0}"#));
        } else {
            $line.field(padded!($before, r#":{"client_to_server":"#), client);
            field!($line, "server_to_client", server);
            $line.put(b"}");
        }
    }};
}

#[inline(never)]
fn buckets(mut line: Line<'_>, buckets: &Buckets) -> usize {
    bucket!(line, buckets, TcpSetup, r#","buckets":{"tcp_setup""#);
    bucket!(line, buckets, TlsSetup, r#","tls_setup""#);
    bucket!(line, buckets, Acknowledgements, r#","acknowledgements""#);
    bucket!(line, buckets, Retransmissions, r#","retransmissions""#);
    bucket!(line, buckets, KeepAlive, r#","keep_alive""#);
    bucket!(line, buckets, Teardown, r#","teardown""#);
    bucket!(line, buckets, Unattributed, r#","unattributed""#);
    line.put(b"}");
    line.at()
}

#[inline(never)]
fn tcp(mut line: Line<'_>, tcp: &TcpFacts) -> usize {
    line.field(padded!(r#","tcp":{"segments":"#), tcp.segments);
    field!(line, "retransmitted_segments", tcp.retransmitted_segments);
    put_key!(line, "initial_rtt_s");
    line.optional_decimal(tcp.initial_rtt_s);
    if tcp.retransmitted_bytes | tcp.out_of_order_segments | tcp.duplicate_segments | tcp.lost_bytes == 0 {
        // As most are.
        line.padded(padded!(r#","retransmitted_bytes":0,"out_of_order_segments":0,"duplicate_segments":0,"lost_bytes":0"#));
    } else {
        field!(line, "retransmitted_bytes", tcp.retransmitted_bytes);
        field!(line, "out_of_order_segments", tcp.out_of_order_segments);
        field!(line, "duplicate_segments", tcp.duplicate_segments);
        field!(line, "lost_bytes", tcp.lost_bytes);
    }
    let [client, server] = &tcp.sides;
    put_key!(line, "client_mss");
    line.optional_number(client.mss.map(u64::from));
    put_key!(line, "server_mss");
    line.optional_number(server.mss.map(u64::from));
    put_key!(line, "client");
    line.with(|line| tcp_side(line, client));
    put_key!(line, "server");
    line.with(|line| tcp_side(line, server));
    match &tcp.analysis {
        None => line.padded(padded!(r#","analysis":{}}"#)),
        Some(_) => line.with(|line| analysis(line, tcp)),
    }
    line.at()
}

#[inline(never)]
fn analysis(mut line: Line<'_>, tcp: &TcpFacts) -> usize {
    line.padded(padded!(r#","analysis":{"#));
    let both = |kind| Direction::BOTH.map(|direction| tcp.analysis(kind, direction));
    let met = TcpAnalysis::ALL.into_iter().map(|kind| (kind, both(kind))).filter(|&(_, both)| both != [0, 0]);
    for (at, (kind, [client, server])) in met.enumerate() {
        if at > 0 {
            line.put(b",");
        }
        line.put(b"\"");
        line.name(kind.name());
        line.field(padded!(r#"":{"client_to_server":"#), client);
        field!(line, "server_to_client", server);
        line.put(b"}");
    }
    line.put(b"}}");
    line.at()
}

#[inline(never)]
fn tcp_side(mut line: Line<'_>, side: &TcpSide) -> usize {
    line.padded(padded!(r#"{"window_scale":"#));
    line.optional_number(side.window_scale.map(u64::from));
    match (side.sack_permitted, side.timestamps) {
        // As mostly.
        (Some(true), Some(true)) => line.padded(padded!(r#","sack_permitted":true,"timestamps":true"#)),
        (sack_permitted, timestamps) => {
            put_key!(line, "sack_permitted");
            line.optional_boolean(sack_permitted);
            put_key!(line, "timestamps");
            line.optional_boolean(timestamps);
        }
    }
    field!(line, "max_bytes_in_flight", side.max_bytes_in_flight.into());
    let times = &side.round_trips;
    line.field(padded!(r#","ack_rtt":{"count":"#), times.count);
    if times.count == 0 {
        line.padded(padded!(r#","min_s":null,"mean_s":null,"max_s":null}}"#));
        return line.at();
    }
    if times.count == 1 && times.sum_ns < 1_000_000_000 {
        // All are the same.
        let time = seconds(times.sum_ns);
        put_key!(line, "min_s");
        line.short(time);
        put_key!(line, "mean_s");
        line.short(time);
        put_key!(line, "max_s");
        line.short(time);
    } else {
        put_key!(line, "min_s");
        line.nanoseconds(times.min_ns);
        put_key!(line, "mean_s");
        line.optional_decimal(times.mean_s());
        put_key!(line, "max_s");
        line.nanoseconds(times.max_ns);
    }
    line.put(b"}}");
    line.at()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Ajax, Application, PollingKind, RefusalReason, RoundTrips, Side};
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
