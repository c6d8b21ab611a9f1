//! Rows as a listing for people, one line each: aligned columns, cut to the width of the terminal.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::text::{push_safe, safe_bytes, shorten, shorten_middle, width};
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

/// Columns that a target takes in any case, and before what became of the exchange is shown.
const LEAST_TARGET: [usize; 2] = [4, 16];

/// Columns below which a preview is not begun.
const LEAST_PREVIEW: usize = 4;

/// What stands for it then.
const NO_PREVIEW: &str = " …";

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
        let odd = exchange.oddities();
        self.row(frame_of(&costs), exchange.connection, &ends, &Sizes::of_costs(&costs), odd);

        let of_request =
            exchange.request.as_ref().and_then(|request| Preview::of_http("  request: ", &request.head, &request.content, &request.cost));
        let of_response = exchange
            .response
            .as_ref()
            .and_then(|response| Preview::of_http("  response: ", &response.head, &response.content, &response.cost));
        let (status, became) = (status_of(exchange), became(exchange));
        let has_preview = of_request.is_some() || of_response.is_some();
        match &exchange.request {
            Some(request) => {
                write!(self.line, "{} ", safe_bytes(request.method())).expect(TAKES);
                let behind = width(&became) + if has_preview { width(NO_PREVIEW) } else { 0 };
                self.target(&safe_bytes(request.target()), width(&status), behind);
            }
            None => self.line.push_str("(request not captured)"),
        }
        self.line.push_str(&status);
        self.line.push_str(&became);
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

    /// Appends a target, its middle left out where status and content type behind it would have no room, or, of one that is long
    /// even then, what follows these.
    fn target(&mut self, target: &str, status: usize, behind: usize) {
        let Some(all) = self.width else { return self.line.push_str(target) };
        let room = all.saturating_sub(width(&self.line) + status);
        // An ellipsis stands for what has none.
        let least = room.saturating_sub(behind.min(1)).clamp(LEAST_TARGET[0], LEAST_TARGET[1]);
        self.line.push_str(&shorten_middle(target, room.saturating_sub(behind).max(least)));
    }

    fn message(&mut self, message: &Message, out: &mut Vec<u8>) {
        let ends = self.ends(self.peers.get(&message.connection).copied(), message.direction);
        let odd = message.oddities();
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
                write!(self.line, "  {}", safe_bytes(close.reason.as_deref().unwrap_or_default().as_bytes())).expect(TAKES);
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
            AnomalySet::EMPTY,
        );
        // Before what was odd, which a narrow line may not show to its end.
        self.line.push_str("end ");
        self.oddities(odd);
        let protocols = if row.protocols.is_empty() { "nothing understood".into() } else { row.protocols.join(", ") };
        let seconds = row.last.time.seconds_since(row.first.time);
        write!(self.line, "({protocols}): {} bytes in {seconds:.3} s", thousands(row.wire_bytes)).expect(TAKES);
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
        self.line.push_str(if odd.is_empty() { "  " } else { " " });
        self.oddities(odd);
    }

    /// What was odd, and a space behind it.
    fn oddities(&mut self, odd: AnomalySet) {
        for (at, kind) in odd.iter().enumerate() {
            self.line.push_str(if at > 0 { "," } else { "!" });
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
            self.line.push_str(NO_PREVIEW);
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

/// Status and content type, or that there are none.
fn status_of(exchange: &Exchange) -> String {
    match &exchange.response {
        Some(response) => match response.head.field("content-type") {
            Some(kind) => format!(" {} {}", response.status, safe_bytes(subtype(kind))),
            None => format!(" {}", response.status),
        },
        // The reason says whether there was one.
        None if exchange.upgrade_refused.is_some() => String::new(),
        None => " (no response captured)".into(),
    }
}

/// What came of an exchange, or whose it is.
fn became(exchange: &Exchange) -> String {
    match (exchange.upgrade, exchange.side) {
        (Some(Upgrade::WebSocket), _) => ", opens a WebSocket".into(),
        (Some(Upgrade::Tunnel), _) => ", opens a tunnel".into(),
        (Some(Upgrade::Other), _) => ", changes protocol".into(),
        (None, side) => match (exchange.upgrade_refused, side) {
            (Some(refused), _) => format!(", opens no WebSocket: {}", refused.reason.name()),
            (None, Side::Ajax) => ", ajax".into(),
            (None, Side::ServerSentEvents) => ", server-sent events".into(),
            (None, Side::WebSocket | Side::OtherHttp) => String::new(),
        },
    }
}

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
mod tests;
