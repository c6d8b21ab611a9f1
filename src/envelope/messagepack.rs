//! The outline of MessagePack values: where each ends, without a tree and without recursion.

use std::borrow::Cow;

/// What the first octet of a value says of it.
enum Head {
    /// Octets that follow the head, none of them values.
    Octets(u64),
    /// Values that follow the head.
    Values(u64),
}

/// The value true.
pub(super) const TRUE: u8 = 0xc3;

/// Elements of the array that the octets begin with: how many there are, and where the first one begins.
pub(super) fn array(octets: &[u8]) -> Option<(u64, usize)> {
    match octets.first()? {
        first @ 0x90..=0x9f => Some((u64::from(first & 0xf), 1)),
        0xdc => Some((uint(octets, 2)?, 3)),
        0xdd => Some((uint(octets, 4)?, 5)),
        _ => None,
    }
}

/// Calls `take` with each key and value of the map that the octets begin with. Returns where the map ends.
pub(super) fn entries<'a>(octets: &'a [u8], mut take: impl FnMut(&'a [u8], &'a [u8])) -> Option<usize> {
    let (count, mut at) = match octets.first()? {
        first @ 0x80..=0x8f => (u64::from(first & 0xf), 1),
        0xde => (uint(octets, 2)?, 3),
        0xdf => (uint(octets, 4)?, 5),
        _ => return None,
    };
    for _ in 0..count {
        let value = at + value_end(&octets[at..])?;
        let end = value + value_end(&octets[value..])?;
        take(&octets[at..value], &octets[value..end]);
        at = end;
    }
    Some(at)
}

/// Where the value at the front ends; `None` when it does not.
pub(super) fn value_end(octets: &[u8]) -> Option<usize> {
    let (mut at, mut left) = (0usize, 1u64);
    while left > 0 {
        let (len, head) = head(octets.get(at..)?)?;
        left -= 1;
        at = at.checked_add(len)?;
        match head {
            Head::Octets(len) => at = at.checked_add(usize::try_from(len).ok()?)?,
            Head::Values(values) => left = left.checked_add(values)?,
        }
        // Each value takes an octet: what says more than there are is no value of these octets.
        if at > octets.len() || left > (octets.len() - at) as u64 {
            return None;
        }
    }
    Some(at)
}

/// Octets of the head at the front, and what follows it (the format's specification, "Formats").
fn head(octets: &[u8]) -> Option<(usize, Head)> {
    use Head::{Octets, Values};
    let prefixed = |len: usize, extra: u64| Some((1 + len, Octets(uint(octets, len)?.checked_add(extra)?)));
    match *octets.first()? {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Some((1, Octets(0))),
        first @ 0x80..=0x8f => Some((1, Values(2 * u64::from(first & 0xf)))),
        first @ 0x90..=0x9f => Some((1, Values(u64::from(first & 0xf)))),
        first @ 0xa0..=0xbf => Some((1, Octets(u64::from(first & 0x1f)))),
        0xc1 => None,
        0xc4 | 0xd9 => prefixed(1, 0),
        0xc5 | 0xda => prefixed(2, 0),
        0xc6 | 0xdb => prefixed(4, 0),
        0xc7 => prefixed(1, 1),
        0xc8 => prefixed(2, 1),
        0xc9 => prefixed(4, 1),
        0xcc | 0xd0 => Some((1, Octets(1))),
        0xcd | 0xd1 => Some((1, Octets(2))),
        0xca | 0xce | 0xd2 => Some((1, Octets(4))),
        0xcb | 0xcf | 0xd3 => Some((1, Octets(8))),
        first @ 0xd4..=0xd8 => Some((1, Octets(1 + (1 << (first - 0xd4))))),
        0xdc => Some((3, Values(uint(octets, 2)?))),
        0xdd => Some((5, Values(uint(octets, 4)?))),
        0xde => Some((3, Values(2 * uint(octets, 2)?))),
        0xdf => Some((5, Values(2 * uint(octets, 4)?))),
    }
}

/// The big-endian integer of `len` octets behind the first one.
fn uint(octets: &[u8], len: usize) -> Option<u64> {
    Some(octets.get(1..=len)?.iter().fold(0, |number, &octet| number << 8 | u64::from(octet)))
}

