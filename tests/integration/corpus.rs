//! Captures made by others, against what tshark says of them. `differences.tsv` names each capture for which wiretare says
//! something else, and why; a line that no longer differs fails too, so that the list stays true.

use std::collections::BTreeMap;
use std::path::Path;

use wiretare::{Direction, Opcode, Options, Row};

use crate::support::{analyze, captures_below, corpus, difference};

/// A line of `differences.tsv`: capture, what differs (kind of the expected file, or `all`), why.
fn differences() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("differences.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect::<Vec<_>>()).map(|columns| (columns[0], columns[1])).collect()
}

/// Compares every capture that has an expected file of a kind with what `found` makes of its rows.
fn compare(kind: &str, read: fn(&[Vec<String>]) -> Vec<String>, found: fn(&[Row]) -> Vec<String>) {
    let Some(corpus) = corpus() else { return };
    let known = differences();
    let mut compared = 0;
    let mut complaints = Vec::new();
    let folder = corpus.join("public/expected");
    for path in captures_below(&folder) {
        let name = path.strip_prefix(&folder).expect("below the folder").to_string_lossy().into_owned();
        let Some(capture) = name.strip_suffix(&format!(".{kind}.tsv")) else { continue };
        let reordered = folder.join(format!("{capture}.{kind}.ooo.tsv"));
        let table = tsv(if reordered.exists() { &reordered } else { &path });
        let rows = analyze(&corpus.join("public").join(capture), &Options { digest: true, ..Options::default() });
        let (expected, mut found) = (read(&table), rows.map_or_else(|error| vec![error.to_string()], |(rows, _)| found(&rows)));
        for (expected, found) in expected.iter().zip(&mut found) {
            if let Some(known) = expected.strip_suffix('*').filter(|known| found.starts_with(known)) {
                *found = format!("{known}*");
            }
        }
        let listed = known.contains(&(capture, kind)) || known.contains(&(capture, "all"));
        match (expected == found, listed) {
            (true, false) | (false, true) => compared += 1,
            (true, true) => complaints.push(format!("{capture}: agrees now; take it off the list ({kind})")),
            (false, false) => complaints.push(format!("{capture}: {}", first_difference(&expected, &found))),
        }
    }
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), compared + complaints.len(), complaints.join("\n"));
    assert!(compared > 30, "only {compared} captures were compared");
}

fn tsv(path: &Path) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(&std::fs::read(path).expect("an expected file")).into_owned();
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn first_difference(expected: &[String], found: &[String]) -> String {
    let missing: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    let extra: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    format!(
        "{} expected, {} found; missing {}: {:?}; extra {}: {:?}",
        expected.len(),
        found.len(),
        missing.len(),
        missing.first(),
        extra.len(),
        extra.first()
    )
}

/// Requests and responses by connection, as tshark lists them.
fn expected_http(table: &[Vec<String>]) -> Vec<String> {
    let mut lines = Vec::new();
    for columns in table {
        let [_, stream, methods, targets, codes, ..] = &columns[..] else { continue };
        if stream.is_empty() {
            continue; // SSDP over UDP, HTTP over SCTP
        }
        // A target may hold the bar that joins several.
        let methods: Vec<_> = methods.split('|').filter(|method| !method.is_empty()).collect();
        let targets = targets.splitn(methods.len().max(1), '|');
        lines.extend(methods.iter().zip(targets).map(|(method, target)| format!("{stream} {method} {target}")));
        lines.extend(codes.split('|').filter(|code| !code.is_empty()).map(|code| format!("{stream} {code}")));
    }
    lines.sort();
    lines
}

fn found_http(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let Row::Exchange(exchange) = row else { continue };
        let stream = exchange.connection;
        if let Some(request) = &exchange.request {
            let [method, target] = [request.method(), request.target()].map(printable);
            lines.push(format!("{stream} {method} {target}"));
        }
        lines.extend(exchange.informational.iter().map(|code| format!("{stream} {code}")));
        lines.extend(exchange.response.iter().map(|response| format!("{stream} {}", response.status)));
    }
    lines.sort();
    lines
}

/// Text as tshark prints it in a field: UTF-8, with backslash escapes.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().fold(String::new(), |mut line, c| {
        match c {
            '\\' => line.push_str("\\\\"),
            '\t' => line.push_str("\\t"),
            c => line.push(c),
        }
        line
    })
}

