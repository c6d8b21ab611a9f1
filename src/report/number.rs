//! Numbers as people read them.

pub(super) use crate::options::{tenths, thousands};

/// A mean of octets: whole from 100 on, one decimal below where it has one.
pub(super) fn mean(number: f64) -> String {
    let tenths = (number * 10.0).round() as u64;
    if number >= 100.0 || tenths.is_multiple_of(10) { thousands(number.round() as u64) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// How many times one is the other: `7.5`, `120`.
pub(super) fn times(ratio: f64) -> String {
    match ratio {
        100.0.. => thousands(ratio.round() as u64),
        _ if ratio > 0.0 && ratio < 0.05 => "<0.1".into(),
        _ => format!("{ratio:.1}"),
    }
}

/// A part of 1 in per cent with one decimal: `12.3 %`; a dash where there is none. What is not nothing, or not all, is not said to be.
pub(super) fn percent(part: Option<f64>) -> String {
    match part {
        None => DASH.into(),
        Some(part) if part > 0.0 && part < 0.0005 => "<0.1 %".into(),
        Some(part) if part < 0.0 && part > -0.0005 => ">-0.1 %".into(),
        Some(part) if (0.9995..1.0).contains(&part) => ">99.9 %".into(),
        Some(part) => format!("{} %", tenths(part * 100.0)),
    }
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
        s if s >= 3599.5 => {
            let minutes = ((s + 0.5) / 60.0) as u64;
            format!("{} h {} min", thousands(minutes / 60), minutes % 60)
        }
        s if s >= 99.95 => format!("{s:.0} s"),
        s if s >= 0.99995 => format!("{s:.1} s"),
        s if s >= 0.0009995 => format!("{:.1} ms", s * 1e3),
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
        assert_eq!(seconds(692_325_120.0), "192,312 h 32 min");
        assert_eq!(percent(Some(179.227)), "17,922.7 %");
        assert_eq!([3599.7, 99.97, 0.99996, 0.0009996].map(seconds), ["1 h 0 min", "100 s", "1.0 s", "1.0 ms"]);
        assert_eq!((percent(Some(0.125)), percent(None)), ("12.5 %".into(), DASH.into()));
        assert_eq!(
            [-0.0006, -0.0004, 0.0, 0.0004, 0.9994, 0.9996, 1.0, 1.0004].map(|part| percent(Some(part))),
            ["-0.1 %", ">-0.1 %", "0.0 %", "<0.1 %", "99.9 %", ">99.9 %", "100.0 %", "100.0 %"]
        );
        assert_eq!([0.0, 0.04, 7.54, 1605.2].map(times), ["0.0", "<0.1", "7.5", "1,605"]);
    }
}
