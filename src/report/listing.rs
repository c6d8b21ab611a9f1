//! Rows as a listing for people, one line each: aligned columns, cut to the width of the terminal.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::text::{push_safe, safe_bytes, shorten, width};
use crate::anomaly::AnomalySet;
use crate::message::{ConnectionRow, Content, Cost, Direction, Envelope, EnvelopeId, Exchange, Head, Message, Opcode, Row, Side, Upgrade};
use crate::options::thousands;
use crate::stream::{Frame, Timestamp};

const CAPTION: [&str; 2] = [
    "Sizes in bytes, times in seconds since the first frame; - is not known.",
    "! begins what was odd; a connection's end shows what no message owns.",
];

/// Columns below which a request and a response are not both shown: each with its label and a dozen characters.
const LEAST_FOR_BOTH: usize = 48;

/// Columns below which a preview is not begun.
const LEAST_PREVIEW: usize = 4;

/// Turns rows into lines for people.
#[derive(Clone, Debug)]
pub struct Listing {
    width: Option<usize>,
    columns: Columns,
    color: bool,
    start: Option<Timestamp>,
    /// Client and server of connections that became WebSocket, whose messages name only the direction.
    peers: HashMap<u64, (SocketAddr, SocketAddr)>,
    line: String,
}

/// What a line has room for: a third of it and more is for what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    ends: Ends,
    /// Digits of seconds behind the point.
    decimals: usize,
    encoded: bool,
    overhead: bool,
}

impl Columns {
    fn of_width(width: Option<usize>) -> Self {
        match width {
            Some(..100) => Self { ends: Ends::Arrow, decimals: 3, encoded: false, overhead: false },
            Some(..120) => Self { ends: Ends::Arrow, decimals: 6, encoded: false, overhead: true },
            Some(..140) => Self { ends: Ends::Arrow, decimals: 6, encoded: true, overhead: true },
            Some(..180) => Self { ends: Ends::Ports, decimals: 6, encoded: true, overhead: true },
            _ => Self { ends: Ends::Addresses, decimals: 6, encoded: true, overhead: true },
        }
    }
}

/// How much of the two addresses a line has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Addresses,
    Ports,
    Arrow,
}

impl Ends {
    fn columns(self) -> usize {
        match self {
            // 192.168.100.100:56700 → 93.184.215.14:443
            Self::Addresses => 41,
            Self::Ports => 15,
            Self::Arrow => 1,
        }
    }
}

/// Which lines stand back, and which want to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Quiet,
    Odd,
}

impl Listing {
    /// Lines of at most `width` terminal columns, or of any length.
    pub fn new(width: Option<usize>, color: bool) -> Self {
        Self { width, columns: Columns::of_width(width), color, start: None, peers: HashMap::new(), line: String::new() }
    }

    /// Sets the time of the capture's first frame, from which times are counted; without it, that of the first row.
    pub fn start(&mut self, first: Timestamp) {
        self.start.get_or_insert(first);
    }

    /// Appends what each column holds and its unit.
    pub fn append_header(&mut self, out: &mut Vec<u8>) {
        for sentence in CAPTION {
            self.line.push_str(sentence);
            self.finish(Tone::Quiet, out);
        }
        let ends_name = if self.columns.ends == Ends::Arrow { "" } else { "from → to" };
        let sizes = Sizes { content: "content".into(), encoded: "encoded".into(), wire: "wire".into(), overhead: "overhead".into() };
        self.columns(["frame", "time", "conn"], ends_name, &sizes);
        self.line.push_str("  what");
        self.finish(Tone::Plain, out);
    }

    /// Appends one row.
    pub fn append(&mut self, row: &Row, out: &mut Vec<u8>) {
        self.start(row.last_frame().time);
        self.learn(row);
        match row {
            Row::Exchange(exchange) => self.exchange(exchange, out),
            Row::Message(message) => self.message(message, out),
            Row::Connection(connection) => self.connection(connection, out),
        }
    }

    /// Learns who talks on a connection, which messages do not say: of rows that are not shown, too.
    pub fn learn(&mut self, row: &Row) {
        match row {
            Row::Exchange(exchange) if exchange.upgrade == Some(Upgrade::WebSocket) => {
                self.peers.insert(exchange.connection, (exchange.client, exchange.server));
            }
            Row::Connection(connection) => drop(self.peers.remove(&connection.connection)),
            Row::Exchange(_) | Row::Message(_) => {}
        }
    }

