//! Limits by the names that people type and reports print: those of the fields of [`Limits`](super::Limits) and [`Options`].

use super::nearest;
use std::fmt;
use std::time::Duration;

use super::Options;
use crate::error::{Error, Result};

/// What a limit counts, and so how its value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Octets: `65536`, `64kB`, `64KiB`, `1 GiB`.
    Size,
    /// Things: `4096`, `16_384`.
    Count,
    /// Capture time in whole seconds: `90s`, `5min`, `4h`.
    Duration,
}

/// A limit that can be set by its name.
#[derive(Clone, Copy)]
pub struct NamedLimit {
    /// Its field's name.
    pub name: &'static str,
    /// What it counts.
    pub quantity: Quantity,
    /// The smallest value that makes sense.
    pub least: u64,
    /// The largest value that makes sense, or that can be held.
    pub most: u64,
    /// What it bounds, in a few words.
    pub what: &'static str,
    /// Whether it changes no figure of the report, only what is shown of messages.
    pub is_display: bool,
    get: fn(&Options) -> u64,
    set: fn(&mut Options, u64),
}

impl fmt::Debug for NamedLimit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// One row of the table: the field's path, what it counts, its least value and what it bounds.
macro_rules! limit {
    (limits.$field:ident: $type:ty, $quantity:ident, $least:expr, $what:literal) => {
        NamedLimit {
            name: stringify!($field),
            quantity: Quantity::$quantity,
            least: $least,
            most: if Quantity::$quantity.most() < <$type>::MAX as u64 { Quantity::$quantity.most() } else { <$type>::MAX as u64 },
            what: $what,
            is_display: false,
            get: |options| options.limits.$field as u64,
            // Fits: at most `most`.
            set: |options, value| options.limits.$field = value as $type,
        }
    };
    ($field:ident, $least:expr, $what:literal) => {
        NamedLimit {
            name: stringify!($field),
            quantity: Quantity::Duration,
            least: $least,
            most: Quantity::Duration.most(),
            what: $what,
            is_display: false,
            get: |options| options.$field.as_secs(),
            set: |options, value| options.$field = Duration::from_secs(value),
        }
    };
}

impl NamedLimit {
    /// Every limit that can be set, in the order of docs/limits.md.
    pub const ALL: &'static [Self] = &[
        limit!(limits.out_of_order_bytes: usize, Size, 1, "out-of-order bytes held for one direction"),
        limit!(limits.out_of_order_segments: usize, Count, 1, "out-of-order segments held for one direction"),
        limit!(limits.held_bytes: usize, Size, 1, "memory for what all connections together hold"),
        limit!(limits.http_head: usize, Size, 64, "an HTTP header section"),
        limit!(limits.decoded_content: u64, Size, 1, "decoded content of one message"),
        Self { is_display: true, ..limit!(limits.preview: usize, Size, 1, "what --content preview shows of a message") },
        Self { is_display: true, ..limit!(limits.full_content: usize, Size, 1, "what --content full shows of a message") },
        limit!(limits.connections: usize, Count, 1, "connections open at a time"),
        limit!(limits.lingering_connections: usize, Count, 0, "closed connections that still take late segments; an eighth of them where all was acknowledged"),
        limit!(limits.pending_requests: usize, Count, 1, "requests that wait for their response on one connection"),
        limit!(limits.envelope: usize, Size, 64, "what is looked at of a message for its envelope"),
        limit!(limits.pending_answers: usize, Count, 1, "asks that wait for their answers on one WebSocket connection"),
        limit!(limits.fragment_bytes: usize, Size, 1, "memory for IP fragments that wait for others"),
        limit!(limits.fragmented_datagrams: usize, Count, 1, "IP datagrams that wait for fragments"),
        // Lengths in captures are of 32 bits.
        Self { most: u32::MAX as u64, ..limit!(limits.block: usize, Size, 64, "a record or block of the capture file") },
        limit!(idle_timeout, 1, "capture time without a segment after which a connection has ended"),
        limit!(linger, 0, "capture time for which a closed connection takes late segments"),
        limit!(fragment_timeout, 1, "capture time from a datagram's first fragment to its last"),
    ];

    /// The limit of a name; `-` is as good as `_`.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] with the nearest name where there is one.
    pub fn named(name: &str) -> Result<&'static Self> {
        let wanted = name.replace('-', "_");
        Self::ALL.iter().find(|limit| limit.name == wanted).ok_or_else(|| unknown(name, &wanted))
    }

    /// Its value in some options: octets, things or seconds.
    pub fn get(&self, options: &Options) -> u64 {
        (self.get)(options)
    }

    /// Sets it to a value as people write them.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for what is no such quantity, or too small or too large.
    pub fn set(&self, options: &mut Options, value: &str) -> Result<()> {
        let refused = |why: String| Error::Usage(format!("limit {}: {why}", self.name));
        let wanted = self.quantity.wanted();
        let parsed = self.quantity.parse(value).ok_or_else(|| refused(format!("wanted {wanted}, had {value:?}")))?;
        if parsed < self.least || parsed > self.most {
            let (bound, than) = if parsed < self.least { (self.least, "at least") } else { (self.most, "at most") };
            return Err(refused(format!("wanted {than} {}, had {value:?}", self.quantity.display(bound))));
        }
        (self.set)(options, parsed);
        Ok(())
    }

    /// A value of its kind as people read them: `64 KiB`, `16,384`, `4 h`.
    pub fn display(&self, value: u64) -> String {
        self.quantity.display(value)
    }
}

