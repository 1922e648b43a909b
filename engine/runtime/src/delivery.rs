//! Loads: committed snapshots into databases, each inside one transaction of the database.
//!

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use engine_bundle::digest::Digest;
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::Load;
use engine_sources::{LoadReport, LoadRequest, Loader, SourceError};

use crate::bind::BoundExport;
use crate::codes::{run, sources};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::event::{Event, Observer};
use crate::fault;
use crate::keys::Keys;
use crate::plan::load_request;
use crate::report::LoadDone;
use crate::store::{Store, Stored};
use crate::tenant::of_tenant;
use crate::unseal::{SnapshotTable, changed};
use crate::workspace::{self, Workspace};

/// What every load of a command shares.
pub struct Deliverer<'a> {
    /// Who is told of loads.
    pub observer: &'a dyn Observer,
    /// The bound project.
    pub workspace: &'a Workspace,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The tenant whose rows are loaded, as published; all rows when none is given.
    pub tenant: Option<&'a str>,
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
        for load in &export.loads {
            let (table, name) = (&load.table.value, &load.connection.value);
            let receipt = self.loader(load)?.receipt(table).await;
            let receipt = receipt.map_err(|error| refusal(export, name, &error))?;
            if receipt == Some(stored.digest.to_string()) {
                continue;
            }
            let report = self.load_one(export, file, load, stored).await?;
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
        stored: &Stored,
    ) -> Outcome<LoadReport> {
        let (name, manifest) = (&load.connection.value, &stored.manifest);
        let loader = self.loader(load)?;
        let (rows, count) = self.rows(export, file, manifest).await?;
        // Part of a snapshot is not taken for the whole by a later run.
        let receipt = match self.tenant {
            Some(tenant) => Digest::of(format!("{} {tenant}", stored.digest).as_bytes()),
            None => stored.digest,
        };
        let request = LoadRequest {
            schema: rows.schema(),
            rows: count,
            receipt: receipt.to_string(),
            ..load_request(export, load)
        };
        loader.load(request, rows).await.map_err(|error| refusal(export, name, &error))
    }

    fn loader(&self, load: &Load) -> Outcome<Arc<dyn Loader>> {
        let name = &load.connection.value;
        let connection = self.workspace.bound.connections.get(name);
        let loader = connection.and_then(|connection| connection.loader());
        loader.ok_or_else(|| {
            let message = format!("nothing can be loaded into connection `{name}`");
            Diagnostic::new(&sources::NOT_LOADABLE, message)
                .at(load.connection.at, "only reads")
                .into()
        })
    }

    /// The rows to load, and how many there are.
    async fn rows(
        &self,
        export: &BoundExport,
        file: FileId,
        manifest: &Manifest,
    ) -> Outcome<(SendableRecordBatchStream, u64)> {
        let refused = |error| Failure::from(fault::running(&error, &export.name));
        let session = workspace::new_session(self.workspace.limits)?;
        let keys = Arc::new(self.keys.clone());
        let table = SnapshotTable::open(&session, self.store.objects(), file, manifest, keys)
            .await
            .map_err(refused)?;
        let mut frame = session.read_table(Arc::new(table)).map_err(refused)?;
        let mut count = manifest.rows;
        if let Some(tenant) = self.tenant {
            let column = self.workspace.bound.project.tenant_of(&export.name);
            let is_own = of_tenant(frame.schema().inner(), &export.name, column, tenant)?;
            frame = frame.filter(is_own).map_err(refused)?;
            count = frame.clone().count().await.map_err(refused)? as u64;
        }
        let rows = frame.execute_stream().await.map_err(refused)?;
        let objects = Arc::clone(self.store.objects());
        Ok((changed::explained(rows, objects, file, manifest.clone()), count))
    }
}

fn refusal(export: &BoundExport, connection: &str, error: &SourceError) -> Failure {
    // A chunk that was changed is no fault of the database.
    if let Some(rows) = error.input() {
        return fault::running(rows, &export.name).into();
    }
    let finding = fault::diagnose(error);
    // What the rows or the project are to blame for has a page of its own; the rest is the database.
    let of_rows =
        [&sources::LOAD_CONSTRAINT, &sources::SOURCE_UNSUPPORTED, &sources::SOURCE_LOCKED];
    if of_rows.contains(&finding.code) {
        return finding.into();
    }
    let message =
        format!("`{}` is committed, and was not loaded into `{connection}`: {error}", export.name);
    let help = finding.help.unwrap_or_else(|| "check the database with its own tools".to_owned());
    let help = format!("{help}; then run `engine load {} --to {connection}`", export.name);
    Diagnostic::new(&run::LOAD_FAILED, message).help(help).into()
}
