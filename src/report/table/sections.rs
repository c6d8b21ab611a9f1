//! The sections of the page, in the order in which they stand.

use std::io;

use crate::analysis::break_even::Point;
use crate::analysis::comparison::{Basis, Means};
use crate::analysis::plural;
use crate::message::TcpAnalysis;
use crate::report::number::{DASH, mean, optional_mean, percent, seconds, thousands, times};
use crate::report::page::Page;
use crate::report::text::{safe, shorten};
use crate::report::{
    BothWays, EnvelopeReport, Figures, LayerMeans, PaidReport, PollingReport, Report, RoundTripReport, Shares, SideReport, Spread,
};

/// Endpoints on the page; JSON has more.
const ENDPOINTS: usize = 10;

/// Columns that a path may take.
const PATH_WIDTH: usize = 48;

pub(super) fn captured(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    page.heading("Captured")?;
    let file = |capture: &crate::report::CaptureFile| {
        vec![
            capture.file.clone(),
            capture.format.clone(),
            // To the second; JSON has the nanoseconds.
            capture.first_time.as_deref().and_then(|time| time.get(..19)).map_or(DASH.into(), |time| time.replace('T', " ")),
            seconds(capture.duration_s),
            thousands(capture.packets),
            thousands(capture.wire_bytes),
            percent(capture.captured_share) + if capture.truncated { ", cut off" } else { "" },
        ]
    };
    page.table_in_room(
        3,
        &["file", "format", "first packet (UTC)", "duration", "packets", "bytes on the wire", "captured"],
        report.captures.iter().map(file).collect(),
        &["format", "first packet (UTC)", "duration"],
    )?;
    let coverage = &report.coverage;
    let shares = &coverage.shares;
    let mut parts = vec![format!("understood {}", percent(shares.understood))];
    for (name, share) in [
        ("encrypted", shares.encrypted),
        ("not understood", shares.opaque),
        ("not TCP", shares.not_tcp),
        ("captured twice", shares.duplicates),
    ] {
        if share.is_some_and(|share| share > 0.0) {
            parts.push(format!("{name} {}", percent(share)));
        }
    }
    if coverage.lost_bytes > 0 {
        parts.push(format!("{} {} sent but not captured", thousands(coverage.lost_bytes), plural(coverage.lost_bytes, "byte", "bytes")));
    }
    let connections = plural(coverage.connections, "connection", "connections");
    page.paragraph("", &format!("{} {connections}; bytes {}", thousands(coverage.connections), parts.join(", ")))?;
    let not_tcp: Vec<_> = coverage.not_tcp.iter().take(5).map(|part| format!("{}: {}", part.name, thousands(part.packets))).collect();
    if !not_tcp.is_empty() {
        page.paragraph("", &format!("packets without TCP: {}", not_tcp.join(", ")))?;
    }
    sides(page, report)
}

/// What each side holds.
fn sides(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let named = [
        ("Ajax", &report.ajax, "exchanges"),
        ("WebSocket", &report.websocket, "messages"),
        ("server-sent events", &report.server_sent_events, "exchanges"),
        ("other HTTP", &report.other_http, "exchanges"),
    ];
    let row = |(name, side, unit): (&str, &SideReport, &str)| {
        let count = side.exchanges.unwrap_or(side.figures.messages);
        let all_in = side.figures.all_in_wire_bytes;
        let unit = if count == 1 { unit.trim_end_matches('s') } else { unit };
        vec![
            name.into(),
            format!("{} {unit}", thousands(count)),
            thousands(side.connections),
            thousands(all_in),
            percent(side.share_of_capture),
        ]
    };
    let mut rows: Vec<_> = named.into_iter().filter(|(_, side, _)| side.figures.all_in_wire_bytes > 0).map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    rows.extend(no_side(report));
    page.gap()?;
    page.table_in_room(1, &["side", "what it carried", "connections", "bytes, all in", "of the capture"], rows, &["connections"])
}

/// What no side paid for.
fn no_side(report: &Report) -> impl Iterator<Item = Vec<String>> {
    let Report { conservation, coverage, .. } = report;
    let parts = [
        ("none", "no message", Some(coverage.silent_connections), conservation.unclaimed_buckets),
        ("none", "no TCP", None, conservation.not_tcp),
        ("none", "duplicates", None, conservation.duplicates),
    ];
    let share = |bytes: u64| percent(Some(bytes as f64 / conservation.wire_bytes as f64));
    parts.into_iter().filter(|&(.., bytes)| bytes > 0).map(move |(side, what, connections, bytes)| {
        vec![side.into(), what.into(), connections.map_or_else(|| DASH.into(), thousands), thousands(bytes), share(bytes)]
    })
}

