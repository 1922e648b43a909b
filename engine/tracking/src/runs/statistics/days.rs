//! What was done day by day, in UTC.

use chrono::{Days, NaiveDate};
use serde::Serialize;

use super::{
    super::{overview::Glance, record::State},
    Window,
    robust::median,
};

/// More days than this are no chart any more.
const DAYS_MAX: u64 = 400;

/// What was done on a day: executions count for the day on which they started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Which, as `2026-11-23`.
    pub day: String,
    /// How many executions started.
    pub total: u64,
    /// How many of them succeeded.
    pub success: u64,
    /// How many of them failed.
    pub failed: u64,
    /// The median duration of those that succeeded; null where none did.
    pub median_us: Option<u64>,
    /// Rows that came out of sources.
    pub rows_read: u64,
    /// Rows in which something was masked.
    pub rows_masked: u64,
    /// Rows that were written.
    pub rows_written: u64,
    /// Bytes that the store has more of.
    pub bytes_written: u64,
    /// Bytes that the store has fewer of.
    pub bytes_freed: u64,
    /// What the store has more or fewer of since the first of these days, this one included.
    pub growth_bytes: i64,
}

/// Every day of the window, also those on which nothing was done.
pub(super) fn days(operations: &[&Glance<'_>], window: Window) -> Vec<Day> {
    let last = window.now.date_naive();
    let earliest = last.checked_sub_days(Days::new(DAYS_MAX - 1)).unwrap_or(NaiveDate::MIN);
    let first = window.since.date_naive().max(earliest);
    let dates: Vec<NaiveDate> = first.iter_days().take_while(|date| *date <= last).collect();
    let mut days = vec![(Day::default(), Vec::new()); dates.len()];
    for operation in operations {
        let index = operation.started.date_naive().signed_duration_since(first).num_days();
        let day = usize::try_from(index).ok().and_then(|index| days.get_mut(index));
        if let Some((day, durations)) = day {
            add(day, operation);
            let is_success = operation.status == State::Success;
            durations.extend(operation.duration_us.filter(|_| is_success));
        }
    }
    let mut growth: i64 = 0;
    let shown = dates.iter().zip(days).map(|(date, (mut day, mut durations))| {
        let written = i64::try_from(day.bytes_written).unwrap_or(i64::MAX);
        let freed = i64::try_from(day.bytes_freed).unwrap_or(i64::MAX);
        growth = growth.saturating_add(written).saturating_sub(freed);
        day.growth_bytes = growth;
        day.day = date.to_string();
        day.median_us = median(&mut durations);
        day
    });
    shown.collect()
}

fn add(day: &mut Day, operation: &Glance<'_>) {
    let volume = operation.volume;
    let is = |state: State| u64::from(operation.status == state);
    for (sum, one) in [
        (&mut day.total, 1),
        (&mut day.success, is(State::Success)),
        (&mut day.failed, is(State::Failed)),
        (&mut day.rows_read, volume.rows_read),
        (&mut day.rows_masked, volume.rows_masked),
        (&mut day.rows_written, volume.rows_written),
        (&mut day.bytes_written, volume.bytes_written),
        (&mut day.bytes_freed, volume.bytes_freed),
    ] {
        *sum = sum.saturating_add(one);
    }
}
