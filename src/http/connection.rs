//! One HTTP/1 connection: requests and responses paired in order (RFC 9112 §9.3), until it ends or becomes something else.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::body::{Body, Framing, Progress, content_codings};
use super::head::Role;
use super::pending::Pending;
use super::reader::{Found, Next, Reader, State};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Content, ContentSink, Cost, Direction, Exchange, Form, Head, Request, Response, Upgrade};
use crate::options::Limits;
use crate::stream::{Frame, Provenance, StreamBuffer};

/// Informational responses to one request whose codes are named; all are charged.
const MAX_INTERIM_CODES: usize = 64;

/// What a connection yields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A request and its response; either may not have been captured. `ajax` and `side` are the caller's to fill in.
    Exchange(Box<Exchange>),
    /// The same, and with it the connection became something else: nothing behind the two heads was consumed, and
    /// nothing more will be.
    Upgraded(Box<Exchange>),
    /// Bytes that no message owns, now consumed.
    Unattributed {
        /// Who sent them.
        direction: Direction,
        /// What they cost.
        cost: Provenance,
        /// Why nobody owns them, where that is odd.
        anomalies: AnomalySet,
    },
}

/// The machine for one connection.
///
/// After bytes arrived call [`advance`](Self::advance) for their direction until it returns `None`, and then for the other
/// one: an answer to an Upgrade request decides whose bytes the client's next ones are.
#[derive(Debug)]
pub(crate) struct Connection {
    number: u64,
    client: SocketAddr,
    server: SocketAddr,
    head_limit: usize,
    pending_limit: usize,
    paused_limit: u64,
    requests: Reader,
    responses: Reader,
    /// Exchanges that are not complete, in the order of their requests. The last one's request may be in the middle of its
    /// content; the first one's response too, when `is_answering`.
    pending: VecDeque<Pending>,
    is_answering: bool,
    /// Informational responses to the first unanswered request.
    interim: Interim,
    /// Whether responses were lost since one was last paired, so that counting them does not tell which is whose.
    responses_lost: bool,
    is_upgraded: bool,
    /// Exchanges so far.
    exchanges: u64,
    ready: VecDeque<Event>,
}

/// Informational responses whose final one has not come.
#[derive(Debug, Default)]
struct Interim {
    cost: Provenance,
    codes: Vec<u16>,
}

impl Connection {
    /// A connection of which nothing was read yet; `number` is its own (`tcp.stream`).
    pub(crate) fn new(number: u64, client: SocketAddr, server: SocketAddr, limits: &Limits) -> Self {
        Self {
            number,
            client,
            server,
            head_limit: limits.http_head,
            pending_limit: limits.pending_requests.max(1),
            paused_limit: limits.out_of_order_bytes as u64,
            requests: Reader::new(Role::Request),
            responses: Reader::new(Role::Response),
            pending: VecDeque::new(),
            is_answering: false,
            interim: Interim::default(),
            responses_lost: false,
            is_upgraded: false,
            exchanges: 0,
            ready: VecDeque::new(),
        }
    }

    /// The capture began in the middle of this connection: both directions begin with a search for a header section.
    pub(crate) fn begin_mid_stream(&mut self) {
        self.requests.lose();
        self.responses.lose();
    }

