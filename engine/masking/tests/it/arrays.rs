//! Arrays of every type, from raw bits: values that no cast would give (dates beyond the
//! calendar, times of 30 hours, decimals beyond their precision) included.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    FixedSizeListArray, Int32Array, LargeListArray, ListArray, MapArray, NullArray, PrimitiveArray,
    RunArray, StringArray, StructArray, new_null_array,
};
use arrow::buffer::{MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::*;
use proptest::prelude::*;

/// One row: bits for numbers, text for text; none is null.
pub(crate) type Row = Option<(i64, String)>;

/// Types of every kind Arrow has.
pub(crate) fn types() -> Vec<DataType> {
    use DataType as T;
    let mut types = vec![
        T::Null,
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
        T::Float16,
        T::Float32,
        T::Float64,
        T::Date32,
        T::Date64,
        T::Utf8,
        T::LargeUtf8,
        T::Utf8View,
        T::Binary,
        T::LargeBinary,
        T::BinaryView,
        T::FixedSizeBinary(8),
        T::FixedSizeBinary(16),
        T::Time32(TimeUnit::Second),
        T::Time32(TimeUnit::Millisecond),
        T::Time64(TimeUnit::Microsecond),
        T::Time64(TimeUnit::Nanosecond),
        T::Interval(IntervalUnit::YearMonth),
        T::Interval(IntervalUnit::DayTime),
        T::Interval(IntervalUnit::MonthDayNano),
        T::Decimal32(7, 2),
        T::Decimal64(18, 0),
        T::Decimal128(38, 38),
        T::Decimal128(10, -3),
        T::Decimal256(76, 10),
        T::RunEndEncoded(
            Arc::new(Field::new("run_ends", T::Int32, false)),
            Arc::new(Field::new("values", T::Utf8, true)),
        ),
    ];
    for unit in
        [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
    {
        types.push(T::Duration(unit));
        types.push(T::Timestamp(unit, None));
        types.push(T::Timestamp(unit, Some("+05:30".into())));
    }
    for values in [T::Utf8, T::LargeUtf8, T::Utf8View, T::Int64, T::Date32, T::Float64] {
        types.push(T::Dictionary(Box::new(T::Int32), Box::new(values)));
    }
    for keys in [T::Int8, T::Int16, T::Int64, T::UInt8, T::UInt16, T::UInt32, T::UInt64] {
        types.push(T::Dictionary(Box::new(keys), Box::new(T::Utf8)));
    }
    types.push(T::Dictionary(Box::new(T::UInt64), Box::new(T::LargeUtf8)));
    let inner = T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
    types.push(T::new_list(inner, true));
    types.extend(nested_types());
    types
}

fn nested_types() -> Vec<DataType> {
    use DataType as T;
    vec![
        T::new_list(T::Int32, true),
        T::new_list(T::Utf8, true),
        T::new_large_list(T::Utf8View, true),
        T::new_fixed_size_list(T::Utf8, 2, true),
        T::Struct(Fields::from(vec![Field::new("a", T::Int32, true)])),
        T::Struct(Fields::from(vec![
            Field::new("email", T::Utf8, true),
            Field::new("city", T::Utf8View, true),
            Field::new("plan", T::Int32, true),
        ])),
        map(),
        nested(),
        T::Union(UnionFields::from_fields(vec![Field::new("a", T::Int32, true)]), UnionMode::Dense),
    ]
}

/// Text by text.
pub(crate) fn map() -> DataType {
    let fields =
        vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)];
    let entries = Field::new("entries", DataType::Struct(Fields::from(fields)), false);
    DataType::Map(Arc::new(entries), false)
}

/// A list of structs with a map in them.
fn nested() -> DataType {
    let fields = vec![Field::new("tags", map(), true), Field::new("city", DataType::Utf8, true)];
    DataType::new_list(DataType::Struct(Fields::from(fields)), true)
}

/// Rows with extreme numbers, and text that looks like what the functions are for.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let bits = prop_oneof![
        any::<i64>(),
        -200..200_i64,
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        any::<f64>().prop_map(|value| value.to_bits().cast_signed()),
    ];
    proptest::collection::vec(proptest::option::weighted(0.8, (bits, text())), 0..24)
}

