//! What a person should do about it: each finding with the octets it would save, and frames to look at.

use serde::Serialize;

use super::{plural, ratio};
use crate::account::{SideTotals, Sighting, Summary, Waste};
use crate::message::{Bucket, Direction, Side};
use crate::options::thousands;

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Stable name.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = IDS)))]
    pub id: &'static str,
    /// The side that pays: `ajax`, `websocket` or `server_sent_events`.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = Side::ALL.map(Side::name))))]
    pub side: &'static str,
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

/// Ids of all findings, in alphabetical order.
pub const IDS: [&str; 24] = [
    "answers-not-compressed",
    "comments-outweigh-events",
    "compression-grows-messages",
    "compression-not-used",
    "connections-not-kept-alive",
    "context-not-kept",
    "cookies-repeated",
    "cookies-set-again",
    "empty-answers",
    "envelopes-outweigh-payload",
    "error-answers",
    "heartbeats-outweigh-data",
    "keep-alives-beside-pings",
    "messages-in-own-segments",
    "polling-before-websocket",
    "polls-bring-nothing",
    "polls-unconditional",
    "preflights-repeated",
    "redirected",
    "request-headers-repeated",
    "retransmissions",
    "server-masks-frames",
    "small-messages-fragmented",
    "websockets-hardly-used",
];

/// Findings of a summary, largest saving first.
pub fn findings(summary: &Summary) -> Vec<Finding> {
    let context = Context {
        summary,
        ajax: summary.side(Side::Ajax),
        websocket: summary.side(Side::WebSocket),
        events: summary.side(Side::ServerSentEvents),
    };
    let mut findings: Vec<_> = RULES.iter().filter_map(|rule| rule(&context)).collect();
    findings.sort_by(|a, b| b.saving_bytes.cmp(&a.saving_bytes).then(a.id.cmp(b.id)));
    findings
}

/// What rules look at.
struct Context<'a> {
    summary: &'a Summary,
    ajax: &'a SideTotals,
    websocket: &'a SideTotals,
    events: &'a SideTotals,
}

impl Context<'_> {
    fn waste(&self, kind: Waste) -> Sighting {
        self.summary.wastes().of(kind)
    }
}

/// A rule says whether it applies.
type Rule = fn(&Context<'_>) -> Option<Finding>;

const RULES: [Rule; 24] = [
    not_kept_alive,
    polls_bring_nothing,
    unchanged_content,
    empty_answers,
    uncompressed_answers,
    preflights,
    redirects,
    error_answers,
    repeated_cookies,
    repeated_set_cookies,
    repeated_request_headers,
    polling_before_websocket,
    grown_messages,
    not_compressed,
    context_not_kept,
    own_segments,
    fragmented,
    masked_by_server,
    heartbeats,
    keep_alives_beside_pings,
    hardly_used,
    heavy_envelopes,
    heavy_comments,
    retransmissions,
];

/// A finding on a side, with what it would save and what that rests on.
fn finding(id: &'static str, side: Side, context: &Context<'_>, message: String, saving: Option<u64>, assumption: &'static str) -> Finding {
    let paid = context.summary.side(side).all_in_wire_bytes();
    Finding {
        id,
        side: side.name(),
        message,
        saving_bytes: saving,
        saving_percent: saving.and_then(|saving| ratio(saving.saturating_mul(100), paid)),
        assumption,
        frames: Vec::new(),
    }
}

impl Finding {
    /// With the frames that show it.
    fn at(mut self, seen: Sighting) -> Self {
        self.frames = seen.frames().collect();
        self
    }
}

fn not_kept_alive(context: &Context<'_>) -> Option<Finding> {
    let ajax = context.ajax;
    let (connections, pairs) = (ajax.connections, context.summary.ajax_pairs().max(1));
    // Browsers open up to six connections to a host; more than that for each pair, with hardly an exchange each, is no pool.
    if connections <= 6 * pairs || ajax.exchanges.count >= 2 * connections {
        return None;
    }
    let setup = [Bucket::TcpSetup, Bucket::TlsSetup, Bucket::Teardown].map(|bucket| ajax.bucket(bucket)).iter().sum::<u64>();
    let saving = (u128::from(setup) * u128::from(connections - pairs) / u128::from(connections)) as u64;
    let message = format!(
        "{} connections carried {} Ajax exchanges between {} client and server {}",
        thousands(connections),
        thousands(ajax.exchanges.count),
        thousands(pairs),
        plural(pairs, "pair", "pairs")
    );
    let assumption = "one kept-alive connection for each client and server pair saves the set-up and teardown of the others";
    let found = finding("connections-not-kept-alive", Side::Ajax, context, message, Some(saving), assumption);
    Some(found.at(ajax.connection_use.single))
}

fn polls_bring_nothing(context: &Context<'_>) -> Option<Finding> {
    let polls = context.summary.polls().sum();
    let seen = polls.wasted;
    (seen.count >= 3).then(|| {
        let message = format!("{} of {} polls brought nothing new", thousands(seen.count), thousands(polls.polls()));
        let assumption = "pushed when there is something new, by WebSocket or server-sent events, none of them is needed";
        finding("polls-bring-nothing", Side::Ajax, context, message, Some(seen.bytes), assumption).at(seen)
    })
}

fn unchanged_content(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::UnchangedContent);
    (seen.count >= 2).then(|| {
        let message = format!(
            "{} polls were answered with the content of the answer before, {} bytes of it",
            thousands(seen.count),
            thousands(seen.bytes)
        );
        let assumption = "an ETag lets the client ask with If-None-Match, and the server answer 304 without content";
        finding("polls-unconditional", Side::Ajax, context, message, Some(seen.bytes), assumption).at(seen)
    })
}

