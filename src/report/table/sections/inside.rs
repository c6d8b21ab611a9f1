//! What is inside the messages, and polls.

use std::io;

use super::thousands_free;
use crate::analysis::plural;
use crate::report::number::{DASH, optional_mean, percent, seconds, thousands};
use crate::report::page::Page;
use crate::report::text::{safe, shorten};
use crate::report::{EnvelopeReport, PaidReport, PollingReport, Report};

/// Endpoints on the page; JSON has more.
const ENDPOINTS: usize = 10;

/// Columns that a path may take.
const PATH_WIDTH: usize = 48;

/// What the protocols inside messages keep for themselves.
pub(in crate::report::table) fn envelopes(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let sides = [
        ("Ajax", &report.ajax),
        ("WebSocket", &report.websocket),
        ("server-sent events", &report.server_sent_events),
        ("other HTTP", &report.other_http),
    ];
    let row = |side: &str, protocol: &str, totals: &EnvelopeReport| {
        vec![
            protocol.to_owned(),
            side.to_owned(),
            thousands(totals.messages),
            thousands(totals.packets),
            thousands(totals.content_bytes),
            thousands(totals.envelope_bytes),
            percent(totals.envelope_share),
        ]
    };
    let rows: Vec<_> =
        sides.iter().flat_map(|(name, side)| side.envelopes.iter().map(|(protocol, totals)| row(name, protocol, totals))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("Inside the messages (bytes of decoded content)")?;
    let header = ["protocol", "side", "messages", "packets", "content", "envelope", "share"];
    page.table_in_room(2, &header, rows, &["packets", "content", "messages"])
}

/// Field names on the page; JSON has more.
const FIELDS: usize = 8;

/// What Ajax's header fields cost.
pub(in crate::report::table) fn header_fields(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let fields = &report.ajax.header_fields;
    let directions = [("request", &fields.requests), ("response", &fields.responses)];
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for (direction, fields) in directions {
        for field in fields {
            let name = field.name.as_deref().map_or("(all others)".into(), |name| shorten(&safe(name), PATH_WIDTH));
            let row = vec![
                name,
                direction.to_owned(),
                thousands(field.lines),
                thousands(field.bytes),
                optional_mean(field.bytes_per_message),
                percent(field.share_of_wire),
            ];
            rows.push((field.bytes, row));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    page.heading("Header fields of Ajax that cost the most (bytes)")?;
    let header = ["field", "of a", "lines", "bytes", "bytes a message", "of the wire"];
    page.table_in_room(2, &header, rows.into_iter().take(FIELDS).map(|(_, row)| row).collect(), &["lines", "of the wire"])
}

pub(in crate::report::table) fn polling(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.polling.is_empty() {
        return Ok(());
    }
    page.heading("Polling (bytes on the wire)")?;
    let row = |polled: &PollingReport| {
        let what = endpoint_name(polled.host.as_deref(), polled.path.as_deref());
        vec![
            polled.kind.to_owned(),
            format!("{} {what}", polled.method.as_deref().unwrap_or_default()).trim().to_owned(),
            thousands(polled.polls),
            polled.interval_s.and_then(|interval| interval.mean).map_or(DASH.into(), seconds),
            thousands(polled.wire_bytes),
            thousands(polled.wasted_polls),
            thousands(polled.wasted_wire_bytes),
            polled.added_wait_s.map_or(DASH.into(), |wait| seconds(wait.mean)),
        ]
    };
    let rows = report.polling.iter().take(ENDPOINTS).map(row).collect();
    let header = ["kind", "what", "polls", "every", "bytes", "no news", "wasted bytes", "added wait"];
    page.table_in_room(2, &header, rows, &["added wait", "no news", "every"])
}

/// engine.io's way to WebSocket.
pub(in crate::report::table) fn engine_io(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let Some(engine_io) = &report.engine_io else { return Ok(()) };
    for (sessions, title) in [
        (&engine_io.upgraded, "What engine.io paid to get from polls to a WebSocket (bytes on the wire)"),
        (&engine_io.polling, "What engine.io sessions paid that stayed with polls (bytes on the wire)"),
    ] {
        if sessions.sessions == 0 {
            continue;
        }
        page.heading(title)?;
        let row = |what: &str, paid: &PaidReport| {
            vec![what.into(), thousands(paid.count), thousands(paid.wire_bytes), optional_mean(paid.wire_bytes_per_session)]
        };
        let mut rows = vec![row("handshake", &sessions.handshakes), row("polls", &sessions.polls)];
        if sessions.websocket_handshakes.count > 0 {
            rows.push(row("WebSocket opening handshake", &sessions.websocket_handshakes));
            rows.push(row("probe", &sessions.probes));
        }
        rows.push(vec![
            "together".into(),
            format!("{} {}", thousands(sessions.sessions), plural(sessions.sessions, "session", "sessions")),
            thousands(sessions.wire_bytes),
            optional_mean(sessions.wire_bytes_per_session),
        ]);
        page.table_in_room(1, &["", "how many", "bytes", "a session"], rows, &["a session"])?;
    }
    Ok(())
}

pub(in crate::report::table) fn endpoints(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.endpoints.is_empty() {
        return Ok(());
    }
    page.heading("Endpoints that cost the most (bytes on the wire)")?;
    let row = |endpoint: &crate::report::EndpointReport| {
        vec![
            side_name(endpoint.side),
            endpoint_name(endpoint.host.as_deref(), endpoint.path.as_deref()),
            thousands(endpoint.messages),
            thousands(endpoint.wire_bytes),
            optional_mean(endpoint.wire_bytes_per_message),
            percent(endpoint.overhead_share),
            endpoint.first_frame.map_or(DASH.into(), thousands_free),
            endpoint.time_to_answer.mean_s.map_or(DASH.into(), seconds),
        ]
    };
    let rows = report.endpoints.iter().take(ENDPOINTS).map(row).collect();
    let header = ["side", "endpoint", "messages", "wire bytes", "a message", "overhead", "frame", "answer in"];
    page.table_in_room(2, &header, rows, &["answer in", "frame", "a message", "overhead"])?;
    if report.endpoints.iter().take(ENDPOINTS).any(|endpoint| endpoint.messages_wire_bytes < endpoint.wire_bytes) {
        page.paragraph("", "WebSocket's wire bytes include opening handshakes and control frames, beside its messages")?;
    }
    match report.endpoints.len().saturating_sub(ENDPOINTS) {
        0 => Ok(()),
        more => page.paragraph("", &format!("{more} more in `--format json`")),
    }
}

/// A side as people write it.
fn side_name(name: &str) -> String {
    let name = match name {
        "server_sent_events" => "server-sent events",
        "other_http" => "other HTTP",
        "ajax" => "Ajax",
        "websocket" => "WebSocket",
        other => other,
    };
    name.to_owned()
}

/// Host and path, on two lines where one has no room for both. Made safe before they are cut, so that no escape is cut in two;
/// the table finds nothing left to escape.
fn endpoint_name(host: Option<&str>, path: Option<&str>) -> String {
    let short = |part: &str| shorten(&safe(part), PATH_WIDTH);
    let host = host.map(|host| short(host) + " ").unwrap_or_default();
    path.map_or("(all others)".into(), |path| host + &short(path))
}
