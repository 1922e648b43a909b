//! Numbers of every width, seen as one of two kinds: whole units (integers, and
//! decimals as their unscaled value) in 128 bits, and floats in 64.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};

use crate::error::MaskError;
use crate::forms::logical;

/// How the numbers of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// Integers and decimals: `units_per_one` units make 1; values lie in `min..=max` units.
    Units {
        /// 10 to the decimal's scale; 1 for integers.
        units_per_one: i128,
        /// Least value of the type.
        min: i128,
        /// Greatest value of the type.
        max: i128,
    },
    /// Floats.
    Float,
}

impl Number {
    /// The kind of a column's numbers; none if it holds no numbers or wider ones.
    pub(crate) fn of(input: &DataType) -> Option<Self> {
        use DataType as T;
        let whole = |min: i128, max: i128| Some(Self::Units { units_per_one: 1, min, max });
        match logical(input) {
            T::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
            T::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
            T::Int32 => whole(i32::MIN.into(), i32::MAX.into()),
            T::Int64 => whole(i64::MIN.into(), i64::MAX.into()),
            T::UInt8 => whole(0, u8::MAX.into()),
            T::UInt16 => whole(0, u16::MAX.into()),
            T::UInt32 => whole(0, u32::MAX.into()),
            T::UInt64 => whole(0, u64::MAX.into()),
            T::Float32 | T::Float64 => Some(Self::Float),
            T::Decimal32(precision, scale)
            | T::Decimal64(precision, scale)
            | T::Decimal128(precision, scale) => {
                let units_per_one = 10_i128.checked_pow(u32::try_from(*scale).ok()?)?;
                let max = 10_i128.checked_pow(u32::from(*precision))?.checked_sub(1)?;
                Some(Self::Units { units_per_one, min: -max, max })
            }
            _ => None,
        }
    }

    /// A parameter in units: exact for whole numbers up to 2^53, otherwise rounded to
    /// the nearest unit. None if it is not finite, or integers are asked for a fraction.
    pub(crate) fn units(self, parameter: f64) -> Option<i128> {
        let Self::Units { units_per_one, .. } = self else { return None };
        if !parameter.is_finite() || (units_per_one == 1 && parameter.fract() != 0.0) {
            return None;
        }
        let units = if parameter.fract() == 0.0 {
            // `as` saturates; what does not fit 128 bits fails the product or the type's range.
            (parameter as i128).checked_mul(units_per_one)?
        } else {
            (parameter * units_per_one as f64).round() as i128
        };
        (units.unsigned_abs() <= i128::MAX as u128 / 4).then_some(units)
    }
}

/// Maps the numbers of a plain column to the same type. `unit` gets whole units,
/// `float` gets floats, both with the row number; none, and a result that does not fit the type,
/// give null.
pub(crate) fn map_numbers(
    column: &ArrayRef,
    unit: impl Fn(usize, i128) -> Option<i128>,
    float: impl Fn(usize, f64) -> Option<f64>,
) -> Result<ArrayRef, MaskError> {
    use DataType as T;
    match column.data_type() {
        T::Int8 => Ok(whole::<Int8Type>(column, unit)),
        T::Int16 => Ok(whole::<Int16Type>(column, unit)),
        T::Int32 => Ok(whole::<Int32Type>(column, unit)),
        T::Int64 => Ok(whole::<Int64Type>(column, unit)),
        T::UInt8 => Ok(whole::<UInt8Type>(column, unit)),
        T::UInt16 => Ok(whole::<UInt16Type>(column, unit)),
        T::UInt32 => Ok(whole::<UInt32Type>(column, unit)),
        T::UInt64 => Ok(whole::<UInt64Type>(column, unit)),
        T::Decimal32(..) => Ok(whole::<Decimal32Type>(column, unit)),
        T::Decimal64(..) => Ok(whole::<Decimal64Type>(column, unit)),
        T::Decimal128(..) => Ok(whole::<Decimal128Type>(column, unit)),
        T::Float32 => Ok(mapped::<Float32Type>(column, |row, value| {
            float(row, f64::from(value)).map(|value| value as f32).filter(|value| value.is_finite())
        })),
        T::Float64 => Ok(mapped::<Float64Type>(column, |row, value| {
            float(row, value).filter(|value| value.is_finite())
        })),
        found => Err(MaskError::UnexpectedType { expected: T::Int64, found: found.clone() }),
    }
}

/// One number of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Whole units.
    Units(i128),
    /// A float.
    Float(f64),
}

