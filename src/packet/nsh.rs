//! The network service header (RFC 8300): a path through services, in front of what it carries.

use super::NotTcp;
use super::cursor::Cursor;
use super::layer::Layer;

pub(super) const ETHER_TYPE: u16 = 0x894f;

/// The O bit: what follows is about the path itself.
const OAM: u8 = 0x20;

/// Version 0, the length in words in the lower six bits of the second octet, the next protocol.
pub(super) fn slice(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let unopened = NotTcp::EtherType(ETHER_TYPE);
    let [first @ 0..=0x3f, len, _, next] = rest.array()? else { return Err(unopened) };
    let header_len = usize::from(len & 0x3f) * 4;
    let layer = match next {
        _ if first & OAM != 0 || header_len < 8 => return Err(unopened),
        1 | 2 => Layer::Ip,
        3 => Layer::Ethernet,
        4 => Layer::EtherType(ETHER_TYPE),
        5 => Layer::Mpls,
        _ => return Err(unopened),
    };
    Ok((layer, rest.skip(header_len)?))
}
