//! Records to rows: the header, nulls, types, and errors with their line.

use std::io::Read;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field as Column, Schema, SchemaRef};

use super::options::CsvOptions;
use super::tokenizer::{Dialect, Found, Record, RowEnd};
use crate::cells::Cells;
use crate::connector::DeclaredColumn;
use crate::error::{SourceError, SourceErrorKind};
use crate::files::compression::Compression;
use crate::files::encoding::TextInput;
use crate::files::text::{Task, TextFormat};
use crate::missing;
use crate::rows::Rows;
use crate::types::{buildable, type_name};

/// Text that is read ahead of the record at hand, at least.
const AHEAD_BYTES: usize = 64 << 10;

/// Records of one file, with their line.
struct Records {
    input: TextInput,
    dialect: Dialect,
    bytes_max: usize,
    text: String,
    /// Where the next record starts in `text`.
    start: usize,
    /// The physical line it starts on, from 1.
    line: u64,
}

/// Where a record is: its text is `Records::text[start..end]`.
struct Span {
    start: usize,
    line: u64,
}

impl Records {
    fn new(input: Box<dyn Read + Send>, options: &CsvOptions) -> Result<Self, SourceError> {
        Ok(Self {
            input: TextInput::new(input, options.encoding),
            dialect: options.dialect()?,
            bytes_max: options.max_record_bytes,
            text: String::new(),
            start: 0,
            line: 1,
        })
    }

    /// Reads the next record; `None` at the end of the file.
    fn next(&mut self, record: &mut Record) -> Result<Option<Span>, SourceError> {
        loop {
            let rest = self.text.get(self.start..).unwrap_or_default();
            let too_long = SourceErrorKind::RecordTooLong { bytes_max: self.bytes_max };
            match self.dialect.record(rest, self.input.ended(), record) {
                Found::Record(length) if length > self.bytes_max => {
                    return Err(SourceError::new(too_long).at_line(self.line));
                }
                Found::Record(length) => {
                    let span = Span { start: self.start, line: self.line };
                    let lines = self.lines(rest.get(..length).unwrap_or_default());
                    self.line = self.line.saturating_add(lines);
                    self.start += length;
                    return Ok(Some(span));
                }
                Found::Part if rest.len() > self.bytes_max => {
                    return Err(SourceError::new(too_long).at_line(self.line));
                }
                Found::Part => {
                    let held = rest.len();
                    self.text.drain(..self.start.min(self.text.len()));
                    self.start = 0;
                    // At least doubled, so that a long record is not looked at too often.
                    self.input.fill(&mut self.text, held.max(AHEAD_BYTES))?;
                }
                Found::End => return Ok(None),
                Found::Malformed(what) => {
                    let kind = SourceErrorKind::Malformed { what: what.to_owned() };
                    return Err(SourceError::new(kind)
                        .at_line(self.line)
                        .with_hint("check quote, escape and delimiter"));
                }
            }
        }
    }

    /// Line ends in a record: `\n`, `\r\n` and `\r`; and its row end, where that is
    /// something else.
    fn lines(&self, text: &str) -> u64 {
        let bytes = text.as_bytes();
        let breaks = memchr::memchr2_iter(b'\n', b'\r', bytes)
            .filter(|at| bytes.get(*at) == Some(&b'\n') || bytes.get(at + 1) != Some(&b'\n'))
            .count() as u64;
        match &self.dialect.row_end {
            RowEnd::Exact(end) if !end.contains(['\n', '\r']) && text.ends_with(end.as_str()) => {
                breaks + 1
            }
            _ => breaks,
        }
    }

    fn text_from(&self, start: usize) -> &str {
        self.text.get(start..).unwrap_or_default()
    }
}

/// The first record's fields as they stand: the header, or the first row.
pub(crate) fn first_record(
    input: Box<dyn Read + Send>,
    options: &CsvOptions,
) -> Result<Vec<String>, SourceError> {
    let mut records = Records::new(input, options)?;
    let mut record = Record::default();
    while let Some(span) = records.next(&mut record)? {
        if is_blank(&record) {
            continue;
        }
        let text = records.text_from(span.start);
        return Ok(record.fields.iter().map(|f| record.content(f, text).to_owned()).collect());
    }
    Ok(Vec::new())
}

