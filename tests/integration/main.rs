//! Integration tests by capability.

mod analysis;
mod command;
#[allow(dead_code)]
mod conversation;
mod corpus;
mod fuzzed;
mod hostile;
mod envelopes;
mod layering;
mod loss;
mod made;
mod rewrite;
mod segmentation;
mod support;
mod tcp;
mod truth;
