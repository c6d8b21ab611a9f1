use AnomalyKind::*;
use Direction::{ClientToServer, ServerToClient};
use proptest::prelude::*;

use super::super::recognise::Evidence;
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

fn message(event: &Event) -> Option<&Message> {
    match event {
        Event::Message(message) => Some(message),
        Event::Unattributed(_) => None,
    }
}

fn messages(events: &[Event]) -> Vec<&Message> {
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
    let frames = [frame(Opcode::Text, b"Hello").masked(), frame(Opcode::Binary, b"").masked(), frame(Opcode::Text, &[b'x'; 300]).masked()];
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
    let cases: [(Direction, Sent, AnomalyKind); 14] = [
        (ClientToServer, frame(Opcode::Text, b"a"), UnmaskedClientFrame),
        (ServerToClient, frame(Opcode::Text, b"a").masked(), MaskedServerFrame),
        (ClientToServer, frame(Opcode::Text, b"a").masked().rsv(2), ReservedBits),
        (ClientToServer, frame(Opcode::Ping, b"a").masked().rsv(4), CompressedControlFrame),
        (ClientToServer, frame(Opcode::Ping, b"a").masked().rsv(1), ReservedBits),
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
        let close = crate::message::Close { code: Some(1001), reason: Some("going away".into()) };
        assert_eq!(messages(&events)[0].close.as_deref(), Some(&close));
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
fn frame_does_not_reach_over_a_gap_of_unknown_length() {
    let next = frame(Opcode::Text, &[b'x'; 200]).octets();
    let mut buffer = StreamBuffer::new();
    buffer.push(b"\x01\x02ab\x8a\x05He", segment(1, 8));
    buffer.push_break();
    // Octets that would complete both, if the gap were as short.
    buffer.push(b"l\x80\x02cd", segment(2, 5));
    buffer.push(&next, segment(3, next.len()));
    let events = drain(&mut Receiver::new(0, ServerToClient, None), &mut buffer, &mut Recorder::default());
    let odd: Vec<_> = messages(&events).into_iter().map(|message| (message.opcode, message.content.bytes)).collect();
    assert_eq!(odd, [(Opcode::Pong, None), (Opcode::Text, None), (Opcode::Text, Some(200))]);
    assert_eq!(unattributed(&events), segment(2, 5));
}

#[test]
fn frames_that_look_wrong_soon_behind_a_loss_are_none() {
    let real = frame(Opcode::Text, b"one").octets();
    // Payload that reads like frames for a while.
    let [like, unlike] = [frame(Opcode::Binary, &[0; 700]), frame(Opcode::Reserved(3), b"?")].map(|sent| sent.octets());
    let (events, _) = receive_with_loss(ServerToClient, &[Ok(&real), Err(2), Ok(&like), Ok(&unlike), Ok(&like), Ok(&like)]);
    let opcodes: Vec<_> = messages(&events).into_iter().map(|message| message.opcode).collect();
    assert_eq!(opcodes, [Opcode::Text, Opcode::Binary, Opcode::Binary, Opcode::Binary]);
    assert_eq!(unattributed(&events), segment(4, unlike.len()));
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
fn server_that_masks_is_taken_up_by_its_masks() {
    let [one, two, three] = ["one", "two", "three"].map(|text| frame(Opcode::Text, text.as_bytes()).masked().octets());
    let (events, _) = receive_with_loss(ServerToClient, &[Ok(&one), Err(two.len() as u32), Ok(&three)]);
    let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
    assert_eq!(seen[1], (Opcode::Text, "three".into(), 1, vec![LostBytes, MaskedServerFrame]));
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
    let (first, last) = (frame(Opcode::Text, b"a").not_final().octets(), frame(Opcode::Continuation, b"rest").octets());
    let (events, _) = receive_with_loss(ServerToClient, &[Ok(&first), Err(4), Ok(&last)]);
    let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
    let broken = (Opcode::Text, "a".into(), 1, vec![LostBytes, IncompleteMessage]);
    // The end of a message whose beginning is lost: the sender broke no rule, and its content is not all there.
    assert_eq!(seen, [broken, (Opcode::Continuation, "rest".into(), 1, vec![LostBytes, IncompleteMessage])]);
}

#[test]
fn frame_cut_in_its_header_by_the_snap_length_is_passed_over() {
    let octets = frame(Opcode::Text, &[b'x'; 300]).masked().octets();
    let next = frame(Opcode::Text, b"next").masked().octets();
    // Inside the two length octets, and inside the masking key.
    for kept in [1, 3, 5, 7] {
        let mut buffer = StreamBuffer::new();
        let cost = segment(1, octets.len());
        let part = |from, to| Provenance { bytes: cost.bytes.share(from, to, octets.len() as u32), ..cost };
        buffer.push(&octets[..kept], part(0, kept as u32));
        buffer.push_missing((octets.len() - kept) as u32, part(kept as u32, octets.len() as u32));
        buffer.push(&next, segment(2, next.len()));
        let events = drain(&mut Receiver::new(0, ClientToServer, None), &mut buffer, &mut Recorder::default());
        let seen: Vec<_> = messages(&events).into_iter().map(seen).collect();
        assert_eq!(seen, [(Opcode::Text, "next".into(), 1, vec![LostBytes])], "{kept} octets kept");
        assert_eq!(unattributed(&events), segment(1, octets.len()));
    }
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
    let events = drain(&mut Receiver::mid_stream(0, ServerToClient, None, Evidence::Convincing), &mut buffer, &mut Recorder::default());
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
    (opcode, payload, any::<bool>(), any::<bool>(), prop_oneof![6 => Just(0u8), 1 => 0u8..8]).prop_map(|(opcode, len, masked, fin, rsv)| {
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let sent = frame(opcode, &payload).rsv(rsv);
        let sent = if masked { sent.masked() } else { sent };
        if fin { sent } else { sent.not_final() }
    })
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
