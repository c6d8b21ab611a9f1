//! UTF-8 validity of a text that comes in pieces (RFC 3629; RFC 6455 §8.1).

/// Checks pieces of a text; characters may be cut between them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character whose rest has not come.
    cut: [u8; 4],
    cut_len: usize,
    invalid: bool,
}

impl Utf8 {
    /// Takes a piece.
    #[inline]
    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        while self.cut_len > 0 && !self.invalid {
            let Some((&first, rest)) = piece.split_first() else { return };
            piece = rest;
            self.complete(first);
        }
        if !self.invalid && simdutf8::basic::from_utf8(piece).is_err() {
            self.keep_cut(piece);
        }
    }

    /// Whether the whole text was valid.
    pub(super) fn is_valid(&self) -> bool {
        !self.invalid && self.cut_len == 0
    }

    fn complete(&mut self, octet: u8) {
        self.cut[self.cut_len] = octet;
        self.cut_len += 1;
        match str::from_utf8(&self.cut[..self.cut_len]) {
            Ok(_) => self.cut_len = 0,
            Err(error) => self.invalid = error.error_len().is_some(),
        }
    }

    /// A piece is invalid, or ends within a character.
    #[cold]
    fn keep_cut(&mut self, piece: &[u8]) {
        let Err(error) = str::from_utf8(piece) else { return };
        let cut = &piece[error.valid_up_to()..];
        // A cut character has at most three octets.
        self.invalid = error.error_len().is_some() || cut.len() > 3;
        if !self.invalid {
            self.cut[..cut.len()].copy_from_slice(cut);
            self.cut_len = cut.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid(pieces: &[&[u8]]) -> bool {
        let mut utf8 = Utf8::default();
        pieces.iter().for_each(|piece| utf8.feed(piece));
        utf8.is_valid()
    }

    #[test]
    fn valid_text_is_valid_wherever_it_is_cut() {
        let text = "aé€😀z".as_bytes();
        for cut in 0..=text.len() {
            let (left, right) = text.split_at(cut);
            assert!(is_valid(&[left, right]), "cut at {cut}");
        }
        assert!(is_valid(&text.chunks(1).collect::<Vec<_>>()));
    }

    #[test]
    fn invalid_text_is_invalid_wherever_it_is_cut() {
        for text in [&b"a\xffb"[..], b"\xc3(", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"cut \xe2\x82"] {
            for cut in 0..=text.len() {
                let (left, right) = text.split_at(cut);
                assert!(!is_valid(&[left, right]), "{text:?} cut at {cut}");
            }
        }
    }
}
