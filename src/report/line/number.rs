//! Integers and decimals, from tables of three digits.

use super::{Line, MOST};
use crate::report::digits::{PADDED, SHORT};
use crate::report::encode;

/// The digits of a number of at most eight, the first in the lowest octet, and how many there are; `None` for 0 and what has more.
#[inline(always)]
pub(in crate::report) fn eight_digits(value: u64) -> Option<(u64, usize)> {
    let table = |table: &[u32; 1000], number: u32| u64::from(table[number as usize]);
    if value.wrapping_sub(1) >= 100_000_000 - 1 {
        return None;
    }
    // Fits: below 10⁸.
    let value = value as u32;
    let (digits, len) = if value < 1000 {
        let short = table(&SHORT, value);
        return Some((short, (short >> 24) as usize));
    } else if value < 1_000_000 {
        let short = table(&SHORT, value / 1000);
        (short & 0xff_ffff, (short >> 24) as usize)
    } else {
        let short = table(&SHORT, value / 1_000_000);
        let len = (short >> 24) as usize;
        // At most 99: their octets are two.
        (short & 0xffff | (table(&PADDED, value / 1000 % 1000) & 0xff_ffff) << (8 * len), len + 3)
    };
    // What is above its three digits is not among those that count.
    Some((digits | table(&PADDED, value % 1000) << (8 * len), len + 3))
}

#[inline(never)]
pub(super) fn large_number(mut line: Line<'_>, value: u64) -> usize {
    match eight_digits(value) {
        Some((digits, len)) => {
            *line.window() = digits.to_le_bytes();
            line.at += len;
        }
        None if value == 0 => line.put(b"0"),
        None => {
            line.with(|line| large_number(line, value / 1_000_000));
            let below_million = (value % 1_000_000) as usize;
            line.put_some(&PADDED[below_million / 1000].to_le_bytes(), 3);
            line.put_some(&PADDED[below_million % 1000].to_le_bytes(), 3);
        }
    }
    line.at
}

/// Fifteen octets of text, the first in the lowest octet, and how many count in the highest.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Short(pub(super) u128);

/// A number of seconds (or another small fraction) with at most nine decimals, as short as it goes; `None` from 4 on, and below 0.
#[inline(always)]
pub(in crate::report) fn short_decimal(value: f64) -> Option<Short> {
    let scaled = value * 1e9;
    // Rounded by the cast, which takes less than to 64 bits; `round` would be a call of a library.
    (0.0..4e9).contains(&scaled).then(|| seconds(((scaled + 0.5) as u32).into()))
}

/// Nanoseconds, less than ten seconds, as seconds, without zeros at the end.
#[inline(never)]
pub(in crate::report) fn seconds(ns: u64) -> Short {
    let (whole, fraction) = (ns / 1_000_000_000, (ns % 1_000_000_000) as u32);
    let below_million = fraction % 1_000_000;
    let group = |number: u32| u64::from(PADDED[number as usize]);
    let (milli, micro, nano) = (group(fraction / 1_000_000), group(below_million / 1000), group(below_million % 1000));
    // The highest octet of a group says how many digits there are without the zeros at the end.
    let digits = |group: u64| group & 0xff_ffff;
    let len = match (milli >> 24, micro >> 24, nano >> 24) {
        (0, 0, 0) => 1,
        (milli, 0, 0) => 2 + milli,
        (_, micro, 0) => 5 + micro,
        (_, _, nano) => 8 + nano,
    };
    let whole = u64::from(b'0') + (whole & 0xf);
    let lower = whole | u64::from(b'.') << 8 | digits(milli) << 16 | digits(micro) << 40;
    Short(u128::from(lower) | u128::from(digits(nano) | len << 56) << 64)
}

#[inline(never)]
pub(super) fn decimal(mut line: Line<'_>, value: f64) -> usize {
    let scaled = value.abs() * 1e9;
    if scaled >= 1e18 || scaled.is_nan() {
        return unusual_decimal(line, value);
    }
    let billionths = (scaled + 0.5) as u64;
    if value.is_sign_negative() && billionths > 0 {
        line.put(b"-");
    }
    line.number(billionths / 1_000_000_000);
    let Short(fraction) = seconds(billionths % 1_000_000_000);
    // Without the 0 before the point.
    let len = (fraction >> 120) as u8 - 1;
    line.put_some(&(fraction >> 8).to_le_bytes(), len);
    line.at
}

/// Appends what takes more than 64 bits, or is no number.
#[cold]
fn unusual_decimal(mut line: Line<'_>, value: f64) -> usize {
    let mut text = Vec::new();
    encode::decimal(&mut text, value);
    let len = text.len();
    line.window::<MOST>()[..len].copy_from_slice(&text);
    line.at + len
}
