//! `query` and `show`: SQL over committed exports, read from their sealed chunks by range.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::DFParser;
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::{Project, Relation, identifier};
use engine_tracking::runs::{ScriptType, Volume};
use futures::TryStreamExt;

use crate::bind::{BoundExport, BoundProject, Schemas};
use crate::codes::{commands, names, store as store_codes};
use crate::definition::Definition;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::execute;
use crate::fault;
use crate::heads::Heads;
use crate::keys::{self, Keys};
use crate::observe::handle_function;
use crate::operation::{self, Scene, Told};
use crate::record_tables;
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
    /// The export whose snapshot answers compiled SQL.
    pub published: Option<String>,
    /// Exports that were read.
    pub exports: Vec<String>,
    /// Rows that their chunks handed to the plan.
    pub rows_read: u64,
}

/// Answers one SELECT over the newest snapshots; each export is a table of its name. The compiled SQL of
/// an export or model, as `compile` writes it, is answered as it was published, from the snapshot of the export: only a
/// run, with its gates and tests, reads sources.
///
/// # Errors
/// The SQL is refused, or a chunk or manifest is not what was committed.
pub async fn query(context: &Context, sql: &str) -> Outcome<QueryReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?;
    let work = answered(context, &project, &keys, &store, sql);
    scene.recorded(ScriptType::QUERY, Vec::new(), work, told).await
}

/// What of an answer goes on record: what was read, and nothing of what was asked.
fn told(report: &QueryReport) -> Told {
    Told {
        objects: operation::exports(report.exports.iter().map(String::as_str)),
        volume: Volume { rows_read: report.rows_read, ..Volume::default() },
        ..Told::default()
    }
}

async fn answered(
    context: &Context,
    project: &Arc<Project>,
    keys: &Keys,
    store: &Store,
    sql: &str,
) -> Outcome<QueryReport> {
    let published = compiled(context, project, keys, store, sql).await?;
    let of_export = published.as_ref().map(|name| format!("SELECT * FROM {}", identifier(name)));
    let sql = of_export.as_deref().unwrap_or(sql);
    let heads = Heads::of(&context.root, &project.target.name.value);
    let session = workspace::new_session(workspace::limits(project, context))?;
    session.register_udf(handles(keys, project));
    record_tables::register(context, &session, store, keys, sql).await?;
    let mut found = Vec::new();
    for export in &project.exports {
        let name = &export.name.value;
        if mentions(sql, name) {
            found.extend(register(&heads, &session, store, keys, name).await?);
        }
    }
    let answered = answer(&session, sql, store, found).await?;
    Ok(QueryReport { published, ..answered })
}

/// The export that answers compiled SQL; none where it is no node's.
///
/// # Errors
/// The newest snapshot was made from another definition, or no export publishes the model: what the SQL says
/// was never published.
async fn compiled(
    context: &Context,
    project: &Arc<Project>,
    keys: &Keys,
    store: &Store,
    sql: &str,
) -> Outcome<Option<String>> {
    let Some(asked) = canonical(sql) else { return Ok(None) };
    // What was compiled names where it reads; exports have one name.
    if !names_a_source(project, &asked) {
        return Ok(None);
    }
    let access = Access::Opened(keys);
    let workspace = workspace::open(project, context, access, Schemas::Catalogs, None).await?;
    let Some(export) = answering(&workspace.bound, &asked)? else { return Ok(None) };
    let file = keys.file_id(store.project(), &export.name)?;
    let head = store.tip(file, &export.name, keys).await?.readable();
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

/// Whether SQL names a table of a source, or a model, as compiled SQL does.
fn names_a_source(project: &Project, asked: &[String]) -> bool {
    let tables = project.sources.iter().flat_map(|source| {
        source.tables.iter().map(|table| Relation::Table {
            source: source.name.value.clone(),
            table: table.name.value.clone(),
        })
    });
    let models =
        project.models.iter().map(|model| Relation::Model { name: model.name.value.clone() });
    let mut names = tables.chain(models).map(|relation| relation.quoted());
    names.any(|name| asked.iter().any(|one| one.contains(&name)))
}

/// The export whose compiled SQL this is, or that publishes the model whose compiled SQL it is: one without a
/// filter before others.
fn answering<'b>(bound: &'b BoundProject, asked: &[String]) -> Outcome<Option<&'b BoundExport>> {
    let is_asked = |sql: &str| canonical(sql).is_some_and(|sql| sql == asked);
    if let Some(export) = bound.exports.iter().find(|export| is_asked(&export.sql)) {
        return Ok(Some(export));
    }
    let Some(name) =
        bound.models.iter().find(|(_, model)| is_asked(&model.sql)).map(|(name, _)| name)
    else {
        return Ok(None);
    };
    let model = Relation::Model { name: name.clone() };
    let publishing = bound.exports.iter().filter(|export| export.from == model);
    let Some(export) = publishing.min_by_key(|export| export.filter.is_some()) else {
        let message = format!("no export publishes the model `{name}`, so nothing of it is masked");
        return Err(Diagnostic::new(&commands::QUERY_REFUSED, message)
            .help("publish it with an export: only what a run has masked is answered")
            .into());
    };
    Ok(Some(export))
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
    let scene = Scene::of(context, &project, &keys, &store)?;
    let work = async {
        let heads = Heads::of(&context.root, &project.target.name.value);
        let session = workspace::new_session(workspace::limits(&project, context))?;
        let table = register(&heads, &session, &store, &keys, export).await?;
        let table = table.ok_or_else(|| no_snapshot(export))?;
        let sql = format!("SELECT * FROM {} LIMIT {limit}", identifier(export));
        answer(&session, &sql, &store, vec![table]).await
    };
    scene.recorded(ScriptType::SHOW, operation::exports([export]), work, told).await
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
    let tip = store.tip(file, export, keys).await?;
    seen.check(export, tip.known())?;
    let Some(Stored { manifest, .. }) = tip.readable() else { return Ok(None) };
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
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.map_err(refused)?;
    let mut rows = execute_stream(Arc::clone(&plan), task).map_err(refused)?;
    let exports = tables.iter().map(|table| table.manifest.export.clone()).collect();
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
    let rows_read = execute::rows_read(&plan);
    Ok(QueryReport { schema, batches, published: None, exports, rows_read })
}
