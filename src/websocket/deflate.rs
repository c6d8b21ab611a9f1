//! Inflating the messages of one direction (RFC 7692 §7.2.2).

use std::ops::ControlFlow::{self, Break};

use flate2::{Decompress, FlushDecompress, Status};

use super::extension::ContextTakeover;

/// RFC 7692 §7.2.1: the sender dropped the end of its final empty block; it is put back before the message ends.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The largest distance that DEFLATE can refer back, in octets (RFC 1951 §3.2.5).
const WINDOW: usize = 32 << 10;

/// Octets inflated at a time: room for most messages, cheap on the stack.
const PIECE: usize = 4 << 10;

/// Why a message's content is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is not DEFLATE.
    Corrupt,
    /// It refers (or may refer) to octets of earlier messages that are not known.
    LostContext,
    /// Whoever takes the octets wanted no more.
    Stopped,
}

/// The inflater of one direction. It holds a window of 32 KiB: make it when the first compressed message comes.
///
/// After a loss it starts with an empty window, and inflating refuses every reference to before that. A message begins at a
/// block boundary, so one that inflates nonetheless says what its sender said, to the octet; the others are unknown.
#[derive(Debug)]
pub(crate) struct Inflater {
    context_takeover: ContextTakeover,
    /// Always of the full window: it inflates what any smaller one deflated (and zlib cannot do the 8 bits that RFC 7692 allows).
    stream: Decompress,
    context: Context,
    /// Whether the stream has been used since it was last reset.
    used: bool,
    /// Octets of the message under way, encoded.
    fed: u64,
    /// Octets of the message under way, decoded.
    decoded: u64,
    /// The last block had BFINAL set: what follows is a new DEFLATE stream with the same window.
    ended: bool,
    /// The last octets decoded, once a BFINAL block has shown that they are needed.
    history: Option<History>,
}

/// How much of the window that the sender has is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// All that can be referred to.
    Whole,
    /// This many octets since a loss.
    Since(u64),
}

impl Inflater {
    /// An inflater for a direction. `whole` says that no message of it was lost before.
    ///
    /// The negotiated window size is not asked for: fifteen bits fit all.
    pub(crate) fn new(context_takeover: ContextTakeover, whole: bool) -> Self {
        let context = if whole || context_takeover == ContextTakeover::Reset { Context::Whole } else { Context::Since(0) };
        let stream = Decompress::new(false);
        Self { context_takeover, stream, context, used: false, fed: 0, decoded: 0, ended: false, history: None }
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self) {
        self.fed = 0;
        self.decoded = 0;
        if self.context_takeover == ContextTakeover::Reset {
            self.forget();
            self.context = Context::Whole;
        }
    }

    /// Inflates a piece of the message and hands on what comes out, in pieces of a few KiB.
    ///
    /// After a failure the message is over: nothing more of it may be fed.
    pub(crate) fn feed(&mut self, encoded: &[u8], out: &mut impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), Failure> {
        let Some(first) = encoded.first() else { return Ok(()) };
        let begins_final_block = self.fed == 0 && first & 1 == 1;
        if begins_final_block && self.history.is_none() && self.context_takeover == ContextTakeover::Keep {
            self.recall();
        }
        self.fed += encoded.len() as u64;
        self.inflate(encoded, out)
    }

