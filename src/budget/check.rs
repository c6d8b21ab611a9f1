//! Whether a report keeps a budget.

use serde::Serialize;
use serde_json::Value;

use super::bounds::{BoundIs, Bounds, Wanted};
use super::file::{Budget, Level, NoData, Rule, Selection};
use super::metric::{Catalogue, Found, lookup};
use super::saved;
use super::unit::Unit;
use crate::analysis::plural;
use crate::error::{Error, Result};
use crate::options::{Glob, nearest, thousands};

/// Version of [`Checked`].
const SCHEMA_VERSION: u32 = 1;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Checked {
    /// Raised when a field is renamed, removed or changes its meaning.
    pub schema_version: u32,
    /// Whether every rule holds that is not a warning.
    pub verdict: Verdict,
    /// An outcome for each rule and endpoint, in the order of the budget.
    pub outcomes: Vec<Outcome>,
    /// Why figures, or their comparison with the baseline, may mislead, a sentence each.
    pub cautions: Vec<String>,
}

/// How a rule, or all of them, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not, and says `level = "warn"`.
    Warn,
    /// It does not.
    Fail,
}

/// How a rule came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Outcome {
    /// Its name; the metric where it has none.
    pub name: String,
    /// Path of the metric.
    pub metric: String,
    /// Side, host and path of the endpoint, or the subprotocol, that was looked at; where there is none, what was looked for.
    pub of: Option<String>,
    /// How it came out.
    pub verdict: Verdict,
    /// What was measured, in the metric's unit; `None` where nothing was.
    pub value: Option<f64>,
    /// What the baseline has.
    pub baseline: Option<f64>,
    /// The bound that is nearest to be passed, or passed by most, in the metric's unit; of a rule with several, one of them.
    pub bound: Option<f64>,
    /// From which side it bounds.
    pub bound_is: Option<BoundIs>,
    /// All bounds in the metric's unit, and from which side they bound, in the order of [`Rule`]; `bound` is one of them.
    #[serde(skip)]
    pub bounds: Vec<(BoundIs, f64)>,
    /// What was wanted and had, for people.
    pub message: String,
    /// The unit in which values are shown.
    #[serde(skip)]
    pub unit: Unit,
}

/// Checks a report against a budget.
///
/// # Errors
///
/// [`Error::Usage`], a line for each: a metric that there is not, a bound that is not in its unit, a relative bound without a
/// baseline, and where nothing was measured and the rule does not say what follows.
pub fn check(report: &Value, baseline: Option<&Value>, budget: &Budget, catalogue: &Catalogue) -> Result<Checked> {
    let check = Check { report, baseline, catalogue };
    if report.pointer("/conservation/wire_bytes").and_then(Value::as_u64) == Some(0) {
        return Err(Error::Usage("nothing to check: the capture holds no packet".into()));
    }
    let (mut outcomes, mut errors) = (Vec::new(), Vec::new());
    for rule in &budget.rules {
        match check.rule(rule) {
            Ok(found) => outcomes.extend(found),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(Error::Usage(errors.join("\n")));
    }
    let worst = outcomes.iter().map(|outcome| outcome.verdict).max_by_key(|verdict| *verdict as u8).unwrap_or(Verdict::Pass);
    let verdict = if worst == Verdict::Fail { Verdict::Fail } else { Verdict::Pass };
    let cautions = match baseline {
        Some(baseline) => saved::cautions(baseline, report),
        None => saved::doubts("capture", report),
    };
    Ok(Checked { schema_version: SCHEMA_VERSION, verdict, outcomes, cautions })
}

struct Check<'a> {
    report: &'a Value,
    baseline: Option<&'a Value>,
    catalogue: &'a Catalogue,
}

/// A part of the report, the same part of the baseline, and what it is called.
struct Part<'a> {
    of: Option<String>,
    report: &'a Value,
    baseline: Option<&'a Value>,
}

impl<'a> Check<'a> {
    fn rule(&self, rule: &Rule) -> std::result::Result<Vec<Outcome>, String> {
        let bounds = Bounds::of(rule, self.full_path(rule)?)?;
        if bounds.is_relative() && self.baseline.is_none() {
            return Err(format!("{}: `max_increase` and `max_decrease` need a baseline: `--baseline REPORT`", rule.title()));
        }
        let parts = self.parts(rule);
        if parts.is_empty() {
            let outcome = self.without_data(rule, None, &bounds, None, &self.nothing_fits(rule));
            return outcome.map(|outcome| vec![Outcome { of: rule.looked_for(), ..outcome }]);
        }
        parts.iter().map(|part| self.part(rule, &bounds, part)).collect()
    }

