//! Frames as they are shown: against the deck, against what TShark says of the same frames, and whatever the capture.
//! `dissect_differences.tsv` names each field that differs from TShark's, and why; a line that no longer differs fails too.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;
use wiretare::dissect::{Dissector, append_json, append_line, append_tree};
use wiretare::{Capture, ContentMode, Limits, Options};

use crate::conversation::Conversation;
use crate::support::{captures_below, corpus, sample, samples};

/// What is compared, and how much of a long value.
const WANTED: [&str; 2] = ["http.", "websocket."];
const LONGEST: usize = 60;

/// A capture in all three formats.
#[derive(Default)]
struct Shown {
    tree: Vec<u8>,
    lines: Vec<u8>,
    /// The layers of each frame.
    json: Vec<Value>,
}

impl Shown {
    fn of(mut capture: Capture) -> Self {
        let mut dissector = Dissector::new(Options { content: ContentMode::Full, ..Options::default() });
        let mut shown = Self::default();
        while let Ok(Some(packet)) = capture.next() {
            let dissection = dissector.packet(&packet);
            append_line(&dissection, &mut shown.lines);
            append_tree(&dissection.tree(), &mut shown.tree);
            let mut json = Vec::new();
            append_json(&dissection.tree(), &mut json);
            shown.json.push(serde_json::from_slice(&json).expect("JSON"));
        }
        dissector.finish();
        while let Some(ended) = dissector.poll_late() {
            shown.tree.extend(wiretare::dissect::late_line(&ended).bytes());
            shown.tree.push(b'\n');
        }
        shown
    }

    fn of_file(path: &Path) -> Self {
        Self::of(Capture::open(&[path.to_owned()], &Limits::default()).expect("a capture"))
    }

    fn of_octets(pcap: Vec<u8>) -> Self {
        Self::of(Capture::from_reader("made", Cursor::new(pcap), &Limits::default()).expect("a capture"))
    }

    fn frames(&self) -> Vec<String> {
        self.json.iter().map(|layers| layers["frame"]["frame.number"].as_str().expect("a number").to_owned()).collect()
    }

    /// What may drive a terminal is in neither form for people.
    fn assert_safe(&self) {
        for octets in [&self.tree, &self.lines] {
            let text = str::from_utf8(octets).expect("UTF-8");
            let hostile = text.chars().find(|&c| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)));
            assert_eq!(hostile, None);
        }
    }
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wiretare"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn frames_of_the_deck_read_like_its_screenshots() {
    let shown = run(&["dissect", "--frame", "29,136", "samples/deck/deck.pcap"]);
    assert_eq!(shown, include_str!("dissect_deck.txt"));
}

#[test]
fn json_has_the_deck_where_a_script_looks_for_it() {
    let shown = Shown::of_file(&sample("deck/deck.pcap"));
    let layers = &shown.json[135];
    assert_eq!(layers["frame"]["frame.len"], "89");
    assert_eq!(layers["websocket"]["websocket.masking_key"], "ad:b5:10:72");
    let text = r#"{"name":"Alice","message":"Dix-sept octets","color":"007AFF"}"#;
    assert_eq!(layers["websocket"]["websocket.payload"]["websocket.payload.text"], text);
    assert_eq!(shown.json[28]["http"]["http.time"], "0.093530000");
    assert_eq!(shown.json[28]["http"]["HTTP/1.1 200 OK\\r\\n"]["http.response.code"], "200");
}

/// What TShark prints of the SYN of samples/deflate/takeover.pcapng, less kinds and lengths of single options.
#[test]
fn values_of_tcp_options_are_where_tshark_has_them() {
    let syn = &Shown::of_file(&sample("deflate/takeover.pcapng")).json[0];
    let expected = serde_json::json!({
        "tcp.options.mss": "02:04:05:b4",
        "tcp.options.mss_tree": {"tcp.options.mss_val": "1460"},
        "tcp.options.sack_perm": "04:02",
        "tcp.options.timestamp": "08:0a:22:14:ec:ef:00:00:00:00",
        "tcp.options.timestamp_tree": {"tcp.options.timestamp.tsval": "571796719", "tcp.options.timestamp.tsecr": "0"},
        "tcp.options.wscale": "03:03:0a",
        "tcp.options.wscale_tree": {"tcp.options.wscale.shift": "10", "tcp.options.wscale.multiplier": "1024"},
    });
    assert_eq!(syn["tcp"]["tcp.options_tree"], expected);
}

