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
mod tests;
