//! The report: what a capture holds and what it cost, as plain data with a schema version; one file for each format.

mod clock;
mod costs;
#[cfg(feature = "cli")]
pub mod csv;
mod digits;
pub(crate) mod encode;
mod engine_io;
pub mod json;
mod line;
pub mod listing;
pub mod ndjson;
#[cfg(feature = "cli")]
mod number;
#[cfg(feature = "cli")]
pub mod page;
mod polling;
#[cfg(feature = "cli")]
pub mod schema;
mod side;
#[cfg(feature = "cli")]
pub mod table;
pub mod text;
pub mod transcript;
mod transport;
#[cfg(feature = "cli")]
mod verdict;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Serialize;

use crate::AnomalyCounts;
use crate::account::Summary;
use crate::analysis::comparison::{Basis, Comparison};
use crate::analysis::counterfactual::header_bytes;
use crate::analysis::findings::{Finding, findings};
use crate::analysis::{ratio, six_digits};
use crate::message::{Side, Totals};
use crate::options::{AjaxScope, Assumptions, Options};
use crate::stream::Timestamp;

pub use crate::options::thousands;
pub use engine_io::{EngineIoReport, PaidReport, SessionsReport};
pub use polling::{AddedWait, Batched, PollingReport};
pub use side::{
    ByDirection, CompressionReport, ConnectionUseReport, EnvelopeReport, EventsReport, FieldReport, Figures, HeaderFields, Latency,
    LayerMeans, OpcodeCount, PerExchange, PerMessage, SetUpReport, Shares, SideReport, Spread, SubprotocolReport,
};
pub use transport::{BothWays, RoundTripReport, TransportReport};

/// Raised when a field is renamed, removed or changes its meaning; not for new fields.
pub const SCHEMA_VERSION: u32 = 1;

/// Dearest endpoints listed.
const ENDPOINTS: usize = 500;

/// A report. Field names are stable: a metric is named by its path, such as `websocket.per_message.overhead_bytes.p95`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Report {
    /// Raised when a field is renamed, removed or changes its meaning; not for new fields.
    #[cfg_attr(feature = "cli", schemars(extend("const" = SCHEMA_VERSION)))]
    pub schema_version: u32,
    /// What wrote it.
    pub generator: Generator,
    /// The files, in the order of their first frames; those without one last.
    pub captures: Vec<CaptureFile>,
    /// How much of the capture the figures rest on.
    pub coverage: Coverage,
    /// What was asked for, as far as it changes the figures.
    pub settings: Settings,
    /// Both sides of the books.
    pub conservation: Conservation,
    /// Exchanges that a script made.
    pub ajax: SideReport,
    /// Messages of upgraded connections.
    pub websocket: SideReport,
    /// Event streams.
    pub server_sent_events: SideReport,
    /// Documents, images, scripts, …
    pub other_http: SideReport,
    /// Ajax against WebSocket.
    pub comparison: Comparison,
    /// Endpoints that are polled.
    pub polling: Vec<PollingReport>,
    /// What engine.io's sessions paid before they talked over WebSocket; `None` where there is none.
    pub engine_io: Option<EngineIoReport>,
    /// The 500 dearest endpoints, and what the rest of each side paid.
    pub endpoints: Vec<EndpointReport>,
    /// The 20 largest connections.
    pub connections: Vec<ConnectionReport>,
    /// What the transport of all connections suffered.
    pub tcp: TransportReport,
    /// What a person should do.
    pub findings: Vec<Finding>,
    /// What was odd.
    pub anomalies: Vec<AnomalyReport>,
}

/// What wrote a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Generator {
    /// `wiretare`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// A capture file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CaptureFile {
    /// File name without its directory.
    pub file: String,
    /// `pcap` or `pcapng`, with the compression in parentheses.
    pub format: String,
    /// Captured frames.
    pub packets: u64,
    /// Octets on the wire: Σ `frame.len`.
    pub wire_bytes: u64,
    /// Octets captured: Σ `frame.cap_len`.
    pub captured_bytes: u64,
    /// captured ÷ on the wire.
    pub captured_share: Option<f64>,
    /// Of its first frame: RFC 3339, UTC, nanoseconds; `None` without a frame.
    #[cfg_attr(feature = "cli", schemars(extend("format" = "date-time")))]
    pub first_time: Option<String>,
    /// From its first frame to its last, in seconds.
    pub duration_s: f64,
    /// Whether it ends in the middle of a record.
    pub truncated: bool,
}

