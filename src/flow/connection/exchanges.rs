//! HTTP on a connection: messages in, exchanges out, and what follows an upgrade.

use std::collections::VecDeque;

use super::Connection;
use crate::analysis::ajax;
use crate::flow::application::Running;
use crate::flow::half::Memory;
use crate::flow::output::Output;
use crate::http;
use crate::message::{Bucket, Direction, Exchange, HttpPart, Part, RefusedUpgrade, Row, Side, Upgrade};
use crate::websocket;

/// A response whose request has not come yet waits for it at most this many octets long.
const MAX_WAIT_FOR_REQUEST: u64 = 64 << 10;

/// Parts that are looked through for the response of an exchange: it was shown right before.
const RECENT_PARTS: usize = 16;

impl Connection {
    fn show_http(&self, mut part: Box<HttpPart>, out: &mut Output<'_>) {
        if part.direction == Direction::ServerToClient {
            part.end = part.end.max(self.halves[1].buffer.start());
        }
        out.parts.push_back(Part::Http(part));
    }

    pub(super) fn has_lost_requests(&self) -> bool {
        let Running::Http(http) = &self.running else { return false };
        http.has_lost_requests(&self.halves[0].buffer)
    }

    pub(in crate::flow) fn begin_http(&mut self, direction: Direction, speaker: Direction, out: &mut Output<'_>) {
        if direction != speaker && !self.roles.certain {
            self.swap_directions();
        }
        self.roles.certain = true;
        let (client, server) = self.roles.addresses(&self.key);
        let ended = out.memory.spare_http();
        let mut http = http::Connection::in_place_of(ended, self.number, [client, server], self.begins[1], &out.options.limits);
        if !self.handshake.is_captured() {
            http.begin_mid_stream();
            self.is_irregular = true;
        }
        if self.applications == 0 && self.handshake.is_late(Direction::ServerToClient as usize) {
            http.begin_late(self.halves[Direction::ServerToClient as usize].assembler.first().0);
        }
        for direction in Direction::BOTH {
            if self.halves[direction as usize].buffer.start() > self.begins[direction as usize] {
                http.begin_behind_loss(direction);
            }
        }
        if out.options.parts {
            http.show_messages();
        }
        self.run(Running::Http(http), &["http/1.1"]);
    }

    pub(super) fn step_http(&mut self, direction: Direction, out: &mut Output<'_>) {
        loop {
            if self.waits_for_request(direction) || self.finds_lost_answer(direction, out) {
                return;
            }
            let Running::Http(http) = &mut self.running else { return };
            let (buffer, stage) = self.halves[direction as usize].parts(out.options, out.memory);
            let Memory { seen, heads, .. } = &mut *out.memory;
            let event = stage.with_seen(seen, |stage| http.advance(direction, buffer, stage, heads));
            let Some(event) = event else { return };
            let gives_way = http.gives_way();
            // A message that is shown is still to come as part of its exchange.
            let is_answer = direction == Direction::ServerToClient && !matches!(event, http::Event::Shown(_));
            self.on_http(event, out);
            // Behind lost requests one answer tells whose the client's next octets are; the others wait for what they answer.
            if gives_way || is_answer && self.has_lost_requests() {
                return;
            }
        }
    }

    /// Whether a response begins whose request the server has acknowledged, and the capture brings later.
    pub(super) fn waits_for_request(&self, direction: Direction) -> bool {
        let Running::Http(http) = &self.running else { return false };
        let [client, server] = &self.halves;
        direction == Direction::ServerToClient
            && (http.awaits_request() || http.has_lost_responses(&server.buffer))
            && !client.ended
            && client.assembler.has_acknowledged_hole()
            // What stands behind a loss is read by what the server answered.
            && (client.buffer.is_empty() || !http.has_lost_requests(&client.buffer))
            && server.buffer.len() < MAX_WAIT_FOR_REQUEST
    }

    /// Whether an opening handshake's answer was lost, and what either side says now is, or may turn out to be, a frame.
    pub(super) fn finds_lost_answer(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        let Running::Http(http) = &mut self.running else { return false };
        if !http.awaits_websocket() {
            return false;
        }
        let [client, server] = &mut self.halves;
        match direction {
            Direction::ClientToServer => {
                let is_all = client.ended || client.buffer.len() > out.options.limits.out_of_order_bytes as u64;
                if !is_all || websocket::speaks_websocket(&client.buffer, direction, client.ended) != Some(true) {
                    return false;
                }
            }
            Direction::ServerToClient => {
                if !http.has_lost_responses(&server.buffer) {
                    return false;
                }
                let lost = server.buffer.consume(server.buffer.missing());
                http.lose_responses();
                let is_frame = server.buffer.at_run_start().then(|| websocket::speaks_websocket(&server.buffer, direction, server.ended));
                let says = is_frame.unwrap_or(Some(false));
                let client_says = websocket::speaks_websocket(&client.buffer, direction.reverse(), client.ended);
                let is_response = http::looks_like_response(server.buffer.peek()) != Some(false);
                self.book(Bucket::Unattributed, direction, lost.bytes.total());
                match (is_response && !self.halves[1].buffer.is_empty(), says, client_says) {
                    (true, _, _) => return false,
                    (false, Some(true), _) | (false, _, Some(true)) => {}
                    (false, None, _) => return !self.halves[1].ended,
                    (false, Some(false), _) => return false,
                }
            }
        }
        self.assume_websocket(out);
        true
    }

