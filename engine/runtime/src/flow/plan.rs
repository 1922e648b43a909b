//! What the columns and rows of a plan depend on, node by node.

use std::collections::BTreeMap;

use datafusion::common::TableReference;
use datafusion::common::{DFSchema, JoinType};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{
    Aggregate, Distinct, DistinctOn, Expr, Join, LogicalPlan, RecursiveQuery, TableScan, Unnest,
    Values, Window,
};
use engine_project::Relation;

use super::edge::{Influence, Kind, Origin};
use super::expr::Scope;

/// What the columns of a relation, and its rows, depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flow {
    /// By position: what decides the values.
    pub columns: Vec<Influence>,
    /// What decides which rows there are, how often and in which order.
    pub rows: Influence,
    /// What the rows are sorted by, as an influence on which of them a limit lets through; none where
    /// they are not sorted.
    order: Option<Influence>,
}

impl Flow {
    /// Everything of it, as values.
    pub(super) fn everything(&self) -> Influence {
        let mut all = self.rows.clone();
        for column in &self.columns {
            all.add(&column.clone().then(Kind::Computed));
        }
        all
    }

    /// Adds what a condition tells of columns.
    fn learn(&mut self, equated: Vec<(usize, Influence)>) {
        for (position, values) in equated {
            if let Some(column) = self.columns.get_mut(position) {
                column.add(&values);
            }
        }
    }

    fn opaque(width: usize, inputs: &[Self]) -> Self {
        let mut all = Influence::default();
        for input in inputs {
            all.add(&input.everything());
        }
        Self::of(vec![all.clone(); width], all)
    }

    /// Columns and rows in no order.
    fn of(columns: Vec<Influence>, rows: Influence) -> Self {
        Self { columns, rows, order: None }
    }
}

/// What an optimised plan depends on.
pub(super) fn of_plan(
    plan: &LogicalPlan,
    leaf: &dyn Fn(&TableReference) -> Option<Relation>,
) -> Flow {
    Walk { leaf, recursive: BTreeMap::new() }.plan(plan, None)
}

/// A walk over a plan.
pub(super) struct Walk<'a> {
    leaf: &'a dyn Fn(&TableReference) -> Option<Relation>,
    /// What is known so far of the recursive queries around.
    recursive: BTreeMap<String, Flow>,
}

