//! Rows as JSON, one object a line: field names and order are those of docs/formats.md.

mod connection;
mod exchange;
mod message;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use connection::connection;
use exchange::exchange;
use message::message;

use super::costs::Costs;
use super::encode::{name, null, optional_number, optional_text, text};
use super::line::{Fixed, Line, Padded, Room, padded, padded_len};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::{AnomalyDetail, AnomalyDetails, Content, Cost, Direction, Opcode, Row};
use crate::options::ContentMode;

/// Appends a comma, a key and a colon to what may be of any length.
macro_rules! key {
    ($out:expr, $key:literal) => {
        $out.extend_from_slice(concat!(",\"", $key, "\":").as_bytes())
    };
}

use key;

/// Turns rows into lines of JSON.
#[derive(Clone, Debug)]
pub struct Lines {
    content: ContentMode,
    room: Room,
    costs: Costs,
}

impl Lines {
    /// Lines that show as much of the content as was asked of the analysis.
    pub fn new(content: ContentMode) -> Self {
        Self { content, room: Room::default(), costs: Costs::default() }
    }

    /// Appends one row and its line feed.
    #[inline(never)]
    pub fn append(&mut self, row: &Row, out: &mut Vec<u8>) {
        self.gather(row, out);
        self.room.append_to(out);
    }

    /// Gathers one row and its line feed behind those before it, to be taken many at a time. What there is no room for goes to the
    /// end of `out`, behind all that was gathered before.
    // Always: what few cycles a row takes should not go into calls.
    #[inline(always)]
    pub fn gather(&mut self, row: &Row, out: &mut Vec<u8>) {
        let mut line = self.room.line(out);
        match row {
            Row::Message(row) => message(&mut line, row, self.content, &mut self.costs, out),
            Row::Exchange(row) => line.with(|line| exchange(line, row, self.content, &mut self.costs, out)),
            Row::Connection(row) => line.with(|line| connection(line, row, &mut self.costs, out)),
        }
        let end = line.at();
        self.room.end(end);
    }

    /// What is gathered; it follows what went to the `out` of [`gather`](Self::gather).
    #[inline]
    pub fn gathered(&self) -> &[u8] {
        self.room.gathered()
    }

    /// Forgets what was gathered, when it was taken.
    pub fn clear(&mut self) {
        self.room.clear();
    }
}

/// `,"direction":"client_to_server","opcode":"text","content_bytes":` of each direction and opcode.
static DIRECTIONS_AND_OPCODES: [[Fixed<80>; 16]; 2] = {
    let mut all = [[Fixed::of(&[]); 16]; 2];
    let mut at = 0;
    while at < 32 {
        let (direction, opcode) = (Direction::BOTH[at / 16].name(), Opcode::of_bits(at as u8 % 16).name());
        all[at / 16][at % 16] = Fixed::of(&[r#","direction":""#, direction, r#"","opcode":""#, opcode, r#"","content_bytes":"#]);
        at += 1;
    }
    all
};

/// The end of an ordinary message, uncompressed and compressed, and of each unmasked and masked.
static ORDINARY_ENDS: [[Fixed<176>; 2]; 2] = {
    const fn of(compressed: &str, masked: &str) -> Fixed<176> {
        const REST: &str = ",\"close_code\":null,\"close_reason\":null,\"envelope\":null,\"answered_in_s\":null,\"content_sha256\":null,\"anomalies\":[]}\n";
        Fixed::of(&[r#","fragments":1,"compressed":"#, compressed, r#","masked":"#, masked, REST])
    }
    [[of("false", "false"), of("false", "true")], [of("true", "false"), of("true", "true")]]
};

/// What was odd in a row, and its end.
#[inline(always)]
fn end(line: &mut Line<'_>, set: AnomalySet, details: &AnomalyDetails, out: &mut Vec<u8>) {
    if set.is_empty() {
        line.padded(padded!(",\"anomalies\":[]}\n"));
    } else {
        line.append_to(out);
        odd(out, set, details);
    }
}

/// A list of a few names of ours.
fn names(line: &mut Line<'_>, names: &[&str], out: &mut Vec<u8>) {
    if let ["http/1.1"] = names {
        // As most connections speak.
        return line.padded(padded!(r#"["http/1.1"]"#));
    }
    line.put(b"[");
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            line.put(b",");
        }
        line.text(name.as_bytes(), out);
    }
    line.put(b"]");
}

/// The digest and, when asked for, the content: as text when it is UTF-8.
fn shown(out: &mut Vec<u8>, content: &Content, cost: &Cost, mode: ContentMode) {
    key!(out, "content_sha256");
    match &content.sha256 {
        None => null(out),
        Some(digest) => hexadecimal(out, digest.as_slice()),
    }
    if mode != ContentMode::None {
        sample(content.sample.as_deref(), cost, out);
    }
}

fn sample(sample: Option<&[u8]>, cost: &Cost, out: &mut Vec<u8>) {
    let Some(sample) = sample else { return out.extend_from_slice(br#","content":null"#) };
    match as_text(sample, cost.content_bytes) {
        Some(sample) => {
            key!(out, "content");
            text(out, sample.as_bytes());
        }
        None => {
            key!(out, "content_base64");
            name(out, &BASE64.encode(sample));
        }
    }
}

/// The sample as text, when it is; one that was cut short may end within a character, which is left out.
pub(super) fn as_text(sample: &[u8], content_bytes: Option<u64>) -> Option<&str> {
    match simdutf8::compat::from_utf8(sample) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() && content_bytes != Some(sample.len() as u64) => {
            str::from_utf8(&sample[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

fn not_empty(octets: &[u8]) -> Option<&[u8]> {
    (!octets.is_empty()).then_some(octets)
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut append: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append(out, item);
    }
    out.push(b']');
}

fn hexadecimal(out: &mut Vec<u8>, octets: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    out.extend(octets.iter().flat_map(|&octet| [DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 0xf)]]));
    out.push(b'"');
}

#[cold]
fn odd(out: &mut Vec<u8>, set: AnomalySet, details: &AnomalyDetails) {
    let kinds: Vec<_> = set.iter().collect();
    key!(out, "anomalies");
    list(out, &kinds, |out, kind| name(out, kind.name()));
    key!(out, "anomaly_details");
    list(out, &kinds, |out, &kind| detail(out, kind, details.of_kind(kind), None));
    out.extend_from_slice(b"}\n");
}

/// Where a kind of oddity lies: its place, or only a frame to look at.
fn detail(out: &mut Vec<u8>, kind: AnomalyKind, detail: Option<&AnomalyDetail>, frame: Option<u64>) {
    out.extend_from_slice(br#"{"kind":"#);
    name(out, kind.name());
    key!(out, "reference");
    optional_text(out, kind.reference().map(str::as_bytes));
    key!(out, "direction");
    optional_text(out, detail.map(|detail| detail.direction.name().as_bytes()));
    key!(out, "frame");
    optional_number(out, detail.and_then(|detail| detail.place.frame).or(frame));
    key!(out, "stream_offset");
    optional_number(out, detail.map(|detail| detail.place.stream_offset));
    out.push(b'}');
}

#[cfg(test)]
mod tests;
