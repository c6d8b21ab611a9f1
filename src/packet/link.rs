//! Link layers (LINKTYPE_ registry), and what an EtherType or an LLC header announces (IEEE 802).

use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::NotTcp;
use super::cursor::Cursor;
use super::layer::Layer;
use super::{nflog, nsh, ppp, wlan};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// What stands behind a link-layer header.
pub(super) fn slice(link_type: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match link_type {
        1 => ethernet(rest),
        // RAW as several systems number it, IPV4, IPV6.
        12 | 14 | 101 | 228 | 229 => Ok((Layer::Ip, rest)),
        0 => null(rest),
        108 => family(rest, u32::from_be_bytes),
        113 => cooked(rest, 2, 14, 16),
        276 => cooked(rest, 8, 0, 20),
        9 => Ok((Layer::Ppp, rest)),
        50 | 104 | 107 | 166 | 204 | 205 | 206 => ppp::of_link_type(link_type, rest),
        51 => ppp::over_ethernet(rest),
        105 | 119 | 127 | 163 | 192 => wlan::of_link_type(link_type, rest),
        // IEEE 802.5: access and frame control, addresses, the route that the source address announces.
        6 => Ok((Layer::Llc, rest.skip(14 + route_len(rest)?)?)),
        // FDDI: frame control, addresses.
        10 => Ok((Layer::Llc, rest.skip(13)?)),
        // RFC 2625: addresses in eight octets each. RFC 2225, RFC 2684: LLC at once.
        122 => Ok((Layer::Llc, rest.skip(16)?)),
        100 | 106 => Ok((Layer::Llc, rest)),
        129 => arcnet(rest),
        // IEEE 1394 as Apple writes it.
        138 => ether_type_at(rest, 16, 18),
        // The second as Apple numbers it, which is free for anybody's use elsewhere.
        258 | 149 => pktap(rest).ok_or(NotTcp::LinkType(link_type)),
        178 => juniper_ethernet(rest),
        239 => nflog::slice(rest),
        // NetANALYZER: four octets before the Ethernet frame.
        240 => Ok((Layer::Ethernet, rest.skip(4)?)),
        // RFC 4391 behind a global routing header.
        242 => ether_type_at(rest, 40, 44),
        other => Err(NotTcp::LinkType(other)),
    }
}

#[inline]
pub(super) fn ethernet(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let header = Ethernet2HeaderSlice::from_slice(rest.bytes()).map_err(|_| NotTcp::Malformed)?;
    payload(header.ether_type().0, rest.skip(header.slice().len())?)
}

/// NULL: the family in the byte order of the machine that captured.
fn null(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    family(rest, u32::from_le_bytes).or_else(|_| family(rest, u32::from_be_bytes))
}

fn family(rest: Cursor<'_>, read: fn([u8; 4]) -> u32) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match read(rest.array()?) {
        // AF_INET everywhere; AF_INET6 on Linux and Windows, NetBSD, FreeBSD, Darwin.
        2 | 10 | 23 | 24 | 28 | 30 => Ok((Layer::Ip, rest.skip(4)?)),
        _ => Err(NotTcp::Malformed),
    }
}

/// Apple's packet tap: the length of its header, 1 for a packet, and the link type of the interface; then, among other things, the name
/// of the interface and the process. All in the byte order of Apple's machines.
fn pktap(rest: Cursor<'_>) -> Option<(Layer, Cursor<'_>)> {
    const SHORTEST: usize = 36;
    let [header_len, kind, link_type] = rest.array::<12>().ok()?.as_chunks::<4>().0.first_chunk()?.map(u32::from_le_bytes);
    let header_len = usize::try_from(header_len).ok().filter(|&len| kind == 1 && len >= SHORTEST)?;
    Some((Layer::Link(u16::try_from(link_type).ok()?), rest.skip(header_len).ok()?))
}

/// Linux cooked capture, by where its header has the hardware type (ARPHRD_) and the protocol. Some devices have link layers of their
/// own; numbers below those of EtherTypes are Linux's.
fn cooked(rest: Cursor<'_>, hardware_at: usize, protocol_at: usize, header_len: usize) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let behind = rest.skip(header_len)?;
    match (rest.u16_at(hardware_at)?, rest.u16_at(protocol_at)?) {
        (770, _) => Ok((Layer::Link(107), behind)),
        (803, _) => Ok((Layer::Link(127), behind)),
        (824, _) => Err(NotTcp::LinkType(253)),
        (_, 4) => Ok((Layer::Llc, behind)),
        (_, number @ 0..=1500) => Err(NotTcp::EtherType(number)),
        (_, ether_type) => payload(ether_type, behind),
    }
}

