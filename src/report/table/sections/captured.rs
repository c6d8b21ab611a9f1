//! What was captured, and what each side holds.

use std::io;

use crate::analysis::plural;
use crate::report::number::{DASH, percent, seconds, thousands};
use crate::report::page::Page;
use crate::report::{Report, SideReport};

pub(in crate::report::table) fn captured(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
