//! What TCP goes through, built in code: each test states what becomes of the connection, and what its row says of it.

use wiretare::{Analyzer, AnomalyKind, Bucket, Capture, ConnectionRow, Direction, Limits, Options, Row, TcpAnalysis, Totals};

use crate::support::difference;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// First sequence numbers of client and server; the server's wraps after 50 octets.
const ISN: [u32; 2] = [1000, u32::MAX - 50];

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A segment; sequence and acknowledgment numbers count from the senders' SYNs, which have 0.
#[derive(Clone, Copy)]
struct Sent<'a> {
    from: usize,
    flags: u8,
    seq: u32,
    ack: u32,
    window: u16,
    options: &'a [u8],
    payload: &'a [u8],
}

const CLIENT: Sent<'static> = Sent { from: 0, flags: ACK, seq: 1, ack: 1, window: 8192, options: &[], payload: &[] };
const SERVER: Sent<'static> = Sent { from: 1, ..CLIENT };

/// Frames of one pair of ports.
#[derive(Default)]
struct Trace {
    frames: Vec<(i64, Vec<u8>)>,
    clock_us: i64,
    /// Added to both first sequence numbers, for another connection on the same ports.
    generation: u32,
}

impl Trace {
    /// With its three-way handshake; windows are not scaled.
    fn open() -> Self {
        let mut trace = Self::default();
        trace.handshake();
        trace
    }

    fn handshake(&mut self) -> &mut Self {
        self.send(Sent { flags: SYN, seq: 0, ack: 0, ..CLIENT }).send(Sent { flags: SYN | ACK, seq: 0, ..SERVER }).send(CLIENT)
    }

    /// An exchange; afterwards the client is at 1 + 28 octets, the server at 1 + 40.
    fn exchange(&mut self) -> &mut Self {
        self.send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT });
        self.send(Sent { flags: PSH | ACK, ack: 29, payload: OK, ..SERVER })
    }

    fn close(&mut self) -> &mut Self {
        self.send(Sent { flags: FIN | ACK, seq: 29, ack: 41, ..CLIENT });
        self.send(Sent { flags: FIN | ACK, seq: 41, ack: 30, ..SERVER });
        self.send(Sent { seq: 30, ack: 42, ..CLIENT })
    }

    fn wait_ms(&mut self, ms: i64) -> &mut Self {
        self.clock_us += ms * 1000;
        self
    }

    /// A millisecond after the one before.
    fn send(&mut self, sent: Sent<'_>) -> &mut Self {
        let peer = 1 - sent.from;
        let number = |side: usize, offset: u32| ISN[side].wrapping_add(self.generation).wrapping_add(offset).to_be_bytes();
        let mut frame = vec![2, 0, 0, 0, 0, peer as u8, 2, 0, 0, 0, 0, sent.from as u8, 8, 0];
        let total = 40 + sent.options.len() + sent.payload.len();
        frame.extend([0x45, 0]);
        frame.extend((total as u16).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1 + sent.from as u8, 10, 0, 0, 1 + peer as u8]);
        frame.extend([40_000_u16, 80].map(u16::to_be_bytes)[sent.from]);
        frame.extend([40_000_u16, 80].map(u16::to_be_bytes)[peer]);
        frame.extend(number(sent.from, sent.seq));
        frame.extend(if sent.flags & ACK == 0 { [0; 4] } else { number(peer, sent.ack) });
        frame.extend([0x50 + (sent.options.len() as u8) * 4, sent.flags]);
        frame.extend(sent.window.to_be_bytes());
        frame.extend([0, 0, 0, 0]);
        frame.extend(sent.options);
        frame.extend(sent.payload);
        self.clock_us += 1000;
        self.frames.push((self.clock_us, frame));
        self
    }

    fn pcap(&self) -> Vec<u8> {
        let mut file = [0xa1b2_c3d4_u32.to_le_bytes(), [2, 0, 4, 0], [0; 4], [0; 4], [0, 0, 4, 0], [1, 0, 0, 0]].concat();
        for (us, frame) in &self.frames {
            let time = 1_600_000_000_000_000 + us;
            let len = (frame.len() as u32).to_le_bytes();
            file.extend(((time / 1_000_000) as u32).to_le_bytes());
            file.extend(((time % 1_000_000) as u32).to_le_bytes());
            file.extend([len, len].concat());
            file.extend(frame);
        }
        file
    }

    fn analyze(&self, options: &Options) -> (Vec<Row>, Totals) {
        let bytes = std::io::Cursor::new(self.pcap());
        let mut capture = Capture::from_reader("trace", bytes, &Limits::default()).expect("a well-formed capture");
        let mut analyzer = Analyzer::new(options.clone());
        while let Some(packet) = capture.next().expect("a well-formed capture") {
            analyzer.packet(&packet);
        }
        analyzer.finish();
        let rows: Vec<_> = std::iter::from_fn(|| analyzer.poll()).collect();
        assert_eq!(difference(&rows, analyzer.totals()), 0);
        (rows, analyzer.totals().clone())
    }

    /// The connections, in order of their numbers.
    fn connections(&self) -> Vec<ConnectionRow> {
        let (rows, _) = self.analyze(&Options::default());
        let connection = |row| if let Row::Connection(connection) = row { Some(*connection) } else { None };
        let mut connections: Vec<_> = rows.into_iter().filter_map(connection).collect();
        connections.sort_by_key(|connection| connection.connection);
        connections
    }

    fn connection(&self) -> ConnectionRow {
        let connections = self.connections();
        assert_eq!(connections.len(), 1, "one connection");
        connections.into_iter().next().expect("there is one")
    }

    /// Status codes of all exchanges with a request and a response.
    fn statuses(&self) -> Vec<u16> {
        let (rows, _) = self.analyze(&Options::default());
        let status = |row: &Row| match row {
            Row::Exchange(exchange) => exchange.request.as_ref().and(exchange.response.as_ref()).map(|response| response.status),
            _ => None,
        };
        rows.iter().filter_map(status).collect()
    }
}

