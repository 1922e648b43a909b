//! Values without parts: numbers, text, bytes and times.

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::datatypes::*;

use super::{Cells, Values, length};
use crate::history::error::HistoryError;

const INTEGER: u8 = 0x01;
const NATURAL: u8 = 0x02;
const FLOAT: u8 = 0x03;
const DECIMAL: u8 = 0x04;
const WIDE_DECIMAL: u8 = 0x05;
const BOOLEAN: u8 = 0x06;
const TEXT: u8 = 0x07;
const BYTES: u8 = 0x08;
const DATE: u8 = 0x09;
const TIME: u8 = 0x0a;
const WALL_CLOCK: u8 = 0x0b;
const INSTANT: u8 = 0x0c;
const DURATION: u8 = 0x0d;
const INTERVAL: u8 = 0x0e;

const MILLISECONDS_OF_DAY: i64 = 86_400_000;
const NANOSECONDS_OF_MILLISECOND: i64 = 1_000_000;

type Encoded<'a> = Result<Box<dyn Values + 'a>, HistoryError>;

pub(super) fn values(array: &dyn Array) -> Encoded<'_> {
    use DataType as T;
    match array.data_type() {
        T::Utf8 => {
            let texts = array.as_string::<i32>();
            cells(array, move |row, out| bytes(TEXT, texts.value(row).as_bytes(), out))
        }
        T::LargeUtf8 => {
            let texts = array.as_string::<i64>();
            cells(array, move |row, out| bytes(TEXT, texts.value(row).as_bytes(), out))
        }
        T::Utf8View => {
            let texts = array.as_string_view();
            cells(array, move |row, out| bytes(TEXT, texts.value(row).as_bytes(), out))
        }
        T::Binary => {
            let values = array.as_binary::<i32>();
            cells(array, move |row, out| bytes(BYTES, values.value(row), out))
        }
        T::LargeBinary => {
            let values = array.as_binary::<i64>();
            cells(array, move |row, out| bytes(BYTES, values.value(row), out))
        }
        T::BinaryView => {
            let values = array.as_binary_view();
            cells(array, move |row, out| bytes(BYTES, values.value(row), out))
        }
        T::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            cells(array, move |row, out| bytes(BYTES, values.value(row), out))
        }
        T::Boolean => {
            let values = array.as_boolean();
            cells(array, move |row, out| {
                out.extend_from_slice(&[BOOLEAN, u8::from(values.value(row))]);
            })
        }
        _ => numbers(array),
    }
}

fn numbers(array: &dyn Array) -> Encoded<'_> {
    use DataType as T;
    match array.data_type() {
        T::Int8 => primitive::<Int8Type>(array, |value, out| integer(value.into(), out)),
        T::Int16 => primitive::<Int16Type>(array, |value, out| integer(value.into(), out)),
        T::Int32 => primitive::<Int32Type>(array, |value, out| integer(value.into(), out)),
        T::Int64 => primitive::<Int64Type>(array, integer),
        T::UInt8 => primitive::<UInt8Type>(array, |value, out| integer(value.into(), out)),
        T::UInt16 => primitive::<UInt16Type>(array, |value, out| integer(value.into(), out)),
        T::UInt32 => primitive::<UInt32Type>(array, |value, out| integer(value.into(), out)),
        T::UInt64 => primitive::<UInt64Type>(array, |value, out| match i64::try_from(value) {
            Ok(value) => integer(value, out),
            Err(_) => fixed(NATURAL, value.to_le_bytes(), out),
        }),
        T::Float16 => primitive::<Float16Type>(array, |value, out| float(value.to_f64(), out)),
        T::Float32 => primitive::<Float32Type>(array, |value, out| float(value.into(), out)),
        T::Float64 => primitive::<Float64Type>(array, float),
        T::Decimal32(_, scale) => {
            let scale = i16::from(*scale);
            primitive::<Decimal32Type>(array, move |value, out| decimal(value.into(), scale, out))
        }
        T::Decimal64(_, scale) => {
            let scale = i16::from(*scale);
            primitive::<Decimal64Type>(array, move |value, out| decimal(value.into(), scale, out))
        }
        T::Decimal128(_, scale) => {
            let scale = i16::from(*scale);
            primitive::<Decimal128Type>(array, move |value, out| decimal(value, scale, out))
        }
        T::Decimal256(_, scale) => {
            let scale = i16::from(*scale);
            primitive::<Decimal256Type>(array, move |value, out| wide_decimal(value, scale, out))
        }
        _ => times(array),
    }
}

