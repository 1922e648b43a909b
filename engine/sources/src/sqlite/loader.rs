//! Loads a table: everything inside one transaction, so that readers see the old table
//! or the new one, and a failure leaves the old one.
//!
//! ```text
//!  stream ──task──▶ [ batch | batch ] ──blocking thread──▶ BEGIN IMMEDIATE
//!                    bounded; ends with                     DROP, CREATE
//!                    an explicit end mark                   INSERT …
//!                                                           COMMIT, only at the end mark
//! ```
//!
//! Replacing drops the table, so indexes, triggers and foreign keys it had are gone; what
//! refers to it stays. A new database file is readable by its owner only.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::database::{io_error, open_read_write, open_target, replaced};
use super::{bind, catalog, ddl, receipt};
use crate::connector::{LoadMode, LoadReport, LoadRequest, Loader, TableState};
use crate::error::{Place, SourceError, SourceErrorKind};
use crate::missing;
use crate::producer::BATCHES_AHEAD;

/// Writes tables of one database file.
#[derive(Debug)]
pub(crate) struct SqliteLoader {
    path: PathBuf,
    place: Place,
}

/// What the task sends to the thread that writes.
enum Feed {
    Batch(RecordBatch),
    /// All rows have been sent. Without it the transaction is rolled back.
    End,
}

impl SqliteLoader {
    /// A loader for this file; it is created at the first load where it is missing.
    pub(crate) fn new(path: PathBuf, place: Place) -> Self {
        Self { path, place }
    }
}

#[async_trait]
impl Loader for SqliteLoader {
    async fn load(
        &self,
        request: LoadRequest,
        rows: SendableRecordBatchStream,
    ) -> Result<LoadReport, SourceError> {
        let place = Place { table: Some(request.table.clone()), ..self.place.clone() };
        let load = async {
            ddl::check(&request)?;
            same_columns(&request.schema, &rows.schema())?;
            let (sender, receiver) = channel(BATCHES_AHEAD);
            let path = self.path.clone();
            let writer = tokio::task::spawn_blocking(move || write_file(&path, &request, receiver));
            let fed = feed(rows, sender).await;
            let written = writer
                .await
                .unwrap_or_else(|_| Err(SourceErrorKind::Library { what: "the load" }.into()));
            // The rows' own error explains the writer's roll back.
            fed.and(written)
        };
        load.await.map_err(|error: SourceError| error.within(&place))
    }

    async fn receipt(&self, table: &str) -> Result<Option<String>, SourceError> {
        let place = Place { table: Some(table.to_owned()), ..self.place.clone() };
        let (path, table) = (self.path.clone(), table.to_owned());
        let read = tokio::task::spawn_blocking(move || receipt::read(&path, &table)).await;
        let read =
            read.unwrap_or_else(|_| Err(SourceErrorKind::Library { what: "the load" }.into()));
        read.map_err(|error| error.within(&place))
    }

    fn statements(&self, request: &LoadRequest) -> Vec<String> {
        ddl::statements(request)
    }

    async fn compare(&self, request: &LoadRequest) -> Result<TableState, SourceError> {
        let place = Place { table: Some(request.table.clone()), ..self.place.clone() };
        let (path, request) = (self.path.clone(), request.clone());
        let compared = tokio::task::spawn_blocking(move || compare(&path, &request)).await;
        let compared = compared
            .unwrap_or_else(|_| Err(SourceErrorKind::Library { what: "the comparison" }.into()));
        compared.map_err(|error| error.within(&place))
    }
}

fn compare(path: &Path, request: &LoadRequest) -> Result<TableState, SourceError> {
    let table = open_target(path).and_then(|database| catalog::table(&database, &request.table));
    let table = match table {
        Ok(table) => table,
        Err(error)
            if matches!(
                error.kind(),
                SourceErrorKind::NotFound | SourceErrorKind::MissingTable { .. }
            ) =>
        {
            return Ok(TableState::Absent);
        }
        Err(error) => return Err(error),
    };
    let there = |name: &str| table.columns.iter().find(|column| column.name == name);
    let (mut missing, mut retyped) = (Vec::new(), Vec::new());
    for field in request.schema.fields() {
        match there(field.name()) {
            None => missing.push(field.name().clone()),
            Some(column) if column.declared != ddl::declared(field) => {
                retyped.push(field.name().clone());
            }
            Some(_) => {}
        }
    }
    let is_loaded = |name: &str| request.schema.field_with_name(name).is_ok();
    let additional = table.columns.iter().filter(|column| !is_loaded(&column.name));
    let additional: Vec<String> = additional.map(|column| column.name.clone()).collect();
    if missing.is_empty() && additional.is_empty() && retyped.is_empty() {
        return Ok(TableState::Same);
    }
    Ok(TableState::Other { missing, additional, retyped })
}

