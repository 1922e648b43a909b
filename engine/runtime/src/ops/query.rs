//! `query` and `show`: SQL over committed exports, read from their sealed chunks by range.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::parser::DFParser;
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::{Export, Project, identifier};
use futures::TryStreamExt;

use crate::bind::{BoundExport, Schemas};
use crate::codes::{commands, names, store as store_codes};
use crate::definition::Definition;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::heads::Heads;
use crate::keys::{self, Keys};
use crate::observe::handle_function;
use crate::request::Context;
use crate::session::read_only;
use crate::store::{self, Store, Stored};
use crate::unseal::{SnapshotTable, changed};
use crate::workspace::{self, Access};

/// The rows of an answer.
#[derive(Debug, Clone)]
pub struct QueryReport {
    /// Their schema.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// Answers one SELECT over the newest snapshots; each export is a table of its name. The compiled SQL of
/// an export, as `compile` writes it, is answered from the snapshot that was made from it: only a run, with its
/// gates and tests, reads sources.
///
/// # Errors
/// The SQL is refused, or a chunk or manifest is not what was committed.
pub async fn query(context: &Context, sql: &str) -> Outcome<QueryReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let export = compiled(context, &project, &keys, &store, sql).await?;
    let of_export = export.map(|export| format!("SELECT * FROM {}", identifier(&export)));
    let sql = of_export.as_deref().unwrap_or(sql);
    let heads = Heads::of(&context.root, &project.target.name.value);
    let session = workspace::new_session(workspace::limits(&project, context))?;
    session.register_udf(handles(&keys, &project));
    let mut found = Vec::new();
    for export in &project.exports {
        let name = &export.name.value;
        if mentions(sql, name) {
            found.extend(register(&heads, &session, &store, &keys, name).await?);
        }
    }
    answer(&session, sql, &store, found).await
}

/// The export whose compiled SQL this is; none where it is no export's.
///
/// # Errors
/// The newest snapshot was made from another definition: what the SQL says was never published.
async fn compiled(
    context: &Context,
    project: &Arc<Project>,
    keys: &Keys,
    store: &Store,
    sql: &str,
) -> Outcome<Option<String>> {
    let Some(asked) = canonical(sql) else { return Ok(None) };
    let reads =
        |export: &&Export| asked.iter().any(|one| one.contains(&export.from.value.quoted()));
    let near: BTreeSet<String> =
        project.exports.iter().filter(reads).map(|export| export.name.value.clone()).collect();
    if near.is_empty() {
        return Ok(None);
    }
    let access = Access::Opened(keys);
    let workspace =
        workspace::open(project, context, access, Schemas::Catalogs, Some(&near)).await?;
    let is_asked = |export: &&BoundExport| canonical(&export.sql).as_ref() == Some(&asked);
    let Some(export) = workspace.bound.exports.iter().find(is_asked) else { return Ok(None) };
    let file = keys.file_id(store.project(), &export.name)?;
    let head = store.head(file, &export.name, keys).await?;
    let head = head.ok_or_else(|| no_snapshot(&export.name))?;
    if head.manifest.inputs.plan == Definition::of(&workspace.bound, export).digest() {
        return Ok(Some(export.name.clone()));
    }
    let message = format!(
        "this is what `{}` would be, and its newest snapshot was made from another definition",
        export.name
    );
    Err(Diagnostic::new(&commands::QUERY_REFUSED, message)
        .help("publish it with `engine run`, whose gates and tests decide; nothing else reads the sources")
        .into())
}

/// SQL in one layout, without comments; none where it cannot be read.
fn canonical(sql: &str) -> Option<Vec<String>> {
    let statements = DFParser::parse_sql(sql).ok()?;
    Some(statements.iter().map(ToString::to_string).collect())
}

/// The function that gives the handles by which tests name rows.
fn handles(keys: &Keys, project: &Project) -> ScalarUDF {
    let (keys, name) = (keys.clone(), project.name.value.clone());
    let exports: BTreeSet<String> =
        project.exports.iter().map(|export| export.name.value.clone()).collect();
    handle_function(move |export| {
        exports.contains(export).then(|| keys.digest_key(&name, export).ok()).flatten()
    })
}

