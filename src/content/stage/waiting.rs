//! Messages whose decoding waits, and is done here or elsewhere.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};

use super::Stage;
use crate::content::batch::Ticket;
use crate::content::seen::Held;
use crate::message::{Content, Form};

/// A stage that is to decode what waits.
#[derive(Debug)]
pub(super) struct Away {
    /// As long as nobody has begun.
    stage: Arc<Mutex<Option<Box<Stage>>>>,
    /// From where it comes when it was begun elsewhere.
    home: Receiver<Box<Stage>>,
}

impl Stage {
    /// Whether a message that begins may wait for its decoding: nobody has to look inside.
    #[inline]
    pub(super) fn may_wait(&self, form: Form<'_>) -> bool {
        let is_compressed = matches!(form, Form::WebSocket { compressed: true, .. });
        is_compressed && self.wanted.batches && self.heads.data.is_none() && self.compression.is_some()
    }

    /// Whether the message under way is one that comes in to wait.
    #[inline]
    pub(super) fn has_incoming(&self) -> bool {
        self.control.is_none() && self.batch.as_ref().is_some_and(|batch| batch.has_incoming())
    }

    /// The message that comes in does not wait: those before it are decoded, and what came of it.
    #[cold]
    pub(super) fn wait_no_longer(&mut self) {
        let Some((opcode, encoded)) = self.batch.as_mut().and_then(|batch| batch.give_back()) else { return };
        self.decode_waiting();
        self.open(Form::WebSocket { opcode, compressed: true });
        if !encoded.is_empty() {
            self.feed(&encoded);
        }
    }

    /// Leaves the messages that wait to be decoded by whoever does the work, perhaps on another thread. Until it is done,
    /// another stage stands in for this one and takes what comes.
    pub(crate) fn send_away(self: &mut Box<Self>) -> impl FnOnce() + Send + use<> {
        self.come_home();
        let stand_in = Box::new(Self {
            wanted: self.wanted,
            compression: self.compression,
            inflater: None,
            gap: false,
            data: self.data.take(),
            control: self.control.take(),
            heads: std::mem::take(&mut self.heads),
            batch: self.batch.as_mut().map(|batch| Box::new(batch.split_incoming())),
            held: Held::default(),
            seen: None,
            away: None,
        });
        let stage = Arc::new(Mutex::new(Some(std::mem::replace(self, stand_in))));
        let (home, receiver) = mpsc::sync_channel(1);
        self.away = Some(Away { stage: Arc::clone(&stage), home: receiver });
        move || {
            if let Some(mut stage) = take(&stage) {
                stage.decode_waiting();
                // Nobody waits for it where its connection has been dropped.
                let _ = home.send(stage);
            }
        }
    }

    /// Is the stage again for which this one stands in, when it has decoded what waited.
    pub(crate) fn come_home(&mut self) {
        let Some(Away { stage, home }) = self.away.take() else { return };
        let home = match take(&stage) {
            Some(mut stage) => {
                stage.decode_waiting();
                stage
            }
            None => home.recv().expect("whoever has begun gives it back, unless they panicked"),
        };
        let stand_in = std::mem::replace(self, *home);
        (self.data, self.control, self.heads) = (stand_in.data, stand_in.control, stand_in.heads);
        self.compression = stand_in.compression;
        if let (Some(batch), Some(later)) = (&mut self.batch, stand_in.batch) {
            batch.follow_with(*later);
        }
    }

    /// Decodes the messages that wait.
    pub(crate) fn decode_waiting(&mut self) {
        self.come_home();
        if !self.is_waiting() {
            return;
        }
        let Some(mut batch) = self.batch.take() else { return };
        let under_way = (self.data.take(), self.control.take());
        batch.decode(|opcode, encoded| {
            self.open(Form::WebSocket { opcode, compressed: true });
            if !encoded.is_empty() {
                self.feed(encoded);
            }
            self.close_decoded(true)
        });
        if let Some(inflater) = &mut self.inflater {
            inflater.rest();
        }
        (self.data, self.control) = under_way;
        self.batch = Some(batch);
    }

    /// Whether messages wait.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.is_waiting())
    }

    /// Whether messages that waited have been decoded, for [`take_done`](Self::take_done).
    #[inline]
    pub(crate) fn has_done(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.has_done())
    }

    /// Contents of messages that waited.
    pub(crate) fn take_done(&mut self) -> Vec<(Ticket, Content)> {
        self.batch.as_mut().map(|batch| batch.take_done()).unwrap_or_default()
    }

    /// Names the row of the message that began to wait last.
    pub(crate) fn name_row(&mut self, row: u64) {
        if let Some(ticket) = self.last_ticket() {
            ticket.row = row;
        }
    }

    pub(super) fn last_ticket(&mut self) -> Option<&mut Ticket> {
        self.batch.as_mut().and_then(|batch| batch.last_ticket())
    }
}

/// The stage, for whoever asks first.
fn take(stage: &Mutex<Option<Box<Stage>>>) -> Option<Box<Stage>> {
    stage.lock().unwrap_or_else(PoisonError::into_inner).take()
}
