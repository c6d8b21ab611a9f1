//! The LZ4 frame format 1.6.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::{Compression, Step, blame, next_frame};
use crate::capture::input::Input;

/// LZ4 frames one after another; lz4_flex ends at each, and takes a cut between two blocks for one.
pub(super) struct Frames {
    decoder: FrameDecoder<Input>,
}

impl Frames {
    pub(super) fn new(input: Input) -> Self {
        Self { decoder: FrameDecoder::new(input) }
    }
}

impl Step for Frames {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        loop {
            let result = self.decoder.read(into);
            let input = self.decoder.get_mut();
            match result {
                // A frame that ends with its end mark has not met the end of the input; one that met it is cut.
                Ok(0) if input.ended() => return (0, Err(blame(input, Compression::Lz4, "ends within a frame"))),
                Ok(0) => match next_frame(input, Compression::Lz4) {
                    Ok(true) => {}
                    Ok(false) => return (0, Ok(())),
                    Err(error) => return (0, Err(error)),
                },
                Ok(len) => return (len, Ok(())),
                Err(error) => return (0, Err(blame(input, Compression::Lz4, error))),
            }
        }
    }
}
