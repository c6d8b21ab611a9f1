//! The part of a row that every message has, written at a fixed place: no capacity to check, no call to copy a few digits.

/// Octets a line may take: the longest, some 480 octets of keys and names and 18 numbers of 20 digits, takes 840.
const LEN: usize = 1024;

/// The beginning of a line being written.
#[derive(Clone, Debug)]
pub(super) struct Line {
    octets: [u8; LEN],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { octets: [0; LEN], len: 0 }
    }
}

/// `000` to `999`, the first digit in the lowest octet.
static DIGITS: [u32; 1000] = {
    let mut digits = [0; 1000];
    let mut number = 0;
    while number < 1000 {
        digits[number] = u32::from_le_bytes([b'0' + (number / 100) as u8, b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8, 0]);
        number += 1;
    }
    digits
};

impl Line {
    /// Appends octets of ours; their number is known to the compiler, so that this is a few moves.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, octets: &[u8; N]) {
        let place = self.octets.get_mut(self.len..).and_then(|rest| rest.first_chunk_mut());
        *place.expect("no line is longer than its place") = *octets;
        self.len += N;
    }

    /// Appends an integer.
    #[inline]
    pub(super) fn number(&mut self, value: u64) {
        if value >= 1000 {
            return self.large_number(value);
        }
        let len = 1 + usize::from(value >= 10) + usize::from(value >= 100);
        self.put(&(DIGITS[value as usize] >> (8 * (3 - len))).to_le_bytes());
        self.len -= 4 - len;
    }

    fn large_number(&mut self, value: u64) {
        self.number(value / 1000);
        self.put(&DIGITS[(value % 1000) as usize].to_le_bytes());
        self.len -= 1;
    }

    /// Appends an integer, or `null`.
    #[inline]
    pub(super) fn optional_number(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.number(value),
            None => self.put(b"null"),
        }
    }

    /// Appends `true` or `false`.
    #[inline]
    pub(super) fn boolean(&mut self, value: bool) {
        match value {
            true => self.put(b"true"),
            false => self.put(b"false"),
        }
    }

    /// Appends a name of ours.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        self.octets[self.len..self.len + name.len()].copy_from_slice(name.as_bytes());
        self.len += name.len();
    }

    /// Moves what was written to the end of `out`.
    #[inline]
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.octets[..self.len]);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: u64) -> String {
        let (mut line, mut out) = (Line::default(), Vec::new());
        line.number(value);
        line.append_to(&mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn numbers_at_the_edges() {
        for power in 0..=19 {
            let edge = 10u64.pow(power);
            assert_eq!([edge - 1, edge, edge + 1].map(written), [edge - 1, edge, edge + 1].map(|value| value.to_string()));
        }
        assert_eq!(written(u64::MAX), u64::MAX.to_string());
    }

    proptest! {
        #[test]
        fn any_number(value: u64, shift in 0u32..64) {
            prop_assert_eq!(written(value >> shift), (value >> shift).to_string());
        }
    }
}
