//! MQTT 3.1, 3.1.1 and 5 over binary messages: several packets in a message, and packets over several messages (MQTT 5 §6).
//!
//! Payload is that of PUBLISH; all else, topic and properties included, is the envelope's.

use std::borrow::Cow;

use super::packet::{Id, Key, Packet, Packets, Role, Seen};
use crate::message::Direction;
use crate::message::EnvelopeProtocol::Mqtt;

/// Octets of a packet that are looked at beyond its topic: what a SUBSCRIBE names first lies within.
const MAX_LOOK: usize = 1024;

/// The reader of both directions of a connection.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Protocol level of the CONNECT: 3, 4 (3.1.1) or 5; `None` when it was not seen.
    level: Option<u8>,
    halves: [Half; 2],
}

/// Where the next octet of a direction stands.
#[derive(Debug, Default)]
struct Half {
    /// Whether nobody knows if the next message begins with a packet: then only packets that fill a message are believed.
    is_lost: bool,
    carry: Carry,
}

#[derive(Debug, Default)]
enum Carry {
    /// At the beginning of a packet.
    #[default]
    None,
    /// In a packet of which too little has come to tell its length and name.
    Begun(Vec<u8>),
    /// In a packet whose outline is known.
    Within { outline: Outline, at: u64 },
}

/// What is known of a packet from its first octets.
#[derive(Debug)]
struct Outline {
    /// Octets of all of it.
    len: u64,
    body: Body,
}

/// What stands behind a packet's fixed header.
#[derive(Debug)]
struct Body {
    packet: Packet<'static>,
    /// Octets of its payload; `None` when nobody knows.
    payload: Option<u64>,
    /// The protocol level, of a CONNECT.
    level: Option<u8>,
}

impl Body {
    /// Without payload.
    fn of(packet: Packet<'static>) -> Self {
        Self { packet, payload: Some(0), level: None }
    }
}

/// Why there is no outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// More octets are needed.
    Short,
    Malformed,
}

impl Reader {
    /// Octets of this direction were lost.
    pub(super) fn lose(&mut self, direction: Direction) {
        self.halves[direction as usize] = Half { is_lost: true, carry: Carry::None };
    }

    /// Whether no packet of this direction is unfinished.
    pub(super) fn is_between_packets(&self, direction: Direction) -> bool {
        matches!(self.halves[direction as usize].carry, Carry::None)
    }

    /// The packets of a message; `None` when it is none.
    pub(super) fn read<'a>(&mut self, seen: &Seen<'a>) -> Option<Packets<'a>> {
        let half = &mut self.halves[seen.direction as usize];
        let found = if seen.is_text { None } else { half.walk(seen, &mut self.level) };
        let is_whole = matches!(half.carry, Carry::None);
        let Some(found) = found.filter(|_| is_whole || !half.is_lost) else {
            *half = Half { is_lost: true, carry: Carry::None };
            return None;
        };
        half.is_lost = false;
        let Walk { ended, envelope } = found;
        if ended.is_empty() {
            let under_way = match &half.carry {
                Carry::Within { outline, .. } => Packet { role: Role::None, ..outline.body.packet.clone() },
                Carry::Begun(begun) => Packet::new(Mqtt, kind(*begun.first()?).ok()?.0),
                Carry::None => return None,
            };
            return Some(Packets { count: 0, ..Packets::one(under_way, envelope) });
        }
        Packets::of(ended, envelope)
    }
}

/// What a walk through a message has found.
struct Walk {
    ended: Vec<Packet<'static>>,
    envelope: Option<u64>,
}

impl Carry {
    /// What has come of a packet's beginning with what comes now, and where that begins.
    fn and(self, rest: &[u8]) -> (Cow<'_, [u8]>, usize) {
        if let Self::Begun(mut begun) = self {
            let at = begun.len();
            begun.extend_from_slice(rest);
            return (Cow::Owned(begun), at);
        }
        (Cow::Borrowed(rest), 0)
    }
}

