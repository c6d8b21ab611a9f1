//! From a captured packet to its TCP segment, by etherparse's header slices where it has them; every octet lands in one layer.
//!
//! ```text
//!  Packet ─► slice ─► Segment: link layer, tags, tunnels opened down to the innermost TCP header
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
mod ppp;
mod reassembly;
mod segment;
#[cfg(test)]
mod tests;
mod udp;
mod wlan;

pub use fragment::Fragment;
pub(crate) use headers::{Header, Headers, headers};
pub use identity::{CapturePoint, Identity};
pub use key::{ConnectionKey, Sender};
pub use names::NotTcp;
pub use reassembly::{Datagram, Reassembly, Unjoined};
pub(crate) use segment::SynOptions;
pub use segment::{Flags, Segment, SeqNumber};

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

impl Sliced<'_> {
    /// What stands in a place for one until something is sliced into it.
    pub(crate) const NOTHING: Self = Self::NotTcp(NotTcp::Malformed);
}

/// Slices a packet. A segment's layers sum to `packet.len`.
#[inline]
pub fn slice<'a>(packet: &Packet<'a>) -> Sliced<'a> {
    let mut sliced = Sliced::NOTHING;
    slice_into(packet, &mut sliced);
    sliced
}

/// The same, into a place that the caller has.
#[inline(always)]
pub(crate) fn slice_into<'a>(packet: &Packet<'a>, into: &mut Sliced<'a>) {
    let start = Cursor::new(packet);
    let first = match packet.link_type {
        1 => link::ethernet(start),
        other => link::slice(other, start),
    };
    match first {
        // TCP in IP right behind the link layer is most of what there is; all else goes step by step.
        Ok((Layer::Ip, rest)) => match ip::slice(rest) {
            Ok(ip) if ip.protocol == ip::TCP => segment::slice_into(packet, ip, into),
            _ => *into = open(packet, Step::Next(Layer::Ip, rest)),
        },
        Ok((layer, rest)) => *into = open(packet, Step::Next(layer, rest)),
        Err(reason) => *into = Sliced::NotTcp(reason),
    }
}

#[cold]
fn open<'a>(packet: &Packet<'a>, step: Step<'a>) -> Sliced<'a> {
    match layer::open(step) {
        Ok(Step::Tcp(ip)) => segment::slice(packet, ip),
        Ok(Step::Fragment(fragment)) => Sliced::Fragment(fragment.carried_by(packet.frame, 1, u64::from(packet.len))),
        Ok(Step::Next(..) | Step::Transport(..)) => Sliced::NotTcp(NotTcp::Malformed),
        Err(reason) => Sliced::NotTcp(reason),
    }
}
