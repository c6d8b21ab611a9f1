//! Verdicts as pages: for a terminal, and as Markdown.

use std::io::{self, Write};

use wiretare::budget::{BoundIs, Change, Checked, Compared, Comparison, Group, Outcome, Significance, Unit, Verdict};
use wiretare::report::page::{Layout, Page};

/// Endpoints and subprotocols shown; JSON has more.
const GROUPS: usize = 20;

const DASH: &str = "–";

/// Columns of a comparison.
const COMPARED: [&str; 6] = ["", "base", "new", "change", "in %", "real"];

/// Of these, what a narrow page has no room for.
const LEAST: [&str; 2] = ["change", "real"];

/// What stands in the last column.
const REAL: &str = "real: yes, by more than the values vary (of a side that carried the same content, than its overhead does); noise, by less; same, not at all; too few values to tell; \
    – is a sum, which depends on how much was captured, or nobody knows how the values vary.";

/// The verdict of a check in a sentence.
pub(crate) fn verdict(checked: &Checked) -> String {
    let count = |verdict: Verdict| checked.outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    let (all, failed, warned) = (checked.outcomes.len(), count(Verdict::Fail), count(Verdict::Warn));
    let warned = match (failed, warned) {
        (_, 0) => String::new(),
        (0, 1) => "; 1 rule only warns".into(),
        (0, _) => format!("; {warned} rules only warn"),
        (_, 1) => "; 1 more only warns".into(),
        (_, _) => format!("; {warned} more only warn"),
    };
    let verdict = match (failed, all) {
        (0, 1) if warned.is_empty() => "The rule of the budget holds.".into(),
        (0, 2) if warned.is_empty() => "Both rules of the budget hold.".into(),
        (0, _) if warned.is_empty() => format!("All {all} rules of the budget hold."),
        (0, _) => format!("The budget holds{warned}."),
        (1, 1) => "The rule of the budget does not hold.".into(),
        (2, 2) => "Neither rule of the budget holds.".into(),
        _ => format!("{failed} of {all} rules of the budget {} not hold{warned}.", if failed == 1 { "does" } else { "do" }),
    };
    match checked.outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Pass && outcome.value.is_none()).count() {
        0 => verdict,
        _ if all == 1 => format!("{verdict} It had nothing to measure."),
        unmeasured => format!("{verdict} {unmeasured} of {all} had nothing to measure."),
    }
}

/// A check: the verdict, then the rules, those that do not hold first.
pub(crate) fn checked(checked: &Checked, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(layout, out);
    page.paragraph("", &verdict(checked))?;
    page.gap()?;
    let mut outcomes: Vec<_> = checked.outcomes.iter().collect();
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.verdict as u8));
    let shown = |outcome: &Outcome, value: Option<f64>| value.map_or(DASH.into(), |value| outcome.unit.show(value));
    // What looks like its bound, and is not, is shown to more digits.
    let beside = |outcome: &Outcome, value: f64, other: Option<f64>| outcome.unit.show_beside(value, other.unwrap_or(value));
    let alike = |outcome: &Outcome, value: f64| {
        let bounds = outcome.bounds.iter().map(|(_, bound)| *bound);
        bounds.filter(|bound| *bound != value).find(|bound| outcome.unit.show(*bound) == outcome.unit.show(value))
    };
    let measured = |outcome: &Outcome| outcome.value.map_or(DASH.into(), |value| beside(outcome, value, alike(outcome, value)));
    let rows = |outcome: &&Outcome| {
        let of = outcome.of.as_ref().map(|of| format!("{}: {of}", outcome.name)).unwrap_or_else(|| outcome.name.clone());
        // What was not measured has passed nothing.
        let mark = if outcome.verdict == Verdict::Pass && outcome.value.is_none() { DASH } else { mark(outcome.verdict).0 };
        let mut bounds = outcome.bounds.iter().map(|(is, bound)| format!("{} {}", sign(*is), beside(outcome, *bound, outcome.value)));
        let first = bounds.next().unwrap_or_else(|| DASH.into());
        let row = vec![mark.into(), of, shown(outcome, outcome.baseline), measured(outcome), first];
        // Each further bound below the first: side by side they would not fit a narrow page.
        let further = bounds.map(|bound| vec![String::new(), String::new(), String::new(), String::new(), bound]);
        std::iter::once(row).chain(further).collect::<Vec<_>>()
    };
    page.table_in_room(2, &["", "rule", "baseline", "measured", "bound"], outcomes.iter().flat_map(rows).collect(), &["baseline"])?;
    let broken: Vec<_> = outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Pass).collect();
    if !broken.is_empty() {
        page.heading("What does not hold")?;
    }
    for outcome in broken {
        let of = outcome.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        let is = if outcome.value.is_some() { " is" } else { ":" };
        page.item(&format!("{}: {}{of}{is} {}", mark(outcome.verdict).1, outcome.metric, outcome.message))?;
    }
    cautions(&mut page, &checked.cautions)
}

fn sign(is: BoundIs) -> &'static str {
    match is {
        BoundIs::AtMost => "≤",
        BoundIs::AtLeast => "≥",
    }
}

