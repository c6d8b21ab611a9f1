//! What each side would have cost as the other: a range, with the assumptions it rests on.

mod assumed;

use serde::Serialize;

use super::break_even::{fixed_bytes, fixed_connections};
use super::{plural, ratio};
use crate::account::{Pushed, Reframed, SideTotals, Summary};
use crate::message::{Bucket, Direction, Side};
use crate::options::{AssumedCompression, AssumedRequests, thousands};
use assumed::{
    content_is, exchanges_are, incomplete, larger_segments, longer_messages, not_understood, polls_are, requests_become, unknown_content,
};

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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Counterfactual {
    /// The Ajax exchanges, had they been WebSocket messages; `None` without an Ajax exchange that was captured whole.
    pub ajax_as_websocket: Option<Estimate>,
    /// The WebSocket messages, had they been Ajax exchanges; `None` without WebSocket messages.
    pub websocket_as_ajax: Option<Estimate>,
}

/// A range: what was observed, and what the same would have cost otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// All in, in octets on the wire.
    pub observed_wire_bytes: u64,
    /// Low end, in octets on the wire.
    pub low_wire_bytes: u64,
    /// High end, in octets on the wire.
    pub high_wire_bytes: u64,
    /// Low end ÷ observed.
    pub low_ratio: Option<f64>,
    /// High end ÷ observed.
    pub high_ratio: Option<f64>,
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
    if ajax.exchanges.whole_count() == 0 {
        return None;
    }
    let header = header_bytes(ajax);
    let tls = tls_bytes(ajax);
    let pairs = summary.ajax_pairs().max(1);
    let (setup, setup_assumption) = if websocket.upgrades > 0 {
        let setup = fixed_bytes(websocket) / fixed_connections(websocket);
        (
            setup,
            format!(
                "set-up, opening handshake and teardown of {} bytes, the mean of the WebSocket connections in this capture",
                thousands(setup)
            ),
        )
    } else {
        let request =
            ajax.direction(Direction::ClientToServer).header_sections.mean().unwrap_or(HEAD_BYTES.0) + UPGRADE_FIELDS.len() as u64;
        let setup = SETUP_PACKETS * header + request + UPGRADE_ANSWER.len() as u64;
        (
            setup,
            format!(
                "set-up, opening handshake and teardown of {} bytes: an Ajax request with the WebSocket fields, {SETUP_PACKETS} packets",
                thousands(setup)
            ),
        )
    };
    let asks = summary.assumptions();
    let bytes = |reframed: Reframed, acknowledgements: u64| {
        reframed.payload_bytes + (reframed.segments + acknowledgements) * header + reframed.messages * tls + pairs * setup
    };
    let deflated = deflated_share(websocket);
    let (news, each) = (&ajax.as_websocket.news, &ajax.as_websocket.each);
    let low_questions = if asks.requests == AssumedRequests::Own { each } else { news };
    let high_questions = if asks.requests == AssumedRequests::Shared { news } else { each };
    let low = if asks.compression == AssumedCompression::None { sum(low_questions.decoded) } else { compressed(low_questions, deflated) };
    let high =
        if asks.compression == AssumedCompression::Deflate { compressed(high_questions, deflated) } else { sum(high_questions.decoded) };
    let mut assumptions = vec![
        format!("{header} bytes of link, IP and TCP headers a segment, {tls} bytes of TLS a message, as seen on the Ajax side"),
        format!("{setup_assumption}, once for each of {} client and server {}", thousands(pairs), plural(pairs, "pair", "pairs")),
        "one frame for each message, client frames masked (RFC 6455 section 5.2), 1,448 bytes of payload a segment".into(),
    ];
    assumptions.extend(deflated.and_then(|_| longer_messages(websocket, ajax)));
    assumptions.extend(larger_segments(ajax, header));
    assumptions.extend(not_understood(ajax));
    assumptions.extend(unknown_content(ajax));
    assumptions.extend(incomplete(ajax));
    let low = End {
        wire_bytes: bytes(low, 0),
        packets: low.segments + pairs * SETUP_PACKETS,
        assumes: format!(
            "{}, {}, acknowledgements ride along",
            requests_become(asks.requests == AssumedRequests::Own),
            content_is(asks.compression != AssumedCompression::None, deflated)
        ),
    };
    let high = End {
        wire_bytes: bytes(high, high.messages),
        packets: high.segments + high.messages + pairs * SETUP_PACKETS,
        assumes: format!(
            "{}, {}, each acknowledged by a segment of its own",
            requests_become(asks.requests != AssumedRequests::Shared),
            content_is(asks.compression == AssumedCompression::Deflate, deflated)
        ),
    };
    Some(Estimate::new(ajax, [low, high], assumptions))
}

