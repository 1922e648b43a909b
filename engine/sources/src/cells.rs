//! Builds one column of a batch, cell by cell, from what text files and databases hold.
//!
//! ```text
//!                 text   integer            real          blob
//!  bool           true…  0, 1               –             –
//!  int*, uint*    digits in range           –             –
//!  float*         digits exactly            yes           –
//!  decimal        exact  exactly            to 2⁻⁵⁰       –
//!  string         yes    its digits         its digits    –
//!  binary         –      –                  –             yes
//!  date           ISO    –                  –             –
//!  time           ISO    –                  –             –
//!  timestamp(tz)  ISO    seconds since 1970 –             –
//! ```
//!
//! A dash, or a value that does not fit, is a [`Mismatch`]; it never carries the value.
//! Integers as timestamps follow SQLite's documentation (Datatypes In SQLite, §2.2).

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, GenericStringBuilder, OffsetSizeTrait,
    PrimitiveBuilder, StringViewBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use crate::parse;

/// A cell that is no value of the column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mismatch;

/// A column under construction.
pub(crate) trait Cells: Send {
    /// Appends a null.
    fn null(&mut self);

    /// Appends the value that a text stands for.
    fn text(&mut self, text: &str) -> Result<(), Mismatch>;

    /// Appends the value that a database integer stands for.
    fn integer(&mut self, value: i64) -> Result<(), Mismatch>;

    /// Appends the value that a database double stands for.
    fn real(&mut self, _value: f64) -> Result<(), Mismatch> {
        Err(Mismatch)
    }

    /// Appends the value that database bytes stand for.
    fn blob(&mut self, _bytes: &[u8]) -> Result<(), Mismatch> {
        Err(Mismatch)
    }

    /// The column so far; the next cell starts a new one.
    fn finish(&mut self) -> ArrayRef;
}

/// A column of this type for about `rows` cells, or `None` where
/// [`buildable`](crate::types::buildable) says no.
pub(crate) fn cells(data_type: &DataType, rows: usize) -> Option<Box<dyn Cells>> {
    use DataType as T;
    let cells: Box<dyn Cells> = match data_type {
        T::Boolean => Box::new(Booleans(BooleanBuilder::with_capacity(rows))),
        T::Int8 => integers::<Int8Type>(rows),
        T::Int16 => integers::<Int16Type>(rows),
        T::Int32 => integers::<Int32Type>(rows),
        T::Int64 => integers::<Int64Type>(rows),
        T::UInt8 => integers::<UInt8Type>(rows),
        T::UInt16 => integers::<UInt16Type>(rows),
        T::UInt32 => integers::<UInt32Type>(rows),
        T::UInt64 => integers::<UInt64Type>(rows),
        T::Float32 => Box::new(float32(rows)),
        T::Float64 => Box::new(float64(rows)),
        T::Decimal128(precision, scale) => Box::new(decimals(data_type, *precision, *scale, rows)),
        T::Utf8 => Box::new(Strings::<i32>(GenericStringBuilder::with_capacity(rows, 0))),
        T::LargeUtf8 => Box::new(Strings::<i64>(GenericStringBuilder::with_capacity(rows, 0))),
        T::Utf8View => Box::new(Views(StringViewBuilder::with_capacity(rows))),
        T::Binary => Box::new(Blobs(BinaryBuilder::with_capacity(rows, 0))),
        T::Date32 => Box::new(Primitives::<Date32Type> {
            builder: PrimitiveBuilder::with_capacity(rows),
            text: Box::new(parse::date_or_midnight),
            integer: Box::new(|_| None),
            real: Box::new(|_| None),
        }),
        T::Time64(TimeUnit::Microsecond) => Box::new(Primitives::<Time64MicrosecondType> {
            builder: PrimitiveBuilder::with_capacity(rows),
            text: Box::new(parse::time_micros),
            integer: Box::new(|_| None),
            real: Box::new(|_| None),
        }),
        T::Timestamp(unit, zone) => {
            let read = if zone.is_some() { parse::instant_micros } else { parse::timestamp_micros };
            timestamps(data_type, *unit, read, rows)
        }
        _ => return None,
    };
    Some(cells)
}

/// A conversion to the column's native value; `None` where the input is no such value.
type Convert<From, To> = Box<dyn Fn(From) -> Option<To> + Send>;

/// The same for text.
type ConvertText<To> = Box<dyn Fn(&str) -> Option<To> + Send>;

struct Primitives<T: ArrowPrimitiveType> {
    builder: PrimitiveBuilder<T>,
    text: ConvertText<T::Native>,
    integer: Convert<i64, T::Native>,
    real: Convert<f64, T::Native>,
}

