//! Link layers, IP, and what each layer costs, by hand-built packets.

mod fragments;
mod links;
mod routes;
mod tunnels;

use super::*;
use crate::stream::{Frame, LayerBytes};

const IPV4_TCP: &[u8] = &[
    0x45, 0, 0, 45, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4, total length 45
    0xc0, 0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 1, 0, 0, 0, 0, 0, // TCP, 20 octets
    b'h', b'e', b'l', b'l', b'o',
];

fn packet(link_type: u16, data: &[u8], len: u32) -> Packet<'_> {
    Packet { frame: Frame { number: 1, time: Default::default() }, len, data, link_type, interface: 0 }
}

fn layers(link_type: u16, data: &[u8], len: u32) -> Option<(LayerBytes, Vec<u8>)> {
    match slice(&packet(link_type, data, len)) {
        Sliced::Segment(segment) => Some((segment.bytes, segment.payload.to_vec())),
        Sliced::Fragment(_) | Sliced::NotTcp(_) => None,
    }
}

fn bytes(link: u64, ip: u64, tcp: u64, payload: u64) -> LayerBytes {
    LayerBytes { link, ip, tcp, tls: 0, payload }
}

/// What a hand-built packet becomes, in words; checks that its octets are all in a layer.
fn outcome(link_type: u16, data: &[u8], len: usize) -> String {
    match slice(&packet(link_type, data, len as u32)) {
        Sliced::Segment(segment) => {
            assert_eq!(segment.bytes.total(), len as u64, "{data:02x?}");
            assert!(segment.payload.len() <= segment.payload_len as usize, "{data:02x?}");
            format!("{} {}", segment.bytes.link, String::from_utf8_lossy(segment.payload))
        }
        Sliced::Fragment(fragment) => {
            assert_eq!((fragment.frames, fragment.bytes), (1, len as u64), "{data:02x?}");
            "fragment".to_owned()
        }
        Sliced::NotTcp(reason) => reason.to_string(),
    }
}