#[test]
fn every_sample_is_shown_in_every_format_each_frame_once() {
    for path in samples() {
        let shown = Shown::of_file(&path);
        let numbers: Vec<_> = (1..=shown.json.len()).map(|number| number.to_string()).collect();
        assert_eq!(shown.frames(), numbers, "{}", path.display());
        assert_eq!(shown.lines.iter().filter(|&&octet| octet == b'\n').count(), numbers.len(), "{}", path.display());
        shown.assert_safe();
    }
}

#[test]
fn what_layers_cost_adds_up_to_the_frame() {
    for path in ["deck/deck.pcap", "tunnel/wrapped.pcap", "link/vlan.pcapng", "python/websockets.pcapng"] {
        for layers in Shown::of_file(&sample(path)).json {
            let Some(cost) = layers.get("wiretare") else { continue };
            let number = |name: &str| cost[name].as_str().expect("a value").parse::<u64>().expect("a number");
            let sum: u64 = ["link", "ip", "tcp", "payload"].iter().map(|layer| number(&format!("wiretare.{layer}_bytes"))).sum();
            assert_eq!(sum, number("wiretare.wire_bytes"), "{path}");
            assert_eq!(layers["frame"]["frame.len"], sum.to_string(), "{path}");
        }
    }
}

/// Where the n-th frame (from 1) of a [`Conversation`] has its TCP header, of frames without payload before it: behind the file's header,
/// and records of 16 octets with Ethernet, IPv4 and TCP.
fn tcp_header_at(frame: usize) -> usize {
    24 + (frame - 1) * (16 + 54) + 16 + 34
}

#[test]
fn all_twelve_bits_of_flags_are_shown() {
    let mut pcap = Conversation::open().pcap();
    let offset_and_reserved = tcp_header_at(1) + 12;
    pcap[offset_and_reserved..][..2].copy_from_slice(&[0x5f, 0xc2]);
    pcap[tcp_header_at(2) + 12] = 0x54;
    let shown = Shown::of_octets(pcap);
    let flags = |frame: usize| {
        let tcp = &shown.json[frame - 1]["tcp"];
        let inside = &tcp["tcp.flags_tree"];
        [&tcp["tcp.flags"], &inside["tcp.flags.res"], &inside["tcp.flags.ae"], &inside["tcp.flags.str"]]
            .map(|value| value.as_str().expect("text"))
    };
    assert_eq!(flags(1), ["0x0fc2", "1", "1", "RRRACE····S·"]);
    assert_eq!(flags(2), ["0x0412", "1", "0", "·R·····A··S·"]);
    assert_eq!(flags(3), ["0x0010", "0", "0", "·······A····"]);
    let lines = String::from_utf8(shown.lines).expect("UTF-8");
    assert!(lines.contains("[SYN, ECE, CWR, AE, Reserved] Seq=0"), "{lines}");
}

#[test]
fn numbers_count_from_the_syn_whatever_came_before_it() {
    // The server's last segment comes between the SYN and its answer, as a RST with a number of its own.
    let mut talk = Conversation::open();
    talk.server_acknowledges().swap(3, 4).swap(2, 3);
    let mut pcap = talk.pcap();
    let reset = tcp_header_at(2);
    pcap[reset + 4..][..4].copy_from_slice(&7_u32.to_be_bytes());
    pcap[reset + 13] = 0x14;
    let shown = Shown::of_octets(pcap);
    let numbers = shown.json.iter().map(|layers| [&layers["tcp"]["tcp.seq"], &layers["tcp"]["tcp.ack"]].map(|n| n.as_str().expect("text")));
    assert_eq!(numbers.collect::<Vec<_>>(), [["0", "0"], ["1", "1"], ["0", "1"], ["1", "1"]]);
}

