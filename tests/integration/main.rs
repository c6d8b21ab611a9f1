//! Integration tests by capability.

mod command;
#[allow(dead_code)]
mod conversation;
mod corpus;
mod fuzzed;
mod hostile;
mod layering;
mod made;
mod segmentation;
mod support;
mod truth;
