//! Content codings (RFC 9110 §8.4.1), undone as the content comes and with bounded memory.

use std::cell::Cell;
use std::ops::ControlFlow;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::inflate::Inflate;
use super::zstd::Zstd;

/// Takes decoded octets, and says whether it wants more.
pub(super) type Out<'a> = &'a mut dyn FnMut(&[u8]) -> ControlFlow<()>;

/// More codings than this on one content are not sent by any server.
const MAX_CODINGS: usize = 4;

/// From one coding to the next go pieces of this size.
const PIECE_BETWEEN: usize = 64;

/// Octets that a coding may make of each encoded one, beside [`FREE_WORK`]. Deflate reaches 1032; what makes more is made to
/// keep its reader busy.
const MAX_EXPANSION: u64 = 2048;

/// The same for several codings together: what was compressed already hardly shrinks again.
const MAX_EXPANSION_TOGETHER: u64 = 128;

/// Octets that several codings may make whatever the encoded ones were.
const FREE_WORK_TOGETHER: u64 = 64 << 10;

/// Octets that codings may make whatever the encoded ones were.
const FREE_WORK: u64 = 1 << 20;

/// Brotli output is handed on in pieces of this size.
const BROTLI_PIECE: usize = 16 << 10;

/// A window (RFC 1951 §3.2.5), tables, and a piece of what was decoded.
const INFLATE_MEMORY: usize = 80 << 10;

/// The largest window of RFC 7932.
const BROTLI_WINDOW: usize = 16 << 20;

/// A coding that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownCoding;

/// Encoded data that is damaged or cut, or the receiver wanted no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Undoes the codings of one message's content.
pub(crate) struct Decoder {
    /// The coding that was applied last comes first.
    codings: Vec<Coding>,
    work: Work,
}

/// A coding that is known (RFC 9110 §8.4.1, RFC 7932, RFC 8878).
#[derive(Clone, Copy)]
enum Name {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Name {
    fn of(name: &[u8]) -> Result<Self, UnknownCoding> {
        let is = |expected: &str| name.eq_ignore_ascii_case(expected.as_bytes());
        match name {
            _ if is("gzip") || is("x-gzip") => Ok(Self::Gzip),
            _ if is("deflate") => Ok(Self::Deflate),
            _ if is("br") => Ok(Self::Brotli),
            _ if is("zstd") => Ok(Self::Zstd),
            _ => Err(UnknownCoding),
        }
    }

    fn coding(self) -> Coding {
        match self {
            Self::Gzip => Coding::Inflate(Inflate::gzip()),
            Self::Deflate => Coding::Deflate(Vec::new()),
            Self::Brotli => Coding::Brotli(Box::default()),
            Self::Zstd => Coding::Zstd(Box::new(Zstd::new())),
        }
    }
}

/// The codings that a Content-Encoding value names, in the order in which they were applied; `identity` is none.
fn names(content_encoding: &[u8]) -> impl Iterator<Item = Result<Name, UnknownCoding>> {
    let names = content_encoding.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity")).map(Name::of)
}

/// Whether a Content-Encoding value names any coding but identity; all of them must be known.
pub(crate) fn is_coded(content_encoding: &[u8]) -> Result<bool, UnknownCoding> {
    let mut codings = 0;
    for name in names(content_encoding) {
        name?;
        codings += 1;
    }
    if codings > MAX_CODINGS { Err(UnknownCoding) } else { Ok(codings > 0) }
}

/// What the codings of one content have made, intermediate steps included, and what they may.
#[derive(Debug)]
struct Work {
    encoded: u64,
    made: Cell<u64>,
    free: u64,
    max_expansion: u64,
}

impl Work {
    fn of(codings: usize) -> Self {
        let (free, max_expansion) = if codings > 1 { (FREE_WORK_TOGETHER, MAX_EXPANSION_TOGETHER) } else { (FREE_WORK, MAX_EXPANSION) };
        Self { encoded: 0, made: Cell::new(0), free, max_expansion }
    }

