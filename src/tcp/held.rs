//! Segments that arrived before an earlier one: kept in order, without overlap, until the hole before them closes.

use std::collections::VecDeque;
use std::ops::Range;

use crate::stream::{Coverage, Frame, LayerBytes, shrink};

/// Bytes beyond a hole. Invariant: pieces are sorted by `start` and do not overlap.
#[derive(Debug, Default)]
pub(super) struct Held {
    pieces: VecDeque<Piece>,
    /// By all of them.
    covered: Coverage,
    bytes: usize,
}

/// Pieces for which there is room however few there are.
const FEW_PIECES: usize = 16;

/// New bytes of one segment, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Stream offset of its first byte.
    pub(super) start: u64,
    /// Octets on the wire; `data` may hold fewer.
    pub(super) len: u32,
    /// The octets captured.
    pub(super) data: Vec<u8>,
    /// What they cost; `payload` equals `len`.
    pub(super) cost: LayerBytes,
    /// The frame that carried them.
    pub(super) frame: Frame,
}

impl Piece {
    pub(super) fn end(&self) -> u64 {
        self.start + u64::from(self.len)
    }
}

/// A segment's bytes as they arrive, to be held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arriving<'a> {
    pub(super) start: u64,
    pub(super) len: u32,
    pub(super) data: &'a [u8],
    pub(super) headers: LayerBytes,
    pub(super) frame: Frame,
}

/// What became of a segment that was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Insertion {
    /// Octets that were held already.
    pub(super) old: u32,
    /// Whether some of those differ from what was held; the first are kept.
    pub(super) conflict: bool,
    /// Whether bytes beyond it had arrived before.
    pub(super) late: bool,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn exceeds(&self, bytes: usize, segments: usize) -> bool {
        self.bytes > bytes || self.pieces.len() > segments
    }

    /// What it takes, in octets.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.pieces.capacity() * size_of::<Piece>()
    }

    /// What begins first.
    pub(super) fn first(&self) -> Option<&Piece> {
        self.pieces.front()
    }

    /// Takes the first piece if it begins at `offset`.
    pub(super) fn take(&mut self, offset: u64) -> Option<Piece> {
        if self.first().is_none_or(|piece| piece.start != offset) {
            return None;
        }
        let piece = self.pieces.pop_front()?;
        self.bytes -= piece.data.len();
        self.covered.forget_before(piece.end());
        shrink(&mut self.pieces, FEW_PIECES);
        Some(piece)
    }

    /// Keeps the bytes that are new. The headers are shared over the new bytes; with none, the whole segment is old.
    pub(super) fn insert(&mut self, arriving: Arriving<'_>) -> Insertion {
        let end = arriving.start + u64::from(arriving.len);
        let late = self.pieces.back().is_some_and(|last| last.end() > arriving.start);
        let conflict = self.beneath(&arriving).any(|piece| differs(piece, &arriving));
        let gaps = self.covered.add(arriving.start..end);
        let new: u64 = gaps.iter().map(|gap| gap.end - gap.start).sum();
        self.place(arriving, &gaps);
        // Fits: both are at most the segment's length.
        Insertion { old: arriving.len - new as u32, conflict, late }
    }

    /// Pieces that a segment can be compared with: as far as its own octets were captured, so there are not many more of them than octets
    /// to compare.
    fn beneath(&self, arriving: &Arriving<'_>) -> impl Iterator<Item = &Piece> {
        let (start, end) = (arriving.start, arriving.start + arriving.data.len() as u64);
        let at = self.pieces.partition_point(|piece| piece.end() <= start);
        self.pieces.range(at..).take_while(move |piece| piece.start < end)
    }

    fn place(&mut self, arriving: Arriving<'_>, gaps: &[Range<u64>]) {
        let total: u32 = gaps.iter().map(|gap| (gap.end - gap.start) as u32).sum();
        let mut taken = 0;
        for &Range { start: from, end: to } in gaps {
            let len = (to - from) as u32;
            let mut cost = arriving.headers.share(taken, taken + len, total);
            cost.payload = u64::from(len);
            taken += len;
            let data = captured(&arriving, from, to).to_vec();
            self.bytes += data.len();
            let piece = Piece { start: from, len, data, cost, frame: arriving.frame };
            let position = self.pieces.partition_point(|other| other.start < from);
            self.pieces.insert(position, piece);
        }
    }
}

/// The captured bytes of a segment within stream offsets `from..to`.
fn captured<'a>(arriving: &Arriving<'a>, from: u64, to: u64) -> &'a [u8] {
    let clamp = |offset: u64| ((offset - arriving.start) as usize).min(arriving.data.len());
    &arriving.data[clamp(from)..clamp(to)]
}

