//! Dates, timestamps and times of day as counts of ticks, and the arithmetic masks need on them.
//!
//! A day is 24 hours, and the calendar the proleptic Gregorian one for all of the types' ranges: year 0
//! and those before it included. The least and the greatest number of a type are PostgreSQL's
//! `-infinity` and `infinity`: no mask moves them, and no date becomes one.

use arrow::array::{ArrayRef, ArrowNativeTypeOp, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

use crate::error::MaskError;
use crate::forms::logical;
use crate::numbers::mapped;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAY: i64 = 719_468;
/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;
/// Days from 1 March to 1 January.
const DAYS_TO_JANUARY: u32 = 306;
/// More days than any type has a tick for.
const DAYS_MAX: i64 = 1 << 50;
/// More eras than there are in them.
const ERAS_BEFORE: i64 = DAYS_MAX / ERA_DAYS + 1;

/// Ticks of a day in this type; none if it is no date or timestamp.
pub(crate) fn ticks_per_day(input: &DataType) -> Option<i64> {
    match logical(input) {
        DataType::Date32 => Some(1),
        DataType::Date64 => Some(SECONDS_PER_DAY * 1_000),
        DataType::Timestamp(unit, _) => Some(SECONDS_PER_DAY * per_second(*unit)),
        _ => None,
    }
}

/// Ticks of a second; none if the type has no time of day.
pub(crate) fn ticks_per_second(input: &DataType) -> Option<i64> {
    match logical(input) {
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            Some(per_second(*unit))
        }
        _ => None,
    }
}

/// Seconds of a day.
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Maps the ticks of a plain column of dates, timestamps or times of day, with the row number, to the
/// same type; none, and a result that does not fit the type, give null. Infinities stay.
pub(crate) fn map_ticks(
    column: &ArrayRef,
    map: impl Fn(usize, i64) -> Option<i64>,
) -> Result<ArrayRef, MaskError> {
    use TimeUnit as U;
    let short = |row, ticks: i32| i32::try_from(map(row, ticks.into())?).ok();
    match column.data_type() {
        DataType::Date32 => Ok(finite::<Date32Type>(column, map)),
        DataType::Date64 => Ok(finite::<Date64Type>(column, map)),
        DataType::Timestamp(unit, _) => Ok(match unit {
            U::Second => finite::<TimestampSecondType>(column, map),
            U::Millisecond => finite::<TimestampMillisecondType>(column, map),
            U::Microsecond => finite::<TimestampMicrosecondType>(column, map),
            U::Nanosecond => finite::<TimestampNanosecondType>(column, map),
        }),
        DataType::Time32(U::Second) => Ok(mapped::<Time32SecondType>(column, short)),
        DataType::Time32(_) => Ok(mapped::<Time32MillisecondType>(column, short)),
        DataType::Time64(U::Microsecond) => Ok(mapped::<Time64MicrosecondType>(column, map)),
        DataType::Time64(_) => Ok(mapped::<Time64NanosecondType>(column, map)),
        found => Err(no_date(found)),
    }
}

/// Adds to the ticks of a plain column of dates or timestamps what `by` says of the row, `most` either way
/// at most; none, and a result that does not fit the type, give null. Infinities stay.
pub(crate) fn move_ticks(
    column: &ArrayRef,
    most: i64,
    by: impl Fn(usize) -> Option<i64>,
) -> Result<ArrayRef, MaskError> {
    use TimeUnit as U;
    match column.data_type() {
        DataType::Date32 => Ok(moved::<Date32Type>(column, most, by)),
        DataType::Date64 => Ok(moved::<Date64Type>(column, most, by)),
        DataType::Timestamp(unit, _) => Ok(match unit {
            U::Second => moved::<TimestampSecondType>(column, most, by),
            U::Millisecond => moved::<TimestampMillisecondType>(column, most, by),
            U::Microsecond => moved::<TimestampMicrosecondType>(column, most, by),
            U::Nanosecond => moved::<TimestampNanosecondType>(column, most, by),
        }),
        found => Err(no_date(found)),
    }
}

fn no_date(found: &DataType) -> MaskError {
    MaskError::UnexpectedType { expected: DataType::Date32, found: found.clone() }
}

