//! Information flow: which source columns an output column depends on, and how.
//!
//! ```text
//!  SELECT upper(email) AS e, count(*) AS n FROM crm.customers WHERE country = 'DE' GROUP BY 1
//!
//!  e     computed  crm.customers.email
//!  n     (a count of rows: no value of any column)
//!  rows  filter    crm.customers.country      what decides which rows there are, and how often,
//!        group     crm.customers.email        is part of every column
//! ```
//!
//! The analysis follows the optimised logical plan of one query, whose leaves are source tables and
//! other models (`plan`, `expr`). It is *sound*: if a column's values and the rows do not name an
//! origin, changing that origin's values changes neither (Goguen and Meseguer, "Security Policies and
//! Security Models", 1982: noninterference). A run that fails is not counted: that a division by zero
//! happened is not part of the output. What the analysis does not know carries everything.

mod edge;
mod expr;
mod plan;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::common::TableReference;
use datafusion::common::alias::AliasGenerator;
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{Optimizer, OptimizerConfig};
use engine_project::Relation;

pub use edge::{Influence, Kind, Kinds, Origin};
pub use expr::is_summary;
pub use plan::Flow;

/// Turns `count(DISTINCT x)` into a count over groups of `x`. That is the same number, but a count of
/// distinct values says more than a count of rows, and should go on to look different.
const NOT_APPLIED: &str = "single_distinct_aggregation_to_group_by";

/// The optimised plan of a query, for [`of_plan`].
///
/// # Errors
/// Those of DataFusion's analyzer and optimizer.
pub fn optimized(state: &SessionState, plan: &LogicalPlan) -> Result<LogicalPlan> {
    let analyzed =
        state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {})?;
    let rules = state.optimizer().rules.iter().filter(|rule| rule.name() != NOT_APPLIED);
    let optimizer = Optimizer::with_rules(rules.map(Arc::clone).collect());
    optimizer.optimize(analyzed, &OwnNames { state, aliases: Arc::default() }, |_, _| {})
}

/// The session, but for the names that the optimizer invents: it numbers them anew for each query, so that
/// a plan does not depend on those that were made before it.
struct OwnNames<'a> {
    state: &'a SessionState,
    aliases: Arc<AliasGenerator>,
}

impl OptimizerConfig for OwnNames<'_> {
    fn query_execution_start_time(&self) -> Option<DateTime<Utc>> {
        OptimizerConfig::query_execution_start_time(self.state)
    }

    fn alias_generator(&self) -> &Arc<AliasGenerator> {
        &self.aliases
    }

    fn options(&self) -> Arc<ConfigOptions> {
        OptimizerConfig::options(self.state)
    }

    fn function_registry(&self) -> Option<&dyn FunctionRegistry> {
        OptimizerConfig::function_registry(self.state)
    }
}

/// What a query depends on, from its optimised plan. `leaf` says which table or model a scan reads; a
/// scan of anything else is looked into where it is a view, and is an origin of its own otherwise.
pub fn of_plan(
    optimized: &LogicalPlan,
    leaf: &dyn Fn(&TableReference) -> Option<Relation>,
) -> Flow {
    plan::of_plan(optimized, leaf)
}

#[cfg(test)]
#[path = "../../tests/noninterference/mod.rs"]
mod noninterference;