fn times(array: &dyn Array) -> Encoded<'_> {
    use DataType as T;
    use TimeUnit as U;
    match array.data_type() {
        T::Date32 => primitive::<Date32Type>(array, |days, out| {
            fixed(DATE, (i64::from(days) * MILLISECONDS_OF_DAY).to_le_bytes(), out);
        }),
        T::Date64 => primitive::<Date64Type>(array, |value, out| {
            fixed(DATE, value.to_le_bytes(), out);
        }),
        T::Time32(U::Second) => ticks::<Time32SecondType>(array, TIME, U::Second),
        T::Time32(_) => ticks::<Time32MillisecondType>(array, TIME, U::Millisecond),
        T::Time64(U::Microsecond) => ticks::<Time64MicrosecondType>(array, TIME, U::Microsecond),
        T::Time64(_) => ticks::<Time64NanosecondType>(array, TIME, U::Nanosecond),
        T::Timestamp(unit, zone) => {
            let tag = if zone.is_some() { INSTANT } else { WALL_CLOCK };
            match unit {
                U::Second => ticks::<TimestampSecondType>(array, tag, *unit),
                U::Millisecond => ticks::<TimestampMillisecondType>(array, tag, *unit),
                U::Microsecond => ticks::<TimestampMicrosecondType>(array, tag, *unit),
                U::Nanosecond => ticks::<TimestampNanosecondType>(array, tag, *unit),
            }
        }
        T::Duration(unit) => match unit {
            U::Second => ticks::<DurationSecondType>(array, DURATION, *unit),
            U::Millisecond => ticks::<DurationMillisecondType>(array, DURATION, *unit),
            U::Microsecond => ticks::<DurationMicrosecondType>(array, DURATION, *unit),
            U::Nanosecond => ticks::<DurationNanosecondType>(array, DURATION, *unit),
        },
        T::Interval(IntervalUnit::YearMonth) => {
            primitive::<IntervalYearMonthType>(array, |months, out| interval(months, 0, 0, out))
        }
        T::Interval(IntervalUnit::DayTime) => {
            primitive::<IntervalDayTimeType>(array, |value, out| {
                let nanoseconds = i64::from(value.milliseconds) * NANOSECONDS_OF_MILLISECOND;
                interval(0, value.days, nanoseconds, out);
            })
        }
        T::Interval(IntervalUnit::MonthDayNano) => {
            primitive::<IntervalMonthDayNanoType>(array, |value, out| {
                interval(value.months, value.days, value.nanoseconds, out);
            })
        }
        found => Err(HistoryError::UnsupportedType { data_type: found.clone() }),
    }
}

fn cells<'a>(array: &'a dyn Array, write: impl Fn(usize, &mut Vec<u8>) + 'a) -> Encoded<'a> {
    Ok(Box::new(Cells { nulls: array.nulls(), write }))
}

fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
    write: impl Fn(T::Native, &mut Vec<u8>) + 'static,
) -> Encoded<'_> {
    let column: &PrimitiveArray<T> = array.as_primitive();
    cells(array, move |row, out| write(column.value(row), out))
}

