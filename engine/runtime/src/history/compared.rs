//! A snapshot compared with what is recorded, and what differs written into chunks, in bounded memory.
//!
//! The keys of satellite and snapshot are compared in parts where they would not fit: each part reads the
//! satellite's narrow columns and the snapshot again. Links are compared after that, in parts of their own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_tracking::history::{
    Comparison, CurrentState, HASH_DIFF, HASH_KEY, HistoryError, IS_DELETED, LINK_HASH_KEY,
    LOAD_DATE, LinkState, Load, Outcome as Row, Part, Recorded as Narrow, Tally, VERSION, Vault,
    bytes_needed, parts_needed,
};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use super::layout::refused;
use crate::diagnostic::{Failure, Outcome};
use crate::fault;
use crate::keys::Keys;
use crate::seal::{ChunkSink, SealError};
use crate::store::Store;
use crate::unseal::{SnapshotTable, changed};

/// Batches that are read ahead.
const BATCHES_AHEAD: usize = 4;
/// Closing records of a batch.
const ROWS_TOGETHER: usize = 8_192;

/// A snapshot in the store.
pub(super) type InStore<'a> = (FileId, &'a Manifest);

/// Where the appended rows go.
pub(super) struct Sinks {
    /// Of the hub.
    pub hub: ChunkSink,
    /// Of the satellite.
    pub satellite: ChunkSink,
    /// Of the links, with references.
    pub links: Option<ChunkSink>,
}

/// A comparison, with all it needs.
pub(super) struct Compared<'a> {
    /// Where rows are read.
    pub session: &'a SessionContext,
    /// The bytes that the keys of a part may take.
    pub bytes_max: u64,
    /// The store.
    pub store: &'a Store,
    /// The keys.
    pub keys: &'a Keys,
    /// The history.
    pub vault: &'a Vault,
    /// Its name.
    pub name: &'a str,
    /// The load.
    pub load: &'a Load,
    /// The snapshot.
    pub export: InStore<'a>,
    /// The columns that its rows are brought to.
    pub schema: SchemaRef,
    /// The satellite so far.
    pub satellite: Option<InStore<'a>>,
    /// The links so far.
    pub links: Option<InStore<'a>>,
}

