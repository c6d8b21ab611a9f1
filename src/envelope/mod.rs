//! What is inside messages: the protocols that applications speak in WebSocket messages and engine.io's polls. Each message
//! gets a name, an id, and what the envelope around the application's own octets costs; asks are paired with their answers.
//!
//! socket.io and engine.io, SockJS, SignalR, STOMP, MQTT, WAMP, GraphQL over WebSocket, JSON-RPC 2.0.

mod dialect;
mod graphql;
mod json;
mod jsonrpc;
mod messagepack;
mod mqtt;
mod packet;
mod pending;
mod poll;
mod recognise;
mod session;
mod signalr;
mod socketio;
mod sockjs;
mod stomp;
#[cfg(test)]
mod tests;
mod wamp;

pub(crate) use session::{Keep, Session};

use crate::message::{Direction, Envelope};
use packet::Seen;

/// Whether a request target is one of engine.io's polls: what it asks for and brings are packets.
pub(crate) fn is_poll(target: &[u8]) -> bool {
    poll::revision(target).is_some()
}

/// The packets in a poll's content, of which the first octets are given.
pub(crate) fn of_poll(target: &[u8], octets: &[u8], len: u64, direction: Direction) -> Option<Box<Envelope>> {
    let revision = poll::revision(target)?;
    poll::read(revision, &Seen { octets, len, is_text: true, direction }).map(Box::new)
}