    /// Consumes what is understood of a direction's unread bytes, up to the next event.
    ///
    /// `sink` takes this direction's content; it is the same one in every call.
    pub(crate) fn advance(&mut self, direction: Direction, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let has_moved = !self.is_upgraded
                && match direction {
                    Direction::ClientToServer => self.advance_requests(buffer, sink),
                    Direction::ServerToClient => self.advance_responses(buffer, sink),
                };
            if !has_moved && self.ready.is_empty() {
                return None;
            }
        }
    }

    /// Like [`advance`](Self::advance), and no more bytes of that direction will come: what is unfinished ends here.
    pub(crate) fn end(&mut self, direction: Direction, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Option<Event> {
        match direction {
            Direction::ClientToServer => self.requests.ended = true,
            Direction::ServerToClient => self.responses.ended = true,
        }
        self.advance(direction, buffer, sink)
    }

    /// What is left when both directions have ended: requests without response, one in each call. Bytes that are still
    /// unread then (behind an Upgrade request that was never answered) are the caller's.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        self.give_up_unowned();
        if let Some(pending) = self.pending.pop_front() {
            self.emit(pending);
        }
        self.ready.pop_front()
    }

    /// Whether a response that begins now would have no request: the caller may hold the server's bytes back until the
    /// client's have come.
    pub(crate) fn awaits_request(&self) -> bool {
        !self.is_upgraded && !self.is_answering && self.pending.iter().all(|pending| pending.exchange.response.is_some())
    }

    /// Whether the client's bytes stay unread until the server has answered an Upgrade or CONNECT request.
    pub(crate) fn awaits_upgrade(&self) -> bool {
        !self.is_upgraded && matches!(self.requests.state, State::Paused)
    }

    /// Whether something moved.
    fn advance_requests(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> bool {
        match &mut self.requests.state {
            State::Head => match self.requests.next(buffer, self.head_limit) {
                Next::Wait => false,
                Next::Unowned(cost, anomalies) => self.disown(Direction::ClientToServer, cost, anomalies),
                Next::Head(found) => {
                    self.begin_request(found, sink);
                    true
                }
            },
            State::Content(body) => {
                let Some(request) = self.pending.back_mut().and_then(|pending| pending.exchange.request.as_mut()) else {
                    self.requests.lose();
                    return true;
                };
                let progress = body.advance(buffer, &mut request.cost, sink);
                match end_of_content(body, progress, self.requests.ended) {
                    None => false,
                    Some(end) => {
                        self.end_request(end, sink);
                        true
                    }
                }
            }
            State::Paused if buffer.len() > self.paused_limit => {
                self.requests.lose();
                let cost = buffer.consume_all();
                self.disown(Direction::ClientToServer, cost, AnomalySet::from_iter([AnomalyKind::OpaqueStream]))
            }
            State::Paused => false,
        }
    }

    fn begin_request(&mut self, found: Found, sink: &mut impl ContentSink) {
        let mut anomalies = found.parsed.anomalies;
        let framing = Framing::of_request(&found.parsed.head, &mut anomalies);
        let mut request = Request { head: found.parsed.head, ..Request::default() };
        request.cost.add_framing(found.cost);
        let body = begin_content(framing, &request.head, &mut request.cost, &mut request.content, sink);
        let mut pending = self.pending_exchange(Some(request), found.first);
        pending.exchange.anomalies = anomalies;
        pending.after_loss = found.after_loss;
        self.pending.push_back(pending);
        match body {
            Some(body) => self.requests.state = State::Content(body),
            None => self.request_is_complete(),
        }
        self.bound_pending();
    }

    fn end_request(&mut self, end: End, sink: &mut impl ContentSink) {
        self.requests.state = State::Head;
        if let Some(pending) = self.pending.back_mut() {
            let exchange = &mut *pending.exchange;
            if let Some(request) = &mut exchange.request {
                end_content(end, &mut request.cost, &mut request.content, &mut exchange.anomalies, sink);
            }
        }
        if end.is_damaged() {
            self.requests.lose();
        }
        self.request_is_complete();
    }

    fn request_is_complete(&mut self) {
        let Some(pending) = self.pending.back_mut() else { return };
        pending.request_is_complete = true;
        let is_unanswered = pending.exchange.response.is_none();
        if is_unanswered && pending.exchange.request.as_ref().is_some_and(asks_for_upgrade) {
            self.requests.state = State::Paused;
        }
        self.release();
    }

    /// Whether something moved.
    fn advance_responses(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> bool {
        match &mut self.responses.state {
            State::Head => match self.responses.next(buffer, self.head_limit) {
                Next::Wait => false,
                Next::Unowned(cost, anomalies) => {
                    let cost = cost + std::mem::take(&mut self.interim).cost;
                    self.disown(Direction::ServerToClient, cost, anomalies)
                }
                Next::Head(found) => {
                    self.begin_response(found, sink);
                    true
                }
            },
            State::Content(body) => {
                let Some(response) = self.pending.front_mut().and_then(|pending| pending.exchange.response.as_mut()) else {
                    self.responses.lose();
                    return true;
                };
                let progress = body.advance(buffer, &mut response.cost, sink);
                match end_of_content(body, progress, self.responses.ended) {
                    None => false,
                    Some(end) => {
                        self.end_response(end, sink);
                        true
                    }
                }
            }
            State::Paused => false,
        }
    }

    fn begin_response(&mut self, found: Found, sink: &mut impl ContentSink) {
        let status = found.parsed.status;
        self.responses_lost |= found.after_loss;
        if is_interim(status) {
            self.interim.cost += found.cost;
            if self.interim.codes.len() < MAX_INTERIM_CODES {
                self.interim.codes.push(status);
            }
            return;
        }
        self.pair(found.first);
        let interim = std::mem::take(&mut self.interim);
        // `pair` leaves the exchange that is answered at the front.
        let Some(pending) = self.pending.front_mut() else { return };
        let exchange = &mut *pending.exchange;
        pending.response_first = found.first;
        exchange.informational = interim.codes;
        exchange.anomalies.merge(found.parsed.anomalies);
        exchange.upgrade = upgrade(exchange.request.as_ref(), status, &found.parsed.head);
        let method = exchange.request.as_ref().map(Request::method);
        let framing = Framing::of_response(method, status, &found.parsed.head, &mut exchange.anomalies);
        let mut response = Response { head: found.parsed.head, status, ..Response::default() };
        response.cost.add_framing(interim.cost);
        response.cost.add_framing(found.cost);
        let body = begin_content(framing, &response.head, &mut response.cost, &mut response.content, sink);
        exchange.response = Some(response);
        let is_upgrade = exchange.upgrade.is_some();
        self.is_answering = true;
        match body {
            Some(body) => self.responses.state = State::Content(body),
            None => self.response_is_complete(),
        }
        if is_upgrade {
            self.responses.state = State::Paused;
        } else if !self.pending.iter().any(|pending| pending.exchange.response.is_none()) && self.awaits_upgrade() {
            // The answer to what it asked for, and it is no.
            self.requests.state = State::Head;
        }
    }

    /// Puts the exchange that a response belongs to at the front: the oldest unanswered one, unless a loss speaks against it.
    fn pair(&mut self, first: Frame) {
        if self.responses_lost {
            let newest = self.pending.iter().rposition(|pending| pending.is_answerable_at(first));
            for _ in 0..newest.unwrap_or(0) {
                if let Some(older) = self.pending.pop_front() {
                    self.emit(older);
                }
            }
            self.responses_lost = newest.is_none();
        }
        let is_own = self.pending.front().is_some_and(|oldest| {
            // Without a loss order tells; frame numbers might not, as captures swap neighbouring frames.
            let is_certain = !self.responses_lost && !oldest.after_loss;
            oldest.exchange.response.is_none() && (is_certain || oldest.is_answerable_at(first))
        });
        if !is_own {
            let orphan = self.pending_exchange(None, Frame::default());
            self.pending.push_front(orphan);
        }
    }

    fn end_response(&mut self, end: End, sink: &mut impl ContentSink) {
        self.responses.state = State::Head;
        if let Some(pending) = self.pending.front_mut() {
            let exchange = &mut *pending.exchange;
            if let Some(response) = &mut exchange.response {
                end_content(end, &mut response.cost, &mut response.content, &mut exchange.anomalies, sink);
            }
        }
        if end.is_damaged() {
            self.responses.lose();
        }
        self.response_is_complete();
    }

    fn response_is_complete(&mut self) {
        self.is_answering = false;
        if let Some(pending) = self.pending.front_mut() {
            pending.response_is_complete = true;
        }
        self.release();
    }

    /// Emits the exchanges at the front that are complete.
    fn release(&mut self) {
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.request_is_complete && pending.response_is_complete) {
            self.emit(pending);
        }
    }

    /// Emits the oldest unanswered request when too many wait.
    fn bound_pending(&mut self) {
        let oldest = usize::from(self.is_answering);
        if self.pending.len() > self.pending_limit
            && oldest + 1 < self.pending.len()
            && let Some(pending) = self.pending.remove(oldest)
        {
            self.emit(pending);
        }
    }

    fn pending_exchange(&self, request: Option<Request>, first: Frame) -> Pending {
        Pending::new(self.number, self.client, self.server, request, first)
    }

    fn emit(&mut self, pending: Pending) {
        self.exchanges += 1;
        let mut exchange = pending.into_exchange();
        exchange.number = self.exchanges;
        if exchange.upgrade.is_none() {
            self.ready.push_back(Event::Exchange(exchange));
            return;
        }
        self.is_upgraded = true;
        self.give_up_unowned();
        self.ready.push_back(Event::Upgraded(exchange));
    }

    /// Gives up what was consumed for messages that will not come.
    fn give_up_unowned(&mut self) {
        let client = self.requests.take_unowned();
        let server = self.responses.take_unowned() + std::mem::take(&mut self.interim).cost;
        for (direction, cost) in [(Direction::ClientToServer, client), (Direction::ServerToClient, server)] {
            if !cost.is_empty() {
                self.disown(direction, cost, AnomalySet::EMPTY);
            }
        }
    }

    fn disown(&mut self, direction: Direction, cost: Provenance, anomalies: AnomalySet) -> bool {
        self.ready.push_back(Event::Unattributed { direction, cost, anomalies });
        true
    }
}

