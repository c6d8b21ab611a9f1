//! Packets that were captured twice: on Linux `any`, on both sides of a router, by a mirror port.
//!
//! The segments of the last moments are remembered by a fingerprint; a copy follows its packet closely. The first copy is
//! charged, the others are duplicates.

use std::hint::black_box;

use crate::packet::{CapturePoint, Segment, Words};

/// Sets of remembered segments; 4096 segments are far more than lie between two copies.
const SETS: usize = 1024;
const WAYS: usize = 4;

/// Copies come within this much capture time, in milliseconds: queues and clocks of two capturing hosts, not retransmission
/// timers, lie between them.
const WITHIN_MS: i64 = 1000;

/// A segment that was seen; all zero is none.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    fingerprint: u64,
    point: CapturePoint,
    /// Capture time in milliseconds, wrapped.
    time_ms: u32,
}

/// Segments of which one is replaced: a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set([Seen; WAYS]);

/// The segments seen last.
#[derive(Debug)]
pub(crate) struct Recent {
    sets: Vec<Set>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { sets: vec![Set::default(); SETS] }
    }
}

impl Recent {
    /// Whether this is a further copy of a packet that was captured before; remembers it otherwise.
    ///
    /// A packet that its sender numbered is known again wherever it appears. One that has no number is a copy where it
    /// appears at another place; at the same place the sender sent it again.
    #[inline]
    pub(crate) fn is_copy(&mut self, segment: &Segment<'_>, fingerprint: u64) -> bool {
        let is_numbered = segment.identity.identification != 0;
        self.is_seen(fingerprint, is_numbered, segment.identity.point, segment.frame.time.0 / 1_000_000)
    }

    /// Fetches what tells whether it is.
    #[inline]
    pub(crate) fn fetch(&self, fingerprint: u64) {
        black_box(self.sets[fingerprint as usize % SETS].0[0].fingerprint);
    }

    #[inline]
    fn is_seen(&mut self, fingerprint: u64, is_numbered: bool, point: CapturePoint, time_ms: i64) -> bool {
        let now = Seen { fingerprint, point, time_ms: time_ms as u32 };
        let Set(set) = &mut self.sets[fingerprint as usize % SETS];
        match set.iter_mut().find(|seen| seen.fingerprint == fingerprint) {
            Some(seen) if is_close(*seen, now) && (is_numbered || seen.point != point) => true,
            Some(seen) => {
                *seen = now;
                false
            }
            None => {
                *set = [now, set[0], set[1], set[2]];
                false
            }
        }
    }
}

/// Tells a segment from others.
#[inline]
pub(crate) fn fingerprint(Words([position, rest, addresses, ports]): Words) -> u64 {
    // Never two words that were not mixed on the same bits: addresses and first sequence numbers of a test may count up together.
    fold(fold(position, rest) ^ addresses, ports)
}

/// Both halves of a product: each bit of the input reaches all of the output.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xd1b5_4a32_d192_ed03);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn is_close(seen: Seen, now: Seen) -> bool {
    i64::from(now.time_ms.wrapping_sub(seen.time_ms).cast_signed()).abs() <= WITHIN_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(recent: &mut Recent, fingerprint: u64, is_numbered: bool, point: u32, ms: i64) -> bool {
        recent.is_seen(fingerprint, is_numbered, CapturePoint(point), ms)
    }

    #[test]
    fn a_numbered_packet_is_known_again_at_any_place() {
        let recent = &mut Recent::default();
        let seen = [(7, 1, 0), (7, 2, 1), (7, 1, 3), (8, 1, 3)].map(|(print, point, ms)| at(recent, print, true, point, ms));
        assert_eq!(seen, [false, true, true, false]);
    }

    #[test]
    fn a_packet_without_number_is_sent_again_where_it_passes_the_same_place_again() {
        let recent = &mut Recent::default();
        // Captured at places 1 and 2, and sent again 300 ms later.
        let seen = [(1, 0), (2, 1), (1, 300), (2, 301)].map(|(point, ms)| at(recent, 7, false, point, ms));
        assert_eq!(seen, [false, true, false, true]);
    }

    #[test]
    fn what_comes_a_second_later_is_no_copy() {
        let recent = &mut Recent::default();
        assert_eq!([at(recent, 7, true, 1, 0), at(recent, 7, true, 1, 1001)], [false, false]);
        // The clock may step back between two copies.
        assert!(at(recent, 7, true, 2, 900));
    }

    #[test]
    fn copies_are_known_behind_thousands_of_other_segments() {
        let recent = &mut Recent::default();
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
        let known = (1..=2000).filter(|&n| !at(recent, spread(n), true, 1, 0)).count();
        let again = (1..=2000).filter(|&n| at(recent, spread(n), true, 2, 0)).count();
        assert_eq!((known, again), (2000, 2000));
    }
}
