//! Heads of all connections, as their readers come to them.

use super::head::{Parsed, Role};
use super::layout::Layouts;
use super::plain;

/// What is remembered between heads.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    layouts: Layouts,
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

impl Heads {
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
        plain::read(place.role, octets, Some(&mut self.layouts))
    }

    /// What was read is to be read once more: nothing has been taken.
    pub(super) fn give_back(&mut self, place: HeadPlace, parsed: Parsed, len: usize) {
        self.ahead = Some(Ahead { place, parsed, len });
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
        let mut heads = Heads::default();
        let own = place(Role::Request, 3, 70);
        let given_back = |heads: &mut Heads| {
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
}
