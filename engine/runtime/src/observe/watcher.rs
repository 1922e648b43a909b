//! Watches the rows of one stream.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter, max};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{DataFusionError, Result};
use engine_masking::{Absent, row_digests};

use super::check::{Check, Watch, at};
use super::tally::{Group, Pair, Tally};

/// Rows or values that a finding names; the others are only counted.
const HANDLES_MAX: usize = 5;

/// The side of a tally that a mask's input, or a referring column, stands on.
pub(super) const BEFORE: u8 = 1;
/// The side of what is published, or referred to.
pub(super) const AFTER: u8 = 2;

/// The least digests of those that failed: which ones does not depend on the order of rows.
#[derive(Debug, Default)]
pub(super) struct Handles(BTreeSet<u128>);

impl Handles {
    pub(super) fn add(&mut self, digest: u128) {
        self.0.insert(digest);
        if self.0.len() > HANDLES_MAX {
            self.0.pop_last();
        }
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = u128> {
        self.0.iter().copied()
    }
}

/// What a test found so far.
pub(super) enum State {
    Rows { failures: u64, handles: Handles },
    Groups(Tally<Group>),
    Pairs(Tally<Pair>),
    Count(u64),
    Newest(Option<i64>),
}

impl State {
    pub(super) fn of(check: &Check, watch: &Watch) -> Self {
        match check {
            Check::Rows { .. } => Self::Rows { failures: 0, handles: Handles::default() },
            Check::Unique { .. }
            | Check::Size { .. }
            | Check::Leak { .. }
            | Check::Related { .. } => Self::Groups(watch.groups()),
            Check::Spread { .. } => Self::Pairs(watch.pairs()),
            Check::Count { .. } => Self::Count(0),
            Check::Fresh { .. } => Self::Newest(None),
        }
    }

    pub(super) fn absorb(&mut self, other: Self) -> io::Result<()> {
        match (self, other) {
            (Self::Rows { failures, handles }, Self::Rows { failures: more, handles: others }) => {
                *failures = failures.saturating_add(more);
                others.digests().for_each(|digest| handles.add(digest));
            }
            (Self::Groups(own), Self::Groups(other)) => own.absorb(other)?,
            (Self::Pairs(own), Self::Pairs(other)) => own.absorb(other)?,
            (Self::Count(own), Self::Count(other)) => *own = own.saturating_add(other),
            (Self::Newest(own), Self::Newest(other)) => *own = (*own).max(other),
            _ => return Err(io::Error::other("states of different tests")),
        }
        Ok(())
    }
}

/// Takes note of one stream's rows.
pub struct Watcher {
    watch: Arc<Watch>,
    states: Vec<State>,
}

impl Watcher {
    pub(super) fn new(watch: Arc<Watch>) -> Self {
        let states = watch.checks.iter().map(|check| State::of(check, &watch)).collect();
        Self { watch, states }
    }

