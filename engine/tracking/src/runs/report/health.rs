//! What the caller has found of the system, and what of it is well.

use serde::Serialize;

use super::{
    super::{chain::Fault, instant},
    units,
};
use crate::retention::Moment;

/// How many faults of chains a report names.
pub const FAULTS_MAX: usize = 20;

/// A key this close to its rotation is worth a warning.
const ROTATION_DAYS: i64 = 30;

/// What the caller has found of the system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Health {
    /// Whether the store answers.
    pub store: Store,
    /// The keys in use.
    pub keys: Vec<KeyHealth>,
    /// How many things retention should have removed.
    pub retention_overdue: u64,
    /// What the chains of records are like; null where nobody looked.
    pub audit: Option<Audit>,
    /// How many sensitive columns were covered, day by day, the oldest first.
    pub coverage: Vec<Coverage>,
    /// How many privacy findings were open, day by day, the oldest first.
    pub findings: Vec<Findings>,
}

/// Whether the store answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
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

/// What the chains of records are like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// How many records were verified.
    pub records: u64,
    /// How many faults there are.
    pub fault_count: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

impl Audit {
    /// What [`verify`](super::super::chain::verify) found among `records` records.
    #[must_use]
    pub fn of(records: u64, faults: &[Fault]) -> Self {
        let first = faults.iter().take(FAULTS_MAX).copied().collect();
        Self { records, fault_count: faults.len() as u64, faults: first }
    }
}

/// How much was covered on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Which, as `2026-11-23`.
    pub day: String,
    /// Columns with a sensitive class.
    pub sensitive: u64,
    /// Those of them that are masked or kept back.
    pub covered: u64,
}

/// How many findings were open on a day.
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
    /// What is well and what is not, always the same things in the same order.
    #[must_use]
    pub fn checks(&self, now: Moment) -> Vec<Check> {
        vec![self.store(), self.keys(now), self.retention(), self.chains(), self.coverage()]
    }

    fn store(&self) -> Check {
        match self.store {
            Store::Reachable { latency_us } => {
                check("Store", Verdict::Well, format!("answers in {}", units::duration(latency_us)))
            }
            Store::Unreachable => check("Store", Verdict::Bad, "does not answer"),
        }
    }

    fn keys(&self, now: Moment) -> Check {
        let due = |key: &&KeyHealth, days: i64| {
            let left = key.rotation_due.map(|due| due.signed_duration_since(now).num_seconds());
            left.is_some_and(|left| left <= days.saturating_mul(86_400))
        };
        let count = |days: i64| self.keys.iter().filter(|key| due(key, days)).count();
        let (overdue, soon) = (count(0), count(ROTATION_DAYS));
        if overdue > 0 {
            check("Keys", Verdict::Bad, format!("{overdue} overdue for rotation"))
        } else if soon > 0 {
            let words = format!("{soon} due for rotation within {ROTATION_DAYS} days");
            check("Keys", Verdict::Warning, words)
        } else if self.keys.is_empty() {
            check("Keys", Verdict::Unknown, "none is known")
        } else {
            check("Keys", Verdict::Well, format!("{} in use, none due", self.keys.len()))
        }
    }

    fn retention(&self) -> Check {
        match self.retention_overdue {
            0 => check("Retention", Verdict::Well, "nothing is overdue"),
            overdue => check("Retention", Verdict::Warning, format!("{overdue} overdue")),
        }
    }

    fn chains(&self) -> Check {
        match &self.audit {
            None => check("Audit chain", Verdict::Unknown, "was not verified"),
            Some(Audit { records, fault_count: 0, .. }) => {
                let words = format!("intact over {} records", units::count(*records));
                check("Audit chain", Verdict::Well, words)
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

fn check(name: &str, verdict: Verdict, words: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict, words: words.into() }
}
