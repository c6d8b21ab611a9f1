//! One direction of a WebSocket connection: frames to messages (RFC 6455 §5).
//!
//! Payload data is consumed as it comes; only a header waits until it is whole. Where bytes are missing, framing goes on
//! as long as lengths are known; a header among them loses it, and it is taken up again at the next boundary that convinces.

mod resume;
mod violations;

use std::ops::ControlFlow::{self, Break, Continue};

use self::violations::RSV_KINDS;
use super::extension::{Compression, Rsv1};
use super::frame::Header;
use super::partial::{Partial, Payload};
use super::recognise::{Evidence, Shape};
use super::trace::Trace;
use super::{close, mask};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{AnomalyDetails, Content, ContentSink, Cost, Direction, Form, Message, Opcode, WebSocketFrame};
use crate::stream::{Place, Provenance, StreamBuffer};

/// What one direction yields, in stream order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A message or control frame has ended.
    Message(Message),
    /// Bytes that belong to no message: skipped while looking for a frame, or left at the end.
    Unattributed(Provenance),
}

/// The machine of one direction. It reads from the direction's buffer and keeps no bytes of its own.
#[derive(Debug)]
pub(crate) struct Receiver {
    connection: u64,
    direction: Direction,
    rsv1: Rsv1,
    framing: Framing,
    /// Whether this direction masks its frames: as RFC 6455 §5.1 says, or as it last did.
    masks: bool,
    /// Whether this direction has sent a Close.
    closed: bool,
    /// Messages ended so far.
    messages: u64,
    /// What the next message to begin is to say, and where that lies.
    odd: AnomalySet,
    odd_details: AnomalyDetails,
    /// Whether framing was taken up again and no message has begun since: a continuation frame then continues one whose
    /// beginning was lost.
    resumed: bool,
    /// A message that waits for a continuation frame.
    open: Option<Box<Partial>>,
    /// A frame whose payload data is not all there.
    frame: Option<Box<Unfinished>>,
    /// So many frames more have to look like frames before framing that was taken up again is certain.
    probation: u8,
    /// Frames in a row, up to now, that lay each within one run: as long as they all do, a run begins with a frame.
    unsplit: u8,
    /// Unread bytes without which searching is in vain.
    needed: u64,
    /// Whether no more bytes will come.
    ended: bool,
    /// What the bytes have to show before framing is taken up.
    evidence: Evidence,
    /// Each frame, where somebody wants to see them.
    trace: Option<Box<Trace>>,
}

/// Where the next unread byte stands, when no frame is unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// At a frame header.
    Known,
    /// Inside a run that is to be skipped.
    Lost,
    /// At the beginning of a run, where a frame may begin.
    Searching,
}

/// A frame whose payload data is still coming.
#[derive(Debug)]
struct Unfinished {
    header: Header,
    /// Octets of payload data consumed, missing ones included.
    read: u64,
    /// The message that it begins or continues.
    partial: Partial,
    /// Payload of a Close, as far as a control frame may reach.
    close: Payload,
}

/// What the first frame of a message says of it, beside its header.
struct Begun {
    form: Form<'static>,
    compressed: bool,
    anomalies: AnomalySet,
}

/// What a step came to: on with the next one, or out with an event or for want of bytes.
type Step = ControlFlow<Option<Event>>;

impl Receiver {
    /// A direction whose next byte is that of a frame header: right after the opening handshake.
    pub(crate) fn new(connection: u64, direction: Direction, compression: Option<Compression>) -> Self {
        Self {
            connection,
            direction,
            rsv1: Rsv1::of(compression),
            framing: Framing::Known,
            masks: direction == Direction::ClientToServer,
            closed: false,
            messages: 0,
            odd: AnomalySet::EMPTY,
            odd_details: AnomalyDetails::default(),
            resumed: false,
            open: None,
            frame: None,
            probation: 0,
            unsplit: 0,
            needed: 0,
            ended: false,
            evidence: Evidence::Convincing,
            trace: None,
        }
    }