impl Compared<'_> {
    /// Appends what differs. Gives what was found; nothing of it may become visible before this is settled.
    ///
    /// # Errors
    /// The rows have no unique key, contradict what is recorded, or cannot be read or written.
    pub(super) async fn append(
        &self,
        keys_recorded: u64,
        has_new_references: bool,
        sinks: &mut Sinks,
    ) -> Outcome<Tally> {
        let keys = keys_recorded.saturating_add(self.export.1.rows);
        let parts = parts_needed(keys, self.bytes_max);
        let per_part = keys / u64::from(parts);
        let mut tally = Tally::default();
        for part in Part::all(parts) {
            let _held = self.held(per_part)?;
            // Most keys of a load are known.
            let expected = keys_recorded.max(self.export.1.rows) / u64::from(parts);
            tally = tally + self.part(part, expected, sinks).await?;
        }
        if let Some(links) = &mut sinks.links
            && (has_new_references || tally.appended() > 0)
        {
            self.links(links).await?;
        }
        self.load.settle(tally).map_err(|error| self.refused(&error))
    }

    /// Memory for so many keys, until it is dropped.
    fn held(&self, keys: u64) -> Outcome<MemoryReservation> {
        let held = MemoryConsumer::new("the keys of a history");
        let held = held.register(&self.session.runtime_env().memory_pool);
        let bytes = usize::try_from(bytes_needed(keys)).unwrap_or(usize::MAX);
        held.try_grow(bytes).map_err(|error| self.unreadable(&error))?;
        Ok(held)
    }

    async fn part(&self, part: Part, keys: u64, sinks: &mut Sinks) -> Outcome<Tally> {
        let keys = usize::try_from(keys).unwrap_or(usize::MAX);
        let mut state = CurrentState::new(self.load, part, keys);
        if let Some(satellite) = self.satellite {
            let narrow = [HASH_KEY, HASH_DIFF, VERSION, LOAD_DATE, IS_DELETED];
            let mut rows = self.rows(satellite, &narrow).await?;
            while let Some(batch) = rows.next().await {
                let batch = self.exact(&batch?)?;
                let narrow = Narrow::of(&batch).map_err(|error| self.refused(&error))?;
                state.insert(&narrow).map_err(|error| self.refused(&error))?;
            }
        }
        let mut comparison = state.compare().map_err(|error| self.refused(&error))?;
        let mut rows = self.rows(self.export, &[]).await?;
        while let Some(batch) = rows.next().await {
            let batch = self.aligned(&batch?).map_err(|error| self.refused(&error))?;
            let (hub, satellite) =
                self.batch(&mut comparison, &batch).map_err(|error| self.refused(&error))?;
            sinks.hub.push(hub).await.map_err(|error| unwritable(&error))?;
            sinks.satellite.push(satellite).await.map_err(|error| unwritable(&error))?;
        }
        let findings = comparison.finish().map_err(|error| self.refused(&error))?;
        for gone in findings.gone(ROWS_TOGETHER) {
            let closing = gone
                .and_then(|(keys, versions)| self.vault.closing_rows(&keys, &versions, self.load));
            let closing = closing.map_err(|error| self.refused(&error))?;
            sinks.satellite.push(closing).await.map_err(|error| unwritable(&error))?;
        }
        Ok(findings.tally())
    }

    /// The rows of hub and satellite that a batch appends.
    fn batch(
        &self,
        comparison: &mut Comparison,
        batch: &RecordBatch,
    ) -> Result<(RecordBatch, RecordBatch), HistoryError> {
        let hashed = self.vault.hash(batch)?;
        let rows = comparison.probe(&hashed.keys, &hashed.diffs)?;
        let hub = self.vault.hub_rows(batch, &hashed, &rows, self.load)?;
        Ok((hub, self.vault.satellite_rows(batch, &hashed, &rows, self.load)?))
    }

    async fn links(&self, sink: &mut ChunkSink) -> Outcome<()> {
        let recorded = self.links.map_or(0, |(_, manifest)| manifest.rows);
        let references = self.vault.references().len() as u64;
        let links = recorded.saturating_add(self.export.1.rows.saturating_mul(references));
        let parts = parts_needed(links, self.bytes_max);
        let per_part = links / u64::from(parts);
        for part in Part::all(parts) {
            let _held = self.held(per_part)?;
            let expected = usize::try_from(per_part).unwrap_or(usize::MAX);
            let mut state = LinkState::new(part, expected);
            if let Some(links) = self.links {
                let mut rows = self.rows(links, &[LINK_HASH_KEY]).await?;
                while let Some(batch) = rows.next().await {
                    let batch = self.exact(&batch?)?;
                    self.new_links(&mut state, &batch).map_err(|error| self.refused(&error))?;
                }
            }
            let mut rows = self.rows(self.export, &[]).await?;
            while let Some(batch) = rows.next().await {
                let batch = self.aligned(&batch?).map_err(|error| self.refused(&error))?;
                let links = self.linked(&batch).and_then(|links| match links {
                    Some(links) => {
                        let new = self.new_links(&mut state, &links)?;
                        Ok(Some(filter_record_batch(&links, &new)?))
                    }
                    None => Ok(None),
                });
                if let Some(links) = links.map_err(|error| self.refused(&error))? {
                    sink.push(links).await.map_err(|error| unwritable(&error))?;
                }
            }
        }
        Ok(())
    }

    /// The links of all rows: those of unchanged ones are known.
    fn linked(&self, batch: &RecordBatch) -> Result<Option<RecordBatch>, HistoryError> {
        let hashed = self.vault.hash(batch)?;
        let all = vec![Row::New; batch.num_rows()];
        self.vault.link_rows(batch, &hashed, &all, self.load)
    }

    fn new_links(
        &self,
        state: &mut LinkState,
        links: &RecordBatch,
    ) -> Result<arrow::array::BooleanArray, HistoryError> {
        let keys =
            links.column_by_name(LINK_HASH_KEY).and_then(|keys| keys.as_fixed_size_binary_opt());
        let keys =
            keys.ok_or_else(|| HistoryError::UnknownColumn { column: LINK_HASH_KEY.to_owned() })?;
        state.insert(keys)
    }

    /// The rows of a snapshot, in its order; all columns when none are named. They are read ahead by a task of
    /// their own.
    async fn rows(
        &self,
        (file, manifest): InStore<'_>,
        columns: &[&str],
    ) -> Outcome<BoxStream<'static, Outcome<RecordBatch>>> {
        let refused = |error| self.unreadable(&error);
        let (objects, keys) = (self.store.objects(), Arc::new(self.keys.clone()));
        let table = SnapshotTable::open(self.session, objects, file, manifest, keys);
        let mut frame =
            self.session.read_table(Arc::new(table.await.map_err(refused)?)).map_err(refused)?;
        if !columns.is_empty() {
            frame = frame.select_columns(columns).map_err(refused)?;
        }
        let rows = frame.execute_stream().await.map_err(refused)?;
        let rows = changed::explained(rows, Arc::clone(objects), file, manifest.clone());
        let name = self.name.to_owned();
        Ok(ahead(rows, manifest.rows)
            .map_err(move |error| fault::running(&error, &name).into())
            .boxed())
    }

    /// A batch of the export in the columns of the history: null where the export has one no more.
    fn aligned(&self, batch: &RecordBatch) -> Result<RecordBatch, HistoryError> {
        let columns = self.schema.fields().iter().map(|field| {
            let found = batch.column_by_name(field.name());
            match found {
                Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
                Some(column) => Ok(cast(column, field.data_type())?),
                None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            }
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, HistoryError>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn exact(&self, batch: &RecordBatch) -> Outcome<RecordBatch> {
        exact(self.vault, batch).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &HistoryError) -> Failure {
        refused(self.name, error).into()
    }

    fn unreadable(&self, error: &DataFusionError) -> Failure {
        fault::running(error, self.name).into()
    }
}

/// A batch of a history's table in the types that its own columns have.
///
/// # Errors
/// A column cannot be brought to its type.
pub fn exact(vault: &Vault, batch: &RecordBatch) -> Result<RecordBatch, HistoryError> {
    let tables = [Some(vault.satellite_schema()), vault.link_schema()];
    let typed =
        |name: &str| tables.iter().flatten().find_map(|schema| schema.field_with_name(name).ok());
    let schema = batch.schema();
    let exact = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let wanted = typed(field.name()).map_or(field.data_type(), Field::data_type);
        let column = match column.data_type() == wanted {
            true => Arc::clone(column),
            false => cast(column, wanted)?,
        };
        Ok((Arc::new(field.as_ref().clone().with_data_type(wanted.clone())), column))
    });
    let exact: Result<Vec<_>, HistoryError> = exact.collect();
    let (fields, columns): (Vec<_>, Vec<_>) = exact?.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn unwritable(error: &SealError) -> Failure {
    error.diagnostic().into()
}

/// The batches of a stream, read by a task of its own while earlier ones are worked on. A stream that ends before all
/// its rows came, for whatever reason, is an error: what is missing would be taken for gone.
fn ahead(
    mut rows: SendableRecordBatchStream,
    expected: u64,
) -> impl Stream<Item = Result<RecordBatch, DataFusionError>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
    // Ends with the stream.
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        while let Some(batch) = rows.next().await {
            if sender.send(batch).await.is_err() {
                return;
            }
        }
    });
    let left = Some(expected);
    futures::stream::unfold((receiver, reading, left), |(mut receiver, reading, left)| async move {
        let left = left?;
        match receiver.recv().await {
            Some(Ok(batch)) => {
                let left = left.checked_sub(batch.num_rows() as u64);
                Some(match left {
                    Some(_) => (Ok(batch), (receiver, reading, left)),
                    None => (Err(unequal()), (receiver, reading, None)),
                })
            }
            Some(Err(error)) => Some((Err(error), (receiver, reading, None))),
            None if left == 0 => None,
            None => Some((Err(unequal()), (receiver, reading, None))),
        }
    })
}

