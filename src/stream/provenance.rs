//! What bytes cost, by layer, and how a cost is divided over bytes without losing one.

use std::ops::{Add, AddAssign};

/// Nanoseconds since the Unix epoch, by the capture's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Seconds from an earlier time to this one; negative when the clock stepped back.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        match self.0.checked_sub(earlier.0) {
            Some(ns) => ns as f64 / 1e9,
            None => (i128::from(self.0) - i128::from(earlier.0)) as f64 / 1e9,
        }
    }
}

/// Identity of a captured frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// 1-based position in the capture (`frame.number`).
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
}

/// Where an octet stands: in the stream of its direction, and in the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Octets before it in its direction's stream, those that were not captured included.
    pub stream_offset: u64,
    /// Number of the frame that carried it (`frame.number`); `None` when it was not captured.
    pub frame: Option<u64>,
}

/// Octets on the wire by layer. Those of a segment sum to its `frame.len`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LayerBytes {
    /// All before the IP header that carries the segment (Ethernet, VLAN, tunnels), and trailer and padding.
    pub link: u64,
    /// IP header with options or extension headers.
    pub ip: u64,
    /// TCP header with options.
    pub tcp: u64,
    /// TLS record headers, nonces, tags, padding.
    pub tls: u64,
    /// What TCP (or TLS) carried.
    pub payload: u64,
}

impl LayerBytes {
    /// Octets of all layers together.
    pub fn total(&self) -> u64 {
        self.link + self.ip + self.tcp + self.tls + self.payload
    }

    /// The share that bytes `from..to` of a run of `len` bytes have of this cost.
    ///
    /// Cumulative floor division: ⌊H·to/len⌋ − ⌊H·from/len⌋ for each layer. However a run is cut, the shares sum to
    /// the whole.
    // Always: nearly all segments carry one message, or a part of one.
    #[inline(always)]
    pub(crate) fn share(&self, from: u32, to: u32, len: u32) -> Self {
        if from == 0 && to == len { *self } else { self.part(from, to, len) }
    }

    /// The same of less than all.
    #[inline(never)]
    fn part(&self, from: u32, to: u32, len: u32) -> Self {
        let part = |cost: u64| share(cost, from, to, len);
        Self { link: part(self.link), ip: part(self.ip), tcp: part(self.tcp), tls: part(self.tls), payload: part(self.payload) }
    }
}

#[inline]
fn share(cost: u64, from: u32, to: u32, len: u32) -> u64 {
    // Costs of a run are a few frames' headers; u128 only guards against absurd input.
    match (cost.checked_mul(u64::from(to)), cost.checked_mul(u64::from(from))) {
        (Some(upper), Some(lower)) => upper / u64::from(len) - lower / u64::from(len),
        _ => {
            let upto = |n: u32| u128::from(cost) * u128::from(n) / u128::from(len);
            (upto(to) - upto(from)) as u64
        }
    }
}

impl AddAssign for LayerBytes {
    fn add_assign(&mut self, other: Self) {
        self.link += other.link;
        self.ip += other.ip;
        self.tcp += other.tcp;
        self.tls += other.tls;
        self.payload += other.payload;
    }
}

impl Add for LayerBytes {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

/// What a run of bytes cost, and the frames that carried its beginning and its end. Additive in stream order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Cost by layer; `payload` is the bytes themselves (0 for bytes that were lost).
    pub bytes: LayerBytes,
    /// Earliest frame that carried a part; number 0 while empty.
    pub first: Frame,
    /// Latest frame that carried a part.
    pub last: Frame,
}

impl Provenance {
    /// The cost of what one frame carried.
    pub fn of_frame(frame: Frame, bytes: LayerBytes) -> Self {
        Self { bytes, first: frame, last: frame }
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.first.number == 0
    }
}

impl AddAssign for Provenance {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        if other.is_empty() {
            return;
        }
        self.bytes += other.bytes;
        if self.is_empty() || other.first.number < self.first.number {
            self.first = other.first;
        }
        if other.last.number > self.last.number {
            self.last = other.last;
        }
    }
}

impl Add for Provenance {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_cut_run_sum_to_the_whole() {
        let cost = LayerBytes { link: 14, ip: 20, tcp: 32, tls: 0, payload: 23 };
        // However 23 bytes are cut in two, the parts sum to 14 + 20 + 32 + 23.
        for cut in 0..=23 {
            assert_eq!(cost.share(0, cut, 23) + cost.share(cut, 23, 23), cost);
        }
    }

    #[test]
    fn share_is_floor_of_upper_minus_floor_of_lower() {
        // 14 over 3 bytes: ⌊14/3⌋ = 4, ⌊28/3⌋ − 4 = 5, 14 − 9 = 5.
        assert_eq!([share(14, 0, 1, 3), share(14, 1, 2, 3), share(14, 2, 3, 3)], [4, 5, 5]);
    }

    #[test]
    fn share_of_a_cost_near_the_limit_does_not_overflow() {
        assert_eq!(share(u64::MAX, 0, 2, 4), u64::MAX / 2);
    }
}
