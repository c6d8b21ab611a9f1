//! `wiretare follow`: what was said on one connection, unmasked and decoded.

use std::path::PathBuf;

use clap::ValueEnum;
use wiretare::report::ndjson::Lines;
use wiretare::report::thousands;
use wiretare::report::transcript::{Style, Transcript, Turn};
use wiretare::{Analyzer, ContentMode, Direction, Error, Options, Part, Result, Row};

use super::Outcome;
use super::arguments::{Display, Input, number};
use super::dissect::check_connection;
use super::live;
use super::notes::Notes;
use super::output::Output;
use super::progress::Progress;
use super::run::Facts;
use super::search::Side;

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare follow --connection 2 capture.pcapng
  wiretare follow --connection 2 -f hex a.pcap
  wiretare follow --connection 0 -f raw --direction server a.pcap > content.bin
  wiretare follow --connection 2 -f ndjson a.pcap | jq -r .content

`wiretare messages -f table` lists the connections. Messages appear when they are complete.";

/// Connections that an error names.
const NAMED: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) input: Input,
    /// The connection to follow (Wireshark's tcp.stream)
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    connection: u64,
    /// How it is printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// Only what one side said
    #[arg(long, value_enum, value_name = "SIDE")]
    direction: Option<Side>,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Each message with its time and direction, as text where it is text
    Text,
    /// The content's octets and nothing else, for other programs
    Raw,
    /// Each message as a hex dump
    Hex,
    /// The rows of `messages --content full`, one JSON object a line
    Ndjson,
}

/// Prints one connection of the captures.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let files = args.input.files()?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let mut follower = Follower::new(&args);
    let read = read(&args, &files, &mut follower, &mut output);
    if matches!(read, Err(Error::Read { .. } | Error::Open { .. })) {
        // Each message is complete in itself: those that were known are not lost with the rest.
        output.flush()?;
    }
    let facts = read?;
    check_connection(args.connection, &facts.totals)?;
    output.finish()?;
    let damaged = notes.damage(&facts);
    follower.say(notes);
    Ok(Outcome::of(damaged, follower.shown == 0))
}

fn read(args: &Args, files: &[PathBuf], follower: &mut Follower, output: &mut Output) -> Result<Facts> {
    let options = Options { content: ContentMode::Full, parts: args.format != Format::Ndjson, ..args.input.options()? };
    let live = files.iter().any(|file| live::is_live(file));
    let mut progress = Progress::new(!args.display.quiet && !args.display.no_progress && !args.display.on_terminal());
    let mut capture = live::open(files, &options.limits)?;
    let mut analyzer = Analyzer::new(options);
    while let Some(packet) = capture.next()? {
        follower.start(packet.frame.time);
        analyzer.packet(&packet);
        let has_more = follower.take(&mut analyzer, output.buffer());
        output.flush_when_full()?;
        if live && has_more {
            output.flush()?;
        }
        if follower.is_over {
            // Nothing more of this connection comes; what the rest holds is not asked for.
            let totals = analyzer.totals().clone();
            return Ok(Facts { files: capture.files(), totals });
        }
        progress.advance(|| (capture.bytes_read(), capture.size()));
    }
    analyzer.finish();
    while !follower.is_over && follower.take_one(&mut analyzer, output.buffer()) {
        output.flush_when_full()?;
    }
    Ok(Facts { files: capture.files(), totals: analyzer.totals().clone() })
}

/// Chooses what belongs to the connection, and prints it.
struct Follower {
    connection: u64,
    direction: Option<Direction>,
    format: Format,
    transcript: Transcript,
    lines: Lines,
    /// Messages printed.
    shown: u64,
    /// Messages of which only a part was kept or known.
    cut: u64,
    unknown: u64,
    /// Protocols of the connection, when it has ended.
    protocols: Option<Vec<&'static str>>,
    /// Other connections that hold something to follow, for who chose one that does not.
    others: Vec<u64>,
    is_over: bool,
}

impl Follower {
    fn new(args: &Args) -> Self {
        let style = match args.format {
            Format::Text | Format::Ndjson => Style::Text,
            Format::Raw => Style::Raw,
            Format::Hex => Style::Hex,
        };
        Self {
            connection: args.connection,
            direction: args.direction.map(Side::direction),
            format: args.format,
            transcript: Transcript::new(style),
            lines: Lines::new(ContentMode::Full),
            shown: 0,
            cut: 0,
            unknown: 0,
            protocols: None,
            others: Vec::new(),
            is_over: false,
        }
    }

