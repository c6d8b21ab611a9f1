//! Tunnels: opened to the inner segment, all before it is link; what only looks like one stays UDP.

use super::*;

fn gre(flags: u16, protocol: u16, optional: &[u8], payload: &[u8]) -> Vec<u8> {
    ipv4(47, &[&flags.to_be_bytes(), &protocol.to_be_bytes(), optional, payload].concat())
}

fn over_udp(port: u16, header: &[u8], payload: &[u8]) -> Vec<u8> {
    ipv4(17, &udp(port, &[header, payload].concat()))
}

const VXLAN: &[u8] = &[0x08, 0, 0, 0, 0, 0, 42, 0];
const GENEVE: &[u8] = &[0, 0, 0x65, 0x58, 0, 0, 42, 0];

fn gtp(flags: u8, optional: &[u8]) -> Vec<u8> {
    let len = (optional.len() + IPV4_TCP.len()) as u8;
    over_udp(2152, &[&[flags, 0xff, 0, len, 0, 0, 0, 1], optional].concat(), IPV4_TCP)
}

/// Raw IP packets with the segment inside.
fn tunnels() -> Vec<(&'static str, Vec<u8>)> {
    let inner = &ethernet(0x0800, IPV4_TCP)[..];
    let wlan_swapped = [&[0x01, 0x08, 0, 0][..], &[2; 18], &[0x70, 0x30], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], IPV4_TCP].concat();
    let vlan = ethernet(0x8100, &[&[0, 5, 8, 0], IPV4_TCP].concat());
    let authentication = [4, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let ipv6_tcp = ipv6(6, &IPV4_TCP[20..]);
    vec![
        ("IP in IP", ipv4(4, IPV4_TCP)),
        ("IPv4 in IPv6", ipv6(4, IPV4_TCP)),
        ("GRE", gre(0, 0x0800, &[], IPV4_TCP)),
        ("GRE with checksum, key, number", gre(0xb000, 0x0800, &[1; 12], IPV4_TCP)),
        ("Ethernet in GRE", gre(0x2000, 0x6558, &[0, 0, 1, 0], inner)),
        ("MPLS in GRE", gre(0, 0x8847, &[], &[&[0, 0, 0x11, 64], IPV4_TCP].concat())),
        ("PPTP", gre(0x3081, 0x880b, &[0, 49, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1], &[&[0xff, 3, 0, 0x21], IPV4_TCP].concat())),
        ("ERSPAN I", gre(0, 0x88be, &[], inner)),
        ("ERSPAN II", gre(0x1000, 0x88be, &[&[0, 0, 0, 1][..], &[0x10, 6, 0, 6, 0, 0, 0, 0]].concat(), inner)),
        ("ERSPAN III", gre(0x1000, 0x22eb, &[&[0, 0, 0, 1][..], &[0x20; 4], &[0; 8]].concat(), inner)),
        ("ERSPAN III, platform", gre(0x1000, 0x22eb, &[&[0, 0, 0, 1][..], &[0x20; 4], &[0, 0, 0, 0, 0, 0, 0, 1], &[0; 8]].concat(), inner)),
        ("WCCP", gre(0, 0x883e, &[], IPV4_TCP)),
        ("WCCP 2", gre(0, 0x883e, &[0x40, 0, 0, 1], IPV4_TCP)),
        ("EtherIP", ipv4(97, &[&[0x30, 0], inner].concat())),
        ("MPLS in IP", ipv4(137, &[&[0, 0, 0x11, 64], IPV4_TCP].concat())),
        ("Ethernet in IPv6", ipv6(143, inner)),
        ("AH in tunnel mode", ipv4(51, &[&authentication, IPV4_TCP].concat())),
        ("VXLAN", over_udp(4789, VXLAN, inner)),
        ("VXLAN, VLAN inside", over_udp(8472, VXLAN, &vlan)),
        ("VXLAN-GPE", over_udp(4790, &[0x0c, 0, 0, 1, 0, 0, 42, 0], IPV4_TCP)),
        ("NSH in VXLAN-GPE", over_udp(4790, &[0x0c, 0, 0, 4, 0, 0, 42, 0], &[&[0x0f, 0xc2, 2, 3, 0, 0, 1, 255], inner].concat())),
        ("Geneve", over_udp(6081, GENEVE, inner)),
        ("Geneve with options", over_udp(6081, &[2, 0x40, 8, 0, 0, 0, 42, 0, 1, 1, 1, 1, 1, 1, 1, 1], IPV4_TCP)),
        ("GTP-U", gtp(0x30, &[])),
        ("GTP-U with number", gtp(0x32, &[0, 1, 0, 0])),
        ("GTP-U with extensions", gtp(0x34, &[0, 0, 0, 0x85, 1, 0, 1, 0xc0, 1, 0, 1, 0])),
        ("CAPWAP", over_udp(5247, &[0, 0x10, 0, 0, 0, 0, 0, 0], inner)),
        ("CAPWAP, 802.11 with swapped octets", over_udp(5247, &[0, 0x10, 3, 0, 0, 0, 0, 0], &wlan_swapped)),
        ("MPLS over UDP", over_udp(6635, &[0, 0, 0x11, 64], IPV4_TCP)),
        ("L2TP", over_udp(1701, &[0, 2, 0, 7, 0, 8], &[&[0xff, 3, 0, 0x21], IPV4_TCP].concat())),
        (
            "L2TP with all fields",
            over_udp(1701, &[0x4a, 2, 0, 65, 0, 7, 0, 8, 0, 1, 0, 0, 0, 4, 9, 9, 9, 9], &[&[0, 0x21], IPV4_TCP].concat()),
        ),
        ("LISP", over_udp(4341, &[0x88, 1, 2, 3, 0, 0, 0, 1], IPV4_TCP)),
        ("TZSP", over_udp(37008, &[1, 0, 0, 1, 0, 41, 2, 9, 9, 1], inner)),
        ("VXLAN in ERSPAN", gre(0, 0x88be, &[], &ethernet(0x0800, &over_udp(4789, VXLAN, inner)))),
        ("GRE in Geneve", over_udp(6081, &[0, 0, 8, 0, 0, 0, 0, 0], &gre(0, 0x0800, &[], IPV4_TCP))),
        ("6in4, IPv6 in it", ipv4(41, &ipv6_tcp)),
        ("Teredo", over_udp(3544, &[], &ipv6_tcp)),
        ("Teredo with both indications", over_udp(3544, &[&[0, 1, 0, 0][..], &[0; 9], &[0; 8]].concat(), &ipv6_tcp)),
    ]
}

