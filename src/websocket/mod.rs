//! WebSocket (RFC 6455) with permessage-deflate (RFC 7692): the opening handshake, frames, messages.

mod close;
mod connection;
mod deflate;
mod extension;
mod frame;
mod mask;
mod recognise;
#[cfg(test)]
mod testing;

pub(crate) use connection::{Event, Receiver};
pub(crate) use deflate::{Failure, Inflater};
pub(crate) use extension::{Agreement, Compression, ContextTakeover, Rsv1, Unit};
pub(crate) use recognise::{Verdict, judge};
