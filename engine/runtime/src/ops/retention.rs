//! `retention`: what policies want gone, and having it go.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use engine_bundle::ids::RunId;
use engine_project::Project;
use engine_tracking::retention::{Deletion, Due, Policy, Totals, What, due, suspicious};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::codes::{keys as key_codes, names, store as store_codes, tracking};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::keys::{self, Keys};
use crate::request::Context;
use crate::retention::{self, policy_of};
use crate::store::{self, Store};
use crate::workspace;

/// What is due, or was done.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionReport {
    /// The exports that have a policy, in declared order.
    pub exports: Vec<ExportRetention>,
    /// Exports that were left alone, and why.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
}

/// What retention means for one export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRetention {
    /// The export.
    pub export: String,
    /// Its policy.
    pub policy: String,
    /// Why the policy is as it is.
    pub basis: Option<String>,
    /// What is deleted softly now.
    pub tombstone: Amount,
    /// Whether readers lose the newest snapshot by that.
    pub newest_goes: bool,
    /// What is destroyed now: its grace is over.
    pub destroy: Amount,
    /// What is there because of a legal hold only.
    pub held: Amount,
    /// Snapshots that are live again.
    pub restored: usize,
}

/// How much.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Snapshots.
    pub snapshots: u64,
    /// Chunks that go with them, or that no snapshot names.
    pub chunks: u64,
    /// Rows of the chunks, where known.
    pub rows: u64,
    /// Bytes of the chunks.
    pub bytes: u64,
    /// The earliest moment of any of them.
    pub oldest: Option<String>,
    /// The latest moment of any of them.
    pub newest: Option<String>,
}

impl Amount {
    fn of(totals: &Totals) -> Self {
        let text = |moment: Option<DateTime<Utc>>| {
            moment.map(|moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true))
        };
        Self {
            snapshots: totals.snapshots,
            chunks: totals.chunks,
            rows: totals.rows,
            bytes: totals.bytes,
            oldest: text(totals.oldest),
            newest: text(totals.newest),
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.snapshots == 0 && self.chunks == 0
    }
}

impl ExportRetention {
    fn of(export: &str, policy: &Policy, due: &Due) -> Self {
        let summary = due.summaries(std::slice::from_ref(policy)).pop();
        let amount = |of: fn(&engine_tracking::retention::Summary) -> &Totals| {
            summary.as_ref().map(|summary| Amount::of(of(summary))).unwrap_or_default()
        };
        let is_snapshot = |what: &&What| matches!(what, What::Snapshot { .. });
        Self {
            export: export.to_owned(),
            policy: policy.name.clone(),
            basis: policy.basis.clone(),
            tombstone: amount(|summary| &summary.tombstone),
            newest_goes: due.tombstone.iter().any(|item| item.is_newest),
            destroy: amount(|summary| &summary.destroy),
            held: amount(|summary| &summary.held),
            restored: due.restore.iter().filter(is_snapshot).count(),
        }
    }

    /// Whether nothing is due.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.tombstone.is_nothing() && self.destroy.is_nothing() && self.restored == 0
    }
}

/// What is due now, of one export or of all that have a policy; changes nothing.
///
/// # Errors
/// A policy cannot be meant, or the store cannot be read.
pub async fn plan(context: &Context, export: Option<&str>) -> Outcome<RetentionReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let mut report = RetentionReport { exports: Vec::new(), warnings: Vec::new() };
    for (name, policy) in chosen(&project, export)? {
        let file = keys.file_id(store.project(), &name)?;
        let found = retention::inventory(&store, &keys, file, &name).await?;
        let due = due(std::slice::from_ref(&policy), &found.inventory, clock::now());
        report.exports.push(ExportRetention::of(&name, &policy, &due));
    }
    Ok(report)
}

/// Exports that have a policy, with it.
fn chosen(project: &Project, export: Option<&str>) -> Outcome<Vec<(String, Policy)>> {
    let policies = retention::policies(project)?;
    if let Some(name) = export
        && project.export(name).is_none()
    {
        let known: Vec<&str> =
            project.exports.iter().map(|export| export.name.value.as_str()).collect();
        let message = format!("there is no export `{name}`");
        return Err(Diagnostic::new(&names::UNKNOWN_EXPORT, message)
            .help(format!("the exports are: {}", known.join(", ")))
            .into());
    }
    let wanted =
        project.exports.iter().filter(|one| export.is_none_or(|name| one.name.value == name));
    let with_policy = wanted.filter_map(|export| {
        Some((export.name.value.clone(), policy_of(&policies, export)?.clone()))
    });
    Ok(with_policy.collect())
}

