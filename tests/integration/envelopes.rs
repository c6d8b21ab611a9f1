//! The samples of envelope protocols against what the applications themselves knew of their messages.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wiretare::{Direction, EnvelopeId, EnvelopeProtocol, Message, Options, Row, Summary};

use crate::support::{analyze, difference, sample};

fn messages(capture: &str) -> Vec<Message> {
    let (rows, totals) = analyze(&sample("envelopes").join(capture), &Options::default()).expect("a readable sample");
    assert_eq!(difference(&rows, &totals), 0, "{capture}");
    rows.into_iter().filter_map(|row| if let Row::Message(message) = row { Some(message) } else { None }).collect()
}

fn captures() -> Vec<(String, Vec<Value>)> {
    let text = std::fs::read_to_string(sample("envelopes").join("envelopes.json")).expect("what the applications knew");
    let known: Value = serde_json::from_str(&text).expect("JSON");
    let captures = known["captures"].as_object().expect("captures by name");
    captures.iter().map(|(name, messages)| (name.clone(), messages.as_array().cloned().expect("a list"))).collect()
}

fn id(message: &Message) -> Value {
    match message.content.envelope.as_ref().and_then(|envelope| envelope.id.as_ref()) {
        None => Value::Null,
        Some(EnvelopeId::Number(number)) => json!(number),
        Some(EnvelopeId::Text(text)) => json!(text),
    }
}

/// What a packet came to over the messages that it lies in: the one that it ends in, and octets of its payload in all of them.
fn packets(messages: &[Message], direction: Direction) -> Vec<(&Message, Option<u64>)> {
    let (mut found, mut payload) = (Vec::new(), Some(0));
    for message in messages.iter().filter(|message| message.direction == direction) {
        let Some(envelope) = &message.content.envelope else { continue };
        let own = message.cost.content_bytes.zip(envelope.bytes).map(|(content, own)| content - own);
        payload = payload.zip(own).map(|(sum, own)| sum + own);
        if envelope.count > 0 {
            found.push((message, payload.replace(0)));
        }
    }
    found
}

/// An application does not know everything (its library's heartbeats, some ids): of the kinds that it knew, all must be there, in
/// order, and say the same.
#[test]
fn messages_are_what_the_applications_sent_and_received() {
    let mut compared = 0;
    for (capture, known) in captures() {
        let messages = messages(&capture);
        for direction in Direction::BOTH {
            let known: Vec<_> = known.iter().filter(|known| known["direction"] == direction.name()).collect();
            let kinds: BTreeSet<_> = known.iter().map(|known| known["kind"].as_str().expect("a kind")).collect();
            let found = packets(&messages, direction);
            let kind = |message: &Message| message.content.envelope.as_ref().map_or("", |envelope| envelope.kind);
            let found: Vec<_> = found.into_iter().filter(|(message, _)| kinds.contains(kind(message))).collect();
            let mut known = known.into_iter();
            for (message, payload) in found {
                let envelope = message.content.envelope.as_ref().expect("an envelope");
                let shown = format!("{capture}, frame {}", message.cost.provenance.last.number);
                // A row names the first packet of a message and sums them all.
                let mut first = known.next().unwrap_or_else(|| panic!("{shown}: one too many")).clone();
                for other in known.by_ref().take(envelope.count as usize - 1) {
                    first["payload_bytes"] =
                        json!(first["payload_bytes"].as_u64().zip(other["payload_bytes"].as_u64()).map(|(a, b)| a + b));
                    compared += 1;
                }
                let mut seen = json!({"direction": direction.name(), "kind": envelope.kind, "name": envelope.name, "id": id(message)});
                seen["payload_bytes"] = json!(payload);
                // What the application did not know is not compared.
                seen.as_object_mut().expect("an object").retain(|key, _| first.get(key).is_some());
                assert_eq!(seen, first, "{shown}");
                compared += 1;
            }
            assert_eq!(known.next(), None, "{capture} {}: not found", direction.name());
        }
    }
    assert!(compared > 150, "only {compared} messages were compared");
}

