//! The payloads of engine.io's polls: packets one behind the other, in the forms of revisions 3 and 4.

use super::packet::{Packet, Packets, Seen};
use super::socketio::{self, Found};
use crate::message::Envelope;
use crate::message::EnvelopeProtocol::EngineIo;

/// Separates packets in revision 4.
const RECORD_SEPARATOR: u8 = 0x1e;

/// The revision that a poll is of, when the target is one of engine.io's.
pub(super) fn revision(target: &[u8]) -> Option<u8> {
    // Most targets have no query at all.
    let query = &target[memchr::memchr(b'?', target)?..];
    // Of the others, most have none of its parameters.
    memchr::memchr(b'E', query)?;
    let is_poll = memchr::memmem::find(query, b"transport=polling").is_some();
    socketio::revision(target).filter(|_| is_poll)
}

/// The packets in the payload of a poll, or in the body of a request that sends them; `None` when it is none.
pub(super) fn read(revision: u8, seen: &Seen<'_>) -> Option<Envelope> {
    if seen.octets == b"ok" && !seen.is_from_client() {
        let mut ok = Packets::one(Packet::new(EngineIo, "ok"), Some(2));
        ok.count = 0;
        return Some(ok.into_envelope());
    }
    if seen.is_cut() {
        return None;
    }
    let mut poll = Poll::default();
    match (revision, seen.octets.first()?) {
        (4.., _) => seen.octets.split(|&octet| octet == RECORD_SEPARATOR).try_for_each(|packet| poll.take(packet, b"b", seen))?,
        (_, 0 | 1) => binary_payload(seen, &mut poll)?,
        _ => text_payload(seen, &mut poll)?,
    }
    let envelope = poll.payload.map(|payload| seen.len - payload);
    Packets::of(poll.found, envelope).map(Packets::into_envelope)
}

/// What a poll was found to hold.
struct Poll<'a> {
    found: Vec<Packet<'a>>,
    payload: Option<u64>,
}

impl Default for Poll<'_> {
    fn default() -> Self {
        Self { found: Vec::new(), payload: Some(0) }
    }
}

impl<'a> Poll<'a> {
    /// Takes a packet: a text, or `base64` and then what it says.
    fn take(&mut self, octets: &'a [u8], base64: &[u8], seen: &Seen<'a>) -> Option<()> {
        if let Some(encoded) = octets.strip_prefix(base64) {
            let padding = encoded.iter().rev().take_while(|&&octet| octet == b'=').count();
            return (encoded.len().is_multiple_of(4) && padding <= 2).then(|| self.attach((encoded.len() / 4 * 3) as u64 - padding as u64));
        }
        let Found { packet, payload, .. } = socketio::packet(&Seen { octets, len: octets.len() as u64, is_text: true, ..*seen })?;
        self.payload = self.payload.zip(payload).map(|(sum, payload)| sum + payload);
        self.found.push(packet);
        Some(())
    }

    fn attach(&mut self, len: u64) {
        self.payload = self.payload.map(|sum| sum + len);
        self.found.push(Packet::new(EngineIo, "binary"));
    }
}

/// engine.io 3: each packet after its length in UTF-16 code units and a colon.
fn text_payload<'a>(seen: &Seen<'a>, poll: &mut Poll<'a>) -> Option<()> {
    let mut rest = str::from_utf8(seen.octets).ok()?;
    while !rest.is_empty() {
        let (digits, text) = rest.split_once(':')?;
        let mut units: usize = digits.parse().ok()?;
        let mut len = 0;
        for character in text.chars() {
            if units == 0 {
                break;
            }
            units = units.checked_sub(character.len_utf16())?;
            len += character.len_utf8();
        }
        if units > 0 {
            return None;
        }
        poll.take(&text.as_bytes()[..len], b"b4", seen)?;
        rest = &text[len..];
    }
    Some(())
}

/// engine.io 3 in octets: 0 for text or 1 for binary, digits of the length, 0xff, the packet.
fn binary_payload<'a>(seen: &Seen<'a>, poll: &mut Poll<'a>) -> Option<()> {
    let mut rest = seen.octets;
    while let Some((&form, behind)) = rest.split_first() {
        let digits = behind.iter().position(|&octet| octet == 0xff)?;
        let len =
            behind[..digits].iter().try_fold(0usize, |len, &digit| (digit < 10).then_some(len.checked_mul(10)? + usize::from(digit)))?;
        let packet = behind[digits + 1..].get(..len)?;
        match (form, packet) {
            (0, text) => poll.take(text, b"b4", seen)?,
            (1, [4, attachment @ ..]) => poll.attach(attachment.len() as u64),
            _ => return None,
        }
        rest = &behind[digits + 1 + len..];
    }
    Some(())
}
