//! What the caller has found of the system, and what of it is well.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;

use super::{
    super::{
        chain::{ChainId, Fault},
        hex::ExecutionId,
        instant,
        overview::Overview,
        record::Privacy,
        statistics::Window,
    },
    units,
};
use crate::retention::Moment;

/// How many faults of chains a report names.
pub const FAULTS_MAX: usize = 20;

/// How many of those who verified records are named.
const EARLIER_USERS_MAX: usize = 5;

/// A key is worth a warning in the last part of the time until its rotation: one of so many.
const ROTATION_PARTS: i32 = 10;
/// And this close to it in any case.
const ROTATION_DAYS: i64 = 7;
/// How many keys to rotate are named.
const KEYS_MAX: usize = 5;

/// What the caller has found of the system; by default nothing, which is what one tenant is told of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Health {
    /// Whether the store answers.
    pub store: Store,
    /// The keys in use.
    pub keys: Vec<KeyHealth>,
    /// How many things retention should have removed; null where nobody looked.
    pub retention_overdue: Option<u64>,
    /// What the chains of records are like; null where nobody looked.
    pub audit: Option<Audit>,
    /// How many sensitive columns were covered, day by day, the oldest first; of a report, as executions say.
    pub coverage: Vec<Coverage>,
    /// How many privacy findings there were, day by day, the oldest first; of a report, as executions say.
    pub findings: Vec<Findings>,
}

/// Whether the store answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// Nobody says so.
    #[default]
    Unknown,
    /// After so long.
    Reachable {
        /// In microseconds.
        latency_us: u64,
    },
    /// It does not.
    Unreachable,
}

/// A key in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyHealth {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Since when.
    #[serde(with = "instant")]
    pub since: Moment,
    /// When it has to be rotated; null where nothing says so.
    #[serde(with = "instant::or_null")]
    pub rotation_due: Option<Moment>,
}

/// When a key has to be rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Not for a while.
    Later,
    /// In the last tenth of its time, or within a week.
    Soon,
    /// By now.
    Overdue,
}

impl KeyHealth {
    /// Its name with its version, such as `data/default/1`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.name, self.version)
    }

    /// When it has to be rotated, seen from `now`; none where nothing says so.
    #[must_use]
    pub fn rotation(&self, now: Moment) -> Option<Rotation> {
        let due = self.rotation_due?;
        let left = due.signed_duration_since(now);
        let last = due.signed_duration_since(self.since) / ROTATION_PARTS;
        Some(match left {
            _ if left <= TimeDelta::zero() => Rotation::Overdue,
            _ if left <= last.max(TimeDelta::days(ROTATION_DAYS)) => Rotation::Soon,
            _ => Rotation::Later,
        })
    }
}

/// What the chains of records are like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// How many records there are.
    pub records: u64,
    /// How many faults there are.
    pub fault_count: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
    /// Records that were verified when they were summed up, and not again now: their files are there, as long as
    /// they were. What is told of them comes from what was sealed then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
}

/// Records that were verified earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// Of which chain.
    pub chain: ChainId,
    /// The first of them.
    pub first: u64,
    /// The last of them, by whose MAC they are continued.
    pub last: u64,
    /// When; of several times the earliest.
    #[serde(with = "instant")]
    pub at: Moment,
    /// By whom.
    pub by: BTreeSet<String>,
}

impl Audit {
    /// What [`verify`](super::super::chain::verify) found among `records` records.
    #[must_use]
    pub fn of(records: u64, faults: &[Fault]) -> Self {
        let first = faults.iter().take(FAULTS_MAX).copied().collect();
        Self { records, fault_count: faults.len() as u64, faults: first, earlier: Vec::new() }
    }

    /// The same, where some of the records were not verified now.
    #[must_use]
    pub fn with_earlier(self, earlier: Vec<Earlier>) -> Self {
        Self { earlier, ..self }
    }

    fn words(&self) -> String {
        let length = |one: &Earlier| one.last.saturating_sub(one.first).saturating_add(1);
        let before = self.earlier.iter().map(length).fold(0, u64::saturating_add);
        let oldest = self.earlier.iter().map(|one| one.at).min();
        let Some(oldest) = oldest else {
            return format!("intact over {} records", units::count(self.records));
        };
        let by: BTreeSet<&str> =
            self.earlier.iter().flat_map(|one| &one.by).map(String::as_str).collect();
        let by: Vec<&str> = by.into_iter().take(EARLIER_USERS_MAX).collect();
        format!(
            "intact: {} records verified now, {} when they were summed up (since {} UTC, by {})",
            units::count(self.records.saturating_sub(before)),
            units::count(before),
            units::moment(oldest),
            by.join(", ")
        )
    }
}

/// How much was covered on a day, by the last execution of it that says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Which, as `2026-11-23`.
    pub day: String,
    /// Published columns that have a sensitive class, or none.
    pub sensitive: u64,
    /// Those of them that are masked, or that an owner answers for.
    pub covered: u64,
}

