//! The TCP segment of a frame (RFC 9293): its header's fields, its numbers from the beginning of the stream, and what
//! Wireshark's analysis marks.

use std::fmt::Write as _;

use etherparse::TcpHeaderSlice;

use super::field::{Field, bits, bytes, hex_colons};
use super::headers::{digit, seconds, set};
use super::{Dissection, Ended, Shown, options};
use crate::message::TcpAnalysis;
use crate::packet::{Flags, Header};

const TAKES: &str = "a String takes every write";

/// Flags by bit, with their names in Wireshark's fields and words.
const FLAGS: [(u16, &str, &str); 9] = [
    (0x100, "tcp.flags.ae", "Accurate ECN"),
    (0x080, "tcp.flags.cwr", "Congestion Window Reduced"),
    (0x040, "tcp.flags.ece", "ECN-Echo"),
    (0x020, "tcp.flags.urg", "Urgent"),
    (0x010, "tcp.flags.ack", "Acknowledgment"),
    (0x008, "tcp.flags.push", "Push"),
    (0x004, "tcp.flags.reset", "Reset"),
    (0x002, "tcp.flags.syn", "Syn"),
    (0x001, "tcp.flags.fin", "Fin"),
];

/// The three bits before them (RFC 9293 §3.1).
const RESERVED: u16 = 0xe00;

/// Short names as a list of frames has them, in its order.
const SHORT: [(u16, &str); 10] = [
    (0x001, "FIN"),
    (0x002, "SYN"),
    (0x004, "RST"),
    (0x008, "PSH"),
    (0x010, "ACK"),
    (0x020, "URG"),
    (0x040, "ECE"),
    (0x080, "CWR"),
    (0x100, "AE"),
    (RESERVED, "Reserved"),
];

impl Dissection<'_> {
    /// Whether the frame holds a TCP header, or completes a segment.
    pub(super) fn has_tcp(&self) -> bool {
        self.segment.is_some() || self.tcp_octets().is_some()
    }

    /// The TCP header of this frame, as far as it was captured.
    fn tcp_octets(&self) -> Option<&[u8]> {
        let (header, range) = self.headers.found.last()?;
        (*header == Header::Transport(6)).then(|| self.octets(range))
    }

    /// The TCP header of this frame, when it was captured whole.
    fn tcp_header(&self) -> Option<TcpHeaderSlice<'_>> {
        TcpHeaderSlice::from_slice(self.tcp_octets()?).ok()
    }
}

/// Source and destination of the segment: innermost, and at the ends of its route.
pub(super) fn ends(dissection: &Dissection<'_>) -> Option<(String, String)> {
    let part = &dissection.segment.as_ref()?.part;
    let [from, to] = [part.sender, part.sender.other()].map(|sender| part.key.endpoint(sender).ip().to_string());
    Some((from, to))
}

/// What is told of a segment with or without a connection.
struct Numbers {
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    /// Whether the numbers count from the beginning of the stream.
    relative: bool,
    /// Twelve bits, the reserved ones first.
    flags: u16,
    window: u16,
    /// After scaling.
    scaled_window: u32,
    len: u64,
}

impl Numbers {
    fn of(dissection: &Dissection<'_>) -> Option<Self> {
        let header = dissection.tcp_header();
        let more_flags = header.as_ref().map_or(0, |header| u16::from(header.slice()[12] & 0x0f) << 8);
        if let Some(Shown { part, relative_seq, relative_ack, .. }) = &dissection.segment {
            let is_syn = part.flags.has(Flags::SYN);
            return Some(Self {
                ports: (part.key.port(part.sender), part.key.port(part.sender.other())),
                seq: *relative_seq,
                ack: *relative_ack,
                relative: true,
                flags: u16::from(part.flags.0) | more_flags,
                window: part.window,
                scaled_window: if is_syn { part.window.into() } else { u32::from(part.window) << part.window_shift.unwrap_or(0).min(14) },
                len: part.payload_len.into(),
            });
        }
        let header = header?;
        let range = &dissection.headers.found.last()?.1;
        Some(Self {
            ports: (header.source_port(), header.destination_port()),
            seq: header.sequence_number(),
            ack: header.acknowledgment_number(),
            relative: false,
            flags: u16::from(header.slice()[13]) | more_flags,
            window: header.window_size(),
            scaled_window: header.window_size().into(),
            len: dissection.headers.end.saturating_sub(range.start + header.slice().len()) as u64,
        })
    }