fn same_columns(wanted: &Schema, given: &Schema) -> Result<(), SourceError> {
    let same = wanted.fields().len() == given.fields().len()
        && wanted.fields().iter().zip(given.fields()).all(|(wanted, given)| {
            wanted.name() == given.name() && wanted.data_type() == given.data_type()
        });
    if same {
        Ok(())
    } else {
        let what = "loading rows of another schema than announced".to_owned();
        Err(SourceErrorKind::Unsupported { what }.into())
    }
}

/// Sends all rows; stops early, without an error of its own, when the writer is gone.
async fn feed(
    mut rows: SendableRecordBatchStream,
    sender: Sender<Feed>,
) -> Result<(), SourceError> {
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(SourceError::of_input)?;
        if sender.send(Feed::Batch(batch)).await.is_err() {
            return Ok(());
        }
    }
    // A writer that is gone has an error to report.
    let _gone = sender.send(Feed::End).await;
    Ok(())
}

fn write_file(
    path: &Path,
    request: &LoadRequest,
    feed: Receiver<Feed>,
) -> Result<LoadReport, SourceError> {
    let created = create_private(path)?;
    let written =
        open_read_write(path).and_then(|mut database| write(&mut database, request, feed));
    if written.is_err() && created {
        // Nothing was there before, and nothing is to be there now. The load's own error
        // matters more than a file that cannot be removed.
        let _left = std::fs::remove_file(path);
    }
    written
}

/// Creates the file for its owner alone; `false` when there is one already.
fn create_private(path: &Path) -> Result<bool, SourceError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error(&error)),
    }
}

fn write(
    database: &mut Connection,
    request: &LoadRequest,
    mut feed: Receiver<Feed>,
) -> Result<LoadReport, SourceError> {
    if request.mode == LoadMode::Replace {
        // Dropping a table that others refer to deletes nothing of theirs. Cannot be set
        // inside a transaction.
        database.execute_batch("PRAGMA foreign_keys = OFF").map_err(|error| replaced(&error))?;
    }
    let transaction = database
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| replaced(&error))?;
    refuse_view(&transaction, request)?;
    for statement in ddl::statements(request) {
        transaction.execute_batch(&statement).map_err(|error| replaced(&error))?;
    }
    if request.mode == LoadMode::Append {
        holds_columns(&transaction, request)?;
    }
    let mut report = LoadReport { rows: 0 };
    {
        let mut insert =
            transaction.prepare(&ddl::insert(request)).map_err(|error| replaced(&error))?;
        loop {
            match feed.blocking_recv() {
                Some(Feed::Batch(batch)) => report.rows += insert_batch(&mut insert, &batch)?,
                Some(Feed::End) => break,
                // The rows failed, or the load was dropped: what was inserted is undone.
                None => return Err(SourceErrorKind::Cancelled.into()),
            }
        }
    }
    if report.rows != request.rows {
        let (expected, found) = (request.rows, report.rows);
        return Err(SourceErrorKind::RowCount { expected, found }.into());
    }
    receipt::write(&transaction, &request.table, &request.receipt)?;
    transaction.commit().map_err(|error| replaced(&error))?;
    Ok(report)
}

fn refuse_view(database: &Connection, request: &LoadRequest) -> Result<(), SourceError> {
    match catalog::table(database, &request.table) {
        Ok(table) if !table.stored => {
            let what = "loading a view".to_owned();
            Err(SourceErrorKind::Unsupported { what }.into())
        }
        // A table that is not there yet is made.
        _ => Ok(()),
    }
}

fn holds_columns(database: &Connection, request: &LoadRequest) -> Result<(), SourceError> {
    let table = catalog::table(database, &request.table)?;
    for field in request.schema.fields() {
        if !table.columns.iter().any(|column| column.name == *field.name()) {
            let available = table.columns.iter().map(|column| column.name.as_str());
            return Err(missing::column(field.name(), available));
        }
    }
    Ok(())
}

fn insert_batch(
    insert: &mut rusqlite::Statement<'_>,
    batch: &RecordBatch,
) -> Result<u64, SourceError> {
    let columns = bind::columns(batch)?;
    for row in 0..batch.num_rows() {
        for (index, column) in columns.iter().enumerate() {
            insert
                .raw_bind_parameter(index + 1, column.cell(row)?)
                .map_err(|error| replaced(&error))?;
        }
        insert.raw_execute().map_err(|error| replaced(&error))?;
    }
    Ok(batch.num_rows() as u64)
}
