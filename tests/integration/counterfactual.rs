//! What one side would have cost as the other, held to captures in which the same job was done both ways.

use std::collections::HashSet;

use wiretare::report::{CaptureFile, Report, Settings};
use wiretare::{Options, Row, Side, Summary, Totals};

use crate::support::{analyze, sample};

fn report(rows: &[Row]) -> Report {
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    Report::new(vec![CaptureFile::default()], Settings::new(&Options::default()), &Totals::default(), &summary)
}

/// Low end, high end, and what the same cost when it was done that way.
#[derive(Debug)]
struct Held {
    low: u64,
    high: u64,
    measured: u64,
}

impl Held {
    fn contains(&self) -> bool {
        (self.low..=self.high).contains(&self.measured)
    }

    /// By how much the middle of the range misses, in per cent of what was measured.
    fn miss(&self) -> f64 {
        let middle = (self.low + self.high) as f64 / 2.0;
        (middle - self.measured as f64) / self.measured as f64 * 100.0
    }
}

/// Both predictions of a capture in which as much was done one way as the other.
fn predictions(rows: &[Row]) -> [Held; 2] {
    let report = report(rows);
    let both = &report.comparison.counterfactual;
    let (ajax, websocket) = (report.ajax.figures.all_in_wire_bytes, report.websocket.figures.all_in_wire_bytes);
    let held = |estimate: &Option<wiretare::analysis::counterfactual::Estimate>, measured| {
        let estimate = estimate.as_ref().expect("both sides are there");
        Held { low: estimate.low_wire_bytes, high: estimate.high_wire_bytes, measured }
    };
    [held(&both.ajax_as_websocket, websocket), held(&both.websocket_as_ajax, ajax)]
}

/// The page asks the same 25 questions by fetch(), by XMLHttpRequest and by WebSocket: the rows of one of the first two, and of the
/// third. What the connection of the first two cost beside its messages is all charged to the one that is looked at.
fn one_job_each_way(first: bool) -> Vec<Row> {
    let (rows, _) = analyze(&sample("browser/ajax-and-websocket.pcapng"), &Options::default()).expect("a readable sample");
    let asked: Vec<u64> = rows
        .iter()
        .filter_map(|row| if let Row::Exchange(exchange) = row { (exchange.side == Side::Ajax).then_some(exchange.number) } else { None })
        .collect();
    assert_eq!(asked.len(), 50);
    let wanted: HashSet<u64> = if first { asked[..25].iter().copied().collect() } else { asked[25..].iter().copied().collect() };
    rows.into_iter()
        .filter(|row| !matches!(row, Row::Exchange(exchange) if exchange.side == Side::Ajax && !wanted.contains(&exchange.number)))
        .collect()
}

#[test]
fn what_was_done_both_ways_lies_in_the_ranges() {
    for first in [true, false] {
        let [as_websocket, as_ajax] = predictions(&one_job_each_way(first));
        assert!(as_websocket.contains(), "{as_websocket:?}");
        assert!(as_ajax.contains(), "{as_ajax:?}");
        // Messages that are alike, with the context kept, lie near the low end. docs/accounting.md quotes the figures.
        assert!((70.0..100.0).contains(&as_websocket.miss()), "{as_websocket:?}: {:.0} %", as_websocket.miss());
        assert!((30.0..55.0).contains(&as_ajax.miss()), "{as_ajax:?}: {:.0} %", as_ajax.miss());
    }
}
