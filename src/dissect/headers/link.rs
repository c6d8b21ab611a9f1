//! Ethernet, Linux cooked captures, tags and labels.

use super::digit;
use crate::dissect::field::{Field, bits, bytes, hex, hex_colons};
use crate::packet::{NotTcp, depth_of_labels};

pub(super) fn mac(octets: &[u8]) -> String {
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

pub(super) fn ethernet(octets: &[u8]) -> Option<Field> {
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

/// Linux cooked capture, both versions.
pub(super) fn cooked(octets: &[u8], link_type: u16) -> Field {
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

pub(super) fn null(octets: &[u8]) -> Field {
    Field::group("null", format!("Null/Loopback, {}", bytes(octets.len() as u64)))
}

pub(super) fn vlan(octets: &[u8], tag: u16) -> Field {
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

/// A label stack, and the control word behind it where it carries Ethernet with one.
pub(super) fn mpls(octets: &[u8]) -> Field {
    let (entries, _) = octets.as_chunks();
    let (labels, behind) = entries.split_at(depth_of_labels(octets).unwrap_or(entries.len()));
    let labels = labels.iter().take(16).map(|entry| {
        let entry = u32::from_be_bytes(*entry);
        let label = entry >> 12;
        Field::new("mpls.label", label.to_string(), format!("{} = Label: {label}", bits(entry, 0xffff_f000, 32)))
    });
    let control = behind.iter().map(|word| Field::note(format!("PW Ethernet Control Word: {}", hex(word))));
    Field::group("mpls", format!("MultiProtocol Label Switching, {}", bytes(octets.len() as u64))).with(labels).with(control)
}
