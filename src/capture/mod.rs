//! Captures: pcap and pcapng from any [`Read`], plain or compressed, one file or a set in time order.
//!
//! ```text
//!  File, stdin ─► input (look ahead) ─► compression ─► source (buffer) ─► pcap, pcapng ─► set ─► Packet
//! ```

mod block;
mod clock;
mod compression;
mod file;
mod input;
mod pcap;
mod pcapng;
mod recognize;
mod record;
#[cfg(test)]
mod samples;
mod set;
mod source;

use std::io::Read;
use std::path::PathBuf;

pub use file::CaptureFile;

use crate::error::Result;
use crate::options::Limits;
use crate::stream::Frame;

/// A captured packet, borrowed from the reader.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Position and time.
    pub frame: Frame,
    /// Octets on the wire (`frame.len`), without a frame check sequence; the capture may hold fewer, and in a damaged
    /// record more: both are what the file says, as in Wireshark.
    pub len: u32,
    /// The octets captured (`frame.cap_len`), without a frame check sequence.
    pub data: &'a [u8],
    /// Link-layer type (the LINKTYPE_ registry's number).
    pub link_type: u16,
    /// Index of its interface within the capture, from 0.
    pub interface: u32,
}

/// Packets that are there at once, in order; lent by [`Capture::next_packets`].
#[derive(Clone)]
pub struct Packets<'a>(set::Packets<'a>);

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    #[inline]
    fn next(&mut self) -> Option<Packet<'a>> {
        self.0.next()
    }
}

/// A capture: a file, standard input, any reader, or several files that are one capture in time order.
///
/// Files of a set are ordered by their first packet's time; where they overlap, packets are taken by time, those of equal
/// time in the order of the files as given. Within a file the order is the file's.
///
/// ```no_run
/// # use std::path::PathBuf;
/// let mut capture = wiretare::Capture::open(&[PathBuf::from("trace.pcapng.zst")], &wiretare::Limits::default())?;
/// while let Some(packet) = capture.next()? {
///     assert!(packet.frame.number > 0);
/// }
/// # Ok::<(), wiretare::Error>(())
/// ```
pub struct Capture(set::Set);

impl Capture {
    /// Opens files; `-` is standard input. Of the limits only [`Limits::block`] counts.
    ///
    /// # Errors
    ///
    /// [`Error::Open`](crate::Error::Open) for what is not there, a directory, or must not be read;
    /// [`Error::NotACapture`](crate::Error::NotACapture) with what was found instead; [`Error::Read`](crate::Error::Read).
    pub fn open(paths: &[PathBuf], limits: &Limits) -> Result<Self> {
        set::Set::open(paths, limits).map(Self)
    }

    /// Reads a capture from a reader; `name` stands for it in errors.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) but the first. It reads the header, so it waits for it.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static, limits: &Limits) -> Result<Self> {
        set::Set::from_reader(name, reader, limits).map(Self)
    }

    /// The next packet; `None` at the end, be it a proper one or damage (see [`files`](Self::files)). Waits for a live
    /// pipe's next packet, not for more.
    ///
    /// # Errors
    ///
    /// [`Error::Read`](crate::Error::Read) when reading fails; that file has ended then, and the next call goes on with the
    /// others. [`Error::Open`](crate::Error::Open) when a file of a set is gone since it was opened.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend its buffer")]
    pub fn next(&mut self) -> Result<Option<Packet<'_>>> {
        self.0.next()
    }

    /// The next packet, and those behind it that need not be waited for: some dozens at most, in order. `None` at the end, as
    /// with [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next).
    #[inline]
    pub fn next_packets(&mut self) -> Result<Option<Packets<'_>>> {
        Ok(self.0.burst(set::BURST)?.map(Packets))
    }

    /// What is known of each file so far, in the order as given.
    pub fn files(&self) -> Vec<CaptureFile> {
        self.0.files()
    }

    /// Octets read of the files as they are on disk (compressed, if they are), for a progress display.
    pub fn bytes_read(&self) -> u64 {
        self.0.bytes_read()
    }

    /// Octets of the files on disk together; `None` where one is a pipe or the like.
    pub fn size(&self) -> Option<u64> {
        self.0.size()
    }
}
