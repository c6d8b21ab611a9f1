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
const SYSTEMD_JOURNAL_EXPORT: u32 = 9;
/// Custom blocks, that may be copied and that may not.
const CUSTOM: u32 = 0x0bad;
const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;

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
    /// See [`Step::Numbered`].
    Numbered,
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
                Content::Numbered => {
                    source.consume(len);
                    return Ok(Step::Numbered);
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
            SYSTEMD_JOURNAL_EXPORT | CUSTOM | CUSTOM_NOT_COPIED => Content::Numbered,
            // Names, statistics, secrets, processes and unknown blocks say nothing about a packet.
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
mod tests;
