//! A report as Markdown, for a pull request or a wiki.
//!
//! Names and messages are anybody's: Markdown shows them as they are. A backslash does not keep a
//! forge from linking `@name`, `#1` or an address, which it looks for in the finished page; a space of no
//! width does.

use super::{
    super::plain,
    health::Verdict,
    text::spark_of,
    view::{Align, Cell, Chart, Table, View},
};

pub(super) fn render(view: &View) -> String {
    let mut out = format!("# {}\n\n{}\n", escaped(&view.title), escaped(&view.subtitle));
    out.push_str("\n| | | |\n| --- | ---: | --- |\n");
    for card in &view.cards {
        let [value, note] = [&card.value, &card.note].map(|text| escaped(text));
        out.push_str(&format!("| **{}** | {value} | {note} |\n", card.label));
    }
    out.push_str("\n## Health\n\n| Check | State | |\n| --- | --- | --- |\n");
    for check in &view.checks {
        let verdict = match check.verdict {
            Verdict::Well => "well",
            Verdict::Unknown => "unknown",
            Verdict::Warning => "**warning**",
            Verdict::Bad => "**bad**",
        };
        out.push_str(&format!("| {} | {verdict} | {} |\n", check.name, escaped(&check.words)));
    }
    out.push_str(&charts(&view.charts));
    for table in &view.tables {
        out.push_str(&section(table));
    }
    out
}

/// The last and the greatest value of each series.
fn charts(charts: &[Chart]) -> String {
    let mut out =
        "\n## Day by day\n\n| | | Last | Greatest |\n| --- | --- | ---: | ---: |\n".to_owned();
    for chart in charts {
        for series in &chart.series {
            let words =
                |value: Option<f64>| value.map_or("–".to_owned(), |v| chart.unit.words(v));
            let last = words(series.values.last().copied().flatten());
            let greatest = words(series.values.iter().flatten().copied().reduce(f64::max));
            let (title, name) = (chart.title, series.name);
            out.push_str(&format!("| {title} | {name} | {last} | {greatest} |\n"));
        }
    }
    out
}

fn section(table: &Table) -> String {
    let mut out = format!("\n## {}\n\n", table.title);
    if table.rows.is_empty() {
        out.push_str(table.empty);
        out.push('\n');
        return out;
    }
    for column in &table.columns {
        out.push_str(&format!("| {} ", column.name));
    }
    out.push_str("|\n");
    for column in &table.columns {
        out.push_str(if column.align == Align::Left { "| --- " } else { "| ---: " });
    }
    out.push_str("|\n");
    for row in &table.rows {
        for cell in row {
            out.push_str(&format!("| {} ", shown(cell)));
        }
        out.push_str("|\n");
    }
    out
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Badge(text, _) | Cell::Code(text) => escaped(text),
        Cell::Spark(values) => spark_of(values),
    }
}

/// Text that is shown as it is, on one line.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in plain::one_line(text).chars() {
        if "\\`*_[]<>&|~#$!".contains(character) {
            shown.push('\\');
        }
        shown.push(character);
        if "@#".contains(character) {
            shown.push('\u{200b}');
        }
    }
    shown.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.")
}
