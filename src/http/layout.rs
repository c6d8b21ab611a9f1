//! Header sections laid out like one that was read before: the same names in the same order, and values as long as those were.
//!
//! Where names, values and ends of lines are follows from that alone, so such a section need not be read. Most of what a program
//! sends is of a few layouts: a cookie, a date or an identifier is as long as the one before.

use std::ops::Range;

use super::head::Role;
use crate::message::{Field, Head, Lines, Span, field_value};

/// Layouts that are remembered in each role. One is replaced by others whose lengths differ by a multiple of that.
const LAYOUTS: usize = 64;

/// Lengths at which the end of the lines is looked for first: programs take turns, but what each says is of few lengths.
const LENS: usize = 16;

/// What ends field lines: the end of the last one, and the empty line.
const END: &[u8; 4] = b"\r\n\r\n";

/// Octets of field lines of a layout that is remembered, at most.
const LONGEST: usize = 2 << 10;

/// Octets that are compared side by side.
const BLOCK: usize = 32;

/// Layouts read last, of requests and of responses.
#[derive(Debug, Default)]
pub(super) struct Layouts([RoleLayouts; 2]);

/// Those of one role.
#[derive(Debug, Default)]
struct RoleLayouts {
    layouts: Vec<Layout>,
    /// How long lines were, each length once. A new one takes the place of the oldest.
    lens: [u16; LENS],
    oldest: usize,
}

/// Where the lines of a header section have their names and values.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// What the octet in each place is at least, and by how much it may be above that: names and ends of lines are the same as
    /// before, values are printable US-ASCII. (RFC 9110 §5.5 allows more; what has it is read again.)
    least: Vec<u8>,
    above: Vec<u8>,
    lines: Lines,
    fields: Vec<Field>,
}

impl Layouts {
    /// How long the lines at the beginning of `octets` are, if they are laid out like others before, and an empty one follows.
    #[inline]
    pub(super) fn len_as_before(&self, role: Role, octets: &[u8]) -> Option<usize> {
        let RoleLayouts { layouts, lens, .. } = &self.0[role as usize];
        let lens = lens.iter().map(|&len| usize::from(len));
        let mut ends = lens.filter(|&len| len > 0 && octets.get(len - 2..len + 2) == Some(END));
        ends.find(|&len| layouts.get(len % LAYOUTS).is_some_and(|layout| layout.fits(&octets[..len])))
    }

    /// Has the end of lines looked for at that length from now on.
    pub(super) fn expect(&mut self, role: Role, len: usize) {
        let RoleLayouts { lens, oldest, .. } = &mut self.0[role as usize];
        if let Ok(len) = u16::try_from(len)
            && !lens.contains(&len)
        {
            lens[*oldest] = len;
            *oldest = (*oldest + 1) % LENS;
        }
    }

    /// The only place for a layout whose lines take so many octets.
    #[inline]
    pub(super) fn place(&mut self, role: Role, len: usize) -> &mut Layout {
        let RoleLayouts { layouts, .. } = &mut self.0[role as usize];
        if layouts.is_empty() {
            layouts.resize_with(LAYOUTS, Layout::default);
        }
        &mut layouts[len % LAYOUTS]
    }
}

impl Layout {
    /// Whether lines are laid out like this.
    #[inline]
    pub(super) fn fits(&self, lines: &[u8]) -> bool {
        if lines.len() != self.least.len() {
            return false;
        }
        let (Some(last), Some(least), Some(above)) = (lines.last_chunk(), self.least.last_chunk(), self.above.last_chunk()) else {
            return are_within(lines, &self.least, &self.above);
        };
        let blocks = lines.as_chunks().0.iter().zip(self.least.as_chunks().0).zip(self.above.as_chunks().0);
        // The last block overlaps the one before.
        blocks.into_iter().all(|((lines, least), above)| is_block_within(lines, least, above)) && is_block_within(last, least, above)
    }

    /// Remembers lines that were read instead of those before, if they are short enough.
    pub(super) fn remember(&mut self, octets: &[u8], lines: Lines, fields: &[Field]) {
        if octets.len() > LONGEST {
            return;
        }
        self.lines = lines;
        self.fields.clear();
        self.fields.extend_from_slice(fields);
        self.least.clear();
        self.least.extend_from_slice(octets);
        self.above.clear();
        self.above.resize(octets.len(), 0);
        for (from, len) in fields.iter().map(field_value) {
            let value = from as usize..(from + len) as usize;
            self.allow(value.clone(), b' ');
            // Spaces around a value are none of it.
            self.allow(value.start..value.start + 1, b'!');
            self.allow(value.end - 1..value.end, b'!');
        }
    }

    fn allow(&mut self, octets: Range<usize>, least: u8) {
        self.least[octets.clone()].fill(least);
        self.above[octets].fill(b'~' - least);
    }

    /// The head of `raw`, whose lines are laid out like this and begin at `section`.
    #[inline]
    pub(super) fn head(&self, raw: &[u8], start: [Span; 3], section: u32) -> Head {
        self.lines.into_head(raw, start, section, &self.fields)
    }
}

