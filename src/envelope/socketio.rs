//! engine.io 3 and 4, and socket.io in its packets.
//!
//! Payload is the arguments of events and acknowledgements (without the brackets around them and the placeholders of
//! attachments), the attachments, what a client hands over to connect, and the content of engine.io's own messages.

use std::borrow::Cow;

use super::json;
use super::packet::{Id, Key, Packet, Packets, Role, Seen};
use crate::message::Direction;
use crate::message::EnvelopeProtocol::{EngineIo, SocketIo};

/// Attachments that an event may announce.
const MAX_ATTACHMENTS: u64 = 1 << 20;

/// What a direction has announced.
#[derive(Debug, Default)]
struct Announced {
    /// Attachments that are still to come.
    attachments: u64,
    /// The event that they belong to.
    event: Option<Box<str>>,
    namespace: Option<Box<str>>,
}

/// The reader of both directions of a connection.
#[derive(Debug, Default)]
pub(super) struct Reader {
    announced: [Announced; 2],
    /// Revision 3 of engine.io puts a type, 4, before the octets of binary messages. `None` where no target tells.
    is_revision_3: Option<bool>,
}

/// A packet, octets of its payload (`None` when that cannot be known), and attachments that it announces.
pub(super) struct Found<'a> {
    pub(super) packet: Packet<'a>,
    pub(super) payload: Option<u64>,
    attachments: u64,
}

impl Reader {
    pub(super) fn new(is_revision_3: bool) -> Self {
        Self { is_revision_3: Some(is_revision_3), ..Self::default() }
    }

    /// Octets of this direction were lost.
    pub(super) fn lose(&mut self, direction: Direction) {
        self.announced[direction as usize] = Announced::default();
    }

    /// The packet of a message; `None` when it is none.
    pub(super) fn read<'a>(&mut self, seen: &Seen<'a>) -> Option<Packets<'a>> {
        let announced = &mut self.announced[seen.direction as usize];
        if !seen.is_text {
            let prefix = match (self.is_revision_3, seen.octets.first()) {
                (Some(true), Some(4)) => Some(1),
                (Some(true), _) => return None,
                (None, Some(4)) => None,
                (Some(false) | None, _) => Some(0),
            };
            if announced.attachments == 0 {
                return Some(Packets::one(Packet::new(EngineIo, "message"), prefix));
            }
            announced.attachments -= 1;
            let mut packet = Packet::new(SocketIo, "attachment");
            packet.name = announced.event.as_deref().map(|event| event.to_owned().into());
            packet.namespace = announced.namespace.as_deref().map(|namespace| namespace.to_owned().into());
            return Some(Packets::one(packet, prefix));
        }
        let Found { packet, payload, attachments } = packet(seen)?;
        if packet.protocol == EngineIo {
            // engine.io's own packets come between an event and its attachments as they please.
            return Some(Packets::one(packet, payload.map(|payload| seen.len - payload)));
        }
        *announced = if attachments > 0 {
            let own = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| text[..text.floor_char_boundary(256)].into());
            Announced { attachments, event: own(&packet.name), namespace: own(&packet.namespace) }
        } else {
            Announced::default()
        };
        Some(Packets::one(packet, payload.map(|payload| seen.len - payload)))
    }
}

