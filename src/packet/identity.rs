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

/// VLAN tags that are looked at.
const VLAN_TAGS: usize = 2;

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

/// A place on a packet's way: interface, link-layer header, addresses of the (outer) IP header and hop limit, hashed.
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
        let (link, ip) = packet.data.split_at(link_header_len(&packet).min(packet.data.len()));
        hash.write(link);
        if is_ip_next(&packet, link) {
            hash.write(ip_addresses(ip));
        }
        Self(hash.finish() as u32)
    }
}

/// Octets of a link-layer header that says where a packet passed: addresses, packet type, interface index. None of one that begins
/// with times and signal strengths, or says nothing.
fn link_header_len(packet: &Packet<'_>) -> usize {
    match packet.link_type {
        1 => 14 + 4 * (0..VLAN_TAGS).take_while(|tag| is_vlan_tag(packet.data, 12 + 4 * tag)).count(),
        113 => 16,
        276 => 20,
        _ => 0,
    }
}

fn is_vlan_tag(data: &[u8], at: usize) -> bool {
    matches!(data.get(at..at + 2), Some([0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] | [0x92, 0x00]))
}

/// Whether an IP header follows, and not labels, of which any may look like one.
fn is_ip_next(packet: &Packet<'_>, link: &[u8]) -> bool {
    packet.link_type != 1 || matches!(link, [.., 0x08, 0x00] | [.., 0x86, 0xdd])
}

/// The addresses of an IP header. What else is in it may differ when a packet is sent again: Linux chooses another flow label, and
/// a tunnel numbers what it carries.
fn ip_addresses(header: &[u8]) -> &[u8] {
    let addresses = match header.first().map(|octet| octet >> 4) {
        Some(4) => header.get(12..20),
        Some(6) => header.get(8..40),
        _ => None,
    };
    addresses.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Frame;

    fn point(link_type: u16, data: &[u8]) -> CapturePoint {
        CapturePoint::of(Packet { frame: Frame::default(), interface: 0, link_type, len: data.len() as u32, data }, 64)
    }

    fn ethernet(ip: &[u8]) -> Vec<u8> {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd][..], ip].concat()
    }

    #[test]
    fn flow_label_and_number_tell_no_place() {
        let (mut label, mut address, mut outer) = (vec![0; 60], vec![0; 60], vec![0x45; 60]);
        label[0] = 0x60;
        address[0] = 0x60;
        let ip = label.clone();
        label[3] = 7;
        address[30] = 7;
        assert_eq!(point(1, &ethernet(&ip)), point(1, &ethernet(&label)));
        assert_ne!(point(1, &ethernet(&ip)), point(1, &ethernet(&address)), "another end of a tunnel");
        assert_eq!(point(101, &ip), point(101, &label));
        let numbered = outer.clone();
        outer[5] += 1;
        assert_eq!(point(1, &ethernet(&numbered)), point(1, &ethernet(&outer)));
    }

    #[test]
    fn link_layer_tells_places() {
        let frame = ethernet(&[0x60; 60]);
        for at in 0..12 {
            let mut other = frame.clone();
            other[at] ^= 1;
            assert_ne!(point(1, &frame), point(1, &other), "octet {at}");
        }
        assert_ne!(point(113, &[0; 40]), point(113, &[&[0, 4][..], &[0; 38]].concat()));
    }
}
