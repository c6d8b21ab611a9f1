//! What is missing, or damaged, and what is known all the same.

use super::super::*;
use super::wire::*;

#[test]
fn gap_in_content_of_known_length_leaves_it_unknown_and_the_rest_whole() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab"),
        Lose(ServerToClient, 3),
        S("fghHTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let (outcome, exchanges) = talk(&steps, |len| len);
    assert_eq!(outcome, Outcome::of(&["GET /a -> 200 \"abfgh\"? lost_bytes", "GET /b -> 204"]));
    let cost = exchanges[0].response.as_ref().unwrap().cost;
    assert_eq!((cost.encoded_bytes, cost.lost_bytes, cost.content_bytes), (5, 3, None));
}

#[test]
fn content_cut_by_the_snap_length_is_paid_for() {
    let steps = [C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab"), Snap(ServerToClient, 6)];
    let (_, exchanges) = talk(&steps, |len| len);
    let cost = exchanges[0].response.as_ref().unwrap().cost;
    assert_eq!((cost.encoded_bytes, cost.lost_bytes, cost.content_bytes), (8, 0, None));
}

#[test]
fn gap_inside_a_chunk_leaves_its_content_unknown() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab"),
        Lose(ServerToClient, 3),
        S("fgh\r\n0\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&["GET /a -> 200 \"abfgh\"? lost_bytes", "GET /b -> 204"]));
}

#[test]
fn gap_in_a_chunk_size_line_ends_the_content_there() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"),
        Lose(ServerToClient, 3),
        S("cd\r\n0\r\n\r\n"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let expected = Outcome::of(&["GET /a -> 200 \"ab\"? lost_bytes", "GET /b -> 204"]);
    assert_eq!(talk(&steps, |len| len).0, expected.unattributed(0, 9));
}

#[test]
fn gap_in_a_response_head_loses_that_response_only() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nCont"),
        Lose(ServerToClient, 20),
        S("rest of the content"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let expected = Outcome::of(&["GET /a -> 200 lost_bytes header_section_cut", "GET /b -> 204"]);
    assert_eq!(talk(&steps, |len| len).0, expected.unattributed(0, 19));
}

#[test]
fn response_that_was_lost_whole_is_not_mistaken_for_the_next() {
    let steps =
        [C("GET /a HTTP/1.1\r\n\r\n"), Lose(ServerToClient, 200), C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 204 No Content\r\n\r\n")];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&["GET /a -> ? request_without_response", "GET /b -> 204"]));
}

#[test]
fn response_to_a_lost_request_is_not_given_to_a_later_one() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /1 HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    wire.step(Lose(ClientToServer, 30), whole);
    // The response to the lost request is captured first, and handed over behind the next request.
    let response = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
    let cost = wire.carrier(response.len());
    wire.step(C("GET /3 HTTP/1.1\r\n\r\n"), whole);
    wire.buffers[1].push(response, cost);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = Outcome::of(&["GET /1 -> 204", "? -> 202 response_without_request", "GET /3 -> 204"]);
    assert_eq!(wire.finish().0, expected);
}

#[test]
fn capture_that_begins_inside_content_finds_the_next_heads() {
    let mut wire = Wire::new(&Limits::default());
    wire.connection.begin_mid_stream();
    for step in [
        S("the end of some content"),
        S("HTTP/1.1 is a protocol, says this content\r\n\r\n"),
        C("the end of some request"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ] {
        wire.step(step, &mut |len| len);
    }
    assert_eq!(wire.finish().0, Outcome::of(&["GET /b -> 204"]).unattributed(23, 23 + 45));
}

#[test]
fn bytes_that_are_no_head_are_passed_over_and_said() {
    let mut wire = Wire::new(&Limits { http_head: 64, ..Limits::default() });
    let whole = &mut |len| len;
    wire.send(ClientToServer, b"hello world\r\n\r\n");
    wire.step(C("GET /long HTTP/1.1\r\nX: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n"), whole);
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    assert_eq!(wire.finish().0, Outcome::of(&["GET /b -> 204"]).unattributed(15 + 97, 0));
}

#[test]
fn malformed_chunk_ends_the_content_and_the_next_head_is_found() {
    for size_line in ["\r\n", "zz\r\n", "fffffffffffffffff\r\n", "-1\r\n", ";x\r\n"] {
        let mut wire = Wire::new(&Limits::default());
        let whole = &mut |len| len;
        wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
        wire.step(S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), whole);
        wire.send(ServerToClient, size_line.as_bytes());
        wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
        wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
        let (outcome, _) = wire.finish();
        assert_eq!(outcome.exchanges, ["GET /a -> 200 \"\"? malformed_chunk", "GET /b -> 204"], "{size_line:?}");
    }
}

