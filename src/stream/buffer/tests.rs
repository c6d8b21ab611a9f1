use proptest::prelude::*;

use super::*;
use crate::stream::{Frame, LayerBytes, Timestamp};

fn frame(number: u64) -> Frame {
    Frame { number, time: Timestamp(number as i64) }
}

fn segment(number: u64, payload: u64) -> Provenance {
    Provenance::of_frame(frame(number), LayerBytes { link: 14, ip: 20, tcp: 32, tls: 0, payload })
}

#[test]
fn whole_run_costs_its_segment() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"hello", segment(7, 5));
    assert_eq!(buffer.consume(5), segment(7, 5));
    assert!(buffer.is_empty());
}

#[test]
fn message_over_two_segments_names_both_frames() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"hel", segment(7, 3));
    buffer.push(b"lo", segment(9, 2));
    let cost = buffer.consume(5);
    assert_eq!((cost.first, cost.last), (frame(7), frame(9)));
    // 2 × (14 + 20 + 32) + 5 = 137 bytes
    assert_eq!(cost.bytes.total(), 137);
}

#[test]
fn two_messages_in_a_segment_share_its_headers_without_remainder() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"abcdefg", segment(1, 7));
    let parts = buffer.consume(3) + buffer.consume(4);
    assert_eq!(parts, segment(1, 7));
}

#[test]
fn peek_at_looks_over_missing_bytes_and_not_over_a_break() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"xxabc", segment(1, 5));
    buffer.consume(2);
    assert_eq!([0, 2, 3].map(|offset| buffer.peek_at(offset)), [Some(&b"abc"[..]), Some(b"c"), None]);
    buffer.push_missing(4, segment(1, 4));
    buffer.push(b"de", segment(2, 2));
    buffer.push(b"f", segment(3, 1));
    let seen = [1, 3, 7, 8, 10].map(|offset| buffer.peek_at(offset));
    assert_eq!(seen, [Some(&b"bc"[..]), None, Some(b"def"), Some(b"ef"), None]);
    buffer.push_break();
    buffer.push(b"g", segment(4, 1));
    assert_eq!([9, 10, 11].map(|offset| buffer.peek_at(offset)), [Some(&b"f"[..]), None, None]);
    assert_eq!([3, 9, 10, 12].map(|offset| buffer.behind_loss(offset)), [Some(3), Some(9), None, Some(12)]);
}

#[test]
fn loss_is_passed_over_to_where_it_ends() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"ab", segment(1, 2));
    buffer.push_missing(3, Provenance::default());
    buffer.push_missing(1, Provenance::default());
    buffer.push(b"c", segment(2, 1));
    assert_eq!([0, 2, 4, 6, 7].map(|offset| buffer.behind_loss(offset)), [Some(0), Some(6), Some(6), Some(6), Some(7)]);
}

#[test]
fn break_is_a_missing_byte_of_its_own() {
    let mut buffer = StreamBuffer::new();
    buffer.push_missing(4, Provenance::default());
    buffer.push_break();
    buffer.push_missing(2, Provenance::default());
    let mut seen = Vec::new();
    while !buffer.is_empty() {
        seen.push((buffer.missing(), buffer.is_broken()));
        buffer.consume(buffer.missing());
    }
    assert_eq!(seen, [(4, false), (1, true), (2, false)]);
}

#[test]
fn peek_stops_at_missing_bytes() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"abc", segment(1, 3));
    buffer.push_missing(10, Provenance::default());
    buffer.push(b"xyz", segment(3, 3));
    assert_eq!((buffer.peek(), buffer.missing()), (&b"abc"[..], 0));
    buffer.consume(3);
    assert_eq!((buffer.peek(), buffer.missing()), (&b""[..], 10));
    assert_eq!(buffer.consume(10).bytes.total(), 0);
    assert_eq!((buffer.peek(), buffer.start()), (&b"xyz"[..], 13));
}

#[test]
fn what_was_lost_is_told_from_what_was_cut() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"abc", segment(1, 3));
    buffer.push_missing(5, segment(1, 5));
    buffer.push_missing(10, Provenance::default());
    assert_eq!([(0, 3), (0, 8), (0, 4), (3, 8)].map(|(from, to)| buffer.runs_between(from, to)), [Some(1), Some(2), None, Some(1)]);
    assert_eq!((buffer.is_lost(), buffer.is_lost_at_front()), (false, false));
    buffer.consume(8);
    assert_eq!((buffer.is_lost(), buffer.is_lost_at_front()), (true, true));
}

