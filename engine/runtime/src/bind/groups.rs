//! The least size of a model's groups: the condition that keeps smaller ones out, and the columns that are
//! safe because of it.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr as SqlExpr, Query, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use engine_project::MinGroup;

use crate::flow;

/// The query with `HAVING count(*) >= size`, besides what its HAVING asks for already; none where it is
/// not a single SELECT.
pub(super) fn limited(statement: ParsedStatement, group: &MinGroup) -> Option<Statement> {
    let ParsedStatement::Statement(statement) = statement else { return None };
    let Statement::Query(mut query) = *statement else { return None };
    let Query { body, .. } = query.as_mut();
    let SetExpr::Select(select) = body.as_mut() else { return None };
    let condition = condition(group)?;
    select.having = Some(match select.having.take() {
        None => condition,
        Some(asked) => SqlExpr::BinaryOp {
            left: Box::new(SqlExpr::Nested(Box::new(asked))),
            op: BinaryOperator::And,
            right: Box::new(condition),
        },
    });
    Some(Statement::Query(query))
}

fn condition(group: &MinGroup) -> Option<SqlExpr> {
    let counted = match &group.of {
        None => "*".to_owned(),
        Some(column) => format!("DISTINCT \"{}\"", column.value.replace('"', "\"\"")),
    };
    let sql = format!("count({counted}) >= {}", group.size);
    Parser::new(&GenericDialect {}).try_with_sql(&sql).ok()?.parse_expr().ok()
}

/// Which columns are made of summaries of the outermost groups, and of nothing else; none where the plan
/// does not group. `min` and its like show a single value of a group, however large.
pub(super) fn summaries(plan: &LogicalPlan) -> Option<Vec<bool>> {
    match plan {
        LogicalPlan::Sort(node) => summaries(&node.input),
        LogicalPlan::Limit(node) => summaries(&node.input),
        LogicalPlan::Filter(node) => summaries(&node.input),
        LogicalPlan::Projection(node) => {
            let below = summaries(&node.input)?;
            Some(node.expr.iter().map(|expr| of_summaries(expr, &node.input, &below)).collect())
        }
        LogicalPlan::Aggregate(node) => of_groups(node),
        _ => None,
    }
}

fn of_groups(node: &Aggregate) -> Option<Vec<bool>> {
    let keys = grouping_set_to_exprlist(&node.group_expr).ok()?.len();
    let sets = matches!(node.group_expr.as_slice(), [Expr::GroupingSet(_)]);
    let mut found = vec![false; keys];
    found.extend(sets.then_some(true));
    found.extend(node.aggr_expr.iter().map(is_summary));
    (found.len() == node.schema.fields().len()).then_some(found)
}

fn is_summary(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_summary(&alias.expr),
        Expr::AggregateFunction(function) => flow::is_summary(function.func.name()),
        _ => false,
    }
}

/// Whether an expression names columns of summaries only.
fn of_summaries(expr: &Expr, input: &LogicalPlan, below: &[bool]) -> bool {
    let mut safe = true;
    let walked = expr.apply(|part| {
        safe &= match part {
            Expr::Column(column) => {
                let position = input.schema().maybe_index_of_column(column);
                position.and_then(|position| below.get(position)).copied().unwrap_or(false)
            }
            Expr::OuterReferenceColumn(..)
            | Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_)
            | Expr::WindowFunction(_) => false,
            _ => true,
        };
        Ok(TreeNodeRecursion::Continue)
    });
    walked.is_ok() && safe
}
