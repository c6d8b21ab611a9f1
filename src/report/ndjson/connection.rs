//! Rows of connections.

use super::message::close;
use super::{detail, key, list, names};
use crate::message::{Bucket, Buckets, ConnectionRow, Direction, TcpAnalysis, TcpFacts, TcpSide, WebSocketFacts};
use crate::report::costs::Costs;
use crate::report::encode::{name, number, optional_number};
use crate::report::line::{Line, Padded, field, padded, padded_len, put_key, seconds};

#[inline(never)]
pub(super) fn connection(mut line: Line<'_>, connection: &ConnectionRow, costs: &mut Costs, out: &mut Vec<u8>) -> usize {
    line.field(padded!(r#"{"type":"connection","connection":"#), connection.connection);
    put_key!(line, "client");
    line.address(connection.client);
    put_key!(line, "server");
    line.address(connection.server);
    costs.frames(&mut line, connection.first, connection.last);
    put_key!(line, "duration_s");
    match connection.last.time.0.checked_sub(connection.first.time.0) {
        Some(ns @ 0..) => line.nanoseconds(ns as u64),
        Some(_) | None => line.decimal(connection.last.time.seconds_since(connection.first.time)),
    }
    put_key!(line, "protocols");
    names(&mut line, &connection.protocols, out);
    field!(line, "wire_bytes", connection.wire_bytes);
    field!(line, "exchanges", connection.exchanges);
    put_key!(line, "time_to_first_request_s");
    line.optional_decimal(connection.time_to_first_request_s);
    put_key!(line, "websocket");
    match &connection.websocket {
        Some(facts) => line.with(|line| websocket(line, facts, out)),
        None => line.put(b"null"),
    }
    line.with(|line| buckets(line, &connection.buckets));
    line.with(|line| tcp(line, &connection.tcp));
    if connection.anomalies.is_empty() {
        line.padded(padded!(",\"anomalies\":[]}\n"));
    } else {
        line.append_to(out);
        connection_anomalies(out, connection);
    }
    line.at()
}

#[cold]
fn connection_anomalies(out: &mut Vec<u8>, connection: &ConnectionRow) {
    key!(out, "anomalies");
    list(out, &connection.anomalies, |out, &(kind, count, first_frame)| {
        out.extend_from_slice(br#"{"kind":"#);
        name(out, kind.name());
        key!(out, "count");
        number(out, count);
        key!(out, "first_frame");
        optional_number(out, (first_frame > 0).then_some(first_frame));
        out.push(b'}');
    });
    key!(out, "anomaly_details");
    list(out, &connection.anomalies, |out, &(kind, _, first_frame)| {
        let first_frame = (first_frame > 0).then_some(first_frame);
        detail(out, kind, connection.anomaly_details.of_kind(kind), first_frame);
    });
    out.extend_from_slice(b"}\n");
}

#[inline(never)]
fn websocket(mut line: Line<'_>, facts: &WebSocketFacts, out: &mut Vec<u8>) -> usize {
    fn octets(text: &Option<String>) -> Option<&[u8]> {
        text.as_deref().map(str::as_bytes)
    }
    line.put(br#"{"host":"#);
    line.optional_text(octets(&facts.host), out);
    put_key!(line, "target");
    line.optional_text(octets(&facts.target), out);
    put_key!(line, "version");
    line.optional_number(facts.version.map(u64::from));
    put_key!(line, "subprotocol");
    line.optional_text(octets(&facts.subprotocol), out);
    put_key!(line, "extensions");
    line.optional_text(octets(&facts.extensions), out);
    put_key!(line, "accept_valid");
    line.optional_boolean(facts.accept_valid);
    put_key!(line, "handshake_captured");
    line.boolean(facts.handshake_captured);
    put_key!(line, "handshake_s");
    line.optional_decimal(facts.handshake_s);
    close(&mut line, facts.close.as_ref(), out);
    put_key!(line, "closed_by");
    match facts.closed_by {
        Some(Direction::ClientToServer) => line.padded(padded!(r#""client"}"#)),
        Some(Direction::ServerToClient) => line.padded(padded!(r#""server"}"#)),
        None => line.put(b"null}"),
    }
    line.at()
}

/// Appends the member of a bucket, with what stands before it.
macro_rules! bucket {
    ($line:expr, $buckets:expr, $bucket:ident, $before:literal) => {{
        let client = $buckets.in_direction(Bucket::$bucket, Direction::ClientToServer);
        let server = $buckets.in_direction(Bucket::$bucket, Direction::ServerToClient);
        if client | server == 0 {
            $line.padded(padded!($before, r#":{"client_to_server":0,"server_to_client":0}"#));
        } else {
            $line.field(padded!($before, r#":{"client_to_server":"#), client);
            field!($line, "server_to_client", server);
            $line.put(b"}");
        }
    }};
}

#[inline(never)]
fn buckets(mut line: Line<'_>, buckets: &Buckets) -> usize {
    bucket!(line, buckets, TcpSetup, r#","buckets":{"tcp_setup""#);
    bucket!(line, buckets, TlsSetup, r#","tls_setup""#);
    bucket!(line, buckets, Acknowledgements, r#","acknowledgements""#);
    bucket!(line, buckets, Retransmissions, r#","retransmissions""#);
    bucket!(line, buckets, KeepAlive, r#","keep_alive""#);
    bucket!(line, buckets, Teardown, r#","teardown""#);
    bucket!(line, buckets, Unattributed, r#","unattributed""#);
    line.put(b"}");
    line.at()
}

#[inline(never)]
fn tcp(mut line: Line<'_>, tcp: &TcpFacts) -> usize {
    line.field(padded!(r#","tcp":{"segments":"#), tcp.segments);
    field!(line, "retransmitted_segments", tcp.retransmitted_segments);
    put_key!(line, "initial_rtt_s");
    line.optional_decimal(tcp.initial_rtt_s);
    if tcp.retransmitted_bytes | tcp.out_of_order_segments | tcp.duplicate_segments | tcp.lost_bytes == 0 {
        // As most are.
        line.padded(padded!(r#","retransmitted_bytes":0,"out_of_order_segments":0,"duplicate_segments":0,"lost_bytes":0"#));
    } else {
        field!(line, "retransmitted_bytes", tcp.retransmitted_bytes);
        field!(line, "out_of_order_segments", tcp.out_of_order_segments);
        field!(line, "duplicate_segments", tcp.duplicate_segments);
        field!(line, "lost_bytes", tcp.lost_bytes);
    }
    let [client, server] = &tcp.sides;
    put_key!(line, "client_mss");
    line.optional_number(client.mss.map(u64::from));
    put_key!(line, "server_mss");
    line.optional_number(server.mss.map(u64::from));
    put_key!(line, "client");
    line.with(|line| tcp_side(line, client));
    put_key!(line, "server");
    line.with(|line| tcp_side(line, server));
    match &tcp.analysis {
        None => line.padded(padded!(r#","analysis":{}}"#)),
        Some(_) => line.with(|line| analysis(line, tcp)),
    }
    line.at()
}

#[inline(never)]
fn analysis(mut line: Line<'_>, tcp: &TcpFacts) -> usize {
    line.padded(padded!(r#","analysis":{"#));
    let both = |kind| Direction::BOTH.map(|direction| tcp.analysis(kind, direction));
    let met = TcpAnalysis::ALL.into_iter().map(|kind| (kind, both(kind))).filter(|&(_, both)| both != [0, 0]);
    for (at, (kind, [client, server])) in met.enumerate() {
        if at > 0 {
            line.put(b",");
        }
        line.put(b"\"");
        line.name(kind.name());
        line.field(padded!(r#"":{"client_to_server":"#), client);
        field!(line, "server_to_client", server);
        line.put(b"}");
    }
    line.put(b"}}");
    line.at()
}

#[inline(never)]
fn tcp_side(mut line: Line<'_>, side: &TcpSide) -> usize {
    line.padded(padded!(r#"{"window_scale":"#));
    line.optional_number(side.window_scale.map(u64::from));
    match (side.sack_permitted, side.timestamps) {
        // As mostly.
        (Some(true), Some(true)) => line.padded(padded!(r#","sack_permitted":true,"timestamps":true"#)),
        (sack_permitted, timestamps) => {
            put_key!(line, "sack_permitted");
            line.optional_boolean(sack_permitted);
            put_key!(line, "timestamps");
            line.optional_boolean(timestamps);
        }
    }
    field!(line, "max_bytes_in_flight", side.max_bytes_in_flight.into());
    let times = &side.round_trips;
    line.field(padded!(r#","ack_rtt":{"count":"#), times.count);
    if times.count == 0 {
        line.padded(padded!(r#","min_s":null,"mean_s":null,"max_s":null}}"#));
        return line.at();
    }
    if times.count == 1 && times.sum_ns < 1_000_000_000 {
        // All are the same.
        let time = seconds(times.sum_ns);
        put_key!(line, "min_s");
        line.short(time);
        put_key!(line, "mean_s");
        line.short(time);
        put_key!(line, "max_s");
        line.short(time);
    } else {
        put_key!(line, "min_s");
        line.nanoseconds(times.min_ns);
        put_key!(line, "mean_s");
        line.optional_decimal(times.mean_s());
        put_key!(line, "max_s");
        line.nanoseconds(times.max_ns);
    }
    line.put(b"}}");
    line.at()
}
