//! Header sections as nearly all senders write them (RFC 9112 §2–§5), read in one pass: a start line of three parts with one space
//! between them, field lines without folds and odd octets, CR LF behind each line. All others are read with leniency elsewhere,
//! and come to the same where this one reads them too.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::detect::{LONGEST_METHOD, is_token_octet};
use super::head::{Parsed, Role};
use super::layout::Layouts;
use crate::anomaly::AnomalySet;
use crate::message::{Field, FieldName, FieldTag, Lines, Span, field};

/// Field lines that are read here; few heads have more.
const MAX_FIELDS: usize = 48;

/// Octets among which the end of the field lines is looked for.
const LONGEST: usize = 8 << 10;

/// Octets of a longer name are not looked at.
const LONGEST_NAME: usize = 64;

/// The end of the last field line, and the empty one.
static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));

/// Reads the header section at the beginning of `octets`, and says how long it is with its empty line; `None` where it does
/// not end there, or is not plain. Lines of a layout that was read before need not be read again.
pub(super) fn read(role: Role, octets: &[u8], layouts: Option<&mut Layouts>) -> Option<(Parsed, usize)> {
    let StartLine { parts, status, len: section } = start_line(role, octets)?;
    let rest = octets.get(section..)?;
    let (len, is_alike) = match layouts.as_ref().and_then(|layouts| layouts.len_as_before(role, rest)) {
        Some(len) => (len, true),
        None => (find_end(octets, section)?, false),
    };
    let (lines, raw) = (rest.get(..len)?, &octets[..section + len + 2]);
    let layout = layouts.map(|layouts| {
        if !is_alike {
            layouts.expect(role, len);
        }
        layouts.place(role, len)
    });
    // Fits: within the head.
    let section = section as u32;
    let head = match layout {
        Some(layout) if is_alike || layout.fits(lines) => layout.head(raw, parts, section),
        layout => read_lines(lines, |kept, fields| {
            layout.into_iter().for_each(|layout| layout.remember(lines, kept, fields));
            kept.into_head(raw, parts, section, fields)
        })?,
    };
    Some((Parsed { head, status, anomalies: AnomalySet::EMPTY }, raw.len()))
}

/// How long the lines are from `section` on, before an empty one.
fn find_end(octets: &[u8], section: usize) -> Option<usize> {
    // Where none follows, the start line's end is the first half of it.
    let octets = &octets[section - 2..];
    END.find(&octets[..octets.len().min(LONGEST)])
}

/// The start line of a head.
struct StartLine {
    parts: [Span; 3],
    /// 0 in a request.
    status: u16,
    /// Octets, with its end.
    len: usize,
}

fn start_line(role: Role, octets: &[u8]) -> Option<StartLine> {
    let line = &octets[..line_end(octets, 0)?];
    let (parts, status) = match role {
        Role::Request => (request_line(line)?, 0),
        Role::Response => status_line(line)?,
    };
    Some(StartLine { parts, status, len: line.len() + 2 })
}

/// Reads field lines, and gives what a head keeps of them.
#[inline(never)]
fn read_lines<T>(octets: &[u8], keep: impl FnOnce(Lines, &[Field]) -> T) -> Option<T> {
    let mut fields = [Field::default(); MAX_FIELDS];
    let mut lines = Lines::default();
    let (mut count, mut at) = (0, 0);
    while at < octets.len() {
        let line = field_line(&octets[at..])?;
        // Fits: within the head.
        let from = at as u32;
        *fields.get_mut(count)? = field((from, line.name_len), (from + line.value.0, line.value.1));
        lines.add(line.tag);
        count += 1;
        at += line.len as usize;
    }
    Some(keep(lines, &fields[..count]))
}

/// What a field line says.
struct Line {
    /// Octets, with its end.
    len: u32,
    name_len: u32,
    /// From its first octet on.
    value: Span,
    tag: FieldTag,
}