fn empty_answers(context: &Context<'_>) -> Option<Finding> {
    let seen = context.ajax.exchanges.empty_answers;
    // The first two of a series are not yet known to be polls.
    (seen.count >= 3).then(|| {
        let message = format!("{} of {} Ajax exchanges brought no content", thousands(seen.count), thousands(context.ajax.exchanges.count));
        let assumption = "pushing only what is new needs none of these exchanges; their acknowledgements are not counted";
        finding("empty-answers", Side::Ajax, context, message, Some(seen.bytes), assumption).at(seen)
    })
}

fn uncompressed_answers(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::UncompressedAnswer);
    (seen.count > 0).then(|| {
        let (answers, were) = (plural(seen.count, "answer", "answers"), plural(seen.count, "was", "were"));
        let message = format!(
            "{} Ajax {answers} of text or JSON, {} bytes, {were} sent without content coding",
            thousands(seen.count),
            thousands(seen.bytes)
        );
        let assumption = "text and JSON of a kilobyte and more deflate to about a third; the clients accept it";
        finding("answers-not-compressed", Side::Ajax, context, message, Some(seen.bytes / 3 * 2), assumption).at(seen)
    })
}

fn preflights(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::Preflight);
    (seen.count >= 2).then(|| {
        let message = format!("{} CORS preflights asked before other exchanges", thousands(seen.count));
        let assumption = "one preflight for each client, remembered for the time of Access-Control-Max-Age; or none, from the same origin";
        finding("preflights-repeated", Side::Ajax, context, message, Some(seen.bytes - seen.bytes / seen.count), assumption).at(seen)
    })
}

fn redirects(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::Redirect);
    (seen.count >= 2).then(|| {
        let message = format!("{} Ajax exchanges were answered with a redirection", thousands(seen.count));
        finding("redirected", Side::Ajax, context, message, Some(seen.bytes), "asked at the address that answers").at(seen)
    })
}

fn error_answers(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::ErrorAnswer);
    (seen.count >= 3).then(|| {
        let message = format!("{} Ajax exchanges failed with 4xx or 5xx", thousands(seen.count));
        finding("error-answers", Side::Ajax, context, message, Some(seen.bytes), "not asked again where the answer is known to fail")
            .at(seen)
    })
}

