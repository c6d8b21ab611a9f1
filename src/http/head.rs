//! Header sections (RFC 9112 §2–§5): where they end, and what is in them.

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig};

use super::detect::{StartLook, is_token_octet, request_line, status_line};
use super::plain;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::Head;
use crate::stream::StreamBuffer;

/// The side of a connection a head comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Request,
    Response,
}

impl Role {
    /// Whether a head of this kind begins at the front; `None` while more octets are needed to tell.
    pub(super) fn begins(self, buffer: &StreamBuffer, look: &mut StartLook) -> Option<bool> {
        match self {
            Self::Request => look.request(buffer),
            Self::Response => look.response(buffer),
        }
    }
}

/// A header section that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) head: Head,
    /// Status code; 0 in a request.
    pub(super) status: u16,
    pub(super) anomalies: AnomalySet,
}

impl Parsed {
    /// Whether it had to be read with leniency.
    pub(super) fn is_malformed(&self) -> bool {
        self.anomalies.contains(AnomalyKind::MalformedHttpHead)
    }
}

/// The search for the empty line that ends a header section; remembers how far it got.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// No section ends before this offset.
    searched: usize,
}

impl Search {
    /// Octets up to and including the empty line; `None` while it is not there. Bare line feeds end lines too (RFC 9112 §2.2).
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.searched;
        for found in memchr::memchr_iter(b'\n', bytes.get(from..)?) {
            let line_end = from + found;
            match bytes[line_end + 1..] {
                [b'\n', ..] => return Some(line_end + 2),
                [b'\r', b'\n', ..] => return Some(line_end + 3),
                [] | [b'\r'] => {
                    self.searched = line_end;
                    return None;
                }
                _ => self.searched = line_end + 1,
            }
        }
        self.searched = bytes.len();
        None
    }

    /// Whether it has not begun.
    pub(super) fn is_new(&self) -> bool {
        self.searched == 0
    }

    /// That many octets were taken off the front.
    pub(super) fn skip(&mut self, len: usize) {
        self.searched = self.searched.saturating_sub(len);
    }
}

/// Reads a whole header section, up to and including its empty line. `None` when not even its start line can be told.
pub(super) fn parse(role: Role, raw: &[u8]) -> Option<Parsed> {
    plain::read(role, raw, None).map_or_else(|| parse_any(role, raw), |(parsed, _)| Some(parsed))
}

/// The same of any form.
pub(super) fn parse_any(role: Role, raw: &[u8]) -> Option<Parsed> {
    let line_end = memchr::memchr(b'\n', raw)?;
    let (start, status) = match role {
        Role::Request => (request_line(&raw[..line_end])?, 0),
        Role::Response => status_line(&raw[..line_end])?,
    };
    // Most heads have few fields; the arrays are not initialised, but they take stack.
    let strict = strictly::<64>(role, raw, start)
        .or_else(|error| if error.too_many() { strictly::<256>(role, raw, start) } else { Err(error) })
        .or_else(|error| if error.too_many() { strictly::<1024>(role, raw, start) } else { Err(error) });
    let (head, mut anomalies) = match strict {
        Ok(head) => (head, AnomalySet::EMPTY),
        Err(_) => leniently(role, raw, start, raw.len(), line_end + 1),
    };
    if may_have_folds(raw, &head) && head.fields().any(|(_, value)| value.contains(&b'\n')) {
        anomalies.insert(AnomalyKind::ObsoleteFolding);
    }
    Some(Parsed { head, status, anomalies })
}

/// Reads what was captured of a header section whose rest was not: the start line, as far as it goes, and the field lines
/// that are complete. `None` when too little of the start line is there.
pub(super) fn parse_cut(role: Role, raw: &[u8]) -> Option<Parsed> {
    let whole = memchr::memrchr(b'\n', raw).map_or(0, |line_feed| line_feed + 1);
    let line_end = memchr::memchr(b'\n', raw).unwrap_or(raw.len());
    let (start, status) = match role {
        Role::Request if line_end == raw.len() => (cut_request_line(raw)?, 0),
        Role::Request => (request_line(&raw[..line_end])?, 0),
        Role::Response => status_line(&raw[..line_end]).filter(|(start, _)| start[1].len() >= 3)?,
    };
    let (head, mut anomalies) = leniently(role, raw, start, whole, (line_end + 1).min(whole));
    if line_end == raw.len() {
        // What is odd about a line cannot be told before its end.
        anomalies = AnomalySet::EMPTY;
    }
    anomalies.insert(AnomalyKind::HeaderSectionCut);
    Some(Parsed { head, status, anomalies })
}

