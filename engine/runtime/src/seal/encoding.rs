//! How the columns of a chunk are encoded.
//!
//! ```text
//!  values mostly differ in the first batch   plain, compressed
//!  otherwise                                  dictionary, until it grows too large
//!  masked text that lost its order            no least and greatest value: nothing could be skipped by them
//! ```

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::error::SealError;

/// Rows of a row group: small enough to bound memory, large enough to prune and compress well.
const ROW_GROUP_ROWS: usize = 131_072;
/// Masked columns are mostly random text, on which a higher level spends time and saves nothing.
const ZSTD_LEVEL: i32 = 1;
/// Rows below which nothing can be said of a column.
const SAMPLE_ROWS_MIN: usize = 1024;

/// The settings of a chunk whose first rows are `sample`; `unordered` are its columns of masked text.
pub(super) fn properties(
    unordered: &[String],
    sample: &RecordBatch,
) -> Result<WriterPropertiesBuilder, SealError> {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(|_| SealError::Parquet)?;
    let mut properties = WriterProperties::builder()
        .set_created_by("engine".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for (field, column) in sample.schema().fields().iter().zip(sample.columns()) {
        let path = || ColumnPath::from(vec![field.name().clone()]);
        if mostly_differs(column)? {
            properties = properties.set_column_dictionary_enabled(path(), false);
        }
        if unordered.contains(field.name()) {
            properties = properties.set_column_statistics_enabled(path(), EnabledStatistics::None);
        }
    }
    Ok(properties)
}

/// Whether more than half of the values are different ones.
fn mostly_differs(column: &ArrayRef) -> Result<bool, SealError> {
    let rows = column.len();
    let kind = column.data_type();
    if rows < SAMPLE_ROWS_MIN || kind.is_nested() || matches!(kind, DataType::Dictionary(..)) {
        return Ok(false);
    }
    let mut hashes = vec![0; rows];
    create_hashes([column], &RandomState::default(), &mut hashes)
        .map_err(|_| SealError::Parquet)?;
    hashes.sort_unstable();
    hashes.dedup();
    Ok(hashes.len() > rows / 2)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    #[test]
    fn columns_that_repeat_have_a_dictionary() {
        let numbers = |modulus| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values((0..2048_i64).map(|row| row % modulus)))
        };
        let texts = |modulus: i32| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                (0..2048).map(|row| (row % modulus).to_string()),
            ))
        };
        for (modulus, differs) in [(1, false), (1000, false), (1100, true), (5000, true)] {
            assert_eq!(mostly_differs(&numbers(modulus)).unwrap(), differs, "{modulus}");
        }
        assert!(mostly_differs(&texts(5000)).unwrap() && !mostly_differs(&texts(10)).unwrap());
        assert!(!mostly_differs(&numbers(5000).slice(0, 1023)).unwrap());
    }
}
