//! TCP (RFC 9293) as seen by a third party: segments in any order in, bytes in order with their cost out.

mod analysis;
mod assembler;
mod held;

pub(crate) use analysis::Analysis;
pub(crate) use assembler::{Arrival, Assembler, Loss, Receipt};
