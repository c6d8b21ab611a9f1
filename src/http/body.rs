//! Message content (RFC 9112 §6, §7.1): the walk through it.

use super::detect::StartLook;
use super::framing::{Framing, declared_length, number};
use super::head::Role;
use crate::anomaly::AnomalyKind;
use crate::message::{Content, ContentSink, Cost, Form, Head};
use crate::stream::StreamBuffer;

/// A content that is all there.
pub(super) struct Whole {
    pub(super) content_len: u64,
    /// Of chunk lines and what follows the last chunk.
    pub(super) framing_len: u64,
    chunks: usize,
}

impl Whole {
    /// Of a content that the octets begin with, if they hold all of it; chunks only without extensions and trailer fields.
    pub(super) fn of(framing: Framing, octets: &[u8]) -> Option<Self> {
        match framing {
            Framing::None | Framing::Length(0) | Framing::UntilClose => None,
            Framing::Length(len) => (octets.len() as u64 >= len).then_some(Self { content_len: len, framing_len: 0, chunks: 0 }),
            Framing::Chunked => {
                let mut whole = Self { content_len: 0, framing_len: 0, chunks: 0 };
                let mut rest = octets;
                loop {
                    let (chunk, behind) = plain_chunk(rest)?;
                    whole.framing_len += (rest.len() - behind.len() - chunk.len()) as u64;
                    if chunk.is_empty() {
                        return Some(whole);
                    }
                    whole.content_len += chunk.len() as u64;
                    whole.chunks += 1;
                    rest = behind;
                }
            }
        }
    }

    /// Gives the content, of which `octets` are the first, to a sink.
    pub(super) fn give(&self, octets: &[u8], form: Form<'_>, sink: &mut impl ContentSink) -> Content {
        // Both fit: octets that are there.
        match (self.chunks, plain_chunk(octets)) {
            (0, _) => sink.whole(form, octets.get(..self.content_len as usize).unwrap_or_default(), true),
            (1, Some((only, _))) => sink.whole(form, only, true),
            (_, first) => {
                sink.begin(form);
                std::iter::successors(first, |(_, behind)| plain_chunk(behind)).take(self.chunks).for_each(|(chunk, _)| sink.data(chunk));
                sink.end(true)
            }
        }
    }
}

/// Octets of the longest chunk-size line that is read here: eight digits.
const PLAIN_SIZE_LINE: usize = 8 + 2;

/// The first chunk's data, and what is behind it: the next chunk, or with the last chunk, which is empty, behind the empty line.
fn plain_chunk(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let line_end = octets.iter().take(PLAIN_SIZE_LINE).position(|&octet| octet == b'\r')?;
    let (size, behind) = (number(&octets[..line_end], 16)?, octets[line_end..].strip_prefix(b"\r\n")?);
    let (data, behind) = behind.split_at_checked(usize::try_from(size).ok()?)?;
    Some((data, behind.strip_prefix(b"\r\n")?))
}

/// How far the walk through content got with the bytes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All bytes of its own are consumed; more are to come.
    Wait,
    /// Its last octet is consumed.
    Complete,
    /// The bytes that follow cannot be its framing; they stay unread.
    Damaged(AnomalyKind),
}

/// The walk through the content of one message.
#[derive(Debug)]
pub(super) enum Body {
    Length { left: u64 },
    Chunked(Chunked),
    UntilClose,
    Rest(Rest),
}

impl Body {
    /// `None` when there is nothing to walk through.
    pub(super) fn new(framing: Framing) -> Option<Self> {
        match framing {
            Framing::None | Framing::Length(0) => None,
            Framing::Length(left) => Some(Self::Length { left }),
            Framing::Chunked => Some(Self::Chunked(Chunked::SizeLine(Line::default()))),
            Framing::UntilClose => Some(Self::UntilClose),
        }
    }

    /// Consumes what is there of the content and its framing, and books it.
    pub(super) fn advance(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost, sink: &mut impl ContentSink) -> Progress {
        let progress = self.walk(buffer, cost, sink);
        // No length reaches across a gap that has none.
        if progress == Progress::Wait && buffer.is_broken() { Progress::Damaged(AnomalyKind::LostBytes) } else { progress }
    }

    fn walk(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost, sink: &mut impl ContentSink) -> Progress {
        match self {
            Self::Length { left } => {
                take_content(left, buffer, cost, sink);
                if *left == 0 { Progress::Complete } else { Progress::Wait }
            }
            Self::Chunked(chunked) => chunked.advance(buffer, cost, sink),
            Self::UntilClose => {
                let mut left = u64::MAX;
                take_content(&mut left, buffer, cost, sink);
                Progress::Wait
            }
            Self::Rest(rest) => rest.advance(buffer, cost),
        }
    }

