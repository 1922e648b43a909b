//! `history`: the operations on record.

use chrono::{DateTime, Utc};
use engine_tracking::runs::{Filter, Operation};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::keys;
use crate::records::Records;
use crate::request::Context;
use crate::store;
use crate::workspace;

/// The operations that the filter lets through, newest first, at most so many.
///
/// # Errors
/// The project, the keys or the store cannot be opened, or a record was changed.
pub async fn history(
    context: &Context,
    filter: &Filter,
    count_max: usize,
) -> Outcome<Vec<Operation>> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let known = Records::of(context, &store, &keys)?.known().await?;
    // No event is looked at.
    let overview = known.overview(DateTime::<Utc>::MAX_UTC, 0)?;
    let newest = overview.newest(filter, count_max);
    Ok(newest.map_err(|error| Diagnostic::new(&run::INTERNAL, error.to_string()))?)
}
