//! Active connections by key: found, begun, ended by FIN, RST, idle capture time or a limit.

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;

use super::connection::Connection;
use super::index::Index;
use super::output::Output;
use crate::options::Options;
use crate::packet::{ConnectionKey, Flags, Segment};
use crate::stream::Timestamp;

/// Connections that a limit or the clock may end are looked for this often at least, in segments: a full pass over the
/// table must cost little beside them.
const SWEEP_SEGMENTS: u64 = 1 << 20;

/// Slots that a segment pays for: a capture whose clock runs must not have the table passed over for every few segments.
const SWEPT_SLOTS: usize = 64;

/// A step of the capture's clock that is not believed at once: 10 minutes.
const LEAP_NS: i64 = 600_000_000_000;

/// Segments in a row that make it believed.
const LEAPS_BELIEVED: u32 = 3;

/// Where a connection lies, unless it has ended since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    slot: usize,
    number: u64,
}

/// A closed connection, which listens for late segments.
#[derive(Clone, Copy, Debug)]
struct Lingering {
    slot: usize,
    number: u64,
    /// The capture's clock when it closed, or was heard of since.
    since: Timestamp,
}

/// What may still come of a closed connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// The acknowledgment of a FIN; after a RST, whatever was on its way.
    Segments,
    /// Copies: all was acknowledged.
    Copies,
}

/// Of those that may still get copies only, this part of the lingering connections is kept.
const COPIES_PART: usize = 8;

/// So many closed connections before its turn, one is fetched.
const AHEAD: usize = 2;

/// Of closed connections that are too many, this part of those that may be there is let go at a time: so the code for that, and
/// what it needs of memory, is fetched for several.
const LET_GO_PART: usize = 64;

/// So many of the connections that are to end do with a segment: all of a table at once would bring forth rows by the hundred thousand.
const ENDED_AT_ONCE: usize = 16;

/// Beyond so many connections what messages under way take is counted, however little that is.
const MANY: usize = 16 << 10;

/// The connections of a capture that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Table {
    index: Index,
    slots: Vec<Option<Box<Connection>>>,
    free: Vec<usize>,
    /// Memory of connections that have ended, for those that begin.
    #[expect(clippy::vec_box, reason = "slots hold boxes; to move a connection costs more than its box")]
    spare: Vec<Box<Connection>>,
    /// Closed connections, by what may still come.
    lingering: [VecDeque<Lingering>; 2],
    /// For how long each of them listens, and how many may.
    linger_ns: i64,
    most_lingering: [usize; 2],
    /// Connections that are to end, in this order: no segment finds them any more.
    ending: VecDeque<Box<Connection>>,
    begun: u64,
    /// What bytes take that connections hold beyond holes or have not read, in octets.
    held: usize,
    latest: Timestamp,
    /// Segments in a row that were far ahead of that.
    leaps: u32,
    next_sweep: Option<Timestamp>,
    /// When the clock may end one of them next; now, where that is not known.
    quiet_until: Timestamp,
    segments_since_sweep: u64,
}

impl Table {
    /// No connections.
    pub(crate) fn new(options: &Options) -> Self {
        let most = options.limits.lingering_connections;
        Self { linger_ns: nanos(options.linger), most_lingering: [most, most / COPIES_PART], ..Self::default() }
    }

    /// Connections begun so far.
    pub(crate) fn begun(&self) -> u64 {
        self.begun
    }

    /// The slot of the connection of a segment to come, if there is one.
    #[inline]
    pub(crate) fn look_up(&self, key: &ConnectionKey) -> Option<u32> {
        self.index.get(key)
    }

    /// Fetches what a segment needs of the connection itself.
    #[inline]
    pub(crate) fn fetch(&self, slot: u32) -> Option<Known> {
        let slot = slot as usize;
        let connection = self.slots[slot].as_ref()?;
        black_box(connection.touch());
        Some(Known { slot, number: connection.number() })
    }

    /// Fetches what that refers to.
    #[inline]
    pub(crate) fn fetch_further(&self, known: Known) {
        if let Some(connection) = &self.slots[known.slot] {
            black_box(connection.touch_further());
        }
    }