/// The value as an unsigned integer.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    match value.first()? {
        &first @ 0x00..=0x7f => Some(first.into()),
        0xcc => uint(value, 1),
        0xcd => uint(value, 2),
        0xce => uint(value, 4),
        0xcf => uint(value, 8),
        // Some writers take signed forms for what is not negative.
        0xd0 if value.get(1)? & 0x80 == 0 => uint(value, 1),
        0xd1 if value.get(1)? & 0x80 == 0 => uint(value, 2),
        0xd2 if value.get(1)? & 0x80 == 0 => uint(value, 4),
        0xd3 if value.get(1)? & 0x80 == 0 => uint(value, 8),
        // So do those of JavaScript with integers beyond 32 bits.
        0xcb => {
            let float = f64::from_be_bytes(*value.get(1..9)?.first_chunk()?);
            (float >= 0.0 && float <= (1u64 << 53) as f64 && float.fract() == 0.0).then_some(float as u64)
        }
        _ => None,
    }
}

/// The value as text.
pub(super) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = match value.first()? {
        0xa0..=0xbf => value.get(1..)?,
        0xd9 => value.get(2..)?,
        0xda => value.get(3..)?,
        0xdb => value.get(5..)?,
        _ => return None,
    };
    str::from_utf8(text).ok().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value of each form.
    const VALUES: &[&[u8]] = &[
        &[0x07],
        &[0xff],
        &[0xc0],
        &[0x82, 0xa1, b'a', 1, 0xa1, b'b', 0x91, 0xc3],
        &[0xa3, b'a', b'b', b'c'],
        &[0xd9, 1, b'x'],
        &[0xda, 0, 1, b'x'],
        &[0xdb, 0, 0, 0, 1, b'x'],
        &[0xc4, 2, 0, 0],
        &[0xc5, 0, 1, 0],
        &[0xc6, 0, 0, 0, 1, 0],
        &[0xc7, 1, 5, 0],
        &[0xc8, 0, 1, 5, 0],
        &[0xc9, 0, 0, 0, 1, 5, 0],
        &[0xcc, 200],
        &[0xcd, 1, 0],
        &[0xce, 0, 1, 0, 0],
        &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0xca, 0, 0, 0, 0],
        &[0xcb, 0x41, 0xf0, 0, 0, 0, 0, 0, 0],
        &[0xd4, 1, 0],
        &[0xd8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xdc, 0, 2, 1, 2],
        &[0xdd, 0, 0, 0, 1, 0xc2],
        &[0xde, 0, 1, 1, 2],
        &[0xdf, 0, 0, 0, 1, 1, 2],
    ];

    #[test]
    fn values_end_where_they_end_and_not_when_cut() {
        for value in VALUES {
            let followed = [value, &[0xc1, 0xff][..]].concat();
            assert_eq!(value_end(&followed), Some(value.len()), "{value:x?}");
            for cut in 0..value.len() {
                assert_eq!(value_end(&value[..cut]), None, "{value:x?} cut at {cut}");
            }
        }
        assert_eq!(value_end(&[0xc1]), None);
        assert_eq!(value_end(&[0xdf, 0xff, 0xff, 0xff, 0xff, 0, 0]), None);
        assert_eq!(value_end(&vec![0x91; 100_000]), None);
    }

    #[test]
    fn entries_are_keys_and_values_in_turn() {
        let map: [&[u8]; 3] = [
            &[0x82, 0xa1, b'a', 0x92, 1, 2, 0x07, 0xc3],
            &[0xde, 0, 2, 0xa1, b'a', 0x92, 1, 2, 0x07, 0xc3],
            &[0xdf, 0, 0, 0, 2, 0xa1, b'a', 0x92, 1, 2, 0x07, 0xc3],
        ];
        for octets in map {
            let mut found: Vec<(&[u8], &[u8])> = Vec::new();
            assert_eq!(entries(octets, |key, value| found.push((key, value))), Some(octets.len()));
            assert_eq!(found, [(&[0xa1, b'a'][..], &[0x92, 1, 2][..]), (&[0x07], &[TRUE])]);
            assert!((0..octets.len()).all(|cut| entries(&octets[..cut], |_, _| ()).is_none()), "{octets:x?}");
        }
        assert_eq!(entries(&[0x90], |_, _| ()), None);
    }

    #[test]
    fn numbers_come_in_every_width() {
        let cases: [(&[u8], u64); 6] = [
            (&[0x07], 7),
            (&[0xcc, 200], 200),
            (&[0xd1, 1, 0], 256),
            (&[0xce, 0, 1, 0, 0], 1 << 16),
            (&[0xcf, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
            (&[0xcb, 0x41, 0xf0, 0, 0, 0, 0, 0, 0], 1 << 32),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), Some(expected), "{value:x?}");
        }
        assert_eq!((number(&[0xff]), number(&[0xd0, 0x80]), number(&[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0])), (None, None, None));
    }
}
