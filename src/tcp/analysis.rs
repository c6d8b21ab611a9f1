//! What segments show of trouble on their way: the rules of "TCP Analysis" in Wireshark's User's Guide, with its names.
//!
//! Each segment is judged by the few numbers that the ones before it left behind, in constant time and space. Nothing
//! here decides what is delivered or what it costs: that is the assembler's, which knows every octet that was seen.

use crate::message::{Direction, TcpAnalysis, TcpFacts, TcpSide};
use crate::packet::{Flags, Segment, SeqNumber, SynOptions};
use crate::stream::Timestamp;

/// A segment that follows the one before it this closely was overtaken rather than sent again, where the initial
/// round-trip time is not known.
const OUT_OF_ORDER_NS: i64 = 3_000_000;

/// A fast retransmission follows the duplicate ACK within this time.
const FAST_RETRANSMISSION_NS: i64 = 20_000_000;

/// So many duplicate ACKs ask for a fast retransmission.
const DUPLICATE_ACKS: u32 = 2;

/// Data segments of one direction whose ACK is awaited; while all are taken, further ones give no round-trip time.
/// (A power of two.)
const AWAITED: usize = 2;

/// Beyond the widest window (RFC 7323 §2.3): numbers that far apart are not of one stream.
const MAX_IN_FLIGHT: i32 = 1 << 30;

/// State of one connection.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    sides: [Side; 2],
}

/// What the segments of one side left behind.
#[derive(Debug, Default)]
struct Side {
    /// Behind the highest octet it sent, where it has sent any.
    next: SeqNumber,
    /// Up to here every octet was captured, or acknowledged though it was not.
    expected_ack: SeqNumber,
    /// Where the first segment behind a hole begins, where `expected_ack` is not `next`.
    hole_end: SeqNumber,
    /// What it acknowledged last, where it has acknowledged anything.
    last_ack: SeqNumber,
    has_sent: bool,
    has_acknowledged: bool,
    /// What its latest segment was, as far as an answer depends on it.
    latest: Latest,
    /// Its windows are to be shifted by this.
    shift: u8,
    /// Its window as sent.
    window: u16,
    /// The same in octets.
    window_bytes: u32,
    duplicate_acks: u32,
    max_bytes_in_flight: u32,
    /// When `next` was set.
    next_time: Timestamp,
    last_ack_time: Timestamp,
    awaited: Awaited,
    scaling: Scaling,
}

/// How a side's windows are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scaling {
    /// Its SYN was not captured.
    #[default]
    Unknown,
    /// Its SYN offers this shift; without one, neither side scales (RFC 7323 §2.2).
    Offered(Option<u8>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Latest {
    #[default]
    Other,
    KeepAlive,
    ZeroWindowProbe,
}

/// Ends of data segments and when they were captured: a ring.
#[derive(Debug, Default)]
struct Awaited {
    ring: [(SeqNumber, Timestamp); AWAITED],
    /// Of the oldest.
    first: u8,
    len: u8,
}

impl Awaited {
    #[inline]
    fn at(&mut self, position: u8) -> &mut (SeqNumber, Timestamp) {
        &mut self.ring[usize::from(self.first.wrapping_add(position)) % AWAITED]
    }

    #[inline]
    fn push(&mut self, end: SeqNumber, time: Timestamp) {
        if usize::from(self.len) < AWAITED {
            *self.at(self.len) = (end, time);
            self.len += 1;
        }
    }

    /// Forgets what an ACK covers; when the segment was captured that ends where the ACK does.
    #[inline]
    fn acknowledge(&mut self, ack: SeqNumber) -> Option<Timestamp> {
        let mut sent = None;
        while self.len > 0 {
            let (end, time) = *self.at(0);
            let beyond = end.distance_from(ack);
            if beyond > 0 {
                break;
            }
            sent = (beyond == 0).then_some(time);
            self.first = self.first.wrapping_add(1);
            self.len -= 1;
        }
        sent
    }

    /// Octets from `seq` on are sent again: which of the two an ACK answers cannot be told.
    fn forget_from(&mut self, seq: SeqNumber) {
        while self.len > 0 && self.at(self.len - 1).0.distance_from(seq) > 0 {
            self.len -= 1;
        }
    }
}

/// The numbers of a segment that the rules compare.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    /// Behind its last octet; SYN and FIN count as one.
    end: SeqNumber,
    /// The sender's window, scaled.
    window_bytes: u32,
    /// Whether SYN, FIN or RST is set.
    is_control: bool,
    /// Octets from the next one expected to its first; 0 where none is expected yet.
    ahead: i32,
    /// Whether it acknowledges what its sender had acknowledged before.
    same_ack: bool,
}