/// Why a message's content is over.
#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    /// The stream ended before it.
    Cut,
    /// What follows is not its framing.
    Damaged(AnomalyKind),
}

impl End {
    fn is_damaged(self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

fn end_of_content(body: &Body, progress: Progress, stream_has_ended: bool) -> Option<End> {
    match progress {
        Progress::Complete => Some(End::Complete),
        Progress::Damaged(why) => Some(End::Damaged(why)),
        Progress::Wait if !stream_has_ended => None,
        Progress::Wait if body.ends_with_stream() => Some(End::Complete),
        Progress::Wait => Some(End::Cut),
    }
}

/// Tells the sink what is to come; when there is no content the message is complete without it.
fn begin_content(framing: Framing, head: &Head, cost: &mut Cost, content: &mut Content, sink: &mut impl ContentSink) -> Option<Body> {
    let body = Body::new(framing);
    if body.is_some() {
        sink.begin(Form::Http { content_encoding: &content_codings(head) });
    } else {
        content.bytes = Some(0);
        cost.content_bytes = Some(0);
    }
    body
}

fn end_content(end: End, cost: &mut Cost, content: &mut Content, anomalies: &mut AnomalySet, sink: &mut impl ContentSink) {
    *content = sink.end(matches!(end, End::Complete));
    cost.content_bytes = content.bytes;
    if cost.lost_bytes > 0 {
        anomalies.insert(AnomalyKind::LostBytes);
    }
    match end {
        End::Complete => {}
        End::Cut => anomalies.insert(AnomalyKind::IncompleteContent),
        End::Damaged(why) => anomalies.insert(why),
    }
}

/// 101 is final for HTTP: what follows is another protocol's (RFC 9110 §15.2.2).
fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

/// Whether what follows a request may be another protocol's (RFC 9110 §7.8, §9.3.6).
fn asks_for_upgrade(request: &Request) -> bool {
    request.method() == b"CONNECT" || request.head.field("upgrade").is_some()
}

/// What a final response makes of the connection.
fn upgrade(request: Option<&Request>, status: u16, response: &Head) -> Option<Upgrade> {
    let names_websocket = |head: &Head| head.has_token("upgrade", "websocket");
    match status {
        101 if names_websocket(response) || request.is_some_and(|request| names_websocket(&request.head)) => Some(Upgrade::WebSocket),
        101 => Some(Upgrade::Other),
        200..300 if request.is_some_and(|request| request.method() == b"CONNECT") => Some(Upgrade::Tunnel),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
