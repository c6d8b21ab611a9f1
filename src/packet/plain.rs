//! The packet that most are: TCP in IPv4 without options, whole and unfragmented, in an Ethernet frame without tags.
//!
//! Decided by a few comparisons on octets at fixed places (RFC 894, RFC 791 §3.1, RFC 9293 §3.1):
//!
//! ```text
//!  0          12   14        20       23       26  30  34             46       54
//!  ├ Ethernet ┤0800├ 45 .. len ┤ fragment ┤ 6 ┤ from, to ├ TCP .. ┤ offset .. ┤ options ┤ payload
//! ```

use super::identity::Identity;
use super::key::ConnectionKey;
use super::segment::{Flags, Segment, SeqNumber};
use crate::capture::Packet;
use crate::stream::LayerBytes;

const LINKTYPE_ETHERNET: u16 = 1;
/// Where the IP header begins.
const IP: usize = 14;
const IP_LEN: usize = 20;
/// Where the TCP header begins.
const TCP: usize = IP + IP_LEN;
/// Where TCP's options begin, or its payload.
const OPTIONS: usize = TCP + 20;

/// EtherType of IPv4, version 4, a header of five words.
const IPV4_WITHOUT_OPTIONS: [u8; 3] = [0x08, 0x00, 0x45];

/// More fragments, or an offset (RFC 791 §3.1).
const FRAGMENT: u16 = 0x3fff;

/// Slices a packet that is as described above. Of any other it says so (`false`), and the place is left as it was; such a
/// packet may still be a segment.
// Always: its caller's loop keeps the segment's fields in registers for what comes next.
#[inline(always)]
pub(crate) fn slice_into<'a>(packet: &Packet<'a>, into: &mut Segment<'a>) -> bool {
    let Some(headers) = packet.data.first_chunk::<OPTIONS>() else { return false };
    let u16_at = |at: usize| u16::from_be_bytes([headers[at], headers[at + 1]]);
    let u32_at = |at: usize| u32::from_be_bytes([headers[at], headers[at + 1], headers[at + 2], headers[at + 3]]);
    let is_plain = [headers[IP - 2], headers[IP - 1], headers[IP]] == IPV4_WITHOUT_OPTIONS
        && packet.link_type == LINKTYPE_ETHERNET
        && u16_at(IP + 6) & FRAGMENT == 0
        && headers[IP + 9] == super::ip::TCP;
    let tcp_len = usize::from(headers[TCP + 12] >> 4) * 4;
    let payload_at = TCP + tcp_len;
    let total_len = usize::from(u16_at(IP + 2));
    let end = IP + total_len;
    // The headers lie within the IP packet, and that within the frame.
    if !is_plain || payload_at < OPTIONS || payload_at > end || end > packet.len as usize {
        return false;
    }
    let Some((before, payload)) = packet.data[..end.min(packet.data.len())].split_at_checked(payload_at) else { return false };
    let payload_len = end - payload_at;
    let (key, sender) = ConnectionKey::v4((u32_at(IP + 12), u16_at(TCP)), (u32_at(IP + 16), u16_at(TCP + 2)));
    *into = Segment {
        frame: packet.frame,
        key,
        sender,
        seq: SeqNumber(u32_at(TCP + 4)),
        ack: SeqNumber(u32_at(TCP + 8)),
        flags: Flags(headers[TCP + 13]),
        window: u16_at(TCP + 14),
        options: &before[OPTIONS..],
        payload,
        payload_len: payload_len as u32,
        bytes: LayerBytes {
            link: u64::from(packet.len) - total_len as u64,
            ip: IP_LEN as u64,
            tcp: tcp_len as u64,
            tls: 0,
            payload: payload_len as u64,
        },
        identity: Identity::new(packet, u16_at(IP + 4), headers[IP + 8], u16_at(TCP + 16)),
    };
    true
}
