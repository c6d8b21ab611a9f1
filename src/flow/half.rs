//! One direction of a connection: bytes put in order, waiting for their parser, and the content stage behind it.

use crate::content::{Seen, Stage};
use crate::http;
use crate::options::Options;
use crate::packet::Segment;
use crate::stream::{Lent, Provenance, StreamBuffer};
use crate::tcp::Assembler;
use crate::websocket;

/// What a half needs while it takes a segment, lent to one after the other: so it stays in the nearest cache, and thousands of
/// connections that wait for their next segment do without.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    unread: Lent,
    stage: Option<Box<Stage>>,
    /// What is remembered of contents, for all connections.
    pub(super) seen: Option<Box<Seen>>,
    /// Heads that were read last, by all of them.
    pub(super) heads: http::Heads,
    /// Of connections that have ended, for the next ones.
    #[expect(clippy::vec_box, reason = "they are handed on as they are")]
    spare_http: Vec<Box<http::Connection>>,
    unmasked: Vec<u8>,
    /// Whether there are so many connections that few octets of each are many.
    pub(super) counts_few: bool,
}

/// Connections of HTTP that are kept for others, at most: as many as end at once. (Each takes about two kilobytes.)
const MAX_SPARE_HTTP: usize = 16;

impl Memory {
    /// Keeps the memory of a connection that has ended for another.
    pub(super) fn keep_http(&mut self, ended: Box<http::Connection>) {
        if self.spare_http.len() < MAX_SPARE_HTTP && ended.is_small() {
            self.spare_http.push(ended);
        }
    }

    /// The memory of a connection that has ended, if there is such.
    pub(super) fn spare_http(&mut self) -> Option<Box<http::Connection>> {
        self.spare_http.pop()
    }

    /// Payload data without its mask; so many octets of its frame's lie before.
    #[inline]
    pub(super) fn unmasked(&mut self, payload: &[u8], key: [u8; 4], offset: u64) -> &[u8] {
        self.unmasked.clear();
        self.unmasked.extend_from_slice(payload);
        websocket::unmask(&mut self.unmasked, key, offset);
        &self.unmasked
    }
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) assembler: Assembler,
    /// In order, not yet understood.
    pub(super) buffer: StreamBuffer,
    /// There while it holds anything: of a message under way, or of the WebSocket.
    pub(super) stage: Option<Box<Stage>>,
    /// A keep-alive was sent and not yet answered.
    pub(super) keep_alive: bool,
    /// Its FIN was seen.
    pub(super) fin_seen: bool,
    /// The application was told that nothing more comes.
    pub(super) ended: bool,
}

impl Half {
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        self.assembler.touch() ^ self.buffer.touch() ^ u64::from(self.ended)
    }

    #[inline]
    pub(super) fn touch_further(&self) -> u64 {
        self.stage.as_ref().map_or(0, |stage| stage.touch())
    }

    /// Whether it has begun and not come to its end.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        !self.ended && self.assembler.has_begun() && !self.assembler.has_fin()
    }

    /// Whether all that came is read, in order, and more may come.
    pub(super) fn is_even(&self) -> bool {
        self.assembler.is_even() && self.buffer.is_empty() && !self.keep_alive && !self.ended
    }

    /// What its bytes take that are held beyond holes or not read yet, in octets.
    pub(super) fn memory(&self) -> usize {
        self.assembler.held_memory() + self.buffer.memory()
    }

    /// What messages under way take in the content stage, in octets.
    #[inline]
    pub(super) fn stage_memory(&self) -> usize {
        match &self.stage {
            Some(stage) => stage.memory(),
            None => 0,
        }
    }

    /// The buffer and the content stage together, as parsers need them.
    #[inline(always)]
    pub(super) fn parts(&mut self, options: &Options, memory: &mut Memory) -> (&mut StreamBuffer, &mut Stage) {
        let stage = match &mut self.stage {
            Some(stage) => stage,
            none => none.insert(memory.stage.take().unwrap_or_else(|| Box::new(Stage::new(options)))),
        };
        (&mut self.buffer, stage)
    }

    /// The content stage, which stays.
    #[inline]
    pub(super) fn stage(&mut self, options: &Options) -> &mut Stage {
        self.stage.get_or_insert_with(|| Box::new(Stage::new(options)))
    }

    /// Takes a segment that brings the next data in order, all of it captured.
    #[inline]
    pub(super) fn deliver(&mut self, segment: &Segment<'_>, memory: &mut Memory) {
        self.borrow(memory);
        self.buffer.push(segment.payload, Provenance::of_frame(segment.frame, segment.bytes));
        self.assembler.deliver_elsewhere(segment.payload_len);
    }

    /// Borrows what a segment needs.
    #[inline]
    pub(super) fn borrow(&mut self, memory: &mut Memory) {
        self.buffer.borrow(&mut memory.unread);
    }

    /// Gives back what nothing is left in.
    // Always: mostly there is nothing to give.
    #[inline(always)]
    pub(super) fn give_back(&mut self, memory: &mut Memory) {
        self.buffer.give_back(&mut memory.unread);
        if self.stage.as_ref().is_some_and(|stage| stage.is_blank()) {
            memory.stage = self.stage.take();
        }
    }
}
