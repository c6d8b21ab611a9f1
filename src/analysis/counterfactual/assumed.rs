//! What an estimate assumes, and what it leaves out, in sentences.

use crate::account::{AsAjax, SEGMENT_PAYLOAD, SideTotals};
use crate::analysis::{plural, rounded_mean};
use crate::message::Bucket;
use crate::options::{Assumptions, thousands};

pub(super) fn requests_become(own: bool) -> &'static str {
    match own {
        true => "each exchange becomes two messages, the request's target standing for a request without content",
        false => "answers without content (empty, 204, 304) and questions without content vanish",
    }
}

pub(super) fn content_is(compressed: bool, deflated: Option<[f64; 2]>) -> String {
    match (compressed, deflated) {
        (false, _) => "content uncompressed".into(),
        (true, None) => "content as HTTP encoded it".into(),
        (true, Some([up, down])) => format!(
            "content as HTTP encoded it, or deflated to {} (of clients) and {} (of servers) as the WebSocket messages of this capture were, whichever is less",
            share(up),
            share(down)
        ),
    }
}

/// A share in per cent, with a decimal where whole ones say little.
fn share(part: f64) -> String {
    match part * 100.0 {
        percent @ ..0.05 if percent > 0.0 => "less than 0.1 %".into(),
        percent @ ..9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// Contents that are longer by this factor deflate to less.
const LONGER: u64 = 3;

/// Why contents of Ajax may deflate to more than messages did.
pub(super) fn longer_messages(websocket: &SideTotals, ajax: &SideTotals) -> Option<String> {
    let [message, answer] = [websocket, ajax].map(|side| {
        let of = side.compression();
        rounded_mean(of.content_bytes, of.content_bearing)
    });
    (message > LONGER * answer).then(|| {
        format!(
            "WebSocket messages carried {} bytes each on average, contents of Ajax {}: shorter ones deflate less, so what is deflated may be more",
            thousands(message),
            thousands(answer)
        )
    })
}

/// A larger part than this of what is compared is worth mentioning.
const WORTH_MENTIONING: u64 = 50;

/// What larger segments than those of an estimate save: on a loopback interface, or where a network card splits them behind the capture.
pub(super) fn larger_segments(side: &SideTotals, header: u64) -> Option<String> {
    let bytes = side.money(|direction| direction.messages).bytes;
    let segments = (bytes.link + bytes.ip + bytes.tcp) / header.max(1);
    let split = bytes.payload.div_ceil(SEGMENT_PAYLOAD);
    let headers = split.saturating_sub(segments) * header;
    (segments > 0 && headers > side.all_in_wire_bytes() / WORTH_MENTIONING).then(|| {
        format!(
            "segments of {} bytes, the mean here, are larger than most links take: split into those of 1,448, what was observed would cost {} bytes more",
            thousands(rounded_mean(bytes.payload, segments)),
            thousands(headers)
        )
    })
}

/// What belongs to a side, and to no message that could be the other's.
pub(super) fn not_understood(side: &SideTotals) -> Option<String> {
    let bytes = side.bucket(Bucket::Unattributed);
    (bytes > side.all_in_wire_bytes() / WORTH_MENTIONING).then(|| {
        format!(
            "{} bytes of what was observed were not understood: neither end has anything for them, so both may be too low",
            thousands(bytes)
        )
    })
}

/// What cannot be told of messages whose content is not known.
pub(super) fn unknown_content(side: &SideTotals) -> Option<String> {
    let unknown = side.money(|direction| direction.messages).unknown_content_messages;
    (unknown > 0).then(|| {
        format!(
            "the content of {} {} is not known: uncompressed counts as sent, so both ends may be higher",
            thousands(unknown),
            plural(unknown, "message", "messages")
        )
    })
}

/// What cannot be told of exchanges of which a message is missing.
pub(super) fn incomplete(side: &SideTotals) -> Option<String> {
    let incomplete = side.exchanges.incomplete();
    (incomplete > 0).then(|| {
        format!(
            "{} of {} exchanges {} request or response: what was not captured is in neither figure",
            thousands(incomplete),
            thousands(side.exchanges.count),
            plural(incomplete, "lacks its", "lack their")
        )
    })
}

pub(super) fn exchanges_are(count: u64) -> String {
    format!("{} {}", thousands(count), plural(count, "exchange", "exchanges"))
}

/// How polls and what clients say would be asked.
pub(super) fn polls_are(asks: &Assumptions, messages: &AsAjax, shared: bool, bundled: bool) -> String {
    let clients = match (shared, asks.poll_interval) {
        (true, Some(_)) => "what clients say waits for them",
        (true, None) => "each message of a client takes one of those requests, or is one more",
        (false, _) => "what clients say is a POST of its own each",
    };
    if let Some(interval) = asks.poll_interval {
        let seconds = interval.as_secs_f64();
        return format!(
            "{} {}, one every {seconds} s of each connection (which adds {} s of waiting on average, {seconds} s at most), {clients}",
            thousands(messages.interval_polls),
            plural(messages.interval_polls, "poll", "polls"),
            seconds / 2.0
        );
    }
    if bundled {
        return format!(
            "long polls; a server's messages of a connection within one second share an answer (which adds up to 1 s of waiting), {clients}"
        );
    }
    let held = match messages.idle_polls {
        0 => String::new(),
        polls => format!(", {} held {} ended after 30 s without news", thousands(polls), plural(polls, "poll", "polls")),
    };
    format!("long polls, each message of a server an answer of its own{held}, {clients}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_a_decimal_where_they_are_small() {
        assert_eq!([0.0, 0.0004, 0.0025, 0.0994, 0.0996, 0.25].map(share), ["0.0 %", "less than 0.1 %", "0.2 %", "9.9 %", "10 %", "25 %"]);
    }
}
