//! Captures built in code, for the tests of this room.

use std::io::{self, Read};

use super::block::ByteOrder::{self, Big, Little};
use super::{Capture, Packet};
use crate::error::Result;
use crate::options::Limits;

/// Writes numbers in a byte order.
pub(super) struct Writer {
    order: ByteOrder,
    pub(super) octets: Vec<u8>,
}

impl Writer {
    pub(super) fn new(order: ByteOrder) -> Self {
        Self { order, octets: Vec::new() }
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.octets.extend(match self.order {
            Little => value.to_le_bytes(),
            Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.octets.extend(match self.order {
            Little => value.to_le_bytes(),
            Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn i64(mut self, value: i64) -> Self {
        self.octets.extend(match self.order {
            Little => value.to_le_bytes(),
            Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn bytes(mut self, octets: &[u8]) -> Self {
        self.octets.extend_from_slice(octets);
        self
    }

    pub(super) fn pad(mut self) -> Self {
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        self
    }

    /// A pcapng option, padded.
    pub(super) fn option(self, code: u16, value: &[u8]) -> Self {
        self.u16(code).u16(value.len() as u16).bytes(value).pad()
    }

    /// A pcapng block around a body, padded.
    pub(super) fn block(self, block_type: u32, body: impl FnOnce(Self) -> Self) -> Self {
        let inner = body(Self::new(self.order)).pad();
        let len = inner.octets.len() as u32 + 12;
        self.u32(block_type).u32(len).bytes(&inner.octets).u32(len)
    }

    pub(super) fn section(self) -> Self {
        self.block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(1).u16(0).i64(-1))
    }

    /// An Ethernet interface with options.
    pub(super) fn interface(self, options: &[(u16, &[u8])]) -> Self {
        self.block(1, |body| options.iter().fold(body.u16(1).u16(0).u32(0), |body, (code, value)| body.option(*code, value)))
    }

    pub(super) fn enhanced(self, interface: u32, ticks: u64, len: u32, data: &[u8]) -> Self {
        self.block(6, |body| body.u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32).u32(data.len() as u32).u32(len).bytes(data))
    }

    /// A pcap file header.
    pub(super) fn pcap(self, magic: u32, network: u32) -> Self {
        self.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(network)
    }

    pub(super) fn record(self, seconds: u32, fraction: u32, len: u32, data: &[u8]) -> Self {
        self.u32(seconds).u32(fraction).u32(data.len() as u32).u32(len).bytes(data)
    }
}

/// A pcap file of packets of one octet or more at whole seconds: (seconds, len, data).
pub(super) fn pcap(packets: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let file = Writer::new(Little).pcap(0xa1b2_c3d4, 1);
    packets.iter().fold(file, |file, (seconds, len, data)| file.record(*seconds, 0, *len, data)).octets
}

/// A packet as a value: number, nanoseconds, `len`, data, interface.
pub(super) type Seen = (u64, i64, u32, Vec<u8>, u32);

pub(super) fn seen(packet: Packet<'_>) -> Seen {
    (packet.frame.number, packet.frame.time.0, packet.len, packet.data.to_vec(), packet.interface)
}

pub(super) fn open(reader: impl Read + Send + 'static) -> Result<Capture> {
    Capture::from_reader("test", reader, &Limits::default())
}

/// Every packet up to the end.
pub(super) fn drain(capture: &mut Capture) -> Vec<Seen> {
    let mut packets = Vec::new();
    while let Some(packet) = capture.next().expect("no read fails here") {
        packets.push(seen(packet));
    }
    packets
}

/// Every packet of a file in memory, read whole and octet by octet, which must come to the same.
pub(super) fn read(octets: &[u8]) -> (Vec<Seen>, super::CaptureFile) {
    let mut whole = open(io::Cursor::new(octets.to_vec())).expect("a capture");
    let mut slow = open(OneByOne(io::Cursor::new(octets.to_vec()))).expect("a capture");
    let (packets, file) = (drain(&mut whole), whole.files().remove(0));
    assert_eq!((drain(&mut slow), slow.files().remove(0)), (packets.clone(), file.clone()));
    (packets, file)
}

/// Gives one octet a read.
pub(super) struct OneByOne<R>(pub(super) R);

impl<R: Read> Read for OneByOne<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(1);
        self.0.read(&mut into[..len])
    }
}

/// Fails at its n-th read, after interrupting it once.
pub(super) struct FailsAt<R> {
    pub(super) inner: R,
    pub(super) reads_left: usize,
    pub(super) interrupted: bool,
}

impl<R: Read> Read for FailsAt<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Some(left) = self.reads_left.checked_sub(1) else { return Err(io::Error::other("the disk is gone")) };
        self.reads_left = left;
        self.inner.read(into)
    }
}
