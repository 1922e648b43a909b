//! Records snapshots of an export in its history, each once, in their order.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use engine_bundle::ids::{FileId, RunId};
use engine_bundle::key::Purpose;
use engine_bundle::manifest::{Manifest, Predecessor};
use engine_project::Project;
use engine_tracking::history::{Load, Tally, VaultTable};
use engine_tracking::retention::Moment;
use serde::Serialize;

use super::commit::Committing;
use super::compared::{Compared, brought_to};
use super::layout::{Layout, refused};
use super::stored::{Ends, Recorded, Shelf, moment, readable};
use crate::clock;
use crate::codes::tracking;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::event::{Event, Observer};
use crate::heads::Heads;
use crate::keys::Keys;
use crate::session::Limits;
use crate::store::{Store, Stored};
use crate::tip::Tip;
use crate::workspace;

/// By how much the clocks of machines may differ.
const CLOCKS_DIFFER_SECONDS: i64 = 3_600;
/// The share of the memory limit that keys may take.
const SHARE: u64 = 2;

/// What a snapshot brought to a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryDone {
    /// The history.
    pub history: String,
    /// The snapshot.
    pub snapshot: u64,
    /// Keys never seen before.
    pub new: u64,
    /// Keys whose values differ from those recorded.
    pub changed: u64,
    /// Keys that were gone and are there again.
    pub returned: u64,
    /// Keys that are gone.
    pub gone: u64,
    /// Keys whose values are those recorded.
    pub unchanged: u64,
}

/// What was recorded.
#[derive(Debug, Default)]
pub struct Caught {
    /// Load by load.
    pub done: Vec<HistoryDone>,
    /// What should be looked at.
    pub warnings: Vec<Diagnostic>,
}

/// What recording needs.
pub struct Recorder<'a> {
    /// Who is told.
    pub observer: &'a dyn Observer,
    /// The project.
    pub project: &'a Project,
    /// Bounds of memory and batches.
    pub limits: Limits,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// What was seen of the store before.
    pub heads: &'a Heads,
    /// The run.
    pub run: RunId,
    /// The project's Git commit.
    pub git_commit: Option<String>,
}

