//! Whether bytes at a run's beginning look like WebSocket frames: to take a direction up after a loss, or in the middle.

use super::extension::Rsv1;
use super::frame::{Header, RSV1};
use crate::message::{Direction, Opcode};
use crate::stream::StreamBuffer;

/// What bytes have to show before they are taken for frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// They may stand anywhere in a message: a long one whose header was lost offers a beginning with each of its segments.
    Convincing,
    /// By all that is known, a frame begins with them.
    Likely,
    /// Somebody who knows says that frames begin with them.
    Told,
}

impl Evidence {
    /// What chance has to have been lucky at, in bits.
    fn bits(self) -> u32 {
        match self {
            Self::Convincing => 20,
            Self::Likely => 7,
            Self::Told => HEADER_BITS,
        }
    }
}

/// A header that is well-formed and masked as it should be: 15 of 256 first octets are, and the mask bit.
pub(super) const HEADER_BITS: u32 = 5;

/// A 16-bit length begins with one of 128 values.
const MEDIUM_LENGTH_BITS: u32 = 7;

/// What the unread bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Frames begin here.
    Frames,
    /// Something else.
    Other,
    /// Well-formed so far; the bytes that follow will tell.
    Undecided {
        /// Unread bytes that have to be there before it is worth another look: never more than a few frames of 64 KiB.
        needed: u64,
    },
}

/// Whether frames stand at the front of a buffer right behind an opening handshake; nothing is known of extensions.
/// `is_all` says that no more bytes will come.
pub(crate) fn speaks_websocket(buffer: &StreamBuffer, direction: Direction, is_all: bool) -> Option<bool> {
    let shape = Shape { masked: direction == Direction::ClientToServer, rsv1: Rsv1::FirstFrame };
    match judge(buffer, shape, Evidence::Likely, is_all) {
        Verdict::Frames => Some(true),
        Verdict::Other => Some(false),
        Verdict::Undecided { .. } => None,
    }
}

/// What a direction's headers look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) masked: bool,
    pub(super) rsv1: Rsv1,
}

/// Judges the front of a buffer, which must be the beginning of a run: senders mostly begin a segment or record with a frame.
///
/// Well-formed headers one behind the other convince, sooner where frames end exactly with a run, and at once where a 64-bit
/// length is small. `is_all` says that no more bytes will come.
pub(super) fn judge(buffer: &StreamBuffer, shape: Shape, evidence: Evidence, is_all: bool) -> Verdict {
    let short = |needed| if is_all { Verdict::Other } else { Verdict::Undecided { needed } };
    let (mut offset, mut bits) = (0, 0);
    while bits < evidence.bits() {
        if offset == buffer.len() && offset > 0 && is_all && bits >= Evidence::Likely.bits() {
            return Verdict::Frames;
        }
        if offset >= buffer.len() {
            return short(offset + 1);
        }
        let Some(input) = buffer.peek_at(offset) else { return Verdict::Other };
        let Some(header) = Header::parse(input) else {
            let is_short = offset + input.len() as u64 == buffer.len();
            return if is_short { short(buffer.len() + 1) } else { Verdict::Other };
        };
        if !shape.fits(&header) {
            return Verdict::Other;
        }
        if header.payload_len > 0xffff {
            // 32 zero bits and more in a row at the right place.
            return Verdict::Frames;
        }
        let (begin, end) = (offset, offset + header.frame_len());
        bits += HEADER_BITS;
        offset = end;
        if let Some(runs) = buffer.runs_between(begin, end) {
            bits += end_bits(&header, runs);
            // Where one ended with a segment, the next may begin with the first one behind a loss.
            offset = buffer.behind_loss(end).unwrap_or(end);
        }
    }
    Verdict::Frames
}

/// A frame that ends where one of so many runs does: the shorter those are, the less does it say.
pub(super) fn end_bits(header: &Header, runs: usize) -> u32 {
    let bits = (header.frame_len() / (runs as u64).max(1)).checked_ilog2().unwrap_or(0);
    if header.payload_len > 125 { bits + MEDIUM_LENGTH_BITS } else { bits }
}

impl Shape {
    /// Whether a header may be one of this direction.
    pub(super) fn fits(self, header: &Header) -> bool {
        let rsv = header.rsv == 0 || header.rsv == RSV1 && self.rsv1.is_defined_for(header.opcode);
        let is_known = match header.opcode {
            Opcode::Continuation | Opcode::Text | Opcode::Binary => true,
            Opcode::Close => header.fin && header.payload_len <= 125 && header.payload_len != 1,
            Opcode::Ping | Opcode::Pong => header.fin && header.payload_len <= 125,
            Opcode::Reserved(_) => false,
        };
        header.masking_key.is_some() == self.masked && rsv && is_known && !header.non_minimal && header.payload_len >> 32 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Frame, LayerBytes, Provenance};

    const SERVER: Shape = Shape { masked: false, rsv1: Rsv1::Undefined };

