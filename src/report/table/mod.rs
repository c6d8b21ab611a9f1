//! The report as a page of text: the verdict first, then what it rests on.

mod sections;

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use super::Report;
use super::text::safe;
use super::verdict::{hints, verdict};

/// How a page is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Columns of the terminal; `None` for no limit.
    pub width: Option<u16>,
    /// Whether headings are set off by colour; nothing depends on it.
    pub color: bool,
    /// Whether hints are left out.
    pub without_hints: bool,
}

/// A page being written.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    layout: Layout,
}

/// Writes the report.
pub fn write(report: &Report, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, layout };
    for sentence in verdict(report) {
        page.paragraph("", &sentence)?;
    }
    sections::captured(&mut page, report)?;
    sections::one_by_one(&mut page, report)?;
    sections::all_in(&mut page, report)?;
    sections::distributions(&mut page, report)?;
    sections::break_even(&mut page, report)?;
    sections::counterfactual(&mut page, report)?;
    sections::compression(&mut page, report)?;
    sections::envelopes(&mut page, report)?;
    sections::header_fields(&mut page, report)?;
    sections::polling(&mut page, report)?;
    sections::engine_io(&mut page, report)?;
    sections::refusals(&mut page, report)?;
    sections::endpoints(&mut page, report)?;
    sections::findings(&mut page, report)?;
    sections::transport(&mut page, report)?;
    sections::anomalies(&mut page, report)?;
    sections::conservation(&mut page, report)?;
    let hints = if layout.without_hints { Vec::new() } else { hints(report) };
    if !hints.is_empty() {
        page.line("")?;
    }
    for hint in hints {
        page.paragraph("hint: ", &hint)?;
    }
    Ok(())
}

impl Page<'_> {
    /// A line as it is.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", text.trim_end())
    }

    /// An empty line and a heading.
    pub(super) fn heading(&mut self, title: &str) -> io::Result<()> {
        match self.layout.color {
            true => writeln!(self.out, "\n\x1b[1m{title}\x1b[0m"),
            false => writeln!(self.out, "\n{title}"),
        }
    }

    /// Text broken at the width, further lines indented below the first word behind a label.
    pub(super) fn paragraph(&mut self, label: &str, text: &str) -> io::Result<()> {
        let width = self.layout.width.map_or(usize::MAX, usize::from).max(20);
        let indent = " ".repeat(label.chars().count());
        let mut line = label.to_owned();
        let mut used = indent.len();
        let mut first = true;
        for word in safe(text).split(' ') {
            let len = word.chars().count();
            if !first && used + 1 + len > width {
                self.line(&line)?;
                line.clone_from(&indent);
                used = indent.len();
                first = true;
            }
            if !first {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += len;
            first = false;
        }
        self.line(&line)
    }

    /// A table: `left` columns of text, then numbers, aligned to the right. Cells are made safe here.
    pub(super) fn table(&mut self, left: usize, header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(RULED);
        match self.layout.width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        // A header's line feeds are ours; those of cells would come from the network.
        table.set_header(header.iter().enumerate().map(|(column, title)| aligned(column < left, title)));
        let narrowest = narrowest(left, header, &rows);
        for row in rows {
            table.add_row(row.iter().enumerate().map(|(column, cell)| aligned(column < left, &safe(cell))));
        }
        table.set_constraints(narrowest.into_iter().map(|width| ColumnConstraint::LowerBoundary(Width::Fixed(width))));
        for line in table.lines() {
            self.line(&line)?;
        }
        Ok(())
    }
}

/// A rule below the header and nothing else.
const RULED: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// Widths below which columns would break a number or a word, with a space on either side; text gives way from 12 on.
fn narrowest(left: usize, header: &[&str], rows: &[Vec<String>]) -> Vec<u16> {
    let longest_word = |text: &str| text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or_default();
    let of_column = |(column, title): (usize, &&str)| {
        let of_cell = |cell: &String| if column < left { longest_word(cell).min(12) } else { cell.chars().count() };
        let widest_cell = rows.iter().filter_map(|row| row.get(column)).map(of_cell).max().unwrap_or_default();
        u16::try_from(widest_cell.max(longest_word(title)) + 2).unwrap_or(u16::MAX)
    };
    header.iter().enumerate().map(of_column).collect()
}

fn aligned(left: bool, text: &str) -> Cell {
    Cell::new(text).set_alignment(if left { CellAlignment::Left } else { CellAlignment::Right })
}

#[cfg(test)]
mod tests;
