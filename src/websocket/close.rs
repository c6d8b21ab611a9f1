//! The payload of a Close frame (RFC 6455 §5.5.1, §7.4).

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::Close;

/// Reads code and reason, and what is wrong with them.
pub(super) fn parse(payload: &[u8]) -> (Close, AnomalySet) {
    let mut anomalies = AnomalySet::EMPTY;
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        if !payload.is_empty() {
            anomalies.insert(AnomalyKind::ShortClosePayload);
        }
        return (Close::default(), anomalies);
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        anomalies.insert(AnomalyKind::InvalidCloseCode);
    }
    if str::from_utf8(reason).is_err() {
        anomalies.insert(AnomalyKind::InvalidUtf8);
    }
    (Close { code: Some(code), reason: String::from_utf8_lossy(reason).into_owned() }, anomalies)
}

/// Codes that may stand in a frame: registered ones, and 3000–4999 for libraries and applications (RFC 6455 §7.4.2).
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_reason() {
        let (close, anomalies) = parse(b"\x03\xe8bye");
        assert_eq!((close, anomalies), (Close { code: Some(1000), reason: "bye".into() }, AnomalySet::EMPTY));
    }

    #[test]
    fn an_empty_payload_is_no_violation() {
        assert_eq!(parse(b""), (Close::default(), AnomalySet::EMPTY));
    }

    #[test]
    fn what_must_not_be_sent_is_said() {
        let kinds = |payload: &[u8]| parse(payload).1.iter().collect::<Vec<_>>();
        assert_eq!(kinds(b"\x03"), [AnomalyKind::ShortClosePayload]);
        assert_eq!(kinds(b"\x03\xed"), [AnomalyKind::InvalidCloseCode]);
        assert_eq!(kinds(b"\x03\xe8\xff"), [AnomalyKind::InvalidUtf8]);
    }
}
