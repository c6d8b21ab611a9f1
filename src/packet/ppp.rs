//! PPP (RFC 1661, 1662), PPPoE (RFC 2516), and the framings beside it: Cisco HDLC, frame relay (RFC 2427).

use super::NotTcp;
use super::cursor::Cursor;
use super::layer::Layer;

/// All stations, unnumbered information (RFC 1662 §3.1); left out where it was negotiated away.
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

/// A PPP frame, with or without address and control, its protocol field in one octet or two.
pub(super) fn slice(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let rest = if rest.bytes().starts_with(&ADDRESS_AND_CONTROL) { rest.skip(2)? } else { rest };
    // RFC 1661 §2: the last octet of the protocol is odd, all before it are even.
    let [first] = rest.array()?;
    let (protocol, len) = if first & 1 == 1 { (u16::from(first), 1) } else { (rest.u16_at(0)?, 2) };
    let payload = rest.skip(len)?;
    match protocol {
        0x0021 | 0x0057 => Ok((Layer::Ip, payload)),
        0x0281 | 0x0283 => Ok((Layer::Mpls, payload)),
        // Bridging (RFC 3518): flags, MAC type 1 for Ethernet.
        0x0031 if matches!(payload.array(), Ok([_, 1])) => Ok((Layer::Ethernet, payload.skip(2)?)),
        other => Err(NotTcp::PppProtocol(other)),
    }
}

/// The link types of serial lines.
pub(super) fn of_link_type(link_type: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match link_type {
        // PPP or Cisco HDLC, told by the address.
        50 => match rest.array() {
            Ok([0x0f | 0x8f, 0]) => cisco_hdlc(rest),
            _ => slice(rest),
        },
        104 => cisco_hdlc(rest),
        107 => frame_relay(rest),
        // The direction in place of the address, the control octet behind it.
        166 => match rest.array() {
            Ok([_, 0x03]) => slice(rest.skip(2)?),
            _ => slice(rest.skip(1)?),
        },
        204 => slice(rest.skip(1)?),
        205 => cisco_hdlc(rest.skip(1)?),
        206 => frame_relay(rest.skip(1)?),
        other => Err(NotTcp::LinkType(other)),
    }
}

/// A PPPoE session: version and type 1, code 0, session, length.
pub(super) fn over_ethernet(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match rest.array()? {
        // The length says nothing that the packet inside does not say, and offloading leaves it wrong.
        [0x11, 0, _, _, _, _] => Ok((Layer::Ppp, rest.skip(6)?)),
        _ => Err(NotTcp::EtherType(0x8864)),
    }
}

/// Cisco HDLC: address, control, EtherType.
fn cisco_hdlc(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    Ok((Layer::EtherType(rest.u16_at(2)?), rest.skip(4)?))
}

/// Frame relay: an address of two to four octets whose last one is odd, then RFC 2427 or Cisco's EtherType.
fn frame_relay(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let address_len = rest.bytes().iter().take(4).position(|octet| octet & 1 == 1).ok_or(NotTcp::Malformed)? + 1;
    let rest = rest.skip(address_len)?;
    match *rest.bytes() {
        [0x03, 0xcc | 0x8e, ..] => Ok((Layer::Ip, rest.skip(2)?)),
        [0x03, 0, 0xcc | 0x8e, ..] => Ok((Layer::Ip, rest.skip(3)?)),
        // SNAP, behind an octet of padding or none.
        [0x03, 0x80, 0, 0, 0, ..] => Ok((Layer::EtherType(rest.u16_at(5)?), rest.skip(7)?)),
        [0x03, 0, 0x80, 0, 0, 0, ..] => Ok((Layer::EtherType(rest.u16_at(6)?), rest.skip(8)?)),
        [high, _, ..] if high >= 0x06 => Ok((Layer::EtherType(rest.u16_at(0)?), rest.skip(2)?)),
        _ => Err(NotTcp::LinkType(107)),
    }
}