fn mark(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("✓", "holds"),
        Verdict::Warn => ("!", "warning"),
        Verdict::Fail => ("✗", "fails"),
    }
}

fn cautions(page: &mut Page<'_>, cautions: &[String]) -> io::Result<()> {
    if cautions.is_empty() {
        return Ok(());
    }
    page.heading("Mind")?;
    cautions.iter().try_for_each(|caution| page.item(caution))
}

/// A comparison: what changed in sentences, then the figures.
pub(crate) fn compared(comparison: &Comparison, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(layout, out);
    sides(&mut page, comparison)?;
    rest(&mut page, comparison)
}

/// The marker by which a bot finds its own comment and replaces it.
const MARKER: &str = "<!-- wiretare compare -->";

/// A comparison for a pull request: the sides, and the rest folded.
pub(crate) fn summary(comparison: &Comparison, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{MARKER}")?;
    writeln!(out, "## wiretare: {}\n", if comparison.verdict == Verdict::Fail { "failed ✗" } else { "compared ✓" })?;
    sides(&mut Page::new(layout, out), comparison)?;
    writeln!(out, "\n<details><summary>Endpoints, subprotocols, findings</summary>\n")?;
    rest(&mut Page::new(layout, out), comparison)?;
    writeln!(out, "\n</details>")
}

fn sides(page: &mut Page<'_>, comparison: &Comparison) -> io::Result<()> {
    if comparison.sides.is_empty() {
        page.paragraph("", "Neither holds an exchange or a message.")?;
    }
    comparison.summary.iter().try_for_each(|sentence| page.paragraph("", sentence))?;
    for side in &comparison.sides {
        page.heading(match side.name.as_str() {
            "ajax" => "Ajax",
            "websocket" => "WebSocket",
            "server_sent_events" => "Server-sent events",
            _ => "Other HTTP",
        })?;
        let row = |figure: &Compared| std::iter::once(figure.title.to_owned()).chain(cells(figure)).collect();
        page.table_in_room(1, &COMPARED, side.metrics.iter().map(row).collect(), &LEAST)?;
    }
    if !comparison.sides.is_empty() {
        page.gap()?;
        page.paragraph("", REAL)?;
    }
    cautions(page, &comparison.cautions)
}

/// Base, new, change, the same in per cent, and how sure it is.
fn cells(figure: &Compared) -> [String; 5] {
    let shown = |value: Option<f64>| value.map_or(DASH.into(), |value| figure.unit.show(value));
    let signed = |value: f64, text: String| if value > 0.0 { format!("+{text}") } else { text };
    let change = figure.change.map_or(DASH.into(), |change| signed(change, figure.unit.show(change)));
    let percent = figure.change_ratio.map_or(DASH.into(), |ratio| signed(ratio, Unit::Share.show(ratio)));
    let sure = match figure.significance {
        Significance::Same => "same",
        Significance::Clear => "yes",
        Significance::Noise => "noise",
        Significance::Few => "too few",
        Significance::Unknown => DASH,
    };
    [shown(figure.base), shown(figure.new), change, percent, sure.into()]
}

fn rest(page: &mut Page<'_>, comparison: &Comparison) -> io::Result<()> {
    groups(page, "Endpoints, those that changed most first (a message, on the wire)", &comparison.endpoints)?;
    groups(page, "Subprotocols (a message, on the wire)", &comparison.subprotocols)?;
    let names = [
        ("new findings", &comparison.new_findings),
        ("findings no more", &comparison.vanished_findings),
        ("new anomalies", &comparison.new_anomalies),
        ("anomalies no more", &comparison.vanished_anomalies),
    ];
    if names.iter().any(|(_, names)| !names.is_empty()) {
        page.heading("Findings and anomalies")?;
    }
    for (title, names) in names.iter().filter(|(_, names)| !names.is_empty()) {
        page.item(&format!("{title}: {}", names.join(", ")))?;
    }
    Ok(())
}

fn groups(page: &mut Page<'_>, title: &str, groups: &[Group]) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let changed: Vec<_> = groups.iter().filter(|group| !group.is_same()).collect();
    let same = groups.len() - changed.len();
    page.heading(title)?;
    if changed.is_empty() {
        return page.paragraph("", "All are the same.");
    }
    let row = |group: &&Group| {
        let figure = group.metrics.iter().find(|figure| figure.metric == "wire_bytes_per_message");
        let name = match group.change {
            Change::Matched => group.name.clone(),
            Change::New => format!("{} (new)", group.name),
            Change::Vanished => format!("{} (no more)", group.name),
        };
        let dashes = || [DASH; 5].map(str::to_owned);
        std::iter::once(name).chain(figure.map_or_else(dashes, cells)).collect()
    };
    page.table_in_room(1, &COMPARED, changed.iter().take(GROUPS).map(row).collect(), &LEAST)?;
    if same > 0 {
        page.paragraph("", &format!("{same} more {} the same", if same == 1 { "is" } else { "are" }))?;
    }
    match changed.len().saturating_sub(GROUPS) {
        0 => Ok(()),
        more => page.paragraph("", &format!("{more} more in `--format json`")),
    }
}