fn differs(piece: &Piece, arriving: &Arriving<'_>) -> bool {
    let from = piece.start.max(arriving.start);
    let to = (piece.start + piece.data.len() as u64).min(arriving.start + arriving.data.len() as u64);
    from < to && captured(arriving, from, to) != &piece.data[(from - piece.start) as usize..(to - piece.start) as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn arriving(start: u64, data: &[u8]) -> Arriving<'_> {
        let headers = LayerBytes { link: 14, ip: 20, tcp: 20, ..LayerBytes::default() };
        Arriving { start, len: data.len() as u32, data, headers, frame: Frame::default() }
    }

    #[test]
    fn new_bytes_around_a_held_piece_share_the_headers() {
        let mut held = Held::default();
        held.insert(arriving(12, b"cd"));
        let insertion = held.insert(arriving(10, b"abcdef"));
        assert_eq!(insertion, Insertion { old: 2, conflict: false, late: true });
        let cost: LayerBytes = [10, 14].map(|offset| {
            let piece = held.pieces.iter().find(|piece| piece.start == offset).expect("a piece on each side");
            piece.cost
        })[..]
            .iter()
            .fold(LayerBytes::default(), |sum, &cost| sum + cost);
        // The segment's headers once, and its four new bytes.
        assert_eq!(cost, LayerBytes { link: 14, ip: 20, tcp: 20, tls: 0, payload: 4 });
    }

    #[test]
    fn first_bytes_win_and_a_conflict_is_said() {
        let mut held = Held::default();
        held.insert(arriving(10, b"abc"));
        assert!(held.insert(arriving(10, b"aXc")).conflict);
        assert_eq!(held.take(10).map(|piece| piece.data), Some(b"abc".to_vec()));
    }

    #[test]
    fn segment_without_captured_octets_is_compared_with_no_piece() {
        let mut held = Held::default();
        for start in 0..100 {
            held.insert(arriving(start, b"x"));
        }
        let snapped = Arriving { len: 101, ..arriving(0, b"") };
        assert_eq!(held.beneath(&snapped).count(), 0);
        assert_eq!(held.beneath(&Arriving { len: 101, ..arriving(0, b"xxx") }).count(), 3);
        assert_eq!(held.insert(snapped), Insertion { old: 100, conflict: false, late: true });
    }

    proptest! {
        #[test]
        fn what_is_held_is_what_came_first(segments in prop::collection::vec((0u64..60, 1u32..20, 0u32..20, b'a'..b'c'), 1..30)) {
            let mut held = Held::default();
            // What each offset holds: an octet, or nothing where it was not captured.
            let mut octets = BTreeMap::<u64, Option<u8>>::new();
            for (start, len, captured, octet) in segments {
                let data = vec![octet; captured.min(len) as usize];
                let insertion = held.insert(Arriving { len, ..arriving(start, &data) });
                let (mut expected, mut conflict) = (0, false);
                let late = octets.last_key_value().is_some_and(|(&last, _)| last >= start);
                for at in start..start + u64::from(len) {
                    let new = data.get((at - start) as usize).copied();
                    match octets.get(&at) {
                        None => _ = octets.insert(at, new),
                        Some(old) => {
                            expected += 1;
                            conflict |= new.is_some() && old.is_some() && new != *old;
                        }
                    }
                }
                prop_assert_eq!(insertion, Insertion { old: expected, conflict, late });
            }
            let mut found = BTreeMap::new();
            while let Some(start) = held.first().map(|piece| piece.start) {
                let piece = held.take(start).expect("the first piece begins there");
                found.extend((0..u64::from(piece.len)).map(|at| (start + at, piece.data.get(at as usize).copied())));
            }
            prop_assert_eq!(found, octets);
        }
    }

    #[test]
    fn room_for_pieces_goes_when_they_are_taken() {
        let mut held = Held::default();
        for start in 0..1000 {
            held.insert(arriving(start, b"x"));
        }
        assert!(held.memory() > 1000 * size_of::<Piece>());
        (0..999).for_each(|start| assert!(held.take(start).is_some()));
        assert!(held.memory() <= 1 + FEW_PIECES * size_of::<Piece>(), "{}", held.memory());
    }

    #[test]
    fn pieces_come_out_in_order() {
        let mut held = Held::default();
        for start in [30, 10, 20] {
            held.insert(arriving(start, b"x"));
        }
        assert_eq!([10, 20, 30].map(|offset| held.take(offset).is_some()), [true; 3]);
        assert!(held.is_empty());
    }
}