    /// Whether only framing is left: the trailer section.
    pub(super) fn has_all_content(&self) -> bool {
        matches!(self, Self::Chunked(Chunked::Trailer(..)))
    }

    /// Whether the sink was told of this content.
    pub(super) fn is_content(&self) -> bool {
        !matches!(self, Self::Rest(_))
    }

    /// Whether the end of the stream is the end of this content.
    pub(super) fn ends_with_stream(&self) -> bool {
        matches!(self, Self::UntilClose | Self::Rest(_))
    }
}

/// The rest of a message of which the snap length cut what says where it ends: all up to the next header section, which
/// begins with a segment.
///
/// Its octets are known and what they are is not: with a declared length they are divided by it; else the octets of the
/// segment that was cut count as framing, and those that follow as content.
#[derive(Debug)]
pub(super) struct Rest {
    role: Role,
    start_look: StartLook,
    declared: Option<u64>,
    /// Octets of the message until now, beside those of its beginning.
    taken: u64,
    /// Those that count as framing.
    framing: u64,
}

impl Rest {
    /// Of a message whose header section was cut.
    pub(super) fn of_head(role: Role, head: &Head) -> Self {
        Self { role, start_look: StartLook::default(), declared: declared_length(head), taken: 0, framing: 0 }
    }

    /// Of a message whose chunks were cut.
    pub(super) fn of_chunks(role: Role) -> Self {
        Self { role, start_look: StartLook::default(), declared: Some(u64::MAX), taken: 0, framing: 0 }
    }

    fn advance(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost) -> Progress {
        while !buffer.is_empty() {
            if buffer.is_lost_at_front() {
                return Progress::Damaged(AnomalyKind::LostBytes);
            }
            if buffer.at_run_start() && self.taken > 0 && buffer.missing() == 0 {
                match self.role.begins(buffer, &mut self.start_look) {
                    Some(true) => return Progress::Complete,
                    // A start line is short; what takes longer to tell is none.
                    None if buffer.len() == buffer.peek().len() as u64 && buffer.len() < SHORTEST_START => return Progress::Wait,
                    None | Some(false) => {}
                }
            }
            let is_cut_segment = self.taken == 0;
            let consumed = buffer.consume(buffer.front_run());
            self.taken += consumed.bytes.payload;
            if is_cut_segment {
                self.framing = consumed.bytes.payload;
            }
            cost.add_framing(consumed);
        }
        Progress::Wait
    }

    /// Divides the octets.
    pub(super) fn divide(&self, cost: &mut Cost) {
        let encoded = self.declared.map_or(self.taken - self.framing, |declared| declared.min(self.taken));
        cost.framing_bytes -= encoded;
        cost.encoded_bytes += encoded;
    }
}

/// Octets of a line by which a method or a version is told.
const SHORTEST_START: u64 = 40;

/// Hands on at most `left` octets of content, captured or missing.
fn take_content(left: &mut u64, buffer: &mut StreamBuffer, cost: &mut Cost, sink: &mut impl ContentSink) {
    while *left > 0 && !buffer.is_empty() && !buffer.is_broken() {
        let missing = buffer.missing();
        let len = if missing > 0 {
            let len = missing.min(*left);
            sink.missing(len);
            len
        } else {
            // Segment by segment, each with its time.
            let len = buffer.front_run().min(*left);
            if let Some(frame) = buffer.front_frame() {
                sink.at(frame.time);
            }
            // Fits: octets that are there.
            sink.data(&buffer.peek()[..len as usize]);
            len
        };
        cost.add_encoded(len, buffer.consume(len));
        *left -= len;
    }
}

/// The walk through chunked content (RFC 9112 §7.1).
#[derive(Debug)]
pub(super) enum Chunked {
    /// In a chunk-size line.
    SizeLine(Line),
    /// In a chunk's data.
    Data { left: u64 },
    /// In the line end behind a chunk's data.
    DataEnd,
    /// In the trailer section; that many octets of it are consumed.
    Trailer(Line, usize),
}

/// Octets of a chunk-size line with its extensions, or of a trailer section, beyond which the stream is taken for damaged.
const LINE_LIMIT: usize = 64 << 10;

