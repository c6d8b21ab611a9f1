//! What each stage costs: a capture taken through the first of them, the first two, and so on.
//!
//! ```text
//! cargo bench --bench stages -- CAPTURE          CPU time of each level
//! cargo bench --bench stages -- CAPTURE LEVEL    one level once, for a profiler
//! ```
//!
//! The difference of two levels is the stage between them. `benches/stages.sh` counts instructions in the same way.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures times, and prints them")]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wiretare::report::ndjson::Lines;
use wiretare::{Analyzer, Capture, ContentMode, Limits, Options, Result, Sliced, Summary, slice};

/// How far packets are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// Records are read.
    Walk,
    /// Headers are sliced down to TCP.
    Slice,
    /// Segments are put in order, and every octet is booked; what they carry is not looked at.
    Assemble,
    /// HTTP and WebSocket are parsed, text is checked, rows are made.
    Parse,
    /// Compressed content is inflated.
    Inflate,
    /// Rows are written as JSON.
    Write,
    /// Instead of that, rows are summed up, as for the report.
    Account,
}

impl Level {
    const ALL: [Self; 7] = [Self::Walk, Self::Slice, Self::Assemble, Self::Parse, Self::Inflate, Self::Write, Self::Account];

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn options(self) -> Options {
        let mut options = Options { batches: true, decode: !matches!(self, Self::Parse), ..Options::default() };
        if self == Self::Assemble {
            options.decode_as = vec!["tcp.port==1-65535,data".parse().expect("a rule")];
        }
        options
    }
}

/// Packets, and what came of them.
fn run(capture: &PathBuf, level: Level) -> Result<(u64, u64)> {
    let mut capture = Capture::open(std::slice::from_ref(capture), &Limits::default())?;
    let (mut analyzer, mut lines) = (Analyzer::new(level.options()), Lines::new(ContentMode::None));
    let mut summary = Summary::new(Options::default().assumptions);
    let (mut packets, mut made, mut out) = (0, 0, Vec::new());
    let mut take = |analyzer: &mut Analyzer| {
        let before = made;
        for row in analyzer.rows() {
            made += 1;
            match level {
                Level::Write => {
                    out.clear();
                    lines.append(row, &mut out);
                    black_box(&out);
                }
                Level::Account => summary.add(row),
                _ => drop(black_box(row)),
            }
        }
        made > before
    };
    let mut found = 0;
    while let Some(together) = capture.next_packets()? {
        let together = together.inspect(|_| packets += 1);
        match level {
            Level::Walk => found += together.map(|packet| u64::from(packet.len)).sum::<u64>(),
            Level::Slice => found += together.filter(|packet| matches!(slice(packet), Sliced::Segment(_))).count() as u64,
            _ => {
                analyzer.packets(together);
                take(&mut analyzer);
            }
        }
    }
    analyzer.finish();
    while take(&mut analyzer) {}
    black_box(&summary);
    Ok((packets, made + found))
}

/// The shortest of a few runs, in turn, so that what else the machine does meets all of them.
fn times(capture: &PathBuf) -> Result<Vec<(Level, u64, Duration)>> {
    let mut best: Vec<_> = Level::ALL.into_iter().map(|level| (level, 0, Duration::MAX)).collect();
    for _ in 0..5 {
        for (level, packets, shortest) in &mut best {
            let begin = Instant::now();
            (*packets, _) = run(capture, *level)?;
            *shortest = begin.elapsed().min(*shortest);
        }
    }
    Ok(best)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match &arguments[..] {
        [] => println!("give a capture: cargo bench --bench stages -- CAPTURE [LEVEL]"),
        [capture, level] => {
            let level =
                Level::ALL.into_iter().find(|known| known.name() == *level).expect("walk, slice, assemble, parse, inflate, write, account");
            let (packets, made) = run(&capture.into(), level)?;
            println!("{packets}\t{made}");
        }
        [capture, ..] => {
            for (level, packets, time) in times(&capture.into())? {
                println!("{:<10} {:>8.0} ns a packet", level.name(), time.as_nanos() as f64 / packets as f64);
            }
        }
    }
    Ok(())
}
