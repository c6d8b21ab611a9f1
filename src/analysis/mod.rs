//! What the sums mean: which exchanges are Ajax, how the sides compare, and what one would have cost as the other.

pub mod ajax;
pub mod break_even;
pub mod comparison;
pub mod counterfactual;
pub mod findings;
pub mod polling;

/// A number rounded to six significant digits, as reports print ratios and means; `None` where there is none (÷ 0).
pub fn six_digits(number: f64) -> Option<f64> {
    number.is_finite().then(|| format!("{number:.5e}").parse().ok()).flatten()
}

/// Part ÷ whole to six significant digits; `None` where the whole is 0.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    six_digits(part as f64 / whole as f64)
}

/// A mean, rounded to the nearest whole.
pub(crate) fn rounded_mean(sum: u64, count: u64) -> u64 {
    sum.saturating_add(count / 2).checked_div(count).unwrap_or_default()
}

/// Singular or plural.
pub(crate) fn plural(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}
