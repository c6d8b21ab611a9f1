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
