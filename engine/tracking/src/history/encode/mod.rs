//! Values as bytes, such that two rows have the same bytes exactly when their values are equal.
//!
//! ```text
//!  null                  00
//!  integer               01 ‖ i64            of every width; beyond i64: 02 ‖ u64
//!  float                 03 ‖ f64            of every width; one NaN, one zero
//!  decimal               04 ‖ exponent i16 ‖ i128    mantissa without zeros at its end;
//!                        05 ‖ exponent i16 ‖ i256    where it needs more
//!  boolean               06 ‖ 00 or 01
//!  text                  07 ‖ length ‖ UTF-8
//!  bytes                 08 ‖ length ‖ bytes
//!  date                  09 ‖ milliseconds i64 since 1970
//!  time of day           0a ‖ seconds i64 ‖ nanoseconds u32
//!  timestamp, no zone    0b ‖ seconds i64 ‖ nanoseconds u32
//!  timestamp, any zone   0c ‖ seconds i64 ‖ nanoseconds u32   of the instant, in UTC
//!  duration              0d ‖ seconds i64 ‖ nanoseconds u32
//!  interval              0e ‖ months i32 ‖ days i32 ‖ nanoseconds i64
//!  list                  0f ‖ count ‖ values
//!  struct                10 ‖ count ‖ fields' values
//!  map                   11 ‖ count ‖ keys and values, in the order of their bytes
//! ```
//!
//! Numbers are little-endian; lengths and counts are LEB128 in its shortest form. Every value says where
//! it ends, so rows written one value after another cannot be taken for others (the idea of the
//! pre-authentication encoding of DSSE and PASETO).
//!
//! How a value is stored does not matter: text in offsets, views or dictionaries, integers of any width,
//! timestamps in any unit are equal when their values are, so a wider column type makes no new versions.
//! What kind of value it is does matter: the integer 7, the decimal 7 and the text `7` differ, as do an
//! empty text and null, and a timestamp with a zone and one without.

mod nested;
mod scalar;

use arrow::array::{Array, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use super::error::HistoryError;

/// In place of a value that is null.
pub(super) const NULL: u8 = 0x00;

/// The values of one column.
pub(super) trait Values {
    /// Appends the value of a row. False when it is null.
    fn write(&self, row: usize, out: &mut Vec<u8>) -> bool;

    /// Appends the values of the rows from `start` on, one to each. Compiled for each kind of column, so
    /// that no value needs a dynamic call.
    fn write_rows(&self, start: usize, rows: &mut [Row]) {
        for (row, out) in (start..).zip(rows) {
            if self.write(row, &mut out.bytes) {
                out.end = out.bytes.len();
            }
        }
    }
}

/// A row's bytes so far.
#[derive(Clone, Default)]
pub(super) struct Row {
    bytes: Vec<u8>,
    /// Where the last value that is not null ends.
    end: usize,
}

impl Row {
    /// Begins anew with these bytes.
    pub(super) fn restart(&mut self, prefix: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(prefix);
        self.end = prefix.len();
    }

    /// All of it.
    pub(super) fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// What may be appended to.
    pub(super) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Takes away the nulls at its end.
    pub(super) fn trim(&mut self) {
        self.bytes.truncate(self.end);
    }
}

/// The values of an array.
///
/// # Errors
/// [`HistoryError::UnsupportedType`] for unions and run-end encoded arrays, also inside of others.
pub(super) fn values(array: &dyn Array) -> Result<Box<dyn Values + '_>, HistoryError> {
    use DataType as T;
    match array.data_type() {
        T::Null => Ok(Box::new(Nothing)),
        T::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            Ok(Box::new(Dictionary {
                nulls: array.nulls(),
                // Keys of an empty dictionary cannot be normalised; all of its rows are null.
                keys: if dictionary.values().is_empty() {
                    vec![0; array.len()]
                } else {
                    dictionary.normalized_keys()
                },
                entries: values(dictionary.values().as_ref())?,
                rows_are_null: dictionary.values().is_empty(),
            }))
        }
        T::List(_)
        | T::LargeList(_)
        | T::ListView(_)
        | T::LargeListView(_)
        | T::FixedSizeList(..)
        | T::Struct(_)
        | T::Map(..) => nested::values(array),
        _ => scalar::values(array),
    }
}

/// A column whose values are written by a function of the row.
struct Cells<'a, F> {
    nulls: Option<&'a NullBuffer>,
    write: F,
}

impl<F: Fn(usize, &mut Vec<u8>)> Values for Cells<'_, F> {
    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.push(NULL);
            return false;
        }
        (self.write)(row, out);
        true
    }
}

/// A column of nulls.
struct Nothing;

impl Values for Nothing {
    fn write(&self, _row: usize, out: &mut Vec<u8>) -> bool {
        out.push(NULL);
        false
    }
}

struct Dictionary<'a> {
    nulls: Option<&'a NullBuffer>,
    keys: Vec<usize>,
    entries: Box<dyn Values + 'a>,
    rows_are_null: bool,
}

impl Values for Dictionary<'_> {
    fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        let is_null = self.rows_are_null || self.nulls.is_some_and(|nulls| nulls.is_null(row));
        match self.keys.get(row) {
            Some(entry) if !is_null => self.entries.write(*entry, out),
            _ => Nothing.write(row, out),
        }
    }
}

/// A length or count: LEB128 (DWARF 5, section 7.6), unsigned, in its shortest form.
#[inline]
pub(super) fn length(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
