//! `jsonl`: files of one JSON object per line.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;

use crate::connector::TableRequest;
use crate::error::{self, SourceError, SourceErrorKind};
use crate::files::connection::FileKind;
use crate::files::listing::SourceFile;
use crate::files::stores::Place;
use crate::files::text::{TextTable, with_input};
use crate::jsonl::options::JsonlOptions;
use crate::jsonl::reader::{JsonlFormat, looked_at, schema};

/// The connector.
#[derive(Debug)]
pub(crate) struct Jsonl;

#[async_trait]
impl FileKind for Jsonl {
    const KIND: &'static str = "jsonl";
    const SUMMARY: &'static str = "files of one JSON object per line";
    const EXTENSIONS: &'static [&'static str] =
        &["jsonl", "ndjson", "jsonl.gz", "jsonl.zst", "ndjson.gz", "ndjson.zst"];
    type Options = JsonlOptions;

    fn check(options: &JsonlOptions) -> Result<(), SourceError> {
        options.check()
    }

    async fn schema(
        place: &Place,
        file: &SourceFile,
        options: &JsonlOptions,
    ) -> Result<SchemaRef, SourceError> {
        let reading = options.clone();
        let work = move |input| looked_at(input, &reading);
        with_input(place, file, options.compression, work).await.map(Arc::new)
    }

    async fn table(
        place: &Place,
        files: Vec<SourceFile>,
        options: JsonlOptions,
        request: &TableRequest,
        shown: error::Place,
    ) -> Result<Arc<dyn TableProvider>, SourceError> {
        let Some(first) = files.first() else {
            let pattern = request.table.clone();
            return Err(SourceErrorKind::NoMatch { pattern }.into());
        };
        let declared = &request.declared;
        // Only columns without a declared type need a look at the data.
        let look = declared.is_empty() || declared.iter().any(|column| column.data_type.is_none());
        let found = if look {
            Self::schema(place, first, &options).await?.as_ref().clone()
        } else {
            Schema::empty()
        };
        let schema = schema(found, declared).map_err(|error| error.in_file(&first.shown))?;
        Ok(Arc::new(TextTable {
            place: place.clone(),
            files,
            schema: Arc::new(schema),
            format: Arc::new(JsonlFormat(options)),
            shown,
        }))
    }
}
