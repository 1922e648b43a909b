//! `query` and `show`: SQL over committed exports, read from their sealed chunks by range.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::DFParser;
use engine_bundle::ids::FileId;
use engine_bundle::manifest::Manifest;
use engine_project::{Project, Relation, identifier};
use engine_tracking::runs::{ScriptType, Volume};
use futures::TryStreamExt;

use crate::bind::{BoundExport, BoundProject, Schemas};
use crate::codes::{commands, names, store as store_codes, tracking};
use crate::definition::Definition;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::execute;
use crate::fault;
use crate::heads::Heads;
use crate::history::{Asked, Bound, Layout, Shelf};
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
pub async fn query(context: &Context, sql: &str, asked: &Asked) -> Outcome<QueryReport> {
    let project = workspace::load(context)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?.bound(asked.tenant.as_deref())?;
    let work = answered(context, &project, &keys, &store, sql, asked);
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
    asked: &Asked,
) -> Outcome<QueryReport> {
    let published = compiled(context, project, keys, store, sql).await?;
    let of_export = published.as_ref().map(|name| format!("SELECT * FROM {}", identifier(name)));
    let sql = of_export.as_deref().unwrap_or(sql);
    let heads = Heads::of(&context.root, &project.target.name.value);
    let session = workspace::new_session(workspace::limits(project, context))?;
    session.register_udf(handles(keys, project));
    record_tables::register(context, &session, (store, keys), sql, asked.tenant.as_deref()).await?;
    let mut tables = Tables::new(&heads, &session, store, keys, asked);
    tables.register(project, |name| mentions(sql, name)).await?;
    let answered = tables.answer(sql).await?;
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
pub async fn show(
    context: &Context,
    export: &str,
    limit: usize,
    asked: &Asked,
) -> Outcome<QueryReport> {
    let project = workspace::load(context)?;
    known_export(&project, export)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let scene = Scene::of(context, &project, &keys, &store)?.bound(asked.tenant.as_deref())?;
    let work = async {
        let heads = Heads::of(&context.root, &project.target.name.value);
        let session = workspace::new_session(workspace::limits(&project, context))?;
        let mut tables = Tables::new(&heads, &session, &store, &keys, asked);
        tables.register(&project, |name| name == export).await?;
        if !tables.knows(export) {
            return Err(no_snapshot(export));
        }
        tables.answer(&format!("SELECT * FROM {} LIMIT {limit}", identifier(export))).await
    };
    scene.recorded(ScriptType::SHOW, operation::exports([export]), work, told).await
}

/// Refuses the name of no export.
pub(super) fn known_export(project: &Project, export: &str) -> Outcome<()> {
    if project.export(export).is_some() {
        return Ok(());
    }
    let known: Vec<&str> =
        project.exports.iter().map(|export| export.name.value.as_str()).collect();
    let nearest = engine_project::nearest(export, known.iter().copied());
    let meant = nearest.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(Diagnostic::new(&names::UNKNOWN_EXPORT, format!("there is no export `{export}`"))
        .help(format!("{meant}the exports are: {}", known.join(", ")))
        .into())
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

/// The tables that a query may read.
pub(super) struct Tables<'a> {
    bound: Bound<'a>,
    /// What stands behind them, to name a chunk that was changed.
    found: Vec<(FileId, Manifest)>,
    /// Their names, for who named another.
    names: Vec<String>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(
        heads: &'a Heads,
        session: &'a SessionContext,
        store: &'a Store,
        keys: &'a Keys,
        asked: &'a Asked,
    ) -> Self {
        let shelf = Shelf { store, keys, heads };
        let bound = Bound { session, asked, shelf, withheld: BTreeMap::new() };
        Self { bound, found: Vec::new(), names: Vec::new() }
    }

    /// Registers what is wanted: exports as they are now or, of a moment, from their histories.
    pub(super) async fn register(
        &mut self,
        project: &Project,
        wanted: impl Fn(&str) -> bool,
    ) -> Outcome<()> {
        let of_moment = self.bound.asked.as_of.is_some();
        let mut tracked = BTreeSet::new();
        for layout in Layout::all(project) {
            let answers = of_moment && !tracked.contains(&layout.export) && wanted(&layout.export);
            if !answers && !wanted(&layout.name) {
                continue;
            }
            let snapshots = self.bound.history(&layout).await?;
            if snapshots.is_empty() {
                continue;
            }
            self.names.push(layout.name.clone());
            self.found.extend(snapshots);
            if of_moment && tracked.insert(layout.export.clone()) {
                self.bound.withheld.remove(&layout.export);
                self.names.push(layout.export);
            }
        }
        for export in &project.exports {
            let name = &export.name.value;
            if tracked.contains(name) || !wanted(name) {
                continue;
            }
            if of_moment {
                if self.bound.withheld.contains_key(name) {
                    continue;
                }
                let message = format!("export `{name}` has no history");
                let finding = Diagnostic::new(&tracking::NOT_TRACKED, message).help(
                    "ask without --as-of, or keep a history of it under `tracking: history:`",
                );
                self.bound.withheld.insert(name.clone(), finding);
                continue;
            }
            self.export(name, project.tenant_of(name)).await?;
        }
        Ok(())
    }

    /// Registers the newest snapshot of an export, when there is one.
    async fn export(&mut self, export: &str, tenant: Option<&str>) -> Outcome<()> {
        let Shelf { store, keys, heads } = self.bound.shelf;
        let file = keys.file_id(store.project(), export)?;
        let seen = heads.seen(file);
        let tip = store.tip(file, export, keys).await?;
        seen.check(export, &tip)?;
        let Some(Stored { manifest, .. }) = tip.readable() else { return Ok(()) };
        let keys = Arc::new(keys.clone());
        let table = SnapshotTable::open(self.bound.session, store.objects(), file, &manifest, keys);
        let table = table.await.map_err(|error| fault::running(&error, export))?;
        self.bound.export(export, tenant, table)?;
        self.names.push(export.to_owned());
        self.found.push((file, manifest));
        Ok(())
    }

    /// The manifest of an export that is registered.
    pub(super) fn manifest(&self, export: &str) -> Option<&Manifest> {
        self.found.iter().map(|(_, manifest)| manifest).find(|manifest| manifest.export == export)
    }

    /// Whether a table can be read, or it is known why not.
    fn knows(&self, table: &str) -> bool {
        self.names.iter().any(|name| name == table) || self.bound.withheld.contains_key(table)
    }

    /// Answers one SELECT.
    pub(super) async fn answer(self, sql: &str) -> Outcome<QueryReport> {
        let (session, store) = (self.bound.session, self.bound.shelf.store);
        let frame = session.sql_with_options(sql, read_only()).await;
        let frame = frame.map_err(|error| self.refusal(&fault::planning_text(&error)))?;
        // How a plan is carried out says what lies below what the query may see.
        let plan = frame.logical_plan();
        if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
            return Err(self.refusal("a plan is no query over rows").into());
        }
        let schema = Arc::clone(frame.schema().inner());
        let refused = |error| Failure::from(fault::running(&error, "query"));
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.map_err(refused)?;
        let mut rows = execute_stream(Arc::clone(&plan), task).map_err(refused)?;
        let exports = self.found.iter().map(|(_, manifest)| manifest.export.clone()).collect();
        for (file, manifest) in self.found {
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

    /// Why SQL cannot be planned: a table of it is withheld, or what the planner says.
    fn refusal(&self, words: &str) -> Diagnostic {
        let named = |name: &str| {
            let word = |letter: char| !(letter.is_alphanumeric() || letter == '_');
            words.split(word).any(|part| part == name)
        };
        if words.contains("not found")
            && let Some((_, finding)) = self.bound.withheld.iter().find(|(name, _)| named(name))
        {
            return finding.clone();
        }
        let tables = if self.names.is_empty() { "none".to_owned() } else { self.names.join(", ") };
        Diagnostic::new(&commands::QUERY_REFUSED, format!("the query is refused: {words}"))
            .help(format!("one SELECT over committed exports; those it names: {tables}"))
    }
}