#[test]
fn header_section_cut_by_the_snap_length_gives_its_whole_lines() {
    let steps = [
        C("GET /a HTTP/1.1\r\nHost: x\r\nCoo"),
        Snap(ClientToServer, 20),
        S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Enc"),
        Snap(ServerToClient, 25),
        C("GET /b HT"),
        Snap(ClientToServer, 30),
        S("HTTP/1.1 404 Not"),
        Snap(ServerToClient, 40),
        S("content"),
        C("GET /c HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let (outcome, exchanges) = talk(&steps, |len| len);
    let expected = ["GET /a -> 200 header_section_cut", "GET /b -> 404 header_section_cut", "GET /c -> 204"];
    assert_eq!(outcome, Outcome::of(&expected));
    let costs = |n: usize| (exchanges[n].request.as_ref().unwrap().cost, exchanges[n].response.as_ref().unwrap().cost);
    let (request, response) = costs(0);
    assert_eq!(exchanges[0].request.as_ref().unwrap().head.fields().collect::<Vec<_>>(), [(&b"Host"[..], &b"x"[..])]);
    // 17 + 9 + 3 and 20 of header section; 17 + 19 + 11 and 25, of which 5 are content.
    assert_eq!((request.framing_bytes, request.encoded_bytes, request.content_bytes), (49, 0, None));
    assert_eq!((response.framing_bytes, response.encoded_bytes, response.content_bytes), (67, 5, None));
    // Without a declared length what follows the segment that was cut counts as content.
    assert_eq!((costs(1).1.framing_bytes, costs(1).1.encoded_bytes), (56, 7));
}

#[test]
fn what_the_snap_length_hid_of_a_client_that_does_not_wait_is_answered_to_none() {
    let steps = [
        C("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
        Snap(ClientToServer, 20),
        C("GET /c HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ];
    let expected = ["POST /a \"hello\" -> 200", "? -> 201 response_without_request", "GET /c -> ? request_without_response"];
    assert_eq!(talk(&steps, |len| len).0.exchanges, expected);

    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhell"),
        Snap(ServerToClient, 60),
        S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
    ];
    let expected = [
        "GET /a -> 200 \"hell\"?",
        "? -> 201 response_without_request",
        "GET /b -> ? request_without_response",
        "GET /c -> ? request_without_response",
    ];
    assert_eq!(talk(&steps, |len| len).0.exchanges, expected);
}

#[test]
fn chunked_content_cut_by_the_snap_length_is_paid_for_up_to_the_next_head() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r"),
        Snap(ServerToClient, 30),
        S("more"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    let (outcome, exchanges) = talk(&steps, |len| len);
    assert_eq!(outcome, Outcome::of(&["GET /a -> 200 \"ab\"?", "GET /b -> 204"]));
    assert_eq!(exchanges[0].response.as_ref().unwrap().cost.encoded_bytes, 2 + 1 + 30 + 4);
}

#[test]
fn response_to_a_head_request_that_was_lost_has_no_content() {
    let steps = [S("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")];
    let expected = ["? -> 200 \"\"? response_without_request", "? -> 200 \"hi\" response_without_request"];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&expected));
}

#[test]
fn content_that_the_close_delimits_is_unknown_without_it() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /a HTTP/1.0\r\n\r\n"), whole);
    wire.step(S("HTTP/1.0 200 OK\r\n\r\npart of it"), whole);
    while let Some(event) = wire.connection.end(ServerToClient, false, &mut wire.buffers[1], &mut wire.sinks[1], &mut wire.heads) {
        wire.book(event);
    }
    assert_eq!(wire.finish().0, Outcome::of(&["GET /a -> 200 \"part of it\"? incomplete_content"]));
}

#[test]
fn response_behind_a_loss_answers_the_request_that_saw_all_before_it() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    // Each side's first octet is at offset 0; a request has 19 octets, the lost response 200.
    wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
    wire.step(Lose(ServerToClient, 200), whole);
    wire.buffers[0].note_acknowledged(19, 19, Acknowledged::Offset(200));
    wire.buffers[1].note_acknowledged(200, 27, Acknowledged::Offset(38));
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    assert_eq!(wire.finish().0, Outcome::of(&["GET /a -> ? request_without_response", "GET /b -> 204"]));
}