    /// Takes note of rows as they are published.
    ///
    /// # Errors
    /// A condition that cannot be computed for a row, or a tally that cannot be written.
    pub fn published(&mut self, rows: &RecordBatch) -> Result<()> {
        let watch = Arc::clone(&self.watch);
        for (check, state) in watch.checks.iter().zip(&mut self.states) {
            let digests = |positions: &[usize], absent| {
                row_digests(&at(rows.columns(), positions), &watch.key, absent).map_err(external)
            };
            match (check, state) {
                (Check::Rows { failing }, State::Rows { failures, handles }) => {
                    let found = failing.evaluate(rows)?.into_array(rows.num_rows())?;
                    let found = failed(&found)?;
                    if found.true_count() > 0 {
                        *failures = failures.saturating_add(found.true_count() as u64);
                        let rows = failing_rows(rows, &watch.row_columns, &found)?;
                        let digests = row_digests(&rows, &watch.key, Absent::Nothing);
                        digests
                            .map_err(external)?
                            .into_iter()
                            .flatten()
                            .for_each(|d| handles.add(d));
                    }
                }
                (Check::Unique { columns }, State::Groups(tally)) => {
                    count(tally, digests(columns, Absent::Null)?, AFTER)?;
                }
                (Check::Size { columns, .. }, State::Groups(tally)) => {
                    count(tally, digests(columns, Absent::Nothing)?, AFTER)?;
                }
                (Check::Leak { published, .. }, State::Groups(tally)) => {
                    count(tally, digests(&[*published], Absent::NullOrEmpty)?, AFTER)?;
                }
                (Check::Spread { columns, value, .. }, State::Pairs(tally)) => {
                    let groups = digests(columns, Absent::Nothing)?;
                    let values = digests(&[*value], Absent::Null)?;
                    for (group, value) in groups.into_iter().zip(values) {
                        if let Some(group) = group {
                            tally.add(Pair { group, value })?;
                        }
                    }
                }
                (Check::Count { .. }, State::Count(rows_so_far)) => {
                    *rows_so_far = rows_so_far.saturating_add(rows.num_rows() as u64);
                }
                (Check::Fresh { column, .. }, State::Newest(newest)) => {
                    let moments = at(rows.columns(), &[*column]);
                    *newest = (*newest).max(moments.first().map(newest_of).transpose()?.flatten());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes note of the digests of inputs, one column for each of [`Watch::inputs`].
    ///
    /// # Errors
    /// A tally that cannot be written.
    pub fn inputs(&mut self, digests: &[ArrayRef]) -> Result<()> {
        let watch = Arc::clone(&self.watch);
        for (check, state) in watch.checks.iter().zip(&mut self.states) {
            let (Check::Leak { input, .. } | Check::Related { input, .. }) = check else {
                continue;
            };
            let (State::Groups(tally), Some(column)) = (state, digests.get(*input)) else {
                continue;
            };
            let found = column.as_fixed_size_binary().iter();
            let found = found.map(|bytes| Some(u128::from_le_bytes(*bytes?.first_chunk()?)));
            count(tally, found.collect(), BEFORE)?;
        }
        Ok(())
    }

    /// Takes note of rows that hold the published columns and then the digests of inputs, and gives the
    /// published ones back.
    ///
    /// # Errors
    /// As [`published`](Self::published) and [`inputs`](Self::inputs).
    pub fn rows(&mut self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.watch.columns;
        let published = rows.project(&(0..columns).collect::<Vec<_>>())?;
        self.published(&published)?;
        self.inputs(rows.columns().get(columns..).unwrap_or_default())?;
        Ok(published)
    }

    /// Hands over what was found, at the end of the stream.
    pub fn finish(self) {
        self.watch.end(self.states);
    }
}

/// Counts digests as seen on one side.
pub(super) fn count(tally: &mut Tally<Group>, digests: Vec<Option<u128>>, side: u8) -> Result<()> {
    for digest in digests.into_iter().flatten() {
        tally.add(Group { digest, rows: 1, sides: side })?;
    }
    Ok(())
}

/// Rows that surely fail: a condition that gives null does not hold.
fn failed(found: &ArrayRef) -> Result<BooleanArray> {
    let found = cast(found, &DataType::Boolean)?;
    let found = found.as_boolean();
    Ok(found.iter().map(|fails| Some(fails == Some(true))).collect())
}

fn failing_rows(
    rows: &RecordBatch,
    columns: &[usize],
    which: &BooleanArray,
) -> Result<Vec<ArrayRef>> {
    let columns = at(rows.columns(), columns);
    columns.iter().map(|column| Ok(filter(column, which)?)).collect()
}

/// The newest moment of a column, in microseconds since 1970.
fn newest_of(column: &ArrayRef) -> Result<Option<i64>> {
    let moments = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    Ok(max(moments.as_primitive::<TimestampMicrosecondType>()))
}

fn external(error: engine_masking::MaskError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
