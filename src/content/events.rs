//! Server-sent events in content that comes in pieces (WHATWG HTML §9.2.6): lines end with CRLF, LF or CR; an empty line
//! dispatches the event of the lines before it.

use crate::message::EventStream;
use crate::stream::Timestamp;

/// Octets of a line that are kept: field names are short, and of values only a number is read.
const KEPT: usize = 32;

/// Counts the events of one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    found: EventStream,
    /// The beginning of the line under way, and its length so far.
    line: Vec<u8>,
    line_len: u64,
    /// Whether a first line ended: before it, a byte order mark may stand.
    has_begun: bool,
    /// The last octet was a CR: a LF that follows belongs to the same line end.
    after_cr: bool,
    /// What that line end ended.
    ended: Ended,
    /// Octets of the block under way, comments left out.
    block_bytes: u64,
    /// Octets of its `data` so far; `None` without one.
    data: Option<u64>,
    /// When the octets that come now were captured.
    now: Timestamp,
}

/// What a line end ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ended {
    /// A line of a block.
    #[default]
    Line,
    /// A block without data, which is no event.
    Nothing,
    Comment,
    Event,
}

impl Events {
    /// The octets that follow were captured at that time.
    pub(super) fn at(&mut self, time: Timestamp) {
        self.now = time;
    }

    /// Takes a piece of the decoded content.
    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            if std::mem::take(&mut self.after_cr) && piece[0] == b'\n' {
                self.count_line_end();
                piece = &piece[1..];
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', piece);
            self.push(&piece[..end.unwrap_or(piece.len())]);
            let Some(end) = end else { return };
            self.after_cr = piece[end] == b'\r';
            self.end_line();
            piece = &piece[end + 1..];
        }
    }

    /// What was found. What follows the last empty line is no event.
    pub(super) fn found(&self) -> EventStream {
        self.found
    }

    fn push(&mut self, octets: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&octets[..octets.len().min(room)]);
        self.line_len += octets.len() as u64;
    }

    fn count_line_end(&mut self) {
        match self.ended {
            Ended::Line => self.block_bytes += 1,
            Ended::Nothing => {}
            Ended::Comment => self.found.comment_bytes += 1,
            Ended::Event => self.found.event_bytes += 1,
        }
    }

    fn end_line(&mut self) {
        let mut len = std::mem::take(&mut self.line_len);
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.has_begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
            len -= 3;
        }
        self.ended = match line.first() {
            None => self.dispatch(),
            Some(b':') => {
                self.found.comments += 1;
                self.found.comment_bytes += len;
                Ended::Comment
            }
            Some(_) => {
                self.block_bytes += len;
                self.field(&line, len);
                Ended::Line
            }
        };
        self.count_line_end();
        line.clear();
        self.line = line;
    }

    fn field(&mut self, line: &[u8], len: u64) {
        let colon = line.iter().position(|&octet| octet == b':');
        let name = &line[..colon.unwrap_or(line.len())];
        let value = colon.map_or(&[][..], |colon| &line[colon + 1..]);
        // One space behind the colon is no part of the value.
        let space = usize::from(value.first() == Some(&b' '));
        match name {
            b"data" => {
                let value_len = colon.map_or(0, |colon| len - (colon + 1 + space) as u64);
                self.data = Some(self.data.map_or(value_len, |data| data + 1 + value_len));
            }
            b"retry" if len <= KEPT as u64 => {
                let digits = str::from_utf8(&value[space..]).ok().filter(|value| value.bytes().all(|octet| octet.is_ascii_digit()));
                self.found.retry_ms = digits.and_then(|digits| digits.parse().ok()).or(self.found.retry_ms);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Ended {
        let block_bytes = std::mem::take(&mut self.block_bytes);
        let Some(data) = self.data.take() else { return Ended::Nothing };
        let found = &mut self.found;
        found.events += 1;
        found.event_bytes += block_bytes;
        found.data_bytes += data;
        found.data_range = Some(found.data_range.map_or((data, data), |(least, most)| (least.min(data), most.max(data))));
        let (first, last) = found.times.unwrap_or((self.now, self.now));
        found.longest_gap_ns = found.longest_gap_ns.max(u64::try_from(self.now.0.saturating_sub(last.0)).unwrap_or(0));
        found.times = Some((first, self.now));
        Ended::Event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of pieces that come a second apart.
    fn events(pieces: &[&[u8]]) -> EventStream {
        let mut events = Events::default();
        for (second, piece) in pieces.iter().enumerate() {
            events.at(Timestamp(second as i64 * 1_000_000_000));
            events.feed(piece);
        }
        events.found()
    }

    const STREAM: &[u8] =
        b"\xef\xbb\xbf: welcome\n\nretry: 3000\nevent: tick\ndata: first\ndata:second\nid: 1\n\n:\n\nid\n\ndata\n\ndata:no end";

    #[test]
    fn events_are_blocks_with_data() {
        let found = events(&[STREAM]);
        // `first` LF `second` are 12 octets, a bare `data` none.
        assert_eq!((found.events, found.data_bytes, found.data_range), (2, 12, Some((0, 12))));
        // retry 12, event 12, data 12 and 12, id 6, and the empty line 1: 55; data 5 and 1.
        assert_eq!(found.event_bytes, 55 + 6);
        assert_eq!((found.comments, found.comment_bytes), (2, 10 + 2));
        assert_eq!(found.retry_ms, Some(3000));
    }

    #[test]
    fn pieces_and_line_ends_change_nothing_but_octets() {
        let whole = events(&[STREAM]);
        let octets: Vec<&[u8]> = STREAM.chunks(1).collect();
        let in_octets = events(&octets);
        assert_eq!(EventStream { times: whole.times, longest_gap_ns: 0, ..in_octets }, whole);
        let with_cr: Vec<u8> = STREAM.iter().map(|&octet| if octet == b'\n' { b'\r' } else { octet }).collect();
        assert_eq!(events(&[&with_cr]), whole);
        let with_crlf: Vec<u8> = STREAM.iter().flat_map(|&octet| if octet == b'\n' { vec![b'\r', b'\n'] } else { vec![octet] }).collect();
        let found = events(&[&with_crlf]);
        // A CR more for each of 8 line ends of events and 2 of comments.
        assert_eq!((found.event_bytes, found.comment_bytes), (whole.event_bytes + 8, whole.comment_bytes + 2));
        assert_eq!((found.events, found.data_bytes), (whole.events, whole.data_bytes));
        assert_eq!(events(&with_crlf.chunks(1).collect::<Vec<_>>()).event_bytes, found.event_bytes);
    }

    #[test]
    fn times_are_those_of_the_last_octets() {
        let found = events(&[b"data: a\n", b"\ndata: b\n\n", b"data: c", b"\n", b"\n"]);
        let second = |second: i64| Timestamp(second * 1_000_000_000);
        assert_eq!((found.events, found.times, found.longest_gap_ns), (3, Some((second(1), second(4))), 3_000_000_000));
        assert_eq!(found.mean_interval_s(), Some(1.5));
        assert_eq!(events(&[b"data: a\n\n"]).mean_interval_s(), None);
    }
}
