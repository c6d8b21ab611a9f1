//! Records and blocks by their octets: the one module that knows pcap-parser.
//!
//! Its slice functions parse what is rare; the fixed head of the two frequent ones is taken by hand, and so are options, which
//! it would collect. A block is handed over whole, its length already checked, so an answer of "incomplete" means a malformed
//! block.

/// Codes of options (draft §3.5, §4.2).
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const IF_TSRESOL: u16 = 9;
const IF_FCSLEN: u16 = 13;
const IF_TSOFFSET: u16 = 14;

/// The order of octets in a file or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline]
    pub(super) fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }

    #[inline]
    pub(super) fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    /// The first `N` words of a block or record; `None` if it is shorter.
    #[inline]
    pub(super) fn words<const N: usize>(self, octets: &[u8]) -> Option<[u32; N]> {
        let (words, _) = octets.get(..4 * N)?.as_chunks::<4>();
        let words: &[[u8; 4]; N] = words.try_into().ok()?;
        Some(words.map(|word| self.u32(word)))
    }
}

/// What stands in the header of a pcap file (draft-ietf-opsawg-pcap §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) version: (u16, u16),
    /// The LinkType and additional information field.
    pub(super) network: u32,
}

/// Length of a pcap file's header.
pub(super) const FILE_HEADER_LEN: usize = 24;

/// Parses a pcap file's header, whatever its magic number, in a byte order that is known.
pub(super) fn file_header(octets: &[u8], order: ByteOrder) -> Option<FileHeader> {
    let mut octets: [u8; FILE_HEADER_LEN] = octets.get(..FILE_HEADER_LEN)?.try_into().ok()?;
    // pcap-parser does not know every magic number: show it the plain one.
    octets[..4].copy_from_slice(match order {
        ByteOrder::Little => &[0xd4, 0xc3, 0xb2, 0xa1],
        ByteOrder::Big => &[0xa1, 0xb2, 0xc3, 0xd4],
    });
    let (_, header) = pcap_parser::parse_pcap_header(&octets).ok()?;
    // Linktype wraps the field as a signed number: its sign bit is part of the FCS length.
    Some(FileHeader { version: (header.version_major, header.version_minor), network: header.network.0 as u32 })
}

/// A Section Header Block (draft-ietf-opsawg-pcapng §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SectionHeader {
    pub(super) major_version: u16,
    pub(super) comments: Vec<String>,
    /// The first of its options that is malformed.
    pub(super) malformed_option: Option<String>,
}

/// Parses a Section Header Block; of its comments at most `most`.
pub(super) fn section_header(block: &[u8], order: ByteOrder, most: usize) -> Option<SectionHeader> {
    let &[a, b] = block.get(12..28)?.first_chunk::<2>()?;
    let comments = options(block, 24, order).filter(|(code, _)| *code == COMMENT).take(most);
    let comments = comments.map(|(_, comment)| String::from_utf8_lossy(comment).into_owned()).collect();
    let malformed_option = malformed_option(block, 24, order, &[]);
    Some(SectionHeader { major_version: order.u16([a, b]), comments, malformed_option })
}

/// An Interface Description Block (draft-ietf-opsawg-pcapng §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InterfaceDescription {
    pub(super) link_type: u16,
    /// Octets captured of a packet at most; 0: all.
    pub(super) snaplen: u32,
    /// `if_tsresol`.
    pub(super) resolution: u8,
    /// `if_tsoffset`, seconds.
    pub(super) offset: i64,
    /// `if_fcslen`, in octets.
    pub(super) fcs_len: u32,
    /// The first of its options that is malformed.
    pub(super) malformed_option: Option<String>,
}

/// Options of an interface that are used: code, name and length. Of another length they are not, as in Wireshark.
const INTERFACE_OPTIONS: &[(u16, &str, usize)] =
    &[(IF_TSRESOL, "if_tsresol", 1), (IF_FCSLEN, "if_fcslen", 1), (IF_TSOFFSET, "if_tsoffset", 8)];