/// Looks at each row for infinities only where the column or the mapped one may hold one: seldom.
fn finite<T>(column: &ArrayRef, map: impl Fn(usize, i64) -> Option<i64>) -> ArrayRef
where
    T: ArrowPrimitiveType<Native: Into<i64> + TryFrom<i64>>,
{
    let map = |row, ticks: T::Native| T::Native::try_from(map(row, ticks.into())?).ok();
    let greatest = T::Native::MAX_TOTAL_ORDER;
    if reach::<T>(column) < greatest.into() {
        let mapped = mapped::<T>(column, map);
        if reach::<T>(&mapped) < greatest.into() {
            return mapped;
        }
    }
    let is_infinite = |ticks| ticks == T::Native::MIN_TOTAL_ORDER || ticks == greatest;
    mapped::<T>(column, |row, ticks| {
        if is_infinite(ticks) {
            return Some(ticks);
        }
        map(row, ticks).filter(|ticks| !is_infinite(*ticks))
    })
}

fn moved<T>(column: &ArrayRef, most: i64, by: impl Fn(usize) -> Option<i64>) -> ArrayRef
where
    T: ArrowPrimitiveType<Native: Into<i64> + TryFrom<i64>>,
{
    let end = reach::<T>(column).checked_add(most).and_then(|end| end.checked_add(1));
    if end.is_none_or(|end| end >= T::Native::MAX_TOTAL_ORDER.into()) {
        return finite::<T>(column, |row, ticks| ticks.checked_add(by(row)?));
    }
    mapped::<T>(column, |row, ticks| Some(ticks.add_wrapping(T::Native::try_from(by(row)?).ok()?)))
}

/// No value is greater, nor less than the negative of it less 1: the bits of all values together.
fn reach<T: ArrowPrimitiveType<Native: Into<i64>>>(column: &ArrayRef) -> i64 {
    column.as_primitive::<T>().values().iter().fold(0, |bits, ticks| {
        let ticks: i64 = (*ticks).into();
        bits | (ticks ^ (ticks >> 63))
    })
}

/// Whether these ticks of a date or timestamp are an infinity.
pub(crate) fn is_infinite(input: &DataType, ticks: i64) -> bool {
    match input {
        DataType::Date32 => ticks == i64::from(i32::MIN) || ticks == i64::from(i32::MAX),
        _ => matches!(ticks, i64::MIN | i64::MAX),
    }
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

/// A date of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Civil {
    /// 0 is the year before 1.
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
}

impl Civil {
    /// The date of a day (days since 1970-01-01); none for a day no type can hold. Neri and Schneider,
    /// "Euclidean affine functions and their application to calendar algorithms", 2022, section 6: years
    /// that begin in March, in eras of 400.
    #[inline]
    pub(crate) fn of_day(day: i64) -> Option<Self> {
        if !(-DAYS_MAX..DAYS_MAX).contains(&day) {
            return None;
        }
        // Never negative: 64-bit arithmetic ends here.
        let days = (day + EPOCH_DAY + ERAS_BEFORE * ERA_DAYS) as u64;
        let (eras, of_era) = (days / ERA_DAYS as u64, (days % ERA_DAYS as u64) as u32);
        let quarters = 4 * of_era + 3;
        let (centuries, of_century) = (quarters / 146_097, quarters % 146_097 / 4);
        // A year in the high half, what is left of it in the low one.
        let product = 2_939_745 * u64::from(4 * of_century + 3);
        let (years, of_year) = ((product >> 32) as u32, product as u32 / 2_939_745 / 4);
        let product = 2_141 * of_year + 197_913;
        let (month, day) = (product >> 16, (product & 0xffff) / 2_141 + 1);
        let next = u32::from(of_year >= DAYS_TO_JANUARY);
        let year = 400 * (eras as i64 - ERAS_BEFORE) + i64::from(100 * centuries + years + next);
        Some(Self { year, month: (month - 12 * next).into(), day: day.into() })
    }

    /// The day of a date: the way back.
    #[inline]
    pub(crate) fn to_day(self) -> i64 {
        let year = if self.month > 2 { self.year } else { self.year - 1 };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month = (self.month + 9) % 12;
        let of_year = (153 * month + 2) / 5 + self.day - 1;
        ERA_DAYS * era + 365 * of_era + of_era / 4 - of_era / 100 + of_year - EPOCH_DAY
    }
}

/// The first day of a period that holds `day` (days since 1970-01-01); none for a day no type can hold.
#[inline]
pub(crate) fn first_day(day: i64, period: Period) -> Option<i64> {
    if period == Period::Week {
        // 1970-01-01 was a Thursday; ISO 8601 weeks begin on Monday.
        return day.checked_sub(day.checked_add(3)?.rem_euclid(7));
    }
    let date = Civil::of_day(day)?;
    let (year, month) = match period {
        Period::Century => ((date.year - 1).div_euclid(100) * 100 + 1, 1),
        Period::Decade => (date.year.div_euclid(10) * 10, 1),
        Period::Year => (date.year, 1),
        Period::Quarter => (date.year, (date.month - 1) / 3 * 3 + 1),
        // Without the way back.
        Period::Month | Period::Week => return Some(day - date.day + 1),
    };
    Some(Civil { year, month, day: 1 }.to_day())
}

