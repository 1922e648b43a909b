//! Loads: committed snapshots into databases, each inside one transaction of the database.
//!
//! A load leaves a receipt: `target/loads.json` says which snapshot a table was last loaded from, so that an unchanged snapshot is not loaded again, and one
//! whose load was interrupted is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::{Load, LoadMode};
use engine_sources::{LoadReport, LoadRequest, SourceError};

use crate::bind::BoundExport;
use crate::codes::{commands, run, sources};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::event::{Event, Observer};
use crate::fault;
use crate::files;
use crate::keys::Keys;
use crate::report::LoadDone;
use crate::store::{Store, Stored};
use crate::unseal::SnapshotTable;
use crate::workspace::{self, Workspace};

const RECEIPTS_BYTES_MAX: u64 = 16 << 20;

/// What every load of a command shares.
pub struct Deliverer<'a> {
    /// The project's directory.
    pub root: &'a Path,
    /// Who is told of loads.
    pub observer: &'a dyn Observer,
    /// The bound project.
    pub workspace: &'a Workspace,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
}

impl Deliverer<'_> {
    /// Loads a snapshot wherever its export says and it was not loaded yet.
    ///
    /// # Errors
    /// The first load that failed; those before it are in `done`.
    pub async fn load_all(
        &self,
        export: &BoundExport,
        file: FileId,
        stored: &Stored,
        done: &mut Vec<LoadDone>,
    ) -> Outcome<()> {
        let receipts = Receipts::of(self.root);
        for load in &export.loads {
            let place = receipt_name(self.workspace, load);
            let snapshot = stored.digest.to_string();
            if receipts.read().get(&place) == Some(&snapshot) {
                continue;
            }
            let report = self.load_one(export, file, load, &stored.manifest).await?;
            receipts.record(place, snapshot)?;
            let loaded = LoadDone {
                connection: load.connection.value.clone(),
                table: load.table.value.clone(),
                rows: report.rows,
            };
            self.observer.notice(&Event::ExportLoaded {
                export: export.name.clone(),
                connection: loaded.connection.clone(),
                table: loaded.table.clone(),
                rows: loaded.rows,
            });
            done.push(loaded);
        }
        Ok(())
    }

    /// Loads one snapshot into one table.
    ///
    /// # Errors
    /// A chunk that cannot be read, or what the database refuses. The table is as it was then.
    pub async fn load_one(
        &self,
        export: &BoundExport,
        file: FileId,
        load: &Load,
        manifest: &Manifest,
    ) -> Outcome<LoadReport> {
        let name = &load.connection.value;
        let connection = self.workspace.bound.connections.get(name);
        let loader = connection.and_then(|connection| connection.loader()).ok_or_else(|| {
            Diagnostic::new(&sources::NOT_LOADABLE, format!("connection `{name}` cannot be loaded"))
                .at(load.connection.at, "is read-only")
        })?;
        let rows = self.rows(export, file, manifest).await?;
        let request = LoadRequest {
            table: load.table.value.clone(),
            mode: match load.mode {
                LoadMode::Replace => engine_sources::LoadMode::Replace,
                LoadMode::Append => engine_sources::LoadMode::Append,
            },
            schema: rows.schema(),
            key: export.key.clone(),
        };
        let loaded =
            loader.load(request, rows).await.map_err(|error| refusal(export, name, &error))?;
        if loaded.rows != manifest.rows {
            let message = format!(
                "`{name}` took {} of {} rows of `{}`",
                loaded.rows, manifest.rows, export.name
            );
            return Err(Diagnostic::new(&run::LOAD_FAILED, message).into());
        }
        Ok(loaded)
    }

    async fn rows(
        &self,
        export: &BoundExport,
        file: FileId,
        manifest: &Manifest,
    ) -> Outcome<SendableRecordBatchStream> {
        let refused = |error| Failure::from(fault::running(&error, &export.name));
        let session = workspace::new_session(self.workspace.limits)?;
        let keys = Arc::new(self.keys.clone());
        let table = SnapshotTable::open(&session, self.store.objects(), file, manifest, keys)
            .await
            .map_err(refused)?;
        let frame = session.read_table(Arc::new(table)).map_err(refused)?;
        frame.execute_stream().await.map_err(refused)
    }
}

fn refusal(export: &BoundExport, connection: &str, error: &SourceError) -> Failure {
    let finding = fault::diagnose(error);
    if finding.code == &sources::SOURCE_FAILED {
        let message = format!("`{}` could not be loaded into `{connection}`", export.name);
        return Diagnostic::new(&run::LOAD_FAILED, message).into();
    }
    finding.into()
}

/// Names the place a snapshot is loaded to, without anything of the connection's settings.
fn receipt_name(workspace: &Workspace, load: &Load) -> String {
    let target = &workspace.bound.project.target.name.value;
    format!("{target}/{}/{}", load.connection.value, load.table.value)
}

struct Receipts {
    path: std::path::PathBuf,
}

impl Receipts {
    fn of(root: &Path) -> Self {
        Self { path: root.join("target").join("loads.json") }
    }

    fn read(&self) -> BTreeMap<String, String> {
        // Without receipts everything is loaded again, which is safe.
        let bytes = files::read(&self.path, RECEIPTS_BYTES_MAX).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn record(&self, place: String, snapshot: String) -> Outcome<()> {
        let mut receipts = self.read();
        receipts.insert(place, snapshot);
        let text = serde_json::to_string_pretty(&receipts).unwrap_or_default() + "\n";
        files::write(&self.path, text.as_bytes()).map_err(|_| {
            let message = format!("{} cannot be written", self.path.display());
            Diagnostic::new(&commands::OUTPUT_UNWRITABLE, message).into()
        })
    }
}