    fn exchange(&mut self, exchange: &Exchange, out: &mut Vec<u8>) {
        let costs: Vec<&Cost> =
            exchange.request.iter().map(|request| &request.cost).chain(exchange.response.iter().map(|response| &response.cost)).collect();
        let ends = self.ends(Some((exchange.client, exchange.server)), Direction::ClientToServer);
        let mut odd = exchange.anomalies;
        exchange.request.iter().for_each(|request| odd.merge(request.content.anomalies));
        exchange.response.iter().for_each(|response| odd.merge(response.content.anomalies));
        self.row(frame_of(&costs), exchange.connection, &ends, &Sizes::of_costs(&costs), odd);

        match &exchange.request {
            Some(request) => write!(self.line, "{} {}", safe_bytes(request.method()), safe_bytes(request.target())).expect(TAKES),
            None => self.line.push_str("(request not captured)"),
        }
        match &exchange.response {
            Some(response) => {
                write!(self.line, " {}", response.status).expect(TAKES);
                if let Some(kind) = response.head.field("content-type") {
                    write!(self.line, " {}", safe_bytes(subtype(kind))).expect(TAKES);
                }
            }
            // The reason says whether there was one.
            None if exchange.upgrade_refused.is_some() => {}
            None => self.line.push_str(" (no response captured)"),
        }
        self.line.push_str(match (exchange.upgrade, exchange.side) {
            (Some(Upgrade::WebSocket), _) => ", opens a WebSocket",
            (Some(Upgrade::Tunnel), _) => ", opens a tunnel",
            (Some(Upgrade::Other), _) => ", changes protocol",
            (None, _) if exchange.upgrade_refused.is_some() => ", opens no WebSocket",
            (None, Side::Ajax) => ", ajax",
            (None, Side::ServerSentEvents) => ", server-sent events",
            (None, Side::WebSocket | Side::OtherHttp) => "",
        });
        if let Some(refused) = exchange.upgrade_refused {
            write!(self.line, ": {}", refused.reason.name()).expect(TAKES);
        }
        let of_request =
            exchange.request.as_ref().and_then(|request| Preview::of_http("  request: ", &request.head, &request.content, &request.cost));
        let of_response = exchange
            .response
            .as_ref()
            .and_then(|response| Preview::of_http("  response: ", &response.head, &response.content, &response.cost));
        let is_narrow = self.width.is_some_and(|all| all.saturating_sub(width(&self.line)) < LEAST_FOR_BOTH);
        match (of_request.filter(|_| !is_narrow || of_response.is_none()), of_response) {
            // Half of the room each; what the request leaves is the response's.
            (Some(request), Some(response)) => {
                self.preview(&request, 2);
                self.preview(&response, 1);
            }
            (request, response) => request.or(response).iter().for_each(|only| self.preview(only, 1)),
        }
        self.finish(if odd.is_empty() { Tone::Plain } else { Tone::Odd }, out);
    }

    fn message(&mut self, message: &Message, out: &mut Vec<u8>) {
        let ends = self.ends(self.peers.get(&message.connection).copied(), message.direction);
        let mut odd = message.anomalies;
        odd.merge(message.content.anomalies);
        self.row(message.cost.provenance.last, message.connection, &ends, &Sizes::of_costs(&[&message.cost]), odd);
        self.line.push_str(message.opcode.name());
        if message.compressed {
            self.line.push_str(", deflated");
        }
        if message.fragments > 1 {
            write!(self.line, ", {} fragments", message.fragments).expect(TAKES);
        }
        self.envelope(message.content.envelope.as_deref());
        if let Some(answered) = message.answered {
            write!(self.line, ", after {:.6} s", answered.nanoseconds() as f64 / 1e9).expect(TAKES);
        }
        match &message.close {
            Some(close) => {
                close.code.iter().for_each(|code| write!(self.line, " {code}").expect(TAKES));
                write!(self.line, "  {}", safe_bytes(close.reason.as_bytes())).expect(TAKES);
            }
            None => {
                let is_hex = matches!(message.opcode, Opcode::Binary | Opcode::Reserved(_));
                Preview::of("  ", &message.content, &message.cost, is_hex).iter().for_each(|preview| self.preview(preview, 1));
            }
        }
        let tone = match message.opcode {
            _ if !odd.is_empty() => Tone::Odd,
            Opcode::Close | Opcode::Ping | Opcode::Pong => Tone::Quiet,
            Opcode::Continuation | Opcode::Text | Opcode::Binary | Opcode::Reserved(_) => Tone::Plain,
        };
        self.finish(tone, out);
    }