/// Reads the field line at the beginning of `octets`; `None` where it does not end there, or is not plain.
#[inline]
fn field_line(octets: &[u8]) -> Option<Line> {
    let colon = find::<b':'>(octets, 0, LONGEST_NAME)?;
    let name = &octets[..colon];
    let known = FieldName::of(name);
    if known.is_none() && !is_token(name) {
        return None;
    }
    let end = line_end(octets, colon + 1)?;
    let value = trimmed(octets, colon + 1, end);
    // Readers differ in where an empty value stands.
    let line = Line { len: end as u32 + 2, name_len: colon as u32, value, tag: FieldTag::of(name, known) };
    (value.1 > 0).then_some(line)
}

/// Method, target and version, without a space in any of them.
fn request_line(line: &[u8]) -> Option<[Span; 3]> {
    let method = match line {
        [b'G', b'E', b'T', b' ', ..] => 3,
        [b'P', b'O', b'S', b'T', b' ', ..] => 4,
        _ => {
            let end = find::<b' '>(line, 0, LONGEST_METHOD)?;
            is_token(&line[..end]).then_some(end)?
        }
    };
    let version = line.len().checked_sub(b"HTTP/1.1".len())?;
    let is_version = matches!(&line[version..], [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9']);
    let target = method + 1;
    let has_target = is_version && target + 1 < version && find::<b' '>(line, target, usize::MAX) == Some(version - 1);
    // Readers differ in whether a tab at an end of the target is part of it.
    let is_trimmed = has_target && line[target] != b'\t' && line[version - 2] != b'\t';
    is_trimmed.then(|| [span(0, method), span(target, version - 1), span(version, line.len())])
}

/// Version, status code of three digits, and reason phrase, which may be empty; and the code as a number.
fn status_line(line: &[u8]) -> Option<([Span; 3], u16)> {
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b' ', code @ ..] = line else { return None };
    let (code, reason) = code.split_first_chunk::<3>()?;
    if !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let reason = match reason {
        [] | [b' '] => span(12, 12),
        [b' ', b'!'..=b'~'] | [b' ', b'!'..=b'~', .., b'!'..=b'~'] => span(13, line.len()),
        _ => return None,
    };
    let status = code.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    Some(([span(0, 8), span(9, 12), reason], status))
}

/// From one octet to before another. Fits, as a head's limit is far below 4 GiB.
#[inline]
fn span(from: usize, to: usize) -> Span {
    (from as u32, (to - from) as u32)
}

/// A value without the spaces and tabs around it (RFC 9112 §5.1).
#[inline]
fn trimmed(octets: &[u8], mut from: usize, mut to: usize) -> Span {
    let is_space = |at: usize| matches!(octets[at], b' ' | b'\t');
    while from < to && is_space(from) {
        from += 1;
    }
    while from < to && is_space(to - 1) {
        to -= 1;
    }
    span(from, to)
}

/// RFC 9110 §5.6.2; not empty.
#[inline]
fn is_token(octets: &[u8]) -> bool {
    const IS_TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut octet = 0;
        while octet < 256 {
            table[octet] = is_token_octet(octet as u8);
            octet += 1;
        }
        table
    };
    let is_of_words = match octets.len() {
        4..8 => ends::<4>(octets).is_some_and(|[first, last]| is_of_words(first) & is_of_words(last)),
        8..=16 => ends::<8>(octets).is_some_and(|[first, last]| is_of_words(first) & is_of_words(last)),
        _ => false,
    };
    is_of_words || !octets.is_empty() && octets.iter().all(|&octet| IS_TOKEN[usize::from(octet)])
}

/// The first octets and the last ones.
#[inline]
fn ends<const LEN: usize>(octets: &[u8]) -> Option<[&[u8; LEN]; 2]> {
    Some([octets.first_chunk()?, octets.last_chunk()?])
}

/// Whether all are letters and hyphens, as in nearly all names.
#[inline]
fn is_of_words<const LEN: usize>(octets: &[u8; LEN]) -> bool {
    // No early exit: so they are compared side by side.
    octets.iter().fold(true, |is_so_far, octet| is_so_far & ((octet | 0x20).is_ascii_lowercase() | (*octet == b'-')))
}

