//! `wiretare dissect`: frame by frame, layer by layer, as Wireshark shows it.

use std::path::PathBuf;

use clap::ValueEnum;
use wiretare::dissect::{Dissection, Dissector, append_json, append_line, append_tree, late_line};
use wiretare::report::thousands;
use wiretare::{ContentMode, Error, Options, Result, Totals};

use super::Outcome;
use super::arguments::{Display, Input, number};
use super::live;
use super::notes::Notes;
use super::output::Output;
use super::progress::Progress;
use super::run::Facts;

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare dissect capture.pcapng                       a line for each frame
  wiretare dissect --frame 136 capture.pcapng           one frame, all its layers
  wiretare dissect --frame 20-40,57 -f tree a.pcap
  wiretare dissect -f json a.pcap | jq '.[]._source.layers.websocket // empty'

A message is shown at the frame that completed it, with the frames that carried it.";

/// Octets of a message's content that are shown without `--content full`: what fits a few screens.
const PREVIEW: usize = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) input: Input,
    /// Only these frames, such as `136`, `20-40`, `100-` or `1,5-7`
    #[arg(long, value_name = "FRAMES")]
    frame: Option<Frames>,
    /// Only frames of this connection (Wireshark's tcp.stream)
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    connection: Option<u64>,
    /// How frames are printed; by default a tree when frames are named, otherwise lines
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// How much of the decoded content is shown
    #[arg(long, value_enum, value_name = "HOW_MUCH", default_value_t = Content::Preview)]
    content: Content,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Every layer with its fields
    Tree,
    /// One line a frame
    Line,
    /// As `tshark -T json`, with its field names
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Content {
    /// Nothing
    None,
    /// The first 4096 bytes (unless `--limit preview=…` says otherwise)
    Preview,
    /// All of it, up to 16 MiB a message
    Full,
}

/// Numbers of frames: ranges in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frames(Vec<(u64, u64)>);

impl std::str::FromStr for Frames {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        text.split(',')
            .map(range)
            .collect::<Option<Vec<_>>>()
            .map(Self)
            .ok_or_else(|| format!("{text:?} names no frames: wanted numbers from 1 and ranges, such as `136`, `20-40`, `100-` or `1,5-7`"))
    }
}

fn range(text: &str) -> Option<(u64, u64)> {
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|&number| number > 0);
    match text.split_once('-') {
        None => number(text).map(|frame| (frame, frame)),
        Some((first, "")) => Some((number(first)?, u64::MAX)),
        Some((first, last)) => Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last),
    }
}

impl Frames {
    fn contain(&self, number: u64) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&number))
    }

    /// The last frame that is wanted.
    fn last(&self) -> u64 {
        self.0.iter().map(|&(_, last)| last).max().unwrap_or(0)
    }
}

impl Args {
    fn format(&self) -> Format {
        self.format.unwrap_or(if self.frame.is_some() { Format::Tree } else { Format::Line })
    }

    fn options(&self) -> Result<Options> {
        let mut options = self.input.options()?;
        let default = Options::default().limits.preview;
        if options.limits.preview == default {
            options.limits.preview = PREVIEW;
        }
        options.content = match (self.format(), self.content) {
            (Format::Line, _) | (_, Content::None) => ContentMode::None,
            (_, Content::Preview) => ContentMode::Preview,
            (_, Content::Full) => ContentMode::Full,
        };
        Ok(options)
    }

    fn wants(&self, dissection: &Dissection<'_>) -> bool {
        self.frame.as_ref().is_none_or(|frames| frames.contain(dissection.number()))
            && self.connection.is_none_or(|connection| dissection.connection() == Some(connection))
    }
}

/// Prints the frames of the captures.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let files = args.input.files()?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let mut printer = Printer { format: args.format(), shown: 0, has_late: false };
    printer.begin(output.buffer());
    let read = read(&args, &files, &mut printer, &mut output);
    if matches!(read, Err(Error::Read { .. } | Error::Open { .. })) && printer.format != Format::Json {
        // Each frame is complete in itself: those that were known are not lost with the rest.
        output.flush()?;
    }
    let facts = read?;
    if let (Some(connection), false) = (args.connection, stopped_early(&args, &facts.totals)) {
        check_connection(connection, &facts.totals)?;
    }
    printer.end(output.buffer());
    output.finish()?;
    let damaged = notes.damage(&facts);
    if printer.shown == 0 {
        notes.note(nothing_shown(&args, facts.totals.packets));
    }
    Ok(Outcome::of(damaged, printer.shown == 0))
}

