//! pcap files (draft-ietf-opsawg-pcap): a header, then records.

use std::io;

use super::block::{self, ByteOrder, FILE_HEADER_LEN};
use super::record::{Damage, Record, Step};
use super::source::Source;
use crate::stream::Timestamp;

/// How a file's magic number says that it is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Magic {
    order: ByteOrder,
    ns_per_tick: u32,
    record_header_len: usize,
}

impl Magic {
    /// The magic number at the beginning of a file, if it is one of pcap's.
    pub(super) fn of(octets: &[u8]) -> Option<Self> {
        let (order, value) = match *octets.first_chunk::<4>()? {
            octets @ [0xa1, ..] => (ByteOrder::Big, u32::from_be_bytes(octets)),
            octets => (ByteOrder::Little, u32::from_le_bytes(octets)),
        };
        let (ns_per_tick, record_header_len) = match value {
            0xa1b2_c3d4 => (1000, 16),
            0xa1b2_3c4d => (1, 16),
            // Alexey Kuznetsov's patch of the 1990s: the interface, protocol and packet type follow each record header.
            0xa1b2_cd34 => (1000, 24),
            _ => return None,
        };
        Some(Self { order, ns_per_tick, record_header_len })
    }
}

/// Which of a record's two lengths comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    /// Version 2.3 was written either way: the smaller is what was captured.
    SmallerCaptured,
}

/// Reads records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records {
    magic: Magic,
    lengths: Lengths,
    link_type: u16,
    fcs_len: u32,
    interface: u32,
    limit: u32,
}

impl Records {
    /// Parses the file's header. A record's data longer than `limit` is taken for damage.
    pub(super) fn new(magic: Magic, header: &[u8], interface: u32, limit: u32) -> Option<Self> {
        let header = block::file_header(header, magic.order)?;
        let lengths = match header.version {
            (2, 0..=2) => Lengths::OriginalFirst,
            (2, 3) => Lengths::SmallerCaptured,
            _ => Lengths::CapturedFirst,
        };
        // Bit 26 says that the FCS length is known, bits 28 to 31 give it in 16-bit words. LINKTYPE_ values are 16 bits.
        let fcs_len = if header.network & 0x0400_0000 != 0 { (header.network >> 28) * 2 } else { 0 };
        Some(Self { magic, lengths, link_type: header.network as u16, fcs_len, interface, limit })
    }

    /// Reads the next record.
    #[inline]
    pub(super) fn next(&self, source: &mut Source) -> io::Result<Step> {
        let header_len = self.magic.record_header_len;
        if !source.need(header_len)? {
            return Ok(Step::end("record header", source, header_len));
        }
        let Some([seconds, fraction, first, second]) = self.magic.order.words(source.unread()) else {
            return Ok(Step::end("record header", source, header_len));
        };
        let (captured, len) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerCaptured => (first.min(second), first.max(second)),
        };
        let total = header_len + captured as usize;
        if captured > self.limit {
            return Ok(Step::Broken(Damage::limit("record", source, total, self.limit)));
        }
        if !source.need(total)? {
            return Ok(Step::end("record", source, total));
        }
        // Cannot overflow: (2³² − 1) · 10⁹ + (2³² − 1) · 1000 < 2⁶³.
        let ns = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * i64::from(self.magic.ns_per_tick);
        let position = source.position(header_len);
        source.consume(total);
        Ok(Step::Packet(
            Record { time: Timestamp(ns), len, position, captured, link_type: self.link_type, interface: self.interface }
                .without_fcs(self.fcs_len),
        ))
    }

    /// Length of the file's header.
    pub(super) const HEADER_LEN: usize = FILE_HEADER_LEN;
}