/// The packet of a text.
pub(super) fn packet<'a>(seen: &Seen<'a>) -> Option<Found<'a>> {
    let (&packet_type, data) = seen.octets.split_first()?;
    let own = |kind, payload| Some(Found { packet: Packet::new(EngineIo, kind), payload: Some(payload), attachments: 0 });
    let beat = |kind, role: fn(Key) -> Role| {
        let name = match data {
            b"" => None,
            b"probe" => Some(Cow::Borrowed("probe")),
            _ => return None,
        };
        Some(Found { packet: Packet::new(EngineIo, kind).with_role(role(Key::of(data))).named(name), payload: Some(0), attachments: 0 })
    };
    match packet_type {
        b'0' => {
            let packet = Packet::new(EngineIo, "open").with_id(Some(Id::Text(opened(data, seen)?)));
            Some(Found { packet, payload: Some(0), attachments: 0 })
        }
        b'1'..=b'3' | b'5'..=b'6' if seen.is_cut() => None,
        b'1' if data.is_empty() => own("close", 0),
        b'2' => beat("ping", Role::Ping),
        b'3' => beat("pong", Role::Pong),
        b'4' => {
            let data = Seen { octets: data, len: seen.len - 1, ..*seen };
            // Of what was not kept may depend whether it is one of socket.io.
            let is_open = data.is_cut() && matches!(data.octets.first(), None | Some(b'0'..=b'6'));
            socket_io(&data).or_else(|| own("message", data.len).filter(|_| !is_open))
        }
        b'5' if data.is_empty() => own("upgrade", 0),
        b'6' if data.is_empty() => own("noop", 0),
        _ => None,
    }
}

/// The handshake of engine.io: an object with a session id, which is returned.
fn opened<'a>(data: &'a [u8], seen: &Seen<'_>) -> Option<Cow<'a, str>> {
    let mut sid = None;
    let end = json::members(data, |key, value| {
        if key == b"sid" {
            sid = value.and_then(json::text);
        }
    });
    sid.filter(|_| !seen.is_cut() && end.is_ok_and(|end| json::is_end(data, end)))
}

/// A packet of socket.io (its protocol, revisions 4 and 5): type, attachments and a dash, namespace and a comma, id, data.
fn socket_io<'a>(seen: &Seen<'a>) -> Option<Found<'a>> {
    const KINDS: [&str; 7] = ["connect", "disconnect", "event", "ack", "connect_error", "binary_event", "binary_ack"];
    let (packet_type, mut rest) = seen.octets.split_first()?;
    let kind = *KINDS.get(usize::from(packet_type.wrapping_sub(b'0')))?;
    let mut attachments = 0;
    if kind.starts_with("binary") {
        attachments = take_number(&mut rest)?;
        rest = rest.strip_prefix(b"-")?;
    }
    let mut packet = Packet::new(SocketIo, kind);
    if rest.first() == Some(&b'/') {
        let len = memchr::memchr(b',', rest).unwrap_or(rest.len());
        // socket.io 2 connects with a query, which is no part of the name.
        let name = rest[..len].split(|&octet| octet == b'?').next().unwrap_or_default();
        packet.namespace = Some(String::from_utf8_lossy(name));
        rest = rest.get(len + 1..).unwrap_or_default();
    }
    let id = take_number(&mut rest);
    if rest.is_empty() && seen.is_cut() {
        // What was taken for a namespace or an id may go on.
        return None;
    }
    let data = Seen { octets: rest, len: seen.len - (seen.octets.len() - rest.len()) as u64, ..*seen };
    let payload = match kind {
        "event" | "binary_event" => {
            let (name, payload) = event(&data)?;
            packet.name = name;
            payload
        }
        "ack" | "binary_ack" => {
            id?;
            acknowledgement(&data)?
        }
        // What a client hands over is the application's, the session id that it gets is not.
        "connect" if data.len == 0 || is_object(&data) => Some(if seen.is_from_client() { data.len } else { 0 }),
        "connect_error" if fills(&data, json::value_end(rest, 0)) => Some(data.len),
        "disconnect" if data.len == 0 => Some(0),
        _ => return None,
    };
    let payload = match attachments {
        0 => payload,
        1..=MAX_ATTACHMENTS if !data.is_cut() => payload.map(|payload| payload.saturating_sub(placeholders(data.octets))),
        1..=MAX_ATTACHMENTS => None,
        _ => return None,
    };
    let key = |id| Key::of((packet.namespace.as_deref().unwrap_or("/"), id));
    let role = match (kind, id) {
        ("event" | "binary_event", Some(id)) => Role::Ask(key(id)),
        ("ack" | "binary_ack", Some(id)) => Role::Answer(key(id)),
        ("connect", None) if seen.is_from_client() => Role::Ask(key(u64::MAX)),
        ("connect" | "connect_error", None) => Role::Answer(key(u64::MAX)),
        _ => Role::None,
    };
    Some(Found { packet: packet.with_id(id.map(Id::Number)).with_role(role), payload, attachments })
}

