//! Content that is left as it was sent: costs stay what they are, and only its own length is not known.

use wiretare::report::{CaptureFile, Report, Settings};
use wiretare::{Content, Cost, Head, Options, Row, Summary};

use crate::support::{analyze, sample, samples};

/// Whether content was compressed, what it cost, and what is known of it.
type Paid = (bool, Cost, Option<u64>);

fn is_encoded(head: &Head) -> bool {
    let codings = head.values("content-encoding").chain(head.values("transfer-encoding"));
    codings.flat_map(|value| value.split(|&b| b == b',')).any(|coding| !matches!(coding.trim_ascii(), b"identity" | b"chunked" | b""))
}

fn paid(rows: &[Row]) -> Vec<Paid> {
    let part = |is_encoded: bool, cost: Cost, content: &Content| (is_encoded, Cost { content_bytes: None, ..cost }, content.bytes);
    rows.iter()
        .flat_map(|row| match row {
            Row::Message(message) => vec![part(message.compressed, message.cost, &message.content)],
            Row::Exchange(exchange) => {
                let request = exchange.request.iter().map(|request| part(is_encoded(&request.head), request.cost, &request.content));
                let response = exchange.response.iter().map(|response| part(is_encoded(&response.head), response.cost, &response.content));
                request.chain(response).collect()
            }
            Row::Connection(_) => Vec::new(),
        })
        .collect()
}

#[test]
fn costs_do_not_depend_on_decoding() {
    let mut unknown = 0;
    for path in samples() {
        let rows = |decode, batches| analyze(&path, &Options { decode, batches, ..Options::default() }).map(|(rows, _)| paid(&rows));
        let Ok(decoded) = rows(true, false) else { continue };
        for batches in [false, true] {
            let undecoded = rows(false, batches).expect("as before");
            assert_eq!(decoded.len(), undecoded.len(), "{}", path.display());
            for (decoded, undecoded) in decoded.iter().zip(&undecoded) {
                let ((is_encoded, cost, known), (_, same_cost, left)) = (decoded, undecoded);
                assert_eq!(cost, same_cost, "{}", path.display());
                // A response without content has none, whatever its coding.
                assert!(left == known || *is_encoded && left.is_none(), "{}: {known:?} became {left:?}", path.display());
                unknown += usize::from(left != known);
            }
        }
    }
    assert!(unknown > 100, "{unknown} contents were compressed");
}

#[test]
fn figures_of_both_directions_are_unknown_where_nothing_is_known_of_one() {
    let options = Options { decode: false, ..Options::default() };
    let (rows, totals) = analyze(&sample("browser/ajax-and-websocket.pcapng"), &options).expect("a readable sample");
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    let report = Report::new(vec![CaptureFile::default()], Settings::new(&options), &totals, &summary);
    // No request of it has a content coding, and each response.
    let (up, down) = (&report.ajax.by_direction.client_to_server, &report.ajax.by_direction.server_to_client);
    assert!(up.efficiency.is_some() && down.efficiency.is_none());
    assert_eq!(report.ajax.figures.efficiency, None);
    let compression = down.compression;
    assert_eq!((compression.compressed_messages, compression.known_compressed_messages, compression.ratio), (50, 0, None));
    let estimate = report.comparison.counterfactual.ajax_as_websocket.expect("Ajax");
    assert!(estimate.assumptions.iter().any(|assumption| assumption.contains("content of 50 messages is not known")), "{estimate:?}");
    assert!(!estimate.assumptions.iter().any(|assumption| assumption.contains("deflated to")), "{estimate:?}");
}
