//! What cost more than it had to, seen while rows pass: the ground of findings.

use std::ops::AddAssign;

use super::sighting::Sighting;
use crate::message::{Bucket, ConnectionRow, Cost, Direction, Exchange, FieldName, Head, Message, Request, Response, Side, WebSocketFacts};
use crate::stream::Provenance;

/// Content that is not worth compressing, and what a segment has room for, in octets.
const WORTH_COMPRESSING: u64 = 1024;
const ROOM_OF_A_SEGMENT: u64 = 1400;

/// Messages of one side within this time could have shared a segment.
const SHARED_SEGMENT_NS: i64 = 5_000_000;

/// Messages that make it worth to open a WebSocket, by far.
const FEW_MESSAGES: u64 = 2;

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Waste {
    /// Polls answered 200 with the content of the answer before: octets of that content.
    UnchangedContent,
    /// Ajax answers of text or JSON, 1 KiB or more, without content coding though the request accepts one: encoded octets.
    UncompressedAnswer,
    /// CORS preflights: octets on the wire.
    Preflight,
    /// Ajax exchanges answered with a redirection: octets on the wire.
    Redirect,
    /// Ajax exchanges answered 4xx or 5xx, questions of authentication left out: octets on the wire.
    ErrorAnswer,
    /// Ajax responses that set cookies: octets of these field lines.
    SetCookie,
    /// WebSocket messages in a segment of their own, behind another of the same sender that had room: link, IP and TCP headers.
    OwnSegment,
    /// WebSocket messages of several frames that one segment has room for: octets of the further frames' headers.
    Fragmented,
    /// Those of them that came in several segments: link, IP and TCP headers.
    FragmentedSegments,
    /// WebSocket messages that a server masked: octets of the masking keys.
    MaskedByServer,
    /// WebSocket connections with hardly a message: octets of their opening handshakes.
    HardlyUsed,
    /// Messages compressed without context takeover, small ones: encoded octets.
    ContextNotKept,
    /// TCP keep-alives on connections with pings: octets on the wire.
    KeepAliveBesidePings,
}

/// Kinds of waste.
const KINDS: usize = Waste::KeepAliveBesidePings as usize + 1;

/// How often each kind was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wastes([Sighting; KINDS]);

impl Wastes {
    /// What was seen of a kind.
    pub fn of(&self, kind: Waste) -> Sighting {
        self.0[kind as usize]
    }

    fn add(&mut self, kind: Waste, bytes: u64, frame: u64) {
        self.0[kind as usize].add(bytes, frame);
    }

    /// Looks at an exchange that is no opening handshake.
    pub(super) fn add_exchange(&mut self, exchange: &Exchange) {
        let earlier = exchange.polling.iter().flat_map(|poll| &poll.earlier);
        for poll in earlier.filter(|poll| poll.is_new == Some(false) && poll.answer_bytes > 0) {
            self.add(Waste::UnchangedContent, poll.answer_bytes, poll.frame);
        }
        let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else { return };
        let (wire_bytes, frame) = (exchange.wire_bytes(), request.cost.provenance.first.number);
        if request.method() == b"OPTIONS" && request.head.field("access-control-request-method").is_some() {
            return self.add(Waste::Preflight, wire_bytes, frame);
        }
        if exchange.side != Side::Ajax {
            return;
        }
        match response.status {
            300..=303 | 305..=399 => self.add(Waste::Redirect, wire_bytes, frame),
            401 | 407 => {}
            400.. => self.add(Waste::ErrorAnswer, wire_bytes, frame),
            _ => self.add_answer(exchange, request, response),
        }
    }

    fn add_answer(&mut self, exchange: &Exchange, request: &Request, response: &Response) {
        let (encoded, frame) = (response.cost.encoded_bytes, response.cost.provenance.first.number);
        let is_unchanged = exchange.polling.as_ref().is_some_and(|poll| poll.is_new == Some(false));
        if is_unchanged && encoded > 0 && response.content.envelope.is_none() {
            self.add(Waste::UnchangedContent, encoded, request.cost.provenance.first.number);
        }
        if encoded >= WORTH_COMPRESSING
            && accepts_coding(&request.head)
            && is_text(&response.head)
            && !is_coded(response.head.list(FieldName::ContentEncoding).as_deref())
        {
            self.add(Waste::UncompressedAnswer, encoded, frame);
        }
        let cookies: usize = response.head.values("set-cookie").map(|value| value.len() + "set-cookie: \r\n".len()).sum();
        if cookies > 0 {
            self.add(Waste::SetCookie, cookies as u64, frame);
        }
    }

