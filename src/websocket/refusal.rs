//! What is wrong with a request to open a WebSocket, and why a server refused one (RFC 6455 §4.2, §4.4).

use super::fields::Fields;
use super::handshake::is_key;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{FieldName, Head, RefusalReason, RefusedUpgrade, Request, Response};

/// The version of RFC 6455.
const VERSION: &[u8] = b"13";

/// What a request must not be (RFC 6455 §4.1), in a header section that is there to its end.
pub(super) fn request_faults(request: &Request) -> AnomalySet {
    let fields = Fields::of(&request.head);
    let said = |says: bool, kind| says.then_some(kind);
    let key = match fields.key.value {
        None => Some(AnomalyKind::MissingKey),
        Some(key) => said(!is_key(key), AnomalyKind::InvalidKey),
    };
    [
        said(!is_get_of_http_1_1(request), AnomalyKind::WrongHandshakeMethod),
        said(!fields.upgrades, AnomalyKind::MissingUpgrade),
        said(!fields.names_upgrade, AnomalyKind::MissingConnectionUpgrade),
        said(fields.version.value != Some(VERSION), AnomalyKind::WrongVersion),
        key,
        // RFC 6455 §11.3.1, §11.3.5.
        said(fields.key.is_repeated || fields.version.is_repeated, AnomalyKind::RepeatedHandshakeField),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn is_get_of_http_1_1(request: &Request) -> bool {
    let is_new = request.version().strip_prefix(b"HTTP/1.").is_some_and(|minor| minor != b"0");
    request.method() == b"GET" && is_new
}

/// Whether a request asks to open a WebSocket, and its final answer, or the end of its connection without one, is a refusal.
/// `was_left` says that the server had all of its time: nothing that it sent is missing from the capture.
pub(crate) fn refusal(request: &Request, response: Option<&Response>, was_left: bool) -> Option<RefusedUpgrade> {
    if !asks_for_websocket(&request.head) {
        return None;
    }
    match response {
        Some(response) => Some(RefusedUpgrade { status: Some(response.status), reason: reason(request, response) }),
        None => was_left.then_some(RefusedUpgrade { status: None, reason: RefusalReason::NoAnswer }),
    }
}

/// By `Upgrade: websocket`; or by a key, where that field was forgotten.
fn asks_for_websocket(head: &Head) -> bool {
    head.has_token_in(FieldName::Upgrade, "websocket") || head.has(FieldName::SecWebSocketKey)
}

fn reason(request: &Request, response: &Response) -> RefusalReason {
    let is_client_error = (400..500).contains(&response.status);
    if is_client_error && names_other_versions(&request.head, &response.head) {
        return RefusalReason::UnsupportedVersion;
    }
    match response.status {
        401 | 407 => return RefusalReason::Unauthorized,
        403 => return RefusalReason::Forbidden,
        404 | 410 => return RefusalReason::NotFound,
        429 => return RefusalReason::TooManyRequests,
        200..=299 => return RefusalReason::NotUpgraded,
        300..=399 => return RefusalReason::Redirected,
        500.. => return RefusalReason::ServerError,
        _ => {}
    }
    let fault = Some(request).filter(|request| request.head.is_whole()).and_then(|request| request_faults(request).iter().next());
    match (response.status, fault) {
        (_, Some(fault)) if is_client_error => RefusalReason::Malformed(fault),
        (405, _) => RefusalReason::MethodNotAllowed,
        (426, _) => RefusalReason::UpgradeRequired,
        _ => RefusalReason::ClientError,
    }
}

/// Whether the answer names the versions that the server speaks, and the request's is none of them (RFC 6455 §4.4).
fn names_other_versions(request: &Head, response: &Head) -> bool {
    let asked = request.field("sec-websocket-version");
    let mut spoken = response.values("sec-websocket-version").flat_map(|value| value.split(|&octet| octet == b',')).peekable();
    spoken.peek().is_some() && !spoken.any(|version| asked == Some(version.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(octets: &str) -> Head {
        let octets = format!("{octets}\n");
        let mut lines = octets.lines();
        let mut start = lines.next().unwrap_or_default().splitn(3, ' ').map(str::as_bytes);
        let start = [(); 3].map(|()| start.next().unwrap_or_default());
        let fields = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        Head::new(octets.as_bytes(), start, fields)
    }

    const ASKED: &str = "GET / HTTP/1.1\nUpgrade: websocket\nConnection: Upgrade\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n";

    fn reason_of(asked: &str, status: u16, fields: &str) -> Option<&'static str> {
        let request = Request { head: head(asked), ..Request::default() };
        let response = Response { head: head(&format!("HTTP/1.1 {status} x\n{fields}")), status, ..Response::default() };
        let refused = refusal(&request, Some(&response), true)?;
        assert_eq!(refused.status, Some(status));
        Some(refused.reason.name())
    }

    #[test]
    fn the_answer_says_why() {
        let spoken = "Sec-WebSocket-Version: 13, 8\n";
        let cases: [(&str, u16, &str, &str); 18] = [
            (ASKED, 401, "", "unauthorized"),
            (ASKED, 407, "", "unauthorized"),
            (ASKED, 403, "", "forbidden"),
            (ASKED, 404, "", "not_found"),
            (ASKED, 410, "", "not_found"),
            (ASKED, 405, "", "method_not_allowed"),
            (ASKED, 429, "", "too_many_requests"),
            (ASKED, 400, "", "client_error"),
            (ASKED, 426, "", "upgrade_required"),
            (ASKED, 200, "", "not_upgraded"),
            (ASKED, 302, "Location: /else\n", "redirected"),
            (ASKED, 502, "", "server_error"),
            (&ASKED.replace("13", "9"), 426, spoken, "unsupported_version"),
            (&ASKED.replace("13", "9"), 400, spoken, "unsupported_version"),
            // The server speaks that version: something else is wrong.
            (ASKED, 400, spoken, "client_error"),
            (&ASKED.replace("13", "9"), 400, "", "wrong_version"),
            (&ASKED.replace("Sec-WebSocket-Key", "X"), 400, "", "missing_key"),
            // Whoever may not come in is not told what else is wrong.
            (&ASKED.replace("Sec-WebSocket-Key", "X"), 403, "", "forbidden"),
        ];
        for (asked, status, fields, expected) in cases {
            assert_eq!(reason_of(asked, status, fields), Some(expected), "{status} {fields}");
        }
    }

    #[test]
    fn other_requests_are_not_refused() {
        assert_eq!(reason_of("GET / HTTP/1.1\nUpgrade: h2c\n", 404, ""), None);
    }

    #[test]
    fn no_answer_counts_when_the_server_could_have_given_one() {
        let request = Request { head: head(ASKED), ..Request::default() };
        assert_eq!(refusal(&request, None, true), Some(RefusedUpgrade { status: None, reason: RefusalReason::NoAnswer }));
        assert_eq!(refusal(&request, None, false), None);
    }
}
