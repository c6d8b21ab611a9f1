//! Content that is decoded later, several messages of a direction together and on several threads, changes no octet of the output;
//! and neither does taking packets and rows some at a time.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use flate2::{Compress, Compression, FlushCompress};
use wiretare::report::ndjson::Lines;
use wiretare::{Analyzer, AnomalyKind, Capture, ContentMode, Limits, Options, Row};

use crate::conversation::Conversation;
use crate::support::{captures_below, corpus, samples};

/// The rows as they are printed: taken one by one, behind each packet.
fn lines_one_by_one(mut capture: Capture, options: &Options) -> Vec<u8> {
    let (mut analyzer, mut lines, mut out) = (Analyzer::new(options.clone()), Lines::new(options.content), Vec::new());
    let mut take = |analyzer: &mut Analyzer| {
        while let Some(row) = analyzer.poll() {
            lines.append(&row, &mut out);
        }
    };
    while let Ok(Some(packet)) = capture.next() {
        analyzer.packet(&packet);
        take(&mut analyzer);
    }
    analyzer.finish();
    take(&mut analyzer);
    out
}

/// The same, as many packets and rows at a time as there are.
fn lines(mut capture: Capture, options: &Options) -> Vec<u8> {
    let (mut analyzer, mut lines, mut out) = (Analyzer::new(options.clone()), Lines::new(options.content), Vec::new());
    let mut take = |analyzer: &mut Analyzer| {
        let before = out.len();
        analyzer.rows().for_each(|row| lines.append(row, &mut out));
        out.len() > before
    };
    while let Ok(Some(packets)) = capture.next_packets() {
        analyzer.packets(packets);
        take(&mut analyzer);
    }
    analyzer.finish();
    while take(&mut analyzer) {}
    out
}

/// The same, as each row becomes known, put in the order of their numbers.
fn lines_by_number(mut capture: Capture, options: &Options) -> Vec<u8> {
    let (mut analyzer, mut lines, mut by_number) = (Analyzer::new(options.clone()), Lines::new(options.content), BTreeMap::new());
    let (mut next, mut next_late) = (0, 0);
    let mut take = |analyzer: &mut Analyzer| {
        let before = by_number.len();
        for (number, row) in analyzer.numbered_rows() {
            let order = if number < next { &mut next_late } else { &mut next };
            assert!(number >= *order, "row {number} comes behind row {}", *order - 1);
            *order = number + 1;
            let mut line = Vec::new();
            lines.append(row, &mut line);
            assert!(by_number.insert(number, line).is_none(), "row {number} comes once");
        }
        by_number.len() > before
    };
    while let Ok(Some(packets)) = capture.next_packets() {
        analyzer.packets(packets);
        take(&mut analyzer);
    }
    analyzer.finish();
    while take(&mut analyzer) {}
    assert!(by_number.keys().copied().eq(0..by_number.len() as u64), "no number is left out");
    by_number.into_values().flatten().collect()
}

fn assert_same(name: &str, open: impl Fn(&Limits) -> wiretare::Result<Capture>) {
    for content in [ContentMode::None, ContentMode::Full] {
        let one_by_one = Options { content, digest: content == ContentMode::Full, ..Options::default() };
        let Ok(capture) = open(&one_by_one.limits) else { return };
        let expected = lines_one_by_one(capture, &one_by_one);
        for (batches, jobs) in [(false, 1), (true, 1), (true, 3)] {
            for lines in [lines, lines_by_number] {
                let found = lines(open(&one_by_one.limits).expect("as before"), &Options { batches, jobs, ..one_by_one.clone() });
                let differs = expected.split(|&b| b == b'\n').zip(found.split(|&b| b == b'\n')).find(|(a, b)| a != b);
                let shown = differs.map(|(a, b)| [a, b].map(|line| String::from_utf8_lossy(line).into_owned()));
                assert!(expected == found, "{name}, in batches: {batches}, with {jobs} jobs: {shown:?}");
            }
        }
    }
}

fn assert_file_same(path: &Path) {
    assert_same(&path.display().to_string(), |limits| Capture::open(&[path.to_owned()], limits));
}

#[test]
fn batches_change_no_octet_of_the_output() {
    samples().iter().for_each(|path| assert_file_same(path));
}