fn unequal() -> DataFusionError {
    DataFusionError::Execution("a snapshot has other rows than its manifest says".to_owned())
}

/// The columns that rows of a load are brought to: the key and tenant, the satellite's columns so far in their order,
/// and what the export has besides. Keeps the hashes of rows that did not change. `before` are hub and satellite.
///
/// # Errors
/// The names of columns whose type is another than before.
pub(super) fn brought_to(
    export: &Schema,
    hub: &[String],
    before: Option<(&Schema, &Schema)>,
) -> Result<Schema, Vec<String>> {
    let mut fields: Vec<Field> = Vec::new();
    let mut retyped = Vec::new();
    for field in export.fields().iter().filter(|field| hub.contains(field.name())) {
        let was = before.and_then(|(hub, _)| hub.field_with_name(field.name()).ok());
        if was.is_some_and(|was| was.data_type() != field.data_type()) {
            retyped.push(field.name().clone());
        }
        // A null that is recorded stays one.
        let nullable = field.is_nullable() || was.is_some_and(Field::is_nullable);
        fields.push(field.as_ref().clone().with_nullable(nullable));
    }
    let before = before.map(|(_, satellite)| satellite);
    for field in before.into_iter().flat_map(Schema::fields) {
        if super::layout::is_own(field.name()) {
            continue;
        }
        match export.field_with_name(field.name()) {
            Ok(now) if now.data_type() != field.data_type() => {
                retyped.push(field.name().clone());
            }
            _ => fields.push(field.as_ref().clone().with_nullable(true)),
        }
    }
    for field in export.fields() {
        if !fields.iter().any(|known| known.name() == field.name()) {
            fields.push(field.as_ref().clone());
        }
    }
    if retyped.is_empty() { Ok(Schema::new(fields)) } else { Err(retyped) }
}
