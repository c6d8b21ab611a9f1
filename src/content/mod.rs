//! Content of messages: decoded, checked, digested and sampled, as far as asked for.

mod batch;
mod decoded;
mod events;
mod seen;
mod stage;
mod utf8;

pub(crate) use batch::Ticket;
pub(crate) use seen::Seen;
pub(crate) use stage::Stage;
