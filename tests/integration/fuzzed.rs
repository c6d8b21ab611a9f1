//! The fuzz targets' functions over seeds made of the samples, and over what fuzzing found before.

use std::path::PathBuf;

use wiretare::Sender;

use crate::support::{OwnedSegment, samples, segments};

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)]
mod wiretare_fuzz;

type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

const TARGETS: [Target; 6] = [
    ("whole_file", wiretare_fuzz::whole_file, files),
    ("capture", wiretare_fuzz::capture, files),
    ("packet", wiretare_fuzz::packet, packets),
    ("tcp_segments", wiretare_fuzz::tcp_segments, segment_scripts),
    ("http", wiretare_fuzz::http, http_scripts),
    ("websocket", wiretare_fuzz::websocket, websocket_scripts),
];

/// Larger seeds make a fuzzer slow.
const LARGEST: usize = 16 << 10;

fn files() -> Vec<Vec<u8>> {
    let mut files: Vec<_> = samples().iter().map(|path| std::fs::read(path).expect("a sample")).collect();
    files.iter_mut().for_each(|file| file.truncate(LARGEST));
    files
}

/// A packet of each link type, as the samples have them.
fn packets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for path in samples() {
        let mut capture = wiretare::Capture::open(&[path], &wiretare::Limits::default()).expect("a sample");
        for _ in 0..5 {
            let Ok(Some(packet)) = capture.next() else { break };
            let extra = (packet.len as usize).saturating_sub(packet.data.len()) as u16;
            packets.push([&packet.link_type.to_be_bytes()[..], &extra.to_be_bytes(), packet.data].concat());
        }
    }
    packets
}

/// The segments of each connection of the samples, SYNs left out; `true` for the client's.
fn connections() -> Vec<Vec<(bool, OwnedSegment)>> {
    let mut connections = Vec::new();
    for path in samples() {
        let all = segments(&path);
        let mut keys: Vec<_> = all.iter().map(|owned| owned.segment.key).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let of_key = || all.iter().filter(|owned| owned.segment.key == key);
            let client = of_key().next().map_or(Sender::Low, |owned| owned.segment.sender);
            let data = of_key().filter(|owned| owned.segment.flags.0 & 0x02 == 0 && !owned.payload.is_empty());
            connections.push(data.map(|owned| (owned.segment.sender == client, owned.clone())).collect());
        }
    }
    connections
}

/// A connection as a script for `Talk`.
fn script(first: u8, segments: &[(bool, OwnedSegment)]) -> Vec<u8> {
    let mut script = vec![first];
    for (from_client, owned) in segments {
        let what = u8::from(!from_client) | (owned.segment.flags.0 & 0x01) << 6;
        let addition = [&[what][..], &(owned.payload.len() as u16).to_be_bytes(), &owned.payload].concat();
        if script.len() + addition.len() > LARGEST {
            break;
        }
        script.extend(addition);
    }
    script
}

fn http_scripts() -> Vec<Vec<u8>> {
    connections().iter().map(|segments| script(0, segments)).collect()
}

fn websocket_scripts() -> Vec<Vec<u8>> {
    let mut scripts = Vec::new();
    for segments in connections() {
        let answer = segments.iter().position(|(from_client, owned)| !from_client && owned.payload.starts_with(b"HTTP/1.1 101"));
        if let Some(answer) = answer {
            // Each thing to agree to, with each thing to ask for.
            scripts.extend((0..32).map(|agreed| script(agreed, &segments[answer + 1..])));
        }
    }
    scripts
}

fn segment_scripts() -> Vec<Vec<u8>> {
    let mut scripts = Vec::new();
    for segments in connections() {
        let (mut script, mut next) = (Vec::new(), [0_u16; 2]);
        for (from_client, owned) in &segments {
            let payload = &owned.payload[..owned.payload.len().min(40)];
            let side = usize::from(!from_client);
            let [seq, ack] = [next[side].to_be_bytes(), next[1 - side].to_be_bytes()];
            script.extend([side as u8, 0x10, seq[0], seq[1], ack[0], ack[1], payload.len() as u8, 0]);
            script.extend(payload);
            next[side] = (next[side] + payload.len() as u16) & 0x3ff;
        }
        script.truncate(LARGEST);
        scripts.push(script);
    }
    scripts
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

#[test]
fn seeds_keep_the_books() {
    for (name, run, seeds) in TARGETS {
        let seeds = seeds();
        assert!(seeds.len() > 20, "{name}: {} seeds", seeds.len());
        seeds.iter().for_each(|seed| run(seed));
    }
}

#[test]
fn what_fuzzing_found_keeps_the_books() {
    for (name, run, _) in TARGETS {
        let Ok(found) = std::fs::read_dir(folder("regressions").join(name)) else { continue };
        for entry in found.flatten() {
            run(&std::fs::read(entry.path()).expect("a regression"));
        }
    }
}

#[test]
#[ignore = "writes fuzz/corpus, for fuzz/run.sh"]
fn write_seeds() {
    for (name, _, seeds) in TARGETS {
        let folder = folder("corpus").join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (number, seed) in seeds().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed");
        }
    }
}
