//! Content as it is framed (RFC 9112 §6, §7).

use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{ContentSink, Cost, Head};
use crate::stream::StreamBuffer;

/// How the end of a message's content is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// So many octets.
    Length(u64),
    /// Chunks, up to one of size 0.
    Chunked,
    /// All until the connection ends.
    UntilClose,
}

/// A chunk-size line with its extensions, or a line of the trailer section, is bounded by this.
const MAX_LINE: usize = 16 << 10;

impl Framing {
    /// Of a request (RFC 9112 §6.3).
    pub(super) fn of_request(head: &Head, anomalies: &mut AnomalySet) -> Self {
        match Self::declared(head, anomalies) {
            Some(Self::UntilClose) | None => Self::None,
            Some(framing) => framing,
        }
    }

    /// Of a response to a method (RFC 9112 §6.3).
    pub(super) fn of_response(head: &Head, status: u16, method: Option<&[u8]>, anomalies: &mut AnomalySet) -> Self {
        let to_connect = method == Some(b"CONNECT") && (200..300).contains(&status);
        if method == Some(b"HEAD") || to_connect || matches!(status, 100..=199 | 204 | 304) {
            return Self::None;
        }
        Self::declared(head, anomalies).unwrap_or(Self::UntilClose)
    }

    /// What the fields say; Transfer-Encoding counts before Content-Length.
    fn declared(head: &Head, anomalies: &mut AnomalySet) -> Option<Self> {
        let length = content_length(head, anomalies);
        let codings = head.values("transfer-encoding").flat_map(|value| value.split(|&b| b == b',')).map(<[u8]>::trim_ascii);
        // "identity" was dropped from HTTP (RFC 9112 appendix C.2.1) and changes nothing where it still stands.
        let Some(last) = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")).last() else {
            return length.map(Self::Length);
        };
        if length.is_some() {
            anomalies.insert(AnomalyKind::TransferEncodingAndContentLength);
        }
        Some(if last.eq_ignore_ascii_case(b"chunked") { Self::Chunked } else { Self::UntilClose })
    }
}

/// The Content-Length that all field lines agree on; with a conflict, the first.
fn content_length(head: &Head, anomalies: &mut AnomalySet) -> Option<u64> {
    let mut length = None;
    for value in head.values("content-length").flat_map(|value| value.split(|&b| b == b',')) {
        let parsed = str::from_utf8(value.trim_ascii()).ok().and_then(decimal);
        match (length, parsed) {
            (None, Some(octets)) => length = Some(octets),
            (Some(first), Some(octets)) if first == octets => {}
            _ => anomalies.insert(AnomalyKind::ConflictingContentLength),
        }
    }
    length
}

/// Digits alone: `u64::from_str` would take a sign too.
fn decimal(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Content that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many octets to come.
    Length(u64),
    /// Until the connection ends.
    UntilClose,
    /// A chunk-size line comes next.
    ChunkSize,
    /// So many octets of a chunk to come.
    ChunkData(u64),
    /// The line end behind a chunk's data.
    ChunkEnd,
    /// Trailer field lines, up to an empty one.
    Trailer,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Something was consumed.
    Advanced,
    /// More bytes are needed.
    Starved,
    /// The content is complete.
    Complete,
    /// The framing is damaged or was lost: where the content ends cannot be known.
    Broken(AnomalyKind),
}

impl Body {
    /// The beginning of content; `None` when there is none.
    pub(super) fn begin(framing: Framing) -> Option<Self> {
        match framing {
            Framing::None | Framing::Length(0) => None,
            Framing::Length(octets) => Some(Self::Length(octets)),
            Framing::Chunked => Some(Self::ChunkSize),
            Framing::UntilClose => Some(Self::UntilClose),
        }
    }

    /// Takes one piece: content octets, a chunk-size line, a trailer line.
    pub(super) fn step(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost, sink: &mut impl ContentSink) -> Progress {
        if buffer.is_empty() {
            return Progress::Starved;
        }
        match *self {
            Self::Length(left) => {
                let left = left - take_content(left, buffer, cost, sink);
                *self = Self::Length(left);
                if left == 0 { Progress::Complete } else { Progress::Advanced }
            }
            Self::UntilClose => {
                take_content(u64::MAX, buffer, cost, sink);
                Progress::Advanced
            }
            Self::ChunkData(left) => {
                let left = left - take_content(left, buffer, cost, sink);
                *self = if left == 0 { Self::ChunkEnd } else { Self::ChunkData(left) };
                Progress::Advanced
            }
            Self::ChunkSize | Self::ChunkEnd | Self::Trailer => self.take_line(buffer, cost),
        }
    }

