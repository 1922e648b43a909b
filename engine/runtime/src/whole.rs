//! Masks that must have seen a whole column before the first row is masked: they see it here.
//!
//! ```text
//!  SELECT column, others FROM … WHERE …  ──batches──▶ Collect ──▶ Mask ──▶ the resolver, for the run that follows
//! ```
//!
//! What is held counts against the limit of memory that sorts and joins have; nothing is spilled.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::execute_stream;
use engine_masking::{Collect, MaskError};
use engine_project::identifier;
use futures::TryStreamExt;

use crate::bind::{AppliedMask, BoundColumn, BoundExport};
use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::session::read_only;
use crate::workspace::Workspace;

/// Lets every such mask of an export see its column, and gives what holds the memory of them. The rows are read
/// once more for each.
///
/// # Errors
/// They cannot be read, do not fit into memory, or are not told apart by what identifies them.
pub async fn seen(workspace: &Workspace, export: &BoundExport) -> Outcome<Vec<MemoryReservation>> {
    let mut held = Vec::new();
    for column in &export.columns {
        for mask in column.treatment.masks() {
            if let Some(collect) = collector(workspace, column, mask)? {
                let (all, memory) = collected(workspace, export, column, mask, collect).await?;
                held.push(memory);
                let dealt = all.finish().map_err(|error| refused(export, column, &error))?;
                workspace.resolver.saw(mask.function, &mask.spec, dealt);
            }
        }
    }
    Ok(held)
}

fn collector(
    workspace: &Workspace,
    column: &BoundColumn,
    mask: &AppliedMask,
) -> Outcome<Option<Box<dyn Collect>>> {
    let is_whole = engine_masking::WHOLE.iter().any(|function| function.name() == mask.function);
    let Some(function) = engine_masking::find(mask.function).filter(|_| is_whole) else {
        return Ok(None);
    };
    let others = mask.others.iter().map(Arc::clone);
    let fields: Vec<_> = std::iter::once(Arc::clone(&column.input)).chain(others).collect();
    let bound = workspace.resolver.describe(function, &mask.spec, &fields);
    let bound = bound.map_err(|error| {
        let message = format!("a mask of `{}` cannot be bound: {error}", column.name);
        Diagnostic::new(&run::MASK_FAILED, message)
    })?;
    Ok(bound.collect())
}

async fn collected(
    workspace: &Workspace,
    export: &BoundExport,
    column: &BoundColumn,
    mask: &AppliedMask,
    mut all: Box<dyn Collect>,
) -> Outcome<(Box<dyn Collect>, MemoryReservation)> {
    let failed = |error| Failure::from(fault::running(&error, &export.name));
    let session = &workspace.session;
    let frame = session.sql_with_options(&sql(export, column, mask), read_only()).await;
    let frame = frame.map_err(failed)?;
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.map_err(failed)?;
    let mut rows = execute_stream(plan, task).map_err(failed)?;
    let held = MemoryConsumer::new("a shuffled column");
    let held = held.register(&session.runtime_env().memory_pool);
    while let Some(batch) = rows.try_next().await.map_err(failed)? {
        let Some((values, others)) = batch.columns().split_first() else { continue };
        let others: Vec<ArrayRef> = others.to_vec();
        all.push(values, &others).map_err(|error| refused(export, column, &error))?;
        held.try_resize(all.bytes()).map_err(failed)?;
    }
    Ok((all, held))
}

/// The column and the others that its mask reads, of the rows that the export has.
fn sql(export: &BoundExport, column: &BoundColumn, mask: &AppliedMask) -> String {
    let names = std::iter::once(&column.name).chain(&mask.inputs);
    // One column may be read twice.
    let named = names.enumerate().map(|(place, name)| format!("{} AS c{place}", identifier(name)));
    let columns: Vec<String> = named.collect();
    let filter = export.filter.as_ref().map(|filter| format!(" WHERE {}", filter.sql));
    let from = export.from.quoted();
    format!("SELECT {} FROM {from}{}", columns.join(", "), filter.unwrap_or_default())
}

fn refused(export: &BoundExport, column: &BoundColumn, error: &MaskError) -> Diagnostic {
    let message = format!("`{}.{}` cannot be shuffled: {error}", export.name, column.name);
    let help = match error {
        MaskError::NotUnique { .. } => {
            "name columns in `by` that identify a row; nothing was published"
        }
        _ => "look at the column and its mask; nothing was published",
    };
    Diagnostic::new(&run::MASK_FAILED, message).help(help)
}
