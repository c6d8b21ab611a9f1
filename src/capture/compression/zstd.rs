//! Zstandard (RFC 8878).

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Compression, MAX_WINDOW, Step, blame, next_frame};
use crate::capture::input::Input;

/// Zstandard frames one after another; ruzstd decodes one.
pub(super) struct Frames {
    input: Input,
    decoder: FrameDecoder,
    within: bool,
    failed: Option<io::Error>,
}

impl Frames {
    pub(super) fn new(input: Input) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW.into());
        Self { input, decoder, within: false, failed: None }
    }

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

impl Step for Frames {
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
                Err(error) => return (0, Err(error)),
            }
        }
    }
}
