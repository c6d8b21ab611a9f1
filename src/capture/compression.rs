//! Compressed captures, recognised by content: gzip (RFC 1952), zstd (RFC 8878), lz4 frames, xz; of several members,
//! frames or streams.
//!
//! A decompressor hands out every octet it could make before it reports damage.

use std::fmt;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress};
use lzma_rust2::{Action, XzStream};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::input::{Input, Reader};

/// Memory that a decompressor's window may take, whatever a file declares: what `zstd -d` and `xz -9` need at most.
const MAX_WINDOW: u32 = 128 << 20;

/// How a capture is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    Lz4,
    Xz,
}

impl Compression {
    /// Octets that tell.
    pub(super) const MAGIC_LEN: usize = 6;

    /// The compression that a file beginning like this has.
    pub(super) fn of(octets: &[u8]) -> Option<Self> {
        match octets {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // Parallel compressors begin with a skippable frame (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Self::Xz),
            _ => None,
        }
    }

    /// The name that reports print.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
        }
    }

    /// A reader of what is compressed.
    pub(super) fn decompressor(self, input: Input) -> Reader {
        match self {
            Self::Gzip => Box::new(Latched::new(Gzip { input, inflate: Decompress::new_gzip(15), within: false })),
            Self::Zstd => {
                let mut decoder = FrameDecoder::new();
                decoder.set_max_window_size(MAX_WINDOW.into());
                Box::new(Latched::new(Zstd { input, decoder, within: false, failed: None }))
            }
            Self::Lz4 => Box::new(Latched::new(Lz4 { decoder: lz4_flex::frame::FrameDecoder::new(input) })),
            Self::Xz => Box::new(Latched::new(Xz { input, stream: XzStream::new_mem_limit(true, MAX_WINDOW / 1024), done: false })),
        }
    }
}

/// Marks an error as damage to the compressed octets, not a failure to read them.
#[derive(Debug)]
struct Damage(String);

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Damage {}

/// What a decompressor found wrong, if that is what an error says.
pub(super) fn damage_of(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<Damage>().map(|damage| damage.0.clone())
}

/// The error to report when a decompressor met one: the reader's own if it failed, else damage at the present offset.
fn blame(input: &mut Input, compression: Compression, what: impl fmt::Display) -> io::Error {
    let offset = input.offset();
    let damage = || io::Error::new(io::ErrorKind::InvalidData, Damage(format!("{} data at offset {offset}: {what}", compression.name())));
    input.failure().unwrap_or_else(damage)
}

/// One step of a decompressor: octets made, 0 at the end.
trait Step {
    /// What was made before an error counts: both may be there.
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>);
}

/// Holds an error back until what was made before it is handed out; after it, and after the end, there is nothing more.
struct Latched<D> {
    decompressor: D,
    error: Option<io::Error>,
    ended: bool,
}

impl<D: Step> Latched<D> {
    fn new(decompressor: D) -> Self {
        Self { decompressor, error: None, ended: false }
    }
}

impl<D: Step> Read for Latched<D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(0);
        }
        let (len, result) = self.decompressor.step(into);
        self.ended = len == 0 || result.is_err();
        match result {
            Err(error) if len == 0 => Err(error),
            result => {
                self.error = result.err();
                Ok(len.min(into.len()))
            }
        }
    }
}

/// Gzip members one after another. `MultiGzDecoder` would do, but loses what it inflated in the call that fails.
struct Gzip {
    input: Input,
    inflate: Decompress,
    within: bool,
}

impl Step for Gzip {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        loop {
            let octets = match self.input.fill() {
                Ok(octets) => octets,
                Err(error) => return (0, Err(self.input.failure().unwrap_or(error))),
            };
            if octets.is_empty() {
                let cut = self.within.then(|| blame(&mut self.input, Compression::Gzip, "ends within a member"));
                return (0, cut.map_or(Ok(()), Err));
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let result = self.inflate.decompress(octets, into, FlushDecompress::None);
            let used = (self.inflate.total_in() - before_in) as usize;
            let made = (self.inflate.total_out() - before_out) as usize;
            self.input.consume(used);
            self.within = true;
            match result {
                Ok(flate2::Status::StreamEnd) => {
                    self.inflate.reset(true);
                    self.within = false;
                }
                Ok(_) if used == 0 && made == 0 => return (0, Err(blame(&mut self.input, Compression::Gzip, "no progress"))),
                Ok(_) => {}
                Err(error) => return (made, Err(blame(&mut self.input, Compression::Gzip, error))),
            }
            if made > 0 {
                return (made, Ok(()));
            }
        }
    }
}

/// Xz streams one after another.
struct Xz {
    input: Input,
    stream: XzStream,
    done: bool,
}

