//! A capture frame by frame, layer by layer, in the words of Wireshark: `wiretare dissect`.
//!
//! ```text
//!  Packet ─► Dissector ─► Dissection: headers, segment, messages that end here
//!              │             ├─► tree()  fields, for people or as JSON
//!              └ Analyzer    └─► line()  one line a frame
//! ```
//!
//! A message is shown at the frame that completed it, as it is known then: nothing is held back, so that a live capture
//! is shown as it comes, and memory does not grow with it.

mod content;
mod field;
mod headers;
mod http;
mod line;
mod options;
mod segment;
mod streams;
mod websocket;

use std::collections::{HashMap, VecDeque};

use crate::analyzer::Analyzer;
use crate::capture::Packet;
use crate::message::{HttpPart, Message, Part, Row, SegmentPart, Totals, WebSocketFrame};
use crate::options::Options;
use crate::packet::{Headers, headers as headers_of};
use crate::stream::Timestamp;

pub use field::{Field, append_json, append_tree};
pub use line::append_line;
pub use streams::Carried;
use streams::Streams;

/// Takes packets and says of each what it holds.
#[derive(Debug)]
pub struct Dissector {
    analyzer: Analyzer,
    first: Option<Timestamp>,
    previous: Option<Timestamp>,
    connections: HashMap<u64, Streams>,
    /// What all connections together remember of frames.
    remembered: usize,
    late: VecDeque<Ended>,
}

/// One frame.
#[derive(Debug)]
pub struct Dissection<'a> {
    packet: Packet<'a>,
    first: Timestamp,
    previous: Timestamp,
    headers: Headers,
    segment: Option<Shown>,
    /// Whether the packet was captured before.
    is_copy: bool,
    messages: Vec<Ended>,
}

/// A segment, and its numbers counted from the beginning of its stream.
#[derive(Debug)]
struct Shown {
    part: SegmentPart,
    relative_seq: u32,
    relative_ack: u32,
    /// When the segment before it came on its connection, a copy too.
    previous: Option<Timestamp>,
}

/// What ended with a frame.
#[derive(Clone, Debug)]
pub enum Ended {
    /// An HTTP message.
    Http {
        /// The message.
        part: Box<HttpPart>,
        /// The frames that carried it.
        carried: Carried,
        /// n-th request or response of its connection, from 1.
        number: u64,
    },
    /// A WebSocket frame.
    WebSocket {
        /// The frame.
        frame: Box<WebSocketFrame>,
        /// The captured frames that carried it.
        carried: Carried,
        /// The message that it ended.
        message: Option<Box<Message>>,
        /// The captured frames in which the earlier fragments of that message ended, and their payload lengths.
        fragments: Vec<(u64, u64)>,
    },
    /// A WebSocket message that no frame ended: what is left of it will not come.
    BrokenOff(Box<Message>),
}

impl Ended {
    /// Number of its connection (`tcp.stream`).
    pub fn connection(&self) -> u64 {
        match self {
            Self::Http { part, .. } => part.connection,
            Self::WebSocket { frame, .. } => frame.connection,
            Self::BrokenOff(message) => message.connection,
        }
    }
}

impl Dissector {
    /// A dissection of a capture of which nothing was seen yet.
    pub fn new(options: Options) -> Self {
        Self {
            analyzer: Analyzer::new(Options { parts: true, ..options }),
            first: None,
            previous: None,
            connections: HashMap::new(),
            remembered: 0,
            late: VecDeque::new(),
        }
    }

