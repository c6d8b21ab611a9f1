//! What the beginning of an HTTP/1 message looks like.

/// No method in use is longer.
const MAX_METHOD: usize = 32;

/// A request line longer than this is no request's.
const MAX_REQUEST_LINE: usize = 32 << 10;

/// Whether bytes begin with a request line (RFC 9112 §3); `None` when more bytes are needed to tell.
pub(crate) fn looks_like_request(bytes: &[u8]) -> Option<bool> {
    let bytes = without_empty_lines(bytes);
    let Some(method_len) = memchr::memchr(b' ', &bytes[..bytes.len().min(MAX_METHOD)]) else {
        return if bytes.len() < MAX_METHOD && bytes.iter().all(|&b| is_method_octet(b)) { None } else { Some(false) };
    };
    let method = &bytes[..method_len];
    if method.is_empty() || !method.iter().all(|&b| is_method_octet(b)) {
        return Some(false);
    }
    let line_end = memchr::memchr(b'\n', &bytes[..bytes.len().min(MAX_REQUEST_LINE)]);
    match line_end {
        Some(end) => Some(is_request_line(&bytes[..end], method_len)),
        None if bytes.len() >= MAX_REQUEST_LINE => Some(false),
        None if bytes.contains(&0) => Some(false),
        None => None,
    }
}

/// Whether bytes begin with a status line (RFC 9112 §4); `None` when more bytes are needed to tell.
pub(crate) fn looks_like_response(bytes: &[u8]) -> Option<bool> {
    let bytes = without_empty_lines(bytes);
    let pattern: &[u8] = b"HTTP/9.9 999";
    for (octet, expected) in bytes.iter().zip(pattern) {
        let fits = if *expected == b'9' { octet.is_ascii_digit() } else { octet == expected };
        if !fits {
            return Some(false);
        }
    }
    if bytes.len() >= pattern.len() { Some(true) } else { None }
}

/// Whether a line ends with the version of HTTP/1, or is a GET of a target alone (HTTP/0.9).
fn is_request_line(line: &[u8], method_len: usize) -> bool {
    let line = line.trim_ascii_end();
    let Some(version) = memchr::memmem::rfind(line, b" HTTP/") else {
        let target = line.get(method_len + 1..).unwrap_or_default();
        return line.starts_with(b"GET /") && !target.contains(&b' ');
    };
    let version = &line[version + 6..];
    matches!(version, [b'0'..=b'1', b'.', b'0'..=b'9', ..])
}

/// tchar (RFC 9110 §5.6.2) without those that no method is made of.
fn is_method_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')
}

/// RFC 9112 §2.2: empty lines before a request line are ignored.
fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    &bytes[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_of_http_1_are_requests() {
        let cases: [(&str, Option<bool>); 10] = [
            ("GET / HTTP/1.1\r\n", Some(true)),
            ("\r\nPOST /x HTTP/1.0\n", Some(true)),
            ("QUERY /made/up HTTP/1.1\r\n", Some(true)),
            ("GET wss://example.test HTTP/1.1\r\n", Some(true)),
            ("GE", None),
            ("GET /a/long/target", None),
            ("PRI * HTTP/2.0\r\n", Some(false)),
            ("OPTIONS sip:a@example.test SIP/2.0\r\n", Some(false)),
            ("hello world\r\n", Some(false)),
            ("\u{1}\u{2}", Some(false)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(looks_like_request(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn status_lines_are_responses() {
        let cases: [(&str, Option<bool>); 6] = [
            ("HTTP/1.1 200 OK\r\n", Some(true)),
            ("HTTP/1.0 404", Some(true)),
            ("HTTP/1.", None),
            ("", None),
            ("HTTP/1.1 OK", Some(false)),
            ("GET / HTTP/1.1", Some(false)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(looks_like_response(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }
}
