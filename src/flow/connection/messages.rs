//! WebSocket on a connection: frames in, messages out, and the rows of those whose content is known later.

use super::Connection;
use crate::content::Ticket;
use crate::envelope;
use crate::flow::application::Running;
use crate::flow::output::{Output, Waiting};
use crate::message::{Bucket, Content, ContentSink, Direction, Exchange, Message, Part, Row, Side};
use crate::options::Options;
use crate::websocket::{self, Evidence};

impl Connection {
    pub(super) fn begin_websocket(&mut self, exchange: &mut Exchange, options: &Options) {
        let response = exchange.response.as_ref().map(|response| &response.head);
        let handshake = websocket::Handshake::new(exchange.request.as_ref(), response);
        let mut facts = handshake.facts();
        facts.handshake_s = exchange.time_to_last_byte_s;
        for (direction, odd) in Direction::BOTH.into_iter().zip(handshake.anomalies()) {
            exchange.anomalies.merge(odd);
            if let Some(place) = exchange.places[direction as usize].filter(|_| !odd.is_empty()) {
                exchange.anomaly_details.add(odd, direction, place);
            }
        }
        let session = envelope::Session::new(facts.subprotocol.as_deref(), facts.target.as_deref(), options.limits.pending_answers);
        self.websocket = Some(Box::new(facts));
        if !handshake.is_decodable() {
            return self.run(Running::Opaque, &["websocket"]);
        }
        // Where a half of the handshake is not all there, its direction is taken up at the next frame that convinces.
        let is_whole = [
            exchange.request.as_ref().is_some_and(|request| request.head.is_whole()),
            exchange.response.as_ref().is_some_and(|response| response.head.is_whole()),
        ];
        let wanted = is_whole.map(|is_whole| (!is_whole).then_some(Evidence::Convincing));
        self.open_receivers(&handshake, wanted, session, options);
    }

    /// Reads both directions as frames: from their first octet on, or from the first frame that brings the evidence wanted.
    pub(super) fn open_receivers(
        &mut self,
        handshake: &websocket::Handshake<'_>,
        wanted: [Option<Evidence>; 2],
        session: envelope::Session,
        options: &Options,
    ) {
        for direction in Direction::BOTH {
            let stage = self.halves[direction as usize].stage(options);
            stage.set_compression(handshake.compression(direction));
        }
        self.keep_heads(session.keep(), options);
        self.envelopes = Some(Box::new(session));
        let mut receivers = Direction::BOTH.map(|direction| {
            let compression = handshake.compression(direction);
            let Some(evidence) = wanted[direction as usize] else {
                return websocket::Receiver::new(self.number, direction, compression);
            };
            let stage = self.halves[direction as usize].stage(options);
            stage.lose_context();
            websocket::Receiver::mid_stream(self.number, direction, compression, evidence)
        });
        if options.parts {
            receivers.iter_mut().for_each(|receiver| receiver.show_frames(options.kept_content().unwrap_or(0)));
        }
        self.run(Running::WebSocket(Box::new(receivers)), &["websocket"]);
    }

    /// What is kept of messages for those who look for envelopes.
    fn keep_heads(&mut self, keep: envelope::Keep, options: &Options) {
        let limit = options.limits.envelope;
        let data = (keep == envelope::Keep::All).then_some(limit);
        self.halves.iter_mut().for_each(|half| half.stage(options).keep_heads(data, limit));
    }

    #[inline]
    pub(super) fn step_websocket(&mut self, direction: Direction, out: &mut Output<'_>) {
        loop {
            let Running::WebSocket(receivers) = &mut self.running else { return };
            let (buffer, stage) = self.halves[direction as usize].parts(out.options, out.memory);
            let event = receivers[direction as usize].advance(buffer, stage);
            if out.options.parts {
                out.parts.extend(shown_frames(&mut receivers[direction as usize]));
            }
            if stage.has_done() {
                self.deliver(direction, out);
            }
            if !self.on_websocket(event, direction, out) {
                return;
            }
        }
    }

    /// Decodes the messages that wait in both directions.
    pub(crate) fn decode_waiting(&mut self) {
        self.halves.iter_mut().filter_map(|half| half.stage.as_mut()).for_each(|stage| stage.decode_waiting());
    }

    /// Leaves the messages that wait in either direction to whoever does the work. Those that were left before come back first;
    /// their rows are to be completed.
    pub(crate) fn send_waiting_away(&mut self) -> impl Iterator<Item = impl FnOnce() + Send + use<>> {
        let stages = self.halves.iter_mut().filter_map(|half| half.stage.as_mut());
        stages.filter_map(|stage| {
            stage.come_home();
            stage.is_waiting().then(|| stage.send_away())
        })
    }

    /// Waits for messages that are being decoded elsewhere.
    pub(crate) fn come_home(&mut self) {
        self.halves.iter_mut().filter_map(|half| half.stage.as_mut()).for_each(|stage| stage.come_home());
    }