/// How much of a capture was understood. All but `lost_bytes` sum to the octets on the wire, duplicates left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// Octets on the wire of exchanges, messages, and of connections beside them.
    pub understood_bytes: u64,
    /// Octets on the wire in TLS connections that nothing could read.
    pub encrypted_bytes: u64,
    /// Of these and of copies, parts of the octets on the wire.
    pub shares: CoverageShares,
    /// Octets that were sent and not captured.
    pub lost_bytes: u64,
    /// Octets on the wire that no parser could own.
    pub opaque_bytes: u64,
    /// Of these, octets of HTTP/2 (RFC 9113), which is recognised and not read.
    pub http2_bytes: u64,
    /// Octets on the wire of frames without TCP.
    pub not_tcp_bytes: u64,
    /// Connections seen.
    pub connections: u64,
    /// Of these, with octets that only a TLS key could open.
    pub encrypted_connections: u64,
    /// Of all connections, those that speak HTTP/2.
    pub http2_connections: u64,
    /// Of all connections, those without a single exchange or message.
    pub silent_connections: u64,
    /// What the frames without TCP carried, largest first.
    pub not_tcp: Vec<NotTcp>,
}

/// Parts of the octets on the wire, each ÷ all of them; `None` for an empty capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CoverageShares {
    /// Understood.
    pub understood: Option<f64>,
    /// In TLS connections that nothing could read.
    pub encrypted: Option<f64>,
    /// That no parser could own.
    pub opaque: Option<f64>,
    /// In frames without TCP.
    pub not_tcp: Option<f64>,
    /// Captured twice.
    pub duplicates: Option<f64>,
    /// Captured at all: less than 1 where packets were cut by a snap length.
    pub captured: Option<f64>,
}

/// A protocol of frames without TCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct NotTcp {
    /// Its name.
    pub name: String,
    /// Frames.
    pub packets: u64,
    /// Octets on the wire.
    pub wire_bytes: u64,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Settings {
    /// `detected` or `all`.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = ["detected", "all"])))]
    pub ajax: &'static str,
    /// The basis of verdict and tables.
    #[serde(serialize_with = "basis_name")]
    #[cfg_attr(feature = "cli", schemars(with = "String", extend("enum" = ["wire", "ip", "application"])))]
    pub basis: Basis,
    /// Whether compressed content was decoded.
    pub decode: bool,
    /// Decode-as hints as given.
    pub decode_as: Vec<String>,
    /// Filters as given, such as `host=*.example.org`.
    pub filters: Vec<String>,
    /// Whether equal addresses in different virtual networks are different connections.
    pub separate_networks: bool,
    /// What the counterfactual assumes.
    pub counterfactual: AssumedReport,
    /// Limits that are not the default ones, by name: octets, things or seconds.
    pub limits: BTreeMap<&'static str, u64>,
}

fn basis_name<S: serde::Serializer>(basis: &Basis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(basis.name())
}

/// What the counterfactual assumes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AssumedReport {
    /// Polls at this interval, in seconds; `None` for long polling.
    pub poll_interval_s: Option<f64>,
    /// `range`, `none` or `deflate`.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = ["range", "none", "deflate"])))]
    pub compression: &'static str,
    /// `range`, `own` or `shared`.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = ["range", "own", "shared"])))]
    pub requests: &'static str,
}

impl AssumedReport {
    fn new(assumptions: &Assumptions) -> Self {
        Self {
            poll_interval_s: assumptions.poll_interval.map(|interval| interval.as_secs_f64()),
            compression: assumptions.compression.name(),
            requests: assumptions.requests.name(),
        }
    }
}