#[test]
fn response_behind_a_loss_that_acknowledges_a_lost_request_is_nobody_s() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
    wire.step(Lose(ServerToClient, 200), whole);
    wire.buffers[1].note_acknowledged(200, 27, Acknowledged::Offset(19 + 30));
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = ["? -> 204 response_without_request", "GET /a -> ? request_without_response"];
    assert_eq!(wire.finish().0, Outcome::of(&expected));
}

#[test]
fn response_behind_a_loss_is_nobody_s_where_requests_are_pipelined() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    // The first request is lost; the second, sent without waiting, acknowledges as little as it did.
    wire.step(Lose(ClientToServer, 30), whole);
    wire.buffers[0].note_acknowledged(30, 19, Acknowledged::Offset(0));
    wire.buffers[1].note_acknowledged(0, 27, Acknowledged::Offset(30 + 19));
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = ["? -> 204 response_without_request", "GET /b -> ? request_without_response"];
    assert_eq!(wire.finish().0, Outcome::of(&expected));
}

#[test]
fn responses_behind_a_lost_request_are_paired_where_the_client_waited_for_each() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    // A request of 30 octets is lost. What the client says then is read behind it, when it is certain that it will not come; each
    // request had acknowledged the response before, of 27 octets.
    wire.step(Lose(ClientToServer, 30), whole);
    for (sent, acknowledged) in [(30, 27), (49, 54)] {
        wire.buffers[0].note_acknowledged(sent, 19, Acknowledged::Offset(acknowledged));
    }
    for (sent, acknowledged) in [(0, 30), (27, 49), (54, 68)] {
        wire.buffers[1].note_acknowledged(sent, 27, Acknowledged::Offset(acknowledged));
    }
    wire.step(C("GET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"), whole);
    for _ in 0..3 {
        wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    }
    assert_eq!(wire.finish().0, Outcome::of(&["? -> 204 response_without_request", "GET /b -> 204", "GET /c -> 204"]));
}

#[test]
fn content_is_whole_where_only_the_trailer_section_is_damaged() {
    let steps = [
        C("GET /a HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
        C("GET /b HTTP/1.1\r\n\r\n"),
        S("HTTP/1.1 204 No Content\r\n\r\n"),
    ];
    assert_eq!(talk(&steps, |len| len).0, Outcome::of(&["GET /a -> 200 \"hello\" malformed_chunk", "GET /b -> 204"]));
}

#[test]
fn content_length_does_not_reach_over_a_gap_of_unknown_length() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("GET /a HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel"), whole);
    wire.buffers[1].push_break();
    wire.step(S("lo, and what comes next is not fifty octets on"), whole);
    wire.step(C("GET /b HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    let expected = Outcome::of(&["GET /a -> 200 \"hel\"? lost_bytes", "GET /b -> 204"]).unattributed(0, 46);
    assert_eq!(wire.finish().0, expected);
}