const fn each(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// Where a line ends that goes on at `from`: its CR, behind which is a LF. `None` where it does not end, or a control
/// character other than a tab is in it.
#[inline]
fn line_end(octets: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = first_control(octets, from)?;
        match octets[at..] {
            [b'\r', b'\n', ..] => return Some(at),
            [b'\t', ..] => from = at + 1,
            _ => return None,
        }
    }
}

/// Where the first control character is from `from` on.
#[inline]
fn first_control(octets: &[u8], from: usize) -> Option<usize> {
    let mut rest = octets.get(from..)?;
    let at = |rest: &[u8], found: u64| octets.len() - rest.len() + found.trailing_zeros() as usize / 8;
    // Many values are short; of others, many octets are looked at together.
    for _ in 0..2 {
        let Some((eight, behind)) = rest.split_first_chunk() else { break };
        match controls(u64::from_le_bytes(*eight)) {
            0 => rest = behind,
            found => return Some(at(rest, found)),
        }
    }
    while let Some((block, behind)) = rest.split_first_chunk()
        && !has_control(block)
    {
        rest = behind;
    }
    while let Some((eight, behind)) = rest.split_first_chunk() {
        match controls(u64::from_le_bytes(*eight)) {
            0 => rest = behind,
            found => return Some(at(rest, found)),
        }
    }
    Some(octets.len() - rest.len() + rest.iter().position(u8::is_ascii_control)?)
}

#[inline]
fn has_control(octets: &[u8; 32]) -> bool {
    // No early exit: so they are compared side by side.
    octets.iter().fold(false, |has, &octet| has | (octet < b' ') | (octet == 0x7f))
}

/// The upper bit of each octet that is a control character.
#[inline]
fn controls(octets: u64) -> u64 {
    let low = octets & each(0x7f);
    // Neither sum passes an octet on to the next: at most 0x7f + 0x60.
    let is_printable = low + each(0x60);
    let is_delete = low + each(0x01);
    (!is_printable | is_delete) & !octets & each(0x80)
}

