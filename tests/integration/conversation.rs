//! Captures built in code: a client and a server talk, and what the capture saw of it can be changed.

use wiretare::{Analyzer, Capture, Limits, Options, Row, Totals};

/// A conversation over one TCP connection, as Ethernet frames in captured order.
pub(crate) struct Conversation {
    frames: Vec<Vec<u8>>,
    /// Next sequence number of each side: client, server.
    seq: [u32; 2],
    ports: [u16; 2],
}

const SYN: u8 = 0x02;
const FIN: u8 = 0x01;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

impl Conversation {
    /// A connection that begins with its three-way handshake.
    pub(crate) fn open() -> Self {
        Self::open_from(40_000)
    }

    /// The same from another port of the client.
    pub(crate) fn open_from(port: u16) -> Self {
        let mut conversation = Self { ports: [port, 80], ..Self::midstream() };
        conversation.segment(0, SYN, b"");
        conversation.segment(1, SYN | ACK, b"");
        conversation.segment(0, ACK, b"");
        conversation
    }

    /// A connection whose beginning was not captured.
    pub(crate) fn midstream() -> Self {
        Self { frames: Vec::new(), seq: [1000, u32::MAX - 50], ports: [40_000, 80] }
    }

    /// The client sends a segment.
    pub(crate) fn client(&mut self, payload: impl AsRef<[u8]>) -> &mut Self {
        self.segment(0, PSH | ACK, payload.as_ref())
    }

    /// The server sends a segment.
    pub(crate) fn server(&mut self, payload: impl AsRef<[u8]>) -> &mut Self {
        self.segment(1, PSH | ACK, payload.as_ref())
    }

    /// A segment without payload, from the client.
    pub(crate) fn client_acknowledges(&mut self) -> &mut Self {
        self.segment(0, ACK, b"")
    }

    /// A segment without payload, from the server.
    pub(crate) fn server_acknowledges(&mut self) -> &mut Self {
        self.segment(1, ACK, b"")
    }

    /// Both sides finish.
    pub(crate) fn close(&mut self) -> &mut Self {
        self.segment(0, FIN | ACK, b"");
        self.segment(1, FIN | ACK, b"");
        self.segment(0, ACK, b"")
    }

    /// The client resets the connection.
    pub(crate) fn reset(&mut self) -> &mut Self {
        self.segment(0, RST, b"")
    }

    /// The n-th frame (from 1) is not captured.
    pub(crate) fn lose(&mut self, frame: usize) -> &mut Self {
        self.frames.remove(frame - 1);
        self
    }

    /// Two frames (from 1) are captured in the other order.
    pub(crate) fn swap(&mut self, one: usize, other: usize) -> &mut Self {
        self.frames.swap(one - 1, other - 1);
        self
    }

    /// The n-th frame (from 1) is captured again at the end.
    pub(crate) fn repeat(&mut self, frame: usize) -> &mut Self {
        self.frames.push(self.frames[frame - 1].clone());
        self
    }

    /// Frames so far.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    fn segment(&mut self, sender: usize, flags: u8, payload: &[u8]) -> &mut Self {
        let peer = 1 - sender;
        let mut frame = vec![2, 0, 0, 0, 0, peer as u8, 2, 0, 0, 0, 0, sender as u8, 8, 0];
        let total = 40 + payload.len() as u16;
        frame.extend([0x45, 0]);
        frame.extend(total.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1 + sender as u8, 10, 0, 0, 1 + peer as u8]);
        frame.extend(self.ports[sender].to_be_bytes());
        frame.extend(self.ports[peer].to_be_bytes());
        frame.extend(self.seq[sender].to_be_bytes());
        frame.extend(if flags & ACK != 0 { self.seq[peer] } else { 0 }.to_be_bytes());
        frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        let taken = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.seq[sender] = self.seq[sender].wrapping_add(taken);
        self.frames.push(frame);
        self
    }

    /// The capture as a pcap file; a frame each millisecond.
    pub(crate) fn pcap(&self) -> Vec<u8> {
        Self::pcap_of(self.frames.iter())
    }

    /// Several that talk at the same time, a frame of each in turn.
    pub(crate) fn pcap_of_all(conversations: &[Self]) -> Vec<u8> {
        let most = conversations.iter().map(Self::len).max().unwrap_or(0);
        Self::pcap_of((0..most).flat_map(|n| conversations.iter().filter_map(move |conversation| conversation.frames.get(n))))
    }

    fn pcap_of<'a>(frames: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u8> {
        let mut file = [0xa1b2_c3d4_u32.to_le_bytes(), [2, 0, 4, 0], [0; 4], [0; 4], [0, 0, 4, 0], [1, 0, 0, 0]].concat();
        for (n, frame) in frames.enumerate() {
            let len = (frame.len() as u32).to_le_bytes();
            file.extend((1_600_000_000 + n as u32 / 1000).to_le_bytes());
            file.extend((n as u32 % 1000 * 1000).to_le_bytes());
            file.extend([len, len].concat());
            file.extend(frame);
        }
        file
    }

    /// All rows and the totals.
    pub(crate) fn analyze(&self, options: &Options) -> (Vec<Row>, Totals) {
        let bytes = std::io::Cursor::new(self.pcap());
        let mut capture = Capture::from_reader("conversation", bytes, &Limits::default()).expect("a well-formed capture");
        let mut analyzer = Analyzer::new(options.clone());
        while let Some(packet) = capture.next().expect("a well-formed capture") {
            analyzer.packet(&packet);
        }
        analyzer.finish();
        (std::iter::from_fn(|| analyzer.poll()).collect(), analyzer.totals().clone())
    }
}
