//! Whether a script made an exchange, by what browsers and clients send (Fetch Metadata, Fetch, RFC 9110).
//!
//! A field that only one kind of client can send decides alone: `X-Requested-With`, then `Sec-Fetch-*`, which scripts cannot
//! forge. Without them, weaker signs are added up.

mod media;

use std::borrow::Cow;

use crate::message::{Ajax, FieldName, Head, Request, Response, Side};
use crate::options::{AjaxScope, Options};
use media::{Media, has_static_extension, is_event_stream, media};

/// What the fields of an exchange say, gathered in one pass over each header section.
#[derive(Default)]
struct Signs<'a> {
    xml_http_request: bool,
    fetch_dest: Option<&'a [u8]>,
    fetch_mode: Option<&'a [u8]>,
    prefetch: bool,
    accept: &'a [u8],
    request_type: &'a [u8],
    response_type: &'a [u8],
    origin: bool,
    navigation: bool,
    script_field: bool,
    /// Which browser it says to be, and whether from which page it asks.
    user_agent: &'a [u8],
    referer: bool,
}

/// What decides alone, and what stands where there is nothing to weigh.
static ALONE: [&str; 12] = [
    "x-requested-with",
    "sec-fetch-empty",
    "sec-fetch-no-cors",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-navigate",
    "hyperlink-ping",
    "no-sign",
    "scope-all",
    "not-chosen",
    "websocket-upgrade",
    "request-not-captured",
];

/// Weaker signs. The heaviest come first, on either side: so do the reasons.
static SIGNS: [&str; 17] = [
    "polling-target",
    "json-request",
    "accept-event-stream",
    "accept-json",
    "json-content",
    "method",
    "script-field",
    "xml-request",
    "xml-content",
    "accept-xml",
    "origin",
    "form-request",
    "accept-anything",
    "prefetch",
    "navigation-accept",
    "static-content-type",
    "static-extension",
];

/// Their weights, by judgement: 3 for what is hardly sent otherwise, 1 for a hint.
const WEIGHTS: [i32; SIGNS.len()] = [3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, -4, -4, -4, -3];

/// Every reason that is ever given.
pub fn reasons() -> impl Iterator<Item = &'static str> {
    ALONE.iter().chain(&SIGNS).copied()
}

/// Classifies an exchange: whether a script made it and why, and the side it is charged to.
pub fn classify(request: Option<&Request>, response: Option<&Response>, options: &Options) -> (Ajax, Side) {
    let found = classify_in(request, response, options.ajax);
    debug_assert!(found.0.reasons.iter().all(|reason| reasons().any(|known| known == *reason)), "{:?}", found.0.reasons);
    let is_chosen = request.is_none_or(|request| is_chosen(request, options));
    if found.1 != Side::Ajax || is_chosen {
        return found;
    }
    // Event streams are no other HTTP, whichever exchanges may be Ajax.
    let side = if answers_events(request, response) { Side::ServerSentEvents } else { Side::OtherHttp };
    (certain(false, &["not-chosen"]), side)
}

/// Whether the response is a stream of server-sent events; what else names the type opens none (HTML §9.2.2).
fn answers_events(request: Option<&Request>, response: Option<&Response>) -> bool {
    let is_asked = request.is_none_or(|request| request.method() != b"HEAD");
    let opens =
        |response: &Response| response.status == 200 && is_event_stream(response.head.first(FieldName::ContentType).unwrap_or_default());
    is_asked && response.is_some_and(opens)
}

/// Whether host and path are among those that may be Ajax.
fn is_chosen(request: &Request, options: &Options) -> bool {
    options.ajax_host.as_ref().is_none_or(|glob| request.host().is_some_and(|host| glob.is_host(host)))
        && options.ajax_path.as_ref().is_none_or(|glob| glob.is_path_of(request.target()))
}