/// Method and the beginning of the target, or all of it where the version has begun.
fn cut_request_line(line: &[u8]) -> Option<[&[u8]; 3]> {
    let (method, rest) = line.split_at(memchr::memchr(b' ', line)?);
    let rest = &rest[1..];
    let Some(space) = memchr::memrchr(b' ', rest) else { return Some([method, rest, b""]) };
    let (target, version) = (&rest[..space], &rest[space + 1..]);
    let version = version.strip_suffix(b"\r").unwrap_or(version);
    Some(match [&b"HTTP/1.1"[..], b"HTTP/1.0"].into_iter().find(|whole| whole.starts_with(version)) {
        Some(whole) if whole.len() == version.len() => [method, target, version],
        Some(_) => [method, target, b""],
        None => [method, rest, b""],
    })
}

/// Why httparse does not read a head.
struct Rejected(httparse::Error);

impl Rejected {
    fn too_many(&self) -> bool {
        self.0 == httparse::Error::TooManyHeaders
    }
}

#[inline(never)]
fn strictly<const FIELDS: usize>(role: Role, raw: &[u8], start: [&[u8]; 3]) -> Result<Head, Rejected> {
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; FIELDS];
    let mut config = ParserConfig::default();
    let fields: &[Header<'_>] = match role {
        Role::Request => {
            let mut request = httparse::Request::new(&mut []);
            config.parse_request_with_uninit_headers(&mut request, raw, &mut fields).map_err(Rejected)?;
            request.headers
        }
        Role::Response => {
            let mut response = httparse::Response::new(&mut []);
            config
                .allow_spaces_after_header_name_in_responses(true)
                .allow_obsolete_multiline_headers_in_responses(true)
                .parse_response_with_uninit_headers(&mut response, raw, &mut fields)
                .map_err(Rejected)?;
            response.headers
        }
    };
    Ok(Head::new(raw, start, fields.iter().map(|field| (field.name.as_bytes(), field.value.trim_ascii()))))
}

/// Reads field lines as a person would: a name, a colon, a value and the lines folded into it; other lines are passed over.
///
/// The field lines are those from `fields_at` to `fields_end`.
fn leniently(role: Role, raw: &[u8], start: [&[u8]; 3], fields_end: usize, fields_at: usize) -> (Head, AnomalySet) {
    let mut anomalies = AnomalySet::EMPTY;
    let is_odd = match role {
        Role::Request => start[2].is_empty(),
        Role::Response => start[1].len() != 3,
    };
    if is_odd || has_odd_spaces(&raw[..fields_at]) {
        anomalies.insert(AnomalyKind::MalformedHttpHead);
    }
    let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
    let mut rest = &raw[fields_at..fields_end];
    while !rest.is_empty() {
        let (line, after) = rest.split_at(folded_line_end(rest));
        rest = after;
        match memchr::memchr(b':', line).map(|colon| line.split_at(colon)) {
            Some((name, value)) if !name.trim_ascii().is_empty() => {
                if !name.iter().all(|&b| is_token_octet(b)) {
                    anomalies.insert(AnomalyKind::MalformedHttpHead);
                }
                fields.push((name.trim_ascii(), value[1..].trim_ascii()));
            }
            _ if line.trim_ascii().is_empty() => {}
            _ => anomalies.insert(AnomalyKind::MalformedHttpHead),
        }
    }
    (Head::new(raw, start, fields.into_iter()), anomalies)
}

/// Whether there are more lines than a start line, a line for each field and an empty one: a folded value takes several
/// (RFC 9112 §5.2).
fn may_have_folds(raw: &[u8], head: &Head) -> bool {
    memchr::memchr_iter(b'\n', raw).count() > head.fields().count() + 2
}

fn has_odd_spaces(start_line: &[u8]) -> bool {
    memchr::memmem::find(start_line, b"  ").is_some()
}

