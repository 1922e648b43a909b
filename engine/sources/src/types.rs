//! Column types: their names in the project language, and whether data of one type can
//! stand for another without loss.

use arrow::datatypes::{DataType, TimeUnit};

/// The type's name in the project language (`int64`, `decimal(10,2)`, `timestamptz`); for
/// types the language has no name for, Arrow's own.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Boolean => "bool",
        DataType::Int8 => "int8",
        DataType::Int16 => "int16",
        DataType::Int32 => "int32",
        DataType::Int64 => "int64",
        DataType::UInt8 => "uint8",
        DataType::UInt16 => "uint16",
        DataType::UInt32 => "uint32",
        DataType::UInt64 => "uint64",
        DataType::Float32 => "float32",
        DataType::Float64 => "float64",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamptz",
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => return format!("decimal({precision},{scale})"),
        DataType::Dictionary(_, values) => return type_name(values),
        other => return other.to_string(),
    };
    name.to_owned()
}

/// The type a column of a typed file (Parquet, Arrow) is delivered with, or `None` when
/// `found` contradicts `declared`.
///
/// Strings, binary, dates, times and timestamps are delivered as the file stores them,
/// whatever the width, encoding or unit. Numbers are widened to the declared type where
/// every value fits; that cast cannot fail, so it can never quote a value.
#[must_use]
pub(crate) fn delivered_type(found: &DataType, declared: &DataType) -> Option<DataType> {
    if found == declared {
        return Some(found.clone());
    }
    if let DataType::Dictionary(_, values) = found {
        // A dictionary keeps its encoding, so its values must already be what is declared.
        let same = delivered_type(values, declared).as_ref() == Some(values.as_ref());
        return same.then(|| found.clone());
    }
    if widens(found, declared) {
        return Some(declared.clone());
    }
    same_family(found, declared).then(|| found.clone())
}

fn same_family(found: &DataType, declared: &DataType) -> bool {
    use DataType as T;
    let class = |data_type: &DataType| match data_type {
        T::Utf8 | T::LargeUtf8 | T::Utf8View => Some(0),
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Some(1),
        T::Date32 | T::Date64 => Some(2),
        T::Time32(_) | T::Time64(_) => Some(3),
        T::Timestamp(_, None) => Some(4),
        T::Timestamp(_, Some(_)) => Some(5),
        _ => None,
    };
    class(found).is_some() && class(found) == class(declared)
}

/// Whether every value of `from` is a value of `to`.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        (T::Int8, T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64)
        | (T::Int16, T::Int32 | T::Int64 | T::Float32 | T::Float64)
        | (T::Int32, T::Int64 | T::Float64)
        | (T::UInt8, T::UInt16 | T::UInt32 | T::UInt64 | T::Int16 | T::Int32 | T::Int64)
        | (T::UInt8 | T::UInt16, T::Float32 | T::Float64)
        | (T::UInt16, T::UInt32 | T::UInt64 | T::Int32 | T::Int64)
        | (T::UInt32, T::UInt64 | T::Int64 | T::Float64)
        | (T::Float16, T::Float32 | T::Float64)
        | (T::Float32, T::Float64) => true,
        (
            T::Decimal32(precision, scale)
            | T::Decimal64(precision, scale)
            | T::Decimal128(precision, scale),
            T::Decimal128(wide_precision, wide_scale),
        ) => {
            let whole = i16::from(*precision) - i16::from(*scale);
            let wide_whole = i16::from(*wide_precision) - i16::from(*wide_scale);
            scale <= wide_scale && whole <= wide_whole
        }
        _ => false,
    }
}

/// Whether the text and database readers can build a column of this type.
#[must_use]
pub(crate) fn buildable(data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::Timestamp(_, zone) => zone.as_deref().is_none_or(is_utc),
        T::Decimal128(precision, scale) => (1..=38).contains(precision) && (0..=38).contains(scale),
        T::Boolean
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float32
        | T::Float64
        | T::Utf8
        | T::LargeUtf8
        | T::Utf8View
        | T::Binary
        | T::Date32
        | T::Time64(TimeUnit::Microsecond) => true,
        _ => false,
    }
}

/// Whether this time zone is UTC by one of its usual names.
fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "utc" | "Z" | "+00:00" | "Etc/UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_is_lossless_and_contradictions_are_refused() {
        use DataType as T;
        assert_eq!(delivered_type(&T::Int32, &T::Int64), Some(T::Int64));
        assert_eq!(delivered_type(&T::Int64, &T::Int32), None);
        assert_eq!(delivered_type(&T::Int64, &T::Float64), None);
        assert_eq!(delivered_type(&T::Utf8View, &T::Utf8), Some(T::Utf8View));
        assert_eq!(delivered_type(&T::Utf8, &T::Date32), None);
        let micros = T::Timestamp(TimeUnit::Microsecond, None);
        let nanos = T::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(delivered_type(&nanos, &micros), Some(nanos.clone()));
        let zoned = T::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(delivered_type(&zoned, &micros), None);
        let dictionary = T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
        assert_eq!(delivered_type(&dictionary, &T::Utf8View), Some(dictionary.clone()));
        assert_eq!(delivered_type(&dictionary, &T::Int32), None);
    }

    #[test]
    fn decimals_widen_only_where_whole_digits_and_scale_fit() {
        use DataType::Decimal128;
        let fits = |from, to| delivered_type(&from, &to).is_some();
        assert!(fits(Decimal128(10, 2), Decimal128(12, 4)));
        assert!(!fits(Decimal128(10, 2), Decimal128(11, 4)));
        assert!(!fits(Decimal128(10, 2), Decimal128(10, 1)));
    }
}
