//! The sums of all rows of a capture, or of a part of it.

use std::collections::HashMap;
use std::ops::AddAssign;

use foldhash::fast::FixedState;

use super::charge;
use super::distinct::Distinct;
use super::endpoints::{Endpoint, EndpointKey, Endpoints};
use super::engine_io::EngineIo;
use super::exchanges::field_line_bytes;
use super::largest::{Largest, LargestConnection};
use super::money::Money;
use super::polls::Polls;
use super::side::{SideTotals, bears_content};
use super::subprotocols::Subprotocols;
use super::transport::Transport;
use super::unread::Unread;
use super::wastes::{Talked, Wastes, is_coded};
use crate::AnomalyCounts;
use crate::message::{
    Answered, Buckets, ConnectionRow, Cost, Direction, Exchange, FieldName, Head, Message, Opcode, Response, Row, Side, Upgrade,
};
use crate::options::Assumptions;

/// Messages of one connection within this many nanoseconds could share one long-poll answer.
const SHARED_ANSWER_NS: i64 = 1_000_000_000;

/// A held poll ends without an answer after this many nanoseconds (a usual proxy limit is 60 s).
const HELD_POLL_NS: i64 = 30_000_000_000;

/// What a WebSocket connection paid so far, until its row names its endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Active {
    figures: Endpoint,
    /// When the long-poll answer that is being filled leaves, in nanoseconds since the Unix epoch.
    shared_until_ns: Option<i64>,
    /// When the server spoke last, or the connection began to, in nanoseconds since the Unix epoch.
    silent_since_ns: Option<i64>,
    talked: Talked,
}

/// The sums of rows. Parts merge by `+=` in any order to the same value, provided that all rows of one connection are added
/// to one part. Memory grows with the WebSocket connections that are open, not with the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    assumptions: Assumptions,
    sides: [SideTotals; 4],
    /// Buckets of all connections.
    buckets: Buckets,
    /// Of these, buckets of connections that no side used.
    unclaimed: Buckets,
    connections: u64,
    unclaimed_connections: u64,
    connection_wire_bytes: u64,
    unread: Unread,
    lost_bytes: u64,
    transport: Transport,
    /// (client address, server) pairs of connections with Ajax.
    ajax_pairs: Distinct,
    /// WebSocket messages by opcode and direction.
    opcodes: [[u64; 2]; 16],
    subprotocols: Subprotocols,
    /// Upgrade requests less what makes them upgrades: how many, and octets of their header sections.
    plain_upgrade_requests: (u64, u64),
    endpoints: Endpoints,
    largest: Largest,
    anomalies: AnomalyCounts,
    engine_io: EngineIo,
    polls: Polls,
    wastes: Wastes,
    active: HashMap<u64, Active, FixedState>,
}

impl Summary {
    /// Sums of no row yet, for a counterfactual that assumes what is given.
    pub fn new(assumptions: Assumptions) -> Self {
        Self { assumptions, ..Self::default() }
    }

