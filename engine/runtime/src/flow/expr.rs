//! What an expression's value depends on.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::{
    AggregateFunction, AggregateFunctionParams, Sort, WindowFunction, WindowFunctionParams,
};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Subquery};

use super::edge::{Influence, Kind};
use super::plan::{Flow, Walk};

/// Says how many values there are, and nothing else of them.
const COUNT: &str = "count";

/// Functions whose result is a summary: with enough rows in a group, it shows no single value. Any that
/// is not listed may show one.
const SUMMARIES: &[&str] = &[
    "approx_distinct",
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
];

/// A column as it is, or a literal such as the one in `count(1)`.
fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_plain(&alias.expr),
        Expr::Column(_) | Expr::Literal(..) => true,
        _ => false,
    }
}

/// Whether an aggregate of this name summarises its group.
#[must_use]
pub fn is_summary(function: &str) -> bool {
    SUMMARIES.contains(&function)
}

/// The columns an expression can name.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) schema: &'a DFSchema,
    pub(super) flow: &'a Flow,
    /// Those of the query around a subquery.
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    fn column(&self, column: &Column) -> Influence {
        let position = self.schema.maybe_index_of_column(column);
        let found = position.and_then(|position| self.flow.columns.get(position));
        found.cloned().unwrap_or_else(|| self.everything())
    }

    fn outer_column(&self, column: &Column) -> Influence {
        let mut around = self.outer;
        let mut all = Influence::default();
        while let Some(scope) = around {
            if scope.schema.maybe_index_of_column(column).is_some() {
                return scope.column(column);
            }
            all.add(&scope.everything());
            around = scope.outer;
        }
        all
    }

    /// What is not known carries everything there is.
    fn everything(&self) -> Influence {
        let mut all = self.flow.everything();
        if let Some(outer) = self.outer {
            all.add(&outer.everything());
        }
        all
    }
}

