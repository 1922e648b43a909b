//! Values that come again within a batch, so that what is keyed by them is computed once each.
//!
//! ```text
//!  row ── hash of its value ──▶ two slots ── equal to the value seen there? ─┬─ yes: its place
//!                                                                            └─ no: the next place
//! ```
//!
//! The slots are few enough for the processor's second cache. A value that lost its slot to others gets
//! another place when it comes again: it is computed twice then, and right both times.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, StringArrayType, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Int32Type, Int64Type, UInt32Type, UInt64Type,
};

use crate::error::MaskError;

/// Slots of the largest table.
const SLOTS_MAX: usize = 32_768;
/// After so many rows it is clear whether values come again.
const ROWS_TRIED: usize = 1_024;
/// The place of a null.
const NOWHERE: u32 = u32::MAX;
/// An odd number without a pattern: the fraction of the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where each row's value stands among those that differ.
pub(crate) struct Repeats {
    firsts: Vec<u32>,
    places: Vec<u32>,
}

/// A value seen: some bits of its hash, a row that has it, and its place.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    row: u32,
    place: u32,
}

impl Repeats {
    /// The repeats of a plain column; none if hardly a value comes again, or its type is not one of those that
    /// rows are keyed by.
    pub(crate) fn of(column: &ArrayRef) -> Option<Self> {
        match column.data_type() {
            DataType::Int32 => numbers::<Int32Type>(column, |value| value.cast_unsigned().into()),
            DataType::Int64 => numbers::<Int64Type>(column, i64::cast_unsigned),
            DataType::UInt32 => numbers::<UInt32Type>(column, u64::from),
            DataType::UInt64 => numbers::<UInt64Type>(column, |value| value),
            DataType::Utf8 => texts(&column.as_string::<i32>()),
            DataType::LargeUtf8 => texts(&column.as_string::<i64>()),
            DataType::Utf8View => texts(&column.as_string_view()),
            _ => None,
        }
    }

    fn find(
        rows: usize,
        nulls: Option<&NullBuffer>,
        hash: impl Fn(usize) -> u64,
        same: impl Fn(usize, usize) -> bool,
    ) -> Option<Self> {
        // Rows and places are below 2^32.
        u32::try_from(rows).ok().filter(|rows| *rows < NOWHERE)?;
        let pairs = (rows / 2).next_power_of_two().clamp(8, SLOTS_MAX / 2);
        let mut slots = vec![[Slot { tag: 0, row: NOWHERE, place: 0 }; 2]; pairs];
        let (mut firsts, mut places) = (Vec::with_capacity(rows / 4), Vec::with_capacity(rows));
        for row in 0..rows {
            if row == ROWS_TRIED && firsts.len() > ROWS_TRIED / 16 * 15 {
                return None;
            }
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                places.push(NOWHERE);
                continue;
            }
            let hash = hash(row);
            let tag = hash as u32;
            let pair = slots.get_mut((hash >> 32) as usize & (pairs - 1))?;
            let seen = |slot: &&Slot| {
                slot.tag == tag && slot.row != NOWHERE && same(slot.row as usize, row)
            };
            if let Some(slot) = pair.iter().find(seen) {
                places.push(slot.place);
                continue;
            }
            let place = firsts.len() as u32;
            *pair = [Slot { tag, row: row as u32, place }, pair[0]];
            firsts.push(row as u32);
            places.push(place);
        }
        Some(Self { firsts, places })
    }

    /// A column of the values that differ, in the order of their places.
    pub(crate) fn distinct(&self, column: &ArrayRef) -> Result<ArrayRef, MaskError> {
        let rows = UInt32Array::from_iter_values(self.firsts.iter().copied());
        take(column, &rows, None)
            .map_err(|_| MaskError::Kernel { operation: "take the values that differ" })
    }

    /// What was computed of the distinct values, for every row.
    pub(crate) fn spread<T: Copy>(&self, computed: &[Option<T>]) -> Vec<Option<T>> {
        let of = |place: &u32| computed.get(*place as usize).copied().flatten();
        self.places.iter().map(of).collect()
    }
}

