//! What the capture says, in sentences: the first thing a person reads.

use super::number::{mean, optional_mean, ordinal, percent, thousands, times};
use super::{ByDirection, Figures, LayerMeans, Report, Spread};
use crate::analysis::break_even::BreakEven;
use crate::analysis::comparison::{Basis, Means};
use crate::analysis::counterfactual::Estimate;
use crate::analysis::{plural, ratio};

/// Costs that differ by less than this part are about the same.
const SAME: f64 = 0.05;

/// The verdict, and sentences that belong right behind it.
pub(super) fn verdict(report: &Report) -> Vec<String> {
    let exchanges = report.ajax.exchanges.unwrap_or_default();
    match (exchanges, report.websocket.figures.messages) {
        (0, 0) => neither(report),
        (_, 0) => only_ajax(report, exchanges),
        (0, messages) => only_websocket(report, messages),
        _ => both(report),
    }
}

/// A larger part than this is most of the capture.
const MOST: f64 = 0.5;

/// Mean contents that differ by more than this factor make the costs hard to compare.
const UNLIKE: f64 = 3.0;

fn both(report: &Report) -> Vec<String> {
    let mut sentences = vec![format!("{}.", one_way(report).unwrap_or_else(|| "The two sides have no direction in common".into()))];
    let view = report.comparison.exchange_to_message.of(report.settings.basis);
    let all_in = &report.comparison.all_in.wire;
    if let (Some(exchange), Some(message)) = (view.ajax_bytes, view.websocket_bytes) {
        let delivered = match (all_in.ajax_bytes, all_in.websocket_bytes) {
            (Some(ajax), Some(websocket)) => {
                let on_the_wire = if report.settings.basis == Basis::Wire { "" } else { " on the wire" };
                format!(
                    "; all in, with set-up, acknowledgements and teardown, {} and {}{on_the_wire} for each delivery",
                    mean(ajax),
                    mean(websocket)
                )
            }
            _ => String::new(),
        };
        sentences.push(format!(
            "An exchange, question and answer, cost {} bytes{}, a WebSocket message, one way, {}{delivered}.",
            mean(exchange),
            beside_wire(report.settings.basis),
            mean(message)
        ));
    }
    if whole_exchanges(report) > 0 {
        sentences.push(format!("If one message does what one exchange did, {}.", break_even(report)));
    }
    sentences.extend(report.comparison.counterfactual.ajax_as_websocket.as_ref().and_then(switched));
    sentences.extend(unlike_contents(report));
    sentences.extend(few(report));
    sentences.extend(incomplete(report));
    sentences.extend(weak(report));
    sentences.extend(lossy(report));
    sentences
}

/// What the estimate says of Ajax: it counts questions and answers, and pairs of client and server, where the break-even takes one
/// message for one exchange.
fn switched(estimate: &Estimate) -> Option<String> {
    let (low, high) = (estimate.low_ratio?, estimate.high_ratio?);
    let consequence = match (low, high) {
        (_, ..1.0) => "less in any case",
        (1.0.., _) => "more in any case",
        _ => "less or more",
    };
    Some(format!(
        "By WebSocket, what Ajax carried here would have cost {} to {} of what it did: {consequence}, as estimated below.",
        percent(Some(low)),
        percent(Some(high))
    ))
}

/// Ajax exchanges of which both messages were captured.
fn whole_exchanges(report: &Report) -> u64 {
    report.ajax.exchanges.unwrap_or_default().saturating_sub(report.ajax.incomplete_exchanges.unwrap_or_default())
}

/// Fewer exchanges than this part that lack a message change no mean worth mentioning.
const FEW: f64 = 0.05;

/// A warning where exchanges lack a message.
fn incomplete(report: &Report) -> Option<String> {
    let (incomplete, exchanges) = (report.ajax.incomplete_exchanges?, report.ajax.exchanges?);
    let whole = whole_exchanges(report);
    if whole == 0 {
        return Some("Mind that no Ajax exchange has both request and response here, so nobody knows what one cost.".into());
    }
    ratio(incomplete, exchanges).is_some_and(|part| part >= FEW).then(|| {
        format!(
            "Mind that {} of {} Ajax exchanges {} request or response, which was not captured or never sent: means of an exchange are of the {} that {} whole.",
            thousands(incomplete),
            thousands(exchanges),
            plural(incomplete, "lacks its", "lack their"),
            thousands(whole),
            plural(whole, "is", "are")
        )
    })
}

