//! Counting what a mask left as it was.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, OffsetSizeTrait};
use arrow::buffer::OffsetBuffer;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::{DataType, Int64Type};

use crate::calendar::{is_infinite, ticks_of, ticks_per_day};
use crate::canonical::{for_each, has_text};
use crate::error::MaskError;
use crate::forms::{decode, is_text, logical};

/// Rows whose non-null value a mask returned as it was: same type and value, or same canonical
/// text (an integer 7 and the text `7`). A column without a text form is only compared with
/// one of its own type. Empty text does not count, nor does an infinite date, nor a list or struct of
/// nothing but nulls and empty text: masks leave them as they are.
///
/// # Errors
/// [`MaskError::UnequalLengths`] if the columns differ in length.
pub fn unchanged_rows(before: &ArrayRef, after: &ArrayRef) -> Result<u64, MaskError> {
    if before.len() != after.len() {
        return Err(MaskError::UnequalLengths { expected: before.len(), found: after.len() });
    }
    if after.logical_null_count() == after.len() {
        return Ok(0);
    }
    let before = decode(before.data_type(), before)?;
    let after = decode(after.data_type(), after)?;
    if before.data_type() == after.data_type() && !is_nested(before.data_type()) {
        let equal = eq(&before, &after)
            .map_err(|_| MaskError::Kernel { operation: "compare a column with its mask" })?;
        return Ok((equal.true_count() as u64).saturating_sub(empty_rows(&before, &equal)?));
    }
    if has_text(before.data_type()) && has_text(after.data_type()) {
        return same_texts(&before, &after);
    }
    same_slots(&before, &after)
}

fn is_nested(input: &DataType) -> bool {
    logical(input).is_nested() || matches!(input, DataType::Null)
}

/// Rows that are equal because both are empty, or the same infinity.
fn empty_rows(before: &ArrayRef, equal: &BooleanArray) -> Result<u64, MaskError> {
    let mut rows = 0;
    if is_text(before.data_type()) {
        for_each(before.as_ref(), |row, value| {
            let empty = value.is_some_and(<[u8]>::is_empty);
            rows += u64::from(empty && equal.is_valid(row) && equal.value(row));
            Ok(())
        })?;
    }
    if ticks_per_day(before.data_type()).is_some() {
        let ticks = ticks_of(before)?;
        let ticks = ticks.as_primitive::<Int64Type>().iter().enumerate();
        let infinite = ticks.filter(|(row, ticks)| {
            ticks.is_some_and(|ticks| is_infinite(before.data_type(), ticks))
                && equal.is_valid(*row)
                && equal.value(*row)
        });
        rows += infinite.count() as u64;
    }
    Ok(rows)
}

fn same_texts(before: &ArrayRef, after: &ArrayRef) -> Result<u64, MaskError> {
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(before.len());
    for_each(before.as_ref(), |_, value| {
        bytes.extend_from_slice(value.unwrap_or_default());
        ends.push(value.map(|value| bytes.len() - value.len()..bytes.len()));
        Ok(())
    })?;
    let mut same = 0;
    for_each(after.as_ref(), |row, value| {
        let old = ends.get(row).cloned().flatten().and_then(|range| bytes.get(range));
        same += u64::from(value.is_some_and(|value| !value.is_empty()) && old == value);
        Ok(())
    })?;
    Ok(same)
}

/// For nested types: row by row.
fn same_slots(before: &ArrayRef, after: &ArrayRef) -> Result<u64, MaskError> {
    if before.data_type() != after.data_type() {
        return Ok(0);
    }
    let same = (0..before.len()).filter(|row| {
        let after = after.slice(*row, 1);
        after.logical_null_count() == 0
            && before.slice(*row, 1).as_ref() == after.as_ref()
            && holds_something(&after)
    });
    Ok(same.count() as u64)
}

/// Whether there is a value in these rows, inside lists and structs too, that is not null and not empty text.
fn holds_something(rows: &ArrayRef) -> bool {
    let lists = |ends: Option<(usize, usize)>, values: &ArrayRef| {
        ends.is_some_and(|(start, end)| holds_something(&values.slice(start, end - start)))
    };
    fn ends<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> Option<(usize, usize)> {
        Some((offsets.first()?.as_usize(), offsets.last()?.as_usize()))
    }
    match rows.data_type() {
        DataType::Struct(_) => rows.as_struct().columns().iter().any(holds_something),
        DataType::List(_) => {
            lists(ends(rows.as_list::<i32>().offsets()), rows.as_list::<i32>().values())
        }
        DataType::LargeList(_) => {
            lists(ends(rows.as_list::<i64>().offsets()), rows.as_list::<i64>().values())
        }
        DataType::FixedSizeList(..) => holds_something(rows.as_fixed_size_list().values()),
        DataType::Map(..) => {
            let map = rows.as_map();
            ends(map.offsets()).is_some_and(|(start, end)| {
                map.entries()
                    .columns()
                    .iter()
                    .any(|column| holds_something(&column.slice(start, end - start)))
            })
        }
        text if is_text(text) => decode(text, rows).is_ok_and(|rows| {
            let mut any = false;
            let read = for_each(rows.as_ref(), |_, value| {
                any |= value.is_some_and(|value| !value.is_empty());
                Ok(())
            });
            any || read.is_err()
        }),
        _ => rows.logical_null_count() < rows.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, ListArray, NullArray, StringArray};
    use arrow::compute::cast;
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;

    #[test]
    fn nulls_do_not_count_and_forms_do_not_matter() {
        let before: ArrayRef =
            Arc::new(StringArray::from(vec![Some("1"), None, Some("3"), Some("")]));
        let after: ArrayRef =
            Arc::new(StringArray::from(vec![Some("1"), None, Some("4"), Some("")]));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        for form in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary] {
            let after = cast(&after, &form).unwrap();
            assert_eq!(unchanged_rows(&before, &after), Ok(1), "{form}");
        }
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None, None]));
        assert_eq!(unchanged_rows(&numbers, &before), Ok(1));
        assert_eq!(unchanged_rows(&numbers, &numbers), Ok(2));
    }

    #[test]
    fn nested_and_null_columns() {
        let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1)]),
            None,
        ]));
        assert_eq!(unchanged_rows(&list, &list), Ok(1));
        let hollow: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![None]),
            Some(vec![]),
        ]));
        assert_eq!(unchanged_rows(&hollow, &hollow), Ok(0));
        let null: ArrayRef = Arc::new(NullArray::new(2));
        assert_eq!(unchanged_rows(&null, &null), Ok(0));
        assert_eq!(unchanged_rows(&list, &null), Ok(0));
        let short: ArrayRef = Arc::new(NullArray::new(1));
        assert!(unchanged_rows(&list, &short).is_err());
    }
}
