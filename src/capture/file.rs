//! One capture file: its format, its packets, what was found on the way.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::compression::Compression;
use super::input::Reader;
use super::pcap::Records;
use super::pcapng::Blocks;
use super::recognize::{Recognized, Refusal, recognize};
use super::record::{Damage, Record, Step, Walked};
use super::source::Source;
use crate::anomaly::{AnomalyCounts, AnomalyKind};
use crate::error::{Error, Result};
use crate::stream::Timestamp;

/// What is known of one file of a capture; complete when the capture has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureFile {
    /// Base name, or `-` for standard input.
    pub file: String,
    /// `pcap` or `pcapng`.
    pub format: &'static str,
    /// `gzip`, `zstd`, `lz4` or `xz`; the outer one where there are two.
    pub compression: Option<&'static str>,
    /// Packets read.
    pub packets: u64,
    /// Octets of these packets on the wire, without frame check sequences.
    pub wire_bytes: u64,
    /// Octets of these packets that were captured.
    pub captured_bytes: u64,
    /// Earliest time of a packet; the first packet's, unless the clock stepped back.
    pub first_time: Option<Timestamp>,
    /// Latest time of a packet.
    pub last_time: Option<Timestamp>,
    /// Whether the file was not read to a proper end: it is cut or damaged.
    pub truncated: bool,
    /// What was odd, with the number of the frame that followed.
    pub anomalies: AnomalyCounts,
    /// What is wrong with the file and where, for people: what ended it, else the first block of which not all could be used. Offsets
    /// are those of the decompressed capture.
    pub damage: Option<String>,
    /// Comments of its sections (pcapng's `opt_comment`), at most 64.
    pub comments: Vec<String>,
}

/// What the files of a capture share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Number that the next frame gets.
    pub(super) next_frame: u64,
    /// Number that the next interface gets.
    pub(super) next_interface: u32,
    /// Octets of the largest record or block.
    pub(super) limit: u32,
}

impl Shared {
    pub(super) fn new(limit: usize) -> Self {
        Self { next_frame: 1, next_interface: 0, limit: u32::try_from(limit).unwrap_or(u32::MAX) }
    }
}

/// A file being read.
pub(super) struct File {
    name: String,
    source: Source,
    format: Format,
    ended: bool,
    totals: Totals,
    found: CaptureFile,
}

/// The formats; an enum, not a trait object: it is asked for every packet.
enum Format {
    Pcap(Records),
    Pcapng(Box<Blocks>),
}

/// What is added up over packets.
#[derive(Clone, Copy, Debug)]
struct Totals {
    packets: u64,
    wire_bytes: u64,
    captured_bytes: u64,
    first_ns: i64,
    last_ns: i64,
}

impl Default for Totals {
    fn default() -> Self {
        Self { packets: 0, wire_bytes: 0, captured_bytes: 0, first_ns: i64::MAX, last_ns: i64::MIN }
    }
}

impl Totals {
    #[inline]
    fn add(&mut self, record: &Record) {
        self.packets += 1;
        self.wire_bytes += u64::from(record.len);
        self.captured_bytes += u64::from(record.captured);
        self.first_ns = self.first_ns.min(record.time.0);
        self.last_ns = self.last_ns.max(record.time.0);
    }

    /// Adds records that are in the order of their times.
    #[inline]
    fn add_walked(&mut self, walked: Walked, first: Timestamp, last: Timestamp) {
        self.packets += walked.records as u64;
        self.wire_bytes += walked.wire_bytes;
        self.captured_bytes += walked.captured_bytes;
        self.first_ns = self.first_ns.min(first.0);
        self.last_ns = self.last_ns.max(last.0);
    }
}

impl File {
    /// Recognises what a reader holds. `name` is for errors, its last part for the report.
    pub(super) fn open(name: String, reader: Reader, capacity: usize, shared: &mut Shared) -> Result<Self> {
        let (format, compression, reader) = match recognize(reader) {
            Ok(recognized) => recognized,
            Err(Refusal::NotACapture(found)) => return Err(Error::NotACapture { file: name, found }),
            Err(Refusal::Read(source)) => return Err(Error::Read { file: name, offset: 0, source }),
        };
        let mut source = Source::new(reader, capacity);
        let format_name = match format {
            Recognized::Pcap(_) => "pcap",
            Recognized::Pcapng => "pcapng",
        };
        let format = match format {
            Recognized::Pcapng => Format::Pcapng(Box::new(Blocks::new(shared.limit))),
            Recognized::Pcap(magic) => {
                // Recognised: it is there.
                let read = source.need(Records::HEADER_LEN);
                read.map_err(|source| Error::Read { file: name.clone(), offset: 0, source })?;
                let interface = shared.next_interface;
                let Some(records) = Records::new(magic, source.unread(), interface, shared.limit) else {
                    return Err(Error::NotACapture { file: name, found: "a malformed pcap header".into() });
                };
                source.consume(Records::HEADER_LEN);
                shared.next_interface = interface.saturating_add(1);
                Format::Pcap(records)
            }
        };
        let file = Path::new(&name).file_name().map_or_else(|| name.clone(), |base| base.to_string_lossy().into_owned());
        let compression = compression.map(Compression::name);
        let found = CaptureFile { file, format: format_name, compression, ..CaptureFile::default() };
        Ok(Self { name, source, format, ended: false, totals: Totals::default(), found })
    }

