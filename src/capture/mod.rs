//! Captures: pcap and pcapng from any [`Read`](std::io::Read), plain or compressed, one file or a set in time order.

use crate::stream::Frame;

/// A captured packet, borrowed from the reader.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Position and time.
    pub frame: Frame,
    /// Octets on the wire (`frame.len`), without a frame check sequence; the capture may hold fewer.
    pub len: u32,
    /// The octets captured (`frame.cap_len`).
    pub data: &'a [u8],
    /// Link-layer type (the LINKTYPE_ registry's number).
    pub link_type: u16,
    /// Index of its interface within the capture, from 0.
    pub interface: u32,
}
