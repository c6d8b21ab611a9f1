//! Zstandard (RFC 8878) in pieces, with bounded memory: one block is decoded at a time.

use ruzstd::decoding::FrameDecoder;

use super::coding::{Failed, Out};

/// Output is handed on in pieces of at most this many octets.
const PIECE: usize = 16 << 10;

/// The longest frame header (RFC 8878 §3.1.1.1) with its magic number.
const MAX_FRAME_HEADER: usize = 18;

/// A block header (RFC 8878 §3.1.1.2).
const BLOCK_HEADER: usize = 3;

/// A block's content (RFC 8878 §3.1.1.2.4).
const MAX_BLOCK: usize = 128 << 10;

/// A checksum behind the last block.
const CHECKSUM: usize = 4;

/// A window larger than this is not for HTTP (RFC 9659 §3): 8 MiB.
const MAX_WINDOW: u64 = 8 << 20;

/// The magic numbers of skippable frames are 0x184D2A50 to 0x184D2A5F (RFC 8878 §3.1.2), little-endian.
const SKIPPABLE_MAGIC: [u8; 3] = [0x2a, 0x4d, 0x18];

/// Magic number and length.
const SKIPPABLE_HEADER: usize = 8;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    FrameHeader,
    Block,
    Checksum,
    /// So many octets of a skippable frame.
    Skip(usize),
}

/// A decoder of zstd frames one after the other.
pub(super) struct Zstd {
    decoder: FrameDecoder,
    next: Next,
    /// Input that is not yet a whole block: at most 128 KiB and a header.
    pending: Vec<u8>,
    /// Octets decoded at most, as far as the window reaches: the decoder keeps them back until they leave it.
    window: usize,
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { decoder, next: Next::FrameHeader, pending: Vec::new(), window: 0 }
    }

    /// What the window and what waits take, in octets.
    pub(super) fn memory(&self) -> usize {
        self.window + self.pending.len()
    }

    pub(super) fn feed(&mut self, encoded: &[u8], out: Out<'_>) -> Result<(), Failed> {
        self.pending.extend_from_slice(encoded);
        self.run(false, out)
    }

    /// Nothing more comes; whether it ended with a frame.
    pub(super) fn finish(&mut self, out: Out<'_>) -> Result<(), Failed> {
        self.run(true, out)?;
        if self.next == Next::FrameHeader && self.pending.is_empty() { Ok(()) } else { Err(Failed) }
    }

    fn run(&mut self, last: bool, out: Out<'_>) -> Result<(), Failed> {
        let mut taken = 0;
        while let Some(len) = self.step(taken, last, out)? {
            taken += len;
        }
        self.pending.drain(..taken);
        Ok(())
    }

    /// Decodes the next header, block or checksum; octets taken, `None` when it is not all there.
    fn step(&mut self, at: usize, last: bool, out: Out<'_>) -> Result<Option<usize>, Failed> {
        let input = &self.pending[at..];
        match self.next {
            Next::Skip(0) => {
                self.next = Next::FrameHeader;
                Ok(Some(0))
            }
            Next::Skip(_) if input.is_empty() => Ok(None),
            Next::Skip(left) => {
                let len = left.min(input.len());
                self.next = Next::Skip(left - len);
                Ok(Some(len))
            }
            Next::FrameHeader => {
                if let Some(len) = skippable_len(input) {
                    self.next = Next::Skip(len);
                    return Ok(Some(SKIPPABLE_HEADER));
                }
                if input.is_empty() || (input.len() < MAX_FRAME_HEADER && !last) {
                    return Ok(None);
                }
                let mut rest = input;
                self.decoder.init(&mut rest).map_err(|_| Failed)?;
                self.next = Next::Block;
                Ok(Some(input.len() - rest.len()))
            }
            Next::Block => {
                let Some(len) = block_len(input) else { return Ok(None) };
                if len > BLOCK_HEADER + MAX_BLOCK {
                    return Err(Failed);
                }
                if len > input.len() {
                    return Ok(None);
                }
                self.window = (self.window + decoded_len(input)).min(MAX_WINDOW as usize);
                self.decode(at, len, out)?;
                self.next = match (is_last_block(&self.pending[at..]), self.decoder.is_finished()) {
                    (false, _) => Next::Block,
                    (true, true) => Next::FrameHeader,
                    (true, false) => Next::Checksum,
                };
                Ok(Some(len))
            }
            Next::Checksum if input.len() < CHECKSUM => Ok(None),
            Next::Checksum => {
                // The decoder keeps the window back until it has the checksum.
                self.decode(at, CHECKSUM, out)?;
                if self.decoder.get_checksum_from_data() != self.decoder.get_calculated_checksum() {
                    return Err(Failed);
                }
                self.next = Next::FrameHeader;
                Ok(Some(CHECKSUM))
            }
        }
    }

    fn decode(&mut self, at: usize, len: usize, out: Out<'_>) -> Result<(), Failed> {
        let mut piece = [0; PIECE];
        let mut input = &self.pending[at..at + len];
        loop {
            let before = input.len();
            let (read, written) = self.decoder.decode_from_to(input, &mut piece).map_err(|_| Failed)?;
            input = input.get(read..).unwrap_or_default();
            if written > 0 && out(&piece[..written]).is_break() {
                return Err(Failed);
            }
            // It says that it read a checksum where there is none yet.
            if written == 0 && input.len() == before {
                return Ok(());
            }
        }
    }
}

/// Octets that follow the header of a skippable frame, if one begins here.
fn skippable_len(input: &[u8]) -> Option<usize> {
    match *input.first_chunk::<SKIPPABLE_HEADER>()? {
        [0x50..=0x5f, magic @ .., l0, l1, l2, l3] if magic == SKIPPABLE_MAGIC => Some(u32::from_le_bytes([l0, l1, l2, l3]) as usize),
        _ => None,
    }
}

/// Octets of the block that begins here, header included (RFC 8878 §3.1.1.2.3).
fn block_len(input: &[u8]) -> Option<usize> {
    let header = input.get(..BLOCK_HEADER)?;
    let fields = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let size = (fields >> 3) as usize;
    let is_rle = fields >> 1 & 3 == 1;
    Some(BLOCK_HEADER + if is_rle { 1 } else { size })
}

/// Octets that the block makes at most: as many as it says, but for a compressed one.
fn decoded_len(input: &[u8]) -> usize {
    let Some(&[a, b, c]) = input.first_chunk::<BLOCK_HEADER>() else { return 0 };
    let fields = u32::from_le_bytes([a, b, c, 0]);
    let is_compressed = fields >> 1 & 3 == 2;
    if is_compressed { MAX_BLOCK } else { (fields >> 3) as usize }
}

fn is_last_block(input: &[u8]) -> bool {
    input.first().is_some_and(|octet| octet & 1 != 0)
}
