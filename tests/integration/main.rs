//! Integration tests by capability.

#[allow(dead_code)]
mod conversation;
mod corpus;
mod segmentation;
mod support;
