//! What a person should do about it: each finding with the octets it would save, and frames to look at.

use serde::Serialize;

use super::{plural, ratio};
use crate::account::{SideTotals, Sighting, Summary};
use crate::message::{Bucket, Side};

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Stable name.
    pub id: &'static str,
    /// What was seen, a sentence.
    pub message: String,
    /// Octets on the wire that would be saved; `None` where they cannot be told from the capture.
    pub saving_bytes: Option<u64>,
    /// The same in per cent of everything its side paid.
    pub saving_percent: Option<f64>,
    /// What the saving rests on, a sentence.
    pub assumption: &'static str,
    /// Frames that show it (`frame.number`), the first few.
    pub frames: Vec<u64>,
}

/// Findings of a summary, largest saving first.
pub fn findings(summary: &Summary) -> Vec<Finding> {
    let (ajax, websocket) = (summary.side(Side::Ajax), summary.side(Side::WebSocket));
    let mut findings: Vec<_> = [
        not_kept_alive(summary, ajax),
        empty_answers(ajax),
        repeated_cookies(ajax),
        grown_messages(websocket),
        heartbeats(websocket),
        not_compressed(websocket),
    ]
    .into_iter()
    .flatten()
    .collect();
    findings.sort_by(|a, b| b.saving_bytes.cmp(&a.saving_bytes).then(a.id.cmp(b.id)));
    findings
}

fn finding(
    id: &'static str,
    message: String,
    side: &SideTotals,
    saving: Option<u64>,
    assumption: &'static str,
    seen: Option<Sighting>,
) -> Finding {
    Finding {
        id,
        message,
        saving_bytes: saving,
        saving_percent: saving.and_then(|saving| ratio(saving.saturating_mul(100), side.all_in_wire_bytes())),
        assumption,
        frames: seen.iter().flat_map(Sighting::frames).collect(),
    }
}

fn not_kept_alive(summary: &Summary, ajax: &SideTotals) -> Option<Finding> {
    let (connections, pairs) = (ajax.connections, summary.ajax_pairs().max(1));
    // Browsers open up to six connections to a host; more than that for each pair, with hardly an exchange each, is no pool.
    if connections <= 6 * pairs || ajax.exchanges.count >= 2 * connections {
        return None;
    }
    let setup = [Bucket::TcpSetup, Bucket::TlsSetup, Bucket::Teardown].map(|bucket| ajax.bucket(bucket)).iter().sum::<u64>();
    let saving = (u128::from(setup) * u128::from(connections - pairs) / u128::from(connections)) as u64;
    let message = format!(
        "{connections} connections carried {} Ajax exchanges between {pairs} client and server {}",
        ajax.exchanges.count,
        plural(pairs, "pair", "pairs")
    );
    let assumption = "one kept-alive connection for each client and server pair saves the set-up and teardown of the others";
    Some(finding("connections-not-kept-alive", message, ajax, Some(saving), assumption, None))
}

fn empty_answers(ajax: &SideTotals) -> Option<Finding> {
    let seen = ajax.exchanges.empty_answers;
    (seen.count > 0).then(|| {
        let message = format!("{} of {} Ajax exchanges brought no content", seen.count, ajax.exchanges.count);
        let assumption = "pushing only what is new needs none of these exchanges; their acknowledgements are not counted";
        finding("empty-answers", message, ajax, Some(seen.bytes), assumption, Some(seen))
    })
}

fn repeated_cookies(ajax: &SideTotals) -> Option<Finding> {
    let seen = ajax.exchanges.cookies;
    (seen.count > 1).then(|| {
        let saving = seen.bytes - seen.bytes / seen.count;
        let message = format!("{} Ajax requests sent cookies, {} bytes each on average", seen.count, seen.bytes / seen.count);
        let assumption = "sent once, as a WebSocket's opening handshake does, instead of with every request";
        finding("cookies-repeated", message, ajax, Some(saving), assumption, Some(seen))
    })
}

fn grown_messages(websocket: &SideTotals) -> Option<Finding> {
    let compression = websocket.compression();
    let seen = compression.grown;
    (seen.count > 0).then(|| {
        let message =
            format!("compression made {} of {} compressed WebSocket messages bigger", seen.count, compression.compressed_messages);
        finding("compression-grows-messages", message, websocket, Some(seen.bytes), "these messages sent uncompressed", Some(seen))
    })
}

fn heartbeats(websocket: &SideTotals) -> Option<Finding> {
    let liveness = websocket.money(|direction| direction.liveness);
    let messages = websocket.money(|direction| direction.messages);
    (liveness.wire_bytes() > messages.wire_bytes() && liveness.messages > 2).then(|| {
        let message = format!("{} ping and pong frames outweigh {} messages", liveness.messages, messages.messages);
        let assumption = "half as many heartbeats; those that keep a proxy from closing the connection must stay";
        finding("heartbeats-outweigh-data", message, websocket, Some(liveness.wire_bytes() / 2), assumption, None)
    })
}

fn not_compressed(websocket: &SideTotals) -> Option<Finding> {
    let messages = websocket.money(|direction| direction.messages);
    let compressed = websocket.compression().compressed_messages;
    // Below 128 octets on average deflate without a shared context gains next to nothing.
    (compressed == 0 && messages.messages > 0 && messages.encoded_bytes / messages.messages >= 128).then(|| {
        let message = format!(
            "none of {} WebSocket messages was compressed, {} bytes of payload each on average",
            messages.messages,
            messages.encoded_bytes / messages.messages
        );
        finding(
            "compression-not-used",
            message,
            websocket,
            None,
            "depends on the content; permessage-deflate (RFC 7692) must be offered by the client and accepted by the server",
            None,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{cost, deck_exchange, deck_message, request, response};
    use crate::message::{Direction, Opcode, Row};

    #[test]
    fn empty_polls_cookies_and_grown_messages_are_found() {
        let mut summary = Summary::default();
        for poll in 0..4 {
            let mut exchange = deck_exchange();
            let mut asked = request("GET /poll HTTP/1.1", &[("Host", "a.example"), ("Cookie", "sid=0123456789")]);
            asked.cost = cost(10 + 2 * poll, 20, 100, 0, Some(0));
            let mut answered = response(304, &[]);
            answered.cost = cost(11 + 2 * poll, 20, 40, 0, Some(0));
            (exchange.request, exchange.response) = (Some(asked), Some(answered));
            summary.add(&Row::Exchange(Box::new(exchange)));
        }
        let mut grown = deck_message(1, 1, Direction::ServerToClient, Opcode::Text);
        grown.cost.content_bytes = Some(10);
        summary.add(&Row::Message(grown));
        let found: Vec<_> = findings(&summary).into_iter().map(|f| (f.id, f.saving_bytes, f.saving_percent, f.frames)).collect();
        // A poll is 154 + 94 = 248 octets, 992 for four. `Cookie: sid=0123456789` and CRLF are 24 octets, three of four are
        // repeats: 72 of 992 = 7.25806 %. 17 octets for content of 10: 7 of 89 = 7.86517 %.
        let expected = [
            ("empty-answers", Some(992), Some(100.0), vec![11, 13, 15, 17]),
            ("cookies-repeated", Some(72), Some(7.25806), vec![10, 12, 14, 16]),
            ("compression-grows-messages", Some(7), Some(7.86517), vec![136]),
        ];
        assert_eq!(found, expected);
    }
}
