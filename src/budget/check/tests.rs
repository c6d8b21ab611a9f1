use serde_json::json;

use super::*;

fn report(p95: u64, poll: f64) -> Value {
    json!({
        "conservation": {"wire_bytes": 5000},
        "websocket": {"messages": 50, "per_message": {"overhead_bytes": {"p95": p95}}, "by_subprotocol": [
            {"subprotocol": null, "wire_bytes_per_message": 90.0}, {"subprotocol": "chat", "wire_bytes_per_message": 70.0}]},
        "ajax": {"messages": 0, "setup": 0},
        "endpoints": [
            {"side": "ajax", "host": "a.example", "path": "/api/poll", "wire_bytes_per_message": poll},
            {"side": "ajax", "host": "b.example:8080", "path": "/api/{}", "wire_bytes_per_message": 500.0},
            {"side": "ajax", "host": null, "path": null, "wire_bytes_per_message": 9999.0}],
        "anomalies": [{"kind": "lost_bytes", "count": 3}],
    })
}

fn catalogue() -> Catalogue {
    let number = json!({"type": "number"});
    let text = json!({"type": "string"});
    let endpoint = json!({"properties": {"wire_bytes_per_message": number, "messages": number}});
    let subprotocol = json!({"properties": {"subprotocol": text, "wire_bytes_per_message": number, "messages": number}});
    Catalogue::of(&json!({"properties": {
        "websocket": {"properties": {"messages": number, "by_subprotocol": {"items": subprotocol},
            "per_message": {"properties": {"overhead_bytes": {"properties": {"p95": number}}}}}},
        "ajax": {"properties": {"setup": number}},
        "endpoints": {"items": endpoint},
        "anomalies": {"items": {"properties": {"kind": text, "count": number}}},
    }}))
}

fn checked(rules: &str, report: &Value, baseline: Option<&Value>) -> std::result::Result<Vec<(Verdict, String)>, String> {
    let budget = Budget::parse("b.toml", rules).expect("a budget");
    let checked = check(report, baseline, &budget, &catalogue()).map_err(|error| error.to_string())?;
    let failed = checked.outcomes.iter().any(|outcome| outcome.verdict == Verdict::Fail);
    assert_eq!(checked.verdict, if failed { Verdict::Fail } else { Verdict::Pass });
    Ok(checked.outcomes.into_iter().map(|outcome| (outcome.verdict, outcome.message)).collect())
}

const P95: &str = "[[budget]]\nmetric = \"websocket.per_message.overhead_bytes.p95\"\n";

#[test]
fn absolute_bounds_hold_or_do_not() {
    let report = report(40, 1313.0);
    for (bound, verdict, message) in [
        ("max = 40", Verdict::Pass, "40 B; at most 40 B"),
        ("max = \"39 B\"", Verdict::Fail, "40 B; wanted at most 39 B"),
        ("min = 41", Verdict::Fail, "40 B; wanted at least 41 B"),
        ("max = 39\nlevel = \"warn\"", Verdict::Warn, "40 B; wanted at most 39 B"),
    ] {
        assert_eq!(checked(&format!("{P95}{bound}"), &report, None), Ok(vec![(verdict, message.to_owned())]), "{bound}");
    }
}

#[test]
fn several_bounds_of_a_rule_are_all_said() {
    let (new, base) = (report(40, 1.0), report(39, 1.0));
    let rule = |bounds: &str| format!("{P95}{bounds}\nmax_increase = \"5%\"");
    // 5 % more than 39 are 40.95.
    for (bounds, verdict, message) in [
        ("min = 30\nmax = 50", Verdict::Pass, "40 B; at most 50 B and at least 30 B and at most 41 B, baseline 39 B"),
        ("min = 41\nmax = 50", Verdict::Fail, "40 B; wanted at least 41 B"),
        ("min = 30\nmax = 39\nmax_decrease = \"0%\"", Verdict::Fail, "40 B; wanted at most 39 B"),
    ] {
        assert_eq!(checked(&rule(bounds), &new, Some(&base)), Ok(vec![(verdict, message.to_owned())]), "{bounds}");
    }
    let both = checked(&rule("max = 38"), &report(42, 1.0), Some(&base));
    let message = "42 B; wanted at most 38 B and at most 5 % more than the baseline's 39 B".to_owned();
    assert_eq!(both, Ok(vec![(Verdict::Fail, message)]));
}