impl Analysis {
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let [a, b] = &self.sides;
        a.next_time.0 as u64 ^ a.last_ack_time.0 as u64 ^ u64::from(a.window) ^ b.next_time.0 as u64 ^ u64::from(b.window)
    }

    /// Whether each side has acknowledged the last that the other sent.
    pub(crate) fn is_acknowledged(&self) -> bool {
        let [a, b] = &self.sides;
        let covers = |side: &Side, of: &Side| side.has_acknowledged && of.has_sent && side.last_ack == of.next;
        covers(a, b) && covers(b, a)
    }

    /// Exchanges the two directions.
    pub(crate) fn swap_directions(&mut self) {
        self.sides.swap(0, 1);
    }

    /// Most octets on their way at a time, by who sent them.
    pub(crate) fn max_bytes_in_flight(&self) -> [u32; 2] {
        [0, 1].map(|side: usize| self.sides[side].max_bytes_in_flight)
    }

    /// Judges a segment and remembers it; whether it is a zero-window probe.
    #[inline]
    pub(crate) fn receive(&mut self, segment: &Segment<'_>, direction: Direction, facts: &mut TcpFacts) -> bool {
        let [mine, peer] = self.pair(direction);
        if mine.is_next(segment, peer) {
            mine.take_next(segment, peer, &mut facts.sides[direction.reverse() as usize]);
            return false;
        }
        self.receive_unusual(segment, direction, facts)
    }

    /// Takes a segment that is merely the next data or the next ACK; whether it is. Both sides are even, it has an ACK, and
    /// neither SYN, FIN nor RST.
    // Always: part of the short way.
    #[inline(always)]
    pub(crate) fn receive_next(&mut self, segment: &Segment<'_>, direction: Direction, facts: &mut TcpFacts) -> bool {
        let [mine, peer] = self.pair(direction);
        let is_next = segment.seq == mine.next && mine.says_something_new(segment, peer);
        if is_next {
            mine.take_next(segment, peer, &mut facts.sides[direction.reverse() as usize]);
        }
        is_next
    }

    /// Whether both sides have sent and acknowledged, and nothing that was sent is missing.
    pub(crate) fn is_even(&self) -> bool {
        self.sides.iter().all(|side| side.has_sent && side.has_acknowledged && side.expected_ack == side.next)
    }

    /// The sequence number behind the highest octet of a side.
    pub(crate) fn next(&self, direction: Direction) -> SeqNumber {
        self.sides[direction as usize].next
    }

    #[inline(never)]
    fn receive_unusual(&mut self, segment: &Segment<'_>, direction: Direction, facts: &mut TcpFacts) -> bool {
        if segment.flags.has(Flags::SYN) {
            self.learn_options(segment, direction, facts);
        }
        let numbers = self.numbers(segment, direction);
        self.judge(segment, numbers, direction, facts);
        self.remember(segment, numbers, direction, facts);
        self.sides[direction as usize].latest == Latest::ZeroWindowProbe
    }

    #[inline]
    fn pair(&mut self, direction: Direction) -> [&mut Side; 2] {
        let [client, server] = &mut self.sides;
        match direction {
            Direction::ClientToServer => [client, server],
            Direction::ServerToClient => [server, client],
        }
    }

    #[cold]
    fn learn_options(&mut self, segment: &Segment<'_>, direction: Direction, facts: &mut TcpFacts) {
        let options = SynOptions::of(segment);
        self.sides[direction as usize].scaling = Scaling::Offered(options.window_scale);
        // Windows are scaled only where both sides offered it (RFC 7323 §2.2).
        let shifts = match self.sides.each_ref().map(|side| side.scaling) {
            [Scaling::Offered(Some(client)), Scaling::Offered(Some(server))] => [client, server],
            _ => [0, 0],
        };
        self.sides.iter_mut().zip(shifts).for_each(|(side, shift)| side.shift = shift);
        let side = &mut facts.sides[direction as usize];
        side.mss = side.mss.or(options.mss);
        side.window_scale = options.window_scale;
        side.sack_permitted = Some(options.sack_permitted);
        side.timestamps = Some(options.timestamps);
    }

    fn numbers(&self, segment: &Segment<'_>, direction: Direction) -> Numbers {
        let mine = &self.sides[direction as usize];
        let takes_one = segment.flags.has(Flags::SYN | Flags::FIN);
        // The window of a SYN is never scaled (RFC 7323 §2.2).
        let shift = if segment.flags.has(Flags::SYN) { 0 } else { mine.shift };
        Numbers {
            end: segment.seq + segment.payload_len + u32::from(takes_one),
            window_bytes: u32::from(segment.window) << shift,
            is_control: segment.flags.has(Flags::SYN | Flags::FIN | Flags::RST),
            ahead: if mine.has_sent { segment.seq.distance_from(mine.next) } else { 0 },
            same_ack: mine.has_acknowledged && mine.last_ack == segment.ack,
        }
    }

    /// Takes a segment that is not merely the next data or the next ACK.
    fn judge(&mut self, segment: &Segment<'_>, numbers: Numbers, direction: Direction, facts: &mut TcpFacts) {
        let overtaken_ns = facts.initial_rtt_s.map_or(OUT_OF_ORDER_NS, |seconds| (seconds * 1e9) as i64);
        let [mine, peer] = self.pair(direction);
        let mut mark = |kind| facts.mark(kind, direction);
        let latest = mine.judge_what_it_is(segment, numbers, peer);
        if latest == Latest::ZeroWindowProbe {
            mark(TcpAnalysis::ZeroWindowProbe);
        }
        if latest == Latest::KeepAlive {
            mark(TcpAnalysis::KeepAlive);
        }
        if segment.window == 0 && !numbers.is_control {
            mark(TcpAnalysis::ZeroWindow);
        }
        if numbers.ahead > 0 && !segment.flags.has(Flags::RST) {
            mark(TcpAnalysis::LostSegment);
        }
        if mine.fills_window(segment, numbers, peer) {
            mark(TcpAnalysis::WindowFull);
        }
        if let Some(kind) = mine.judge_answer(segment, numbers, peer.latest) {
            mine.duplicate_acks += u32::from(kind == TcpAnalysis::DuplicateAck);
            mark(kind);
        }
        if segment.flags.has(Flags::ACK) && peer.learn_unseen(segment.ack) {
            mark(TcpAnalysis::AckLostSegment);
        }
        if latest != Latest::KeepAlive
            && let Some(kind) = mine.judge_old(segment, numbers, peer, overtaken_ns)
        {
            mine.awaited.forget_from(segment.seq);
            mark(kind);
            if matches!(kind, TcpAnalysis::FastRetransmission | TcpAnalysis::SpuriousRetransmission) {
                mark(TcpAnalysis::Retransmission);
            }
        }
        mine.latest = latest;
    }

    fn remember(&mut self, segment: &Segment<'_>, numbers: Numbers, direction: Direction, facts: &mut TcpFacts) {
        let [mine, peer] = self.pair(direction);
        mine.window = segment.window;
        mine.window_bytes = numbers.window_bytes;
        if segment.flags.has(Flags::ACK) && !numbers.same_ack {
            mine.acknowledge(segment, peer, &mut facts.sides[direction.reverse() as usize]);
            mine.has_acknowledged = true;
        }
        mine.last_ack_time = segment.frame.time;
        // What a probe carries is not taken by its receiver.
        let advances = !mine.has_sent || numbers.end.distance_from(mine.next) > 0;
        if advances && mine.latest != Latest::ZeroWindowProbe && !segment.flags.has(Flags::RST) {
            mine.note_hole(segment, numbers);
            mine.send(numbers.end, segment, peer);
            mine.has_sent = true;
        }
        if numbers.ahead != 0 {
            mine.fill(segment, numbers);
        }
    }
}

