//! Message content (RFC 9112 §6, §7.1): how its length is told, and the walk through it.

use std::borrow::Cow;

use super::head::Role;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{Content, ContentSink, Cost, FieldName, Form, Head};
use crate::stream::StreamBuffer;

/// How the end of a message's content is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// That many octets.
    Length(u64),
    /// Chunks (RFC 9112 §7.1).
    Chunked,
    /// All until the connection closes.
    UntilClose,
}

impl Framing {
    /// Of a request; what is odd about its lengths is added to `anomalies`.
    pub(super) fn of_request(head: &Head, anomalies: &mut AnomalySet) -> Self {
        match (transfer_coding(head), content_length(head, anomalies)) {
            (Some(TransferCoding::EndsChunked), length) => chunked(length, anomalies),
            // RFC 9112 §6.3: the length cannot be told; a server answers 400.
            (Some(TransferCoding::Other), _) => {
                anomalies.insert(AnomalyKind::MalformedHttpHead);
                Self::None
            }
            (None, Length::Known(length)) => Self::Length(length),
            (None, Length::Absent | Length::Invalid) => Self::None,
        }
    }

    /// Of the final response to a request of this method (`None`: not captured).
    pub(super) fn of_response(method: Option<&[u8]>, status: u16, head: &Head, anomalies: &mut AnomalySet) -> Self {
        let connected = method == Some(b"CONNECT") && (200..300).contains(&status);
        if method == Some(b"HEAD") || connected || matches!(status, 100..200 | 204 | 304) {
            return Self::None;
        }
        match (transfer_coding(head), content_length(head, anomalies)) {
            (Some(TransferCoding::EndsChunked), length) => chunked(length, anomalies),
            (Some(TransferCoding::Other), _) => Self::UntilClose,
            (None, Length::Known(length)) => Self::Length(length),
            (None, Length::Absent | Length::Invalid) => Self::UntilClose,
        }
    }
}

fn chunked(length: Length, anomalies: &mut AnomalySet) -> Framing {
    match length {
        Length::Absent => {}
        Length::Known(_) | Length::Invalid => anomalies.insert(AnomalyKind::TransferEncodingAndContentLength),
    }
    Framing::Chunked
}

enum TransferCoding {
    EndsChunked,
    Other,
}

/// The last transfer coding but `identity`, which RFC 2616 had and some still send.
fn transfer_coding(head: &Head) -> Option<TransferCoding> {
    if !head.has(FieldName::TransferEncoding) {
        return None;
    }
    let last = transfer_codings(head).last()?;
    Some(if last.eq_ignore_ascii_case(b"chunked") { TransferCoding::EndsChunked } else { TransferCoding::Other })
}

