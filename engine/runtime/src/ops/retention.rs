//! `retention`: what policies want gone, and having it go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_bundle::ids::RunId;
use engine_project::{History, Project};
use engine_tracking::retention::{Moment, Policy};
use engine_tracking::runs::{ScriptType, Volume};
use serde::Serialize;

use crate::clock;
use crate::codes::names;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::history::Layout;
use crate::keeping::{Applied, At, Keeper};
use crate::keys::{self, Keys};
use crate::metadata::ArchivesDue;
use crate::operation::{self, Scene, Told};
use crate::records::RecordsDue;
use crate::request::Context;
use crate::retention::{
    self, ExportRetention, policy_of, policy_of_history, policy_of_runs, started_at,
};
use crate::store::{self, Store};
use crate::thinning::HistoryKeeper;
use crate::workspace;

/// An export or history that is kept.
enum Kept {
    /// An export, there or former.
    Export(String),
    /// A history.
    History(Layout),
}

impl Kept {
    fn name(&self) -> &str {
        match self {
            Self::Export(name) => name,
            Self::History(layout) => &layout.name,
        }
    }

    async fn foreseen(
        &self,
        keeper: Keeper<'_>,
        policy: Option<&Policy>,
    ) -> Outcome<Option<ExportRetention>> {
        match self {
            Self::Export(name) => keeper.foreseen(name, policy).await,
            Self::History(layout) => HistoryKeeper { keeper, layout, policy }.foreseen().await,
        }
    }

    async fn applied(
        &self,
        keeper: Keeper<'_>,
        policy: Option<&Policy>,
        at: At,
    ) -> Outcome<Applied> {
        match self {
            Self::Export(name) => keeper.applied(name, policy, at).await,
            Self::History(layout) => HistoryKeeper { keeper, layout, policy }.applied(at).await,
        }
    }

    /// Whether nothing can be due at the end of a run.
    async fn is_settled(
        &self,
        keeper: Keeper<'_>,
        policy: Option<&Policy>,
        done: &Done<'_>,
        now: Moment,
    ) -> Outcome<bool> {
        let export = match self {
            Self::Export(name) => name,
            Self::History(layout) => &layout.export,
        };
        if policy.is_none() && !done.selected.contains(export) {
            return Ok(true);
        }
        if policy.is_some() && done.committed.contains(export) {
            return Ok(false);
        }
        match (self, policy) {
            (Self::Export(name), None) => keeper.is_known_untouched(name),
            (Self::Export(name), Some(policy)) => keeper.is_idle(name, policy).await,
            (Self::History(layout), _) => {
                HistoryKeeper { keeper, layout, policy }.is_idle(now).await
            }
        }
    }
}

/// What is due, or was done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RetentionReport {
    /// The exports that have a policy, in declared order, and then the histories.
    pub exports: Vec<ExportRetention>,
    /// Run records, by class; none where no policy is named for them.
    pub records: Vec<RecordsDue>,
    /// Archives of schemas, by source; none where none goes.
    pub archives: Vec<ArchivesDue>,
    /// Folders of the store that belong to no export of the project, where all were looked at.
    pub unclaimed: Vec<Unclaimed>,
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
    let exports = foreseen(context, &project, &keys, export).await?;
    let store = store::open(&project)?;
    let keeper = Keeper { context, project: &project, store: &store, keys: &keys };
    let policies = retention::policies(&project)?;
    let records = match policy_of_runs(&policies, &project).filter(|_| export.is_none()) {
        Some(policy) => keeper.records_due(policy).await?,
        None => Vec::new(),
    };
    let archives = match export {
        Some(_) => Vec::new(),
        None => keeper.archives_due()?,
    };
    let unclaimed = match export {
        Some(_) => Vec::new(),
        None => unclaimed(&project, &store, &keys).await?,
    };
    Ok(RetentionReport { exports, records, archives, unclaimed, warnings: Vec::new() })
}

/// What is due now, with opened keys.
///
/// # Errors
/// A policy cannot be meant, or the store cannot be read.
pub(super) async fn foreseen(
    context: &Context,
    project: &Arc<Project>,
    keys: &Keys,
    export: Option<&str>,
) -> Outcome<Vec<ExportRetention>> {
    let chosen = chosen(project, export)?;
    let store = store::open(project)?;
    let keeper = Keeper { context, project, store: &store, keys };
    let mut exports = Vec::with_capacity(chosen.len());
    for (kept, policy) in chosen {
        exports.extend(kept.foreseen(keeper, policy.as_ref()).await?);
    }
    Ok(exports)
}

/// Exports and then histories, with their policies. One that has none any more may have snapshots that are deleted
/// softly.
fn chosen(project: &Project, export: Option<&str>) -> Outcome<Vec<(Kept, Option<Policy>)>> {
    let policies = retention::policies(project)?;
    if let Some(name) = export
        && project.export(name).is_none()
        && project.tracking.history(name).is_none()
    {
        let exports = project.exports.iter().map(|export| &export.name);
        let histories = project.tracking.histories.iter().map(|history| &history.name);
        let known: Vec<&str> = exports.chain(histories).map(|name| name.value.as_str()).collect();
        let message = format!("there is no export or history `{name}`");
        return Err(Diagnostic::new(&names::UNKNOWN_EXPORT, message)
            .help(format!("there are: {}", known.join(", ")))
            .into());
    }
    let wanted =
        project.exports.iter().filter(|one| export.is_none_or(|name| one.name.value == name));
    let with_policy =
        wanted.map(|export| (&export.name.value, policy_of(&policies, export).cloned()));
    let former = policies_of_former(project, &policies).filter(|_| export.is_none());
    let exports = with_policy.chain(former);
    let exports = exports.map(|(name, policy)| (Kept::Export(name.clone()), policy));
    let histories = project.tracking.histories.iter();
    let histories = histories
        .filter(|one| export.is_none_or(|name| one.name.value == name || one.of.value == name));
    let histories = histories.map(|history| {
        (Kept::History(Layout::of(history)), policy_of_history(&policies, history).cloned())
    });
    Ok(exports.chain(histories).collect())
}

