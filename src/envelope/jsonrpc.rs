//! JSON-RPC 2.0: requests, notifications, responses, and batches of them.
//!
//! Payload is `params`, `result` and `error` as they stand; all else is the envelope's.

use super::json::{self, Failure};
use super::packet::{Id, Key, Packet, Packets, Role, Seen};
use crate::message::EnvelopeProtocol::JsonRpc;

/// The packets of a message; `None` when it is no JSON-RPC 2.0.
pub(super) fn read<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    let start = json::skip_whitespace(seen.octets, 0);
    match seen.octets.get(start)? {
        b'{' => {
            let (packet, payload, end) = object(&seen.octets[start..])?;
            let is_whole = !seen.is_cut() && end.is_ok_and(|end| json::is_end(&seen.octets[start..], end));
            (is_whole || seen.is_cut() && end.is_err()).then(|| Packets::one(packet, is_whole.then(|| seen.len - payload)))
        }
        b'[' if !seen.is_cut() => batch(seen),
        _ => None,
    }
}

fn batch<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    let (mut found, mut payload, mut is_odd) = (Vec::new(), 0, false);
    let end = json::elements(seen.octets, |element| match object(element) {
        Some((packet, len, Ok(_))) => {
            found.push(packet);
            payload += len;
        }
        _ => is_odd = true,
    });
    if is_odd || !json::is_end(seen.octets, end.ok()?) {
        return None;
    }
    Packets::of(found, Some(seen.len - payload))
}

/// A request, notification or response; octets of its payload; and where it ends, if not cut.
fn object(octets: &[u8]) -> Option<(Packet<'_>, u64, Result<usize, Failure>)> {
    let (mut version, mut method, mut id) = (None, None, None);
    let (mut has_id, mut has_result, mut is_error) = (false, false, false);
    let mut payload = 0;
    let end = json::members(octets, |key, value| {
        match key {
            b"jsonrpc" => version = value,
            b"method" => method = value,
            b"id" => (has_id, id) = (true, value),
            b"result" => has_result = true,
            b"error" => is_error |= value.is_some_and(|value| value != b"null"),
            _ => {}
        }
        if let b"params" | b"result" | b"error" = key {
            payload += value.map_or(0, |value| value.len() as u64);
        }
    });
    if end == Err(Failure::Malformed) || version? != b"\"2.0\"" {
        return None;
    }
    let kind = match method {
        Some(_) if has_id => "request",
        // An id may follow where nobody looked.
        Some(_) if end.is_err() => "request_or_notification",
        Some(_) => "notification",
        None if is_error => "error",
        None if has_result && (has_id || end.is_err()) => "response",
        None => return None,
    };
    let known_id = id.filter(|&id| id != b"null");
    let role = match (kind, known_id) {
        ("request", Some(id)) => Role::Ask(Key::of(id)),
        ("response" | "error", Some(id)) => Role::Answer(Key::of(id)),
        _ => Role::None,
    };
    let name = match method {
        Some(method) => Some(json::text(method)?),
        None => None,
    };
    Some((Packet::new(JsonRpc, kind).named(name).with_id(known_id.and_then(id_of)).with_role(role), payload, end))
}

/// An id as JSON has it: text, an unsigned number, or another number as it was written.
pub(super) fn id_of(value: &[u8]) -> Option<Id<'_>> {
    let number = json::number(value).map(Id::Number);
    number.or_else(|| json::text(value).map(Id::Text)).or_else(|| {
        let is_number = matches!(value.first(), Some(b'-' | b'0'..=b'9'));
        is_number.then(|| str::from_utf8(value).ok().map(|text| Id::Text(text.into()))).flatten()
    })
}
