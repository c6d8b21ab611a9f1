use flate2::{Compress, FlushCompress};
use sha2::Sha256;
use twox_hash::XxHash3_64;

use super::*;
use crate::message::Direction;
use crate::options::{ContentMode, Limits};
use crate::websocket::ContextTakeover;

const TEXT: Form<'_> = Form::WebSocket { opcode: Opcode::Text, compressed: false };
const DEFLATED: Form<'_> = Form::WebSocket { opcode: Opcode::Text, compressed: true };
const PING: Form<'_> = Form::WebSocket { opcode: Opcode::Ping, compressed: false };

fn http(content_encoding: &[u8]) -> Form<'_> {
    Form::Http { content_encoding, len: None, target: b"/", direction: Direction::ServerToClient, is_event_stream: false }
}

fn full() -> Options {
    Options { content: ContentMode::Full, digest: true, ..Options::default() }
}

fn stage(options: &Options) -> Stage {
    let mut stage = Stage::new(options);
    stage.set_compression(Some(Compression::ASSUMED));
    stage
}

fn content_of(stage: &mut Stage, form: Form<'_>, pieces: &[&[u8]]) -> Content {
    stage.begin(form);
    pieces.iter().for_each(|piece| stage.data(piece));
    stage.end(true)
}

fn content(octets: &[u8]) -> Content {
    let sha256 = Some(Box::new(Sha256::digest(octets).into()));
    Content { bytes: Some(octets.len() as u64), sha256, sample: Some(octets.into()), ..Content::default() }
}

fn unknown(kind: AnomalyKind) -> Content {
    Content { anomalies: AnomalySet::from_iter([kind]), ..Content::default() }
}

/// What "Hello" deflates to, and again with the context of the first (RFC 7692 §7.2.3).
const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const HELLO_AGAIN: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];

#[test]
fn content_is_counted_digested_and_sampled_as_asked_for() {
    assert_eq!(content_of(&mut stage(&full()), TEXT, &[b"Hel", b"lo"]), content(b"Hello"));
    let counted = Content { bytes: Some(5), ..Content::default() };
    assert_eq!(content_of(&mut stage(&Options::default()), TEXT, &[b"Hello"]), counted);
    let mut options = Options { content: ContentMode::Preview, ..Options::default() };
    options.limits.preview = 3;
    let previewed = Content { bytes: Some(5), sample: Some(b"Hel"[..].into()), ..Content::default() };
    assert_eq!(content_of(&mut stage(&options), TEXT, &[b"He", b"llo"]), previewed);
}

#[test]
fn text_that_is_not_utf8_is_said_even_when_compressed() {
    let mut stage = stage(&Options::default());
    let odd = Content { bytes: Some(3), ..unknown(AnomalyKind::InvalidUtf8) };
    assert_eq!(content_of(&mut stage, TEXT, &[b"ab", b"\xc3"]), odd);
    // A stored block of the three octets, then the empty one.
    assert_eq!(content_of(&mut stage, DEFLATED, &[b"\x00\x03\x00\xfc\xffab\xc3", b"\x00"]), odd);
    assert_eq!(content_of(&mut stage, TEXT, &[b"a\xc3", b"\xa4"]).anomalies, AnomalySet::EMPTY);
}

#[test]
fn control_frame_between_compressed_fragments_leaves_them_alone() {
    let mut stage = stage(&full());
    stage.begin(DEFLATED);
    stage.data(&HELLO[..3]);
    assert_eq!(content_of(&mut stage, PING, &[b"p"]), content(b"p"));
    stage.data(&HELLO[3..]);
    assert_eq!(stage.end(true), content(b"Hello"));
}

#[test]
fn plain_messages_between_compressed_ones_leave_the_context_alone() {
    let mut stage = stage(&full());
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO]), content(b"Hello"));
    assert_eq!(content_of(&mut stage, TEXT, &[b"plain"]), content(b"plain"));
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), content(b"Hello"));
    assert_eq!(content_of(&mut stage, DEFLATED, &[b"\x00"]), content(b""));
}

