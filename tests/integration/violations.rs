//! What breaks the specifications of WebSocket: each kind with its section, its frame and its stream offset; and opening
//! handshakes that were refused.

use serde_json::Value;
use wiretare::report::{Report, Settings};
use wiretare::{AnomalyKind, ContentMode, Options, RefusalReason, Row, Summary, Totals, Upgrade};

use crate::conversation::Conversation;
use crate::support::{analyze, corpus, difference, sample};

/// An oddity as a row tells it: name, section, captured frame, stream offset.
type Told = (&'static str, Option<&'static str>, Option<u64>, Option<u64>);

const ASKED: &str = "GET /ws HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\
                     Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

const ANSWERED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// First frame behind the three-way handshake and the opening handshake.
const FIRST: u64 = 6;

fn answered(deflate: bool) -> String {
    if deflate { ANSWERED.replace("xOo=\r\n\r\n", &format!("xOo=\r\n{DEFLATE}")) } else { ANSWERED.to_owned() }
}

/// A server's frame: first octet, and payload data of at most 125 octets.
fn server(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

/// The same, masked: 6 octets of header.
fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(&[first, payload.len() as u8 | 0x80], payload)
}

fn masked(header: &[u8], payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
    let payload: Vec<u8> = payload.iter().zip(KEY.iter().cycle()).map(|(octet, key)| octet ^ key).collect();
    [header, &KEY, &payload].concat()
}

fn told(row: &Row) -> Vec<Told> {
    let (set, details) = match row {
        Row::Exchange(exchange) => (exchange.anomalies, &exchange.anomaly_details),
        Row::Message(message) => (message.anomalies, &message.anomaly_details),
        Row::Connection(_) => return Vec::new(),
    };
    let tell = |kind: AnomalyKind| {
        let place = details.of_kind(kind).map(|detail| detail.place);
        (kind.name(), kind.reference(), place.and_then(|place| place.frame), place.map(|place| place.stream_offset))
    };
    set.iter().map(tell).collect()
}

/// What is told of what one side says behind the opening handshake, a segment each; offsets count from there.
fn told_of(from_client: bool, deflate: bool, segments: &[Vec<u8>]) -> Vec<Told> {
    let mut conversation = Conversation::open();
    let answer = answered(deflate);
    conversation.client(ASKED).server(&answer);
    for segment in segments {
        if from_client {
            conversation.client(segment)
        } else {
            conversation.server(segment)
        };
    }
    let (rows, totals) = conversation.close().analyze(&Options::default());
    assert_eq!(difference(&rows, &totals), 0);
    let begin = if from_client { ASKED.len() } else { answer.len() } as u64;
    let told = rows.iter().flat_map(told);
    told.map(|(kind, section, frame, offset)| (kind, section, frame, offset.map(|offset| offset - begin))).collect()
}

/// A stream of one side, and what is odd in it: (kind, section, n-th segment from 0, offset).
struct Case {
    what: &'static str,
    from_client: bool,
    deflate: bool,
    segments: Vec<Vec<u8>>,
    odd: Vec<(&'static str, Option<&'static str>, u64, u64)>,
}

type Odd = (&'static str, &'static str, u64, u64);

fn case(what: &'static str, from_client: bool, deflate: bool, segments: Vec<Vec<u8>>, odd: &[Odd]) -> Case {
    let odd = odd.iter().map(|&(kind, section, at, offset)| (kind, Some(section).filter(|section| !section.is_empty()), at, offset));
    Case { what, from_client, deflate, segments, odd: odd.collect() }
}

/// Text as one stored block (RFC 1951 §3.2.4) and the empty one without its last four octets (RFC 7692 §7.2.1).
fn stored(text: &[u8]) -> Vec<u8> {
    let len = text.len() as u16;
    [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), text, &[0]].concat()
}

