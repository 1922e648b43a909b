//! The canonical bytes of a value: what keyed functions hash.
//!
//! They are the value's text, without a type tag, so that a value maps alike in
//! every form a column can take:
//!
//! ```text
//!  text, binary      its bytes
//!  integer           -12
//!  decimal           -1.5       no zeros at the end of the fraction, no point without one
//!  float             1.5        shortest text that reads back, no exponent; -0 is 0; NaN, inf, -inf
//!  boolean           true
//!  date              2024-02-29
//!  time              13:05:00.25
//!  timestamp         2024-02-29T13:05:00.25    with a time zone: in UTC, and Z at the end
//! ```
//!
//! Dates and times outside chrono's range are written as their integer.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, ArrowTemporalType, DataType, Date32Type, Date64Type, Decimal32Type,
    Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::temporal_conversions::{as_datetime, as_time};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

use crate::error::MaskError;
use crate::forms::{ROWS_TOGETHER, TextBuilder, logical};
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;
use crate::repeats::Repeats;

/// Whether values of this type have canonical bytes.
pub(crate) fn has_text(input: &DataType) -> bool {
    use DataType as T;
    match logical(input) {
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Boolean => true,
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => true,
        T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) | T::Timestamp(_, _) => true,
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => true,
        number => number.is_numeric(),
    }
}

/// The most bytes that canonical bytes of this type have; none if there is no small bound.
pub(crate) fn text_bytes_max(input: &DataType) -> Option<usize> {
    use DataType as T;
    // The longest are those of 64-bit integers, as which dates and times are written beyond chrono's range.
    let short = input.is_integer()
        || matches!(input, T::Boolean | T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_));
    short.then_some(20)
}

/// Calls `each` with the row number and the canonical bytes (none for null) of every row
/// of a plain column: a dictionary is an error.
pub(crate) fn for_each(
    column: &dyn Array,
    mut each: impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    use DataType as T;
    match column.data_type() {
        T::Utf8 => slices(column.as_string::<i32>().iter(), each),
        T::LargeUtf8 => slices(column.as_string::<i64>().iter(), each),
        T::Utf8View => slices(column.as_string_view().iter(), each),
        T::Binary => slices(column.as_binary::<i32>().iter(), each),
        T::LargeBinary => slices(column.as_binary::<i64>().iter(), each),
        T::BinaryView => slices(column.as_binary_view().iter(), each),
        T::FixedSizeBinary(_) => slices(column.as_fixed_size_binary().iter(), each),
        T::Boolean => {
            let text = |value| if value { "true" } else { "false" };
            slices(column.as_boolean().iter().map(|value| value.map(text)), each)
        }
        _ => numbers_and_times(column, &mut each),
    }
}

