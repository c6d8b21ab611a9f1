//! The samples against what the programs that made them knew.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use wiretare::{Analyzer, Capture, Direction, Exchange, Limits, Message, Opcode, Options, Packet, Row, Upgrade};

use crate::support::{analyze, difference, sample, samples};

/// A message as both sides know it: opcode, octets and SHA-256 of the decoded content.
type Known = (String, u64, String);

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Cut by the snap length: nothing can be said of content. Missing packets: see the test of its own.
const WITHOUT_WHOLE_CONTENT: [&str; 2] = ["snaplen-100.pcap", "missing-from-capture.pcapng"];

fn rows(path: &std::path::Path) -> Vec<Row> {
    let (rows, totals) = analyze(path, &Options { digest: true, ..Options::default() }).expect("a readable sample");
    assert_eq!(difference(&rows, &totals), 0, "{}", path.display());
    rows
}

/// (capture, what its programs knew) of every sample.
fn truths() -> Vec<(PathBuf, Value)> {
    let mut truths = Vec::new();
    for folder in std::fs::read_dir(sample("")).expect("samples/").flatten() {
        let Ok(text) = std::fs::read_to_string(folder.path().join("truth.json")) else { continue };
        let truth: Value = serde_json::from_str(&text).expect("JSON");
        for (name, known) in truth["captures"].as_object().expect("captures by name") {
            truths.push((folder.path().join(name), known.clone()));
        }
    }
    truths
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn known_messages(list: &Value) -> Vec<Known> {
    let data =
        list.as_array().into_iter().flatten().filter(|message| ["text", "binary"].contains(&message["opcode"].as_str().unwrap_or("")));
    data.map(|message| (text(&message["opcode"]), message["length"].as_u64().expect("a length"), text(&message["sha256"]))).collect()
}

fn seen(message: &Message) -> Known {
    let digest = message.content.sha256.as_ref().map_or(String::new(), |digest| hex(&digest[..]));
    (message.opcode.name().to_owned(), message.cost.content_bytes.unwrap_or(u64::MAX), digest)
}

/// Data messages by connection, in the order in which the connections were opened, and direction.
fn seen_messages(rows: &[Row]) -> Vec<[Vec<Known>; 2]> {
    let mut connections: BTreeMap<u64, [Vec<Known>; 2]> = BTreeMap::new();
    for row in rows {
        match row {
            Row::Exchange(exchange) if exchange.upgrade == Some(Upgrade::WebSocket) => {
                connections.entry(exchange.connection).or_default();
            }
            Row::Message(message) if matches!(message.opcode, Opcode::Text | Opcode::Binary) => {
                connections.entry(message.connection).or_default()[message.direction as usize].push(seen(message));
            }
            _ => {}
        }
    }
    connections.into_values().collect()
}

#[test]
fn websocket_messages_are_those_that_the_programs_sent() {
    let mut compared = 0;
    for (path, truth) in truths() {
        if WITHOUT_WHOLE_CONTENT.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let expected: Vec<[Vec<Known>; 2]> = truth["websocket"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|connection| Direction::BOTH.map(|direction| known_messages(&connection[direction.name()])))
            .collect();
        let found = seen_messages(&rows(&path));
        assert_eq!(found, expected, "{}", path.display());
        compared += expected.iter().flatten().map(Vec::len).sum::<usize>();
    }
    assert!(compared > 400, "only {compared} messages were compared");
}

#[test]
fn what_was_lost_is_unknown_and_never_wrong() {
    let (path, truth) = truths().into_iter().find(|(path, _)| path.ends_with("missing-from-capture.pcapng")).expect("the sample");
    let found = seen_messages(&rows(&path));
    let mut certain = 0;
    for (connection, found) in truth["websocket"].as_array().into_iter().flatten().zip(&found) {
        for direction in Direction::BOTH {
            let sent = known_messages(&connection[direction.name()]);
            let mut sent = sent.iter();
            // What comes out with a digest was sent, in that order.
            for message in found[direction as usize].iter().filter(|(_, _, digest)| !digest.is_empty()) {
                assert!(sent.any(|known| known == message), "{} {message:?}", direction.name());
                certain += 1;
            }
        }
    }
    assert!(certain > 20, "only {certain} messages are known");
}

/// Exchanges that came to an answer.
fn answered(truth: &Value) -> impl Iterator<Item = &Value> {
    truth["http"].as_array().into_iter().flatten().filter(|known| !known["status"].is_null())
}

fn known_exchange(known: &Value) -> (String, String, u64, u64, String) {
    let [status, length] = ["status", "length"].map(|field| known[field].as_u64().expect("a number"));
    (text(&known["method"]), text(&known["target"]), status, length, text(&known["sha256"]))
}

fn seen_exchange(exchange: &Exchange) -> Option<(String, String, u64, u64, String)> {
    let (request, response) = (exchange.request.as_ref()?, exchange.response.as_ref()?);
    let [method, target] = [request.method(), request.target()].map(|part| String::from_utf8_lossy(part).into_owned());
    let length = response.cost.content_bytes?;
    let digest = response.content.sha256.as_ref().map_or(String::new(), |digest| hex(&digest[..]));
    let digest = if length == 0 { EMPTY.to_owned() } else { digest };
    Some((method, target, u64::from(response.status), length, digest))
}

#[test]
fn exchanges_are_those_that_the_programs_made() {
    let mut compared = 0;
    for (path, truth) in truths() {
        let mut expected: Vec<_> = answered(&truth).map(known_exchange).collect();
        let mut found: Vec<_> = rows(&path)
            .iter()
            .filter_map(|row| if let Row::Exchange(exchange) = row { Some(exchange) } else { None })
            .filter(|exchange| exchange.upgrade.is_none())
            .filter_map(|exchange| seen_exchange(exchange))
            .collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{}", path.display());
        compared += expected.len();
    }
    assert!(compared > 90, "only {compared} exchanges were compared");
}

/// The browser knew which of its exchanges a script made.
#[test]
fn ajax_is_what_the_browser_fetched_by_script() {
    let (path, truth) = truths().into_iter().find(|(path, _)| path.ends_with("ajax-and-websocket.pcapng")).expect("the sample");
    let expected =
        truth["http"].as_array().into_iter().flatten().filter(|known| ["fetch", "xhr"].contains(&known["api"].as_str().unwrap_or("")));
    let mut expected: Vec<String> = expected.map(|known| text(&known["target"])).collect();
    let mut found: Vec<String> = rows(&path)
        .iter()
        .filter_map(|row| if let Row::Exchange(exchange) = row { Some(exchange) } else { None })
        .filter(|exchange| exchange.ajax.verdict)
        .filter_map(|exchange| exchange.request.as_ref().map(|request| String::from_utf8_lossy(request.target()).into_owned()))
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// The worked example: frames 29 and 136 to the byte.
#[test]
fn deck_costs_what_the_talk_showed() {
    let rows = rows(&sample("deck/deck.pcap"));
    let response = rows.iter().find_map(|row| match row {
        Row::Exchange(exchange) => exchange.response.as_ref().filter(|response| response.cost.provenance.last.number == 29),
        _ => None,
    });
    let cost = response.expect("frame 29 is a response").cost;
    let layers = cost.provenance.bytes;
    // 14 + 20 + 20 + 188 + 187 = 429
    assert_eq!(
        [layers.link, layers.ip, layers.tcp, cost.framing_bytes, cost.encoded_bytes, cost.wire_bytes()],
        [14, 20, 20, 188, 187, 429]
    );
    assert_eq!((cost.content_bytes, cost.overhead_bytes()), (Some(262), 242));
    let message = rows.iter().find_map(|row| match row {
        Row::Message(message) if message.cost.provenance.last.number == 136 => Some(message),
        _ => None,
    });
    let message = message.expect("frame 136 is a message");
    let (cost, layers) = (message.cost, message.cost.provenance.bytes);
    // 14 + 20 + 32 + 6 + 17 = 89
    assert_eq!([layers.link, layers.ip, layers.tcp, cost.framing_bytes, cost.encoded_bytes, cost.wire_bytes()], [14, 20, 32, 6, 17, 89]);
    assert_eq!((message.compressed, message.masked, cost.overhead_bytes()), (true, true, 72));
}

#[test]
fn deck_text_inflates_to_json() {
    let options = Options { content: wiretare::ContentMode::Full, ..Options::default() };
    let (rows, _) = analyze(&sample("deck/deck.pcap"), &options).expect("a readable sample");
    let json = rows.iter().find_map(|row| match row {
        Row::Message(message) if message.cost.provenance.last.number == 136 => message.content.sample.clone(),
        _ => None,
    });
    let json: Value = serde_json::from_slice(&json.expect("its content")).expect("JSON");
    assert_eq!(json["name"], "Alice");
}

#[test]
fn every_octet_of_every_sample_is_accounted() {
    let samples = samples();
    assert!(samples.len() >= 24, "{} samples", samples.len());
    samples.iter().for_each(|path| drop(rows(path)));
}

#[test]
fn a_packet_seen_by_two_interfaces_is_charged_once() {
    let path = sample("link/two-interfaces.pcapng");
    let (rows, totals) = analyze(&path, &Options::default()).expect("a readable sample");
    // 38 frames of 3630 octets: each of 19 packets twice, with Ethernet headers of 14 octets on both interfaces.
    assert_eq!((totals.packets, totals.wire_bytes, totals.duplicate_bytes), (38, 3630, 1815));
    let [connection] = &rows.iter().filter_map(|row| if let Row::Connection(row) = row { Some(row) } else { None }).collect::<Vec<_>>()[..]
    else {
        panic!("one connection")
    };
    let tcp = &connection.tcp;
    assert_eq!((tcp.segments, tcp.duplicate_segments, tcp.retransmitted_segments, connection.wire_bytes), (19, 19, 0, 1815));
}

#[test]
fn fragments_are_segments_that_paid_for_all_their_headers() {
    // Frames, those that tshark shows as a fragment without the rest, octets (capinfos).
    for (name, frames, earlier, wire_bytes) in [("fragments", 48, 12, 21_847), ("vxlan-fragments", 40, 4, 23_375)] {
        let (rows, totals) = analyze(&sample(&format!("tunnel/{name}.pcapng")), &Options::default()).expect("a readable sample");
        let [connection] =
            &rows.iter().filter_map(|row| if let Row::Connection(row) = row { Some(row) } else { None }).collect::<Vec<_>>()[..]
        else {
            panic!("one connection")
        };
        assert_eq!((totals.packets, totals.wire_bytes, totals.not_tcp_bytes), (frames, wire_bytes, 0), "{name}");
        assert_eq!((connection.tcp.segments, connection.wire_bytes), (frames - earlier, wire_bytes), "{name}");
    }
}

#[test]
fn equal_addresses_in_two_networks_are_one_connection_unless_told_apart() {
    let connections = |separate_networks| {
        let mut capture = Capture::open(&[sample("tunnel/vxlan.pcapng")], &Limits::default()).expect("a readable sample");
        let mut analyzer = Analyzer::new(Options { separate_networks, ..Options::default() });
        while let Some(packet) = capture.next().expect("a readable sample") {
            // Network 43, and another number of the inner packet: no copy.
            let mut other = packet.data.to_vec();
            other[48] += 1;
            other[68] ^= 0x80;
            analyzer.packet(&packet);
            analyzer.packet(&Packet { data: &other, ..packet });
        }
        analyzer.finish();
        analyzer.totals().connections
    };
    assert_eq!([connections(false), connections(true)], [1, 2]);
}

#[test]
fn captures_of_mirror_ports_hold_copies_and_no_retransmissions() {
    let Some(corpus) = crate::support::corpus() else { return };
    // 1458 frames, of which 486 are second copies that a network card sent (frame 3 repeats frame 2, …).
    let (_, totals) = analyze(&corpus.join("public/tcp/tcptrace_hardware_dups.dmp.gz"), &Options::default()).expect("readable");
    assert_eq!(totals.anomalies.count(wiretare::AnomalyKind::DuplicatePacket), 486);
}