fn frames_alone() -> Vec<Case> {
    let [plain, deflate] = [false, true];
    let (cl, se) = (
        |segments, odd: &[Odd], what| case(what, true, plain, segments, odd),
        |segments, odd: &[Odd], what| case(what, false, plain, segments, odd),
    );
    let hi = || client(0x81, b"hi");
    vec![
        cl(vec![server(0x81, b"hi")], &[("unmasked_client_frame", "RFC 6455 §5.1", 0, 0)], "unmasked client frame"),
        // 2 + 4 + 2 octets of an even one before it.
        cl(vec![[hi(), server(0x81, b"hi")].concat()], &[("unmasked_client_frame", "RFC 6455 §5.1", 0, 8)], "behind another in a segment"),
        cl(
            vec![[hi(), vec![0x81]].concat(), server(0x81, b"hi")[1..].to_vec()],
            &[("unmasked_client_frame", "RFC 6455 §5.1", 0, 8)],
            "cut within its header: where that begins",
        ),
        se(vec![client(0x82, b"hi")], &[("masked_server_frame", "RFC 6455 §5.1", 0, 0)], "masked server frame"),
        cl(vec![hi(), client(0xa1, b"hi")], &[("reserved_bits", "RFC 6455 §5.2", 1, 8)], "RSV2"),
        se(vec![server(0x91, b"hi")], &[("reserved_bits", "RFC 6455 §5.2", 0, 0)], "RSV3"),
        se(vec![server(0xc1, b"hi")], &[("reserved_bits", "RFC 6455 §5.2", 0, 0)], "RSV1 without an extension"),
        se(vec![server(0xc9, b"hi")], &[("reserved_bits", "RFC 6455 §5.2", 0, 0)], "RSV1 of a ping without an extension"),
        case("RSV1 of a ping", false, deflate, vec![server(0xc9, b"hi")], &[("compressed_control_frame", "RFC 7692 §6.1", 0, 0)]),
        case(
            "RSV1 and RSV2 of a Close",
            true,
            deflate,
            vec![client(0xe8, b"\x03\xe8")],
            &[("reserved_bits", "RFC 6455 §5.2", 0, 0), ("compressed_control_frame", "RFC 7692 §6.1", 0, 0)],
        ),
        case("RSV2 beside RSV1", false, deflate, vec![server(0xe1, &stored(b"a"))], &[("reserved_bits", "RFC 6455 §5.2", 0, 0)]),
        case(
            "RSV1 of a continuation",
            false,
            deflate,
            vec![server(0x41, &stored(b"a")[..3]), server(0xc0, &stored(b"a")[3..])],
            &[("compressed_continuation", "RFC 7692 §6.1", 1, 5)],
        ),
        cl(vec![client(0x83, b"hi")], &[("reserved_opcode", "RFC 6455 §5.2", 0, 0)], "reserved data opcode"),
        se(vec![server(0x8b, b"hi")], &[("reserved_opcode", "RFC 6455 §5.2", 0, 0)], "reserved control opcode"),
        cl(vec![masked(&[0x81, 0xfe, 0, 2], b"hi")], &[("non_minimal_length", "RFC 6455 §5.2", 0, 0)], "two octets of length for one"),
        se(
            vec![[&[0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0][..], &[b'x'; 256]].concat()],
            &[("non_minimal_length", "RFC 6455 §5.2", 0, 0)],
            "eight octets of length for two",
        ),
        se(
            vec![server(0x81, b"hi"), [&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 2][..], b"hi"].concat()],
            &[("length_top_bit", "RFC 6455 §5.2", 1, 4), ("incomplete_message", "", 1, 4)],
            "64-bit length with its top bit set",
        ),
        cl(vec![masked(&[0x89, 0xfe, 0, 130], &[b'x'; 130])], &[("control_frame_too_long", "RFC 6455 §5.5", 0, 0)], "ping of 130 octets"),
        cl(vec![client(0x09, b"hi")], &[("fragmented_control_frame", "RFC 6455 §5.5", 0, 0)], "ping that is not final"),
        // As Autobahn's 5.1: the second half of the ping continues nothing.
        cl(
            vec![client(0x09, b"a"), client(0x80, b"b")],
            &[("fragmented_control_frame", "RFC 6455 §5.5", 0, 0), ("orphan_continuation", "RFC 6455 §5.4", 1, 7)],
            "ping in two fragments",
        ),
    ]
}

