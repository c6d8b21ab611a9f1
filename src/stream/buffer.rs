//! Unread bytes of one direction, each with what it cost.

use std::collections::VecDeque;

use super::acknowledged::{Acknowledged, Acknowledgments};
use super::provenance::{Place, Provenance};
use super::room::shrink;

/// Unread bytes of one direction in stream order, with their provenance.
///
/// Layers push what they carried and consume what they understood; a layer keeps the provenance of its own framing and
/// pushes the rest into the next layer's buffer.
///
/// ```text
///   consumed      captured run     missing run   captured run
///  ............ | [ taken | ....... ] [ ? ? ? ? ] [ .......... ]
///               ^ start
/// ```
///
/// Invariants: the runs' lengths less what is taken of them sum to the bytes not yet consumed; `bytes[head..]` holds the
/// captured ones among them.
#[derive(Clone, Debug, Default)]
pub struct StreamBuffer {
    /// There while anything is unread, and while memory is borrowed: most buffers are empty at any time.
    held: Option<Box<Held>>,
    start: u64,
    unread: u64,
    acknowledged: Option<Box<Acknowledgments>>,
}

/// What lies in a buffer.
#[derive(Clone, Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    head: usize,
    runs: VecDeque<Run>,
    /// While anything is missing: unread bytes of the first stretch, the runs at the front that are captured as the first of
    /// them is, or missing as it is.
    stretch: u64,
}

static NOTHING: Held = Held { bytes: Vec::new(), head: 0, runs: VecDeque::new(), stretch: 0 };

/// Bytes that were carried together and share one cost.
#[derive(Clone, Copy, Debug)]
struct Run {
    len: u32,
    taken: u32,
    missing: bool,
    /// Whether it stands for a gap whose length nobody knows.
    is_break: bool,
    cost: Provenance,
}

/// Memory for unread bytes, lent to whichever buffer is being filled: most are empty again before the next one is, and what goes
/// from one to the next stays in the nearest cache.
#[derive(Debug, Default)]
pub(crate) struct Lent(Option<Box<Held>>);

/// Runs at the front of a buffer that a search has passed over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PassedRuns {
    runs: usize,
    /// Unread bytes of them.
    end: u64,
}

impl Run {
    fn unread(&self) -> u32 {
        self.len - self.taken
    }

    /// Whether one stretch holds both, where they are neighbours.
    fn goes_on_as(&self, other: &Self) -> bool {
        self.missing == other.missing && !self.is_break && !other.is_break
    }
}

/// Runs that are looked through where something is searched for: a search must not cost more the smaller segments are.
const FEW_RUNS: usize = 256;

/// Beyond this an emptied buffer gives its memory back: most messages are small, a few are not.
const KEPT_CAPACITY: usize = 64 << 10;

/// The same for runs.
const KEPT_RUNS: usize = 64;

/// Memory that a buffer keeps for its octets however few they are.
const FEW_OCTETS: usize = 4096;

/// Consumed bytes before unread ones that are not kept.
const MAX_CONSUMED: usize = 4096;

