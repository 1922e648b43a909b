//! A report as things to show: what text, Markdown and HTML have in common.

mod charts;
mod tables;

use super::{
    Report,
    health::{Check, Verdict},
    units,
};

/// Everything there is to show, in its order.
pub(super) struct View {
    pub title: String,
    pub subtitle: String,
    pub cards: Vec<Card>,
    pub checks: Vec<Check>,
    pub charts: Vec<Chart>,
    pub tables: Vec<Table>,
}

/// Whether something is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
    Accent,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Accent => "accent",
        }
    }
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Well => Self::Good,
            Verdict::Unknown => Self::Plain,
            Verdict::Warning => Self::Warning,
            Verdict::Bad => Self::Bad,
        }
    }
}

/// A figure that matters.
pub(super) struct Card {
    pub label: &'static str,
    pub value: String,
    pub note: String,
    pub tone: Tone,
}

/// Numbers over days.
pub(super) struct Chart {
    pub title: &'static str,
    pub shape: Shape,
    pub unit: Unit,
    /// One per value.
    pub days: Vec<String>,
    pub series: Vec<Series>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One upon the other.
    Bars,
    Lines,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    Microseconds,
    Bytes,
    /// Of one.
    Part,
}

impl Unit {
    /// A value in words.
    pub(super) fn words(self, value: f64) -> String {
        match self {
            Self::Count => units::count(value.max(0.0) as u64),
            Self::Microseconds => units::duration(value.max(0.0) as u64),
            Self::Bytes => units::bytes(value as i64),
            Self::Part => units::percent(value),
        }
    }
}

pub(super) struct Series {
    pub name: &'static str,
    pub tone: Tone,
    /// One per day; a day may have none.
    pub values: Vec<Option<f64>>,
}

pub(super) struct Table {
    pub title: &'static str,
    pub caption: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// What is said where there are no rows.
    pub empty: &'static str,
}

pub(super) struct Column {
    pub name: &'static str,
    pub align: Align,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

pub(super) enum Cell {
    Text(String),
    /// A name, a code or an id.
    Code(String),
    /// A state.
    Badge(String, Tone),
    /// Values to draw small.
    Spark(Vec<u64>),
}

pub(super) fn of(report: &Report) -> View {
    let tenant = report.tenant.as_ref().map(|tenant| format!(" · tenant {tenant}"));
    let seconds = report.made.signed_duration_since(report.since).num_seconds().max(0);
    let days = seconds.unsigned_abs().div_ceil(86_400);
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let (since, made) = (units::moment(report.since), units::moment(report.made));
    View {
        title: format!("Operations of {}", report.project),
        subtitle: format!("{since} to {made} UTC · {days}{}", tenant.unwrap_or_default()),
        cards: cards(report),
        checks: report.checks.clone(),
        charts: charts::charts(report),
        tables: tables::tables(report),
    }
}

fn cards(report: &Report) -> Vec<Card> {
    let statistics = &report.statistics;
    let counts = statistics.counts;
    let sum = |of: fn(&super::super::statistics::Day) -> u64| {
        statistics.days.iter().map(of).fold(0, u64::saturating_add)
    };
    let rate = match statistics.success_rate {
        None => ("–".to_owned(), Tone::Plain),
        Some(rate) if rate >= 0.99 => (units::percent(rate), Tone::Good),
        Some(rate) if rate >= 0.9 => (units::percent(rate), Tone::Warning),
        Some(rate) => (units::percent(rate), Tone::Bad),
    };
    let optional = |duration: Option<u64>| duration.map_or("–".to_owned(), units::duration);
    let growth = statistics.days.last().map_or(0, |day| day.growth_bytes);
    let card = |label, value: String, note: String, tone| Card { label, value, note, tone };
    let strange = statistics.anomalies.len();
    vec![
        card("Success rate", rate.0, format!("{} failed", units::count(counts.failed)), rate.1),
        card(
            "Operations",
            units::count(counts.total),
            match report.incomplete {
                0 => format!("{} without an end", units::count(counts.live)),
                half => format!("{} recorded by half", units::count(half)),
            },
            Tone::Plain,
        ),
        card(
            "Median duration",
            optional(statistics.median_us),
            format!("90 % ≤ {}", optional(statistics.p90_us)),
            Tone::Plain,
        ),
        card(
            "Rows masked",
            units::count(sum(|day| day.rows_masked)),
            format!("of {} read", units::count(sum(|day| day.rows_read))),
            Tone::Plain,
        ),
        card(
            "Storage growth",
            units::bytes(growth),
            format!("{} written", units::bytes(signed(sum(|day| day.bytes_written)))),
            Tone::Plain,
        ),
        card(
            "Anomalies",
            strange.to_string(),
            "unusual durations".to_owned(),
            if strange == 0 { Tone::Plain } else { Tone::Warning },
        ),
    ]
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