    /// Takes the next packet of the capture.
    pub fn packet<'a>(&mut self, packet: &Packet<'a>) -> Dissection<'a> {
        self.analyzer.packet(packet);
        let time = packet.frame.time;
        let mut dissection = Dissection {
            packet: *packet,
            first: *self.first.get_or_insert(time),
            previous: self.previous.replace(time).unwrap_or(time),
            headers: headers_of(packet),
            segment: None,
            is_copy: false,
            messages: Vec::new(),
        };
        let mut parts = Vec::new();
        while let Some(part) = self.analyzer.poll_part() {
            match part {
                Part::Segment(part) => dissection.segment = Some(self.segment(*part, time)),
                Part::Copy(part) => {
                    dissection.is_copy = true;
                    dissection.segment = part.map(|part| self.segment(*part, time));
                }
                other => parts.push(other),
            }
        }
        dissection.messages = self.ended(parts);
        while let Some(row) = self.analyzer.poll() {
            self.forget(&row);
        }
        dissection
    }

    /// The capture is at its end: what its end completes, or cuts, can be taken from [`poll_late`](Self::poll_late).
    pub fn finish(&mut self) {
        self.analyzer.finish();
    }

    /// What the end of the capture completed or cut; connection after connection.
    pub fn poll_late(&mut self) -> Option<Ended> {
        while self.late.is_empty() {
            let row = self.analyzer.poll()?;
            let parts = std::iter::from_fn(|| self.analyzer.poll_part()).collect();
            self.late = self.ended(parts).into();
            self.forget(&row);
        }
        self.late.pop_front()
    }

    /// What is known of the capture as a whole.
    pub fn totals(&self) -> &Totals {
        self.analyzer.totals()
    }

    fn segment(&mut self, part: SegmentPart, time: Timestamp) -> Shown {
        let streams = self.connections.entry(part.connection).or_default();
        let (relative_seq, relative_ack) = streams.relative(&part);
        streams.remember(&part, &mut self.remembered);
        let previous = streams.last.replace(time);
        Shown { part, relative_seq, relative_ack, previous }
    }

    fn ended(&mut self, parts: Vec<Part>) -> Vec<Ended> {
        let mut ended: Vec<Ended> = Vec::new();
        for part in parts {
            match part {
                Part::Http(part) => {
                    let streams = self.connections.entry(part.connection).or_default();
                    let carried = streams.carried(part.direction, part.start, part.end);
                    let number = streams.count(&part);
                    streams.passed(part.direction, part.end, &mut self.remembered);
                    ended.push(Ended::Http { part, carried, number });
                }
                Part::WebSocketFrame(frame) => {
                    let streams = self.connections.entry(frame.connection).or_default();
                    let carried = streams.carried(frame.direction, frame.start, frame.end);
                    streams.passed(frame.direction, frame.end, &mut self.remembered);
                    streams.fragment(&frame);
                    ended.push(Ended::WebSocket { frame, carried, message: None, fragments: Vec::new() });
                }
                Part::Message(message) => self.message(message, &mut ended),
                Part::Segment(_) | Part::Copy(_) => {}
            }
        }
        ended
    }

    /// A message belongs to the frame before it, unless that only showed that it will not be complete.
    fn message(&mut self, ended_message: Box<Message>, ended: &mut Vec<Ended>) {
        let streams = self.connections.entry(ended_message.connection).or_default();
        let fragments_before = streams.take_fragments(&ended_message);
        if let Some(Ended::WebSocket { frame, message: message @ None, fragments, .. }) = ended.last_mut()
            && frame.connection == ended_message.connection
            && frame.direction == ended_message.direction
            && (frame.fin || frame.opcode.is_control() || !frame.is_complete)
            && frame.opcode.is_control() == ended_message.opcode.is_control()
        {
            *fragments = fragments_before;
            *message = Some(ended_message);
        } else {
            ended.push(Ended::BrokenOff(ended_message));
        }
    }

    /// Rows are not shown; those of connections say what need not be remembered.
    fn forget(&mut self, row: &Row) {
        if let Row::Connection(row) = row
            && let Some(streams) = self.connections.remove(&row.connection)
        {
            self.remembered -= streams.remembered();
        }
    }
}

impl Dissection<'_> {
    /// Its number (`frame.number`).
    pub fn number(&self) -> u64 {
        self.packet.frame.number
    }

    /// The connection of its segment (`tcp.stream`).
    pub fn connection(&self) -> Option<u64> {
        self.segment.as_ref().map(|segment| segment.part.connection)
    }

    /// What ended with it, of its own connection first.
    pub fn messages(&self) -> &[Ended] {
        &self.messages
    }

    /// All of it as fields, from the frame to what its messages hold.
    pub fn tree(&self) -> Vec<Field> {
        let mut fields = vec![self.frame()];
        headers::append(self, &mut fields);
        segment::append(self, &mut fields);
        for ended in self.own() {
            append_message(ended, &mut fields);
        }
        self.append_others(&mut fields);
        fields.extend(segment::cost(self));
        fields
    }

    /// What ended with this frame's segment.
    fn own(&self) -> impl Iterator<Item = &Ended> {
        let connection = self.connection();
        self.messages.iter().filter(move |ended| Some(ended.connection()) == connection)
    }

    /// What the time of this frame ended, or its reuse of ports.
    fn append_others(&self, fields: &mut Vec<Field>) {
        let connection = self.connection();
        for ended in self.messages.iter().filter(|ended| Some(ended.connection()) != connection) {
            fields.push(Field::note(late_line(ended)));
        }
    }

    fn frame(&self) -> Field {
        headers::frame(self)
    }

    /// The octets of a header, as far as they were captured.
    fn octets(&self, range: &std::ops::Range<usize>) -> &[u8] {
        let end = range.end.min(self.packet.data.len());
        self.packet.data.get(range.start..end).unwrap_or_default()
    }
}

/// Appends the fields of what ended.
fn append_message(ended: &Ended, fields: &mut Vec<Field>) {
    match ended {
        Ended::Http { part, carried, number } => http::append(part, carried, *number, fields),
        Ended::WebSocket { frame, carried, message, fragments } => {
            websocket::append(frame, carried, message.as_deref(), fragments, fields);
        }
        Ended::BrokenOff(message) => fields.push(Field::note(websocket::broken_off(message))),
    }
}

/// One line on what ended after its frames: with the capture, or when its connection did.
pub fn late_line(ended: &Ended) -> String {
    let connection = ended.connection();
    let what = match ended {
        Ended::Http { part, .. } => http::late(part),
        Ended::WebSocket { frame, .. } => websocket::late(frame),
        Ended::BrokenOff(message) => websocket::broken_off(message),
    };
    format!("[Connection {connection}: {}]", what.trim_matches(['[', ']']))
}
