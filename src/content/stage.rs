//! The content stage of one direction.

mod heads;
mod known;
mod waiting;

use sha2::Digest;

use self::heads::Heads;
use self::waiting::Away;
use super::batch::Batch;
use super::decoded::{Decoded, Wanted};
use super::seen::{self, Held, Seen};
use super::utf8;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::http::{self, Decoder};
use crate::message::{Content, ContentSink, Form, Opcode, TextState};
use crate::options::Options;
use crate::stream::{Place, Timestamp};
use crate::websocket::{Compression, Failure, Inflater};

/// Takes the encoded content of one direction and says what it is when decoded.
///
/// Costs nothing per octet where only the length is asked for.
#[derive(Debug)]
pub(crate) struct Stage {
    wanted: Wanted,
    compression: Option<Compression>,
    /// Made for the first compressed message.
    inflater: Option<Box<Inflater>>,
    /// Whether messages were lost before the inflater was made.
    gap: bool,
    /// The exchange's content or data message under way.
    data: Option<Open>,
    /// The control frame under way, perhaps between fragments of the data message.
    control: Option<Open>,
    /// First octets of messages, for whoever looks inside.
    heads: Heads,
    /// Messages whose decoding waits, once there was one.
    batch: Option<Box<Batch>>,
    /// The content under way, where it is held.
    held: Held,
    /// Coded contents that came before, while something is read.
    seen: Option<Box<Seen>>,
    /// The stage for which this one stands in: what waited there is to be decoded by whoever gets to it first.
    away: Option<Away>,
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
#[derive(Debug)]
enum Coding {
    Identity,
    /// By the direction's inflater.
    Deflate,
    /// By content codings (RFC 9110 §8.4).
    Http(Box<Decoder>),
    /// The same, and decoded when all of it has come: it may have come before.
    Held,
    /// Decoding has failed, or cannot begin: what is still to come says nothing.
    Unknown,
}

impl Stage {
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        self.wanted.limit ^ u64::from(self.gap) ^ self.heads.poll_limit as u64
    }

    /// A stage that does what the options ask for.
    pub(crate) fn new(options: &Options) -> Self {
        let wanted = Wanted {
            decode: options.decode,
            batches: options.batches && options.decode && !options.parts && !options.keeps_large_contents(),
            digest: options.digest,
            sample: options.kept_content(),
            limit: options.limits.decoded_content,
        };
        Self {
            wanted,
            compression: None,
            inflater: None,
            gap: false,
            data: None,
            control: None,
            heads: Heads::new(options.limits.envelope),
            batch: None,
            held: Held::default(),
            seen: None,
            away: None,
        }
    }

    /// Does something with what is remembered of contents at hand.
    #[inline]
    pub(crate) fn with_seen<T>(&mut self, seen: &mut Option<Box<Seen>>, read: impl FnOnce(&mut Self) -> T) -> T {
        self.seen = seen.take();
        let result = read(self);
        *seen = self.seen.take();
        result
    }

    /// From now on, at most that many octets are kept of data messages (`None` for none), and of Ping and Pong.
    pub(crate) fn keep_heads(&mut self, data: Option<usize>, control: usize) {
        self.heads.data = data;
        self.heads.control = Some(control);
    }

    /// The first octets of the message that ended last, as many as are kept; `None` when not all of it is known.
    #[inline]
    pub(crate) fn head(&self) -> Option<&[u8]> {
        self.heads.last.as_deref()
    }

    /// From the opening handshake on: how messages of this direction are compressed, if they are.
    pub(crate) fn set_compression(&mut self, compression: Option<Compression>) {
        self.compression = compression;
    }

    /// Whether it is as new: nothing is under way, and nothing is known that a later message depends on.
    #[inline]
    pub(crate) fn is_blank(&self) -> bool {
        let is_idle = self.data.is_none() && self.control.is_none() && self.batch.is_none() && self.away.is_none();
        !self.heads.is_wanted() && is_idle && !self.gap && self.inflater.is_none() && self.compression.is_none()
    }

    /// About what messages under way take, in octets: windows of content codings, samples, and what is kept for whoever looks inside.
    /// (What waits to be decoded is bounded for all connections together.)
    #[inline]
    pub(crate) fn memory(&self) -> usize {
        let is_idle = self.data.is_none() && self.control.is_none();
        self.heads.memory() + if is_idle { 0 } else { self.open_memory() }
    }

    fn open_memory(&self) -> usize {
        let open = [&self.data, &self.control].into_iter().flatten().map(|open| match &open.coding {
            Coding::Http(decoder) => decoder.memory() + open.decoded.memory(),
            Coding::Held => self.held.memory() + open.decoded.memory(),
            Coding::Identity | Coding::Deflate | Coding::Unknown => open.decoded.memory(),
        });
        open.sum::<usize>() + self.heads.poll_memory()
    }

