//! What can be set: limits, timeouts, and what is asked for; each with its default and unit.

mod assumptions;
#[cfg(feature = "cli")]
mod decimals;
mod decode_as;
mod glob;
mod named;
mod nearest;

use std::time::Duration;

pub use assumptions::{AssumedCompression, AssumedRequests, Assumptions};
#[cfg(feature = "cli")]
pub(crate) use decimals::{decimal, tenths};
pub use decode_as::{DecodeAs, Protocol};
pub use glob::Glob;
pub use named::{NamedLimit, Quantity, thousands};
pub use nearest::nearest;

/// What is kept of a message's decoded content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentMode {
    /// Nothing: content is counted and forgotten.
    #[default]
    None,
    /// The first bytes, up to [`Limits::preview`].
    Preview,
    /// All of it, up to [`Limits::full_content`].
    Full,
}

/// Which HTTP exchanges count as Ajax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AjaxScope {
    /// Those that the classifier says a script made.
    #[default]
    Detected,
    /// Every exchange but the WebSocket opening handshake.
    All,
}

/// Bounds on what is kept; when one bites, an anomaly counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Out-of-order bytes held for one direction: 1 MiB.
    pub out_of_order_bytes: usize,
    /// Out-of-order segments held for one direction: 16 384.
    pub out_of_order_segments: usize,
    /// Memory for what all connections together hold: bytes out of order or not read yet, requests without response, windows
    /// of content codings: 256 MiB. The connection that grows beyond it closes its holes, or ends.
    pub held_bytes: usize,
    /// A header section: 64 KiB.
    pub http_head: usize,
    /// Decoded octets of one message: 1 GiB; what lies behind is not decoded.
    pub decoded_content: u64,
    /// Octets of a preview: 256.
    pub preview: usize,
    /// Octets kept of one message when all content is asked for: 16 MiB.
    pub full_content: usize,
    /// Connections open at once: 262 144; the longest idle ones end first.
    pub connections: usize,
    /// Closed connections still listening for late segments: 4096.
    pub lingering_connections: usize,
    /// Requests that wait for their response on one connection: 1024.
    pub pending_requests: usize,
    /// Octets of a message that are looked at for its envelope: 64 KiB.
    pub envelope: usize,
    /// Asks that wait for their answers on one WebSocket connection: 1024.
    pub pending_answers: usize,
    /// A record or block of the capture file: 16 MiB.
    pub block: usize,
    /// Memory for IP fragments whose datagram is not complete: 4 MiB, as in Linux; the oldest datagrams go first.
    pub fragment_bytes: usize,
    /// IP datagrams that are not complete: 4096.
    pub fragmented_datagrams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            out_of_order_bytes: 1 << 20,
            out_of_order_segments: 16_384,
            held_bytes: 256 << 20,
            http_head: 64 << 10,
            decoded_content: 1 << 30,
            preview: 256,
            full_content: 16 << 20,
            connections: 1 << 18,
            lingering_connections: 4096,
            pending_requests: 1024,
            envelope: 64 << 10,
            pending_answers: 1024,
            block: 16 << 20,
            fragment_bytes: 4 << 20,
            fragmented_datagrams: 4096,
        }
    }
}

/// What an analysis is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bounds on what is kept.
    pub limits: Limits,
    /// Capture time without a segment after which a connection has ended: 4 hours.
    pub idle_timeout: Duration,
    /// Capture time for which a closed connection still takes late segments: 30 s.
    pub linger: Duration,
    /// Capture time after which an IP datagram whose fragments did not all come is given up: 60 s (RFC 8200 §4.5).
    pub fragment_timeout: Duration,
    /// Whether equal addresses in different virtual networks (VXLAN, Geneve) are different connections: no, as in Wireshark.
    /// A packet is often captured with its tunnel and without, or mirrored by sessions with networks of their own.
    pub separate_networks: bool,
    /// What ports are taken for, whatever they look like; of several rules the first that fits.
    pub decode_as: Vec<DecodeAs>,
    /// What is kept of decoded content.
    pub content: ContentMode,
    /// Whether compressed content is decoded: without that its length is not known, nor whether it is text, and all that is
    /// counted on the wire is the same.
    pub decode: bool,
    /// Whether the SHA-256 of decoded content is computed.
    pub digest: bool,
    /// Which exchanges count as Ajax.
    pub ajax: AjaxScope,
    /// Exchanges of other hosts are no Ajax, whatever they look like.
    pub ajax_host: Option<Glob>,
    /// Nor are those of other paths.
    pub ajax_path: Option<Glob>,
    /// What is assumed of what one side would have cost as the other.
    pub assumptions: Assumptions,
    /// Whether content may be decoded later than it comes, several messages of a direction together, which is faster: rows then
    /// come in groups of some thousand, or late ([`numbered_rows`](crate::Analyzer::numbered_rows)). Not for captures that are still being made.
    pub batches: bool,
    /// Threads that decode batches.
    pub jobs: usize,
    /// Whether parts are wanted beside rows: what each frame brought, for [`Analyzer::poll_part`](crate::Analyzer::poll_part).
    pub parts: bool,
}

impl Options {
    /// What connections of these ports are taken for, if that was said.
    pub(crate) fn protocol_of(&self, ports: [u16; 2]) -> Option<Protocol> {
        let fits = |rule: &&DecodeAs| ports.iter().any(|port| rule.ports.contains(port));
        self.decode_as.iter().find(fits).map(|rule| rule.protocol)
    }

    /// Whether more is kept of each message's content than thousands of them may take while they wait for one another: some octets may
    /// inflate to a thousand times as many.
    pub fn keeps_large_contents(&self) -> bool {
        self.kept_content().is_some_and(|most| most > LARGEST_WAITING_CONTENT)
    }

    /// Octets kept of each message's content; `None` for none.
    pub(crate) fn kept_content(&self) -> Option<usize> {
        match self.content {
            ContentMode::None => None,
            ContentMode::Preview => Some(self.limits.preview),
            ContentMode::Full => Some(self.limits.full_content),
        }
    }
}

/// Octets of a content that may be kept where others wait for it.
const LARGEST_WAITING_CONTENT: usize = 1 << 10;

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            idle_timeout: Duration::from_secs(4 * 3600),
            linger: Duration::from_secs(30),
            fragment_timeout: Duration::from_secs(60),
            separate_networks: false,
            decode_as: Vec::new(),
            content: ContentMode::None,
            decode: true,
            digest: false,
            ajax: AjaxScope::Detected,
            ajax_host: None,
            ajax_path: None,
            assumptions: Assumptions::default(),
            batches: false,
            jobs: 1,
            parts: false,
        }
    }
}