fn messages_and_closes() -> Vec<Case> {
    let [plain, deflate] = [false, true];
    let (cl, se) = (
        |segments, odd: &[Odd], what| case(what, true, plain, segments, odd),
        |segments, odd: &[Odd], what| case(what, false, plain, segments, odd),
    );
    let close = |payload: &[u8]| client(0x88, payload);
    let code = |code: u16| vec![close(&code.to_be_bytes())];
    let bad_code = [("invalid_close_code", "RFC 6455 §7.4", 0, 0)];
    vec![
        cl(vec![client(0x80, b"hi")], &[("orphan_continuation", "RFC 6455 §5.4", 0, 0)], "continuation of nothing"),
        // 6 + 1 octets of the unfinished one.
        cl(
            vec![client(0x01, b"a"), client(0x81, b"b")],
            &[("missing_continuation", "RFC 6455 §5.4", 1, 7), ("incomplete_message", "", 0, 0)],
            "new message before the end of the last",
        ),
        cl(
            vec![client(0x01, b"a"), client(0x00, b"b"), server(0x80, b"c")],
            &[("unmasked_client_frame", "RFC 6455 §5.1", 2, 14)],
            "third fragment is odd",
        ),
        cl(code(1005), &bad_code, "code that stands for no code"),
        cl(code(1004), &bad_code, "reserved code"),
        cl(code(1015), &bad_code, "code that stands for a failed TLS handshake"),
        cl(code(999), &bad_code, "code below all ranges"),
        cl(code(2999), &bad_code, "code that is not assigned"),
        cl(code(5000), &bad_code, "code above all ranges"),
        cl(code(1010), &[], "client that missed an extension"),
        se(vec![server(0x88, &1010_u16.to_be_bytes())], &[("misused_close_code", "RFC 6455 §7.4.1", 0, 0)], "server that missed one"),
        cl(vec![close(b"\x03")], &[("short_close_payload", "RFC 6455 §5.5.1", 0, 0)], "half a code"),
        cl(vec![close(b"")], &[], "Close without a code"),
        // 6 octets of header, 2 of code, "a".
        cl(vec![close(b"\x03\xe8a\xff")], &[("invalid_utf8", "RFC 6455 §8.1", 0, 9)], "reason that is not UTF-8"),
        cl(
            vec![close(b"\x03\xe8a\xff")[..8].to_vec(), close(b"\x03\xe8a\xff")[8..].to_vec()],
            &[("invalid_utf8", "RFC 6455 §8.1", 1, 9)],
            "the same over two segments",
        ),
        cl(vec![close(b"\x03\xe8"), client(0x81, b"hi")], &[("data_after_close", "RFC 6455 §5.5.1", 1, 8)], "message behind a Close"),
        cl(vec![close(b"\x03\xe8"), close(b"\x03\xe8")], &[("second_close", "RFC 6455 §5.5.1", 1, 8)], "Close behind a Close"),
        cl(vec![close(b"\x03\xe8"), client(0x8a, b"")], &[], "pong behind a Close"),
        cl(vec![client(0x81, b"ab\xff")], &[("invalid_utf8", "RFC 6455 §8.1", 0, 8)], "octet that begins no character"),
        se(vec![server(0x81, b"ab\xe2\x82")], &[("invalid_utf8", "RFC 6455 §8.1", 0, 4)], "text that ends within a character"),
        // A character over two fragments, 6 + 2 and 6 + 2 octets, and a ping between.
        cl(vec![client(0x01, b"a\xc3"), client(0x89, b""), client(0x80, b"\xa4b")], &[], "character over two fragments"),
        cl(
            vec![client(0x01, b"a\xe2"), client(0x89, b""), client(0x00, b"\x82"), client(0x80, b"(")],
            &[("invalid_utf8", "RFC 6455 §8.1", 0, 7)],
            "what is no character over three fragments",
        ),
        cl(vec![client(0x01, b"ab"), client(0x80, b"c\xff")], &[("invalid_utf8", "RFC 6455 §8.1", 1, 15)], "second fragment is not UTF-8"),
        cl(
            vec![client(0x01, b"ab"), client(0x80, b"c\xc3")],
            &[("invalid_utf8", "RFC 6455 §8.1", 1, 15)],
            "last fragment ends within a character",
        ),
        se(
            vec![server(0x81, b"a\xe2\x82x")[..4].to_vec(), server(0x81, b"a\xe2\x82x")[4..5].to_vec(), b"x".to_vec()],
            &[("invalid_utf8", "RFC 6455 §8.1", 0, 3)],
            "what is no character over three segments",
        ),
        se(
            vec![server(0x81, b"ab\xffx")[..4].to_vec(), server(0x81, b"ab\xffx")[4..].to_vec()],
            &[("invalid_utf8", "RFC 6455 §8.1", 1, 4)],
            "second segment of a frame is not UTF-8",
        ),
        // What decodes to it cannot be told by octets.
        case(
            "compressed text",
            false,
            deflate,
            vec![server(0xc1, &stored(b"a")), server(0xc1, &stored(b"ab\xff"))],
            &[("invalid_utf8", "RFC 6455 §8.1", 1, 9)],
        ),
        case(
            "compressed text in fragments",
            false,
            deflate,
            vec![server(0x41, &stored(b"ab\xff")[..6]), server(0x80, &stored(b"ab\xff")[6..])],
            &[("invalid_utf8", "RFC 6455 §8.1", 1, 8)],
        ),
        case("deflate that is none", false, deflate, vec![server(0xc1, b"\x06")], &[("decoding_failed", "", 0, 0)]),
        // The message as a whole does not decode: it begins behind another, of 2 + 7 octets.
        case(
            "deflate that is none in fragments",
            false,
            deflate,
            vec![server(0xc1, &stored(b"a")), server(0x42, b"\x02"), server(0x89, b"?"), server(0x00, b"\x06"), server(0x80, b"\x06")],
            &[("decoding_failed", "", 1, 9)],
        ),
        // How far it was decoded is not to be told by what came of it.
        case(
            "deflate that is none behind text that is none",
            false,
            deflate,
            vec![server(0xc1, &[&stored(b"ab\xff")[..8], b"\x06"].concat())],
            &[("decoding_failed", "", 0, 0)],
        ),
        // Its payload data is taken as it is: 2 octets of header, 2 of code, "a".
        case(
            "compressed Close with a reason that is not UTF-8",
            false,
            deflate,
            vec![server(0xc8, b"\x03\xe8a\xff")],
            &[("compressed_control_frame", "RFC 7692 §6.1", 0, 0), ("invalid_utf8", "RFC 6455 §8.1", 0, 5)],
        ),
    ]
}