/// Text of every shape.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "[ -~]{0,80}",
        "[a-z.]{1,10}@[a-z]{1,10}\\.[a-z]{2,3}",
        "(\\+|00)?[0-9 ()/-]{0,20}",
        "[0-9]{1,6}",
        "[a-z]{1,3}",
        "\\PC{0,4}\u{301}\u{200d}\\PC{0,4}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9a-f]{2}(:[0-9a-f]{2}){5}",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}",
        any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
        "[0-9]{5}(-[0-9]{4})?",
        "https?://[a-z]{1,8}\\.[a-z]{2,3}/[a-z?=&/]{0,20}",
        Just(String::new()),
        json().prop_map(|value| value.to_string()),
    ]
}

/// JSON of every shape.
pub(crate) fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    let name = prop_oneof!["[a-c]", "\\PC{0,4}"];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::hash_map(name.clone(), inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An array of the type from rows, and whether the type could hold them (else all null).
pub(crate) fn array(data_type: &DataType, rows: &[Row]) -> ArrayRef {
    use DataType as T;
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    let bits: Vec<i64> = rows.iter().map(|row| row.as_ref().map_or(0, |row| row.0)).collect();
    match data_type {
        T::Null => Arc::new(NullArray::new(rows.len())),
        T::Boolean => Arc::new(
            rows.iter().map(|row| row.as_ref().map(|row| row.0 & 1 == 1)).collect::<BooleanArray>(),
        ),
        T::Utf8 | T::LargeUtf8 | T::Utf8View => cast(&strings(rows), data_type).unwrap(),
        T::Binary | T::LargeBinary | T::BinaryView => {
            let binary = rows.iter().map(|row| row.as_ref().map(|row| row.0.to_le_bytes()));
            cast(&binary.collect::<BinaryArray>(), data_type).unwrap()
        }
        T::FixedSizeBinary(width) => {
            let bytes = |bits: i64| bits.to_le_bytes().repeat(*width as usize / 8);
            let values = rows.iter().map(|row| row.as_ref().map(|row| bytes(row.0)));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, *width).unwrap())
        }
        T::Dictionary(_, values) => dictionary(data_type, values, rows),
        T::List(item) if item.data_type() == &T::Int32 => {
            let lists = rows.iter().map(|row| row.as_ref().map(|row| vec![Some(row.0 as i32)]));
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))
        }
        T::List(item) => {
            let lengths = (0..rows.len()).map(|row| row % 3);
            let elements: Vec<Row> = rows
                .iter()
                .enumerate()
                .flat_map(|(row, value)| std::iter::repeat_n(value.clone(), row % 3))
                .collect();
            let elements = array(item.data_type(), &elements);
            let offsets = OffsetBuffer::from_lengths(lengths);
            Arc::new(ListArray::new(Arc::clone(item), offsets, elements, Some(hidden(rows))))
        }
        T::LargeList(item) => {
            let offsets = OffsetBuffer::from_lengths(rows.iter().map(|_| 1));
            let elements = array(item.data_type(), rows);
            Arc::new(LargeListArray::new(Arc::clone(item), offsets, elements, Some(hidden(rows))))
        }
        T::FixedSizeList(item, _) => {
            let elements: Vec<Row> = rows.iter().flat_map(|row| [row.clone(), None]).collect();
            let elements = array(item.data_type(), &elements);
            Arc::new(FixedSizeListArray::new(Arc::clone(item), 2, elements, Some(hidden(rows))))
        }
        T::Map(entries, _) => {
            let T::Struct(fields) = entries.data_type() else { panic!("entries are structs") };
            let text = |row: &Row| row.as_ref().map_or("none", |row| row.1.as_str()).to_owned();
            let keys = rows.iter().map(|row| Some(text(row))).collect::<StringArray>();
            let columns = vec![Arc::new(keys), array(&T::Utf8, rows)];
            let offsets = OffsetBuffer::from_lengths(rows.iter().map(|_| 1));
            let all = StructArray::new(fields.clone(), columns, None);
            Arc::new(MapArray::new(Arc::clone(entries), offsets, all, Some(hidden(rows)), false))
        }
        T::Struct(fields) => {
            let columns = fields.iter().map(|field| array(field.data_type(), rows)).collect();
            Arc::new(StructArray::new(fields.clone(), columns, Some(hidden(rows))))
        }
        T::RunEndEncoded(..) => {
            let ends: Int32Array = (1..=rows.len() as i32).collect();
            Arc::new(RunArray::<Int32Type>::try_new(&ends, &strings(rows)).unwrap())
        }
        _ => primitive(data_type, &bits, nulls),
    }
}

