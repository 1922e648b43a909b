//! Expressions over one row, as filters, tests and rules write them.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, visit_expressions};
use engine_bundle::digest::Digest;
use engine_project::{Location, Spanned};

use super::subject::Subject;
use crate::codes::sql;
use crate::diagnostic::Diagnostic;
use crate::fault;
use crate::flow;
use crate::masks::spec::is_mask;
use crate::meaning;
use crate::types::type_name;

/// A condition that rows must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// As canonical SQL.
    pub sql: String,
    /// What it means, once simplified.
    pub meaning: Digest,
}

/// A value that can be computed for every row.
pub(super) struct RowValue {
    /// As it was parsed, without brackets around the whole.
    pub(super) parsed: SqlExpr,
    /// The columns it names.
    pub(super) columns: BTreeSet<String>,
    /// Its type.
    pub(super) data_type: DataType,
    /// What it comes to.
    expression: Expr,
}

impl RowValue {
    /// What it means for rows of `schema`, simplified.
    pub(super) fn meaning(&self, state: &SessionState, schema: &Schema) -> Result<Digest> {
        // Other columns do not matter.
        let named = schema.fields().iter().filter(|field| self.columns.contains(field.name()));
        let named = Schema::new(named.cloned().collect::<Vec<_>>());
        let rows = provider_as_source(Arc::new(EmptyTable::new(Arc::new(named))));
        let rows = LogicalPlanBuilder::scan("rows", rows, None)?;
        let plan = match self.data_type {
            DataType::Boolean | DataType::Null => rows.filter(self.expression.clone())?,
            _ => rows.project([self.expression.clone()])?,
        };
        meaning::of_plan(&flow::optimized(state, &plan.build()?)?)
    }
}

/// A condition that can be asked of every row.
pub(super) struct Condition {
    /// Its canonical SQL.
    pub(super) sql: String,
    /// The columns it names.
    pub(super) columns: BTreeSet<String>,
    value: RowValue,
}

impl Condition {
    /// What it means for rows of `schema`, simplified.
    pub(super) fn meaning(&self, state: &SessionState, schema: &Schema) -> Result<Digest> {
        self.value.meaning(state, schema)
    }
}

/// Reads a condition over the columns of `schema`; `what` names it in messages.
pub(super) fn condition(
    subject: &Subject<'_>,
    text: &Spanned<String>,
    schema: &Schema,
    what: &str,
) -> std::result::Result<Condition, Box<Diagnostic>> {
    let value = row_value(subject, text, schema, what)?;
    match &value.data_type {
        DataType::Boolean | DataType::Null => {
            Ok(Condition { sql: value.parsed.to_string(), columns: value.columns.clone(), value })
        }
        other => {
            let words = format!("is of type {}, not true or false", type_name(other));
            let message = format!("{what} cannot be used");
            Err(Box::new(Diagnostic::new(&sql::FILTER_INVALID, message).at(text.at, words)))
        }
    }
}

/// Reads an expression over the columns of `schema`; `what` names it in messages.
pub(super) fn row_value(
    subject: &Subject<'_>,
    text: &Spanned<String>,
    schema: &Schema,
    what: &str,
) -> std::result::Result<RowValue, Box<Diagnostic>> {
    let message = format!("{what} cannot be used");
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
    let state = subject.binding.state;
    let dialect = state.config_options().sql_parser.dialect;
    let parsed = state.sql_to_expr(&text.value, &dialect).map_err(at_fault)?;
    if has_subquery(&parsed) {
        return Err(refuse("looks at more than one row; a model can hold subqueries".to_owned()));
    }
    let schema = DFSchema::try_from(schema.clone()).map_err(at_fault)?;
    let parsed = unbracketed(parsed);
    let expression = state.create_logical_expr(&text.value, &schema).map_err(at_fault)?;
    if looks_beyond(&expression).map_err(at_fault)? {
        return Err(refuse("looks at more than one row; a model can do so".to_owned()));
    }
    if calls_masks(&expression).map_err(at_fault)? {
        let words =
            "calls a mask by itself: masks belong to rules, which name their key and linkage";
        return Err(refuse(words.to_owned()));
    }
    let columns = expression.column_refs().into_iter().map(|column| column.name.clone()).collect();
    let data_type = expression.get_type(&schema).map_err(at_fault)?;
    Ok(RowValue { parsed, columns, data_type, expression })
}

/// Whether an expression calls a masking function.
fn calls_masks(expression: &Expr) -> Result<bool> {
    expression.exists(|part| match part {
        Expr::ScalarFunction(called) => Ok(is_mask(called.func.name())),
        _ => Ok(false),
    })
}

/// Whether an expression has a part that is more than a function of one row.
fn looks_beyond(expression: &Expr) -> Result<bool> {
    expression.exists(|part| {
        Ok(matches!(
            part,
            Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::Unnest(_)
                | Expr::Placeholder(_)
                | Expr::GroupingSet(_)
        ))
    })
}

/// A condition without brackets around the whole of it.
fn unbracketed(parsed: SqlExpr) -> SqlExpr {
    match parsed {
        SqlExpr::Nested(inner) => unbracketed(*inner),
        other => other,
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
