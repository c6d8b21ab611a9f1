use super::*;
use crate::packet::{ConnectionKey, Identity};
use crate::stream::{Frame, Timestamp};

fn segment(number: u64, seq: u32, payload: &[u8]) -> Segment<'_> {
    let (key, sender) = ConnectionKey::v4((1, 1), (2, 2));
    let payload_len = payload.len() as u32;
    Segment {
        frame: Frame { number, time: Timestamp(0) },
        key,
        sender,
        seq: SeqNumber(seq),
        ack: SeqNumber(0),
        flags: Flags::ACK,
        window: 0,
        options: &[],
        payload,
        payload_len,
        bytes: LayerBytes { link: 14, ip: 20, tcp: 20, tls: 0, payload: u64::from(payload_len) },
        identity: Identity::default(),
    }
}

#[derive(Default)]
struct Stream {
    assembler: Assembler,
    buffer: StreamBuffer,
    limits: Limits,
    frames: u64,
}

impl Stream {
    fn receive(&mut self, seq: u32, payload: &[u8]) -> Receipt {
        self.frames += 1;
        self.assembler.receive(&segment(self.frames, seq, payload), &mut self.buffer, &self.limits)
    }

    fn text(&self) -> &str {
        str::from_utf8(self.buffer.peek()).expect("test data is ASCII")
    }
}

#[test]
fn swapped_segments_are_put_in_order() {
    let mut stream = Stream::default();
    let arrivals = [(100, "ab"), (104, "ef"), (102, "cd")].map(|(seq, data)| stream.receive(seq, data.as_bytes()));
    assert_eq!(arrivals.map(|receipt| receipt.arrival), [Arrival::Delivered, Arrival::Held, Arrival::Delivered]);
    assert_eq!((stream.text(), arrivals[2].late), ("abcdef", true));
}

#[test]
fn segment_wholly_before_next_seq_is_a_retransmission() {
    let mut stream = Stream::default();
    stream.receive(100, b"abcd");
    assert_eq!(stream.receive(100, b"abcd"), Receipt { old_bytes: 4, ..Receipt::of(Arrival::Old) });
}

#[test]
fn partly_old_segment_pushes_its_new_bytes_with_the_full_header() {
    let mut stream = Stream::default();
    stream.receive(100, b"abcd");
    assert_eq!(stream.receive(102, b"cdef"), Receipt { old_bytes: 2, ..Receipt::of(Arrival::Delivered) });
    stream.buffer.consume(4);
    // 14 + 20 + 20 + 2 new bytes
    assert_eq!(stream.buffer.consume(2).bytes.total(), 56);
}

#[test]
fn sequence_numbers_wrap() {
    let mut stream = Stream::default();
    stream.receive(u32::MAX - 1, b"abcd");
    stream.receive(2, b"ef");
    assert_eq!(stream.text(), "abcdef");
}

#[test]
fn keep_alive_before_the_first_payload_does_not_open_a_hole() {
    let mut stream = Stream::default();
    stream.receive(99, b"");
    stream.receive(100, b"abc");
    assert_eq!(stream.text(), "abc");
}

#[test]
fn keep_alive_with_an_octet_brings_nothing() {
    let mut stream = Stream::default();
    stream.receive(100, b"abc");
    assert_eq!(stream.receive(102, b"\0").arrival, Arrival::KeepAlive);
}

fn held_behind_acknowledged_hole() -> Stream {
    let mut stream = Stream::default();
    stream.receive(100, b"ab");
    stream.receive(105, b"fg");
    stream.assembler.acknowledge(SeqNumber(107));
    stream
}

#[test]
fn loss_names_the_frame_behind_it() {
    let mut stream = Stream::default();
    for (seq, payload) in [(100, "ab"), (109, "jk"), (105, "fg")] {
        stream.receive(seq, payload.as_bytes());
    }
    // Three octets are missing before the third frame, and two more before the second.
    assert_eq!(stream.assembler.finish(&mut stream.buffer), Loss { bytes: 5, frame_behind: 3 });
}

#[test]
fn acknowledged_hole_becomes_lost_after_patience() {
    let mut stream = held_behind_acknowledged_hole();
    let mut lost = |segments: u32, ns: i64| -> u64 {
        (0..segments).map(|_| stream.assembler.grow_older(Timestamp(ns), &mut stream.buffer, &stream.limits).loss.bytes).sum()
    };
    let steps = [(1, 0), (ACKNOWLEDGED_HOLE_PATIENCE, 99_000_000), (1, 100_000_000)];
    assert_eq!(steps.map(|(segments, ns)| lost(segments, ns)), [0, 0, 3]);
    assert_eq!(stream.text(), "ab");
    stream.buffer.consume(2);
    assert_eq!(stream.buffer.missing(), 3);
}

#[test]
fn patience_ends_after_a_second_however_few_segments_come() {
    let mut stream = held_behind_acknowledged_hole();
    let mut lost = |ns: i64| stream.assembler.grow_older(Timestamp(ns), &mut stream.buffer, &stream.limits).loss.bytes;
    assert_eq!([7_000_000_000, 7_999_999_999, 8_000_000_000].map(&mut lost), [0, 0, 3]);
}

#[test]
fn second_of_patience_begins_when_something_is_held() {
    let mut stream = Stream::default();
    stream.receive(100, b"ab");
    stream.assembler.acknowledge(SeqNumber(107));
    stream.assembler.grow_older(Timestamp(0), &mut stream.buffer, &stream.limits);
    let mut late = segment(2, 105, b"fg");
    late.frame.time = Timestamp(5_000_000_000);
    stream.assembler.receive(&late, &mut stream.buffer, &stream.limits);
    let mut lost = |ns: i64| stream.assembler.grow_older(Timestamp(ns), &mut stream.buffer, &stream.limits).loss.bytes;
    assert_eq!([5_000_000_000, 5_999_999_999, 6_000_000_000].map(&mut lost), [0, 0, 3]);
}

