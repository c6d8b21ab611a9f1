use super::*;
use crate::account::samples::{connection, cost, deck_exchange, deck_message, request, response, upgrade_exchange};
use crate::message::{
    Application, Buckets, ConnectionRow, Content, Direction, EarlierPoll, Envelope, EnvelopeId, EnvelopeProtocol, EventStream, Exchange,
    HttpContent, Message, Opcode, Poll, PollingKind, Row,
};

/// An Ajax exchange: a request of 100 octets and a response of 40, in frames 10 + 2n and 11 + 2n.
fn exchange(n: u64, asked: &str, fields: &[(&str, &str)], status: u16, answered: &[(&str, &str)], encoded: u64) -> Exchange {
    let mut asked = request(asked, &[&[("Host", "a.example")], fields].concat());
    asked.cost = cost(10 + 2 * n, 20, 100, 0, Some(0));
    let mut answer = response(status, answered);
    answer.cost = cost(11 + 2 * n, 20, 40, encoded, Some(encoded));
    Exchange { request: Some(asked), response: Some(answer), ..deck_exchange() }
}

/// As many of them as said.
fn exchanges(count: u64, asked: &str, fields: &[(&str, &str)], status: u16, answered: &[(&str, &str)], encoded: u64) -> Vec<Row> {
    (0..count).map(|n| Row::Exchange(Box::new(exchange(n, asked, fields, status, answered, encoded)))).collect()
}

/// Polls of one series, each answered 200 with 500 octets, of which so many brought nothing new.
fn polls(count: u64, wasted: u64) -> Vec<Row> {
    let of = |n: u64| {
        let mut exchange = exchange(n, "GET /poll HTTP/1.1", &[], 200, &[], 500);
        let is_new = Some(n >= wasted);
        let earlier = |n: u64| EarlierPoll {
            wire_bytes: 748,
            answer_bytes: 500,
            frame: 10 + 2 * n,
            interval_ns: None,
            deaf_ns: None,
            held_ns: None,
            is_new: Some(n >= wasted),
            is_empty: false,
        };
        exchange.polling = (n >= 2).then(|| {
            Box::new(Poll {
                kind: PollingKind::Short,
                number: n + 1,
                interval_ns: None,
                jitter_ns: None,
                deaf_ns: None,
                is_new,
                packets: None,
                earlier: if n == 2 { vec![earlier(0), earlier(1)] } else { Vec::new() },
            })
        });
        Row::Exchange(Box::new(exchange))
    };
    (0..count).map(of).collect()
}

/// A WebSocket message on connection 1 in a frame of its own, one second after the one before.
fn message(n: u64, change: impl FnOnce(&mut Message)) -> Row {
    let mut message = deck_message(1, n, Direction::ServerToClient, Opcode::Text);
    message.masked = false;
    change(&mut message);
    Row::Message(message)
}

/// `count` messages, each of them changed.
fn messages(count: u64, change: impl Fn(&mut Message)) -> Vec<Row> {
    (0..count).map(|n| message(n, &change)).collect()
}

/// Messages that many milliseconds one behind the other.
fn every(milliseconds: i64, count: u64) -> Vec<Row> {
    let near = |n: u64| {
        message(n, |message| {
            let provenance = &mut message.cost.provenance;
            provenance.first.time.0 = n as i64 * milliseconds * 1_000_000;
            provenance.last.time = provenance.first.time;
        })
    };
    (0..count).map(near).collect()
}

/// With the rows of its connection's end.
fn ended(mut rows: Vec<Row>, change: impl FnOnce(&mut ConnectionRow)) -> Vec<Row> {
    let mut row = connection(1, &rows, Buckets::default());
    change(&mut row);
    rows.push(Row::Connection(Box::new(row)));
    rows
}

fn bucket(bucket: Bucket, bytes: u64) -> Buckets {
    let mut buckets = Buckets::default();
    buckets.add(Application::WebSocket, bucket, Direction::ClientToServer, bytes);
    buckets
}

/// So many connections with one exchange each, between one client and server.
fn single_exchange_connections(count: u64) -> Vec<Row> {
    let of = |number: u64| {
        let mut exchange = exchange(number, "GET /x HTTP/1.1", &[], 200, &[], 500);
        exchange.connection = number;
        let rows = vec![Row::Exchange(Box::new(exchange))];
        let mut buckets = Buckets::default();
        buckets.add(Application::None, Bucket::TcpSetup, Direction::ClientToServer, 200);
        let row = connection(number, &rows, buckets);
        rows.into_iter().chain([Row::Connection(Box::new(row))])
    };
    (0..count).flat_map(of).collect()
}

