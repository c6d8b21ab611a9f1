//! How much bytes speak for WebSocket where no opening handshake was captured: frames that follow each other as RFC 6455 §5.4
//! has it, end where segments do, and hold what their opcodes say.

use std::ops::ControlFlow::Continue;

use super::deflate::Inflater;
use super::extension::{ContextTakeover, Rsv1};
use super::frame::Header;
use super::recognise::{HEADER_BITS, Shape, end_bits};
use super::{close, mask};
use crate::message::{Direction, Opcode};
use crate::stream::{PassedRuns, StreamBuffer};

/// What the bytes at the beginning of a run look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Score {
    /// Frames, as far as they go.
    Frames {
        /// Whether they are masked, as a client's are; `None` as long as that cannot be seen.
        masked: Option<bool>,
        /// What chance has to have been lucky at.
        bits: u32,
        /// Unread bytes that have to be there before it is worth another look.
        needed: u64,
    },
    /// Something else.
    Other,
}

/// Beyond this nothing more is asked for, in bits.
const CERTAIN: u32 = 64;

/// Octets of a text that are looked at.
const TEXT_SAMPLE: usize = 64;

/// Compressed messages that are longer are not inflated only to find out whether they can be.
const MAX_INFLATED: usize = 4096;

/// A walk from frame to frame over the front of a buffer. The next one begins where this one came to the last whole frame's end,
/// so that small frames without end are each looked at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Walk {
    /// Whole ones.
    frames: Frames,
    /// Unread bytes of them.
    walked: u64,
    /// Whether the last of them ended with a run: behind a loss then, the next one may begin.
    ends_run: bool,
    runs: PassedRuns,
}

impl Walk {
    /// Scores the front of a buffer, which must be the beginning of a run; the same front as before, with more behind it.
    pub(crate) fn score(&mut self, buffer: &StreamBuffer) -> Score {
        let mut offset = self.next_offset(buffer);
        while offset < buffer.len() && self.frames.bits < CERTAIN {
            let mut frames = self.frames;
            let Some(input) = buffer.peek_at(offset) else { return frames.score(buffer.len() + 1) };
            let Some(header) = Header::parse(input) else {
                let is_cut = offset + (input.len() as u64) < buffer.len();
                return if is_cut { Score::Other } else { frames.score(buffer.len() + 1) };
            };
            if !frames.go_on_with(&header) {
                return Score::Other;
            }
            let end = offset + header.frame_len();
            let payload = input.get(usize::from(header.len)..).unwrap_or_default();
            let Some(content_bits) = content_bits(&header, payload) else { return Score::Other };
            frames.bits += content_bits;
            if end > buffer.len() {
                return frames.score(end);
            }
            let runs = buffer.runs_between_from(&mut self.runs, offset, end);
            frames.bits += runs.map_or(0, |runs| end_bits(&header, runs));
            (self.frames, self.walked, self.ends_run) = (frames, end, runs.is_some());
            offset = self.next_offset(buffer);
        }
        self.frames.score(offset + 1)
    }

    fn next_offset(&self, buffer: &StreamBuffer) -> u64 {
        Some(self.walked).filter(|_| self.ends_run).and_then(|end| buffer.behind_loss(end)).unwrap_or(self.walked)
    }
}

/// The frames so far.
#[derive(Clone, Copy, Debug, Default)]
struct Frames {
    masked: Option<bool>,
    bits: u32,
    /// Whether the last data frame waits for a continuation; `None` before the first.
    is_open: Option<bool>,
}

impl Frames {
    fn score(self, needed: u64) -> Score {
        Score::Frames { masked: self.masked, bits: self.bits, needed }
    }

    /// Takes the next frame, if it can be one behind those before it.
    fn go_on_with(&mut self, header: &Header) -> bool {
        let masked = *self.masked.get_or_insert(header.masking_key.is_some());
        let is_continuation = header.opcode == Opcode::Continuation;
        let follows = header.opcode.is_control() || self.is_open.is_none_or(|is_open| is_open == is_continuation);
        // Runs of zeros, which many protocols have, would be empty fragments.
        let is_nothing = is_continuation && header.payload_len == 0 && !header.fin;
        if !(Shape { masked, rsv1: Rsv1::FirstFrame }).fits(header) || !follows || is_nothing {
            return false;
        }
        if !header.opcode.is_control() {
            self.is_open = Some(!header.fin);
        }
        self.bits += if is_continuation { 0 } else { HEADER_BITS };
        true
    }
}

