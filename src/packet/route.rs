//! What IPv4 options and IPv6 extension headers say in place of the fixed header: where a packet on a source route goes to at
//! last (RFC 791 §3.1, RFC 8200 §4.4, RFC 6275 §6.4, RFC 8754), the home address of who sent it (RFC 6275 §6.3), and the length
//! of a jumbogram (RFC 2675).
//!
//! TCP's checksum covers these addresses (RFC 8200 §8.1), and the other direction bears them: a connection is known by them.

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION_OPTIONS: u8 = 60;

/// Types of options in IPv6's options headers.
const PAD1: u8 = 0;
const JUMBO_PAYLOAD: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;

/// Types of options in an IPv4 header.
const END_OF_OPTIONS: u8 = 0;
const NO_OPERATION: u8 = 1;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;

/// What the extension headers of an IPv6 packet say in place of its header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instead {
    pub(super) source: Option<u128>,
    pub(super) destination: Option<u128>,
    /// Octets behind the IPv6 header.
    pub(super) payload_len: Option<u32>,
}

impl Instead {
    /// Takes what an extension header says, by its protocol number.
    pub(super) fn take(&mut self, protocol: u8, header: &[u8]) {
        match protocol {
            HOP_BY_HOP => self.payload_len = option(header, JUMBO_PAYLOAD).map(u32::from_be_bytes).or(self.payload_len),
            ROUTING => self.destination = last_segment(header).or(self.destination),
            DESTINATION_OPTIONS => self.source = option(header, HOME_ADDRESS).map(u128::from_be_bytes).or(self.source),
            _ => {}
        }
    }
}

/// The first option of a type in an options header, if it is of so many octets.
fn option<const N: usize>(header: &[u8], wanted: u8) -> Option<[u8; N]> {
    let mut rest = header.get(2..)?;
    loop {
        rest = match *rest {
            [PAD1, ref behind @ ..] => behind,
            [option, len, ref behind @ ..] => {
                let (value, behind) = behind.split_at_checked(len.into())?;
                if option == wanted {
                    return value.try_into().ok();
                }
                behind
            }
            _ => return None,
        };
    }
}

/// The end of a route that is not travelled yet. The type 0 header and that of Mobile IPv6 (2) list it last, a segment routing
/// header (4) first.
fn last_segment(header: &[u8]) -> Option<u128> {
    let (&[_, _, routing_type, segments_left, _, _, _, _], route) = header.split_first_chunk()?;
    let segments = route.as_chunks::<16>().0;
    let last = match routing_type {
        0 | 2 => segments.last(),
        4 => segments.first(),
        _ => None,
    };
    last.filter(|_| segments_left > 0).copied().map(u128::from_be_bytes)
}

/// The end of a route that is not travelled yet, by the options of an IPv4 header.
pub(super) fn v4_destination(options: &[u8]) -> Option<u32> {
    let mut rest = options;
    loop {
        rest = match *rest {
            [NO_OPERATION, ref behind @ ..] => behind,
            [LOOSE_SOURCE_ROUTE | STRICT_SOURCE_ROUTE, len, pointer, ref route @ ..] => {
                let route = route.get(..usize::from(len).checked_sub(3)?)?;
                // The pointer counts from the option's first octet, which is 1; beyond the option, the route is at its end.
                return route.as_chunks::<4>().0.last().filter(|_| pointer < len).copied().map(u32::from_be_bytes);
            }
            [END_OF_OPTIONS, ..] | [] | [_] => return None,
            [_, len, ..] => rest.get(len.max(2).into()..)?,
        };
    }
}
