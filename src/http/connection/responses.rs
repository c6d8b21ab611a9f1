//! Responses: from the first octet of a header section to the end of the content.

use super::content::{End, begin_content, end_content, end_of_content, form, is_snapped, take_from_buffer};
use super::shown::shown_request;
use super::{Connection, Event};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::http::body::{Body, Rest};
use crate::http::framing::Framing;
use crate::http::head::Role;
use crate::http::heads::Heads;
use crate::http::pending::Gap;
use crate::http::reader::{Cut, Found, Next, State};
use crate::message::{ContentSink, Direction, FieldName, Head, Request, Response, Upgrade};
use crate::stream::StreamBuffer;

/// Informational responses to one request whose codes are named; all are charged.
const MAX_INTERIM_CODES: usize = 64;

impl Connection {
    /// Whether something moved.
    pub(super) fn advance_responses(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink, heads: &mut Heads) -> bool {
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
                    match self.responses.start_look.response(buffer) {
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

    pub(super) fn begin_response(&mut self, mut found: Found, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) {
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
            Some(body) => {
                pending.count(&mut self.waiting);
                self.responses.state = State::Content(body);
            }
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
    pub(super) fn add_interim(&mut self, found: &Found, buffer: &mut StreamBuffer) {
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
    pub(super) fn finish_cut_request(&mut self) {
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

    pub(super) fn end_response(&mut self, end: End, sink: &mut impl ContentSink) {
        let body = std::mem::replace(&mut self.responses.state, State::Head);
        if let Some(pending) = self.pending.front_mut()
            && let Some(response) = &mut pending.exchange.response
        {
            let odd = end_content(end, &body, &mut response.cost, &mut response.content, sink);
            pending.add_odd(odd, Direction::ServerToClient);
        }
        // Where the snap length cut what says where it ends, other responses may have ended with it.
        let mut unanswered = self.pending.iter().skip(1).filter(|pending| pending.exchange.response.is_none());
        if end.is_damaged() || matches!(body, State::Content(Body::Rest(_))) && unanswered.nth(1).is_some() {
            self.responses.lose();
        }
        self.response_is_complete();
    }

    pub(super) fn response_is_complete(&mut self) {
        self.is_answering = false;
        if let Some(pending) = self.pending.front_mut() {
            pending.response_is_complete = true;
        }
        if self.shows {
            self.show_response();
        }
        self.release();
        // One whose request has not ended.
        if let Some(pending) = self.pending.front_mut().filter(|pending| pending.response_is_complete) {
            pending.count(&mut self.waiting);
        }
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
