//! One export of a run: reuse what is unchanged, or write, check and commit; then load.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::aging::Aging;
use crate::bind::{BoundColumn, BoundExport, Treatment};
use crate::checks::{self, Rows};
use crate::clock;
use crate::codes::{run, sources};
use crate::definition::Definition;
use crate::delivery::Deliverer;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::event::Event;
use crate::execute;
use crate::fault;
use crate::heads::Heads;
use crate::history::{Caught, Recorder};
use crate::journal::{Journal, Line, Status};
use crate::keys::Keys;
use crate::observe::{SPILL_FOLDER, Watch, Watching, with_inputs};
use crate::plan::Described;
use crate::publish::{Origin, Snapshot, check_unchanged, encryption, irregular};
use crate::report::{ExportReport, ExportTold};
use crate::request::{Context, Reuse};
use crate::resume;
use crate::retention;
use crate::rewatch::Rewatch;
use crate::seal::{ChunkSpec, ChunkTarget, SealServices, SealedChunk};
use crate::store::{Store, Stored};
use crate::whole;
use crate::workspace::Workspace;
use arrow::datatypes::DataType;
use engine_bundle::digest::Digest;
use engine_bundle::ids::{FileId, RunId};
use engine_bundle::key::Purpose;
use engine_bundle::manifest::{Manifest, Predecessor, SourceFingerprint, TestResult, TestStatus};
use engine_project::{ColumnTest, Declared, TableTest};

/// Chunks of earlier attempts, by export.
pub type Earlier = BTreeMap<String, resume::Attempted>;

/// The snapshot that an export has now.
struct Published {
    stored: Stored,
    status: Status,
    /// Chunks of earlier attempts.
    resumed: usize,
    /// Tests that did not hold, and only warn.
    warnings: Vec<Diagnostic>,
    told: ExportTold,
}

/// What was written.
struct Written {
    chunks: Vec<SealedChunk>,
    /// How many of them earlier attempts had written.
    resumed: usize,
    rows_read: u64,
}

/// What every export of a run shares.
pub struct Producer<'a> {
    /// The caller's context.
    pub context: &'a Context,
    /// The bound project.
    pub workspace: &'a Workspace,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The journal.
    pub journal: &'a Journal,
    /// The run.
    pub run: RunId,
    /// The project's Git commit.
    pub git_commit: Option<String>,
    /// What earlier attempts wrote.
    pub earlier: &'a Earlier,
    /// Whether a snapshot whose inputs did not change stays.
    pub reuse: Reuse,
}

/// A report of an export with nothing done yet.
pub fn report(export: &BoundExport, status: Status) -> ExportReport {
    ExportReport {
        export: export.name.clone(),
        status,
        snapshot: None,
        rows: None,
        chunks: None,
        bytes: None,
        resumed_chunks: 0,
        histories: Vec::new(),
        loads: Vec::new(),
        codes: Vec::new(),
        warnings: Vec::new(),
        told: ExportTold::default(),
    }
}

