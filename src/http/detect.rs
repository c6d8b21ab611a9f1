//! Start lines (RFC 9112 §3, §4): taken apart, and recognised from as few octets as is safe.

use crate::stream::StreamBuffer;

/// Methods that are believed before the whole request line is there: RFC 9110 §9, RFC 5789, WebDAV (RFC 4918, 3253, 5323).
const METHODS: [&[u8]; 18] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
];

/// Longer tokens are not taken for a method; the longest registered one has 17 octets.
pub(super) const LONGEST_METHOD: usize = 32;

/// Octets in which a start line ends or is taken for none, where it is looked for without a [`StartLook`]: RFC 9112 §3 recommends
/// that request lines of 8000 octets are supported.
pub(super) const LONGEST_START_LINE: usize = 8 << 10;

/// A look for one kind of start line at the front of a buffer. The next one begins where this one ended, so that each octet of
/// what is not yet a line, or is none, is searched once.
///
/// ```text
///   front
///   | \r \n \r \n G E T ␠ h t t p ␠ …
///   | empty ----> |             ^ searched: neither a line's end nor, in a request, a control octet stands before
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StartLook {
    /// Stream offset of the front.
    front: u64,
    empty: usize,
    searched: usize,
}

impl StartLook {
    /// Whether a request begins at the front of these unread bytes, as [`looks_like_request`] says. The same stream as before.
    pub(crate) fn request(&mut self, buffer: &StreamBuffer) -> Option<bool> {
        self.move_to(buffer.start());
        self.request_in(buffer.peek())
    }

    /// The same of a response.
    pub(crate) fn response(&mut self, buffer: &StreamBuffer) -> Option<bool> {
        self.move_to(buffer.start());
        self.response_in(buffer.peek())
    }

    /// What was found out of the octets behind a front that moved on holds still.
    fn move_to(&mut self, front: u64) {
        let passed = front.checked_sub(self.front).map_or(usize::MAX, |passed| usize::try_from(passed).unwrap_or(usize::MAX));
        *self = Self { front, empty: self.empty.saturating_sub(passed), searched: self.searched.saturating_sub(passed) };
    }

    // Into the first look of a stream, where nothing is remembered: there it is done for each connection.
    #[inline(always)]
    fn request_in(&mut self, bytes: &[u8]) -> Option<bool> {
        let line = self.without_empty_lines(bytes);
        let method = line.iter().take(LONGEST_METHOD + 1).take_while(|&&b| is_token_octet(b)).count();
        if method > LONGEST_METHOD {
            return Some(false);
        }
        match line.get(method) {
            None => return None,
            Some(b' ') if method > 0 => {}
            Some(_) => return Some(false),
        }
        let known = self.searched.max(self.empty);
        match self.line_end(bytes) {
            Some(end) => Some(request_line(&bytes[self.empty..end]).is_some()),
            None if is_known_method(&line[..method]) && line.get(method + 1) == Some(&b'/') => {
                self.searched = known;
                Some(true)
            }
            None => match find_control(bytes.get(known..).unwrap_or_default()) {
                Some(control) => {
                    self.searched = known + control;
                    Some(false)
                }
                None => None,
            },
        }
    }

    // As above.
    #[inline(always)]
    fn response_in(&mut self, bytes: &[u8]) -> Option<bool> {
        let line = self.without_empty_lines(bytes);
        // 0 stands for any digit.
        const SHAPES: [&[u8]; 2] = [b"HTTP/0.0 0", b"ICY 0"];
        let fits = |shape: &[u8]| {
            shape.iter().zip(line).all(|(&wanted, &found)| if wanted == b'0' { found.is_ascii_digit() } else { wanted == found })
        };
        match SHAPES.into_iter().find(|shape| fits(shape)) {
            Some(shape) if line.len() >= shape.len() => Some(true),
            Some(_) => None,
            // Several spaces before the status code: only the whole line tells.
            None if line.starts_with(b"HTTP/1.") => self.line_end(bytes).map(|end| status_line(&bytes[self.empty..end]).is_some()),
            None => Some(false),
        }
    }

    /// Empty lines before a start line mean nothing (RFC 9112 §2.2).
    #[inline]
    fn without_empty_lines<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let rest = bytes.get(self.empty..).unwrap_or_default();
        self.empty = bytes.len() - rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |start| rest.len() - start);
        &bytes[self.empty..]
    }

    /// Where the line ends that begins behind the empty ones.
    #[inline]
    fn line_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.searched.max(self.empty);
        let end = memchr::memchr(b'\n', bytes.get(from..)?).map(|found| from + found);
        self.searched = end.unwrap_or(bytes.len());
        end
    }
}