impl Side {
    /// Whether a segment is merely the next data or the next ACK: no rule has anything to say of it.
    #[inline]
    fn is_next(&self, segment: &Segment<'_>, peer: &Self) -> bool {
        segment.seq == self.next
            && self.expected_ack == self.next
            && segment.flags.0 & (Flags::SYN | Flags::FIN | Flags::RST | Flags::ACK).0 == Flags::ACK.0
            && self.has_sent
            && self.has_acknowledged
            && peer.has_sent
            && peer.has_acknowledged
            && self.says_something_new(segment, peer)
    }

    /// Whether data fits the peer's window, an ACK is not the one before it, and both believable.
    #[inline]
    fn says_something_new(&self, segment: &Segment<'_>, peer: &Self) -> bool {
        let len = segment.payload_len;
        segment.window != 0
            && segment.ack.distance_from(peer.expected_ack) <= 0
            // One octet may be a probe.
            && if len == 0 { segment.ack != self.last_ack } else { len > 1 && segment.seq + len != peer.last_ack + peer.window_bytes }
    }

    /// Takes a segment that is merely the next data or the next ACK.
    #[inline(always)]
    fn take_next(&mut self, segment: &Segment<'_>, peer: &mut Self, facts_of_peer: &mut TcpSide) {
        self.window = segment.window;
        self.window_bytes = u32::from(segment.window) << self.shift;
        self.latest = Latest::Other;
        if segment.ack != self.last_ack {
            self.acknowledge(segment, peer, facts_of_peer);
        }
        self.last_ack_time = segment.frame.time;
        if segment.payload_len > 0 {
            let end = segment.seq + segment.payload_len;
            self.expected_ack = end;
            self.send(end, segment, peer);
        }
    }