    /// The path from the report's root, checked to be one that there is.
    fn full_path(&self, rule: &Rule) -> std::result::Result<String, String> {
        let within = match (&rule.endpoint, &rule.subprotocol) {
            (Some(_), Some(_)) => return Err(format!("{}: `endpoint` and `subprotocol` exclude each other", rule.title())),
            (Some(_), None) => ENDPOINTS,
            (None, Some(_)) => SUBPROTOCOLS,
            (None, None) => "",
        };
        if within.is_empty()
            && let Some(misnamed) = self.catalogue.misnamed(&rule.metric)
        {
            return Err(format!("{}: there is no metric `{}`: {misnamed}", rule.title(), rule.metric));
        }
        let path = format!("{within}{}", rule.metric);
        if self.catalogue.has(&path) {
            return Ok(path);
        }
        let meant = self.catalogue.nearest(&path).and_then(|nearest| nearest.strip_prefix(within));
        let meant = meant.map(meant_by).unwrap_or_default();
        Err(format!("{}: there is no metric `{}`{meant}", rule.title(), rule.metric))
    }

    fn parts(&self, rule: &Rule) -> Vec<Part<'a>> {
        match (&rule.endpoint, &rule.subprotocol) {
            (Some(selection), _) => self.elements("/endpoints", endpoint_name, |item| selection.has(item)),
            (None, Some(wanted)) => self
                .elements("/websocket/by_subprotocol", subprotocol_name, |item| item["subprotocol"].as_str().unwrap_or_default() == wanted),
            (None, None) => vec![Part { of: None, report: self.report, baseline: self.baseline }],
        }
    }

    /// Elements of a list that are chosen, each with the one of the same name in the baseline.
    fn elements(&self, pointer: &str, name: fn(&Value) -> String, is_chosen: impl Fn(&Value) -> bool) -> Vec<Part<'a>> {
        let list = |report: &'a Value| report.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let part = |item: &'a Value| {
            let baseline = self.baseline.and_then(|baseline| list(baseline).iter().find(|other| name(other) == name(item)));
            Part { of: Some(name(item)), report: item, baseline }
        };
        list(self.report).iter().filter(|item| is_chosen(item)).map(part).collect()
    }

    fn part(&self, rule: &Rule, bounds: &Bounds, part: &Part<'_>) -> std::result::Result<Outcome, String> {
        let baseline = part.baseline.and_then(|baseline| self.measured(baseline, rule));
        let Some(value) = self.measured(part.report, rule) else {
            return self.without_data(rule, part.of.clone(), bounds, baseline, "nothing was measured");
        };
        if bounds.is_relative() && baseline.is_none() {
            return self.without_data(rule, part.of.clone(), bounds, None, "the baseline has nothing of it");
        }
        let (unit, all) = (bounds.unit, bounds.all(Some(value), baseline));
        let passed_by = |bound: &Wanted| bound.is.passed_by(value, bound.value);
        let nearest = all.iter().max_by(|a, b| passed_by(a).total_cmp(&passed_by(b)));
        let broken: Vec<&Wanted> = all.iter().filter(|bound| passed_by(bound) > value.abs() * 1e-9).collect();
        let verdict = match (broken.is_empty(), rule.level) {
            (true, _) => Verdict::Pass,
            (false, Level::Warn) => Verdict::Warn,
            (false, Level::Error) => Verdict::Fail,
        };
        let message = match nearest.filter(|_| !broken.is_empty()) {
            Some(nearest) => {
                format!("{}; wanted {}", unit.show_beside(value, nearest.value), listed(&broken, |bound| bound.wanted.clone()))
            }
            None => {
                let baseline = baseline.map(|base| format!(", baseline {}", unit.show(base))).unwrap_or_default();
                format!("{}; {}{baseline}", unit.show(value), listed(&all, |bound| bound.kept(unit)))
            }
        };
        let (bound, bound_is) = nearest.map(|bound| (bound.value, bound.is)).unzip();
        let bounds = as_they_bound(&all);
        Ok(Outcome { value: Some(value), baseline, bound, bound_is, bounds, message, unit, ..rule.outcome(part.of.clone(), verdict) })
    }

    /// The value of a rule's metric. A side without a message has measured nothing, though its sums are 0.
    fn measured(&self, part: &Value, rule: &Rule) -> Option<f64> {
        let (side, figure) = rule.metric.split_once('.').unwrap_or((&rule.metric, ""));
        // How many there are is known of none, too.
        let is_number_of = matches!(figure, "messages" | "exchanges");
        if !is_number_of && part.get(side).and_then(|side| side.get("messages")).and_then(Value::as_u64) == Some(0) {
            return None;
        }
        match lookup(part, &rule.metric) {
            Found::Number(number) => Some(number),
            Found::NoData => None,
            // Names of maps are not there either where they were met 0 times.
            Found::Absent | Found::Unknown => self.catalogue.counts_absent(&rule.metric).then_some(0.0),
        }
    }

    fn without_data(
        &self,
        rule: &Rule,
        of: Option<String>,
        bounds: &Bounds,
        baseline: Option<f64>,
        what: &str,
    ) -> std::result::Result<Outcome, String> {
        let of_what = of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        let verdict = match rule.no_data {
            NoData::Error => {
                return Err(format!(
                    "{}{of_what}: {what}; `no_data = \"fail\"` or `\"pass\"` in a budget file says what follows",
                    rule.title()
                ));
            }
            NoData::Fail if rule.level == Level::Error => Verdict::Fail,
            NoData::Fail => Verdict::Warn,
            NoData::Pass => Verdict::Pass,
        };
        let (unit, bounds) = (bounds.unit, as_they_bound(&bounds.all(None, baseline)));
        Ok(Outcome { message: what.to_owned(), baseline, bounds, unit, ..rule.outcome(of, verdict) })
    }

    /// That nothing is chosen by a rule, and what could be.
    fn nothing_fits(&self, rule: &Rule) -> String {
        let list = |pointer: &str| self.report.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        match &rule.endpoint {
            Some(selection) => {
                let mut endpoints: Vec<_> = list("/endpoints").iter().filter(|endpoint| endpoint["path"].is_string()).collect();
                let paths = endpoints.iter().filter_map(|endpoint| endpoint["path"].as_str());
                let meant = selection.path.as_deref().and_then(|wanted| nearest(wanted, paths));
                // Those that cost the most come first, but for the one that was probably meant.
                endpoints.sort_by_key(|endpoint| meant.is_none_or(|meant| endpoint["path"] != *meant));
                format!("no endpoint has {}{}", selection.text(), instead(endpoints.into_iter().map(endpoint_name)))
            }
            None => {
                let names = list("/websocket/by_subprotocol").iter().map(subprotocol_name);
                format!("no connection has this subprotocol{}", instead(names))
            }
        }
    }
}

