//! Distributions that merge in any order to the same value: an HDR histogram with exact count, sum, minimum and maximum beside it.

/// Values below 2048 have a counter each; above, every power of two has 1024. That is HDR's layout for three significant digits:
/// a quantile is at most 0.1 % too large, and most messages are small enough to be exact.
const LINEAR_BITS: u32 = 11;

/// Counters for each power of two above.
const HALF: usize = 1 << (LINEAR_BITS - 1);

/// How values are distributed. Takes no memory before the first value, and 8 KiB for each power of two that values are of: 440 KiB
/// at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    sum: u64,
    squares: u128,
    /// `u64::MAX` without a value.
    min: u64,
    max: u64,
    /// Those of a power of two each (the first two of all values below 2048), up to the largest one that has any.
    counters: Vec<Option<Box<[u64; HALF]>>>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { sum: 0, squares: 0, min: u64::MAX, max: 0, counters: Vec::new() }
    }
}

/// Where the counter of a value is: which power of two, and its leading eleven bits but the first.
#[inline]
fn index_of(value: u64) -> (usize, usize) {
    let power = (u64::BITS - value.leading_zeros()).saturating_sub(LINEAR_BITS) as usize;
    let leading = (value >> power) as usize;
    (power + leading / HALF, leading % HALF)
}

/// The largest value that a counter counts.
fn highest_of((group, index): (usize, usize)) -> u64 {
    let power = group.saturating_sub(1);
    ((index + (group - power) * HALF) as u64) << power | ((1 << power) - 1)
}

/// The figures that a report prints. A quantile is the smallest value such that at least that part of all values is not
/// larger (nearest rank), to three significant digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Values.
    pub count: u64,
    /// Exact mean.
    pub mean: f64,
    /// Exact standard deviation of the values (population).
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
        self.squares = self.squares.saturating_add(u128::from(value) * u128::from(value));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let (group, index) = index_of(value);
        match self.counters.get_mut(group) {
            Some(Some(counters)) => counters[index] += 1,
            _ => self.group(group)[index] += 1,
        }
    }

    /// The counters of a power of two, made where there are none.
    #[cold]
    fn group(&mut self, group: usize) -> &mut [u64; HALF] {
        if self.counters.len() <= group {
            self.counters.resize(group + 1, None);
        }
        self.counters[group].get_or_insert_with(|| Box::new([0; HALF]))
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
        self.counters.iter().flatten().flat_map(|counters| counters.iter()).sum()
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
            stddev: deviation(self.sum, self.squares, count),
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
        let groups = self.counters.iter().enumerate().filter_map(|(group, counters)| Some((group, counters.as_deref()?)));
        let counters = groups.flat_map(|(group, counters)| (0..).zip(counters).map(move |(index, &times)| ((group, index), times)));
        let used = counters.filter(|(_, times)| *times > 0);
        used.map(|(index, times)| (highest_of(index).clamp(self.min, self.max), times)).collect()
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

/// From the sums of the values and of their squares: Σ (x − mean)² = Σ x² − (Σ x)² ÷ n, in integers, for the two may be close.
pub(super) fn deviation(sum: u64, squares: u128, count: u64) -> f64 {
    let (square, values) = (u128::from(sum) * u128::from(sum), u128::from(count));
    let about_mean = squares.saturating_sub(square / values) as f64 - (square % values) as f64 / count as f64;
    (about_mean.max(0.0) / count as f64).sqrt()
}

impl std::ops::AddAssign<&Self> for Distribution {
    fn add_assign(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
        for (group, part) in other.counters.iter().enumerate() {
            if let Some(part) = part {
                self.group(group).iter_mut().zip(&**part).for_each(|(sum, part)| *sum += part);
            }
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
        for value in [0, 1, 2047, 2048, 2049, 4095, 4096, 1_000_000, 1 << 40, (1 << 40) + 1, u64::MAX - 1, u64::MAX] {
            let highest = highest_of(index_of(value));
            assert!(highest >= value && highest - value <= value / 1024, "{value}: {highest}");
            assert_eq!(index_of(highest), index_of(value), "{value}");
            assert!(highest.checked_add(1).is_none_or(|next| index_of(next) > index_of(value)), "{value}");
        }
    }

    #[test]
    fn long_and_alike_durations_keep_their_digits() {
        let mut held = Distribution::default();
        [1200, 1500, 2000, 3000, 5000].iter().for_each(|seconds| held.add(seconds * 1_000_000_000));
        let quantiles = held.quantiles().expect("five values");
        // Squares about the mean of 2540 s: 9 432 000 s²; √(9 432 000 ÷ 5) = 1373.5 s.
        assert!((quantiles.stddev / 1e9 - (9_432_000.0_f64 / 5.0).sqrt()).abs() < 1e-6, "{}", quantiles.stddev);
        let within = |value: u64, seconds: u64| (seconds * 1_000_000_000..=seconds * 1_001_000_000).contains(&value);
        assert!(within(quantiles.p50, 2000) && within(quantiles.p90, 5000), "{quantiles:?}");
        // An hour each, 1 ms apart: √(2 ÷ 3) ms.
        let mut alike = Distribution::default();
        [0, 1, 2].iter().for_each(|ms| alike.add(3_600_000_000_000 + ms * 1_000_000));
        let deviation = alike.quantiles().expect("three values").stddev;
        assert!((deviation / 1e6 - (2.0_f64 / 3.0).sqrt()).abs() < 1e-6, "{deviation}");
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
