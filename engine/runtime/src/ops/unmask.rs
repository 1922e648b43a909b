//! `engine unmask`: what reversible masks hid, for whoever holds the key, on record before a value is read.
//!
//! ```text
//!  manifest ─▶ function, parameters, key version ─▶ Mask::inverse ─┐
//!  chunks ───▶ rows of the newest snapshot ────────────────────────┴▶ rows restored
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, FieldRef, Schema};
use datafusion::execution::context::SessionState;
use engine_bundle::manifest::{Column, Manifest};
use engine_masking::Mask;
use engine_project::{identifier, nearest};
use engine_tracking::runs::{Object, ObjectKind, ScriptType, Volume};

use super::query::{QueryReport, Tables, known_export, no_snapshot};
use crate::codes::{commands, keys as codes};
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::heads::Heads;
use crate::history::Asked;
use crate::keys;
use crate::lookups;
use crate::masks::resolver::Resolver;
use crate::masks::spec::MaskSpec;
use crate::operation::{self, Scene, Told};
use crate::request::Context;
use crate::store;
use crate::workspace;

/// The variable that CI systems set.
const CI: &str = "CI";

/// What is to be restored.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The export.
    pub export: String,
    /// The columns to restore; all that can be when none are named.
    pub columns: Vec<String>,
    /// Which rows, as SQL over what is published.
    pub filter: Option<String>,
    /// How many rows at most.
    pub limit: Option<usize>,
    /// The tenant whose rows are seen.
    pub tenant: Option<String>,
    /// Whether it may be done where `CI` is set.
    pub in_ci: bool,
}

/// Restores the reversible columns of an export's newest snapshot. Others stay as they are published.
///
/// # Errors
/// It is asked for in CI without leave; a column cannot be restored; a key is missing; or the rows cannot be read.
pub async fn unmask(context: &Context, wanted: &Wanted) -> Outcome<QueryReport> {
    let project = workspace::load(context)?;
    known_export(&project, &wanted.export)?;
    let keys = keys::open(&project, context)?;
    let store = store::open(&project)?;
    let asked = Asked { as_of: None, tenant: wanted.tenant.clone() };
    let scene = Scene::of(context, &project, &keys, &store)?.bound(asked.tenant.as_deref())?;
    let work = async {
        allowed(context, wanted)?;
        let heads = Heads::of(&context.root, &project.target.name.value);
        let session = workspace::new_session(workspace::limits(&project, context))?;
        let mut tables = Tables::new(&heads, &session, &store, &keys, &asked);
        tables.register(&project, |name| name == wanted.export).await?;
        let Some(manifest) = tables.manifest(&wanted.export).cloned() else {
            return Err(no_snapshot(&wanted.export));
        };
        let resolver = Resolver::new(keys.mask_keys(), None, lookups::read(&project)?);
        let named = named(&manifest, wanted)?;
        let report = tables.answer(&sql(wanted, &session.state())?).await?;
        restored(&resolver, &manifest, &named, report)
    };
    let mut begun = operation::exports([wanted.export.as_str()]);
    // What somebody typed goes on record only where it is the name of a column.
    let declared = project.export(&wanted.export).map(|export| project.columns(&export.from.value));
    let declared = declared.unwrap_or_default().iter().map(|column| &column.name.value);
    let is_one = |name: &&String| wanted.columns.is_empty() || wanted.columns.contains(name);
    begun.extend(objects(&wanted.export, declared.filter(is_one)));
    let told = |(report, restored): &(QueryReport, Vec<String>)| Told {
        objects: objects(&wanted.export, restored),
        volume: Volume { rows_read: report.rows_read, ..Volume::default() },
        ..Told::default()
    };
    let (report, _) = scene.recorded(ScriptType::UNMASK, begun, work, told).await?;
    Ok(report)
}

