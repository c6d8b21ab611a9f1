//! Sums of the money fields, and of things seen that a finding may rest on.

use std::ops::AddAssign;

use crate::message::Cost;
use crate::stream::LayerBytes;

/// The money fields summed over messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// Messages added.
    pub messages: u64,
    /// Messages whose content is not known; they are in no figure of content.
    pub unknown_content_messages: u64,
    /// Decoded content of the others, in octets.
    pub content_bytes: u64,
    /// Decoded content of those of which nothing was lost, too, in octets; and their octets on the wire: the two of efficiency.
    pub captured_content_bytes: u64,
    /// See there.
    pub captured_wire_bytes: u64,
    /// Content as sent, in octets.
    pub encoded_bytes: u64,
    /// Framing of the protocol itself, in octets.
    pub framing_bytes: u64,
    /// Octets that were sent but not captured.
    pub lost_bytes: u64,
    /// Octets on the wire by layer; `payload` is encoded + framing.
    pub bytes: LayerBytes,
}

impl Money {
    /// Adds one message.
    #[inline]
    pub fn add(&mut self, cost: &Cost) {
        self.messages += 1;
        match cost.content_bytes {
            Some(content) => self.content_bytes += content,
            None => self.unknown_content_messages += 1,
        }
        if let Some(content) = cost.captured_content_bytes() {
            self.captured_content_bytes += content;
            self.captured_wire_bytes += cost.wire_bytes();
        }
        self.encoded_bytes += cost.encoded_bytes;
        self.framing_bytes += cost.framing_bytes;
        self.lost_bytes += cost.lost_bytes;
        self.bytes += cost.provenance.bytes;
    }

    /// Octets on the wire.
    pub fn wire_bytes(&self) -> u64 {
        self.bytes.total()
    }

    /// Octets from the IP header up.
    pub fn ip_bytes_up(&self) -> u64 {
        self.wire_bytes() - self.bytes.link
    }

    /// Octets on the wire that are not encoded content.
    pub fn overhead_bytes(&self) -> u64 {
        self.wire_bytes().saturating_sub(self.encoded_bytes)
    }

    /// Decoded content; `None` when there are messages and none of them has known content.
    pub fn known_content_bytes(&self) -> Option<u64> {
        (self.messages == 0 || self.unknown_content_messages < self.messages).then_some(self.content_bytes)
    }

    /// Content ÷ wire, over the messages whose content is known, and of which nothing was lost.
    pub fn efficiency(&self) -> Option<f64> {
        (self.captured_wire_bytes > 0).then(|| self.captured_content_bytes as f64 / self.captured_wire_bytes as f64)
    }

    /// Whether that cannot be told of any of its messages.
    pub fn is_efficiency_unknown(&self) -> bool {
        self.messages > 0 && self.captured_wire_bytes == 0
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.unknown_content_messages += other.unknown_content_messages;
        self.content_bytes += other.content_bytes;
        self.captured_content_bytes += other.captured_content_bytes;
        self.captured_wire_bytes += other.captured_wire_bytes;
        self.encoded_bytes += other.encoded_bytes;
        self.framing_bytes += other.framing_bytes;
        self.lost_bytes += other.lost_bytes;
        self.bytes += other.bytes;
    }
}
