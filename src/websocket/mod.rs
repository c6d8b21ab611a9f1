//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692): the opening handshake, frames, and the messages they make.

mod close;
mod connection;
mod deflate;
mod extension;
mod fields;
mod frame;
mod handshake;
mod mask;
mod partial;
mod recognise;
mod refusal;
mod score;
#[cfg(test)]
mod testing;
mod trace;

pub(crate) use connection::{Event, Receiver};
pub(crate) use deflate::{Failure, Inflater};
pub(crate) use extension::Compression;
#[cfg(test)]
pub(crate) use extension::ContextTakeover;
pub(crate) use frame::Header;
pub(crate) use handshake::Handshake;
pub(crate) use mask::unmask;
pub(crate) use recognise::{Evidence, speaks_websocket};
pub(crate) use refusal::refusal;
pub(crate) use score::{Score, Walk};
