//! Inflating the messages of one direction (RFC 7692 §7.2.2).

use std::cell::RefCell;
use std::ops::ControlFlow;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::extension::ContextTakeover;

/// RFC 7692 §7.2.1: the sender dropped the end of its final empty block; it is put back before the message ends.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The same and an octet more, before which a machine stops that is told to stop at the end of a block.
const TAIL_AND_MORE: [u8; 5] = [0x00, 0x00, 0xff, 0xff, 0x00];

/// The same behind a header: an empty block.
const BLOCK_AND_MORE: [u8; 6] = [0x00, 0x00, 0x00, 0xff, 0xff, 0x00];

/// The largest distance that DEFLATE can refer back, in octets (RFC 1951 §3.2.5).
const WINDOW: usize = 32 << 10;

/// Octets inflated at a time, at most: most messages are one piece.
const PIECE: usize = 8 << 10;

/// Octets that a machine keeps behind each other before it drops those that nothing refers to any more.
const ROOM: usize = 64 << 10;

/// Bits of [`WINDOW`].
const WINDOW_BITS: u8 = 15;

/// Machines that are kept for the next direction on this thread.
const SPARE_MACHINES: usize = 2;

thread_local! {
    #[expect(clippy::vec_box, reason = "machines move in and out")]
    static SPARE: RefCell<Vec<Box<Machine>>> = const { RefCell::new(Vec::new()) };
}

/// Why a message's content is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is not DEFLATE, or ends within a block.
    Corrupt,
    /// It refers (or may refer) to octets of earlier messages that are not known.
    LostContext,
    /// Whoever takes the octets wanted no more.
    Stopped,
}

/// The inflater of one direction. Between messages it keeps its window, of 32 KiB at most, and while it inflates it borrows a machine.
///
/// After a loss it starts with an empty window, and inflating refuses every reference to before that. A message begins at a
/// block boundary, so one that inflates nonetheless says what its sender said, to the octet; the others are unknown.
#[derive(Debug)]
pub(crate) struct Inflater {
    context_takeover: ContextTakeover,
    /// What may be referred to of what was decoded before the machine was borrowed.
    window: Window,
    machine: Option<Box<Machine>>,
    context: Context,
    /// Octets of the message under way, encoded, and the last of them.
    fed: u64,
    last: [u8; TAIL.len()],
    /// Octets of the message under way, decoded.
    decoded: u64,
    /// The last block had BFINAL set: what follows is a new DEFLATE stream with the same window.
    ended: bool,
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
        Self {
            context_takeover,
            window: Window::default(),
            machine: None,
            context,
            fed: 0,
            last: [0; TAIL.len()],
            decoded: 0,
            ended: false,
        }
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self) {
        self.fed = 0;
        self.decoded = 0;
        self.last = [0; TAIL.len()];
        if self.context_takeover == ContextTakeover::Reset {
            self.forget();
            self.context = Context::Whole;
        }
    }

    /// Inflates a piece of the message and hands on what comes out, in pieces of a few KiB.
    ///
    /// After a failure the message is over: nothing more of it may be fed.
    pub(crate) fn feed(&mut self, mut encoded: &[u8], out: &mut impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), Failure> {
        self.fed += encoded.len() as u64;
        match encoded.last_chunk() {
            Some(last) => self.last = *last,
            None => encoded.iter().for_each(|&octet| self.last = [self.last[1], self.last[2], self.last[3], octet]),
        }
        while !(encoded.is_empty() && self.ended) {
            let machine = self.machine.get_or_insert_with(|| Machine::behind(&self.window));
            if std::mem::take(&mut self.ended) {
                machine.begin_stream(&self.window);
            }
            let Some(step) = machine.inflate(encoded, InflateFlush::NoFlush) else { return Err(self.fail()) };
            self.ended = step.has_ended;
            self.decoded += step.decoded.len() as u64;
            encoded = &encoded[step.read..];
            let (is_full, is_stuck) = (step.decoded.len() == PIECE, step.read == 0 && step.decoded.is_empty() && !step.has_ended);
            if !step.decoded.is_empty() && out(step.decoded).is_break() {
                self.lose();
                return Err(Failure::Stopped);
            }
            if encoded.is_empty() && !is_full {
                return Ok(());
            }
            if is_stuck {
                return Err(self.fail());
            }
        }
        Ok(())
    }

    /// Ends the message.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        // An empty payload, and one that ends with a BFINAL block and lacks the empty block behind it, dropped no tail.
        if self.fed > 0 && !self.ended && !self.ends_with_a_block() {
            // Whatever is missing was not finished by its sender.
            return Err(self.fail());
        }
        if let Context::Since(known) = self.context {
            let known = known + self.decoded;
            self.context = if known >= WINDOW as u64 { Context::Whole } else { Context::Since(known) };
        }
        Ok(())
    }

    /// Whether the message ends where a block does, the last one being empty.
    fn ends_with_a_block(&mut self) -> bool {
        // A sender that kept the tail ends with 0xff; one that dropped it does not: its last octet holds a header and padding, which
        // are zero.
        let rest = if self.last == TAIL { &BLOCK_AND_MORE[..] } else { &TAIL_AND_MORE };
        let step = self.machine.as_mut().and_then(|machine| machine.inflate(rest, InflateFlush::Block));
        step.is_some_and(|step| step.decoded.is_empty() && step.read == rest.len() - 1)
    }

    /// Between messages: gives back what only a message under way needs. Thousands of directions may wait for their next one.
    pub(crate) fn rest(&mut self) {
        let Some(machine) = self.machine.take() else { return };
        if self.context_takeover == ContextTakeover::Keep {
            self.window.push(machine.decoded());
        }
        // The next machine begins a stream.
        self.ended = false;
        machine.give_back();
    }

    /// Forgets the window: octets of a message were lost, or whole messages.
    pub(crate) fn lose(&mut self) {
        self.forget();
        if self.context_takeover == ContextTakeover::Keep {
            self.context = Context::Since(0);
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
        self.window.clear();
        self.ended = false;
        if let Some(machine) = &mut self.machine {
            machine.forget();
        }
    }
}

