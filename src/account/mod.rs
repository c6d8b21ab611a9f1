//! Sums of rows: what each side paid, as values that merge in any order to the same result.

mod charge;
mod connection_use;
mod distinct;
mod endpoints;
mod engine_io;
mod envelopes;
mod events;
mod exchanges;
mod fields;
mod histogram;
mod largest;
mod ledger;
mod money;
mod polls;
mod reframing;
#[cfg(test)]
pub(crate) mod samples;
mod segments;
mod side;
mod sighting;
mod subprotocols;
mod summary;
mod transport;
mod unread;
mod wastes;

#[cfg(feature = "cli")]
pub(crate) use charge::charges;
pub use connection_use::ConnectionUse;
pub use endpoints::{Endpoint, EndpointKey, Endpoints, hash_question};
pub use engine_io::{EngineIo, Paid, Session};
pub use envelopes::{EnvelopeTotals, Envelopes};
pub use events::EventTotals;
pub use exchanges::ExchangeTotals;
pub use fields::{FieldTotals, Fields};
pub use histogram::{Distribution, Quantiles};
pub use largest::LargestConnection;
pub(crate) use ledger::Ledger;
pub use money::Money;
pub use polls::{PollTotals, PolledKey, Polls};
pub(crate) use reframing::SEGMENT_PAYLOAD;
pub use reframing::{AsAjax, AsWebSocket, Pushed, Reframed};
pub use segments::SegmentHeaders;
pub(crate) use side::EFFICIENCY_SCALE;
pub use side::{Compression, DirectionTotals, Distributions, HeaderSections, SideTotals};
pub use sighting::{FirstFrames, Sighting};
pub use subprotocols::{SubprotocolTotals, Subprotocols};
pub use summary::Summary;
pub use transport::Transport;
pub use unread::Unread;
pub use wastes::{Waste, Wastes};
