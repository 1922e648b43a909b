//! The forms a column can take: plain, large, view, and dictionary over those.
//!
//! ```text
//!  Dictionary(K, V) ── values (only those referenced) ──▶ kernel ──▶ Dictionary(K, V')
//!  V ─────────────────────────────────────────────────▶ kernel ──▶ V'
//! ```
//!
//! A kernel sees plain arrays only, and a dictionary's distinct values once each.
//! Its result is built from fresh value buffers: neither a dictionary entry that no
//! row uses nor the bytes under a null can carry a raw value along.

mod read;
mod text;

use std::sync::Arc;

use arrow::array::{
    AnyDictionaryArray, Array, ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait,
    StringArrayType, StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use arrow_select::dictionary::garbage_collect_any_dictionary;

use crate::error::MaskError;
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;

pub(crate) use self::read::map_read;
pub(crate) use self::text::{TextBuilder, is_bytewise, repeat};

/// The type of the values: what a dictionary's entries are, else the type itself.
pub(crate) fn logical(input: &DataType) -> &DataType {
    match input {
        DataType::Dictionary(_, values) => values,
        plain => plain,
    }
}

/// Whether the values are text, in whatever form.
pub(crate) fn is_text(input: &DataType) -> bool {
    matches!(logical(input), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The type of text made from `input`: text keeps its form, other values give
/// Utf8; a dictionary stays a dictionary.
pub(crate) fn text_of(input: &DataType) -> DataType {
    match input {
        DataType::Dictionary(keys, values) => {
            DataType::Dictionary(keys.clone(), Box::new(text_of(values)))
        }
        text if is_text(text) => text.clone(),
        _ => DataType::Utf8,
    }
}

/// Refuses a column of another type than the one bound to.
pub(crate) fn check_type(expected: &DataType, column: &ArrayRef) -> Result<(), MaskError> {
    if column.data_type() == expected {
        return Ok(());
    }
    let found = column.data_type().clone();
    Err(MaskError::UnexpectedType { expected: expected.clone(), found })
}

/// The only other column of the row, which must be as long as the masked one.
pub(crate) fn only<'a>(
    others: &'a [ArrayRef],
    column: &ArrayRef,
) -> Result<&'a ArrayRef, MaskError> {
    let [other] = others else {
        return Err(MaskError::UnexpectedInputs { expected: 1, found: others.len() });
    };
    if other.len() == column.len() {
        return Ok(other);
    }
    Err(MaskError::UnequalLengths { expected: column.len(), found: other.len() })
}

/// Checks that there are as many other columns of the row as expected, as long as the masked one.
pub(crate) fn check_others(
    expected: usize,
    others: &[ArrayRef],
    column: &ArrayRef,
) -> Result<(), MaskError> {
    if others.len() != expected {
        return Err(MaskError::UnexpectedInputs { expected, found: others.len() });
    }
    match others.iter().find(|other| other.len() != column.len()) {
        Some(other) => {
            Err(MaskError::UnequalLengths { expected: column.len(), found: other.len() })
        }
        None => Ok(()),
    }
}

/// The column without its dictionary, if it has one.
pub(crate) fn decode(expected: &DataType, column: &ArrayRef) -> Result<ArrayRef, MaskError> {
    check_type(expected, column)?;
    match expected {
        DataType::Dictionary(_, values) => arrow::compute::cast(column, values)
            .map_err(|_| MaskError::Kernel { operation: "decode a dictionary" }),
        _ => Ok(Arc::clone(column)),
    }
}

/// Runs `kernel` on a column of type `expected`, or on a dictionary's distinct values.
pub(crate) fn over_values(
    expected: &DataType,
    column: &ArrayRef,
    kernel: impl FnOnce(&ArrayRef) -> Result<ArrayRef, MaskError>,
) -> Result<ArrayRef, MaskError> {
    check_type(expected, column)?;
    let Some(dictionary) = column.as_any_dictionary_opt() else {
        return kernel(column);
    };
    if dictionary.values().len() <= column.len() {
        return Ok(dictionary.with_values(kernel(dictionary.values())?));
    }
    // More entries than rows: a slice, or entries that a filter left behind.
    over_used(dictionary, kernel)
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is what the function is for.
    Right,
    /// It is not, and something stands in its place.
    Replaced,
    /// It is not, and becomes null.
    Null,
}

/// A masked column, and the places of the values that do not fit; of a dictionary, its entries.
pub(crate) type Counted = (ArrayRef, Vec<usize>);

/// The same as [`over_values`] for a kernel that says which values do not fit: with the number of rows that
/// hold such a value. Entries that no row uses do not count.
pub(crate) fn over_values_counted(
    expected: &DataType,
    column: &ArrayRef,
    kernel: impl FnOnce(&ArrayRef) -> Result<Counted, MaskError>,
) -> Result<(ArrayRef, u64), MaskError> {
    let mut unfit = Vec::new();
    let masked = over_values(expected, column, |values| {
        let (masked, places) = kernel(values)?;
        unfit = places;
        Ok(masked)
    })?;
    let rows = match masked.as_any_dictionary_opt() {
        Some(dictionary) if !unfit.is_empty() => rows_of(dictionary, &unfit),
        _ => unfit.len(),
    };
    Ok((masked, rows as u64))
}

/// The masked column, and how many rows became null in it that were not.
pub(crate) fn became_null(before: &ArrayRef, masked: ArrayRef) -> (ArrayRef, u64) {
    let more = masked.null_count().saturating_sub(before.null_count());
    (masked, more as u64)
}

/// The same with the rows.
pub(crate) fn newly_null(before: &ArrayRef, masked: ArrayRef) -> Counted {
    if masked.null_count() <= before.null_count() {
        return (masked, Vec::new());
    }
    let rows = 0..masked.len();
    let places = rows.filter(|row| masked.is_null(*row) && before.is_valid(*row)).collect();
    (masked, places)
}

/// How many rows hold one of these entries.
fn rows_of(dictionary: &dyn AnyDictionaryArray, entries: &[usize]) -> usize {
    let mut wanted = vec![false; dictionary.values().len()];
    for entry in entries {
        if let Some(wanted) = wanted.get_mut(*entry) {
            *wanted = true;
        }
    }
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let is_wanted = |entry: usize| wanted.get(entry).copied().unwrap_or_default();
    keys.filter(|(row, key)| dictionary.keys().is_valid(*row) && is_wanted(*key)).count()
}

/// The same for a kernel that leaves much as it is: entries that no row uses are dropped first.
pub(crate) fn over_used_values(
    expected: &DataType,
    column: &ArrayRef,
    kernel: impl FnOnce(&ArrayRef) -> Result<ArrayRef, MaskError>,
) -> Result<ArrayRef, MaskError> {
    check_type(expected, column)?;
    match column.as_any_dictionary_opt() {
        Some(dictionary) => over_used(dictionary, kernel),
        None => kernel(column),
    }
}

fn over_used(
    dictionary: &dyn AnyDictionaryArray,
    kernel: impl FnOnce(&ArrayRef) -> Result<ArrayRef, MaskError>,
) -> Result<ArrayRef, MaskError> {
    let compact = garbage_collect_any_dictionary(dictionary)
        .map_err(|_| MaskError::Kernel { operation: "drop unused dictionary entries" })?;
    let Some(dictionary) = compact.as_any_dictionary_opt() else {
        return Err(MaskError::Kernel { operation: "drop unused dictionary entries" });
    };
    Ok(dictionary.with_values(kernel(dictionary.values())?))
}

/// Maps text to text of the same form, value by value. `write` appends the masked
/// value (UTF-8) to the buffer. Nulls stay null, empty stays empty.
pub(crate) fn map_text(
    column: &ArrayRef,
    write: impl FnMut(&str, &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    match column.data_type() {
        DataType::Utf8 => Ok(Arc::new(rewrite::<i32, _>(&column.as_string::<i32>(), write)?)),
        DataType::LargeUtf8 => Ok(Arc::new(rewrite::<i64, _>(&column.as_string::<i64>(), write)?)),
        DataType::Utf8View => {
            let text = rewrite::<i32, _>(&column.as_string_view(), write)?;
            Ok(Arc::new(StringViewArray::from(&text)))
        }
        found => Err(not_text(found)),
    }
}

/// The same with the row number, for values that may not fit: `write` says what became of each.
pub(crate) fn map_text_counted(
    column: &ArrayRef,
    write: impl FnMut(usize, &str, &mut Vec<u8>) -> Fit,
) -> Result<Counted, MaskError> {
    let mut unfit = Unfit::default();
    let masked: ArrayRef = match column.data_type() {
        DataType::Utf8 => {
            Arc::new(rewrite_rows::<i32, _>(&column.as_string::<i32>(), write, &mut unfit)?)
        }
        DataType::LargeUtf8 => {
            Arc::new(rewrite_rows::<i64, _>(&column.as_string::<i64>(), write, &mut unfit)?)
        }
        DataType::Utf8View => {
            let text = rewrite_rows::<i32, _>(&column.as_string_view(), write, &mut unfit)?;
            Arc::new(StringViewArray::from(&text))
        }
        found => return Err(not_text(found)),
    };
    Ok((masked, unfit.places))
}

fn not_text(found: &DataType) -> MaskError {
    MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() }
}

/// Writes plain text anew, row by row: `write` is given the row's number, and appends its text (UTF-8), or says that
/// there is none. Nulls stay null, empty stays empty.
pub(crate) fn map_rows(
    column: &ArrayRef,
    write: impl FnMut(usize, &mut Vec<u8>) -> bool,
) -> Result<ArrayRef, MaskError> {
    match column.data_type() {
        DataType::Utf8 => {
            Ok(Arc::new(rewrite_numbered::<i32, _>(&column.as_string::<i32>(), write)?))
        }
        DataType::LargeUtf8 => {
            Ok(Arc::new(rewrite_numbered::<i64, _>(&column.as_string::<i64>(), write)?))
        }
        DataType::Utf8View => {
            let text = rewrite_numbered::<i32, _>(&column.as_string_view(), write)?;
            Ok(Arc::new(StringViewArray::from(&text)))
        }
        found => Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() }),
    }
}

