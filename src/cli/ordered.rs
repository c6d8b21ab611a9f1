//! Lines of JSON in the order of their rows, though some rows are known later than those behind them.
//!
//! ```text
//!   written  ...... [ ? ] held lines [ ? ] [ ? ] held lines      the next line
//!                   a gap for the row of that number
//! ```
//!
//! What is behind a gap is held as text: rows are large, and so many would be in no near cache by the time they leave.

use std::collections::VecDeque;

use wiretare::report::ndjson::Lines;
use wiretare::{Result, Row};

use super::output::{BUFFER, Output};

/// Octets that are held in a piece.
const PIECE: usize = BUFFER;

/// Puts lines in order.
#[derive(Debug)]
pub(super) struct Ordered {
    lines: Lines,
    /// Lines for which there was no room among those that are gathered; they go before them.
    aside: Vec<u8>,
    /// The number of the next row, if none is late.
    next: u64,
    gaps: VecDeque<Gap>,
    held: Held,
}

/// Where the line of a row that is late belongs.
#[derive(Clone, Copy, Debug)]
struct Gap {
    row: u64,
    /// In octets of lines that were not late.
    at: u64,
}

impl Ordered {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines, aside: Vec::new(), next: 0, gaps: VecDeque::new(), held: Held::default() }
    }

    /// Takes the row of that number. Those that are not late come in order, and so do those that are.
    #[inline(always)]
    pub(super) fn append(&mut self, number: u64, row: &Row, output: &mut Output) -> Result<()> {
        if number != self.next {
            if number < self.next {
                return self.fill(number, row, output);
            }
            self.leave_gaps(number);
        }
        self.next = number + 1;
        self.lines.gather(row, &mut self.aside);
        if self.aside.len() + self.lines.gathered().len() >= BUFFER { self.make_room(output) } else { Ok(()) }
    }

    /// Rows before that one are late.
    fn leave_gaps(&mut self, number: u64) {
        let at = self.held.end + (self.aside.len() + self.lines.gathered().len()) as u64;
        self.gaps.extend((self.next..number).map(|row| Gap { row, at }));
    }

    /// Writes what was held before a row that was late, and its line.
    fn fill(&mut self, number: u64, row: &Row, output: &mut Output) -> Result<()> {
        self.hold();
        let gap = self.gaps.pop_front();
        debug_assert_eq!(gap.map(|gap| gap.row), Some(number), "late rows come in order");
        self.held.write_to(gap.map_or(self.held.end, |gap| gap.at), output)?;
        self.lines.append(row, output.buffer());
        if self.gaps.is_empty() {
            self.held.write_to(self.held.end, output)?;
        }
        output.flush_when_full()
    }

    /// Writes all lines before the first one that is late, and holds the others.
    pub(super) fn flush(&mut self, output: &mut Output) -> Result<()> {
        if let Some(&Gap { at, .. }) = self.gaps.front() {
            self.hold();
            self.held.write_to(at, output)?;
            return output.flush();
        }
        self.make_room(output)
    }

    /// Writes what was gathered, or holds it behind a line that is late.
    fn make_room(&mut self, output: &mut Output) -> Result<()> {
        if !self.gaps.is_empty() {
            self.hold();
            return Ok(());
        }
        self.held.pass_by((self.aside.len() + self.lines.gathered().len()) as u64);
        output.flush()?;
        output.write(&self.aside)?;
        output.write(self.lines.gathered())?;
        self.forget_gathered();
        Ok(())
    }

    fn hold(&mut self) {
        self.held.push(&self.aside);
        self.held.push(self.lines.gathered());
        self.forget_gathered();
    }

    fn forget_gathered(&mut self) {
        self.aside.clear();
        self.lines.clear();
    }
}

/// Octets in pieces, of which the first ones leave.
#[derive(Debug, Default)]
struct Held {
    pieces: VecDeque<Vec<u8>>,
    /// Octets of the first piece that have left.
    left: usize,
    /// Octets that have left, and all that came.
    start: u64,
    end: u64,
    /// Pieces for later: what has to wait once has to wait again.
    spare: Vec<Vec<u8>>,
}

impl Held {
    fn push(&mut self, mut octets: &[u8]) {
        self.end += octets.len() as u64;
        while !octets.is_empty() {
            if self.pieces.back().is_none_or(|piece| piece.len() >= PIECE) {
                self.pieces.push_back(self.spare.pop().unwrap_or_else(|| Vec::with_capacity(PIECE)));
            }
            let Some(piece) = self.pieces.back_mut() else { return };
            let (fits, rest) = octets.split_at(octets.len().min(PIECE - piece.len()));
            piece.extend_from_slice(fits);
            octets = rest;
        }
    }

