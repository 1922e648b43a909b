//! Arrow cells as SQLite parameters, in the forms that [`ddl`](super::ddl) documents.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Float64Array, Int64Array, RecordBatch,
    StringViewArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type,
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use crate::error::{SourceError, SourceErrorKind};
use crate::types::type_name;

/// A column brought into one of few forms; only casts that cannot fail are used.
enum Form {
    Booleans(BooleanArray),
    Integers(Int64Array),
    Unsigned(UInt64Array),
    Doubles(Float64Array),
    Texts(StringViewArray),
    Blobs(BinaryViewArray),
    /// Everything that is written as text: dates, times, timestamps, decimals.
    Rendered(ArrayRef, fn(&ArrayRef, usize) -> Option<String>),
}

/// A column, ready to be bound row by row.
pub(crate) struct Bound {
    name: String,
    expected: String,
    array: ArrayRef,
    form: Form,
}

/// The columns of a batch.
///
/// # Errors
/// A type that [`ddl::check`](super::ddl::check) refuses as well.
pub(crate) fn columns(batch: &RecordBatch) -> Result<Vec<Bound>, SourceError> {
    let schema = batch.schema();
    batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| {
            let expected = type_name(field.data_type());
            let form = form(array).ok_or_else(|| {
                let what = format!("loading {expected} into SQLite");
                SourceError::new(SourceErrorKind::Unsupported { what }).in_column(field.name())
            })?;
            Ok(Bound { name: field.name().clone(), expected, array: array.clone(), form })
        })
        .collect()
}

fn form(array: &ArrayRef) -> Option<Form> {
    use DataType as T;
    let to = |target: T| cast(array, &target).ok();
    Some(match array.data_type() {
        T::Boolean => Form::Booleans(array.as_boolean_opt()?.clone()),
        T::UInt64 => Form::Unsigned(array.as_primitive_opt::<UInt64Type>()?.clone()),
        T::Float16 | T::Float32 | T::Float64 => {
            Form::Doubles(to(T::Float64)?.as_primitive_opt::<Float64Type>()?.clone())
        }
        T::Utf8 | T::LargeUtf8 | T::Utf8View => {
            Form::Texts(to(T::Utf8View)?.as_string_view_opt()?.clone())
        }
        T::Binary | T::LargeBinary | T::BinaryView => {
            Form::Blobs(to(T::BinaryView)?.as_binary_view_opt()?.clone())
        }
        T::FixedSizeBinary(_) => {
            Form::Blobs(cast(&to(T::Binary)?, &T::BinaryView).ok()?.as_binary_view_opt()?.clone())
        }
        T::Date32 | T::Date64 => Form::Rendered(to(T::Date32)?, date),
        T::Time32(_) | T::Time64(_) => Form::Rendered(to(T::Time64(TimeUnit::Nanosecond))?, time),
        T::Timestamp(_, _) => Form::Rendered(array.clone(), timestamp),
        T::Decimal32(p, s) | T::Decimal64(p, s) | T::Decimal128(p, s) => {
            Form::Rendered(to(T::Decimal128(*p, *s))?, decimal)
        }
        T::Dictionary(_, values) => return form(&to(values.as_ref().clone())?),
        integer if integer.is_integer() => {
            Form::Integers(to(T::Int64)?.as_primitive_opt::<Int64Type>()?.clone())
        }
        _ => return None,
    })
}

impl Bound {
    /// The cell of a row.
    ///
    /// # Errors
    /// A value SQLite cannot hold: an integer beyond 2⁶³, or a date outside the calendar.
    pub(crate) fn cell(&self, row: usize) -> Result<ToSqlOutput<'_>, SourceError> {
        if self.array.is_null(row) || row >= self.array.len() {
            return Ok(ToSqlOutput::Owned(Value::Null));
        }
        let misfit = || {
            SourceError::new(SourceErrorKind::Type { expected: self.expected.clone() })
                .in_column(&self.name)
                .with_hint("SQLite holds integers up to 2^63 - 1 and dates of four-digit years")
        };
        Ok(match &self.form {
            Form::Booleans(array) => {
                ToSqlOutput::Owned(Value::Integer(i64::from(array.value(row))))
            }
            Form::Integers(array) => ToSqlOutput::Owned(Value::Integer(array.value(row))),
            Form::Unsigned(array) => ToSqlOutput::Owned(Value::Integer(
                i64::try_from(array.value(row)).map_err(|_| misfit())?,
            )),
            // SQLite stores NaN as null; a value must not vanish.
            Form::Doubles(array) if array.value(row).is_nan() => return Err(misfit()),
            Form::Doubles(array) => ToSqlOutput::Owned(Value::Real(array.value(row))),
            Form::Texts(array) => {
                ToSqlOutput::Borrowed(ValueRef::Text(array.value(row).as_bytes()))
            }
            Form::Blobs(array) => ToSqlOutput::Borrowed(ValueRef::Blob(array.value(row))),
            Form::Rendered(array, render) => {
                ToSqlOutput::Owned(Value::Text(render(array, row).ok_or_else(misfit)?))
            }
        })
    }
}

fn date(array: &ArrayRef, row: usize) -> Option<String> {
    let days = array.as_primitive_opt::<Date32Type>()?.value(row);
    let date = NaiveDate::from_ymd_opt(1970, 1, 1)?
        .checked_add_signed(TimeDelta::try_days(i64::from(days))?)?;
    four_digit_year(date).then(|| date.format("%Y-%m-%d").to_string())
}

fn time(array: &ArrayRef, row: usize) -> Option<String> {
    let nanos = array.as_primitive_opt::<Time64NanosecondType>()?.value(row);
    let second = u32::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    let nano = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(second, nano)?;
    Some(time.format("%H:%M:%S%.f").to_string())
}

fn timestamp(array: &ArrayRef, row: usize) -> Option<String> {
    let DataType::Timestamp(unit, zone) = array.data_type() else { return None };
    let instant = match unit {
        TimeUnit::Second => DateTime::from_timestamp(
            array.as_primitive_opt::<TimestampSecondType>()?.value(row),
            0,
        )?,
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(
            array.as_primitive_opt::<TimestampMillisecondType>()?.value(row),
        )?,
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(
            array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row),
        )?,
        TimeUnit::Nanosecond => DateTime::from_timestamp_nanos(
            array.as_primitive_opt::<TimestampNanosecondType>()?.value(row),
        ),
    };
    let suffix = if zone.is_some() { "Z" } else { "" };
    four_digit_year(instant.date_naive())
        .then(|| format!("{}{suffix}", instant.format("%Y-%m-%d %H:%M:%S%.f")))
}

fn decimal(array: &ArrayRef, row: usize) -> Option<String> {
    Some(array.as_primitive_opt::<Decimal128Type>()?.value_as_string(row))
}

fn four_digit_year(date: NaiveDate) -> bool {
    use chrono::Datelike;
    (0..=9999).contains(&date.year())
}
