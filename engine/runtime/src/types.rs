//! Declared column types as Arrow types, and back as the words a user would write.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use engine_project::ColumnType;

/// The Arrow type of a declared column type.
pub fn arrow_type(declared: ColumnType) -> DataType {
    match declared {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int8 => DataType::Int8,
        ColumnType::Int16 => DataType::Int16,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::UInt8 => DataType::UInt8,
        ColumnType::UInt16 => DataType::UInt16,
        ColumnType::UInt32 => DataType::UInt32,
        ColumnType::UInt64 => DataType::UInt64,
        ColumnType::Float32 => DataType::Float32,
        ColumnType::Float64 => DataType::Float64,
        // At most 38, so at most 38 digits after the point: fits.
        ColumnType::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX))
        }
        ColumnType::String => DataType::Utf8,
        ColumnType::Binary => DataType::Binary,
        ColumnType::Date => DataType::Date32,
        ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::TimestampTz => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("+00:00")))
        }
    }
}

/// The declared type that stands for an Arrow type: what a rule's `type:` is compared with. `None`
/// for types the configuration has no word for.
pub fn column_type(found: &DataType) -> Option<ColumnType> {
    Some(match found {
        DataType::Boolean => ColumnType::Bool,
        DataType::Int8 => ColumnType::Int8,
        DataType::Int16 => ColumnType::Int16,
        DataType::Int32 => ColumnType::Int32,
        DataType::Int64 => ColumnType::Int64,
        DataType::UInt8 => ColumnType::UInt8,
        DataType::UInt16 => ColumnType::UInt16,
        DataType::UInt32 => ColumnType::UInt32,
        DataType::UInt64 => ColumnType::UInt64,
        DataType::Float32 => ColumnType::Float32,
        DataType::Float64 => ColumnType::Float64,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => {
            ColumnType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::String,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => ColumnType::Binary,
        DataType::Date32 | DataType::Date64 => ColumnType::Date,
        DataType::Time32(_) | DataType::Time64(_) => ColumnType::Time,
        DataType::Timestamp(_, None) => ColumnType::Timestamp,
        DataType::Timestamp(_, Some(_)) => ColumnType::TimestampTz,
        DataType::Dictionary(_, values) => column_type(values)?,
        _ => return None,
    })
}

/// How a type is shown: in the words of the configuration where it has one.
pub fn type_name(found: &DataType) -> String {
    if let Some(known) = column_type(found) {
        return known.to_string();
    }
    match found {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => String::from("list"),
        DataType::Struct(_) => String::from("struct"),
        DataType::Map(..) => String::from("map"),
        other => other.to_string().to_lowercase(),
    }
}

/// How a manifest names a type, so that [`read_type`] gives one that holds the same values: in the words
/// of the configuration where they lose nothing, else as Arrow writes it.
pub fn stored_name(found: &DataType) -> String {
    match column_type(found) {
        Some(known) if loses_nothing(found, &arrow_type(known)) => known.to_string(),
        _ => found.to_string(),
    }
}

/// The type that a manifest names; `None` when it is none of this engine's.
pub fn read_type(name: &str) -> Option<DataType> {
    let declared: Option<ColumnType> = name.parse().ok();
    declared.map(arrow_type).or_else(|| name.parse().ok())
}

fn loses_nothing(found: &DataType, word: &DataType) -> bool {
    match found {
        DataType::Dictionary(_, values) => loses_nothing(values, word),
        DataType::Decimal32(..) | DataType::Decimal64(..) => true,
        DataType::FixedSizeBinary(_) => true,
        text if text.is_string() || text.is_binary() => true,
        other => other == word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, Fields};

    #[test]
    fn every_declared_type_reads_back() {
        for text in ["bool", "int8", "uint64", "float32", "decimal(38,10)", "string", "binary"] {
            let declared: ColumnType = text.parse().unwrap();
            assert_eq!(column_type(&arrow_type(declared)), Some(declared));
        }
        for text in ["date", "time", "timestamp", "timestamptz"] {
            let declared: ColumnType = text.parse().unwrap();
            assert_eq!(type_name(&arrow_type(declared)), text);
        }
        let item = Field::new("item", DataType::Utf8, true);
        assert_eq!(type_name(&DataType::List(Arc::new(item))), "list");
    }

    #[test]
    fn every_stored_type_reads_back_without_loss() {
        let list = |of| DataType::List(Arc::new(Field::new("item", of, true)));
        let pair = Fields::from(vec![
            Field::new("a name, with: (marks)", DataType::Int8, false),
            Field::new("b", list(DataType::Utf8), true),
        ]);
        let zone = Some(Arc::from("Europe/Lisbon"));
        let entries = Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Int64, true),
        ]);
        let map =
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false);
        for exact in [
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone()),
            DataType::Timestamp(TimeUnit::Microsecond, zone),
            DataType::Time64(TimeUnit::Nanosecond),
            DataType::Date64,
            DataType::Decimal256(50, 2),
            DataType::Decimal128(5, -2),
            DataType::Duration(TimeUnit::Microsecond),
            DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
            DataType::Float16,
            DataType::Null,
            list(list(DataType::Timestamp(TimeUnit::Nanosecond, None))),
            DataType::Struct(pair),
            map,
        ] {
            let name = stored_name(&exact);
            assert_eq!(read_type(&name), Some(exact), "{name}");
        }
        let dictionary = |values| DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
        assert_eq!(stored_name(&dictionary(DataType::Utf8View)), "string");
        assert_eq!(
            stored_name(&dictionary(DataType::Date64)),
            dictionary(DataType::Date64).to_string()
        );
        assert_eq!(read_type("a type of tomorrow"), None);
    }
}
