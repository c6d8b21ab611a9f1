use super::*;
use crate::stream::{Frame, LayerBytes, Timestamp};
use crate::websocket::extension::ContextTakeover;
use proptest::prelude::*;

/// Collects content without decoding it.
#[derive(Default)]
struct Recorder {
    open: Vec<Vec<u8>>,
    ended: Vec<Vec<u8>>,
}

impl ContentSink for Recorder {
    fn begin(&mut self, _: Form<'_>) {
        self.open.push(Vec::new());
    }

    fn data(&mut self, encoded: &[u8]) {
        self.open.last_mut().expect("data comes after begin").extend_from_slice(encoded);
    }

    fn missing(&mut self, len: u64) {
        self.open.last_mut().expect("missing comes after begin").extend(std::iter::repeat_n(b'?', len as usize));
    }

    fn end(&mut self, complete: bool) -> Content {
        let content = self.open.pop().expect("end comes after begin");
        let bytes = complete.then_some(content.len() as u64);
        self.ended.push(content);
        Content { bytes, ..Content::default() }
    }
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as its sender writes it.
fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mut octets = vec![first];
    let mask = u8::from(masked) << 7;
    match payload.len() {
        len @ ..=125 => octets.push(mask | len as u8),
        len @ 126..=0xffff => {
            octets.push(mask | 126);
            octets.extend((len as u16).to_be_bytes());
        }
        len => {
            octets.push(mask | 127);
            octets.extend((len as u64).to_be_bytes());
        }
    }
    if masked {
        octets.extend(KEY);
        octets.extend(payload.iter().zip(KEY.iter().cycle()).map(|(octet, key)| octet ^ key));
    } else {
        octets.extend(payload);
    }
    octets
}

fn segment(number: u64, payload: usize) -> Provenance {
    let bytes = LayerBytes { link: 14, ip: 20, tcp: 32, tls: 0, payload: payload as u64 };
    Provenance::of_frame(Frame { number, time: Timestamp(0) }, bytes)
}

enum Piece<'a> {
    Captured(&'a [u8]),
    Lost(u32),
}

/// What a test compares: (opcode, content, fragments, anomalies) of each message, and the octets that nobody owns.
type Seen = (Vec<(Opcode, Vec<u8>, u32, Vec<AnomalyKind>)>, u64);