    /// Goes on as if the opening handshake had been answered with yes.
    fn assume_websocket(&mut self, out: &mut Output<'_>) {
        let Running::Http(http) = &mut self.running else { return };
        http.assume_websocket();
        self.step_assumed(out);
    }

    fn step_assumed(&mut self, out: &mut Output<'_>) {
        while let Running::Http(http) = &mut self.running {
            let Some(event) = http.finish() else { return };
            self.on_http(event, out);
        }
    }

    pub(super) fn on_http(&mut self, event: http::Event, out: &mut Output<'_>) {
        match event {
            http::Event::Exchange(exchange) => self.emit_exchange(exchange, out),
            http::Event::Upgraded(exchange) => self.upgrade(exchange, out),
            http::Event::Shown(part) => self.show_http(part, out),
            http::Event::Informed => {}
            http::Event::Unattributed { direction, cost, anomalies } => {
                self.book(Bucket::Unattributed, direction, cost.bytes.total());
                self.anomalies.add_set(anomalies, cost.first.number);
            }
        }
    }

    pub(in crate::flow) fn emit_exchange(&mut self, mut exchange: Box<Exchange>, out: &mut Output<'_>) {
        self.exchanges += 1;
        exchange.number = self.exchanges;
        if self.first_request.is_none() {
            self.first_request = exchange.request.as_ref().map(|request| request.cost.provenance.first.time);
        }
        if exchange.upgrade == Some(Upgrade::WebSocket) {
            exchange.side = Side::WebSocket;
        } else {
            (exchange.ajax, exchange.side) = ajax::classify(exchange.request.as_ref(), exchange.response.as_ref(), out.options);
        }
        self.ledger.book_message(exchange.side, exchange.wire_bytes());
        let contents =
            exchange.request.iter().map(|request| &request.content).chain(exchange.response.iter().map(|response| &response.content));
        exchange.anomalies.merge(contents.flat_map(|content| content.anomalies.iter()).collect());
        if !exchange.anomalies.is_empty() {
            place_content_oddities(&mut exchange);
        }
        if exchange.upgrade.is_none() {
            exchange.upgrade_refused = self.refusal(&exchange);
        }
        if out.options.parts {
            annotate_shown(&exchange, out.parts);
        }
        let frame = exchange.request.as_ref().map(|request| request.cost.provenance.first);
        let frame = frame.or_else(|| exchange.response.as_ref().map(|response| response.cost.provenance.first));
        self.anomalies.add_row(exchange.anomalies, &exchange.anomaly_details, frame.unwrap_or_default().number);
        out.rows.push_back(Row::Exchange(exchange));
    }

    /// Why the exchange opened no WebSocket, if it was to.
    fn refusal(&self, exchange: &Exchange) -> Option<RefusedUpgrade> {
        let request = exchange.request.as_ref()?;
        let server = &self.halves[1].assembler;
        let has_ended = server.is_finished() || self.reset && server.has_begun();
        let was_left = has_ended && !server.has_hole() && self.facts.lost_bytes == 0;
        websocket::refusal(request, exchange.response.as_ref(), was_left)
    }

    fn upgrade(&mut self, mut exchange: Box<Exchange>, out: &mut Output<'_>) {
        self.finish_http(out);
        match exchange.upgrade {
            Some(Upgrade::WebSocket) => self.begin_websocket(&mut exchange, out.options),
            Some(Upgrade::Tunnel) => {
                self.begins = [0, 1].map(|direction: usize| self.halves[direction].buffer.start());
                self.run(Running::Detecting, &["connect"]);
            }
            Some(Upgrade::Other) if is_http2(&exchange) => self.run(Running::Opaque, &["http/2"]),
            Some(Upgrade::Other) | None => self.running = Running::Opaque,
        }
        self.emit_exchange(exchange, out);
    }

    /// Exchanges that still wait for something will not get it.
    pub(super) fn finish_http(&mut self, out: &mut Output<'_>) {
        while let Running::Http(http) = &mut self.running {
            let Some(event) = http.finish() else { break };
            self.on_http(event, out);
        }
    }
}

/// What is odd about content lies with its message.
#[cold]
fn place_content_oddities(exchange: &mut Exchange) {
    let request = exchange.request.as_ref().map(|request| &request.content);
    let response = exchange.response.as_ref().map(|response| &response.content);
    for (direction, content) in Direction::BOTH.into_iter().zip([request, response]) {
        if let (Some(content), Some(place)) = (content, exchange.places[direction as usize]) {
            exchange.anomaly_details.add(content.anomalies, direction, place);
        }
    }
}

/// What is known of an exchange when it is complete goes with its response, if that was shown just now.
fn annotate_shown(exchange: &Exchange, parts: &mut VecDeque<Part>) {
    let Some(place) = exchange.places[Direction::ServerToClient as usize] else { return };
    let shown = parts.iter_mut().rev().take(RECENT_PARTS).find_map(|part| match part {
        Part::Http(part) => Some(part).filter(|part| {
            part.connection == exchange.connection && part.direction == Direction::ServerToClient && part.start == place.stream_offset
        }),
        _ => None,
    });
    if let Some(part) = shown {
        part.upgrade_refused = exchange.upgrade_refused;
        part.anomalies = exchange.anomalies;
        part.anomaly_details = exchange.anomaly_details.clone();
    }
}

/// Whether the server switched to HTTP/2 without TLS (RFC 7540 §3.2).
fn is_http2(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_some_and(|response| response.head.has_token("upgrade", "h2c"))
}