impl<T: ArrowPrimitiveType> Primitives<T> {
    fn push(&mut self, value: Option<T::Native>) -> Result<(), Mismatch> {
        self.builder.append_value(value.ok_or(Mismatch)?);
        Ok(())
    }
}

impl<T: ArrowPrimitiveType> Cells for Primitives<T> {
    fn null(&mut self) {
        self.builder.append_null();
    }

    fn text(&mut self, text: &str) -> Result<(), Mismatch> {
        let value = (self.text)(text);
        self.push(value)
    }

    fn integer(&mut self, value: i64) -> Result<(), Mismatch> {
        let value = (self.integer)(value);
        self.push(value)
    }

    fn real(&mut self, value: f64) -> Result<(), Mismatch> {
        let value = (self.real)(value);
        self.push(value)
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

fn integers<T>(rows: usize) -> Box<dyn Cells>
where
    T: ArrowPrimitiveType,
    T::Native: std::str::FromStr + TryFrom<i64>,
{
    Box::new(Primitives::<T> {
        builder: PrimitiveBuilder::with_capacity(rows),
        text: Box::new(|text| text.parse().ok()),
        integer: Box::new(|value| T::Native::try_from(value).ok()),
        real: Box::new(|_| None),
    })
}

fn float64(rows: usize) -> Primitives<Float64Type> {
    Primitives {
        builder: PrimitiveBuilder::with_capacity(rows),
        text: Box::new(parse::float),
        integer: Box::new(exact_double),
        real: Box::new(Some),
    }
}

fn float32(rows: usize) -> Primitives<Float32Type> {
    // A double that a float32 cannot hold exactly is refused: a value never changes.
    let narrow = |value: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "the next line refuses any loss")]
        let narrow = value as f32;
        (f64::from(narrow) == value || value.is_nan()).then_some(narrow)
    };
    Primitives {
        builder: PrimitiveBuilder::with_capacity(rows),
        text: Box::new(parse::float),
        integer: Box::new(move |value| exact_double(value).and_then(narrow)),
        real: Box::new(narrow),
    }
}

/// The double of an integer, where there is exactly one: up to 2⁵³.
fn exact_double(value: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "the bound is where precision is lost")]
    (value.unsigned_abs() <= 1 << 53).then_some(value as f64)
}

fn decimals(
    data_type: &DataType,
    precision: u8,
    scale: i8,
    rows: usize,
) -> Primitives<Decimal128Type> {
    Primitives {
        builder: PrimitiveBuilder::with_capacity(rows).with_data_type(data_type.clone()),
        text: Box::new(move |text| parse::decimal(text, precision, scale)),
        integer: Box::new(move |value| parse::decimal(&value.to_string(), precision, scale)),
        real: Box::new(move |value| parse::decimal_of_double(value, precision, scale)),
    }
}

fn timestamps(
    data_type: &DataType,
    unit: TimeUnit,
    read: fn(&str) -> Option<i64>,
    rows: usize,
) -> Box<dyn Cells> {
    match unit {
        TimeUnit::Second => stamps::<TimestampSecondType>(data_type, read, rows, |micros| {
            (micros % 1_000_000 == 0).then_some(micros / 1_000_000)
        }),
        TimeUnit::Millisecond => {
            stamps::<TimestampMillisecondType>(data_type, read, rows, |micros| {
                (micros % 1_000 == 0).then_some(micros / 1_000)
            })
        }
        TimeUnit::Microsecond => stamps::<TimestampMicrosecondType>(data_type, read, rows, Some),
        TimeUnit::Nanosecond => {
            stamps::<TimestampNanosecondType>(data_type, read, rows, |micros| {
                micros.checked_mul(1_000)
            })
        }
    }
}

fn stamps<T: ArrowPrimitiveType<Native = i64>>(
    data_type: &DataType,
    read: fn(&str) -> Option<i64>,
    rows: usize,
    scale: fn(i64) -> Option<i64>,
) -> Box<dyn Cells> {
    Box::new(Primitives::<T> {
        builder: PrimitiveBuilder::with_capacity(rows).with_data_type(data_type.clone()),
        text: Box::new(move |text| read(text).and_then(scale)),
        integer: Box::new(move |seconds| seconds.checked_mul(1_000_000).and_then(scale)),
        real: Box::new(|_| None),
    })
}

struct Booleans(BooleanBuilder);

impl Cells for Booleans {
    fn null(&mut self) {
        self.0.append_null();
    }

    fn text(&mut self, text: &str) -> Result<(), Mismatch> {
        self.0.append_value(parse::boolean(text).ok_or(Mismatch)?);
        Ok(())
    }

