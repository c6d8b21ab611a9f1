//! Lines being written: a room of fixed size and the place in it, so that no capacity has to be checked, and a few digits take no
//! call to be copied.

use std::io::Write;
use std::net::SocketAddr;

use super::digits::{DOTTED, PADDED, SHORT};
use super::encode;

/// Octets of lines that are gathered, and as many again for the one being written: all parts of a row whose length has a bound, and
/// texts of at most [`TEXT`], take less. (A power of two.)
const LEN: usize = 128 << 10;

/// Octets that are put at a time, at most.
const MOST: usize = TEXT + 64;

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

/// A text of ours, its length known to the compiler, with as many spaces behind it as make it fewer moves.
macro_rules! padded {
    ($($text:expr),+) => {{
        const TEXT: &str = concat!($($text),+);
        static PADDED: Padded<{ TEXT.len() }, { padded_len(TEXT.len()) }> = Padded::of(TEXT);
        &PADDED
    }};
}

/// Appends a comma, a key, a colon and an integer.
macro_rules! field {
    ($line:expr, $key:literal, $value:expr) => {
        $line.field(padded!(",\"", $key, "\":"), $value)
    };
}

/// Appends a comma, a key and a colon.
macro_rules! put_key {
    ($line:expr, $key:literal) => {
        $line.padded(padded!(",\"", $key, "\":"))
    };
}

pub(super) use {field, padded, put_key};

/// A text of ours of `LEN` octets, with spaces behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Padded<const LEN: usize, const N: usize>([u8; N]);

impl<const LEN: usize, const N: usize> Padded<LEN, N> {
    pub(super) const fn of(text: &str) -> Self {
        let Fixed { octets, len } = Fixed::of(&[text]);
        assert!(len as usize == LEN, "it counts the octets of the text");
        Self(octets)
    }
}

/// Four octets and fewer take one move, as sixteen do.
pub(super) const fn padded_len(len: usize) -> usize {
    if len % 16 > 4 { len.next_multiple_of(16) } else { len }
}

/// A text of ours in a place of fixed size, so that it is put with a few moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed<const N: usize> {
    octets: [u8; N],
    len: u8,
}

impl<const N: usize> Default for Fixed<N> {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl<const N: usize> Fixed<N> {
    /// The parts one after the other.
    pub(super) const fn of(parts: &[&str]) -> Self {
        let (mut octets, mut len, mut part) = ([b' '; N], 0, 0);
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                octets[len] = parts[part].as_bytes()[at];
                len += 1;
                at += 1;
            }
            part += 1;
        }
        assert!(len < 256, "one octet counts them");
        Self { octets, len: len as u8 }
    }
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
        *self.window::<N>() = *octets;
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
                self.at = large_number(self.lend(), value);
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
            None => self.at = large_number(self.lend(), value),
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
            None => self.at = decimal(self.lend(), value),
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
            _ => self.at = decimal(self.lend(), ns as f64 / 1e9),
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
        self.at = write_address(self.lend(), address);
    }

    /// Appends octets of the network as a string; what is not UTF-8 is replaced by U+FFFD. Where that takes more than there is
    /// room for, all that is gathered and it go to the end of `out`.
    #[inline(always)]
    pub(super) fn text(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.at = text(self.lend(), octets, out);
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

/// The digits of a number of at most eight, the first in the lowest octet, and how many there are; `None` for 0 and what has more.
#[inline(always)]
pub(super) fn eight_digits(value: u64) -> Option<(u64, usize)> {
    let table = |table: &[u32; 1000], number: u32| u64::from(table[number as usize]);
    if value.wrapping_sub(1) >= 100_000_000 - 1 {
        return None;
    }
    // Fits: below 10⁸.
    let value = value as u32;
    let (digits, len) = if value < 1000 {
        let short = table(&SHORT, value);
        return Some((short, (short >> 24) as usize));
    } else if value < 1_000_000 {
        let short = table(&SHORT, value / 1000);
        (short & 0xff_ffff, (short >> 24) as usize)
    } else {
        let short = table(&SHORT, value / 1_000_000);
        let len = (short >> 24) as usize;
        // At most 99: their octets are two.
        (short & 0xffff | (table(&PADDED, value / 1000 % 1000) & 0xff_ffff) << (8 * len), len + 3)
    };
    // What is above its three digits is not among those that count.
    Some((digits | table(&PADDED, value % 1000) << (8 * len), len + 3))
}

/// Overwrites octets of a window; their place is known to the compiler, and within it.
#[inline(always)]
fn store<const N: usize>(window: &mut [u8; MOST], at: usize, octets: [u8; N]) {
    if let Some(place) = window.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = octets;
    }
}

