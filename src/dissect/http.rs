//! An HTTP message (RFC 9110, 9112) at the frame that completed it, in the names of Wireshark's HTTP dissector.

use super::content::{self, Cut};
use super::field::{Field, bytes};
use super::headers::seconds;
use super::streams::Carried;
use super::websocket::{append_anomalies, append_carried};
use crate::message::{Direction, Head, HttpPart, Upgrade};
use crate::report::text::safe_bytes;

/// Header fields that Wireshark has names for: field name in lower case, Wireshark's name.
const NAMED: [(&str, &str); 31] = [
    ("accept", "http.accept"),
    ("accept-encoding", "http.accept_encoding"),
    ("accept-language", "http.accept_language"),
    ("authorization", "http.authorization"),
    ("cache-control", "http.cache_control"),
    ("connection", "http.connection"),
    ("content-encoding", "http.content_encoding"),
    ("content-length", "http.content_length_header"),
    ("content-type", "http.content_type"),
    ("cookie", "http.cookie"),
    ("date", "http.date"),
    ("host", "http.host"),
    ("last-modified", "http.last_modified"),
    ("location", "http.location"),
    ("proxy-authenticate", "http.proxy_authenticate"),
    ("proxy-authorization", "http.proxy_authorization"),
    ("proxy-connect-host", "http.proxy_connect_host"),
    ("proxy-connect-port", "http.proxy_connect_port"),
    ("referer", "http.referer"),
    ("sec-websocket-accept", "http.sec_websocket_accept"),
    ("sec-websocket-extensions", "http.sec_websocket_extensions"),
    ("sec-websocket-key", "http.sec_websocket_key"),
    ("sec-websocket-protocol", "http.sec_websocket_protocol"),
    ("sec-websocket-version", "http.sec_websocket_version"),
    ("server", "http.server"),
    ("set-cookie", "http.set_cookie"),
    ("transfer-encoding", "http.transfer_encoding"),
    ("upgrade", "http.upgrade"),
    ("user-agent", "http.user_agent"),
    ("www-authenticate", "http.www_authenticate"),
    ("x-forwarded-for", "http.x_forwarded_for"),
];

/// Appends the message and its content.
pub(super) fn append(part: &HttpPart, carried: &Carried, number: u64, fields: &mut Vec<Field>) {
    append_carried(carried, part.end - part.start, &part.cost.provenance, fields);
    let mut http = Field::group("http", "Hypertext Transfer Protocol");
    http.push(start_line(part));
    append_fields(part, &mut http);
    match part.direction {
        Direction::ClientToServer => append_request(part, number, &mut http),
        Direction::ServerToClient => append_response(part, number, &mut http),
    }
    append_cost(part, &mut http);
    append_content(part, &mut http);
    let shown = http_content(part);
    fields.push(http);
    fields.extend(shown);
}

/// An octet string as Wireshark prints it in lines of a header: with its line end spelled out.
fn with_line_end(octets: &[u8]) -> String {
    format!("{}\\r\\n", safe_bytes(octets))
}

fn start_line(part: &HttpPart) -> Field {
    let words = part.head.start_line();
    let line = with_line_end(&words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(&b' '));
    let [first, second, third] = words.map(|word| String::from_utf8_lossy(word).into_owned());
    let inside = match part.direction {
        Direction::ClientToServer => [
            field("http.request.method", &first, "Request Method"),
            field("http.request.uri", &second, "Request URI").with(uri_parts(&second)),
            field("http.request.version", &third, "Request Version"),
        ],
        Direction::ServerToClient => [
            field("http.response.version", &first, "Response Version"),
            field("http.response.code", &second, "Status Code").with(meaning(part.status)),
            field("http.response.phrase", &third, "Response Phrase"),
        ],
    };
    Field::group(line.clone(), line).with(inside)
}