    /// What the counterfactual assumes.
    pub fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }

    /// Adds a row.
    pub fn add(&mut self, row: &Row) {
        match row {
            Row::Message(message) => self.add_message(message),
            Row::Exchange(exchange) => self.add_exchange(exchange),
            Row::Connection(connection) => self.add_connection(connection),
        }
    }

    fn add_message(&mut self, message: &Message) {
        let cost = &message.cost;
        let side = &mut self.sides[Side::WebSocket as usize];
        let direction = &mut side.directions[message.direction as usize];
        let active = self.active.entry(message.connection).or_default();
        direction.segment_headers.add(&cost.provenance);
        self.opcodes[usize::from(message.opcode.bits())][message.direction as usize] += 1;
        let figures = &mut active.figures;
        figures.wire_bytes += cost.wire_bytes();
        figures.overhead_bytes += cost.wire_bytes().saturating_sub(cost.encoded_bytes);
        side.envelopes.add_answered(message.answered);
        if let Some(Answered::Ask(ns)) = message.answered {
            figures.to_answer.add(ns);
        }
        match message.opcode {
            Opcode::Close => return direction.close.add(cost),
            opcode if opcode.is_control() => {
                active.talked.pings += 1;
                direction.liveness_frames.add(cost.provenance.first.number);
                return direction.liveness.add(cost);
            }
            _ => {}
        }
        direction.add_message(cost, message.compressed);
        let talked = &mut active.talked;
        talked.messages += 1;
        if message.compressed {
            talked.compressed += 1;
            talked.compressed_bytes += cost.encoded_bytes;
        }
        self.wastes.add_message(message, &mut talked.previous[message.direction as usize]);
        side.envelopes.add(&message.content, cost);
        self.engine_io.add_message(message, cost);
        side.deliveries += u64::from(bears_content(cost));
        figures.messages += 1;
        figures.messages_wire_bytes += cost.wire_bytes();
        let square = u128::from(cost.wire_bytes()) * u128::from(cost.wire_bytes());
        figures.messages_wire_squares = figures.messages_wire_squares.saturating_add(square);
        match cost.content_bytes {
            Some(content) => figures.content_bytes += content,
            None => figures.unknown_content_messages += 1,
        }
        figures.first_frame.get_or_insert(cost.provenance.first.number);

        let shared_ns =
            self.assumptions.poll_interval.map_or(SHARED_ANSWER_NS, |interval| i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX));
        let from_client = message.direction == Direction::ClientToServer;
        side.as_ajax.add(from_client, cost.encoded_bytes, cost.content_bytes);
        let time_ns = cost.provenance.last.time.0;
        let silent_since_ns = *active.silent_since_ns.get_or_insert(time_ns);
        if !from_client {
            side.as_ajax.idle_polls += held_polls(silent_since_ns, time_ns);
            active.silent_since_ns = Some(time_ns);
            if active.shared_until_ns.is_none_or(|until| time_ns >= until) {
                side.as_ajax.shared_answers += 1;
                active.shared_until_ns = Some(time_ns.saturating_add(shared_ns));
            }
        }
    }

    fn add_exchange(&mut self, exchange: &Exchange) {
        self.engine_io.add_exchange(exchange);
        self.polls.add(exchange);
        if exchange.upgrade == Some(Upgrade::WebSocket) || exchange.side == Side::WebSocket {
            return self.add_upgrade(exchange);
        }
        if let Some(refused) = exchange.upgrade_refused {
            *self.sides[Side::WebSocket as usize].refused_upgrades.entry(refused.reason).or_default() += 1;
        }
        self.wastes.add_exchange(exchange);
        let side = &mut self.sides[exchange.side as usize];
        let [upwards, downwards] = &mut side.directions;
        let mut whole = Money::default();
        for (fields, head) in side.fields.iter_mut().zip(heads(exchange)) {
            head.into_iter().for_each(|head| fields.add(head));
        }
        if let Some(request) = &exchange.request {
            upwards.segment_headers.add_alone(&request.cost.provenance);
            upwards.header_sections.add(&request.head, &request.cost);
            side.as_websocket.add_request(request.target().len() as u64, contents(&request.cost));
            upwards.add_message(&request.cost, is_coded(request.head.list(FieldName::ContentEncoding).as_deref()));
            side.envelopes.add(&request.content, &request.cost);
            whole.add(&request.cost);
        }
        if let Some(response) = &exchange.response {
            downwards.segment_headers.add(&response.cost.provenance);
            downwards.header_sections.add(&response.head, &response.cost);
            side.as_websocket.add_response(contents(&response.cost));
            downwards.add_message(&response.cost, is_coded(response.head.list(FieldName::ContentEncoding).as_deref()));
            side.envelopes.add(&response.content, &response.cost);
            if let Some(events) = response.content.http.as_ref().and_then(|http| http.events.as_ref()) {
                side.events.add(events, &response.cost);
            }
            whole.add(&response.cost);
        }
        let hands_over = exchange.request.as_ref().is_some_and(|request| bears_content(&request.cost));
        // What is not known of an answer may well be content: few have none.
        let answers = |response: &Response| response.cost.content_bytes.is_none() || bears_content(&response.cost);
        side.deliveries += u64::from(hands_over || exchange.response.as_ref().is_some_and(answers));
        side.exchanges.add(exchange, &whole);
        self.add_endpoint(exchange, exchange.side, whole, 1);
    }

    /// A successful opening handshake is charged to WebSocket, as `upgrade`; it is no message.
    fn add_upgrade(&mut self, exchange: &Exchange) {
        let side = &mut self.sides[Side::WebSocket as usize];
        let mut whole = Money::default();
        side.upgrades += 1;
        for (fields, head) in side.fields.iter_mut().zip(heads(exchange)) {
            head.into_iter().for_each(|head| fields.add(head));
        }
        if let Some(request) = &exchange.request {
            let upwards = &mut side.directions[Direction::ClientToServer as usize];
            upwards.segment_headers.add_alone(&request.cost.provenance);
            upwards.upgrade.add(&request.cost);
            whole.add(&request.cost);
            let upgrading = request.head.fields().filter(|(name, _)| is_upgrade_field(name)).map(field_line_bytes).sum::<u64>();
            self.plain_upgrade_requests.0 += 1;
            self.plain_upgrade_requests.1 += request.cost.framing_bytes.saturating_sub(upgrading);
        }
        if let Some(response) = &exchange.response {
            // The first messages may lie in its segment.
            let downwards = &mut side.directions[Direction::ServerToClient as usize];
            downwards.segment_headers.add(&response.cost.provenance);
            downwards.upgrade.add(&response.cost);
            whole.add(&response.cost);
        }
        let active = self.active.entry(exchange.connection).or_default();
        active.talked.upgrade_bytes += whole.wire_bytes();
        active.silent_since_ns = exchange.response.as_ref().map(|response| response.cost.provenance.last.time.0);
        self.add_endpoint(exchange, Side::WebSocket, whole, 0);
    }

    fn add_endpoint(&mut self, exchange: &Exchange, side: Side, whole: Money, messages: u64) {
        let (host, target) = match &exchange.request {
            Some(request) => (request.host().unwrap_or_default(), request.target()),
            None => (&[][..], &[][..]),
        };
        let figures = Endpoint {
            messages,
            messages_wire_bytes: messages * whole.wire_bytes(),
            messages_wire_squares: u128::from(messages) * u128::from(whole.wire_bytes()) * u128::from(whole.wire_bytes()),
            wire_bytes: whole.wire_bytes(),
            overhead_bytes: whole.overhead_bytes(),
            content_bytes: whole.content_bytes,
            unknown_content_messages: u64::from(whole.unknown_content_messages > 0),
            first_frame: first_frame(exchange),
            // An opening handshake answers no question.
            ..if messages > 0 { times(exchange) } else { Endpoint::default() }
        };
        self.endpoints.add(EndpointKey::new(side, host, target), figures);
    }

    fn add_connection(&mut self, row: &ConnectionRow) {
        self.connections += 1;
        self.connection_wire_bytes += row.wire_bytes;
        self.buckets += row.buckets;
        self.lost_bytes += row.tcp.lost_bytes;
        self.transport.add(&row.tcp);
        for &(kind, count, frame) in &row.anomalies {
            self.anomalies.add_many(kind, count, frame);
        }
        self.unread.add(row);
        match charge::charges(row) {
            Some(charges) => {
                for (side, charged) in self.sides.iter_mut().zip(charges) {
                    for (bucket, parts) in charged.into_iter().enumerate() {
                        side.directions[0].buckets[bucket] += parts[0];
                        side.directions[1].buckets[bucket] += parts[1];
                    }
                }
            }
            None => {
                self.unclaimed += row.buckets;
                self.unclaimed_connections += 1;
            }
        }
        for (side, &wire_bytes) in self.sides.iter_mut().zip(&row.side_wire_bytes) {
            if wire_bytes > 0 {
                side.connections += 1;
                side.connection_use.add(row);
            }
        }
        if let Some(facts) = &row.websocket {
            self.sides[Side::WebSocket as usize].connection_use.opening_handshake_ns.add_seconds(facts.handshake_s);
        }
        if row.side_wire_bytes[Side::Ajax as usize] > 0 {
            self.ajax_pairs.add(&(row.client.ip(), row.server));
        }
        self.end_websocket(row);
        self.engine_io.end_connection(row.connection);
        self.largest.add(row);
    }

    fn end_websocket(&mut self, row: &ConnectionRow) {
        let active = self.active.remove(&row.connection);
        let Some(facts) = &row.websocket else { return };
        let silent_since_ns = active.and_then(|active| active.silent_since_ns).unwrap_or(row.first.time.0);
        if let Some(active) = active {
            self.wastes.add_websocket(row, facts, &active.talked);
            let host = facts.host.as_deref().unwrap_or_default();
            let target = facts.target.as_deref().unwrap_or_default();
            self.subprotocols.add(facts.subprotocol.as_deref(), active.figures);
            self.endpoints.add(EndpointKey::new(Side::WebSocket, host.as_bytes(), target.as_bytes()), active.figures);
        }
        let duration_s = row.last.time.seconds_since(row.first.time).max(0.0);
        let as_ajax = &mut self.sides[Side::WebSocket as usize].as_ajax;
        as_ajax.idle_polls += held_polls(silent_since_ns, row.last.time.0);
        if let Some(interval) = self.assumptions.poll_interval {
            as_ajax.interval_polls += (duration_s / interval.as_secs_f64().max(1e-3)) as u64 + 1;
        }
        if let Some(subprotocol) = &facts.subprotocol {
            self.subprotocols.count(subprotocol);
        }
    }

    /// One side's sums.
    pub fn side(&self, side: Side) -> &SideTotals {
        &self.sides[side as usize]
    }

    /// What cost more than it had to.
    pub fn wastes(&self) -> &Wastes {
        &self.wastes
    }

    /// Exchanges that ask again and again.
    pub fn polls(&self) -> &Polls {
        &self.polls
    }

    /// What engine.io's sessions paid before they talked over WebSocket.
    pub fn engine_io(&self) -> &EngineIo {
        &self.engine_io
    }

    /// Buckets of all connections.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Buckets of connections that no side used: neither an exchange nor a message on them.
    pub fn unclaimed(&self) -> &Buckets {
        &self.unclaimed
    }

    /// Octets on the wire of all exchanges, messages and control frames.
    pub fn rows_wire_bytes(&self) -> u64 {
        self.sides.iter().flat_map(|side| &side.directions).map(|direction| direction.rows_wire_bytes()).sum()
    }

    /// (Ended) connections.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// Connections that no side used.
    pub fn unclaimed_connections(&self) -> u64 {
        self.unclaimed_connections
    }

    /// What no parser could read.
    pub fn unread(&self) -> &Unread {
        &self.unread
    }

    /// Octets that were sent and not captured.
    pub fn lost_bytes(&self) -> u64 {
        self.lost_bytes
    }

    /// What the transport of all connections suffered.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Different (client address, server) pairs with Ajax.
    pub fn ajax_pairs(&self) -> u64 {
        self.ajax_pairs.count()
    }

    /// WebSocket messages and control frames by opcode: (name, from client, from server), those that were met.
    pub fn opcodes(&self) -> impl Iterator<Item = (&'static str, u64, u64)> {
        self.opcodes
            .iter()
            .zip(0..)
            .filter(|(counts, _)| counts.iter().any(|&count| count > 0))
            .map(|(counts, bits)| (Opcode::of_bits(bits).name(), counts[0], counts[1]))
    }

    /// What connections paid by subprotocol.
    pub fn subprotocols(&self) -> &Subprotocols {
        &self.subprotocols
    }

    /// Mean length of an upgrade request's header section without what makes it an upgrade, in octets.
    pub fn plain_upgrade_request_bytes(&self) -> Option<u64> {
        self.plain_upgrade_requests.1.checked_div(self.plain_upgrade_requests.0)
    }

    /// Figures by endpoint.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The 20 largest connections, largest first.
    pub fn largest_connections(&self) -> impl Iterator<Item = &LargestConnection> {
        self.largest.iter()
    }

    /// Oddities of connections.
    pub fn anomalies(&self) -> &AnomalyCounts {
        &self.anomalies
    }
}

