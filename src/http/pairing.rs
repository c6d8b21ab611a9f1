//! Which response answers which request (RFC 9112 §9.3): in order, and what is left alone.

use std::collections::VecDeque;

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Cost, Exchange, Request, Response, Upgrade};
use crate::stream::{Frame, Provenance};

/// A request, its response, or both, that are not complete.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) request: Option<Request>,
    /// Whether the request's content is still coming.
    pub(super) request_open: bool,
    pub(super) response: Option<Response>,
    /// Whether the response is complete, or none will come.
    pub(super) answered: bool,
    /// Informational responses before the final one: their codes, and what their heads cost.
    pub(super) informational: Vec<u16>,
    pub(super) informational_cost: Cost,
    /// The frame with the first octet of the final response.
    pub(super) response_first: Frame,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) anomalies: AnomalySet,
}

impl Pending {
    /// A request whose head was read.
    pub(super) fn of_request(request: Request, open: bool, anomalies: AnomalySet) -> Self {
        Self { request: Some(request), request_open: open, anomalies, ..Self::default() }
    }

    /// Whether nothing more is to come.
    pub(super) fn is_complete(&self) -> bool {
        self.answered && !self.request_open
    }

    /// Whether the connection may become another protocol by it: the client's next bytes wait for the answer.
    pub(super) fn may_switch(&self) -> bool {
        let Some(request) = &self.request else { return false };
        !self.answered && (request.method() == b"CONNECT" || request.head.field("upgrade").is_some())
    }

    /// The exchange it has become; numbers and addresses are the connection's to fill in.
    pub(super) fn into_exchange(mut self, blank: Exchange) -> Exchange {
        if self.request.is_none() {
            self.anomalies.insert(AnomalyKind::ResponseWithoutRequest);
        }
        if self.response.is_none() && self.informational.is_empty() {
            self.anomalies.insert(AnomalyKind::RequestWithoutResponse);
        }
        let begun = self.request.as_ref().map(|request| request.cost.provenance.first.time);
        let time_to = |frame: Frame| begun.map(|begun| frame.time.seconds_since(begun));
        let response_last = self.response.as_ref().map(|response| response.cost.provenance.last);
        let time_to_first_byte_s = self.response.as_ref().and_then(|_| time_to(self.response_first));
        let time_to_last_byte_s = response_last.and_then(time_to);
        let mut anomalies = self.anomalies;
        let informational_cost = self.informational_cost;
        let response = self.response.take().or_else(|| interim_only(informational_cost)).map(|mut response| {
            response.cost.add_framing(informational_cost.provenance);
            anomalies.merge(response.content.anomalies);
            response
        });
        if let Some(request) = &self.request {
            anomalies.merge(request.content.anomalies);
        }
        Exchange {
            request: self.request,
            response,
            informational: self.informational,
            upgrade: self.upgrade,
            time_to_first_byte_s,
            time_to_last_byte_s,
            anomalies,
            ..blank
        }
    }
}

/// Informational responses whose final one never came still cost something: a response with status 0 carries that.
fn interim_only(cost: Cost) -> Option<Response> {
    (cost.provenance != Provenance::default()).then(Response::default)
}

/// Exchanges of a connection that are not complete, in the order of their requests.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: VecDeque<Pending>,
}

impl Queue {
    pub(super) fn push(&mut self, pending: Pending) {
        self.pending.push_back(pending);
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// The request whose content is coming.
    pub(super) fn receiving(&mut self) -> Option<&mut Pending> {
        self.pending.iter_mut().rev().find(|pending| pending.request_open)
    }

    /// The exchange that the next response belongs to.
    pub(super) fn answering(&mut self) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| !pending.answered)
    }

    /// Whether no request waits for a response.
    pub(super) fn is_answered(&self) -> bool {
        self.pending.iter().all(|pending| pending.answered)
    }

    /// Whether the client's bytes must wait for an answer to know what they are.
    pub(super) fn may_switch(&self) -> bool {
        self.pending.iter().any(Pending::may_switch)
    }

    /// After responses were lost, order alone is a guess: a response that begins in `frame` answers the newest request
    /// sent before it, and older ones have lost theirs.
    pub(super) fn skip_lost_responses(&mut self, frame: Frame) {
        let sent_before =
            |pending: &Pending| pending.request.as_ref().is_some_and(|request| request.cost.provenance.first.number < frame.number);
        let Some(newest) = self.pending.iter().rposition(|pending| !pending.answered && sent_before(pending)) else { return };
        self.pending.iter_mut().take(newest).for_each(|pending| pending.answered = true);
    }

    /// Gives up waiting for the oldest response.
    pub(super) fn give_up_oldest(&mut self) {
        if let Some(oldest) = self.pending.front_mut() {
            oldest.answered = true;
            oldest.request_open = false;
        }
    }

    /// The oldest exchange, if it is complete.
    pub(super) fn pop_complete(&mut self) -> Option<Pending> {
        self.pending.pop_front_if(|pending| pending.is_complete())
    }

    /// The exchange that is being answered: it switched protocols, though its request may not have ended.
    pub(super) fn take_answering(&mut self) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| !pending.answered)?;
        self.pending.remove(at)
    }

    /// The oldest exchange, complete or not.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        self.pending.pop_front()
    }
}