/// Does what is due: tombstones first, then what tombstones' grace is over for. `trust_clock` does so although
/// the clock contradicts what happened.
///
/// # Errors
/// A policy cannot be meant, the store is in use or cannot be written, or the clock is doubted.
pub async fn apply(
    context: &Context,
    export: Option<&str>,
    trust_clock: bool,
) -> Outcome<RetentionReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let _lock = store.lock()?;
    let mut report = RetentionReport { exports: Vec::new(), warnings: Vec::new() };
    let mut doubts = Vec::new();
    for (name, policy) in chosen(&project, export)? {
        match applied(context, &store, &keys, &name, &policy, trust_clock).await? {
            Ok(done) => report.exports.push(done),
            Err(doubt) => doubts.push(*doubt),
        }
    }
    if doubts.is_empty() { Ok(report) } else { Err(doubts.into()) }
}

/// The same at the end of a run, which has the store's lock: a clock that is doubted is a warning then.
///
/// # Errors
/// A policy cannot be meant, or the store cannot be written.
pub(super) async fn after_run(
    context: &Context,
    project: &Project,
    store: &Store,
    keys: &Keys,
) -> Outcome<RetentionReport> {
    let mut report = RetentionReport { exports: Vec::new(), warnings: Vec::new() };
    for (name, policy) in chosen(project, None)? {
        match applied(context, store, keys, &name, &policy, false).await? {
            Ok(done) => report.exports.push(done),
            Err(doubt) => report.warnings.push(doubt.as_warning()),
        }
    }
    Ok(report)
}

/// What was done for an export, or why the clock is doubted.
async fn applied(
    context: &Context,
    store: &Store,
    keys: &Keys,
    export: &str,
    policy: &Policy,
    trust_clock: bool,
) -> Outcome<Result<ExportRetention, Box<Diagnostic>>> {
    let file = keys.file_id(store.project(), export)?;
    let policies = std::slice::from_ref(policy);
    let mut done = None;
    // Once more after something was destroyed: its tombstones then say that it is gone.
    for _ in 0..2 {
        let now = clock::now();
        let found = retention::inventory(store, keys, file, export).await?;
        let due = due(policies, &found.inventory, now);
        let report = done.get_or_insert_with(|| ExportRetention::of(export, policy, &due)).clone();
        if due.is_nothing() {
            return Ok(Ok(report));
        }
        if !trust_clock && let Some(suspicion) = suspicious(now, &found.inventory) {
            let message = format!("nothing of `{export}` was deleted: {suspicion}");
            let doubt = Diagnostic::new(&tracking::CLOCK_DOUBTED, message).help(
                "set the clock, or use `engine retention apply --trust-clock` if it is right",
            );
            return Ok(Err(Box::new(doubt)));
        }
        let tombstones = due.tombstones(&found.inventory.tombstones, now);
        if !store.commit_tombstones(file, export, found.number, &tombstones, keys).await? {
            let message = format!("another writer changed what is deleted of `{export}`");
            return Err(Diagnostic::new(&store_codes::WRITER_LOST, message)
                .help("apply again: it begins with what is there")
                .into());
        }
        if due.destroy.is_empty() {
            return Ok(Ok(report));
        }
        let by = user(&context.environment);
        let deletions = Deletion::of(policies, &due, &by, now);
        let id = RunId::new(u64::try_from(now.timestamp_millis()).unwrap_or(0)).map_err(|_| {
            Diagnostic::new(&key_codes::RANDOM, "no random bytes for a record's id")
        })?;
        store.record_deletions(id, export, &deletions, keys).await?;
        retention::destroy(store, file, &found, &due).await?;
    }
    Ok(Ok(done.unwrap_or_else(|| ExportRetention::of(export, policy, &Due::default()))))
}

/// Who runs the engine, as the environment says.
fn user(environment: &BTreeMap<String, String>) -> String {
    let named = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"];
    let found = named.iter().find_map(|name| environment.get(*name));
    found.cloned().unwrap_or_else(|| "unknown".to_owned())
}
