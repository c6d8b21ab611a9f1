//! Sums of rows: what each side paid, as values that merge in any order to the same result.

mod charge;
mod distinct;
mod endpoints;
mod engine_io;
mod envelopes;
mod events;
mod fields;
mod histogram;
mod ledger;
mod money;
mod polls;
mod reframing;
#[cfg(test)]
pub(crate) mod samples;
mod segments;
mod side;
mod summary;
mod transport;
mod wastes;

#[cfg(feature = "cli")]
pub(crate) use charge::charges;
pub use endpoints::{Endpoint, EndpointKey, Endpoints, hash_question};
pub use engine_io::{EngineIo, Paid, Session};
pub use envelopes::{EnvelopeTotals, Envelopes};
pub use events::EventTotals;
pub use fields::{FieldTotals, Fields};
pub use histogram::{Distribution, Quantiles};
pub(crate) use ledger::Ledger;
pub use money::{Money, Sighting};
pub use polls::{PollTotals, PolledKey, Polls};
pub use reframing::{AsAjax, AsWebSocket, Pushed, Reframed};
pub use segments::SegmentHeaders;
pub(crate) use side::EFFICIENCY_SCALE;
pub use side::{Compression, ConnectionUse, DirectionTotals, Distributions, ExchangeTotals, SideTotals};
pub use summary::{LargestConnection, SubprotocolTotals, Summary};
pub use transport::Transport;
pub use wastes::{Waste, Wastes};
