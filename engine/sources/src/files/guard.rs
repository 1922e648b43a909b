//! A scan whose library fails on damaged files: what it says, or that it gives up, becomes an
//! error that names the file.
//!
//! ```text
//!  guarded scan ◀── batches ── DataSourceExec ◀── Parquet, Arrow IPC
//!       └ projections stay above, so an error from below is one of reading
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use crate::error::{Place, SourceError, SourceErrorKind, source_error};

/// The node.
#[derive(Debug)]
pub(crate) struct GuardedScan {
    input: Arc<dyn ExecutionPlan>,
    place: Place,
}

impl GuardedScan {
    /// A guard over the scan of a table at `place`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, place: Place) -> Self {
        Self { input, place }
    }

    /// Where a partition reads: with the file, when it is one.
    fn place_of(&self, partition: usize) -> Place {
        // The optimiser may have put nodes of its own on top.
        let mut node = &self.input;
        while let [child] = node.children().as_slice() {
            node = child;
        }
        let scan = node.downcast_ref::<DataSourceExec>();
        let config = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
        let groups = config.map(|config| config.file_groups.as_slice()).unwrap_or_default();
        // Streams may share one group; a large file may be read in several ranges.
        let own = groups.get(partition).map_or(groups, std::slice::from_ref);
        let files = own.iter().flat_map(FileGroup::iter);
        let names: BTreeSet<&str> =
            files.filter_map(|file| file.object_meta.location.filename()).collect();
        let mut names = names.into_iter();
        let file = match (names.next(), names.next()) {
            (Some(name), None) => Some(name.to_owned()),
            _ => None,
        };
        Place { file, ..self.place.clone() }
    }
}

impl DisplayAs for GuardedScan {
    fn fmt_as(&self, _type: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardedScan")
    }
}

impl ExecutionPlan for GuardedScan {
    fn name(&self) -> &'static str {
        "GuardedScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self { input, place: self.place.clone() })),
            _ => internal_err!("a guarded scan has one child"),
        }
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        FilterDescription::from_children(filters, &self.children())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let place = self.place_of(partition);
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        // After a panic the stream is not touched again, so nothing half done is seen.
        let guarded = AssertUnwindSafe(input).catch_unwind();
        let batches = guarded.scan(false, move |ended, item| {
            let item = match item {
                _ if *ended => None,
                Ok(Ok(batch)) => Some(Ok(batch)),
                Ok(Err(error)) => Some(Err(explained(error, &place))),
                Err(_) => Some(Err(damaged(&place))),
            };
            *ended = matches!(item, Some(Err(_)));
            futures::future::ready(item)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches.fuse())))
    }
}

fn damaged(place: &Place) -> DataFusionError {
    let what = "the file is damaged, or was cut short".to_owned();
    SourceError::new(SourceErrorKind::Malformed { what }).within(place).into()
}

/// An error of decoding as one of the file; others, such as of a filter that is evaluated while
/// reading, as they are.
fn explained(error: DataFusionError, place: &Place) -> DataFusionError {
    if source_error(&error).is_some() {
        return error;
    }
    let is_decoding = match error.find_root() {
        DataFusionError::ParquetError(_) | DataFusionError::IoError(_) => true,
        DataFusionError::ArrowError(error, _) => !matches!(
            **error,
            ArrowError::CastError(_)
                | ArrowError::ComputeError(_)
                | ArrowError::DivideByZero
                | ArrowError::ArithmeticOverflow(_)
                | ArrowError::MemoryError(_)
        ),
        _ => false,
    };
    if is_decoding { damaged(place) } else { error }
}