impl Rule {
    /// What it chooses, where it chooses.
    fn looked_for(&self) -> Option<String> {
        let endpoint = self.endpoint.as_ref().map(Selection::text);
        endpoint.or_else(|| self.subprotocol.as_ref().map(|wanted| format!("subprotocol `{wanted}`")))
    }

    pub(super) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.metric.clone())
    }

    fn outcome(&self, of: Option<String>, verdict: Verdict) -> Outcome {
        Outcome {
            name: self.title(),
            metric: self.metric.clone(),
            of,
            verdict,
            value: None,
            baseline: None,
            bound: None,
            bound_is: None,
            bounds: Vec::new(),
            message: String::new(),
            unit: Unit::of(&self.metric),
        }
    }
}

impl Selection {
    fn text(&self) -> String {
        let parts = [("side", &self.side), ("host", &self.host), ("path", &self.path)];
        let parts: Vec<_> = parts.iter().filter_map(|(name, wanted)| wanted.as_ref().map(|wanted| format!("{name} `{wanted}`"))).collect();
        if parts.is_empty() { "a path".into() } else { parts.join(" and ") }
    }

    fn has(&self, endpoint: &Value) -> bool {
        let text = |name: &str| endpoint[name].as_str();
        let like = |glob: &Option<String>, is_like: &dyn Fn(&Glob) -> bool| glob.as_deref().is_none_or(|glob| is_like(&Glob::new(glob)));
        // What the endpoints that are not listed paid together is no endpoint.
        text("path").is_some_and(|path| like(&self.path, &|glob| glob.is_path_of(path.as_bytes())))
            && self.side.as_deref().is_none_or(|side| text("side") == Some(side))
            && like(&self.host, &|glob| text("host").is_some_and(|host| glob.is_host(host.as_bytes())))
    }
}

/// Where metrics of endpoints and of subprotocols stand.
const ENDPOINTS: &str = "endpoints.[].";
const SUBPROTOCOLS: &str = "websocket.by_subprotocol.*.";

/// What to write instead of a metric that there is not.
fn meant_by(nearest: &str) -> String {
    let of_each = [(ENDPOINTS, "endpoint = {}"), (SUBPROTOCOLS, "subprotocol = \"…\"")];
    match of_each.into_iter().find_map(|(within, selection)| Some((nearest.strip_prefix(within)?, selection))) {
        Some((metric, selection)) => format!("; did you mean `metric = \"{metric}\"` with `{selection}`?"),
        None => format!("; did you mean `{nearest}`?"),
    }
}

/// Names that are told where none fits.
const INSTEAD: usize = 3;

/// What there is, the first few.
fn instead(mut names: impl Iterator<Item = String>) -> String {
    let first: Vec<_> = names.by_ref().take(INSTEAD).collect();
    match (first.is_empty(), names.count()) {
        (true, _) => " (there is none)".into(),
        (false, 0) => format!(" (there {}: {})", plural(first.len() as u64, "is", "are"), first.join(", ")),
        (false, more) => format!(" (there are: {} and {} more)", first.join(", "), thousands(more as u64)),
    }
}

/// From which side each bounds, and where.
fn as_they_bound(bounds: &[Wanted]) -> Vec<(BoundIs, f64)> {
    bounds.iter().map(|bound| (bound.is, bound.value)).collect()
}

pub(super) fn endpoint_name(endpoint: &Value) -> String {
    let text = |name: &str| endpoint[name].as_str().unwrap_or_default();
    format!("{} {}{}", text("side"), text("host"), endpoint["path"].as_str().unwrap_or(" (all others)"))
}

pub(super) fn subprotocol_name(connections: &Value) -> String {
    // In parentheses: a subprotocol may be called `none`, and no token has any (RFC 9110 §5.6.2).
    connections["subprotocol"].as_str().unwrap_or("(none)").to_owned()
}

/// Several in a sentence.
fn listed<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
