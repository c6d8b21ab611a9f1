//! Octets as they come, with a look ahead: what recognition and decompressors read from.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compression;

/// Where octets come from: a file, standard input, a decompressor.
pub(super) type Reader = Box<dyn Read + Send>;

/// Counts the octets of a reader for the progress display, and retries interrupted reads, which no decompressor
/// survives.
pub(super) struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    pub(super) fn new(inner: R, read: Arc<AtomicU64>) -> Self {
        Self { inner, read }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(len) => {
                    self.read.fetch_add(len as u64, Ordering::Relaxed);
                    return Ok(len);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Compressed octets are read in pieces of this size: one read of a pipe.
const CAPACITY: usize = 64 << 10;

/// A reader with a look ahead. It never reads again after the end or after an error.
pub(super) struct Input {
    inner: Reader,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    failed: Option<io::Error>,
    offset: u64,
}

impl Input {
    pub(super) fn new(inner: Reader) -> Self {
        Self { inner, buffer: Vec::new(), start: 0, end: 0, ended: false, failed: None, offset: 0 }
    }

    /// At least `len` unread octets (at most 64 KiB); fewer only at the end.
    pub(super) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        if self.end - self.start < len && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            self.buffer = vec![0; CAPACITY];
        }
        while self.end - self.start < len && self.end < self.buffer.len() && !self.ended {
            let len = read_once(&mut self.inner, &mut self.buffer[self.end..], &mut self.ended, &mut self.failed)?;
            self.end += len;
        }
        Ok(self.unread())
    }

    /// The octets that were looked at and not taken.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The unread octets, read once if there are none; empty only at the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    /// Takes octets that were peeked at.
    pub(super) fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.offset += len as u64;
    }

    /// Takes octets whether they were peeked at or not; returns whether all were there.
    pub(super) fn skip(&mut self, mut len: u64) -> io::Result<bool> {
        while len > 0 {
            let there = self.fill()?.len() as u64;
            if there == 0 {
                return Ok(false);
            }
            // Fits: at most the buffer.
            let taken = there.min(len);
            self.consume(taken as usize);
            len -= taken;
        }
        Ok(true)
    }

    /// Octets taken so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether a read met the end.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// A copy of the error of the underlying reader, which a decompressor may have wrapped in its own.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = if self.start == self.end {
            // Past the look-ahead nothing is copied twice, and nothing kept for it.
            (self.buffer, self.start, self.end) = (Vec::new(), 0, 0);
            read_once(&mut self.inner, into, &mut self.ended, &mut self.failed)?
        } else {
            let len = into.len().min(self.end - self.start);
            into[..len].copy_from_slice(&self.buffer[self.start..self.start + len]);
            self.start += len;
            len
        };
        self.offset += len as u64;
        Ok(len)
    }
}

fn read_once(inner: &mut Reader, into: &mut [u8], ended: &mut bool, failed: &mut Option<io::Error>) -> io::Result<usize> {
    if *ended || into.is_empty() {
        return Ok(0);
    }
    match inner.read(into) {
        Ok(len) => {
            *ended = len == 0;
            // A reader that claims more than it was given room for is wrong, not us.
            Ok(len.min(into.len()))
        }
        Err(error) => {
            *ended = true;
            *failed = Some(compression::copy_of(&error));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peeked_octets_are_read_again() {
        let mut input = Input::new(Box::new(&b"abcdef"[..]));
        assert_eq!(&input.peek(3).unwrap()[..3], b"abc");
        input.consume(1);
        let mut rest = Vec::new();
        input.read_to_end(&mut rest).unwrap();
        assert_eq!((&rest[..], input.offset()), (&b"bcdef"[..], 6));
    }

    #[test]
    fn what_is_read_past_the_look_ahead_can_be_peeked_at_again() {
        let mut input = Input::new(Box::new(&b"abcdef"[..]));
        input.peek(1).unwrap();
        input.consume(6);
        assert_eq!(input.read(&mut [0; 4]).unwrap(), 0);
        let mut input = Input::new(Box::new((&b"ab"[..]).chain(&b"cdef"[..])));
        let mut two = [0; 2];
        assert_eq!((input.read(&mut two).unwrap(), &two), (2, b"ab"));
        assert_eq!(input.peek(2).unwrap(), b"cdef");
        assert_eq!(input.offset(), 2);
    }

    #[test]
    fn skipping_past_the_end_says_so() {
        let mut input = Input::new(Box::new(&b"abc"[..]));
        assert!(input.skip(2).unwrap());
        assert!(!input.skip(2).unwrap());
    }
}
