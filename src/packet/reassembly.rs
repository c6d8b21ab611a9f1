//! Joins IP fragments: any order, repeated, overlapping, cut by the snap length; what they cost is summed.
//!
//! The only state between packets that slicing needs. Where two fragments overlap, the first to arrive is kept, for IPv6 as
//! well: a receiver that follows RFC 5722 drops such a datagram, and nothing of it is wrong in its bytes' cost.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::cursor::Cursor;
use super::fragment::{DatagramId, Fragment};
use super::ip::{Addresses, Extensions, Ip};
use super::layer::{self, Step};
use super::{NotTcp, Sliced, segment};
use crate::anomaly::{AnomalyCounts, AnomalyKind};
use crate::capture::Packet;
use crate::options::Options;
use crate::stream::{Coverage, Frame, Timestamp};

/// What is booked for a datagram and for a piece of it beside the octets: about what the maps and the heap take.
const DATAGRAM_MEMORY: usize = 512;
const PIECE_MEMORY: usize = 96;

/// Datagrams of which fragments are missing.
#[derive(Debug)]
pub struct Reassembly {
    max_bytes: usize,
    max_datagrams: usize,
    timeout_ns: i64,
    // The seed decides where an entry lies, never an output: `order` says which one goes first.
    partial: HashMap<DatagramId, Partial, RandomState>,
    /// By the order in which they began.
    order: BTreeMap<u64, DatagramId>,
    begun: u64,
    memory: usize,
    latest: Timestamp,
    unjoined: Unjoined,
}

/// Frames whose fragments became part of no datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unjoined {
    /// How many.
    pub frames: u64,
    /// Their octets on the wire.
    pub bytes: u64,
    /// The first of them (`frame.number`); 0 where there is none.
    pub first_frame: u64,
}

impl Unjoined {
    fn add(&mut self, frames: u64, bytes: u64, first_frame: u64) {
        self.first_frame = if self.frames == 0 { first_frame } else { self.first_frame.min(first_frame) };
        self.frames += frames;
        self.bytes += bytes;
    }
}

impl Reassembly {
    /// Nothing held yet. Of the options only those on fragments count.
    pub fn new(options: &Options) -> Self {
        Self {
            max_bytes: options.limits.fragment_bytes,
            max_datagrams: options.limits.fragmented_datagrams,
            timeout_ns: i64::try_from(options.fragment_timeout.as_nanos()).unwrap_or(i64::MAX),
            partial: HashMap::default(),
            order: BTreeMap::new(),
            begun: 0,
            memory: 0,
            latest: Timestamp::default(),
            unjoined: Unjoined::default(),
        }
    }

    /// Takes a fragment; gives the datagram that it completes.
    ///
    /// Frames that turn out to be in vain are given by [`take_unjoined`](Self::take_unjoined) afterwards.
    pub fn join(&mut self, fragment: &Fragment<'_>, anomalies: &mut AnomalyCounts) -> Option<Datagram> {
        self.latest = self.latest.max(fragment.frame.time);
        self.expire();
        let partial = self.partial.entry(fragment.datagram).or_insert_with(|| {
            self.begun += 1;
            self.order.insert(self.begun, fragment.datagram);
            self.memory += DATAGRAM_MEMORY;
            // By the latest time: a clock that stepped back makes nothing older than it is.
            Partial::new(self.begun, self.latest, fragment)
        });
        let before = partial.memory;
        let taken = partial.take(fragment);
        self.memory += partial.memory - before;
        let (is_complete, is_new) = (partial.is_complete(), partial.frames == 0);
        if taken.contradicts {
            anomalies.add(AnomalyKind::FragmentOverlap, fragment.frame.number);
        }
        if !taken.brings {
            self.unjoined.add(fragment.frames, fragment.bytes, fragment.frame.number);
        }
        if is_complete {
            return self.remove(fragment.datagram).map(|partial| partial.join(fragment));
        }
        if is_new {
            self.remove(fragment.datagram);
        }
        self.make_room(fragment.frame.number, anomalies);
        None
    }

    /// What became part of no datagram since this was asked last.
    pub fn take_unjoined(&mut self) -> Unjoined {
        std::mem::take(&mut self.unjoined)
    }

    /// The capture is at its end: no more fragments come.
    pub fn finish(&mut self) {
        while self.drop_oldest() {}
    }

    fn remove(&mut self, id: DatagramId) -> Option<Partial> {
        let partial = self.partial.remove(&id)?;
        self.order.remove(&partial.serial);
        self.memory -= partial.memory + DATAGRAM_MEMORY;
        Some(partial)
    }

    fn oldest(&self) -> Option<&Partial> {
        self.partial.get(self.order.first_key_value()?.1)
    }

    /// False where there is none.
    fn drop_oldest(&mut self) -> bool {
        let oldest = self.order.first_key_value().map(|(_, &id)| id).and_then(|id| self.remove(id));
        if let Some(partial) = &oldest {
            self.unjoined.add(partial.frames, partial.bytes, partial.first_frame);
        }
        oldest.is_some()
    }

