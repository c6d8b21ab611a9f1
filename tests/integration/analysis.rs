//! What TCP's analysis marks, against what tshark marks in captures made by others. `tcp_differences.tsv` names each
//! capture for which wiretare says something else, and why; a line that no longer differs fails too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use wiretare::{Options, Row, TcpAnalysis};

use crate::support::{analyze, corpus};

/// Segments by connection and kind; none is not listed.
type Marks = BTreeMap<(u64, &'static str), u64>;

/// Kinds in the order of the corpus's columns, from the fourth.
const IN_THE_CORPUS: [TcpAnalysis; 7] = [
    TcpAnalysis::Retransmission,
    TcpAnalysis::FastRetransmission,
    TcpAnalysis::SpuriousRetransmission,
    TcpAnalysis::OutOfOrder,
    TcpAnalysis::LostSegment,
    TcpAnalysis::AckLostSegment,
    TcpAnalysis::DuplicateAck,
];

/// The other kinds, as `tests/tcp_analysis.sh` recorded them: capture, connection, kind=count.
fn recorded() -> BTreeMap<&'static str, Marks> {
    let mut recorded: BTreeMap<_, Marks> = BTreeMap::new();
    for line in include_str!("tcp_analysis.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [capture, connection, counts] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line}") };
        for count in counts.split(' ') {
            let (name, count) = count.split_once('=').expect("kind=count");
            let kind = TcpAnalysis::ALL.into_iter().find(|kind| kind.name() == name).expect("a kind");
            let connection = connection.parse().expect("a number");
            recorded.entry(capture).or_default().insert((connection, kind.name()), count.parse().expect("a number"));
        }
    }
    recorded
}

fn add_table(marks: &mut Marks, table: &Path) {
    let text = std::fs::read_to_string(table).expect("an expected file");
    for columns in text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()) {
        // Frames whose TCP header an ICMP error quotes have no connection.
        let Ok(connection) = columns[0].parse() else { continue };
        for (kind, count) in IN_THE_CORPUS.into_iter().zip(&columns[3..]) {
            let count = count.parse().expect("a number");
            if count > 0 {
                marks.insert((connection, kind.name()), count);
            }
        }
    }
}

fn found(rows: &[Row]) -> Marks {
    let mut marks = Marks::new();
    for row in rows {
        let Row::Connection(connection) = row else { continue };
        let Some(counts) = &connection.tcp.analysis else { continue };
        for kind in TcpAnalysis::ALL.into_iter().filter(|&kind| counts.of_kind(kind) > 0) {
            marks.insert((connection.connection, kind.name()), counts.of_kind(kind));
        }
    }
    marks
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for kind in std::fs::read_dir(folder).expect("a folder").flatten() {
        let entries = std::fs::read_dir(kind.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        found.extend(entries.filter(|path| path.to_string_lossy().ends_with(".tcp.tsv")));
    }
    found.sort();
    found
}

/// Connections by number: where they differ from tshark's, another test says why.
fn numbers(rows: &[Row]) -> BTreeSet<u64> {
    rows.iter().filter_map(|row| if let Row::Connection(connection) = row { Some(connection.connection) } else { None }).collect()
}

fn expected_numbers(table: &Path) -> BTreeSet<u64> {
    let text = std::fs::read_to_string(table).expect("an expected file");
    text.lines().skip(1).filter_map(|line| line.split('\t').next()?.parse().ok()).collect()
}

#[test]
fn marks_equal_tshark() {
    let Some(corpus) = corpus() else { return };
    let known: BTreeSet<_> = include_str!("tcp_differences.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').next())
        .collect();
    let recorded = recorded();
    let folder = corpus.join("public/expected");
    let (mut compared, mut segments) = (0, 0);
    let mut complaints = Vec::new();
    for table in tables(&folder) {
        let name = table.strip_prefix(&folder).expect("below the folder").to_string_lossy().into_owned();
        let capture = name.trim_end_matches(".tcp.tsv");
        let Ok((rows, _)) = analyze(&corpus.join("public").join(capture), &Options::default()) else { continue };
        if numbers(&rows) != expected_numbers(&table) {
            continue;
        }
        let mut expected = recorded.get(capture).cloned().unwrap_or_default();
        add_table(&mut expected, &table);
        let found = found(&rows);
        compared += 1;
        segments += expected.values().sum::<u64>();
        match (expected == found, known.contains(capture)) {
            (true, false) | (false, true) => {}
            (true, true) => complaints.push(format!("{capture}: agrees now; take it off the list")),
            (false, false) => complaints.push(format!("{capture}: {}", differing(&expected, &found))),
        }
    }
    assert!(complaints.is_empty(), "{} of {compared}:\n{}", complaints.len(), complaints.join("\n"));
    assert!(compared > 500 && segments > 5000, "only {segments} marks in {compared} captures were compared");
}

fn differing(expected: &Marks, found: &Marks) -> String {
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let count = |marks: &Marks, key| marks.get(key).copied().unwrap_or(0);
    let lines = keys.into_iter().filter(|key| count(expected, key) != count(found, key));
    lines.map(|key| format!("{} {}: {} expected, {} found; ", key.0, key.1, count(expected, key), count(found, key))).collect()
}