    /// Reads up to the next packet; `None` at the end, whatever it is like.
    #[inline]
    pub(super) fn advance(&mut self, shared: &mut Shared) -> Result<Option<Record>> {
        while !self.ended {
            match self.step(shared) {
                Ok(Step::Packet(record)) => {
                    self.totals.add(&record);
                    return Ok(Some(record));
                }
                Ok(Step::Numbered) => shared.next_frame += 1,
                Ok(step) => self.note(&step, shared.next_frame),
                Err(source) => {
                    self.ended = true;
                    self.found.truncated = true;
                    return Err(Error::Read { file: self.name.clone(), offset: self.source.end_offset(), source });
                }
            }
        }
        Ok(None)
    }

    /// The next packet, if it is there as a whole: nothing is read, so that packets lent before it stay where they are.
    #[inline]
    pub(super) fn advance_ready(&mut self, shared: &mut Shared) -> Option<Record> {
        let is_ready = match &self.format {
            Format::Pcap(records) => records.is_ready(&self.source),
            Format::Pcapng(blocks) => blocks.is_ready(&self.source),
        };
        match (is_ready && !self.ended).then(|| self.step(shared))? {
            Ok(Step::Packet(record)) => {
                self.totals.add(&record);
                return Some(record);
            }
            Ok(step) => self.note(&step, shared.next_frame),
            Err(_) => debug_assert!(false, "only reading can fail"),
        }
        None
    }

    /// The next packets that are there and need no second look, as many as there are places; `times` is when they may be from.
    /// Nothing is read. Where it stops, [`advance_ready`](Self::advance_ready) goes on.
    #[inline]
    pub(super) fn walk(&mut self, places: &mut [Record], times: Range<Timestamp>) -> usize {
        let walked = match &mut self.format {
            Format::Pcap(records) if !self.ended => records.walk(&mut self.source, places, times),
            Format::Pcapng(blocks) if !self.ended => blocks.walk(&mut self.source, places, times),
            Format::Pcap(_) | Format::Pcapng(_) => Walked::default(),
        };
        if let ([first, ..], [.., last]) = (&places[..walked.records], &places[..walked.records]) {
            self.totals.add_walked(walked, first.time, last.time);
        }
        walked.records
    }

    #[inline]
    fn step(&mut self, shared: &mut Shared) -> io::Result<Step> {
        match &mut self.format {
            Format::Pcap(records) => records.next(&mut self.source),
            Format::Pcapng(blocks) => blocks.next(&mut self.source, &mut shared.next_interface),
        }
    }

    #[cold]
    fn note(&mut self, step: &Step, frame: u64) {
        match step {
            Step::Packet(_) | Step::Numbered => {}
            Step::Skipped(damage) => {
                self.found.anomalies.add(AnomalyKind::MalformedBlock, frame);
                self.found.damage.get_or_insert_with(|| damage.to_string());
            }
            Step::Odd(damage) => {
                self.found.anomalies.add(AnomalyKind::MalformedOption, frame);
                self.found.damage.get_or_insert_with(|| damage.to_string());
            }
            Step::End => self.end(None, None, frame),
            Step::Cut(damage) => self.end(Some(damage), Some(AnomalyKind::TruncatedCapture), frame),
            Step::Broken(damage) => self.end(Some(damage), Some(AnomalyKind::MalformedBlock), frame),
        }
    }

    fn end(&mut self, damage: Option<&Damage>, kind: Option<AnomalyKind>, frame: u64) {
        self.ended = true;
        // Damage to the compressed octets is why the capture ends here; that it ends within a record is its effect.
        let compressed = self.source.damage();
        let kind = if compressed.is_some() { Some(AnomalyKind::DamagedCompression) } else { kind };
        if let Some(kind) = kind {
            self.found.truncated = true;
            // What was cut is no frame: the last one before it, where there is one.
            self.found.anomalies.add(kind, frame.saturating_sub(1).max(1));
            let parts: Vec<String> = compressed.into_iter().chain(damage.map(ToString::to_string)).collect();
            self.found.damage = Some(parts.join("; "));
        }
    }

    /// Octets of packets at their positions, until the next [`advance`](Self::advance).
    #[inline]
    pub(super) fn buffer(&self) -> &[u8] {
        self.source.buffer()
    }

    /// Counts an oddity that is seen between packets.
    #[cold]
    pub(super) fn add(&mut self, kind: AnomalyKind, frame: u64) {
        self.found.anomalies.add(kind, frame);
    }

    /// What is known so far.
    pub(super) fn found(&self) -> CaptureFile {
        let Totals { packets, wire_bytes, captured_bytes, first_ns, last_ns } = self.totals;
        let time = |ns| (packets > 0).then_some(Timestamp(ns));
        let comments = match &self.format {
            Format::Pcap(_) => Vec::new(),
            Format::Pcapng(blocks) => blocks.comments().to_vec(),
        };
        let (first_time, last_time) = (time(first_ns), time(last_ns));
        CaptureFile { packets, wire_bytes, captured_bytes, first_time, last_time, comments, ..self.found.clone() }
    }
}