fn rewrite_numbered<'a, O: OffsetSizeTrait, A: StringArrayType<'a>>(
    column: &A,
    mut write: impl FnMut(usize, &mut Vec<u8>) -> bool,
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::with_rows(column.len());
    let mut valid = Vec::with_capacity(column.len());
    for (row, value) in column.iter().enumerate() {
        let is_written = match value {
            None => false,
            Some("") => true,
            Some(_) => write(row, builder.bytes()),
        };
        valid.push(is_written);
        builder.end_row()?;
    }
    builder.finish(Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0))
}

/// Rows whose values are hashed together: few enough to stay in the processor's first cache.
pub(crate) const ROWS_TOGETHER: usize = 256;

/// Maps text to text of the same form by key: `hash` adds what a value is keyed by to the lanes,
/// once, and gives what `write` should know of the value when it appends the masked one (UTF-8). Nulls
/// stay null, empty stays empty.
pub(crate) fn map_text_keyed<C>(
    column: &ArrayRef,
    key: &LinkageKey,
    hash: impl FnMut(&str, &mut Lanes<'_>) -> C,
    mut write: impl FnMut(&str, C, Draw<'_>, &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    let write = |value: &str, known: C, draw: Draw<'_>, out: &mut Vec<u8>| {
        write(value, known, draw, out);
        Fit::Right
    };
    Ok(map_text_keyed_counted(column, key, hash, write)?.0)
}

/// The same for values that may not fit: `write` says what became of each.
pub(crate) fn map_text_keyed_counted<C>(
    column: &ArrayRef,
    key: &LinkageKey,
    hash: impl FnMut(&str, &mut Lanes<'_>) -> C,
    write: impl FnMut(&str, C, Draw<'_>, &mut Vec<u8>) -> Fit,
) -> Result<Counted, MaskError> {
    let mut unfit = Unfit::default();
    let masked: ArrayRef = match column.data_type() {
        DataType::Utf8 => {
            let column = &column.as_string::<i32>();
            Arc::new(rewrite_keyed::<i32, _, _>(column, key, hash, write, &mut unfit)?)
        }
        DataType::LargeUtf8 => {
            let column = &column.as_string::<i64>();
            Arc::new(rewrite_keyed::<i64, _, _>(column, key, hash, write, &mut unfit)?)
        }
        DataType::Utf8View => {
            let column = &column.as_string_view();
            let text = rewrite_keyed::<i32, _, _>(column, key, hash, write, &mut unfit)?;
            Arc::new(StringViewArray::from(&text))
        }
        found => return Err(not_text(found)),
    };
    Ok((masked, unfit.places))
}

fn rewrite_keyed<'a, O: OffsetSizeTrait, A: StringArrayType<'a>, C>(
    column: &A,
    key: &LinkageKey,
    mut hash: impl FnMut(&str, &mut Lanes<'_>) -> C,
    mut write: impl FnMut(&str, C, Draw<'_>, &mut Vec<u8>) -> Fit,
    unfit: &mut Unfit,
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::with_rows(column.len());
    let mut lanes = key.lanes();
    let mut known = Vec::with_capacity(ROWS_TOGETHER);
    let value = |row: usize| {
        let value = if column.is_null(row) { "" } else { column.value(row) };
        Some(value).filter(|value| !value.is_empty())
    };
    for start in (0..column.len()).step_by(ROWS_TOGETHER) {
        let rows = start..column.len().min(start + ROWS_TOGETHER);
        lanes.clear();
        known.extend(rows.clone().filter_map(value).map(|value| hash(value, &mut lanes)));
        let mut hashes = lanes.finish().iter().zip(known.drain(..));
        for row in rows {
            if let Some(value) = value(row)
                && let Some((hash, known)) = hashes.next()
            {
                unfit.note(row, write(value, known, key.draw(*hash), builder.bytes()));
            }
            builder.end_row()?;
        }
    }
    builder.finish(unfit.nulls(column.len(), column.nulls()))
}

/// Rows whose values do not fit.
#[derive(Debug, Default)]
pub(crate) struct Unfit {
    /// All of them.
    pub(crate) places: Vec<usize>,
    /// Those that become null.
    hidden: Vec<usize>,
}

impl Unfit {
    /// Takes down what became of a row.
    #[inline]
    pub(crate) fn note(&mut self, row: usize, fit: Fit) {
        if fit != Fit::Right {
            self.places.push(row);
            if fit == Fit::Null {
                self.hidden.push(row);
            }
        }
    }

    /// The nulls of a column, with the rows that become null.
    pub(crate) fn nulls(&self, rows: usize, nulls: Option<&NullBuffer>) -> Option<NullBuffer> {
        if self.hidden.is_empty() {
            return nulls.cloned();
        }
        let mut valid = vec![true; rows];
        for row in &self.hidden {
            if let Some(valid) = valid.get_mut(*row) {
                *valid = false;
            }
        }
        NullBuffer::union(nulls, Some(&NullBuffer::from(valid)))
    }
}

fn rewrite<'a, O: OffsetSizeTrait, A: StringArrayType<'a>>(
    column: &A,
    mut write: impl FnMut(&str, &mut Vec<u8>),
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::with_rows(column.len());
    for value in column.iter() {
        if let Some(value) = value
            && !value.is_empty()
        {
            write(value, builder.bytes());
        }
        builder.end_row()?;
    }
    builder.finish(column.nulls().cloned())
}

fn rewrite_rows<'a, O: OffsetSizeTrait, A: StringArrayType<'a>>(
    column: &A,
    mut write: impl FnMut(usize, &str, &mut Vec<u8>) -> Fit,
    unfit: &mut Unfit,
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::with_rows(column.len());
    for (row, value) in column.iter().enumerate() {
        if let Some(value) = value
            && !value.is_empty()
        {
            unfit.note(row, write(row, value, builder.bytes()));
        }
        builder.end_row()?;
    }
    builder.finish(unfit.nulls(column.len(), column.nulls()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{DictionaryArray, Int8Array, StringArray};

    fn shout(column: &ArrayRef) -> Result<ArrayRef, MaskError> {
        map_text(column, |value, out| out.extend(value.to_uppercase().bytes()))
    }

    #[test]
    fn a_dictionary_is_masked_once_per_value_and_loses_what_no_row_uses() {
        let keys = Int8Array::from(vec![Some(2), None, Some(1)]);
        let values = StringArray::from(vec![Some("a"), Some("b"), None, Some("secret")]);
        let column: ArrayRef = Arc::new(DictionaryArray::new(keys, Arc::new(values)));
        let mut calls = 0;
        let masked = over_values(column.data_type(), &column, |values| {
            calls += values.len();
            shout(values)
        })
        .unwrap();
        assert_eq!(masked.data_type(), column.data_type());
        assert!(calls < 4, "the unused entries are dropped");
        let plain = arrow::compute::cast(&masked, &DataType::Utf8).unwrap();
        let expected = StringArray::from(vec![None, None, Some("B")]);
        assert_eq!(plain.as_string::<i32>(), &expected);
    }

    #[test]
    fn an_empty_dictionary_passes() {
        let column = arrow::array::new_empty_array(&DataType::Dictionary(
            Box::new(DataType::UInt64),
            Box::new(DataType::Utf8View),
        ));
        let masked = over_values(column.data_type(), &column, shout).unwrap();
        assert_eq!(masked.data_type(), column.data_type());
    }

    #[test]
    fn text_that_is_no_utf8_is_an_error_not_a_panic() {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        let result = map_text(&column, |_, out| out.push(0xff));
        assert_eq!(result.err(), Some(MaskError::Kernel { operation: "assemble masked text" }));
    }
}