fn numbers<T: ArrowPrimitiveType>(
    column: &ArrayRef,
    bits: impl Fn(T::Native) -> u64,
) -> Option<Repeats> {
    let column: &PrimitiveArray<T> = column.as_primitive();
    let values = column.values();
    let hash = |row: usize| mix(values.get(row).copied().map_or(0, &bits), MIX);
    Repeats::find(values.len(), column.nulls(), hash, |left, right| {
        values.get(left) == values.get(right)
    })
}

fn texts<'a>(column: &impl StringArrayType<'a>) -> Option<Repeats> {
    let hash = |row| hash(column.value(row).as_bytes());
    Repeats::find(column.len(), column.nulls(), hash, |left, right| {
        column.value(left) == column.value(right)
    })
}

/// Both halves of a product.
#[inline]
fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left ^ MIX.rotate_left(32)) * u128::from(right);
    (product >> 64) as u64 ^ product as u64
}

/// Spreads values over the slots; it protects nothing.
#[inline]
fn hash(value: &[u8]) -> u64 {
    let length = (value.len() as u64).wrapping_mul(MIX);
    if let (Some(first), Some(last)) = (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        let ends = mix(u64::from_le_bytes(*first) ^ length, u64::from_le_bytes(*last) ^ MIX);
        let (words, _) = value.as_chunks::<8>();
        let between = words.get(1..).unwrap_or_default();
        return between.iter().fold(ends, |hash, word| mix(hash ^ u64::from_le_bytes(*word), MIX));
    }
    if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        let first = u64::from(u32::from_le_bytes(*first));
        return mix(first << 32 | u64::from(u32::from_le_bytes(*last)), MIX ^ length);
    }
    mix(value.iter().fold(length, |bits, byte| bits << 8 | u64::from(*byte)), MIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use arrow::compute::cast;
    use std::sync::Arc;

    fn check(column: &ArrayRef) -> usize {
        let repeats = Repeats::of(column).unwrap();
        let distinct = repeats.distinct(column).unwrap();
        let places = UInt32Array::from(repeats.places.clone());
        let rows = (0..column.len()).filter(|row| column.is_valid(*row));
        for row in rows {
            let place = places.value(row) as usize;
            assert_eq!(distinct.slice(place, 1).as_ref(), column.slice(row, 1).as_ref());
        }
        let numbers: Vec<Option<usize>> = (0..distinct.len()).map(Some).collect();
        let spread = repeats.spread(&numbers);
        assert!((0..column.len()).all(|row| spread[row].is_some() == column.is_valid(row)));
        distinct.len()
    }

    #[test]
    fn every_row_finds_its_value() {
        let numbers = (0..50_000_i64).map(|row| (row % 7 != 0).then_some(row * row % 1_000));
        let numbers: ArrayRef = Arc::new(numbers.collect::<Int64Array>());
        assert!(check(&numbers) < 1_000);
        for form in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            let texts = cast(&numbers, &form).unwrap();
            assert!(check(&texts) < 1_000);
            assert!(check(&texts.slice(1_234, 2_000)) < 1_000);
        }
        assert!(check(&cast(&numbers, &DataType::UInt32).unwrap()) < 1_000);
    }

    #[test]
    fn values_that_lost_their_slot_are_right() {
        let many = (0..200_000_usize).map(|row| Some((row * 7_919 % 100_000).to_string()));
        let many: ArrayRef = Arc::new(many.chain([None]).collect::<StringArray>());
        // The second half repeats the first, so the beginning says that it is not worth it.
        assert!(Repeats::of(&many).is_none());
        let few = (0..2_000).map(|row| Some(format!("{}", row % 500)));
        let few: ArrayRef = Arc::new(few.collect::<StringArray>());
        let both = arrow::compute::concat(&[&few, &many]).unwrap();
        assert!(check(&both) > 100_000);
    }

    #[test]
    fn texts_that_differ_in_one_place_differ() {
        for length in 0..40_usize {
            let base = "x".repeat(length);
            let mut all = vec![base.clone(), format!("{base}x")];
            for place in 0..length {
                let mut other = base.clone();
                other.replace_range(place..=place, "y");
                all.push(other);
            }
            let hashes: std::collections::BTreeSet<u64> =
                all.iter().map(|text| hash(text.as_bytes())).collect();
            assert_eq!(hashes.len(), all.len(), "{length}");
        }
    }
}