    fn take_line(&mut self, buffer: &mut StreamBuffer, cost: &mut Cost) -> Progress {
        let bytes = buffer.peek();
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            let cut = (bytes.len() as u64) < buffer.len();
            return match cut {
                true => Progress::Broken(AnomalyKind::LostBytes),
                false if bytes.len() > MAX_LINE => Progress::Broken(AnomalyKind::MalformedChunk),
                false => Progress::Starved,
            };
        };
        let line = bytes[..end].trim_ascii();
        let (next, complete) = match self {
            Self::ChunkEnd if line.is_empty() => (Self::ChunkSize, false),
            Self::Trailer => (Self::Trailer, line.is_empty()),
            Self::ChunkSize => match chunk_size(line) {
                Some(0) => (Self::Trailer, false),
                Some(octets) => (Self::ChunkData(octets), false),
                None => return Progress::Broken(AnomalyKind::MalformedChunk),
            },
            _ => return Progress::Broken(AnomalyKind::MalformedChunk),
        };
        *self = next;
        cost.add_framing(buffer.consume(end as u64 + 1));
        if complete { Progress::Complete } else { Progress::Advanced }
    }
}

/// Takes up to `limit` octets of content, captured or missing; how many.
fn take_content(limit: u64, buffer: &mut StreamBuffer, cost: &mut Cost, sink: &mut impl ContentSink) -> u64 {
    let missing = buffer.missing().min(limit);
    let len = if missing > 0 {
        sink.missing(missing);
        missing
    } else {
        let len = limit.min(buffer.peek().len() as u64);
        sink.data(&buffer.peek()[..len as usize]);
        len
    };
    cost.add_encoded(len, buffer.consume(len));
    len
}

/// The size of a chunk (RFC 9112 §7.1); extensions behind it are ignored.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let rest = line[digits..].trim_ascii_start();
    if digits == 0 || !(rest.is_empty() || rest[0] == b';') {
        return None;
    }
    u64::from_str_radix(str::from_utf8(&line[..digits]).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(response: &str, status: u16, method: &str) -> (Framing, Vec<AnomalyKind>) {
        let head = crate::http::head::response(format!("HTTP/1.1 {status} X\r\n{response}\r\n").as_bytes()).head;
        let mut anomalies = AnomalySet::EMPTY;
        (Framing::of_response(&head, status, Some(method.as_bytes()), &mut anomalies), anomalies.iter().collect())
    }

    #[test]
    fn framing_follows_rfc_9112_section_6_3() {
        use AnomalyKind::{ConflictingContentLength, TransferEncodingAndContentLength};
        let cases: [(&str, u16, &str, Framing, &[AnomalyKind]); 12] = [
            ("Content-Length: 5\r\n", 200, "GET", Framing::Length(5), &[]),
            ("Content-Length: 5\r\n", 200, "HEAD", Framing::None, &[]),
            ("Content-Length: 5\r\n", 304, "GET", Framing::None, &[]),
            ("Content-Length: 5\r\n", 204, "GET", Framing::None, &[]),
            ("", 200, "CONNECT", Framing::None, &[]),
            ("", 200, "GET", Framing::UntilClose, &[]),
            ("Transfer-Encoding: chunked\r\n", 200, "GET", Framing::Chunked, &[]),
            ("Transfer-Encoding: gzip, Chunked\r\n", 200, "GET", Framing::Chunked, &[]),
            ("Transfer-Encoding: gzip\r\n", 200, "GET", Framing::UntilClose, &[]),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 200, "GET", Framing::Chunked, &[TransferEncodingAndContentLength]),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", 200, "GET", Framing::Length(5), &[]),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", 200, "GET", Framing::Length(5), &[ConflictingContentLength]),
        ];
        for (fields, status, method, expected, anomalies) in cases {
            assert_eq!(framing(fields, status, method), (expected, anomalies.to_vec()), "{method} {status} {fields}");
        }
    }

    #[test]
    fn chunk_sizes_need_a_digit() {
        let cases: [(&[u8], Option<u64>); 7] =
            [(b"1a", Some(26)), (b"0", Some(0)), (b"5;name=value", Some(5)), (b"5 ", Some(5)), (b"", None), (b"x", None), (b"5x", None)];
        for (line, expected) in cases {
            assert_eq!(chunk_size(line), expected, "{line:?}");
        }
        assert_eq!(chunk_size(b"ffffffffffffffffff"), None);
    }
}
