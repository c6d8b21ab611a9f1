//! Distributions that merge in any order to the same value: an HDR histogram with exact count, sum, minimum and maximum beside it.

/// Values below 2048 have a counter each; above, every power of two has 1024. That is HDR's layout for three significant digits:
/// a quantile is at most 0.1 % too large, and most messages are small enough to be exact.
const LINEAR_BITS: u32 = 11;

/// Counters for each power of two above.
const HALF: usize = 1 << (LINEAR_BITS - 1);

/// Values above are counted as this one (1 TiB, or 18 minutes of nanoseconds): a bound on the histogram's memory, 248 KiB at
/// most. The exact figures beside it are not bounded.
const HIGHEST: u64 = 1 << 40;

/// How values are distributed. Takes no memory before the first value, and as much as the largest one needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    sum: u64,
    /// `u64::MAX` without a value.
    min: u64,
    max: u64,
    /// As long as [`len_for`] the largest value, so that equal distributions have equal counters.
    counters: Vec<u64>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { sum: 0, min: u64::MAX, max: 0, counters: Vec::new() }
    }
}

/// The counter of a value: its leading eleven bits, below them the power of two.
#[inline]
fn index_of(value: u64) -> usize {
    let value = value.min(HIGHEST);
    let power = (u64::BITS - value.leading_zeros()).saturating_sub(LINEAR_BITS);
    power as usize * HALF + (value >> power) as usize
}

/// The largest value that a counter counts.
fn highest_of(index: usize) -> u64 {
    let power = (index / HALF).saturating_sub(1);
    (((index - power * HALF + 1) as u64) << power) - 1
}

/// Counters up to the end of the value's power of two.
fn len_for(value: u64) -> usize {
    (index_of(value) / HALF + 1).max(2) * HALF
}

/// The figures that a report prints. A quantile is the smallest value such that at least that part of all values is not
/// larger (nearest rank), to three significant digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Values.
    pub count: u64,
    /// Exact mean.
    pub mean: f64,
    /// Standard deviation of the values (population), as exact as the quantiles.
    pub stddev: f64,
    /// Exact minimum.
    pub min: u64,
    /// Median.
    pub p50: u64,
    /// 90 % are not larger.
    pub p90: u64,
    /// 95 % are not larger.
    pub p95: u64,
    /// 99 % are not larger.
    pub p99: u64,
    /// Exact maximum.
    pub max: u64,
}

impl Distribution {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: u64) {
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        match self.counters.get_mut(index_of(value)) {
            Some(counter) => *counter += 1,
            None => self.add_grown(value),
        }
    }

    #[cold]
    fn add_grown(&mut self, value: u64) {
        self.counters.resize(len_for(value), 0);
        self.counters[index_of(value)] += 1;
    }

    /// Adds a duration in seconds, as nanoseconds; negative ones (the capture clock stepped back) tell nothing and are left out.
    pub fn add_seconds(&mut self, seconds: Option<f64>) {
        if let Some(seconds) = seconds
            && seconds >= 0.0
        {
            self.add((seconds * 1e9).round() as u64);
        }
    }

    /// Values added.
    pub fn count(&self) -> u64 {
        self.counters.iter().sum()
    }

    /// Their exact sum.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The figures of a report; `None` without a value.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let values = self.values();
        let count = values.iter().map(|&(_, times)| times).sum();
        if count == 0 {
            return None;
        }
        let at = |per_cent| self.value_at(per_cent, &values, count);
        Some(Quantiles {
            count,
            mean: self.sum as f64 / count as f64,
            stddev: deviation(&values, count),
            min: self.min,
            p50: at(50),
            p90: at(90),
            p95: at(95),
            p99: at(99),
            max: self.max,
        })
    }

    /// The values that counters stand for, and how often each was added, in their order. Most counters were never used, and
    /// there may be thousands: they are passed over once.
    fn values(&self) -> Vec<(u64, u64)> {
        let used = self.counters.iter().enumerate().filter(|(_, times)| **times > 0);
        used.map(|(index, &times)| (highest_of(index).clamp(self.min, self.max), times)).collect()
    }

    /// The smallest value such that at least `per_cent` of `count` values are not larger.
    fn value_at(&self, per_cent: u64, values: &[(u64, u64)], count: u64) -> u64 {
        let rank = (u128::from(count) * u128::from(per_cent)).div_ceil(100) as u64;
        let mut seen = 0;
        let found = values.iter().find(|(_, times)| {
            seen += times;
            seen >= rank
        });
        found.map_or(self.max, |&(value, _)| value)
    }
}

/// The same for equal distributions: the values come in their order.
fn deviation(values: &[(u64, u64)], count: u64) -> f64 {
    let values = || values.iter().map(|&(value, times)| (value as f64, times as f64));
    let mean = values().map(|(value, times)| value * times).sum::<f64>() / count as f64;
    let squares = values().map(|(value, times)| (value - mean) * (value - mean) * times).sum::<f64>();
    (squares / count as f64).sqrt()
}

impl std::ops::AddAssign<&Self> for Distribution {
    fn add_assign(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        if self.counters.len() < other.counters.len() {
            self.counters.resize(other.counters.len(), 0);
        }
        for (sum, part) in self.counters.iter_mut().zip(&other.counters) {
            *sum += part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_small_values_are_exact() {
        let mut distribution = Distribution::default();
        (1..=100).for_each(|value| distribution.add(value));
        // Nearest rank: the 50th, 90th, 95th and 99th of 1..=100; mean 5050 / 100.
        // Standard deviation: √((100² − 1) ÷ 12) = 28.866.
        let expected =
            Quantiles { count: 100, mean: 50.5, stddev: (9999.0_f64 / 12.0).sqrt(), min: 1, p50: 50, p90: 90, p95: 95, p99: 99, max: 100 };
        assert_eq!(distribution.quantiles(), Some(expected));
        assert_eq!(Distribution::default().quantiles(), None);
    }

    #[test]
    fn a_counter_holds_values_that_agree_in_three_digits() {
        for value in [0, 1, 2047, 2048, 2049, 4095, 4096, 1_000_000, HIGHEST - 1, HIGHEST] {
            let highest = highest_of(index_of(value));
            assert!(highest >= value && highest - value <= value / 1024, "{value}: {highest}");
            assert!(index_of(value) < len_for(value));
            assert_eq!(index_of(highest), index_of(value), "{value}");
            assert_eq!(index_of(highest + 1), index_of(value) + usize::from(highest < HIGHEST), "{value}");
        }
        assert_eq!(index_of(u64::MAX), index_of(HIGHEST));
    }

    #[test]
    fn parts_merge_in_any_order_to_the_same_value() {
        let values = [0, 1, 89, 429, 2047, 2048, 1 << 20, u64::MAX];
        let mut whole = Distribution::default();
        values.iter().for_each(|&value| whole.add(value));
        for cut in 0..=values.len() {
            let (mut left, mut right) = (Distribution::default(), Distribution::default());
            values[..cut].iter().for_each(|&value| left.add(value));
            values[cut..].iter().for_each(|&value| right.add(value));
            let mut reversed = right.clone();
            reversed += &left;
            left += &right;
            assert_eq!((&left, &reversed), (&whole, &whole), "cut at {cut}");
        }
    }
}
