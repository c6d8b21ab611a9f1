//! WAMP 2 (the Web Application Messaging Protocol), as JSON or MessagePack, batched or not.
//!
//! Payload is the list `Arguments` and the dictionary `ArgumentsKw` as they stand; all else is the envelope's.

use std::borrow::Cow;

use super::packet::{Id, Key, Packet, Packets, Role, Seen};
use super::{json, messagepack};
use crate::message::EnvelopeProtocol::Wamp;

/// Separates (and ends) the texts of `wamp.2.json.batched`.
const RECORD_SEPARATOR: u8 = 0x1e;

/// Elements of the longest message (EVENT, INVOCATION and the like have six, ERROR has seven).
const MAX_ELEMENTS: usize = 7;

/// What the elements of a message are, by position (§ "Message Definitions" of the specification).
struct Shape {
    kind: &'static str,
    /// Fewest and most elements, the type included.
    elements: (usize, usize),
    /// The request, from which role and id follow.
    request: Option<(usize, Part)>,
    /// A URI that names procedure or topic.
    uri: Option<usize>,
    /// Elements from this one on are payload.
    payload: usize,
    /// Where options or details stand: always a dictionary.
    dictionary: Option<usize>,
}

#[derive(Clone, Copy)]
enum Part {
    Asks,
    /// Only where the options say `acknowledge`.
    MayAsk,
    Answers,
    /// Neither: the id tells what the message is about.
    Tells,
}

const NO_PAYLOAD: usize = MAX_ELEMENTS;

fn shape(code: u64) -> Option<Shape> {
    use Part::{Answers, Asks, MayAsk, Tells};
    let of = |kind, elements, request, uri, payload, dictionary| Some(Shape { kind, elements, request, uri, payload, dictionary });
    let no = NO_PAYLOAD;
    match code {
        1 => of("hello", (3, 3), None, Some(1), no, Some(2)),
        2 => of("welcome", (3, 3), None, None, no, Some(2)),
        3 => of("abort", (3, 5), None, Some(2), 3, Some(1)),
        4 => of("challenge", (3, 3), None, None, no, Some(2)),
        5 => of("authenticate", (3, 3), None, None, no, Some(2)),
        6 => of("goodbye", (3, 3), None, Some(2), no, Some(1)),
        8 => of("error", (5, 7), Some((2, Answers)), Some(4), 5, Some(3)),
        16 => of("publish", (4, 6), Some((1, MayAsk)), Some(3), 4, Some(2)),
        17 => of("published", (3, 3), Some((1, Answers)), None, no, None),
        32 => of("subscribe", (4, 4), Some((1, Asks)), Some(3), no, Some(2)),
        33 => of("subscribed", (3, 3), Some((1, Answers)), None, no, None),
        34 => of("unsubscribe", (3, 3), Some((1, Asks)), None, no, None),
        35 => of("unsubscribed", (2, 3), Some((1, Answers)), None, no, None),
        36 => of("event", (4, 6), Some((2, Tells)), None, 4, Some(3)),
        48 => of("call", (4, 6), Some((1, Asks)), Some(3), 4, Some(2)),
        49 => of("cancel", (3, 3), Some((1, Tells)), None, no, Some(2)),
        50 => of("result", (3, 5), Some((1, Answers)), None, 3, Some(2)),
        64 => of("register", (4, 4), Some((1, Asks)), Some(3), no, Some(2)),
        65 => of("registered", (3, 3), Some((1, Answers)), None, no, None),
        66 => of("unregister", (3, 3), Some((1, Asks)), None, no, None),
        67 => of("unregistered", (2, 3), Some((1, Answers)), None, no, None),
        68 => of("invocation", (4, 6), Some((1, Asks)), None, 4, Some(3)),
        69 => of("interrupt", (3, 3), Some((1, Tells)), None, no, Some(2)),
        70 => of("yield", (3, 5), Some((1, Answers)), None, 3, Some(2)),
        _ => None,
    }
}

/// How values are written.
#[derive(Clone, Copy)]
enum Form {
    Json,
    MessagePack,
}

impl Form {
    fn number(self, value: &[u8]) -> Option<u64> {
        match self {
            Self::Json => json::number(value),
            Self::MessagePack => messagepack::number(value),
        }
    }

    fn text(self, value: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Json => json::text(value),
            Self::MessagePack => messagepack::text(value),
        }
    }

    /// Whether the value of that key is true.
    fn says(self, dictionary: &[u8], key: &[u8]) -> bool {
        let mut says = false;
        match self {
            Self::Json => {
                let end = json::members(dictionary, |name, value| says |= name == key && value == Some(b"true"));
                says && end.is_ok()
            }
            Self::MessagePack => {
                let end = messagepack::entries(dictionary, |name, value| {
                    says |= value == [messagepack::TRUE] && messagepack::text(name).is_some_and(|name| name.as_bytes() == key);
                });
                says && end.is_some()
            }
        }
    }

    fn is_dictionary(self, value: &[u8]) -> bool {
        match self {
            Self::Json => value.first() == Some(&b'{'),
            Self::MessagePack => matches!(value.first(), Some(0x80..=0x8f | 0xde | 0xdf)),
        }
    }
}