/// The keyed stream of each row's canonical value mapped by `map`; none where the row is null. A
/// dictionary's entries, and values that come again, are mapped once each.
pub(crate) fn map_drawn<T: Copy>(
    column: &ArrayRef,
    key: &LinkageKey,
    map: impl FnMut(Draw<'_>) -> T,
) -> Result<Vec<Option<T>>, MaskError> {
    let Some(dictionary) = column.as_any_dictionary_opt() else {
        return match Repeats::of(column) {
            Some(repeats) => {
                Ok(repeats.spread(&map_each_drawn(&repeats.distinct(column)?, key, map)?))
            }
            None => map_each_drawn(column, key, map),
        };
    };
    if dictionary.values().is_empty() {
        return Ok(vec![None; column.len()]);
    }
    let entries = map_drawn(dictionary.values(), key, map)?;
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let entry = |key: usize| entries.get(key).copied().flatten();
    Ok(keys.map(|(row, key)| if column.is_null(row) { None } else { entry(key) }).collect())
}

fn map_each_drawn<T: Copy>(
    column: &ArrayRef,
    key: &LinkageKey,
    mut map: impl FnMut(Draw<'_>) -> T,
) -> Result<Vec<Option<T>>, MaskError> {
    let mut mapped = Vec::with_capacity(column.len());
    let mut lanes = key.lanes();
    let mut draw = |lanes: &mut Lanes<'_>, rows: Range<usize>| {
        let mut drawn = lanes.finish().iter().map(|hash| map(key.draw(*hash)));
        match column.nulls() {
            None => mapped.extend(drawn.map(Some)),
            Some(nulls) => {
                mapped
                    .extend(rows.map(|row| if nulls.is_valid(row) { drawn.next() } else { None }));
            }
        }
        lanes.clear();
    };
    for_each(column.as_ref(), |row, value| {
        value.into_iter().for_each(|value| lanes.push(value));
        if (row + 1).is_multiple_of(ROWS_TOGETHER) {
            draw(&mut lanes, row + 1 - ROWS_TOGETHER..row + 1);
        }
        Ok(())
    })?;
    let rest = column.len() % ROWS_TOGETHER;
    draw(&mut lanes, column.len() - rest..column.len());
    Ok(mapped)
}

/// Maps a plain column other than text to text by key. `write` appends the masked value (UTF-8). Null
/// stays null, empty stays empty.
pub(crate) fn map_to_text(
    column: &ArrayRef,
    key: &LinkageKey,
    mut write: impl FnMut(Draw<'_>, &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    let mut builder = TextBuilder::<i32>::with_rows(column.len());
    let mut lanes = key.lanes();
    let mut hashed = Vec::with_capacity(ROWS_TOGETHER);
    for start in (0..column.len()).step_by(ROWS_TOGETHER) {
        let rows = column.slice(start, ROWS_TOGETHER.min(column.len() - start));
        lanes.clear();
        hashed.clear();
        for_each(rows.as_ref(), |_, value| {
            let value = value.filter(|value| !value.is_empty());
            hashed.push(value.is_some());
            value.into_iter().for_each(|value| lanes.push(value));
            Ok(())
        })?;
        let mut hashes = lanes.finish().iter();
        for hashed in &hashed {
            if *hashed && let Some(hash) = hashes.next() {
                write(key.draw(*hash), builder.bytes());
            }
            builder.end_row()?;
        }
    }
    Ok(Arc::new(builder.finish(column.nulls().cloned())?))
}

fn slices<V: AsRef<[u8]>>(
    values: impl Iterator<Item = Option<V>>,
    mut each: impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    for (row, value) in values.enumerate() {
        each(row, value.as_ref().map(AsRef::as_ref))?;
    }
    Ok(())
}

fn numbers_and_times(
    column: &dyn Array,
    each: &mut impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    use DataType as T;
    match column.data_type() {
        T::Int8 => integers::<Int8Type>(column, each),
        T::Int16 => integers::<Int16Type>(column, each),
        T::Int32 => integers::<Int32Type>(column, each),
        T::Int64 => integers::<Int64Type>(column, each),
        T::UInt8 => integers::<UInt8Type>(column, each),
        T::UInt16 => integers::<UInt16Type>(column, each),
        T::UInt32 => integers::<UInt32Type>(column, each),
        T::UInt64 => integers::<UInt64Type>(column, each),
        T::Float16 => written::<Float16Type>(column, each, |value, out| {
            float(value.to_f32() == 0.0, value.to_f32(), out);
        }),
        T::Float32 => {
            written::<Float32Type>(column, each, |value, out| float(value == 0.0, value, out))
        }
        T::Float64 => {
            written::<Float64Type>(column, each, |value, out| float(value == 0.0, value, out))
        }
        T::Decimal32(_, scale) => {
            written::<Decimal32Type>(column, each, |value, out| decimal(value, *scale, out))
        }
        T::Decimal64(_, scale) => {
            written::<Decimal64Type>(column, each, |value, out| decimal(value, *scale, out))
        }
        T::Decimal128(_, scale) => {
            written::<Decimal128Type>(column, each, |value, out| decimal(value, *scale, out))
        }
        T::Decimal256(_, scale) => {
            written::<Decimal256Type>(column, each, |value, out| decimal(value, *scale, out))
        }
        _ => times(column, each),
    }
}

fn times(
    column: &dyn Array,
    each: &mut impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    use DataType as T;
    use TimeUnit as U;
    match column.data_type() {
        T::Date32 => written::<Date32Type>(column, each, |value, out| {
            date::<Date32Type>(i64::from(value), out);
        }),
        T::Date64 => written::<Date64Type>(column, each, date::<Date64Type>),
        T::Time32(U::Second) => written::<Time32SecondType>(column, each, |value, out| {
            time::<Time32SecondType>(i64::from(value), out);
        }),
        T::Time32(U::Millisecond) => {
            written::<Time32MillisecondType>(column, each, |value, out| {
                time::<Time32MillisecondType>(i64::from(value), out);
            })
        }
        T::Time64(U::Microsecond) => {
            written::<Time64MicrosecondType>(column, each, time::<Time64MicrosecondType>)
        }
        T::Time64(U::Nanosecond) => {
            written::<Time64NanosecondType>(column, each, time::<Time64NanosecondType>)
        }
        T::Timestamp(unit, zone) => {
            let end: &[u8] = if zone.is_some() { b"Z" } else { b"" };
            match unit {
                U::Second => instants::<TimestampSecondType>(column, end, each),
                U::Millisecond => instants::<TimestampMillisecondType>(column, end, each),
                U::Microsecond => instants::<TimestampMicrosecondType>(column, end, each),
                U::Nanosecond => instants::<TimestampNanosecondType>(column, end, each),
            }
        }
        found => Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() }),
    }
}

