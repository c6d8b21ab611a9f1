//! pcapng files (draft-ietf-opsawg-pcapng): sections of blocks.

use std::io;
use std::ops::Range;

use super::block::{self, ByteOrder};
use super::clock::Clock;
use super::record::{Damage, Record, Step, Walked};
use super::source::Source;
use crate::stream::Timestamp;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and total length before a block's body, and the total length again behind it.
const BLOCK_FRAME: usize = 12;

/// Octets of an Enhanced Packet Block before its packet's, and of the block without the packet.
const PACKET_DATA: usize = 28;
const PACKET_FRAME: u32 = 32;

/// More interfaces than any section has; the rest are taken for damage.
const MAX_INTERFACES: usize = 1 << 16;

/// Comments kept of a file.
const MAX_COMMENTS: usize = 64;

/// Whether a file begins like pcapng: a Section Header Block's type, which reads the same in both byte orders.
pub(super) fn is_magic(octets: &[u8]) -> bool {
    octets.starts_with(&SECTION_HEADER.to_be_bytes())
}

/// The byte order of a section, by its header's byte-order magic.
pub(super) fn byte_order(section_header: &[u8]) -> Option<ByteOrder> {
    match section_header.get(8..12)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(ByteOrder::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(ByteOrder::Little),
        _ => None,
    }
}

/// An interface of the present section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    clock: Clock,
    link_type: u16,
    fcs_len: u32,
    snaplen: u32,
    /// Over the whole capture.
    index: u32,
}

/// Reads blocks.
#[derive(Debug)]
pub(super) struct Blocks {
    order: ByteOrder,
    /// Those of the present section; `None` stands for a malformed description, so that the next keeps its number.
    interfaces: Vec<Option<Interface>>,
    /// Whether the present section is of a version that is known.
    readable: bool,
    /// For packets that carry no time.
    last_time: Timestamp,
    limit: u32,
    comments: Vec<String>,
}

/// How far a block was understood.
enum Content {
    Packet(Record),
    Other,
    /// It was used but for an option.
    Odd(String),
    Malformed(String),
}

impl Blocks {
    /// A reader at the beginning of a file. A block longer than `limit` is taken for damage.
    pub(super) fn new(limit: u32) -> Self {
        // The first block is a section header, which says the order.
        let order = ByteOrder::Little;
        Self { order, interfaces: Vec::new(), readable: true, last_time: Timestamp(0), limit, comments: Vec::new() }
    }

    /// Comments of the sections.
    pub(super) fn comments(&self) -> &[String] {
        &self.comments
    }

    /// Whether the next block is a packet's and there as a whole, so that [`next`](Self::next) has nothing to wait for.
    #[inline]
    pub(super) fn is_ready(&self, source: &Source) -> bool {
        let head = self.order.words::<2>(source.unread());
        head.is_some_and(|[block_type, total]| {
            block_type == ENHANCED_PACKET && self.readable && total <= self.limit && source.has((total as usize).next_multiple_of(4))
        })
    }

    /// Takes packets that are there and need no second look, until all places have one; `times` is when they may be from. The
    /// first that is different in anything, or another block, stays for [`next`](Self::next).
    #[inline]
    pub(super) fn walk(&mut self, source: &mut Source, places: &mut [Record], times: Range<Timestamp>) -> Walked {
        match self.order {
            ByteOrder::Little if self.readable => self.walk_by(u32::from_le_bytes, source, places, times),
            ByteOrder::Big if self.readable => self.walk_by(u32::from_be_bytes, source, places, times),
            ByteOrder::Little | ByteOrder::Big => Walked::default(),
        }
    }

