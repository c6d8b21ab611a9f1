//! What exchanges could do without.

use super::{Context, Finding, finding};
use crate::account::{DirectionTotals, SideTotals, Waste};
use crate::analysis::{plural, rounded_mean};
use crate::message::{Bucket, Direction, Side};
use crate::options::thousands;

pub(super) fn not_kept_alive(context: &Context<'_>) -> Option<Finding> {
    let ajax = context.ajax;
    let (connections, pairs) = (ajax.connections, context.summary.ajax_pairs().max(1));
    // Browsers open up to six connections to a host; more than that for each pair, with hardly an exchange each, is no pool.
    if connections <= 6 * pairs || ajax.exchanges.count >= 2 * connections {
        return None;
    }
    let setup = [Bucket::TcpSetup, Bucket::TlsSetup, Bucket::Teardown].map(|bucket| ajax.bucket(bucket)).iter().sum::<u64>();
    let saving = (u128::from(setup) * u128::from(connections - pairs) / u128::from(connections)) as u64;
    if saving == 0 {
        // Their beginnings and ends were not captured.
        return None;
    }
    let message = format!(
        "{} connections carried {} Ajax exchanges between {} client and server {}",
        thousands(connections),
        thousands(ajax.exchanges.count),
        thousands(pairs),
        plural(pairs, "pair", "pairs")
    );
    let assumption = "one kept-alive connection for each client and server pair saves the set-up and teardown of the others";
    let found = finding("connections-not-kept-alive", Side::Ajax, context, message, Some(saving), assumption);
    Some(found.at(ajax.connection_use.single.frames))
}

pub(super) fn polls_bring_nothing(context: &Context<'_>) -> Option<Finding> {
    let polls = context.summary.polls().sum();
    let seen = polls.wasted;
    (seen.count >= 3).then(|| {
        let message = format!("{} of {} polls brought nothing new", thousands(seen.count), thousands(polls.polls()));
        let assumption = "pushed when there is something new, by WebSocket or server-sent events, none of them is needed";
        finding("polls-bring-nothing", Side::Ajax, context, message, Some(seen.bytes), assumption).at(seen.frames)
    })
}

pub(super) fn unchanged_content(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::UnchangedContent);
    (seen.count >= 2).then(|| {
        let message = format!(
            "{} polls were answered with the content of the answer before, {} bytes of it",
            thousands(seen.count),
            thousands(seen.bytes)
        );
        let assumption = "an ETag lets the client ask with If-None-Match, and the server answer 304 without content";
        finding("polls-unconditional", Side::Ajax, context, message, Some(seen.bytes), assumption).at(seen.frames)
    })
}

pub(super) fn empty_answers(context: &Context<'_>) -> Option<Finding> {
    // The first two of a series were not marked.
    let (all, of_polls) = (context.ajax.exchanges.empty_answers, context.summary.polls().early_empty_answers());
    let (count, bytes) = (all.count.saturating_sub(of_polls.count), all.bytes.saturating_sub(of_polls.bytes));
    (count >= 3).then(|| {
        let polls = context.summary.polls().sum().polls();
        let message = format!(
            "{} of {} Ajax exchanges that are no polls brought no content",
            thousands(count),
            thousands(context.ajax.exchanges.count.saturating_sub(polls))
        );
        let assumption = "pushing only what is new needs none of these exchanges; their acknowledgements are not counted";
        let mut found = finding("empty-answers", Side::Ajax, context, message, Some(bytes), assumption);
        found.frames = all.frames.iter().filter(|frame| of_polls.frames.iter().all(|of_poll| of_poll != *frame)).collect();
        found
    })
}

pub(super) fn uncompressed_answers(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::UncompressedAnswer);
    (seen.count > 0).then(|| {
        let (answers, were) = (plural(seen.count, "answer", "answers"), plural(seen.count, "was", "were"));
        let message = format!(
            "{} Ajax {answers} of text or JSON, {} bytes, {were} sent without content coding",
            thousands(seen.count),
            thousands(seen.bytes)
        );
        let assumption = "text and JSON of a kilobyte and more deflate to about a third; the clients accept it";
        finding("answers-not-compressed", Side::Ajax, context, message, Some(seen.bytes / 3 * 2), assumption).at(seen.frames)
    })
}