#[test]
fn patience_ends_where_time_stands_still() {
    let mut stream = held_behind_acknowledged_hole();
    let receipts = (1..=ACKNOWLEDGED_HOLE_LONG_PATIENCE)
        .map(|_| stream.assembler.grow_older(Timestamp(0), &mut stream.buffer, &stream.limits).loss.bytes);
    assert_eq!(receipts.collect::<Vec<_>>().iter().rposition(|&lost| lost == 3), Some(ACKNOWLEDGED_HOLE_LONG_PATIENCE as usize - 1));
}

#[test]
fn fin_on_octets_sent_again_ends_the_stream() {
    let mut stream = Stream::default();
    stream.receive(100, b"abcd");
    let mut fin = segment(2, 102, b"cd");
    fin.flags = Flags::FIN | Flags::ACK;
    stream.assembler.receive(&fin, &mut stream.buffer, &stream.limits);
    assert!(stream.assembler.is_finished());
}

#[test]
fn fin_far_beyond_what_was_seen_ends_nothing() {
    let mut stream = Stream::default();
    stream.receive(100, b"abcd");
    let mut fin = segment(2, 500_000_000, b"");
    fin.flags = Flags::FIN | Flags::ACK;
    stream.assembler.receive(&fin, &mut stream.buffer, &stream.limits);
    assert_eq!((stream.assembler.has_fin(), stream.assembler.finish(&mut stream.buffer)), (false, Loss::default()));
}

#[test]
fn gap_of_unknown_length_is_a_break() {
    let mut stream = Stream::default();
    stream.receive(100, b"ab");
    for n in 0..u32::from(OUT_OF_WINDOW_PATIENCE) {
        stream.receive(0x7000_0000 + n, b"x");
    }
    stream.buffer.consume(2);
    assert!(stream.buffer.is_broken());
}

#[test]
fn late_bytes_of_an_acknowledged_hole_still_count() {
    let mut stream = Stream::default();
    stream.receive(100, b"ab");
    stream.receive(103, b"d");
    stream.assembler.acknowledge(SeqNumber(104));
    stream.receive(102, b"c");
    assert_eq!(stream.text(), "abcd");
}

#[test]
fn snap_length_leaves_missing_bytes_with_their_cost() {
    let mut stream = Stream::default();
    let mut cut = segment(1, 100, b"abc");
    cut.payload_len = 10;
    cut.bytes.payload = 10;
    stream.assembler.receive(&cut, &mut stream.buffer, &stream.limits);
    let captured = stream.buffer.consume(3);
    assert_eq!(stream.buffer.missing(), 7);
    assert_eq!((captured + stream.buffer.consume(7)).bytes, cut.bytes);
}

#[test]
fn limit_on_held_bytes_closes_the_hole() {
    let mut stream = Stream { limits: Limits { out_of_order_bytes: 4, ..Limits::default() }, ..Stream::default() };
    stream.receive(100, b"a");
    let receipt = stream.receive(105, b"fghij");
    assert_eq!((receipt.limit, receipt.loss.bytes), (true, 4));
}

#[test]
fn fin_ends_the_stream_when_all_before_it_was_delivered() {
    let mut stream = Stream::default();
    let mut fin = segment(2, 102, b"cd");
    fin.flags = Flags::FIN | Flags::ACK;
    stream.receive(100, b"a");
    stream.assembler.receive(&fin, &mut stream.buffer, &stream.limits);
    assert!(!stream.assembler.is_finished());
    stream.receive(101, b"b");
    assert!(stream.assembler.is_finished());
    assert_eq!(stream.receive(104, b"x").arrival, Arrival::AfterFin);
}

/// A stream is an array of bytes; whatever the order, cuts and overlaps, the array comes out, and what was paid for.
mod model {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_gives_the_same_bytes_and_conserves_cost(
            cuts in proptest::collection::vec((0usize..200, 1usize..60), 0..60),
            origin in any::<u32>(),
        ) {
            let stream_bytes: Vec<u8> = (0..=255).collect();
            let mut stream = Stream::default();
            let mut paid = 0;
            let mut booked = 0;
            let mut covered = [false; 256];
            // The first byte sets the origin, as a SYN would.
            for (from, len) in std::iter::once((0, 1)).chain(cuts) {
                let payload = &stream_bytes[from..from + len.min(256 - from)];
                let receipt = stream.receive(origin.wrapping_add(from as u32), payload);
                covered[from..from + payload.len()].fill(true);
                paid += 54 + payload.len() as u64;
                booked += match receipt.arrival {
                    Arrival::Old | Arrival::KeepAlive => 54 + payload.len() as u64,
                    _ => u64::from(receipt.old_bytes),
                };
                prop_assert!(!receipt.conflict);
            }
            let contiguous = covered.iter().take_while(|&&there| there).count();
            prop_assert_eq!(stream.buffer.peek(), &stream_bytes[..contiguous]);
            let lost = stream.assembler.finish(&mut stream.buffer).bytes;
            let last = covered.iter().rposition(|&there| there).map_or(0, |at| at + 1);
            prop_assert_eq!(lost, covered[..last].iter().filter(|&&there| !there).count() as u64);
            prop_assert_eq!(stream.buffer.consume_all().bytes.total() + booked, paid);
        }
    }
}
