//! What one side's messages would be as the other's, summed while they pass: the ground of the counterfactual.

use std::ops::AddAssign;

use crate::message::Direction;

/// TCP payload octets a segment carries: Ethernet's 1500 less 20 (IPv4) and 32 (TCP with timestamps).
pub(crate) const SEGMENT_PAYLOAD: u64 = 1448;

/// Messages in another framing, before the headers that carry them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reframed {
    /// Messages.
    pub messages: u64,
    /// Their content, in octets.
    pub content_bytes: u64,
    /// Octets of framing and content, what TCP would carry.
    pub payload_bytes: u64,
    /// Segments of at most 1448 octets, each message beginning one.
    pub segments: u64,
}

impl Reframed {
    /// Adds one WebSocket message of one frame (RFC 6455 §5.2): 2, 4 or 10 octets, and 4 for a client's masking key.
    pub fn add_websocket(&mut self, content_bytes: u64, from_client: bool) {
        let length = match content_bytes {
            0..=125 => 2,
            126..=65535 => 4,
            _ => 10,
        };
        let payload = length + if from_client { 4 } else { 0 } + content_bytes;
        self.messages += 1;
        self.content_bytes += content_bytes;
        self.payload_bytes += payload;
        self.segments += payload.div_ceil(SEGMENT_PAYLOAD);
    }

    /// The same messages with less content: frame headers stay, segments that it would no longer fill go.
    pub fn with_content(mut self, content_bytes: u64) -> Self {
        self.payload_bytes -= self.content_bytes.saturating_sub(content_bytes);
        self.content_bytes = self.content_bytes.min(content_bytes);
        self.segments = self.segments.min(self.messages + self.payload_bytes / SEGMENT_PAYLOAD);
        self
    }
}

impl AddAssign for Reframed {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.content_bytes += other.content_bytes;
        self.payload_bytes += other.payload_bytes;
        self.segments += other.segments;
    }
}

/// Exchanges as WebSocket messages, by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// With content as HTTP encoded it.
    pub encoded: [Reframed; 2],
    /// With decoded content.
    pub decoded: [Reframed; 2],
}

impl Pushed {
    /// Adds a message: its content encoded, and decoded if known.
    fn add(&mut self, (encoded, decoded): (u64, Option<u64>), direction: Direction) {
        let from_client = direction == Direction::ClientToServer;
        self.encoded[direction as usize].add_websocket(encoded, from_client);
        self.decoded[direction as usize].add_websocket(decoded.unwrap_or(encoded), from_client);
    }
}

impl AddAssign for Pushed {
    fn add_assign(&mut self, other: Self) {
        for direction in Direction::BOTH {
            self.encoded[direction as usize] += other.encoded[direction as usize];
            self.decoded[direction as usize] += other.decoded[direction as usize];
        }
    }
}

/// A side's exchanges as WebSocket messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsWebSocket {
    /// Each exchange two messages; a request without content sends its target instead.
    pub each: Pushed,
    /// Only content that was there; a question without content is not asked.
    pub news: Pushed,
}

impl AsWebSocket {
    /// Adds a request: (encoded, decoded if known) content, and the length of its target.
    pub fn add_request(&mut self, target_len: u64, content: (u64, Option<u64>)) {
        if content.0 > 0 {
            self.each.add(content, Direction::ClientToServer);
            self.news.add(content, Direction::ClientToServer);
        } else {
            self.each.add((target_len, None), Direction::ClientToServer);
        }
    }

    /// Adds a response: (encoded, decoded if known) content.
    pub fn add_response(&mut self, content: (u64, Option<u64>)) {
        self.each.add(content, Direction::ServerToClient);
        if content.0 > 0 {
            self.news.add(content, Direction::ServerToClient);
        }
    }
}

impl AddAssign for AsWebSocket {
    fn add_assign(&mut self, other: Self) {
        self.each += other.each;
        self.news += other.news;
    }
}

/// WebSocket messages as exchanges, before header sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsAjax {
    /// Messages that clients sent: each a POST.
    pub client_messages: u64,
    /// Messages that servers sent: each the answer to a poll.
    pub server_messages: u64,
    /// Polls that would answer them when messages of one connection within one second, or the assumed poll interval, share an
    /// answer.
    pub shared_answers: u64,
    /// Decoded content (encoded where unknown), in octets.
    pub content_bytes: u64,
    /// Content as sent, in octets.
    pub encoded_bytes: u64,
    /// Whole segments that decoded content fills, beyond the one that carries the header section.
    pub content_segments: u64,
    /// Whole segments that content as sent fills.
    pub encoded_segments: u64,
    /// Held polls that would end without an answer: one for every 30 s in which a server says nothing.
    pub idle_polls: u64,
    /// Polls at the assumed interval: one for each that a connection lasts, and one more.
    pub interval_polls: u64,
}

impl AsAjax {
    /// Adds one message.
    #[inline]
    pub fn add(&mut self, from_client: bool, encoded_bytes: u64, content_bytes: Option<u64>) {
        let content = content_bytes.unwrap_or(encoded_bytes);
        self.client_messages += u64::from(from_client);
        self.server_messages += u64::from(!from_client);
        self.content_bytes += content;
        self.encoded_bytes += encoded_bytes;
        self.content_segments += content / SEGMENT_PAYLOAD;
        self.encoded_segments += encoded_bytes / SEGMENT_PAYLOAD;
    }
}

impl AddAssign for AsAjax {
    fn add_assign(&mut self, other: Self) {
        self.client_messages += other.client_messages;
        self.server_messages += other.server_messages;
        self.shared_answers += other.shared_answers;
        self.content_bytes += other.content_bytes;
        self.encoded_bytes += other.encoded_bytes;
        self.content_segments += other.content_segments;
        self.encoded_segments += other.encoded_segments;
        self.idle_polls += other.idle_polls;
        self.interval_polls += other.interval_polls;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_headers_follow_rfc_6455() {
        let mut client = Reframed::default();
        [125, 126, 65535, 65536].iter().for_each(|&len| client.add_websocket(len, true));
        // 2 + 4 + 125, 4 + 4 + 126, 4 + 4 + 65 535, 10 + 4 + 65 536 octets; ⌈65 543 / 1448⌉ = ⌈65 550 / 1448⌉ = 46 segments.
        let (content_bytes, payload_bytes) = (125 + 126 + 65_535 + 65_536, 131 + 134 + 65_543 + 65_550);
        assert_eq!(client, Reframed { messages: 4, content_bytes, payload_bytes, segments: 1 + 1 + 46 + 46 });
        // 36 octets of frame headers stay; four messages begin four segments, 6836 octets fill four more.
        let less = client.with_content(6800);
        assert_eq!(less, Reframed { messages: 4, content_bytes: 6800, payload_bytes: 6836, segments: 8 });
        assert_eq!(client.with_content(1 << 20), client);
    }
}
