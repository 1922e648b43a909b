//! The plan's last node: seals chunks where the rows are, and yields one row per chunk.
//!
//! Every input partition writes on its own. The node holds words only; the store and the keys come from
//! the task's session ([`SealServices`]), so that a worker brings its own.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::chunk::{ChunkSpec, ChunkTarget, Written};
use super::error::SealError;
use super::router::{Router, Values};
use crate::event::{Event, Observer};
use crate::observe::{Watch, Watcher};

/// What the writing node takes from the session of the task it runs in.
pub struct SealServices {
    /// Where chunks go, and the keys.
    pub target: ChunkTarget,
    /// Who is told about rows.
    pub observer: Arc<dyn Observer>,
    /// Rows an earlier attempt has written, by input partition and partition values.
    pub written: BTreeMap<(usize, Vec<Option<String>>), u64>,
    /// Tests of the rows. The input's columns after the published ones are digests for them, which are
    /// not written.
    pub watch: Option<Arc<Watch>>,
}

/// A chunk that is complete in the store: one row of the node's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedChunk {
    /// The chunk's id.
    pub id: String,
    /// The input partition that wrote it.
    pub partition: usize,
    /// Its rows.
    pub rows: u64,
    /// Its bytes in the store.
    pub bytes: u64,
    /// The digest of those bytes.
    pub digest: String,
    /// Its values in the partition columns, as masked.
    pub values: Vec<Option<String>>,
}

/// Reads the node's output rows.
///
/// # Errors
/// [`SealError::NotSetUp`] when the batch is not the node's output.
pub fn decode_chunks(batch: &RecordBatch) -> Result<Vec<SealedChunk>, SealError> {
    let column = batch.columns().first().ok_or(SealError::NotSetUp)?;
    let texts = column.as_any().downcast_ref::<StringArray>().ok_or(SealError::NotSetUp)?;
    texts
        .iter()
        .flatten()
        .map(|text| serde_json::from_str(text).map_err(|_| SealError::NotSetUp))
        .collect()
}

/// Seals the rows of its input.
pub struct SealExec {
    input: Arc<dyn ExecutionPlan>,
    spec: ChunkSpec,
    properties: Arc<PlanProperties>,
    schema: SchemaRef,
}

impl SealExec {
    /// A node that writes `input`'s rows as `spec` says.
    pub fn new(input: Arc<dyn ExecutionPlan>, spec: ChunkSpec) -> Self {
        let schema = Arc::new(Schema::new(vec![Field::new("chunk", DataType::Utf8, false)]));
        let partitions = input.output_partitioning().partition_count();
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { input, spec, properties, schema }
    }
}

impl fmt::Debug for SealExec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SealExec")
            .field("export", &self.spec.export)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for SealExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SealExec: export={}, encryption={:?}, rows_max={}, partition_by={:?}",
            self.spec.export, self.spec.encryption, self.spec.rows_max, self.spec.partition_by
        )
    }
}

impl ExecutionPlan for SealExec {
    fn name(&self) -> &str {
        "SealExec"
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, self.spec.clone()))),
            _ => internal_err!("SealExec has one child"),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let services =
            context.session_config().get_extension::<SealServices>().ok_or(SealError::NotSetUp)?;
        let pool = Arc::clone(context.memory_pool());
        let memory = MemoryConsumer::new("open chunks").register(&pool);
        let input = self.input.execute(partition, context)?;
        let columns = partition_columns(&input.schema(), &self.spec)?;
        let skip = services
            .written
            .iter()
            .filter(|((of, _), _)| *of == partition)
            .map(|((_, values), rows)| (values.clone(), *rows))
            .collect();
        let router = Router::new(services.target.clone(), self.spec.clone(), columns, skip, memory);
        let work = Work {
            partition,
            schema: Arc::clone(&self.schema),
            export: self.spec.export.clone(),
            observer: Arc::clone(&services.observer),
            input,
            router: Some(router),
            watcher: services.watch.as_ref().map(Watch::watcher),
            done: VecDeque::new(),
        };
        let stream = futures::stream::try_unfold(work, |mut work| async move {
            let next = work.next().await?;
            Ok(next.map(|batch| (batch, work)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream)))
    }
}

fn partition_columns(schema: &SchemaRef, spec: &ChunkSpec) -> Result<Vec<usize>, SealError> {
    spec.partition_by
        .iter()
        .map(|name| schema.index_of(name).map_err(|_| SealError::NotSetUp))
        .collect()
}

/// The work of one partition.
struct Work {
    partition: usize,
    schema: SchemaRef,
    export: String,
    observer: Arc<dyn Observer>,
    input: SendableRecordBatchStream,
    router: Option<Router>,
    watcher: Option<Watcher>,
    done: VecDeque<(Values, Written)>,
}

impl Work {
    /// The next finished chunk as a row; `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((values, written)) = self.done.pop_front() {
                return Ok(Some(self.row(values, written)?));
            }
            let Some(mut router) = self.router.take() else { return Ok(None) };
            match self.input.next().await {
                Some(batch) => {
                    let mut batch = batch?;
                    if let Some(watcher) = &mut self.watcher {
                        batch = watcher.rows(&batch)?;
                    }
                    let rows = batch.num_rows() as u64;
                    self.done.extend(router.push(batch).await?);
                    self.router = Some(router);
                    self.observer.notice(&Event::RowsWritten { export: self.export.clone(), rows });
                }
                None => {
                    self.done.extend(router.finish().await?);
                    if let Some(watcher) = self.watcher.take() {
                        watcher.finish();
                    }
                }
            }
        }
    }

    fn row(&self, values: Values, written: Written) -> Result<RecordBatch> {
        let chunk = SealedChunk {
            id: written.id.to_string(),
            partition: self.partition,
            rows: written.rows,
            bytes: written.bytes,
            digest: written.digest,
            values,
        };
        let text = serde_json::to_string(&chunk).map_err(|_| SealError::NotSetUp)?;
        let column = StringArray::from(vec![text]);
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::new(column)])?)
    }
}
