//! Start lines (RFC 9112 §3, §4): taken apart, and recognised from as few octets as is safe.

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

/// Whether an HTTP/1 request begins here; `None` while more octets are needed to tell.
///
/// A well-known method with an origin-form target is enough; anything else waits for the whole request line, because RTSP,
/// SIP and others share the methods and the shape.
pub(crate) fn looks_like_request(bytes: &[u8]) -> Option<bool> {
    let bytes = without_empty_lines(bytes);
    let method = bytes.iter().take(LONGEST_METHOD + 1).take_while(|&&b| is_token_octet(b)).count();
    if method > LONGEST_METHOD {
        return Some(false);
    }
    match bytes.get(method) {
        None => return None,
        Some(b' ') if method > 0 => {}
        Some(_) => return Some(false),
    }
    match memchr::memchr(b'\n', bytes) {
        Some(end) => Some(request_line(&bytes[..end]).is_some()),
        None if is_known_method(&bytes[..method]) && bytes.get(method + 1) == Some(&b'/') => Some(true),
        None if bytes.iter().any(|&b| b < b' ' && b != b'\t' && b != b'\r') => Some(false),
        None => None,
    }
}

/// Whether an HTTP/1 response begins here; `None` while more octets are needed to tell.
///
/// A status code has three digits (RFC 9112 §4); the first is enough to know a status line, even one that is odd.
pub(crate) fn looks_like_response(bytes: &[u8]) -> Option<bool> {
    let bytes = without_empty_lines(bytes);
    // 0 stands for any digit.
    const SHAPES: [&[u8]; 2] = [b"HTTP/0.0 0", b"ICY 0"];
    let fits = |shape: &[u8]| {
        shape.iter().zip(bytes).all(|(&wanted, &found)| if wanted == b'0' { found.is_ascii_digit() } else { wanted == found })
    };
    match SHAPES.into_iter().find(|shape| fits(shape)) {
        Some(shape) if bytes.len() >= shape.len() => Some(true),
        Some(_) => None,
        // Several spaces before the status code: only the whole line tells.
        None if bytes.starts_with(b"HTTP/1.") => memchr::memchr(b'\n', bytes).map(|end| status_line(&bytes[..end]).is_some()),
        None => Some(false),
    }
}

/// Empty lines before a start line mean nothing (RFC 9112 §2.2).
fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    &bytes[start..]
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
    use super::*;

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