/// Kinds that were met: name, segments of the client, of the server.
fn marks(connection: &ConnectionRow) -> Vec<(&'static str, u64, u64)> {
    let counts = |kind: TcpAnalysis| {
        let [client, server] = Direction::BOTH.map(|direction| connection.tcp.analysis(kind, direction));
        (kind.name(), client, server)
    };
    TcpAnalysis::ALL.into_iter().map(counts).filter(|&(_, client, server)| client + server > 0).collect()
}

fn bucket(connection: &ConnectionRow, bucket: Bucket) -> u64 {
    connection.buckets.of_bucket(bucket)
}

fn has(connection: &ConnectionRow, kind: AnomalyKind) -> bool {
    connection.anomalies.iter().any(|&(found, _, _)| found == kind)
}

#[test]
fn syn_with_another_number_begins_another_connection() {
    type Ending = fn(&mut Trace) -> &mut Trace;
    let endings: [Ending; 3] = [|trace| trace, |trace| trace.close(), |trace| trace.send(Sent { flags: RST, seq: 29, ..CLIENT })];
    for end in endings {
        let mut trace = Trace::open();
        end(trace.exchange());
        trace.generation = 77_777;
        trace.handshake().exchange();
        let connections = trace.connections();
        let reused: Vec<_> = connections.iter().map(|connection| (connection.connection, marks(connection))).collect();
        assert_eq!(reused, [(0, vec![]), (1, vec![("reused_ports", 1, 0)])]);
        assert_eq!(trace.statuses(), [200, 200]);
    }
}

#[test]
fn syn_with_the_same_number_is_sent_again() {
    let mut trace = Trace::default();
    trace.send(Sent { flags: SYN, seq: 0, ack: 0, ..CLIENT }).wait_ms(1000).handshake().exchange();
    let connection = trace.connection();
    // 54 octets: a SYN without options.
    assert_eq!((marks(&connection), bucket(&connection, Bucket::Retransmissions)), (vec![("retransmission", 1, 0)], 54));
    // From the SYN that was answered.
    assert_eq!(connection.tcp.initial_rtt_s, Some(0.002));
    assert_eq!(trace.statuses(), [200]);
}

#[test]
fn simultaneous_open_is_one_connection() {
    let mut trace = Trace::default();
    trace.send(Sent { flags: SYN, seq: 0, ack: 0, ..CLIENT }).send(Sent { flags: SYN, seq: 0, ack: 0, ..SERVER });
    trace.send(Sent { flags: SYN | ACK, seq: 0, ..CLIENT }).send(Sent { flags: SYN | ACK, seq: 0, ..SERVER }).exchange();
    assert_eq!(trace.connection().client.port(), 40_000);
    assert_eq!(trace.statuses(), [200]);
}