/// The schema of the table, given the first file's first record.
///
/// Without declared columns every column is a string: nothing is guessed, so nothing
/// changes when the data does.
///
/// # Errors
/// A first record that is no header, two columns of one name, declared columns the header does not
/// have, or another number of columns than declared.
pub(crate) fn schema(
    options: &CsvOptions,
    first: &[String],
    declared: &[DeclaredColumn],
) -> Result<Schema, SourceError> {
    if options.header {
        recognised(first, declared.iter().map(|column| column.name.as_str()))?;
        unique(first)?;
        for column in declared {
            position(first, &column.name)?;
        }
    } else if !declared.is_empty() && !first.is_empty() && declared.len() != first.len() {
        let kind = SourceErrorKind::FieldCount { expected: declared.len(), found: first.len() };
        return Err(SourceError::new(kind).at_line(1));
    }
    if declared.is_empty() {
        let names = first.iter().enumerate().map(|(index, name)| {
            if options.header { name.clone() } else { format!("column_{}", index + 1) }
        });
        let fields: Vec<Column> =
            names.map(|name| Column::new(name, DataType::Utf8, true)).collect();
        return Ok(Schema::new(fields));
    }
    let fields = declared.iter().map(|column| {
        let data_type = column.data_type.clone().unwrap_or(DataType::Utf8);
        if buildable(&data_type) && data_type != DataType::Binary {
            Ok(Column::new(&column.name, data_type, column.nullable.unwrap_or(true)))
        } else {
            let what = format!("reading {} from text", type_name(&data_type));
            Err(SourceError::new(SourceErrorKind::Unsupported { what }).in_column(&column.name))
        }
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, _>>()?))
}

/// A first record without any of the declared columns is not their header: it may be a row, and its
/// fields are not to be shown as names.
fn recognised<'a>(
    first: &[String],
    mut declared: impl Iterator<Item = &'a str>,
) -> Result<(), SourceError> {
    let malformed =
        |what: &str| SourceError::new(SourceErrorKind::Malformed { what: what.to_owned() });
    let (some, known) = match declared.next() {
        None => return Ok(()),
        Some(name) => (name, first.iter().any(|field| field == name)),
    };
    if first.is_empty() {
        return Err(malformed("the file is empty, without a header")
            .with_hint(format!("a header names the columns: {some}, …")));
    }
    if known || declared.any(|name| first.iter().any(|field| field == name)) {
        return Ok(());
    }
    Err(malformed("the first record names none of the declared columns").at_line(1).with_hint(
        "check `delimiter`; say `header: false` where the file has no header, and its columns in their order",
    ))
}

fn unique(names: &[String]) -> Result<(), SourceError> {
    let mut seen = std::collections::HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => Err(SourceError::new(SourceErrorKind::DuplicateColumn).in_column(name)),
        None => Ok(()),
    }
}

fn position(header: &[String], name: &str) -> Result<usize, SourceError> {
    header
        .iter()
        .position(|column| column == name)
        .ok_or_else(|| missing::column(name, header.iter().map(String::as_str)))
}

fn is_blank(record: &Record) -> bool {
    matches!(record.fields.as_slice(), [field] if !field.quoted && field.is_empty())
}

/// Delimited text of one table.
#[derive(Debug)]
pub(crate) struct CsvFormat {
    options: CsvOptions,
    /// All columns of the table, in order.
    table: SchemaRef,
    /// Whether the table has exactly the columns of its files, since none are declared.
    whole: bool,
}

impl CsvFormat {
    pub(crate) fn new(options: CsvOptions, table: SchemaRef, whole: bool) -> Self {
        Self { options, table, whole }
    }