/// Messages of one kind, or exchanges: a column of means.
struct Column<'a> {
    header: &'static str,
    means: LayerMeans,
    count: u64,
    content: Option<Spread<u64>>,
    figures: &'a Figures,
}

impl<'a> Column<'a> {
    fn of_messages(header: &'static str, figures: &'a Figures) -> Option<Self> {
        let per_message = &figures.per_message;
        Some(Self { header, means: per_message.means?, count: figures.messages, content: per_message.content_bytes, figures })
    }

    fn of_exchanges(header: &'static str, side: &'a SideReport) -> Option<Self> {
        let per_exchange = side.per_exchange.as_ref()?;
        let count = side.exchanges.unwrap_or_default();
        Some(Self { header, means: per_exchange.means?, count, content: per_exchange.content_bytes, figures: &side.figures })
    }

    /// Of those whose content is known.
    fn content(&self) -> String {
        match self.content {
            Some(Spread { count, mean: Some(bytes), .. }) if count < self.count => mean(bytes) + NOT_ALL,
            Some(Spread { mean: Some(bytes), .. }) => mean(bytes),
            _ => "unknown".into(),
        }
    }

    /// The same, of these.
    fn efficiency(&self) -> String {
        match self.figures.efficiency {
            Some(_) if self.figures.unknown_content_messages > 0 => percent(self.figures.efficiency) + NOT_ALL,
            efficiency => percent(efficiency),
        }
    }
}

/// Behind a mean of some of what is counted.
const NOT_ALL: &str = " *";

const AJAX_RESPONSE: &str = "Ajax\nresponse";
const AJAX_REQUEST: &str = "Ajax\nrequest";
const WEBSOCKET_FROM_SERVER: &str = "WebSocket\nfrom server";
const WEBSOCKET_FROM_CLIENT: &str = "WebSocket\nfrom client";

/// The columns that hold anything.
fn columns(report: &Report) -> Vec<Column<'_>> {
    let (ajax, websocket) = (&report.ajax, &report.websocket);
    let columns = [
        Column::of_messages(AJAX_RESPONSE, &ajax.by_direction.server_to_client),
        Column::of_messages(WEBSOCKET_FROM_SERVER, &websocket.by_direction.server_to_client),
        Column::of_messages(AJAX_REQUEST, &ajax.by_direction.client_to_server),
        Column::of_messages(WEBSOCKET_FROM_CLIENT, &websocket.by_direction.client_to_server),
        Column::of_exchanges("Ajax\nexchange", ajax),
        Column::of_messages("WebSocket\nmessage", &websocket.figures),
    ];
    columns.into_iter().flatten().collect()
}

/// Means of one message by layer: one way in both directions, and an exchange against a message.
pub(super) fn one_by_one(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let columns = columns(report);
    if columns.is_empty() {
        return Ok(());
    }
    page.heading("What one of each cost, by layer (mean bytes)")?;
    let row = |name: &str, cell: &dyn Fn(&Column<'_>) -> String| -> Vec<String> {
        std::iter::once(name.to_owned()).chain(columns.iter().map(cell)).collect()
    };
    let bytes = |name: &str, figure: fn(&LayerMeans) -> f64| row(name, &|column| mean(figure(&column.means)));
    let (sum, overhead, below): (_, _, &[&str]) = match report.settings.basis {
        Basis::Wire => (bytes("on the wire", |means| means.wire_bytes), bytes("overhead", |means| means.overhead_bytes), &[]),
        Basis::Ip => (
            bytes("from IP up", |means| means.from_ip_wire_bytes),
            bytes("overhead from IP up", |means| means.from_ip_overhead_bytes),
            &["link"],
        ),
        Basis::Application => (
            bytes("framing and content", |means| means.application_bytes),
            bytes("overhead of framing", |means| means.framing_bytes),
            &["link", "IP", "TCP", "TLS"],
        ),
    };
    // Whatever counts, it is a share of what the wire carried.
    let efficiency = if report.settings.basis == Basis::Wire { "efficiency" } else { "efficiency on the wire" };
    let mut rows = vec![
        bytes("link", |means| means.link_bytes),
        bytes("IP", |means| means.ip_bytes),
        bytes("TCP", |means| means.tcp_bytes),
        bytes("TLS", |means| means.tls_bytes),
        bytes("framing", |means| means.framing_bytes),
        bytes("content, as sent", |means| means.encoded_bytes),
        sum,
        overhead,
        row("content, decoded", &|column| column.content()),
        row(efficiency, &|column| column.efficiency()),
        row("how many", &|column| thousands(column.count)),
    ];
    if columns.iter().all(|column| column.means.tls_bytes == 0.0) {
        rows.retain(|row| row[0] != "TLS");
    }
    rows.retain(|row| !below.contains(&row[0].as_str()));
    let header: Vec<&str> = std::iter::once("").chain(columns.iter().map(|column| column.header)).collect();
    let some_unknown = rows.iter().flatten().any(|cell| cell.ends_with(NOT_ALL));
    page.table_in_room(1, &header, rows, &[AJAX_REQUEST, WEBSOCKET_FROM_CLIENT, AJAX_RESPONSE, WEBSOCKET_FROM_SERVER])?;
    if some_unknown {
        page.paragraph("", "* of those whose content is known")?;
    }
    ratios(page, report)
}

