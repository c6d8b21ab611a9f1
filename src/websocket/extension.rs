//! Sec-WebSocket-Extensions (RFC 6455 §9.1) and what the extensions do to frames (RFC 7692).

use crate::message::{Direction, Head, Opcode};

/// Whether the LZ77 window of one message serves the next (RFC 7692 §7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextTakeover {
    /// A message may refer to what earlier ones held.
    Keep,
    /// Every message stands for itself.
    Reset,
}

/// What is compressed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A message: RSV1 of its first frame says so (RFC 7692 §6).
    Message,
    /// A frame: RSV1 of each says so (draft-tyoshino-hybi-websocket-perframe-deflate).
    Frame,
}

/// How one direction compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression {
    pub(crate) unit: Unit,
    pub(crate) context_takeover: ContextTakeover,
    /// Base-2 logarithm of the LZ77 window the sender keeps to, 8–15. Inflating needs no such promise.
    pub(crate) window_bits: u8,
}

impl Compression {
    /// What fits every sender of permessage-deflate: inflating with a kept window of full size is right for those that use
    /// less of it.
    pub(crate) const ASSUMED: Self = Self { unit: Unit::Message, context_takeover: ContextTakeover::Keep, window_bits: 15 };

    /// Compression of each frame. Its one parameter about the window is asked by either side of the other; a kept window fits.
    const PER_FRAME: Self = Self { unit: Unit::Frame, ..Self::ASSUMED };
}

/// Which frames may set RSV1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rsv1 {
    /// None: no extension defines it.
    Undefined,
    /// The first of a data message.
    FirstFrame,
    /// Any of a data message.
    AnyFrame,
}

impl Rsv1 {
    /// As the direction's compression defines it.
    pub(crate) fn of(compression: Option<Compression>) -> Self {
        match compression.map(|compression| compression.unit) {
            None => Self::Undefined,
            Some(Unit::Message) => Self::FirstFrame,
            Some(Unit::Frame) => Self::AnyFrame,
        }
    }

    /// Whether frames of an opcode may set it.
    pub(super) fn is_defined_for(self, opcode: Opcode) -> bool {
        match self {
            Self::Undefined => false,
            Self::FirstFrame => !opcode.is_control() && opcode != Opcode::Continuation,
            Self::AnyFrame => !opcode.is_control(),
        }
    }
}

/// The compression that was agreed on, for each direction by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    client_to_server: Option<Compression>,
    server_to_client: Option<Compression>,
    /// Whether an extension was answered that was not offered (RFC 6455 §9.1).
    pub(super) is_unasked: bool,
    /// Whether an answer's parameters are such as the offer does not allow, or malformed (RFC 7692 §7.1).
    pub(super) is_bad: bool,
}

impl Agreement {
    /// Where no answer was captured, RSV1 is taken for permessage-deflate.
    pub(crate) const ASSUMED: Self = Self {
        client_to_server: Some(Compression::ASSUMED),
        server_to_client: Some(Compression::ASSUMED),
        is_unasked: false,
        is_bad: false,
    };

    /// Where no answer was captured: an extension that was not offered was not agreed on.
    pub(super) fn assumed(request: Option<&Head>) -> Self {
        let may_compress = request.is_none_or(|request| extensions(request).any(|offer| offer.compression().is_some()));
        if may_compress { Self::ASSUMED } else { Self::default() }
    }

    /// What the server's answer says counts; the offer, where it was captured, tells whether it may say so.
    pub(super) fn new(request: Option<&Head>, response: &Head) -> Self {
        let offers: Option<Vec<_>> = request.map(|request| extensions(request).collect());
        let mut agreement = Self::default();
        for answer in extensions(response) {
            if let Some(offers) = &offers {
                let is_asked = offers.iter().any(|offer| answer.name.eq_ignore_ascii_case(offer.name));
                agreement.is_unasked |= !is_asked;
                agreement.is_bad |= is_asked && !offers.iter().any(|offer| answer.may_answer(offer));
            }
            if let Some((client, server)) = answer.compression() {
                // Two extensions that claim RSV1: the first has it.
                agreement.is_bad |= agreement.client_to_server.is_some() || !answer.is_well_formed();
                agreement.client_to_server.get_or_insert(client);
                agreement.server_to_client.get_or_insert(server);
            }
        }
        agreement
    }

    /// How a direction compresses.
    pub(crate) fn compression(&self, direction: Direction) -> Option<Compression> {
        match direction {
            Direction::ClientToServer => self.client_to_server,
            Direction::ServerToClient => self.server_to_client,
        }
    }
}

