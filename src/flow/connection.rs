//! One connection: segments in, rows out, and a ledger in which every octet stands once.

mod acknowledged;
mod detecting;
mod ending;
mod exchanges;
mod messages;

use std::borrow::Cow;

use super::anomalies::AnomalyLog;
use super::application::{Glance, Running};
use super::half::{Half, Memory};
use super::output::Output;
use super::setup::{Handshake, Roles};
use super::steady::Steady;
use super::unannounced::Suspicion;
use crate::account::Ledger;
use crate::anomaly::AnomalyKind;
use crate::envelope;
use crate::message::{Bucket, Direction, Part, SegmentPart, TcpAnalysis, TcpAnalysisCounts, TcpFacts, WebSocketFacts};
use crate::options::{Options, Protocol};
use crate::packet::{ConnectionKey, Flags, Segment, Sender};
use crate::stream::{Frame, LayerBytes, Timestamp};
use crate::tcp::{Analysis, Arrival, Loss, Receipt};

/// Payload octets of a segment in a frame of 9000 octets: more is not sent on any usual link.
const JUMBO_PAYLOAD: u32 = 8960;

/// Messages under way that take no more than this many octets are not counted, unless there are many connections: one request is as
/// usual as a connection.
const FEW_BYTES: usize = 4096;

/// A segment's part in the three-way handshake.
#[derive(Clone, Copy, Debug)]
struct Role {
    /// A SYN that was seen before.
    syn_again: bool,
    /// The client's first segment after the server's SYN.
    completes: bool,
}

/// A connection that has not ended.
///
/// In this order: what every segment needs comes first, and lies in few cache lines. With hundreds of connections these are
/// most of what a segment costs.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Connection {
    number: u64,
    pub(super) last: Frame,
    /// The capture's clock when the last segment came; unlike `last.time` it never steps back.
    heard: Timestamp,
    pub(super) running: Running,
    /// What it held when that was last asked for.
    pub(super) held: usize,
    /// What its parsers hold of messages under way, in octets.
    pub(super) parsed: usize,
    /// Which segments may be taken the short way.
    pub(super) steady: Steady,
    roles: Roles,
    pub(super) reset: bool,
    /// Whether anything was lost, came late, or went before: then what segments acknowledge tells which response is whose.
    pub(super) is_irregular: bool,
    /// Payload octets of the largest segments that each side may send.
    pub(super) max_payload: [u32; 2],
    pub(super) analysis: Analysis,
    pub(super) facts: TcpFacts,
    pub(super) halves: [Half; 2],
    envelopes: Option<Box<envelope::Session>>,
    pub(super) ledger: Ledger,
    pub(super) handshake: Handshake,
    key: ConnectionKey,
    first: Frame,
    exchanges: u64,
    /// Applications that ran so far.
    applications: u32,
    /// How many of them had been told of the end of a direction; [`UNTOLD`] where more was read since.
    ends_told: [u32; 2],
    /// What its ports are taken for, if that was said.
    pub(super) told: Option<Protocol>,
    /// When its first request began.
    first_request: Option<Timestamp>,
    /// Stream offsets at which the application began: 0, or behind a CONNECT.
    pub(super) begins: [u64; 2],
    anomalies: AnomalyLog,
    protocols: Cow<'static, [&'static str]>,
    websocket: Option<Box<WebSocketFacts>>,
    /// Whether it looks like WebSocket, as long as nothing was recognised.
    suspicion: Option<Box<Suspicion>>,
    /// At what both directions begin with, as long as nothing was recognised and one look was not enough.
    glances: Option<Box<[Glance; 2]>>,
}

/// No application knows of the end of a direction.
const UNTOLD: u32 = u32::MAX;

