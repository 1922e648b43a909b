//! Retention of one export: what is due, and having it done. Tombstones first, then what their grace is over for,
//! then rows whose time is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use engine_bundle::ids::{FileId, RunId};
use engine_project::Project;
use engine_tracking::retention::{
    Deletion, Due, Moment, Policy, Suspicion, digest_of, due, suspicious,
};

use crate::bind::Schemas;
use crate::clock;
use crate::codes::{store as store_codes, tracking};
use crate::cold::{self, Cold};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::expiry::{self, Publishing, Rewriter, needs_tests};
use crate::files;
use crate::heads::Heads;
use crate::keys::Keys;
use crate::metadata::{self, ArchivesDue, Folder, Part};
use crate::records::{self, Expired, Records, RecordsDue};
use crate::request::Context;
use crate::retention::{self, ExportRetention, Found};
use crate::rewatch::Rewatch;
use crate::store::{Store, Stored};
use crate::workspace::{self, Access};

/// What records of deleted run records are about: no export is called so.
const RECORDS: &str = "";
/// How often is looked again after something was done: what went is marked as gone, and the snapshot before one
/// without expired rows is deleted softly.
const ROUNDS_MAX: usize = 3;

/// What keeps exports within their policies.
#[derive(Clone, Copy)]
pub struct Keeper<'a> {
    /// The caller's context.
    pub context: &'a Context,
    /// The project.
    pub project: &'a Arc<Project>,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
}

/// When it is.
#[derive(Clone, Copy)]
pub struct At {
    /// The run or command that deletes.
    pub run: RunId,
    /// The moment that rows are judged by.
    pub rows: Moment,
    /// Whether the clock is believed although it contradicts what happened.
    pub trust_clock: bool,
}

/// What is due of one export.
struct Judged {
    found: Found,
    due: Due,
    rows: Option<expiry::Due>,
    report: ExportRetention,
}

/// What became of one export.
pub enum Applied {
    /// What was due is done; with what is warned of.
    Done(Box<ExportRetention>, Vec<Diagnostic>),
    /// Nothing was deleted, because the clock is doubted.
    Doubted(Box<Diagnostic>),
}

