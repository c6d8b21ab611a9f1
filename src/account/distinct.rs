//! How many different things there were, in bounded memory.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;

/// Up to this many different things the count is exact.
const KEPT: usize = 4096;

/// The seed is fixed, so that every run and every machine keeps the same hashes.
const HASHES: FixedState = FixedState::with_seed(0x7761_6765);

/// Counts different values: keeps the smallest hashes (k minimum values), which merge in any order to the same set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Distinct(BTreeSet<u64>);

impl Distinct {
    /// Adds a value.
    pub(super) fn add(&mut self, value: &impl Hash) {
        self.insert(HASHES.hash_one(value));
    }

    fn insert(&mut self, hash: u64) {
        self.0.insert(hash);
        if self.0.len() > KEPT {
            self.0.pop_last();
        }
    }

    /// How many different values were added: exact up to 4096, then an estimate within about 2 %.
    pub(super) fn count(&self) -> u64 {
        match self.0.last() {
            Some(&largest) if self.0.len() == KEPT => ((KEPT as f64 - 1.0) * (u64::MAX as f64 / largest as f64)).round() as u64,
            _ => self.0.len() as u64,
        }
    }
}

impl std::ops::AddAssign<&Self> for Distinct {
    fn add_assign(&mut self, other: &Self) {
        other.0.iter().for_each(|&hash| self.insert(hash));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_exactly_then_nearly() {
        let mut distinct = Distinct::default();
        for value in (0..1000_u32).chain(0..1000) {
            distinct.add(&value);
        }
        assert_eq!(distinct.count(), 1000);
        (0..100_000_u32).for_each(|value| distinct.add(&value));
        assert!(distinct.count().abs_diff(100_000) < 5_000, "{}", distinct.count());
    }
}
