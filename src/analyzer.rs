//! Packets in, rows out: single-threaded, sans-IO, the heart of the program.

use std::collections::{BTreeMap, VecDeque};

use crate::anomaly::AnomalyKind;
use crate::capture::Packet;
use crate::flow::{Output, Recent, Table};
use crate::message::{Row, Totals};
use crate::options::Options;
use crate::packet::{NotTcp, Segment, Sliced, slice};

/// Turns packets into rows.
///
/// Push packets with [`packet`](Self::packet), take rows with [`poll`](Self::poll) until `None`, end with
/// [`finish`](Self::finish) and take the last rows.
#[derive(Debug)]
pub struct Analyzer {
    options: Options,
    recent: Recent,
    table: Table,
    rows: VecDeque<Row>,
    totals: Totals,
    not_tcp: BTreeMap<NotTcp, (u64, u64)>,
}

impl Analyzer {
    /// An analysis with nothing seen yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            recent: Recent::default(),
            table: Table::default(),
            rows: VecDeque::new(),
            totals: Totals::default(),
            not_tcp: BTreeMap::new(),
        }
    }

    /// Takes the next packet of the capture.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) {
        self.count(packet);
        match slice(packet) {
            Sliced::Segment(segment) => self.receive(&segment),
            Sliced::NotTcp(reason) => self.book_not_tcp(packet, reason),
        }
    }

    #[inline]
    fn count(&mut self, packet: &Packet<'_>) {
        self.totals.packets += 1;
        self.totals.wire_bytes += u64::from(packet.len);
        self.totals.captured_bytes += packet.data.len() as u64;
    }

    /// Takes a segment. (What [`packet`](Self::packet) does with those that carry one.)
    #[inline]
    pub fn receive(&mut self, segment: &Segment<'_>) {
        if self.recent.is_copy(segment) {
            return self.book_copy(segment);
        }
        self.table.receive(segment, &mut Output { rows: &mut self.rows, options: &self.options });
        self.totals.connections = self.table.begun();
    }

    #[cold]
    fn book_copy(&mut self, segment: &Segment<'_>) {
        self.table.note_copy(segment);
        self.totals.duplicate_bytes += segment.bytes.total();
        self.totals.anomalies.add(AnomalyKind::DuplicatePacket, segment.frame.number);
    }

    fn book_not_tcp(&mut self, packet: &Packet<'_>, reason: NotTcp) {
        let entry = self.not_tcp.entry(reason).or_default();
        entry.0 += 1;
        entry.1 += u64::from(packet.len);
        self.totals.not_tcp_bytes += u64::from(packet.len);
        let kind = match reason {
            NotTcp::LinkType(_) => AnomalyKind::UnsupportedLinkType,
            NotTcp::Malformed => AnomalyKind::MalformedPacket,
            NotTcp::Fragment => AnomalyKind::IpFragment,
            NotTcp::EtherType(_) | NotTcp::Llc | NotTcp::IpProtocol(_) => return,
        };
        self.totals.anomalies.add(kind, packet.frame.number);
    }

    /// The next row that is known, in order of completion.
    #[inline]
    pub fn poll(&mut self) -> Option<Row> {
        self.rows.pop_front()
    }

    /// The capture is at its end: every connection ends, its last rows can be polled, and the totals are complete.
    pub fn finish(&mut self) {
        self.table.finish(&mut Output { rows: &mut self.rows, options: &self.options });
        let mut not_tcp: Vec<_> = self.not_tcp.iter().map(|(reason, &(frames, bytes))| (reason.to_string(), frames, bytes)).collect();
        not_tcp.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        self.totals.not_tcp = not_tcp;
    }

    /// What is known of the capture as a whole.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}
