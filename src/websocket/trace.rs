//! The frames of one direction as they were sent, for who wants to see them.

use super::frame::Header;
use crate::message::{Direction, WebSocketFrame};
use crate::stream::Provenance;

/// Remembers the frame under way, and hands out those that have ended.
#[derive(Debug)]
pub(super) struct Trace {
    connection: u64,
    direction: Direction,
    may_be_compressed: bool,
    /// Octets of payload data kept of each frame, at most.
    limit: usize,
    open: Option<WebSocketFrame>,
    payload: Vec<u8>,
    /// Whether octets were missing: what follows them stands elsewhere.
    is_cut: bool,
    ended: Vec<WebSocketFrame>,
}

impl Trace {
    pub(super) fn new(connection: u64, direction: Direction, may_be_compressed: bool, limit: usize) -> Self {
        Self { connection, direction, may_be_compressed, limit, open: None, payload: Vec::new(), is_cut: false, ended: Vec::new() }
    }

    /// A frame begins at that stream offset.
    pub(super) fn begin(&mut self, header: &Header, start: u64) {
        self.payload.clear();
        self.is_cut = false;
        self.open = Some(WebSocketFrame {
            connection: self.connection,
            direction: self.direction,
            fin: header.fin,
            rsv: header.rsv,
            may_be_compressed: self.may_be_compressed,
            opcode: header.opcode,
            masking_key: header.masking_key,
            header_len: header.len,
            payload_len: header.payload_len,
            payload: Box::default(),
            is_complete: false,
            start,
            end: start,
            cost: Provenance::default(),
        });
    }

    /// Payload data of the frame that began last, unmasked.
    pub(super) fn data(&mut self, payload: &[u8]) {
        let room = if self.is_cut { 0 } else { self.limit - self.payload.len() };
        self.payload.extend_from_slice(&payload[..payload.len().min(room)]);
    }

    /// Payload data of it was not captured.
    pub(super) fn missing(&mut self) {
        self.is_cut = true;
    }

    /// Octets up to that stream offset were consumed for it.
    pub(super) fn consumed(&mut self, cost: Provenance, end: u64) {
        if let Some(open) = &mut self.open {
            open.cost += cost;
            open.end = end;
        }
    }

    /// The frame has ended; with `is_complete` false, too early.
    pub(super) fn end(&mut self, is_complete: bool) {
        if let Some(mut frame) = self.open.take() {
            frame.is_complete = is_complete;
            frame.payload = self.payload.as_slice().into();
            self.ended.push(frame);
        }
    }

    pub(super) fn take(&mut self) -> Vec<WebSocketFrame> {
        std::mem::take(&mut self.ended)
    }
}
