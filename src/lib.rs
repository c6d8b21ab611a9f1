//! wiretare weighs web traffic in packet captures.

pub mod account;
pub mod analysis;
mod anomaly;
mod capture;
mod error;
mod message;
mod options;
mod packet;
pub mod report;
mod stream;
mod tcp;

pub use account::Summary;
pub use anomaly::{AnomalyCounts, AnomalyKind, AnomalySet};
pub use capture::{Capture, CaptureFile, Packet};
pub use error::{Error, Result};
pub use message::*;
pub use options::{AjaxScope, ContentMode, Limits, Options};
pub use packet::{ConnectionKey, Flags, NotTcp, Segment, Sender, SeqNumber, Sliced, slice};
pub use stream::{Frame, LayerBytes, Provenance, StreamBuffer, Timestamp};
