//! Facts of a connection's transport, in the words of Wireshark's TCP analysis.

use super::Direction;

/// What a segment shows of trouble on its way, as Wireshark's User's Guide defines it ("TCP Analysis"); the names are
/// those of `tcp.analysis.*`.
///
/// A segment has at most one of [`Retransmission`](Self::Retransmission),
/// [`FastRetransmission`](Self::FastRetransmission), [`SpuriousRetransmission`](Self::SpuriousRetransmission),
/// [`OutOfOrder`](Self::OutOfOrder) and [`KeepAlive`](Self::KeepAlive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TcpAnalysis {
    /// Begins before the next octet expected, for no better reason below.
    Retransmission = 0,
    /// Begins at what two duplicate ACKs asked for, within 20 ms.
    FastRetransmission = 1,
    /// Was wholly acknowledged before.
    SpuriousRetransmission = 2,
    /// Begins before the next octet expected, but follows too soon to have been sent again.
    OutOfOrder = 3,
    /// Begins beyond the next octet expected: one before it was not captured, or not yet.
    LostSegment = 4,
    /// Acknowledges octets that were not captured.
    AckLostSegment = 5,
    /// Acknowledges the same octet again and says nothing else.
    DuplicateAck = 6,
    /// One octet, or none, before the next one expected.
    KeepAlive = 7,
    /// Answers a keep-alive.
    KeepAliveAck = 8,
    /// The sender has no room.
    ZeroWindow = 9,
    /// One octet, sent to a peer that has no room.
    ZeroWindowProbe = 10,
    /// Answers such a probe: still no room.
    ZeroWindowProbeAck = 11,
    /// Fills the peer's window to its end.
    WindowFull = 12,
    /// Changes nothing but the window.
    WindowUpdate = 13,
    /// A SYN that begins a connection on the ports of an earlier one.
    ReusedPorts = 14,
}

impl TcpAnalysis {
    /// All of them, in the order of rows and reports.
    pub const ALL: [Self; 15] = [
        Self::Retransmission,
        Self::FastRetransmission,
        Self::SpuriousRetransmission,
        Self::OutOfOrder,
        Self::LostSegment,
        Self::AckLostSegment,
        Self::DuplicateAck,
        Self::KeepAlive,
        Self::KeepAliveAck,
        Self::ZeroWindow,
        Self::ZeroWindowProbe,
        Self::ZeroWindowProbeAck,
        Self::WindowFull,
        Self::WindowUpdate,
        Self::ReusedPorts,
    ];

    /// The name in rows and reports: Wireshark's field without `tcp.analysis.`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retransmission => "retransmission",
            Self::FastRetransmission => "fast_retransmission",
            Self::SpuriousRetransmission => "spurious_retransmission",
            Self::OutOfOrder => "out_of_order",
            Self::LostSegment => "lost_segment",
            Self::AckLostSegment => "ack_lost_segment",
            Self::DuplicateAck => "duplicate_ack",
            Self::KeepAlive => "keep_alive",
            Self::KeepAliveAck => "keep_alive_ack",
            Self::ZeroWindow => "zero_window",
            Self::ZeroWindowProbe => "zero_window_probe",
            Self::ZeroWindowProbeAck => "zero_window_probe_ack",
            Self::WindowFull => "window_full",
            Self::WindowUpdate => "window_update",
            Self::ReusedPorts => "reused_ports",
        }
    }
}

/// Segments by what they show, and by who sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpAnalysisCounts([[u64; 2]; TcpAnalysis::ALL.len()]);

impl TcpAnalysisCounts {
    /// Counts a segment.
    pub fn add(&mut self, kind: TcpAnalysis, direction: Direction) {
        self.0[kind as usize][direction as usize] += 1;
    }

    /// Segments of a kind that one side sent.
    pub fn get(&self, kind: TcpAnalysis, direction: Direction) -> u64 {
        self.0[kind as usize][direction as usize]
    }