impl Settings {
    /// What of an analysis' options changes its figures.
    pub fn new(options: &Options) -> Self {
        let ajax = match options.ajax {
            AjaxScope::Detected => "detected",
            AjaxScope::All => "all",
        };
        let chosen = [
            options.ajax_host.as_ref().map(|glob| format!("ajax_host={glob}")),
            options.ajax_path.as_ref().map(|glob| format!("ajax_path={glob}")),
        ];
        let limits = options.changed_limits().filter(|(limit, _)| !limit.is_display);
        Self {
            ajax,
            basis: Basis::Wire,
            decode: options.decode,
            decode_as: options.decode_as.iter().map(ToString::to_string).collect(),
            filters: chosen.into_iter().flatten().collect(),
            separate_networks: options.separate_networks,
            counterfactual: AssumedReport::new(&options.assumptions),
            limits: limits.map(|(limit, value)| (limit.name, value)).collect(),
        }
    }
}

/// Both sides of the books: `wire_bytes` = `messages` + `buckets` + `not_tcp` + `duplicates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Conservation {
    /// Σ `frame.len` of the capture.
    pub wire_bytes: u64,
    /// Octets on the wire of exchanges, messages and control frames.
    pub messages: u64,
    /// Octets on the wire that no message owns.
    pub buckets: u64,
    /// The part of `buckets` of connections without a message: charged to no side.
    pub unclaimed_buckets: u64,
    /// Octets on the wire of frames without TCP.
    pub not_tcp: u64,
    /// Octets on the wire of frames captured twice.
    pub duplicates: u64,
    /// `wire_bytes` less all the others: 0, always.
    #[cfg_attr(feature = "cli", schemars(extend("const" = 0)))]
    pub difference: i64,
}

/// What an endpoint paid.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EndpointReport {
    /// `ajax`, `websocket`, `server_sent_events` or `other_http`.
    #[cfg_attr(feature = "cli", schemars(with = "schema::names::SideName"))]
    pub side: &'static str,
    /// As sent; `None` when no host was named, and for what the other endpoints of the side paid together.
    pub host: Option<String>,
    /// Path template; `None` for what the other endpoints of the side paid together.
    pub path: Option<String>,
    /// Exchanges, or WebSocket messages.
    pub messages: u64,
    /// Octets on the wire of these.
    pub messages_wire_bytes: u64,
    /// The same for each.
    pub wire_bytes_per_message: Option<f64>,
    /// Its standard deviation.
    pub wire_bytes_stddev: Option<f64>,
    /// Octets on the wire, opening handshakes and control frames included.
    pub wire_bytes: u64,
    /// Octets on the wire that are not encoded content.
    pub overhead_bytes: u64,
    /// overhead ÷ wire.
    pub overhead_share: Option<f64>,
    /// Decoded content; `None` when it is known of no message.
    pub content_bytes: Option<u64>,
    /// From a request's first octet to its response's first.
    pub time_to_first_byte: RoundTripReport,
    /// From a request's first octet to its response's last; of WebSocket, from an ask to its answer, by the ids of envelopes.
    pub time_to_answer: RoundTripReport,
    /// First frame of its first message.
    pub first_frame: Option<u64>,
}

/// A large connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ConnectionReport {
    /// Its number (`tcp.stream`).
    pub connection: u64,
    /// Address and port of the client.
    pub client: SocketAddr,
    /// Address and port of the server.
    pub server: SocketAddr,
    /// Its first frame.
    pub first_frame: u64,
    /// Its last frame.
    pub last_frame: u64,
    /// From its first frame to its last, in seconds.
    pub duration_s: Option<f64>,
    /// What was spoken, in order.
    pub protocols: Vec<&'static str>,
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// Of these, octets of exchanges and messages.
    pub messages_wire_bytes: u64,
    /// Of these, octets that no message owns.
    pub buckets_wire_bytes: u64,
    /// Host of its WebSocket.
    pub websocket_host: Option<String>,
    /// Target of its WebSocket.
    pub websocket_target: Option<String>,
}

