//! SARIF 2.1.0: a result for each rule that does not hold.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use wiretare::budget::{Checked, Outcome, Verdict};

/// Writes the log of one run.
pub(crate) fn write(checked: &Checked, capture: Option<&Path>, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<Value> = Vec::new();
    for outcome in &checked.outcomes {
        let rule = json!({"id": outcome.name, "shortDescription": {"text": format!("Budget of {}", outcome.metric)}});
        if !rules.iter().any(|known| known["id"] == rule["id"]) {
            rules.push(rule);
        }
    }
    let results: Vec<_> =
        checked.outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass).map(|outcome| result(outcome, capture)).collect();
    let notifications: Vec<_> = checked.cautions.iter().map(|caution| json!({"level": "warning", "message": {"text": caution}})).collect();
    let driver = json!({"name": "wiretare", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}], "results": results}],
    });
    super::json(&log, out)
}

/// What shows results beside code wants a place of each: the capture has no lines, so it is its first.
fn result(outcome: &Outcome, capture: Option<&Path>) -> Value {
    let of = outcome.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
    let level = if outcome.verdict == Verdict::Warn { "warning" } else { "error" };
    let place = json!({"artifactLocation": {"uri": capture.map_or("-".into(), uri)}, "region": {"startLine": 1}});
    json!({
        "ruleId": outcome.name,
        "level": level,
        "message": {"text": format!("{}{of}: {}", outcome.metric, outcome.message)},
        "locations": [{"physicalLocation": place}],
    })
}

/// A path as a relative reference (RFC 3986 §4.2).
fn uri(path: &Path) -> String {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet);
    let octet = |octet: u8| if is_plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") };
    path.to_string_lossy().bytes().map(octet).collect()
}
