//! DEFLATE (RFC 1951) in its three wrappers: gzip (RFC 1952), zlib (RFC 1950), and none.

use std::cell::RefCell;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::coding::{Failed, Out};

/// Decoded octets are handed on in pieces of this size; most contents are one.
const PIECE: usize = 32 << 10;

/// Machines that are kept for the next content on this thread.
const SPARE_MACHINES: usize = 4;

thread_local! {
    // To make a machine takes longer than to decode a short content.
    #[expect(clippy::vec_box, reason = "machines move in and out")]
    static SPARE: RefCell<Vec<Box<Machine>>> = const { RefCell::new(Vec::new()) };
}

/// Inflates DEFLATE streams, and holds the piece that was decoded last.
struct Machine {
    stream: Decompress,
    piece: Vec<u8>,
}

/// Undoes DEFLATE in one wrapper.
pub(super) struct Inflate {
    /// There until it is dropped.
    machine: Option<Box<Machine>>,
    wrapper: Wrapper,
    /// Whether the stream has come to its end.
    has_ended: bool,
}

enum Wrapper {
    Gzip(Box<Gzip>),
    /// The machine knows it, or there is none.
    Plain,
}

/// Where in its members a gzip file is (RFC 1952 §2.2).
#[derive(Default)]
struct Gzip {
    part: Part,
    /// Of the member's decoded octets.
    crc: Crc,
    /// Octets of a header or trailer that has not all come.
    octets: Vec<u8>,
    members: u64,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Part {
    #[default]
    Header,
    Data,
    Trailer,
    /// What follows the last member: padding, or what else a program left there. Browsers pass it over.
    Behind,
}

/// FLG (RFC 1952 §2.3.1).
mod flag {
    pub(super) const HEADER_CRC: u8 = 1 << 1;
    pub(super) const EXTRA: u8 = 1 << 2;
    pub(super) const NAME: u8 = 1 << 3;
    pub(super) const COMMENT: u8 = 1 << 4;
    pub(super) const RESERVED: u8 = 0xe0;
}

/// ID1, ID2 and CM.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// A longer header is none: its extra field takes 64 KiB at most, names are short.
const HEADER_LIMIT: usize = 128 << 10;

/// CRC32 and ISIZE.
const TRAILER: usize = 8;

impl Inflate {
    /// Of gzip: one member after the other.
    pub(super) fn gzip() -> Self {
        Self::new(Wrapper::Gzip(Box::default()), false)
    }

    /// Of zlib.
    pub(super) fn zlib() -> Self {
        Self::new(Wrapper::Plain, true)
    }

    /// Without wrapper.
    pub(super) fn raw() -> Self {
        Self::new(Wrapper::Plain, false)
    }

    fn new(wrapper: Wrapper, is_zlib: bool) -> Self {
        let spare = SPARE.with_borrow_mut(Vec::pop);
        let mut machine = spare.unwrap_or_else(|| Box::new(Machine { stream: Decompress::new(is_zlib), piece: vec![0; PIECE] }));
        machine.stream.reset(is_zlib);
        Self { machine: Some(machine), wrapper, has_ended: false }
    }

    /// Takes encoded octets. What was decoded before a failure is given out.
    pub(super) fn feed(&mut self, encoded: &[u8], out: Out<'_>) -> Result<(), Failed> {
        let Some(machine) = &mut self.machine else { return Err(Failed) };
        match &mut self.wrapper {
            Wrapper::Gzip(gzip) => gzip.feed(machine, encoded, out),
            Wrapper::Plain if self.has_ended => failed_unless(encoded.is_empty()),
            Wrapper::Plain => {
                let (read, has_ended) = machine.inflate(encoded, out)?;
                self.has_ended = has_ended;
                failed_unless(read == encoded.len())
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&self) -> Result<(), Failed> {
        failed_unless(match &self.wrapper {
            Wrapper::Gzip(gzip) => gzip.has_ended(),
            Wrapper::Plain => self.has_ended,
        })
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        let Some(machine) = self.machine.take() else { return };
        // No thread-local memory is there any more when a thread ends.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_MACHINES {
                spare.push(machine);
            }
        });
    }
}