    /// Completes the rows of messages that waited and have been decoded.
    pub(crate) fn deliver_all(&mut self, out: &mut Output<'_>) {
        Direction::BOTH.into_iter().for_each(|direction| self.deliver(direction, out));
    }

    pub(super) fn settle(&mut self, out: &mut Output<'_>) {
        self.decode_waiting();
        self.deliver_all(out);
    }

    pub(in crate::flow) fn deliver(&mut self, direction: Direction, out: &mut Output<'_>) {
        if let Some(stage) = self.halves[direction as usize].stage.as_mut().filter(|stage| stage.has_done()) {
            let done = stage.take_done();
            self.complete(done, direction, out);
        }
    }

    /// Completes the rows of messages whose content is known now.
    pub(super) fn complete(&mut self, done: Vec<(Ticket, Content)>, direction: Direction, out: &mut Output<'_>) {
        for (Ticket { row, start }, content) in done {
            let Some(Row::Message(message)) = out.row(row) else { continue };
            if !content.anomalies.is_empty() {
                message.anomaly_details.add(content.anomalies, direction, start);
                let fresh = content.anomalies.without(message.anomalies);
                self.anomalies.add_row(fresh, &message.anomaly_details, message.cost.provenance.last.number);
                message.anomalies.merge(content.anomalies);
            }
            message.cost.content_bytes = content.bytes;
            message.content = content;
        }
    }

    /// Takes what a direction has read; whether there was anything. A message is moved once, to its row, and looked at there.
    #[inline(always)]
    pub(super) fn on_websocket(&mut self, event: Option<websocket::Event>, direction: Direction, out: &mut Output<'_>) -> bool {
        match event {
            Some(websocket::Event::Message(message)) => {
                out.rows.push_back(Row::Message(message));
                self.note_message(out);
            }
            Some(websocket::Event::Unattributed(cost)) => self.book(Bucket::Unattributed, direction, cost.bytes.total()),
            None => return false,
        }
        true
    }

    /// Books the message of the last row.
    // Always: part of the short way.
    #[inline(always)]
    pub(in crate::flow) fn note_message(&mut self, out: &mut Output<'_>) {
        let row = out.first_row + out.rows.len() as u64 - 1;
        let Some(Row::Message(message)) = out.rows.back_mut() else { return };
        if let Some(session) = &self.envelopes
            && session.listens(message.opcode)
            && (session.minds_unseen() || self.keeps_head_of_last(message.direction))
        {
            self.look_inside(message, out.options);
        }
        self.ledger.book_message(Side::WebSocket, message.cost.wire_bytes());
        if !message.anomalies.is_empty() {
            self.anomalies.add_row(message.anomalies, &message.anomaly_details, message.cost.provenance.last.number);
        }
        if let (Some(close), Some(facts)) = (&message.close, &mut self.websocket)
            && facts.closed_by.is_none()
        {
            facts.close = Some(close.as_ref().clone());
            facts.closed_by = Some(message.direction);
        }
        if out.options.parts {
            out.parts.push_back(Part::Message(Box::new(message.clone())));
        }
        if message.content.is_waiting {
            self.note_waiting(message, row, out.waiting);
            if out.rows.capacity() < Waiting::most_rows(out.options.jobs) {
                out.rows.reserve_exact(Waiting::most_rows(out.options.jobs) - out.rows.len());
            }
        }
    }

    /// The content of a message will be known later: its row stays where it is until then.
    fn note_waiting(&mut self, message: &Message, row: u64, waiting: &mut Waiting) {
        waiting.add(row, message.cost.encoded_bytes);
        if let Some(stage) = &mut self.halves[message.direction as usize].stage {
            stage.name_row(row);
        }
    }

    /// Whether first octets of that direction's last message were kept.
    #[inline]
    fn keeps_head_of_last(&self, direction: Direction) -> bool {
        self.halves[direction as usize].stage.as_ref().is_some_and(|stage| stage.head().is_some())
    }

    /// Names what the message carries, and says how long it took when it is an answer.
    #[inline(never)]
    fn look_inside(&mut self, message: &mut Message, options: &Options) {
        let Some(session) = &mut self.envelopes else { return };
        let before = session.keep();
        let stage = &mut self.halves[message.direction as usize].stage;
        session.receive(message, stage.as_ref().and_then(|stage| stage.head()));
        if let Some(stage) = stage {
            stage.forget_head();
        }
        let after = session.keep();
        if after != before {
            self.keep_heads(after, options);
        }
    }
}

/// The frames that a direction has ended since it was last asked.
pub(super) fn shown_frames(receiver: &mut websocket::Receiver) -> impl Iterator<Item = Part> {
    receiver.take_frames().into_iter().map(|frame| Part::WebSocketFrame(Box::new(frame)))
}