#[test]
fn batches_change_no_octet_of_the_output_on_the_corpus() {
    let Some(corpus) = corpus() else { return };
    for folder in ["made", "public/websocket", "public/malformed"] {
        captures_below(&corpus.join(folder)).iter().for_each(|path| assert_file_same(path));
    }
}

/// A direction's messages, deflated with context takeover (RFC 7692 §7.2.1).
struct Sender(Compress);

impl Sender {
    fn deflate(&mut self, text: &[u8]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(text.len() + 64);
        self.0.compress_vec(text, &mut octets, FlushCompress::Sync).expect("room for all of it");
        octets.truncate(octets.len() - 4);
        octets
    }
}

/// A frame of the server; `first` is its first octet.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u16;
    let head = if len < 126 { vec![first, len as u8] } else { [&[first, 126][..], &len.to_be_bytes()].concat() };
    [&head[..], payload].concat()
}

/// A WebSocket with compression, from SYN to 101.
fn opened(port: u16) -> Conversation {
    let mut talk = Conversation::open_from(port);
    talk.client(
        "GET /w HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    );
    talk.server(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    );
    talk
}

/// The server says more than may wait, in every way that a message can come: short and long, in fragments, with a Ping between,
/// uncompressed, cut by a loss.
fn talk(port: u16, messages: u32) -> Conversation {
    let mut talk = opened(port);
    let mut sender = Sender(Compress::new(Compression::fast(), false));
    let mut noise = u32::from(port);
    let mut lost = Vec::new();
    for n in 0..messages {
        let text = format!("{{\"port\":{port},\"message\":{n},\"again\":\"and again the same words\"}}");
        let deflated = sender.deflate(text.as_bytes());
        match n % 1000 {
            100 => {
                // Deflates badly, to more than may wait.
                let octets = std::iter::repeat_with(|| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b' ' + (noise >> 24) as u8 % 90
                });
                let long = sender.deflate(&octets.take(9000).collect::<Vec<_>>());
                frame(0xc2, &long).chunks(1400).for_each(|part| {
                    talk.server(part);
                });
            }
            200 => {
                let (first, rest) = deflated.split_at(deflated.len() / 2);
                talk.server(frame(0x41, first)).server(frame(0x89, b"between")).server(frame(0x80, rest));
                continue;
            }
            300 => {
                talk.server(frame(0x81, b"as it is"));
            }
            400 if n > 15_000 => lost.push(talk.len() + 1),
            _ => {}
        }
        talk.server(frame(0xc1, &deflated));
    }
    lost.into_iter().rev().for_each(|frame| {
        talk.lose(frame);
    });
    talk.close();
    talk
}

#[test]
fn more_messages_than_may_wait_change_no_octet_either() {
    let talks: Vec<_> = [(1000, 9000), (1001, 12_000), (1002, 21_000)].into_iter().map(|(port, messages)| talk(port, messages)).collect();
    let file = Conversation::pcap_of_all(&talks);
    assert_same("talks", |limits| Capture::from_reader("talks", Cursor::new(file.clone()), limits));
    // That they were understood, and not only alike.
    let mut capture = Capture::from_reader("talks", Cursor::new(file), &Limits::default()).expect("a capture");
    let mut analyzer = Analyzer::new(Options { batches: true, jobs: 2, ..Options::default() });
    let mut known = 0;
    while let Ok(Some(packets)) = capture.next_packets() {
        analyzer.packets(packets);
        known += analyzer.rows().filter(|row| matches!(row, Row::Message(message) if message.content.bytes.is_some())).count();
    }
    analyzer.finish();
    known += std::iter::from_fn(|| analyzer.poll())
        .filter(|row| matches!(row, Row::Message(message) if message.content.bytes.is_some()))
        .count();
    assert!(known > 30_000, "{known} contents are known");
}

