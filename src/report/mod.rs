//! What was found, written: one file for each format.

mod clock;
mod encode;
pub mod listing;
pub mod ndjson;
pub mod text;
