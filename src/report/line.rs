//! The parts of a row whose length has a bound, written at a fixed place: no capacity to check, no call to copy a few digits.

use std::io::Write;
use std::net::SocketAddr;

use super::digits::{PADDED, SHORT};
use super::encode;

/// Octets a part may take: the longest, that of a connection's `tcp`, takes less than 600 of keys and 22 numbers of at most 40.
/// (A power of two.)
const LEN: usize = 2048;

/// Octets that are put at a time, at most.
const MOST: usize = 128;

/// A part of a line being written.
#[derive(Clone, Debug)]
pub(super) struct Line {
    octets: [u8; LEN + MOST],
    /// Below [`LEN`], or too much was written: whoever takes it away sees to that.
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { octets: [0; LEN + MOST], len: 0 }
    }
}

impl Line {
    /// Appends octets of ours; their number is known to the compiler, so that this is a few moves.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, octets: &[u8; N]) {
        const { assert!(N <= MOST, "there is room for them at any place") };
        // The remainder changes nothing; with it, no bound has to be checked.
        let place = self.len % LEN;
        self.octets[place..place + N].copy_from_slice(octets);
        self.len += N;
    }

    /// Appends an integer.
    #[inline(never)]
    pub(super) fn number(&mut self, value: u64) {
        self.frequent_number(value);
    }

    /// The same in place: for rows that are so frequent that their code stays in the nearest cache.
    #[inline(always)]
    pub(super) fn frequent_number(&mut self, value: u64) {
        match SHORT.get(usize::try_from(value).unwrap_or(usize::MAX)) {
            Some(&digits) => self.short(digits),
            None => self.large_number(value),
        }
    }

    /// Appends as many digits as the highest octet says.
    #[inline(always)]
    fn short(&mut self, digits: u32) {
        let end = self.len + (digits >> 24) as usize;
        self.put(&digits.to_le_bytes());
        self.len = end;
    }

    #[inline(always)]
    fn padded(&mut self, number: u32) {
        self.put(&PADDED[number as usize].to_le_bytes());
        self.len -= 1;
    }

    fn large_number(&mut self, value: u64) {
        if value < 1_000_000 {
            // Fits: below 2³².
            let value = value as u32;
            self.short(SHORT[(value / 1000) as usize]);
            return self.padded(value % 1000);
        }
        self.number(value / 1000);
        self.padded((value % 1000) as u32);
    }

    /// Appends an integer, or `null`.
    #[inline]
    pub(super) fn optional_number(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.number(value),
            None => self.put(b"null"),
        }
    }

    /// Appends `true` or `false`.
    #[inline]
    pub(super) fn boolean(&mut self, value: bool) {
        match value {
            true => self.put(b"true"),
            false => self.put(b"false"),
        }
    }

    /// Appends `true`, `false` or `null`.
    pub(super) fn optional_boolean(&mut self, value: Option<bool>) {
        match value {
            Some(value) => self.boolean(value),
            None => self.put(b"null"),
        }
    }

    /// Appends a number of seconds (or another small fraction) with at most nine decimals, as short as it goes, or `null`.
    pub(super) fn optional_decimal(&mut self, value: Option<f64>) {
        let Some(value) = value else { return self.put(b"null") };
        let scaled = value.abs() * 1e9;
        if scaled < 1e18 {
            // Rounded by the cast; `round` would be a call of a library.
            let billionths = (scaled + 0.5) as u64;
            if billionths > 0 && value.is_sign_negative() {
                self.put(b"-");
            }
            self.number(billionths / 1_000_000_000);
            self.fraction((billionths % 1_000_000_000) as u32);
        } else {
            self.unusual_decimal(value);
        }
    }

    /// Appends a point and billionths without the zeros at their end; nothing for 0.
    #[inline]
    fn fraction(&mut self, billionths: u32) {
        if billionths == 0 {
            return;
        }
        self.put(b".");
        let groups = [billionths / 1_000_000, billionths / 1000 % 1000, billionths % 1000];
        let last = groups.iter().rposition(|&group| group > 0).unwrap_or(0);
        for group in &groups[..last] {
            self.padded(*group);
        }
        // The highest octet says how many digits count.
        self.short(PADDED[groups[last] as usize]);
    }

    /// Appends what takes more than 64 bits, or is no number.
    #[cold]
    fn unusual_decimal(&mut self, value: f64) {
        let mut text = Vec::new();
        encode::decimal(&mut text, value);
        self.octets[self.len..self.len + text.len()].copy_from_slice(&text);
        self.len += text.len();
    }

    /// Appends an address and port as a string, as they display.
    pub(super) fn address(&mut self, address: SocketAddr) {
        self.put(b"\"");
        match address {
            SocketAddr::V4(address) => {
                let [a, b, c, d] = address.ip().octets();
                for octet in [a, b, c] {
                    self.number(octet.into());
                    self.put(b".");
                }
                self.number(d.into());
                self.put(b":");
                self.number(address.port().into());
            }
            SocketAddr::V6(address) => {
                let mut rest = &mut self.octets[self.len..];
                let before = rest.len();
                write!(rest, "{address}").expect("no line is longer than its place");
                let left = rest.len();
                self.len += before - left;
            }
        }
        self.put(b"\"");
    }

    /// Appends a name of ours.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        self.octets[self.len..self.len + name.len()].copy_from_slice(name.as_bytes());
        self.len += name.len();
    }

    /// Moves what was written to the end of `out`.
    #[inline]
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>) {
        assert!(self.len <= LEN, "no part of a line is longer than its place");
        out.extend_from_slice(&self.octets[..self.len]);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: u64) -> String {
        let (mut line, mut out) = (Line::default(), Vec::new());
        line.number(value);
        line.append_to(&mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn numbers_at_the_edges() {
        for power in 0..=19 {
            let edge = 10u64.pow(power);
            assert_eq!([edge - 1, edge, edge + 1].map(written), [edge - 1, edge, edge + 1].map(|value| value.to_string()));
        }
        assert_eq!(written(u64::MAX), u64::MAX.to_string());
    }

    fn put(write: impl FnOnce(&mut Line)) -> String {
        let (mut line, mut out) = (Line::default(), Vec::new());
        write(&mut line);
        line.append_to(&mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn addresses_are_written_as_they_display() {
        for text in ["10.0.0.1:80", "255.255.255.255:65535", "[::1]:443", "[fe80::1%2]:1", "[::ffff:10.0.0.1]:8080"] {
            let parsed: SocketAddr = text.parse().expect("an address");
            assert_eq!(put(|line| line.address(parsed)), format!("\"{parsed}\""));
        }
    }

    /// As the encoder of all other values writes it.
    fn encoded(value: Option<f64>) -> String {
        let mut out = Vec::new();
        match value {
            Some(value) => encode::decimal(&mut out, value),
            None => encode::null(&mut out),
        }
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn decimals_at_the_edges() {
        let values = [0.0, -0.0, 1.5, 0.0935, 1e-9, 4e-10, -4e-10, -0.25, 0.999_999_999_9, 1e8, 1e9, -1e12, 1e300, f64::NAN, f64::INFINITY];
        for value in values.map(Some).into_iter().chain([None]) {
            assert_eq!(put(|line| line.optional_decimal(value)), encoded(value), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_decimal(value in -1e7f64..1e7, scale in 0i32..10) {
            let value = Some(value / 10f64.powi(scale));
            prop_assert_eq!(put(|line| line.optional_decimal(value)), encoded(value));
        }

        #[test]
        fn any_number(value: u64, shift in 0u32..64) {
            prop_assert_eq!(written(value >> shift), (value >> shift).to_string());
        }
    }
}
