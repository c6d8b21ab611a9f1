//! The outline of a JSON text (RFC 8259): where its members or elements stand, without a tree and without allocation.

use std::borrow::Cow;

/// Why an outline ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The octets end before the text does.
    Cut,
    /// It is no JSON.
    Malformed,
}

/// Containers within containers beyond which a text is not followed.
const MAX_DEPTH: u32 = 128;

/// Calls `take` with each member of the object that the octets begin with: its key without quotes, its value as it stands, or
/// `None` when the octets end before the value does. Returns where the object ends.
pub(super) fn members<'a>(octets: &'a [u8], mut take: impl FnMut(&'a [u8], Option<&'a [u8]>)) -> Result<usize, Failure> {
    list(octets, b'{', b'}', |at| {
        let key_end = string_end(octets, at)?;
        let colon = skip_whitespace(octets, key_end);
        expect(octets, colon, b':')?;
        let start = skip_whitespace(octets, colon + 1);
        let end = value_end(octets, start);
        if end != Err(Failure::Malformed) {
            take(&octets[at + 1..key_end - 1], end.ok().map(|end| &octets[start..end]));
        }
        end
    })
}

/// Calls `take` with each element of the array that the octets begin with. Returns where the array ends.
pub(super) fn elements<'a>(octets: &'a [u8], mut take: impl FnMut(&'a [u8])) -> Result<usize, Failure> {
    list(octets, b'[', b']', |at| {
        let end = value_end(octets, at)?;
        take(&octets[at..end]);
        Ok(end)
    })
}

/// Walks through a list of items; `item` is given where one begins and says where it ends.
fn list(octets: &[u8], open: u8, close: u8, mut item: impl FnMut(usize) -> Result<usize, Failure>) -> Result<usize, Failure> {
    let start = skip_whitespace(octets, 0);
    expect(octets, start, open)?;
    let mut at = skip_whitespace(octets, start + 1);
    if octets.get(at) == Some(&close) {
        return Ok(at + 1);
    }
    loop {
        at = skip_whitespace(octets, item(at)?);
        match octets.get(at) {
            None => return Err(Failure::Cut),
            Some(&octet) if octet == close => return Ok(at + 1),
            Some(b',') => at = skip_whitespace(octets, at + 1),
            Some(_) => return Err(Failure::Malformed),
        }
    }
}

fn expect(octets: &[u8], at: usize, wanted: u8) -> Result<(), Failure> {
    match octets.get(at) {
        None => Err(Failure::Cut),
        Some(&octet) if octet == wanted => Ok(()),
        Some(_) => Err(Failure::Malformed),
    }
}

pub(super) fn skip_whitespace(octets: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = octets.get(at) {
        at += 1;
    }
    at
}

/// Whether nothing but whitespace follows.
pub(super) fn is_end(octets: &[u8], at: usize) -> bool {
    skip_whitespace(octets, at) == octets.len()
}

/// Where the string that begins at `at` ends, quotes included.
pub(super) fn string_end(octets: &[u8], at: usize) -> Result<usize, Failure> {
    expect(octets, at, b'"')?;
    let mut at = at + 1;
    loop {
        let rest = octets.get(at..).unwrap_or_default();
        at += memchr::memchr2(b'"', b'\\', rest).ok_or(Failure::Cut)?;
        match octets[at] {
            b'"' => return Ok(at + 1),
            // Whatever is escaped is no end of the string.
            _ => at += 2,
        }
    }
}

/// Where the value that begins at `at` ends. Of what lies within containers only strings and brackets are looked at.
pub(super) fn value_end(octets: &[u8], at: usize) -> Result<usize, Failure> {
    match octets.get(at) {
        None => Err(Failure::Cut),
        Some(b'"') => string_end(octets, at),
        Some(b'{' | b'[') => container_end(octets, at),
        Some(_) => scalar_end(octets, at),
    }
}