fn repeated_cookies(context: &Context<'_>) -> Option<Finding> {
    let seen = context.ajax.exchanges.cookies;
    (seen.count > 1).then(|| {
        let saving = seen.bytes - seen.bytes / seen.count;
        let message =
            format!("{} Ajax requests sent cookies, {} bytes each on average", thousands(seen.count), thousands(seen.bytes / seen.count));
        let assumption = "sent once, as a WebSocket's opening handshake does, instead of with every request";
        finding("cookies-repeated", Side::Ajax, context, message, Some(saving), assumption).at(seen)
    })
}

fn repeated_set_cookies(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::SetCookie);
    (seen.count >= 3).then(|| {
        let saving = seen.bytes - seen.bytes / seen.count;
        let message =
            format!("{} Ajax answers set cookies, {} bytes each on average", thousands(seen.count), thousands(seen.bytes / seen.count));
        finding("cookies-set-again", Side::Ajax, context, message, Some(saving), "set when they change").at(seen)
    })
}

fn repeated_request_headers(context: &Context<'_>) -> Option<Finding> {
    let requests = context.ajax.direction(Direction::ClientToServer).messages;
    let content = context.ajax.money(|direction| direction.messages).encoded_bytes;
    let (framing, pairs) = (requests.framing_bytes, context.summary.ajax_pairs().max(1));
    (requests.messages >= 5 * pairs && framing > content).then(|| {
        let message = format!(
            "{} Ajax requests sent {} bytes of request lines and header fields for {} bytes of content both ways",
            thousands(requests.messages),
            thousands(framing),
            thousands(content)
        );
        let saving = framing - framing / requests.messages * pairs;
        let assumption = "sent once for each client and server pair, as a WebSocket's opening handshake does";
        finding("request-headers-repeated", Side::Ajax, context, message, Some(saving), assumption)
    })
}

fn polling_before_websocket(context: &Context<'_>) -> Option<Finding> {
    let (sessions, paid) = context.summary.engine_io().upgraded();
    let saving = paid.handshake.wire_bytes + paid.polls.wire_bytes + paid.probe.wire_bytes;
    (paid.polls.count > 0).then(|| {
        let message = format!(
            "{} engine.io {} began with {} polls before {} WebSocket",
            thousands(sessions),
            plural(sessions, "session", "sessions"),
            thousands(paid.handshake.count + paid.polls.count),
            plural(sessions, "its", "their")
        );
        let assumption = "clients set to `transports: [\"websocket\"]` open the WebSocket at once; one that cannot, fails";
        finding("polling-before-websocket", Side::Ajax, context, message, Some(saving), assumption)
    })
}

fn grown_messages(context: &Context<'_>) -> Option<Finding> {
    let compression = context.websocket.compression();
    let seen = compression.grown;
    (seen.count > 0).then(|| {
        let message = format!(
            "compression made {} of {} compressed WebSocket messages bigger",
            thousands(seen.count),
            thousands(compression.known_compressed_messages)
        );
        finding("compression-grows-messages", Side::WebSocket, context, message, Some(seen.bytes), "these messages sent uncompressed")
            .at(seen)
    })
}

fn not_compressed(context: &Context<'_>) -> Option<Finding> {
    let messages = context.websocket.money(|direction| direction.messages);
    let compressed = context.websocket.compression().compressed_messages;
    // Below 128 octets on average deflate without a shared context gains next to nothing.
    (compressed == 0 && messages.messages > 0 && messages.encoded_bytes / messages.messages >= 128).then(|| {
        let message = format!(
            "none of {} WebSocket messages was compressed, {} bytes of payload each on average",
            thousands(messages.messages),
            thousands(messages.encoded_bytes / messages.messages)
        );
        let assumption = "depends on the content; permessage-deflate (RFC 7692) must be offered by the client and accepted by the server";
        finding("compression-not-used", Side::WebSocket, context, message, None, assumption)
    })
}

fn context_not_kept(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::ContextNotKept);
    (seen.count > 0).then(|| {
        let message = format!(
            "{} WebSocket {} compressed small messages each by itself, {} bytes of them",
            thousands(seen.count),
            plural(seen.count, "connection", "connections"),
            thousands(seen.bytes)
        );
        let assumption = "depends on the content: messages alike deflate to much less where they share a context (no *_no_context_takeover), at 32 KiB of memory for each direction";
        finding("context-not-kept", Side::WebSocket, context, message, None, assumption).at(seen)
    })
}

