//! Source routes, home addresses and jumbograms: what stands in place of the fixed header.

use super::*;

const HERE: [u8; 16] = [0x20; 16];
const THERE: [u8; 16] = [0x21; 16];
/// A node on the way, or where a mobile node is at present.
const ELSEWHERE: [u8; 16] = [0x22; 16];

/// IPv6 with one extension header, and TCP behind it.
fn extended(source: [u8; 16], destination: [u8; 16], kind: u8, extension: &[u8]) -> Vec<u8> {
    let payload_len = (extension.len() as u16 + 25).to_be_bytes();
    [&[0x60, 0, 0, 0, payload_len[0], payload_len[1], kind, 64], &source[..], &destination, extension, &IPV4_TCP[20..]].concat()
}

fn routing(routing_type: u8, segments_left: u8, segments: &[[u8; 16]]) -> Vec<u8> {
    [&[6, 2 * segments.len() as u8, routing_type, segments_left, 0, 0, 0, 0], segments.concat().as_slice()].concat()
}

/// Addresses and ports of what it was sent from and to.
fn ends(data: &[u8]) -> [std::net::SocketAddr; 2] {
    match slice(&packet(101, data, data.len() as u32)) {
        Sliced::Segment(segment) => [segment.sender, segment.sender.other()].map(|sender| segment.key.endpoint(sender)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_route_ends_at_its_last_address() {
    let direct = ends(&ipv6(6, &IPV4_TCP[20..]));
    let routes = [
        routing(0, 1, &[THERE]),
        routing(0, 2, &[ELSEWHERE, THERE]),
        routing(2, 1, &[THERE]),
        // A segment routing header lists the last segment first.
        routing(4, 1, &[THERE, ELSEWHERE]),
    ];
    for route in routes {
        let data = extended(HERE, ELSEWHERE, 43, &route);
        assert_eq!(ends(&data), direct, "{route:?}");
        cut_everywhere(101, &data);
    }
}

#[test]
fn a_route_that_is_travelled_says_nothing() {
    let direct = ends(&ipv6(6, &IPV4_TCP[20..]));
    for route in [routing(0, 0, &[ELSEWHERE]), routing(4, 0, &[ELSEWHERE]), routing(4, 1, &[]), routing(253, 1, &[ELSEWHERE])] {
        assert_eq!(ends(&extended(HERE, THERE, 43, &route)), direct, "{route:?}");
    }
}

#[test]
fn a_home_address_is_the_source() {
    // Padding of four octets, and the option of 16.
    let options = [&[6, 2, 1, 2, 0, 0, 0xc9, 16], &HERE[..]].concat();
    let data = extended(ELSEWHERE, THERE, 60, &options);
    assert_eq!(ends(&data), ends(&ipv6(6, &IPV4_TCP[20..])));
    cut_everywhere(101, &data);
}

#[test]
fn fragments_on_a_route_are_one_segment_of_its_ends() {
    let fragment = |range: std::ops::Range<usize>, more: u8| {
        let header = [&[6, 0, 0, range.start as u8 | more, 0, 0, 0, 9], &IPV4_TCP[20..][range]].concat();
        let mut route = routing(4, 1, &[THERE, ELSEWHERE]);
        route[0] = 44;
        let payload_len = (route.len() + header.len()) as u8;
        [&[0x60, 0, 0, 0, 0, payload_len, 43, 64], &HERE[..], &ELSEWHERE, &route, &header].concat()
    };
    let mut reassembly = Reassembly::new(&Default::default());
    let mut datagrams =
        [fragment(0..16, 1), fragment(16..25, 0)].into_iter().filter_map(|data| match slice(&packet(101, &data, data.len() as u32)) {
            Sliced::Fragment(fragment) => reassembly.join(&fragment, &mut Default::default()),
            other => panic!("{other:?}"),
        });
    let datagram = datagrams.next().expect("it is complete");
    let Sliced::Segment(segment) = datagram.slice() else { panic!("a segment") };
    // Twice 40 of IPv6, 40 of routing and 8 of fragment header.
    assert_eq!(segment.bytes, bytes(0, 2 * (40 + 40 + 8), 20, 5));
    assert_eq!(segment.key, ConnectionKey::v6((u128::from_be_bytes(HERE), 0xc000), (u128::from_be_bytes(THERE), 80)).0);
}

#[test]
fn a_route_in_ipv4_options_ends_at_its_last_address() {
    let with_options = |destination: u8, options: &[u8]| {
        let mut header = IPV4_TCP[..20].to_vec();
        header[0] += options.len() as u8 / 4;
        header[3] += options.len() as u8;
        header[19] = destination;
        [&header, options, &IPV4_TCP[20..]].concat()
    };
    let direct = ends(IPV4_TCP);
    for kind in [131, 137] {
        let ahead = with_options(9, &[1, kind, 11, 8, 10, 0, 0, 8, 10, 0, 0, 2]);
        assert_eq!(ends(&ahead), direct);
        cut_everywhere(101, &ahead);
    }
    let travelled = with_options(2, &[131, 7, 8, 10, 0, 0, 9, 0]);
    let malformed = with_options(2, &[131, 40, 4, 10, 0, 0, 9, 0]);
    let other = with_options(2, &[7, 7, 4, 10, 0, 0, 9, 0]);
    assert_eq!([travelled, malformed, other].map(|data| ends(&data)), [direct; 3]);
}

#[test]
fn trailer_behind_a_jumbogram_is_link() {
    // A hop-by-hop header with the length: 8 of it, 20 of TCP, 5 of payload.
    let mut data = extended(HERE, THERE, 0, &[6, 0, 0xc2, 4, 0, 0, 0, 33]);
    data[4..6].fill(0);
    data.extend([0; 3]);
    assert_eq!(layers(101, &data, data.len() as u32), Some((bytes(3, 48, 20, 5), b"hello".to_vec())));
    // Where it goes beyond the frame, the frame's end counts.
    data[47] = 200;
    assert_eq!(layers(101, &data, data.len() as u32), Some((bytes(0, 48, 20, 8), b"hello\0\0\0".to_vec())));
}
