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
use super::run::{Event, Order, run as read};
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

    #[inline]
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

/// Whether a row is shown; of its content no more is left then than is to be seen.
#[inline(never)]
fn is_chosen(row: &mut Row, filter: &mut Filter, searcher: &mut Searcher, shown: Option<Option<usize>>) -> bool {
    let is_chosen = filter.shows(row) && searcher.shows(row);
    if is_chosen && let Some(most) = shown {
        shorten(row, most);
    }
    is_chosen
}

/// Prints the rows of the captures.
pub(super) fn run(args: Args, notes: &Notes) -> Result<Outcome> {
    let mut options = Options { content: args.content(), digest: args.digest, ..args.input.options()? };
    let mut searcher = args.search.searcher()?;
    let files = args.input.files()?;
    let mut output = Output::open(args.display.output.as_deref(), &files)?;
    let mut writer = match args.format {
        Format::Ndjson => Writer::Ndjson(Box::new(Ordered::new(Lines::new(options.content)))),
        Format::Csv => Writer::Csv(Box::default()),
        Format::Table => Writer::Table(Listing::new(args.display.width(), args.display.color())),
    };
    if let Writer::Csv(lines) = &writer {
        lines.append_header(output.buffer());
    }
    // What is searched is kept whole, and shown as far as was asked for.
    let shown = searcher.needs_content().then(|| kept(&options));
    if shown.is_some() {
        options.content = ContentMode::Full;
    }
    let live = files.iter().any(|file| live::is_live(file));
    // Rows that scroll by are progress enough.
    let progress = Progress::new(!args.display.quiet && !args.display.no_progress && !args.display.on_terminal());
    let filtered = args.selection.is_some() || searcher.is_some();
    let mut filter = Filter::new(args.selection);
    let mut measured = 0u64;
    let mut shown_rows = 0u64;

    // Filters know of earlier rows, and a line with content is longer than its row.
    let order = match args.format {
        Format::Ndjson if !filtered && options.content == ContentMode::None => Order::Known,
        Format::Ndjson | Format::Csv | Format::Table => Order::Completion,
    };

    let facts = read(&files, options, order, progress, |event| match event {
        Event::First(time) => {
            writer.start(time, &mut output);
            Ok(())
        }
        Event::Row(number, row) => {
            if filtered && !is_chosen(row, &mut filter, &mut searcher, shown) {
                writer.learn(row);
                return Ok(());
            }
            // What is filtered out leaves no gap.
            let number = if filtered { shown_rows } else { number };
            shown_rows += 1;
            measured += u64::from(!matches!(row, Row::Connection(_)));
            writer.append(number, row, &mut output)
        }
        Event::Pause if live => writer.flush(&mut output),
        Event::Pause => Ok(()),
    });
    if matches!(facts, Err(Error::Read { .. } | Error::Open { .. })) {
        // Each row is complete in itself: those that were known are not lost with the rest.
        writer.flush(&mut output)?;
    }
    let facts = facts?;
    writer.flush(&mut output)?;
    output.finish()?;

    let damaged = notes.damage(&facts);
    searcher.unseen().into_iter().for_each(|sentence| notes.note(sentence));
    if measured == 0 {
        let packets = thousands(facts.totals.packets);
        match filtered {
            // Ends of connections alone are an answer too.
            true if shown_rows > 0 => {}
            true => {
                notes.note(format_args!("nothing in {packets} packets passed the filters"));
                if let Some(instead) = searcher.instead().or_else(|| filter.instead()) {
                    notes.hint(instead);
                }
            }
            false => notes.note(format_args!("no exchange and no message in {packets} packets; `wiretare report` says what they hold")),
        }
    }
    Ok(Outcome::of(damaged, measured == 0))
}
