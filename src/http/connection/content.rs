//! Content of a message: how it begins, what it is for whoever takes it, and why it is over.

use std::borrow::Cow;

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::http::body::{Body, Progress, Whole};
use crate::http::framing::{Framing, content_codings};
use crate::http::reader::{Found, State};
use crate::message::{Content, ContentSink, Cost, Direction, FieldName, Form, Head};
use crate::stream::StreamBuffer;

/// Why a message's content is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Complete,
    /// The stream ended before it.
    Cut,
    /// There was none, whatever the header section says.
    Absent,
    /// What follows is not its framing.
    Damaged(AnomalyKind),
}

impl End {
    pub(super) fn is_damaged(self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}

pub(super) fn end_of_content(body: &Body, progress: Progress, stream_has_ended: bool, closed: bool) -> Option<End> {
    match progress {
        Progress::Complete => Some(End::Complete),
        Progress::Damaged(why) => Some(End::Damaged(why)),
        Progress::Wait if !stream_has_ended => None,
        Progress::Wait if body.ends_with_stream() && (closed || !body.is_content()) => Some(End::Complete),
        Progress::Wait => Some(End::Cut),
    }
}

/// The media type of server-sent events.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// What the sink is told of a content.
pub(super) fn form<'a>(framing: Framing, head: &'a Head, target: &'a [u8], direction: Direction) -> ContentForm<'a> {
    let media_type = head.first(FieldName::ContentType).unwrap_or_default();
    let is_event_stream = media_type.get(..EVENT_STREAM.len()).is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM));
    let len = if let Framing::Length(len) = framing { Some(len) } else { None };
    ContentForm { codings: content_codings(head), len, target, direction, is_event_stream }
}

/// Takes a message at once whose content is all there behind its head, as with most; whether that is so. (`whole::measure` does the
/// same where a segment is a message.)
///
/// It comes to the same as reading head, content and framing one after the other, as shares of a segment's cost sum to all of
/// it. What may depend on the segments in which a content came is left to that: the times of events, and how much codings make
/// of how little.
pub(super) fn take_from_buffer(
    framing: Framing,
    found: &Found,
    form: &ContentForm<'_>,
    cost: &mut Cost,
    content: &mut Content,
    buffer: &mut StreamBuffer,
    sink: &mut impl ContentSink,
) -> bool {
    let Some(octets) = buffer.peek().get(found.len..).filter(|_| !form.is_event_stream) else { return false };
    let Some(whole) = Whole::of(framing, octets) else { return false };
    let len = found.len as u64 + whole.framing_len + whole.content_len;
    if !form.codings.is_empty() && buffer.front_run() < len {
        return false;
    }
    *content = whole.give(octets, form.sink(), sink);
    cost.content_bytes = content.bytes;
    cost.add_framing(found.cost);
    cost.add_frame(found.len as u64 + whole.framing_len, whole.content_len, buffer.consume(len));
    true
}

/// Tells the sink what is to come; when there is no content the message is complete without it.
pub(super) fn begin_content(
    framing: Framing,
    form: &ContentForm<'_>,
    cost: &mut Cost,
    content: &mut Content,
    sink: &mut impl ContentSink,
) -> Option<Body> {
    let body = Body::new(framing);
    if body.is_some() {
        sink.begin(form.sink());
    } else {
        content.bytes = Some(0);
        cost.content_bytes = Some(0);
    }
    body
}

/// What is said of a content in the head before it, and by the target.
pub(super) struct ContentForm<'a> {
    codings: Cow<'a, [u8]>,
    len: Option<u64>,
    target: &'a [u8],
    direction: Direction,
    pub(super) is_event_stream: bool,
}

impl ContentForm<'_> {
    pub(super) fn sink(&self) -> Form<'_> {
        let &Self { ref codings, len, target, direction, is_event_stream } = self;
        Form::Http { content_encoding: codings, len, target, direction, is_event_stream }
    }
}

/// Whether the snap length cut what says where the next chunk begins.
pub(super) fn is_snapped(body: &Body, progress: Progress, buffer: &StreamBuffer) -> bool {
    matches!(body, Body::Chunked(_)) && progress == Progress::Damaged(AnomalyKind::LostBytes) && !buffer.is_lost()
}

/// Says what was odd about its end.
pub(super) fn end_content(end: End, body: &State, cost: &mut Cost, content: &mut Content, sink: &mut impl ContentSink) -> AnomalySet {
    let mut anomalies = AnomalySet::EMPTY;
    match body {
        State::Content(Body::Rest(rest)) => rest.divide(cost),
        State::Content(_) | State::Head | State::Paused => {
            let has_all = matches!(body, State::Content(body) if body.has_all_content());
            *content = sink.end(matches!(end, End::Complete) || has_all);
            cost.content_bytes = content.bytes;
        }
    }
    if cost.lost_bytes > 0 {
        anomalies.insert(AnomalyKind::LostBytes);
    }
    match end {
        End::Complete | End::Absent => {}
        End::Cut => anomalies.insert(AnomalyKind::IncompleteContent),
        End::Damaged(why) => anomalies.insert(why),
    }
    anomalies
}