#[test]
fn missing_octets_of_plain_content_are_counted() {
    let mut stage = stage(&full());
    stage.begin(TEXT);
    stage.data(b"ab");
    stage.missing(3);
    stage.data(b"\xa4c");
    assert_eq!(stage.end(true), Content { bytes: Some(7), ..Content::default() });
}

#[test]
fn missing_octets_of_a_compressed_message_make_later_ones_unknown() {
    let mut stage = stage(&full());
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO]), content(b"Hello"));
    stage.begin(DEFLATED);
    stage.data(&HELLO[..2]);
    stage.missing(2);
    stage.data(&HELLO[4..]);
    assert_eq!(stage.end(true), Content::default());
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), unknown(AnomalyKind::LostCompressionContext));
    // It stands for itself, so it is certain; and so is what refers to it.
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO]), content(b"Hello"));
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), content(b"Hello"));
}

#[test]
fn without_takeover_a_loss_makes_one_message_unknown() {
    let mut stage = Stage::new(&full());
    stage.set_compression(Some(Compression { context_takeover: ContextTakeover::Reset, ..Compression::ASSUMED }));
    stage.begin(DEFLATED);
    stage.missing(7);
    assert_eq!(stage.end(true), Content::default());
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO]), content(b"Hello"));
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), unknown(AnomalyKind::DecodingFailed));
}

#[test]
fn messages_lost_before_the_first_compressed_one_count_too() {
    let mut stage = stage(&full());
    stage.lose_context();
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), unknown(AnomalyKind::LostCompressionContext));
}

#[test]
fn message_that_ended_early_is_unknown() {
    let mut stage = stage(&full());
    for form in [TEXT, DEFLATED] {
        stage.begin(form);
        stage.data(&HELLO[..4]);
        assert_eq!(stage.end(false).bytes, None);
    }
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), unknown(AnomalyKind::LostCompressionContext));
}

#[test]
fn fragments_are_each_decoded_by_themselves() {
    let mut stage = stage(&full());
    stage.begin(TEXT);
    stage.data(b"a\xc3");
    stage.fragment(false);
    stage.data(b"\xa4 ");
    stage.fragment(true);
    stage.data(HELLO);
    stage.fragment(true);
    stage.data(HELLO_AGAIN);
    assert_eq!(stage.end(true), content("aä HelloHello".as_bytes()));
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), content(b"Hello"));
}

#[test]
fn loss_of_the_context_within_a_message_concerns_compressed_ones() {
    let mut stage = stage(&full());
    for (form, encoded, expected) in [(TEXT, &b"abcdef"[..], content(b"abcdef")), (DEFLATED, HELLO, Content::default())] {
        stage.begin(form);
        stage.data(&encoded[..3]);
        stage.lose_context();
        stage.data(&encoded[3..]);
        assert_eq!(stage.end(true), expected, "{form:?}");
        assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), unknown(AnomalyKind::LostCompressionContext));
    }
}

#[test]
fn obscured_message_is_unknown_and_so_is_the_context() {
    let mut stage = stage(&full());
    for (form, begun, odd) in [(TEXT, &b"ab"[..], None), (TEXT, b"\xff", Some(AnomalyKind::InvalidUtf8)), (DEFLATED, &HELLO[..3], None)] {
        stage.begin(form);
        stage.data(begun);
        stage.obscure();
        stage.data(b"\xff");
        assert_eq!(stage.end(true), odd.map_or_else(Content::default, unknown), "{form:?}");
        assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO_AGAIN]), unknown(AnomalyKind::LostCompressionContext));
    }
}

#[test]
fn text_that_is_no_deflate_is_not_called_invalid() {
    // A stored block of an octet that is no text, and what is no block.
    let mut stage = stage(&full());
    assert_eq!(content_of(&mut stage, DEFLATED, &[b"\x00\x01\x00\xfe\xff\xff", b"\x06"]), unknown(AnomalyKind::DecodingFailed));
}