#[inline(never)]
fn large_number(mut line: Line<'_>, value: u64) -> usize {
    match eight_digits(value) {
        Some((digits, len)) => {
            *line.window() = digits.to_le_bytes();
            line.at += len;
        }
        None if value == 0 => line.put(b"0"),
        None => {
            line.with(|line| large_number(line, value / 1_000_000));
            let below_million = (value % 1_000_000) as usize;
            line.put_some(&PADDED[below_million / 1000].to_le_bytes(), 3);
            line.put_some(&PADDED[below_million % 1000].to_le_bytes(), 3);
        }
    }
    line.at
}

/// Fifteen octets of text, the first in the lowest octet, and how many count in the highest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short(u128);

/// A number of seconds (or another small fraction) with at most nine decimals, as short as it goes; `None` from 4 on, and below 0.
#[inline(always)]
pub(super) fn short_decimal(value: f64) -> Option<Short> {
    let scaled = value * 1e9;
    // Rounded by the cast, which takes less than to 64 bits; `round` would be a call of a library.
    (0.0..4e9).contains(&scaled).then(|| seconds(((scaled + 0.5) as u32).into()))
}

/// Nanoseconds, less than ten seconds, as seconds, without zeros at the end.
#[inline(never)]
pub(super) fn seconds(ns: u64) -> Short {
    let (whole, fraction) = (ns / 1_000_000_000, (ns % 1_000_000_000) as u32);
    let below_million = fraction % 1_000_000;
    let group = |number: u32| u64::from(PADDED[number as usize]);
    let (milli, micro, nano) = (group(fraction / 1_000_000), group(below_million / 1000), group(below_million % 1000));
    // The highest octet of a group says how many digits there are without the zeros at the end.
    let digits = |group: u64| group & 0xff_ffff;
    let len = match (milli >> 24, micro >> 24, nano >> 24) {
        (0, 0, 0) => 1,
        (milli, 0, 0) => 2 + milli,
        (_, micro, 0) => 5 + micro,
        (_, _, nano) => 8 + nano,
    };
    let whole = u64::from(b'0') + (whole & 0xf);
    let lower = whole | u64::from(b'.') << 8 | digits(milli) << 16 | digits(micro) << 40;
    Short(u128::from(lower) | u128::from(digits(nano) | len << 56) << 64)
}

#[inline(never)]
fn decimal(mut line: Line<'_>, value: f64) -> usize {
    let scaled = value.abs() * 1e9;
    if scaled >= 1e18 || scaled.is_nan() {
        return unusual_decimal(line, value);
    }
    let billionths = (scaled + 0.5) as u64;
    if value.is_sign_negative() && billionths > 0 {
        line.put(b"-");
    }
    line.number(billionths / 1_000_000_000);
    let Short(fraction) = seconds(billionths % 1_000_000_000);
    // Without the 0 before the point.
    let len = (fraction >> 120) as u8 - 1;
    line.put_some(&(fraction >> 8).to_le_bytes(), len);
    line.at
}

/// Appends what takes more than 64 bits, or is no number.
#[cold]
fn unusual_decimal(mut line: Line<'_>, value: f64) -> usize {
    let mut text = Vec::new();
    encode::decimal(&mut text, value);
    let len = text.len();
    line.window::<MOST>()[..len].copy_from_slice(&text);
    line.at + len
}

#[inline(never)]
fn write_address(mut line: Line<'_>, address: SocketAddr) -> usize {
    let SocketAddr::V4(address) = address else { return long_address(line, address) };
    let begin = line.at;
    let [a, b, c, d] = address.ip().octets();
    line.put(b"\"");
    line.dotted(a);
    line.dotted(b);
    line.dotted(c);
    line.dotted(d);
    // Port 0 is none of those that are sent to, and has no digits here.
    let Some((port, len)) = eight_digits(address.port().into()) else {
        return long_address(Line { octets: line.octets, at: begin }, address.into());
    };
    // In the place of the last point.
    line.at -= 1;
    line.put(b":");
    line.put_some(&port.to_le_bytes(), len as u8);
    line.put(b"\"");
    line.at
}