/// The first octet that is in no start line. Blocks are gone through to their ends: so the compiler makes few instructions of each.
fn find_control(bytes: &[u8]) -> Option<usize> {
    let is_control = |&b: &u8| b < b' ' && b != b'\t' && b != b'\r';
    let plain = bytes.chunks(64).take_while(|block| !block.iter().fold(false, |found, b| found | is_control(b)));
    let passed = plain.map(<[u8]>::len).sum();
    bytes[passed..].iter().position(is_control).map(|control| passed + control)
}

/// Whether an HTTP/1 request begins here; `None` while more octets are needed to tell.
///
/// A well-known method with an origin-form target is enough; anything else waits for the whole request line, because RTSP,
/// SIP and others share the methods and the shape.
pub(crate) fn looks_like_request(bytes: &[u8]) -> Option<bool> {
    StartLook::default().request_in(bytes)
}

/// Whether an HTTP/1 response begins here; `None` while more octets are needed to tell.
///
/// A status code has three digits (RFC 9112 §4); the first is enough to know a status line, even one that is odd.
pub(crate) fn looks_like_response(bytes: &[u8]) -> Option<bool> {
    StartLook::default().response_in(bytes)
}

/// Method, target and version of a request line without its line feed; the version is empty when there is none.
///
/// Tolerant of repeated spaces and of spaces in the target; a line without version must have a well-known method.
pub(super) fn request_line(line: &[u8]) -> Option<[&[u8]; 3]> {
    let line = line.trim_ascii_end();
    let method_end = memchr::memchr(b' ', line)?;
    let (method, rest) = line.split_at(method_end);
    if method.is_empty() || method.len() > LONGEST_METHOD || !method.iter().all(|&b| is_token_octet(b)) {
        return None;
    }
    let is_known = is_known_method(method);
    let version_start = memchr::memrchr(b' ', rest).map_or(0, |space| space + 1);
    let (target, version) = rest.split_at(version_start);
    let (target, has_version) = (target.trim_ascii(), version.starts_with(b"HTTP/1.") || version == b"HTTP/0.9");
    if has_version && !target.is_empty() {
        // A space in the target of a method that nobody knows: a sentence rather than a request.
        return (is_known || !target.contains(&b' ')).then_some([method, target, version]);
    }
    // Without a target what follows is taken for it, as Wireshark does; without a version it must look like a target.
    let rest = rest.trim_ascii();
    (is_known && (has_version || rest.starts_with(b"/") && !version.starts_with(b"HTTP/"))).then_some([method, rest, b""])
}

/// Version, status code and reason phrase of a status line without its line feed, and the code as a number: that of its
/// first three octets as far as they are digits, and at least one is.
pub(super) fn status_line(line: &[u8]) -> Option<([&[u8]; 3], u16)> {
    let line = line.trim_ascii_end();
    let (version, rest) = line.split_at(memchr::memchr(b' ', line)?);
    if !matches!(version, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] | b"ICY") {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let (code, reason) = rest.split_at(memchr::memchr(b' ', rest).unwrap_or(rest.len()));
    let digits = code.iter().take(3).take_while(|octet| octet.is_ascii_digit());
    let status = digits.fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    code.first()?.is_ascii_digit().then(|| ([version, code, reason.trim_ascii_start()], status))
}

fn is_known_method(method: &[u8]) -> bool {
    METHODS.contains(&method)
}

