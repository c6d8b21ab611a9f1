//! Inputs made to exhaust memory or time: each meets its limit, the books stay right, and what is wrong is said.
//!
//! The tests here use small sizes and state the facts; `write_hostile_captures` writes large ones, whose cost
//! docs/reliability.md tells.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use wiretare::AnomalyKind as Odd;
use wiretare::{Analyzer, AnomalyCounts, Capture, ContentMode, Frame, Limits, Options, Packet, Row, Timestamp};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Takes raw IP packets.
type Out<'a> = &'a mut dyn FnMut(&[u8]);

/// One TCP connection of an attacker with himself.
struct Talk<'a, 'b> {
    out: &'a mut Out<'b>,
    addresses: [[u8; 4]; 2],
    ports: [u16; 2],
    seq: [u32; 2],
}

impl<'a, 'b> Talk<'a, 'b> {
    fn open(out: &'a mut Out<'b>) -> Self {
        let mut talk = Self { out, addresses: [[10, 0, 0, 1], [10, 0, 0, 2]], ports: [40_000, 80], seq: [1000, 5000] };
        talk.send(0, SYN, b"");
        talk.send(1, SYN | ACK, b"");
        talk.send(0, ACK, b"");
        talk
    }

    /// A WebSocket with permessage-deflate.
    fn websocket(out: &'a mut Out<'b>) -> Self {
        let mut talk = Self::open(out);
        talk.send(
            0,
            ACK,
            b"GET /w HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        );
        talk.send(
            1,
            ACK,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        );
        talk
    }

    fn send(&mut self, side: usize, flags: u8, payload: &[u8]) {
        self.send_at(side, self.seq[side], flags, payload);
        let taken = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.seq[side] = self.seq[side].wrapping_add(taken);
    }

    fn send_at(&mut self, side: usize, seq: u32, flags: u8, payload: &[u8]) {
        let ack = if flags & ACK != 0 { self.seq[1 - side] } else { 0 };
        let tcp = [
            &self.ports[side].to_be_bytes()[..],
            &self.ports[1 - side].to_be_bytes(),
            &seq.to_be_bytes(),
            &ack.to_be_bytes(),
            &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
            payload,
        ];
        (self.out)(&ip(self.addresses[side], self.addresses[1 - side], [0; 4], 6, &tcp.concat()));
    }

    /// Sends octets in segments of at most 1460.
    fn stream(&mut self, side: usize, octets: &[u8]) {
        octets.chunks(1460).for_each(|payload| self.send(side, ACK, payload));
    }

    fn exchange(&mut self, response_head: &str, content: &[u8]) {
        self.send(0, ACK, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        self.send(1, ACK, format!("HTTP/1.1 200 OK\r\n{response_head}\r\n").as_bytes());
        self.stream(1, content);
    }
}

/// An IPv4 packet; `fragment` holds identification, flags and offset.
fn ip(from: [u8; 4], to: [u8; 4], fragment: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len() as u16).to_be_bytes();
    [&[0x45, 0, total[0], total[1]][..], &fragment, &[64, protocol, 0, 0], &from, &to, payload].concat()
}

fn server_frame(bits: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![bits, 127];
    frame.extend((payload.len() as u64).to_be_bytes());
    frame.extend(payload);
    frame
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).and_then(|()| encoder.finish()).expect("writing to a Vec")
}

fn header_section_without_end(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    talk.send(0, ACK, b"GET / HTTP/1.1\r\nX: ");
    talk.stream(0, &vec![b'a'; size]);
}

fn field_lines_without_end(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    talk.send(0, ACK, b"GET / HTTP/1.1\r\n");
    talk.stream(0, &b"a: b\r\n".repeat(size / 6));
}

fn header_section_in_single_octets(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    (0..size / 41).for_each(|_| talk.send(0, ACK, b"a"));
}

fn line_ends_in_single_octets(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    (0..size / 41).for_each(|_| talk.send(0, ACK, b"\n"));
}

fn single_octets_behind_a_hole(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    let first = talk.seq[0];
    (0..size as u32 / 41).for_each(|n| talk.send_at(0, first.wrapping_add(10 + n * 2 % 60_000), ACK, b"a"));
}

