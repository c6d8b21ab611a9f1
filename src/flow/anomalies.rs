//! The oddities of one connection.

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::AnomalyDetails;

/// Kinds met on a connection, with their count, first frame and where that lies; most connections have none.
#[derive(Clone, Debug, Default)]
pub(super) struct AnomalyLog(Vec<(AnomalyKind, u64, u64)>, AnomalyDetails);

impl AnomalyLog {
    /// Counts one oddity at a frame. Where that comes before the first one known, the place of that is not the first any more.
    pub(super) fn add(&mut self, kind: AnomalyKind, frame: u64) {
        match self.0.iter_mut().find(|(known, _, _)| *known == kind) {
            Some((_, count, first)) => {
                *count += 1;
                if frame < *first {
                    *first = frame;
                    self.1.remove(kind);
                }
            }
            None => self.0.push((kind, 1, frame)),
        }
    }

    /// Counts every kind of a set once.
    pub(super) fn add_set(&mut self, set: AnomalySet, frame: u64) {
        if !set.is_empty() {
            set.iter().for_each(|kind| self.add(kind, frame));
        }
    }

    /// Counts every kind of a row's set once, each at its own place; one that has none at a frame.
    #[inline]
    pub(super) fn add_row(&mut self, set: AnomalySet, details: &AnomalyDetails, frame: u64) {
        if !set.is_empty() {
            set.iter().for_each(|kind| self.add_of_row(kind, details, frame));
        }
    }

    fn add_of_row(&mut self, kind: AnomalyKind, details: &AnomalyDetails, frame: u64) {
        let detail = details.of_kind(kind);
        let frame = detail.and_then(|detail| detail.place.frame).unwrap_or(frame);
        let is_first = self.0.iter().all(|&(known, _, first)| known != kind || frame <= first);
        self.add(kind, frame);
        // Rows whose content waited come behind those that did not: of one frame the first octet counts.
        let known = self.1.of_kind(kind).filter(|known| known.place.frame == Some(frame)).map(|known| known.place.stream_offset);
        if let Some(detail) = detail.filter(|detail| is_first && known.is_none_or(|known| detail.place.stream_offset < known)) {
            self.1.set(*detail);
        }
    }

    /// All of them, by kind.
    pub(super) fn take(&mut self) -> (Vec<(AnomalyKind, u64, u64)>, AnomalyDetails) {
        self.0.sort_unstable();
        (std::mem::take(&mut self.0), std::mem::take(&mut self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Direction;
    use crate::stream::Place;

    /// A log of losses: of segments at frames, and of a row at frame 4 that knows its place.
    fn log(frames: &[u64], row_at: usize) -> (Vec<(AnomalyKind, u64, u64)>, AnomalyDetails) {
        let kinds = AnomalySet::from_iter([AnomalyKind::LostBytes]);
        let mut row = AnomalyDetails::default();
        row.add(kinds, Direction::ServerToClient, Place { stream_offset: 40, frame: Some(4) });
        let mut log = AnomalyLog::default();
        for (at, &frame) in frames.iter().enumerate() {
            if at == row_at {
                log.add_row(kinds, &row, 9);
            }
            log.add(AnomalyKind::LostBytes, frame);
        }
        if row_at == frames.len() {
            log.add_row(kinds, &row, 9);
        }
        log.take()
    }

    #[test]
    fn place_is_that_of_the_first_in_whatever_order_they_come() {
        for (frames, has_place) in [([7, 5], true), ([5, 4], true), ([7, 3], false), ([3, 7], false)] {
            for row_at in 0..=2 {
                let (counts, details) = log(&frames, row_at);
                assert_eq!(counts, [(AnomalyKind::LostBytes, 3, frames[0].min(frames[1]).min(4))]);
                assert_eq!(details.of_kind(AnomalyKind::LostBytes).is_some(), has_place, "{frames:?}, row {row_at}");
            }
        }
    }

    #[test]
    fn place_is_that_of_the_first_octet_where_one_frame_carried_several() {
        let kinds = AnomalySet::from_iter([AnomalyKind::InvalidUtf8]);
        for offsets in [[40, 60], [60, 40]] {
            let mut log = AnomalyLog::default();
            for stream_offset in offsets {
                let mut row = AnomalyDetails::default();
                row.add(kinds, Direction::ServerToClient, Place { stream_offset, frame: Some(4) });
                log.add_row(kinds, &row, 9);
            }
            let (_, details) = log.take();
            assert_eq!(details.of_kind(AnomalyKind::InvalidUtf8).map(|detail| detail.place.stream_offset), Some(40), "{offsets:?}");
        }
    }
}
