//! What the headers of a segment take, as far as messages tell.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::stream::Provenance;

/// Header octets from which on segments are not told apart.
const LONGEST: u64 = 512;

/// The link, IP and TCP headers of segments. A message knows its share of them only, so those that lie in one segment are summed;
/// where others have a part in it too, the sum is too small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentHeaders {
    /// Segments, by the octets of their headers.
    segments: BTreeMap<u64, u64>,
    /// The frame added last, and what its headers came to.
    last: Option<(u64, u64)>,
}

impl SegmentHeaders {
    /// Adds a message, if one frame carried it: those of a frame one after the other.
    #[inline]
    pub(super) fn add(&mut self, provenance: &Provenance) {
        let Some(octets) = of_one_frame(provenance) else { return };
        let frame = provenance.first.number;
        let others = self.last.filter(|&(last, _)| last == frame).map(|(_, others)| others);
        others.into_iter().for_each(|others| self.take(others));
        let octets = octets + others.unwrap_or(0);
        self.put(octets);
        self.last = self.last.max(Some((frame, octets)));
    }

    /// The same, of one whose frame may have come before: requests come when they are answered.
    pub(super) fn add_alone(&mut self, provenance: &Provenance) {
        of_one_frame(provenance).into_iter().for_each(|octets| self.put(octets));
    }

    fn put(&mut self, octets: u64) {
        *self.segments.entry(octets.min(LONGEST)).or_default() += 1;
    }

    fn take(&mut self, octets: u64) {
        let octets = octets.min(LONGEST);
        match self.segments.get_mut(&octets) {
            Some(1) | None => drop(self.segments.remove(&octets)),
            Some(count) => *count -= 1,
        }
    }

    /// The mean, rounded up; `None` without a segment. Of those that differ by more than a quarter from what most have, the smaller ones
    /// hold other messages too, and the others are rare: options behind a loss, fragments.
    pub(crate) fn mean(&self) -> Option<u64> {
        let (usual, _) = self.segments.iter().max_by_key(|&(_, count)| count)?;
        let whole = self.segments.range(usual - usual / 4..=usual + usual / 4);
        let (octets, count) = whole.fold((0, 0), |(octets, sum), (each, count)| (octets + each * count, sum + count));
        Some(octets.div_ceil(count))
    }
}

/// The link, IP and TCP headers of a message, or its share of them, that one frame carried.
fn of_one_frame(provenance: &Provenance) -> Option<u64> {
    let Provenance { bytes, first, last } = provenance;
    (first.number > 0 && first.number == last.number).then_some(bytes.link + bytes.ip + bytes.tcp)
}

impl AddAssign<&Self> for SegmentHeaders {
    fn add_assign(&mut self, other: &Self) {
        for (&octets, count) in &other.segments {
            *self.segments.entry(octets).or_default() += count;
        }
        self.last = self.last.max(other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Frame, LayerBytes};

    /// Of messages: the frames they began and ended in, and their shares of the headers.
    fn headers(messages: &[(u64, u64, u64)]) -> SegmentHeaders {
        let mut headers = SegmentHeaders::default();
        for &(first, last, octets) in messages {
            let frame = |number| Frame { number, ..Frame::default() };
            let bytes = LayerBytes { link: octets / 3, ip: octets / 3, tcp: octets - octets / 3 * 2, ..LayerBytes::default() };
            headers.add(&Provenance { bytes, first: frame(first), last: frame(last) });
        }
        headers
    }

    #[test]
    fn messages_of_a_segment_pay_its_headers_together() {
        for (messages, mean) in [
            (&[][..], None),
            (&[(1, 1, 66), (2, 2, 66)], Some(66)),
            (&[(1, 1, 22), (1, 1, 40), (1, 1, 4)], Some(66)),
            // Of several frames: nobody knows of how many.
            (&[(1, 4, 264), (5, 5, 54)], Some(54)),
            // Others have their share of the first one.
            (&[(1, 1, 4), (2, 2, 66), (3, 3, 78)], Some(72)),
            (&[(1, 1, 66), (2, 2, 66), (3, 3, 94), (4, 4, 10)], Some(66)),
            (&[(1, 1, 66), (2, 2, 66), (3, 3, 66), (4, 4, 500)], Some(66)),
            (&[(0, 0, 0)], None),
        ] {
            assert_eq!(headers(messages).mean(), mean, "{messages:?}");
        }
    }

    #[test]
    fn parts_merge_to_the_same() {
        let messages = [(1, 1, 22), (1, 1, 44), (2, 2, 66), (3, 3, 30), (3, 3, 36)];
        let (mut one, other) = (headers(&messages[2..3]), headers(&[&messages[..2], &messages[3..]].concat()));
        one += &other;
        assert_eq!(one, headers(&messages));
    }
}
