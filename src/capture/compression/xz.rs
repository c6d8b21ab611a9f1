//! Xz (the .xz file format 1.2).

use std::io;

use lzma_rust2::{Action, XzStream};

use super::{Compression, MAX_WINDOW, Step, blame};
use crate::capture::input::Input;

/// What a decoder takes beside its window, in octets: the library counts both together.
const BESIDE_WINDOW: u32 = 1 << 20;

/// Xz streams one after another.
pub(super) struct Streams {
    input: Input,
    stream: XzStream,
    done: bool,
}

impl Streams {
    pub(super) fn new(input: Input) -> Self {
        Self { input, stream: XzStream::new_mem_limit(true, (MAX_WINDOW + BESIDE_WINDOW) / 1024), done: false }
    }
}

impl Step for Streams {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        while !self.done {
            let octets = match self.input.fill() {
                Ok(octets) => octets,
                Err(error) => return (0, Err(error)),
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
                Err(error) if error.to_string().contains("mem_limit") => {
                    let what = format_args!("its window takes more than {} MiB of memory", MAX_WINDOW >> 20);
                    return (made, Err(blame(&mut self.input, Compression::Xz, what)));
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
