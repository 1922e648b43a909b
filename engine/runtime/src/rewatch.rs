//! Watches the rows of a snapshot that is committed, as they were watched on their way into it.

use std::path::Path;
use std::sync::Arc;

use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::{Declared, TableTest};
use futures::TryStreamExt;

use crate::bind::BoundExport;
use crate::diagnostic::{Failure, Outcome};
use crate::fault;
use crate::keys::Keys;
use crate::observe::{SPILL_FOLDER, Watch, Watcher, Watching};
use crate::store::Store;
use crate::unseal::{SnapshotTable, changed};
use crate::workspace::{self, Workspace};

/// Where snapshots are read, and with what.
pub struct Rewatch<'a> {
    /// The project's folder.
    pub root: &'a Path,
    /// The bound project.
    pub workspace: &'a Workspace,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
}

impl Rewatch<'_> {
    /// The watch of these tests, and the watcher that has seen every published row and no input.
    ///
    /// # Errors
    /// A chunk that is not what was committed, or a test that cannot be made.
    pub async fn snapshot(
        &self,
        export: &BoundExport,
        tests: &[Declared<TableTest>],
        (file, manifest): (FileId, &Manifest),
    ) -> Outcome<(Arc<Watch>, Watcher)> {
        let refused = |error| Failure::from(fault::running(&error, &export.name));
        let session = workspace::new_session(self.workspace.limits)?;
        let keys = Arc::new(self.keys.clone());
        let table = SnapshotTable::open(&session, self.store.objects(), file, manifest, keys);
        let frame = session.read_table(Arc::new(table.await.map_err(refused)?)).map_err(refused)?;
        let watching = Watching {
            tests,
            schema: Arc::clone(frame.schema().inner()),
            key_columns: &export.key,
            key: self.keys.digest_key(self.store.project(), &export.name)?,
            folder: self.root.join(SPILL_FOLDER),
        };
        let watch = Arc::new(Watch::new(&session, watching).map_err(refused)?);
        let rows = frame.execute_stream().await.map_err(refused)?;
        let objects = Arc::clone(self.store.objects());
        let mut rows = changed::explained(rows, objects, file, manifest.clone());
        let mut watcher = watch.watcher();
        while let Some(batch) = rows.try_next().await.map_err(refused)? {
            watcher.published(&batch).map_err(refused)?;
        }
        Ok((watch, watcher))
    }
}
