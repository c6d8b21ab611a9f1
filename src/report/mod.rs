//! What was found, written: rows as JSON lines or as a listing, one file for each format.

mod clock;
mod encode;
pub mod ndjson;
#[cfg(feature = "cli")]
pub mod listing;
#[cfg(feature = "cli")]
pub mod text;