impl Recorder<'_> {
    /// Brings the histories of an export up to its newest snapshot. A history begins with the newest one; after that,
    /// each that is still in the store is recorded. One that cannot be is passed over, with a warning, when a later one
    /// can.
    ///
    /// # Errors
    /// The rows of the newest snapshot have no unique key or contradict what is recorded, or the store cannot be read or
    /// written. The history is as it was before that snapshot.
    pub async fn catch_up(&self, export: &str, file: FileId, newest: &Stored) -> Outcome<Caught> {
        let mut caught = Caught::default();
        let mut failures = Vec::new();
        for layout in Layout::all(self.project).filter(|layout| layout.export == export) {
            // What is wrong with one history keeps nothing from another.
            if let Err(failure) = self.one(&layout, file, newest, &mut caught).await {
                failures.extend(failure.diagnostics);
            }
        }
        if failures.is_empty() { Ok(caught) } else { Err(failures.into()) }
    }

    async fn one(
        &self,
        layout: &Layout,
        file: FileId,
        newest: &Stored,
        caught: &mut Caught,
    ) -> Outcome<()> {
        let shelf = Shelf { store: self.store, keys: self.keys, heads: self.heads };
        let mut ends = shelf.ends(layout).await?;
        let ahead = ends.recorded.as_ref().map(Recorded::load_date);
        caught.warnings.extend(ahead.and_then(|date| dated_ahead(layout, date)));
        for stored in self.missing(layout, &ends, file, newest).await? {
            let loaded = self.load(&shelf, layout, (file, &stored), &ends).await;
            let (recorded, tally) = match loaded {
                Ok(loaded) => loaded,
                Err(failure) if stored.manifest.version < newest.manifest.version => {
                    caught.warnings.extend(passed_over(layout, &stored, failure)?);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let one = told(layout, &stored, tally);
            self.observer.notice(&Event::HistoryRecorded {
                history: one.history.clone(),
                snapshot: one.snapshot,
                appended: tally.appended(),
            });
            caught.done.push(one);
            ends = following(&ends, recorded);
        }
        Ok(())
    }

    /// The snapshots that are not recorded yet, oldest first.
    async fn missing(
        &self,
        layout: &Layout,
        ends: &Ends,
        file: FileId,
        newest: &Stored,
    ) -> Outcome<Vec<Stored>> {
        let Some(recorded) = &ends.recorded else { return Ok(vec![newest.clone()]) };
        let last = recorded.document.snapshot;
        let versions = self.store.versions(file).await?;
        let known = match newest.manifest.version.cmp(&last.version) {
            Ordering::Equal => Some(newest.digest),
            Ordering::Greater if versions.contains(&last.version) => {
                let stored = self.store.manifest(file, &layout.export, last.version, self.keys);
                Some(stored.await.map_err(|error| error.diagnostic())?.digest)
            }
            Ordering::Greater => Some(last.digest),
            Ordering::Less => None,
        };
        if known != Some(last.digest) {
            return Err(replaced(layout, last.version).into());
        }
        let tombstones = self.store.tombstones(file, &layout.export, self.keys).await?;
        let deleted = Tip::new(None, tombstones);
        let mut missing = Vec::new();
        let between = last.version.saturating_add(1)..newest.manifest.version;
        for version in versions.into_iter().filter(|version| between.contains(version)) {
            let stored = self.store.manifest(file, &layout.export, version, self.keys).await;
            let stored = stored.map_err(|error| error.diagnostic())?;
            let named = Predecessor { version, digest: stored.digest };
            if !deleted.is_gone(named) {
                missing.push(stored);
            }
        }
        if newest.manifest.version > last.version {
            missing.push(newest.clone());
        }
        Ok(missing)
    }

    async fn load(
        &self,
        shelf: &Shelf<'_>,
        layout: &Layout,
        (file, stored): (FileId, &Stored),
        ends: &Ends,
    ) -> Outcome<(Recorded, Tally)> {
        let before = ends.recorded.as_ref();
        let export = &stored.manifest;
        let schema = self.schema(layout, export, before)?;
        let vault = layout.vault(&schema).map_err(|error| refused(&layout.name, &error))?;
        let load = dated(export, &layout.export, before);
        let session = workspace::new_session(Limits { jobs: 1, ..self.limits })?;
        let in_store = |table, stored: &'_ Stored| -> Outcome<_> {
            Ok((shelf.file(&layout.name, table)?, stored.manifest.clone()))
        };
        let satellite = before.map(|before| in_store(VaultTable::Satellite, &before.satellite));
        let satellite = satellite.transpose()?;
        let links = before.and_then(|before| before.links.as_ref());
        let links = links.map(|links| in_store(VaultTable::Links, links)).transpose()?;
        let compared = Compared {
            session: &session,
            bytes_max: self.limits.memory_bytes as u64 / SHARE,
            store: self.store,
            keys: self.keys,
            vault: &vault,
            name: &layout.name,
            load: &load,
            export: (file, export),
            schema,
            satellite: satellite.as_ref().map(|(file, manifest)| (*file, manifest)),
            links: links.as_ref().map(|(file, manifest)| (*file, manifest)),
        };
        let committing = Committing {
            project: self.project,
            run: self.run,
            git_commit: self.git_commit.clone(),
            shelf,
            layout,
            vault: &vault,
            export: stored,
            key: self.keys.active(Purpose::Data)?,
        };
        let mut sinks = committing.sinks(&session, before)?;
        let keys = before.map_or(0, |before| before.hub.manifest.rows);
        let known = before.map(|before| before.document.references.clone());
        let has_new = known != Some(layout.references());
        let tally = compared.append(keys, has_new, &mut sinks).await?;
        let recorded = committing.commit(ends, sinks, (&load, tally)).await?;
        Ok((recorded, tally))
    }

    /// The columns that the snapshot's rows are brought to.
    fn schema(
        &self,
        layout: &Layout,
        export: &Manifest,
        before: Option<&Recorded>,
    ) -> Outcome<SchemaRef> {
        let satellite = before.map(|before| readable(&before.satellite.manifest)).transpose()?;
        let known = before.map(|before| readable(&before.hub.manifest)).transpose()?;
        let hub: Vec<String> = layout.tenant.iter().chain(&layout.key).cloned().collect();
        let tables = known.as_ref().zip(satellite.as_ref());
        let brought = brought_to(&readable(export)?, &hub, tables);
        let brought = brought.map_err(|retyped| {
            let message = format!(
                "history `{}` has other types in columns {}",
                layout.name,
                retyped.join(", ")
            );
            Diagnostic::new(&tracking::HISTORY_REFUSED, message).help(
                "publish the columns under new names, or begin a history under a new name; the snapshot is published",
            )
        })?;
        Ok(Arc::new(brought))
    }
}