    /// Whether a message is under way of which first octets are kept.
    #[inline]
    pub(crate) fn keeps_head(&self) -> bool {
        [&self.data, &self.control].into_iter().flatten().any(|open| open.decoded.head.is_some())
    }

    /// Forgets the first octets of the message that ended last, unless they are few: they have been looked at.
    pub(crate) fn forget_head(&mut self) {
        self.heads.forget();
    }

    /// How a message that begins is encoded; `None` when nobody knows.
    #[inline]
    fn coding(&mut self, form: Form<'_>) -> Result<Coding, Option<AnomalyKind>> {
        match form {
            Form::WebSocket { compressed: false, .. } => Ok(Coding::Identity),
            Form::WebSocket { compressed: true, .. } if !self.wanted.decode => Err(None),
            Form::WebSocket { compressed: true, .. } => {
                self.come_home();
                let compression = self.compression.ok_or(None)?;
                let whole = !self.gap;
                self.inflater.get_or_insert_with(|| Box::new(Inflater::new(compression.context_takeover, whole))).begin();
                Ok(Coding::Deflate)
            }
            Form::Http { content_encoding, len, .. } => match http::is_coded(content_encoding) {
                Ok(false) => Ok(Coding::Identity),
                Ok(true) if !self.wanted.decode => Err(None),
                Ok(true) if self.wants_measure_only(form) && seen::may_hold(content_encoding, len) => {
                    self.held.begin(content_encoding);
                    Ok(Coding::Held)
                }
                Ok(true) => Ok(Coding::of_http(content_encoding)),
                Err(_) => Err(Some(AnomalyKind::UnknownContentCoding)),
            },
        }
    }
}

impl Coding {
    /// Of a Content-Encoding value whose codings are known.
    fn of_http(content_encoding: &[u8]) -> Self {
        match Decoder::new(content_encoding) {
            Ok(Some(decoder)) => Self::Http(Box::new(decoder)),
            Ok(None) => Self::Identity,
            Err(_) => Self::Unknown,
        }
    }
}

impl Stage {
    /// Whether nothing is kept of a message that is not compressed.
    #[inline]
    fn wants_length_only(&self, opcode: Opcode) -> bool {
        let is_data = matches!(opcode, Opcode::Text | Opcode::Binary);
        is_data && !self.wanted.digest && self.wanted.sample.is_none() && self.heads.data.is_none()
    }

    /// What such a message comes to when it is all there: most are that.
    #[inline]
    fn measure(&mut self, opcode: Opcode, encoded: &[u8]) -> Content {
        self.heads.last = None;
        let is_text = opcode != Opcode::Text || simdutf8::basic::from_utf8(encoded).is_ok();
        let odd = (!is_text).then_some(AnomalyKind::InvalidUtf8);
        Content { bytes: Some(encoded.len() as u64), anomalies: odd.into_iter().collect(), ..Content::default() }
    }

    /// Whether a message that is all there is text, as most are, in ASCII alone, of which nothing is kept: `masked` under a key, so that
    /// it need not be unmasked to be [measured](Self::measure_ascii).
    #[inline]
    pub(crate) fn is_ascii_only(&self, form: Form<'_>, masked: &[u8], key: Option<[u8; 4]>) -> bool {
        matches!(form, Form::WebSocket { opcode: Opcode::Text, compressed: false })
            && self.wants_length_only(Opcode::Text)
            && utf8::is_ascii(masked, key.unwrap_or_default())
    }

    /// What such a message of so many octets comes to.
    #[inline]
    pub(crate) fn measure_ascii(&mut self, len: usize) -> Content {
        self.heads.last = None;
        Content { bytes: Some(len as u64), ..Content::default() }
    }

    /// Whether nobody decodes such a message of a WebSocket.
    #[inline(always)]
    pub(crate) fn leaves_encoded(&self, form: Form<'_>) -> bool {
        !self.wanted.decode && matches!(form, Form::WebSocket { compressed: true, .. })
    }

    /// What it comes to: nothing is known of its content, nor of its first octets.
    #[inline(always)]
    pub(crate) fn leave_encoded(&mut self) -> Content {
        self.heads.last = None;
        Content::default()
    }

    #[inline]
    fn open(&mut self, form: Form<'_>) {
        let opcode = match form {
            Form::Http { .. } => None,
            Form::WebSocket { opcode, .. } => Some(opcode),
        };
        let (coding, odd) = self.coding(form).map_or_else(|odd| (Coding::Unknown, odd), |coding| (coding, None));
        let mut decoded = Decoded::new(&self.wanted, form);
        decoded.head = self.heads.begin(form);
        let open = Open { coding, missing: 0, anomalies: odd.into_iter().collect(), decoded };
        let control = opcode.is_some_and(Opcode::is_control);
        *if control { &mut self.control } else { &mut self.data } = Some(open);
    }

