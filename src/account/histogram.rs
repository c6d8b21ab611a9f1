//! Distributions that merge in any order to the same value: an HDR histogram with exact count, sum, minimum and maximum beside it.

use hdrhistogram::Histogram;

/// Three significant digits: every value below 2048 is exact, and most messages are smaller than that.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Values above are counted as this one (1 TiB, or 18 minutes of nanoseconds): a bound on the histogram's memory, 264 KiB at
/// most. The exact figures beside it are not bounded.
const HIGHEST: u64 = 1 << 40;

/// How values are distributed. Takes no memory before the first value.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
    counts: Option<Box<Histogram<u64>>>,
}

/// The figures that a report prints. A quantile is the smallest value such that at least that part of all values is not
/// larger (nearest rank), to three significant digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Values.
    pub count: u64,
    /// Exact mean.
    pub mean: f64,
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
        if self.count == 0 {
            self.min = u64::MAX;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if self.counts.is_none() {
            self.counts = Histogram::new(SIGNIFICANT_DIGITS).ok().map(Box::new);
        }
        if let Some(counts) = &mut self.counts {
            // Not `saturating_record`: that clamps to the present size instead of growing. With the bound, growing succeeds.
            let _ = counts.record(value.min(HIGHEST));
        }
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
        self.count
    }

    /// Their exact sum.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The figures of a report; `None` without a value.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let counts = self.counts.as_ref()?;
        let at = |quantile| counts.value_at_quantile(quantile).clamp(self.min, self.max);
        Some(Quantiles {
            count: self.count,
            mean: self.sum as f64 / self.count as f64,
            min: self.min,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: self.max,
        })
    }
}

impl std::ops::AddAssign<&Self> for Distribution {
    fn add_assign(&mut self, other: &Self) {
        let Some(theirs) = &other.counts else { return };
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        match &mut self.counts {
            // Both grow on demand and hold nothing above the bound, so that adding succeeds.
            Some(ours) => drop(ours.add(&**theirs)),
            None => self.counts = Some(theirs.clone()),
        }
    }
}

impl PartialEq for Distribution {
    /// The same values, however the histograms grew.
    fn eq(&self, other: &Self) -> bool {
        let recorded = |distribution: &Self| {
            distribution
                .counts
                .iter()
                .flat_map(|c| c.iter_recorded())
                .map(|v| (v.value_iterated_to(), v.count_at_value()))
                .collect::<Vec<_>>()
        };
        (self.count, self.sum, self.min, self.max) == (other.count, other.sum, other.min, other.max) && recorded(self) == recorded(other)
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
        let expected = Quantiles { count: 100, mean: 50.5, min: 1, p50: 50, p90: 90, p95: 95, p99: 99, max: 100 };
        assert_eq!(distribution.quantiles(), Some(expected));
        assert_eq!(Distribution::default().quantiles(), None);
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
