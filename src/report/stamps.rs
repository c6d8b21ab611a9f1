//! The frames of a row: their numbers and the time of the first. Most come soon behind those of the row before, so that most of
//! their digits are known.

use super::clock::Clock;
use super::line::{Line, octets, put_key};
use crate::stream::Frame;

/// Writes frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps {
    clock: Clock,
    thousand: Thousand,
}

impl Stamps {
    /// Appends the members for a first and a last frame. Frame number 0 is none: nothing was captured.
    #[inline(always)]
    pub(super) fn put(&mut self, line: &mut Line<'_>, first: Frame, last: Frame) {
        if first.number == 0 || last.number == 0 {
            return line.with(|line| self.put_unknown(line, first, last));
        }
        put_key!(line, "first_frame");
        self.thousand.put(line, first.number);
        put_key!(line, "last_frame");
        self.thousand.put(line, last.number);
        line.put(octets!(r#","time":""#));
        self.clock.put(line, first.time);
        line.put(b"\"");
    }

    #[cold]
    fn put_unknown(&mut self, mut line: Line<'_>, first: Frame, last: Frame) -> usize {
        let known = |frame: Frame| (frame.number > 0).then_some(frame.number);
        put_key!(line, "first_frame");
        line.optional_number(known(first));
        put_key!(line, "last_frame");
        line.optional_number(known(last));
        put_key!(line, "time");
        match known(first) {
            None => line.put(b"null"),
            Some(_) => {
                line.put(b"\"");
                self.clock.put(&mut line, first.time);
                line.put(b"\"");
            }
        }
        line.at()
    }
}

/// The digits of a number but for the last three.
#[derive(Clone, Debug, Default)]
struct Thousand {
    /// The lowest number that begins with them; 0 where none is known.
    first: u64,
    digits: [u8; 16],
    len: u8,
}

impl Thousand {
    #[inline(always)]
    fn put(&mut self, line: &mut Line<'_>, number: u64) {
        // Numbers below 1000 have no others before them.
        if self.first == 0 || number.wrapping_sub(self.first) >= 1000 {
            return line.with(|line| self.put_other(line, number));
        }
        // Fits: below 1000.
        line.put_some(&self.digits, self.len);
        line.padded((number - self.first) as u32);
    }

    #[cold]
    fn put_other(&mut self, mut line: Line<'_>, number: u64) -> usize {
        let text = (number / 1000).to_string();
        if number >= 1000 && text.len() <= self.digits.len() {
            *self = Self { first: number / 1000 * 1000, digits: [b'0'; 16], len: text.len() as u8 };
            self.digits[..text.len()].copy_from_slice(text.as_bytes());
        }
        line.number(number);
        line.at()
    }
}
