//! What was said on a connection, message by message: as text, as a hex dump, or nothing but the content itself.

use std::fmt::Write as _;

use super::text::{push_safe, safe_bytes};
use crate::analysis::plural;
use crate::message::{Direction, HttpPart, Message, Opcode};
use crate::stream::{Frame, Timestamp};

const TAKES: &str = "a String takes every write";

/// Octets in a line of a hex dump.
const ROW: usize = 16;

/// How messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For people: text as text, safe to show, anything else as a hex dump.
    Text,
    /// For people: a hex dump.
    Hex,
    /// For programs: content and nothing else.
    Raw,
}

/// A message of either kind.
#[derive(Clone, Copy, Debug)]
pub enum Turn<'a> {
    /// An HTTP request or response.
    Http(&'a HttpPart),
    /// A WebSocket message or control frame.
    Message(&'a Message),
}

impl Turn<'_> {
    /// Who sent it.
    pub fn direction(&self) -> Direction {
        match self {
            Self::Http(part) => part.direction,
            Self::Message(message) => message.direction,
        }
    }

    /// Octets of its decoded content; `None` when that is not known.
    pub fn content_bytes(&self) -> Option<u64> {
        match self {
            Self::Http(part) => part.cost.content_bytes,
            Self::Message(message) => message.cost.content_bytes,
        }
    }

    /// Octets of it that were kept.
    pub fn sample_len(&self) -> u64 {
        self.sample().map_or(0, |sample| sample.len() as u64)
    }

    fn sample(&self) -> Option<&[u8]> {
        match self {
            Self::Http(part) => part.content.sample.as_deref(),
            Self::Message(message) => message.content.sample.as_deref(),
        }
    }

    fn frames(&self) -> (Frame, Frame) {
        let provenance = match self {
            Self::Http(part) => &part.cost.provenance,
            Self::Message(message) => &message.cost.provenance,
        };
        (provenance.first, provenance.last)
    }
}

/// Prints messages in the order in which they were complete.
#[derive(Clone, Debug)]
pub struct Transcript {
    style: Style,
    start: Option<Timestamp>,
    is_first: bool,
}

impl Transcript {
    /// A transcript of which nothing was printed yet.
    pub fn new(style: Style) -> Self {
        Self { style, start: None, is_first: true }
    }

    /// Sets the time of the capture's first frame, from which times are counted.
    pub fn start(&mut self, first: Timestamp) {
        self.start.get_or_insert(first);
    }

    /// Appends a message. In [`Style::Raw`] control frames, whose payload is no content, are left out.
    pub fn append(&mut self, turn: &Turn<'_>, out: &mut Vec<u8>) {
        if self.style == Style::Raw {
            if !matches!(turn, Turn::Message(message) if message.opcode.is_control()) {
                out.extend_from_slice(turn.sample().unwrap_or_default());
            }
            return;
        }
        let mut text = String::new();
        if !std::mem::take(&mut self.is_first) {
            text.push('\n');
        }
        self.append_heading(turn, &mut text);
        match turn {
            Turn::Http(part) => append_head(part, self.style, &mut text),
            Turn::Message(_) => {}
        }
        self.append_content(turn, &mut text);
        out.extend_from_slice(text.as_bytes());
    }

    /// Direction, frames, time, and what it is.
    fn append_heading(&self, turn: &Turn<'_>, text: &mut String) {
        let (first, last) = turn.frames();
        let direction = match turn.direction() {
            Direction::ClientToServer => "client → server",
            Direction::ServerToClient => "server → client",
        };
        let time = first.time.seconds_since(self.start.unwrap_or(first.time));
        let frames =
            if first.number == last.number { format!("frame {}", last.number) } else { format!("frames {}-{}", first.number, last.number) };
        write!(text, "{direction}  {time:.6} s  {frames}  ").expect(TAKES);
        match turn {
            Turn::Http(_) => text.push_str("HTTP"),
            Turn::Message(message) => append_what(message, text),
        }
        let odd = match turn {
            Turn::Http(part) => part.content.anomalies,
            Turn::Message(message) => message.oddities(),
        };
        for kind in odd.iter() {
            write!(text, "  ! {}", kind.name()).expect(TAKES);
        }
        text.push('\n');
    }

    fn append_content(&self, turn: &Turn<'_>, text: &mut String) {
        if let Turn::Message(Message { opcode: Opcode::Close, close: Some(close), .. }) = turn {
            match close.code {
                Some(code) => writeln!(text, "{code} {}", safe_bytes(close.reason.as_deref().unwrap_or_default().as_bytes())).expect(TAKES),
                None => text.push_str("(no code)\n"),
            }
            return;
        }
        let kept = turn.sample_len();
        if let Some(sample) = turn.sample().filter(|sample| !sample.is_empty()) {
            let is_binary = matches!(turn, Turn::Message(message) if message.opcode != Opcode::Text);
            let reads = readable(sample).is_some_and(|text| !is_binary || !text.contains(is_unprintable));
            match self.style {
                Style::Text if reads => append_lines(sample, text),
                Style::Text | Style::Hex | Style::Raw => append_hex(sample, text),
            }
        }
        match turn.content_bytes() {
            None => text.push_str("(what follows is not known: lost, or not to be decoded)\n"),
            Some(content) if content > kept => {
                let more = content - kept;
                writeln!(text, "({more} {} more, not kept)", plural(more, "byte", "bytes")).expect(TAKES);
            }
            Some(_) => {}
        }
    }
}

