//! Retention of exports: the project's policies, what is in the store, and what is destroyed of it. What is due
//! is for [`engine_tracking::retention`] to say.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use engine_bundle::ids::{FileId, RunId};
use engine_bundle::key::KeySource;
use engine_bundle::layout::{
    StoreObject, chunks_prefix, manifest_path, manifests_prefix, tombstones_prefix,
};
use engine_bundle::manifest::Manifest;
use engine_project::{Export, History, Project, Retention, Spanned};
use engine_tracking::retention::{
    Chunk, Due, Inventory, LegalHold, Policy, RecordClass, RowRule, Snapshot, SnapshotRule, Span,
    Tombstones, What,
};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::clock;
use crate::codes::tracking;
use crate::cold::{self, Cold};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::files;
use crate::seal::SealError;
use crate::store::{Store, Stored};
use crate::unseal::UnsealError;

mod report;

pub use report::{Amount, ExportRetention, HistoryDue, RowsDue};

/// Manifests that are read at once.
const MANIFESTS_AT_ONCE: usize = 16;

/// The policies of a project, by name.
///
/// # Errors
/// Every policy that cannot be meant.
pub fn policies(project: &Project) -> Outcome<BTreeMap<String, Policy>> {
    let mut findings = Vec::new();
    let mut policies = BTreeMap::new();
    for declared in &project.retention {
        match policy(declared) {
            Ok(policy) => {
                policies.insert(declared.name.value.clone(), policy);
            }
            Err(finding) => findings.push(*finding),
        }
    }
    findings.extend(misfits(project));
    if findings.is_empty() {
        Ok(policies)
    } else {
        Err(Failure::from(findings).in_project(project))
    }
}

/// Policies that say nothing of what names them: it would be kept for ever, though somebody thinks otherwise.
fn misfits(project: &Project) -> Vec<Diagnostic> {
    let named = |name: &Spanned<String>| {
        project.retention.iter().find(|policy| policy.name.value == name.value)
    };
    let refused = |name: &Spanned<String>, whose: &str, rule: &str| {
        let message = format!("retention policy `{}` says nothing of {whose}", name.value);
        Diagnostic::new(&tracking::RETENTION_INVALID, message)
            .at(name.at, format!("needs a policy with `{rule}`"))
    };
    let of_runs = project
        .tracking
        .runs
        .as_ref()
        .filter(|name| named(name).is_some_and(|policy| policy.records.is_empty()));
    let of_schemas = project.tracking.schemas.iter().filter_map(|schemas| {
        let name = schemas.retention.as_ref()?;
        let policy = named(name)?;
        (policy.keep.is_none() && policy.max_age.is_none()).then_some(name)
    });
    let of_histories = project.tracking.histories.iter().filter_map(|history| {
        let name = history.retention.as_ref()?;
        let policy = named(name)?;
        (policy.rows.is_none() && policy.superseded_for.is_none()).then_some(name)
    });
    let nowhere = project.retention.iter().filter_map(|policy| policy.cold.as_ref());
    let nowhere = nowhere.filter(|named| cold::place(project, named).is_none()).map(|named| {
        let message = "the cold store of a retention policy is no place for files";
        Diagnostic::new(&tracking::RETENTION_INVALID, message)
            .at(named.at, "names a `file://` URL, or a connection to local files")
    });
    let of_runs = of_runs.map(|name| refused(name, "run records", "records"));
    let of_schemas = of_schemas.map(|name| refused(name, "archives of schemas", "snapshots"));
    let of_histories =
        of_histories.map(|name| refused(name, "versions of rows", "versions` or `rows"));
    of_runs.into_iter().chain(of_schemas).chain(of_histories).chain(nowhere).collect()
}

/// The policy of run records; none where they are kept for ever.
#[must_use]
pub fn policy_of_runs<'p>(
    policies: &'p BTreeMap<String, Policy>,
    project: &Project,
) -> Option<&'p Policy> {
    policies.get(&project.tracking.runs.as_ref()?.value)
}

/// The policy of an export; none where it has none.
#[must_use]
pub fn policy_of<'p>(
    policies: &'p BTreeMap<String, Policy>,
    export: &Export,
) -> Option<&'p Policy> {
    policies.get(&export.retention.as_ref()?.value)
}

/// The policy of a history; none where it has none.
#[must_use]
pub fn policy_of_history<'p>(
    policies: &'p BTreeMap<String, Policy>,
    history: &History,
) -> Option<&'p Policy> {
    policies.get(&history.retention.as_ref()?.value)
}