    fn flag_names(&self) -> String {
        let names: Vec<_> = SHORT.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, name)| *name).collect();
        names.join(", ")
    }

    fn has(&self, flag: Flags) -> bool {
        self.flags & u16::from(flag.0) != 0
    }

    /// From a number of the peer's stream as sent to the one that is shown.
    fn shift(&self, header: &TcpHeaderSlice<'_>) -> u32 {
        self.ack.wrapping_sub(header.acknowledgment_number())
    }
}

/// Appends the fields of the segment.
pub(super) fn append(dissection: &Dissection<'_>, fields: &mut Vec<Field>) {
    let Some(numbers) = Numbers::of(dissection) else {
        if let Some(octets) = dissection.tcp_octets() {
            fields
                .push(Field::group("tcp", format!("Transmission Control Protocol, {} of its header captured", bytes(octets.len() as u64))));
        }
        return;
    };
    let Numbers { ports: (source, destination), seq, ack, len, .. } = numbers;
    let ack_label = if numbers.has(Flags::ACK) { format!(", Ack: {ack}") } else { String::new() };
    let label = format!("Transmission Control Protocol, Src Port: {source}, Dst Port: {destination}, Seq: {seq}{ack_label}, Len: {len}");
    let mut tcp = Field::group("tcp", label).with([
        Field::new("tcp.srcport", source.to_string(), format!("Source Port: {source}")),
        Field::new("tcp.dstport", destination.to_string(), format!("Destination Port: {destination}")),
        Field::hidden("tcp.port", source.to_string()),
        Field::hidden("tcp.port", destination.to_string()),
    ]);
    if let Some(connection) = dissection.connection() {
        tcp.push(Field::new("tcp.stream", connection.to_string(), format!("[Stream index: {connection}]")));
    }
    if dissection.is_copy {
        tcp.push(Field::new("wiretare.duplicate", "1", "[A packet that was captured before: not charged again]"));
    }
    tcp.push(Field::new("tcp.len", len.to_string(), format!("[TCP Segment Len: {len}]")));
    append_numbers(&numbers, dissection.segment.as_ref(), &mut tcp);
    append_header(&numbers, dissection, &mut tcp);
    if let Some(shown) = &dissection.segment {
        append_times(shown, dissection, &mut tcp);
        append_analysis(shown, &mut tcp);
    }
    append_payload(len, dissection, &mut tcp);
    fields.push(tcp);
}

fn append_numbers(numbers: &Numbers, shown: Option<&Shown>, tcp: &mut Field) {
    let Numbers { seq, ack, .. } = *numbers;
    let word = |what: &str| if numbers.relative { format!("    (relative {what} number)") } else { String::new() };
    let taken = u64::from(numbers.has(Flags::SYN)) + u64::from(numbers.has(Flags::FIN));
    let next = seq.wrapping_add((numbers.len + taken) as u32);
    tcp.push(Field::new("tcp.seq", seq.to_string(), format!("Sequence Number: {seq}{}", word("sequence"))));
    if let Some(Shown { part, .. }) = shown {
        tcp.push(Field::new("tcp.seq_raw", part.seq.0.to_string(), format!("Sequence Number (raw): {}", part.seq.0)));
    }
    tcp.push(Field::new("tcp.nxtseq", next.to_string(), format!("[Next Sequence Number: {next}{}]", word("sequence"))));
    tcp.push(Field::new("tcp.ack", ack.to_string(), format!("Acknowledgment Number: {ack}{}", word("ack"))));
    if let Some(Shown { part, .. }) = shown {
        tcp.push(Field::new("tcp.ack_raw", part.ack.0.to_string(), format!("Acknowledgment number (raw): {}", part.ack.0)));
    }
}

