//! Exports: columns with their treatments, compiled to one SELECT, planned from that very text, so that
//! what a reviewer reads is what runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use engine_masking::has_digest;
use engine_project::{
    ColumnTest, Declared, Encryption, Export, Load, Location, Project, Relation, Spanned,
    TableTest, nearest,
};
use futures::executor::block_on;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::applied::AppliedMask;
use super::condition::{Filter, condition};
use super::indirect::{self, IndirectUse};
use super::policy::treat;
use super::reach::RelationReach;
use super::sql::export_sql;
use super::subject::Subject;
use super::tables::{Connections, reference};
use super::treatment::BoundColumn;
use super::{Binding, Upstream, refusals, tests};
use crate::codes::names::UNKNOWN_COLUMN;
use crate::codes::tracking::RETENTION_INVALID;
use crate::codes::{policy, sources, sql};
use crate::diagnostic::Diagnostic;
use crate::fault;
use crate::types::type_name;

/// An export that can be planned and run.
#[derive(Debug, Clone)]
pub struct BoundExport {
    /// Its name.
    pub name: String,
    /// What it is made from.
    pub from: Relation,
    /// Its columns in order.
    pub columns: Vec<BoundColumn>,
    /// The filter.
    pub filter: Option<Filter>,
    /// The whole export as SQL, masks as functions.
    pub sql: String,
    /// The plan of that SQL, not optimised.
    pub plan: LogicalPlan,
    /// Columns whose values divide the chunks.
    pub partition_by: Vec<String>,
    /// Rows after which a chunk is full.
    pub chunk_rows: u64,
    /// How chunks are encrypted.
    pub encryption: Encryption,
    /// Columns that identify a row, where the export has them all.
    pub key: Vec<String>,
    /// Sensitive columns that decide about its rows without being published as they are.
    pub indirect: Vec<IndirectUse>,
    /// Tests of its rows.
    pub tests: Vec<Declared<TableTest>>,
    /// Tests of columns that do not hold for what is published of them.
    pub tests_left_out: Vec<Declared<TableTest>>,
    /// Where it is loaded.
    pub loads: Vec<Load>,
    /// Where its name stands.
    pub at: Location,
}

impl BoundExport {
    /// The schema of its chunks.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<FieldRef> =
            self.columns.iter().map(|column| Arc::clone(&column.output)).collect();
        Arc::new(Schema::new(fields))
    }

    /// The tables and models whose values its columns must be among.
    pub fn related(&self) -> impl Iterator<Item = &Relation> {
        self.tests.iter().filter_map(|declared| match &declared.test {
            TableTest::Column { test: ColumnTest::Relationships { to, .. }, .. } => Some(to),
            _ => None,
        })
    }

    /// Whether what its tests say depends on the moment.
    pub fn ages(&self) -> bool {
        self.tests.iter().any(|declared| {
            matches!(declared.test, TableTest::Column { test: ColumnTest::Freshness { .. }, .. })
        })
    }

    /// The columns by which tests name its rows: its key, or all that can be compared.
    pub fn handle_columns(&self) -> Vec<String> {
        let is_one = |column: &&BoundColumn| {
            has_digest(column.output.data_type())
                && (self.key.is_empty() || self.key.contains(&column.name))
        };
        self.columns.iter().filter(is_one).map(|column| column.name.clone()).collect()
    }
}

/// Binds every export.
pub(super) fn bind(
    project: &Project,
    upstream: &Upstream,
    binding: &Binding<'_>,
) -> Result<Vec<BoundExport>, Vec<Diagnostic>> {
    let taken: Vec<&Export> =
        project.exports.iter().filter(|export| binding.takes(&export.name.value)).collect();
    // Nothing waits here: what is asked of the session is in memory.
    let each: Vec<_> = taken
        .into_par_iter()
        .map(|export| block_on(one(project, upstream, binding, export)))
        .collect();
    let mut bound = Vec::with_capacity(each.len());
    let mut findings = Vec::new();
    for export in each {
        match export {
            Ok(export) => bound.push(export),
            Err(found) => findings.extend(found),
        }
    }
    findings
        .extend(refusals::of_rules(&project.rules, |name| binding.keys.newest(name).map(|_| ())));
    if findings.is_empty() { Ok(bound) } else { Err(findings) }
}

