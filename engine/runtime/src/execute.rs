//! Writes the chunks of one export: the plan, the sealing node on top, every partition at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::fault;
use crate::seal::{ChunkSpec, SealExec, SealServices, SealedChunk, decode_chunks};

/// Nodes that give the same rows in the same order each time, given the same files.
const ORDERED_NODES: &[&str] = &[
    "DataSourceExec",
    "FilterExec",
    "ProjectionExec",
    "CooperativeExec",
    "CoalesceBatchesExec",
    "SourceScan",
    "GuardedScan",
];

/// Nodes that read rows from where they lie.
const SCANS: &[&str] = &["DataSourceExec", "SourceScan"];

/// The node above the rows of one tenant: what is below it is of others, too, and is not counted.
pub const FENCE: &str = "FenceExec";

/// A physical plan that is ready to write.
pub struct Writing {
    plan: Arc<dyn ExecutionPlan>,
    partitions: usize,
    resumable: bool,
}

/// Rows that an earlier attempt wrote, by partition and partition values.
pub type WrittenRows = BTreeMap<(usize, Vec<Option<String>>), u64>;

/// Makes the physical plan of an export.
///
/// # Errors
/// The plan cannot be made, which the logical plan did not show.
pub async fn prepare(
    session: &SessionContext,
    plan: &LogicalPlan,
    spec: &ChunkSpec,
) -> Outcome<Writing> {
    let physical = session
        .state()
        .create_physical_plan(plan)
        .await
        .map_err(|error| fault::running(&error, &spec.export))?;
    let resumable = is_ordered(&physical);
    let physical = if resumable {
        split_scans(session, physical).map_err(|error| fault::running(&error, &spec.export))?
    } else {
        physical
    };
    let partitions = physical.output_partitioning().partition_count();
    let plan = Arc::new(SealExec::new(physical, spec.clone()));
    Ok(Writing { plan, partitions, resumable })
}

/// Divides large files among the streams. DataFusion does so only together with round-robin exchanges,
/// which would let rows change streams from run to run.
fn split_scans(
    session: &SessionContext,
    plan: Arc<dyn ExecutionPlan>,
) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
    let state = session.state();
    let config = state.config_options();
    let streams = config.execution.target_partitions;
    let split = plan.transform_up(|node| {
        if node.children().is_empty()
            && let Some(divided) = node.repartitioned(streams, config)?
        {
            return Ok(Transformed::yes(divided));
        }
        Ok(Transformed::no(node))
    });
    Ok(split?.data)
}

/// Rows that the scans of a plan have given: of files after what the scan itself filters, of other sources as
/// they were delivered, of what is bound to a tenant its own.
pub fn rows_read(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let given = || plan.metrics().and_then(|metrics| metrics.output_rows()).unwrap_or(0);
    if plan.name() == FENCE {
        return given() as u64;
    }
    let own = if SCANS.contains(&plan.name()) { given() } else { 0 };
    let children = plan.children().into_iter().map(rows_read);
    children.fold(own as u64, u64::saturating_add)
}

fn is_ordered(plan: &Arc<dyn ExecutionPlan>) -> bool {
    ORDERED_NODES.contains(&plan.name()) && plan.children().into_iter().all(is_ordered)
}

impl Writing {
    /// Streams that write at once.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Whether a second attempt sees the same rows in the same order.
    pub fn resumable(&self) -> bool {
        self.resumable
    }

    /// Rows that sources have handed to the plan so far.
    pub fn rows_read(&self) -> u64 {
        rows_read(&self.plan)
    }

    /// The plan as text.
    pub fn display(&self) -> String {
        let plan: &dyn ExecutionPlan = &*self.plan;
        datafusion::physical_plan::displayable(plan).indent(false).to_string()
    }

    /// Writes everything. `chunk` is told of each chunk as it completes. Gives the chunks by partition,
    /// in the order of their rows.
    ///
    /// # Errors
    /// The first failure; other partitions are stopped.
    pub async fn write(
        &self,
        session: &SessionContext,
        services: SealServices,
        chunk: &mut (dyn FnMut(&SealedChunk) -> Outcome<()> + Send),
        export: &str,
    ) -> Outcome<Vec<SealedChunk>> {
        let mut state = session.state();
        state.config_mut().set_extension(Arc::new(services));
        let task = Arc::new(TaskContext::from(&state));
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<SealedChunk>(64);
        let mut tasks = JoinSet::new();
        for partition in 0..self.partitions {
            let plan = Arc::clone(&self.plan);
            let task = Arc::clone(&task);
            let sender = sender.clone();
            let name = export.to_owned();
            tasks.spawn(async move { drive(plan, partition, task, sender, &name).await });
        }
        drop(sender);
        let mut chunks = Vec::new();
        loop {
            tokio::select! {
                biased;
                received = receiver.recv() => match received {
                    Some(done) => {
                        chunk(&done)?;
                        chunks.push(done);
                    }
                    None => break,
                },
                Some(joined) = tasks.join_next() => finish(joined, export)?,
            }
        }
        while let Some(joined) = tasks.join_next().await {
            finish(joined, export)?;
        }
        // Stable: the order within a partition is the order of its rows.
        chunks.sort_by_key(|done| done.partition);
        Ok(chunks)
    }
}

fn finish(joined: Result<Outcome<()>, tokio::task::JoinError>, export: &str) -> Outcome<()> {
    // The payload of a panic may hold data: it is dropped unread.
    joined.map_err(|_| {
        Diagnostic::new(&run::INTERNAL, format!("a stream of `{export}` stopped unexpectedly"))
    })?
}

async fn drive(
    plan: Arc<dyn ExecutionPlan>,
    partition: usize,
    task: Arc<TaskContext>,
    sender: tokio::sync::mpsc::Sender<SealedChunk>,
    export: &str,
) -> Outcome<()> {
    let refused = |error| fault::running(&error, export);
    let mut stream = plan.execute(partition, task).map_err(refused)?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(refused)?;
        for chunk in decode_chunks(&batch).map_err(|error| error.diagnostic())? {
            if sender.send(chunk).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
