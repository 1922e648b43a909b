//! One batch of lines to columns, by arrow-json, with errors that quote nothing.
//!
//! Scalar columns are decoded as text and turned into their type by [`Cells`], so that
//! they are read as strictly as everywhere else: arrow-json alone would cut `1.5` to an
//! integer and a timestamp to a date. A scalar of another JSON type is taken by its text
//! (`"5"` is an int64, `5` a string); a list or object is not.
//!
//! When a batch does not decode, its lines are decoded one by one, and the bad line's
//! columns one by one, to say where it is: arrow-json's own messages quote the data.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use arrow::json::reader::Decoder;
use serde::de::IgnoredAny;

use crate::cells::cells;
use crate::error::{SourceError, SourceErrorKind};
use crate::types::{buildable, type_name};

/// Lines of a batch under construction.
pub(crate) struct Batch {
    /// The columns to build.
    schema: SchemaRef,
    /// The same with scalars as text and nulls everywhere.
    decoded: SchemaRef,
    /// The lines, one after the other.
    text: String,
    /// End and number of each line.
    lines: Vec<(usize, u64)>,
}

/// Whether a column of this type can be read from JSON.
pub(crate) fn readable(data_type: &DataType) -> bool {
    match data_type {
        // No agreed way to write bytes in JSON.
        DataType::Binary => false,
        DataType::List(item) => readable(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| readable(field.data_type())),
        DataType::Null => true,
        other => buildable(other),
    }
}

impl Batch {
    /// No lines yet.
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let text = |field: &Arc<Field>| {
            let data_type = field.data_type();
            let decoded = if buildable(data_type) { DataType::Utf8 } else { data_type.clone() };
            Field::new(field.name(), decoded, true)
        };
        let decoded = Schema::new(schema.fields().iter().map(text).collect::<Vec<_>>());
        Self { schema, decoded: Arc::new(decoded), text: String::new(), lines: Vec::new() }
    }

    /// Adds a line.
    pub(crate) fn push(&mut self, line: &str, number: u64) {
        self.text.push_str(line);
        self.lines.push((self.text.len(), number));
    }

    /// Number of lines.
    pub(crate) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Bytes of the lines.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The lines as rows; there are none afterwards.
    ///
    /// # Errors
    /// A line that is no object, or a value that is not of its column's type.
    pub(crate) fn take(&mut self) -> Result<RecordBatch, SourceError> {
        let rows = self.lines.len();
        let Ok(decoded) = decode(&self.decoded, self.each_line(), rows) else {
            return Err(self.located());
        };
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(decoded.num_columns());
        for (field, array) in self.schema.fields().iter().zip(decoded.columns()) {
            let first_null = (0..array.len()).find(|row| array.is_null(*row));
            if let (false, Some(row)) = (field.is_nullable(), first_null) {
                let error = SourceError::new(SourceErrorKind::Null).in_column(field.name());
                return Err(error.at_line(self.number(row)));
            }
            arrays.push(if buildable(field.data_type()) {
                self.typed(field, array)?
            } else {
                array.clone()
            });
        }
        self.text.clear();
        self.lines.clear();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
            .map_err(|_| SourceErrorKind::Library { what: "assembling a batch" }.into())
    }

    /// A column of texts as a column of its type.
    fn typed(&self, field: &Field, array: &ArrayRef) -> Result<ArrayRef, SourceError> {
        let what = "decoding JSON";
        let library = || SourceError::new(SourceErrorKind::Library { what });
        let texts = array.as_string_opt::<i32>().ok_or_else(library)?;
        let mut built = cells(field.data_type(), texts.len()).ok_or_else(library)?;
        for (row, text) in texts.iter().enumerate() {
            let fits = match text {
                Some(text) => built.text(text),
                None => {
                    built.null();
                    Ok(())
                }
            };
            if fits.is_err() {
                let expected = type_name(field.data_type());
                let error = SourceError::new(SourceErrorKind::Type { expected });
                return Err(error.in_column(field.name()).at_line(self.number(row)));
            }
        }
        Ok(built.finish())
    }

    fn number(&self, row: usize) -> u64 {
        self.lines.get(row).map_or(0, |(_, number)| *number)
    }

    fn each_line(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.lines.iter().map(move |(end, _)| {
            let line = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            line
        })
    }

    /// The error of the first line that does not decode alone.
    fn located(&self) -> SourceError {
        for (line, (_, number)) in self.each_line().zip(&self.lines) {
            let one = |schema: &SchemaRef| decode(schema, std::iter::once(line), 1);
            if one(&self.decoded).is_ok() {
                continue;
            }
            let object: Result<std::collections::HashMap<String, IgnoredAny>, _> =
                serde_json::from_str(line);
            if object.is_err() {
                return not_an_object(*number);
            }
            for (index, field) in self.schema.fields().iter().enumerate() {
                let alone = self.decoded.project(&[index]).map(Arc::new);
                if alone.is_ok_and(|schema| one(&schema).is_err()) {
                    let expected = type_name(field.data_type());
                    let error = SourceError::new(SourceErrorKind::Type { expected });
                    return error.in_column(field.name()).at_line(*number);
                }
            }
            return not_an_object(*number);
        }
        SourceErrorKind::Library { what: "decoding JSON" }.into()
    }
}

/// A line that is not one JSON object.
pub(crate) fn not_an_object(line: u64) -> SourceError {
    let what = "the line is not a JSON object".to_owned();
    SourceError::new(SourceErrorKind::Malformed { what }).at_line(line)
}

/// Decodes lines, of which each has to be exactly one object.
fn decode<'a>(
    schema: &SchemaRef,
    lines: impl Iterator<Item = &'a str>,
    rows: usize,
) -> Result<RecordBatch, ArrowError> {
    let misfit = || ArrowError::JsonError(String::new());
    let mut decoder: Decoder = ReaderBuilder::new(schema.clone())
        .with_batch_size(rows.saturating_add(1))
        .with_coerce_primitive(true)
        .build_decoder()?;
    for (row, line) in lines.enumerate() {
        let read = decoder.decode(line.as_bytes())?;
        if read != line.len() || decoder.has_partial_record() || decoder.len() != row + 1 {
            return Err(misfit());
        }
    }
    let batch = decoder.flush()?;
    match batch {
        Some(batch) if batch.num_rows() == rows => Ok(batch),
        None if rows == 0 => Ok(RecordBatch::new_empty(schema.clone())),
        _ => Err(misfit()),
    }
}
