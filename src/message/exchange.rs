//! An HTTP exchange (RFC 9110 section 3.3): its messages, what it opened, whether a script made it.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::{AnomalyDetails, Content, Cost, FieldName, Head, Poll};
use crate::anomaly::AnomalySet;
use crate::stream::Place;

/// The request of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What it cost.
    pub cost: Cost,
    /// Its start line and header section.
    pub head: Head,
    /// Its decoded content, as far as asked for.
    pub content: Content,
}

impl Request {
    /// The method, such as `GET`.
    pub fn method(&self) -> &[u8] {
        self.head.start_line_part(0)
    }

    /// The request target as sent (RFC 9112 §3.2), absolute-form included.
    pub fn target(&self) -> &[u8] {
        self.head.start_line_part(1)
    }

    /// Such as `HTTP/1.1`.
    pub fn version(&self) -> &[u8] {
        self.head.start_line_part(2)
    }

    /// Host and port the request names: of an absolute-form target, else the Host field (RFC 9112 §3.2.2).
    pub fn host(&self) -> Option<&[u8]> {
        authority_of_absolute_form(self.target()).or_else(|| self.head.first(FieldName::Host))
    }
}

fn authority_of_absolute_form(target: &[u8]) -> Option<&[u8]> {
    // As most are: origin-form.
    if target.first() == Some(&b'/') {
        return None;
    }
    let scheme_end = memchr::memmem::find(target, b"://")?;
    if !target[..scheme_end].iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let authority = target[scheme_end + 3..].split(|&b| matches!(b, b'/' | b'?' | b'#')).next()?;
    // Behind user and password (RFC 3986 §3.2.1).
    authority.rsplit(|&b| b == b'@').next()
}

/// The final response of an exchange; the informational ones before it are part of its cost (framing).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// What it cost.
    pub cost: Cost,
    /// Its status line and header section.
    pub head: Head,
    /// Its decoded content, as far as asked for.
    pub content: Content,
    /// Status code.
    pub status: u16,
}

impl Response {
    /// Such as `HTTP/1.1`.
    pub fn version(&self) -> &[u8] {
        self.head.start_line_part(0)
    }
}

/// What an exchange switched its connection to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// A WebSocket opening handshake that succeeded (RFC 6455 §4).
    WebSocket,
    /// CONNECT, answered with 2xx: a tunnel (RFC 9110 §9.3.6).
    Tunnel,
    /// Another protocol by 101 (RFC 9110 §7.8), such as h2c.
    Other,
}

impl Upgrade {
    /// The name that rows print.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Tunnel => "tunnel",
            Self::Other => "other",
        }
    }
}

/// A request to open a WebSocket that was not followed by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedUpgrade {
    /// Of the answer; `None` when the connection ended without one.
    pub status: Option<u16>,
    /// Why, as far as it can be told.
    pub reason: RefusalReason,
}

/// Why a request to open a WebSocket was refused, as far as request and answer tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefusalReason {
    /// The server names the versions it speaks, and the request's is not among them (RFC 6455 §4.4).
    UnsupportedVersion,
    /// 4xx to a request that breaks RFC 6455 §4.1: the first of its faults that a server checks.
    Malformed(crate::AnomalyKind),
    /// 401 or 407: the client is to authenticate.
    Unauthorized,
    /// 403: often an Origin that is not allowed.
    Forbidden,
    /// 404 or 410: there is nothing at that target.
    NotFound,
    /// 405 to a GET.
    MethodNotAllowed,
    /// 426 that names no version.
    UpgradeRequired,
    /// 429: too many requests.
    TooManyRequests,
    /// Another 4xx.
    ClientError,
    /// 3xx: the client is to ask elsewhere.
    Redirected,
    /// 2xx: answered as any other request, by a server that speaks no WebSocket there.
    NotUpgraded,
    /// 5xx: a server, or a proxy before it, could not.
    ServerError,
    /// The connection ended without an answer.
    NoAnswer,
}

impl RefusalReason {
    /// The stable name that rows and reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnsupportedVersion => "unsupported_version",
            Self::Malformed(kind) => kind.name(),
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UpgradeRequired => "upgrade_required",
            Self::TooManyRequests => "too_many_requests",
            Self::ClientError => "client_error",
            Self::Redirected => "redirected",
            Self::NotUpgraded => "not_upgraded",
            Self::ServerError => "server_error",
            Self::NoAnswer => "no_answer",
        }
    }
}

