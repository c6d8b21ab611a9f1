//! WebSocket whose opening handshake was not captured: what both directions say counts together.

use super::half::Half;
use crate::message::Direction;
use crate::stream::StreamBuffer;
use crate::websocket::{Evidence, Score, Walk};

/// What both directions have to say together before they are believed, in bits. Some ten thousand connections of a capture may
/// begin before it does, each with some hundred segments that are looked at: chance finds 2^-32 · 2^20 of them.
const ENOUGH: u32 = 32;

/// The same for one direction where the other said something else: it may stand within a long message, or be no WebSocket.
const ENOUGH_ALONE: u32 = 48;

/// Beginnings of segments that are looked at in vain before a direction is given up.
const MAX_TRIES: u32 = 256;

/// What both directions look like so far.
#[derive(Debug, Default)]
pub(super) struct Suspicion([Said; 2]);

/// What one direction looks like.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    masked: Option<bool>,
    bits: u32,
    /// Stream offset that has to be reached before it is worth another look.
    needed: u64,
    /// Over the bytes at the front.
    walk: Walk,
    /// Their stream offset.
    front: u64,
    /// Segments that do not begin with a frame.
    others: u32,
}

/// What is to be done with the bytes at the front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Frames, of the client when they are masked.
    WebSocket {
        /// Whether the direction that was looked at is the client's.
        is_client: bool,
    },
    /// More bytes will tell.
    Perhaps,
    /// Not frames, or nobody will know.
    Other,
}

impl Suspicion {
    /// What each direction has still to show once the connection is taken for WebSocket.
    pub(super) fn evidence(&self) -> [Evidence; 2] {
        self.0.map(Said::evidence)
    }

    /// Who is the client was guessed wrong.
    pub(super) fn swap_directions(&mut self) {
        self.0.swap(0, 1);
    }

    /// Whether both directions mask their frames.
    pub(super) fn both_mask(&self) -> bool {
        self.0.iter().all(|said| said.masked == Some(true))
    }

    /// Looks at the front of a direction, which must be the beginning of a segment. At most `limit` octets are waited with.
    pub(super) fn look(&mut self, direction: Direction, halves: &[Half; 2], limit: usize) -> Verdict {
        let half = &halves[direction as usize];
        let peer = self.0[direction.reverse() as usize];
        let said = &mut self.0[direction as usize];
        if said.others >= MAX_TRIES {
            return Verdict::Other;
        }
        let end = half.buffer.start() + half.buffer.len();
        if end >= said.needed {
            match said.walk_on(&half.buffer) {
                Score::Frames { masked, bits, needed } => {
                    *said = Said { masked, bits, needed: half.buffer.start() + needed, ..*said };
                }
                Score::Other => return said.give_up(),
            }
        }
        let enough = if peer.others > 0 && peer.bits == 0 { ENOUGH_ALONE } else { ENOUGH };
        match said.masked {
            Some(false) if peer.masked == Some(false) => said.give_up(),
            Some(masked) if said.bits + peer.bits >= enough => {
                // There are servers that mask their frames too.
                let is_client = if peer.masked == Some(true) { direction == Direction::ClientToServer } else { masked };
                Verdict::WebSocket { is_client }
            }
            _ if half.buffer.len() > limit as u64 || halves.iter().all(|half| half.ended) => said.give_up(),
            _ => Verdict::Perhaps,
        }
    }
}

impl Said {
    /// Where its bytes look like frames so far, they are ones: the connection is WebSocket.
    fn evidence(self) -> Evidence {
        if self.bits > 0 { Evidence::Likely } else { Evidence::Convincing }
    }

    fn walk_on(&mut self, buffer: &StreamBuffer) -> Score {
        if self.front != buffer.start() {
            (self.front, self.walk) = (buffer.start(), Walk::default());
        }
        self.walk.score(buffer)
    }

    fn give_up(&mut self) -> Verdict {
        *self = Self { others: self.others + 1, ..Self::default() };
        Verdict::Other
    }
}
