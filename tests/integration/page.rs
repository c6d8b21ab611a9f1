//! The page for people against the JSON for programs: every number of the one is in the other.

use std::process::Command;

use serde_json::Value;

use crate::support::{sample, samples};

fn report(arguments: &[&str], capture: &std::path::Path) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_wiretare")).args(["report", "-q"]).args(arguments).arg(capture).output().expect("it runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Numbers of a report, and its texts, of which numbers are no figures.
#[derive(Default)]
struct Known {
    numbers: Vec<f64>,
    texts: Vec<String>,
}

impl Known {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Number(number) => self.numbers.push(number.as_f64().expect("a number")),
            // An assumption begins with the end of the range that it is about; the verdict says that in its own words.
            Value::String(text) => self.texts.push(text.trim_start_matches("low: ").trim_start_matches("high: ").to_owned()),
            Value::Array(items) => {
                // The page says how many it leaves out.
                self.numbers.extend([items.len() as f64, items.len() as f64 - 10.0]);
                items.iter().for_each(|item| self.add(item));
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.texts.push(name.clone());
                    self.add(value);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn has(&self, shown: f64, half: f64, scale: f64) -> bool {
        self.numbers.iter().any(|number| (number.abs() * scale - shown).abs() <= half * (1.0 + 1e-6) + shown * 1e-12)
    }

    /// Whether a number that is shown with a unit is one of the report's, to the digits that are shown.
    fn explains(&self, word: &str, unit: &str) -> bool {
        let digits = word.replace(',', "");
        let shown: f64 = digits.parse().expect("a number");
        let half = 0.5 * 0.1_f64.powi(digits.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32));
        match unit {
            // A saving stands in per cent in the JSON too.
            "%" => self.has(shown, half, 100.0) || self.has(shown, half, 1.0) || shown == 100.0,
            "ms" => self.has(shown, half, 1e3),
            "µs" => self.has(shown, half, 1e6),
            "ns" => self.has(shown, half, 1e9),
            "h" => self.numbers.iter().any(|number| (number / 3600.0).floor() == shown),
            "min" => self.numbers.iter().any(|number| (number % 3600.0 / 60.0).floor() == shown),
            _ => self.has(shown, half, 1.0),
        }
    }
}

/// Numbers on the page with the word behind each.
fn numbers(page: &str) -> Vec<(String, String)> {
    let number = regex::Regex::new(r"^([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?(st|nd|rd|th)?$").expect("a pattern");
    let words: Vec<&str> =
        page.split_whitespace().map(|word| word.trim_matches(['(', ')', '[', ']', ',', ';', ':', '.', '≥', '-'])).collect();
    let unit = |at: usize| words.get(at + 1).copied().unwrap_or_default().to_owned();
    let found = words.iter().enumerate().filter(|(_, word)| number.is_match(word));
    found.map(|(at, word)| (word.trim_end_matches(char::is_alphabetic).to_owned(), unit(at))).collect()
}

fn unexplained(capture: &std::path::Path, arguments: &[&str]) -> Vec<String> {
    let json = report(&[&["-f", "json"], arguments].concat(), capture);
    let mut known = Known::default();
    known.add(&serde_json::from_str(&json).expect("JSON"));
    known.texts.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
    let mut page = report(arguments, capture);
    known.texts.iter().filter(|text| text.contains(char::is_numeric)).for_each(|text| page = page.replace(text, " "));
    let found = numbers(&page);
    assert!(!found.is_empty(), "{}: {page}", capture.display());
    found.iter().filter(|(word, unit)| !known.explains(word, unit)).map(|(word, unit)| format!("{word} {unit}")).collect()
}

#[test]
fn every_number_of_the_page_is_in_the_json() {
    for capture in samples() {
        assert_eq!(unexplained(&capture, &[]), Vec::<String>::new(), "{}", capture.display());
    }
    for arguments in [["--basis", "ip"], ["--basis", "application"], ["--ajax", "all"]] {
        let capture = sample("browser/ajax-and-websocket.pcapng");
        assert_eq!(unexplained(&capture, &arguments), Vec::<String>::new(), "{arguments:?}");
    }
}

#[test]
fn savings_of_several_findings_are_said_to_overlap() {
    for (path, overlaps) in [("browser/ajax-and-websocket.pcapng", true), ("classifier/with-metadata.pcapng", false)] {
        let page = report(&[], &sample(path));
        let findings = page.split("What could be saved\n").nth(1).expect("findings").split("\n\n").next().expect("a section");
        assert_eq!(findings.starts_with("Findings overlap: their savings do not add up.\n"), overlaps, "{findings}");
    }
}

#[test]
fn distributions_are_called_so_in_the_docs_and_on_the_page() {
    let docs = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).expect("the page");
    assert!(docs.contains("\n| Distributions | "));
    assert!(report(&[], &sample("deck/deck.pcap")).contains("\nDistributions (bytes; "));
}

#[test]
fn number_that_is_not_in_the_json_would_be_found() {
    let mut known = Known::default();
    known.add(&serde_json::json!({"wire_bytes": 65632, "share": 0.762, "answer_s": 0.0935}));
    assert!(known.explains("65,632", "bytes") && known.explains("76.2", "%") && known.explains("93.5", "ms"));
    assert!(!known.explains("65,633", "bytes") && !known.explains("76.3", "%") && !known.explains("93.5", "µs"));
    assert_eq!(
        numbers("it cost 1,234 bytes (7.5 %), from the 3rd on"),
        [("1,234", "bytes"), ("7.5", "%"), ("3", "on")].map(|(a, b)| (a.into(), b.into()))
    );
}
