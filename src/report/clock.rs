//! Capture times as RFC 3339, UTC, nanoseconds.

use super::digits::PADDED;
use super::line::Line;
use crate::stream::Timestamp;

const NANOSECONDS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Octets of a clock's prefix before the time, `,"time":"`, and of all of it.
const KEY_LEN: usize = 9;
const PREFIX_LEN: usize = KEY_LEN + 20;

/// Writes times; rows come in time order, so the date is worked out once a day of capture and the second once a second.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// When the second of `prefix` began.
    began: Option<i64>,
    day: Option<i64>,
    /// A member of a row as far as the second, and spaces.
    prefix: [u8; 32],
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: None, day: None, prefix: *b",\"time\":\"0000-00-00T00:00:00.   " }
    }
}

impl Clock {
    /// Such as `2016-07-27T21:13:34.000123456Z`: always nine digits, so that the texts sort like the times.
    pub(crate) fn text(&mut self, time: Timestamp) -> [u8; 30] {
        let ns = self.within_second(time);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        text[..20].copy_from_slice(&self.prefix[KEY_LEN..PREFIX_LEN]);
        text[20..23].copy_from_slice(&padded(ns / 1_000_000));
        text[23..26].copy_from_slice(&padded(ns / 1000 % 1000));
        text[26..29].copy_from_slice(&padded(ns % 1000));
        text
    }

    /// Appends the member `time` to a line, with a comma before it.
    #[inline(always)]
    pub(super) fn put(&mut self, line: &mut Line<'_>, time: Timestamp) {
        let ns = self.within_second(time);
        let below_milli = ns % 1_000_000;
        line.time(&self.prefix, PREFIX_LEN, [ns / 1_000_000, below_milli / 1000, below_milli % 1000]);
    }

    /// Nanoseconds since the second that `prefix` names from now on.
    #[inline(always)]
    fn within_second(&mut self, time: Timestamp) -> u32 {
        let mut ns = self.began.and_then(|began| time.0.checked_sub(began)).unwrap_or(-1);
        if !(0..NANOSECONDS).contains(&ns) {
            ns = time.0.rem_euclid(NANOSECONDS);
            self.began = time.0.checked_sub(ns);
            self.set_second(time.0.div_euclid(NANOSECONDS));
        }
        // Fits: below 10⁹.
        ns as u32
    }

    #[cold]
    fn set_second(&mut self, second: i64) {
        let day = second.div_euclid(DAY);
        let prefix = &mut self.prefix[KEY_LEN..];
        if self.day != Some(day) {
            let (year, month, date) = civil(day);
            decimal(&mut prefix[0..4], year);
            decimal(&mut prefix[5..7], month);
            decimal(&mut prefix[8..10], date);
            self.day = Some(day);
        }
        let of_day = second.rem_euclid(DAY) as u32;
        decimal(&mut prefix[11..13], of_day / 3600);
        decimal(&mut prefix[14..16], of_day / 60 % 60);
        decimal(&mut prefix[17..19], of_day % 60);
    }
}

/// Year, month and day of month of a day since 1970-01-01.
fn civil(day: i64) -> (u32, u32, u32) {
    // 64 bits of nanoseconds reach from 1677 to 2262: well within jiff's years.
    let time = jiff::Timestamp::from_second(day * DAY).expect("a day of the years 1677 to 2262");
    let date = jiff::tz::Offset::UTC.to_datetime(time);
    (date.year().unsigned_abs().into(), date.month().unsigned_abs().into(), date.day().unsigned_abs().into())
}

#[inline]
fn padded(number: u32) -> [u8; 3] {
    let [a, b, c, _] = PADDED[number as usize].to_le_bytes();
    [a, b, c]
}

/// Fills `digits` with the last decimal digits of a number.
fn decimal(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_clock(clock: &mut Clock, ns: i64) -> String {
        String::from_utf8(clock.text(Timestamp(ns)).to_vec()).expect("digits")
    }

    fn by_jiff(ns: i64) -> String {
        format!("{:.9}", jiff::Timestamp::from_nanosecond(i128::from(ns)).expect("in range"))
    }

    #[test]
    fn times_at_the_edges() {
        let mut clock = Clock::default();
        for ns in [0, -1, 1, i64::MIN, i64::MAX, 1_469_654_014_000_000_000, 951_782_400_000_000_000] {
            assert_eq!(by_clock(&mut clock, ns), by_jiff(ns));
        }
        assert_eq!(by_clock(&mut clock, 1_469_654_014_093_530_000), "2016-07-27T21:13:34.093530000Z");
    }

    proptest! {
        #[test]
        fn any_time_reads_as_jiff_reads_it(ns: i64, steps in proptest::collection::vec(-3_000_000_000i64..100_000_000_000_000, 0..8)) {
            // One clock over all of them: what it kept of an earlier time must not show in a later one.
            let mut clock = Clock::default();
            let mut ns = ns;
            prop_assert_eq!(by_clock(&mut clock, ns), by_jiff(ns));
            for step in steps {
                ns = ns.saturating_add(step);
                prop_assert_eq!(by_clock(&mut clock, ns), by_jiff(ns));
            }
        }
    }
}
