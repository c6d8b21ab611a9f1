//! Damage to captures and to reading them: what was there before it counts, the books stay right, nothing hangs or panics.

use std::io::{self, Cursor, ErrorKind, Read};

use wiretare::{Analyzer, AnomalyKind, Capture, CaptureFile, Error, Limits, Options, Row, Totals};

use crate::conversation::Conversation;
use crate::support::{difference, samples};

/// Files up to this size are cut and changed at every octet; larger ones are cut around each edge, and in steps.
const SMALL: usize = 3000;

/// A step that is no multiple of anything in a capture.
const STEP: usize = 1009;

/// What came of a capture: its rows and totals, its file, and what stopped the reading.
struct Outcome {
    rows: Vec<Row>,
    totals: Totals,
    file: CaptureFile,
    error: Option<Error>,
}

/// Analyzes what a reader gives until it ends or fails; `None` for what is refused at once. The books are checked.
fn analyze(reader: impl Read + Send + 'static) -> Option<Outcome> {
    let mut capture = match Capture::from_reader("test", reader, &Limits::default()) {
        Ok(capture) => capture,
        Err(Error::NotACapture { .. } | Error::Read { .. }) => return None,
        Err(error) => panic!("{error}"),
    };
    let mut analyzer = Analyzer::new(Options::default());
    let (mut rows, mut error) = (Vec::new(), None);
    loop {
        match capture.next() {
            Ok(Some(packet)) => analyzer.packet(&packet),
            Ok(None) => break,
            Err(failure) => {
                assert!(error.is_none(), "a reader that failed is asked again");
                error = Some(failure);
            }
        }
        rows.extend(std::iter::from_fn(|| analyzer.poll()));
    }
    analyzer.finish();
    rows.extend(std::iter::from_fn(|| analyzer.poll()));
    let totals = analyzer.totals().clone();
    assert_eq!(difference(&rows, &totals), 0);
    Some(Outcome { rows, totals, file: capture.files().remove(0), error })
}

/// Where records or blocks end, and how many packets lie before each end.
fn edges(file: &[u8]) -> Vec<(usize, u64)> {
    let word = |at: usize| file.get(at..at + 4).map(|octets| u32::from_le_bytes(octets.try_into().expect("four octets")));
    let is_pcapng = word(0) == Some(0x0a0d_0d0a);
    let mut edges = if is_pcapng { vec![] } else { vec![(24, 0)] };
    let (mut at, mut packets) = (edges.last().map_or(0, |&(end, _)| end), 0);
    while at < file.len() {
        // A block's total length stands at 4; a record's captured length at 8, behind a header of 16.
        let (len, is_packet) = if is_pcapng { (word(at + 4), word(at) == Some(6)) } else { (word(at + 8).map(|len| len + 16), true) };
        at += len.expect("a sound sample") as usize;
        packets += u64::from(is_packet);
        edges.push((at, packets));
    }
    edges
}

#[test]
fn capture_cut_anywhere_holds_what_was_before_the_cut() {
    for path in samples() {
        let file = std::fs::read(&path).expect("a sample");
        let edges = edges(&file);
        let mut cuts: Vec<usize> = edges.iter().flat_map(|&(end, _)| [end.saturating_sub(1), end, end + 1, end + 17]).collect();
        cuts.extend((0..file.len()).step_by(if file.len() <= SMALL { 1 } else { STEP }));
        cuts.retain(|&cut| cut <= file.len());
        cuts.sort_unstable();
        cuts.dedup();
        // Each is analyzed from its beginning: of the many edges of a large one, some.
        let stride = (cuts.len() * file.len() / 3_000_000).max(1);
        for &cut in cuts.iter().step_by(stride) {
            let Some(outcome) = analyze(Cursor::new(file[..cut].to_vec())) else {
                assert!(cut < 28, "{} cut at {cut} is refused", path.display());
                continue;
            };
            let (end, packets) = edges.iter().copied().rev().find(|(end, _)| *end <= cut).unwrap_or_default();
            let said = outcome.file.anomalies.count(AnomalyKind::TruncatedCapture);
            assert_eq!(
                (outcome.totals.packets, outcome.file.truncated, said),
                (packets, end != cut, u64::from(end != cut)),
                "{} cut at {cut}",
                path.display()
            );
        }
    }
}