fn own_segments(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::OwnSegment);
    (seen.count >= 4).then(|| {
        let message = format!(
            "{} WebSocket messages came in segments of their own within 5 ms of another that had room for them",
            thousands(seen.count)
        );
        let assumption = "written together, they share its link, IP and TCP headers; the acknowledgements saved are not counted";
        finding("messages-in-own-segments", Side::WebSocket, context, message, Some(seen.bytes), assumption).at(seen)
    })
}

fn fragmented(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::Fragmented);
    (seen.count > 0).then(|| {
        let message = format!(
            "{} WebSocket {} that one segment has room for came in fragments",
            thousands(seen.count),
            plural(seen.count, "message", "messages")
        );
        finding("small-messages-fragmented", Side::WebSocket, context, message, Some(seen.bytes), "sent as one frame each").at(seen)
    })
}

fn masked_by_server(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::MaskedByServer);
    (seen.count > 0).then(|| {
        let message = format!(
            "a server masked {} {}, which RFC 6455 section 5.1 forbids; browsers close the connection",
            thousands(seen.count),
            plural(seen.count, "message", "messages")
        );
        finding("server-masks-frames", Side::WebSocket, context, message, Some(seen.bytes), "sent without masking keys").at(seen)
    })
}

fn heartbeats(context: &Context<'_>) -> Option<Finding> {
    let liveness = context.websocket.money(|direction| direction.liveness);
    let messages = context.websocket.money(|direction| direction.messages);
    (liveness.wire_bytes() > messages.wire_bytes() && liveness.messages > 2).then(|| {
        let message = format!("{} ping and pong frames outweigh {} messages", thousands(liveness.messages), thousands(messages.messages));
        let assumption = "half as many heartbeats; those that keep a proxy from closing the connection must stay";
        finding("heartbeats-outweigh-data", Side::WebSocket, context, message, Some(liveness.wire_bytes() / 2), assumption)
    })
}

fn keep_alives_beside_pings(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::KeepAliveBesidePings);
    (seen.count > 0).then(|| {
        let message = format!(
            "{} WebSocket {} kept alive twice: by pings and by TCP keep-alives",
            thousands(seen.count),
            plural(seen.count, "connection was", "connections were")
        );
        finding("keep-alives-beside-pings", Side::WebSocket, context, message, Some(seen.bytes), "pings alone do it").at(seen)
    })
}

fn hardly_used(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::HardlyUsed);
    (seen.count >= 2).then(|| {
        let message = format!("{} WebSocket connections carried no more than two messages each", thousands(seen.count));
        let assumption = "asked by a request each, or on one connection that stays open, their opening handshakes are not needed";
        finding("websockets-hardly-used", Side::WebSocket, context, message, Some(seen.bytes), assumption).at(seen)
    })
}

fn heavy_envelopes(context: &Context<'_>) -> Option<Finding> {
    let heavy =
        |(_, totals): &(_, &crate::account::EnvelopeTotals)| totals.messages >= 5 && totals.envelope_bytes * 2 > totals.content_bytes;
    let protocols = context.websocket.envelopes.protocols.iter();
    let (protocol, totals) = protocols.filter(heavy).max_by_key(|(_, totals)| totals.envelope_bytes)?;
    let message = format!(
        "the envelopes of {} {} messages take {} of their {} bytes of content",
        thousands(totals.messages),
        protocol.name(),
        thousands(totals.envelope_bytes),
        thousands(totals.content_bytes)
    );
    let assumption = "at most, before compression: shorter names and ids, or several payloads in a message, save a part of it";
    Some(finding("envelopes-outweigh-payload", Side::WebSocket, context, message, Some(totals.envelope_bytes), assumption))
}