/// "Hello" as the first message of a context, and behind the same (RFC 7692 §7.2.3).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
const HELLO_AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

/// What one side says under an extension, a segment for each frame: octets of content, whether compressed, content, what is odd.
fn said(from_client: bool, extension: &str, octets: &[u8], options: &Options) -> Vec<(Option<u64>, bool, String, Vec<&'static str>)> {
    let said_in = |pieces: Vec<&[u8]>| -> Vec<_> {
        let mut conversation = Conversation::open();
        let [asked, answer] = [ASKED, &answered(true)].map(|half| half.replace("permessage-deflate", extension));
        conversation.client(&asked).server(&answer);
        for piece in pieces {
            if from_client {
                conversation.client(piece)
            } else {
                conversation.server(piece)
            };
        }
        let (rows, totals) = conversation.close().analyze(options);
        assert_eq!(difference(&rows, &totals), 0);
        let messages = rows.iter().filter_map(|row| if let Row::Message(message) = row { Some(message) } else { None });
        messages
            .map(|message| {
                let content = String::from_utf8_lossy(message.content.sample.as_deref().unwrap_or_default()).into_owned();
                (message.cost.content_bytes, message.compressed, content, message.anomalies.iter().map(AnomalyKind::name).collect())
            })
            .collect()
    };
    let whole = said_in(vec![octets]);
    assert_eq!(said_in(octets.chunks(1).collect()), whole, "octet by octet");
    whole
}

fn with_content() -> Options {
    Options { content: ContentMode::Full, ..Options::default() }
}

/// Netty leaves fragments without octets uncompressed.
#[test]
fn frames_compressed_each_by_itself_are_decoded_each_by_itself() {
    let octets = [
        server(0xc1, HELLO),
        [server(0x01, b""), server(0xc0, HELLO_AGAIN)].concat(),
        [server(0x41, HELLO_AGAIN), server(0x80, b"")].concat(),
        [server(0x41, HELLO_AGAIN), server(0x89, b"p"), server(0x00, b", plain "), server(0xc0, HELLO_AGAIN)].concat(),
        server(0x81, b"plain"),
        server(0xc1, HELLO_AGAIN),
    ];
    let text = |compressed, text: &str| (Some(text.len() as u64), compressed, text.to_owned(), vec![]);
    let expected = [
        text(true, "Hello"),
        text(true, "Hello"),
        text(true, "Hello"),
        text(false, "p"),
        text(true, "Hello, plain Hello"),
        text(false, "plain"),
        text(true, "Hello"),
    ];
    for options in [with_content(), Options { batches: true, ..with_content() }] {
        assert_eq!(said(false, "x-webkit-deflate-frame", &octets.concat(), &options), expected);
    }
    // Of binary messages that are not compressed the payload data is not looked at where only its length is asked for.
    let octets = [client(0x02, b"abc"), client(0xc0, HELLO), client(0xc2, HELLO_AGAIN)].concat();
    let lengths = [(Some(8), true, String::new(), vec![]), (Some(5), true, String::new(), vec![])];
    assert_eq!(said(true, "x-webkit-deflate-frame", &octets, &Options::default()), lengths);
    let undecoded = [(None, true, String::new(), vec![]), (None, true, String::new(), vec![])];
    assert_eq!(said(true, "x-webkit-deflate-frame", &octets, &Options { decode: false, ..Options::default() }), undecoded);
}

#[test]
fn frame_that_is_no_deflate_makes_its_message_unknown_and_what_refers_to_it() {
    let octets =
        [server(0xc1, HELLO), server(0x01, b"\xc3"), server(0x40, b"\x06"), server(0x80, b"b"), server(0xc1, HELLO_AGAIN)].concat();
    let expected = [
        (Some(5), true, "Hello".to_owned(), vec![]),
        (None, true, String::new(), vec!["decoding_failed"]),
        (None, true, String::new(), vec!["lost_compression_context"]),
    ];
    assert_eq!(said(false, "x-webkit-deflate-frame", &octets, &with_content()), expected);
}

