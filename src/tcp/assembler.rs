//! Reassembly of one direction.
//!
//! In order is the common case and copies nothing but into the reader's buffer. A segment beyond a hole is held. A hole
//! closes when its bytes arrive; as lost when the peer has acknowledged it and they still do not come, when a limit
//! bites, or when the connection ends.

use std::ops::AddAssign;

use super::held::{Arriving, Held, Insertion, Piece};
use crate::options::Limits;
use crate::packet::{Flags, Segment, SeqNumber};
use crate::stream::{LayerBytes, Provenance, StreamBuffer, Timestamp};

/// A hole that the peer acknowledged was captured late or not at all. It gets this many further segments of the connection
/// before it counts as lost: captures reorder by a few.
const ACKNOWLEDGED_HOLE_PATIENCE: u32 = 32;

/// And so much capture time, where the two directions were captured in different places or queues;
const ACKNOWLEDGED_HOLE_PATIENCE_NS: i64 = 100_000_000;

/// or so many segments, where time stands still,
const ACKNOWLEDGED_HOLE_LONG_PATIENCE: u32 = 512;

/// or this time alone, where few segments come and what lies behind the hole is held back.
const ACKNOWLEDGED_HOLE_LONG_PATIENCE_NS: i64 = 1_000_000_000;

/// Windows reach 1 GiB (RFC 7323 §2.3); what lies further away is not of this stream.
const MAX_WINDOW: i32 = 1 << 30;

/// A bare acknowledgment, or a FIN, is believed about bytes never seen up to this distance: a damaged one must not end a
/// stream.
const MAX_ACKNOWLEDGED_HOLE: u64 = 16 << 20;

/// So many segments in a row outside the window, and the stream is taken up where they are.
const OUT_OF_WINDOW_PATIENCE: u8 = 3;

/// What a segment brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// No payload, or one that is not part of the stream (RST).
    Empty,
    /// One octet, or none, before the next one expected (RFC 9293 §3.8.4).
    KeepAlive,
    /// New bytes, now in the reader's buffer.
    Delivered,
    /// New bytes behind a hole.
    Held,
    /// Nothing new.
    Old,
    /// Bytes that cannot be of this stream.
    OutOfWindow,
    /// Bytes after the sender's FIN.
    AfterFin,
}

/// What a segment brought, and what was odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) arrival: Arrival,
    /// Payload octets that had been seen before.
    pub(crate) old_bytes: u32,
    /// Whether a later segment had arrived before.
    pub(crate) late: bool,
    /// Whether bytes seen before had other values.
    pub(crate) conflict: bool,
    /// What was given up.
    pub(crate) loss: Loss,
    /// Whether a limit made it so.
    pub(crate) limit: bool,
}

/// Octets that were given up as lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) bytes: u64,
    /// Number of the frame that carried the octet right behind the first hole; 0 where none came.
    pub(crate) frame_behind: u64,
}

impl AddAssign for Loss {
    fn add_assign(&mut self, later: Self) {
        let frame_behind = if self.bytes > 0 { self.frame_behind } else { later.frame_behind };
        *self = Self { bytes: self.bytes + later.bytes, frame_behind };
    }
}

impl Receipt {
    /// Whether every payload octet was new, in order, and nothing was odd.
    #[inline]
    pub(crate) fn is_plain_delivery(&self) -> bool {
        let is_odd = self.late | self.conflict | self.limit | (u64::from(self.old_bytes) | self.loss.bytes > 0);
        self.arrival == Arrival::Delivered && !is_odd
    }

    fn of(arrival: Arrival) -> Self {
        Self { arrival, old_bytes: 0, late: false, conflict: false, loss: Loss { bytes: 0, frame_behind: 0 }, limit: false }
    }
}

/// How well the first sequence number is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Origin {
    #[default]
    Unknown,
    /// From a segment without payload in the middle of a connection: may be a keep-alive, one too low.
    Assumed,
    Known,
}

