//! IPv4 (RFC 791) and IPv6 (RFC 8200): addresses, lengths, and where the TCP header begins.

use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6ExtensionsSlice, Ipv6HeaderSlice};

use super::NotTcp;
use crate::capture::Packet;

/// An IP packet that carries TCP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip {
    pub(super) addresses: Addresses,
    /// Offset of the IP header in the captured packet.
    pub(super) start: usize,
    /// Octets of the IP header with options or extension headers.
    pub(super) header_len: usize,
    /// Octets of the IP packet, bounded by the frame.
    pub(super) total_len: usize,
    /// `ip.id`; 0 for IPv6.
    pub(super) identification: u16,
    /// `ip.ttl` or `ipv6.hlim`.
    pub(super) hop_limit: u8,
}

/// Source and destination.
#[derive(Clone, Copy, Debug)]
pub(super) enum Addresses {
    V4(u32, u32),
    V6(u128, u128),
}

#[inline]
pub(super) fn slice(packet: &Packet<'_>, start: usize) -> Result<Ip, NotTcp> {
    let data = packet.data.get(start..).ok_or(NotTcp::Malformed)?;
    match data.first().map(|byte| byte >> 4) {
        Some(4) => v4(packet, start, data),
        Some(6) => v6(packet, start, data),
        _ => Err(NotTcp::Malformed),
    }
}

#[inline]
fn v4(packet: &Packet<'_>, start: usize, data: &[u8]) -> Result<Ip, NotTcp> {
    let header = Ipv4HeaderSlice::from_slice(data).map_err(|_| NotTcp::Malformed)?;
    if header.is_fragmenting_payload() {
        return Err(NotTcp::Fragment);
    }
    if header.protocol() != IpNumber::TCP {
        return Err(NotTcp::IpProtocol(header.protocol().0));
    }
    let header_len = header.slice().len();
    let addresses = Addresses::V4(u32::from_be_bytes(header.source()), u32::from_be_bytes(header.destination()));
    let total_len = bounded(packet, start, usize::from(header.total_len()), header_len)?;
    Ok(Ip { addresses, start, header_len, total_len, identification: header.identification(), hop_limit: header.ttl() })
}

fn v6(packet: &Packet<'_>, start: usize, data: &[u8]) -> Result<Ip, NotTcp> {
    let header = Ipv6HeaderSlice::from_slice(data).map_err(|_| NotTcp::Malformed)?;
    let rest = &data[header.slice().len()..];
    let mut header_len = header.slice().len();
    let mut next = header.next_header();
    if next != IpNumber::TCP {
        let (extensions, last, _) = Ipv6ExtensionsSlice::from_slice(next, rest).map_err(|_| NotTcp::Malformed)?;
        if extensions.is_fragmenting_payload() {
            return Err(NotTcp::Fragment);
        }
        header_len += extensions.slice().len();
        next = last;
    }
    if next != IpNumber::TCP {
        return Err(NotTcp::IpProtocol(next.0));
    }
    let declared = match header.payload_length() {
        0 => 0,
        payload => header.slice().len() + usize::from(payload),
    };
    let addresses = Addresses::V6(u128::from_be_bytes(header.source()), u128::from_be_bytes(header.destination()));
    let total_len = bounded(packet, start, declared, header_len)?;
    Ok(Ip { addresses, start, header_len, total_len, identification: 0, hop_limit: header.hop_limit() })
}

/// Octets of the IP packet: as declared, or up to the end of the frame when segmentation offload left 0 there or the
/// declared length goes beyond the frame.
#[inline]
fn bounded(packet: &Packet<'_>, start: usize, declared: usize, header_len: usize) -> Result<usize, NotTcp> {
    let room = (packet.len as usize).checked_sub(start).ok_or(NotTcp::Malformed)?;
    let total = if declared == 0 || declared > room { room } else { declared };
    if total < header_len { Err(NotTcp::Malformed) } else { Ok(total) }
}
