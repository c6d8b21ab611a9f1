//! Sec-WebSocket-Extensions (RFC 6455 §9.1) and the parameters of permessage-deflate (RFC 7692 §7.1).

use crate::message::{Direction, Head};

/// Whether the compression context goes on from message to message (RFC 7692 §7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextTakeover {
    /// Later messages may refer to earlier ones.
    Keep,
    /// Each message stands alone.
    Reset,
}

/// How one direction compresses, as the server's answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression {
    pub(crate) takeover: ContextTakeover,
}

/// What was agreed, for each direction by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreement {
    compression: [Option<Compression>; 2],
    /// Whether the answer is one that the offer allows.
    pub(super) is_bad: bool,
}

impl Agreement {
    pub(super) fn compression(&self, direction: Direction) -> Option<Compression> {
        self.compression[direction as usize]
    }

    /// Reads the answer; with the request, whether it was offered.
    pub(super) fn of(request: Option<&Head>, response: &Head) -> Self {
        let offers: Vec<Extension<'_>> = request.into_iter().flat_map(extensions).collect();
        let mut agreement = Self::default();
        for answer in extensions(response) {
            let offered: Vec<_> = offers.iter().filter(|offer| offer.name.eq_ignore_ascii_case(answer.name)).collect();
            agreement.is_bad |= request.is_some() && offered.is_empty();
            if answer.is("permessage-deflate") {
                agreement.is_bad |= agreement.compression != [None; 2];
                agreement.accept_deflate(&answer, &offered, request.is_some());
            } else if answer.is("x-webkit-deflate-frame") || answer.is("deflate-frame") {
                agreement.compression = [compression(!answer.has("no_context_takeover")); 2];
            }
        }
        agreement
    }

    fn accept_deflate(&mut self, answer: &Extension<'_>, offered: &[&Extension<'_>], knows_offer: bool) {
        let keeps = |parameter| !answer.has(parameter);
        self.compression = [compression(keeps("client_no_context_takeover")), compression(keeps("server_no_context_takeover"))];
        self.is_bad |= answer.parameters.iter().any(|&(name, value)| !is_valid(name, value));
        let may_bound_client = offered.iter().any(|offer| offer.has("client_max_window_bits"));
        self.is_bad |= knows_offer && answer.has("client_max_window_bits") && !may_bound_client;
    }
}

fn compression(keep: bool) -> Option<Compression> {
    Some(Compression { takeover: if keep { ContextTakeover::Keep } else { ContextTakeover::Reset } })
}

/// Whether a parameter of an answer is one of RFC 7692 §7.1, with a value that it may have.
fn is_valid(name: &str, value: Option<&str>) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
        "server_max_window_bits" | "client_max_window_bits" => {
            value.is_some_and(|bits| !bits.starts_with('0') && bits.parse::<u8>().is_ok_and(|bits| (8..=15).contains(&bits)))
        }
        _ => false,
    }
}

/// An extension with its parameters, as offered or answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Extension<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, Option<&'a str>)>,
}

impl Extension<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn has(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|(name, _)| name.eq_ignore_ascii_case(parameter))
    }
}

/// All extensions of a head, over all its field lines.
fn extensions(head: &Head) -> impl Iterator<Item = Extension<'_>> {
    let values = head.values("sec-websocket-extensions").filter_map(|value| str::from_utf8(value).ok());
    values.flat_map(|value| value.split(',')).map(extension).filter(|extension| !extension.name.is_empty())
}

fn extension(item: &str) -> Extension<'_> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let parameters = parts.map(|part| match part.split_once('=') {
        Some((name, value)) => (name.trim_end(), Some(value.trim().trim_matches('"'))),
        None => (part, None),
    });
    Extension { name, parameters: parameters.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(extensions: &[&str]) -> Head {
        let raw = extensions.join("\n");
        let lines: Vec<&[u8]> = raw.lines().map(str::as_bytes).collect();
        // Names are looked up in the same octets as values, so they stand behind them here.
        let raw = [raw.as_bytes(), b"sec-websocket-extensions"].concat();
        let mut offset = 0;
        let spans: Vec<_> = lines
            .iter()
            .map(|line| {
                let start = offset;
                offset += line.len() + 1;
                start..start + line.len()
            })
            .collect();
        let name = &raw[raw.len() - 24..];
        Head::new(&raw, [&[]; 3], spans.into_iter().map(|span| (name, &raw[span])))
    }

    fn agreed(offer: &[&str], answer: &[&str]) -> ([Option<ContextTakeover>; 2], bool) {
        let agreement = Agreement::of(Some(&head(offer)), &head(answer));
        (Direction::BOTH.map(|direction| agreement.compression(direction).map(|c| c.takeover)), agreement.is_bad)
    }

    #[test]
    fn each_direction_has_its_own_takeover() {
        use ContextTakeover::{Keep, Reset};
        let offer = ["permessage-deflate; client_max_window_bits"];
        let cases = [
            ("permessage-deflate", [Some(Keep), Some(Keep)]),
            ("permessage-deflate; server_no_context_takeover", [Some(Keep), Some(Reset)]),
            ("permessage-deflate; client_no_context_takeover", [Some(Reset), Some(Keep)]),
            ("Permessage-Deflate;Server_No_Context_Takeover ; client_max_window_bits=\"10\"", [Some(Keep), Some(Reset)]),
        ];
        for (answer, expected) in cases {
            assert_eq!(agreed(&offer, &[answer]), (expected, false), "{answer}");
        }
    }

    #[test]
    fn answers_that_the_offer_does_not_allow_are_bad() {
        let cases: [(&[&str], &[&str]); 5] = [
            (&[], &["permessage-deflate"]),
            (&["permessage-deflate"], &["permessage-deflate; client_max_window_bits=10"]),
            (&["permessage-deflate"], &["permessage-deflate; server_max_window_bits=16"]),
            (&["permessage-deflate"], &["permessage-deflate; server_max_window_bits"]),
            (&["permessage-deflate"], &["permessage-deflate, permessage-deflate"]),
        ];
        for (offer, answer) in cases {
            assert!(agreed(offer, answer).1, "{offer:?} {answer:?}");
        }
    }

    #[test]
    fn several_field_lines_are_one_list() {
        assert!(!agreed(&["x-other", "permessage-deflate"], &["x-other", "permessage-deflate"]).1);
    }
}