    /// Takes a segment to its connection; `known` is where that was before the last few segments.
    // Always: whoever has many segments has a loop around it.
    #[inline(always)]
    pub(crate) fn receive(&mut self, segment: &Segment<'_>, known: Option<Known>, out: &mut Output<'_>) {
        let slot = match known {
            Some(known) if self.is_where_it_was(known) && !begins(segment) => known.slot,
            Some(_) | None => self.slot(segment, out),
        };
        self.tick(segment.frame.time);
        let Some(connection) = self.slots[slot].as_mut() else { return };
        connection.set_heard(self.latest.max(segment.frame.time));
        if connection.receive_common(segment, out) {
            return self.tidy(out);
        }
        let was_due = due(connection);
        match out.options.parts {
            false => connection.receive(segment, out),
            true => connection.receive_shown(segment, out),
        }
        if connection.holds() && self.has_relieved(slot, out) {
            return self.tidy(out);
        }
        let Some(connection) = self.slots[slot].as_ref() else { return };
        if let Some(due) = due(connection).filter(|&due| was_due != Some(due)) {
            let number = connection.number();
            self.lingering[due as usize].push_back(Lingering { slot, number, since: self.latest });
            self.forget_settled();
            self.quiet_until = self.latest;
        }
        self.tidy(out);
    }

    /// Of connections that have got what was due, the first ones need not be remembered any more.
    fn forget_settled(&mut self) {
        let is_due = |first: &Lingering| {
            let connection = self.slots[first.slot].as_ref().filter(|connection| connection.number() == first.number);
            connection.and_then(|connection| due(connection)) == Some(Due::Segments)
        };
        while self.lingering[Due::Segments as usize].pop_front_if(|first| !is_due(first)).is_some() {}
    }

    /// Keeps the sum of what connections hold. The one that grows beyond its limit closes its holes, and ends where that is
    /// not enough: whether it did.
    fn has_relieved(&mut self, slot: usize, out: &mut Output<'_>) -> bool {
        let Some(connection) = self.slots[slot].as_mut() else { return false };
        let (before, now) = connection.update_held();
        self.held = self.held - before + now;
        if now <= before || self.held <= out.options.limits.held_bytes {
            return false;
        }
        connection.give_up_holes(out);
        let (before, now) = connection.update_held();
        self.held = self.held - before + now;
        let is_full = now > 0 && self.held > out.options.limits.held_bytes;
        if is_full {
            connection.note_limit();
            self.end(slot, out);
        }
        is_full
    }

    /// Moves the capture's clock, which never steps back, and far ahead only where the segments that follow are as late:
    /// one damaged time must not end what is idle.
    #[inline]
    fn tick(&mut self, time: Timestamp) {
        // Wrapped, a step back is a long one.
        let ahead = time.0.wrapping_sub(self.latest.0).cast_unsigned();
        if ahead <= LEAP_NS.cast_unsigned() {
            self.latest = self.latest.max(time);
            self.leaps = 0;
        } else {
            self.step(time);
        }
    }

    #[cold]
    fn step(&mut self, time: Timestamp) {
        if time <= self.latest || self.latest == Timestamp::default() {
            self.latest = self.latest.max(time);
            self.leaps = 0;
            return;
        }
        self.leaps += 1;
        if self.leaps >= LEAPS_BELIEVED {
            self.latest = time;
            self.leaps = 0;
        }
    }

    /// A packet of a connection was captured once more: that connection, while it is open.
    pub(crate) fn note_copy(&mut self, segment: &Segment<'_>) -> Option<&Connection> {
        let slot = self.look_up(&segment.key)? as usize;
        let connection = self.slots[slot].as_mut()?;
        connection.note_copy();
        Some(connection)
    }

    /// No more segments come: every connection is to end.
    pub(crate) fn finish(&mut self) {
        let mut open: Vec<_> = self.slots.drain(..).flatten().collect();
        open.sort_by_key(|connection| connection.number());
        let mut ending = std::mem::take(&mut self.ending);
        ending.extend(open);
        *self = Self { begun: self.begun, ending, ..Self::default() };
    }

    /// All of them, in some order that stays the same.
    pub(crate) fn connections(&mut self) -> impl Iterator<Item = &mut Box<Connection>> {
        self.slots.iter_mut().flatten().chain(&mut self.ending)
    }

