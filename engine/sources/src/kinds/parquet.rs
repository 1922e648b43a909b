//! `parquet`: Parquet files, read by DataFusion with projection, row-group and page pruning.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::transform_schema_to_view;
use datafusion::error::DataFusionError;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use datafusion::parquet::schema::types::ColumnDescPtr;
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::connector::{ContentStatistics, TableRequest};
use crate::error::{self, SourceError, SourceErrorKind};
use crate::files::columnar::{ColumnarTable, FileFacts, guarded};
use crate::files::connection::{DESCRIPTIONS_AT_ONCE, FileKind};
use crate::files::listing::SourceFile;
use crate::files::stores::{self, Place};

/// Bytes of a file's end that are fetched first; most footers fit.
const FOOTER_BYTES: usize = 64 << 10;

/// What is said of a file whose footer does not read.
const MALFORMED: &str = "the file is not a readable Parquet file";

/// The connector.
#[derive(Debug)]
pub(crate) struct Parquet;

/// Parquet files say all of themselves; there are no options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {}

#[async_trait]
impl FileKind for Parquet {
    const KIND: &'static str = "parquet";
    const SUMMARY: &'static str = "Parquet files";
    const EXTENSIONS: &'static [&'static str] = &["parquet"];
    type Options = Options;

    fn check(_options: &Options) -> Result<(), SourceError> {
        Ok(())
    }

    async fn schema(
        place: &Place,
        file: &SourceFile,
        _options: &Options,
    ) -> Result<SchemaRef, SourceError> {
        Ok(facts(place, file).await?.schema)
    }

    async fn table(
        place: &Place,
        files: Vec<SourceFile>,
        _options: Options,
        request: &TableRequest,
        shown: error::Place,
    ) -> Result<Arc<dyn TableProvider>, SourceError> {
        let facts: Vec<FileFacts> = futures::stream::iter(files.clone())
            .map(|file| async move { facts(place, &file).await })
            .buffered(DESCRIPTIONS_AT_ONCE)
            .try_collect()
            .await?;
        let table =
            ColumnarTable::new(place.clone(), files, &facts, &request.declared, format, shown)?;
        Ok(Arc::new(table))
    }

    async fn statistics(
        place: &Place,
        file: &SourceFile,
    ) -> Result<BTreeMap<String, ContentStatistics>, SourceError> {
        Ok(facts(place, file).await?.contents)
    }
}

fn format(session: &dyn Session) -> Arc<dyn FileFormat> {
    Arc::new(ParquetFormat::new().with_options(session.default_table_options().parquet))
}

/// Reads a file's footer. Strings and bytes are delivered as views.
async fn facts(place: &Place, file: &SourceFile) -> Result<FileFacts, SourceError> {
    let reader = DFParquetMetadata::new(place.store.as_ref(), &file.meta)
        .with_metadata_size_hint(Some(FOOTER_BYTES));
    let read = async {
        let metadata = reader.fetch_metadata().await?;
        plausible(&metadata, file.meta.size)?;
        let schema = Arc::new(transform_schema_to_view(&reader.fetch_schema().await?));
        let statistics = DFParquetMetadata::statistics_from_parquet_metadata(&metadata, &schema)?;
        let rows = usize::try_from(metadata.file_metadata().num_rows()).ok();
        let with_nulls = schema.fields().iter().zip(&statistics.column_statistics);
        let with_nulls = with_nulls
            .filter(|(_, column)| matches!(column.null_count, Precision::Exact(count) if count > 0))
            .map(|(field, _)| field.name().clone())
            .collect();
        let contents = contents(&metadata);
        Ok(FileFacts { schema, rows, with_nulls, contents })
    };
    guarded(read.map_err(replaced), MALFORMED).await.map_err(|error| error.in_file(&file.shown))
}

/// What the footer says of the columns' contents. Columns of several leaves are left out, and those whose
/// nulls were not counted.
fn contents(metadata: &ParquetMetaData) -> BTreeMap<String, ContentStatistics> {
    let number = |count: i64| u64::try_from(count).ok();
    let leaf = |(position, leaf): (usize, &ColumnDescPtr)| {
        let mut sum = ContentStatistics::default();
        for group in metadata.row_groups() {
            let column = group.columns().get(position)?;
            sum.rows = sum.rows.checked_add(number(group.num_rows())?)?;
            sum.nulls = sum.nulls.checked_add(column.statistics()?.null_count_opt()?)?;
            sum.bytes = sum.bytes.checked_add(number(column.uncompressed_size())?)?;
        }
        let [name] = leaf.path().parts() else { return None };
        Some((name.clone(), sum))
    };
    let leaves = metadata.file_metadata().schema_descr().columns();
    leaves.iter().enumerate().filter_map(leaf).collect()
}

/// Refuses a footer that points outside of its file: the library asserts, where the rows
/// are read, that it does not.
fn plausible(metadata: &ParquetMetaData, file_bytes: u64) -> Result<(), DataFusionError> {
    let within = |start: i64, length: i64| {
        let end = u64::try_from(start).ok().zip(u64::try_from(length).ok());
        end.and_then(|(start, length)| start.checked_add(length))
            .is_some_and(|end| end <= file_bytes)
    };
    let column = |column: &ColumnChunkMetaData| {
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        within(start, column.compressed_size())
            && within(column.data_page_offset(), 0)
            && column.num_values() >= 0
            && column.uncompressed_size() >= 0
    };
    let group =
        |group: &RowGroupMetaData| group.num_rows() >= 0 && group.columns().iter().all(column);
    let counted = |total: i64, group: &RowGroupMetaData| total.checked_add(group.num_rows());
    let rows = metadata.row_groups().iter().try_fold(0, counted);
    if metadata.row_groups().iter().all(group) && rows == Some(metadata.file_metadata().num_rows())
    {
        Ok(())
    } else {
        datafusion::common::exec_err!("the footer contradicts itself")
    }
}

/// The kind of an error of the footer; a store's error is looked into.
fn replaced(error: DataFusionError) -> SourceError {
    match error {
        DataFusionError::ObjectStore(error) => stores::replaced(*error),
        _ => SourceErrorKind::Malformed { what: MALFORMED.to_owned() }.into(),
    }
}
