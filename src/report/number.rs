//! Numbers as people read them.

pub(super) use crate::options::thousands;

/// A mean of octets: whole from 100 on, one decimal below where it has one.
pub(super) fn mean(number: f64) -> String {
    let tenths = (number * 10.0).round() as u64;
    if number >= 100.0 || tenths.is_multiple_of(10) { thousands(number.round() as u64) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// How many times one is the other: `7.5`, `12`.
pub(super) fn times(ratio: f64) -> String {
    if ratio >= 100.0 { thousands(ratio.round() as u64) } else { format!("{ratio:.1}") }
}

/// A part of 1 in per cent with one decimal: `12.3 %`; a dash where there is none.
pub(super) fn percent(part: Option<f64>) -> String {
    part.map_or(DASH.into(), |part| format!("{:.1} %", part * 100.0))
}

/// A mean that may not be there: a dash then.
pub(super) fn optional_mean(number: Option<f64>) -> String {
    number.map_or(DASH.into(), mean)
}

/// A number of a series: `1st`, `2nd`, `3rd`, `11th`.
pub(super) fn ordinal(number: u64) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{suffix}", thousands(number))
}

/// Seconds with a unit that fits: `93.5 ms`, `179 s`, `2 h 30 min`.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s >= 3600.0 => format!("{} h {} min", (s / 3600.0) as u64, (s % 3600.0 / 60.0) as u64),
        s if s >= 100.0 => format!("{s:.0} s"),
        s if s >= 1.0 => format!("{s:.1} s"),
        s if s >= 0.001 => format!("{:.1} ms", s * 1e3),
        s if s > 0.0 => format!("{:.0} µs", s * 1e6),
        _ => "0 s".into(),
    }
}

/// Stands for what is not known or does not apply.
pub(super) const DASH: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 6.04, 6.05, 99.96, 166.5, 12_345.4].map(mean), ["0", "6", "6.1", "100", "167", "12,345"]);
        assert_eq!([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
        assert_eq!([0.0, 0.0000935, 0.0935, 1.25, 179.0, 9000.0].map(seconds), ["0 s", "94 µs", "93.5 ms", "1.2 s", "179 s", "2 h 30 min"]);
        assert_eq!((percent(Some(0.125)), percent(None)), ("12.5 %".into(), DASH.into()));
    }
}
