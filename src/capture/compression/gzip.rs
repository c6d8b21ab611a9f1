//! Gzip (RFC 1952).

use std::io;

use flate2::{Decompress, FlushDecompress};

use super::{Compression, Step, blame};
use crate::capture::input::Input;

/// Gzip members one after another. `MultiGzDecoder` would do, but loses what it inflated in the call that fails.
pub(super) struct Members {
    input: Input,
    inflate: Decompress,
    within: bool,
}

impl Members {
    pub(super) fn new(input: Input) -> Self {
        Self { input, inflate: Decompress::new_gzip(15), within: false }
    }
}

impl Step for Members {
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>) {
        loop {
            let octets = match self.input.fill() {
                Ok(octets) => octets,
                Err(error) => return (0, Err(error)),
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