/// What the octets of a payload say that are there; `None` when it cannot be one.
fn content_bits(header: &Header, payload: &[u8]) -> Option<u32> {
    let there = payload.get(..usize::try_from(header.payload_len).unwrap_or(usize::MAX));
    match (header.opcode, header.rsv1()) {
        (Opcode::Text, false) => text_bits(header, payload),
        (Opcode::Text | Opcode::Binary, true) if header.fin => Some(there.map_or(0, |payload| deflate_bits(header, payload))),
        (Opcode::Close, _) => match there {
            Some(payload) => {
                let sender = if header.masking_key.is_some() { Direction::ClientToServer } else { Direction::ServerToClient };
                close::parse(&unmasked(header, payload), sender).1.is_empty().then_some(0)
            }
            None => Some(0),
        },
        _ => Some(0),
    }
}

/// Octets of UTF-8: a bit each, as in every text; more where a masking key had to bring it forth.
fn text_bits(header: &Header, payload: &[u8]) -> Option<u32> {
    let len = usize::try_from(header.payload_len).unwrap_or(usize::MAX).min(payload.len());
    let sample = unmasked(header, &payload[..len.min(TEXT_SAMPLE)]);
    let is_whole = header.fin && sample.len() as u64 == header.payload_len;
    let valid = match str::from_utf8(&sample) {
        Ok(_) => sample.len(),
        Err(error) if error.error_len().is_none() && !is_whole => error.valid_up_to(),
        Err(_) => return None,
    };
    let most = if header.masking_key.is_some() { 16 } else { 8 };
    Some(valid.min(most) as u32)
}

/// A message that inflates without what went before it.
fn deflate_bits(header: &Header, payload: &[u8]) -> u32 {
    if payload.is_empty() || payload.len() > MAX_INFLATED {
        return 0;
    }
    let mut inflater = Inflater::new(ContextTakeover::Keep, false);
    inflater.begin();
    let inflates = inflater.feed(&unmasked(header, payload), &mut |_| Continue(())).and_then(|()| inflater.finish());
    inflates.map_or(0, |()| payload.len().min(16) as u32)
}

