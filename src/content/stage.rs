//! The content stage of one direction.

use std::ops::ControlFlow::{self, Break, Continue};

use sha2::{Digest, Sha256};

use super::utf8::Utf8;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Content, ContentSink, Form, Opcode};
use crate::options::{ContentMode, Options};
use crate::websocket::{Compression, ContextTakeover, Failure, Inflater};

/// Takes the encoded content of one direction and says what it is when decoded.
///
/// Costs nothing per octet where only the length is asked for.
#[derive(Debug)]
pub(crate) struct Stage {
    wanted: Wanted,
    context_takeover: ContextTakeover,
    /// Made for the first compressed message.
    inflater: Option<Box<Inflater>>,
    /// Whether messages were lost before the inflater was made.
    gap: bool,
    /// The exchange's content or data message under way.
    data: Option<Open>,
    /// The control frame under way, perhaps between fragments of the data message.
    control: Option<Open>,
}

/// What is asked for of every message.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    digest: bool,
    /// Octets of the sample; `None` for no sample.
    sample: Option<usize>,
    /// Decoded octets of one message.
    limit: u64,
}

/// A message under way.
#[derive(Debug)]
struct Open {
    coding: Coding,
    /// Octets that were not captured.
    missing: u64,
    anomalies: AnomalySet,
    decoded: Decoded,
}

/// How a message's content is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Identity,
    /// permessage-deflate.
    Deflate,
    /// Decoding has failed, or cannot begin: what is still to come says nothing.
    Unknown,
}

/// What a message's decoded octets come to.
#[derive(Debug)]
struct Decoded {
    bytes: u64,
    text: Option<Utf8>,
    digest: Option<Box<Sha256>>,
    sample: Option<Sample>,
}

/// The first octets of a message.
#[derive(Debug)]
struct Sample {
    octets: Vec<u8>,
    limit: usize,
}

impl Stage {
    /// A stage that does what the options ask for.
    pub(crate) fn new(options: &Options) -> Self {
        let sample = match options.content {
            ContentMode::None => None,
            ContentMode::Preview => Some(options.limits.preview),
            ContentMode::Full => Some(options.limits.full_content),
        };
        let wanted = Wanted { digest: options.digest, sample, limit: options.limits.decoded_content };
        Self { wanted, context_takeover: ContextTakeover::Keep, inflater: None, gap: false, data: None, control: None }
    }

    /// From the opening handshake on: how messages of this direction are compressed, if they are.
    pub(crate) fn set_compression(&mut self, compression: Option<Compression>) {
        self.context_takeover = compression.map_or(ContextTakeover::Keep, |compression| compression.context_takeover);
    }
}

impl ContentSink for Stage {
    #[inline]
    fn begin(&mut self, form: Form<'_>) {
        let (coding, text, control) = match form {
            Form::Http { content_encoding: b"" } => (Coding::Identity, false, false),
            Form::Http { .. } => (Coding::Unknown, false, false),
            Form::WebSocket { opcode, compressed } => {
                let coding = if compressed { Coding::Deflate } else { Coding::Identity };
                (coding, opcode == Opcode::Text, opcode.is_control())
            }
        };
        let open = Open { coding, missing: 0, anomalies: AnomalySet::EMPTY, decoded: Decoded::new(&self.wanted, text) };
        if coding == Coding::Deflate {
            let whole = !self.gap;
            self.inflater.get_or_insert_with(|| Box::new(Inflater::new(self.context_takeover, whole))).begin();
        }
        *if control { &mut self.control } else { &mut self.data } = Some(open);
    }

    #[inline]
    fn data(&mut self, encoded: &[u8]) {
        let Some(open) = self.control.as_mut().or(self.data.as_mut()) else { return };
        match (open.coding, &mut self.inflater) {
            (Coding::Identity, _) => open.decoded.take(encoded),
            (Coding::Deflate, Some(inflater)) => {
                let decoded = &mut open.decoded;
                let limit = self.wanted.limit;
                if let Err(failure) = inflater.feed(encoded, &mut |piece| decoded.take_limited(piece, limit)) {
                    open.fail(failure);
                }
            }
            (Coding::Deflate, None) | (Coding::Unknown, _) => {}
        }
    }

    fn missing(&mut self, len: u64) {
        let Some(open) = self.control.as_mut().or(self.data.as_mut()) else { return };
        open.missing += len;
        match open.coding {
            Coding::Identity => open.decoded.skip(len, &mut open.anomalies),
            Coding::Deflate => {
                open.coding = Coding::Unknown;
                if let Some(inflater) = &mut self.inflater {
                    inflater.lose();
                }
            }
            Coding::Unknown => {}
        }
    }

    #[inline]
    fn end(&mut self, complete: bool) -> Content {
        let Some(mut open) = self.control.take().or_else(|| self.data.take()) else { return Content::default() };
        if open.coding == Coding::Deflate
            && let Some(inflater) = &mut self.inflater
        {
            if !complete {
                inflater.lose();
            } else if let Err(failure) = inflater.finish() {
                open.fail(failure);
            }
        }
        open.close(complete)
    }

    fn gap(&mut self) {
        self.gap = true;
        if let Some(inflater) = &mut self.inflater {
            inflater.lose();
        }
    }
}

impl Open {
    #[cold]
    fn fail(&mut self, failure: Failure) {
        self.coding = Coding::Unknown;
        self.anomalies.insert(match failure {
            Failure::Corrupt => AnomalyKind::DecodingFailed,
            Failure::LostContext => AnomalyKind::LostCompressionContext,
            Failure::Stopped => AnomalyKind::DecodedContentLimit,
        });
    }

    #[inline]
    fn close(self, complete: bool) -> Content {
        let Self { coding, missing, mut anomalies, decoded } = self;
        let known = complete && coding != Coding::Unknown;
        let seen = known && missing == 0;
        if decoded.text.is_some_and(|text| text.is_invalid() || seen && !text.is_valid()) {
            anomalies.insert(AnomalyKind::InvalidUtf8);
        }
        Content {
            bytes: known.then_some(decoded.bytes),
            sha256: decoded.digest.filter(|_| seen).map(|digest| Box::new(digest.finalize().into())),
            sample: decoded.sample.filter(|_| seen).map(|sample| sample.octets.into_boxed_slice()),
            anomalies,
        }
    }
}

impl Decoded {
    #[inline]
    fn new(wanted: &Wanted, text: bool) -> Self {
        Self {
            bytes: 0,
            text: text.then(Utf8::default),
            digest: wanted.digest.then(Box::default),
            sample: wanted.sample.map(|limit| Sample { octets: Vec::new(), limit }),
        }
    }

    #[inline]
    fn take(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        if let Some(text) = &mut self.text {
            text.feed(piece);
        }
        if let Some(digest) = &mut self.digest {
            digest.update(piece);
        }
        if let Some(Sample { octets, limit }) = &mut self.sample {
            octets.extend_from_slice(&piece[..piece.len().min(*limit - octets.len())]);
        }
    }

    /// Takes what decoding brought forth, unless it passes the limit.
    fn take_limited(&mut self, piece: &[u8], limit: u64) -> ControlFlow<()> {
        if self.bytes + piece.len() as u64 > limit {
            return Break(());
        }
        self.take(piece);
        Continue(())
    }

    /// Counts identity content that was not captured; what lies behind it is no longer text from its beginning.
    fn skip(&mut self, len: u64, anomalies: &mut AnomalySet) {
        self.bytes += len;
        if self.text.take().is_some_and(|text| text.is_invalid()) {
            anomalies.insert(AnomalyKind::InvalidUtf8);
        }
    }
}
