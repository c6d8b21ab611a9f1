//! The frame itself, and the headers in it from the link layer to IP and UDP; what each took.

mod arp;
mod internet;
mod link;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice, UdpHeaderSlice};

pub(super) use self::arp::Arp;
use self::arp::arp;
use self::internet::{internet, is_v6};
use self::link::{cooked, ethernet, mac, mpls, null, vlan};
use super::field::{Field, bytes};
use super::{Dissection, segment};
use crate::packet::{Header, NotTcp};
use crate::report::text::safe_bytes;
use crate::stream::Timestamp;

/// The frame: when it was captured, and how much of it.
pub(super) fn frame(dissection: &Dissection<'_>) -> Field {
    let packet = &dissection.packet;
    let (number, len, captured) = (packet.frame.number, packet.len, packet.data.len());
    let time = packet.frame.time;
    let epoch = seconds(time.0.into());
    let delta = seconds(since(time, dissection.previous));
    let relative = seconds(since(time, dissection.first));
    let absolute = absolute(time);
    let protocols = protocols(dissection);
    let label = format!(
        "Frame {number}: {} on wire ({} bits), {} captured ({} bits)",
        bytes(len.into()),
        u64::from(len) * 8,
        bytes(captured as u64),
        captured * 8
    );
    let encapsulation = encapsulation(packet.link_type);
    Field::group("frame", label).with([
        Field::note(format!("Encapsulation type: {encapsulation}")),
        Field::new("frame.time", &*absolute, format!("Arrival Time: {absolute}")),
        Field::new("frame.time_epoch", &*epoch, format!("Epoch Time: {epoch} seconds")),
        Field::new("frame.time_delta", &*delta, format!("[Time delta from previous captured frame: {delta} seconds]")),
        Field::new("frame.time_relative", &*relative, format!("[Time since reference or first frame: {relative} seconds]")),
        Field::new("frame.number", number.to_string(), format!("Frame Number: {number}")),
        Field::new("frame.len", len.to_string(), format!("Frame Length: {} ({} bits)", bytes(len.into()), u64::from(len) * 8)),
        Field::new("frame.cap_len", captured.to_string(), format!("Capture Length: {} ({} bits)", bytes(captured as u64), captured * 8)),
        Field::new("frame.protocols", &*protocols, format!("[Protocols in frame: {protocols}]")),
    ])
}

fn encapsulation(link_type: u16) -> String {
    match link_type {
        1 => "Ethernet (1)".into(),
        other => match NotTcp::LinkType(other).to_string() {
            name if name.contains('(') => name,
            _ => format!("link type {other}"),
        },
    }
}

/// Nanoseconds between two capture times.
fn since(time: Timestamp, earlier: Timestamp) -> i128 {
    i128::from(time.0) - i128::from(earlier.0)
}

