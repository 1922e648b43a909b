//! `history`: the operations on record, and what became of one row.

use chrono::{DateTime, Utc};
use engine_project::{Project, nearest};
use engine_tracking::runs::{Filter, Operation, ScriptType};

use crate::codes::{run, tracking};
use crate::diagnostic::{Diagnostic, Outcome};
use crate::heads::Heads;
use crate::history::{Asked, Layout, RowHistory, Shelf, of_key};
use crate::keys;
use crate::operation::{self, Scene, Told};
use crate::records::Records;
use crate::request::Context;
use crate::store;
use crate::tenant::scope;
use crate::workspace;

/// The operations that the filter lets through, newest first, at most so many: of one tenant, those of commands that
/// were bound to it.
///
/// # Errors
/// The project, the keys or the store cannot be opened, or a record was changed.
pub async fn history(
    context: &Context,
    filter: &Filter,
    tenant: Option<&str>,
    count_max: usize,
) -> Outcome<Vec<Operation>> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let known = Records::of(context, &store, &keys)?.known().await?;
    // No event is looked at.
    let overview = known.overview(&scope(tenant), DateTime::<Utc>::MAX_UTC, 0)?;
    let newest = overview.newest(filter, count_max);
    Ok(newest.map_err(|error| Diagnostic::new(&run::INTERNAL, error.to_string()))?)
}

/// The versions of one key of a history, with what each changed.
///
/// # Errors
/// There is no such history or key, the keys or the store cannot be opened, or a chunk was changed.
pub async fn rows(
    context: &Context,
    history: &str,
    key: &[String],
    asked: &Asked,
) -> Outcome<RowHistory> {
    let project = workspace::load(context)?;
    let layout = layout(&project, history)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?.bound(asked.tenant.as_deref())?;
    let heads = Heads::of(&context.root, &project.target.name.value);
    let work = async {
        let session = workspace::new_session(workspace::limits(&project, context))?;
        let shelf = Shelf { store: &store, keys: &keys, heads: &heads };
        of_key(&session, &shelf, &layout, key, asked).await
    };
    let objects = operation::exports([layout.export.as_str()]);
    scene.recorded(ScriptType::QUERY, objects, work, |_| Told::default()).await
}

fn layout(project: &Project, name: &str) -> Outcome<Layout> {
    if let Some(history) = project.tracking.history(name) {
        return Ok(Layout::of(history));
    }
    let known = project.tracking.histories.iter().map(|history| history.name.value.as_str());
    let meant = nearest(name, known.clone());
    let meant = meant.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let known: Vec<&str> = known.collect();
    let there = match known.is_empty() {
        true => "the project keeps none: declare one under `tracking: history:`".to_owned(),
        false => format!("the histories are: {}", known.join(", ")),
    };
    let message = format!("there is no history `{name}`");
    Err(Diagnostic::new(&tracking::UNKNOWN_HISTORY, message).help(format!("{meant}{there}")).into())
}
