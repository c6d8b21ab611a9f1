//! Coded HTTP contents that came before, and what they came to. Who polls gets the same answer again and again, and to decode it
//! takes longer than all else that is done with it.

/// Sets of contents, and contents of a set: 512 are remembered.
const SETS: usize = 128;
const WAYS: usize = 4;

/// A longer content is neither held nor remembered, in octets.
const LONGEST: usize = 8 << 10;

/// Whether a content under such codings may be held, of that length if it is known.
pub(super) fn may_hold(codings: &[u8], len: Option<u64>) -> bool {
    codings.len() as u64 + len.unwrap_or(0) <= LONGEST as u64
}

/// What a content came to when it was decoded without fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its length in octets.
    pub(super) bytes: u64,
    /// The hash of its octets.
    pub(super) identity: u64,
}

/// A content as it was sent: it is held until all of it has come.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The value of Content-Encoding, and the encoded octets behind it.
    octets: Vec<u8>,
    codings_len: usize,
}

impl Held {
    /// Begins one instead of that before.
    pub(super) fn begin(&mut self, codings: &[u8]) {
        self.octets.clear();
        self.octets.extend_from_slice(codings);
        self.codings_len = codings.len();
    }

    /// Takes more of it; `false` where it gets too long to be held.
    pub(super) fn take(&mut self, encoded: &[u8]) -> bool {
        let fits = self.octets.len() + encoded.len() <= LONGEST;
        if fits {
            self.octets.extend_from_slice(encoded);
        }
        fits
    }

    /// Its Content-Encoding, and its octets.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        self.octets.split_at(self.codings_len)
    }

    /// What it takes, in octets.
    pub(super) fn memory(&self) -> usize {
        self.octets.len()
    }
}

/// The contents seen last, in each set the last one first.
#[derive(Debug)]
pub(crate) struct Seen {
    sets: Box<[[Option<Box<Entry>>; WAYS]; SETS]>,
}

#[derive(Debug)]
struct Entry {
    content: Held,
    known: Known,
}

impl Default for Seen {
    fn default() -> Self {
        Self { sets: Box::new([const { [const { None }; WAYS] }; SETS]) }
    }
}

impl Seen {
    /// What such a content came to, when it came before.
    pub(super) fn get(&mut self, codings: &[u8], encoded: &[u8]) -> Option<Known> {
        let set = &mut self.sets[set_of(encoded)];
        let is_same = |entry: &Entry| entry.content.parts() == (codings, encoded);
        let way = set.iter().position(|entry| entry.as_deref().is_some_and(is_same))?;
        set[..=way].rotate_right(1);
        set[0].as_ref().map(|entry| entry.known)
    }

    /// Remembers what a content came to, instead of the one of its set that was not asked for the longest.
    pub(super) fn insert(&mut self, codings: &[u8], encoded: &[u8], known: Known) {
        let set = &mut self.sets[set_of(encoded)];
        set.rotate_right(1);
        let entry = set[0].get_or_insert_with(|| Box::new(Entry { content: Held::default(), known }));
        entry.content.octets.reserve_exact(codings.len() + encoded.len());
        entry.content.begin(codings);
        // Fits: it was held.
        entry.content.take(encoded);
        entry.known = known;
    }
}

/// Which set a content belongs to: by its length and its last octets, which are a checksum where gzip or zlib ends it.
fn set_of(encoded: &[u8]) -> usize {
    let last = encoded.last_chunk().map_or(0, |last| u64::from_le_bytes(*last));
    let mixed = (last ^ encoded.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 57) as usize % SETS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(bytes: u64) -> Known {
        Known { bytes, identity: bytes + 1 }
    }

    #[test]
    fn the_same_octets_under_the_same_codings_are_known() {
        let mut seen = Seen::default();
        seen.insert(b"gzip", b"octets that were encoded", known(7));
        seen.insert(b"br", b"few", known(8));
        assert_eq!(seen.get(b"gzip", b"octets that were encoded"), Some(known(7)));
        assert_eq!(seen.get(b"br", b"few"), Some(known(8)));
        for (codings, encoded) in [
            (&b"br"[..], &b"octets that were encoded"[..]),
            (b"gzip", b"Octets that were encoded"),
            (b"gzip", b"octets that were encodeD"),
            (b"gzip", b"octets that were encode"),
            (b"gzi", b"poctets that were encoded"),
            (b"gzipo", b"ctets that were encoded"),
            (b"br", b""),
        ] {
            assert_eq!(seen.get(codings, encoded), None, "{}", encoded.escape_ascii());
        }
    }

    #[test]
    fn contents_asked_for_stay_and_others_make_room() {
        let mut seen = Seen::default();
        let content = |n: u64| [&n.to_le_bytes()[..], b"the same end"].concat();
        for n in 0..100 {
            seen.insert(b"gzip", &content(n), known(n));
            assert_eq!(seen.get(b"gzip", &content(0)), Some(known(0)), "behind {n} others");
        }
        let left = (0..100).filter(|&n| seen.get(b"gzip", &content(n)).is_some()).count();
        assert_eq!(left, WAYS);
    }

    #[test]
    fn a_content_is_held_until_it_gets_too_long() {
        let mut held = Held::default();
        held.begin(b"br");
        assert!(held.take(b"some") && held.take(b"more"));
        assert_eq!(held.parts(), (&b"br"[..], &b"somemore"[..]));
        assert!(!held.take(&[0; LONGEST]));
        assert_eq!((held.parts().1, held.memory()), (&b"somemore"[..], 10));
        held.begin(b"gzip");
        assert_eq!(held.parts(), (&b"gzip"[..], &b""[..]));
        assert!(may_hold(b"br", None) && may_hold(b"br", Some(LONGEST as u64 - 2)));
        assert!(!may_hold(b"br", Some(LONGEST as u64 - 1)) && !may_hold(&[b','; LONGEST + 1], None));
    }
}