    fn judged(direction: Direction, runs: &[&[u8]]) -> Verdict {
        let mut buffer = StreamBuffer::new();
        for run in runs {
            buffer.push(run, Provenance::of_frame(Frame::default(), LayerBytes::default()));
        }
        judge(&buffer, Shape { masked: direction == Direction::ClientToServer, ..SERVER }, Evidence::Convincing, false)
    }

    /// A text frame of a server.
    fn text(len: usize) -> Vec<u8> {
        let len_octets = if len < 126 { vec![len as u8] } else { [&[126][..], &(len as u16).to_be_bytes()].concat() };
        [&[0x81][..], &len_octets, &b"x".repeat(len)].concat()
    }

    #[test]
    fn frame_of_medium_length_that_ends_with_its_run_is_convincing() {
        assert_eq!(judged(Direction::ServerToClient, &[&text(700)]), Verdict::Frames);
        assert_eq!(judged(Direction::ServerToClient, &[&text(700)[..600], &text(700)[600..], b"\x81"]), Verdict::Frames);
    }

    #[test]
    fn short_frames_convince_together() {
        let frame = text(80);
        assert_eq!(judged(Direction::ServerToClient, &[&frame]), Verdict::Undecided { needed: 83 });
        assert_eq!(judged(Direction::ServerToClient, &[&frame, &frame]), Verdict::Frames);
        assert_eq!(judged(Direction::ServerToClient, &[&frame, b"{\"a\":1}"]), Verdict::Other);
    }

    #[test]
    fn run_ends_everywhere_say_nothing() {
        let frame = text(80);
        let octets: Vec<&[u8]> = frame.chunks(1).collect();
        assert_eq!(judged(Direction::ServerToClient, &octets.repeat(2)), Verdict::Undecided { needed: 165 });
        assert_eq!(judged(Direction::ServerToClient, &octets.repeat(4)), Verdict::Frames);
    }

    #[test]
    fn short_frame_at_the_end_is_likely() {
        let mut buffer = StreamBuffer::new();
        buffer.push(b"\x81\x0aHelloHello", Provenance::default());
        assert_eq!(judge(&buffer, SERVER, Evidence::Convincing, true), Verdict::Frames);
        buffer.push(b"\x81", Provenance::default());
        assert_eq!(judge(&buffer, SERVER, Evidence::Convincing, true), Verdict::Other);
    }

    #[test]
    fn mask_bit_must_fit_the_direction() {
        assert_eq!(judged(Direction::ClientToServer, &[b"\x81\x05Hello"]), Verdict::Other);
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81\x85abcdHello"]), Verdict::Other);
    }

    #[test]
    fn unfinished_frame_is_undecided() {
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81\x05Hel"]), Verdict::Undecided { needed: 8 });
        assert_eq!(judged(Direction::ServerToClient, &[b"\x81"]), Verdict::Undecided { needed: 2 });
    }

    #[test]
    fn frames_are_followed_over_what_the_snap_length_cut() {
        let cut = Provenance::of_frame(Frame { number: 1, ..Frame::default() }, LayerBytes::default());
        let mut buffer = StreamBuffer::new();
        for _ in 0..2 {
            buffer.push(b"\x81\x50He", cut);
            buffer.push_missing(78, cut);
        }
        assert_eq!(judge(&buffer, SERVER, Evidence::Convincing, false), Verdict::Frames);
    }

    #[test]
    fn frames_are_not_followed_over_a_gap_of_unknown_length() {
        let mut buffer = StreamBuffer::new();
        buffer.push(b"\x81\x50He", Provenance::default());
        buffer.push_break();
        buffer.push(&text(700), Provenance::default());
        assert_eq!(judge(&buffer, SERVER, Evidence::Convincing, false), Verdict::Other);
    }

    #[test]
    fn text_is_not_frames() {
        for text in [&b"{\"a\":1}"[..], b"GET / HTTP/1.1\r\n\r\n", b"\xc3\xa4\xc3\xb6\xc3\xbc", b"\x16\x03\x01\x00\x05"] {
            assert_eq!(judged(Direction::ServerToClient, &[text]), Verdict::Other);
        }
    }

    #[test]
    fn continuation_that_says_it_is_compressed_is_none_where_the_first_frame_speaks_for_all() {
        let fits = |rsv1, octets: &[u8]| Header::parse(octets).is_some_and(|header| Shape { rsv1, ..SERVER }.fits(&header));
        let [first, continuation] = [&b"\xc1\x00"[..], b"\xc0\x00"];
        let all = [Rsv1::Undefined, Rsv1::FirstFrame, Rsv1::AnyFrame];
        assert_eq!(all.map(|rsv1| (fits(rsv1, first), fits(rsv1, continuation))), [(false, false), (true, false), (true, true)]);
    }

    #[test]
    fn long_frame_is_believed_by_its_length_alone() {
        assert_eq!(judged(Direction::ServerToClient, &[b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00abc"]), Verdict::Frames);
    }
}