/// The refusal of an export whose snapshots are not those that were recorded.
fn replaced(layout: &Layout, version: u64) -> Diagnostic {
    let message = format!(
        "history `{}` has recorded a snapshot {version} of `{}` that is not there any more",
        layout.name, layout.export
    );
    Diagnostic::new(&tracking::HISTORY_REFUSED, message).help(
        "restore the store from a copy; if the export was begun anew on purpose, begin a history under a new name",
    )
}

/// What is said of a snapshot that cannot be recorded while a later one may be.
fn passed_over(layout: &Layout, stored: &Stored, failure: Failure) -> Outcome<Vec<Diagnostic>> {
    if failure.diagnostics.iter().any(|finding| finding.code != &tracking::HISTORY_REFUSED) {
        return Err(failure);
    }
    let said = failure.diagnostics.into_iter().map(|finding| {
        let help = format!(
            "snapshot {} of `{}` is passed over: the history goes on with the next",
            stored.manifest.version, layout.export
        );
        finding.help(help).as_warning()
    });
    Ok(said.collect())
}

/// What is said of a history whose newest load is dated after now: loads stay in their order whatever clocks say, so
/// those to come are dated later still.
fn dated_ahead(layout: &Layout, newest: Moment) -> Option<Diagnostic> {
    let now = clock::now();
    if newest.signed_duration_since(now).num_seconds() <= CLOCKS_DIFFER_SECONDS {
        return None;
    }
    let message = format!(
        "history `{}` has a load dated {}, which is to come",
        layout.name,
        newest.format("%Y-%m-%dT%H:%M:%SZ")
    );
    let finding = Diagnostic::new(&tracking::CLOCK_DOUBTED, message).help(
        "set the clock; as of moments until then, queries answer with what was known before that load",
    );
    Some(finding.as_warning())
}

fn told(layout: &Layout, stored: &Stored, tally: Tally) -> HistoryDone {
    HistoryDone {
        history: layout.name.clone(),
        snapshot: stored.manifest.version,
        new: tally.new,
        changed: tally.changed,
        returned: tally.returned,
        gone: tally.gone,
        unchanged: tally.unchanged,
    }
}

/// The ends after a load.
fn following(ends: &Ends, recorded: Recorded) -> Ends {
    let end = |stored: &Stored| {
        Some(Predecessor { version: stored.manifest.version, digest: stored.digest })
    };
    let newer = |stored: &Stored, known: Option<Predecessor>| match known {
        Some(known) if known.version > stored.manifest.version => Some(known),
        _ => end(stored),
    };
    Ends {
        hub: newer(&recorded.hub, ends.hub),
        satellite: end(&recorded.satellite),
        links: recorded.links.as_ref().map_or(ends.links, |links| newer(links, ends.links)),
        recorded: Some(recorded),
    }
}

/// The load of a snapshot: of the moment its run began, and later than the last one whatever the clocks said.
fn dated(export: &Manifest, name: &str, before: Option<&Recorded>) -> Load {
    let micros = export.run.unix_millis().saturating_mul(1_000);
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    let newest = before.map(|before| before.document.load_date);
    let micros = newest.map_or(micros, |newest| micros.max(newest.saturating_add(1)));
    let source = format!("{name} snapshot {}", export.version);
    Load::new(moment(micros), source, newest.map(moment))
}
