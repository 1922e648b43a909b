//! Arrow's types in the words of recorded schemas.

use arrow::datatypes::{DataType as ArrowType, Field, Schema, TimeUnit};
use engine_tracking::schema::{self, ColumnSchema, DataType};

/// The recorded columns of a schema.
pub(crate) fn columns(schema: &Schema) -> Vec<ColumnSchema> {
    let column = |field: &std::sync::Arc<Field>| {
        let mut column = ColumnSchema::new(field.name(), recorded(field.data_type()));
        column.nullable = field.is_nullable();
        column
    };
    schema.fields().iter().map(column).collect()
}

/// The recorded type of what is read as this one. How Arrow keeps it makes no difference.
pub(crate) fn recorded(arrow: &ArrowType) -> DataType {
    use ArrowType as T;
    match arrow {
        T::Boolean => DataType::Boolean,
        T::Int8 => DataType::Int8,
        T::Int16 => DataType::Int16,
        T::Int32 => DataType::Int32,
        T::Int64 => DataType::Int64,
        T::UInt8 => DataType::Uint8,
        T::UInt16 => DataType::Uint16,
        T::UInt32 => DataType::Uint32,
        T::UInt64 => DataType::Uint64,
        T::Float16 | T::Float32 => DataType::Float32,
        T::Float64 => DataType::Float64,
        T::Decimal32(precision, scale)
        | T::Decimal64(precision, scale)
        | T::Decimal128(precision, scale)
        | T::Decimal256(precision, scale) => DataType::Decimal {
            precision: Some(u32::from(*precision)),
            scale: Some(i32::from(*scale)),
        },
        T::Utf8 | T::LargeUtf8 | T::Utf8View => DataType::Text { length: None },
        T::Binary | T::LargeBinary | T::BinaryView => DataType::Binary { length: None },
        T::FixedSizeBinary(length) => DataType::Binary { length: u64::try_from(*length).ok() },
        T::Date32 | T::Date64 => DataType::Date,
        T::Time32(unit) | T::Time64(unit) => {
            DataType::Time { precision: Some(digits(*unit)), with_zone: false }
        }
        T::Timestamp(unit, zone) => {
            DataType::Timestamp { precision: Some(digits(*unit)), with_zone: zone.is_some() }
        }
        T::Interval(_) | T::Duration(_) => DataType::Interval,
        T::List(of)
        | T::LargeList(of)
        | T::ListView(of)
        | T::LargeListView(of)
        | T::FixedSizeList(of, _) => DataType::List { of: Box::new(recorded(of.data_type())) },
        T::Struct(fields) => DataType::Struct {
            fields: fields
                .iter()
                .map(|field| schema::Field {
                    name: field.name().clone(),
                    data_type: recorded(field.data_type()),
                })
                .collect(),
        },
        T::Map(entries, _) => match entries.data_type() {
            T::Struct(fields) if fields.len() == 2 => {
                let mut of = fields.iter().map(|field| Box::new(recorded(field.data_type())));
                match (of.next(), of.next()) {
                    (Some(key), Some(value)) => DataType::Map { key, value },
                    _ => DataType::Other { name: "map".to_owned() },
                }
            }
            _ => DataType::Other { name: "map".to_owned() },
        },
        T::Dictionary(_, of) => recorded(of),
        T::RunEndEncoded(_, of) => recorded(of.data_type()),
        T::Null => DataType::Other { name: "null".to_owned() },
        T::Union(..) => DataType::Other { name: "union".to_owned() },
    }
}

/// Digits of a second's fraction.
fn digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}