/// A warning where most of what counts as Ajax may be none.
fn weak(report: &Report) -> Option<String> {
    let (weak, exchanges) = (report.ajax.weak_exchanges?, report.ajax.exchanges?);
    ratio(weak, exchanges).is_some_and(|part| part >= MOST).then(|| {
        format!(
            "Mind that {} of {} Ajax exchanges {} as such by one weak sign alone (rows have it as `ajax.reasons`): `--ajax-host` and `--ajax-path` say which may be Ajax.",
            thousands(weak),
            thousands(exchanges),
            plural(weak, "counts", "count")
        )
    })
}

/// Less than this part of what was sent is lost to most captures.
const LITTLE: f64 = 0.02;

/// A warning where much of what was sent is in no figure.
fn lossy(report: &Report) -> Option<String> {
    let (lost, wire) = (report.coverage.lost_bytes, report.conservation.wire_bytes);
    ratio(lost, lost.saturating_add(wire)).is_some_and(|part| part >= LITTLE).then(|| {
        format!(
            "Mind that {} bytes were sent and not captured: they are in no sum, and contents that miss some are in no efficiency.",
            thousands(lost)
        )
    })
}

/// What is counted, where it is not all that is on the wire.
fn beside_wire(basis: Basis) -> String {
    if basis == Basis::Wire { String::new() } else { format!(" {}", basis.of_what()) }
}

/// Fewer than these are few, as in comparisons with a baseline.
const ENOUGH: u64 = 5;

/// A warning where figures rest on next to nothing.
fn few(report: &Report) -> Option<String> {
    let (exchanges, messages) = (report.ajax.exchanges.unwrap_or_default(), report.websocket.figures.messages);
    (exchanges.min(messages) < ENOUGH).then(|| {
        format!(
            "Mind that this rests on {} Ajax {} and {} WebSocket {}: what so few cost may be chance.",
            thousands(exchanges),
            plural(exchanges, "exchange", "exchanges"),
            thousands(messages),
            plural(messages, "message", "messages")
        )
    })
}