fn failed_unless(is_good: bool) -> Result<(), Failed> {
    if is_good { Ok(()) } else { Err(Failed) }
}

impl Machine {
    /// Inflates; octets taken, and whether the stream has ended behind them.
    fn inflate(&mut self, encoded: &[u8], out: Out<'_>) -> Result<(usize, bool), Failed> {
        let mut read = 0;
        loop {
            let before = (self.stream.total_in(), self.stream.total_out());
            // As if all had come: where that is so, no window has to be kept.
            let status = self.stream.decompress(&encoded[read..], &mut self.piece, FlushDecompress::Finish);
            // Fits: at most the lengths of the two slices.
            let (taken, made) = ((self.stream.total_in() - before.0) as usize, (self.stream.total_out() - before.1) as usize);
            read += taken;
            if made > 0 && out(&self.piece[..made]).is_break() {
                return Err(Failed);
            }
            match status {
                Err(_) => return Err(Failed),
                Ok(Status::StreamEnd) => return Ok((read, true)),
                Ok(_) if made < self.piece.len() => return Ok((read, false)),
                Ok(_) => {}
            }
        }
    }
}

impl Gzip {
    fn feed(&mut self, machine: &mut Machine, mut encoded: &[u8], out: Out<'_>) -> Result<(), Failed> {
        while !encoded.is_empty() {
            let len = match self.part {
                Part::Header if self.members > 0 && !self.begins_member(encoded) => {
                    self.part = Part::Behind;
                    continue;
                }
                Part::Header => self.feed_header(encoded)?,
                Part::Data => self.feed_data(machine, encoded, out)?,
                Part::Trailer => self.feed_trailer(machine, encoded)?,
                Part::Behind => encoded.len(),
            };
            encoded = &encoded[len..];
        }
        Ok(())
    }

    /// Whether the octets behind a member may be the next one.
    fn begins_member(&self, encoded: &[u8]) -> bool {
        self.octets.iter().chain(encoded).zip(MAGIC).all(|(&found, wanted)| found == wanted)
    }

    fn has_ended(&self) -> bool {
        match self.part {
            Part::Header => self.members > 0 && self.octets.is_empty(),
            Part::Data | Part::Trailer => false,
            Part::Behind => true,
        }
    }

    /// Takes octets of a header; how many.
    fn feed_header(&mut self, encoded: &[u8]) -> Result<usize, Failed> {
        let before = self.octets.len();
        // Most come whole.
        let whole = if before == 0 { header_len(encoded)? } else { None };
        if let Some(len) = whole {
            self.part = Part::Data;
            return Ok(len);
        }
        failed_unless(before < HEADER_LIMIT)?;
        let taken = encoded.len().min(HEADER_LIMIT - before);
        self.octets.extend_from_slice(&encoded[..taken]);
        let Some(len) = header_len(&self.octets)? else { return Ok(taken) };
        self.octets.clear();
        self.part = Part::Data;
        Ok(len - before)
    }

    fn feed_data(&mut self, machine: &mut Machine, encoded: &[u8], out: Out<'_>) -> Result<usize, Failed> {
        let crc = &mut self.crc;
        let (read, has_ended) = machine.inflate(encoded, &mut |decoded| {
            crc.update(decoded);
            out(decoded)
        })?;
        if has_ended {
            self.part = Part::Trailer;
        }
        Ok(read)
    }

