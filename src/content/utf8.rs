//! UTF-8 (RFC 3629) of text that comes in pieces.

/// Checks text that comes in pieces; a character may be cut between two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Utf8 {
    /// Octets of a character that the last piece left unfinished.
    cut: [u8; 3],
    cut_len: u8,
    invalid: bool,
}

impl Utf8 {
    /// Checks the next piece.
    #[inline]
    pub(crate) fn feed(&mut self, mut text: &[u8]) {
        if self.invalid {
            return;
        }
        if self.cut_len > 0 {
            text = self.complete(text);
        }
        let (whole, cut) = text.split_at(text.len() - unfinished(text));
        self.invalid |= simdutf8::basic::from_utf8(whole).is_err();
        if !cut.is_empty() {
            self.cut[..cut.len()].copy_from_slice(cut);
            self.cut_len = cut.len() as u8;
        }
    }

    /// Whether what was fed cannot be UTF-8, whatever follows.
    #[inline]
    pub(crate) fn is_invalid(&self) -> bool {
        self.invalid
    }

    /// Whether all that was fed is UTF-8 and ends with a whole character.
    #[inline]
    pub(crate) fn is_valid(&self) -> bool {
        !self.invalid && self.cut_len == 0
    }

    /// Finishes the cut character with the front of `text` and returns the rest of it.
    #[cold]
    fn complete<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
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
            self.invalid |= std::str::from_utf8(character).is_err();
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
        pieces.into_iter().for_each(|piece| utf8.feed(piece));
        utf8.is_valid()
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