impl Options {
    /// Sets a limit as `NAME=VALUE`, such as `idle_timeout=10min`.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] saying what was wanted.
    pub fn set_limit(&mut self, argument: &str) -> Result<()> {
        let Some((name, value)) = argument.split_once('=') else {
            return Err(Error::Usage(format!("limit {argument:?}: wanted NAME=VALUE, such as idle_timeout=10min")));
        };
        NamedLimit::named(name.trim())?.set(self, value.trim())
    }

    /// The limits that differ from their defaults, with their values: octets, things or seconds.
    pub fn changed_limits(&self) -> impl Iterator<Item = (&'static NamedLimit, u64)> {
        let default = Self::default();
        let values = NamedLimit::ALL.iter().map(move |limit| (limit, limit.get(self), limit.get(&default)));
        values.filter(|(_, value, default)| value != default).map(|(limit, value, _)| (limit, value))
    }
}

impl Quantity {
    /// Units from the largest down: what they are of octets or seconds.
    fn units(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Size => &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)],
            Self::Count => &[],
            Self::Duration => &[("h", 3600), ("min", 60), ("s", 1)],
        }
    }

    /// Units that are read besides, and never shown.
    fn other_units(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Size => &[("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)],
            Self::Count | Self::Duration => &[],
        }
    }

    /// The largest value of any limit.
    const fn most(self) -> u64 {
        match self {
            Self::Size => 1 << 40,
            Self::Count => u32::MAX as u64,
            // 100 years: capture times are nanoseconds in an `i64`, which reaches 292.
            Self::Duration => 100 * 366 * 24 * 3600,
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Size => "a size such as 65536, 64kB, 64KiB or 1GiB",
            Self::Count => "a number such as 4096 or 16_384",
            Self::Duration => "a duration in s, min or h such as 90s, 5min or 4h",
        }
    }

    /// Reads a value as people write it, with its unit: `64KiB`, `16_384`, `5min`; `None` for what is none. A duration needs
    /// its unit. What passes 64 bits is the largest number they hold.
    pub fn parse(self, text: &str) -> Option<u64> {
        let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '_' | ',' | '\'' | ' ' | '\u{202f}' | '\u{a0}')));
        let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
        let factor = match self.units().iter().chain(self.other_units()).find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())) {
            Some(&(_, factor)) => factor,
            None if unit.is_empty() && self != Self::Duration => 1,
            None => return None,
        };
        let number: String = number.chars().filter(char::is_ascii_digit).collect();
        // All of them digits: only too many.
        let number = if number.is_empty() { return None } else { number.parse().unwrap_or(u64::MAX) };
        Some(number.saturating_mul(factor))
    }

    fn display(self, value: u64) -> String {
        match self.units().iter().find(|(_, factor)| value >= *factor && value.is_multiple_of(*factor)) {
            Some((unit, factor)) => format!("{} {unit}", thousands(value / factor)),
            None if self == Self::Duration => format!("{value} s"),
            None if self == Self::Size => format!("{value} B"),
            None => thousands(value),
        }
    }
}