impl StreamBuffer {
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        self.start
    }

    /// An empty buffer at stream offset 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends captured bytes that together cost `cost`.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], cost: Provenance) {
        let len = u32::try_from(bytes.len()).expect("a run is one segment or one record, far below 4 GiB");
        if len == 0 {
            return;
        }
        let held = self.held.get_or_insert_default();
        if held.head == held.bytes.len() {
            held.bytes.clear();
            held.head = 0;
        }
        held.bytes.extend_from_slice(bytes);
        self.push_run(Run { len, taken: 0, missing: false, is_break: false, cost });
    }

    /// Appends bytes whose content was not captured: cut by the snap length (with their cost), or lost (costing nothing).
    pub fn push_missing(&mut self, len: u32, cost: Provenance) {
        if len > 0 {
            self.push_missing_run(Run { len, taken: 0, missing: true, is_break: false, cost });
        }
    }

    /// Appends one byte that stands for a gap of unknown length: nothing that is counted by a length goes on behind it.
    pub fn push_break(&mut self) {
        self.push_missing_run(Run { len: 1, taken: 0, missing: true, is_break: true, cost: Provenance::default() });
    }

    /// Whether a gap of unknown length stands at the front.
    #[inline]
    pub fn is_broken(&self) -> bool {
        self.runs().front().is_some_and(|run| run.is_break)
    }

    /// Captured runs need not do the same: where the first stretch is captured and nothing is missing behind it, it is all there is.
    fn push_missing_run(&mut self, run: Run) {
        let is_whole = !self.has_missing();
        let held = self.held.get_or_insert_default();
        match held.runs.front() {
            None => held.stretch = u64::from(run.len),
            Some(_) if is_whole => held.stretch = self.unread,
            Some(first) if held.stretch == self.unread && run.goes_on_as(first) => held.stretch += u64::from(run.len),
            Some(_) => {}
        }
        self.push_run(run);
    }

    #[inline]
    fn has_missing(&self) -> bool {
        self.held().captured().len() as u64 != self.unread
    }

    fn push_run(&mut self, run: Run) {
        self.unread += u64::from(run.len);
        self.held.get_or_insert_default().runs.push_back(run);
    }

    #[inline]
    fn held(&self) -> &Held {
        self.held.as_deref().unwrap_or(&NOTHING)
    }

    #[inline]
    fn runs(&self) -> &VecDeque<Run> {
        &self.held().runs
    }

    /// Captured bytes at the front, up to the next missing run.
    #[inline]
    pub fn peek(&self) -> &[u8] {
        let held = self.held();
        // Without a missing run among them (the common case) all of it is contiguous.
        if !self.has_missing() {
            return held.captured();
        }
        // Fits: captured bytes are in memory.
        if held.runs.front().is_some_and(|run| run.missing) { &[] } else { &held.captured()[..held.stretch as usize] }
    }

    /// The same bytes as [`peek`](Self::peek), to be changed in place (unmasking, RFC 6455 §5.3).
    #[inline]
    pub fn peek_mut(&mut self) -> &mut [u8] {
        let len = self.peek().len();
        match &mut self.held {
            Some(held) => &mut held.bytes[held.head..held.head + len],
            None => &mut [],
        }
    }

    /// Length of the missing bytes at the front, up to a gap of unknown length; 0 when the next byte was captured or nothing
    /// is unread.
    #[inline]
    pub fn missing(&self) -> u64 {
        match self.runs().front() {
            Some(run) if run.missing => self.held().stretch,
            _ => 0,
        }
    }

    /// Unread bytes of the run at the front: up to the next segment's or record's beginning.
    #[inline]
    pub fn front_run(&self) -> u64 {
        self.runs().front().map_or(0, |run| u64::from(run.unread()))
    }

    /// How many segments or records the unread bytes from one offset to another take; `None` where the last of them does not
    /// end with one, or too many lie before.
    pub fn runs_between(&self, from: u64, to: u64) -> Option<usize> {
        self.runs_between_from(&mut PassedRuns::default(), from, to)
    }

    /// The same, without those that an earlier search from no later offset passed over; nothing was consumed since.
    pub(crate) fn runs_between_from(&self, passed: &mut PassedRuns, from: u64, to: u64) -> Option<usize> {
        let few = self.runs().len().min(FEW_RUNS);
        for run in self.runs().range(passed.runs.min(few)..few) {
            let end = passed.end + u64::from(run.unread());
            if end > from {
                break;
            }
            *passed = PassedRuns { runs: passed.runs + 1, end };
        }
        let mut end = passed.end;
        for (before, run) in self.runs().range(passed.runs.min(few)..few).enumerate() {
            end += u64::from(run.unread());
            if end >= to {
                return (end == to).then_some(before + 1);
            }
        }
        None
    }

    /// The same offset, or where the bytes end that were lost there; `None` where that is not known, or too many runs lie
    /// before.
    pub fn behind_loss(&self, offset: u64) -> Option<u64> {
        let mut end = 0;
        for run in self.runs().iter().take(FEW_RUNS) {
            let begin = end;
            end += u64::from(run.unread());
            match (end > offset, run.missing && run.cost.is_empty()) {
                (false, _) => {}
                (true, true) if run.is_break => return None,
                (true, true) => {}
                (true, false) => return Some(begin.max(offset)),
            }
        }
        (offset >= end).then_some(offset)
    }

    /// Captured bytes from so many unread bytes on, up to the next missing run; `None` where none was captured there, or
    /// behind a gap of unknown length, or where too many runs lie before.
    pub fn peek_at(&self, offset: u64) -> Option<&[u8]> {
        let (unread, front) = (self.held().captured(), self.peek());
        if offset < front.len() as u64 || front.len() as u64 == self.unread {
            return front.get(usize::try_from(offset).ok()?..).filter(|rest| !rest.is_empty());
        }
        let (mut begin, mut captured) = (0, 0);
        for (at, run) in self.runs().iter().enumerate().take(FEW_RUNS) {
            let end = begin + u64::from(run.unread());
            match (offset < end, run.missing) {
                (true, true) => return None,
                (true, false) => {
                    // Fits: within a run, whose length is a u32.
                    let first = captured + (offset - begin) as usize;
                    let in_a_row = self.runs().iter().skip(at).take(FEW_RUNS).take_while(|run| !run.missing);
                    let behind = captured + in_a_row.map(|run| run.unread() as usize).sum::<usize>();
                    return Some(&unread[first..behind]);
                }
                (false, _) if run.is_break => return None,
                (false, true) => {}
                (false, false) => captured += run.unread() as usize,
            }
            begin = end;
        }
        None
    }

    /// Whether the first missing byte was lost. `false` when it was cut by the snap length, or nothing is missing.
    pub fn is_lost(&self) -> bool {
        self.runs().iter().find(|run| run.missing).is_some_and(|run| run.cost.is_empty())
    }

    /// Whether the next unread byte was lost.
    pub fn is_lost_at_front(&self) -> bool {
        self.runs().front().is_some_and(|run| run.missing && run.cost.is_empty())
    }

    /// Remembers what a segment acknowledged of the other stream; its payload has so many octets and begins at a stream offset.
    pub fn note_acknowledged(&mut self, offset: u64, len: u32, acknowledged: Acknowledged) {
        self.acknowledged.get_or_insert_default().note(offset, offset + u64::from(len), acknowledged, self.start);
    }

    /// What the segment acknowledged that carried the octet at a stream offset, if it was remembered.
    pub fn acknowledged_at(&self, offset: u64) -> Option<Acknowledged> {
        self.acknowledged.as_ref()?.at(offset)
    }

    /// The other stream begins with that sequence number.
    pub fn begin_acknowledged_at(&mut self, first: u32) {
        if let Some(acknowledged) = &mut self.acknowledged {
            acknowledged.begin_at(first);
        }
    }

    /// Forgets what segments acknowledged.
    pub fn forget_acknowledged(&mut self) {
        self.acknowledged = None;
    }

    /// Whether the next unread byte is the first of its segment or record.
    #[inline]
    pub fn at_run_start(&self) -> bool {
        self.runs().front().is_some_and(|run| run.taken == 0)
    }

    /// The frame that carried the next unread byte.
    #[inline]
    pub fn front_frame(&self) -> Option<super::Frame> {
        self.runs().front().map(|run| run.cost.first)
    }

    /// Where the byte stands that has so many unread bytes before it.
    pub fn place(&self, offset: u64) -> Place {
        let mut end = 0;
        let run = self.runs().iter().find(|run| {
            end += u64::from(run.unread());
            offset < end
        });
        Place { stream_offset: self.start + offset, frame: run.map(|run| run.cost.first.number).filter(|&number| number > 0) }
    }

    /// Unread bytes, missing ones included.
    #[inline]
    pub fn len(&self) -> u64 {
        self.unread
    }

    /// Whether nothing is unread.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.unread == 0
    }

    /// The memory that is there for unread bytes, and what is remembered of acknowledgments take, in octets.
    pub fn memory(&self) -> usize {
        let unread = if self.is_empty() { 0 } else { self.held().memory() };
        unread + self.acknowledged.as_ref().map_or(0, |acknowledged| acknowledged.memory())
    }

    /// Stream offset of the next unread byte.
    #[inline]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Takes `len` bytes off the front, captured or missing (at most what is unread), and returns what they cost.
    #[inline]
    pub fn consume(&mut self, len: u64) -> Provenance {
        match self.runs().front() {
            // Most messages come in a segment of their own: their cost is the run's, undivided.
            Some(run) if run.taken == 0 && u64::from(run.len) == len => self.consume_front_run(),
            _ => self.consume_in_parts(len),
        }
    }

    #[inline]
    fn consume_front_run(&mut self) -> Provenance {
        let Some(held) = &mut self.held else { return Provenance::default() };
        let Some(run) = held.runs.pop_front() else { return Provenance::default() };
        self.start += u64::from(run.len);
        self.unread -= u64::from(run.len);
        if !run.missing {
            held.head += run.len as usize;
        }
        held.shorten(u64::from(run.len), self.unread);
        held.release();
        run.cost
    }

    fn consume_in_parts(&mut self, len: u64) -> Provenance {
        let len = len.min(self.unread);
        let mut left = len;
        self.start += len;
        self.unread -= len;
        let mut cost = Provenance::default();
        let Some(held) = &mut self.held else { return cost };
        while left > 0 {
            let Some(run) = held.runs.front_mut() else { break };
            // Fits: at most the run's unread bytes, a u32.
            let take = u64::from(run.unread()).min(left) as u32;
            let mut part = run.cost;
            part.bytes = run.cost.bytes.share(run.taken, run.taken + take, run.len);
            cost += part;
            run.taken += take;
            left -= u64::from(take);
            if !run.missing {
                held.head += take as usize;
            }
            if run.taken == run.len {
                held.runs.pop_front();
            }
        }
        held.shorten(len, self.unread);
        held.release();
        cost
    }

    /// Counts bytes that were read where they lay; nothing is unread.
    #[inline]
    pub(crate) fn pass_by(&mut self, len: u64) {
        self.start += len;
    }

    /// Whether there is memory for unread bytes.
    #[inline]
    pub(crate) fn has_memory(&self) -> bool {
        self.held.is_some()
    }

    /// Takes memory for what is about to be pushed, while nothing is unread.
    #[inline]
    pub(crate) fn borrow(&mut self, lent: &mut Lent) {
        if self.is_empty() {
            std::mem::swap(&mut self.held, &mut lent.0);
        }
    }

    /// Gives memory back when nothing is unread any more; otherwise what is far more than is needed.
    #[inline]
    pub(crate) fn give_back(&mut self, lent: &mut Lent) {
        if !self.is_empty() {
            if let Some(held) = &mut self.held {
                held.shrink();
            }
            return;
        }
        if let Some(held) = self.held.take().filter(|held| held.runs.capacity() <= KEPT_RUNS) {
            lent.0 = Some(held);
        }
    }

    /// Gives back the memory of an empty buffer.
    pub fn release_memory(&mut self) {
        if self.is_empty() {
            *self = Self { start: self.start, ..Self::default() };
        }
    }

    /// Takes everything off.
    pub fn consume_all(&mut self) -> Provenance {
        self.consume(self.unread)
    }
}

