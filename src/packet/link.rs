//! Link layers: where the IP header begins (LINKTYPE_ registry).

use etherparse::{EtherType, Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::NotTcp;
use crate::capture::Packet;

/// More tags than this are not seen on any network; the rest is named by its EtherType.
const MAX_VLAN_TAGS: usize = 8;

/// LLC with the SNAP extension (RFC 1042): three octets, an organisation code of zero, an EtherType.
const SNAP: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];
const SNAP_LEN: usize = 8;

/// Offset of the IP header in the packet, in octets.
pub(super) fn slice(packet: &Packet<'_>) -> Result<usize, NotTcp> {
    let data = packet.data;
    match packet.link_type {
        1 => ethernet(data),
        // RAW as several systems number it, IPV4, IPV6.
        12 | 14 | 101 | 228 | 229 => Ok(0),
        0 => null(data),
        108 => family(data, u32::from_be_bytes),
        113 => ether_type_at(data, 14, 16),
        276 => ether_type_at(data, 0, 20),
        other => Err(NotTcp::LinkType(other)),
    }
}

#[inline]
fn ethernet(data: &[u8]) -> Result<usize, NotTcp> {
    let header = Ethernet2HeaderSlice::from_slice(data).map_err(|_| NotTcp::Malformed)?;
    payload(data, 14, header.ether_type())
}

/// NULL: the family in the byte order of the machine that captured.
fn null(data: &[u8]) -> Result<usize, NotTcp> {
    family(data, u32::from_le_bytes).or_else(|_| family(data, u32::from_be_bytes))
}

fn family(data: &[u8], read: fn([u8; 4]) -> u32) -> Result<usize, NotTcp> {
    let bytes = data.first_chunk().ok_or(NotTcp::Malformed)?;
    match read(*bytes) {
        // AF_INET everywhere; AF_INET6 on Linux and Windows, NetBSD, FreeBSD, Darwin.
        2 | 10 | 23 | 24 | 28 | 30 => Ok(4),
        _ => Err(NotTcp::Malformed),
    }
}

/// SLL and SLL2: a header of fixed length with an EtherType in it.
fn ether_type_at(data: &[u8], at: usize, header_len: usize) -> Result<usize, NotTcp> {
    let bytes = data.get(at..at + 2).ok_or(NotTcp::Malformed)?;
    payload(data, header_len, EtherType(u16::from_be_bytes([bytes[0], bytes[1]])))
}

#[inline]
fn payload(data: &[u8], offset: usize, ether_type: EtherType) -> Result<usize, NotTcp> {
    match ether_type {
        EtherType::IPV4 | EtherType::IPV6 => Ok(offset),
        _ => tagged(data, offset, ether_type),
    }
}

#[cold]
fn tagged(data: &[u8], mut offset: usize, mut ether_type: EtherType) -> Result<usize, NotTcp> {
    for _ in 0..MAX_VLAN_TAGS {
        match ether_type {
            EtherType::IPV4 | EtherType::IPV6 => return Ok(offset),
            EtherType::VLAN_TAGGED_FRAME | EtherType::PROVIDER_BRIDGING | EtherType::VLAN_DOUBLE_TAGGED_FRAME => {
                let rest = data.get(offset..).ok_or(NotTcp::Malformed)?;
                let tag = SingleVlanHeaderSlice::from_slice(rest).map_err(|_| NotTcp::Malformed)?;
                ether_type = tag.ether_type();
                offset += 4;
            }
            // IEEE 802.3: values up to 1500 are a length, and LLC follows.
            EtherType(..=1500) => {
                ether_type = snap(data.get(offset..).unwrap_or_default()).ok_or(NotTcp::Llc)?;
                offset += SNAP_LEN;
            }
            EtherType(other) => return Err(NotTcp::EtherType(other)),
        }
    }
    Err(NotTcp::EtherType(ether_type.0))
}

fn snap(data: &[u8]) -> Option<EtherType> {
    let [high, low] = *data.strip_prefix(&SNAP)?.first_chunk()?;
    Some(EtherType(u16::from_be_bytes([high, low])))
}
