//! The columns that every history has, and how they are found in a batch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, TimeUnit};

use super::error::HistoryError;
use super::hash::{DIFF_BYTES, KEY_BYTES};

/// The hash of tenant and business key.
pub const HASH_KEY: &str = "hash_key";
/// The hash of the tenant alone.
pub const TENANT_HASH_KEY: &str = "tenant_hash_key";
/// The hash of a satellite row's columns.
pub const HASH_DIFF: &str = "hash_diff";
/// When the load was that brought the row.
pub const LOAD_DATE: &str = "load_date";
/// When the next version of the same key was loaded: in views.
pub const LOAD_END_DATE: &str = "load_end_date";
/// 1, 2, 3 … for each key.
pub const VERSION: &str = "version";
/// Whether the row is a closing record: the key was gone.
pub const IS_DELETED: &str = "is_deleted";
/// Whether the row is what holds now: in views.
pub const IS_CURRENT: &str = "is_current";
/// What was loaded.
pub const RECORD_SOURCE: &str = "record_source";
/// The hash of a link.
pub const LINK_HASH_KEY: &str = "link_hash_key";
/// The name of a link's reference.
pub const REFERENCE: &str = "reference";
/// The hash key of what is referenced, in its own hub.
pub const REFERENCED_HASH_KEY: &str = "referenced_hash_key";

/// Names that no column of an export may have, in any case: they stand beside its columns in tables and
/// views.
pub const RESERVED: [&str; 10] = [
    HASH_KEY,
    TENANT_HASH_KEY,
    HASH_DIFF,
    LOAD_DATE,
    LOAD_END_DATE,
    VERSION,
    IS_DELETED,
    IS_CURRENT,
    RECORD_SOURCE,
    LINK_HASH_KEY,
];

pub(super) fn hash_type(bytes: usize) -> DataType {
    // A constant, 16 or 32.
    DataType::FixedSizeBinary(bytes as i32)
}

pub(super) fn version_type() -> DataType {
    DataType::Int64
}

pub(super) fn date_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(super) fn key_field(name: &str) -> Arc<Field> {
    Arc::new(Field::new(name, hash_type(KEY_BYTES), false))
}

pub(super) fn diff_field() -> Arc<Field> {
    Arc::new(Field::new(HASH_DIFF, hash_type(DIFF_BYTES), false))
}

pub(super) fn field(name: &str, data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new(name, data_type, false))
}

/// A column by its name.
pub(super) fn named<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, HistoryError> {
    batch.column_by_name(name).ok_or_else(|| HistoryError::UnknownColumn { column: name.into() })
}

/// A column by its name, of exactly this type.
pub(super) fn typed<'a>(
    batch: &'a RecordBatch,
    name: &str,
    expected: &DataType,
) -> Result<&'a ArrayRef, HistoryError> {
    let column = named(batch, name)?;
    if column.data_type() == expected {
        Ok(column)
    } else {
        Err(unexpected(column, name, expected))
    }
}

/// A column of hashes by its name.
pub(super) fn hashes<'a>(
    batch: &'a RecordBatch,
    name: &str,
    bytes: usize,
) -> Result<&'a FixedSizeBinaryArray, HistoryError> {
    Ok(typed(batch, name, &hash_type(bytes))?.as_fixed_size_binary())
}

/// That hashes have this many bytes.
pub(super) fn width(
    hashes: &FixedSizeBinaryArray,
    name: &str,
    bytes: usize,
) -> Result<(), HistoryError> {
    let expected = hash_type(bytes);
    if *hashes.data_type() == expected { Ok(()) } else { Err(unexpected(hashes, name, &expected)) }
}

fn unexpected(column: &dyn Array, name: &str, expected: &DataType) -> HistoryError {
    HistoryError::UnexpectedType {
        column: name.into(),
        expected: expected.clone(),
        found: column.data_type().clone(),
    }
}
