//! Metrics by their paths in the report's JSON, such as `websocket.per_message.overhead_bytes.p95`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::analysis::findings;
use crate::anomaly::AnomalyKind;
use crate::message::{Opcode, TcpAnalysis};
use crate::options::nearest;

/// What tells the elements of a list apart: the first of these names that they have.
const KEYS: [&str; 5] = ["kind", "id", "name", "opcode", "subprotocol"];

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// A number.
    Number(f64),
    /// Nothing was measured: `null`.
    NoData,
    /// A list has no element of that name.
    Absent,
    /// No number, or no such place.
    Unknown,
}

/// Follows a path through a report. Names may have dots (`envelopes.socket.io.messages`); elements of lists are named by what
/// tells them apart (`anomalies.lost_bytes.count`), their number is `count`.
pub fn lookup(value: &Value, path: &str) -> Found {
    if path.is_empty() {
        return match value {
            Value::Number(number) => number.as_f64().map_or(Found::Unknown, Found::Number),
            Value::Null => Found::NoData,
            _ => Found::Unknown,
        };
    }
    match value {
        Value::Null => Found::NoData,
        Value::Object(fields) => match longest(fields.keys().map(String::as_str), path) {
            Some((name, rest)) => lookup(&fields[name], rest),
            None => Found::Unknown,
        },
        Value::Array(items) if path == "count" => Found::Number(items.len() as f64),
        Value::Array(items) => match longest(items.iter().filter_map(key), path) {
            Some((name, rest)) => items.iter().find(|item| key(item) == Some(name)).map_or(Found::Unknown, |item| lookup(item, rest)),
            None => Found::Absent,
        },
        _ => Found::Unknown,
    }
}

/// The longest name that a path begins with, and what follows.
fn longest<'a, 'p>(names: impl Iterator<Item = &'a str>, path: &'p str) -> Option<(&'a str, &'p str)> {
    let rest = |name: &'a str| {
        let rest = path.strip_prefix(name)?;
        let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
        Some((name, rest))
    };
    names.filter_map(rest).max_by_key(|(name, _)| name.len())
}

fn key(item: &Value) -> Option<&str> {
    KEYS.iter().find_map(|name| item.get(name)).and_then(Value::as_str)
}

/// All metrics that reports can have.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Paths; `*` stands for a name that only the capture knows, `[]` for an endpoint.
    paths: BTreeSet<String>,
    /// Lists by their paths, and whether their elements have names.
    lists: BTreeMap<String, bool>,
}

/// What stands for an endpoint, which has no name.
const UNNAMED: &str = "[]";

impl Catalogue {
    /// The metrics of whatever a JSON Schema describes: every number that it names.
    pub fn of(schema: &Value) -> Self {
        let mut catalogue = Self { paths: BTreeSet::new(), lists: BTreeMap::new() };
        catalogue.collect(schema, schema, &mut String::new());
        catalogue
    }

    /// The paths; `*` stands for a name that only the capture knows, `[]` for an endpoint.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether a metric can be there.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path) || self.paths.iter().any(|known| known.contains('*') && fits(known, path))
    }

    /// Whether its name is one of a closed list, so that its absence means that it was met 0 times.
    pub fn counts_absent(&self, path: &str) -> bool {
        self.paths.contains(path) && CLOSED.iter().any(|(list, _)| path.split('.').any(|name| name == *list))
    }

    /// What is wrong with a path that names an element of a list by a number, or one that has no name.
    pub fn misnamed(&self, path: &str) -> Option<String> {
        let (list, is_named, element) = self.lists.iter().find_map(|(list, is_named)| {
            let element = path.strip_prefix(list.as_str())?.strip_prefix('.')?;
            Some((list, *is_named, element))
        })?;
        let (name, figure) = element.split_once('.')?;
        let is_number = name.bytes().all(|octet| octet.is_ascii_digit());
        match is_named {
            true if is_number => Some(format!("elements of `{list}` go by their names: `{list}.NAME.{figure}`")),
            false if list == "endpoints" => Some(format!(
                "elements of `endpoints` have no names; `metric = \"{figure}\"` with `endpoint = {{ path = \"…\" }}` in a budget file chooses them"
            )),
            false => Some(format!("elements of `{list}` have no names, only their number is a metric: `{list}.count`")),
            true => None,
        }
    }

    /// The known path that is most like one that is not.
    pub fn nearest(&self, path: &str) -> Option<&str> {
        nearest(path, self.paths())
    }

    fn collect(&mut self, root: &Value, schema: &Value, path: &mut String) {
        let Value::Object(fields) = schema else { return };
        if let Some(target) = referred(root, fields) {
            self.collect(root, target, path);
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            fields.get(several).and_then(Value::as_array).into_iter().flatten().for_each(|part| self.collect(root, part, path));
        }
        if is_number(fields) {
            self.paths.insert(path.clone());
        }
        for (name, part) in fields.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter) {
            self.collect_below(root, name, part, path);
        }
        if let Some(names) = fields.get("additionalProperties").filter(|part| part.is_object()) {
            names_within(path).iter().for_each(|name| self.collect_below(root, name, names, path));
        }
        for part in fields.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(Map::values) {
            names_within(path).iter().for_each(|name| self.collect_below(root, name, part, path));
        }
        if let Some(element) = fields.get("items") {
            let is_named = has_name(root, element);
            let names = match is_named {
                true => names_within(path),
                // A rule chooses of these by other means; of no other list.
                false if path == "endpoints" => vec![UNNAMED.into()],
                false => Vec::new(),
            };
            names.iter().for_each(|name| self.collect_below(root, name, element, path));
            self.lists.insert(path.clone(), is_named);
            self.paths.insert(format!("{path}.count"));
        }
    }

    fn collect_below(&mut self, root: &Value, name: &str, part: &Value, path: &mut String) {
        let end = path.len();
        if end > 0 {
            path.push('.');
        }
        path.push_str(name);
        self.collect(root, part, path);
        path.truncate(end);
    }
}

