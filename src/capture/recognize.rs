//! What stands at the beginning of an input: a capture, or something else in words a person understands.

use std::io;

use super::compression::{self, Compression};
use super::input::{Input, Reader};
use super::pcap::{Magic, Records};
use super::pcapng;

/// Octets quoted of what is not a capture.
const QUOTED: usize = 32;

/// A Section Header Block without options (draft-ietf-opsawg-pcapng §4.1).
const SECTION_HEADER_LEN: usize = 28;

/// A capture's format, by its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognized {
    Pcap(Magic),
    Pcapng,
}

/// Why an input is not read.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is something else: what was found.
    NotACapture(String),
    /// It could not be read.
    Read(io::Error),
}

/// Recognises a capture, compressed at most twice over, and returns its octets with the outermost compression.
pub(super) fn recognize(reader: Reader) -> Result<(Recognized, Option<Compression>, Reader), Refusal> {
    let mut input = Input::new(reader);
    let mut outer = None;
    for _ in 0..2 {
        look(&mut input, Compression::MAGIC_LEN, outer)?;
        let Some(compression) = Compression::of(input.unread()) else { break };
        outer = outer.or(Some(compression));
        input = Input::new(compression.decompressor(input));
    }
    look(&mut input, 4, outer)?;
    let format = match Magic::of(input.unread()) {
        Some(magic) => Recognized::Pcap(magic),
        None if pcapng::is_magic(input.unread()) => Recognized::Pcapng,
        None => return Err(Refusal::NotACapture(within(outer, &describe(input.unread())))),
    };
    let (header, wanted) = match format {
        Recognized::Pcap(_) => ("pcap header", Records::HEADER_LEN),
        Recognized::Pcapng => ("pcapng section header", SECTION_HEADER_LEN),
    };
    look(&mut input, wanted, outer)?;
    let octets = input.unread();
    let wrong = match format {
        _ if octets.len() < wanted => Some(format!("{header} cut short: wanted {wanted} bytes, had {}", octets.len())),
        Recognized::Pcapng if pcapng::byte_order(octets).is_none() => Some(format!("{header} without a byte-order magic")),
        Recognized::Pcap(_) | Recognized::Pcapng => None,
    };
    match wrong {
        Some(wrong) => Err(Refusal::NotACapture(within(outer, &wrong))),
        None => Ok((format, outer, Box::new(input))),
    }
}

/// Looks ahead; what cannot be decompressed from its very beginning is no capture.
fn look(input: &mut Input, len: usize, outer: Option<Compression>) -> Result<(), Refusal> {
    let Err(error) = input.peek(len) else { return Ok(()) };
    let error = input.failure().unwrap_or(error);
    match (compression::damage_of(&error), outer) {
        // Some octets were there before the damage: let their reader meet it.
        (Some(_), _) if !input.unread().is_empty() => Ok(()),
        (Some(damage), _) => Err(Refusal::NotACapture(format!("nothing to decompress: {damage}"))),
        (None, _) => Err(Refusal::Read(error)),
    }
}

fn within(outer: Option<Compression>, found: &str) -> String {
    match outer {
        Some(compression) => format!("{found}, compressed with {}", compression.name()),
        None => found.to_owned(),
    }
}

/// What an input is that is no capture we read.
fn describe(octets: &[u8]) -> String {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"snoop\0\0\0", "a snoop capture (RFC 1761)"),
        (b"RTSS", "a Microsoft Network Monitor 1 capture"),
        (b"GMBU", "a Microsoft Network Monitor 2 capture"),
        (b"TRSNIFF data", "a Sniffer capture"),
        (b"XCP\0", "a NetXRay capture"),
        (b"\x7fver", "an EtherPeek capture"),
        (b"PK\x03\x04", "a zip archive"),
        (b"BZh", "a bzip2 file"),
        (b"\x02\x21\x4c\x18", "an lz4 file in the legacy format"),
        (b"\x7fELF", "a program"),
    ];
    if octets.is_empty() {
        return "an empty file".to_owned();
    }
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| octets.starts_with(magic)) {
        return (*name).to_owned();
    }
    if Compression::of(octets).is_some() {
        return "a file compressed more than twice".to_owned();
    }
    let beginning = &octets[..octets.len().min(QUOTED)];
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    // A character may be cut by the look ahead.
    let text = match str::from_utf8(text) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => str::from_utf8(&text[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match text.filter(|text| !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'))) {
        Some(text) if is_own_report(text) => "a report that wiretare saved".to_owned(),
        Some(text) if text.starts_with("{\"type\":\"") => "rows of `wiretare messages`".to_owned(),
        Some(text) if text.trim_start().starts_with(['{', '[']) => format!("JSON or the like beginning {text:?} (a HAR file?)"),
        Some(text) => format!("plain text beginning {text:?}"),
        None => {
            let hex: Vec<String> = beginning.iter().take(8).map(|octet| format!("{octet:02x}")).collect();
            format!("binary data beginning {}", hex.join(" "))
        }
    }
}

/// Whether text begins as reports do.
fn is_own_report(text: &str) -> bool {
    let first = text.trim_start().strip_prefix('{').map(str::trim_start);
    first.is_some_and(|first| first.starts_with("\"schema_version\""))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Writer, open};
    use super::*;
    use crate::capture::block::ByteOrder;

    fn refused(octets: &[u8]) -> String {
        let octets = octets.to_vec();
        let error = open(io::Cursor::new(octets)).err().expect("refused").to_string();
        error.strip_prefix("test: not a capture: ").and_then(|error| error.split("; wanted pcap").next()).expect("not a capture").to_owned()
    }

    #[test]
    fn what_is_no_capture_is_named() {
        assert_eq!(refused(b""), "an empty file");
        assert_eq!(refused(b"GET / HTTP/1.1\r\n"), r#"plain text beginning "GET / HTTP/1.1\r\n""#);
        assert_eq!(refused(b" {\"log\":{}}"), r#"JSON or the like beginning " {\"log\":{}}" (a HAR file?)"#);
        assert_eq!(refused(b"{\n  \"schema_version\": 1,\n  \"generator\": {"), "a report that wiretare saved");
        assert_eq!(refused(b"{\"type\":\"exchange\",\"connection\":0"), "rows of `wiretare messages`");
        assert_eq!(refused(b"\x89PNG\r\n\x1a\n\0\0"), "binary data beginning 89 50 4e 47 0d 0a 1a 0a");
        assert_eq!(refused(b"snoop\0\0\0\0\0\0\x02"), "a snoop capture (RFC 1761)");
        assert_eq!(refused(b"PK\x03\x04rest"), "a zip archive");
    }

    #[test]
    fn header_cut_short_is_no_capture() {
        let pcap = Writer::new(ByteOrder::Big).pcap(0xa1b2_c3d4, 1).octets;
        let pcapng = Writer::new(ByteOrder::Big).section().octets;
        for had in 4..24 {
            assert_eq!(refused(&pcap[..had]), format!("pcap header cut short: wanted 24 bytes, had {had}"));
        }
        for had in 4..28 {
            assert_eq!(refused(&pcapng[..had]), format!("pcapng section header cut short: wanted 28 bytes, had {had}"));
        }
    }
}
