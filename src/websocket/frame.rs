//! The frame header (RFC 6455 §5.2).

use nom::IResult;
use nom::bytes::complete::take;
use nom::number::complete::{be_u8, be_u16, be_u64};

use crate::message::Opcode;

/// A frame header. The payload of `payload_len` octets follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Whether this is the last fragment of a message.
    pub(super) fin: bool,
    /// RSV1 (0x4), RSV2 (0x2), RSV3 (0x1).
    pub(super) rsv: u8,
    pub(super) opcode: Opcode,
    /// Present exactly when the MASK bit is set.
    pub(super) masking_key: Option<[u8; 4]>,
    /// Octets of payload data.
    pub(super) payload_len: u64,
    /// Whether the length came in as few octets as it could, and below 2⁶³.
    pub(super) is_minimal: bool,
    /// Octets of the header itself: 2 to 14.
    pub(super) len: u8,
}

/// RSV1, which permessage-deflate defines (RFC 7692 §6).
pub(super) const RSV1: u8 = 0x4;

/// Parses a frame header. Returns `None` until all 2–14 octets are there.
#[inline]
pub(super) fn parse(input: &[u8]) -> Option<Header> {
    let (rest, mut header) = header(input).ok()?;
    header.len = (input.len() - rest.len()) as u8;
    Some(header)
}

#[inline]
fn header(input: &[u8]) -> IResult<&[u8], Header> {
    let (input, first) = be_u8(input)?;
    let (input, second) = be_u8(input)?;
    let (input, (payload_len, is_minimal)) = payload_len(input, second & 0x7f)?;
    let (input, masking_key) = masking_key(input, second & 0x80 != 0)?;
    let header = Header {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 0x7,
        opcode: Opcode::of_bits(first),
        masking_key,
        payload_len,
        is_minimal,
        len: 0,
    };
    Ok((input, header))
}

#[inline]
fn payload_len(input: &[u8], code: u8) -> IResult<&[u8], (u64, bool)> {
    match code {
        126 => be_u16(input).map(|(rest, len)| (rest, (u64::from(len), len > 125))),
        127 => be_u64(input).map(|(rest, len)| (rest, (len, len > 0xffff && len >> 63 == 0))),
        len => Ok((input, (u64::from(len), true))),
    }
}

#[inline]
fn masking_key(input: &[u8], is_masked: bool) -> IResult<&[u8], Option<[u8; 4]>> {
    if !is_masked {
        return Ok((input, None));
    }
    let (rest, key) = take(4_usize)(input)?;
    Ok((rest, key.try_into().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_rfc_6455_section_5_7() {
        let unmasked = parse(&[0x81, 0x05]).expect("a whole header");
        assert_eq!(
            (unmasked.fin, unmasked.opcode, unmasked.masking_key, unmasked.payload_len, unmasked.len),
            (true, Opcode::Text, None, 5, 2)
        );
        let masked = parse(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]).expect("a whole header");
        assert_eq!((masked.masking_key, masked.len), (Some([0x37, 0xfa, 0x21, 0x3d]), 6));
        let medium = parse(&[0x82, 0x7e, 0x01, 0x00]).expect("a whole header");
        assert_eq!((medium.payload_len, medium.is_minimal, medium.len), (256, true, 4));
        let long = parse(&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]).expect("a whole header");
        assert_eq!((long.payload_len, long.is_minimal, long.len), (65536, true, 10));
    }

    #[test]
    fn header_is_none_until_its_last_octet_is_there() {
        let whole = [0xc1, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4];
        for len in 0..whole.len() {
            assert_eq!(parse(&whole[..len]), None, "{len} octets");
        }
        let trailing = [&whole[..], b"payload"].concat();
        assert_eq!(parse(&trailing), parse(&whole));
        assert_eq!(parse(&whole).map(|header| (header.rsv, header.len)), Some((RSV1, 14)));
    }

    #[test]
    fn lengths_in_more_octets_than_needed_are_not_minimal() {
        let cases: [&[u8]; 3] = [&[0x81, 126, 0, 125], &[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], &[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]];
        for header in cases {
            assert_eq!(parse(header).map(|header| header.is_minimal), Some(false), "{header:?}");
        }
    }
}