impl Connection {
    /// A connection that begins with this segment (which is still to be received).
    pub(crate) fn new(number: u64, segment: &Segment<'_>, options: &Options) -> Self {
        let ports = [Sender::Low, Sender::High].map(|end| segment.key.port(end));
        Self {
            number,
            key: segment.key,
            roles: Roles::of_first(segment),
            first: segment.frame,
            last: segment.frame,
            heard: Timestamp::default(),
            halves: Default::default(),
            held: 0,
            parsed: 0,
            running: Running::default(),
            steady: Steady::default(),
            applications: 0,
            ends_told: [0; 2],
            ledger: Ledger::default(),
            handshake: Handshake::default(),
            facts: TcpFacts::default(),
            analysis: Analysis::default(),
            max_payload: [JUMBO_PAYLOAD; 2],
            exchanges: 0,
            first_request: None,
            begins: [0; 2],
            anomalies: AnomalyLog::default(),
            protocols: Cow::Borrowed(&[]),
            websocket: None,
            envelopes: None,
            reset: false,
            is_irregular: false,
            told: options.protocol_of(ports),
            suspicion: None,
            glances: None,
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn key(&self) -> ConnectionKey {
        self.key
    }

    /// Whether either side has sent any payload that was captured.
    pub(crate) fn has_carried(&self) -> bool {
        self.halves.iter().any(|half| half.assembler.has_delivered())
    }

    /// The capture's clock when the last segment came.
    pub(crate) fn heard(&self) -> Timestamp {
        self.heard
    }

    pub(crate) fn set_heard(&mut self, clock: Timestamp) {
        self.heard = clock;
    }

    /// Reads a word of each cache line that a segment will need, so that they are fetched side by side and not one behind the
    /// other: with hundreds of connections they are in no near cache.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        let [a, b] = &self.halves;
        let halves = a.touch() ^ b.touch();
        let own = self.number ^ u64::from(self.max_payload[0]) ^ self.facts.segments;
        let facts = self.facts.lost_bytes ^ self.facts.sides[0].round_trips.count ^ self.facts.sides[1].round_trips.count;
        halves ^ own ^ facts ^ self.ledger.touch() ^ self.analysis.touch()
    }

    /// The same of what it refers to.
    #[inline]
    pub(crate) fn touch_further(&self) -> u64 {
        let running = match &self.running {
            Running::WebSocket(receivers) => receivers[0].touch() ^ receivers[1].touch(),
            Running::Http(http) => http.touch(),
            Running::Detecting | Running::Opaque | Running::Ended(_) => 0,
        };
        running ^ self.halves[0].touch_further() ^ self.halves[1].touch_further()
    }

    /// Whether both sides have finished, or one has reset.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.reset || self.halves.iter().all(|half| half.ended)
    }

    /// Whether it is closed without a reset, and each side has acknowledged all that the other sent.
    pub(crate) fn is_settled(&self) -> bool {
        !self.reset && self.is_closed() && self.analysis.is_acknowledged()
    }

