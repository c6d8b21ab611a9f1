//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692): the opening handshake, frames, and the messages they make.

mod close;
mod connection;
mod deflate;
mod extension;
mod frame;
mod handshake;
mod mask;
mod resync;

pub(crate) use connection::{Event, Receiver};
pub(crate) use deflate::{InflateError, Inflater};
pub(crate) use extension::Compression;
pub(crate) use handshake::Handshake;