/// Cuts a packet at every octet, by the snap length and on the wire; whatever comes out, its octets are accounted.
fn cut_everywhere(link_type: u16, data: &[u8]) {
    for cut in 0..data.len() {
        outcome(link_type, &data[..cut], data.len());
        outcome(link_type, &data[..cut], cut);
    }
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&ETHERNET[..12], &ether_type.to_be_bytes(), payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total_len = (20 + payload.len() as u16).to_be_bytes();
    let header = [0x45, 0, total_len[0], total_len[1], 0, 7, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    [&header, payload].concat()
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let payload_len = (payload.len() as u16).to_be_bytes();
    let header = [&[0x60, 0, 0, 0], &payload_len[..], &[next_header, 64], &[0x20; 16], &[0x21; 16]].concat();
    [&header, payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    [&[0xe0, 0], &port.to_be_bytes()[..], &len, &[0, 0], payload].concat()
}

fn with_link(header: &[u8], trailer: &[u8]) -> Vec<u8> {
    [header, IPV4_TCP, trailer].concat()
}

const ETHERNET: &[u8] = &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];

#[test]
fn every_link_layer_in_scope_gives_the_segment() {
    let vlan = [&ETHERNET[..12], &[0x81, 0, 0, 5, 8, 0]].concat();
    let qinq = [&ETHERNET[..12], &[0x88, 0xa8, 0, 9, 0x81, 0, 0, 5, 8, 0]].concat();
    let sll = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &[8, 0][..]].concat();
    let sll2 = [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..]].concat();
    let snap = [&ETHERNET[..12], &[0, 53, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat();
    let cases: [(u16, Vec<u8>); 14] = [
        (1, snap),
        (1, ETHERNET.to_vec()),
        (1, vlan),
        (1, qinq),
        (113, sll),
        (276, sll2),
        (101, vec![]),
        (12, vec![]),
        (14, vec![]),
        (228, vec![]),
        (0, vec![2, 0, 0, 0]),
        (0, vec![0, 0, 0, 2]),
        (108, vec![0, 0, 0, 2]),
        (1, [&ETHERNET[..12], &[0x91, 0, 0, 9, 8, 0]].concat()),
    ];
    for (link_type, header) in cases {
        let data = with_link(&header, b"");
        let expected = (bytes(header.len() as u64, 20, 20, 5), b"hello".to_vec());
        assert_eq!(layers(link_type, &data, data.len() as u32), Some(expected), "link type {link_type}, {header:?}");
    }
}

#[test]
fn padding_behind_the_ip_packet_is_link() {
    let data = with_link(ETHERNET, &[0; 7]);
    // 14 + 7 padding; 66 = 21 + 20 + 20 + 5
    assert_eq!(layers(1, &data, 66), Some((bytes(21, 20, 20, 5), b"hello".to_vec())));
}

#[test]
fn snap_length_cuts_payload_not_cost() {
    let data = with_link(ETHERNET, b"");
    assert_eq!(layers(1, &data[..56], 59), Some((bytes(14, 20, 20, 5), b"he".to_vec())));
    assert_eq!(layers(1, &data[..54], 59), Some((bytes(14, 20, 20, 5), vec![])));
    assert_eq!(layers(1, &data[..40], 59), None);
}

#[test]
fn total_length_zero_means_the_rest_of_the_frame() {
    let mut data = with_link(ETHERNET, b"");
    data[16..18].copy_from_slice(&[0, 0]);
    assert_eq!(layers(1, &data, 59), Some((bytes(14, 20, 20, 5), b"hello".to_vec())));
}

#[test]
fn total_length_beyond_the_frame_is_cut_to_it() {
    let mut data = with_link(ETHERNET, b"");
    data[16..18].copy_from_slice(&[1, 0]);
    assert_eq!(layers(1, &data, 59), Some((bytes(14, 20, 20, 5), b"hello".to_vec())));
}

#[test]
fn ipv6_extension_headers_are_ip() {
    let mut data = vec![0x60, 0, 0, 0, 0, 33, 0, 64];
    data.extend([0x20; 16]);
    data.extend([0x21; 16]);
    data.extend([6, 0, 1, 4, 0, 0, 0, 0]);
    data.extend(&IPV4_TCP[20..]);
    assert_eq!(layers(229, &data, 73), Some((bytes(0, 48, 20, 5), b"hello".to_vec())));
}

#[test]
fn what_is_not_tcp_is_named() {
    let name = |link_type, data: &[u8]| match slice(&packet(link_type, data, data.len() as u32)) {
        Sliced::NotTcp(reason) => reason.to_string(),
        Sliced::Segment(_) => "segment".to_owned(),
        Sliced::Fragment(_) => "fragment".to_owned(),
    };
    let mut udp = with_link(ETHERNET, b"");
    udp[23] = 17;
    let mut fragment = with_link(ETHERNET, b"");
    fragment[20] = 0x20;
    let arp = [&ETHERNET[..12], &[8, 6, 0, 1]].concat();
    assert_eq!(
        [name(1, &udp), name(1, &fragment), name(1, &arp), name(189, &[0; 40]), name(1, &ETHERNET[..9])],
        ["UDP", "fragment", "ARP", "link type 189 (USB_LINUX)", "malformed"]
    );
}

#[test]
fn both_directions_have_one_key() {
    let there = with_link(ETHERNET, b"");
    let mut back = there.clone();
    back[26..34].copy_from_slice(&[10, 0, 0, 2, 10, 0, 0, 1]);
    back[34..38].copy_from_slice(&[0, 80, 0xc0, 0]);
    let [Sliced::Segment(a), Sliced::Segment(b)] = [&there, &back].map(|data| slice(&packet(1, data, 59))) else { panic!("segments") };
    assert_eq!((a.key, a.sender), (b.key, b.sender.other()));
}

/// What the short way and the long way make of a packet; nothing where the short way leaves it to the long one.
fn both_ways(packet: &Packet<'_>) -> Option<[(String, Words); 2]> {
    let mut segment = Segment::NOTHING;
    let words = slice_plain_into(packet, &mut segment)?;
    let Sliced::Segment(other) = slice_other(packet) else { panic!("a segment the short way only: {packet:02x?}") };
    Some([(format!("{segment:?}"), words), (format!("{other:?}"), Words::of(&other))])
}

#[test]
fn the_short_way_finds_what_the_long_way_finds() {
    let mut plain = with_link(ETHERNET, &[0; 3]);
    // A header of 24 octets, of which four are options.
    plain[46] = 0x60;
    let mut taken = 0;
    // Each octet of the headers in turn has every value, wholly captured, cut behind the headers, within them, and on the wire.
    for at in 0..ETHERNET.len() + IPV4_TCP.len() {
        for value in 0..=255 {
            let mut data = plain.clone();
            data[at] = value;
            for (captured, len) in [(62, 62), (62, 70), (60, 62), (59, 62), (58, 62), (57, 62), (54, 62), (62, 56)] {
                if let Some([short, long]) = both_ways(&packet(1, &data[..captured], len)) {
                    assert_eq!(short, long, "octet {at} is {value}, {captured} of {len} captured");
                    taken += 1;
                }
            }
        }
    }
    // Most are, for most octets do not matter.
    assert!(taken > 50_000, "{taken}");
    assert_eq!(both_ways(&packet(101, &plain, 62)), None);
}

#[test]
fn words_are_the_same_by_whatever_way_a_packet_is_captured() {
    let vlan = [&ETHERNET[..12], &[0x81, 0, 0, 5, 8, 0]].concat();
    let words = [(1, ETHERNET), (1, &vlan), (101, &[])].map(|(link_type, header)| {
        let data = with_link(header, b"");
        match slice(&packet(link_type, &data, data.len() as u32)) {
            Sliced::Segment(segment) => Words::of(&segment),
            Sliced::Fragment(_) | Sliced::NotTcp(_) => panic!("no segment"),
        }
    });
    assert_eq!(words, [words[0]; 3]);
}
