//! What stays the same of a packet wherever it is captured, and what tells the places apart.
//!
//! A capture on several interfaces (Linux `any`, both sides of a router, a mirror port) holds the same packet more than
//! once. A retransmission is another packet: its sender gave it another identification (RFC 6864 asks for that only where
//! fragments are possible, so 0 tells nothing), and it passes the same places again.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::Segment;
use super::ip::Ip;
use crate::capture::Packet;

/// The same on every machine.
const HASHES: FixedState = FixedState::with_seed(0x6964_656e);

/// Link-layer headers begin with what tells places apart: packet type, addresses, interface index (Ethernet 14 octets, SLL
/// 16, SLL2 20). What follows them in so many octets is the IP header.
const LINK_PREFIX: usize = 20;

/// What a packet's own fields say beside its segment's: equal for every copy of it, but for the place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `ip.id`; 0 for IPv6 and where the sender does not number its packets.
    pub identification: u16,
    /// `tcp.checksum` as captured: it covers header, options and payload, or only addresses and length where offloading left
    /// the rest to the network card.
    pub checksum: u16,
    /// Where it was captured; told only for packets without a number, which need it.
    pub point: CapturePoint,
}

/// What tells a segment from others and no router and no tunnel changes, in the order of the packet's octets: the same however
/// it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) [u64; 4]);

impl Words {
    /// Of the addresses, the ports, sequence and acknowledgment number, the eight octets behind those, `ip.id` and `tcp.len`.
    #[inline(always)]
    pub(super) fn new(addresses: u64, ports: u32, position: u64, rest: u64, identification: u16, payload_len: u32) -> Self {
        // Of those eight octets flags, window and checksum.
        let rest = rest & 0x00ff_ffff_ffff_0000 | u64::from(identification);
        Self([position, rest, addresses, u64::from(ports) << 32 | u64::from(payload_len)])
    }

    /// Of a segment.
    pub(crate) fn of(segment: &Segment<'_>) -> Self {
        let Identity { identification, checksum, .. } = segment.identity;
        let position = u64::from(segment.seq.0) << 32 | u64::from(segment.ack.0);
        let rest = u64::from(segment.flags.0) << 48 | u64::from(segment.window) << 32 | u64::from(checksum) << 16;
        let (addresses, ports) = segment.key.as_sent_by(segment.sender);
        Self::new(addresses, ports, position, rest, identification, segment.payload_len)
    }
}

/// A place on a packet's way: interface, link-layer header and hop limit, hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapturePoint(pub u32);

impl Identity {
    pub(super) fn new(packet: &Packet<'_>, ip: &Ip, checksum: u16) -> Self {
        let point = if ip.identification == 0 { CapturePoint::of(*packet, ip.hop_limit) } else { CapturePoint::default() };
        Self { identification: ip.identification, checksum, point }
    }
}

impl CapturePoint {
    /// Where a packet passed.
    // By value: so a caller's packet needs no place in memory.
    #[inline(never)]
    pub(super) fn of(packet: Packet<'_>, hop_limit: u8) -> Self {
        let mut hash = HASHES.build_hasher();
        hash.write_u64(u64::from(packet.interface) << 32 | u64::from(packet.link_type) << 8 | u64::from(hop_limit));
        match packet.link_type {
            // Headers that begin with times and signal strengths differ for every frame.
            105 | 119 | 127 | 163 | 192 => {}
            _ => hash.write(&packet.data[..packet.data.len().min(LINK_PREFIX)]),
        }
        Self(hash.finish() as u32)
    }
}
