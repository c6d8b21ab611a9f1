//! What changed from one report to another: sides, endpoints and subprotocols matched by name, noise told from change.

use serde::Serialize;
use serde_json::Value;

use super::check::{Verdict, endpoint_name, subprotocol_name};
use super::metric::{Found, lookup};
use super::saved;
use super::unit::Unit;
use crate::analysis::six_digits;
use crate::message::Side;

/// Version of [`Comparison`].
const SCHEMA_VERSION: u32 = 1;

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Raised when a field is renamed, removed or changes its meaning.
    pub schema_version: u32,
    /// `fail` where a cost grew clearly by more than was allowed, or a side is only in the base; `pass` where nothing did, or nothing was asked.
    pub verdict: Verdict,
    /// What changed, in sentences.
    pub summary: Vec<String>,
    /// The sides.
    pub sides: Vec<Group>,
    /// Endpoints, those whose cost changed most first.
    pub endpoints: Vec<Group>,
    /// Subprotocols of WebSocket connections.
    pub subprotocols: Vec<Group>,
    /// Ids of findings that the base does not have.
    pub new_findings: Vec<String>,
    /// Ids of findings that only the base has.
    pub vanished_findings: Vec<String>,
    /// Kinds of anomalies that the base does not have.
    pub new_anomalies: Vec<String>,
    /// Kinds of anomalies that only the base has.
    pub vanished_anomalies: Vec<String>,
    /// Why the comparison may mislead, a sentence each.
    pub cautions: Vec<String>,
}

/// A side, an endpoint or a subprotocol.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Whether it is in both.
    pub change: Change,
    /// Its figures.
    pub metrics: Vec<Compared>,
}

/// Where a group is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// In both reports.
    Matched,
    /// Only in the new one.
    New,
    /// Only in the base.
    Vanished,
}

/// A figure in both reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Compared {
    /// Its path, from the group on.
    pub metric: String,
    /// What it is, for people.
    #[serde(skip)]
    pub title: &'static str,
    /// The unit in which values are shown.
    #[serde(skip)]
    pub unit: Unit,
    /// In the base.
    pub base: Option<f64>,
    /// In the new report.
    pub new: Option<f64>,
    /// new − base.
    pub change: Option<f64>,
    /// change ÷ base.
    pub change_ratio: Option<f64>,
    /// How sure it is that something changed.
    pub significance: Significance,
}

/// How sure it is that a figure changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Significance {
    /// It is the same.
    Same,
    /// Of five values or more on both sides: means differ by more than three standard errors, or no value of one is among those of
    /// the other. Where both carried the same content, the errors of the cost on the wire are those of the overhead.
    Clear,
    /// They differ by less: the values vary that much.
    Noise,
    /// One has fewer than five values.
    Few,
    /// A sum or a number, which depends on how much was captured; or how the values vary is not known.
    Unknown,
}

/// Values on which a mean rests.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    count: f64,
    mean: f64,
    deviation: Option<f64>,
    range: Option<(f64, f64)>,
}

/// Fewer values say little about a mean, even when no value of one is among those of the other: of three and three drawn from the
/// same, that is so one time in ten; of five and five, one time in 126.
const FEW: f64 = 5.0;

/// Standard errors beyond which a difference of means is no chance (1 in 370).
const ERRORS: f64 = 3.0;

/// Figures that agree in six digits are the same.
const SAME: f64 = 1e-6;

fn significance(base: &Sample, new: &Sample) -> Significance {
    let difference = (new.mean - base.mean).abs();
    let fewest = base.count.min(new.count);
    let is_apart = |(a, b): ((f64, f64), (f64, f64))| a.1 < b.0 || b.1 < a.0;
    if difference <= SAME * base.mean.abs() {
        Significance::Same
    } else if fewest < FEW {
        Significance::Few
    } else if base.range.zip(new.range).is_some_and(is_apart) {
        Significance::Clear
    } else if let (Some(a), Some(b)) = (base.deviation, new.deviation) {
        let error = (a * a / base.count + b * b / new.count).sqrt();
        if difference > ERRORS * error { Significance::Clear } else { Significance::Noise }
    } else {
        Significance::Unknown
    }
}

