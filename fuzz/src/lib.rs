//! What the fuzz targets do with their input, and what must hold whatever it is: no panic, and every octet on the wire
//! accounted once.
//!
//! [`tcp_segments`], [`http`] and [`websocket`] read their input as a script of segments (see [`Talk`]), so that mutations
//! reach the states behind well-formed headers.

use std::io::Cursor;

use wiretare::{Analyzer, Capture, Content, ContentMode, Frame, Limits, Options, Packet, Row, Sliced, Timestamp, slice};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// LINKTYPE_RAW: IPv4 and IPv6 without a link-layer header.
const RAW: u16 = 101;

/// Everything is asked for; limits so low that inputs of a fuzzer's size meet them, or as they are.
fn options(low_limits: bool) -> Options {
    let limits = Limits {
        out_of_order_bytes: 4096,
        out_of_order_segments: 16,
        http_head: 1024,
        decoded_content: 65_536,
        full_content: 1024,
        connections: 8,
        lingering_connections: 2,
        pending_requests: 4,
        envelope: 64,
        pending_answers: 4,
        block: 65_536,
        ..Limits::default()
    };
    let limits = if low_limits { limits } else { Limits::default() };
    Options { limits, content: ContentMode::Full, digest: true, ..Options::default() }
}

/// An analysis whose books are checked at the end.
struct Books {
    analyzer: Analyzer,
    booked: u64,
    frames: u64,
    ways: Option<Ways>,
}

/// Two analyses that ask for little: one takes the short way where it may, the other shows parts and never does.
struct Ways {
    analyzers: [Analyzer; 2],
    rows: [Vec<String>; 2],
}

impl Ways {
    fn new(options: &Options) -> Self {
        let analyzer = |parts| Analyzer::new(Options { parts, content: ContentMode::None, digest: false, ..options.clone() });
        Self { analyzers: [false, true].map(analyzer), rows: Default::default() }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        self.analyzers.iter_mut().for_each(|analyzer| analyzer.packet(packet));
        self.take_rows();
    }

    fn take_rows(&mut self) {
        for (analyzer, rows) in self.analyzers.iter_mut().zip(&mut self.rows) {
            rows.extend(std::iter::from_fn(|| analyzer.poll()).map(|row| format!("{row:?}")));
            while analyzer.poll_part().is_some() {}
        }
    }

    fn close(mut self) {
        self.analyzers.iter_mut().for_each(Analyzer::finish);
        self.take_rows();
        self.rows.iter_mut().for_each(|rows| rows.sort());
        let [short, general] = self.rows;
        assert_eq!(short, general, "the short way leaves what the general one leaves");
    }
}

impl Books {
    fn new(options: Options) -> Self {
        Self { analyzer: Analyzer::new(options), booked: 0, frames: 0, ways: None }
    }

    /// Both ways are compared, too.
    fn of_both_ways(options: Options) -> Self {
        Self { ways: Some(Ways::new(&options)), ..Self::new(options) }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        self.analyzer.packet(packet);
        self.take_rows();
        if let Some(ways) = &mut self.ways {
            ways.packet(packet);
        }
    }

    fn packets<'a>(&mut self, packets: impl IntoIterator<Item = Packet<'a>>) {
        self.analyzer.packets(packets);
        self.take_rows();
    }

    /// A raw IP packet that comes `time_ms` after the beginning, captured up to `cap_len`.
    fn raw(&mut self, data: &[u8], cap_len: usize, time_ms: i64) {
        self.frames += 1;
        let frame = Frame { number: self.frames, time: Timestamp(time_ms * 1_000_000) };
        self.packet(&Packet { frame, len: data.len() as u32, data: &data[..cap_len.min(data.len())], link_type: RAW, interface: 0 });
    }

    fn take_rows(&mut self) {
        while let Some(row) = self.analyzer.poll() {
            self.booked += match row {
                Row::Exchange(exchange) => exchange.wire_bytes(),
                Row::Message(message) => {
                    check_envelope(&message.content);
                    message.cost.wire_bytes()
                }
                Row::Connection(connection) => connection.buckets.total(),
            };
        }
    }

    fn close(mut self) {
        self.analyzer.finish();
        self.take_rows();
        let totals = self.analyzer.totals();
        let accounted = self.booked + totals.not_tcp_bytes + totals.duplicate_bytes;
        assert_eq!(totals.wire_bytes, accounted, "every octet on the wire is accounted once");
        if let Some(ways) = self.ways {
            ways.close();
        }
    }
}

