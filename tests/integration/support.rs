//! What the tests share: reading captures, and rows reduced to what may not depend on segmentation.

use std::io::Write;
use std::path::{Path, PathBuf};

use wiretare::{Analyzer, AnomalyCounts, Capture, Limits, Options, Reassembly, Row, Segment, Sliced, Totals, slice};

/// A capture of samples/.
pub(crate) fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(path)
}

/// Every capture below samples/, in a fixed order.
pub(crate) fn samples() -> Vec<PathBuf> {
    captures_below(&sample(""))
}

/// Every file below a folder that is named like a capture, in a fixed order.
pub(crate) fn captures_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of captures").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && name != "node_modules" {
                folders.push(path);
            } else if name.contains(".pcap") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The captures made by others stand beside the project; without them a test says that it was skipped.
pub(crate) fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if corpus.is_dir() {
        return Some(corpus);
    }
    assert!(std::env::var_os("WIRETARE_REQUIRE_CORPUS").is_none(), "the corpus is demanded and is not at {}", corpus.display());
    skipped(format_args!("no corpus at {}", corpus.display()));
    None
}

/// All rows and the totals of a capture.
pub(crate) fn analyze(path: &Path, options: &Options) -> wiretare::Result<(Vec<Row>, Totals)> {
    let mut capture = Capture::open(&[path.to_owned()], &options.limits)?;
    let mut analyzer = Analyzer::new(options.clone());
    let mut rows = Vec::new();
    while let Some(packet) = capture.next()? {
        analyzer.packet(&packet);
        rows.extend(std::iter::from_fn(|| analyzer.poll()));
    }
    analyzer.finish();
    rows.extend(std::iter::from_fn(|| analyzer.poll()));
    Ok((rows, analyzer.totals().clone()))
}

/// Octets on the wire that rows and totals do not account for: 0, always.
pub(crate) fn difference(rows: &[Row], totals: &Totals) -> i128 {
    let mut booked = i128::from(totals.not_tcp_bytes) + i128::from(totals.duplicate_bytes);
    for row in rows {
        booked += i128::from(match row {
            Row::Exchange(exchange) => exchange.wire_bytes(),
            Row::Message(message) => message.cost.wire_bytes(),
            Row::Connection(connection) => connection.buckets.total(),
        });
    }
    i128::from(totals.wire_bytes) - booked
}

/// A segment with its own payload, to be cut, moved and repeated.
#[derive(Clone, Debug)]
pub(crate) struct OwnedSegment {
    pub(crate) segment: Segment<'static>,
    pub(crate) payload: Vec<u8>,
}

impl OwnedSegment {
    fn of(segment: &Segment<'_>) -> Self {
        let payload = segment.payload.to_vec();
        Self { segment: Segment { payload: &[], options: &[], ..*segment }, payload }
    }

    pub(crate) fn borrowed(&self) -> Segment<'_> {
        Segment { payload: &self.payload, ..self.segment }
    }
}

/// The segments of a capture, in captured order.
pub(crate) fn segments(path: &Path) -> Vec<OwnedSegment> {
    let mut capture = Capture::open(&[path.to_owned()], &Limits::default()).expect("a readable sample");
    let mut segments = Vec::new();
    let mut reassembly = Reassembly::new(&Options::default());
    while let Some(packet) = capture.next().expect("a readable sample") {
        match slice(&packet) {
            Sliced::Segment(segment) => segments.push(OwnedSegment::of(&segment)),
            Sliced::Fragment(fragment) => {
                let datagram = reassembly.join(&fragment, &mut AnomalyCounts::default());
                if let Some(Sliced::Segment(segment)) = datagram.as_ref().map(wiretare::Datagram::slice) {
                    segments.push(OwnedSegment::of(&segment));
                }
            }
            Sliced::NotTcp(_) => {}
        }
    }
    segments
}

/// Rows of segments; frames are numbered anew.
pub(crate) fn rows_of(segments: &[OwnedSegment], options: &Options) -> Vec<Row> {
    let mut analyzer = Analyzer::new(options.clone());
    let mut rows = Vec::new();
    for (number, owned) in (1..).zip(segments) {
        let mut segment = owned.borrowed();
        segment.frame.number = number;
        analyzer.receive(&segment);
        rows.extend(std::iter::from_fn(|| analyzer.poll()));
    }
    analyzer.finish();
    rows.extend(std::iter::from_fn(|| analyzer.poll()));
    rows
}

/// What of the rows may not depend on how TCP carried them, ordered by connection, direction and number.
pub(crate) fn essence(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<(u64, u8, u64, String)> = rows.iter().filter_map(essential).collect();
    lines.sort();
    lines.into_iter().map(|(connection, direction, number, text)| format!("{connection}/{direction}/{number} {text}")).collect()
}

fn essential(row: &Row) -> Option<(u64, u8, u64, String)> {
    let bytes = |cost: &wiretare::Cost| (cost.content_bytes, cost.encoded_bytes, cost.framing_bytes, cost.lost_bytes);
    match row {
        Row::Exchange(exchange) => {
            let request = exchange
                .request
                .as_ref()
                .map(|r| (String::from_utf8_lossy(r.head.raw()).into_owned(), bytes(&r.cost), r.content.sha256.clone()));
            let response = exchange.response.as_ref().map(|r| (r.status, bytes(&r.cost), r.content.sha256.clone()));
            let text = format!("{request:?} {response:?} {:?} {:?} {:?}", exchange.informational, exchange.upgrade, exchange.side);
            Some((exchange.connection, 2, exchange.number, text))
        }
        Row::Message(message) => {
            let text = format!(
                "{:?} {:?} {} {} {} {:?} {:?} {:?}",
                message.opcode,
                bytes(&message.cost),
                message.fragments,
                message.compressed,
                message.masked,
                message.close,
                message.content.sha256,
                message.anomalies
            );
            Some((message.connection, message.direction as u8, message.number, text))
        }
        Row::Connection(_) => None,
    }
}

/// Says that a test, or a part of one, was skipped, and why: also where the test passes, of which only what macros print is hidden.
pub(crate) fn skipped(why: impl std::fmt::Display) {
    writeln!(std::io::stderr(), "skipped: {why}").expect("standard error");
}