#[test]
fn bomb_stops_at_the_limit() {
    let mut bomb = Vec::with_capacity(8192);
    let mut compress = Compress::new(flate2::Compression::best(), false);
    compress.compress_vec(&vec![0; 1 << 20], &mut bomb, FlushCompress::Sync).expect("room for all of it");
    let mut options = full();
    options.limits.decoded_content = 100_000;
    let mut stage = stage(&options);
    assert_eq!(content_of(&mut stage, DEFLATED, &[&bomb[..bomb.len() - 4]]), unknown(AnomalyKind::DecodedContentLimit));
}

#[test]
fn compression_that_nothing_defines_is_unknown() {
    let mut stage = Stage::new(&full());
    assert_eq!(content_of(&mut stage, DEFLATED, &[HELLO]), Content::default());
}

#[test]
fn http_content_is_decoded_as_its_codings_say() {
    let mut stage = Stage::new(&full());
    let stored = b"\x78\x01\x01\x05\x00\xfa\xffHello\x05\x8c\x01\xf5";
    let mut decoded = |coding: &[u8], pieces: &[&[u8]]| {
        let mut content = content_of(&mut stage, http(coding), pieces);
        let identity = content.http.take().and_then(|http| http.identity);
        (content, identity)
    };
    let plain = decoded(b"", &[b"Hello"]);
    assert_eq!(plain.0, content(b"Hello"));
    assert!(plain.1.is_some());
    // The same content has the same identity, however it is coded and cut.
    assert_eq!(decoded(b"deflate", &[stored]), plain);
    assert_eq!(decoded(b"", &[b"He", b"llo"]), plain);
    assert_ne!(decoded(b"", &[b"hello"]).1, plain.1);
    let long: Vec<u8> = (0..5000).map(|at| (at * at / 7) as u8).collect();
    let pieces: Vec<&[u8]> = long.chunks(333).collect();
    assert_eq!(decoded(b"", &[&long]).1, decoded(b"", &pieces).1);
    assert_eq!(decoded(b"x-nobodys", &[b"Hello"]), (unknown(AnomalyKind::UnknownContentCoding), None));
    assert_eq!(decoded(b"deflate", &[b"\x78\x01\xff\xff\xff"]), (unknown(AnomalyKind::DecodingFailed), None));
}

/// A stored block of five octets, as `deflate`.
fn stored(text: &[u8; 5]) -> Vec<u8> {
    [&b"\x01\x05\x00\xfa\xff"[..], text].concat()
}

#[test]
fn content_that_came_before_comes_to_the_same() {
    let mut stage = Stage::new(&Options::default());
    let coded = |stage: &mut Stage, coding: &[u8], encoded: &[u8], len: usize| {
        let pieces: Vec<_> = encoded.chunks(len).collect();
        let content = content_of(stage, http(coding), &pieces);
        assert_eq!(stage.whole(http(coding), encoded, true), content, "in pieces of {len}");
        (content.bytes, content.anomalies, content.http.and_then(|http| http.identity))
    };
    for len in [1, 4, 100] {
        let identity = |octets: &[u8]| Some(XxHash3_64::oneshot(octets));
        assert_eq!(coded(&mut stage, b"deflate", &stored(b"Hello"), len), (Some(5), AnomalySet::EMPTY, identity(b"Hello")));
        assert_eq!(coded(&mut stage, b"deflate", &stored(b"Hallo"), len), (Some(5), AnomalySet::EMPTY, identity(b"Hallo")));
        let failed = (None, AnomalySet::from_iter([AnomalyKind::DecodingFailed]), None);
        assert_eq!(coded(&mut stage, b"gzip", &stored(b"Hello"), len), failed);
    }
}