impl Walk<'_> {
    #[recursive::recursive]
    pub(super) fn plan(&mut self, plan: &LogicalPlan, outer: Option<&Scope<'_>>) -> Flow {
        match plan {
            LogicalPlan::Projection(node) => {
                let input = self.plan(&node.input, outer);
                let scope = Scope { schema: node.input.schema(), flow: &input, outer };
                let columns = node.expr.iter().map(|expr| self.value(expr, &scope)).collect();
                Flow { columns, ..input }
            }
            LogicalPlan::Filter(node) => {
                let mut input = self.plan(&node.input, outer);
                let scope = Scope { schema: node.input.schema(), flow: &input, outer };
                let condition = self.about_rows(&node.predicate, Kind::Filter, &scope);
                let equated = Self::equated(&node.predicate, &scope);
                input.rows.add(&condition);
                input.learn(equated);
                input
            }
            LogicalPlan::Window(node) => self.window_node(node, outer),
            LogicalPlan::Aggregate(node) => self.aggregate_node(node, outer),
            LogicalPlan::Sort(node) => {
                let mut input = self.plan(&node.input, outer);
                let scope = Scope { schema: node.input.schema(), flow: &input, outer };
                let keys = self.keys(&node.expr, Kind::Sort, &scope);
                let order = self.keys(&node.expr, Kind::Limit, &scope);
                input.rows.add(&keys);
                if node.fetch.is_some() {
                    input.rows.add(&order);
                }
                input.order = Some(order);
                input
            }
            LogicalPlan::Join(node) => self.join(node, outer),
            LogicalPlan::Repartition(node) => self.plan(&node.input, outer),
            LogicalPlan::Union(node) => {
                let inputs: Vec<Flow> =
                    node.inputs.iter().map(|input| self.plan(input, outer)).collect();
                united(node.schema.fields().len(), &inputs)
            }
            LogicalPlan::TableScan(node) => self.scan(node, outer),
            LogicalPlan::EmptyRelation(node) => Flow::of(
                vec![Influence::default(); node.schema.fields().len()],
                Influence::default(),
            ),
            LogicalPlan::Subquery(node) => self.plan(&node.subquery, outer),
            LogicalPlan::SubqueryAlias(node) => self.plan(&node.input, outer),
            LogicalPlan::Limit(node) => limited(self.plan(&node.input, outer)),
            LogicalPlan::Values(node) => self.values(node, outer),
            LogicalPlan::Distinct(node) => self.distinct(node, outer),
            LogicalPlan::Unnest(node) => self.unnest(node, outer),
            LogicalPlan::RecursiveQuery(node) => self.recursive_query(node, outer),
            // Not a query, or a node that somebody else defines.
            LogicalPlan::Statement(_)
            | LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::DescribeTable(_) => {
                let inputs: Vec<Flow> =
                    plan.inputs().into_iter().map(|input| self.plan(input, outer)).collect();
                Flow::opaque(plan.schema().fields().len(), &inputs)
            }
        }
    }

    fn window_node(&mut self, node: &Window, outer: Option<&Scope<'_>>) -> Flow {
        let input = self.plan(&node.input, outer);
        let scope = Scope { schema: node.input.schema(), flow: &input, outer };
        let mut columns = input.columns.clone();
        let mut rows = input.rows.clone();
        for expr in &node.window_expr {
            columns.push(self.value(expr, &scope));
            rows.add(&self.sorting(expr, &scope));
        }
        Flow::of(columns, rows)
    }

    /// Columns: the group keys, for grouping sets which of them is meant, the aggregates.
    fn aggregate_node(&mut self, node: &Aggregate, outer: Option<&Scope<'_>>) -> Flow {
        let input = self.plan(&node.input, outer);
        let width = node.schema.fields().len();
        let scope = Scope { schema: node.input.schema(), flow: &input, outer };
        let Ok(keys) = grouping_set_to_exprlist(&node.group_expr) else {
            return Flow::opaque(width, &[input]);
        };
        let mut rows = input.rows.clone();
        let mut columns = Vec::with_capacity(width);
        for key in keys {
            columns.push(self.value(key, &scope));
            rows.add(&self.about_rows(key, Kind::Group, &scope));
        }
        if matches!(node.group_expr.as_slice(), [Expr::GroupingSet(_)]) {
            columns.push(Influence::default());
        }
        for expr in &node.aggr_expr {
            columns.push(self.value(expr, &scope));
            rows.add(&self.sorting(expr, &scope));
        }
        if columns.len() != width {
            return Flow::opaque(width, &[input]);
        }
        Flow::of(columns, rows)
    }

    fn join(&mut self, node: &Join, outer: Option<&Scope<'_>>) -> Flow {
        let left = self.plan(&node.left, outer);
        // A lateral join's right side names columns of the left one.
        let around = Scope { schema: node.left.schema(), flow: &left, outer };
        let right = self.plan(&node.right, Some(&around));
        let mut both = Flow::of(left.columns.clone(), left.rows.clone());
        both.columns.extend(right.columns.iter().cloned());
        both.rows.add(&right.rows);
        let Ok(schema) = node.left.schema().join(node.right.schema()) else {
            return Flow::opaque(node.schema.fields().len(), &[left, right]);
        };
        let scope = Scope { schema: &schema, flow: &both, outer };
        let mut values = Influence::default();
        let mut equated = Vec::new();
        for (one, other) in &node.on {
            let equal = one.clone().eq(other.clone());
            values.add(&self.value(&equal, &scope));
            equated.extend(Self::equated(&equal, &scope));
        }
        let asked = node.filter.as_ref().map(|filter| {
            equated.extend(Self::equated(filter, &scope));
            self.value(filter, &scope)
        });
        let asked = asked.unwrap_or_default();
        values.add(&asked);
        // Where no row matched there are nulls, which show what decided about a match.
        let shown = |conditions: &Influence, side: &Flow| {
            let mut shown = conditions.clone().then(Kind::Computed);
            shown.add(&side.rows.clone().as_values());
            shown
        };
        let (from_left, from_right) = (shown(&asked, &left), shown(&asked, &right));
        both.learn(equated);
        let middle = left.columns.len();
        for (position, column) in both.columns.iter_mut().enumerate() {
            match node.join_type {
                JoinType::Left | JoinType::Full if position >= middle => column.add(&from_right),
                JoinType::Right | JoinType::Full if position < middle => column.add(&from_left),
                _ => {}
            }
        }
        let first = || both.columns.iter().take(middle).cloned();
        let second = || both.columns.iter().skip(middle).cloned();
        let columns: Vec<Influence> = match node.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                both.columns.clone()
            }
            JoinType::LeftSemi | JoinType::LeftAnti => first().collect(),
            JoinType::RightSemi | JoinType::RightAnti => second().collect(),
            JoinType::LeftMark => first().chain([shown(&values, &right)]).collect(),
            JoinType::RightMark => second().chain([shown(&values, &left)]).collect(),
        };
        both.rows.add(&values.then(Kind::Join));
        if columns.len() != node.schema.fields().len() {
            return Flow::opaque(node.schema.fields().len(), &[both]);
        }
        Flow::of(columns, both.rows)
    }

    fn scan(&mut self, node: &TableScan, outer: Option<&Scope<'_>>) -> Flow {
        let source = node.source.schema();
        let mut all = match self.recursive.get(node.table_name.table()) {
            Some(known) if node.table_name.schema().is_none() => known.clone(),
            _ => match ((self.leaf)(&node.table_name), node.source.get_logical_plan()) {
                (Some(relation), _) => leaf(&relation, source.fields().iter().map(|f| f.name())),
                (None, Some(view)) => self.plan(&view, outer),
                // A table function is given literals only.
                (None, None) if node.table_name.schema().is_none() => Flow::of(
                    vec![Influence::default(); source.fields().len()],
                    Influence::default(),
                ),
                (None, None) => {
                    let relation = Relation::Table {
                        source: node.table_name.schema().unwrap_or_default().to_owned(),
                        table: node.table_name.table().to_owned(),
                    };
                    leaf(&relation, source.fields().iter().map(|field| field.name()))
                }
            },
        };
        let mut rows = all.rows.clone();
        let width = node.projected_schema.fields().len();
        // Filters name columns that need not be among the projected ones.
        let schema = DFSchema::try_from_qualified_schema(node.table_name.clone(), &source);
        let Ok(schema) = schema else { return Flow::opaque(width, &[all]) };
        let scope = Scope { schema: &schema, flow: &all, outer };
        let mut equated = Vec::new();
        for filter in &node.filters {
            rows.add(&self.about_rows(filter, Kind::Filter, &scope));
            equated.extend(Self::equated(filter, &scope));
        }
        all.learn(equated);
        let columns: Option<Vec<Influence>> = match &node.projection {
            None => Some(all.columns.clone()),
            Some(positions) => {
                positions.iter().map(|position| all.columns.get(*position).cloned()).collect()
            }
        };
        match columns {
            Some(columns) if columns.len() == width => Flow::of(columns, rows),
            _ => Flow::opaque(width, &[all]),
        }
    }

    fn values(&mut self, node: &Values, outer: Option<&Scope<'_>>) -> Flow {
        let nothing = Flow::default();
        let scope = Scope { schema: &node.schema, flow: &nothing, outer };
        let mut columns = vec![Influence::default(); node.schema.fields().len()];
        for row in &node.values {
            for (column, expr) in columns.iter_mut().zip(row) {
                column.add(&self.value(expr, &scope));
            }
        }
        Flow::of(columns, Influence::default())
    }

    fn distinct(&mut self, node: &Distinct, outer: Option<&Scope<'_>>) -> Flow {
        match node {
            Distinct::All(input) => distinct(self.plan(input, outer)),
            Distinct::On(DistinctOn { on_expr, select_expr, sort_expr, input, .. }) => {
                let below = self.plan(input, outer);
                let scope = Scope { schema: input.schema(), flow: &below, outer };
                let columns: Vec<Influence> =
                    select_expr.iter().map(|expr| self.value(expr, &scope)).collect();
                let mut rows = below.rows.clone();
                for key in on_expr {
                    rows.add(&self.about_rows(key, Kind::Distinct, &scope));
                }
                match sort_expr {
                    Some(keys) => rows.add(&self.keys(keys, Kind::Limit, &scope)),
                    None => columns.iter().for_each(|column| {
                        rows.add(&column.clone().then(Kind::Limit));
                    }),
                }
                Flow::of(columns, rows)
            }
        }
    }

    fn unnest(&mut self, node: &Unnest, outer: Option<&Scope<'_>>) -> Flow {
        let input = self.plan(&node.input, outer);
        let mut rows = input.rows.clone();
        for (position, _) in &node.list_type_columns {
            match input.columns.get(*position) {
                Some(list) => rows.add(&list.clone().then(Kind::Unnested)),
                None => return Flow::opaque(node.schema.fields().len(), &[input]),
            }
        }
        let unnested = |position: &usize| {
            node.struct_type_columns.contains(position)
                || node.list_type_columns.iter().any(|(list, _)| list == position)
        };
        let columns: Option<Vec<Influence>> = node
            .dependency_indices
            .iter()
            .map(|position| {
                let column = input.columns.get(*position)?.clone();
                Some(if unnested(position) { column.then(Kind::Computed) } else { column })
            })
            .collect();
        match columns {
            Some(columns) if columns.len() == node.schema.fields().len() => Flow::of(columns, rows),
            _ => Flow::opaque(node.schema.fields().len(), &[input]),
        }
    }

    /// The least fixed point: each round can only add, and there is an end to what can be added.
    fn recursive_query(&mut self, node: &RecursiveQuery, outer: Option<&Scope<'_>>) -> Flow {
        let width = node.schema.fields().len();
        let begin = self.plan(&node.static_term, outer);
        let mut known = if node.is_distinct { distinct(begin) } else { begin };
        let before = self.recursive.remove(&node.name);
        loop {
            self.recursive.insert(node.name.clone(), known.clone());
            let step = self.plan(&node.recursive_term, outer);
            let both = united(width, &[known.clone(), step]);
            let next = if node.is_distinct { distinct(both) } else { both };
            if next == known {
                break;
            }
            known = next;
        }
        self.recursive.remove(&node.name);
        if let Some(before) = before {
            self.recursive.insert(node.name.clone(), before);
        }
        known
    }
}

