//! Each protocol whole, cut at every octet, and with something behind it; worked examples are those of docs/formats.md.

use proptest::prelude::*;

use super::packet::{Packets, Seen};
use super::session::Session;
use super::{graphql, jsonrpc, mqtt, of_poll, signalr, socketio, sockjs, stomp, wamp};
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::message::Direction::{ClientToServer, ServerToClient};
use crate::message::{Answered, Content, Cost, Direction, Envelope, EnvelopeId, EnvelopeProtocol, Message, Opcode};
use crate::stream::{Frame, LayerBytes, Provenance, Timestamp};

type Reader = fn(&Seen<'_>) -> Option<Envelope>;

fn found(packets: Option<Packets<'_>>) -> Option<Envelope> {
    packets.map(Packets::into_envelope)
}

/// Each protocol with nothing remembered.
const READERS: [(&str, Reader); 10] = [
    ("socket.io", |seen| found(socketio::Reader::new(false).read(seen))),
    ("engine.io 3", |seen| found(socketio::Reader::new(true).read(seen))),
    ("sockjs", |seen| found(sockjs::read(seen))),
    ("signalr", |seen| found(signalr::read(seen))),
    ("stomp", |seen| found(stomp::read(seen))),
    ("mqtt", |seen| found(mqtt::Reader::default().read(seen))),
    ("wamp", |seen| found(wamp::read(seen))),
    ("graphql-transport-ws", |seen| found(graphql::read(EnvelopeProtocol::GraphqlTransportWs, seen))),
    ("graphql-ws", |seen| found(graphql::read(EnvelopeProtocol::GraphqlWs, seen))),
    ("json-rpc", |seen| found(jsonrpc::read(seen))),
];

/// A message, and what is in it: kind, name, id, octets of the envelope, packets.
struct Case {
    reader: &'static str,
    direction: Direction,
    is_text: bool,
    octets: &'static [u8],
    expected: (&'static str, Option<&'static str>, Option<&'static str>, u64, u64),
}

const fn case(
    reader: &'static str,
    direction: Direction,
    octets: &'static str,
    expected: (&'static str, Option<&'static str>, Option<&'static str>, u64, u64),
) -> Case {
    Case { reader, direction, is_text: true, octets: octets.as_bytes(), expected }
}

const fn binary(
    reader: &'static str,
    direction: Direction,
    octets: &'static [u8],
    expected: (&'static str, Option<&'static str>, Option<&'static str>, u64, u64),
) -> Case {
    Case { reader, direction, is_text: false, octets, expected }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    // 4, 2, the id 1, ["echo", and ]: 3 + 9 = 12.
    case("socket.io", ClientToServer, r#"421["echo",{"n":1}]"#, ("event", Some("echo"), Some("1"), 12, 1)),
    case("socket.io", ClientToServer, r#"42["quoted \"name\"" , 1]"#, ("event", Some("quoted \"name\""), None, 24, 1)),
    case("socket.io", ServerToClient, r#"42["tick"]"#, ("event", Some("tick"), None, 10, 1)),
    case("socket.io", ServerToClient, r#"42/admin,["tick",7]"#, ("event", Some("tick"), None, 18, 1)),
    case("socket.io", ServerToClient, r#"431[{"total":42}]"#, ("ack", None, Some("1"), 5, 1)),
    // 451-["f", and ] are 10, the placeholder 30.
    case("socket.io", ClientToServer, r#"451-["f","x",{"_placeholder":true,"num":0}]"#, ("binary_event", Some("f"), None, 39, 1)),
    case("socket.io", ClientToServer, "40", ("connect", None, None, 2, 1)),
    case("socket.io", ClientToServer, r#"40/admin,{"token":"x"}"#, ("connect", None, None, 9, 1)),
    case("socket.io", ClientToServer, "40/admin?token=x,", ("connect", None, None, 17, 1)),
    case("socket.io", ServerToClient, r#"40{"sid":"x"}"#, ("connect", None, None, 13, 1)),
    case("socket.io", ServerToClient, r#"44{"message":"no"}"#, ("connect_error", None, None, 2, 1)),
    case("socket.io", ClientToServer, "41/admin,", ("disconnect", None, None, 9, 1)),
    case("socket.io", ServerToClient, r#"0{"sid":"x","pingInterval":25000}"#, ("open", None, Some("x"), 33, 1)),
    case("socket.io", ClientToServer, "2probe", ("ping", Some("probe"), None, 6, 1)),
    case("socket.io", ClientToServer, "3", ("pong", None, None, 1, 1)),
    case("socket.io", ClientToServer, "5", ("upgrade", None, None, 1, 1)),
    case("socket.io", ClientToServer, "4hello", ("message", None, None, 1, 1)),
    binary("engine.io 3", ServerToClient, b"\x04\x00\x01", ("message", None, None, 1, 1)),
    case("sockjs", ServerToClient, "o", ("open", None, None, 1, 1)),
    case("sockjs", ServerToClient, "h", ("heartbeat", None, None, 1, 1)),
    // a, [, four quotes, a comma, two backslashes, ]: 10; the texts are hi and "ho".
    case("sockjs", ServerToClient, r#"a["hi","\"ho\""]"#, ("message", None, None, 10, 2)),
    case("sockjs", ClientToServer, r#"["hi"]"#, ("message", None, None, 4, 1)),
    case("sockjs", ServerToClient, r#"c[3000,"Go away!"]"#, ("close", None, None, 18, 1)),
    case("signalr", ClientToServer, "{\"protocol\":\"json\",\"version\":1}\x1e", ("handshake", None, None, 32, 1)),
    case("signalr", ServerToClient, "{}\x1e", ("handshake", None, None, 3, 1)),
    case("signalr", ClientToServer, "{\"type\":1,\"invocationId\":\"7\",\"target\":\"sum\",\"arguments\":[19,23]}\x1e", ("invocation", Some("sum"), Some("7"), 58, 1)),
    case("signalr", ServerToClient, "{\"type\":3,\"invocationId\":\"7\",\"result\":42}\x1e{\"type\":6}\x1e", ("completion", None, Some("7"), 51, 2)),
    binary("signalr", ClientToServer, b"\x0c\x95\x01\x80\xa10\xa3sum\x92\x13\x17", ("invocation", Some("sum"), Some("0"), 10, 1)),
    binary("signalr", ServerToClient, b"\x07\x95\x03\x80\xa10\x03*\x02\x91\x06", ("completion", None, Some("0"), 10, 2)),
    case("stomp", ClientToServer, "SEND\ndestination:/queue/a\nreceipt:r-1\n\nhello\0", ("SEND", Some("/queue/a"), Some("r-1"), 40, 1)),
    case("stomp", ServerToClient, "MESSAGE\r\ndestination:a\\cb\r\nmessage-id:7\r\ncontent-length:3\r\n\r\na\0b\0\r\n", ("MESSAGE", Some("a:b"), Some("7"), 64, 1)),
    // RabbitMQ hands on the headers of the SEND: 37 and the body.
    case("stomp", ServerToClient, "MESSAGE\nmessage-id:7\nreceipt:r-1\n\nhi\0", ("MESSAGE", None, Some("7"), 35, 1)),
    case("stomp", ClientToServer, "\n", ("heartbeat", None, None, 1, 1)),
    case("stomp", ClientToServer, "BEGIN\ntransaction:t\n\n\0\nCOMMIT\ntransaction:t\n\n\0", ("BEGIN", None, None, 46, 2)),
    binary("mqtt", ClientToServer, b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab", ("connect", None, None, 16, 1)),
    binary("mqtt", ClientToServer, b"\x82\x08\x00\x01\x00\x03a/#\x01", ("subscribe", None, Some("1"), 10, 1)),
    binary("mqtt", ServerToClient, b"\xd0\x00\x40\x02\x00\x07", ("pingresp", None, None, 6, 2)),
    case("wamp", ClientToServer, r#"[48,3,{},"shop.sum",[19,23]]"#, ("call", Some("shop.sum"), Some("3"), 21, 1)),
    case("wamp", ServerToClient, r#"[50,3,{},[42],{"unit":"kg"}]"#, ("result", None, Some("3"), 11, 1)),
    case("wamp", ServerToClient, r#"[8,48,6,{},"wamp.error.no_such_procedure"]"#, ("error", Some("wamp.error.no_such_procedure"), Some("6"), 42, 1)),
    case("wamp", ServerToClient, "[17,4,2]\x1e[36,5,6,{},[1]]\x1e", ("published", None, Some("4"), 22, 2)),
    binary("wamp", ClientToServer, b"\x95\x30\x03\x80\xa1s\x92\x13\x17", ("call", Some("s"), Some("3"), 6, 1)),
    case("graphql-transport-ws", ClientToServer, r#"{"id":"1","type":"subscribe","payload":{"query":"query Greet { a }"}}"#, ("subscribe", Some("Greet"), Some("1"), 40, 1)),
    case("graphql-transport-ws", ServerToClient, r#"{"type":"ping"}"#, ("ping", None, None, 15, 1)),
    case("graphql-transport-ws", ServerToClient, r#"{"id":"1","type":"next","payload":{"data":null}}"#, ("next", None, Some("1"), 35, 1)),
    case("graphql-ws", ServerToClient, r#"{"id":"1","type":"data","payload":{"data":null}}"#, ("data", None, Some("1"), 35, 1)),
    case("json-rpc", ClientToServer, r#"{"jsonrpc":"2.0","method":"sum","params":[19,23],"id":1}"#, ("request", Some("sum"), Some("1"), 49, 1)),
    case("json-rpc", ServerToClient, r#"{"jsonrpc":"2.0","error":{"code":-1},"id":"a"}"#, ("error", None, Some("a"), 35, 1)),
    case("json-rpc", ClientToServer, r#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b","id":-1}]"#, ("notification", Some("a"), None, 71, 2)),
];

impl Case {
    fn read(&self, octets: &[u8], len: usize) -> Option<Envelope> {
        let (_, reader) = READERS.iter().find(|(name, _)| *name == self.reader).expect("a reader");
        reader(&Seen { octets, len: len as u64, is_text: self.is_text, direction: self.direction })
    }

    fn shown(&self) -> String {
        format!("{} {}", self.reader, self.octets.escape_ascii())
    }
}

fn id_text(id: &Option<EnvelopeId>) -> Option<String> {
    id.as_ref().map(|id| match id {
        EnvelopeId::Number(number) => number.to_string(),
        EnvelopeId::Text(text) => text.to_string(),
    })
}

#[test]
fn whole_messages_are_named_and_their_envelopes_counted() {
    for case in CASES {
        let envelope = case.read(case.octets, case.octets.len()).unwrap_or_else(|| panic!("{}", case.shown()));
        let (kind, name, id, bytes, count) = case.expected;
        let seen = (envelope.kind, envelope.name.as_deref(), id_text(&envelope.id), envelope.bytes, envelope.count);
        assert_eq!(seen, (kind, name, id.map(str::to_owned), Some(bytes), count), "{}", case.shown());
    }
}

/// What was not kept may leave a figure unknown, never wrong.
#[test]
fn messages_of_which_only_the_first_octets_were_kept_say_nothing_wrong() {
    for case in CASES {
        let whole = case.read(case.octets, case.octets.len()).expect("read whole");
        for kept in 0..case.octets.len() {
            let Some(cut) = case.read(&case.octets[..kept], case.octets.len()) else { continue };
            let shown = || format!("{} cut at {kept}: {cut:?}", case.shown());
            let is_same_kind = cut.kind == whole.kind || cut.kind == "request_or_notification";
            assert!(is_same_kind && cut.protocol == whole.protocol, "{}", shown());
            assert!(cut.name.is_none() || cut.name == whole.name, "{}", shown());
            assert!(cut.id.is_none() || cut.id == whole.id, "{}", shown());
            assert!(cut.bytes.is_none() || cut.bytes == whole.bytes, "{}", shown());
            // 0 is for parts of packets, and of MQTT alone.
            assert!(cut.count <= whole.count && (cut.count > 0 || case.reader == "mqtt"), "{}", shown());
        }
    }
}

/// What is long is the result or the arguments, and ids and names stand before them as a rule.
#[test]
fn long_messages_are_named_by_their_first_octets() {
    let cut = |reader, direction, is_text, kept: &'static [u8]| {
        let case = Case { reader, direction, is_text, octets: kept, expected: ("", None, None, 0, 0) };
        let envelope = case.read(kept, kept.len() + 100_000)?;
        Some((envelope.kind, envelope.name.as_deref().map(str::to_owned), id_text(&envelope.id), envelope.bytes))
    };
    let (up, down) = (ClientToServer, ServerToClient);
    let named = |name: &str| Some(name.to_owned());
    let result = br#"{"jsonrpc":"2.0","id":7,"result":{"rows":[1,2"#;
    assert_eq!(cut("json-rpc", down, true, result), Some(("response", None, named("7"), None)));
    let call = br#"{"jsonrpc":"2.0","method":"put","params":{"rows":[1,2"#;
    assert_eq!(cut("json-rpc", up, true, call), Some(("request_or_notification", named("put"), None, None)));
    let next = br#"{"id":"1","type":"next","payload":{"data":["#;
    assert_eq!(cut("graphql-transport-ws", down, true, next), Some(("next", None, named("1"), None)));
    let completion = br#"{"type":3,"invocationId":"7","result":["#;
    assert_eq!(cut("signalr", down, true, completion), Some(("completion", None, named("7"), None)));
    // 0x95: five elements; 1 (invocation), no headers, "0", "sum", and 16 arguments of which the first is long.
    let invocation = b"\xff\x90\x06\x95\x01\x80\xa10\xa3sum\xdc\x00\x10\xc6\x00\x01\x00\x00xy";
    assert_eq!(cut("signalr", up, false, invocation), Some(("invocation", named("sum"), named("0"), None)));
    assert_eq!(cut("wamp", up, true, br#"[48,3,{},"shop.put",["xy"#), Some(("call", named("shop.put"), named("3"), None)));
    // What was not kept is taken to end with the bracket: 42["put", and ] are 10.
    assert_eq!(cut("socket.io", up, true, br#"42["put",{"rows":[1"#), Some(("event", named("put"), None, Some(10))));
    assert_eq!(cut("stomp", up, true, b"SEND\ndestination:/q\n\nxy"), Some(("SEND", named("/q"), None, None)));
}

#[test]
fn socket_io_that_is_cut_is_no_message_of_engine_io() {
    let kind = |direction, kept: &[u8], len: u64| {
        let packets = socketio::Reader::new(false).read(&Seen { octets: kept, len, is_text: true, direction })?;
        Some((packets.first.kind, packets.envelope))
    };
    // What a client hands over to connect, and a refusal, are the application's: 40 and 44 are the envelope's.
    assert_eq!(kind(ClientToServer, br#"40{"token":"tt"#, 70_000), Some(("connect", Some(2))));
    assert_eq!(kind(ServerToClient, br#"44{"message":"tt"#, 70_000), Some(("connect_error", Some(2))));
    assert_eq!(kind(ServerToClient, br#"42["a long na"#, 70_000), Some(("event", None)));
    for undecided in [&b"4"[..], b"42", b"427", b"42/name", b"451", b"2", b"0{\"sid\":\"x\""] {
        assert_eq!(kind(ServerToClient, undecided, 70_000), None, "{}", undecided.escape_ascii());
    }
    assert_eq!(kind(ServerToClient, b"4hello", 70_000), Some(("message", Some(1))));
}

#[test]
fn beginning_of_a_sockjs_array_holds_a_message_at_least() {
    let count =
        |octets: &[u8]| sockjs::read(&Seen { octets, len: 70_000, is_text: true, direction: ServerToClient }).map(|packets| packets.count);
    assert_eq!([count(br#"a["tt"#), count(br#"a["x","tt"#), count(br#"a["x","y","tt"#)], [Some(1), Some(1), Some(2)]);
}

#[test]
fn graphql_operations_are_named_by_their_documents() {
    let name = |document: &str| {
        let text = format!(r#"{{"id":"1","type":"subscribe","payload":{{"query":"{document}","operationName":null}}}}"#);
        let seen = Seen { octets: text.as_bytes(), len: text.len() as u64, is_text: true, direction: ClientToServer };
        graphql::read(EnvelopeProtocol::GraphqlTransportWs, &seen).and_then(|packets| packets.into_envelope().name)
    };
    for anonymous in
        ["subscription{greetings}", "query{me{id}}", "query@d(x:1) {a}", "query @d(x:1) {a}", "{ a }", "query ($a:Int){b}", "query 1a {b}"]
    {
        assert_eq!(name(anonymous), None, "{anonymous}");
    }
    for named in ["subscription _On1{a}", "query _On1($a:Int){b}", "mutation,_On1@d{a}", r"# query A\nquery # B\n _On1 {a}"] {
        assert_eq!(name(named).as_deref(), Some("_On1"), "{named}");
    }
}

#[test]
fn graphql_ids_may_be_numbers() {
    let session = |text: &'static str, direction| {
        let seen = Seen { octets: text.as_bytes(), len: text.len() as u64, is_text: true, direction };
        graphql::read(EnvelopeProtocol::GraphqlWs, &seen).map(|packets| packets.into_envelope().id)
    };
    let one = Some(Some(EnvelopeId::Number(1)));
    assert_eq!(session(r#"{"id":1,"type":"start","payload":{"query":"{a}"}}"#, ClientToServer), one);
    assert_eq!(session(r#"{"id":1,"type":"data","payload":{}}"#, ServerToClient), one);
    assert_eq!(session(r#"{"id":null,"type":"data","payload":{}}"#, ServerToClient), Some(None));
}

#[test]
fn octets_behind_a_packet_are_not_passed_over() {
    for case in CASES.iter().filter(|case| case.expected.0 != "message") {
        for behind in [&b"x"[..], b"}", b"]", b"\0", b"{"] {
            let followed = [case.octets, behind].concat();
            let Some(envelope) = case.read(&followed, followed.len()) else { continue };
            // engine.io carries anything; MQTT waits for the rest of the next packet.
            let is_other = envelope.kind == "message" || case.reader == "mqtt" || case.reader == "engine.io 3";
            assert!(is_other, "{} and {}: {envelope:?}", case.shown(), behind.escape_ascii());
        }
    }
}

#[test]
fn messages_that_end_too_early_have_no_larger_envelope_than_content() {
    for case in CASES {
        for len in 0..case.octets.len() {
            if let Some(envelope) = case.read(&case.octets[..len], len) {
                assert!(envelope.bytes.is_none_or(|bytes| bytes <= len as u64), "{} of {len}", case.shown());
            }
        }
    }
}

#[test]
fn other_protocols_find_nothing_in_a_message() {
    for case in CASES.iter().filter(|case| case.octets.len() > 12) {
        for (name, reader) in READERS {
            let is_kin = name == case.reader || name.starts_with("graphql") || name == "engine.io 3" || case.reader == "engine.io 3";
            let seen = Seen { octets: case.octets, len: case.octets.len() as u64, is_text: case.is_text, direction: case.direction };
            // socket.io's binary messages are octets of any kind.
            let is_attachment = name == "socket.io" && !case.is_text;
            if !is_kin && !is_attachment {
                assert_eq!(reader(&seen), None, "{name} in {}", case.shown());
            }
        }
    }
}

/// CONNECT at a protocol level, SUBSCRIBE, PUBLISH with QoS 1 and (at level 5) a property, PINGREQ: 49 or 54 octets, payload 5.
fn mqtt_stream(level: u8) -> Vec<u8> {
    let properties: &[u8] = if level == 5 { &[2, 1, 1] } else { &[] };
    let none: &[u8] = if level == 5 { &[0] } else { &[] };
    let packet = |first: u8, parts: &[&[u8]]| {
        let body = parts.concat();
        [&[first, body.len() as u8][..], &body].concat()
    };
    [
        packet(0x10, &[b"\x00\x04MQTT", &[level, 2, 0, 60], none, b"\x00\x02ab"]),
        packet(0x82, &[b"\x00\x01", none, b"\x00\x03a/#\x01"]),
        packet(0x32, &[b"\x00\x03a/b\x00\x02", properties, b"hello"]),
        packet(0xc0, &[]),
    ]
    .concat()
}

fn mqtt_message<'a>(octets: &'a [u8]) -> Seen<'a> {
    Seen { octets, len: octets.len() as u64, is_text: false, direction: ClientToServer }
}

#[test]
fn mqtt_packets_lie_across_messages_however_they_are_cut() {
    for level in [4, 5] {
        let stream = mqtt_stream(level);
        for (first, second) in (0..=stream.len()).flat_map(|first| (first..=stream.len()).map(move |second| (first, second))) {
            let mut reader = mqtt::Reader::default();
            let (mut kinds, mut envelope, mut count) = (Vec::new(), 0, 0);
            for part in [&stream[..first], &stream[first..second], &stream[second..]] {
                let Some(packets) = reader.read(&mqtt_message(part)) else {
                    assert!(part.is_empty(), "cut at {first} and {second}");
                    continue;
                };
                envelope += packets.envelope.expect("known");
                count += packets.count;
                if packets.count > 0 {
                    kinds.extend(packets.all().map(|packet| (packet.kind, packet.name.as_deref().map(str::to_owned))));
                }
            }
            let name = |name: &str| Some(name.to_owned());
            let expected = [("connect", None), ("subscribe", name("a/#")), ("publish", name("a/b")), ("pingreq", None)];
            assert_eq!(kinds, expected, "cut at {first} and {second}");
            assert_eq!((envelope, count), (stream.len() as u64 - 5, 4), "cut at {first} and {second}");
        }
    }
}

#[test]
fn mqtt_after_a_loss_begins_again_with_packets_that_fill_a_message() {
    let mut reader = mqtt::Reader::default();
    let stream = mqtt_stream(4);
    assert!(reader.read(&mqtt_message(&stream[..20])).is_some());
    reader.lose(ClientToServer);
    // What is left of the packet may look like one, and then it does not end with the message.
    assert!(reader.read(&mqtt_message(&stream[22..40])).is_none());
    let publish = reader.read(&mqtt_message(b"\x30\x08\x00\x03a/bxyz")).expect("a packet");
    assert_eq!((publish.first.name.as_deref(), publish.envelope), (Some("a/b"), Some(7)));
}

#[test]
fn mqtt_topic_that_comes_octet_by_octet_is_held_once() {
    let topic = "t".repeat(65_535);
    let publish = [&b"\x30\x84\x80\x04\xff\xff"[..], topic.as_bytes(), b"abc"].concat();
    let mut reader = mqtt::Reader::default();
    let last = publish.chunks(1).map(|octet| reader.read(&mqtt_message(octet)).expect("a part")).last().expect("parts");
    assert_eq!((last.first.kind, last.first.name.map(|name| name.len()), last.count), ("publish", Some(65_535), 1));
}

#[test]
fn mqtt_payload_of_an_unknown_level_is_not_told_from_properties() {
    let publish = mqtt::Reader::default().read(&mqtt_message(b"\x30\x08\x00\x03a/bxyz")).expect("a packet");
    assert_eq!((publish.first.name.as_deref(), publish.envelope), (Some("a/b"), None));
}

#[test]
fn polls_hold_packets_by_revision() {
    let poll = |revision: u8, octets: &[u8]| {
        let target = format!("/socket.io/?EIO={revision}&transport=polling&sid=x");
        let envelope = of_poll(target.as_bytes(), octets, octets.len() as u64, ServerToClient)?;
        Some((envelope.kind, envelope.name.as_deref().map(str::to_owned), envelope.bytes, envelope.count))
    };
    // 42["a", and ] are 8, 2 is the ping, bAQID stands for three octets, and there are two separators: 8 + 1 + 2 + 2 = 13.
    assert_eq!(poll(4, b"42[\"a\",1]\x1e2\x1ebAQID"), Some(("event", Some("a".into()), Some(13), 3)));
    // Lengths count UTF-16 units: 11 of 42["a","€"] (8 are the envelope's), six of b4AQID (for three octets): 3 + 8 + 2 + 3 = 16.
    assert_eq!(poll(3, "11:42[\"a\",\"€\"]6:b4AQID".as_bytes()), Some(("event", Some("a".into()), Some(16), 2)));
    // Two times form, length and 0xff; 8, and the type of the attachment: 3 + 8 + 3 + 1 = 15.
    assert_eq!(poll(3, b"\x00\x09\xff42[\"a\",1]\x01\x03\xff\x04ab"), Some(("event", Some("a".into()), Some(15), 2)));
    assert_eq!(poll(4, b"ok"), Some(("ok", None, Some(2), 0)));
    assert_eq!((poll(4, b"<html>"), poll(3, b"9:short"), poll(3, b"99999999999999999999:x")), (None, None, None));
    assert!(of_poll(b"/api?transport=polling", b"2", 1, ServerToClient).is_none());
    assert!(of_poll(b"/x?EIO=4&transport=websocket", b"2", 1, ServerToClient).is_none());
}

/// stomp-broker-js counts characters: three are five octets here.
#[test]
fn a_content_length_that_ends_before_no_nul_is_not_believed() {
    let octets = "MESSAGE\ncontent-length:3\n\nab€\0".as_bytes();
    let seen = Seen { octets, len: octets.len() as u64, is_text: true, direction: ServerToClient };
    // The payload is ab€: 5 octets.
    assert_eq!(stomp::read(&seen).and_then(|packets| packets.envelope), Some(octets.len() as u64 - 5));
}

#[test]
fn attachments_belong_to_the_event_before_them() {
    let mut reader = socketio::Reader::new(true);
    let seen = |octets: &'static [u8], is_text| Seen { octets, len: octets.len() as u64, is_text, direction: ServerToClient };
    let event = br#"452-["f",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    // 452-["f", and ] are 10, the placeholders 30 each: all but the comma between them.
    assert_eq!(reader.read(&seen(event, true)).expect("an event").envelope, Some(event.len() as u64 - 1));
    for expected in [("attachment", Some("f")), ("attachment", Some("f")), ("message", None)] {
        let packets = reader.read(&seen(b"\x04ab", false)).expect("a packet");
        assert_eq!((packets.first.kind, packets.first.name.as_deref(), packets.envelope), (expected.0, expected.1, Some(1)));
    }
}

#[test]
fn heartbeat_between_event_and_attachment_leaves_them_together() {
    let mut reader = socketio::Reader::new(false);
    let mut kind = |octets: &'static [u8], is_text| {
        let seen = Seen { octets, len: octets.len() as u64, is_text, direction: ServerToClient };
        let packet = reader.read(&seen).expect("a packet").first;
        (packet.kind, packet.name.map(|name| name.into_owned()))
    };
    assert_eq!(kind(br#"451-["f",{"_placeholder":true,"num":0}]"#, true).0, "binary_event");
    assert_eq!(kind(b"2", true).0, "ping");
    assert_eq!(kind(b"ab", false), ("attachment", Some("f".into())));
    assert_eq!(kind(b"ab", false), ("message", None));
}

#[test]
fn binary_messages_of_an_unknown_revision_may_begin_with_a_type() {
    let envelope = |mut reader: socketio::Reader, octets: &[u8]| {
        reader.read(&Seen { octets, len: 3, is_text: false, direction: ServerToClient }).map(|packets| packets.envelope)
    };
    assert_eq!(envelope(socketio::Reader::default(), b"\x04ab"), Some(None));
    assert_eq!(envelope(socketio::Reader::default(), b"\x05ab"), Some(Some(0)));
    assert_eq!(envelope(socketio::Reader::new(false), b"\x04ab"), Some(Some(0)));
    assert_eq!(envelope(socketio::Reader::new(true), b"\x05ab"), None);
}

#[test]
fn receipts_are_asked_for_by_clients_alone() {
    use Opcode::Text;
    let mut session = Session::new(Some("v12.stomp"), None, 1);
    let messages = [
        (ClientToServer, Text, "SEND\ndestination:/q\nreceipt:r-1\n\n\0"),
        (ServerToClient, Text, "MESSAGE\ndestination:/q\nmessage-id:1\nreceipt:r-1\n\n\0"),
        (ServerToClient, Text, "RECEIPT\nreceipt-id:r-1\n\n\0"),
    ];
    let expected = [(Some("SEND"), None), (Some("MESSAGE"), None), (Some("RECEIPT"), Some(Answered::Ask(2 * SECOND)))];
    assert_eq!(talk(&mut session, &messages), expected);
}

#[test]
fn query_with_which_a_namespace_is_connected_is_no_part_of_its_name() {
    use Opcode::Text;
    let mut session = Session::new(None, Some("/socket.io/?EIO=3"), 8);
    let connect = (ClientToServer, Text, "40/admin?token=x&a=/b,");
    let expected = [(Some("connect"), None), (Some("connect"), Some(Answered::Ask(SECOND)))];
    assert_eq!(talk(&mut session, &[connect, (ServerToClient, Text, "40/admin,")]), expected);
    let octets = connect.2.as_bytes();
    let seen = Seen { octets, len: octets.len() as u64, is_text: true, direction: ClientToServer };
    let packets = socketio::Reader::new(true).read(&seen).expect("a packet");
    assert_eq!(packets.first.namespace.as_deref(), Some("/admin"));
}

/// A message that one frame carried in a second of the capture.
fn message(direction: Direction, opcode: Opcode, second: i64, octets: &[u8]) -> Message {
    let frame = Frame { number: second as u64 + 1, time: Timestamp(second * 1_000_000_000) };
    let provenance = Provenance::of_frame(frame, LayerBytes { payload: octets.len() as u64, ..LayerBytes::default() });
    Message {
        connection: 0,
        number: 1,
        direction,
        opcode,
        cost: Cost { content_bytes: Some(octets.len() as u64), provenance, ..Cost::default() },
        fragments: 1,
        compressed: false,
        masked: false,
        close: None,
        content: Content { bytes: Some(octets.len() as u64), ..Content::default() },
        answered: None,
        anomalies: AnomalySet::EMPTY,
        anomaly_details: Default::default(),
    }
}

/// Kind and time of the answer of each message.
fn talk(session: &mut Session, messages: &[(Direction, Opcode, &str)]) -> Vec<(Option<&'static str>, Option<Answered>)> {
    let receive = |(second, (direction, opcode, text)): (usize, &(Direction, Opcode, &str))| {
        let mut message = message(*direction, *opcode, second as i64, text.as_bytes());
        session.receive(&mut message, Some(text.as_bytes()));
        (message.content.envelope.map(|envelope| envelope.kind), message.answered)
    };
    messages.iter().enumerate().map(receive).collect()
}

const SECOND: u64 = 1_000_000_000;

#[test]
fn answers_are_timed_by_id_and_pongs_by_payload() {
    use Opcode::{Ping, Pong, Text};
    let mut session = Session::new(None, None, 8);
    let messages = [
        (ClientToServer, Text, r#"{"jsonrpc":"2.0","method":"a","id":1}"#),
        (ClientToServer, Text, r#"{"jsonrpc":"2.0","method":"b","id":"1"}"#),
        (ServerToClient, Ping, "p"),
        (ServerToClient, Text, r#"{"jsonrpc":"2.0","result":0,"id":"1"}"#),
        (ClientToServer, Pong, "other"),
        (ClientToServer, Pong, "p"),
        (ServerToClient, Text, r#"{"jsonrpc":"2.0","result":0,"id":1}"#),
        (ServerToClient, Text, r#"{"jsonrpc":"2.0","result":0,"id":1}"#),
    ];
    let expected = [
        (Some("request"), None),
        (Some("request"), None),
        (None, None),
        (Some("response"), Some(Answered::Ask(2 * SECOND))),
        (None, None),
        (None, Some(Answered::Ping(3 * SECOND))),
        (Some("response"), Some(Answered::Ask(6 * SECOND))),
        (Some("response"), None),
    ];
    assert_eq!(talk(&mut session, &messages), expected);
}

fn kinds(subprotocol: Option<&str>, target: &str, messages: &[(Direction, &str)]) -> (Vec<Option<&'static str>>, bool) {
    let mut session = Session::new(subprotocol, Some(target), 8);
    let messages: Vec<_> = messages.iter().map(|&(direction, text)| (direction, Opcode::Text, text)).collect();
    let kinds = talk(&mut session, &messages).into_iter().map(|(kind, _)| kind).collect();
    (kinds, session.keep() == super::Keep::All)
}

#[test]
fn protocols_are_told_by_name_target_or_what_names_itself() {
    let (up, down) = (ClientToServer, ServerToClient);
    assert_eq!(kinds(Some("graphql-ws"), "/", &[(up, r#"{"type":"ka"}"#)]).0, [Some("ka")]);
    assert_eq!(kinds(None, "/x/?EIO=4&transport=websocket", &[(down, "2")]).0, [Some("ping")]);
    assert_eq!(kinds(None, "/echo/494/lsgqwisx/websocket", &[(down, "h")]).0, [Some("heartbeat")]);
    assert_eq!(kinds(None, "/", &[(up, "CONNECT\naccept-version:1.2\n\n\0")]).0, [Some("CONNECT")]);
    assert_eq!(kinds(None, "/", &[(up, r#"[1,"realm",{"roles":{}}]"#)]).0, [Some("hello")]);
    assert_eq!(kinds(None, "/", &[(down, r#"0{"sid":"x"}"#), (up, "3")]).0, [Some("open"), Some("pong")]);
    assert_eq!(kinds(Some("wamp.2.cbor"), "/", &[(up, r#"[1,"realm",{"roles":{}}]"#)]), (vec![None], false));
}

#[test]
fn a_protocol_that_is_named_and_never_spoken_is_no_longer_looked_for() {
    let (up, down) = (ClientToServer, ServerToClient);
    let none = vec![(down, "hello"); 8];
    assert_eq!(kinds(Some("v12.stomp"), "/", &none[1..]), (vec![None; 7], true));
    assert_eq!(kinds(Some("v12.stomp"), "/", &none), (vec![None; 8], false));
    // Who has spoken it once may say other things in between.
    let mut spoken = vec![(up, "CONNECT\n\n\0")];
    spoken.extend(none);
    assert_eq!(kinds(Some("v12.stomp"), "/", &spoken), ([vec![Some("CONNECT")], vec![None; 8]].concat(), true));
}

/// WAMP's PUBLISH is answered where its options ask for it; a session with room for one ask shows whether one waits.
#[test]
fn what_nobody_answers_does_not_wait() {
    let forgets = |publish: &str| {
        let mut session = Session::new(Some("wamp.2.json"), Some("/"), 1);
        let texts = [publish, r#"[48,2,{},"shop.sum"]"#];
        let mut messages = texts.map(|text| (message(ClientToServer, Opcode::Text, 0, text.as_bytes()), text));
        messages.iter_mut().for_each(|(message, text)| session.receive(message, Some(text.as_bytes())));
        messages[1].0.anomalies.contains(AnomalyKind::PendingAnswerLimit)
    };
    assert!(forgets(r#"[16,1,{"acknowledge": true},"shop.prices",[1]]"#));
    assert!(!forgets(r#"[16,1,{"acknowledge":false},"shop.prices",[1]]"#));
    assert!(!forgets(r#"[16,1,{},"shop.prices",[{"acknowledge":true}]]"#));
}

#[test]
fn without_a_name_two_messages_in_a_row_must_agree() {
    let (up, down) = (ClientToServer, ServerToClient);
    let tick = (down, r#"42["tick",1]"#);
    assert_eq!(kinds(None, "/", &[tick, tick]).0, [None, Some("event")]);
    assert_eq!(kinds(None, "/", &[tick, (down, "{}"), tick]).0, [None, None, None]);
    let both = [(up, r#"{"type":"connection_init"}"#), (down, r#"{"type":"connection_ack"}"#)];
    assert_eq!(kinds(None, "/", &both).0, [None, Some("connection_ack")]);
}

#[test]
fn messages_of_an_application_of_its_own_are_left_alone_and_soon_no_longer_looked_at() {
    let (up, down) = (ClientToServer, ServerToClient);
    let texts = [
        (up, r#"["hello"]"#),
        (up, r#"["hello"]"#),
        (down, "2"),
        (down, "3"),
        (down, "[36,1,2]"),
        (down, "[33,1,2]"),
        (down, "[33,1,2]"),
        (down, r#"{"type":"ping","id":"1","payload":{}}"#),
        (down, "o"),
        (down, r#"{"type":1}"#),
    ];
    for first in 0..texts.len() {
        let rotated: Vec<_> = texts.iter().cycle().skip(first).take(texts.len()).copied().collect();
        assert_eq!(kinds(None, "/", &rotated), (vec![None; texts.len()], false), "from {first}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_octets_make_a_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..64), extra in 0u64..4, is_text: bool, up: bool) {
        let direction = if up { ClientToServer } else { ServerToClient };
        let seen = Seen { octets: &octets, len: octets.len() as u64 + extra, is_text, direction };
        for (name, reader) in READERS {
            let bytes = reader(&seen).and_then(|envelope| envelope.bytes);
            prop_assert!(bytes.is_none_or(|bytes| bytes <= seen.len), "{name}");
        }
        for target in ["/?EIO=3&transport=polling", "/?EIO=4&transport=polling"] {
            let envelope = of_poll(target.as_bytes(), &octets, seen.len, direction);
            prop_assert!(envelope.and_then(|envelope| envelope.bytes).is_none_or(|bytes| bytes <= seen.len));
        }
    }

    #[test]
    fn no_change_of_an_octet_makes_a_session_panic(
        changes in proptest::collection::vec((0..CASES.len(), any::<prop::sample::Index>(), any::<u8>()), 1..24),
        name in proptest::option::of(prop::sample::select(vec!["mqtt", "v12.stomp", "wamp.2.json", "graphql-ws", "graphql-transport-ws"])),
        target in prop::sample::select(vec!["/", "/?EIO=3", "/?EIO=4", "/a/000/b/websocket"]),
    ) {
        let mut session = Session::new(name, Some(target), 4);
        for (second, (case, at, octet)) in changes.into_iter().enumerate() {
            let case = &CASES[case];
            let mut octets = case.octets.to_vec();
            octets[at.index(case.octets.len())] = octet;
            let opcode = if case.is_text { Opcode::Text } else { Opcode::Binary };
            let mut message = message(case.direction, opcode, second as i64, &octets);
            session.receive(&mut message, (octet != 0).then_some(&octets));
            let bytes = message.content.envelope.and_then(|envelope| envelope.bytes);
            prop_assert!(bytes.is_none_or(|bytes| bytes <= octets.len() as u64));
        }
    }
}
