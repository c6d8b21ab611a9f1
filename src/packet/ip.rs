//! IPv4 (RFC 791) and IPv6 (RFC 8200): addresses, lengths, and where the transport's header begins.

use etherparse::{IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice};

use super::NotTcp;
use super::cursor::Cursor;
use super::route::{self, Instead};

pub(super) const TCP: u8 = IpNumber::TCP.0;

/// An IP packet that is whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip {
    pub(super) addresses: Addresses,
    /// Offset of the IP header in the captured packet.
    pub(super) start: usize,
    /// Octets of the IP header with options or extension headers.
    pub(super) header_len: usize,
    /// Octets of the IP packet, bounded by what carries it.
    pub(super) total_len: usize,
    /// What the payload is.
    pub(super) protocol: u8,
    /// `ip.id`; 0 for IPv6.
    pub(super) identification: u16,
    /// `ip.ttl` or `ipv6.hlim`.
    pub(super) hop_limit: u8,
    /// See [`Cursor::scope`].
    pub(super) scope: u32,
    /// Headers before this one.
    pub(super) headers: u8,
}

/// Source and destination: of the whole way, where it has a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Addresses {
    V4(u32, u32),
    V6(u128, u128),
}

impl Addresses {
    pub(super) fn of_v4(header: &Ipv4HeaderSlice<'_>) -> Self {
        let destination = route::v4_destination(header.options());
        Self::V4(u32::from_be_bytes(header.source()), destination.unwrap_or(u32::from_be_bytes(header.destination())))
    }

    pub(super) fn of_v6(header: &Ipv6HeaderSlice<'_>) -> Self {
        Self::V6(u128::from_be_bytes(header.source()), u128::from_be_bytes(header.destination()))
    }

    /// With what extension headers say in place of them.
    pub(super) fn with(self, instead: &Instead) -> Self {
        match self {
            Self::V4(..) => self,
            Self::V6(source, destination) => Self::V6(instead.source.unwrap_or(source), instead.destination.unwrap_or(destination)),
        }
    }
}

/// A packet that is not fragmented; [`NotTcp::Fragment`] for those that are.
pub(super) fn slice(rest: Cursor<'_>) -> Result<Ip, NotTcp> {
    let data = rest.bytes();
    match data.first().map(|octet| octet >> 4) {
        Some(4) => v4(rest, data),
        Some(6) => v6(rest, data),
        _ => Err(NotTcp::Malformed),
    }
}

fn v4(rest: Cursor<'_>, data: &[u8]) -> Result<Ip, NotTcp> {
    let header = Ipv4HeaderSlice::from_slice(data).map_err(|_| NotTcp::Malformed)?;
    if header.is_fragmenting_payload() {
        return Err(NotTcp::Fragment);
    }
    let mut header_len = header.slice().len();
    let mut protocol = header.protocol().0;
    let total_len = bounded(rest, usize::from(header.total_len()), header_len)?;
    if protocol == IpNumber::AUTHENTICATION_HEADER.0 {
        let extensions = Extensions::of_v4(protocol, &data[header_len..])?;
        (header_len, protocol) = (header_len + extensions.len, extensions.protocol);
        if header_len > total_len {
            return Err(NotTcp::Malformed);
        }
    }
    let addresses = Addresses::of_v4(&header);
    Ok(Ip { header_len, total_len, protocol, identification: header.identification(), ..ip(rest, addresses, header.ttl()) })
}

fn v6(rest: Cursor<'_>, data: &[u8]) -> Result<Ip, NotTcp> {
    let header = Ipv6HeaderSlice::from_slice(data).map_err(|_| NotTcp::Malformed)?;
    let mut header_len = header.slice().len();
    let mut protocol = header.next_header().0;
    let mut instead = Instead::default();
    if protocol != TCP {
        let extensions = Extensions::of_v6(protocol, &data[header_len..])?;
        if extensions.fragment.is_some() {
            return Err(NotTcp::Fragment);
        }
        (header_len, protocol, instead) = (header_len + extensions.len, extensions.protocol, extensions.instead);
    }
    let total_len = bounded(rest, v6_total_len(&header, &instead), header_len)?;
    let addresses = Addresses::of_v6(&header).with(&instead);
    Ok(Ip { header_len, total_len, protocol, ..ip(rest, addresses, header.hop_limit()) })
}

