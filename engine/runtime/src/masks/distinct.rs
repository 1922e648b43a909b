//! Text that repeats within a batch, masked once for each value.
//!
//! ```text
//!  views of a batch        distinct values ── mask ──▶ masked values
//!  b0 b7 b0 b3 b7 …  ──▶   b0 b7 b3 …                   m0 m1 m2 …
//!  └ places: 0 1 0 2 1 … ────────────────────────────▶  m0 m1 m0 m2 m1 …
//! ```
//!
//! Where a file stores a column as a dictionary, its reader gives every row of a value the same view: a
//! length and a place in a shared buffer. So equal views are found without a look at the text. Equal
//! text under different views is masked once for each view, which is as right and takes longer.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use datafusion::common::Result;

/// Slots of the table, a power of two; few enough for the processor's first cache.
const SLOTS: usize = 4096;
/// After so many rows it is clear whether views come again.
const ROWS_TRIED: usize = 1024;
/// Of so many rows tried at least one must be a repetition.
const ROWS_PER_REPETITION: usize = 8;
/// An odd number without a pattern: the fraction of the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
/// A slot without a place.
const EMPTY: u32 = u32::MAX;

/// The distinct values of a column, and where each row's value stands among them.
pub(super) struct Distinct {
    values: ArrayRef,
    places: UInt32Array,
}

impl Distinct {
    /// The distinct views of a column; none if it is not of views, or hardly one comes again.
    ///
    /// # Errors
    /// None is expected: every row asked for is one of the column's.
    pub(super) fn of(column: &ArrayRef) -> Result<Option<Self>> {
        let Some(texts) = column.as_string_view_opt() else { return Ok(None) };
        let rows = texts.len();
        if rows == 0 {
            return Ok(None);
        }
        let mut slots = vec![EMPTY; SLOTS];
        let mut firsts: Vec<u32> = Vec::new();
        let mut places = Vec::with_capacity(rows);
        let mut null = None;
        for (row, view) in (0_u32..).zip(texts.views()) {
            if row as usize == ROWS_TRIED && !repeats(firsts.len(), ROWS_TRIED) {
                return Ok(None);
            }
            let next = u32::try_from(firsts.len()).unwrap_or(EMPTY);
            let place = if texts.is_null(row as usize) {
                *null.get_or_insert(next)
            } else {
                let Some(slot) = slots.get_mut(slot_of(*view)) else { return Ok(None) };
                let first =
                    firsts.get(*slot as usize).and_then(|row| texts.views().get(*row as usize));
                if first != Some(view) {
                    *slot = next;
                }
                *slot
            };
            if place == next {
                firsts.push(row);
            }
            places.push(place);
        }
        if !repeats(firsts.len(), rows) {
            return Ok(None);
        }
        let values = take(column, &UInt32Array::from(firsts), None)?;
        Ok(Some(Self { values, places: places.into() }))
    }

    /// The values, each once.
    pub(super) fn values(&self) -> &ArrayRef {
        &self.values
    }

    /// What became of the values, for every row.
    ///
    /// # Errors
    /// What became of them is not of their number.
    pub(super) fn spread(&self, masked: &ArrayRef) -> Result<ArrayRef> {
        Ok(take(masked, &self.places, None)?)
    }
}

fn repeats(distinct: usize, rows: usize) -> bool {
    distinct <= rows - rows / ROWS_PER_REPETITION
}

fn slot_of(view: u128) -> usize {
    let folded = (view as u64) ^ ((view >> 64) as u64).rotate_left(29);
    (folded.wrapping_mul(MIX) >> 40) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{StringArray, StringViewArray, StringViewBuilder};

    use super::*;

    /// Rows of a dictionary's entries, as a reader of Parquet gives them.
    fn column(entries: &[Option<&str>], rows: usize) -> ArrayRef {
        let entries: ArrayRef = Arc::new(StringViewArray::from_iter(entries.iter().copied()));
        let count = u32::try_from(entries.len()).unwrap();
        let keys = UInt32Array::from_iter_values((0..).map(|row| row * 11 % count).take(rows));
        take(&entries, &keys, None).unwrap()
    }

    #[test]
    fn every_row_finds_its_value_again() {
        let long: Vec<String> =
            (0..700).map(|n| format!("a text longer than a view, {n}")).collect();
        let long: Vec<Option<&str>> = long.iter().map(|text| Some(text.as_str())).collect();
        let few = [Some("a"), None, Some(""), Some("longer than twelve bytes")];
        for entries in [&few[..], &few[..1], &[None], &long[..3], &long[..700]] {
            let column = column(entries, 10_000);
            let distinct = Distinct::of(&column).unwrap().unwrap();
            assert!(distinct.values().len() >= entries.len(), "{}", entries.len());
            assert!(distinct.values().len() < 10_000, "{}", entries.len());
            let spread = distinct.spread(distinct.values()).unwrap();
            assert_eq!(&spread, &column, "{}", entries.len());
        }
        let distinct = Distinct::of(&column(&few, 8192)).unwrap().unwrap();
        assert_eq!(distinct.values().len(), few.len());
    }

    #[test]
    fn columns_that_hardly_repeat_are_left_alone() {
        let mut differing = StringViewBuilder::new();
        (0..2000).for_each(|row| differing.append_value(format!("{row}")));
        let differing: ArrayRef = Arc::new(differing.finish());
        assert!(Distinct::of(&differing).unwrap().is_none());
        assert!(Distinct::of(&differing.slice(0, 10)).unwrap().is_none());
        assert!(Distinct::of(&differing.slice(0, 0)).unwrap().is_none());
        let plain: ArrayRef = Arc::new(StringArray::from(vec!["a"; 100]));
        assert!(Distinct::of(&plain).unwrap().is_none());
    }
}
