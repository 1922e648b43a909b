//! Dates and timestamps as counts of ticks, and the arithmetic masks need on them.
//!
//! All in UTC: a day is 24 hours, a timestamp's time zone only says how it is shown.

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use chrono::{Datelike, NaiveDate};

use crate::error::MaskError;
use crate::forms::logical;
use crate::numbers::mapped;

/// Days from 0001-01-01 (day 1, as chrono counts) to 1970-01-01.
const EPOCH_DAY: i64 = 719_163;

/// Ticks of a day in this type; none if it is no date or timestamp.
pub(crate) fn ticks_per_day(input: &DataType) -> Option<i64> {
    const SECONDS: i64 = 86_400;
    match logical(input) {
        DataType::Date32 => Some(1),
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => Some(SECONDS * 1_000),
        DataType::Timestamp(TimeUnit::Second, _) => Some(SECONDS),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(SECONDS * 1_000_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Some(SECONDS * 1_000_000_000),
        _ => None,
    }
}

/// Maps the ticks of a plain date or timestamp column, with the row number, to the same type;
/// none, and a result that does not fit the type, give null.
pub(crate) fn map_ticks(
    column: &ArrayRef,
    map: impl Fn(usize, i64) -> Option<i64>,
) -> Result<ArrayRef, MaskError> {
    use TimeUnit as U;
    match column.data_type() {
        DataType::Date32 => Ok(mapped::<Date32Type>(column, |row, ticks| {
            map(row, i64::from(ticks)).and_then(|ticks| i32::try_from(ticks).ok())
        })),
        DataType::Date64 => Ok(mapped::<Date64Type>(column, map)),
        DataType::Timestamp(unit, _) => Ok(match unit {
            U::Second => mapped::<TimestampSecondType>(column, map),
            U::Millisecond => mapped::<TimestampMillisecondType>(column, map),
            U::Microsecond => mapped::<TimestampMicrosecondType>(column, map),
            U::Nanosecond => mapped::<TimestampNanosecondType>(column, map),
        }),
        found => {
            Err(MaskError::UnexpectedType { expected: DataType::Date32, found: found.clone() })
        }
    }
}

/// The date of a day (days since 1970-01-01); none outside chrono's range of years.
pub(crate) fn date_of_day(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(day.checked_add(EPOCH_DAY)?.try_into().ok()?)
}

/// The ticks of a plain date or timestamp column, as 64-bit integers.
pub(crate) fn ticks_of(column: &ArrayRef) -> Result<ArrayRef, MaskError> {
    // Dates of 32 bits cast to 64-bit integers by way of 32-bit ones only.
    let whole = match column.data_type() {
        DataType::Date32 => cast(column, &DataType::Int32),
        _ => Ok(ArrayRef::clone(column)),
    };
    whole
        .and_then(|whole| cast(&whole, &DataType::Int64))
        .map_err(|_| MaskError::Kernel { operation: "read dates as numbers" })
}

/// The first day of a period that holds `day` (days since 1970-01-01); none outside chrono's
/// range of years.
pub(crate) fn first_day(day: i64, period: Period) -> Option<i64> {
    if period == Period::Week {
        // 1970-01-01 was a Thursday; ISO 8601 weeks begin on Monday.
        return day.checked_sub(day.checked_add(3)?.rem_euclid(7));
    }
    let date = date_of_day(day)?;
    let after_first = match period {
        Period::Year => date.ordinal0(),
        Period::Quarter => {
            let first = NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1)?;
            date.ordinal0() - first.ordinal0()
        }
        Period::Month | Period::Week => date.day0(),
    };
    Some(day - i64::from(after_first))
}

/// A period of whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    /// From 1 January.
    Year,
    /// From 1 January, April, July, October.
    Quarter,
    /// From the first.
    Month,
    /// From Monday.
    Week,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_days() {
        let day = |text: &str| {
            let date: NaiveDate = text.parse().unwrap();
            i64::from(date.num_days_from_ce()) - EPOCH_DAY
        };
        assert_eq!(day("1970-01-01"), 0);
        for (date, period, first) in [
            ("2024-02-29", Period::Year, "2024-01-01"),
            ("2024-12-31", Period::Quarter, "2024-10-01"),
            ("1969-12-31", Period::Month, "1969-12-01"),
            ("2024-03-03", Period::Week, "2024-02-26"),
            ("1969-12-29", Period::Week, "1969-12-29"),
        ] {
            assert_eq!(first_day(day(date), period), Some(day(first)), "{date}");
        }
        for extreme in [i64::MIN, i64::MAX, i64::from(i32::MAX)] {
            assert_eq!(first_day(extreme, Period::Year), None);
        }
        assert_eq!(first_day(i64::MIN, Period::Week), None);
    }
}
