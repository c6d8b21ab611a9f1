//! TCP (RFC 9293) as seen by a third party: segments in any order in, bytes in order with their cost out.

mod assembler;
mod held;

pub(crate) use assembler::{Arrival, Assembler, Receipt};