/// Whether the frame went through the sender's context nobody knows: unknown is better than wrong.
#[test]
fn rsv1_where_it_must_not_be_makes_later_messages_unknown() {
    let lost = || (None, true, String::new(), vec!["lost_compression_context"]);
    let hello = || (Some(5), true, "Hello".to_owned(), vec![]);
    for options in [with_content(), Options { batches: true, ..with_content() }] {
        let continued = [server(0xc1, HELLO), server(0x01, b"abc"), server(0x00, b"d"), server(0xc0, HELLO_AGAIN)].concat();
        let octets = [continued, server(0xc1, HELLO_AGAIN), server(0xc1, HELLO), server(0xc1, HELLO_AGAIN)].concat();
        let odd = (None, false, String::new(), vec!["compressed_continuation"]);
        assert_eq!(said(false, "permessage-deflate", &octets, &options), [hello(), odd, lost(), hello(), hello()]);

        let octets = [server(0xc1, HELLO), server(0xc9, HELLO_AGAIN), server(0xc1, HELLO_AGAIN), server(0xc1, HELLO)].concat();
        let odd = || (None, false, String::new(), vec!["compressed_control_frame"]);
        assert_eq!(said(false, "permessage-deflate", &octets, &options), [hello(), odd(), lost(), hello()]);

        // Also of the message that it interrupts.
        let octets = [server(0x41, &HELLO[..3]), server(0xc9, b"p"), server(0x80, &HELLO[3..]), server(0xc1, HELLO)].concat();
        let interrupted = (None, true, String::new(), vec![]);
        assert_eq!(said(false, "permessage-deflate", &octets, &options), [odd(), interrupted, hello()]);
    }
}

#[test]
fn each_violation_is_named_with_its_section_frame_and_offset() {
    for Case { what, from_client, deflate, segments, odd } in frames_alone().into_iter().chain(messages_and_closes()) {
        let expected: Vec<Told> =
            odd.into_iter().map(|(kind, section, at, offset)| (kind, section, Some(FIRST + at), Some(offset))).collect();
        assert_eq!(told_of(from_client, deflate, &segments), expected, "{what}");
    }
}

/// However segments are cut, offsets stay; and the frame is the one that carried that octet.
#[test]
fn octet_by_octet_the_places_are_the_same() {
    for Case { what, from_client, deflate, segments, odd } in frames_alone().into_iter().chain(messages_and_closes()) {
        let octets: Vec<Vec<u8>> = segments.concat().chunks(1).map(<[u8]>::to_vec).collect();
        let expected: Vec<Told> =
            odd.into_iter().map(|(kind, section, _, offset)| (kind, section, Some(FIRST + offset), Some(offset))).collect();
        assert_eq!(told_of(from_client, deflate, &octets), expected, "{what}");
    }
}

#[test]
fn every_kind_of_websocket_is_in_a_test() {
    let frames = frames_alone().into_iter().chain(messages_and_closes()).flat_map(|case| case.odd).map(|(kind, ..)| kind);
    let handshakes = handshake_cases().into_iter().map(|(.., kind)| kind);
    let tested: Vec<_> = frames.chain(handshakes).collect();
    for kind in AnomalyKind::ALL {
        let is_of_websocket = kind.reference().is_some_and(|section| section.starts_with("RFC 6455") || section.starts_with("RFC 7692"));
        assert_eq!(tested.contains(&kind.name()) && is_of_websocket, is_of_websocket, "{}", kind.name());
    }
}

#[test]
fn clean_conversation_has_no_violation() {
    let mut conversation = Conversation::open();
    conversation.client(ASKED.replace("keep-alive, Upgrade", "Upgrade"));
    conversation.server(answered(true).replace("Upgrade: websocket", "Upgrade: WebSocket\r\nSec-WebSocket-Protocol: chat"));
    conversation.client(client(0x81, b"hi")).server(server(0xc1, &stored("é".as_bytes())));
    conversation.client(client(0x01, b"\xc3")).client(client(0x89, b"?")).server(server(0x8a, b"?")).client(client(0x80, b"\xa9"));
    conversation.server(server(0x82, b"")).client([&masked(&[0x82, 0xfe, 0, 126], &[0; 126])[..]].concat());
    conversation.server(server(0x88, b"\x03\xe8bye")).client(client(0x8a, b"")).client(client(0x88, b"\x03\xe8"));
    let (rows, totals) = conversation.close().analyze(&Options::default());
    assert_eq!(rows.iter().flat_map(told).collect::<Vec<_>>(), []);
    assert_eq!(rows.iter().filter(|row| matches!(row, Row::Message(_))).count(), 10);
    let Some(Row::Connection(connection)) = rows.last() else { panic!("the connection comes last") };
    assert_eq!((connection.anomalies.len(), connection.anomaly_details.iter().count(), totals.anomalies.iter().count()), (0, 0, 0));
}