/// Held polls that end without an answer from one time to another, in nanoseconds since the Unix epoch.
fn held_polls(since_ns: i64, until_ns: i64) -> u64 {
    u64::try_from(until_ns.saturating_sub(since_ns) / HELD_POLL_NS).unwrap_or(0)
}

/// Encoded content, and decoded content if known.
fn contents(cost: &Cost) -> (u64, Option<u64>) {
    (cost.encoded_bytes, cost.content_bytes)
}

/// How long the answer of an exchange took, and nothing else.
fn times(exchange: &Exchange) -> Endpoint {
    let mut times = Endpoint::default();
    times.to_first_byte.add_seconds(exchange.time_to_first_byte_s);
    times.to_answer.add_seconds(exchange.time_to_last_byte_s);
    times
}

/// The header sections of request and response.
fn heads(exchange: &Exchange) -> [Option<&Head>; 2] {
    [exchange.request.as_ref().map(|request| &request.head), exchange.response.as_ref().map(|response| &response.head)]
}

fn first_frame(exchange: &Exchange) -> Option<u64> {
    let request = exchange.request.as_ref().map(|request| request.cost.provenance.first.number);
    request.or_else(|| exchange.response.as_ref().map(|response| response.cost.provenance.first.number))
}

/// Fields that only an upgrade request carries; `Connection: Upgrade` gives way to `keep-alive` of about the same length.
fn is_upgrade_field(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"upgrade") || name.get(..14).is_some_and(|start| start.eq_ignore_ascii_case(b"sec-websocket-"))
}