/// Columns of an export, as what an operation is about.
fn objects<'n>(export: &str, columns: impl IntoIterator<Item = &'n String>) -> Vec<Object> {
    let object =
        |name: &String| Object { kind: ObjectKind::Column, name: format!("{export}.{name}") };
    columns.into_iter().map(object).collect()
}

/// A pipeline's logs are read by many: what it prints is published.
fn allowed(context: &Context, wanted: &Wanted) -> Outcome<()> {
    let is_set = |value: &String| !matches!(value.as_str(), "" | "0" | "false");
    if wanted.in_ci || !context.environment.get(CI).is_some_and(is_set) {
        return Ok(());
    }
    Err(Diagnostic::new(&codes::UNMASK_REFUSED, "nothing is unmasked where `CI` is set")
        .help("run it elsewhere; `--in-ci` allows it, where nobody else reads the job's output and logs")
        .into())
}

/// The rows that are asked for. What somebody typed is one expression, or nothing.
fn sql(wanted: &Wanted, state: &SessionState) -> Outcome<String> {
    let mut sql = format!("SELECT * FROM {}", identifier(&wanted.export));
    if let Some(filter) = &wanted.filter {
        let dialect = state.config_options().sql_parser.dialect;
        let parsed = state.sql_to_expr(filter, &dialect).map_err(|error| {
            let message = format!("the condition is refused: {}", fault::planning_text(&error));
            Diagnostic::new(&commands::QUERY_REFUSED, message)
                .help("one condition over the published columns, as behind WHERE")
        })?;
        sql.push_str(&format!(" WHERE ({parsed})"));
    }
    if let Some(limit) = wanted.limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    Ok(sql)
}

/// The columns that are asked for by name, all of which there are.
fn named<'m>(manifest: &'m Manifest, wanted: &Wanted) -> Outcome<Vec<&'m Column>> {
    let mut found = Vec::new();
    for name in &wanted.columns {
        let Some(column) = manifest.schema.iter().find(|column| column.name == *name) else {
            let names: Vec<&str> = manifest.schema.iter().map(|one| one.name.as_str()).collect();
            let meant = nearest(name, names.iter().copied());
            let meant = meant.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let message = format!("`{}` has no column `{name}`", wanted.export);
            return Err(Diagnostic::new(&codes::NOT_REVERSIBLE, message)
                .help(format!("{meant}its columns are: {}", names.join(", ")))
                .into());
        };
        found.push(column);
    }
    Ok(found)
}

/// The rows with their columns restored: those that are named, or all that can be.
fn restored(
    resolver: &Resolver,
    manifest: &Manifest,
    named: &[&Column],
    report: QueryReport,
) -> Outcome<(QueryReport, Vec<String>)> {
    let fields: BTreeMap<&str, &FieldRef> =
        report.schema.fields().iter().map(|field| (field.name().as_str(), field)).collect();
    let mut inverses: BTreeMap<String, Box<dyn Mask>> = BTreeMap::new();
    for column in &manifest.schema {
        let is_named = named.iter().any(|one| one.name == column.name);
        match inverse(resolver, column, &fields) {
            Ok(mask) => {
                inverses.insert(column.name.clone(), mask);
            }
            Err(why) if is_named => return Err(irreversible(manifest, column, &why)),
            Err(_) => {}
        }
    }
    let shown = |name: &str| named.is_empty() || named.iter().any(|one| one.name == name);
    let columns: Vec<String> = inverses.keys().filter(|name| shown(name)).cloned().collect();
    if columns.is_empty() {
        let message = format!("no column of `{}` can be restored", manifest.export);
        return Err(not_reversible(&message));
    }
    let restoring = Restoring { manifest, inverses };
    let mut batches = Vec::with_capacity(report.batches.len());
    let mut schema = Arc::clone(&report.schema);
    for batch in &report.batches {
        let batch = restoring.batch(batch, shown)?;
        schema = batch.schema();
        batches.push(batch);
    }
    Ok((QueryReport { schema, batches, ..report }, columns))
}