/// An envelope is a part of its content.
fn check_envelope(content: &Content) {
    if let (Some(envelope), Some(len)) = (&content.envelope, content.bytes) {
        assert!(envelope.bytes.is_none_or(|bytes| bytes <= len), "{envelope:?} in {len} octets");
    }
}

/// A capture file, from its first octet to the report's sums.
pub fn whole_file(data: &[u8]) {
    let options = Options { batches: data.len() % 4 < 2, ..options(data.len() % 2 == 1) };
    let Ok(mut capture) = Capture::from_reader("input", Cursor::new(data.to_vec()), &options.limits) else { return };
    let mut books = Books::new(options);
    while let Ok(Some(packets)) = capture.next_packets() {
        books.packets(packets);
    }
    books.close();
}

/// A capture file's packets: each lies within its record.
pub fn capture(data: &[u8]) {
    let limits = options(data.len() % 2 == 1).limits;
    let Ok(mut capture) = Capture::from_reader("input", Cursor::new(data.to_vec()), &limits) else { return };
    let (mut packets, mut wire_bytes) = (0, 0);
    while let Ok(Some(together)) = capture.next_packets() {
        for packet in together {
            assert!(packet.data.len() <= limits.block);
            packets += 1;
            wire_bytes += u64::from(packet.len);
        }
    }
    let files = capture.files();
    let sums = files.iter().fold((0, 0), |sums, file| (sums.0 + file.packets, sums.1 + file.wire_bytes));
    assert_eq!(sums, (packets, wire_bytes));
}

/// One packet: two octets of link type, two that are added to its length, and its octets.
pub fn packet(data: &[u8]) {
    let Some((&[a, b, c, d], data)) = data.split_first_chunk() else { return };
    let len = data.len() as u32 + u32::from(u16::from_be_bytes([c, d]));
    let frame = Frame { number: 1, time: Timestamp::default() };
    let packet = Packet { frame, len, data, link_type: u16::from_be_bytes([a, b]), interface: 0 };
    if let Sliced::Segment(segment) = slice(&packet) {
        assert_eq!(segment.bytes.total(), u64::from(len));
        assert!(segment.payload.len() as u64 <= u64::from(segment.payload_len));
    }
    let mut books = Books::new(options(false));
    books.packet(&packet);
    books.packet(&packet);
    books.close();
}

/// Segments with any flags and numbers on a few connections, eight octets each; their payload is what follows.
pub fn tcp_segments(data: &[u8]) {
    let mut books = Books::of_both_ways(options(data.first().is_some_and(|first| first & 0x80 != 0)));
    let mut rest = data;
    let mut time_ms = 0;
    while let Some((&[ports, flags, seq_high, seq_low, ack_high, ack_low, len, cut], after)) = rest.split_first_chunk() {
        let payload = &after[..after.len().min(usize::from(len))];
        // Near the wrap, where comparison by value goes wrong.
        let seq = (u32::MAX - 300).wrapping_add(u32::from(u16::from_be_bytes([seq_high, seq_low]) & 0x3ff));
        let ack = (u32::MAX - 300).wrapping_add(u32::from(u16::from_be_bytes([ack_high, ack_low]) & 0x3ff));
        time_ms += i64::from(seq_high as i8) * 100 + i64::from(ack_high) * 50_000;
        let segment = segment([40_000 + u16::from(ports >> 1 & 3), 80], usize::from(ports & 1), [seq, ack], flags, payload);
        books.raw(&segment, segment.len().saturating_sub(usize::from(cut >> 4)), time_ms);
        rest = &after[payload.len()..];
    }
    books.close();
}

/// An HTTP connection: a script of what both sides send.
pub fn http(data: &[u8]) {
    let Some((&first, script)) = data.split_first() else { return };
    let mut talk = Talk::open(options(first & 0x80 != 0));
    talk.play(script);
    talk.close();
}

