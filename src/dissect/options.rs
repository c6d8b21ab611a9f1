//! The options of a TCP header (RFC 9293 §3.2).

use std::fmt::Write as _;

use etherparse::TcpOptionElement;

use super::field::{Field, bytes, hex, hex_colons};
use crate::packet::{TcpOption, tcp_options};

const TAKES: &str = "a String takes every write";

/// Left and right edges of what was acknowledged selectively (RFC 2018), moved by what numbers of that stream are.
fn edges(first: (u32, u32), rest: [Option<(u32, u32)>; 3], shift: u32) -> impl Iterator<Item = (u32, u32)> {
    let blocks = std::iter::once(Some(first)).chain(rest).flatten();
    blocks.map(move |(left, right)| (left.wrapping_add(shift), right.wrapping_add(shift)))
}

/// The options as a field, with one inside for each; `shift` makes acknowledgment numbers those that are shown.
pub(super) fn field(octets: &[u8], shift: u32) -> Field {
    let (names, inside): (Vec<_>, Vec<_>) = tcp_options(octets).map(|element| option(element, shift)).unzip();
    let names = if names.is_empty() { String::new() } else { format!(", {}", names.join(", ")) };
    Field::new("tcp.options", hex_colons(octets), format!("Options: ({} bytes){names}", octets.len())).with(inside)
}

/// The name of an option, and what it says.
fn option((element, octets): TcpOption<'_>, shift: u32) -> (&'static str, Field) {
    let field = |what: String, values: Vec<Field>| Field::note(format!("TCP Option - {what}")).with(values);
    // What it says stands inside it, as TShark has it.
    let named = |name: &'static str, what: String, values: Vec<Field>| {
        Field::new(name, hex_colons(octets), field(what, Vec::new()).label).with(values)
    };
    let hidden = |name: &'static str, value: u32| Field::hidden(name, value.to_string());
    match element {
        Some(TcpOptionElement::Noop) => ("No-Operation (NOP)", field("No-Operation (NOP)".into(), Vec::new())),
        Some(TcpOptionElement::MaximumSegmentSize(mss)) => {
            let values = vec![hidden("tcp.options.mss_val", mss.into())];
            ("Maximum segment size", named("tcp.options.mss", format!("Maximum segment size: {mss} bytes"), values))
        }
        Some(TcpOptionElement::WindowScale(shift)) => {
            let factor = 1u32 << shift.min(14);
            let values = vec![hidden("tcp.options.wscale.shift", shift.into()), hidden("tcp.options.wscale.multiplier", factor)];
            ("Window scale", named("tcp.options.wscale", format!("Window scale: {shift} (multiply by {factor})"), values))
        }
        Some(TcpOptionElement::SelectiveAcknowledgementPermitted) => {
            ("SACK permitted", named("tcp.options.sack_perm", "SACK permitted".into(), Vec::new()))
        }
        Some(TcpOptionElement::SelectiveAcknowledgement(first, rest)) => {
            let (mut blocks, mut values) = (Vec::new(), Vec::new());
            for (left, right) in edges(first, rest, shift) {
                blocks.push(format!("{left}-{right}"));
                values.extend([hidden("tcp.options.sack_le", left), hidden("tcp.options.sack_re", right)]);
            }
            values.push(Field::hidden("tcp.options.sack.count", blocks.len().to_string()));
            ("SACK", named("tcp.options.sack", format!("SACK {}", blocks.join(" ")), values))
        }
        Some(TcpOptionElement::Timestamp(value, echo)) => {
            let values = vec![hidden("tcp.options.timestamp.tsval", value), hidden("tcp.options.timestamp.tsecr", echo)];
            ("Timestamps", named("tcp.options.timestamp", format!("Timestamps: TSval {value}, TSecr {echo}"), values))
        }
        None => {
            let name = name(octets[0]);
            (name, field(format!("{name} (kind {}, {}): {}", octets[0], bytes(octets.len() as u64), hex(octets)), Vec::new()))
        }
    }
}

/// Options that are not opened, by the IANA registry of their kinds.
fn name(kind: u8) -> &'static str {
    match kind {
        19 => "MD5 Signature",
        28 => "User Timeout",
        29 => "Authentication (TCP-AO)",
        30 => "Multipath TCP",
        34 => "Fast Open Cookie",
        253 | 254 => "RFC3692-style Experiment",
        _ => "Unknown",
    }
}

/// Appends what a list of frames says of options.
pub(super) fn append_line(octets: &[u8], shift: u32, line: &mut String) {
    for (element, _) in tcp_options(octets) {
        match element {
            None | Some(TcpOptionElement::Noop) => {}
            Some(TcpOptionElement::MaximumSegmentSize(mss)) => write!(line, " MSS={mss}").expect(TAKES),
            Some(TcpOptionElement::WindowScale(shift)) => write!(line, " WS={}", 1u32 << shift.min(14)).expect(TAKES),
            Some(TcpOptionElement::SelectiveAcknowledgementPermitted) => line.push_str(" SACK_PERM"),
            Some(TcpOptionElement::SelectiveAcknowledgement(first, rest)) => {
                edges(first, rest, shift).for_each(|(left, right)| write!(line, " SLE={left} SRE={right}").expect(TAKES));
            }
            Some(TcpOptionElement::Timestamp(value, echo)) => write!(line, " TSval={value} TSecr={echo}").expect(TAKES),
        }
    }
}