    fn envelope(&mut self, envelope: Option<&Envelope>) {
        let Some(envelope) = envelope else { return };
        write!(self.line, ", {} {}", envelope.protocol.name(), envelope.kind).expect(TAKES);
        for text in [&envelope.namespace, &envelope.name].into_iter().flatten() {
            write!(self.line, " {}", safe_bytes(text.as_bytes())).expect(TAKES);
        }
        match &envelope.id {
            None => {}
            Some(EnvelopeId::Number(id)) => write!(self.line, " #{id}").expect(TAKES),
            Some(EnvelopeId::Text(id)) => write!(self.line, " #{}", safe_bytes(id.as_bytes())).expect(TAKES),
        }
        if envelope.count > 1 {
            write!(self.line, " and {} more", envelope.count - 1).expect(TAKES);
        }
    }

    fn connection(&mut self, row: &ConnectionRow, out: &mut Vec<u8>) {
        let ends = self.ends(Some((row.client, row.server)), Direction::ClientToServer);
        let unowned = thousands(row.buckets.total());
        let odd: AnomalySet = row.anomalies.iter().map(|&(kind, ..)| kind).collect();
        self.row(
            row.last,
            row.connection,
            &ends,
            &Sizes { content: String::new(), encoded: String::new(), wire: unowned.clone(), overhead: unowned },
            odd,
        );
        let protocols = if row.protocols.is_empty() { "nothing understood".into() } else { row.protocols.join(", ") };
        let seconds = row.last.time.seconds_since(row.first.time);
        write!(self.line, "end ({protocols}): {} bytes in {seconds:.3} s", thousands(row.wire_bytes)).expect(TAKES);
        self.finish(Tone::Quiet, out);
    }

    /// All columns but the last, and what of it is ours. Nothing of the network stands before or in the column of the `!`, so
    /// that nothing of the network looks like one.
    fn row(&mut self, frame: Frame, connection: u64, ends: &str, sizes: &Sizes, odd: AnomalySet) {
        let number = if frame.number == 0 { "-".into() } else { format!("#{}", frame.number) };
        let since = match self.start {
            Some(start) if frame.number > 0 => format!("{:.*}", self.columns.decimals, frame.time.seconds_since(start)),
            _ => "-".into(),
        };
        self.columns([&number, &since, &connection.to_string()], ends, sizes);
        self.line.push_str(if odd.is_empty() { "  " } else { " !" });
        for (at, kind) in odd.iter().enumerate() {
            self.line.push_str(if at > 0 { "," } else { "" });
            self.line.push_str(kind.name());
        }
        self.line.push_str(if odd.is_empty() { "" } else { " " });
    }

    /// All columns but the last, which takes the rest of the line.
    fn columns(&mut self, [frame, time, connection]: [&str; 3], ends: &str, sizes: &Sizes) {
        let Columns { ends: kind, decimals, encoded, overhead } = self.columns;
        write!(
            self.line,
            "{frame:>7} {time:>time_width$} {connection:>4} {ends:<ends_width$}",
            time_width = decimals + 5,
            ends_width = kind.columns()
        )
        .expect(TAKES);
        for (size, is_shown) in [(&sizes.content, true), (&sizes.encoded, encoded), (&sizes.wire, true), (&sizes.overhead, overhead)] {
            if is_shown {
                write!(self.line, " {size:>8}").expect(TAKES);
            }
        }
    }

    fn ends(&self, peers: Option<(SocketAddr, SocketAddr)>, direction: Direction) -> String {
        let from_client = direction == Direction::ClientToServer;
        let ordered = peers.map(|(client, server)| if from_client { (client, server) } else { (server, client) });
        match (self.columns.ends, ordered) {
            (Ends::Addresses, Some((from, to))) => format!("{from} → {to}"),
            (Ends::Ports, Some((from, to))) => format!(":{} → :{}", from.port(), to.port()),
            (Ends::Addresses | Ends::Ports, None) => if from_client { "client → server" } else { "server → client" }.into(),
            (Ends::Arrow, _) => if from_client { "→" } else { "←" }.into(),
        }
    }

