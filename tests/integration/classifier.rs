//! Which exchanges are Ajax, against what made them: the pages of samples/ know.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use wiretare::{Exchange, Options, Row, Side};

use crate::support::{analyze, sample};

/// A capture, and its exchanges with what made each: method, target, and the API or kind of element.
type Labelled = (PathBuf, Vec<(String, String, String)>);

/// The captures whose truth labels exchanges that a browser or a library of polling made.
fn labelled() -> Vec<Labelled> {
    let mut found = Vec::new();
    for topic in ["browser", "classifier", "polling", "socketio"] {
        let text = std::fs::read_to_string(sample(topic).join("truth.json")).expect("a truth");
        let truth: Value = serde_json::from_str(&text).expect("JSON");
        for (name, capture) in truth["captures"].as_object().expect("captures by name") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let http = capture["http"].as_array().expect("a list").iter();
            let labels = http.map(|http| (text(&http["method"]), text(&http["target"]), text(&http["api"]))).collect();
            found.push((sample(topic).join(name), labels));
        }
    }
    found
}

/// Whether a script asked, and for what the answer counts.
fn side_of(api: &str) -> Side {
    match api {
        "fetch" | "xhr" | "beacon" | "engine.io polling" => Side::Ajax,
        "EventSource" => Side::ServerSentEvents,
        _ => Side::OtherHttp,
    }
}

fn is_of(exchange: &Exchange, method: &str, target: &str) -> bool {
    let is_asked = |request: &wiretare::Request| request.method() == method.as_bytes() && request.target() == target.as_bytes();
    exchange.request.as_ref().is_some_and(is_asked)
}

/// Exchanges by what made them and the side that they were charged to.
fn confusion(captures: impl Fn(&str) -> bool) -> BTreeMap<(String, Side), usize> {
    let mut counts = BTreeMap::new();
    for (path, labels) in labelled().into_iter().filter(|(path, _)| captures(&path.to_string_lossy())) {
        let (rows, _) = analyze(&path, &Options::default()).expect("a readable sample");
        let mut exchanges: Vec<_> =
            rows.into_iter().filter_map(|row| if let Row::Exchange(exchange) = row { Some(exchange) } else { None }).collect();
        for (method, target, api) in labels {
            let at = exchanges.iter().position(|exchange| is_of(exchange, &method, &target));
            let exchange = exchanges.swap_remove(at.unwrap_or_else(|| panic!("{}: {method} {target}", path.display())));
            if !api.is_empty() {
                *counts.entry((api, exchange.side)).or_default() += 1;
            }
        }
    }
    counts
}

fn wrong(counts: &BTreeMap<(String, Side), usize>) -> Vec<String> {
    counts
        .iter()
        .filter(|((api, side), _)| side_of(api) != *side)
        .map(|((api, side), count)| format!("{count} {api} as {}", side.name()))
        .collect()
}

#[test]
fn what_browsers_say_of_their_requests_is_believed() {
    let counts = confusion(|path| !path.contains("without-metadata"));
    assert_eq!(wrong(&counts), [""; 0]);
    let of = |side: Side| counts.iter().filter(|((_, found), _)| *found == side).map(|(_, count)| count).sum::<usize>();
    // docs/accounting.md quotes these.
    assert_eq!((of(Side::Ajax), of(Side::ServerSentEvents), of(Side::OtherHttp)), (117, 1, 20));
}

#[test]
fn without_their_word_no_document_image_script_style_or_font_is_ajax() {
    let counts = confusion(|path| path.contains("without-metadata"));
    let false_ajax: Vec<_> = wrong(&counts).into_iter().filter(|wrong| wrong.ends_with(" as ajax")).collect();
    assert_eq!(false_ajax, [""; 0]);
    // A fetch() of an image, which nothing tells from an element's.
    assert_eq!(wrong(&counts), ["1 fetch as other_http"]);
    let found = counts.iter().filter(|((_, side), _)| *side == Side::Ajax).map(|(_, count)| count).sum::<usize>();
    assert_eq!(found, 12);
}
