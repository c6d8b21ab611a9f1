//! Integration tests by capability.

mod command;
#[allow(dead_code)]
mod conversation;
mod corpus;
mod layering;
mod segmentation;
mod support;
mod truth;
