//! The oracle of the flow analysis: run a query twice, the second time with other values in one source
//! column. What does not depend on that column, says the analysis, must come out the same.
//!
//! ```text
//!  seed ─▶ query ─┬─▶ flow: column 2 does not depend on crm.a.email
//!                 ├─▶ rows of it ───────────────────────────┐ equal in column 2?
//!                 └─▶ rows of it, crm.a.email changed ──────┘
//! ```
//!
//! `ENGINE_FLOW_QUERIES` sets how many queries are made, `ENGINE_FLOW_SEED` where to begin: a miss is
//! reported with both.

mod data;
mod queries;

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::util::display::array_value_to_string;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use engine_project::Relation;

use super::edge::Origin;
use super::plan::Flow;
use data::{Data, TABLES};
use queries::Queries;

/// Queries of a run of the test suite.
const QUERIES: u64 = 2_000;

/// What a round of queries came to.
#[derive(Default)]
struct Tally {
    /// Queries that could be planned and carried out.
    ran: u64,
    /// Pairs of a query and a changed column that an output column was declared not to depend on.
    compared: u64,
    /// Of those, pairs where another output column did change: the change was one that shows.
    telling: u64,
}

#[test]
#[expect(clippy::disallowed_methods, reason = "settings of the test itself")]
fn what_does_not_depend_on_a_column_does_not_change_with_it() {
    let setting = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let first = setting("ENGINE_FLOW_SEED", 0);
    let count = setting("ENGINE_FLOW_QUERIES", QUERIES);
    let halves = [(first, count / 2), (first + count / 2, count - count / 2)];
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            halves.iter().map(|(first, count)| scope.spawn(|| round(*first, *count))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no miss")).collect()
    });
    let sum = |of: fn(&Tally) -> u64| tallies.iter().map(of).sum::<u64>();
    let (ran, compared, telling) = (sum(|t| t.ran), sum(|t| t.compared), sum(|t| t.telling));
    assert!(ran * 10 > count * 8, "only {ran} of {count} queries could be carried out");
    assert!(compared > ran, "{compared} comparisons of {ran} queries: the analysis knows little");
    assert!(telling * 20 > compared, "{telling} of {compared} changes showed anywhere");
}

fn round(first: u64, count: u64) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut tally = Tally::default();
    runtime.block_on(async {
        let plain = Data::new().session();
        let changed: Vec<(Origin, SessionContext)> = origins()
            .into_iter()
            .map(|origin| {
                let session = Data::new().with_other(&origin).session();
                (origin, session)
            })
            .collect();
        for seed in first..first + count {
            let sql = Queries::new(seed).query();
            one(seed, &sql, &plain, &changed, &mut tally).await;
        }
    });
    tally
}

fn origins() -> Vec<Origin> {
    let of = |(table, columns): &(&str, &[(&str, _)])| {
        let relation = Relation::Table { source: "crm".to_owned(), table: (*table).to_owned() };
        columns
            .iter()
            .map(|(name, _)| Origin {
                relation: relation.clone(),
                column: Some((*name).to_owned()),
            })
            .collect::<Vec<_>>()
    };
    TABLES.iter().flat_map(of).collect()
}

async fn one(
    seed: u64,
    sql: &str,
    plain: &SessionContext,
    changed: &[(Origin, SessionContext)],
    tally: &mut Tally,
) {
    let Ok(plan) = plain.state().create_logical_plan(sql).await else { return };
    let Ok(flow) = flow(plain, &plan) else { return };
    let Some(before) = rows(plain, sql).await else { return };
    tally.ran += 1;
    for (origin, session) in changed {
        // A table that is not read is no test.
        if !flow.rows.on(origin).is_empty() || !sql.contains(&format!("{} ", origin.relation)) {
            continue;
        }
        let independent: BTreeSet<usize> = (0..flow.columns.len())
            .filter(|position| flow.columns[*position].on(origin).is_empty())
            .collect();
        if independent.is_empty() {
            continue;
        }
        let Some(after) = rows(session, sql).await else { continue };
        tally.compared += 1;
        tally.telling += u64::from(before != after);
        assert!(
            only(&before, &independent) == only(&after, &independent),
            "columns {independent:?} depend on {origin}, and the analysis does not say so; seed \
             {seed}\n{sql}"
        );
    }
}

fn flow(session: &SessionContext, plan: &LogicalPlan) -> datafusion::error::Result<Flow> {
    let optimized = super::optimized(&session.state(), plan)?;
    Ok(super::of_plan(&optimized, &|name| {
        let source = name.schema()?.to_owned();
        Some(Relation::Table { source, table: name.table().to_owned() })
    }))
}

/// The rows as text; none where the query fails, which is no output.
async fn rows(session: &SessionContext, sql: &str) -> Option<Vec<Vec<String>>> {
    let batches = session.sql(sql).await.ok()?.collect().await.ok()?;
    let row = |batch: &RecordBatch, row: usize| {
        let cell = |array: &ArrayRef| array_value_to_string(array, row).expect("every type prints");
        batch.columns().iter().map(cell).collect::<Vec<_>>()
    };
    Some(batches.iter().flat_map(|b| (0..b.num_rows()).map(|at| row(b, at))).collect())
}

/// The rows with these columns only, in any order.
fn only(rows: &[Vec<String>], columns: &BTreeSet<usize>) -> Vec<Vec<String>> {
    let cut = |row: &Vec<String>| columns.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
    let mut found: Vec<Vec<String>> = rows.iter().map(cut).collect();
    found.sort();
    found
}
