//! GRE (RFC 2784, 2890), PPTP's version 1 of it (RFC 2637), ERSPAN I to III and WCCP in it.
//!
//! Keys tell no networks apart: each direction may have its own.

use super::NotTcp;
use super::cursor::Cursor;
use super::ip;
use super::layer::Layer;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

pub(super) fn slice(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let (flags, protocol) = (rest.u16_at(0)?, rest.u16_at(2)?);
    match flags & VERSION {
        0 if flags & ROUTING == 0 => version_0(flags, protocol, rest),
        1 if protocol == 0x880b && flags & KEY != 0 => version_1(flags, rest),
        _ => Err(NotTcp::IpProtocol(47)),
    }
}

/// Octets of those fields of four whose flag is set.
fn optional(flags: u16, fields: &[u16]) -> usize {
    fields.iter().filter(|&&field| flags & field != 0).count() * 4
}

fn version_0(flags: u16, protocol: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let payload = rest.skip(4 + optional(flags, &[CHECKSUM, KEY, SEQUENCE]))?;
    match protocol {
        0x88be => erspan(flags, payload),
        0x22eb => erspan_3(payload),
        0x883e => wccp(payload),
        _ => Ok((Layer::EtherType(protocol), payload)),
    }
}

/// PPTP: the call, another one in each direction, is in the key; numbers where there is a payload.
fn version_1(flags: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    if flags & SEQUENCE == 0 {
        return Err(NotTcp::IpProtocol(47));
    }
    Ok((Layer::Ppp, rest.skip(8 + optional(flags, &[SEQUENCE, ACKNOWLEDGMENT]))?))
}

/// Type I has no header of its own, type II one of eight octets; GRE's sequence number tells them apart.
fn erspan(flags: u16, payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let header_len = if flags & SEQUENCE == 0 { 0 } else { 8 };
    Ok((Layer::Ethernet, payload.skip(header_len)?))
}

/// Twelve octets, whose last bit announces eight more. A frame type of 2 is an IP packet.
fn erspan_3(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let header: [u8; 12] = payload.array()?;
    let header_len = if header[11] & 1 == 0 { 12 } else { 20 };
    let layer = if header[10] >> 2 & 0x1f == 2 { Layer::Ip } else { Layer::Ethernet };
    Ok((layer, payload.skip(header_len)?))
}

/// What a router redirects to a cache: an IP packet, behind a header of four octets since version 2.
fn wccp(payload: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let header_len = if ip::fits(payload) { 0 } else { 4 };
    Ok((Layer::Ip, payload.skip(header_len)?))
}
