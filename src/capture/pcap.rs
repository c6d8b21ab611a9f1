//! pcap files (draft-ietf-opsawg-pcap): a header, then records.

use std::io;
use std::ops::Range;

use super::block::{self, ByteOrder, FILE_HEADER_LEN};
use super::record::{Damage, Record, Step, Walked};
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

    /// Whether the next record is there as a whole, so that [`next`](Self::next) has nothing to wait for.
    #[inline]
    pub(super) fn is_ready(&self, source: &Source) -> bool {
        let lengths = self.magic.order.words(source.unread()).map(|[_, _, first, second]| self.lengths(first, second));
        lengths.is_some_and(|(captured, _)| captured <= self.limit && source.has(self.magic.record_header_len + captured as usize))
    }

    /// Octets captured, and octets on the wire.
    #[inline]
    fn lengths(&self, first: u32, second: u32) -> (u32, u32) {
        match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerCaptured => (first.min(second), first.max(second)),
        }
    }

    /// Reads the next record.
    #[inline]
    pub(super) fn next(&self, source: &mut Source) -> io::Result<Step> {
        let header_len = self.magic.record_header_len;
        if !source.need(header_len)? {
            return Ok(Step::end_within_header("record header", source, header_len));
        }
        let Some([seconds, fraction, first, second]) = self.magic.order.words(source.unread()) else {
            return Ok(Step::end_within_header("record header", source, header_len));
        };
        let (captured, len) = self.lengths(first, second);
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

    /// Takes records that are there and need no second look, until all places have one; `times` is when they may be from. The
    /// first that is different in anything stays for [`next`](Self::next).
    #[inline]
    pub(super) fn walk(&self, source: &mut Source, places: &mut [Record], times: Range<Timestamp>) -> Walked {
        match (self.magic.order, self.lengths, self.fcs_len) {
            (ByteOrder::Little, Lengths::CapturedFirst, 0) => self.walk_by(u32::from_le_bytes, source, places, times),
            (ByteOrder::Big, Lengths::CapturedFirst, 0) => self.walk_by(u32::from_be_bytes, source, places, times),
            (_, Lengths::CapturedFirst | Lengths::OriginalFirst | Lengths::SmallerCaptured, _) => Walked::default(),
        }
    }

    // Always: with the byte order known the loop keeps all that it needs in registers.
    #[inline(always)]
    fn walk_by(&self, word: impl Fn([u8; 4]) -> u32, source: &mut Source, places: &mut [Record], times: Range<Timestamp>) -> Walked {
        let Self { magic: Magic { ns_per_tick, record_header_len: header_len, .. }, link_type, interface, limit, .. } = *self;
        let mut walked = Walked::default();
        let mut latest = times.start;
        let (start, unread) = (source.position(0), source.unread());
        let mut at = 0;
        for place in places {
            let Some(header) = unread.get(at..).and_then(|rest| rest.first_chunk::<16>()) else { break };
            let word_at = |at: usize| word([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let (seconds, fraction, captured, len) = (word_at(0), word_at(4), word_at(8), word_at(12));
            let data_at = at + header_len;
            let end = data_at + captured as usize;
            let ns = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * i64::from(ns_per_tick);
            let time = Timestamp(ns);
            if captured > len.min(limit) || end > unread.len() || time < latest || time >= times.end {
                break;
            }
            *place = Record { time, len, position: start + data_at, captured, link_type, interface };
            walked.records += 1;
            walked.wire_bytes += u64::from(len);
            walked.captured_bytes += u64::from(captured);
            (at, latest) = (end, time);
        }
        source.consume(at);
        walked
    }

    /// Length of the file's header.
    pub(super) const HEADER_LEN: usize = FILE_HEADER_LEN;
}

#[cfg(test)]
mod tests {
    use super::super::samples::{FailsAt, OneByOne, Writer, drain, open, pcap, read};
    use super::*;
    use crate::anomaly::AnomalyKind;
    use crate::error::Error;

    #[test]
    fn every_magic_number_is_read_in_both_byte_orders() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            for (magic, ns) in [(0xa1b2_c3d4, 7_000), (0xa1b2_3c4d, 7)] {
                let file = Writer::new(order).pcap(magic, 1).record(2, 7, 60, b"abc").record(4_294_967_295, 0, 1, b"x");
                let (packets, found) = read(&file.octets);
                let expected = [(1, 2_000_000_000 + ns, 60, b"abc".to_vec(), 0), (2, 4_294_967_295_000_000_000, 1, b"x".to_vec(), 0)];
                assert_eq!(packets, expected);
                assert_eq!((found.packets, found.wire_bytes, found.captured_bytes, found.truncated), (2, 61, 4, false));
            }
        }
    }

    #[test]
    fn modified_records_have_eight_more_octets() {
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let file = Writer::new(order).pcap(0xa1b2_cd34, 1).u32(1).u32(2).u32(3).u32(60).bytes(&[0; 8]).bytes(b"abc");
            assert_eq!(read(&file.octets).0, [(1, 1_000_002_000, 60, b"abc".to_vec(), 0)]);
        }
    }

    #[test]
    fn frame_check_sequence_counts_neither_on_the_wire_nor_as_captured() {
        // Link type 1, an FCS of two 16-bit words: 64 octets are 60 without it.
        let file = Writer::new(ByteOrder::Little).pcap(0xa1b2_c3d4, 0x2400_0001);
        let file = file.record(0, 0, 64, &[1; 64]).record(0, 0, 64, &[1; 62]).record(0, 0, 64, &[1; 50]).record(0, 0, 2, &[1; 2]);
        let mut capture = open(io::Cursor::new(file.octets)).unwrap();
        assert_eq!(capture.next().unwrap().map(|packet| packet.link_type), Some(1));
        let lens: Vec<_> = drain(&mut capture).iter().map(|packet| (packet.2, packet.3.len())).collect();
        assert_eq!(lens, [(60, 60), (60, 50), (0, 0)]);
    }

    #[test]
    fn original_length_comes_first_before_version_2_3() {
        let old = |minor| Writer::new(ByteOrder::Little).u32(0xa1b2_c3d4).u16(2).u16(minor).bytes(&[0; 12]).u32(1);
        let file = old(2).u32(0).u32(0).u32(60).u32(3).bytes(b"abc");
        assert_eq!(read(&file.octets).0, [(1, 0, 60, b"abc".to_vec(), 0)]);
        let file = old(3).u32(0).u32(0).u32(60).u32(3).bytes(b"abc").u32(0).u32(0).u32(2).u32(50).bytes(b"de");
        assert_eq!(read(&file.octets).0, [(1, 0, 60, b"abc".to_vec(), 0), (2, 0, 50, b"de".to_vec(), 0)]);
    }

    #[test]
    fn more_captured_than_was_on_the_wire_stays_as_written() {
        // tshark 4.0 shows frame.len 2 and frame.cap_len 5 for such a record.
        let (packets, found) = read(&pcap(&[(0, 5, b"abcde"), (0, 2, b"abcde"), (0, 9, b"abcde")]));
        assert_eq!(packets[1], (2, 0, 2, b"abcde".to_vec(), 0));
        assert_eq!(found.anomalies.iter().collect::<Vec<_>>(), [(AnomalyKind::CapturedBeyondLength, 1, 2)]);
    }

    #[test]
    fn file_cut_anywhere_gives_every_packet_before_the_cut() {
        let file = pcap(&[(1, 60, b"abc"), (2, 60, b""), (3, 60, b"defgh")]);
        // 24 + 16 + 3 = 43, + 16 = 59, + 16 + 5 = 80.
        let ends = [24, 43, 59, 80];
        assert_eq!(file.len(), 80);
        for cut in 24..=file.len() {
            let (packets, found) = read(&file[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(packets, read(&file).0[..whole], "cut at {cut}");
            assert_eq!(found.truncated, !ends.contains(&cut));
            assert_eq!(found.anomalies.count(AnomalyKind::TruncatedCapture), u64::from(found.truncated));
        }
        assert_eq!(read(&file[..70]).1.damage.as_deref(), Some("record header at offset 59: 16 bytes wanted, 11 left"));
        assert_eq!(read(&file[..78]).1.damage.as_deref(), Some("record at offset 59: 21 bytes declared, 19 left"));
    }

    #[test]
    fn absurd_length_ends_the_file() {
        let file = Writer::new(ByteOrder::Little).bytes(&pcap(&[(1, 60, b"abc")])).u32(0).u32(0).u32(0xffff_fff0).u32(9).bytes(&[0; 99]);
        let (packets, found) = read(&file.octets);
        assert_eq!((packets.len(), found.truncated, found.anomalies.count(AnomalyKind::MalformedBlock)), (1, true, 1));
        let damage = "record at offset 43: 4294967296 bytes declared, more than the limit of 16777216";
        assert_eq!(found.damage.as_deref(), Some(damage));
    }

    #[test]
    fn record_larger_than_the_buffer_is_whole() {
        let data = vec![7; 1 << 20];
        let mut capture = open(io::Cursor::new(pcap(&[(1, 1 << 20, &data), (2, 1, b"x")]))).unwrap();
        let packets = drain(&mut capture);
        assert_eq!(packets, [(1, 1_000_000_000, 1 << 20, data, 0), (2, 2_000_000_000, 1, b"x".to_vec(), 0)]);
    }

    #[test]
    fn failing_read_is_an_error_after_the_packets_before_it() {
        let file = pcap(&[(1, 60, b"abc"), (2, 60, b"def")]);
        for reads in 0..=file.len() {
            let reader = FailsAt { inner: OneByOne(io::Cursor::new(file.clone())), reads_left: reads, interrupted: false };
            let mut capture = match open(reader) {
                Ok(capture) => capture,
                Err(Error::Read { offset: 0, .. }) if reads < 24 => continue,
                Err(error) => panic!("{error}"),
            };
            let mut packets = 0;
            let error = loop {
                match capture.next() {
                    Ok(packet) => packets += u32::from(packet.is_some()),
                    Err(error) => break error,
                }
            };
            let expected = [43, 62].iter().filter(|end| **end <= reads).count();
            assert_eq!((packets as usize, error.to_string()), (expected, format!("test: read failed at offset {reads}: the disk is gone")));
            assert!(capture.next().unwrap().is_none());
        }
    }
}
