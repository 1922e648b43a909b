//! `load`: the newest snapshot of an export into a database, now.

use std::collections::BTreeSet;

use std::sync::Arc;

use engine_project::{Load, LoadMode, Project};
use engine_tracking::runs::{ScriptType, Volume};

use crate::bind::Schemas;
use crate::codes::{names, tracking};
use crate::datasets::Datasets;
use crate::delivery::Deliverer;
use crate::diagnostic::{Diagnostic, Outcome};
use crate::heads::Heads;
use crate::keys::{self, Keys};
use crate::operation::{self, Scene, Told};
use crate::ops::query::no_snapshot;
use crate::report::LoadDone;
use crate::request::Context;
use crate::store::{self, Store};
use crate::workspace::{self, Access};

/// Loads the newest snapshot of `export` into `connection`: the table and mode that its `load:` names for
/// the connection, or a table of the export's name, replaced. Of one tenant, its rows only.
///
/// # Errors
/// Unknown names, no snapshot, a chunk that cannot be read, or what the database refuses.
pub async fn load(
    context: &Context,
    export: &str,
    connection: &str,
    tenant: Option<&str>,
) -> Outcome<Vec<LoadDone>> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?.bound(tenant)?;
    let work = loaded(context, &project, (&keys, &store, &scene), export, (connection, tenant));
    scene.recorded(ScriptType::LOAD, operation::exports([export]), work, |done| written(done)).await
}

/// The rows that a database has now.
fn written(done: &[LoadDone]) -> Told {
    let rows = done.iter().map(|load| load.rows).fold(0, u64::saturating_add);
    let volume = Volume { rows_read: rows, rows_written: rows, ..Volume::default() };
    Told { volume, ..Told::default() }
}

async fn loaded(
    context: &Context,
    project: &Arc<Project>,
    (keys, store, scene): (&Keys, &Store, &Scene<'_>),
    export: &str,
    (connection, tenant): (&str, Option<&str>),
) -> Outcome<Vec<LoadDone>> {
    let access = Access::Opened(keys);
    let only = BTreeSet::from([export.to_owned()]);
    let schemas = Schemas::Catalogs;
    let workspace = workspace::open(project, context, access, schemas, Some(&only)).await?;
    let Some(bound) = workspace.bound.export(export) else {
        let message = format!("there is no export `{export}`");
        return Err(Diagnostic::new(&names::UNKNOWN_EXPORT, message).into());
    };
    let Some(declared) = project.target.connections.get(connection) else {
        let known: Vec<&str> = project.target.connections.keys().map(String::as_str).collect();
        let message = format!("there is no connection `{connection}`");
        return Err(Diagnostic::new(&names::UNKNOWN_CONNECTION, message)
            .help(format!("the connections are: {}", known.join(", ")))
            .into());
    };
    let mut loads: Vec<Load> =
        bound.loads.iter().filter(|load| load.connection.value == connection).cloned().collect();
    if tenant.is_some() && !loads.is_empty() {
        let message =
            format!("`{export}` is loaded into `{connection}` by every run, for all tenants");
        return Err(Diagnostic::new(&tracking::TENANT_REFUSED, message)
            .help("load a tenant's rows into a connection that is not under `load:` of the export")
            .into());
    }
    if loads.is_empty() {
        loads.push(Load {
            connection: declared.name.clone(),
            table: engine_project::Spanned::new(export.to_owned(), declared.name.at),
            mode: LoadMode::Replace,
            at: declared.name.at,
        });
    }
    let tables = loads.iter().map(|load| load.table.value.as_str());
    scene.outward().bound(Datasets::of_load(project, bound, connection, tables)).await;
    let file = keys.file_id(store.project(), export)?;
    let seen = Heads::of(&context.root, &project.target.name.value).seen(file);
    let tip = store.tip(file, export, keys).await?;
    seen.check(export, &tip)?;
    let head = tip.readable().ok_or_else(|| no_snapshot(export))?;
    let observer = &*context.observer;
    let deliverer = Deliverer { observer, workspace: &workspace, store, keys, tenant };
    let mut done = Vec::new();
    for load in &loads {
        let report = deliverer
            .load_one(bound, file, load, &head)
            .await
            .map_err(|failure| failure.with_files(&workspace.bound.files))?;
        done.push(LoadDone {
            connection: connection.to_owned(),
            table: load.table.value.clone(),
            rows: report.rows,
        });
    }
    Ok(done)
}
