//! Models: SQL planned over sources and other models, registered as views so that DataFusion inlines
//! them into the plan of whoever reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::TableReference;
use datafusion::datasource::ViewTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{DFParserBuilder, Statement as ParsedStatement};
use datafusion::sql::sqlparser::ast::Statement;
use engine_project::{Model, Project, Relation};

use super::tables::reference;
use super::{Binding, MODELS_SCHEMA};
use crate::codes::sql;
use crate::diagnostic::Diagnostic;
use crate::fault;
use crate::session::read_only;

/// Plans the models that are read, in dependency order. A model whose dependency failed is not tried.
pub(super) async fn register(
    project: &Project,
    reached: &BTreeSet<Relation>,
    binding: &Binding<'_>,
) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    if let Some(catalog) = binding.session.catalog("datafusion") {
        let schema = Arc::new(MemorySchemaProvider::new());
        if catalog.register_schema(MODELS_SCHEMA, schema).is_err() {
            return Err(Vec::new());
        }
    }
    let mut plans = BTreeMap::new();
    let mut findings = Vec::new();
    let mut failed: Vec<&str> = Vec::new();
    let is_reached =
        |model: &&Model| reached.contains(&Relation::Model { name: model.name.value.clone() });
    for model in project.models.iter().filter(is_reached) {
        let blocked = model.depends_on.iter().any(
            |on| matches!(&on.value, Relation::Model { name } if failed.contains(&name.as_str())),
        );
        let result = if blocked { Err(Vec::new()) } else { plan(model, binding).await };
        match result {
            Ok(text) => {
                plans.insert(model.name.value.clone(), text);
            }
            Err(found) => {
                failed.push(&model.name.value);
                findings.extend(found);
            }
        }
    }
    if failed.is_empty() { Ok(plans) } else { Err(findings) }
}

/// Registers a model; gives its plan as text.
async fn plan(model: &Model, binding: &Binding<'_>) -> Result<String, Vec<Diagnostic>> {
    let state = binding.session.state();
    let at_fault = |error| vec![fault::planning(&error, &model.sql)];
    let statement = query(model, &state)?;
    let strangers = strangers(model, &state, &statement).map_err(at_fault)?;
    if !strangers.is_empty() {
        return Err(strangers);
    }
    let plan = state.statement_to_plan(statement).await.map_err(at_fault)?;
    read_only().verify_plan(&plan).map_err(at_fault)?;
    // Types that do not fit are found by the analyzer; what it makes of the plan is made again
    // when the plan is carried out.
    let analyzed =
        state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {});
    analyzed.map_err(at_fault)?;
    let findings = described_columns(model, &plan);
    if !findings.is_empty() {
        return Err(findings);
    }
    let relation = Relation::Model { name: model.name.value.clone() };
    let text = plan.display_indent().to_string();
    let view = ViewTable::new(plan, Some(model.sql.text.clone()));
    binding.session.register_table(reference(&relation), Arc::new(view)).map_err(at_fault)?;
    Ok(text)
}

/// The one query of a model's file.
fn query(model: &Model, state: &SessionState) -> Result<ParsedStatement, Vec<Diagnostic>> {
    let limit = state.config_options().sql_parser.recursion_limit.get();
    let parsed = DFParserBuilder::new(model.sql.text.as_str())
        .with_recursion_limit(limit)
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let statements = parsed.map_err(|error| vec![fault::planning(&error, &model.sql)])?;
    let count = statements.len();
    let mut statements = statements.into_iter();
    let label = match (statements.next(), count) {
        (Some(statement), 1) if is_query(&statement) => return Ok(statement),
        (None, _) => "holds no SQL".to_owned(),
        (Some(_), 1) => "is not a query".to_owned(),
        (Some(_), count) => format!("holds {count} statements"),
    };
    let message = format!("model `{}` is not one query", model.name.value);
    let at = model.sql.locate(0, model.sql.text.len());
    let finding = Diagnostic::new(&sql::SQL_NOT_A_QUERY, message).at(at, label);
    Err(vec![finding.help("write one SELECT, or WITH … SELECT")])
}

fn is_query(statement: &ParsedStatement) -> bool {
    matches!(statement, ParsedStatement::Statement(inner) if matches!(**inner, Statement::Query(_)))
}

/// What is read without `source` or `ref`. Its schema, its changes and its classes would be known to
/// nobody, though the SQL alone could be planned.
fn strangers(
    model: &Model,
    state: &SessionState,
    statement: &ParsedStatement,
) -> Result<Vec<Diagnostic>, DataFusionError> {
    let known: Vec<TableReference> =
        model.depends_on.iter().map(|relation| reference(&relation.value)).collect();
    let named = state.resolve_table_references(statement)?;
    let strange = named.iter().filter(|name| {
        let function =
            name.schema().is_none() && state.table_functions().contains_key(name.table());
        !function && !known.contains(name)
    });
    Ok(strange.map(|name| stranger(model, name)).collect())
}

fn stranger(model: &Model, name: &TableReference) -> Diagnostic {
    let text = &model.sql.text;
    let forms = [name.to_quoted_string(), name.to_string(), name.table().to_owned()];
    let found = forms.iter().find_map(|form| Some((text.find(form.as_str())?, form.len())));
    let (start, len) = found.unwrap_or((0, text.len()));
    let at = model.sql.locate(start, start.saturating_add(len));
    let help = match name.schema() {
        Some(MODELS_SCHEMA) => format!("write {{{{ ref('{}') }}}}", name.table()),
        Some(source) => format!("write {{{{ source('{source}', '{}') }}}}", name.table()),
        None => "read tables with {{ source('name', 'table') }}, and models with {{ ref('name') }}"
            .to_owned(),
    };
    let message = format!("model `{}` reads `{name}` without source() or ref()", model.name.value);
    Diagnostic::new(&sql::SQL_PLAN, message).at(at, "not known by this name").help(help)
}

/// A column that YAML describes must come out of the SQL, or its class would protect nothing.
fn described_columns(model: &Model, plan: &LogicalPlan) -> Vec<Diagnostic> {
    let given: Vec<String> =
        plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    let missing = model.columns.iter().filter(|column| !given.contains(&column.name.value));
    missing
        .map(|column| {
            Diagnostic::new(
                &sql::MODEL_COLUMN,
                format!("model `{}` gives no column `{}`", model.name.value, column.name.value),
            )
            .at(column.name.at, "is not in the SELECT list")
            .help(format!("the model gives: {}", given.join(", ")))
        })
        .collect()
}
