//! What a connection speaks, found out by what is said on it.

use std::borrow::Cow;

use super::Connection;
use crate::anomaly::AnomalyKind;
use crate::envelope;
use crate::flow::application::{Looks, Running, recognise};
use crate::flow::output::Output;
use crate::flow::unannounced::Verdict;
use crate::message::{Bucket, Direction};
use crate::options::{Options, Protocol};
use crate::websocket::{self, Evidence};

/// Protocols of a connection that its row names: a tunnel in a tunnel is seen, endless ones are not.
const MAX_PROTOCOLS: usize = 16;

impl Connection {
    /// Looks at what the direction's next segment begins with; whether something was recognised or passed over.
    pub(super) fn detect(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        let half = &mut self.halves[direction as usize];
        let stream_begins = half.buffer.start() == self.begins[direction as usize];
        let is_told = self.told == Some(Protocol::Data) || half.buffer.missing() > 0;
        let looks = match &mut self.glances {
            _ if is_told => Looks::Unknown,
            Some(glances) => glances[direction as usize].recognise(&half.buffer, stream_begins),
            // Nearly all are told by the first look, which need not be remembered.
            None => recognise(half.buffer.peek(), stream_begins),
        };
        if looks == Looks::Unclear {
            self.glances.get_or_insert_default();
        }
        match looks {
            Looks::Unclear if half.buffer.len() <= out.options.limits.http_head as u64 => return false,
            Looks::Unclear | Looks::Unknown => return self.detect_websocket(direction, out),
            Looks::Tls => self.run(Running::Opaque, &["tls"]),
            Looks::Http2 => self.run(Running::Opaque, &["http/2"]),
            Looks::Http(speaker) => self.begin_http(direction, speaker, out),
        }
        true
    }

    /// Looks for frames without an opening handshake, and passes over what is nothing known; whether it did either.
    fn detect_websocket(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        match self.seems_websocket(direction, out.options) {
            Verdict::WebSocket { is_client } => self.begin_unannounced(direction, is_client, out.options),
            Verdict::Perhaps => return false,
            Verdict::Other => {
                let half = &mut self.halves[direction as usize];
                let front = half.buffer.front_run();
                let cost = half.buffer.consume(front);
                self.book(Bucket::Unattributed, direction, cost.bytes.total());
            }
        }
        true
    }

    fn seems_websocket(&mut self, direction: Direction, options: &Options) -> Verdict {
        let half = &self.halves[direction as usize];
        if half.buffer.missing() > 0 {
            return Verdict::Other;
        }
        match self.told {
            Some(Protocol::Http | Protocol::Data) => return Verdict::Other,
            Some(Protocol::WebSocket) => {
                return match half.buffer.peek() {
                    [_, second, ..] => Verdict::WebSocket { is_client: second & 0x80 != 0 },
                    _ if half.ended => Verdict::Other,
                    _ => Verdict::Perhaps,
                };
            }
            None => {}
        }
        // Where it was captured from its beginning, the opening handshake would be there.
        if self.handshake.is_captured() && self.facts.lost_bytes == 0 {
            return Verdict::Other;
        }
        let suspicion = self.suspicion.get_or_insert_default();
        match suspicion.look(direction, &self.halves, options.limits.out_of_order_bytes) {
            Verdict::WebSocket { is_client } if self.roles.certain && is_client != (direction == Direction::ClientToServer) => {
                Verdict::Other
            }
            verdict => verdict,
        }
    }

    /// Goes on with WebSocket whose opening handshake was not captured.
    fn begin_unannounced(&mut self, direction: Direction, is_client: bool, options: &Options) {
        let suspicion = self.suspicion.take().unwrap_or_default();
        let mut wanted = if self.told.is_some() { [Evidence::Told; 2] } else { suspicion.evidence() };
        if !self.roles.certain && is_client != (direction == Direction::ClientToServer) {
            self.swap_directions();
            wanted.swap(0, 1);
        }
        self.roles.certain = true;
        self.anomalies.add(AnomalyKind::MissingHandshake, self.last.number);
        self.websocket = Some(Box::default());
        let session = envelope::Session::new(None, None, options.limits.pending_answers);
        self.open_receivers(&websocket::Handshake::new(None, None), wanted.map(Some), session, options);
        if suspicion.both_mask()
            && let Running::WebSocket(receivers) = &mut self.running
        {
            receivers[Direction::ServerToClient as usize].expect_masks();
        }
    }

    /// An application begins; `protocol` is its name alone.
    pub(super) fn run(&mut self, running: Running, protocol: &'static [&'static str; 1]) {
        self.applications += 1;
        self.running = running;
        self.glances = None;
        if !matches!(self.running, Running::Http(_)) {
            // Only HTTP asks which response is whose.
            self.halves.iter_mut().for_each(|half| half.buffer.forget_acknowledged());
        }
        if self.protocols.is_empty() {
            self.protocols = Cow::Borrowed(protocol);
        } else if !self.protocols.ends_with(protocol) && self.protocols.len() < MAX_PROTOCOLS {
            // Thousands are open at a time.
            let protocols = self.protocols.to_mut();
            protocols.reserve_exact(1);
            protocols.extend(protocol);
        }
    }

    /// Who is the client was guessed wrong.
    pub(super) fn swap_directions(&mut self) {
        self.roles.client = self.roles.client.other();
        self.halves.swap(0, 1);
        self.begins.swap(0, 1);
        self.ends_told.swap(0, 1);
        self.ledger.swap_directions();
        self.handshake.swap_directions();
        self.analysis.swap_directions();
        self.max_payload.swap(0, 1);
        self.facts.swap_directions();
        if let Some(suspicion) = &mut self.suspicion {
            suspicion.swap_directions();
        }
    }
}
