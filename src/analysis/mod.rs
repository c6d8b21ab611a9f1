//! What the sums mean: which exchanges are Ajax, how the sides compare, and what one would have cost as the other.

pub mod ajax;
pub mod comparison;
pub mod counterfactual;
pub mod findings;
