//! Inflating the messages of one direction (RFC 7692 §7.2).

use flate2::{Decompress, FlushDecompress, Status};

use super::extension::ContextTakeover;

/// RFC 7692 §7.2.2: the sender dropped the final empty block; it is put back before inflating.
const FINAL_EMPTY_BLOCK: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Inflated octets are handed on in pieces of at most this many.
const PIECE: usize = 8192;

/// Why a message did not inflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InflateError {
    /// The compressed data is damaged.
    Damaged,
    /// It may refer to earlier data that was lost.
    LostContext,
    /// The receiver of the octets wanted no more.
    Stopped,
}

/// The inflater of one direction.
///
/// Always reads with a window of 2¹⁵, which holds every smaller one that may have been agreed.
///
/// After a loss under context takeover the window is empty, and a message inflates only if it refers to nothing before
/// what has been inflated since: zlib refuses any distance beyond that. So what comes out is certain, or is not given.
#[derive(Debug)]
pub(crate) struct Inflater {
    decompress: Decompress,
    takeover: ContextTakeover,
    /// What earlier messages left in the window is not all of what the sender had.
    context_lost: bool,
    failed: Option<InflateError>,
}

impl Inflater {
    pub(crate) fn new(takeover: ContextTakeover) -> Self {
        Self { decompress: Decompress::new(false), takeover, context_lost: false, failed: None }
    }

    /// A message begins.
    pub(crate) fn begin(&mut self) {
        if self.takeover == ContextTakeover::Reset || self.failed.is_some() {
            self.decompress.reset(false);
        }
        self.failed = None;
    }

    /// Some compressed octets of this message, or whole messages, were lost.
    pub(crate) fn lose(&mut self) {
        self.failed = Some(InflateError::LostContext);
        self.context_lost = self.takeover == ContextTakeover::Keep;
    }

    /// Inflates a piece of a message; `out` takes the octets and says whether it wants more.
    pub(crate) fn feed(&mut self, mut input: &[u8], out: &mut impl FnMut(&[u8]) -> bool) {
        while !input.is_empty() && self.failed.is_none() {
            let taken = self.inflate(input, out);
            input = &input[taken..];
        }
    }

    /// The message is complete.
    pub(crate) fn end(&mut self, out: &mut impl FnMut(&[u8]) -> bool) -> Result<(), InflateError> {
        self.feed(&FINAL_EMPTY_BLOCK, out);
        self.failed.map_or(Ok(()), Err)
    }

    /// One call of the decompressor; how many octets of the input it took.
    fn inflate(&mut self, input: &[u8], out: &mut impl FnMut(&[u8]) -> bool) -> usize {
        let mut piece = [0; PIECE];
        let (before_in, before_out) = (self.decompress.total_in(), self.decompress.total_out());
        let result = self.decompress.decompress(input, &mut piece, FlushDecompress::Sync);
        let taken = (self.decompress.total_in() - before_in) as usize;
        let inflated = (self.decompress.total_out() - before_out) as usize;
        let wants_more = inflated == 0 || out(&piece[..inflated]);
        match result {
            _ if !wants_more => self.stop(),
            // RFC 7692 §7.2.3.4: a block with BFINAL ends the deflate stream, not the message; a new one may follow. Its
            // window is begun anew: what would refer further back fails and is then unknown.
            Ok(Status::StreamEnd) => {
                self.decompress.reset(false);
                self.context_lost |= self.takeover == ContextTakeover::Keep;
            }
            Ok(_) if taken == 0 && inflated == 0 => self.fail(),
            Ok(_) => self.drain(&mut piece, inflated, out),
            Err(_) => self.fail(),
        }
        taken
    }

    /// Takes out what the decompressor holds back when the piece was too small for all of it.
    fn drain(&mut self, piece: &mut [u8; PIECE], mut inflated: usize, out: &mut impl FnMut(&[u8]) -> bool) {
        while inflated == PIECE && self.failed.is_none() {
            let before = self.decompress.total_out();
            // With no input left zlib says "buffer error" when there is nothing more: not a failure here.
            let result = self.decompress.decompress(&[], piece, FlushDecompress::Sync);
            inflated = (self.decompress.total_out() - before) as usize;
            if inflated > 0 && !out(&piece[..inflated]) {
                self.stop();
            } else if result.is_err() {
                self.fail();
            }
        }
    }

