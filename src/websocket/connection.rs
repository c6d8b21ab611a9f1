//! One direction of a WebSocket connection: frames to messages (RFC 6455 §5).
//!
//! Payload data is consumed as it comes; only a header waits until it is whole. Where bytes are missing, framing goes on
//! as long as lengths are known; a header among them loses it, and it is taken up again at the next boundary that convinces.

use std::ops::ControlFlow::{self, Break, Continue};

use super::extension::{Compression, Rsv1};
use super::frame::Header;
use super::recognise::{self, Verdict};
use super::{close, mask};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{ContentSink, Cost, Direction, Form, Message, Opcode};
use crate::stream::{Provenance, StreamBuffer};

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
    /// Whether this direction has sent a Close.
    closed: bool,
    /// Messages ended so far.
    messages: u64,
    /// What the next message to begin is to say.
    odd: AnomalySet,
    /// A message that waits for a continuation frame.
    open: Option<Box<Message>>,
    /// A frame whose payload data is not all there.
    frame: Option<Box<Unfinished>>,
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
    message: Message,
    /// Payload of a Close, as far as a control frame may reach.
    close: Vec<u8>,
}

/// What a step came to: on with the next one, or out with an event or for want of bytes.
type Step = ControlFlow<Option<Event>>;

/// What per-frame compression left out at the end of each frame, as RFC 7692 §7.2.1 does for each message.
const DEFLATE_TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

impl Receiver {
    /// A direction whose next byte is that of a frame header: right after the opening handshake.
    pub(crate) fn new(connection: u64, direction: Direction, compression: Option<Compression>) -> Self {
        Self {
            connection,
            direction,
            rsv1: Rsv1::of(compression),
            framing: Framing::Known,
            closed: false,
            messages: 0,
            odd: AnomalySet::EMPTY,
            open: None,
            frame: None,
        }
    }

    /// A direction taken up in its middle, at the beginning of a run: what comes before the first frame that convinces is
    /// unattributed.
    pub(crate) fn mid_stream(connection: u64, direction: Direction, compression: Option<Compression>) -> Self {
        Self { framing: Framing::Searching, ..Self::new(connection, direction, compression) }
    }

    /// Reads on. To be called again until it returns `None`: then what is unread is the beginning of a header, or nothing.
    #[inline]
    pub(crate) fn advance(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        while !buffer.is_empty() {
            let step = match (&self.frame, self.framing) {
                (Some(_), _) => self.read_payload(buffer, sink),
                (None, Framing::Known) => self.read_frame(buffer, sink),
                (None, Framing::Lost) => self.skip(buffer),
                (None, Framing::Searching) => self.search(buffer),
            };
            if let Break(event) = step {
                return event;
            }
        }
        None
    }

    /// Ends the direction: what is unfinished is no longer waited for. To be called again until it returns `None`.
    pub(crate) fn end(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        if let Some(event) = self.advance(buffer, sink) {
            return Some(event);
        }
        if let Some(frame) = self.frame.take() {
            let Unfinished { mut message, close, .. } = *frame;
            if message.opcode == Opcode::Close {
                message.close = Some(close::parse_cut(&close));
            }
            return Some(self.break_off(message, AnomalySet::EMPTY, sink));
        }
        if let Some(message) = self.open.take() {
            return Some(self.break_off(*message, AnomalySet::EMPTY, sink));
        }
        let rest = buffer.consume_all();
        (!rest.is_empty()).then_some(Event::Unattributed(rest))
    }