impl Keeper<'_> {
    fn rewriter(&self, file: FileId) -> Rewriter<'_> {
        let limits = workspace::limits(self.project, self.context);
        Rewriter::new(self.store, self.keys, file, limits)
    }

    /// Whether an export of which the newest snapshot was just looked at has no tombstones.
    ///
    /// # Errors
    /// The keyring has no identifiers key.
    pub fn is_known_untouched(&self, export: &str) -> Outcome<bool> {
        let file = self.keys.file_id(self.store.project(), export)?;
        let heads = Heads::of(&self.context.root, &self.project.target.name.value);
        let seen = heads.seen(file);
        Ok(seen.anchor().is_some() && seen.tombstones() == 0)
    }

    /// Whether nothing can be due of an export that has no new snapshot, as far as listings tell without opening a
    /// manifest. Rows are counted, and what killed runs left is looked for, when something was committed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn is_idle(&self, export: &str, policy: &Policy) -> Outcome<bool> {
        if policy.rows.is_some() {
            return Ok(false);
        }
        let file = self.keys.file_id(self.store.project(), export)?;
        let (_, tombstones) = self.store.tombstones(file, export, self.keys).await?;
        let versions = self.store.dated_versions(file).await?;
        let inventory = retention::listed_only(versions, tombstones);
        Ok(due(std::slice::from_ref(policy), &inventory, clock::now()).is_nothing())
    }

    /// The archives of schemas that go.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn archives_due(&self) -> Outcome<Vec<ArchivesDue>> {
        let folder = Folder::of(self.project, self.keys);
        let policies = retention::policies(self.project)?;
        let mut due = Vec::new();
        for tracking in &self.project.tracking.schemas {
            let named = tracking.retention.as_ref().and_then(|name| policies.get(&name.value));
            let Some(policy) = named else { continue };
            for source in &tracking.sources {
                let log = folder.log(&source.value)?;
                let files = metadata::expired(&log, policy, clock::now());
                if !files.is_empty() {
                    let (source, policy) = (source.value.clone(), policy.name.clone());
                    due.push(ArchivesDue { source, policy, files });
                }
            }
        }
        Ok(due)
    }

    /// Has archives of schemas go. The files first: a log that still names one that is gone is mended by the next
    /// attempt.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn archives_applied(&self) -> Outcome<Vec<ArchivesDue>> {
        let done = self.archives_due()?;
        if done.is_empty() {
            return Ok(done);
        }
        let folder = Folder::of(self.project, self.keys);
        let mut index = folder.index()?;
        for due in &done {
            folder.remove(&due.files)?;
            let log = metadata::without(folder.log(&due.source)?, &due.files);
            let name = folder.name(Part::Changes, &due.source)?;
            folder.write(&name, &metadata::document(&log))?;
            if let Some(recorded) = folder.recorded(&due.source, &log)? {
                index.sources.insert(due.source.clone(), recorded);
            }
        }
        folder.write_index(&index)?;
        Ok(done)
    }

    /// Whether an export without a policy has nothing that retention ever deleted softly.
    async fn is_untouched(
        &self,
        file: FileId,
        export: &str,
        policy: Option<&Policy>,
    ) -> Outcome<bool> {
        Ok(policy.is_none() && self.store.tombstones(file, export, self.keys).await?.0 == 0)
    }

    /// What is due of an export now; none where it has no policy and never had one.
    ///
    /// # Errors
    /// The store cannot be read, or holds what was changed.
    pub async fn foreseen(
        &self,
        export: &str,
        policy: Option<&Policy>,
    ) -> Outcome<Option<ExportRetention>> {
        let file = self.keys.file_id(self.store.project(), export)?;
        if self.is_untouched(file, export, policy).await? {
            return Ok(None);
        }
        let now = clock::now();
        let report = self.judged(export, file, policy, (now, now)).await?.report;
        Ok((policy.is_some() || !report.is_nothing()).then_some(report))
    }

    async fn judged(
        &self,
        export: &str,
        file: FileId,
        policy: Option<&Policy>,
        (now, rows_at): (Moment, Moment),
    ) -> Outcome<Judged> {
        let mut found = retention::inventory(self.store, self.keys, file, export, policy).await?;
        let (mut rows, mut said) = (None, None);
        if let Some(policy) = policy {
            (rows, said) = expiry::mark(&self.rewriter(file), policy, &mut found, rows_at).await?;
        }
        let due = due(policy.map(std::slice::from_ref).unwrap_or_default(), &found.inventory, now);
        if let (None, Some(said)) = (&due.rewrite, &mut said) {
            // A hold keeps them, or the snapshot goes as a whole.
            (said.rows, said.chunks) = (0, 0);
        }
        let report = ExportRetention { rows: said, ..ExportRetention::of(export, policy, &due) };
        Ok(Judged { found, due, rows, report })
    }

    /// Does what is due of an export.
    ///
    /// # Errors
    /// The store cannot be written, or another writer was first.
    pub async fn applied(&self, export: &str, policy: Option<&Policy>, at: At) -> Outcome<Applied> {
        let file = self.keys.file_id(self.store.project(), export)?;
        let nothing = || ExportRetention::of(export, None, &Due::default());
        if self.is_untouched(file, export, policy).await? {
            return Ok(Applied::Done(Box::new(nothing()), Vec::new()));
        }
        let (mut done, mut warnings) = (None, Vec::new());
        let mut is_trusted = true;
        for _ in 0..ROUNDS_MAX {
            let now = clock::now();
            let judged = self.judged(export, file, policy, (now, at.rows)).await?;
            done.get_or_insert_with(|| judged.report.clone());
            is_trusted = at.trust_clock || suspicious(now, &judged.found.inventory).is_none();
            if judged.due.is_nothing() {
                break;
            }
            let inventory = &judged.found.inventory;
            if !at.trust_clock
                && let Some(suspicion) = suspicious(now, inventory)
            {
                return Ok(Applied::Doubted(Box::new(doubt(export, &suspicion))));
            }
            self.bury(export, file, &judged, now).await?;
            self.destroy(export, file, policy, &judged).await?;
            let rewritten = self.rewritten(export, file, policy, &judged, at.run).await?;
            warnings.extend(rewritten.iter().flatten().cloned());
            if judged.due.destroy.is_empty() && rewritten.is_none() {
                break;
            }
        }
        if let Some(policy) = policy.filter(|_| is_trusted) {
            self.sweep(export, file, policy).await?;
        }
        Ok(Applied::Done(Box::new(done.unwrap_or_else(nothing)), warnings))
    }

    /// Why nothing of an export may go, where the clock contradicts what happened.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn doubted(&self, export: &str, at: At) -> Outcome<Option<Diagnostic>> {
        if at.trust_clock {
            return Ok(None);
        }
        let file = self.keys.file_id(self.store.project(), export)?;
        let found = retention::inventory(self.store, self.keys, file, export, None).await?;
        let suspicion = suspicious(clock::now(), &found.inventory);
        Ok(suspicion.map(|suspicion| doubt(export, &suspicion)))
    }

    /// Commits the tombstones, where they are others than before.
    async fn bury(&self, export: &str, file: FileId, judged: &Judged, now: Moment) -> Outcome<()> {
        let before = &judged.found.inventory.tombstones;
        let tombstones = judged.due.tombstones(before, now);
        if tombstones == *before {
            return Ok(());
        }
        let number = judged.found.number;
        let committed =
            self.store.commit_tombstones(file, export, number, &tombstones, self.keys).await?;
        if committed {
            let heads = Heads::of(&self.context.root, &self.project.target.name.value);
            let noted = heads.record_tombstones(file, number.saturating_add(1));
            return Ok(noted.map_err(|error| Diagnostic::unwritable(heads.path(), &error))?);
        }
        let message = format!("another writer changed what is deleted of `{export}`");
        Err(Diagnostic::new(&store_codes::WRITER_LOST, message)
            .help("apply again: it begins with what is there")
            .into())
    }

    async fn destroy(
        &self,
        export: &str,
        file: FileId,
        policy: Option<&Policy>,
        judged: &Judged,
    ) -> Outcome<()> {
        if judged.due.destroy.is_empty() {
            return Ok(());
        }
        let policies = policy.map(std::slice::from_ref).unwrap_or_default();
        let by = records::user(self.context);
        let deletions = Deletion::of(policies, &judged.due, &by, clock::now());
        self.store.record_deletions(export, &deletions, self.keys).await?;
        let cold = self.cold(policy)?;
        retention::destroy(self.store, file, &judged.found, &judged.due, cold.as_ref()).await
    }

    /// Where things are copied to before they are destroyed.
    fn cold(&self, policy: Option<&Policy>) -> Outcome<Option<Cold>> {
        let named = policy.and_then(|policy| {
            let declared = self.project.retention.iter();
            let mut declared = declared.filter(|declared| declared.name.value == policy.name);
            declared.next()?.cold.as_ref()
        });
        let place = named.and_then(|named| cold::place(self.project, named));
        place.map(|place| Cold::open(&place, self.store)).transpose()
    }

    /// Removes what killed writes to a local store left behind, a day and the grace after it was written.
    async fn sweep(&self, export: &str, file: FileId, policy: &Policy) -> Outcome<()> {
        let now = clock::now();
        if policy.legal_hold.as_ref().is_some_and(|hold| hold.is_in_force(now)) {
            return Ok(());
        }
        let before = policy.grace.before(now) - TimeDelta::days(1);
        let unreadable = |error: std::io::Error| {
            let message = format!("the store cannot be looked at: {}", error.kind());
            Diagnostic::new(&store_codes::STORE_UNAVAILABLE, message)
                .help("check the rights of the user who runs the engine")
        };
        let left = retention::unfinished(self.store, file, before).map_err(unreadable)?;
        if left.is_empty() {
            return Ok(());
        }
        let deletion = Deletion {
            chunks: left.len() as u64,
            bytes: left.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add),
            digest: digest_of(left.iter().map(|(path, _)| path.as_str())),
            ..Deletion::nothing(policy, &records::user(self.context), now)
        };
        self.store.record_deletions(export, &[deletion], self.keys).await?;
        for (path, _) in &left {
            files::remove(&self.store.directory().join(path)).map_err(unreadable)?;
        }
        Ok(())
    }

    /// Publishes the newest snapshot again without the rows whose time is over; none where there are none.
    async fn rewritten(
        &self,
        export: &str,
        file: FileId,
        policy: Option<&Policy>,
        judged: &Judged,
        run: RunId,
    ) -> Outcome<Option<Vec<Diagnostic>>> {
        let (Some(rewrite), Some(rows), Some(policy)) = (&judged.due.rewrite, &judged.rows, policy)
        else {
            return Ok(None);
        };
        let is_newest = |stored: &&Stored| stored.manifest.version == rewrite.version;
        // Half of a later one is still being destroyed: the next command goes on.
        let Some(before) = judged.found.manifests.last().filter(is_newest) else { return Ok(None) };
        let by = records::user(self.context);
        let mut publishing = Publishing { policy, by: &by, run, tested: None };
        let rewriter = self.rewriter(file);
        let exists = self.project.export(export).is_some();
        let (stored, warnings) = if exists && needs_tests(&before.manifest) {
            let only = BTreeSet::from([export.to_owned()]);
            let access = Access::Opened(self.keys);
            let workspace =
                workspace::open(self.project, self.context, access, Schemas::Catalogs, Some(&only));
            let workspace = workspace.await?;
            let rewatch = Rewatch {
                root: &self.context.root,
                workspace: &workspace,
                store: self.store,
                keys: self.keys,
            };
            publishing.tested = workspace.bound.exports.first().map(|bound| (&rewatch, bound));
            publishing.publish(&rewriter, before, rows).await?
        } else {
            publishing.publish(&rewriter, before, rows).await?
        };
        let heads = Heads::of(&self.context.root, &self.project.target.name.value);
        heads
            .record(file, &stored)
            .map_err(|error| Diagnostic::unwritable(heads.path(), &error))?;
        Ok(Some(warnings))
    }
}

