//! Keyed digests of values, for telling whether two are equal without keeping either.
//!
//! ```text
//!  one column    H(1 ‖ canonical bytes)                    ─┐
//!  several       H(2 ‖ for each: 0, or 1 ‖ its digest)     ─┴─▶ the first 128 bits
//! ```
//!
//! H is BLAKE3 `keyed_hash` of the padded input, as for masks. Values are equal when their canonical
//! bytes are, so an integer 7 and the text `7` are. Two different values share a digest with a
//! probability of about n² / 2¹²⁹ among n of them.

use std::fmt;
use std::sync::Arc;

use arrow::array::{AnyDictionaryArray, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use zeroize::Zeroizing;

use crate::canonical::{for_each, has_text};
use crate::error::MaskError;
use crate::forms::{ROWS_TOGETHER, decode};
use crate::lanes::Lanes;

/// Before the bytes of one value.
const VALUE: u8 = 1;
/// Before the digests of several columns.
const ROW: u8 = 2;
/// In place of a column's digest where it is null.
const NULL: u8 = 0;

/// The key of digests: wiped on drop, never printed.
#[derive(Clone)]
pub struct DigestKey(Zeroizing<[u8; 32]>);

impl DigestKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey([redacted])")
    }
}

/// What counts as no value, so that the row has no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// A null in any of the columns.
    Null,
    /// A null, or empty text or bytes, in any of the columns.
    NullOrEmpty,
    /// Nothing: a null is a value that equals other nulls, as in `GROUP BY`.
    Nothing,
}

/// Whether values of this type have digests: all but lists, structs, maps and the like.
#[must_use]
pub fn has_digest(data_type: &DataType) -> bool {
    has_text(data_type)
}

/// The digest of each row's values in `columns`, which are of one length; none where a value is absent.
///
/// # Errors
/// [`MaskError`] when a column has a type without digests, or another length than the first.
pub fn row_digests(
    columns: &[ArrayRef],
    key: &DigestKey,
    absent: Absent,
) -> Result<Vec<Option<u128>>, MaskError> {
    let [column] = columns else { return several(columns, key, absent) };
    if let Some(dictionary) = column.as_any_dictionary_opt()
        && (1..=column.len()).contains(&dictionary.values().len())
    {
        return by_entry(dictionary, key, absent);
    }
    let mut digests = Vec::with_capacity(column.len());
    let mut lanes = Lanes::new(&key.0);
    let mut there = Vec::with_capacity(ROWS_TOGETHER);
    for start in (0..column.len()).step_by(ROWS_TOGETHER) {
        let rows = column.slice(start, ROWS_TOGETHER.min(column.len() - start));
        let rows = decode(rows.data_type(), &rows)?;
        lanes.clear();
        there.clear();
        for_each(rows.as_ref(), |_, value| {
            let value = value.filter(|value| absent != Absent::NullOrEmpty || !value.is_empty());
            there.push(value.is_some() || absent == Absent::Nothing);
            match value {
                Some(value) => lanes.push_after(VALUE, value),
                None => lanes.push(&[NULL]),
            }
            Ok(())
        })?;
        let hashes = lanes.finish().iter().zip(&there);
        digests.extend(hashes.map(|(hash, there)| there.then(|| first(hash))));
    }
    Ok(digests)
}

/// The digests of a dictionary's rows: each entry is hashed once.
fn by_entry(
    dictionary: &dyn AnyDictionaryArray,
    key: &DigestKey,
    absent: Absent,
) -> Result<Vec<Option<u128>>, MaskError> {
    let entries = row_digests(&[Arc::clone(dictionary.values())], key, absent)?;
    let mut lanes = Lanes::new(&key.0);
    lanes.push(&[NULL]);
    let null = lanes.finish().first().map(first).filter(|_| absent == Absent::Nothing);
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let entry = |(row, key): (usize, usize)| match dictionary.is_null(row) {
        true => null,
        false => entries.get(key).copied().flatten(),
    };
    Ok(keys.map(entry).collect())
}

fn several(
    columns: &[ArrayRef],
    key: &DigestKey,
    absent: Absent,
) -> Result<Vec<Option<u128>>, MaskError> {
    let rows = columns.first().map_or(0, |column| column.len());
    // A null is told from a value here, whatever the caller makes of it.
    let each = if absent == Absent::NullOrEmpty { absent } else { Absent::Null };
    let parts: Vec<Vec<Option<u128>>> = columns
        .iter()
        .map(|column| row_digests(std::slice::from_ref(column), key, each))
        .collect::<Result<_, _>>()?;
    if let Some(odd) = parts.iter().find(|part| part.len() != rows) {
        return Err(MaskError::UnequalLengths { expected: rows, found: odd.len() });
    }
    let mut lanes = Lanes::new(&key.0);
    let mut bytes = Vec::with_capacity(1 + columns.len() * 17);
    let mut digests = Vec::with_capacity(rows);
    for start in (0..rows).step_by(ROWS_TOGETHER) {
        lanes.clear();
        let together = start..rows.min(start + ROWS_TOGETHER);
        for row in together.clone() {
            bytes.clear();
            bytes.push(ROW);
            for part in &parts {
                match part.get(row).copied().flatten() {
                    Some(digest) => {
                        bytes.push(VALUE);
                        bytes.extend_from_slice(&digest.to_le_bytes());
                    }
                    None => bytes.push(NULL),
                }
            }
            lanes.push(&bytes);
        }
        digests.extend(together.zip(lanes.finish()).map(|(row, hash)| {
            let whole = parts.iter().all(|part| part.get(row).copied().flatten().is_some());
            (whole || absent == Absent::Nothing).then(|| first(hash))
        }));
    }
    Ok(digests)
}

