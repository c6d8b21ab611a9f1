//! Compressed messages whose decoding waits until there are several of their direction: a decoder's window is 32 KiB, and with
//! hundreds of directions each message alone would find its own in no near cache.

use crate::message::{Content, Opcode};
use crate::stream::Place;

/// Longer messages do not wait: for them, fetching the window costs little.
const LONGEST: usize = 4 << 10;

/// Room that is made for octets at a time. Hundreds of batches are there at once: to double what each has would waste a quarter of it.
const STEP: usize = 4 << 10;

/// A larger buffer is not kept once it is empty.
const KEPT: usize = 64 << 10;

/// Which row waits for a content.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ticket {
    /// Its number, from 0, among all rows.
    pub(crate) row: u64,
    /// Where its frame begins.
    pub(crate) start: Place,
}

/// Messages of one direction that wait.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Encoded octets of those that wait and of the one that comes in, one behind the other.
    octets: Vec<u8>,
    waiting: Vec<Waiting>,
    /// The message that comes in: its opcode, and where its octets begin.
    incoming: Option<(Opcode, usize)>,
    done: Vec<(Ticket, Content)>,
    /// Memory for the octets of the batch that stands in for this one.
    spare: Vec<u8>,
}

#[derive(Debug)]
struct Waiting {
    len: usize,
    opcode: Opcode,
    ticket: Ticket,
}

impl Batch {
    pub(super) fn begin(&mut self, opcode: Opcode) {
        self.incoming = Some((opcode, self.octets.len()));
    }

    pub(super) fn has_incoming(&self) -> bool {
        self.incoming.is_some()
    }

    /// Takes octets of the message that comes in; `false` where it gets too long to wait.
    pub(super) fn take(&mut self, encoded: &[u8]) -> bool {
        let begun = self.incoming.map_or(0, |(_, from)| self.octets.len() - from);
        let fits = begun + encoded.len() <= LONGEST;
        if fits {
            if self.octets.capacity() - self.octets.len() < encoded.len() {
                self.octets.reserve_exact(encoded.len() + STEP.max(self.octets.len() / 8));
            }
            self.octets.extend_from_slice(encoded);
        }
        fits
    }

    /// The message that comes in is whole, and waits.
    pub(super) fn end(&mut self) {
        if let Some((opcode, from)) = self.incoming.take() {
            self.waiting.push(Waiting { len: self.octets.len() - from, opcode, ticket: Ticket::default() });
        }
    }

    /// The message that comes in does not wait after all: its opcode and what came of it.
    pub(super) fn give_back(&mut self) -> Option<(Opcode, Vec<u8>)> {
        let (opcode, from) = self.incoming.take()?;
        Some((opcode, self.octets.split_off(from)))
    }

    /// What comes in goes into a batch of its own, and what was decoded too; what waits stays.
    pub(super) fn split_incoming(&mut self) -> Self {
        let mut octets = std::mem::take(&mut self.spare);
        octets.clear();
        let incoming = self.incoming.take().map(|(opcode, from)| {
            octets.extend_from_slice(&self.octets[from..]);
            self.octets.truncate(from);
            (opcode, 0)
        });
        Self { octets, incoming, done: std::mem::take(&mut self.done), ..Self::default() }
    }

    /// Puts behind what was decoded what has begun to wait since.
    pub(super) fn follow_with(&mut self, mut later: Self) {
        debug_assert!(self.waiting.is_empty(), "all of the earlier ones are decoded");
        later.done.append(&mut self.done);
        let mut spare = std::mem::take(&mut self.octets);
        spare.clear();
        spare.shrink_to(KEPT);
        *self = Self { spare, ..later };
    }

    /// The ticket of the message that began to wait last.
    pub(super) fn last_ticket(&mut self) -> Option<&mut Ticket> {
        self.waiting.last_mut().map(|waiting| &mut waiting.ticket)
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Decodes what waits, in order. The message that comes in goes on coming in.
    pub(super) fn decode(&mut self, mut decode: impl FnMut(Opcode, &[u8]) -> Content) {
        let mut at = 0;
        for Waiting { len, opcode, ticket } in self.waiting.drain(..) {
            self.done.push((ticket, decode(opcode, &self.octets[at..at + len])));
            at += len;
        }
        self.octets.drain(..at);
        self.octets.shrink_to(KEPT);
        if let Some((_, from)) = &mut self.incoming {
            *from -= at;
        }
    }

    /// What was decoded since this was last asked.
    pub(super) fn take_done(&mut self) -> Vec<(Ticket, Content)> {
        std::mem::take(&mut self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch_of(messages: &[&[u8]]) -> Batch {
        let mut batch = Batch::default();
        for message in messages {
            batch.begin(Opcode::Text);
            assert!(batch.take(message));
            batch.end();
        }
        batch
    }

    fn decoded(batch: &mut Batch) -> Vec<Vec<u8>> {
        let mut decoded = Vec::new();
        batch.decode(|_, octets| {
            decoded.push(octets.to_vec());
            Content::default()
        });
        decoded
    }

    #[test]
    fn message_goes_on_coming_in_while_others_are_decoded() {
        let mut batch = batch_of(&[b"one", b"", b"three"]);
        batch.begin(Opcode::Binary);
        assert!(batch.take(b"fo"));
        assert_eq!(decoded(&mut batch), [&b"one"[..], b"", b"three"]);
        assert!(batch.take(b"ur"));
        batch.end();
        assert_eq!(decoded(&mut batch), [b"four"]);
        assert!(batch.octets.is_empty());
    }

    #[test]
    fn message_that_came_in_is_given_back_behind_decoded_ones() {
        let mut batch = batch_of(&[b"one"]);
        batch.begin(Opcode::Binary);
        assert!(batch.take(b"two"));
        decoded(&mut batch);
        assert_eq!(batch.give_back(), Some((Opcode::Binary, b"two".to_vec())));
    }
}
