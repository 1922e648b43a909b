//! Exports: columns with their treatments, compiled to one SELECT, planned from that very text, so that
//! what a reviewer reads is what runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use engine_project::{ColumnTest, Encryption, Export, ExportTest, Load, Project, Relation};

use super::Binding;
use super::policy::{BoundColumn, Subject, treat};
use super::sql::export_sql;
use super::tables::{Connections, reference};
use crate::codes::{policy, sources, sql};
use crate::diagnostic::Diagnostic;
use crate::fault;

/// An export that can be planned and run.
#[derive(Debug, Clone)]
pub struct BoundExport {
    /// Its name.
    pub name: String,
    /// What it is made from.
    pub from: Relation,
    /// Its columns in order.
    pub columns: Vec<BoundColumn>,
    /// The filter, as canonical SQL.
    pub filter: Option<String>,
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
    /// Tests of its rows.
    pub tests: Vec<ExportTest>,
    /// Where it is loaded.
    pub loads: Vec<Load>,
    /// Where its name stands.
    pub at: engine_project::Location,
}

impl BoundExport {
    /// The schema of its chunks.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<FieldRef> =
            self.columns.iter().map(|column| Arc::clone(&column.output)).collect();
        Arc::new(Schema::new(fields))
    }
}

/// Binds every export.
pub(super) async fn bind(
    project: &Project,
    connections: &Connections,
    binding: &Binding<'_>,
) -> Result<Vec<BoundExport>, Vec<Diagnostic>> {
    let mut bound = Vec::new();
    let mut findings = Vec::new();
    for export in &project.exports {
        match one(project, connections, binding, export).await {
            Ok(export) => bound.push(export),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() { Ok(bound) } else { Err(findings) }
}

async fn one(
    project: &Project,
    connections: &Connections,
    binding: &Binding<'_>,
    export: &Export,
) -> Result<BoundExport, Vec<Diagnostic>> {
    let from = &export.from.value;
    let internal = |error: datafusion::error::DataFusionError| {
        let text = fault::planning_text(&error);
        vec![Diagnostic::new(&sql::SQL_PLAN, text).at(export.from.at, "cannot be read")]
    };
    let provider = binding.session.table_provider(reference(from)).await.map_err(internal)?;
    let schema = provider.schema();
    let fields = chosen(export, &schema)?;
    let subject = Subject {
        project,
        binding,
        export: &export.name.value,
        from,
        schema: &schema,
        at: export.from.at,
        unique: unique(project, export),
    };
    let columns = treat(&subject, &fields)?;
    if columns.is_empty() {
        let message = format!("export `{}` has no column left", export.name.value);
        let finding = Diagnostic::new(&policy::NOTHING_LEFT, message)
            .at(export.name.at, "every column is dropped")
            .help("write a rule for at least one column");
        return Err(vec![finding]);
    }
    let filter = filter(binding, export, &schema)?;
    let mut findings = partitions(export, &columns);
    findings.extend(loadable(connections, export));
    if !findings.is_empty() {
        return Err(findings);
    }
    let sql = export_sql(from, &columns, filter.as_deref());
    let plan = binding.session.state().create_logical_plan(&sql).await.map_err(internal)?;
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
        tests: export.tests.iter().map(|test| test.value.clone()).collect(),
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
            None => findings.push(
                Diagnostic::new(
                    &crate::codes::names::UNKNOWN_COLUMN,
                    format!("`{}` has no column `{}`", export.from.value, column.value),
                )
                .at(column.at, "unknown column"),
            ),
        }
    }
    if findings.is_empty() { Ok(fields) } else { Err(findings) }
}

/// Columns whose values must stay distinct, and why.
fn unique(project: &Project, export: &Export) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    for column in project.columns(&export.from.value) {
        if column.tests.iter().any(|test| test.value == ColumnTest::Unique) {
            found.insert(column.name.value.clone(), "must be unique");
        }
    }
    for test in &export.tests {
        if let ExportTest::Column { column, test: ColumnTest::Unique } = &test.value {
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

fn filter(
    binding: &Binding<'_>,
    export: &Export,
    schema: &SchemaRef,
) -> Result<Option<String>, Vec<Diagnostic>> {
    let Some(text) = &export.filter else { return Ok(None) };
    let refuse = |words: String| {
        let message = format!("the filter of export `{}` cannot be used", export.name.value);
        vec![Diagnostic::new(&sql::FILTER_INVALID, message).at(text.at, words)]
    };
    let state = binding.session.state();
    let dialect = state.config_options().sql_parser.dialect;
    let parsed = state
        .sql_to_expr(&text.value, &dialect)
        .map_err(|error| refuse(fault::planning_text(&error)))?;
    let df_schema = DFSchema::try_from(Arc::clone(schema))
        .map_err(|error| refuse(fault::planning_text(&error)))?;
    let expression = state
        .create_logical_expr(&text.value, &df_schema)
        .map_err(|error| refuse(fault::planning_text(&error)))?;
    if has_subquery(&expression) {
        return Err(refuse("a filter looks at one row; use a model for subqueries".to_owned()));
    }
    Ok(Some(parsed.to_string()))
}

fn has_subquery(expression: &Expr) -> bool {
    let mut found = false;
    let walked = expression.apply(|part| {
        if matches!(
            part,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
        ) {
            found = true;
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found || walked.is_err()
}

/// Chunks are divided by published values, so the columns must be published.
fn partitions(export: &Export, columns: &[BoundColumn]) -> Vec<Diagnostic> {
    let missing = export
        .partition_by
        .iter()
        .filter(|name| !columns.iter().any(|column| column.name == name.value));
    missing
        .map(|name| {
            Diagnostic::new(
                &crate::codes::names::UNKNOWN_COLUMN,
                format!("export `{}` has no column `{}`", export.name.value, name.value),
            )
            .at(name.at, "not among the export's columns")
        })
        .collect()
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
                format!("connection `{}` cannot be loaded", load.connection.value),
            )
            .at(load.connection.at, "is read-only")
            .help("load into a connection of type sqlite")
        })
        .collect()
}
