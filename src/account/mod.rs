//! Sums of rows: what each side paid, as values that merge in any order to the same result.

mod charge;
mod distinct;
mod endpoints;
mod histogram;
mod money;
mod reframing;
mod side;
#[cfg(test)]
pub(crate) mod samples;
mod summary;

pub use distinct::Distinct;
pub use endpoints::{Endpoint, EndpointKey, Endpoints};
pub use histogram::{Distribution, Quantiles};
pub use money::{Money, Sighting};
pub use reframing::{AsAjax, AsWebSocket, Reframed, SEGMENT_PAYLOAD};
pub use side::{Compression, DirectionTotals, Distributions, EFFICIENCY_SCALE, ExchangeTotals, SideTotals};
pub use summary::{LargestConnection, Summary};
