//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws`, and `graphql-ws` of the older library subscriptions-transport-ws.
//!
//! Payload is the member `payload` as it stands; all else is the envelope's.

use super::json::{self, Failure};
use super::jsonrpc;
use super::packet::{Key, Packet, Packets, Role, Seen};
use crate::message::EnvelopeProtocol;

/// The type of a message as the packet's kind, when the subprotocol has it.
fn kind(protocol: EnvelopeProtocol, value: &[u8]) -> Option<&'static str> {
    const BOTH: [&str; 4] = ["connection_init", "connection_ack", "error", "complete"];
    const NEW: [&str; 4] = ["ping", "pong", "subscribe", "next"];
    const OLD: [&str; 6] = ["connection_error", "ka", "connection_terminate", "start", "data", "stop"];
    let own = if protocol == EnvelopeProtocol::GraphqlWs { &OLD[..] } else { &NEW[..] };
    let text = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    BOTH.iter().chain(own).copied().find(|kind| kind.as_bytes() == text)
}

/// The packet of a message; `None` when it is none.
pub(super) fn read<'a>(protocol: EnvelopeProtocol, seen: &Seen<'a>) -> Option<Packets<'a>> {
    let (mut found, mut id, mut payload) = (None, None, None);
    let end = json::members(seen.octets, |key, value| match key {
        b"type" => found = value.and_then(|value| kind(protocol, value)),
        b"id" => id = value,
        b"payload" => payload = value,
        _ => {}
    });
    let is_whole = !seen.is_cut() && end.is_ok_and(|end| json::is_end(seen.octets, end));
    let is_beginning = seen.is_cut() && end == Err(Failure::Cut);
    if !is_whole && !is_beginning {
        return None;
    }
    let kind = found?;
    let key = id.map(Key::of);
    let role = match (kind, key) {
        ("connection_init", _) => Role::Ask(Key::of("connection")),
        ("connection_ack" | "connection_error", _) => Role::Answer(Key::of("connection")),
        ("subscribe" | "start", Some(key)) => Role::Ask(key),
        ("stop", Some(key)) => Role::Withdraw(key),
        ("complete", Some(key)) if seen.is_from_client() => Role::Withdraw(key),
        ("next" | "data" | "error" | "complete", Some(key)) => Role::Answer(key),
        ("ping", _) => Role::Ping(Key::of("ping")),
        ("pong", _) => Role::Pong(Key::of("ping")),
        _ => Role::None,
    };
    let name = payload.filter(|_| matches!(kind, "subscribe" | "start")).and_then(operation_name);
    let id = id.and_then(jsonrpc::id_of);
    let envelope = is_whole.then(|| seen.len - payload.map_or(0, |payload| payload.len() as u64));
    Some(Packets::one(Packet::new(protocol, kind).named(name).with_id(id).with_role(role), envelope))
}

/// The operation's name: as the payload gives it, else as the document does.
fn operation_name(payload: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let (mut name, mut query) = (None, None);
    json::members(payload, |key, value| match key {
        b"operationName" => name = value.and_then(json::text),
        b"query" => query = value.and_then(json::text),
        _ => {}
    })
    .ok()?;
    name.or_else(|| document_name(&query?).map(|name| name.to_owned().into()))
}

/// The name of the operation that a document begins with (GraphQL §2.3); anonymous ones have none.
fn document_name(document: &str) -> Option<&str> {
    let (operation, rest) = name(document);
    let is_operation = matches!(operation, "query" | "mutation" | "subscription");
    Some(name(rest).0).filter(|name| is_operation && !name.is_empty())
}

/// The name at the front, behind what GraphQL ignores, and what follows it; empty where something else stands there.
fn name(mut text: &str) -> (&str, &str) {
    loop {
        text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r', ',']);
        let Some(comment) = text.strip_prefix('#') else { break };
        text = comment.find(['\n', '\r']).map_or("", |end| &comment[end..]);
    }
    let len = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { len })
}
