//! Units of metrics: told by their names, read from budgets, shown with values.

use crate::options::{decimal, tenths, thousands};

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Octets.
    Bytes,
    /// Seconds.
    Seconds,
    /// A part of a whole: 1 is all of it.
    Share,
    /// A part of a whole in per cent.
    Percent,
    /// How many times one is the other.
    Ratio,
    /// Things.
    Count,
}

/// What stands in a distribution, in the unit of the distribution (`count` apart).
const OF_DISTRIBUTIONS: [&str; 9] = ["mean", "min", "max", "p50", "p90", "p95", "p99", "stddev", "count"];

/// Names of sums of octets that do not say so themselves.
const OCTETS: [&str; 10] =
    ["setup", "upgrade", "acknowledgements", "retransmissions", "keep_alive", "liveness", "teardown", "unattributed", "buckets", "not_tcp"];

impl Unit {
    /// The unit of a metric, by its path in the report (docs/formats.md).
    pub fn of(path: &str) -> Self {
        let mut names = path.rsplit('.');
        let last = names.next().unwrap_or_default();
        let name = match last {
            "count" => return Self::Count,
            name if OF_DISTRIBUTIONS.contains(&name) => names.next().unwrap_or_default(),
            name => name,
        };
        let is_within = |part: &str| path.split('.').any(|name| name.starts_with(part));
        if is_within("share") || name.ends_with("_share") || name == "efficiency" {
            Self::Share
        } else if name.ends_with("percent") {
            Self::Percent
        } else if name.ends_with("ratio") {
            Self::Ratio
        } else if name.ends_with("_s") {
            Self::Seconds
        } else if name.contains("bytes") || OCTETS.contains(&name) || path.starts_with("conservation.") {
            Self::Bytes
        } else {
            Self::Count
        }
    }

    /// What values of the unit are written with.
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Bytes => "bytes, such as 120, \"120 B\" or \"2 KiB\"",
            Self::Seconds => "seconds, such as 0.15, \"150 ms\" or \"2 s\"",
            Self::Share => "a part of a whole, such as 0.05 or \"5%\"",
            Self::Percent => "per cent, such as 5 or \"5%\"",
            Self::Ratio => "a ratio, such as 1.5",
            Self::Count => "a number, such as 100",
        }
    }

    /// A value as budgets give it: a number, with or without a unit that fits.
    pub fn parse(self, text: &str) -> Option<f64> {
        let (number, suffix) = split(text)?;
        let factor = match (self, suffix) {
            (_, "") => return self.of_plain(number),
            (Self::Bytes, suffix) => BYTES.iter().find(|(name, _)| name.eq_ignore_ascii_case(suffix))?.1,
            (Self::Seconds, suffix) => SECONDS.iter().find(|(name, _)| *name == suffix)?.1,
            (Self::Share, "%") => 0.01,
            (Self::Percent, "%") => 1.0,
            (Self::Ratio, "x" | "×") => 1.0,
            _ => return None,
        };
        Some(number * factor)
    }

    /// A number that was given without a unit. A part of a whole that is more than all of it is most likely meant in per cent: then
    /// that has to be said.
    pub fn of_plain(self, number: f64) -> Option<f64> {
        let is_meant = self != Self::Share || number.abs() <= 1.0;
        (number.is_finite() && is_meant).then_some(number)
    }

    /// A value for people, as exact as it takes to tell it from another one.
    pub fn show_beside(self, value: f64, other: f64) -> String {
        let shown = self.show(value);
        if value == other || shown != self.show(other) {
            return shown;
        }
        let factor = if self == Self::Share { 100.0 } else { 1.0 };
        let exact = decimal(told_apart(value * factor, other * factor));
        match self {
            Self::Bytes => format!("{exact} B"),
            Self::Seconds => format!("{exact} s"),
            Self::Share | Self::Percent => format!("{exact} %"),
            Self::Ratio | Self::Count => exact,
        }
    }

    /// A value for people.
    pub fn show(self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        let size = value.abs();
        match self {
            Self::Bytes => format!("{sign}{} B", plain(size)),
            Self::Seconds if size == 0.0 => "0 s".into(),
            Self::Seconds if size < 1e-3 => format!("{sign}{} µs", plain(size * 1e6)),
            Self::Seconds if size < 1.0 => format!("{sign}{} ms", plain(size * 1e3)),
            Self::Seconds => format!("{sign}{} s", plain(size)),
            Self::Share => format!("{} %", tenths(value * 100.0)),
            Self::Percent => format!("{} %", tenths(value)),
            Self::Ratio => format!("{value:.2}"),
            Self::Count => format!("{sign}{}", plain(size)),
        }
    }
}

const BYTES: [(&str, f64); 7] =
    [("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("KiB", 1024.0), ("MiB", 1024.0 * 1024.0), ("GiB", 1024.0 * 1024.0 * 1024.0)];

const SECONDS: [(&str, f64); 6] = [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0)];

/// Number and unit; `None` where there is no finite number.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+' | '_' | ',')).unwrap_or(text.len());
    if !is_grouped(&text[..end]) {
        return None;
    }
    let digits: String = text[..end].chars().filter(|c| !matches!(c, '_' | ',')).collect();
    let number: f64 = digits.parse().ok()?;
    number.is_finite().then_some((number, text[end..].trim()))
}