#[test]
fn data_in_a_syn_is_read() {
    // RFC 7413: the request comes with the SYN, the response with the SYN+ACK's ACK of it.
    let mut trace = Trace::default();
    trace.send(Sent { flags: SYN, seq: 0, ack: 0, payload: GET, ..CLIENT });
    trace.send(Sent { flags: SYN | ACK, seq: 0, ack: 29, ..SERVER });
    trace.send(Sent { flags: PSH | ACK, ack: 29, payload: OK, ..SERVER }).send(Sent { seq: 29, ack: 41, ..CLIENT });
    assert_eq!(trace.statuses(), [200]);
    assert_eq!(marks(&trace.connection()), []);
}

#[test]
fn data_in_a_syn_that_is_not_taken_comes_again() {
    let mut trace = Trace::default();
    trace.send(Sent { flags: SYN, seq: 0, ack: 0, payload: GET, ..CLIENT });
    trace.send(Sent { flags: SYN | ACK, seq: 0, ..SERVER }).send(CLIENT).wait_ms(300).exchange();
    assert_eq!(trace.statuses(), [200]);
    assert_eq!(marks(&trace.connection()), [("retransmission", 1, 0)]);
}

#[test]
fn data_with_the_fin_is_read() {
    let mut trace = Trace::open();
    trace.send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT });
    trace.send(Sent { flags: FIN | PSH | ACK, ack: 29, payload: b"HTTP/1.1 200 OK\r\n\r\nuntil the end", ..SERVER });
    assert_eq!(trace.statuses(), [200]);
}

#[test]
fn data_after_the_fin_is_no_message() {
    let mut trace = Trace::open();
    trace.exchange().close().send(Sent { flags: PSH | ACK, seq: 42, ack: 30, payload: OK, ..SERVER });
    let connection = trace.connection();
    // 14 + 20 + 20 + 40
    assert_eq!((has(&connection, AnomalyKind::DataAfterFin), bucket(&connection, Bucket::Unattributed)), (true, 94));
    assert_eq!(trace.statuses(), [200]);
}

#[test]
fn reset_that_nobody_heeds_ends_nothing() {
    // Its number is outside the window, as one that was forged.
    let mut trace = Trace::open();
    trace.send(Sent { flags: RST, seq: 1 << 30, ..SERVER });
    for _ in 0..4 {
        trace.wait_ms(20_000).send(CLIENT);
    }
    trace.exchange();
    assert_eq!(trace.connection().connection, 0);
    assert_eq!(trace.statuses(), [200]);
}

#[test]
fn fin_of_a_server_taken_for_the_client_at_first_is_teardown() {
    // Without the handshake, the one that speaks first is taken for the client until it is heard.
    let mut trace = Trace::default();
    trace.send(Sent { flags: FIN | PSH | ACK, payload: b"HTTP/1.0 200 OK\r\n\r\nhi", ..SERVER });
    trace.send(Sent { flags: FIN | ACK, ack: 23, ..CLIENT });
    assert_eq!(bucket(&trace.connection(), Bucket::Retransmissions), 0);
}

#[test]
fn request_behind_a_refused_upgrade_is_answered() {
    let mut trace = Trace::open();
    let requests = b"GET /a HTTP/1.1\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
    let responses = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nb";
    trace.send(Sent { flags: PSH | ACK, payload: requests, ..CLIENT });
    trace.send(Sent { flags: PSH | ACK, ack: 1 + requests.len() as u32, payload: responses, ..SERVER });
    assert_eq!(trace.statuses(), [200, 404]);
}

#[test]
fn connection_that_was_upgraded_to_http_2_is_called_so() {
    let mut trace = Trace::open();
    let request = b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let response = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    trace.send(Sent { flags: PSH | ACK, payload: request, ..CLIENT });
    trace.send(Sent { flags: PSH | ACK, ack: 1 + request.len() as u32, payload: response, ..SERVER });
    assert_eq!(*trace.connection().protocols, ["http/1.1", "http/2"]);
}

#[test]
fn hole_that_keep_alives_outlive_is_counted() {
    let mut trace = Trace::open();
    trace.send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT });
    trace.send(Sent { flags: PSH | ACK, ack: 29, payload: b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc", ..SERVER });
    trace.send(Sent { flags: PSH | ACK, seq: 48, ack: 29, payload: b"hello", ..SERVER });
    trace.send(Sent { seq: 29, ack: 53, ..CLIENT });
    for _ in 0..200 {
        trace.send(Sent { seq: 42, ack: 29, ..SERVER });
    }
    assert_eq!(trace.connection().tcp.lost_bytes, 5);
}

#[test]
fn one_damaged_acknowledgment_loses_nothing() {
    let mut trace = Trace::open();
    trace.exchange().send(Sent { seq: 29, ack: 500_000, ..CLIENT });
    assert_eq!(trace.connection().tcp.lost_bytes, 0);
    // Behind a true hole of 40 octets, and before it is said again.
    for acknowledged in [[69, 500_000, 69], [500_000, 69, 69], [69, 69, 500_000]] {
        let mut trace = Trace::open();
        trace.send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT });
        for ack in acknowledged {
            trace.send(Sent { seq: 29, ack: ack - 28, ..CLIENT });
        }
        assert_eq!(trace.connection().tcp.lost_bytes, 40, "{acknowledged:?}");
    }
}

