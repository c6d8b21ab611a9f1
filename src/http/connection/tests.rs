//! Conversations, pushed in whole, octet by octet and cut at random; after each, every octet is booked once.

mod conversations;
mod limits;
mod losses;
mod wire;

use proptest::prelude::*;

use super::*;
use conversations::conversations;
use wire::*;

#[test]
fn segments_that_are_messages_come_to_the_same() {
    let mut taken = 0;
    for (name, steps, outcome) in conversations() {
        for cut in [usize::MAX, 60, 20] {
            let mut wire = Wire::new(&Limits::default());
            wire.offers_segments = true;
            steps.iter().for_each(|&step| wire.step(step, &mut |_| cut));
            taken += wire.taken;
            let (found, exchanges) = wire.finish();
            assert_eq!(found, outcome, "{name}, cut at {cut}");
            let (_, general) = talk(&steps, |_| cut);
            assert_eq!(exchanges, general, "{name}, cut at {cut}");
        }
    }
    assert!(taken > 20, "only {taken} were taken");
}

#[test]
fn segments_that_are_more_or_less_than_a_message_are_left_to_the_general_path() {
    let get = C("GET /1 HTTP/1.1\r\n\r\n");
    for (name, steps, taken) in [
        ("a request and its response", vec![get, S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")], 2),
        ("chunks", vec![get, S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n")], 2),
        ("a trailer section", vec![get, S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nA: b\r\n\r\n")], 1),
        ("no content", vec![get, S("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")], 2),
        ("HEAD", vec![C("HEAD / HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")], 2),
        ("two requests", vec![C("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")], 0),
        ("a second request before the response", vec![get, C("GET /2 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n")], 1),
        ("octets behind the content", vec![get, S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200")], 1),
        ("content in the next segment", vec![get, S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), S("1")], 1),
        ("all until it closes", vec![get, S("HTTP/1.1 200 OK\r\n\r\nall")], 1),
        ("an interim response", vec![get, S("HTTP/1.1 100 Continue\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n")], 1),
        ("Upgrade", vec![C("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")], 0),
        ("CONNECT", vec![C("CONNECT a:443 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n")], 0),
        ("an empty line before", vec![C("\r\n"), C("GET / HTTP/1.1\r\n\r\n")], 0),
        ("a response without request", vec![S("HTTP/1.1 204 No Content\r\n\r\n")], 0),
        ("a loss", vec![Lose(ClientToServer, 5), get], 0),
        ("lengths that differ", vec![C("POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n1")], 0),
    ] {
        let mut wire = Wire::new(&Limits::default());
        wire.offers_segments = true;
        steps.iter().for_each(|&step| wire.step(step, &mut |len| len));
        assert_eq!(wire.taken, taken, "{name}");
        let (found, exchanges) = wire.finish();
        let (outcome, general) = talk(&steps, |len| len);
        assert_eq!((found, exchanges), (outcome, general), "{name}");
    }
}

#[test]
fn conversations_are_read_segment_by_segment() {
    for (name, steps, expected) in conversations() {
        assert_eq!(talk(&steps, |len| len).0, expected, "{name}");
    }
}

#[test]
fn conversations_are_read_octet_by_octet() {
    for (name, steps, expected) in conversations() {
        assert_eq!(talk(&steps, |_| 1).0, expected, "{name}");
    }
}

proptest! {
    #[test]
    fn conversations_are_read_however_they_are_cut(cuts in prop::collection::vec(1usize..40, 1..64)) {
        for (name, steps, expected) in conversations() {
            let mut cuts = cuts.iter().copied().cycle();
            let (outcome, _) = talk(&steps, |_| cuts.next().unwrap_or(1));
            prop_assert_eq!(outcome, expected, "{}", name);
        }
    }

    /// Whatever comes: no panic, every octet booked once, and the machine comes to rest.
    #[test]
    fn noise_is_booked(steps in prop::collection::vec(noise(), 0..40)) {
        let mut wire = Wire::new(&Limits { http_head: 60, pending_requests: 2, out_of_order_bytes: 100, ..Limits::default() });
        for (step, piece) in steps {
            wire.step(step, &mut |_| piece);
        }
        wire.finish();
    }
}

fn noise() -> impl Strategy<Value = (Step, usize)> {
    const PARTS: [&str; 16] = [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "\r\n",
        "\n",
        "fffffffffffffffff\r\n",
        "\u{0}\u{1}:",
    ];
    let direction = prop::sample::select(&Direction::BOTH[..]);
    let part = (direction.clone(), prop::sample::select(&PARTS[..])).prop_map(|(direction, text)| match direction {
        ClientToServer => C(text),
        ServerToClient => S(text),
    });
    let missing = (direction.clone(), 1u32..20, any::<bool>()).prop_map(|(direction, len, is_lost)| match is_lost {
        true => Lose(direction, len),
        false => Snap(direction, len),
    });
    let step = prop_oneof![12 => part, 2 => missing, 1 => direction.prop_map(End)];
    // Nothing comes after the end of a direction; `Wire` would push it all the same, and the machine must bear that.
    (step, 1usize..80)
}

#[test]
fn cost_of_an_exchange_is_that_of_its_segments() {
    let steps = [
        C("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"),
        S("HTTP/1.1 100 Continue\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    ];
    let (_, exchanges) = talk(&steps, |len| len);
    let (request, response) = (exchanges[0].request.as_ref().unwrap().cost, exchanges[0].response.as_ref().unwrap().cost);
    // 39 of head + 2; 14 + 20 + 32 of headers.
    assert_eq!((request.framing_bytes, request.encoded_bytes, request.wire_bytes()), (39, 2, 107));
    // 25 of the 100, 47 of head, 3 + 2 + 5 around the chunk; 2 segments.
    assert_eq!((response.framing_bytes, response.encoded_bytes, response.wire_bytes()), (82, 2, 216));
    // The request in second 1, the 100 in second 2, the final response in second 3.
    assert_eq!((exchanges[0].time_to_first_byte_s, exchanges[0].time_to_last_byte_s), (Some(2.0), Some(2.0)));
}

#[test]
fn time_runs_from_the_first_octet_to_the_first_and_last_of_the_response() {
    let steps = [C("\r\n"), C("GET /a HTTP/1.1\r\n"), C("\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), S("h"), S("i")];
    let (_, exchanges) = talk(&steps, |len| len);
    assert_eq!((exchanges[0].time_to_first_byte_s, exchanges[0].time_to_last_byte_s), (Some(2.0), Some(4.0)));
}

#[test]
fn response_waits_for_its_request_when_the_caller_asks() {
    let mut wire = Wire::new(&Limits::default());
    assert!(wire.connection.awaits_request());
    wire.step(C("GET /1 HTTP/1.1\r\n\r\n"), &mut |len| len);
    assert!(!wire.connection.awaits_request());
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"), &mut |len| len);
    assert!(!wire.connection.awaits_request());
    wire.step(S("i"), &mut |len| len);
    assert!(wire.connection.awaits_request());
    wire.finish();
}