fn overlaps_behind_a_hole(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    let first = talk.seq[0];
    (0..size as u32 / 1500).for_each(|n| talk.send_at(0, first.wrapping_add(10 + n % 50_000), ACK, &[n as u8; 1460]));
}

fn holes_in_many_connections(size: usize, mut out: Out<'_>) {
    for connection in 0..size / 66_000 {
        let mut talk = Talk::open(&mut out);
        talk.ports[0] = connection as u16;
        talk.addresses[0][1] = (connection >> 16) as u8;
        talk.send(0, SYN, b"");
        let first = talk.seq[0];
        (0..45).for_each(|n| talk.send_at(0, first.wrapping_add(10 + n * 1460), ACK, &[b'a'; 1460]));
    }
}

fn header_sections_without_end_in_many_connections(size: usize, mut out: Out<'_>) {
    for connection in 0..size / 10_000 {
        let mut talk = Talk::open(&mut out);
        talk.ports[0] = connection as u16;
        talk.addresses[0][1] = (connection >> 16) as u8;
        talk.send(0, ACK, b"GET / HTTP/1.1\r\nX: ");
        talk.stream(0, &[b'a'; 9000]);
    }
}

/// Content of which each connection's decoder keeps a window of 8 MiB, made of 64 blocks that repeat an octet.
fn zstd_windows_in_many_connections(size: usize, mut out: Out<'_>) {
    // Magic number, no options, a window of 2^(10 + 13).
    let mut content = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    (0..64).for_each(|_| content.extend([&((128_u32 << 10) << 3 | 1 << 1).to_le_bytes()[..3], b"a"].concat()));
    for connection in 0..size / 1000 {
        let mut talk = Talk::open(&mut out);
        talk.ports[0] = connection as u16;
        talk.addresses[0][1] = (connection >> 16) as u8;
        talk.exchange("Content-Encoding: zstd\r\nContent-Length: 99999\r\n", &content);
    }
}

fn requests_without_responses_in_many_connections(size: usize, mut out: Out<'_>) {
    let request = [b"GET / HTTP/1.1\r\n", &b"a:b\r\n".repeat(250)[..], b"\r\n"].concat();
    for connection in 0..size / 100_000 {
        let mut talk = Talk::open(&mut out);
        talk.ports[0] = connection as u16;
        talk.addresses[0][1] = (connection >> 16) as u8;
        (0..75).for_each(|_| talk.send(0, ACK, &request));
    }
}