/// The last octets that were decoded, [`WINDOW`] at most: where there are so many, the newest follow the oldest.
#[derive(Debug, Default)]
struct Window {
    octets: Vec<u8>,
    oldest: usize,
}

impl Window {
    /// Its two parts, the older one first.
    fn parts(&self) -> [&[u8]; 2] {
        let (newer, older) = self.octets.split_at(self.oldest);
        [older, newer]
    }

    fn push(&mut self, decoded: &[u8]) {
        let decoded = &decoded[decoded.len().saturating_sub(WINDOW)..];
        let (more, wrapped) = decoded.split_at(decoded.len().min(WINDOW - self.octets.len()));
        self.octets.reserve_exact(more.len());
        self.octets.extend_from_slice(more);
        let (more, wrapped) = wrapped.split_at(wrapped.len().min(WINDOW - self.oldest));
        self.octets[self.oldest..self.oldest + more.len()].copy_from_slice(more);
        self.octets[..wrapped.len()].copy_from_slice(wrapped);
        self.oldest = if wrapped.is_empty() { (self.oldest + more.len()) % WINDOW } else { wrapped.len() };
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.oldest = 0;
    }
}

/// Inflates DEFLATE streams one behind the other, of which each may refer to what came before it.
struct Machine {
    stream: Inflate,
    /// What was decoded since it was borrowed; [`WINDOW`] octets of it are kept.
    room: Box<[u8]>,
    filled: usize,
    /// Whether the stream has not begun.
    is_new: bool,
}

/// What inflating once has brought.
struct Step<'a> {
    /// Encoded octets that were taken.
    read: usize,
    decoded: &'a [u8],
    /// Whether a BFINAL block has ended the stream.
    has_ended: bool,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Machine with {} octets", self.filled)
    }
}

impl Machine {
    /// One whose stream may refer to a window: a spare one, if there is one.
    fn behind(window: &Window) -> Box<Self> {
        let new = || Self { stream: Inflate::new(false, WINDOW_BITS), room: vec![0; ROOM + PIECE].into(), filled: 0, is_new: true };
        let mut machine = SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Box::new(new()));
        machine.filled = 0;
        machine.begin_stream(window);
        machine
    }

    /// Makes it a spare one.
    fn give_back(self: Box<Self>) {
        // No thread-local memory is there any more when a thread ends.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_MACHINES {
                spare.push(self);
            }
        });
    }

    /// What it has decoded that may be referred to.
    fn decoded(&self) -> &[u8] {
        &self.room[self.filled.saturating_sub(WINDOW)..self.filled]
    }

    /// Forgets what was decoded, and begins a stream that may refer to nothing.
    fn forget(&mut self) {
        self.filled = 0;
        self.begin_stream(&Window::default());
    }

    /// Begins a stream that may refer to a window and what was decoded since.
    fn begin_stream(&mut self, window: &Window) {
        if !self.is_new {
            self.stream.reset(false);
            self.is_new = true;
        }
        let [older, newer] = window.parts();
        for octets in [older, newer, &self.room[self.filled.saturating_sub(WINDOW)..self.filled]] {
            if !octets.is_empty() {
                self.is_new = false;
                // A stream without a wrapper takes any. (If it did not, it would refuse references to before it.)
                let _ = self.stream.set_dictionary(octets);
            }
        }
    }

    /// Inflates a piece at most; `None` for what is not DEFLATE.
    fn inflate(&mut self, encoded: &[u8], flush: InflateFlush) -> Option<Step<'_>> {
        if self.filled > ROOM {
            self.room.copy_within(self.filled - WINDOW..self.filled, 0);
            self.filled = WINDOW;
        }
        self.is_new = false;
        let (read, made) = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(encoded, &mut self.room[self.filled..self.filled + PIECE], flush).ok()?;
        // Both fit: at most what was lent.
        let (read, made) = ((self.stream.total_in() - read) as usize, (self.stream.total_out() - made) as usize);
        let from = self.filled;
        self.filled += made;
        Some(Step { read, decoded: &self.room[from..self.filled], has_ended: status == Status::StreamEnd })
    }
}

#[cfg(test)]
mod tests;
