//! Reports that were saved.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::analysis::plural;
use crate::anomaly::AnomalyKind;
use crate::error::{Error, Result};
use crate::options::thousands;

/// Versions of the report that can be read.
pub const SCHEMA_VERSIONS: RangeInclusive<u64> = 1..=1;

/// Reads a saved report.
///
/// # Errors
///
/// [`Error::Usage`] where the text is no report, or one of a version that is not known.
pub fn read(file: &str, text: &[u8]) -> Result<Value> {
    let no_report = |found: String| Error::Usage(format!("{file}: not a report: {found}; wanted what `wiretare report -f json` prints"));
    if is_rows(text) {
        return Err(no_report("rows of `wiretare messages`".into()));
    }
    let report: Value = serde_json::from_slice(text).map_err(|error| no_report(error.to_string()))?;
    if report.pointer("/generator/name").and_then(Value::as_str) != Some("wiretare") {
        return Err(no_report("JSON of another kind".into()));
    }
    match report.get("schema_version").and_then(Value::as_u64) {
        Some(version) if SCHEMA_VERSIONS.contains(&version) => Ok(report),
        Some(version) => Err(Error::Usage(format!(
            "{file}: a report of schema version {version}; this is wiretare {}, which reads {}",
            env!("CARGO_PKG_VERSION"),
            versions(SCHEMA_VERSIONS)
        ))),
        None => Err(no_report("it has no `schema_version`".into())),
    }
}

/// Whether the first line is a row of `wiretare messages -f ndjson`; a report's is a bracket.
fn is_rows(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().split(|&octet| octet == b'\n').next().unwrap_or_default();
    let row: Value = serde_json::from_slice(first).unwrap_or_default();
    row.get("connection").is_some() && matches!(row["type"].as_str(), Some("exchange" | "message" | "connection"))
}

fn versions(versions: RangeInclusive<u64>) -> String {
    match versions.into_inner() {
        (one, last) if one == last => format!("version {one}"),
        (first, last) => format!("versions {first} to {last}"),
    }
}

/// Settings that change figures, and in which two reports differ: `name: base, new`.
pub fn differing_settings(base: &Value, new: &Value) -> Vec<String> {
    // The basis and the counterfactual change nothing but what is said of them.
    const DISPLAYED: [&str; 2] = ["basis", "counterfactual"];
    let (Some(Value::Object(base)), Some(Value::Object(new))) = (base.get("settings"), new.get("settings")) else { return Vec::new() };
    let differs = |name: &&String| !DISPLAYED.contains(&name.as_str()) && new.get(*name).is_some_and(|value| *value != base[*name]);
    base.keys().filter(differs).map(|name| format!("{name}: {}, {}", base[name], new[name])).collect()
}

/// What befalls files, not traffic.
const DAMAGE: [AnomalyKind; 4] =
    [AnomalyKind::TruncatedCapture, AnomalyKind::MalformedBlock, AnomalyKind::MalformedOption, AnomalyKind::DamagedCompression];

/// Whether a capture that a report was made of was damaged.
pub fn is_damaged(report: &Value) -> bool {
    let files = report.get("captures").and_then(Value::as_array);
    let has_damage = |met: &Value| DAMAGE.iter().any(|kind| met["kind"] == kind.name());
    let anomalies = report.get("anomalies").and_then(Value::as_array);
    files.into_iter().flatten().any(|file| file["truncated"] == true) || anomalies.into_iter().flatten().any(has_damage)
}

/// Whether it holds no Ajax exchange and no WebSocket message.
pub fn is_empty(report: &Value) -> bool {
    ["/ajax/messages", "/websocket/messages"].iter().all(|count| report.pointer(count).and_then(Value::as_u64).unwrap_or_default() == 0)
}

/// Parts of a capture that were understood may differ by this before a comparison is doubtful, and exchanges lack a message.
const UNDERSTOOD: f64 = 0.05;

