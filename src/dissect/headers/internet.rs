//! IPv4 (RFC 791) and IPv6 (RFC 8200).

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use super::{digit, set, unnamed};
use crate::dissect::field::{Field, bits, bytes, hex_colons};
use crate::packet::NotTcp;

pub(super) fn is_v6(octets: &[u8]) -> bool {
    octets.first().is_some_and(|octet| octet >> 4 == 6)
}

pub(super) fn internet(octets: &[u8], is_fragment: bool) -> Field {
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
    field.children.extend(extensions(octets.len() - len));
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
    field.children.extend(extensions(octets.len() - header.slice().len()));
    Some(field)
}

fn extensions(len: usize) -> Option<Field> {
    (len > 0).then(|| Field::note(format!("Extension headers: {}", bytes(len as u64))))
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

fn flag_names(flags: u8) -> String {
    [(4, ", Reserved bit"), (2, ", Don't fragment"), (1, ", More fragments")]
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| *name)
        .collect()
}

pub(super) fn protocol_name(number: u8) -> String {
    match number {
        6 => "TCP".into(),
        other => NotTcp::IpProtocol(other).to_string(),
    }
}