    /// Ends the message.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        // An empty payload, and one that ends with a BFINAL block and lacks the empty block behind it, dropped no tail.
        if self.fed > 0 && !self.ended {
            let failure = self.failure();
            // Whatever the tail brings forth was not finished by its sender.
            self.inflate(&TAIL, &mut |_| Break(())).map_err(|_| failure)?;
        }
        if let Context::Since(known) = self.context {
            let known = known + self.decoded;
            self.context = if known >= WINDOW as u64 { Context::Whole } else { Context::Since(known) };
        }
        Ok(())
    }

    /// Forgets the window: octets of a message were lost, or whole messages.
    pub(crate) fn lose(&mut self) {
        self.forget();
        if self.context_takeover == ContextTakeover::Keep {
            self.context = Context::Since(0);
        }
    }

    fn inflate(&mut self, mut encoded: &[u8], out: &mut impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), Failure> {
        let mut piece = [0; PIECE];
        loop {
            if self.ended {
                if encoded.is_empty() {
                    return Ok(());
                }
                self.restart();
            }
            self.used = true;
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let Ok(status) = self.stream.decompress(encoded, &mut piece, FlushDecompress::None) else { return Err(self.fail()) };
            // Both fit: at most what was lent.
            let (read, written) = ((self.stream.total_in() - read) as usize, (self.stream.total_out() - written) as usize);
            self.ended = status == Status::StreamEnd;
            encoded = &encoded[read..];
            let decoded = &piece[..written];
            self.decoded += written as u64;
            if let Some(history) = &mut self.history {
                history.push(decoded);
            }
            if written > 0 && out(decoded).is_break() {
                self.lose();
                return Err(Failure::Stopped);
            }
            if encoded.is_empty() && written < PIECE {
                return Ok(());
            }
            if read == 0 && written == 0 && !self.ended {
                return Err(self.fail());
            }
        }
    }

    fn failure(&self) -> Failure {
        match self.context {
            Context::Whole => Failure::Corrupt,
            Context::Since(_) => Failure::LostContext,
        }
    }

    fn fail(&mut self) -> Failure {
        let failure = self.failure();
        self.lose();
        failure
    }

    /// Empties the window.
    fn forget(&mut self) {
        if self.used {
            self.stream.reset(false);
            self.used = false;
        }
        self.ended = false;
        if let Some(history) = &mut self.history {
            history.0.clear();
        }
    }

    /// Begins a new DEFLATE stream after a BFINAL block, with the window of the old one.
    fn restart(&mut self) {
        self.ended = false;
        self.stream.reset(false);
        let remembered = self.history.as_ref().is_some_and(|history| self.stream.set_dictionary(history.window()).is_ok());
        if !remembered {
            // The window went with the old stream. What refers to it is unknown; from now on it is kept.
            self.context = Context::Since(0);
            self.history = Some(History::default());
        }
    }

    /// Before a BFINAL block ends the stream: gets the window out of it, and keeps it from now on.
    ///
    /// Inflaters do not show their window, but copy from it when told to: so one block is made up that copies all of it.
    fn recall(&mut self) {
        let mut history = History::default();
        let known = self.stream.total_out().min(WINDOW as u64) as usize;
        if known > 0 {
            let mut window = Vec::with_capacity(WINDOW + COPY);
            let copied = self.stream.decompress_vec(&copy_block(known), &mut window, FlushDecompress::None);
            if copied.is_err() || window.len() < known {
                return self.lose();
            }
            window.truncate(known);
            history.push(&window);
        }
        self.stream.reset(false);
        if self.stream.set_dictionary(history.window()).is_err() {
            return self.lose();
        }
        self.history = Some(history);
    }
}

/// The last octets that were decoded, at least a window of them.
#[derive(Debug, Default)]
struct History(Vec<u8>);

impl History {
    fn push(&mut self, decoded: &[u8]) {
        self.0.extend_from_slice(decoded);
        if self.0.len() > 2 * WINDOW {
            self.0.drain(..self.0.len() - WINDOW);
        }
    }

    fn window(&self) -> &[u8] {
        &self.0[self.0.len().saturating_sub(WINDOW)..]
    }
}

/// The longest match of DEFLATE, in octets (RFC 1951 §3.2.5).
const COPY: usize = 258;

/// A block with fixed codes (RFC 1951 §3.2.6) that copies the last `distance` octets, 1–32768, and a few of them again, and
/// an empty block that aligns to an octet.
fn copy_block(distance: usize) -> Vec<u8> {
    let (code, extra_bits) = match distance - 1 {
        short @ 0..4 => (short, 0),
        long => {
            let extra_bits = long.ilog2() - 1;
            ((2 * extra_bits as usize + 2) | (long >> extra_bits & 1), extra_bits)
        }
    };
    let extra = (distance - 1) & ((1 << extra_bits) - 1);
    let mut bits = Bits::default();
    // BFINAL 0, BTYPE 01.
    bits.push(0b010, 3);
    for _ in 0..distance.div_ceil(COPY) {
        // Huffman codes go in from their most significant bit: length 258 is code 285, 8 bits 11000101.
        bits.push(0b1010_0011, 8);
        bits.push((code as u32).reverse_bits() >> 27, 5);
        bits.push(extra as u32, extra_bits);
    }
    // End of block, then BFINAL 0, BTYPE 00, and its length of nothing.
    bits.push(0, 7 + 3);
    bits.octets.extend_from_slice(&TAIL);
    bits.octets
}