/// Why a comparison may mislead, a sentence each.
pub fn cautions(base: &Value, new: &Value) -> Vec<String> {
    let mut cautions = Vec::new();
    let understood = |report: &Value| {
        let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_f64);
        Some(number("/coverage/understood_bytes")? / number("/conservation/wire_bytes").filter(|bytes| *bytes > 0.0)?)
    };
    if let (Some(base), Some(new)) = (understood(base), understood(new))
        && (base - new).abs() > UNDERSTOOD
    {
        cautions.push(format!("of the base {:.1} % was understood, of the new capture {:.1} %", base * 100.0, new * 100.0));
    }
    [("base", base), ("new capture", new)].iter().for_each(|(name, report)| cautions.extend(doubts(name, report)));
    cautions
}

/// Why the figures of a capture may mislead, a sentence each.
pub(super) fn doubts(name: &str, report: &Value) -> Vec<String> {
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let mut doubts = Vec::new();
    let lost = number("/coverage/lost_bytes");
    if lost > 0 {
        let bytes = plural(lost, "byte was", "bytes were");
        doubts.push(format!("of the {name}, {} {bytes} sent and not captured", thousands(lost)));
    }
    let (incomplete, exchanges) = (number("/ajax/incomplete_exchanges"), number("/ajax/exchanges"));
    if incomplete as f64 > exchanges as f64 * UNDERSTOOD {
        doubts.push(format!(
            "{} of {} Ajax {} of the {name} {} request or response",
            thousands(incomplete),
            thousands(exchanges),
            plural(exchanges, "exchange", "exchanges"),
            plural(incomplete, "lacks its", "lack their")
        ));
    }
    let files = report.get("captures").and_then(Value::as_array);
    if files.into_iter().flatten().any(|file| file.get("truncated") == Some(&Value::Bool(true))) {
        doubts.push(format!("the {name} ends in the middle of a packet"));
    } else if is_damaged(report) {
        doubts.push(format!("the {name} is damaged"));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn report_of_another_version_or_kind_is_refused_with_words() {
        let of_version = |version: u64| json!({"schema_version": version, "generator": {"name": "wiretare"}}).to_string();
        assert!(read("a.json", of_version(1).as_bytes()).is_ok());
        for (text, expected) in [
            (of_version(2), "a.json: a report of schema version 2; this is wiretare "),
            ("{}".into(), "a.json: not a report: JSON of another kind; wanted what `wiretare report -f json` prints"),
            ("{".into(), "a.json: not a report: EOF while parsing"),
            (
                "{\"type\":\"message\",\"connection\":4}\n{\"type\":\"connection\",\"connection\":4}\n".into(),
                "a.json: not a report: rows of `wiretare messages`; wanted what `wiretare report -f json` prints",
            ),
            (json!({"generator": {"name": "wiretare"}}).to_string(), "a.json: not a report: it has no `schema_version`"),
        ] {
            let error = read("a.json", text.as_bytes()).expect_err("refused").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn versions_that_are_read_are_named() {
        assert_eq!([versions(1..=1), versions(1..=3)], ["version 1", "versions 1 to 3"]);
    }

    #[test]
    fn one_is_said_to_be_one() {
        let said = |incomplete: u64, exchanges: u64, lost: u64| {
            let ajax = json!({"incomplete_exchanges": incomplete, "exchanges": exchanges});
            doubts("capture", &json!({"coverage": {"lost_bytes": lost}, "ajax": ajax}))
        };
        assert_eq!(
            said(1, 6, 1),
            ["of the capture, 1 byte was sent and not captured", "1 of 6 Ajax exchanges of the capture lacks its request or response"]
        );
        assert_eq!(said(2, 6, 0), ["2 of 6 Ajax exchanges of the capture lack their request or response"]);
    }

    #[test]
    fn what_makes_a_comparison_doubtful_is_said() {
        let report = |understood: u64, lost: u64, ajax: &str| {
            json!({
                "coverage": {"understood_bytes": understood, "lost_bytes": lost},
                "conservation": {"wire_bytes": 100},
                "settings": {"ajax": ajax, "basis": "wire"},
            })
        };
        let (base, new) = (report(98, 0, "detected"), report(61, 1200, "all"));
        assert_eq!(
            cautions(&base, &new),
            ["of the base 98.0 % was understood, of the new capture 61.0 %", "of the new capture, 1,200 bytes were sent and not captured"]
        );
        assert_eq!(differing_settings(&base, &new), ["ajax: \"detected\", \"all\""]);
        assert_eq!((cautions(&base, &base), differing_settings(&base, &base)), (vec![], vec![]));
    }
}