fn take_number(octets: &mut &[u8]) -> Option<u64> {
    let len = octets.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(octets.len());
    let number = str::from_utf8(&octets[..len]).ok()?.parse().ok()?;
    *octets = &octets[len..];
    Some(number)
}

/// Whether a JSON text that ends there is all of the data, or is cut as it is.
fn fills(data: &Seen<'_>, end: Result<usize, json::Failure>) -> bool {
    match end {
        Ok(end) => !data.is_cut() && json::is_end(data.octets, end),
        Err(failure) => data.is_cut() && failure == json::Failure::Cut,
    }
}

fn is_object(data: &Seen<'_>) -> bool {
    fills(data, json::members(data.octets, |_, _| ()))
}

/// The name of an event, and octets of its arguments with the commas between them; neither, where its name is cut.
fn event<'a>(data: &Seen<'a>) -> Option<(Option<Cow<'a, str>>, Option<u64>)> {
    let start = json::skip_whitespace(data.octets, 0);
    let name_start = json::skip_whitespace(data.octets, start + 1);
    let name_end = match json::value_end(data.octets, name_start) {
        Err(json::Failure::Cut) if data.is_cut() && data.octets[start..].starts_with(b"[\"") => return Some((None, None)),
        end => end.ok()?,
    };
    let element = &data.octets[name_start..name_end];
    // Older clients may name events by numbers.
    let name = json::text(element).or_else(|| json::number(element).map(|number| number.to_string().into()))?;
    let separator = json::skip_whitespace(data.octets, name_end);
    let first_argument = (data.octets.get(separator) == Some(&b',')).then(|| json::skip_whitespace(data.octets, separator + 1));
    match json::elements(data.octets, |_| ()) {
        Ok(end) if end == data.octets.len() && !data.is_cut() => {
            Some((Some(name), Some(first_argument.map_or(0, |first| end - 1 - first) as u64)))
        }
        // What was not kept ends with the bracket.
        Err(json::Failure::Cut) if data.is_cut() => {
            let first = first_argument.filter(|&first| first < data.octets.len());
            Some((Some(name), first.map(|first| data.len - first as u64 - 1)))
        }
        _ => None,
    }
}

/// Octets of the arguments of an acknowledgement.
fn acknowledgement(data: &Seen<'_>) -> Option<Option<u64>> {
    let inner = data.len.checked_sub(2)?;
    match json::elements(data.octets, |_| ()) {
        Ok(end) if end == data.octets.len() && !data.is_cut() => Some(Some(inner)),
        Err(json::Failure::Cut) if data.is_cut() => Some(Some(inner)),
        _ => None,
    }
}

/// Octets of the objects that stand for attachments.
fn placeholders(octets: &[u8]) -> u64 {
    const BEGIN: &[u8] = b"{\"_placeholder\":true,\"num\":";
    let mut sum = 0;
    for at in memchr::memmem::find_iter(octets, BEGIN) {
        let digits = octets[at + BEGIN.len()..].iter().take_while(|octet| octet.is_ascii_digit()).count();
        if digits > 0 && octets.get(at + BEGIN.len() + digits) == Some(&b'}') {
            sum += (BEGIN.len() + digits + 1) as u64;
        }
    }
    sum
}

/// The revision of engine.io that a request target asks for (`EIO=4`), if it does.
pub(super) fn revision(target: &[u8]) -> Option<u8> {
    let query = target.split(|&octet| octet == b'?').nth(1)?;
    let value = query.split(|&octet| octet == b'&').find_map(|parameter| parameter.strip_prefix(b"EIO="))?;
    match value {
        [digit @ b'1'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}
