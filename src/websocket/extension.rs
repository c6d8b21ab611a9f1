//! What the extensions of a connection do to its frames (RFC 7692).

use crate::message::Direction;

/// Whether the LZ77 window of one message serves the next (RFC 7692 §7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextTakeover {
    /// A message may refer to what earlier ones held.
    Keep,
    /// Every message stands for itself.
    Reset,
}

/// What is compressed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A message: RSV1 of its first frame says so (RFC 7692 §6).
    Message,
    /// A frame: RSV1 of each says so (draft-tyoshino-hybi-websocket-perframe-deflate).
    Frame,
}

/// How one direction compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression {
    pub(crate) unit: Unit,
    pub(crate) context_takeover: ContextTakeover,
    /// Base-2 logarithm of the LZ77 window the sender keeps to, 8–15. Inflating needs no such promise.
    pub(crate) window_bits: u8,
}

impl Compression {
    /// What fits every sender: inflating with a kept window of full size is right for those that use less of it.
    pub(crate) const ASSUMED: Self = Self { unit: Unit::Message, context_takeover: ContextTakeover::Keep, window_bits: 15 };
}

/// Which frames may set RSV1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rsv1 {
    /// None: no extension defines it.
    Undefined,
    /// The first of a data message.
    FirstFrame,
    /// Any of a data message.
    AnyFrame,
}

impl Rsv1 {
    /// As the direction's compression defines it.
    pub(crate) fn of(compression: Option<Compression>) -> Self {
        match compression.map(|compression| compression.unit) {
            None => Self::Undefined,
            Some(Unit::Message) => Self::FirstFrame,
            Some(Unit::Frame) => Self::AnyFrame,
        }
    }
}

/// The compression that was agreed on, for each direction by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) client_to_server: Option<Compression>,
    pub(crate) server_to_client: Option<Compression>,
}

impl Agreement {
    /// For connections whose opening handshake was not captured: RSV1 is taken for compression.
    pub(crate) const ASSUMED: Self = Self { client_to_server: Some(Compression::ASSUMED), server_to_client: Some(Compression::ASSUMED) };

    /// Of one direction.
    pub(crate) fn of(&self, direction: Direction) -> Option<Compression> {
        match direction {
            Direction::ClientToServer => self.client_to_server,
            Direction::ServerToClient => self.server_to_client,
        }
    }
}
