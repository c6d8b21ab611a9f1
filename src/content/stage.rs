//! The content stage of one direction.

use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use super::utf8::Utf8;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::http;
use crate::message::{Content, ContentSink, Form, Opcode};
use crate::options::{ContentMode, Options};
use crate::websocket::{Compression, InflateError, Inflater};

/// Decodes the content of one direction's messages as it comes, and keeps of it what was asked for.
#[derive(Debug)]
pub(crate) struct Stage {
    wanted: Wanted,
    compression: Option<Compression>,
    /// Made at the first compressed message: its window is 32 KiB and more.
    inflater: Option<Box<Inflater>>,
    /// The data message (or HTTP content) that is open.
    message: Option<Open>,
    /// A control frame between its fragments.
    control: Option<Open>,
}

/// What is kept of content, and the limit on decoding.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    sample: usize,
    digest: bool,
    decoded_limit: u64,
}

/// How the octets that come become content.
#[derive(Debug)]
enum Decoding {
    /// They are the content.
    Identity,
    /// Through the direction's inflater.
    Inflate,
    /// Through content codings.
    Coding(Box<http::Decoder>),
    /// They cannot be decoded: counted by the framing alone.
    Unknown,
}

/// Content that is not complete.
#[derive(Debug)]
struct Open {
    decoding: Decoding,
    decoded: Decoded,
    missing: bool,
}

/// Decoded octets as they are counted, checked, hashed and sampled.
#[derive(Debug)]
struct Decoded {
    bytes: u64,
    utf8: Option<Utf8>,
    digest: Option<Box<Sha256>>,
    sample: Option<Vec<u8>>,
    wanted: Wanted,
    anomalies: AnomalySet,
}

impl Stage {
    pub(crate) fn new(options: &Options) -> Self {
        let sample = match options.content {
            ContentMode::None => 0,
            ContentMode::Preview => options.limits.preview,
            ContentMode::Full => options.limits.full_content,
        };
        let wanted = Wanted { sample, digest: options.digest, decoded_limit: options.limits.decoded_content };
        Self { wanted, compression: None, inflater: None, message: None, control: None }
    }

    /// What permessage-deflate was agreed for this direction.
    pub(crate) fn set_compression(&mut self, compression: Option<Compression>) {
        self.compression = compression;
    }

    /// How a message is to be decoded, and what is odd about it.
    fn decoding(&mut self, form: Form<'_>) -> (Decoding, Option<AnomalyKind>) {
        match form {
            Form::WebSocket { compressed: false, .. } => (Decoding::Identity, None),
            Form::WebSocket { compressed: true, .. } => match self.compression {
                Some(Compression { takeover }) => {
                    self.inflater.get_or_insert_with(|| Box::new(Inflater::new(takeover))).begin();
                    (Decoding::Inflate, None)
                }
                None => (Decoding::Unknown, None),
            },
            Form::Http { content_encoding } => match http::Decoder::new(content_encoding) {
                Ok(None) => (Decoding::Identity, None),
                Ok(Some(decoder)) => (Decoding::Coding(Box::new(decoder)), None),
                Err(_) => (Decoding::Unknown, Some(AnomalyKind::UnknownContentCoding)),
            },
        }
    }
}

impl ContentSink for Stage {
    #[inline]
    fn begin(&mut self, form: Form<'_>) {
        let (decoding, anomaly) = self.decoding(form);
        let mut open = Open { decoding, decoded: Decoded::new(form, self.wanted), missing: false };
        if let Some(kind) = anomaly {
            open.decoded.anomalies.insert(kind);
        }
        match form {
            Form::WebSocket { opcode, .. } if opcode.is_control() => self.control = Some(open),
            Form::WebSocket { .. } | Form::Http { .. } => self.message = Some(open),
        }
    }

    #[inline]
    fn data(&mut self, encoded: &[u8]) {
        let Some(open) = self.control.as_mut().or(self.message.as_mut()) else { return };
        let decoded = &mut open.decoded;
        match &mut open.decoding {
            Decoding::Identity => decoded.take(encoded),
            Decoding::Inflate => {
                if let Some(inflater) = &mut self.inflater {
                    inflater.feed(encoded, &mut |octets| decoded.take_limited(octets).is_continue());
                }
            }
            Decoding::Coding(decoder) => {
                if decoder.feed(encoded, &mut |octets| decoded.take_limited(octets)).is_err() {
                    decoded.fail(AnomalyKind::DecodingFailed);
                    open.decoding = Decoding::Unknown;
                }
            }
            Decoding::Unknown => {}
        }
    }

