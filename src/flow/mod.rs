//! Connections: TCP, then an application, and what each segment brings to them.

mod anomalies;
mod application;
mod connection;
mod duplicates;
mod half;
mod index;
mod output;
mod setup;
mod steady;
mod table;
mod unannounced;

pub(crate) use connection::Connection;
pub(crate) use duplicates::{Recent, fingerprint};
pub(crate) use output::Collected;
pub(crate) use table::Table;
