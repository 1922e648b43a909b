//! `history`: the operations on record.

use engine_tracking::runs::{Filter, Operation, Record, Scope, fold};

use crate::diagnostic::Outcome;
use crate::keys;
use crate::records::Records;
use crate::request::Context;
use crate::store;
use crate::workspace;

/// The operations that the filter lets through, newest first.
///
/// # Errors
/// The project, the keys or the store cannot be opened, or a record was changed.
pub async fn history(context: &Context, filter: &Filter) -> Outcome<Vec<Operation>> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let lines = Records::of(context, &store, &keys)?.lines().await?;
    let records: Vec<Record> = lines.iter().map(|line| line.record().clone()).collect();
    let mut operations = fold(&records, &Scope::All).operations;
    operations.retain(|operation| filter.matches(operation));
    operations.sort_by_key(|operation| std::cmp::Reverse((operation.started, operation.id)));
    Ok(operations)
}
