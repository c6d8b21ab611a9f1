//! What is said over a wire, and what comes of it.

use super::super::*;
use crate::message::{Content, Form};
use crate::stream::{LayerBytes, Timestamp};

/// What happens on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// The client sends octets.
    C(&'static str),
    /// The server sends octets.
    S(&'static str),
    /// Octets of a direction were sent and not captured.
    Lose(Direction, u32),
    /// Octets of a direction were captured without their content.
    Snap(Direction, u32),
    /// A direction ends.
    End(Direction),
}

pub(super) use Direction::{ClientToServer, ServerToClient};
pub(super) use Step::{C, End, Lose, S, Snap};

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) exchanges: Vec<String>,
    /// Payload octets that no message owns, by direction.
    pub(super) unattributed: [u64; 2],
    /// What is left unread by direction, after an upgrade.
    pub(super) unread: [String; 2],
}

impl Outcome {
    pub(super) fn of(exchanges: &[&str]) -> Self {
        Self { exchanges: exchanges.iter().map(ToString::to_string).collect(), ..Self::default() }
    }

    pub(super) fn unattributed(self, client: u64, server: u64) -> Self {
        Self { unattributed: [client, server], ..self }
    }

    pub(super) fn unread(self, client: &str, server: &str) -> Self {
        Self { unread: [client.into(), server.into()], ..self }
    }
}

/// Collects content.
#[derive(Default)]
pub(super) struct Collect {
    text: Vec<u8>,
    is_known: bool,
    is_open: bool,
}

impl ContentSink for Collect {
    fn begin(&mut self, _: Form<'_>) {
        assert!(!self.is_open, "content does not begin inside content");
        *self = Self { text: Vec::new(), is_known: true, is_open: true };
    }

    fn data(&mut self, encoded: &[u8]) {
        assert!(self.is_open && !encoded.is_empty());
        self.text.extend_from_slice(encoded);
    }

    fn missing(&mut self, len: u64) {
        assert!(self.is_open && len > 0);
        self.is_known = false;
    }

    fn end(&mut self, complete: bool) -> Content {
        assert!(self.is_open, "content that ends has begun");
        self.is_open = false;
        let sample = Some(std::mem::take(&mut self.text).into());
        Content { bytes: (self.is_known && complete).then_some(0), sample, ..Content::default() }
    }
}

/// A connection with its buffers, and the balance of what was pushed and what was booked.
pub(super) struct Wire {
    pub(super) connection: Connection,
    pub(super) buffers: [StreamBuffer; 2],
    pub(super) sinks: [Collect; 2],
    pub(super) heads: Heads,
    /// Whether each segment is offered as a message of its own, and how many were.
    pub(super) offers_segments: bool,
    pub(super) taken: usize,
    has_ended: [bool; 2],
    frames: u64,
    pushed: LayerBytes,
    booked: LayerBytes,
    exchanges: Vec<Exchange>,
    pub(super) unattributed: [u64; 2],
    is_upgraded: bool,
}

impl Wire {
    pub(super) fn new(limits: &Limits) -> Self {
        let address = |port| SocketAddr::from(([10, 0, 0, 1], port));
        Self {
            connection: Connection::new(7, address(40000), address(80), 0, limits),
            buffers: Default::default(),
            sinks: Default::default(),
            heads: Heads::default(),
            offers_segments: false,
            taken: 0,
            has_ended: [false; 2],
            frames: 0,
            pushed: LayerBytes::default(),
            booked: LayerBytes::default(),
            exchanges: Vec::new(),
            unattributed: [0; 2],
            is_upgraded: false,
        }
    }

    /// A frame of that many payload octets; time passes at a second a frame.
    pub(super) fn carrier(&mut self, payload: usize) -> Provenance {
        self.frames += 1;
        let frame = Frame { number: self.frames, time: Timestamp(self.frames as i64 * 1_000_000_000) };
        let bytes = LayerBytes { link: 14, ip: 20, tcp: 32, tls: 0, payload: payload as u64 };
        self.pushed += bytes;
        Provenance::of_frame(frame, bytes)
    }

    pub(super) fn send(&mut self, direction: Direction, bytes: &[u8]) {
        let cost = self.carrier(bytes.len());
        if self.offers_segments && self.take_segment(direction, bytes, cost) {
            return;
        }
        self.buffers[direction as usize].push(bytes, cost);
        self.settle(direction);
    }

    /// Whether it was a message of its own.
    pub(super) fn take_segment(&mut self, direction: Direction, octets: &[u8], cost: Provenance) -> bool {
        let buffer = &mut self.buffers[direction as usize];
        if !buffer.is_empty() {
            return false;
        }
        let segment = Captured { octets, start: buffer.start(), frame: cost.first, cost };
        let Some(taken) = self.connection.take_segment(direction, &segment, &mut self.sinks[direction as usize], &mut self.heads) else {
            return false;
        };
        buffer.pass_by(octets.len() as u64);
        self.taken += 1;
        if let Taken::Response(exchange) = taken {
            self.book(Event::Exchange(exchange));
        }
        true
    }

