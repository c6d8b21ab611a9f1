//! A WebSocket frame (RFC 6455 §5.2) at the captured frame that completed it, and the message that it ends.

use super::content::{self, Cut};
use super::field::{Field, bits, bytes, hex, hex_colons};
use super::headers::digit;
use super::streams::Carried;
use crate::anomaly::AnomalySet;
use crate::message::{AnomalyDetails, Envelope, EnvelopeId, Message, Opcode, WebSocketFrame};
use crate::report::text::safe_bytes;
use crate::stream::{Place, Provenance};

/// Octets of a payload that a line shows in hexadecimal.
const SHOWN_OCTETS: usize = 64;

/// Frames that a line lists.
const LISTED_FRAMES: usize = 100;

/// Appends the frame, and the content of the message that it ends.
pub(super) fn append(
    frame: &WebSocketFrame,
    carried: &Carried,
    message: Option<&Message>,
    fragments: &[(u64, u64)],
    fields: &mut Vec<Field>,
) {
    append_carried(carried, frame.end - frame.start, &frame.cost, fields);
    let mut websocket = Field::group("websocket", "WebSocket");
    append_header(frame, &mut websocket);
    append_payload(frame, message, &mut websocket);
    append_message(frame, message, fragments, &mut websocket);
    fields.push(websocket);
    if frame.opcode == Opcode::Continuation && !frame.fin && !frame.payload.is_empty() {
        fields.push(Field::hidden("websocket.payload.continue", hex_colons(&frame.payload)));
    }
    fields.extend(append_content(frame, message));
}

fn append_header(frame: &WebSocketFrame, websocket: &mut Field) {
    let opcode = frame.opcode.bits();
    let first = u32::from(frame.fin) << 7 | u32::from(frame.rsv) << 4 | u32::from(opcode);
    let is_masked = frame.masking_key.is_some();
    websocket.push(Field::new("websocket.fin", digit(frame.fin), format!("{} = Fin: {}", bits(first, 0x80, 8), said(frame.fin))));
    websocket.push(Field::new(
        "websocket.rsv",
        format!("{:#04x}", frame.rsv),
        format!("{} = Reserved: {:#x}", bits(first, 0x70, 8), frame.rsv),
    ));
    if frame.may_be_compressed {
        let compressed = frame.rsv & 4 != 0;
        let label = format!("{} = Per-Message Compressed: {}", bits(first, 0x40, 8), said(compressed));
        websocket.push(Field::new("websocket.pmc", digit(compressed), label));
    }
    let label = format!("{} = Opcode: {} ({opcode})", bits(first, 0x0f, 8), name(frame.opcode));
    websocket.push(Field::new("websocket.opcode", opcode.to_string(), label));
    let (short, extended) = length_fields(frame);
    let second = u32::from(is_masked) << 7 | u32::from(short);
    websocket.push(Field::new("websocket.mask", digit(is_masked), format!("{} = Mask: {}", bits(second, 0x80, 8), said(is_masked))));
    let meaning = match short {
        126 => "126 Extended Payload Length (16 bits)".into(),
        127 => "127 Extended Payload Length (64 bits)".into(),
        len => len.to_string(),
    };
    websocket.push(Field::new(
        "websocket.payload_length",
        short.to_string(),
        format!("{} = Payload length: {meaning}", bits(second, 0x7f, 8)),
    ));
    if let Some((name, width)) = extended {
        let len = frame.payload_len;
        websocket.push(Field::new(name, len.to_string(), format!("Extended Payload length ({width} bits): {len}")));
    }
    if let Some(key) = frame.masking_key {
        websocket.push(Field::new("websocket.masking_key", hex_colons(&key), format!("Masking-Key: {}", hex(&key))));
    }
}

fn said(bit: bool) -> &'static str {
    if bit { "True" } else { "False" }
}

/// The seven bits of the length as sent, and the field that extends them: told by the header's length.
fn length_fields(frame: &WebSocketFrame) -> (u8, Option<(&'static str, u8)>) {
    match frame.header_len - if frame.masking_key.is_some() { 4 } else { 0 } {
        4 => (126, Some(("websocket.payload_length_ext_16", 16))),
        10 => (127, Some(("websocket.payload_length_ext_64", 64))),
        // Seven bits, so it fits.
        _ => (frame.payload_len as u8 & 0x7f, None),
    }
}

/// As Wireshark names it.
fn name(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::Continuation => "Continuation",
        Opcode::Text => "Text",
        Opcode::Binary => "Binary",
        Opcode::Close => "Connection Close",
        Opcode::Ping => "Ping",
        Opcode::Pong => "Pong",
        Opcode::Reserved(_) => "Reserved",
    }
}

fn append_payload(frame: &WebSocketFrame, message: Option<&Message>, websocket: &mut Field) {
    if frame.payload_len == 0 {
        return;
    }
    if let Some(key) = frame.masking_key {
        let masked: Vec<u8> = frame.payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key).collect();
        websocket.push(Field::new("websocket.masked_payload", "", octets_line("Masked payload", &masked, frame)));
    }
    let label = octets_line("Payload", &frame.payload, frame);
    let inside: Vec<_> = message.map(|message| payload_fields(frame, message)).unwrap_or_default();
    websocket.push(match inside.is_empty() {
        true => Field::new("websocket.payload", "", label),
        false => Field::group("websocket.payload", label).with(inside),
    });
}

