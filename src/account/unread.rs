//! Octets that no parser could read, by what hides them.

use std::ops::AddAssign;

use crate::message::{Bucket, ConnectionRow};

/// What lies in `unattributed`, set-up and acknowledgements not counted: octets on the wire, and their connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Of TLS connections.
    pub encrypted_bytes: u64,
    /// TLS connections with octets that nothing could read.
    pub encrypted_connections: u64,
    /// Of other connections.
    pub opaque_bytes: u64,
    /// Of [`opaque_bytes`](Self::opaque_bytes), those of HTTP/2 (RFC 9113), which is not read.
    pub http2_bytes: u64,
    /// Connections that speak it.
    pub http2_connections: u64,
}

impl Unread {
    /// Adds what a connection holds.
    pub(super) fn add(&mut self, row: &ConnectionRow) {
        let unattributed = row.buckets.of_bucket(Bucket::Unattributed);
        if row.protocols.contains(&"tls") {
            self.encrypted_bytes += unattributed;
            self.encrypted_connections += u64::from(unattributed > 0);
            return;
        }
        self.opaque_bytes += unattributed;
        if row.protocols.contains(&"http/2") {
            self.http2_bytes += unattributed;
            self.http2_connections += 1;
        }
    }
}

impl AddAssign for Unread {
    fn add_assign(&mut self, other: Self) {
        self.encrypted_bytes += other.encrypted_bytes;
        self.encrypted_connections += other.encrypted_connections;
        self.opaque_bytes += other.opaque_bytes;
        self.http2_bytes += other.http2_bytes;
        self.http2_connections += other.http2_connections;
    }
}
