//! JSON values written straight into a byte buffer, without an intermediate tree: the row path is hot.

use std::io::Write;

/// Appends an integer.
#[inline]
pub(crate) fn number(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends an integer, or `null`.
#[inline]
pub(crate) fn optional_number(out: &mut Vec<u8>, value: Option<impl itoa::Integer>) {
    match value {
        Some(value) => number(out, value),
        None => null(out),
    }
}

/// Appends `null`.
#[inline]
pub(crate) fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Appends a number of seconds (or another small fraction) with at most nine decimals, as short as it goes.
pub(crate) fn decimal(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        return null(out);
    }
    let scaled = value.abs() * 1e9;
    let billionths = if scaled < 1e18 {
        // Rounded by the cast; `round` would be a call of a library.
        let billionths = (scaled + 0.5) as u64;
        sign(out, value < 0.0 && billionths > 0);
        number(out, billionths / 1_000_000_000);
        (billionths % 1_000_000_000) as u32
    } else {
        // 128 bits hold any difference of two capture times in nanoseconds; beyond them the cast saturates.
        let billionths = (value * 1e9).round() as i128;
        sign(out, billionths < 0);
        number(out, billionths.unsigned_abs() / 1_000_000_000);
        (billionths.unsigned_abs() % 1_000_000_000) as u32
    };
    fraction(out, billionths);
}

fn sign(out: &mut Vec<u8>, is_negative: bool) {
    if is_negative {
        out.push(b'-');
    }
}

/// Appends a point and billionths without the zeros at their end; nothing for 0.
fn fraction(out: &mut Vec<u8>, billionths: u32) {
    if billionths == 0 {
        return;
    }
    // A digit before them keeps the zeros at their beginning.
    let mut buffer = itoa::Buffer::new();
    let digits = &buffer.format(1_000_000_000 + billionths).as_bytes()[1..];
    let len = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..len]);
}

/// Appends a name of ours, which needs no escaping, as a string.
#[inline]
pub(crate) fn name(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
}

/// Appends octets of the network as a string; what is not UTF-8 is replaced by U+FFFD.
pub(crate) fn text(out: &mut Vec<u8>, octets: &[u8]) {
    out.push(b'"');
    escaped(out, octets);
    out.push(b'"');
}

/// Appends octets of the network as a string, or `null`.
pub(crate) fn optional_text(out: &mut Vec<u8>, octets: Option<&[u8]>) {
    match octets {
        Some(octets) => text(out, octets),
        None => null(out),
    }
}

/// Appends the inside of a string.
pub(crate) fn escaped(out: &mut Vec<u8>, octets: &[u8]) {
    // Most text is plain ASCII; looked at without a branch for each octet.
    if octets.iter().fold(true, |plain, &octet| plain & is_plain(octet)) {
        return out.extend_from_slice(octets);
    }
    for chunk in octets.utf8_chunks() {
        escape_valid(out, chunk.valid());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// An octet that is a character by itself and needs no escape.
pub(crate) fn is_plain(octet: u8) -> bool {
    matches!(octet, 0x20..=0x7e) & (octet != b'"') & (octet != b'\\')
}

fn escape_valid(out: &mut Vec<u8>, text: &str) {
    let mut copied = 0;
    for (at, c) in text.char_indices().filter(|&(_, c)| needs_escape(c)) {
        out.extend_from_slice(&text.as_bytes()[copied..at]);
        copied = at + c.len_utf8();
        match c {
            '"' => out.extend_from_slice(br#"\""#),
            '\\' => out.extend_from_slice(br"\\"),
            '\n' => out.extend_from_slice(br"\n"),
            '\r' => out.extend_from_slice(br"\r"),
            '\t' => out.extend_from_slice(br"\t"),
            _ => write!(out, "\\u{:04x}", u32::from(c)).expect("a Vec takes every write"),
        }
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
}

/// JSON demands the first three; the others would speak to a terminal, or turn its text around, and all lie below U+10000.
fn needs_escape(c: char) -> bool {
    matches!(c, '"' | '\\' | '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn decimals_are_as_short_as_they_go() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (1.5, "1.5"),
            (0.0935, "0.0935"),
            (0.09353, "0.09353"),
            (1e-9, "0.000000001"),
            (4e-10, "0"),
            (-0.25, "-0.25"),
            (-1.000_000_001, "-1.000000001"),
            (0.999_999_999_9, "1"),
            (1e300, "170141183460469231731687303715.884105727"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
        ];
        for (value, expected) in cases {
            assert_eq!(string_of(|out| decimal(out, value)), expected, "{value:e}");
        }
    }

    #[test]
    fn text_that_would_end_the_string_or_drive_a_terminal_is_escaped() {
        let hostile = "a\"b\\c\n\r\t\0\x1b[2J\x7f\u{9b}31m\u{202e}é€😀\u{2028}".as_bytes();
        let expected = r#""a\"b\\c\n\r\t\u0000\u001b[2J\u007f\u009b31m\u202eé€😀\u2028""#;
        assert_eq!(string_of(|out| text(out, hostile)), expected);
    }

    #[test]
    fn octets_that_are_not_utf8_are_replaced() {
        assert_eq!(string_of(|out| text(out, b"caf\xe9 \xe2\x82")), "\"caf\u{fffd} \u{fffd}\"");
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was(original: String) {
            let json = string_of(|out| text(out, original.as_bytes()));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("a JSON string"), original);
        }

        #[test]
        fn any_octets_read_back_as_rust_replaces_them(octets: Vec<u8>) {
            let json = string_of(|out| text(out, &octets));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("a JSON string"), String::from_utf8_lossy(&octets));
        }

        #[test]
        fn any_decimal_reads_back_within_half_a_billionth(value in -1e7f64..1e7) {
            let back: f64 = string_of(|out| decimal(out, value)).parse().expect("a number");
            // Half a billionth, and what a double near 1e7 cannot tell apart.
            prop_assert!((back - value).abs() <= 0.5e-9 + 4e-9, "{back} for {value}");
        }
    }
}