impl Producer<'_> {
    /// Produces an export. A failure after the commit (a load) comes with the report.
    ///
    /// # Errors
    /// Whatever kept the export from being committed.
    pub async fn export(&self, export: &BoundExport) -> Outcome<(ExportReport, Option<Failure>)> {
        let file = self.keys.file_id(self.store.project(), &export.name)?;
        let heads = Heads::of(&self.context.root, &self.workspace.bound.project.target.name.value);
        let seen = heads.seen(file);
        let tip = self.store.tip(file, &export.name, self.keys).await?;
        seen.check(&export.name, &tip)?;
        let predecessor = tip.predecessor();
        let number = tip.number();
        let head = tip.readable();
        let origin = self.origin(export).await?;
        let unchanged = match &head {
            Some(head)
                if self.reuse == Reuse::Unchanged
                    && origin.made(head)
                    && !retention::is_outlived(
                        &self.workspace.bound.project,
                        &export.name,
                        head,
                    )? =>
            {
                self.store.holds(file, &head.manifest).await?.then_some(head)
            }
            _ => None,
        };
        let settled = match unchanged {
            Some(head) => self.stays(export, file, head).await?,
            None => self.publish(export, file, &origin, predecessor).await?,
        };
        let Published { stored, status, resumed, warnings, told } = settled;
        let noted = heads.record(file, &stored);
        noted
            .and_then(|()| heads.record_tombstones(file, number))
            .map_err(|error| Diagnostic::unwritable(heads.path(), &error))?;
        let mut done = ExportReport {
            snapshot: Some(stored.manifest.version),
            rows: Some(stored.manifest.rows),
            chunks: Some(stored.manifest.chunks.len()),
            bytes: Some(stored.manifest.bytes),
            resumed_chunks: resumed,
            warnings,
            told,
            ..report(export, status)
        };
        let failure = self.hand_on(export, file, &stored, &mut done).await;
        done.codes = failure.iter().flat_map(codes).collect();
        self.note_outcome(&done)?;
        Ok((done, failure))
    }

    /// Records a committed snapshot in the export's histories and loads it, each although the other fails.
    async fn hand_on(
        &self,
        export: &BoundExport,
        file: FileId,
        stored: &Stored,
        done: &mut ExportReport,
    ) -> Option<Failure> {
        let recorded = self.histories(&export.name, file, stored).await;
        let unrecorded = match recorded {
            Ok(caught) => {
                done.histories = caught.done;
                done.warnings.extend(caught.warnings);
                None
            }
            Err(failure) => Some(failure),
        };
        let deliverer = Deliverer {
            observer: &*self.context.observer,
            workspace: self.workspace,
            store: self.store,
            keys: self.keys,
            tenant: None,
        };
        let loaded = deliverer.load_all(export, file, stored, &mut done.loads).await;
        match (unrecorded, loaded.err()) {
            (Some(mut failure), Some(unloaded)) => {
                failure.diagnostics.extend(unloaded.diagnostics);
                Some(failure)
            }
            (one, other) => one.or(other),
        }
    }

    /// What becomes of a snapshot of which nothing changed but the time.
    async fn stays(&self, export: &BoundExport, file: FileId, head: &Stored) -> Outcome<Published> {
        if let Some((stored, warnings)) = self.aging().without_expired(export, file, head).await? {
            self.note_committed(&stored.manifest);
            let told = ExportTold::default();
            return Ok(Published { stored, status: Status::Committed, resumed: 0, warnings, told });
        }
        let warnings = self.still_fresh(export, file, &head.manifest).await?;
        self.context.observer.notice(&Event::ExportReused {
            export: export.name.clone(),
            snapshot: head.manifest.version,
        });
        let (stored, told) = (head.clone(), ExportTold::default());
        Ok(Published { stored, status: Status::Reused, resumed: 0, warnings, told })
    }

    fn aging(&self) -> Aging<'_> {
        let Self { context, workspace, store, keys, run, .. } = *self;
        Aging { context, workspace, store, keys, run }
    }

    fn note_committed(&self, manifest: &Manifest) {
        self.context.observer.notice(&Event::ExportCommitted {
            export: manifest.export.clone(),
            snapshot: manifest.version,
            rows: manifest.rows,
            chunks: manifest.chunks.len(),
        });
    }

    /// Records the snapshot in the export's histories, before anybody is told that it was loaded.
    async fn histories(&self, export: &str, file: FileId, stored: &Stored) -> Outcome<Caught> {
        let project = &self.workspace.bound.project;
        let recorder = Recorder {
            observer: &*self.context.observer,
            project,
            limits: self.workspace.limits,
            store: self.store,
            keys: self.keys,
            heads: &Heads::of(&self.context.root, &project.target.name.value),
            run: self.run,
            git_commit: self.git_commit.clone(),
        };
        recorder.catch_up(export, file, stored).await
    }

    /// The report of an export that was not committed.
    pub fn failed(&self, export: &BoundExport, failure: &Failure) -> ExportReport {
        let done =
            ExportReport { codes: codes(failure).collect(), ..report(export, Status::Failed) };
        let code = failure.diagnostics.first().map_or(run::INTERNAL.id, |first| first.code.id);
        self.context.observer.notice(&Event::ExportFailed { export: export.name.clone(), code });
        // The failure itself is what the user must see; a journal that cannot be written is told next.
        self.note_outcome(&done).ok();
        done
    }

    fn note_outcome(&self, done: &ExportReport) -> Outcome<()> {
        let line = Line::Outcome {
            export: done.export.clone(),
            status: done.status,
            snapshot: done.snapshot,
            rows: done.rows,
            codes: done.codes.clone(),
        };
        let written = self.journal.append(&line);
        written.map_err(|error| Diagnostic::unwritable(self.journal.path(), &error).into())
    }

    async fn origin(&self, export: &BoundExport) -> Outcome<Origin> {
        let bound = &self.workspace.bound;
        let mut sources = Some(Vec::new());
        for relation in bound.looks_at(export) {
            let table = bound.tables.get(&relation);
            let found = match table.and_then(|table| Some((table, table.connection.as_ref()?))) {
                Some((table, connection)) => connection
                    .fingerprint(&table.request)
                    .await
                    .map_err(|error| fault::diagnose(&error))?,
                None => None,
            };
            match (found, &mut sources) {
                (Some(text), Some(sources)) => sources.push(SourceFingerprint {
                    name: relation.to_string(),
                    digest: Digest::of(text.as_bytes()),
                }),
                (None, _) => sources = None,
                (Some(_), None) => {}
            }
        }
        Ok(Origin { definition: Definition::of(bound, export).digest(), sources })
    }

    /// Refuses an export whose sources changed while it was taken up again: its rows would be partly of
    /// one state and partly of another.
    async fn still(&self, export: &BoundExport, origin: &Origin) -> Outcome<()> {
        if self.origin(export).await? == *origin {
            return Ok(());
        }
        let message = format!("the sources of `{}` changed while it was read", export.name);
        Err(Diagnostic::new(&sources::SOURCE_CHANGED, message)
            .help("run again: everything is read from the beginning then")
            .into())
    }

    async fn publish(
        &self,
        export: &BoundExport,
        file: FileId,
        origin: &Origin,
        predecessor: Option<Predecessor>,
    ) -> Outcome<Published> {
        let snapshot = Snapshot {
            store: self.store,
            keys: self.keys,
            export,
            file,
            key: self.keys.active(Purpose::Data)?,
            run: self.run,
            git_commit: self.git_commit.clone(),
            origin,
            predecessor,
            described: Described::of(&self.workspace.bound, export),
        };
        self.context.observer.notice(&Event::ExportStarted { export: export.name.clone() });
        self.workspace.resolver.reset();
        let _held = whole::seen(self.workspace, export).await?;
        let watch = self.watch(export)?;
        let Written { chunks, resumed, rows_read } =
            self.write(export, &snapshot, watch.as_ref()).await?;
        check_unchanged(&self.workspace.resolver, &self.workspace.bound.project, export)?;
        if resumed > 0 {
            self.still(export, origin).await?;
        }
        let (tests, mut warnings) = self.tested(export, watch.as_deref()).await?;
        let workspace = self.workspace;
        warnings.extend(irregular(&workspace.resolver, &workspace.bound.project, &export.name));
        let manifest = snapshot.manifest(&chunks, tests)?;
        let digest = snapshot.commit(&manifest).await?;
        self.note_committed(&manifest);
        let is_masked = |column: &BoundColumn| !column.treatment.is_as_read();
        let rows_masked = if export.columns.iter().any(is_masked) { manifest.rows } else { 0 };
        let told = ExportTold { rows_read, rows_masked, ..ExportTold::default() };
        let stored = Stored { manifest, digest };
        Ok(Published { stored, status: Status::Committed, resumed, warnings, told })
    }

    async fn write(
        &self,
        export: &BoundExport,
        snapshot: &Snapshot<'_>,
        watch: Option<&Arc<Watch>>,
    ) -> Outcome<Written> {
        let spec = ChunkSpec {
            project: self.store.project().to_owned(),
            export: export.name.clone(),
            file: snapshot.file,
            key: snapshot.key.clone(),
            run: self.run,
            encryption: encryption(export.encryption),
            rows_max: export.chunk_rows,
            partition_by: export.partition_by.clone(),
            unordered: unordered(export),
        };
        let session = &self.workspace.session;
        let plan = match watch {
            None => Ok(export.plan.clone()),
            Some(watch) => with_inputs(&export.plan, watch.inputs(), watch.key()),
        };
        let plan = plan.map_err(|error| fault::running(&error, &export.name))?;
        let plan = self.aging().filtered(export, plan)?;
        let writing = execute::prepare(session, &plan, &spec).await?;
        let earlier = match self.earlier.get(&export.name) {
            Some(attempted) if attempted.fits(snapshot.origin, &writing) => {
                resume::surviving(self.store, self.keys, &spec, attempted).await
            }
            _ => Vec::new(),
        };
        let begin = resume::begin_line(&export.name, snapshot.origin, &writing);
        let begun = self.journal.append(&begin);
        begun.map_err(|error| Diagnostic::unwritable(self.journal.path(), &error))?;
        let target =
            ChunkTarget { store: self.store.objects().clone(), keys: Arc::new(self.keys.clone()) };
        let mut note = |chunk: &SealedChunk| self.note_chunk(&export.name, chunk);
        for chunk in &earlier {
            note(chunk)?;
        }
        let services = SealServices {
            target,
            observer: self.context.observer.clone(),
            written: resume::rows(&earlier),
            watch: watch.cloned(),
        };
        let mut chunks = earlier;
        let resumed = chunks.len();
        let fresh = writing.write(session, services, &mut note, &export.name).await?;
        chunks.extend(fresh);
        chunks.sort_by_key(|chunk| chunk.partition);
        Ok(Written { chunks, resumed, rows_read: writing.rows_read() })
    }

    fn note_chunk(&self, export: &str, chunk: &SealedChunk) -> Outcome<()> {
        self.context.observer.notice(&Event::ChunkWritten {
            export: export.to_owned(),
            chunk: chunk.id.clone(),
            rows: chunk.rows,
            bytes: chunk.bytes,
        });
        let line = Line::Chunk {
            export: export.to_owned(),
            id: chunk.id.clone(),
            partition: chunk.partition,
            rows: chunk.rows,
            bytes: chunk.bytes,
            digest: chunk.digest.clone(),
        };
        let written = self.journal.append(&line);
        written.map_err(|error| Diagnostic::unwritable(self.journal.path(), &error).into())
    }

    /// The tests of a snapshot that stays which depend on the moment: time passes though nothing changes.
    /// Gives those that only warn.
    async fn still_fresh(
        &self,
        export: &BoundExport,
        file: FileId,
        manifest: &Manifest,
    ) -> Outcome<Vec<Diagnostic>> {
        if !export.ages() {
            return Ok(Vec::new());
        }
        let aging = |declared: &&Declared<TableTest>| {
            matches!(declared.test, TableTest::Column { test: ColumnTest::Freshness { .. }, .. })
        };
        let tests: Vec<Declared<TableTest>> = export.tests.iter().filter(aging).cloned().collect();
        let rewatch = Rewatch {
            root: &self.context.root,
            workspace: self.workspace,
            store: self.store,
            keys: self.keys,
        };
        let (watch, watcher) = rewatch.snapshot(export, &tests, (file, manifest)).await?;
        watcher.finish();
        let now = clock::now().timestamp_micros();
        let measured = watch.results(&self.workspace.session, now).await;
        let measured = measured.map_err(|error| fault::running(&error, &export.name))?;
        let results = checks::results(&tests, measured);
        let rows = Rows { key: &export.handle_columns(), fate: "the snapshot stays as it is" };
        let findings = checks::findings(&export.name, &tests, &results, &rows);
        let failed = results.iter().any(|result| result.status == TestStatus::Failed);
        if failed { Err(findings.into()) } else { Ok(findings) }
    }

    /// What is watched while the export is written; none when it has no tests.
    fn watch(&self, export: &BoundExport) -> Outcome<Option<Arc<Watch>>> {
        if export.tests.is_empty() {
            return Ok(None);
        }
        let watching = Watching {
            tests: &export.tests,
            schema: export.schema(),
            key_columns: &export.key,
            key: self.keys.digest_key(self.store.project(), &export.name)?,
            folder: self.context.root.join(SPILL_FOLDER),
        };
        let watch = Watch::new(&self.workspace.session, watching);
        Ok(Some(Arc::new(watch.map_err(|error| fault::running(&error, &export.name))?)))
    }

    /// The outcome of the tests, with what is only warned of.
    async fn tested(
        &self,
        export: &BoundExport,
        watch: Option<&Watch>,
    ) -> Outcome<(Vec<TestResult>, Vec<Diagnostic>)> {
        let Some(watch) = watch else { return Ok((Vec::new(), Vec::new())) };
        let now = clock::now().timestamp_micros();
        let measured = watch.results(&self.workspace.session, now).await;
        let measured = measured.map_err(|error| fault::running(&error, &export.name))?;
        let results = checks::results(&export.tests, measured);
        let failed = results.iter().any(|result| result.status == TestStatus::Failed);
        let fate = if failed { "nothing was published" } else { "the snapshot was published" };
        let rows = Rows { key: &export.handle_columns(), fate };
        let findings = checks::findings(&export.name, &export.tests, &results, &rows);
        if failed { Err(findings.into()) } else { Ok((results, findings)) }
    }
}

/// Columns of masked text whose order says nothing about the values.
fn unordered(export: &BoundExport) -> Vec<String> {
    let is_unordered = |column: &&BoundColumn| match &column.treatment {
        Treatment::Masked { properties, .. } => {
            is_text(column.output.data_type()) && !properties.preserves.order
        }
        Treatment::Computed { .. } | Treatment::Kept(_) | Treatment::Open(_) => false,
    };
    export.columns.iter().filter(is_unordered).map(|column| column.name.clone()).collect()
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_text(values),
        kind => kind.is_string(),
    }
}

fn codes(failure: &Failure) -> impl Iterator<Item = String> {
    failure.diagnostics.iter().map(|finding| finding.code.id.to_owned())
}
