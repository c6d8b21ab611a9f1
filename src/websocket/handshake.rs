//! The opening handshake as it was sent (RFC 6455 §4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::extension::{Agreement, Compression};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Direction, Head, Request, WebSocketFacts};

/// Appended to the key before hashing (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The first version with today's framing: masks, opcodes and lengths are those of 8 and 13 (draft-ietf-hybi-thewebsocketprotocol-07).
const FIRST_VERSION_OF_THIS_FRAMING: u8 = 7;

/// An opening handshake: the Upgrade request and its 101, as far as captured.
#[derive(Debug)]
pub(crate) struct Handshake<'a> {
    request: Option<&'a Request>,
    response: Option<&'a Head>,
    agreement: Agreement,
}

impl<'a> Handshake<'a> {
    /// Reads what was agreed: what the server answered counts.
    pub(crate) fn new(request: Option<&'a Request>, response: Option<&'a Head>) -> Self {
        // What a header section that was cut leaves out, the other side may have agreed to.
        let offer = request.map(|request| &request.head).filter(|offer| offer.is_whole());
        let agreement = response
            .filter(|response| response.is_whole())
            .map_or_else(|| Agreement::assumed(offer), |response| Agreement::new(offer, response));
        Self { request, response, agreement }
    }

    /// How a direction compresses its messages.
    pub(crate) fn compression(&self, direction: Direction) -> Option<Compression> {
        self.agreement.compression(direction)
    }

    /// Whether the frames that follow are those of versions 7, 8 and 13. Those of hixie-75, hixie-76 and the drafts before
    /// version 7 are not.
    pub(crate) fn is_decodable(&self) -> bool {
        let accepted = self.response.is_some_and(|response| response.field("sec-websocket-accept").is_some());
        match (self.version(), self.request) {
            (Some(version), _) => version >= FIRST_VERSION_OF_THIS_FRAMING,
            // Hixie-76 has Sec-WebSocket-Key1 and -Key2 instead, hixie-75 no key at all.
            (None, Some(request)) => accepted || request.head.field("sec-websocket-key").is_some() || !request.head.is_whole(),
            (None, None) => accepted || !self.response.is_some_and(is_of_hixie),
        }
    }

    /// Sec-WebSocket-Version, when it is a number.
    fn version(&self) -> Option<u8> {
        str::from_utf8(self.request?.head.field("sec-websocket-version")?).ok()?.trim().parse().ok()
    }

    /// Whether Sec-WebSocket-Accept answers Sec-WebSocket-Key (RFC 6455 §4.2.2 item 5.4); `None` when that cannot be told.
    fn accept_valid(&self) -> Option<bool> {
        let (key, response) = (self.request?.head.field("sec-websocket-key")?, self.response.filter(|response| response.is_whole())?);
        let digest = Sha1::new_with_prefix(key).chain_update(GUID).finalize();
        Some(response.field("sec-websocket-accept") == Some(STANDARD.encode(digest).as_bytes()))
    }

    /// What was odd in it.
    pub(crate) fn anomalies(&self) -> AnomalySet {
        let mut anomalies = AnomalySet::EMPTY;
        let lacks_accept = self.response.is_some_and(|response| response.is_whole() && response.field("sec-websocket-accept").is_none());
        if !self.is_decodable() {
            anomalies.insert(AnomalyKind::OldWebSocketVersion);
        } else if lacks_accept {
            anomalies.insert(AnomalyKind::MissingAccept);
        } else if self.accept_valid() == Some(false) {
            anomalies.insert(AnomalyKind::WrongAccept);
        }
        if self.agreement.is_bad {
            anomalies.insert(AnomalyKind::BadExtensionAnswer);
        }
        anomalies
    }

    /// The facts that a connection's row shows.
    pub(crate) fn facts(&self) -> WebSocketFacts {
        WebSocketFacts {
            host: self.request.and_then(Request::host).map(text),
            target: self.request.map(|request| text(path_of(request.target()))),
            version: self.version(),
            subprotocol: self.response.and_then(|response| response.field("sec-websocket-protocol")).map(text),
            extensions: self.response.and_then(|response| joined(response, "sec-websocket-extensions")),
            accept_valid: self.accept_valid(),
            handshake_captured: self.request.is_some() && self.response.is_some(),
            ..WebSocketFacts::default()
        }
    }
}

/// WebSocket-Location (hixie-75) or Sec-WebSocket-Location (hixie-76) stands in every 101 of these, and in no later one.
fn is_of_hixie(response: &Head) -> bool {
    ["websocket-location", "sec-websocket-location"].iter().any(|name| response.field(name).is_some())
}

