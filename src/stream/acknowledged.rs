//! What segments of one stream acknowledged of the other: who said what after having heard what.

use std::collections::VecDeque;

/// How far the other stream had been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// Up to that stream offset; below 0 before the first octet that was captured.
    Offset(i64),
    /// Up to that sequence number of a stream of which nothing had been captured.
    Sequence(u32),
}

impl Acknowledged {
    /// Whether all of the other stream before an offset had been received.
    pub fn reaches(self, offset: u64) -> bool {
        matches!(self, Self::Offset(up_to) if i64::try_from(offset).is_ok_and(|offset| offset <= up_to))
    }

    /// Whether that and no more had been.
    pub fn is_at(self, offset: u64) -> bool {
        i64::try_from(offset).is_ok_and(|offset| self == Self::Offset(offset))
    }

    /// Whether more had been received than at another time.
    pub fn is_beyond(self, before: Self) -> bool {
        match (self, before) {
            (Self::Offset(now), Self::Offset(before)) => now > before,
            (Self::Sequence(now), Self::Sequence(before)) => now.wrapping_sub(before).cast_signed() > 0,
            (Self::Offset(_), Self::Sequence(_)) | (Self::Sequence(_), Self::Offset(_)) => false,
        }
    }

    /// The same of a stream that begins with that sequence number; `None` for what is too far away to be of it.
    pub fn of_stream_from(self, first: u32) -> Option<Self> {
        match self {
            Self::Offset(_) => Some(self),
            Self::Sequence(up_to) => {
                let distance = up_to.wrapping_sub(first).cast_signed();
                (distance.unsigned_abs() < MAX_WINDOW).then_some(Self::Offset(distance.into()))
            }
        }
    }
}

/// Windows reach 1 GiB (RFC 7323 §2.3).
const MAX_WINDOW: u32 = 1 << 30;

/// Segments whose acknowledgments are remembered: those that are held behind a hole, and a few more.
const MOST: usize = 64;

/// What the last segments acknowledged, those that are unread and a few more.
#[derive(Clone, Debug, Default)]
pub(super) struct Acknowledgments(VecDeque<Segment>);

/// A segment's payload, in stream offsets.
#[derive(Clone, Copy, Debug)]
struct Segment {
    begin: u64,
    end: u64,
    acknowledged: Acknowledged,
}

impl Acknowledgments {
    /// Remembers what a segment acknowledged, and forgets those that were read up to an offset.
    pub(super) fn note(&mut self, begin: u64, end: u64, acknowledged: Acknowledged, read: u64) {
        while self.0.len() == MOST || self.0.front().is_some_and(|oldest| oldest.end <= read) {
            self.0.pop_front();
        }
        self.0.push_back(Segment { begin, end, acknowledged });
    }

    /// Of the segment that carried the octet at an offset; the first one, where it was sent again.
    pub(super) fn at(&self, offset: u64) -> Option<Acknowledged> {
        let carries = |segment: &&Segment| (segment.begin..segment.end).contains(&offset);
        self.0.iter().find(carries).map(|segment| segment.acknowledged)
    }

    /// The other stream begins with that sequence number.
    pub(super) fn begin_at(&mut self, first: u32) {
        self.0.retain_mut(|segment| {
            let placed = segment.acknowledged.of_stream_from(first);
            placed.is_some_and(|placed| {
                segment.acknowledged = placed;
                true
            })
        });
    }

    /// What they take, in octets.
    pub(super) fn memory(&self) -> usize {
        self.0.len() * size_of::<Segment>()
    }
}

#[cfg(test)]
mod tests {
    use super::Acknowledged::{Offset, Sequence};
    use super::*;

    #[test]
    fn segments_are_remembered_until_they_are_read_and_not_too_many() {
        let mut notes = Acknowledgments::default();
        (0..70).for_each(|n| notes.note(n * 100, n * 100 + 100, Offset(n as i64), 0));
        assert_eq!([599, 600, 650, 7000].map(|offset| notes.at(offset)), [None, Some(Offset(6)), Some(Offset(6)), None]);
        notes.note(7000, 7100, Offset(70), 6900);
        assert_eq!((notes.at(6899), notes.at(6900), notes.0.len()), (None, Some(Offset(69)), 2));
        // Sent again, it acknowledges more; what counts is when its octets were said.
        notes.note(7000, 7200, Offset(90), 6900);
        assert_eq!((notes.at(7099), notes.at(7100)), (Some(Offset(70)), Some(Offset(90))));
    }

    #[test]
    fn sequence_numbers_become_offsets_when_their_stream_begins() {
        let (early, late) = (Sequence(u32::MAX - 9), Sequence(20));
        assert!(late.is_beyond(early) && !early.is_beyond(late) && !late.reaches(0));
        assert_eq!([early, late].map(|sequence| sequence.of_stream_from(5)), [Some(Offset(-15)), Some(Offset(15))]);
        assert_eq!(late.of_stream_from(1 << 31), None);
        let late = Offset(15);
        assert!(late.is_at(15) && late.reaches(15) && !late.reaches(16) && !Offset(-15).reaches(0));
    }
}