/// Nanoseconds as seconds with nine decimals.
pub(super) fn seconds(ns: i128) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    format!("{sign}{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

/// Such as `Jul 27, 2016 21:13:44.900000000 UTC`.
fn absolute(time: Timestamp) -> String {
    let instant = jiff::Timestamp::from_nanosecond(time.0.into()).expect("64 bits of nanoseconds lie within jiff's years");
    instant.strftime("%b %e, %Y %H:%M:%S.%9f UTC").to_string()
}

/// Names of the layers, as `frame.protocols` has them.
fn protocols(dissection: &Dissection<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (header, range) in &dissection.headers.found {
        match header {
            Header::Link(1) | Header::Ethernet => names.extend(["eth", "ethertype"]),
            Header::Link(113 | 276) => names.extend(["sll", "ethertype"]),
            Header::Link(0 | 108) => names.push("null"),
            Header::Link(_) => names.push("link"),
            Header::Tag(0x8100 | 0x88a8 | 0x9100 | 0x9200) => names.extend(["vlan", "ethertype"]),
            Header::Tag(_) => names.push("tag"),
            Header::Llc => names.push("llc"),
            Header::Ppp => names.push("ppp"),
            Header::Mpls => names.push("mpls"),
            Header::Wlan => names.push("wlan"),
            Header::Ip | Header::Fragment => names.push(if is_v6(dissection.octets(range)) { "ipv6" } else { "ip" }),
            Header::Transport(6) => {}
            Header::Transport(17) => names.push("udp"),
            Header::Transport(47) => names.push("gre"),
            Header::Transport(1 | 58) => names.push("icmp"),
            Header::Transport(_) => names.push("data"),
        }
    }
    if dissection.headers.not_tcp == Some(NotTcp::EtherType(0x0806)) {
        names.push("arp");
    }
    if dissection.has_tcp() {
        names.push("tcp");
    }
    for ended in dissection.own() {
        let name = match ended {
            super::Ended::Http { .. } => "http",
            super::Ended::WebSocket { .. } | super::Ended::BrokenOff(_) => "websocket",
        };
        if name == "websocket" && !names.contains(&"http") {
            // As Wireshark has it: what is spoken on a connection that HTTP opened.
            names.push("http");
        }
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names.join(":")
}

/// Appends a field for each header, and what stands behind them when it is not TCP.
pub(super) fn append(dissection: &Dissection<'_>, fields: &mut Vec<Field>) {
    let headers = &dissection.headers;
    for (header, range) in &headers.found {
        let octets = dissection.octets(range);
        let len = range.len();
        match header {
            Header::Link(1) | Header::Ethernet => fields.extend(ethernet(octets)),
            Header::Link(113) => fields.push(cooked(octets, 113)),
            Header::Link(276) => fields.push(cooked(octets, 276)),
            Header::Link(0 | 108) => fields.push(null(octets)),
            Header::Link(number) => fields.push(unnamed("link", &encapsulation(*number), len)),
            Header::Tag(number @ (0x8100 | 0x88a8 | 0x9100 | 0x9200)) => fields.push(vlan(octets, *number)),
            Header::Tag(0x8847 | 0x8848) | Header::Mpls => fields.push(mpls(octets)),
            Header::Tag(number) => fields.push(unnamed("tag", &tag_name(*number), len)),
            Header::Llc => fields.push(unnamed("llc", "Logical-Link Control", len)),
            Header::Ppp => fields.push(unnamed("ppp", "Point-to-Point Protocol", len)),
            Header::Wlan => fields.push(unnamed("wlan", "IEEE 802.11", len)),
            Header::Ip => fields.push(internet(octets, false)),
            Header::Fragment => fields.push(internet(octets, true)),
            Header::Transport(6) => {}
            Header::Transport(17) => append_udp(octets, dissection.headers.not_tcp, fields),
            Header::Transport(number) => fields.push(transport(*number, dissection, range)),
        }
    }
    if let Some(reason) = headers.not_tcp {
        append_not_tcp(reason, dissection, fields);
    }
}

/// A header whose fields are not shown.
fn unnamed(name: &'static str, label: &str, len: usize) -> Field {
    Field::group(name, format!("{label}, {}", bytes(len as u64)))
}

fn tag_name(number: u16) -> String {
    match number {
        0x8864 => "PPP-over-Ethernet Session".into(),
        0x8926 => "VN-Tag".into(),
        0x893f => "IEEE 802.1BR E-Tag".into(),
        0x6558 => "Transparent Ethernet bridging".into(),
        0x88e7 => "IEEE 802.1ah".into(),
        other => NotTcp::EtherType(other).to_string(),
    }
}

/// UDP, and the tunnel's header behind it when it was opened.
fn append_udp(octets: &[u8], not_tcp: Option<NotTcp>, fields: &mut Vec<Field>) {
    let Ok(header) = UdpHeaderSlice::from_slice(octets) else {
        return fields.push(unnamed("udp", "User Datagram Protocol", octets.len()));
    };
    let (source, destination, len, checksum) = (header.source_port(), header.destination_port(), header.length(), header.checksum());
    fields.push(Field::group("udp", format!("User Datagram Protocol, Src Port: {source}, Dst Port: {destination}")).with([
        Field::new("udp.srcport", source.to_string(), format!("Source Port: {source}")),
        Field::new("udp.dstport", destination.to_string(), format!("Destination Port: {destination}")),
        Field::hidden("udp.port", source.to_string()),
        Field::hidden("udp.port", destination.to_string()),
        Field::new("udp.length", len.to_string(), format!("Length: {len}")),
        Field::new("udp.checksum", format!("{checksum:#06x}"), format!("Checksum: {checksum:#06x} [unverified]")),
    ]));
    let rest = &octets[8..];
    if not_tcp == Some(NotTcp::IpProtocol(17)) || rest.is_empty() {
        return;
    }
    fields.push(tunnel(source, destination, rest));
}

fn tunnel(source: u16, destination: u16, octets: &[u8]) -> Field {
    let network = |at: usize| octets.get(at..at + 3).map_or(0, |three| u32::from_be_bytes([0, three[0], three[1], three[2]]));
    let len = octets.len();
    match (source, destination) {
        (_, 4789 | 8472 | 4790) => {
            let vni = network(4);
            Field::group("vxlan", format!("Virtual eXtensible Local Area Network, VNI: {vni}, {}", bytes(len as u64))).with([Field::new(
                "vxlan.vni",
                vni.to_string(),
                format!("VXLAN Network Identifier (VNI): {vni}"),
            )])
        }
        (_, 6081) => {
            let vni = network(4);
            Field::group("geneve", format!("Generic Network Virtualization Encapsulation, VNI: {vni}, {}", bytes(len as u64)))
                .with([Field::new("geneve.vni", format!("{vni:#08x}"), format!("Virtual Network Identifier (VNI): {vni:#08x} ({vni})"))])
        }
        (_, 2152) | (2152, _) => unnamed("gtp", "GPRS Tunneling Protocol, user plane", len),
        (_, 3544) | (3544, _) => unnamed("teredo", "Teredo IPv6 over UDP tunneling", len),
        (_, 5247) | (5247, _) => unnamed("capwap", "CAPWAP data", len),
        (_, 1701) | (1701, _) => unnamed("l2tp", "Layer 2 Tunneling Protocol", len),
        (_, 4341) => unnamed("lisp-data", "Locator/ID Separation Protocol, data", len),
        (_, 37008) => unnamed("tzsp", "TaZmen Sniffer Protocol", len),
        _ => unnamed("tunnel", "Tunnel", len),
    }
}

fn transport(number: u8, dissection: &Dissection<'_>, range: &Range<usize>) -> Field {
    let name = NotTcp::IpProtocol(number).to_string();
    let key = match number {
        47 => "gre",
        1 => "icmp",
        58 => "icmpv6",
        _ => "data",
    };
    match number {
        47 => unnamed(key, "Generic Routing Encapsulation", range.len()),
        _ => unnamed(key, &name, dissection.headers.end.saturating_sub(range.start)),
    }
}

/// What stands behind the headers when nothing else was opened.
fn append_not_tcp(reason: NotTcp, dissection: &Dissection<'_>, fields: &mut Vec<Field>) {
    let from = dissection.headers.found.last().map_or(0, |(_, range)| range.end);
    let left = (dissection.packet.len as usize).saturating_sub(from);
    match reason {
        NotTcp::EtherType(0x0806) => fields.push(arp(dissection.packet.data.get(from..).unwrap_or_default(), left)),
        NotTcp::IpProtocol(17) => {
            let payload = dissection.headers.found.last().map_or(0, |(_, range)| dissection.headers.end.saturating_sub(range.start + 8));
            fields.push(Field::note(format!("UDP payload ({})", bytes(payload as u64))));
        }
        NotTcp::IpProtocol(_) => {}
        other => fields.push(Field::group("data", format!("{}, {}", safe_bytes(other.to_string().as_bytes()), bytes(left as u64)))),
    }
}

/// Source and destination of the segment, else of the innermost header that names them.
pub(super) fn ends(dissection: &Dissection<'_>) -> (String, String) {
    if let Some(ends) = segment::ends(dissection) {
        return ends;
    }
    for (header, range) in dissection.headers.found.iter().rev() {
        let octets = dissection.octets(range);
        match header {
            Header::Ip | Header::Fragment if is_v6(octets) => {
                if let Ok(header) = Ipv6HeaderSlice::from_slice(octets) {
                    return (Ipv6Addr::from(header.source()).to_string(), Ipv6Addr::from(header.destination()).to_string());
                }
            }
            Header::Ip | Header::Fragment => {
                if let Ok(header) = Ipv4HeaderSlice::from_slice(octets) {
                    return (Ipv4Addr::from(header.source()).to_string(), Ipv4Addr::from(header.destination()).to_string());
                }
            }
            Header::Link(1) | Header::Ethernet if octets.len() >= 12 => {
                let destination = if octets[..6] == [0xff; 6] { "Broadcast".into() } else { mac(&octets[..6]) };
                return (mac(&octets[6..12]), destination);
            }
            _ => {}
        }
    }
    Default::default()
}

pub(super) fn digit(bit: bool) -> &'static str {
    if bit { "1" } else { "0" }
}

pub(super) fn set(bit: bool) -> &'static str {
    if bit { "Set" } else { "Not set" }
}
