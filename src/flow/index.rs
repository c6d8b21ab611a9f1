//! Where connections lie, by their keys.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::packet::{ConnectionKey, PlainKey};

/// Slots of connections by key.
///
/// Most connections are of IPv4 and in no tunnel: their keys take 12 of the 44 octets that a key may take, and an entry is a
/// quarter of a cache line. A slot has 32 bits: so many connections fit in no memory.
#[derive(Debug, Default)]
pub(super) struct Index {
    // The seed decides where an entry lies, never an output: the maps are not iterated for rows.
    plain: HashMap<PlainKey, u32, RandomState>,
    other: HashMap<ConnectionKey, u32, RandomState>,
}

impl Index {
    /// Connections in it.
    pub(super) fn len(&self) -> usize {
        self.plain.len() + self.other.len()
    }

    #[inline]
    pub(super) fn get(&self, key: &ConnectionKey) -> Option<u32> {
        match key.plain() {
            Some(plain) => self.plain.get(&plain).copied(),
            None => self.get_other(key),
        }
    }

    #[inline(never)]
    fn get_other(&self, key: &ConnectionKey) -> Option<u32> {
        self.other.get(key).copied()
    }

    pub(super) fn insert(&mut self, key: ConnectionKey, slot: u32) {
        match key.plain() {
            Some(plain) => self.plain.insert(plain, slot),
            None => self.other.insert(key, slot),
        };
    }

    pub(super) fn remove(&mut self, key: &ConnectionKey) {
        match key.plain() {
            Some(plain) => self.plain.remove(&plain),
            None => self.other.remove(key),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_of_other_networks_are_other_keys() {
        let (plain, _) = ConnectionKey::v4((1, 80), (2, 81));
        let (wide, _) = ConnectionKey::v6((1, 80), (2, 81));
        let keys = [plain, plain.within(7), wide, wide.within(7)];
        let mut index = Index::default();
        keys.iter().zip(0..).for_each(|(key, slot)| index.insert(*key, slot));
        assert_eq!((keys.map(|key| index.get(&key)), index.len()), ([Some(0), Some(1), Some(2), Some(3)], 4));
        keys[..3].iter().for_each(|key| index.remove(key));
        assert_eq!((keys.map(|key| index.get(&key)), index.len()), ([None, None, None, Some(3)], 1));
    }
}
