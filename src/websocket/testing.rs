//! What the tests of this room share: frames as their senders build them, and a sink that keeps what it is given.

use super::frame::Header;
use super::mask;
use crate::message::{Content, ContentSink, Form, Opcode};
use crate::stream::{Frame, LayerBytes, Provenance, StreamBuffer, Timestamp};

pub(super) const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// A frame to be sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    first: u8,
    key: Option<[u8; 4]>,
    length_octets: usize,
    payload: Vec<u8>,
}

/// An unmasked, final frame.
pub(super) fn frame(opcode: Opcode, payload: &[u8]) -> Sent {
    let length_octets = match payload.len() {
        0..126 => 0,
        126..65536 => 2,
        _ => 8,
    };
    Sent { first: 0x80 | opcode.bits(), key: None, length_octets, payload: payload.to_vec() }
}

impl Sent {
    pub(super) fn masked(self) -> Self {
        Self { key: Some(KEY), ..self }
    }

    pub(super) fn not_final(self) -> Self {
        Self { first: self.first & 0x7f, ..self }
    }

    pub(super) fn rsv(self, bits: u8) -> Self {
        Self { first: self.first | bits << 4, ..self }
    }

    pub(super) fn with_length_of(self, length_octets: usize) -> Self {
        Self { length_octets, ..self }
    }

    pub(super) fn octets(&self) -> Vec<u8> {
        let mask_bit = if self.key.is_some() { 0x80 } else { 0 };
        let len = self.payload.len();
        let mut octets = vec![self.first];
        match self.length_octets {
            0 => octets.push(mask_bit | len as u8),
            2 => {
                octets.push(mask_bit | 126);
                octets.extend((len as u16).to_be_bytes());
            }
            _ => {
                octets.push(mask_bit | 127);
                octets.extend((len as u64).to_be_bytes());
            }
        }
        let mut payload = self.payload.clone();
        if let Some(key) = self.key {
            octets.extend(key);
            mask::unmask(&mut payload, key, 0);
        }
        octets.extend(payload);
        debug_assert!(Header::parse(&octets).is_some());
        octets
    }
}

/// What one frame of the capture cost: 14 + 20 + 32 octets of headers and its payload.
pub(super) fn segment(number: u64, payload: usize) -> Provenance {
    let bytes = LayerBytes { link: 14, ip: 20, tcp: 32, tls: 0, payload: payload as u64 };
    Provenance::of_frame(Frame { number, time: Timestamp(number as i64) }, bytes)
}

/// Pushes each piece as a segment of its own.
pub(super) fn push_segments<'a>(buffer: &mut StreamBuffer, first: u64, pieces: impl IntoIterator<Item = &'a [u8]>) {
    for (number, piece) in (first..).zip(pieces) {
        buffer.push(piece, segment(number, piece.len()));
    }
}

/// Hands content back as its sample, with `?` for every octet that is missing. Compressed content comes back as it is.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    open: Vec<Vec<u8>>,
    pub(super) gaps: usize,
}

impl ContentSink for Recorder {
    fn begin(&mut self, _form: Form<'_>) {
        self.open.push(Vec::new());
    }

    fn data(&mut self, encoded: &[u8]) {
        self.open.last_mut().expect("data belongs to a message that began").extend_from_slice(encoded);
    }

    fn missing(&mut self, len: u64) {
        self.data(&vec![b'?'; len as usize]);
    }

    fn end(&mut self, complete: bool) -> Content {
        let octets = self.open.pop().expect("only what began can end");
        Content { bytes: complete.then_some(octets.len() as u64), sample: Some(octets.into()), ..Content::default() }
    }

    fn lose_context(&mut self) {
        self.gaps += 1;
    }
}
