//! `wiretare messages`: a row for each exchange, message and connection, as soon as it is known.

use clap::ValueEnum;
use wiretare::report::csv::rows::Lines as CsvLines;
use wiretare::report::listing::Listing;
use wiretare::report::ndjson::Lines;
use wiretare::report::thousands;
use wiretare::{ContentMode, Error, Options, Result, Row, Timestamp};

use super::Outcome;
use super::arguments::{Display, Input};
use super::filter::{Filter, Selection};
use super::live;
use super::notes::Notes;
use super::ordered::Ordered;
use super::output::Output;
use super::progress::Progress;
use super::run::{Order, Sink, run as read};
use super::search::{Search, Searcher, shorten};

pub(super) const EXAMPLES: &str = "\
Examples:
  wiretare messages -f table capture.pcapng                  a line for each, for people
  wiretare messages --content full --digest a.pcap           with all that was said, and its SHA-256
  wiretare messages --host '*.example.org' --path '/api/*' a.pcap
  wiretare messages -f table --opcode text --direction server --grep '(?i)error' a.pcap
  wiretare messages --anomalies a.pcap
  wiretare messages -f csv -o costs.csv a.pcap               for a spreadsheet
  wiretare messages a.pcap | jq -c 'select(.opcode == \"ping\") | .wire_bytes'

Sizes are in bytes, durations in seconds, times in UTC. What is not known is null.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) input: Input,
    /// How rows are printed
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Ndjson)]
    format: Format,
    /// How much of the decoded content is shown; by default a preview in a table, else nothing
    #[arg(long, value_enum, value_name = "HOW_MUCH")]
    content: Option<Content>,
    /// Add the SHA-256 of each message's decoded content
    #[arg(long)]
    digest: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(super) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line
    Ndjson,
    /// For spreadsheets: a line for each request, response and WebSocket message, and for what a side paid beside them on a
    /// connection; `wire_bytes` adds up to all that was sent
    Csv,
    /// Aligned columns
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Content {
    /// Nothing
    None,
    /// The first 256 bytes
    Preview,
    /// All of it, up to 16 MiB a message
    Full,
}

enum Writer {
    Ndjson(Box<Ordered>),
    Csv(Box<CsvLines>),
    Table(Listing),
}

impl Writer {
    fn start(&mut self, first: Timestamp, output: &mut Output) {
        if let Self::Table(listing) = self {
            listing.start(first);
            listing.append_header(output.buffer());
        }
    }

    #[inline(always)]
    fn append(&mut self, number: u64, row: &Row, output: &mut Output) -> Result<()> {
        match self {
            Self::Ndjson(lines) => lines.append(number, row, output),
            Self::Csv(lines) => {
                lines.append(row, output.buffer());
                output.flush_when_full()
            }
            Self::Table(listing) => {
                listing.append(row, output.buffer());
                output.flush_when_full()
            }
        }
    }

    /// Learns from a row that is not shown.
    fn learn(&mut self, row: &Row) {
        match self {
            Self::Ndjson(_) => {}
            Self::Csv(lines) => lines.learn(row),
            Self::Table(listing) => listing.learn(row),
        }
    }

    /// Writes all rows before the first one that is late.
    fn flush(&mut self, output: &mut Output) -> Result<()> {
        match self {
            Self::Ndjson(lines) => lines.flush(output),
            Self::Csv(_) | Self::Table(_) => output.flush(),
        }
    }
}

impl Args {
    fn content(&self) -> ContentMode {
        match (self.content, self.format) {
            (Some(Content::None), _) | (None, Format::Ndjson | Format::Csv) => ContentMode::None,
            (Some(Content::Preview), _) | (None, Format::Table) => ContentMode::Preview,
            (Some(Content::Full), _) => ContentMode::Full,
        }
    }
}

/// Octets shown of a content; `None` for nothing.
fn kept(options: &Options) -> Option<usize> {
    match options.content {
        ContentMode::None => None,
        ContentMode::Preview => Some(options.limits.preview),
        ContentMode::Full => Some(options.limits.full_content),
    }
}

/// Prints rows.
struct Printer {
    writer: Writer,
    output: Output,
    /// What tells which rows are shown, unless all are.
    chooser: Option<Chooser>,
    /// Whether what is known is written before a packet is waited for.
    live: bool,
    /// Rows that were shown.
    shown: u64,
    /// Those of them that are messages or exchanges.
    measured: u64,
}

