//! SockJS's framing of messages over WebSocket (sockjs-protocol 0.3.3): `o`, `h`, `a[…]`, `m…`, `c[…]` from the server,
//! `[…]` from the client.
//!
//! Payload is the strings' text, unescaped, as the application gets it; all else is the envelope's.

use super::json;
use super::packet::{Packet, Packets, Seen};
use crate::message::EnvelopeProtocol::SockJs;

/// The packet of a message; `None` when it is none.
pub(super) fn read<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    if seen.is_from_client() {
        let (strings, payload) = strings(seen.octets, seen).or_else(|| string(seen.octets))?;
        return messages(seen, strings, payload);
    }
    let (first, rest) = seen.octets.split_first()?;
    match first {
        b'o' if rest.is_empty() => Some(Packets::one(Packet::new(SockJs, "open"), Some(1))),
        b'h' if rest.is_empty() => Some(Packets::one(Packet::new(SockJs, "heartbeat"), Some(1))),
        b'a' => strings(rest, seen).and_then(|(strings, payload)| messages(seen, strings, payload)),
        b'm' => string(rest).and_then(|(strings, payload)| messages(seen, strings, payload)),
        b'c' => close(rest).then(|| Packets::one(Packet::new(SockJs, "close"), Some(seen.len))),
        _ => None,
    }
}

fn messages<'a>(seen: &Seen<'a>, count: u64, payload: Option<u64>) -> Option<Packets<'a>> {
    let envelope = payload.map(|payload| seen.len - payload);
    Some(Packets { count, ..Packets::one(Packet::new(SockJs, "message"), envelope) })
}

/// How many strings an array holds, and the length of their text. When the array is cut, that is unknown, and it holds more, or one.
fn strings(octets: &[u8], seen: &Seen<'_>) -> Option<(u64, Option<u64>)> {
    let (mut count, mut payload) = (0, Some(0));
    let end = json::elements(octets, |element| {
        count += 1;
        payload = payload.zip(json::unescaped_len(element)).map(|(sum, len)| sum + len);
    });
    match end {
        Ok(end) if json::is_end(octets, end) && !seen.is_cut() => payload.map(|payload| (count, Some(payload))),
        Err(json::Failure::Cut) if seen.is_cut() && octets.starts_with(b"[\"") && payload.is_some() => Some((count.max(1), None)),
        _ => None,
    }
}

fn string(octets: &[u8]) -> Option<(u64, Option<u64>)> {
    let end = json::string_end(octets, 0).ok()?;
    json::is_end(octets, end).then(|| json::unescaped_len(&octets[..end])).flatten().map(|payload| (1, Some(payload)))
}

/// `[code,"reason"]`
fn close(octets: &[u8]) -> bool {
    let mut parts = [None; 2];
    let mut count = 0;
    let end = json::elements(octets, |element| {
        if let Some(part) = parts.get_mut(count) {
            *part = Some(element);
        }
        count += 1;
    });
    let [Some(code), Some(reason)] = parts else { return false };
    count == 2 && json::number(code).is_some() && json::text(reason).is_some() && end.is_ok_and(|end| json::is_end(octets, end))
}
