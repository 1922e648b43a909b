//! The rows that a load appends: batches of the export in, batches of hub, satellite and links out.
//!
//! ```text
//!  batch ──hash──▶ Hashed ──probe──▶ outcomes ─┬─▶ hub_rows         new keys
//!                                              ├─▶ satellite_rows   new, changed, returned
//!                                              └─▶ link_rows        the same, their references
//!                                   gone ────────▶ closing_rows
//! ```

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::SchemaRef;

use super::columns::{self, HASH_DIFF, HASH_KEY, TENANT_HASH_KEY};
use super::diff::Outcome;
use super::error::HistoryError;
use super::hash::{DIFF_BYTES, NO_DIFF, hash_diffs, hash_keys, hash_links, hash_tenants};
use super::load::Load;
use super::vault::{Reference, Vault};

/// The hashes of a batch's rows.
#[derive(Clone, Debug)]
pub struct Hashed {
    /// Hash keys.
    pub keys: FixedSizeBinaryArray,
    /// Hash keys of the tenants, if the history has tenants.
    pub tenants: Option<FixedSizeBinaryArray>,
    /// Hash diffs.
    pub diffs: FixedSizeBinaryArray,
}

impl Vault {
    /// The hashes of rows of the export, which may be in any layout of its types.
    ///
    /// # Errors
    /// [`HistoryError`] when a column is missing, or a type has no encoding.
    pub fn hash(&self, batch: &RecordBatch) -> Result<Hashed, HistoryError> {
        let tenant = self.tenant().map(|name| columns::named(batch, name)).transpose()?;
        let keys = all_named(batch, self.keys())?;
        let values: Vec<_> = self.values().iter().map(|field| field.name().clone()).collect();
        Ok(Hashed {
            keys: hash_keys(tenant, &keys)?,
            tenants: tenant.map(hash_tenants).transpose()?,
            diffs: hash_diffs(&all_named(batch, &values)?, batch.num_rows())?,
        })
    }

    /// The rows of the hub: those whose key is new.
    ///
    /// # Errors
    /// [`HistoryError`] when the batch is not the export's, or lengths differ.
    pub fn hub_rows(
        &self,
        batch: &RecordBatch,
        hashed: &Hashed,
        outcomes: &[Outcome],
        load: &Load,
    ) -> Result<RecordBatch, HistoryError> {
        let is_new: Vec<bool> = outcomes.iter().map(|outcome| *outcome == Outcome::New).collect();
        self.appended(batch, hashed, is_new, self.hub_schema(), |name| match name {
            HASH_KEY => Some(Arc::new(hashed.keys.clone())),
            TENANT_HASH_KEY => hashed.tenants.clone().map(|tenants| Arc::new(tenants) as ArrayRef),
            _ => technical(name, batch.num_rows(), load),
        })
    }

    /// The rows of the satellite: those whose key is new or returned, or whose values have changed.
    ///
    /// # Errors
    /// [`HistoryError`] when the batch is not the export's, or lengths differ.
    pub fn satellite_rows(
        &self,
        batch: &RecordBatch,
        hashed: &Hashed,
        outcomes: &[Outcome],
        load: &Load,
    ) -> Result<RecordBatch, HistoryError> {
        let versions: Int64Array =
            outcomes.iter().map(|outcome| Some(outcome.version().unwrap_or_default())).collect();
        let appended = outcomes.iter().map(|outcome| outcome.version().is_some()).collect();
        self.appended(batch, hashed, appended, self.satellite_schema(), |name| match name {
            HASH_KEY => Some(Arc::new(hashed.keys.clone())),
            HASH_DIFF => Some(Arc::new(hashed.diffs.clone())),
            columns::VERSION => Some(Arc::new(versions.clone())),
            columns::IS_DELETED => Some(Arc::new(BooleanArray::from(vec![false; versions.len()]))),
            _ => technical(name, batch.num_rows(), load),
        })
    }

    /// The closing records of keys that are gone, by their hash keys and the records' versions.
    ///
    /// # Errors
    /// [`HistoryError::Arrow`] when the arrays differ in length.
    pub fn closing_rows(
        &self,
        keys: &FixedSizeBinaryArray,
        versions: &Int64Array,
        load: &Load,
    ) -> Result<RecordBatch, HistoryError> {
        let rows = keys.len();
        let no_diffs = vec![NO_DIFF; rows].into_flattened();
        let diffs = FixedSizeBinaryArray::try_new(DIFF_BYTES as i32, no_diffs.into(), None)?;
        let columns = self.satellite_schema().fields().iter().map(|field| {
            let column: ArrayRef = match field.name().as_str() {
                HASH_KEY => Arc::new(keys.clone()),
                HASH_DIFF => Arc::new(diffs.clone()),
                columns::VERSION => Arc::new(versions.clone()),
                columns::IS_DELETED => Arc::new(BooleanArray::from(vec![true; rows])),
                name => technical(name, rows, load)
                    .unwrap_or_else(|| new_null_array(field.data_type(), rows)),
            };
            column
        });
        Ok(RecordBatch::try_new(Arc::clone(self.satellite_schema()), columns.collect())?)
    }

