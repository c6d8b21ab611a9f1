//! What each side would have cost as the other: a range, with the assumptions it rests on.

use serde::Serialize;

use super::break_even::{fixed_bytes, fixed_connections};
use super::plural;
use crate::account::{DirectionTotals, Reframed, SideTotals, Summary};
use crate::message::{Bucket, Direction, Side};

/// Link, IP and TCP headers of a segment where none was seen: Ethernet 14, IPv4 20, TCP with timestamps 32.
const HEADER_BYTES: u64 = 66;

/// Packets that open and close a connection with its opening handshake: 3 SYN and ACK, 2 handshake, 1 ACK, 4 FIN and ACK.
const SETUP_PACKETS: u64 = 10;

/// The same without the opening handshake.
const TCP_SETUP_PACKETS: u64 = 7;

/// What an opening handshake adds to a request (RFC 6455 §4.1).
const UPGRADE_FIELDS: &str = "Upgrade: websocket\r\nSec-WebSocket-Key: zigDl7tK3w+TZ4Tbo1PsrA==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/// The shortest answer to it (RFC 6455 §4.2.2).
const UPGRADE_ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: Gt6vEo8L5pzXgPWBvuIRh5wv5hM=\r\n\r\n";

/// Header sections of an exchange where no HTTP request at all was seen, in octets: request, response.
const HEAD_BYTES: (u64, u64) = (400, 200);

/// Both directions of the question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counterfactual {
    /// The Ajax exchanges, had they been WebSocket messages; `None` without Ajax.
    pub ajax_as_websocket: Option<Estimate>,
    /// The WebSocket messages, had they been Ajax exchanges; `None` without WebSocket messages.
    pub websocket_as_ajax: Option<Estimate>,
}

/// A range: what was observed, and what the same would have cost otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// All in, in octets on the wire.
    pub observed_wire_bytes: u64,
    /// Low end, in octets on the wire.
    pub low_wire_bytes: u64,
    /// High end, in octets on the wire.
    pub high_wire_bytes: u64,
    /// Captured frames at the low end.
    pub low_packets: u64,
    /// Captured frames at the high end.
    pub high_packets: u64,
    /// Deliveries of the side as observed.
    pub deliveries: u64,
    /// What the range rests on, sentences.
    pub assumptions: Vec<String>,
}

impl Counterfactual {
    /// Both estimates of a summary.
    pub fn new(summary: &Summary) -> Self {
        Self { ajax_as_websocket: ajax_as_websocket(summary), websocket_as_ajax: websocket_as_ajax(summary) }
    }
}

fn ajax_as_websocket(summary: &Summary) -> Option<Estimate> {
    let (ajax, websocket) = (summary.side(Side::Ajax), summary.side(Side::WebSocket));
    if ajax.exchanges.count == 0 {
        return None;
    }
    let header = header_bytes(ajax);
    let tls = tls_bytes(ajax);
    let pairs = summary.ajax_pairs().max(1);
    let (setup, setup_assumption) = if websocket.upgrades > 0 {
        let setup = fixed_bytes(websocket) / fixed_connections(websocket);
        (setup, format!("set-up, opening handshake and teardown of {setup} bytes, the mean of the WebSocket connections in this capture"))
    } else {
        let request = mean_framing(ajax.direction(Direction::ClientToServer)).unwrap_or(HEAD_BYTES.0) + UPGRADE_FIELDS.len() as u64;
        let setup = SETUP_PACKETS * header + request + UPGRADE_ANSWER.len() as u64;
        (
            setup,
            format!(
                "set-up, opening handshake and teardown of {setup} bytes: an Ajax request with the WebSocket fields, {SETUP_PACKETS} packets"
            ),
        )
    };
    let bytes = |reframed: Reframed, acknowledgements: u64| {
        reframed.payload_bytes + (reframed.segments + acknowledgements) * header + reframed.messages * tls + pairs * setup
    };
    let (low, high) = (ajax.as_websocket.low, ajax.as_websocket.high);
    let assumptions = vec![
        format!("{header} bytes of link, IP and TCP headers a segment, {tls} bytes of TLS a message, as seen on the Ajax side"),
        format!("{setup_assumption}, once for each of {pairs} client and server {}", plural(pairs, "pair", "pairs")),
        "high: each exchange becomes two messages, the request's target standing for a request without content, uncompressed, each acknowledged by a segment of its own".into(),
        "low: answers without content (empty, 204, 304) and questions without content vanish, content as HTTP encoded it, acknowledgements ride along".into(),
        "one frame for each message, client frames masked (RFC 6455 section 5.2), 1448 bytes of payload a segment".into(),
    ];
    let ends = [
        (bytes(low, 0), low.segments + pairs * SETUP_PACKETS),
        (bytes(high, high.messages), high.segments + high.messages + pairs * SETUP_PACKETS),
    ];
    Some(Estimate::new(ajax, ends, assumptions))
}