/// Exports that the project no longer has and that a policy still names.
fn policies_of_former<'p>(
    project: &'p Project,
    policies: &'p BTreeMap<String, Policy>,
) -> impl Iterator<Item = (&'p String, Option<Policy>)> + 'p {
    project.retention.iter().flat_map(|declared| {
        let policy = policies.get(&declared.name.value);
        declared.former_exports.iter().map(move |name| (&name.value, policy.cloned()))
    })
}

/// A folder of the store that belongs to no export of the project. What it was called cannot be told from it.
#[derive(Debug, Clone, Serialize)]
pub struct Unclaimed {
    /// The folder.
    pub folder: String,
    /// Manifests in it.
    pub snapshots: u64,
    /// Chunks in it.
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The folders of exports that the project no longer has and no policy names.
async fn unclaimed(project: &Project, store: &Store, keys: &Keys) -> Outcome<Vec<Unclaimed>> {
    let exports = project.exports.iter().map(|export| &export.name);
    let former = project.retention.iter().flat_map(|policy| &policy.former_exports);
    let mut claimed = BTreeSet::new();
    // Links are there though nothing refers to anything any more.
    let tables = project.tracking.histories.iter();
    let tables =
        tables.flat_map(|one| History::TABLES.map(|end| format!("{}{end}", one.name.value)));
    let names = exports.chain(former).map(|name| name.value.clone());
    for name in names.chain(tables) {
        claimed.insert(keys.file_id(store.project(), &name)?.to_string());
    }
    let mut found = Vec::new();
    for folder in store.exports().await? {
        if claimed.contains(&folder.to_string()) {
            continue;
        }
        let snapshots = store.versions(folder).await?.len() as u64;
        let chunks = store.chunk_files(folder).await?;
        let bytes = chunks.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add);
        if snapshots > 0 || !chunks.is_empty() {
            let chunks = chunks.len() as u64;
            found.push(Unclaimed { folder: format!("exports/{folder}"), snapshots, chunks, bytes });
        }
    }
    Ok(found)
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
    let objects = operation::exports(with_policy.map(|(kept, _)| kept.name()));
    let keeper = Keeper { context, project: &project, store: &store, keys: &keys };
    let at = At { run: store::new_id()?, rows: clock::now(), trust_clock };
    let work = async {
        let mut report = each_applied(keeper, &chosen, at).await?;
        if export.is_none() {
            report.records = records_applied(keeper).await?;
            report.archives = keeper.archives_applied()?;
        }
        Ok(report)
    };
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
    keeper: Keeper<'_>,
    chosen: &[(Kept, Option<Policy>)],
    at: At,
) -> Outcome<RetentionReport> {
    let mut report = RetentionReport::default();
    let mut doubts = Vec::new();
    for (kept, policy) in chosen {
        // What is wrong with one export keeps nothing of another.
        match kept.applied(keeper, policy.as_ref(), at).await {
            Ok(Applied::Done(done, warnings)) => {
                report.exports.push(*done);
                report.warnings.extend(warnings);
            }
            Ok(Applied::Doubted(doubt)) => doubts.push(*doubt),
            Err(failure) => doubts.extend(failure.diagnostics),
        }
    }
    if doubts.is_empty() { Ok(report) } else { Err(doubts.into()) }
}

/// What a run did before.
pub(super) struct Done<'a> {
    /// The exports it was asked for.
    pub(super) selected: &'a BTreeSet<String>,
    /// Those that have a new snapshot.
    pub(super) committed: BTreeSet<String>,
}

/// The same at the end of a run, which has the store's lock: a clock that is doubted is a warning then. Rows are
/// judged by the start of the run, as those were that it published.
///
/// # Errors
/// A policy cannot be meant, or the store cannot be written.
pub(super) async fn after_run(
    keeper: Keeper<'_>,
    run: RunId,
    done: &Done<'_>,
) -> Outcome<RetentionReport> {
    let mut report = RetentionReport::default();
    let mut failures = Vec::new();
    let at = At { run, rows: started_at(run), trust_clock: false };
    for (kept, policy) in chosen(keeper.project, None)? {
        match kept.is_settled(keeper, policy.as_ref(), done, at.rows).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(failure) => {
                failures.extend(failure.diagnostics);
                continue;
            }
        }
        match kept.applied(keeper, policy.as_ref(), at).await {
            Ok(Applied::Done(done, warnings)) => {
                report.exports.push(*done);
                report.warnings.extend(warnings);
            }
            Ok(Applied::Doubted(doubt)) => report.warnings.push(doubt.as_warning()),
            Err(failure) => failures.extend(failure.diagnostics),
        }
    }
    report.exports.retain(|export| !export.is_nothing());
    match records_applied(keeper).await {
        Ok(records) => report.records = records,
        Err(failure) => failures.extend(failure.diagnostics),
    }
    match keeper.archives_applied() {
        Ok(archives) => report.archives = archives,
        Err(failure) => failures.extend(failure.diagnostics),
    }
    if failures.is_empty() { Ok(report) } else { Err(failures.into()) }
}

/// Run records that went.
async fn records_applied(keeper: Keeper<'_>) -> Outcome<Vec<RecordsDue>> {
    let policies = retention::policies(keeper.project)?;
    match policy_of_runs(&policies, keeper.project) {
        Some(policy) => keeper.records_applied(policy).await,
        None => Ok(Vec::new()),
    }
}
