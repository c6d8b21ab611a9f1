//! What the messages of a connection say of its protocol, where nothing names it: one that names its protocol itself (an opening
//! packet, `"jsonrpc":"2.0"`), or several in a row that only one protocol has.

use super::dialect::Dialect;
use super::packet::Seen;
use super::socketio;
use crate::message::EnvelopeProtocol;

/// Messages in a row that speak for each protocol that may be spoken.
#[derive(Debug, Default)]
pub(super) struct Candidates {
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
    || Dialect::Mqtt(Box::default()),
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
    pub(super) fn look(&mut self, seen: &Seen<'_>) -> Option<Dialect> {
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