    /// Takes an ACK that differs from the one before it.
    #[inline]
    fn acknowledge(&mut self, segment: &Segment<'_>, peer: &mut Self, facts_of_peer: &mut TcpSide) {
        if let Some(sent) = peer.awaited.acknowledge(segment.ack)
            && let Ok(ns) = u64::try_from(segment.frame.time.0.saturating_sub(sent.0))
        {
            facts_of_peer.round_trips.add(ns);
        }
        self.last_ack = segment.ack;
        self.duplicate_acks = 0;
    }

    /// Takes octets beyond those it has sent before.
    #[inline]
    fn send(&mut self, end: SeqNumber, segment: &Segment<'_>, peer: &Self) {
        self.next = end;
        self.next_time = segment.frame.time;
        if segment.payload_len == 0 {
            return;
        }
        self.awaited.push(end, segment.frame.time);
        // Before the peer's first ACK, at least this segment is on its way. (A FIN is no octet.)
        let from = if peer.has_acknowledged { peer.last_ack } else { segment.seq };
        let in_flight = (segment.seq + segment.payload_len).distance_from(from);
        if in_flight < MAX_IN_FLIGHT {
            self.max_bytes_in_flight = self.max_bytes_in_flight.max(u32::try_from(in_flight).unwrap_or(0));
        }
    }

    /// A hole opens where a segment does not begin at the next octet expected.
    fn note_hole(&mut self, segment: &Segment<'_>, numbers: Numbers) {
        if !self.has_sent || self.expected_ack == self.next {
            self.hole_end = segment.seq;
            if numbers.ahead <= 0 {
                self.expected_ack = numbers.end;
            }
        }
    }

