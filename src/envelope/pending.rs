//! Asks that wait for their answers, on one connection.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;

use super::packet::Key;
use crate::message::Direction;
use crate::stream::Timestamp;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Waiting {
    /// An ask of an envelope.
    Ask(Key),
    /// A heartbeat of an envelope.
    Ping(Key),
    /// A Ping frame (RFC 6455 §5.5.2), by its payload.
    Control(Key),
}

/// An ask: who asked, and what.
type Ask = (Direction, Waiting);

/// The asks of a connection. Of two that cannot be told apart neither is timed.
#[derive(Debug)]
pub(super) struct Pending {
    limit: usize,
    asked: HashMap<Ask, Asked, FixedState>,
    /// Oldest first, by their numbers; some are answered, and perhaps asked again under another number.
    order: VecDeque<(Ask, u64)>,
    /// Asks so far.
    count: u64,
}

/// An ask that waits.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// When it began; `None` when a second one came before the first was answered.
    begun: Option<Timestamp>,
    /// Which of the connection's asks it is.
    number: u64,
}

impl Pending {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, asked: HashMap::default(), order: VecDeque::new(), count: 0 }
    }

    /// Somebody asks. Returns whether an older ask had to be forgotten.
    pub(super) fn ask(&mut self, asker: Direction, what: Waiting, at: Timestamp) -> bool {
        let ask = (asker, what);
        if let Some(asked) = self.asked.get_mut(&ask) {
            asked.begun = None;
            return false;
        }
        let is_full = self.asked.len() >= self.limit;
        while self.asked.len() >= self.limit {
            let Some((oldest, number)) = self.order.pop_front() else { return true };
            if is_waiting(&self.asked, &oldest, number) {
                self.asked.remove(&oldest);
            }
        }
        self.count += 1;
        self.asked.insert(ask, Asked { begun: Some(at), number: self.count });
        self.order.push_back((ask, self.count));
        // At least half of them are answered: over all asks, each is looked at about twice.
        if self.order.len() > 2 * self.limit {
            self.order.retain(|(ask, number)| is_waiting(&self.asked, ask, *number));
        }
        is_full
    }

    /// Nanoseconds since what is answered was asked, when that is known.
    pub(super) fn answer(&mut self, asker: Direction, what: Waiting, at: Timestamp) -> Option<u64> {
        let asked = self.asked.remove(&(asker, what))?;
        if self.asked.is_empty() {
            self.order.clear();
        }
        let begun = asked.begun?;
        at.0.checked_sub(begun.0).and_then(|time| u64::try_from(time).ok())
    }
}

/// Whether the ask of that number still waits.
fn is_waiting(asked: &HashMap<Ask, Asked, FixedState>, ask: &Ask, number: u64) -> bool {
    asked.get(ask).is_some_and(|asked| asked.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Direction::{ClientToServer, ServerToClient};

    fn ask(number: u64) -> Waiting {
        Waiting::Ask(Key::of(number))
    }

    #[test]
    fn an_answer_is_timed_once_and_from_its_own_ask() {
        let mut pending = Pending::new(8);
        pending.ask(ClientToServer, ask(1), Timestamp(100));
        pending.ask(ServerToClient, ask(1), Timestamp(150));
        assert_eq!(pending.answer(ClientToServer, ask(1), Timestamp(400)), Some(300));
        assert_eq!(pending.answer(ClientToServer, ask(1), Timestamp(500)), None);
        assert_eq!(pending.answer(ServerToClient, ask(1), Timestamp(151)), Some(1));
        pending.ask(ClientToServer, ask(2), Timestamp(600));
        assert_eq!(pending.answer(ClientToServer, ask(2), Timestamp(599)), None, "the clock stepped back");
    }

    #[test]
    fn asks_that_cannot_be_told_apart_are_not_timed() {
        let mut pending = Pending::new(8);
        pending.ask(ClientToServer, ask(1), Timestamp(1));
        pending.ask(ClientToServer, ask(1), Timestamp(2));
        assert_eq!(pending.answer(ClientToServer, ask(1), Timestamp(3)), None);
        pending.ask(ClientToServer, ask(1), Timestamp(4));
        assert_eq!(pending.answer(ClientToServer, ask(1), Timestamp(6)), Some(2));
    }

    #[test]
    fn the_oldest_ask_gives_way_at_the_limit_and_memory_is_bounded() {
        let mut pending = Pending::new(4);
        let forgotten = (0..10).filter(|&number| pending.ask(ClientToServer, ask(number), Timestamp(0))).count();
        assert_eq!(forgotten, 6);
        assert_eq!(pending.answer(ClientToServer, ask(5), Timestamp(9)), None);
        assert_eq!(pending.answer(ClientToServer, ask(6), Timestamp(9)), Some(9));
        for number in 100..10_000 {
            pending.ask(ClientToServer, ask(number), Timestamp(0));
            pending.answer(ClientToServer, ask(number), Timestamp(1));
        }
        assert!(pending.order.len() <= 9 && pending.asked.len() <= 4);
    }

    /// As heartbeats are, beside an ask that nobody answers.
    #[test]
    fn an_ask_repeated_after_its_answer_is_remembered_once_and_is_not_the_oldest() {
        let mut pending = Pending::new(4);
        pending.ask(ClientToServer, ask(1), Timestamp(0));
        for time in 0..10_000 {
            assert!(!pending.ask(ClientToServer, ask(2), Timestamp(time)));
            assert_eq!(pending.answer(ClientToServer, ask(2), Timestamp(time + 1)), Some(1));
            assert!(pending.order.len() <= 8, "{} after {time}", pending.order.len());
        }
        (2..5).for_each(|number| assert!(!pending.ask(ClientToServer, ask(number), Timestamp(0))));
        assert!(pending.ask(ClientToServer, ask(5), Timestamp(0)));
        assert_eq!(pending.answer(ClientToServer, ask(1), Timestamp(3)), None, "it was the oldest");
        assert_eq!(pending.answer(ClientToServer, ask(2), Timestamp(3)), Some(3));
    }
}
