//! `arrow`: Arrow IPC files and streams, read by DataFusion.
//!
//! The format has no checksums, so a damaged file may give other values. Its lengths are held
//! against the file's before it is read.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::connector::TableRequest;
use crate::error::{self, SourceError, SourceErrorKind};
use crate::files::columnar::{ColumnarTable, FileFacts, guarded};
use crate::files::connection::FileKind;
use crate::files::ipc;
use crate::files::listing::SourceFile;
use crate::files::stores::{Place, replaced};

/// Schemas read at the same time.
const SCHEMAS_AT_ONCE: usize = 8;

/// Bytes of a file's start that are read for its schema: first, and at most.
const SCHEMA_BYTES: [u64; 2] = [64 << 10, 16 << 20];

/// What a file in the IPC file format starts with. Zeros follow, to a multiple of 8 bytes
/// or more, and then the same messages as in a stream (Arrow columnar format, IPC file
/// format).
const FILE_MAGIC: &[u8] = b"ARROW1";

/// What is said of a file whose schema does not read.
const MALFORMED: &str = "the file is not a readable Arrow file or stream";

/// The connector.
#[derive(Debug)]
pub(crate) struct Arrow;

/// Arrow files say all of themselves; there are no options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {}

#[async_trait]
impl FileKind for Arrow {
    const KIND: &'static str = "arrow";
    const SUMMARY: &'static str = "Arrow IPC files (Feather) and streams";
    const EXTENSIONS: &'static [&'static str] = &["arrow", "feather", "arrows"];
    type Options = Options;

    fn check(_options: &Options) -> Result<(), SourceError> {
        Ok(())
    }

    async fn schema(
        place: &Place,
        file: &SourceFile,
        _options: &Options,
    ) -> Result<SchemaRef, SourceError> {
        Ok(facts(place, file).await?.0.schema)
    }

    async fn table(
        place: &Place,
        files: Vec<SourceFile>,
        _options: Options,
        request: &TableRequest,
        shown: error::Place,
    ) -> Result<Arc<dyn TableProvider>, SourceError> {
        let found: Vec<(FileFacts, bool)> = futures::stream::iter(files.clone())
            .map(|file| async move { facts(place, &file).await })
            .buffered(SCHEMAS_AT_ONCE)
            .try_collect()
            .await?;
        let (facts, as_files): (Vec<FileFacts>, Vec<bool>) = found.into_iter().unzip();
        // One scan reads one of the two formats.
        if as_files.windows(2).any(|pair| matches!(pair, [a, b] if a != b)) {
            let what = "a table of both Arrow files and Arrow streams".to_owned();
            return Err(SourceErrorKind::Unsupported { what }.into());
        }
        let table =
            ColumnarTable::new(place.clone(), files, &facts, &request.declared, format, shown)?;
        Ok(Arc::new(table))
    }
}

fn format(_session: &dyn Session) -> Arc<dyn FileFormat> {
    Arc::new(ArrowFormat)
}

/// Reads the schema at a file's start, and whether it is in the file format.
async fn facts(place: &Place, file: &SourceFile) -> Result<(FileFacts, bool), SourceError> {
    let read = async {
        let facts = start(place, file).await?;
        match facts.1 {
            true => ipc::check_file(place, file).await?,
            false => ipc::check_stream(place, file).await?,
        }
        Ok(facts)
    };
    guarded(read, MALFORMED).await.map_err(|error| error.in_file(&file.shown))
}

async fn start(place: &Place, file: &SourceFile) -> Result<(FileFacts, bool), SourceError> {
    for bytes_max in SCHEMA_BYTES {
        let end = bytes_max.min(file.meta.size);
        if end == 0 {
            break;
        }
        let start: Bytes =
            place.store.get_range(&file.meta.location, 0..end).await.map_err(replaced)?;
        let is_file = start.starts_with(FILE_MAGIC);
        let messages = if is_file { start.get(FILE_MAGIC.len()..) } else { start.get(..) };
        let messages = messages.unwrap_or_default();
        let zeros = messages.iter().take_while(|byte| is_file && **byte == 0).count();
        let messages = messages.get(zeros..).unwrap_or_default();
        if let Ok(reader) = StreamReader::try_new(Cursor::new(messages), None) {
            let schema = reader.schema();
            return Ok((
                FileFacts { schema, rows: None, with_nulls: Vec::new(), contents: BTreeMap::new() },
                is_file,
            ));
        }
        if end == file.meta.size {
            break;
        }
    }
    Err(SourceErrorKind::Malformed { what: MALFORMED.to_owned() }.into())
}
