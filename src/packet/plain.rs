//! The packet that most are: TCP in IPv4 without options, whole and unfragmented, in an Ethernet frame without tags.
//!
//! Decided by a few comparisons on octets at fixed places (RFC 894, RFC 791 §3.1, RFC 9293 §3.1):
//!
//! ```text
//!  0          12   14       16    18         20         23  26        34      38         46            54
//!  ├ Ethernet ┤0800├ 45, .. ┤ len ┤ identif. ┤ fragment ┤ 6 ├ from, to ├ ports ┤ seq, ack ┤ offset, .. ┤ options ┤ payload
//! ```

use super::identity::{CapturePoint, Identity, Words};
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
const IPV4_WITHOUT_OPTIONS: u64 = 0x08_00_45;

/// Of four octets from the fragment field on: more fragments, offset, and (the time to live between) protocol.
const FRAGMENT_AND_PROTOCOL: u32 = 0x3fff_00ff;

/// Slices a packet that is as described above, and returns the [`Words`] of its segment. Of any other the place is left as it
/// was; such a packet may still be a segment.
// Always: its caller's loop keeps what it needs next in registers.
#[inline(always)]
pub(crate) fn slice_into<'a>(packet: &Packet<'a>, into: &mut Segment<'a>) -> Option<Words> {
    let headers = packet.data.first_chunk::<OPTIONS>()?;
    let start = u64_at(headers, IP - 2);
    let middle = u32_at(headers, IP + 6);
    let rest = u64_at(headers, TCP + 12);
    let is_plain = packet.link_type == LINKTYPE_ETHERNET
        && start >> 40 == IPV4_WITHOUT_OPTIONS
        && middle & FRAGMENT_AND_PROTOCOL == u32::from(super::ip::TCP);
    let total_len = usize::from((start >> 16) as u16);
    let tcp_len = (rest >> 60) as usize * 4;
    let (payload_at, end) = (TCP + tcp_len, IP + total_len);
    // The headers lie within the IP packet, and that within the frame.
    if !is_plain || payload_at < OPTIONS || payload_at > end || end > packet.len as usize {
        return None;
    }
    let (before, payload) = packet.data[..end.min(packet.data.len())].split_at_checked(payload_at)?;
    let payload_len = (end - payload_at) as u32;
    // Field by field, each read and at once written: all of them together are more than there are registers.
    into.frame = packet.frame;
    into.options = &before[OPTIONS..];
    into.payload = payload;
    into.payload_len = payload_len;
    into.bytes = LayerBytes {
        link: u64::from(packet.len) - total_len as u64,
        ip: IP_LEN as u64,
        tcp: tcp_len as u64,
        tls: 0,
        payload: u64::from(payload_len),
    };
    into.flags = Flags((rest >> 48) as u8);
    into.window = (rest >> 32) as u16;
    let identification = start as u16;
    into.identity = Identity { identification, checksum: (rest >> 16) as u16, point: CapturePoint::default() };
    if identification == 0 {
        into.identity.point = CapturePoint::of(*packet, (middle >> 8) as u8);
    }
    let position = u64_at(headers, TCP + 4);
    (into.seq, into.ack) = (SeqNumber((position >> 32) as u32), SeqNumber(position as u32));
    let (addresses, ports) = (u64_at(headers, IP + 12), u32_at(headers, TCP));
    let (source, destination) = ((addresses >> 32) as u32, addresses as u32);
    (into.key, into.sender) = ConnectionKey::v4((source, (ports >> 16) as u16), (destination, ports as u16));
    Some(Words::new(addresses, ports, position, rest, identification, payload_len))
}

#[inline(always)]
fn u32_at(headers: &[u8; OPTIONS], at: usize) -> u32 {
    u32::from_be_bytes([headers[at], headers[at + 1], headers[at + 2], headers[at + 3]])
}

#[inline(always)]
fn u64_at(headers: &[u8; OPTIONS], at: usize) -> u64 {
    let octet = |ahead: usize| headers[at + ahead];
    u64::from_be_bytes([octet(0), octet(1), octet(2), octet(3), octet(4), octet(5), octet(6), octet(7)])
}