    fn expire(&mut self) {
        while self.oldest().is_some_and(|partial| self.latest.0.saturating_sub(partial.begun.0) > self.timeout_ns) {
            self.drop_oldest();
        }
    }

    fn make_room(&mut self, frame: u64, anomalies: &mut AnomalyCounts) {
        while self.memory > self.max_bytes || self.partial.len() > self.max_datagrams {
            anomalies.add(AnomalyKind::FragmentLimit, frame);
            if !self.drop_oldest() {
                return;
            }
        }
    }
}

/// A datagram of which something is missing.
#[derive(Debug)]
struct Partial {
    serial: u64,
    begun: Timestamp,
    first_frame: u64,
    /// By offset; they do not overlap.
    pieces: BTreeMap<u32, Piece>,
    /// What all pieces cover.
    coverage: Coverage,
    /// Octets of all pieces on the wire.
    covered: u32,
    /// Where the last fragment ends.
    end: Option<u32>,
    /// Of the first fragment.
    protocol: u8,
    hop_limit: u8,
    headers: u8,
    is_guessed: bool,
    frames: u64,
    bytes: u64,
    /// Octets of the IP headers of those frames.
    header_bytes: u64,
    memory: usize,
}

#[derive(Debug)]
struct Piece {
    /// Octets on the wire.
    len: u32,
    /// Those captured.
    data: Box<[u8]>,
}

/// What a fragment did.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    /// It has octets that were not there, or the end.
    brings: bool,
    /// It says something else than an earlier one.
    contradicts: bool,
}

impl Partial {
    fn new(serial: u64, begun: Timestamp, fragment: &Fragment<'_>) -> Self {
        Self {
            serial,
            begun,
            first_frame: fragment.frame.number,
            pieces: BTreeMap::new(),
            coverage: Coverage::default(),
            covered: 0,
            end: None,
            protocol: fragment.protocol,
            hop_limit: fragment.hop_limit,
            headers: 0,
            is_guessed: false,
            frames: 0,
            bytes: 0,
            header_bytes: 0,
            memory: 0,
        }
    }

    fn take(&mut self, fragment: &Fragment<'_>) -> Taken {
        let mut taken = Taken::default();
        let mut end = fragment.offset + fragment.len;
        if fragment.is_last && self.end.is_none() {
            if self.highest() > end {
                return Taken { brings: false, contradicts: true };
            }
            self.end = Some(end);
            taken.brings = true;
        }
        if let Some(known) = self.end {
            taken.contradicts = end > known || fragment.is_last && end < known;
            end = end.min(known);
        }
        self.fill(fragment, end, &mut taken);
        if taken.brings {
            self.count(fragment);
        }
        taken
    }

    fn highest(&self) -> u32 {
        self.pieces.last_key_value().map_or(0, |(start, piece)| start + piece.len)
    }

    /// Fills the holes between the pieces that are there, and compares with the pieces.
    fn fill(&mut self, fragment: &Fragment<'_>, end: u32, taken: &mut Taken) {
        let begin = fragment.offset;
        for (&start, piece) in self.beneath(fragment, end) {
            let both = start.max(begin)..end.min(start + piece.len);
            taken.contradicts |= differ(&piece.data, start, fragment.payload, begin, both);
        }
        for gap in self.coverage.add(u64::from(begin)..u64::from(end)) {
            // Fits: within the fragment.
            let (from, to) = (gap.start as u32, gap.end as u32);
            let data = octets(fragment.payload, begin, from..to).into();
            self.insert(from, Piece { len: to - from, data });
            taken.brings = true;
        }
    }

    /// Pieces that a fragment up to `end` can be compared with: none where its own octets were not captured, so there are no more
    /// of them than octets to compare.
    fn beneath(&self, fragment: &Fragment<'_>, end: u32) -> impl Iterator<Item = (&u32, &Piece)> {
        let begin = fragment.offset;
        let captured = u32::try_from(fragment.payload.len()).unwrap_or(u32::MAX);
        let end = end.min(begin.saturating_add(captured)).max(begin);
        let before = self.pieces.range(..begin).next_back().filter(move |(start, piece)| **start + piece.len > begin && begin < end);
        before.into_iter().chain(self.pieces.range(begin..end))
    }

    fn insert(&mut self, at: u32, piece: Piece) {
        self.covered += piece.len;
        self.memory += piece.data.len() + PIECE_MEMORY;
        self.pieces.insert(at, piece);
    }

    fn count(&mut self, fragment: &Fragment<'_>) {
        self.frames += fragment.frames;
        self.bytes += fragment.bytes;
        self.header_bytes += u64::from(fragment.header_len);
        self.headers = self.headers.max(fragment.headers);
        self.is_guessed |= fragment.is_guessed;
        if fragment.offset == 0 {
            self.protocol = fragment.protocol;
            self.hop_limit = fragment.hop_limit;
        }
    }

