//! How one script does, execution after execution.

use std::{cmp::Reverse, collections::HashMap};

use serde::Serialize;

use super::{
    super::{hex::ExecutionId, instant, overview::Glance, record::State, script::ScriptType},
    Counts, LIST_MAX, Window,
    robust::{Baseline, Trend, percentile, rounded},
};
use crate::retention::Moment;

/// How many successful executions of a script are its history: the newest ones.
pub const HISTORY_MAX: usize = 200;

/// How many of them a trend is made of.
const TREND_MAX: usize = 60;

/// How many of them are drawn.
const RECENT_MAX: usize = 30;

/// How a script does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScriptStatistics {
    /// Its kind.
    pub script_type: ScriptType,
    /// Its name.
    pub script_name: String,
    /// How its executions in the window ended.
    pub counts: Counts,
    /// Of those that ended: the part that succeeded; null where none ended.
    pub success_rate: Option<f64>,
    /// How far its newest execution is.
    pub last_status: State,
    /// When that started.
    #[serde(with = "instant")]
    pub last_started: Moment,
    /// When the newest that succeeded started; null where none did.
    #[serde(with = "instant::or_null")]
    pub last_success: Option<Moment>,
    /// The usual duration, of at most [`HISTORY_MAX`] successful executions, in microseconds; null
    /// where none succeeded.
    pub baseline: Option<Baseline>,
    /// What nine of ten of these did not exceed.
    pub p90_us: Option<u64>,
    /// Whether they get slower, of at most the newest 60.
    pub trend: Option<Trend>,
    /// The newest 30 durations, the oldest first.
    pub recent_us: Vec<u64>,
}

/// An execution that took strangely long, or short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Anomaly {
    /// Which.
    pub id: ExecutionId,
    /// Its kind.
    pub script_type: ScriptType,
    /// Its name.
    pub script_name: String,
    /// When it started.
    #[serde(with = "instant")]
    pub started: Moment,
    /// How long it took.
    pub duration_us: u64,
    /// How long is usual.
    pub usual_us: u64,
    /// Its robust z-score; below zero where it was short.
    pub score: f64,
}

/// Scripts with executions in the window, by kind and name, and what is strange about these.
///
/// A failure's duration says nothing about how long a script takes: only successes are measured.
pub(super) fn scripts(
    newest_first: &[&Glance<'_>],
    window: Window,
) -> (Vec<ScriptStatistics>, Vec<Anomaly>) {
    let mut groups: HashMap<(&ScriptType, &str), Vec<&Glance<'_>>> = HashMap::new();
    for operation in newest_first {
        let key = (operation.script_type, operation.script_name);
        groups.entry(key).or_default().push(operation);
    }
    let mut anomalies = Vec::new();
    let mut scripts = Vec::new();
    for ((script_type, script_name), group) in groups {
        let Some(last) = group.first().filter(|last| last.started >= window.since) else {
            continue;
        };
        let successes = group.iter().filter(|operation| operation.status == State::Success);
        let last_success = successes.clone().next().map(|newest| newest.started);
        let mut history: Vec<u64> =
            successes.filter_map(|success| success.duration_us).take(HISTORY_MAX).collect();
        history.reverse();
        let inside: Vec<&Glance<'_>> =
            group.iter().copied().take_while(|one| one.started >= window.since).collect();
        let baseline = Baseline::of(&history);
        if let Some(baseline) = baseline {
            anomalies.extend(inside.iter().filter_map(|operation| anomaly(operation, baseline)));
        }
        let mut counts = Counts::default();
        inside.iter().for_each(|operation| counts.add(operation));
        scripts.push(ScriptStatistics {
            script_type: script_type.clone(),
            script_name: script_name.to_owned(),
            counts,
            success_rate: counts.success_rate(),
            last_status: last.status,
            last_started: last.started,
            last_success,
            baseline: baseline.map(|baseline| Baseline {
                mean_deviation: rounded(baseline.mean_deviation),
                ..baseline
            }),
            trend: Trend::of(newest(&history, TREND_MAX)),
            recent_us: newest(&history, RECENT_MAX).to_vec(),
            p90_us: percentile(&mut history, 90),
        });
    }
    scripts.sort_by(|one, other| {
        (&one.script_type, &one.script_name).cmp(&(&other.script_type, &other.script_name))
    });
    anomalies.sort_by_key(|one| Reverse((one.started, one.id)));
    anomalies.truncate(LIST_MAX);
    (scripts, anomalies)
}

fn newest(values: &[u64], count: usize) -> &[u64] {
    values.get(values.len().saturating_sub(count)..).unwrap_or(values)
}

fn anomaly(operation: &Glance<'_>, baseline: Baseline) -> Option<Anomaly> {
    let is_success = operation.status == State::Success;
    let duration_us = operation.duration_us.filter(|_| is_success)?;
    let score = baseline.anomaly(duration_us)?;
    Some(Anomaly {
        id: operation.id,
        script_type: operation.script_type.clone(),
        script_name: operation.script_name.to_owned(),
        started: operation.started,
        duration_us,
        usual_us: baseline.median,
        score: rounded(score),
    })
}
