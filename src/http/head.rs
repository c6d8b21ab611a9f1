//! Header sections (RFC 9112 §2–5): where they end, and their field lines.

use crate::anomaly::AnomalyKind;
use crate::message::Head;

/// Field lines that httparse is first given room for; nearly all heads fit.
const FIELDS: usize = 64;

/// Finds the end of a header section that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EndFinder {
    /// Octets of the unread bytes that hold no end.
    searched: usize,
}

impl EndFinder {
    /// Octets from the beginning of `bytes` to behind the empty line; `None` until that is there. `lead` octets of empty
    /// lines stand before the start line.
    pub(super) fn find(&mut self, bytes: &[u8], lead: usize) -> Option<usize> {
        let from = self.searched.max(lead);
        for at in memchr::memchr_iter(b'\n', bytes.get(from..)?).map(|at| at + from) {
            match bytes.get(at + 1..) {
                Some([b'\n', ..]) => return Some(at + 2),
                Some([b'\r', b'\n', ..]) => return Some(at + 3),
                // The empty line may be cut behind this line's end.
                Some([] | [b'\r']) | None => {
                    self.searched = at;
                    return None;
                }
                Some(_) => {}
            }
        }
        self.searched = bytes.len().max(lead);
        None
    }

    /// The next header section begins.
    pub(super) fn reset(&mut self) {
        self.searched = 0;
    }
}

/// Octets of empty lines before a start line (RFC 9112 §2.2).
pub(super) fn leading_empty_lines(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

/// A header section as read, and what is odd about it.
pub(super) struct Parsed {
    pub(super) head: Head,
    pub(super) anomaly: Option<AnomalyKind>,
}

/// Reads the header section of a request; `raw` runs from the start line to the empty line.
pub(super) fn request(raw: &[u8]) -> Parsed {
    parse(raw, |line| {
        let (method, rest) = cut_at_space(line);
        match memchr::memmem::rfind(rest, b" HTTP/") {
            Some(at) => [method, rest[..at].trim_ascii(), &rest[at + 1..]],
            None => [method, rest, &[]],
        }
    })
}

/// Reads the header section of a response.
pub(super) fn response(raw: &[u8]) -> Parsed {
    parse(raw, |line| {
        let (version, rest) = cut_at_space(line);
        let (status, reason) = cut_at_space(rest);
        [version, status, reason]
    })
}

fn cut_at_space(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', line) {
        Some(at) => (&line[..at], line[at + 1..].trim_ascii_start()),
        None => (line, &[]),
    }
}

fn parse<'a>(raw: &'a [u8], start_line: impl Fn(&'a [u8]) -> [&'a [u8]; 3]) -> Parsed {
    let line_end = memchr::memchr(b'\n', raw).unwrap_or(raw.len());
    let line = raw[..line_end].strip_suffix(b"\r").unwrap_or(&raw[..line_end]);
    let start = start_line(line);
    let section = raw.get(line_end + 1..).unwrap_or_default();
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    match httparse::parse_headers(section, &mut fields) {
        Ok(httparse::Status::Complete((_, fields))) => {
            let fields = fields.iter().map(|field| (field.name.as_bytes(), field.value.trim_ascii()));
            Parsed { head: Head::new(raw, start, fields), anomaly: None }
        }
        // Many fields, folded lines, odd octets: what people call a header section all the same.
        Ok(httparse::Status::Partial) | Err(_) => {
            let (fields, anomaly) = lenient_fields(section);
            Parsed { head: Head::new(raw, start, fields.into_iter()), anomaly }
        }
    }
}

type Field<'a> = (&'a [u8], &'a [u8]);

/// Reads field lines that httparse refuses. A folded line (RFC 9112 §5.2) goes on with the value before it.
fn lenient_fields(section: &[u8]) -> (Vec<Field<'_>>, Option<AnomalyKind>) {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let (mut anomaly, mut offset) = (None, 0);
    for line in section.split_inclusive(|&b| b == b'\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        if line[0] == b' ' || line[0] == b'\t' {
            anomaly = anomaly.or(Some(AnomalyKind::ObsoleteFolding));
            if let Some((_, value)) = fields.last_mut() {
                let value_start = offset_within(section, value).unwrap_or(start);
                *value = &section[value_start..start + line.len()];
            }
        } else if let Some(colon) = memchr::memchr(b':', line) {
            fields.push((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()));
        } else {
            anomaly = Some(AnomalyKind::MalformedHttpHead);
        }
    }
    (fields, anomaly)
}

/// Where a part lies in the section it was cut out of.
fn offset_within(section: &[u8], part: &[u8]) -> Option<usize> {
    (part.as_ptr() as usize).checked_sub(section.as_ptr() as usize).filter(|&offset| offset <= section.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(head: &Head) -> Vec<(&str, &str)> {
        let text = |octets| str::from_utf8(octets).expect("test data is ASCII");
        head.fields().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn end_is_found_wherever_the_section_is_cut() {
        for section in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\n\n", "\r\nGET / HTTP/1.1\r\nA: b\n\r\n"] {
            let (mut finder, lead) = (EndFinder::default(), leading_empty_lines(section.as_bytes()));
            for len in 0..section.len() {
                assert_eq!(finder.find(&section.as_bytes()[..len], lead.min(len)), None, "{section:?} cut at {len}");
            }
            let trailing = [section, "\r\n\r\nmore"].concat();
            assert_eq!(finder.find(trailing.as_bytes(), lead), Some(section.len()), "{section:?}");
        }
    }

    #[test]
    fn start_lines_are_cut_at_their_spaces() {
        let request = request(b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n").head;
        assert_eq!(request.start_line(), [&b"GET"[..], b"/a b", b"HTTP/1.1"]);
        let response = response(b"HTTP/1.1 404 Not Found\r\n\r\n").head;
        assert_eq!(response.start_line(), [&b"HTTP/1.1"[..], b"404", b"Not Found"]);
    }

    #[test]
    fn folded_lines_go_on_with_the_value() {
        let parsed = request(b"GET / HTTP/1.1\r\nA: one\r\n two\r\nB: x\r\n\r\n");
        assert_eq!(fields(&parsed.head), [("A", "one\r\n two"), ("B", "x")]);
        assert_eq!(parsed.anomaly, Some(AnomalyKind::ObsoleteFolding));
    }

    #[test]
    fn more_fields_than_usual_are_all_read() {
        let many: String = (0..200).map(|n| format!("X-{n}: {n}\r\n")).collect();
        let parsed = request(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes());
        assert_eq!((parsed.head.fields().count(), parsed.anomaly), (200, None));
    }

    #[test]
    fn a_line_without_a_colon_costs_only_itself() {
        let parsed = response(b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length : 3\r\n\r\n");
        assert_eq!(fields(&parsed.head), [("Content-Length", "3")]);
        assert_eq!(parsed.anomaly, Some(AnomalyKind::MalformedHttpHead));
    }
}