    fn is_complete(&self) -> bool {
        self.end == Some(self.covered)
    }

    fn join(self, last: &Fragment<'_>) -> Datagram {
        // Behind the first octet that was not captured nothing has its place.
        let mut payload = Vec::with_capacity(self.covered as usize);
        for piece in self.pieces.values() {
            payload.extend_from_slice(&piece.data);
            if piece.data.len() < piece.len as usize {
                break;
            }
        }
        Datagram {
            id: last.datagram,
            frame: last.frame,
            frames: self.frames,
            bytes: self.bytes,
            header_bytes: self.header_bytes,
            payload,
            len: self.covered,
            protocol: self.protocol,
            hop_limit: self.hop_limit,
            headers: self.headers,
            is_guessed: self.is_guessed,
        }
    }
}

/// The captured octets of a range, of data that begins at an offset.
fn octets(data: &[u8], offset: u32, range: std::ops::Range<u32>) -> &[u8] {
    let [from, to] = [range.start, range.end].map(|at| data.len().min((at - offset) as usize));
    &data[from..to]
}

/// Whether two pieces of data disagree in a range that both cover, as far as both were captured.
fn differ(a: &[u8], a_offset: u32, b: &[u8], b_offset: u32, range: std::ops::Range<u32>) -> bool {
    octets(a, a_offset, range.clone()).iter().zip(octets(b, b_offset, range)).any(|(a, b)| a != b)
}

/// An IP datagram joined of its fragments.
#[derive(Debug)]
pub struct Datagram {
    id: DatagramId,
    /// The frame that completed it.
    frame: Frame,
    frames: u64,
    bytes: u64,
    header_bytes: u64,
    /// What was captured, from its beginning on without a hole.
    payload: Vec<u8>,
    /// Octets of the payload.
    len: u32,
    protocol: u8,
    hop_limit: u8,
    headers: u8,
    is_guessed: bool,
}

impl Datagram {
    /// Frames that carried it.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Octets of those frames on the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.bytes
    }

    /// The frame that completed it.
    pub fn frame(&self) -> Frame {
        self.frame
    }

    /// Slices it like a packet. The layers of a segment sum to [`wire_bytes`](Self::wire_bytes): the IP headers of all
    /// fragments are `ip` (`link` where a tunnel is inside), their other headers are `link`, and so is what they carried twice.
    pub fn slice(&self) -> Sliced<'_> {
        // A packet that begins behind the IP header.
        let packet = Packet { frame: self.frame, len: self.len, data: &self.payload, link_type: 101, interface: 0 };
        match self.open(&packet) {
            Ok(Step::Fragment(fragment)) => Sliced::Fragment(fragment.carried_by(self.frame, self.frames, self.bytes)),
            Ok(Step::Tcp(ip)) => self.segment(&packet, &ip),
            Ok(Step::Next(..) | Step::Transport(..)) => Sliced::NotTcp(NotTcp::Malformed),
            Err(reason) => Sliced::NotTcp(reason),
        }
    }

    fn open<'a>(&self, packet: &Packet<'a>) -> Result<Step<'a>, NotTcp> {
        let mut rest = Cursor::new(packet);
        (rest.scope, rest.headers, rest.is_guessed) = (self.id.scope, self.headers, self.is_guessed);
        let extensions = match self.id.addresses {
            Addresses::V4(..) => Extensions::of_v4(self.protocol, rest.bytes())?,
            Addresses::V6(..) => Extensions::of_v6(self.protocol, rest.bytes())?,
        };
        if extensions.fragment.is_some() {
            return Err(NotTcp::Malformed);
        }
        let ip = Ip {
            addresses: self.id.addresses.with(&extensions.instead),
            start: 0,
            header_len: extensions.len,
            total_len: self.len as usize,
            protocol: extensions.protocol,
            // Every one of its packets was numbered; IPv6 has 32 bits for it.
            identification: self.id.identification as u16,
            hop_limit: self.hop_limit,
            scope: self.id.scope,
            headers: self.headers,
        };
        layer::open(Step::Transport(ip, rest.skip(extensions.len)?))
    }

    fn segment<'a>(&self, packet: &Packet<'a>, ip: &Ip) -> Sliced<'a> {
        let mut segment = match segment::slice(packet, ip) {
            Ok(segment) => segment,
            Err(reason) => return Sliced::NotTcp(reason),
        };
        let headers = self.bytes - u64::from(self.len).min(self.bytes);
        // Inside a tunnel the outer IP headers are link.
        let ip_headers = if ip.headers == self.headers { self.header_bytes.min(headers) } else { 0 };
        segment.bytes.ip += ip_headers;
        segment.bytes.link += headers - ip_headers;
        Sliced::Segment(segment)
    }
}
