//! The ledger of one connection: every octet on the wire is booked once.

use crate::message::{Application, Bucket, Buckets, Direction, Side};

/// Octets of one connection: what came in, and where it was booked.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Ledger {
    wire_bytes: u64,
    sides: [u64; Side::ALL.len()],
    buckets: Buckets,
}

impl Ledger {
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        // Of either application: to ask which one runs would take longer.
        let acknowledgments = |application| self.buckets.get(application, Bucket::Acknowledgements, Direction::ClientToServer);
        self.wire_bytes ^ acknowledgments(Application::Http) ^ acknowledgments(Application::WebSocket)
    }

    /// A frame of the connection came in: `frame.len`.
    #[inline]
    pub(crate) fn receive(&mut self, len: u64) {
        self.wire_bytes += len;
    }

    /// A row was charged to a side.
    #[inline]
    pub(crate) fn book_message(&mut self, side: Side, wire_bytes: u64) {
        self.sides[side as usize] += wire_bytes;
    }

    /// Octets that no message owns.
    #[inline]
    pub(crate) fn book(&mut self, application: Application, bucket: Bucket, direction: Direction, bytes: u64) {
        self.buckets.add(application, bucket, direction, bytes);
    }

    /// Exchanges the two directions: who is the client was learned late.
    pub(crate) fn swap_directions(&mut self) {
        self.buckets = self.buckets.with_swapped_directions();
    }

    /// Σ `frame.len`.
    pub(crate) fn wire_bytes(&self) -> u64 {
        self.wire_bytes
    }

    /// Octets booked to messages, by side.
    pub(crate) fn sides(&self) -> [u64; Side::ALL.len()] {
        self.sides
    }

    /// Octets that no message owns.
    pub(crate) fn buckets(&self) -> Buckets {
        self.buckets
    }

    /// What came in less what was booked: 0 when the connection has ended.
    pub(crate) fn difference(&self) -> i128 {
        i128::from(self.wire_bytes) - i128::from(self.sides.iter().sum::<u64>()) - i128::from(self.buckets.total())
    }
}
