//! Prometheus' text exposition format, for the textfile collector of its node exporter.
//!
//! Labels are few: kinds, states and names of scripts, keys. Beyond [`NAMES_MAX`] scripts only those
//! with the most executions have series of their own, and no label holds an id, a user or a message.

use std::{cmp::Reverse, fmt::Write as _};

use super::super::{
    record::State,
    statistics::{Day, ScriptStatistics, Statistics},
};
use crate::retention::Moment;

/// How many scripts have series of their own.
pub const NAMES_MAX: usize = 100;

/// What is told besides statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// The time it is.
    pub now: Moment,
    /// 1 where the store can be reached; none where nobody says so.
    pub store_is_up: Option<bool>,
    /// Seconds until each key, by name, has to be rotated; below zero where that is overdue.
    pub keys: Vec<(String, i64)>,
    /// Things that retention should have removed; none where nobody looked.
    pub retention_overdue: Option<u64>,
    /// What is wrong with chains of records; none where nobody looked.
    pub chain_faults: Option<u64>,
}

/// Metrics of the statistics' window. They are gauges: the window moves, and what leaves it is not
/// counted any more.
#[must_use]
pub fn prometheus(statistics: &Statistics, gauges: &Gauges) -> String {
    let mut out = Text(String::new());
    let mut scripts: Vec<&ScriptStatistics> = statistics.scripts.iter().collect();
    scripts.sort_by_key(|script| Reverse(script.counts.total));
    scripts.truncate(NAMES_MAX);
    scripts.sort_by_key(|script| (&script.script_type, &script.script_name));
    counts(&mut out, &scripts);
    durations(&mut out, &scripts);
    last_successes(&mut out, &scripts);
    volumes(&mut out, statistics);
    health(&mut out, gauges);
    out.0
}

fn counts(out: &mut Text, scripts: &[&ScriptStatistics]) {
    out.metric("engine_operations", "Executions in the window, by how they ended.");
    for script in scripts {
        let ends = [
            (State::Success.word(), script.counts.success),
            (State::Failed.word(), script.counts.failed),
            ("live", script.counts.live),
        ];
        for (state, count) in ends {
            let mut labels = labels(script).to_vec();
            labels.push(("status", state));
            out.sample("engine_operations", &labels, &count.to_string());
        }
    }
}

fn durations(out: &mut Text, scripts: &[&ScriptStatistics]) {
    // A label `quantile` is for summaries only, and these are gauges: each has a name of its own.
    let median = |script: &ScriptStatistics| script.baseline.map(|baseline| baseline.median);
    let name = "engine_operation_duration_median_seconds";
    out.metric(name, "Median duration of successful executions.");
    each_duration(out, name, scripts, median);
    let name = "engine_operation_duration_p90_seconds";
    out.metric(name, "The duration that nine of ten successful executions stay within.");
    each_duration(out, name, scripts, |script| script.p90_us);
}

fn each_duration(
    out: &mut Text,
    name: &str,
    scripts: &[&ScriptStatistics],
    of: impl Fn(&ScriptStatistics) -> Option<u64>,
) {
    for script in scripts {
        if let Some(value) = of(script) {
            out.sample(name, &labels(script), &seconds(value));
        }
    }
}

fn last_successes(out: &mut Text, scripts: &[&ScriptStatistics]) {
    let name = "engine_operation_last_success_timestamp_seconds";
    out.metric(name, "When the newest successful execution started.");
    for script in scripts {
        if let Some(newest) = script.last_success {
            out.sample(name, &labels(script), &newest.timestamp().to_string());
        }
    }
}

fn volumes(out: &mut Text, statistics: &Statistics) {
    let sum = |of: fn(&Day) -> u64| {
        statistics.days.iter().map(of).fold(0, u64::saturating_add).to_string()
    };
    let rows = [
        ("read", sum(|day| day.rows_read)),
        ("masked", sum(|day| day.rows_masked)),
        ("written", sum(|day| day.rows_written)),
    ];
    out.metric("engine_rows", "Rows in the window.");
    for (which, value) in rows {
        out.sample("engine_rows", &[("direction", which)], &value);
    }
    let bytes = [("written", sum(|day| day.bytes_written)), ("freed", sum(|day| day.bytes_freed))];
    out.metric("engine_bytes", "Bytes in the window.");
    for (which, value) in bytes {
        out.sample("engine_bytes", &[("direction", which)], &value);
    }
}

fn health(out: &mut Text, gauges: &Gauges) {
    if let Some(is_up) = gauges.store_is_up {
        out.metric("engine_store_up", "Whether the store can be reached.");
        out.sample("engine_store_up", &[], if is_up { "1" } else { "0" });
    }
    out.metric("engine_key_rotation_due_seconds", "Time until a key has to be rotated.");
    for (key, seconds) in &gauges.keys {
        out.sample("engine_key_rotation_due_seconds", &[("key", key)], &seconds.to_string());
    }
    if let Some(overdue) = gauges.retention_overdue {
        out.metric("engine_retention_overdue", "Things that should have been removed.");
        out.sample("engine_retention_overdue", &[], &overdue.to_string());
    }
    if let Some(faults) = gauges.chain_faults {
        out.metric("engine_audit_chain_faults", "What is wrong with chains of records.");
        out.sample("engine_audit_chain_faults", &[], &faults.to_string());
    }
    out.metric("engine_report_timestamp_seconds", "When this was written.");
    out.sample("engine_report_timestamp_seconds", &[], &gauges.now.timestamp().to_string());
}

fn labels(script: &ScriptStatistics) -> [(&'static str, &str); 2] {
    [("type", script.script_type.word()), ("name", &script.script_name)]
}

/// Seconds with all six digits, without going through a floating point number.
fn seconds(microseconds: u64) -> String {
    format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000)
}

struct Text(String);

impl Text {
    fn metric(&mut self, name: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"{}\"", escaped(text));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }
}

/// A label's value: backslash, quote and line feed are written as escapes.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
