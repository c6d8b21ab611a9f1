//! Files that are one capture: opened as their time comes, merged where they overlap.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Packet;
use super::file::{CaptureFile, File, Shared};
use super::input::{Counted, Reader};
use super::record::Record;
use super::source::CAPACITY;
use crate::anomaly::AnomalyKind;
use crate::error::{Error, Result};
use crate::options::Limits;
use crate::stream::{Frame, Timestamp};

/// Packets lent at a time.
pub(super) const BURST: usize = 64;

/// Enough for the first packet of nearly every file: the first look at a set of thousands reads no more.
const PROBE_CAPACITY: usize = 16 << 10;

/// A capture's files.
///
/// A ring buffer may have thousands: only those that overlap in time are open at once.
pub(super) struct Set {
    /// In the order as given; those being read are in `active`.
    files: Vec<CaptureFile>,
    /// Not yet opened, the earliest last.
    waiting: Vec<Waiting>,
    /// Being read, in the order as given.
    active: Vec<Active>,
    shared: Shared,
    last_time: Timestamp,
    /// Places for the packets lent last.
    burst: [Record; BURST],
    bytes_read: Arc<AtomicU64>,
    size: Option<u64>,
}

/// A file that was looked at and closed again.
struct Waiting {
    path: PathBuf,
    first_time: Timestamp,
    index: usize,
}

/// A file being read.
struct Active {
    file: File,
    /// Its next packet, read but not given.
    head: Option<Record>,
    index: usize,
}

impl Set {
    pub(super) fn open(paths: &[PathBuf], limits: &Limits) -> Result<Self> {
        let mut set = Self::empty(limits);
        set.size = Some(0);
        for (index, path) in paths.iter().enumerate() {
            if paths.len() > 1 && is_file(path) {
                set.probe(index, path)?;
            } else {
                set.activate(index, path, CAPACITY)?;
            }
        }
        // Stable: files whose first packets share a time stay as given.
        set.waiting.reverse();
        set.waiting.sort_by_key(|waiting| std::cmp::Reverse(waiting.first_time));
        Ok(set)
    }

    pub(super) fn from_reader(name: &str, reader: impl Read + Send + 'static, limits: &Limits) -> Result<Self> {
        let mut set = Self::empty(limits);
        let reader = Box::new(Counted::new(reader, Arc::clone(&set.bytes_read)));
        let file = File::open(name.to_owned(), reader, CAPACITY, &mut set.shared)?;
        set.files.push(file.found());
        set.active.push(Active { file, head: None, index: 0 });
        Ok(set)
    }

    fn empty(limits: &Limits) -> Self {
        let shared = Shared::new(limits.block);
        let last_time = Timestamp(i64::MIN);
        Self {
            files: Vec::new(),
            waiting: Vec::new(),
            active: Vec::new(),
            shared,
            last_time,
            burst: [Record::default(); BURST],
            bytes_read: Arc::default(),
            size: None,
        }
    }

