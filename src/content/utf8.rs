//! UTF-8 (RFC 3629) of text that comes in pieces.

use crate::message::TextState;

/// Octets that are looked at together; the compiler widens it further.
const LANE: usize = 8;

/// Checks text that comes in pieces; a character may be cut between two.
///
/// Takes five octets: it moves with every message under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Utf8 {
    /// Octets of a character that the last piece left unfinished; when `is_invalid`, the offset from the beginning at which what is
    /// no character begins, in big-endian order, or all ones from there on.
    cut: [u8; 3],
    cut_len: u8,
    is_invalid: bool,
}

impl Utf8 {
    /// Checks the next piece, which has so many octets of the text before it.
    #[inline]
    pub(crate) fn feed(&mut self, mut text: &[u8], before: u64) {
        if self.is_invalid {
            return;
        }
        let behind = before + text.len() as u64;
        if self.cut_len > 0 {
            text = self.complete(text, before);
        }
        let (whole, cut) = text.split_at(text.len() - unfinished(text));
        if simdutf8::basic::from_utf8(whole).is_err() {
            self.find_invalid(whole, behind - text.len() as u64);
        }
        if !cut.is_empty() && !self.is_invalid {
            self.cut[..cut.len()].copy_from_slice(cut);
            self.cut_len = cut.len() as u8;
        }
    }

    /// Whether what was fed cannot be UTF-8, whatever follows.
    #[inline]
    pub(crate) fn is_invalid(&self) -> bool {
        self.is_invalid
    }

    /// How far the text is UTF-8.
    pub(crate) fn state(&self) -> TextState {
        match (self.is_invalid, self.cut_len) {
            (true, _) => TextState::Invalid(self.invalid_at()),
            (false, 0) => TextState::Whole,
            (false, cut_len) => TextState::Cut(cut_len),
        }
    }

    /// Whether all that was fed is UTF-8 and ends with a whole character.
    #[inline]
    pub(crate) fn is_valid(&self) -> bool {
        !self.is_invalid && self.cut_len == 0
    }

    #[cold]
    fn find_invalid(&mut self, text: &[u8], before: u64) {
        // A character that was cut before is at fault first.
        if !self.is_invalid
            && let Err(error) = std::str::from_utf8(text)
        {
            let at = u32::try_from(before + error.valid_up_to() as u64).unwrap_or(u32::MAX);
            let [first, second, third, fourth] = at.to_be_bytes();
            (self.cut, self.cut_len, self.is_invalid) = ([first, second, third], fourth, true);
        }
    }

    /// `None` behind 4 GiB.
    fn invalid_at(&self) -> Option<u64> {
        let [first, second, third] = self.cut;
        let at = u32::from_be_bytes([first, second, third, self.cut_len]);
        (at < u32::MAX).then_some(at.into())
    }

    /// Finishes the cut character with the front of `text` and returns the rest of it.
    #[cold]
    fn complete<'a>(&mut self, text: &'a [u8], before: u64) -> &'a [u8] {
        let had = usize::from(self.cut_len);
        let wanted = sequence_len(self.cut[0]);
        let (taken, rest) = text.split_at(text.len().min(wanted - had));
        let mut character = [0; 4];
        character[..had].copy_from_slice(&self.cut[..had]);
        character[had..had + taken.len()].copy_from_slice(taken);
        let character = &character[..had + taken.len()];
        if character.len() < wanted && taken.iter().all(|octet| (0x80..0xc0).contains(octet)) {
            self.cut[..character.len()].copy_from_slice(character);
            self.cut_len = character.len() as u8;
        } else {
            self.cut_len = 0;
            self.find_invalid(character, before - had as u64);
        }
        rest
    }
}

/// Whether all octets are ASCII, as those of most text are: `masked` ones under a key (RFC 6455 §5.3), octet i of them under octet
/// i mod 4 of it.
#[inline]
pub(crate) fn is_ascii(masked: &[u8], key: [u8; 4]) -> bool {
    let Some(last) = masked.last_chunk::<LANE>() else {
        return masked.iter().zip(key.into_iter().cycle()).all(|(octet, key)| (octet ^ key).is_ascii());
    };
    let twice = |key: u32| u64::from(key) << 32 | u64::from(key);
    let key = u32::from_le_bytes(key);
    // The last ones, wherever in the key they begin; some of them are seen once more.
    let mut seen = u64::from_le_bytes(*last) ^ twice(key.rotate_right(8 * (masked.len() % 4) as u32));
    for octets in masked.as_chunks::<LANE>().0 {
        seen |= u64::from_le_bytes(*octets) ^ twice(key);
    }
    seen & u64::from_le_bytes([0x80; LANE]) == 0
}

/// Octets at the end, 0–3, that may be the beginning of a character whose rest is still to come.
#[inline]
fn unfinished(text: &[u8]) -> usize {
    if text.last().is_none_or(u8::is_ascii) {
        return 0;
    }
    (1..=text.len().min(3)).find(|&back| sequence_len(text[text.len() - back]) > back).unwrap_or(0)
}

/// Octets of the character that an octet begins; 1 for those that begin none.
fn sequence_len(lead: u8) -> usize {
    match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let mut utf8 = Utf8::default();
        feed(&mut utf8, pieces);
        utf8.is_valid()
    }

    fn feed<'a>(utf8: &mut Utf8, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let mut before = 0;
        for piece in pieces {
            utf8.feed(piece, before);
            before += piece.len() as u64;
        }
    }

    #[test]
    fn what_is_no_character_is_found_however_the_text_is_cut() {
        let text = b"a\xc3\xa4\xe2\x82(b\xff";
        for size in 1..=text.len() {
            let mut utf8 = Utf8::default();
            feed(&mut utf8, text.chunks(size));
            assert_eq!(utf8.state(), TextState::Invalid(Some(3)), "in pieces of {size}");
        }
        let mut utf8 = Utf8::default();
        feed(&mut utf8, [&b"ab\xf0\x9f"[..], b"\x98"]);
        assert_eq!(utf8.state(), TextState::Cut(3));
        feed(&mut utf8, [&b""[..]]);
        assert!(!utf8.is_valid() && !utf8.is_invalid());
    }

    #[test]
    fn ascii_is_told_from_all_other_octets_under_any_mask() {
        for key in [[0; 4], [0x37, 0xfa, 0x21, 0x3d]] {
            for len in 0..70 {
                let mut masked: Vec<u8> = (0..len).map(|i| b'a' ^ key[i % 4]).collect();
                assert!(is_ascii(&masked, key), "{len} octets");
                for at in 0..len {
                    masked[at] ^= 0x80;
                    assert!(!is_ascii(&masked, key), "octet {at} of {len}");
                    masked[at] ^= 0x80;
                }
            }
        }
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let text = "aé€😀ä".as_bytes();
        for cut in 0..=text.len() {
            assert!(checked([&text[..cut], &text[cut..]]), "cut at {cut}");
        }
        assert!(checked(text.chunks(1)));
    }

    #[test]
    fn cut_text_says_what_whole_text_says() {
        let bad: [&[u8]; 8] = [b"\xff", b"a\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"];
        for text in bad {
            assert!(!checked([text]), "{text:x?}");
            assert!(!checked(text.chunks(1)), "{text:x?}");
            assert!(!checked([text, b"abc"]), "{text:x?}");
        }
    }
}
