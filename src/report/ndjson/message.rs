//! Rows of WebSocket messages.

use super::{DIRECTIONS_AND_OPCODES, ORDINARY_ENDS, end, key, shown};
use crate::anomaly::AnomalySet;
use crate::message::{Close, Envelope, EnvelopeId, Message};
use crate::options::ContentMode;
use crate::report::costs::Costs;
use crate::report::encode::{name, null, number, optional_number, optional_text, text};
use crate::report::line::{Line, Padded, field, padded, padded_len, put_key};

#[inline(always)]
pub(super) fn message(line: &mut Line<'_>, message: &Message, mode: ContentMode, costs: &mut Costs, out: &mut Vec<u8>) {
    line.field(padded!(r#"{"type":"message","connection":"#), message.connection);
    field!(line, "number", message.number);
    line.fixed(&DIRECTIONS_AND_OPCODES[message.direction as usize][usize::from(message.opcode.bits() & 0xf)]);
    costs.put(line, message.direction, &message.cost);
    let content = &message.content;
    let odd = message.oddities();
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

pub(super) fn envelope(out: &mut Vec<u8>, envelope: Option<&Envelope>) {
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

pub(super) fn close(line: &mut Line<'_>, close: Option<&Close>, out: &mut Vec<u8>) {
    let Some(close) = close else { return line.padded(padded!(r#","close_code":null,"close_reason":null"#)) };
    put_key!(line, "close_code");
    line.optional_number(close.code.map(u64::from));
    let Some(reason) = &close.reason else { return line.padded(padded!(r#","close_reason":null"#)) };
    put_key!(line, "close_reason");
    line.text(reason.as_bytes(), out);
}
