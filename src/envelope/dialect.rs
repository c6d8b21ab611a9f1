//! The protocols that are read, and what names them before anybody spoke: the subprotocol (RFC 6455 §1.9) or the target.

use super::packet::{Packets, Seen};
use super::{graphql, jsonrpc, mqtt, signalr, socketio, sockjs, stomp, wamp};
use crate::message::{Direction, EnvelopeProtocol};

/// A protocol, and what its reader has to remember.
#[derive(Debug)]
pub(super) enum Dialect {
    SocketIo(socketio::Reader),
    SockJs,
    SignalR,
    Stomp,
    Mqtt(Box<mqtt::Reader>),
    Wamp,
    Graphql(EnvelopeProtocol),
    JsonRpc,
}

impl Dialect {
    /// The protocol that a subprotocol names; `Err` when it names one that is not read.
    pub(super) fn named(subprotocol: &str) -> Result<Option<Self>, ()> {
        let name = subprotocol.trim().to_ascii_lowercase();
        Ok(Some(match &name[..] {
            "mqtt" | "mqttv3.1" | "mqttv3.1.1" | "mqttv5" => Self::Mqtt(Box::default()),
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
    pub(super) fn of_target(target: &str) -> Option<Self> {
        if let Some(revision) = socketio::revision(target.as_bytes()) {
            return Some(Self::SocketIo(socketio::Reader::new(revision <= 3)));
        }
        let path = target.split('?').next().unwrap_or_default();
        let mut parts = path.rsplit('/');
        let (transport, session, server) = (parts.next()?, parts.next()?, parts.next()?);
        let is_server = server.len() == 3 && server.bytes().all(|octet| octet.is_ascii_digit());
        (transport == "websocket" && is_server && !session.is_empty() && parts.next().is_some()).then_some(Self::SockJs)
    }

    pub(super) fn read<'a>(&mut self, seen: &Seen<'a>) -> Option<Packets<'a>> {
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

    pub(super) fn lose(&mut self, direction: Direction) {
        match self {
            Self::SocketIo(reader) => reader.lose(direction),
            Self::Mqtt(reader) => reader.lose(direction),
            Self::SockJs | Self::SignalR | Self::Stomp | Self::Wamp | Self::Graphql(_) | Self::JsonRpc => {}
        }
    }
}
