//! Where each header of a packet stands, for who shows them: the same steps as [`slice`](super::slice), one by one.

use std::ops::Range;

use super::cursor::Cursor;
use super::layer::{self, Layer, Step};
use super::{NotTcp, ip, link, segment};
use crate::capture::Packet;

/// Headers shown of one packet; the opening itself ends earlier.
const MAX_HEADERS: usize = 64;

/// What kind of header stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// A link layer, by its number in the LINKTYPE_ registry.
    Link(u16),
    /// Ethernet, inside something else.
    Ethernet,
    /// A tag or shim that an EtherType announces.
    Tag(u16),
    /// IEEE 802.2.
    Llc,
    Ppp,
    Mpls,
    Wlan,
    /// IPv4 or IPv6, with options or extension headers.
    Ip,
    /// What an IP protocol number announces, with the tunnel's own header behind it where it is one.
    Transport(u8),
    /// An IP fragment's header; its payload is a part of something.
    Fragment,
}

/// The headers of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Headers {
    /// In order, without gaps; what a link layer needs no octets for is not among them.
    pub(crate) found: Vec<(Header, Range<usize>)>,
    /// Where the IP packet ends that the innermost header belongs to, or what was opened last; beyond it is trailer.
    pub(crate) end: usize,
    /// Why the last of them is not TCP; `None` where it is, or is a fragment.
    pub(crate) not_tcp: Option<NotTcp>,
}

/// The headers of a packet, down to the innermost that [`slice`](super::slice) opens.
pub(crate) fn headers(packet: &Packet<'_>) -> Headers {
    let mut headers = Headers { found: Vec::new(), end: packet.len as usize, not_tcp: None };
    let start = Cursor::new(packet);
    let mut step = match link::slice(packet.link_type, start) {
        Ok((layer, rest)) => {
            headers.add(Header::Link(packet.link_type), start.at(), rest.at());
            Step::Next(layer, rest)
        }
        Err(reason) => {
            headers.not_tcp = Some(reason);
            return headers;
        }
    };
    while headers.found.len() < MAX_HEADERS {
        let (header, rest) = match &step {
            Step::Next(layer, rest) => (kind(*layer), *rest),
            Step::Transport(ip, rest) => (Header::Transport(ip.protocol), *rest),
            Step::Tcp(_) | Step::Fragment(_) => return headers,
        };
        headers.end = rest.at() + rest.room();
        match layer::next(step) {
            Ok(Step::Tcp(ip)) => {
                let at = ip.start + ip.header_len;
                headers.end = ip.start + ip.total_len;
                match segment::slice(packet, &ip) {
                    Ok(_) => headers.add(Header::Transport(ip::TCP), at, tcp_end(packet, at, headers.end)),
                    Err(reason) => headers.not_tcp = Some(reason),
                }
                return headers;
            }
            Ok(Step::Fragment(fragment)) => {
                let at = rest.at();
                headers.add(Header::Fragment, at, at + fragment.header_len());
                headers.end = at + fragment.header_len() + fragment.payload_len();
                return headers;
            }
            Ok(next) => {
                let at = match &next {
                    Step::Next(_, rest) | Step::Transport(_, rest) => rest.at(),
                    Step::Tcp(_) | Step::Fragment(_) => rest.at(),
                };
                headers.add(header, rest.at(), at);
                step = next;
            }
            Err(reason) => {
                headers.not_tcp = Some(reason);
                let captured = rest.at() + rest.bytes().len();
                if let Header::Transport(_) = header {
                    headers.add(header, rest.at(), captured);
                }
                return headers;
            }
        }
    }
    headers.not_tcp = Some(NotTcp::Nested);
    headers
}

impl Headers {
    fn add(&mut self, header: Header, from: usize, to: usize) {
        if to > from {
            self.found.push((header, from..to));
        }
    }
}

fn kind(layer: Layer) -> Header {
    match layer {
        Layer::Link(number) => Header::Link(number),
        Layer::Ethernet => Header::Ethernet,
        Layer::EtherType(number) => Header::Tag(number),
        Layer::Llc => Header::Llc,
        Layer::Ppp => Header::Ppp,
        Layer::Mpls => Header::Mpls,
        Layer::Wlan => Header::Wlan,
        Layer::Ip => Header::Ip,
    }
}

/// Where a TCP header ends, as it says itself, or where it was cut.
fn tcp_end(packet: &Packet<'_>, at: usize, end: usize) -> usize {
    let end = end.min(packet.data.len());
    let len = packet.data.get(at + 12).map_or(0, |octet| usize::from(octet >> 4) * 4);
    (at + len).min(end).max(at)
}
