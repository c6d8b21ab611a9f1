//! Arguments that several commands share.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wiretare::report::page::{Layout, Markup};
use wiretare::{AjaxScope, Error, Glob, NamedLimit, Options, Result};

/// What is read.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// Captures, pcap or pcapng, plain or compressed; `-` is standard input
    ///
    /// Several files are one capture in time order, so a connection goes on from one rotated file to the next. Without any,
    /// standard input is read when it is a pipe or a file.
    #[arg(value_name = "CAPTURE")]
    pub(super) captures: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Exit with 3 when the capture was damaged or held nothing to measure
    #[arg(long)]
    pub(super) strict: bool,
}

/// How captures are read.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct How {
    /// Which HTTP exchanges count as Ajax
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Ajax::Detected)]
    ajax: Ajax,
    /// Of these, only exchanges with a host like GLOB (`*` and `?`; with or without the port)
    #[arg(long, value_name = "GLOB")]
    ajax_host: Option<String>,
    /// Of these, only exchanges with a path like GLOB (`*` and `?`; without the query)
    #[arg(long, value_name = "GLOB")]
    ajax_path: Option<String>,
    /// What a port is taken for, such as `tcp.port==9000,websocket` (as tshark spells it); may be repeated
    ///
    /// Protocols are http (and what it is upgraded to), websocket (frames from the first octet captured, where that is no HTTP)
    /// and data (only accounted).
    /// Ports may be ranges: `tcp.port==9000-9010,http`. Without it, HTTP is recognised on every port, and WebSocket by its
    /// opening handshake or, where that was not captured, by its frames.
    #[arg(short, long, value_name = "RULE")]
    decode_as: Vec<String>,
    /// Threads that decode compressed WebSocket messages of files; by default one for each processor. The output is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Leave compressed content as it is: faster, with the same costs on the wire, but content_bytes is null where it was
    /// compressed
    #[arg(long)]
    no_decode: bool,
    /// Tell equal addresses in different VXLAN or Geneve networks apart
    #[arg(long)]
    separate_networks: bool,
    /// Set a limit, such as `idle_timeout=10min` or `http_head=256KiB`; may be repeated, `--limit help` lists them
    ///
    /// Sizes are in B, kB, MB, GB, KiB, MiB or GiB, durations in s, min or h.
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
}

/// How and where it is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Display {
    /// Write to FILE instead of standard output
    ///
    /// FILE appears, or is replaced, only when all of it is written; `-` is standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Columns that a table may take, 60 at least; by default those of the terminal, elsewhere as many as it needs
    #[arg(long, value_name = "N", value_parser = columns)]
    width: Option<u16>,
    /// When tables are coloured; where nothing is said, NO_COLOR or TERM=dumb in the environment means never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    /// Print neither notes, nor warnings, nor hints, nor progress; only errors
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Print no progress
    #[arg(long)]
    pub(super) no_progress: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ajax {
    /// Those that a script made, by their header fields
    Detected,
    /// Every one but the opening handshake of a WebSocket
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal
    Auto,
    Always,
    Never,
}

impl Input {
    /// The files to read, in the order of their names, whatever order they were given in.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>> {
        reads_stdin_once(&self.captures)?;
        if !self.captures.is_empty() {
            // Where files overlap, packets of one time are taken in the order of the files: it is to be the same each time.
            let mut captures = self.captures.clone();
            // `trace2` comes before `trace10`.
            captures.sort_by(|a, b| a.as_os_str().len().cmp(&b.as_os_str().len()).then_with(|| a.cmp(b)));
            return Ok(captures);
        }
        if std::io::stdin().is_terminal() {
            super::usage()?;
        }
        Ok(vec![PathBuf::from("-")])
    }

    /// Files that are given more than once.
    pub(super) fn repeated(&self) -> impl Iterator<Item = &Path> {
        let mut seen = HashSet::new();
        self.captures.iter().map(PathBuf::as_path).filter(move |path| path.canonicalize().is_ok_and(|path| !seen.insert(path)))
    }

    /// One file, read in some way.
    pub(super) fn of_file(file: PathBuf, how: How) -> Self {
        Self { captures: vec![file], how, strict: false }
    }

    /// Another file, read in the same way.
    pub(super) fn of(&self, file: &Path) -> Self {
        Self::of_file(file.to_owned(), self.how.clone())
    }

    /// What is asked for of the analysis.
    pub(super) fn options(&self) -> Result<Options> {
        // What is still being captured is wanted at once.
        let is_file = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.is_file());
        let batches = !self.captures.is_empty() && self.captures.iter().all(is_file);
        Ok(Options { batches, ..self.how.options()? })
    }

    /// Whether the names of the limits are asked for, not a run.
    pub(super) fn asks_for_limits(&self) -> bool {
        self.how.asks_for_limits()
    }

    /// Whether anything was said of how captures are read that changes figures.
    pub(super) fn how_is_chosen(&self) -> bool {
        let How { ajax, ajax_host, ajax_path, decode_as, no_decode, jobs: _, separate_networks, limits } = &self.how;
        let narrows = ajax_host.is_some() || ajax_path.is_some() || !decode_as.is_empty() || !limits.is_empty();
        *ajax != Ajax::Detected || *no_decode || *separate_networks || narrows
    }
}

