//! What waits is bounded, and counted.

use super::super::*;
use super::wire::*;

#[test]
fn oldest_request_is_given_up_when_too_many_wait() {
    let mut wire = Wire::new(&Limits { pending_requests: 2, ..Limits::default() });
    let whole = &mut |len| len;
    wire.step(C("GET /1 HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"), whole);
    wire.step(C("GET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"), whole);
    wire.step(S("iHTTP/1.1 204 No Content\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"), whole);
    let expected = Outcome::of(&[
        "GET /2 -> ? request_without_response",
        "GET /1 -> 200 \"hi\"",
        "? -> 204 response_without_request",
        "GET /3 -> 205",
    ]);
    assert_eq!(wire.finish().0, expected);
}

#[test]
fn client_that_floods_an_unanswered_upgrade_is_not_kept() {
    let mut wire = Wire::new(&Limits { out_of_order_bytes: 8, ..Limits::default() });
    let whole = &mut |len| len;
    wire.step(C("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), whole);
    assert!(wire.connection.awaits_upgrade());
    wire.step(C("0123456789"), whole);
    assert!(!wire.connection.awaits_upgrade() && wire.buffers[0].is_empty());
    assert_eq!(wire.finish().0, Outcome::of(&["GET /ws -> ? request_without_response"]).unattributed(10, 0));
}

#[test]
fn contents_that_wait_with_their_exchange_are_counted() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    wire.step(C("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), whole);
    let asked = wire.connection.memory();
    wire.step(C("hello"), whole);
    assert_eq!(wire.connection.memory(), asked + 5);
    // The response ends before the next request does, and its head and content wait with that.
    wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole);
    assert_eq!(wire.connection.memory(), 0);
    wire.step(C("POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), whole);
    wire.step(S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), whole);
    let answered = wire.connection.memory();
    assert!(answered > asked, "with the head of the response");
    wire.step(S("no"), whole);
    assert_eq!(wire.connection.memory(), answered + 2);
    wire.step(C("hello"), whole);
    assert_eq!(wire.connection.memory(), 0);
}

#[test]
fn room_for_pipelined_requests_goes_with_their_responses() {
    let mut wire = Wire::new(&Limits::default());
    let whole = &mut |len| len;
    (0..1000).for_each(|_| wire.step(C("GET / HTTP/1.1\r\n\r\n"), whole));
    (0..999).for_each(|_| wire.step(S("HTTP/1.1 204 No Content\r\n\r\n"), whole));
    let Connection { pending, ready, .. } = &wire.connection;
    assert_eq!((pending.len(), ready.len()), (1, 0));
    assert!(pending.capacity().max(ready.capacity()) <= MAX_SPARE, "{} {}", pending.capacity(), ready.capacity());
}