/// How often something odd was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct AnomalyReport {
    /// Its stable name.
    #[cfg_attr(feature = "cli", schemars(with = "schema::names::AnomalyKind"))]
    pub kind: &'static str,
    /// The section of a specification that it breaks, such as `RFC 6455 §5.1`.
    pub reference: Option<&'static str>,
    /// How often.
    pub count: u64,
    /// The first frame to look at; `None` where it belongs to no frame.
    pub first_frame: Option<u64>,
}

impl CaptureFile {
    /// Its place among others.
    fn place(&self) -> (bool, Option<&str>, &str) {
        (self.first_time.is_none(), self.first_time.as_deref(), &self.file)
    }
}

impl Report {
    /// The report of a capture: its files, what was asked for, its totals, and the sums of its rows.
    pub fn new(mut captures: Vec<CaptureFile>, settings: Settings, totals: &Totals, summary: &Summary) -> Self {
        let mut anomalies = totals.anomalies.clone();
        anomalies += summary.anomalies();
        // In whatever order they were given, they are the same capture.
        captures.sort_by(|a, b| a.place().cmp(&b.place()));
        let side = |side| SideReport::new(summary, side, totals.wire_bytes);
        Self {
            schema_version: SCHEMA_VERSION,
            generator: Generator { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            coverage: Coverage::new(&captures, totals, summary),
            captures,
            settings,
            conservation: Conservation::new(totals, summary),
            ajax: side(Side::Ajax),
            websocket: side(Side::WebSocket),
            server_sent_events: side(Side::ServerSentEvents),
            other_http: side(Side::OtherHttp),
            comparison: Comparison::new(summary),
            polling: PollingReport::list(summary.polls(), header_bytes(summary.side(Side::Ajax))),
            engine_io: EngineIoReport::new(summary.engine_io()),
            endpoints: endpoints(summary),
            connections: connections(summary),
            tcp: TransportReport::new(summary.transport()),
            findings: findings(summary),
            anomalies: anomaly_reports(&anomalies),
        }
    }
}

impl Coverage {
    fn new(captures: &[CaptureFile], totals: &Totals, summary: &Summary) -> Self {
        let owned = summary.rows_wire_bytes() + summary.buckets().total();
        let not_tcp =
            |(name, packets, wire_bytes): &(String, u64, u64)| NotTcp { name: name.clone(), packets: *packets, wire_bytes: *wire_bytes };
        let unread = summary.unread();
        let understood_bytes = owned.saturating_sub(unread.encrypted_bytes + unread.opaque_bytes);
        let share = |part: u64| ratio(part, totals.wire_bytes);
        Self {
            understood_bytes,
            shares: CoverageShares {
                understood: share(understood_bytes),
                encrypted: share(unread.encrypted_bytes),
                opaque: share(unread.opaque_bytes),
                not_tcp: share(totals.not_tcp_bytes),
                duplicates: share(totals.duplicate_bytes),
                captured: share(captures.iter().map(|capture| capture.captured_bytes).sum()),
            },
            encrypted_bytes: unread.encrypted_bytes,
            lost_bytes: summary.lost_bytes(),
            opaque_bytes: unread.opaque_bytes,
            http2_bytes: unread.http2_bytes,
            not_tcp_bytes: totals.not_tcp_bytes,
            connections: summary.connections(),
            encrypted_connections: unread.encrypted_connections,
            http2_connections: unread.http2_connections,
            silent_connections: summary.unclaimed_connections(),
            not_tcp: totals.not_tcp.iter().map(not_tcp).collect(),
        }
    }
}

impl Conservation {
    fn new(totals: &Totals, summary: &Summary) -> Self {
        let (messages, buckets) = (summary.rows_wire_bytes(), summary.buckets().total());
        let accounted = messages + buckets + totals.not_tcp_bytes + totals.duplicate_bytes;
        Self {
            wire_bytes: totals.wire_bytes,
            messages,
            buckets,
            unclaimed_buckets: summary.unclaimed().total(),
            not_tcp: totals.not_tcp_bytes,
            duplicates: totals.duplicate_bytes,
            difference: totals.wire_bytes.wrapping_sub(accounted) as i64,
        }
    }
}

fn endpoints(summary: &Summary) -> Vec<EndpointReport> {
    let report = |side: Side, host: Option<&str>, path: Option<&str>, figures: &crate::account::Endpoint| EndpointReport {
        side: side.name(),
        host: host.filter(|host| !host.is_empty()).map(str::to_owned),
        path: path.map(str::to_owned),
        messages: figures.messages,
        messages_wire_bytes: figures.messages_wire_bytes,
        wire_bytes: figures.wire_bytes,
        overhead_bytes: figures.overhead_bytes,
        wire_bytes_per_message: ratio(figures.messages_wire_bytes, figures.messages),
        wire_bytes_stddev: figures.wire_bytes_stddev().and_then(six_digits),
        overhead_share: ratio(figures.overhead_bytes, figures.wire_bytes),
        time_to_first_byte: RoundTripReport::new(&figures.to_first_byte),
        time_to_answer: RoundTripReport::new(&figures.to_answer),
        content_bytes: (figures.messages == 0 || figures.unknown_content_messages < figures.messages).then_some(figures.content_bytes),
        first_frame: figures.first_frame,
    };
    let all = summary.endpoints().dearest(usize::MAX);
    let (listed, unlisted) = all.split_at(all.len().min(ENDPOINTS));
    let mut reports: Vec<_> = listed.iter().map(|(key, figures)| report(key.side, Some(&key.host), Some(&key.path), figures)).collect();
    for side in Side::ALL {
        let mut rest = *summary.endpoints().other(side);
        unlisted.iter().filter(|(key, _)| key.side == side).for_each(|(_, figures)| rest += **figures);
        if rest.wire_bytes > 0 {
            reports.push(report(side, None, None, &rest));
        }
    }
    reports
}

fn connections(summary: &Summary) -> Vec<ConnectionReport> {
    let report = |connection: &crate::account::LargestConnection| {
        let (websocket_host, websocket_target) = connection.websocket.clone().unwrap_or_default();
        ConnectionReport {
            connection: connection.connection,
            client: connection.client,
            server: connection.server,
            first_frame: connection.first_frame,
            last_frame: connection.last_frame,
            duration_s: six_digits(connection.duration_s),
            protocols: connection.protocols.clone(),
            wire_bytes: connection.wire_bytes,
            messages_wire_bytes: connection.side_wire_bytes.iter().sum(),
            buckets_wire_bytes: connection.bucket_bytes,
            websocket_host,
            websocket_target,
        }
    };
    summary.largest_connections().map(report).collect()
}

fn anomaly_reports(anomalies: &AnomalyCounts) -> Vec<AnomalyReport> {
    let first_frame = |frame: u64| (frame > 0 && frame < u64::MAX).then_some(frame);
    let report = |(kind, count, frame): (crate::AnomalyKind, u64, u64)| AnomalyReport {
        kind: kind.name(),
        reference: kind.reference(),
        count,
        first_frame: first_frame(frame),
    };
    anomalies.iter().map(report).collect()
}

impl From<&crate::capture::CaptureFile> for CaptureFile {
    fn from(file: &crate::capture::CaptureFile) -> Self {
        let duration = file.first_time.zip(file.last_time).map_or(0.0, |(first, last)| last.seconds_since(first));
        Self {
            file: file.file.clone(),
            format: file.compression.map_or_else(|| file.format.to_owned(), |compression| format!("{} ({compression})", file.format)),
            packets: file.packets,
            wire_bytes: file.wire_bytes,
            captured_bytes: file.captured_bytes,
            captured_share: ratio(file.captured_bytes, file.wire_bytes),
            first_time: file.first_time.map(rfc_3339),
            duration_s: duration,
            truncated: file.truncated,
        }
    }
}

/// A capture time as rows and reports print it: RFC 3339, UTC, nanoseconds.
pub fn rfc_3339(time: Timestamp) -> String {
    String::from_utf8(clock::Clock::default().text(time).to_vec()).expect("digits and separators")
}

#[cfg(test)]
mod tests;
