//! Verdicts for CI: budgets on the metrics of a report, and what changed from one report to another.
//!
//! Works on reports as JSON, so that it reads those that were saved, by this version or an earlier one.

mod bounds;
mod check;
mod compare;
mod file;
mod metric;
mod saved;
mod unit;

pub use bounds::BoundIs;
pub use check::{Checked, Outcome, Verdict, check};
pub use compare::{Change, Compared, Comparison, Group, Significance, compare};
pub use file::{Bound, Budget, Level, NoData, Rule, Selection};
pub use metric::{Catalogue, Found, lookup};
pub use saved::{SCHEMA_VERSIONS, cautions, differing_settings, is_damaged, is_empty, read};
pub use unit::Unit;