impl Half {
    /// Walks through the packets of a message; `None` when something in it is no packet.
    fn walk(&mut self, seen: &Seen<'_>, level: &mut Option<u8>) -> Option<Walk> {
        let mut walk = Walk { ended: Vec::new(), envelope: Some(0) };
        let mut position = 0;
        while position < seen.len {
            let rest = usize::try_from(position).ok().and_then(|position| seen.octets.get(position..)).unwrap_or_default();
            let (outline, at) = match std::mem::take(&mut self.carry) {
                Carry::Within { outline, at } => (outline, at),
                carry @ (Carry::None | Carry::Begun(_)) => {
                    let (all, at) = carry.and(rest);
                    match outline(&all, seen.direction, *level) {
                        Ok(outline) => (outline, at as u64),
                        // What was not kept cannot be looked at.
                        Err(Failure::Short) if !seen.is_cut() => {
                            self.carry = Carry::Begun(all.into_owned());
                            walk.envelope = walk.envelope.map(|sum| sum + rest.len() as u64);
                            return Some(walk);
                        }
                        Err(_) => return None,
                    }
                }
            };
            *level = outline.body.level.or(*level);
            let len = (outline.len - at).min(seen.len - position);
            let envelope = outline.body.payload.map(|payload| (outline.len - payload).saturating_sub(at).min(len));
            walk.envelope = walk.envelope.zip(envelope).map(|(sum, envelope)| sum + envelope);
            position += len;
            if at + len == outline.len {
                walk.ended.push(outline.body.packet);
            } else {
                self.carry = Carry::Within { outline, at: at + len };
            }
        }
        Some(walk)
    }
}

/// Reads on in octets; too few of them are [`Failure::Short`].
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Failure> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Failure::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8, Failure> {
        Ok(self.take(1)?[0])
    }

    fn two_octets(&mut self) -> Result<u16, Failure> {
        let octets = self.take(2)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    /// A variable byte integer (MQTT 5 §1.5.5).
    fn variable(&mut self) -> Result<u64, Failure> {
        let mut number = 0;
        for shift in [0, 7, 14, 21] {
            let octet = self.octet()?;
            number |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Failure::Malformed)
    }

    /// A UTF-8 encoded string (MQTT 5 §1.5.4).
    fn text(&mut self) -> Result<&'a str, Failure> {
        let len = self.two_octets()?;
        let text = str::from_utf8(self.take(len.into())?).map_err(|_| Failure::Malformed)?;
        if text.contains('\0') { Err(Failure::Malformed) } else { Ok(text) }
    }
}

/// What the first octets say of a packet.
fn outline(octets: &[u8], direction: Direction, level: Option<u8>) -> Result<Outline, Failure> {
    let mut cursor = Cursor(octets);
    let first = cursor.octet()?;
    let (kind, sender) = kind(first)?;
    if sender.is_some_and(|sender| sender != direction) {
        return Err(Failure::Malformed);
    }
    let remaining = cursor.variable()?;
    let header = octets.len() - cursor.0.len();
    // Nothing behind the packet is its own.
    let is_all = cursor.0.len() as u64 >= remaining;
    if is_all {
        cursor.0 = &cursor.0[..remaining as usize];
    }
    let body = match body(kind, first, remaining, &mut cursor, level) {
        // A packet that ends within what it must hold is none.
        Err(Failure::Short) if is_all => return Err(Failure::Malformed),
        other => other?,
    };
    Ok(Outline { len: header as u64 + remaining, body })
}

/// The kind of a packet by its first octet, and who alone may send it (MQTT 5 §2.1.2, §2.1.3).
fn kind(first: u8) -> Result<(&'static str, Option<Direction>), Failure> {
    use Direction::{ClientToServer as Client, ServerToClient as Server};
    Ok(match (first >> 4, first & 0xf) {
        (1, 0) => ("connect", Some(Client)),
        (2, 0) => ("connack", Some(Server)),
        (3, flags) if flags & 6 != 6 => ("publish", None),
        (4, 0) => ("puback", None),
        (5, 0) => ("pubrec", None),
        (6, 2) => ("pubrel", None),
        (7, 0) => ("pubcomp", None),
        (8, 2) => ("subscribe", Some(Client)),
        (9, 0) => ("suback", Some(Server)),
        (10, 2) => ("unsubscribe", Some(Client)),
        (11, 0) => ("unsuback", Some(Server)),
        (12, 0) => ("pingreq", Some(Client)),
        (13, 0) => ("pingresp", Some(Server)),
        (14, 0) => ("disconnect", None),
        (15, 0) => ("auth", None),
        _ => return Err(Failure::Malformed),
    })
}