impl Chunked {
    fn advance(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost, sink: &mut impl ContentSink) -> Progress {
        loop {
            match self {
                Self::SizeLine(line) => match line.next(buffer) {
                    Ok(Some(end)) => match chunk_size(&buffer.peek()[..end]) {
                        Some(size) => {
                            cost.add_framing(buffer.consume(end as u64));
                            *self = if size == 0 { Self::Trailer(Line::default(), 0) } else { Self::Data { left: size } };
                        }
                        None => return Progress::Damaged(AnomalyKind::MalformedChunk),
                    },
                    Ok(None) => return Progress::Wait,
                    Err(damage) => return Progress::Damaged(damage),
                },
                Self::Data { left } => {
                    take_content(left, buffer, cost, sink);
                    if *left > 0 {
                        return Progress::Wait;
                    }
                    *self = Self::DataEnd;
                }
                Self::DataEnd => {
                    let len = match buffer.peek() {
                        [] if buffer.missing() > 0 => return Progress::Damaged(AnomalyKind::LostBytes),
                        [b'\r'] if buffer.len() > 1 => return Progress::Damaged(AnomalyKind::LostBytes),
                        [] | [b'\r'] => return Progress::Wait,
                        [b'\n', ..] => 1,
                        [b'\r', b'\n', ..] => 2,
                        _ => return Progress::Damaged(AnomalyKind::MalformedChunk),
                    };
                    cost.add_framing(buffer.consume(len));
                    *self = Self::SizeLine(Line::default());
                }
                Self::Trailer(line, consumed) => {
                    let end = match line.next(buffer) {
                        Ok(Some(end)) => end,
                        Ok(None) => return Progress::Wait,
                        Err(damage) => return Progress::Damaged(damage),
                    };
                    let text = buffer.peek()[..end].trim_ascii();
                    let is_last = text.is_empty();
                    *consumed += end;
                    // Some senders leave out the last empty line: what has no colon is the next message.
                    if (!is_last && !text.contains(&b':')) || *consumed > LINE_LIMIT {
                        return Progress::Damaged(AnomalyKind::MalformedChunk);
                    }
                    cost.add_framing(buffer.consume(end as u64));
                    if is_last {
                        return Progress::Complete;
                    }
                    *line = Line::default();
                }
            }
        }
    }
}

/// The size that a chunk-size line gives; at least one digit is required, extensions are passed over.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|&b| b == b';').next()?;
    number(size.trim_ascii_end(), 16)
}

/// The search for a line's end; remembers how far it got.
#[derive(Debug, Default)]
pub(super) struct Line {
    searched: usize,
}

impl Line {
    /// Octets up to and including the line feed; `None` while it is not there; an error when it cannot come.
    fn next(&mut self, buffer: &StreamBuffer) -> Result<Option<usize>, AnomalyKind> {
        let bytes = buffer.peek();
        let fresh = bytes.get(self.searched..).unwrap_or_default();
        if let Some(found) = memchr::memchr(b'\n', fresh) {
            return Ok(Some(self.searched + found + 1));
        }
        self.searched = bytes.len();
        match () {
            () if buffer.len() > bytes.len() as u64 => Err(AnomalyKind::LostBytes),
            () if bytes.len() > LINE_LIMIT => Err(AnomalyKind::MalformedChunk),
            () => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn chunk_size_needs_a_digit_and_fits() {
        let cases: [(&[u8], Option<u64>); 9] = [
            (b"1aF\r\n", Some(0x1af)),
            (b"0\n", Some(0)),
            (b"5 ; name=value\r\n", Some(5)),
            (b"ffffffffffffffff\r\n", Some(u64::MAX)),
            (b"10000000000000000\r\n", None),
            (b"\r\n", None),
            (b";name\r\n", None),
            (b"5x\r\n", None),
            (b"-5\r\n", None),
        ];
        for (line, size) in cases {
            assert_eq!(chunk_size(line), size, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn content_is_whole_when_its_last_octet_is_there() {
        let of = |framing, octets: &[u8]| Whole::of(framing, octets).map(|whole| (whole.content_len, whole.framing_len));
        assert_eq!(of(Framing::Length(5), b"hello and more"), Some((5, 0)));
        assert_eq!(of(Framing::Length(5), b"hell"), None);
        // "5", "c" and "0" with their line ends take 3 octets each, line ends behind them 2 each.
        let chunked = b"5\r\nhello\r\nc\r\n, all of you\r\n0\r\n\r\n";
        assert_eq!(of(Framing::Chunked, &[&chunked[..], b"GET"].concat()), Some((17, 15)));
        for len in 0..chunked.len() {
            assert_eq!(of(Framing::Chunked, &chunked[..len]), None, "{len} octets");
        }
        for odd in [&b"5;a=b\r\nhello\r\n0\r\n\r\n"[..], b"0\r\nA: b\r\n\r\n", b"5\nhello\n0\n\n", b"x\r\n\r\n", b"\r\n\r\n"] {
            assert_eq!(of(Framing::Chunked, odd), None, "{}", odd.escape_ascii());
        }
        assert_eq!((of(Framing::UntilClose, b"all"), of(Framing::Length(0), b""), of(Framing::None, b"")), (None, None, None));
    }
}