/// What a schema refers to.
fn referred<'a>(root: &'a Value, schema: &Map<String, Value>) -> Option<&'a Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// Whether something tells elements of a list apart.
fn has_name(root: &Value, element: &Value) -> bool {
    let Value::Object(schema) = element else { return false };
    let described = referred(root, schema).unwrap_or(element);
    KEYS.iter().any(|key| described.get("properties").is_some_and(|fields| fields.get(*key).is_some()))
}

/// Whether a path is like one with a `*`, which stands for one or more names.
fn fits(known: &str, path: &str) -> bool {
    crate::options::Glob::new(known).is_like(path.as_bytes())
}

type Names = fn() -> Vec<String>;

/// Lists whose elements, and maps whose names, are known.
const CLOSED: [(&str, Names); 5] = [
    ("anomalies", || AnomalyKind::ALL.iter().map(|kind| kind.name().to_owned()).collect()),
    ("findings", || findings::IDS.iter().map(|id| (*id).to_owned()).collect()),
    ("analysis", || TcpAnalysis::ALL.iter().map(|kind| kind.name().to_owned()).collect()),
    ("opcodes", || (0..16).map(|bits| Opcode::of_bits(bits).name().to_owned()).collect()),
    ("statuses", || (100..600).map(|status: u32| status.to_string()).collect()),
];

fn names_within(path: &str) -> Vec<String> {
    let list = path.rsplit('.').next().unwrap_or_default();
    CLOSED.iter().find(|(name, _)| *name == list).map_or_else(|| vec!["*".into()], |(_, names)| names())
}

fn is_number(schema: &Map<String, Value>) -> bool {
    let numeric = |name: &Value| matches!(name.as_str(), Some("number" | "integer"));
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(numeric),
        Some(one) => numeric(one),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_objects_lists_and_names_with_dots() {
        let report = json!({
            "websocket": {"per_message": {"wire_bytes": {"p95": 89}, "content_bytes": null}, "envelopes": {"socket.io": {"messages": 7}}},
            "anomalies": [{"kind": "lost_bytes", "count": 3}],
        });
        for (path, found) in [
            ("websocket.per_message.wire_bytes.p95", Found::Number(89.0)),
            ("websocket.per_message.content_bytes.p95", Found::NoData),
            ("websocket.envelopes.socket.io.messages", Found::Number(7.0)),
            ("anomalies.lost_bytes.count", Found::Number(3.0)),
            ("anomalies.wrong_accept.count", Found::Absent),
            ("anomalies.count", Found::Number(1.0)),
            ("websocket.per_message", Found::Unknown),
            ("websocket.per_mesage.wire_bytes.p95", Found::Unknown),
        ] {
            assert_eq!(lookup(&report, path), found, "{path}");
        }
    }

    #[test]
    fn catalogue_knows_what_a_schema_describes() {
        let schema = json!({
            "$defs": {"Spread": {"type": "object", "properties": {"p95": {"type": "integer"}, "mean": {"type": ["number", "null"]}}}},
            "properties": {
                "wire_bytes": {"anyOf": [{"$ref": "#/$defs/Spread"}, {"type": "null"}]},
                "host": {"type": "string"},
                "envelopes": {"type": "object", "additionalProperties": {"properties": {"messages": {"type": "integer"}}}},
                "anomalies": {"type": "array", "items": {"properties": {"kind": {"type": "string"}, "count": {"type": "integer"}}}},
                "captures": {"type": "array", "items": {"properties": {"packets": {"type": "integer"}}}},
            },
        });
        let catalogue = Catalogue::of(&schema);
        for path in [
            "wire_bytes.p95",
            "wire_bytes.mean",
            "envelopes.socket.io.messages",
            "anomalies.lost_bytes.count",
            "anomalies.count",
            "captures.count",
        ] {
            assert!(catalogue.has(path), "{path}");
        }
        for path in ["host", "wire_bytes.p96", "envelopes.x.mesages", "anomalies.lots_bytes.count", "captures.0.packets", ""] {
            assert!(!catalogue.has(path), "{path}");
        }
        assert_eq!(catalogue.nearest("wire_byte.p95"), Some("wire_bytes.p95"));
        let misnamed = |path| catalogue.misnamed(path).unwrap_or_default();
        assert_eq!(misnamed("anomalies.0.count"), "elements of `anomalies` go by their names: `anomalies.NAME.count`");
        assert!(misnamed("captures.0.packets").starts_with("elements of `captures` have no names"));
        assert_eq!([misnamed("anomalies.lost_bytes.count"), misnamed("captures.count")], ["", ""]);
        assert!(catalogue.counts_absent("anomalies.lost_bytes.count") && !catalogue.counts_absent("wire_bytes.p95"));
    }
}
