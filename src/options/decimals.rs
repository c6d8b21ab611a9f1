//! Numbers with decimals as people read them.

use super::named::grouped;

/// A number with thousands separators and one decimal: `12,345.6`.
pub(crate) fn tenths(number: f64) -> String {
    // What rounds to nothing has no sign.
    let number = if number.abs() < 0.05 { 0.0 } else { number };
    grouped_before_point(&format!("{number:.1}"))
}

/// A number with thousands separators and all of its decimals: `1,312.64`.
pub(crate) fn decimal(number: f64) -> String {
    grouped_before_point(&number.to_string())
}

fn grouped_before_point(number: &str) -> String {
    let (sign, size) = number.strip_prefix('-').map_or(("", number), |size| ("-", size));
    let (digits, decimals) = size.split_at(size.find(|c: char| !c.is_ascii_digit()).unwrap_or(size.len()));
    format!("{sign}{}{decimals}", grouped(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_before_the_decimal_too() {
        assert_eq!([-0.06, -0.04, 0.04].map(tenths), ["-0.1", "0.0", "0.0"]);
        let numbers = [0.0, 999.94, 999.96, 17_922.7, -1_234_567.25, f64::INFINITY].map(tenths);
        assert_eq!(numbers, ["0.0", "999.9", "1,000.0", "17,922.7", "-1,234,567.2", "inf"]);
        assert_eq!([1312.64, 1234.0, 0.01004, f64::NEG_INFINITY].map(decimal), ["1,312.64", "1,234", "0.01004", "-inf"]);
    }
}
