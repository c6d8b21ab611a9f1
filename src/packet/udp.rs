//! Tunnels over UDP: VXLAN (RFC 7348) and its generic extension, Geneve (RFC 8926), GTP-U (TS 29.281), Teredo (RFC 4380),
//! CAPWAP data (RFC 5415), MPLS (RFC 7510), L2TP (RFC 2661), LISP (RFC 9300), TZSP.
//!
//! A port alone proves nothing: the tunnel's header must be plausible, and what is in it must fit to the octet, or the packet
//! is named "UDP".

use etherparse::UdpHeaderSlice;

use super::NotTcp;
use super::cursor::Cursor;
use super::layer::Layer;
use super::nsh;

const UDP: NotTcp = NotTcp::IpProtocol(17);

/// Kinds of tunnel for [`Cursor::within`].
const VXLAN: u8 = 1;
const GENEVE: u8 = 2;

pub(super) fn slice(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let header = UdpHeaderSlice::from_slice(rest.bytes()).map_err(|_| UDP)?;
    let (source, destination) = (header.source_port(), header.destination_port());
    let datagram = match usize::from(header.length()) {
        // A jumbogram or offloading.
        0 => rest,
        len => rest.limit(len),
    };
    let payload = datagram.skip(8).map_err(|_| UDP)?.guessed();
    let opened = match (source, destination) {
        (_, 4789 | 8472) => vxlan(payload),
        (_, 4790) => vxlan_gpe(payload),
        (_, 6081) => geneve(payload),
        (_, 2152) | (2152, _) => gtp(payload),
        (_, 3544) | (3544, _) => teredo(payload),
        (_, 5247) | (5247, _) => capwap(payload),
        (_, 6635) => Ok((Layer::Mpls, payload)),
        (_, 1701) | (1701, _) => l2tp(payload),
        // Flags, a nonce, what tells networks apart: whatever they are, an IP packet follows.
        (_, 4341) => payload.skip(8).map(|packet| (Layer::Ip, packet)),
        (_, 37008) => tzsp(payload),
        _ => Err(UDP),
    };
    // A header that was cut or is none.
    opened.map_err(|_| UDP)
}

/// A network identifier of 24 bits.
fn identifier(octets: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, octets[0], octets[1], octets[2]])
}

/// Flags with the I bit, the network, an Ethernet frame. What is reserved was not always left 0.
fn vxlan(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match payload.array()? {
        [flags, _, _, _, a, b, c, _] if flags & 0x08 != 0 => Ok((Layer::Ethernet, payload.skip(8)?.within(VXLAN, identifier([a, b, c])))),
        _ => Err(UDP),
    }
}

/// The P bit, and the next protocol in the fourth octet.
fn vxlan_gpe(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let [flags, 0, 0, next, a, b, c, _] = payload.array()? else { return Err(UDP) };
    let layer = match next {
        _ if flags & 0x0c != 0x0c => return Err(UDP),
        1 | 2 => Layer::Ip,
        3 => Layer::Ethernet,
        4 => Layer::EtherType(nsh::ETHER_TYPE),
        5 => Layer::Mpls,
        _ => return Err(UDP),
    };
    Ok((layer, payload.skip(8)?.within(VXLAN, identifier([a, b, c]))))
}

/// Version 0 and options in four octets each; an EtherType says what follows.
fn geneve(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let [version_and_len @ ..=0x3f, flags, high, low, a, b, c, _] = payload.array()? else { return Err(UDP) };
    if flags & 0x3f != 0 {
        return Err(UDP);
    }
    let header_len = 8 + usize::from(version_and_len) * 4;
    Ok((Layer::EtherType(u16::from_be_bytes([high, low])), payload.skip(header_len)?.within(GENEVE, identifier([a, b, c]))))
}

/// Version 1 of GTP itself, a T-PDU, its length, the endpoint (another one in each direction), optional fields, extensions.
fn gtp(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    const T_PDU: u8 = 0xff;
    let [flags @ 0x30..=0x3f, T_PDU, high, low] = payload.array()? else { return Err(UDP) };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len + 8 > payload.room() {
        return Err(UDP);
    }
    let mut header_len = 8;
    if flags & 0x07 != 0 {
        header_len += 4;
        // The last octet of the fields, and of each extension, announces the next.
        while flags & 0x04 != 0 && octet(payload, header_len - 1)? != 0 {
            match octet(payload, header_len)? {
                0 => return Err(UDP),
                words => header_len += usize::from(words) * 4,
            }
        }
    }
    Ok((Layer::Ip, payload.limit(len + 8).skip(header_len)?))
}

fn octet(payload: Cursor<'_>, at: usize) -> Result<u8, NotTcp> {
    payload.bytes().get(at).copied().ok_or(UDP)
}

/// Authentication and the origin may stand before the IPv6 packet.
fn teredo(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let mut payload = payload;
    if let Ok([0, 1, identifier_len, value_len]) = payload.array() {
        payload = payload.skip(13 + usize::from(identifier_len) + usize::from(value_len))?;
    }
    if let Ok([0, 0]) = payload.array() {
        payload = payload.skip(8)?;
    }
    match payload.array()? {
        [0x60..=0x6f] => Ok((Layer::Ip, payload)),
        _ => Err(UDP),
    }
}

/// Version 0 in clear, the header's length in words, and the T bit: an IEEE 802.11 frame, otherwise IEEE 802.3.
fn capwap(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    const FRAGMENT: u8 = 0x80;
    const KEEP_ALIVE: u8 = 0x08;
    let [0, len_and_radio, radio_and_binding, flags] = payload.array()? else { return Err(UDP) };
    let header_len = usize::from(len_and_radio >> 3) * 4;
    if header_len < 8 || flags & (FRAGMENT | KEEP_ALIVE) != 0 {
        return Err(UDP);
    }
    let layer = if radio_and_binding & 1 == 1 { Layer::Wlan } else { Layer::Ethernet };
    Ok((layer, payload.skip(header_len)?))
}

/// A data message of version 2: flags that say which fields there are, the tunnel and the session, a PPP frame.
fn l2tp(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const VERSION: u16 = 0x000f;
    let flags = payload.u16_at(0)?;
    if flags & (CONTROL | VERSION) != 2 {
        return Err(UDP);
    }
    let len = if flags & LENGTH == 0 { payload.room() } else { payload.u16_at(2)?.into() };
    let mut header_len = 6;
    header_len += if flags & LENGTH == 0 { 0 } else { 2 };
    header_len += if flags & SEQUENCE == 0 { 0 } else { 4 };
    header_len += if flags & OFFSET == 0 { 0 } else { 2 + usize::from(payload.u16_at(header_len)?) };
    if len < header_len || len > payload.room() {
        return Err(UDP);
    }
    Ok((Layer::Ppp, payload.limit(len).skip(header_len)?))
}

/// A frame that was sniffed elsewhere: version 1, a kind that carries frames, the link layer, tags up to an end mark.
fn tzsp(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    const PADDING: u8 = 0;
    const END: u8 = 1;
    let layer = match payload.array()? {
        [1, 0 | 1, 0, 1] => Layer::Ethernet,
        [1, 0 | 1, 0, 0x12] => Layer::Wlan,
        _ => return Err(UDP),
    };
    let mut header_len = 4;
    loop {
        header_len += match octet(payload, header_len)? {
            PADDING => 1,
            END => return Ok((layer, payload.skip(header_len + 1)?)),
            _ => 2 + usize::from(octet(payload, header_len + 1)?),
        };
    }
}
