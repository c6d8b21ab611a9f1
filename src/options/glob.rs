//! Patterns for hosts and paths: `*` stands for any octets, `?` for one.

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// A pattern as people write it.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether a text is like this.
    pub fn is_like(&self, text: &[u8]) -> bool {
        matches(self.0.as_bytes(), text)
    }

    /// Whether a host, as a request names it, is like this: with its port or without, and without regard to case. One that names no
    /// port is on 80.
    pub fn is_host(&self, host: &[u8]) -> bool {
        let (glob, mut host) = (self.0.to_ascii_lowercase(), host.to_ascii_lowercase());
        let port = host.iter().rposition(|&b| b == b':').filter(|&colon| host[colon + 1..].iter().all(u8::is_ascii_digit));
        if matches(glob.as_bytes(), &host) {
            return true;
        }
        match port {
            Some(colon) => host.truncate(colon),
            None => host.extend_from_slice(b":80"),
        }
        matches(glob.as_bytes(), &host)
    }

    /// Whether the path of a request target is like this; its query does not count.
    pub fn is_path_of(&self, target: &[u8]) -> bool {
        matches(self.0.as_bytes(), path_of(target))
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// The path of a request target in origin-form or absolute-form (RFC 9112 §3.2), without its query.
fn path_of(target: &[u8]) -> &[u8] {
    let after_authority = match target.windows(3).position(|three| three == b"://") {
        Some(colon) if !target.starts_with(b"/") => {
            let authority = &target[colon + 3..];
            authority.iter().position(|&b| matches!(b, b'/' | b'?')).map_or(&b"/"[..], |slash| &authority[slash..])
        }
        _ => target,
    };
    after_authority.split(|&b| b == b'?').next().unwrap_or_default()
}

/// Whether a text is like a glob, of which `*` stands for any octets and `?` for one.
fn matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    // Where to go on when the last star has to take one octet more.
    let mut retry = None;
    while t < text.len() {
        match glob.get(g) {
            Some(b'*') => {
                g += 1;
                retry = Some((g, t + 1));
            }
            Some(&octet) if octet == b'?' || octet == text[t] => {
                g += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, from)) = retry else { return false };
                (g, t) = (after_star, from);
                retry = Some((after_star, from + 1));
            }
        }
    }
    glob[g..].iter().all(|&octet| octet == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text) in
            [("", ""), ("*", ""), ("*", "abc"), ("a*c", "abbc"), ("a?c", "abc"), ("*.org", "a.b.org"), ("**a", "aaa"), ("a*b*c", "axbxbyc")]
        {
            assert!(matches(glob.as_bytes(), text.as_bytes()), "{glob} {text}");
        }
        for (glob, text) in [("", "a"), ("?", ""), ("a", "ab"), ("*a", "ab"), ("a*c", "ab"), ("a?c", "ac"), ("A", "a")] {
            assert!(!matches(glob.as_bytes(), text.as_bytes()), "{glob} {text}");
        }
    }

    #[test]
    fn glob_of_many_stars_takes_no_exponential_time() {
        assert!(!matches(&b"a*".repeat(50), &[b'a'; 40]));
        assert!(!matches(&[&b"*a".repeat(100)[..], b"b"].concat(), &[b'a'; 20_000]));
    }

    #[test]
    fn hosts_match_with_and_without_port_and_case() {
        for glob in ["example.org", "EXAMPLE.org:8080", "*.org", "*:8080"] {
            assert!(Glob::new(glob).is_host(b"Example.org:8080"), "{glob}");
        }
        assert!(!Glob::new("example").is_host(b"example.org"));
        assert!(Glob::new("[2001:db8::1]").is_host(b"[2001:db8::1]:80"));
        assert!(Glob::new("example.org:80").is_host(b"example.org"));
        assert!(!Glob::new("example.org:80").is_host(b"example.org:8080"));
    }

    #[test]
    fn paths_of_targets() {
        let cases = [
            ("/a/b?c=/d", "/a/b"),
            ("http://h/a?b", "/a"),
            ("wss://h", "/"),
            ("http://h?x", ""),
            ("*", "*"),
            ("/x?u=http://h/", "/x"),
            ("/http://h/a", "/http://h/a"),
        ];
        for (target, path) in cases {
            assert_eq!(path_of(target.as_bytes()), path.as_bytes(), "{target}");
        }
    }
}