/// A number as people read it, with thousands separators: `12,345`.
pub fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

/// Digits with a comma before each three.
pub(super) fn grouped(digits: &str) -> String {
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

fn unknown(name: &str, wanted: &str) -> Error {
    let names = NamedLimit::ALL.iter().map(|limit| limit.name).collect::<Vec<_>>().join(", ");
    match nearest(wanted, NamedLimit::ALL.iter().map(|limit| limit.name)) {
        Some(nearest) => Error::Usage(format!("no limit is named {name:?}; did you mean {nearest}?")),
        None => Error::Usage(format!("no limit is named {name:?}; there are {names}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(argument: &str) -> std::result::Result<Options, String> {
        let mut options = Options::default();
        options.set_limit(argument).map(|()| options).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_counts_and_durations_are_read_as_people_write_them() {
        let size = |text: &str| set(&format!("http_head={text}")).map(|options| options.limits.http_head);
        let sizes = ["65536", "65_536", "65,536", "65 536", "65536B", "64KiB", "64 kib"].map(size);
        assert_eq!(sizes, [65_536; 7].map(Ok));
        assert_eq!(["64kB", "64 KB", "64000"].map(size), [64_000; 3].map(Ok));
        let count = |text: &str| set(&format!("connections = {text}")).map(|options| options.limits.connections);
        assert_eq!(["16384", "16_384", "16 384"].map(count), [16_384; 3].map(Ok));
        let time = |text: &str| set(&format!("idle-timeout={text}")).map(|options| options.idle_timeout.as_secs());
        assert_eq!(["7200s", "120 min", "2h"].map(time), [7200; 3].map(Ok));
    }

    #[test]
    fn what_is_no_value_says_what_is_wanted() {
        let cases = [
            ("http_head", "limit \"http_head\": wanted NAME=VALUE, such as idle_timeout=10min"),
            ("http_head=0", "limit http_head: wanted at least 64 B, had \"0\""),
            ("http_head=", "limit http_head: wanted a size such as 65536, 64kB, 64KiB or 1GiB, had \"\""),
            ("http_head=-1", "limit http_head: wanted a size such as 65536, 64kB, 64KiB or 1GiB, had \"-1\""),
            ("http_head=1.5MiB", "limit http_head: wanted a size such as 65536, 64kB, 64KiB or 1GiB, had \"1.5MiB\""),
            ("connections=1KiB", "limit connections: wanted a number such as 4096 or 16_384, had \"1KiB\""),
            ("idle_timeout=90", "limit idle_timeout: wanted a duration in s, min or h such as 90s, 5min or 4h, had \"90\""),
            ("idle_timeout=0s", "limit idle_timeout: wanted at least 1 s, had \"0s\""),
            ("linger=999999999h", "limit linger: wanted at most 878,400 h, had \"999999999h\""),
            ("http_head=99999999999999999999", "limit http_head: wanted at most 1,024 GiB, had \"99999999999999999999\""),
            ("linger=9999999999999999999999s", "limit linger: wanted at most 878,400 h, had \"9999999999999999999999s\""),
            ("connections=5_000_000_000", "limit connections: wanted at most 4,294,967,295, had \"5_000_000_000\""),
            ("conections=1", "no limit is named \"conections\"; did you mean connections?"),
        ];
        for (argument, expected) in cases {
            assert_eq!(set(argument).err().as_deref(), Some(expected));
        }
        assert!(set("frob=1").expect_err("no such name").contains("there are out_of_order_bytes, "));
    }

    #[test]
    fn every_limit_reads_back_what_was_set_and_what_it_displays() {
        for limit in NamedLimit::ALL {
            let mut options = Options::default();
            for value in [limit.least, limit.least + 7, 4096, limit.get(&Options::default())] {
                limit.set(&mut options, &limit.display(value)).expect("a value of its own");
                assert_eq!(limit.get(&options), value, "{limit:?}");
            }
            assert_eq!(options, Options::default(), "{limit:?} sets another's field");
            limit.set(&mut options, &limit.display(limit.least)).expect("its least");
            assert_eq!(options.changed_limits().map(|(limit, value)| (limit.name, value)).collect::<Vec<_>>(), [(limit.name, limit.least)]);
        }
    }
}
