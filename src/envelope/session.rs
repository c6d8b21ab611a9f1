//! The envelopes of one WebSocket connection: which protocol it speaks, and which answer belongs to which ask.
//!
//! The subprotocol names the protocol (RFC 6455 §1.9), or the target does (engine.io, SockJS). Else the first messages tell: one
//! that names its protocol itself (an opening packet, `"jsonrpc":"2.0"`), or several in a row that only one protocol has. When
//! they do not, or when none of them is what was named, nobody looks any more.

use super::packet::{Key, Packets, Role, Seen};
use super::pending::{Pending, Waiting};
use super::{graphql, jsonrpc, mqtt, signalr, socketio, sockjs, stomp, wamp};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Answered, Direction, EnvelopeProtocol, Message, Opcode};

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
    Known(Box<Dialect>),
    Nothing,
}

/// A protocol, and what its reader has to remember.
#[derive(Debug)]
enum Dialect {
    SocketIo(socketio::Reader),
    SockJs,
    SignalR,
    Stomp,
    Mqtt(mqtt::Reader),
    Wamp,
    Graphql(EnvelopeProtocol),
    JsonRpc,
}

impl Dialect {
    /// The protocol that a subprotocol names; `Err` when it names one that is not read.
    fn named(subprotocol: &str) -> Result<Option<Self>, ()> {
        let name = subprotocol.trim().to_ascii_lowercase();
        Ok(Some(match &name[..] {
            "mqtt" | "mqttv3.1" | "mqttv3.1.1" | "mqttv5" => Self::Mqtt(mqtt::Reader::default()),
            "stomp" | "v10.stomp" | "v11.stomp" | "v12.stomp" => Self::Stomp,
            "wamp.2.json" | "wamp.2.json.batched" | "wamp.2.msgpack" => Self::Wamp,
            name if name.starts_with("wamp") => return Err(()),
            "graphql-transport-ws" => Self::Graphql(EnvelopeProtocol::GraphqlTransportWs),
            "graphql-ws" => Self::Graphql(EnvelopeProtocol::GraphqlWs),
            "jsonrpc" | "json-rpc" | "jsonrpc2.0" | "jsonrpc-2.0" => Self::JsonRpc,
            _ => return Ok(None),
        }))
    }

    /// The protocol that a request target names: `EIO=4` is engine.io's alone, `/000/session/websocket` is SockJS's.
    fn of_target(target: &str) -> Option<Self> {
        if let Some(revision) = socketio::revision(target.as_bytes()) {
            return Some(Self::SocketIo(socketio::Reader::new(revision <= 3)));
        }
        let path = target.split('?').next().unwrap_or_default();
        let mut parts = path.rsplit('/');
        let (transport, session, server) = (parts.next()?, parts.next()?, parts.next()?);
        let is_server = server.len() == 3 && server.bytes().all(|octet| octet.is_ascii_digit());
        (transport == "websocket" && is_server && !session.is_empty() && parts.next().is_some()).then_some(Self::SockJs)
    }

    fn read<'a>(&mut self, seen: &Seen<'a>) -> Option<Packets<'a>> {
        match self {
            Self::SocketIo(reader) => reader.read(seen),
            Self::SockJs => seen.is_text.then(|| sockjs::read(seen)).flatten(),
            Self::SignalR => signalr::read(seen),
            Self::Stomp => stomp::read(seen),
            Self::Mqtt(reader) => reader.read(seen),
            Self::Wamp => wamp::read(seen),
            Self::Graphql(protocol) => seen.is_text.then(|| graphql::read(*protocol, seen)).flatten(),
            Self::JsonRpc => jsonrpc::read(seen),
        }
    }

    fn lose(&mut self, direction: Direction) {
        match self {
            Self::SocketIo(reader) => reader.lose(direction),
            Self::Mqtt(reader) => reader.lose(direction),
            Self::SockJs | Self::SignalR | Self::Stomp | Self::Wamp | Self::Graphql(_) | Self::JsonRpc => {}
        }
    }
}

/// Messages in a row that speak for each protocol that may be spoken.
#[derive(Debug, Default)]
struct Candidates {
    spoken_for: [u8; CANDIDATES.len()],
}

/// Protocols that are looked for where none is named.
const CANDIDATES: [fn() -> Dialect; 8] = [
    || Dialect::JsonRpc,
    || Dialect::SocketIo(socketio::Reader::default()),
    || Dialect::SignalR,
    || Dialect::Stomp,
    || Dialect::Wamp,
    || Dialect::SockJs,
    || Dialect::Graphql(EnvelopeProtocol::GraphqlTransportWs),
    || Dialect::Mqtt(mqtt::Reader::default()),
];