fn policy(declared: &Retention) -> Result<Policy, Box<Diagnostic>> {
    let name = &declared.name.value;
    let refused = |at, words: String| {
        let message = format!("retention policy `{name}` cannot be used");
        Box::new(Diagnostic::new(&tracking::RETENTION_INVALID, message).at(at, words))
    };
    let span = |text: &Spanned<String>| {
        let span = text.value.parse::<Span>();
        span.map_err(|error| refused(text.at, format!("must be {error}")))
    };
    let mut policy = Policy::new(name);
    let max_age = declared.max_age.as_ref().map(span).transpose()?;
    if declared.keep.is_some() || max_age.is_some() {
        let rule = SnapshotRule::new(declared.keep, max_age);
        policy.snapshots = Some(rule.map_err(|error| refused(declared.at, error.to_string()))?);
    }
    if let Some(grace) = &declared.grace {
        policy.grace = span(grace)?;
    }
    if let Some(hold) = &declared.legal_hold {
        let until = hold.until.as_ref().and_then(|until| {
            let day = until.value;
            NaiveDate::from_ymd_opt(i32::from(day.year), u32::from(day.month), u32::from(day.day))
        });
        let hold = LegalHold::new(&hold.owner.value, &hold.reason.value, until);
        policy.legal_hold = Some(hold.map_err(|error| refused(declared.at, error.to_string()))?);
    }
    if let Some(rows) = &declared.rows {
        let older_than = span(&rows.older_than)?;
        policy.rows = Some(RowRule { older_than, by: rows.by.value.clone() });
    }
    policy.superseded_for = declared.superseded_for.as_ref().map(span).transpose()?;
    let ages = &declared.records;
    for (class, age) in [
        (RecordClass::Executions, &ages.executions),
        (RecordClass::Security, &ages.security),
        (RecordClass::Compliance, &ages.compliance),
    ] {
        policy.records.extend(age.as_ref().map(span).transpose()?.map(|age| (class, age)));
    }
    policy.cold = declared.cold.as_ref().map(|cold| cold.value.clone());
    policy.basis.clone_from(&declared.basis);
    Ok(policy)
}

/// Whether a snapshot is older than its export's policy lets it be: it is written again, though nothing changed,
/// before retention takes it from readers.
///
/// # Errors
/// A policy that cannot be meant.
pub fn is_outlived(project: &Project, export: &str, stored: &Stored) -> Outcome<bool> {
    let policies = policies(project)?;
    let policy = project.export(export).and_then(|export| policy_of(&policies, export));
    let max_age = policy.and_then(|policy| policy.snapshots?.max_age());
    Ok(max_age.is_some_and(|span| span.is_over(committed_at(&stored.manifest), clock::now())))
}

/// The start of a run: its borders of rows are those of this moment, however long it takes.
#[must_use]
pub fn started_at(run: RunId) -> DateTime<Utc> {
    let millis = i64::try_from(run.unix_millis()).unwrap_or(i64::MAX);
    DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default()
}

/// The start of the run that read the rows of a snapshot: manifests carry no moment of their own. A run that was
/// taken up again commits later than that, which the store knows.
fn committed_at(manifest: &Manifest) -> DateTime<Utc> {
    started_at(manifest.origin.unwrap_or(manifest.run))
}

/// Moments of snapshots, in the order of their versions: one that rows only left is as old as the one before it.
#[derive(Default)]
struct Moments(BTreeMap<u64, DateTime<Utc>>);

impl Moments {
    fn of(tombstones: &Tombstones) -> Self {
        let entries = tombstones.entries().iter();
        let snapshots = entries.filter_map(|entry| match entry.what {
            What::Snapshot { version, .. } => Some((version, entry.at)),
            What::Chunk(_) | What::Record { .. } => None,
        });
        Self(snapshots.collect())
    }

    fn next(&mut self, manifest: &Manifest, written: DateTime<Utc>) -> DateTime<Utc> {
        let before = manifest.version.checked_sub(1).and_then(|version| self.0.get(&version));
        let at = match (manifest.origin, before) {
            (Some(_), Some(before)) => *before,
            (Some(_), None) => committed_at(manifest),
            (None, _) => committed_at(manifest).max(written),
        };
        self.0.insert(manifest.version, at);
        at
    }
}

/// What the store holds of an export.
pub struct Found {
    /// For the policies to judge.
    pub inventory: Inventory,
    /// The number of the document of tombstones.
    pub number: u64,
    /// The manifests in the order of their versions, where a policy has a rule for rows.
    pub manifests: Vec<Stored>,
    /// Where chunks lie, by their ids.
    chunks: BTreeMap<String, Vec<Path>>,
}

