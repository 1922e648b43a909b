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

use std::sync::Arc;

use arrow::array::{
    AnyDictionaryArray, Array, ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait,
    StringArrayType, StringViewArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use arrow_select::dictionary::garbage_collect_any_dictionary;

use crate::error::MaskError;
use crate::key::{Draw, LinkageKey};
use crate::lanes::Lanes;

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

/// The same for a kernel that refuses values: entries that no row uses are not held against the column.
pub(crate) fn over_values_that_fit(
    expected: &DataType,
    column: &ArrayRef,
    kernel: impl Fn(&ArrayRef) -> Result<ArrayRef, MaskError>,
) -> Result<ArrayRef, MaskError> {
    match (over_values(expected, column, &kernel), column.as_any_dictionary_opt()) {
        (Err(MaskError::DoesNotFit { .. }), Some(dictionary)) => over_used(dictionary, kernel),
        (result, _) => result,
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
        found => Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() }),
    }
}

/// Whether every byte is a character of its own to a reader (UAX 29): ASCII, but for CR LF.
#[inline]
pub(crate) fn is_bytewise(text: &str) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    // The high bit of each byte that is none: of those beyond ASCII, and of CR, or a byte after one.
    let odd = |bytes: u64| {
        let other = bytes ^ (ONES * 0x0d);
        bytes | (other.wrapping_sub(ONES) & !other)
    };
    let bytes = text.as_bytes();
    let found = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(last), ..) => {
            let (words, _) = bytes.as_chunks::<8>();
            let last = odd(u64::from_le_bytes(*last));
            words.iter().fold(last, |found, word| found | odd(u64::from_le_bytes(*word)))
        }
        (None, Some(first), Some(last)) => {
            let first = u64::from(u32::from_le_bytes(*first));
            odd(first | u64::from(u32::from_le_bytes(*last)) << 32)
        }
        _ => bytes.iter().fold(0, |found, byte| found | odd((*byte).into())),
    };
    found & (ONES << 7) == 0
}

/// Appends a text so many times.
#[inline]
pub(crate) fn repeat(text: &str, times: usize, out: &mut Vec<u8>) {
    match text.as_bytes() {
        [one] => out.resize(out.len() + times, *one),
        several => (0..times).for_each(|_| out.extend_from_slice(several)),
    }
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
    write: impl FnMut(&str, C, Draw<'_>, &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    match column.data_type() {
        DataType::Utf8 => {
            Ok(Arc::new(rewrite_keyed::<i32, _, _>(&column.as_string::<i32>(), key, hash, write)?))
        }
        DataType::LargeUtf8 => {
            Ok(Arc::new(rewrite_keyed::<i64, _, _>(&column.as_string::<i64>(), key, hash, write)?))
        }
        DataType::Utf8View => {
            let text = rewrite_keyed::<i32, _, _>(&column.as_string_view(), key, hash, write)?;
            Ok(Arc::new(StringViewArray::from(&text)))
        }
        found => Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() }),
    }
}

fn rewrite_keyed<'a, O: OffsetSizeTrait, A: StringArrayType<'a>, C>(
    column: &A,
    key: &LinkageKey,
    mut hash: impl FnMut(&str, &mut Lanes<'_>) -> C,
    mut write: impl FnMut(&str, C, Draw<'_>, &mut Vec<u8>),
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
                write(value, known, key.draw(*hash), builder.bytes());
            }
            builder.end_row()?;
        }
    }
    builder.finish(column.nulls().cloned())
}

/// Maps text that `read` understands to text of the same form, many values at a time: `change` is given
/// what was read of them, `write` appends the masked value (UTF-8). What `read` does not understand
/// becomes null, as null does; empty stays empty.
pub(crate) fn map_read<V: Copy, F: Copy>(
    column: &ArrayRef,
    read: impl Fn(&str) -> Option<(V, F)>,
    change: impl Fn(&mut [V]),
    write: impl Fn(V, F, &mut Vec<u8>),
) -> Result<ArrayRef, MaskError> {
    match column.data_type() {
        DataType::Utf8 => Ok(Arc::new(rewrite_read::<i32, _, _, _>(
            &column.as_string::<i32>(),
            read,
            change,
            write,
        )?)),
        DataType::LargeUtf8 => Ok(Arc::new(rewrite_read::<i64, _, _, _>(
            &column.as_string::<i64>(),
            read,
            change,
            write,
        )?)),
        DataType::Utf8View => {
            let text = rewrite_read::<i32, _, _, _>(&column.as_string_view(), read, change, write)?;
            Ok(Arc::new(StringViewArray::from(&text)))
        }
        found => Err(MaskError::UnexpectedType { expected: DataType::Utf8, found: found.clone() }),
    }
}

