//! One connection: segments in, rows out, and a ledger in which every octet stands once.

use std::collections::VecDeque;

use super::anomalies::AnomalyLog;
use super::application::{Looks, Running, recognise};
use super::half::{Half, Memory};
use super::output::{Output, Waiting};
use super::setup::{Handshake, Roles};
use super::steady::Steady;
use super::unannounced::{Suspicion, Verdict};
use crate::account::Ledger;
use crate::analysis::ajax;
use crate::anomaly::AnomalyKind;
use crate::content::Ticket;
use crate::envelope;
use crate::http;
use crate::message::{
    Bucket, ConnectionRow, Content, ContentSink, Direction, Exchange, HttpPart, Message, Part, RefusedUpgrade, Row, SegmentPart, Side,
    TcpAnalysis, TcpAnalysisCounts, TcpFacts, Upgrade, WebSocketFacts,
};
use crate::options::{ContentMode, Options, Protocol};
use crate::packet::{ConnectionKey, Flags, Segment, Sender};
use crate::stream::{Frame, LayerBytes, Place, Provenance, Timestamp};
use crate::tcp::{Analysis, Arrival, Receipt};
use crate::websocket::{self, Evidence};

/// A response whose request has not come yet waits for it at most this many octets long.
const MAX_WAIT_FOR_REQUEST: u64 = 64 << 10;

/// Protocols of a connection that its row names: a tunnel in a tunnel is seen, endless ones are not.
const MAX_PROTOCOLS: usize = 16;

/// Payload octets of a segment in a frame of 9000 octets: more is not sent on any usual link.
const JUMBO_PAYLOAD: u32 = 8960;