/// Path, query and the parameters of that, where there is a query.
fn uri_parts(target: &str) -> Vec<Field> {
    let Some((path, query)) = target.split_once('?') else { return Vec::new() };
    let parameters = query.split('&').map(|parameter| field("http.request.uri.query.parameter", parameter, "Request URI Query Parameter"));
    vec![
        field("http.request.uri.path", path, "Request URI Path"),
        field("http.request.uri.query", query, "Request URI Query").with(parameters),
    ]
}

/// What the status code stands for (RFC 9110 §15 and the IANA registry), for those that are met.
fn meaning(status: u16) -> Option<Field> {
    let phrase = match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return None,
    };
    Some(Field::new("http.response.code.desc", phrase, format!("[Status Code Description: {phrase}]")))
}

fn field(name: &'static str, value: &str, label: &str) -> Field {
    Field::new(name, value, format!("{label}: {}", safe_bytes(value.as_bytes())))
}

fn append_fields(part: &HttpPart, http: &mut Field) {
    let line_name = match part.direction {
        Direction::ClientToServer => "http.request.line",
        Direction::ServerToClient => "http.response.line",
    };
    for ((name, value), sent) in part.head.fields().zip(part.head.field_lines()) {
        let line = with_line_end(sent);
        let known = NAMED.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        let text = String::from_utf8_lossy(value);
        let mut shown = match known {
            Some((_, known)) => Field::new(*known, &*text, line),
            None => Field::note(line),
        };
        if matches!(known, Some(("content-length", _))) && !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
            shown.push(Field::new("http.content_length", &*text, format!("[Content length: {text}]")));
        }
        if matches!(known, Some(("cookie", _))) {
            for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
                shown.push(field("http.cookie_pair", pair, "Cookie pair"));
            }
        }
        http.push(shown);
        http.push(Field::hidden(line_name, format!("{}\r\n", String::from_utf8_lossy(sent))));
    }
    if part.head.is_whole() {
        http.push(Field::new("\\r\\n", "", "\\r\\n"));
    }
}

fn append_request(part: &HttpPart, number: u64, http: &mut Field) {
    let host = part.head.field("host").map(String::from_utf8_lossy);
    let target = String::from_utf8_lossy(part.head.start_line()[1]).into_owned();
    if let Some(uri) = full_uri(host.as_deref(), &target) {
        http.push(Field::new("http.request.full_uri", &*uri, format!("[Full request URI: {}]", safe_bytes(uri.as_bytes()))));
    }
    http.push(Field::hidden("http.request", "1"));
    http.push(Field::new("http.request_number", number.to_string(), format!("[HTTP request {number}]")));
}

/// The target with the host that the request names, unless it has one itself.
fn full_uri(host: Option<&str>, target: &str) -> Option<String> {
    match (target.starts_with('/'), host) {
        (true, Some(host)) => Some(format!("http://{host}{target}")),
        (true, None) => None,
        (false, _) => Some(target.to_owned()),
    }
}

fn append_response(part: &HttpPart, number: u64, http: &mut Field) {
    http.push(Field::hidden("http.response", "1"));
    http.push(Field::new("http.response_number", number.to_string(), format!("[HTTP response {number}]")));
    let Some(request) = &part.request else {
        return http.push(Field::note("[Its request was not captured]"));
    };
    let time = seconds(i128::from(part.cost.provenance.last.time.0) - i128::from(request.last.time.0));
    http.push(Field::new("http.time", &*time, format!("[Time since request: {time} seconds]")));
    let frame = request.last.number;
    http.push(Field::new("http.request_in", frame.to_string(), format!("[Request in frame: {frame}]")));
    let host = request.host.as_deref().map(String::from_utf8_lossy);
    if let Some(uri) = full_uri(host.as_deref(), &String::from_utf8_lossy(&request.target)) {
        http.push(Field::new("http.response_for.uri", &*uri, format!("[Request URI: {}]", safe_bytes(uri.as_bytes()))));
    }
    match part.upgrade {
        Some(Upgrade::WebSocket) => http.push(Field::note("[What follows on this connection is WebSocket]")),
        Some(Upgrade::Tunnel) => http.push(Field::note("[What follows on this connection is a tunnel]")),
        Some(Upgrade::Other) => http.push(Field::note("[What follows on this connection is another protocol]")),
        None => {}
    }
    if let Some(refused) = part.upgrade_refused {
        let reason = refused.reason.name();
        http.push(Field::new("wiretare.upgrade_refused", reason, format!("[It opens no WebSocket: {reason}]")));
    }
}

