//! What a Close frame says (RFC 6455 §5.5.1, §7.4).

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::Close;

/// Longest payload of a control frame that keeps to RFC 6455 §5.5, in octets.
pub(crate) const MAX_PAYLOAD: usize = 125;

/// Reads the payload of a Close frame, unmasked. What is odd about it comes beside it.
pub(crate) fn parse(payload: &[u8]) -> (Close, AnomalySet) {
    let mut anomalies = AnomalySet::EMPTY;
    let Some((code, reason)) = payload.split_first_chunk() else {
        if !payload.is_empty() {
            anomalies.insert(AnomalyKind::ShortClosePayload);
        }
        return (Close::default(), anomalies);
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        anomalies.insert(AnomalyKind::InvalidCloseCode);
    }
    // Of an overlong reason what lies behind the limit is not looked at, lest a cut character be called invalid.
    let reason = &reason[..reason.len().min(MAX_PAYLOAD - 2)];
    if payload.len() <= MAX_PAYLOAD && std::str::from_utf8(reason).is_err() {
        anomalies.insert(AnomalyKind::InvalidUtf8);
    }
    (Close { code: Some(code), reason: String::from_utf8_lossy(reason).into_owned() }, anomalies)
}

/// Reads what was captured of the front of a Close payload whose rest was not.
pub(crate) fn parse_cut(front: &[u8]) -> Close {
    Close { code: front.first_chunk().map(|&code| u16::from_be_bytes(code)), reason: String::new() }
}

/// RFC 6455 §7.4 with the IANA registry (1012–1014): 1004–1006 and 1015 are reserved, 1016–2999 unassigned, and below 1000
/// and from 5000 on nothing is defined.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(payload: &[u8]) -> Vec<AnomalyKind> {
        parse(payload).1.iter().collect()
    }

    #[test]
    fn code_and_reason() {
        let close = Close { code: Some(1000), reason: "bye".into() };
        assert_eq!(parse(b"\x03\xe8bye"), (close, AnomalySet::EMPTY));
        assert_eq!(parse(b""), (Close::default(), AnomalySet::EMPTY));
    }

    #[test]
    fn payload_of_one_octet_has_no_code() {
        assert_eq!(parse(b"\x03"), (Close::default(), AnomalySet::from_iter([AnomalyKind::ShortClosePayload])));
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
    fn reason_that_is_not_utf8_is_replaced_and_said() {
        let close = Close { code: Some(1000), reason: "a\u{fffd}".into() };
        assert_eq!(parse(b"\x03\xe8a\xff"), (close, AnomalySet::from_iter([AnomalyKind::InvalidUtf8])));
    }
}
