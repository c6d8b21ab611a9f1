//! The report.

#[cfg(test)]
pub(crate) mod samples;
pub mod text;
