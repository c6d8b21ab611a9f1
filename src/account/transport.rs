//! What the transport of all connections suffered.

use std::ops::AddAssign;

use crate::message::{RoundTrips, TcpAnalysisCounts, TcpFacts};

/// The facts of connections, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transport {
    /// Segments, copies left out.
    pub segments: u64,
    /// Segments that brought no new byte though they carried some.
    pub retransmitted_segments: u64,
    /// Octets sent again.
    pub retransmitted_bytes: u64,
    /// Segments that arrived before an earlier one.
    pub out_of_order_segments: u64,
    /// Further copies of packets.
    pub duplicate_segments: u64,
    /// Of the clients' data and of the servers'.
    pub round_trips: [RoundTrips; 2],
    /// Segments that Wireshark's analysis would mark.
    pub analysis: TcpAnalysisCounts,
}

impl Transport {
    pub(super) fn add(&mut self, facts: &TcpFacts) {
        self.segments += facts.segments;
        self.retransmitted_segments += facts.retransmitted_segments;
        self.retransmitted_bytes += facts.retransmitted_bytes;
        self.out_of_order_segments += facts.out_of_order_segments;
        self.duplicate_segments += facts.duplicate_segments;
        for (sum, side) in self.round_trips.iter_mut().zip(&facts.sides) {
            *sum += side.round_trips;
        }
        if let Some(counts) = &facts.analysis {
            self.analysis += **counts;
        }
    }
}

impl AddAssign for Transport {
    fn add_assign(&mut self, other: Self) {
        self.segments += other.segments;
        self.retransmitted_segments += other.retransmitted_segments;
        self.retransmitted_bytes += other.retransmitted_bytes;
        self.out_of_order_segments += other.out_of_order_segments;
        self.duplicate_segments += other.duplicate_segments;
        for (sum, part) in self.round_trips.iter_mut().zip(other.round_trips) {
            *sum += part;
        }
        self.analysis += other.analysis;
    }
}
