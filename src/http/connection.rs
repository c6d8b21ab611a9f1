//! One connection's HTTP/1: requests one way, responses the other, exchanges out.

use std::net::SocketAddr;

use super::body::{Body, Framing, Progress};
use super::head::{self, EndFinder};
use super::pairing::{Pending, Queue};
use super::{looks_like_request, looks_like_response};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Ajax, Content, ContentSink, Cost, Direction, Exchange, Form, Head, Request, Response, Side, Upgrade};
use crate::options::Limits;
use crate::stream::{Provenance, StreamBuffer};

/// What a connection yields.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request and its response.
    Exchange(Box<Exchange>),
    /// An exchange by which the connection became something else: what is unread is no longer HTTP/1.
    Upgraded(Box<Exchange>),
    /// Bytes that no message owns.
    Unattributed(Provenance),
}

/// The machine of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    number: u64,
    client: SocketAddr,
    server: SocketAddr,
    max_head: usize,
    max_pending: usize,
    /// By direction.
    streams: [Stream; 2],
    queue: Queue,
    /// Responses may have been lost since the last one.
    responses_lost: bool,
}

/// One direction.
#[derive(Debug, Default)]
struct Stream {
    state: State,
    end_finder: EndFinder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A start line comes next.
    #[default]
    Head,
    /// Inside content.
    Body(Body),
    /// What begins here is no head; the rest of its segment is passed over.
    Refused,
    /// Where the next message begins is not known; each segment's beginning is looked at.
    Lost,
}

/// What a turn of one direction came to.
enum Turn {
    /// Something was consumed.
    Again,
    /// More bytes are needed.
    Wait,
    /// Something is to be said.
    Say(Event),
}

impl Connection {
    /// A connection on which HTTP/1 begins.
    pub(crate) fn new(number: u64, client: SocketAddr, server: SocketAddr, limits: &Limits) -> Self {
        Self {
            number,
            client,
            server,
            max_head: limits.http_head,
            max_pending: limits.pending_requests.max(1),
            streams: Default::default(),
            queue: Queue::default(),
            responses_lost: false,
        }
    }

    /// Takes what it can of a direction's buffer; call again until `None`.
    pub(crate) fn advance(&mut self, direction: Direction, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        loop {
            if let Some(complete) = self.queue.pop_complete() {
                return Some(Event::Exchange(self.exchange(complete)));
            }
            if buffer.is_empty() {
                return None;
            }
            let turn = match self.streams[direction as usize].state {
                State::Head if direction == Direction::ClientToServer => self.read_request(buffer, sink),
                State::Head => self.read_response(buffer, sink),
                State::Body(body) => self.read_content(body, direction, buffer, sink),
                State::Refused => self.pass_over(direction, buffer),
                State::Lost => self.seek(direction, buffer),
            };
            match turn {
                Turn::Again => {}
                Turn::Wait => return None,
                Turn::Say(event) => return Some(event),
            }
        }
    }

    /// Nothing more comes in a direction: content that ends with the connection is complete, other content is cut. Call
    /// again until `None`.
    pub(crate) fn end(&mut self, direction: Direction, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        if let Some(event) = self.advance(direction, buffer, sink) {
            return Some(event);
        }
        if let State::Body(body) = self.streams[direction as usize].state {
            let anomaly = if body == Body::UntilClose { None } else { Some(AnomalyKind::IncompleteContent) };
            self.end_content(direction, sink.end(anomaly.is_none()), anomaly);
            return self.end(direction, buffer, sink);
        }
        let waits = direction == Direction::ClientToServer && self.queue.may_switch();
        (!buffer.is_empty() && !waits).then(|| Event::Unattributed(buffer.consume_all()))
    }

    /// The connection has ended: what still waits, oldest first. Call until `None`.
    pub(crate) fn finish(&mut self) -> Option<Box<Exchange>> {
        let pending = self.queue.pop()?;
        Some(self.exchange(pending))
    }

    /// Whether a response comes next and no request waits for one.
    pub(crate) fn awaits_request(&self) -> bool {
        self.streams[Direction::ServerToClient as usize].state == State::Head && self.queue.is_answered()
    }

    fn exchange(&self, pending: Pending) -> Box<Exchange> {
        let blank = Exchange {
            connection: self.number,
            number: 0,
            client: self.client,
            server: self.server,
            request: None,
            response: None,
            informational: Vec::new(),
            upgrade: None,
            time_to_first_byte_s: None,
            time_to_last_byte_s: None,
            ajax: Ajax::default(),
            side: Side::OtherHttp,
            anomalies: AnomalySet::EMPTY,
        };
        Box::new(pending.into_exchange(blank))
    }

