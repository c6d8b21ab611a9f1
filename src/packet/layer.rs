//! One header after the other, from the link layer to the innermost TCP header or IP fragment.

use super::cursor::Cursor;
use super::fragment::{self, Fragment};
use super::ip::{self, Ip};
use super::{NotTcp, gre, link, mpls, ppp, udp, wlan};

/// Headers before the TCP header, tags and tunnels together. A mirrored packet of a mobile network in a cloud has about
/// fifteen; beyond this it is an attack or a loop.
const MAX_HEADERS: u8 = 32;

/// What kind of header comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// By number in the LINKTYPE_ registry.
    Link(u16),
    Ethernet,
    /// Behind an EtherType field, or behind the length field of IEEE 802.3.
    EtherType(u16),
    Llc,
    Ppp,
    Mpls,
    Wlan,
    Ip,
}

/// A step of the opening.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// A header, and where it begins.
    Next(Layer, Cursor<'a>),
    /// An IP packet, and where its payload begins.
    Transport(Ip, Cursor<'a>),
    /// The end: TCP is in this IP packet.
    Tcp(Ip),
    /// The end, until the others are there.
    Fragment(Fragment<'a>),
}

/// Opens what is left, header by header; the result is `Tcp` or `Fragment`.
#[cold]
pub(super) fn open(mut step: Step<'_>) -> Result<Step<'_>, NotTcp> {
    loop {
        if matches!(step, Step::Tcp(_) | Step::Fragment(_)) {
            return Ok(step);
        }
        step = next(step)?;
    }
}

/// Opens one header.
pub(super) fn next(step: Step<'_>) -> Result<Step<'_>, NotTcp> {
    let (next, rest) = match step {
        Step::Tcp(_) | Step::Fragment(_) => return Ok(step),
        Step::Next(layer, rest) => (slice(layer, rest), rest),
        Step::Transport(ip, rest) => (transport(ip, rest), rest),
    };
    match next {
        Ok(_) if rest.headers > MAX_HEADERS => Err(NotTcp::Nested),
        Err(reason) if rest.is_guessed => Err(reason.inside_guess()),
        other => other,
    }
}

fn slice(layer: Layer, rest: Cursor<'_>) -> Result<Step<'_>, NotTcp> {
    let (layer, rest) = match layer {
        Layer::Link(number) => link::slice(number, rest)?,
        Layer::Ethernet => link::ethernet(rest)?,
        Layer::EtherType(number) => link::ether_type(number, rest)?,
        Layer::Llc => link::llc(rest)?,
        Layer::Ppp => ppp::slice(rest)?,
        Layer::Mpls => mpls::slice(rest)?,
        Layer::Wlan => wlan::slice(rest)?,
        Layer::Ip => return internet(rest),
    };
    Ok(Step::Next(layer, rest))
}

fn internet(rest: Cursor<'_>) -> Result<Step<'_>, NotTcp> {
    match ip::slice(rest) {
        Ok(ip) => Ok(Step::Transport(ip, rest.limit(ip.total_len).skip(ip.header_len)?)),
        Err(NotTcp::Fragment) => fragment::slice(rest).map(Step::Fragment),
        Err(reason) => Err(reason),
    }
}

/// By IP protocol number.
fn transport(ip: Ip, rest: Cursor<'_>) -> Result<Step<'_>, NotTcp> {
    let next = match ip.protocol {
        ip::TCP => return Ok(Step::Tcp(ip)),
        4 | 41 => (Layer::Ip, rest),
        17 => udp::slice(rest)?,
        47 => gre::slice(rest)?,
        // EtherIP (RFC 3378): version 3, twelve bits of zero.
        97 if rest.array() == Ok([0x30, 0]) => (Layer::Ethernet, rest.skip(2)?),
        // MPLS in IP (RFC 4023).
        137 => (Layer::Mpls, rest),
        // Ethernet in segment routing over IPv6 (RFC 8986).
        143 => (Layer::Ethernet, rest),
        other => return Err(NotTcp::IpProtocol(other)),
    };
    Ok(Step::Next(next.0, next.1))
}