    fn is_too_much(&self) -> bool {
        self.made.get() > self.free + self.max_expansion.saturating_mul(self.encoded)
    }

    fn add(&self, made: usize) -> Result<(), Failed> {
        self.made.set(self.made.get().saturating_add(made as u64));
        if self.is_too_much() { Err(Failed) } else { Ok(()) }
    }
}

enum Coding {
    Inflate(Inflate),
    /// `deflate` whose form is not known yet: servers send zlib, as they should, or raw deflate.
    Deflate(Vec<u8>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoder of {} codings", self.codings.len())
    }
}

impl Decoder {
    /// Of a Content-Encoding value; `None` for identity.
    pub(crate) fn new(content_encoding: &[u8]) -> Result<Option<Self>, UnknownCoding> {
        if !is_coded(content_encoding)? {
            return Ok(None);
        }
        let mut codings: Vec<_> = names(content_encoding).filter_map(|name| name.ok().map(Name::coding)).collect();
        codings.reverse();
        Ok(Some(Self { work: Work::of(codings.len()), codings }))
    }

    /// Takes encoded octets.
    pub(crate) fn feed(&mut self, encoded: &[u8], out: Out<'_>) -> Result<(), Failed> {
        self.work.encoded += encoded.len() as u64;
        feed(&mut self.codings, encoded, &self.work, out)
    }

    /// About what its windows take, in octets.
    pub(crate) fn memory(&self) -> usize {
        self.codings.iter().map(Coding::memory).sum()
    }

    /// Whether it failed because a few octets were to become very many.
    pub(crate) fn is_overworked(&self) -> bool {
        self.work.is_too_much()
    }

    /// Nothing more comes. What was decoded before a failure has been given out.
    pub(crate) fn finish(&mut self, out: Out<'_>) -> Result<(), Failed> {
        let mut codings = &mut self.codings[..];
        while let Some((first, later)) = codings.split_first_mut() {
            let work = &self.work;
            first.finish(&mut |octets| flow(hand_on(later, octets, work, out)))?;
            codings = later;
        }
        Ok(())
    }
}

/// Feeds octets through the codings, one behind the other.
fn feed(codings: &mut [Coding], encoded: &[u8], work: &Work, out: Out<'_>) -> Result<(), Failed> {
    match codings.split_first_mut() {
        None => result(out(encoded)),
        Some((first, later)) => first.feed(encoded, &mut |octets| flow(hand_on(later, octets, work, out))),
    }
}

/// What a coding made goes to those that come later; to a further coding in small pieces, since each octet may become a
/// thousand before anybody looks.
fn hand_on(later: &mut [Coding], octets: &[u8], work: &Work, out: Out<'_>) -> Result<(), Failed> {
    work.add(octets.len())?;
    if later.is_empty() {
        return feed(later, octets, work, out);
    }
    octets.chunks(PIECE_BETWEEN).try_for_each(|piece| feed(later, piece, work, out))
}

fn flow(result: Result<(), Failed>) -> ControlFlow<()> {
    if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

fn result(flow: ControlFlow<()>) -> Result<(), Failed> {
    if flow.is_continue() { Ok(()) } else { Err(Failed) }
}

impl Coding {
    fn memory(&self) -> usize {
        match self {
            Self::Inflate(_) => INFLATE_MEMORY,
            Self::Deflate(begun) => begun.len(),
            Self::Brotli(decoder) => decoder.total_out.min(BROTLI_WINDOW),
            Self::Zstd(decoder) => decoder.memory(),
        }
    }

    fn feed(&mut self, encoded: &[u8], out: Out<'_>) -> Result<(), Failed> {
        match self {
            Self::Inflate(inflate) => inflate.feed(encoded, out),
            Self::Brotli(decoder) => decoder.feed(encoded, out),
            Self::Zstd(decoder) => decoder.feed(encoded, out),
            Self::Deflate(begun) => {
                begun.extend_from_slice(encoded);
                let Some(header) = begun.first_chunk::<2>() else { return Ok(()) };
                let decided = if is_zlib(*header) { Inflate::zlib() } else { Inflate::raw() };
                let begun = std::mem::take(begun);
                *self = Self::Inflate(decided);
                self.feed(&begun, out)
            }
        }
    }

    fn finish(&mut self, out: Out<'_>) -> Result<(), Failed> {
        match self {
            Self::Inflate(inflate) => inflate.finish(),
            Self::Brotli(decoder) => decoder.finish(),
            Self::Zstd(decoder) => decoder.finish(out),
            Self::Deflate(begun) if begun.is_empty() => Ok(()),
            Self::Deflate(_) => Err(Failed),
        }
    }
}

/// RFC 1950 §2.2: method 8, and both octets a multiple of 31.
fn is_zlib(header: [u8; 2]) -> bool {
    header[0] & 0x0f == 8 && u16::from_be_bytes(header).is_multiple_of(31)
}

/// A Brotli decoder (RFC 7932), with the windows that it allows (16 MiB at most).
struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    total_out: usize,
    done: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), total_out: 0, done: false }
    }
}