fn transfer_codings(head: &Head) -> impl Iterator<Item = &[u8]> {
    head.values_of(FieldName::TransferEncoding)
        .flat_map(|value| value.split(|&b| b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}

enum Length {
    Absent,
    Known(u64),
    Invalid,
}

/// The Content-Length: of several values all must be equal (RFC 9112 §6.3 item 5); else the first valid one is taken, and
/// the anomaly says so.
fn content_length(head: &Head, anomalies: &mut AnomalySet) -> Length {
    // As in nearly all heads.
    if !head.has_several(FieldName::ContentLength) {
        match head.first(FieldName::ContentLength).map(decimal) {
            None => return Length::Absent,
            Some(Some(length)) => return Length::Known(length),
            Some(None) => {}
        }
    }
    let mut values =
        head.values_of(FieldName::ContentLength).flat_map(|value| value.split(|&b| b == b',')).map(|value| decimal(value.trim_ascii()));
    let Some(first) = values.next() else { return Length::Absent };
    let mut length = first;
    let mut conflict = first.is_none();
    for value in values {
        conflict |= value != first;
        length = length.or(value);
    }
    if conflict {
        anomalies.insert(AnomalyKind::ConflictingContentLength);
    }
    length.map_or(Length::Invalid, Length::Known)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    number(digits, 10)
}

/// An unsigned number of one or more digits; `None` when it is anything else or beyond 2⁶⁴ − 1.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        number.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// The codings that a message's content is under, in the order in which they were applied: Content-Encoding, then what
/// Transfer-Encoding adds before `chunked`.
pub(super) fn content_codings(head: &Head) -> Cow<'_, [u8]> {
    if !head.has(FieldName::TransferEncoding) && !head.has_several(FieldName::ContentEncoding) {
        return Cow::Borrowed(head.first(FieldName::ContentEncoding).unwrap_or_default());
    }
    let transfer = || transfer_codings(head).filter(|coding| !coding.eq_ignore_ascii_case(b"chunked"));
    let mut codings = head.values_of(FieldName::ContentEncoding).chain(transfer());
    match (codings.next(), codings.next()) {
        (None, _) => Cow::Borrowed(b""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => {
            let mut all = [first, second].join(&b", "[..]);
            for coding in codings {
                all.extend_from_slice(b", ");
                all.extend_from_slice(coding);
            }
            Cow::Owned(all)
        }
    }
}

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
    declared: Option<u64>,
    /// Octets of the message until now, beside those of its beginning.
    taken: u64,
    /// Those that count as framing.
    framing: u64,
}

impl Rest {
    /// Of a message whose header section was cut.
    pub(super) fn of_head(role: Role, head: &Head) -> Self {
        let declared = match content_length(head, &mut AnomalySet::default()) {
            Length::Known(length) => Some(length),
            Length::Absent | Length::Invalid => None,
        };
        Self { role, declared, taken: 0, framing: 0 }
    }

    /// Of a message whose chunks were cut.
    pub(super) fn of_chunks(role: Role) -> Self {
        Self { role, declared: Some(u64::MAX), taken: 0, framing: 0 }
    }

    fn advance(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost) -> Progress {
        while !buffer.is_empty() {
            if buffer.is_lost_at_front() {
                return Progress::Damaged(AnomalyKind::LostBytes);
            }
            if buffer.at_run_start() && self.taken > 0 && buffer.missing() == 0 {
                match self.role.begins(buffer.peek()) {
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
    use crate::http::head::parse;

    const CONFLICT: &[AnomalyKind] = &[AnomalyKind::ConflictingContentLength];
    const BOTH: &[AnomalyKind] = &[AnomalyKind::TransferEncodingAndContentLength];

    fn head(role: Role, start: &str, fields: &str) -> Head {
        let lines: String = fields.split('|').filter(|line| !line.is_empty()).map(|line| format!("{line}\r\n")).collect();
        parse(role, format!("{start}\r\n{lines}\r\n").as_bytes()).expect("a head").head
    }

    #[test]
    fn response_framing_follows_rfc_9112_section_6_3() {
        let cases: [(&str, u16, &str, Framing, &[AnomalyKind]); 18] = [
            ("GET", 200, "Content-Length: 5", Framing::Length(5), &[]),
            ("HEAD", 200, "Content-Length: 5", Framing::None, &[]),
            ("HEAD", 200, "Transfer-Encoding: chunked", Framing::None, &[]),
            ("GET", 304, "Content-Length: 5", Framing::None, &[]),
            ("GET", 204, "Content-Length: 5", Framing::None, &[]),
            ("GET", 101, "Content-Length: 5", Framing::None, &[]),
            ("CONNECT", 200, "Content-Length: 5", Framing::None, &[]),
            ("CONNECT", 502, "Content-Length: 5", Framing::Length(5), &[]),
            ("GET", 200, "", Framing::UntilClose, &[]),
            ("GET", 200, "Transfer-Encoding: gzip, Chunked", Framing::Chunked, &[]),
            ("GET", 200, "Transfer-Encoding: gzip|Transfer-Encoding: chunked", Framing::Chunked, &[]),
            ("GET", 200, "Transfer-Encoding: gzip", Framing::UntilClose, &[]),
            ("GET", 200, "Transfer-Encoding: identity|Content-Length: 5", Framing::Length(5), &[]),
            ("GET", 200, "Content-Length: 5|Transfer-Encoding: chunked", Framing::Chunked, BOTH),
            ("GET", 200, "Content-Length: 5, 5|Content-Length: 5", Framing::Length(5), &[]),
            ("GET", 200, "Content-Length: 5|Content-Length: 6", Framing::Length(5), CONFLICT),
            ("GET", 200, "Content-Length: +5", Framing::UntilClose, CONFLICT),
            ("GET", 200, "Content-Length: 18446744073709551616", Framing::UntilClose, CONFLICT),
        ];
        for (method, status, fields, framing, expected) in cases {
            let head = head(Role::Response, &format!("HTTP/1.1 {status} X"), fields);
            let mut anomalies = AnomalySet::EMPTY;
            assert_eq!(Framing::of_response(Some(method.as_bytes()), status, &head, &mut anomalies), framing, "{method} {status} {fields}");
            assert_eq!(anomalies, expected.iter().copied().collect(), "{method} {status} {fields}");
        }
    }

    #[test]
    fn request_framing_follows_rfc_9112_section_6_3() {
        let cases: [(&str, Framing, &[AnomalyKind]); 6] = [
            ("", Framing::None, &[]),
            ("Content-Length: 5", Framing::Length(5), &[]),
            ("Transfer-Encoding: chunked", Framing::Chunked, &[]),
            ("Transfer-Encoding: gzip", Framing::None, &[AnomalyKind::MalformedHttpHead]),
            ("Content-Length: x", Framing::None, CONFLICT),
            ("Content-Length: 5|Transfer-Encoding: chunked", Framing::Chunked, BOTH),
        ];
        for (fields, framing, expected) in cases {
            let mut anomalies = AnomalySet::EMPTY;
            assert_eq!(Framing::of_request(&head(Role::Request, "POST / HTTP/1.1", fields), &mut anomalies), framing, "{fields}");
            assert_eq!(anomalies, expected.iter().copied().collect(), "{fields}");
        }
    }

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

    #[test]
    fn codings_are_listed_in_the_order_in_which_they_were_applied() {
        for (fields, codings) in [
            ("", &b""[..]),
            ("Content-Encoding: gzip", b"gzip"),
            ("Content-Encoding: deflate|Content-Encoding: br", b"deflate, br"),
            ("Transfer-Encoding: gzip, chunked|Content-Encoding: br", b"br, gzip"),
        ] {
            assert_eq!(*content_codings(&head(Role::Response, "HTTP/1.1 200 OK", fields)), *codings, "{fields}");
        }
    }
}
