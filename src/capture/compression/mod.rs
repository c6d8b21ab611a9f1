//! Compressed captures, recognised by content: gzip (RFC 1952), zstd (RFC 8878), lz4 frames, xz; of several members,
//! frames or streams.
//!
//! A decompressor hands out every octet it could make before it reports damage.

mod gzip;
mod lz4;
mod xz;
mod zstd;

use std::fmt;
use std::io::{self, Read};

use crate::capture::input::{Input, Reader};

/// Memory that a decompressor's window may take, whatever a file declares: what `zstd -d` and `xz -9` need at most.
const MAX_WINDOW: u32 = 128 << 20;

/// How a capture is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Compression {
    Gzip,
    Zstd,
    Lz4,
    Xz,
}

impl Compression {
    /// Octets that tell.
    pub(in crate::capture) const MAGIC_LEN: usize = 6;

    /// The compression that a file beginning like this has.
    pub(in crate::capture) fn of(octets: &[u8]) -> Option<Self> {
        match octets {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // Parallel compressors begin with a skippable frame (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Self::Xz),
            _ => None,
        }
    }

    /// The name that reports print.
    pub(in crate::capture) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
        }
    }

    /// A reader of what is compressed.
    pub(in crate::capture) fn decompressor(self, input: Input) -> Reader {
        match self {
            Self::Gzip => Box::new(Latched::new(gzip::Members::new(input))),
            Self::Zstd => Box::new(Latched::new(zstd::Frames::new(input))),
            Self::Lz4 => Box::new(Latched::new(lz4::Frames::new(input))),
            Self::Xz => Box::new(Latched::new(xz::Streams::new(input))),
        }
    }
}

/// Marks an error as damage to the compressed octets, not a failure to read them.
#[derive(Debug)]
struct Damage(String);

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Damage {}

/// What a decompressor found wrong, if that is what an error says.
pub(in crate::capture) fn damage_of(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<Damage>().map(|damage| damage.0.clone())
}

/// The same error again: an `io::Error` cannot be cloned, and damage must stay known as such.
pub(in crate::capture) fn copy_of(error: &io::Error) -> io::Error {
    match damage_of(error) {
        Some(damage) => io::Error::new(error.kind(), Damage(damage)),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// The error to report when a decompressor met one: the reader's own if it failed, else damage at the present offset.
fn blame(input: &mut Input, compression: Compression, what: impl fmt::Display) -> io::Error {
    let (name, offset) = (compression.name(), input.offset());
    // A decompressor that read up to the end wanted more; what it says of that differs and helps nobody.
    let what = if input.ended() && input.unread().is_empty() { "cut short".to_owned() } else { what.to_string() };
    let damage = || io::Error::new(io::ErrorKind::InvalidData, Damage(format!("{name} data at offset {offset}: {what}")));
    input.failure().unwrap_or_else(damage)
}

/// One step of a decompressor: octets made, 0 at the end.
trait Step {
    /// What was made before an error counts: both may be there.
    fn step(&mut self, into: &mut [u8]) -> (usize, io::Result<()>);
}

/// Holds an error back until what was made before it is handed out; after it, and after the end, there is nothing more.
struct Latched<D> {
    decompressor: D,
    error: Option<io::Error>,
    ended: bool,
}

impl<D: Step> Latched<D> {
    fn new(decompressor: D) -> Self {
        Self { decompressor, error: None, ended: false }
    }
}

impl<D: Step> Read for Latched<D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(0);
        }
        let (len, result) = self.decompressor.step(into);
        self.ended = len == 0 || result.is_err();
        match result {
            Err(error) if len == 0 => Err(error),
            result => {
                self.error = result.err();
                Ok(len.min(into.len()))
            }
        }
    }
}

