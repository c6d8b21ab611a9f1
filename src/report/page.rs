//! Pages of sentences and tables, for the terminal or as Markdown: what the report and the verdicts for CI are printed on.

mod columns;

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use super::text::{safe, shorten_middle, width};
use columns::{Columns, PADDING};

/// What a page is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markup {
    /// A terminal, or a file that is read as it is.
    #[default]
    Plain,
    /// GitHub Flavored Markdown.
    Markdown,
}

/// How a page is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Columns of the terminal; `None` for no limit. Markdown has none.
    pub width: Option<u16>,
    /// Whether headings are set off by colour; nothing depends on it.
    pub color: bool,
    /// Whether hints are left out.
    pub without_hints: bool,
    /// What the page is written for.
    pub markup: Markup,
}

/// A page being written. Texts are made safe here: a capture must drive neither terminal nor browser.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    /// How it is laid out.
    pub layout: Layout,
    /// Whether an item of a list was written last, so that Markdown wants an empty line before anything else.
    in_list: bool,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(layout: Layout, out: &'a mut dyn Write) -> Self {
        Self { out, layout, in_list: false }
    }

    fn is_markdown(&self) -> bool {
        self.layout.markup == Markup::Markdown
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", text.trim_end())
    }

    /// Sets off what follows.
    pub fn gap(&mut self) -> io::Result<()> {
        match self.is_markdown() {
            true => self.end_list(),
            false => self.line(""),
        }
    }

    fn end_list(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.in_list) {
            true => self.line(""),
            false => Ok(()),
        }
    }

    /// A heading, set off from what stands before it.
    pub fn heading(&mut self, title: &str) -> io::Result<()> {
        if self.is_markdown() {
            self.end_list()?;
            return writeln!(self.out, "### {}\n", markdown(title));
        }
        self.line("")?;
        let (bold, plain) = if self.layout.color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        self.broken("", title).iter().try_for_each(|line| writeln!(self.out, "{bold}{line}{plain}"))
    }

    /// An item of a list.
    pub fn item(&mut self, text: &str) -> io::Result<()> {
        if self.is_markdown() {
            self.in_list = true;
            return writeln!(self.out, "- {}", markdown(&safe(text)));
        }
        self.paragraph("  - ", text)
    }

    /// Text broken at the width, further lines indented below the first word behind a label.
    pub fn paragraph(&mut self, label: &str, text: &str) -> io::Result<()> {
        if self.is_markdown() {
            self.end_list()?;
            return writeln!(self.out, "{label}{}\n", markdown(&safe(text)));
        }
        self.broken(label, text).iter().try_for_each(|line| self.line(line))
    }

    /// Text broken at the width, further lines indented below the first word behind a label.
    fn broken(&self, label: &str, text: &str) -> Vec<String> {
        let columns = self.layout.width.map_or(usize::MAX, usize::from).max(20);
        let indent = " ".repeat(width(label));
        let mut lines = Vec::new();
        let mut line = label.to_owned();
        let mut used = indent.len();
        let mut first = true;
        for word in safe(text).split(' ') {
            let len = width(word);
            if !first && used + 1 + len > columns {
                lines.push(std::mem::replace(&mut line, indent.clone()));
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
        lines.push(line);
        lines
    }

    /// A table: `left` columns of text, then numbers, aligned to the right.
    pub fn table(&mut self, left: usize, header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
        self.table_in_room(left, header, rows, &[])
    }

    /// A table of which columns are left out where the page has no room for all, `least` the least important first.
    pub fn table_in_room(&mut self, left: usize, header: &[&str], rows: Vec<Vec<String>>, least: &[&str]) -> io::Result<()> {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| safe(cell)).collect()).collect();
        let mut columns = Columns { left, header: header.to_vec(), rows };
        if self.is_markdown() {
            return self.pipe_table(&columns);
        }
        let left_out = columns.leave_out(least, self.layout.width.map(usize::from));
        self.ruled_table(&columns)?;
        match left_out.is_empty() {
            true => Ok(()),
            false => self.paragraph("", &format!("no room for: {}", left_out.join(", ").replace('\n', " "))),
        }
    }

    /// A table of GitHub Flavored Markdown (section 4.10).
    fn pipe_table(&mut self, Columns { left, header, rows }: &Columns<'_>) -> io::Result<()> {
        self.end_list()?;
        // A header's line feeds are ours.
        let titles: Vec<_> = header.iter().map(|title| markdown(&title.replace('\n', " "))).collect();
        let rules: Vec<_> = (0..header.len()).map(|column| if column < *left { ":---" } else { "---:" }).collect();
        writeln!(self.out, "| {} |\n| {} |", titles.join(" | "), rules.join(" | "))?;
        for row in rows {
            let cells: Vec<_> = row.iter().map(|cell| markdown(cell)).collect();
            writeln!(self.out, "| {} |", cells.join(" | "))?;
        }
        self.line("")
    }

    fn ruled_table(&mut self, columns: &Columns<'_>) -> io::Result<()> {
        let Columns { left, header, rows } = columns;
        let mut table = Table::new();
        table.load_style(RULED);
        match self.layout.width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        // A header's line feeds are ours; those of cells would come from the network.
        table.set_header(header.iter().enumerate().map(|(column, title)| aligned(column < *left, title)));
        let narrowest = columns.narrowest(self.layout.width.map(usize::from));
        for row in rows {
            let cell = |(column, cell): (usize, &String)| match column < *left {
                true => aligned(true, &words_shortened(cell, narrowest[column])),
                false => aligned(false, cell),
            };
            table.add_row(row.iter().enumerate().map(cell));
        }
        let boundary = |width: &usize| Width::Fixed(u16::try_from(width + PADDING).unwrap_or(u16::MAX));
        table.set_constraints(narrowest.iter().map(|width| ColumnConstraint::LowerBoundary(boundary(width))));
        for line in table.lines() {
            self.line(&line)?;
        }
        Ok(())
    }
}

/// Text as Markdown shows it: no character of it is markup, none makes HTML.
fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => escaped.extend(['\\', c]),
            // What would mention people or link to other projects.
            '@' => escaped.push_str("@\u{2060}"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A rule below the header and nothing else.
const RULED: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// A cell whose words are no wider than its column, so that none is broken.
fn words_shortened(cell: &str, column: usize) -> String {
    cell.split(' ').map(|word| shorten_middle(word, column)).collect::<Vec<_>>().join(" ")
}

fn aligned(left: bool, text: &str) -> Cell {
    Cell::new(text).set_alignment(if left { CellAlignment::Left } else { CellAlignment::Right })
}