impl Sink for Printer {
    fn first(&mut self, time: Timestamp) {
        self.writer.start(time, &mut self.output);
    }

    // Always: what few cycles a row takes should not go into calls.
    #[inline(always)]
    fn row(&mut self, mut number: u64, row: &mut Row) -> Result<()> {
        if let Some(chooser) = &mut self.chooser {
            if !chooser.is_chosen(row) {
                self.writer.learn(row);
                return Ok(());
            }
            // What is filtered out leaves no gap.
            number = self.shown;
        }
        self.shown += 1;
        self.measured += u64::from(!matches!(row, Row::Connection(_)));
        self.writer.append(number, row, &mut self.output)
    }

    fn pause(&mut self) -> Result<()> {
        if self.live { self.writer.flush(&mut self.output) } else { Ok(()) }
    }
}

/// Tells which rows are shown.
struct Chooser {
    filter: Filter,
    searcher: Searcher,
    /// How much of a content is shown, if it is kept whole to be searched.
    most: Option<Option<usize>>,
}

impl Chooser {
    /// Whether a row is shown; of its content no more is left then than is to be seen.
    #[inline(never)]
    fn is_chosen(&mut self, row: &mut Row) -> bool {
        let is_chosen = self.filter.shows(row) && self.searcher.shows(row);
        if is_chosen && let Some(most) = self.most {
            shorten(row, most);
        }
        is_chosen
    }
}

/// Prints the rows of the captures.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let mut options = Options { content: args.content(), digest: args.digest, ..args.input.options()? };
    let searcher = args.search.searcher()?;
    let files = args.input.files()?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let writer = match args.format {
        Format::Ndjson => Writer::Ndjson(Box::new(Ordered::new(Lines::new(options.content)))),
        Format::Csv => Writer::Csv(Box::default()),
        Format::Table => Writer::Table(Listing::new(args.display.width(), args.display.color())),
    };
    if let Writer::Csv(lines) = &writer {
        lines.append_header(output.buffer());
    }
    // What is searched is kept whole, and shown as far as was asked for.
    let most = searcher.needs_content().then(|| kept(&options));
    if most.is_some() {
        options.content = ContentMode::Full;
    }
    let live = files.iter().any(|file| live::is_live(file));
    // Rows that scroll by are progress enough.
    let progress = Progress::new(!args.display.quiet && !args.display.no_progress && !args.display.on_terminal());
    let has_filters = args.selection.is_some() || searcher.is_some();
    let chooser = has_filters.then(|| Chooser { filter: Filter::new(args.selection), searcher, most });

    // Filters know of earlier rows, and a line with content is longer than its row.
    let order = match args.format {
        Format::Ndjson if chooser.is_none() && options.content == ContentMode::None => Order::Known,
        Format::Ndjson | Format::Csv | Format::Table => Order::Completion,
    };

    let mut printer = Printer { writer, output, chooser, live, shown: 0, measured: 0 };
    let facts = read(&files, options, order, progress, &mut printer);
    let Printer { mut writer, mut output, chooser, shown, measured, .. } = printer;
    if matches!(facts, Err(Error::Read { .. } | Error::Open { .. })) {
        // Each row is complete in itself: those that were known are not lost with the rest.
        writer.flush(&mut output)?;
    }
    let facts = facts?;
    writer.flush(&mut output)?;
    output.finish()?;

    let damaged = notes.damage(&facts);
    if let Some(chooser) = &chooser {
        chooser.searcher.unseen().into_iter().for_each(|sentence| notes.note(sentence));
    }
    if measured == 0 {
        let packets = thousands(facts.totals.packets);
        match chooser {
            // Ends of connections alone are an answer too.
            Some(_) if shown > 0 => {}
            Some(chooser) => {
                notes.note(format_args!("nothing in {packets} packets passed the filters"));
                if let Some(instead) = chooser.searcher.instead().or_else(|| chooser.filter.instead()) {
                    notes.hint(instead);
                }
            }
            None => notes.note(format_args!("no exchange and no message in {packets} packets; `wiretare report` says what they hold")),
        }
    }
    Ok(Outcome::of(damaged, measured == 0))
}
