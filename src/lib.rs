//! wiretare weighs web traffic in packet captures.

pub mod account;
pub mod analysis;
mod analyzer;
mod anomaly;
#[cfg(feature = "cli")]
pub mod budget;
mod capture;
mod content;
pub mod dissect;
mod envelope;
mod error;
mod flow;
mod http;
mod message;
mod options;
mod packet;
mod parallel;
pub mod report;
mod stream;
mod tcp;
mod websocket;

pub use account::Summary;
pub use analyzer::Analyzer;
pub use anomaly::{AnomalyCounts, AnomalyKind, AnomalySet};
pub use capture::{Capture, CaptureFile, Packet, Packets};
pub use error::{Error, Result};
pub use message::*;
pub use options::{
    AjaxScope, AssumedCompression, AssumedRequests, Assumptions, ContentMode, DecodeAs, Glob, Limits, NamedLimit, Options, Protocol,
    Quantity, nearest,
};
pub use packet::{
    CapturePoint, ConnectionKey, Datagram, Flags, Fragment, Identity, NotTcp, Reassembly, Segment, Sender, SeqNumber, Sliced, Unjoined,
    slice,
};
pub use stream::{Frame, LayerBytes, Place, Provenance, StreamBuffer, Timestamp};