#[test]
fn coded_content_is_decoded_where_it_is_too_long_to_be_held_or_not_all_there() {
    let mut stage = Stage::new(&Options::default());
    let blocks = b"\x00\x05\x00\xfa\xffHello".repeat(2000);
    let long = [&blocks[..], &stored(b"Hello")].concat();
    let pieces: Vec<_> = long.chunks(1000).collect();
    assert_eq!(content_of(&mut stage, http(b"deflate"), &pieces).bytes, Some(5 * 2001));
    for complete in [true, false] {
        stage.begin(http(b"deflate"));
        stage.data(&blocks[..100]);
        stage.missing(u64::from(complete));
        stage.data(&stored(b"Hello"));
        let content = stage.end(complete);
        assert_eq!((content.bytes, content.anomalies), (None, AnomalySet::EMPTY), "complete: {complete}");
    }
    // What is no gzip is so even if it never ends.
    stage.begin(http(b"gzip"));
    stage.data(b"no gzip");
    assert_eq!(stage.end(false).anomalies, AnomalySet::from_iter([AnomalyKind::DecodingFailed]));
}

#[test]
fn message_waits_for_others_only_where_little_is_kept_of_it() {
    let waits = |content, preview| {
        let mut options = Options { batches: true, content, ..Options::default() };
        options.limits.preview = preview;
        content_of(&mut stage(&options), DEFLATED, &[HELLO]).is_waiting
    };
    assert!(waits(ContentMode::None, usize::MAX));
    assert_eq!([1024, 1025].map(|most| waits(ContentMode::Preview, most)), [true, false]);
    assert!(!waits(ContentMode::Full, 0), "a message of few octets may inflate to a thousand times as many");
}

#[test]
fn heads_of_messages_under_way_count_and_go_when_they_were_looked_at() {
    let mut stage = stage(&Options::default());
    stage.keep_heads(Some(10_000), 10_000);
    stage.begin(TEXT);
    stage.data(&[b'x'; 6000]);
    assert!(stage.keeps_head() && stage.memory() >= 6000);
    stage.begin(PING);
    stage.data(&[b'x'; 5000]);
    assert!(stage.memory() >= 11_000, "of the Ping between its fragments as well");
    stage.end(true);
    stage.end(true);
    assert_eq!(stage.head().map(<[u8]>::len), Some(6000));
    assert!(!stage.keeps_head() && stage.memory() >= 6000);
    stage.forget_head();
    assert_eq!(stage.memory(), 0);
}

#[test]
fn what_is_kept_for_the_next_message_holds_nothing() {
    let mut stage = stage(&Options::default());
    stage.keep_heads(Some(10_000), 10_000);
    for len in [100, 400, 3000, 200] {
        stage.begin(TEXT);
        stage.data(&vec![b'x'; len]);
        stage.end(true);
        stage.forget_head();
        assert_eq!(stage.memory(), 0, "{len} octets");
    }
}

#[test]
fn large_previews_wait_no_more_than_full_contents() {
    let with = |preview| {
        let defaults = Options::default();
        Options { content: ContentMode::Preview, limits: Limits { preview, ..defaults.limits }, ..defaults }
    };
    assert!(!with(1 << 10).keeps_large_contents() && with(1 << 20).keeps_large_contents());
    assert!(full().keeps_large_contents() && !Options::default().keeps_large_contents());
}

#[test]
fn head_of_a_poll_is_counted_and_goes_with_its_end() {
    let mut stage = stage(&Options::default());
    let form = Form::Http {
        content_encoding: b"",
        len: Some(6001),
        target: b"/socket.io/?EIO=4&transport=polling",
        direction: Direction::ServerToClient,
        is_event_stream: false,
    };
    stage.begin(form);
    stage.data(&[b'4'; 6000]);
    assert!(stage.memory() >= 6000);
    stage.data(b"4");
    assert!(stage.end(true).envelope.is_some());
    assert_eq!(stage.memory(), 0);
}