    fn fail(&mut self) {
        self.failed = Some(if self.context_lost { InflateError::LostContext } else { InflateError::Damaged });
        self.context_lost |= self.takeover == ContextTakeover::Keep;
    }

    fn stop(&mut self) {
        self.failed = Some(InflateError::Stopped);
        self.context_lost |= self.takeover == ContextTakeover::Keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(inflater: &mut Inflater, pieces: &[&[u8]]) -> Result<Vec<u8>, InflateError> {
        let mut text = Vec::new();
        let mut take = |octets: &[u8]| {
            text.extend_from_slice(octets);
            true
        };
        inflater.begin();
        pieces.iter().for_each(|piece| inflater.feed(piece, &mut take));
        inflater.end(&mut take)?;
        Ok(text)
    }

    /// "Hello" compressed, and again with the context of the first (RFC 7692 §7.2.3.1, §7.2.3.2).
    const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    const HELLO_AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];

    #[test]
    fn examples_of_rfc_7692_section_7_2_3() {
        let mut inflater = Inflater::new(ContextTakeover::Keep);
        assert_eq!(inflate(&mut inflater, &[HELLO]), Ok(b"Hello".to_vec()));
        assert_eq!(inflate(&mut inflater, &[HELLO_AGAIN]), Ok(b"Hello".to_vec()));
        let stored: &[u8] = &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(inflate(&mut inflater, &[stored]), Ok(b"Hello".to_vec()));
        let bfinal: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflate(&mut inflater, &[bfinal]), Ok(b"Hello".to_vec()));
        let two_blocks: &[u8] = &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut inflater, &[two_blocks]), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn pieces_of_a_message_give_the_same() {
        let mut inflater = Inflater::new(ContextTakeover::Reset);
        let pieces: Vec<&[u8]> = HELLO.chunks(1).collect();
        assert_eq!(inflate(&mut inflater, &pieces), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn without_takeover_nothing_of_an_earlier_message_is_known() {
        let mut inflater = Inflater::new(ContextTakeover::Reset);
        inflate(&mut inflater, &[HELLO]).expect("it stands alone");
        assert_eq!(inflate(&mut inflater, &[HELLO_AGAIN]), Err(InflateError::Damaged));
        assert_eq!(inflate(&mut inflater, &[HELLO]), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn after_a_loss_only_what_refers_to_nothing_lost_is_given() {
        let mut inflater = Inflater::new(ContextTakeover::Keep);
        inflate(&mut inflater, &[HELLO]).expect("the first");
        inflater.begin();
        inflater.lose();
        assert_eq!(inflate(&mut inflater, &[HELLO_AGAIN]), Err(InflateError::LostContext));
        assert_eq!(inflate(&mut inflater, &[HELLO]), Ok(b"Hello".to_vec()));
        assert_eq!(inflate(&mut inflater, &[HELLO_AGAIN]), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn long_runs_come_out_whole_and_can_be_stopped() {
        let zeros = vec![0; 1_000_000];
        let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
        let mut deflated = Vec::with_capacity(10_000);
        compress.compress_vec(&zeros, &mut deflated, flate2::FlushCompress::Sync).expect("room enough");
        deflated.truncate(deflated.len() - 4);
        let mut inflater = Inflater::new(ContextTakeover::Keep);
        assert_eq!(inflate(&mut inflater, &[&deflated]), Ok(zeros));
        let mut taken = 0;
        let mut stop = |octets: &[u8]| {
            taken += octets.len();
            taken < 100_000
        };
        inflater.begin();
        inflater.feed(&deflated, &mut stop);
        assert_eq!(inflater.end(&mut stop), Err(InflateError::Stopped));
        assert!(taken < 100_000 + PIECE);
    }
}