    /// A direction taken up in its middle, at the beginning of a run: what comes before the first frame that convinces is
    /// unattributed. Without a captured handshake, [`Compression::ASSUMED`] reads every sender's permessage-deflate.
    pub(crate) fn mid_stream(connection: u64, direction: Direction, compression: Option<Compression>, evidence: Evidence) -> Self {
        Self { framing: Framing::Searching, resumed: true, evidence, ..Self::new(connection, direction, compression) }
    }

    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        self.connection ^ self.messages ^ u64::from(self.unsplit)
    }

    /// Whether the next octet begins a frame, of a message of its own, and nothing before it was odd.
    pub(crate) fn is_between_messages(&self) -> bool {
        let is_idle = self.open.is_none() && self.frame.is_none() && self.trace.is_none();
        is_idle && self.framing == Framing::Known && self.probation == 0 && self.odd.is_empty() && !self.resumed && !self.closed
    }

    /// The header of the frame at the front, if it is a data message of its own, all there, and nothing about it is odd.
    #[inline(always)]
    pub(crate) fn whole_message(&self, octets: &[u8]) -> Option<Header> {
        let header = Header::parse(octets)?;
        let is_masked = header.masking_key.is_some() == (self.direction == Direction::ClientToServer);
        let is_data = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        let is_defined = header.rsv == 0 || header.rsv == super::frame::RSV1 && self.rsv1 != Rsv1::Undefined;
        let is_whole = header.fin && !header.non_minimal && header.frame_len() <= octets.len() as u64;
        (is_masked && is_data && is_defined && is_whole).then_some(header)
    }

    /// Whether octets are such messages and nothing else.
    pub(crate) fn are_whole_messages(&self, mut octets: &[u8]) -> bool {
        while !octets.is_empty() {
            let Some(header) = self.whole_message(octets) else { return false };
            // Fits: the frame is all there.
            octets = &octets[header.frame_len() as usize..];
        }
        true
    }

    /// What is to be said of such a message's content.
    #[inline]
    pub(crate) fn form(&self, header: &Header) -> Form<'static> {
        Form::WebSocket { opcode: header.opcode, compressed: header.rsv1() }
    }

    /// Takes a message of [`whole_message`](Self::whole_message), read where it lay: at `start`, unmasked if its content was looked
    /// at.
    #[inline]
    pub(crate) fn take_whole(&mut self, header: &Header, payload: &[u8], start: Place, consumed: Provenance, content: Content) -> Message {
        self.masks = header.masking_key.is_some();
        self.unsplit = self.unsplit.saturating_add(1);
        let place = |offset| Place { stream_offset: start.stream_offset + offset, ..start };
        let anomalies = content.anomalies;
        let details = if anomalies.is_empty() { AnomalyDetails::default() } else { self.details_of(header, anomalies, payload, &place) };
        self.message(header, header.rsv1(), consumed, content, anomalies, details)
    }

    /// Whether the next octet is payload data of a binary message, about which nothing has to be told but how much it is.
    pub(crate) fn is_in_binary_payload(&self) -> bool {
        let is_binary = |frame: &Unfinished| frame.header.opcode != Opcode::Close && frame.partial.message.opcode == Opcode::Binary;
        self.trace.is_none() && self.frame.as_deref().is_some_and(is_binary)
    }

    /// Octets of payload data that the frame under way still lacks; 0 without one.
    #[inline]
    pub(crate) fn payload_left(&self) -> u64 {
        self.frame.as_ref().map_or(0, |frame| frame.header.payload_len - frame.read)
    }

    /// The masking key of the frame under way, and how many octets of its payload data were read, where the next ones are looked at.
    pub(crate) fn mask_under_way(&self, sink: &impl ContentSink) -> Option<([u8; 4], u64)> {
        let frame = self.frame.as_ref()?;
        let key = frame.header.masking_key.filter(|_| sink.looks_at(frame.partial.form()))?;
        Some((key, frame.read))
    }

    /// Takes payload data of the frame under way that does not end it, read where it lay, unmasked if it is looked at.
    pub(crate) fn take_payload(&mut self, payload: &[u8], consumed: Provenance, sink: &mut impl ContentSink) {
        let Some(frame) = &mut self.frame else { return };
        sink.data(payload);
        frame.partial.message.cost.add_encoded(payload.len() as u64, consumed);
        frame.read += payload.len() as u64;
    }

    /// The next frame is masked, whoever sends it.
    pub(crate) fn expect_masks(&mut self) {
        self.masks = true;
    }

    /// From now on frames are kept for [`take_frames`](Self::take_frames), each with so many octets of its payload data at most.
    pub(crate) fn show_frames(&mut self, limit: usize) {
        let may_be_compressed = self.rsv1 != Rsv1::Undefined;
        self.trace = Some(Box::new(Trace::new(self.connection, self.direction, may_be_compressed, limit)));
    }

    /// The frames that have ended since this was last asked.
    pub(crate) fn take_frames(&mut self) -> Vec<WebSocketFrame> {
        self.trace.as_mut().map(|trace| trace.take()).unwrap_or_default()
    }

    /// Reads on. To be called again until it returns `None`: then what is unread is the beginning of a header, or nothing.
    #[inline]
    pub(crate) fn advance(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        while !buffer.is_empty() {
            let step = match (&self.frame, self.framing) {
                (Some(_), _) => self.read_payload(buffer, sink),
                (None, Framing::Known) => self.read_frame(buffer, sink),
                (None, Framing::Lost) => self.skip(buffer, sink),
                (None, Framing::Searching) => self.search(buffer, sink),
            };
            if let Break(event) = step {
                return event;
            }
        }
        None
    }

    /// Ends the direction: what is unfinished is no longer waited for. To be called again until it returns `None`.
    pub(crate) fn end(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        self.ended = true;
        if let Some(event) = self.advance(buffer, sink) {
            return Some(event);
        }
        if let Some(frame) = self.frame.take() {
            self.trace_end(false);
            let Unfinished { mut partial, close, .. } = *frame;
            if partial.message.opcode == Opcode::Close {
                partial.message.close = Some(Box::new(close::parse_cut(close.octets())));
            }
            return Some(self.break_off(partial, sink));
        }
        if let Some(partial) = self.open.take() {
            return Some(self.break_off(*partial, sink));
        }
        let rest = buffer.consume_all();
        (!rest.is_empty()).then_some(Event::Unattributed(rest))
    }

    /// Reads the frame at the front: all of it when it is a message and there, else its header.
    #[inline]
    fn read_frame(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Step {
        let captured = buffer.peek();
        let Some(header) = Header::parse(captured) else {
            let cut = (captured.len() as u64) < buffer.len();
            return if cut { self.lose(AnomalyKind::LostBytes, buffer.place(0), sink) } else { Break(None) };
        };
        let odd = self.violations(&header);
        let is_doubtful = self.probation > 0 && !(self.shape().fits(&header) && self.follows(&header));
        if is_doubtful || odd.contains(AnomalyKind::ReservedOpcode) && RSV_KINDS.iter().any(|&kind| odd.contains(kind)) {
            return self.lose(AnomalyKind::OpaqueStream, buffer.place(0), sink);
        }
        self.probation = self.probation.saturating_sub(1);
        let all_there = header.frame_len() <= captured.len() as u64;
        self.unsplit = if header.frame_len() <= buffer.front_run() { self.unsplit.saturating_add(1) } else { 0 };
        let begins = header.opcode != Opcode::Continuation && !header.opcode.is_control();
        if begins && let Some(mut open) = self.open.take() {
            // The new frame stays unread until the old message is out.
            open.add_odd(AnomalyKind::MissingContinuation, buffer.place(0));
            return Break(Some(self.break_off(*open, sink)));
        }
        let is_message = header.opcode.is_control() || header.fin && self.open.is_none();
        if all_there && is_message {
            return Break(Some(self.read_message(&header, odd, buffer, sink)));
        }
        let mut partial = self.partial_of(&header, odd, buffer.place(0), sink);
        let start = buffer.start();
        let consumed = buffer.consume(u64::from(header.len));
        partial.message.cost.add_framing(consumed);
        if let Some(trace) = &mut self.trace {
            trace.begin(&header, start);
            trace.consumed(consumed, buffer.start());
        }
        if header.payload_len == 0 {
            return self.end_frame(partial, header.fin, sink);
        }
        self.frame = Some(Box::new(Unfinished { header, read: 0, partial, close: Payload::default() }));
        Continue(())
    }

    /// Whether a frame can follow what came before it (RFC 6455 §5.4).
    fn follows(&self, header: &Header) -> bool {
        match header.opcode {
            Opcode::Continuation => self.open.is_some() || self.resumed,
            opcode => opcode.is_control() || self.open.is_none(),
        }
    }

    /// Reads a message that is one frame and all there, as most are: consumed at once, built where it is returned.
    #[inline]
    fn read_message(&mut self, header: &Header, odd: AnomalySet, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Event {
        let Begun { form, compressed, mut anomalies } = self.begin(header, odd);
        let start = buffer.start();
        // All of it is captured, so its length fits a usize.
        let payload = &mut buffer.peek_mut()[usize::from(header.len)..][..header.payload_len as usize];
        if let Some(key) = header.masking_key.filter(|_| self.trace.is_some() || sink.looks_at(form)) {
            mask::unmask(payload, key, 0);
        }
        if let Some(trace) = &mut self.trace {
            trace.begin(header, start);
            trace.data(payload);
        }
        let close = (header.opcode == Opcode::Close).then(|| {
            let (close, odd) = close::parse(payload, self.direction);
            anomalies.merge(odd);
            Box::new(close)
        });
        let content = sink.whole(form, payload, is_knowable(anomalies));
        if content.is_waiting {
            sink.waits_from(buffer.place(0));
        }
        anomalies.merge(content.anomalies);
        let anomaly_details = if anomalies.is_empty() {
            AnomalyDetails::default()
        } else {
            lose_context_by(anomalies, sink);
            // The payload's length fits: all of it is there.
            let payload = &buffer.peek()[usize::from(header.len)..][..header.payload_len as usize];
            self.details_of(header, anomalies, payload, &|offset| buffer.place(offset))
        };
        let consumed = buffer.consume(header.frame_len());
        if let Some(trace) = &mut self.trace {
            trace.consumed(consumed, buffer.start());
            trace.end(true);
        }
        Event::Message(Message { close, ..self.message(header, compressed, consumed, content, anomalies, anomaly_details) })
    }

    /// The next message, of one frame that is all there.
    #[inline(always)]
    fn message(
        &mut self,
        header: &Header,
        compressed: bool,
        consumed: Provenance,
        content: Content,
        anomalies: AnomalySet,
        anomaly_details: AnomalyDetails,
    ) -> Message {
        let mut cost = Cost { content_bytes: content.bytes, ..Cost::default() };
        cost.add_frame(u64::from(header.len), header.payload_len, consumed);
        self.messages += 1;
        Message {
            connection: self.connection,
            number: self.messages,
            direction: self.direction,
            opcode: header.opcode,
            cost,
            fragments: 1,
            compressed,
            masked: header.masking_key.is_some(),
            close: None,
            content,
            answered: None,
            anomalies,
            anomaly_details,
        }
    }

    /// Where the oddities lie of a message that is one frame with this payload data, unmasked; `place` says where its octets stand.
    #[cold]
    fn details_of(&mut self, header: &Header, odd: AnomalySet, payload: &[u8], place: &dyn Fn(u64) -> Place) -> AnomalyDetails {
        let mut details = std::mem::take(&mut self.odd_details);
        if odd.contains(AnomalyKind::InvalidUtf8) && (!header.rsv1() || header.opcode.is_control()) {
            let at = u64::from(header.len) + close::invalid_utf8_at(header.opcode, payload);
            details.add(AnomalySet::from_iter([AnomalyKind::InvalidUtf8]), self.direction, place(at));
        }
        details.add(odd, self.direction, place(0));
        details
    }

    /// Reads on in the payload data of the unfinished frame.
    fn read_payload(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Step {
        let Some(mut frame) = self.frame.take() else { return Continue(()) };
        if buffer.is_broken() {
            return self.break_frame(*frame, buffer.place(0), sink);
        }
        let left = frame.header.payload_len - frame.read;
        let missing = buffer.missing().min(left);
        let place = buffer.place(0);
        let len = if missing > 0 {
            sink.missing(missing);
            frame.partial.skip_text();
            if let Some(trace) = &mut self.trace {
                trace.missing();
            }
            missing
        } else {
            let captured = buffer.peek_mut();
            let len = usize::try_from(left).map_or(captured.len(), |left| left.min(captured.len()));
            let payload = &mut captured[..len];
            let form = frame.partial.form();
            if let Some(key) = frame.header.masking_key.filter(|_| self.trace.is_some() || sink.looks_at(form)) {
                mask::unmask(payload, key, frame.read);
            }
            sink.data(payload);
            if let Some(trace) = &mut self.trace {
                trace.data(payload);
            }
            if frame.header.opcode == Opcode::Close && frame.close.octets().len() as u64 == frame.read {
                frame.close.extend(len, buffer);
            }
            if frame.partial.message.opcode == Opcode::Text {
                frame.partial.follow_text(sink.text(), len as u64, buffer);
            }
            len as u64
        };
        let lost = frame.partial.message.cost.lost_bytes;
        let consumed = buffer.consume(len);
        frame.partial.message.cost.add_encoded(len, consumed);
        if let Some(trace) = &mut self.trace {
            trace.consumed(consumed, buffer.start());
        }
        if frame.partial.message.cost.lost_bytes > lost {
            frame.partial.add_odd(AnomalyKind::LostBytes, place);
        }
        frame.read += len;
        if frame.read < frame.header.payload_len {
            self.frame = Some(frame);
            return Continue(());
        }
        let Unfinished { header, mut partial, close, .. } = *frame;
        if header.opcode == Opcode::Close {
            let cut = (close.octets().len() as u64) < header.payload_len.min(close::MAX_PAYLOAD as u64 + 1);
            if cut {
                partial.message.close = Some(Box::new(close::parse_cut(close.octets())));
            } else {
                partial.close_with(&header, &close);
            }
        }
        self.end_frame(partial, header.fin, sink)
    }

    /// Ends a frame within which a gap of unknown length stands: where the next one begins is not known.
    #[cold]
    /// What its headers look like.
    fn shape(&self) -> Shape {
        Shape { masked: self.masks, rsv1: self.rsv1 }
    }

    /// The message that a frame continues, or the one that it begins.
    fn partial_of(&mut self, header: &Header, odd: AnomalySet, start: Place, sink: &mut impl ContentSink) -> Partial {
        if header.opcode == Opcode::Continuation
            && let Some(open) = self.open.take()
        {
            return self.continued(*open, header, odd, start, sink);
        }
        let Begun { form, compressed, anomalies } = self.begin(header, odd);
        sink.begin(form);
        let mut anomaly_details = std::mem::take(&mut self.odd_details);
        if !anomalies.is_empty() {
            anomaly_details.add(anomalies, self.direction, start);
        }
        let message = Message {
            connection: self.connection,
            number: 0,
            direction: self.direction,
            opcode: header.opcode,
            cost: Cost::default(),
            fragments: 1,
            compressed,
            masked: header.masking_key.is_some(),
            close: None,
            content: Default::default(),
            answered: None,
            anomalies,
            anomaly_details,
        };
        Partial::new(message, start, header.rsv1())
    }

    /// Begins a message with its first frame.
    #[inline]
    fn begin(&mut self, header: &Header, odd: AnomalySet) -> Begun {
        let compressed = header.rsv1() && self.rsv1.is_defined_for(header.opcode);
        // Where nothing defines RSV1, what the payload is cannot be known: it is not to be taken for text.
        let encoded = header.rsv1() && !header.opcode.is_control();
        let form = Form::WebSocket { opcode: header.opcode, compressed: encoded };
        let mut anomalies = std::mem::take(&mut self.odd);
        anomalies.merge(odd);
        if header.opcode == Opcode::Continuation {
            let tail = std::mem::take(&mut self.resumed);
            anomalies.insert(if tail { AnomalyKind::IncompleteMessage } else { AnomalyKind::OrphanContinuation });
        } else if !header.opcode.is_control() {
            self.resumed = false;
        }
        self.masks = header.masking_key.is_some();
        self.closed |= header.opcode == Opcode::Close;
        Begun { form, compressed, anomalies }
    }

    fn continued(&mut self, mut partial: Partial, header: &Header, odd: AnomalySet, start: Place, sink: &mut impl ContentSink) -> Partial {
        partial.continue_with(odd, start);
        sink.go_on();
        match self.rsv1 {
            Rsv1::AnyFrame => {
                partial.encode_frame(header.rsv1());
                sink.fragment(header.rsv1());
            }
            // The first frame speaks for all of its message: that this one contradicts leaves open what it holds.
            Rsv1::FirstFrame | Rsv1::Undefined if header.rsv1() && !partial.is_encoded() => sink.obscure(),
            Rsv1::FirstFrame | Rsv1::Undefined => {}
        }
        partial
    }

    fn trace_end(&mut self, is_complete: bool) {
        if let Some(trace) = &mut self.trace {
            trace.end(is_complete);
        }
    }

    /// After the last octet of a frame: its message has ended, or waits.
    fn end_frame(&mut self, partial: Partial, fin: bool, sink: &mut impl ContentSink) -> Step {
        self.trace_end(true);
        if fin || partial.message.opcode.is_control() {
            let odd = partial.message.anomalies;
            let message = self.emit(partial, is_knowable(odd), sink);
            lose_context_by(odd, sink);
            Break(Some(message))
        } else {
            self.open = Some(Box::new(partial));
            Continue(())
        }
    }

    /// Ends a message that did not come to its end.
    fn break_off(&mut self, mut partial: Partial, sink: &mut impl ContentSink) -> Event {
        partial.add_odd(AnomalyKind::IncompleteMessage, partial.frame);
        self.emit(partial, false, sink)
    }

    fn emit(&mut self, partial: Partial, complete: bool, sink: &mut impl ContentSink) -> Event {
        self.messages += 1;
        let content = sink.end(complete);
        if content.is_waiting {
            sink.waits_from(partial.start);
        }
        let mut message = partial.end(content);
        message.number = self.messages;
        message.cost.content_bytes = message.content.bytes;
        Event::Message(message)
    }
}

/// Whether what a message says that is odd in these ways can be known, by its framing.
#[inline]
fn is_knowable(odd: AnomalySet) -> bool {
    !(odd.contains(AnomalyKind::IncompleteMessage) || odd.contains(AnomalyKind::CompressedControlFrame))
}

/// A control frame that says it is compressed may have gone through the context of the messages (RFC 7692 §6.1 forbids it).
#[inline]
fn lose_context_by(odd: AnomalySet, sink: &mut impl ContentSink) {
    if odd.contains(AnomalyKind::CompressedControlFrame) {
        sink.lose_context();
    }
}

#[cfg(test)]
mod tests;