#[test]
fn time_since_the_frame_before_it_counts_from_a_copy_too() {
    // A frame each millisecond; the second one is captured again, and the third follows.
    let mut talk = Conversation::open();
    talk.repeat(2).swap(3, 4);
    let mut pcap = talk.pcap();
    // Packets with a number (`ip.id`, 16 octets before TCP) are known by it.
    [2, 3].into_iter().for_each(|frame| pcap[tcp_header_at(frame) - 16..][..2].copy_from_slice(&[1, 2]));
    let shown = Shown::of_octets(pcap);
    let told = |field: &str| shown.json.iter().map(|layers| layers["tcp"][field].as_str()).collect::<Vec<_>>();
    assert_eq!(told("wiretare.duplicate"), [None, None, Some("1"), None]);
    let deltas = shown.json.iter().map(|layers| layers["tcp"]["Timestamps"]["tcp.time_delta"].as_str().expect("text"));
    assert_eq!(deltas.collect::<Vec<_>>(), ["0.000000000", "0.001000000", "0.001000000", "0.001000000"]);
}

#[test]
fn control_word_of_a_pseudowire_is_no_label() {
    // Ethernet in MPLS (RFC 4448): labels 19 and 16, the bottom, then the control word.
    let inner = &Conversation::open().pcap()[40..][..54];
    let frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0x47][..], b"\x00\x01\x30\xfe\x00\x01\x01\xff", &[0; 4], inner].concat();
    let shown = Shown::of_octets(pcap(1, [(frame.len(), &frame[..])].into_iter()));
    assert_eq!(shown.json[0]["mpls"], serde_json::json!({"mpls.label": ["19", "16"]}));
    assert_eq!(shown.json[0]["tcp"]["tcp.stream"], "0");
    assert!(str::from_utf8(&shown.tree).expect("UTF-8").contains("    PW Ethernet Control Word: 00000000\n"));
}

#[test]
fn selective_acknowledgments_are_shown_and_what_lies_behind_an_option_that_is_not_opened() {
    // A cookie of Fast Open (kind 34) of four octets, then two blocks; the server's numbers begin at 2^32 - 51, so that octet 100 is 49.
    let options =
        [&[34, 6, 1, 2, 3, 4, 5, 18][..], &49_u32.to_be_bytes(), &59_u32.to_be_bytes(), &60_u32.to_be_bytes(), &61_u32.to_be_bytes()];
    let options = options.concat();
    let pcap_of_talk = Conversation::open().pcap();
    let mut frames: Vec<Vec<u8>> = (1..=3).map(|frame| pcap_of_talk[tcp_header_at(frame) - 34..][..54].to_vec()).collect();
    frames[2].extend(&options);
    frames[2][17] += 24;
    frames[2][46] = 0xb0;
    let shown = Shown::of_octets(pcap(1, frames.iter().map(|frame| (frame.len(), &frame[..]))));
    let told = &shown.json[2]["tcp"]["tcp.options_tree"];
    let expected = serde_json::json!({
        "tcp.options.sack": "05:12:00:00:00:31:00:00:00:3b:00:00:00:3c:00:00:00:3d",
        "tcp.options.sack_tree": {
            "tcp.options.sack_le": ["100", "111"], "tcp.options.sack_re": ["110", "112"], "tcp.options.sack.count": "2",
        },
    });
    assert_eq!(*told, expected);
    let tree = String::from_utf8(shown.tree).expect("UTF-8");
    assert!(tree.contains("Options: (24 bytes), Fast Open Cookie, SACK\n"), "{tree}");
    assert!(tree.contains("TCP Option - Fast Open Cookie (kind 34, 6 bytes): 220601020304\n"), "{tree}");
    let lines = String::from_utf8(shown.lines).expect("UTF-8");
    assert!(lines.contains("Len=0 SLE=100 SRE=110 SLE=111 SRE=112\n"), "{lines}");
}

