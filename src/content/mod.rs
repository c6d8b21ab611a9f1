//! Content of messages: decoded, checked, digested and sampled, as far as asked for.

mod events;
mod stage;
mod utf8;

pub(crate) use stage::Stage;