/// Opening handshakes with so many messages behind each.
fn short_websockets(count: u64, said: u64) -> Vec<Row> {
    let of = |number: u64| {
        let mut rows = vec![Row::Exchange(Box::new(upgrade_exchange(number)))];
        rows.extend((0..said).map(|n| Row::Message(deck_message(number, n, Direction::ServerToClient, Opcode::Text))));
        let row = connection(number, &rows, Buckets::default());
        rows.into_iter().chain([Row::Connection(Box::new(row))])
    };
    (0..count).flat_map(of).collect()
}

fn envelopes(count: u64, own: u64) -> Vec<Row> {
    messages(count, |message| {
        let envelope = Envelope {
            protocol: EnvelopeProtocol::SocketIo,
            kind: "event",
            name: None,
            namespace: None,
            id: None,
            bytes: Some(own),
            count: 1,
        };
        message.content = Content { bytes: Some(24), envelope: Some(Box::new(envelope)), ..Content::default() };
    })
}

fn event_stream(comments: u64, comment_bytes: u64) -> Vec<Row> {
    let mut exchange = exchange(0, "GET /events HTTP/1.1", &[], 200, &[("Content-Type", "text/event-stream")], 100);
    exchange.side = Side::ServerSentEvents;
    let events = EventStream { events: 2, event_bytes: 60, comments, comment_bytes, ..EventStream::default() };
    let http = HttpContent { identity: None, events: Some(events) };
    exchange.response.as_mut().expect("a response").content.http = Some(Box::new(http));
    vec![Row::Exchange(Box::new(exchange))]
}