#[test]
fn windows_of_a_server_are_scaled_where_the_syn_of_its_client_was_not_captured() {
    // The server's SYN announces a shift of 7: No-Operation, then kind 3. Windows are 65,535 as sent, 65,535 × 128 = 8,388,480 then.
    let mut talk = Conversation::open();
    talk.server_acknowledges();
    let pcap_of_talk = talk.pcap();
    let mut frames: Vec<Vec<u8>> = (1..=4).map(|frame| pcap_of_talk[tcp_header_at(frame) - 34..][..54].to_vec()).collect();
    frames[1].extend([1, 3, 3, 7]);
    frames[1][17] += 4;
    frames[1][46] = 0x60;
    let windows = |frames: &[Vec<u8>]| {
        let shown = Shown::of_octets(pcap(1, frames.iter().map(|frame| (frame.len(), &frame[..]))));
        shown.json.iter().map(|layers| layers["tcp"]["tcp.window_size"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(windows(&frames[1..]), ["65535", "65535", "8388480"]);
    // The client's SYN has no such option: nothing is scaled.
    assert_eq!(windows(&frames), ["65535"; 4]);
}

#[test]
fn extension_headers_are_told_to_people_alone() {
    // IPv6 with Hop-by-Hop Options of eight octets before TCP; Wireshark has fields of its own for what is in them.
    let tcp = &Conversation::open().pcap()[tcp_header_at(1)..][..20];
    let header = [&[0x60, 0, 0, 0, 0, 28, 0, 64][..], &[0xfd; 16], &[0xfe; 16], &[6, 0, 1, 4, 0, 0, 0, 0], tcp].concat();
    let shown = Shown::of_octets(pcap(101, [(header.len(), &header[..])].into_iter()));
    let names: Vec<_> = shown.json[0]["ipv6"].as_object().expect("a layer").keys().collect();
    let expected = ["addr", "dst", "flow", "hlim", "nxt", "plen", "src", "tclass", "tclass_tree", "version"];
    assert_eq!(names, expected.map(|name| format!("ipv6.{name}")).iter().collect::<Vec<_>>());
    assert!(str::from_utf8(&shown.tree).expect("UTF-8").contains("    Extension headers: 8 bytes\n"));
}

#[test]
fn hostile_octets_show_themselves() {
    const HOSTILE: &str = "\u{1b}]0;title\u{7}\r\u{0}\u{9b}31m\u{202e}gpj.exe";
    let mut conversation = Conversation::open();
    conversation.client(format!("GET /a\u{1b}[2J HTTP/1.1\r\nHost: x\r\nX-\u{202e}: {HOSTILE}\r\n\r\n"));
    let body = format!("{HOSTILE}\n{{\"a\":\"\u{202e}\"}}");
    conversation.server(format!("HTTP/1.1 200 \u{1b}[31mOK\r\nContent-Type: text/\u{1b}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    conversation.client("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    conversation.server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    for first in [0x81u8, 0x82, 0x89, 0x8b] {
        conversation.server([&[first, HOSTILE.len() as u8], HOSTILE.as_bytes()].concat());
    }
    conversation.server([&[0x88, 2 + HOSTILE.len() as u8, 3, 232], HOSTILE.as_bytes()].concat());
    let pcap = conversation.pcap();
    let shown = Shown::of_octets(pcap.clone());
    shown.assert_safe();
    let tree = String::from_utf8(shown.tree).expect("UTF-8");
    assert!(tree.contains(r"\u{1b}]0;title\u{7}\r") && tree.contains(r"\u{202e}gpj.exe"), "shown, not hidden");

    let file = std::env::temp_dir().join(format!("wiretare-hostile-{}.pcap", std::process::id()));
    std::fs::write(&file, pcap).expect("written");
    let path = file.to_str().expect("UTF-8");
    for format in ["text", "hex", "ndjson"] {
        let followed = run(&["follow", "--connection", "0", "-f", format, path]);
        assert!(followed.contains("gpj.exe") || format == "hex", "{followed}");
        assert!(!followed.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{format}: {followed:?}");
    }
    std::fs::remove_file(&file).expect("removed");
}

/// A capture of frames, each with its length on the wire and the octets captured of it.
fn pcap<'a>(link_type: u32, frames: impl Iterator<Item = (usize, &'a [u8])>) -> Vec<u8> {
    let mut file = [&0xa1b2_c3d4_u32.to_le_bytes()[..], &[2, 0, 4, 0], &[0; 8], &[0, 0, 4, 0], &link_type.to_le_bytes()].concat();
    for (len, octets) in frames {
        file.extend([0; 8]);
        file.extend((octets.len() as u32).to_le_bytes());
        file.extend((len as u32).to_le_bytes());
        file.extend(octets);
    }
    file
}

#[test]
fn frames_cut_at_every_octet_are_shown_as_far_as_they_go() {
    for (path, most) in
        [("tunnel/wrapped.pcap", 60), ("deck/deck.pcap", 40), ("tunnel/vxlan-fragments.pcapng", 20), ("link/ipv6.pcapng", 10)]
    {
        let mut capture = Capture::open(&[sample(path)], &Limits::default()).expect("a capture");
        let mut frames = Vec::new();
        while let Some(packet) = capture.next().expect("a sound capture") {
            frames.push((packet.link_type, packet.data.to_vec()));
        }
        frames.truncate(most);
        let link_type = u32::from(frames[0].0);
        let cuts = frames.iter().flat_map(|(_, frame)| (0..=frame.len().min(200)).map(move |cut| (frame.len(), &frame[..cut])));
        let shown = Shown::of_octets(pcap(link_type, cuts));
        assert!(shown.json.len() > 500, "{path}: {}", shown.json.len());
        shown.assert_safe();
    }
}

#[test]
fn a_tcp_header_that_is_none_is_malformed_and_no_fragment() {
    let conversation = Conversation::open().pcap();
    // The header of the first record, Ethernet, IPv4; then TCP, its length behind ports and numbers.
    let mut frame = conversation[24 + 16..][..54].to_vec();
    frame[16..18].copy_from_slice(&[0, 40]);
    frame[14 + 20 + 12] = 0x40;
    let shown = Shown::of_octets(pcap(1, [(54, &frame[..])].into_iter()));
    let line = String::from_utf8(shown.lines).expect("UTF-8");
    assert!(line.ends_with(" Data 54 malformed\n"), "{line}");
    assert_eq!(shown.json[0].get("tcp"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_octets_of_any_link_type_are_shown_safely(
        link_type in prop::sample::select(vec![1u32, 0, 9, 12, 51, 101, 105, 108, 113, 127, 147, 192, 228, 239, 276]),
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..8),
    ) {
        let shown = Shown::of_octets(pcap(link_type, frames.iter().map(|frame| (frame.len() + 3, &frame[..]))));
        shown.assert_safe();
    }

    #[test]
    fn any_octet_of_a_conversation_may_be_another(at in 0usize..6000, octet: u8) {
        let mut capture = std::fs::read(sample("tunnel/wrapped.pcap")).expect("the sample");
        let at = 24 + at % (capture.len() - 24);
        capture[at] = octet;
        if let Ok(capture) = Capture::from_reader("made", Cursor::new(capture), &Limits::default()) {
            Shown::of(capture).assert_safe();
        }
    }
}

/// Fields by name, whatever they are nested in; long values cut.
fn flatten(value: &Value, found: &mut BTreeMap<String, Vec<String>>) {
    let Some(members) = value.as_object() else { return };
    for (name, inside) in members.iter().filter(|(name, _)| !name.starts_with("_ws")) {
        let several = inside.as_array().map_or(std::slice::from_ref(inside), Vec::as_slice);
        for one in several {
            match one.as_str() {
                Some(text) if WANTED.iter().any(|wanted| name.starts_with(wanted)) => {
                    found.entry(name.clone()).or_default().push(text.chars().take(LONGEST).collect());
                }
                Some(_) => {}
                None => flatten(one, found),
            }
        }
    }
}

/// Frame numbers, and their fields.
type Frames = BTreeMap<u64, BTreeMap<String, Vec<String>>>;

fn ours(path: &Path) -> Frames {
    let shown = Shown::of_file(path);
    let fields = |layers: &Value| {
        let mut found = BTreeMap::new();
        flatten(layers, &mut found);
        found
    };
    (1..).zip(shown.json.iter().map(fields)).collect()
}

/// Names of the fields that both have and that differ, each with one place.
fn differing(theirs: &Frames, ours: &Frames) -> BTreeMap<String, String> {
    let mut differing = BTreeMap::new();
    for (frame, fields) in theirs {
        for (name, values) in fields {
            if let Some(found) = ours.get(frame).and_then(|fields| fields.get(name)).filter(|found| *found != values) {
                differing.entry(name.clone()).or_insert_with(|| format!("frame {frame}: {values:?}, found {found:?}"));
            }
        }
    }
    differing
}

/// Lines of `dissect_differences.tsv` for captures of one kind: (capture, field).
fn known_differences(is_sample: bool) -> BTreeSet<(String, String)> {
    let lines = include_str!("dissect_differences.tsv").lines().filter(|line| !line.starts_with('#'));
    let columns = lines.map(|line| line.split('\t').collect::<Vec<_>>());
    let kind = |capture: &str| !capture.starts_with("made/") && !capture.starts_with("public/");
    columns.filter(|columns| kind(columns[0]) == is_sample).map(|columns| (columns[0].to_owned(), columns[1].to_owned())).collect()
}

fn assert_known(is_sample: bool, found: &BTreeMap<(String, String), String>) {
    let known = known_differences(is_sample);
    let unknown = found.iter().filter(|(key, _)| !known.contains(*key));
    let unknown: Vec<_> = unknown.map(|((capture, field), what)| format!("{capture}\t{field}\t{what}")).collect();
    assert!(unknown.is_empty(), "differ from TShark:\n{}", unknown.join("\n"));
    let stale: Vec<_> = known.iter().filter(|key| !found.contains_key(*key)).collect();
    assert!(stale.is_empty(), "agree now; take them off the list: {stale:?}");
}

#[test]
fn fields_of_samples_are_those_that_tshark_recorded() {
    let mut recorded: BTreeMap<String, Frames> = BTreeMap::new();
    for line in include_str!("dissected.ndjson").lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let fields = serde_json::from_value(row["fields"].clone()).expect("fields");
        let frame = row["frame"].as_u64().expect("a number");
        recorded.entry(row["capture"].as_str().expect("a name").to_owned()).or_default().insert(frame, fields);
    }
    let mut found = BTreeMap::new();
    let mut shared = 0;
    for (capture, theirs) in &recorded {
        let ours = ours(&sample(capture));
        shared += theirs
            .iter()
            .flat_map(|(frame, fields)| fields.keys().filter(|name| ours[frame].contains_key(*name)).collect::<Vec<_>>())
            .count();
        found.extend(differing(theirs, &ours).into_iter().map(|(field, what)| ((capture.clone(), field), what)));
    }
    assert!(shared > 2500, "only {shared} fields were compared");
    assert_known(true, &found);
}

/// What the program says of a capture, when it is there and of the version that the list of differences is about.
fn tshark(path: &Path) -> Option<Frames> {
    let output = Command::new("tshark").args(["-n", "-T", "json", "--no-duplicate-keys", "-r"]).arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let frames: Vec<Value> = serde_json::from_str(&text).ok()?;
    let fields = frames.iter().map(|frame| {
        let mut found = BTreeMap::new();
        flatten(&frame["_source"]["layers"], &mut found);
        found
    });
    Some((1..).zip(fields).collect())
}

#[test]
fn fields_of_captures_made_by_others_are_those_of_tshark() {
    let version = Command::new("tshark").arg("--version").output();
    let is_known = version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("4.0.17"));
    let Some(corpus) = corpus() else { return };
    if !is_known {
        #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
        {
            eprintln!("skipped: no TShark 4.0.17");
        }
        return;
    }
    let mut found = BTreeMap::new();
    let mut compared = 0;
    for path in ["made", "public/websocket"].iter().flat_map(|folder| captures_below(&corpus.join(folder))) {
        if path.metadata().is_ok_and(|metadata| metadata.len() > 400_000) || !is_capture(&path) {
            continue;
        }
        let Some(theirs) = tshark(&path) else { continue };
        compared += 1;
        let name = path.strip_prefix(&corpus).expect("below the folder").to_string_lossy().into_owned();
        found.extend(differing(&theirs, &ours(&path)).into_iter().map(|(field, what)| ((name.clone(), field), what)));
    }
    assert!(compared > 50, "only {compared} captures were compared");
    assert_known(false, &found);
}

fn is_capture(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng")
}