/// How a figure is told apart from chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The path is a distribution, of which the mean is compared.
    Mean,
    /// The same of `wire_bytes`, with `overhead_bytes` and `content_bytes` beside it.
    Wire,
    /// A quantile of a distribution: never more than unknown.
    Plain,
    /// A mean of an endpoint or subprotocol, with `messages` and `wire_bytes_stddev` beside it.
    Endpoint,
}

type Figure = (&'static str, &'static str, Kind);

/// Of HTTP sides.
const OF_HTTP: [Figure; 12] = [
    ("exchanges", "exchanges", Kind::Plain),
    ("per_exchange.wire_bytes", "an exchange, on the wire", Kind::Wire),
    ("per_exchange.overhead_bytes", "of it overhead", Kind::Mean),
    ("per_exchange.content_bytes", "content, decoded", Kind::Mean),
    ("by_direction.client_to_server.per_message.overhead_bytes", "overhead of a request", Kind::Mean),
    ("by_direction.server_to_client.per_message.overhead_bytes", "overhead of a response", Kind::Mean),
    ("per_exchange.wire_bytes.p95", "an exchange, 95th percentile", Kind::Plain),
    ("all_in_wire_bytes_per_delivery", "a delivery, all in", Kind::Plain),
    ("all_in_wire_bytes", "all of it, all in", Kind::Plain),
    ("per_message.time_to_first_byte_s", "time to first byte", Kind::Mean),
    ("per_message.time_to_last_byte_s", "time to last byte", Kind::Mean),
    ("per_message.time_to_last_byte_s.p95", "time to last byte, 95th percentile", Kind::Plain),
];

const OF_WEBSOCKET: [Figure; 11] = [
    ("messages", "messages", Kind::Plain),
    ("per_message.wire_bytes", "a message, on the wire", Kind::Wire),
    ("per_message.overhead_bytes", "of it overhead", Kind::Mean),
    ("per_message.content_bytes", "content, decoded", Kind::Mean),
    ("by_direction.client_to_server.per_message.overhead_bytes", "overhead of a client's message", Kind::Mean),
    ("by_direction.server_to_client.per_message.overhead_bytes", "overhead of a server's message", Kind::Mean),
    ("per_message.wire_bytes.p95", "a message, 95th percentile", Kind::Plain),
    ("all_in_wire_bytes_per_delivery", "a delivery, all in", Kind::Plain),
    ("all_in_wire_bytes", "all of it, all in", Kind::Plain),
    ("set_up.opening_handshake_s", "opening handshake", Kind::Mean),
    ("latency.answer_s", "ask to answer", Kind::Mean),
];

const OF_ENDPOINTS: [Figure; 4] = [
    ("messages", "messages", Kind::Plain),
    ("wire_bytes_per_message", "a message, on the wire", Kind::Endpoint),
    ("overhead_share", "overhead", Kind::Plain),
    ("wire_bytes", "all of it, on the wire", Kind::Plain),
];

fn number(value: &Value, path: &str) -> Option<f64> {
    match lookup(value, path) {
        Found::Number(number) => Some(number),
        Found::NoData | Found::Absent | Found::Unknown => None,
    }
}

fn sample(value: &Value, path: &str, kind: Kind) -> Option<Sample> {
    let at = |name: &str| number(value, &format!("{path}.{name}"));
    match kind {
        Kind::Mean | Kind::Wire => {
            Some(Sample { count: at("count")?, mean: at("mean")?, deviation: at("stddev"), range: at("min").zip(at("max")) })
        }
        Kind::Endpoint => {
            let deviation = number(value, "wire_bytes_stddev");
            Some(Sample { count: number(value, "messages")?, mean: number(value, path)?, deviation, range: None })
        }
        Kind::Plain => None,
    }
}