#[inline(never)]
fn long_address(mut line: Line<'_>, address: SocketAddr) -> usize {
    line.put(b"\"");
    let mut rest = &mut line.window::<MOST>()[..];
    write!(rest, "{address}").expect("no address is longer than that");
    line.at += MOST - rest.len();
    line.put(b"\"");
    line.at
}

#[inline(never)]
fn text(mut line: Line<'_>, octets: &[u8], out: &mut Vec<u8>) -> usize {
    let len = octets.len();
    if len >= 16 {
        return long_text(line, octets, out);
    }
    let window = line.window::<18>();
    if !copy_few(octets, window) {
        return unusual_text(line, octets, out);
    }
    line.at + len + 2
}

/// Appends a text of sixteen octets or more.
#[inline(never)]
fn long_text(mut line: Line<'_>, octets: &[u8], out: &mut Vec<u8>) -> usize {
    let len = octets.len();
    let [quote, window @ ..] = line.window::<{ TEXT + 2 }>();
    if len > TEXT || !copy_sixteens(octets, window) {
        return unusual_text(line, octets, out);
    }
    *quote = b'"';
    window[len] = b'"';
    line.at + len + 2
}

/// Appends text that needs escapes, or more room than there is in a line.
#[cold]
#[inline(never)]
fn unusual_text(mut line: Line<'_>, octets: &[u8], out: &mut Vec<u8>) -> usize {
    line.append_to(out);
    encode::text(out, octets);
    line.at
}

/// Copies sixteen octets or more to the beginning of a window; whether they were all plain.
#[inline(always)]
fn copy_sixteens(octets: &[u8], window: &mut [u8; TEXT + 1]) -> bool {
    let (sixteens, rest) = octets.as_chunks::<16>();
    let (places, _) = window.as_chunks_mut::<16>();
    let mut odd = 0;
    for (from, to) in sixteens.iter().zip(places) {
        odd |= copy_sixteen(from, to);
    }
    // Once more at the end, those that are missing to sixteen there.
    if !rest.is_empty()
        && let Some(from) = octets.last_chunk()
        && let Some(to) = window.get_mut(..octets.len()).and_then(|window| window.last_chunk_mut())
    {
        odd |= copy_sixteen(from, to);
    }
    odd == 0
}

/// Copies less than sixteen octets to a window, between quotes; whether they were all plain.
#[inline(always)]
fn copy_few(octets: &[u8], window: &mut [u8; 18]) -> bool {
    let len = octets.len() & 15;
    window[0] = b'"';
    let odd = if let (Some(first), Some(last)) = (octets.first_chunk::<8>(), octets.last_chunk::<8>()) {
        *window[1..].first_chunk_mut().expect("longer") = *first;
        *window[1 + (len & 7)..].first_chunk_mut().expect("longer") = *last;
        odd_octets(u64::from_le_bytes(*first)) | odd_octets(u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (octets.first_chunk::<4>(), octets.last_chunk::<4>()) {
        *window[1..].first_chunk_mut().expect("longer") = *first;
        *window[1 + (len & 3)..].first_chunk_mut().expect("longer") = *last;
        odd_octets(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)))
    } else if let (&[first, ..], &[.., last]) = (octets, octets) {
        let middle = octets[octets.len() / 2];
        window[1] = first;
        window[1 + len / 2] = middle;
        window[len] = last;
        odd_octets(u64::from_le_bytes([first, middle, last, b' ', b' ', b' ', b' ', b' ']))
    } else {
        0
    };
    window[1 + len] = b'"';
    odd == 0
}

/// Copies sixteen octets; zero where all are plain. A few operations on a vector.
#[inline(always)]
fn copy_sixteen(from: &[u8; 16], to: &mut [u8; 16]) -> u8 {
    *to = *from;
    from.iter().map(|&octet| u8::from(!encode::is_plain(octet))).fold(0, |odd, octet| odd | octet)
}

/// Zero where eight octets are all plain. Which of them is not cannot be told: a borrow or carry may reach the next.
#[inline(always)]
fn odd_octets(octets: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    const QUOTES: u64 = EACH * b'"' as u64;
    const BACKSLASHES: u64 = EACH * b'\\' as u64;
    // Below 0x20 the first difference borrows; 0x7f and above reach the high bit by the sum or have it.
    let is_zero = |octets: u64| octets.wrapping_sub(EACH) & !octets;
    (octets.wrapping_sub(0x20 * EACH) | octets.wrapping_add(EACH) | octets | is_zero(octets ^ QUOTES) | is_zero(octets ^ BACKSLASHES))
        & HIGH
}

#[cfg(test)]
mod tests;