/// Skips skippable frames; whether there is another frame.
fn next_frame(input: &mut Input, compression: Compression) -> io::Result<bool> {
    loop {
        let octets = input.peek(8)?;
        match *octets {
            [] => return Ok(false),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                let len = u32::from_le_bytes([a, b, c, d]);
                if !input.skip(8 + u64::from(len))? {
                    return Err(blame(input, compression, "ends within a skippable frame"));
                }
            }
            _ => return Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::anomaly::AnomalyKind;
    use crate::capture::samples::{FailsAt, OneByOne, Seen, drain, open, pcap, read};
    use crate::error::Error;

    fn gzip(octets: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    }

    fn lz4(octets: &[u8]) -> Vec<u8> {
        let info = lz4_flex::frame::FrameInfo::new().content_checksum(true).block_size(lz4_flex::frame::BlockSize::Max64KB);
        let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(octets: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(octets, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// 3000 packets that compress a little: larger than any decompressor's block.
    fn large() -> Vec<u8> {
        let datas: Vec<[u8; 99]> = (0..3000_u32).map(|n| std::array::from_fn(|at| (n.wrapping_mul(at as u32 * 7919) >> 5) as u8)).collect();
        let packets: Vec<_> = datas.iter().enumerate().map(|(n, data)| (n as u32, 99, &data[..])).collect();
        pcap(&packets)
    }

    /// `pcap(&[(1, 60, b"abcd")])` with 2 µs, its first 30 octets and the other 14 apart, by `zstd --check` 1.5.4.
    const ZSTD: [&[u8]; 2] = [
        b"\x28\xb5\x2f\xfd\x04\x58\xf1\x00\x00\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x40\x35\x6b\x1e",
        b"\x28\xb5\x2f\xfd\x04\x58\x71\x00\x00\x00\x00\x04\x00\x00\x00\x3c\x00\x00\x00\x61\x62\x63\x64\x12\x47\x1f\x3c",
    ];
    /// The same by `xz -0 --check=crc32` 5.4.
    const XZ: [&[u8]; 2] = [
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x0c\x00\x00\x00\x8f\x98\x41\x9c\xe0\x00\x1d\x00\x16\x5d\x00\x6a\x30\xd1\xc8\x7d\x8b\xf8\x09\x9b\xad\x94\x14\xbe\xc9\x38\x60\x09\x50\xd4\x60\x00\x00\x00\x00\x00\xcd\xcc\x56\x46\x00\x01\x2e\x1e\x64\x81\x8e\xd1\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a",
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x0c\x00\x00\x00\x8f\x98\x41\x9c\x01\x00\x0d\x00\x00\x04\x00\x00\x00\x3c\x00\x00\x00\x61\x62\x63\x64\x00\x00\x00\x87\x16\x19\xcc\x00\x01\x22\x0e\x0c\xde\x8c\x60\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a",
    ];

    const SKIPPABLE: &[u8] = b"\x5a\x2a\x4d\x18\x03\0\0\0xyz";

    fn sample() -> Seen {
        (1, 1_000_002_000, 60, b"abcd".to_vec(), 0)
    }

    #[test]
    fn several_members_frames_or_streams_are_one_file() {
        for (compress, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (lz4, "lz4"), (zstd, "zstd")] {
            let plain = pcap(&[(1, 60, b"abc"), (2, 60, b"def")]);
            let (first, second) = plain.split_at(30);
            let (packets, found) = read(&[compress(first), compress(b""), compress(second)].concat());
            assert_eq!(packets, read(&plain).0);
            assert_eq!((found.compression, found.truncated, found.captured_bytes), (Some(name), false, 6));
        }
    }

    #[test]
    fn zstd_and_xz_of_their_own_programs_are_read() {
        for (file, name) in [(ZSTD.concat(), "zstd"), (XZ.concat(), "xz")] {
            let (packets, found) = read(&file);
            assert_eq!((packets, found.compression, found.truncated), (vec![sample()], Some(name), false));
        }
    }

    #[test]
    fn skippable_frames_are_skipped() {
        assert_eq!(read(&[SKIPPABLE, ZSTD[0], SKIPPABLE, SKIPPABLE, ZSTD[1], SKIPPABLE].concat()).0, [sample()]);
        let plain = pcap(&[(1, 60, b"abc")]);
        let (packets, found) = read(&[&lz4(&plain)[..], SKIPPABLE].concat());
        assert_eq!((packets.len(), found.truncated), (1, false));
    }

    #[test]
    fn compression_may_be_nested_once() {
        let plain = pcap(&[(1, 60, b"abc")]);
        let (packets, found) = read(&gzip(&lz4(&plain)));
        assert_eq!((packets.len(), found.compression), (1, Some("gzip")));
        let error = open(io::Cursor::new(gzip(&gzip(&gzip(&plain))))).err().unwrap().to_string();
        assert!(error.contains("a file compressed more than twice, compressed with gzip"), "{error}");
    }

    #[test]
    fn cut_anywhere_gives_a_beginning_of_the_packets_and_says_so() {
        let one = pcap(&[(1, 60, b"abcd")]);
        // Between two frames or streams the compressed octets are whole.
        let files = [(gzip(&one), 0), (lz4(&one), 0), (ZSTD.concat(), ZSTD[0].len()), (XZ.concat(), XZ[0].len())];
        for (file, boundary) in files {
            for cut in 0..file.len() {
                let Ok(mut capture) = open(io::Cursor::new(file[..cut].to_vec())) else { continue };
                let packets = drain(&mut capture);
                let found = capture.files().remove(0);
                assert!(packets.len() <= 1 && found.truncated, "cut at {cut}");
                let kind = if boundary == cut { AnomalyKind::TruncatedCapture } else { AnomalyKind::DamagedCompression };
                assert_eq!(found.anomalies.iter().map(|(kind, count, _)| (kind, count)).collect::<Vec<_>>(), [(kind, 1)]);
            }
        }
    }

    #[test]
    fn large_files_come_out_whole_and_cut_ones_up_to_the_cut() {
        let plain = large();
        let packets = read(&plain).0;
        for (compress, least) in [(gzip as fn(&[u8]) -> Vec<u8>, 1400), (lz4, 1100), (zstd, 800)] {
            let file = compress(&plain);
            assert_eq!(drain(&mut open(io::Cursor::new(file.clone())).unwrap()), packets);
            let mut capture = open(io::Cursor::new(file[..file.len() / 2].to_vec())).unwrap();
            let given = drain(&mut capture);
            assert_eq!(given, packets[..given.len()]);
            assert!(given.len() >= least, "{} {}", given.len(), packets.len());
            assert_eq!(capture.files()[0].anomalies.count(AnomalyKind::DamagedCompression), 1);
        }
    }

    #[test]
    fn any_octet_changed_never_panics_nor_hangs() {
        for file in [gzip(&pcap(&[(1, 60, b"abcd")])), lz4(&pcap(&[(1, 60, b"abcd")])), ZSTD.concat(), XZ.concat()] {
            for at in 0..file.len() {
                for change in [1, 0x10, 0x80, 0xff] {
                    let mut file = file.clone();
                    file[at] ^= change;
                    if let Ok(mut capture) = open(io::Cursor::new(file)) {
                        assert!(drain(&mut capture).len() <= 2);
                    }
                }
            }
        }
    }

    #[test]
    fn failing_read_is_no_damage() {
        for file in [gzip(&large()), lz4(&large()), zstd(&large())] {
            let half = file.len() / 2;
            let mut capture = open(FailsAt { inner: OneByOne(io::Cursor::new(file)), reads_left: half, interrupted: false }).unwrap();
            let error = loop {
                match capture.next() {
                    Ok(packet) => assert!(packet.is_some()),
                    Err(error) => break error,
                }
            };
            assert!(matches!(&error, Error::Read { source, .. } if source.to_string() == "the disk is gone"), "{error}");
        }
    }
}
