//! Path templates: `/users/17/posts?page=2&_=1469653` → `/users/{}/posts?page`.

use std::hash::{Hash, Hasher};

/// Longer templates are cut: they are names in a table, not addresses.
const MAX_LEN: usize = 160;

/// Query names kept.
const MAX_NAMES: usize = 8;

/// Query names that only defeat caches (jQuery's `_`, engine.io's `t`, …).
fn is_cache_buster(name: &[u8]) -> bool {
    matches!(name, b"_" | b"t" | b"ts" | b"cb" | b"rnd" | b"rand" | b"nocache" | b"cachebuster" | b"timestamp")
}

/// Transports that end a SockJS session URL, `/<server>/<session>/<transport>`.
const SOCKJS_TRANSPORTS: [&[u8]; 7] = [b"xhr", b"xhr_send", b"xhr_streaming", b"eventsource", b"websocket", b"jsonp", b"jsonp_send"];

/// The template of a request target: identifiers replaced by `{}`, the query reduced to the names of its parameters.
pub(super) fn of_target(target: &[u8]) -> String {
    let target = target.split(|&b| b == b'#').next().unwrap_or_default();
    let (path, query) = match memchr::memchr(b'?', target) {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &[][..]),
    };
    let path = origin_form(path);
    let mut template = Vec::with_capacity(path.len());
    let sockjs = path.rsplit(|&b| b == b'/').next().is_some_and(|last| SOCKJS_TRANSPORTS.contains(&last));
    let segments = path.split(|&b| b == b'/').count();
    for (index, segment) in path.split(|&b| b == b'/').enumerate() {
        if index > 0 {
            template.push(b'/');
        }
        // The two segments before a SockJS transport: a server number and a session of random letters.
        let session = sockjs && index > 0 && (index + 2 == segments || index + 3 == segments) && segments > 3;
        push_segment(&mut template, segment, session);
    }
    push_names(&mut template, query);
    if template.len() > MAX_LEN {
        template.truncate(MAX_LEN);
        template.extend_from_slice("…".as_bytes());
    }
    String::from_utf8(template).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Hashes what a target asks for: path and query, without cache busters and without values that look like identifiers (a
/// session, a time, where to go on).
pub fn hash_question(target: &[u8], hasher: &mut impl Hasher) {
    let target = memchr::memchr(b'#', target).map_or(target, |end| &target[..end]);
    let (path, query) = match memchr::memchr(b'?', target) {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &[][..]),
    };
    origin_form(path).hash(hasher);
    for pair in query.split(|&b| b == b'&') {
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        if is_cache_buster(name) || is_identifier(name) {
            continue;
        }
        name.hash(hasher);
        if !is_identifier(value) {
            value.hash(hasher);
        }
    }
}

/// The path of an absolute-form target (RFC 9112 §3.2.2), or the path itself.
fn origin_form(path: &[u8]) -> &[u8] {
    if path.starts_with(b"/") {
        return path;
    }
    match memchr::memmem::find(path, b"://") {
        Some(scheme_end) => match memchr::memchr(b'/', &path[scheme_end + 3..]) {
            Some(at) => &path[scheme_end + 3 + at..],
            None => b"/",
        },
        None => path,
    }
}

fn push_segment(template: &mut Vec<u8>, segment: &[u8], session: bool) {
    if session || is_identifier(segment) {
        return template.extend_from_slice(b"{}");
    }
    // `17.json` is an identifier with an extension.
    match memchr::memrchr(b'.', segment) {
        Some(dot) if is_identifier(&segment[..dot]) => {
            template.extend_from_slice(b"{}");
            template.extend_from_slice(&segment[dot..]);
        }
        _ => template.extend_from_slice(segment),
    }
}

/// Numbers, UUIDs, hexadecimal digests, and tokens that mix letters and digits.
fn is_identifier(segment: &[u8]) -> bool {
    let digits = segment.iter().filter(|b| b.is_ascii_digit()).count();
    let all = |accepted: fn(u8) -> bool| segment.iter().all(|&b| accepted(b));
    if digits == 0 {
        return false;
    }
    digits == segment.len()
        || (segment.len() >= 8 && all(|b| b.is_ascii_hexdigit() || b == b'-'))
        || (segment.len() >= 16 && digits >= 2 && all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=' | b'~')))
}

fn push_names(template: &mut Vec<u8>, query: &[u8]) {
    let mut separator = b'?';
    let names = query.split(|&b| b == b'&').filter_map(|pair| pair.split(|&b| b == b'=').next());
    for name in names.filter(|name| !name.is_empty() && !is_cache_buster(name)).take(MAX_NAMES) {
        template.push(separator);
        // `?1469653` has no name at all.
        push_segment(template, name, false);
        separator = b'&';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_cache_busters_are_replaced() {
        for (target, template) in [
            ("/", "/"),
            ("/users/17/posts?page=2&_=1469653", "/users/{}/posts?page"),
            ("/poll?t=OyqJk3a&EIO=4&transport=polling&sid=abc", "/poll?EIO&transport&sid"),
            ("/x?1469653980", "/x?{}"),
            ("/item/3f2504e0-4f89-11d3-9a0c-0305e82c3301.json", "/item/{}.json"),
            ("/static/v2/app.js", "/static/v2/app.js"),
            ("/echo/042/qkxzlwfe/xhr", "/echo/{}/{}/xhr"),
            ("http://example.org:8080/a/1", "/a/{}"),
            ("wss://websocket.org", "/"),
            ("*", "*"),
            ("/facade/deadbeef1", "/facade/{}"),
            ("/a#b?c", "/a"),
        ] {
            assert_eq!(of_target(target.as_bytes()), template, "{target}");
        }
    }
}
