//! What the sides cost all in, and what the one would have cost as the other.

use std::io;

use crate::analysis::break_even::Point;
use crate::analysis::comparison::Means;
use crate::report::number::{DASH, mean, optional_mean, percent, seconds, thousands, times};
use crate::report::page::Page;
use crate::report::{Figures, Report, Shares, Spread};

pub(in crate::report::table) fn all_in(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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

pub(in crate::report::table) fn distributions(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
    page.heading("Distributions (bytes; times with their unit)")?;
    page.table_in_room(1, &["", "count", "min", "p50", "p90", "p99", "max"], rows, &["min", "p90", "max"])
}

fn spread_row<T: Copy>(name: &str, spread: &Spread<T>, print: impl Fn(T) -> String) -> Vec<String> {
    let figures = [spread.min, spread.p50, spread.p90, spread.p99, spread.max].map(print);
    [name.to_owned(), thousands(spread.count)].into_iter().chain(figures).collect()
}

pub(in crate::report::table) fn break_even(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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

pub(in crate::report::table) fn counterfactual(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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

pub(in crate::report::table) fn compression(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
    page.heading("Compression (bytes of messages whose content is known, and of which nothing was lost)")?;
    let header = ["", "content", "as sent", "content ÷ sent", "compressed messages", "of them grown"];
    page.table_in_room(1, &header, rows, &["of them grown", "compressed messages"])
}
