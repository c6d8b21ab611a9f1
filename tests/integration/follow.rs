//! One connection as it is followed: against what the applications themselves said they sent and received.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{sample, samples};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wiretare"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

/// What a run printed that went well.
fn printed(arguments: &[&str]) -> Vec<u8> {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn truth(folder: &str, capture: &str) -> Value {
    let text = std::fs::read(sample(folder).join("truth.json")).expect("what the applications logged");
    serde_json::from_slice::<Value>(&text).expect("JSON")["captures"][capture].clone()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn raw_websocket_is_what_the_applications_sent() {
    let truth = truth("deck", "deck.pcap");
    for (side, direction) in [("client", "client_to_server"), ("server", "server_to_client")] {
        let messages = truth["websocket"][0][direction].as_array().expect("messages");
        let said: String = messages.iter().filter_map(|message| message["text"].as_str()).collect();
        assert!(said.len() > 500, "{side} said something");
        let raw = printed(&["follow", "--connection", "2", "-f", "raw", "--direction", side, "samples/deck/deck.pcap"]);
        assert_eq!(String::from_utf8(raw).expect("text"), said, "{side}");
    }
}

#[test]
fn raw_http_is_the_content_that_scripts_and_pages_got() {
    let truth = truth("deck", "deck.pcap");
    let exchanges = truth["http"].as_array().expect("exchanges");
    let of_first = exchanges.iter().filter(|exchange| exchange["connection"] == "192.168.1.102:56700 69.164.217.35:80");
    let mut raw = &printed(&["follow", "--connection", "0", "-f", "raw", "--direction", "server", "samples/deck/deck.pcap"])[..];
    for exchange in of_first {
        let len = exchange["length"].as_u64().expect("a length") as usize;
        let content = raw.split_off(..len).expect("as much as that");
        assert_eq!(hexadecimal(&Sha256::digest(content)), exchange["sha256"].as_str().expect("a digest"));
    }
    assert!(raw.is_empty(), "and nothing else: {raw:?}");
}

#[test]
fn text_shows_who_said_what_and_when() {
    let text = String::from_utf8(printed(&["follow", "--connection", "2", "samples/deck/deck.pcap"])).expect("text");
    assert!(
        text.starts_with("client → server  2.560000 s  frame 31  HTTP\nGET wss://websocket.org HTTP/1.1\nHost: websocket.org\n"),
        "{text}"
    );
    let message = "\nclient → server  12.900000 s  frame 136  WebSocket text, deflated, 61 bytes\n\
                   {\"name\":\"Alice\",\"message\":\"Dix-sept octets\",\"color\":\"007AFF\"}\n";
    assert!(text.contains(message), "{text}");
    assert!(text.ends_with("WebSocket close, 5 bytes\n1000 fin\n"), "{text}");
}

#[test]
fn rows_are_those_of_messages() {
    let rows = printed(&["follow", "--connection", "2", "-f", "ndjson", "samples/deck/deck.pcap"]);
    assert_eq!(rows, printed(&["messages", "--connection", "2", "--content", "full", "samples/deck/deck.pcap"]));
}

#[test]
fn every_sample_is_followed_in_every_format() {
    for path in samples() {
        let path = path.to_str().expect("UTF-8");
        for format in ["text", "hex", "raw", "ndjson"] {
            let output = printed(&["follow", "-q", "--connection", "0", "-f", format, path]);
            match format {
                "raw" => {}
                "ndjson" => {
                    for line in str::from_utf8(&output).expect("UTF-8").lines() {
                        assert_eq!(serde_json::from_str::<Value>(line).expect("JSON")["connection"], 0, "{path}");
                    }
                }
                _ => {
                    let text = String::from_utf8(output).expect("UTF-8");
                    assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{path} as {format}");
                }
            }
        }
    }
}

#[test]
fn connection_that_is_not_there_is_an_error_that_says_which_are() {
    for command in ["follow", "dissect"] {
        let output = run(&[command, "--connection", "99", "samples/deck/deck.pcap"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no connection 99: the capture holds 5, numbered from 0 to 4") && said.contains("hint: "), "{said}");
    }
}

#[test]
fn content_that_was_cut_is_said_to_be() {
    let arguments = ["follow", "--connection", "0", "--limit", "full_content=100B", "samples/deck/deck.pcap"];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("(162 bytes more, not kept)"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("note: 3 messages are longer than what is kept of one"));
}

#[test]
fn connection_without_messages_is_said_to_have_none() {
    let output = run(&["follow", "--connection", "0", "samples/browser/ajax-and-websocket.pcapng"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{said}");
    assert!(said.contains("holds no HTTP and no WebSocket message"), "{said}");
}

#[test]
fn frames_and_connections_are_chosen() {
    let lines = |arguments: &[&str]| String::from_utf8(printed(arguments)).expect("text");
    let chosen = lines(&["dissect", "-f", "line", "--frame", "3-5,170-", "samples/deck/deck.pcap"]);
    let numbers: Vec<_> = chosen.lines().map(|line| line.split_whitespace().next().expect("a number").to_owned()).collect();
    assert_eq!(numbers, ["3", "4", "5", "170"]);
    let all = lines(&["dissect", "samples/deck/deck.pcap"]);
    let of_websocket = lines(&["dissect", "--connection", "2", "samples/deck/deck.pcap"]);
    assert!(of_websocket.lines().all(|line| line.contains("192.168.1.60") && all.contains(line)), "{of_websocket}");
    assert!(run(&["dissect", "--frame", "9-3", "samples/deck/deck.pcap"]).status.code() == Some(2));
    let output = run(&["dissect", "--frame", "999", "samples/deck/deck.pcap"]);
    assert!(
        output.stdout.is_empty()
            && String::from_utf8_lossy(&output.stderr).contains("no frame has such a number; the capture holds 170, numbered from 1")
    );
}

#[test]
fn pipe_that_closes_ends_the_run_well() {
    for arguments in [&["dissect", "-q", "-f", "tree"][..], &["dissect", "-q", "-f", "json"], &["follow", "-q", "--connection", "2"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wiretare"))
            .args(arguments)
            .arg(sample("deck/deck.pcap"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the command ends");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{arguments:?}");
    }
}
