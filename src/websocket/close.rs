//! What a Close frame says (RFC 6455 §5.5.1, §7.4).

use std::borrow::Cow;

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Close, Direction, Opcode};

/// Longest payload of a control frame that keeps to RFC 6455 §5.5, in octets.
pub(crate) const MAX_PAYLOAD: usize = 125;

/// RFC 6455 §7.4.1: the client expected an extension that the server did not agree to. A server refuses the handshake instead.
const MANDATORY_EXTENSION: u16 = 1010;

/// Reads the payload of a Close frame, unmasked. What is odd about it comes beside it.
pub(crate) fn parse(payload: &[u8], direction: Direction) -> (Close, AnomalySet) {
    let mut anomalies = AnomalySet::EMPTY;
    let Some((code, reason)) = payload.split_first_chunk() else {
        if !payload.is_empty() {
            anomalies.insert(AnomalyKind::ShortClosePayload);
        }
        return (Close { code: None, reason: Some(String::new()) }, anomalies);
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        anomalies.insert(AnomalyKind::InvalidCloseCode);
    }
    if code == MANDATORY_EXTENSION && direction == Direction::ServerToClient {
        anomalies.insert(AnomalyKind::MisusedCloseCode);
    }
    // Of an overlong payload not all may have been kept.
    let reason = (payload.len() <= MAX_PAYLOAD).then(|| String::from_utf8_lossy(reason));
    if let Some(Cow::Owned(_)) = reason {
        anomalies.insert(AnomalyKind::InvalidUtf8);
    }
    (Close { code: Some(code), reason: reason.map(Cow::into_owned) }, anomalies)
}

/// Where the text in a payload ceases to be UTF-8: of a text message all of it, of a Close what stands behind the code.
pub(super) fn invalid_utf8_at(opcode: Opcode, payload: &[u8]) -> u64 {
    let before = if opcode == Opcode::Close { 2 } else { 0 };
    let text = payload.get(before..).unwrap_or_default();
    (before + std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len)) as u64
}

/// Reads what was captured of the front of a Close payload whose rest was not.
pub(crate) fn parse_cut(front: &[u8]) -> Close {
    Close { code: front.first_chunk().map(|&code| u16::from_be_bytes(code)), reason: None }
}

/// RFC 6455 §7.4 with the IANA registry (1012–1014): 1004–1006 and 1015 are reserved, 1016–2999 unassigned, and below 1000
/// and from 5000 on nothing is defined.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::Direction::{ClientToServer, ServerToClient};
    use super::*;

    fn none() -> Close {
        Close { code: None, reason: Some(String::new()) }
    }

    fn kinds(payload: &[u8]) -> Vec<AnomalyKind> {
        parse(payload, ClientToServer).1.iter().collect()
    }

    #[test]
    fn code_and_reason() {
        let close = Close { code: Some(1000), reason: Some("bye".into()) };
        assert_eq!(parse(b"\x03\xe8bye", ClientToServer), (close, AnomalySet::EMPTY));
        assert_eq!(parse(b"", ClientToServer), (none(), AnomalySet::EMPTY));
    }

    #[test]
    fn reason_of_which_not_all_is_there_is_unknown() {
        let unknown = |code| Close { code, reason: None };
        assert_eq!([&b""[..], b"\x03", b"\x03\xe8", b"\x03\xe8by"].map(parse_cut), [None, None, Some(1000), Some(1000)].map(unknown));
        let overlong = [&b"\x03\xe8"[..], &[b'r'; MAX_PAYLOAD - 1]].concat();
        assert_eq!(parse(&overlong, ClientToServer), (unknown(Some(1000)), AnomalySet::EMPTY));
        let longest = parse(&overlong[..MAX_PAYLOAD], ClientToServer).0;
        assert_eq!(longest.reason.map(|reason| reason.len()), Some(MAX_PAYLOAD - 2));
    }

    #[test]
    fn payload_of_one_octet_has_no_code() {
        assert_eq!(parse(b"\x03", ClientToServer), (none(), AnomalySet::from_iter([AnomalyKind::ShortClosePayload])));
    }

    #[test]
    fn codes_that_must_not_be_sent() {
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert_eq!(kinds(&code.to_be_bytes()), [AnomalyKind::InvalidCloseCode], "{code}");
        }
        for code in [1000u16, 1003, 1007, 1014, 3000, 4999] {
            assert_eq!(kinds(&code.to_be_bytes()), [], "{code}");
        }
    }

    #[test]
    fn expecting_an_extension_is_for_clients_to_say() {
        let odd = |code: u16, direction| parse(&code.to_be_bytes(), direction).1.iter().collect::<Vec<_>>();
        assert_eq!(odd(1010, ServerToClient), [AnomalyKind::MisusedCloseCode]);
        assert_eq!([odd(1010, ClientToServer), odd(1011, ClientToServer), odd(1011, ServerToClient)], [vec![], vec![], vec![]]);
    }

    #[test]
    fn reason_that_is_not_utf8_is_replaced_and_said() {
        let close = Close { code: Some(1000), reason: Some("a\u{fffd}".into()) };
        assert_eq!(parse(b"\x03\xe8a\xff", ClientToServer), (close, AnomalySet::from_iter([AnomalyKind::InvalidUtf8])));
    }
}