/// A WebSocket connection: the first octet chooses what the opening handshake agreed to and asked for, a script of frames follows.
pub fn websocket(data: &[u8]) {
    let Some((&first, script)) = data.split_first() else { return };
    let mut talk = Talk::open(options(first & 0x80 != 0));
    let agreed = [
        "",
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9; client_max_window_bits=8\r\n",
    ];
    let extensions = agreed[usize::from(first) % agreed.len()];
    let spoken = [
        ("/w", ""),
        ("/w?EIO=3", ""),
        ("/w?EIO=4", ""),
        ("/w/000/s/websocket", ""),
        ("/w", "Sec-WebSocket-Protocol: mqtt\r\n"),
        ("/w", "Sec-WebSocket-Protocol: v12.stomp\r\n"),
        ("/w", "Sec-WebSocket-Protocol: wamp.2.json.batched\r\n"),
        ("/w", "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"),
    ];
    let (target, subprotocol) = spoken[usize::from(first >> 2) % spoken.len()];
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extensions}{subprotocol}\r\n"
    );
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{extensions}{subprotocol}\r\n"
    );
    talk.send(0, request.as_bytes());
    talk.send(1, response.as_bytes());
    talk.play(script);
    talk.close();
}

/// One connection, its segments numbered as TCP would.
struct Talk {
    books: Books,
    /// The next sequence number of client and server.
    next: [u32; 2],
}

impl Talk {
    fn open(options: Options) -> Self {
        let mut talk = Self { books: Books::of_both_ways(options), next: [1000, u32::MAX - 5000] };
        talk.empty(0, SYN);
        talk.empty(1, SYN | ACK);
        talk.empty(0, ACK);
        talk
    }

    /// Plays a script: an octet of what to do, two of a length, so many octets of payload; again and again.
    ///
    /// The octet's bits: 0 the server sends; 1 not captured; 2 cut by the snap length; 3 captured twice; 4 captured after
    /// the next one; 5 the peer acknowledges; 6 the sender finishes; 7 it resets.
    fn play(&mut self, script: &[u8]) {
        let mut late = None;
        let mut rest = script;
        while let Some((&[what, high, low], after)) = rest.split_first_chunk() {
            let payload = &after[..after.len().min(usize::from(u16::from_be_bytes([high, low])))];
            rest = &after[payload.len()..];
            let side = usize::from(what & 1);
            let flags = ACK | if what & 0x40 != 0 { FIN } else { 0 } | if what & 0x80 != 0 { RST } else { 0 };
            let segment = self.segment(side, flags, payload);
            let cap_len = if what & 4 != 0 { 40 + payload.len() / 2 } else { segment.len() };
            match what {
                _ if what & 2 != 0 => {}
                _ if what & 0x10 != 0 && late.is_none() => late = Some((segment, cap_len)),
                _ => {
                    self.books.raw(&segment, cap_len, 0);
                    if what & 8 != 0 {
                        self.books.raw(&segment, cap_len, 0);
                    }
                    if let Some((segment, cap_len)) = late.take() {
                        self.books.raw(&segment, cap_len, 0);
                    }
                }
            }
            if what & 0x20 != 0 {
                self.empty(1 - side, ACK);
            }
        }
        if let Some((segment, cap_len)) = late {
            self.books.raw(&segment, cap_len, 0);
        }
    }

    fn send(&mut self, side: usize, payload: &[u8]) {
        let segment = self.segment(side, ACK, payload);
        self.books.raw(&segment, segment.len(), 0);
    }

    fn empty(&mut self, side: usize, flags: u8) {
        let segment = self.segment(side, flags, b"");
        self.books.raw(&segment, segment.len(), 0);
    }

    fn segment(&mut self, side: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
        let ack = if flags & ACK == 0 { 0 } else { self.next[1 - side] };
        let segment = segment([40_000, 80], side, [self.next[side], ack], flags, payload);
        let phantom = u32::from(flags & (SYN | FIN) != 0);
        self.next[side] = self.next[side].wrapping_add(payload.len() as u32 + phantom);
        segment
    }

    fn close(self) {
        self.books.close();
    }
}

/// An IPv4 packet with a TCP segment from client (0) or server (1); checksums are left out, nobody looks at them.
fn segment(ports: [u16; 2], side: usize, [seq, ack]: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    let addresses: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let mut packet = vec![0x45, 0];
    packet.extend((40 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(addresses[side]);
    packet.extend(addresses[1 - side]);
    packet.extend(ports[side].to_be_bytes());
    packet.extend(ports[1 - side].to_be_bytes());
    packet.extend(seq.to_be_bytes());
    packet.extend(ack.to_be_bytes());
    packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}
