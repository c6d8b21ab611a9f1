//! Timestamps of a pcapng interface to nanoseconds since the Unix epoch.

use crate::stream::Timestamp;

const NS_PER_SECOND: i128 = 1_000_000_000;

/// How an interface counts time: `if_tsresol` and `if_tsoffset` (draft-ietf-opsawg-pcapng §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// Nanoseconds a tick and to add, where both are whole and fit: nearly always.
    fast: Option<(i64, i64)>,
    resolution: u8,
    offset: i64,
}

impl Clock {
    /// A clock of `resolution` (10⁻ⁿ s, or 2⁻ⁿ s with the top bit set) that starts `offset` seconds after the epoch.
    pub(super) fn new(resolution: u8, offset: i64) -> Self {
        let ns_per_tick = match resolution {
            0..=9 => Some(10_i64.pow(9 - u32::from(resolution))),
            _ => None,
        };
        Self { fast: ns_per_tick.zip(offset.checked_mul(1_000_000_000)), resolution, offset }
    }

    /// The time of a tick, rounded down to a nanosecond; saturates beyond the years 1677 and 2262.
    #[inline]
    pub(super) fn time(&self, high: u32, low: u32) -> Timestamp {
        let ticks = u64::from(high) << 32 | u64::from(low);
        let fast = self.fast.and_then(|(ns, offset)| i64::try_from(ticks).ok()?.checked_mul(ns)?.checked_add(offset));
        Timestamp(fast.unwrap_or_else(|| self.exact(ticks)))
    }

    fn exact(&self, ticks: u64) -> i64 {
        // 2⁶⁴ · 10⁹ is below 2⁹⁴: no product here overflows.
        let ns = i128::from(ticks) * NS_PER_SECOND;
        let exponent = u32::from(self.resolution & 0x7f);
        let ns = if self.resolution & 0x80 != 0 {
            ns >> exponent
        } else {
            // A power that does not fit is larger than any count: not a nanosecond has passed.
            10_i128.checked_pow(exponent).map_or(0, |ticks_per_second| ns / ticks_per_second)
        };
        let ns = ns + i128::from(self.offset) * NS_PER_SECOND;
        ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

impl Default for Clock {
    /// Microseconds since the epoch: what an interface without options means.
    fn default() -> Self {
        Self::new(6, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(resolution: u8, offset: i64, ticks: u64) -> i64 {
        Clock::new(resolution, offset).time((ticks >> 32) as u32, ticks as u32).0
    }

    #[test]
    fn the_drafts_example_is_a_day_in_2012() {
        // draft-ietf-opsawg-pcapng §4.6: 97 c3 04 00 aa 47 ca 64 is 2012-06-29 07:28:25.298858 UTC, 1 340 954 905 s.
        assert_eq!(Clock::default().time(0x0004_c397, 0x64ca_47aa), Timestamp(1_340_954_905_298_858_000));
    }

    #[test]
    fn powers_of_ten_scale_to_nanoseconds() {
        assert_eq!([ns(0, 0, 3), ns(3, 0, 3), ns(6, 0, 3), ns(9, 0, 3)], [3_000_000_000, 3_000_000, 3_000, 3]);
        // 12: picoseconds; 999 of them are not yet a nanosecond.
        assert_eq!([ns(12, 0, 999), ns(12, 0, 1000), ns(127, 0, u64::MAX)], [0, 1, 0]);
    }

    #[test]
    fn powers_of_two_scale_to_nanoseconds() {
        // 0x8a: 1024 ticks a second. 0x80: whole seconds. 0x9e: 2³⁰ a second.
        assert_eq!([ns(0x8a, 0, 1024), ns(0x8a, 0, 1), ns(0x80, 0, 7)], [1_000_000_000, 976_562, 7_000_000_000]);
        assert_eq!([ns(0x9e, 0, 1 << 30), ns(0xff, 0, u64::MAX)], [1_000_000_000, 0]);
    }

    #[test]
    fn offset_is_in_seconds_and_may_be_negative() {
        assert_eq!(ns(6, 3600, 1), 3_600_000_001_000);
        assert_eq!(ns(6, -3600, 1), -3_599_999_999_000);
        assert_eq!(ns(0x8a, -1, 512), -500_000_000);
    }

    #[test]
    fn times_that_do_not_fit_saturate() {
        assert_eq!(ns(6, 0, u64::MAX), i64::MAX);
        assert_eq!(ns(0, i64::MIN, 0), i64::MIN);
        assert_eq!(ns(9, i64::MAX, u64::MAX), i64::MAX);
    }
}