/// Bits in the order of DEFLATE: the least significant first (RFC 1951 §3.1.1).
#[derive(Default)]
struct Bits {
    octets: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.octets.push(0);
            }
            if let Some(last) = self.octets.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (self.used % 8);
            }
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::ContextTakeover::{Keep, Reset};
    use super::*;

    /// Deflates messages as a sender does (RFC 7692 §7.2.1), with one window for all of them.
    struct Sender(Compress);

    impl Sender {
        fn new(window_bits: u8) -> Self {
            Self(Compress::new_with_window_bits(Compression::best(), false, window_bits))
        }

        fn deflate(&mut self, content: &[u8], flush: FlushCompress) -> Vec<u8> {
            let mut deflated = Vec::with_capacity(content.len() + 64);
            self.0.compress_vec(content, &mut deflated, flush).expect("room for all of it");
            deflated
        }

        fn message(&mut self, content: &[u8]) -> Vec<u8> {
            if content.is_empty() {
                // RFC 7692 §7.2.3.6; zlib says nothing when flushed twice.
                return vec![0x00];
            }
            let mut deflated = self.deflate(content, FlushCompress::Sync);
            deflated.truncate(deflated.len() - TAIL.len());
            deflated
        }
    }

    fn inflated_in_pieces(inflater: &mut Inflater, pieces: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        let mut content = Vec::new();
        inflater.begin();
        for piece in pieces {
            inflater.feed(piece, &mut |decoded| {
                content.extend_from_slice(decoded);
                ControlFlow::Continue(())
            })?;
        }
        inflater.finish()?;
        Ok(content)
    }

    fn inflated(inflater: &mut Inflater, message: &[u8]) -> Result<Vec<u8>, Failure> {
        inflated_in_pieces(inflater, &[message])
    }

    const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    const HELLO_AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
    const HELLO_FINAL: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];

    /// JSON-like text that compresses and does not repeat itself exactly.
    fn text(seed: usize, len: usize) -> Vec<u8> {
        let words = (0..).map(|i| format!("{{\"id\":{},\"name\":\"n{}\"}},", seed * 31 + i, (seed + i) * 7919 % 1000));
        words.flat_map(String::into_bytes).take(len).collect()
    }

    #[test]
    fn rfc7692_examples() {
        // RFC 7692 §7.2.3.1 to §7.2.3.6.
        let mut inflater = Inflater::new(Keep, true);
        let stored: &[u8] = &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        let two_blocks: &[u8] = &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        for message in [HELLO, HELLO_AGAIN, stored, HELLO_FINAL, two_blocks] {
            assert_eq!(inflated(&mut inflater, message), Ok(b"Hello".to_vec()), "{message:x?}");
        }
        assert_eq!(inflated(&mut inflater, &[0x00]), Ok(vec![]));
        // The fragments of §7.2.3.1.
        assert_eq!(inflated_in_pieces(&mut inflater, &[&HELLO[..3], &HELLO[3..]]), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn context_is_taken_over_only_when_kept() {
        let mut inflater = Inflater::new(Reset, true);
        assert_eq!(inflated(&mut inflater, HELLO), Ok(b"Hello".to_vec()));
        assert_eq!(inflated(&mut inflater, HELLO_AGAIN), Err(Failure::Corrupt));
        // Only that message is unknown.
        assert_eq!(inflated(&mut inflater, HELLO), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn any_window_of_the_sender_inflates() {
        // zlib deflates with 9 to 15 bits; a sender that agreed to 8 uses a smaller one.
        for window_bits in 9..=15 {
            let (mut sender, mut inflater) = (Sender::new(window_bits), Inflater::new(Keep, true));
            for seed in 0..5 {
                let content = text(seed, 40_000);
                assert_eq!(inflated(&mut inflater, &sender.message(&content)), Ok(content), "{window_bits} bits");
            }
        }
    }

    #[test]
    fn empty_payload_with_rsv1_is_an_empty_message() {
        let mut inflater = Inflater::new(Keep, true);
        assert_eq!(inflated(&mut inflater, b""), Ok(vec![]));
        assert_eq!(inflated(&mut inflater, HELLO), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn message_after_a_final_block_may_refer_to_before_it() {
        // RFC 7692 §7.2.3.4 ends the DEFLATE stream; the window goes on all the same, with or without the octet behind.
        for last in [HELLO_FINAL, &HELLO_FINAL[..7]] {
            let mut inflater = Inflater::new(Keep, true);
            for message in [HELLO, last, HELLO_AGAIN, last, last, HELLO_AGAIN] {
                assert_eq!(inflated(&mut inflater, message), Ok(b"Hello".to_vec()));
            }
        }
    }

    #[test]
    fn window_of_any_fill_outlives_a_final_block() {
        for filled in [1, 2, 3, 4, 5, 6, 7, 9, 257, 258, 259, 1000, 32_767, 32_768, 32_769, 100_000] {
            let (mut sender, mut inflater) = (Sender::new(15), Inflater::new(Keep, true));
            let content = text(filled, filled);
            assert_eq!(inflated(&mut inflater, &sender.message(&content)).as_ref(), Ok(&content));
            assert_eq!(inflated(&mut inflater, HELLO_FINAL), Ok(b"Hello".to_vec()));
            // A sender whose new stream has the old window as its dictionary.
            let window = [&content[..], b"Hello"].concat();
            let mut sender = Sender::new(15);
            sender.0.set_dictionary(&window[window.len().saturating_sub(WINDOW)..]).expect("raw DEFLATE takes any");
            let message = sender.message(&content[..filled.min(20_000)]);
            assert_eq!(inflated(&mut inflater, &message), Ok(content[..filled.min(20_000)].to_vec()), "{filled}");
        }
    }

    #[test]
    fn blocks_behind_a_final_block_belong_to_the_message() {
        let mut sender = Sender::new(15);
        let (one, two) = (text(1, 500), text(2, 500));
        let mut message = sender.deflate(&one, FlushCompress::Finish);
        message.extend(Sender::new(15).message(&two));
        for context_takeover in [Keep, Reset] {
            let mut inflater = Inflater::new(context_takeover, true);
            assert_eq!(inflated(&mut inflater, &message), Ok([&one[..], &two].concat()));
        }
    }

    #[test]
    fn after_a_loss_only_messages_that_need_nothing_lost_are_known() {
        let (mut sender, mut inflater) = (Sender::new(15), Inflater::new(Keep, true));
        let content = text(7, 300);
        assert_eq!(inflated(&mut inflater, &sender.message(&content)).as_ref(), Ok(&content));
        sender.message(&text(8, 300));
        inflater.lose();
        // It repeats what is in the window of its sender.
        assert_eq!(inflated(&mut inflater, &sender.message(&content)), Err(Failure::LostContext));
        // A sender that flushes its window refers to nothing before; what follows refers to that.
        sender.0.reset();
        let fresh = text(9, 300);
        assert_eq!(inflated(&mut inflater, &sender.message(&fresh)).as_ref(), Ok(&fresh));
        assert_eq!(inflated(&mut inflater, &sender.message(&fresh)).as_ref(), Ok(&fresh));
    }

    #[test]
    fn context_is_whole_again_when_a_window_of_octets_has_come() {
        let (mut sender, mut inflater) = (Sender::new(15), Inflater::new(Keep, false));
        assert_eq!(inflated(&mut inflater, &sender.message(&text(1, 40_000))).map(|content| content.len()), Ok(40_000));
        assert_eq!(inflated(&mut inflater, b"\xff\xff\xff"), Err(Failure::Corrupt));
        assert_eq!(inflated(&mut inflater, b"\xff\xff\xff"), Err(Failure::LostContext));
    }

    #[test]
    fn message_cut_inside_a_block_is_corrupt() {
        let message = Sender::new(15).message(&text(1, 300));
        let mut wrong = 0;
        for cut in 1..message.len() - 1 {
            let mut inflater = Inflater::new(Keep, true);
            // What does come out is a front of it: nothing is made up.
            match inflated(&mut inflater, &message[..cut]) {
                Ok(content) => assert!(text(1, 300).starts_with(&content)),
                Err(failure) => {
                    assert_eq!(failure, Failure::Corrupt);
                    wrong += 1;
                }
            }
        }
        assert!(wrong > 0);
    }

    #[test]
    fn bomb_stops_when_its_taker_says_so() {
        let bomb = Sender::new(15).message(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2000);
        let (mut inflater, mut taken) = (Inflater::new(Keep, true), 0);
        inflater.begin();
        let stopped = inflater.feed(&bomb, &mut |decoded| {
            taken += decoded.len();
            if taken > 10_000 { Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(stopped, Err(Failure::Stopped));
        assert!(taken <= 10_000 + PIECE);
        // What it would have left in the window is not known.
        assert_eq!(inflated(&mut inflater, HELLO_AGAIN), Err(Failure::LostContext));
        assert_eq!(inflated(&mut inflater, HELLO), Ok(b"Hello".to_vec()));
    }

    proptest! {
        #[test]
        fn what_is_deflated_comes_back_in_any_pieces(
            messages in prop::collection::vec((0usize..50, 0usize..9000, 1usize..300), 1..12),
        ) {
            let (mut sender, mut inflater) = (Sender::new(12), Inflater::new(Keep, true));
            for (seed, len, piece) in messages {
                let content = text(seed, len);
                let message = sender.message(&content);
                let pieces: Vec<_> = message.chunks(piece).collect();
                prop_assert_eq!(inflated_in_pieces(&mut inflater, &pieces), Ok(content));
            }
        }

        #[test]
        fn lost_messages_never_make_others_wrong(
            messages in prop::collection::vec((0usize..6, 0usize..400, any::<bool>(), prop::bool::weighted(0.2)), 1..30),
        ) {
            let (mut sender, mut inflater) = (Sender::new(15), Inflater::new(Keep, true));
            for (seed, len, lost, flushed) in messages {
                if flushed {
                    sender.0.reset();
                }
                let content = text(seed, len);
                let message = sender.message(&content);
                if lost {
                    inflater.lose();
                } else if let Ok(known) = inflated(&mut inflater, &message) {
                    prop_assert_eq!(known, content);
                }
            }
        }

        #[test]
        fn any_octets_end(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
            let mut inflater = Inflater::new(Keep, true);
            for message in messages {
                let _ = inflated(&mut inflater, &message);
            }
        }
    }
}
