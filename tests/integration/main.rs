//! Integration tests by capability.

mod layering;