    /// Takes octets of a trailer; how many. A further member may follow.
    fn feed_trailer(&mut self, machine: &mut Machine, encoded: &[u8]) -> Result<usize, Failed> {
        let taken = encoded.len().min(TRAILER - self.octets.len());
        self.octets.extend_from_slice(&encoded[..taken]);
        if let Some(trailer) = self.octets.first_chunk::<TRAILER>() {
            // ISIZE counts modulo 2³², as this does.
            let expected = u64::from(self.crc.amount()) << 32 | u64::from(self.crc.sum());
            failed_unless(u64::from_le_bytes(*trailer) == expected)?;
            machine.stream.reset(false);
            *self = Self { members: self.members + 1, ..Self::default() };
        }
        Ok(taken)
    }
}

/// Octets of the member's header that begins here (RFC 1952 §2.3); `None` while it is not whole.
fn header_len(octets: &[u8]) -> Result<Option<usize>, Failed> {
    failed_unless(octets.iter().zip(MAGIC).all(|(&found, wanted)| found == wanted))?;
    let Some(&flags) = octets.get(MAGIC.len()) else { return Ok(None) };
    failed_unless(flags & flag::RESERVED == 0)?;
    let Some(len) = len_before_crc(octets, flags) else { return Ok(None) };
    if flags & flag::HEADER_CRC == 0 {
        return Ok(Some(len));
    }
    let Some(found) = number_at(octets, len) else { return Ok(None) };
    let mut crc = Crc::new();
    crc.update(&octets[..len]);
    // Its two least significant octets.
    failed_unless(found == crc.sum() as u16)?;
    Ok(Some(len + 2))
}

fn len_before_crc(octets: &[u8], flags: u8) -> Option<usize> {
    // ID1, ID2, CM, FLG, MTIME, XFL, OS.
    let mut len = 10;
    if flags & flag::EXTRA != 0 {
        len += 2 + usize::from(number_at(octets, len)?);
    }
    for text in [flag::NAME, flag::COMMENT] {
        if flags & text != 0 {
            len += memchr::memchr(0, octets.get(len..)?)? + 1;
        }
    }
    (len <= octets.len()).then_some(len)
}