/// The classifier's word on whether a script made an exchange.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ajax {
    /// Whether it counts as Ajax.
    pub verdict: bool,
    /// How sure that is: 0 (a guess) to 1 (the browser said so).
    pub confidence: f64,
    /// Why, strongest first: stable names.
    pub reasons: Cow<'static, [&'static str]>,
}

impl Ajax {
    /// Whether it counts as Ajax by one hint alone.
    pub(crate) fn is_weak(&self) -> bool {
        self.verdict && self.reasons.len() == 1 && self.confidence < 0.6
    }
}

/// The part of the comparison that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Exchanges that a script made.
    Ajax = 0,
    /// WebSocket messages, and the opening handshake.
    WebSocket = 1,
    /// Responses of type `text/event-stream`, with their requests.
    ServerSentEvents = 2,
    /// Documents, images, scripts, … and exchanges whose request was not captured.
    OtherHttp = 3,
}

impl Side {
    /// All sides in the order of the report.
    pub const ALL: [Self; 4] = [Self::Ajax, Self::WebSocket, Self::ServerSentEvents, Self::OtherHttp];

    /// The name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ajax => "ajax",
            Self::WebSocket => "websocket",
            Self::ServerSentEvents => "server_sent_events",
            Self::OtherHttp => "other_http",
        }
    }
}

/// An HTTP request and its response.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Number of its connection (`tcp.stream`).
    pub connection: u64,
    /// n-th exchange on that connection, from 1.
    pub number: u64,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// `None` when it was not captured.
    pub request: Option<Request>,
    /// `None` when there was none or it was not captured.
    pub response: Option<Response>,
    /// Status codes of informational responses before the final one (RFC 9110 §15.2).
    pub informational: Vec<u16>,
    /// What the connection became by it.
    pub upgrade: Option<Upgrade>,
    /// From the request's first octet to the (final) response's first, in seconds.
    pub time_to_first_byte_s: Option<f64>,
    /// From the request's first octet to the response's last, in seconds.
    pub time_to_last_byte_s: Option<f64>,
    /// Whether a script made it.
    pub ajax: Ajax,
    /// The side it is charged to.
    pub side: Side,
    /// Its part in a series of polls, from the third on.
    pub polling: Option<Box<Poll>>,
    /// Why its request to open a WebSocket was refused, when it was.
    pub upgrade_refused: Option<RefusedUpgrade>,
    /// Where its request and its (final) response begin; `None` for one that was not captured.
    pub places: [Option<Place>; 2],
    /// What was odd in it.
    pub anomalies: AnomalySet,
    /// Where that lies.
    pub anomaly_details: AnomalyDetails,
}

impl Exchange {
    /// What was odd in it, and in the contents of both messages.
    #[inline]
    pub fn oddities(&self) -> AnomalySet {
        let mut odd = self.anomalies;
        self.request.iter().for_each(|request| odd.merge(request.content.anomalies));
        self.response.iter().for_each(|response| odd.merge(response.content.anomalies));
        odd
    }

    /// Whether a GET was answered without content (204, 304, length 0); not where that is not known.
    pub fn is_answered_empty(&self) -> bool {
        let asks = self.request.as_ref().is_some_and(|request| request.method() == b"GET");
        let cost = self.response.as_ref().map(|response| &response.cost);
        asks && cost.is_some_and(|cost| cost.content_bytes == Some(0) && cost.lost_bytes == 0)
    }

    /// How long its answer was held, in nanoseconds; `None` without one, or when the capture clock stepped back.
    pub fn held_ns(&self) -> Option<u64> {
        self.time_to_first_byte_s.filter(|&held| held >= 0.0).map(|held| (held * 1e9) as u64)
    }

    /// Octets on the wire of request and response.
    pub fn wire_bytes(&self) -> u64 {
        self.request.as_ref().map_or(0, |r| r.cost.wire_bytes()) + self.response.as_ref().map_or(0, |r| r.cost.wire_bytes())
    }
}

#[cfg(test)]
mod tests {
    use crate::account::samples::request;

    #[test]
    fn host_is_that_of_the_target_without_user_and_password() {
        for (target, host) in [
            ("/x", "a.example"),
            ("http://b.example:8080/x", "b.example:8080"),
            ("http://user:pass@[::1]:99/x@y", "[::1]:99"),
            ("http://b.example?to=c@d", "b.example"),
        ] {
            let request = request(&format!("GET {target} HTTP/1.1"), &[("Host", "a.example")]);
            assert_eq!(request.host(), Some(host.as_bytes()), "{target}");
        }
    }
}
