//! Connections: TCP, then an application, and what each segment brings to them.

mod anomalies;
mod application;
mod connection;
mod half;
mod setup;
mod table;

pub(crate) use connection::Output;
pub(crate) use table::Table;