/// The elements of a message, as they stand.
struct Elements<'a> {
    form: Form,
    list: [&'a [u8]; MAX_ELEMENTS],
    len: usize,
}

/// The packets of a message; `None` when it is none.
pub(super) fn read<'a>(seen: &Seen<'a>) -> Option<Packets<'a>> {
    if !seen.is_text {
        let (count, first) = messagepack::array(seen.octets)?;
        let mut elements = Elements::new(Form::MessagePack);
        let mut at = first;
        for _ in 0..count.min(MAX_ELEMENTS as u64 + 1) {
            let Some(len) = messagepack::value_end(&seen.octets[at..]) else { return elements.cut(seen) };
            elements.push(&seen.octets[at..at + len])?;
            at += len;
        }
        let (packet, payload) = elements.packet(false)?;
        return (at as u64 == seen.len).then(|| Packets::one(packet, Some(seen.len - payload)));
    }
    if seen.octets.get(json::skip_whitespace(seen.octets, 0)) != Some(&b'[') {
        return None;
    }
    let (mut found, mut payload) = (Vec::new(), 0);
    let batch = seen.octets.strip_suffix(&[RECORD_SEPARATOR]).unwrap_or(seen.octets);
    let mut texts = batch.split(|&octet| octet == RECORD_SEPARATOR).peekable();
    while let Some(text) = texts.next() {
        let mut elements = Elements::new(Form::Json);
        let mut is_too_long = false;
        let end = json::elements(text, |element| is_too_long |= elements.push(element).is_none());
        match end {
            Err(json::Failure::Cut) if seen.is_cut() && texts.peek().is_none() && !is_too_long => {
                return if found.is_empty() { elements.cut(seen) } else { Packets::of(found, None) };
            }
            Ok(end) if json::is_end(text, end) && !is_too_long => {}
            _ => return None,
        }
        let (packet, len) = elements.packet(false)?;
        found.push(packet);
        payload += len;
    }
    Packets::of(found, (!seen.is_cut()).then_some(seen.len - payload))
}

impl<'a> Elements<'a> {
    fn new(form: Form) -> Self {
        Self { form, list: [&[]; MAX_ELEMENTS], len: 0 }
    }

    fn push(&mut self, element: &'a [u8]) -> Option<()> {
        *self.list.get_mut(self.len)? = element;
        self.len += 1;
        Some(())
    }

    /// What the elements before a cut say.
    fn cut(&self, seen: &Seen<'a>) -> Option<Packets<'a>> {
        let (packet, _) = self.packet(true)?;
        seen.is_cut().then(|| Packets::one(packet, None))
    }

    /// The packet, and octets of its payload.
    fn packet(&self, is_cut: bool) -> Option<(Packet<'a>, u64)> {
        let (form, elements) = (self.form, &self.list[..self.len]);
        let code = form.number(elements.first()?)?;
        let shape = shape(code)?;
        if elements.len() > shape.elements.1 || !is_cut && elements.len() < shape.elements.0 {
            return None;
        }
        if shape.dictionary.and_then(|at| elements.get(at)).is_some_and(|value| !form.is_dictionary(value)) {
            return None;
        }
        let mut packet = Packet::new(Wamp, shape.kind);
        if let Some(uri) = shape.uri.and_then(|at| elements.get(at)) {
            packet = packet.named(Some(form.text(uri)?));
        }
        if let Some((value, part)) = shape.request.and_then(|(at, part)| elements.get(at).map(|value| (value, part))) {
            let request = form.number(value)?;
            let is_acknowledged = || elements.get(2).is_some_and(|options| form.says(options, b"acknowledge"));
            packet = packet.with_id(Some(Id::Number(request))).with_role(match part {
                Part::Asks => Role::Ask(Key::of(request)),
                Part::MayAsk if is_acknowledged() => Role::Ask(Key::of(request)),
                Part::Answers => Role::Answer(Key::of(request)),
                Part::MayAsk | Part::Tells => Role::None,
            });
        }
        packet.role = match code {
            1 => Role::Ask(Key::of("session")),
            2 | 3 => Role::Answer(Key::of("session")),
            _ => packet.role,
        };
        // Some routers write null for what is not there.
        let arguments = elements.iter().skip(shape.payload).filter(|element| !matches!(**element, [0xc0] | [b'n', b'u', b'l', b'l']));
        let payload = arguments.map(|element| element.len() as u64).sum();
        Some((packet, payload))
    }
}
