//! Which request a response answers.

use super::Connection;
use crate::http::pending::Pending;
use crate::stream::{Frame, StreamBuffer};

impl Connection {
    /// Whether the client had the response to a request, or part of it, when it sent the next one, which acknowledged the server's
    /// stream up to that offset. The response may have been lost, or not be read yet where the client's octets are read late.
    pub(super) fn was_awaited(&self, before: &Pending, acknowledged: Option<u64>) -> bool {
        // What a request acknowledged is remembered behind a loss; before, it is where its response begins.
        let begins = || self.answered_end.filter(|_| self.pending.len() == 1);
        let acknowledged_before = before.place.acknowledged.or_else(begins);
        before.exchange.response.is_some() || acknowledged_before.zip(acknowledged).is_some_and(|(before, now)| now > before)
    }

    /// Remembers where a response has ended whose request is certain.
    pub(super) fn note_answered(&mut self, buffer: &StreamBuffer) {
        if !self.is_answering {
            self.answered_end = (!self.responses_lost).then(|| buffer.start());
        }
    }

    /// Puts the exchange that a response belongs to at the front: the oldest unanswered one, unless a loss speaks against it.
    pub(super) fn pair(&mut self, first: Frame, start: u64, acknowledged: Option<u64>) {
        let is_certain = !self.responses_lost && !self.pending.front().is_some_and(|oldest| oldest.after_loss);
        let own = match is_certain {
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
            Some(_) => self.responses_lost = false,
            None => {
                // Counting does not tell any more which response is whose.
                self.responses_lost = true;
                let orphan = self.pending_exchange(None, Frame::default());
                self.pending.push_front(orphan);
            }
        }
    }

    /// The request that a response behind a loss answers.
    ///
    /// A client that waits for each response has acknowledged all before it when it asks, and nothing of it; a server has
    /// then acknowledged the request to its end, and nothing behind it. (Where a client does not wait, a request that was lost
    /// may have acknowledged the same.) Without acknowledgments frame numbers must do, and only where no other request may be
    /// meant.
    fn own_after_loss(&self, first: Frame, start: u64, acknowledged: Option<u64>) -> Option<usize> {
        let is_open = |pending: &Pending| pending.exchange.response.is_none();
        let may_be_of_lost = |pending: &Pending| pending.after_gap && (self.is_pipelined || self.answered_end == Some(start));
        let Some(acknowledged) = acknowledged else {
            let newest = self.pending.iter().rposition(|pending| pending.is_answerable_at(first))?;
            let is_followed_by_loss = self.requests.has_lost() || self.pending.get(newest + 1).is_some_and(|next| next.after_loss);
            return (!is_followed_by_loss && !may_be_of_lost(&self.pending[newest])).then_some(newest);
        };
        let has_come = |pending: &Pending| is_open(pending) && pending.place.head_end <= acknowledged;
        let asked = self.pending.iter().position(|pending| has_come(pending) && pending.place.acknowledged == Some(start));
        if asked.is_some() {
            return asked.filter(|&asked| !may_be_of_lost(&self.pending[asked]));
        }
        let newest = self.pending.iter().rposition(has_come)?;
        let request = &self.pending[newest];
        let is_only_one = self.pending.iter().filter(|pending| has_come(pending)).count() == 1;
        let is_its_own = request.end() == acknowledged && request.place.acknowledged.is_none() && !may_be_of_lost(request);
        (is_only_one && is_its_own).then_some(newest)
    }
}
