//! The commands for CI: compare, check and schema, their exit codes and formats.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::support::{sample, samples, skipped};

const SAMPLE: &str = "samples/browser/ajax-and-websocket.pcapng";

/// A report of the first release of schema version 1, of samples/deck.
const VERSION_1: &str = "tests/reports/version-1.json";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wiretare"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().expect("the command starts")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output.stderr)))
}

/// A file in a folder of its own that goes with the test.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("wiretare-gate-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), content).expect("written");
        Self(folder.join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.0.parent().map(std::fs::remove_dir_all);
    }
}

#[test]
fn capture_and_its_report_are_the_same() {
    let report = File::new("report.json", &run(&["report", "-f", "json", SAMPLE]).stdout);
    let compared = json(&["compare", "-f", "json", report.path(), SAMPLE, "--max-increase", "0%"]);
    assert_eq!(compared["verdict"], "pass");
    let groups = ["sides", "endpoints", "subprotocols"].map(|list| compared[list].as_array().expect("a list").clone()).concat();
    let figures: Vec<&Value> = groups.iter().flat_map(|group| group["metrics"].as_array().expect("figures")).collect();
    assert!(figures.len() > 40);
    assert!(figures.iter().all(|figure| figure["significance"] == "same"), "{figures:?}");
    for list in ["new_findings", "vanished_findings", "new_anomalies", "vanished_anomalies", "cautions"] {
        assert_eq!(compared[list], Value::Array(Vec::new()), "{list}");
    }
    assert_eq!(run(&["compare", report.path(), SAMPLE, "--max-increase", "0%"]).status.code(), Some(0));
}

