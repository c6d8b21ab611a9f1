//! Conversations without loss, and what must come of them however they are cut.

use super::wire::{C, ClientToServer, End, Lose, Outcome, S, ServerToClient, Step};

/// Each with its name.
pub(super) fn conversations() -> Vec<(&'static str, Vec<Step>, Outcome)> {
    vec![
        (
            "keep-alive",
            vec![
                C("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"),
                C("POST /2 HTTP/1.1\r\nContent-Length: 4\r\n\r\nping"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"),
                C("GET /3 HTTP/1.1\n\n"),
                S("HTTP/1.1 200\nContent-Length: 0\n\n"),
            ],
            Outcome::of(&["GET /1 -> 200 \"one\"", "POST /2 \"ping\" -> 200 \"pong\"", "GET /3 -> 200"]),
        ),
        (
            "pipelining",
            vec![
                C("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
                S("HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n3"),
            ],
            Outcome::of(&["GET /1 -> 200 \"1\"", "HEAD /2 -> 200", "GET /3 -> 404 \"3\""]),
        ),
        (
            "informational responses",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
                S("HTTP/1.1 100 Continue\r\n\r\n"),
                C("hi"),
                S("HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            ],
            Outcome::of(&["POST /a \"hi\" -> 100 103 200 \"ok\""]),
        ),
        (
            "content that was refused is not sent",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n"),
                S("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
                C("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"),
                S("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
                C("PUT /b HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
                S("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"),
            ],
            Outcome::of(&["POST /a -> 417 \"no\"", "POST /a \"hi\" -> 401", "PUT /b -> 413"]),
        ),
        (
            "content that was refused is sent nonetheless",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n"),
                S("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
                C("hi thereGET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["POST /a \"hi there\" -> 417 \"no\"", "GET /b -> 204"]),
        ),
        (
            "what was lost behind a refusal is another request",
            vec![
                C("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n"),
                S("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
                Lose(ClientToServer, 30),
                S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                C("GET /c HTTP/1.1\r\n\r\n"),
            ],
            Outcome::of(&["POST /a -> 417 \"no\"", "? -> 200 response_without_request", "GET /c -> ? request_without_response"]),
        ),
        (
            "content that was accepted may look like a request",
            vec![
                C("POST /log HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                C("GET / HTTP/1.1\r\n\r\n"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["POST /log \"GET / HTTP/1.1\\r\\n\\r\\n\" -> 200", "GET /b -> 204"]),
        ),
        (
            "final response before the request's content ended",
            vec![
                C("POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"),
                S("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"),
                C("cd"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["POST /a \"abcd\" -> 413 \"no\"", "GET /b -> 204"]),
        ),
        (
            "not modified has no content whatever its length says",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 304", "GET /b -> 204"]),
        ),
        (
            "chunks with extension and trailer",
            vec![
                C(
                    "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;name=\"v\"\r\nabc\r\n0A \r\n0123456789\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n",
                ),
                S("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\nhi\n0\n\n"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ],
            Outcome::of(&["POST /a \"abc0123456789\" -> 200 \"hi\"", "GET /b -> 200 \"\""]),
        ),
        (
            "both length fields",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"hi\" transfer_encoding_and_content_length"]),
        ),
        (
            "equal and conflicting lengths",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi"),
                C("GET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
            ],
            Outcome::of(&["GET /a -> 200 \"hi\"", "GET /b -> 200 \"hi\" conflicting_content_length"]),
        ),
        (
            "close-delimited content",
            vec![C("GET /a HTTP/1.0\r\n\r\n"), S("HTTP/1.0 200 OK\r\n\r\nall of it"), End(ServerToClient)],
            Outcome::of(&["GET /a -> 200 \"all of it\""]),
        ),
        (
            "folded field, empty lines before start lines",
            vec![
                C("\r\n\r\nGET /a HTTP/1.1\r\nX: 1\r\n 2\r\n\r\n"),
                S("\r\nHTTP/1.1 200 OK\r\nX: 1\r\n\t2\r\nContent-Length: 2\r\n\r\nhi"),
                C("\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"hi\" obsolete_folding"]).unattributed(1, 0),
        ),
        (
            "upgrade with frames of both sides around the 101",
            vec![
                C("GET /ws HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n\u{1}frame"),
                S("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\u{2}frame"),
                C("more"),
                S("more"),
            ],
            Outcome::of(&["GET /ws -> 101 WebSocket"]).unread("\u{1}framemore", "\u{2}framemore"),
        ),
        (
            "upgrade that is refused",
            vec![
                C("GET /ws HTTP/1.1\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"),
            ],
            Outcome::of(&["GET /ws -> 200 \"no\"", "GET /b -> 200 \"yes\""]),
        ),
        (
            "upgrade whose client ends before the answer",
            vec![
                C("GET /ws HTTP/1.1\r\nUpgrade: h2c\r\n\r\nleft"),
                End(ClientToServer),
                S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nright"),
            ],
            Outcome::of(&["GET /ws -> 101 Other"]).unread("left", "right"),
        ),
        (
            "upgrade that is never answered",
            vec![C("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\nleft")],
            Outcome::of(&["GET /ws -> ? request_without_response"]).unread("left", ""),
        ),
        (
            "tunnel",
            vec![
                C("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\ntls"),
                S("HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\ntls"),
            ],
            Outcome::of(&["CONNECT a:443 -> 200 Tunnel"]).unread("tls", "tls"),
        ),
        (
            "tunnel that is refused",
            vec![
                C("CONNECT a:443 HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"),
                C("CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\n\r\n"),
                C("tls"),
            ],
            Outcome::of(&["CONNECT a:443 -> 407 \"no\"", "CONNECT a:443 -> 200 Tunnel"]).unread("tls", ""),
        ),
        (
            "content that is cut by the end",
            vec![
                C("GET /a HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
                End(ServerToClient),
                C("GET /b HTTP/1.1\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"half\"? incomplete_content", "GET /b -> ? request_without_response"]),
        ),
        (
            "head that is cut by the end",
            vec![C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nCont")],
            Outcome::of(&["GET /a -> ? request_without_response"]).unattributed(0, 25 + 21),
        ),
        (
            "response without request",
            vec![S("HTTP/1.1 408 Request Timeout\r\nContent-Length: 2\r\n\r\nhi")],
            Outcome::of(&["? -> 408 \"hi\" response_without_request"]),
        ),
        (
            "last chunk without the empty line",
            vec![
                C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
                S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
                S("HTTP/1.1 204 No Content\r\n\r\n"),
            ],
            Outcome::of(&["GET /a -> 200 \"\" malformed_chunk", "GET /b -> 204"]),
        ),
    ]
}
