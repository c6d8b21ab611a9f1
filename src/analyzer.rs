//! Packets in, rows out: single-threaded, sans-IO, the heart of the program.

use std::collections::BTreeMap;

use crate::analysis::polling::Recogniser;
use crate::anomaly::AnomalyKind;
use crate::capture::Packet;
use crate::flow::{Collected, Connection, Recent, Table, fingerprint};
use crate::message::{Part, Row, Totals};
use crate::options::Options;
use crate::packet::{Fragment, NotTcp, Reassembly, Segment, Sliced, Words, slice, slice_other, slice_plain_into};
use crate::parallel::Pool;

/// Segments that are received together, at most.
const TOGETHER: usize = 8;

/// A segment that waits for those it is received together with.
struct Taken<'a> {
    segment: Segment<'a>,
    fingerprint: u64,
    /// Whether its packet was captured before.
    is_copy: bool,
    /// Which of their connections is its.
    connection: usize,
}

impl Taken<'_> {
    /// What stands in a place for one.
    const NOTHING: Self = Self { segment: Segment::NOTHING, fingerprint: 0, is_copy: false, connection: 0 };
}

/// Segments that are received together, in the first places.
struct Few<'a> {
    places: [Taken<'a>; TOGETHER],
    count: usize,
    connections: Connections,
}

impl Few<'_> {
    fn clear(&mut self) {
        (self.count, self.connections.count) = (0, 0);
    }
}

/// Where the connections of a few segments lie; nowhere, if a segment is to begin one. One that comes again behind another may
/// be there twice.
struct Connections {
    slots: [Option<u32>; TOGETHER],
    count: usize,
}

impl Connections {
    /// Adds one; its index.
    #[inline(always)]
    fn add(&mut self, slot: Option<u32>) -> usize {
        let at = self.count;
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
            self.count += 1;
        }
        at
    }
}

/// Turns packets into rows.
///
/// Push packets with [`packet`](Self::packet), take rows with [`poll`](Self::poll) until `None`, end with
/// [`finish`](Self::finish) and take the last rows. [`packets`](Self::packets) and [`rows`](Self::rows) do the same some at a time,
/// and take much less time:
///
/// ```no_run
/// # use std::path::PathBuf;
/// # use wiretare::{Analyzer, Capture, Options};
/// let options = Options::default();
/// let mut capture = Capture::open(&[PathBuf::from("trace.pcapng")], &options.limits)?;
/// let mut analyzer = Analyzer::new(options);
/// while let Some(packets) = capture.next_packets()? {
///     analyzer.packets(packets);
///     analyzer.rows().for_each(|row| println!("{row:?}"));
/// }
/// # Ok::<(), wiretare::Error>(())
/// ```
#[derive(Debug)]
pub struct Analyzer {
    options: Options,
    reassembly: Reassembly,
    recent: Recent,
    table: Table,
    collected: Collected,
    /// Rows at the front that are lent.
    lent: usize,
    /// How many of them still wait.
    lent_unknown: usize,
    /// Late rows at the front that are lent.
    late_lent: usize,
    /// Decodes messages that wait.
    pool: Pool,
    polls: Recogniser,
    totals: Totals,
    not_tcp: BTreeMap<NotTcp, (u64, u64)>,
    /// Whether no more packets come.
    is_finished: bool,
}

impl Analyzer {
    /// An analysis with nothing seen yet.
    pub fn new(options: Options) -> Self {
        Self {
            reassembly: Reassembly::new(&options),
            recent: Recent::default(),
            table: Table::new(&options),
            collected: Collected::default(),
            lent: 0,
            lent_unknown: 0,
            late_lent: 0,
            pool: Pool::new(options.jobs),
            polls: Recogniser::default(),
            totals: Totals::default(),
            not_tcp: BTreeMap::new(),
            is_finished: false,
            options,
        }
    }