/// Refuses standard input that is named twice.
pub(super) fn reads_stdin_once<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
    match files.into_iter().filter(|file| *file == Path::new("-")).count() {
        0 | 1 => Ok(()),
        _ => Err(Error::Usage("standard input (`-`) is given twice; it can be read once".into())),
    }
}

impl How {
    /// Whether the names of the limits are asked for, not a run.
    pub(super) fn asks_for_limits(&self) -> bool {
        self.limits.iter().any(|limit| limit == "help")
    }

    /// What is asked for of the analysis.
    fn options(&self) -> Result<Options> {
        let ajax = match self.ajax {
            Ajax::Detected => AjaxScope::Detected,
            Ajax::All => AjaxScope::All,
        };
        let decode_as = self.decode_as.iter().map(|rule| rule.parse()).collect::<Result<_>>()?;
        let glob = |glob: &Option<String>| glob.as_deref().map(Glob::new);
        let (ajax_host, ajax_path) = (glob(&self.ajax_host), glob(&self.ajax_path));
        let mut options =
            Options { ajax, ajax_host, ajax_path, decode_as, separate_networks: self.separate_networks, ..Options::default() };
        options.decode = !self.no_decode;
        options.jobs = self.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, |jobs| jobs.get()), usize::from);
        self.limits.iter().try_for_each(|limit| options.set_limit(limit))?;
        Ok(options)
    }
}

impl Display {
    /// Whether the output goes to a terminal.
    pub(super) fn on_terminal(&self) -> bool {
        !self.to_file() && std::io::stdout().is_terminal()
    }

    fn to_file(&self) -> bool {
        self.output.as_deref().is_some_and(|file| file != Path::new("-"))
    }

    /// Columns of a table: as given, else of COLUMNS, else of the terminal; `None` for as many as it needs.
    pub(super) fn width(&self) -> Option<usize> {
        let width = match self.width.map(usize::from) {
            None if self.on_terminal() => columns_of_terminal(),
            width => width,
        };
        width.map(|width| width.max(LEAST_COLUMNS))
    }

    /// How pages are laid out.
    pub(super) fn layout(&self) -> Layout {
        Layout {
            width: self.width().map(|width| u16::try_from(width).unwrap_or(u16::MAX)),
            color: self.color(),
            without_hints: self.quiet,
            markup: Markup::Plain,
        }
    }

    /// How they are laid out as Markdown.
    pub(super) fn markdown(&self) -> Layout {
        Layout { markup: Markup::Markdown, ..self.layout() }
    }

    /// Whether tables are coloured: the flag, then the environment, then whether it is a terminal.
    pub(super) fn color(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => self.on_terminal() && !wants_plain(),
        }
    }
}

/// Whether the environment asks for text without escapes, or its terminal knows none.
fn wants_plain() -> bool {
    let is = |name, what: fn(&OsStr) -> bool| std::env::var_os(name).is_some_and(|value| what(&value));
    is("NO_COLOR", |value| !value.is_empty()) || is("TERM", |value| value == "dumb")
}

/// Fewer would cut numbers.
const LEAST_COLUMNS: usize = 60;

fn columns_of_terminal() -> Option<usize> {
    let of_environment = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|&columns| columns > 0);
    of_environment.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
}

/// A whole number as an argument; the message of the standard library speaks of digits and strings.
pub(super) fn number(text: &str) -> std::result::Result<u64, String> {
    text.trim().parse().map_err(|_| "wanted a whole number, such as 0 or 12".into())
}

/// Columns of a table.
fn columns(text: &str) -> std::result::Result<u16, String> {
    let columns = text.trim().parse().ok().filter(|columns| (1..).contains(columns));
    columns.ok_or_else(|| "wanted a number of columns from 1 to 65535".into())
}

/// The limits that can be set: a line each with name, default and what it bounds.
pub(super) fn list_of_limits() -> String {
    let defaults = Options::default();
    let line = |limit: &NamedLimit| format!("{:<22} {:>8}  {}\n", limit.name, limit.display(limit.get(&defaults)), limit.what);
    NamedLimit::ALL.iter().map(line).collect()
}
