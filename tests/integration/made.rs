//! Cases that tshark with its default settings gets wrong, one capture each: what was sent, in the words of their makers.

use wiretare::{ContentMode, Options, Row};

use crate::support::{analyze, corpus, difference};

/// Messages and exchanges as short lines, in order of completion.
fn story(rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(line).collect()
}

fn line(row: &Row) -> Option<String> {
    match row {
        Row::Message(message) => {
            let anomalies: Vec<_> = message.anomalies.iter().map(|kind| format!(" !{}", kind.name())).collect();
            let content = message.content.sample.as_ref().map_or("?".into(), |octets| String::from_utf8_lossy(octets).into_owned());
            let side = &message.direction.name()[..1];
            Some(format!("{side} {} {}{}", message.opcode.name(), content, anomalies.concat()))
        }
        Row::Exchange(exchange) if exchange.upgrade.is_none() => {
            let target = exchange.request.as_ref().map_or("?".into(), |request| String::from_utf8_lossy(request.target()).into_owned());
            let response = exchange.response.as_ref();
            let content = response.and_then(|response| response.cost.content_bytes);
            let interim: Vec<_> = exchange.informational.iter().map(|code| format!(" after {code}")).collect();
            Some(format!("{target} {}{} {content:?}", response.map_or(0, |response| response.status), interim.concat()))
        }
        Row::Exchange(_) | Row::Connection(_) => None,
    }
}

fn assert_story(capture: &str, expected: &[&str]) {
    let Some(corpus) = corpus() else { return };
    let options = Options { content: ContentMode::Full, ..Options::default() };
    let (rows, totals) = analyze(&corpus.join("made").join(capture), &options).expect("a readable capture");
    assert_eq!(story(&rows), expected, "{capture}");
    assert_eq!(difference(&rows, &totals), 0, "{capture}");
}

fn update(value: u32) -> String {
    format!(r#"{{"type":"update","value":{value},"items":["alpha","beta","gamma"]}}"#)
}

#[test]
fn each_direction_inflates_as_it_was_agreed() {
    for capture in ["pmd_both_takeover.pcap", "pmd_s_notake.pcap", "pmd_c_notake.pcap", "pmd_none_take.pcap"] {
        let expected: Vec<String> = (0..3).flat_map(|n| [format!("c text {}", update(n)), format!("s text {}", update(100 + n))]).collect();
        assert_story(capture, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn compressed_and_plain_messages_mix() {
    let updates: Vec<String> = (0..3).flat_map(|n| [format!("c text {}", update(n)), format!("s text {}", update(100 + n))]).collect();
    let updates: Vec<&str> = updates.iter().map(String::as_str).collect();
    assert_story("pmd_first_plain.pcap", &[&["c text hello plain"], &updates[..]].concat());
    assert_story("pmd_plain_later.pcap", &[&updates[..], &["c text later plain", "s text later plain s"]].concat());
}

#[test]
fn compressed_fragments_with_a_ping_between() {
    let [one, two] = [1, 2].map(|n| format!("c text {}", update(n)));
    assert_story("pmdfrag.pcap", &["c ping hb", &one, &two]);
}

#[test]
fn after_a_lost_segment_under_takeover_content_is_unknown() {
    let one = format!("s text {}", update(1));
    assert_story("pmdgap.pcap", &[&one, "s text ? !lost_bytes !lost_compression_context", "s text ? !lost_compression_context"]);
}

#[test]
fn swapped_segments_show_every_message() {
    let [one, two] = ["one", "two"].map(|word| format!("s text {}", word.repeat(20)));
    assert_story("ooo.pcap", &[&one, &two, "s text three"]);
}

#[test]
fn lost_segment_costs_only_its_own_message() {
    assert_story("gap.pcap", &["s text one", "c text cl", "s text three !lost_bytes", "s text four"]);
}

#[test]
fn fragments_with_control_frames_between() {
    let expected = ["s binary \u{1}\u{2}\u{3}", "s ping p", "s text hello", "c text xxyy", "c pong p"];
    assert_story("frag.pcap", &expected);
}

#[test]
fn frames_in_the_segment_of_the_101() {
    assert_story("coal.pcap", &["s text first!", "s text second!", "c text abc"]);
}

#[test]
fn frame_over_three_segments() {
    let long = format!("c text {}", "A".repeat(3000));
    assert_story("split.pcap", &[&long, "c text tail"]);
}

#[test]
fn pipelined_responses_answer_their_own_requests() {
    assert_story("pipe.pcap", &["/1 200 Some(2)", "/2 200 Some(2)", "/3 200 Some(2)"]);
}

#[test]
fn head_interim_responses_and_codings() {
    let expected = [
        "/h 200 Some(0)",
        "/1 200 Some(2)",
        "/2 200 Some(2)",
        "/p 204 after 100 Some(0)",
        "/gz 200 Some(140)",
        "/103 200 after 103 Some(1)",
    ];
    assert_story("h1.pcap", &expected);
    assert_story("zstd.pcap", &["/x 200 Some(310)"]);
}

#[test]
fn websocket_inside_connect_and_after_reused_ports() {
    assert_story("conn.pcap", &["s text hi"]);
    assert_story("reuse.pcap", &["/a 200 Some(2)", "c text reused", "/b 200 Some(2)"]);
}

#[test]
fn upgrades_as_they_are_really_sent() {
    for capture in ["up1.pcap", "up2.pcap", "up3.pcap"] {
        assert_story(capture, &["s text hi"]);
    }
    // No close ends its content, only the capture does.
    assert_story("up4.pcap", &["/ws 200 None"]);
}

#[test]
fn retransmission_is_no_second_message() {
    assert_story("retx.pcap", &["s text dup!", "s text next"]);
}

#[test]
fn deflate_frame_of_old_browsers() {
    let [one, two] = [1, 2].map(|n| format!("c text {}", update(n)));
    assert_story("xwk.pcap", &[&one, &two]);
}

#[test]
fn twelve_violations_are_each_named() {
    let expected = [
        "c text unmasked client !unmasked_client_frame",
        "s text masked server !masked_server_frame",
        "c text \u{fffd}\u{fffd} bad utf8 !invalid_utf8",
        &format!("c ping {} !control_frame_too_long", "x".repeat(130)),
        "c ping fragping !fragmented_control_frame",
        "c continuation orphan !orphan_continuation",
        "c text rsv2 !reserved_bits",
        "c text nonmin !non_minimal_length",
        "c reserved-0x3 resop !reserved_opcode",
        "c close \u{3}\u{fffd}bad !invalid_close_code",
        "c text after close !data_after_close",
        "s close \u{3} !short_close_payload",
    ];
    assert_story("viol.pcap", &expected);
}
