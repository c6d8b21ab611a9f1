//! What WebSocket messages and connections could do without.

use super::{Context, Finding, finding};
use crate::account::{EnvelopeTotals, Waste};
use crate::analysis::counterfactual::header_bytes;
use crate::analysis::{plural, rounded_mean};
use crate::message::Side;
use crate::options::thousands;

pub(super) fn grown_messages(context: &Context<'_>) -> Option<Finding> {
    let compression = context.websocket.compression();
    let seen = compression.grown;
    (seen.count > 0).then(|| {
        let message = format!(
            "compression made {} of {} compressed WebSocket messages bigger",
            thousands(seen.count),
            thousands(compression.known_compressed_messages)
        );
        finding("compression-grows-messages", Side::WebSocket, context, message, Some(seen.bytes), "these messages sent uncompressed")
            .at(seen.frames)
    })
}

pub(super) fn not_compressed(context: &Context<'_>) -> Option<Finding> {
    let messages = context.websocket.money(|direction| direction.messages);
    let compressed = context.websocket.compression().compressed_messages;
    // Below 128 octets on average deflate without a shared context gains next to nothing.
    (compressed == 0 && messages.messages > 0 && messages.encoded_bytes / messages.messages >= 128).then(|| {
        let message = format!(
            "{} bytes of payload{}",
            match messages.messages {
                1 => format!("the only WebSocket message was not compressed, {}", thousands(messages.encoded_bytes)),
                count => format!(
                    "none of {} WebSocket messages was compressed, {}",
                    thousands(count),
                    thousands(rounded_mean(messages.encoded_bytes, count))
                ),
            },
            plural(messages.messages, "", " each on average")
        );
        let assumption = "depends on the content; permessage-deflate (RFC 7692) must be offered by the client and accepted by the server";
        finding("compression-not-used", Side::WebSocket, context, message, None, assumption)
            .at(context.websocket.compression().uncompressed)
    })
}

pub(super) fn context_not_kept(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::ContextNotKept);
    (seen.count > 0).then(|| {
        let message = format!(
            "{} WebSocket {} compressed small messages each by itself, {} bytes of them",
            thousands(seen.count),
            plural(seen.count, "connection", "connections"),
            thousands(seen.bytes)
        );
        let assumption = "depends on the content: messages alike deflate to much less where they share a context (no *_no_context_takeover), at 32 KiB of memory for each direction";
        finding("context-not-kept", Side::WebSocket, context, message, None, assumption).at(seen.frames)
    })
}

pub(super) fn own_segments(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::OwnSegment);
    (seen.count >= 4).then(|| {
        let message = format!(
            "{} WebSocket messages came in segments of their own within 5 ms of another that had room for them",
            thousands(seen.count)
        );
        let assumption = "written together, they share its link, IP and TCP headers; the acknowledgements saved are not counted";
        finding("messages-in-own-segments", Side::WebSocket, context, message, Some(seen.bytes), assumption).at(seen.frames)
    })
}

pub(super) fn fragmented(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::Fragmented);
    (seen.count > 0).then(|| {
        let message = format!(
            "{} WebSocket {} that one segment has room for came in fragments",
            thousands(seen.count),
            plural(seen.count, "message", "messages")
        );
        let spread = context.waste(Waste::FragmentedSegments);
        let further = spread.bytes.saturating_sub(spread.count * header_bytes(context.websocket));
        let assumption = "sent as one frame each, in a segment; the acknowledgements saved are not counted";
        finding("small-messages-fragmented", Side::WebSocket, context, message, Some(seen.bytes + further), assumption).at(seen.frames)
    })
}

pub(super) fn masked_by_server(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::MaskedByServer);
    (seen.count > 0).then(|| {
        let message = format!(
            "a server masked {} {}, which RFC 6455 section 5.1 forbids; browsers close the connection",
            thousands(seen.count),
            plural(seen.count, "message", "messages")
        );
        finding("server-masks-frames", Side::WebSocket, context, message, Some(seen.bytes), "sent without masking keys").at(seen.frames)
    })
}

pub(super) fn heartbeats(context: &Context<'_>) -> Option<Finding> {
    let liveness = context.websocket.money(|direction| direction.liveness);
    let messages = context.websocket.money(|direction| direction.messages);
    (liveness.wire_bytes() > messages.wire_bytes() && liveness.messages > 2).then(|| {
        let message = format!("{} ping and pong frames outweigh {} messages", thousands(liveness.messages), thousands(messages.messages));
        let assumption = "half as many heartbeats; those that keep a proxy from closing the connection must stay";
        let mut frames = context.websocket.directions[0].liveness_frames;
        frames += context.websocket.directions[1].liveness_frames;
        finding("heartbeats-outweigh-data", Side::WebSocket, context, message, Some(liveness.wire_bytes() / 2), assumption).at(frames)
    })
}

pub(super) fn keep_alives_beside_pings(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::KeepAliveBesidePings);
    (seen.count > 0).then(|| {
        let message = format!(
            "{} WebSocket {} kept alive twice: by pings and by TCP keep-alives",
            thousands(seen.count),
            plural(seen.count, "connection was", "connections were")
        );
        finding("keep-alives-beside-pings", Side::WebSocket, context, message, Some(seen.bytes), "pings alone do it").at(seen.frames)
    })
}

pub(super) fn hardly_used(context: &Context<'_>) -> Option<Finding> {
    let seen = context.waste(Waste::HardlyUsed);
    (seen.count >= 2).then(|| {
        let message = format!("{} WebSocket connections carried no more than two messages each", thousands(seen.count));
        let assumption = "asked by a request each, or on one connection that stays open, their opening handshakes are not needed";
        finding("websockets-hardly-used", Side::WebSocket, context, message, Some(seen.bytes), assumption).at(seen.frames)
    })
}

pub(super) fn heavy_envelopes(context: &Context<'_>) -> Option<Finding> {
    // Pings are envelopes and nothing else.
    let carries = |totals: &EnvelopeTotals| totals.content_bytes > totals.envelope_bytes;
    let heavy =
        |(_, totals): &(_, &EnvelopeTotals)| totals.messages >= 5 && carries(totals) && totals.envelope_bytes * 2 > totals.content_bytes;
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
    let found = finding("envelopes-outweigh-payload", Side::WebSocket, context, message, Some(totals.envelope_bytes), assumption);
    Some(found.at(totals.frames))
}
