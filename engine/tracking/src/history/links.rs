//! Which links of a load are new.

use arrow::array::{Array, BooleanArray, FixedSizeBinaryArray};

use super::columns::{self, LINK_HASH_KEY};
use super::diff::hashes;
use super::entry::{Entry, Found, Part};
use super::error::HistoryError;
use super::hash::{KEY_BYTES, NO_DIFF};
use super::table::{KEYS_TOGETHER, Table};

/// The links recorded so far, and those of the load that came before. It takes
/// [`bytes_needed`](super::bytes_needed) for the links of both, and has parts as the comparison of rows
/// has; links are in the part of their own hash key.
pub struct LinkState {
    table: Table,
}

impl LinkState {
    /// No links of one part yet; about so many will come.
    #[must_use]
    pub fn new(part: Part, links: usize) -> Self {
        Self { table: Table::new(part, links) }
    }

    /// Takes in link hash keys, recorded or of the load: true for each that is in this part and was never
    /// taken in before.
    ///
    /// # Errors
    /// [`HistoryError`] when they are no hash keys, or null.
    pub fn insert(&mut self, links: &FixedSizeBinaryArray) -> Result<BooleanArray, HistoryError> {
        columns::width(links, LINK_HASH_KEY, KEY_BYTES)?;
        if links.null_count() > 0 {
            return Err(HistoryError::Nulls { rows: links.null_count() });
        }
        let mut new = Vec::with_capacity(links.len());
        for links in hashes::<KEY_BYTES>(links).chunks(KEYS_TOGETHER) {
            self.table.approach(links.iter());
            new.extend(links.iter().map(|link| {
                let entry = self.table.entry(Entry::loaded(*link, NO_DIFF));
                entry.is_some_and(|(_, found)| found == Found::Placed)
            }));
        }
        Ok(new.into())
    }
}
