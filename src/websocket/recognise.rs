//! Whether bytes at a run's beginning look like WebSocket frames: to take a direction up after a loss, or in the middle.

use super::extension::Rsv1;
use super::frame::{Header, RSV1};
use crate::message::{Direction, Opcode};
use crate::stream::StreamBuffer;

/// So many well-formed frames in a row are believed even when they end nowhere in particular. Chance alone passes one
/// header in about fifty, so three pass once in 10⁵.
const CONVINCING_FRAMES: u32 = 3;

/// What the unread bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Frames begin here.
    Frames,
    /// Something else.
    Other,
    /// Well-formed so far; the bytes that follow will tell. Never asks for more than a few frames of 64 KiB.
    Undecided,
}

/// Whether frames of an established connection stand at the front of a buffer; nothing is known of extensions.
pub(crate) fn speaks_websocket(buffer: &StreamBuffer, direction: Direction) -> Option<bool> {
    match judge(buffer, direction == Direction::ClientToServer, Rsv1::FirstFrame) {
        Verdict::Frames => Some(true),
        Verdict::Other => Some(false),
        Verdict::Undecided => None,
    }
}

/// Judges the front of a buffer, which must be the beginning of a run: senders mostly begin a segment or record with a frame.
///
/// Frames that end exactly where a run ends (also where the snap length cut it), or several in a row, or a 64-bit length that is small enough are convincing.
pub(crate) fn judge(buffer: &StreamBuffer, masked: bool, rsv1: Rsv1) -> Verdict {
    let captured = buffer.peek();
    let more_may_come = captured.len() as u64 == buffer.len();
    let mut offset = 0;
    for frames in 0.. {
        if frames == CONVINCING_FRAMES {
            return Verdict::Frames;
        }
        if offset > 0 && (offset == buffer.len() || buffer.ends_run_at(offset)) {
            return Verdict::Frames;
        }
        let Some(input) = usize::try_from(offset).ok().and_then(|offset| captured.get(offset..)) else { break };
        let Some(header) = Header::parse(input) else { break };
        if !is_plausible(&header, masked, rsv1) {
            return Verdict::Other;
        }
        if header.payload_len > 0xffff {
            // 32 zero bits and more in a row at the right place.
            return Verdict::Frames;
        }
        offset += header.frame_len();
    }
    if more_may_come || offset > buffer.len() { Verdict::Undecided } else { Verdict::Other }
}

fn is_plausible(header: &Header, masked: bool, rsv1: Rsv1) -> bool {
    let rsv = header.rsv == 0 || header.rsv == RSV1 && rsv1 != Rsv1::Undefined && !header.opcode.is_control();
    let shape = match header.opcode {
        Opcode::Continuation | Opcode::Text | Opcode::Binary => true,
        Opcode::Close => header.fin && header.payload_len <= 125 && header.payload_len != 1,
        Opcode::Ping | Opcode::Pong => header.fin && header.payload_len <= 125,
        Opcode::Reserved(_) => false,
    };
    header.masking_key.is_some() == masked && rsv && shape && !header.non_minimal && header.payload_len >> 32 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Frame, LayerBytes, Provenance};

    fn judged(direction: Direction, runs: &[&[u8]]) -> Verdict {
        let mut buffer = StreamBuffer::new();
        for run in runs {
            buffer.push(run, Provenance::of_frame(Frame::default(), LayerBytes::default()));
        }
        judge(&buffer, direction == Direction::ClientToServer, Rsv1::Undefined)
    }

    #[test]
    fn frame_that_ends_with_its_run_is_convincing() {
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81\x05Hello"]), Verdict::Frames);
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81\x05Hello", b"\x81"]), Verdict::Frames);
    }

    #[test]
    fn mask_bit_must_fit_the_direction() {
        assert_eq!(judged(Direction::ClientToServer, &[b"\x81\x05Hello"]), Verdict::Other);
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81\x85abcdHello"]), Verdict::Other);
    }

    #[test]
    fn unfinished_frame_is_undecided() {
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81\x05Hel"]), Verdict::Undecided);
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81"]), Verdict::Undecided);
    }

    #[test]
    fn frame_over_two_runs_is_convincing() {
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81", b"\x05Hello", b"\xff\xff"]), Verdict::Frames);
    }

    #[test]
    fn frame_that_the_snap_length_cut_is_convincing() {
        let mut buffer = StreamBuffer::new();
        buffer.push(b"\x81\x05He", Provenance::of_frame(Frame { number: 1, ..Frame::default() }, LayerBytes::default()));
        buffer.push_missing(3, Provenance::of_frame(Frame { number: 1, ..Frame::default() }, LayerBytes::default()));
        buffer.push(b"more", Provenance::of_frame(Frame { number: 2, ..Frame::default() }, LayerBytes::default()));
        assert_eq!(judge(&buffer, false, Rsv1::Undefined), Verdict::Frames);
    }

    #[test]
    fn text_is_not_frames() {
        for text in [&b"{\"a\":1}"[..], b"GET / HTTP/1.1\r\n\r\n", b"\xc3\xa4\xc3\xb6\xc3\xbc", b"\x16\x03\x01\x00\x05"] {
            assert_eq!(judged(Direction::ServerToClient, &[text]), Verdict::Other);
        }
    }

    #[test]
    fn long_frame_is_believed_by_its_length_alone() {
        assert_eq!(judged(Direction::ServerToClient, &[b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00abc"]), Verdict::Frames);
    }
}
