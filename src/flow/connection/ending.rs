//! The end of a connection: who is told of it, and what is left finds its place.

use super::Connection;
use super::messages::shown_frames;
use crate::flow::application::Running;
use crate::flow::half::Memory;
use crate::flow::output::Output;
use crate::message::{Bucket, ConnectionRow, Direction, Row};
use crate::packet::{Flags, Segment};
use crate::stream::Provenance;

impl Connection {
    /// Tells the application which directions are complete: by FIN and all before it, or by RST.
    pub(super) fn end_directions(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) {
        if segment.flags.has(Flags::FIN) {
            // Again: what was read may have told that the directions are the other way round.
            let direction = self.direction(segment.sender);
            self.halves[direction as usize].fin_seen = true;
        }
        self.reset |= segment.flags.has(Flags::RST);
        self.end_finished(out);
    }

    /// Tells the application of directions that are complete and that it does not know to be.
    pub(super) fn end_finished(&mut self, out: &mut Output<'_>) {
        for direction in Direction::BOTH {
            let half = &self.halves[direction as usize];
            // Answers that wait for what they answer end when that has come, or is given up.
            let is_waiting = !half.buffer.is_empty() && self.waits_for_request(direction);
            if half.assembler.is_finished() && !half.ended && !is_waiting {
                self.end_direction(direction, out);
            }
        }
        // What was left may have begun another application, or an unfinished message: that has to be told as well.
        while let Some(direction) = self.ended_untold() {
            self.end_direction(direction, out);
        }
        if self.halves.iter().all(|half| half.ended && half.buffer.is_empty()) {
            self.rest(out);
        }
    }

    /// A direction that has ended, and whose application does not know that what it has read by now is all.
    fn ended_untold(&self) -> Option<Direction> {
        let is_untold = |direction: usize| self.halves[direction].ended && self.ends_told[direction] != self.applications;
        Direction::BOTH.into_iter().find(|&direction| is_untold(direction as usize))
    }

    /// Both sides have finished and all is read: gives back what only an application under way needs. Many connections may
    /// wait for late segments.
    fn rest(&mut self, out: &mut Output<'_>) {
        self.finish_http(out);
        self.settle(out);
        self.release_memory(out.memory);
    }

    fn release_memory(&mut self, memory: &mut Memory) {
        let ended = Running::Ended(self.running.kind());
        if let Running::Http(http) = std::mem::replace(&mut self.running, ended) {
            memory.keep_http(http);
        }
        self.parsed = 0;
        for half in &mut self.halves {
            half.stage = None;
            half.buffer.release_memory();
        }
    }

    /// Nothing more comes in this direction.
    fn end_direction(&mut self, direction: Direction, out: &mut Output<'_>) {
        self.halves[direction as usize].ended = true;
        let closed = self.halves[direction as usize].assembler.is_finished();
        // No stage is made for applications that have nothing to say.
        while matches!(self.running, Running::Http(_) | Running::WebSocket(_)) && self.end_application(direction, closed, out) {}
        self.halves[direction as usize].give_back(out.memory);
        self.update_parsed(out.memory);
        self.ends_told[direction as usize] = self.applications;
        self.advance(direction, out);
    }

    /// Tells the application that nothing more comes in a direction; whether it had something to say of it, and may have more.
    fn end_application(&mut self, direction: Direction, closed: bool, out: &mut Output<'_>) -> bool {
        self.finds_lost_answer(direction, out);
        let (buffer, stage) = self.halves[direction as usize].parts(out.options, out.memory);
        match &mut self.running {
            Running::Http(http) => {
                let Memory { seen, heads, .. } = &mut *out.memory;
                let event = stage.with_seen(seen, |stage| http.end(direction, closed, buffer, stage, heads));
                event.map(|event| self.on_http(event, out)).is_some()
            }
            Running::WebSocket(receivers) => {
                let event = receivers[direction as usize].end(buffer, stage);
                out.parts.extend(shown_frames(&mut receivers[direction as usize]));
                if stage.has_done() {
                    self.deliver(direction, out);
                }
                self.on_websocket(event, direction, out)
            }
            Running::Detecting | Running::Opaque | Running::Ended(_) => false,
        }
    }

    /// The connection has ended: everything that is left finds its place in a row or a bucket.
    pub(crate) fn finish(&mut self, out: &mut Output<'_>) {
        // Both before either is read: what is read may tell that the directions are the other way round.
        for direction in Direction::BOTH {
            let half = &mut self.halves[direction as usize];
            let loss = half.assembler.finish(&mut half.buffer);
            self.note_lost(loss, self.last);
        }
        self.advance(Direction::ClientToServer, out);
        // Most have ended before.
        let is_under_way = !matches!(self.running, Running::Ended(_));
        if is_under_way {
            self.end_applications(out);
        }
        for direction in Direction::BOTH {
            let left: Provenance = self.halves[direction as usize].buffer.consume_all();
            self.book(Bucket::Unattributed, direction, left.bytes.total());
        }
        if is_under_way {
            self.settle(out);
        }
        debug_assert_eq!(self.ledger.difference(), 0, "connection {}: every octet is booked once", self.number);
        out.rows.push_back(Row::Connection(Box::new(self.row())));
        self.release_memory(out.memory);
    }

    /// Tells every application that nothing more comes.
    fn end_applications(&mut self, out: &mut Output<'_>) {
        // What ends may make room for another application, which has to be told of the end as well.
        loop {
            for direction in Direction::BOTH {
                self.end_direction(direction, out);
            }
            // Nothing of the server was captured behind an Upgrade request: the client's next bytes tell what became of it.
            self.finds_lost_answer(Direction::ClientToServer, out);
            if self.ended_untold().is_none() {
                break;
            }
        }
        self.finish_http(out);
    }

    pub(super) fn row(&mut self) -> ConnectionRow {
        for (side, most) in self.facts.sides.iter_mut().zip(self.analysis.max_bytes_in_flight()) {
            side.max_bytes_in_flight = most;
        }
        let (client, server) = self.roles.addresses(&self.key);
        let (anomalies, anomaly_details) = self.anomalies.take();
        ConnectionRow {
            connection: self.number,
            client,
            server,
            first: self.first,
            last: self.last,
            syn_captured: self.handshake.is_captured(),
            protocols: std::mem::take(&mut self.protocols),
            wire_bytes: self.ledger.wire_bytes(),
            side_wire_bytes: self.ledger.sides(),
            exchanges: self.exchanges,
            time_to_first_request_s: self
                .first_request
                .filter(|_| self.handshake.is_captured())
                .map(|time| time.seconds_since(self.first.time)),
            buckets: self.ledger.buckets(),
            first_retransmission: self.ledger.first_retransmission(),
            websocket: self.websocket.take().map(|facts| *facts),
            tcp: std::mem::take(&mut self.facts),
            anomalies,
            anomaly_details,
        }
    }
}
