//! Exports: columns with their treatments, compiled to one SELECT, planned from that very text, so that
//! what a reviewer reads is what runs.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, visit_expressions};
use engine_project::{
    ColumnTest, Encryption, Export, ExportTest, Load, Location, Project, Relation, Spanned, nearest,
};

use super::indirect::{self, IndirectUse};
use super::policy::{BoundColumn, treat};
use super::reach::RelationReach;
use super::sql::export_sql;
use super::subject::Subject;
use super::tables::{Connections, reference};
use super::{Binding, Upstream, refusals, tests};
use crate::codes::names::UNKNOWN_COLUMN;
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
    /// Sensitive columns that decide about its rows without being published as they are.
    pub indirect: Vec<IndirectUse>,
    /// Tests of its rows.
    pub tests: Vec<Spanned<ExportTest>>,
    /// Tests of columns that do not hold for what is published of them.
    pub tests_left_out: Vec<ExportTest>,
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
}

/// Binds every export.
pub(super) async fn bind(
    project: &Project,
    upstream: &Upstream,
    binding: &Binding<'_>,
) -> Result<Vec<BoundExport>, Vec<Diagnostic>> {
    let mut bound = Vec::new();
    let mut findings = Vec::new();
    for export in project.exports.iter().filter(|export| binding.takes(&export.name.value)) {
        match one(project, upstream, binding, export).await {
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
            columns
        }
        Err(found) => {
            findings.extend(found);
            Vec::new()
        }
    };
    let (tests, tests_left_out) = tests::of(project, export, &columns);
    findings.extend(tests::misfits(&tests, &columns));
    if !findings.is_empty() {
        return Err(findings);
    }
    let indirect =
        indirect::uses(&subject, export, filter.as_deref(), &columns, &upstream.reaches).await?;
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

fn nothing_left(export: &Export) -> Diagnostic {
    let message = format!("export `{}` has no column left", export.name.value);
    Diagnostic::new(&policy::NOTHING_LEFT, message)
        .at(export.name.at, "every column is dropped")
        .help("write a rule for at least one column")
}

/// The filter as canonical SQL.
fn filter(subject: &Subject<'_>, export: &Export) -> Result<Option<String>, Box<Diagnostic>> {
    let Some(text) = &export.filter else { return Ok(None) };
    let message = format!("the filter of export `{}` cannot be used", export.name.value);
    let refuse = |words: String| {
        Box::new(Diagnostic::new(&sql::FILTER_INVALID, message.clone()).at(text.at, words))
    };
    let at_fault = |error: DataFusionError| match fault::unknown_column(&error) {
        Some(unknown) => {
            let label = match unknown.nearest {
                Some(near) => format!("did you mean `{near}`?"),
                None => "not a column here".to_owned(),
            };
            let message = format!("{message}: there is no column `{}`", unknown.name);
            let at = word(subject, text.at, &unknown.name);
            let help = format!("columns there are: {}", unknown.valid.join(", "));
            Box::new(Diagnostic::new(&sql::FILTER_INVALID, message).at(at, label).help(help))
        }
        None => refuse(fault::planning_text(&error)),
    };
    let state = subject.binding.session.state();
    let dialect = state.config_options().sql_parser.dialect;
    let parsed = state.sql_to_expr(&text.value, &dialect).map_err(at_fault)?;
    if has_subquery(&parsed) {
        return Err(refuse("looks at more than one row; a model can hold subqueries".to_owned()));
    }
    let schema = DFSchema::try_from(subject.schema.clone()).map_err(at_fault)?;
    let expression = state.create_logical_expr(&text.value, &schema).map_err(at_fault)?;
    match expression.get_type(&schema).map_err(at_fault)? {
        DataType::Boolean | DataType::Null => Ok(Some(parsed.to_string())),
        other => Err(refuse(format!("is of type {}, not true or false", type_name(&other)))),
    }
}

/// The place of a word that stands once in a scalar of the user's file, or the whole scalar.
fn word(subject: &Subject<'_>, at: Location, word: &str) -> Location {
    let file = subject.project.files.get(at.file);
    let written = file.and_then(|file| file.text.get(at.start as usize..at.end as usize));
    let mut found = written.unwrap_or_default().match_indices(word);
    match (found.next(), found.next()) {
        (Some((start, _)), None) => {
            let start = (at.start as usize).saturating_add(start);
            Location::new(at.file, start, start.saturating_add(word.len()))
        }
        _ => at,
    }
}

fn has_subquery(expression: &SqlExpr) -> bool {
    visit_expressions(expression, |part| match part {
        SqlExpr::Subquery(_)
        | SqlExpr::Exists { .. }
        | SqlExpr::InSubquery { .. }
        | SqlExpr::AnyOp { .. }
        | SqlExpr::AllOp { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

fn unknown_column(within: &str, column: &Spanned<String>, names: &[&str]) -> Diagnostic {
    let label = match nearest(&column.value, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "not a column here".to_owned(),
    };
    let message = format!("{within} has no column `{}`", column.value);
    Diagnostic::new(&UNKNOWN_COLUMN, message)
        .at(column.at, label)
        .help(format!("columns there are: {}", names.join(", ")))
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