/// WebSocket messages by connection and direction, as folded from tshark's frames: control frames stand between fragments.
fn expected_websocket(table: &[Vec<String>]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: BTreeMap<(String, String), (Opcode, u64, u32)> = BTreeMap::new();
    for columns in table {
        let [_, stream, _, fin, _, opcode, mask, len, _, _, _, sha256, _, code, ..] = &columns[..] else { continue };
        let opcode = Opcode::of_bits(opcode.parse().expect("an opcode"));
        let len: u64 = len.parse().expect("a length");
        let direction = (stream.clone(), mask.clone());
        let (opcode, len, fragments) = match opcode {
            Opcode::Continuation => open.remove(&direction).map_or((opcode, len, 1), |(first, sum, n)| (first, sum + len, n + 1)),
            _ => (opcode, len, 1),
        };
        if fin == "0" && !opcode.is_control() {
            open.insert(direction, (opcode, len, fragments));
            continue;
        }
        let digest = if opcode == Opcode::Text { sha256.as_str() } else { "" };
        // Where a subprotocol took the text over, tshark shows none.
        let digest = if opcode == Opcode::Text && len > 0 && digest.is_empty() { "*" } else { digest };
        lines.push(format!("{stream} {mask} {} {len} bytes in {fragments} {code} {digest}", opcode.name()));
    }
    lines
}

fn found_websocket(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<_> = rows.iter().filter_map(|row| if let Row::Message(message) = row { Some(message) } else { None }).collect();
    lines.sort_by_key(|message| message.cost.provenance.last.number);
    lines
        .iter()
        .map(|message| {
            let digest =
                message.content.sha256.as_ref().filter(|_| message.opcode == Opcode::Text).map_or(String::new(), |digest| hex(&digest[..]));
            let code = message.close.as_ref().and_then(|close| close.code).map_or(String::new(), |code| code.to_string());
            let (stream, mask, name) = (message.connection, u8::from(message.masked), message.opcode.name());
            format!("{stream} {mask} {name} {} bytes in {} {code} {digest}", message.cost.encoded_bytes, message.fragments)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn http_messages_equal_tshark() {
    compare("http", expected_http, found_http);
}

#[test]
fn websocket_frames_equal_tshark() {
    compare("wsframes", expected_websocket, found_websocket);
}

#[test]
fn every_octet_of_every_capture_is_accounted() {
    let Some(corpus) = corpus() else { return };
    let mut read = 0;
    for path in captures_below(&corpus.join("public")).into_iter().chain(captures_below(&corpus.join("made"))) {
        if path.extension().is_some_and(|extension| extension == "tsv" || extension == "keys") {
            continue;
        }
        // What is not a capture is an error, not a row.
        if let Ok((rows, totals)) = analyze(&path, &Options::default()) {
            assert_eq!(difference(&rows, &totals), 0, "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 700, "only {read} captures were read");
}

/// Octets on the wire of the susam/lab captures, as their author added them up.
#[test]
fn ways_to_push_cost_what_their_author_counted() {
    let Some(corpus) = corpus() else { return };
    let expected = [("tcpapp", 1283), ("webapp", 5468), ("sseapp", 3015), ("wsapp", 4163)];
    let captures = captures_below(&corpus.join("public"));
    for (name, wire_bytes) in expected {
        let path = captures.iter().find(|path| path.ends_with(format!("susam_{name}.pcap"))).expect("in the corpus");
        let (rows, totals) = analyze(path, &Options::default()).expect("a readable capture");
        assert_eq!((totals.wire_bytes, difference(&rows, &totals)), (wire_bytes, 0), "{name}");
    }
}

#[test]
fn direction_of_a_message_follows_the_connection() {
    let Some(corpus) = corpus() else { return };
    let (rows, _) = analyze(&corpus.join("made/frag.pcap"), &Options::default()).expect("a readable capture");
    let masked: Vec<_> = rows.iter().filter_map(|row| if let Row::Message(message) = row { Some(message) } else { None }).collect();
    assert!(!masked.is_empty());
    assert!(masked.iter().all(|message| message.masked == (message.direction == Direction::ClientToServer)));
}

/// Segments by connection, as tshark numbers them (`tcp.stream`).
fn expected_tcp(table: &[Vec<String>]) -> Vec<String> {
    table.iter().filter(|columns| !columns[0].is_empty()).map(|columns| format!("{} {}", columns[0], columns[1])).collect()
}

fn found_tcp(rows: &[Row]) -> Vec<String> {
    let mut found: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            if let Row::Connection(connection) = row {
                Some((connection.connection, connection.tcp.segments + connection.tcp.duplicate_segments))
            } else {
                None
            }
        })
        .collect();
    found.sort_unstable();
    found.iter().map(|(number, segments)| format!("{number} {segments}")).collect()
}

#[test]
fn connection_numbers_equal_tshark() {
    compare("tcp", expected_tcp, found_tcp);
}
