//! What reading one record or block came to.

use std::fmt;

use super::source::Source;
use crate::stream::Timestamp;

/// A captured packet whose data stands in the source's buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) time: Timestamp,
    /// Octets on the wire.
    pub(super) len: u32,
    /// Where the captured octets stand in the buffer.
    pub(super) position: usize,
    /// How many were captured.
    pub(super) captured: u32,
    pub(super) link_type: u16,
    pub(super) interface: u32,
}

impl Record {
    /// The same packet without the frame check sequence at its end, of which none, a part or all was captured.
    #[inline]
    pub(super) fn without_fcs(mut self, fcs_len: u32) -> Self {
        if fcs_len > 0 {
            self.len = self.len.saturating_sub(fcs_len);
            self.captured = self.captured.min(self.len);
        }
        self
    }
}

/// Records that follow each other and need no second look: each is whole in the buffer, at least as long on the wire as
/// captured, and no earlier than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) records: usize,
    /// Octets of them on the wire.
    pub(super) wire_bytes: u64,
    /// Octets of them that were captured.
    pub(super) captured_bytes: u64,
}

/// What came next in a capture file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A packet.
    Packet(Record),
    /// A block that is no packet's and that Wireshark shows as a frame: it has a number.
    Numbered,
    /// The end of the file, between two records.
    End,
    /// The end of the file, within a record.
    Cut(Box<Damage>),
    /// A malformed block that was skipped.
    Skipped(Box<Damage>),
    /// A block that was read, but not all of what it says of itself.
    Odd(Box<Damage>),
    /// Octets that are no record: nothing behind them can be found.
    Broken(Box<Damage>),
}

impl Step {
    /// The end of the input where `wanted` octets should be: between records if none are there, else within one.
    #[cold]
    pub(super) fn end(what: &'static str, source: &Source, wanted: usize) -> Self {
        if source.unread().is_empty() { Self::End } else { Self::Cut(Damage::new(what, source, wanted, None)) }
    }

    /// The same where the header should be that would declare a length.
    #[cold]
    pub(super) fn end_within_header(what: &'static str, source: &Source, wanted: usize) -> Self {
        match Self::end(what, source, wanted) {
            Self::Cut(damage) => Self::Cut(Box::new(Damage { is_declared: false, ..*damage })),
            step => step,
        }
    }
}

/// What is wrong with a record or block, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    what: &'static str,
    offset: u64,
    wanted: u64,
    /// Whether the file says so, or the format.
    is_declared: bool,
    had: u64,
    why: Option<String>,
}

impl Damage {
    /// Damage to what begins at the source's next octet.
    #[cold]
    pub(super) fn new(what: &'static str, source: &Source, declared: usize, why: Option<String>) -> Box<Self> {
        Box::new(Self { what, offset: source.offset(), wanted: declared as u64, is_declared: true, had: source.unread().len() as u64, why })
    }

    /// More octets declared than any record has.
    #[cold]
    pub(super) fn limit(what: &'static str, source: &Source, declared: usize, limit: u32) -> Box<Self> {
        Self::new(what, source, declared, Some(format!("more than the limit of {limit}")))
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_declared { "declared" } else { "wanted" };
        write!(out, "{} at offset {}: {} bytes {verb}, ", self.what, self.offset, self.wanted)?;
        match &self.why {
            Some(why) => out.write_str(why),
            None => write!(out, "{} left", self.had),
        }
    }
}
