//! Conversations, pushed in whole, octet by octet and cut at random; after each, every octet is booked once.

use proptest::prelude::*;

use super::*;
use crate::message::{Content, Form};
use crate::stream::{Acknowledged, LayerBytes, Timestamp};

/// What happens on the wire.
#[derive(Clone, Copy, Debug)]
enum Step {
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

use Direction::{ClientToServer, ServerToClient};
use Step::{C, End, Lose, S, Snap};

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    exchanges: Vec<String>,
    /// Payload octets that no message owns, by direction.
    unattributed: [u64; 2],
    /// What is left unread by direction, after an upgrade.
    unread: [String; 2],
}

impl Outcome {
    fn of(exchanges: &[&str]) -> Self {
        Self { exchanges: exchanges.iter().map(ToString::to_string).collect(), ..Self::default() }
    }

    fn unattributed(self, client: u64, server: u64) -> Self {
        Self { unattributed: [client, server], ..self }
    }

    fn unread(self, client: &str, server: &str) -> Self {
        Self { unread: [client.into(), server.into()], ..self }
    }
}

/// Collects content.
#[derive(Default)]
struct Collect {
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
struct Wire {
    connection: Connection,
    buffers: [StreamBuffer; 2],
    sinks: [Collect; 2],
    heads: Heads,
    /// Whether each segment is offered as a message of its own, and how many were.
    offers_segments: bool,
    taken: usize,
    has_ended: [bool; 2],
    frames: u64,
    pushed: LayerBytes,
    booked: LayerBytes,
    exchanges: Vec<Exchange>,
    unattributed: [u64; 2],
    is_upgraded: bool,
}

impl Wire {
    fn new(limits: &Limits) -> Self {
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
    fn carrier(&mut self, payload: usize) -> Provenance {
        self.frames += 1;
        let frame = Frame { number: self.frames, time: Timestamp(self.frames as i64 * 1_000_000_000) };
        let bytes = LayerBytes { link: 14, ip: 20, tcp: 32, tls: 0, payload: payload as u64 };
        self.pushed += bytes;
        Provenance::of_frame(frame, bytes)
    }

    fn send(&mut self, direction: Direction, bytes: &[u8]) {
        let cost = self.carrier(bytes.len());
        if self.offers_segments && self.take_segment(direction, bytes, cost) {
            return;
        }
        self.buffers[direction as usize].push(bytes, cost);
        self.settle(direction);
    }

    /// Whether it was a message of its own.
    fn take_segment(&mut self, direction: Direction, octets: &[u8], cost: Provenance) -> bool {
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

    fn book(&mut self, event: Event) {
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

    fn step(&mut self, step: Step, cut: &mut impl FnMut(usize) -> usize) {
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

    fn finish(mut self) -> (Outcome, Vec<Exchange>) {
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

fn talk(steps: &[Step], mut cut: impl FnMut(usize) -> usize) -> (Outcome, Vec<Exchange>) {
    let mut wire = Wire::new(&Limits::default());
    steps.iter().for_each(|&step| wire.step(step, &mut cut));
    wire.finish()
}

#[test]
fn segments_that_are_messages_come_to_the_same() {
    let mut taken = 0;
    for (name, steps, outcome) in conversations() {
        for cut in [usize::MAX, 60, 20] {
            let mut wire = Wire::new(&Limits::default());
            wire.offers_segments = true;
            steps.iter().for_each(|&step| wire.step(step, &mut |_| cut));
            taken += wire.taken;
            let (found, exchanges) = wire.finish();
            assert_eq!(found, outcome, "{name}, cut at {cut}");
            let (_, general) = talk(&steps, |_| cut);
            assert_eq!(exchanges, general, "{name}, cut at {cut}");
        }
    }
    assert!(taken > 20, "only {taken} were taken");
}

#[test]
fn segments_that_are_more_or_less_than_a_message_are_left_to_the_general_path() {
    let get = C("GET /1 HTTP/1.1\r\n\r\n");
    for (name, steps, taken) in [
        ("a request and its response", vec![get, S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")], 2),
        ("chunks", vec![get, S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n")], 2),
        ("a trailer section", vec![get, S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nA: b\r\n\r\n")], 1),
        ("no content", vec![get, S("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")], 2),
        ("HEAD", vec![C("HEAD / HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")], 2),
        ("two requests", vec![C("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")], 0),
        ("a second request before the response", vec![get, C("GET /2 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n")], 1),
        ("octets behind the content", vec![get, S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200")], 1),
        ("content in the next segment", vec![get, S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), S("1")], 1),
        ("all until it closes", vec![get, S("HTTP/1.1 200 OK\r\n\r\nall")], 1),
        ("an interim response", vec![get, S("HTTP/1.1 100 Continue\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n")], 1),
        ("Upgrade", vec![C("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")], 0),
        ("CONNECT", vec![C("CONNECT a:443 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n")], 0),
        ("an empty line before", vec![C("\r\n"), C("GET / HTTP/1.1\r\n\r\n")], 0),
        ("a response without request", vec![S("HTTP/1.1 204 No Content\r\n\r\n")], 0),
        ("a loss", vec![Lose(ClientToServer, 5), get], 0),
        ("lengths that differ", vec![C("POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n1")], 0),
    ] {
        let mut wire = Wire::new(&Limits::default());
        wire.offers_segments = true;
        steps.iter().for_each(|&step| wire.step(step, &mut |len| len));
        assert_eq!(wire.taken, taken, "{name}");
        let (found, exchanges) = wire.finish();
        let (outcome, general) = talk(&steps, |len| len);
        assert_eq!((found, exchanges), (outcome, general), "{name}");
    }
}

/// Conversations without loss, and what must come of them however they are cut.
fn conversations() -> Vec<(&'static str, Vec<Step>, Outcome)> {
    vec![
        (
            "keep-alive",
            vec![
                C("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"),
                C("POST /2 HTTP/1.1\r\nContent-Length: 4\r\n\r\nping"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"),
                C("GET /3 HTTP/1.1\n\n"),
                S("HTTP/1.1 200\nContent-Length: 0\n\n"),
            ],
            Outcome::of(&["GET /1 -> 200 \"one\"", "POST /2 \"ping\" -> 200 \"pong\"", "GET /3 -> 200"]),
        ),
        (
            "pipelining",
            vec![
                C("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
                S("HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n3"),
            ],
            Outcome::of(&["GET /1 -> 200 \"1\"", "HEAD /2 -> 200", "GET /3 -> 404 \"3\""]),
        ),
        (
            "informational responses",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
                S("HTTP/1.1 100 Continue\r\n\r\n"),
                C("hi"),
                S("HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            ],
            Outcome::of(&["POST /a \"hi\" -> 100 103 200 \"ok\""]),
        ),
        (
            "content that was refused is not sent",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n"),
                S("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
                C("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"),
                S("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
                C("PUT /b HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
                S("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"),
            ],
            Outcome::of(&["POST /a -> 417 \"no\"", "POST /a \"hi\" -> 401", "PUT /b -> 413"]),
        ),
        (
            "content that was refused is sent nonetheless",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n"),
                S("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
                C("hi thereGET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["POST /a \"hi there\" -> 417 \"no\"", "GET /b -> 204"]),
        ),
        (
            "what was lost behind a refusal is another request",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n"),
                S("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
                Lose(ClientToServer, 30),
                S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                C("GET /c HTTP/1.1\r\n\r\n"),
            ],
            Outcome::of(&["POST /a -> 417 \"no\"", "? -> 200 response_without_request", "GET /c -> ? request_without_response"]),
        ),
        (
            "content that was accepted may look like a request",
            vec![
                C("POST /log HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                C("GET / HTTP/1.1\r\n\r\n"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["POST /log \"GET / HTTP/1.1\\r\\n\\r\\n\" -> 200", "GET /b -> 204"]),
        ),
        (
            "final response before the request's content ended",
            vec![
                C("POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"),
                S("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"),
                C("cd"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["POST /a \"abcd\" -> 413 \"no\"", "GET /b -> 204"]),
        ),
        (
            "not modified has no content whatever its length says",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 304", "GET /b -> 204"]),
        ),
        (
            "chunks with extension and trailer",
            vec![
                C(
                    "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;name=\"v\"\r\nabc\r\n0A \r\n0123456789\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
                ),
                S("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\nhi\n0\n\n"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ],
            Outcome::of(&["POST /a \"abc0123456789\" -> 200 \"hi\"", "GET /b -> 200 \"\""]),
        ),
        (
            "both length fields",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"hi\" transfer_encoding_and_content_length"]),
        ),
        (
            "equal and conflicting lengths",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
            ],
            Outcome::of(&["GET /a -> 200 \"hi\"", "GET /b -> 200 \"hi\" conflicting_content_length"]),
        ),
        (
            "close-delimited content",
            vec![C("GET /a HTTP/1.0\r\n\r\n"), S("HTTP/1.0 200 OK\r\n\r\nall of it"), End(ServerToClient)],
            Outcome::of(&["GET /a -> 200 \"all of it\""]),
        ),
        (
            "folded field, empty lines before start lines",
            vec![
                C("\r\n\r\nGET /a HTTP/1.1\r\nX: 1\r\n 2\r\n\r\n"),
                S("\r\nHTTP/1.1 200 OK\r\nX: 1\r\n\t2\r\nContent-Length: 2\r\n\r\nhi"),
                C("\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"hi\" obsolete_folding"]).unattributed(1, 0),
        ),
        (
            "upgrade with frames of both sides around the 101",
            vec![
                C("GET /ws HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n\u{1}frame"),
                S("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\u{2}frame"),
                C("more"),
                S("more"),
            ],
            Outcome::of(&["GET /ws -> 101 WebSocket"]).unread("\u{1}framemore", "\u{2}framemore"),
        ),
        (
            "upgrade that is refused",
            vec![
                C("GET /ws HTTP/1.1\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"),
            ],
            Outcome::of(&["GET /ws -> 200 \"no\"", "GET /b -> 200 \"yes\""]),
        ),
        (
            "upgrade whose client ends before the answer",
            vec![
                C("GET /ws HTTP/1.1\r\nUpgrade: h2c\r\n\r\nleft"),
                End(ClientToServer),
                S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nright"),
            ],
            Outcome::of(&["GET /ws -> 101 Other"]).unread("left", "right"),
        ),
        (
            "upgrade that is never answered",
            vec![C("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\nleft")],
            Outcome::of(&["GET /ws -> ? request_without_response"]).unread("left", ""),
        ),
        (
            "tunnel",
            vec![
                C("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\ntls"),
                S("HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\ntls"),
            ],
            Outcome::of(&["CONNECT a:443 -> 200 Tunnel"]).unread("tls", "tls"),
        ),
        (
            "tunnel that is refused",
            vec![
                C("CONNECT a:443 HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"),
                C("CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\n\r\n"),
                C("tls"),
            ],
            Outcome::of(&["CONNECT a:443 -> 407 \"no\"", "CONNECT a:443 -> 200 Tunnel"]).unread("tls", ""),
        ),
        (
            "content that is cut by the end",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
                End(ServerToClient),
                C("GET /b HTTP/1.1\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"half\"? incomplete_content", "GET /b -> ? request_without_response"]),
        ),
        (
            "head that is cut by the end",
            vec![C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nCont")],
            Outcome::of(&["GET /a -> ? request_without_response"]).unattributed(0, 25 + 21),
        ),
        (
            "response without request",
            vec![S("HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\nhi")],
            Outcome::of(&["? -> 408 \"hi\" response_without_request"]),
        ),
        (
            "last chunk without the empty line",
            vec![
                C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"\" malformed_chunk", "GET /b -> 204"]),
        ),
    ]
}

#[test]
fn conversations_are_read_segment_by_segment() {
    for (name, steps, expected) in conversations() {
        assert_eq!(talk(&steps, |len| len).0, expected, "{name}");
    }
}

#[test]
fn conversations_are_read_octet_by_octet() {
    for (name, steps, expected) in conversations() {
        assert_eq!(talk(&steps, |_| 1).0, expected, "{name}");
    }
}

proptest! {
    #[test]
    fn conversations_are_read_however_they_are_cut(cuts in prop::collection::vec(1usize..40, 1..64)) {
        for (name, steps, expected) in conversations() {
            let mut cuts = cuts.iter().copied().cycle();
            let (outcome, _) = talk(&steps, |_| cuts.next().unwrap_or(1));
            prop_assert_eq!(outcome, expected, "{}", name);
        }
    }

    /// Whatever comes: no panic, every octet booked once, and the machine comes to rest.
    #[test]
    fn noise_is_booked(steps in prop::collection::vec(noise(), 0..40)) {
        let mut wire = Wire::new(&Limits { http_head: 60, pending_requests: 2, out_of_order_bytes: 100, ..Limits::default() });
        for (step, piece) in steps {
            wire.step(step, &mut |_| piece);
        }
        wire.finish();
    }
}

fn noise() -> impl Strategy<Value = (Step, usize)> {
    const PARTS: [&str; 16] = [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "\r\n",
        "\n",
        "fffffffffffffffff\r\n",
        "\u{0}\u{1}:",
    ];
    let direction = prop::sample::select(&Direction::BOTH[..]);
    let part = (direction.clone(), prop::sample::select(&PARTS[..])).prop_map(|(direction, text)| match direction {
        ClientToServer => C(text),
        ServerToClient => S(text),
    });
    let missing = (direction.clone(), 1u32..20, any::<bool>()).prop_map(|(direction, len, is_lost)| match is_lost {
        true => Lose(direction, len),
        false => Snap(direction, len),
    });
    let step = prop_oneof![12 => part, 2 => missing, 1 => direction.prop_map(End)];
    // Nothing comes after the end of a direction; `Wire` would push it all the same, and the machine must bear that.
    (step, 1usize..80)
}

#[test]
fn cost_of_an_exchange_is_that_of_its_segments() {
    let steps = [
        C("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"),
        S("HTTP/1.1 100 Continue\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ];
    let (_, exchanges) = talk(&steps, |len| len);
    let (request, response) = (exchanges[0].request.as_ref().unwrap().cost, exchanges[0].response.as_ref().unwrap().cost);
    // 39 of head + 2; 14 + 20 + 32 of headers.
    assert_eq!((request.framing_bytes, request.encoded_bytes, request.wire_bytes()), (39, 2, 107));
    // 25 of the 100, 47 of head, 3 + 2 + 5 around the chunk; 2 segments.
    assert_eq!((response.framing_bytes, response.encoded_bytes, response.wire_bytes()), (82, 2, 216));
    // The request in second 1, the 100 in second 2, the final response in second 3.
    assert_eq!((exchanges[0].time_to_first_byte_s, exchanges[0].time_to_last_byte_s), (Some(2.0), Some(2.0)));
}

#[test]
fn time_runs_from_the_first_octet_to_the_first_and_last_of_the_response() {
    let steps = [C("\r\n"), C("GET /a HTTP/1.1\r\n"), C("\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), S("h"), S("i")];
    let (_, exchanges) = talk(&steps, |len| len);
    assert_eq!((exchanges[0].time_to_first_byte_s, exchanges[0].time_to_last_byte_s), (Some(2.0), Some(4.0)));
}

#[test]
fn gap_in_content_of_known_length_leaves_it_unknown_and_the_rest_whole() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab"),
        Lose(ServerToClient, 3),
        S("fghHTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let (outcome, exchanges) = talk(&steps, |len| len);
    assert_eq!(outcome, Outcome::of(&["GET /a -> 200 \"abfgh\"? lost_bytes", "GET /b -> 204"]));
    let cost = exchanges[0].response.as_ref().unwrap().cost;
    assert_eq!((cost.encoded_bytes, cost.lost_bytes, cost.content_bytes), (5, 3, None));
}

#[test]
fn content_cut_by_the_snap_length_is_paid_for() {
    let steps = [C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab"), Snap(ServerToClient, 6)];
    let (_, exchanges) = talk(&steps, |len| len);
    let cost = exchanges[0].response.as_ref().unwrap().cost;
    assert_eq!((cost.encoded_bytes, cost.lost_bytes, cost.content_bytes), (8, 0, None));
}

#[test]
fn gap_inside_a_chunk_leaves_its_content_unknown() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab"),
        Lose(ServerToClient, 3),
        S("fgh\r\n0\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&["GET /a -> 200 \"abfgh\"? lost_bytes", "GET /b -> 204"]));
}

#[test]
fn gap_in_a_chunk_size_line_ends_the_content_there() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"),
        Lose(ServerToClient, 3),
        S("cd\r\n0\r\n\r\n"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let expected = Outcome::of(&["GET /a -> 200 \"ab\"? lost_bytes", "GET /b -> 204"]);
    assert_eq!(talk(&steps, |len| len).0, expected.unattributed(0, 9));
}

#[test]
fn gap_in_a_response_head_loses_that_response_only() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nCont"),
        Lose(ServerToClient, 20),
        S("rest of the content"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let expected = Outcome::of(&["GET /a -> 200 lost_bytes header_section_cut", "GET /b -> 204"]);
    assert_eq!(talk(&steps, |len| len).0, expected.unattributed(0, 19));
}

#[test]
fn response_that_was_lost_whole_is_not_mistaken_for_the_next() {
    let steps =
        [C("GET /a HTTP/1.1\r\n\r\n"), Lose(ServerToClient, 200), C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n")];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&["GET /a -> ? request_without_response", "GET /b -> 204"]));
}

#[test]
fn response_to_a_lost_request_is_not_given_to_a_later_one() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /1 HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    wire.step(Lose(ClientToServer, 30), whole);
    // The response to the lost request is captured first, and handed over behind the next request.
    let response = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
    let cost = wire.carrier(response.len());
    wire.step(C("GET /3 HTTP/1.1\r\n\r\n"), whole);
    wire.buffers[1].push(response, cost);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = Outcome::of(&["GET /1 -> 204", "? -> 202 response_without_request", "GET /3 -> 204"]);
    assert_eq!(wire.finish().0, expected);
}

#[test]
fn capture_that_begins_inside_content_finds_the_next_heads() {
    let mut wire = Wire::new(&Limits::default());
    wire.connection.begin_mid_stream();
    for step in [
        S("the end of some content"),
        S("HTTP/1.1 is a protocol, says this content\r\n\r\n"),
        C("the end of some request"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ] {
        wire.step(step, &mut |len| len);
    }
    assert_eq!(wire.finish().0, Outcome::of(&["GET /b -> 204"]).unattributed(23, 23 + 45));
}

#[test]
fn bytes_that_are_no_head_are_passed_over_and_said() {
    let mut wire = Wire::new(&Limits { http_head: 64, ..Limits::default() });
    let whole = &mut |len| len;
    wire.send(ClientToServer, b"hello world\r\n\r\n");
    wire.step(C("GET /long HTTP/1.1\r\nX: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n"), whole);
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    assert_eq!(wire.finish().0, Outcome::of(&["GET /b -> 204"]).unattributed(15 + 97, 0));
}

#[test]
fn malformed_chunk_ends_the_content_and_the_next_head_is_found() {
    for size_line in ["\r\n", "zz\r\n", "fffffffffffffffff\r\n", "-1\r\n", ";x\r\n"] {
        let mut wire = Wire::new(&Limits::default());
        let whole = &mut |len| len;
        wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
        wire.step(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), whole);
        wire.send(ServerToClient, size_line.as_bytes());
        wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
        wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
        let (outcome, _) = wire.finish();
        assert_eq!(outcome.exchanges, ["GET /a -> 200 \"\"? malformed_chunk", "GET /b -> 204"], "{size_line:?}");
    }
}

#[test]
fn oldest_request_is_given_up_when_too_many_wait() {
    let mut wire = Wire::new(&Limits { pending_requests: 2, ..Limits::default() });
    let whole = &mut |len| len;
    wire.step(C("GET /1 HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"), whole);
    wire.step(C("GET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("iHTTP/1.1 204 No Content\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"), whole);
    let expected = Outcome::of(&[
        "GET /2 -> ? request_without_response",
        "GET /1 -> 200 \"hi\"",
        "? -> 204 response_without_request",
        "GET /3 -> 205",
    ]);
    assert_eq!(wire.finish().0, expected);
}

#[test]
fn client_that_floods_an_unanswered_upgrade_is_not_kept() {
    let mut wire = Wire::new(&Limits { out_of_order_bytes: 8, ..Limits::default() });
    let whole = &mut |len| len;
    wire.step(C("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), whole);
    assert!(wire.connection.awaits_upgrade());
    wire.step(C("0123456789"), whole);
    assert!(!wire.connection.awaits_upgrade() && wire.buffers[0].is_empty());
    assert_eq!(wire.finish().0, Outcome::of(&["GET /ws -> ? request_without_response"]).unattributed(10, 0));
}

#[test]
fn response_waits_for_its_request_when_the_caller_asks() {
    let mut wire = Wire::new(&Limits::default());
    assert!(wire.connection.awaits_request());
    wire.step(C("GET /1 HTTP/1.1\r\n\r\n"), &mut |len| len);
    assert!(!wire.connection.awaits_request());
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"), &mut |len| len);
    assert!(!wire.connection.awaits_request());
    wire.step(S("i"), &mut |len| len);
    assert!(wire.connection.awaits_request());
    wire.finish();
}

#[test]
fn header_section_cut_by_the_snap_length_gives_its_whole_lines() {
    let steps = [
        C("GET /a HTTP/1.1\r\nHost: x\r\nCoo"),
        Snap(ClientToServer, 20),
        S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Enc"),
        Snap(ServerToClient, 25),
        C("GET /b HT"),
        Snap(ClientToServer, 30),
        S("HTTP/1.1 404 Not"),
        Snap(ServerToClient, 40),
        S("content"),
        C("GET /c HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let (outcome, exchanges) = talk(&steps, |len| len);
    let expected = ["GET /a -> 200 header_section_cut", "GET /b -> 404 header_section_cut", "GET /c -> 204"];
    assert_eq!(outcome, Outcome::of(&expected));
    let costs = |n: usize| (exchanges[n].request.as_ref().unwrap().cost, exchanges[n].response.as_ref().unwrap().cost);
    let (request, response) = costs(0);
    assert_eq!(exchanges[0].request.as_ref().unwrap().head.fields().collect::<Vec<_>>(), [(&b"Host"[..], &b"x"[..])]);
    // 17 + 9 + 3 and 20 of header section; 17 + 19 + 11 and 25, of which 5 are content.
    assert_eq!((request.framing_bytes, request.encoded_bytes, request.content_bytes), (49, 0, None));
    assert_eq!((response.framing_bytes, response.encoded_bytes, response.content_bytes), (67, 5, None));
    // Without a declared length what follows the segment that was cut counts as content.
    assert_eq!((costs(1).1.framing_bytes, costs(1).1.encoded_bytes), (56, 7));
}

#[test]
fn what_the_snap_length_hid_of_a_client_that_does_not_wait_is_answered_to_none() {
    let steps = [
        C("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
        Snap(ClientToServer, 20),
        C("GET /c HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ];
    let expected = ["POST /a \"hello\" -> 200", "? -> 201 response_without_request", "GET /c -> ? request_without_response"];
    assert_eq!(talk(&steps, |len| len).0.exchanges, expected);

    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhell"),
        Snap(ServerToClient, 60),
        S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ];
    let expected = [
        "GET /a -> 200 \"hell\"?",
        "? -> 201 response_without_request",
        "GET /b -> ? request_without_response",
        "GET /c -> ? request_without_response",
    ];
    assert_eq!(talk(&steps, |len| len).0.exchanges, expected);
}

#[test]
fn chunked_content_cut_by_the_snap_length_is_paid_for_up_to_the_next_head() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r"),
        Snap(ServerToClient, 30),
        S("more"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let (outcome, exchanges) = talk(&steps, |len| len);
    assert_eq!(outcome, Outcome::of(&["GET /a -> 200 \"ab\"?", "GET /b -> 204"]));
    assert_eq!(exchanges[0].response.as_ref().unwrap().cost.encoded_bytes, 2 + 1 + 30 + 4);
}

#[test]
fn response_to_a_head_request_that_was_lost_has_no_content() {
    let steps = [S("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")];
    let expected = ["? -> 200 \"\"? response_without_request", "? -> 200 \"hi\" response_without_request"];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&expected));
}

#[test]
fn content_that_the_close_delimits_is_unknown_without_it() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /a HTTP/1.0\r\n\r\n"), whole);
    wire.step(S("HTTP/1.0 200 OK\r\n\r\npart of it"), whole);
    while let Some(event) = wire.connection.end(ServerToClient, false, &mut wire.buffers[1], &mut wire.sinks[1], &mut wire.heads) {
        wire.book(event);
    }
    assert_eq!(wire.finish().0, Outcome::of(&["GET /a -> 200 \"part of it\"? incomplete_content"]));
}

#[test]
fn response_behind_a_loss_answers_the_request_that_saw_all_before_it() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    // Each side's first octet is at offset 0; a request has 19 octets, the lost response 200.
    wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
    wire.step(Lose(ServerToClient, 200), whole);
    wire.buffers[0].note_acknowledged(19, 19, Acknowledged::Offset(200));
    wire.buffers[1].note_acknowledged(200, 27, Acknowledged::Offset(38));
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    assert_eq!(wire.finish().0, Outcome::of(&["GET /a -> ? request_without_response", "GET /b -> 204"]));
}

#[test]
fn response_behind_a_loss_that_acknowledges_a_lost_request_is_nobody_s() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
    wire.step(Lose(ServerToClient, 200), whole);
    wire.buffers[1].note_acknowledged(200, 27, Acknowledged::Offset(19 + 30));
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = ["? -> 204 response_without_request", "GET /a -> ? request_without_response"];
    assert_eq!(wire.finish().0, Outcome::of(&expected));
}

#[test]
fn response_behind_a_loss_is_nobody_s_where_requests_are_pipelined() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    // The first request is lost; the second, sent without waiting, acknowledges as little as it did.
    wire.step(Lose(ClientToServer, 30), whole);
    wire.buffers[0].note_acknowledged(30, 19, Acknowledged::Offset(0));
    wire.buffers[1].note_acknowledged(0, 27, Acknowledged::Offset(30 + 19));
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = ["? -> 204 response_without_request", "GET /b -> ? request_without_response"];
    assert_eq!(wire.finish().0, Outcome::of(&expected));
}

#[test]
fn responses_behind_a_lost_request_are_paired_where_the_client_waited_for_each() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    // A request of 30 octets is lost. What the client says then is read behind it, when it is certain that it will not come; each
    // request had acknowledged the response before, of 27 octets.
    wire.step(Lose(ClientToServer, 30), whole);
    for (sent, acknowledged) in [(30, 27), (49, 54)] {
        wire.buffers[0].note_acknowledged(sent, 19, Acknowledged::Offset(acknowledged));
    }
    for (sent, acknowledged) in [(0, 30), (27, 49), (54, 68)] {
        wire.buffers[1].note_acknowledged(sent, 27, Acknowledged::Offset(acknowledged));
    }
    wire.step(C("GET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"), whole);
    for _ in 0..3 {
        wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    }
    assert_eq!(wire.finish().0, Outcome::of(&["? -> 204 response_without_request", "GET /b -> 204", "GET /c -> 204"]));
}

#[test]
fn content_is_whole_where_only_the_trailer_section_is_damaged() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&["GET /a -> 200 \"hello\" malformed_chunk", "GET /b -> 204"]));
}

#[test]
fn content_length_does_not_reach_over_a_gap_of_unknown_length() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel"), whole);
    wire.buffers[1].push_break();
    wire.step(S("lo, and what comes next is not fifty octets on"), whole);
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = Outcome::of(&["GET /a -> 200 \"hel\"? lost_bytes", "GET /b -> 204"]).unattributed(0, 46);
    assert_eq!(wire.finish().0, expected);
}

#[test]
fn contents_that_wait_with_their_exchange_are_counted() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), whole);
    let asked = wire.connection.memory();
    wire.step(C("hello"), whole);
    assert_eq!(wire.connection.memory(), asked + 5);
    // The response ends before the next request does, and its head and content wait with that.
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    assert_eq!(wire.connection.memory(), 0);
    wire.step(C("POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), whole);
    let answered = wire.connection.memory();
    assert!(answered > asked, "with the head of the response");
    wire.step(S("no"), whole);
    assert_eq!(wire.connection.memory(), answered + 2);
    wire.step(C("hello"), whole);
    assert_eq!(wire.connection.memory(), 0);
}

#[test]
fn room_for_pipelined_requests_goes_with_their_responses() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    (0..1000).for_each(|_| wire.step(C("GET / HTTP/1.1\r\n\r\n"), whole));
    (0..999).for_each(|_| wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole));
    let Connection { pending, ready, .. } = &wire.connection;
    assert_eq!((pending.len(), ready.len()), (1, 0));
    assert!(pending.capacity().max(ready.capacity()) <= MAX_SPARE, "{} {}", pending.capacity(), ready.capacity());
}