#[test]
fn relative_bounds_hold_against_a_baseline() {
    for (base, new, bound, verdict, message) in [
        (100, 105, "max_increase = \"5%\"", Verdict::Pass, "105 B; at most 105 B, baseline 100 B"),
        (100, 106, "max_increase = \"5%\"", Verdict::Fail, "106 B; wanted at most 5 % more than the baseline's 100 B"),
        (10, 12, "max_increase = \"5%\"\nmax_increase_abs = 2", Verdict::Pass, "12 B; at most 12 B, baseline 10 B"),
        (
            10,
            13,
            "max_increase = \"5%\"\nmax_increase_abs = 2",
            Verdict::Fail,
            "13 B; wanted at most 5 % or 2 B more than the baseline's 10 B",
        ),
        (10, 13, "max_increase = \"2 B\"", Verdict::Fail, "13 B; wanted at most 2 B more than the baseline's 10 B"),
        (0, 1, "max_increase = \"500%\"", Verdict::Fail, "1 B; wanted at most 500 % more than the baseline's 0 B"),
        (100, 80, "max_decrease = \"10%\"", Verdict::Fail, "80 B; wanted at most 10 % less than the baseline's 100 B"),
    ] {
        let found = checked(&format!("{P95}{bound}"), &report(new, 1.0), Some(&report(base, 1.0)));
        assert_eq!(found, Ok(vec![(verdict, message.to_owned())]), "{base} {new} {bound}");
    }
    let error = checked(&format!("{P95}max_increase = \"5%\""), &report(1, 1.0), None).expect_err("no baseline");
    assert!(error.contains("need a baseline"), "{error}");
}

#[test]
fn endpoints_and_subprotocols_are_each_looked_at() {
    let report = report(40, 1313.0);
    let rule = |selection: &str| format!("[[budget]]\nmetric = \"wire_bytes_per_message\"\nmax = 600\n{selection}");
    let fail = (Verdict::Fail, "1,313 B; wanted at most 600 B".to_owned());
    let pass = |value: &str| (Verdict::Pass, format!("{value} B; at most 600 B"));
    assert_eq!(checked(&rule("endpoint = {}"), &report, None), Ok(vec![fail.clone(), pass("500")]));
    assert_eq!(checked(&rule("endpoint = { host = \"a.*\" }"), &report, None), Ok(vec![fail]));
    assert_eq!(checked(&rule("endpoint = { host = \"b.example\", path = \"/api/*\" }"), &report, None), Ok(vec![pass("500")]));
    assert_eq!(checked(&rule("subprotocol = \"chat\""), &report, None), Ok(vec![pass("70")]));
    assert_eq!(checked(&rule("subprotocol = \"\""), &report, None), Ok(vec![pass("90")]));
}