    /// Behind [`finish`](Self::finish): ends the next connection, those that were to end before by number; whether there was one. One by one, so that the
    /// rows of many are not there at once.
    pub(crate) fn end_next(&mut self, out: &mut Output<'_>) -> bool {
        let next = self.ending.pop_front();
        next.map(|mut connection| connection.finish(out)).is_some()
    }

    /// Ends a few of those that are to.
    fn end_few(&mut self, out: &mut Output<'_>) {
        for _ in 0..ENDED_AT_ONCE {
            let Some(mut connection) = self.ending.pop_front() else { break };
            self.finish_one(&mut connection, out);
            self.spare.push(connection);
        }
    }

    fn finish_one(&mut self, connection: &mut Connection, out: &mut Output<'_>) {
        let (held, _) = connection.update_held();
        self.held -= held;
        connection.finish(out);
    }

    /// Takes a connection off the table.
    fn take_off(&mut self, slot: usize) -> Option<Box<Connection>> {
        let connection = self.slots[slot].take()?;
        self.index.remove(&connection.key());
        self.free.push(slot);
        Some(connection)
    }

    #[inline]
    fn is_where_it_was(&self, known: Known) -> bool {
        self.slots[known.slot].as_ref().is_some_and(|connection| connection.number() == known.number)
    }

    /// Where the connection of a segment lies, which may begin with it.
    #[inline(never)]
    fn slot(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) -> usize {
        match self.look_up(&segment.key).map(|slot| slot as usize) {
            Some(slot) if !self.is_reused(slot, segment) => slot,
            Some(slot) => {
                self.end(slot, out);
                let slot = self.begin(segment, out);
                if let Some(connection) = self.slots[slot].as_mut() {
                    connection.note_reused_ports();
                }
                slot
            }
            None => self.begin(segment, out),
        }
    }

    fn is_reused(&self, slot: usize, segment: &Segment<'_>) -> bool {
        self.slots[slot].as_ref().is_some_and(|connection| connection.is_reused_by(segment))
    }

    fn begin(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) -> usize {
        if self.index.len() >= out.options.limits.connections {
            self.end_idle_longest(out);
        }
        let connection = Connection::new(self.begun, segment, out.options);
        let connection = match self.spare.pop() {
            Some(mut spare) => {
                *spare = connection;
                spare
            }
            None => Box::new(connection),
        };
        self.begun += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(connection);
        self.index.insert(segment.key, slot as u32);
        out.memory.counts_few = self.index.len() > MANY;
        slot
    }

    fn end(&mut self, slot: usize, out: &mut Output<'_>) {
        if let Some(mut connection) = self.take_off(slot) {
            self.finish_one(&mut connection, out);
            self.spare.push(connection);
        }
    }

    /// Fetches a connection that will be let go soon: since it closed nobody has read of it.
    #[inline]
    fn fetch_ahead(&self, due: Due) {
        if let Some(soon) = self.lingering[due as usize].get(AHEAD) {
            self.fetch(soon.slot as u32);
        }
    }

    /// Ends what has ended by the capture's clock, or is too much.
    #[inline]
    fn tidy(&mut self, out: &mut Output<'_>) {
        self.segments_since_sweep += 1;
        if self.latest >= self.quiet_until || self.segments_since_sweep >= SWEEP_SEGMENTS {
            self.tidy_up(out);
        }
    }

    #[inline(never)]
    fn tidy_up(&mut self, out: &mut Output<'_>) {
        for due in [Due::Segments, Due::Copies] {
            if self.is_over(due) || self.has_listened(due) {
                self.let_go(due, out);
            }
        }
        let is_due = self.next_sweep.is_none_or(|due| self.latest >= due) && self.is_sweep_paid_for();
        if self.segments_since_sweep >= SWEEP_SEGMENTS || is_due {
            self.sweep(out.options);
        }
        if !self.ending.is_empty() {
            // More of them with the next segment: the rows of these leave before.
            self.end_few(out);
            self.quiet_until = Timestamp(i64::MIN);
            return;
        }
        let listened = self.lingering.iter().filter_map(|queue| Some(queue.front()?.since.0.saturating_add(self.linger_ns)));
        self.quiet_until = Timestamp(listened.fold(self.next_sweep.map_or(i64::MIN, |due| due.0), i64::min));
    }