fn receive(direction: Direction, compression: Option<Compression>, pieces: &[Piece<'_>]) -> Seen {
    let (mut receiver, mut sink, mut buffer) = (Receiver::new(0, direction, compression), Recorder::default(), StreamBuffer::new());
    let (mut events, mut paid) = (Vec::new(), 0);
    for (number, piece) in (1..).zip(pieces) {
        match piece {
            // A segment without payload costs something, but that is not this machine's.
            Piece::Captured([]) => {}
            Piece::Captured(octets) => {
                let cost = segment(number, octets.len());
                paid += cost.bytes.total();
                buffer.push(octets, cost);
            }
            Piece::Lost(len) => buffer.push_missing(*len, Provenance::default()),
        }
        events.extend(std::iter::from_fn(|| receiver.advance(&mut buffer, &mut sink)));
    }
    events.extend(std::iter::from_fn(|| receiver.end(&mut buffer, &mut sink)));
    let (mut messages, mut nobodys, mut booked) = (Vec::new(), 0, 0);
    for event in events {
        match event {
            Event::Message(message) => {
                booked += message.cost.wire_bytes();
                let cost = message.cost;
                assert_eq!(cost.provenance.bytes.payload, cost.encoded_bytes + cost.framing_bytes);
                let content = std::mem::take(&mut sink.ended[messages.len()]);
                messages.push((message.opcode, content, message.fragments, message.anomalies.iter().collect()));
            }
            Event::Unattributed(cost) => {
                booked += cost.bytes.total();
                nobodys += cost.bytes.payload;
            }
        }
    }
    assert_eq!(booked, paid, "every octet is booked once");
    (messages, nobodys)
}

fn whole(direction: Direction, octets: &[u8]) -> Seen {
    receive(direction, None, &[Piece::Captured(octets)])
}

fn byte_by_byte(direction: Direction, octets: &[u8]) -> Seen {
    receive(direction, None, &octets.chunks(1).map(Piece::Captured).collect::<Vec<_>>())
}

use Direction::{ClientToServer as Client, ServerToClient as Server};

#[test]
fn control_frame_between_fragments_is_its_own_message() {
    let octets = [frame(0x01, b"hel", true), frame(0x89, b"p", true), frame(0x80, b"lo", true)].concat();
    let expected = vec![(Opcode::Ping, b"p".to_vec(), 1, vec![]), (Opcode::Text, b"hello".to_vec(), 2, vec![])];
    assert_eq!(whole(Client, &octets), (expected.clone(), 0));
    assert_eq!(byte_by_byte(Client, &octets), (expected, 0));
}

#[test]
fn trailing_bytes_stay_until_they_are_a_frame() {
    let octets = [frame(0x81, b"hello", false), vec![0x81]].concat();
    assert_eq!(whole(Server, &octets), (vec![(Opcode::Text, b"hello".to_vec(), 1, vec![])], 1));
}

#[test]
fn empty_and_long_messages() {
    let long = vec![7; 70_000];
    let octets = [frame(0x81, b"", true), frame(0x82, &long, true)].concat();
    let expected = vec![(Opcode::Text, vec![], 1, vec![]), (Opcode::Binary, long, 1, vec![])];
    assert_eq!(whole(Client, &octets), (expected.clone(), 0));
    assert_eq!(receive(Client, None, &octets.chunks(1448).map(Piece::Captured).collect::<Vec<_>>()), (expected, 0));
}

#[test]
fn a_message_pays_for_its_headers_and_its_share_of_the_segments() {
    let octets = frame(0xc1, &[0; 17], true);
    let mut buffer = StreamBuffer::new();
    buffer.push(&octets, segment(136, octets.len()));
    let mut receiver = Receiver::new(0, Client, Some(Compression { takeover: ContextTakeover::Keep }));
    let Some(Event::Message(message)) = receiver.advance(&mut buffer, &mut Recorder::default()) else { panic!("a message") };
    // The deck's frame 136: 14 + 20 + 32 + 6 + 17 = 89.
    assert_eq!((message.cost.wire_bytes(), message.cost.framing_bytes, message.cost.encoded_bytes), (89, 6, 17));
    assert!(message.compressed && message.masked && message.anomalies.is_empty());
}

#[test]
fn each_violation_is_named_and_its_frame_still_accounted() {
    use AnomalyKind::*;
    let non_minimal = [&[0x81, 0xfe, 0, 1][..], &KEY, &[b'x' ^ KEY[0]]].concat();
    let cases: [(Direction, Vec<u8>, &[AnomalyKind]); 11] = [
        (Client, frame(0x81, b"x", false), &[UnmaskedClientFrame]),
        (Server, frame(0x81, b"x", true), &[MaskedServerFrame]),
        (Client, frame(0xc1, b"x", true), &[ReservedBits]),
        (Client, frame(0xa1, b"x", true), &[ReservedBits]),
        (Client, frame(0x83, b"x", true), &[ReservedOpcode]),
        (Client, non_minimal, &[NonMinimalLength]),
        (Client, frame(0x89, &[b'x'; 130], true), &[ControlFrameTooLong]),
        (Client, frame(0x09, b"x", true), &[FragmentedControlFrame]),
        (Client, frame(0x80, b"x", true), &[OrphanContinuation]),
        (Client, frame(0x88, b"\x03", true), &[ShortClosePayload]),
        (Client, frame(0x88, &1005_u16.to_be_bytes(), true), &[InvalidCloseCode]),
    ];
    for (direction, octets, expected) in cases {
        let (messages, nobodys) = whole(direction, &octets);
        assert_eq!((messages.len(), nobodys), (1, 0), "{octets:?}");
        assert_eq!(messages[0].3, expected, "{octets:?}");
    }
}

#[test]
fn data_after_close_and_a_message_never_finished() {
    use AnomalyKind::{DataAfterClose, IncompleteMessage, MissingContinuation};
    let octets = [frame(0x01, b"a", true), frame(0x81, b"b", true), frame(0x88, b"", true), frame(0x01, b"c", true)].concat();
    let (messages, _) = whole(Client, &octets);
    let kinds: Vec<_> = messages.into_iter().map(|(opcode, content, _, kinds)| (opcode, content, kinds)).collect();
    let expected = [
        (Opcode::Text, b"a".to_vec(), vec![MissingContinuation]),
        (Opcode::Text, b"b".to_vec(), vec![]),
        (Opcode::Close, vec![], vec![]),
        (Opcode::Text, b"c".to_vec(), vec![DataAfterClose, IncompleteMessage]),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn loss_inside_a_payload_costs_only_that_message() {
    let [one, two] = [frame(0x81, &[b'x'; 100], false), frame(0x81, b"next", false)];
    let pieces = [Piece::Captured(&one[..52]), Piece::Lost(30), Piece::Captured(&one[82..]), Piece::Captured(&two)];
    let (messages, nobodys) = receive(Server, None, &pieces);
    assert_eq!((messages[0].1.len(), &messages[0].3[..]), (100, &[AnomalyKind::LostBytes][..]));
    assert_eq!((&messages[1].1[..], nobodys), (&b"next"[..], 0));
}

#[test]
fn after_a_lost_header_messages_are_found_again_at_a_segment() {
    let [one, two, three] = ["one", "three", "four"].map(|text| frame(0x81, text.as_bytes(), false));
    let pieces =
        [Piece::Captured(&one), Piece::Lost(5), Piece::Captured(b"no frame at all"), Piece::Captured(&two), Piece::Captured(&three)];
    let (messages, nobodys) = receive(Server, None, &pieces);
    let texts: Vec<_> = messages.iter().map(|(_, content, _, kinds)| (&content[..], &kinds[..])).collect();
    assert_eq!(texts, [(&b"one"[..], &[][..]), (b"three", &[AnomalyKind::LostBytes]), (b"four", &[])]);
    assert_eq!(nobodys, 15);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_messages(
        messages in proptest::collection::vec((any::<bool>(), 0usize..300, 1usize..4), 1..8),
        cuts in proptest::collection::vec(1usize..50, 1..40),
    ) {
        let mut octets = Vec::new();
        for (text, len, fragments) in messages {
            let payload = vec![b'a'; len];
            let pieces: Vec<_> = payload.chunks((len / fragments).max(1)).collect();
            for (n, piece) in pieces.iter().enumerate() {
                let opcode = if n > 0 { 0 } else if text { 1 } else { 2 };
                let fin = u8::from(n + 1 == pieces.len()) << 7;
                octets.extend(frame(fin | opcode, piece, true));
            }
        }
        let mut rest = &octets[..];
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            pieces.push(Piece::Captured(piece));
            rest = later;
        }
        prop_assert_eq!(receive(Client, None, &pieces), whole(Client, &octets));
    }
}