/// A session of engine.io that begins with so many polls beside its handshake, and then upgrades.
fn engine_io(polls: u64) -> Vec<Row> {
    let mut open = exchange(0, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1", &[], 200, &[], 100);
    let envelope = Envelope {
        protocol: EnvelopeProtocol::EngineIo,
        kind: "open",
        name: None,
        namespace: None,
        id: Some(EnvelopeId::Text("s1".into())),
        bytes: None,
        count: 1,
    };
    open.response.as_mut().expect("a response").content.envelope = Some(Box::new(envelope));
    let mut upgrade = upgrade_exchange(1);
    upgrade.request.as_mut().expect("a request").head = request("GET /socket.io/?EIO=4&transport=websocket&sid=s1 HTTP/1.1", &[]).head;
    let poll = |n| exchange(n, "GET /socket.io/?EIO=4&transport=polling&sid=s1 HTTP/1.1", &[], 200, &[], 10);
    let rows = std::iter::once(open).chain((1..=polls).map(poll)).chain([upgrade]);
    rows.map(|exchange| Row::Exchange(Box::new(exchange))).collect()
}

fn found(rows: &[Row]) -> Vec<Finding> {
    let mut summary = Summary::default();
    rows.iter().for_each(|row| summary.add(row));
    findings(&summary)
}

/// Rows that show a finding, what it saves, the frames it names; and rows that nearly show it.
type Case = (&'static str, Vec<Row>, Option<u64>, &'static [u64], Vec<Row>);

fn cases() -> Vec<Case> {
    const PREFLIGHT: &[(&str, &str)] = &[("Access-Control-Request-Method", "POST")];
    const COOKIE: &[(&str, &str)] = &[("Cookie", "sid=0123456789")];
    const SET_COOKIE: &[(&str, &str)] = &[("Set-Cookie", "sid=0123")];
    const ACCEPTS: &[(&str, &str)] = &[("Accept-Encoding", "gzip")];
    const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
    const GET: &str = "GET /x HTTP/1.1";
    let no_takeover = |row: &mut ConnectionRow| {
        if let Some(facts) = &mut row.websocket {
            facts.extensions = Some("permessage-deflate; server_no_context_takeover".into());
        }
    };
    let pings = |count| {
        let mut rows = messages(count, |message| message.opcode = Opcode::Ping);
        rows.extend(messages(2, |_| {}));
        rows
    };
    vec![
        // Seven set-ups of 200 octets, of which six are saved.
        ("connections-not-kept-alive", single_exchange_connections(7), Some(1200), &[1], single_exchange_connections(6)),
        // 154 + 594 octets each.
        ("polls-bring-nothing", polls(6, 3), Some(3 * 748), &[10, 12, 14], polls(6, 2)),
        ("polls-unconditional", polls(6, 4), Some(2000), &[10, 12, 14, 16], polls(6, 1)),
        // 154 + 94 octets each.
        ("empty-answers", exchanges(3, GET, &[], 204, &[], 0), Some(744), &[10, 12, 14], exchanges(2, GET, &[], 204, &[], 0)),
        (
            "answers-not-compressed",
            exchanges(1, GET, ACCEPTS, 200, JSON, 1200),
            Some(800),
            &[11],
            exchanges(1, GET, ACCEPTS, 200, JSON, 1000),
        ),
        (
            "preflights-repeated",
            exchanges(2, "OPTIONS /x HTTP/1.1", PREFLIGHT, 204, &[], 0),
            Some(248),
            &[10, 12],
            exchanges(1, "OPTIONS /x HTTP/1.1", PREFLIGHT, 204, &[], 0),
        ),
        ("redirected", exchanges(2, GET, &[], 302, &[], 0), Some(496), &[10, 12], exchanges(1, GET, &[], 302, &[], 0)),
        ("error-answers", exchanges(3, GET, &[], 500, &[], 9), Some(771), &[10, 12, 14], exchanges(2, GET, &[], 500, &[], 9)),
        // `Cookie: sid=0123456789` and CRLF are 24 octets; one of two is a repeat.
        ("cookies-repeated", exchanges(2, GET, COOKIE, 200, &[], 9), Some(24), &[10, 12], exchanges(1, GET, COOKIE, 200, &[], 9)),
        // `Set-Cookie: sid=0123` and CRLF are 22 octets.
        (
            "cookies-set-again",
            exchanges(3, GET, &[], 200, SET_COOKIE, 9),
            Some(44),
            &[11, 13, 15],
            exchanges(2, GET, &[], 200, SET_COOKIE, 9),
        ),
        // 500 octets less those of one request.
        (
            "request-headers-repeated",
            exchanges(5, GET, &[], 200, &[], 99),
            Some(400),
            &[10, 12, 14, 16, 18],
            exchanges(5, GET, &[], 200, &[], 100),
        ),
        // 154 + 194 and 2 · (154 + 104) octets.
        ("polling-before-websocket", engine_io(2), Some(348 + 516), &[10, 12, 14], engine_io(0)),
        (
            "compression-grows-messages",
            messages(1, |message| message.cost.content_bytes = Some(10)),
            Some(7),
            &[135],
            messages(1, |message| message.cost.content_bytes = Some(17)),
        ),
        (
            "compression-not-used",
            messages(1, |message| (message.compressed, message.cost.encoded_bytes) = (false, 128)),
            None,
            &[135],
            messages(1, |message| (message.compressed, message.cost.encoded_bytes) = (false, 127)),
        ),
        ("context-not-kept", ended(messages(10, |_| {}), no_takeover), None, &[1], ended(messages(9, |_| {}), no_takeover)),
        // 14 + 20 + 32 octets of headers for each but the first.
        ("messages-in-own-segments", every(4, 5), Some(264), &[136, 137, 138, 139], every(5, 5)),
        // 6 octets of framing, of which the second of two fragments has half.
        ("small-messages-fragmented", messages(1, |message| message.fragments = 2), Some(3), &[135], messages(1, |_| {})),
        ("server-masks-frames", messages(1, |message| message.masked = true), Some(4), &[135], messages(1, |_| {})),
        // Three pings outweigh two messages, of 89 octets each.
        ("heartbeats-outweigh-data", pings(3), Some(133), &[135, 136, 137], pings(2)),
        (
            "keep-alives-beside-pings",
            ended(pings(1), |row| row.buckets = bucket(Bucket::KeepAlive, 66)),
            Some(66),
            &[1],
            ended(messages(1, |_| {}), |row| row.buckets = bucket(Bucket::KeepAlive, 66)),
        ),
        // 461 octets of an opening handshake.
        ("websockets-hardly-used", short_websockets(2, 2), Some(922), &[1], short_websockets(2, 3)),
        ("envelopes-outweigh-payload", envelopes(5, 13), Some(65), &[135, 136, 137, 138, 139], envelopes(5, 12)),
        ("comments-outweigh-events", event_stream(3, 62), Some(31), &[11], event_stream(3, 60)),
        // 3 of 89 + 3 octets are more than 2 %, 1 of 90 is not.
        (
            "retransmissions",
            ended(messages(1, |_| {}), |row| {
                row.buckets = bucket(Bucket::Retransmissions, 3);
                row.first_retransmission = Some(7);
            }),
            Some(3),
            &[7],
            ended(messages(1, |_| {}), |row| row.buckets = bucket(Bucket::Retransmissions, 1)),
        ),
    ]
}

#[test]
fn empty_answers_of_polls_are_told_by_the_polls_alone() {
    // Five polls, of which the third says what the first two were, each 154 + 94 octets.
    let mut rows = polls(5, 0);
    for row in &mut rows {
        let Row::Exchange(exchange) = row else { continue };
        exchange.response.as_mut().expect("a response").cost = cost(11, 20, 40, 0, Some(0));
        for earlier in exchange.polling.iter_mut().flat_map(|poll| &mut poll.earlier) {
            (earlier.wire_bytes, earlier.is_empty) = (248, true);
        }
    }
    let is_empty_answers = |finding: &Finding| finding.id == "empty-answers";
    assert!(!found(&rows).iter().any(is_empty_answers));
    // Three exchanges besides, in frames 30, 32 and 34.
    let others = (10..13).map(|n| Row::Exchange(Box::new(exchange(n, "GET /x HTTP/1.1", &[], 204, &[], 0))));
    rows.extend(others.collect::<Vec<_>>());
    let finding = found(&rows).into_iter().find(is_empty_answers).expect("three empty answers");
    assert_eq!(finding.message, "3 of 3 Ajax exchanges that are no polls brought no content");
    assert_eq!((finding.saving_bytes, &finding.frames[..]), (Some(744), &[30, 32, 34][..]));
}

#[test]
fn each_rule_finds_what_it_is_for_and_leaves_what_is_nearly_so() {
    let cases = cases();
    assert_eq!(cases.len(), RULES.len());
    for (id, rows, saving, frames, nearly) in cases {
        let finding = found(&rows).into_iter().find(|finding| finding.id == id).unwrap_or_else(|| panic!("{id} is expected"));
        assert_eq!((finding.saving_bytes, &finding.frames[..]), (saving, frames), "{id}");
        assert!(!finding.message.is_empty() && !finding.assumption.is_empty());
        assert!(found(&nearly).iter().all(|finding| finding.id != id), "{id} of what is nearly so");
    }
}

#[test]
fn fragments_in_segments_of_their_own_cost_these_too() {
    // Five fragments in five segments, each of 66 octets of headers, as the other message's one has: four frame headers, four segments.
    let mut rows = messages(2, |_| {});
    if let Row::Message(message) = &mut rows[1] {
        (message.fragments, message.cost.framing_bytes) = (5, 10);
        let provenance = &mut message.cost.provenance;
        (provenance.bytes.link, provenance.bytes.ip, provenance.bytes.tcp) = (5 * 14, 5 * 20, 5 * 32);
        provenance.last.number += 4;
    }
    let finding = found(&rows).into_iter().find(|finding| finding.id == "small-messages-fragmented").expect("a fragmented message");
    assert_eq!(finding.saving_bytes, Some(4 * 2 + 4 * 66));
}

#[test]
fn every_finding_is_documented() {
    let page = include_str!("../../../docs/formats.md");
    let section = page.split("### Findings").nth(1).and_then(|behind| behind.split("\n### ").next()).unwrap_or_default();
    let documented: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).skip(1).collect();
    let ids: Vec<_> = cases().into_iter().map(|(id, ..)| id).collect();
    assert_eq!(documented, ids);
    let mut listed = ids;
    listed.sort_unstable();
    assert_eq!(listed, IDS);
}

#[test]
fn largest_saving_comes_first_with_its_share_of_the_side() {
    let mut rows = exchanges(4, "GET /poll HTTP/1.1", &[("Cookie", "sid=0123456789")], 304, &[], 0);
    rows.push(message(1, |message| message.cost.content_bytes = Some(10)));
    let found: Vec<_> = found(&rows).into_iter().map(|f| (f.id, f.side, f.saving_bytes, f.saving_percent)).collect();
    // An exchange is 154 + 94 = 248 octets, 992 for four. `Cookie: sid=0123456789` and CRLF are 24 octets, three of four are
    // repeats: 72 of 992 = 7.25806 %. 17 octets for content of 10: 7 of 89 = 7.86517 %.
    let expected = [
        ("empty-answers", "ajax", Some(992), Some(100.0)),
        ("cookies-repeated", "ajax", Some(72), Some(7.25806)),
        ("compression-grows-messages", "websocket", Some(7), Some(7.86517)),
    ];
    assert_eq!(found, expected);
}
