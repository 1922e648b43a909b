//! Which rows of a table go, by their place in it.

use arrow::array::{BooleanArray, BooleanBufferBuilder};
use arrow::buffer::BooleanBuffer;
use engine_bundle::manifest::Manifest;

/// A bit for each row of a table, in the order of its chunks and rows: set for those that go.
pub(super) struct Marks {
    bits: BooleanBufferBuilder,
    count: u64,
}

impl Marks {
    /// None of a table's rows.
    pub(super) fn none(manifest: &Manifest) -> Self {
        let rows = usize::try_from(manifest.rows).unwrap_or(usize::MAX);
        let mut bits = BooleanBufferBuilder::new(rows);
        bits.append_n(rows, false);
        Self { bits, count: 0 }
    }

    /// One row; one that is not there is passed over.
    pub(super) fn mark(&mut self, position: u64) {
        let Ok(position) = usize::try_from(position) else { return };
        if position < self.bits.len() && !self.bits.get_bit(position) {
            self.bits.set_bit(position, true);
            self.count += 1;
        }
    }

    /// Rows from `first` on, as they are marked.
    pub(super) fn mark_all(&mut self, first: u64, rows: &BooleanArray) {
        for row in rows.values().set_indices() {
            self.mark(first + row as u64);
        }
    }

    /// How many rows are marked.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Those of the rows from `first` on.
    pub(super) fn of(&self, first: u64, rows: usize) -> BooleanArray {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let rows = (first..first.saturating_add(rows))
            .map(|row| row < self.bits.len() && self.bits.get_bit(row));
        BooleanArray::new(BooleanBuffer::from_iter(rows), None)
    }

    /// How many of the rows from `first` on are marked.
    pub(super) fn count_of(&self, first: u64, rows: u64) -> u64 {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        self.of(first, rows).true_count() as u64
    }
}