/// Such as `Payload: 7b2261…`, with a word on what is not shown.
fn octets_line(name: &str, octets: &[u8], frame: &WebSocketFrame) -> String {
    let shown = &octets[..octets.len().min(SHOWN_OCTETS)];
    let more = frame.payload_len - shown.len() as u64;
    match (shown.len(), more) {
        (0, _) => format!("{name} ({})", bytes(frame.payload_len)),
        (_, 0) => format!("{name}: {}", hex(shown)),
        (_, more) => format!("{name}: {}… ({more} more)", hex(shown)),
    }
}

/// What the payload means, in the names that Wireshark has for it.
fn payload_fields(frame: &WebSocketFrame, message: &Message) -> Vec<Field> {
    let sample = message.content.sample.as_deref();
    match (message.opcode, &message.close) {
        (Opcode::Close, Some(close)) if frame.payload_len >= 2 => {
            let code = close.code.map(|code| {
                let label = format!("Status code: {code}{}", code_name(code));
                Field::new("websocket.payload.close.status_code", code.to_string(), label)
            });
            let reason = close.reason.as_deref().filter(|reason| !reason.is_empty()).map(|reason| {
                let label = format!("Reason: {}", safe_bytes(reason.as_bytes()));
                Field::new("websocket.payload.close.reason", reason, label)
            });
            vec![Field::group("websocket.payload.close", "Close").with(code.into_iter().chain(reason))]
        }
        (Opcode::Ping, _) => {
            vec![Field::new("websocket.payload.ping", hex_colons(&frame.payload), format!("Ping: {}", safe_bytes(&frame.payload)))]
        }
        (Opcode::Pong, _) => {
            vec![Field::new("websocket.payload.pong", hex_colons(&frame.payload), format!("Pong: {}", safe_bytes(&frame.payload)))]
        }
        (Opcode::Text, _) => sample
            .map(|sample| Field::new("websocket.payload.text", String::from_utf8_lossy(sample), text_line(sample)))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The beginning of a text; the whole of it stands below.
fn text_line(sample: &[u8]) -> String {
    let text = String::from_utf8_lossy(sample);
    let shown: String = text.chars().take(240).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("Text: {}{more}", safe_bytes(shown.as_bytes()))
}

/// RFC 6455 §7.4.1 and the IANA registry.
fn code_name(code: u16) -> &'static str {
    match code {
        1000 => " (Normal Closure)",
        1001 => " (Going Away)",
        1002 => " (Protocol error)",
        1003 => " (Unsupported Data)",
        1005 => " (No Status Rcvd)",
        1006 => " (Abnormal Closure)",
        1007 => " (Invalid frame payload data)",
        1008 => " (Policy Violation)",
        1009 => " (Message Too Big)",
        1010 => " (Mandatory Ext.)",
        1011 => " (Internal Server Error)",
        1012 => " (Service Restart)",
        1013 => " (Try Again Later)",
        1014 => " (Bad Gateway)",
        _ => "",
    }
}

/// Which message it belongs to, and what that cost.
fn append_message(frame: &WebSocketFrame, message: Option<&Message>, fragments: &[(u64, u64)], websocket: &mut Field) {
    if !frame.is_complete {
        websocket.push(Field::note("[The end of this frame was not captured]"));
    }
    let Some(message) = message else {
        websocket.push(Field::note("[A fragment: the message is shown with its last one]"));
        return;
    };
    if fragments.len() > 1 {
        let total: u64 = fragments.iter().map(|(_, len)| len).sum();
        let listed: Vec<_> = fragments.iter().take(LISTED_FRAMES).map(|(frame, len)| format!("#{frame}({len})")).collect();
        let more = if fragments.len() > listed.len() { ", …" } else { "" };
        let label = format!("[{} fragments ({}): {}{more}]", message.fragments, bytes(total), listed.join(", "));
        websocket.push(Field::group("websocket.fragments", label).with(
            fragments.iter().map(|(frame, _)| Field::hidden("websocket.fragment", frame.to_string())).chain([
                Field::hidden("websocket.fragment.count", message.fragments.to_string()),
                Field::hidden("websocket.reassembled.length", total.to_string()),
            ]),
        ));
    }
    let cost = &message.cost;
    let content = cost.content_bytes.map_or("unknown".into(), |content| content.to_string());
    let label = format!(
        "[Cost of this message: {} bytes = frame headers {} + payload as sent {} + TCP {} + IP {} + link {}; content {content}]",
        cost.wire_bytes(),
        cost.framing_bytes,
        cost.encoded_bytes,
        cost.provenance.bytes.tcp,
        cost.provenance.bytes.ip,
        cost.provenance.bytes.link
    );
    websocket.push(Field::note(label).with(content::cost_fields(cost)));
    if let Some(envelope) = &message.content.envelope {
        websocket.push(Field::note(envelope_line(envelope)));
    }
    if let Some(answered) = message.answered {
        websocket.push(Field::note(format!("[After what it answers: {} seconds]", super::headers::seconds(answered.nanoseconds().into()))));
    }
    append_anomalies(message.oddities(), &message.anomaly_details, websocket);
}

fn envelope_line(envelope: &Envelope) -> String {
    let mut line = format!("[Envelope: {} {}", envelope.protocol.name(), envelope.kind);
    for text in [&envelope.namespace, &envelope.name].into_iter().flatten() {
        line.push(' ');
        line.push_str(&safe_bytes(text.as_bytes()));
    }
    match &envelope.id {
        None => {}
        Some(EnvelopeId::Number(id)) => line.push_str(&format!(" #{id}")),
        Some(EnvelopeId::Text(id)) => line.push_str(&format!(" #{}", safe_bytes(id.as_bytes()))),
    }
    line.push(']');
    line
}

/// What was odd, by the names that rows have for it; what it breaks, and where.
pub(super) fn append_anomalies(odd: AnomalySet, details: &AnomalyDetails, field: &mut Field) {
    for kind in odd.iter() {
        let mut label = format!("[Odd: {}", kind.name());
        let mut inside = Vec::new();
        if let Some(reference) = kind.reference() {
            label.push_str(&format!(" ({reference})"));
            inside.push(Field::hidden("wiretare.anomaly.reference", reference));
        }
        if let Some(Place { stream_offset, frame }) = details.of_kind(kind).map(|detail| detail.place) {
            label.push_str(&format!(", at offset {stream_offset} of its stream"));
            inside.push(Field::hidden("wiretare.anomaly.stream_offset", stream_offset.to_string()));
            if let Some(frame) = frame {
                label.push_str(&format!(", frame {frame}"));
                inside.push(Field::hidden("wiretare.anomaly.frame", frame.to_string()));
            }
        }
        label.push(']');
        field.push(Field::new("wiretare.anomaly", kind.name(), label).with(inside));
    }
}

/// The content of the message, line by line.
fn append_content(frame: &WebSocketFrame, message: Option<&Message>) -> Vec<Field> {
    let Some(message) = message.filter(|message| !message.opcode.is_control()) else { return Vec::new() };
    if frame.payload_len == 0 && message.cost.encoded_bytes == 0 {
        return Vec::new();
    }
    match message.content.sample.as_deref() {
        None => vec![Field::note(content::unknown(&message.cost))],
        Some(sample) => content::shown(sample, Cut::of(sample, message.cost.content_bytes), None, Some(message.opcode)),
    }
}

/// The frames that carried a message, when there are several, as Wireshark lists them.
pub(super) fn append_carried(carried: &Carried, len: u64, cost: &Provenance, fields: &mut Vec<Field>) {
    if cost.first.number == cost.last.number {
        return;
    }
    let listed: Vec<_> = carried.frames.iter().take(LISTED_FRAMES).map(|(frame, len)| format!("#{frame}({len})")).collect();
    let is_cut = carried.is_cut || carried.frames.len() > listed.len();
    let more = if is_cut { ", …" } else { "" };
    let count = carried.frames.len();
    let begins = if carried.is_cut { format!(", begins in frame {}", cost.first.number) } else { String::new() };
    let label = match count {
        0 => format!("[Carried by frames {} to {}, {}]", cost.first.number, cost.last.number, bytes(len)),
        _ => format!("[{count} Reassembled TCP Segments ({}{begins}): {}{more}]", bytes(len), listed.join(", ")),
    };
    fields.push(
        Field::group("tcp.segments", label).with(
            carried
                .frames
                .iter()
                .map(|(frame, _)| Field::hidden("tcp.segment", frame.to_string()))
                .chain([Field::hidden("tcp.segment.count", count.to_string()), Field::hidden("tcp.reassembled.length", len.to_string())]),
        ),
    );
}

/// What a list of frames says of one frame.
pub(super) fn line(frame: &WebSocketFrame) -> String {
    let fin = if frame.fin { " [FIN]" } else { "[FRAGMENT] " };
    let masked = if frame.masking_key.is_some() { " [MASKED]" } else { " " };
    format!("WebSocket {}{fin}{masked}", name(frame.opcode))
}

/// One line on a frame that only the end of its connection showed.
pub(super) fn late(frame: &WebSocketFrame) -> String {
    let (first, last) = (frame.cost.first.number, frame.cost.last.number);
    let complete = if frame.is_complete { "" } else { ", incomplete" };
    format!("{} (frames {first} to {last}, {} of payload declared{complete})", line(frame).trim_end(), bytes(frame.payload_len))
}

/// One line on a message that will not be complete.
pub(super) fn broken_off(message: &Message) -> String {
    let (first, last) = (message.cost.provenance.first.number, message.cost.provenance.last.number);
    format!("[WebSocket {} message that did not come to its end, frames {first} to {last}]", message.opcode.name())
}
