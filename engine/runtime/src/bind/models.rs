//! Models: SQL planned over sources and other models, registered as views so that DataFusion inlines
//! them into the plan of whoever reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::MemorySchemaProvider;
use datafusion::datasource::ViewTable;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::Statement;
use engine_project::{Model, Project, Relation};

use super::tables::reference;
use super::{Binding, MODELS_SCHEMA};
use crate::codes::sql;
use crate::diagnostic::Diagnostic;
use crate::fault;
use crate::session::read_only;

/// Plans every model in dependency order. A model whose dependency failed is not tried.
pub(super) async fn register(
    project: &Project,
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
    for model in &project.models {
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
    let dialect = state.config_options().sql_parser.dialect;
    let at_fault = |error| vec![fault::planning(&error, &model.sql)];
    let statement = state.sql_to_statement(&model.sql.text, &dialect).map_err(at_fault)?;
    if !is_query(&statement) {
        let at = model.sql.locate(0, model.sql.text.len());
        return Err(vec![
            Diagnostic::new(&sql::SQL_NOT_A_QUERY, "a model is one SELECT")
                .at(at, "is not a query"),
        ]);
    }
    let plan = state.statement_to_plan(statement).await.map_err(at_fault)?;
    read_only().verify_plan(&plan).map_err(at_fault)?;
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

fn is_query(statement: &ParsedStatement) -> bool {
    matches!(statement, ParsedStatement::Statement(inner) if matches!(**inner, Statement::Query(_)))
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