/// Like against like: what went to the client, and what went to the server.
fn one_way(report: &Report) -> Option<String> {
    let (views, basis) = (&report.comparison.one_way, report.settings.basis);
    let of_what = beside_wire(basis);
    let part = |to: &str, unit: &str, means: &Means| {
        let (ajax, websocket, ratio) = (means.ajax_bytes?, means.websocket_bytes?, means.ratio?);
        Some(format!(
            "to the {to}, {unit} cost {} bytes{of_what} by Ajax and a message {} by WebSocket ({})",
            mean(ajax),
            mean(websocket),
            factor(ratio)
        ))
    };
    let parts =
        [part("client", "a response", views.server_to_client.of(basis)), part("server", "a request", views.client_to_server.of(basis))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let joined = parts.join("; ");
    (!joined.is_empty()).then(|| joined.replacen("to the", "To the", 1))
}

/// How many times as much one costs as the other.
fn factor(ratio: f64) -> String {
    if (ratio - 1.0).abs() < SAME {
        "about the same".into()
    } else if ratio > 1.0 {
        format!("Ajax {} times as much", times(ratio))
    } else {
        format!("WebSocket {} times as much", times(1.0 / ratio))
    }
}

/// A warning when one side carried far more than the other, so that only their overhead compares.
fn unlike_contents(report: &Report) -> Option<String> {
    let of_each = |content: Option<Spread<u64>>, means: Option<LayerMeans>| Some((content?.mean?, means?.overhead_bytes));
    let exchange = report.ajax.per_exchange.as_ref()?;
    let message = &report.websocket.figures.per_message;
    let (ajax, ajax_overhead) = of_each(exchange.content_bytes, exchange.means)?;
    let (websocket, websocket_overhead) = of_each(message.content_bytes, message.means)?;
    let (more, less) = if ajax > websocket { (ajax, websocket) } else { (websocket, ajax) };
    (more > UNLIKE * less).then(|| {
        format!(
            "Mind that the two carried unlike contents, {} bytes an exchange and {} a message: compare their overhead, {} and {}.",
            mean(ajax),
            mean(websocket),
            mean(ajax_overhead),
            mean(websocket_overhead)
        )
    })
}

fn break_even(report: &Report) -> String {
    match &report.comparison.break_even {
        None => "too little was delivered to say when WebSocket's set-up pays for itself".into(),
        Some(found) => match found.deliveries {
            None => "all in, WebSocket's set-up never pays for itself".into(),
            Some(1) => format!("WebSocket's set-up pays for itself with the first delivery{}", two_messages(found)),
            Some(deliveries) => {
                format!("WebSocket's set-up pays for itself from the {} delivery on{}", ordinal(deliveries), two_messages(found))
            }
        },
    }
}

/// The same where question and answer take a message each.
fn two_messages(found: &BreakEven) -> String {
    let when = match found.exchanges {
        exchanges if exchanges == found.deliveries => return ", even where question and answer take one each".into(),
        None => "never".into(),
        Some(exchanges) => format!("from the {} exchange on", ordinal(exchanges)),
    };
    format!("; if question and answer take one each, {when}")
}

fn only_ajax(report: &Report, exchanges: u64) -> Vec<String> {
    let figures = &report.ajax.figures;
    let opened = match report.websocket.connections {
        0 => "no WebSocket message".into(),
        count => format!("{} WebSocket {} without a message", thousands(count), plural(count, "connection", "connections")),
    };
    let holds = format!("This capture holds {} Ajax {} and {opened}", thousands(exchanges), plural(exchanges, "exchange", "exchanges"));
    let basis = report.settings.basis;
    let mut sentences = match report.ajax.per_exchange.as_ref().and_then(|exchange| exchange.means) {
        None => vec![format!("{holds}.")],
        Some(means) => vec![format!(
            "{holds}: {} bytes {} for each exchange; {} of all their bytes on the wire are overhead.",
            mean(of_basis(&means, basis)),
            basis.of_what(),
            percent(figures.overhead_share)
        )],
    };
    sentences.extend(incomplete(report));
    sentences.extend(weak(report));
    if let Some(estimate) = &report.comparison.counterfactual.ajax_as_websocket {
        sentences.extend(range("WebSocket", estimate));
    }
    sentences.extend(lossy(report));
    sentences
}

/// What a message cost, counted as asked for.
fn of_basis(means: &LayerMeans, basis: Basis) -> f64 {
    match basis {
        Basis::Wire => means.wire_bytes,
        Basis::Ip => means.from_ip_wire_bytes,
        Basis::Application => means.framing_bytes,
    }
}

fn only_websocket(report: &Report, messages: u64) -> Vec<String> {
    let (figures, basis) = (&report.websocket.figures, report.settings.basis);
    let mut sentences = vec![format!(
        "This capture holds {} WebSocket {} and no Ajax{}: {} bytes {} for each message; {} of all their bytes on the wire are overhead.",
        thousands(messages),
        plural(messages, "message", "messages"),
        if report.settings.filters.is_empty() { "" } else { " that was chosen" },
        optional_mean(figures.per_message.means.map(|means| of_basis(&means, basis))),
        basis.of_what(),
        percent(figures.overhead_share),
    )];
    if let Some(estimate) = &report.comparison.counterfactual.websocket_as_ajax {
        sentences.extend(range("Ajax", estimate));
    }
    sentences.extend(lossy(report));
    sentences
}

/// What the other would have cost, and what both ends of the range rest on.
fn range(other: &str, estimate: &Estimate) -> Vec<String> {
    let assumed = |end: &str| estimate.assumptions.iter().find_map(|assumption| assumption.strip_prefix(end));
    let range = format!(
        "All in it cost {} bytes; by {other} the same would have cost between {} and {} ({} to {}).",
        thousands(estimate.observed_wire_bytes),
        thousands(estimate.low_wire_bytes),
        thousands(estimate.high_wire_bytes),
        percent(estimate.low_ratio),
        percent(estimate.high_ratio),
    );
    let ends = assumed("low: ").zip(assumed("high: "));
    std::iter::once(range).chain(ends.map(|(low, high)| format!("The low end assumes: {low}. The high end: {high}."))).collect()
}

fn neither(report: &Report) -> Vec<String> {
    let coverage = &report.coverage;
    let packets: u64 = report.captures.iter().map(|capture| capture.packets).sum();
    let mut holds = Vec::new();
    let other = report.other_http.exchanges.unwrap_or_default();
    let events = report.server_sent_events.exchanges.unwrap_or_default();
    let refused = refused_handshakes(report).min(other);
    if refused > 0 {
        holds.push(format!("{} WebSocket opening {} without success", thousands(refused), plural(refused, "handshake", "handshakes")));
    }
    let other = other - refused;
    if other > 0 {
        let which = match report.settings.filters.is_empty() {
            true => "that no script made",
            false => plural(other, "that does not count as Ajax", "that do not count as Ajax"),
        };
        holds.push(format!("{} HTTP {} {which}", thousands(other), plural(other, "exchange", "exchanges")));
    }
    if events > 0 {
        holds.push(format!("{} event {}", thousands(events), plural(events, "stream", "streams")));
    }
    if coverage.encrypted_connections > 0 {
        let count = coverage.encrypted_connections;
        holds.push(format!("{} TLS {}", thousands(count), plural(count, "connection", "connections")));
    }
    if coverage.http2_connections > 0 {
        let count = coverage.http2_connections;
        holds.push(format!("{} HTTP/2 {}", thousands(count), plural(count, "connection", "connections")));
    }
    let silent = coverage.silent_connections.saturating_sub(coverage.encrypted_connections + coverage.http2_connections);
    let opened = report.websocket.connections;
    if opened > 0 {
        holds.push(format!("{} WebSocket {} without a message", thousands(opened), plural(opened, "connection", "connections")));
    }
    if silent > 0 {
        holds.push(format!("{} TCP {} without a message", thousands(silent), plural(silent, "connection", "connections")));
    }
    if coverage.not_tcp_bytes > 0 {
        holds.push(format!("{} of its bytes in frames without TCP", percent(coverage.shares.not_tcp)));
    }
    if packets == 0 {
        return vec!["This capture is empty.".into()];
    }
    let holds = if holds.is_empty() { "nothing that could be measured".into() } else { holds.join(", ") };
    vec![format!(
        "Neither an Ajax exchange nor a WebSocket message was found in {} {}; the capture holds {holds}.",
        thousands(packets),
        plural(packets, "packet", "packets")
    )]
}

/// Requests to open a WebSocket that did not succeed; they are among the other HTTP exchanges.
fn refused_handshakes(report: &Report) -> u64 {
    report.websocket.refused_handshakes.iter().flatten().map(|(_, count)| count).sum()
}

/// Limits that can be raised, by the anomaly that counts them (docs/limits.md).
const RAISED: [(&str, &[&str], &str); 6] = [
    ("out_of_order_limit", &["out_of_order_bytes", "out_of_order_segments", "held_bytes"], "what came later counts as lost"),
    ("connection_limit", &["connections", "held_bytes"], "connections were ended before their time"),
    ("http_head_limit", &["http_head"], "what had such a header section was not read"),
    ("decoded_content_limit", &["decoded_content"], "longer contents are not known"),
    ("fragment_limit", &["fragment_bytes", "fragmented_datagrams"], "IP datagrams were given up"),
    ("pending_answer_limit", &["pending_answers"], "some answers are not timed"),
];

/// Limits that were met: the anomaly, and how to raise them.
fn limits_met(report: &Report) -> Vec<(&'static str, String)> {
    let met = |(kind, names, effect): &(&'static str, &[&str], &str)| {
        let anomaly = report.anomalies.iter().find(|anomaly| anomaly.kind == *kind)?;
        let at = anomaly.first_frame.map(|frame| format!(", first at frame {frame}")).unwrap_or_default();
        let times = plural(anomaly.count, "time", "times");
        let names: Vec<_> = names.iter().map(|name| format!("`--limit {name}=…`")).collect();
        let hint = format!("a limit was met {} {times}{at}: {effect}; {} takes more", thousands(anomaly.count), names.join(" or "));
        Some((*kind, hint))
    };
    RAISED.iter().filter_map(met).collect()
}

/// A filter (`ajax_host=a.example`) as it was given.
fn flag(filter: &str) -> String {
    format!("`--{}`", filter.replacen('_', "-", 1).replacen('=', " ", 1))
}

/// What a person can do to see more, one sentence each.
pub(super) fn hints(report: &Report) -> Vec<String> {
    let coverage = &report.coverage;
    let wire = report.conservation.wire_bytes;
    let anomaly = |kind: &str| report.anomalies.iter().find(|anomaly| anomaly.kind == kind);
    let mut hints = Vec::new();
    if coverage.encrypted_connections > 0 {
        let count = coverage.encrypted_connections;
        hints.push(format!(
            "{} TLS {} could not be read ({} of all bytes): TLS is accounted and not decrypted; capture in front of it, behind the proxy that ends it, to see the messages",
            thousands(count),
            plural(count, "connection", "connections"),
            percent(coverage.shares.encrypted)
        ));
    }
    if coverage.http2_connections > 0 {
        let count = coverage.http2_connections;
        hints.push(format!(
            "{} HTTP/2 {} ({} of all bytes) could not be read: HTTP/2 is accounted as a whole; let client and server speak HTTP/1.1 to see the exchanges",
            thousands(count),
            plural(count, "connection", "connections"),
            percent(ratio(coverage.http2_bytes, wire))
        ));
    }
    let udp = coverage.not_tcp.iter().filter(|part| part.name.starts_with("UDP")).map(|part| part.wire_bytes).sum();
    if ratio(udp, wire).is_some_and(|share| share > MOST) {
        hints.push("most bytes are in UDP datagrams: HTTP/3 runs over UDP (QUIC) and is not read; browsers started with `--disable-quic` do without it".into());
    }
    let captured: u64 = report.captures.iter().map(|capture| capture.captured_bytes).sum();
    if captured > 0 && captured < wire {
        hints.push(format!(
            "only {} of the bytes were captured: packets are cut by a snap length, and HTTP headers that are cut cannot be read; capture with `tcpdump -s 0`",
            percent(coverage.shares.captured)
        ));
    }
    let other = report.other_http.exchanges.unwrap_or_default().saturating_sub(refused_handshakes(report));
    if report.ajax.exchanges == Some(0) && other > 0 {
        hints.push(match &report.settings.filters[..] {
            [] if captured < wire => {
                "no exchange looks made by a script, as far as their headers were captured: `--ajax all` counts every HTTP exchange as Ajax"
                    .into()
            }
            [] => "no exchange looks made by a script: `--ajax all` counts every HTTP exchange as Ajax".into(),
            filters => {
                format!("no exchange was chosen as Ajax by {}", filters.iter().map(|filter| flag(filter)).collect::<Vec<_>>().join(" and "))
            }
        });
    }
    let limits = limits_met(report);
    let is_met = |name: &str| limits.iter().any(|(kind, _)| *kind == name);
    let opaque = coverage.opaque_bytes.saturating_sub(coverage.http2_bytes);
    if report.websocket.figures.messages == 0 && opaque > 0 && !is_met("http_head_limit") && !is_met("connection_limit") {
        hints.push(format!(
            "{} of all bytes belong to no protocol that is understood: begin the capture before the connections, or say what they are: `--decode-as tcp.port==N,websocket`",
            percent(ratio(opaque, wire))
        ));
    }
    if report.websocket.connections == 0 && report.ajax.exchanges.unwrap_or_default() > 0 && coverage.encrypted_connections == 0 {
        hints.push("no WebSocket found: no request with `Upgrade: websocket` was answered by 101, and nothing that was opened before the capture began looks like one".into());
    }
    hints.extend(limits.iter().map(|(_, hint)| hint.clone()));
    let sides = [&report.ajax, &report.websocket, &report.server_sent_events, &report.other_http];
    let sent = |figures: fn(&ByDirection) -> &Figures| sides.iter().map(|side| figures(&side.by_direction).all_in_wire_bytes).sum::<u64>();
    let (up, down) = (sent(|by| &by.client_to_server), sent(|by| &by.server_to_client));
    let is_one_way = (up == 0) != (down == 0);
    if is_one_way {
        let missing = if up == 0 { "clients" } else { "servers" };
        hints.push(format!(
            "nothing that {missing} sent was captured: capture where both directions pass, such as a mirror of both of a port"
        ));
    }
    // What a limit gave up counts as lost too, and cannot be told from the rest.
    if let Some(loss) = anomaly("lost_bytes").filter(|_| !is_met("out_of_order_limit")) {
        let at = loss.first_frame.map(|frame| format!(", first at frame {frame}")).unwrap_or_default();
        let instead = if is_one_way { "" } else { ": capture with a larger buffer (`tcpdump -B`)" };
        hints.push(format!(
            "{} {} sent but not captured{at}{instead}",
            thousands(coverage.lost_bytes),
            plural(coverage.lost_bytes, "byte was", "bytes were")
        ));
    }
    if let Some(missing) = anomaly("missing_handshake") {
        hints.push(format!(
            "{} WebSocket {} opened before the capture began: set-up and opening handshake are not in the figures, and compressed content is known only where it stands for itself",
            thousands(missing.count),
            plural(missing.count, "connection was", "connections were")
        ));
    }
    if anomaly("segmentation_offload").is_some() {
        hints.push("some segments are larger than their receiver takes: captured before the network card split them, or after it joined several; on the wire there were more headers".into());
    }
    if let Some(step) = anomaly("clock_step_back") {
        let at = step.first_frame.map(|frame| format!(", first at frame {frame}")).unwrap_or_default();
        hints.push(format!("the capture clock stepped back{at}: durations around it mean little"));
    }
    hints
}