/// Messages that have to be compressed before their ratio says something about others.
const ENOUGH_COMPRESSED: u64 = 5;

/// What permessage-deflate left of the content of each direction in this capture; `None` where it hardly ran.
fn deflated_share(websocket: &SideTotals) -> Option<[f64; 2]> {
    if websocket.compression().known_compressed_messages < ENOUGH_COMPRESSED {
        return None;
    }
    let share = |direction: Direction| {
        let compression = websocket.direction(direction).compression;
        if compression.content_bytes == 0 { 1.0 } else { compression.encoded_bytes as f64 / compression.content_bytes as f64 }
    };
    Some(Direction::BOTH.map(share))
}

/// Messages with content as HTTP encoded it, or deflated to a share, whichever is less.
fn compressed(pushed: &Pushed, deflated: Option<[f64; 2]>) -> Reframed {
    let Some(shares) = deflated else { return sum(pushed.encoded) };
    sum([0, 1].map(|direction: usize| {
        let content = pushed.decoded[direction].content_bytes as f64 * shares[direction];
        pushed.encoded[direction].with_content(content.ceil() as u64)
    }))
}

fn sum([mut up, down]: [Reframed; 2]) -> Reframed {
    up += down;
    up
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
    let asks = summary.assumptions();
    let shares_requests = asks.requests != AssumedRequests::Own;
    let owns_requests = asks.requests != AssumedRequests::Shared;
    let exchanges = |polls: u64, own: bool| if own { messages.client_messages + polls } else { messages.client_messages.max(polls) };
    let (low_exchanges, high_exchanges) = match asks.poll_interval {
        None => {
            (exchanges(messages.shared_answers, !shares_requests), exchanges(messages.server_messages + messages.idle_polls, owns_requests))
        }
        // What clients say waits for the next poll too.
        Some(_) if !owns_requests => (messages.interval_polls, messages.interval_polls),
        Some(_) => {
            let low = if shares_requests { messages.interval_polls } else { messages.client_messages + messages.interval_polls };
            (low, messages.client_messages + messages.interval_polls)
        }
    };
    let content = |compressed: bool| match compressed {
        true => (messages.encoded_bytes, messages.encoded_segments, "content as encoded"),
        false => (messages.content_bytes, messages.content_segments, "content uncompressed"),
    };
    let (low_content, low_segments, low_coded) = content(asks.compression != AssumedCompression::None);
    let (high_content, high_segments, high_coded) = content(asks.compression == AssumedCompression::Deflate);
    let mut assumptions = vec![
        format!(
            "header sections of {} bytes a request and {} bytes a response, {heads_assumption}",
            thousands(request),
            thousands(response)
        ),
        format!(
            "{header} bytes of link, IP and TCP headers a segment of at most 1,448 bytes, {tls} bytes of TLS a message, as seen on the WebSocket side"
        ),
        "connections are set up and closed as the WebSocket's were".into(),
    ];
    assumptions.extend(larger_segments(websocket, header));
    assumptions.extend(not_understood(websocket));
    assumptions.extend(unknown_content(websocket));
    let low = End {
        wire_bytes: low_exchanges * exchange + low_content + low_segments * header + setup,
        packets: 2 * low_exchanges + low_segments + connections * TCP_SETUP_PACKETS,
        assumes: format!(
            "{}, {}, {low_coded}, acknowledgements ride along",
            exchanges_are(low_exchanges),
            polls_are(asks, &messages, shares_requests, true)
        ),
    };
    let high = End {
        wire_bytes: high_exchanges * (exchange + 2 * header) + high_content + high_segments * header + setup,
        packets: 4 * high_exchanges + high_segments + connections * TCP_SETUP_PACKETS,
        assumes: format!(
            "{}, {}, {high_coded}, each message acknowledged by a segment of its own",
            exchanges_are(high_exchanges),
            polls_are(asks, &messages, !owns_requests, false)
        ),
    };
    Some(Estimate::new(websocket, [low, high], assumptions))
}

/// An end of a range.
struct End {
    wire_bytes: u64,
    packets: u64,
    /// What only this end assumes.
    assumes: String,
}

