//! STOMP 1.0, 1.1 and 1.2: frames of a command, headers and a body, each ended by NUL.
//!
//! Payload is the body; all else, the destination included, is the envelope's.

use std::borrow::Cow;

use super::packet::{Id, Key, Packet, Packets, Role, Seen};
use crate::message::EnvelopeProtocol::Stomp;

/// What stands in a frame's headers, as far as it matters here.
#[derive(Default)]
struct Headers<'a> {
    destination: Option<&'a [u8]>,
    receipt: Option<&'a [u8]>,
    receipt_id: Option<&'a [u8]>,
    message_id: Option<&'a [u8]>,
    id: Option<&'a [u8]>,
    content_length: Option<u64>,
}

/// The packets of a message; `None` when it is none.
pub(super) fn read<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    let (mut found, mut payload) = (Vec::new(), 0);
    let mut at = skip_line_ends(seen.octets, 0);
    if at > 0 && at == seen.octets.len() && !seen.is_cut() {
        return Some(Packets::one(Packet::new(Stomp, "heartbeat"), Some(seen.len)));
    }
    while at < seen.octets.len() {
        let (packet, body, length) = head(seen.octets, at)?;
        found.push(packet);
        let rest = &seen.octets[body..];
        let declared = length.filter(|&length| match usize::try_from(length).ok().and_then(|length| rest.get(length)) {
            // Some servers count characters: where no NUL stands, the length is not believed.
            Some(&octet) => octet == 0,
            None => seen.is_cut(),
        });
        let len = match (declared, memchr::memchr(0, rest)) {
            (Some(length), _) => length,
            (None, Some(len)) => len as u64,
            // The rest of the message is body, unless another frame stands where nobody looked.
            (None, None) if seen.is_cut() => return Packets::of(found, None),
            (None, None) => return None,
        };
        payload += len;
        let end = (body as u64).checked_add(len)?;
        if end >= seen.octets.len() as u64 {
            // With NUL behind it, the frame is all that the message holds.
            let is_last = end + 1 == seen.len;
            return Packets::of(found, is_last.then(|| seen.len - payload));
        }
        at = skip_line_ends(seen.octets, end as usize + 1);
    }
    Packets::of(found, (!seen.is_cut()).then_some(seen.len - payload))
}

fn skip_line_ends(octets: &[u8], mut at: usize) -> usize {
    while let Some(b'\n' | b'\r') = octets.get(at) {
        at += 1;
    }
    at
}

/// The packet of a frame, where its body begins, and how long it is said to be.
fn head(octets: &[u8], mut at: usize) -> Option<(Packet<'_>, usize, Option<u64>)> {
    let command = line(octets, &mut at)?;
    let kind = kind(command)?;
    let mut headers = Headers::default();
    loop {
        let line = line(octets, &mut at)?;
        if line.is_empty() {
            break;
        }
        let colon = memchr::memchr(b':', line)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        match name {
            b"destination" => headers.destination.get_or_insert(value),
            b"receipt" => headers.receipt.get_or_insert(value),
            b"receipt-id" => headers.receipt_id.get_or_insert(value),
            b"message-id" => headers.message_id.get_or_insert(value),
            b"id" => headers.id.get_or_insert(value),
            b"content-length" if headers.content_length.is_none() => {
                headers.content_length = Some(str::from_utf8(value.trim_ascii()).ok()?.parse().ok()?);
                continue;
            }
            _ => continue,
        };
    }
    Some((packet(kind, &headers), at, headers.content_length))
}

/// The line at the front without its end: LF, or CR LF (STOMP 1.2).
fn line<'a>(octets: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let rest = octets.get(*at..)?;
    let len = memchr::memchr(b'\n', rest)?;
    *at += len + 1;
    let line = &rest[..len];
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

fn kind(command: &[u8]) -> Option<&'static str> {
    const COMMANDS: [&str; 15] = [
        "CONNECT",
        "STOMP",
        "CONNECTED",
        "SEND",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "ACK",
        "NACK",
        "BEGIN",
        "COMMIT",
        "ABORT",
        "DISCONNECT",
        "MESSAGE",
        "RECEIPT",
        "ERROR",
    ];
    COMMANDS.into_iter().find(|known| known.as_bytes() == command)
}

fn packet<'a>(kind: &'static str, headers: &Headers<'a>) -> Packet<'a> {
    let connection = Key::of("connection");
    // Only clients ask for a RECEIPT; RabbitMQ hands on the header with the message that had it.
    let receipt = headers.receipt.filter(|_| kind != "MESSAGE");
    let role = match kind {
        "CONNECT" | "STOMP" => Role::Ask(connection),
        "CONNECTED" => Role::Answer(connection),
        "RECEIPT" => headers.receipt_id.map_or(Role::None, |id| Role::Answer(Key::of(id))),
        "ERROR" => Role::Answer(headers.receipt_id.map_or(connection, Key::of)),
        _ => receipt.map_or(Role::None, |id| Role::Ask(Key::of(id))),
    };
    let id = receipt.or(headers.receipt_id).or(headers.message_id).or(headers.id);
    let packet = Packet::new(Stomp, kind).named(headers.destination.map(unescaped));
    packet.with_id(id.map(|id| Id::Text(unescaped(id)))).with_role(role)
}

/// The value of a header (STOMP 1.2, "Value Encoding").
fn unescaped(value: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(value);
    if !text.contains('\\') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('c') => plain.push(':'),
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('\\') => plain.push('\\'),
                // STOMP 1.0 has no escapes.
                other => plain.extend(std::iter::once('\\').chain(other)),
            },
            _ => plain.push(character),
        }
    }
    plain.into()
}
