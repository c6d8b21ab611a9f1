//! One side of the report: its sums, by direction, and how its messages are distributed.

mod figures;
mod parts;

pub(super) use figures::fractions;
pub use figures::{CompressionReport, Figures, LayerMeans, PerExchange, PerMessage, Spread};
pub use parts::{ConnectionUseReport, EnvelopeReport, EventsReport, FieldReport, HeaderFields, Latency, SetUpReport, SubprotocolReport};

use figures::octets;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::account::Summary;
use crate::analysis::ratio;
use crate::message::Side;

/// One side of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct SideReport {
    /// Connections with at least one row of the side.
    pub connections: u64,
    /// Exchanges; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchanges: Option<u64>,
    /// Exchanges without request or response, which was not captured or never sent: `per_exchange` is about the others; `None` for
    /// WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete_exchanges: Option<u64>,
    /// Exchanges that count as Ajax by one weak sign (`confidence` below 0.6); Ajax only.
    pub weak_exchanges: Option<u64>,
    /// Content-bearing WebSocket messages, or exchanges that brought content either way.
    pub deliveries: u64,
    /// Octets on the wire, all in, for each delivery; `None` where no exchange was captured whole.
    pub all_in_wire_bytes_per_delivery: Option<f64>,
    /// What is charged to the side ÷ the capture's octets on the wire.
    pub share_of_capture: Option<f64>,
    /// Both directions together.
    #[serde(flatten)]
    pub figures: Figures,
    /// Parts of `all_in_wire_bytes`, each ÷ all of it.
    pub shares_of_all_in: Shares,
    /// The same by direction.
    pub by_direction: ByDirection,
    /// Distributions of request and response together, over exchanges of which both were captured; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_exchange: Option<PerExchange>,
    /// Exchanges by final status code; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statuses: Option<BTreeMap<u16, u64>>,
    /// Opening handshakes that succeeded; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrades: Option<u64>,
    /// Opening handshakes that were refused, by reason, which are exchanges of another side; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_handshakes: Option<BTreeMap<&'static str, u64>>,
    /// Messages and control frames by opcode; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opcodes: Option<Vec<OpcodeCount>>,
    /// Connections by subprotocol, the first 64 in alphabetical order; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocols: Option<BTreeMap<String, u64>>,
    /// What connections paid for messages and control frames, by subprotocol; `None` for HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_subprotocol: Option<Vec<SubprotocolReport>>,
    /// What header fields cost, by name; of WebSocket those of opening handshakes.
    pub header_fields: HeaderFields,
    /// How long it took to set connections up.
    pub set_up: SetUpReport,
    /// How exchanges used connections; `None` for WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_use: Option<ConnectionUseReport>,
    /// Server-sent events in its responses; only of that side, `None` without a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventsReport>,
    /// What is inside its messages, by protocol.
    #[cfg_attr(feature = "cli", schemars(extend("propertyNames" = {"enum": crate::message::EnvelopeProtocol::ALL.map(crate::message::EnvelopeProtocol::name)})))]
    pub envelopes: BTreeMap<&'static str, EnvelopeReport>,
    /// How long answers took; `None` for HTTP, whose times stand in `per_message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Parts of what a side paid, each ÷ everything it paid; `None` where it paid nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Shares {
    /// Its messages.
    pub messages: Option<f64>,
    /// TCP and TLS set-up.
    pub setup: Option<f64>,
    /// WebSocket opening handshakes.
    pub upgrade: Option<f64>,
    /// Segments that only acknowledge.
    pub acknowledgements: Option<f64>,
    /// What was sent again.
    pub retransmissions: Option<f64>,
    /// TCP keep-alives and window probes.
    pub keep_alive: Option<f64>,
    /// Ping and Pong.
    pub liveness: Option<f64>,
    /// Close frames, FIN, RST, TLS alerts.
    pub teardown: Option<f64>,
    /// Octets that no parser could own.
    pub unattributed: Option<f64>,
}