fn classify_in(request: Option<&Request>, response: Option<&Response>, scope: AjaxScope) -> (Ajax, Side) {
    if response.is_some_and(|response| response.status == 101 && response.head.has_token_in(FieldName::Upgrade, "websocket")) {
        return (certain(false, &["websocket-upgrade"]), Side::WebSocket);
    }
    // No script can ask for this: what answered it with no is an opening handshake all the same.
    if request.is_some_and(|request| request.head.has_token_in(FieldName::Upgrade, "websocket")) {
        return (certain(false, &["websocket-upgrade"]), Side::OtherHttp);
    }
    if scope == AjaxScope::All {
        return (certain(true, &["scope-all"]), Side::Ajax);
    }
    let mut signs = Signs::default();
    let answers_events = answers_events(request, response);
    if let Some(response) = response {
        signs.response_type = response.head.first(FieldName::ContentType).unwrap_or_default();
    }
    let Some(request) = request else {
        let side = if answers_events { Side::ServerSentEvents } else { Side::OtherHttp };
        return (Ajax { verdict: false, confidence: 0.5, reasons: Cow::Borrowed(&["request-not-captured"]) }, side);
    };
    signs.gather(&request.head);
    let ajax = signs.decide().unwrap_or_else(|| signs.weigh(request));
    let side = match ajax.verdict {
        _ if answers_events => Side::ServerSentEvents,
        true => Side::Ajax,
        false => Side::OtherHttp,
    };
    (ajax, side)
}

fn certain(verdict: bool, reasons: &'static [&'static str]) -> Ajax {
    Ajax { verdict, confidence: 1.0, reasons: Cow::Borrowed(reasons) }
}

impl<'a> Signs<'a> {
    fn gather(&mut self, head: &'a Head) {
        let is_there = |name| head.has(name);
        let last = |name| if head.has_several(name) { head.values_of(name).last() } else { head.first(name) };
        let any = |name, is: fn(&[u8]) -> bool| is_there(name) && head.values_of(name).any(is);
        self.accept = last(FieldName::Accept).unwrap_or_default();
        self.origin = is_there(FieldName::Origin);
        self.referer = is_there(FieldName::Referer);
        self.user_agent = last(FieldName::UserAgent).unwrap_or_default();
        let is_prefetch = |value: &[u8]| contains(value, b"prefetch");
        self.prefetch = [FieldName::Purpose, FieldName::SecPurpose].into_iter().any(|name| any(name, is_prefetch))
            || head.values("x-moz").any(is_prefetch);
        self.request_type = last(FieldName::ContentType).unwrap_or_default();
        self.script_field = is_there(FieldName::XCsrfToken)
            || is_there(FieldName::XXsrfToken)
            || any(FieldName::Authorization, |value| starts_with(value, b"bearer "));
        self.fetch_dest = last(FieldName::SecFetchDest);
        self.fetch_mode = last(FieldName::SecFetchMode);
        // Android's WebView sends its package name here with every request.
        self.xml_http_request = last(FieldName::XRequestedWith).is_some_and(|value| value.eq_ignore_ascii_case(b"xmlhttprequest"));
        // Navigations of browsers before Fetch Metadata ask for HTML first.
        self.navigation = is_there(FieldName::UpgradeInsecureRequests)
            || starts_with(self.accept, b"text/html")
            || starts_with(self.accept, b"application/xhtml");
    }

    /// The verdict where one sign is enough.
    fn decide(&self) -> Option<Ajax> {
        // What `<a ping>` sends when a link is followed (HTML §4.6.5): no script asks for it.
        if starts_with(self.request_type, b"text/ping") {
            return Some(Ajax { verdict: false, confidence: 0.97, reasons: Cow::Borrowed(&["hyperlink-ping"]) });
        }
        let fetch = self.fetch_verdict();
        if !self.xml_http_request {
            return fetch;
        }
        let reasons = match fetch.filter(|fetch| fetch.verdict) {
            None => Cow::Borrowed(&["x-requested-with"][..]),
            Some(fetch) => [&["x-requested-with"], &fetch.reasons[..]].concat().into(),
        };
        Some(Ajax { verdict: true, confidence: 0.99, reasons })
    }

