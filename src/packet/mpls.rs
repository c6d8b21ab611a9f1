//! MPLS label stacks (RFC 3032) and the pseudowires in them (RFC 4385, 4448).

use super::NotTcp;
use super::cursor::Cursor;
use super::ip;
use super::layer::Layer;

/// The bottom-of-stack bit in the third octet of an entry.
const BOTTOM: u8 = 0x01;

/// A control word in front of an Ethernet frame.
const CONTROL_WORD_LEN: usize = 4;

/// What stands below the stack. Nothing in it says what that is: IP shows its version, and an Ethernet frame its EtherType.
pub(super) fn slice(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let rest = rest.skip(depth(rest.bytes()).ok_or(NotTcp::Mpls)? * 4)?;
    match rest.bytes().first().map(|octet| octet >> 4) {
        Some(4 | 6) if ip::fits(rest) => Ok((Layer::Ip, rest)),
        Some(0) if rest.skip(CONTROL_WORD_LEN).is_ok_and(is_ethernet) => Ok((Layer::Ethernet, rest.skip(CONTROL_WORD_LEN)?)),
        Some(_) if is_ethernet(rest) => Ok((Layer::Ethernet, rest)),
        _ => Err(NotTcp::Mpls),
    }
}

/// Entries of the stack that begins here, of four octets each; `None` where its bottom is not there.
pub(crate) fn depth(octets: &[u8]) -> Option<usize> {
    octets.chunks_exact(4).position(|entry| entry[2] & BOTTOM != 0).map(|bottom| bottom + 1)
}

/// Whether two addresses and a well-known EtherType follow, or a length that fits and SNAP.
fn is_ethernet(rest: Cursor<'_>) -> bool {
    const SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
    match rest.u16_at(12) {
        Ok(0x0800 | 0x86dd | 0x0806 | 0x8100 | 0x88a8 | 0x9100 | 0x8847 | 0x8848 | 0x8864) => true,
        Ok(len @ 0..=1500) => 14 + usize::from(len) <= rest.room() && rest.skip(14).is_ok_and(|llc| llc.array() == Ok(SNAP)),
        _ => false,
    }
}
