//! A report for a terminal: plain lines of a given width, with sparklines.

use super::{
    super::{plain, statistics::as_float},
    health::Verdict,
    view::{Align, Cell, Chart, Column, Table, View},
};

const WIDTH_MIN: usize = 40;
const COLUMN_MIN: usize = 5;
/// How many of a cell's values there is room for, the newest ones.
const RECENT: usize = 16;
const GAP: &str = "  ";
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn render(view: &View, width: usize) -> String {
    let width = width.max(WIDTH_MIN);
    let mut lines = vec![view.title.clone(), view.subtitle.clone(), String::new()];
    for card in &view.cards {
        lines.push(format!("{:<18}{:>12}  {}", card.label, card.value, card.note));
    }
    heading(&mut lines, "Health");
    for check in &view.checks {
        let verdict = match check.verdict {
            Verdict::Well => "well",
            Verdict::Unknown => "unknown",
            Verdict::Warning => "warning",
            Verdict::Bad => "BAD",
        };
        lines.push(format!("{verdict:<9}{:<13}{}", check.name, check.words));
    }
    heading(&mut lines, "Day by day");
    for chart in &view.charts {
        lines.extend(chart_lines(chart, width));
    }
    for table in &view.tables {
        heading(&mut lines, table.title);
        lines.extend(table_lines(table, width));
    }
    let cut = |line: String| format!("{}\n", plain::cut(line.trim_end(), width));
    lines.into_iter().map(cut).collect()
}

fn heading(lines: &mut Vec<String>, title: &str) {
    lines.extend([String::new(), title.to_uppercase()]);
}

/// A line per series: its name, its curve from 0 up, its greatest value.
fn chart_lines(chart: &Chart, width: usize) -> Vec<String> {
    const LABEL: usize = 34;
    const GREATEST: usize = 18;
    let room = width.saturating_sub(LABEL + GREATEST).max(4);
    let line = |series: &super::view::Series| {
        let greatest = series.values.iter().flatten().copied().fold(f64::NAN, f64::max);
        let curve = spark(&squeezed(&series.values, room), 0.0);
        let label = plain::cut(&format!("{}, {}", chart.title, series.name), LABEL - 2);
        if greatest.is_nan() {
            return format!("{label:<LABEL$}{GAP}nothing");
        }
        format!("{label:<LABEL$}{curve}  max {}", chart.unit.words(greatest))
    };
    chart.series.iter().map(line).collect()
}

/// At most `room` values, each the greatest of those it stands for.
fn squeezed(values: &[Option<f64>], room: usize) -> Vec<Option<f64>> {
    let size = values.len().div_ceil(room).max(1);
    let greatest = |part: &[Option<f64>]| part.iter().flatten().copied().reduce(f64::max);
    values.chunks(size).map(greatest).collect()
}

fn spark(values: &[Option<f64>], floor: f64) -> String {
    let greatest = values.iter().flatten().copied().fold(floor, f64::max);
    let level = |value: f64| {
        let part = if greatest > floor { (value - floor) / (greatest - floor) } else { 0.0 };
        let index = (part.clamp(0.0, 1.0) * 7.0).round() as usize;
        LEVELS.get(index).copied().unwrap_or(' ')
    };
    values.iter().map(|value| value.map_or(' ', level)).collect()
}

/// A curve of single values, from the least one up.
pub(super) fn spark_of(values: &[u64]) -> String {
    let values: Vec<Option<f64>> = values.iter().map(|value| Some(as_float(*value))).collect();
    let least = values.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    spark(&values, least)
}

fn table_lines(table: &Table, width: usize) -> Vec<String> {
    if table.rows.is_empty() {
        return vec![table.empty.to_owned()];
    }
    let head: Vec<String> = table.columns.iter().map(|column| column.name.to_owned()).collect();
    let mut rows = vec![head];
    rows.extend(table.rows.iter().map(|row| row.iter().map(words).collect::<Vec<_>>()));
    let widths = widths(&rows, width);
    rows.iter().map(|row| row_line(row, &table.columns, &widths)).collect()
}

fn words(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Code(text) | Cell::Badge(text, _) => plain::one_line(text),
        Cell::Spark(values) => spark_of(values.rchunks(RECENT).next().unwrap_or_default()),
    }
}

/// As wide as the widest cell; where that is too much, the widest column gives way.
fn widths(rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let count = rows.first().map_or(0, Vec::len);
    let cells = |index: usize| rows.iter().filter_map(move |row| row.get(index));
    let widest = |index: usize| cells(index).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..count).map(widest).collect();
    let room = width.saturating_sub(GAP.len() * count.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > COLUMN_MIN => *widest -= 1,
            _ => break,
        }
    }
    widths
}

fn row_line(row: &[String], columns: &[Column], widths: &[usize]) -> String {
    let cells = row.iter().zip(columns).zip(widths).map(|((cell, column), width)| {
        let cell = plain::cut(cell, *width);
        match column.align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        }
    });
    cells.collect::<Vec<_>>().join(GAP)
}