/// The first rows of an export.
///
/// # Errors
/// There is no such export or no snapshot of it, or it cannot be read.
pub async fn show(context: &Context, export: &str, limit: usize) -> Outcome<QueryReport> {
    let project = workspace::load(context)?;
    if project.export(export).is_none() {
        let known: Vec<&str> =
            project.exports.iter().map(|export| export.name.value.as_str()).collect();
        let nearest = engine_project::nearest(export, known.iter().copied());
        let meant = nearest.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        return Err(Diagnostic::new(
            &names::UNKNOWN_EXPORT,
            format!("there is no export `{export}`"),
        )
        .help(format!("{meant}the exports are: {}", known.join(", ")))
        .into());
    }
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let heads = Heads::of(&context.root, &project.target.name.value);
    let session = workspace::new_session(workspace::limits(&project, context))?;
    let table = register(&heads, &session, &store, &keys, export).await?;
    let table = table.ok_or_else(|| no_snapshot(export))?;
    let sql = format!("SELECT * FROM {} LIMIT {limit}", identifier(export));
    answer(&session, &sql, &store, vec![table]).await
}

/// The refusal of an export that was never committed.
pub fn no_snapshot(export: &str) -> Failure {
    Diagnostic::new(&store_codes::NO_SNAPSHOT, format!("`{export}` has no snapshot yet"))
        .help("publish it with `engine run`")
        .into()
}

/// Whether the text could name the table; opening every export for every query would be slow.
fn mentions(sql: &str, name: &str) -> bool {
    sql.contains(name)
}

/// A snapshot that a query may read.
struct Table {
    file: FileId,
    manifest: Manifest,
}

/// Registers the newest snapshot of an export, when there is one.
async fn register(
    heads: &Heads,
    session: &SessionContext,
    store: &Store,
    keys: &Keys,
    export: &str,
) -> Outcome<Option<Table>> {
    let file = keys.file_id(store.project(), export)?;
    let seen = heads.seen(file);
    let head = store.head(file, export, keys).await?;
    seen.check(export, head.as_ref())?;
    let Some(Stored { manifest, .. }) = head else { return Ok(None) };
    let refused = |error| Failure::from(fault::running(&error, export));
    let keys = Arc::new(keys.clone());
    let table = SnapshotTable::open(session, store.objects(), file, &manifest, keys)
        .await
        .map_err(refused)?;
    session.register_table(export, Arc::new(table)).map_err(refused)?;
    Ok(Some(Table { file, manifest }))
}

async fn answer(
    session: &SessionContext,
    sql: &str,
    store: &Store,
    tables: Vec<Table>,
) -> Outcome<QueryReport> {
    let frame = session.sql_with_options(sql, read_only()).await.map_err(|error| {
        let words = fault::planning_text(&error);
        let names: Vec<&str> = tables.iter().map(|table| table.manifest.export.as_str()).collect();
        let tables = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Diagnostic::new(&commands::QUERY_REFUSED, format!("the query is refused: {words}"))
            .help(format!("one SELECT over committed exports; those it names: {tables}"))
    })?;
    let schema = Arc::clone(frame.schema().inner());
    let refused = |error| Failure::from(fault::running(&error, "query"));
    let mut rows = frame.execute_stream().await.map_err(refused)?;
    for Table { file, manifest } in tables {
        rows = changed::explained(rows, Arc::clone(store.objects()), file, manifest);
    }
    // The answer is held in memory, within the limit that sorts and joins have.
    let pool = &session.runtime_env().memory_pool;
    let held = MemoryConsumer::new("the answer").register(pool);
    let mut batches = Vec::new();
    while let Some(batch) = rows.try_next().await.map_err(refused)? {
        held.try_grow(batch.get_array_memory_size()).map_err(refused)?;
        batches.push(batch);
    }
    Ok(QueryReport { schema, batches })
}