#[inline]
fn ip(rest: Cursor<'_>, addresses: Addresses, hop_limit: u8) -> Ip {
    let (scope, headers) = (rest.scope, rest.headers);
    Ip { addresses, start: rest.at(), header_len: 0, total_len: 0, protocol: 0, identification: 0, hop_limit, scope, headers }
}

/// Octets of the packet as declared, in a jumbogram by its option; 0 where segmentation offload left it open.
pub(super) fn v6_total_len(header: &Ipv6HeaderSlice<'_>, instead: &Instead) -> usize {
    match (header.payload_length(), instead.payload_len) {
        (0, None) => 0,
        (0, Some(payload)) => header.slice().len().saturating_add(payload as usize),
        (payload, _) => header.slice().len() + usize::from(payload),
    }
}

/// Whether an IP header may begin here: the length that it declares fits.
pub(super) fn fits(rest: Cursor<'_>) -> bool {
    let declared = match rest.bytes() {
        [0x45..=0x4f, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        [0x60..=0x6f, _, _, _, high, low, ..] => 40 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => return false,
    };
    declared <= rest.room()
}

/// Octets of the IP packet: as declared, or up to the end of what carries it when segmentation offload left 0 there or the
/// declared length goes beyond. Where only a port names a tunnel, neither is believed.
#[inline]
pub(super) fn bounded(rest: Cursor<'_>, declared: usize, header_len: usize) -> Result<usize, NotTcp> {
    let fits = declared != 0 && declared <= rest.room();
    let total = if fits { declared } else { rest.room() };
    if total < header_len || !fits && rest.is_guessed { Err(NotTcp::Malformed) } else { Ok(total) }
}

/// Extension headers, up to the transport's header or to a fragment's payload.
pub(super) struct Extensions<'a> {
    /// Octets of all of them.
    pub(super) len: usize,
    /// What follows them.
    pub(super) protocol: u8,
    /// The last one, where it says that what follows is a part only.
    pub(super) fragment: Option<Ipv6FragmentHeaderSlice<'a>>,
    /// What they say in place of the IPv6 header.
    pub(super) instead: Instead,
}

impl<'a> Extensions<'a> {
    /// IPv4 has the authentication header only (RFC 4302).
    pub(super) fn of_v4(first: u8, data: &'a [u8]) -> Result<Self, NotTcp> {
        Self::walk(first, data, |_| false)
    }

    /// RFC 8200 §4, mobility (RFC 6275), HIP (RFC 7401), Shim6 (RFC 5533).
    pub(super) fn of_v6(first: u8, data: &'a [u8]) -> Result<Self, NotTcp> {
        Self::walk(first, data, |protocol| matches!(protocol, 0 | 43 | 44 | 60 | 135 | 139 | 140))
    }

    fn walk(first: u8, data: &'a [u8], is_extension: fn(u8) -> bool) -> Result<Self, NotTcp> {
        let mut walked = Self { len: 0, protocol: first, fragment: None, instead: Instead::default() };
        loop {
            let rest = &data[walked.len..];
            let header = match walked.protocol {
                44 if is_extension(44) => {
                    let header = Ipv6FragmentHeaderSlice::from_slice(rest).map_err(|_| NotTcp::Malformed)?;
                    walked.fragment = header.is_fragmenting_payload().then_some(header.clone());
                    (header.next_header(), header.slice().len())
                }
                51 => {
                    let header = IpAuthHeaderSlice::from_slice(rest).map_err(|_| NotTcp::Malformed)?;
                    (header.next_header(), header.slice().len())
                }
                other if is_extension(other) => {
                    let header = Ipv6RawExtHeaderSlice::from_slice(rest).map_err(|_| NotTcp::Malformed)?;
                    walked.instead.take(other, header.slice());
                    (header.next_header(), header.slice().len())
                }
                _ => return Ok(walked),
            };
            (walked.protocol, walked.len) = (header.0.0, walked.len + header.1);
            if walked.fragment.is_some() {
                return Ok(walked);
            }
        }
    }
}