impl Held {
    #[inline]
    fn captured(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// So many octets were taken off the front, and so many are left. A run is looked at once for this, as the first stretch comes
    /// to it.
    #[inline]
    fn shorten(&mut self, len: u64, left: u64) {
        if self.captured().len() as u64 == left {
            return;
        }
        self.stretch = match self.stretch.checked_sub(len) {
            None | Some(0) => self.first_stretch(),
            Some(rest) => rest,
        };
    }

    fn first_stretch(&self) -> u64 {
        let Some(first) = self.runs.front() else { return 0 };
        let others = self.runs.iter().skip(1).take_while(|run| run.goes_on_as(first));
        u64::from(first.unread()) + others.map(|run| u64::from(run.unread())).sum::<u64>()
    }

    /// What there is for octets and runs, in octets.
    fn memory(&self) -> usize {
        self.bytes.capacity() + self.runs.capacity() * size_of::<Run>()
    }

    /// Gives back memory of which little is used, as [`shrink`] does.
    #[inline]
    fn shrink(&mut self) {
        if self.bytes.capacity() > FEW_OCTETS && self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(2 * self.bytes.len());
        }
        shrink(&mut self.runs, KEPT_RUNS);
    }

    /// Lets go of octets that were consumed.
    #[inline]
    fn release(&mut self) {
        if self.head == self.bytes.len() {
            self.bytes.clear();
            self.head = 0;
            if self.bytes.capacity() > KEPT_CAPACITY {
                self.bytes = Vec::new();
            }
        } else if self.head > MAX_CONSUMED && self.head * 2 > self.bytes.len() {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
    }
}

#[cfg(test)]
mod tests;
