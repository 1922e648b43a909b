//! Tables for people: columns that line up, no lines between them, nothing that could drive the
//! terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::console::printable;

/// Which side the cells of a column stand at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table with headings; every row has one cell for each heading.
pub(crate) struct Listing {
    headings: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Listing {
    /// A table without rows.
    pub(crate) fn new(headings: &[(&str, Align)]) -> Self {
        let headings = headings.iter().map(|(text, align)| (printable(text), *align)).collect();
        Self { headings, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row<I: IntoIterator<Item = S>, S: AsRef<str>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().map(|cell| printable(cell.as_ref())).collect());
    }

    /// The text, without blanks at the ends of lines.
    pub(crate) fn render(self) -> String {
        self.render_within(None)
    }

    /// The same; cells are broken into lines where the table would be wider than this many columns.
    pub(crate) fn render_within(self, width: Option<usize>) -> String {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if let Some(width) = width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        table.set_header(self.headings.iter().map(|(text, _)| Cell::new(text)));
        for row in self.rows {
            table.add_row(row);
        }
        for (column, (_, align)) in table.column_iter_mut().zip(&self.headings) {
            column.set_padding((0, 2));
            if *align == Align::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }
}

/// A count with thin groups of three digits: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && digits.len().saturating_sub(position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// An amount of bytes in the largest unit that leaves a number of at least 1: `1.5 MiB`.
pub(crate) fn bytes(amount: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut scaled = amount as f64;
    let mut unit = "B";
    for larger in UNITS {
        if scaled < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{amount} B") } else { format!("{scaled:.1} {unit}") }
}

/// A number and what is counted: `1 row`, `2,240 rows`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let mut listing = Listing::new(&[("export", Align::Left), ("rows", Align::Right)]);
        listing.row(["customers", "7"]);
        listing.row(["a", "1,000"]);
        assert_eq!(listing.render(), "export      rows\ncustomers      7\na          1,000");
    }

    #[test]
    fn a_cell_cannot_drive_the_terminal() {
        let mut listing = Listing::new(&[("a", Align::Left)]);
        listing.row(["\u{1b}[2J\n"]);
        assert_eq!(listing.render(), "a\n\\u{1b}[2J\\n");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }
}
