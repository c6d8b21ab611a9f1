//! Captures as they would have been, had the capturing program seen less, in another order, or twice.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;

use wiretare::{Analyzer, Capture, Frame, Limits, Options, Packet, Row, Sliced, Totals, slice};

/// A captured frame that owns its octets.
#[derive(Clone, Debug)]
pub(crate) struct OwnedPacket {
    /// Its number in the capture as it was.
    pub(crate) original: u64,
    frame: Frame,
    len: u32,
    data: Vec<u8>,
    link_type: u16,
    interface: u32,
}

impl OwnedPacket {
    pub(crate) fn borrowed(&self) -> Packet<'_> {
        Packet { frame: self.frame, len: self.len, data: &self.data, link_type: self.link_type, interface: self.interface }
    }

    /// Sender and receiver, when it carries TCP.
    pub(crate) fn endpoints(&self) -> Option<[SocketAddr; 2]> {
        match slice(&self.borrowed()) {
            Sliced::Segment(segment) => Some([segment.sender, segment.sender.other()].map(|end| segment.key.endpoint(end))),
            Sliced::NotTcp(_) | Sliced::Fragment(_) => None,
        }
    }

    fn cut(&mut self, len: usize) {
        self.data.truncate(len);
    }
}

/// The frames of a capture, in captured order.
pub(crate) fn packets(path: &Path) -> Vec<OwnedPacket> {
    let mut capture = Capture::open(&[path.to_owned()], &Limits::default()).expect("a readable sample");
    let mut packets = Vec::new();
    while let Some(Packet { frame, len, data, link_type, interface }) = capture.next().expect("a readable sample") {
        packets.push(OwnedPacket { original: frame.number, frame, len, data: data.to_vec(), link_type, interface });
    }
    packets
}

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % limit
    }
}

/// What the capturing program did otherwise. Steps apply in the order given.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// It began so many frames later.
    Begin(usize),
    /// Every n-th frame is not there.
    LoseEvery(usize),
    /// Frames are not there, each with a chance of one in so many.
    Lose { seed: u64, one_in: u64 },
    /// Each frame comes up to so many places later than it was sent.
    Reorder { seed: u64, window: u64 },
    /// Frames are there twice, the second time up to three frames later.
    Duplicate { seed: u64, one_in: u64 },
    /// Only so many octets of each frame are kept.
    Snap(usize),
    /// Only so many octets are kept of each frame that a client (or a server) sent.
    SnapSender { client: bool, len: usize },
    /// Only the frames that clients (or servers) sent are there.
    OneSided { client: bool },
}

/// Applies changes to the frames of a capture whose clients are known.
pub(crate) fn rewrite(packets: &[OwnedPacket], clients: &HashSet<SocketAddr>, changes: &[Change]) -> Vec<OwnedPacket> {
    changes.iter().fold(packets.to_vec(), |packets, change| {
        let times: Vec<_> = packets.iter().map(|packet| packet.frame.time).collect();
        let mut changed = apply(packets, clients, change);
        if let Change::Reorder { .. } = change {
            // A capture's clock goes on whatever comes first.
            changed.iter_mut().zip(times).for_each(|(packet, time)| packet.frame.time = time);
        }
        changed
    })
}

fn apply(mut packets: Vec<OwnedPacket>, clients: &HashSet<SocketAddr>, change: &Change) -> Vec<OwnedPacket> {
    let is_from = |packet: &OwnedPacket, client: bool| {
        let [sender, receiver] = packet.endpoints()?;
        Some(if client { clients.contains(&sender) } else { clients.contains(&receiver) })
    };
    match *change {
        Change::Begin(first) => packets.drain(..first.min(packets.len())).for_each(drop),
        Change::LoseEvery(n) => {
            let mut number = 0;
            packets.retain(|_| {
                number += 1;
                number % n != 0
            });
        }
        Change::Lose { seed, one_in } => {
            let mut random = Random(seed);
            packets.retain(|_| random.below(one_in) != 0);
        }
        Change::Reorder { seed, window } => {
            let mut random = Random(seed);
            let places: Vec<u64> = (0..packets.len() as u64).map(|place| place + random.below(window + 1)).collect();
            let mut order: Vec<usize> = (0..packets.len()).collect();
            order.sort_by_key(|&n| places[n]);
            packets = order.into_iter().map(|n| packets[n].clone()).collect();
        }
        Change::Duplicate { seed, one_in } => {
            let mut random = Random(seed);
            let mut n = 0;
            while n < packets.len() {
                if random.below(one_in) == 0 {
                    let later = (n + 1 + random.below(4) as usize).min(packets.len());
                    let mut again = packets[n].clone();
                    again.frame.time = packets[later - 1].frame.time;
                    packets.insert(later, again);
                    n += 1;
                }
                n += 1;
            }
        }
        Change::Snap(len) => packets.iter_mut().for_each(|packet| packet.cut(len)),
        Change::SnapSender { client, len } => {
            packets.iter_mut().filter(|packet| is_from(packet, client) == Some(true)).for_each(|packet| packet.cut(len));
        }
        Change::OneSided { client } => packets.retain(|packet| is_from(packet, client) != Some(false)),
    }
    packets
}

/// The frames as a pcapng file.
pub(crate) fn pcapng(packets: &[OwnedPacket]) -> Vec<u8> {
    let mut file = Vec::new();
    block(&mut file, 0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    let mut interfaces: Vec<(u32, u16)> = Vec::new();
    for packet in packets {
        let interface = (packet.interface, packet.link_type);
        let number = interfaces.iter().position(|&known| known == interface).unwrap_or_else(|| {
            // Option if_tsresol: nanoseconds.
            let options = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
            block(&mut file, 1, &[&packet.link_type.to_le_bytes()[..], &[0; 6], &options].concat());
            interfaces.push(interface);
            interfaces.len() - 1
        });
        let time = packet.frame.time.0.cast_unsigned();
        let fields = [number as u32, (time >> 32) as u32, time as u32, packet.data.len() as u32, packet.len];
        let mut body: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        body.extend(&packet.data);
        body.resize(body.len().next_multiple_of(4), 0);
        block(&mut file, 6, &body);
    }
    file
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let len = (body.len() as u32 + 12).to_le_bytes();
    file.extend([&kind.to_le_bytes()[..], &len, body, &len].concat());
}

/// All rows and the totals of a capture in memory.
pub(crate) fn analyze(packets: &[OwnedPacket], options: &Options) -> (Vec<Row>, Totals) {
    let bytes = std::io::Cursor::new(pcapng(packets));
    let mut capture = Capture::from_reader("rewritten", bytes, &options.limits).expect("a well-formed capture");
    let mut analyzer = Analyzer::new(options.clone());
    while let Some(packet) = capture.next().expect("a well-formed capture") {
        analyzer.packet(&packet);
    }
    analyzer.finish();
    (std::iter::from_fn(|| analyzer.poll()).collect(), analyzer.totals().clone())
}
