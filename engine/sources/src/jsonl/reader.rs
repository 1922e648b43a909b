//! JSON lines as a table: the schema, and the loop that cuts lines into batches.

use std::io::Read;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::reader::infer_json_schema_from_iterator;
use serde_json::Value;

use super::decoding::{Batch, not_an_object, readable};
use super::lines::Lines;
use super::options::JsonlOptions;
use crate::connector::DeclaredColumn;
use crate::error::{SourceError, SourceErrorKind};
use crate::files::compression::Compression;
use crate::files::text::{Task, TextFormat};
use crate::missing;
use crate::types::type_name;

/// Lines whose types are looked at where no columns are declared.
const LINES_LOOKED_AT: usize = 1000;

/// Bytes of lines that are looked at, at most.
const BYTES_LOOKED_AT: usize = 16 << 20;

/// Bytes of lines after which a batch is cut.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// The columns of the first lines, in order of appearance.
///
/// A number with a fraction in any line makes the column a float64; text stays a string,
/// whatever it looks like. A column that is null in all of them is a string.
///
/// # Errors
/// Lines that are no objects, or hold scalars here and lists or objects there.
pub(crate) fn looked_at(
    input: Box<dyn Read + Send>,
    options: &JsonlOptions,
) -> Result<Schema, SourceError> {
    let mut lines = Lines::new(input, options.max_record_bytes);
    let (mut values, mut bytes) = (Vec::new(), 0);
    while let Some((line, number)) = lines.next()? {
        let value: Value = serde_json::from_str(line).map_err(|_| not_an_object(number))?;
        if !value.is_object() {
            return Err(not_an_object(number));
        }
        bytes += line.len();
        values.push(value);
        if values.len() >= LINES_LOOKED_AT || bytes >= BYTES_LOOKED_AT {
            break;
        }
    }
    let values = values.iter().map(Ok::<_, ArrowError>);
    let found = infer_json_schema_from_iterator(values).map_err(|_| {
        let what = "the first lines hold values of different types in one column".to_owned();
        SourceError::new(SourceErrorKind::Malformed { what }).with_hint("declare the columns")
    })?;
    let known = |field: &Arc<Field>| match field.data_type() {
        DataType::Null => Field::new(field.name(), DataType::Utf8, true),
        other => Field::new(field.name(), other.clone(), true),
    };
    Ok(Schema::new(found.fields().iter().map(known).collect::<Vec<_>>()))
}

/// The schema of the table, given what the first lines hold.
///
/// # Errors
/// A column without a declared type that the first lines do not have, and types that JSON
/// has no form for.
pub(crate) fn schema(found: Schema, declared: &[DeclaredColumn]) -> Result<Schema, SourceError> {
    if declared.is_empty() {
        return Ok(found);
    }
    let fields = declared.iter().map(|column| {
        let data_type = match (&column.data_type, found.field_with_name(&column.name)) {
            (Some(data_type), _) => data_type.clone(),
            (None, Ok(field)) => field.data_type().clone(),
            (None, Err(_)) => {
                let available = found.fields().iter().map(|field| field.name().as_str());
                return Err(missing::column(&column.name, available)
                    .with_hint("declare its type, if it appears only later in the file"));
            }
        };
        if readable(&data_type) {
            Ok(Field::new(&column.name, data_type, column.nullable.unwrap_or(true)))
        } else {
            let what = format!("reading {} from JSON", type_name(&data_type));
            Err(SourceError::new(SourceErrorKind::Unsupported { what }).in_column(&column.name))
        }
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, _>>()?))
}

/// JSON lines of one table. A column that a line does not have is null there; what a line
/// has beyond the table's columns is left out.
#[derive(Debug)]
pub(crate) struct JsonlFormat(pub(crate) JsonlOptions);

impl TextFormat for JsonlFormat {
    fn kind(&self) -> &'static str {
        "jsonl"
    }

    fn compression(&self) -> Compression {
        self.0.compression
    }

    fn read(
        &self,
        input: Box<dyn Read + Send>,
        task: &Task,
        emit: &mut dyn FnMut(RecordBatch) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let schema: SchemaRef = task.schema.clone();
        let mut lines = Lines::new(input, self.0.max_record_bytes);
        let mut batch = Batch::new(schema);
        let mut left = task.limit.unwrap_or(usize::MAX);
        while left > 0 {
            let Some((line, number)) = lines.next()? else { break };
            batch.push(line, number);
            left -= 1;
            if batch.rows() >= task.batch_rows.max(1) || batch.bytes() >= BATCH_BYTES_MAX {
                emit(batch.take()?)?;
            }
        }
        if batch.rows() > 0 { emit(batch.take()?) } else { Ok(()) }
    }
}