/// An extension with its parameters, as offered or answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Extension<'a> {
    name: &'a [u8],
    parameters: Vec<(&'a [u8], Option<Vec<u8>>)>,
}

impl Extension<'_> {
    fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// A parameter's value as window bits (RFC 7692 §7.1.2): 8–15, without leading zero.
    fn window_bits(&self, name: &str) -> Option<u8> {
        let (_, value) = self.parameters.iter().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))?;
        window_bits(value.as_deref())
    }

    /// What it means for the client's frames and the server's; `None` when it is no compression that is known.
    fn compression(&self) -> Option<(Compression, Compression)> {
        if self.name.eq_ignore_ascii_case(b"permessage-deflate") {
            return Some((
                self.of_side("client_no_context_takeover", "client_max_window_bits"),
                self.of_side("server_no_context_takeover", "server_max_window_bits"),
            ));
        }
        let per_frame = [&b"deflate-frame"[..], b"x-webkit-deflate-frame"].iter().any(|name| self.name.eq_ignore_ascii_case(name));
        per_frame.then_some((Compression::PER_FRAME, Compression::PER_FRAME))
    }

    fn of_side(&self, no_context_takeover: &str, max_window_bits: &str) -> Compression {
        let context_takeover = if self.has(no_context_takeover) { ContextTakeover::Reset } else { ContextTakeover::Keep };
        Compression { unit: Unit::Message, context_takeover, window_bits: self.window_bits(max_window_bits).unwrap_or(15) }
    }

    /// Whether its parameters are those of RFC 7692 §7.1, each once, with a value that it may have in an answer.
    fn is_well_formed(&self) -> bool {
        let once = |name: &[u8]| self.parameters.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() == 1;
        !self.name.eq_ignore_ascii_case(b"permessage-deflate")
            || self.parameters.iter().all(|(name, value)| once(name) && is_defined(name, value.as_deref()))
    }

    /// Whether it may answer that offer (RFC 7692 §7.1.1, §7.1.2).
    fn may_answer(&self, offer: &Self) -> bool {
        let takeover = !offer.has("server_no_context_takeover") || self.has("server_no_context_takeover");
        let client_window = !self.has("client_max_window_bits") || offer.has("client_max_window_bits");
        let server_window = match (offer.window_bits("server_max_window_bits"), self.window_bits("server_max_window_bits")) {
            (Some(offered), Some(answered)) => answered <= offered,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let is_deflate = self.name.eq_ignore_ascii_case(b"permessage-deflate");
        self.name.eq_ignore_ascii_case(offer.name) && (!is_deflate || takeover && client_window && server_window)
    }
}

fn is_defined(name: &[u8], value: Option<&[u8]>) -> bool {
    match name.to_ascii_lowercase().as_slice() {
        b"server_no_context_takeover" | b"client_no_context_takeover" => value.is_none(),
        b"server_max_window_bits" | b"client_max_window_bits" => window_bits(value).is_some(),
        _ => false,
    }
}

fn window_bits(value: Option<&[u8]>) -> Option<u8> {
    match value? {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// Extensions of one head that are looked at, and parameters of one extension; four of each are registered or known.
const MAX_EXTENSIONS: usize = 32;
const MAX_PARAMETERS: usize = 32;

/// The extensions of a head, over all its field lines.
fn extensions(head: &Head) -> impl Iterator<Item = Extension<'_>> {
    let items = head.values("sec-websocket-extensions").flat_map(|value| split(value, b','));
    items.map(extension).filter(|item| !item.name.is_empty()).take(MAX_EXTENSIONS)
}

fn extension(item: &[u8]) -> Extension<'_> {
    let mut parts = split(item, b';');
    let name = parts.next().unwrap_or_default();
    let parameter = |part: &'_ [u8]| -> (usize, Option<Vec<u8>>) {
        match part.iter().position(|&octet| octet == b'=') {
            Some(at) => (at, Some(unquoted(part[at + 1..].trim_ascii()))),
            None => (part.len(), None),
        }
    };
    let parameters = parts.take(MAX_PARAMETERS).map(|part| {
        let (name_len, value) = parameter(part);
        (part[..name_len].trim_ascii(), value)
    });
    Extension { name, parameters: parameters.collect() }
}

/// Splits at a separator that stands outside of quoted strings (RFC 9110 §5.6.4).
fn split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(move |&octet| {
            let was_escaped = std::mem::take(&mut escaped);
            match octet {
                b'\\' if quoted && !was_escaped => escaped = true,
                b'"' if !was_escaped => quoted = !quoted,
                _ => {}
            }
            octet == separator && !quoted
        })
        .map(<[u8]>::trim_ascii)
}