    /// The links of rows that are appended, those recorded before among them: a
    /// [`LinkState`](super::LinkState) tells which are new. A reference with a null in it refers to
    /// nothing (SQL:2016, `MATCH SIMPLE`). Nothing at all without declared references.
    ///
    /// # Errors
    /// [`HistoryError`] when the batch is not the export's, or lengths differ.
    pub fn link_rows(
        &self,
        batch: &RecordBatch,
        hashed: &Hashed,
        outcomes: &[Outcome],
        load: &Load,
    ) -> Result<Option<RecordBatch>, HistoryError> {
        let Some(schema) = self.link_schema() else { return Ok(None) };
        let appended: Vec<bool> =
            outcomes.iter().map(|outcome| outcome.version().is_some()).collect();
        let links = self.references().iter().map(|reference| {
            let (referenced, there) = referenced(batch, reference)?;
            let keys: ArrayRef = Arc::new(hashed.keys.clone());
            let links = hash_links(&reference.name, &keys, &referenced)?;
            let chosen = appended.iter().enumerate().map(|(row, appended)| {
                *appended && there.as_ref().is_none_or(|there| there.is_valid(row))
            });
            let names = StringArray::from_iter_values(std::iter::repeat_n(
                reference.name.as_str(),
                batch.num_rows(),
            ));
            chosen_rows(batch, schema, chosen.collect(), |name| match name {
                columns::LINK_HASH_KEY => Some(Arc::new(links.clone())),
                HASH_KEY => Some(Arc::clone(&keys)),
                columns::REFERENCE => Some(Arc::new(names.clone())),
                columns::REFERENCED_HASH_KEY => Some(Arc::clone(&referenced)),
                _ => technical(name, batch.num_rows(), load),
            })
        });
        let links: Vec<RecordBatch> = links.collect::<Result<_, _>>()?;
        Ok(Some(concat_batches(schema, &links)?))
    }

    /// Rows that are chosen; columns that are not `own` come from the batch.
    fn appended(
        &self,
        batch: &RecordBatch,
        hashed: &Hashed,
        chosen: Vec<bool>,
        schema: &SchemaRef,
        own: impl Fn(&str) -> Option<ArrayRef>,
    ) -> Result<RecordBatch, HistoryError> {
        let (expected, found) = (batch.num_rows(), hashed.keys.len().min(chosen.len()));
        if expected != found {
            return Err(HistoryError::UnequalLengths { expected, found });
        }
        chosen_rows(batch, schema, chosen, own)
    }
}

fn chosen_rows(
    batch: &RecordBatch,
    schema: &SchemaRef,
    chosen: Vec<bool>,
    own: impl Fn(&str) -> Option<ArrayRef>,
) -> Result<RecordBatch, HistoryError> {
    let arrays = schema.fields().iter().map(|field| match own(field.name()) {
        Some(column) => Ok(column),
        None => columns::typed(batch, field.name(), field.data_type()).cloned(),
    });
    let arrays = arrays.collect::<Result<_, HistoryError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let all = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
    Ok(filter_record_batch(&all, &BooleanArray::from(chosen))?)
}

/// The columns that are the same in all rows of a load.
fn technical(name: &str, rows: usize, load: &Load) -> Option<ArrayRef> {
    match name {
        columns::LOAD_DATE => {
            let dates = TimestampMicrosecondArray::from_value(load.date_micros(), rows);
            Some(Arc::new(dates.with_timezone("UTC")))
        }
        columns::RECORD_SOURCE => {
            let sources = std::iter::repeat_n(load.source(), rows);
            Some(Arc::new(StringArray::from_iter_values(sources)))
        }
        _ => None,
    }
}

/// The hash keys that rows refer to, and which rows refer to something.
fn referenced(
    batch: &RecordBatch,
    reference: &Reference,
) -> Result<(ArrayRef, Option<NullBuffer>), HistoryError> {
    let columns = all_named(batch, &reference.columns)?;
    let tenant = reference.tenant.as_ref().map(|name| columns::named(batch, name)).transpose()?;
    let there = columns.iter().chain(tenant).fold(None, |there: Option<NullBuffer>, column| {
        NullBuffer::union(there.as_ref(), column.logical_nulls().as_ref())
    });
    Ok((Arc::new(hash_keys(tenant, &columns)?), there))
}

fn all_named(batch: &RecordBatch, names: &[String]) -> Result<Vec<ArrayRef>, HistoryError> {
    names.iter().map(|name| columns::named(batch, name).cloned()).collect()
}