#[inline]
fn is_block_within(octets: &[u8; BLOCK], least: &[u8; BLOCK], above: &[u8; BLOCK]) -> bool {
    are_within(octets, least, above)
}

#[inline(always)]
fn are_within(octets: &[u8], least: &[u8], above: &[u8]) -> bool {
    let octets = octets.iter().zip(least).zip(above);
    // No early exit: so they are compared side by side.
    octets.fold(true, |are_within, ((&octet, least), &above)| are_within & (octet.wrapping_sub(*least) <= above))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::plain::read;

    fn request(lines: &str) -> String {
        format!("GET / HTTP/1.1\r\n{lines}\r\n")
    }

    /// Whether the second head was of the layout of the first one.
    fn is_alike(first: &str, second: &str) -> bool {
        let mut layouts = Layouts::default();
        let (first, second) = (request(first), request(second));
        read(Role::Request, first.as_bytes(), Some(&mut layouts)).expect("a plain head");
        let lines = &second.as_bytes()["GET / HTTP/1.1\r\n".len()..second.len() - 2];
        layouts.place(Role::Request, lines.len()).fits(lines)
    }

    #[test]
    fn values_as_long_as_before_are_of_the_same_layout() {
        let long = "x".repeat(3 * BLOCK);
        for (first, second) in [
            ("Host: a\r\n", "Host: b\r\n"),
            ("Host: a\r\n", "Host: ab\r\n"),
            ("A: b c\r\nD:  e \r\n", "A: bcd\r\nD:  f \r\n"),
            (&format!("A: b\r\nC: {long}\r\n"), &format!("A: c\r\nC: {}\r\n", long.replace("xxx", "x y"))),
        ] {
            assert_eq!(is_alike(first, second), first.len() == second.len(), "{first:?} {second:?}");
        }
    }

    #[test]
    fn what_would_be_read_otherwise_is_not() {
        let before = "Accept: b c d\r\nX-Other: 0123456789012345678901234567890123456789\r\n";
        assert!(is_alike(before, before));
        for at in 0..before.len() {
            for odd in ["\r", "\n", "\0", "\x7f", "\t", ";"] {
                let second = format!("{}{odd}{}", &before[..at], &before[at + 1..]);
                let says_the_same = second == before || odd == ";" && is_in_value(before, at);
                assert_eq!(is_alike(before, &second), says_the_same, "{second:?}");
            }
        }
        // A value that begins or ends with a space is shorter.
        for second in [before.replace("b c d", " c db"), before.replace("b c d", "b cd ")] {
            assert!(!is_alike(before, &second), "{second:?}");
        }
        assert!(is_alike(before, &before.replace("b c d", "bc  d")));
    }

    fn is_in_value(lines: &str, at: usize) -> bool {
        ["b c d", "0123456789012345678901234567890123456789"].iter().any(|value| {
            let from = lines.find(value).unwrap_or_default();
            (from..from + value.len()).contains(&at)
        })
    }

    #[test]
    fn as_many_lengths_are_expected_as_take_turns() {
        let mut layouts = Layouts::default();
        let head = |len: usize| request(&format!("X: {}\r\n", "x".repeat(len)));
        let is_expected = |layouts: &Layouts, len| {
            let head = head(len);
            layouts.len_as_before(Role::Request, &head.as_bytes()["GET / HTTP/1.1\r\n".len()..]) == Some(len + "X: \r\n".len())
        };
        for len in 1..=LENS {
            assert!(!is_expected(&layouts, len), "{len}");
            read(Role::Request, head(len).as_bytes(), Some(&mut layouts)).expect("a plain head");
        }
        for _ in 0..2 {
            for len in 1..=LENS {
                assert!(is_expected(&layouts, len), "{len}");
                read(Role::Request, head(len).as_bytes(), Some(&mut layouts)).expect("a plain head");
            }
        }
        read(Role::Request, head(LENS + 1).as_bytes(), Some(&mut layouts)).expect("a plain head");
        assert!(!is_expected(&layouts, 1) && (2..=LENS + 1).all(|len| is_expected(&layouts, len)));
        // Lines that end there but are laid out otherwise are none of these.
        let lines = request("Y: xxxx\r\n");
        assert_eq!(layouts.len_as_before(Role::Request, &lines.as_bytes()["GET / HTTP/1.1\r\n".len()..]), None);
    }

    #[test]
    fn lines_that_are_too_long_leave_what_was_remembered() {
        let mut layouts = Layouts::default();
        let len = LONGEST + LAYOUTS - LONGEST % LAYOUTS;
        let long = format!("X: {}\r\n", "x".repeat(len - 5));
        let short = format!("X: {}\r\n", "x".repeat(LAYOUTS - 5));
        for lines in [&short, &long] {
            assert!(read(Role::Request, request(lines).as_bytes(), Some(&mut layouts)).is_some());
            assert!(layouts.place(Role::Request, lines.len()).fits(short.as_bytes()));
        }
    }
}
