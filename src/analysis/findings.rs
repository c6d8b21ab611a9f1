//! What a person should do about it: each finding with the octets it would save, and frames to look at.

mod http;
mod websocket;

use serde::Serialize;

use super::ratio;
use crate::account::{FirstFrames, SideTotals, Sighting, Summary, Waste};
use crate::message::{Bucket, Side};
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
    http::not_kept_alive,
    http::polls_bring_nothing,
    http::unchanged_content,
    http::empty_answers,
    http::uncompressed_answers,
    http::preflights,
    http::redirects,
    http::error_answers,
    http::repeated_cookies,
    http::repeated_set_cookies,
    http::repeated_request_headers,
    http::polling_before_websocket,
    websocket::grown_messages,
    websocket::not_compressed,
    websocket::context_not_kept,
    websocket::own_segments,
    websocket::fragmented,
    websocket::masked_by_server,
    websocket::heartbeats,
    websocket::keep_alives_beside_pings,
    websocket::hardly_used,
    websocket::heavy_envelopes,
    http::heavy_comments,
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
    fn at(mut self, frames: FirstFrames) -> Self {
        self.frames = frames.iter().collect();
        self
    }
}

fn retransmissions(context: &Context<'_>) -> Option<Finding> {
    // The side that suffers more.
    let of = |side: Side| (side, context.summary.side(side).bucket(Bucket::Retransmissions));
    let (side, bytes) = [of(Side::Ajax), of(Side::WebSocket)].into_iter().max_by_key(|(_, bytes)| *bytes)?;
    // A path that loses less than 2 % is a usual one.
    (bytes * 50 > context.summary.side(side).all_in_wire_bytes()).then(|| {
        let message = format!("{} bytes were sent again", thousands(bytes));
        let found = finding("retransmissions", side, context, message, Some(bytes), "over a path that loses nothing");
        found.at(context.summary.side(side).connection_use.retransmissions)
    })
}

#[cfg(test)]
mod tests;