/// Every seventh row is null, whatever stands under it.
fn hidden(rows: &[Row]) -> NullBuffer {
    rows.iter().enumerate().map(|(row, value)| row % 7 != 3 && value.is_some()).collect()
}

fn strings(rows: &[Row]) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.as_ref().map(|row| row.1.as_str())).collect::<StringArray>())
}

/// Keys point backwards into the values, some of which are null, and one of which nobody uses.
fn dictionary(data_type: &DataType, values: &DataType, rows: &[Row]) -> ArrayRef {
    let mut entries = rows.to_vec();
    entries.push(Some((7, "unused".to_owned())));
    let last = rows.len() as i32;
    let keys: Int32Array =
        (0..last).map(|row| if row % 5 == 4 { None } else { Some(last - 1 - row) }).collect();
    let plain: ArrayRef = Arc::new(DictionaryArray::new(keys, array(values, &entries)));
    cast(&plain, data_type).unwrap()
}

fn primitive(data_type: &DataType, bits: &[i64], nulls: NullBuffer) -> ArrayRef {
    macro_rules! by_type {
        ($($type:ty),* $(,)?) => {$(
            if std::mem::discriminant(&<$type>::DATA_TYPE) == std::mem::discriminant(data_type)
                && same_unit(&<$type>::DATA_TYPE, data_type)
            {
                return build::<$type>(data_type, bits, nulls);
            }
        )*};
    }
    by_type!(
        Int8Type,
        Int16Type,
        Int32Type,
        Int64Type,
        UInt8Type,
        UInt16Type,
        UInt32Type,
        UInt64Type,
        Float16Type,
        Float32Type,
        Float64Type,
        Date32Type,
        Date64Type,
        Time32SecondType,
        Time32MillisecondType,
        Time64MicrosecondType,
        Time64NanosecondType,
        TimestampSecondType,
        TimestampMillisecondType,
        TimestampMicrosecondType,
        TimestampNanosecondType,
        DurationSecondType,
        DurationMillisecondType,
        DurationMicrosecondType,
        DurationNanosecondType,
        IntervalYearMonthType,
        IntervalDayTimeType,
        IntervalMonthDayNanoType,
        Decimal32Type,
        Decimal64Type,
        Decimal128Type,
        Decimal256Type,
    );
    new_null_array(data_type, bits.len())
}

fn same_unit(left: &DataType, right: &DataType) -> bool {
    use DataType as T;
    match (left, right) {
        (T::Time32(left), T::Time32(right)) | (T::Time64(left), T::Time64(right)) => left == right,
        (T::Timestamp(left, _), T::Timestamp(right, _)) => left == right,
        (T::Duration(left), T::Duration(right)) => left == right,
        (T::Interval(left), T::Interval(right)) => left == right,
        _ => true,
    }
}

/// The values are the first bytes of the bits, repeated: no range is respected.
fn build<T: ArrowPrimitiveType>(data_type: &DataType, bits: &[i64], nulls: NullBuffer) -> ArrayRef {
    let width = size_of::<T::Native>();
    let bytes: Vec<u8> =
        bits.iter().flat_map(|bits| bits.to_le_bytes().into_iter().cycle().take(width)).collect();
    let mut aligned = MutableBuffer::new(bytes.len());
    aligned.extend_from_slice(&bytes);
    let values = ScalarBuffer::<T::Native>::from(aligned);
    let array = PrimitiveArray::<T>::new(values, Some(nulls));
    Arc::new(array.with_data_type(data_type.clone()))
}
