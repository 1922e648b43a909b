//! Which links stay of keys that lost versions: those that a version which stays refers by.
//!
//! A link says that a reference was seen once, not until when it held. So the links of what stays are made
//! again, and compared; those of a reference that is declared no more are no version's, and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, RecordBatchOptions,
    new_empty_array,
};
use arrow::compute::{filter_record_batch, interleave};
use arrow::datatypes::{Field, Schema};

use super::columns::{self, HASH_DIFF, HASH_KEY, LINK_HASH_KEY};
use super::diff::{Outcome, hashes};
use super::entry::Key;
use super::error::HistoryError;
use super::expiry::Expired;
use super::hash::{DIFF_BYTES, KEY_BYTES};
use super::load::Load;
use super::rows::Hashed;
use super::vault::Vault;
use crate::retention::Moment;

/// Bytes of a key in a tree, with what stands beside it.
const ENTRY_BYTES: usize = 2 * KEY_BYTES + 2 * size_of::<usize>();

/// The links of keys that lose some of their versions, in one part of a history.
pub struct Thinned<'a> {
    vault: &'a Vault,
    expired: &'a Expired,
    hub: Vec<RecordBatch>,
    rows: BTreeMap<Key, (usize, usize)>,
    kept: BTreeSet<Key>,
}

impl<'a> Thinned<'a> {
    /// None known yet. The history has the references whose links can stay.
    #[must_use]
    pub fn new(vault: &'a Vault, expired: &'a Expired) -> Self {
        Self { vault, expired, hub: Vec::new(), rows: BTreeMap::new(), kept: BTreeSet::new() }
    }

    /// The bytes that it takes, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let hub: usize = self.hub.iter().map(RecordBatch::get_array_memory_size).sum();
        let of_trees = self.rows.len() * ENTRY_BYTES + self.kept.len() * ENTRY_BYTES;
        hub.saturating_add(of_trees) as u64
    }

    /// The columns of the hub that references are made of: where there are none, the hub need not be read.
    #[must_use]
    pub fn hub_columns(&self) -> Vec<String> {
        self.referring().into_iter().filter(|name| self.is_of_hub(name)).collect()
    }

    /// The columns of the satellite that references are made of.
    #[must_use]
    pub fn satellite_columns(&self) -> Vec<String> {
        self.referring().into_iter().filter(|name| !self.is_of_hub(name)).collect()
    }

    fn referring(&self) -> BTreeSet<String> {
        let references = self.vault.references().iter();
        let columns = references.flat_map(|one| one.columns.iter().chain(&one.tenant));
        columns.cloned().collect()
    }

    fn is_of_hub(&self, name: &str) -> bool {
        self.vault.hub_schema().field_with_name(name).is_ok()
    }

    /// Reads rows of the hub: `hash_key` and [`hub_columns`](Self::hub_columns).
    ///
    /// # Errors
    /// [`HistoryError`] when there is no such column.
    pub fn hub(&mut self, batch: &RecordBatch) -> Result<(), HistoryError> {
        let keys = columns::hashes(batch, HASH_KEY, KEY_BYTES)?;
        let thinned = filter_record_batch(batch, &self.expired.is_thinned(keys))?;
        let keys = columns::hashes(&thinned, HASH_KEY, KEY_BYTES)?;
        let at = self.hub.len();
        let keys = hashes::<KEY_BYTES>(keys).iter().zip(0..);
        self.rows.extend(keys.map(|(key, row)| (*key, (at, row))));
        self.hub.push(thinned);
        Ok(())
    }

    /// Reads rows of the satellite that stay, once the hub is read: `hash_key`, `hash_diff`, and
    /// [`satellite_columns`](Self::satellite_columns), which are null in closing records.
    ///
    /// # Errors
    /// [`HistoryError`] when there is no such column, or the hub lacks a key.
    pub fn version(&mut self, batch: &RecordBatch) -> Result<(), HistoryError> {
        let keys = columns::hashes(batch, HASH_KEY, KEY_BYTES)?;
        let batch = filter_record_batch(batch, &self.expired.is_thinned(keys))?;
        let hashed = Hashed {
            keys: columns::hashes(&batch, HASH_KEY, KEY_BYTES)?.clone(),
            tenants: None,
            diffs: columns::hashes(&batch, HASH_DIFF, DIFF_BYTES)?.clone(),
        };
        let rows = self.with_hub(&batch, &hashed.keys)?;
        let all = vec![Outcome::New; batch.num_rows()];
        let load = Load::new(Moment::default(), "", None);
        let Some(links) = self.vault.link_rows(&rows, &hashed, &all, &load)? else { return Ok(()) };
        let links = columns::hashes(&links, LINK_HASH_KEY, KEY_BYTES)?;
        self.kept.extend(hashes::<KEY_BYTES>(links));
        Ok(())
    }

    /// The rows with the columns of the hub that references need.
    fn with_hub(
        &self,
        batch: &RecordBatch,
        keys: &FixedSizeBinaryArray,
    ) -> Result<RecordBatch, HistoryError> {
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for name in self.satellite_columns() {
            let column = Arc::clone(columns::named(batch, &name)?);
            columns.push((name, column));
        }
        let needed = self.hub_columns();
        let places = if needed.is_empty() { Vec::new() } else { self.places(keys)? };
        for name in needed {
            let all = self.hub.iter().map(|hub| columns::named(hub, &name).map(AsRef::as_ref));
            let all = all.collect::<Result<Vec<&dyn Array>, HistoryError>>()?;
            // Where no row of the hub is read, none is asked for.
            let column = match all.is_empty() {
                true => {
                    new_empty_array(self.vault.hub_schema().field_with_name(&name)?.data_type())
                }
                false => interleave(&all, &places)?,
            };
            columns.push((name, column));
        }
        let fields =
            columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        Ok(RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)?)
    }

    /// Where the keys stand in the hub.
    fn places(&self, keys: &FixedSizeBinaryArray) -> Result<Vec<(usize, usize)>, HistoryError> {
        let places = hashes::<KEY_BYTES>(keys).iter().map(|key| self.rows.get(key).copied());
        let found: Vec<(usize, usize)> = places.flatten().collect();
        match keys.len() - found.len() {
            0 => Ok(found),
            rows => Err(HistoryError::NoHub { rows }),
        }
    }

    /// True for links that go: of keys that go, and of keys that lost versions, those that no version which stays
    /// refers by.
    ///
    /// # Errors
    /// [`HistoryError`] when the batch has no `hash_key` or `link_hash_key`.
    pub fn is_gone(&self, links: &RecordBatch) -> Result<BooleanArray, HistoryError> {
        let keys = columns::hashes(links, HASH_KEY, KEY_BYTES)?;
        let (gone, thinned) = (self.expired.is_gone(keys), self.expired.is_thinned(keys));
        let links = columns::hashes(links, LINK_HASH_KEY, KEY_BYTES)?;
        let links = hashes::<KEY_BYTES>(links).iter();
        let flags = gone.values().iter().zip(thinned.values());
        let goes = links.zip(flags);
        Ok(goes
            .map(|(link, (gone, thinned))| Some(gone || thinned && !self.kept.contains(link)))
            .collect())
    }
}