impl Estimate {
    fn new(side: &SideTotals, mut ends: [End; 2], mut assumptions: Vec<String>) -> Self {
        // Messages that compression made bigger can turn the ends around.
        ends.sort_by_key(|end| end.wire_bytes);
        let [low, high] = ends;
        assumptions.push(format!("low: {}", low.assumes));
        assumptions.push(format!("high: {}", high.assumes));
        Self {
            observed_wire_bytes: side.all_in_wire_bytes(),
            low_ratio: ratio(low.wire_bytes, side.all_in_wire_bytes()),
            high_ratio: ratio(high.wire_bytes, side.all_in_wire_bytes()),
            low_wire_bytes: low.wire_bytes,
            high_wire_bytes: high.wire_bytes,
            low_packets: low.packets,
            high_packets: high.packets,
            deliveries: side.deliveries,
            assumptions,
        }
    }
}

/// Mean headers of a segment, of both directions.
pub(crate) fn header_bytes(side: &SideTotals) -> u64 {
    let [up, down] = &side.directions;
    let mut headers = up.segment_headers.clone();
    headers += &down.segment_headers;
    headers.mean().unwrap_or(HEADER_BYTES)
}

/// Mean TLS octets of a message, rounded up.
fn tls_bytes(side: &SideTotals) -> u64 {
    let messages = side.money(|direction| direction.messages);
    messages.bytes.tls.div_ceil(messages.messages.max(1))
}