/// Whether commas stand between groups of three digits only, where they stand: elsewhere one may be meant for a point.
fn is_grouped(number: &str) -> bool {
    let whole = number.split('.').next().unwrap_or_default();
    let fraction = &number[whole.len()..];
    !fraction.contains(',') && whole.split(',').skip(1).all(|group| group.len() == 3)
}

/// A number rounded to six significant digits, as reports have it, or to as many as it takes to tell it from another one.
fn told_apart(number: f64, other: f64) -> f64 {
    let rounded = |number: f64, digits: usize| format!("{number:.digits$e}").parse().unwrap_or(number);
    let digits = (5..=16).find(|&digits| rounded(number, digits) != rounded(other, digits));
    digits.map_or(number, |digits| rounded(number, digits))
}

/// A number with separators, and one decimal where it is small and has one.
fn plain(number: f64) -> String {
    let tenths = (number * 10.0).round();
    if number >= 100.0 || tenths % 10.0 == 0.0 { thousands(number.round() as u64) } else { format!("{:.1}", tenths / 10.0) }
}

/// A relative bound: `5%` is 0.05.
pub(super) fn percentage(text: &str) -> Option<f64> {
    let (number, suffix) = split(text)?;
    (suffix == "%").then_some(number / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_by_names() {
        for (path, unit) in [
            ("websocket.per_message.overhead_bytes.p95", Unit::Bytes),
            ("websocket.per_message.overhead_bytes.count", Unit::Count),
            ("ajax.per_message.time_to_first_byte_s.mean", Unit::Seconds),
            ("ajax.shares_of_all_in.setup", Unit::Share),
            ("ajax.setup", Unit::Bytes),
            ("ajax.efficiency", Unit::Share),
            ("websocket.upgrades", Unit::Count),
            ("websocket.opcodes.ping.client_to_server", Unit::Count),
            ("comparison.all_in.wire.ratio", Unit::Ratio),
            ("comparison.all_in.wire.ajax_bytes", Unit::Bytes),
            ("findings.retransmissions.saving_percent", Unit::Percent),
            ("conservation.messages", Unit::Bytes),
            ("coverage.shares.understood", Unit::Share),
            ("time_to_answer.mean_s", Unit::Seconds),
            ("anomalies.lost_bytes.count", Unit::Count),
        ] {
            assert_eq!(Unit::of(path), unit, "{path}");
        }
    }

    #[test]
    fn values_are_read_with_units_that_fit_and_no_others() {
        for (unit, text, value) in [
            (Unit::Bytes, "120", Some(120.0)),
            (Unit::Bytes, "2 KiB", Some(2048.0)),
            (Unit::Bytes, "1.5kB", Some(1500.0)),
            (Unit::Bytes, "1,200 B", Some(1200.0)),
            (Unit::Bytes, "1,5", None),
            (Unit::Bytes, "1.000,5", None),
            (Unit::Share, "0.35", Some(0.35)),
            (Unit::Share, "35", None),
            (Unit::Share, "250%", Some(2.5)),
            (Unit::Bytes, "5 ms", None),
            (Unit::Bytes, "5%", None),
            (Unit::Seconds, "150 ms", Some(0.15)),
            (Unit::Seconds, "2min", Some(120.0)),
            (Unit::Seconds, "2 m", None),
            (Unit::Share, "5%", Some(0.05)),
            (Unit::Count, "10", Some(10.0)),
            (Unit::Count, "10 B", None),
            (Unit::Count, "", None),
            (Unit::Count, "many", None),
            (Unit::Count, "1e999", None),
        ] {
            assert_eq!(unit.parse(text), value, "{unit:?} {text}");
        }
        assert_eq!((percentage("5 %"), percentage("5")), (Some(0.05), None));
    }

    #[test]
    fn values_that_would_look_equal_are_shown_apart() {
        for (unit, value, other, shown) in [
            (Unit::Bytes, 1312.64, 1312.6, "1,312.64 B"),
            (Unit::Bytes, 1313.0, 1300.0, "1,313 B"),
            (Unit::Bytes, 204.9, 205.0, "204.9 B"),
            (Unit::Bytes, 205.0, 204.9, "205 B"),
            (Unit::Bytes, 1_312_640.4, 1_312_640.0, "1,312,640.4 B"),
            (Unit::Seconds, 0.01004, 0.01, "0.01004 s"),
            (Unit::Share, 0.35161, 0.352, "35.161 %"),
        ] {
            assert_eq!(unit.show_beside(value, other), shown);
        }
    }

    #[test]
    fn values_are_shown_with_their_units() {
        for (unit, value, shown) in [
            (Unit::Bytes, 65632.0, "65,632 B"),
            (Unit::Bytes, 89.25, "89.3 B"),
            (Unit::Bytes, -12.0, "-12 B"),
            (Unit::Seconds, 0.0935, "93.5 ms"),
            (Unit::Seconds, 0.000054, "54 µs"),
            (Unit::Seconds, 179.0, "179 s"),
            (Unit::Share, 0.762, "76.2 %"),
            (Unit::Share, 179.227, "17,922.7 %"),
            (Unit::Percent, 17922.7, "17,922.7 %"),
            (Unit::Ratio, 4.82022, "4.82"),
            (Unit::Count, 1234.0, "1,234"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
    }
}
