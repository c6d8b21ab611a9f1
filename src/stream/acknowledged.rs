//! What segments of one stream acknowledged of the other: who said what after having heard what.

use std::collections::VecDeque;

/// How far the other stream had been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// Up to that stream offset; below 0 before the first octet that was captured.
    Offset(i64),
    /// Up to that sequence number of a stream of which nothing had been captured.
    Sequence(u32),
    /// It is not remembered any more.
    Forgotten,
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
            (Self::Offset(_) | Self::Sequence(_) | Self::Forgotten, _) => false,
        }
    }

    /// The same of a stream that begins with that sequence number; `None` for what is too far away to be of it.
    pub fn of_stream_from(self, first: u32) -> Option<Self> {
        match self {
            Self::Offset(_) | Self::Forgotten => Some(self),
            Self::Sequence(up_to) => {
                let distance = up_to.wrapping_sub(first).cast_signed();
                (distance.unsigned_abs() < MAX_WINDOW).then_some(Self::Offset(distance.into()))
            }
        }
    }
}

/// Windows reach 1 GiB (RFC 7323 §2.3).
const MAX_WINDOW: u32 = 1 << 30;

/// Runs of segments with the same acknowledgment that are remembered: as many as may be held behind a hole before it is given up, where
/// time stands still, and as many again.
const MOST: usize = 1024;

/// What the last segments acknowledged, those that are unread and a few more.
#[derive(Clone, Debug, Default)]
pub(super) struct Acknowledgments {
    segments: VecDeque<Segments>,
    /// Stream offset before which nothing is remembered.
    forgotten: u64,
}

/// The payload of segments one behind the other, in stream offsets.
#[derive(Clone, Copy, Debug)]
struct Segments {
    begin: u64,
    end: u64,
    acknowledged: Acknowledged,
}

impl Acknowledgments {
    /// Remembers what a segment acknowledged, and forgets those that were read up to an offset.
    pub(super) fn note(&mut self, begin: u64, end: u64, acknowledged: Acknowledged, read: u64) {
        while self.segments.front().is_some_and(|oldest| oldest.end <= read) {
            self.segments.pop_front();
        }
        if let Some(last) = self.segments.back_mut().filter(|last| last.end == begin && last.acknowledged == acknowledged) {
            last.end = end;
            return;
        }
        if self.segments.len() == MOST
            && let Some(oldest) = self.segments.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest.end);
        }
        self.segments.push_back(Segments { begin, end, acknowledged });
    }

    /// Of the segment that carried the octet at an offset; the first one, where it was sent again.
    pub(super) fn at(&self, offset: u64) -> Option<Acknowledged> {
        let carries = |segments: &&Segments| (segments.begin..segments.end).contains(&offset);
        let remembered = self.segments.iter().find(carries).map(|segments| segments.acknowledged);
        remembered.or_else(|| (offset < self.forgotten).then_some(Acknowledged::Forgotten))
    }

    /// The other stream begins with that sequence number.
    pub(super) fn begin_at(&mut self, first: u32) {
        self.segments.retain_mut(|segment| {
            let placed = segment.acknowledged.of_stream_from(first);
            placed.is_some_and(|placed| {
                segment.acknowledged = placed;
                true
            })
        });
    }

    /// What they take, in octets.
    pub(super) fn memory(&self) -> usize {
        self.segments.len() * size_of::<Segments>()
    }
}

#[cfg(test)]
mod tests {
    use super::Acknowledged::{Forgotten, Offset, Sequence};
    use super::*;

    #[test]
    fn segments_are_remembered_until_they_are_read_and_not_too_many() {
        let mut notes = Acknowledgments::default();
        (0..1030).for_each(|n| notes.note(n * 100, n * 100 + 100, Offset(n as i64), 0));
        assert_eq!([599, 600, 650, 103_000].map(|offset| notes.at(offset)), [Some(Forgotten), Some(Offset(6)), Some(Offset(6)), None]);
        notes.note(103_000, 103_100, Offset(1030), 102_900);
        assert_eq!((notes.at(102_900), notes.segments.len()), (Some(Offset(1029)), 2));
        // Sent again, it acknowledges more; what counts is when its octets were said.
        notes.note(103_000, 103_200, Offset(1050), 102_900);
        assert_eq!((notes.at(103_099), notes.at(103_100)), (Some(Offset(1030)), Some(Offset(1050))));
    }

    #[test]
    fn segments_of_one_message_are_one() {
        let mut notes = Acknowledgments::default();
        (0..1000).for_each(|n| notes.note(n * 100, n * 100 + 100, Offset(7), 0));
        assert_eq!((notes.at(0), notes.at(99_999), notes.segments.len()), (Some(Offset(7)), Some(Offset(7)), 1));
        assert!(!Forgotten.reaches(0) && !Forgotten.is_at(0) && !Offset(1).is_beyond(Forgotten) && !Forgotten.is_beyond(Offset(1)));
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