#[test]
fn one_damaged_time_ends_no_connection() {
    let mut trace = Trace::open();
    trace.exchange().send(Sent { seq: 29, ack: 41, ..CLIENT });
    trace.wait_ms(9 * 3_600_000).send(Sent { seq: 29, ack: 41, ..CLIENT });
    trace.wait_ms(-9 * 3_600_000).close();
    let connection = trace.connection();
    assert_eq!((connection.connection, bucket(&connection, Bucket::TcpSetup)), (0, 54 * 3));
}

#[test]
fn keep_alives_and_their_answers_have_a_bucket() {
    let mut trace = Trace::open();
    trace.exchange().send(Sent { seq: 29, ack: 41, ..CLIENT });
    for payload in [&b""[..], b"\0"] {
        trace.wait_ms(75_000).send(Sent { seq: 28, ack: 41, payload, ..CLIENT }).send(Sent { seq: 41, ack: 29, ..SERVER });
    }
    let connection = trace.connection();
    assert_eq!(marks(&connection), [("keep_alive", 2, 0), ("keep_alive_ack", 0, 2)]);
    // Four segments of 54 octets, and one of payload.
    assert_eq!(bucket(&connection, Bucket::KeepAlive), 217);
}

#[test]
fn zero_window_probes_cost_no_message_their_headers() {
    let mut trace = Trace::open();
    let closed = Sent { seq: 1, ack: 29, window: 0, ..SERVER };
    // The server takes the request and has no room for the next, of which two probes carry the first octet.
    trace.send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT }).send(closed);
    for _ in 0..2 {
        trace.wait_ms(5000).send(Sent { seq: 29, payload: &GET[..1], ..CLIENT }).send(closed);
    }
    trace.send(Sent { window: 8192, ..closed }).send(Sent { flags: PSH | ACK, seq: 29, payload: GET, ..CLIENT });
    trace.send(Sent { flags: PSH | ACK, ack: 57, payload: OK, ..SERVER });
    trace.send(Sent { flags: PSH | ACK, seq: 41, ack: 57, payload: OK, ..SERVER });
    let connection = trace.connection();
    let expected = [("zero_window", 0, 3), ("zero_window_probe", 2, 0), ("zero_window_probe_ack", 0, 2), ("window_update", 0, 1)];
    assert_eq!(marks(&connection), expected);
    // The headers of two probes and two answers of 54 octets; a second probe is a keep-alive that brings nothing.
    assert_eq!(bucket(&connection, Bucket::KeepAlive), 4 * 54 + 1);
    assert_eq!(trace.statuses(), [200, 200]);
}

#[test]
fn segment_that_fills_the_window_is_marked() {
    let mut trace = Trace::open();
    trace.send(Sent { window: 28, ..SERVER }).send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT });
    assert_eq!(marks(&trace.connection()), [("window_full", 1, 0), ("window_update", 0, 1)]);
}

#[test]
fn what_the_syns_announce_is_kept() {
    // MSS 1460, SACK permitted, timestamps, a no-operation, window scale 7.
    let options = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
    let mut trace = Trace::default();
    trace.send(Sent { flags: SYN, seq: 0, ack: 0, options: &options, ..CLIENT });
    trace.send(Sent { flags: SYN | ACK, seq: 0, options: &options[..4], ..SERVER }).send(CLIENT);
    let sides = trace.connection().tcp.sides.map(|side| (side.mss, side.window_scale, side.sack_permitted, side.timestamps));
    assert_eq!(sides, [(Some(1460), Some(7), Some(true), Some(true)), (Some(1460), None, Some(false), Some(false))]);
}