fn ratios(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let basis = report.settings.basis;
    let views = [
        ("to the client", report.comparison.one_way.server_to_client.of(basis)),
        ("to the server", report.comparison.one_way.client_to_server.of(basis)),
        ("exchange against message", report.comparison.exchange_to_message.of(basis)),
    ];
    let ratios: Vec<_> = views.iter().filter_map(|(name, means)| means.ratio.map(|ratio| format!("{name} {}", times(ratio)))).collect();
    if ratios.is_empty() {
        return Ok(());
    }
    page.paragraph("", &format!("Ajax ÷ WebSocket {}: {}", basis.of_what(), ratios.join(", ")))
}

pub(super) fn all_in(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let sides: Vec<_> = [("Ajax", &report.ajax), ("WebSocket", &report.websocket)]
        .into_iter()
        .filter(|(_, side)| side.figures.all_in_wire_bytes > 0)
        .collect();
    if sides.is_empty() {
        return Ok(());
    }
    page.heading("What each side paid, all in (bytes on the wire)")?;
    type Row = (&'static str, fn(&Figures, &Shares) -> (u64, Option<f64>));
    let parts: [Row; 9] = [
        ("messages", |figures, shares| (figures.wire_bytes, shares.messages)),
        ("TCP and TLS set-up", |figures, shares| (figures.setup, shares.setup)),
        ("opening handshake", |figures, shares| (figures.upgrade, shares.upgrade)),
        ("acknowledgements", |figures, shares| (figures.acknowledgements, shares.acknowledgements)),
        ("retransmissions", |figures, shares| (figures.retransmissions, shares.retransmissions)),
        ("TCP keep-alive", |figures, shares| (figures.keep_alive, shares.keep_alive)),
        ("ping and pong", |figures, shares| (figures.liveness, shares.liveness)),
        ("teardown", |figures, shares| (figures.teardown, shares.teardown)),
        ("unattributed", |figures, shares| (figures.unattributed, shares.unattributed)),
    ];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, part) in parts {
        let paid: Vec<_> = sides.iter().map(|(_, side)| part(&side.figures, &side.shares_of_all_in)).collect();
        if paid.iter().any(|&(bytes, _)| bytes > 0) {
            let cells = paid.into_iter().flat_map(|(bytes, share)| [thousands(bytes), percent(share)]);
            rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
        }
    }
    let mut all = vec!["all in".to_owned()];
    all.extend(sides.iter().flat_map(|(_, side)| [thousands(side.figures.all_in_wire_bytes), percent(Some(1.0))]));
    rows.push(all);
    let mut deliveries = vec!["deliveries (number)".to_owned()];
    let mut delivery = vec!["for each delivery".to_owned()];
    for (_, side) in &sides {
        deliveries.extend([thousands(side.deliveries), String::new()]);
        delivery.extend([optional_mean(side.all_in_wire_bytes_per_delivery), String::new()]);
    }
    rows.extend([deliveries, delivery]);
    let header: Vec<_> = std::iter::once("").chain(sides.iter().flat_map(|(name, _)| [*name, "share"])).collect();
    page.table(1, &header, rows)?;
    if let Means { ratio: Some(ratio), .. } = report.comparison.all_in.wire {
        page.paragraph("", &format!("Ajax ÷ WebSocket for each delivery, all in: {}", times(ratio)))?;
    }
    Ok(())
}

