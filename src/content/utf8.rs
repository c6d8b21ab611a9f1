//! UTF-8 (RFC 3629) of text that comes in pieces.

use crate::message::TextState;

/// Checks text that comes in pieces; a character may be cut between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utf8 {
    /// Where what is no character begins, in octets from the beginning; [`NOWHERE`] while all is well.
    invalid_at: u64,
    /// Octets of a character that the last piece left unfinished.
    cut: [u8; 3],
    cut_len: u8,
}

/// No text is that long.
const NOWHERE: u64 = u64::MAX;

impl Default for Utf8 {
    fn default() -> Self {
        Self { invalid_at: NOWHERE, cut: [0; 3], cut_len: 0 }
    }
}

impl Utf8 {
    /// Checks the next piece, which has so many octets of the text before it.
    #[inline]
    pub(crate) fn feed(&mut self, mut text: &[u8], before: u64) {
        if self.is_invalid() {
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
        if !cut.is_empty() {
            self.cut[..cut.len()].copy_from_slice(cut);
            self.cut_len = cut.len() as u8;
        }
    }

    /// Whether what was fed cannot be UTF-8, whatever follows.
    #[inline]
    pub(crate) fn is_invalid(&self) -> bool {
        self.invalid_at != NOWHERE
    }

    /// How far the text is UTF-8.
    #[inline]
    pub(crate) fn state(&self) -> TextState {
        match (self.invalid_at, self.cut_len) {
            (NOWHERE, 0) => TextState::Whole,
            (NOWHERE, cut_len) => TextState::Cut(cut_len),
            (invalid_at, _) => TextState::Invalid(invalid_at),
        }
    }

    /// Whether all that was fed is UTF-8 and ends with a whole character.
    #[inline]
    pub(crate) fn is_valid(&self) -> bool {
        !self.is_invalid() && self.cut_len == 0
    }

    #[cold]
    fn find_invalid(&mut self, text: &[u8], before: u64) {
        // A character that was cut before is at fault first.
        if !self.is_invalid()
            && let Err(error) = std::str::from_utf8(text)
        {
            self.invalid_at = before + error.valid_up_to() as u64;
        }
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
            self.find_invalid(character, before - had as u64);
            self.cut_len = 0;
        }
        rest
    }
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
            assert_eq!(utf8.state(), TextState::Invalid(3), "in pieces of {size}");
        }
        let mut utf8 = Utf8::default();
        feed(&mut utf8, [&b"ab\xf0\x9f"[..], b"\x98"]);
        assert_eq!(utf8.state(), TextState::Cut(3));
        feed(&mut utf8, [&b""[..]]);
        assert!(!utf8.is_valid() && !utf8.is_invalid());
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
