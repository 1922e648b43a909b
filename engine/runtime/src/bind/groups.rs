//! The least size of a model's groups: the condition that keeps smaller ones out, and the columns that are
//! safe because of it.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::sql::parser::Statement as ParsedStatement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr as SqlExpr, Query, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use engine_project::MinGroup;

use crate::flow::{self, Influence, Kind};

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

/// The grouping of a query whose outermost SELECT groups; none where it does not.
pub(super) fn grouping(plan: &LogicalPlan) -> Option<&Aggregate> {
    match plan {
        LogicalPlan::Sort(node) => grouping(&node.input),
        LogicalPlan::Limit(node) => grouping(&node.input),
        LogicalPlan::Filter(node) => grouping(&node.input),
        LogicalPlan::Projection(node) => grouping(&node.input),
        LogicalPlan::Aggregate(node) => Some(node),
        _ => None,
    }
}

/// Whether the size of a group says how many of something it is made of: what is counted must be a
/// source's column as it is, and rows only count where each is one of a source's.
pub(super) fn counts_what_it_says(node: &Aggregate, group: &MinGroup, input: &[Influence]) -> bool {
    match &group.of {
        Some(column) => {
            let fields = node.input.schema().fields().iter();
            let mut named = fields.zip(input).filter(|(field, _)| *field.name() == column.value);
            named.all(|(_, influence)| is_as_it_was(influence))
        }
        None => {
            let multiplies = |node: &LogicalPlan| {
                let scans = matches!(node, LogicalPlan::TableScan(scan)
                    if scan.table_name.schema().is_none());
                Ok(scans
                    || matches!(
                        node,
                        LogicalPlan::Join(_)
                            | LogicalPlan::Unnest(_)
                            | LogicalPlan::Union(_)
                            | LogicalPlan::RecursiveQuery(_)
                            | LogicalPlan::Extension(_)
                    ))
            };
            !node.input.exists(multiplies).unwrap_or(true)
        }
    }
}

/// Whether values come from the sources unchanged: what was computed can be one value of one row, and zero
/// for all others. That a join holds another column beside it changes nothing.
fn is_as_it_was(influence: &Influence) -> bool {
    let is_copied = |kind: Kind| matches!(kind, Kind::Copied | Kind::Cast);
    let mut kinds = influence.direct().flat_map(|(_, kinds)| kinds.iter().collect::<Vec<_>>());
    let copied = influence.direct().any(|(_, kinds)| kinds.iter().any(is_copied));
    copied && kinds.all(|kind| is_copied(kind) || kind == Kind::Matched)
}

/// Which columns are made of summaries of the outermost groups, and of nothing else; `input` is what flows
/// into the columns that are grouped. `min` and its like show a single value of a group, however large.
pub(super) fn summaries(plan: &LogicalPlan, input: &[Influence]) -> Option<Vec<bool>> {
    match plan {
        LogicalPlan::Sort(node) => summaries(&node.input, input),
        LogicalPlan::Limit(node) => summaries(&node.input, input),
        LogicalPlan::Filter(node) => summaries(&node.input, input),
        LogicalPlan::Projection(node) => {
            let below = summaries(&node.input, input)?;
            Some(node.expr.iter().map(|expr| of_summaries(expr, &node.input, &below)).collect())
        }
        LogicalPlan::Aggregate(node) => of_groups(node, input),
        _ => None,
    }
}

fn of_groups(node: &Aggregate, input: &[Influence]) -> Option<Vec<bool>> {
    let keys = grouping_set_to_exprlist(&node.group_expr).ok()?.len();
    let sets = matches!(node.group_expr.as_slice(), [Expr::GroupingSet(_)]);
    let mut found = vec![false; keys];
    found.extend(sets.then_some(true));
    found.extend(node.aggr_expr.iter().map(|expr| is_summary(expr, node, input)));
    (found.len() == node.schema.fields().len()).then_some(found)
}

/// A summary of all rows of a group, of values as the sources have them.
fn is_summary(expr: &Expr, node: &Aggregate, input: &[Influence]) -> bool {
    match expr {
        Expr::Alias(alias) => is_summary(&alias.expr, node, input),
        Expr::AggregateFunction(function) => {
            let AggregateFunctionParams { args, distinct, filter, order_by, .. } = &function.params;
            flow::is_summary(function.func.name())
                && !distinct
                && filter.is_none()
                && order_by.is_empty()
                && args.iter().all(|argument| is_plain(argument, node, input))
        }
        _ => false,
    }
}

fn is_plain(expr: &Expr, node: &Aggregate, input: &[Influence]) -> bool {
    match expr {
        Expr::Cast(cast) => is_plain(&cast.expr, node, input),
        Expr::Literal(..) => true,
        Expr::Column(column) => {
            let position = node.input.schema().maybe_index_of_column(column);
            position.and_then(|position| input.get(position)).is_some_and(is_as_it_was)
        }
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