fn gzip_requests_without_responses(size: usize, mut out: Out<'_>) {
    let bomb = gzip(&vec![0; 1 << 20]);
    let mut talk = Talk::open(&mut out);
    for _ in 0..size / bomb.len() {
        let head = format!("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len());
        talk.send(0, ACK, &[head.as_bytes(), &bomb].concat());
    }
}

fn chunks_of_one_octet(size: usize, mut out: Out<'_>) {
    Talk::open(&mut out).exchange("Transfer-Encoding: chunked\r\n", &b"1\r\na\r\n".repeat(size / 6));
}

fn chunk_extension_without_end(size: usize, mut out: Out<'_>) {
    Talk::open(&mut out).exchange("Transfer-Encoding: chunked\r\n", &[b"1;", &vec![b'x'; size][..]].concat());
}

fn chunks_of_immense_size(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    for _ in 0..size / 300 {
        talk.exchange("Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\nabc");
    }
}

fn gzip_bombs(size: usize, mut out: Out<'_>) {
    let bomb = gzip(&vec![0; 10 << 20]);
    let mut talk = Talk::open(&mut out);
    for _ in 0..(size / bomb.len()).max(1) {
        talk.exchange(&format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", bomb.len()), &bomb);
    }
}

fn gzip_in_gzip_in_gzip(size: usize, mut out: Out<'_>) {
    let bomb = gzip(&gzip(&gzip(&vec![0; 64 << 20])));
    let mut talk = Talk::open(&mut out);
    for _ in 0..(size / (bomb.len() + 300)).max(1) {
        talk.exchange(&format!("Content-Encoding: gzip, gzip, gzip\r\nContent-Length: {}\r\n", bomb.len()), &bomb);
    }
}

fn zstd_bombs(size: usize, mut out: Out<'_>) {
    // RFC 8878 §3.1.1: magic, a window of 8 MiB, then run-length blocks of 128 KiB, each three octets and the one repeated.
    let block = |last: u32| ((128 << 10) << 3 | 1 << 1 | last).to_le_bytes();
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3];
    for n in 0..1000 {
        bomb.extend(&block(u32::from(n == 999))[..3]);
        bomb.push(0);
    }
    let mut talk = Talk::open(&mut out);
    for _ in 0..(size / (bomb.len() + 300)).max(1) {
        talk.exchange(&format!("Content-Encoding: zstd\r\nContent-Length: {}\r\n", bomb.len()), &bomb);
    }
}

fn informational_responses_without_end(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::open(&mut out);
    talk.send(0, ACK, b"GET / HTTP/1.1\r\n\r\n");
    talk.stream(1, &b"HTTP/1.1 102 P\r\n\r\n".repeat(size / 18));
}

fn requests_without_responses(size: usize, mut out: Out<'_>) {
    Talk::open(&mut out).stream(0, &b"GET / HTTP/1.1\r\n\r\n".repeat(size / 18));
}

fn websocket_lengths_of_2_to_63(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::websocket(&mut out);
    talk.send(1, ACK, &[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    talk.stream(1, &vec![0; size]);
}

fn empty_fragments_without_end(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::websocket(&mut out);
    talk.stream(1, &[&[0x01, 0x00][..], &[0x00, 0x00].repeat(size / 2)].concat());
}

/// The capture begins amid fragments, none of which says by itself that it is one.
fn fragments_without_a_handshake(size: usize, mut out: Out<'_>) {
    let mut talk = Talk { out: &mut out, addresses: [[10, 0, 0, 1], [10, 0, 0, 2]], ports: [40_000, 9000], seq: [1000, 5000] };
    talk.stream(1, &[&b"\x00\x03abc"[..], &b"\x00\x02ab".repeat(size / 4)].concat());
}

fn pings_without_end(size: usize, mut out: Out<'_>) {
    Talk::websocket(&mut out).stream(1, &[0x89, 0x00].repeat(size / 2));
}

fn asks_that_nobody_answers(size: usize, mut out: Out<'_>) {
    let mut talk = Talk::websocket(&mut out);
    for id in 0..size / 50 {
        talk.stream(1, &server_frame(0x81, format!(r#"{{"jsonrpc":"2.0","method":"a","id":{id}}}"#).as_bytes()));
    }
}

/// Each message a batch of as many answers as are looked at.
fn batches_without_end(size: usize, mut out: Out<'_>) {
    let answers = vec![r#"{"jsonrpc":"2.0","id":1,"result":0}"#; 1700].join(",");
    let batch = server_frame(0x81, format!("[{answers}]").as_bytes());
    Talk::websocket(&mut out).stream(1, &batch.repeat(size / batch.len()));
}

fn brackets_without_end(size: usize, mut out: Out<'_>) {
    let text = [br#"{"jsonrpc":"2.0","method":"a","params":"#, &b"[".repeat(60_000)[..]].concat();
    let message = server_frame(0x81, &text);
    let named = server_frame(0x81, br#"{"jsonrpc":"2.0","method":"a"}"#);
    Talk::websocket(&mut out).stream(1, &[named, message.repeat(size / message.len())].concat());
}

/// What only MQTT has, then as many packets as are looked at in each message.
fn mqtt_packets_of_two_octets(size: usize, mut out: Out<'_>) {
    let connack = server_frame(0x82, &[0x20, 2, 0, 0].repeat(3));
    let pongs = server_frame(0x82, &[0xd0, 0].repeat(32_000));
    Talk::websocket(&mut out).stream(1, &[connack.repeat(3), pongs.repeat(size / pongs.len())].concat());
}

fn websocket_bombs(size: usize, mut out: Out<'_>) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 10 << 20]).and_then(|()| encoder.flush()).expect("writing to a Vec");
    let mut bomb = encoder.get_ref().clone();
    bomb.truncate(bomb.len() - 4);
    let mut talk = Talk::websocket(&mut out);
    for _ in 0..(size / bomb.len()).max(1) {
        talk.stream(1, &server_frame(0xc2, &bomb));
    }
}

fn connections_without_end(size: usize, out: Out<'_>) {
    for n in 0..size as u32 / 40 {
        let [a, b, c, d] = n.to_be_bytes();
        let tcp = [a, b, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 0xff, 0xff, 0, 0, 0, 0];
        out(&ip([10, b, c, d], [10, 255, 0, 1], [0; 4], 6, &tcp));
    }
}

fn fragments_that_never_end(size: usize, out: Out<'_>) {
    for n in 0..(size / 1500) as u32 {
        let [_, _, high, low] = n.to_be_bytes();
        let [a, b] = ((n >> 16) as u16).to_be_bytes();
        out(&ip([10, 0, a, b], [10, 0, 0, 2], [high, low, 0x20, 0], 6, &[0; 1480]));
    }
}

fn fragments_that_overlap(size: usize, out: Out<'_>) {
    for n in 0..size / 28 {
        let offset = (n * 7 % 8000) as u16 | 0x2000;
        let [high, low] = offset.to_be_bytes();
        out(&ip([10, 0, 0, 1], [10, 0, 0, 2], [0, 1, high, low], 6, &[n as u8; 8]));
    }
}

fn packets_in_packets(size: usize, out: Out<'_>) {
    let mut packet = ip([10, 0, 0, 1], [10, 0, 0, 2], [0; 4], 6, &[0; 20]);
    for _ in 0..70 {
        packet = ip([10, 0, 0, 1], [10, 0, 0, 2], [0; 4], 4, &packet);
    }
    (0..size / packet.len()).for_each(|_| out(&packet));
}

type Flood = (&'static str, fn(usize, Out<'_>), Option<Odd>);

/// Every flood, and the anomaly that says which limit it met.
const FLOODS: [Flood; 30] = [
    ("header section without end", header_section_without_end, Some(Odd::HttpHeadLimit)),
    ("field lines without end", field_lines_without_end, Some(Odd::HttpHeadLimit)),
    ("header section in single octets", header_section_in_single_octets, None),
    ("line ends in single octets", line_ends_in_single_octets, None),
    ("single octets behind a hole", single_octets_behind_a_hole, Some(Odd::OutOfOrderLimit)),
    ("overlapping segments behind a hole", overlaps_behind_a_hole, Some(Odd::ConflictingOverlap)),
    ("holes in many connections", holes_in_many_connections, Some(Odd::LostBytes)),
    ("header sections without end in many connections", header_sections_without_end_in_many_connections, None),
    ("requests without responses in many connections", requests_without_responses_in_many_connections, None),
    ("chunks of one octet", chunks_of_one_octet, None),
    ("chunk extension without end", chunk_extension_without_end, Some(Odd::MalformedChunk)),
    ("chunks of 2^64 - 1 octets", chunks_of_immense_size, None),
    ("gzip bombs", gzip_bombs, None),
    ("gzip in gzip in gzip", gzip_in_gzip_in_gzip, Some(Odd::DecodedContentLimit)),
    ("zstd bombs", zstd_bombs, Some(Odd::DecodedContentLimit)),
    ("informational responses without end", informational_responses_without_end, None),
    ("pipelined requests without responses", requests_without_responses, Some(Odd::RequestWithoutResponse)),
    ("WebSocket frame of 2^63 - 1 octets", websocket_lengths_of_2_to_63, Some(Odd::IncompleteMessage)),
    ("empty fragments without end", empty_fragments_without_end, Some(Odd::IncompleteMessage)),
    ("fragments without a handshake", fragments_without_a_handshake, None),
    ("pings without end", pings_without_end, None),
    ("asks that nobody answers", asks_that_nobody_answers, Some(Odd::PendingAnswerLimit)),
    ("batches without end", batches_without_end, None),
    ("brackets without end", brackets_without_end, None),
    ("MQTT packets of two octets", mqtt_packets_of_two_octets, None),
    ("permessage-deflate bombs", websocket_bombs, None),
    ("connections without end", connections_without_end, None),
    ("fragments that never end", fragments_that_never_end, Some(Odd::FragmentLimit)),
    ("fragments that overlap", fragments_that_overlap, None),
    ("packets in packets", packets_in_packets, Some(Odd::NestedHeaders)),
];

/// What an analysis of packets says was odd; the books are checked.
fn analyze(flood: fn(usize, Out<'_>), size: usize, options: Options) -> AnomalyCounts {
    let mut analyzer = Analyzer::new(options);
    let (mut number, mut booked, mut odd) = (0, 0, AnomalyCounts::default());
    let mut take = |analyzer: &mut Analyzer| {
        while let Some(row) = analyzer.poll() {
            booked += match row {
                Row::Exchange(exchange) => exchange.wire_bytes(),
                Row::Message(message) => message.cost.wire_bytes(),
                Row::Connection(connection) => {
                    connection.anomalies.iter().for_each(|&(kind, count, frame)| odd.add_many(kind, count, frame));
                    connection.buckets.total()
                }
            };
        }
    };
    flood(size, &mut |data: &[u8]| {
        number += 1;
        let frame = Frame { number, time: Timestamp(number as i64 * 1000) };
        analyzer.packet(&Packet { frame, len: data.len() as u32, data, link_type: 101, interface: 0 });
        take(&mut analyzer);
    });
    analyzer.finish();
    take(&mut analyzer);
    let totals = analyzer.totals();
    assert_eq!(totals.wire_bytes, booked + totals.not_tcp_bytes + totals.duplicate_bytes);
    odd += &totals.anomalies;
    odd
}

#[test]
fn floods_meet_their_limits() {
    for (name, flood, limit) in FLOODS {
        let limits = Limits { fragment_bytes: 256 << 10, ..Limits::default() };
        let odd = analyze(flood, 1 << 20, Options { limits, ..Options::default() });
        if let Some(kind) = limit {
            assert!(odd.count(kind) > 0, "{name}: {:?}", odd.iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn connections_beyond_their_limit_end_the_idle_ones() {
    let limits = Limits { connections: 100, ..Limits::default() };
    let odd = analyze(connections_without_end, 40 * 1000, Options { limits, ..Options::default() });
    assert!(odd.count(Odd::ConnectionLimit) >= 900 / 2, "{:?}", odd.iter().collect::<Vec<_>>());
}

#[test]
fn what_all_connections_hold_is_bounded() {
    let limits = Limits { held_bytes: 100_000, ..Limits::default() };
    let odd = |flood| analyze(flood, 1 << 20, Options { limits, ..Options::default() });
    // Of 15 connections each holds 45 segments; one fits, and of each further one at least the segment that is too much.
    assert!(odd(holes_in_many_connections).count(Odd::OutOfOrderLimit) >= 14);
    // A header section has no holes to close: of 104 connections with 9 kB each about ten fit.
    assert!(odd(header_sections_without_end_in_many_connections).count(Odd::ConnectionLimit) >= 90);
    // Nor have 10 connections with 75 requests of 1270 octets each, or a decoder with more than the limit.
    assert!(odd(requests_without_responses_in_many_connections).count(Odd::ConnectionLimit) >= 10);
    // What is kept of a content counts while its exchange waits: of 9 requests of 1 kB each has 1 MiB.
    let full = Options { limits, content: ContentMode::Full, ..Options::default() };
    assert_eq!(analyze(gzip_requests_without_responses, 10_000, full).count(Odd::ConnectionLimit), 9);
    let odd = analyze(zstd_windows_in_many_connections, 10_000, Options { limits, ..Options::default() });
    assert_eq!(odd.count(Odd::ConnectionLimit), 10);
}

/// A request in each of so many connections.
fn one_request_each(connections: usize, mut out: Out<'_>) {
    for connection in 0..connections {
        let mut talk = Talk { out: &mut out, addresses: [[10, 0, 0, 1], [10, 0, 0, 2]], ports: [0, 80], seq: [1000, 5000] };
        talk.ports[0] = connection as u16;
        talk.addresses[0][1] = (connection >> 16) as u8;
        talk.send(0, ACK, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
}

#[test]
fn few_octets_of_each_count_where_connections_are_many() {
    let limits = Limits { held_bytes: 1 << 20, ..Limits::default() };
    let odd = |connections| analyze(one_request_each, connections, Options { limits, ..Options::default() });
    // With what an exchange takes, 2,000 requests are more than 1 MiB.
    assert_eq!([16_000, 18_400].map(|connections| odd(connections).count(Odd::ConnectionLimit) > 0), [false, true]);
}

/// How many rows each packet brings: a request in each of 500 connections, and ten more, and 50 five hours later.
fn rows_of_packets(options: Options) -> Vec<usize> {
    let mut analyzer = Analyzer::new(options);
    let (mut number, mut counts) = (0, Vec::new());
    one_request_each(560, &mut |data: &[u8]| {
        number += 1;
        let later = if number > 510 { 5 * 3600 * 1_000_000_000 } else { 0 };
        let frame = Frame { number, time: Timestamp(number as i64 * 1_000_000 + later) };
        analyzer.packet(&Packet { frame, len: data.len() as u32, data, link_type: 101, interface: 0 });
        counts.push(std::iter::from_fn(|| analyzer.poll()).count());
    });
    counts
}

#[test]
fn connections_that_end_together_bring_their_rows_one_after_the_other() {
    // Idle ones: each has an exchange and its own row.
    let rows = rows_of_packets(Options::default());
    assert_eq!((rows.iter().sum::<usize>(), rows.iter().max()), (2 * 510, Some(&32)));
    // Those that are too many, 38 at a time.
    let limits = Limits { connections: 300, ..Limits::default() };
    let rows = rows_of_packets(Options { limits, ..Options::default() });
    assert!(rows.iter().max() <= Some(&64), "{rows:?}");
}

/// pcapng: a section with ever more interfaces, or with blocks too short to be any.
fn pcapng(size: usize, block: &[u8]) -> Vec<u8> {
    let mut file = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28].map(u32::to_le_bytes).concat();
    file.extend(block.repeat(size / block.len()));
    file
}

fn interfaces(size: usize) -> Vec<u8> {
    pcapng(size, &[1_u32, 20, 101, 0, 20].map(u32::to_le_bytes).concat())
}

fn short_blocks(size: usize) -> Vec<u8> {
    pcapng(size, &[6_u32, 12, 12].map(u32::to_le_bytes).concat())
}

fn huge_comments(size: usize) -> Vec<u8> {
    let comment = vec![b'c'; 65_532];
    let option = [&1_u16.to_le_bytes()[..], &(comment.len() as u16).to_le_bytes(), &comment].concat();
    let options = option.repeat(100);
    let len = (12 + 8 + options.len()) as u32;
    let block = [&1_u32.to_le_bytes()[..], &len.to_le_bytes(), &101_u32.to_le_bytes(), &0_u32.to_le_bytes(), &options, &len.to_le_bytes()];
    pcapng(size, &block.concat())
}

type File = (&'static str, fn(usize) -> Vec<u8>);

const FILES: [File; 3] =
    [("interfaces without end", interfaces), ("blocks without content", short_blocks), ("comments without end", huge_comments)];

#[test]
fn files_of_nothing_but_blocks_are_read_to_their_end() {
    for (name, make) in FILES {
        let file = make(4 << 20);
        let mut capture = Capture::from_reader(name, std::io::Cursor::new(file), &Limits::default()).expect("a section header");
        assert!(capture.next().is_ok_and(|packet| packet.is_none()), "{name}");
    }
}

#[test]
#[ignore = "writes captures of 100 MB each; see docs/reliability.md"]
fn write_hostile_captures() {
    let folder = std::env::var_os("HOSTILE").map_or_else(std::env::temp_dir, Into::into);
    let size = 100 << 20;
    for (name, flood, _) in FLOODS {
        let path = std::path::Path::new(&folder).join(name.replace(' ', "-") + ".pcap");
        let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
        let header = [0xa1b2_c3d4_u32.to_le_bytes(), [2, 0, 4, 0], [0; 4], [0; 4], [0, 0, 4, 0], [101, 0, 0, 0]].concat();
        file.write_all(&header).expect("room");
        let mut number = 0_u32;
        flood(size, &mut |data: &[u8]| {
            let record = [1_600_000_000 + number / 1_000_000, number % 1_000_000, data.len() as u32, data.len() as u32];
            file.write_all(&record.map(u32::to_le_bytes).concat()).and_then(|()| file.write_all(data)).expect("room");
            number += 1;
        });
    }
    for (name, make) in FILES {
        std::fs::write(std::path::Path::new(&folder).join(name.replace(' ', "-") + ".pcapng"), make(size)).expect("room");
    }
}