async fn one(
    project: &Project,
    upstream: &Upstream,
    binding: &Binding<'_>,
    export: &Export,
) -> Result<BoundExport, Vec<Diagnostic>> {
    let from = &export.from.value;
    let internal = |error: DataFusionError| {
        let text = fault::planning_text(&error);
        vec![Diagnostic::new(&sql::SQL_PLAN, text).at(export.from.at, "cannot be read")]
    };
    let provider = binding.session.table_provider(reference(from)).await.map_err(internal)?;
    let schema = provider.schema();
    let nothing = RelationReach::default();
    let subject = Subject {
        project,
        binding,
        export: &export.name.value,
        from,
        schema: &schema,
        reach: upstream.reaches.get(from).unwrap_or(&nothing),
        at: export.from.at,
        unique: unique(project, export),
    };
    let mut findings = loadable(&upstream.connections, export);
    let filter = filter(&subject, export).unwrap_or_else(|finding| {
        findings.push(*finding);
        None
    });
    let columns = chosen(export, &schema).and_then(|fields| treat(&subject, &fields));
    let columns = match columns {
        Ok(columns) if columns.is_empty() => {
            findings.push(nothing_left(export));
            columns
        }
        Ok(columns) => {
            findings.extend(partitions(export, &columns));
            findings.extend(belonging(project, export, &columns));
            columns
        }
        Err(found) => {
            findings.extend(found);
            Vec::new()
        }
    };
    let (tests, tests_left_out) = tests::of(&subject, export, &columns);
    // Without columns there is a finding already, and no test would fit.
    if !columns.is_empty() {
        findings.extend(tests::misfits(&subject, &tests, &columns));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let filter_sql = filter.as_ref().map(|filter| filter.sql.as_str());
    let indirect =
        indirect::uses(&subject, export, filter_sql, &columns, &upstream.reaches).await?;
    let sql = export_sql(from, &columns, filter_sql);
    let plan = binding.state.create_logical_plan(&sql).await.map_err(internal)?;
    Ok(BoundExport {
        name: export.name.value.clone(),
        from: from.clone(),
        key: key(project, export, &columns),
        columns,
        filter,
        sql,
        plan,
        partition_by: export.partition_by.iter().map(|column| column.value.clone()).collect(),
        chunk_rows: export.chunk.rows,
        encryption: export.encryption,
        indirect,
        tests,
        tests_left_out,
        loads: export.loads.clone(),
        at: export.name.at,
    })
}

/// The fields of the export's columns: those it lists, or all.
fn chosen(export: &Export, schema: &Schema) -> Result<Vec<FieldRef>, Vec<Diagnostic>> {
    let Some(listed) = &export.columns else {
        return Ok(schema.fields().iter().cloned().collect());
    };
    let mut fields = Vec::new();
    let mut findings = Vec::new();
    for column in listed {
        match schema.fields().iter().find(|field| *field.name() == column.value) {
            Some(field) => fields.push(Arc::clone(field)),
            None => {
                let names: Vec<&str> =
                    schema.fields().iter().map(|field| field.name().as_str()).collect();
                let within = format!("`{}`", export.from.value);
                findings.push(unknown_column(&within, column, &names));
            }
        }
    }
    if findings.is_empty() { Ok(fields) } else { Err(findings) }
}

/// Columns whose values must stay distinct, and why.
fn unique(project: &Project, export: &Export) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for column in project.columns(&export.from.value) {
        if column.tests.iter().any(|test| test.test == ColumnTest::Unique) {
            found.insert(column.name.value.clone(), "must be unique");
        }
    }
    for test in &export.tests {
        if let TableTest::Column { column, test: ColumnTest::Unique } = &test.test {
            found.insert(column.value.clone(), "must be unique");
        }
    }
    if let Relation::Table { source, table } = &export.from.value
        && let Some([key]) = project.table(source, table).map(|table| table.key.as_slice())
    {
        found.insert(key.value.clone(), "is the table's key");
    }
    found
}

fn key(project: &Project, export: &Export, columns: &[BoundColumn]) -> Vec<String> {
    let Relation::Table { source, table } = &export.from.value else { return Vec::new() };
    let declared = project.table(source, table).map_or(&[][..], |table| &table.key);
    let all_there =
        declared.iter().all(|key| columns.iter().any(|column| column.name == key.value));
    if all_there { declared.iter().map(|key| key.value.clone()).collect() } else { Vec::new() }
}

fn nothing_left(export: &Export) -> Diagnostic {
    let message = format!("export `{}` has no column left", export.name.value);
    Diagnostic::new(&policy::NOTHING_LEFT, message)
        .at(export.name.at, "every column is dropped")
        .help("write a rule for at least one column")
}

