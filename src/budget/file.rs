//! Budget files: TOML, a list of rules.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::message::Side;

/// A budget: what metrics may be at most, at least, or more than in a baseline.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Its rules; each has to hold.
    #[serde(default, rename = "budget")]
    pub rules: Vec<Rule>,
}

/// A rule: a metric, of which part of the report, and its bounds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called in the results; the metric where it has no name.
    pub name: Option<String>,
    /// Path in the report's JSON, such as `websocket.per_message.overhead_bytes.p95`; with `endpoint` or `subprotocol`, in an
    /// element of `endpoints` or `websocket.by_subprotocol`, such as `wire_bytes_per_message`.
    pub metric: String,
    /// Each endpoint that is like this.
    pub endpoint: Option<Selection>,
    /// The connections of this subprotocol; empty for those without one.
    pub subprotocol: Option<String>,
    /// It may be at most this.
    pub max: Option<Bound>,
    /// It has to be at least this.
    pub min: Option<Bound>,
    /// It may be larger than in the baseline by so much: `"5%"`, or an amount such as `"200 B"`.
    pub max_increase: Option<Bound>,
    /// Only with a `max_increase` in per cent: an increase of no more than this amount passes as well, so that small numbers do not flap.
    pub max_increase_abs: Option<Bound>,
    /// It may be smaller than in the baseline by so much.
    pub max_decrease: Option<Bound>,
    /// What follows when it does not hold.
    #[serde(default)]
    pub level: Level,
    /// What follows when nothing was measured.
    #[serde(default)]
    pub no_data: NoData,
}

/// Which endpoints.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// `ajax`, `websocket`, `server_sent_events` or `other_http`; any where it is left out.
    #[cfg_attr(feature = "cli", schemars(extend("enum" = ["ajax", "websocket", "server_sent_events", "other_http", null])))]
    #[serde(default, deserialize_with = "side")]
    pub side: Option<String>,
    /// Pattern of the host, with `*` and `?`.
    pub host: Option<String>,
    /// Pattern of the path template, with `*` and `?`.
    pub path: Option<String>,
}

/// The name of a side, and no other text.
fn side<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    let names = Side::ALL.map(Side::name);
    let name = String::deserialize(deserializer)?;
    let wanted = || D::Error::custom(format!("there is no side `{name}`; wanted {}", names.join(", ")));
    names.contains(&name.as_str()).then(|| Some(name.clone())).ok_or_else(wanted)
}

/// A bound as it was written: a number, or a text with a unit.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", schemars(untagged))]
pub enum Bound {
    /// Without a unit: in the metric's own.
    Number(f64),
    /// With or without one.
    Text(String),
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "wanted a number, or a text such as \"2 KiB\" or \"5%\"")]
        enum Written {
            Integer(i64),
            Float(f64),
            Text(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Integer(number) => Self::Number(number as f64),
            Written::Float(number) => Self::Number(number),
            Written::Text(text) => Self::Text(text),
        })
    }
}

impl Bound {
    /// As it stands in a file.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("{text:?}"),
        }
    }

    /// As it was written.
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// What follows when a rule does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The check fails.
    #[default]
    Error,
    /// It is said, and the check passes.
    Warn,
}

/// What follows when nothing was measured: no message, or no endpoint that is like the selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NoData {
    /// The check cannot be made: exit code 2.
    #[default]
    Error,
    /// The rule does not hold.
    Fail,
    /// The rule holds.
    Pass,
}

impl Budget {
    /// Reads a budget file.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] with line and column where it is no budget.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let budget: Self = toml::from_str(text).map_err(|error| Error::Usage(format!("{file}: {}", error.to_string().trim_end())))?;
        match budget.rules.is_empty() {
            true => Err(Error::Usage(format!("{file}: no rule; wanted `[[budget]]` with `metric` and a bound such as `max`"))),
            false => Ok(budget),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_numbers_and_units() {
        let text = r#"
            [[budget]]
            metric = "websocket.per_message.overhead_bytes.p95"
            max = 40

            [[budget]]
            name = "poll"
            metric = "wire_bytes_per_message"
            endpoint = { side = "ajax", host = "*.example", path = "/api/*" }
            max_increase = "5%"
            max_increase_abs = "20 B"
            level = "warn"
            no_data = "pass"
        "#;
        let budget = Budget::parse("budget.toml", text).expect("a budget");
        let first = Rule { metric: "websocket.per_message.overhead_bytes.p95".into(), max: Some(Bound::Number(40.0)), ..Rule::default() };
        let second = Rule {
            name: Some("poll".into()),
            metric: "wire_bytes_per_message".into(),
            endpoint: Some(Selection { side: Some("ajax".into()), host: Some("*.example".into()), path: Some("/api/*".into()) }),
            max_increase: Some(Bound::Text("5%".into())),
            max_increase_abs: Some(Bound::Text("20 B".into())),
            level: Level::Warn,
            no_data: NoData::Pass,
            ..Rule::default()
        };
        assert_eq!(budget.rules, [first, second]);
    }

    #[test]
    fn what_is_no_budget_is_refused_with_its_place() {
        for (text, expected) in [
            ("", "b.toml: no rule; wanted `[[budget]]`"),
            ("[[budget]]\nmetric = 3\n", "b.toml: TOML parse error at line 2"),
            ("[[budget]]\nmetrik = \"a\"\n", "b.toml: TOML parse error at line 2"),
            ("[[budget]]\nmetric = \"a\"\nmax = true\n", "b.toml: TOML parse error at line 3"),
            ("[[budget]]\nmetric = \"a\"\nendpoint = { side = \"ajx\" }\n", "b.toml: TOML parse error at line 3"),
        ] {
            let error = Budget::parse("b.toml", text).expect_err("refused").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