    /// Looks at a data message; `previous` is the one of the same sender before it.
    #[inline]
    pub(super) fn add_message(&mut self, message: &Message, previous: &mut Previous) {
        let cost = &message.cost;
        let provenance = &cost.provenance;
        let is_single = provenance.first.number == provenance.last.number;
        let len = cost.framing_bytes + cost.encoded_bytes;
        if is_single
            && provenance.first.time.0.saturating_sub(previous.time_ns) < SHARED_SEGMENT_NS
            && previous.frame != 0
            && previous.frame != provenance.first.number
            && previous.len + len <= ROOM_OF_A_SEGMENT
        {
            let headers = provenance.bytes.link + provenance.bytes.ip + provenance.bytes.tcp;
            self.add(Waste::OwnSegment, headers, provenance.first.number);
        }
        *previous = Previous { frame: provenance.last.number, time_ns: provenance.last.time.0, len };
        if message.fragments > 1 || message.masked && message.direction == Direction::ServerToClient {
            self.add_odd_framing(message, cost);
        }
    }

    #[cold]
    fn add_odd_framing(&mut self, message: &Message, cost: &Cost) {
        let (fragments, frame) = (u64::from(message.fragments), cost.provenance.first.number);
        if fragments > 1 && cost.encoded_bytes <= ROOM_OF_A_SEGMENT {
            self.add(Waste::Fragmented, cost.framing_bytes - cost.framing_bytes / fragments, frame);
            let Provenance { bytes, first, last } = cost.provenance;
            if first.number != last.number {
                self.add(Waste::FragmentedSegments, bytes.link + bytes.ip + bytes.tcp, frame);
            }
        }
        if message.masked && message.direction == Direction::ServerToClient {
            self.add(Waste::MaskedByServer, 4 * fragments, frame);
        }
    }

    /// Looks at a WebSocket connection that has ended.
    pub(super) fn add_websocket(&mut self, row: &ConnectionRow, facts: &WebSocketFacts, talked: &Talked) {
        let frame = row.first.number;
        if talked.upgrade_bytes > 0 && talked.messages <= FEW_MESSAGES {
            self.add(Waste::HardlyUsed, talked.upgrade_bytes, frame);
        }
        let keeps_no_context = facts.extensions.as_deref().is_some_and(|extensions| extensions.contains("no_context_takeover"));
        if keeps_no_context && talked.compressed >= 10 && talked.compressed_bytes / talked.compressed < WORTH_COMPRESSING {
            self.add(Waste::ContextNotKept, talked.compressed_bytes, frame);
        }
        let keep_alives = row.buckets.of_bucket(Bucket::KeepAlive);
        if keep_alives > 0 && talked.pings > 0 {
            self.add(Waste::KeepAliveBesidePings, keep_alives, frame);
        }
    }
}

impl AddAssign for Wastes {
    fn add_assign(&mut self, other: Self) {
        for (sum, part) in self.0.iter_mut().zip(other.0) {
            *sum += part;
        }
    }
}

/// The message of a sender before the one that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Previous {
    /// The frame that completed it; 0 for none.
    frame: u64,
    time_ns: i64,
    /// Its octets, framing included.
    len: u64,
}

/// What was said on a WebSocket connection so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Talked {
    pub(super) previous: [Previous; 2],
    /// Octets on the wire of the opening handshake.
    pub(super) upgrade_bytes: u64,
    pub(super) messages: u64,
    pub(super) pings: u64,
    /// Compressed messages, and their encoded octets.
    pub(super) compressed: u64,
    pub(super) compressed_bytes: u64,
}

fn accepts_coding(head: &Head) -> bool {
    ["gzip", "br", "zstd", "deflate"].iter().any(|coding| head.has_token("accept-encoding", coding))
}

/// Whether a Content-Encoding value names a coding that changes anything.
pub(super) fn is_coded(content_encoding: Option<&[u8]>) -> bool {
    let is_one = |coding: &[u8]| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity");
    content_encoding.is_some_and(|codings| codings.split(|&octet| octet == b',').any(|coding| is_one(coding.trim_ascii())))
}

/// Text, JSON and XML deflate well; most other types are compressed in themselves.
fn is_text(head: &Head) -> bool {
    let media_type = head.field("content-type").unwrap_or_default().to_ascii_lowercase();
    let has = |part: &[u8]| memchr::memmem::find(&media_type, part).is_some();
    media_type.starts_with(b"text/") || has(b"json") || has(b"xml") || has(b"javascript")
}
