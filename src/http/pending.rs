//! An exchange while it is incomplete.

use std::net::SocketAddr;

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Ajax, AnomalyDetails, Content, Direction, Exchange, Head, Request, Side};
use crate::stream::{Acknowledged, Frame};

/// An exchange that is not complete.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) exchange: Box<Exchange>,
    /// Of the request's first octet.
    pub(super) request_first: Frame,
    /// Of the final response's first octet.
    pub(super) response_first: Frame,
    pub(super) request_is_complete: bool,
    pub(super) response_is_complete: bool,
    /// Whether bytes before it were lost or not understood.
    pub(super) after_loss: bool,
    /// What was lost right before it.
    pub(super) gap: Gap,
    pub(super) place: Place,
    /// What it took when it was [counted](Self::count) last.
    counted: usize,
}

/// What was lost before a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gap {
    #[default]
    None,
    /// Perhaps only what is missing of the message before.
    Within,
    /// What began with another message.
    Between,
}

/// Where a request stands in its stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Stream offset of its first octet, or of the empty lines before it.
    pub(super) start: u64,
    /// Stream offset behind its header section.
    pub(super) head_end: u64,
    /// What its first segment acknowledged of the server's stream, if that was remembered.
    pub(super) acknowledged: Option<Acknowledged>,
}

impl Pending {
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let request = self.exchange.request.as_ref().map_or(0, |request| request.cost.encoded_bytes);
        self.place.start ^ request ^ u64::from(self.exchange.response.is_some())
    }

    /// One that begins with a request whose first octet came in `first`, or with a response that has none.
    pub(super) fn new(connection: u64, client: SocketAddr, server: SocketAddr, request: Option<Request>, first: Frame) -> Self {
        Self {
            request_is_complete: request.is_none(),
            exchange: Box::new(Exchange {
                connection,
                number: 0,
                client,
                server,
                request,
                response: None,
                informational: Vec::new(),
                upgrade: None,
                time_to_first_byte_s: None,
                time_to_last_byte_s: None,
                ajax: Ajax::default(),
                side: Side::OtherHttp,
                polling: None,
                upgrade_refused: None,
                places: [None; 2],
                anomalies: AnomalySet::EMPTY,
                anomaly_details: AnomalyDetails::default(),
            }),
            request_first: first,
            response_first: Frame::default(),
            response_is_complete: false,
            after_loss: false,
            gap: Gap::None,
            place: Place::default(),
            counted: 0,
        }
    }

    /// Something is odd in what a side sent: it lies where its header section begins.
    pub(super) fn add_odd(&mut self, odd: AnomalySet, direction: Direction) {
        if odd.is_empty() {
            return;
        }
        self.exchange.anomalies.merge(odd);
        if let Some(place) = self.exchange.places[direction as usize] {
            self.exchange.anomaly_details.add(odd, direction, place);
        }
    }

    /// Puts what it takes now, in octets, in place of what it took before in a sum over all that wait.
    #[inline]
    pub(super) fn count(&mut self, sum: &mut usize) {
        let now = self.memory();
        *sum = *sum - std::mem::replace(&mut self.counted, now) + now;
    }

    /// It waits no longer: such a sum goes without it.
    #[inline]
    pub(super) fn uncount(&self, sum: &mut usize) {
        *sum -= self.counted;
    }

    /// What its messages take, in octets, with what is kept of their content.
    fn memory(&self) -> usize {
        let Exchange { request, response, .. } = &*self.exchange;
        let of = |head: &Head, content: &Content| head.memory() + content.sample.as_ref().map_or(0, |sample| sample.len());
        let asked = |request: &Request| size_of::<Self>() + size_of::<Exchange>() + of(&request.head, &request.content);
        request.as_ref().map_or(0, asked) + response.as_ref().map_or(0, |response| of(&response.head, &response.content))
    }

    /// Stream offset behind what was read of the request.
    pub(super) fn end(&self) -> u64 {
        let cost = self.exchange.request.as_ref().map(|request| request.cost).unwrap_or_default();
        self.place.start + cost.framing_bytes + cost.encoded_bytes + cost.lost_bytes
    }

    /// Whether a response whose first octet came in that frame may be its own.
    pub(super) fn is_answerable_at(&self, first: Frame) -> bool {
        self.exchange.response.is_none() && self.request_first.number < first.number
    }

    /// The row, with its times and with what is missing said.
    pub(super) fn into_exchange(mut self) -> Box<Exchange> {
        let exchange = &mut self.exchange;
        match (&exchange.request, &exchange.response) {
            (Some(_), Some(response)) => {
                let begin = self.request_first.time;
                exchange.time_to_first_byte_s = Some(self.response_first.time.seconds_since(begin));
                exchange.time_to_last_byte_s = Some(response.cost.provenance.last.time.seconds_since(begin));
            }
            (None, _) => self.add_odd(AnomalySet::from_iter([AnomalyKind::ResponseWithoutRequest]), Direction::ServerToClient),
            (Some(_), None) => self.add_odd(AnomalySet::from_iter([AnomalyKind::RequestWithoutResponse]), Direction::ClientToServer),
        }
        self.exchange
    }
}
