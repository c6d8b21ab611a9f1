//! One line a frame, in the columns of tshark.

use std::fmt::Write as _;

use super::headers::{Arp, ends, seconds};
use super::{Dissection, Ended, http, segment, websocket};
use crate::packet::NotTcp;

/// Appends the frame's number, time, source, destination, protocol, length, and what it is.
pub fn append_line(dissection: &Dissection<'_>, out: &mut Vec<u8>) {
    let packet = &dissection.packet;
    // Six decimals, not rounded, as tshark cuts them.
    let mut relative = seconds(i128::from(packet.frame.time.0) - i128::from(dissection.first.0));
    relative.truncate(relative.len() - 3);
    let (source, destination) = ends(dissection);
    let (protocol, info) = what(dissection);
    let mut line = String::new();
    write!(
        line,
        "{:>5} {relative:>10} {source:>12} → {destination:<12} {protocol} {} {}",
        packet.frame.number,
        packet.len,
        info.trim_end()
    )
    .expect("a String takes every write");
    line.push('\n');
    out.extend_from_slice(line.as_bytes());
}

fn what(dissection: &Dissection<'_>) -> (String, String) {
    let messages: Vec<_> = dissection.own().filter(|ended| !matches!(ended, Ended::BrokenOff(_))).collect();
    if let Some(last) = messages.last() {
        let lines: Vec<_> = messages.iter().map(|ended| info(ended)).collect();
        return (protocol(last).into(), lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join(", "));
    }
    if let Some(line) = segment::line(dissection) {
        return (segment::protocol(dissection).into(), line);
    }
    match dissection.headers.not_tcp {
        Some(NotTcp::EtherType(0x0806)) => ("ARP".into(), arp(dissection)),
        Some(reason) => (protocol_of(reason), reason.to_string()),
        None => ("IP".into(), "Fragmented IP packet".into()),
    }
}

fn protocol_of(reason: NotTcp) -> String {
    match reason {
        NotTcp::IpProtocol(_) | NotTcp::EtherType(_) => reason.to_string(),
        NotTcp::WlanProtected | NotTcp::WlanNoData | NotTcp::WlanFragment | NotTcp::WlanAggregate => "802.11".into(),
        NotTcp::Fragment => "IP".into(),
        NotTcp::LinkType(_) | NotTcp::Llc | NotTcp::PppProtocol(_) | NotTcp::Mpls | NotTcp::Nested | NotTcp::Malformed => "Data".into(),
    }
}

fn arp(dissection: &Dissection<'_>) -> String {
    let from = dissection.headers.found.last().map_or(0, |(_, range)| range.end);
    let packet = dissection.packet.data.get(from..).and_then(Arp::of);
    packet.map_or_else(|| "ARP".into(), |packet| packet.line())
}

fn info(ended: &Ended) -> String {
    match ended {
        Ended::Http { part, .. } => http::line(part),
        Ended::WebSocket { frame, .. } => websocket::line(frame),
        Ended::BrokenOff(message) => websocket::broken_off(message),
    }
}

fn protocol(ended: &Ended) -> &'static str {
    match ended {
        Ended::Http { part, .. } => http::protocol(part),
        Ended::WebSocket { .. } | Ended::BrokenOff(_) => "WebSocket",
    }
}
