//! A frame that a capture lacks costs the exchanges that it carried, and no other one.

use std::collections::HashSet;

use wiretare::{Cost, Options, Row};

use crate::rewrite::{OwnedPacket, analyze, packets};
use crate::support::sample;

/// The first and last frames of a request and of its response.
type Frames = [(u64, u64); 2];

/// Samples whose clients wait for each response. Behind a response that was lost to a client that does not, counting does not tell
/// which is whose.
const WAITING: [&str; 7] = [
    "browser/ajax-and-websocket.pcapng",
    "classifier/with-metadata.pcapng",
    "classifier/without-metadata.pcapng",
    "deck/deck.pcap",
    "polling/polling.pcapng",
    "refused/refused.pcapng",
    "socketio/polling-then-websocket.pcapng",
];

/// Frames of the exchanges that have both sides, numbered as in the whole capture.
fn exchanges(packets: &[OwnedPacket]) -> HashSet<Frames> {
    let frames = |cost: &Cost| {
        let number = |frame: u64| packets[frame as usize - 1].original;
        (number(cost.provenance.first.number), number(cost.provenance.last.number))
    };
    let (rows, _) = analyze(packets, &Options::default());
    let sides =
        rows.iter().filter_map(|row| if let Row::Exchange(row) = row { row.request.as_ref().zip(row.response.as_ref()) } else { None });
    sides.map(|(request, response)| [frames(&request.cost), frames(&response.cost)]).collect()
}

fn has(exchange: &Frames, number: u64) -> bool {
    exchange.iter().any(|&(first, last)| (first..=last).contains(&number))
}

#[test]
fn a_lost_frame_costs_no_exchange_but_its_own() {
    for name in WAITING {
        let whole = packets(&sample(name));
        let all = exchanges(&whole);
        assert!(!all.is_empty(), "{name} has exchanges");
        for lost in all.iter().flat_map(|exchange| exchange.iter().flat_map(|&(first, last)| first..=last)).collect::<HashSet<_>>() {
            let rest: Vec<_> = whole.iter().filter(|packet| packet.original != lost).cloned().collect();
            let found = exchanges(&rest);
            let missing: Vec<_> = all.iter().filter(|exchange| !has(exchange, lost) && !found.contains(*exchange)).collect();
            assert!(missing.is_empty(), "{name} without frame {lost}: {missing:?}");
        }
    }
}