fn append_header(numbers: &Numbers, dissection: &Dissection<'_>, tcp: &mut Field) {
    let header = dissection.tcp_header();
    if let Some(header) = &header {
        let (len, words) = (header.slice().len(), header.data_offset());
        let drawn = bits(header.slice()[12].into(), 0xf0, 8);
        tcp.push(Field::new("tcp.hdr_len", len.to_string(), format!("{drawn} = Header Length: {len} bytes ({words})")));
    }
    tcp.push(flags(numbers));
    let Numbers { window, scaled_window, .. } = *numbers;
    tcp.push(Field::new("tcp.window_size_value", window.to_string(), format!("Window: {window}")));
    tcp.push(Field::new("tcp.window_size", scaled_window.to_string(), format!("[Calculated window size: {scaled_window}]")));
    let shift = dissection.segment.as_ref().and_then(|shown| shown.part.window_shift).filter(|_| !numbers.has(Flags::SYN));
    if let Some(shift) = shift {
        let factor = 1u32 << shift.min(14);
        tcp.push(Field::new("tcp.window_size_scalefactor", factor.to_string(), format!("[Window size scaling factor: {factor}]")));
    }
    let Some(header) = header else { return };
    let (checksum, urgent) = (header.checksum(), header.urgent_pointer());
    tcp.push(Field::new("tcp.checksum", format!("{checksum:#06x}"), format!("Checksum: {checksum:#06x} [unverified]")));
    tcp.push(Field::new("tcp.urgent_pointer", urgent.to_string(), format!("Urgent Pointer: {urgent}")));
    if !header.options().is_empty() {
        tcp.push(options::field(header.options(), numbers.shift(&header)));
    }
}

fn flags(numbers: &Numbers) -> Field {
    let value = numbers.flags;
    let mut flags = Field::new("tcp.flags", format!("{value:#06x}"), format!("Flags: {value:#05x} ({})", numbers.flag_names()));
    for (bits_of, name, word) in [(RESERVED, "tcp.flags.res", "Reserved")].into_iter().chain(FLAGS) {
        let is_set = value & bits_of != 0;
        flags.push(Field::new(name, digit(is_set), format!("{} = {word}: {}", bits(value.into(), bits_of.into(), 12), set(is_set))));
    }
    // A letter for each bit: the reserved ones, then the flags.
    let letters = (0..12).rev().zip("RRRACEUAPRSF".chars());
    let drawn: String = letters.map(|(bit, letter)| if value >> bit & 1 == 1 { letter } else { '·' }).collect();
    flags.push(Field::new("tcp.flags.str", &*drawn, format!("[TCP Flags: {drawn}]")));
    flags
}

fn append_times(shown: &Shown, dissection: &Dissection<'_>, tcp: &mut Field) {
    let time = dissection.packet.frame.time.0;
    let since = |earlier: i64| seconds(i128::from(time) - i128::from(earlier));
    let relative = since(shown.part.began.0);
    let delta = since(shown.previous.map_or(time, |previous| previous.0));
    tcp.push(Field::group("Timestamps", "[Timestamps]").with([
        Field::new("tcp.time_relative", &*relative, format!("[Time since first frame in this TCP stream: {relative} seconds]")),
        Field::new("tcp.time_delta", &*delta, format!("[Time since previous frame in this TCP stream: {delta} seconds]")),
    ]));
}

fn append_analysis(shown: &Shown, tcp: &mut Field) {
    let mut analysis = Field::group("tcp.analysis", "[SEQ/ACK analysis]");
    if let Some(rtt) = shown.part.initial_rtt_s {
        let rtt = format!("{rtt:.9}");
        analysis.push(Field::new("tcp.analysis.initial_rtt", &*rtt, format!("[iRTT: {rtt} seconds]")));
    }
    if !shown.part.analysis.is_empty() {
        let flags = shown.part.analysis.iter().map(|&kind| {
            let name = format!("tcp.analysis.{}", kind.name());
            Field::group("_ws.expert", format!("[{}]", words(kind))).with([Field::hidden(name, "")])
        });
        analysis.push(Field::group("tcp.analysis.flags", "[TCP Analysis Flags]").with(flags));
    }
    if !analysis.children.is_empty() {
        tcp.push(analysis);
    }
}

/// As Wireshark's list of frames calls it.
fn words(kind: TcpAnalysis) -> &'static str {
    match kind {
        TcpAnalysis::Retransmission => "TCP Retransmission",
        TcpAnalysis::FastRetransmission => "TCP Fast Retransmission",
        TcpAnalysis::SpuriousRetransmission => "TCP Spurious Retransmission",
        TcpAnalysis::OutOfOrder => "TCP Out-Of-Order",
        TcpAnalysis::LostSegment => "TCP Previous segment not captured",
        TcpAnalysis::AckLostSegment => "TCP ACKed unseen segment",
        TcpAnalysis::DuplicateAck => "TCP Dup ACK",
        TcpAnalysis::KeepAlive => "TCP Keep-Alive",
        TcpAnalysis::KeepAliveAck => "TCP Keep-Alive ACK",
        TcpAnalysis::ZeroWindow => "TCP ZeroWindow",
        TcpAnalysis::ZeroWindowProbe => "TCP ZeroWindowProbe",
        TcpAnalysis::ZeroWindowProbeAck => "TCP ZeroWindowProbeAck",
        TcpAnalysis::WindowFull => "TCP Window Full",
        TcpAnalysis::WindowUpdate => "TCP Window Update",
        TcpAnalysis::ReusedPorts => "TCP Port numbers reused",
    }
}