/// Header sections (request, response) that these clients send, and where they were seen.
fn header_sections(summary: &Summary) -> ((u64, u64), &'static str) {
    let of = |side: Side, direction| summary.side(side).direction(direction).header_sections.mean();
    let pair = |side| of(side, Direction::ClientToServer).zip(of(side, Direction::ServerToClient));
    if let Some(heads) = pair(Side::Ajax) {
        return (heads, "the mean of the Ajax exchanges in this capture");
    }
    match (summary.plain_upgrade_request_bytes(), of(Side::OtherHttp, Direction::ServerToClient), pair(Side::OtherHttp)) {
        (Some(request), Some(response), _) => {
            ((request, response), "those of the upgrade requests less the WebSocket fields, and of other HTTP responses")
        }
        (Some(request), None, _) => {
            ((request, HEAD_BYTES.1), "those of the upgrade requests less the WebSocket fields; that of a response is assumed")
        }
        (None, _, Some(heads)) => (heads, "the mean of the other HTTP exchanges in this capture"),
        (None, _, None) => (HEAD_BYTES, "assumed, since no header section of Ajax or of an opening handshake was captured"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::account::samples::deck_rows;
    use crate::message::{Application, Row};
    use crate::options::Assumptions;

    fn ends(estimate: Option<Estimate>) -> (u64, u64, u64, u64, u64) {
        let e = estimate.expect("the side is not empty");
        (e.observed_wire_bytes, e.low_wire_bytes, e.high_wire_bytes, e.low_packets, e.high_packets)
    }

    fn with(assumptions: Assumptions) -> Counterfactual {
        let mut summary = Summary::new(assumptions);
        deck_rows().iter().for_each(|row| summary.add(row));
        Counterfactual::new(&summary)
    }

    #[test]
    fn assumptions_narrow_the_range() {
        // See `the_deck_as_the_other`. Uncompressed, the low end's answer is 4 + 262: 266 + 54 + 892 = 1212.
        let none = with(Assumptions { compression: AssumedCompression::None, ..Assumptions::default() });
        assert_eq!(ends(none.ajax_as_websocket), (1079, 1212, 1390, 11, 14));
        // Compressed, the high end's is 4 + 187: 16 + 191 + 4 · 54 + 892 = 1315.
        let deflate = with(Assumptions { compression: AssumedCompression::Deflate, ..Assumptions::default() });
        assert_eq!(ends(deflate.ajax_as_websocket), (1079, 1137, 1315, 11, 14));
        // The question is asked at the low end too: 16 + 191 + 2 · 54 + 892 = 1207.
        let own = with(Assumptions { requests: AssumedRequests::Own, ..Assumptions::default() });
        assert_eq!(ends(own.ajax_as_websocket), (1079, 1207, 1390, 12, 14));
        // WebSocket as Ajax, a POST and a poll at the low end: 2 · (376 + 2 · 66) + 34 + 342 = 1392.
        assert_eq!(ends(own.websocket_as_ajax), (1225, 1392, 2310, 11, 19));
        // The question is not asked at the high end either: 266 + 2 · 54 + 892 = 1266.
        let shared = with(Assumptions { requests: AssumedRequests::Shared, ..Assumptions::default() });
        assert_eq!(ends(shared.ajax_as_websocket), (1079, 1137, 1266, 11, 12));
        // 1 + 1 polls at the high end: 2 · (376 + 4 · 66) + 48 + 342 = 1670.
        assert_eq!(ends(shared.websocket_as_ajax), (1225, 884, 1670, 9, 15));
    }

    #[test]
    fn polls_at_an_interval_cost_whether_there_is_news_or_not() {
        // The connection lasts 179 s: 3 polls at 60 s. Low, all said rides on them: 3 · (376 + 2 · 66) + 34 + 342 = 1900; 6 + 7 packets.
        // High, one POST beside them: 4 · (376 + 4 · 66) + 48 + 342 = 2950; 16 + 7 packets.
        let polls = with(Assumptions { poll_interval: Some(Duration::from_secs(60)), ..Assumptions::default() });
        assert_eq!(ends(polls.websocket_as_ajax), (1225, 1900, 2950, 13, 23));
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
        // high: 2 exchanges, and 1 idle poll in the 44 s behind the server's message: 3 · (376 + 4 · 66) + 48 content + 342 = 2310;
        // 12 + 7 packets.
        assert_eq!(ends(counterfactual.websocket_as_ajax), (1225, 884, 2310, 9, 19));
        assert_eq!(Counterfactual::new(&Summary::default()), Counterfactual::default());
    }

    #[test]
    fn what_an_estimate_leaves_out_is_said() {
        let assumed = |change: &dyn Fn(&mut Row)| {
            let mut rows = deck_rows();
            rows.iter_mut().for_each(change);
            let mut summary = Summary::default();
            rows.iter().for_each(|row| summary.add(row));
            Counterfactual::new(&summary).websocket_as_ajax.expect("there are messages").assumptions
        };
        let says = |assumed: &[String], what: &str| assumed.iter().any(|assumption| assumption.contains(what));
        let plain = assumed(&|_| {});
        assert!(!says(&plain, "larger than most links take") && !says(&plain, "not understood"));
        // One segment of 14 484 octets instead of eleven, of 66 octets of headers each; two more messages are in segments of their own.
        let large = assumed(&|row| {
            if let Row::Message(message) = row
                && message.direction == Direction::ServerToClient
                && !message.opcode.is_control()
            {
                message.cost.encoded_bytes = 14_480;
                message.cost.provenance.bytes.payload = 14_480 + message.cost.framing_bytes;
            }
        });
        assert!(says(&large, "what was observed would cost 594 bytes more"), "{large:?}");
        // On both connections.
        let opaque = assumed(&|row| {
            if let Row::Connection(row) = row {
                row.buckets.add(Application::WebSocket, Bucket::Unattributed, Direction::ServerToClient, 300);
            }
        });
        assert!(says(&opaque, "600 bytes of what was observed were not understood"), "{opaque:?}");
    }

    #[test]
    fn contents_are_told_to_be_shorter_by_those_that_are_known() {
        // Of ten answers one of 100 octets is known.
        let side = |content_bytes: u64, content_bearing: u64| {
            let mut side = SideTotals::default();
            let direction = &mut side.directions[1];
            (direction.compression.content_bytes, direction.compression.content_bearing) = (content_bytes, content_bearing);
            direction.content_bearing = 10;
            side
        };
        let said = |message: u64| longer_messages(&side(message * 2, 2), &side(100, 1));
        assert_eq!(said(300), None);
        let words = "WebSocket messages carried 301 bytes each on average, contents of Ajax 100: ";
        assert!(said(301).is_some_and(|said| said.starts_with(words)), "{:?}", said(301));
    }

    #[test]
    fn content_as_encoded_fills_the_segments_that_it_fills() {
        let mut rows = deck_rows();
        for row in &mut rows {
            if let Row::Message(message) = row
                && message.direction == Direction::ServerToClient
                && !message.opcode.is_control()
            {
                message.cost.content_bytes = Some(14_480);
            }
        }
        let mut summary = Summary::default();
        rows.iter().for_each(|row| summary.add(row));
        // See `the_deck_as_the_other`. What is sent stays as it was; 14 480 octets of content, instead of 24, fill ten segments.
        let expected = (1225, 884, 2310 + 14_480 - 24 + 10 * 66, 9, 19 + 10);
        assert_eq!(ends(Counterfactual::new(&summary).websocket_as_ajax), expected);
    }
}