impl Keeper<'_> {
    /// What is due of run records.
    ///
    /// # Errors
    /// The store cannot be read, or a file was changed.
    pub async fn records_due(&self, policy: &Policy) -> Outcome<Vec<RecordsDue>> {
        let records = Records::of(self.context, self.store, self.keys)?;
        let expired = records.expired(policy, clock::now()).await?;
        Ok(expired.into_iter().map(|expired| expired.due).collect())
    }

    /// Has run records go whose time is over.
    ///
    /// # Errors
    /// The store cannot be written, or a file was changed.
    pub async fn records_applied(&self, policy: &Policy) -> Outcome<Vec<RecordsDue>> {
        let records = Records::of(self.context, self.store, self.keys)?;
        let mut done = Vec::new();
        for expired in records.expired(policy, clock::now()).await? {
            done.push(expired.due.clone());
            if expired.due.is_nothing() {
                continue;
            }
            let deletion = self.deletion(policy, &expired);
            self.store.record_deletions(RECORDS, &[deletion], self.keys).await?;
            records.remove(expired).await?;
        }
        if done.iter().any(|due| !due.is_nothing()) {
            // What sums up records that are gone goes with them.
            records.summarize().await?;
        }
        Ok(done)
    }

    fn deletion(&self, policy: &Policy, expired: &Expired) -> Deletion {
        let due = &expired.due;
        Deletion {
            records: due.records,
            bytes: due.bytes,
            oldest: due.oldest,
            newest: due.newest,
            digest: digest_of(expired.names.iter().map(String::as_str)),
            ..Deletion::nothing(policy, &records::user(self.context), clock::now())
        }
    }
}

/// Why the clock is doubted.
fn doubt(export: &str, suspicion: &Suspicion) -> Diagnostic {
    let why = match suspicion {
        Suspicion::Behind { .. } => "something in the store is dated after now".to_owned(),
        Suspicion::Disordered { version, .. } => {
            format!("snapshot {version} is dated before an earlier one")
        }
        Suspicion::Ahead { .. } => "nothing has happened for more than 35 days".to_owned(),
    };
    let message = format!("nothing of `{export}` was deleted: {why}");
    Diagnostic::new(&tracking::CLOCK_DOUBTED, message)
        .help("set the clock, or use `engine retention apply --trust-clock` if it is right")
}