/// Parses an Interface Description Block.
pub(super) fn interface_description(block: &[u8], order: ByteOrder) -> Option<InterfaceDescription> {
    let [_, _, link_type, snaplen, _] = order.words::<5>(block)?;
    // A 16-bit field and 16 reserved bits, which may not be zero.
    let link_type = if order == ByteOrder::Little { link_type } else { link_type >> 16 } as u16;
    let option = |wanted: u16| options(block, 16, order).find(|(code, _)| *code == wanted).map(|(_, value)| value);
    let octet = |wanted: u16| option(wanted).and_then(|value| <[u8; 1]>::try_from(value).ok()).map(|[octet]| octet);
    let resolution = octet(IF_TSRESOL).unwrap_or(6);
    let offset = option(IF_TSOFFSET).and_then(|value| value.try_into().ok()).map_or(0, |value| match order {
        ByteOrder::Little => i64::from_le_bytes(value),
        ByteOrder::Big => i64::from_be_bytes(value),
    });
    let fcs_len = octet(IF_FCSLEN).map_or(0, fcs_octets);
    let malformed_option = malformed_option(block, 16, order, INTERFACE_OPTIONS);
    Some(InterfaceDescription { link_type, snaplen, resolution, offset, fcs_len, malformed_option })
}

/// The draft says that `if_fcslen` is in bits and gives 4 as its example; writers did either. Checksums are of 16 or 32
/// bits, so a small number is octets.
fn fcs_octets(value: u8) -> u32 {
    u32::from(if value <= 8 { value } else { value / 8 })
}

/// What is wrong with the first malformed option of a block, for people; of `known` ones the length is checked.
fn malformed_option(block: &[u8], at: usize, order: ByteOrder, known: &[(u16, &str, usize)]) -> Option<String> {
    let mut behind = at;
    for (code, value) in options(block, at, order) {
        behind += 4 + value.len().next_multiple_of(4);
        if let Some((_, name, len)) = known.iter().find(|(known, ..)| *known == code)
            && value.len() != *len
        {
            return Some(format!("its option {name} has {}, not {len}", value.len()));
        }
    }
    // What ended them: the end mark, the block's end, or what passes it.
    let rest = block.len().checked_sub(4).and_then(|end| block.get(behind..end))?;
    let &[c0, c1, l0, l1] = rest.first_chunk::<4>()?;
    match (order.u16([c0, c1]), order.u16([l0, l1])) {
        (END_OF_OPTIONS, 0) => None,
        (END_OF_OPTIONS, len) => Some(format!("its end of options has {len}, not 0")),
        (code, len) => Some(format!("its option {code} has {len}, {} left for it", rest.len() - 4)),
    }
}

/// Options of a block (draft §3.5): code and value, from an offset up to the end mark, or what is no option. None is
/// collected: a block of 16 MiB has room for four million.
fn options(block: &[u8], at: usize, order: ByteOrder) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = block.len().checked_sub(4).and_then(|end| block.get(at..end)).unwrap_or_default();
    std::iter::from_fn(move || {
        let (&[c0, c1, l0, l1], behind) = rest.split_first_chunk::<4>()?;
        let (code, len) = (order.u16([c0, c1]), usize::from(order.u16([l0, l1])));
        let value = behind.get(..len).filter(|_| code != END_OF_OPTIONS)?;
        rest = behind.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}

/// The original length and the data (with padding) of a Simple Packet Block (draft-ietf-opsawg-pcapng §4.4).
pub(super) fn simple_packet(block: &[u8], order: ByteOrder) -> Option<(u32, &[u8])> {
    let parse = match order {
        ByteOrder::Little => pcap_parser::parse_simplepacketblock_le,
        ByteOrder::Big => pcap_parser::parse_simplepacketblock_be,
    };
    let (_, packet) = parse(block).ok()?;
    Some((packet.origlen, packet.data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_short_slice_are_none() {
        assert_eq!(ByteOrder::Big.words::<2>(&[0, 0, 0, 1, 0, 0, 0, 2]), Some([1, 2]));
        assert_eq!(ByteOrder::Little.words::<2>(&[1, 0, 0, 0, 2, 0, 0]), None);
    }

    #[test]
    fn fcs_length_in_bits_or_octets_is_the_same() {
        assert_eq!([fcs_octets(0), fcs_octets(4), fcs_octets(16), fcs_octets(32)], [0, 4, 2, 4]);
    }
}
