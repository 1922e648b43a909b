//! Counting what a mask left as it was.

use arrow::array::{
    AnyDictionaryArray, Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder,
    OffsetSizeTrait, StringArrayType,
};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::{DataType, Int64Type};

use crate::calendar::{is_infinite, ticks_of, ticks_per_day};
use crate::canonical::{for_each, has_text, text_bytes_max};
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
    if let (Some(before), Some(after)) =
        (before.as_any_dictionary_opt(), after.as_any_dictionary_opt())
        && before.keys() == after.keys()
        && before.values().len() == after.values().len()
    {
        return same_entries(before, after);
    }
    let before = decode(before.data_type(), before)?;
    let after = decode(after.data_type(), after)?;
    Ok(same(&before, &after)?.map_or(0, |same| same.count_set_bits() as u64))
}

/// Rows of two dictionaries with the same keys: their entries are compared once each.
fn same_entries(
    before: &dyn AnyDictionaryArray,
    after: &dyn AnyDictionaryArray,
) -> Result<u64, MaskError> {
    let Some(same) = same(before.values(), after.values())? else { return Ok(0) };
    if same.count_set_bits() == 0 {
        return Ok(0);
    }
    let keys = before.normalized_keys().into_iter().enumerate();
    let rows = keys.filter(|(row, key)| before.is_valid(*row) && same.value(*key));
    Ok(rows.count() as u64)
}

/// Which rows of two plain columns hold the same value, null and empty ones left out; none if no row can.
fn same(before: &ArrayRef, after: &ArrayRef) -> Result<Option<BooleanBuffer>, MaskError> {
    if before.data_type() == after.data_type() && !is_nested(before.data_type()) {
        let equal = eq(before, after)
            .map_err(|_| MaskError::Kernel { operation: "compare a column with its mask" })?;
        return without_empty(before, &equal).map(Some);
    }
    if !has_text(before.data_type()) || !has_text(after.data_type()) {
        return Ok(same_slots(before, after));
    }
    if is_text(after.data_type()) { same_texts(before, after) } else { same_texts(after, before) }
}

fn is_nested(input: &DataType) -> bool {
    logical(input).is_nested() || matches!(input, DataType::Null)
}

/// The rows that are equal, but for those that are because both are empty, or the same infinity.
fn without_empty(column: &ArrayRef, equal: &BooleanArray) -> Result<BooleanBuffer, MaskError> {
    let rows = match equal.nulls() {
        Some(nulls) => equal.values() & nulls.inner(),
        None => equal.values().clone(),
    };
    if rows.count_set_bits() == 0 {
        return Ok(rows);
    }
    if ticks_per_day(column.data_type()).is_some() {
        let ticks = ticks_of(column)?;
        let ticks = ticks.as_primitive::<Int64Type>().values().iter();
        let finite = ticks.map(|ticks| !is_infinite(column.data_type(), *ticks));
        return Ok(&rows & &finite.collect::<BooleanBuffer>());
    }
    Ok(match column.data_type() {
        DataType::Utf8View => not_empty(&rows, &column.as_string_view()),
        DataType::LargeUtf8 => not_empty(&rows, &column.as_string::<i64>()),
        DataType::Utf8 => not_empty(&rows, &column.as_string::<i32>()),
        _ => rows,
    })
}

fn not_empty<'a>(rows: &BooleanBuffer, texts: &impl StringArrayType<'a>) -> BooleanBuffer {
    BooleanBuffer::collect_bool(rows.len(), |row| rows.value(row) && !texts.value(row).is_empty())
}

