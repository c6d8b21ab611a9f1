//! Field lines that come again: most of what a sender says in a head it has said in the one before, and so have others like it.
//!
//! What a line says follows from its octets alone, so one that is the same need not be read.

use super::head::{Parsed, Role};
use super::plain;
use crate::message::{FieldTag, Span};

/// Senders whose last heads are remembered, in each role.
const SENDERS: usize = 8;

/// Octets of field lines that are remembered of a head, at most.
const LONGEST: usize = 4 << 10;

/// Lines of the head before that are looked through for the name of one that is not the same.
const LOOK_AHEAD: usize = 3;

/// The last heads of a few senders, requests and responses apart.
#[derive(Debug, Default)]
pub(crate) struct LastHeads {
    last: [[LastHead; SENDERS]; 2],
    /// A head that was read and is still to be taken.
    ahead: Option<Ahead>,
}

/// Where a head begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeadPlace {
    pub(super) role: Role,
    /// Number of its connection (`tcp.stream`).
    pub(super) connection: u64,
    /// Stream offset.
    pub(super) start: u64,
}

#[derive(Debug)]
struct Ahead {
    place: HeadPlace,
    parsed: Parsed,
    len: usize,
}

impl LastHeads {
    /// Reads the header section at the beginning of `octets`, and says how long it is with its empty line, if it is
    /// [plain](plain::read).
    #[inline]
    pub(super) fn read(&mut self, place: HeadPlace, octets: &[u8]) -> Option<(Parsed, usize)> {
        if self.ahead.is_some()
            && let Some(Ahead { parsed, len, .. }) = self.ahead.take().filter(|ahead| ahead.place == place && ahead.len <= octets.len())
        {
            // What stands at an offset of a stream stays there.
            debug_assert!(octets.starts_with(parsed.head.raw()));
            return Some((parsed, len));
        }
        // Several share one where there are many.
        plain::read(place.role, octets, &mut self.last[place.role as usize][place.connection as usize % SENDERS])
    }

    /// What was read is to be read once more: nothing has been taken.
    pub(super) fn give_back(&mut self, place: HeadPlace, parsed: Parsed, len: usize) {
        self.ahead = Some(Ahead { place, parsed, len });
    }
}

/// The field lines of a head.
#[derive(Debug, Default)]
pub(super) struct LastHead {
    /// As they were sent, with their ends.
    octets: Vec<u8>,
    lines: Vec<Remembered>,
    /// Which of them is looked at next, and where it begins.
    next: usize,
    at: usize,
    /// Whether all lines have come again so far, in their order.
    is_same: bool,
    /// Lines of the head that is being read, where they have not.
    fresh: Vec<Remembered>,
}

/// What a field line says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Octets, with its end.
    pub(super) len: u32,
    pub(super) name_len: u32,
    /// From its first octet on.
    pub(super) value: Span,
    pub(super) tag: FieldTag,
}

/// The same of a line that is remembered; each is short.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    len: u16,
    name_len: u16,
    value: (u16, u16),
    tag: FieldTag,
}

impl LastHead {
    /// Begins with the first line of another head.
    pub(super) fn begin(&mut self) {
        (self.next, self.at, self.is_same) = (0, 0, true);
    }

    /// The next line, if it is the same as before.
    #[inline]
    pub(super) fn same(&mut self, octets: &[u8]) -> Option<Line> {
        let line = *self.lines.get(self.next)?;
        let end = self.at + usize::from(line.len);
        if !octets.starts_with(self.octets.get(self.at..end)?) {
            return None;
        }
        (self.next, self.at) = (self.next + 1, end);
        if !self.is_same {
            self.fresh.push(line);
        }
        let value = (line.value.0.into(), line.value.1.into());
        Some(Line { len: line.len.into(), name_len: line.name_len.into(), value, tag: line.tag })
    }

    /// Notes the next line, of that name, which is not.
    pub(super) fn note_other(&mut self, Line { len, name_len, value, tag }: Line, name: &[u8]) {
        if self.is_same {
            self.is_same = false;
            self.fresh.clear();
            self.fresh.extend_from_slice(&self.lines[..self.next]);
        }
        // Where any does not fit, the head is too long to be kept.
        let value = (value.0 as u16, value.1 as u16);
        self.fresh.push(Remembered { len: len as u16, name_len: name_len as u16, value, tag });
        // What follows is likely to follow a line of that name.
        let mut at = self.at;
        for (ahead, line) in self.lines.iter().skip(self.next).take(LOOK_AHEAD).enumerate() {
            let is_of_name = usize::from(line.name_len) == name.len() && self.octets.get(at..).is_some_and(|line| line.starts_with(name));
            at += usize::from(line.len);
            if is_of_name {
                (self.next, self.at) = (self.next + ahead + 1, at);
                return;
            }
        }
    }

    /// Remembers the lines that were read, of which these are the octets, instead of those before.
    pub(super) fn keep(&mut self, octets: &[u8]) {
        if self.is_same {
            self.lines.truncate(self.next);
            self.octets.truncate(self.at);
        } else if octets.len() <= LONGEST {
            self.octets.clear();
            self.octets.extend_from_slice(octets);
            std::mem::swap(&mut self.lines, &mut self.fresh);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    fn place(role: Role, connection: u64, start: u64) -> HeadPlace {
        HeadPlace { role, connection, start }
    }

    #[test]
    fn a_head_that_was_not_taken_is_there_for_whoever_sent_it() {
        let mut heads = LastHeads::default();
        let own = place(Role::Request, 3, 70);
        let given_back = |heads: &mut LastHeads| {
            let (parsed, len) = heads.read(own, HEAD).expect("a plain head");
            heads.give_back(own, parsed, len);
        };
        given_back(&mut heads);
        // Octets behind the head are not looked at again.
        assert_eq!(heads.read(own, HEAD).map(|(_, len)| len), Some(HEAD.len()));
        for other in [place(Role::Response, 3, 70), place(Role::Request, 4, 70), place(Role::Request, 3, 71)] {
            given_back(&mut heads);
            assert!(heads.read(other, b"no head").is_none(), "{other:?}");
            assert!(heads.ahead.is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_head_that_is_too_long_or_not_plain_leaves_what_was_remembered() {
        let mut heads = LastHeads::default();
        let (own, slot) = (place(Role::Request, 3, 0), 3 % SENDERS);
        let remembered = |heads: &LastHeads| heads.last[0][slot].octets.clone();
        heads.read(own, HEAD).expect("a plain head");
        assert_eq!(remembered(&heads), b"Host: a\r\n");
        let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(LONGEST));
        assert!(heads.read(own, long.as_bytes()).is_some());
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(48));
        assert!(heads.read(own, many.as_bytes()).is_none());
        assert_eq!(remembered(&heads), b"Host: a\r\n");
        let (parsed, _) = heads.read(own, HEAD).expect("a plain head");
        assert_eq!(parsed.head.field("host"), Some(&b"a"[..]));
    }
}
