//! One direction between messages: finds the next header section, and the way back to one after damage or loss.

use super::body::Body;
use super::detect::StartLook;
use super::head::{self, Parsed, Role, Search};
use super::heads::{HeadPlace, Heads};
use super::pending::Gap;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::stream::{Acknowledged, Frame, Place, Provenance, StreamBuffer};

/// Where a direction is.
#[derive(Debug)]
pub(super) enum State {
    /// Before or in a header section.
    Head,
    /// In a message's content.
    Content(Body),
    /// Nothing is read until the other direction decides whose bytes these are.
    Paused,
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Reader {
    role: Role,
    pub(super) state: State,
    /// Empty lines before a start line (RFC 9112 §2.2), which belong to the message that begins there.
    empty_lines: Provenance,
    search: Search,
    pub(super) start_look: StartLook,
    /// Whether the front of the buffer may be anywhere in a message.
    lost: bool,
    /// What was lost, and not only not understood, since the last header section.
    gap: Gap,
    /// Whether no more bytes will come.
    pub(super) ended: bool,
    /// Whether the sender said so: its FIN, and everything before it, was there.
    pub(super) closed: bool,
}

/// What stands at the front of a direction.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing that can be told yet.
    Wait,
    /// A header section, which is still to be [taken](Found::take).
    Head(Found),
    /// Bytes that belong to no message, now consumed, and why.
    Unowned(Provenance, AnomalySet),
}

/// A header section and what it cost.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) parsed: Parsed,
    /// Of the start line's first octet.
    pub(super) first: Frame,
    /// Octets of it, which are unread.
    pub(super) len: usize,
    /// Of the empty lines before it, which are not.
    pub(super) cost: Provenance,
    /// Stream offset of its first octet.
    pub(super) start: u64,
    /// What its first segment acknowledged of the other direction, if that was remembered.
    pub(super) acknowledged: Option<Acknowledged>,
    /// Whether bytes before it were lost or not understood.
    pub(super) after_loss: bool,
    /// What was lost before it.
    pub(super) gap: Gap,
    /// Why only its beginning is there.
    pub(super) cut: Option<Cut>,
}

impl Found {
    /// Consumes it; what it cost, with the empty lines before it.
    pub(super) fn take(&self, buffer: &mut StreamBuffer) -> Provenance {
        self.cost + buffer.consume(self.len as u64)
    }

    /// Stream offset of its first octet, or of the empty lines before it.
    pub(super) fn begin(&self) -> u64 {
        self.start - self.cost.bytes.payload
    }

    /// Stream offset behind it.
    pub(super) fn end(&self) -> u64 {
        self.start + self.len as u64
    }

    /// Where its first octet stands.
    pub(super) fn place(&self) -> Place {
        Place { stream_offset: self.start, frame: (self.first.number > 0).then_some(self.first.number) }
    }
}

/// Why only the beginning of a header section was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// By the snap length: what follows in the stream is known by its length.
    Snapped,
    /// What follows was lost.
    Lost,
}

/// One look at the front.
enum Look {
    Wait,
    Head(Parsed, usize),
    /// The beginning of one, of so many octets; the octets that follow were not captured.
    Cut(Parsed, usize),
    /// No head begins here, or it cannot be read.
    Nothing(AnomalySet),
}