#[test]
fn every_tunnel_is_opened_to_the_inner_segment() {
    for (name, data) in tunnels() {
        // An inner IPv4 header has 20 octets, an IPv6 header 40.
        let inner_len = if name.contains("IPv6 in it") || name.contains("Teredo") { 65 } else { 45 };
        let link = data.len() - inner_len;
        assert_eq!(outcome(101, &data, data.len()), format!("{link} hello"), "{name}");
    }
}

#[test]
fn tunnels_cut_anywhere_are_accounted() {
    tunnels().iter().for_each(|(_, data)| cut_everywhere(101, data));
}

#[test]
fn authentication_in_transport_mode_is_ip() {
    let authentication = [6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let data = ipv4(51, &[&authentication, &IPV4_TCP[20..]].concat());
    // 20 + 24 of IP, 20 of TCP.
    assert_eq!(layers(101, &data, data.len() as u32), Some((bytes(0, 44, 20, 5), b"hello".to_vec())));
}

#[test]
fn a_port_alone_makes_no_tunnel() {
    let inner = &ethernet(0x0800, IPV4_TCP)[..];
    let longer = { [&ETHERNET[..12], &[8, 0, 0x45, 0, 0, 46], &IPV4_TCP[4..]].concat() };
    let cases = [
        over_udp(4789, &[0, 0, 0, 0, 0, 0, 42, 0], inner),
        over_udp(4789, VXLAN, &longer),
        over_udp(4789, VXLAN, &ethernet(0x1234, &[0; 30])),
        over_udp(6081, &[0x40, 0, 0x65, 0x58, 0, 0, 42, 0], inner),
        over_udp(6081, &[0, 0, 0x12, 0x34, 0, 0, 42, 0], inner),
        over_udp(2152, &[0x30, 0xff, 0, 200, 0, 0, 0, 1], IPV4_TCP),
        over_udp(2152, &[0x30, 0x01, 0, 45, 0, 0, 0, 1], IPV4_TCP),
        over_udp(2152, &[0x34, 0xff, 0, 49, 0, 0, 0, 1, 0, 0, 0, 0x85, 0], IPV4_TCP),
        over_udp(3544, &[], IPV4_TCP),
        over_udp(5247, &[1, 0x10, 0, 0, 0, 0, 0, 0], inner),
        over_udp(4790, VXLAN, inner),
        over_udp(53, VXLAN, inner),
        over_udp(1701, &[0xc0, 2, 0, 12, 0, 7, 0, 8, 0, 0, 0, 0], IPV4_TCP),
        over_udp(1701, &[0x40, 2, 0, 99, 0, 7, 0, 8, 0, 0x21], IPV4_TCP),
        over_udp(1701, &[0, 3, 0, 7, 0, 8, 0, 0x21], IPV4_TCP),
        over_udp(1701, &[2, 2, 0, 7, 0, 8, 1, 0, 0, 0x21], IPV4_TCP),
        over_udp(4341, &[], IPV4_TCP),
        over_udp(37008, &[1, 4, 0, 1, 1], inner),
        over_udp(37008, &[1, 0, 0, 1, 2], &[0xff; 40]),
    ];
    cases.iter().for_each(|data| assert_eq!(outcome(101, data, data.len()), "UDP", "{data:02x?}"));
}

#[test]
fn what_a_tunnel_carries_beside_tcp_is_named() {
    let arp = over_udp(4789, VXLAN, &ethernet(0x0806, &[0; 28]));
    let icmp = over_udp(6081, GENEVE, &ethernet(0x0800, &ipv4(1, &[0; 8])));
    assert_eq!([&arp, &icmp].map(|data| outcome(101, data, data.len())), ["ARP", "ICMP"]);
}

#[test]
fn tunnels_in_tunnels_have_an_end() {
    let data = (0..40).fold(IPV4_TCP.to_vec(), |inner, _| ipv4(4, &inner));
    assert_eq!(outcome(101, &data, data.len()), "headers nested too deep");
    let data = (0..20).fold(IPV4_TCP.to_vec(), |inner, _| ipv4(4, &inner));
    // 20 outer headers of 20 octets.
    assert_eq!(outcome(101, &data, data.len()), "400 hello");
}

#[test]
fn networks_have_a_scope_and_other_tunnels_none() {
    let key = |data: &[u8]| match slice(&packet(101, data, data.len() as u32)) {
        Sliced::Segment(segment) => segment.key,
        other => panic!("{other:?}"),
    };
    let inner = &ethernet(0x0800, IPV4_TCP)[..];
    let in_network = |id: u8| key(&over_udp(4789, &[8, 0, 0, 0, 0, 0, id, 0], inner));
    let plain = key(IPV4_TCP);
    assert_eq!([key(&gre(0x2000, 0x0800, &[0, 0, 0, 9], IPV4_TCP)), key(&gtp(0x30, &[]))], [plain; 2]);
    assert_eq!((in_network(1) == in_network(1), in_network(1) == in_network(2), in_network(1) == plain), (true, false, false));
    assert_eq!(in_network(1).without_scope(), plain);
}
