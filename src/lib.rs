//! wiretare weighs web traffic in packet captures.

mod anomaly;
mod capture;
mod content;
mod error;
mod message;
mod options;
mod stream;
mod websocket;

pub use anomaly::{AnomalyCounts, AnomalyKind, AnomalySet};
pub use capture::Packet;
pub use error::{Error, Result};
pub use message::*;
pub use options::{AjaxScope, ContentMode, Limits, Options};
pub use stream::{Frame, LayerBytes, Provenance, StreamBuffer, Timestamp};