fn first(hash: &[u8; 32]) -> u128 {
    hash.first_chunk().map_or(0, |first| u128::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, ListArray, StringArray, StringDictionaryBuilder};
    use arrow::compute::take;
    use arrow::datatypes::{Int8Type, Int32Type};

    fn key() -> DigestKey {
        DigestKey::new([7; 32])
    }

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn one_value_is_the_documented_hash() {
        let digests = row_digests(&[texts(&[Some("x")])], &key(), Absent::Null).unwrap();
        let mut padded = vec![VALUE, b'x', 0x80];
        padded.resize(64, 0);
        let hash = blake3::keyed_hash(&[7; 32], &padded);
        assert_eq!(digests, [Some(first(hash.as_bytes()))]);
    }

    #[test]
    fn forms_and_types_do_not_matter_and_keys_do() {
        let text = texts(&[Some("7"), None, Some("8")]);
        let number: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(8)]));
        let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
        dictionary.extend([Some("7"), None, Some("8")]);
        let dictionary: ArrayRef = Arc::new(dictionary.finish());
        let of = |column: &ArrayRef, key: &DigestKey| {
            row_digests(std::slice::from_ref(column), key, Absent::Null).unwrap()
        };
        assert_eq!(of(&text, &key()), of(&number, &key()));
        assert_eq!(of(&text, &key()), of(&dictionary, &key()));
        assert_ne!(of(&text, &key()), of(&text, &DigestKey::new([8; 32])));
    }

    #[test]
    fn absent_values_have_no_digest_unless_they_group() {
        let column = texts(&[Some(""), None, None, Some("a")]);
        let there = |absent| {
            let digests = row_digests(std::slice::from_ref(&column), &key(), absent).unwrap();
            digests.iter().map(Option::is_some).collect::<Vec<_>>()
        };
        assert_eq!(there(Absent::Null), [true, false, false, true]);
        assert_eq!(there(Absent::NullOrEmpty), [false, false, false, true]);
        assert_eq!(there(Absent::Nothing), [true; 4]);
        let digests = row_digests(std::slice::from_ref(&column), &key(), Absent::Nothing).unwrap();
        assert!(digests[1] == digests[2] && digests[0] != digests[1]);
    }

    #[test]
    fn entries_of_dictionaries_are_hashed_as_their_rows_are() {
        let entries = texts(&[Some("a"), None, Some(""), Some("b")]);
        let keys =
            arrow::array::Int8Array::from(vec![Some(2), None, Some(1), Some(0), Some(2), Some(3)]);
        let dictionary: ArrayRef =
            Arc::new(arrow::array::DictionaryArray::new(keys.clone(), Arc::clone(&entries)));
        let plain = take(&entries, &keys, None).unwrap();
        for absent in [Absent::Null, Absent::NullOrEmpty, Absent::Nothing] {
            let of = |column: &ArrayRef| {
                row_digests(std::slice::from_ref(column), &key(), absent).unwrap()
            };
            assert_eq!(of(&dictionary), of(&plain));
            assert_eq!(of(&dictionary.slice(1, 3)), of(&plain.slice(1, 3)));
        }
    }

    #[test]
    fn several_columns_keep_their_borders() {
        let rows = |left: &[Option<&str>], right: &[Option<&str>], absent| {
            row_digests(&[texts(left), texts(right)], &key(), absent).unwrap()
        };
        let left = rows(&[Some("ab"), None], &[Some("c"), Some("x")], Absent::Nothing);
        let right = rows(&[Some("a"), Some("x")], &[Some("bc"), None], Absent::Nothing);
        assert!(left[0] != right[0] && left[1] != right[1]);
        assert_eq!(rows(&[None], &[Some("x")], Absent::Null), [None]);
        let many: Vec<Option<&str>> = (0..1000).map(|row| Some(["a", "b"][row % 2])).collect();
        let digests = rows(&many, &many, Absent::Null);
        assert!(digests.iter().enumerate().all(|(row, digest)| *digest == digests[row % 2]));
    }

    #[test]
    fn nested_and_unequal_columns_are_refused() {
        let list: ArrayRef =
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]));
        assert!(!has_digest(list.data_type()));
        assert!(row_digests(&[list], &key(), Absent::Null).is_err());
        let unequal = [texts(&[Some("a")]), texts(&[Some("a"), Some("b")])];
        assert!(row_digests(&unequal, &key(), Absent::Null).is_err());
    }
}
