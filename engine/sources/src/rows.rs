//! Rows under construction: one [`Cells`] per column, cut into batches.
//!
//! A batch ends at the wanted number of rows, or earlier when its cells hold
//! [`BATCH_BYTES_MAX`], so that rows of large values neither fill the memory nor
//! overflow Arrow's 32-bit string offsets.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use crate::cells::{Cells, cells};
use crate::error::{SourceError, SourceErrorKind};

/// Bytes of cells after which a batch is cut. Together with the largest single cell
/// (1 GB, SQLite's own limit) this stays below 2³¹.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// Rows that columns reserve room for at once; a batch of more grows.
const ROWS_RESERVED_MAX: usize = 8192;

/// Columns of a batch under construction.
pub(crate) struct Rows {
    schema: SchemaRef,
    columns: Vec<Box<dyn Cells>>,
    rows: usize,
    rows_max: usize,
    bytes: usize,
}

impl Rows {
    /// Empty rows of this schema, cut into batches of `rows_max` (at least one).
    ///
    /// # Errors
    /// A column of a type that cannot be built cell by cell.
    pub(crate) fn new(schema: SchemaRef, rows_max: usize) -> Result<Self, SourceError> {
        let rows_max = rows_max.max(1);
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                cells(field.data_type(), rows_max.min(ROWS_RESERVED_MAX)).ok_or_else(|| {
                    let what =
                        format!("reading type {}", crate::types::type_name(field.data_type()));
                    SourceError::new(SourceErrorKind::Unsupported { what }).in_column(field.name())
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { schema, columns, rows: 0, rows_max, bytes: 0 })
    }

    /// The columns, to append one cell to each.
    pub(crate) fn columns(&mut self) -> &mut [Box<dyn Cells>] {
        &mut self.columns
    }

    /// Ends a row whose cells hold about this many bytes; gives the batch when it is full.
    pub(crate) fn end_row(&mut self, bytes: usize) -> Result<Option<RecordBatch>, SourceError> {
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.rows >= self.rows_max || self.bytes >= BATCH_BYTES_MAX {
            self.take()
        } else {
            Ok(None)
        }
    }

    /// The rows so far as a batch; none when there are no rows.
    pub(crate) fn take(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(|cells| cells.finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.rows = 0;
        self.bytes = 0;
        // The cause is dropped: the only one possible is a null in a column without, which
        // every reader has refused before with its place.
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map(Some)
            .map_err(|_| SourceErrorKind::Library { what: "assembling a batch" }.into())
    }
}