    #[inline]
    fn feed(&mut self, encoded: &[u8]) {
        let Some(open) = self.control.as_mut().or(self.data.as_mut()) else { return };
        let (decoded, limit) = (&mut open.decoded, self.wanted.limit);
        let out = &mut |piece: &[u8]| decoded.take_limited(piece, limit);
        match &mut open.coding {
            Coding::Identity => open.decoded.take(encoded),
            Coding::Deflate => {
                let Some(inflater) = &mut self.inflater else { return };
                if let Err(failure) = inflater.feed(encoded, out) {
                    inflater.rest();
                    open.fail(failure);
                }
            }
            Coding::Http(decoder) => {
                if decoder.feed(encoded, out).is_err() {
                    open.decoded.limited |= decoder.is_overworked();
                    open.fail(Failure::Corrupt);
                }
            }
            Coding::Held if self.held.take(encoded) => {}
            Coding::Held => {
                self.hold_no_longer();
                self.feed(encoded);
            }
            Coding::Unknown => {}
        }
    }

    #[inline]
    fn close(&mut self, complete: bool) -> Content {
        if self.is_held() {
            if complete {
                return self.close_held();
            }
            self.hold_no_longer();
        }
        let content = self.close_decoded(complete);
        // Unless it was a control frame within a message.
        if let Some(inflater) = self.inflater.as_mut().filter(|_| self.data.is_none()) {
            inflater.rest();
        }
        content
    }

    #[inline]
    fn close_decoded(&mut self, complete: bool) -> Content {
        let Some(mut open) = self.control.take().or_else(|| self.data.take()) else { return Content::default() };
        let (decoded, limit) = (&mut open.decoded, self.wanted.limit);
        match (&mut open.coding, &mut self.inflater) {
            (Coding::Deflate, Some(inflater)) if complete => inflater.finish().unwrap_or_else(|failure| open.fail(failure)),
            (Coding::Deflate, Some(inflater)) => inflater.lose(),
            (Coding::Http(decoder), _) if complete => {
                let out = &mut |piece: &[u8]| decoded.take_limited(piece, limit);
                if decoder.finish(out).is_err() {
                    open.decoded.limited |= decoder.is_overworked();
                    open.fail(Failure::Corrupt);
                }
            }
            (Coding::Identity | Coding::Deflate | Coding::Http(_) | Coding::Held | Coding::Unknown, _) => {}
        }
        let is_seen = open.is_seen(complete);
        let head = open.decoded.head.take();
        let mut content = open.close(complete);
        self.heads.end(head, is_seen, &mut content);
        content
    }
}

impl ContentSink for Stage {
    #[inline]
    fn begin(&mut self, form: Form<'_>) {
        if self.may_wait(form)
            && let Form::WebSocket { opcode, .. } = form
        {
            return self.batch.get_or_insert_default().begin(opcode);
        }
        if matches!(form, Form::WebSocket { compressed: true, .. }) {
            self.decode_waiting();
        }
        self.open(form);
    }

    fn at(&mut self, time: Timestamp) {
        let http = self.data.as_mut().and_then(|open| open.decoded.http.as_mut());
        if let Some(events) = http.and_then(|http| http.events.as_mut()) {
            events.at(time);
        }
    }

    #[inline]
    fn looks_at(&self, form: Form<'_>) -> bool {
        match form {
            Form::WebSocket { compressed: true, .. } => self.wanted.decode,
            Form::WebSocket { opcode: Opcode::Binary, compressed: false } => !self.wants_length_only(Opcode::Binary),
            Form::WebSocket { compressed: false, .. } | Form::Http { .. } => true,
        }
    }

    #[inline]
    fn whole(&mut self, form: Form<'_>, encoded: &[u8], complete: bool) -> Content {
        if self.leaves_encoded(form) {
            return self.leave_encoded();
        }
        if complete
            && let Form::WebSocket { opcode, compressed: false } = form
            && self.wants_length_only(opcode)
        {
            return self.measure(opcode, encoded);
        }
        if complete
            && let Form::Http { content_encoding, .. } = form
            && self.wants_measure_only(form)
        {
            if content_encoding.is_empty() {
                return self.measure_http(encoded);
            }
            if let Some(content) = self.measure_seen(content_encoding, encoded) {
                return content;
            }
        }
        self.begin(form);
        if !encoded.is_empty() {
            self.data(encoded);
        }
        self.end(complete)
    }

    #[inline]
    fn data(&mut self, encoded: &[u8]) {
        if self.has_incoming() {
            if self.batch.as_mut().is_some_and(|batch| batch.take(encoded)) {
                return;
            }
            self.wait_no_longer();
        }
        self.feed(encoded);
    }