    fn is_sweep_paid_for(&self) -> bool {
        self.segments_since_sweep.saturating_mul(SWEPT_SLOTS as u64) >= self.slots.len() as u64
    }

    /// Whether more connections linger than may.
    #[inline]
    fn is_over(&self, due: Due) -> bool {
        self.lingering[due as usize].len() > self.most_lingering[due as usize]
    }

    /// Whether the first of the lingering connections has listened long enough.
    #[inline]
    fn has_listened(&self, due: Due) -> bool {
        self.lingering[due as usize].front().is_some_and(|first| self.latest.0.saturating_sub(first.since.0) >= self.linger_ns)
    }

    /// Ends closed connections that have listened for late segments long enough, or are too many.
    fn let_go(&mut self, due: Due, out: &mut Output<'_>) {
        let most = self.most_lingering[due as usize];
        let left = if self.is_over(due) { most - most / LET_GO_PART } else { most };
        loop {
            let over = self.lingering[due as usize].len() > left;
            if !over && !self.has_listened(due) {
                break;
            }
            let Some(Lingering { slot, number, since }) = self.lingering[due as usize].pop_front() else { break };
            self.fetch_ahead(due);
            let Some(connection) = self.slots[slot].as_ref().filter(|connection| connection.number() == number) else { continue };
            // One that goes on has not ended: a reset may be forged, or come too late.
            let heard = connection.heard();
            if !over && heard > since {
                self.lingering[due as usize].push_back(Lingering { slot, number, since: heard });
            } else {
                self.end(slot, out);
            }
        }
    }

    /// Ends connections that were idle for longer than the timeout, soon.
    #[cold]
    fn sweep(&mut self, options: &Options) {
        let timeout = nanos(options.idle_timeout);
        self.segments_since_sweep = 0;
        self.next_sweep = Some(Timestamp(self.latest.0.saturating_add(timeout / 8)));
        let oldest = Timestamp(self.latest.0.saturating_sub(timeout));
        self.end_all_idle_since(oldest);
    }

    /// Makes room: ends an eighth of the connections, first those that never carried anything (a scan opens many), then those
    /// that were idle the longest.
    #[cold]
    fn end_idle_longest(&mut self, out: &mut Output<'_>) {
        let rank = |connection: &Connection| (connection.has_carried(), connection.heard(), connection.number());
        let mut idle: Vec<_> = self.open().map(|(slot, connection)| (rank(connection), slot)).collect();
        let eighth = idle.len() / 8;
        if idle.is_empty() {
            return;
        }
        idle.select_nth_unstable(eighth);
        let mut ending: Vec<_> = idle[..=eighth].iter().map(|&((_, _, number), slot)| (number, slot)).collect();
        ending.sort_unstable();
        for (_, slot) in ending {
            if let Some(mut connection) = self.take_off(slot) {
                connection.note_limit();
                self.ending.push_back(connection);
            }
        }
        self.end_few(out);
        self.quiet_until = Timestamp(i64::MIN);
    }

    fn end_all_idle_since(&mut self, oldest: Timestamp) {
        let idle = self.open().filter(|(_, connection)| connection.heard() <= oldest);
        let mut ending: Vec<(u64, usize)> = idle.map(|(slot, connection)| (connection.number(), slot)).collect();
        ending.sort_unstable();
        for (_, slot) in ending {
            let connection = self.take_off(slot);
            self.ending.extend(connection);
        }
    }

    fn open(&self) -> impl Iterator<Item = (usize, &Connection)> {
        self.slots.iter().enumerate().filter_map(|(slot, connection)| connection.as_deref().map(|connection| (slot, connection)))
    }
}

/// Whether a segment may begin a connection where there is one.
#[inline]
fn begins(segment: &Segment<'_>) -> bool {
    segment.flags.has(Flags::SYN)
}

/// What may still come of a connection; `None` while it is open.
#[inline]
fn due(connection: &Connection) -> Option<Due> {
    connection.is_closed().then(|| if connection.is_settled() { Due::Copies } else { Due::Segments })
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