    /// Whether a SYN begins another connection on the same ports: its sequence number is not this one's. (One that comes
    /// again after the end counts as sent again, as in Wireshark.)
    #[inline]
    pub(crate) fn is_reused_by(&self, segment: &Segment<'_>) -> bool {
        segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) && self.was_other(segment)
    }

    fn was_other(&self, segment: &Segment<'_>) -> bool {
        let direction = self.direction(segment.sender) as usize;
        self.halves[direction].assembler.is_other(segment.seq)
    }

    /// One of its packets was captured once more.
    pub(crate) fn note_copy(&mut self) {
        self.facts.duplicate_segments += 1;
    }

    /// Its ports were those of an earlier one, which its SYN ended.
    pub(crate) fn note_reused_ports(&mut self) {
        self.facts.mark(TcpAnalysis::ReusedPorts, Direction::ClientToServer);
    }

    /// Whether anything is held beyond holes, unread or of a message under way, or was when that was last asked for.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        self.held > 0 || self.parsed > 0 || self.halves.iter().any(|half| !half.buffer.is_empty() || half.assembler.has_held())
    }

    /// What that takes, in octets: when this was last asked for, and now.
    pub(crate) fn update_held(&mut self) -> (usize, usize) {
        let now = self.halves[0].memory() + self.halves[1].memory() + self.parsed;
        (std::mem::replace(&mut self.held, now), now)
    }

    /// A limit over all connections closes this one's holes.
    pub(crate) fn give_up_holes(&mut self, out: &mut Output<'_>) {
        for direction in Direction::BOTH {
            let half = &mut self.halves[direction as usize];
            let receipt = half.assembler.give_up_holes(&mut half.buffer);
            self.note_loss(receipt, self.last);
        }
        self.advance(Direction::ClientToServer, out);
        self.end_finished(out);
        self.halves.iter_mut().for_each(|half| half.give_back(out.memory));
    }

    /// A limit ends the connection.
    pub(crate) fn note_limit(&mut self) {
        self.anomalies.add(AnomalyKind::ConnectionLimit, self.last.number);
    }

    #[inline]
    pub(super) fn direction(&self, sender: Sender) -> Direction {
        if sender == self.roles.client { Direction::ClientToServer } else { Direction::ServerToClient }
    }

    #[inline]
    pub(super) fn book(&mut self, bucket: Bucket, direction: Direction, bytes: u64) {
        self.ledger.book(self.running.kind(), bucket, direction, bytes);
    }

    /// Takes a segment of this connection.
    // Always: its caller is the only one that is not rare.
    #[inline(always)]
    pub(crate) fn receive(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) {
        if !self.receive_next_data(segment, out) {
            self.receive_any(segment, out);
        }
        self.steady = self.find_steady(out.options);
    }

    fn receive_any(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) {
        let direction = self.direction(segment.sender);
        self.note_segment(segment);
        if segment.payload_len > self.max_payload[direction as usize] {
            self.note_offload(segment);
        }
        let is_probe = self.analysis.receive(segment, direction, &mut self.facts);
        let rest = is_probe.then(|| self.book_probe(segment, direction));
        self.take(rest.as_ref().unwrap_or(segment), direction, out);
    }

    /// What every segment leaves behind.
    #[inline]
    pub(super) fn note_segment(&mut self, segment: &Segment<'_>) {
        self.last = self.last.max(segment.frame);
        self.ledger.receive(segment.bytes.total());
        self.facts.segments += 1;
    }

    /// Takes a segment as [`receive`](Self::receive) does, and shows what became of it.
    #[cold]
    pub(crate) fn receive_shown(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) {
        let is_first = self.facts.segments == 0;
        let before = if is_first { None } else { self.facts.analysis.clone() };
        let retransmitted = self.facts.retransmitted_segments;
        self.receive(segment, out);
        let count = |counts: Option<&TcpAnalysisCounts>, kind| counts.map_or(0, |counts| counts.of_kind(kind));
        let marks = |kind: TcpAnalysis| count(self.facts.analysis.as_deref(), kind) > count(before.as_deref(), kind);
        let analysis = TcpAnalysis::ALL.into_iter().filter(|&kind| marks(kind)).collect();
        let is_new = segment.payload_len > 0 && self.facts.retransmitted_segments == retransmitted;
        out.parts.push_back(Part::Segment(Box::new(SegmentPart { is_new, analysis, ..self.shown(segment) })));
    }

    /// A segment of this connection as it is shown, when it is nothing new.
    pub(crate) fn shown(&self, segment: &Segment<'_>) -> SegmentPart {
        let direction = self.direction(segment.sender);
        let has_syn = segment.flags.has(Flags::SYN);
        SegmentPart {
            connection: self.number,
            direction,
            frame: segment.frame.number,
            key: self.key,
            sender: segment.sender,
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags,
            window: segment.window,
            window_shift: self.window_shift(direction),
            payload_len: segment.payload_len,
            captured_len: segment.payload.len() as u32,
            bytes: segment.bytes,
            offset: self.halves[direction as usize].assembler.offset(segment.seq + u32::from(has_syn)),
            is_new: false,
            analysis: Vec::new(),
            protocol: self.protocols.last().copied(),
            began: self.first.time,
            initial_rtt_s: self.facts.initial_rtt_s,
        }
    }

    /// Shift of the windows of who sends in that direction, when both SYNs announced one (RFC 7323 §2.2). The server's alone tells, where
    /// the client's was not captured: it has the option only as an answer.
    fn window_shift(&self, direction: Direction) -> Option<u8> {
        let peer = self.facts.side(direction.reverse());
        let is_answer = direction == Direction::ServerToClient && peer.sack_permitted.is_none();
        self.facts.side(direction).window_scale.filter(|_| is_answer || peer.window_scale.is_some())
    }

    /// A segment is larger than what its receiver announced, or than a link takes. (A loopback interface takes more.)
    #[cold]
    fn note_offload(&mut self, segment: &Segment<'_>) {
        let (client, server) = self.roles.addresses(&self.key);
        let is_loopback = client.ip() == server.ip() || client.ip().is_loopback();
        if self.handshake.is_captured() || !is_loopback {
            self.anomalies.add(AnomalyKind::SegmentationOffload, segment.frame.number);
        }
    }

    /// Books the headers of a zero-window probe, which they cost no message, and gives what is left of it: its octet comes first
    /// where its receiver finds room after all.
    #[cold]
    fn book_probe<'a>(&mut self, segment: &Segment<'a>, direction: Direction) -> Segment<'a> {
        self.halves[direction as usize].keep_alive = true;
        let payload = segment.bytes.payload;
        self.book(Bucket::KeepAlive, direction, segment.bytes.total() - payload);
        Segment { bytes: LayerBytes { payload, ..LayerBytes::default() }, ..*segment }
    }

    /// Puts a segment in its place and lets the parsers go on.
    #[inline]
    fn take(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) {
        let [mine, peer] = [direction as usize, direction.reverse() as usize];
        if segment.flags.has(Flags::ACK) {
            let of_peer = &mut self.halves[peer].assembler;
            if !of_peer.has_begun() && self.handshake.acknowledges_syn(mine, segment) {
                of_peer.begin_at(segment.ack);
            }
            of_peer.acknowledge(segment.ack);
        }
        let is_syn = segment.flags.has(Flags::SYN);
        let syn_again = is_syn && self.handshake.receive_syn(mine, segment);
        if let Some(mss) = self.facts.sides[mine].mss.filter(|_| is_syn) {
            self.max_payload[peer] = mss.into();
        }
        self.note_acknowledged(segment, direction);
        let half = &mut self.halves[mine];
        if segment.payload_len > 0 {
            half.borrow(out.memory);
        }
        let keep_alive = half.assembler.is_keep_alive(segment);
        let had_begun = half.assembler.has_begun();
        let receipt = half.assembler.receive(segment, &mut half.buffer, &out.options.limits);
        if !had_begun && !is_syn && half.assembler.has_begun() {
            self.begin_late(direction);
        }
        let completes = self.handshake.completes(mine, segment, &mut self.facts);
        if receipt.is_plain_delivery() {
            // The common case: every octet of it is in the buffer.
        } else if keep_alive && receipt.arrival == Arrival::Empty {
            self.halves[mine].keep_alive = true;
            self.book(Bucket::KeepAlive, direction, segment.bytes.total());
            self.note_loss(receipt, segment.frame);
        } else {
            self.book_receipt(segment, direction, receipt, Role { syn_again, completes });
        }
        let other = &mut self.halves[peer];
        let aged = other.assembler.grow_older(segment.frame.time, &mut other.buffer, &out.options.limits);
        self.note_loss(aged, segment.frame);
        // What a loss uncovers was sent before this segment.
        let first = if aged.loss.bytes > 0 { direction.reverse() } else { direction };
        self.advance(first, out);
        if segment.flags.has(Flags::FIN | Flags::RST) || self.halves.iter().any(|half| half.assembler.has_fin() && !half.ended) {
            self.end_directions(segment, out);
        }
        // What it brought may have been what the other side's octets waited for.
        if self.halves[peer].buffer.has_memory() {
            self.halves[peer].give_back(out.memory);
        }
        if segment.payload_len > 0 {
            self.halves[mine].give_back(out.memory);
        }
    }

    /// Books what a segment cost beyond the new bytes it delivered.
    fn book_receipt(&mut self, segment: &Segment<'_>, direction: Direction, receipt: Receipt, role: Role) {
        let total = segment.bytes.total();
        let frame = segment.frame.number;
        match receipt.arrival {
            Arrival::Empty => self.book_empty(segment, direction, role),
            Arrival::KeepAlive => {
                self.halves[direction as usize].keep_alive = true;
                self.book(Bucket::KeepAlive, direction, total);
            }
            Arrival::Old => {
                self.facts.retransmitted_segments += 1;
                self.facts.retransmitted_bytes += u64::from(receipt.old_bytes);
                self.ledger.note_retransmission(frame);
                self.book(Bucket::Retransmissions, direction, total);
            }
            Arrival::Delivered | Arrival::Held => {
                self.facts.retransmitted_bytes += u64::from(receipt.old_bytes);
                self.facts.out_of_order_segments += u64::from(receipt.late);
                if receipt.old_bytes > 0 {
                    self.ledger.note_retransmission(frame);
                    self.book(Bucket::Retransmissions, direction, u64::from(receipt.old_bytes));
                }
            }
            Arrival::OutOfWindow => {
                self.anomalies.add(AnomalyKind::OutOfWindow, frame);
                self.book(Bucket::Unattributed, direction, total);
            }
            Arrival::AfterFin => {
                self.anomalies.add(AnomalyKind::DataAfterFin, frame);
                self.book(Bucket::Unattributed, direction, total);
            }
        }
        if receipt.conflict {
            self.anomalies.add(AnomalyKind::ConflictingOverlap, frame);
        }
        self.note_loss(receipt, segment.frame);
    }

    /// Books a segment that brought no payload.
    fn book_empty(&mut self, segment: &Segment<'_>, direction: Direction, role: Role) {
        let [mine, peer] = [direction as usize, direction.reverse() as usize];
        let flags = segment.flags;
        let bucket = if flags.has(Flags::RST) {
            Bucket::Teardown
        } else if flags.has(Flags::SYN) {
            if role.syn_again { self.retransmission(segment) } else { Bucket::TcpSetup }
        } else if flags.has(Flags::FIN) {
            let again = std::mem::replace(&mut self.halves[mine].fin_seen, true);
            if again { self.retransmission(segment) } else { Bucket::Teardown }
        } else if role.completes {
            Bucket::TcpSetup
        } else if std::mem::take(&mut self.halves[peer].keep_alive) {
            Bucket::KeepAlive
        } else {
            Bucket::Acknowledgements
        };
        self.book(bucket, direction, segment.bytes.total());
    }

    fn retransmission(&mut self, segment: &Segment<'_>) -> Bucket {
        self.ledger.note_retransmission(segment.frame.number);
        self.facts.retransmitted_segments += 1;
        Bucket::Retransmissions
    }

    #[inline]
    fn note_loss(&mut self, receipt: Receipt, frame: Frame) {
        self.note_lost(receipt.loss, frame);
        if receipt.limit {
            self.anomalies.add(AnomalyKind::OutOfOrderLimit, frame.number);
        }
    }

    /// Octets were given up in this frame.
    #[inline]
    pub(super) fn note_lost(&mut self, loss: Loss, frame: Frame) {
        if loss.bytes > 0 {
            self.facts.lost_bytes += loss.bytes;
            let frame_behind = Some(loss.frame_behind).filter(|&number| number > 0);
            self.anomalies.add(AnomalyKind::LostBytes, frame_behind.unwrap_or(frame.number));
        }
    }

    /// Lets the parsers take what they can, this direction first, until neither gets further.
    #[inline(always)]
    pub(super) fn advance(&mut self, direction: Direction, out: &mut Output<'_>) {
        // Most segments bring nothing to read, or were read where they were captured.
        if !self.halves.iter().all(|half| half.buffer.is_empty()) {
            self.advance_further(direction, out);
        }
    }

    #[inline(never)]
    fn advance_further(&mut self, direction: Direction, out: &mut Output<'_>) {
        let (mut turn, mut idle) = (self.first_turn(direction), 0);
        while idle < 2 {
            let was_detecting = matches!(self.running, Running::Detecting);
            idle = if self.step(turn, out) { 0 } else { idle + 1 };
            turn = match self.running {
                Running::Http(_) if was_detecting => self.first_turn(Direction::ClientToServer),
                _ => turn.reverse(),
            };
        }
    }

    /// Who is read first, rather than the given direction: behind lost requests an answer may tell what the client's next bytes are.
    fn first_turn(&self, direction: Direction) -> Direction {
        if self.has_lost_requests() { Direction::ServerToClient } else { direction }
    }

    /// One parser's turn; whether it got further.
    #[inline]
    fn step(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        let start = self.halves[direction as usize].buffer.start();
        if self.halves[direction as usize].buffer.is_empty() {
            return false;
        }
        match self.running {
            Running::WebSocket(_) => {
                self.step_websocket(direction, out);
                if out.options.keeps_large_contents() || self.keeps_head(direction) || self.parsed > 0 {
                    self.update_parsed(out.memory);
                }
            }
            Running::Http(_) => {
                self.step_http(direction, out);
                self.update_parsed(out.memory);
            }
            Running::Detecting => return self.detect(direction, out),
            Running::Opaque | Running::Ended(_) => {
                let cost = self.halves[direction as usize].buffer.consume_all();
                self.book(Bucket::Unattributed, direction, cost.bytes.total());
            }
        }
        let half = &self.halves[direction as usize];
        let has_read = half.buffer.start() != start;
        if has_read && half.ended {
            // It came behind a hole that was given up since, and may have begun what nothing ends.
            self.ends_told[direction as usize] = UNTOLD;
        }
        has_read
    }

    /// Asks the parsers what they hold.
    #[inline]
    pub(super) fn update_parsed(&mut self, memory: &Memory) {
        let requests = if let Running::Http(http) = &self.running { http.memory() } else { 0 };
        let [client, server] = &self.halves;
        let parsed = requests + client.stage_memory() + server.stage_memory();
        self.parsed = if parsed > FEW_BYTES || memory.counts_few { parsed } else { 0 };
    }
}
