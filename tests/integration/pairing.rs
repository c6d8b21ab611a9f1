//! A frame that a capture lacks costs the exchanges that it carried, and no other one; and whatever it lacks, no response is given to
//! a request that it does not answer.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use wiretare::{Cost, Options, Row};

use crate::conversation::Conversation;
use crate::rewrite::{OwnedPacket, analyze, packets};
use crate::support::sample;

/// The first and last frames of a request and of its response.
type Frames = [(u64, u64); 2];

/// Samples whose clients wait for each response. Behind a response that was lost to a client that does not, counting does not tell
/// which is whose.
const WAITING: [&str; 7] = [
    "browser/ajax-and-websocket.pcapng",
    "classifier/with-metadata.pcapng",
    "classifier/without-metadata.pcapng",
    "deck/deck.pcap",
    "polling/polling.pcapng",
    "refused/refused.pcapng",
    "socketio/polling-then-websocket.pcapng",
];

/// Frames of the exchanges that have both sides, numbered as in the whole capture.
fn exchanges(packets: &[OwnedPacket]) -> HashSet<Frames> {
    let frames = |cost: &Cost| {
        let number = |frame: u64| packets[frame as usize - 1].original;
        (number(cost.provenance.first.number), number(cost.provenance.last.number))
    };
    let (rows, _) = analyze(packets, &Options::default());
    let sides =
        rows.iter().filter_map(|row| if let Row::Exchange(row) = row { row.request.as_ref().zip(row.response.as_ref()) } else { None });
    sides.map(|(request, response)| [frames(&request.cost), frames(&response.cost)]).collect()
}

fn has(exchange: &Frames, number: u64) -> bool {
    exchange.iter().any(|&(first, last)| (first..=last).contains(&number))
}

#[test]
fn a_lost_frame_costs_no_exchange_but_its_own() {
    for name in WAITING {
        let whole = packets(&sample(name));
        let all = exchanges(&whole);
        assert!(!all.is_empty(), "{name} has exchanges");
        for lost in all.iter().flat_map(|exchange| exchange.iter().flat_map(|&(first, last)| first..=last)).collect::<HashSet<_>>() {
            let rest: Vec<_> = whole.iter().filter(|packet| packet.original != lost).cloned().collect();
            let found = exchanges(&rest);
            let missing: Vec<_> = all.iter().filter(|exchange| !has(exchange, lost) && !found.contains(*exchange)).collect();
            assert!(missing.is_empty(), "{name} without frame {lost}: {missing:?}");
        }
    }
}

/// What a client asks, and how it is answered.
#[derive(Clone, Copy, Debug)]
struct Talk {
    method: &'static str,
    body_len: usize,
    /// Into how many segments the request goes, and the response.
    segments: [usize; 2],
    has_early_hints: bool,
    /// Whether the client and the server acknowledge before they say something.
    acknowledges: [bool; 2],
}

fn talk() -> impl Strategy<Value = Talk> {
    let method = prop_oneof![Just("GET"), Just("HEAD"), Just("POST")];
    let segments = || prop_oneof![3 => Just(1_usize), 1 => 2..4_usize];
    (method, 1..400_usize, [segments(), segments()], any::<bool>(), any::<[bool; 2]>()).prop_map(
        |(method, body_len, segments, has_early_hints, acknowledges)| Talk { method, body_len, segments, has_early_hints, acknowledges },
    )
}

/// Request n and its response carry that number.
fn request(n: usize, talk: &Talk) -> String {
    let fields = format!("{} /{n} HTTP/1.1\r\nHost: a.example\r\nUser-Agent: of some length\r\n", talk.method);
    match talk.method {
        "POST" => format!("{fields}Content-Length: {}\r\n\r\n{}", talk.body_len, "q".repeat(talk.body_len)),
        _ => fields + "\r\n",
    }
}

fn response(n: usize, talk: &Talk) -> String {
    let body = if talk.method == "HEAD" { String::new() } else { "r".repeat(talk.body_len) };
    format!("HTTP/1.1 200 OK\r\nX-Answers: /{n}\r\nContent-Length: {}\r\n\r\n{body}", talk.body_len)
}

fn pieces(text: &str, count: usize) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().chunks(text.len().div_ceil(count))
}

/// A client that waits for each response.
fn waiting(talks: &[Talk]) -> Conversation {
    let mut conversation = Conversation::open();
    for (n, talk) in talks.iter().enumerate() {
        if talk.acknowledges[0] {
            conversation.client_acknowledges();
        }
        pieces(&request(n, talk), talk.segments[0]).for_each(|piece| _ = conversation.client(piece));
        if talk.acknowledges[1] {
            conversation.server_acknowledges();
        }
        if talk.has_early_hints {
            conversation.server(format!("HTTP/1.1 103 Early Hints\r\nX-Answers: /{n}\r\n\r\n"));
        }
        pieces(&response(n, talk), talk.segments[1]).for_each(|piece| _ = conversation.server(piece));
    }
    conversation.close();
    conversation
}

/// Pairs of targets: of a request, and of what its response answers.
fn pairs(conversation: &Conversation) -> Vec<(String, String)> {
    let (rows, _) = conversation.analyze(&Options::default());
    let of = |row: &Row| {
        let Row::Exchange(exchange) = row else { return None };
        let (request, response) = exchange.request.as_ref().zip(exchange.response.as_ref())?;
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        // Where the field was lost nobody knows.
        let answers = response.head.field("x-answers")?;
        Some((text(request.target()), text(answers)))
    };
    rows.iter().filter_map(of).collect()
}

