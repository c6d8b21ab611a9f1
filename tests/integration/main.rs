//! Integration tests by capability.

mod command;
mod layering;
