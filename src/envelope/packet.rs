//! Packets of envelope protocols, as their parsers find them in a message.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use crate::message::{Direction, Envelope, EnvelopeId, EnvelopeProtocol};

/// Octets of a name or textual id that a row keeps; what is longer is cut.
const MAX_TEXT: usize = 256;

/// A message as a parser sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// Its decoded octets, or the first of them.
    pub(super) octets: &'a [u8],
    /// Its length in octets.
    pub(super) len: u64,
    /// Whether it is a text message.
    pub(super) is_text: bool,
    /// Who sent it.
    pub(super) direction: Direction,
}

impl Seen<'_> {
    /// Whether octets of it were not kept.
    pub(super) fn is_cut(&self) -> bool {
        self.octets.len() as u64 != self.len
    }

    pub(super) fn is_from_client(&self) -> bool {
        self.direction == Direction::ClientToServer
    }
}

/// A packet in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) protocol: EnvelopeProtocol,
    pub(super) kind: &'static str,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) namespace: Option<Cow<'a, str>>,
    pub(super) id: Option<Id<'a>>,
    pub(super) role: Role,
}

/// An identifier in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Id<'a> {
    Number(u64),
    Text(Cow<'a, str>),
}

/// A packet's part in asking and answering. The key says which answer belongs to which ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    None,
    Ask(Key),
    Answer(Key),
    /// The asker wants no answer any more.
    Withdraw(Key),
    Ping(Key),
    Pong(Key),
}

/// Pairs an ask with its answer: the same on both, different for any others in flight between the same two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(u64);

impl Key {
    /// Of whatever tells asks apart. The seed is fixed: the same capture gives the same rows.
    pub(super) fn of(what: impl Hash) -> Self {
        Self(FixedState::default().hash_one(what))
    }
}

impl<'a> Packet<'a> {
    /// A packet of a type, that nothing else is known of.
    pub(super) fn new(protocol: EnvelopeProtocol, kind: &'static str) -> Self {
        Self { protocol, kind, name: None, namespace: None, id: None, role: Role::None }
    }

    pub(super) fn named(mut self, name: Option<Cow<'a, str>>) -> Self {
        self.name = name;
        self
    }

    pub(super) fn with_id(mut self, id: Option<Id<'a>>) -> Self {
        self.id = id;
        self
    }

    pub(super) fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }
}

/// The packets of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packets<'a> {
    pub(super) first: Packet<'a>,
    /// Those behind the first: most messages have none.
    pub(super) more: Vec<Packet<'a>>,
    /// Octets of the message that are no payload of the application; `None` when it cannot be known.
    pub(super) envelope: Option<u64>,
    /// Packets that end in the message.
    pub(super) count: u64,
}

impl<'a> Packets<'a> {
    /// One packet.
    pub(super) fn one(first: Packet<'a>, envelope: Option<u64>) -> Self {
        Self { first, more: Vec::new(), envelope, count: 1 }
    }

    /// Packets as they were found; `None` when there was none.
    pub(super) fn of(found: Vec<Packet<'a>>, envelope: Option<u64>) -> Option<Self> {
        let count = found.len() as u64;
        let mut found = found.into_iter();
        Some(Self { first: found.next()?, more: found.collect(), envelope, count })
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Packet<'a>> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// What a row shows.
    pub(super) fn into_envelope(self) -> Envelope {
        let Packet { protocol, kind, name, namespace, id, .. } = self.first;
        Envelope {
            protocol,
            kind,
            name: name.map(shortened),
            namespace: namespace.map(shortened),
            id: id.map(|id| match id {
                Id::Number(number) => EnvelopeId::Number(number),
                Id::Text(text) => EnvelopeId::Text(shortened(text)),
            }),
            bytes: self.envelope,
            count: self.count,
        }
    }
}

fn shortened(text: Cow<'_, str>) -> Box<str> {
    text[..text.floor_char_boundary(MAX_TEXT)].into()
}