    fn missing(&mut self, len: u64) {
        let Some(open) = self.control.as_mut().or(self.message.as_mut()) else { return };
        open.missing = true;
        match open.decoding {
            Decoding::Identity => open.decoded.bytes += len,
            Decoding::Inflate => {
                if let Some(inflater) = &mut self.inflater {
                    inflater.lose();
                }
            }
            Decoding::Coding(_) => open.decoding = Decoding::Unknown,
            Decoding::Unknown => {}
        }
    }

    #[inline]
    fn end(&mut self, complete: bool) -> Content {
        let Some(mut open) = self.control.take().or_else(|| self.message.take()) else { return Content::default() };
        let decoded = &mut open.decoded;
        let known = match open.decoding {
            Decoding::Identity => complete,
            Decoding::Inflate => match &mut self.inflater {
                Some(inflater) => end_inflating(inflater, decoded, complete),
                None => false,
            },
            Decoding::Coding(mut decoder) => {
                let finished = decoder.finish(&mut |octets| decoded.take_limited(octets)).is_ok();
                if complete && !finished {
                    decoded.fail(AnomalyKind::DecodingFailed);
                }
                complete && finished && !decoded.anomalies.contains(AnomalyKind::DecodedContentLimit)
            }
            Decoding::Unknown => false,
        };
        open.decoded.into_content(known, open.missing)
    }

    fn lose_context(&mut self) {
        if let Some(inflater) = &mut self.inflater {
            inflater.lose();
        }
    }
}

/// Ends a compressed message; whether its content is known.
fn end_inflating(inflater: &mut Inflater, decoded: &mut Decoded, complete: bool) -> bool {
    if !complete {
        inflater.lose();
    }
    match inflater.end(&mut |octets| decoded.take_limited(octets).is_continue()) {
        Ok(()) => return true,
        Err(InflateError::Damaged) => decoded.fail(AnomalyKind::DecodingFailed),
        Err(InflateError::LostContext) => decoded.fail(AnomalyKind::LostCompressionContext),
        Err(InflateError::Stopped) => {}
    }
    false
}

impl Decoded {
    #[inline]
    fn new(form: Form<'_>, wanted: Wanted) -> Self {
        let is_text = matches!(form, Form::WebSocket { opcode: Opcode::Text, .. });
        Self {
            bytes: 0,
            utf8: is_text.then(Utf8::default),
            digest: wanted.digest.then(Box::default),
            sample: (wanted.sample > 0).then(Vec::new),
            wanted,
            anomalies: AnomalySet::EMPTY,
        }
    }

    #[inline]
    fn take(&mut self, octets: &[u8]) {
        self.bytes += octets.len() as u64;
        if let Some(utf8) = &mut self.utf8 {
            utf8.feed(octets);
        }
        if let Some(digest) = &mut self.digest {
            digest.update(octets);
        }
        if let Some(sample) = &mut self.sample {
            let room = self.wanted.sample.saturating_sub(sample.len());
            sample.extend_from_slice(&octets[..octets.len().min(room)]);
        }
    }

    fn take_limited(&mut self, octets: &[u8]) -> ControlFlow<()> {
        if self.bytes + octets.len() as u64 > self.wanted.decoded_limit {
            self.anomalies.insert(AnomalyKind::DecodedContentLimit);
            return ControlFlow::Break(());
        }
        self.take(octets);
        ControlFlow::Continue(())
    }

    fn fail(&mut self, kind: AnomalyKind) {
        self.anomalies.insert(kind);
    }

    /// `known`: all octets that came were decoded; `missing`: some did not come.
    #[inline]
    fn into_content(mut self, known: bool, missing: bool) -> Content {
        let whole = known && !missing;
        if whole && self.utf8.is_some_and(|utf8| !utf8.is_valid()) {
            self.anomalies.insert(AnomalyKind::InvalidUtf8);
        }
        Content {
            bytes: known.then_some(self.bytes),
            sha256: self.digest.filter(|_| whole).map(|digest| Box::new((*digest).finalize().into())),
            sample: self.sample.filter(|_| whole).map(Vec::into_boxed_slice),
            anomalies: self.anomalies,
        }
    }
}