/// The values of both on which a figure rests.
fn samples(base: &Value, new: &Value, path: &str, kind: Kind) -> Option<[Sample; 2]> {
    let mut samples = [sample(base, path, kind)?, sample(new, path, kind)?];
    let of = path.strip_suffix("wire_bytes").filter(|of| kind == Kind::Wire && has_same_content(base, new, of));
    if let Some(of) = of {
        // The same was said, so nothing of how that varies is chance: what may be is how it was packed, which the overhead shows.
        let overhead = |report: &Value| number(report, &format!("{of}overhead_bytes.stddev"));
        (samples[0].deviation, samples[1].deviation) = (overhead(base), overhead(new));
    }
    Some(samples)
}

/// Whether both carried the same: as many messages, all of known content, and that the same in every figure of its distribution.
fn has_same_content(base: &Value, new: &Value, of: &str) -> bool {
    let at = |report: &Value, name: &str| report.pointer(&format!("/{}{name}", of.replace('.', "/"))).cloned();
    let content =
        |report: &Value| at(report, "content_bytes").filter(|content| Some(&content["count"]) == at(report, "wire_bytes/count").as_ref());
    content(base).is_some_and(|same| content(new) == Some(same))
}

fn compared(base: &Value, new: &Value, &(path, title, kind): &Figure) -> Option<Compared> {
    let metric = if matches!(kind, Kind::Mean | Kind::Wire) { format!("{path}.mean") } else { path.to_owned() };
    let (old, fresh) = (number(base, &metric), number(new, &metric));
    if old.is_none() && fresh.is_none() {
        return None;
    }
    let change = old.zip(fresh).map(|(old, fresh)| fresh - old);
    let significance = match samples(base, new, path, kind) {
        Some([base, new]) => significance(&base, &new),
        None if change.is_some_and(|change| change.abs() <= SAME * old.unwrap_or_default().abs()) => Significance::Same,
        None => Significance::Unknown,
    };
    let change_ratio = change.zip(old.filter(|old| *old != 0.0)).and_then(|(change, old)| six_digits(change / old));
    let unit = Unit::of(&metric);
    Some(Compared { metric, title, unit, base: old, new: fresh, change: change.and_then(six_digits), change_ratio, significance })
}

fn group(name: String, base: Option<&Value>, new: Option<&Value>, figures: &[Figure]) -> Group {
    let change = match (base, new) {
        (Some(_), Some(_)) => Change::Matched,
        (None, _) => Change::New,
        (_, None) => Change::Vanished,
    };
    let (base, new) = (base.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null));
    Group { name, change, metrics: figures.iter().filter_map(|figure| compared(base, new, figure)).collect() }
}

impl Group {
    /// Whether it is in both, and what one costs did not change.
    pub fn is_same(&self) -> bool {
        let cost = self.metrics.iter().find(|figure| figure.metric == "wire_bytes_per_message");
        self.change == Change::Matched && cost.is_none_or(|cost| cost.significance == Significance::Same)
    }

    /// How much the mean cost of one changed all of them together: what makes a change worth a look.
    fn weight(&self) -> f64 {
        let figure = |metric: &str| self.metrics.iter().find(|compared| compared.metric == metric);
        match self.change {
            Change::Matched => {
                let each = figure("wire_bytes_per_message").and_then(|compared| compared.change).unwrap_or_default();
                each.abs() * figure("messages").and_then(|compared| compared.new).unwrap_or_default()
            }
            Change::New | Change::Vanished => figure("wire_bytes").and_then(|compared| compared.new.or(compared.base)).unwrap_or_default(),
        }
    }
}

/// Elements of two lists, matched by name; those of the base first.
fn matched(base: &Value, new: &Value, pointer: &str, name: fn(&Value) -> String) -> Vec<Group> {
    let list = |report: &Value| report.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let (olds, mut fresh) = (list(base), list(new));
    let mut groups = Vec::new();
    for old in &olds {
        let at = fresh.iter().position(|item| name(item) == name(old));
        let partner = at.map(|at| fresh.remove(at));
        groups.push(group(name(old), Some(old), partner.as_ref(), &OF_ENDPOINTS));
    }
    groups.extend(fresh.iter().map(|item| group(name(item), None, Some(item), &OF_ENDPOINTS)));
    groups
}

