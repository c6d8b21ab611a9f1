//! What one of each cost, layer by layer.

use std::io;

use crate::analysis::comparison::Basis;
use crate::report::number::{mean, percent, thousands, times};
use crate::report::page::Page;
use crate::report::{Figures, LayerMeans, Report, SideReport, Spread};

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
        let count = side.exchanges.unwrap_or_default().saturating_sub(side.incomplete_exchanges.unwrap_or_default());
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

    /// The same, of those of which nothing was lost, either.
    fn efficiency(&self) -> String {
        let of = self.figures.per_message.efficiency.map_or(0, |of| of.count);
        match self.figures.efficiency {
            Some(_) if of < self.figures.messages => percent(self.figures.efficiency) + NOT_ALL,
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
pub(in crate::report::table) fn one_by_one(page: &mut Page<'_>, report: &Report) -> io::Result<()> {
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
        page.paragraph("", "* of those of which it is known")?;
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
