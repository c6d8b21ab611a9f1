//! Rows as a listing for people, one line each: aligned columns, cut to the width of the terminal.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::ndjson::as_text;
use super::text::{push_safe, safe_bytes, shorten};
use crate::anomaly::AnomalySet;
use crate::message::{ConnectionRow, Content, Cost, Direction, Envelope, EnvelopeId, Exchange, Message, Opcode, Row, Side, Upgrade};
use crate::stream::{Frame, Timestamp};

const CAPTION: &str =
    "Sizes in bytes, times in seconds since the first frame; - is not known. A connection's end shows what no message owns.";

/// Turns rows into lines for people.
#[derive(Clone, Debug)]
pub struct Listing {
    width: Option<usize>,
    color: bool,
    start: Option<Timestamp>,
    /// Client and server of connections that became WebSocket, whose messages name only the direction.
    peers: HashMap<u64, (SocketAddr, SocketAddr)>,
    line: String,
}

/// How much of the two addresses a line has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Addresses,
    Ports,
    Arrow,
}

impl Ends {
    fn of_width(width: Option<usize>) -> Self {
        match width {
            Some(..100) => Self::Arrow,
            Some(..140) => Self::Ports,
            _ => Self::Addresses,
        }
    }

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
        Self { width, color, start: None, peers: HashMap::new(), line: String::new() }
    }

    /// Sets the time of the capture's first frame, from which times are counted; without it, that of the first row.
    pub fn start(&mut self, first: Timestamp) {
        self.start.get_or_insert(first);
    }

    /// Appends what each column holds and its unit.
    pub fn append_header(&mut self, out: &mut Vec<u8>) {
        self.line.push_str(CAPTION);
        self.finish(Tone::Quiet, out);
        let ends = Ends::of_width(self.width);
        let ends_name = if ends == Ends::Arrow { "" } else { "from → to" };
        self.columns(["frame", "time", "conn"], ends_name, ["content", "encoded", "wire", "overhead"]);
        self.line.push_str("what");
        self.finish(Tone::Plain, out);
    }

    /// Appends one row.
    pub fn append(&mut self, row: &Row, out: &mut Vec<u8>) {
        self.start(row.last_frame().time);
        match row {
            Row::Exchange(exchange) => self.exchange(exchange, out),
            Row::Message(message) => self.message(message, out),
            Row::Connection(connection) => self.connection(connection, out),
        }
    }

    fn exchange(&mut self, exchange: &Exchange, out: &mut Vec<u8>) {
        if exchange.upgrade == Some(Upgrade::WebSocket) {
            self.peers.insert(exchange.connection, (exchange.client, exchange.server));
        }
        let costs: Vec<&Cost> =
            exchange.request.iter().map(|request| &request.cost).chain(exchange.response.iter().map(|response| &response.cost)).collect();
        let ends = self.ends(Some((exchange.client, exchange.server)), Direction::ClientToServer);
        self.row(frame_of(&costs), exchange.connection, &ends, &Sizes::of_costs(&costs));

        match &exchange.request {
            Some(request) => write!(self.line, "{} {}", safe_bytes(request.method()), safe_bytes(request.target())).expect(TAKES),
            None => self.line.push_str("(request not captured)"),
        }
        let mut odd = exchange.anomalies;
        exchange.request.iter().for_each(|request| odd.merge(request.content.anomalies));
        match &exchange.response {
            Some(response) => {
                write!(self.line, " {}", response.status).expect(TAKES);
                if let Some(kind) = response.head.field("content-type") {
                    write!(self.line, " {}", safe_bytes(subtype(kind))).expect(TAKES);
                }
                odd.merge(response.content.anomalies);
            }
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
        self.oddities(odd);
        let response = exchange.response.as_ref().map(|response| (&response.content, response.cost.content_bytes));
        let request = exchange.request.as_ref().map(|request| (&request.content, request.cost.content_bytes));
        for (arrow, part) in [("→ ", request), ("← ", response)] {
            if let Some((content, content_bytes)) = part {
                self.preview(arrow, content, content_bytes, false);
            }
        }
        self.finish(if odd.is_empty() { Tone::Plain } else { Tone::Odd }, out);
    }

    fn message(&mut self, message: &Message, out: &mut Vec<u8>) {
        let ends = self.ends(self.peers.get(&message.connection).copied(), message.direction);
        self.row(message.cost.provenance.last, message.connection, &ends, &Sizes::of_costs(&[&message.cost]));
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
        let mut odd = message.anomalies;
        odd.merge(message.content.anomalies);
        match &message.close {
            Some(close) => {
                close.code.iter().for_each(|code| write!(self.line, " {code}").expect(TAKES));
                self.oddities(odd);
                write!(self.line, "  {}", safe_bytes(close.reason.as_bytes())).expect(TAKES);
            }
            None => {
                self.oddities(odd);
                let is_binary = message.opcode == Opcode::Binary;
                self.preview("", &message.content, message.cost.content_bytes, is_binary);
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
        self.peers.remove(&row.connection);
        let ends = self.ends(Some((row.client, row.server)), Direction::ClientToServer);
        let unowned = row.buckets.total().to_string();
        self.row(
            row.last,
            row.connection,
            &ends,
            &Sizes { content: String::new(), encoded: String::new(), wire: unowned.clone(), overhead: unowned },
        );
        let protocols = if row.protocols.is_empty() { "nothing understood".into() } else { row.protocols.join(", ") };
        let seconds = row.last.time.seconds_since(row.first.time);
        write!(self.line, "end ({protocols}): {} bytes in {seconds:.3} s", row.wire_bytes).expect(TAKES);
        self.oddities(row.anomalies.iter().map(|&(kind, ..)| kind).collect());
        self.finish(Tone::Quiet, out);
    }

    fn row(&mut self, frame: Frame, connection: u64, ends: &str, sizes: &Sizes) {
        let number = if frame.number == 0 { "-".into() } else { format!("#{}", frame.number) };
        let since = match self.start {
            Some(start) if frame.number > 0 => format!("{:.6}", frame.time.seconds_since(start)),
            _ => "-".into(),
        };
        self.columns([&number, &since, &connection.to_string()], ends, [&sizes.content, &sizes.encoded, &sizes.wire, &sizes.overhead]);
    }

    /// All columns but the last, which takes the rest of the line.
    fn columns(&mut self, [frame, time, connection]: [&str; 3], ends: &str, [content, encoded, wire, overhead]: [&str; 4]) {
        let columns = Ends::of_width(self.width).columns();
        write!(self.line, "{frame:>7} {time:>11} {connection:>4} {ends:<columns$} {content:>8} {encoded:>8} {wire:>8} {overhead:>8}  ")
            .expect(TAKES);
    }

    fn ends(&self, peers: Option<(SocketAddr, SocketAddr)>, direction: Direction) -> String {
        let from_client = direction == Direction::ClientToServer;
        let ordered = peers.map(|(client, server)| if from_client { (client, server) } else { (server, client) });
        match (Ends::of_width(self.width), ordered) {
            (Ends::Addresses, Some((from, to))) => format!("{from} → {to}"),
            (Ends::Ports, Some((from, to))) => format!(":{} → :{}", from.port(), to.port()),
            (Ends::Addresses | Ends::Ports, None) => if from_client { "client → server" } else { "server → client" }.into(),
            (Ends::Arrow, _) => if from_client { "→" } else { "←" }.into(),
        }
    }

    fn oddities(&mut self, set: AnomalySet) {
        set.iter().for_each(|kind| write!(self.line, " !{}", kind.name()).expect(TAKES));
    }

    /// Text escaped; other octets in hexadecimal, as is what calls itself binary unless all of it can be read.
    fn preview(&mut self, label: &str, content: &Content, content_bytes: Option<u64>, is_binary: bool) {
        let Some(sample) = content.sample.as_deref().filter(|sample| !sample.is_empty()) else { return };
        self.line.push_str("  ");
        self.line.push_str(label);
        let is_legible = |text: &&str| !is_binary || !text.contains(char::is_control);
        match as_text(sample, content_bytes).filter(is_legible) {
            Some(text) => push_safe(&mut self.line, text.as_bytes()),
            None => sample.iter().for_each(|octet| write!(self.line, "{octet:02x} ").expect(TAKES)),
        }
        if content_bytes.is_some_and(|all| all > sample.len() as u64) {
            self.line.push('…');
        }
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

struct Sizes {
    content: String,
    encoded: String,
    wire: String,
    overhead: String,
}

impl Sizes {
    fn of_costs(costs: &[&Cost]) -> Self {
        let sum = |size: fn(&Cost) -> u64| costs.iter().map(|cost| size(cost)).sum::<u64>().to_string();
        let content = costs.iter().map(|cost| cost.content_bytes).sum::<Option<u64>>();
        Self {
            content: content.map_or("-".into(), |bytes| bytes.to_string()),
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
    use crate::message::{Ajax, Application, Bucket, Buckets, Close, Head, Request, Response, TcpFacts};
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
Sizes in bytes, times in seconds since the first frame; - is not known. A connection's end shows what no message owns.
  frame        time conn from → to                                  content  encoded     wire overhead  what
    #29    0.093000    3 192.168.1.102:56700 → 69.164.217.35:80         262      187      633      446  GET /ws\\u{1b}[2J 200 html, opens a WebSocket  ← Lorem\\nipsum…
    #30    1.500000    3 69.164.217.35:80 → 192.168.1.102:56700           -        3       59       56  binary, deflated, 2 fragments !lost_bytes  ff 00 10
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
Sizes in bytes, times in seconds since the first frame; - is not known. A conne…
  frame        time conn    content  encoded     wire overhead  what
    #29    0.093000    3 →      262      187      633      446  GET /ws\\u{1b}[2…
    #30    1.500000    3 ←        -        3       59       56  binary, deflate…
    #30    1.500000    4 ←        -        3       59       56  close 1000  bye…
    #31    2.000000    3 →                        214      214  end (http/1.1, …
";
        assert_eq!(listing(Some(80), false), expected);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let plain = listing(Some(120), true).replace("\x1b[2m", "").replace("\x1b[33m", "").replace("\x1b[0m", "");
        assert_eq!(plain, listing(Some(120), false));
    }
}
