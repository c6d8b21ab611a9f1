//! Bytes of one direction with their cost attached: the currency that every layer passes on.

mod acknowledged;
mod buffer;
mod coverage;
mod provenance;
mod room;

pub(crate) use acknowledged::Acknowledged;
pub use buffer::StreamBuffer;
pub(crate) use buffer::{Lent, PassedRuns};
pub(crate) use coverage::Coverage;
pub use provenance::{Frame, LayerBytes, Place, Provenance, Timestamp};
pub(crate) use room::shrink;