    /// Appends a preview that takes at most one of so many parts of the line that is left.
    fn preview(&mut self, preview: &Preview<'_>, parts: usize) {
        let left = self.width.map(|all| all.saturating_sub(width(&self.line)));
        let room = left.map(|left| left.saturating_sub(preview.label.len()) / parts);
        // A label with nothing behind it says nothing.
        if room.is_some_and(|room| room < LEAST_PREVIEW) {
            self.line.push_str(" …");
            return;
        }
        self.line.push_str(preview.label);
        preview.append(&mut self.line, room);
    }

    fn finish(&mut self, tone: Tone, out: &mut Vec<u8>) {
        let line = self.line.trim_end();
        let line = self.width.map_or_else(|| line.to_owned(), |width| shorten(line, width));
        let style = match tone {
            Tone::Quiet if self.color => "\x1b[2m",
            Tone::Odd if self.color => "\x1b[33m",
            Tone::Plain | Tone::Quiet | Tone::Odd => "",
        };
        out.extend_from_slice(style.as_bytes());
        out.extend_from_slice(line.as_bytes());
        if !style.is_empty() {
            out.extend_from_slice(b"\x1b[0m");
        }
        out.push(b'\n');
        self.line.clear();
    }
}

/// Why writing to the line cannot fail.
const TAKES: &str = "a String takes every write";

/// The beginning of a content.
struct Preview<'a> {
    label: &'static str,
    sample: &'a [u8],
    /// Whether there is more than the sample.
    is_cut: bool,
    /// Hexadecimal, or escaped text: by what the content is said to be, never by what it looks like.
    is_hex: bool,
}

impl<'a> Preview<'a> {
    fn of(label: &'static str, content: &'a Content, cost: &Cost, is_hex: bool) -> Option<Self> {
        let sample = content.sample.as_deref().filter(|sample| !sample.is_empty())?;
        let is_cut = cost.content_bytes.is_some_and(|all| all > sample.len() as u64);
        Some(Self { label, sample, is_cut, is_hex })
    }

    fn of_http(label: &'static str, head: &Head, content: &'a Content, cost: &Cost) -> Option<Self> {
        Self::of(label, content, cost, head.field("content-type").is_some_and(|kind| !is_text(kind)))
    }

    /// Appends it, in at most `room` columns, with an ellipsis where it is not whole.
    fn append(&self, line: &mut String, room: Option<usize>) {
        // No more is looked at than can fit: no character has more than 4 octets.
        let most = room.map_or(usize::MAX, |room| room.saturating_mul(4));
        let sample = &self.sample[..self.sample.len().min(most)];
        let is_cut = self.is_cut || sample.len() < self.sample.len();
        if self.is_hex {
            return push_hex(line, sample, is_cut, room);
        }
        let mut text = String::new();
        push_safe(&mut text, if is_cut { whole_characters(sample) } else { sample });
        if is_cut {
            text.push('…');
        }
        line.push_str(&room.map_or_else(|| text.clone(), |room| shorten(&text, room)));
    }
}

/// Appends octets in hexadecimal, as many as fit.
fn push_hex(line: &mut String, octets: &[u8], is_cut: bool, room: Option<usize>) {
    // Two columns each and a space between; the ellipsis takes one, behind a space.
    let whole = (octets.len() * 3).saturating_sub(1);
    let fitting = match room {
        Some(room) if is_cut || whole > room => room.saturating_sub(1) / 3,
        _ => octets.len(),
    };
    for octet in octets.iter().take(fitting) {
        write!(line, "{octet:02x} ").expect(TAKES);
    }
    if is_cut || fitting < octets.len() {
        line.push('…');
    }
}

/// A sample without the beginning of a character at its end.
fn whole_characters(sample: &[u8]) -> &[u8] {
    let begun = sample.iter().rev().take(3).position(|octet| *octet >= 0xc0).map_or(0, |back| back + 1);
    let (whole, end) = sample.split_at(sample.len() - begun);
    match str::from_utf8(end) {
        Err(error) if error.error_len().is_none() => whole,
        _ => sample,
    }
}

