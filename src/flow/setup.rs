//! How a connection was set up: who is the client, and the three-way handshake (RFC 9293 §3.5).

use crate::message::TcpFacts;
use crate::packet::{ConnectionKey, Flags, Segment, Sender, SeqNumber};
use crate::stream::Timestamp;

/// Which endpoint is the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roles {
    pub(super) client: Sender,
    /// By a SYN or by the application; a guess by port otherwise.
    pub(super) certain: bool,
}

impl Roles {
    /// By the first segment seen: SYN and SYN+ACK are certain, else the lower port is the server's.
    pub(super) fn of_first(segment: &Segment<'_>) -> Self {
        if segment.flags.has(Flags::SYN) {
            let client = if segment.flags.has(Flags::ACK) { segment.sender.other() } else { segment.sender };
            return Self { client, certain: true };
        }
        let ports = [Sender::Low, Sender::High].map(|endpoint| segment.key.port(endpoint));
        let client = match ports[0].cmp(&ports[1]) {
            std::cmp::Ordering::Less => Sender::High,
            std::cmp::Ordering::Greater => Sender::Low,
            std::cmp::Ordering::Equal => segment.sender,
        };
        Self { client, certain: false }
    }

    pub(super) fn addresses(self, key: &ConnectionKey) -> (std::net::SocketAddr, std::net::SocketAddr) {
        (key.endpoint(self.client), key.endpoint(self.client.other()))
    }
}

/// Progress of the three-way handshake.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handshake {
    /// Initial sequence numbers, by direction.
    syn: [Option<SeqNumber>; 2],
    syn_time: Option<Timestamp>,
    complete: bool,
    /// Whether octets of a direction may have been sent before the first that was captured.
    late: [bool; 2],
}

impl Handshake {
    /// Whether a SYN was captured.
    pub(super) fn is_captured(&self) -> bool {
        self.syn != [None; 2]
    }

    /// Takes a SYN; whether it was seen before.
    pub(super) fn receive_syn(&mut self, direction: usize, segment: &Segment<'_>) -> bool {
        let again = self.syn[direction].replace(segment.seq) == Some(segment.seq);
        // Of one sent again, the last is the one most likely answered.
        if direction == 0 && !self.complete {
            self.syn_time = Some(segment.frame.time);
        }
        again
    }

    /// Whether a segment acknowledges the peer's SYN and nothing behind it (RFC 9293 §3.5): a SYN that does, or the client's first
    /// behind its own. (The server's first may have heard a request.)
    pub(super) fn acknowledges_syn(&self, direction: usize, segment: &Segment<'_>) -> bool {
        let is_first_of_client = || direction == 0 && self.syn[0].is_some_and(|syn| syn + 1 == segment.seq);
        segment.flags.has(Flags::SYN) || is_first_of_client()
    }

    /// A direction begins with a segment that may not be its first.
    pub(super) fn begin_late(&mut self, direction: usize) {
        self.late[direction] = true;
    }

    /// Whether a direction began with one.
    pub(super) fn is_late(&self, direction: usize) -> bool {
        self.late[direction]
    }

    /// Takes any other segment; whether it is the client's first after the server's SYN, which completes the handshake.
    #[inline]
    pub(super) fn completes(&mut self, direction: usize, segment: &Segment<'_>, facts: &mut TcpFacts) -> bool {
        if self.complete || direction != 0 || self.syn[1].is_none() || !segment.flags.has(Flags::ACK) {
            return false;
        }
        self.complete = true;
        facts.initial_rtt_s = self.syn_time.map(|start| segment.frame.time.seconds_since(start));
        true
    }

    /// Whether no segment but a SYN can change it any more.
    pub(super) fn is_settled(&self) -> bool {
        self.complete || self.syn[1].is_none()
    }

    /// Exchanges the two directions.
    pub(super) fn swap_directions(&mut self) {
        self.syn.swap(0, 1);
        self.late.swap(0, 1);
    }
}