    /// Looks for a file's first packet. What has none is read at once: it says only that.
    fn probe(&mut self, index: usize, path: &Path) -> Result<()> {
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        // Interfaces are numbered when the file is read.
        let mut shared = Shared { next_frame: 1, next_interface: 0, limit: self.shared.limit };
        let mut file = open_file(path, Arc::default(), PROBE_CAPACITY, &mut shared)?;
        let first = file.advance(&mut shared)?;
        self.size = self.size.map(|sum| sum.saturating_add(size));
        match first {
            Some(first) => {
                let found = file.found();
                let (file, format, compression) = (found.file, found.format, found.compression);
                self.files.push(CaptureFile { file, format, compression, ..CaptureFile::default() });
                self.waiting.push(Waiting { path: path.to_owned(), first_time: first.time, index });
            }
            None => {
                self.files.push(file.found());
                self.bytes_read.fetch_add(size, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Opens a file to be read now.
    fn activate(&mut self, index: usize, path: &Path, capacity: usize) -> Result<()> {
        let is_new = self.files.len() == index;
        if is_new {
            let metadata = fs::metadata(path).ok().filter(|metadata| metadata.is_file() && path != Path::new("-"));
            self.size = self.size.zip(metadata).map(|(sum, metadata)| sum.saturating_add(metadata.len()));
        }
        let file = open_file(path, Arc::clone(&self.bytes_read), capacity, &mut self.shared)?;
        if is_new {
            self.files.push(file.found());
        }
        let at = self.active.partition_point(|active| active.index < index);
        self.active.insert(at, Active { file, head: None, index });
        Ok(())
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Packet<'_>>> {
        Ok(self.burst(1)?.and_then(|mut packets| packets.next()))
    }

    /// The next packet and those behind it that are there, so many at most (of [`BURST`]).
    #[inline]
    pub(super) fn burst(&mut self, most: usize) -> Result<Option<Packets<'_>>> {
        debug_assert!(most <= BURST, "there are places for so many");
        let mut number = self.shared.next_frame;
        let mut count = 0;
        let is_alone = self.waiting.is_empty() && self.active.len() == 1;
        if is_alone && self.active[0].head.is_none() {
            count = self.walk(0, 0, most, Timestamp(i64::MAX));
        }
        let mut at = 0;
        if count == 0 {
            let record;
            (at, record) = match if is_alone { self.next_alone()? } else { self.next_merged()? } {
                Some(first) => first,
                None => return Ok(None),
            };
            // What was read before it may have had numbers of its own.
            number = self.shared.next_frame;
            self.admit(at, record, 0);
            count = 1;
        }
        // Where several files overlap, each packet may be another one's.
        let most = if self.active.len() == 1 { most } else { 1 };
        let until = self.waiting.last().map_or(Timestamp(i64::MAX), |waiting| waiting.first_time);
        while count < most {
            count += self.walk(at, count, most, until);
            if count == most {
                break;
            }
            match self.active[at].file.advance_ready(&mut self.shared) {
                Some(record) if record.time < until => self.admit(at, record, count),
                head => {
                    self.active[at].head = head;
                    break;
                }
            }
            count += 1;
        }
        Ok(Some(Packets { records: self.burst[..count].iter(), buffer: self.active[at].file.buffer(), number }))
    }

    /// Takes packets of a file that need no second look to these places; how many.
    #[inline]
    fn walk(&mut self, at: usize, from: usize, to: usize, until: Timestamp) -> usize {
        let places = &mut self.burst[from..to];
        let count = self.active[at].file.walk(places, self.last_time..until);
        if let Some(last) = places[..count].last() {
            self.last_time = last.time;
            self.shared.next_frame += count as u64;
        }
        count
    }

    /// Numbers a packet, and notes what is odd about it.
    fn admit(&mut self, at: usize, record: Record, place: usize) {
        let number = self.shared.next_frame;
        self.shared.next_frame += 1;
        let file = &mut self.active[at].file;
        if record.time < self.last_time {
            file.add(AnomalyKind::ClockStepBack, number);
        }
        self.last_time = record.time;
        if record.captured > record.len {
            file.add(AnomalyKind::CapturedBeyondLength, number);
        }
        self.burst[place] = record;
    }

    /// One file, or the last of several.
    #[inline]
    fn next_alone(&mut self) -> Result<Option<(usize, Record)>> {
        let Some(active) = self.active.first_mut() else { return Ok(None) };
        let record = match active.head.take() {
            Some(record) => Some(record),
            None => active.file.advance(&mut self.shared)?,
        };
        Ok(record.map(|record| (0, record)))
    }

    /// The earliest packet of those next in their files. Few files overlap, so they are looked through.
    fn next_merged(&mut self) -> Result<Option<(usize, Record)>> {
        let (at, record) = loop {
            self.read_heads()?;
            let earliest = self.earliest();
            let until = earliest.map_or(i64::MAX, |(_, record)| record.time.0);
            match self.waiting.pop_if(|waiting| waiting.first_time.0 <= until) {
                Some(waiting) => self.activate(waiting.index, &waiting.path, CAPACITY)?,
                None => match earliest {
                    Some(earliest) => break earliest,
                    None => return Ok(None),
                },
            }
        };
        self.active[at].head = None;
        Ok(Some((at, record)))
    }

    /// Reads the next packet of each file that has none ready, and closes those at their end.
    fn read_heads(&mut self) -> Result<()> {
        let mut at = 0;
        while let Some(active) = self.active.get_mut(at) {
            if active.head.is_none() {
                active.head = active.file.advance(&mut self.shared)?;
            }
            if active.head.is_some() {
                at += 1;
            } else {
                let ended = self.active.remove(at);
                self.files[ended.index] = ended.file.found();
            }
        }
        Ok(())
    }

    /// Of equal times the first file's.
    fn earliest(&self) -> Option<(usize, Record)> {
        let heads = self.active.iter().enumerate().filter_map(|(at, active)| Some((at, active.head?)));
        heads.min_by_key(|(_, record)| record.time)
    }

    pub(super) fn files(&self) -> Vec<CaptureFile> {
        let mut files = self.files.clone();
        for active in &self.active {
            files[active.index] = active.file.found();
        }
        files
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }
}

/// Packets that stand in a file's buffer.
#[derive(Clone)]
pub(super) struct Packets<'a> {
    records: slice::Iter<'a, Record>,
    buffer: &'a [u8],
    /// Of the next.
    number: u64,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    #[inline]
    fn next(&mut self) -> Option<Packet<'a>> {
        let record = self.records.next()?;
        let frame = Frame { number: self.number, time: record.time };
        self.number += 1;
        let data = self.buffer.get(record.position..).and_then(|rest| rest.get(..record.captured as usize)).unwrap_or_default();
        Some(Packet { frame, len: record.len, data, link_type: record.link_type, interface: record.interface })
    }
}

fn is_file(path: &Path) -> bool {
    path != Path::new("-") && fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn open_file(path: &Path, bytes_read: Arc<AtomicU64>, capacity: usize, shared: &mut Shared) -> Result<File> {
    let name = path.to_string_lossy().into_owned();
    let reader: Reader = if path == Path::new("-") {
        Box::new(Counted::new(io::stdin(), bytes_read))
    } else {
        let file = open_path(path).map_err(|source| Error::Open { file: name.clone(), source })?;
        Box::new(Counted::new(file, bytes_read))
    };
    File::open(name, reader, capacity, shared)
}

fn open_path(path: &Path) -> io::Result<fs::File> {
    let file = fs::File::open(path)?;
    // Opening a directory succeeds on Unix, and reading says nothing that a person understands.
    if file.metadata()?.is_dir() {
        let files = path.join("*.pcap");
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            format!("this is a directory; name files in it, such as {}", files.display()),
        ));
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