/// What stands behind the fixed header of a packet.
fn body(kind: &'static str, first: u8, remaining: u64, cursor: &mut Cursor<'_>, level: Option<u8>) -> Result<Body, Failure> {
    let packet = Packet::new(Mqtt, kind);
    let connection = Key::of("connection");
    match kind {
        "publish" => publish(first, remaining, cursor, level),
        "connect" => {
            let name = cursor.text()?;
            let level = cursor.octet()?;
            if !matches!((name, level), ("MQIsdp", 3) | ("MQTT", 4 | 5)) {
                return Err(Failure::Malformed);
            }
            Ok(Body { level: Some(level), ..Body::of(packet.with_role(Role::Ask(connection))) })
        }
        "connack" if remaining >= 2 => Ok(Body::of(packet.with_role(Role::Answer(connection)))),
        "pingreq" if remaining == 0 => Ok(Body::of(packet.with_role(Role::Ping(connection)))),
        "pingresp" if remaining == 0 => Ok(Body::of(packet.with_role(Role::Pong(connection)))),
        "connack" | "pingreq" | "pingresp" => Err(Failure::Malformed),
        "disconnect" | "auth" => Ok(Body::of(packet)),
        _ => with_id(packet, remaining, cursor, level),
    }
}

/// A packet that begins with an identifier (MQTT 5 §2.2.1).
fn with_id(packet: Packet<'static>, remaining: u64, cursor: &mut Cursor<'_>, level: Option<u8>) -> Result<Body, Failure> {
    let kind = packet.kind;
    let id = cursor.two_octets()?;
    let role = match kind {
        // What releases a publication is asked under the same id as the publication was.
        "pubrel" => Role::Ask(Key::of(("release", id))),
        "pubcomp" => Role::Answer(Key::of(("release", id))),
        "subscribe" | "unsubscribe" => Role::Ask(Key::of(id)),
        _ => Role::Answer(Key::of(id)),
    };
    let packet = packet.with_id(Some(Id::Number(id.into()))).with_role(role);
    let name = if matches!(kind, "subscribe" | "unsubscribe") { first_filter(cursor, level, remaining)? } else { None };
    Ok(Body::of(packet.named(name.map(Into::into))))
}

fn publish(first: u8, remaining: u64, cursor: &mut Cursor<'_>, level: Option<u8>) -> Result<Body, Failure> {
    let topic = cursor.text()?;
    let mut variable = 2 + topic.len() as u64;
    let mut packet = Packet::new(Mqtt, "publish").named((!topic.is_empty()).then(|| topic.to_owned().into()));
    if first & 6 != 0 {
        let id = cursor.two_octets()?;
        if id == 0 {
            return Err(Failure::Malformed);
        }
        variable += 2;
        packet = packet.with_id(Some(Id::Number(id.into()))).with_role(Role::Ask(Key::of(id)));
    }
    let payload = match level {
        None => return Ok(Body { payload: None, ..Body::of(packet) }),
        Some(5) => {
            let before = cursor.0.len();
            let properties = cursor.variable()?;
            remaining.checked_sub(variable + (before - cursor.0.len()) as u64 + properties)
        }
        Some(_) => remaining.checked_sub(variable),
    };
    // Only an alias stands for a topic (MQTT 5 §3.3.2.3.4).
    if payload.is_none() || topic.is_empty() && level != Some(5) {
        return Err(Failure::Malformed);
    }
    Ok(Body { payload, ..Body::of(packet) })
}

/// The first topic filter of a SUBSCRIBE or UNSUBSCRIBE, when it stands where one looks.
fn first_filter(cursor: &mut Cursor<'_>, level: Option<u8>, remaining: u64) -> Result<Option<String>, Failure> {
    // Nobody knows whether properties stand before it.
    if level.is_none() {
        return Ok(None);
    }
    let filter = |cursor: &mut Cursor<'_>| -> Result<String, Failure> {
        if level == Some(5) {
            let properties = cursor.variable()?;
            cursor.take(usize::try_from(properties).map_err(|_| Failure::Malformed)?)?;
        }
        Ok(cursor.text()?.to_owned())
    };
    let available = cursor.0.len();
    match filter(cursor) {
        Ok(filter) => Ok(Some(filter)),
        Err(Failure::Short) if (available as u64) < remaining.saturating_sub(2) && available >= MAX_LOOK => Ok(None),
        Err(failure) => Err(failure),
    }
}