    fn integer(&mut self, value: i64) -> Result<(), Mismatch> {
        self.0.append_value(match value {
            0 => false,
            1 => true,
            _ => return Err(Mismatch),
        });
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Strings<O: OffsetSizeTrait>(GenericStringBuilder<O>);

impl<O: OffsetSizeTrait> Cells for Strings<O> {
    fn null(&mut self) {
        self.0.append_null();
    }

    fn text(&mut self, text: &str) -> Result<(), Mismatch> {
        self.0.append_value(text);
        Ok(())
    }

    fn integer(&mut self, value: i64) -> Result<(), Mismatch> {
        self.text(&value.to_string())
    }

    fn real(&mut self, value: f64) -> Result<(), Mismatch> {
        self.text(&value.to_string())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

struct Views(StringViewBuilder);

impl Cells for Views {
    fn null(&mut self) {
        self.0.append_null();
    }

    fn text(&mut self, text: &str) -> Result<(), Mismatch> {
        self.0.try_append_value(text).map_err(|_| Mismatch)
    }

    fn integer(&mut self, value: i64) -> Result<(), Mismatch> {
        self.text(&value.to_string())
    }

    fn real(&mut self, value: f64) -> Result<(), Mismatch> {
        self.text(&value.to_string())
    }

    fn finish(&mut self) -> ArrayRef {
        ArrayBuilder::finish(&mut self.0)
    }
}

struct Blobs(BinaryBuilder);

impl Cells for Blobs {
    fn null(&mut self) {
        self.0.append_null();
    }

    fn text(&mut self, _text: &str) -> Result<(), Mismatch> {
        Err(Mismatch)
    }

    fn integer(&mut self, _value: i64) -> Result<(), Mismatch> {
        Err(Mismatch)
    }

    fn blob(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        self.0.append_value(bytes);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;
    use crate::types::buildable;

    fn every_type() -> Vec<DataType> {
        use DataType as T;
        let mut types = vec![
            T::Boolean,
            T::Int8,
            T::Int16,
            T::Int32,
            T::Int64,
            T::UInt8,
            T::UInt16,
            T::UInt32,
            T::UInt64,
            T::Float32,
            T::Float64,
            T::Utf8,
            T::LargeUtf8,
            T::Utf8View,
            T::Binary,
            T::Date32,
            T::Time64(TimeUnit::Microsecond),
            T::Decimal128(10, 2),
            T::Time32(TimeUnit::Second),
            T::Decimal256(50, 2),
            T::LargeBinary,
            T::Null,
        ];
        for unit in
            [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        {
            types.push(T::Timestamp(unit, None));
            types.push(T::Timestamp(unit, Some("UTC".into())));
        }
        types
    }

    #[test]
    fn what_is_buildable_is_built_with_its_type_and_nulls() {
        for data_type in every_type() {
            let built = cells(&data_type, 4);
            assert_eq!(built.is_some(), buildable(&data_type), "{data_type}");
            if let Some(mut built) = built {
                built.null();
                let array = built.finish();
                assert_eq!(array.data_type(), &data_type);
                assert_eq!((array.len(), array.null_count()), (1, 1));
            }
        }
    }

    #[test]
    fn numbers_out_of_range_do_not_fit() {
        let mut small = cells(&DataType::Int8, 1).expect("buildable");
        assert_eq!(small.integer(128), Err(Mismatch));
        assert_eq!(small.text("-129"), Err(Mismatch));
        assert_eq!(small.real(1.0), Err(Mismatch));
        assert_eq!(small.integer(-128), Ok(()));
        assert_eq!(small.finish().len(), 1);
        let mut double = cells(&DataType::Float64, 1).expect("buildable");
        assert_eq!(double.integer((1 << 53) + 1), Err(Mismatch));
    }

    #[test]
    fn a_refused_cell_leaves_no_trace() {
        let mut dates = cells(&DataType::Date32, 2).expect("buildable");
        assert_eq!(dates.text("canary"), Err(Mismatch));
        assert_eq!(dates.text("2024-01-01 00:00:00"), Ok(()));
        let array = dates.finish();
        assert_eq!(array.as_primitive::<Date32Type>().values().as_ref(), &[19_723]);
    }

    #[test]
    fn unix_seconds_become_timestamps() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let mut stamps = cells(&micros, 2).expect("buildable");
        assert_eq!(stamps.integer(2), Ok(()));
        assert_eq!(stamps.integer(i64::MAX), Err(Mismatch));
        let array = stamps.finish();
        assert_eq!(array.as_primitive::<TimestampMicrosecondType>().value(0), 2_000_000);
    }
}