/// The mask that turns a column back, or why there is none.
fn inverse(
    resolver: &Resolver,
    column: &Column,
    fields: &BTreeMap<&str, &FieldRef>,
) -> Result<Box<dyn Mask>, String> {
    let Some(mask) = &column.mask else { return Err("it is published as it is".to_owned()) };
    let (function, spec) = mask.split_once(' ').unwrap_or((mask, ""));
    let one_way = || format!("mask `{function}` cannot be turned back");
    let function = engine_masking::find(function).ok_or_else(one_way)?;
    // A mask with a condition has words after its specification, and other values in other rows.
    let Ok(spec) = serde_json::from_str::<MaskSpec>(spec) else {
        return Err("its mask has a condition: which rows it masked is not known".to_owned());
    };
    let field = |name: &str| fields.get(name).map(|field| Arc::clone(field));
    let own = field(&column.name).ok_or_else(one_way)?;
    // What the mask read beside the column was of a type that it can read.
    let others = spec.inputs.iter().filter_map(|name| field(name));
    let all: Vec<FieldRef> = std::iter::once(own).chain(others).collect();
    let bound = resolver.describe(function, &spec, &all).map_err(|error| error.to_string())?;
    bound.inverse().ok_or_else(one_way)
}

fn irreversible(manifest: &Manifest, column: &Column, why: &str) -> Failure {
    not_reversible(&format!("`{}.{}` cannot be restored: {why}", manifest.export, column.name))
}

fn not_reversible(message: &str) -> Failure {
    Diagnostic::new(&codes::NOT_REVERSIBLE, message)
        .help("columns masked by `ff1`, `ff1_number`, `aes_siv` and the like can be, without a condition and without an `otherwise`")
        .into()
}

/// The masks that turn columns back.
struct Restoring<'m> {
    manifest: &'m Manifest,
    inverses: BTreeMap<String, Box<dyn Mask>>,
}

impl Restoring<'_> {
    fn batch(&self, batch: &RecordBatch, shown: impl Fn(&str) -> bool) -> Outcome<RecordBatch> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        let mut fields = Vec::with_capacity(batch.num_columns());
        for (place, field) in batch.schema().fields().iter().enumerate() {
            let is_restored = shown(field.name()) && self.inverses.contains_key(field.name());
            let values = if is_restored {
                self.values(batch, field.name(), 0)?
            } else {
                Arc::clone(batch.column(place))
            };
            fields.push(Field::new(field.name(), values.data_type().clone(), true));
            columns.push(values);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|error| fault::running(&error.into(), &self.manifest.export).into())
    }

    /// The values of a column as they were; `depth` columns are waiting for them.
    fn values(&self, batch: &RecordBatch, name: &str, depth: usize) -> Outcome<ArrayRef> {
        let Some(column) = batch.column_by_name(name) else {
            let message = format!("`{}` does not publish `{name}`", self.manifest.export);
            return Err(not_reversible(&message));
        };
        let Some(mask) = self.inverses.get(name) else {
            let published = self.manifest.schema.iter().find(|one| one.name == name);
            return match published.map(|one| &one.mask) {
                Some(None) => Ok(Arc::clone(column)),
                _ => {
                    let message = format!("what it was masked with, `{name}`, cannot be restored");
                    Err(not_reversible(&message))
                }
            };
        };
        // Columns that read each other in a circle have no beginning.
        if depth > self.inverses.len() {
            return Err(not_reversible(&format!("`{name}` depends on itself")));
        }
        let others = mask.inputs().iter().map(|other| self.values(batch, other, depth + 1));
        let others = others.collect::<Outcome<Vec<_>>>()?;
        mask.apply(column, &others).map_err(|error| {
            let message = format!("`{}.{name}` cannot be restored: {error}", self.manifest.export);
            not_reversible(&message)
        })
    }
}