/// Messages under way that take no more than this many octets are not counted: one request is as usual as a connection.
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
    /// How many of them had been told of the end of a direction.
    ends_told: [u32; 2],
    /// What its ports are taken for, if that was said.
    pub(super) told: Option<Protocol>,
    /// When its first request began.
    first_request: Option<Timestamp>,
    /// Stream offsets at which the application began: 0, or behind a CONNECT.
    pub(super) begins: [u64; 2],
    anomalies: AnomalyLog,
    protocols: Vec<&'static str>,
    websocket: Option<Box<WebSocketFacts>>,
    /// Whether it looks like WebSocket, as long as nothing was recognised.
    suspicion: Option<Box<Suspicion>>,
}

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
            protocols: Vec::new(),
            websocket: None,
            envelopes: None,
            reset: false,
            is_irregular: false,
            told: options.protocol_of(ports),
            suspicion: None,
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
    #[inline]
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
        if self.analysis.receive(segment, direction, &mut self.facts) {
            self.receive_probe(segment, direction, out);
        } else {
            self.take(segment, direction, out);
        }
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
        let previous = (!is_first).then_some(self.last.time);
        let before = if is_first { None } else { self.facts.analysis.clone() };
        let retransmitted = self.facts.retransmitted_segments;
        self.receive(segment, out);
        let count = |counts: Option<&TcpAnalysisCounts>, kind| counts.map_or(0, |counts| counts.of_kind(kind));
        let marks = |kind: TcpAnalysis| count(self.facts.analysis.as_deref(), kind) > count(before.as_deref(), kind);
        let analysis = TcpAnalysis::ALL.into_iter().filter(|&kind| marks(kind)).collect();
        let is_new = segment.payload_len > 0 && self.facts.retransmitted_segments == retransmitted;
        out.parts.push_back(Part::Segment(Box::new(SegmentPart { is_new, analysis, previous, ..self.shown(segment) })));
    }

    /// A segment of this connection as it is shown, when it is nothing new.
    pub(crate) fn shown(&self, segment: &Segment<'_>) -> SegmentPart {
        let direction = self.direction(segment.sender);
        let has_syn = segment.flags.has(Flags::SYN);
        let scales = Direction::BOTH.map(|direction| self.facts.side(direction).window_scale);
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
            window_shift: scales[direction.reverse() as usize].and(scales[direction as usize]),
            payload_len: segment.payload_len,
            captured_len: segment.payload.len() as u32,
            bytes: segment.bytes,
            offset: self.halves[direction as usize].assembler.offset(segment.seq + u32::from(has_syn)),
            is_new: false,
            analysis: Vec::new(),
            protocol: self.protocols.last().copied(),
            began: self.first.time,
            previous: Some(self.last.time),
            initial_rtt_s: self.facts.initial_rtt_s,
        }
    }

    fn show_http(&self, mut part: Box<HttpPart>, out: &mut Output<'_>) {
        if part.direction == Direction::ServerToClient {
            part.end = part.end.max(self.halves[1].buffer.start());
        }
        out.parts.push_back(Part::Http(part));
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

    /// A zero-window probe costs no message its headers. Its octet comes first where its receiver finds room after all.
    #[cold]
    fn receive_probe(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) {
        self.halves[direction as usize].keep_alive = true;
        let payload = segment.bytes.payload;
        self.book(Bucket::KeepAlive, direction, segment.bytes.total() - payload);
        self.take(&Segment { bytes: LayerBytes { payload, ..LayerBytes::default() }, ..*segment }, direction, out);
    }

    /// Puts a segment in its place and lets the parsers go on.
    #[inline]
    fn take(&mut self, segment: &Segment<'_>, direction: Direction, out: &mut Output<'_>) {
        let [mine, peer] = [direction as usize, direction.reverse() as usize];
        if segment.flags.has(Flags::ACK) {
            let of_peer = &mut self.halves[peer].assembler;
            if !of_peer.has_begun() && self.handshake.is_behind_syn(mine, segment) {
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
        let receipt = half.assembler.receive(segment, &mut half.buffer, &out.options.limits);
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
        let first = if aged.lost_bytes > 0 { direction.reverse() } else { direction };
        self.advance(first, out);
        if segment.flags.has(Flags::FIN | Flags::RST) || self.halves.iter().any(|half| half.assembler.has_fin() && !half.ended) {
            self.end_directions(segment, out);
        }
        if segment.payload_len > 0 {
            self.halves[mine].give_back(out.memory);
        }
    }

    /// Remembers what a segment with payload acknowledged, where that may be needed to tell which response is whose.
    #[inline]
    pub(super) fn note_acknowledged(&mut self, segment: &Segment<'_>, direction: Direction) {
        let [mine, peer] = [direction as usize, direction.reverse() as usize];
        if !self.is_irregular {
            let is_ahead = segment.payload_len > 0 && self.halves[mine].assembler.is_ahead(segment.seq);
            self.is_irregular = is_ahead || self.halves[peer].assembler.has_hole();
        }
        if self.is_irregular
            && segment.payload_len > 0
            && segment.flags.has(Flags::ACK)
            && matches!(self.running, Running::Detecting | Running::Http(_))
        {
            let offset = self.halves[mine].assembler.offset(segment.seq);
            if let (Some(offset), Some(acknowledged)) = (offset, self.halves[peer].assembler.offset(segment.ack)) {
                self.halves[mine].buffer.note_acknowledged(offset, acknowledged);
            }
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
                self.book(Bucket::Retransmissions, direction, total);
            }
            Arrival::Delivered | Arrival::Held => {
                self.facts.retransmitted_bytes += u64::from(receipt.old_bytes);
                self.facts.out_of_order_segments += u64::from(receipt.late);
                self.book(Bucket::Retransmissions, direction, u64::from(receipt.old_bytes));
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
            if role.syn_again { self.retransmission() } else { Bucket::TcpSetup }
        } else if flags.has(Flags::FIN) {
            let again = std::mem::replace(&mut self.halves[mine].fin_seen, true);
            if again { self.retransmission() } else { Bucket::Teardown }
        } else if role.completes {
            Bucket::TcpSetup
        } else if std::mem::take(&mut self.halves[peer].keep_alive) {
            Bucket::KeepAlive
        } else {
            Bucket::Acknowledgements
        };
        self.book(bucket, direction, segment.bytes.total());
    }

    fn retransmission(&mut self) -> Bucket {
        self.facts.retransmitted_segments += 1;
        Bucket::Retransmissions
    }

    #[inline]
    fn note_loss(&mut self, receipt: Receipt, frame: Frame) {
        if receipt.lost_bytes > 0 {
            self.facts.lost_bytes += receipt.lost_bytes;
            self.anomalies.add(AnomalyKind::LostBytes, frame.number);
        }
        if receipt.limit {
            self.anomalies.add(AnomalyKind::OutOfOrderLimit, frame.number);
        }
    }

    /// Lets the parsers take what they can, this direction first, until neither gets further.
    #[inline]
    pub(super) fn advance(&mut self, direction: Direction, out: &mut Output<'_>) {
        if self.halves.iter().all(|half| half.buffer.is_empty()) {
            return;
        }
        // Behind lost requests an answer may tell what the client's next bytes are.
        let first = if self.has_lost_requests() { Direction::ServerToClient } else { direction };
        let (mut turn, mut idle) = (first, 0);
        while idle < 2 {
            idle = if self.step(turn, out) { 0 } else { idle + 1 };
            turn = turn.reverse();
        }
    }

    fn has_lost_requests(&self) -> bool {
        let Running::Http(http) = &self.running else { return false };
        http.has_lost_requests(&self.halves[0].buffer)
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
                if out.options.content == ContentMode::Full {
                    self.update_parsed();
                }
            }
            Running::Http(_) => {
                self.step_http(direction, out);
                self.update_parsed();
            }
            Running::Detecting => return self.detect(direction, out),
            Running::Opaque | Running::Ended(_) => {
                let cost = self.halves[direction as usize].buffer.consume_all();
                self.book(Bucket::Unattributed, direction, cost.bytes.total());
            }
        }
        self.halves[direction as usize].buffer.start() != start
    }

    /// Asks the parsers what they hold.
    pub(super) fn update_parsed(&mut self) {
        let requests = if let Running::Http(http) = &self.running { http.memory() } else { 0 };
        let contents = self.halves.iter().filter_map(|half| half.stage.as_ref()).map(|stage| stage.memory());
        let parsed = requests + contents.sum::<usize>();
        self.parsed = if parsed > FEW_BYTES { parsed } else { 0 };
    }

    /// Looks at what the direction's next segment begins with; whether something was recognised or passed over.
    fn detect(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        let half = &mut self.halves[direction as usize];
        let stream_begins = half.buffer.start() == self.begins[direction as usize];
        let is_told = self.told == Some(Protocol::Data) || half.buffer.missing() > 0;
        let looks = if is_told { Looks::Unknown } else { recognise(half.buffer.peek(), stream_begins) };
        match looks {
            Looks::Unclear if half.buffer.len() <= out.options.limits.http_head as u64 => return false,
            Looks::Unclear | Looks::Unknown => return self.detect_websocket(direction, out),
            Looks::Tls => self.run(Running::Opaque, "tls"),
            Looks::Http2 => self.run(Running::Opaque, "http/2"),
            Looks::Http(speaker) => self.begin_http(direction, speaker, out),
        }
        true
    }

    /// Looks for frames without an opening handshake, and passes over what is nothing known; whether it did either.
    fn detect_websocket(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        match self.seems_websocket(direction, out.options) {
            Verdict::WebSocket { is_client } => self.begin_unannounced(direction, is_client, out.options),
            Verdict::Perhaps => return false,
            Verdict::Other => {
                let half = &mut self.halves[direction as usize];
                let front = half.buffer.front_run();
                let cost = half.buffer.consume(front);
                self.book(Bucket::Unattributed, direction, cost.bytes.total());
            }
        }
        true
    }

    fn seems_websocket(&mut self, direction: Direction, options: &Options) -> Verdict {
        let half = &self.halves[direction as usize];
        if half.buffer.missing() > 0 {
            return Verdict::Other;
        }
        match self.told {
            Some(Protocol::Http | Protocol::Data) => return Verdict::Other,
            Some(Protocol::WebSocket) => {
                return match half.buffer.peek() {
                    [_, second, ..] => Verdict::WebSocket { is_client: second & 0x80 != 0 },
                    _ if half.ended => Verdict::Other,
                    _ => Verdict::Perhaps,
                };
            }
            None => {}
        }
        // Where it was captured from its beginning, the opening handshake would be there.
        if self.handshake.is_captured() && self.facts.lost_bytes == 0 {
            return Verdict::Other;
        }
        let suspicion = self.suspicion.get_or_insert_default();
        match suspicion.look(direction, &self.halves, options.limits.out_of_order_bytes) {
            Verdict::WebSocket { is_client } if self.roles.certain && is_client != (direction == Direction::ClientToServer) => {
                Verdict::Other
            }
            verdict => verdict,
        }
    }

    /// Goes on with WebSocket whose opening handshake was not captured.
    fn begin_unannounced(&mut self, direction: Direction, is_client: bool, options: &Options) {
        let suspicion = self.suspicion.take().unwrap_or_default();
        let mut wanted = if self.told.is_some() { [Evidence::Told; 2] } else { suspicion.evidence() };
        if !self.roles.certain && is_client != (direction == Direction::ClientToServer) {
            self.swap_directions();
            wanted.swap(0, 1);
        }
        self.roles.certain = true;
        self.anomalies.add(AnomalyKind::MissingHandshake, self.last.number);
        self.websocket = Some(Box::default());
        let session = envelope::Session::new(None, None, options.limits.pending_answers);
        self.open_receivers(&websocket::Handshake::new(None, None), wanted.map(Some), session, options);
        if suspicion.both_mask()
            && let Running::WebSocket(receivers) = &mut self.running
        {
            receivers[Direction::ServerToClient as usize].expect_masks();
        }
    }

    fn run(&mut self, running: Running, protocol: &'static str) {
        self.applications += 1;
        self.running = running;
        if self.protocols.last() != Some(&protocol) && self.protocols.len() < MAX_PROTOCOLS {
            // Most have one, and thousands are open at a time.
            self.protocols.reserve_exact(1);
            self.protocols.push(protocol);
        }
    }

    pub(super) fn begin_http(&mut self, direction: Direction, speaker: Direction, out: &mut Output<'_>) {
        if direction != speaker && !self.roles.certain {
            self.swap_directions();
        }
        self.roles.certain = true;
        let (client, server) = self.roles.addresses(&self.key);
        let ended = out.memory.http.take();
        let mut http = http::Connection::in_place_of(ended, self.number, [client, server], self.begins[1], &out.options.limits);
        if !self.handshake.is_captured() {
            http.begin_mid_stream();
            self.is_irregular = true;
        }
        for direction in Direction::BOTH {
            if self.halves[direction as usize].buffer.start() > self.begins[direction as usize] {
                http.begin_behind_loss(direction);
            }
        }
        if out.options.parts {
            http.show_messages();
        }
        self.run(Running::Http(http), "http/1.1");
    }

    /// Who is the client was guessed wrong.
    fn swap_directions(&mut self) {
        self.roles.client = self.roles.client.other();
        self.halves.swap(0, 1);
        self.begins.swap(0, 1);
        self.ends_told.swap(0, 1);
        self.ledger.swap_directions();
        self.handshake.swap_directions();
        self.analysis.swap_directions();
        self.max_payload.swap(0, 1);
        self.facts.swap_directions();
    }

    fn step_http(&mut self, direction: Direction, out: &mut Output<'_>) {
        loop {
            if self.waits_for_request(direction) || self.finds_lost_answer(direction, out) {
                return;
            }
            let Running::Http(http) = &mut self.running else { return };
            let (buffer, stage) = self.halves[direction as usize].parts(out.options, out.memory);
            let Memory { seen, heads, .. } = &mut *out.memory;
            let event = stage.with_seen(seen, |stage| http.advance(direction, buffer, stage, heads));
            let Some(event) = event else { return };
            let gives_way = http.gives_way();
            self.on_http(event, out);
            if gives_way {
                return;
            }
        }
    }

    /// Whether a response begins whose request the server has acknowledged, and the capture brings later.
    fn waits_for_request(&self, direction: Direction) -> bool {
        let Running::Http(http) = &self.running else { return false };
        let [client, server] = &self.halves;
        direction == Direction::ServerToClient
            && (http.awaits_request() || http.has_lost_responses(&server.buffer))
            && !client.ended
            && client.assembler.has_acknowledged_hole()
            // What stands behind a loss is read by what the server answered.
            && (client.buffer.is_empty() || !http.has_lost_requests(&client.buffer))
            && server.buffer.len() < MAX_WAIT_FOR_REQUEST
    }

    /// Whether an opening handshake's answer was lost, and what either side says now is, or may turn out to be, a frame.
    fn finds_lost_answer(&mut self, direction: Direction, out: &mut Output<'_>) -> bool {
        let Running::Http(http) = &mut self.running else { return false };
        if !http.awaits_websocket() {
            return false;
        }
        let [client, server] = &mut self.halves;
        match direction {
            Direction::ClientToServer => {
                let is_all = client.ended || client.buffer.len() > out.options.limits.out_of_order_bytes as u64;
                if !is_all || websocket::speaks_websocket(&client.buffer, direction, client.ended) != Some(true) {
                    return false;
                }
            }
            Direction::ServerToClient => {
                if !http.has_lost_responses(&server.buffer) {
                    return false;
                }
                let lost = server.buffer.consume(server.buffer.missing());
                http.lose_responses();
                let is_frame = server.buffer.at_run_start().then(|| websocket::speaks_websocket(&server.buffer, direction, server.ended));
                let says = is_frame.unwrap_or(Some(false));
                let client_says = websocket::speaks_websocket(&client.buffer, direction.reverse(), client.ended);
                let is_response = http::looks_like_response(server.buffer.peek()) != Some(false);
                self.book(Bucket::Unattributed, direction, lost.bytes.total());
                match (is_response && !self.halves[1].buffer.is_empty(), says, client_says) {
                    (true, _, _) => return false,
                    (false, Some(true), _) | (false, _, Some(true)) => {}
                    (false, None, _) => return !self.halves[1].ended,
                    (false, Some(false), _) => return false,
                }
            }
        }
        self.assume_websocket(out);
        true
    }

    /// Goes on as if the opening handshake had been answered with yes.
    fn assume_websocket(&mut self, out: &mut Output<'_>) {
        let Running::Http(http) = &mut self.running else { return };
        http.assume_websocket();
        self.step_assumed(out);
    }

    fn step_assumed(&mut self, out: &mut Output<'_>) {
        while let Running::Http(http) = &mut self.running {
            let Some(event) = http.finish() else { return };
            self.on_http(event, out);
        }
    }

    fn on_http(&mut self, event: http::Event, out: &mut Output<'_>) {
        match event {
            http::Event::Exchange(exchange) => self.emit_exchange(exchange, out),
            http::Event::Upgraded(exchange) => self.upgrade(exchange, out),
            http::Event::Shown(part) => self.show_http(part, out),
            http::Event::Informed => {}
            http::Event::Unattributed { direction, cost, anomalies } => {
                self.book(Bucket::Unattributed, direction, cost.bytes.total());
                self.anomalies.add_set(anomalies, cost.first.number);
            }
        }
    }

    pub(super) fn emit_exchange(&mut self, mut exchange: Box<Exchange>, out: &mut Output<'_>) {
        self.exchanges += 1;
        exchange.number = self.exchanges;
        if self.first_request.is_none() {
            self.first_request = exchange.request.as_ref().map(|request| request.cost.provenance.first.time);
        }
        if exchange.upgrade == Some(Upgrade::WebSocket) {
            exchange.side = Side::WebSocket;
        } else {
            (exchange.ajax, exchange.side) = ajax::classify(exchange.request.as_ref(), exchange.response.as_ref(), out.options);
        }
        self.ledger.book_message(exchange.side, exchange.wire_bytes());
        let contents =
            exchange.request.iter().map(|request| &request.content).chain(exchange.response.iter().map(|response| &response.content));
        exchange.anomalies.merge(contents.flat_map(|content| content.anomalies.iter()).collect());
        if !exchange.anomalies.is_empty() {
            place_content_oddities(&mut exchange);
        }
        if exchange.upgrade.is_none() {
            exchange.upgrade_refused = self.refusal(&exchange);
        }
        if out.options.parts {
            annotate_shown(&exchange, out.parts);
        }
        let frame = exchange.request.as_ref().map(|request| request.cost.provenance.first);
        let frame = frame.or_else(|| exchange.response.as_ref().map(|response| response.cost.provenance.first));
        self.anomalies.add_row(exchange.anomalies, &exchange.anomaly_details, frame.unwrap_or_default().number);
        out.rows.push_back(Row::Exchange(exchange));
    }

    /// Why the exchange opened no WebSocket, if it was to.
    fn refusal(&self, exchange: &Exchange) -> Option<RefusedUpgrade> {
        let request = exchange.request.as_ref()?;
        let server = &self.halves[1].assembler;
        let has_ended = server.is_finished() || self.reset && server.has_begun();
        let was_left = has_ended && !server.has_hole() && self.facts.lost_bytes == 0;
        websocket::refusal(request, exchange.response.as_ref(), was_left)
    }

    fn upgrade(&mut self, mut exchange: Box<Exchange>, out: &mut Output<'_>) {
        self.finish_http(out);
        match exchange.upgrade {
            Some(Upgrade::WebSocket) => self.begin_websocket(&mut exchange, out.options),
            Some(Upgrade::Tunnel) => {
                self.begins = [0, 1].map(|direction: usize| self.halves[direction].buffer.start());
                self.run(Running::Detecting, "connect");
            }
            Some(Upgrade::Other) | None => self.running = Running::Opaque,
        }
        self.emit_exchange(exchange, out);
    }

    fn begin_websocket(&mut self, exchange: &mut Exchange, options: &Options) {
        let response = exchange.response.as_ref().map(|response| &response.head);
        let handshake = websocket::Handshake::new(exchange.request.as_ref(), response);
        let mut facts = handshake.facts();
        facts.handshake_s = exchange.time_to_last_byte_s;
        for (direction, odd) in Direction::BOTH.into_iter().zip(handshake.anomalies()) {
            exchange.anomalies.merge(odd);
            if let Some(place) = exchange.places[direction as usize].filter(|_| !odd.is_empty()) {
                exchange.anomaly_details.add(odd, direction, place);
            }
        }
        let session = envelope::Session::new(facts.subprotocol.as_deref(), facts.target.as_deref(), options.limits.pending_answers);
        self.websocket = Some(Box::new(facts));
        if !handshake.is_decodable() {
            return self.run(Running::Opaque, "websocket");
        }
        // Where a half of the handshake is not all there, its direction is taken up at the next frame that convinces.
        let is_whole = [
            exchange.request.as_ref().is_some_and(|request| request.head.is_whole()),
            exchange.response.as_ref().is_some_and(|response| response.head.is_whole()),
        ];
        let wanted = is_whole.map(|is_whole| (!is_whole).then_some(Evidence::Convincing));
        self.open_receivers(&handshake, wanted, session, options);
    }

    /// Reads both directions as frames: from their first octet on, or from the first frame that brings the evidence wanted.
    fn open_receivers(
        &mut self,
        handshake: &websocket::Handshake<'_>,
        wanted: [Option<Evidence>; 2],
        session: envelope::Session,
        options: &Options,
    ) {
        for direction in Direction::BOTH {
            let stage = self.halves[direction as usize].stage(options);
            stage.set_compression(handshake.compression(direction));
        }
        self.keep_heads(session.keep(), options);
        self.envelopes = Some(Box::new(session));
        let mut receivers = Direction::BOTH.map(|direction| {
            let compression = handshake.compression(direction);
            let Some(evidence) = wanted[direction as usize] else {
                return websocket::Receiver::new(self.number, direction, compression);
            };
            let stage = self.halves[direction as usize].stage(options);
            stage.lose_context();
            websocket::Receiver::mid_stream(self.number, direction, compression, evidence)
        });
        if options.parts {
            receivers.iter_mut().for_each(|receiver| receiver.show_frames(options.kept_content().unwrap_or(0)));
        }
        self.run(Running::WebSocket(Box::new(receivers)), "websocket");
    }

    /// What is kept of messages for those who look for envelopes.
    fn keep_heads(&mut self, keep: envelope::Keep, options: &Options) {
        let limit = options.limits.envelope;
        let data = (keep == envelope::Keep::All).then_some(limit);
        self.halves.iter_mut().for_each(|half| half.stage(options).keep_heads(data, limit));
    }

    #[inline]
    fn step_websocket(&mut self, direction: Direction, out: &mut Output<'_>) {
        loop {
            let Running::WebSocket(receivers) = &mut self.running else { return };
            let (buffer, stage) = self.halves[direction as usize].parts(out.options, out.memory);
            let event = receivers[direction as usize].advance(buffer, stage);
            if out.options.parts {
                out.parts.extend(shown_frames(&mut receivers[direction as usize]));
            }
            if stage.has_done() {
                self.deliver(direction, out);
            }
            if !self.on_websocket(event, direction, out) {
                return;
            }
        }
    }

    /// Decodes the messages that wait in both directions.
    pub(crate) fn decode_waiting(&mut self) {
        self.halves.iter_mut().filter_map(|half| half.stage.as_mut()).for_each(|stage| stage.decode_waiting());
    }

    /// Leaves the messages that wait in either direction to whoever does the work. Those that were left before come back first;
    /// their rows are to be completed.
    pub(crate) fn send_waiting_away(&mut self) -> impl Iterator<Item = impl FnOnce() + Send + use<>> {
        let stages = self.halves.iter_mut().filter_map(|half| half.stage.as_mut());
        stages.filter_map(|stage| {
            stage.come_home();
            stage.is_waiting().then(|| stage.send_away())
        })
    }

    /// Waits for messages that are being decoded elsewhere.
    pub(crate) fn come_home(&mut self) {
        self.halves.iter_mut().filter_map(|half| half.stage.as_mut()).for_each(|stage| stage.come_home());
    }

    /// Completes the rows of messages that waited and have been decoded.
    pub(crate) fn deliver_all(&mut self, out: &mut Output<'_>) {
        Direction::BOTH.into_iter().for_each(|direction| self.deliver(direction, out));
    }

    fn settle(&mut self, out: &mut Output<'_>) {
        self.decode_waiting();
        self.deliver_all(out);
    }

    pub(super) fn deliver(&mut self, direction: Direction, out: &mut Output<'_>) {
        if let Some(stage) = self.halves[direction as usize].stage.as_mut().filter(|stage| stage.has_done()) {
            let done = stage.take_done();
            self.complete(done, direction, out);
        }
    }

    /// Completes the rows of messages whose content is known now.
    fn complete(&mut self, done: Vec<(Ticket, Content)>, direction: Direction, out: &mut Output<'_>) {
        for (Ticket { row, start }, content) in done {
            let Some(Row::Message(message)) = out.row(row) else { continue };
            if !content.anomalies.is_empty() {
                let frame = message.cost.provenance.first.number;
                let place = Place { stream_offset: start, frame: Some(frame).filter(|&frame| frame > 0) };
                message.anomaly_details.add(content.anomalies, direction, place);
                let fresh = content.anomalies.without(message.anomalies);
                self.anomalies.add_row(fresh, &message.anomaly_details, message.cost.provenance.last.number);
                message.anomalies.merge(content.anomalies);
            }
            message.cost.content_bytes = content.bytes;
            message.content = content;
        }
    }

    /// Takes what a direction has read; whether there was anything. A message is moved once, to its row, and looked at there.
    #[inline(always)]
    fn on_websocket(&mut self, event: Option<websocket::Event>, direction: Direction, out: &mut Output<'_>) -> bool {
        match event {
            Some(websocket::Event::Message(message)) => {
                out.rows.push_back(Row::Message(message));
                self.note_message(out);
            }
            Some(websocket::Event::Unattributed(cost)) => self.book(Bucket::Unattributed, direction, cost.bytes.total()),
            None => return false,
        }
        true
    }

    /// Books the message of the last row.
    #[inline]
    pub(super) fn note_message(&mut self, out: &mut Output<'_>) {
        let row = out.first_row + out.rows.len() as u64 - 1;
        let Some(Row::Message(message)) = out.rows.back_mut() else { return };
        if self.envelopes.as_ref().is_some_and(|session| session.listens(message.opcode)) {
            self.look_inside(message, out.options);
        }
        self.ledger.book_message(Side::WebSocket, message.cost.wire_bytes());
        if !message.anomalies.is_empty() {
            self.anomalies.add_row(message.anomalies, &message.anomaly_details, message.cost.provenance.last.number);
        }
        if let (Some(close), Some(facts)) = (&message.close, &mut self.websocket)
            && facts.closed_by.is_none()
        {
            facts.close = Some(close.as_ref().clone());
            facts.closed_by = Some(message.direction);
        }
        if out.options.parts {
            out.parts.push_back(Part::Message(Box::new(message.clone())));
        }
        if message.content.is_waiting {
            self.note_waiting(message, row, out.waiting);
            if out.rows.capacity() < Waiting::most_rows(out.options.jobs) {
                out.rows.reserve_exact(Waiting::most_rows(out.options.jobs) - out.rows.len());
            }
        }
    }

    /// The content of a message will be known later: its row stays where it is until then.
    fn note_waiting(&mut self, message: &Message, row: u64, waiting: &mut Waiting) {
        let half = &mut self.halves[message.direction as usize];
        let start = half.buffer.start() - message.cost.framing_bytes - message.cost.encoded_bytes;
        waiting.add(row, message.cost.encoded_bytes);
        if let Some(stage) = &mut half.stage {
            stage.set_ticket(Ticket { row, start });
        }
    }

    /// Names what the message carries, and says how long it took when it is an answer.
    #[inline(never)]
    fn look_inside(&mut self, message: &mut Message, options: &Options) {
        let Some(session) = &mut self.envelopes else { return };
        let before = session.keep();
        let head = self.halves[message.direction as usize].stage.as_ref().and_then(|stage| stage.head());
        session.receive(message, head);
        let after = session.keep();
        if after != before {
            self.keep_heads(after, options);
        }
    }

    /// Tells the application which directions are complete: by FIN and all before it, or by RST.
    fn end_directions(&mut self, segment: &Segment<'_>, out: &mut Output<'_>) {
        if segment.flags.has(Flags::FIN) {
            // Again: what was read may have told that the directions are the other way round.
            let direction = self.direction(segment.sender);
            self.halves[direction as usize].fin_seen = true;
        }
        self.reset |= segment.flags.has(Flags::RST);
        self.end_finished(out);
    }

    /// Tells the application of directions that are complete and that it does not know to be.
    fn end_finished(&mut self, out: &mut Output<'_>) {
        for direction in Direction::BOTH {
            if self.halves[direction as usize].assembler.is_finished() && !self.halves[direction as usize].ended {
                self.end_direction(direction, out);
            }
        }
        // What was left may have begun another application: that has to be told as well.
        let is_to_be_told = |connection: &Self, direction: &Direction| {
            let direction = *direction as usize;
            connection.halves[direction].ended && connection.ends_told[direction] != connection.applications
        };
        while let Some(direction) = Direction::BOTH.into_iter().find(|direction| is_to_be_told(self, direction)) {
            self.end_direction(direction, out);
        }
        if self.halves.iter().all(|half| half.ended && half.buffer.is_empty()) {
            self.rest(out);
        }
    }

    /// Both sides have finished and all is read: gives back what only an application under way needs. Many connections may
    /// wait for late segments.
    fn rest(&mut self, out: &mut Output<'_>) {
        self.finish_http(out);
        self.settle(out);
        self.release_memory(out.memory);
    }

    fn release_memory(&mut self, memory: &mut Memory) {
        let ended = Running::Ended(self.running.kind());
        if let Running::Http(http) = std::mem::replace(&mut self.running, ended)
            && http.is_small()
        {
            memory.http = Some(http);
        }
        self.parsed = 0;
        for half in &mut self.halves {
            half.stage = None;
            half.buffer.release_memory();
        }
    }

    /// Nothing more comes in this direction.
    fn end_direction(&mut self, direction: Direction, out: &mut Output<'_>) {
        self.halves[direction as usize].ended = true;
        let closed = self.halves[direction as usize].assembler.is_finished();
        loop {
            self.finds_lost_answer(direction, out);
            let (buffer, stage) = self.halves[direction as usize].parts(out.options, out.memory);
            match &mut self.running {
                Running::Http(http) => {
                    let Memory { seen, heads, .. } = &mut *out.memory;
                    let event = stage.with_seen(seen, |stage| http.end(direction, closed, buffer, stage, heads));
                    let Some(event) = event else { break };
                    self.on_http(event, out);
                }
                Running::WebSocket(receivers) => {
                    let event = receivers[direction as usize].end(buffer, stage);
                    out.parts.extend(shown_frames(&mut receivers[direction as usize]));
                    if stage.has_done() {
                        self.deliver(direction, out);
                    }
                    if !self.on_websocket(event, direction, out) {
                        break;
                    }
                }
                Running::Detecting | Running::Opaque | Running::Ended(_) => break,
            }
        }
        self.halves[direction as usize].give_back(out.memory);
        self.update_parsed();
        self.ends_told[direction as usize] = self.applications;
        self.advance(direction, out);
    }

    /// The connection has ended: everything that is left finds its place in a row or a bucket.
    pub(crate) fn finish(&mut self, out: &mut Output<'_>) {
        // Both before either is read: what is read may tell that the directions are the other way round.
        for direction in Direction::BOTH {
            let half = &mut self.halves[direction as usize];
            let lost = half.assembler.finish(&mut half.buffer);
            self.note_lost_at_end(lost);
        }
        self.advance(Direction::ClientToServer, out);
        // What ends may make room for another application, which has to be told of the end as well.
        let mut told = None;
        while told != Some(self.applications) {
            told = Some(self.applications);
            for direction in Direction::BOTH {
                self.end_direction(direction, out);
            }
            // Nothing of the server was captured behind an Upgrade request: the client's next bytes tell what became of it.
            self.finds_lost_answer(Direction::ClientToServer, out);
        }
        self.finish_http(out);
        for direction in Direction::BOTH {
            let left: Provenance = self.halves[direction as usize].buffer.consume_all();
            self.book(Bucket::Unattributed, direction, left.bytes.total());
        }
        self.settle(out);
        debug_assert_eq!(self.ledger.difference(), 0, "connection {}: every octet is booked once", self.number);
        out.rows.push_back(Row::Connection(Box::new(self.row())));
        self.release_memory(out.memory);
    }

    /// Exchanges that still wait for something will not get it.
    fn finish_http(&mut self, out: &mut Output<'_>) {
        while let Running::Http(http) = &mut self.running {
            let Some(event) = http.finish() else { break };
            self.on_http(event, out);
        }
    }

    fn note_lost_at_end(&mut self, lost: u64) {
        if lost > 0 {
            self.facts.lost_bytes += lost;
            self.anomalies.add(AnomalyKind::LostBytes, self.last.number);
        }
    }

    fn row(&mut self) -> ConnectionRow {
        for (side, most) in self.facts.sides.iter_mut().zip(self.analysis.max_bytes_in_flight()) {
            side.max_bytes_in_flight = most;
        }
        let (client, server) = self.roles.addresses(&self.key);
        let (anomalies, anomaly_details) = self.anomalies.take();
        ConnectionRow {
            connection: self.number,
            client,
            server,
            first: self.first,
            last: self.last,
            syn_captured: self.handshake.is_captured(),
            protocols: std::mem::take(&mut self.protocols),
            wire_bytes: self.ledger.wire_bytes(),
            side_wire_bytes: self.ledger.sides(),
            exchanges: self.exchanges,
            time_to_first_request_s: self
                .first_request
                .filter(|_| self.handshake.is_captured())
                .map(|time| time.seconds_since(self.first.time)),
            buckets: self.ledger.buckets(),
            websocket: self.websocket.take().map(|facts| *facts),
            tcp: std::mem::take(&mut self.facts),
            anomalies,
            anomaly_details,
        }
    }
}