/// A relation whose columns are origins.
fn leaf<'a>(relation: &Relation, columns: impl Iterator<Item = &'a String>) -> Flow {
    let origin =
        |column: Option<&String>| Origin { relation: relation.clone(), column: column.cloned() };
    let columns = columns.map(|name| Influence::of(origin(Some(name)), Kind::Copied));
    Flow::of(columns.collect(), Influence::of(origin(None), Kind::Filter))
}

/// Rows of several inputs, one after the other.
fn united(width: usize, inputs: &[Flow]) -> Flow {
    let mut all = Flow::of(vec![Influence::default(); width], Influence::default());
    for input in inputs {
        if input.columns.len() != width {
            return Flow::opaque(width, inputs);
        }
        for (column, other) in all.columns.iter_mut().zip(&input.columns) {
            column.add(other);
        }
        all.rows.add(&input.rows);
    }
    all
}

/// Each row once: which rows there are depends on all their values.
fn distinct(mut flow: Flow) -> Flow {
    for column in &flow.columns {
        flow.rows.add(&column.clone().then(Kind::Distinct));
    }
    flow.order = None;
    flow
}

/// Which rows a limit lets through is a matter of their order, and without one of anything.
fn limited(mut flow: Flow) -> Flow {
    match &flow.order {
        Some(order) => flow.rows.add(order),
        None => {
            for column in &flow.columns {
                flow.rows.add(&column.clone().then(Kind::Limit));
            }
        }
    }
    flow
}
