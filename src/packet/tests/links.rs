//! Link layers: each opened to the segment, cut at every octet, and named where it stays closed.

use super::*;

/// A header of 108 octets in front of a packet of that link type.
fn pktap(link_type: u8) -> Vec<u8> {
    [&[108, 0, 0, 0, 1, 0, 0, 0, link_type, 0, 0, 0][..], b"en0", &[0; 93]].concat()
}

/// (LINKTYPE_ number, its header before an IPv4 packet).
fn headers() -> Vec<(u16, Vec<u8>)> {
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let wlan = [&[0x08, 0x01, 0, 0][..], &[2; 18], &[0, 0]].concat();
    let qos = [&[0x88, 0x02, 0, 0][..], &[2; 18], &[0, 0], &[0, 0]].concat();
    let four_addresses = [&[0x08, 0x03, 0, 0][..], &[2; 18], &[0, 0], &[2; 6]].concat();
    let high_throughput = [&[0x88, 0x81, 0, 0][..], &[2; 18], &[0, 0], &[0, 0], &[0; 4]].concat();
    let radiotap = |fields: &[u8]| [&[0, 0, fields.len() as u8 + 4, 0], fields].concat();
    // Flags with the padding bit: 26 octets of QoS header and two of padding. With a time before them, which is aligned.
    let padded = [&qos[..], &[0, 0]].concat();
    let flags = radiotap(&[2, 0, 0, 0, 0x20, 0, 0, 0]);
    let time_and_flags = radiotap(&[&[3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0], &[9; 8][..], &[0x20]].concat());
    let nflog_header = [2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 3, 0, 5, 0, 10, 0, b'x', 0, 0, 0];
    let nflog_big_endian = [10, 0, 0, 1, 0, 49, 0, 9];
    let bridged = [7, 0, 0, 1, 8, 0, 1, 0, 8, 0, 3, 0, 49, 0, 9, 0];
    vec![
        (9, vec![0xff, 3, 0, 0x21]),
        (9, vec![0, 0x21]),
        (9, vec![0x21]),
        (9, vec![0xff, 3, 2, 0x81, 0, 1, 0x11, 64]),
        (9, [&[0, 0x31, 0, 1], ETHERNET].concat()),
        (50, vec![0xff, 3, 0, 0x21]),
        (50, vec![0x0f, 0, 8, 0]),
        (51, vec![0x11, 0, 0, 1, 0, 47, 0, 0x21]),
        (104, vec![0x0f, 0, 8, 0]),
        (107, vec![0x18, 0x41, 3, 0xcc]),
        (107, vec![0x18, 0x40, 0x40, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0]),
        (107, vec![0x18, 0x41, 8, 0]),
        (166, vec![1, 3, 0, 0x21]),
        (204, vec![1, 0xff, 3, 0, 0x21]),
        (205, vec![1, 0x8f, 0, 8, 0]),
        (206, vec![1, 0x18, 0x41, 3, 0xcc]),
        (6, [&[0x10, 0x40][..], &[2; 12], &snap].concat()),
        (6, [&[0x10, 0x40][..], &[2; 6], &[0x82; 6], &[4, 0, 1, 1], &snap].concat()),
        (10, [&[0x50][..], &[2; 12], &snap].concat()),
        (100, snap.to_vec()),
        (106, vec![6, 6, 3]),
        (100, vec![0xfe, 0xfe, 3, 0xcc]),
        (122, [&[0; 16][..], &snap].concat()),
        (129, vec![1, 2, 0, 0, 0xd4, 0, 0, 1]),
        (138, [&[0; 16][..], &[8, 0]].concat()),
        (178, [b"MGC", &[0x80, 0, 2, 9, 9][..], ETHERNET].concat()),
        (178, [b"MGC", &[0][..], ETHERNET].concat()),
        (258, [&pktap(1)[..], ETHERNET].concat()),
        (149, [&pktap(0)[..], &[2, 0, 0, 0]].concat()),
        (240, [&[0; 4], ETHERNET].concat()),
        (242, [&[0; 40][..], &[8, 0, 0, 0]].concat()),
        (105, [&wlan[..], &snap].concat()),
        (105, [&qos[..], &snap].concat()),
        (105, [&four_addresses[..], &snap].concat()),
        (105, [&high_throughput[..], &snap].concat()),
        (119, [&[0, 0, 0, 0x44, 144, 0, 0, 0][..], &[0; 136], &wlan, &snap].concat()),
        (119, [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64][..], &[0; 56], &wlan, &snap].concat()),
        (163, [&[0x80, 0x21, 0x10, 2, 0, 0, 0, 64][..], &[0; 56], &wlan, &snap].concat()),
        (127, [&radiotap(&[0; 4]), &qos[..], &snap].concat()),
        (127, [&flags, &padded[..], &snap].concat()),
        (127, [&time_and_flags, &padded[..], &snap].concat()),
        (192, [&[0, 0, 8, 0, 105, 0, 0, 0], &wlan[..], &snap].concat()),
        (239, [&nflog_header[..], &[49, 0, 9, 0]].concat()),
        (239, nflog_big_endian.to_vec()),
        (239, bridged.to_vec()),
        (113, [&[0; 14][..], &[0, 4], &snap].concat()),
        // Of a device that captures radiotap, of one of frame relay.
        (113, [&[0, 0, 3, 35][..], &[0; 12], &radiotap(&[0; 4]), &qos, &snap].concat()),
        (276, [&[0, 4, 0, 0, 0, 0, 0, 1, 3, 2][..], &[0; 10], &[0x18, 0x41, 3, 0xcc]].concat()),
        (1, [&ETHERNET[..12], &[0x89, 0x26, 0, 0, 0, 0, 8, 0]].concat()),
        (1, [&ETHERNET[..12], &[0x89, 0x3f, 0, 0, 0, 0, 0, 0, 8, 0]].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0xe7, 0, 1, 2, 3], ETHERNET].concat()),
        (1, [&ETHERNET[..12], &[0x89, 3, 0x40, 0x20], ETHERNET].concat()),
        (1, [&ETHERNET[..12], &[0x89, 9, 1, 1, 0, 1, 0, 2, 8, 0]].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 47, 0, 0x21]].concat()),
        (1, [&ETHERNET[..12], &[0x89, 0x4f, 0x0f, 0xc6, 1, 1, 0, 0, 1, 255], &[0; 16]].concat()),
        (1, [&ETHERNET[..12], &[0x89, 0x2f, 0, 51, 0, 1, 8, 0]].concat()),
        (1, [&ETHERNET[..12], &[0xf1, 0xc1, 0, 0, 0, 1, 8, 0]].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0x70], &snap].concat()),
        // Two labels; a pseudowire with a control word and without; with a tag of old and with SNAP in it.
        (1, [&ETHERNET[..12], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64]].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0x47, 0, 2, 1, 64, 0, 0, 0, 0], ETHERNET].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0x48, 0, 2, 1, 64], ETHERNET].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0x47, 0, 2, 1, 64, 0, 0, 0, 0], &ETHERNET[..12], &[0x91, 0, 0, 5, 8, 0]].concat()),
        (1, [&ETHERNET[..12], &[0x88, 0x47, 0, 2, 1, 64, 0, 0, 0, 0], &ETHERNET[..12], &[0, 53], &snap].concat()),
    ]
}