impl Walk<'_> {
    /// What an expression's value depends on.
    pub(super) fn value(&mut self, expr: &Expr, scope: &Scope<'_>) -> Influence {
        match expr {
            Expr::Alias(alias) => self.value(&alias.expr, scope),
            Expr::Column(column) => scope.column(column),
            Expr::OuterReferenceColumn(_, column) => scope.outer_column(column),
            Expr::Literal(..) => Influence::default(),
            // Bound to elements of a list that is itself an argument.
            Expr::LambdaVariable(_) => Influence::default(),
            Expr::Cast(cast) => self.value(&cast.expr, scope).then(Kind::Cast),
            Expr::TryCast(cast) => self.value(&cast.expr, scope).then(Kind::Cast),
            Expr::AggregateFunction(function) => self.aggregate(function, scope),
            Expr::WindowFunction(function) => self.window(function, scope),
            Expr::ScalarSubquery(subquery) => self.subquery_value(subquery, scope),
            Expr::Exists(exists) => self.subquery(&exists.subquery, scope).rows.as_values(),
            Expr::InSubquery(of) => {
                let mut found = self.value(&of.expr, scope);
                found.add(&self.subquery_value(&of.subquery, scope));
                found.then(Kind::Computed)
            }
            Expr::SetComparison(of) => {
                let mut found = self.value(&of.expr, scope);
                found.add(&self.subquery_value(&of.subquery, scope));
                found.then(Kind::Computed)
            }
            Expr::BinaryExpr(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::ScalarFunction(_)
            | Expr::HigherOrderFunction(_)
            | Expr::Lambda(_)
            | Expr::InList(_)
            | Expr::GroupingSet(_)
            | Expr::Unnest(_) => self.parts(expr, scope).then(Kind::Computed),
            // Variables of the session, placeholders, and stars that were not resolved.
            _ => scope.everything(),
        }
    }

    /// Everything the parts of an expression depend on.
    fn parts(&mut self, expr: &Expr, scope: &Scope<'_>) -> Influence {
        let mut found = Influence::default();
        let walked = expr.apply_children(|part| {
            found.add(&self.value(part, scope));
            Ok(TreeNodeRecursion::Continue)
        });
        if walked.is_err() { scope.everything() } else { found }
    }

    /// What a condition or key depends on, as an influence on rows.
    pub(super) fn about_rows(&mut self, expr: &Expr, kind: Kind, scope: &Scope<'_>) -> Influence {
        self.value(expr, scope).then(kind)
    }

    pub(super) fn keys(&mut self, keys: &[Sort], kind: Kind, scope: &Scope<'_>) -> Influence {
        let mut found = Influence::default();
        for key in keys {
            found.add(&self.about_rows(&key.expr, kind, scope));
        }
        found
    }

    fn aggregate(&mut self, function: &AggregateFunction, scope: &Scope<'_>) -> Influence {
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment: _ } =
            &function.params;
        let kind = match function.func.name() {
            // A condition in the argument would make the count a matter of values.
            COUNT if !distinct && args.iter().all(is_plain) => Kind::Counted,
            name if is_summary(name) => Kind::Aggregated,
            _ => Kind::Picked,
        };
        let mut found = Influence::default();
        for argument in args {
            found.add(&self.value(argument, scope).then(kind));
        }
        // What is counted or summed by a condition shows whether it holds.
        if let Some(filter) = filter {
            found.add(&self.value(filter, scope).then(Kind::Aggregated));
        }
        for key in order_by {
            found.add(&self.value(&key.expr, scope).then(Kind::Picked));
        }
        found
    }

    /// A rank shows the order of its keys, so they count as values.
    fn window(&mut self, function: &WindowFunction, scope: &Scope<'_>) -> Influence {
        let WindowFunctionParams { args, partition_by, order_by, filter, distinct, .. } =
            &function.params;
        let counts = function.fun.name() == COUNT && !distinct && args.iter().all(is_plain);
        let kind = if counts { Kind::Counted } else { Kind::Windowed };
        let mut found = Influence::default();
        for argument in args {
            found.add(&self.value(argument, scope).then(kind));
        }
        for key in order_by {
            found.add(&self.value(&key.expr, scope).then(Kind::Windowed));
        }
        for key in partition_by {
            found.add(&self.about_rows(key, Kind::Group, scope));
        }
        if let Some(filter) = filter {
            found.add(&self.value(filter, scope).then(Kind::Windowed));
        }
        found
    }

    /// What the keys of a window or of an ordered aggregate do to the rows: these are sorted by them, and
    /// where other keys beside them are equal, that order decides.
    pub(super) fn sorting(&mut self, expr: &Expr, scope: &Scope<'_>) -> Influence {
        match expr {
            Expr::Alias(alias) => self.sorting(&alias.expr, scope),
            Expr::AggregateFunction(function) => {
                self.keys(&function.params.order_by, Kind::Sort, scope)
            }
            Expr::WindowFunction(function) => {
                let mut found = self.keys(&function.params.order_by, Kind::Sort, scope);
                for key in &function.params.partition_by {
                    found.add(&self.about_rows(key, Kind::Group, scope));
                }
                found
            }
            _ => scope.everything(),
        }
    }

    /// What a condition tells of the columns it names: each is near the others, so that it shows them. By
    /// position in the scope's flow.
    pub(super) fn equated(condition: &Expr, scope: &Scope<'_>) -> Vec<(usize, Influence)> {
        let mut found = Vec::new();
        for part in split_conjunction(condition) {
            let positions: BTreeSet<usize> = part
                .column_refs()
                .into_iter()
                .filter_map(|column| scope.schema.maybe_index_of_column(column))
                .collect();
            for position in &positions {
                let mut others = Influence::default();
                for other in positions.iter().filter(|other| *other != position) {
                    if let Some(column) = scope.flow.columns.get(*other) {
                        others.add(&column.clone().then(Kind::Matched));
                    }
                }
                found.push((*position, others));
            }
        }
        found
    }

    fn subquery(&mut self, subquery: &Subquery, scope: &Scope<'_>) -> Flow {
        self.plan(&subquery.subquery, Some(scope))
    }

    /// The value of a subquery of one column: its values, and which rows it has.
    fn subquery_value(&mut self, subquery: &Subquery, scope: &Scope<'_>) -> Influence {
        let flow = self.subquery(subquery, scope);
        // Whether there is such a row is part of the value.
        let mut found = flow.rows.as_values();
        for column in &flow.columns {
            found.add(column);
        }
        found
    }
}
