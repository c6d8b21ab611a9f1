//! The frame itself, and the headers in it from the link layer to IP and UDP; what each took.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice, UdpHeaderSlice};

use super::field::{Field, bits, bytes, hex_colons};
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

fn is_v6(octets: &[u8]) -> bool {
    octets.first().is_some_and(|octet| octet >> 4 == 6)
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

fn mac(octets: &[u8]) -> String {
    hex_colons(octets)
}

/// Such as `IPv4 (0x0800)`.
fn ether_type(number: u16) -> String {
    let name = match number {
        0x0800 => "IPv4".into(),
        0x86dd => "IPv6".into(),
        0x8100 => "802.1Q Virtual LAN".into(),
        0x88a8 => "802.1ad Provider Bridge (Q-in-Q)".into(),
        0x6558 => "Transparent Ethernet bridging".into(),
        0x8847 | 0x8848 => "MPLS label switched packet".into(),
        0..=1500 => return format!("Length: {number}"),
        other => NotTcp::EtherType(other).to_string(),
    };
    format!("Type: {name} ({number:#06x})")
}

fn ethernet(octets: &[u8]) -> Option<Field> {
    let (destination, source, [a, b]) = (octets.get(0..6)?, octets.get(6..12)?, *octets.get(12..14)?.first_chunk()?);
    let ether_type_number = u16::from_be_bytes([a, b]);
    let (to, from) = (mac(destination), mac(source));
    let kind = match ether_type_number {
        0..=1500 => Field::new("eth.len", ether_type_number.to_string(), ether_type(ether_type_number)),
        other => Field::new("eth.type", format!("{other:#06x}"), ether_type(other)),
    };
    let address = |name: &'static str, what: &str, text: &str, octets: &[u8]| {
        let first = u32::from(octets[0]) << 16;
        let (local, group) = (octets[0] & 2 != 0, octets[0] & 1 != 0);
        let local_name = if local { "Locally administered address" } else { "Globally unique address (factory default)" };
        let group_name = if group { "Group address (multicast/broadcast)" } else { "Individual address (unicast)" };
        Field::new(name, text, format!("{what}: {text}")).with([
            Field::hidden("eth.addr", text),
            Field::new(
                if name == "eth.dst" { "eth.dst.lg" } else { "eth.src.lg" },
                digit(local),
                format!("{} = LG bit: {local_name}", bits(first, 0x02_0000, 24)),
            ),
            Field::new(
                if name == "eth.dst" { "eth.dst.ig" } else { "eth.src.ig" },
                digit(group),
                format!("{} = IG bit: {group_name}", bits(first, 0x01_0000, 24)),
            ),
        ])
    };
    Some(Field::group("eth", format!("Ethernet II, Src: {from}, Dst: {to}")).with([
        address("eth.dst", "Destination", &to, destination),
        address("eth.src", "Source", &from, source),
        kind,
    ]))
}

pub(super) fn digit(bit: bool) -> &'static str {
    if bit { "1" } else { "0" }
}

