//! The opening handshake (RFC 6455 §4), as it was sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::extension::{Agreement, Compression};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Direction, Head, Request, WebSocketFacts};

/// RFC 6455 §1.3: appended to the key before hashing.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// An opening handshake: the Upgrade request (if captured) and its 101.
#[derive(Debug)]
pub(crate) struct Handshake<'a> {
    request: Option<&'a Request>,
    response: Option<&'a Head>,
    agreement: Agreement,
}

impl<'a> Handshake<'a> {
    /// Reads what was agreed; what the server answered counts.
    pub(crate) fn new(request: Option<&'a Request>, response: Option<&'a Head>) -> Self {
        let agreement = response.map_or_else(Agreement::default, |response| Agreement::of(request.map(|r| &r.head), response));
        Self { request, response, agreement }
    }

    /// How a direction compresses its messages.
    pub(crate) fn compression(&self, direction: Direction) -> Option<Compression> {
        self.agreement.compression(direction)
    }

    /// Whether the frames that follow are those of versions 7, 8 and 13; older ones (hixie-75, hixie-76) are not.
    pub(crate) fn is_decodable(&self) -> bool {
        let accepted = self.response.is_some_and(|response| response.field("sec-websocket-accept").is_some());
        let asked = self.request.is_some_and(|request| request.head.field("sec-websocket-key").is_some());
        let version = self.version().is_none_or(|version| version >= 7);
        (accepted || asked) && version
    }

    fn version(&self) -> Option<u8> {
        let value = self.request?.head.field("sec-websocket-version")?;
        str::from_utf8(value).ok()?.trim().parse().ok()
    }

    /// Whether Sec-WebSocket-Accept is the answer to Sec-WebSocket-Key (RFC 6455 §4.2.2 item 5.4).
    fn accept_valid(&self) -> Option<bool> {
        let key = self.request?.head.field("sec-websocket-key")?;
        let accept = self.response?.field("sec-websocket-accept")?;
        let digest = Sha1::new_with_prefix(key).chain_update(GUID).finalize();
        Some(STANDARD.encode(digest).as_bytes() == accept)
    }

    /// What was odd in it.
    pub(crate) fn anomalies(&self) -> AnomalySet {
        let mut anomalies = AnomalySet::EMPTY;
        if !self.is_decodable() {
            anomalies.insert(AnomalyKind::OldWebSocketVersion);
        } else if self.accept_valid() == Some(false) {
            anomalies.insert(AnomalyKind::WrongAccept);
        } else if self.response.is_some_and(|response| response.field("sec-websocket-accept").is_none()) {
            anomalies.insert(AnomalyKind::MissingAccept);
        }
        if self.agreement.is_bad {
            anomalies.insert(AnomalyKind::BadExtensionAnswer);
        }
        anomalies
    }

    /// The facts that a connection's row shows.
    pub(crate) fn facts(&self) -> WebSocketFacts {
        WebSocketFacts {
            host: self.request.and_then(|request| request.host()).map(text),
            target: self.request.map(|request| text(request.target())),
            version: self.version(),
            subprotocol: self.response.and_then(|response| response.field("sec-websocket-protocol")).map(text),
            extensions: self.response.and_then(joined_extensions),
            accept_valid: self.accept_valid(),
            handshake_captured: self.request.is_some() && self.response.is_some(),
            ..WebSocketFacts::default()
        }
    }
}

fn joined_extensions(response: &Head) -> Option<String> {
    let values: Vec<String> = response.values("sec-websocket-extensions").map(text).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Head {
        let fields = lines.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        Head::new(lines.as_bytes(), [&[]; 3], fields)
    }

    fn request(lines: &str) -> Request {
        Request { head: head(lines), ..Request::default() }
    }

    fn judge(request_lines: &str, response_lines: &str) -> (Option<bool>, Vec<AnomalyKind>) {
        let (request, response) = (request(request_lines), head(response_lines));
        let handshake = Handshake::new(Some(&request), Some(&response));
        (handshake.accept_valid(), handshake.anomalies().iter().collect())
    }

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n";

    #[test]
    fn accept_of_rfc_6455_section_1_3_answers_its_key() {
        assert_eq!(judge(KEY, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"), (Some(true), vec![]));
    }

    #[test]
    fn wrong_and_missing_accept_are_told_apart() {
        assert_eq!(judge(KEY, "Sec-WebSocket-Accept: AAAA\n"), (Some(false), vec![AnomalyKind::WrongAccept]));
        assert_eq!(judge(KEY, "Upgrade: websocket\n"), (None, vec![AnomalyKind::MissingAccept]));
    }

    #[test]
    fn hixie_76_is_named_and_not_decoded() {
        let old = judge("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\n", "Sec-WebSocket-Location: ws://example.test/\n");
        assert_eq!(old, (None, vec![AnomalyKind::OldWebSocketVersion]));
    }
}
