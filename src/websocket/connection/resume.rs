//! Where framing was lost, and takes up again.

use std::ops::ControlFlow::{Break, Continue};

use super::{Event, Framing, Receiver, Step, Unfinished};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::ContentSink;
use crate::stream::{Place, StreamBuffer};
use crate::websocket::recognise::{self, Evidence, Verdict};

/// Frames that lay each within one run, after which the next run is taken to begin with one.
const UNSPLIT_FRAMES: u8 = 8;

/// Frames until framing is certain that was taken up again.
const PROBATION_FRAMES: u8 = 8;

impl Receiver {
    pub(super) fn break_frame(&mut self, mut frame: Unfinished, gap: Place, sink: &mut impl ContentSink) -> Step {
        self.framing = Framing::Lost;
        self.resumed = true;
        self.trace_end(false);
        frame.partial.add_odd(AnomalyKind::LostBytes, gap);
        let message = Break(Some(self.break_off(frame.partial, sink)));
        sink.lose_context();
        message
    }

    /// The next byte is no frame's, or nobody knows: looks for a frame from the next run on.
    #[cold]
    pub(super) fn lose(&mut self, kind: AnomalyKind, place: Place, sink: &mut impl ContentSink) -> Step {
        self.framing = Framing::Lost;
        self.resumed = true;
        self.odd.insert(kind);
        self.odd_details.add(AnomalySet::from_iter([kind]), self.direction, place);
        let step = match self.open.take() {
            Some(mut open) => {
                open.add_odd(kind, place);
                Break(Some(self.break_off(*open, sink)))
            }
            None => Continue(()),
        };
        sink.lose_context();
        step
    }

    /// Skips what is unread of the run at the front.
    pub(super) fn skip(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Step {
        if let Some(mut open) = self.open.take() {
            open.add_odd(AnomalyKind::LostBytes, buffer.place(0));
            return Break(Some(self.break_off(*open, sink)));
        }
        self.framing = Framing::Searching;
        let skipped = buffer.consume(buffer.front_run());
        if skipped.is_empty() { Continue(()) } else { Break(Some(Event::Unattributed(skipped))) }
    }

    /// Takes framing up again if frames begin with the run at the front.
    pub(super) fn search(&mut self, buffer: &mut StreamBuffer, sink: &mut impl ContentSink) -> Step {
        if buffer.missing() > 0 {
            return self.skip(buffer, sink);
        }
        if buffer.len() < self.needed && !self.ended {
            return Break(None);
        }
        self.needed = 0;
        let begins_runs = self.evidence == Evidence::Convincing && self.unsplit >= UNSPLIT_FRAMES;
        let evidence = if begins_runs { Evidence::Likely } else { self.evidence };
        match recognise::judge(buffer, self.shape(), evidence, self.ended) {
            Verdict::Frames => {
                self.framing = Framing::Known;
                self.probation = PROBATION_FRAMES;
                if self.evidence == Evidence::Likely {
                    self.evidence = Evidence::Convincing;
                }
            }
            Verdict::Other => return self.skip(buffer, sink),
            Verdict::Undecided { needed } => {
                self.needed = needed;
                return Break(None);
            }
        }
        Continue(())
    }
}
