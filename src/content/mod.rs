//! The content of messages: inflated or decoded, checked to be UTF-8, hashed, previewed.

mod stage;
mod utf8;

pub(crate) use stage::Stage;
