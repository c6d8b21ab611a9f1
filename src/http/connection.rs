//! One HTTP/1 connection: requests and responses paired in order (RFC 9112 §9.2), until it ends or becomes something else.

mod content;
mod pairing;
mod shown;
mod whole;

use content::{End, begin_content, end_content, end_of_content, form, is_snapped, take_from_buffer};
use shown::shown_request;
pub(crate) use whole::{Captured, Taken};

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::body::{Body, Framing, Rest};
use super::detect::{looks_like_request, looks_like_response};
use super::head::Role;
use super::heads::Heads;
use super::pending::{Gap, Pending, Place};
use super::reader::{Cut, Found, Next, Reader, State};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{ContentSink, Direction, Exchange, FieldName, Head, HttpPart, Request, Response, Upgrade};
use crate::options::Limits;
use crate::stream::{Acknowledged, Frame, Provenance, StreamBuffer};

/// Informational responses to one request whose codes are named; all are charged.
const MAX_INTERIM_CODES: usize = 64;

/// Exchanges that another connection need not have room for.
const MAX_SPARE: usize = 8;

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
    /// A message has ended; only where [`Connection::show_messages`] asked for it. Its exchange is still to come.
    Shown(Box<HttpPart>),
    /// An informational response has ended (RFC 9110 §15.2). Behind it the final one may be lost, of which the caller knows more.
    Informed,
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
    /// What their requests take, in octets.
    waiting: usize,
    is_answering: bool,
    /// Whether the response under way may answer a HEAD request, which was not captured: its header section then says
    /// nothing of what follows (RFC 9110 §9.3.2).
    may_answer_head: bool,
    /// Informational responses to the first unanswered request.
    interim: Option<Box<Interim>>,
    /// Whether requests or responses were lost since a response was last paired, so that counting them does not tell which is whose.
    responses_lost: bool,
    /// Whether one of those was a response for certain, and not the end of one or an informational one.
    misses_response: bool,
    /// Whether the server sends informational responses.
    informs: bool,
    /// Whether the client has sent a request before it had the response to the one before.
    is_pipelined: bool,
    /// Where the last response ended whose request is certain, or the first one begins.
    answered_end: Option<u64>,
    /// Whether requests that were held back are to be read before the next response.
    gives_way: bool,
    is_upgraded: bool,
    /// Whether messages are shown as soon as they have ended.
    shows: bool,
    /// Stream offset of the response under way.
    response_start: u64,
    /// Exchanges so far.
    exchanges: u64,
    ready: VecDeque<Event>,
}

/// Informational responses whose final one has not come.
#[derive(Debug, Default)]
struct Interim {
    /// Where the first of them begins, and what it acknowledged.
    begin: Option<(u64, Option<Acknowledged>)>,
    cost: Provenance,
    codes: Vec<u16>,
}

impl Connection {
    /// A connection of which nothing was read yet; `number` is its own (`tcp.stream`), and responses begin at that stream
    /// offset.
    #[cfg(test)]
    pub(crate) fn new(number: u64, client: SocketAddr, server: SocketAddr, responses_begin: u64, limits: &Limits) -> Self {
        *Self::in_place_of(None, number, [client, server], responses_begin, limits)
    }

    /// The same in the memory of one that has ended, if there is such.
    pub(crate) fn in_place_of(
        ended: Option<Box<Self>>,
        number: u64,
        [client, server]: [SocketAddr; 2],
        responses_begin: u64,
        limits: &Limits,
    ) -> Box<Self> {
        let Some(mut ended) = ended else {
            // Most connections have one exchange at a time.
            let queues = (VecDeque::with_capacity(1), VecDeque::with_capacity(1));
            return Box::new(Self::with_queues(queues, number, [client, server], responses_begin, limits));
        };
        let (mut pending, mut ready) = (std::mem::take(&mut ended.pending), std::mem::take(&mut ended.ready));
        pending.clear();
        ready.clear();
        *ended = Self::with_queues((pending, ready), number, [client, server], responses_begin, limits);
        ended
    }

    /// Whether its memory is worth keeping for another.
    pub(crate) fn is_small(&self) -> bool {
        self.pending.capacity().max(self.ready.capacity()) <= MAX_SPARE
    }

