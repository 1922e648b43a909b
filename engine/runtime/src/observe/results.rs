//! What the streams found, put together: counts, and handles of what failed.

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use engine_masking::{Absent, row_digests};
use engine_project::{Relation, identifier};
use futures::TryStreamExt;

use super::check::{Check, Watch};
use super::digest::handle;
use super::tally::{Group, Pair, Tally};
use super::watcher::{AFTER, BEFORE, Handles, State, count};

/// Seconds that clocks may differ, and days begin in other zones, before a moment lies ahead.
const AHEAD_SECONDS: i64 = 86_400;

/// How a test came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measured {
    /// Rows, values or groups that fail it.
    pub failures: u64,
    /// What it measured: the smallest group, the rows.
    pub measured: Option<u64>,
    /// Some of what failed, by its handles, in ascending order.
    pub handles: Vec<String>,
}

impl Watch {
    /// The outcome of each test, once all streams have ended. `sources` has the relations that columns
    /// refer to; `now` is the moment that ages are counted from, in microseconds since 1970.
    ///
    /// # Errors
    /// A relation that cannot be read, or a tally that cannot be.
    pub async fn results(&self, sources: &SessionContext, now: i64) -> Result<Vec<Measured>> {
        let states = self.together()?;
        let mut results = Vec::with_capacity(states.len());
        for (check, state) in self.checks.iter().zip(states) {
            results.push(match (check, state) {
                (Check::Related { to, field, .. }, State::Groups(mut tally)) => {
                    self.referred(sources, to, field, &mut tally).await?;
                    orphans(tally)?
                }
                (check, state) => measured(check, state, now)?,
            });
        }
        Ok(results)
    }

    /// Adds the values that a column may refer to.
    async fn referred(
        &self,
        sources: &SessionContext,
        to: &Relation,
        field: &str,
        tally: &mut Tally<Group>,
    ) -> Result<()> {
        let sql = format!("SELECT {} FROM {}", identifier(field), to.quoted());
        let mut rows = sources.sql(&sql).await?.execute_stream().await?;
        while let Some(batch) = rows.try_next().await? {
            let digests = row_digests(batch.columns(), &self.key, Absent::Null);
            let digests = digests.map_err(|error| DataFusionError::External(Box::new(error)))?;
            count(tally, digests, AFTER)?;
        }
        Ok(())
    }
}

fn measured(check: &Check, state: State, now: i64) -> Result<Measured> {
    Ok(match (check, state) {
        (_, State::Rows { failures, handles }) => found(failures, None, &handles),
        (Check::Unique { .. }, State::Groups(tally)) => groups(tally, |group| group.rows > 1)?,
        (Check::Leak { .. }, State::Groups(tally)) => {
            groups(tally, |group| group.sides == BEFORE | AFTER)?
        }
        (Check::Size { least, .. }, State::Groups(tally)) => {
            let mut smallest = None;
            let sizes = groups(tally, |group| {
                smallest = Some(smallest.map_or(group.rows, |rows: u64| rows.min(group.rows)));
                group.rows < *least
            })?;
            Measured { measured: smallest, ..sizes }
        }
        (Check::Spread { least, .. }, State::Pairs(tally)) => spread(tally, *least)?,
        (Check::Count { min, max }, State::Count(rows)) => {
            let few = min.is_some_and(|min| rows < min);
            let many = max.is_some_and(|max| rows > max);
            found(u64::from(few || many), Some(rows), &Handles::default())
        }
        (Check::Fresh { seconds, .. }, State::Newest(newest)) => {
            let age = newest.map(|newest| now.saturating_sub(newest) / 1_000_000);
            let bound = i64::try_from(*seconds).unwrap_or(i64::MAX);
            // A moment that lies ahead says nothing of how fresh the others are.
            let stale = age.is_none_or(|age| age > bound || age < -AHEAD_SECONDS);
            found(u64::from(stale), None, &Handles::default())
        }
        _ => return Err(DataFusionError::Internal("a test and its state differ".to_owned())),
    })
}

fn found(failures: u64, measured: Option<u64>, handles: &Handles) -> Measured {
    Measured { failures, measured, handles: handles.digests().map(handle).collect() }
}

/// The groups that fail.
fn groups(tally: Tally<Group>, mut fails: impl FnMut(&Group) -> bool) -> Result<Measured> {
    let mut handles = Handles::default();
    let mut failures = 0_u64;
    tally.finish(|group| {
        if fails(&group) {
            failures = failures.saturating_add(1);
            handles.add(group.digest);
        }
    })?;
    Ok(found(failures, None, &handles))
}

/// Rows whose value was seen before only.
fn orphans(tally: Tally<Group>) -> Result<Measured> {
    let mut rows = 0_u64;
    let lost = groups(tally, |group| {
        let lost = group.sides == BEFORE;
        rows = rows.saturating_add(if lost { group.rows } else { 0 });
        lost
    })?;
    Ok(Measured { failures: rows, ..lost })
}

/// The groups with fewer different values than `least`. Pairs come group by group.
fn spread(tally: Tally<Pair>, least: u64) -> Result<Measured> {
    let mut sizes = Spreads::default();
    tally.finish(|pair| {
        if sizes.group != Some(pair.group) {
            sizes.end(least);
            sizes.group = Some(pair.group);
        }
        sizes.values = sizes.values.saturating_add(u64::from(pair.value.is_some()));
    })?;
    sizes.end(least);
    Ok(found(sizes.failures, sizes.smallest, &sizes.handles))
}

#[derive(Default)]
struct Spreads {
    group: Option<u128>,
    values: u64,
    failures: u64,
    smallest: Option<u64>,
    handles: Handles,
}

impl Spreads {
    fn end(&mut self, least: u64) {
        let Some(group) = self.group.take() else { return };
        let values = std::mem::take(&mut self.values);
        self.smallest = Some(self.smallest.map_or(values, |smallest| smallest.min(values)));
        if values < least {
            self.failures = self.failures.saturating_add(1);
            self.handles.add(group);
        }
    }
}