/// Path and query of a request target; an absolute-form one (RFC 9112 §3.2.2) names the host too, which is told apart.
fn path_of(target: &[u8]) -> &[u8] {
    let Some(scheme_len) = memchr::memmem::find(target, b"://").filter(|&len| target[..len].iter().all(u8::is_ascii_alphanumeric)) else {
        return target;
    };
    let after_scheme = &target[scheme_len + 3..];
    match after_scheme.iter().position(|&octet| matches!(octet, b'/' | b'?')) {
        Some(path) => &after_scheme[path..],
        None => b"/",
    }
}

fn joined(head: &Head, name: &str) -> Option<String> {
    let values: Vec<String> = head.values(name).map(text).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(octets: &str) -> Head {
        let octets = format!("{}\n\n", octets.trim_end());
        let mut lines = octets.lines();
        let mut start = lines.next().unwrap_or_default().splitn(3, ' ').map(str::as_bytes);
        let start = [(); 3].map(|()| start.next().unwrap_or_default());
        let fields = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        Head::new(octets.as_bytes(), start, fields)
    }

    fn request(octets: &str) -> Request {
        Request { head: head(octets), ..Request::default() }
    }

    /// The request of RFC 6455 §1.2, with its key.
    const ASKED: &str =
        "GET /chat HTTP/1.1\nHost: server.example.com\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n";

    fn judged(asked: &str, answered: &str) -> (Option<bool>, bool, Vec<AnomalyKind>) {
        let (request, response) = (request(asked), head(answered));
        let handshake = Handshake::new(Some(&request), Some(&response));
        (handshake.accept_valid(), handshake.is_decodable(), handshake.anomalies().iter().collect())
    }

    #[test]
    fn accept_of_rfc6455_answers_its_key() {
        let answered = "HTTP/1.1 101 Switching Protocols\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n";
        assert_eq!(judged(ASKED, answered), (Some(true), true, vec![]));
    }

    #[test]
    fn wrong_and_missing_accept_are_told_apart() {
        let answered = "HTTP/1.1 101 Switching Protocols\nSec-WebSocket-Accept: AAAA\n";
        assert_eq!(judged(ASKED, answered), (Some(false), true, vec![AnomalyKind::WrongAccept]));
        assert_eq!(judged(ASKED, "HTTP/1.1 101 OK\n"), (Some(false), true, vec![AnomalyKind::MissingAccept]));
    }

    #[test]
    fn accept_without_its_request_cannot_be_told() {
        let response = head("HTTP/1.1 101 OK\nSec-WebSocket-Accept: AAAA\n");
        let handshake = Handshake::new(None, Some(&response));
        assert_eq!((handshake.accept_valid(), handshake.is_decodable(), handshake.anomalies()), (None, true, AnomalySet::EMPTY));
    }

    #[test]
    fn versions_before_7_are_named_and_not_decoded() {
        let hixie_76 = "GET /demo HTTP/1.1\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\n";
        let answered = "HTTP/1.1 101 WebSocket Protocol Handshake\nSec-WebSocket-Location: ws://example.com/demo\n";
        let old = vec![AnomalyKind::OldWebSocketVersion];
        assert_eq!(judged(hixie_76, answered), (None, false, old.clone()));
        assert_eq!(judged("GET / HTTP/1.1\nSec-WebSocket-Version: 6\n", "HTTP/1.1 101 OK\nSec-WebSocket-Accept: x\n"), (None, false, old));
        for version in [7, 8, 13] {
            let asked = format!("GET / HTTP/1.1\nSec-WebSocket-Version: {version}\n");
            assert!(judged(&asked, "HTTP/1.1 101 OK\nSec-WebSocket-Accept: x\n").1);
        }
    }

    #[test]
    fn facts_are_those_of_both_heads() {
        let asked = ASKED.replace("/chat", "http://server.example.com:8080/chat?room=1");
        let answered = "HTTP/1.1 101 OK\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nSec-WebSocket-Protocol: stomp\n\
                        Sec-WebSocket-Extensions: a\nSec-WebSocket-Extensions: b; c=1\n";
        let (request, response) = (request(&asked), head(answered));
        let facts = WebSocketFacts {
            host: Some("server.example.com:8080".into()),
            target: Some("/chat?room=1".into()),
            version: Some(13),
            subprotocol: Some("stomp".into()),
            extensions: Some("a, b; c=1".into()),
            accept_valid: Some(true),
            handshake_captured: true,
            ..WebSocketFacts::default()
        };
        assert_eq!(Handshake::new(Some(&request), Some(&response)).facts(), facts);
    }
}