/// Octets of the first field line, with the lines that obs-fold adds to it (RFC 9112 §5.2).
fn folded_line_end(rest: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', rest)
        .map(|line_feed| line_feed + 1)
        .find(|&end| !matches!(rest.get(end), Some(b' ' | b'\t')))
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(parsed: &Parsed) -> Vec<(&[u8], &[u8])> {
        parsed.head.fields().collect()
    }

    #[test]
    fn section_ends_at_the_empty_line_wherever_it_is_cut() {
        for raw in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\nHost: a\r\n\r\n"] {
            let mut search = Search::default();
            for len in 0..raw.len() {
                assert_eq!(search.end(&raw[..len]), None);
            }
            let with_trailing_data = [raw, b"\r\n\r\nmore"].concat();
            assert_eq!(search.end(&with_trailing_data), Some(raw.len()));
        }
    }

    #[test]
    fn target_of_a_line_that_is_cut_ends_before_the_version() {
        let line = b"GET /a?b HTTP/1.1\r";
        for len in 5..=line.len() {
            let [_, target, version] = cut_request_line(&line[..len]).expect("a method and the beginning of a target");
            assert_eq!(target, &b"/a?b"[..(len - 4).min(4)], "{len}");
            assert_eq!(version, if len >= 17 { &b"HTTP/1.1"[..] } else { b"" }, "{len}");
        }
    }

    #[test]
    fn request_line_and_fields_are_told() {
        let parsed = parse(Role::Request, b"GET /a?b HTTP/1.1\r\nHost: x\r\nX-Name:  Z\xc3\xbcrich \r\n\r\n").unwrap();
        assert_eq!(parsed.head.start_line(), [&b"GET"[..], b"/a?b", b"HTTP/1.1"]);
        assert_eq!(fields(&parsed), [(&b"Host"[..], &b"x"[..]), (b"X-Name", "Zürich".as_bytes())]);
        assert_eq!(parsed.anomalies, AnomalySet::EMPTY);
    }

    #[test]
    fn folded_value_is_one_field_in_requests_and_responses() {
        for (role, start) in [(Role::Request, "GET / HTTP/1.1"), (Role::Response, "HTTP/1.1 200 OK")] {
            let parsed = parse(role, format!("{start}\r\nA: 1\r\n 2\r\nB: 3\r\n\r\n").as_bytes()).unwrap();
            assert_eq!(fields(&parsed), [(&b"A"[..], &b"1\r\n 2"[..]), (b"B", b"3")]);
            assert_eq!(parsed.anomalies, AnomalySet::from_iter([AnomalyKind::ObsoleteFolding]));
        }
    }

    #[test]
    fn what_httparse_rejects_is_still_read() {
        for (role, raw) in [
            (Role::Request, &b"GET  /x  HTTP/1.1\r\nHost: a\r\n\r\n"[..]),
            (Role::Request, b"GET /x\r\nHost: a\r\n\r\n"),
            (Role::Request, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            (Role::Request, b"GET /x HTTP/1.1\r\nno colon\r\nHost : a\r\n\r\n"),
            (Role::Response, b"HTTP/1.1 200 OK\r\nbad line\r\nHost: a\r\n\r\n"),
            (Role::Response, b"HTTP/1.1  200 OK\r\nHost: a\r\n\r\n"),
            (Role::Response, b"ICY 200 OK\r\nHost: a\r\n\r\n"),
            (Role::Response, b"HTTP/1.7 200 OK\r\nHost: a\r\n\r\n"),
        ] {
            let parsed = parse(role, raw).unwrap();
            assert_eq!(fields(&parsed), [(&b"Host"[..], &b"a"[..])], "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn space_before_colon_is_read_in_responses() {
        let parsed = parse(Role::Response, b"HTTP/1.1 200\r\nContent-Length : 5\r\n\r\n").unwrap();
        assert_eq!(fields(&parsed), [(&b"Content-Length"[..], &b"5"[..])]);
        assert!(!parsed.is_malformed());
    }

    #[test]
    fn any_number_of_fields_is_read() {
        for count in [0, 1, 64, 65, 256, 257, 1024, 1025] {
            let lines: String = (0..count).map(|i| format!("X-{i}: {i}\r\n")).collect();
            let parsed = parse(Role::Request, format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes()).unwrap();
            assert_eq!((parsed.head.fields().count(), parsed.is_malformed()), (count, false));
        }
    }

    #[test]
    fn start_line_that_is_none_is_refused() {
        assert!(parse(Role::Request, b"hello world\r\n\r\n").is_none());
        assert!(parse(Role::Response, b"HTTP/1.1 OK\r\n\r\n").is_none());
    }
}