pub(super) fn unknown_column(within: &str, column: &Spanned<String>, names: &[&str]) -> Diagnostic {
    let label = match nearest(&column.value, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "not a column here".to_owned(),
    };
    let message = format!("{within} has no column `{}`", column.value);
    Diagnostic::new(&UNKNOWN_COLUMN, message)
        .at(column.at, label)
        .help(format!("columns there are: {}", names.join(", ")))
}

fn filter(subject: &Subject<'_>, export: &Export) -> Result<Option<Filter>, Box<Diagnostic>> {
    let Some(text) = &export.filter else { return Ok(None) };
    let what = format!("the filter of export `{}`", export.name.value);
    let found = condition(subject, text, subject.schema, &what)?;
    let sql = found.sql.clone();
    let meaning = found.meaning(subject.binding.state, subject.schema).map_err(|error| {
        let words = fault::planning_text(&error);
        Box::new(Diagnostic::new(&sql::FILTER_INVALID, what).at(text.at, words))
    })?;
    Ok(Some(Filter { sql, meaning }))
}

/// Chunks are divided by published values, so the columns must be published.
fn partitions(export: &Export, columns: &[BoundColumn]) -> Vec<Diagnostic> {
    let missing = export
        .partition_by
        .iter()
        .filter(|name| !columns.iter().any(|column| column.name == name.value));
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let within = format!("export `{}`", export.name.value);
    missing.map(|name| unknown_column(&within, name, &names)).collect()
}

/// No tenant gets another's values; rows go by a published column, and by one that tells when.
fn belonging(project: &Project, export: &Export, columns: &[BoundColumn]) -> Option<Diagnostic> {
    if let Some(mixed) = mixed(project, export, columns) {
        return Some(mixed);
    }
    let named = &export.retention.as_ref()?.value;
    let policy = project.retention.iter().find(|policy| policy.name.value == *named)?;
    let by = &policy.rows.as_ref()?.by;
    let Some(column) = columns.iter().find(|column| column.name == by.value) else {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let within = format!("export `{}`, which policy `{named}` applies to,", export.name.value);
        return Some(unknown_column(&within, by, &names));
    };
    if let Some(shuffled) = columns.iter().find(|column| column.treatment.masks().any(is_whole)) {
        let message = format!(
            "rows of `{}` go by age, and the values of `{}` are dealt out among its rows",
            export.name.value, shuffled.name
        );
        return Some(
            Diagnostic::new(&RETENTION_INVALID, message)
                .at(by.at, "what goes with a row is another row's")
                .help("mask the column with another function, or leave `rows` out of the policy"),
        );
    }
    let found = column.output.data_type();
    let is_date = matches!(found, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
    (!is_date).then(|| {
        let message = format!(
            "the age of rows of `{}` cannot be told by `{}`: it is published as {}",
            export.name.value,
            by.value,
            type_name(found)
        );
        Diagnostic::new(&RETENTION_INVALID, message)
            .at(by.at, "no date")
            .help("name a column that is published as a date or timestamp; one that is masked is judged by what its mask gives")
    })
}

/// What is one tenant's must not become another's row's.
fn mixed(project: &Project, export: &Export, columns: &[BoundColumn]) -> Option<Diagnostic> {
    let tenant = project.tenant_of(&export.name.value)?;
    let is_mixed = |mask: &AppliedMask| {
        let within = mask.spec.params.get("within").and_then(|names| names.as_array());
        is_whole(mask) && !within.is_some_and(|names| names.iter().any(|name| name == tenant))
    };
    let shuffled = columns.iter().find(|column| column.treatment.masks().any(is_mixed))?;
    let message = format!(
        "the values of `{}` would be dealt out among all tenants of `{}`",
        shuffled.name, export.name.value
    );
    Some(
        Diagnostic::new(&policy::MASK_PARAMETER_VALUE, message)
            .at(export.name.at, "holds rows of several tenants")
            .help(format!("name `{tenant}` in `within` of the mask")),
    )
}

/// Whether a mask gives a row another row's value.
fn is_whole(mask: &AppliedMask) -> bool {
    engine_masking::WHOLE.iter().any(|function| function.name() == mask.function)
}

/// A load needs a connection that can be written; known without opening it.
fn loadable(connections: &Connections, export: &Export) -> Vec<Diagnostic> {
    let refused = export.loads.iter().filter(|load| {
        let connection = connections.get(&load.connection.value);
        connection.is_some_and(|connection| connection.loader().is_none())
    });
    refused
        .map(|load| {
            Diagnostic::new(
                &sources::NOT_LOADABLE,
                format!("nothing can be loaded into connection `{}`", load.connection.value),
            )
            .at(load.connection.at, "only reads")
            .help("load into a connection of type sqlite")
        })
        .collect()
}