    /// What Fetch Metadata says (W3C): the destination is empty for fetch(), XMLHttpRequest, EventSource, sendBeacon and prefetch.
    fn fetch_verdict(&self) -> Option<Ajax> {
        let verdict = |verdict, confidence, reasons| Some(Ajax { verdict, confidence, reasons: Cow::Borrowed(reasons) });
        let mode = self.fetch_mode.unwrap_or_default();
        if self.fetch_mode.is_none() && self.fetch_dest.is_none() {
            return None;
        }
        if self.prefetch {
            return verdict(false, 0.95, &["prefetch"]);
        }
        if mode == b"navigate" {
            return verdict(false, 1.0, &["sec-fetch-navigate"]);
        }
        match (self.fetch_dest, mode) {
            (Some(b"empty"), b"no-cors") => verdict(true, 0.85, &["sec-fetch-no-cors"]),
            (Some(b"empty"), _) => verdict(true, 0.97, &["sec-fetch-empty"]),
            (Some(_), _) => verdict(false, 1.0, &["sec-fetch-dest"]),
            // A mode alone is no browser's word: Node's fetch() sends `Sec-Fetch-Mode: cors` and no destination.
            (None, b"cors" | b"same-origin") => verdict(true, 0.8, &["sec-fetch-mode"]),
            (None, _) => None,
        }
    }

    /// The verdict of weaker signs together.
    fn weigh(&self, request: &Request) -> Ajax {
        let path = path(request.target());
        let asked = media(self.request_type);
        let (answered, accepted) = (media(self.response_type), media(self.accept));
        let structured = |media| matches!(media, Media::Json | Media::Xml);
        // Elements of a page only GET: SockJS answers the POSTs of its scripts as JavaScript.
        let is_got = matches!(request.method(), b"GET" | b"HEAD");
        let is_static = is_got && answered == Media::Static;
        let seen: [bool; SIGNS.len()] = [
            is_polling_target(path, request.target()),
            asked == Media::Json,
            accepted == Media::EventStream,
            accepted == Media::Json,
            answered == Media::Json,
            matches!(request.method(), b"PUT" | b"PATCH" | b"DELETE"),
            self.script_field,
            asked == Media::Xml,
            answered == Media::Xml,
            accepted == Media::Xml,
            self.origin && !self.navigation,
            asked == Media::Form && !self.navigation,
            // What elements of a page ask for, browsers ask for by type, or it is answered as what it is: a script, a font.
            self.accept == b"*/*" && self.referer && names_types(self.user_agent) && !is_static,
            self.prefetch,
            self.navigation,
            is_static,
            // A page named `data.js` that answers JSON is no script.
            is_got && !structured(answered) && has_static_extension(path),
        ];
        let score: i32 = seen.iter().zip(WEIGHTS).map(|(&seen, weight)| i32::from(seen) * weight).sum();
        let verdict = score > 0;
        let speaks_for_it = |at: usize| seen[at] && (WEIGHTS[at] > 0) == verdict;
        let count = (0..SIGNS.len()).filter(|&at| speaks_for_it(at)).count();
        let first = (0..SIGNS.len()).position(speaks_for_it);
        let reasons = match first {
            None => Cow::Borrowed(&["no-sign"][..]),
            // Few signs are seen at a time, and often neighbours.
            Some(first) if (first..first + count).all(|at| at < SIGNS.len() && speaks_for_it(at)) => {
                Cow::Borrowed(&SIGNS[first..first + count])
            }
            Some(_) => (0..SIGNS.len()).filter(|&at| speaks_for_it(at)).map(|at| SIGNS[at]).collect(),
        };
        Ajax { verdict, confidence: f64::from(50 + 7 * score.abs().min(6)) / 100.0, reasons }
    }
}

/// Whether that is a browser that asks for images and the like by type: Internet Explorer asks for them as scripts do.
fn names_types(user_agent: &[u8]) -> bool {
    user_agent.starts_with(b"Mozilla/") && !contains(user_agent, b"MSIE ")
}

fn path(target: &[u8]) -> &[u8] {
    memchr::memchr2(b'?', b'#', target).map_or(target, |end| &target[..end])
}

