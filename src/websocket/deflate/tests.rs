use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::ContextTakeover::{Keep, Reset};
use super::ControlFlow::Break;
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

/// Rests behind every other message.
fn inflated(inflater: &mut Inflater, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let content = inflated_in_pieces(inflater, &[message]);
    if message.len().is_multiple_of(2) {
        inflater.rest();
    }
    content
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
    for cut in 1..message.len() - 1 {
        let mut inflater = Inflater::new(Keep, true);
        assert_eq!(inflated(&mut inflater, &message[..cut]), Err(Failure::Corrupt), "{cut} octets");
        assert_eq!(inflated(&mut inflater, HELLO), Ok(b"Hello".to_vec()));
    }
    // Zeros, as those of the tail, may be the end of a block.
    for cut in 1..HELLO.len() - 1 {
        assert_eq!(inflated(&mut Inflater::new(Keep, true), &HELLO[..cut]), Err(Failure::Corrupt), "{cut} octets");
    }
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

#[test]
fn a_sender_may_have_dropped_nothing() {
    for context_takeover in [Keep, Reset] {
        let (mut sender, mut inflater) = (Sender::new(15), Inflater::new(context_takeover, true));
        for seed in 0..5 {
            if context_takeover == Reset {
                sender.0.reset();
            }
            let content = text(seed / 2, 300);
            let message = [&sender.message(&content)[..], &TAIL].concat();
            assert_eq!(inflated_in_pieces(&mut inflater, &[&message[..message.len() - 2], b"\xff", b"\xff"]), Ok(content));
        }
    }
}

#[test]
fn machines_are_used_again_whatever_they_did_before() {
    let contents: Vec<_> = (0..40).map(|seed| text(seed, 100 + 5000 * (seed % 7))).collect();
    let mut pairs: Vec<_> = (0..5).map(|_| (Sender::new(15), Inflater::new(Keep, true))).collect();
    for (at, content) in contents.iter().enumerate() {
        let direction = at * 7 % 5;
        let (sender, inflater) = &mut pairs[direction];
        assert_eq!(inflated_in_pieces(inflater, &[&sender.message(content)]).as_ref(), Ok(content));
        inflater.rest();
        // Those that are left in the middle of a message, or failed.
        let mut others = [Inflater::new(Reset, true), Inflater::new(Keep, true), Inflater::new(Keep, false)];
        for other in &mut others {
            other.begin();
            let _ = other.feed(&HELLO_AGAIN[..1 + at % 4], &mut |_| ControlFlow::Continue(()));
        }
        others.iter_mut().for_each(Inflater::rest);
        assert_eq!(SPARE.with_borrow(Vec::len), SPARE_MACHINES);
    }
}

proptest! {
    #[test]
    fn resting_changes_nothing(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>(), 0usize..400, any::<bool>()), 0..12),
    ) {
        let (mut sender, mut resting, mut other) = (Sender::new(15), Inflater::new(Keep, true), Inflater::new(Keep, true));
        for (octets, is_good, len, rests) in messages {
            let message = if is_good { sender.message(&text(len, len)) } else { octets };
            prop_assert_eq!(inflated_in_pieces(&mut resting, &[&message]), inflated_in_pieces(&mut other, &[&message]));
            if rests {
                resting.rest();
            }
        }
    }

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
