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
mod tests;
