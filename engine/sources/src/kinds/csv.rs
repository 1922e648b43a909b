//! `csv`: delimited text files.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;

use crate::connector::{DeclaredColumn, TableRequest};
use crate::csv::options::CsvOptions;
use crate::csv::reader::{CsvFormat, first_record, schema};
use crate::error::{self, SourceError};
use crate::files::connection::FileKind;
use crate::files::listing::SourceFile;
use crate::files::stores::Place;
use crate::files::text::{TextTable, with_input};

/// The connector.
#[derive(Debug)]
pub(crate) struct Csv;

#[async_trait]
impl FileKind for Csv {
    const KIND: &'static str = "csv";
    const SUMMARY: &'static str = "delimited text files";
    const EXTENSIONS: &'static [&'static str] = &["csv", "csv.gz", "csv.zst"];
    type Options = CsvOptions;

    fn check(options: &CsvOptions) -> Result<(), SourceError> {
        options.dialect().map(|_| ())
    }

    async fn schema(
        place: &Place,
        file: &SourceFile,
        options: &CsvOptions,
    ) -> Result<SchemaRef, SourceError> {
        columns(place, file, options, &[]).await
    }

    async fn table(
        place: &Place,
        files: Vec<SourceFile>,
        options: CsvOptions,
        request: &TableRequest,
        shown: error::Place,
    ) -> Result<Arc<dyn TableProvider>, SourceError> {
        let Some(first) = files.first() else {
            let pattern = request.table.clone();
            return Err(error::SourceErrorKind::NoMatch { pattern }.into());
        };
        let schema = columns(place, first, &options, &request.declared).await?;
        let whole = request.declared.is_empty();
        let format = Arc::new(CsvFormat::new(options, schema.clone(), whole));
        Ok(Arc::new(TextTable { place: place.clone(), files, schema, format, shown }))
    }
}

async fn columns(
    place: &Place,
    file: &SourceFile,
    options: &CsvOptions,
    declared: &[DeclaredColumn],
) -> Result<SchemaRef, SourceError> {
    let reading = options.clone();
    let work = move |input| first_record(input, &reading);
    let first = with_input(place, file, options.compression, work).await?;
    let schema = schema(options, &first, declared).map_err(|error| error.in_file(&file.shown))?;
    Ok(Arc::new(schema))
}