pub(super) fn distributions(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let bytes = |name: &str, spread: Option<Spread<u64>>| spread.map(|spread| spread_row(name, &spread, thousands));
    let time = |name: &str, spread: Option<Spread<f64>>| spread.map(|spread| spread_row(name, &spread, seconds));
    let exchange = report.ajax.per_exchange.as_ref();
    let (ajax, websocket) = (&report.ajax, &report.websocket);
    let rows: Vec<_> = [
        bytes("Ajax exchange, wire", exchange.and_then(|exchange| exchange.wire_bytes)),
        bytes("Ajax response, wire", ajax.by_direction.server_to_client.per_message.wire_bytes),
        bytes("Ajax response, content", ajax.by_direction.server_to_client.per_message.content_bytes),
        bytes("WebSocket message, wire", websocket.figures.per_message.wire_bytes),
        bytes("WebSocket message, overhead", websocket.figures.per_message.overhead_bytes),
        bytes("WebSocket message, content", websocket.figures.per_message.content_bytes),
        time("Ajax, time to first byte", ajax.figures.per_message.time_to_first_byte_s),
        time("Ajax, time to last byte", ajax.figures.per_message.time_to_last_byte_s),
        time("Ajax, TCP set-up", ajax.set_up.initial_rtt_s),
        time("WebSocket, TCP set-up", websocket.set_up.initial_rtt_s),
        time("WebSocket, opening handshake", websocket.set_up.opening_handshake_s),
        time("WebSocket, ask to answer", websocket.latency.and_then(|latency| latency.answer_s)),
        time("WebSocket, ping to pong", websocket.latency.and_then(|latency| latency.ping_s)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("Spread (bytes; times with their unit)")?;
    page.table_in_room(1, &["", "count", "min", "p50", "p90", "p99", "max"], rows, &["min", "p90", "max"])
}

fn spread_row<T: Copy>(name: &str, spread: &Spread<T>, print: impl Fn(T) -> String) -> Vec<String> {
    let figures = [spread.min, spread.p50, spread.p90, spread.p99, spread.max].map(print);
    [name.to_owned(), thousands(spread.count)].into_iter().chain(figures).collect()
}

pub(super) fn break_even(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let Some(found) = &report.comparison.break_even else { return Ok(()) };
    page.heading("Break-even of one WebSocket connection (bytes on the wire)")?;
    page.paragraph(
        "",
        &format!(
            "Set-up and teardown cost {}, then {} a delivery by WebSocket against {} by Ajax: {}.",
            mean(found.websocket_fixed_bytes),
            mean(found.websocket_per_delivery_bytes),
            mean(found.ajax_per_delivery_bytes),
            match found.deliveries {
                Some(deliveries) => format!("cheaper from delivery {} on", thousands(deliveries)),
                None => "never cheaper".into(),
            }
        ),
    )?;
    let row = |point: &Point| vec![thousands(point.deliveries), mean(point.websocket_bytes), mean(point.ajax_bytes)];
    page.table(0, &["deliveries", "WebSocket", "Ajax"], found.curve.iter().map(row).collect())
}

pub(super) fn counterfactual(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let both = &report.comparison.counterfactual;
    let estimates: Vec<_> = [("Ajax as WebSocket", &both.ajax_as_websocket), ("WebSocket as Ajax", &both.websocket_as_ajax)]
        .into_iter()
        .filter_map(|(name, estimate)| estimate.as_ref().map(|estimate| (name, estimate)))
        .collect();
    if estimates.is_empty() {
        return Ok(());
    }
    page.heading("Had it been the other (bytes on the wire, all in; an estimate)")?;
    let rows = estimates.iter().map(|(name, estimate)| {
        vec![
            (*name).to_owned(),
            thousands(estimate.observed_wire_bytes),
            thousands(estimate.low_wire_bytes),
            thousands(estimate.high_wire_bytes),
            format!("{} to {}", percent(estimate.low_ratio), percent(estimate.high_ratio)),
            format!("{} to {}", thousands(estimate.low_packets), thousands(estimate.high_packets)),
        ]
    });
    page.table_in_room(1, &["", "observed", "low", "high", "of observed", "packets"], rows.collect(), &["packets", "of observed"])?;
    for (name, estimate) in &estimates {
        page.paragraph("", &format!("{name} assumes:"))?;
        for assumption in &estimate.assumptions {
            page.item(assumption)?;
        }
    }
    Ok(())
}

pub(super) fn compression(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let named = [
        ("Ajax responses", &report.ajax.by_direction.server_to_client),
        ("Ajax requests", &report.ajax.by_direction.client_to_server),
        ("WebSocket from server", &report.websocket.by_direction.server_to_client),
        ("WebSocket from client", &report.websocket.by_direction.client_to_server),
    ];
    let rows: Vec<Vec<String>> = named
        .into_iter()
        .filter(|(_, figures)| figures.compression.known_compressed_messages > 0)
        .map(|(name, figures)| {
            let compression = figures.compression;
            vec![
                name.to_owned(),
                thousands(compression.content_bytes),
                thousands(compression.encoded_bytes),
                compression.ratio.map_or(DASH.into(), |ratio| format!("{ratio:.2}")),
                format!(
                    "{} of {}",
                    thousands(compression.known_compressed_messages),
                    thousands(figures.messages - figures.unknown_content_messages)
                ),
                thousands(compression.grown_messages),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("Compression (bytes of messages whose content is known)")?;
    let header = ["", "content", "as sent", "content ÷ sent", "compressed messages", "of them grown"];
    page.table_in_room(1, &header, rows, &["of them grown", "compressed messages"])
}

/// What the protocols inside messages keep for themselves.
pub(super) fn envelopes(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
pub(super) fn header_fields(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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

pub(super) fn polling(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
pub(super) fn engine_io(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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

pub(super) fn endpoints(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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

/// Frame numbers are typed into Wireshark: without separators.
fn thousands_free(frame: u64) -> String {
    frame.to_string()
}

pub(super) fn findings(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    page.heading("What could be saved")?;
    for finding in &report.findings {
        let saving = match (finding.saving_bytes, finding.saving_percent) {
            (Some(bytes), Some(percent)) => format!("saves {} bytes ({percent:.1} % of its side)", thousands(bytes)),
            _ => "saving not known".into(),
        };
        let frames: Vec<_> = finding.frames.iter().map(u64::to_string).collect();
        let frames = if frames.is_empty() { String::new() } else { format!(" [frames {}]", frames.join(", ")) };
        page.item(&format!("{}: {saving}, {}{frames}", finding.message, finding.assumption))?;
    }
    Ok(())
}

/// What TCP suffered; window updates alone are no trouble.
pub(super) fn transport(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let tcp = &report.tcp;
    let met: Vec<_> = tcp.analysis.iter().filter(|(_, counts)| counts.client_to_server + counts.server_to_client > 0).collect();
    if met.iter().all(|&(&kind, _)| kind == TcpAnalysis::WindowUpdate.name()) {
        return Ok(());
    }
    page.heading(&format!("TCP (of {} segments; names as tcp.analysis.* in Wireshark)", thousands(tcp.segments)))?;
    let row = |(kind, counts): &(&&str, &BothWays<u64>)| {
        vec![kind.replace('_', " "), thousands(counts.client_to_server), thousands(counts.server_to_client)]
    };
    page.table(1, &["kind", "by clients", "by servers"], met.iter().map(row).collect())?;
    let rtt = |times: &RoundTripReport| match (times.min_s, times.mean_s, times.max_s) {
        (Some(min), Some(mean), Some(max)) => format!("{} / {} / {}", seconds(min), seconds(mean), seconds(max)),
        _ => DASH.into(),
    };
    let ways = &tcp.ack_rtt;
    page.paragraph(
        "",
        &format!(
            "round trip from data to its ACK, min / mean / max: of clients' data {}, of servers' {}",
            rtt(&ways.client_to_server),
            rtt(&ways.server_to_client)
        ),
    )
}

pub(super) fn anomalies(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.anomalies.is_empty() {
        return Ok(());
    }
    page.heading("Anomalies in the capture (frame: where to look first, `frame.number`)")?;
    let rows = report.anomalies.iter().map(|anomaly| {
        let breaks = anomaly.reference.unwrap_or(DASH).to_owned();
        vec![anomaly.kind.to_owned(), breaks, thousands(anomaly.count), anomaly.first_frame.map_or(DASH.into(), thousands_free)]
    });
    page.table(2, &["kind", "breaks", "count", "frame"], rows.collect())
}

/// Opening handshakes that were refused, where there are any.
pub(super) fn refusals(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let refused = report.websocket.refused_handshakes.iter().flatten();
    let rows: Vec<_> = refused.map(|(reason, &count)| vec![(*reason).to_owned(), thousands(count)]).collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("WebSocket opening handshakes that were refused")?;
    page.table(1, &["why", "requests"], rows)
}

pub(super) fn conservation(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let books = &report.conservation;
    page.heading("Every byte accounted for")?;
    let mut parts =
        vec![format!("messages {}", thousands(books.messages)), format!("connections beside them {}", thousands(books.buckets))];
    for (name, bytes) in [("not TCP", books.not_tcp), ("captured twice", books.duplicates)] {
        if bytes > 0 {
            parts.push(format!("{name} {}", thousands(bytes)));
        }
    }
    let sign = if books.difference < 0 { "-" } else { "" };
    page.paragraph(
        "",
        &format!(
            "{} bytes on the wire = {}; difference {sign}{}",
            thousands(books.wire_bytes),
            parts.join(" + "),
            thousands(books.difference.unsigned_abs())
        ),
    )
}