proptest! {
    #[test]
    fn whatever_is_lost_no_response_goes_to_a_request_that_it_does_not_answer(
        talks in vec(talk(), 1..6),
        first in 0..6_usize,
        lost in vec(any::<prop::sample::Index>(), 0..6),
        swapped in vec(any::<prop::sample::Index>(), 0..2),
    ) {
        let mut conversation = waiting(&talks);
        (0..first).for_each(|_| _ = conversation.lose(1));
        for index in lost.iter().filter(|_| !talks.is_empty()) {
            if conversation.len() > 1 {
                conversation.lose(index.index(conversation.len()) + 1);
            }
        }
        for index in &swapped {
            if conversation.len() > 1 {
                let frame = index.index(conversation.len() - 1) + 1;
                conversation.swap(frame, frame + 1);
            }
        }
        let wrong: Vec<_> = pairs(&conversation).into_iter().filter(|(asked, answered)| asked != answered).collect();
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }
}

/// A request of that number as small as they come, and its response.
const PLAIN: Talk = Talk { method: "GET", body_len: 5, segments: [1; 2], has_early_hints: false, acknowledges: [false; 2] };

/// Plays `q` and `r` with their numbers, as in `q0 q1 r0 r1`; those in brackets are not captured.
fn play(mut conversation: Conversation, script: &str) -> Vec<(String, String)> {
    let mut lost = Vec::new();
    for step in script.split(' ') {
        let name = step.trim_matches(['(', ')']);
        let (side, n) = name.split_at(1);
        let n = n.parse().expect("a number");
        match side {
            "q" => conversation.client(request(n, &PLAIN)),
            "e" => conversation.server(format!("HTTP/1.1 103 Early Hints\r\nX-Answers: /{n}\r\n\r\n")),
            _ => conversation.server(response(n, &PLAIN)),
        };
        if name != step {
            lost.push(conversation.len());
        }
    }
    lost.iter().rev().for_each(|&frame| _ = conversation.lose(frame));
    pairs(&conversation)
}

fn own(numbers: &[usize]) -> Vec<(String, String)> {
    numbers.iter().map(|n| (format!("/{n}"), format!("/{n}"))).collect()
}

#[test]
fn clients_that_wait_lose_the_exchange_that_was_lost() {
    for (script, expected) in [
        ("q0 r0 (q1) r1 q2 r2 q3 r3", &[0, 2, 3][..]),
        ("q0 r0 q1 (r1) q2 r2 q3 r3", &[0, 2, 3]),
        ("(q0) (r0) q1 r1 q2 r2", &[1, 2]),
        ("q0 (r0) (q1) r1 q2 r2", &[2]),
        // The final response to the first is lost, and the second has early hints of its own.
        ("q0 e0 (r0) q1 e1 r1 q2 r2", &[1, 2]),
        ("(q0) r0 q1 r1 q2 e2 (r2) q3 r3", &[1, 3]),
    ] {
        assert_eq!(play(Conversation::open(), script), own(expected), "{script}");
        let is_known = !script.starts_with("(q0) (r0)");
        assert_eq!(play(Conversation::midstream(), script), own(expected), "{script}, without its beginning");
        assert!(is_known || expected[0] == 1);
    }
}

#[test]
fn clients_that_do_not_wait_get_no_response_that_may_be_another_s() {
    for (script, expected) in [
        ("q0 q1 r0 r1 q2 r2", &[0, 1, 2][..]),
        ("q0 q1 r0 q2 (r1) q3 r2 r3", &[0]),
        ("q0 q1 q2 q3 (r0) r1 r2 r3", &[]),
        ("(q0) q1 r0 q2 r1 r2", &[]),
        // One open request before, and one response lost at least.
        ("q0 q1 (r0) r1", &[1]),
    ] {
        assert_eq!(play(Conversation::open(), script), own(expected), "{script}");
    }
    // What came before the capture may have been asked as well.
    assert_eq!(play(Conversation::midstream(), "q0 q1 r0 r1"), own(&[]));
}

#[test]
fn lost_piece_of_a_request_costs_no_other_exchange() {
    let talks = [Talk { segments: [3, 1], method: "POST", ..PLAIN }; 40];
    // A handshake of three frames, and four for each exchange: the pieces of the sixth request.
    for lost in (0..3).map(|piece| 3 + 5 * 4 + piece + 1) {
        let mut conversation = waiting(&talks);
        conversation.lose(lost);
        let found = pairs(&conversation);
        let others: Vec<_> = own(&(0..40).filter(|n| *n != 5).collect::<Vec<_>>());
        assert!(others.iter().all(|pair| found.contains(pair)), "without frame {lost}: {} of 39", found.len());
        assert!(found.iter().all(|(asked, answered)| asked == answered), "without frame {lost}");
    }
}

#[test]
fn long_response_behind_a_loss_goes_to_nobody_where_it_may_be_a_lost_request_s() {
    let mut conversation = Conversation::open();
    (0..3).for_each(|n| _ = conversation.client(request(n, &PLAIN)));
    conversation.server(response(0, &PLAIN));
    let long = Talk { body_len: 40_000, segments: [1, 150], ..PLAIN };
    pieces(&response(1, &long), 150).for_each(|piece| _ = conversation.server(piece));
    // The first response and the second request, which the client did not wait for.
    conversation.lose(7).lose(5);
    let wrong: Vec<_> = pairs(&conversation).into_iter().filter(|(asked, answered)| asked != answered).collect();
    assert_eq!(wrong, own(&[]));
}