impl Brotli {
    fn feed(&mut self, encoded: &[u8], out: Out<'_>) -> Result<(), Failed> {
        let (mut available_in, mut input_offset) = (encoded.len(), 0);
        let mut piece = [0; BROTLI_PIECE];
        while !self.done {
            let (mut available_out, mut output_offset) = (piece.len(), 0);
            let result = BrotliDecompressStream(
                &mut available_in,
                &mut input_offset,
                encoded,
                &mut available_out,
                &mut output_offset,
                &mut piece,
                &mut self.total_out,
                &mut self.state,
            );
            if output_offset > 0 && out(&piece[..output_offset]).is_break() {
                return Err(Failed);
            }
            match result {
                BrotliResult::ResultSuccess => self.done = true,
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::ResultFailure => return Err(Failed),
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Failed> {
        if self.done { Ok(()) } else { Err(Failed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = b"Lorem ipsum dolor sit amet, consectetur adipiscing elit. Lorem ipsum dolor sit amet.";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).and_then(|()| encoder.finish()).expect("writing to a Vec")
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).and_then(|()| encoder.finish()).expect("writing to a Vec")
    }

    fn raw(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).and_then(|()| encoder.finish()).expect("writing to a Vec")
    }

    fn decode(content_encoding: &str, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Failed>) {
        let mut decoder = Decoder::new(content_encoding.as_bytes()).expect("a known coding").expect("not identity");
        let mut text = Vec::new();
        let mut out = |octets: &[u8]| {
            text.extend_from_slice(octets);
            ControlFlow::Continue(())
        };
        let fed = pieces.iter().try_for_each(|piece| decoder.feed(piece, &mut out));
        let result = fed.and_then(|()| decoder.finish(&mut out));
        (text, result)
    }

    /// "hello" by the zstd program, with its checksum.
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x29, 0x00, 0x00, b'h', b'e', b'l', b'l', b'o', 0xa3, 0x6d, 0x9f, 0x88];

    /// 40,000 times "a" by the zstd program, with its checksum: more than it hands on before the last block.
    const LONG_ZSTD: &[u8] = &[
        0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x55, 0x00, 0x00, 0x10, 0x61, 0x61, 0x01, 0x00, 0x3b, 0x1c, 0x1d, 0x60, 0x01, 0xb1, 0x5b, 0xc1,
        0x8a,
    ];

    #[test]
    fn zstd_with_a_checksum_is_decoded_to_its_end() {
        let expected = (vec![b'a'; 40_000], Ok(()));
        assert_eq!(decode("zstd", &[LONG_ZSTD]), expected);
        assert_eq!(decode("zstd", &LONG_ZSTD.chunks(1).collect::<Vec<_>>()), expected);
        let twice = decode("zstd", &[LONG_ZSTD, ZSTD]);
        assert_eq!((twice.0.len(), twice.1), (40_005, Ok(())));
        let mut wrong = LONG_ZSTD.to_vec();
        wrong[22] ^= 1;
        assert_eq!(decode("zstd", &[&wrong]).1, Err(Failed), "another checksum");
    }

    #[test]
    fn content_that_grows_beyond_measure_is_given_up() {
        // 64 MiB of zeros in 64 KiB, in 300 octets: twice deflate's best.
        let bomb = gzip(&gzip(&vec![0; 64 << 20]));
        let mut decoder = Decoder::new(b"gzip, gzip").expect("known").expect("not identity");
        let mut made = 0;
        let failed = decoder.feed(&bomb, &mut |octets| {
            made += octets.len() as u64;
            ControlFlow::Continue(())
        });
        assert_eq!((failed, decoder.is_overworked()), (Err(Failed), true));
        assert!(made <= FREE_WORK_TOGETHER + MAX_EXPANSION_TOGETHER * bomb.len() as u64, "{made} of {}", bomb.len());
    }

    #[test]
    fn each_coding_decodes_whole_and_octet_by_octet() {
        let cases = [
            ("gzip", gzip(TEXT)),
            ("X-GZip", [gzip(&TEXT[..20]), gzip(&TEXT[20..])].concat()),
            ("deflate", zlib(TEXT)),
            ("deflate", raw(TEXT)),
            ("deflate, gzip", gzip(&zlib(TEXT))),
        ];
        for (content_encoding, encoded) in cases {
            let expected = (TEXT.to_vec(), Ok(()));
            assert_eq!(decode(content_encoding, &[&encoded]), expected, "{content_encoding}");
            assert_eq!(decode(content_encoding, &encoded.chunks(1).collect::<Vec<_>>()), expected, "{content_encoding} in octets");
            let cut = decode(content_encoding, &[&encoded[..encoded.len() - 6]]);
            assert_eq!(cut.1, Err(Failed), "{content_encoding} cut");
        }
    }

    #[test]
    fn brotli_of_rfc_7932_decodes() {
        // An uncompressed meta-block: WBITS 16, then "hello" stored, then the last empty one.
        let encoded = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        assert_eq!(decode("br", &[&encoded]), (b"hello".to_vec(), Ok(())));
        assert_eq!(decode("br", &encoded.chunks(1).collect::<Vec<_>>()), (b"hello".to_vec(), Ok(())));
        assert_eq!(decode("br", &[&encoded[..6]]).1, Err(Failed));
    }

    #[test]
    fn zstd_decodes_frame_after_frame() {
        assert_eq!(decode("zstd", &[ZSTD]), (b"hello".to_vec(), Ok(())));
        let twice = [ZSTD, ZSTD].concat();
        assert_eq!(decode("zstd", &twice.chunks(1).collect::<Vec<_>>()), (b"hellohello".to_vec(), Ok(())));
        assert_eq!(decode("zstd", &[&ZSTD[..12]]).1, Err(Failed));
        let skipped = [&[0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], ZSTD].concat();
        assert_eq!(decode("zstd", &[&skipped]), (b"hello".to_vec(), Ok(())));
        assert_eq!(decode("zstd", &skipped.chunks(1).collect::<Vec<_>>()), (b"hello".to_vec(), Ok(())));
        assert_eq!(decode("zstd", &[&skipped[..10]]).1, Err(Failed));
    }

    #[test]
    fn a_receiver_that_has_enough_stops_a_bomb() {
        let bomb = gzip(&vec![0; 50_000_000]);
        let mut decoder = Decoder::new(b"gzip").expect("a known coding").expect("not identity");
        let mut taken = 0;
        let fed = decoder.feed(&bomb, &mut |octets| {
            taken += octets.len();
            if taken > 1_000_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(fed, Err(Failed));
        assert!(taken < 4_000_000, "{taken} octets came out");
    }

    #[test]
    fn identity_needs_no_decoder_and_unknown_codings_are_said() {
        assert!(Decoder::new(b"identity").expect("known").is_none());
        assert_eq!(Decoder::new(b"compress").err(), Some(UnknownCoding));
    }
}
