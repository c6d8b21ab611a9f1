//! Lines being written: a room of fixed size and the place in it, so that no capacity has to be checked, and a few digits take no
//! call to be copied.

mod address;
mod fixed;
mod number;
mod text;

pub(super) use fixed::{Fixed, Padded, field, padded, padded_len, put_key};
pub(super) use number::{Short, eight_digits, seconds, short_decimal};

use std::net::SocketAddr;

use super::digits::{DOTTED, PADDED, SHORT};

/// Octets of lines that are gathered, and as many again for the one being written: all parts of a row whose length has a bound, and
/// texts of at most [`TEXT`], take less. (A power of two.)
const LEN: usize = 128 << 10;

/// Octets that are put at a time, at most.
const MOST: usize = TEXT + 64;

/// Octets that are moved without a call: compilers make one of 128 and more.
const MOVED: usize = 96;

/// Octets of the longest text that is put into a line; longer ones pass it by.
const TEXT: usize = 512;

/// Where lines are gathered.
#[derive(Clone, Debug)]
pub(super) struct Room {
    octets: Box<[u8; LEN + MOST]>,
    /// At most [`LEN`].
    len: usize,
}

impl Default for Room {
    fn default() -> Self {
        let octets = vec![0; LEN + MOST].into_boxed_slice();
        Self { octets: octets.try_into().expect("as many as were asked for"), len: 0 }
    }
}

impl Room {
    /// A further line; [`end`](Self::end) keeps it.
    #[inline]
    pub(super) fn line(&mut self, out: &mut Vec<u8>) -> Line<'_> {
        if self.len > LEN / 2 {
            self.append_to(out);
        }
        Line { octets: &mut self.octets, at: self.len }
    }

    /// Keeps what was written up to that place. A line is far shorter than the room that is left: its texts and lists are bounded.
    #[inline]
    pub(super) fn end(&mut self, at: usize) {
        self.len = at;
    }

    /// What is gathered.
    #[inline]
    pub(super) fn gathered(&self) -> &[u8] {
        assert!(self.len <= LEN, "no line is longer than its room");
        &self.octets[..self.len]
    }

    /// Forgets what was gathered.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Moves what is gathered to the end of `out`.
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.gathered());
        self.clear();
    }
}

/// A line being written. Its place stays in a register: it is handed to functions that are called by value, and comes back as their
/// result.
#[derive(Debug)]
pub(super) struct Line<'a> {
    octets: &'a mut [u8; LEN + MOST],
    /// Below [`LEN`], since a line is far shorter than the room that is left for it.
    at: usize,
}

