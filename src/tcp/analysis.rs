//! What segments show of trouble on their way: the rules of "TCP Analysis" in Wireshark's User's Guide, with its names.
//!
//! Each segment is judged by the few numbers that the ones before it left behind, in constant time and space. Nothing
//! here decides what is delivered or what it costs: that is the assembler's, which knows every octet that was seen.

use crate::message::{Direction, TcpAnalysis, TcpFacts};
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
const AWAITED: usize = 4;

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
    /// Behind the highest octet it sent.
    next: Option<SeqNumber>,
    /// When that was set.
    next_time: Timestamp,
    /// Up to here every octet was captured, or acknowledged though it was not.
    expected_ack: Option<SeqNumber>,
    /// Where the first segment behind a hole begins; equal to `next` without one.
    hole_end: SeqNumber,
    last_ack: Option<SeqNumber>,
    last_ack_time: Timestamp,
    /// Its window as sent; `None` before its first segment.
    window: Option<u16>,
    /// The same in octets.
    window_bytes: u32,
    scaling: Scaling,
    duplicate_acks: u32,
    /// What its latest segment was, as far as an answer depends on it.
    latest: Latest,
    awaited: Awaited,
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

/// Ends of data segments, oldest first, and when they were captured.
#[derive(Debug, Default)]
struct Awaited {
    ends: [SeqNumber; AWAITED],
    times: [Timestamp; AWAITED],
    len: u8,
}

impl Awaited {
    #[inline]
    fn push(&mut self, end: SeqNumber, time: Timestamp) {
        let at = usize::from(self.len);
        if at < AWAITED {
            self.ends[at] = end;
            self.times[at] = time;
            self.len += 1;
        }
    }

    /// Forgets what an ACK covers; when the segment was captured that ends where the ACK does.
    #[inline]
    fn acknowledge(&mut self, ack: SeqNumber) -> Option<Timestamp> {
        let covered = self.ends[..usize::from(self.len)].iter().take_while(|end| end.distance_from(ack) <= 0).count();
        let last = covered.checked_sub(1)?;
        let time = (self.ends[last] == ack).then_some(self.times[last]);
        self.ends.copy_within(covered.., 0);
        self.times.copy_within(covered.., 0);
        self.len -= covered as u8;
        time
    }

    /// Octets from `seq` on are sent again: which of the two an ACK answers cannot be told.
    fn forget_from(&mut self, seq: SeqNumber) {
        let kept = self.ends[..usize::from(self.len)].iter().take_while(|end| end.distance_from(seq) <= 0).count();
        self.len = kept as u8;
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
    /// Exchanges the two directions.
    pub(crate) fn swap_directions(&mut self) {
        self.sides.swap(0, 1);
    }

    /// Judges a segment and remembers it.
    #[inline]
    pub(crate) fn receive(&mut self, segment: &Segment<'_>, direction: Direction, facts: &mut TcpFacts) {
        if segment.flags.has(Flags::SYN) {
            self.learn_options(segment, direction, facts);
        }
        let numbers = self.numbers(segment, direction);
        let [mine, peer] = self.pair(direction);
        let is_plain = numbers.ahead == 0
            && !numbers.is_control
            && segment.window != 0
            && (segment.payload_len > 1 || (segment.payload_len == 0 && !numbers.same_ack))
            && peer.last_ack.is_some_and(|ack| numbers.end != ack + peer.window_bytes)
            && peer.expected_ack.is_some_and(|next| segment.ack.distance_from(next) <= 0)
            && mine.next.is_some();
        if is_plain {
            mine.latest = Latest::Other;
        } else {
            self.judge(segment, numbers, direction, facts);
        }
        self.remember(segment, numbers, direction, facts);
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
        let side = &mut facts.sides[direction as usize];
        side.mss = side.mss.or(options.mss);
        side.window_scale = options.window_scale;
        side.sack_permitted = Some(options.sack_permitted);
        side.timestamps = Some(options.timestamps);
    }

    #[inline]
    fn numbers(&self, segment: &Segment<'_>, direction: Direction) -> Numbers {
        let mine = &self.sides[direction as usize];
        let peer = &self.sides[direction.reverse() as usize];
        let takes_one = segment.flags.has(Flags::SYN | Flags::FIN);
        // Windows of SYNs are never scaled, others only where both sides offered it (RFC 7323 §2.2).
        let shift = match (mine.scaling, peer.scaling) {
            (Scaling::Offered(Some(shift)), Scaling::Offered(Some(_))) if !segment.flags.has(Flags::SYN) => shift,
            _ => 0,
        };
        Numbers {
            end: segment.seq + segment.payload_len + u32::from(takes_one),
            window_bytes: u32::from(segment.window) << shift,
            is_control: segment.flags.has(Flags::SYN | Flags::FIN | Flags::RST),
            ahead: mine.next.map_or(0, |next| segment.seq.distance_from(next)),
            same_ack: mine.last_ack == Some(segment.ack),
        }
    }

    /// Takes a segment that is not merely the next data or the next ACK.
    #[inline(never)]
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

    #[inline]
    fn remember(&mut self, segment: &Segment<'_>, numbers: Numbers, direction: Direction, facts: &mut TcpFacts) {
        let time = segment.frame.time;
        let [mine, peer] = self.pair(direction);
        mine.window = Some(segment.window);
        mine.window_bytes = numbers.window_bytes;
        if segment.flags.has(Flags::ACK) && !numbers.same_ack {
            if let Some(sent) = peer.awaited.acknowledge(segment.ack)
                && let Ok(ns) = u64::try_from(time.0.saturating_sub(sent.0))
            {
                facts.sides[direction.reverse() as usize].round_trips.add(ns);
            }
            mine.last_ack = Some(segment.ack);
            mine.duplicate_acks = 0;
        }
        mine.last_ack_time = time;
        // What a probe carries is not taken by its receiver.
        let advances = mine.next.is_none_or(|next| numbers.end.distance_from(next) > 0) && mine.latest != Latest::ZeroWindowProbe;
        if advances && !segment.flags.has(Flags::RST) {
            mine.advance(segment, numbers);
        }
        if numbers.ahead != 0 {
            mine.fill(segment, numbers);
        }
        if segment.payload_len > 0 {
            // Before the peer's first ACK, at least this segment is on its way.
            let in_flight = (segment.seq + segment.payload_len).distance_from(peer.last_ack.unwrap_or(segment.seq));
            if (1..MAX_IN_FLIGHT).contains(&in_flight) {
                let most = &mut facts.sides[direction as usize].max_bytes_in_flight;
                *most = (*most).max(in_flight.cast_unsigned());
            }
        }
    }
}

impl Side {
    /// Takes octets beyond those it has sent before.
    #[inline]
    fn advance(&mut self, segment: &Segment<'_>, numbers: Numbers) {
        if self.expected_ack == self.next {
            self.hole_end = segment.seq;
            self.expected_ack = Some(if numbers.ahead > 0 { self.expected_ack.unwrap_or(numbers.end) } else { numbers.end });
        }
        self.next = Some(numbers.end);
        self.next_time = segment.frame.time;
        if segment.payload_len > 0 {
            self.awaited.push(numbers.end, segment.frame.time);
        }
    }

