//! The sections of the page.

mod captured;
mod compared;
mod health;
mod inside;
mod layers;

pub(super) use captured::captured;
pub(super) use compared::{all_in, break_even, compression, counterfactual, distributions};
pub(super) use health::{anomalies, conservation, findings, refusals, transport};
pub(super) use inside::{endpoints, engine_io, envelopes, header_fields, polling};
pub(super) use layers::one_by_one;

/// Frame numbers are typed into Wireshark: without separators.
fn thousands_free(frame: u64) -> String {
    frame.to_string()
}
