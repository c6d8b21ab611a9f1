//! The header of a WebSocket frame (RFC 6455 §5.2).

use nom::bytes::complete::take;
use nom::combinator::cond;
use nom::number::complete::{be_u8, be_u16, be_u64};
use nom::{IResult, Parser};

use crate::message::Opcode;

/// A frame header: 2–14 octets, masking key included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Last fragment of its message.
    pub(crate) fin: bool,
    /// RSV1, RSV2, RSV3 as the bits 4, 2, 1.
    pub(crate) rsv: u8,
    pub(crate) opcode: Opcode,
    /// There exactly when the mask bit is set.
    pub(crate) masking_key: Option<[u8; 4]>,
    /// Octets of payload data as declared; nothing says that they will come.
    pub(crate) payload_len: u64,
    /// Octets of the header itself.
    pub(crate) len: u8,
    /// The length takes more octets than it needs.
    pub(crate) non_minimal: bool,
}

/// RSV1, the bit that permessage-deflate defines (RFC 7692 §6), as in [`Header::rsv`].
pub(crate) const RSV1: u8 = 4;

impl Header {
    /// Parses the frame header at the front. `None` until all of its 2–14 octets are there: no such octets are malformed.
    #[inline(always)]
    pub(crate) fn parse(input: &[u8]) -> Option<Self> {
        header(input).ok().map(|(_, header)| header)
    }

    /// Octets of the whole frame.
    #[inline]
    pub(crate) fn frame_len(&self) -> u64 {
        u64::from(self.len).saturating_add(self.payload_len)
    }

    #[inline]
    pub(crate) fn rsv1(&self) -> bool {
        self.rsv & RSV1 != 0
    }
}

#[inline(always)]
fn header(input: &[u8]) -> IResult<&[u8], Header, ()> {
    let (rest, (first, second)) = (be_u8, be_u8).parse(input)?;
    let (rest, (payload_len, non_minimal)) = match second & 0x7f {
        126 => be_u16.map(|len| (u64::from(len), len < 126)).parse(rest)?,
        127 => be_u64.map(|len| (len, len <= 0xffff)).parse(rest)?,
        len => (rest, (u64::from(len), false)),
    };
    let (rest, key) = cond(second & 0x80 != 0, take(4usize)).parse(rest)?;
    let header = Header {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 7,
        opcode: Opcode::of_bits(first),
        masking_key: key.and_then(|key: &[u8]| key.try_into().ok()),
        payload_len,
        // Fits: 2 + 8 + 4 at most.
        len: (input.len() - rest.len()) as u8,
        non_minimal,
    };
    Ok((rest, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload_len: u64, len: u8) -> Header {
        Header { fin: true, rsv: 0, opcode: Opcode::Text, masking_key: None, payload_len, len, non_minimal: false }
    }

    #[test]
    fn rfc6455_examples() {
        // RFC 6455 §5.7.
        assert_eq!(Header::parse(b"\x81\x05Hello"), Some(text(5, 2)));
        let masked = Header { masking_key: Some([0x37, 0xfa, 0x21, 0x3d]), ..text(5, 6) };
        assert_eq!(Header::parse(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), Some(masked));
        assert_eq!(Header::parse(b"\x01\x03Hel"), Some(Header { fin: false, ..text(3, 2) }));
        assert_eq!(Header::parse(b"\x80\x02lo"), Some(Header { opcode: Opcode::Continuation, ..text(2, 2) }));
        assert_eq!(Header::parse(b"\x89\x05Hello"), Some(Header { opcode: Opcode::Ping, ..text(5, 2) }));
        assert_eq!(Header::parse(b"\x82\x7e\x01\x00"), Some(Header { opcode: Opcode::Binary, ..text(256, 4) }));
        let long = Header { opcode: Opcode::Binary, ..text(65536, 10) };
        assert_eq!(Header::parse(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), Some(long));
    }

    #[test]
    fn header_is_none_until_its_last_octet() {
        for whole in [&b"\x81\x05"[..], b"\x81\x85abcd", b"\x81\xfe\x01\x00abcd", b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00abcd"] {
            assert!((0..whole.len()).all(|cut| Header::parse(&whole[..cut]).is_none()));
            assert_eq!(Header::parse(whole).map(|header| usize::from(header.len)), Some(whole.len()));
        }
    }

    #[test]
    fn length_in_more_octets_than_needed_is_seen() {
        let non_minimal = |input| Header::parse(input).map(|header| header.non_minimal);
        assert_eq!(non_minimal(b"\x81\x7e\x00\x7d"), Some(true));
        assert_eq!(non_minimal(b"\x81\x7e\x00\x7e"), Some(false));
        assert_eq!(non_minimal(b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), Some(true));
        assert_eq!(non_minimal(b"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), Some(false));
    }
}
