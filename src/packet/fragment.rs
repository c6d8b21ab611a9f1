//! IP fragments (RFC 791 §3.2, RFC 8200 §4.5, RFC 5722): what one says, without memory of others.

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::NotTcp;
use super::cursor::Cursor;
use super::ip::{Addresses, Extensions, bounded, v6_total_len};
use crate::stream::Frame;

/// The most that IP can carry in fragments: the offset has 13 bits, in units of eight octets.
const MAX_DATAGRAM: u32 = 65_535;

/// An IP fragment, borrowed from its packet. [`Reassembly`](super::Reassembly) makes a whole of it.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    pub(super) datagram: DatagramId,
    /// The frame that carried it, or that carried the last part of the datagram it is in.
    pub(super) frame: Frame,
    /// Frames that carried it: more than one where fragments are in a tunnel whose packets are fragments.
    pub(super) frames: u64,
    /// Octets of those frames on the wire.
    pub(super) bytes: u64,
    /// Octets of the IP header, extension headers included.
    pub(super) header_len: u32,
    /// What the datagram's payload begins with, as the first fragment says.
    pub(super) protocol: u8,
    pub(super) hop_limit: u8,
    /// Where in the datagram's payload it belongs.
    pub(super) offset: u32,
    /// Its octets on the wire; the capture may hold fewer.
    pub(super) len: u32,
    pub(super) payload: &'a [u8],
    pub(super) is_last: bool,
    /// See [`Cursor::headers`].
    pub(super) headers: u8,
    /// See [`Cursor::is_guessed`].
    pub(super) is_guessed: bool,
}

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DatagramId {
    pub(super) addresses: Addresses,
    pub(super) identification: u32,
    /// IPv4 numbers datagrams for each protocol; 0 for IPv6.
    protocol: u8,
    pub(super) scope: u32,
}

impl Fragment<'_> {
    /// The frame that completed what this was found in.
    pub fn frame(&self) -> Frame {
        self.frame
    }

    pub(super) fn header_len(&self) -> usize {
        self.header_len as usize
    }

    /// Octets on the wire of the datagram's payload that it brings.
    pub(super) fn payload_len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn carried_by(self, frame: Frame, frames: u64, bytes: u64) -> Self {
        Self { frame, frames, bytes, ..self }
    }
}

/// Slices a packet that is known to be a fragment.
pub(super) fn slice(rest: Cursor<'_>) -> Result<Fragment<'_>, NotTcp> {
    match Ipv4HeaderSlice::from_slice(rest.bytes()) {
        Ok(header) => v4(rest, &header),
        Err(_) => v6(rest),
    }
}

fn v4<'a>(rest: Cursor<'a>, header: &Ipv4HeaderSlice<'_>) -> Result<Fragment<'a>, NotTcp> {
    let protocol = header.protocol().0;
    let datagram =
        DatagramId { addresses: Addresses::of_v4(header), identification: u32::from(header.identification()), protocol, scope: rest.scope };
    let header_len = header.slice().len();
    let total_len = bounded(rest, usize::from(header.total_len()), header_len)?;
    let offset = u32::from(header.fragments_offset().byte_offset());
    let place = Place { offset, is_last: !header.more_fragments(), header_len, total_len };
    build(rest, datagram, place, protocol, header.ttl())
}

fn v6(rest: Cursor<'_>) -> Result<Fragment<'_>, NotTcp> {
    let data = rest.bytes();
    let header = Ipv6HeaderSlice::from_slice(data).map_err(|_| NotTcp::Malformed)?;
    let extensions = Extensions::of_v6(header.next_header().0, &data[header.slice().len()..])?;
    let fragment = extensions.fragment.ok_or(NotTcp::Malformed)?;
    let addresses = Addresses::of_v6(&header).with(&extensions.instead);
    let datagram = DatagramId { addresses, identification: fragment.identification(), protocol: 0, scope: rest.scope };
    let header_len = header.slice().len() + extensions.len;
    let total_len = bounded(rest, v6_total_len(&header, &extensions.instead), header_len)?;
    let offset = u32::from(fragment.fragment_offset().byte_offset());
    let place = Place { offset, is_last: !fragment.more_fragments(), header_len, total_len };
    build(rest, datagram, place, extensions.protocol, header.hop_limit())
}

struct Place {
    offset: u32,
    is_last: bool,
    header_len: usize,
    total_len: usize,
}

fn build(rest: Cursor<'_>, datagram: DatagramId, place: Place, protocol: u8, hop_limit: u8) -> Result<Fragment<'_>, NotTcp> {
    let payload = rest.limit(place.total_len).skip(place.header_len)?;
    let len = payload.room() as u32;
    if len > MAX_DATAGRAM - place.offset.min(MAX_DATAGRAM) {
        return Err(NotTcp::Malformed);
    }
    Ok(Fragment {
        datagram,
        frame: Frame::default(),
        frames: 0,
        bytes: 0,
        header_len: place.header_len as u32,
        protocol,
        hop_limit,
        offset: place.offset,
        len,
        payload: payload.bytes(),
        is_last: place.is_last,
        headers: payload.headers,
        is_guessed: rest.is_guessed,
    })
}
