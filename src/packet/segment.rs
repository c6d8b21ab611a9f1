//! TCP segments (RFC 9293): header fields, payload, and what each layer of the frame took.

use std::cmp::Ordering;

use etherparse::{TcpHeaderSlice, TcpOptionElement};

use super::NotTcp;
use super::identity::{CapturePoint, Identity};
use super::ip::{Addresses, Ip};
use super::key::{ConnectionKey, Sender};
use super::tcp_options;
use crate::capture::Packet;
use crate::stream::{Frame, LayerBytes, Timestamp};

/// A TCP sequence number: wraps at 2³², so it is compared by distance, never by value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// Octets from `other` to this one, negative when this one is older (RFC 9293 §3.4).
    #[inline]
    pub fn distance_from(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0).cast_signed()
    }
}

/// The number so many octets on.
impl std::ops::Add<u32> for SeqNumber {
    type Output = Self;

    #[inline]
    fn add(self, len: u32) -> Self {
        Self(self.0.wrapping_add(len))
    }
}

impl PartialOrd for SeqNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.distance_from(*other).partial_cmp(&0)
    }
}

/// The control bits of a TCP header (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// The sender has finished.
    pub const FIN: Self = Self(0x01);
    /// Sequence numbers are synchronised.
    pub const SYN: Self = Self(0x02);
    /// The connection is reset.
    pub const RST: Self = Self(0x04);
    /// The acknowledgment number counts.
    pub const ACK: Self = Self(0x10);

    /// Whether any of the given bits is set.
    #[inline]
    pub fn has(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A TCP segment, borrowed from its packet.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The frame that carried it.
    pub frame: Frame,
    /// Its connection.
    pub key: ConnectionKey,
    /// Who sent it.
    pub sender: Sender,
    /// Sequence number of its first octet (of the SYN or FIN where there is no payload).
    pub seq: SeqNumber,
    /// The next octet its sender expects, where ACK is set.
    pub ack: SeqNumber,
    /// Control bits.
    pub flags: Flags,
    /// Window as sent, not scaled.
    pub window: u16,
    /// The options, as far as they were captured whole.
    pub options: &'a [u8],
    /// The payload octets that were captured.
    pub payload: &'a [u8],
    /// Payload octets on the wire (`tcp.len`); the capture may hold fewer.
    pub payload_len: u32,
    /// The frame's octets by layer; they sum to `frame.len`.
    pub bytes: LayerBytes,
    /// What tells whether the same packet was captured before.
    pub identity: Identity,
}

impl Segment<'_> {
    /// What stands in a place for one until one is sliced into it.
    pub(crate) const NOTHING: Self = Self {
        frame: Frame { number: 0, time: Timestamp(0) },
        key: ConnectionKey::NONE,
        sender: Sender::Low,
        seq: SeqNumber(0),
        ack: SeqNumber(0),
        flags: Flags(0),
        window: 0,
        options: &[],
        payload: &[],
        payload_len: 0,
        bytes: LayerBytes { link: 0, ip: 0, tcp: 0, tls: 0, payload: 0 },
        identity: Identity { identification: 0, checksum: 0, point: CapturePoint(0) },
    };
}

/// Where the options begin.
const OPTIONS_AT: usize = 20;

/// The part of a TCP header that is needed to follow a connection.
const FIXED_FIELDS: usize = 16;

/// The segment in an IP packet.
pub(super) fn slice<'a>(packet: &Packet<'a>, ip: &Ip) -> Result<Segment<'a>, NotTcp> {
    let at = ip.start + ip.header_len;
    // Trailer and padding lie behind the IP packet; they are not TCP's.
    let end = packet.data.len().min(ip.start + ip.total_len);
    let data = packet.data.get(at..end).ok_or(NotTcp::Malformed)?;
    let tcp_len = ip.total_len - ip.header_len;
    let Ok(header) = TcpHeaderSlice::from_slice(data) else { return slice_cut(packet, ip, tcp_len, data) };
    let header_len = header.slice().len();
    let fields = Fields {
        ports: (header.source_port(), header.destination_port()),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: Flags(header.slice()[13]),
        window: header.window_size(),
        header_len,
        checksum: header.checksum(),
    };
    Ok(build(packet, ip, tcp_len, &fields, &data[OPTIONS_AT.min(header_len)..header_len], &data[header_len..]))
}

/// The snap length cut the options: what is before them is enough to follow the connection.
#[cold]
fn slice_cut<'a>(packet: &Packet<'a>, ip: &Ip, tcp_len: usize, data: &[u8]) -> Result<Segment<'a>, NotTcp> {
    let fields = Fields::of_cut_header(data).filter(|fields| fields.header_len <= tcp_len).ok_or(NotTcp::Malformed)?;
    Ok(build(packet, ip, tcp_len, &fields, &[], &[]))
}

struct Fields {
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    flags: Flags,
    window: u16,
    header_len: usize,
    /// 0 where the snap length cut it.
    checksum: u16,
}