pub(super) fn preflights(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::Preflight);
    (seen.count >= 2).then(|| {
        let message = format!("{} CORS preflights asked before other exchanges", thousands(seen.count));
        let assumption = "one preflight for each client, remembered for the time of Access-Control-Max-Age; or none, from the same origin";
        finding("preflights-repeated", Side::Ajax, context, message, Some(seen.bytes - seen.bytes / seen.count), assumption).at(seen.frames)
    })
}

pub(super) fn redirects(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::Redirect);
    (seen.count >= 2).then(|| {
        let message = format!("{} Ajax exchanges were answered with a redirection", thousands(seen.count));
        finding("redirected", Side::Ajax, context, message, Some(seen.bytes), "asked at the address that answers").at(seen.frames)
    })
}

pub(super) fn error_answers(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::ErrorAnswer);
    (seen.count >= 3).then(|| {
        let message = format!("{} Ajax exchanges failed with 4xx or 5xx", thousands(seen.count));
        finding("error-answers", Side::Ajax, context, message, Some(seen.bytes), "not asked again where the answer is known to fail")
            .at(seen.frames)
    })
}

pub(super) fn repeated_cookies(context: &Context<'_>) -> Option<Finding> {
    let seen = context.ajax.exchanges.cookies;
    (seen.count > 1).then(|| {
        let saving = seen.bytes - seen.bytes / seen.count;
        let message = format!(
            "{} Ajax requests sent cookies, {} bytes each on average",
            thousands(seen.count),
            thousands(rounded_mean(seen.bytes, seen.count))
        );
        let assumption = "sent once, as a WebSocket's opening handshake does, instead of with every request";
        finding("cookies-repeated", Side::Ajax, context, message, Some(saving), assumption).at(seen.frames)
    })
}

pub(super) fn repeated_set_cookies(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::SetCookie);
    (seen.count >= 3).then(|| {
        let saving = seen.bytes - seen.bytes / seen.count;
        let message = format!(
            "{} Ajax answers set cookies, {} bytes each on average",
            thousands(seen.count),
            thousands(rounded_mean(seen.bytes, seen.count))
        );
        finding("cookies-set-again", Side::Ajax, context, message, Some(saving), "set when they change").at(seen.frames)
    })
}

pub(super) fn repeated_request_headers(context: &Context<'_>) -> Option<Finding> {
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
        finding("request-headers-repeated", Side::Ajax, context, message, Some(saving), assumption).at(context.ajax.exchanges.requests)
    })
}

/// What messages of a side cost with their part of what it paid beside messages, in octets.
fn all_in(side: &SideTotals, messages: u64) -> u64 {
    let rows = side.sum(DirectionTotals::rows_wire_bytes).max(1);
    let part = u128::from(side.all_in_wire_bytes()) * u128::from(messages.min(rows)) / u128::from(rows);
    u64::try_from(part).unwrap_or(u64::MAX)
}

pub(super) fn polling_before_websocket(context: &Context<'_>) -> Option<Finding> {
    let (sessions, paid) = context.summary.engine_io().upgraded();
    // The probe is the WebSocket's.
    let saving = all_in(context.ajax, paid.handshake.wire_bytes + paid.polls.wire_bytes);
    (paid.polls.count > 0).then(|| {
        let message = format!(
            "{} engine.io {} began with {} polls before {} WebSocket",
            thousands(sessions),
            plural(sessions, "session", "sessions"),
            thousands(paid.handshake.count + paid.polls.count),
            plural(sessions, "its", "their")
        );
        let assumption = "clients set to `transports: [\"websocket\"]` open the WebSocket at once (one that cannot, fails); \
            set-up and acknowledgements of the polls go with them, in proportion";
        finding("polling-before-websocket", Side::Ajax, context, message, Some(saving), assumption).at(paid.frames)
    })
}

pub(super) fn heavy_comments(context: &Context<'_>) -> Option<Finding> {
    let events = &context.events.events;
    (events.comments >= 3 && events.comment_bytes > events.event_bytes).then(|| {
        let message = format!("{} comments outweigh {} events of event streams", thousands(events.comments), thousands(events.events));
        let assumption =
            "half as many comments; those that keep a proxy from closing the connection must stay; their segments are not counted";
        let saving = Some(events.comment_bytes / 2);
        finding("comments-outweigh-events", Side::ServerSentEvents, context, message, saving, assumption).at(events.comment_frames)
    })
}