    // Always: with the byte order known the loop keeps all that it needs in registers.
    #[inline(always)]
    fn walk_by(&mut self, word: impl Fn([u8; 4]) -> u32, source: &mut Source, places: &mut [Record], times: Range<Timestamp>) -> Walked {
        let mut walked = Walked::default();
        let mut latest = times.start;
        let (start, unread) = (source.position(0), source.unread());
        let mut at = 0;
        for place in places {
            let Some(head) = unread.get(at..).and_then(|rest| rest.first_chunk::<PACKET_DATA>()) else { break };
            let word_at = |at: usize| word([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let (block_type, total, captured, len) = (word_at(0), word_at(4), word_at(20), word_at(24));
            let room = total.checked_sub(PACKET_FRAME);
            if block_type != ENHANCED_PACKET || total % 4 != 0 || total > self.limit || room.is_none_or(|room| captured > room.min(len)) {
                break;
            }
            let end = at + total as usize;
            let trailer = unread.get(..end).and_then(|block| block.last_chunk::<4>());
            let (Some(trailer), Some(Some(interface))) = (trailer, self.interfaces.get(word_at(8) as usize)) else { break };
            let time = interface.clock.time(word_at(12), word_at(16));
            if word(*trailer) != total || interface.fcs_len != 0 || time < latest || time >= times.end {
                break;
            }
            let position = start + at + PACKET_DATA;
            *place = Record { time, len, position, captured, link_type: interface.link_type, interface: interface.index };
            walked.records += 1;
            walked.wire_bytes += u64::from(len);
            walked.captured_bytes += u64::from(captured);
            (at, latest) = (end, time);
        }
        if walked.records > 0 {
            self.last_time = latest;
        }
        source.consume(at);
        walked
    }

    /// Reads up to the next packet. `next_interface` numbers the interfaces of the whole capture.
    #[inline]
    pub(super) fn next(&mut self, source: &mut Source, next_interface: &mut u32) -> io::Result<Step> {
        loop {
            if !source.need(BLOCK_FRAME)? {
                return Ok(Step::end_within_header("block", source, BLOCK_FRAME));
            }
            let octets = source.unread();
            if is_magic(octets) {
                let Some(order) = byte_order(octets) else {
                    return Ok(Step::Broken(Damage::new("section header", source, 0, Some("no byte-order magic".into()))));
                };
                self.order = order;
            }
            let Some([block_type, total]) = self.order.words::<2>(source.unread()) else {
                return Ok(Step::end_within_header("block", source, BLOCK_FRAME));
            };
            if (total as usize) < BLOCK_FRAME || total > self.limit {
                return Ok(Step::Broken(self.unbelievable(source, total)));
            }
            // Draft §3.1: a multiple of 4. Old writers left the padding out of the number, not out of the file.
            let len = (total as usize).next_multiple_of(4);
            if !source.need(len)? {
                return Ok(Step::end("block", source, len));
            }
            let Some(block) = source.unread().get(..len) else {
                return Ok(Step::end("block", source, len));
            };
            let trailer = block.last_chunk::<4>().map(|octets| self.order.u32(*octets));
            let content = if trailer == Some(total) {
                self.block(block_type, block, source, next_interface)
            } else if len == total as usize {
                mismatch(trailer)
            } else {
                return Ok(Step::Broken(self.unbelievable(source, total)));
            };
            match content {
                Content::Packet(record) => {
                    source.consume(len);
                    return Ok(Step::Packet(record));
                }
                Content::Other => source.consume(len),
                Content::Odd(why) => {
                    let damage = Damage::new(name(block_type), source, len, Some(why));
                    source.consume(len);
                    return Ok(Step::Odd(damage));
                }
                Content::Malformed(why) => {
                    let damage = Damage::new(name(block_type), source, len, Some(why));
                    source.consume(len);
                    return Ok(Step::Skipped(damage));
                }
            }
        }
    }

    #[cold]
    fn unbelievable(&self, source: &Source, total: u32) -> Box<Damage> {
        if total > self.limit {
            return Damage::limit("block", source, total as usize, self.limit);
        }
        let why = if (total as usize) < BLOCK_FRAME { "fewer than the 12 of any block" } else { "not a multiple of 4" };
        Damage::new("block", source, total as usize, Some(why.into()))
    }

    #[inline]
    fn block(&mut self, block_type: u32, block: &[u8], source: &Source, next_interface: &mut u32) -> Content {
        if block_type == ENHANCED_PACKET && self.readable {
            return self.enhanced_packet(block, source);
        }
        self.rare(block_type, block, source, next_interface)
    }

    #[inline]
    fn enhanced_packet(&mut self, block: &[u8], source: &Source) -> Content {
        let Some([_, _, interface, high, low, captured, len]) = self.order.words::<7>(block) else {
            return Content::Malformed("too short for its header".into());
        };
        self.packet(Head { data_at: PACKET_DATA, interface, high, low, captured, len }, block, source)
    }

    #[inline]
    fn packet(&mut self, head: Head, block: &[u8], source: &Source) -> Content {
        // The data, then the trailing length: padding that is missing or odd takes nothing from the packet.
        let room = block.len().saturating_sub(head.data_at + 4);
        if head.captured as usize > room {
            return Content::Malformed(format!("its packet has {}, {room} left for it", head.captured));
        }
        let Some(&Some(interface)) = self.interfaces.get(head.interface as usize) else {
            return Content::Malformed(format!("of interface {}, which is not described", head.interface));
        };
        self.last_time = interface.clock.time(head.high, head.low);
        Content::Packet(self.record(&interface, source.position(head.data_at), head.captured, head.len))
    }

    #[inline]
    fn record(&self, interface: &Interface, position: usize, captured: u32, len: u32) -> Record {
        let (link_type, interface_index) = (interface.link_type, interface.index);
        let record = Record { time: self.last_time, len, position, captured, link_type, interface: interface_index };
        record.without_fcs(interface.fcs_len)
    }

    #[cold]
    #[inline(never)]
    fn rare(&mut self, block_type: u32, block: &[u8], source: &Source, next_interface: &mut u32) -> Content {
        match block_type {
            SECTION_HEADER => self.section_header(block),
            _ if !self.readable => Content::Other,
            INTERFACE_DESCRIPTION => self.interface_description(block, next_interface),
            SIMPLE_PACKET => self.simple_packet(block, source),
            OBSOLETE_PACKET => self.obsolete_packet(block, source),
            // Names, statistics, secrets, journals, processes, custom and unknown blocks say nothing about a packet.
            _ => Content::Other,
        }
    }

    fn section_header(&mut self, block: &[u8]) -> Content {
        self.interfaces.clear();
        let room = MAX_COMMENTS.saturating_sub(self.comments.len());
        let Some(section) = block::section_header(block, self.order, room) else {
            self.readable = false;
            return Content::Malformed("a malformed section header".into());
        };
        // Draft §4.1: a reader must not go by a major version that it does not know.
        self.readable = section.major_version == 1;
        if !self.readable {
            return Content::Malformed(format!("version {} of pcapng is not known", section.major_version));
        }
        self.comments.extend(section.comments);
        section.malformed_option.map_or(Content::Other, Content::Odd)
    }

    fn interface_description(&mut self, block: &[u8], next_interface: &mut u32) -> Content {
        if self.interfaces.len() >= MAX_INTERFACES {
            return Content::Malformed(format!("more than {MAX_INTERFACES} interfaces"));
        }
        let Some(description) = block::interface_description(block, self.order) else {
            self.interfaces.push(None);
            return Content::Malformed("a malformed description".into());
        };
        self.interfaces.push(Some(Interface {
            clock: Clock::new(description.resolution, description.offset),
            link_type: description.link_type,
            fcs_len: description.fcs_len,
            snaplen: description.snaplen,
            index: *next_interface,
        }));
        *next_interface = next_interface.saturating_add(1);
        description.malformed_option.map_or(Content::Other, Content::Odd)
    }

    /// A Simple Packet Block has no interface (it is of the first), no time (the last packet's is nearest) and no captured
    /// length: what the snap length leaves of the original one (draft §4.4).
    fn simple_packet(&mut self, block: &[u8], source: &Source) -> Content {
        let Some((len, data)) = block::simple_packet(block, self.order) else {
            return Content::Malformed("too short for its header".into());
        };
        let Some(&Some(interface)) = self.interfaces.first() else {
            return Content::Malformed("of an interface that is not described".into());
        };
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let captured = len.min(snaplen);
        if captured as usize > data.len() {
            return Content::Malformed(format!("its packet has {captured}, {} left for it", data.len()));
        }
        Content::Packet(self.record(&interface, source.position(12), captured, len))
    }

    /// The Packet Block of old files (draft §A): a 16-bit interface and a drop count where the Enhanced Packet Block has its
    /// interface.
    fn obsolete_packet(&mut self, block: &[u8], source: &Source) -> Content {
        let (Some([_, _, _, high, low, captured, len]), Some(interface)) = (self.order.words::<7>(block), block.get(8..10)) else {
            return Content::Malformed("too short for its header".into());
        };
        let interface = u32::from(self.order.u16([interface[0], interface[1]]));
        self.packet(Head { data_at: 28, interface, high, low, captured, len }, block, source)
    }
}

/// What stands before a packet's data in its block.
struct Head {
    data_at: usize,
    interface: u32,
    high: u32,
    low: u32,
    captured: u32,
    len: u32,
}

#[cold]
fn mismatch(trailer: Option<u32>) -> Content {
    Content::Malformed(format!("{} behind it", trailer.unwrap_or_default()))
}

fn name(block_type: u32) -> &'static str {
    match block_type {
        SECTION_HEADER => "section header",
        INTERFACE_DESCRIPTION => "interface description",
        OBSOLETE_PACKET => "packet block",
        SIMPLE_PACKET => "simple packet block",
        ENHANCED_PACKET => "enhanced packet block",
        _ => "block",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Writer, drain, open, read};
    use super::*;
    use crate::anomaly::AnomalyKind;

    fn orders() -> [Writer; 2] {
        [Writer::new(ByteOrder::Little), Writer::new(ByteOrder::Big)]
    }

    #[test]
    fn every_packet_block_is_read_in_both_byte_orders() {
        for file in orders() {
            let file = file.section().interface(&[]).enhanced(0, 5, 60, b"abcde");
            let file = file.block(3, |body| body.u32(3).bytes(b"xyz"));
            let file = file.block(2, |body| body.u16(0).u16(9).u32(0).u32(7).u32(2).u32(50).bytes(b"pq"));
            let (packets, found) = read(&file.octets);
            // The Simple Packet Block has no time: that of the packet before it.
            let expected = [(1, 5000, 60, b"abcde".to_vec(), 0), (2, 5000, 3, b"xyz".to_vec(), 0), (3, 7000, 50, b"pq".to_vec(), 0)];
            assert_eq!(packets, expected);
            assert_eq!((found.truncated, found.damage, found.wire_bytes), (false, None, 113));
        }
    }

    #[test]
    fn resolution_and_offset_hold_for_their_interface() {
        for (file, offset) in orders().into_iter().zip([(-3600_i64).to_le_bytes(), (-3600_i64).to_be_bytes()]) {
            let file = file.section().interface(&[(9, &[9])]).interface(&[(9, &[0x8a]), (14, &offset)]);
            let file = file.enhanced(0, 1, 1, b"a").enhanced(1, 3_687_424, 1, b"b");
            // 3 687 424 / 1024 = 3601 s, less 3600.
            assert_eq!(read(&file.octets).0, [(1, 1, 1, b"a".to_vec(), 0), (2, 1_000_000_000, 1, b"b".to_vec(), 1)]);
        }
    }

    #[test]
    fn interfaces_are_of_their_section_and_numbered_over_the_capture() {
        let [little, big] = orders();
        let first = little.section().interface(&[]).enhanced(0, 1, 1, b"a");
        let second = big.section().interface(&[(9, &[9])]).interface(&[]).enhanced(1, 2, 1, b"b").enhanced(0, 3, 1, b"c");
        let packets = read(&[first.octets, second.octets].concat()).0;
        assert_eq!(packets, [(1, 1000, 1, b"a".to_vec(), 0), (2, 2000, 1, b"b".to_vec(), 2), (3, 3, 1, b"c".to_vec(), 1)]);
    }

    #[test]
    fn frame_check_sequence_is_taken_off() {
        for len in [4, 32] {
            let file = Writer::new(ByteOrder::Little).section().interface(&[(13, &[len])]).enhanced(0, 0, 64, &[1; 64]);
            assert_eq!(read(&file.octets).0, [(1, 0, 60, vec![1; 60], 0)]);
        }
    }

    #[test]
    fn simple_packet_is_cut_by_the_snap_length() {
        let file = Writer::new(ByteOrder::Big).section().block(1, |body| body.u16(1).u16(0).u32(3));
        let file = file.block(3, |body| body.u32(60).bytes(b"xyz"));
        assert_eq!(read(&file.octets).0, [(1, 0, 60, b"xyz".to_vec(), 0)]);
    }

    #[test]
    fn blocks_that_say_nothing_of_packets_are_skipped() {
        let file = [4, 5, 9, 10, 0xbad, 0x4000_0bad, 0x7777]
            .into_iter()
            .fold(Writer::new(ByteOrder::Little).section().interface(&[]), |file, block_type| {
                file.block(block_type, |body| body.bytes(&[0xff; 40]))
            });
        let (packets, found) = read(&file.enhanced(0, 1, 1, b"a").octets);
        assert_eq!((packets.len(), found.damage, found.anomalies.iter().count()), (1, None, 0));
    }

    #[test]
    fn comments_of_a_section_are_kept() {
        let file = Writer::new(ByteOrder::Big).block(0x0a0d_0d0a, |body| {
            body.u32(0x1a2b_3c4d).u16(1).u16(0).i64(-1).option(1, b"hello").option(0, b"").option(1, b"not one")
        });
        assert_eq!(read(&file.octets).1.comments, ["hello"]);
    }

    #[test]
    fn malformed_block_is_skipped_and_counted() {
        let begin = || Writer::new(ByteOrder::Little).section().interface(&[]);
        let bad = [
            begin().enhanced(7, 1, 1, b"a"),
            begin().block(6, |body| body.u32(0).u32(0).u32(0).u32(400).u32(400).bytes(b"abc")),
            begin().block(6, |body| body.u32(0)),
            begin().block(3, |body| body.u32(400).bytes(b"abc")),
            begin().block(2, |body| body.u32(0)),
            begin().block(1, |body| body),
            begin().u32(6).u32(16).u32(0).u32(20),
        ];
        for file in bad {
            let (packets, found) = read(&file.enhanced(0, 2, 1, b"b").octets);
            assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)]);
            assert_eq!((found.anomalies.count(AnomalyKind::MalformedBlock), found.truncated), (1, false));
            assert!(found.damage.is_some());
        }
    }

    #[test]
    fn malformed_option_is_not_used_and_counted() {
        let begin = || Writer::new(ByteOrder::Little).section();
        let interface = |options: &dyn Fn(Writer) -> Writer| begin().block(1, |body| options(body.u16(1).u16(0).u32(0)));
        // The interface is described at offset 28: 12 octets around the block, 8 before the options.
        let cases = [
            (begin().interface(&[(9, &[9, 0])]), "its option if_tsresol has 2, not 1"),
            (begin().interface(&[(9, &[])]), "its option if_tsresol has 0, not 1"),
            (begin().interface(&[(14, &[1; 7])]), "its option if_tsoffset has 7, not 8"),
            (begin().interface(&[(13, &[4; 4])]), "its option if_fcslen has 4, not 1"),
            (begin().interface(&[(2, b"eth0"), (0, &[1])]), "its end of options has 1, not 0"),
            (interface(&|body| body.u16(2).u16(9).bytes(b"eth0")), "its option 2 has 9, 4 left for it"),
        ];
        for (file, why) in cases {
            let (packets, found) = read(&file.enhanced(0, 2, 1, b"b").octets);
            // Microseconds, no offset, no frame check sequence: as if the option were not there.
            assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)], "{why}");
            assert_eq!(found.anomalies.iter().collect::<Vec<_>>(), [(AnomalyKind::MalformedOption, 1, 1)], "{why}");
            let damage = found.damage.expect("said");
            assert!(damage.starts_with("interface description at offset 28: ") && damage.ends_with(why), "{damage}");
            assert!(!found.truncated);
        }
    }

    #[test]
    fn options_that_are_in_order_are_no_anomaly() {
        let end: (u16, &[u8]) = (0, &[]);
        let known: [(u16, &[u8]); 3] = [(9, &[6]), (13, &[0]), (14, &[0; 8])];
        for options in [&[][..], &[end], &known, &[known[0], known[1], known[2], end, (9, b"behind the end")], &[(2, b"eth"), (1, b"")]] {
            let file = Writer::new(ByteOrder::Big).section().interface(options).enhanced(0, 1, 1, b"a");
            let (packets, found) = read(&file.octets);
            assert_eq!((packets.len(), found.damage, found.anomalies.iter().count()), (1, None, 0), "{options:?}");
        }
    }

    #[test]
    fn malformed_interface_keeps_its_number() {
        let file = Writer::new(ByteOrder::Little).section().block(1, |body| body).interface(&[]);
        let (packets, found) = read(&file.enhanced(0, 1, 1, b"a").enhanced(1, 2, 1, b"b").octets);
        assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)]);
        let damage = "interface description at offset 28: 12 bytes declared, a malformed description";
        assert_eq!(found.damage.as_deref(), Some(damage));
    }

    #[test]
    fn section_of_an_unknown_version_is_skipped() {
        let file = Writer::new(ByteOrder::Little).block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(2).u16(0).i64(-1));
        let file = file.interface(&[]).enhanced(0, 1, 1, b"a").section().interface(&[]).enhanced(0, 2, 1, b"b");
        let (packets, found) = read(&file.octets);
        assert_eq!(packets, [(1, 2000, 1, b"b".to_vec(), 0)]);
        assert_eq!(found.anomalies.count(AnomalyKind::MalformedBlock), 1);
    }

    #[test]
    fn length_without_the_padding_is_rounded_up() {
        let file = Writer::new(ByteOrder::Little).section().interface(&[]);
        let file = file.u32(6).u32(34).bytes(&[0; 12]).u32(2).u32(60).bytes(b"ab\0\0").u32(34);
        let packets = read(&file.enhanced(0, 1, 1, b"c").octets).0;
        assert_eq!(packets, [(1, 0, 60, b"ab".to_vec(), 0), (2, 1000, 1, b"c".to_vec(), 0)]);
    }

    #[test]
    fn length_that_cannot_be_skipped_ends_the_file() {
        for (len, why) in
            [(8, "fewer than the 12 of any block"), (0xffff_fff0, "more than the limit of 16777216"), (33, "not a multiple of 4")]
        {
            let file = Writer::new(ByteOrder::Little).section().interface(&[]).enhanced(0, 1, 1, b"a");
            let (packets, found) = read(&file.u32(6).u32(len).bytes(&[0; 60]).octets);
            // 28 + 20 + 36 = 84.
            assert_eq!(
                (packets.len(), found.truncated, found.damage),
                (1, true, Some(format!("block at offset 84: {len} bytes declared, {why}")))
            );
            assert_eq!(found.anomalies.count(AnomalyKind::MalformedBlock), 1);
        }
    }

    #[test]
    fn file_cut_anywhere_gives_every_packet_before_the_cut() {
        for file in orders() {
            let file =
                file.section().interface(&[(9, &[6])]).enhanced(0, 1, 60, b"abc").block(5, |body| body.u32(0)).enhanced(0, 2, 60, b"d");
            // 28, + 28 = 56, + 36 = 92, + 16 = 108, + 36 = 144.
            let (file, ends) = (file.octets, [28, 56, 92, 108, 144]);
            for cut in 28..=file.len() {
                let (packets, found) = read(&file[..cut]);
                let whole = [92, 144].iter().filter(|end| **end <= cut).count();
                assert_eq!((packets.len(), found.truncated), (whole, !ends.contains(&cut)), "cut at {cut}");
                assert_eq!(found.anomalies.count(AnomalyKind::TruncatedCapture), u64::from(found.truncated));
            }
        }
    }

    #[test]
    fn garbage_behind_the_last_block_ends_the_file() {
        for len in 1..40 {
            let file = Writer::new(ByteOrder::Little).section().interface(&[]).enhanced(0, 1, 1, b"a").bytes(&vec![0x55; len]);
            let (packets, found) = read(&file.octets);
            assert_eq!((packets.len(), found.truncated), (1, true));
        }
    }

    #[test]
    fn any_octet_changed_never_panics_nor_hangs() {
        let file = Writer::new(ByteOrder::Big).section().interface(&[(9, &[9])]).enhanced(0, 1, 60, b"abc").enhanced(0, 2, 60, b"d").octets;
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] = value;
                if let Ok(mut capture) = open(io::Cursor::new(file)) {
                    assert!(drain(&mut capture).len() <= 2);
                }
            }
        }
    }
}