#[test]
fn segment_larger_than_its_receiver_takes_is_marked() {
    let mss = [2, 4, 5, 0xb4];
    let mut trace = Trace::default();
    trace.send(Sent { flags: SYN, seq: 0, ack: 0, options: &mss, ..CLIENT });
    trace.send(Sent { flags: SYN | ACK, seq: 0, options: &mss, ..SERVER }).send(CLIENT);
    let mut is_marked = |len| {
        let payload = [b'x'; 2000];
        trace.send(Sent { flags: PSH | ACK, payload: &payload[..len], ..SERVER });
        has(&trace.connection(), AnomalyKind::SegmentationOffload)
    };
    assert_eq!([1460, 1461].map(&mut is_marked), [false, true]);
}

#[test]
fn three_duplicate_acks_bring_a_fast_retransmission() {
    let mut trace = Trace::open();
    let data = |seq| Sent { flags: PSH | ACK, seq, payload: b"0123456789", ..CLIENT };
    trace.send(data(1)).send(Sent { ack: 11, ..SERVER });
    // 11..21 is not captured.
    for seq in [21, 31, 41] {
        trace.send(data(seq)).send(Sent { ack: 11, ..SERVER });
    }
    trace.send(data(11)).send(Sent { ack: 51, ..SERVER });
    let connection = trace.connection();
    let expected = [("retransmission", 1, 0), ("fast_retransmission", 1, 0), ("lost_segment", 1, 0), ("duplicate_ack", 0, 3)];
    assert_eq!(marks(&connection), expected);
    // Nothing was seen twice: to the assembler it is a segment that came late.
    assert_eq!((connection.tcp.retransmitted_segments, connection.tcp.out_of_order_segments), (0, 1));
}

#[test]
fn round_trips_leave_out_what_was_sent_again() {
    let mut trace = Trace::open();
    let data = |seq| Sent { flags: PSH | ACK, seq, payload: b"0123456789", ..CLIENT };
    // 4 + 1 ms, then one that is sent again, then 1 ms.
    trace.send(data(1)).wait_ms(4).send(Sent { ack: 11, ..SERVER });
    trace.send(data(11)).wait_ms(300).send(data(11)).send(Sent { ack: 21, ..SERVER });
    trace.send(data(21)).send(Sent { ack: 31, ..SERVER });
    let times = trace.connection().tcp.sides[0].round_trips;
    assert_eq!((times.count, times.min_ns, times.sum_ns, times.max_ns), (2, 1_000_000, 6_000_000, 5_000_000));
}

#[test]
fn most_bytes_in_flight_count_to_the_last_ack() {
    let mut trace = Trace::open();
    let data = |seq| Sent { flags: PSH | ACK, seq, payload: b"0123456789", ..CLIENT };
    trace.send(data(1)).send(data(11)).send(Sent { ack: 11, ..SERVER }).send(data(21)).send(data(31));
    assert_eq!(trace.connection().tcp.sides.map(|side| side.max_bytes_in_flight), [30, 0]);
}

#[test]
fn clock_that_steps_back_gives_no_round_trip() {
    let mut trace = Trace::open();
    trace.send(Sent { flags: PSH | ACK, payload: GET, ..CLIENT }).wait_ms(-3_600_000).send(Sent { ack: 29, ..SERVER });
    let connection = trace.connection();
    assert_eq!(connection.tcp.sides[0].round_trips.count, 0);
    assert_eq!(marks(&connection), []);
}

#[test]
fn hole_that_nobody_acknowledges_is_closed_by_the_limit() {
    // Only the server was captured: 5 octets are missing, and then come more than may be held.
    let mut trace = Trace::default();
    let server = |seq, payload| Sent { flags: PSH | ACK, seq, payload, ..SERVER };
    trace.send(server(1, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
    let held = [b'x'; 1000];
    for n in 0..50 {
        trace.send(server(49 + n * 1000, &held));
    }
    let limits = Limits { out_of_order_bytes: 20_000, ..Limits::default() };
    let (rows, _) = trace.analyze(&Options { limits, ..Options::default() });
    let connection = rows.iter().find_map(|row| if let Row::Connection(connection) = row { Some(connection) } else { None });
    let connection = connection.expect("it has ended");
    let limit = connection.anomalies.iter().find(|(kind, _, _)| *kind == AnomalyKind::OutOfOrderLimit);
    // 20 held, the 21st is too much: frame 22.
    assert_eq!((limit.map(|found| (found.1, found.2)), connection.tcp.lost_bytes), (Some((1, 22)), 5));
}

#[test]
fn connection_goes_on_after_hours_without_a_segment() {
    let mut trace = Trace::open();
    trace.wait_ms(3 * 3_600_000).exchange().wait_ms(3 * 3_600_000).close();
    assert_eq!(trace.connection().connection, 0);
    assert_eq!(trace.statuses(), [200]);
}