/// How many findings executions of a day had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Which, as `2026-11-23`.
    pub day: String,
    /// Those that stop a run.
    pub critical: u64,
    /// The others.
    pub other: u64,
}

/// One thing that is well or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether.
    pub verdict: Verdict,
    /// In words.
    pub words: String,
}

/// Whether something is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is.
    Well,
    /// It is not known.
    Unknown,
    /// It will not be for long.
    Warning,
    /// It is not.
    Bad,
}

impl Health {
    /// The same with what executions of the window say of privacy, where they say anything.
    pub(super) fn with_privacy(mut self, overview: &Overview<'_>, window: Window) -> Self {
        let mut covered: BTreeMap<NaiveDate, (Moment, ExecutionId, Privacy)> = BTreeMap::new();
        let mut found: BTreeMap<NaiveDate, (u64, u64)> = BTreeMap::new();
        let inside = overview.operations().iter().filter(|one| one.started >= window.since);
        for (one, privacy) in inside.filter_map(|one| Some((one, one.privacy?))) {
            let date = one.started.date_naive();
            let sums = found.entry(date).or_default();
            *sums = (sums.0.saturating_add(privacy.critical), sums.1.saturating_add(privacy.other));
            // What was refused published nothing.
            if privacy.columns() > 0 {
                let newest = covered.entry(date).or_insert((one.started, one.id, privacy));
                if (newest.0, newest.1) < (one.started, one.id) {
                    *newest = (one.started, one.id, privacy);
                }
            }
        }
        if !found.is_empty() {
            let coverage = covered.into_iter().map(|(date, (_, _, privacy))| {
                let covered = privacy.masked.saturating_add(privacy.kept);
                let sensitive = covered.saturating_add(privacy.unclassified);
                Coverage { day: date.to_string(), sensitive, covered }
            });
            self.coverage = coverage.collect();
            let findings = found.into_iter().map(|(date, (critical, other))| Findings {
                day: date.to_string(),
                critical,
                other,
            });
            self.findings = findings.collect();
        }
        self
    }

    /// What is well and what is not, always the same things in the same order.
    #[must_use]
    pub fn checks(&self, now: Moment) -> Vec<Check> {
        vec![self.store(), self.keys(now), self.retention(), self.chains(), self.coverage()]
    }

    fn store(&self) -> Check {
        match self.store {
            Store::Unknown => check("Store", Verdict::Unknown, "is not known"),
            Store::Reachable { latency_us } => {
                check("Store", Verdict::Well, format!("answers in {}", units::duration(latency_us)))
            }
            Store::Unreachable => check("Store", Verdict::Bad, "does not answer"),
        }
    }

    fn keys(&self, now: Moment) -> Check {
        let are = |when: Rotation| {
            let keys = self.keys.iter().filter(|key| key.rotation(now) == Some(when));
            keys.map(KeyHealth::id).collect::<Vec<_>>()
        };
        let (overdue, soon) = (are(Rotation::Overdue), are(Rotation::Soon));
        if !overdue.is_empty() {
            let words = format!("overdue for rotation: {}", named(&overdue));
            check("Keys", Verdict::Bad, words)
        } else if !soon.is_empty() {
            check("Keys", Verdict::Warning, format!("soon due for rotation: {}", named(&soon)))
        } else if self.keys.is_empty() {
            check("Keys", Verdict::Unknown, "none is known")
        } else {
            check("Keys", Verdict::Well, format!("{} in use, none due", self.keys.len()))
        }
    }

    fn retention(&self) -> Check {
        match self.retention_overdue {
            None => check("Retention", Verdict::Unknown, "is not known"),
            Some(0) => check("Retention", Verdict::Well, "nothing is overdue"),
            Some(overdue) => check("Retention", Verdict::Warning, format!("{overdue} overdue")),
        }
    }

    fn chains(&self) -> Check {
        match &self.audit {
            None => check("Audit chain", Verdict::Unknown, "was not verified"),
            Some(audit @ Audit { fault_count: 0, .. }) => {
                check("Audit chain", Verdict::Well, audit.words())
            }
            Some(Audit { fault_count, .. }) => {
                let faults = if *fault_count == 1 { "fault" } else { "faults" };
                check("Audit chain", Verdict::Bad, format!("{fault_count} {faults}"))
            }
        }
    }

    fn coverage(&self) -> Check {
        match self.coverage.last() {
            None => check("Coverage", Verdict::Unknown, "is not known"),
            Some(Coverage { sensitive, covered, .. }) if covered >= sensitive => {
                check("Coverage", Verdict::Well, format!("all {sensitive} sensitive columns"))
            }
            Some(Coverage { sensitive, covered, .. }) => {
                check("Coverage", Verdict::Bad, format!("{covered} of {sensitive} columns"))
            }
        }
    }
}

fn named(keys: &[String]) -> String {
    let first = keys.iter().take(KEYS_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match keys.len().saturating_sub(KEYS_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn check(name: &str, verdict: Verdict, words: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict, words: words.into() }
}
