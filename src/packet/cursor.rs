//! Where the opening of a packet stands: what lies before is headers, what lies behind is not opened yet.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::NotTcp;
use crate::capture::Packet;

/// The same on every machine.
const HASHES: FixedState = FixedState::with_seed(0x7363_6f70);

/// The part of a packet that is not opened yet.
///
/// ```text
///  data  ├─ headers ─┼─ bytes() ──────┤ (the snap length cuts here)
///  wire  ├─ headers ─┼─ room() ───────┼─────┤ trailer …
///        0           at                    end
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
    end: usize,
    /// Tells the network that these octets belong to from others with the same addresses; 0 outside tunnels.
    pub(super) scope: u32,
    /// Headers opened so far.
    pub(super) headers: u8,
    /// Inside something that only a UDP port and a plausible header name a tunnel: from here on, lengths must fit.
    pub(super) is_guessed: bool,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn new(packet: &Packet<'a>) -> Self {
        Self { data: packet.data, at: 0, end: packet.len as usize, scope: 0, headers: 0, is_guessed: false }
    }

    /// Offset in the packet.
    #[inline]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was captured of the part not opened yet.
    #[inline]
    pub(super) fn bytes(&self) -> &'a [u8] {
        let end = self.end.min(self.data.len());
        self.data.get(self.at..end).unwrap_or_default()
    }

    /// Octets on the wire that are not opened yet.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// The next octets.
    #[inline]
    pub(super) fn array<const N: usize>(&self) -> Result<[u8; N], NotTcp> {
        self.bytes().first_chunk().copied().ok_or(NotTcp::Malformed)
    }

    /// The 16-bit number so many octets on, in network byte order.
    #[inline]
    pub(super) fn u16_at(&self, offset: usize) -> Result<u16, NotTcp> {
        match self.bytes().get(offset..) {
            Some(&[high, low, ..]) => Ok(u16::from_be_bytes([high, low])),
            _ => Err(NotTcp::Malformed),
        }
    }

    /// What lies behind a header of so many octets, all of them captured.
    #[inline]
    pub(super) fn skip(mut self, header_len: usize) -> Result<Self, NotTcp> {
        if self.bytes().len() < header_len {
            return Err(NotTcp::Malformed);
        }
        self.at += header_len;
        self.headers = self.headers.saturating_add(1);
        Ok(self)
    }

    /// At most so many octets on.
    pub(super) fn limit(self, len: usize) -> Self {
        Self { end: self.end.min(self.at.saturating_add(len)), ..self }
    }

    /// Within a network of its own, by the kind of tunnel and its identifier.
    pub(super) fn within(self, tunnel: u8, identifier: u32) -> Self {
        let mut hash = HASHES.build_hasher();
        hash.write_u64(u64::from(self.scope) << 32 | u64::from(identifier));
        hash.write_u8(tunnel);
        // 0 means: no tunnel.
        Self { scope: (hash.finish() as u32).max(1), ..self }
    }

    pub(super) fn guessed(self) -> Self {
        Self { is_guessed: true, ..self }
    }
}
