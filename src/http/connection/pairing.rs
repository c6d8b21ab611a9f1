//! Which request a response answers.

use super::Connection;
use crate::http::pending::{Gap, Pending};
use crate::stream::{Acknowledged, Frame, StreamBuffer};

impl Connection {
    /// Whether the client sent its next request before it had the response to the one before, or part of it. The response may have
    /// been lost, or not be read yet where the client's octets are read late.
    pub(super) fn is_early(&self, acknowledged: Option<Acknowledged>) -> bool {
        let answered_end = self.answered_end.map(|end| Acknowledged::Offset(end.cast_signed()));
        let is_before_answer = answered_end.zip(acknowledged).is_some_and(|(end, now)| end.is_beyond(now));
        is_before_answer || self.pending.back().is_some_and(|before| !self.was_awaited(before, acknowledged, answered_end))
    }

    fn was_awaited(&self, before: &Pending, acknowledged: Option<Acknowledged>, answered_end: Option<Acknowledged>) -> bool {
        // What a request acknowledged is remembered behind a loss; before, it is where its response begins.
        let acknowledged_before = before.place.acknowledged.or(answered_end.filter(|_| self.pending.len() == 1));
        before.exchange.response.is_some() || acknowledged_before.zip(acknowledged).is_some_and(|(before, now)| now.is_beyond(before))
    }

    /// Remembers where a response has ended whose request is certain.
    pub(super) fn note_answered(&mut self, buffer: &StreamBuffer) {
        // Informational responses are the beginning of one.
        if !self.is_answering && self.interim.is_none() {
            self.answered_end = (!self.responses_lost && !self.responses.has_lost()).then(|| buffer.start());
        }
    }

    /// Puts the exchange that a response belongs to at the front: the oldest unanswered one, unless a loss speaks against it.
    pub(super) fn pair(&mut self, first: Frame, start: u64, acknowledged: Option<Acknowledged>) {
        let is_certain = !self.responses_lost && !self.pending.front().is_some_and(|oldest| oldest.after_loss);
        if self.given_up > 0 && is_certain {
            self.given_up -= 1;
            return self.answer_nothing();
        }
        let own = match is_certain {
            // Frame numbers cannot tell it from those that were given up.
            _ if self.given_up > 0 => acknowledged.and_then(|_| self.own_after_loss(first, start, acknowledged)),
            // Frame numbers say nothing here, as captures swap neighbouring frames.
            true => self.pending.front().is_some_and(|oldest| oldest.exchange.response.is_none()).then_some(0),
            false => self.own_after_loss(first, start, acknowledged),
        };
        for _ in 0..own.unwrap_or(0) {
            if let Some(older) = self.pending.pop_front() {
                self.emit(older);
            }
        }
        match own {
            Some(_) => (self.responses_lost, self.misses_response, self.given_up) = (false, false, 0),
            None => {
                // Counting does not tell any more which response is whose.
                (self.responses_lost, self.misses_response) = (true, true);
                self.answer_nothing();
            }
        }
    }

    /// Puts an exchange without a request at the front.
    fn answer_nothing(&mut self) {
        let orphan = self.pending_exchange(None, Frame::default());
        self.pending.push_front(orphan);
    }

    /// The request that a response behind a loss answers.
    ///
    /// A client that waits for each response has acknowledged all before it when it asks, and nothing of it; a server has
    /// then acknowledged the request to its end, and nothing behind it. (Where a client does not wait, a request that was lost
    /// may have acknowledged the same.) Without acknowledgments frame numbers must do, and only where no other request may be
    /// meant.
    fn own_after_loss(&mut self, first: Frame, start: u64, acknowledged: Option<Acknowledged>) -> Option<usize> {
        let Some(acknowledged) = acknowledged else { return self.newest_before(first, start) };
        let has_come = |pending: &Pending| is_open(pending) && acknowledged.reaches(pending.place.head_end);
        let asked = |pending: &Pending| has_come(pending) && pending.place.acknowledged.is_some_and(|heard| heard.is_at(start));
        if let Some(asked) = self.pending.iter().position(asked) {
            if self.may_be_of_lost(&self.pending[asked], start) {
                // Had the client waited, it would have had the response to what was lost.
                self.is_pipelined |= self.answered_end == Some(start);
                return None;
            }
            return self.may_skip(self.pending.iter().take(asked).filter(|older| has_come(older))).then_some(asked);
        }
        let newest = self.pending.iter().rposition(has_come)?;
        let request = &self.pending[newest];
        let may_skip = self.may_skip(self.pending.iter().take(newest).filter(|older| has_come(older)));
        let is_its_own = acknowledged.is_at(request.end()) && request.place.acknowledged.is_none() && !self.may_be_of_lost(request, start);
        (may_skip && is_its_own).then_some(newest)
    }

    /// The newest request that was captured before a response, where no other may be meant.
    fn newest_before(&self, first: Frame, start: u64) -> Option<usize> {
        let newest = self.pending.iter().rposition(|pending| pending.is_answerable_at(first))?;
        let is_followed_by_loss = self.requests.has_lost() || self.pending.get(newest + 1).is_some_and(|next| next.after_loss);
        let may_skip = self.may_skip(self.pending.iter().take(newest).filter(|older| is_open(older)));
        (!is_followed_by_loss && may_skip && !self.may_be_of_lost(&self.pending[newest], start)).then_some(newest)
    }

    /// Whether the responses to older requests are lost for certain. Where a client does not wait it is one response at least: that
    /// of the oldest, if no request before it was lost.
    fn may_skip<'a>(&self, mut older: impl Iterator<Item = &'a Pending>) -> bool {
        let misses_one = self.misses_response && !self.informs;
        let is_oldest = |request: &Pending| !request.after_loss && request.gap == Gap::None;
        !self.is_pipelined || older.next().is_none_or(|oldest| misses_one && is_oldest(oldest) && older.next().is_none())
    }

    /// Whether a response that begins there may be that of a request lost right before another one.
    fn may_be_of_lost(&self, behind: &Pending, start: u64) -> bool {
        match behind.gap {
            Gap::None => false,
            Gap::Within => self.is_pipelined,
            Gap::Between => self.is_pipelined || self.answered_end == Some(start),
        }
    }
}

fn is_open(pending: &Pending) -> bool {
    pending.exchange.response.is_none()
}