fn heavy_comments(context: &Context<'_>) -> Option<Finding> {
    let events = &context.events.events;
    (events.comments >= 3 && events.comment_bytes > events.event_bytes).then(|| {
        let message = format!("{} comments outweigh {} events of event streams", thousands(events.comments), thousands(events.events));
        let assumption =
            "half as many comments; those that keep a proxy from closing the connection must stay; their segments are not counted";
        finding("comments-outweigh-events", Side::ServerSentEvents, context, message, Some(events.comment_bytes / 2), assumption)
    })
}

fn retransmissions(context: &Context<'_>) -> Option<Finding> {
    // The side that suffers more.
    let of = |side: Side| (side, context.summary.side(side).bucket(Bucket::Retransmissions));
    let (side, bytes) = [of(Side::Ajax), of(Side::WebSocket)].into_iter().max_by_key(|(_, bytes)| *bytes)?;
    // A path that loses less than 2 % is a usual one.
    (bytes * 50 > context.summary.side(side).all_in_wire_bytes()).then(|| {
        let message = format!("{} bytes were sent again", thousands(bytes));
        finding("retransmissions", side, context, message, Some(bytes), "over a path that loses nothing")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::samples::{connection, cost, deck_exchange, deck_message, request, response, upgrade_exchange};
    use crate::message::{
        Application, Buckets, ConnectionRow, Content, EarlierPoll, Envelope, EnvelopeId, EnvelopeProtocol, EventStream, Exchange,
        HttpContent, Message, Opcode, Poll, PollingKind, Row,
    };

    /// An Ajax exchange: a request of 100 octets and a response of 40, in frames 10 + 2n and 11 + 2n.
    fn exchange(n: u64, asked: &str, fields: &[(&str, &str)], status: u16, answered: &[(&str, &str)], encoded: u64) -> Exchange {
        let mut asked = request(asked, &[&[("Host", "a.example")], fields].concat());
        asked.cost = cost(10 + 2 * n, 20, 100, 0, Some(0));
        let mut answer = response(status, answered);
        answer.cost = cost(11 + 2 * n, 20, 40, encoded, Some(encoded));
        Exchange { request: Some(asked), response: Some(answer), ..deck_exchange() }
    }

    /// As many of them as said.
    fn exchanges(count: u64, asked: &str, fields: &[(&str, &str)], status: u16, answered: &[(&str, &str)], encoded: u64) -> Vec<Row> {
        (0..count).map(|n| Row::Exchange(Box::new(exchange(n, asked, fields, status, answered, encoded)))).collect()
    }

    /// Polls of one series, each answered 200 with 500 octets, of which so many brought nothing new.
    fn polls(count: u64, wasted: u64) -> Vec<Row> {
        let of = |n: u64| {
            let mut exchange = exchange(n, "GET /poll HTTP/1.1", &[], 200, &[], 500);
            let is_new = Some(n >= wasted);
            let earlier =
                |n: u64| EarlierPoll { wire_bytes: 748, frame: 10 + 2 * n, interval_ns: None, deaf_ns: None, is_new: Some(n >= wasted) };
            exchange.polling = (n >= 2).then(|| {
                Box::new(Poll {
                    kind: PollingKind::Short,
                    number: n + 1,
                    interval_ns: None,
                    jitter_ns: None,
                    deaf_ns: None,
                    is_new,
                    packets: None,
                    earlier: if n == 2 { vec![earlier(0), earlier(1)] } else { Vec::new() },
                })
            });
            Row::Exchange(Box::new(exchange))
        };
        (0..count).map(of).collect()
    }

    /// A WebSocket message on connection 1 in a frame of its own, one second after the one before.
    fn message(n: u64, change: impl FnOnce(&mut Message)) -> Row {
        let mut message = deck_message(1, n, Direction::ServerToClient, Opcode::Text);
        message.masked = false;
        change(&mut message);
        Row::Message(message)
    }

    /// `count` messages, each of them changed.
    fn messages(count: u64, change: impl Fn(&mut Message)) -> Vec<Row> {
        (0..count).map(|n| message(n, &change)).collect()
    }

    /// Messages that many milliseconds one behind the other.
    fn every(milliseconds: i64, count: u64) -> Vec<Row> {
        let near = |n: u64| {
            message(n, |message| {
                let provenance = &mut message.cost.provenance;
                provenance.first.time.0 = n as i64 * milliseconds * 1_000_000;
                provenance.last.time = provenance.first.time;
            })
        };
        (0..count).map(near).collect()
    }

    /// With the rows of its connection's end.
    fn ended(mut rows: Vec<Row>, change: impl FnOnce(&mut ConnectionRow)) -> Vec<Row> {
        let mut row = connection(1, &rows, Buckets::default());
        change(&mut row);
        rows.push(Row::Connection(Box::new(row)));
        rows
    }

    fn bucket(bucket: Bucket, bytes: u64) -> Buckets {
        let mut buckets = Buckets::default();
        buckets.add(Application::WebSocket, bucket, Direction::ClientToServer, bytes);
        buckets
    }

    /// So many connections with one exchange each, between one client and server.
    fn single_exchange_connections(count: u64) -> Vec<Row> {
        let of = |number: u64| {
            let mut exchange = exchange(number, "GET /x HTTP/1.1", &[], 200, &[], 500);
            exchange.connection = number;
            let rows = vec![Row::Exchange(Box::new(exchange))];
            let mut buckets = Buckets::default();
            buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 200);
            let row = connection(number, &rows, buckets);
            rows.into_iter().chain([Row::Connection(Box::new(row))])
        };
        (0..count).flat_map(of).collect()
    }

    /// Opening handshakes with so many messages behind each.
    fn short_websockets(count: u64, said: u64) -> Vec<Row> {
        let of = |number: u64| {
            let mut rows = vec![Row::Exchange(Box::new(upgrade_exchange(number)))];
            rows.extend((0..said).map(|n| Row::Message(deck_message(number, n, Direction::ServerToClient, Opcode::Text))));
            let row = connection(number, &rows, Buckets::default());
            rows.into_iter().chain([Row::Connection(Box::new(row))])
        };
        (0..count).flat_map(of).collect()
    }

    fn envelopes(count: u64, own: u64) -> Vec<Row> {
        messages(count, |message| {
            let envelope = Envelope {
                protocol: EnvelopeProtocol::SocketIo,
                kind: "event",
                name: None,
                namespace: None,
                id: None,
                bytes: Some(own),
                count: 1,
            };
            message.content = Content { bytes: Some(24), envelope: Some(Box::new(envelope)), ..Content::default() };
        })
    }

    fn event_stream(comments: u64, comment_bytes: u64) -> Vec<Row> {
        let mut exchange = exchange(0, "GET /events HTTP/1.1", &[], 200, &[("Content-Type", "text/event-stream")], 100);
        exchange.side = Side::ServerSentEvents;
        let events = EventStream { events: 2, event_bytes: 60, comments, comment_bytes, ..EventStream::default() };
        let http = HttpContent { identity: None, events: Some(events) };
        exchange.response.as_mut().expect("a response").content.http = Some(Box::new(http));
        vec![Row::Exchange(Box::new(exchange))]
    }

    /// A session of engine.io that begins with so many polls beside its handshake, and then upgrades.
    fn engine_io(polls: u64) -> Vec<Row> {
        let mut open = exchange(0, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1", &[], 200, &[], 100);
        let envelope = Envelope {
            protocol: EnvelopeProtocol::EngineIo,
            kind: "open",
            name: None,
            namespace: None,
            id: Some(EnvelopeId::Text("s1".into())),
            bytes: None,
            count: 1,
        };
        open.response.as_mut().expect("a response").content.envelope = Some(Box::new(envelope));
        let mut upgrade = upgrade_exchange(1);
        upgrade.request.as_mut().expect("a request").head = request("GET /socket.io/?EIO=4&transport=websocket&sid=s1 HTTP/1.1", &[]).head;
        let poll = |n| exchange(n, "GET /socket.io/?EIO=4&transport=polling&sid=s1 HTTP/1.1", &[], 200, &[], 10);
        let rows = std::iter::once(open).chain((1..=polls).map(poll)).chain([upgrade]);
        rows.map(|exchange| Row::Exchange(Box::new(exchange))).collect()
    }

    fn found(rows: &[Row]) -> Vec<Finding> {
        let mut summary = Summary::default();
        rows.iter().for_each(|row| summary.add(row));
        findings(&summary)
    }

    /// Rows that show a finding, what it saves, the frames it names; and rows that nearly show it.
    type Case = (&'static str, Vec<Row>, Option<u64>, &'static [u64], Vec<Row>);

    fn cases() -> Vec<Case> {
        const PREFLIGHT: &[(&str, &str)] = &[("Access-Control-Request-Method", "POST")];
        const COOKIE: &[(&str, &str)] = &[("Cookie", "sid=0123456789")];
        const SET_COOKIE: &[(&str, &str)] = &[("Set-Cookie", "sid=0123")];
        const ACCEPTS: &[(&str, &str)] = &[("Accept-Encoding", "gzip")];
        const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
        const GET: &str = "GET /x HTTP/1.1";
        let no_takeover = |row: &mut ConnectionRow| {
            if let Some(facts) = &mut row.websocket {
                facts.extensions = Some("permessage-deflate; server_no_context_takeover".into());
            }
        };
        let pings = |count| {
            let mut rows = messages(count, |message| message.opcode = Opcode::Ping);
            rows.extend(messages(2, |_| {}));
            rows
        };
        vec![
            // Seven set-ups of 200 octets, of which six are saved.
            ("connections-not-kept-alive", single_exchange_connections(7), Some(1200), &[1], single_exchange_connections(6)),
            // 154 + 594 octets each.
            ("polls-bring-nothing", polls(6, 3), Some(3 * 748), &[10, 12, 14], polls(6, 2)),
            ("polls-unconditional", polls(6, 4), Some(1000), &[15, 17], polls(6, 3)),
            // 154 + 94 octets each.
            ("empty-answers", exchanges(3, GET, &[], 204, &[], 0), Some(744), &[11, 13, 15], exchanges(2, GET, &[], 204, &[], 0)),
            (
                "answers-not-compressed",
                exchanges(1, GET, ACCEPTS, 200, JSON, 1200),
                Some(800),
                &[11],
                exchanges(1, GET, ACCEPTS, 200, JSON, 1000),
            ),
            (
                "preflights-repeated",
                exchanges(2, "OPTIONS /x HTTP/1.1", PREFLIGHT, 204, &[], 0),
                Some(248),
                &[10, 12],
                exchanges(1, "OPTIONS /x HTTP/1.1", PREFLIGHT, 204, &[], 0),
            ),
            ("redirected", exchanges(2, GET, &[], 302, &[], 0), Some(496), &[10, 12], exchanges(1, GET, &[], 302, &[], 0)),
            ("error-answers", exchanges(3, GET, &[], 500, &[], 9), Some(771), &[10, 12, 14], exchanges(2, GET, &[], 500, &[], 9)),
            // `Cookie: sid=0123456789` and CRLF are 24 octets; one of two is a repeat.
            ("cookies-repeated", exchanges(2, GET, COOKIE, 200, &[], 9), Some(24), &[10, 12], exchanges(1, GET, COOKIE, 200, &[], 9)),
            // `Set-Cookie: sid=0123` and CRLF are 22 octets.
            (
                "cookies-set-again",
                exchanges(3, GET, &[], 200, SET_COOKIE, 9),
                Some(44),
                &[11, 13, 15],
                exchanges(2, GET, &[], 200, SET_COOKIE, 9),
            ),
            // 500 octets less those of one request.
            ("request-headers-repeated", exchanges(5, GET, &[], 200, &[], 99), Some(400), &[], exchanges(5, GET, &[], 200, &[], 100)),
            // 154 + 194 and 2 · (154 + 104) octets.
            ("polling-before-websocket", engine_io(2), Some(348 + 516), &[], engine_io(0)),
            (
                "compression-grows-messages",
                messages(1, |message| message.cost.content_bytes = Some(10)),
                Some(7),
                &[135],
                messages(1, |message| message.cost.content_bytes = Some(17)),
            ),
            (
                "compression-not-used",
                messages(1, |message| (message.compressed, message.cost.encoded_bytes) = (false, 128)),
                None,
                &[],
                messages(1, |message| (message.compressed, message.cost.encoded_bytes) = (false, 127)),
            ),
            ("context-not-kept", ended(messages(10, |_| {}), no_takeover), None, &[1], ended(messages(9, |_| {}), no_takeover)),
            // 14 + 20 + 32 octets of headers for each but the first.
            ("messages-in-own-segments", every(4, 5), Some(264), &[136, 137, 138, 139], every(5, 5)),
            // 6 octets of framing, of which the second of two fragments has half.
            ("small-messages-fragmented", messages(1, |message| message.fragments = 2), Some(3), &[135], messages(1, |_| {})),
            ("server-masks-frames", messages(1, |message| message.masked = true), Some(4), &[135], messages(1, |_| {})),
            // Three pings outweigh two messages, of 89 octets each.
            ("heartbeats-outweigh-data", pings(3), Some(133), &[], pings(2)),
            (
                "keep-alives-beside-pings",
                ended(pings(1), |row| row.buckets = bucket(Bucket::KeepAlive, 66)),
                Some(66),
                &[1],
                ended(messages(1, |_| {}), |row| row.buckets = bucket(Bucket::KeepAlive, 66)),
            ),
            // 461 octets of an opening handshake.
            ("websockets-hardly-used", short_websockets(2, 2), Some(922), &[1], short_websockets(2, 3)),
            ("envelopes-outweigh-payload", envelopes(5, 13), Some(65), &[], envelopes(5, 12)),
            ("comments-outweigh-events", event_stream(3, 62), Some(31), &[], event_stream(3, 60)),
            // 3 of 89 + 3 octets are more than 2 %, 1 of 90 is not.
            (
                "retransmissions",
                ended(messages(1, |_| {}), |row| row.buckets = bucket(Bucket::Retransmissions, 3)),
                Some(3),
                &[],
                ended(messages(1, |_| {}), |row| row.buckets = bucket(Bucket::Retransmissions, 1)),
            ),
        ]
    }

    #[test]
    fn each_rule_finds_what_it_is_for_and_leaves_what_is_nearly_so() {
        let cases = cases();
        assert_eq!(cases.len(), RULES.len());
        for (id, rows, saving, frames, nearly) in cases {
            let finding = found(&rows).into_iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("{id} is expected"));
            assert_eq!((finding.saving_bytes, &finding.frames[..]), (saving, frames), "{id}");
            assert!(!finding.message.is_empty() && !finding.assumption.is_empty());
            assert!(found(&nearly).iter().all(|finding| finding.id != id), "{id} of what is nearly so");
        }
    }

    #[test]
    fn every_finding_is_documented() {
        let page = include_str!("../../docs/formats.md");
        let section = page.split("### Findings").nth(1).and_then(|behind| behind.split("\n### ").next()).unwrap_or_default();
        let documented: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).skip(1).collect();
        let ids: Vec<_> = cases().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(documented, ids);
        let mut listed = ids;
        listed.sort_unstable();
        assert_eq!(listed, IDS);
    }

    #[test]
    fn largest_saving_comes_first_with_its_share_of_the_side() {
        let mut rows = exchanges(4, "GET /poll HTTP/1.1", &[("Cookie", "sid=0123456789")], 304, &[], 0);
        rows.push(message(1, |message| message.cost.content_bytes = Some(10)));
        let found: Vec<_> = found(&rows).into_iter().map(|f| (f.id, f.side, f.saving_bytes, f.saving_percent)).collect();
        // An exchange is 154 + 94 = 248 octets, 992 for four. `Cookie: sid=0123456789` and CRLF are 24 octets, three of four are
        // repeats: 72 of 992 = 7.25806 %. 17 octets for content of 10: 7 of 89 = 7.86517 %.
        let expected = [
            ("empty-answers", "ajax", Some(992), Some(100.0)),
            ("cookies-repeated", "ajax", Some(72), Some(7.25806)),
            ("compression-grows-messages", "websocket", Some(7), Some(7.86517)),
        ];
        assert_eq!(found, expected);
    }
}
