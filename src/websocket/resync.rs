//! Finding a frame boundary again after bytes were lost.

use super::frame::{self, RSV1};
use crate::message::Opcode;

/// What a direction's frames look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// Whether its frames are masked.
    pub(super) masked: bool,
    /// Whether RSV1 may be set.
    pub(super) compressed: bool,
}

/// So many well-formed frames in a row are no accident: each has at most one chance in 30.
const ENOUGH_FRAMES: u32 = 4;

/// Whether a segment's bytes begin with a frame: they are frames end to end, or so many that it is no accident.
///
/// Only asked at the beginning of a segment: most senders begin a message there.
pub(super) fn begins_with_frame(mut bytes: &[u8], habit: Habit) -> bool {
    let mut frames = 0;
    while frames < ENOUGH_FRAMES {
        let Some(len) = plausible_frame(bytes, habit) else { return false };
        frames += 1;
        match usize::try_from(len).ok().and_then(|len| bytes.get(len..)) {
            Some([]) => return true,
            Some(rest) => bytes = rest,
            None => return false,
        }
    }
    true
}

/// Octets of a frame that could stand here, header included.
fn plausible_frame(bytes: &[u8], habit: Habit) -> Option<u64> {
    let header = frame::parse(bytes)?;
    let defined = !matches!(header.opcode, Opcode::Reserved(_));
    let reserved = header.rsv == 0 || (header.rsv == RSV1 && habit.compressed && !header.opcode.is_control());
    let control = !header.opcode.is_control() || (header.fin && header.payload_len <= 125);
    let masked = header.masking_key.is_some() == habit.masked;
    (defined && reserved && control && masked && header.is_minimal).then(|| u64::from(header.len).saturating_add(header.payload_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Habit = Habit { masked: false, compressed: false };

    #[test]
    fn frames_end_to_end_are_recognised() {
        assert!(begins_with_frame(b"\x81\x05hello", SERVER));
        assert!(begins_with_frame(b"\x81\x05hello\x8a\x00\x82\x01x", SERVER));
    }

    #[test]
    fn text_noise_and_frames_of_the_other_direction_are_not() {
        let cases: [&[u8]; 5] = [b"hello world", b"\x81\x05hell", b"\x81\x85\0\0\0\0hello", b"\xc1\x05hello", b"\x83\x01x"];
        for bytes in cases {
            assert!(!begins_with_frame(bytes, SERVER), "{bytes:?}");
        }
    }
}
