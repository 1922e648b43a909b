//! What executions amount to: how many succeed, how long they take, what is strange about that, how
//! much they move.
//!
//! Linear in the number of executions but for sorting what is listed: a hundred thousand take some
//! tens of milliseconds. Equal inputs give equal statistics, to the byte.

mod days;
mod nodes;
mod robust;
mod scripts;

use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;

pub use days::Day;
pub use nodes::NodeStatistics;
pub(crate) use robust::as_float;
pub use robust::{Baseline, Direction, SAMPLES_MIN, SCORE_MAX, Trend, median, percentile};
pub use scripts::{Anomaly, HISTORY_MAX, ScriptStatistics};

use super::{
    fold::Operation,
    hex::ExecutionId,
    instant,
    overview::{Glance, Overview},
    record::{Message, State},
    script::ScriptType,
};
use crate::retention::Moment;

/// The longest of the lists that name single executions, nodes and days.
const LIST_MAX: usize = 20;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Executions that started then or later.
    pub since: Moment,
    /// The time it is. Later executions count, too: clocks of machines differ.
    pub now: Moment,
}

/// What executions amount to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// How many ended how, of those in the window.
    pub counts: Counts,
    /// Of those that ended: the part that succeeded, from 0 to 1; null where none ended.
    pub success_rate: Option<f64>,
    /// The median duration of those that succeeded.
    pub median_us: Option<u64>,
    /// What nine of ten of those that succeeded did not exceed.
    pub p90_us: Option<u64>,
    /// Those without an end, whenever they started, the newest first.
    pub live: Vec<Live>,
    /// By kind and name.
    pub scripts: Vec<ScriptStatistics>,
    /// Strange durations, the newest first.
    pub anomalies: Vec<Anomaly>,
    /// Nodes with the greatest median duration, that first.
    pub slowest_nodes: Vec<NodeStatistics>,
    /// Failures, the newest first.
    pub errors: Vec<Seen>,
    /// Failures by code, the most frequent first.
    pub error_codes: Vec<CodeCount>,
    /// Each day of the window, in UTC, the oldest first; of a window beyond 400 days, the last 400.
    pub days: Vec<Day>,
}

/// How many executions ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// Those that did what they were to do.
    pub success: u64,
    /// Those that did not, the crashed ones included.
    pub failed: u64,
    /// Those that others closed.
    pub crashed: u64,
    /// Those without an end.
    pub live: u64,
}

impl Counts {
    fn add(&mut self, operation: &Glance<'_>) {
        let which = match operation.status {
            State::Success => &mut self.success,
            State::Failed => &mut self.failed,
            State::Started | State::Running => &mut self.live,
        };
        *which = which.saturating_add(1);
        self.total = self.total.saturating_add(1);
        self.crashed = self.crashed.saturating_add(u64::from(operation.is_crashed));
    }

    /// The part of the ended that succeeded.
    fn success_rate(&self) -> Option<f64> {
        robust::ratio(self.success, self.success.saturating_add(self.failed))
    }
}

/// An execution that has no end yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Live {
    /// Which.
    pub id: ExecutionId,
    /// Its kind.
    pub script_type: ScriptType,
    /// Its name.
    pub script_name: String,
    /// How far it is.
    pub status: State,
    /// When it started.
    #[serde(with = "instant")]
    pub started: Moment,
    /// For how long: 0 where it started in the future.
    pub elapsed_us: u64,
    /// Whose.
    pub user: Option<String>,
    /// Where.
    pub host: Option<String>,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Of which execution.
    pub id: ExecutionId,
    /// Its kind.
    pub script_type: ScriptType,
    /// Its name.
    pub script_name: String,
    /// When it failed.
    #[serde(with = "instant")]
    pub time: Moment,
    /// Whose.
    pub user: Option<String>,
    /// The code of the cause; null where none was recorded.
    pub code: Option<String>,
    /// In words.
    pub message: Option<Message>,
}

/// How often a cause made something fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeCount {
    /// The code; null where none was recorded.
    pub code: Option<String>,
    /// How often.
    pub count: u64,
}

/// What `operations` amount to. Those before the window are history, against which durations are
/// measured, and nothing else.
#[must_use]
pub fn statistics(operations: &[Operation], window: Window) -> Statistics {
    of(&Overview::of_operations(operations), window)
}

/// What executions at a glance amount to: the same.
#[must_use]
pub fn of(overview: &Overview<'_>, window: Window) -> Statistics {
    // Mostly they come oldest first: then this is no work.
    let mut newest_first: Vec<&Glance<'_>> = overview.operations().iter().rev().collect();
    newest_first.sort_by_key(|one| Reverse((one.started, one.id)));
    let count_inside = newest_first.partition_point(|one| one.started >= window.since);
    let inside = newest_first.get(..count_inside).unwrap_or_default();
    let mut counts = Counts::default();
    let mut durations = Vec::with_capacity(inside.len());
    let mut failed = Vec::new();
    for operation in inside.iter().copied() {
        counts.add(operation);
        match operation.status {
            State::Success => durations.extend(operation.duration_us),
            State::Failed => failed.push(operation),
            State::Started | State::Running => {}
        }
    }
    let (scripts, anomalies) = scripts::scripts(&newest_first, window);
    Statistics {
        counts,
        success_rate: counts.success_rate(),
        median_us: median(&mut durations),
        p90_us: percentile(&mut durations, 90),
        live: live(&newest_first, window),
        scripts,
        anomalies,
        slowest_nodes: nodes::slowest(overview, inside),
        error_codes: error_codes(&failed),
        errors: errors(failed),
        days: days::days(inside, window),
    }
}

fn live(operations: &[&Glance<'_>], window: Window) -> Vec<Live> {
    let without_end = operations.iter().filter(|operation| !operation.status.is_end());
    let live = without_end.take(LIST_MAX).map(|operation| {
        let elapsed = window.now.signed_duration_since(operation.started).num_microseconds();
        Live {
            id: operation.id,
            script_type: operation.script_type.clone(),
            script_name: operation.script_name.to_owned(),
            status: operation.status,
            started: operation.started,
            elapsed_us: elapsed.and_then(|elapsed| u64::try_from(elapsed).ok()).unwrap_or(0),
            user: operation.user.map(str::to_owned),
            host: operation.host.map(str::to_owned),
        }
    });
    live.collect()
}

fn errors(mut failed: Vec<&Glance<'_>>) -> Vec<Seen> {
    failed.sort_by_key(|one| Reverse((one.updated, one.id)));
    let seen = failed.into_iter().take(LIST_MAX).map(|operation| Seen {
        id: operation.id,
        script_type: operation.script_type.clone(),
        script_name: operation.script_name.to_owned(),
        time: operation.updated,
        user: operation.user.map(str::to_owned),
        code: operation.error.map(|(code, _)| code.to_owned()),
        message: operation.error.map(|(_, message)| Message::redacted(message)),
    });
    seen.collect()
}

fn error_codes(failed: &[&Glance<'_>]) -> Vec<CodeCount> {
    let mut counts: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for operation in failed {
        let code = operation.error.map(|(code, _)| code);
        let count = counts.entry(code).or_default();
        *count = count.saturating_add(1);
    }
    let owned =
        |(code, count): (Option<&str>, u64)| CodeCount { code: code.map(Into::into), count };
    let mut codes: Vec<CodeCount> = counts.into_iter().map(owned).collect();
    codes.sort_by_key(|code| Reverse(code.count));
    codes.truncate(LIST_MAX);
    codes
}