/// Numbers of units since some beginning. Seconds and the rest are apart, since nanoseconds of the far
/// future do not fit 64 bits.
fn ticks<T: ArrowPrimitiveType>(array: &dyn Array, tag: u8, unit: TimeUnit) -> Encoded<'_>
where
    T::Native: Into<i64>,
{
    match unit {
        TimeUnit::Second => primitive::<T>(array, move |value, out| moment::<1>(tag, value, out)),
        TimeUnit::Millisecond => {
            primitive::<T>(array, move |value, out| moment::<1_000>(tag, value, out))
        }
        TimeUnit::Microsecond => {
            primitive::<T>(array, move |value, out| moment::<1_000_000>(tag, value, out))
        }
        TimeUnit::Nanosecond => {
            primitive::<T>(array, move |value, out| moment::<1_000_000_000>(tag, value, out))
        }
    }
}

#[inline]
fn moment<const PER_SECOND: i64>(tag: u8, value: impl Into<i64>, out: &mut Vec<u8>) {
    let value = value.into();
    let nanoseconds = value.rem_euclid(PER_SECOND) * (1_000_000_000 / PER_SECOND);
    let mut encoded = [tag; 13];
    if let Some((seconds, rest)) = encoded.split_at_mut(1).1.split_first_chunk_mut() {
        *seconds = value.div_euclid(PER_SECOND).to_le_bytes();
        // Below 10⁹, which fits.
        rest.copy_from_slice(&(nanoseconds as u32).to_le_bytes());
    }
    out.extend_from_slice(&encoded);
}

#[inline]
fn integer(value: i64, out: &mut Vec<u8>) {
    fixed(INTEGER, value.to_le_bytes(), out);
}

#[inline]
fn float(value: f64, out: &mut Vec<u8>) {
    let canonical = match value {
        value if value.is_nan() => f64::from_bits(0x7ff8 << 48),
        0.0 => 0.0,
        value => value,
    };
    fixed(FLOAT, canonical.to_le_bytes(), out);
}

#[inline]
fn fixed(tag: u8, value: [u8; 8], out: &mut Vec<u8>) {
    let mut encoded = [tag; 9];
    if let Some(rest) = encoded.last_chunk_mut() {
        *rest = value;
    }
    out.extend_from_slice(&encoded);
}

#[inline]
fn bytes(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    length(value.len(), out);
    out.extend_from_slice(value);
}

fn decimal(mantissa: i128, scale: i16, out: &mut Vec<u8>) {
    let (mantissa, scale) = without_zeros(mantissa, scale);
    out.push(DECIMAL);
    out.extend_from_slice(&(-scale).to_le_bytes());
    out.extend_from_slice(&mantissa.to_le_bytes());
}

fn wide_decimal(mut mantissa: i256, mut scale: i16, out: &mut Vec<u8>) {
    let ten = i256::from_i128(10);
    while mantissa.to_i128().is_none() && mantissa.checked_rem(ten) == Some(i256::ZERO) {
        mantissa = mantissa.checked_div(ten).unwrap_or(i256::ZERO);
        scale -= 1;
    }
    match mantissa.to_i128() {
        Some(mantissa) => decimal(mantissa, scale, out),
        None => {
            out.push(WIDE_DECIMAL);
            out.extend_from_slice(&(-scale).to_le_bytes());
            out.extend_from_slice(&mantissa.to_le_bytes());
        }
    }
}

/// The same number with a mantissa that ten does not divide; zero has scale 0.
fn without_zeros(mut mantissa: i128, mut scale: i16) -> (i128, i16) {
    if mantissa == 0 {
        return (0, 0);
    }
    loop {
        // Divisions of 64 bits are far cheaper.
        if let Ok(mut short) = i64::try_from(mantissa) {
            while short % 10 == 0 {
                short /= 10;
                scale -= 1;
            }
            return (short.into(), scale);
        }
        if mantissa % 10 != 0 {
            return (mantissa, scale);
        }
        mantissa /= 10;
        scale -= 1;
    }
}

fn interval(months: i32, days: i32, nanoseconds: i64, out: &mut Vec<u8>) {
    out.push(INTERVAL);
    out.extend_from_slice(&months.to_le_bytes());
    out.extend_from_slice(&days.to_le_bytes());
    out.extend_from_slice(&nanoseconds.to_le_bytes());
}