    /// Segments of a kind, of both sides.
    pub fn of_kind(&self, kind: TcpAnalysis) -> u64 {
        self.0[kind as usize].iter().sum()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn swap_directions(&mut self) {
        self.0.iter_mut().for_each(|directions| directions.swap(0, 1));
    }
}

impl std::ops::AddAssign for TcpAnalysisCounts {
    fn add_assign(&mut self, other: Self) {
        for (sum, part) in self.0.iter_mut().flatten().zip(other.0.iter().flatten()) {
            *sum += part;
        }
    }
}

/// Round-trip times: from a data segment to the ACK that ends where it ends (`tcp.analysis.ack_rtt`), as seen from where
/// the capture was made. Data sent again gives none (Karn's rule, RFC 6298 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrips {
    /// Samples.
    pub count: u64,
    /// Their sum, in nanoseconds.
    pub sum_ns: u64,
    /// The shortest, in nanoseconds; 0 without samples.
    pub min_ns: u64,
    /// The longest, in nanoseconds.
    pub max_ns: u64,
}

impl RoundTrips {
    /// Takes a sample.
    #[inline]
    pub fn add(&mut self, ns: u64) {
        self.min_ns = if self.count == 0 { ns } else { self.min_ns.min(ns) };
        self.max_ns = self.max_ns.max(ns);
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.count += 1;
    }

    /// Takes a sample in seconds; negative ones (the capture clock stepped back) tell nothing and are left out.
    pub fn add_seconds(&mut self, seconds: Option<f64>) {
        if let Some(seconds) = seconds.filter(|&seconds| seconds >= 0.0) {
            self.add((seconds * 1e9).round() as u64);
        }
    }

    /// The mean, in seconds; `None` without samples.
    pub fn mean_s(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ns as f64 / self.count as f64 / 1e9)
    }

    /// The shortest, in seconds; `None` without samples.
    pub fn min_s(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min_ns as f64 / 1e9)
    }

    /// The longest, in seconds; `None` without samples.
    pub fn max_s(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max_ns as f64 / 1e9)
    }
}

impl std::ops::AddAssign for RoundTrips {
    fn add_assign(&mut self, other: Self) {
        if other.count > 0 {
            self.min_ns = if self.count == 0 { other.min_ns } else { self.min_ns.min(other.min_ns) };
            self.max_ns = self.max_ns.max(other.max_ns);
            self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
            self.count += other.count;
        }
    }
}

/// What one side's SYN announced, and what was seen of the data it sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TcpSide {
    /// Maximum segment size, in octets.
    pub mss: Option<u16>,
    /// Shift of its windows (RFC 7323 §2); `None` when its SYN was not captured or has no such option.
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018 §2); `None` when its SYN was not captured.
    pub sack_permitted: Option<bool>,
    /// Timestamps (RFC 7323 §3); `None` when its SYN was not captured.
    pub timestamps: Option<bool>,
    /// Most octets on their way at a time: sent and not acknowledged (`tcp.analysis.bytes_in_flight`).
    pub max_bytes_in_flight: u32,
    /// Of the data it sent.
    pub round_trips: RoundTrips,
}

/// Facts of a connection's transport.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TcpFacts {
    /// Segments in both directions.
    pub segments: u64,
    /// Segments that brought no new byte though they carried some.
    pub retransmitted_segments: u64,
    /// Octets sent again.
    pub retransmitted_bytes: u64,
    /// Segments that arrived before an earlier one.
    pub out_of_order_segments: u64,
    /// Copies of its packets that were captured too; not among `segments`.
    pub duplicate_segments: u64,
    /// Octets that were sent and not captured.
    pub lost_bytes: u64,
    /// From SYN to the ACK that completes the three-way handshake, in seconds (`tcp.analysis.initial_rtt`).
    pub initial_rtt_s: Option<f64>,
    /// The client and the server.
    pub sides: [TcpSide; 2],
    /// Segments that Wireshark's analysis would mark; `None` when there is none, as on most connections.
    pub analysis: Option<Box<TcpAnalysisCounts>>,
}

impl TcpFacts {
    /// The facts of what one direction's sender did.
    pub fn side(&self, sender: Direction) -> &TcpSide {
        &self.sides[sender as usize]
    }

    /// Segments of a kind that one side sent.
    pub fn analysis(&self, kind: TcpAnalysis, direction: Direction) -> u64 {
        self.analysis.as_ref().map_or(0, |counts| counts.get(kind, direction))
    }

    /// Counts a segment.
    #[cold]
    pub(crate) fn mark(&mut self, kind: TcpAnalysis, direction: Direction) {
        self.analysis.get_or_insert_default().add(kind, direction);
    }

    /// Exchanges the two directions: who is the client was learned late.
    pub(crate) fn swap_directions(&mut self) {
        self.sides.swap(0, 1);
        if let Some(counts) = &mut self.analysis {
            counts.swap_directions();
        }
    }
}
