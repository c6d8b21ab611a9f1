//! The common case: a segment that is one whole message, of an exchange that goes as nearly all do. It is read where it was
//! captured, and comes to what the general path makes of it; that takes all others.

use super::Connection;
use super::content::{ContentForm, form};
use crate::anomaly::AnomalySet;
use crate::http::body::Whole;
use crate::http::framing::Framing;
use crate::http::head::Role;
use crate::http::heads::{HeadPlace, Heads};
use crate::http::pending::Place;
use crate::http::reader::State;
use crate::message::{Content, ContentSink, Cost, Direction, Exchange, FieldName, Request, Response};
use crate::stream::{self, Frame, Provenance};

/// A segment's payload, all of it captured.
pub(crate) struct Captured<'a> {
    pub(crate) octets: &'a [u8],
    /// Stream offset of its first octet.
    pub(crate) start: u64,
    pub(crate) frame: Frame,
    pub(crate) cost: Provenance,
}

impl Captured<'_> {
    fn place(&self) -> stream::Place {
        stream::Place { stream_offset: self.start, frame: (self.frame.number > 0).then_some(self.frame.number) }
    }
}

/// What a message was taken for.
#[derive(Debug)]
pub(crate) enum Taken {
    /// The request of an exchange that is to be answered.
    Request,
    /// The response of an exchange, which it completes.
    Response(Box<Exchange>),
}

impl Connection {
    /// Takes what comes next in a direction if it is one whole message and nothing is odd about it; nothing is unread, or lost.
    ///
    /// `None` leaves the connection and the sink as they were.
    pub(crate) fn take_segment(
        &mut self,
        direction: Direction,
        captured: &Captured<'_>,
        sink: &mut impl ContentSink,
        heads: &mut Heads,
    ) -> Option<Taken> {
        if self.is_upgraded || self.shows || !self.ready.is_empty() {
            return None;
        }
        match direction {
            Direction::ClientToServer => self.take_request(captured, sink, heads),
            Direction::ServerToClient => self.take_response(captured, sink, heads),
        }
    }

    fn take_request(&mut self, captured: &Captured<'_>, sink: &mut impl ContentSink, heads: &mut Heads) -> Option<Taken> {
        if !self.requests.is_even() || !self.pending.is_empty() {
            return None;
        }
        let place = HeadPlace { role: Role::Request, connection: self.number, start: captured.start };
        let (parsed, len) = heads.read(place, captured.octets)?;
        let head = &parsed.head;
        let mut odd = AnomalySet::EMPTY;
        let framing = Framing::of_request(head, &mut odd);
        let may_upgrade = head.has(FieldName::Upgrade) || head.start_line_part(0) == b"CONNECT";
        let is_usual = len <= self.head_limit && !may_upgrade && odd.is_empty();
        let form = || form(framing, head, head.start_line_part(1), Direction::ClientToServer);
        let Some((cost, content)) = is_usual.then(|| measure(captured, len, framing, &form(), sink)).flatten() else {
            heads.give_back(place, parsed, len);
            return None;
        };
        let mut pending = self.pending_exchange(Some(Request { cost, head: parsed.head, content }), captured.frame);
        pending.exchange.places[0] = Some(captured.place());
        pending.place = Place { start: captured.start, head_end: captured.start + len as u64, acknowledged: None };
        pending.request_is_complete = true;
        pending.count(&mut self.waiting);
        self.pending.push_back(pending);
        Some(Taken::Request)
    }

    fn take_response(&mut self, captured: &Captured<'_>, sink: &mut impl ContentSink, heads: &mut Heads) -> Option<Taken> {
        let is_even = self.responses.is_even() && matches!(self.requests.state, State::Head) && self.given_up == 0;
        if !is_even || self.responses_lost || self.is_answering || self.interim.is_some() || self.pending.len() != 1 {
            return None;
        }
        let pending = self.pending.front()?;
        let is_certain = pending.request_is_complete && !pending.after_loss && pending.exchange.response.is_none();
        let request = pending.exchange.request.as_ref().filter(|_| is_certain)?;
        let place = HeadPlace { role: Role::Response, connection: self.number, start: captured.start };
        let (parsed, len) = heads.read(place, captured.octets)?;
        let (head, status, method) = (&parsed.head, parsed.status, request.method());
        let mut odd = AnomalySet::EMPTY;
        let framing = Framing::of_response(Some(method), status, head, &mut odd);
        let is_usual = len <= self.head_limit && status >= 200 && method != b"CONNECT" && odd.is_empty();
        let form = || form(framing, head, request.target(), Direction::ServerToClient);
        let Some((cost, content)) = is_usual.then(|| measure(captured, len, framing, &form(), sink)).flatten() else {
            heads.give_back(place, parsed, len);
            return None;
        };
        let head = parsed.head;
        let mut pending = self.pending.pop_front()?;
        pending.exchange.places[1] = Some(captured.place());
        pending.exchange.response = Some(Response { cost, head, content, status });
        pending.response_first = captured.frame;
        self.response_start = captured.start;
        self.may_answer_head = false;
        self.answered_end = Some(captured.start + captured.octets.len() as u64);
        Some(Taken::Response(self.complete(pending)))
    }
}

/// What a message cost and what it carries, if the segment ends with it: the same as [`super::take_from_buffer`] finds.
fn measure(
    captured: &Captured<'_>,
    head_len: usize,
    framing: Framing,
    form: &ContentForm<'_>,
    sink: &mut impl ContentSink,
) -> Option<(Cost, Content)> {
    let octets = captured.octets.get(head_len..)?;
    let mut cost = Cost::default();
    if octets.is_empty() && matches!(framing, Framing::None | Framing::Length(0)) {
        cost.add_framing(captured.cost);
        cost.content_bytes = Some(0);
        return Some((cost, Content { bytes: Some(0), ..Content::default() }));
    }
    let is_all = |whole: &Whole| whole.framing_len + whole.content_len == octets.len() as u64;
    let whole = Whole::of(framing, octets).filter(is_all).filter(|_| !form.is_event_stream)?;
    let content = whole.give(octets, form.sink(), sink);
    cost.content_bytes = content.bytes;
    cost.add_frame(head_len as u64 + whole.framing_len, whole.content_len, captured.cost);
    Some((cost, content))
}
