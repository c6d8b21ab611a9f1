//! Which octets of a sequence are there, whatever pieces brought them.

use std::collections::BTreeMap;
use std::ops::Range;

/// Stretches of octets that are there, by where they begin. Invariant: they neither overlap nor touch, so that there are as few as
/// there can be: what covers many pieces that follow each other meets one stretch.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<u64, u64>);

impl Coverage {
    /// Adds a range; what of it was not there yet, in order.
    ///
    /// The stretches that a range meets become one: over all calls, few more are looked at than ranges were added.
    pub(crate) fn add(&mut self, range: Range<u64>) -> Vec<Range<u64>> {
        let Range { start, end } = range;
        if start >= end {
            return Vec::new();
        }
        let before = self.0.range(..=start).next_back().map(|(&first, &last)| first..last).filter(|before| before.end >= start);
        if before.as_ref().is_some_and(|before| before.end >= end) {
            return Vec::new();
        }
        let mut all = before.unwrap_or(start..start);
        let mut gaps = Vec::new();
        while let Some((&next, &behind)) = self.0.range(start..=end).next() {
            if all.end < next {
                gaps.push(all.end..next);
            }
            self.0.remove(&next);
            all.end = behind;
        }
        if all.end < end {
            gaps.push(all.end..end);
            all.end = end;
        }
        self.0.insert(all.start, all.end);
        gaps
    }

    /// Forgets the stretches that end at or before an offset, behind which all further ranges begin.
    pub(crate) fn forget_before(&mut self, offset: u64) {
        while let Some(first) = self.0.first_entry().filter(|first| *first.get() <= offset) {
            first.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pieces_that_follow_each_other_are_one_stretch() {
        let mut coverage = Coverage::default();
        // Every other one, then those between, from behind.
        for start in (0..1000).step_by(2).chain((0..1000).rev().step_by(2)) {
            assert_eq!(coverage.add(start..start + 1).first(), Some(&(start..start + 1)));
        }
        assert_eq!(coverage.0, BTreeMap::from([(0, 1000)]));
        assert_eq!(coverage.add(0..1000), []);
        assert_eq!(coverage.add(10..1001).first(), Some(&(1000..1001)));
    }

    #[test]
    fn what_lies_before_an_offset_is_forgotten() {
        let mut coverage = Coverage::default();
        for start in [0, 10, 20] {
            coverage.add(start..start + 5);
        }
        coverage.forget_before(15);
        assert_eq!(coverage.0, BTreeMap::from([(20, 25)]));
    }

    proptest! {
        #[test]
        fn gaps_are_the_octets_that_were_not_there(ranges in prop::collection::vec((0u64..60, 0u64..20), 0..30)) {
            let (mut coverage, mut is_there) = (Coverage::default(), [false; 80]);
            for (start, len) in ranges {
                let gaps = coverage.add(start..start + len);
                let new: Vec<u64> = (start..start + len).filter(|&at| !is_there[at as usize]).collect();
                prop_assert_eq!(gaps.iter().cloned().flatten().collect::<Vec<_>>(), new);
                // Each is as long as it can be.
                prop_assert!(gaps.windows(2).all(|pair| pair[0].end < pair[1].start));
                is_there[start as usize..(start + len) as usize].fill(true);
                prop_assert!(coverage.0.iter().zip(coverage.0.iter().skip(1)).all(|((_, end), (start, _))| end < start));
            }
        }
    }
}