/// Looks at everything of an export, and at nothing else: what is no chunk or manifest by its name is not seen,
/// and never touched.
///
/// # Errors
/// The store cannot be read, or holds what was changed.
pub async fn inventory(
    store: &Store,
    keys: &dyn KeySource,
    file: FileId,
    export: &str,
    policy: Option<&Policy>,
) -> Outcome<Found> {
    let (number, tombstones) = store.tombstones(file, export, keys).await?;
    let mut moments = Moments::of(&tombstones);
    let has_rows = policy.is_some_and(|policy| policy.rows.is_some());
    let (mut snapshots, mut manifests) = (Vec::new(), Vec::new());
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    let versions = store.dated_versions(file).await?;
    let each = versions.into_iter().map(|(version, written)| async move {
        let stored = store.manifest(file, export, version, keys).await;
        stored.map(|stored| (stored, written)).map_err(|error| Failure::from(error.diagnostic()))
    });
    let mut each = futures::stream::iter(each).buffered(MANIFESTS_AT_ONCE);
    while let Some((stored, written)) = each.try_next().await? {
        let manifest = &stored.manifest;
        rows.extend(manifest.chunks.iter().map(|chunk| (chunk.id.to_string(), chunk.rows)));
        snapshots.push(Snapshot {
            version: manifest.version,
            manifest: stored.digest.to_string(),
            committed_at: moments.next(manifest, written),
            chunks: manifest.chunks.iter().map(|chunk| chunk.id.to_string()).collect(),
            rows: manifest.rows,
            bytes: manifest.bytes,
        });
        if has_rows {
            manifests.push(stored);
        }
    }
    drop(each);
    let mut chunks = Vec::new();
    let mut paths: BTreeMap<String, Vec<Path>> = BTreeMap::new();
    for meta in listed(store, file).await? {
        let Ok(StoreObject::Chunk { chunk, .. }) = StoreObject::parse(meta.location.as_ref())
        else {
            continue;
        };
        let id = chunk.to_string();
        paths.entry(id.clone()).or_default().push(meta.location);
        chunks.push(Chunk {
            rows: rows.get(&id).copied(),
            id,
            bytes: meta.size,
            written_at: meta.last_modified,
            expired_rows: 0,
            expired_by: Default::default(),
        });
    }
    let inventory = Inventory { snapshots, chunks, tombstones, ..Inventory::default() };
    Ok(Found { inventory, number, manifests, chunks: paths })
}

/// What listings tell of an export's snapshots: enough to see whether a number or an age is exceeded.
#[must_use]
pub fn listed_only(versions: Vec<(u64, DateTime<Utc>)>, tombstones: Tombstones) -> Inventory {
    let entries = tombstones.entries().iter();
    let known: BTreeMap<u64, String> = entries
        .filter_map(|entry| match &entry.what {
            What::Snapshot { version, manifest } => Some((*version, manifest.clone())),
            What::Chunk(_) | What::Record { .. } => None,
        })
        .collect();
    let snapshots = versions.into_iter().map(|(version, written)| Snapshot {
        version,
        manifest: known.get(&version).cloned().unwrap_or_default(),
        committed_at: written,
        chunks: Vec::new(),
        rows: 0,
        bytes: 0,
    });
    Inventory { snapshots: snapshots.collect(), tombstones, ..Inventory::default() }
}

async fn listed(store: &Store, file: FileId) -> Outcome<Vec<ObjectMeta>> {
    let prefix = Path::from(chunks_prefix(file));
    let found: Result<Vec<ObjectMeta>, _> = store.objects().list(Some(&prefix)).try_collect().await;
    Ok(found.map_err(|error| UnsealError::store(prefix.to_string(), &error).diagnostic())?)
}

/// Destroys what is due, in its order: chunks before the manifests that name them.
///
/// # Errors
/// The store refuses; what was destroyed until then is gone, and the rest is due again.
pub async fn destroy(
    store: &Store,
    file: FileId,
    found: &Found,
    due: &Due,
    cold: Option<&Cold>,
) -> Outcome<()> {
    let nothing = Vec::new();
    for item in &due.destroy {
        let cold = cold.filter(|_| !item.cold.is_empty());
        match &item.what {
            What::Chunk(id) => {
                for path in found.chunks.get(id).unwrap_or(&nothing) {
                    remove(store, path, cold).await?;
                }
            }
            What::Snapshot { version, .. } => {
                let path = manifest_path(file, *version).unwrap_or_default();
                remove(store, &Path::from(path), cold).await?;
            }
            // Records are not of an export.
            What::Record { .. } => {}
        }
    }
    Ok(())
}

async fn remove(store: &Store, path: &Path, cold: Option<&Cold>) -> Outcome<()> {
    if let Some(cold) = cold {
        cold.keep(store, path).await?;
    }
    match store.objects().delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(SealError::from(error).diagnostic().into()),
    }
}

/// Uploads to a local store that were never finished, of one export: `NAME#1` beside `NAME`, with their lengths. Other
/// names are not seen.
///
/// # Errors
/// The directory cannot be read.
pub fn unfinished(
    store: &Store,
    file: FileId,
    before: DateTime<Utc>,
) -> std::io::Result<Vec<(String, u64)>> {
    let folders = [chunks_prefix(file), manifests_prefix(file), tombstones_prefix(file)];
    let mut found = Vec::new();
    for folder in folders {
        for (name, written, bytes) in files::list(&store.directory().join(&folder))? {
            let path = format!("{folder}/{name}");
            if is_unfinished(&path) && DateTime::<Utc>::from(written) < before {
                found.push((path, bytes));
            }
        }
    }
    Ok(found)
}

/// Whether a file is one that object_store's local store writes before it takes its name.
fn is_unfinished(path: &str) -> bool {
    let Some((whole, number)) = path.rsplit_once('#') else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && StoreObject::parse(whole).is_ok()
}