/// Each ask that an application awaited was answered (at least so many), and no answer took longer than the capture.
#[test]
fn answers_and_heartbeats_are_timed() {
    let expected = [
        ("graphql-transport-ws.pcapng", 4, true),
        ("graphql-ws.pcapng", 3, false),
        ("json-rpc.pcapng", 5, false),
        ("mqtt-3.1.1.pcapng", 13, true),
        ("mqtt-5.pcapng", 10, true),
        ("signalr-json.pcapng", 4, false),
        ("signalr-messagepack.pcapng", 4, false),
        ("socketio-2.pcapng", 2, true),
        ("sockjs.pcapng", 0, true),
        ("stomp.pcapng", 2, false),
        ("wamp.pcapng", 8, false),
    ];
    for (capture, asks, has_pings) in expected {
        let mut summary = Summary::default();
        messages(capture).into_iter().for_each(|message| summary.add(&Row::Message(message)));
        let envelopes = &summary.side(wiretare::Side::WebSocket).envelopes;
        let answers = envelopes.answer_ns.quantiles().map_or(0, |quantiles| quantiles.count);
        let longest = envelopes.answer_ns.quantiles().into_iter().chain(envelopes.ping_ns.quantiles()).map(|quantiles| quantiles.max).max();
        assert!(answers >= asks, "{capture}: {answers} answers");
        assert_eq!(envelopes.ping_ns.quantiles().is_some(), has_pings, "{capture}: pings");
        assert!(longest.is_some_and(|longest| longest < 2_000_000_000), "{capture}: {longest:?} ns");
    }
}

/// socket.io begins by polling: what its polls hold is told as what its messages hold.
#[test]
fn polls_of_engine_io_hold_packets() {
    let (rows, _) = analyze(&sample("socketio").join("polling-then-websocket.pcapng"), &Options::default()).expect("a readable sample");
    let exchanges = rows.iter().filter_map(|row| if let Row::Exchange(exchange) = row { Some(exchange) } else { None });
    let contents = exchanges.flat_map(|exchange| {
        let request = exchange.request.as_ref().map(|request| &request.content);
        request.into_iter().chain(exchange.response.as_ref().map(|response| &response.content))
    });
    let found: Vec<_> = contents
        .filter_map(|content| content.envelope.as_ref())
        .map(|envelope| (envelope.protocol, envelope.kind, envelope.name.as_deref(), envelope.bytes, envelope.count))
        .collect();
    use EnvelopeProtocol::{EngineIo, SocketIo};
    let expected = [
        (EngineIo, "open", None, Some(114), 1),
        (SocketIo, "connect", None, Some(2), 1),
        (EngineIo, "ok", None, Some(2), 0),
        // 40{"sid":"OPA5iLXw-tUlOkbIAAAA"}, the separator, 42["welcome", and ]: 32 + 1 + 13 + 1.
        (SocketIo, "connect", None, Some(47), 2),
        (SocketIo, "event", Some("say"), Some(10), 1),
        (EngineIo, "ok", None, Some(2), 0),
        (SocketIo, "event", Some("said"), Some(11), 1),
    ];
    let sorted = |mut list: Vec<_>| {
        list.sort();
        list
    };
    assert_eq!(sorted(found), sorted(expected.to_vec()));
}

/// The browser's page and other samples speak JSON of their own: no protocol is made out of it.
#[test]
fn other_samples_have_no_envelope() {
    for path in crate::support::samples() {
        let shown = path.display().to_string();
        if shown.contains("envelopes") || shown.contains("socketio") {
            continue;
        }
        let (rows, _) = analyze(&path, &Options::default()).expect("a readable sample");
        let named = rows.iter().filter(|row| matches!(row, Row::Message(message) if message.content.envelope.is_some())).count();
        assert_eq!(named, 0, "{shown}");
    }
}

/// The way from polls to a WebSocket, by the lengths that TShark shows of its frames.
#[test]
fn upgrade_of_engine_io_is_summed_by_session() {
    let (rows, _) = analyze(&sample("socketio/polling-then-websocket.pcapng"), &Options::default()).expect("a readable sample");
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    let (sessions, paid) = summary.engine_io().upgraded();
    // Frames 4 and 6.
    assert_eq!((paid.handshake.count, paid.handshake.wire_bytes), (1, 216 + 342));
    // Frames 20 and 26, 24 and 33, 46 and 53, 48 and 50.
    assert_eq!((paid.polls.count, paid.polls.wire_bytes), (4, 303 + 212 + 241 + 311 + 241 + 272 + 346 + 212));
    // Frames 22 and 31.
    assert_eq!((paid.websocket_handshake.count, paid.websocket_handshake.wire_bytes), (1, 350 + 195));
    // `2probe` in frame 36, `3probe` in 39, `5` in 60.
    assert_eq!((paid.probe.count, paid.probe.wire_bytes), (3, 78 + 74 + 73));
    assert_eq!((sessions, summary.engine_io().stayed().0), (1, 0));
}
