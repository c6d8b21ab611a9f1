//! Connections: TCP, then an application, and what each segment brings to them.

mod anomalies;
mod application;
mod connection;
mod duplicates;
mod half;
mod index;
mod setup;
mod steady;
mod table;
mod unannounced;

pub(crate) use connection::{Connection, Output, Waiting};
pub(crate) use duplicates::{Recent, fingerprint};
pub(crate) use half::Memory;
pub(crate) use table::Table;
