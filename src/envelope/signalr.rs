//! The hub protocol of ASP.NET Core SignalR (its HubProtocol specification), as JSON with record separators or as MessagePack
//! with length prefixes.
//!
//! Payload is what the application handed over: `arguments`, `item`, `result`, `error` as they stand.

use super::json::{self, Failure};
use super::messagepack;
use super::packet::{Id, Key, Packet, Packets, Role, Seen};
use crate::message::EnvelopeProtocol::SignalR;

/// Ends each JSON text.
const RECORD_SEPARATOR: u8 = 0x1e;

/// The kind of a message type; `None` for types that the specification does not have.
fn kind(message_type: u64) -> Option<&'static str> {
    Some(match message_type {
        1 => "invocation",
        2 => "stream_item",
        3 => "completion",
        4 => "stream_invocation",
        5 => "cancel_invocation",
        6 => "ping",
        7 => "close",
        8 => "ack",
        9 => "sequence",
        _ => return None,
    })
}

/// The packets of a message; `None` when it is none.
pub(super) fn read<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    // The handshake is JSON whatever follows it; clients may send it in a binary message.
    if seen.is_text || seen.octets.first() == Some(&b'{') { read_json(seen) } else { read_messagepack(seen) }
}

fn read_json<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    let (mut found, mut payload, mut rest) = (Vec::new(), 0, seen.octets);
    while let Some(end) = memchr::memchr(RECORD_SEPARATOR, rest) {
        let (packet, len, end_of_text) = record(&rest[..end], seen.is_from_client())?;
        end_of_text.ok()?;
        found.push(packet);
        payload += len;
        rest = &rest[end + 1..];
    }
    if !seen.is_cut() {
        return rest.is_empty().then(|| Packets::of(found, Some(seen.len - payload))).flatten();
    }
    if found.is_empty() {
        let (packet, _, end) = record(rest, seen.is_from_client())?;
        return end.is_err().then(|| Packets::one(packet, None));
    }
    Packets::of(found, None)
}

/// A JSON text, octets of its payload, and where it ends.
fn record(octets: &[u8], from_client: bool) -> Option<(Packet<'_>, u64, Result<usize, Failure>)> {
    let (mut message_type, mut target, mut id, mut protocol, mut error) = (None, None, None, false, None);
    let (mut payload, mut members) = (0, 0);
    let end = json::members(octets, |key, value| {
        members += 1;
        match key {
            b"type" => message_type = value.and_then(json::number),
            b"target" => target = value.and_then(json::text),
            b"invocationId" => id = value.and_then(json::text),
            b"protocol" => protocol = true,
            b"error" => error = value.map(|value| value.len() as u64),
            b"arguments" | b"item" | b"result" => payload += value.map_or(0, |value| value.len() as u64),
            _ => {}
        }
    });
    if end == Err(Failure::Malformed) || end.is_ok_and(|end| !json::is_end(octets, end)) {
        return None;
    }
    let Some(message_type) = message_type else {
        let is_request = from_client && protocol;
        let is_response = !from_client && (members == 0 || error.is_some()) && end.is_ok();
        let key = Key::of("handshake");
        let role = if is_request { Role::Ask(key) } else { Role::Answer(key) };
        return (is_request || is_response).then(|| (Packet::new(SignalR, "handshake").with_role(role), 0, end));
    };
    // The error of a completion is the application's, that of a close the protocol's.
    payload += error.filter(|_| message_type == 3).unwrap_or(0);
    let role = role(message_type, id.as_deref());
    Some((Packet::new(SignalR, kind(message_type)?).named(target).with_id(id.map(Id::Text)).with_role(role), payload, end))
}

fn role(message_type: u64, id: Option<&str>) -> Role {
    match (message_type, id) {
        (1 | 4, Some(id)) => Role::Ask(Key::of(id)),
        (2 | 3, Some(id)) => Role::Answer(Key::of(id)),
        _ => Role::None,
    }
}

fn read_messagepack<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    let (mut found, mut payload, mut rest) = (Vec::new(), 0, seen.octets);
    while !rest.is_empty() {
        let Some((prefix, body)) = length(rest) else { break };
        let Some(body) = rest.get(prefix..prefix.checked_add(body)?) else {
            if found.is_empty() && seen.is_cut() {
                let (packet, _) = message(&rest[prefix..], true)?;
                found.push(packet);
            }
            break;
        };
        let (packet, len) = message(body, false)?;
        found.push(packet);
        payload += len;
        rest = &rest[prefix + body.len()..];
    }
    if !rest.is_empty() && !seen.is_cut() {
        return None;
    }
    Packets::of(found, (!seen.is_cut()).then_some(seen.len - payload))
}

/// Octets of a length prefix (seven bits each, the low ones first, five at most), and the length.
fn length(octets: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0u64;
    for (index, &octet) in octets.iter().take(5).enumerate() {
        length |= u64::from(octet & 0x7f) << (7 * index);
        if octet & 0x80 == 0 {
            return usize::try_from(length).ok().map(|length| (index + 1, length));
        }
    }
    None
}

/// A MessagePack message, and octets of its payload. Where it is cut, its elements before the cut tell.
fn message(body: &[u8], is_cut: bool) -> Option<(Packet<'_>, u64)> {
    let (count, mut at) = messagepack::array(body)?;
    if !(1..=8).contains(&count) {
        return None;
    }
    let mut elements = [&body[..0]; 8];
    for element in elements.iter_mut().take(usize::try_from(count).ok()?) {
        let Some(len) = messagepack::value_end(&body[at..]) else {
            if is_cut {
                break;
            }
            return None;
        };
        *element = &body[at..at + len];
        at += len;
    }
    if at != body.len() && !is_cut {
        return None;
    }
    let message_type = messagepack::number(elements[0])?;
    let mut packet = Packet::new(SignalR, kind(message_type)?);
    let payload = match message_type {
        1 | 4 => {
            packet = packet.named(Some(messagepack::text(elements[3])?));
            elements[4].len()
        }
        2 => elements[3].len(),
        // [3, headers, invocation id, kind of result (2: none), result]
        3 => elements[4].len(),
        _ => 0,
    };
    if (1..=5).contains(&message_type) {
        let id = messagepack::text(elements[2]);
        let role = role(message_type, id.as_deref());
        packet = packet.with_id(id.map(Id::Text)).with_role(role);
    }
    Some((packet, payload as u64))
}
