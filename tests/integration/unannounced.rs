//! WebSocket whose opening handshake is not in the capture: recognised by its frames, or read as such because `--decode-as`
//! says so; never taken for what it is not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::Path;

use wiretare::{AnomalyKind, Direction, Message, Options, Row, Upgrade};

use crate::rewrite::{self, OwnedPacket, packets};
use crate::support::{analyze, corpus, difference, sample, samples};

fn options() -> Options {
    Options { digest: true, ..Options::default() }
}

fn told(rules: &[&str]) -> Options {
    let decode_as = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
    Options { decode_as, ..options() }
}

/// Sender and receiver.
type Way = [SocketAddr; 2];

/// What a test looks at of a message: opcode, octets as sent, digest of its content.
type Seen = (&'static str, u64, Option<[u8; 32]>);

fn seen(message: &Message) -> Seen {
    (message.opcode.name(), message.cost.encoded_bytes, message.content.sha256.as_deref().copied())
}

fn ends(rows: &[Row]) -> HashMap<u64, Way> {
    rows.iter()
        .filter_map(|row| if let Row::Connection(row) = row { Some((row.connection, [row.client, row.server])) } else { None })
        .collect()
}

/// The messages of each direction, of those that `wanted` says.
fn messages(rows: &[Row], wanted: impl Fn(&Message) -> bool) -> BTreeMap<Way, Vec<Seen>> {
    let ends = ends(rows);
    let mut found: BTreeMap<Way, Vec<Seen>> = BTreeMap::new();
    for row in rows {
        if let Row::Message(message) = row
            && wanted(message)
        {
            let [client, server] = ends[&message.connection];
            let way = if message.direction == Direction::ClientToServer { [client, server] } else { [server, client] };
            found.entry(way).or_default().push(seen(message));
        }
    }
    found
}

/// The frame in which each connection's opening handshake ended.
fn handshakes(rows: &[Row]) -> HashMap<u64, u64> {
    let handshake = |row: &Row| match row {
        Row::Exchange(exchange) if exchange.upgrade == Some(Upgrade::WebSocket) => {
            Some((exchange.connection, exchange.response.as_ref()?.cost.provenance.last.number))
        }
        Row::Exchange(_) | Row::Message(_) | Row::Connection(_) => None,
    };
    rows.iter().filter_map(handshake).collect()
}

/// The frames of WebSocket connections behind their opening handshakes.
fn behind_handshakes(packets: Vec<OwnedPacket>, rows: &[Row]) -> Vec<OwnedPacket> {
    let handshakes = handshakes(rows);
    let ends: HashMap<SocketAddr, u64> =
        ends(rows).into_iter().filter_map(|(connection, [client, _])| Some((client, *handshakes.get(&connection)?))).collect();
    let is_behind = |packet: &OwnedPacket| {
        let end = match packet.endpoints() {
            Some([from, to]) => ends.get(&from).or_else(|| ends.get(&to)),
            // A fragment of an IP datagram; where there are any, there is one connection.
            None => ends.values().next(),
        };
        end.is_some_and(|&end| packet.original > end)
    };
    packets.into_iter().filter(is_behind).collect()
}

/// Messages that began behind their handshakes, and those of them that came out without it; a content that is known is right.
fn compare(path: &Path) -> (usize, usize) {
    let all = packets(path);
    let (rows, _) = rewrite::analyze(&all, &options());
    let handshakes = handshakes(&rows);
    let expected =
        messages(&rows, |message| handshakes.get(&message.connection).is_some_and(|&end| message.cost.provenance.first.number > end));
    let (found_rows, totals) = rewrite::analyze(&behind_handshakes(all, &rows), &options());
    assert_eq!(difference(&found_rows, &totals), 0, "{}", path.display());
    let found = messages(&found_rows, |_| true);
    let mut counts = (0, 0);
    for (way, expected) in &expected {
        let found = found.get(way).map_or(&[][..], Vec::as_slice);
        counts.0 += expected.len();
        counts.1 += found.len();
        // What came out is what was sent from some message on.
        let skipped = expected.len().checked_sub(found.len()).unwrap_or_else(|| panic!("{}: too many messages", path.display()));
        for (found, expected) in found.iter().zip(&expected[skipped..]) {
            assert_eq!(found.0, expected.0, "{}", path.display());
            assert_eq!(found.1, expected.1, "{}", path.display());
            assert!(found.2.is_none() || found.2 == expected.2, "{}: a wrong content", path.display());
        }
    }
    assert!(found.keys().all(|way| expected.contains_key(way)), "{}", path.display());
    counts
}

#[test]
fn websocket_of_every_sample_is_recognised_without_its_handshake() {
    let mut missed = BTreeSet::new();
    for path in samples() {
        let (expected, found) = compare(&path);
        if found < expected {
            let name = path.strip_prefix(sample("")).expect("a sample").display().to_string();
            missed.insert(format!("{name}: {found} of {expected}"));
        }
    }
    assert_eq!(missed, BTreeSet::new());
}

#[test]
fn captures_of_others_hold_no_websocket_but_theirs() {
    let Some(corpus) = corpus() else { return };
    let mut found = BTreeMap::new();
    for path in crate::support::captures_below(&corpus) {
        let Ok((rows, _)) = analyze(&path, &options()) else { continue };
        let is_unannounced = |row: &&Row| match row {
            Row::Connection(row) => row.anomalies.iter().any(|(kind, ..)| *kind == AnomalyKind::MissingHandshake),
            Row::Exchange(_) | Row::Message(_) => false,
        };
        let connections = rows.iter().filter(is_unannounced).count();
        if connections > 0 {
            found.insert(path.strip_prefix(&corpus).expect("below it").display().to_string(), connections);
        }
    }
    // TShark agrees with each when told (`-d tcp.port==…,websocket`): as many frames, the same opcodes and lengths.
    let expected = [
        ("made/mid.pcap", 1),
        // An editor's remote connections beside what the capture is named for.
        ("public/http/zeek_basic-auth-with-extra-space.pcap", 3),
        ("public/websocket/enough_imagetransfer.pcapng", 1),
        ("public/websocket/ndpi_default-pcap-websocket.pcap", 1),
        ("public/websocket/ocpp_extralargeopenevse.pcapng", 1),
    ];
    assert_eq!(found, expected.map(|(path, connections)| (path.to_owned(), connections)).into());
}

/// One message each way, from behind the handshake on.
fn tiny(options: &Options) -> Vec<Row> {
    let all = packets(&sample("link/loopback.pcapng"));
    let (rows, _) = rewrite::analyze(&all, options);
    rewrite::analyze(&behind_handshakes(all, &rows), options).0
}

#[test]
fn a_port_that_is_said_to_be_websocket_is_read_as_such_from_its_first_frame_on() {
    let server = ends(&tiny(&options())).into_values().next().expect("a connection")[1].port();
    let all = packets(&sample("link/loopback.pcapng"));
    let (rows, _) = rewrite::analyze(&all, &options());
    let behind = behind_handshakes(all, &rows);
    // Nothing but the first segment that carries anything.
    let first = behind.iter().position(|packet| {
        !messages(&rewrite::analyze(std::slice::from_ref(packet), &told(&[&format!("tcp.port=={server},websocket")])).0, |_| true)
            .is_empty()
    });
    let first = &behind[first.expect("a message")..][..1];
    assert!(messages(&rewrite::analyze(first, &options()).0, |_| true).is_empty(), "one frame convinces nobody");
    for rule in ["data", "http"].map(|protocol| format!("tcp.port=={server},{protocol}")) {
        assert!(messages(&rewrite::analyze(&behind, &told(&[&rule])).0, |_| true).is_empty(), "{rule}");
    }
}

#[test]
fn a_port_that_is_said_to_be_data_is_only_accounted() {
    let path = sample("deck/deck.pcap");
    let (rows, totals) = analyze(&path, &told(&["tcp.port==1-65535,data"])).expect("a readable sample");
    assert_eq!(difference(&rows, &totals), 0);
    assert!(rows.iter().all(|row| matches!(row, Row::Connection(_))));
}

#[test]
fn the_first_rule_that_fits_counts() {
    let path = sample("deck/deck.pcap");
    let with = |rules: &[&str]| analyze(&path, &told(rules)).expect("a readable sample").0.len();
    assert_eq!(with(&["tcp.port==1-65535,http", "tcp.port==1-65535,data"]), with(&[]));
    assert_eq!(with(&["tcp.port==1-65535,data", "tcp.port==1-65535,http"]), with(&["tcp.port==1-65535,data"]));
}
