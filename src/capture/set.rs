//! Files that are one capture: opened as their time comes, merged where they overlap.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
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
        Self { files: Vec::new(), waiting: Vec::new(), active: Vec::new(), shared, last_time, bytes_read: Arc::default(), size: None }
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
        let alone = self.waiting.is_empty() && self.active.len() == 1;
        let Some((at, record)) = (if alone { self.next_alone()? } else { self.next_merged()? }) else {
            return Ok(None);
        };
        let number = self.shared.next_frame;
        self.shared.next_frame += 1;
        if record.time < self.last_time {
            self.active[at].file.add(AnomalyKind::ClockStepBack, number);
        }
        self.last_time = record.time;
        Ok(Some(Packet {
            frame: Frame { number, time: record.time },
            len: record.len,
            data: self.active[at].file.data(&record),
            link_type: record.link_type,
            interface: record.interface,
        }))
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
        loop {
            self.read_heads()?;
            let earliest = self.earliest();
            let until = earliest.map_or(i64::MAX, |(_, record)| record.time.0);
            match self.waiting.pop_if(|waiting| waiting.first_time.0 <= until) {
                Some(waiting) => self.activate(waiting.index, &waiting.path, CAPACITY)?,
                None => {
                    if let Some((at, _)) = earliest {
                        self.active[at].head = None;
                    }
                    return Ok(earliest);
                }
            }
        }
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
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
    }
    Ok(file)
}
