//! What could be better, and whether the books balance.

use std::io;

use super::thousands_free;
use crate::analysis::plural;
use crate::message::TcpAnalysis;
use crate::report::number::{DASH, seconds, tenths, thousands};
use crate::report::page::Page;
use crate::report::{BothWays, Report, RoundTripReport};

pub(in crate::report::table) fn findings(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    page.heading("What could be saved")?;
    if report.findings.len() > 1 {
        page.paragraph("", "Findings overlap: their savings do not add up.")?;
    }
    for finding in &report.findings {
        let saving = match (finding.saving_bytes, finding.saving_percent) {
            (Some(bytes), Some(percent)) => {
                format!("saves {} {} ({} % of its side)", thousands(bytes), plural(bytes, "byte", "bytes"), tenths(percent))
            }
            _ => "saving not known".into(),
        };
        let frames: Vec<_> = finding.frames.iter().map(u64::to_string).collect();
        let frames = if frames.is_empty() {
            String::new()
        } else {
            format!(" [{} {}]", plural(frames.len() as u64, "frame", "frames"), frames.join(", "))
        };
        page.item(&format!("{}: {saving}, {}{frames}", finding.message, finding.assumption))?;
    }
    Ok(())
}

/// What TCP suffered; window updates alone are no trouble.
pub(in crate::report::table) fn transport(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let tcp = &report.tcp;
    let met: Vec<_> = tcp.analysis.iter().filter(|(_, counts)| counts.client_to_server + counts.server_to_client > 0).collect();
    if met.iter().all(|&(&kind, _)| kind == TcpAnalysis::WindowUpdate.name()) {
        return Ok(());
    }
    page.heading(&format!(
        "TCP (of {} {}; names as tcp.analysis.* in Wireshark)",
        thousands(tcp.segments),
        plural(tcp.segments, "segment", "segments")
    ))?;
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

pub(in crate::report::table) fn anomalies(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
pub(in crate::report::table) fn refusals(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
    let refused = report.websocket.refused_handshakes.iter().flatten();
    let rows: Vec<_> = refused.map(|(reason, &count)| vec![(*reason).to_owned(), thousands(count)]).collect();
    if rows.is_empty() {
        return Ok(());
    }
    page.heading("WebSocket opening handshakes that were refused")?;
    page.table(1, &["why", "requests"], rows)
}

pub(in crate::report::table) fn conservation(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
