//! The same bytes give the same rows, however TCP cut, joined, reordered or repeated them.

use wiretare::{Options, Segment};

use crate::support::{OwnedSegment, essence, rows_of, samples, segments};

fn options() -> Options {
    Options { digest: true, ..Options::default() }
}

/// Applies a change to the segments of every sample whose segments are all there, and compares the rows.
fn same_rows_after(change: impl Fn(Vec<OwnedSegment>) -> Vec<OwnedSegment>) {
    let mut compared = 0;
    for path in samples() {
        // Where a stream is taken up again after a loss depends on where its segments begin.
        if path.ends_with("loss/missing-from-capture.pcapng") {
            continue;
        }
        let original = segments(&path);
        let expected = essence(&rows_of(&original, &options()));
        let found = essence(&rows_of(&change(original), &options()));
        assert_eq!(found, expected, "{}", path.display());
        compared += expected.len();
    }
    assert!(compared > 100, "only {compared} rows were compared");
}

/// Cuts a segment's payload into pieces of at most `len` octets, each with headers of its own.
fn cut(owned: &OwnedSegment, len: usize) -> Vec<OwnedSegment> {
    if owned.payload.len() <= len || owned.payload.len() as u32 != owned.segment.payload_len {
        return vec![owned.clone()];
    }
    let pieces = owned.payload.chunks(len);
    let count = pieces.len();
    let mut seq = owned.segment.seq;
    pieces
        .enumerate()
        .map(|(n, payload)| {
            let mut segment = Segment { seq, payload_len: payload.len() as u32, ..owned.segment };
            segment.bytes.payload = payload.len() as u64;
            // FIN, SYN and PSH stay where they were: SYN with the first octet, FIN with the last.
            segment.flags.0 &= if n > 0 { !0x02 } else { !0 } & if n + 1 < count { !0x01 } else { !0 };
            seq = seq + (payload.len() as u32);
            OwnedSegment { segment, payload: payload.to_vec() }
        })
        .collect()
}

/// Joins consecutive segments of a direction whose payloads follow each other, up to 60 000 octets.
fn coalesce(segments: Vec<OwnedSegment>) -> Vec<OwnedSegment> {
    let mut joined: Vec<OwnedSegment> = Vec::new();
    for owned in segments {
        let follows = joined.last().is_some_and(|last| {
            last.segment.key == owned.segment.key
                && last.segment.sender == owned.segment.sender
                && last.segment.flags.0 & 0x07 == 0
                && owned.segment.flags.0 & 0x07 == 0
                && !last.payload.is_empty()
                && !owned.payload.is_empty()
                && last.segment.seq + (last.payload.len() as u32) == owned.segment.seq
                && last.payload.len() + owned.payload.len() <= 60_000
        });
        match joined.last_mut() {
            Some(last) if follows => {
                last.payload.extend(owned.payload);
                last.segment.payload_len = last.payload.len() as u32;
                last.segment.bytes.payload = last.payload.len() as u64;
            }
            _ => joined.push(owned),
        }
    }
    joined
}

/// Reverses each flight of up to `len` data segments that one side sent before the other was heard.
fn reverse_flights(mut segments: Vec<OwnedSegment>, len: usize) -> Vec<OwnedSegment> {
    let mut start = 0;
    while start < segments.len() {
        let head = segments[start].segment;
        let flight = segments[start..]
            .iter()
            .take(len)
            .take_while(|owned| {
                let same = owned.segment.key == head.key && owned.segment.sender == head.sender;
                same && owned.segment.flags.0 & 0x07 == 0 && !owned.payload.is_empty()
            })
            .count();
        if start > 3 && flight > 1 {
            segments[start..start + flight].reverse();
        }
        start += flight.max(1);
    }
    segments
}

#[test]
fn segments_cut_small() {
    for len in [1, 7, 100] {
        same_rows_after(|segments| segments.iter().flat_map(|owned| cut(owned, len)).collect());
    }
}

#[test]
fn segments_coalesced() {
    same_rows_after(coalesce);
}

#[test]
fn segments_reordered_within_their_flight() {
    same_rows_after(|segments| {
        let cut = segments.iter().flat_map(|owned| cut(owned, 50)).collect();
        reverse_flights(cut, 16)
    });
}

#[test]
fn segments_repeated() {
    same_rows_after(|segments| segments.into_iter().flat_map(|owned| [owned.clone(), owned]).collect());
}

#[test]
fn segments_repeated_much_later() {
    same_rows_after(|segments| {
        let mut late: Vec<OwnedSegment> = Vec::new();
        for (n, owned) in segments.iter().enumerate() {
            late.push(owned.clone());
            if n % 3 == 0 && n >= 5 {
                late.push(segments[n - 5].clone());
            }
        }
        late
    });
}