#[test]
fn consuming_more_than_is_unread_takes_what_is_there() {
    let mut buffer = StreamBuffer::new();
    buffer.push(b"abc", segment(1, 3));
    assert_eq!(buffer.consume(9), segment(1, 3));
}

#[test]
fn first_stretch_is_known_without_looking_at_its_runs() {
    let mut buffer = StreamBuffer::new();
    for _ in 0..3 {
        buffer.push(b"ab", segment(1, 2));
    }
    buffer.push_missing(4, segment(2, 4));
    buffer.push(b"c", segment(3, 1));
    let stretch = |buffer: &StreamBuffer| buffer.held().stretch;
    assert_eq!(stretch(&buffer), 6);
    buffer.consume(3);
    assert_eq!((stretch(&buffer), buffer.peek()), (3, &b"bab"[..]));
    // What a run says of itself is asked for only when the stretch before it has ended.
    if let Some(held) = &mut buffer.held {
        held.runs.iter_mut().for_each(|run| run.missing = false);
    }
    assert_eq!(buffer.peek(), b"bab");
}

/// What is done to a buffer.
#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    Cut(u32),
    Lose(u32),
    Break,
    Consume(u64),
    ConsumeRun,
    ConsumeMissing,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..6).prop_map(Step::Push),
        2 => (0u32..5).prop_map(Step::Cut),
        1 => (0u32..5).prop_map(Step::Lose),
        1 => Just(Step::Break),
        2 => (0u64..12).prop_map(Step::Consume),
        1 => Just(Step::ConsumeRun),
        1 => Just(Step::ConsumeMissing),
    ]
}

/// Captured bytes at the front, and missing ones, counted run by run.
fn counted(buffer: &StreamBuffer) -> (usize, u64) {
    let runs = buffer.runs();
    let captured = runs.iter().take_while(|run| !run.missing).map(|run| run.unread() as usize).sum();
    let missing = match runs.front() {
        Some(run) if run.is_break => 1,
        _ => runs.iter().take_while(|run| run.missing && !run.is_break).map(|run| u64::from(run.unread())).sum(),
    };
    (captured, missing)
}

proptest! {
    #[test]
    fn front_is_what_its_runs_say(steps in prop::collection::vec(any_step(), 0..60)) {
        let mut buffer = StreamBuffer::new();
        let (mut all, mut begin) = (Vec::new(), 0);
        for step in steps {
            let before = buffer.start();
            match step {
                Step::Push(bytes) => {
                    all.extend(bytes.iter().copied().map(Some));
                    buffer.push(&bytes, segment(1, bytes.len() as u64));
                }
                Step::Cut(len) | Step::Lose(len) => {
                    all.extend(vec![None; len as usize]);
                    let cut = matches!(step, Step::Cut(_));
                    buffer.push_missing(len, if cut { segment(1, len.into()) } else { Provenance::default() });
                }
                Step::Break => {
                    all.push(None);
                    buffer.push_break();
                }
                Step::Consume(len) => _ = buffer.consume(len),
                Step::ConsumeRun => _ = buffer.consume(buffer.front_run()),
                Step::ConsumeMissing => _ = buffer.consume(buffer.missing()),
            }
            begin += (buffer.start() - before) as usize;
            prop_assert_eq!((buffer.peek().len(), buffer.missing()), counted(&buffer));
            let captured: Vec<u8> = all[begin..].iter().copied().map_while(|octet| octet).collect();
            prop_assert_eq!(buffer.peek(), captured);
        }
    }
}

#[test]
fn buffer_of_which_one_octet_is_left_gives_back_what_that_does_not_need() {
    let mut buffer = StreamBuffer::new();
    for number in 0..16_000 {
        buffer.push(&[b'x'; 60], segment(number, 60));
    }
    assert!(buffer.memory() > 16_000 * 60);
    buffer.consume(16_000 * 60 - 1);
    buffer.give_back(&mut Lent::default());
    // What was consumed before it and not moved away, runs and a small buffer.
    assert!(buffer.memory() < 2 * MAX_CONSUMED + FEW_OCTETS + KEPT_RUNS * size_of::<Run>(), "{}", buffer.memory());
    assert_eq!(buffer.peek(), b"x");
}

#[test]
fn memory_lent_is_counted_by_what_there_is_of_it() {
    let (mut buffer, mut lent) = (StreamBuffer::new(), Lent::default());
    buffer.push(&[b'x'; 8000], segment(1, 8000));
    buffer.consume_all();
    buffer.give_back(&mut lent);
    buffer.borrow(&mut lent);
    buffer.push(b"x", segment(2, 1));
    assert!(buffer.memory() > 8000);
    buffer.give_back(&mut lent);
    assert!(buffer.memory() < FEW_OCTETS);
}