/// Calls `each` with every number of a plain column, none for null.
pub(crate) fn for_each_number(
    column: &ArrayRef,
    each: impl FnMut(Option<Value>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    use DataType as T;
    match column.data_type() {
        T::Int8 => visit::<Int8Type>(column, |value| Value::Units(value.into()), each),
        T::Int16 => visit::<Int16Type>(column, |value| Value::Units(value.into()), each),
        T::Int32 => visit::<Int32Type>(column, |value| Value::Units(value.into()), each),
        T::Int64 => visit::<Int64Type>(column, |value| Value::Units(value.into()), each),
        T::UInt8 => visit::<UInt8Type>(column, |value| Value::Units(value.into()), each),
        T::UInt16 => visit::<UInt16Type>(column, |value| Value::Units(value.into()), each),
        T::UInt32 => visit::<UInt32Type>(column, |value| Value::Units(value.into()), each),
        T::UInt64 => visit::<UInt64Type>(column, |value| Value::Units(value.into()), each),
        T::Decimal32(..) => {
            visit::<Decimal32Type>(column, |value| Value::Units(value.into()), each)
        }
        T::Decimal64(..) => {
            visit::<Decimal64Type>(column, |value| Value::Units(value.into()), each)
        }
        T::Decimal128(..) => visit::<Decimal128Type>(column, Value::Units, each),
        T::Float32 => visit::<Float32Type>(column, |value| Value::Float(value.into()), each),
        T::Float64 => visit::<Float64Type>(column, Value::Float, each),
        found => Err(MaskError::UnexpectedType { expected: T::Int64, found: found.clone() }),
    }
}

fn visit<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    see: impl Fn(T::Native) -> Value,
    mut each: impl FnMut(Option<Value>) -> Result<(), MaskError>,
) -> Result<(), MaskError> {
    let column: &PrimitiveArray<T> = column.as_primitive();
    column.iter().try_for_each(|value| each(value.map(&see)))
}

fn whole<T>(column: &ArrayRef, unit: impl Fn(usize, i128) -> Option<i128>) -> ArrayRef
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128> + TryFrom<i128>,
{
    mapped::<T>(column, |row, value| {
        unit(row, value.into()).and_then(|value| T::Native::try_from(value).ok())
    })
}

/// The remainder, with the sign of `value`; in 64 bits where those do, which is several times as fast. None
/// for a divisor of 0.
#[inline]
pub(crate) fn remainder(value: i128, divisor: i128) -> Option<i128> {
    match (i64::try_from(value), i64::try_from(divisor)) {
        (Ok(value), Ok(divisor)) => Some(value.checked_rem(divisor)?.into()),
        _ => value.checked_rem(divisor),
    }
}

/// Maps a plain primitive column row by row, each value once; the slot under a null is zero.
pub(crate) fn mapped<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    map: impl Fn(usize, T::Native) -> Option<T::Native>,
) -> ArrayRef {
    let column: &PrimitiveArray<T> = column.as_primitive();
    let rows = column.values().iter().copied().enumerate();
    let mut values = Vec::with_capacity(column.len());
    // Values that become null are rare: it is written down which.
    let mut unfit = Vec::new();
    let mut mapped = |row, value| {
        map(row, value).unwrap_or_else(|| {
            unfit.push(row);
            T::Native::default()
        })
    };
    let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
    match nulls {
        None => values.extend(rows.map(|(row, value)| mapped(row, value))),
        Some(nulls) => values.extend(rows.zip(nulls).map(|((row, value), valid)| {
            if valid { mapped(row, value) } else { T::Native::default() }
        })),
    }
    let nulls = if unfit.is_empty() {
        nulls.cloned()
    } else {
        let mut fits = BooleanBufferBuilder::new(column.len());
        fits.append_n(column.len(), true);
        unfit.into_iter().for_each(|row| fits.set_bit(row, false));
        NullBuffer::union(nulls, Some(&fits.finish().into()))
    };
    let masked = PrimitiveArray::<T>::new(values.into(), nulls);
    Arc::new(masked.with_data_type(column.data_type().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int8Array, UInt64Array};

    #[test]
    fn units_of_a_parameter() {
        let cents = Number::of(&DataType::Decimal128(10, 2)).unwrap();
        assert_eq!(cents.units(0.1), Some(10));
        assert_eq!(cents.units(-12.0), Some(-1200));
        assert_eq!(cents.units(f64::NAN), None);
        assert_eq!(cents.units(1e300), None);
        let whole = Number::of(&DataType::Int8).unwrap();
        assert_eq!(whole.units(1.5), None);
        assert_eq!(Number::of(&DataType::Decimal128(38, -3)), None);
        assert_eq!(Number::of(&DataType::Utf8), None);
    }

    #[test]
    fn what_does_not_fit_is_null() {
        let column: ArrayRef = Arc::new(Int8Array::from(vec![Some(127), Some(1), None]));
        let masked = map_numbers(&column, |_, value| Some(value + 1), |_, _| None).unwrap();
        assert_eq!(masked.as_primitive::<Int8Type>(), &Int8Array::from(vec![None, Some(2), None]));
        let column: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        let masked = map_numbers(&column, |_, value| Some(value), |_, _| None).unwrap();
        assert_eq!(&masked, &column);
    }
}
