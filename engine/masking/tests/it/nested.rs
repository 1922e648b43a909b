//! Nested columns written as JSON: lists as arrays, structs and maps as objects.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Int64Array, LargeListArray, ListArray, MapArray,
    StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use serde_json::{Map, Value};

/// A nested column from JSON.
pub(crate) fn column(input: &DataType, rows: &[Option<&str>]) -> ArrayRef {
    let parse = |row: &Option<&str>| row.map(|row| serde_json::from_str(row).expect("JSON"));
    array(input, &rows.iter().map(|row| parse(row).unwrap_or_default()).collect::<Vec<Value>>())
}

/// A nested column as JSON.
pub(crate) fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    let written = |row| Some(value(column, row)).filter(|value| !value.is_null());
    (0..column.len()).map(|row| written(row).map(|value| value.to_string())).collect()
}

/// An array of any type from JSON.
pub(crate) fn array(input: &DataType, rows: &[Value]) -> ArrayRef {
    use DataType as T;
    let nulls: NullBuffer = rows.iter().map(|row| !row.is_null()).collect();
    let nulls = Some(nulls);
    let elements = || rows.iter().map(|row| row.as_array().cloned().unwrap_or_default());
    let flat =
        |field: &FieldRef| array(field.data_type(), &elements().flatten().collect::<Vec<_>>());
    let lengths = || elements().map(|row| row.len());
    match input {
        T::List(field) => {
            let offsets = OffsetBuffer::from_lengths(lengths());
            Arc::new(ListArray::new(Arc::clone(field), offsets, flat(field), nulls))
        }
        T::LargeList(field) => {
            let offsets = OffsetBuffer::from_lengths(lengths());
            Arc::new(LargeListArray::new(Arc::clone(field), offsets, flat(field), nulls))
        }
        T::FixedSizeList(field, size) => {
            let of = |row: &Value| match row.as_array() {
                Some(row) => row.clone(),
                None => vec![Value::Null; *size as usize],
            };
            let flat = array(field.data_type(), &rows.iter().flat_map(of).collect::<Vec<_>>());
            Arc::new(FixedSizeListArray::new(Arc::clone(field), *size, flat, nulls))
        }
        T::Struct(fields) => {
            let of = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
            let column = |field: &FieldRef| array(field.data_type(), &of(field.name()));
            Arc::new(StructArray::new(fields.clone(), fields.iter().map(column).collect(), nulls))
        }
        T::Map(field, ordered) => {
            let T::Struct(fields) = field.data_type() else { panic!("entries are structs") };
            let entries = || rows.iter().map(|row| row.as_object().cloned().unwrap_or_default());
            let keys: Vec<Value> = entries().flatten().map(|(key, _)| key.into()).collect();
            let values: Vec<Value> = entries().flatten().map(|(_, value)| value).collect();
            let columns =
                vec![array(fields[0].data_type(), &keys), array(fields[1].data_type(), &values)];
            let offsets = OffsetBuffer::from_lengths(entries().map(|row| row.len()));
            let entries = StructArray::new(fields.clone(), columns, None);
            Arc::new(MapArray::new(Arc::clone(field), offsets, entries, nulls, *ordered))
        }
        T::Int64 => Arc::new(rows.iter().map(Value::as_i64).collect::<Int64Array>()),
        _ => {
            let text = |row: &Value| match row {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            cast(&rows.iter().map(text).collect::<StringArray>(), input).expect("text casts")
        }
    }
}

fn value(column: &ArrayRef, row: usize) -> Value {
    use DataType as T;
    if column.is_null(row) {
        return Value::Null;
    }
    let all = |column: &ArrayRef| (0..column.len()).map(|row| value(column, row)).collect();
    match column.data_type() {
        T::List(_) => Value::Array(all(&column.as_list::<i32>().value(row))),
        T::LargeList(_) => Value::Array(all(&column.as_list::<i64>().value(row))),
        T::FixedSizeList(..) => Value::Array(all(&column.as_fixed_size_list().value(row))),
        T::Struct(fields) => {
            let columns = fields.iter().zip(column.as_struct().columns());
            columns.map(|(field, column)| (field.name().clone(), value(column, row))).collect()
        }
        T::Map(..) => {
            let entries: ArrayRef = Arc::new(column.as_map().value(row));
            let (keys, values) = (entries.as_struct().column(0), entries.as_struct().column(1));
            let entry = |row| {
                let key = value(keys, row);
                (key.as_str().map_or(key.to_string(), str::to_owned), value(values, row))
            };
            Value::Object((0..entries.len()).map(entry).collect::<Map<_, _>>())
        }
        plain => {
            let text = cast(&column.slice(row, 1), &T::Utf8).expect("the type casts to text");
            let text = text.as_string::<i32>().value(0).to_owned();
            match plain.is_numeric() || plain == &T::Boolean {
                true => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                false => Value::String(text),
            }
        }
    }
}
