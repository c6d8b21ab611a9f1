//! The oddities of one connection.

use crate::anomaly::{AnomalyKind, AnomalySet};

/// Kinds met on a connection, with their count and first frame; most connections have none.
#[derive(Clone, Debug, Default)]
pub(super) struct AnomalyLog(Vec<(AnomalyKind, u64, u64)>);

impl AnomalyLog {
    /// Counts one oddity at a frame.
    pub(super) fn add(&mut self, kind: AnomalyKind, frame: u64) {
        match self.0.iter_mut().find(|(known, _, _)| *known == kind) {
            Some((_, count, first)) => {
                *count += 1;
                *first = (*first).min(frame);
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

    /// All of them, by kind.
    pub(super) fn take(&mut self) -> Vec<(AnomalyKind, u64, u64)> {
        self.0.sort_unstable();
        std::mem::take(&mut self.0)
    }
}
