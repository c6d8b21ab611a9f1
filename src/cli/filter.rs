//! Which rows are shown.

use std::collections::{HashMap, HashSet};

use wiretare::{Exchange, Request, Row, Upgrade};

/// Chooses rows by connection, host and path.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Only rows of this connection (Wireshark's tcp.stream)
    #[arg(long, value_name = "N")]
    connection: Option<u64>,
    /// Only rows whose request named a host like GLOB (`*` and `?`; with or without the port; case does not matter)
    #[arg(long, value_name = "GLOB")]
    host: Option<String>,
    /// Only rows whose request had a path like GLOB (`*` and `?`; without the query)
    ///
    /// A WebSocket message has the host and path of its opening handshake; a connection is shown when one of its rows is.
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
}

impl Selection {
    /// Whether anything was chosen.
    pub(super) fn is_some(&self) -> bool {
        self.connection.is_some() || self.host.is_some() || self.path.is_some()
    }
}

/// A filter at work. What it remembers of a connection goes with the connection's row.
#[derive(Debug)]
pub(super) struct Filter {
    selection: Selection,
    /// Whether the opening handshake of a WebSocket passed.
    handshakes: HashMap<u64, bool>,
    shown: HashSet<u64>,
}

impl Filter {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, handshakes: HashMap::new(), shown: HashSet::new() }
    }

    /// Whether a row is shown; wants to see every row, in order.
    pub(super) fn shows(&mut self, row: &Row) -> bool {
        let connection = match row {
            Row::Exchange(exchange) => exchange.connection,
            Row::Message(message) => message.connection,
            Row::Connection(row) => row.connection,
        };
        if self.selection.connection.is_some_and(|wanted| wanted != connection) {
            return false;
        }
        if self.selection.host.is_none() && self.selection.path.is_none() {
            return true;
        }
        let shows = match row {
            Row::Exchange(exchange) => {
                let shows = exchange.request.as_ref().is_some_and(|request| self.wants(request));
                self.remember_handshake(exchange, shows);
                shows
            }
            Row::Message(_) => self.handshakes.get(&connection).copied().unwrap_or(false),
            Row::Connection(_) => {
                self.handshakes.remove(&connection);
                return self.shown.remove(&connection);
            }
        };
        if shows {
            self.shown.insert(connection);
        }
        shows
    }

    fn remember_handshake(&mut self, exchange: &Exchange, shows: bool) {
        if exchange.upgrade == Some(Upgrade::WebSocket) {
            self.handshakes.insert(exchange.connection, shows);
        }
    }

    fn wants(&self, request: &Request) -> bool {
        let host = self.selection.host.as_deref().is_none_or(|glob| request.host().is_some_and(|host| host_matches(glob, host)));
        let path = self.selection.path.as_deref().is_none_or(|glob| matches(glob.as_bytes(), path_of(request.target())));
        host && path
    }
}

fn host_matches(glob: &str, host: &[u8]) -> bool {
    let (glob, host) = (glob.to_ascii_lowercase(), host.to_ascii_lowercase());
    let port = host.iter().rposition(|&b| b == b':').filter(|&colon| host[colon + 1..].iter().all(u8::is_ascii_digit));
    matches(glob.as_bytes(), &host) || port.is_some_and(|colon| matches(glob.as_bytes(), &host[..colon]))
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
            assert!(host_matches(glob, b"Example.org:8080"), "{glob}");
        }
        assert!(!host_matches("example", b"example.org"));
        assert!(host_matches("[2001:db8::1]", b"[2001:db8::1]:80"));
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
