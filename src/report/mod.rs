//! The report.

pub mod text;