fn websocket_as_ajax(summary: &Summary) -> Option<Estimate> {
    let websocket = summary.side(Side::WebSocket);
    let messages = websocket.as_ajax;
    if messages.client_messages + messages.server_messages == 0 {
        return None;
    }
    let header = header_bytes(websocket);
    let tls = tls_bytes(websocket);
    let ((request, response), heads_assumption) = header_sections(summary);
    // TCP and TLS are set up as they were; what HTTP needs no more is the opening handshake and the Close.
    let connections = fixed_connections(websocket);
    let setup = [Bucket::TcpSetup, Bucket::TlsSetup, Bucket::Teardown].map(|bucket| websocket.bucket(bucket)).iter().sum::<u64>();
    let exchange = request + response + 2 * (header + tls);
    let low_exchanges = messages.client_messages.max(messages.shared_answers);
    let high_exchanges = messages.client_messages + messages.server_messages + messages.idle_polls;
    let low = low_exchanges * exchange + messages.encoded_bytes + messages.extra_segments * header + setup;
    let high = high_exchanges * (exchange + 2 * header) + messages.content_bytes + messages.extra_segments * header + setup;
    let carriers = messages.extra_segments + connections * TCP_SETUP_PACKETS;
    let polls = match messages.idle_polls {
        0 => String::new(),
        polls => format!(" {polls} held {} ended after 30 s without news,", plural(polls, "poll", "polls")),
    };
    let assumptions = vec![
        format!("header sections of {request} bytes a request and {response} bytes a response, {heads_assumption}"),
        format!("{header} bytes of link, IP and TCP headers a segment, {tls} bytes of TLS a message, as seen on the WebSocket side"),
        "low: long polling; messages of a connection within one second share an answer (which adds up to 1 s of waiting), or ride on the answer to a POST; content as encoded, acknowledgements ride along".into(),
        format!("high: each message an exchange of its own, uncompressed,{polls} each message acknowledged by a segment of its own"),
        "connections are set up and closed as the WebSocket's were".into(),
    ];
    let ends = [(low, 2 * low_exchanges + carriers), (high, 4 * high_exchanges + carriers)];
    Some(Estimate::new(websocket, ends, assumptions))
}

impl Estimate {
    fn new(side: &SideTotals, ends: [(u64, u64); 2], assumptions: Vec<String>) -> Self {
        // Messages that compression made bigger can turn the ends around.
        let [(a, a_packets), (b, b_packets)] = ends;
        Self {
            observed_wire_bytes: side.all_in_wire_bytes(),
            low_wire_bytes: a.min(b),
            high_wire_bytes: a.max(b),
            low_packets: a_packets.min(b_packets),
            high_packets: a_packets.max(b_packets),
            deliveries: side.deliveries,
            assumptions,
        }
    }
}

/// Mean headers of a segment, from messages that one frame carried, rounded up.
pub(crate) fn header_bytes(side: &SideTotals) -> u64 {
    match side.sum(|direction| direction.single_frame_messages) {
        0 => HEADER_BYTES,
        messages => side.sum(|direction| direction.single_frame_header_bytes).div_ceil(messages),
    }
}

/// Mean TLS octets of a message, rounded up.
fn tls_bytes(side: &SideTotals) -> u64 {
    let messages = side.money(|direction| direction.messages);
    messages.bytes.tls.div_ceil(messages.messages.max(1))
}

fn mean_framing(direction: &DirectionTotals) -> Option<u64> {
    direction.messages.framing_bytes.checked_div(direction.messages.messages)
}

/// Header sections (request, response) that these clients send, and where they were seen.
fn header_sections(summary: &Summary) -> ((u64, u64), &'static str) {
    let of = |side: Side, direction| mean_framing(summary.side(side).direction(direction));
    let pair = |side| of(side, Direction::ClientToServer).zip(of(side, Direction::ServerToClient));
    if let Some(heads) = pair(Side::Ajax) {
        return (heads, "the mean of the Ajax exchanges in this capture");
    }
    let response = of(Side::OtherHttp, Direction::ServerToClient).unwrap_or(HEAD_BYTES.1);
    if let Some(request) = summary.plain_upgrade_request_bytes() {
        return ((request, response), "those of the upgrade requests less the WebSocket fields");
    }
    (pair(Side::OtherHttp).unwrap_or(HEAD_BYTES), "assumed, since no header section of Ajax or of an opening handshake was captured")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::deck_rows;

    fn ends(estimate: Option<Estimate>) -> (u64, u64, u64, u64, u64) {
        let e = estimate.expect("the side is not empty");
        (e.observed_wire_bytes, e.low_wire_bytes, e.high_wire_bytes, e.low_packets, e.high_packets)
    }

    #[test]
    fn the_deck_as_the_other() {
        let mut summary = Summary::default();
        deck_rows().iter().for_each(|row| summary.add(row));
        let counterfactual = Counterfactual::new(&summary);
        // Ajax as WebSocket, 54 octets of headers, 892 set-up (see break_even):
        // low: the answer, 4 + 187, one segment: 191 + 54 + 892 = 1137; 1 + 10 packets.
        // high: the target `/lorem?_=1` masked, 2 + 4 + 10, and 4 + 262: 282 + (2 + 2) · 54 + 892 = 1390; 2 + 2 + 10 packets.
        assert_eq!(ends(counterfactual.ajax_as_websocket), (1079, 1137, 1390, 11, 14));
        // WebSocket as Ajax, 66 octets of headers, header sections 188 each, set-up and teardown 210 + 132 = 342:
        // low: one exchange carries both: 376 + 2 · 66 + 34 encoded + 342 = 884; 2 + 7 packets.
        // high: 2 exchanges and 5 idle polls in 179 s: 7 · (376 + 4 · 66) + 48 content + 342 = 4870; 28 + 7 packets.
        assert_eq!(ends(counterfactual.websocket_as_ajax), (1225, 884, 4870, 9, 35));
        assert_eq!(Counterfactual::new(&Summary::default()), Counterfactual::default());
    }
}