/// What is odd about content lies with its message.
#[cold]
fn place_content_oddities(exchange: &mut Exchange) {
    let request = exchange.request.as_ref().map(|request| &request.content);
    let response = exchange.response.as_ref().map(|response| &response.content);
    for (direction, content) in Direction::BOTH.into_iter().zip([request, response]) {
        if let (Some(content), Some(place)) = (content, exchange.places[direction as usize]) {
            exchange.anomaly_details.add(content.anomalies, direction, place);
        }
    }
}

/// Parts that are looked through for the response of an exchange: it was shown right before.
const RECENT_PARTS: usize = 16;

/// What is known of an exchange when it is complete goes with its response, if that was shown just now.
fn annotate_shown(exchange: &Exchange, parts: &mut VecDeque<Part>) {
    let Some(place) = exchange.places[Direction::ServerToClient as usize] else { return };
    let shown = parts.iter_mut().rev().take(RECENT_PARTS).find_map(|part| match part {
        Part::Http(part) => Some(part).filter(|part| {
            part.connection == exchange.connection && part.direction == Direction::ServerToClient && part.start == place.stream_offset
        }),
        _ => None,
    });
    if let Some(part) = shown {
        part.upgrade_refused = exchange.upgrade_refused;
        part.anomalies = exchange.anomalies;
        part.anomaly_details = exchange.anomaly_details.clone();
    }
}

/// The frames that a direction has ended since it was last asked.
fn shown_frames(receiver: &mut websocket::Receiver) -> impl Iterator<Item = Part> {
    receiver.take_frames().into_iter().map(|frame| Part::WebSocketFrame(Box::new(frame)))
}
