//! One HTTP/1 connection: requests and responses paired in order (RFC 9112 §9.2), until it ends or becomes something else.

mod content;
mod pairing;
mod requests;
mod responses;
mod shown;
mod whole;

pub(crate) use whole::{Captured, Taken};

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::detect::{LONGEST_START_LINE, looks_like_request};
use super::head::Role;
use super::heads::Heads;
use super::pending::Pending;
use super::reader::{Reader, State};
use crate::anomaly::AnomalySet;
use crate::message::{ContentSink, Direction, Exchange, FieldName, HttpPart, Request, Upgrade};
use crate::options::Limits;
use crate::stream::{Acknowledged, Frame, Provenance, StreamBuffer, shrink};

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
    /// What their messages take, in octets.
    waiting: usize,
    /// Requests that were given up unanswered: the next responses are theirs.
    given_up: u64,
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
            given_up: 0,
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
                shrink(&mut self.ready, MAX_SPARE);
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

    /// What the messages take whose exchanges are not complete, in octets.
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
        let is_awaited = self.given_up > 0 || self.pending.iter().any(|pending| pending.exchange.response.is_none());
        let is_certain = !self.responses_lost && is_awaited;
        !self.is_upgraded && !self.is_answering && !is_certain
    }

    /// Whether the client's bytes come before the server's next ones; says so once.
    pub(crate) fn gives_way(&mut self) -> bool {
        std::mem::take(&mut self.gives_way)
    }

    /// Whether requests may be found missing when the client's next bytes are read, and what those are may depend on the
    /// answer to one of them, which comes first then.
    pub(crate) fn has_lost_requests(&self, buffer: &StreamBuffer) -> bool {
        let begins_request = || {
            let bytes = buffer.peek_at(buffer.missing()).unwrap_or_default();
            looks_like_request(&bytes[..bytes.len().min(LONGEST_START_LINE)]) == Some(true)
        };
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
            self.given_up += 1;
            self.emit(pending);
        }
    }

    fn pending_exchange(&self, request: Option<Request>, first: Frame) -> Pending {
        Pending::new(self.number, self.client, self.server, request, first)
    }

    fn emit(&mut self, pending: Pending) {
        shrink(&mut self.pending, MAX_SPARE);
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
        pending.uncount(&mut self.waiting);
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

#[cfg(test)]
mod tests;