#[test]
fn rows_do_not_wait_for_those_before_them_that_do() {
    // Compressed messages, and in between on another connection such whose content is known at once.
    let (mut waiting, mut sender) = (opened(1000), Sender(Compress::new(Compression::fast(), false)));
    for n in 0..100 {
        waiting.server(frame(0xc1, &sender.deflate(format!("message {n}").as_bytes())));
    }
    let mut plain = opened(1001);
    for _ in 0..200 {
        plain.server(frame(0x81, b"as it is"));
    }
    let file = Conversation::pcap_of_all(&[waiting, plain]);
    let mut capture = Capture::from_reader("two", Cursor::new(file), &Limits::default()).expect("a capture");
    let mut analyzer = Analyzer::new(Options { batches: true, ..Options::default() });
    let messages = |analyzer: &mut Analyzer| -> Vec<u64> {
        let rows = analyzer.numbered_rows().filter(|(_, row)| matches!(row, Row::Message(_)));
        rows.map(|(number, _)| number).collect()
    };
    let mut early = Vec::new();
    while let Ok(Some(packets)) = capture.next_packets() {
        analyzer.packets(packets);
        early.extend(messages(&mut analyzer));
    }
    analyzer.finish();
    let late = messages(&mut analyzer);
    // The first messages of a connection are looked into when they come, and so do not wait.
    assert!(late.len() > 50, "{late:?} came behind {early:?}");
    assert!(early.iter().filter(|&&number| number > late[0]).count() > 50, "{late:?} came behind {early:?}");
}

/// The server says so many messages, text or binary, each in two segments; of the last one only the first comes.
fn talk_of_halves(first: u8, port: u16, messages: u32) -> Conversation {
    let mut talk = opened(port);
    let mut sender = Sender(Compress::new(Compression::fast(), false));
    for n in 0..messages {
        let octets = frame(first, &sender.deflate(format!("message {n} of {port}").as_bytes()));
        let (first, rest) = octets.split_at(octets.len() / 2);
        talk.server(first);
        if n + 1 < messages {
            talk.server(rest);
        }
    }
    talk
}

#[test]
fn message_that_comes_in_while_others_are_decoded_changes_no_octet_either() {
    for first in [0xc1, 0xc2] {
        let halves = |port, messages| talk_of_halves(first, port, messages);
        // When it is time to decode those that wait, a message comes in on one connection or the other; at the end, on all.
        for talks in [vec![halves(1000, 20)], vec![halves(1000, 9000), talk(1001, 1), halves(1002, 12_000)]] {
            let file = Conversation::pcap_of_all(&talks);
            assert_same("halves", |limits| Capture::from_reader("halves", Cursor::new(file.clone()), limits));
        }
    }
}

#[test]
fn message_in_fragments_that_does_not_decode_lies_where_it_begins() {
    let (mut talk, mut sender) = (opened(1000), Sender(Compress::new(Compression::fast(), false)));
    // More than are looked into, which do not wait.
    for n in 0..20 {
        talk.server(frame(0xc2, &sender.deflate(format!("message {n}").as_bytes())));
    }
    let segments = [frame(0xc2, &sender.deflate(b"before it")), frame(0x42, b"\x02"), frame(0x89, b"between"), frame(0x80, b"\x06")];
    let frames = segments.map(|segment| (talk.len() as u64 + 1, talk.server(segment)).0);
    let file = talk.close().pcap();
    assert_same("fragments", |limits| Capture::from_reader("fragments", Cursor::new(file.clone()), limits));
    let (rows, _) = talk.analyze(&Options { batches: true, ..Options::default() });
    let places = rows.iter().filter_map(|row| match row {
        Row::Message(message) => message.anomaly_details.of_kind(AnomalyKind::DecodingFailed).and_then(|detail| detail.place.frame),
        _ => None,
    });
    assert_eq!(places.collect::<Vec<_>>(), [frames[1]]);
}

#[test]
fn message_whose_beginning_came_late_lies_in_the_frame_that_carried_it() {
    let (mut talk, mut sender) = (opened(1000), Sender(Compress::new(Compression::fast(), false)));
    // More than are looked into, which do not wait.
    for n in 0..20 {
        talk.server(frame(0xc2, &sender.deflate(format!("message {n}").as_bytes())));
    }
    // Deflate without a block of this type, in two segments, of which the second came first.
    let broken = frame(0xc2, b"\x06\x06\x06\x06");
    let (begin, rest) = broken.split_at(3);
    talk.server(begin).server(rest);
    let late = talk.len();
    let file = talk.swap(late - 1, late).close().pcap();
    assert_same("late", |limits| Capture::from_reader("late", Cursor::new(file.clone()), limits));
    for batches in [true, false] {
        let (rows, _) = talk.analyze(&Options { batches, ..Options::default() });
        let places = rows.iter().filter_map(|row| match row {
            Row::Message(message) => message.anomaly_details.of_kind(AnomalyKind::DecodingFailed).and_then(|detail| detail.place.frame),
            _ => None,
        });
        assert_eq!(places.collect::<Vec<_>>(), [late as u64], "batches: {batches}");
    }
}