impl AddAssign<&Self> for Summary {
    fn add_assign(&mut self, other: &Self) {
        for (sum, part) in self.sides.iter_mut().zip(&other.sides) {
            *sum += part;
        }
        self.buckets += other.buckets;
        self.unclaimed += other.unclaimed;
        self.connections += other.connections;
        self.unclaimed_connections += other.unclaimed_connections;
        self.connection_wire_bytes += other.connection_wire_bytes;
        self.unread += other.unread;
        self.lost_bytes += other.lost_bytes;
        self.transport += other.transport;
        self.ajax_pairs += &other.ajax_pairs;
        for (sum, part) in self.opcodes.iter_mut().flatten().zip(other.opcodes.iter().flatten()) {
            *sum += part;
        }
        self.subprotocols += &other.subprotocols;
        self.plain_upgrade_requests.0 += other.plain_upgrade_requests.0;
        self.plain_upgrade_requests.1 += other.plain_upgrade_requests.1;
        self.endpoints += &other.endpoints;
        self.largest += &other.largest;
        self.engine_io += &other.engine_io;
        self.polls += &other.polls;
        self.wastes += other.wastes;
        self.anomalies += &other.anomalies;
        for (&connection, active) in &other.active {
            let ours = self.active.entry(connection).or_default();
            ours.figures += active.figures;
            ours.shared_until_ns = ours.shared_until_ns.max(active.shared_until_ns);
            ours.silent_since_ns = ours.silent_since_ns.max(active.silent_since_ns);
            // All rows of a connection are in one part: the other knows nothing of it.
            if ours.talked == Talked::default() {
                ours.talked = active.talked;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{connection, cost, deck_exchange, deck_message, deck_rows, upgrade_exchange};
    use crate::message::{Application, Bucket};

    fn summary(rows: &[Row]) -> Summary {
        let mut summary = Summary::default();
        rows.iter().for_each(|row| summary.add(row));
        summary
    }

    /// Eight connections: Ajax, WebSocket, and one that goes from Ajax to WebSocket; costs differ.
    fn connections() -> Vec<Vec<Row>> {
        (0..8)
            .map(|number| {
                let mut rows = Vec::new();
                if number % 3 != 1 {
                    let mut exchange = deck_exchange();
                    exchange.connection = number;
                    if let Some(response) = &mut exchange.response {
                        response.cost = cost(29 + number, 20, 188, 100 * number, (number != 3).then_some(150 * number));
                    }
                    rows.push(Row::Exchange(Box::new(exchange)));
                }
                if number % 3 != 0 {
                    rows.push(Row::Exchange(Box::new(upgrade_exchange(number))));
                    rows.push(Row::Message(deck_message(number, number, Direction::ServerToClient, Opcode::Text)));
                    rows.push(Row::Message(deck_message(number, number + 1, Direction::ClientToServer, Opcode::Pong)));
                }
                let mut buckets = Buckets::default();
                buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 140 + number);
                buckets.add(Application::Http, Bucket::Acknowledgements, Direction::ServerToClient, 67);
                rows.push(Row::Connection(Box::new(connection(number, &rows, buckets))));
                rows
            })
            .collect()
    }

    #[test]
    fn parts_merge_in_any_order_to_the_same_value() {
        let connections = connections();
        let whole = summary(&connections.concat());
        for cut in 0..=connections.len() {
            let (mut left, mut right) = (summary(&connections[..cut].concat()), summary(&connections[cut..].concat()));
            let first = left.clone();
            left += &right;
            right += &first;
            assert!(left == whole && right == whole, "cut at {cut}");
        }
        let mut backwards = Summary::default();
        connections.iter().rev().for_each(|rows| backwards += &summary(rows));
        assert!(backwards == whole);
    }

    #[test]
    fn the_sides_and_what_nobody_claims_sum_to_the_connections() {
        let mut rows = connections().concat();
        // A connection without a row: 40 octets that no side pays.
        let mut silent = Buckets::default();
        silent.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 40);
        rows.push(Row::Connection(Box::new(connection(8, &[], silent))));
        let summary = summary(&rows);
        let sides: u64 = Side::ALL.iter().map(|&side| summary.side(side).all_in_wire_bytes()).sum();
        assert_eq!((summary.unclaimed().total(), summary.unclaimed_connections()), (40, 1));
        assert_eq!(sides + 40, summary.connection_wire_bytes);
        assert_eq!(summary.rows_wire_bytes() + summary.buckets().total(), summary.connection_wire_bytes);
    }

    #[test]
    fn what_was_lost_of_a_message_makes_no_efficiency() {
        // All 1,000 octets of content are known by the header, of which 600 were captured.
        let mut rows = deck_rows();
        for row in &mut rows {
            if let Row::Message(message) = row
                && message.direction == Direction::ServerToClient
                && !message.opcode.is_control()
            {
                message.cost = Cost { lost_bytes: 400, ..cost(40, 20, 4, 600, Some(1000)) };
            }
        }
        let summary = summary(&rows);
        let direction = summary.side(Side::WebSocket).direction(Direction::ServerToClient);
        let (efficiency, compression) = (direction.messages.efficiency(), direction.compression);
        assert_eq!((efficiency, compression.content_bytes, compression.encoded_bytes), (None, 0, 0));
        assert_eq!((direction.per_message.efficiency.count(), direction.per_message.content_bytes.count()), (0, 1));
    }

    #[test]
    fn handshakes_and_control_frames_are_no_messages() {
        let summary = summary(&deck_rows());
        let websocket = summary.side(Side::WebSocket);
        let messages = |kind: fn(&crate::account::DirectionTotals) -> Money| websocket.money(kind).messages;
        assert_eq!(
            (websocket.deliveries, messages(|d| d.messages), messages(|d| d.upgrade), messages(|d| d.liveness), messages(|d| d.close)),
            (2, 2, 2, 1, 1)
        );
        assert!(summary.active.is_empty());
    }
}