impl Reader {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            state: State::Head,
            empty_lines: Provenance::default(),
            search: Search::default(),
            start_look: StartLook::default(),
            lost: false,
            gap: Gap::None,
            ended: false,
            closed: false,
        }
    }

    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let is_head = matches!(self.state, State::Head);
        u64::from(is_head) ^ u64::from(self.lost) ^ self.empty_lines.bytes.total()
    }

    /// Whether a message begins with the next octet, for certain, and nothing before it is left.
    pub(super) fn is_even(&self) -> bool {
        let is_between = matches!(self.state, State::Head) && self.search.is_new() && self.empty_lines.is_empty();
        is_between && !self.lost && self.gap == Gap::None && !self.ended
    }

    /// From here on the front of the buffer may be anywhere in a message.
    pub(super) fn lose(&mut self) {
        self.lost = true;
        self.state = State::Head;
    }

    /// The same, and what may have stood before it is lost.
    pub(super) fn lose_before(&mut self) {
        self.lose();
        self.gap = Gap::Between;
    }

    /// Consumes the next header section of at most `limit` octets, or the bytes that are none.
    ///
    /// What is no head is passed over run by run: senders begin messages in segments (or records) of their own.
    #[inline]
    pub(super) fn next(&mut self, buffer: &mut StreamBuffer, limit: usize, connection: u64, heads: &mut Heads) -> Next {
        // As with nearly all messages.
        if self.search.is_new()
            && !buffer.is_empty()
            && let Some((parsed, len)) = heads.read(HeadPlace { role: self.role, connection, start: buffer.start() }, buffer.peek())
            && len <= limit
        {
            return Next::Head(self.find_head(buffer, parsed, len));
        }
        self.next_of_any(buffer, limit)
    }

    fn next_of_any(&mut self, buffer: &mut StreamBuffer, limit: usize) -> Next {
        let mut unowned = Provenance::default();
        let mut anomalies = AnomalySet::EMPTY;
        loop {
            self.take_empty_lines(buffer);
            if self.lost {
                // They may as well be the end of what was lost.
                unowned += self.take_unowned();
            }
            match self.look(buffer, limit) {
                Look::Wait => break,
                Look::Head(..) | Look::Cut(..) if !unowned.is_empty() => break,
                Look::Head(parsed, len) => return Next::Head(self.find_head(buffer, parsed, len)),
                Look::Cut(parsed, len) => return Next::Head(self.find_cut_head(buffer, parsed, len)),
                Look::Nothing(why) => {
                    if !self.lost {
                        anomalies.merge(why);
                    }
                    // What the snap length cut behind a message was another one.
                    if buffer.missing() > 0 && self.gap == Gap::None {
                        self.gap = if self.lost { Gap::Within } else { Gap::Between };
                    }
                    self.lost = true;
                    let len = buffer.front_run().max(buffer.missing());
                    self.search.skip(usize::try_from(len).unwrap_or(usize::MAX));
                    unowned += self.take_unowned();
                    unowned += buffer.consume(len);
                }
            }
        }
        if self.ended && buffer.is_empty() {
            unowned += self.take_unowned();
        }
        if unowned.is_empty() && anomalies.is_empty() { Next::Wait } else { Next::Unowned(unowned, anomalies) }
    }

    /// The cost of empty lines that no message followed.
    pub(super) fn take_unowned(&mut self) -> Provenance {
        std::mem::take(&mut self.empty_lines)
    }

    fn take_empty_lines(&mut self, buffer: &mut StreamBuffer) {
        loop {
            let len = match buffer.peek() {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                _ => return,
            };
            self.search.skip(len);
            self.empty_lines += buffer.consume(len as u64);
        }
    }

    /// Whether a head begins at the front; `None` while more octets are needed to tell.
    pub(super) fn begins(&mut self, buffer: &StreamBuffer) -> Option<bool> {
        self.role.begins(buffer, &mut self.start_look)
    }

    fn look(&mut self, buffer: &StreamBuffer, limit: usize) -> Look {
        let bytes = buffer.peek();
        let has_hole = buffer.len() > bytes.len() as u64;
        if bytes.is_empty() {
            return if buffer.is_empty() { Look::Wait } else { Look::Nothing(AnomalySet::EMPTY) };
        }
        let malformed = AnomalySet::from_iter([AnomalyKind::MalformedHttpHead]);
        let begins = self.begins(buffer);
        if begins == Some(false) {
            return Look::Nothing(malformed);
        }
        match self.search.end(bytes) {
            Some(len) if len > limit => Look::Nothing(AnomalySet::from_iter([AnomalyKind::HttpHeadLimit])),
            None if bytes.len() > limit => Look::Nothing(AnomalySet::from_iter([AnomalyKind::HttpHeadLimit])),
            None if has_hole => match head::parse_cut(self.role, bytes) {
                Some(parsed) if begins == Some(true) && !(self.lost && parsed.is_malformed()) => Look::Cut(parsed, bytes.len()),
                _ => Look::Nothing(AnomalySet::EMPTY),
            },
            None if self.ended => Look::Nothing(AnomalySet::EMPTY),
            None => Look::Wait,
            Some(len) => match head::parse(self.role, &bytes[..len]) {
                // Where a head is only guessed to begin it must be a good one.
                Some(parsed) if !(self.lost && parsed.is_malformed()) => Look::Head(parsed, len),
                _ => Look::Nothing(malformed),
            },
        }
    }

    #[inline]
    fn find_head(&mut self, buffer: &StreamBuffer, parsed: Parsed, len: usize) -> Found {
        let after_loss = std::mem::take(&mut self.lost);
        let gap = std::mem::take(&mut self.gap);
        self.search = Search::default();
        let first = buffer.front_frame().unwrap_or_default();
        let start = buffer.start();
        let acknowledged = buffer.acknowledged_at(start);
        let cost = self.take_unowned();
        Found { parsed, first, len, cost, start, acknowledged, after_loss, gap, cut: None }
    }

    fn find_cut_head(&mut self, buffer: &StreamBuffer, parsed: Parsed, len: usize) -> Found {
        let cut = if buffer.is_lost() { Cut::Lost } else { Cut::Snapped };
        let found = self.find_head(buffer, parsed, len);
        self.lost = cut == Cut::Lost;
        Found { cut: Some(cut), ..found }
    }

    /// Whether bytes were lost, or not understood, since the last header section.
    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Whether what stands at the front, or will next, may follow a loss.
    pub(super) fn is_lost(&self, buffer: &StreamBuffer) -> bool {
        matches!(self.state, State::Head) && (self.lost || buffer.missing() > 0)
    }
}
