//! Which rows of `messages` are shown by what they are and say.

use clap::ValueEnum;
use regex::bytes::Regex;
use wiretare::report::thousands;
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
    /// Only exchanges and messages with at least so much decoded content (of request or response), such as `500`, `64kB` or `64KiB`
    ///
    /// Units are B, kB, MB, GB, KiB, MiB and GiB. Where the decoded length is not known, the length as sent counts.
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
    /// Rows of which only the beginning of a content could be searched, in vain.
    cut: u64,
    /// Rows with a content that is not known, where what is known does not match.
    unknown: u64,
    /// What there was to choose from.
    exchanges: u64,
    messages: [u64; 16],
}

/// How a content was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Searched {
    Found,
    NotFound,
    /// Not in what was kept of it.
    Cut,
    Unknown,
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
            exchanges: 0,
            messages: [0; 16],
        })
    }
}

fn opcode(name: &str) -> Result<Opcode> {
    let known = (0..16).map(Opcode::of_bits).find(|opcode| opcode.name().eq_ignore_ascii_case(name.trim()));
    known.ok_or_else(|| {
        Error::Usage(format!("--opcode: `{name}` is none of text, binary, close, ping, pong, continuation, reserved-0x3 … reserved-0xf"))
    })
}

fn min_bytes(text: &str) -> Result<u64> {
    let size = Quantity::Size.parse(text);
    size.ok_or_else(|| Error::Usage(format!("--min-bytes: `{text}` is no size, such as 500, 64kB or 64KiB")))
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
            Row::Message(message) => {
                self.messages[usize::from(message.opcode.bits() & 15)] += 1;
                self.shows_message(message)
            }
            Row::Exchange(exchange) => {
                self.exchanges += 1;
                self.shows_exchange(exchange)
            }
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
            && self.matches([(&message.content, &message.cost)])
    }

    fn shows_exchange(&mut self, exchange: &Exchange) -> bool {
        let request = exchange.request.as_ref().map(|request| (&request.content, &request.cost));
        let response = exchange.response.as_ref().map(|response| (&response.content, &response.cost));
        let parts = || request.into_iter().chain(response);
        self.opcodes.is_empty()
            && self.direction.is_none()
            && (!self.anomalies || is_odd(exchange.anomalies, parts().map(|(content, _)| content)))
            && self.min_bytes.is_none_or(|min| parts().any(|(_, cost)| len(cost) >= min))
            && self.matches(parts())
    }

    /// Whether one of a row's contents matches.
    fn matches<'a>(&mut self, contents: impl IntoIterator<Item = (&'a Content, &'a Cost)>) -> bool {
        let Some(grep) = &self.grep else { return true };
        let searched: Vec<Searched> = contents.into_iter().map(|(content, cost)| search(grep, content, cost)).collect();
        if searched.contains(&Searched::Found) {
            return true;
        }
        self.cut += u64::from(searched.contains(&Searched::Cut));
        self.unknown += u64::from(searched.contains(&Searched::Unknown));
        false
    }

    /// What there was to choose from, where nothing was chosen.
    pub(super) fn instead(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.exchanges > 0 {
            parts.push(format!("{} {}", thousands(self.exchanges), if self.exchanges == 1 { "exchange" } else { "exchanges" }));
        }
        let messages = self.messages.iter().zip(0..).filter(|(count, _)| **count > 0);
        let kinds: Vec<_> = messages.map(|(count, bits)| format!("{} {}", thousands(*count), Opcode::of_bits(bits).name())).collect();
        if !kinds.is_empty() {
            parts.push(format!("WebSocket messages ({})", kinds.join(", ")));
        }
        let verb = if self.exchanges == 1 { "is" } else { "are" };
        (!parts.is_empty()).then(|| format!("there {verb} {}", parts.join(" and ")))
    }

    /// What the search could not see, a sentence each.
    pub(super) fn unseen(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.cut > 0 {
            notes.push(format!(
                "of {} only the beginning of the content was searched, in vain: `--limit full_content=…` keeps more",
                rows(self.cut)
            ));
        }
        if self.unknown > 0 {
            notes.push(format!("of {} the content is not known and could not be searched: lost, or not to be decoded", rows(self.unknown)));
        }
        notes
    }
}

fn search(grep: &Regex, content: &Content, cost: &Cost) -> Searched {
    let Some(sample) = content.sample.as_deref() else {
        return match cost.encoded_bytes {
            0 if grep.is_match(b"") => Searched::Found,
            0 => Searched::NotFound,
            _ => Searched::Unknown,
        };
    };
    if grep.is_match(sample) {
        Searched::Found
    } else {
        match cost.content_bytes {
            None => Searched::Unknown,
            Some(all) if all > sample.len() as u64 => Searched::Cut,
            Some(_) => Searched::NotFound,
        }
    }
}

fn rows(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "row" } else { "rows" })
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
