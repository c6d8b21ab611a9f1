//! Content that is decoded later, several messages of a direction together and on several threads, changes no octet of the output.

use std::path::Path;

use wiretare::report::ndjson::Lines;
use wiretare::{Analyzer, Capture, ContentMode, Options};

use crate::support::{captures_below, corpus, samples};

/// The rows as they are printed.
fn lines(path: &Path, options: &Options) -> Option<Vec<u8>> {
    let mut capture = Capture::open(&[path.to_owned()], &options.limits).ok()?;
    let (mut analyzer, mut lines, mut out) = (Analyzer::new(options.clone()), Lines::new(options.content), Vec::new());
    let mut take = |analyzer: &mut Analyzer| {
        while let Some(row) = analyzer.poll() {
            lines.append(&row, &mut out);
        }
    };
    while let Ok(Some(packet)) = capture.next() {
        analyzer.packet(&packet);
        take(&mut analyzer);
    }
    analyzer.finish();
    take(&mut analyzer);
    Some(out)
}

fn assert_same(path: &Path) {
    for content in [ContentMode::None, ContentMode::Full] {
        let one_by_one = Options { content, digest: content == ContentMode::Full, ..Options::default() };
        let Some(expected) = lines(path, &one_by_one) else { return };
        for jobs in [1, 3] {
            let found = lines(path, &Options { batches: true, jobs, ..one_by_one.clone() }).expect("as before");
            let differs = expected.split(|&b| b == b'\n').zip(found.split(|&b| b == b'\n')).find(|(a, b)| a != b);
            let shown = differs.map(|(a, b)| [a, b].map(|line| String::from_utf8_lossy(line).into_owned()));
            assert!(expected == found, "{} with {jobs} jobs: {shown:?}", path.display());
        }
    }
}

#[test]
fn batches_change_no_octet_of_the_output() {
    samples().iter().for_each(|path| assert_same(path));
}

#[test]
fn batches_change_no_octet_of_the_output_on_the_corpus() {
    let Some(corpus) = corpus() else { return };
    for folder in ["made", "public/websocket", "public/malformed"] {
        captures_below(&corpus.join(folder)).iter().for_each(|path| assert_same(path));
    }
}