/// engine.io (`EIO=4&transport=polling`), SignalR (`transport=longPolling`) and SockJS (`/042/session/xhr`) transports.
fn is_polling_target(path: &[u8], target: &[u8]) -> bool {
    let query = &target[path.len()..];
    if path.ends_with(b"/xhr") || path.ends_with(b"/xhr_send") || path.ends_with(b"/xhr_streaming") {
        return true;
    }
    let says = |transport: &[u8]| query.len() > transport.len() && memchr::memmem::find(query, transport).is_some();
    says(b"transport=polling") || says(b"transport=longPolling") || path.ends_with(b"/negotiate")
}

fn starts_with(value: &[u8], start: &[u8]) -> bool {
    value.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

fn ends_with(value: &[u8], end: &[u8]) -> bool {
    value.len() >= end.len() && value[value.len() - end.len()..].eq_ignore_ascii_case(end)
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    value.len() >= part.len() && memchr::memmem::find(value, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{request, response};
    use crate::options::Glob;

    const CHROME_NAVIGATION: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    /// Classifies a request line with its fields, answered 200 with a content type.
    fn of(request_line: &str, fields: &[(&str, &str)], answer: &str) -> (Side, bool, Vec<&'static str>) {
        let request = request(request_line, fields);
        let response = response(200, &[("Server", "nginx"), ("Content-Type", answer)]);
        let (ajax, side) = classify(Some(&request), Some(&response), &Options::default());
        assert!((0.5..=1.0).contains(&ajax.confidence));
        (side, ajax.verdict, ajax.reasons.into_owned())
    }

    fn fetch<'a>(dest: &'a str, mode: &'a str, accept: &'a str) -> Vec<(&'a str, &'a str)> {
        let chrome =
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36");
        vec![
            ("Host", "a.example"),
            chrome,
            ("Accept", accept),
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Mode", mode),
            ("Sec-Fetch-Dest", dest),
        ]
    }

    #[test]
    fn browsers_with_fetch_metadata() {
        let is = |expected: (Side, &'static str), got: (Side, bool, Vec<&'static str>)| {
            assert_eq!(got, (expected.0, expected.0 == Side::Ajax || expected.1 == "sec-fetch-empty", vec![expected.1]));
        };
        is((Side::Ajax, "sec-fetch-empty"), of("GET /api/x HTTP/1.1", &fetch("empty", "cors", "*/*"), "application/json"));
        is((Side::Ajax, "sec-fetch-empty"), of("GET /part.html HTTP/1.1", &fetch("empty", "same-origin", "*/*"), "text/html"));
        // navigator.sendBeacon()
        is((Side::Ajax, "sec-fetch-no-cors"), of("POST /beacon HTTP/1.1", &fetch("empty", "no-cors", "*/*"), "text/plain"));
        let ping = [fetch("empty", "no-cors", "*/*"), vec![("Content-Type", "text/ping")]].concat();
        is((Side::OtherHttp, "hyperlink-ping"), of("POST /ping HTTP/1.1", &ping, "text/plain"));
        let prefetch = [fetch("empty", "no-cors", "*/*"), vec![("X-Moz", "prefetch")]].concat();
        is((Side::OtherHttp, "prefetch"), of("GET /next HTTP/1.1", &prefetch, "text/html"));
        is(
            (Side::ServerSentEvents, "sec-fetch-empty"),
            of("GET /events HTTP/1.1", &fetch("empty", "cors", "text/event-stream"), "text/event-stream"),
        );
        is((Side::OtherHttp, "sec-fetch-navigate"), of("GET / HTTP/1.1", &fetch("document", "navigate", CHROME_NAVIGATION), "text/html"));
        is((Side::OtherHttp, "sec-fetch-dest"), of("GET /a.png HTTP/1.1", &fetch("image", "no-cors", "image/avif,*/*;q=0.8"), "image/png"));
        is((Side::OtherHttp, "sec-fetch-dest"), of("GET /a.js HTTP/1.1", &fetch("script", "no-cors", "*/*"), "application/javascript"));
        is(
            (Side::OtherHttp, "sec-fetch-dest"),
            of("GET /favicon.ico HTTP/1.1", &fetch("image", "no-cors", "image/avif,*/*"), "image/x-icon"),
        );
        let mut form = fetch("document", "navigate", CHROME_NAVIGATION);
        form.extend([("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://a.example")]);
        is((Side::OtherHttp, "sec-fetch-navigate"), of("POST /login HTTP/1.1", &form, "text/html"));
        // <link rel=prefetch>
        let mut prefetch = fetch("empty", "no-cors", "*/*");
        prefetch.push(("Sec-Purpose", "prefetch"));
        is((Side::OtherHttp, "prefetch"), of("GET /next.html HTTP/1.1", &prefetch, "text/html"));
    }

    #[test]
    fn xml_http_request_by_jquery_decides_first() {
        let mut fields = fetch("empty", "cors", "application/json, text/javascript, */*; q=0.01");
        fields.push(("X-Requested-With", "XMLHttpRequest"));
        assert_eq!(of("GET /x HTTP/1.1", &fields, "text/html"), (Side::Ajax, true, vec!["x-requested-with", "sec-fetch-empty"]));
        // The deck's frame 25 and 29: 2016, no Fetch Metadata, the answer HTML.
        assert_eq!(
            of("GET /x HTTP/1.1", &[("X-Requested-With", "XMLHttpRequest")], "text/html"),
            (Side::Ajax, true, vec!["x-requested-with"])
        );
        // Android's WebView navigates with its package name.
        let webview = [("Accept", "text/html"), ("X-Requested-With", "com.example.app")];
        assert_eq!(of("GET / HTTP/1.1", &webview, "text/html"), (Side::OtherHttp, false, vec!["navigation-accept"]));
    }

    #[test]
    fn clients_without_browser_fields() {
        let curl = [("Host", "a.example"), ("User-Agent", "curl/7.88.1"), ("Accept", "*/*")];
        assert_eq!(of("GET /api/users HTTP/1.1", &curl, "application/json"), (Side::Ajax, true, vec!["json-content"]));
        assert_eq!(of("GET / HTTP/1.1", &curl, "text/html"), (Side::OtherHttp, false, vec!["no-sign"]));
        assert_eq!(of("GET /data.js HTTP/1.1", &curl, "application/json"), (Side::Ajax, true, vec!["json-content"]));
        let json = [("Host", "a.example"), ("Content-Type", "application/json; charset=utf-8")];
        assert_eq!(of("POST /rpc HTTP/1.1", &json, "application/json"), (Side::Ajax, true, vec!["json-request", "json-content"]));
        assert_eq!(of("PUT /users/1 HTTP/1.1", &json, ""), (Side::Ajax, true, vec!["json-request", "method"]));
        let node = [("Accept", "*/*"), ("Sec-Fetch-Mode", "cors"), ("User-Agent", "node")];
        assert_eq!(of("GET /x HTTP/1.1", &node, "text/plain"), (Side::Ajax, true, vec!["sec-fetch-mode"]));
        let polling = "GET /socket.io/?EIO=4&transport=polling&t=OyqJk3a HTTP/1.1";
        assert_eq!(of(polling, &curl, "text/plain; charset=UTF-8"), (Side::Ajax, true, vec!["polling-target"]));
        let events = [("Accept", "text/event-stream")];
        assert_eq!(of("GET /x HTTP/1.1", &events, "text/event-stream").0, Side::ServerSentEvents);
        assert_eq!(of("HEAD /x HTTP/1.1", &events, "text/event-stream").0, Side::Ajax, "it opens no stream");
    }

    #[test]
    fn what_was_posted_is_no_script_whatever_answers_it() {
        let node = [("Content-Type", "text/plain"), ("Content-Length", "0")];
        let answer = "application/javascript; charset=UTF-8";
        assert_eq!(of("POST /sock/196/1belcchy/xhr_streaming HTTP/1.1", &node, answer), (Side::Ajax, true, vec!["polling-target"]));
        // SockJS's script element, and any other.
        assert_eq!(of("GET /sock/196/1belcchy/jsonp?c=_jp.a HTTP/1.1", &[], answer).2, ["static-content-type"]);
        let image = [("Content-Type", "application/json")];
        assert_eq!(of("POST /chart.png HTTP/1.1", &image, "image/png"), (Side::Ajax, true, vec!["json-request"]));
    }

    #[test]
    fn browsers_before_fetch_metadata() {
        let image = [("Accept", "image/png,image/*;q=0.8,*/*;q=0.5")];
        assert_eq!(
            of("GET /a.png HTTP/1.1", &image, "image/png"),
            (Side::OtherHttp, false, vec!["static-content-type", "static-extension"])
        );
        assert_eq!(of("GET /a.js?v=3 HTTP/1.1", &[("Accept", "*/*")], "").2, ["static-extension"]);
        let form = [("Accept", CHROME_NAVIGATION), ("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://a.example")];
        assert_eq!(of("POST /login HTTP/1.1", &form, "text/html"), (Side::OtherHttp, false, vec!["navigation-accept"]));
        let xhr = [("Accept", "*/*"), ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"), ("Origin", "http://a.example")];
        assert_eq!(of("POST /like HTTP/1.1", &xhr, "text/html"), (Side::Ajax, true, vec!["origin", "form-request"]));
    }

    #[test]
    fn accepting_anything_says_nothing_where_a_browser_asks_so_for_images() {
        let by = |browser| {
            let fields = [("User-Agent", browser), ("Referer", "http://a.example/"), ("Accept", "*/*")];
            let (ajax, side) = classify(Some(&request("GET /x HTTP/1.1", &fields)), Some(&response(304, &[])), &Options::default());
            (side, ajax.reasons.into_owned())
        };
        assert_eq!(by("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9) Version/9.0 Safari/601"), (Side::Ajax, vec!["accept-anything"]));
        assert_eq!(by("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1)"), (Side::OtherHttp, vec!["no-sign"]));
        assert_eq!(by("curl/7.88.1"), (Side::OtherHttp, vec!["no-sign"]));
    }

    #[test]
    fn the_scope_widens_but_never_to_the_opening_handshake() {
        let upgrade = response(101, &[("Upgrade", "websocket"), ("Connection", "Upgrade")]);
        let image = (request("GET /a.png HTTP/1.1", &[]), response(200, &[("Content-Type", "image/png")]));
        let all = Options { ajax: AjaxScope::All, ..Options::default() };
        assert_eq!(classify(Some(&image.0), Some(&upgrade), &all).1, Side::WebSocket);
        assert_eq!(classify(Some(&image.0), Some(&image.1), &all), (certain(true, &["scope-all"]), Side::Ajax));
        assert_eq!(classify(None, Some(&image.1), &Options::default()).1, Side::OtherHttp);
    }

    #[test]
    fn an_opening_handshake_is_no_ajax_whatever_answers_it() {
        let fields = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Origin", "https://a.example"), ("Sec-Fetch-Mode", "cors")];
        let asked = request("GET /live HTTP/1.1", &fields);
        for answer in [None, Some(response(403, &[("Content-Type", "application/json")])), Some(response(200, &[]))] {
            let found = classify(Some(&asked), answer.as_ref(), &Options::default());
            assert_eq!(found, (certain(false, &["websocket-upgrade"]), Side::OtherHttp));
        }
    }

    #[test]
    fn host_and_path_narrow_the_scope() {
        let exchange =
            (request("GET /api/users HTTP/1.1", &[("Host", "a.example")]), response(200, &[("Content-Type", "application/json")]));
        let side = |host: Option<&str>, path: Option<&str>| {
            let options = Options { ajax_host: host.map(Glob::new), ajax_path: path.map(Glob::new), ..Options::default() };
            classify(Some(&exchange.0), Some(&exchange.1), &options).1
        };
        assert_eq!(side(Some("*.example"), Some("/api/*")), Side::Ajax);
        assert_eq!(side(Some("b.example"), None), Side::OtherHttp);
        assert_eq!(side(None, Some("/other/*")), Side::OtherHttp);
        let events = response(200, &[("Content-Type", "text/event-stream")]);
        for ajax in [AjaxScope::Detected, AjaxScope::All] {
            let options = Options { ajax, ajax_path: Some(Glob::new("/other/*")), ..Options::default() };
            assert_eq!(classify(Some(&exchange.0), Some(&events), &options).1, Side::ServerSentEvents, "{ajax:?}");
        }
    }
}
