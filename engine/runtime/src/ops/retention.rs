//! `retention`: what policies want gone, and having it go.

use std::collections::BTreeSet;

use engine_project::Project;
use engine_tracking::retention::{Deletion, Due, Policy, Suspicion, due, suspicious};
use engine_tracking::runs::{ScriptType, Volume};
use serde::Serialize;

use crate::clock;
use crate::codes::{names, store as store_codes, tracking};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::keys::{self, Keys};
use crate::operation::{self, Scene, Told};
use crate::records;
use crate::request::Context;
use crate::retention::{self, ExportRetention, policy_of};
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

/// What is due now, of one export or of all that have a policy; changes nothing.
///
/// # Errors
/// A policy cannot be meant, or the store cannot be read.
pub async fn plan(context: &Context, export: Option<&str>) -> Outcome<RetentionReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let exports = foreseen(&project, &keys, export).await?;
    Ok(RetentionReport { exports, warnings: Vec::new() })
}

/// What is due now, with opened keys.
///
/// # Errors
/// A policy cannot be meant, or the store cannot be read.
pub(super) async fn foreseen(
    project: &Project,
    keys: &Keys,
    export: Option<&str>,
) -> Outcome<Vec<ExportRetention>> {
    let chosen = chosen(project, export)?;
    let store = store::open(project)?;
    let mut exports = Vec::with_capacity(chosen.len());
    for (name, policy) in chosen {
        let file = keys.file_id(store.project(), &name)?;
        if policy.is_none() && store.tombstones(file, &name, keys).await?.0 == 0 {
            continue;
        }
        let found = retention::inventory(&store, keys, file, &name).await?;
        let policies = policy.as_slice();
        let due = due(policies, &found.inventory, clock::now());
        let found = ExportRetention::of(&name, policy.as_ref(), &due);
        if policy.is_some() || !found.is_nothing() {
            exports.push(found);
        }
    }
    Ok(exports)
}

/// Exports, with their policies. One that has none any more may have snapshots that are deleted softly.
fn chosen(project: &Project, export: Option<&str>) -> Outcome<Vec<(String, Option<Policy>)>> {
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
    let with_policy =
        wanted.map(|export| (export.name.value.clone(), policy_of(&policies, export).cloned()));
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
    let chosen = chosen(&project, export)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let with_policy = chosen.iter().filter(|(_, policy)| policy.is_some());
    let objects = operation::exports(with_policy.map(|(name, _)| name.as_str()));
    let work = each_applied(context, &store, &keys, &chosen, trust_clock);
    let mut report = scene.recorded(ScriptType::RETENTION_APPLY, objects, work, freed).await?;
    report.exports.retain(|export| export.policy.is_some() || !export.is_nothing());
    Ok(report)
}

/// What was taken from the store.
fn freed(report: &RetentionReport) -> Told {
    let bytes = report.exports.iter().map(|export| export.destroy.bytes);
    let volume = Volume { bytes_freed: bytes.fold(0, u64::saturating_add), ..Volume::default() };
    Told { volume, ..Told::default() }
}

async fn each_applied(
    context: &Context,
    store: &Store,
    keys: &Keys,
    chosen: &[(String, Option<Policy>)],
    trust_clock: bool,
) -> Outcome<RetentionReport> {
    let mut report = RetentionReport { exports: Vec::new(), warnings: Vec::new() };
    let mut doubts = Vec::new();
    for (name, policy) in chosen {
        // What is wrong with one export keeps nothing of another.
        match applied(context, store, keys, name, policy.as_ref(), trust_clock).await {
            Ok(Ok(done)) => report.exports.push(done),
            Ok(Err(doubt)) => doubts.push(*doubt),
            Err(failure) => doubts.extend(failure.diagnostics),
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
    selected: &BTreeSet<String>,
) -> Outcome<RetentionReport> {
    let mut report = RetentionReport { exports: Vec::new(), warnings: Vec::new() };
    let mut failures = Vec::new();
    for (name, policy) in chosen(project, None)? {
        if policy.is_none() && !selected.contains(&name) {
            continue;
        }
        match applied(context, store, keys, &name, policy.as_ref(), false).await {
            Ok(Ok(done)) => report.exports.push(done),
            Ok(Err(doubt)) => report.warnings.push(doubt.as_warning()),
            Err(failure) => failures.extend(failure.diagnostics),
        }
    }
    report.exports.retain(|export| !export.is_nothing());
    if failures.is_empty() { Ok(report) } else { Err(failures.into()) }
}

/// What was done for an export, or why the clock is doubted.
async fn applied(
    context: &Context,
    store: &Store,
    keys: &Keys,
    export: &str,
    policy: Option<&Policy>,
    trust_clock: bool,
) -> Outcome<Result<ExportRetention, Box<Diagnostic>>> {
    let file = keys.file_id(store.project(), export)?;
    let policies = policy.map(std::slice::from_ref).unwrap_or_default();
    if policy.is_none() && store.tombstones(file, export, keys).await?.0 == 0 {
        return Ok(Ok(ExportRetention::of(export, None, &Due::default())));
    }
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
            let message = format!("nothing of `{export}` was deleted: {}", doubt_of(&suspicion));
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
        let by = records::user(context);
        let deletions = Deletion::of(policies, &due, &by, now);
        store.record_deletions(records::new_id()?, export, &deletions, keys).await?;
        retention::destroy(store, file, &found, &due).await?;
    }
    Ok(Ok(done.unwrap_or_else(|| ExportRetention::of(export, policy, &Due::default()))))
}

/// Why the clock is doubted.
fn doubt_of(suspicion: &Suspicion) -> String {
    match suspicion {
        Suspicion::Behind { .. } => "something in the store is dated after now".to_owned(),
        Suspicion::Disordered { version, .. } => {
            format!("snapshot {version} is dated before an earlier one")
        }
        Suspicion::Ahead { .. } => "nothing has happened for more than 35 days".to_owned(),
    }
}
