//! The first octets of messages, for whoever looks inside.

use crate::content::decoded::Sample;
use crate::envelope;
use crate::message::{Content, Direction, Form, Opcode};

/// What is kept of messages for whoever looks inside.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Octets kept of a data message, at most; `None` for none.
    pub(super) data: Option<usize>,
    /// Octets kept of a Ping or Pong, at most.
    pub(super) control: Option<usize>,
    /// Of the content of one of engine.io's polls: the target, and who sends it.
    poll: Option<(Box<[u8]>, Direction)>,
    /// Octets kept of such content, at most.
    pub(super) poll_limit: usize,
    /// Of the message that ended last; `None` when not all of it is known.
    pub(super) last: Option<Vec<u8>>,
}

/// Octets of a buffer that is kept for the next message, and in no sum; a larger one is not kept.
const MAX_SPARE: usize = 512;

impl Heads {
    /// Of messages nothing is kept yet, and of polls that many octets at most.
    pub(super) fn new(poll_limit: usize) -> Self {
        Self { poll_limit, ..Self::default() }
    }

    /// Whether anything is, beyond what engine.io's polls need.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.control.is_some() || self.data.is_some() || self.poll.is_some()
    }

    /// What is kept of the message that ended last and is still to be looked at, in octets.
    #[inline]
    pub(super) fn memory(&self) -> usize {
        self.last.as_ref().map(Vec::capacity).filter(|&octets| octets > MAX_SPARE).unwrap_or(0)
    }

    /// The same of the target of a poll that is under way.
    pub(super) fn poll_memory(&self) -> usize {
        self.poll.as_ref().map_or(0, |(target, _)| target.len())
    }

    /// Lets go of what was kept of the message that ended last, unless it is small enough for the next one.
    pub(super) fn forget(&mut self) {
        self.last.take_if(|octets| octets.capacity() > MAX_SPARE);
    }

    /// What is to be kept of a message that begins.
    #[inline]
    pub(super) fn begin(&mut self, form: Form<'_>) -> Option<Sample> {
        let limit = match form {
            Form::WebSocket { opcode: Opcode::Ping | Opcode::Pong, .. } => self.control,
            Form::WebSocket { opcode: Opcode::Text | Opcode::Binary, .. } => self.data,
            Form::WebSocket { .. } => None,
            Form::Http { target, direction, .. } => {
                self.poll = envelope::is_poll(target).then(|| (target.into(), direction));
                self.poll.as_ref().map(|_| self.poll_limit)
            }
        }?;
        let octets = self.last.take().filter(|octets| octets.capacity() <= MAX_SPARE).map_or_else(Vec::new, |mut octets| {
            octets.clear();
            octets
        });
        Some(Sample { octets, limit })
    }

    /// What was kept of a message that has ended; of a poll, it is looked at here.
    #[inline]
    pub(super) fn end(&mut self, head: Option<Sample>, is_seen: bool, content: &mut Content) {
        self.last = head.filter(|_| is_seen).map(|head| head.octets);
        if let Some((target, direction)) = self.poll.take()
            && let (Some(octets), Some(len)) = (&self.last, content.bytes)
        {
            content.envelope = envelope::of_poll(&target, octets, len, direction);
            self.forget();
        }
    }
}
