//! Rows of HTTP exchanges.

use super::message::envelope;
use super::{end, key, list, names, not_empty, shown};
use crate::message::{Content, Cost, Direction, EventStream, Exchange, FieldName, Head, Poll, RefusedUpgrade, Request, Response, Upgrade};
use crate::options::ContentMode;
use crate::report::costs::Costs;
use crate::report::encode::number;
use crate::report::line::{Line, Padded, field, padded, padded_len, put_key, short_decimal};

#[inline(never)]
pub(super) fn exchange(mut line: Line<'_>, exchange: &Exchange, mode: ContentMode, costs: &mut Costs, out: &mut Vec<u8>) -> usize {
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
    line.padded(padded!(r#","side":""#));
    line.name(exchange.side.name());
    line.padded(padded!(r#"","ajax":{"verdict":"#));
    line.boolean(exchange.ajax.verdict);
    put_key!(line, "confidence");
    line.decimal(exchange.ajax.confidence);
    put_key!(line, "reasons");
    names(&mut line, &exchange.ajax.reasons, out);
    line.padded(padded!(r#"},"polling":"#));
    polling(&mut line, exchange.polling.as_deref());
    end(&mut line, exchange.oddities(), &exchange.anomaly_details, out);
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
            line.optional_text(head.list(FieldName::ContentEncoding).as_deref(), out);
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

fn refused(line: &mut Line<'_>, refused: Option<RefusedUpgrade>) {
    let Some(refused) = refused else { return line.put(b"null") };
    line.padded(padded!(r#"{"status":"#));
    line.optional_number(refused.status.map(u64::from));
    line.padded(padded!(r#","reason":""#));
    line.name(refused.reason.name());
    line.put(br#""}"#);
}

fn upgrade(line: &mut Line<'_>, upgrade: Option<Upgrade>) {
    let Some(upgrade) = upgrade else { return line.put(b"null") };
    line.put(b"\"");
    line.name(upgrade.name());
    line.put(b"\"");
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