/// RFC 9110 §5.6.2.
pub(super) const fn is_token_octet(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::Provenance;

    #[test]
    fn request_is_recognised_as_early_as_is_safe() {
        for (bytes, expected) in [
            (&b""[..], None),
            (b"GE", None),
            (b"GET ", None),
            (b"GET /", Some(true)),
            (b"GET /chat HTTP/1.1\r\n", Some(true)),
            (b"GET /x\r\n", Some(true)),
            (b"GET  /two%20spaces  HTTP/1.1\r\n", Some(true)),
            (b"GET http://example/ HTT", None),
            (b"GET http://example/ HTTP/1.1\r\n", Some(true)),
            (b"CONNECT example:443 HTTP/1.1\n", Some(true)),
            (b"\r\n", None),
            (b"\r\nGET /", Some(true)),
            (b"BREW /pot", None),
            (b"BREW /pot HTTP/1.1\r\n", Some(true)),
            (b"BREW /pot\r\n", Some(false)),
            (b"the end of some content, and GET / HTTP/1.1\r\n", Some(false)),
            (b"GET HTTP/1.1\r\n", Some(true)),
            (b"GET /x HTTP/2.0\r\n", Some(false)),
            (b"OPTIONS * HTTP/1.1\r\n", Some(true)),
            (b"OPTIONS rtsp://example RTSP/1.0\r\n", Some(false)),
            (b"OPTIONS sip:a@example SIP/2.0\r\n", Some(false)),
            (b"PRI * HTTP/2.0\r\n", Some(false)),
            (b"HTTP/1.1 200 OK\r\n", Some(false)),
            (b"\x16\x03\x01\x02\x00", Some(false)),
            (b"\x81\x05hello", Some(false)),
            (b"EHLO \x00\x01", Some(false)),
            (b" GET / HTTP/1.1\r\n", Some(false)),
            (b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Some(false)),
        ] {
            assert_eq!(looks_like_request(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn response_is_recognised_as_early_as_is_safe() {
        for (bytes, expected) in [
            (&b""[..], None),
            (b"HTTP/1.", None),
            (b"HTTP/1.1 200", Some(true)),
            (b"HTTP/1.0 304 Not Modified\r\n", Some(true)),
            (b"HTTP/1.1  200", None),
            (b"HTTP/1.1  200 OK\r\n", Some(true)),
            (b"HTTP/1.1 OK\r\n", Some(false)),
            (b"HTTP/1.1\r 200 OK\r\n", Some(false)),
            (b"HTTP/1.1 2", Some(true)),
            (b"HTTP/2 200\r\n", Some(false)),
            (b"ICY 200 OK\r\n", Some(true)),
            (b"GET / HTTP/1.1\r\n", Some(false)),
            (b"\r\n\r\nHTTP/1.1 200", Some(true)),
            (b"\x81\x05hello", Some(false)),
        ] {
            assert_eq!(looks_like_response(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    fn buffer_of(octets: &[u8]) -> StreamBuffer {
        let mut buffer = StreamBuffer::new();
        buffer.push(octets, Provenance::default());
        buffer
    }

    #[test]
    fn octets_that_were_searched_are_not_searched_again() {
        let (mut requests, mut responses) = (StartLook::default(), StartLook::default());
        assert_eq!(requests.request(&buffer_of(b"\r\n\r\nB x A A")), None);
        assert_eq!(responses.response(&buffer_of(b"\n\nHTTP/1.x  ")), None);
        assert_eq!([(requests.empty, requests.searched), (responses.empty, responses.searched)], [(4, 11), (2, 12)]);
        // A line's end in the place of what was searched is not seen.
        assert_eq!(requests.request(&buffer_of(b"????B x\nA A A")), None);
        assert_eq!(responses.response(&buffer_of(b"??HTTP/1.\n   ")), None);
    }

    #[test]
    fn front_that_moves_on_leaves_what_was_searched_behind_it() {
        let (mut look, mut buffer) = (StartLook::default(), buffer_of(b"\n\nB x A A"));
        assert_eq!(look.request(&buffer), None);
        buffer.consume(6);
        assert_eq!(look.request(&buffer), None);
        assert_eq!((look.empty, look.searched), (0, 3));
        buffer.push(b" \n", Provenance::default());
        // Not one of a method that is known, and there is no version.
        assert_eq!(look.request(&buffer), Some(false));
    }

    /// Octets that start lines are made of, and runs of them.
    fn any_piece() -> impl Strategy<Value = Vec<u8>> {
        let pieces = vec!["\r", "\n", " ", "/", "\x01", "A", "B x", "GET ", "HTTP/1.1", "HTTP/1.1 2", "ICY "];
        prop::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec())
    }

    proptest! {
        #[test]
        fn looks_in_steps_say_what_a_look_at_once_does(steps in prop::collection::vec((any_piece(), 0u64..12, any::<bool>()), 1..30)) {
            let (mut request, mut response) = (StartLook::default(), StartLook::default());
            let mut buffer = StreamBuffer::new();
            for (piece, taken, takes) in steps {
                buffer.push(&piece, Provenance::default());
                buffer.consume(if takes { taken } else { 0 });
                prop_assert_eq!(request.request(&buffer), looks_like_request(buffer.peek()));
                prop_assert_eq!(response.response(&buffer), looks_like_response(buffer.peek()));
            }
        }
    }

    #[test]
    fn status_line_may_lack_its_reason_phrase() {
        assert_eq!(status_line(b"HTTP/1.1 204\r"), Some(([&b"HTTP/1.1"[..], b"204", b""], 204)));
        assert_eq!(status_line(b"HTTP/1.1 404 Not Found\r"), Some(([&b"HTTP/1.1"[..], b"404", b"Not Found"], 404)));
        assert_eq!(status_line(b"HTTP/1.1 OK"), None);
    }

    #[test]
    fn odd_status_code_is_read_as_far_as_it_is_one() {
        assert_eq!(status_line(b"HTTP/1.1 2 OK"), Some(([&b"HTTP/1.1"[..], b"2", b"OK"], 2)));
        assert_eq!(status_line(b"HTTP/1.1 2004 OK"), Some(([&b"HTTP/1.1"[..], b"2004", b"OK"], 200)));
    }
}