#[test]
fn nothing_passes_that_was_not_measured() {
    let report = report(40, 1313.0);
    for (rule, expected) in [
        ("metric = \"websocket.per_message.overhead_byte.p95\"\nmax = 1", "did you mean `websocket.per_message.overhead_bytes.p95`?"),
        ("metric = \"wire_bytes_per_mesage\"\nendpoint = {}\nmax = 1", "did you mean `wire_bytes_per_message`?"),
        ("metric = \"ajax.setup\"\nmax = 1", "ajax.setup: nothing was measured; `no_data = \"fail\"`"),
        (
            "metric = \"messages\"\nendpoint = { side = \"websocket\" }\nmax = 1",
            "messages: no endpoint has side `websocket` (there are: ajax a.example/api/poll, ajax b.example:8080/api/{}); `no_data",
        ),
        (
            "metric = \"messages\"\nendpoint = { path = \"/api/{id}\" }\nmax = 1",
            "no endpoint has path `/api/{id}` (there are: ajax b.example:8080/api/{}, ajax a.example/api/poll)",
        ),
        ("metric = \"messages\"\nsubprotocol = \"x\"\nmax = 1", "messages: no connection has this subprotocol (there are: (none), chat)"),
        ("metric = \"websocket.messages\"", "no bound; wanted `max`"),
        ("metric = \"websocket.messages\"\nmin = 60\nmax = \"50\"", "`min = 60` is above `max = \"50\"`"),
        ("metric = \"websocket.messages\"\nmax_increase_abs = 5", "`max_increase_abs` goes with a `max_increase` in per cent"),
        ("metric = \"endpoints.0.messages\"\nmax = 1", "there is no metric `endpoints.0.messages`: elements of `endpoints` have no names"),
        ("metric = \"anomalies.0.count\"\nmax = 1", "elements of `anomalies` go by their names: `anomalies.NAME.count`"),
        ("metric = \"websocket.messages\"\nmax = \"5 ms\"", "wanted a number, such as 100"),
    ] {
        let error = checked(&format!("[[budget]]\n{rule}"), &report, None).expect_err(rule);
        assert!(error.contains(expected), "{rule}: {error}");
    }
    let chosen = |no_data: &str| checked(&format!("[[budget]]\nmetric = \"ajax.setup\"\nmax = 1\nno_data = \"{no_data}\""), &report, None);
    assert_eq!(chosen("fail"), Ok(vec![(Verdict::Fail, "nothing was measured".to_owned())]));
    assert_eq!(chosen("pass"), Ok(vec![(Verdict::Pass, "nothing was measured".to_owned())]));
    let bounds_of = |rules: &str, baseline: Option<&Value>| {
        let budget = Budget::parse("b.toml", &format!("[[budget]]\nno_data = \"pass\"\n{rules}")).expect("a budget");
        let checked = check(&report, baseline, &budget, &catalogue()).expect("checked");
        checked.outcomes.into_iter().map(|outcome| outcome.bounds).collect::<Vec<_>>()
    };
    // What was wanted is said where nothing was measured, and what depends on a baseline where that has it.
    let two = "metric = \"ajax.setup\"\nmax = \"1 KiB\"\nmax_increase = \"50%\"";
    assert_eq!(bounds_of(two, Some(&report)), [[(BoundIs::AtMost, 1024.0)]]);
    let mut base = report.clone();
    base["ajax"] = json!({"messages": 2, "setup": 100});
    assert_eq!(bounds_of(two, Some(&base)), [[(BoundIs::AtMost, 1024.0), (BoundIs::AtMost, 150.0)]]);
    assert_eq!(bounds_of("metric = \"messages\"\nsubprotocol = \"x\"\nmax = 1", None), [[(BoundIs::AtMost, 1.0)]]);
    let empty = json!({"conservation": {"wire_bytes": 0}});
    assert!(checked("[[budget]]\nmetric = \"anomalies.lost_bytes.count\"\nmax = 0", &empty, None).is_err());
}

#[test]
fn no_more_than_a_few_endpoints_are_named() {
    let named = |count: usize| instead((0..count).map(|at| format!("e{at}")));
    assert_eq!(
        [0, 1, 3, 5].map(named),
        [" (there is none)", " (there is: e0)", " (there are: e0, e1, e2)", " (there are: e0, e1, e2 and 2 more)"]
    );
}

#[test]
fn anomaly_that_was_not_met_counts_0() {
    let rule = |kind: &str| format!("[[budget]]\nmetric = \"anomalies.{kind}.count\"\nmax = 0");
    assert_eq!(checked(&rule("wrong_accept"), &report(1, 1.0), None), Ok(vec![(Verdict::Pass, "0; at most 0".to_owned())]));
    assert_eq!(checked(&rule("lost_bytes"), &report(1, 1.0), None), Ok(vec![(Verdict::Fail, "3; wanted at most 0".to_owned())]));
    assert!(checked(&rule("lots_bytes"), &report(1, 1.0), None).is_err());
}