/// Linux cooked capture, both versions.
fn cooked(octets: &[u8], link_type: u16) -> Field {
    let version = if link_type == 113 { "v1" } else { "v2" };
    let mut field = Field::group("sll", format!("Linux cooked capture {version}, {}", bytes(octets.len() as u64)));
    let u16_at = |at: usize| octets.get(at..at + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
    let (packet_type, protocol, address) = match link_type {
        113 => (u16_at(0), u16_at(14), octets.get(6..12)),
        _ => (octets.get(10).map(|&octet| octet.into()), u16_at(0), octets.get(12..18)),
    };
    if let Some(packet_type) = packet_type {
        let name = match packet_type {
            0 => "Unicast to us",
            1 => "Broadcast",
            2 => "Multicast",
            3 => "Unicast to another host",
            4 => "Sent by us",
            _ => "Unknown",
        };
        field.push(Field::new("sll.pkttype", packet_type.to_string(), format!("Packet type: {name} ({packet_type})")));
    }
    if let Some(address) = address {
        let address = mac(address);
        field.push(Field::new("sll.src.eth", &*address, format!("Source: {address}")));
    }
    if let Some(protocol) = protocol {
        field.push(Field::new("sll.etype", format!("{protocol:#06x}"), ether_type(protocol).replace("Type:", "Protocol:")));
    }
    field
}

fn null(octets: &[u8]) -> Field {
    Field::group("null", format!("Null/Loopback, {}", bytes(octets.len() as u64)))
}

fn vlan(octets: &[u8], tag: u16) -> Field {
    let [a, b, c, d] = octets.first_chunk().copied().unwrap_or_default();
    let control = u16::from_be_bytes([a, b]);
    let (priority, dei, id) = (control >> 13, control >> 12 & 1, control & 0x0fff);
    let kind = u16::from_be_bytes([c, d]);
    let name = if tag == 0x8100 { "802.1Q Virtual LAN" } else { "802.1ad Provider Bridge" };
    Field::group("vlan", format!("{name}, PRI: {priority}, DEI: {dei}, ID: {id}")).with([
        Field::new("vlan.priority", priority.to_string(), format!("{} = Priority: {priority}", bits(control.into(), 0xe000, 16))),
        Field::new("vlan.dei", dei.to_string(), format!("{} = DEI: {dei}", bits(control.into(), 0x1000, 16))),
        Field::new("vlan.id", id.to_string(), format!("{} = ID: {id}", bits(control.into(), 0x0fff, 16))),
        Field::new("vlan.etype", format!("{kind:#06x}"), ether_type(kind)),
    ])
}

fn mpls(octets: &[u8]) -> Field {
    let labels = octets.chunks_exact(4).map(|entry| u32::from_be_bytes([entry[0], entry[1], entry[2], entry[3]]));
    Field::group("mpls", format!("MultiProtocol Label Switching, {}", bytes(octets.len() as u64))).with(labels.take(16).map(|entry| {
        let label = entry >> 12;
        Field::new("mpls.label", label.to_string(), format!("{} = Label: {label}", bits(entry, 0xffff_f000, 32)))
    }))
}

fn internet(octets: &[u8], is_fragment: bool) -> Field {
    let field = if is_v6(octets) { internet_v6(octets) } else { internet_v4(octets) };
    let mut field = field.unwrap_or_else(|| unnamed("ip", "Internet Protocol", octets.len()));
    if is_fragment {
        field.push(Field::note("[A fragment: what it carries is shown with the last one]"));
    }
    field
}

fn internet_v4(octets: &[u8]) -> Option<Field> {
    let header = Ipv4HeaderSlice::from_slice(octets).ok()?;
    let (source, destination) = (Ipv4Addr::from(header.source()), Ipv4Addr::from(header.destination()));
    let (words, len, traffic) = (header.ihl(), header.slice().len(), octets[1]);
    let flags = octets[6] >> 5;
    let offset = header.fragments_offset().value();
    let (id, checksum, protocol) = (header.identification(), header.header_checksum(), header.protocol().0);
    let mut field = Field::group("ip", format!("Internet Protocol Version 4, Src: {source}, Dst: {destination}")).with([
        Field::new("ip.version", "4", "0100 .... = Version: 4"),
        Field::new("ip.hdr_len", len.to_string(), format!("{} = Header Length: {len} bytes ({words})", bits(octets[0].into(), 0x0f, 8))),
        traffic_class("ip.dsfield", "Differentiated Services Field", traffic),
        Field::new("ip.len", header.total_len().to_string(), format!("Total Length: {}", header.total_len())),
        Field::new("ip.id", format!("{id:#06x}"), format!("Identification: {id:#06x} ({id})")),
        Field::new(
            "ip.flags",
            format!("{flags:#04x}"),
            format!("{} = Flags: {flags:#x}{}", bits(octets[6].into(), 0xe0, 8), flag_names(flags)),
        )
        .with([
            Field::new(
                "ip.flags.rb",
                digit(flags & 4 != 0),
                format!("{} = Reserved bit: {}", bits(octets[6].into(), 0x80, 8), set(flags & 4 != 0)),
            ),
            Field::new(
                "ip.flags.df",
                digit(flags & 2 != 0),
                format!("{} = Don't fragment: {}", bits(octets[6].into(), 0x40, 8), set(flags & 2 != 0)),
            ),
            Field::new(
                "ip.flags.mf",
                digit(flags & 1 != 0),
                format!("{} = More fragments: {}", bits(octets[6].into(), 0x20, 8), set(flags & 1 != 0)),
            ),
        ]),
        Field::new(
            "ip.frag_offset",
            offset.to_string(),
            format!("{} = Fragment Offset: {}", bits(offset.into(), 0x1fff, 16), u32::from(offset) * 8),
        ),
        Field::new("ip.ttl", header.ttl().to_string(), format!("Time to Live: {}", header.ttl())),
        Field::new("ip.proto", protocol.to_string(), format!("Protocol: {} ({protocol})", protocol_name(protocol))),
        Field::new("ip.checksum", format!("{checksum:#06x}"), format!("Header Checksum: {checksum:#06x} [validation disabled]")),
    ]);
    field.children.extend(addresses("ip", &source.to_string(), &destination.to_string()));
    let options = header.options();
    if !options.is_empty() {
        field.push(Field::note(format!("Options: ({}) {}", bytes(options.len() as u64), hex_colons(options))));
    }
    // The authentication header belongs to IP as extension headers do.
    field.children.extend(extensions("ip", octets.len() - len));
    Some(field)
}

fn internet_v6(octets: &[u8]) -> Option<Field> {
    let header = Ipv6HeaderSlice::from_slice(octets).ok()?;
    let (source, destination) = (Ipv6Addr::from(header.source()), Ipv6Addr::from(header.destination()));
    let flow = header.flow_label().value();
    let next = header.next_header().0;
    let mut field = Field::group("ipv6", format!("Internet Protocol Version 6, Src: {source}, Dst: {destination}")).with([
        Field::new("ipv6.version", "6", "0110 .... = Version: 6"),
        traffic_class("ipv6.tclass", "Traffic Class", header.traffic_class()),
        Field::new("ipv6.flow", format!("{flow:#08x}"), format!("{} = Flow Label: {flow:#07x}", bits(flow, 0x000f_ffff, 32))),
        Field::new("ipv6.plen", header.payload_length().to_string(), format!("Payload Length: {}", header.payload_length())),
        Field::new("ipv6.nxt", next.to_string(), format!("Next Header: {} ({next})", protocol_name(next))),
        Field::new("ipv6.hlim", header.hop_limit().to_string(), format!("Hop Limit: {}", header.hop_limit())),
    ]);
    field.children.extend(addresses("ipv6", &source.to_string(), &destination.to_string()));
    field.children.extend(extensions("ipv6", octets.len() - header.slice().len()));
    Some(field)
}

fn extensions(name: &'static str, len: usize) -> Option<Field> {
    (len > 0).then(|| Field::new(format!("{name}.ext_len"), len.to_string(), format!("Extension headers: {}", bytes(len as u64))))
}

fn addresses(name: &'static str, source: &str, destination: &str) -> [Field; 4] {
    [
        Field::new(format!("{name}.src"), source, format!("Source Address: {source}")),
        Field::hidden(format!("{name}.addr"), source),
        Field::new(format!("{name}.dst"), destination, format!("Destination Address: {destination}")),
        Field::hidden(format!("{name}.addr"), destination),
    ]
}

fn traffic_class(name: &'static str, what: &str, octet: u8) -> Field {
    let (point, congestion) = (octet >> 2, octet & 3);
    let point_name = match point {
        0 => "CS0".into(),
        8 | 16 | 24 | 32 | 40 | 48 | 56 => format!("CS{}", point / 8),
        46 => "EF PHB".into(),
        other => other.to_string(),
    };
    // Of IPv6 it is a field of 32 bits in Wireshark.
    let value = if name == "ip.dsfield" { format!("{octet:#04x}") } else { format!("{octet:#010x}") };
    let congestion_name = ["Not-ECT", "ECT(1)", "ECT(0)", "CE"][usize::from(congestion)];
    Field::new(name, value, format!("{what}: {octet:#04x} (DSCP: {point_name}, ECN: {congestion_name})")).with([
        Field::new(
            format!("{name}.dscp"),
            point.to_string(),
            format!("{} = Differentiated Services Codepoint: {point_name} ({point})", bits(octet.into(), 0xfc, 8)),
        ),
        Field::new(
            format!("{name}.ecn"),
            congestion.to_string(),
            format!("{} = Explicit Congestion Notification: {congestion_name} ({congestion})", bits(octet.into(), 0x03, 8)),
        ),
    ])
}

pub(super) fn set(bit: bool) -> &'static str {
    if bit { "Set" } else { "Not set" }
}

