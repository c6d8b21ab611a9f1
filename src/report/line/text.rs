//! Octets of the network as strings of JSON.

use super::{Line, TEXT};
use crate::report::encode;

#[inline(never)]
pub(super) fn text(mut line: Line<'_>, octets: &[u8], out: &mut Vec<u8>) -> usize {
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
