//! The report's `tcp`: what the transport of all connections suffered.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::Transport;
use crate::message::{Direction, RoundTrips, TcpAnalysis};

/// The facts of all connections, in the words of Wireshark's TCP analysis.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TransportReport {
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
    /// From data to its ACK, by who sent the data.
    pub ack_rtt: BothWays<RoundTripReport>,
    /// Segments by what they show (`tcp.analysis.*`) and who sent them; every kind is there.
    #[cfg_attr(feature = "cli", schemars(extend("propertyNames" = {"enum": TcpAnalysis::ALL.map(TcpAnalysis::name)}, "required" = TcpAnalysis::ALL.map(TcpAnalysis::name))))]
    pub analysis: BTreeMap<&'static str, BothWays<u64>>,
}

/// A figure for each direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Deserialize), schemars(rename = "BothWays_{T}"))]
pub struct BothWays<T> {
    /// Of what clients sent.
    pub client_to_server: T,
    /// Of what servers sent.
    pub server_to_client: T,
}

/// Round-trip times, in seconds; `None` without samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RoundTripReport {
    /// Samples.
    pub count: u64,
    /// The shortest.
    pub min_s: Option<f64>,
    /// The mean.
    pub mean_s: Option<f64>,
    /// The longest.
    pub max_s: Option<f64>,
}

impl RoundTripReport {
    pub(super) fn new(times: &RoundTrips) -> Self {
        Self { count: times.count, min_s: times.min_s(), mean_s: times.mean_s().map(nanoseconds), max_s: times.max_s() }
    }
}

/// Rounded to what the capture's clock can tell.
fn nanoseconds(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e9
}

impl TransportReport {
    pub(super) fn new(sums: &Transport) -> Self {
        let of_kind = |kind| {
            let [client_to_server, server_to_client] = Direction::BOTH.map(|direction| sums.analysis.get(kind, direction));
            (kind.name(), BothWays { client_to_server, server_to_client })
        };
        let [client_to_server, server_to_client] = [0, 1].map(|side: usize| RoundTripReport::new(&sums.round_trips[side]));
        Self {
            segments: sums.segments,
            retransmitted_segments: sums.retransmitted_segments,
            retransmitted_bytes: sums.retransmitted_bytes,
            out_of_order_segments: sums.out_of_order_segments,
            duplicate_segments: sums.duplicate_segments,
            ack_rtt: BothWays { client_to_server, server_to_client },
            analysis: TcpAnalysis::ALL.into_iter().map(of_kind).collect(),
        }
    }
}