impl<'a> Line<'a> {
    /// The line for a function that writes some of it.
    #[inline(always)]
    fn lend(&mut self) -> Line<'_> {
        Line { octets: self.octets, at: self.at }
    }

    /// Lends the line to a function that writes some of it, and says where it ended.
    #[inline(always)]
    pub(super) fn with(&mut self, write: impl FnOnce(Line<'_>) -> usize) {
        self.at = write(self.lend());
    }

    /// The place behind what was written.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was written since the line was at a place; `None` where that is too long.
    pub(super) fn since<const N: usize>(&self, begin: usize) -> Option<Fixed<N>> {
        let (written, len) = (self.octets.get(begin..self.at)?, self.at - begin);
        let mut octets = [b' '; N];
        octets.get_mut(..len)?.copy_from_slice(written);
        Some(Fixed { octets, len: u8::try_from(len).ok()? })
    }

    /// A window to write to, so that no bound has to be checked: the remainder changes nothing.
    #[inline(always)]
    fn window<const N: usize>(&mut self) -> &mut [u8; N] {
        const { assert!(N <= MOST, "there is room for them at any place") };
        debug_assert!(self.at < LEN, "no line is longer than its room");
        let place = self.at % LEN;
        self.at = place;
        (&mut self.octets[place..place + N]).try_into().expect("as long as it is")
    }

    /// Appends octets of ours; their number is known to the compiler, so that this is a few moves.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, octets: &[u8; N]) {
        *self.window::<N>() = *octets;
        self.at += N;
    }

    /// Appends a text of ours.
    #[inline(always)]
    pub(super) fn fixed<const N: usize>(&mut self, text: &Fixed<N>) {
        self.put_some(&text.octets, text.len);
    }

    /// Appends the first octets of some.
    #[inline(always)]
    pub(super) fn put_some<const N: usize>(&mut self, octets: &[u8; N], len: u8) {
        // In pieces that are moved in registers: more would take a call.
        let window = self.window::<N>();
        for (to, from) in window.chunks_mut(MOVED).zip(octets.chunks(MOVED)) {
            to.copy_from_slice(from);
        }
        self.at += usize::from(len);
    }

    /// Appends a text of ours.
    #[inline(always)]
    pub(super) fn padded<const TEXT_LEN: usize, const N: usize>(&mut self, text: &Padded<TEXT_LEN, N>) {
        *self.window() = text.0;
        self.at += TEXT_LEN;
    }

    /// Appends a text of ours, and an integer.
    #[inline(always)]
    pub(super) fn field<const TEXT_LEN: usize, const N: usize>(&mut self, text: &Padded<TEXT_LEN, N>, value: u64) {
        let window = self.window::<MOST>();
        store(window, 0, text.0);
        match SHORT.get(usize::try_from(value).unwrap_or(usize::MAX)) {
            Some(&digits) => {
                store(window, TEXT_LEN, digits.to_le_bytes());
                self.at += TEXT_LEN + (digits >> 24) as usize;
            }
            None => {
                self.at += TEXT_LEN;
                self.at = number::large_number(self.lend(), value);
            }
        }
    }

    /// Appends a name of ours.
    #[inline]
    pub(super) fn name(&mut self, name: &str) {
        self.window::<MOST>()[..name.len()].copy_from_slice(name.as_bytes());
        self.at += name.len();
    }

    /// Appends an integer.
    #[inline(always)]
    pub(super) fn number(&mut self, value: u64) {
        match SHORT.get(usize::try_from(value).unwrap_or(usize::MAX)) {
            Some(&digits) => self.digits(digits),
            None => self.at = number::large_number(self.lend(), value),
        }
    }

    /// Appends as many digits as the highest octet says.
    #[inline(always)]
    fn digits(&mut self, digits: u32) {
        *self.window() = digits.to_le_bytes();
        self.at += (digits >> 24) as usize;
    }

    /// Appends a text of ours, and what [`eight_digits`] found.
    #[inline(always)]
    pub(super) fn eight_digits<const TEXT_LEN: usize, const N: usize>(&mut self, text: &Padded<TEXT_LEN, N>, (digits, len): (u64, usize)) {
        let window = self.window::<MOST>();
        store(window, 0, text.0);
        store(window, TEXT_LEN, digits.to_le_bytes());
        self.at += TEXT_LEN + len;
    }

    /// Appends a time: its text as far as the second, three digits of each group of its fraction, and its end.
    #[inline(always)]
    pub(super) fn time(&mut self, second: &[u8; 32], second_len: usize, groups: [u32; 3]) {
        let window = self.window::<MOST>();
        store(window, 0, *second);
        for (at, group) in groups.into_iter().enumerate() {
            store(window, second_len + 3 * at, PADDED[group as usize].to_le_bytes());
        }
        store(window, second_len + 9, *b"Z\"");
        self.at += second_len + 11;
    }

    /// Appends an octet of an address, and a point.
    #[inline(always)]
    fn dotted(&mut self, octet: u8) {
        let dotted = DOTTED[usize::from(octet)];
        *self.window() = (dotted as u32).to_le_bytes();
        self.at += (dotted >> 32) as usize;
    }

    /// Appends an integer, or `null`.
    #[inline(always)]
    pub(super) fn optional_number(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.number(value),
            None => self.put(b"null"),
        }
    }

    /// Appends `true` or `false`.
    #[inline(always)]
    pub(super) fn boolean(&mut self, value: bool) {
        match value {
            true => self.put(b"true"),
            false => self.put(b"false"),
        }
    }

    /// Appends `true`, `false` or `null`.
    #[inline(always)]
    pub(super) fn optional_boolean(&mut self, value: Option<bool>) {
        match value {
            Some(value) => self.boolean(value),
            None => self.put(b"null"),
        }
    }

    /// Appends a number of seconds (or another small fraction) with at most nine decimals, as short as it goes.
    #[inline(always)]
    pub(super) fn decimal(&mut self, value: f64) {
        match short_decimal(value) {
            Some(text) => self.short(text),
            None => self.at = number::decimal(self.lend(), value),
        }
    }

    /// The same, or `null`.
    #[inline(always)]
    pub(super) fn optional_decimal(&mut self, value: Option<f64>) {
        match value {
            Some(value) => self.decimal(value),
            None => self.put(b"null"),
        }
    }

    /// Appends nanoseconds as seconds, as the fraction that they are would be.
    #[inline(always)]
    pub(super) fn nanoseconds(&mut self, ns: u64) {
        match ns {
            0..9_000_000_000 => self.short(seconds(ns)),
            _ => self.at = number::decimal(self.lend(), ns as f64 / 1e9),
        }
    }

    /// Appends a text of at most fifteen octets.
    #[inline(always)]
    pub(super) fn short(&mut self, Short(text): Short) {
        *self.window() = text.to_le_bytes();
        self.at += (text >> 120) as usize;
    }

    /// Appends an address and port as a string, as they display.
    #[inline(always)]
    pub(super) fn address(&mut self, address: SocketAddr) {
        self.at = address::address(self.lend(), address);
    }

    /// Appends octets of the network as a string; what is not UTF-8 is replaced by U+FFFD. Where that takes more than there is
    /// room for, all that is gathered and it go to the end of `out`.
    #[inline(always)]
    pub(super) fn text(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.at = text::text(self.lend(), octets, out);
    }

    /// The same, or `null`.
    #[inline(always)]
    pub(super) fn optional_text(&mut self, octets: Option<&[u8]>, out: &mut Vec<u8>) {
        match octets {
            Some(octets) => self.text(octets, out),
            None => self.put(b"null"),
        }
    }

    /// Moves all that is gathered to the end of `out`, for what is appended there.
    #[cold]
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>) {
        assert!(self.at <= LEN, "no line is longer than its room");
        out.extend_from_slice(&self.octets[..self.at]);
        self.at = 0;
    }
}

/// Overwrites octets of a window; their place is known to the compiler, and within it.
#[inline(always)]
fn store<const N: usize>(window: &mut [u8; MOST], at: usize, octets: [u8; N]) {
    if let Some(place) = window.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = octets;
    }
}

#[cfg(test)]
mod tests;