/// A period of whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    /// From 1 January of a year 1, 101, 1901, 2001.
    Century,
    /// From 1 January of a year 0, 10, 1990, 2000.
    Decade,
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
    use arrow::array::{Date32Array, TimestampSecondArray};
    use chrono::{Datelike, NaiveDate};
    use std::sync::Arc;

    fn day(text: &str) -> i64 {
        let date: NaiveDate = text.parse().unwrap();
        i64::from(date.to_epoch_days())
    }

    #[test]
    fn first_days() {
        for (date, period, first) in [
            ("2024-02-29", Period::Year, "2024-01-01"),
            ("2024-12-31", Period::Quarter, "2024-10-01"),
            ("1969-12-31", Period::Month, "1969-12-01"),
            ("2024-03-03", Period::Week, "2024-02-26"),
            ("1969-12-29", Period::Week, "1969-12-29"),
            ("1999-12-31", Period::Decade, "1990-01-01"),
            ("2000-12-31", Period::Century, "1901-01-01"),
            ("0000-02-29", Period::Year, "0000-01-01"),
            ("0000-02-29", Period::Century, "-0099-01-01"),
            ("-0001-12-31", Period::Decade, "-0010-01-01"),
        ] {
            assert_eq!(first_day(day(date), period), Some(day(first)), "{date}");
        }
        for extreme in [i64::MIN, i64::MAX] {
            assert_eq!(first_day(extreme, Period::Year), None);
        }
        assert_eq!(first_day(i64::MIN, Period::Week), None);
    }

    #[test]
    fn values_move_alike_whatever_else_is_in_the_column() {
        let column = |rows: &[Option<i64>]| -> ArrayRef {
            Arc::new(TimestampSecondArray::from(rows.to_vec()))
        };
        let ends = [i64::MIN, i64::MIN + 1, i64::MIN + 7, i64::MAX - 7, i64::MAX - 1, i64::MAX];
        let rows = [0, 1, -1, 1 << 61, -1 << 61, 1 << 62, -1 << 62].map(Some);
        let rows = rows.into_iter().chain(ends.map(Some)).chain([None]);
        for (row, by) in rows.flat_map(|row| [-7, 6, 7].map(|by| (row, by))) {
            let moved = row.and_then(|ticks| match ticks {
                i64::MIN | i64::MAX => Some(ticks),
                _ => ticks.checked_add(by).filter(|ticks| !matches!(*ticks, i64::MIN | i64::MAX)),
            });
            for others in [&[][..], &[Some(3)], &[None], &[Some(i64::MAX)]] {
                let before = column(&[&[row], others].concat());
                let after = move_ticks(&before, 7, |_| Some(by)).unwrap();
                assert_eq!(&after.slice(0, 1), &column(&[moved]), "{row:?} by {by}");
            }
            let none = move_ticks(&column(&[row]), 7, |_| None).unwrap();
            let stays = row.filter(|ticks| matches!(*ticks, i64::MIN | i64::MAX));
            assert_eq!(&none, &column(&[stays]));
        }
        let days: ArrayRef = Arc::new(Date32Array::from(vec![i32::MIN, i32::MAX - 1, 5]));
        let expected = Date32Array::from(vec![Some(i32::MIN), None, Some(6)]);
        assert_eq!(move_ticks(&days, 1, |_| Some(1)).unwrap().as_primitive(), &expected);
    }

    #[test]
    fn dates_are_those_of_chrono_and_come_back() {
        for day in (-2_000_000..2_000_000).step_by(37).chain(0..146_097) {
            let expected = NaiveDate::from_epoch_days(day).unwrap();
            let date = Civil::of_day(day.into()).unwrap();
            assert_eq!(date.year, i64::from(expected.year()));
            assert_eq!((date.month, date.day), (expected.month().into(), expected.day().into()));
            assert_eq!(date.to_day(), i64::from(day));
        }
        for day in [i64::from(i32::MIN), i64::from(i32::MAX), -DAYS_MAX, DAYS_MAX - 1] {
            assert_eq!(Civil::of_day(day).unwrap().to_day(), day);
        }
    }
}