/// What a message says of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    Certain,
    For,
    Neutral,
    Against,
}

impl Candidates {
    /// Looks at a message; the protocol, once it is clear.
    fn look(&mut self, seen: &Seen<'_>) -> Option<Dialect> {
        for (candidate, spoken_for) in CANDIDATES.iter().zip(&mut self.spoken_for) {
            let mut dialect = candidate();
            *spoken_for = match evidence(&mut dialect, seen) {
                Evidence::Certain => wanted(&dialect),
                Evidence::For => *spoken_for + 1,
                Evidence::Neutral => *spoken_for,
                Evidence::Against => 0,
            };
            if *spoken_for >= wanted(&dialect) {
                // Whoever is chosen reads the message again, and remembers nothing of this look.
                return Some(candidate());
            }
        }
        None
    }
}

/// Messages in a row that must speak for a protocol. Binary packets without a name are met by chance more often than text.
fn wanted(dialect: &Dialect) -> u8 {
    if matches!(dialect, Dialect::Mqtt(_)) { 3 } else { 2 }
}

/// Whether the octets hold what every message has that speaks for the protocol: faster to find than to read.
fn may_speak(dialect: &Dialect, octets: &[u8]) -> bool {
    let hold = |name: &[u8]| memchr::memmem::find(octets, name).is_some();
    match dialect {
        Dialect::JsonRpc => hold(b"\"jsonrpc\""),
        Dialect::Graphql(_) => hold(b"\"connection_"),
        Dialect::SocketIo(_) | Dialect::SockJs | Dialect::SignalR | Dialect::Stomp | Dialect::Wamp | Dialect::Mqtt(_) => true,
    }
}

/// What a message says of a protocol: it may be one that no other protocol has, or one that it shares with many applications.
fn evidence(dialect: &mut Dialect, seen: &Seen<'_>) -> Evidence {
    if !may_speak(dialect, seen.octets) {
        return Evidence::Against;
    }
    let Some(packets) = dialect.read(seen) else { return Evidence::Against };
    let kind = packets.first.kind;
    match dialect {
        Dialect::JsonRpc => Evidence::Certain,
        Dialect::SocketIo(_) => match (packets.first.protocol, kind) {
            (_, "open") => Evidence::Certain,
            (EnvelopeProtocol::SocketIo, "event" | "ack" | "binary_event" | "binary_ack") => Evidence::For,
            (EnvelopeProtocol::SocketIo, _) => Evidence::Neutral,
            _ => Evidence::Against,
        },
        Dialect::SignalR => match kind {
            "handshake" if seen.is_from_client() => Evidence::Certain,
            _ if seen.is_text => Evidence::For,
            _ => Evidence::Neutral,
        },
        Dialect::Stomp => match kind {
            "CONNECT" | "STOMP" | "CONNECTED" => Evidence::Certain,
            "heartbeat" => Evidence::Neutral,
            _ => Evidence::For,
        },
        Dialect::Wamp => match kind {
            "hello" | "welcome" => Evidence::Certain,
            // Few elements, all of them numbers: many an array of an application looks so.
            _ if packets.first.name.is_none() && packets.envelope == Some(seen.len) => Evidence::Neutral,
            _ => Evidence::For,
        },
        Dialect::SockJs => match kind {
            // Any application may send an array of texts.
            _ if seen.is_from_client() => Evidence::Neutral,
            "heartbeat" | "open" => Evidence::Neutral,
            _ => Evidence::For,
        },
        Dialect::Graphql(_) => match kind {
            "connection_init" | "connection_ack" => Evidence::For,
            _ => Evidence::Against,
        },
        Dialect::Mqtt(reader) => match kind {
            "connect" => Evidence::Certain,
            _ if packets.count > 0 && reader.is_between_packets(seen.direction) => Evidence::For,
            _ => Evidence::Against,
        },
    }
}

impl Session {
    /// Of a connection whose opening handshake chose a subprotocol for a target. At most `limit` asks wait for their answers.
    pub(crate) fn new(subprotocol: Option<&str>, target: Option<&str>, limit: usize) -> Self {
        let by_name = subprotocol.map_or(Ok(None), Dialect::named);
        let speaks = match by_name.map(|dialect| dialect.or_else(|| Dialect::of_target(target?))) {
            Ok(Some(dialect)) => Speaks::Known(Box::new(dialect)),
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
            self.speaks = Speaks::Known(Box::new(candidates.look(seen)?));
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
