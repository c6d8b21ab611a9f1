//! From a captured packet to its TCP segment; every octet lands in one layer.
//!
//! ```text
//!  Packet ─► slice ─► Segment: most by fixed places (`plain`), all others header by header: link layer, tags, tunnels opened
//!              │               down to the innermost TCP header, by etherparse's header slices where it has them
//!              ├────► Fragment ─► Reassembly ─► Datagram ─► slice, as above
//!              └────► NotTcp: named, and accounted by its whole length
//! ```
//!
//! [`slice`] is a pure step; [`Reassembly`] is the only state between packets.

mod cursor;
mod fragment;
mod gre;
mod headers;
mod identity;
mod ip;
mod key;
mod layer;
mod link;
mod mpls;
mod names;
mod nflog;
mod nsh;
mod plain;
mod ppp;
mod reassembly;
mod route;
mod segment;
mod tcp_options;
#[cfg(test)]
mod tests;
mod udp;
mod wlan;

pub use fragment::Fragment;
pub(crate) use headers::{Header, Headers, headers};
pub(crate) use identity::Words;
pub use identity::{CapturePoint, Identity};
pub(crate) use key::PlainKey;
pub use key::{ConnectionKey, Sender};
pub(crate) use mpls::depth as depth_of_labels;
pub use names::NotTcp;
pub(crate) use plain::slice_into as slice_plain_into;
pub use reassembly::{Datagram, Reassembly, Unjoined};
pub(crate) use segment::SynOptions;
pub use segment::{Flags, Segment, SeqNumber};
pub(crate) use tcp_options::{TcpOption, tcp_options};

use crate::capture::Packet;
use cursor::Cursor;
use layer::{Layer, Step};

/// What a packet turned out to carry.
#[derive(Clone, Copy, Debug)]
pub enum Sliced<'a> {
    /// A TCP segment.
    Segment(Segment<'a>),
    /// An IP fragment, of whatever; [`Reassembly`] takes it.
    Fragment(Fragment<'a>),
    /// Anything else; accounted by its length.
    NotTcp(NotTcp),
}

/// Slices a packet. A segment's layers sum to `packet.len`.
#[inline]
pub fn slice<'a>(packet: &Packet<'a>) -> Sliced<'a> {
    let mut segment = Segment::NOTHING;
    if plain::slice_into(packet, &mut segment).is_some() { Sliced::Segment(segment) } else { slice_other(packet) }
}

/// The same of a packet that is not as most are.
pub(crate) fn slice_other<'a>(packet: &Packet<'a>) -> Sliced<'a> {
    match link::slice(packet.link_type, Cursor::new(packet)) {
        // TCP in IP right behind the link layer is still most of what there is; all else goes step by step.
        Ok((Layer::Ip, rest)) => match ip::slice(rest) {
            Ok(ip) if ip.protocol == ip::TCP => segment::slice(packet, &ip).map_or_else(Sliced::NotTcp, Sliced::Segment),
            Ok(_) | Err(_) => open(packet, Step::Next(Layer::Ip, rest)),
        },
        Ok((layer, rest)) => open(packet, Step::Next(layer, rest)),
        Err(reason) => Sliced::NotTcp(reason),
    }
}

#[cold]
fn open<'a>(packet: &Packet<'a>, step: Step<'a>) -> Sliced<'a> {
    match layer::open(step) {
        Ok(Step::Tcp(ip)) => segment::slice(packet, &ip).map_or_else(Sliced::NotTcp, Sliced::Segment),
        Ok(Step::Fragment(fragment)) => Sliced::Fragment(fragment.carried_by(packet.frame, 1, u64::from(packet.len))),
        Ok(Step::Next(..) | Step::Transport(..)) => Sliced::NotTcp(NotTcp::Malformed),
        Err(reason) => Sliced::NotTcp(reason),
    }
}
