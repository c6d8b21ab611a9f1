//! Messages shown as soon as they have ended, before their exchange is complete.

use super::{Connection, Event};
use crate::anomaly::AnomalySet;
use crate::http::pending::Pending;
use crate::http::reader::Found;
use crate::message::{AnomalyDetails, AnsweredRequest, Content, Cost, Direction, HttpPart, Request};
use crate::stream::Provenance;

impl Connection {
    pub(super) fn show_interim(&mut self, found: &Found, consumed: Provenance) {
        let asked = self.pending.iter().find(|pending| pending.exchange.response.is_none());
        let request = asked.and_then(|pending| pending.exchange.request.as_ref());
        let mut cost = Cost { content_bytes: Some(0), ..Cost::default() };
        cost.add_framing(consumed);
        self.ready.push_back(Event::Shown(Box::new(HttpPart {
            connection: self.number,
            direction: Direction::ServerToClient,
            head: found.parsed.head.clone(),
            status: found.parsed.status,
            end: found.start + cost.framing_bytes,
            cost,
            content: Content::default(),
            start: found.start,
            upgrade: None,
            request: request.map(answered),
            upgrade_refused: None,
            anomalies: AnomalySet::EMPTY,
            anomaly_details: AnomalyDetails::default(),
        })));
    }

    pub(super) fn show_response(&mut self) {
        let Some(exchange) = self.pending.front().map(|pending| &pending.exchange) else { return };
        let Some(response) = &exchange.response else { return };
        self.ready.push_back(Event::Shown(Box::new(HttpPart {
            connection: self.number,
            direction: Direction::ServerToClient,
            head: response.head.clone(),
            status: response.status,
            cost: response.cost,
            content: response.content.clone(),
            start: self.response_start,
            // Nothing behind it is read before this is taken: whoever does knows.
            end: self.response_start,
            upgrade: exchange.upgrade,
            request: exchange.request.as_ref().map(answered),
            upgrade_refused: None,
            anomalies: AnomalySet::EMPTY,
            anomaly_details: AnomalyDetails::default(),
        })));
    }
}

pub(super) fn shown_request(pending: &Pending) -> Option<Event> {
    let request = pending.exchange.request.as_ref()?;
    Some(Event::Shown(Box::new(HttpPart {
        connection: pending.exchange.connection,
        direction: Direction::ClientToServer,
        head: request.head.clone(),
        status: 0,
        cost: request.cost,
        content: request.content.clone(),
        start: pending.place.start,
        end: pending.end(),
        upgrade: None,
        request: None,
        upgrade_refused: None,
        anomalies: AnomalySet::EMPTY,
        anomaly_details: AnomalyDetails::default(),
    })))
}

fn answered(request: &Request) -> AnsweredRequest {
    let Request { cost, .. } = request;
    AnsweredRequest {
        first: cost.provenance.first,
        last: cost.provenance.last,
        host: request.host().map(Into::into),
        target: request.target().into(),
    }
}
