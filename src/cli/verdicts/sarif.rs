//! SARIF 2.1.0: a result for each rule that does not hold.

use std::io::{self, Write};

use serde_json::{Value, json};
use wiretare::budget::{Checked, Outcome, Verdict};

/// Writes the log of one run.
pub(crate) fn write(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<Value> = Vec::new();
    for outcome in &checked.outcomes {
        let rule = json!({"id": outcome.name, "shortDescription": {"text": format!("Budget of {}", outcome.metric)}});
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let results: Vec<_> = checked.outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass).map(result).collect();
    let driver = json!({"name": "wiretare", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    });
    super::json(&log, out)
}

fn result(outcome: &Outcome) -> Value {
    let of = outcome.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
    let level = if outcome.verdict == Verdict::Warn { "warning" } else { "error" };
    json!({"ruleId": outcome.name, "level": level, "message": {"text": format!("{}{of}: {}", outcome.metric, outcome.message)}})
}