/// A header of fixed length with an EtherType in it.
fn ether_type_at(rest: Cursor<'_>, at: usize, header_len: usize) -> Result<(Layer, Cursor<'_>), NotTcp> {
    payload(rest.u16_at(at)?, rest.skip(header_len)?)
}

#[inline]
fn payload(ether_type: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let layer = if matches!(ether_type, IPV4 | IPV6) { Layer::Ip } else { Layer::EtherType(ether_type) };
    Ok((layer, rest))
}

/// What an EtherType announces.
pub(super) fn ether_type(number: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match number {
        IPV4 | IPV6 => Ok((Layer::Ip, rest)),
        // IEEE 802.1Q, 802.1ad and what was used before it.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
            let tag = SingleVlanHeaderSlice::from_slice(rest.bytes()).map_err(|_| NotTcp::Malformed)?;
            payload(tag.ether_type().0, rest.skip(tag.slice().len())?)
        }
        // Cisco VN-Tag.
        0x8926 => ether_type_at(rest, 4, 6),
        // IEEE 802.1BR E-Tag.
        0x893f => ether_type_at(rest, 6, 8),
        0x8847 | 0x8848 => Ok((Layer::Mpls, rest)),
        0x8864 => ppp::over_ethernet(rest),
        0x880b => Ok((Layer::Ppp, rest)),
        // Transparent Ethernet bridging, as tunnels announce it.
        0x6558 => Ok((Layer::Ethernet, rest)),
        // IEEE 802.1ah: the service instance, and the customer's frame.
        0x88e7 => Ok((Layer::Ethernet, rest.skip(4)?)),
        // Cisco FabricPath: tree and hop limit, and the frame.
        0x8903 => Ok((Layer::Ethernet, rest.skip(2)?)),
        0x8909 => cisco_metadata(rest),
        nsh::ETHER_TYPE => nsh::slice(rest),
        // What is sent twice, and numbered for that: HSR (IEC 62439-3), the redundancy tag (IEEE 802.1CB).
        0x892f | 0xf1c1 => ether_type_at(rest, 4, 6),
        // LLC in a frame that is too long for the length field.
        0x8870 => Ok((Layer::Llc, rest)),
        // IEEE 802.3: values up to 1500 are a length, and LLC follows.
        0..=1500 => Ok((Layer::Llc, rest)),
        other => Err(NotTcp::EtherType(other)),
    }
}

/// Cisco metadata: version 1, the number of options of four octets each, an EtherType.
fn cisco_metadata(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let [1, options] = rest.array()? else { return Err(NotTcp::EtherType(0x8909)) };
    let header_len = 2 + 4 * usize::from(options);
    ether_type_at(rest, header_len, header_len + 2)
}

/// LLC (IEEE 802.2) with what carries IP: SNAP, the IP service access point, RFC 2684 with a network layer identifier.
pub(super) fn llc(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match *rest.bytes() {
        // RFC 1042; IEEE 802.1H for bridges.
        [0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, ..] => ether_type_at(rest, 6, 8).map_err(|_| NotTcp::Llc),
        [0x06, 0x06, 0x03, ..] => Ok((Layer::Ip, rest.skip(3)?)),
        [0xfe, 0xfe, 0x03, 0xcc | 0x8e, ..] => Ok((Layer::Ip, rest.skip(4)?)),
        _ => Err(NotTcp::Llc),
    }
}

/// Octets of the routing information of IEEE 802.5: there when the first bit of the source address is set.
fn route_len(rest: Cursor<'_>) -> Result<usize, NotTcp> {
    let header: [u8; 14] = rest.array()?;
    if header[8] & 0x80 == 0 {
        return Ok(0);
    }
    Ok(usize::from(rest.u16_at(14)? >> 8 & 0x1f))
}

/// ARCNET as Linux shows it: addresses, an offset, RFC 1201 with its protocol. Packets that it split stay named.
fn arcnet(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match rest.array()? {
        [_, _, _, _, 0xd4 | 0xc4, 0, _, _] => Ok((Layer::Ip, rest.skip(8)?)),
        _ => Err(NotTcp::LinkType(129)),
    }
}

/// Juniper: a magic number, flags, extensions with their length where the first flag is set, and the frame.
fn juniper_ethernet(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    const NO_LINK_LAYER: u8 = 0x02;
    const EXTENSIONS: u8 = 0x80;
    match rest.array()? {
        [b'M', b'G', b'C', flags] if flags & NO_LINK_LAYER != 0 => Err(NotTcp::LinkType(178)),
        [b'M', b'G', b'C', flags] if flags & EXTENSIONS != 0 => Ok((Layer::Ethernet, rest.skip(6 + usize::from(rest.u16_at(4)?))?)),
        [b'M', b'G', b'C', _] => Ok((Layer::Ethernet, rest.skip(4)?)),
        _ => Err(NotTcp::Malformed),
    }
}