    /// A segment out of its order may close the hole.
    fn fill(&mut self, segment: &Segment<'_>, numbers: Numbers) {
        let Some(expected) = self.expected_ack else { return };
        if segment.seq.distance_from(expected) <= 0 && numbers.end.distance_from(expected) > 0 {
            let closes = numbers.end.distance_from(self.hole_end) >= 0;
            self.expected_ack = if closes { self.next } else { Some(numbers.end) };
        }
    }

    fn judge_what_it_is(&self, segment: &Segment<'_>, numbers: Numbers, peer: &Self) -> Latest {
        if segment.payload_len == 1 && numbers.ahead == 0 && peer.window == Some(0) {
            Latest::ZeroWindowProbe
        } else if segment.payload_len <= 1 && numbers.ahead == -1 && !numbers.is_control {
            Latest::KeepAlive
        } else {
            Latest::Other
        }
    }

    /// Whether it sends up to the end of the window that its peer announced, where that can be read.
    fn fills_window(&self, segment: &Segment<'_>, numbers: Numbers, peer: &Self) -> bool {
        let Some(ack) = peer.last_ack else { return false };
        segment.payload_len > 0 && peer.scaling != Scaling::Unknown && !numbers.is_control && numbers.end == ack + peer.window_bytes
    }

    /// A segment without payload that acknowledges nothing new: what it says.
    fn judge_answer(&self, segment: &Segment<'_>, numbers: Numbers, asked: Latest) -> Option<TcpAnalysis> {
        if segment.payload_len > 0 || numbers.is_control || numbers.ahead != 0 || !numbers.same_ack {
            return None;
        }
        let same_window = self.window == Some(segment.window);
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
        let is_unseen = self.expected_ack.is_some_and(|expected| ack.distance_from(expected) > 0);
        if is_unseen {
            self.expected_ack = Some(ack);
        }
        is_unseen
    }

    /// Why a segment begins before the next octet expected.
    fn judge_old(&self, segment: &Segment<'_>, numbers: Numbers, peer: &Self, overtaken_ns: i64) -> Option<TcpAnalysis> {
        let next = self.next?;
        if numbers.end == segment.seq || numbers.ahead >= 0 || segment.flags.has(Flags::RST) {
            return None;
        }
        let since = |time: Timestamp| segment.frame.time.0.saturating_sub(time.0);
        if segment.payload_len > 0 && peer.last_ack.is_some_and(|ack| numbers.end.distance_from(ack) <= 0) {
            return Some(TcpAnalysis::SpuriousRetransmission);
        }
        let is_asked_for = peer.duplicate_acks >= DUPLICATE_ACKS && peer.last_ack == Some(segment.seq);
        if is_asked_for && since(peer.last_ack_time) < FAST_RETRANSMISSION_NS {
            return Some(TcpAnalysis::FastRetransmission);
        }
        if numbers.end != next && since(self.next_time) < overtaken_ns {
            return Some(TcpAnalysis::OutOfOrder);
        }
        Some(TcpAnalysis::Retransmission)
    }
}
