//! Requests: from the first octet of a header section to the end of the content.

use super::Connection;
use super::content::{End, begin_content, end_content, end_of_content, form, is_snapped, take_from_buffer};
use super::shown::shown_request;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::http::body::{Body, Rest};
use crate::http::detect::looks_like_request;
use crate::http::framing::Framing;
use crate::http::head::Role;
use crate::http::heads::Heads;
use crate::http::pending::{Pending, Place};
use crate::http::reader::{Cut, Found, Next, State};
use crate::message::{Content, ContentSink, Direction, FieldName, Request};
use crate::stream::StreamBuffer;

/// Octets in which a request is looked for where content was refused.
const LONGEST_LOOK: usize = 1 << 10;

impl Connection {
    /// Whether something moved.
    pub(super) fn advance_requests(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink, heads: &mut Heads) -> bool {
        let is_refused = self.pending.back().is_some_and(is_refused);
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
                if is_refused && !matches!(body, Body::Rest(_)) {
                    if buffer.is_lost_at_front() {
                        self.end_request(End::Absent, sink);
                        self.requests.lose();
                        return true;
                    }
                    let beginning = &buffer.peek()[..buffer.peek().len().min(LONGEST_LOOK)];
                    match looks_like_request(beginning) {
                        Some(true) => return self.refuse_content(sink),
                        None if self.requests.ended && buffer.is_empty() => return self.refuse_content(sink),
                        None if !self.requests.ended && beginning.len() < LONGEST_LOOK => return false,
                        None | Some(false) => {}
                    }
                }
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

    pub(super) fn begin_request(&mut self, mut found: Found, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) {
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
        pending.count(&mut self.waiting);
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

    pub(super) fn end_request(&mut self, end: End, sink: &mut impl ContentSink) {
        let body = std::mem::replace(&mut self.requests.state, State::Head);
        if let Some(pending) = self.pending.back_mut()
            && let Some(request) = &mut pending.exchange.request
        {
            let odd = end_content(end, &body, &mut request.cost, &mut request.content, sink);
            if matches!(end, End::Absent) {
                (request.cost.content_bytes, request.content) = (Some(0), Content { bytes: Some(0), ..Content::default() });
            }
            pending.add_odd(odd, Direction::ClientToServer);
            pending.count(&mut self.waiting);
        }
        if end.is_damaged() {
            self.requests.lose();
        }
        self.request_is_complete();
    }

    /// The client was told not to send the content that it had asked about, and sent none.
    fn refuse_content(&mut self, sink: &mut impl ContentSink) -> bool {
        self.end_request(End::Absent, sink);
        true
    }

    pub(super) fn request_is_complete(&mut self) {
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
}

/// Whether a request asked before it sends its content, and was refused (RFC 9110 §10.1.1): it may send none.
fn is_refused(pending: &Pending) -> bool {
    let has_asked = |request: &Request| request.cost.encoded_bytes == 0 && request.head.has_token("expect", "100-continue");
    pending.exchange.response.as_ref().is_some_and(|response| response.status >= 300)
        && !pending.request_is_complete
        && !pending.exchange.informational.contains(&100)
        && pending.exchange.request.as_ref().is_some_and(has_asked)
}

/// Whether what follows a request may be another protocol's (RFC 9110 §7.8, §9.3.6).
fn asks_for_upgrade(request: &Request) -> bool {
    request.method() == b"CONNECT" || request.head.has(FieldName::Upgrade)
}
