//! What connections pay beside their messages.

use super::{Application, Direction};

/// Why bytes that no message owns were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Bucket {
    /// SYN, SYN+ACK, the ACK that completes.
    TcpSetup = 0,
    /// TLS handshake and change-cipher-spec records with their carriers.
    TlsSetup = 1,
    /// Segments without payload that acknowledge, window updates.
    Acknowledgements = 2,
    /// Bytes sent again, and whole segments that brought nothing new.
    Retransmissions = 3,
    /// TCP keep-alives, zero-window probes and their answers.
    KeepAlive = 4,
    /// FIN, RST, TLS alerts.
    Teardown = 5,
    /// Bytes no parser could own: opaque protocols, damage, what stayed unread.
    Unattributed = 6,
}

impl Bucket {
    /// All buckets in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::TcpSetup,
        Self::TlsSetup,
        Self::Acknowledgements,
        Self::Retransmissions,
        Self::KeepAlive,
        Self::Teardown,
        Self::Unattributed,
    ];

    /// The name in rows and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TcpSetup => "tcp_setup",
            Self::TlsSetup => "tls_setup",
            Self::Acknowledgements => "acknowledgements",
            Self::Retransmissions => "retransmissions",
            Self::KeepAlive => "keep_alive",
            Self::Teardown => "teardown",
            Self::Unattributed => "unattributed",
        }
    }
}

/// Octets on the wire that no message owns, by application at the time, bucket and direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buckets([[[u64; 2]; 7]; 3]);

impl Buckets {
    /// Books octets.
    #[inline]
    pub fn add(&mut self, application: Application, bucket: Bucket, direction: Direction, bytes: u64) {
        self.0[application as usize][bucket as usize][direction as usize] += bytes;
    }

    /// Octets of one cell.
    pub fn get(&self, application: Application, bucket: Bucket, direction: Direction) -> u64 {
        self.0[application as usize][bucket as usize][direction as usize]
    }

    /// Octets of a bucket in one direction, over all applications.
    pub fn in_direction(&self, bucket: Bucket, direction: Direction) -> u64 {
        Application::ALL.iter().map(|&application| self.get(application, bucket, direction)).sum()
    }

    /// Octets of a bucket.
    pub fn of_bucket(&self, bucket: Bucket) -> u64 {
        Direction::BOTH.iter().map(|&direction| self.in_direction(bucket, direction)).sum()
    }

    /// The same octets with the two directions exchanged.
    pub(crate) fn with_swapped_directions(mut self) -> Self {
        self.0.iter_mut().flatten().for_each(|directions| directions.swap(0, 1));
        self
    }

    /// Octets of all buckets.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().flatten().sum()
    }
}

impl std::ops::AddAssign for Buckets {
    fn add_assign(&mut self, other: Self) {
        for (sum, part) in self.0.iter_mut().flatten().flatten().zip(other.0.iter().flatten().flatten()) {
            *sum += part;
        }
    }
}
