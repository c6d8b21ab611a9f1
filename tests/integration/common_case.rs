//! Segments of the common case are read where they lie and leave behind what the general path leaves. Who asks for parts gets the
//! general path for all of them.

use std::collections::HashSet;
use std::path::Path;

use wiretare::report::ndjson::Lines;
use wiretare::{ContentMode, Options, Row};

use crate::rewrite::{Change, OwnedPacket, analyze, packets, rewrite};
use crate::support::{captures_below, corpus, samples};

fn lines(rows: &[Row]) -> Vec<String> {
    let mut lines = Lines::new(ContentMode::Preview);
    let line = |row| {
        let mut out = Vec::new();
        lines.append(row, &mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    };
    let mut written: Vec<_> = rows.iter().map(line).collect();
    // Behind a loss, who asks for parts is told of a response before or after another connection's.
    written.sort();
    written
}

/// How many rows there are.
fn assert_same(name: &str, packets: &[OwnedPacket]) -> usize {
    let rows = [(ContentMode::None, false), (ContentMode::None, true), (ContentMode::Preview, true)].map(|(content, batches)| {
        let options = |parts| Options { parts, batches, digest: content != ContentMode::None, content, ..Options::default() };
        let ((rows, totals), (general_rows, general_totals)) = (analyze(packets, &options(false)), analyze(packets, &options(true)));
        let (found, general) = (lines(&rows), lines(&general_rows));
        let differs = found.iter().zip(&general).find(|(found, general)| found != general);
        assert!(found == general, "{name}, {content:?}, in batches: {batches}: {differs:?}");
        assert_eq!(format!("{totals:?}"), format!("{general_totals:?}"), "{name}");
        found.len()
    });
    rows[0]
}

fn assert_file_same(path: &Path) -> usize {
    assert_same(&path.display().to_string(), &packets(path))
}

#[test]
fn common_segments_leave_what_the_general_path_leaves() {
    let rows: usize = samples().iter().map(|path| assert_file_same(path)).sum();
    assert!(rows > 1000, "only {rows} rows were compared");
}

#[test]
fn common_segments_leave_the_same_among_lost_late_and_repeated_ones() {
    let changes = [
        vec![Change::Lose { seed: 1, one_in: 40 }],
        vec![Change::Reorder { seed: 2, window: 4 }],
        vec![Change::Duplicate { seed: 3, one_in: 20 }],
        vec![Change::Begin(30)],
        vec![Change::Snap(150)],
        vec![Change::Lose { seed: 4, one_in: 60 }, Change::Duplicate { seed: 5, one_in: 60 }, Change::Reorder { seed: 6, window: 8 }],
    ];
    for path in samples() {
        let original = packets(&path);
        for change in &changes {
            let changed = rewrite(&original, &HashSet::new(), change);
            assert_same(&format!("{} after {change:?}", path.display()), &changed);
        }
    }
}

#[test]
fn common_segments_leave_the_same_on_the_corpus() {
    let Some(corpus) = corpus() else { return };
    for folder in ["made", "public/websocket"] {
        captures_below(&corpus.join(folder)).iter().for_each(|path| {
            assert_file_same(path);
        });
    }
}
