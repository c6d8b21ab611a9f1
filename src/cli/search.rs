//! Which rows of `messages` are shown by what they are and say.

use clap::ValueEnum;
use regex::bytes::Regex;
use wiretare::{AnomalySet, Content, Cost, Direction, Error, Exchange, Message, Opcode, Quantity, Result, Row};

/// Chooses rows by opcode, direction, size, content and oddity; all that are given have to fit.
#[derive(Debug, clap::Args)]
pub(super) struct Search {
    /// Only WebSocket messages with these opcodes: text, binary, close, ping, pong, continuation, or reserved-0xb and the like
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    opcode: Vec<String>,
    /// Only WebSocket messages that one side sent
    #[arg(long, value_enum, value_name = "SIDE")]
    direction: Option<Side>,
    /// Only exchanges and messages with at least so much decoded content (of request or response), such as `500` or `64KiB`
    ///
    /// Where the decoded length is not known, the length as sent counts.
    #[arg(long, value_name = "SIZE")]
    min_bytes: Option<String>,
    /// Only exchanges and messages whose decoded content (of request or response) matches REGEX
    ///
    /// As in the `regex` crate: `(?i)` ignores case, `(?-u)` matches octets. Of a long message the first 16 MiB are searched
    /// (`--limit full_content=…`).
    #[arg(long, value_name = "REGEX")]
    grep: Option<String>,
    /// Only rows that show something odd
    #[arg(long)]
    anomalies: bool,
}

/// A side that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Side {
    /// What the client sent
    Client,
    /// What the server sent
    Server,
}

impl Side {
    pub(super) fn direction(self) -> Direction {
        match self {
            Self::Client => Direction::ClientToServer,
            Self::Server => Direction::ServerToClient,
        }
    }
}

/// A search at work.
#[derive(Debug)]
pub(super) struct Searcher {
    opcodes: Vec<Opcode>,
    direction: Option<Direction>,
    min_bytes: Option<u64>,
    grep: Option<Regex>,
    anomalies: bool,
    /// Contents of which only the beginning could be searched, in vain.
    cut: u64,
    /// Contents that are not known.
    unknown: u64,
}

impl Search {
    /// Checks what was given.
    pub(super) fn searcher(&self) -> Result<Searcher> {
        let opcodes = self.opcode.iter().map(|name| opcode(name)).collect::<Result<_>>()?;
        let min_bytes = self.min_bytes.as_deref().map(min_bytes).transpose()?;
        let grep = self.grep.as_deref().map(|pattern| {
            Regex::new(pattern)
                .map_err(|error| Error::Usage(format!("--grep: {error}\nhint: `\\` takes a character as it is, as in `\\[`")))
        });
        Ok(Searcher {
            opcodes,
            direction: self.direction.map(Side::direction),
            min_bytes,
            grep: grep.transpose()?,
            anomalies: self.anomalies,
            cut: 0,
            unknown: 0,
        })
    }
}

fn opcode(name: &str) -> Result<Opcode> {
    let known = (0..16).map(Opcode::of_bits).find(|opcode| opcode.name() == name.trim());
    known.ok_or_else(|| {
        Error::Usage(format!("--opcode: `{name}` is none of text, binary, close, ping, pong, continuation, reserved-0x3 … reserved-0xf"))
    })
}

fn min_bytes(text: &str) -> Result<u64> {
    let size = Quantity::Size.parse(text);
    size.ok_or_else(|| Error::Usage(format!("--min-bytes: `{text}` is no size, such as 500, 64KiB or 1MiB")))
}

impl Searcher {
    /// Whether anything is searched for.
    pub(super) fn is_some(&self) -> bool {
        let is_of_messages = !self.opcodes.is_empty() || self.direction.is_some();
        is_of_messages || self.min_bytes.is_some() || self.grep.is_some() || self.anomalies
    }

    /// Whether contents are needed.
    pub(super) fn needs_content(&self) -> bool {
        self.grep.is_some()
    }

    /// Whether a row is shown.
    pub(super) fn shows(&mut self, row: &Row) -> bool {
        match row {
            Row::Message(message) => self.shows_message(message),
            Row::Exchange(exchange) => self.shows_exchange(exchange),
            Row::Connection(row) => {
                let is_of_content = self.min_bytes.is_some() || self.grep.is_some() || !self.opcodes.is_empty() || self.direction.is_some();
                !is_of_content && (!self.anomalies || !row.anomalies.is_empty())
            }
        }
    }

    fn shows_message(&mut self, message: &Message) -> bool {
        (self.opcodes.is_empty() || self.opcodes.contains(&message.opcode))
            && self.direction.is_none_or(|direction| direction == message.direction)
            && (!self.anomalies || is_odd(message.anomalies, [&message.content]))
            && self.min_bytes.is_none_or(|min| len(&message.cost) >= min)
            && self.matches(&message.content, &message.cost)
    }

    fn shows_exchange(&mut self, exchange: &Exchange) -> bool {
        let request = exchange.request.as_ref().map(|request| (&request.content, &request.cost));
        let response = exchange.response.as_ref().map(|response| (&response.content, &response.cost));
        let parts: Vec<_> = request.into_iter().chain(response).collect();
        self.opcodes.is_empty()
            && self.direction.is_none()
            && (!self.anomalies || is_odd(exchange.anomalies, parts.iter().map(|(content, _)| *content)))
            && self.min_bytes.is_none_or(|min| parts.iter().any(|(_, cost)| len(cost) >= min))
            && (self.grep.is_none() || parts.iter().any(|(content, cost)| self.matches(content, cost)))
    }

    fn matches(&mut self, content: &Content, cost: &Cost) -> bool {
        let Some(grep) = &self.grep else { return true };
        let Some(sample) = content.sample.as_deref() else {
            self.unknown += u64::from(cost.encoded_bytes > 0);
            return grep.is_match(b"") && cost.encoded_bytes == 0;
        };
        let found = grep.is_match(sample);
        self.cut += u64::from(!found && cost.content_bytes.is_some_and(|all| all > sample.len() as u64));
        found
    }

    /// What the search could not see, a sentence each.
    pub(super) fn unseen(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.cut > 0 {
            notes.push(format!("of {} contents only the beginning was searched: `--limit full_content=…` keeps more", self.cut));
        }
        if self.unknown > 0 {
            notes.push(format!("{} contents are not known and could not be searched: lost, or not to be decoded", self.unknown));
        }
        notes
    }
}

fn is_odd<'a>(anomalies: AnomalySet, contents: impl IntoIterator<Item = &'a Content>) -> bool {
    !anomalies.is_empty() || contents.into_iter().any(|content| !content.anomalies.is_empty())
}

/// Octets of decoded content; where they are not known, as sent.
fn len(cost: &Cost) -> u64 {
    cost.content_bytes.unwrap_or(cost.encoded_bytes)
}

/// Keeps no more of a row's content than so many octets, and nothing where `None`.
pub(super) fn shorten(row: &mut Row, most: Option<usize>) {
    let cut = |content: &mut Content| match most {
        None => content.sample = None,
        Some(most) => {
            if let Some(sample) = content.sample.take_if(|sample| sample.len() > most) {
                content.sample = Some(sample[..most].into());
            }
        }
    };
    match row {
        Row::Message(message) => cut(&mut message.content),
        Row::Exchange(exchange) => {
            exchange.request.iter_mut().for_each(|request| cut(&mut request.content));
            exchange.response.iter_mut().for_each(|response| cut(&mut response.content));
        }
        Row::Connection(_) => {}
    }
}