/// A parameter's value without the quotes and backslashes of a quoted string.
fn unquoted(value: &[u8]) -> Vec<u8> {
    match value {
        [b'"', inner @ .., b'"'] => inner.iter().copied().filter(|&octet| octet != b'\\').collect(),
        token => token.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::ContextTakeover::{Keep, Reset};
    use super::*;

    fn head(values: &[&str]) -> Head {
        let raw = format!("sec-websocket-extensions{}", values.join(""));
        let (name, mut rest) = raw.as_bytes().split_at(24);
        let fields = values.iter().map(|value| {
            let (value, after) = rest.split_at(value.len());
            rest = after;
            (name, value)
        });
        Head::new(raw.as_bytes(), [&[]; 3], fields.collect::<Vec<_>>().into_iter())
    }

    fn agreed(offer: &[&str], answer: &[&str]) -> Agreement {
        Agreement::new(Some(&head(offer)), &head(answer))
    }

    fn deflate(context_takeover: ContextTakeover, window_bits: u8) -> Option<Compression> {
        Some(Compression { unit: Unit::Message, context_takeover, window_bits })
    }

    #[test]
    fn each_direction_has_its_own_parameters() {
        let offer = ["permessage-deflate; client_max_window_bits"];
        let cases = [
            ("permessage-deflate", deflate(Keep, 15), deflate(Keep, 15)),
            ("permessage-deflate; server_no_context_takeover", deflate(Keep, 15), deflate(Reset, 15)),
            ("permessage-deflate; client_no_context_takeover", deflate(Reset, 15), deflate(Keep, 15)),
            ("Permessage-Deflate;Server_No_Context_Takeover ; client_max_window_bits = \"10\"", deflate(Keep, 10), deflate(Reset, 15)),
            ("permessage-deflate; server_max_window_bits=8", deflate(Keep, 15), deflate(Keep, 8)),
            ("", None, None),
        ];
        for (answer, client_to_server, server_to_client) in cases {
            assert_eq!(agreed(&offer, &[answer]), Agreement { client_to_server, server_to_client, ..Agreement::default() }, "{answer}");
        }
    }

    #[test]
    fn extensions_that_were_not_offered_are_said() {
        for (offer, answer) in [("", "permessage-deflate"), ("permessage-deflate", "permessage-bzip2")] {
            let agreement = agreed(&[offer], &[answer]);
            assert_eq!((agreement.is_unasked, agreement.is_bad), (true, false), "{offer} / {answer}");
        }
    }

    #[test]
    fn answers_that_the_offer_does_not_allow_are_bad() {
        let cases = [
            ("permessage-deflate", "permessage-deflate; client_max_window_bits=10"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=16"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=08"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits"),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover=1"),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
            ("permessage-deflate", "permessage-deflate; c2s_max_window_bits=9"),
            ("permessage-deflate", "permessage-deflate, permessage-deflate"),
            ("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=11"),
            ("permessage-deflate; server_no_context_takeover", "permessage-deflate"),
        ];
        for (offer, answer) in cases {
            let agreement = agreed(&[offer], &[answer]);
            assert_eq!((agreement.is_unasked, agreement.is_bad), (false, true), "{offer} / {answer}");
        }
    }

    #[test]
    fn an_answer_needs_one_offer_that_allows_it() {
        let offer = "permessage-deflate; server_max_window_bits=10, permessage-deflate";
        assert!(!agreed(&[offer], &["permessage-deflate"]).is_bad);
        // And without the request nobody knows.
        assert!(!Agreement::new(None, &head(&["permessage-deflate"])).is_bad);
    }

    #[test]
    fn several_field_lines_are_one_list_and_quotes_hide_separators() {
        let offer = ["x-other; note=\"a, b; \\\"c\", permessage-deflate", "x-third"];
        let agreement = agreed(&offer, &["x-other", "permessage-deflate; client_no_context_takeover"]);
        assert_eq!((agreement.client_to_server, agreement.is_bad), (deflate(Reset, 15), false));
    }

    #[test]
    fn per_frame_compression_is_known_by_its_names() {
        for name in ["x-webkit-deflate-frame", "deflate-frame"] {
            let agreement = agreed(&[name], &[name]);
            assert_eq!(agreement.compression(Direction::ServerToClient).map(|compression| compression.unit), Some(Unit::Frame));
        }
    }
}
