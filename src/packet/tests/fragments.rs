//! IP fragments: joined in any order, costs summed, within limits.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::anomaly::{AnomalyCounts, AnomalyKind};
use crate::options::{Limits, Options};
use crate::stream::Timestamp;

/// An IPv4 fragment of the payload of [`IPV4_TCP`], or of another, on Ethernet.
fn fragment(id: u16, payload: &[u8], range: std::ops::Range<usize>, more: bool) -> Vec<u8> {
    let mut packet = IPV4_TCP[..20].to_vec();
    let part = &payload[range.clone()];
    packet[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
    packet[4..6].copy_from_slice(&id.to_be_bytes());
    packet[6..8].copy_from_slice(&(u16::from(more) << 13 | (range.start / 8) as u16).to_be_bytes());
    ethernet(0x0800, &[&packet, part].concat())
}

/// What became of frames, with every octet counted: datagrams, and what stayed in pieces.
struct Joiner {
    reassembly: Reassembly,
    anomalies: AnomalyCounts,
    number: u64,
    time_s: i64,
    wire_bytes: u64,
    booked: u64,
    outcomes: Vec<String>,
}

impl Joiner {
    fn new(options: &Options) -> Self {
        let (reassembly, anomalies) = (Reassembly::new(options), AnomalyCounts::default());
        Self { reassembly, anomalies, number: 0, time_s: 0, wire_bytes: 0, booked: 0, outcomes: Vec::new() }
    }

    fn frame(&mut self, link_type: u16, data: &[u8], len: usize) {
        self.number += 1;
        self.wire_bytes += len as u64;
        let frame = Frame { number: self.number, time: Timestamp(self.time_s * 1_000_000_000) };
        match slice(&Packet { frame, len: len as u32, data, link_type, interface: 0 }) {
            Sliced::Fragment(fragment) => self.join(&fragment),
            other => self.book(&other, len as u64),
        }
    }

    fn join(&mut self, fragment: &Fragment<'_>) {
        let datagram = self.reassembly.join(fragment, &mut self.anomalies);
        self.booked += self.reassembly.take_unjoined().bytes;
        let Some(datagram) = datagram else { return };
        match datagram.slice() {
            Sliced::Fragment(inner) => self.join(&inner),
            other => self.book(&other, datagram.wire_bytes()),
        }
    }

    fn book(&mut self, sliced: &Sliced<'_>, wire_bytes: u64) {
        self.booked += wire_bytes;
        self.outcomes.push(match sliced {
            Sliced::Segment(segment) => {
                assert_eq!(segment.bytes.total(), wire_bytes);
                let LayerBytes { link, ip, tcp, payload, .. } = segment.bytes;
                let text = String::from_utf8_lossy(segment.payload);
                format!("frame {}: {link} {ip} {tcp} {payload} {text}", segment.frame.number)
            }
            Sliced::Fragment(_) => "fragment".to_owned(),
            Sliced::NotTcp(reason) => reason.to_string(),
        });
    }

    /// Outcomes, octets of what stayed in pieces at the end.
    fn finish(&mut self) -> (Vec<String>, Unjoined) {
        self.reassembly.finish();
        let left = self.reassembly.take_unjoined();
        assert_eq!(self.booked + left.bytes, self.wire_bytes);
        (std::mem::take(&mut self.outcomes), left)
    }
}

fn join(frames: &[Vec<u8>]) -> (Vec<String>, Unjoined, AnomalyCounts) {
    let mut joiner = Joiner::new(&Options::default());
    frames.iter().for_each(|data| joiner.frame(1, data, data.len()));
    let (outcomes, left) = joiner.finish();
    (outcomes, left, joiner.anomalies)
}

/// The TCP header and its 5 octets in fragments of 8, 8 and 9 octets.
fn three() -> [Vec<u8>; 3] {
    let payload = &IPV4_TCP[20..];
    [fragment(1, payload, 0..8, true), fragment(1, payload, 8..16, true), fragment(1, payload, 16..25, false)]
}

#[test]
fn fragments_in_any_order_are_one_segment_with_all_their_headers() {
    let [a, b, c] = three();
    for frames in [[&a, &b, &c], [&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
        let (outcomes, left, _) = join(&frames.map(Clone::clone));
        // 3 · 14 link, 3 · 20 IP; the frame is the last one.
        assert_eq!((outcomes, left), (vec!["frame 3: 42 60 20 5 hello".to_owned()], Unjoined::default()));
    }
}

#[test]
fn a_repeated_fragment_pays_for_itself() {
    let [a, b, c] = three();
    let (outcomes, left, anomalies) = join(&[a.clone(), a.clone(), b.clone(), c, b]);
    assert_eq!(outcomes, ["frame 4: 42 60 20 5 hello"]);
    // The second b comes when its datagram is complete, and begins another.
    assert_eq!(left, Unjoined { frames: 1, bytes: 42, first_frame: 5 });
    assert_eq!(anomalies.count(AnomalyKind::FragmentOverlap), 0);
}

#[test]
fn where_fragments_overlap_the_first_is_kept() {
    let payload = &IPV4_TCP[20..];
    let mut other = payload.to_vec();
    other[20..].copy_from_slice(b"HELLO");
    let overlapping = fragment(1, &other, 8..24, true);
    let (outcomes, _, anomalies) = join(&[fragment(1, payload, 16..25, false), overlapping.clone(), fragment(1, payload, 0..8, true)]);
    // 14 + 20 each; 8 octets came twice, which is link: 42 + 8.
    assert_eq!(outcomes, ["frame 3: 50 60 20 5 hello"]);
    assert_eq!(anomalies.count(AnomalyKind::FragmentOverlap), 1);
    let (outcomes, ..) = join(&[overlapping, fragment(1, payload, 16..25, false), fragment(1, payload, 0..8, true)]);
    assert_eq!(outcomes, ["frame 3: 50 60 20 5 HELLo"]);
}

#[test]
fn fragments_that_overlap_and_agree_are_quiet() {
    let payload = &IPV4_TCP[20..];
    let frames = [fragment(1, payload, 0..16, true), fragment(1, payload, 8..25, false)];
    let (outcomes, _, anomalies) = join(&frames);
    assert_eq!((outcomes, anomalies.count(AnomalyKind::FragmentOverlap)), (vec!["frame 2: 36 40 20 5 hello".to_owned()], 0));
}

#[test]
fn a_fragment_beyond_the_end_changes_nothing() {
    let payload = [&IPV4_TCP[20..], &[b'!'; 31]].concat();
    let beyond = fragment(1, &payload, 24..40, true);
    let (outcomes, left, anomalies) = join(&[fragment(1, &payload, 16..25, false), beyond, fragment(1, &payload, 0..16, true)]);
    assert_eq!(outcomes, ["frame 3: 28 40 20 5 hello"]);
    assert_eq!((left.frames, anomalies.count(AnomalyKind::FragmentOverlap)), (0, 1));
    // And an end before what is there already is none.
    let (outcomes, left, _) = join(&[fragment(1, &payload, 0..32, true), fragment(1, &payload, 16..25, false)]);
    assert_eq!((outcomes.len(), left.frames), (0, 1));
}

#[test]
fn what_the_snap_length_cut_is_known_up_to_there() {
    let frames = three();
    let mut joiner = Joiner::new(&Options::default());
    for (data, cut) in frames.iter().zip([42, 42, 14 + 20 + 6]) {
        joiner.frame(1, &data[..cut], data.len());
    }
    // Four octets of header are in the last fragment, and two of the payload.
    assert_eq!(joiner.finish().0, ["frame 3: 42 60 20 5 he"]);
    let mut joiner = Joiner::new(&Options::default());
    for (data, cut) in frames.iter().zip([42, 40, 43]) {
        joiner.frame(1, &data[..cut], data.len());
    }
    // The header is cut: behind its 14th octet nothing has its place.
    assert_eq!(joiner.finish().0, ["malformed"]);
}

#[test]
fn datagrams_are_told_apart() {
    let payload = &IPV4_TCP[20..];
    let mut other_address = fragment(1, payload, 16..25, false);
    other_address[29] = 9;
    let frames = [fragment(1, payload, 0..16, true), fragment(2, payload, 16..25, false), other_address];
    assert_eq!((join(&frames).0.len(), join(&frames).1.frames), (0, 3));
}

fn ipv6_fragment(payload: &[u8], range: std::ops::Range<usize>, more: bool) -> Vec<u8> {
    let place = (range.start as u16 | u16::from(more)).to_be_bytes();
    ethernet(0x86dd, &ipv6(44, &[&[60, 0, place[0], place[1], 0, 0, 0, 9], &payload[range]].concat()))
}

#[test]
fn ipv6_fragments_are_joined_and_extension_headers_in_them_are_ip() {
    let payload = [&[6, 0, 1, 4, 0, 0, 0, 0], &IPV4_TCP[20..]].concat();
    let frames = [ipv6_fragment(&payload, 16..33, false), ipv6_fragment(&payload, 0..16, true)];
    // 2 · 14 link; 2 · (40 + 8) and 8 of destination options.
    assert_eq!(join(&frames).0, ["frame 2: 28 104 20 5 hello"]);
}

#[test]
fn an_atomic_fragment_is_whole() {
    let data = ipv6_fragment(&[&[6, 0, 1, 4, 0, 0, 0, 0], &IPV4_TCP[20..]].concat(), 0..33, false);
    // RFC 6946: 40 + 8 + 8 octets of IP.
    assert_eq!(layers(1, &data, data.len() as u32), Some((bytes(14, 56, 20, 5), b"hello".to_vec())));
}

#[test]
fn a_tunnel_in_fragments_and_fragments_in_a_tunnel_are_opened() {
    let vxlan = |inner: &[u8]| udp(4789, &[&[8, 0, 0, 0, 0, 0, 42, 0], inner].concat());
    let outer = vxlan(&ethernet(0x0800, IPV4_TCP));
    let udp_fragment = |payload: &[u8], id: u16, range: std::ops::Range<usize>, more| {
        let mut data = fragment(id, payload, range, more);
        data[23] = 17;
        data
    };
    let frames = [udp_fragment(&outer, 1, 0..40, true), udp_fragment(&outer, 1, 40..outer.len(), false)];
    // 2 · (14 + 20) around 8 + 8 + 14 of the tunnel; the inner IP header is ip.
    assert_eq!(join(&frames).0, ["frame 2: 98 20 20 5 hello"]);

    let frames = three().map(|inner| ethernet(0x0800, &ipv4(17, &vxlan(&inner))));
    // 3 · (14 + 20 + 8 + 8 + 14), 3 · 20.
    assert_eq!(join(&frames).0, ["frame 3: 192 60 20 5 hello"]);

    let [a, b, c] = three().map(|inner| vxlan(&inner));
    let halves = |payload: &[u8], id| [udp_fragment(payload, id, 0..32, true), udp_fragment(payload, id, 32..payload.len(), false)];
    let frames = [halves(&a, 1), halves(&b, 2), halves(&c, 3)].concat();
    // 6 · (14 + 20) and 3 · (8 + 8 + 14).
    assert_eq!(join(&frames).0, ["frame 6: 294 60 20 5 hello"]);
}

#[test]
fn what_does_not_complete_in_time_is_given_up() {
    let options = Options { fragment_timeout: Duration::from_secs(60), ..Options::default() };
    let [a, b, c] = three();
    let mut joiner = Joiner::new(&options);
    for (data, time_s) in [(&a, 0), (&b, 61), (&c, 62)] {
        joiner.time_s = time_s;
        joiner.frame(1, data, data.len());
    }
    assert_eq!(joiner.finish(), (vec![], Unjoined { frames: 2, bytes: 42 + 43, first_frame: 2 }));
}

#[test]
fn limits_drop_the_oldest_datagram() {
    let limits = Limits { fragmented_datagrams: 2, ..Limits::default() };
    let mut joiner = Joiner::new(&Options { limits, ..Options::default() });
    let payload = &IPV4_TCP[20..];
    for id in 1..=3 {
        let data = fragment(id, payload, 0..16, true);
        joiner.frame(1, &data, data.len());
    }
    for id in [1, 2, 3] {
        let data = fragment(id, payload, 16..25, false);
        joiner.frame(1, &data, data.len());
    }
    // 1 went when 3 came; its end made 2 go, whose end made 3 go, whose end made the end of 1 go.
    assert_eq!((joiner.finish().0.len(), joiner.anomalies.count(AnomalyKind::FragmentLimit)), (0, 4));

    let limits = Limits { fragment_bytes: 1 << 16, ..Limits::default() };
    let mut joiner = Joiner::new(&Options { limits, ..Options::default() });
    for id in 0..2000 {
        let data = fragment(id, payload, 0..16, true);
        joiner.frame(1, &data, data.len());
    }
    assert!(joiner.anomalies.count(AnomalyKind::FragmentLimit) > 1000);
}

#[test]
fn an_offset_beyond_what_ip_can_carry_is_malformed() {
    let mut data = fragment(1, &IPV4_TCP[20..], 0..16, true);
    data[20..22].copy_from_slice(&[0x3f, 0xff]);
    assert_eq!(outcome(1, &data, data.len()), "malformed");
}

#[test]
fn fragments_cut_anywhere_are_accounted() {
    three().iter().for_each(|data| cut_everywhere(1, data));
    cut_everywhere(1, &ipv6_fragment(&[0; 40], 8..40, true));
}

proptest! {
    /// However a payload is cut and shuffled, repeated or not, it comes out whole, and every octet is booked.
    #[test]
    fn any_cut_and_any_order_gives_the_payload(
        cuts in proptest::collection::btree_set(1usize..40, 0..12),
        seed in any::<u64>(),
        repeats in 0usize..4,
    ) {
        let payload = [&IPV4_TCP[20..40], &[b'x'; 300]].concat();
        let edges: Vec<usize> = std::iter::once(0).chain(cuts.iter().map(|cut| cut * 8)).chain([payload.len()]).collect();
        let mut frames: Vec<_> = edges.windows(2).map(|e| fragment(1, &payload, e[0]..e[1], e[1] < payload.len())).collect();
        prop_assume!(frames.len() > 1);
        let count = frames.len();
        // Fewer than all: they do not make a second datagram.
        for n in 0..repeats.min(count - 1) {
            frames.push(frames[n].clone());
        }
        let mut state = seed;
        for n in (1..frames.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            frames.swap(n, (state >> 33) as usize % (n + 1));
        }
        let (outcomes, ..) = join(&frames);
        let layers = format!("{} {} 20 300 {}", 14 * count, 20 * count, "x".repeat(300));
        prop_assert_eq!(outcomes.len(), 1);
        prop_assert!(outcomes[0].ends_with(&layers), "{}", &outcomes[0]);
    }

    /// Fragments that contradict each other in every way: no octet is lost, nothing panics.
    #[test]
    fn any_fragments_are_accounted(
        parts in proptest::collection::vec((0u16..3, 0usize..12, 0usize..40, any::<bool>(), any::<u8>()), 0..60),
        limit in 0usize..20_000,
    ) {
        let limits = Limits { fragment_bytes: limit, ..Limits::default() };
        let mut joiner = Joiner::new(&Options { limits, ..Options::default() });
        for (id, start, len, more, fill) in parts {
            let payload = vec![fill; start * 8 + len];
            let data = fragment(id, &payload, start * 8..start * 8 + len, more);
            joiner.frame(1, &data, data.len());
        }
        joiner.finish();
    }
}