#[test]
fn clear_growth_fails_where_it_is_asked_for() {
    let mut grown = json(&["report", "-f", "json", SAMPLE]);
    for figure in ["mean", "min", "max"] {
        let cost = &mut grown["ajax"]["per_exchange"]["wire_bytes"][figure];
        *cost = (cost.as_f64().expect("a number") * 1.1).into();
    }
    let grown = File::new("grown.json", grown.to_string().as_bytes());
    assert_eq!(run(&["compare", SAMPLE, grown.path()]).status.code(), Some(0));
    let output = run(&["compare", SAMPLE, grown.path(), "--max-increase", "5%"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let page = text(&output.stdout);
    assert!(page.contains("An Ajax exchange costs 1,444 B on the wire, 10.0 % more than before (1,313 B); of 50 and 50."), "{page}");
    assert!(page.contains("so the verdict is no: an Ajax exchange (an exchange, on the wire +10.0 %)."), "{page}");
    // Less is no growth.
    assert_eq!(run(&["compare", grown.path(), SAMPLE, "--max-increase", "5%"]).status.code(), Some(0));
    assert_eq!(run(&["compare", SAMPLE, grown.path(), "--max-increase", "10.1%"]).status.code(), Some(0));
}

#[test]
fn compression_that_was_lost_on_the_same_talk_is_clear() {
    let output = run(&["compare", "samples/deflate/takeover.pcapng", "samples/deflate/plain.pcapng", "--max-increase", "5%"]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{page}");
    assert!(page.contains("so the verdict is no: a WebSocket message (a message, on the wire +64.4 %)."), "{page}");
}

#[test]
fn every_value_of_the_column_real_is_explained() {
    let page = text(&run(&["compare", "samples/deck/deck.pcap", SAMPLE]).stdout);
    let legend = page.lines().find(|line| line.starts_with("real: ")).unwrap_or_else(|| panic!("{page}"));
    let rows = page.lines().take_while(|line| !line.starts_with("real: "));
    let values = rows.filter(|line| line.starts_with(' ') && line.contains(" B ")).filter_map(|line| line.rsplit("  ").next());
    let values: std::collections::BTreeSet<&str> = values.map(str::trim).collect();
    assert!(values.contains("same") && values.iter().all(|value| legend.contains(value)), "{values:?}: {legend}");
}

#[test]
fn report_of_an_earlier_release_is_compared() {
    let compared = json(&["compare", "-f", "json", VERSION_1, "samples/deck/deck.pcap"]);
    let websocket = compared["sides"].as_array().expect("sides").iter().find(|side| side["name"] == "websocket").expect("WebSocket");
    let figure =
        |name: &str| websocket["metrics"].as_array().expect("figures").iter().find(|figure| figure["metric"] == name).expect("compared");
    assert_eq!(figure("per_message.wire_bytes.mean")["base"], 89.0);
    // What that release did not know is not made up.
    assert_eq!(figure("all_in_wire_bytes_per_delivery")["base"], Value::Null);
}

#[test]
fn what_cannot_be_compared_is_refused_with_words() {
    let newer = File::new("newer.json", br#"{"schema_version": 99, "generator": {"name": "wiretare"}}"#);
    let other = File::new("other.json", br#"{"log": {}}"#);
    let all = File::new("all.json", &run(&["report", "--ajax", "all", "-f", "json", SAMPLE]).stdout);
    let rows = File::new("rows.ndjson", &run(&["messages", SAMPLE]).stdout);
    for (arguments, expected) in [
        (["compare", newer.path(), SAMPLE], "a report of schema version 99; this is wiretare "),
        (["compare", newer.path(), SAMPLE], ", which reads version 1\n"),
        (["compare", rows.path(), SAMPLE], "not a report: rows of `wiretare messages`; wanted what `wiretare report -f json` prints"),
        (["compare", SAMPLE, other.path()], "not a report: JSON of another kind"),
        (["compare", SAMPLE, "nowhere.pcap"], "nowhere.pcap: "),
        (["compare", SAMPLE, all.path()], "made with different settings (ajax: \"detected\", \"all\"); `--force` compares them"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(run(&["compare", "--force", SAMPLE, all.path()]).status.code(), Some(0));
}

const BUDGET: &str = r#"
[[budget]]
metric = "websocket.per_message.overhead_bytes.p95"
max = "72 B"

[[budget]]
name = "ticks stay small"
metric = "wire_bytes_per_message"
endpoint = { side = "ajax", path = "/api/*" }
max = 1000

[[budget]]
metric = "ajax.per_message.time_to_first_byte_s.p95"
max = "1 s"
level = "warn"

[[budget]]
metric = "anomalies.count"
max = 0
"#;

#[test]
fn verdict_is_in_the_exit_code_and_in_the_output() {
    let budget = File::new("budget.toml", BUDGET.as_bytes());
    let output = run(&["check", SAMPLE, "--budget", budget.path()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let page = text(&output.stdout);
    assert!(page.starts_with("1 of 4 rules of the budget does not hold.\n"), "{page}");
    assert!(page.contains("wire_bytes_per_message of ajax ticker.example/api/tick is 1,313 B; wanted at most 1,000 B"), "{page}");
    assert_eq!(json(&["check", "-f", "json", SAMPLE, "--budget", budget.path()])["verdict"], "fail");
    for (arguments, code) in [
        (["--max", "ajax.setup=1KiB"], 0),
        (["--max", "ajax.setup=100"], 1),
        (["--min", "websocket.messages=51"], 1),
        (["--max", "ajax.setop=100"], 2),
        (["--max", "ajax.setup=5 ms"], 2),
        (["--max-increase", "ajax.setup=5%"], 2),
        (["--budget", "nowhere.toml"], 2),
    ] {
        let output = run(&[&["check", SAMPLE][..], &arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    }
    let truncated = File::new("cut.pcapng", &std::fs::read(sample("browser/ajax-and-websocket.pcapng")).expect("the sample")[..20_010]);
    let arguments = ["check", "-q", "--strict", "--max", "ajax.setup=1KiB", truncated.path()];
    assert_eq!(run(&arguments).status.code(), Some(3));
}

#[test]
fn first_exit_code_that_fits_is_given() {
    let whole = std::fs::read(sample("browser/ajax-and-websocket.pcapng")).expect("a sample");
    let cut = File::new("cut.pcapng", &whole[..whole.len() - 5]);
    for (rule, code) in [("ajax.setop=1", 2), ("websocket.latency.answer_s.mean=1", 2), ("ajax.setup=1", 1), ("ajax.setup=9MB", 3)] {
        let output = run(&["check", "-q", "--strict", cut.path(), "--max", rule]);
        assert_eq!(output.status.code(), Some(code), "{rule}: {}", text(&output.stderr));
    }
    for command in ["check", "compare"] {
        let help = text(&run(&[command, "--help"]).stdout);
        let codes = help.split("Exit codes, the first that fits: ").nth(1).expect("exit codes");
        let order: Vec<&str> = codes.split_whitespace().filter(|word| word.parse::<u8>().is_ok()).collect();
        assert_eq!(order, ["2", "130", "143", "1", "3", "0"], "{help}");
    }
}

#[test]
fn examples_of_the_help_bound_costs_from_above() {
    let help = text(&run(&["check", "--help"]).stdout);
    let examples = help.split('`').filter(|quoted| quoted.contains("=5%") || quoted.contains("=2KiB"));
    // More of an efficiency would be an improvement.
    assert_eq!(examples.collect::<Vec<_>>(), ["ajax.setup=2KiB", "ajax.setup=5%"]);
}

#[test]
fn every_bound_of_a_rule_is_in_the_table() {
    let rule = "[[budget]]\nmetric = \"ajax.efficiency\"\nmin = \"1%\"\nmax = 0.5\nmax_increase = \"5%\"\n";
    let budget = File::new("b.toml", rule.as_bytes());
    let page = text(&run(&["check", SAMPLE, "--baseline", SAMPLE, "--budget", budget.path()]).stdout);
    let bounds: Vec<&str> = page.lines().filter_map(|line| line.find(['≤', '≥']).map(|at| &line[at..])).collect();
    // 5 % more than 35.2 % are 37.0 %.
    assert_eq!(bounds, ["≤ 50.0 %", "≥ 1.0 %", "≤ 37.0 %"], "{page}");
}

#[test]
fn table_tells_a_value_from_its_bound_and_shows_what_was_wanted_in_vain() {
    let rows = |arguments: &[&str]| text(&run(&[&["check", SAMPLE][..], arguments].concat()).stdout);
    let setup = json(&["report", "-f", "json", SAMPLE])["ajax"]["setup"].as_f64().expect("a number");
    let page = rows(&["--max", &format!("ajax.setup={}", setup - 0.1)]);
    assert!(page.contains(&format!("{setup} B   ≤ {} B", setup - 0.1)), "{page}");
    let rule = "[[budget]]\nmetric = \"websocket.latency.answer_s.mean\"\nmax = \"1 s\"\nno_data = \"pass\"\n";
    let unmeasured = File::new("b.toml", rule.as_bytes());
    let page = rows(&["--budget", unmeasured.path()]);
    assert!(page.lines().any(|line| line.contains("answer_s.mean") && line.ends_with("–   ≤ 1 s")), "{page}");
}

#[test]
fn verdict_speaks_of_one_two_and_more_rules() {
    for (bounds, expected) in [
        (&["9MB"][..], "The rule of the budget holds.\n"),
        (&["1"], "The rule of the budget does not hold.\n"),
        (&["9MB", "9MB"], "Both rules of the budget hold.\n"),
        (&["1", "9MB"], "1 of 2 rules of the budget does not hold.\n"),
        (&["1", "1"], "Neither rule of the budget holds.\n"),
        (&["9MB", "9MB", "9MB"], "All 3 rules of the budget hold.\n"),
    ] {
        let rules = bounds.iter().flat_map(|bound| ["--max".to_owned(), format!("ajax.setup={bound}")]);
        let arguments: Vec<_> = ["check", SAMPLE].map(str::to_owned).into_iter().chain(rules).collect();
        let page = text(&run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).stdout);
        assert!(page.starts_with(expected), "{page}");
    }
}

#[test]
fn typo_in_a_metric_names_the_nearest() {
    let output = run(&["check", SAMPLE, "--max", "websocket.per_mesage.overhead_bytes.p95=40"]);
    let said = text(&output.stderr);
    assert!(said.contains("did you mean `websocket.per_message.overhead_bytes.p95`?"), "{said}");
}

#[test]
fn element_without_a_name_is_no_metric() {
    for (metric, instead) in [
        ("endpoints.0.wire_bytes", "`metric = \"wire_bytes\"` with `endpoint = { path = \"…\" }` in a budget file chooses them"),
        ("endpoints.*.wire_bytes", "elements of `endpoints` have no names"),
        ("captures.0.packets", "elements of `captures` have no names, only their number is a metric: `captures.count`"),
        ("comparison.break_even.curve.0.ajax_bytes", "elements of `comparison.break_even.curve` have no names"),
        ("findings.0.saving_bytes", "elements of `findings` go by their names: `findings.NAME.saving_bytes`"),
        ("polling.0.polls", "elements of `polling` go by their names: `polling.NAME.polls`"),
    ] {
        let output = run(&["check", SAMPLE, "--max", &format!("{metric}=9")]);
        assert_eq!(output.status.code(), Some(2), "{metric}");
        let said = text(&output.stderr);
        assert!(said.starts_with(&format!("error: {metric}: there is no metric `{metric}`: ")) && said.contains(instead), "{said}");
    }
    assert_eq!(run(&["check", SAMPLE, "--max", "captures.count=1", "--max", "findings.redirected.saving_bytes=0"]).status.code(), Some(0));
}

#[test]
fn nothing_measured_never_passes_silently() {
    // No WebSocket in it.
    let capture = "samples/polling/polling.pcapng";
    let without = json(&["report", "-f", "json", capture])["websocket"]["messages"].as_u64() == Some(0);
    let capture = if without { capture } else { "samples/classifier/with-metadata.pcapng" };
    for metric in ["websocket.wire_bytes", "websocket.per_message.overhead_bytes.p95", "websocket.setup"] {
        let output = run(&["check", capture, "--max", &format!("{metric}=1000000")]);
        assert_eq!(output.status.code(), Some(2), "{metric}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains("nothing was measured"), "{}", text(&output.stderr));
    }
    let empty = File::new("empty.pcap", b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0");
    assert_eq!(run(&["check", empty.path(), "--max", "anomalies.count=0"]).status.code(), Some(2));
}

/// A pcap file header and nothing else.
const EMPTY: &[u8] = &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

#[test]
fn no_verdict_rests_on_what_is_not_there() {
    let empty = File::new("empty.pcap", EMPTY);
    for arguments in [[SAMPLE, empty.path()], [empty.path(), SAMPLE], [empty.path(), empty.path()]] {
        let refused = run(&["compare", arguments[0], arguments[1], "--max-increase", "5%"]);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused.stdout));
        assert!(text(&refused.stderr).contains("no verdict: "), "{arguments:?}");
    }
    assert_eq!(run(&["compare", SAMPLE, empty.path(), "--strict"]).status.code(), Some(3));
    // All that is on port 80 is only accounted: nothing to measure.
    let unmeasured = ["check", SAMPLE, "-d", "tcp.port==1-65535,data", "--max", "anomalies.count=9"];
    assert_eq!(run(&unmeasured).status.code(), Some(0));
    assert_eq!(run(&[&unmeasured[..], &["--strict"]].concat()).status.code(), Some(3));
}

#[test]
fn damage_is_known_of_saved_reports() {
    let whole = std::fs::read(sample("browser/ajax-and-websocket.pcapng")).expect("a sample");
    let cut = File::new("cut.pcapng", &whole[..whole.len() - 5]);
    let report = File::new("report.json", &run(&["report", "-q", "-f", "json", cut.path()]).stdout);
    let check = ["check", report.path(), "--max", "ajax.setup=9MB"];
    assert_eq!(run(&check).status.code(), Some(0));
    assert_eq!(run(&[&check[..], &["--strict"]].concat()).status.code(), Some(3));
    assert_eq!(run(&["compare", report.path(), report.path(), "--strict"]).status.code(), Some(3));
    // What it is held against counts too.
    let sound = run(&["check", SAMPLE, "--baseline", report.path(), "--max", "ajax.setup=9MB", "--strict", "--force"]);
    assert_eq!(sound.status.code(), Some(3), "{}", text(&sound.stderr));
}

#[test]
fn what_is_read_is_not_written_over() {
    let baseline = File::new("main.json", &run(&["report", "-f", "json", SAMPLE]).stdout);
    let budget = File::new("b.toml", b"[[budget]]\nmetric = \"ajax.setup\"\nmax = \"9 MB\"\n");
    for output in [baseline.path(), budget.path()] {
        let check = run(&["check", SAMPLE, "--budget", budget.path(), "--baseline", baseline.path(), "-f", "json", "-o", output]);
        assert_eq!(check.status.code(), Some(2));
        assert!(text(&check.stderr).contains("this is a file that is being read"));
    }
}

#[test]
fn bounds_that_could_never_fail_are_refused() {
    let budget = |rule: &str| File::new("b.toml", format!("[[budget]]\nmetric = \"ajax.efficiency\"\n{rule}\n").as_bytes());
    for (rule, expected) in [
        ("max = nan", "is not what `ajax.efficiency` is counted in"),
        ("max = inf", "is not what `ajax.efficiency` is counted in"),
        ("max = 35", "wanted a part of a whole, such as 0.05"),
        ("max_increase = \"-50%\"", "`max_increase` is below 0"),
        ("max_increase_abs = -0.5", "`max_increase_abs` is below 0"),
        ("max_increase = \"0.1\"\nmax_increase_abs = 0.1", "goes with a `max_increase` in per cent"),
        ("max = 1\nendpoint = { side = \"ajx\" }", "there is no side `ajx`; wanted ajax, websocket"),
        ("max = true", "wanted a number, or a text such as"),
    ] {
        let file = budget(rule);
        let output = run(&["check", SAMPLE, "--baseline", SAMPLE, "--budget", file.path()]);
        assert_eq!(output.status.code(), Some(2), "{rule}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains(expected), "{rule}: {}", text(&output.stderr));
    }
    let saved = File::new("report.json", &run(&["report", "-f", "json", SAMPLE]).stdout);
    let output = run(&["check", saved.path(), "--ajax-host", "nobody", "--max", "ajax.setup=9MB"]);
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("have no effect on a saved report"));
}

#[test]
fn numbers_of_none_are_measured_and_unknown_savings_are_not() {
    let polls = "samples/polling/polling.pcapng";
    assert_eq!(run(&["check", polls, "--max", "websocket.messages=0"]).status.code(), Some(0));
    assert_eq!(run(&["check", polls, "--min", "websocket.messages=1"]).status.code(), Some(1));
    // The finding is there, and what it saves is not known.
    let unknown =
        run(&["check", "samples/matrix/aiohttp-websockets-plain.pcapng", "--max", "findings.compression-not-used.saving_bytes=0"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown.stdout));
    let skipping = File::new("b.toml", b"[[budget]]\nmetric = \"websocket.setup\"\nmax = 1\nno_data = \"pass\"\n");
    assert!(
        text(&run(&["check", polls, "--budget", skipping.path()]).stdout)
            .contains("The rule of the budget holds. It had nothing to measure.")
    );
    assert!(text(&run(&["check", polls, "--budget", skipping.path(), "-f", "junit"]).stdout).contains("<skipped message="));
}

#[test]
fn baseline_bounds_what_may_grow() {
    let mut base = json(&["report", "-f", "json", SAMPLE]);
    let mean = &mut base["ajax"]["per_exchange"]["wire_bytes"]["mean"];
    *mean = (mean.as_f64().expect("a number") / 1.1).into();
    let base = File::new("base.json", base.to_string().as_bytes());
    for (bound, code) in [("5%", 1), ("11%", 0), ("50 B", 1), ("200 B", 0)] {
        let rule = format!("ajax.per_exchange.wire_bytes.mean={bound}");
        let output = run(&["check", SAMPLE, "--baseline", base.path(), "--max-increase", &rule]);
        assert_eq!(output.status.code(), Some(code), "{bound}: {}", text(&output.stdout));
    }
}

/// Tables of a page of Markdown as a renderer of GitHub Flavored Markdown sees them: header and rows.
fn rendered_tables(page: &str) -> Vec<Vec<Vec<String>>> {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut inside = false;
    for event in Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Table(_)) => (tables.push(Vec::new()), inside = true).0,
            Event::End(TagEnd::Table) => inside = false,
            Event::Start(Tag::TableHead | Tag::TableRow) => tables.last_mut().expect("a table").push(Vec::new()),
            Event::Start(Tag::TableCell) => tables.last_mut().and_then(|table| table.last_mut()).expect("a row").push(String::new()),
            Event::Text(part) | Event::Code(part) if inside => {
                tables.last_mut().and_then(|table| table.last_mut()?.last_mut()).expect("a cell").push_str(&part);
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let ours = ["<!-- wiretare", "<details>", "</details>"];
                assert!(ours.iter().any(|ours| html.trim_start().starts_with(ours)), "markup of the network: {html}");
            }
            Event::Start(Tag::Link { dest_url, .. }) => panic!("a link of the network: {dest_url}"),
            _ => {}
        }
    }
    tables
}

#[test]
fn markdown_renders_to_the_tables_of_the_page() {
    let budget = File::new("budget.toml", BUDGET.as_bytes());
    let pages = [
        vec!["report", "-f", "markdown", SAMPLE],
        vec!["compare", "-f", "markdown", VERSION_1, SAMPLE],
        vec!["compare", "-f", "github", VERSION_1, SAMPLE],
        vec!["check", "-f", "markdown", SAMPLE, "--budget", budget.path()],
    ];
    for arguments in pages {
        let page = text(&run(&arguments).stdout);
        let tables = rendered_tables(&page);
        assert!(!tables.is_empty(), "{arguments:?}: {page}");
        for table in &tables {
            assert!(table.len() > 1 && table.iter().all(|row| row.len() == table[0].len()), "{arguments:?}: {table:?}");
        }
        // Nothing that was meant as a table is left as text.
        let rows: usize = tables.iter().map(|table| table.len() + 1).sum();
        assert_eq!(page.lines().filter(|line| line.starts_with('|')).count(), rows, "{arguments:?}: {page}");
    }
    let tables = rendered_tables(&text(&run(&["report", "-f", "markdown", SAMPLE]).stdout));
    let has = |row: &[&str]| tables.iter().flatten().any(|cells| row.iter().all(|cell| cells.iter().any(|found| found == cell)));
    assert!(has(&["WebSocket", "ticker.example /live"]) && has(&["on the wire", "505", "807"]), "{tables:?}");
}

#[test]
fn text_of_the_network_is_no_markup() {
    let mut report = json(&["report", "-f", "json", SAMPLE]);
    let hostile = "/a|b`c`<img src=x>[x](http://evil)\u{1b}[31m**x**\n# y @all";
    report["endpoints"][0]["path"] = hostile.into();
    let hostile_report = File::new("hostile.json", report.to_string().as_bytes());
    for format in ["markdown", "github"] {
        let page = text(&run(&["compare", "-f", format, SAMPLE, hostile_report.path()]).stdout);
        let tables = rendered_tables(&page);
        let shown = tables.iter().flatten().flatten().find(|cell| cell.contains("evil")).unwrap_or_else(|| panic!("{page}"));
        assert!(shown.contains("/a|b`c`<img src=x>[x](http://evil)\\u{1b}[31m**x**\\n# y @\u{2060}all"), "{shown}");
    }
}

#[test]
fn junit_validates_against_its_schema() {
    let budget = File::new("budget.toml", BUDGET.as_bytes());
    let xml = run(&["check", "-f", "junit", SAMPLE, "--budget", budget.path()]).stdout;
    assert!(text(&xml).contains(r#"<testsuite name="wiretare check" tests="4" failures="1" errors="0" skipped="0">"#), "{}", text(&xml));
    let valid = |xml: &[u8]| {
        let file = File::new("wiretare.xml", xml);
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/junit.xsd");
        Command::new("xmllint").arg("--noout").arg("--schema").arg(schema).arg(&file.0).output()
    };
    match valid(&xml) {
        Err(error) => {
            assert!(std::env::var_os("WIRETARE_REQUIRE_TOOLS").is_none(), "xmllint: {error}");
            skipped(format_args!("xmllint is not there ({error})"));
        }
        Ok(output) => {
            assert!(output.status.success(), "{}", text(&output.stderr));
            let broken = text(&xml).replace("<failure ", "<failed ").replace("</failure>", "</failed>");
            assert!(!valid(broken.as_bytes()).expect("as before").status.success(), "a schema that takes everything");
        }
    }
}

#[test]
fn annotations_and_sarif_name_the_rules_that_do_not_hold() {
    let budget = File::new("budget.toml", BUDGET.as_bytes());
    let annotations = text(&run(&["check", "-f", "github", SAMPLE, "--budget", budget.path()]).stdout);
    assert_eq!(
        annotations,
        "::error title=wiretare%3A ticks stay small::wire_bytes_per_message of ajax ticker.example/api/tick: 1,313 B; wanted at most 1,000 B\n\
         ::notice title=wiretare::1 of 4 rules of the budget does not hold.\n"
    );
    let sarif = json(&["check", "-f", "sarif", SAMPLE, "--budget", budget.path()]);
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!((results.len(), &results[0]["ruleId"], &results[0]["level"]), (1, &"ticks stay small".into(), &"error".into()));
}

#[test]
fn schemas_are_those_of_the_docs() {
    for what in ["report", "messages", "budget", "check", "compare"] {
        let printed = text(&run(&["schema", what]).stdout);
        let file = format!("docs/schema/{what}.json");
        let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).unwrap_or_default();
        assert!(printed == committed, "{file} is not what is printed: `cargo run -- schema {what} -o {file}`");
    }
}

#[test]
fn reasons_of_the_docs_are_those_of_the_schema() {
    let page = include_str!("../../docs/formats.md");
    let (_, chapter) = page.split_once("\n### Reasons of the verdict on Ajax\n").expect("the chapter");
    let rows = chapter.lines().take_while(|line| !line.starts_with("###")).filter_map(|line| line.strip_prefix("| `"));
    let documented: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert_eq!(json(&["schema", "messages"])["$defs"]["AjaxReason"]["enum"], Value::from(documented));
}

fn validator(what: &str) -> jsonschema::Validator {
    let schema: Value = json(&["schema", what]);
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn assert_valid(validator: &jsonschema::Validator, value: &Value, of: &dyn std::fmt::Display) {
    if let Err(error) = validator.validate(value) {
        panic!("{of}: {}: {error}", error.instance_path());
    }
}

#[test]
fn reports_and_rows_validate_against_their_schemas() {
    let (reports, rows) = (validator("report"), validator("messages"));
    for capture in samples() {
        let path = capture.to_str().expect("UTF-8");
        assert_valid(&reports, &json(&["report", "-q", "-f", "json", path]), &path);
        let lines = text(&run(&["messages", "-q", "--digest", "--content", "preview", path]).stdout);
        for line in lines.lines() {
            assert_valid(&rows, &serde_json::from_str(line).expect("JSON"), &format!("{path}: {line}"));
        }
    }
    let budget = File::new("budget.toml", BUDGET.as_bytes());
    let checked = json(&["check", "-f", "json", SAMPLE, "--budget", budget.path()]);
    assert_valid(&validator("check"), &checked, &"check");
    assert_valid(&validator("compare"), &json(&["compare", "-f", "json", VERSION_1, SAMPLE]), &"compare");
    let budget: Value = toml::from_str(BUDGET).expect("TOML");
    assert_valid(&validator("budget"), &budget, &"budget");
}

#[test]
fn what_is_renamed_or_of_another_type_does_not_validate() {
    let reports = validator("report");
    let report = json(&["report", "-f", "json", SAMPLE]);
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut report = report.clone();
        change(&mut report);
        !reports.is_valid(&report)
    };
    assert!(broken(&|report| report["ajax"]["wire_bytes"] = "65632".into()));
    assert!(broken(&|report| report["ajax"]["wire_byte"] = 1.into()));
    assert!(broken(&|report| drop(report["ajax"].as_object_mut().expect("an object").remove("wire_bytes"))));
    assert!(broken(&|report| report["endpoints"][0]["side"] = Value::Null));
    let rows = validator("messages");
    let lines = text(&run(&["messages", SAMPLE]).stdout);
    let row: Value = serde_json::from_str(lines.lines().next().expect("a row")).expect("JSON");
    assert!(rows.is_valid(&row));
    for (name, value) in [("type", "exchanges".into()), ("number", "1".into()), ("extra", 1.into())] {
        let mut row = row.clone();
        row[name] = value;
        assert!(!rows.is_valid(&row), "{name}");
    }
}

#[test]
fn files_that_are_too_long_or_no_text_are_refused_with_words() {
    let long = File::new("long.toml", &vec![b'#'; (1 << 20) + 1]);
    let binary = File::new("binary.toml", b"# \xff");
    let report = File::new("report.json", &[&b"{"[..], &vec![b' '; (16 << 20) + 4096]].concat());
    for (arguments, wanted) in [
        (["check", SAMPLE, "--budget", long.path()], "wanted at most 1 MiB of TOML, had more"),
        (["check", SAMPLE, "--budget", binary.path()], "wanted TOML in UTF-8, had another octet at offset 2"),
        (["compare", "-q", SAMPLE, report.path()], "wanted at most 16 MiB of JSON, had 16,781,313 bytes"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(wanted), "{}", text(&output.stderr));
    }
}