#[test]
fn every_link_layer_is_opened_to_the_segment() {
    for (link_type, header) in headers() {
        let data = with_link(&header, b"");
        assert_eq!(outcome(link_type, &data, data.len()), format!("{} hello", header.len()), "link type {link_type}, {header:02x?}");
    }
}

#[test]
fn headers_cut_anywhere_are_accounted() {
    headers().iter().for_each(|(link_type, header)| cut_everywhere(*link_type, &with_link(header, b"tail")));
}

#[test]
fn what_stays_closed_is_named() {
    let wlan = |control: [u8; 2], rest: &[u8]| [&control[..], &[0; 20], rest, &[0; 40]].concat();
    let cases: [(u16, Vec<u8>, &str); 21] = [
        (149, vec![0; 120], "link type 149 (USER)"),
        (253, vec![0; 40], "link type 253 (NETLINK)"),
        (9999, vec![0; 40], "link type 9999"),
        (105, wlan([0x88, 0x41], &[0, 0]), "802.11 protected"),
        (105, wlan([0x80, 0], &[0, 0]), "802.11 without data"),
        (105, wlan([0x48, 1], &[0, 0]), "802.11 without data"),
        (105, wlan([0x08, 0x05], &[0, 0]), "802.11 fragment"),
        (105, wlan([0x08, 0x01], &[1, 0]), "802.11 fragment"),
        (105, wlan([0x88, 0x01], &[0, 0, 0x80, 0]), "802.11 A-MSDU"),
        (9, vec![0xff, 3, 0xc0, 0x21, 0], "PPP control"),
        (1, ethernet(0x88cc, &[0; 30]), "LLDP"),
        (1, ethernet(0x88e5, &[0; 30]), "MACsec"),
        (1, ethernet(0x1234, &[0; 30]), "EtherType 0x1234"),
        (1, ethernet(38, &[0x42, 0x42, 3, 0, 0, 0]), "IEEE 802.2 LLC"),
        (1, ethernet(0x8847, &[0, 1, 1, 64, 0x45, 0, 0xff, 0xff, 0, 0]), "MPLS"),
        (101, ipv4(108, &[0; 8]), "IPComp"),
        (101, ipv4(200, &[0; 8]), "IP protocol 200"),
        (113, [&[0, 0, 1, 24][..], &[0; 10], &[0, 12], &[0; 16]].concat(), "CAN"),
        (113, [&[0, 0, 0, 1][..], &[0; 10], &[0, 1], &[0xff; 40]].concat(), "EtherType 0x0001"),
        (276, [&[0, 0, 0, 0, 0, 0, 0, 1, 3, 56][..], &[0; 10], &[0; 16]].concat(), "link type 253 (NETLINK)"),
        (178, b"MGC\x02\0\0\0\x02".to_vec(), "link type 178 (JUNIPER_ETHER)"),
    ];
    for (link_type, data, name) in cases {
        assert_eq!(outcome(link_type, &data, data.len()), name, "{data:02x?}");
    }
}

#[test]
fn tags_without_end_are_not_followed() {
    let data = ethernet(0x8100, &[0, 1, 0x81, 0].repeat(100));
    assert_eq!(outcome(1, &data, data.len()), "headers nested too deep");
}
