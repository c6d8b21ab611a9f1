//! How wide the columns of a table are, and which of them a narrow page has no room for.

use crate::report::text::width;

/// A space on either side of each cell.
pub(super) const PADDING: usize = 2;

/// Widths that text does not fall below as long as others can give way, and at all.
const LEAST_TEXT: [usize; 2] = [12, 8];

/// What stands in the last column of text gives way before labels do, down to this.
const LEAST_NAME: usize = 8;

/// Text that is longer is shortened before a column of numbers is left out for it.
const ROOM_FOR_TEXT: usize = 20;

/// The columns of a table: `left` of text, then those of numbers.
pub(super) struct Columns<'a> {
    pub(super) left: usize,
    pub(super) header: Vec<&'a str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl<'a> Columns<'a> {
    /// The width below which a column would break a number or a word.
    fn unbroken(&self, column: usize) -> usize {
        let longest_word = |text: &str| text.split_whitespace().map(width).max().unwrap_or_default();
        let of_cell = |cell: &String| if column < self.left { longest_word(cell) } else { width(cell) };
        self.cells(column).map(of_cell).max().unwrap_or_default().max(longest_word(self.header[column]))
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &String> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    /// Takes columns out, in the order of `least`, until the others have room on a page. Returns their titles, in their order in
    /// the table.
    pub(super) fn leave_out(&mut self, least: &[&str], page: Option<usize>) -> Vec<&'a str> {
        let all = self.header.clone();
        for title in least {
            let readable = |column| if column < self.left { self.unbroken(column).min(ROOM_FOR_TEXT) } else { self.unbroken(column) };
            if page.is_none_or(|page| together((0..self.header.len()).map(readable)) <= page) {
                break;
            }
            if let Some(column) = self.header.iter().position(|other| other == title) {
                self.remove(column);
            }
        }
        all.into_iter().filter(|title| !self.header.contains(title)).collect()
    }

    fn remove(&mut self, column: usize) {
        self.header.remove(column);
        self.rows.iter_mut().filter(|row| column < row.len()).for_each(|row| drop(row.remove(column)));
        self.left -= usize::from(column < self.left);
    }

    /// Widths below which columns would break a number or a word, and more where there is room for whole cells. Where even these
    /// pass the width of the page, columns of text give way, the widest first.
    pub(super) fn narrowest(&self, page: Option<usize>) -> Vec<usize> {
        let left = self.left;
        let mut widths: Vec<usize> = (0..self.header.len()).map(|column| self.unbroken(column)).collect();
        let mut missing = page.map_or(0, |page| together(widths.iter().copied()).saturating_sub(page));
        let mut narrow = |columns: &mut [usize], least: usize| {
            while let Some(widest) = columns.iter_mut().max().filter(|width| missing > 0 && **width > least) {
                *widest -= 1;
                missing -= 1;
            }
        };
        narrow(&mut widths[..left], LEAST_TEXT[0]);
        narrow(&mut widths[left.saturating_sub(1)..left], LEAST_NAME);
        narrow(&mut widths[..left], LEAST_TEXT[1]);
        let mut spare = page.map_or(0, |page| page.saturating_sub(together(widths.iter().copied())));
        let widest_cell = |column: usize| self.cells(column).map(|cell| width(cell)).max().unwrap_or_default();
        for (column, narrowest) in widths.iter_mut().enumerate() {
            let wider = widest_cell(column).saturating_sub(*narrowest).min(spare);
            *narrowest += wider;
            spare -= wider;
        }
        widths
    }
}

/// What columns take side by side: another stands between two, and none behind the last.
fn together(widths: impl Iterator<Item = usize>) -> usize {
    widths.map(|width| width + PADDING + 1).sum::<usize>().saturating_sub(1)
}