/// (what is replaced, by what, in the request, kind).
fn handshake_cases() -> Vec<(&'static str, &'static str, bool, &'static str)> {
    vec![
        ("GET", "POST", true, "wrong_handshake_method"),
        ("Upgrade: websocket\r\n", "", true, "missing_upgrade"),
        ("keep-alive, Upgrade", "keep-alive", true, "missing_connection_upgrade"),
        ("Version: 13", "Version: 8", true, "wrong_version"),
        ("Sec-WebSocket-Key", "X-Key", true, "missing_key"),
        ("dGhl", "dGh", true, "invalid_key"),
        ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13", true, "repeated_handshake_field"),
        ("Upgrade: websocket\r\n", "", false, "missing_upgrade"),
        ("Connection: Upgrade", "Connection: close", false, "missing_connection_upgrade"),
        ("s3pP", "S3pP", false, "wrong_accept"),
        ("Sec-WebSocket-Accept", "X-Accept", false, "missing_accept"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: soap\r\n\r\n", false, "subprotocol_not_offered"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x-other\r\n\r\n", false, "extension_not_offered"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7\r\n\r\n", false, "bad_extension_answer"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n\r\n", false, "bad_extension_answer"),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; c2s\r\n\r\n", false, "bad_extension_answer"),
    ]
}

#[test]
fn faults_of_opening_handshakes_lie_in_their_half() {
    // An exchange before it, so that neither half begins its stream.
    let (before, response) = ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
    for (part, changed, in_request, expected) in handshake_cases() {
        let mut halves = [ASKED.to_owned(), ANSWERED.to_owned()];
        let half = &mut halves[usize::from(!in_request)];
        *half = half.replacen(part, changed, 1);
        let mut conversation = Conversation::open();
        conversation.client(before).server(response).client(&halves[0]).server(&halves[1]).client(client(0x81, b"hi"));
        let (rows, _) = conversation.close().analyze(&Options::default());
        let (frame, offset) = if in_request { (6, before.len()) } else { (7, response.len()) };
        let odd: Vec<Told> = rows.iter().flat_map(told).collect();
        // A key that is none has no answer that fits it.
        let odd: Vec<Told> = odd.into_iter().filter(|&(kind, ..)| expected != "invalid_key" || kind != "wrong_accept").collect();
        let [(kind, Some(_), at_frame, at_offset)] = odd[..] else { panic!("{expected}: {odd:?}") };
        assert_eq!((kind, at_frame, at_offset), (expected, Some(frame), Some(offset as u64)));
        let Some(Row::Connection(connection)) = rows.last() else { panic!("the connection comes last") };
        let detail = connection.anomaly_details.iter().find(|detail| detail.kind.name() == expected).expect("a detail");
        assert_eq!((detail.place.frame, detail.place.stream_offset), (Some(frame), offset as u64), "{expected}");
        assert!(connection.anomalies.iter().any(|&(kind, count, first)| (kind.name(), count, first) == (expected, 1, frame)));
    }
}

#[test]
fn offsets_count_octets_that_were_not_captured() {
    let mut conversation = Conversation::open();
    conversation.client(ASKED).server(ANSWERED);
    for _ in 0..5 {
        conversation.server(server(0x82, &[b'x'; 100]));
    }
    conversation.server(server(0x88, &1005_u16.to_be_bytes())).client_acknowledges();
    // 7 is the second message: 102 octets.
    let (rows, _) = conversation.lose(7).close().analyze(&Options::default());
    let told: Vec<Told> = rows.iter().flat_map(told).filter(|(kind, ..)| *kind == "invalid_close_code").collect();
    assert_eq!(told, [("invalid_close_code", Some("RFC 6455 §7.4"), Some(10), Some(ANSWERED.len() as u64 + 5 * 102))]);
}