impl Step for Xz {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        while !self.done {
            let octets = match self.input.fill() {
                Ok(octets) => octets,
                Err(error) => return (0, Err(self.input.failure().unwrap_or(error))),
            };
            let action = if octets.is_empty() { Action::Finish } else { Action::Run };
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.process(octets, into, action);
            // Not those of the result: an error has none, and what came before it counts.
            let used = (self.stream.total_in() - before_in) as usize;
            let made = (self.stream.total_out() - before_out) as usize;
            self.input.consume(used);
            match result {
                Ok(result) => {
                    self.done = result.status == lzma_rust2::Status::StreamEnd;
                    if made == 0 && used == 0 && !self.done {
                        return (0, Err(blame(&mut self.input, Compression::Xz, "no progress")));
                    }
                }
                Err(error) => return (made, Err(blame(&mut self.input, Compression::Xz, error))),
            }
            if made > 0 {
                return (made, Ok(()));
            }
        }
        (0, Ok(()))
    }
}

/// Skips skippable frames; whether there is another frame.
fn next_frame(input: &mut Input, compression: Compression) -> io::Result<bool> {
    loop {
        let octets = input.peek(8)?;
        match *octets {
            [] => return Ok(false),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                let len = u32::from_le_bytes([a, b, c, d]);
                if !input.skip(8 + u64::from(len))? {
                    return Err(blame(input, compression, "ends within a skippable frame"));
                }
            }
            _ => return Ok(true),
        }
    }
}

/// Zstandard frames one after another; ruzstd decodes one.
struct Zstd {
    input: Input,
    decoder: FrameDecoder,
    within: bool,
    failed: Option<io::Error>,
}

impl Zstd {
    /// Begins the next frame; `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        if !next_frame(&mut self.input, Compression::Zstd)? {
            return Ok(false);
        }
        match self.decoder.reset(&mut self.input) {
            Ok(()) => Ok(true),
            Err(error) => Err(blame(&mut self.input, Compression::Zstd, error)),
        }
    }

    /// Ends a frame: its checksum, if it has one.
    fn end(&mut self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(checksum) if self.decoder.get_calculated_checksum() != Some(checksum) => {
                Err(blame(&mut self.input, Compression::Zstd, "the content checksum differs"))
            }
            _ => Ok(()),
        }
    }

    /// The decoder keeps a window of decoded octets back until its frame ends: after damage, end it with an empty last raw
    /// block (RFC 8878 §3.1.1.2) and a checksum that nobody looks at.
    fn finish(&mut self) {
        let empty_last_block = [1, 0, 0, 0, 0, 0, 0];
        // Fails only where there is nothing to hand out.
        let _ = self.decoder.decode_blocks(&empty_last_block[..], BlockDecodingStrategy::UptoBlocks(1));
    }

    fn advance(&mut self) -> io::Result<bool> {
        if self.decoder.is_finished() {
            if self.within {
                self.within = false;
                self.end()?;
            }
            self.within = self.begin()?;
            return Ok(self.within);
        }
        if let Err(error) = self.decoder.decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1)) {
            self.failed = Some(blame(&mut self.input, Compression::Zstd, error));
            self.finish();
        }
        Ok(true)
    }
}

impl Step for Zstd {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        loop {
            if self.decoder.can_collect() > 0 {
                return match self.decoder.read(into) {
                    Ok(len) => (len, Ok(())),
                    Err(error) => (0, Err(error)),
                };
            }
            if let Some(error) = self.failed.take() {
                return (0, Err(error));
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return (0, Ok(())),
                Err(error) => return (0, Err(self.input.failure().unwrap_or(error))),
            }
        }
    }
}

/// LZ4 frames one after another; lz4_flex ends at each, and takes a cut between two blocks for one.
struct Lz4 {
    decoder: lz4_flex::frame::FrameDecoder<Input>,
}

impl Step for Lz4 {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        loop {
            let result = self.decoder.read(into);
            let input = self.decoder.get_mut();
            match result {
                Ok(0) if input.ended() => return (0, Err(blame(input, Compression::Lz4, "ends within a frame"))),
                // A frame has ended, or the first has not begun: what has ended with an end mark has not met the end of
                // the input, so meeting it within a frame is a cut.
                Ok(0) => match next_frame(input, Compression::Lz4) {
                    Ok(true) => {}
                    Ok(false) => return (0, Ok(())),
                    Err(error) => return (0, Err(input.failure().unwrap_or(error))),
                },
                Ok(len) => return (len, Ok(())),
                Err(error) => return (0, Err(blame(input, Compression::Lz4, error))),
            }
        }
    }
}
