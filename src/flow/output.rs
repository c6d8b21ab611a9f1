//! Where rows go, and which of them wait.

use std::collections::VecDeque;

use super::half::Memory;
use crate::message::{Part, Row};
use crate::options::Options;

/// Rows that wait for the decoding of a message before them, at most.
const WAITING_ROWS: u64 = 16 << 10;

/// The same where threads decode: then as many rows again wait for those, and both together have to be held.
const WAITING_ROWS_BESIDE: u64 = 14 << 10;

/// The same the first time: other threads have nothing to do until then.
const FIRST_WAITING_ROWS: u64 = 2 << 10;

/// Rows that may come before it is seen that others have waited long enough.
const FEW_ROWS: usize = 1 << 10;

/// Encoded octets that wait for their decoding, at most.
const WAITING_BYTES: u64 = 16 << 20;

/// Octets of packets that may come while messages wait: what rows hold of heads, or their lines show of them, came in these.
const WAITING_WHILE: u64 = 64 << 20;

/// What connections bring forth, and what they share.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Rows in order of completion.
    pub(crate) rows: VecDeque<Row>,
    /// Rows that still wait while those behind them have left.
    pub(crate) late: Late,
    /// What each frame brought, where that was asked for.
    pub(crate) parts: VecDeque<Part>,
    /// Rows that have left: number of the first in `rows`.
    pub(crate) polled: u64,
    memory: Memory,
    /// Since content was last decoded, or left to others.
    pub(crate) waiting: Waiting,
}

impl Collected {
    /// As connections need it.
    #[inline(always)]
    pub(crate) fn output<'a>(&'a mut self, options: &'a Options) -> Output<'a> {
        let Self { rows, late, parts, polled, memory, waiting } = self;
        Output { rows, late, parts, first_row: *polled, memory, waiting, options }
    }
}

/// Rows that wait for their decoding while those behind them have left, in order.
#[derive(Debug, Default)]
pub(crate) struct Late {
    /// Their numbers among all rows: apart from them, since one is looked for among thousands.
    numbers: VecDeque<u64>,
    rows: VecDeque<Row>,
}

impl Late {
    /// Adds one behind the others.
    pub(crate) fn push(&mut self, number: u64, row: Row, jobs: usize) {
        if self.rows.capacity() < Waiting::most_rows(jobs) {
            self.numbers.reserve_exact(Waiting::most_rows(jobs) - self.numbers.len());
            self.rows.reserve_exact(Waiting::most_rows(jobs) - self.rows.len());
        }
        self.numbers.push_back(number);
        self.rows.push_back(row);
    }

    fn row(&mut self, number: u64) -> Option<&mut Row> {
        // Where all rows are late, each is where its number says; where others are not, it is before.
        let from_first = usize::try_from(number.checked_sub(*self.numbers.front()?)?).ok()?;
        let at = match self.numbers.get(from_first) {
            Some(&there) if there == number => from_first,
            Some(_) | None => self.numbers.binary_search(&number).ok()?,
        };
        self.rows.get_mut(at)
    }

    /// How many at the front are known.
    pub(crate) fn count_known(&self) -> usize {
        self.rows.iter().take_while(|row| row.is_known()).count()
    }

    /// The first ones, each with its number.
    pub(crate) fn first(&mut self, count: usize) -> impl Iterator<Item = (u64, &mut Row)> {
        self.numbers.range(..count).copied().zip(self.rows.range_mut(..count))
    }

    /// Lets the first ones go.
    pub(crate) fn release(&mut self, count: usize) {
        self.numbers.drain(..count);
        self.rows.drain(..count);
    }
}

/// Where rows go, and what was asked for.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    /// Rows in order of completion.
    pub(crate) rows: &'a mut VecDeque<Row>,
    /// Rows that still wait while those behind them have left.
    pub(crate) late: &'a mut Late,
    /// What each frame brought, where that was asked for.
    pub(crate) parts: &'a mut VecDeque<Part>,
    /// Rows that have left: number of the first in `rows`.
    pub(crate) first_row: u64,
    /// Memory for what a segment brings.
    pub(crate) memory: &'a mut Memory,
    /// What waits for its decoding.
    pub(crate) waiting: &'a mut Waiting,
    /// What was asked for.
    pub(crate) options: &'a Options,
}

impl Output<'_> {
    /// Whether rows have waited long enough for the decoding of a message before them.
    #[inline]
    pub(crate) fn has_to_settle(&self) -> bool {
        self.waiting.is_due(self.first_row + self.rows.len() as u64, self.options.jobs)
    }

    /// The row of that number, unless it has left.
    pub(super) fn row(&mut self, number: u64) -> Option<&mut Row> {
        match number.checked_sub(self.first_row) {
            Some(at) => self.rows.get_mut(usize::try_from(at).ok()?),
            None => self.late.row(number),
        }
    }
}

/// Messages that wait for their decoding.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Number of the first one's row.
    first: Option<u64>,
    /// Their encoded octets.
    bytes: u64,
    /// Octets of packets that came since.
    passed: u64,
    has_been_due: bool,
}

impl Waiting {
    /// None waits that is not being decoded.
    pub(crate) fn clear(&mut self) {
        *self = Self { has_been_due: true, ..Self::default() };
    }

    /// Rows from that number on wait.
    pub(crate) fn begin(&mut self, row: u64) {
        self.first.get_or_insert(row);
    }

    /// Rows for which there is to be room where messages wait: memory would grow by doubling.
    pub(super) fn most_rows(jobs: usize) -> usize {
        let most = if jobs > 1 { 2 * WAITING_ROWS_BESIDE } else { WAITING_ROWS };
        most as usize + FEW_ROWS
    }

    pub(super) fn add(&mut self, row: u64, bytes: u64) {
        self.begin(row);
        self.bytes += bytes;
    }

    /// So many octets of packets have come. Whether messages have waited long enough.
    pub(crate) fn pass(&mut self, bytes: u64) -> bool {
        if self.first.is_some() {
            self.passed += bytes;
        }
        self.passed >= WAITING_WHILE
    }

    /// Whether they have waited long enough, before the row of that number.
    #[inline]
    fn is_due(&self, row: u64, jobs: usize) -> bool {
        let Some(first) = self.first else { return false };
        let most = match (jobs, self.has_been_due) {
            (..=1, _) => WAITING_ROWS,
            (_, false) => FIRST_WAITING_ROWS,
            (_, true) => WAITING_ROWS_BESIDE,
        };
        row - first >= most || self.bytes >= WAITING_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_wait_for_so_many_rows_octets_and_packets() {
        let mut waiting = Waiting::default();
        assert!(!waiting.pass(2 * WAITING_WHILE), "none waits");
        waiting.add(7, 100);
        assert_eq!([6, 7].map(|row| waiting.is_due(row + WAITING_ROWS, 1)), [false, true]);
        assert_eq!([waiting.pass(WAITING_WHILE - 1), waiting.pass(1)], [false, true]);
        waiting.clear();
        waiting.add(8, WAITING_BYTES);
        assert_eq!((waiting.pass(1), waiting.is_due(8, 1)), (false, true));
    }
}