fn container_end(octets: &[u8], mut at: usize) -> Result<usize, Failure> {
    // A bit for each open container: 1 for an object.
    let (mut open, mut depth) = (0u128, 0);
    while let Some(&octet) = octets.get(at) {
        match octet {
            b'"' => {
                at = string_end(octets, at)?;
                continue;
            }
            b'{' | b'[' if depth == MAX_DEPTH => return Err(Failure::Malformed),
            b'{' | b'[' => {
                open = open << 1 | u128::from(octet == b'{');
                depth += 1;
            }
            b'}' | b']' if open & 1 != u128::from(octet == b'}') => return Err(Failure::Malformed),
            b'}' | b']' => {
                open >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Failure::Cut)
}

/// A number or literal that reaches the end of the octets may go on behind it.
fn scalar_end(octets: &[u8], at: usize) -> Result<usize, Failure> {
    let scalar = &octets[at..];
    let is_part = |octet: &u8| matches!(octet, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.');
    let len = scalar.iter().position(|octet| !is_part(octet)).ok_or(Failure::Cut)?;
    match &scalar[..len] {
        b"true" | b"false" | b"null" => Ok(at + len),
        scalar if is_number(scalar) => Ok(at + len),
        _ => Err(Failure::Malformed),
    }
}

/// A number (RFC 8259 §6): an integer, perhaps a fraction, perhaps an exponent.
fn is_number(scalar: &[u8]) -> bool {
    let digits = |octets: &[u8]| octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let mut rest = scalar.strip_prefix(b"-").unwrap_or(scalar);
    let len = digits(rest);
    if len == 0 || len > 1 && rest[0] == b'0' {
        return false;
    }
    rest = &rest[len..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    let Some((b'e' | b'E', exponent)) = rest.split_first() else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// The text of a value that is a string.
pub(super) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(value).ok().map(Cow::Owned)
}

/// The value as an unsigned integer of JSON.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    let is_canonical = value == b"0" || value.first().is_some_and(|first| *first != b'0');
    (is_canonical && value.iter().all(u8::is_ascii_digit)).then(|| str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// Octets of a string's text in UTF-8, when what stands between its quotes is unescaped; `None` when it is no string.
pub(super) fn unescaped_len(value: &[u8]) -> Option<u64> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let (mut at, mut len) = (0, 0u64);
    while let Some(found) = memchr::memchr(b'\\', &inner[at..]) {
        len += found as u64;
        at += found;
        let unit = |at: usize| {
            let digits = inner.get(at..at + 6)?.strip_prefix(b"\\u")?;
            u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
        };
        match inner.get(at + 1)? {
            b'u' => {
                let first = unit(at)?;
                let is_pair = (0xd800..0xdc00).contains(&first) && unit(at + 6).is_some_and(|second| (0xdc00..0xe000).contains(&second));
                len += match first {
                    _ if is_pair => 4,
                    0..0x80 => 1,
                    0x80..0x800 => 2,
                    _ => 3,
                };
                at += if is_pair { 12 } else { 6 };
            }
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                len += 1;
                at += 2;
            }
            _ => return None,
        }
    }
    Some(len + (inner.len() - at) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members_of(text: &str) -> (Vec<(String, String)>, Result<usize, Failure>) {
        let mut found = Vec::new();
        let own = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let end = members(text.as_bytes(), |key, value| found.push((own(key), value.map_or_else(|| "…".to_owned(), own))));
        (found, end)
    }

    #[test]
    fn members_are_found_whatever_their_values_hold() {
        let text = r#" {"a" : "}\"]", "b":{"c":[1,{"d":"{"}]} ,"e":-1.5e3,"f":true} x"#;
        let pairs = [("a", r#""}\"]""#), ("b", r#"{"c":[1,{"d":"{"}]}"#), ("e", "-1.5e3"), ("f", "true")];
        let expected: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(members_of(text), (expected, Ok(text.len() - 2)));
        assert!(!is_end(text.as_bytes(), text.len() - 2) && is_end(b"{} \r\n", 2));
        assert_eq!(members_of("{}"), (vec![], Ok(2)));
    }

    #[test]
    fn a_text_cut_anywhere_is_said_to_be_cut() {
        let text = r#"{"a":"\u00e4","b":[1,2,{"c":null}],"d":12}"#;
        for cut in 0..text.len() {
            let (found, end) = members_of(&text[..cut]);
            assert_eq!(end, Err(Failure::Cut), "cut at {cut}");
            // Keys and colons end at 5, 18 and 39, the values at 13 and 34; that 12 has ended, only the bracket says.
            let values = [5, 18, 39].iter().filter(|&&end| cut >= end).count();
            let whole = [13, 34].iter().filter(|&&end| cut >= end).count();
            assert_eq!((found.len(), found.iter().filter(|(_, value)| value != "…").count()), (values, whole), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for text in ["[", "{]", "{\"a\":[}]}", "{\"a\":1 2}", "{\"a\":nul}", "{\"a\" 1}", "{a:1}", "{\"a\":--1}"] {
            assert!(members_of(text).1.is_err_and(|failure| failure == Failure::Malformed), "{text}");
        }
        let deep = ["[".repeat(200), "]".repeat(200)].concat();
        assert_eq!(elements(deep.as_bytes(), |_| ()), Err(Failure::Malformed));
    }

    #[test]
    fn unescaped_length_is_that_of_the_text() {
        for text in ["", "plain", "a\"b\\c\n", "ä€😀", "\u{7f}\u{80}\u{7ff}\u{800}"] {
            let plain = serde_json::to_string(text).expect("JSON");
            assert_eq!(unescaped_len(plain.as_bytes()), Some(text.len() as u64), "{plain}");
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            assert_eq!(unescaped_len(format!("\"{units}\"").as_bytes()), Some(text.len() as u64), "{units}");
        }
        assert_eq!(unescaped_len(br#""a\x""#), None);
        assert_eq!(unescaped_len(br#""\ud83dx""#), Some(4));
    }

    #[test]
    fn numbers_are_those_of_the_grammar() {
        let numbers = ["0", "-0", "10", "1.5", "-1.50", "1e5", "1E+05", "0.1e-300", "1e999"];
        let others = ["", "-", "01", "-01", "1.", ".5", "1.e5", "1e", "1e+", "1e5.0", "+1", "1-", "e5", "1a"];
        assert!(numbers.iter().all(|text| is_number(text.as_bytes())));
        for text in others {
            assert!(!is_number(text.as_bytes()), "{text}");
            assert!(serde_json::from_str::<f64>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_canonical_unsigned_integers() {
        for (text, expected) in [("0", Some(0)), ("42", Some(42)), ("042", None), ("-1", None), ("1.0", None), ("", None)] {
            assert_eq!(number(text.as_bytes()), expected, "{text}");
        }
    }
}