fn append_cost(part: &HttpPart, http: &mut Field) {
    let cost = &part.cost;
    let label = format!(
        "[Cost of this message: {} bytes = header section and framing {} + content as sent {} + TCP {} + IP {} + link {}]",
        cost.wire_bytes(),
        cost.framing_bytes,
        cost.encoded_bytes,
        cost.provenance.bytes.tcp,
        cost.provenance.bytes.ip,
        cost.provenance.bytes.link
    );
    http.push(Field::note(label).with(content::cost_fields(cost)));
    let mut odd = part.content.anomalies;
    odd.merge(part.anomalies);
    append_anomalies(odd, &part.anomaly_details, http);
}

/// The content coding, and the content as scripts get it.
fn append_content(part: &HttpPart, http: &mut Field) {
    let (encoded, decoded) = (part.cost.encoded_bytes, part.cost.content_bytes);
    if encoded == 0 {
        return;
    }
    let codings: Vec<_> = part.head.values("content-encoding").map(safe_bytes).collect();
    if !codings.is_empty() {
        let decoded = decoded.map_or("unknown".into(), bytes);
        http.push(Field::note(format!("Content-encoded entity body ({}): {} -> {decoded}", codings.join(", "), bytes(encoded))));
    }
    if let Some(sample) = part.content.sample.as_deref().filter(|sample| !sample.is_empty()) {
        let label = format!("File Data: {}", decoded.map_or("unknown".into(), bytes));
        http.push(Field::new("http.file_data", content::for_scripts(sample), label));
    }
}

/// What the content is, line by line.
fn http_content(part: &HttpPart) -> Vec<Field> {
    if part.cost.encoded_bytes == 0 && part.cost.lost_bytes == 0 {
        return Vec::new();
    }
    let kind = part.head.field("content-type").map(media_type);
    match part.content.sample.as_deref() {
        None => vec![Field::note(content::unknown(&part.cost))],
        Some(sample) => content::shown(sample, Cut::of(sample, part.cost.content_bytes), kind.as_deref(), None),
    }
}

/// Of a Content-Type field: without parameters.
fn media_type(value: &[u8]) -> String {
    safe_bytes(value.split(|&octet| octet == b';').next().unwrap_or_default().trim_ascii())
}

/// What a list of frames says.
pub(super) fn line(part: &HttpPart) -> String {
    let words: Vec<_> = part.head.start_line().iter().filter(|word| !word.is_empty()).map(|word| safe_bytes(word)).collect();
    let mut line = words.join(" ");
    line.push(' ');
    let has_content = part.cost.encoded_bytes > 0;
    if let Some(kind) = part.head.field("content-type").map(media_type).filter(|_| has_content) {
        match is_json(&part.head) {
            true => line.push_str(&format!(", JavaScript Object Notation ({kind})")),
            false => line.push_str(&format!(" ({kind})")),
        }
    }
    line
}

/// The protocol that a list of frames names.
pub(super) fn protocol(part: &HttpPart) -> &'static str {
    if part.cost.encoded_bytes > 0 && is_json(&part.head) { "HTTP/JSON" } else { "HTTP" }
}

fn is_json(head: &Head) -> bool {
    head.field("content-type").map(media_type).is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind == "application/json" || kind.ends_with("+json")
    })
}

/// One line on a message that only the end of its connection completed.
pub(super) fn late(part: &HttpPart) -> String {
    let (first, last) = (part.cost.provenance.first.number, part.cost.provenance.last.number);
    format!("{} (frames {first} to {last}, {})", line(part).trim_end(), bytes(part.cost.wire_bytes()))
}