    /// Which field each wanted column is, and how many fields a record has.
    fn positions(&self, header: &[String], wanted: &Schema) -> Result<Vec<usize>, SourceError> {
        let mut positions = Vec::with_capacity(wanted.fields().len());
        if self.options.header {
            recognised(header, self.table.fields().iter().map(|column| column.name().as_str()))?;
            unique(header)?;
            // Not only what is wanted: a file with other columns is another table.
            for column in self.table.fields() {
                position(header, column.name())?;
            }
            if self.whole && header.len() != self.table.fields().len() {
                let expected = self.table.fields().len();
                let kind = SourceErrorKind::FieldCount { expected, found: header.len() };
                return Err(SourceError::new(kind)
                    .at_line(1)
                    .with_hint("the files' headers differ; declare the columns to read"));
            }
        }
        let table: Vec<String> =
            self.table.fields().iter().map(|column| column.name().clone()).collect();
        for column in wanted.fields() {
            let among = if self.options.header { header } else { &table };
            positions.push(position(among, column.name())?);
        }
        Ok(positions)
    }
}

impl TextFormat for CsvFormat {
    fn kind(&self) -> &'static str {
        "csv"
    }

    fn compression(&self) -> Compression {
        self.options.compression
    }

    fn read(
        &self,
        input: Box<dyn Read + Send>,
        task: &Task,
        emit: &mut dyn FnMut(RecordBatch) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut records = Records::new(input, &self.options)?;
        let mut record = Record::default();
        let mut rows = Rows::new(task.schema.clone(), task.batch_rows)?;
        let mut layout: Option<(Vec<usize>, usize)> = None;
        let mut left = task.limit.unwrap_or(usize::MAX);
        while left > 0 {
            let Some(span) = records.next(&mut record)? else { break };
            let text = records.text_from(span.start);
            let (positions, width) = match &layout {
                Some(layout) => layout,
                None if self.options.header => {
                    if is_blank(&record) {
                        continue;
                    }
                    let header: Vec<String> = record
                        .fields
                        .iter()
                        .map(|field| record.content(field, text).to_owned())
                        .collect();
                    layout = Some((self.positions(&header, &task.schema)?, header.len()));
                    continue;
                }
                None => {
                    let positions = self.positions(&[], &task.schema)?;
                    &*layout.insert((positions, self.table.fields().len()))
                }
            };
            // An empty line is a row of a one-column table, and nothing elsewhere.
            if is_blank(&record) && *width != 1 {
                continue;
            }
            if record.fields.len() != *width {
                let (expected, found) = (*width, record.fields.len());
                let kind = SourceErrorKind::FieldCount { expected, found };
                return Err(SourceError::new(kind).at_line(span.line));
            }
            let bytes = self
                .row(&record, text, positions, &task.schema, rows.columns())
                .map_err(|error| error.at_line(span.line))?;
            if let Some(batch) = rows.end_row(bytes)? {
                emit(batch)?;
            }
            left -= 1;
        }
        rows.take()?.map_or(Ok(()), emit)
    }
}

impl CsvFormat {
    /// Appends a record's wanted fields; gives their bytes.
    fn row(
        &self,
        record: &Record,
        text: &str,
        positions: &[usize],
        schema: &Arc<Schema>,
        cells: &mut [Box<dyn Cells>],
    ) -> Result<usize, SourceError> {
        let mut bytes = 0;
        for ((column, position), cells) in schema.fields().iter().zip(positions).zip(cells) {
            let Some(field) = record.fields.get(*position) else { continue };
            let content = record.content(field, text);
            bytes += content.len();
            if !field.quoted && self.options.nulls.iter().any(|null| null == content) {
                if !column.is_nullable() {
                    return Err(SourceError::new(SourceErrorKind::Null).in_column(column.name()));
                }
                cells.null();
            } else if cells.text(content).is_err() {
                let expected = type_name(column.data_type());
                let error = SourceError::new(SourceErrorKind::Type { expected });
                return Err(error.in_column(column.name()));
            }
        }
        Ok(bytes)
    }
}
