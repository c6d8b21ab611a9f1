//! How exchanges and messages used their connections.

use std::ops::AddAssign;

use super::histogram::Distribution;
use super::sighting::{FirstFrames, Sighting};
use crate::message::{Bucket, ConnectionRow};

/// How exchanges used connections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionUse {
    /// Exchanges on each connection.
    pub exchanges: Distribution,
    /// Connections with a single exchange: octets of their set-up and teardown.
    pub single: Sighting,
    /// From the SYN to the first request, in nanoseconds.
    pub time_to_first_request_ns: Distribution,
    /// From the SYN to the ACK that completes the three-way handshake, in nanoseconds.
    pub initial_rtt_ns: Distribution,
    /// From a WebSocket opening handshake's first octet to its last, in nanoseconds.
    pub opening_handshake_ns: Distribution,
    /// Where connections first sent something again.
    pub retransmissions: FirstFrames,
}

impl ConnectionUse {
    /// Adds a connection that exchanges or messages used.
    pub(super) fn add(&mut self, row: &ConnectionRow) {
        self.exchanges.add(row.exchanges);
        self.time_to_first_request_ns.add_seconds(row.time_to_first_request_s);
        self.initial_rtt_ns.add_seconds(row.tcp.initial_rtt_s);
        row.first_retransmission.into_iter().for_each(|frame| self.retransmissions.add(frame));
        if row.exchanges == 1 && row.websocket.is_none() {
            let paid = [Bucket::TcpSetup, Bucket::TlsSetup, Bucket::Teardown].map(|bucket| row.buckets.of_bucket(bucket));
            self.single.add(paid.iter().sum(), row.first.number);
        }
    }
}

impl AddAssign<&Self> for ConnectionUse {
    fn add_assign(&mut self, other: &Self) {
        self.exchanges += &other.exchanges;
        self.single += other.single;
        self.time_to_first_request_ns += &other.time_to_first_request_ns;
        self.initial_rtt_ns += &other.initial_rtt_ns;
        self.opening_handshake_ns += &other.opening_handshake_ns;
        self.retransmissions += other.retransmissions;
    }
}