fn flag_names(flags: u8) -> String {
    [(4, ", Reserved bit"), (2, ", Don't fragment"), (1, ", More fragments")]
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| *name)
        .collect()
}

fn protocol_name(number: u8) -> String {
    match number {
        6 => "TCP".into(),
        other => NotTcp::IpProtocol(other).to_string(),
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

/// Who asks for whose address (RFC 826), for Ethernet and IPv4.
fn arp(octets: &[u8], len: usize) -> Field {
    let Some(asked) = Arp::of(octets) else { return unnamed("arp", "Address Resolution Protocol", len) };
    Field::group("arp", format!("Address Resolution Protocol ({})", if asked.operation == 1 { "request" } else { "reply" })).with([
        Field::new("arp.opcode", asked.operation.to_string(), format!("Opcode: {}", asked.operation)),
        Field::new("arp.src.hw_mac", &*asked.sender_mac, format!("Sender MAC address: {}", asked.sender_mac)),
        Field::new("arp.src.proto_ipv4", asked.sender.to_string(), format!("Sender IP address: {}", asked.sender)),
        Field::new("arp.dst.proto_ipv4", asked.target.to_string(), format!("Target IP address: {}", asked.target)),
    ])
}

/// An ARP packet for Ethernet and IPv4.
pub(super) struct Arp {
    operation: u16,
    sender_mac: String,
    sender: Ipv4Addr,
    target: Ipv4Addr,
}

impl Arp {
    pub(super) fn of(octets: &[u8]) -> Option<Self> {
        let packet: &[u8; 28] = octets.first_chunk()?;
        if packet[..6] != [0, 1, 8, 0, 6, 4] {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        let operation = u16::from_be_bytes([packet[6], packet[7]]);
        Some(Self { operation, sender_mac: mac(&packet[8..14]), sender: address(14), target: address(24) })
    }

    /// As Wireshark's list of frames says it.
    pub(super) fn line(&self) -> String {
        match self.operation {
            1 => format!("Who has {}? Tell {}", self.target, self.sender),
            2 => format!("{} is at {}", self.sender, self.sender_mac),
            other => format!("Opcode {other}"),
        }
    }
}

/// Source and destination of the innermost header that names them.
pub(super) fn ends(dissection: &Dissection<'_>) -> (String, String) {
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
    segment::ends(dissection).unwrap_or_default()
}