fn number_at(octets: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*octets.get(offset..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::ops::ControlFlow;

    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use flate2::{Compression, GzBuilder};

    use super::*;

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * at / 7 % 61) as u8).collect()
    }

    fn decoded(mut inflate: Inflate, pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Failed>) {
        let mut text = Vec::new();
        let mut out = |octets: &[u8]| {
            text.extend_from_slice(octets);
            ControlFlow::Continue(())
        };
        let fed = pieces.iter().try_for_each(|piece| inflate.feed(piece, &mut out));
        (text, fed.and_then(|()| inflate.finish()))
    }

    fn written<W: Write>(mut encoder: W, text: &[u8], finish: impl Fn(W) -> std::io::Result<Vec<u8>>) -> Vec<u8> {
        encoder.write_all(text).and_then(|()| finish(encoder)).expect("writing to a Vec")
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        written(GzEncoder::new(Vec::new(), Compression::best()), text, GzEncoder::finish)
    }

    fn is_decoded(make: fn() -> Inflate, encoded: &[u8], text: &[u8]) {
        let expected = (text.to_vec(), Ok(()));
        assert!(decoded(make(), &[encoded]) == expected, "{} octets whole", text.len());
        assert!(decoded(make(), &encoded.chunks(1).collect::<Vec<_>>()) == expected, "{} octets one by one", text.len());
        assert!(decoded(make(), &[&encoded[..encoded.len() - 1]]).1.is_err(), "{} octets cut", text.len());
    }

    #[test]
    fn each_wrapper_decodes_contents_shorter_and_longer_than_a_piece() {
        for len in [0, 1, 300, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE] {
            let text = text(len);
            let zlib = written(ZlibEncoder::new(Vec::new(), Compression::fast()), &text, ZlibEncoder::finish);
            let raw = written(DeflateEncoder::new(Vec::new(), Compression::none()), &text, DeflateEncoder::finish);
            is_decoded(Inflate::gzip, &gzip(&text), &text);
            is_decoded(Inflate::zlib, &zlib, &text);
            is_decoded(Inflate::raw, &raw, &text);
            assert!(decoded(Inflate::zlib(), &[&zlib, b"x"]).1.is_err(), "{len} octets with more behind");
            assert!(decoded(Inflate::raw(), &[&raw, b"x"]).1.is_err(), "{len} octets with more behind");
        }
    }

    #[test]
    fn all_that_a_gzip_header_may_hold_is_passed_over() {
        let builder = GzBuilder::new().extra(vec![7; 300]).filename("a").comment("b").mtime(1);
        is_decoded(Inflate::gzip, &written(builder.write(Vec::new(), Compression::fast()), b"hello", GzEncoder::finish), b"hello");
        // FHCRC: the checksum of the ten octets before it.
        let plain = gzip(b"hello");
        let mut header = plain[..10].to_vec();
        header[3] = flag::HEADER_CRC;
        let mut crc = Crc::new();
        crc.update(&header);
        let checked = [&header[..], &crc.sum().to_le_bytes()[..2], &plain[10..]].concat();
        is_decoded(Inflate::gzip, &checked, b"hello");
        let mut wrong = checked;
        wrong[10] ^= 1;
        assert_eq!(decoded(Inflate::gzip(), &[&wrong]), (vec![], Err(Failed)));
    }

    #[test]
    fn members_follow_each_other() {
        is_decoded(Inflate::gzip, &[gzip(b"hel"), gzip(b""), gzip(b"lo")].concat(), b"hello");
    }

    #[test]
    fn what_begins_no_member_behind_the_last_one_is_no_content() {
        for behind in [&b"\0"[..], &[0; 7], b"x", b"\x1f\x8c\x08", b"\x1f\x8b\x07"] {
            let padded = [&gzip(b"hello"), behind].concat();
            for pieces in [vec![&padded[..]], padded.chunks(1).collect()] {
                assert_eq!(decoded(Inflate::gzip(), &pieces), (b"hello".to_vec(), Ok(())), "{}", behind.escape_ascii());
            }
        }
        let begun = [gzip(b"hello"), b"\x1f\x8b".to_vec()].concat();
        assert_eq!(decoded(Inflate::gzip(), &[&begun]), (b"hello".to_vec(), Err(Failed)), "the next member is cut");
    }

    #[test]
    fn damage_is_seen() {
        let encoded = gzip(b"hello hello hello");
        // Identification, method, reserved flags, CRC32, ISIZE.
        for at in [0, 1, 2, 3, encoded.len() - 8, encoded.len() - 1] {
            let mut damaged = encoded.clone();
            damaged[at] ^= 0x80;
            assert!(decoded(Inflate::gzip(), &[&damaged]).1.is_err(), "octet {at}");
        }
        assert!(decoded(Inflate::gzip(), &[]).1.is_err(), "nothing is no member");
    }

    #[test]
    fn endless_header_fails() {
        let header = [&[0x1f, 0x8b, 8, flag::NAME, 0, 0, 0, 0, 0, 0][..], &[b'a'; HEADER_LIMIT]].concat();
        let pieces: Vec<_> = header.chunks(1000).collect();
        assert_eq!(decoded(Inflate::gzip(), &pieces), (vec![], Err(Failed)));
    }

    #[test]
    fn machines_are_used_again_whatever_they_did_before() {
        let text = text(3 * PIECE);
        for cut in [1, 20, 100, 800] {
            let _ = decoded(Inflate::gzip(), &[&gzip(&text)[..cut]]);
            let _ = decoded(Inflate::zlib(), &[b"\x78\x9c\xff\xff"]);
            assert!(decoded(Inflate::gzip(), &[&gzip(&text)]) == (text.clone(), Ok(())));
        }
        assert!(SPARE.with_borrow(Vec::len) <= SPARE_MACHINES);
    }
}