/// The two directions of a side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ByDirection {
    /// Requests, or messages of clients.
    pub client_to_server: Figures,
    /// Responses, or messages of servers.
    pub server_to_client: Figures,
}

/// How often an opcode was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct OpcodeCount {
    /// Its name.
    #[cfg_attr(feature = "cli", schemars(with = "super::schema::names::OpcodeName"))]
    pub opcode: &'static str,
    /// From clients.
    pub client_to_server: u64,
    /// From servers.
    pub server_to_client: u64,
}

impl SideReport {
    /// A side of a summary.
    pub fn new(summary: &Summary, side: Side, capture_wire_bytes: u64) -> Self {
        let totals = summary.side(side);
        let websocket = side == Side::WebSocket;
        let exchanges = &totals.exchanges;
        let [upwards, downwards] = &totals.directions;
        let mut both = upwards.clone();
        both += downwards;
        let mut figures = Figures::new(&both, Some(totals));
        if totals.directions.iter().any(|direction| direction.messages.is_efficiency_unknown()) {
            // Of one direction alone it would be another figure.
            figures.efficiency = None;
        }
        let per_exchange = PerExchange {
            means: LayerMeans::new(&exchanges.whole, exchanges.whole_count()),
            wire_bytes: octets(&exchanges.wire_bytes),
            overhead_bytes: octets(&exchanges.overhead_bytes),
            content_bytes: octets(&exchanges.content_bytes),
        };
        let opcode = |(opcode, client_to_server, server_to_client)| OpcodeCount { opcode, client_to_server, server_to_client };
        Self {
            connections: totals.connections,
            exchanges: (!websocket).then_some(exchanges.count),
            incomplete_exchanges: (!websocket).then(|| exchanges.incomplete()),
            weak_exchanges: (side == Side::Ajax).then_some(exchanges.weak),
            deliveries: totals.deliveries,
            all_in_wire_bytes_per_delivery: ratio(figures.all_in_wire_bytes, totals.measured_deliveries()),
            share_of_capture: ratio(figures.all_in_wire_bytes, capture_wire_bytes),
            shares_of_all_in: Shares::new(&figures),
            figures,
            by_direction: ByDirection {
                client_to_server: Figures::new(upwards, None),
                server_to_client: Figures::new(downwards, Some(totals)),
            },
            per_exchange: (!websocket).then_some(per_exchange),
            statuses: (!websocket).then(|| exchanges.statuses.clone()),
            upgrades: websocket.then_some(totals.upgrades),
            refused_handshakes: websocket.then(|| totals.refused_upgrades.iter().map(|(reason, &count)| (reason.name(), count)).collect()),
            opcodes: websocket.then(|| summary.opcodes().map(opcode).collect()),
            subprotocols: websocket.then(|| summary.subprotocols().connections().clone()),
            by_subprotocol: websocket.then(|| summary.subprotocols().totals().iter().map(SubprotocolReport::new).collect()),
            header_fields: HeaderFields::new(&totals.fields, &totals.directions),
            set_up: SetUpReport::new(&totals.connection_use),
            connection_use: (!websocket).then(|| ConnectionUseReport::new(&totals.connection_use)),
            events: EventsReport::new(&totals.events),
            envelopes: totals.envelopes.protocols.iter().map(|(protocol, totals)| (protocol.name(), EnvelopeReport::new(totals))).collect(),
            latency: websocket.then(|| Latency::new(&totals.envelopes)),
        }
    }
}

impl Shares {
    fn new(figures: &Figures) -> Self {
        let of_all = |part: u64| ratio(part, figures.all_in_wire_bytes);
        Self {
            messages: of_all(figures.wire_bytes),
            setup: of_all(figures.setup),
            upgrade: of_all(figures.upgrade),
            acknowledgements: of_all(figures.acknowledgements),
            retransmissions: of_all(figures.retransmissions),
            keep_alive: of_all(figures.keep_alive),
            liveness: of_all(figures.liveness),
            teardown: of_all(figures.teardown),
            unattributed: of_all(figures.unattributed),
        }
    }
}