/// Names that one list has and the other has not.
fn only_in(report: &Value, other: &Value, pointer: &str, key: &str) -> Vec<String> {
    let names = |report: &Value| -> Vec<String> {
        let items = report.pointer(pointer).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|item| item.get(key)?.as_str().map(str::to_owned)).collect()
    };
    let others = names(other);
    names(report).into_iter().filter(|name| !others.contains(name)).collect()
}

const SIDES: [(&str, &str, &[Figure]); 4] = [
    ("ajax", "An Ajax exchange", &OF_HTTP),
    ("websocket", "A WebSocket message", &OF_WEBSOCKET),
    ("server_sent_events", "An event stream", &OF_HTTP),
    ("other_http", "An exchange of other HTTP", &OF_HTTP),
];

/// Compares two reports. A cost of a side that grew clearly by more than `max_increase` (a part of the base) makes the verdict fail, and so
/// does a side that is only in the base.
pub fn compare(base: &Value, new: &Value, max_increase: Option<f64>) -> Comparison {
    let has_any =
        |side: &Value| ["/messages", "/all_in_wire_bytes"].iter().any(|name| side.pointer(name).and_then(Value::as_u64) > Some(0));
    let side = |&(name, _, figures): &(&str, &str, &[Figure])| {
        let of = |report: &'_ Value| report.get(name).filter(|side| has_any(side)).cloned();
        let (base, new) = (of(base), of(new));
        (base.is_some() || new.is_some()).then(|| group(name.to_owned(), base.as_ref(), new.as_ref(), figures))
    };
    let sides: Vec<_> = SIDES.iter().filter_map(side).collect();
    let mut endpoints = matched(base, new, "/endpoints", endpoint_name);
    endpoints.sort_by(|a, b| b.weight().total_cmp(&a.weight()).then_with(|| a.name.cmp(&b.name)));
    let [grown, unclear] =
        [true, false].map(|clearly| sides.iter().filter_map(|side| grown(side, max_increase, clearly)).collect::<Vec<_>>());
    let unknown: Vec<_> = sides.iter().filter(|side| max_increase.is_some() && is_missed(side)).map(named).collect();
    let verdict = if grown.is_empty() && unknown.is_empty() { Verdict::Pass } else { Verdict::Fail };
    Comparison {
        schema_version: SCHEMA_VERSION,
        verdict,
        summary: sides
            .iter()
            .map(sentence)
            .chain(max_increase.map(|most| judgement(&grown, &unknown, most)))
            .chain(max_increase.filter(|_| !unclear.is_empty()).map(|most| reservation(&unclear, most)))
            .collect(),
        sides,
        endpoints,
        subprotocols: matched(base, new, "/websocket/by_subprotocol", subprotocol_name),
        new_findings: only_in(new, base, "/findings", "id"),
        vanished_findings: only_in(base, new, "/findings", "id"),
        new_anomalies: only_in(new, base, "/anomalies", "kind"),
        vanished_anomalies: only_in(base, new, "/anomalies", "kind"),
        cautions: saved::cautions(base, new),
    }
}

impl Comparison {
    /// Why no verdict can rest on it; `None` where one can: both hold packets, and a side is in both.
    pub fn lacks(&self, base: &Value, new: &Value) -> Option<&'static str> {
        let holds_packets = |report: &Value| report.pointer("/conservation/wire_bytes").and_then(Value::as_u64) != Some(0);
        match (holds_packets(base), holds_packets(new)) {
            (false, _) => Some("the base holds no packet"),
            (_, false) => Some("the new capture holds no packet"),
            _ if self.sides.iter().all(|side| side.change != Change::Matched) => Some("no side is in both"),
            _ => None,
        }
    }
}

/// Whether a figure is what one costs in octets.
fn is_cost(figure: &Compared) -> bool {
    figure.unit == Unit::Bytes && figure.metric.ends_with(".mean") && !figure.metric.contains("content_bytes")
}

