//! NFLOG (Linux netfilter): attributes, one of which is the packet from its IP header on.

use super::NotTcp;
use super::cursor::Cursor;
use super::layer::Layer;

/// Family, version, group.
const HEADER_LEN: usize = 4;

/// NFULA_PACKET_HDR: the EtherType, the hook.
const PACKET_HEADER: u16 = 1;
/// NFULA_PAYLOAD.
const PAYLOAD: u16 = 9;

pub(super) fn slice(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    attributes(rest, u16::from_le_bytes).or_else(|_| attributes(rest, u16::from_be_bytes))
}

/// Attributes in the byte order of the machine that captured: length and type, the value, padding to four octets.
fn attributes(rest: Cursor<'_>, read: fn([u8; 2]) -> u16) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let [family, 0, _, _] = rest.array()? else { return Err(NotTcp::Malformed) };
    // AF_INET and AF_INET6 on Linux; bridges say what they carry.
    let mut layer = matches!(family, 2 | 10).then_some(Layer::Ip);
    let mut at = HEADER_LEN;
    while let Some(&[a, b, c, d, ref value @ ..]) = rest.bytes().get(at..) {
        let len = usize::from(read([a, b]));
        match (read([c, d]), value) {
            _ if len < 4 => return Err(NotTcp::Malformed),
            (PAYLOAD, _) => return Ok((layer.ok_or(NotTcp::LinkType(239))?, rest.skip(at + 4)?.limit(len - 4))),
            (PACKET_HEADER, &[high, low, ..]) if layer.is_none() => layer = Some(Layer::EtherType(u16::from_be_bytes([high, low]))),
            _ => {}
        }
        at += len.next_multiple_of(4);
    }
    Err(NotTcp::Malformed)
}