/// Reassembly of one direction: segments in any order in, bytes in order out.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    /// Sequence number of the next byte to deliver.
    next: SeqNumber,
    /// Stream offset of it: bytes delivered so far, lost ones included.
    delivered: u64,
    origin: Origin,
    /// Sequence number before the first byte: the SYN's, or what it must have been.
    base: SeqNumber,
    out_of_window: u8,
    /// Stream offset of the FIN.
    fin: Option<u64>,
    /// Beyond a hole; boxed since most streams never have one.
    held: Option<Box<Held>>,
    /// Stream offset up to which the peer has acknowledged, where that is beyond `delivered`.
    acknowledged: u64,
    /// The same as far as two acknowledgments say so: a single one may be damaged.
    confirmed: u64,
    /// Segments seen since an acknowledged hole opened.
    waited: u32,
    /// When the first of them was.
    waiting_since: Timestamp,
}

impl Assembler {
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        self.delivered ^ self.acknowledged
    }

    /// Takes a segment of this direction; new bytes go to `buffer`.
    #[inline]
    pub(crate) fn receive(&mut self, segment: &Segment<'_>, buffer: &mut StreamBuffer, limits: &Limits) -> Receipt {
        let seq = self.locate(segment);
        let distance = seq.distance_from(self.next);
        let len = segment.payload_len;
        if segment.flags.has(Flags::FIN) {
            self.receive_fin(i64::from(distance) + i64::from(len));
        }
        if len == 0 || segment.flags.has(Flags::RST) {
            return self.idle(segment.frame.time, buffer, limits);
        }
        if distance == 0 && self.held.is_none() && self.fin.is_none_or(|fin| self.delivered + u64::from(len) <= fin) {
            self.out_of_window = 0;
            self.deliver(segment.payload, len, segment.bytes, segment, buffer);
            return Receipt::of(Arrival::Delivered);
        }
        self.receive_unusual(segment, distance, buffer, limits)
    }

    /// Takes a FIN that stands so many octets beyond the next one expected; one far away must not end a stream.
    fn receive_fin(&mut self, ahead: i64) {
        if let Ok(ahead) = u64::try_from(ahead)
            && ahead <= MAX_ACKNOWLEDGED_HOLE
        {
            self.fin.get_or_insert(self.delivered + ahead);
        }
    }

    /// Whether a segment without payload, or with one octet, is a keep-alive: one before the next expected.
    #[inline]
    pub(crate) fn is_keep_alive(&self, segment: &Segment<'_>) -> bool {
        segment.payload_len <= 1
            && !segment.flags.has(Flags::SYN | Flags::FIN | Flags::RST)
            && self.origin == Origin::Known
            && segment.seq.distance_from(self.next) == -1
    }

    /// The stream begins with that sequence number: the peer acknowledged a SYN that was not captured.
    pub(crate) fn begin_at(&mut self, seq: SeqNumber) {
        if self.origin == Origin::Unknown {
            self.set_origin(seq, true);
        }
    }

    /// Learns what the peer of this direction has acknowledged.
    #[inline]
    pub(crate) fn acknowledge(&mut self, ack: SeqNumber) {
        if self.origin == Origin::Unknown {
            return;
        }
        let ahead = ack.distance_from(self.next);
        if ahead > 0 {
            let offset = self.delivered + ahead as u64;
            // The FIN takes a sequence number but no byte.
            let offset = self.fin.map_or(offset, |fin| offset.min(fin.max(self.delivered)));
            if ahead < MAX_WINDOW {
                if self.has_acknowledged_hole() {
                    self.confirmed = self.confirmed.max(offset.min(self.acknowledged));
                }
                self.acknowledged = self.acknowledged.max(offset);
            }
        }
    }

    /// Stream offset of a sequence number near the next one; `None` before the origin is known.
    pub(crate) fn offset(&self, seq: SeqNumber) -> Option<u64> {
        self.signed_offset(seq).and_then(|offset| u64::try_from(offset).ok())
    }

    /// The same, below 0 before the stream's first octet.
    pub(crate) fn signed_offset(&self, seq: SeqNumber) -> Option<i64> {
        let distance = i64::from(seq.distance_from(self.next));
        // 63 bits are more than any capture holds.
        self.has_begun().then(|| self.delivered.cast_signed().saturating_add(distance))
    }

    /// Whether a segment begins beyond what was delivered.
    #[inline]
    pub(crate) fn is_ahead(&self, seq: SeqNumber) -> bool {
        self.origin != Origin::Unknown && seq.distance_from(self.next) > 0
    }

    /// Whether segments are held, or acknowledged bytes have not come.
    #[inline]
    pub(crate) fn has_hole(&self) -> bool {
        self.held.is_some() || self.has_acknowledged_hole()
    }

    /// Whether bytes that the peer acknowledged have not been delivered.
    #[inline]
    pub(crate) fn has_acknowledged_hole(&self) -> bool {
        self.acknowledged > self.delivered
    }

    /// Whether the sender's FIN and all before it have been delivered.
    pub(crate) fn is_finished(&self) -> bool {
        self.fin.is_some_and(|fin| fin <= self.delivered)
    }

    /// Whether the sender's FIN was seen.
    pub(crate) fn has_fin(&self) -> bool {
        self.fin.is_some()
    }

    /// Whether any segment of this direction was seen.
    pub(crate) fn has_begun(&self) -> bool {
        self.origin != Origin::Unknown
    }

    /// Sequence number of the stream's first octet, if it has begun.
    pub(crate) fn first(&self) -> SeqNumber {
        self.base + 1
    }

    /// Whether any byte was delivered, or lost.
    pub(crate) fn has_delivered(&self) -> bool {
        self.delivered > 0
    }

    /// Whether a SYN with this sequence number cannot be this stream's.
    pub(crate) fn is_other(&self, syn: SeqNumber) -> bool {
        self.has_begun() && syn != self.base
    }

    /// Whether nothing but the next octet in order is awaited.
    pub(crate) fn is_even(&self) -> bool {
        self.origin == Origin::Known && !self.has_hole() && self.fin.is_none() && self.out_of_window == 0
    }

    /// Whether that octet has this sequence number.
    pub(crate) fn is_at(&self, seq: SeqNumber) -> bool {
        self.next == seq
    }

    /// Takes a segment in order whose payload was read where it lies.
    #[inline]
    pub(crate) fn deliver_elsewhere(&mut self, len: u32) {
        self.advance(len.into());
    }

    /// A segment of the other direction passed: holes that were acknowledged grow older.
    #[inline]
    pub(crate) fn grow_older(&mut self, now: Timestamp, buffer: &mut StreamBuffer, limits: &Limits) -> Receipt {
        if self.held.is_none() && !self.has_acknowledged_hole() {
            return Receipt::of(Arrival::Empty);
        }
        self.idle(now, buffer, limits)
    }

    /// Whether segments are held beyond a hole.
    #[inline]
    pub(crate) fn has_held(&self) -> bool {
        self.held.is_some()
    }

    /// What is held beyond holes takes so many octets of memory.
    pub(crate) fn held_memory(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.memory())
    }

    /// A limit closes every hole as lost.
    pub(crate) fn give_up_holes(&mut self, buffer: &mut StreamBuffer) -> Receipt {
        let limit = self.held.is_some();
        Receipt { limit, loss: self.close_every_hole(buffer), ..Receipt::of(Arrival::Empty) }
    }

    fn close_every_hole(&mut self, buffer: &mut StreamBuffer) -> Loss {
        let mut loss = Loss::default();
        while self.held.is_some() {
            loss += self.close_first_hole(buffer);
        }
        loss
    }

    /// Nothing more comes: closes every hole as lost.
    pub(crate) fn finish(&mut self, buffer: &mut StreamBuffer) -> Loss {
        let mut loss = self.close_every_hole(buffer);
        if let Some(fin) = self.fin.filter(|&fin| fin > self.delivered && fin - self.delivered < MAX_WINDOW as u64) {
            loss += self.lose_until(fin, 0, buffer);
        }
        // The last of all that were acknowledged may have been a FIN.
        let without_fin = self.confirmed.saturating_sub(u64::from(self.confirmed == self.acknowledged));
        let acknowledged = self.fin.map_or(without_fin, |fin| self.confirmed.min(fin));
        if acknowledged > self.delivered && acknowledged - self.delivered <= MAX_ACKNOWLEDGED_HOLE {
            loss += self.lose_until(acknowledged, 0, buffer);
        }
        loss
    }

    /// Where the segment's payload begins; sets the origin by the first segment seen.
    #[inline]
    fn locate(&mut self, segment: &Segment<'_>) -> SeqNumber {
        let syn = segment.flags.has(Flags::SYN);
        let seq = if syn { segment.seq + 1 } else { segment.seq };
        // A RST may carry any sequence number, 0 most often.
        if self.origin != Origin::Known && !segment.flags.has(Flags::RST) {
            self.set_origin(seq, syn || segment.payload_len > 0);
        } else if syn && self.delivered == 0 && self.held.is_none() && seq != self.next {
            // A SYN after something that was not this stream's beginning: what was taken for it is void.
            *self = Self { origin: Origin::Known, next: seq, base: segment.seq, ..Self::default() };
        }
        seq
    }

    fn set_origin(&mut self, seq: SeqNumber, certain: bool) {
        // After a keep-alive (one too low) the first payload begins one higher.
        let was_keep_alive = certain && seq.distance_from(self.next) == 1;
        if self.origin == Origin::Unknown || was_keep_alive {
            self.next = seq;
            self.base = seq + u32::MAX;
        }
        self.origin = if certain { Origin::Known } else { Origin::Assumed };
    }

    #[inline]
    fn idle(&mut self, now: Timestamp, buffer: &mut StreamBuffer, limits: &Limits) -> Receipt {
        let mut receipt = Receipt::of(Arrival::Empty);
        if self.held.is_some() || self.has_acknowledged_hole() {
            self.close_holes(now, buffer, limits, &mut receipt);
        }
        receipt
    }

    #[inline]
    fn deliver(&mut self, data: &[u8], len: u32, cost: LayerBytes, segment: &Segment<'_>, buffer: &mut StreamBuffer) {
        push(buffer, data, len, Provenance::of_frame(segment.frame, cost));
        self.advance(u64::from(len));
    }

    #[inline]
    fn advance(&mut self, len: u64) {
        self.delivered += len;
        self.waited = 0;
        // Sequence numbers wrap with it.
        self.next = self.next + len as u32;
    }

    #[cold]
    fn receive_unusual(&mut self, segment: &Segment<'_>, distance: i32, buffer: &mut StreamBuffer, limits: &Limits) -> Receipt {
        let len = segment.payload_len;
        if self.is_keep_alive(segment) {
            return Receipt::of(Arrival::KeepAlive);
        }
        if distance >= MAX_WINDOW || distance <= -MAX_WINDOW {
            return self.receive_out_of_window(segment, buffer, limits);
        }
        self.out_of_window = 0;
        let old = u32::try_from(-i64::from(distance)).unwrap_or(0);
        if old >= len {
            return Receipt { old_bytes: len, ..Receipt::of(Arrival::Old) };
        }
        let start = self.delivered + u64::try_from(distance).unwrap_or(0);
        if self.fin.is_some_and(|fin| start >= fin) {
            return Receipt::of(Arrival::AfterFin);
        }
        let arriving = Arriving {
            start,
            len: len - old,
            data: segment.payload.get(old as usize..).unwrap_or_default(),
            headers: LayerBytes { payload: 0, ..segment.bytes },
            frame: segment.frame,
        };
        self.place(arriving, old, buffer, limits)
    }

    fn place(&mut self, arriving: Arriving<'_>, old: u32, buffer: &mut StreamBuffer, limits: &Limits) -> Receipt {
        let before = self.delivered;
        let insertion: Insertion = self.held.get_or_insert_default().insert(arriving);
        self.drain(buffer);
        let arrival = match (insertion.old == arriving.len, self.delivered > before) {
            (true, _) => Arrival::Old,
            (false, true) => Arrival::Delivered,
            (false, false) => Arrival::Held,
        };
        let mut receipt =
            Receipt { old_bytes: old + insertion.old, late: insertion.late, conflict: insertion.conflict, ..Receipt::of(arrival) };
        self.close_holes(arriving.frame.time, buffer, limits, &mut receipt);
        receipt
    }

    fn receive_out_of_window(&mut self, segment: &Segment<'_>, buffer: &mut StreamBuffer, limits: &Limits) -> Receipt {
        self.out_of_window += 1;
        if self.out_of_window < OUT_OF_WINDOW_PATIENCE {
            return Receipt::of(Arrival::OutOfWindow);
        }
        self.out_of_window = 0;
        let mut loss = self.finish(buffer);
        // How much is missing in between cannot be known.
        buffer.push_break();
        loss += Loss { bytes: 1, frame_behind: segment.frame.number };
        self.advance(1);
        self.next = segment.seq;
        (self.acknowledged, self.confirmed) = (0, 0);
        self.fin = None;
        let receipt = self.receive(segment, buffer, limits);
        loss += receipt.loss;
        Receipt { loss, ..receipt }
    }

    /// Delivers what is held from the next byte on.
    fn drain(&mut self, buffer: &mut StreamBuffer) {
        while let Some(piece) = self.held.as_mut().and_then(|held| held.take(self.delivered)) {
            let Piece { len, data, cost, frame, .. } = piece;
            push(buffer, &data, len, Provenance::of_frame(frame, cost));
            self.advance(u64::from(len));
        }
        if self.held.as_ref().is_some_and(|held| held.is_empty()) {
            self.held = None;
        }
    }

    /// Gives up holes that were acknowledged long ago, and as many as the limits ask for.
    fn close_holes(&mut self, now: Timestamp, buffer: &mut StreamBuffer, limits: &Limits, receipt: &mut Receipt) {
        self.waited = if self.has_acknowledged_hole() { self.waited + 1 } else { 0 };
        if self.waited == 1 {
            self.waiting_since = now;
        }
        if self.has_waited_until(now) {
            self.waited = 0;
            receipt.loss += self.close_acknowledged_hole(buffer);
        }
        while self.held.as_ref().is_some_and(|held| held.exceeds(limits.out_of_order_bytes, limits.out_of_order_segments)) {
            receipt.limit = true;
            receipt.loss += self.close_first_hole(buffer);
        }
    }

    fn has_waited_until(&self, now: Timestamp) -> bool {
        let ns = |since: Timestamp| now.0.saturating_sub(since.0);
        let is_usual = self.waited >= ACKNOWLEDGED_HOLE_PATIENCE && ns(self.waiting_since) >= ACKNOWLEDGED_HOLE_PATIENCE_NS;
        let held_since = self.held.as_ref().and_then(|held| held.first()).map(|piece| piece.frame.time);
        let holds_back = |since: Timestamp| ns(since.max(self.waiting_since)) >= ACKNOWLEDGED_HOLE_LONG_PATIENCE_NS;
        let is_long = self.waited >= ACKNOWLEDGED_HOLE_LONG_PATIENCE || self.waited > 0 && held_since.is_some_and(holds_back);
        is_usual || is_long
    }

    fn close_acknowledged_hole(&mut self, buffer: &mut StreamBuffer) -> Loss {
        match self.held.as_ref().and_then(|held| held.first()) {
            Some(first) if first.start <= self.acknowledged => self.close_first_hole(buffer),
            Some(_) => Loss::default(),
            None if self.acknowledged - self.delivered <= MAX_ACKNOWLEDGED_HOLE => self.lose_until(self.acknowledged, 0, buffer),
            None => {
                self.acknowledged = 0;
                Loss::default()
            }
        }
    }

    fn close_first_hole(&mut self, buffer: &mut StreamBuffer) -> Loss {
        let Some(&Piece { start, frame, .. }) = self.held.as_ref().and_then(|held| held.first()) else { return Loss::default() };
        let loss = self.lose_until(start, frame.number, buffer);
        self.drain(buffer);
        loss
    }

    /// Puts missing bytes, which cost nothing, in the place of those up to an offset.
    fn lose_until(&mut self, offset: u64, frame_behind: u64, buffer: &mut StreamBuffer) -> Loss {
        let bytes = offset.saturating_sub(self.delivered);
        // A hole is at most a window (1 GiB).
        buffer.push_missing(u32::try_from(bytes).unwrap_or(u32::MAX), Provenance::default());
        self.advance(bytes);
        Loss { bytes, frame_behind }
    }
}

/// Pushes a segment's new bytes: those captured, then those that the snap length cut.
#[inline]
fn push(buffer: &mut StreamBuffer, data: &[u8], len: u32, cost: Provenance) {
    let captured = data.len() as u32;
    if captured == len {
        buffer.push(data, cost);
    } else {
        let part = |from, to| Provenance { bytes: cost.bytes.share(from, to, len), ..cost };
        buffer.push(data, part(0, captured));
        buffer.push_missing(len - captured, part(captured, len));
    }
}

#[cfg(test)]
mod tests;