fn has_grown(figure: &Compared, max_increase: Option<f64>) -> bool {
    let Some(most) = max_increase else { return false };
    // From 0, whatever there is has grown by more than any part of it.
    let from_nothing = figure.base == Some(0.0) && figure.new > Some(0.0);
    from_nothing || figure.change_ratio.is_some_and(|ratio| ratio > most + SAME)
}

/// A side, with its costs that grew by more than was allowed, clearly or not; `None` where none did.
fn grown(side: &Group, max_increase: Option<f64>, clearly: bool) -> Option<String> {
    let is_meant = |figure: &&Compared| (figure.significance == Significance::Clear) == clearly;
    let figures = side.metrics.iter().filter(|figure| is_cost(figure) && has_grown(figure, max_increase)).filter(is_meant);
    let named = figures.map(|figure| {
        let by = figure.change_ratio.map_or_else(String::new, |ratio| format!(" +{}", Unit::Share.show(ratio)));
        format!("{}{by}", figure.title)
    });
    let named: Vec<_> = named.collect();
    (!named.is_empty()).then(|| format!("{} ({})", self::named(side), named.join(", ")))
}

/// Whether a side that a verdict is about is only in the base: what is not measured has not passed.
fn is_missed(side: &Group) -> bool {
    side.change == Change::Vanished && side.name != Side::OtherHttp.name()
}

/// One of a side, as it stands in a sentence.
fn named(side: &Group) -> String {
    let what = SIDES.iter().find(|(name, ..)| *name == side.name).map_or("It", |(_, what, _)| what);
    what.replacen('A', "a", 1)
}

fn judgement(grown: &[String], unknown: &[String], most: f64) -> String {
    let most = Unit::Share.show(most);
    match (grown, unknown) {
        ([], []) => format!("No cost of one grew clearly by more than {most}."),
        ([], _) => format!("The verdict is no, for nothing says what these cost now: {}.", unknown.join("; ")),
        (_, []) => format!("What one costs grew clearly by more than {most}, so the verdict is no: {}.", grown.join("; ")),
        _ => format!(
            "What one costs grew clearly by more than {most}, so the verdict is no: {}; and nothing says what these cost now: {}.",
            grown.join("; "),
            unknown.join("; ")
        ),
    }
}

/// What is beyond the bound, and no reason for a no.
fn reservation(unclear: &[String], most: f64) -> String {
    format!(
        "By more than {} and not clearly, so that it may be chance, grew: {}. `wiretare check --max-increase` bounds a mean in any case.",
        Unit::Share.show(most),
        unclear.join("; ")
    )
}

fn sentence(side: &Group) -> String {
    let what = SIDES.iter().find(|(name, ..)| *name == side.name).map_or("It", |(_, what, _)| what);
    match side.change {
        Change::New => return format!("{what} is only in the new capture."),
        Change::Vanished => return format!("{what} is only in the base."),
        Change::Matched => {}
    }
    let cost = side.metrics.iter().find(|figure| is_cost(figure));
    let Some(cost) = cost.filter(|cost| cost.change.is_some()) else { return format!("{what} has no cost to compare.") };
    let (old, new) = (cost.base.unwrap_or_default(), cost.new.unwrap_or_default());
    let now = format!("{what} costs {} on the wire", cost.unit.show(new));
    let count = side.metrics.first().map_or((0.0, 0.0), |count| (count.base.unwrap_or_default(), count.new.unwrap_or_default()));
    let counted = format!("{} and {}", Unit::Count.show(count.0), Unit::Count.show(count.1));
    let part = Unit::Share.show(cost.change_ratio.unwrap_or_default().abs());
    let word = if new > old { "more" } else { "less" };
    let changed = format!("{now}, {part} {word} than before ({})", cost.unit.show(old));
    match cost.significance {
        Significance::Same => format!("{now}, as before."),
        Significance::Clear => format!("{changed}; of {counted}."),
        Significance::Noise => format!("{changed}, which is no more than they vary; of {counted}."),
        Significance::Few => format!("{changed}, but {counted} are too few to tell."),
        Significance::Unknown => format!("{changed}; how much they vary is not known."),
    }
}

#[cfg(test)]
mod tests;
