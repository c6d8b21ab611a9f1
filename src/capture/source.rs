//! The buffer that records and blocks are read from, refilled when a whole one is not there.

use std::io;

use super::compression;
use super::input::Reader;

/// Measured: a quarter MiB reads as fast as any size out of the page cache, and stays in the second-level cache.
pub(super) const CAPACITY: usize = 256 << 10;

/// A buffer over a reader.
///
/// ```text
///  buffer  [ consumed | unread ........ | room ]
///          ^ base     ^ start           ^ end
/// ```
///
/// It reads only when asked for more than is unread, and hands on what a short read brought: a live pipe's records are
/// there as soon as their octets are.
pub(super) struct Source {
    reader: Reader,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    base: u64,
    ended: bool,
    damage: Option<String>,
}

impl Source {
    pub(super) fn new(reader: Reader, capacity: usize) -> Self {
        Self { reader, buffer: vec![0; capacity.max(1)], start: 0, end: 0, base: 0, ended: false, damage: None }
    }

    /// Whether `len` octets are unread, after reading until they are or the input ends.
    #[inline]
    pub(super) fn need(&mut self, len: usize) -> io::Result<bool> {
        if self.has(len) { Ok(true) } else { self.refill(len) }
    }

    /// Whether `len` octets are unread, without reading.
    #[inline]
    pub(super) fn has(&self, len: usize) -> bool {
        self.end - self.start >= len
    }

    #[cold]
    fn refill(&mut self, len: usize) -> io::Result<bool> {
        while self.end - self.start < len {
            if self.ended {
                return Ok(false);
            }
            self.make_room();
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(len) => self.end += len.min(self.buffer.len() - self.end),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    match compression::damage_of(&error) {
                        Some(damage) => self.damage = Some(damage),
                        None => return Err(error),
                    }
                }
            }
        }
        Ok(true)
    }

    /// Moves what is unread to the front; doubles a full buffer. It grows with octets that came, not with a length that
    /// a damaged file declares.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    /// The unread octets.
    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes unread octets (at most those that are there).
    #[inline]
    pub(super) fn consume(&mut self, len: usize) {
        self.start += len.min(self.end - self.start);
    }

    /// Position in the buffer of the octet `ahead` of the next unread one; valid until the next [`need`](Self::need).
    #[inline]
    pub(super) fn position(&self, ahead: usize) -> usize {
        self.start + ahead
    }

    /// Octets by their position, consumed or not.
    #[inline]
    pub(super) fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Offset in the (decompressed) capture of the next unread octet.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Octets of the (decompressed) capture read so far.
    pub(super) fn end_offset(&self) -> u64 {
        self.base + self.end as u64
    }

    /// What the decompressor found wrong, when that ended the input.
    pub(super) fn damage(&mut self) -> Option<String> {
        self.damage.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_grows_to_what_is_needed_and_keeps_its_place() {
        let octets: Vec<u8> = (0..=255).collect();
        let mut source = Source::new(Box::new(io::Cursor::new(octets.clone())), 4);
        assert!(source.need(3).unwrap());
        source.consume(3);
        assert!(source.need(200).unwrap());
        assert_eq!((&source.unread()[..200], source.offset()), (&octets[3..203], 3));
        assert!(!source.need(254).unwrap());
        assert_eq!(source.end_offset(), 256);
    }
}
