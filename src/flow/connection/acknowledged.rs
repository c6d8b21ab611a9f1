//! What segments acknowledged, where that may be needed to tell which response is whose.

use super::Connection;
use crate::flow::application::Running;
use crate::message::Direction;
use crate::packet::{Flags, Segment, SeqNumber};
use crate::stream::Acknowledged;

impl Connection {
    /// Remembers what a segment with payload acknowledged, where that may be needed to tell which response is whose.
    // Always: mostly there is nothing to remember.
    #[inline(always)]
    pub(in crate::flow) fn note_acknowledged(&mut self, segment: &Segment<'_>, direction: Direction) {
        if segment.payload_len == 0 {
            return;
        }
        let [mine, peer] = [direction as usize, direction.reverse() as usize];
        if !self.is_irregular {
            let is_ahead = self.halves[mine].assembler.is_ahead(segment.seq);
            self.is_irregular = is_ahead || self.halves[peer].assembler.has_hole() || !self.handshake.is_captured();
        }
        // 0 is what programs write that make up segments.
        let acknowledges = segment.flags.has(Flags::ACK) && segment.ack != SeqNumber(0);
        if self.is_irregular && acknowledges && matches!(self.running, Running::Detecting | Running::Http(_)) {
            self.remember_acknowledged(segment, [mine, peer]);
        }
    }

    #[inline(never)]
    fn remember_acknowledged(&mut self, segment: &Segment<'_>, [mine, peer]: [usize; 2]) {
        // A direction begins with the first segment of it that brings anything.
        let offset = match self.halves[mine].assembler.has_begun() {
            true => self.halves[mine].assembler.offset(segment.seq),
            false => Some(0),
        };
        let acknowledged = match self.halves[peer].assembler.signed_offset(segment.ack) {
            Some(offset) => Acknowledged::Offset(offset),
            None => Acknowledged::Sequence(segment.ack.0),
        };
        if let Some(offset) = offset {
            self.halves[mine].buffer.note_acknowledged(offset, segment.payload_len, acknowledged);
        }
    }

    /// A direction begins with a segment that may not be its first: now what the other one acknowledged of it can be told.
    #[cold]
    pub(super) fn begin_late(&mut self, direction: Direction) {
        self.handshake.begin_late(direction as usize);
        let first = self.halves[direction as usize].assembler.first().0;
        self.halves[direction.reverse() as usize].buffer.begin_acknowledged_at(first);
        if direction == Direction::ServerToClient
            && let Running::Http(http) = &mut self.running
        {
            http.begin_late(first);
        }
    }
}