    fn start(&mut self, time: wiretare::Timestamp) {
        self.transcript.start(time);
    }

    /// Prints what the analysis has to say; whether that was anything.
    fn take(&mut self, analyzer: &mut Analyzer, out: &mut Vec<u8>) -> bool {
        let shown = self.shown;
        while self.take_one(analyzer, out) {}
        self.shown != shown
    }

    /// Prints the next row, and the parts that come with it; whether there was one.
    fn take_one(&mut self, analyzer: &mut Analyzer, out: &mut Vec<u8>) -> bool {
        let row = analyzer.poll();
        while let Some(part) = analyzer.poll_part() {
            match part {
                Part::Http(part) if part.connection == self.connection => self.turn(&Turn::Http(&part), out),
                Part::Message(message) if message.connection == self.connection => self.turn(&Turn::Message(&message), out),
                Part::Http(_) | Part::Message(_) | Part::Segment(_) | Part::Copy(_) | Part::WebSocketFrame(_) => {}
            }
        }
        let Some(row) = row else { return false };
        self.row(&row, out);
        true
    }

    fn turn(&mut self, turn: &Turn<'_>, out: &mut Vec<u8>) {
        if self.direction.is_some_and(|only| only != turn.direction()) {
            return;
        }
        self.shown += 1;
        self.count(turn.sample_len(), turn.content_bytes());
        self.transcript.append(turn, out);
    }

    /// Counts a message whose content is not all there.
    fn count(&mut self, kept: u64, content_bytes: Option<u64>) {
        match content_bytes {
            None => self.unknown += 1,
            Some(content) if content > kept => self.cut += 1,
            Some(_) => {}
        }
    }

    fn row(&mut self, row: &Row, out: &mut Vec<u8>) {
        match row {
            Row::Connection(row) if row.connection == self.connection => {
                self.protocols = Some(row.protocols.to_vec());
                self.is_over = true;
            }
            Row::Connection(_) => return,
            Row::Exchange(exchange) if exchange.connection != self.connection => return self.note_other(exchange.connection),
            Row::Message(message) if message.connection != self.connection => return self.note_other(message.connection),
            Row::Exchange(_) | Row::Message(_) => {}
        }
        if self.format != Format::Ndjson {
            return;
        }
        match row {
            Row::Message(message) if self.direction.is_some_and(|only| only != message.direction) => return,
            Row::Message(message) => {
                self.shown += 1;
                self.count(message.content.sample.as_ref().map_or(0, |sample| sample.len() as u64), message.cost.content_bytes);
            }
            Row::Exchange(exchange) => {
                self.shown += 1;
                let request = exchange.request.as_ref().map(|request| (&request.content, request.cost.content_bytes));
                let response = exchange.response.as_ref().map(|response| (&response.content, response.cost.content_bytes));
                for (content, content_bytes) in request.into_iter().chain(response) {
                    self.count(content.sample.as_ref().map_or(0, |sample| sample.len() as u64), content_bytes);
                }
            }
            Row::Connection(_) => {}
        }
        self.lines.append(row, out);
    }

    fn note_other(&mut self, connection: u64) {
        if self.others.len() < NAMED && !self.others.contains(&connection) {
            self.others.push(connection);
        }
    }

    /// Says what the output does not.
    fn say(&self, notes: &Notes) {
        if self.shown == 0 {
            let what = match self.protocols.as_deref() {
                None | Some([]) => "nothing that is understood".to_owned(),
                Some(protocols) => protocols.join(", "),
            };
            notes.note(format_args!("connection {} holds no HTTP and no WebSocket message to show ({what})", self.connection));
            if !self.others.is_empty() {
                let others: Vec<_> = self.others.iter().map(u64::to_string).collect();
                notes.note(format_args!("connections that do: {}", others.join(", ")));
            }
        }
        if self.cut > 0 {
            let messages = if self.cut == 1 { "message is" } else { "messages are" };
            notes.note(format_args!(
                "{} {messages} longer than what is kept of one: `--limit full_content=…` keeps more",
                thousands(self.cut)
            ));
        }
        if self.unknown > 0 {
            notes.note(format_args!(
                "the content of {} {} is not known, or not all of it: lost, or not to be decoded",
                thousands(self.unknown),
                if self.unknown == 1 { "message" } else { "messages" }
            ));
        }
    }
}
