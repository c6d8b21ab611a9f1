//! The envelopes of one WebSocket connection: which protocol it speaks, and which answer belongs to which ask.
//!
//! The protocol is named, or the first messages tell. When they do not, or when none of them is what was named, nobody looks any more.

use super::dialect::Dialect;
use super::packet::{Key, Packets, Role, Seen};
use super::pending::{Pending, Waiting};
use super::recognise::Candidates;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Answered, Message, Opcode};

/// Data messages that are looked at before a connection is given up.
const LOOKS: u32 = 8;

/// Octets of the messages of a connection that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Of data messages and of Ping and Pong.
    All,
    /// Of Ping and Pong only.
    Control,
}

/// The envelopes of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    speaks: Speaks,
    /// Data messages that were looked at before one was understood.
    looks: u32,
    pending: Pending,
}

#[derive(Debug)]
enum Speaks {
    Unknown(Candidates),
    Known(Dialect),
    Nothing,
}

impl Session {
    /// Of a connection whose opening handshake chose a subprotocol for a target. At most `limit` asks wait for their answers.
    pub(crate) fn new(subprotocol: Option<&str>, target: Option<&str>, limit: usize) -> Self {
        let by_name = subprotocol.map_or(Ok(None), Dialect::named);
        let speaks = match by_name.map(|dialect| dialect.or_else(|| Dialect::of_target(target?))) {
            Ok(Some(dialect)) => Speaks::Known(dialect),
            Ok(None) => Speaks::Unknown(Candidates::default()),
            Err(()) => Speaks::Nothing,
        };
        Self { speaks, looks: 0, pending: Pending::new(limit) }
    }

    /// What it wants to see of further messages.
    #[inline]
    pub(crate) fn keep(&self) -> Keep {
        if matches!(self.speaks, Speaks::Nothing) { Keep::Control } else { Keep::All }
    }

    /// Whether messages of an opcode are to be given to it.
    #[inline]
    pub(crate) fn listens(&self, opcode: Opcode) -> bool {
        match opcode {
            Opcode::Text | Opcode::Binary => self.keep() == Keep::All,
            Opcode::Ping | Opcode::Pong => true,
            Opcode::Close | Opcode::Continuation | Opcode::Reserved(_) => false,
        }
    }

    /// Whether a message of which nothing is seen, lost or not decoded, tells it anything: that one is missing.
    #[inline]
    pub(crate) fn minds_unseen(&self) -> bool {
        matches!(self.speaks, Speaks::Known(_))
    }

    /// Takes a message that has ended, with its first octets when all of them are known, and says in it what was found.
    /// Messages of both directions come in the order in which they were complete.
    pub(crate) fn receive(&mut self, message: &mut Message, octets: Option<&[u8]>) {
        if self.listens(message.opcode) {
            if message.opcode.is_control() { self.receive_control(message, octets) } else { self.receive_data(message, octets) }
        }
    }

    /// A Pong has the payload of the Ping that it answers (RFC 6455 §5.5.3).
    fn receive_control(&mut self, message: &mut Message, octets: Option<&[u8]>) {
        let Some(payload) = octets else { return };
        let what = Waiting::Control(Key::of(payload));
        if message.opcode == Opcode::Ping {
            self.ask(message, what);
        } else {
            message.answered = self.answer(message, what).map(Answered::Ping);
        }
    }

    fn receive_data(&mut self, message: &mut Message, octets: Option<&[u8]>) {
        let direction = message.direction;
        let after_loss = [AnomalyKind::LostBytes, AnomalyKind::OpaqueStream].iter().any(|&kind| message.anomalies.contains(kind));
        if let (true, Speaks::Known(dialect)) = (after_loss || octets.is_none(), &mut self.speaks) {
            dialect.lose(direction);
        }
        let (Some(octets), Some(len)) = (octets, message.cost.content_bytes) else { return };
        let seen = Seen { octets, len, is_text: message.opcode == Opcode::Text, direction };
        let Some(packets) = self.read(&seen) else {
            self.looks = self.looks.saturating_add(1);
            if self.looks == LOOKS {
                self.speaks = Speaks::Nothing;
            }
            return;
        };
        // Once a message was understood, others may be of any kind.
        self.looks = LOOKS;
        for packet in packets.all() {
            let answered = self.pair(packet.role, message);
            message.answered = message.answered.or(answered);
        }
        message.content.envelope = Some(Box::new(packets.into_envelope()));
    }

    /// The packets of a message, when it is clear what is spoken.
    fn read<'a>(&mut self, seen: &Seen<'a>) -> Option<Packets<'a>> {
        if let Speaks::Unknown(candidates) = &mut self.speaks {
            self.speaks = Speaks::Known(candidates.look(seen)?);
        }
        let Speaks::Known(dialect) = &mut self.speaks else { return None };
        dialect.read(seen)
    }

    /// Pairs what a packet asks or answers.
    fn pair(&mut self, role: Role, message: &mut Message) -> Option<Answered> {
        match role {
            Role::None => {}
            Role::Ask(key) => self.ask(message, Waiting::Ask(key)),
            Role::Ping(key) => self.ask(message, Waiting::Ping(key)),
            Role::Answer(key) => return self.answer(message, Waiting::Ask(key)).map(Answered::Ask),
            Role::Pong(key) => return self.answer(message, Waiting::Ping(key)).map(Answered::Ping),
            Role::Withdraw(key) => {
                self.pending.answer(message.direction, Waiting::Ask(key), message.cost.provenance.last.time);
            }
        }
        None
    }

    fn ask(&mut self, message: &mut Message, what: Waiting) {
        if self.pending.ask(message.direction, what, message.cost.provenance.first.time) {
            message.anomalies.merge(AnomalySet::from_iter([AnomalyKind::PendingAnswerLimit]));
        }
    }

    fn answer(&mut self, message: &Message, what: Waiting) -> Option<u64> {
        self.pending.answer(message.direction.reverse(), what, message.cost.provenance.last.time)
    }
}
