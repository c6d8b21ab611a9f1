//! The ledger of one connection: every octet on the wire is booked once.

use crate::message::{Application, Bucket, Buckets, Direction, Side};

/// Octets of one connection: what came in, and where it was booked.
///
/// Thousands of connections are open at a time, and few of them fill more than a handful of the cells that [`Buckets`] has.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Ledger {
    wire_bytes: u64,
    sides: [u64; Side::ALL.len()],
    /// The cells that most connections fill, by place and direction.
    usual: [[u64; 2]; USUAL.len()],
    /// All others.
    rest: Option<Box<Rest>>,
}

/// What few connections fill.
#[derive(Debug, Default)]
struct Rest {
    buckets: Buckets,
    /// The frame that first sent something again.
    retransmission: Option<u64>,
}

/// What most connections fill: the handshake comes before any application is known, and then there is one.
const USUAL: [(Application, Bucket); 5] = [
    (Application::None, Bucket::TcpSetup),
    (Application::Http, Bucket::Acknowledgements),
    (Application::WebSocket, Bucket::Acknowledgements),
    (Application::Http, Bucket::Teardown),
    (Application::WebSocket, Bucket::Teardown),
];

const HTTP_ACKNOWLEDGEMENTS: usize = 1;
const WEBSOCKET_ACKNOWLEDGEMENTS: usize = 2;

/// Where in [`USUAL`] a cell lies.
#[inline]
fn usual_place(application: Application, bucket: Bucket) -> Option<usize> {
    USUAL.iter().position(|&cell| cell == (application, bucket))
}

impl Ledger {
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        // Of either application: to ask which one runs would take longer.
        self.wire_bytes ^ self.usual[HTTP_ACKNOWLEDGEMENTS][0] ^ self.usual[WEBSOCKET_ACKNOWLEDGEMENTS][0]
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
        match usual_place(application, bucket) {
            Some(place) => self.usual[place][direction as usize] += bytes,
            None => self.book_unusual(application, bucket, direction, bytes),
        }
    }

    #[cold]
    fn book_unusual(&mut self, application: Application, bucket: Bucket, direction: Direction, bytes: u64) {
        if bytes > 0 {
            self.rest.get_or_insert_default().buckets.add(application, bucket, direction, bytes);
        }
    }

    /// Something was sent again in a frame.
    #[cold]
    pub(crate) fn note_retransmission(&mut self, frame: u64) {
        self.rest.get_or_insert_default().retransmission.get_or_insert(frame);
    }

    /// The frame that first sent something again.
    pub(crate) fn first_retransmission(&self) -> Option<u64> {
        self.rest.as_ref()?.retransmission
    }

    /// Exchanges the two directions: who is the client was learned late.
    pub(crate) fn swap_directions(&mut self) {
        self.usual.iter_mut().for_each(|directions| directions.swap(0, 1));
        if let Some(rest) = &mut self.rest {
            rest.buckets = rest.buckets.with_swapped_directions();
        }
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
        let mut buckets = self.rest.as_ref().map(|rest| rest.buckets).unwrap_or_default();
        for ((application, bucket), cell) in USUAL.into_iter().zip(self.usual) {
            for (direction, bytes) in Direction::BOTH.into_iter().zip(cell) {
                buckets.add(application, bucket, direction, bytes);
            }
        }
        buckets
    }

    /// What came in less what was booked: 0 when the connection has ended.
    pub(crate) fn difference(&self) -> i128 {
        i128::from(self.wire_bytes) - i128::from(self.sides.iter().sum::<u64>()) - i128::from(self.buckets().total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_keeps_what_is_booked_there_in_either_direction() {
        let (mut ledger, mut buckets) = (Ledger::default(), Buckets::default());
        let cells = Application::ALL.into_iter().flat_map(|application| Bucket::ALL.map(|bucket| (application, bucket)));
        for ((application, bucket), bytes) in cells.clone().zip(1..).chain(cells.zip(100..)) {
            ledger.book(application, bucket, Direction::ClientToServer, bytes);
            ledger.book(application, bucket, Direction::ServerToClient, 1000 * bytes);
            buckets.add(application, bucket, Direction::ClientToServer, bytes);
            buckets.add(application, bucket, Direction::ServerToClient, 1000 * bytes);
        }
        assert_eq!(ledger.buckets(), buckets);
        assert_eq!(ledger.difference(), -i128::from(buckets.total()));
        ledger.swap_directions();
        assert_eq!(ledger.buckets(), buckets.with_swapped_directions());
    }
}