fn append_what(message: &Message, text: &mut String) {
    write!(text, "WebSocket {}", message.opcode.name()).expect(TAKES);
    if message.compressed {
        text.push_str(", deflated");
    }
    if message.fragments > 1 {
        write!(text, ", {} fragments", message.fragments).expect(TAKES);
    }
    if let Some(content) = message.cost.content_bytes {
        write!(text, ", {content} {}", plural(content, "byte", "bytes")).expect(TAKES);
    }
}

/// The head as it was sent, and the empty line behind it.
fn append_head(part: &HttpPart, style: Style, text: &mut String) {
    match style {
        Style::Hex => append_hex(part.head.raw(), text),
        Style::Text | Style::Raw => {
            let lines = part.head.raw().split(|&octet| octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            for line in lines.filter(|line| !line.is_empty()) {
                push_safe(text, line);
                text.push('\n');
            }
            text.push('\n');
        }
    }
}

/// The text of a sample, of which the last character may be cut, when it reads like text.
fn readable(sample: &[u8]) -> Option<&str> {
    let text = match str::from_utf8(sample) {
        Ok(text) => text,
        // The beginning of a character at the very end.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => str::from_utf8(&sample[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some(text)
}

/// What text has none of.
fn is_unprintable(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\r' | '\n')
}

/// Lines as they are, each safe to show; a line feed ends a line, whatever else there is shows itself.
fn append_lines(sample: &[u8], text: &mut String) {
    for line in sample.split_inclusive(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        push_safe(text, line.strip_suffix(b"\r").unwrap_or(line));
        text.push('\n');
    }
}

/// Lines such as `00000010  68 65 6c 6c 6f                                   hello`.
fn append_hex(octets: &[u8], text: &mut String) {
    for (row, octets) in octets.chunks(ROW).enumerate() {
        write!(text, "{:08x} ", row * ROW).expect(TAKES);
        for at in 0..ROW {
            match octets.get(at) {
                Some(octet) => write!(text, " {octet:02x}").expect(TAKES),
                None => text.push_str("   "),
            }
        }
        text.push_str("  ");
        text.extend(octets.iter().map(|&octet| if matches!(octet, b' '..=b'~') { char::from(octet) } else { '.' }));
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Content, Cost};

    fn message(content: &[u8]) -> Message {
        Message {
            connection: 0,
            number: 1,
            direction: Direction::ServerToClient,
            opcode: Opcode::Text,
            cost: Cost { content_bytes: Some(content.len() as u64), ..Cost::default() },
            fragments: 1,
            compressed: false,
            masked: false,
            close: None,
            content: Content { bytes: Some(content.len() as u64), sample: Some(content.into()), ..Content::default() },
            answered: None,
            anomalies: Default::default(),
            anomaly_details: Default::default(),
        }
    }

    fn shown(style: Style, message: &Message) -> String {
        let mut out = Vec::new();
        Transcript::new(style).append(&Turn::Message(message), &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn text_is_text_with_its_own_line_feeds_and_nothing_that_drives_a_terminal() {
        let text = shown(Style::Text, &message("a\r\nb\x1b[2J\u{202e}c\n".as_bytes()));
        assert_eq!(text, "server → client  0.000000 s  frame 0  WebSocket text, 13 bytes\na\nb\\u{1b}[2J\\u{202e}c\n");
    }

    #[test]
    fn octets_that_are_no_text_are_dumped() {
        let text = shown(Style::Text, &message(b"\xff\x00a"));
        assert!(text.ends_with(&format!("00000000  ff 00 61{}  ..a\n", "   ".repeat(13))), "{text}");
        // MQTT's CONNECT begins so: UTF-8, and no text.
        let binary = |content: &[u8]| shown(Style::Text, &Message { opcode: Opcode::Binary, ..message(content) });
        assert!(binary(b"\x10\x04MQTT").contains("00000000  10 04 4d 51 54 54"));
        assert!(binary(b"{\"a\":\t1}\n").ends_with("bytes\n{\"a\":\\t1}\n"));
    }

    #[test]
    fn raw_is_the_content_alone_and_control_frames_have_none() {
        assert_eq!(shown(Style::Raw, &message(b"a\nb")), "a\nb");
        assert_eq!(shown(Style::Raw, &Message { opcode: Opcode::Ping, ..message(b"a") }), "");
    }

    #[test]
    fn what_is_not_shown_is_said() {
        let mut cut = message(b"abc");
        cut.cost.content_bytes = Some(10);
        assert!(shown(Style::Text, &cut).ends_with("abc\n(7 bytes more, not kept)\n"));
        cut.cost.content_bytes = None;
        assert!(shown(Style::Hex, &cut).ends_with("(what follows is not known: lost, or not to be decoded)\n"));
    }
}
