//! What a message's decoded octets come to: how many they are, whether they are text, their digest, and what is kept of them.

use std::fmt;
use std::hash::Hasher;
use std::ops::ControlFlow::{self, Break, Continue};

use sha2::{Digest, Sha256};
use twox_hash::XxHash3_64;

use super::events::Events;
use super::utf8::Utf8;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Form, HttpContent, Opcode};

/// What is asked for of every message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Whether compressed content is decoded.
    pub(super) decode: bool,
    /// Whether its decoding may wait for that of other messages.
    pub(super) batches: bool,
    pub(super) digest: bool,
    /// Octets of the sample; `None` for no sample.
    pub(super) sample: Option<usize>,
    /// Decoded octets of one message.
    pub(super) limit: u64,
}

/// What a message's decoded octets come to.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) bytes: u64,
    /// Whether the limit was passed; what lies behind it is not counted.
    pub(super) limited: bool,
    pub(super) text: Option<Utf8>,
    pub(super) digest: Option<Box<Sha256>>,
    pub(super) sample: Option<Sample>,
    /// Kept for whoever looks inside.
    pub(super) head: Option<Sample>,
    /// Of HTTP content.
    pub(super) http: Option<HttpDecoded>,
}

/// What is found out of HTTP content alone.
#[derive(Debug)]
pub(super) struct HttpDecoded {
    /// Its length in octets, where that is known before.
    whole_len: Option<u64>,
    identity: Identity,
    pub(super) events: Option<Box<Events>>,
}

/// The hash of a content's octets, without seed: the same content has the same identity in every run.
enum Identity {
    /// Of none.
    Empty,
    /// Of one piece, which was all.
    Whole(u64),
    /// Of pieces.
    Pieces(Box<XxHash3_64>),
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:#x})", self.finish())
    }
}

/// The first octets of a message.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) octets: Vec<u8>,
    pub(super) limit: usize,
}

impl Decoded {
    #[inline]
    pub(super) fn new(wanted: &Wanted, form: Form<'_>) -> Self {
        let text = matches!(form, Form::WebSocket { opcode: Opcode::Text, .. });
        Self {
            bytes: 0,
            limited: false,
            text: text.then(Utf8::default),
            digest: wanted.digest.then(Box::default),
            sample: wanted.sample.map(|limit| Sample { octets: Vec::new(), limit }),
            head: None,
            http: HttpDecoded::new(form),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, piece: &[u8]) {
        if let Some(http) = &mut self.http {
            http.take(piece);
        }
        if let Some(text) = &mut self.text {
            text.feed(piece, self.bytes);
        }
        self.bytes += piece.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(piece);
        }
        for Sample { octets, limit } in [&mut self.sample, &mut self.head].into_iter().flatten() {
            octets.extend_from_slice(&piece[..piece.len().min(*limit - octets.len())]);
        }
    }

    /// Takes what decoding brought forth, unless it passes the limit.
    pub(super) fn take_limited(&mut self, piece: &[u8], limit: u64) -> ControlFlow<()> {
        if self.bytes + piece.len() as u64 > limit {
            self.limited = true;
            return Break(());
        }
        self.take(piece);
        Continue(())
    }

    /// What is kept of it, in octets.
    #[inline]
    pub(super) fn memory(&self) -> usize {
        [&self.sample, &self.head].into_iter().flatten().map(|sample| sample.octets.capacity()).sum()
    }

    /// Counts identity content that was not captured; what lies behind it is no longer text from its beginning.
    pub(super) fn skip(&mut self, len: u64, anomalies: &mut AnomalySet) {
        self.bytes += len;
        if self.text.take().is_some_and(|text| text.is_invalid()) {
            anomalies.insert(AnomalyKind::InvalidUtf8);
        }
    }
}

impl HttpDecoded {
    #[inline]
    pub(super) fn new(form: Form<'_>) -> Option<Self> {
        let Form::Http { content_encoding, len, is_event_stream, .. } = form else { return None };
        let whole_len = len.filter(|_| content_encoding.is_empty());
        Some(Self { whole_len, identity: Identity::Empty, events: is_event_stream.then(Box::default) })
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        match &mut self.identity {
            // Many come in a segment of their own.
            Identity::Empty if self.whole_len == Some(piece.len() as u64) => self.take_whole(piece),
            Identity::Empty | Identity::Whole(_) => {
                let mut hasher = Box::<XxHash3_64>::default();
                hasher.write(piece);
                self.identity = Identity::Pieces(hasher);
            }
            Identity::Pieces(hasher) => hasher.write(piece),
        }
        if let Some(events) = &mut self.events {
            events.feed(piece);
        }
    }

    fn take_whole(&mut self, octets: &[u8]) {
        self.identity = Identity::Whole(XxHash3_64::oneshot(octets));
    }

    pub(super) fn end(self, is_seen: bool) -> Box<HttpContent> {
        let events = self.events.map(|events| events.found());
        Box::new(HttpContent { identity: is_seen.then(|| self.identity.finish()), events })
    }
}

impl Identity {
    fn finish(&self) -> u64 {
        match self {
            Self::Empty => XxHash3_64::oneshot(&[]),
            Self::Whole(identity) => *identity,
            Self::Pieces(hasher) => hasher.finish(),
        }
    }
}