fn unmasked(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    if let Some(key) = header.masking_key {
        mask::unmask(&mut payload, key, 0);
    }
    payload
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::{Frame, LayerBytes, Provenance};

    fn scored(runs: &[&[u8]]) -> Score {
        let mut buffer = StreamBuffer::new();
        for run in runs {
            buffer.push(run, Provenance::of_frame(Frame::default(), LayerBytes::default()));
        }
        Walk::default().score(&buffer)
    }

    /// Bits of frames, none of which is contradicted.
    fn bits(runs: &[&[u8]]) -> u32 {
        match scored(runs) {
            Score::Frames { bits, .. } => bits,
            Score::Other => panic!("frames are expected in {runs:x?}"),
        }
    }

    #[test]
    fn frames_add_up() {
        // 5 for the header, 2 for 7 octets that end with the run, 5 for five letters.
        assert_eq!(scored(&[b"\x81\x05Hello"]), Score::Frames { masked: Some(false), bits: 12, needed: 8 });
        assert_eq!(scored(&[b"\x81\x05Hello\x81\x05Hello"]), Score::Frames { masked: Some(false), bits: 22, needed: 15 });
        assert_eq!(scored(&[b"\x81\x05Hello", b"\x81\x05Hello"]), Score::Frames { masked: Some(false), bits: 24, needed: 15 });
    }

    #[test]
    fn masked_text_that_its_key_makes_legible_says_more() {
        // RFC 6455 §5.7: "Hello", masked.
        let hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(scored(&[hello]), Score::Frames { masked: Some(true), bits: 13, needed: 12 });
        let wrong_key = b"\x81\x85\x37\xfa\x21\xff\x7f\x9f\x4d\x51\x58";
        assert_eq!(scored(&[wrong_key]), Score::Other);
    }

    #[test]
    fn cut_headers_and_payloads_wait_for_more() {
        assert_eq!(scored(&[b"\x81"]), Score::Frames { masked: None, bits: 0, needed: 2 });
        assert_eq!(scored(&[b"\x81\x05He"]), Score::Frames { masked: Some(false), bits: 7, needed: 7 });
        assert_eq!(scored(&[b"\x82\x7e\x10\x00\x01"]), Score::Frames { masked: Some(false), bits: 5, needed: 4100 });
    }

    #[test]
    fn what_does_not_follow_is_something_else() {
        // A message within another, a continuation behind a whole one, another mask bit, text that is none, a wrong Close.
        for other in [
            &b"\x01\x01a\x81\x01b"[..],
            b"\x81\x01a\x80\x01b",
            b"\x81\x01a\x81\x81abcd\x00",
            b"\x81\x02\xff\xff",
            b"\x88\x02\x00\x01",
            b"\x83\x00",
            b"\x17\x03\x03\x00\x50",
        ] {
            assert_eq!(scored(&[other]), Score::Other, "{other:x?}");
        }
        assert_eq!(bits(&[b"\x01\x01a\x89\x00\x80\x01b"]), 5 + 1 + 5 + 1);
    }

    #[test]
    fn zeros_are_not_fragments() {
        assert_eq!(scored(&[&[0; 64]]), Score::Other);
    }

    #[test]
    fn message_that_inflates_is_likely_compressed() {
        // RFC 7692 §7.2.3.1: "Hello".
        let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
        assert_eq!(bits(&[hello]), 5 + 3 + 7);
        // RFC 7692 §7.2.3.2: the same again, which leans on the first.
        assert_eq!(bits(&[b"\xc1\x05\xf2\x00\x11\x00\x00"]), 5 + 2);
    }

    #[test]
    fn frame_that_was_walked_over_is_not_looked_at_again() {
        let mut walk = Walk::default();
        let fragment = b"\x00\x02ab";
        let mut buffer = StreamBuffer::new();
        buffer.push(&fragment.repeat(1000)[..3999], Provenance::default());
        assert_eq!(walk.score(&buffer), Score::Frames { masked: Some(false), bits: 0, needed: 4000 });
        assert_eq!(walk.walked, 3996);
        // In the place of those frames stands something else now.
        let mut other = StreamBuffer::new();
        other.push(&[&[0xff; 3996][..], fragment, fragment].concat(), Provenance::default());
        // 2 for 4 octets that end with the run.
        assert_eq!(walk.score(&other), Score::Frames { masked: Some(false), bits: 2, needed: 4005 });
    }

    #[test]
    fn frame_behind_a_loss_that_came_later_is_walked_to() {
        let (mut walk, mut buffer) = (Walk::default(), StreamBuffer::new());
        buffer.push(b"\x81\x05Hello", Provenance::default());
        walk.score(&buffer);
        buffer.push_missing(100, Provenance::default());
        buffer.push(b"\x81\x05Hello", Provenance::default());
        assert_eq!(walk.score(&buffer), Score::Frames { masked: Some(false), bits: 24, needed: 115 });
    }

    /// Frames, beginnings of frames, and what is neither; cut or lost in places.
    fn any_run() -> impl Strategy<Value = (Vec<u8>, u32)> {
        let frame = prop_oneof![
            Just(b"\x81\x05Hello".to_vec()),
            Just(b"\x01\x02He".to_vec()),
            Just(b"\x00\x02lo".to_vec()),
            Just(b"\x80\x01o".to_vec()),
            Just(b"\x89\x00".to_vec()),
            Just(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec()),
            Just(b"\x82\x09abc".to_vec()),
            Just(b"\x82".to_vec()),
            Just(b"\x00".to_vec()),
        ];
        (prop::collection::vec(frame, 0..4).prop_map(|frames| frames.concat()), prop_oneof![4 => Just(0), 1 => 1u32..9])
    }

    proptest! {
        #[test]
        fn walk_in_steps_says_what_a_walk_at_once_does(runs in prop::collection::vec((any_run(), any::<bool>()), 1..12)) {
            let (mut walk, mut buffer) = (Walk::default(), StreamBuffer::new());
            for ((bytes, missing), is_lost) in runs {
                buffer.push(&bytes, Provenance::default());
                let first = Frame { number: 1, ..Frame::default() };
                let cut = Provenance::of_frame(first, LayerBytes { payload: missing.into(), ..LayerBytes::default() });
                buffer.push_missing(missing, if is_lost { Provenance::default() } else { cut });
                let at_once = Walk::default().score(&buffer);
                prop_assert_eq!(walk.score(&buffer), at_once);
                if at_once == Score::Other {
                    break;
                }
            }
        }
    }

    #[test]
    fn bytes_in_no_order_hardly_score() {
        // A fixed sequence that looks random: x ← 6364136223846793005·x + 1442695040888963407.
        let mut x = 1u64;
        let octets: Vec<u8> = std::iter::repeat_with(|| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 56) as u8
        })
        .take(1 << 20)
        .collect();
        let most = octets.chunks(1024).map(|run| if let Score::Frames { bits, .. } = scored(&[run]) { bits } else { 0 }).max();
        assert!(most < Some(24), "{most:?}");
    }
}