/// gen.py of the corpus: an opening handshake of 143 and 105 octets, and then one violation in each segment.
#[test]
fn twelve_violations_of_the_corpus() {
    let Some(corpus) = corpus() else { return };
    let (rows, totals) = analyze(&corpus.join("made/viol.pcap"), &Options::default()).expect("a readable capture");
    assert_eq!(difference(&rows, &totals), 0);
    // Offsets are tcp.seq less 1, frames frame.number, as TShark prints them.
    let expected: [(&str, &str, u64, u64); 13] = [
        ("wrong_accept", "RFC 6455 §4.2.2", 5, 0),
        ("unmasked_client_frame", "RFC 6455 §5.1", 6, 143),
        ("masked_server_frame", "RFC 6455 §5.1", 7, 105),
        // Behind a header of 6 octets.
        ("invalid_utf8", "RFC 6455 §8.1", 8, 160 + 6),
        ("control_frame_too_long", "RFC 6455 §5.5", 9, 177),
        ("fragmented_control_frame", "RFC 6455 §5.5", 10, 315),
        ("orphan_continuation", "RFC 6455 §5.4", 11, 329),
        ("reserved_bits", "RFC 6455 §5.2", 12, 341),
        ("non_minimal_length", "RFC 6455 §5.2", 13, 351),
        ("reserved_opcode", "RFC 6455 §5.2", 14, 371),
        ("invalid_close_code", "RFC 6455 §7.4", 15, 382),
        ("data_after_close", "RFC 6455 §5.5.1", 16, 393),
        ("short_close_payload", "RFC 6455 §5.5.1", 17, 124),
    ];
    let expected = expected.map(|(kind, section, frame, offset)| (kind, Some(section), Some(frame), Some(offset)));
    assert_eq!(rows.iter().flat_map(told).collect::<Vec<_>>(), expected);
}

/// Textalk's server masks its frames: every message of it says so, each where it begins.
#[test]
fn masked_frames_of_a_server_in_the_wild() {
    let (rows, _) = analyze(&sample("php/textalk-both.pcapng"), &Options::default()).expect("a readable sample");
    let mut offset = None;
    let mut count = 0;
    for row in &rows {
        let Row::Message(message) = row else { continue };
        let odd = told(row);
        if message.direction == wiretare::Direction::ClientToServer {
            assert_eq!(odd, []);
            continue;
        }
        let [("masked_server_frame", Some("RFC 6455 §5.1"), Some(frame), Some(at))] = odd[..] else { panic!("{odd:?}") };
        assert_eq!(frame, message.cost.provenance.first.number);
        assert!(offset.is_none_or(|expected| expected == at), "messages follow each other");
        offset = Some(at + message.cost.framing_bytes + message.cost.encoded_bytes);
        count += 1;
    }
    assert!(count > 3, "only {count} messages of the server");
}

/// The table of docs/formats.md says of each kind what the program says.
#[test]
fn documented_kinds_are_those_of_the_program() {
    let page = include_str!("../../docs/formats.md");
    let (_, table) = page.split_once("\n## Anomalies\n").expect("the chapter");
    let documented: Vec<(&str, Option<&str>)> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once("` | "))
        .map(|(name, rest)| (name, rest.split(" | ").next().filter(|&section| section != "–")))
        .collect();
    let known: Vec<_> = AnomalyKind::ALL.iter().map(|kind| (kind.name(), kind.reference())).collect();
    assert_eq!(documented, known);
}

/// Status and reason of every refused handshake, by target.
fn refusals(rows: &[Row]) -> Vec<(String, Option<u16>, &'static str)> {
    let refused = |row: &Row| {
        let Row::Exchange(exchange) = row else { return None };
        let target = String::from_utf8_lossy(exchange.request.as_ref()?.target()).into_owned();
        exchange.upgrade_refused.map(|refused| (target, refused.status, refused.reason.name()))
    };
    rows.iter().filter_map(refused).collect()
}

