//! The opening handshake as it was sent (RFC 6455 §4).

use base64::Engine;
use base64::alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use sha1::{Digest, Sha1};

use super::extension::{Agreement, Compression};
use super::fields::Fields;
use super::refusal::request_faults;
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

    /// What is odd in the request, and in the response: only header sections that are there to their end are judged.
    pub(crate) fn anomalies(&self) -> [AnomalySet; 2] {
        if !self.is_decodable() {
            let old = AnomalySet::from_iter([AnomalyKind::OldWebSocketVersion]);
            // The request says which version is spoken, if it is there.
            return if self.request.is_some() { [old, AnomalySet::EMPTY] } else { [AnomalySet::EMPTY, old] };
        }
        [
            self.whole_request().map(request_faults).unwrap_or_default(),
            self.whole_response().map(|response| self.answer_faults(response)).unwrap_or_default(),
        ]
    }

    fn whole_request(&self) -> Option<&'a Request> {
        self.request.filter(|request| request.head.is_whole())
    }

    fn whole_response(&self) -> Option<&'a Head> {
        self.response.filter(|response| response.is_whole())
    }

    /// What a client must not accept (RFC 6455 §4.1, items 2 to 6 of what it validates).
    fn answer_faults(&self, response: &Head) -> AnomalySet {
        let fields = Fields::of(response);
        let accept = match fields.accept.value {
            None => Some(AnomalyKind::MissingAccept),
            Some(_) => (self.accept_valid() == Some(false)).then_some(AnomalyKind::WrongAccept),
        };
        let said = |says: bool, kind| says.then_some(kind);
        // RFC 6455 §11.3.2 to §11.3.4.
        let is_repeated = [fields.accept, fields.extensions, fields.protocol].iter().any(|field| field.is_repeated);
        [
            said(!fields.upgrades, AnomalyKind::MissingUpgrade),
            said(!fields.names_upgrade, AnomalyKind::MissingConnectionUpgrade),
            said(is_repeated, AnomalyKind::RepeatedHandshakeField),
            accept,
            said(self.is_unasked_subprotocol(fields.protocol.value), AnomalyKind::SubprotocolNotOffered),
            said(self.agreement.is_unasked, AnomalyKind::ExtensionNotOffered),
            said(self.agreement.is_bad, AnomalyKind::BadExtensionAnswer),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether the server chose a subprotocol that the client did not offer; unlike most names these compare octet by octet.
    fn is_unasked_subprotocol(&self, chosen: Option<&[u8]>) -> bool {
        let (Some(request), Some(chosen)) = (self.whole_request(), chosen) else { return false };
        let mut offers = request.head.values("sec-websocket-protocol").flat_map(|value| value.split(|&octet| octet == b','));
        !offers.any(|offer| offer.trim_ascii() == chosen)
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

/// Whether a Sec-WebSocket-Key is 16 octets in base64 (RFC 6455 §4.1). Bits that the last digit leaves over do not matter.
pub(super) fn is_key(key: &[u8]) -> bool {
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    // 16 octets take 24 digits: nothing longer is worth decoding.
    key.len() == 24 && LENIENT.decode(key).is_ok_and(|key| key.len() == 16)
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
    const ASKED: &str = "GET /chat HTTP/1.1\nHost: server.example.com\nUpgrade: websocket\nConnection: Upgrade\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n";

    /// What its answer begins with, but for Sec-WebSocket-Accept.
    const ANSWERED: &str = "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n";

    const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n";

    fn judged(asked: &str, answered: &str) -> (Option<bool>, bool, Vec<AnomalyKind>) {
        let (request, response) = (request(asked), head(answered));
        let handshake = Handshake::new(Some(&request), Some(&response));
        (handshake.accept_valid(), handshake.is_decodable(), odd(&handshake).concat())
    }

    /// What is odd in the request, and in the response.
    fn odd(handshake: &Handshake<'_>) -> [Vec<AnomalyKind>; 2] {
        handshake.anomalies().map(|odd| odd.iter().collect())
    }

    /// The same of a handshake whose halves were changed.
    fn odd_halves(asked: &str, answered: &str) -> [Vec<AnomalyKind>; 2] {
        let (request, response) = (request(asked), head(answered));
        odd(&Handshake::new(Some(&request), Some(&response)))
    }

    #[test]
    fn accept_of_rfc6455_answers_its_key() {
        assert_eq!(judged(ASKED, &[ANSWERED, ACCEPT].concat()), (Some(true), true, vec![]));
    }

    #[test]
    fn wrong_and_missing_accept_are_told_apart() {
        let answered = [ANSWERED, "Sec-WebSocket-Accept: AAAA\n"].concat();
        assert_eq!(judged(ASKED, &answered), (Some(false), true, vec![AnomalyKind::WrongAccept]));
        assert_eq!(judged(ASKED, ANSWERED), (Some(false), true, vec![AnomalyKind::MissingAccept]));
    }

    #[test]
    fn faults_of_a_request_are_each_named() {
        use AnomalyKind::*;
        let answered = [ANSWERED, ACCEPT].concat();
        let cases: [(&str, &str, &[AnomalyKind]); 14] = [
            ("GET ", "POST ", &[WrongHandshakeMethod]),
            ("HTTP/1.1", "HTTP/1.0", &[WrongHandshakeMethod]),
            ("Upgrade: websocket\n", "", &[MissingUpgrade]),
            ("Upgrade: websocket\n", "Upgrade: h2c\n", &[MissingUpgrade]),
            ("Upgrade: websocket\n", "Upgrade: h2c, WebSocket\n", &[]),
            ("Connection: Upgrade", "Connection: keep-alive", &[MissingConnectionUpgrade]),
            ("Connection: Upgrade", "Connection: keep-alive, upgrade", &[]),
            ("Version: 13", "Version: 8", &[WrongVersion]),
            ("Version: 13", "Version: 13\nSec-WebSocket-Version: 13", &[RepeatedHandshakeField]),
            ("Sec-WebSocket-Version: 13\n", "", &[WrongVersion]),
            ("Key: dGhl", "Key: dGhlAAAA", &[InvalidKey]),
            ("Key: dGhl", "Key: dG~l", &[InvalidKey]),
            ("ZQ==", "ZR==", &[]),
            ("Sec-WebSocket-Key", "X-Key", &[MissingKey]),
        ];
        for (part, changed, expected) in cases {
            assert_eq!(odd_halves(&ASKED.replace(part, changed), &answered)[0], expected, "{changed}");
        }
    }

    #[test]
    fn faults_of_an_answer_are_each_named() {
        use AnomalyKind::*;
        let answered = [ANSWERED, ACCEPT].concat();
        let asked = [ASKED, "Sec-WebSocket-Protocol: chat, superchat\nSec-WebSocket-Extensions: permessage-deflate\n"].concat();
        let cases: [(&str, &str, &[AnomalyKind]); 10] = [
            ("Upgrade: websocket\n", "", &[MissingUpgrade]),
            ("Connection: Upgrade", "Connection: close", &[MissingConnectionUpgrade]),
            ("Sec-WebSocket-Accept", "X-Accept", &[MissingAccept]),
            ("s3pP", "S3pP", &[WrongAccept]),
            (ACCEPT, &[ACCEPT, ACCEPT].concat(), &[RepeatedHandshakeField]),
            (ACCEPT, &[ACCEPT, "Sec-WebSocket-Protocol: superchat\n"].concat(), &[]),
            (ACCEPT, &[ACCEPT, "Sec-WebSocket-Protocol: Chat\n"].concat(), &[SubprotocolNotOffered]),
            (ACCEPT, &[ACCEPT, "Sec-WebSocket-Protocol: chat, superchat\n"].concat(), &[SubprotocolNotOffered]),
            (ACCEPT, &[ACCEPT, "Sec-WebSocket-Extensions: x-other\n"].concat(), &[ExtensionNotOffered]),
            (ACCEPT, &[ACCEPT, "Sec-WebSocket-Extensions: permessage-deflate; x=1\n"].concat(), &[BadExtensionAnswer]),
        ];
        for (part, changed, expected) in cases {
            assert_eq!(odd_halves(&asked, &answered.replace(part, changed)), [&[][..], expected], "{changed}");
        }
    }

    #[test]
    fn accept_without_its_request_cannot_be_told() {
        let response = head("HTTP/1.1 101 OK\nSec-WebSocket-Accept: AAAA\n");
        let handshake = Handshake::new(None, Some(&response));
        assert_eq!((handshake.accept_valid(), handshake.is_decodable()), (None, true));
        assert_eq!(odd(&handshake), [vec![], vec![AnomalyKind::MissingUpgrade, AnomalyKind::MissingConnectionUpgrade]]);
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
