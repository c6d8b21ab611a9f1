//! IEEE 802.11 data frames in clear, and the headers that captures put before them: radiotap, Prism, AVS, PPI.

use super::NotTcp;
use super::cursor::Cursor;
use super::layer::Layer;

const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;

/// Behind the header that the capture put before the frame.
pub(super) fn of_link_type(link_type: u16, rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    match link_type {
        105 => Ok((Layer::Wlan, rest)),
        127 => radiotap(rest),
        // Prism, in place of which some drivers wrote AVS.
        119 => match rest.array()? {
            [0x80, 0x21, 0x10, _, _, _, _, _] => avs(rest),
            [_, _, _, _, a, b, c, d] => {
                let lens = [u32::from_le_bytes([a, b, c, d]), u32::from_be_bytes([a, b, c, d])];
                Ok((Layer::Wlan, rest.skip(lens[0].min(lens[1]) as usize)?))
            }
        },
        163 => avs(rest),
        192 => match rest.array()? {
            [_, _, a, b, c, d, 0, 0] => {
                Ok((Layer::Link(u16::from_le_bytes([c, d])), rest.skip(usize::from(u16::from_le_bytes([a, b])).max(8))?))
            }
            _ => Err(NotTcp::Malformed),
        },
        other => Err(NotTcp::LinkType(other)),
    }
}

fn avs(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let [_, _, _, _, a, b, c, d] = rest.array()?;
    Ok((Layer::Wlan, rest.skip(u32::from_be_bytes([a, b, c, d]) as usize)?))
}

/// Radiotap: its length, words of flags that say which fields follow. Of the fields only the one with the padding bit matters.
fn radiotap(rest: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    let [0, _, a, b] = rest.array()? else { return Err(NotTcp::Malformed) };
    let frame = rest.skip(usize::from(u16::from_le_bytes([a, b])).max(8))?;
    Ok(if is_padded(rest.bytes()) { behind_padding(frame)? } else { (Layer::Wlan, frame) })
}

fn is_padded(header: &[u8]) -> bool {
    const FURTHER_WORD: u8 = 0x80;
    const TIME: u8 = 0x01;
    const FLAGS: u8 = 0x02;
    const PADDING: u8 = 0x20;
    let Some(&[present, ..]) = header.get(4..) else { return false };
    let words = header[4..].chunks_exact(4).take_while(|word| word[3] & FURTHER_WORD != 0).count() + 1;
    let fields = 4 + words * 4;
    // The time is of eight octets, and aligned to as many.
    let flags = if present & TIME == 0 { fields } else { fields.next_multiple_of(8) + 8 };
    present & FLAGS != 0 && header.get(flags).is_some_and(|flags| flags & PADDING != 0)
}

/// The header was padded to whole words.
fn behind_padding(frame: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    Ok((Layer::Llc, frame.skip(header_len(frame)?.next_multiple_of(4))?))
}

/// Behind the header of a data frame: LLC.
pub(super) fn slice(frame: Cursor<'_>) -> Result<(Layer, Cursor<'_>), NotTcp> {
    Ok((Layer::Llc, frame.skip(header_len(frame)?)?))
}

/// Octets of a data frame's header.
fn header_len(frame: Cursor<'_>) -> Result<usize, NotTcp> {
    // No version but 0 is in use; access points of one maker swap the octets of both control fields inside CAPWAP.
    let ([control, flags], sequence_control) = match frame.array()? {
        [first, second] if first & 0x03 != 0 => ([second, first], 23),
        octets => (octets, 22),
    };
    let is_data = control & 0x0c == 0x08;
    let is_null = control & 0x40 != 0;
    if control & 0x03 != 0 || !is_data || is_null {
        return Err(NotTcp::WlanNoData);
    }
    if flags & PROTECTED != 0 {
        return Err(NotTcp::WlanProtected);
    }
    let fragment = frame.bytes().get(sequence_control).ok_or(NotTcp::Malformed)? & 0x0f;
    if flags & MORE_FRAGMENTS != 0 || fragment != 0 {
        return Err(NotTcp::WlanFragment);
    }
    let addresses = if flags & (TO_DS | FROM_DS) == TO_DS | FROM_DS { 30 } else { 24 };
    let is_qos = control & 0x80 != 0;
    match is_qos {
        false => Ok(addresses),
        true if frame.bytes().get(addresses).ok_or(NotTcp::Malformed)? & 0x80 != 0 => Err(NotTcp::WlanAggregate),
        // HT control follows where the order bit is set.
        true => Ok(addresses + if flags & ORDER == 0 { 2 } else { 6 }),
    }
}