/// Why no frame was shown.
fn nothing_shown(args: &Args, packets: u64) -> String {
    match (packets, args.connection, &args.frame) {
        (0, ..) => "the capture holds no frame".into(),
        (_, Some(connection), Some(_)) => format!("none of these frames is of connection {connection}"),
        (_, Some(connection), None) => format!("no frame is of connection {connection}"),
        (1, None, _) => "no frame has such a number; the capture holds one, number 1".into(),
        (_, None, _) => format!("no frame has such a number; the capture holds {}, numbered from 1", thousands(packets)),
    }
}

fn stopped_early(args: &Args, totals: &Totals) -> bool {
    args.frame.as_ref().is_some_and(|frames| totals.packets >= frames.last())
}

/// Whether there is such a connection; otherwise says which there are.
pub(super) fn check_connection(connection: u64, totals: &Totals) -> Result<()> {
    match totals.connections {
        0 => Err(Error::Usage(format!("no connection {connection}: the capture holds no TCP connection at all"))),
        1 if connection > 0 => Err(Error::Usage(format!("no connection {connection}: the capture holds one, number 0"))),
        count if connection >= count => Err(Error::Usage(format!(
            "no connection {connection}: the capture holds {}, numbered from 0 to {}\nhint: `wiretare messages -f table` lists them",
            thousands(count),
            count - 1
        ))),
        _ => Ok(()),
    }
}

fn read(args: &Args, files: &[PathBuf], printer: &mut Printer, output: &mut Output) -> Result<Facts> {
    let options = args.options()?;
    let live = files.iter().any(|file| live::is_live(file));
    let mut progress = Progress::new(!args.display.quiet && !args.display.no_progress && !args.display.on_terminal());
    let mut capture = live::open(files, &options.limits)?;
    let mut dissector = Dissector::new(options);
    let last = args.frame.as_ref().map_or(u64::MAX, Frames::last);
    let mut is_whole = true;
    while let Some(packet) = capture.next()? {
        let dissection = dissector.packet(&packet);
        if args.wants(&dissection) {
            printer.append(&dissection, output.buffer());
            output.flush_when_full()?;
            if live {
                output.flush()?;
            }
        }
        if packet.frame.number >= last {
            is_whole = false;
            break;
        }
        progress.advance(|| (capture.bytes_read(), capture.size()));
    }
    if is_whole {
        dissector.finish();
        while let Some(ended) = dissector.poll_late() {
            if args.frame.is_none() && args.connection.is_none_or(|only| only == ended.connection()) {
                printer.append_late(&late_line(&ended), output.buffer());
                output.flush_when_full()?;
            }
        }
    }
    Ok(Facts { files: capture.files(), totals: dissector.totals().clone() })
}

struct Printer {
    format: Format,
    /// Frames so far.
    shown: u64,
    has_late: bool,
}

impl Printer {
    fn begin(&self, out: &mut Vec<u8>) {
        if self.format == Format::Json {
            out.extend_from_slice(b"[");
        }
    }

    fn append(&mut self, dissection: &Dissection<'_>, out: &mut Vec<u8>) {
        self.shown += 1;
        match self.format {
            Format::Line => append_line(dissection, out),
            Format::Tree => {
                if self.shown > 1 {
                    out.push(b'\n');
                }
                append_tree(&dissection.tree(), out);
            }
            Format::Json => {
                out.extend_from_slice(if self.shown > 1 { b",\n" } else { b"\n" });
                out.extend_from_slice(br#"{"_index":"packets","_type":"doc","_score":null,"_source":{"layers":"#);
                append_json(&dissection.tree(), out);
                out.extend_from_slice(b"}}");
            }
        }
    }

    /// What only the end of the capture completed, or cut.
    fn append_late(&mut self, line: &str, out: &mut Vec<u8>) {
        if self.format == Format::Tree {
            if !std::mem::replace(&mut self.has_late, true) {
                out.extend_from_slice(b"\n[With the end of the capture]\n");
            }
            out.extend_from_slice(format!("    {line}\n").as_bytes());
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        if self.format == Format::Json {
            out.extend_from_slice(b"\n]\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_named_by_numbers_and_ranges() {
        let frames: Frames = "1,5-7,100-".parse().expect("frames");
        assert_eq!(frames, Frames(vec![(1, 1), (5, 7), (100, u64::MAX)]));
        assert!([1, 5, 6, 7, 100, 1000].into_iter().all(|number| frames.contain(number)));
        assert!(![2, 4, 8, 99].into_iter().any(|number| frames.contain(number)));
        for wrong in ["", "0", "7-5", "a", "1,", "-5", "1-2-3", "+"] {
            assert!(wrong.parse::<Frames>().is_err(), "{wrong}");
        }
    }
}