    /// This direction first, until neither moves.
    fn settle(&mut self, direction: Direction) {
        for turn in [direction, direction.reverse(), direction] {
            let side = turn as usize;
            while let Some(event) = match self.has_ended[side] {
                true => self.connection.end(turn, true, &mut self.buffers[side], &mut self.sinks[side], &mut self.heads),
                false => self.connection.advance(turn, &mut self.buffers[side], &mut self.sinks[side], &mut self.heads),
            } {
                self.book(event);
            }
        }
    }

    pub(super) fn book(&mut self, event: Event) {
        let exchange = match event {
            Event::Unattributed { direction, cost, .. } => {
                self.booked += cost.bytes;
                self.unattributed[direction as usize] += cost.bytes.payload;
                return;
            }
            Event::Shown(_) => panic!("nobody asked to be shown messages"),
            Event::Informed => return,
            Event::Exchange(exchange) => exchange,
            Event::Upgraded(exchange) => {
                assert!(!std::mem::replace(&mut self.is_upgraded, true), "a connection is upgraded once");
                exchange
            }
        };
        for cost in [exchange.request.as_ref().map(|r| r.cost), exchange.response.as_ref().map(|r| r.cost)].into_iter().flatten() {
            assert_eq!(cost.provenance.bytes.payload, cost.encoded_bytes + cost.framing_bytes);
            self.booked += cost.provenance.bytes;
        }
        self.exchanges.push(*exchange);
    }

    pub(super) fn step(&mut self, step: Step, cut: &mut impl FnMut(usize) -> usize) {
        match step {
            C(text) => self.send_in_pieces(ClientToServer, text, cut),
            S(text) => self.send_in_pieces(ServerToClient, text, cut),
            Lose(direction, len) => {
                self.buffers[direction as usize].push_missing(len, Provenance::default());
                self.settle(direction);
            }
            Snap(direction, len) => {
                let cost = self.carrier(len as usize);
                self.buffers[direction as usize].push_missing(len, cost);
                self.settle(direction);
            }
            End(direction) => {
                self.has_ended[direction as usize] = true;
                self.settle(direction);
            }
        }
    }

    fn send_in_pieces(&mut self, direction: Direction, text: &str, cut: &mut impl FnMut(usize) -> usize) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cut(rest.len()).clamp(1, rest.len()));
            self.send(direction, piece);
            rest = after;
        }
    }

    pub(super) fn finish(mut self) -> (Outcome, Vec<Exchange>) {
        self.step(End(ClientToServer), &mut |len| len);
        self.step(End(ServerToClient), &mut |len| len);
        while let Some(event) = self.connection.finish() {
            self.book(event);
        }
        let unread = [0, 1].map(|side: usize| String::from_utf8_lossy(self.buffers[side].peek()).into_owned());
        for buffer in &mut self.buffers {
            self.booked += buffer.consume_all().bytes;
        }
        assert_eq!(self.pushed, self.booked, "every octet is booked once");
        let numbers: Vec<_> = self.exchanges.iter().map(|exchange| exchange.number).collect();
        assert_eq!(numbers, (1..=self.exchanges.len() as u64).collect::<Vec<_>>());
        let outcome = Outcome { exchanges: self.exchanges.iter().map(describe).collect(), unattributed: self.unattributed, unread };
        (outcome, self.exchanges)
    }
}

/// `GET /a "content" -> 103 200 "content" upgrade anomalies`.
fn describe(exchange: &Exchange) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let content = |content: &Content| match (&content.sample, content.bytes) {
        (None, _) => String::new(),
        (Some(sample), Some(_)) => format!(" {:?}", text(sample)),
        (Some(sample), None) => format!(" {:?}?", text(sample)),
    };
    let mut line = match &exchange.request {
        Some(request) => format!("{} {}{}", text(request.method()), text(request.target()), content(&request.content)),
        None => "?".to_owned(),
    };
    line += " ->";
    exchange.informational.iter().for_each(|status| line += &format!(" {status}"));
    match &exchange.response {
        Some(response) => line += &format!(" {}{}", response.status, content(&response.content)),
        None => line += " ?",
    }
    exchange.upgrade.iter().for_each(|upgrade| line += &format!(" {upgrade:?}"));
    exchange.anomalies.iter().for_each(|kind| line += &format!(" {}", kind.name()));
    line
}

pub(super) fn talk(steps: &[Step], mut cut: impl FnMut(usize) -> usize) -> (Outcome, Vec<Exchange>) {
    let mut wire = Wire::new(&Limits::default());
    steps.iter().for_each(|&step| wire.step(step, &mut cut));
    wire.finish()
}