/// What stands in a row of text.
enum Row<F> {
    Null,
    Empty,
    Read(F),
}

fn rewrite_read<'a, O: OffsetSizeTrait, A: StringArrayType<'a>, V: Copy, F: Copy>(
    column: &A,
    read: impl Fn(&str) -> Option<(V, F)>,
    change: impl Fn(&mut [V]),
    write: impl Fn(V, F, &mut Vec<u8>),
) -> Result<GenericStringArray<O>, MaskError> {
    let mut builder = TextBuilder::with_rows(column.len());
    let mut valid = Vec::with_capacity(column.len());
    let mut values = Vec::with_capacity(ROWS_TOGETHER);
    let mut rows = Vec::with_capacity(ROWS_TOGETHER);
    for start in (0..column.len()).step_by(ROWS_TOGETHER) {
        values.clear();
        rows.clear();
        for row in start..column.len().min(start + ROWS_TOGETHER) {
            rows.push(match (column.is_null(row), column.value(row)) {
                (true, _) => Row::Null,
                (false, "") => Row::Empty,
                (false, text) => read(text).map_or(Row::Null, |(value, form)| {
                    values.push(value);
                    Row::Read(form)
                }),
            });
        }
        change(&mut values);
        let mut changed = values.iter();
        for row in &rows {
            if let Row::Read(form) = row
                && let Some(value) = changed.next()
            {
                write(*value, *form, builder.bytes());
            }
            valid.push(!matches!(row, Row::Null));
            builder.end_row()?;
        }
    }
    builder.finish(Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0))
}

/// Text of fresh buffers, built row by row.
pub(crate) struct TextBuilder<O> {
    bytes: Vec<u8>,
    offsets: Vec<O>,
    rows: usize,
}

/// Rows after which a builder knows how long texts are.
const ROWS_SEEN: usize = 256;

impl<O: OffsetSizeTrait> TextBuilder<O> {
    pub(crate) fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows.saturating_add(1));
        offsets.push(O::default());
        Self { bytes: Vec::with_capacity(rows.min(ROWS_SEEN) * 32), offsets, rows }
    }

    /// The buffer the current row's text is appended to.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the current row.
    #[inline]
    pub(crate) fn end_row(&mut self) -> Result<(), MaskError> {
        let Some(offset) = O::from_usize(self.bytes.len()) else {
            return Err(MaskError::BatchTooLarge { bytes_max: O::MAX_OFFSET });
        };
        self.offsets.push(offset);
        if self.offsets.len() == ROWS_SEEN + 1 {
            self.reserve();
        }
        Ok(())
    }

    /// Makes room for all rows, should the others be as long as the first ones, and an eighth more.
    #[cold]
    fn reserve(&mut self) {
        let others = self.rows.saturating_sub(ROWS_SEEN);
        let bytes = (self.bytes.len() / ROWS_SEEN + 1).saturating_mul(others);
        // A few long ones do not make room for as many more.
        self.bytes.reserve((bytes + bytes / 8).min(others.saturating_mul(64)));
    }

    pub(crate) fn finish(
        self,
        nulls: Option<NullBuffer>,
    ) -> Result<GenericStringArray<O>, MaskError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        GenericStringArray::try_new(offsets, Buffer::from_vec(self.bytes), nulls)
            .map_err(|_| MaskError::Kernel { operation: "assemble masked text" })
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
    fn bytes_are_characters_in_ascii_but_for_carriage_returns() {
        for length in 0..40 {
            let text = "~".repeat(length);
            assert!(is_bytewise(&text) && is_bytewise(&"\0".repeat(length)));
            for (place, odd) in (0..length).flat_map(|place| [(place, "\r"), (place, "é")]) {
                let mut text = text.clone();
                text.replace_range(place..=place, odd);
                assert!(!is_bytewise(&text), "{text:?}");
            }
        }
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