    /// Reads the frame at the front: all of it when it is there, else its header.
    #[inline]
    fn read_frame(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Step {
        let captured = buffer.peek();
        let Some(header) = Header::parse(captured) else {
            let cut = (captured.len() as u64) < buffer.len();
            return if cut { self.lose(AnomalyKind::LostBytes, sink) } else { Break(None) };
        };
        let odd = self.violations(&header);
        if odd.contains(AnomalyKind::ReservedOpcode) && odd.contains(AnomalyKind::ReservedBits) {
            return self.lose(AnomalyKind::OpaqueStream, sink);
        }
        let all_there = header.frame_len() <= captured.len() as u64;
        let begins = header.opcode != Opcode::Continuation && !header.opcode.is_control();
        if begins && let Some(open) = self.open.take() {
            // The new frame stays unread until the old message is out.
            return Break(Some(self.break_off(*open, AnomalySet::from_iter([AnomalyKind::MissingContinuation]), sink)));
        }
        let mut message = self.message_of(&header, odd, sink);
        if !all_there {
            message.cost.add_framing(buffer.consume(u64::from(header.len)));
            self.frame = Some(Box::new(Unfinished { header, read: 0, message, close: Vec::new() }));
            return Continue(());
        }
        if header.payload_len > 0 {
            // All of it is captured, so its length fits a usize.
            let payload = &mut buffer.peek_mut()[usize::from(header.len)..][..header.payload_len as usize];
            if let Some(key) = header.masking_key {
                mask::unmask(payload, key, 0);
            }
            sink.data(payload);
            if header.opcode == Opcode::Close {
                close_with(&mut message, payload);
            }
        } else if header.opcode == Opcode::Close {
            close_with(&mut message, &[]);
        }
        message.cost.provenance += buffer.consume(header.frame_len());
        message.cost.framing_bytes += u64::from(header.len);
        message.cost.encoded_bytes += header.payload_len;
        self.end_frame(message, header.fin, sink)
    }

    /// Reads on in the payload data of the unfinished frame.
    fn read_payload(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Step {
        let Some(mut frame) = self.frame.take() else { return Continue(()) };
        let left = frame.header.payload_len - frame.read;
        let missing = buffer.missing().min(left);
        let len = if missing > 0 {
            sink.missing(missing);
            missing
        } else {
            let captured = buffer.peek_mut();
            let len = usize::try_from(left).map_or(captured.len(), |left| left.min(captured.len()));
            let payload = &mut captured[..len];
            if let Some(key) = frame.header.masking_key {
                mask::unmask(payload, key, frame.read);
            }
            sink.data(payload);
            if frame.header.opcode == Opcode::Close && frame.close.len() as u64 == frame.read {
                let room = close::MAX_PAYLOAD + 1 - frame.close.len().min(close::MAX_PAYLOAD);
                frame.close.extend_from_slice(&payload[..len.min(room)]);
            }
            len as u64
        };
        let lost = frame.message.cost.lost_bytes;
        frame.message.cost.add_encoded(len, buffer.consume(len));
        if frame.message.cost.lost_bytes > lost {
            frame.message.anomalies.insert(AnomalyKind::LostBytes);
        }
        frame.read += len;
        if frame.read < frame.header.payload_len {
            self.frame = Some(frame);
            return Continue(());
        }
        let Unfinished { header, mut message, close, .. } = *frame;
        if header.opcode == Opcode::Close {
            let cut = (close.len() as u64) < header.payload_len.min(close::MAX_PAYLOAD as u64 + 1);
            if cut {
                message.close = Some(close::parse_cut(&close));
            } else {
                close_with(&mut message, &close);
            }
        }
        self.end_frame(message, header.fin, sink)
    }

    /// What is odd about a frame by its header and its place (RFC 6455 §5.1–5.5), beside its place in a message.
    #[inline]
    fn violations(&self, header: &Header) -> AnomalySet {
        let mut odd = AnomalySet::EMPTY;
        match (self.direction, header.masking_key) {
            (Direction::ClientToServer, None) => odd.insert(AnomalyKind::UnmaskedClientFrame),
            (Direction::ServerToClient, Some(_)) => odd.insert(AnomalyKind::MaskedServerFrame),
            (Direction::ClientToServer, Some(_)) | (Direction::ServerToClient, None) => {}
        }
        if header.rsv != 0 && !(header.rsv == super::frame::RSV1 && self.rsv1_is_defined(header.opcode)) {
            odd.insert(AnomalyKind::ReservedBits);
        }
        if header.non_minimal {
            odd.insert(AnomalyKind::NonMinimalLength);
        }
        if matches!(header.opcode, Opcode::Reserved(_)) {
            odd.insert(AnomalyKind::ReservedOpcode);
        }
        if header.opcode.is_control() {
            if header.payload_len > close::MAX_PAYLOAD as u64 {
                odd.insert(AnomalyKind::ControlFrameTooLong);
            }
            if !header.fin {
                odd.insert(AnomalyKind::FragmentedControlFrame);
            }
        } else if self.closed {
            odd.insert(AnomalyKind::DataAfterClose);
        }
        odd
    }

    fn rsv1_is_defined(&self, opcode: Opcode) -> bool {
        match self.rsv1 {
            Rsv1::Undefined => false,
            Rsv1::FirstFrame => !opcode.is_control() && opcode != Opcode::Continuation,
            Rsv1::AnyFrame => !opcode.is_control(),
        }
    }

    /// The message that a frame continues, or the one that it begins.
    #[inline]
    fn message_of(&mut self, header: &Header, odd: AnomalySet, sink: &mut impl ContentSink) -> Message {
        if header.opcode == Opcode::Continuation
            && let Some(open) = self.open.take()
        {
            return self.continued(*open, header, odd, sink);
        }
        let compressed = header.rsv1() && self.rsv1_is_defined(header.opcode);
        sink.begin(Form::WebSocket { opcode: header.opcode, compressed });
        let mut anomalies = std::mem::take(&mut self.odd);
        anomalies.merge(odd);
        if header.opcode == Opcode::Continuation {
            anomalies.insert(AnomalyKind::OrphanContinuation);
        }
        self.closed |= header.opcode == Opcode::Close;
        Message {
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
            anomalies,
        }
    }

    fn continued(&mut self, mut message: Message, header: &Header, odd: AnomalySet, sink: &mut impl ContentSink) -> Message {
        message.fragments = message.fragments.saturating_add(1);
        message.anomalies.merge(odd);
        if self.rsv1 == Rsv1::AnyFrame {
            if message.compressed != header.rsv1() {
                // A message in part compressed: its parts cannot be told apart behind this seam.
                message.anomalies.insert(AnomalyKind::DecodingFailed);
            } else if message.compressed {
                sink.data(&DEFLATE_TAIL);
            }
        }
        message
    }

    /// After the last octet of a frame: its message has ended, or waits.
    #[inline]
    fn end_frame(&mut self, message: Message, fin: bool, sink: &mut impl ContentSink) -> Step {
        if fin || message.opcode.is_control() {
            let known = !message.anomalies.contains(AnomalyKind::DecodingFailed);
            Break(Some(self.emit(message, known, sink)))
        } else {
            self.open = Some(Box::new(message));
            Continue(())
        }
    }

    /// Ends a message that did not come to its end.
    fn break_off(&mut self, mut message: Message, odd: AnomalySet, sink: &mut impl ContentSink) -> Event {
        message.anomalies.merge(odd);
        message.anomalies.insert(AnomalyKind::IncompleteMessage);
        self.emit(message, false, sink)
    }

    #[inline]
    fn emit(&mut self, mut message: Message, complete: bool, sink: &mut impl ContentSink) -> Event {
        self.messages += 1;
        message.number = self.messages;
        message.content = sink.end(complete);
        message.cost.content_bytes = message.content.bytes;
        Event::Message(message)
    }

    /// The next byte is no frame's, or nobody knows: looks for a frame from the next run on.
    #[cold]
    fn lose(&mut self, kind: AnomalyKind, sink: &mut impl ContentSink) -> Step {
        self.framing = Framing::Lost;
        self.odd.insert(kind);
        let step = match self.open.take() {
            Some(open) => Break(Some(self.break_off(*open, AnomalySet::from_iter([kind]), sink))),
            None => Continue(()),
        };
        sink.gap();
        step
    }

    /// Skips what is unread of the run at the front.
    fn skip(&mut self, buffer: &mut StreamBuffer) -> Step {
        self.framing = Framing::Searching;
        let skipped = buffer.consume(buffer.front_run());
        if skipped.is_empty() { Continue(()) } else { Break(Some(Event::Unattributed(skipped))) }
    }

    /// Takes framing up again if frames begin with the run at the front.
    fn search(&mut self, buffer: &mut StreamBuffer) -> Step {
        if buffer.missing() > 0 {
            return self.skip(buffer);
        }
        match recognise::judge(buffer, self.direction, self.rsv1) {
            Verdict::Frames => self.framing = Framing::Known,
            Verdict::Other => return self.skip(buffer),
            Verdict::Undecided => return Break(None),
        }
        Continue(())
    }
}

fn close_with(message: &mut Message, payload: &[u8]) {
    let (close, odd) = close::parse(payload);
    message.anomalies.merge(odd);
    message.close = Some(close);
}

#[cfg(test)]
mod tests {
    use AnomalyKind::*;
    use Direction::{ClientToServer, ServerToClient};
    use proptest::prelude::*;

    use super::super::testing::{Recorder, Sent, frame, push_segments, segment};
    use super::*;

    /// What a test looks at of a message: opcode, content, fragments, what was odd.
    type Seen = (Opcode, String, u32, Vec<AnomalyKind>);

    fn seen(message: &Message) -> Seen {
        let content = String::from_utf8_lossy(message.content.sample.as_deref().unwrap_or_default()).into_owned();
        (message.opcode, content, message.fragments, message.anomalies.iter().collect())
    }

    fn drain(receiver: &mut Receiver, buffer: &mut StreamBuffer, sink: &mut Recorder) -> Vec<Event> {
        let mut events: Vec<Event> = std::iter::from_fn(|| receiver.advance(buffer, sink)).collect();
        events.extend(std::iter::from_fn(|| receiver.end(buffer, sink)));
        events
    }

    fn messages(events: &[Event]) -> Vec<&Message> {
        let message = |event| match event {
            &Event::Message(ref message) => Some(message),
            Event::Unattributed(_) => None,
        };
        events.iter().filter_map(message).collect()
    }

    fn unattributed(events: &[Event]) -> Provenance {
        let cost = |event: &Event| match event {
            Event::Unattributed(cost) => *cost,
            Event::Message(_) => Provenance::default(),
        };
        events.iter().map(cost).fold(Provenance::default(), |sum, cost| sum + cost)
    }

    /// Events of a direction in which every piece is a segment of its own.
    fn receive<'a>(direction: Direction, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
        let mut buffer = StreamBuffer::new();
        push_segments(&mut buffer, 1, pieces);
        drain(&mut Receiver::new(0, direction, Some(Compression::ASSUMED)), &mut buffer, &mut Recorder::default())
    }

    fn seen_from(direction: Direction, frames: &[Sent]) -> Vec<Seen> {
        let octets: Vec<Vec<u8>> = frames.iter().map(Sent::octets).collect();
        let events = receive(direction, octets.iter().map(Vec::as_slice));
        messages(&events).into_iter().map(seen).collect()
    }

    fn text(content: &str) -> Seen {
        (Opcode::Text, content.into(), 1, vec![])
    }

    #[test]
    fn message_pays_for_its_segment() {
        let events = receive(ClientToServer, [&frame(Opcode::Text, b"Hello").masked().octets()[..]]);
        let cost = Cost { content_bytes: Some(5), encoded_bytes: 5, framing_bytes: 6, lost_bytes: 0, provenance: segment(1, 11) };
        assert_eq!(messages(&events)[0].cost, cost);
        // 14 + 20 + 32 + 6 + 5 = 77 bytes
        assert_eq!(messages(&events)[0].cost.wire_bytes(), 77);
    }

    #[test]
    fn frames_whole_byte_by_byte_and_with_trailing_data_give_the_same_messages() {
        let frames =
            [frame(Opcode::Text, b"Hello").masked(), frame(Opcode::Binary, b"").masked(), frame(Opcode::Text, &[b'x'; 300]).masked()];
        let octets: Vec<u8> = frames.iter().flat_map(Sent::octets).collect();
        let wanted = [text("Hello"), (Opcode::Binary, String::new(), 1, vec![]), text(&"x".repeat(300))];
        assert_eq!(seen_from(ClientToServer, &frames), wanted);
        for pieces in [vec![&octets[..]], octets.chunks(1).collect(), octets.chunks(7).collect()] {
            let events = receive(ClientToServer, pieces);
            assert_eq!(messages(&events).into_iter().map(seen).collect::<Vec<_>>(), wanted);
        }
    }

    #[test]
    fn messages_are_numbered_as_they_end_control_frames_included() {
        let octets: Vec<u8> = [frame(Opcode::Text, b"a").not_final(), frame(Opcode::Ping, b"p"), frame(Opcode::Continuation, b"b")]
            .iter()
            .flat_map(Sent::octets)
            .collect();
        let events = receive(ServerToClient, [&octets[..]]);
        let numbers: Vec<_> = messages(&events).into_iter().map(|message| (message.number, message.opcode)).collect();
        assert_eq!(numbers, [(1, Opcode::Ping), (2, Opcode::Text)]);
    }

    #[test]
    fn rfc6455_fragmented_hello() {
        // RFC 6455 §5.7: 01 03 48 65 6c and 80 02 6c 6f.
        let events = receive(ServerToClient, [&b"\x01\x03Hel"[..], b"\x80\x02lo"]);
        assert_eq!(messages(&events).into_iter().map(seen).collect::<Vec<_>>(), [(Opcode::Text, "Hello".into(), 2, vec![])]);
        assert_eq!(messages(&events)[0].cost.framing_bytes, 4);
        assert_eq!(messages(&events)[0].cost.provenance, segment(1, 5) + segment(2, 4));
    }

    #[test]
    fn control_frame_between_fragments_is_its_own_message() {
        let frames = [frame(Opcode::Text, b"Hel").not_final(), frame(Opcode::Ping, b"p"), frame(Opcode::Continuation, b"lo")];
        let wanted = [(Opcode::Ping, "p".into(), 1, vec![]), (Opcode::Text, "Hello".into(), 2, vec![])];
        assert_eq!(seen_from(ServerToClient, &frames), wanted);
        // Also when both are cut.
        let octets: Vec<u8> = frames.iter().flat_map(Sent::octets).collect();
        let events = receive(ServerToClient, octets.chunks(1));
        assert_eq!(messages(&events).into_iter().map(seen).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn length_of_64_bits_is_streamed() {
        let octets = frame(Opcode::Binary, &[b'z'; 70_000]).octets();
        let mut buffer = StreamBuffer::new();
        let (mut receiver, mut sink) = (Receiver::new(0, ServerToClient, None), Recorder::default());
        let mut events = Vec::new();
        for (number, piece) in (1..).zip(octets.chunks(1400)) {
            buffer.push(piece, segment(number, piece.len()));
            events.extend(std::iter::from_fn(|| receiver.advance(&mut buffer, &mut sink)));
            assert!(buffer.is_empty());
        }
        assert_eq!(events.len(), 1);
        assert_eq!((messages(&events)[0].cost.encoded_bytes, messages(&events)[0].cost.framing_bytes), (70_000, 10));
    }

    #[test]
    fn violations_are_said_and_their_frames_accounted() {
        let cases: [(Direction, Sent, AnomalyKind); 13] = [
            (ClientToServer, frame(Opcode::Text, b"a"), UnmaskedClientFrame),
            (ServerToClient, frame(Opcode::Text, b"a").masked(), MaskedServerFrame),
            (ClientToServer, frame(Opcode::Text, b"a").masked().rsv(2), ReservedBits),
            (ClientToServer, frame(Opcode::Ping, b"a").masked().rsv(4), ReservedBits),
            (ClientToServer, frame(Opcode::Reserved(3), b"a").masked(), ReservedOpcode),
            (ClientToServer, frame(Opcode::Reserved(0xb), b"a").masked(), ReservedOpcode),
            (ClientToServer, frame(Opcode::Ping, &[b'a'; 130]).masked(), ControlFrameTooLong),
            (ClientToServer, frame(Opcode::Ping, b"a").masked().not_final(), FragmentedControlFrame),
            (ClientToServer, frame(Opcode::Continuation, b"a").masked(), OrphanContinuation),
            (ClientToServer, frame(Opcode::Text, b"a").masked().with_length_of(8), NonMinimalLength),
            (ClientToServer, frame(Opcode::Close, b"\x03\xed").masked(), InvalidCloseCode),
            (ClientToServer, frame(Opcode::Close, b"\x03").masked(), ShortClosePayload),
            (ClientToServer, frame(Opcode::Close, b"\x03\xe8\xff").masked(), InvalidUtf8),
        ];
        for (direction, sent, kind) in cases {
            let octets = sent.octets();
            for pieces in [vec![&octets[..]], octets.chunks(1).collect()] {
                let count = pieces.len() as u64;
                let events = receive(direction, pieces);
                assert_eq!(messages(&events).len(), 1, "{kind:?}");
                assert_eq!(messages(&events)[0].anomalies.iter().collect::<Vec<_>>(), [kind]);
                assert_eq!(messages(&events)[0].cost.wire_bytes(), count * 66 + octets.len() as u64);
            }
        }
    }

    #[test]
    fn data_frame_before_the_end_of_a_message_ends_it() {
        let frames = [frame(Opcode::Text, b"a").not_final(), frame(Opcode::Text, b"b")];
        let broken = (Opcode::Text, "a".into(), 1, vec![MissingContinuation, IncompleteMessage]);
        assert_eq!(seen_from(ServerToClient, &frames), [broken, text("b")]);
    }

    #[test]
    fn data_after_close_is_said_and_read_on() {
        let frames = [frame(Opcode::Close, b"\x03\xe8bye"), frame(Opcode::Pong, b""), frame(Opcode::Text, b"late")];
        let seen = seen_from(ServerToClient, &frames);
        assert_eq!(seen[1..], [(Opcode::Pong, String::new(), 1, vec![]), (Opcode::Text, "late".into(), 1, vec![DataAfterClose])]);
    }

    #[test]
    fn close_says_code_and_reason_however_it_is_cut() {
        let octets = frame(Opcode::Close, b"\x03\xe9going away").masked().octets();
        for pieces in [vec![&octets[..]], octets.chunks(1).collect()] {
            let events = receive(ClientToServer, pieces);
            let close = crate::message::Close { code: Some(1001), reason: "going away".into() };
            assert_eq!(messages(&events)[0].close, Some(close));
        }
    }

    #[test]
    fn message_unfinished_at_the_end_is_incomplete() {
        let octets = frame(Opcode::Text, b"Hello").octets();
        let events = receive(ServerToClient, [&octets[..4]]);
        assert_eq!(messages(&events).into_iter().map(seen).collect::<Vec<_>>(), [(Opcode::Text, "He".into(), 1, vec![IncompleteMessage])]);
        let message = messages(&events)[0];
        assert_eq!((message.cost.encoded_bytes, message.cost.framing_bytes, message.cost.content_bytes), (2, 2, None));
    }

    #[test]
    fn header_unfinished_at_the_end_is_unattributed() {
        let events = receive(ServerToClient, [&b"\x81\x05Hello"[..], b"\x81"]);
        assert_eq!((messages(&events).len(), unattributed(&events)), (1, segment(2, 1)));
    }

    /// A direction of segments and, where `None` stands, so many octets lost.
    fn receive_with_loss(direction: Direction, pieces: &[Result<&[u8], u32>]) -> (Vec<Event>, Recorder) {
        let mut buffer = StreamBuffer::new();
        for (number, piece) in (1..).zip(pieces) {
            match *piece {
                Ok(octets) => buffer.push(octets, segment(number, octets.len())),
                Err(lost) => buffer.push_missing(lost, Provenance::default()),
            }
        }
        let mut sink = Recorder::default();
        (drain(&mut Receiver::new(0, direction, Some(Compression::ASSUMED)), &mut buffer, &mut sink), sink)
    }

    #[test]
    fn loss_inside_payload_is_counted_and_framing_goes_on() {
        let octets = frame(Opcode::Text, b"0123456789").masked().octets();
        let next = frame(Opcode::Text, b"next").masked().octets();
        // Header and two octets, five lost, three that come with the next frame.
        let tail = [&octets[13..], &next].concat();
        let (events, sink) = receive_with_loss(ClientToServer, &[Ok(&octets[..8]), Err(5), Ok(&tail)]);
        let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
        assert_eq!(seen, [(Opcode::Text, "01?????789".into(), 1, vec![LostBytes]), text("next")]);
        let cost = messages(&events)[0].cost;
        assert_eq!((cost.encoded_bytes, cost.lost_bytes, cost.content_bytes, sink.gaps), (5, 5, Some(10), 0));
    }

    #[test]
    fn payload_cut_by_the_snap_length_costs_but_is_not_lost() {
        let octets = frame(Opcode::Text, b"0123456789").octets();
        let mut buffer = StreamBuffer::new();
        let whole = segment(1, 12).bytes;
        buffer.push(&octets[..6], Provenance::of_frame(segment(1, 0).first, whole.share(0, 6, 12)));
        buffer.push_missing(6, Provenance::of_frame(segment(1, 0).first, whole.share(6, 12, 12)));
        let events = drain(&mut Receiver::new(0, ServerToClient, None), &mut buffer, &mut Recorder::default());
        assert_eq!(messages(&events).into_iter().map(seen).collect::<Vec<_>>(), [text("0123??????")]);
        assert_eq!(messages(&events)[0].cost.provenance, segment(1, 12));
    }

    #[test]
    fn loss_of_a_header_is_taken_up_at_the_next_run() {
        let (one, three, four) = (frame(Opcode::Text, b"one"), frame(Opcode::Text, b"three"), frame(Opcode::Text, b"four"));
        let (one, three, four) = (one.octets(), three.octets(), four.octets());
        let (events, sink) = receive_with_loss(ServerToClient, &[Ok(&one), Err(5), Ok(&three), Ok(&four)]);
        let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
        assert_eq!(seen, [text("one"), (Opcode::Text, "three".into(), 1, vec![LostBytes]), text("four")]);
        assert_eq!((unattributed(&events), sink.gaps), (Provenance::default(), 1));
    }

    #[test]
    fn run_that_does_not_begin_with_a_frame_is_unattributed() {
        let (one, three) = (frame(Opcode::Text, b"one").octets(), frame(Opcode::Text, b"three").octets());
        // The header of the second frame is cut by the loss; what follows is the rest of its payload.
        let pieces = [Ok(&one[..]), Ok(b"\x81"), Err(1), Ok(b"rest of payload"), Ok(&three)];
        let (events, _) = receive_with_loss(ServerToClient, &pieces);
        let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
        assert_eq!(seen, [text("one"), (Opcode::Text, "three".into(), 1, vec![LostBytes])]);
        assert_eq!(unattributed(&events), segment(2, 1) + segment(4, 15));
    }

    #[test]
    fn loss_of_a_header_breaks_off_an_open_message() {
        let (first, last) = (frame(Opcode::Text, b"a").not_final().octets(), frame(Opcode::Continuation, b"c").octets());
        let (events, _) = receive_with_loss(ServerToClient, &[Ok(&first), Err(4), Ok(&last)]);
        let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
        let broken = (Opcode::Text, "a".into(), 1, vec![LostBytes, IncompleteMessage]);
        assert_eq!(seen, [broken, (Opcode::Continuation, "c".into(), 1, vec![LostBytes, OrphanContinuation])]);
    }

    #[test]
    fn bytes_that_are_no_frames_are_unattributed() {
        // RSV 111 and opcode 0xb: no frame in any reading.
        let events = receive(ServerToClient, [&b"{\"not\": \"WebSocket\"}"[..], b"{}"]);
        assert_eq!((messages(&events).len(), unattributed(&events)), (0, segment(1, 20) + segment(2, 2)));
    }

    #[test]
    fn direction_taken_up_in_the_middle_begins_with_the_first_frame_that_convinces() {
        let mut buffer = StreamBuffer::new();
        let pieces = [&b"middle of something"[..], b"\x81\x05Hello"];
        push_segments(&mut buffer, 1, pieces);
        let events = drain(&mut Receiver::mid_stream(0, ServerToClient, None), &mut buffer, &mut Recorder::default());
        assert_eq!(messages(&events).into_iter().map(seen).collect::<Vec<_>>(), [text("Hello")]);
        assert_eq!(unattributed(&events), segment(1, 19));
    }

    fn any_frame() -> impl Strategy<Value = Sent> {
        let opcode = prop_oneof![
            4 => Just(Opcode::Text),
            2 => Just(Opcode::Binary),
            2 => Just(Opcode::Continuation),
            1 => Just(Opcode::Ping),
            1 => Just(Opcode::Close),
            1 => (0u8..16).prop_map(Opcode::of_bits),
        ];
        let payload = prop_oneof![8 => 0usize..40, 1 => 120usize..300, 1 => 65_000usize..66_000];
        (opcode, payload, any::<bool>(), any::<bool>(), prop_oneof![6 => Just(0u8), 1 => 0u8..8]).prop_map(
            |(opcode, len, masked, fin, rsv)| {
                let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let sent = frame(opcode, &payload).rsv(rsv);
                let sent = if masked { sent.masked() } else { sent };
                if fin { sent } else { sent.not_final() }
            },
        )
    }

    proptest! {
        #[test]
        fn cuts_change_no_message_and_no_octet_is_counted_twice(
            frames in prop::collection::vec(any_frame(), 0..12),
            cuts in prop::collection::vec(1usize..2000, 1..20),
        ) {
            let octets: Vec<u8> = frames.iter().filter(|sent| {
                // Frames that are nonsense in two ways make the direction opaque, from where on cuts matter.
                Header::parse(&sent.octets()).is_some_and(|header| !matches!(header.opcode, Opcode::Reserved(_)) || header.rsv == 0)
            }).flat_map(Sent::octets).collect();
            let whole = receive(ServerToClient, [&octets[..]]);
            let (mut pieces, mut rest) = (Vec::new(), &octets[..]);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            let mut sum = segment(1, 0);
            sum.bytes = Default::default();
            for (number, piece) in (1..).zip(&pieces) {
                sum += segment(number, piece.len());
            }
            let cut = receive(ServerToClient, pieces);
            prop_assert_eq!(messages(&whole).into_iter().map(seen).collect::<Vec<_>>(), messages(&cut).into_iter().map(seen).collect::<Vec<_>>());
            let booked = messages(&cut).into_iter().fold(unattributed(&cut), |sum, message| sum + message.cost.provenance);
            prop_assert_eq!(booked.bytes, sum.bytes);
            for message in messages(&cut) {
                prop_assert_eq!(message.cost.provenance.bytes.payload, message.cost.encoded_bytes + message.cost.framing_bytes);
            }
        }

        #[test]
        fn any_octets_and_any_loss_conserve_every_octet(
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..60), prop::option::weighted(0.2, 1u32..100)), 0..30),
            client in any::<bool>(),
        ) {
            let mut runs = Vec::new();
            let mut sum = Provenance::default();
            for (octets, lost) in &pieces {
                runs.push(Ok(&octets[..]));
                sum += segment(runs.len() as u64, octets.len());
                runs.extend(lost.map(Err));
            }
            let (events, _) = receive_with_loss(if client { ClientToServer } else { ServerToClient }, &runs);
            let booked = messages(&events).into_iter().fold(unattributed(&events), |sum, message| sum + message.cost.provenance);
            prop_assert_eq!(booked.bytes, sum.bytes);
        }
    }
}