    /// A segment out of its order may close the hole, from either end.
    fn fill(&mut self, segment: &Segment<'_>, numbers: Numbers) {
        if !self.has_sent || numbers.end.distance_from(self.expected_ack) <= 0 {
            return;
        }
        let reaches_end = numbers.end.distance_from(self.hole_end) >= 0;
        match (segment.seq.distance_from(self.expected_ack) <= 0, reaches_end) {
            (true, true) => self.expected_ack = self.next,
            (true, false) => self.expected_ack = numbers.end,
            (false, true) if segment.seq.distance_from(self.hole_end) < 0 => self.hole_end = segment.seq,
            (false, _) => {}
        }
    }

    fn judge_what_it_is(&self, segment: &Segment<'_>, numbers: Numbers, peer: &Self) -> Latest {
        if segment.payload_len == 1 && numbers.ahead == 0 && peer.has_sent && peer.window == 0 {
            Latest::ZeroWindowProbe
        } else if segment.payload_len <= 1 && numbers.ahead == -1 && !numbers.is_control {
            Latest::KeepAlive
        } else {
            Latest::Other
        }
    }

    /// Whether it sends up to the end of the window that its peer announced, where that can be read.
    fn fills_window(&self, segment: &Segment<'_>, numbers: Numbers, peer: &Self) -> bool {
        segment.payload_len > 0
            && peer.has_acknowledged
            && peer.scaling != Scaling::Unknown
            && !numbers.is_control
            && numbers.end == peer.last_ack + peer.window_bytes
    }

    /// A segment without payload that acknowledges nothing new: what it says.
    fn judge_answer(&self, segment: &Segment<'_>, numbers: Numbers, asked: Latest) -> Option<TcpAnalysis> {
        if segment.payload_len > 0 || numbers.is_control || numbers.ahead != 0 || !numbers.same_ack {
            return None;
        }
        let same_window = self.window == segment.window;
        match (segment.window, asked) {
            (0, Latest::ZeroWindowProbe) => Some(TcpAnalysis::ZeroWindowProbeAck),
            (0, _) => None,
            _ if !same_window => Some(TcpAnalysis::WindowUpdate),
            (_, Latest::KeepAlive) => Some(TcpAnalysis::KeepAliveAck),
            _ => Some(TcpAnalysis::DuplicateAck),
        }
    }

    /// Whether an ACK covers octets of this side that were not captured and not acknowledged before.
    fn learn_unseen(&mut self, ack: SeqNumber) -> bool {
        let is_unseen = self.has_sent && ack.distance_from(self.expected_ack) > 0;
        if is_unseen {
            // Behind the hole all was captured.
            let has_passed_hole = self.expected_ack != self.next && ack.distance_from(self.hole_end) >= 0;
            self.expected_ack = if has_passed_hole && self.next.distance_from(ack) > 0 { self.next } else { ack };
        }
        is_unseen
    }

    /// Why a segment begins before the next octet expected.
    fn judge_old(&self, segment: &Segment<'_>, numbers: Numbers, peer: &Self, overtaken_ns: i64) -> Option<TcpAnalysis> {
        if numbers.end == segment.seq || !self.has_sent || numbers.ahead >= 0 || segment.flags.has(Flags::RST) {
            return None;
        }
        let since = |time: Timestamp| segment.frame.time.0.saturating_sub(time.0);
        if segment.payload_len > 0 && peer.has_acknowledged && numbers.end.distance_from(peer.last_ack) <= 0 {
            return Some(TcpAnalysis::SpuriousRetransmission);
        }
        let is_asked_for = peer.duplicate_acks >= DUPLICATE_ACKS && peer.last_ack == segment.seq;
        if is_asked_for && since(peer.last_ack_time) < FAST_RETRANSMISSION_NS {
            return Some(TcpAnalysis::FastRetransmission);
        }
        if numbers.end != self.next && since(self.next_time) < overtaken_ns {
            return Some(TcpAnalysis::OutOfOrder);
        }
        Some(TcpAnalysis::Retransmission)
    }
}