#[test]
fn any_octet_changed_keeps_the_books_and_what_was_before_it() {
    for path in samples() {
        let file = std::fs::read(&path).expect("a sample");
        if file.len() > SMALL {
            continue;
        }
        let edges = edges(&file);
        for at in 0..file.len() {
            for change in [0x01, 0x40, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= change;
                let Some(outcome) = analyze(Cursor::new(changed)) else {
                    assert!(at < 28, "{} changed at {at} is refused", path.display());
                    continue;
                };
                let before = edges.iter().rev().find(|(end, _)| *end <= at).map_or(0, |&(_, packets)| packets);
                // A section or an interface that is not understood takes its packets with it.
                let is_described = edges.iter().any(|&(end, packets)| packets > 0 && end <= at);
                assert!(!is_described || outcome.totals.packets >= before, "{} changed at {at}", path.display());
            }
        }
    }
}

/// Gives a few octets with each read; at some call it says something else.
struct Reluctant<F> {
    file: Cursor<Vec<u8>>,
    piece: usize,
    calls: usize,
    says: F,
}

impl<F: FnMut(usize) -> Option<ErrorKind>> Read for Reluctant<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if let Some(kind) = (self.says)(self.calls) {
            return Err(io::Error::new(kind, "the disk is gone"));
        }
        let len = into.len().min(self.piece);
        self.file.read(&mut into[..len])
    }
}

fn reluctant(file: &[u8], piece: usize, says: impl FnMut(usize) -> Option<ErrorKind> + Send + 'static) -> impl Read + Send + 'static {
    Reluctant { file: Cursor::new(file.to_vec()), piece, calls: 0, says }
}

/// Polls and a close, as pcap and as gzip of it.
fn captures() -> [Vec<u8>; 2] {
    let mut conversation = Conversation::open();
    for _ in 0..5 {
        conversation.client("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    let pcap = conversation.close().pcap();
    let gzip = gzip(&pcap);
    [pcap, gzip]
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::read::GzEncoder::new(octets, flate2::Compression::fast());
    let mut gzip = Vec::new();
    encoder.read_to_end(&mut gzip).expect("reading from a slice");
    gzip
}

#[test]
fn rows_do_not_depend_on_how_octets_come() {
    for file in captures() {
        let whole = analyze(Cursor::new(file.clone())).expect("a capture").rows;
        assert_eq!(whole.iter().filter(|row| matches!(row, Row::Exchange(_))).count(), 5);
        for piece in [1, 2, 7, 64] {
            let interrupted = |call: usize| (!call.is_multiple_of(3)).then_some(ErrorKind::Interrupted);
            assert_eq!(analyze(reluctant(&file, piece, |_| None)).expect("a capture").rows, whole);
            assert_eq!(analyze(reluctant(&file, piece, interrupted)).expect("a capture").rows, whole);
        }
    }
}

#[test]
fn failing_read_is_an_error_and_what_came_before_it_counts() {
    let [pcap, gzip] = captures();
    let edges = edges(&pcap);
    for kind in [ErrorKind::Other, ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::UnexpectedEof] {
        for failing in 1_usize.. {
            let read = ((failing - 1) * 10).min(pcap.len());
            // The call that meets the end is the last one.
            if failing.saturating_sub(2) * 10 >= pcap.len() {
                break;
            }
            let fails = move |call: usize| (call == failing).then_some(kind);
            let Some(outcome) = analyze(reluctant(&pcap, 10, fails)) else {
                assert!(read < 24, "refused after {read} octets");
                continue;
            };
            let packets = edges.iter().rev().find(|(end, _)| *end <= read).map_or(0, |&(_, packets)| packets);
            assert_eq!(outcome.totals.packets, packets, "{kind:?} after {read} octets");
            match outcome.error {
                Some(Error::Read { offset, source, .. }) => assert_eq!((offset, source.kind()), (read as u64, kind)),
                other => panic!("{other:?} after {read} octets"),
            }
        }
        // The same below a decompressor: an error of the reader is no damage to the file.
        for failing in 4..gzip.len() / 10 {
            let outcome = analyze(reluctant(&gzip, 10, move |call| (call == failing).then_some(kind))).expect("a capture");
            assert!(matches!(outcome.error, Some(Error::Read { source, .. }) if source.kind() == kind));
            assert_eq!(outcome.file.anomalies.count(AnomalyKind::DamagedCompression), 0);
        }
    }
}