fn instants<T: ArrowTemporalType<Native = i64>>(
    column: &dyn Array,
    end: &[u8],
    each: &mut impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    written::<T>(column, each, |value, out| match as_datetime::<T>(value) {
        Some(instant) => {
            calendar_date(instant.date(), out);
            out.push(b'T');
            clock_time(instant.time(), out);
            out.extend_from_slice(end);
        }
        None => integer(value, out),
    })
}

fn integers<T: ArrowPrimitiveType<Native: itoa::Integer>>(
    column: &dyn Array,
    each: &mut impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    let column: &PrimitiveArray<T> = column.as_primitive();
    let mut text = itoa::Buffer::new();
    for (row, value) in column.iter().enumerate() {
        each(row, value.map(|value| text.format(value).as_bytes()))?;
    }
    Ok(())
}

/// Writes each value into one reused buffer.
#[inline]
fn written<T: ArrowPrimitiveType>(
    column: &dyn Array,
    each: &mut impl FnMut(usize, Option<&[u8]>) -> Result<(), MaskError>,
    write: impl Fn(T::Native, &mut Vec<u8>),
) -> Result<(), MaskError> {
    let column: &PrimitiveArray<T> = column.as_primitive();
    let mut text = Vec::with_capacity(64);
    for (row, value) in column.iter().enumerate() {
        match value {
            Some(value) => {
                text.clear();
                write(value, &mut text);
                each(row, Some(&text))?;
            }
            None => each(row, None)?,
        }
    }
    Ok(())
}

#[inline]
fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn float(zero: bool, value: impl std::fmt::Display, out: &mut Vec<u8>) {
    if zero {
        out.push(b'0');
    } else {
        write_to(out, format_args!("{value}"));
    }
}

fn decimal(value: impl std::fmt::Display, scale: i8, out: &mut Vec<u8>) {
    write_to(out, format_args!("{value}"));
    if scale <= 0 {
        if out.as_slice() != b"0" {
            out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
        }
        return;
    }
    let fraction = usize::from(scale.unsigned_abs());
    let start = usize::from(out.first() == Some(&b'-'));
    while out.len() < start + fraction + 1 {
        out.insert(start, b'0');
    }
    out.insert(out.len() - fraction, b'.');
    strip_fraction(out);
}

/// Drops zeros at the end of a fraction, and a point without one.
fn strip_fraction(out: &mut Vec<u8>) {
    if out.contains(&b'.') {
        while out.last() == Some(&b'0') {
            out.pop();
        }
        if out.last() == Some(&b'.') {
            out.pop();
        }
    }
}