    /// Reads a request's head when it is all there.
    fn read_request(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Turn {
        if self.queue.may_switch() {
            return Turn::Wait;
        }
        let direction = Direction::ClientToServer;
        let (parsed, consumed) = match self.read_head(direction, buffer, looks_like_request, head::request) {
            Ok(read) => read,
            Err(turn) => return turn,
        };
        let mut anomalies: AnomalySet = parsed.anomaly.into_iter().collect();
        let body = Body::begin(Framing::of_request(&parsed.head, &mut anomalies));
        let (mut cost, content) = begin_content(&parsed.head, body, sink);
        cost.add_framing(consumed);
        self.set_state(direction, body.map_or(State::Head, State::Body));
        self.queue.push(Pending::of_request(Request { cost, head: parsed.head, content }, body.is_some(), anomalies));
        if self.queue.len() > self.max_pending {
            self.queue.give_up_oldest();
        }
        Turn::Again
    }

    /// Reads a response's head when it is all there.
    fn read_response(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Turn {
        let direction = Direction::ServerToClient;
        let (parsed, consumed) = match self.read_head(direction, buffer, looks_like_response, head::response) {
            Ok(read) => read,
            Err(turn) => return turn,
        };
        if std::mem::take(&mut self.responses_lost) {
            self.queue.skip_lost_responses(consumed.first);
        }
        if self.queue.is_answered() {
            self.queue.push(Pending::default());
        }
        let Some(pending) = self.queue.answering() else { return Turn::Again };
        let status = status(&parsed.head);
        pending.anomalies.merge(parsed.anomaly.into_iter().collect());
        if (100..200).contains(&status) && status != 101 {
            pending.informational.push(status);
            pending.informational_cost.add_framing(consumed);
            return Turn::Again;
        }
        let method = pending.request.as_ref().map(|request| request.method().to_vec());
        let mut anomalies = AnomalySet::EMPTY;
        let body = Body::begin(Framing::of_response(&parsed.head, status, method.as_deref(), &mut anomalies));
        let (mut cost, content) = begin_content(&parsed.head, body, sink);
        cost.add_framing(consumed);
        pending.anomalies.merge(anomalies);
        pending.upgrade = upgrade(&parsed.head, status, method.as_deref());
        pending.response_first = consumed.first;
        pending.response = Some(Response { cost, head: parsed.head, content, status });
        if pending.upgrade.is_some() {
            return self.switch();
        }
        pending.answered = body.is_none();
        self.set_state(direction, body.map_or(State::Head, State::Body));
        Turn::Again
    }

    fn switch(&mut self) -> Turn {
        match self.queue.take_answering() {
            Some(switched) => Turn::Say(Event::Upgraded(self.exchange(switched))),
            None => Turn::Again,
        }
    }

    /// The head at the front of the buffer and what it cost; or what to do instead.
    fn read_head(
        &mut self,
        direction: Direction,
        buffer: &mut StreamBuffer,
        looks_right: fn(&[u8]) -> Option<bool>,
        parse: fn(&[u8]) -> head::Parsed,
    ) -> Result<(head::Parsed, Provenance), Turn> {
        let bytes = buffer.peek();
        let cut = (bytes.len() as u64) < buffer.len();
        let lead = head::leading_empty_lines(bytes);
        if looks_right(bytes) == Some(false) {
            return Err(self.refuse(direction, AnomalyKind::MalformedHttpHead));
        }
        let stream = &mut self.streams[direction as usize];
        match stream.end_finder.find(bytes, lead) {
            Some(end) if end <= self.max_head => {
                stream.end_finder.reset();
                let parsed = parse(&bytes[lead..end]);
                Ok((parsed, buffer.consume(end as u64)))
            }
            Some(_) => Err(self.refuse(direction, AnomalyKind::HttpHeadLimit)),
            None if bytes.len() > self.max_head => Err(self.refuse(direction, AnomalyKind::HttpHeadLimit)),
            None if cut => Err(self.refuse(direction, AnomalyKind::LostBytes)),
            None => Err(Turn::Wait),
        }
    }

    /// Takes a piece of content.
    fn read_content(&mut self, mut body: Body, direction: Direction, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Turn {
        let Some(cost) = self.cost(direction) else {
            self.set_state(direction, State::Lost);
            return Turn::Again;
        };
        let progress = body.step(buffer, cost, sink);
        self.set_state(direction, State::Body(body));
        match progress {
            Progress::Advanced => Turn::Again,
            Progress::Starved => Turn::Wait,
            Progress::Complete => {
                self.end_content(direction, sink.end(true), None);
                Turn::Again
            }
            Progress::Broken(anomaly) => {
                self.end_content(direction, sink.end(false), Some(anomaly));
                self.lose(direction, anomaly)
            }
        }
    }

    /// The cost of the message whose content is coming in a direction.
    fn cost(&mut self, direction: Direction) -> Option<&mut Cost> {
        match direction {
            Direction::ClientToServer => self.queue.receiving()?.request.as_mut().map(|request| &mut request.cost),
            Direction::ServerToClient => self.queue.answering()?.response.as_mut().map(|response| &mut response.cost),
        }
    }

    /// A message's content has ended.
    fn end_content(&mut self, direction: Direction, content: Content, anomaly: Option<AnomalyKind>) {
        self.set_state(direction, State::Head);
        let pending = match direction {
            Direction::ClientToServer => self.queue.receiving(),
            Direction::ServerToClient => self.queue.answering(),
        };
        let Some(pending) = pending else { return };
        pending.anomalies.merge(anomaly.into_iter().collect());
        let (cost, slot) = match direction {
            Direction::ClientToServer => {
                pending.request_open = false;
                let Some(request) = &mut pending.request else { return };
                (&mut request.cost, &mut request.content)
            }
            Direction::ServerToClient => {
                pending.answered = true;
                let Some(response) = &mut pending.response else { return };
                (&mut response.cost, &mut response.content)
            }
        };
        cost.content_bytes = content.bytes;
        if cost.lost_bytes > 0 {
            pending.anomalies.insert(AnomalyKind::LostBytes);
        }
        *slot = content;
    }

    /// The beginning of a direction's next message is not known any more.
    fn lose(&mut self, direction: Direction, why: AnomalyKind) -> Turn {
        self.set_state(direction, State::Lost);
        self.streams[direction as usize].end_finder.reset();
        if direction == Direction::ServerToClient {
            self.responses_lost = true;
            if let Some(pending) = self.queue.answering() {
                pending.anomalies.insert(why);
            }
        }
        Turn::Again
    }

    /// What is here is not a head that can be read.
    fn refuse(&mut self, direction: Direction, why: AnomalyKind) -> Turn {
        let turn = self.lose(direction, why);
        self.set_state(direction, State::Refused);
        turn
    }

    fn pass_over(&mut self, direction: Direction, buffer: &mut StreamBuffer) -> Turn {
        self.set_state(direction, State::Lost);
        let run = buffer.front_run();
        Turn::Say(Event::Unattributed(buffer.consume(run)))
    }

    /// Looks for a start line at the next segment's beginning; what is passed over is nobody's.
    fn seek(&mut self, direction: Direction, buffer: &mut StreamBuffer) -> Turn {
        let looks_right = match direction {
            Direction::ClientToServer => looks_like_request,
            Direction::ServerToClient => looks_like_response,
        };
        if buffer.missing() == 0 && buffer.at_run_start() {
            match looks_right(buffer.peek()) {
                Some(true) => {
                    self.set_state(direction, State::Head);
                    return Turn::Again;
                }
                None if buffer.front_run() == buffer.len() => return Turn::Wait,
                None | Some(false) => {}
            }
        }
        let run = buffer.front_run();
        Turn::Say(Event::Unattributed(buffer.consume(run)))
    }

    fn set_state(&mut self, direction: Direction, state: State) {
        self.streams[direction as usize].state = state;
    }
}

/// The cost and content of a message whose head was read: nothing is known of content that is still to come.
fn begin_content(head: &Head, body: Option<Body>, sink: &mut impl ContentSink) -> (Cost, Content) {
    if body.is_none() {
        let content = Content { bytes: Some(0), ..Content::default() };
        return (Cost { content_bytes: Some(0), ..Cost::default() }, content);
    }
    let mut codings = head.values("content-encoding");
    match (codings.next(), codings.next()) {
        (only, None) => sink.begin(Form::Http { content_encoding: only.unwrap_or_default() }),
        // Several field lines are one list (RFC 9110 §5.3).
        _ => sink.begin(Form::Http { content_encoding: &head.values("content-encoding").collect::<Vec<_>>().join(&b","[..]) }),
    }
    (Cost::default(), Content::default())
}

fn status(head: &Head) -> u16 {
    let code = head.start_line()[1];
    str::from_utf8(code.get(..3).unwrap_or(code)).ok().and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// What the connection becomes by a final response (RFC 9110 §7.8, §9.3.6).
fn upgrade(head: &Head, status: u16, method: Option<&[u8]>) -> Option<Upgrade> {
    match status {
        101 if head.has_token("upgrade", "websocket") => Some(Upgrade::WebSocket),
        101 => Some(Upgrade::Other),
        200..=299 if method == Some(b"CONNECT") => Some(Upgrade::Tunnel),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