impl Fields {
    fn of_cut_header(data: &[u8]) -> Option<Self> {
        let fixed: &[u8; FIXED_FIELDS] = data.first_chunk()?;
        let header_len = usize::from(fixed[12] >> 4) * 4;
        let u16_at = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let u32_at = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let fields = Self {
            ports: (u16_at(0), u16_at(2)),
            seq: u32_at(4),
            ack: u32_at(8),
            flags: Flags(fixed[13]),
            window: u16_at(14),
            header_len,
            checksum: 0,
        };
        (header_len >= 20 && header_len > data.len()).then_some(fields)
    }
}

fn build<'a>(packet: &Packet<'a>, ip: &Ip, tcp_len: usize, fields: &Fields, options: &'a [u8], payload: &'a [u8]) -> Segment<'a> {
    let (source, destination) = fields.ports;
    let (key, sender) = match ip.addresses {
        Addresses::V4(from, to) => ConnectionKey::v4((from, source), (to, destination)),
        Addresses::V6(from, to) => ConnectionKey::v6((from, source), (to, destination)),
    };
    // The header lies within the IP packet: it was sliced out of it, or checked to.
    let payload_len = tcp_len.saturating_sub(fields.header_len);
    let bytes = LayerBytes {
        link: u64::from(packet.len) - ip.total_len as u64,
        ip: ip.header_len as u64,
        tcp: (tcp_len - payload_len) as u64,
        tls: 0,
        payload: payload_len as u64,
    };
    Segment {
        frame: packet.frame,
        key: key.within(ip.scope),
        sender,
        seq: SeqNumber(fields.seq),
        ack: SeqNumber(fields.ack),
        flags: fields.flags,
        window: fields.window,
        options,
        payload,
        payload_len: payload_len as u32,
        bytes,
        identity: Identity::new(packet, ip, fields.checksum),
    }
}

/// What the options of a SYN announce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SynOptions {
    /// Maximum segment size, in octets (RFC 9293 §3.7.1).
    pub(crate) mss: Option<u16>,
    /// Shift of the sender's windows, at most 14 (RFC 7323 §2.3).
    pub(crate) window_scale: Option<u8>,
    pub(crate) sack_permitted: bool,
    pub(crate) timestamps: bool,
}

/// A greater shift is used as if it were this one (RFC 7323 §2.3).
const MAX_WINDOW_SCALE: u8 = 14;

impl SynOptions {
    /// Those up to the first that does not end within the header.
    pub(crate) fn of(segment: &Segment<'_>) -> Self {
        match *segment.options {
            // As Linux sends them: maximum segment size, SACK permitted, timestamps, no operation, window scale.
            [2, 4, high, low, 4, 2, 8, 10, _, _, _, _, _, _, _, _, 1, 3, 3, shift] => Self {
                mss: Some(u16::from_be_bytes([high, low])),
                window_scale: Some(shift.min(MAX_WINDOW_SCALE)),
                sack_permitted: true,
                timestamps: true,
            },
            _ => Self::of_any(segment.options),
        }
    }

    fn of_any(options: &[u8]) -> Self {
        let mut found = Self::default();
        for option in tcp_options(options).filter_map(|(option, _)| option) {
            match option {
                TcpOptionElement::MaximumSegmentSize(octets) => found.mss = Some(octets),
                TcpOptionElement::WindowScale(shift) => found.window_scale = Some(shift.min(MAX_WINDOW_SCALE)),
                TcpOptionElement::SelectiveAcknowledgementPermitted => found.sack_permitted = true,
                TcpOptionElement::Timestamp(..) => found.timestamps = true,
                TcpOptionElement::Noop | TcpOptionElement::SelectiveAcknowledgement(..) => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_compare_across_the_wrap() {
        let before = SeqNumber(u32::MAX - 1);
        let after = before + 10;
        assert_eq!((after, after.distance_from(before), before < after), (SeqNumber(8), 10, true));
    }

    #[test]
    fn options_behind_one_that_is_not_known_are_read() {
        // MD5 signature (kind 19) comes first where Linux sends one, Multipath TCP (kind 30) last; kind 4 has no value.
        let signed = [&[1, 1, 19, 18][..], &[0; 16], &[2, 4, 5, 0xb4, 30, 4, 0, 0, 4, 3, 0, 4, 2, 3, 3, 7]].concat();
        let expected = SynOptions { mss: Some(1460), window_scale: Some(7), sack_permitted: true, timestamps: false };
        assert_eq!(SynOptions::of_any(&signed), expected);
        for cut in
            [&[2, 4, 5, 0xb4, 30, 0, 3, 3, 7][..], &[2, 4, 5, 0xb4, 30, 9, 3, 3, 7], &[2, 4, 5, 0xb4, 0, 3, 3, 7], &[2, 4, 5, 0xb4, 30]]
        {
            assert_eq!(SynOptions::of_any(cut), SynOptions { mss: Some(1460), ..SynOptions::default() }, "{cut:?}");
        }
    }
}