    /// Takes the next packet of the capture.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) {
        self.release();
        self.totals.packets += 1;
        self.totals.wire_bytes += u64::from(packet.len);
        self.totals.captured_bytes += packet.data.len() as u64;
        if self.collected.waiting.pass(packet.len.into()) {
            self.settle();
        }
        match slice(packet) {
            Sliced::Segment(segment) => self.receive_alone(segment),
            Sliced::Fragment(fragment) => self.fragment(&fragment),
            Sliced::NotTcp(reason) => self.book_not_tcp(reason, 1, u64::from(packet.len), packet.frame.number),
        }
    }

    /// Takes packets in their order, as [`packet`](Self::packet) does, and faster: a few are sliced, then what they need is
    /// fetched, then they are received. So the code of each step stays in the nearest cache, and memory is fetched side by side.
    pub fn packets<'a>(&mut self, packets: impl IntoIterator<Item = Packet<'a>>) {
        self.release();
        let connections = Connections { slots: [None; TOGETHER], count: 0 };
        let mut few = Few { places: [const { Taken::NOTHING }; TOGETHER], count: 0, connections };
        let (mut packets_taken, mut wire_bytes, mut captured_bytes) = (0, 0, 0);
        for packet in packets {
            packets_taken += 1;
            wire_bytes += u64::from(packet.len);
            captured_bytes += packet.data.len() as u64;
            let Some(place) = few.places.get_mut(few.count) else { break };
            match slice_plain_into(&packet, &mut place.segment) {
                Some(words) => {
                    place.fingerprint = fingerprint(words);
                    few.count += 1;
                }
                None => self.take_other(packet, &mut few),
            }
            if few.count == TOGETHER {
                self.receive_together(&mut few);
            }
        }
        self.receive_together(&mut few);
        self.totals.packets += packets_taken;
        self.totals.wire_bytes += wire_bytes;
        self.totals.captured_bytes += captured_bytes;
        if self.collected.waiting.pass(wire_bytes) {
            self.settle();
        }
    }

    /// Takes a packet that is not as most are.
    #[inline(never)]
    fn take_other<'a>(&mut self, packet: Packet<'a>, few: &mut Few<'a>) {
        match slice_other(&packet) {
            Sliced::Segment(segment) => {
                let Some(place) = few.places.get_mut(few.count) else { return };
                place.segment = self.placed(segment);
                place.fingerprint = fingerprint(Words::of(&segment));
                few.count += 1;
            }
            Sliced::Fragment(fragment) => {
                // What came before it goes first.
                self.receive_together(few);
                self.fragment(&fragment);
            }
            Sliced::NotTcp(reason) => self.book_not_tcp(reason, 1, u64::from(packet.len), packet.frame.number),
        }
    }

    /// Tells which segments were captured before, and looks up their connections, which often are that of the segment before.
    #[inline]
    fn look_up(&mut self, few: &mut Few<'_>) {
        let segments = &mut few.places[..few.count];
        for taken in &mut *segments {
            self.recent.fetch(taken.fingerprint);
        }
        let mut before = None;
        for taken in segments {
            taken.is_copy = self.recent.is_copy(&taken.segment, taken.fingerprint);
            taken.connection = match before {
                Some((key, connection)) if key == taken.segment.key => connection,
                Some(_) | None => few.connections.add(self.table.look_up(&taken.segment.key)),
            };
            before = Some((taken.segment.key, taken.connection));
        }
    }

    /// Fetches what the segments need, a step of the way for all of them before the next: so the caches bring it side by side.
    /// Then receives them, which leaves none.
    fn receive_together(&mut self, few: &mut Few<'_>) {
        self.look_up(few);
        let mut known = [None; TOGETHER];
        let slots = &few.connections.slots[..few.connections.count];
        for (slot, known) in slots.iter().zip(&mut known) {
            *known = slot.and_then(|slot| self.table.fetch(slot));
        }
        for known in known[..slots.len()].iter().flatten() {
            self.table.fetch_further(*known);
        }
        let mut places = few.places[..few.count].iter();
        loop {
            let out = &mut self.collected.output(&self.options);
            let mut special = None;
            for taken in places.by_ref() {
                if !taken.is_copy {
                    self.table.receive(&taken.segment, known.get(taken.connection).copied().flatten(), out);
                }
                if taken.is_copy || out.has_to_settle() {
                    special = Some(taken);
                    break;
                }
            }
            match special {
                Some(copy) if copy.is_copy => self.book_copy(&copy.segment),
                Some(_) => self.settle(),
                None => break,
            }
        }
        few.clear();
        self.totals.connections = self.table.begun();
    }

    #[cold]
    fn fragment(&mut self, fragment: &Fragment<'_>) {
        let datagram = self.reassembly.join(fragment, &mut self.totals.anomalies);
        self.book_unjoined();
        let Some(datagram) = datagram else { return };
        match datagram.slice() {
            Sliced::Segment(segment) => self.receive_alone(segment),
            // Fragments of a tunnel that carried fragments: each level has more headers, so this ends.
            Sliced::Fragment(inner) => self.fragment(&inner),
            Sliced::NotTcp(reason) => self.book_not_tcp(reason, datagram.frames(), datagram.wire_bytes(), datagram.frame().number),
        }
    }

    fn book_unjoined(&mut self) {
        let unjoined = self.reassembly.take_unjoined();
        if unjoined.frames > 0 {
            self.book_not_tcp(NotTcp::Fragment, unjoined.frames, unjoined.bytes, unjoined.first_frame);
        }
    }

    /// Takes a segment. (What [`packet`](Self::packet) does with those that carry one.)
    #[inline]
    pub fn receive(&mut self, segment: &Segment<'_>) {
        self.release();
        self.receive_alone(*segment);
    }

    #[inline(never)]
    fn receive_alone(&mut self, segment: Segment<'_>) {
        let segment = self.placed(segment);
        if self.recent.is_copy(&segment, fingerprint(Words::of(&segment))) {
            return self.book_copy(&segment);
        }
        let out = &mut self.collected.output(&self.options);
        self.table.receive(&segment, None, out);
        if out.has_to_settle() {
            self.settle();
        }
        self.totals.connections = self.table.begun();
    }

    /// A segment of a virtual network beside the others, unless networks are to be kept apart.
    fn placed<'a>(&self, segment: Segment<'a>) -> Segment<'a> {
        if self.options.separate_networks { segment } else { Segment { key: segment.key.without_scope(), ..segment } }
    }

    #[cold]
    fn book_copy(&mut self, segment: &Segment<'_>) {
        let connection = self.table.note_copy(segment);
        if self.options.parts {
            self.collected.parts.push_back(Part::Copy(connection.map(|connection| Box::new(connection.shown(segment)))));
        }
        self.totals.duplicate_bytes += segment.bytes.total();
        self.totals.anomalies.add(AnomalyKind::DuplicatePacket, segment.frame.number);
    }

    fn book_not_tcp(&mut self, reason: NotTcp, frames: u64, bytes: u64, first_frame: u64) {
        let entry = self.not_tcp.entry(reason).or_default();
        entry.0 += frames;
        entry.1 += bytes;
        self.totals.not_tcp_bytes += bytes;
        if let Some(kind) = reason.anomaly() {
            self.totals.anomalies.add_many(kind, frames, first_frame);
        }
    }

    /// The next row that is known, in order of completion.
    #[inline]
    pub fn poll(&mut self) -> Option<Row> {
        self.release();
        if self.is_finished {
            self.end_until_a_row();
        }
        // Looked at where it lies: rows are large, and most are messages.
        let row = self.collected.rows.front_mut().filter(|row| row.is_known())?;
        if let Row::Exchange(exchange) = row {
            self.polls.look(exchange);
        }
        self.collected.polled += 1;
        self.collected.rows.pop_front()
    }

    /// The rows that are known, in order of completion, as from [`poll`](Self::poll): lent until the next call, and gone then. At
    /// the end of the capture not all come at once: to be called again until there is none.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut Row> {
        self.release();
        if self.is_finished {
            self.end_until_a_row();
        }
        for row in self.collected.rows.iter_mut().take_while(|row| row.is_known()) {
            self.lent += 1;
            if let Row::Exchange(exchange) = row {
                self.polls.look(exchange);
            }
        }
        self.collected.rows.range_mut(..self.lent)
    }

    /// The same, each with its number in order of completion, from 0, and none waits for another: where the content of a message is
    /// still to be decoded, its row comes late, after rows of higher numbers. Late rows come in order among themselves, before the
    /// others that are lent with them. [`poll`](Self::poll) and [`rows`](Self::rows) never return what is late: whoever asks in this way
    /// once has to ask so for all.
    pub fn numbered_rows(&mut self) -> impl Iterator<Item = (u64, &mut Row)> {
        self.release();
        if self.is_finished {
            self.end_until_a_row();
        }
        let Collected { rows, late, polled, .. } = &mut self.collected;
        self.late_lent = late.count_known();
        self.lent = rows.len();
        for row in rows.iter_mut() {
            match row {
                Row::Exchange(exchange) => self.polls.look(exchange),
                Row::Message(message) => self.lent_unknown += usize::from(message.content.is_waiting),
                Row::Connection(_) => {}
            }
        }
        let numbered = (*polled..).zip(rows.iter_mut()).filter(|(_, row)| row.is_known());
        late.first(self.late_lent).chain(numbered)
    }

    /// Rows that were lent leave.
    #[inline]
    fn release(&mut self) {
        if self.late_lent + self.lent_unknown > 0 {
            return self.release_some();
        }
        self.collected.rows.drain(..self.lent);
        self.collected.polled += self.lent as u64;
        self.lent = 0;
    }

    /// The same, where some of them were late, or still are.
    #[cold]
    fn release_some(&mut self) {
        let Collected { rows, late, polled, .. } = &mut self.collected;
        late.release(std::mem::take(&mut self.late_lent));
        for row in rows.drain(..std::mem::take(&mut self.lent)) {
            if !row.is_known() {
                late.push(*polled, row, self.options.jobs);
            }
            *polled += 1;
        }
        self.lent_unknown = 0;
    }

    #[cold]
    fn end_until_a_row(&mut self) {
        while self.collected.rows.is_empty() && self.end_next() {}
    }

    fn end_next(&mut self) -> bool {
        self.table.end_next(&mut self.collected.output(&self.options))
    }

    /// What the packets taken so far brought, in order; nothing unless [`Options::parts`] asks for it. At the end of the
    /// capture [`poll`](Self::poll) ends one connection after the other, and each may bring parts.
    pub fn poll_part(&mut self) -> Option<Part> {
        self.collected.parts.pop_front()
    }

    /// The capture is at its end: every connection ends, the last rows can be polled, and the totals are complete.
    pub fn finish(&mut self) {
        self.release();
        self.reassembly.finish();
        self.book_unjoined();
        self.settle();
        self.collect();
        self.table.finish();
        self.is_finished = true;
        let mut not_tcp: Vec<_> = self.not_tcp.iter().map(|(reason, &(frames, bytes))| (reason.to_string(), frames, bytes)).collect();
        not_tcp.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        self.totals.not_tcp = not_tcp;
    }

    /// Decodes every message that waits, so that all rows can leave. Where there are threads for it they do, while this one
    /// goes on with the capture: then those rows can leave that waited the last time.
    #[cold]
    fn settle(&mut self) {
        if !self.options.batches {
            return;
        }
        self.collected.waiting.clear();
        if !self.pool.has_helpers() {
            return self.complete(Connection::decode_waiting);
        }
        self.pool.help();
        for work in self.table.connections().flat_map(|connection| connection.send_waiting_away()) {
            self.pool.submit(Box::new(work));
            // Those that come next wait for these, even if their own content is known.
            self.collected.waiting.begin(self.collected.polled + self.collected.rows.len() as u64);
        }
        // Now that the others have work: what was decoded before.
        self.complete(|_| {});
    }

    /// Completes the rows of messages that have been decoded, of each connection when this was done.
    fn complete(&mut self, mut first: impl FnMut(&mut Connection)) {
        let out = &mut self.collected.output(&self.options);
        for connection in self.table.connections() {
            first(connection);
            connection.deliver_all(out);
        }
    }

    /// Waits for all that is being decoded, and completes the rows.
    fn collect(&mut self) {
        self.pool.help();
        self.complete(Connection::come_home);
    }

    /// What is known of the capture as a whole.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}
