//! The connections that cost the most.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::AddAssign;

use crate::message::ConnectionRow;

/// Largest connections kept.
const KEPT: usize = 20;

/// A connection as the report's list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LargestConnection {
    /// Its number (`tcp.stream`).
    pub connection: u64,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// Number of its first frame.
    pub first_frame: u64,
    /// Number of its last frame.
    pub last_frame: u64,
    /// From its first frame to its last, in seconds.
    pub duration_s: f64,
    /// What was spoken, in order.
    pub protocols: Vec<&'static str>,
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// Octets on the wire of its exchanges and messages, by [`Side`](crate::message::Side).
    pub side_wire_bytes: [u64; 4],
    /// What no message owns.
    pub bucket_bytes: u64,
    /// Host and target of its WebSocket.
    pub websocket: Option<(Option<String>, Option<String>)>,
}

impl LargestConnection {
    fn new(row: &ConnectionRow) -> Self {
        Self {
            connection: row.connection,
            client: row.client,
            server: row.server,
            first_frame: row.first.number,
            last_frame: row.last.number,
            duration_s: row.last.time.seconds_since(row.first.time),
            protocols: row.protocols.to_vec(),
            wire_bytes: row.wire_bytes,
            side_wire_bytes: row.side_wire_bytes,
            bucket_bytes: row.buckets.total(),
            websocket: row.websocket.as_ref().map(|facts| (facts.host.clone(), facts.target.clone())),
        }
    }
}

/// The 20 largest connections, of two alike the earlier one: parts merge in any order to the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Largest(BTreeMap<(Reverse<u64>, u64), Box<LargestConnection>>);

impl Largest {
    /// Keeps a connection if it is one of them.
    pub(super) fn add(&mut self, row: &ConnectionRow) {
        let key = (Reverse(row.wire_bytes), row.connection);
        if self.0.len() >= KEPT && self.0.last_key_value().is_some_and(|(last, _)| key > *last) {
            return;
        }
        self.0.insert(key, Box::new(LargestConnection::new(row)));
        self.bound();
    }

    /// Largest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &LargestConnection> {
        self.0.values().map(|connection| &**connection)
    }

    fn bound(&mut self) {
        while self.0.len() > KEPT {
            self.0.pop_last();
        }
    }
}

impl AddAssign<&Self> for Largest {
    fn add_assign(&mut self, other: &Self) {
        for (key, connection) in &other.0 {
            self.0.insert(*key, connection.clone());
        }
        self.bound();
    }
}