/// What the servers of samples/refused said in their own words, or did, and what that is called.
#[test]
fn refused_handshakes_say_why() {
    let reasons = [
        ("/members", "Unauthorized", "unauthorized"),
        ("/staff", "Forbidden", "forbidden"),
        ("/version", "Missing or invalid Sec-WebSocket-Version header", "unsupported_version"),
        ("/key", "Missing or invalid Sec-WebSocket-Key header", "missing_key"),
        ("/plain", "plain HTTP", "not_upgraded"),
        ("/moved", "", "redirected"),
        ("/silent", "", "no_answer"),
        ("/connection", "Failed to open a WebSocket connection: invalid Connection header: keep-alive.", "missing_connection_upgrade"),
        ("/origin", "Failed to open a WebSocket connection: invalid Origin header: http://bad.example.", "forbidden"),
    ];
    let truth = std::fs::read_to_string(sample("refused/truth.json")).expect("the truth");
    let truth: Value = serde_json::from_str(&truth).expect("JSON");
    let known = truth["captures"]["refused.pcapng"]["http"].as_array().expect("exchanges");
    let (rows, totals) = analyze(&sample("refused/refused.pcapng"), &Options::default()).expect("a readable sample");
    assert_eq!(difference(&rows, &totals), 0);
    let mut expected: Vec<_> = known
        .iter()
        .map(|known| {
            let (target, said) = (known["target"].as_str().expect("a target"), known["said"].as_str().unwrap_or_default());
            let (.., reason) = reasons
                .iter()
                .find(|(of, words, _)| *of == target && said.lines().next().unwrap_or_default() == *words)
                .unwrap_or_else(|| panic!("{target}: {said}"));
            (target.to_owned(), known["status"].as_u64().map(|status| status as u16), *reason)
        })
        .collect();
    expected.sort();
    let mut found = refusals(&rows);
    found.sort();
    assert_eq!(found, expected);
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    let report = Report::new(Vec::new(), Settings::new(&Options::default()), &totals, &summary);
    let counted = report.websocket.refused_handshakes.expect("of WebSocket");
    assert_eq!((counted["forbidden"], counted["no_answer"], counted.values().sum::<u64>()), (2, 1, 9));
    assert_eq!(report.ajax.refused_handshakes, None);
}

#[test]
fn what_the_capture_lacks_is_no_refusal() {
    let upgrade = |rows: &[Row]| {
        let exchange = rows.iter().find_map(|row| if let Row::Exchange(exchange) = row { Some(exchange) } else { None });
        exchange.map(|exchange| (exchange.upgrade, exchange.upgrade_refused.map(|refused| refused.reason)))
    };
    let asked = |conversation: &mut Conversation| upgrade(&conversation.analyze(&Options::default()).0);
    let no_answer = Some((None, Some(RefusalReason::NoAnswer)));
    assert_eq!(asked(Conversation::open().client(ASKED)), Some((None, None)), "the capture ends");
    assert_eq!(asked(Conversation::open().client(ASKED).server_acknowledges().close()), no_answer);
    assert_eq!(asked(Conversation::open().client(ASKED).server_acknowledges().reset()), no_answer);
    // 5 is an answer of which nothing was captured.
    let mut lost = Conversation::open();
    lost.client(ASKED).server("HTTP/1.1 403 Forbidden\r\n\r\n").client_acknowledges();
    assert_eq!(asked(lost.lose(5).close()), Some((None, None)), "the answer was not captured");
    let mut accepted = Conversation::open();
    accepted.client(ASKED).server(ANSWERED);
    assert_eq!(asked(accepted.close()), Some((Some(Upgrade::WebSocket), None)));
    let other = "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
    assert_eq!(asked(Conversation::open().client(other).server("HTTP/1.1 404 Not Found\r\n\r\n").close()), Some((None, None)));
}

#[test]
fn rows_without_an_anomaly_say_nothing_of_places() {
    let mut conversation = Conversation::open();
    conversation.client(ASKED).server(ANSWERED).client(client(0x81, b"hi")).server(client(0x81, b"hi"));
    let (rows, _) = conversation.analyze(&Options::default());
    let mut lines = wiretare::report::ndjson::Lines::new(ContentMode::None);
    let json = |row: &Row, lines: &mut wiretare::report::ndjson::Lines| {
        let mut out = Vec::new();
        lines.append(row, &mut out);
        serde_json::from_slice::<Value>(&out).expect("one JSON value")
    };
    let rows: Vec<Value> = rows.iter().map(|row| json(row, &mut lines)).collect();
    assert_eq!([0, 1].map(|row: usize| rows[row].get("anomaly_details")), [None, None]);
    let place = serde_json::json!({
        "kind": "masked_server_frame", "reference": "RFC 6455 §5.1", "direction": "server_to_client", "frame": 7, "stream_offset": ANSWERED.len(),
    });
    assert_eq!(rows[2]["anomalies"], serde_json::json!(["masked_server_frame"]));
    assert_eq!([&rows[2]["anomaly_details"][0], &rows[3]["anomaly_details"][0]], [&place, &place]);
    assert!(rows[3]["anomalies"][0]["count"] == 1);
}

#[test]
fn report_names_the_section() {
    let mut conversation = Conversation::open();
    conversation.client(ASKED).server(ANSWERED).server(client(0x81, b"hi"));
    let (rows, _) = conversation.analyze(&Options::default());
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    let report = Report::new(Vec::new(), Settings::new(&Options::default()), &Totals::default(), &summary);
    let anomalies: Vec<_> = report.anomalies.iter().map(|anomaly| (anomaly.kind, anomaly.reference, anomaly.first_frame)).collect();
    assert_eq!(anomalies, [("masked_server_frame", Some("RFC 6455 §5.1"), Some(6))]);
}