/// Where an octet comes first from `from` on, among so many.
#[inline]
fn find<const OCTET: u8>(octets: &[u8], from: usize, most: usize) -> Option<usize> {
    let end = octets.len().min(from.saturating_add(most));
    let mut at = from;
    while let Some(eight) = octets.get(at..end)?.first_chunk() {
        let zero_where_found = u64::from_le_bytes(*eight) ^ each(OCTET);
        // Exact up to the first.
        let found = zero_where_found.wrapping_sub(each(0x01)) & !zero_where_found & each(0x80);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    octets[at..end].iter().position(|&octet| octet == OCTET).map(|found| at + found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::head::parse_any;

    const REQUEST: &[u8] =
        b"POST /a?b=1 HTTP/1.1\r\nHost: a.example\r\nAccept:*/*\r\nX_9: \xc3\xa4 b\t\r\nContent-Length: 5\r\n\r\nhello: x\r\n";
    const RESPONSE: &[u8] =
        b"HTTP/1.0 200 All right\r\nDate: now\r\nContent-Type:  text/html \r\nSet-Cookie: a=1; Path=/; Expires=never\r\n\r\n";

    /// Everything that a reader sees.
    fn seen(parsed: &Parsed) -> impl PartialEq + std::fmt::Debug + use<> {
        let owned = |part: &[u8]| part.to_vec();
        let fields: Vec<_> = parsed.head.fields().map(|(name, value)| (owned(name), owned(value))).collect();
        let lines: Vec<_> = parsed.head.field_lines().map(owned).collect();
        (owned(parsed.head.raw()), parsed.head.start_line().map(owned), fields, lines, parsed.status, parsed.anomalies)
    }

    #[test]
    fn plain_heads_are_read_as_by_the_lenient_reader() {
        for (role, octets, len) in [
            (Role::Request, REQUEST, REQUEST.len() - 10),
            (Role::Response, RESPONSE, RESPONSE.len()),
            (Role::Request, b"BREW pot HTTP/1.9\r\n\r\n", 21),
            (Role::Response, b"HTTP/1.1 204\r\n\r\n", 16),
            (Role::Response, b"HTTP/1.1 204 \r\n\r\n", 17),
        ] {
            let (parsed, found_len) = read(role, octets, None).expect("a plain head");
            assert_eq!(found_len, len);
            assert_eq!(seen(&parsed), seen(&parse_any(role, &octets[..len]).expect("a head")));
        }
    }

    #[test]
    fn heads_that_are_cut_or_odd_are_left_to_others() {
        let mut layouts = Layouts::default();
        assert!(read(Role::Request, REQUEST, Some(&mut layouts)).is_some());
        for len in 0..REQUEST.len() - 10 {
            assert!(read(Role::Request, &REQUEST[..len], Some(&mut layouts)).is_none(), "{len} octets");
        }
        for odd in [
            &b"GET  / HTTP/1.1\r\n\r\n"[..],
            b"GET /a b HTTP/1.1\r\n\r\n",
            b"GET \t/a HTTP/1.1\r\n\r\n",
            b"GET /a\t HTTP/1.1\r\n\r\n",
            b"GET / HTTP/2.0\r\n\r\n",
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: 1\r\n 2\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: \x001\r\n\r\n",
            b"GET / HTTP/1.1\r\nEmpty: \r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        ] {
            assert!(read(Role::Request, odd, Some(&mut layouts)).is_none(), "{}", odd.escape_ascii());
        }
    }

    #[test]
    fn heads_are_read_alike_whatever_was_read_before() {
        let lines = ["Host: a\r\n", "Accept: */*\r\n", "Cookie: b=1\r\n", "Cookie: b=2\r\n", "X-Other: c\r\n", "X-Other: cc\r\n"];
        // Each of the 64 choices of lines behind each other one.
        let heads: Vec<_> = (0..1 << lines.len())
            .map(|chosen| {
                let chosen: Vec<_> = (0..lines.len()).filter(|at| chosen >> at & 1 == 1).map(|at| lines[at]).collect();
                format!("GET / HTTP/1.1\r\n{}\r\n", chosen.concat())
            })
            .collect();
        for before in &heads {
            for head in &heads {
                let mut layouts = Layouts::default();
                read(Role::Request, before.as_bytes(), Some(&mut layouts)).expect("a plain head");
                let (parsed, len) = read(Role::Request, head.as_bytes(), Some(&mut layouts)).expect("a plain head");
                assert_eq!(len, head.len());
                assert_eq!(seen(&parsed), seen(&parse_any(Role::Request, head.as_bytes()).expect("a head")));
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_read_here_is_read_alike_elsewhere(
            is_request in any::<bool>(),
            changes in proptest::collection::vec((any::<u16>(), prop_oneof![any::<u8>(), proptest::sample::select(&b"\r\n\t :,;A\x7f\xff"[..])]), 0..4),
        ) {
            let (role, octets) = if is_request { (Role::Request, REQUEST) } else { (Role::Response, RESPONSE) };
            let mut octets = octets.to_vec();
            let len = octets.len();
            changes.iter().for_each(|&(at, octet)| octets[usize::from(at) % len] = octet);
            let mut layouts = Layouts::default();
            let alone = read(role, &octets, Some(&mut layouts)).map(|(parsed, len)| (seen(&parsed), len));
            for before in if is_request { [REQUEST, &octets] } else { [RESPONSE, &octets] } {
                // Whatever was read before.
                let _ = read(role, before, Some(&mut layouts));
                let found = read(role, &octets, Some(&mut layouts));
                let seen_now = found.as_ref().map(|(parsed, len)| (seen(parsed), *len));
                prop_assert_eq!(&seen_now, &alone);
                if let Some((parsed, len)) = found {
                    let other = parse_any(role, &octets[..len]);
                    prop_assert!(other.is_some_and(|other| seen(&other) == seen(&parsed)), "{}", octets.escape_ascii());
                }
            }
        }
    }
}
