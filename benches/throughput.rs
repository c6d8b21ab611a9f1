//! Packets a second through the whole pipeline, on traffic made in memory: what one thread does between the reader's
//! buffer and the rows.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use wiretare::{Analyzer, Capture, Limits, Options};

#[path = "../tests/integration/conversation.rs"]
#[allow(dead_code)]
mod conversation;
use conversation::Conversation;

const REQUEST: &str = "GET /live HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const POLL: &str = "GET /updates?since=12 HTTP/1.1\r\nHost: example.test\r\nAccept: application/json\r\n\
    X-Requested-With: XMLHttpRequest\r\nCookie: session=0123456789abcdef\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{\"price\":101.5,\"id\":123}";

/// Small masked and unmasked text messages, each in its own segment, each acknowledged.
fn small_messages() -> Conversation {
    let text = b"{\"type\":\"tick\",\"price\":101.25,\"volume\":7}";
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let masked: Vec<u8> = text.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let from_client = [&[0x81, 0x80 | text.len() as u8], &mask[..], &masked].concat();
    let from_server = [&[0x81, text.len() as u8], &text[..]].concat();
    let mut conversation = Conversation::open();
    conversation.client(REQUEST).server(RESPONSE);
    for _ in 0..5000 {
        conversation.client(&from_client).server_acknowledges().server(&from_server).client_acknowledges();
    }
    conversation
}

/// Polls on one connection that is kept alive.
fn polls() -> Conversation {
    let mut conversation = Conversation::open();
    for _ in 0..2000 {
        conversation.client(POLL).server(ANSWER).client_acknowledges();
    }
    conversation
}

fn analyze(capture: std::io::Cursor<Vec<u8>>) -> usize {
    let mut capture = Capture::from_reader("bench", capture, &Limits::default()).expect("a well-formed capture");
    let mut analyzer = Analyzer::new(Options::default());
    let mut rows = 0;
    while let Some(packet) = capture.next().expect("a well-formed capture") {
        analyzer.packet(&packet);
        while let Some(row) = analyzer.poll() {
            black_box(row);
            rows += 1;
        }
    }
    rows
}

fn throughput(criterion: &mut Criterion) {
    for (name, conversation) in [("websocket_small", small_messages()), ("ajax_polls", polls())] {
        let pcap = conversation.pcap();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(conversation.len() as u64));
        group.bench_function("packets", |bencher| {
            bencher.iter_batched(|| std::io::Cursor::new(pcap.clone()), analyze, BatchSize::LargeInput);
        });
        group.finish();
    }
}

criterion_group!(benches, throughput);
criterion_main!(benches);