fn append_payload(len: u64, dissection: &Dissection<'_>, tcp: &mut Field) {
    if len == 0 {
        return;
    }
    let payload = payload(dissection);
    let cut = len.saturating_sub(payload.len() as u64);
    let cut = if cut > 0 && dissection.tcp_octets().is_some() { format!(", {} not captured", bytes(cut)) } else { String::new() };
    let label = format!("TCP payload ({}{cut})", bytes(len));
    tcp.push(match payload {
        [] => Field::note(label),
        octets => Field::new("tcp.payload", hex_colons(octets), label),
    });
    if is_part_of_message(dissection) {
        tcp.push(Field::note("[A part of a message that is shown at the frame that completes it]"));
    }
}

/// Whether it brings something of a message and ends none.
fn is_part_of_message(dissection: &Dissection<'_>) -> bool {
    let Some(Shown { part, .. }) = &dissection.segment else { return false };
    part.is_new && dissection.own().next().is_none() && matches!(part.protocol, Some("http/1.1" | "websocket"))
}

/// The payload octets in this frame.
fn payload<'d>(dissection: &'d Dissection<'_>) -> &'d [u8] {
    let Some(header) = dissection.tcp_header() else { return &[] };
    let Some((_, range)) = dissection.headers.found.last() else { return &[] };
    dissection.octets(&(range.start + header.slice().len()..dissection.headers.end))
}

/// What each layer of the segment took on the wire, and what its messages are worth.
pub(super) fn cost(dissection: &Dissection<'_>) -> Option<Field> {
    let bytes = dissection.segment.as_ref()?.part.bytes;
    let layers = [("link", bytes.link), ("IP", bytes.ip), ("TCP", bytes.tcp), ("payload", bytes.payload)];
    let sum: Vec<_> = layers.iter().filter(|(_, len)| *len > 0).map(|(name, len)| format!("{name} {len}")).collect();
    let total = bytes.total();
    let field = |name: &'static str, len: u64| Field::hidden(name, len.to_string());
    Some(Field::group("wiretare", format!("[Cost: {total} bytes = {}]", sum.join(" + "))).with([
        field("wiretare.wire_bytes", total),
        field("wiretare.link_bytes", bytes.link),
        field("wiretare.ip_bytes", bytes.ip),
        field("wiretare.tcp_bytes", bytes.tcp),
        field("wiretare.payload_bytes", bytes.payload),
    ]))
}

/// What a list of frames says of a segment that ends no message.
pub(super) fn line(dissection: &Dissection<'_>) -> Option<String> {
    let numbers = Numbers::of(dissection)?;
    let mut line = String::new();
    if dissection.is_copy {
        line.push_str("[duplicate packet] ");
    }
    if let Some(shown) = &dissection.segment {
        for &kind in &shown.part.analysis {
            write!(line, "[{}] ", words(kind)).expect(TAKES);
        }
    }
    let (source, destination) = numbers.ports;
    write!(line, "{source} → {destination} [{}] Seq={}", numbers.flag_names(), numbers.seq).expect(TAKES);
    if numbers.has(Flags::ACK) {
        write!(line, " Ack={}", numbers.ack).expect(TAKES);
    }
    write!(line, " Win={} Len={}", numbers.scaled_window, numbers.len).expect(TAKES);
    if let Some(header) = dissection.tcp_header() {
        options::append_line(header.options(), numbers.shift(&header), &mut line);
    }
    if is_part_of_message(dissection) {
        line.push_str(" [TCP segment of a reassembled PDU]");
    }
    Some(line)
}

/// The protocol that a list of frames names for a segment that ends no message.
pub(super) fn protocol(dissection: &Dissection<'_>) -> &'static str {
    let begins_nothing = |ended: &Ended| matches!(ended, Ended::BrokenOff(_));
    let shown = dissection.segment.as_ref().filter(|shown| shown.part.payload_len > 0 && dissection.own().all(begins_nothing));
    match shown.and_then(|shown| shown.part.protocol) {
        Some("tls") => "TLS",
        Some("http/2") => "HTTP2",
        _ => "TCP",
    }
}
