//! The report's `engine_io`: what sessions paid before they talked over WebSocket.

use serde::Serialize;

use crate::account::{EngineIo, Paid, Session};
use crate::analysis::ratio;

/// The engine.io sessions of a capture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct EngineIoReport {
    /// Those that upgraded to WebSocket, until they had.
    pub upgraded: SessionsReport,
    /// Those that stayed with polls, all of them.
    pub polling: SessionsReport,
    /// Exchanges of sessions beyond the 4096 that are told apart.
    pub unlisted: PaidReport,
}

/// What sessions paid.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct SessionsReport {
    /// Sessions.
    pub sessions: u64,
    /// Polls whose answer opened one.
    pub handshakes: PaidReport,
    /// Further polls.
    pub polls: PaidReport,
    /// WebSocket opening handshakes.
    pub websocket_handshakes: PaidReport,
    /// Messages of the probe.
    pub probes: PaidReport,
    /// All of it.
    pub wire_bytes: u64,
    /// The same for each session.
    pub wire_bytes_per_session: Option<f64>,
}

/// Rows of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct PaidReport {
    /// How many.
    pub count: u64,
    /// Octets on the wire.
    pub wire_bytes: u64,
    /// The same for each session; `None` where sessions are not told apart.
    pub wire_bytes_per_session: Option<f64>,
}

impl PaidReport {
    fn new(paid: Paid, sessions: u64) -> Self {
        Self { count: paid.count, wire_bytes: paid.wire_bytes, wire_bytes_per_session: ratio(paid.wire_bytes, sessions) }
    }
}

impl SessionsReport {
    fn new((sessions, paid): (u64, Session)) -> Self {
        let wire_bytes = paid.wire_bytes();
        Self {
            sessions,
            handshakes: PaidReport::new(paid.handshake, sessions),
            polls: PaidReport::new(paid.polls, sessions),
            websocket_handshakes: PaidReport::new(paid.websocket_handshake, sessions),
            probes: PaidReport::new(paid.probe, sessions),
            wire_bytes,
            wire_bytes_per_session: ratio(wire_bytes, sessions),
        }
    }
}

impl EngineIoReport {
    /// `None` where the capture holds no session.
    pub(super) fn new(sessions: &EngineIo) -> Option<Self> {
        let report = Self {
            upgraded: SessionsReport::new(sessions.upgraded()),
            polling: SessionsReport::new(sessions.stayed()),
            unlisted: PaidReport::new(sessions.unlisted(), 0),
        };
        (report.upgraded.sessions + report.polling.sessions > 0).then_some(report)
    }
}