/// Whether a media type is one of text.
fn is_text(media_type: &[u8]) -> bool {
    let essence = media_type.split(|&b| b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let subtype = subtype(&essence);
    let suffix = subtype.rsplit(|&b| b == b'+').next().unwrap_or_default();
    essence.starts_with(b"text/")
        || essence.starts_with(b"multipart/")
        || matches!(suffix, b"json" | b"xml" | b"yaml" | b"json-seq")
        || matches!(
            subtype,
            b"javascript"
                | b"ecmascript"
                | b"x-javascript"
                | b"x-www-form-urlencoded"
                | b"graphql"
                | b"x-ndjson"
                | b"ndjson"
                | b"sdp"
                | b"sql"
        )
}

struct Sizes {
    content: String,
    encoded: String,
    wire: String,
    overhead: String,
}

impl Sizes {
    fn of_costs(costs: &[&Cost]) -> Self {
        let sum = |size: fn(&Cost) -> u64| thousands(costs.iter().map(|cost| size(cost)).sum());
        let content = costs.iter().map(|cost| cost.content_bytes).sum::<Option<u64>>();
        Self {
            content: content.map_or("-".into(), thousands),
            encoded: sum(|cost| cost.encoded_bytes),
            wire: sum(Cost::wire_bytes),
            overhead: sum(Cost::overhead_bytes),
        }
    }
}

fn frame_of(costs: &[&Cost]) -> Frame {
    costs.iter().map(|cost| cost.provenance.last).max().unwrap_or_default()
}

/// `json` of `application/json; charset=utf-8`.
fn subtype(media_type: &[u8]) -> &[u8] {
    let essence = media_type.split(|&b| b == b';').next().unwrap_or_default();
    essence.rsplit(|&b| b == b'/').next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Ajax, Application, Bucket, Buckets, Close, Request, Response, TcpFacts};
    use crate::stream::{LayerBytes, Provenance};
    use unicode_width::UnicodeWidthStr;

    fn frame(number: u64, ms: i64) -> Frame {
        Frame { number, time: Timestamp(ms * 1_000_000) }
    }

    fn cost(content_bytes: Option<u64>, encoded_bytes: u64, framing_bytes: u64, at: Frame) -> Cost {
        let bytes = LayerBytes { link: 14, ip: 20, tcp: 20, tls: 0, payload: encoded_bytes + framing_bytes };
        Cost { content_bytes, encoded_bytes, framing_bytes, lost_bytes: 0, provenance: Provenance::of_frame(at, bytes) }
    }

    fn sample(octets: &[u8]) -> Content {
        Content { sample: Some(octets.into()), ..Content::default() }
    }

    fn rows() -> [Row; 4] {
        let (client, server) = ("192.168.1.102:56700".parse().expect("an address"), "69.164.217.35:80".parse().expect("an address"));
        let raw = b"GET /ws\x1b[2J HTTP/1.1";
        let head = Head::new(raw, [&raw[0..3], &raw[4..11], &raw[12..]], std::iter::empty());
        let request = Request { cost: cost(Some(0), 0, 150, frame(25, 0)), head, content: Content::default() };
        let raw = b"text/html; charset=utf-8 Content-Type";
        let head = Head::new(raw, [&[]; 3], std::iter::once((&raw[25..], &raw[..24])));
        let response =
            Response { cost: cost(Some(262), 187, 188, frame(29, 93)), head, content: sample("Lorem\nipsum".as_bytes()), status: 200 };
        let exchange = Exchange {
            connection: 3,
            number: 1,
            client,
            server,
            request: Some(request),
            response: Some(response),
            informational: Vec::new(),
            upgrade: Some(Upgrade::WebSocket),
            time_to_first_byte_s: None,
            time_to_last_byte_s: None,
            ajax: Ajax::default(),
            side: Side::WebSocket,
            polling: None,
            upgrade_refused: None,
            places: [None; 2],
            anomalies: AnomalySet::EMPTY,
            anomaly_details: Default::default(),
        };
        let message = Message {
            connection: 3,
            number: 1,
            direction: Direction::ServerToClient,
            opcode: Opcode::Binary,
            cost: cost(None, 3, 2, frame(30, 1_500)),
            fragments: 2,
            compressed: true,
            masked: false,
            close: None,
            content: sample(b"\xff\x00\x10"),
            answered: None,
            anomalies: AnomalySet::from_iter([crate::AnomalyKind::LostBytes]),
            anomaly_details: Default::default(),
        };
        let close = Message {
            connection: 4,
            opcode: Opcode::Close,
            close: Some(Box::new(Close { code: Some(1000), reason: "bye\u{202e}".into() })),
            content: Content::default(),
            anomalies: AnomalySet::EMPTY,
            compressed: false,
            fragments: 1,
            ..message.clone()
        };
        let mut buckets = Buckets::default();
        buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 214);
        let connection = ConnectionRow {
            connection: 3,
            client,
            server,
            first: frame(20, 0),
            last: frame(31, 2_000),
            syn_captured: true,
            protocols: vec!["http/1.1", "websocket"],
            wire_bytes: 906,
            side_wire_bytes: [0; 4],
            exchanges: 0,
            time_to_first_request_s: None,
            buckets,
            websocket: None,
            tcp: TcpFacts::default(),
            anomalies: Vec::new(),
            anomaly_details: Default::default(),
        };
        [Row::Exchange(Box::new(exchange)), Row::Message(message), Row::Message(close), Row::Connection(Box::new(connection))]
    }

    fn listing(width: Option<usize>, color: bool) -> String {
        let (mut listing, mut out) = (Listing::new(width, color), Vec::new());
        listing.start(Timestamp(0));
        listing.append_header(&mut out);
        rows().iter().for_each(|row| listing.append(row, &mut out));
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn rows_without_a_width_are_whole() {
        let expected = "\
Sizes in bytes, times in seconds since the first frame; - is not known.
! begins what was odd; a connection's end shows what no message owns.
  frame        time conn from → to                                  content  encoded     wire overhead  what
    #29    0.093000    3 192.168.1.102:56700 → 69.164.217.35:80         262      187      633      446  GET /ws\\u{1b}[2J 200 html, opens a WebSocket  response: Lorem\\nipsum…
    #30    1.500000    3 69.164.217.35:80 → 192.168.1.102:56700           -        3       59       56 !lost_bytes binary, deflated, 2 fragments  ff 00 10
    #30    1.500000    4 server → client                                  -        3       59       56  close 1000  bye\\u{202e}
    #31    2.000000    3 192.168.1.102:56700 → 69.164.217.35:80                           214      214  end (http/1.1, websocket): 906 bytes in 2.000 s
";
        assert_eq!(listing(None, false), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [0, 1, 20, 79, 80, 100, 120, 139, 140, 200] {
            assert!(listing(Some(width), false).lines().all(|line| line.width() <= width), "{width}");
        }
    }

    #[test]
    fn narrow_terminals_show_the_direction_alone() {
        let expected = "\
Sizes in bytes, times in seconds since the first frame; - is not known.
! begins what was odd; a connection's end shows what no message owns.
  frame     time conn    content     wire  what
    #29    0.093    3 →      262      633  GET /ws\\u{1b}[2J 200 html, opens a W…
    #30    1.500    3 ←        -       59 !lost_bytes binary, deflated, 2 fragm…
    #30    1.500    4 ←        -       59  close 1000  bye\\u{202e}
    #31    2.000    3 →               214  end (http/1.1, websocket): 906 bytes…
";
        assert_eq!(listing(Some(80), false), expected);
    }

    /// A text message that says something, in a line of so many columns, from the third line on.
    fn said(opcode: Opcode, octets: &[u8], content_bytes: u64, width: Option<usize>) -> String {
        let Row::Message(message) = rows()[1].clone() else { panic!("the second row is a message") };
        let message = Message {
            opcode,
            cost: cost(Some(content_bytes), octets.len() as u64, 2, frame(30, 1_500)),
            content: sample(octets),
            compressed: false,
            fragments: 1,
            anomalies: AnomalySet::EMPTY,
            ..message
        };
        let (mut listing, mut out) = (Listing::new(width, false), Vec::new());
        listing.start(Timestamp(0));
        listing.append(&Row::Message(message), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn nothing_of_the_network_reaches_the_terminal_as_it_is() {
        let hostile = "a\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\u{85}\r\n\u{2028}\u{7f}\u{e0041}\u{feff}".as_bytes();
        for opcode in [Opcode::Text, Opcode::Ping, Opcode::Continuation, Opcode::Binary] {
            for width in [None, Some(60), Some(80), Some(120), Some(200)] {
                let line = said(opcode, hostile, hostile.len() as u64, width);
                let line = line.strip_suffix('\n').expect("a line");
                assert!(!line.contains(|c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || c > '\u{e000}'), "{line:?}");
            }
        }
    }

    #[test]
    fn preview_is_text_or_hexadecimal_by_what_it_is_said_to_be() {
        let ends = |opcode, octets: &[u8], end: &str| {
            let line = said(opcode, octets, octets.len() as u64, None);
            assert!(line.trim_end().ends_with(end), "{line}");
        };
        ends(Opcode::Binary, b"hello", "binary  68 65 6c 6c 6f");
        ends(Opcode::Binary, b"\x00\xff", "binary  00 ff");
        ends(Opcode::Text, b"hello \xff", "text  hello \\xff");
        ends(Opcode::Ping, b"\x00\x01", "ping  \\u{0}\\u{1}");
        ends(Opcode::Reserved(3), b"hi", "reserved-0x3  68 69");
        let kinds = [
            "text/html; charset=utf-8",
            "application/json",
            "application/problem+json",
            "image/svg+xml",
            "Application/X-WWW-Form-Urlencoded",
        ];
        assert!(kinds.iter().all(|kind| is_text(kind.as_bytes())));
        assert!(!["image/png", "application/octet-stream", "application/wasm", ""].iter().any(|kind| is_text(kind.as_bytes())));
    }

    #[test]
    fn preview_ends_between_characters_escapes_and_octets() {
        // 80 columns leave 80 - 40 - 8 = 32 behind `  text  `, 30 behind `  binary  `.
        let row = |line: String| line.trim_end().split("  ").last().expect("a preview").to_owned();
        assert_eq!(row(said(Opcode::Binary, &[0xab; 20], 20, Some(80))), "ab ab ab ab ab ab ab ab ab …");
        assert_eq!(row(said(Opcode::Binary, &[0xab; 10], 10, Some(80))), "ab ab ab ab ab ab ab ab ab ab");
        assert_eq!(row(said(Opcode::Text, "漢".repeat(20).as_bytes(), 60, Some(80))), format!("{}…", "漢".repeat(15)));
        assert_eq!(row(said(Opcode::Text, &[7; 20], 20, Some(80))), format!("{}…", "\\u{7}".repeat(6)));
        // The sample ends within a character, since the content goes on.
        assert_eq!(row(said(Opcode::Text, &"aé".as_bytes()[..2], 3, None)), "a…");
        assert_eq!(row(said(Opcode::Text, b"a\xc3", 2, None)), "a\\xc3");
    }

    #[test]
    fn exclamation_mark_of_anomalies_has_a_column_of_its_own() {
        let lines = listing(None, false);
        let lines: Vec<_> = lines.lines().skip(3).collect();
        let column = lines[1].find(" !lost_bytes").expect("an anomaly") + 1;
        // What a network says in the same words stands further right, behind what is ours.
        let spoof = said(Opcode::Text, b" !lost_bytes", 12, None);
        assert!(spoof.contains("text   !lost_bytes") && !spoof[..spoof.find("text").expect("ours")].contains('!'), "{spoof}");
        let at = |line: &str| line.chars().nth(lines[1][..column].chars().count());
        assert_eq!(lines.iter().map(|line| at(line)).collect::<Vec<_>>(), [Some(' '), Some('!'), Some(' '), Some(' ')]);
    }

    #[test]
    fn request_leaves_half_of_the_line_to_the_response() {
        let Row::Exchange(mut exchange) = rows()[0].clone() else { panic!("the first row is an exchange") };
        let request = exchange.request.as_mut().expect("captured");
        (request.content, request.cost.content_bytes) = (sample(&[b'q'; 300]), Some(300));
        let response = exchange.response.as_mut().expect("captured");
        (response.content, response.cost.content_bytes) = (sample(&[b'r'; 300]), Some(300));
        exchange.upgrade = None;
        let line = |width: usize| {
            let (mut listing, mut out) = (Listing::new(Some(width), false), Vec::new());
            listing.append(&Row::Exchange(exchange.clone()), &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        for width in [160, 200, 250] {
            let line = line(width);
            let (asked, answered) = line.trim_end().split_once("…  response: ").expect("both");
            let asked = asked.split_once("  request: ").expect("both").1;
            // The labels take 11 and 12.
            assert!(asked.len().abs_diff(answered.chars().count()) <= 12 && answered.ends_with("r…"), "{line}");
        }
        assert!(line(80).ends_with("200 html …\n"), "{}", line(80));
        // Where there is no room for both, the request has its method and target already.
        for width in [100, 120, 140] {
            assert!(line(width).contains("  response: r") && !line(width).contains("request"), "{}", line(width));
        }
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let plain = listing(Some(120), true).replace("\x1b[2m", "").replace("\x1b[33m", "").replace("\x1b[0m", "");
        assert_eq!(plain, listing(Some(120), false));
    }
}