    fn missing(&mut self, len: u64) {
        if self.has_incoming() {
            self.wait_no_longer();
        }
        self.hold_no_longer();
        let Some(open) = self.control.as_mut().or(self.data.as_mut()) else { return };
        open.missing += len;
        match &open.coding {
            Coding::Identity => open.decoded.skip(len, &mut open.anomalies),
            Coding::Deflate => {
                open.coding = Coding::Unknown;
                if let Some(inflater) = &mut self.inflater {
                    inflater.lose();
                    inflater.rest();
                }
            }
            Coding::Http(_) | Coding::Held => open.coding = Coding::Unknown,
            Coding::Unknown => {}
        }
    }

    #[cold]
    fn go_on(&mut self) {
        // Other frames may lie between those of a message: where it began is not known any more when it has waited.
        if self.has_incoming() {
            self.wait_no_longer();
        }
    }

    #[cold]
    fn fragment(&mut self, compressed: bool) {
        self.go_on();
        self.decode_waiting();
        let Some(mut open) = self.data.take() else { return };
        if let (Coding::Deflate, Some(inflater)) = (&open.coding, &mut self.inflater) {
            inflater.finish().unwrap_or_else(|failure| open.fail(failure));
        }
        if !matches!(open.coding, Coding::Unknown) {
            open.coding = self.coding(Form::WebSocket { opcode: Opcode::Continuation, compressed }).unwrap_or(Coding::Unknown);
        }
        self.data = Some(open);
    }

    fn text(&mut self) -> TextState {
        if self.has_incoming() {
            self.wait_no_longer();
        }
        let open = self.control.as_ref().or(self.data.as_ref());
        open.and_then(|open| open.decoded.text).map_or(TextState::Whole, |text| text.state())
    }

    #[inline]
    fn end(&mut self, complete: bool) -> Content {
        if self.has_incoming() {
            match &mut self.batch {
                Some(batch) if complete => {
                    batch.end();
                    return Content { is_waiting: true, ..Content::default() };
                }
                _ => self.wait_no_longer(),
            }
        }
        self.close(complete)
    }

    fn waits_from(&mut self, start: Place) {
        if let Some(ticket) = self.last_ticket() {
            ticket.start = start;
        }
    }

    fn lose_context(&mut self) {
        if self.has_incoming() {
            self.wait_no_longer();
        }
        self.decode_waiting();
        self.gap = true;
        if let Some(inflater) = &mut self.inflater {
            inflater.lose();
            inflater.rest();
        }
        if let Some(open) = self.data.as_mut().filter(|open| matches!(open.coding, Coding::Deflate)) {
            open.obscure();
        }
    }

    #[cold]
    fn obscure(&mut self) {
        self.lose_context();
        if let Some(open) = &mut self.data {
            open.obscure();
        }
    }
}

impl Open {
    /// What is still to come says nothing. Of what came, text that is none stays none.
    #[cold]
    fn obscure(&mut self) {
        self.decoded.skip(0, &mut self.anomalies);
        self.coding = Coding::Unknown;
    }

    #[cold]
    fn fail(&mut self, failure: Failure) {
        self.coding = Coding::Unknown;
        // How far it was decoded depends on how it was cut into segments: whether that is text is not to be told.
        self.decoded.text = None;
        self.anomalies.insert(match failure {
            // Whoever reads the decoder's output is the only one to know why it stopped.
            _ if self.decoded.limited => AnomalyKind::DecodedContentLimit,
            Failure::Corrupt | Failure::Stopped => AnomalyKind::DecodingFailed,
            Failure::LostContext => AnomalyKind::LostCompressionContext,
        });
    }

    /// Whether every octet of it came out of decoding.
    #[inline]
    fn is_seen(&self, complete: bool) -> bool {
        complete && self.missing == 0 && !matches!(self.coding, Coding::Unknown)
    }

    #[inline]
    fn close(self, complete: bool) -> Content {
        let seen = self.is_seen(complete);
        let Self { coding, mut anomalies, decoded, .. } = self;
        let known = complete && !matches!(coding, Coding::Unknown);
        if decoded.text.is_some_and(|text| text.is_invalid() || seen && !text.is_valid()) {
            anomalies.insert(AnomalyKind::InvalidUtf8);
        }
        Content {
            bytes: known.then_some(decoded.bytes),
            sha256: decoded.digest.filter(|_| seen).map(|digest| Box::new(digest.finalize().into())),
            sample: decoded.sample.filter(|_| seen).map(|sample| sample.octets.into_boxed_slice()),
            anomalies,
            envelope: None,
            http: decoded.http.map(|http| http.end(seen)),
            is_waiting: false,
        }
    }
}

#[cfg(test)]
mod tests;