/// Rows of which one column holds the canonical bytes of the other, which is text if one of them is.
fn same_texts(column: &ArrayRef, other: &ArrayRef) -> Result<Option<BooleanBuffer>, MaskError> {
    match other.data_type() {
        DataType::Utf8 => same_as_text(column, &other.as_string::<i32>()),
        DataType::LargeUtf8 => same_as_text(column, &other.as_string::<i64>()),
        DataType::Utf8View => same_as_text(column, &other.as_string_view()),
        _ => {
            let mut bytes = Vec::new();
            let mut ends = Vec::with_capacity(other.len());
            for_each(other.as_ref(), |_, value| {
                bytes.extend_from_slice(value.unwrap_or_default());
                ends.push(value.map(|value| bytes.len() - value.len()..bytes.len()));
                Ok(())
            })?;
            let at = |row: usize| bytes.get(ends.get(row).cloned().flatten()?);
            same_bytes(column, at).map(Some)
        }
    }
}

fn same_as_text<'a>(
    column: &ArrayRef,
    texts: &impl StringArrayType<'a>,
) -> Result<Option<BooleanBuffer>, MaskError> {
    // Pseudonyms of numbers are often longer than any number.
    if let Some(most) = text_bytes_max(column.data_type()) {
        let differs = |row| texts.value(row).is_empty() || texts.value(row).len() > most;
        if (0..column.len()).all(differs) {
            return Ok(None);
        }
    }
    same_bytes(column, |row| texts.is_valid(row).then(|| texts.value(row).as_bytes())).map(Some)
}

/// Rows whose canonical bytes are those that `at` gives, and not empty.
fn same_bytes<'a>(
    column: &ArrayRef,
    at: impl Fn(usize) -> Option<&'a [u8]>,
) -> Result<BooleanBuffer, MaskError> {
    let mut same = BooleanBufferBuilder::new(column.len());
    for_each(column.as_ref(), |row, value| {
        same.append(value.is_some_and(|value| !value.is_empty() && at(row) == Some(value)));
        Ok(())
    })?;
    Ok(same.finish())
}

/// For nested types: row by row.
fn same_slots(before: &ArrayRef, after: &ArrayRef) -> Option<BooleanBuffer> {
    (before.data_type() == after.data_type()).then(|| {
        BooleanBuffer::collect_bool(before.len(), |row| {
            let after = after.slice(row, 1);
            after.logical_null_count() == 0
                && before.slice(row, 1).as_ref() == after.as_ref()
                && holds_something(&after)
        })
    })
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
    fn entries_of_dictionaries_count_for_every_row() {
        let key = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let texts = ["a", "", "b", "a", "b", "a"].map(Some);
        let rows = texts.into_iter().chain([None]).collect::<StringArray>();
        let before = cast(&(Arc::new(rows) as ArrayRef), &key).unwrap();
        let entries = |entries: [Option<&str>; 3]| -> ArrayRef {
            before.as_any_dictionary().with_values(Arc::new(StringArray::from(entries.to_vec())))
        };
        assert_eq!(before.as_any_dictionary().values().len(), 3);
        for (masked, unchanged) in [
            ([Some("a"), Some(""), Some("x")], 3),
            ([Some("x"), Some(""), Some("b")], 2),
            ([None, Some(""), None], 0),
            ([Some("a"), Some(""), Some("b")], 5),
        ] {
            let masked = entries(masked);
            assert_eq!(unchanged_rows(&before, &masked), Ok(unchanged));
            // The same by row, where the keys tell nothing.
            let plain = cast(&masked, &DataType::Utf8).unwrap();
            assert_eq!(unchanged_rows(&before, &plain), Ok(unchanged));
            let other = cast(&plain, &key).unwrap();
            assert_eq!(unchanged_rows(&before, &other), Ok(unchanged));
        }
    }

    #[test]
    fn numbers_are_compared_with_texts_as_long_as_they_are() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(7), None]));
        let texts = |texts: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
        let long = "a token of more than 20 characters";
        assert_eq!(unchanged_rows(&numbers, &texts([long, long, ""])), Ok(0));
        let least = texts(["-9223372036854775808", long, long]);
        assert_eq!(unchanged_rows(&numbers, &least), Ok(1));
        assert_eq!(unchanged_rows(&least, &numbers), Ok(1));
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