fn date<T: ArrowTemporalType>(value: i64, out: &mut Vec<u8>) {
    match as_datetime::<T>(value) {
        Some(instant) => calendar_date(instant.date(), out),
        None => integer(value, out),
    }
}

fn time<T: ArrowTemporalType>(value: i64, out: &mut Vec<u8>) {
    match as_time::<T>(value) {
        Some(time) => clock_time(time, out),
        None => integer(value, out),
    }
}

/// ISO 8601: four digits of the year, more and a sign beyond those.
fn calendar_date(date: NaiveDate, out: &mut Vec<u8>) {
    match u32::try_from(date.year()) {
        Ok(year @ 0..=9_999) => {
            padded::<4>(year, out);
            out.push(b'-');
            padded::<2>(date.month(), out);
            out.push(b'-');
            padded::<2>(date.day(), out);
        }
        _ => write_to(out, format_args!("{}", date.format("%Y-%m-%d"))),
    }
}

/// Hours, minutes and seconds, and as much of a fraction as there is.
fn clock_time(time: NaiveTime, out: &mut Vec<u8>) {
    padded::<2>(time.hour(), out);
    out.push(b':');
    padded::<2>(time.minute(), out);
    out.push(b':');
    padded::<2>(time.second(), out);
    if time.nanosecond() != 0 {
        out.push(b'.');
        padded::<9>(time.nanosecond(), out);
        strip_fraction(out);
    }
}

/// The last `N` digits of a number.
#[inline]
fn padded<const N: usize>(mut value: u32, out: &mut Vec<u8>) {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits);
}

fn write_to(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec<u8> has no failure to report.
    let _infallible = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
    use arrow::compute::cast;

    fn texts(column: &ArrayRef) -> Vec<Option<String>> {
        let mut texts = Vec::new();
        for_each(column.as_ref(), |_, value| {
            texts.push(value.map(|value| String::from_utf8(value.to_vec()).unwrap()));
            Ok(())
        })
        .unwrap();
        texts
    }

    fn one(column: impl Array + 'static) -> String {
        texts(&(Arc::new(column) as ArrayRef)).remove(0).unwrap()
    }

    #[test]
    fn numbers() {
        let decimal = |value: i128, scale| {
            one(Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap())
        };
        assert_eq!(decimal(150, 2), "1.5");
        assert_eq!(decimal(-5, 3), "-0.005");
        assert_eq!(decimal(100, 2), "1");
        assert_eq!(decimal(0, 2), "0");
        assert_eq!(decimal(100, 0), "100");
        assert_eq!(decimal(7, -2), "700");
        assert_eq!(one(Float64Array::from(vec![-0.0])), "0");
        assert_eq!(one(Float64Array::from(vec![1e21])), "1000000000000000000000");
        assert_eq!(one(Float64Array::from(vec![f64::NEG_INFINITY])), "-inf");
        assert_eq!(one(Int64Array::from(vec![i64::MIN])), "-9223372036854775808");
    }

    #[test]
    fn times_are_the_same_text_in_every_unit() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["2024-02-29T13:05:00.250"]));
        for unit in [TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            let plain = cast(&text, &DataType::Timestamp(unit, None)).unwrap();
            assert_eq!(texts(&plain), [Some("2024-02-29T13:05:00.25".into())]);
            let zoned = cast(&text, &DataType::Timestamp(unit, Some("+00:00".into()))).unwrap();
            assert_eq!(texts(&zoned), [Some("2024-02-29T13:05:00.25Z".into())]);
        }
        assert_eq!(one(Date32Array::from(vec![19782])), "2024-02-29");
        assert_eq!(one(Date32Array::from(vec![i32::MAX])), "2147483647");
        assert_eq!(one(Date32Array::from(vec![3_000_000])), "+10183-09-21");
        assert_eq!(one(Date32Array::from(vec![-800_000])), "-0221-09-04");
    }
}
