//! Tables of text files (CSV, JSON lines): a file is never split, and at most as many are
//! read at once as the session has partitions, each on a blocking thread of its own.
//!
//! ```text
//!  fetch ──▶ decompress ──▶ format: text ▶ records ▶ batches ──▶ stream
//! ```

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::{
    RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter,
};
use futures::StreamExt;

use super::compression::{Compression, decompressed};
use super::fetch::{fetch, pipe};
use super::listing::SourceFile;
use super::stores::Place;
use crate::error::{self, SourceError, SourceErrorKind};
use crate::producer::{BATCHES_AHEAD, produce_with};
use crate::scan::{Partition, ScanExec};

/// What is to be read of a file.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// The columns to build.
    pub(crate) schema: SchemaRef,
    /// Rows of a batch at most.
    pub(crate) batch_rows: usize,
    /// Rows after which to stop.
    pub(crate) limit: Option<usize>,
}

/// A text format.
pub(crate) trait TextFormat: fmt::Debug + Send + Sync {
    /// The connector's name.
    fn kind(&self) -> &'static str;

    /// How the files are compressed.
    fn compression(&self) -> Compression;

    /// Reads a file's bytes and emits batches of the task's schema.
    ///
    /// # Errors
    /// Data that is not what was declared, with line and column; errors of `emit`.
    fn read(
        &self,
        input: Box<dyn Read + Send>,
        task: &Task,
        emit: &mut dyn FnMut(RecordBatch) -> Result<(), SourceError>,
    ) -> Result<(), SourceError>;
}

/// Runs blocking work over a file's decompressed bytes and gives its result.
pub(crate) async fn with_input<T, W>(
    place: &Place,
    file: &SourceFile,
    compression: Compression,
    work: W,
) -> Result<T, SourceError>
where
    T: Send + 'static,
    W: FnOnce(Box<dyn Read + Send>) -> Result<T, SourceError> + Send + 'static,
{
    let (sender, chunks) = pipe(&file.meta);
    let name = file.shown.clone();
    let reading =
        tokio::task::spawn_blocking(move || work(decompressed(chunks, compression, &name)?));
    let fetching = fetch(place.store.clone(), file.meta.clone(), sender);
    let ((), read) = tokio::join!(fetching, reading);
    read.unwrap_or_else(|_| Err(SourceErrorKind::Cancelled.into()))
        .map_err(|error| error.in_file(&file.shown))
}

/// A table of text files.
#[derive(Debug)]
pub(crate) struct TextTable {
    pub(crate) place: Place,
    pub(crate) files: Vec<SourceFile>,
    pub(crate) schema: SchemaRef,
    pub(crate) format: Arc<dyn TextFormat>,
    /// Connection and table, for errors.
    pub(crate) shown: error::Place,
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema.clone(),
        };
        // Not one partition per file without bound: all partitions of a scan may run at once.
        let partitions = state.config().target_partitions().clamp(1, self.files.len().max(1));
        let per_partition = self.files.len().div_ceil(partitions).max(1);
        let partition = |files: &[SourceFile]| -> Arc<dyn Partition> {
            Arc::new(TextPartition {
                place: self.place.clone(),
                files: files.to_vec(),
                schema: schema.clone(),
                limit,
                format: self.format.clone(),
                shown: self.shown.clone(),
            })
        };
        let files = match self.files.as_slice() {
            [file] => file.shown.clone(),
            files => format!("{} files", files.len()),
        };
        let label = format!("{}, {files}", self.format.kind());
        let partitions = self.files.chunks(per_partition).map(partition).collect();
        Ok(Arc::new(ScanExec::new(label, schema, partitions)))
    }
}

/// Some of the files, read one after the other.
#[derive(Debug, Clone)]
struct TextPartition {
    place: Place,
    files: Vec<SourceFile>,
    schema: SchemaRef,
    limit: Option<usize>,
    format: Arc<dyn TextFormat>,
    shown: error::Place,
}

impl Partition for TextPartition {
    fn open(&self, batch_rows: usize) -> SendableRecordBatchStream {
        if let [file] = self.files.as_slice() {
            return self.open_file(file.clone(), batch_rows);
        }
        let partition = self.clone();
        let files = futures::stream::iter(self.files.clone());
        let rows = files.flat_map(move |file| partition.open_file(file, batch_rows));
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))
    }
}

impl TextPartition {
    fn open_file(&self, file: SourceFile, batch_rows: usize) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), BATCHES_AHEAD);
        let (sender, chunks) = pipe(&file.meta);
        let (store, meta) = (self.place.store.clone(), file.meta);
        builder.spawn(async move {
            fetch(store, meta, sender).await;
            Ok(())
        });
        let format = self.format.clone();
        let shown = error::Place { file: Some(file.shown.clone()), ..self.shown.clone() };
        let task = Task { schema: self.schema.clone(), batch_rows, limit: self.limit };
        produce_with(builder, move |output| {
            decompressed(chunks, format.compression(), &file.shown)
                .and_then(|input| format.read(input, &task, &mut |batch| output.send(batch)))
                .map_err(|error| error.within(&shown))
        })
    }
}