    fn with_queues(
        (pending, ready): (VecDeque<Pending>, VecDeque<Event>),
        number: u64,
        [client, server]: [SocketAddr; 2],
        responses_begin: u64,
        limits: &Limits,
    ) -> Self {
        Self {
            number,
            client,
            server,
            head_limit: limits.http_head,
            pending_limit: limits.pending_requests.max(1),
            paused_limit: limits.out_of_order_bytes as u64,
            requests: Reader::new(Role::Request),
            responses: Reader::new(Role::Response),
            pending,
            waiting: 0,
            is_answering: false,
            may_answer_head: false,
            interim: None,
            responses_lost: false,
            misses_response: false,
            informs: false,
            is_pipelined: false,
            answered_end: Some(responses_begin),
            gives_way: false,
            is_upgraded: false,
            shows: false,
            response_start: 0,
            exchanges: 0,
            ready,
        }
    }

    /// Reads a word of each cache line that a segment will need.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let pending = self.pending.front().map_or(0, Pending::touch);
        self.number ^ self.exchanges ^ self.waiting as u64 ^ self.requests.touch() ^ self.responses.touch() ^ pending
    }

    /// From now on each message is shown when it has ended, before its exchange is complete.
    pub(crate) fn show_messages(&mut self) {
        self.shows = true;
    }

    /// The capture began in the middle of this connection: both directions begin with a search for a header section.
    pub(crate) fn begin_mid_stream(&mut self) {
        self.answered_end = None;
        Direction::BOTH.into_iter().for_each(|direction| self.begin_behind_loss(direction));
    }

    /// Something was passed over before a direction's first byte: what stands at its front may be anywhere in a message.
    pub(crate) fn begin_behind_loss(&mut self, direction: Direction) {
        match direction {
            Direction::ClientToServer => self.requests.lose_before(),
            Direction::ServerToClient => self.responses.lose_before(),
        }
    }

    /// Consumes what is understood of a direction's unread bytes, up to the next event.
    ///
    /// `sink` takes this direction's content; it is the same one in every call. `heads` are of whatever was read before.
    pub(crate) fn advance(
        &mut self,
        direction: Direction,
        buffer: &mut StreamBuffer,
        sink: &mut impl ContentSink,
        heads: &mut Heads,
    ) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let has_moved = !self.is_upgraded
                && match direction {
                    Direction::ClientToServer => self.advance_requests(buffer, sink, heads),
                    Direction::ServerToClient => self.advance_responses(buffer, sink, heads),
                };
            if !has_moved && self.ready.is_empty() {
                return None;
            }
        }
    }

    /// Like [`advance`](Self::advance), and no more bytes of that direction will come: what is unfinished ends here.
    /// `closed` says that its sender closed it, rather than that the capture ended.
    pub(crate) fn end(
        &mut self,
        direction: Direction,
        closed: bool,
        buffer: &mut StreamBuffer,
        sink: &mut impl ContentSink,
        heads: &mut Heads,
    ) -> Option<Event> {
        let reader = match direction {
            Direction::ClientToServer => &mut self.requests,
            Direction::ServerToClient => &mut self.responses,
        };
        reader.ended = true;
        reader.closed = closed;
        self.advance(direction, buffer, sink, heads)
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

    /// What the requests take whose exchanges are not complete, in octets.
    pub(crate) fn memory(&self) -> usize {
        self.waiting
    }

    /// The server's stream begins with that sequence number, and responses may have come before. Now what requests acknowledged of
    /// it can be told.
    pub(crate) fn begin_late(&mut self, first: u32) {
        self.answered_end = None;
        for pending in &mut self.pending {
            pending.place.acknowledged = pending.place.acknowledged.and_then(|acknowledged| acknowledged.of_stream_from(first));
        }
    }

    /// Whether a response begins next: the caller may hold the server's bytes back until the client's before it have come.
    pub(crate) fn awaits_request(&self) -> bool {
        let is_certain = !self.responses_lost && self.pending.iter().any(|pending| pending.exchange.response.is_none());
        !self.is_upgraded && !self.is_answering && !is_certain
    }

    /// Whether the client's bytes come before the server's next ones; says so once.
    pub(crate) fn gives_way(&mut self) -> bool {
        std::mem::take(&mut self.gives_way)
    }

    /// Whether requests may be found missing when the client's next bytes are read, and what those are may depend on the
    /// answer to one of them, which comes first then.
    pub(crate) fn has_lost_requests(&self, buffer: &StreamBuffer) -> bool {
        let begins_request = || buffer.peek_at(buffer.missing()).and_then(looks_like_request) == Some(true);
        !self.is_upgraded && self.requests.is_lost(buffer) && !begins_request()
    }

    /// Whether responses may have been lost before the server's next bytes.
    pub(crate) fn has_lost_responses(&self, buffer: &StreamBuffer) -> bool {
        !self.is_upgraded && self.responses.is_lost(buffer)
    }

    /// Whether an opening handshake of a WebSocket waits for its answer.
    pub(crate) fn awaits_websocket(&self) -> bool {
        let asked = self.pending.back().and_then(|pending| pending.exchange.request.as_ref());
        self.awaits_upgrade()
            && !self.is_answering
            && asked.is_some_and(|request| request.head.has_token_in(FieldName::Upgrade, "websocket"))
    }

    /// The answer to an opening handshake was not captured, and what follows shows that it was yes.
    pub(crate) fn assume_websocket(&mut self) {
        while self.pending.len() > 1
            && let Some(older) = self.pending.pop_front()
        {
            self.emit(older);
        }
        if let Some(mut asked) = self.pending.pop_front() {
            asked.exchange.upgrade = Some(Upgrade::WebSocket);
            self.emit(asked);
        }
    }

    /// The caller has consumed bytes of the server that were lost, or are no response.
    pub(crate) fn lose_responses(&mut self) {
        self.responses.lose();
    }

    /// Whether the client's bytes stay unread until the server has answered an Upgrade or CONNECT request.
    pub(crate) fn awaits_upgrade(&self) -> bool {
        !self.is_upgraded && matches!(self.requests.state, State::Paused)
    }

    /// Whether something moved.
    fn advance_requests(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink, heads: &mut Heads) -> bool {
        match &mut self.requests.state {
            State::Head => match self.requests.next(buffer, self.head_limit, self.number, heads) {
                Next::Wait => false,
                Next::Unowned(cost, anomalies) => self.disown(Direction::ClientToServer, cost, anomalies),
                Next::Head(found) => {
                    self.begin_request(found, buffer, sink);
                    true
                }
            },
            State::Content(body) => {
                let Some(request) = self.pending.back_mut().and_then(|pending| pending.exchange.request.as_mut()) else {
                    self.requests.lose();
                    return true;
                };
                let progress = body.advance(buffer, &mut request.cost, sink);
                if is_snapped(body, progress, buffer) {
                    request.content = sink.end(false);
                    self.requests.state = State::Content(Body::Rest(Rest::of_chunks(Role::Request)));
                    return true;
                }
                let (ended, closed) = (self.requests.ended, self.requests.closed);
                match end_of_content(body, progress, ended, closed) {
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

    fn begin_request(&mut self, mut found: Found, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) {
        let (mut anomalies, place) = (found.parsed.anomalies, found.place());
        let framing = Framing::of_request(&found.parsed.head, &mut anomalies);
        let mut request = Request { head: std::mem::take(&mut found.parsed.head), ..Request::default() };
        let mut is_whole = false;
        let body = match found.cut {
            None => {
                let form = &form(framing, &request.head, request.head.start_line_part(1), Direction::ClientToServer);
                is_whole = take_from_buffer(framing, &found, form, &mut request.cost, &mut request.content, buffer, sink);
                if is_whole {
                    None
                } else {
                    request.cost.add_framing(found.take(buffer));
                    begin_content(framing, form, &mut request.cost, &mut request.content, sink)
                }
            }
            Some(Cut::Snapped) => {
                request.cost.add_framing(found.take(buffer));
                Some(Body::Rest(Rest::of_head(Role::Request, &request.head)))
            }
            Some(Cut::Lost) => {
                request.cost.add_framing(found.take(buffer));
                anomalies.insert(AnomalyKind::LostBytes);
                None
            }
        };
        let mut pending = self.pending_exchange(Some(request), found.first);
        pending.exchange.places[0] = Some(place);
        pending.add_odd(anomalies, Direction::ClientToServer);
        pending.after_loss = found.after_loss;
        pending.gap = found.gap;
        pending.place = Place { start: found.begin(), head_end: found.end(), acknowledged: found.acknowledged };
        self.is_pipelined |= self.is_early(found.acknowledged);
        self.waiting += pending.memory();
        self.pending.push_back(pending);
        match body {
            Some(body) => self.requests.state = State::Content(body),
            None if is_whole => {}
            None => self.request_is_complete(),
        }
        self.bound_pending();
        if is_whole {
            self.request_is_complete();
        }
    }

    fn end_request(&mut self, end: End, sink: &mut impl ContentSink) {
        let body = std::mem::replace(&mut self.requests.state, State::Head);
        if let Some(pending) = self.pending.back_mut()
            && let Some(request) = &mut pending.exchange.request
        {
            let odd = end_content(end, &body, &mut request.cost, &mut request.content, sink);
            pending.add_odd(odd, Direction::ClientToServer);
        }
        if end.is_damaged() {
            self.requests.lose();
        }
        self.request_is_complete();
    }

    fn request_is_complete(&mut self) {
        let Some(pending) = self.pending.back_mut() else { return };
        pending.request_is_complete = true;
        if self.shows {
            self.ready.extend(shown_request(pending));
        }
        let is_unanswered = pending.exchange.response.is_none();
        if is_unanswered && pending.exchange.request.as_ref().is_some_and(asks_for_upgrade) {
            self.requests.state = State::Paused;
        }
        self.release();
    }

    /// Whether something moved.
    fn advance_responses(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink, heads: &mut Heads) -> bool {
        match &mut self.responses.state {
            State::Head => match self.responses.next(buffer, self.head_limit, self.number, heads) {
                Next::Wait => false,
                Next::Unowned(cost, anomalies) => {
                    let cost = cost + self.take_interim();
                    self.disown(Direction::ServerToClient, cost, anomalies)
                }
                Next::Head(found) => {
                    self.begin_response(found, buffer, sink);
                    self.note_answered(buffer);
                    true
                }
            },
            State::Content(body) => {
                let Some(response) = self.pending.front_mut().and_then(|pending| pending.exchange.response.as_mut()) else {
                    self.responses.lose();
                    return true;
                };
                if self.may_answer_head && !buffer.is_empty() {
                    match looks_like_response(buffer.peek()) {
                        Some(true) => {
                            self.end_response(End::Absent, sink);
                            return true;
                        }
                        _ if buffer.is_lost_at_front() => {
                            self.end_response(End::Damaged(AnomalyKind::LostBytes), sink);
                            return true;
                        }
                        None if !buffer.peek().is_empty() && !self.responses.ended => return false,
                        None | Some(false) => self.may_answer_head = false,
                    }
                }
                let progress = body.advance(buffer, &mut response.cost, sink);
                if is_snapped(body, progress, buffer) {
                    response.content = sink.end(false);
                    self.responses.state = State::Content(Body::Rest(Rest::of_chunks(Role::Response)));
                    return true;
                }
                let (ended, closed) = (self.responses.ended, self.responses.closed && !self.may_answer_head);
                match end_of_content(body, progress, ended, closed) {
                    None => false,
                    Some(end) => {
                        self.end_response(end, sink);
                        self.note_answered(buffer);
                        true
                    }
                }
            }
            State::Paused => false,
        }
    }

    fn begin_response(&mut self, mut found: Found, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) {
        let status = found.parsed.status;
        self.responses_lost |= found.after_loss;
        self.misses_response |= found.gap == Gap::Between;
        if found.after_loss && self.interim.is_some() {
            // Theirs was lost.
            let cost = self.take_interim();
            self.disown(Direction::ServerToClient, cost, AnomalySet::EMPTY);
        }
        if is_interim(status) {
            return self.add_interim(&found, buffer);
        }
        self.response_start = found.start;
        let interim_begin = self.interim.as_ref().and_then(|interim| interim.begin);
        let (start, acknowledged) = interim_begin.unwrap_or((found.begin(), found.acknowledged));
        self.pair(found.first, start, acknowledged);
        self.finish_cut_request();
        let interim = self.interim.take().map(|interim| *interim).unwrap_or_default();
        // `pair` leaves the exchange that is answered at the front.
        let Some(pending) = self.pending.front_mut() else { return };
        let exchange = &mut *pending.exchange;
        pending.response_first = found.first;
        exchange.informational = interim.codes;
        exchange.places[1] = Some(found.place());
        let mut anomalies = found.parsed.anomalies;
        exchange.upgrade = upgrade(exchange.request.as_ref(), status, &found.parsed.head, found.cut.is_some());
        let method = exchange.request.as_ref().map(Request::method);
        let framing = Framing::of_response(method, status, &found.parsed.head, &mut anomalies);
        let mut response = Response { head: std::mem::take(&mut found.parsed.head), status, ..Response::default() };
        response.cost.add_framing(interim.cost);
        let body = match found.cut {
            None => begin_response_content(framing, &found, exchange.request.as_ref(), &mut response, buffer, sink),
            Some(cut) => {
                response.cost.add_framing(found.take(buffer));
                if cut == Cut::Lost {
                    anomalies.insert(AnomalyKind::LostBytes);
                }
                let has_rest = cut == Cut::Snapped && exchange.upgrade.is_none();
                has_rest.then(|| Body::Rest(Rest::of_head(Role::Response, &response.head)))
            }
        };
        self.may_answer_head = exchange.request.is_none() && body.as_ref().is_some_and(Body::is_content);
        exchange.response = Some(response);
        let is_upgrade = exchange.upgrade.is_some();
        pending.add_odd(anomalies, Direction::ServerToClient);
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
            self.gives_way = true;
        }
    }

    /// Takes an informational response (RFC 9110 §15.2): it is part of what its final one costs.
    fn add_interim(&mut self, found: &Found, buffer: &mut StreamBuffer) {
        self.informs = true;
        if found.cut.is_some() {
            self.responses.lose();
        }
        let cost = found.take(buffer);
        if self.shows {
            self.show_interim(found, cost);
        }
        let interim = self.interim.get_or_insert_default();
        interim.begin.get_or_insert((found.begin(), found.acknowledged));
        interim.cost += cost;
        if interim.codes.len() < MAX_INTERIM_CODES {
            interim.codes.push(found.parsed.status);
        }
        self.ready.push_back(Event::Informed);
    }

    /// A request whose end is not known has ended when its response begins.
    fn finish_cut_request(&mut self) {
        let State::Content(Body::Rest(rest)) = &self.requests.state else { return };
        if self.pending.len() == 1
            && let Some(pending) = self.pending.front_mut()
            && let Some(request) = &mut pending.exchange.request
        {
            rest.divide(&mut request.cost);
            pending.request_is_complete = true;
            if self.shows {
                self.ready.extend(shown_request(pending));
            }
            // What follows is the next request, or what is left of this one.
            self.requests.lose();
        }
    }

    fn end_response(&mut self, end: End, sink: &mut impl ContentSink) {
        let body = std::mem::replace(&mut self.responses.state, State::Head);
        if let Some(pending) = self.pending.front_mut()
            && let Some(response) = &mut pending.exchange.response
        {
            let odd = end_content(end, &body, &mut response.cost, &mut response.content, sink);
            pending.add_odd(odd, Direction::ServerToClient);
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
        if self.shows {
            self.show_response();
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
        let exchange = self.complete(pending);
        if exchange.upgrade.is_none() {
            self.ready.push_back(Event::Exchange(exchange));
            return;
        }
        self.is_upgraded = true;
        self.give_up_unowned();
        self.ready.push_back(Event::Upgraded(exchange));
    }

    /// The exchange, with its number.
    fn complete(&mut self, pending: Pending) -> Box<Exchange> {
        self.waiting -= pending.memory();
        self.exchanges += 1;
        let mut exchange = pending.into_exchange();
        exchange.number = self.exchanges;
        exchange
    }

    fn take_interim(&mut self) -> Provenance {
        self.interim.take().map_or_else(Provenance::default, |interim| interim.cost)
    }

    /// Gives up what was consumed for messages that will not come.
    fn give_up_unowned(&mut self) {
        let client = self.requests.take_unowned();
        let server = self.responses.take_unowned() + self.take_interim();
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

/// Takes a response's header section, and its content where all of that is there; otherwise what is still to come of it.
fn begin_response_content(
    framing: Framing,
    found: &Found,
    request: Option<&Request>,
    response: &mut Response,
    buffer: &mut StreamBuffer,
    sink: &mut impl ContentSink,
) -> Option<Body> {
    let target = request.map_or(&b""[..], Request::target);
    let form = &form(framing, &response.head, target, Direction::ServerToClient);
    // Of an unknown request the response may have no content, whatever it says.
    let is_whole = request.is_some() && take_from_buffer(framing, found, form, &mut response.cost, &mut response.content, buffer, sink);
    if is_whole {
        return None;
    }
    response.cost.add_framing(found.take(buffer));
    begin_content(framing, form, &mut response.cost, &mut response.content, sink)
}

/// 101 is final for HTTP: what follows is another protocol's (RFC 9110 §15.2.2).
fn is_interim(status: u16) -> bool {
    (100..200).contains(&status) && status != 101
}

/// Whether what follows a request may be another protocol's (RFC 9110 §7.8, §9.3.6).
fn asks_for_upgrade(request: &Request) -> bool {
    request.method() == b"CONNECT" || request.head.has(FieldName::Upgrade)
}

/// What a final response makes of the connection.
fn upgrade(request: Option<&Request>, status: u16, response: &Head, is_cut: bool) -> Option<Upgrade> {
    let names_websocket = |head: &Head| head.has_token_in(FieldName::Upgrade, "websocket");
    match status {
        101 if names_websocket(response) || request.is_some_and(|request| names_websocket(&request.head)) => Some(Upgrade::WebSocket),
        // The field that would tell was cut off; nothing else is common.
        101 if is_cut && request.is_none_or(|request| !request.head.has(FieldName::Upgrade)) => Some(Upgrade::WebSocket),
        101 => Some(Upgrade::Other),
        200..300 if request.is_some_and(|request| request.method() == b"CONNECT") => Some(Upgrade::Tunnel),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