    /// Octets that do not have to wait; nothing is held.
    fn pass_by(&mut self, len: u64) {
        self.end += len;
        self.start = self.end;
    }

    /// Writes what is held before that octet.
    fn write_to(&mut self, at: u64, output: &mut Output) -> Result<()> {
        while self.start < at {
            let Some(piece) = self.pieces.front_mut() else { break };
            let held = &piece[self.left..];
            // Fits: a piece, or less.
            let len = (held.len() as u64).min(at - self.start) as usize;
            output.buffer().extend_from_slice(&held[..len]);
            output.flush_when_full()?;
            self.start += len as u64;
            self.left += len;
            if self.left == piece.len() {
                piece.clear();
                self.spare.extend(self.pieces.pop_front());
                self.left = 0;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use wiretare::{Analyzer, Capture, ContentMode, Options};

    use super::*;

    fn rows() -> Vec<Row> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/browser/ajax-and-websocket.pcapng");
        let options = Options::default();
        let mut capture = Capture::open(&[path], &options.limits).expect("the sample");
        let mut analyzer = Analyzer::new(options);
        while let Some(packets) = capture.next_packets().expect("whole") {
            analyzer.packets(packets);
        }
        analyzer.finish();
        std::iter::from_fn(|| analyzer.poll()).collect()
    }

    fn lines() -> Lines {
        Lines::new(ContentMode::None)
    }

    /// What is written where each of the rows is late that `is_late` says, and comes with others before a row that `brings` says.
    fn written(rows: &[Row], name: &str, is_late: impl Fn(usize) -> bool, brings: impl Fn(usize) -> bool) -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("wiretare-ordered-{}-{name}", std::process::id()));
        let mut output = Output::open(Some(&path), &[]).expect("opened");
        let (mut ordered, mut late) = (Ordered::new(lines()), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            if brings(at) {
                late.drain(..).for_each(|at| ordered.append(at as u64, &rows[at], &mut output).expect("written"));
            }
            match is_late(at) {
                true => late.push(at),
                false => ordered.append(at as u64, row, &mut output).expect("written"),
            }
        }
        late.into_iter().for_each(|at| ordered.append(at as u64, &rows[at], &mut output).expect("written"));
        ordered.flush(&mut output).expect("written");
        output.finish().expect("written");
        let written = fs::read(&path).expect("there");
        fs::remove_file(&path).expect("there");
        written
    }

    #[test]
    fn late_rows_stand_where_they_belong() {
        let rows = vec![rows(); 40].concat();
        let mut expected = Vec::new();
        let mut in_order = lines();
        rows.iter().for_each(|row| in_order.append(row, &mut expected));
        assert!(expected.len() > 8 * PIECE, "{} octets", expected.len());
        for (every, brought) in [(usize::MAX, 1), (2, 3), (7, 50), (3, 700), (1, 9), (100, usize::MAX)] {
            let found = written(&rows, &format!("{every}-{brought}"), |at| at % every == every / 2, |at| at % brought == brought - 1);
            assert!(found == expected, "every {every}th is late, and comes with every {brought}th");
        }
    }

    #[test]
    fn lines_before_a_gap_are_written_though_it_is_never_filled() {
        let path = std::env::temp_dir().join(format!("wiretare-ordered-{}-before", std::process::id()));
        let (mut output, mut ordered) = (Output::open(Some(&path), &[]).expect("opened"), Ordered::new(lines()));
        let (rows, mut expected) = (rows(), Vec::new());
        for at in [0, 1, 2, 4, 6, 3] {
            ordered.append(at as u64, &rows[at], &mut output).expect("taken");
        }
        ordered.flush(&mut output).expect("written");
        output.finish().expect("written");
        (0..=4).for_each(|at| lines().append(&rows[at], &mut expected));
        let found = fs::read(&path).expect("there");
        fs::remove_file(&path).expect("there");
        assert!(found == expected, "rows 0 to 4, and not 6, which is behind one that is late");
    }

    #[test]
    fn lines_behind_a_gap_are_held() {
        let path = std::env::temp_dir().join(format!("wiretare-ordered-{}-held", std::process::id()));
        let (mut output, mut ordered) = (Output::open(Some(&path), &[]).expect("opened"), Ordered::new(lines()));
        let rows = rows();
        ordered.append(1, &rows[1], &mut output).expect("held");
        ordered.flush(&mut output).expect("held");
        assert!(output.buffer().is_empty() && ordered.held.start < ordered.held.end);
        ordered.append(0, &rows[0], &mut output).expect("written");
        assert!(ordered.held.pieces.is_empty() && ordered.held.start == ordered.held.end);
    }
}
