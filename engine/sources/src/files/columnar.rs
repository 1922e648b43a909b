//! Tables of files that carry their own schema (Parquet, Arrow IPC), scanned by DataFusion.
//!
//! The schema is checked here, file by file, before a row is read: every file has every
//! column, with a type that is the declared one or widens to it without loss. So no cast
//! of the scan can fail, and no error of a cast can quote a value.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use futures::FutureExt;

use super::guard::GuardedScan;
use super::listing::SourceFile;
use super::stores::Place;
use crate::connector::{ContentStatistics, DeclaredColumn};
use crate::error::{self, SourceError, SourceErrorKind};
use crate::missing;
use crate::types::{delivered_type, type_name};

/// What a file says of itself.
#[derive(Debug, Clone)]
pub(crate) struct FileFacts {
    /// Its columns.
    pub(crate) schema: SchemaRef,
    /// Its number of rows, where known without reading them.
    pub(crate) rows: Option<usize>,
    /// Columns known to hold a null.
    pub(crate) with_nulls: Vec<String>,
    /// What it says of the contents of its columns.
    pub(crate) contents: BTreeMap<String, ContentStatistics>,
}

/// Runs a library's reading of a file's own description. The libraries assert and give up
/// on some damaged ones; that ends here as an error like any other.
///
/// # Errors
/// Those of the reading, and [`SourceErrorKind::Malformed`] where it gave up.
pub(crate) async fn guarded<T>(
    reading: impl Future<Output = Result<T, SourceError>>,
    what: &str,
) -> Result<T, SourceError> {
    // Nothing is shared with what was being read, so nothing can be left half done.
    match AssertUnwindSafe(reading).catch_unwind().await {
        Ok(result) => result,
        Err(_) => Err(SourceErrorKind::Malformed { what: what.to_owned() }.into()),
    }
}

/// The format, with the options of the session that scans.
pub(crate) type FormatOf = fn(&dyn Session) -> Arc<dyn FileFormat>;

/// A table of such files.
pub(crate) struct ColumnarTable {
    place: Place,
    files: Vec<SourceFile>,
    rows: Option<usize>,
    schema: SchemaRef,
    format: FormatOf,
    shown: error::Place,
}

impl fmt::Debug for ColumnarTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<&str> = self.files.iter().map(|file| file.shown.as_str()).collect();
        f.debug_struct("ColumnarTable").field("files", &files).finish_non_exhaustive()
    }
}

impl ColumnarTable {
    /// The table of these files, with the declared columns or with those of the first
    /// file. `facts` has one entry per file.
    ///
    /// # Errors
    /// A file without a column, or with a type that contradicts the declared or first one;
    /// and a null in a column declared without, where the files' statistics tell.
    pub(crate) fn new(
        place: Place,
        files: Vec<SourceFile>,
        facts: &[FileFacts],
        declared: &[DeclaredColumn],
        format: FormatOf,
        shown: error::Place,
    ) -> Result<Self, SourceError> {
        let mut table: Option<Vec<Field>> = None;
        for (file, facts) in files.iter().zip(facts) {
            let fields = match &table {
                None => first(facts, declared),
                Some(fields) => next(fields, facts),
            };
            table = Some(fields.map_err(|error| error.in_file(&file.shown))?);
        }
        let rows = facts.iter().map(|facts| facts.rows).sum();
        let schema = Arc::new(Schema::new(table.unwrap_or_default()));
        Ok(Self { place, files, rows, schema, format, shown })
    }
}

/// The table's columns, by the first file.
fn first(facts: &FileFacts, declared: &[DeclaredColumn]) -> Result<Vec<Field>, SourceError> {
    unique(&facts.schema)?;
    if declared.is_empty() {
        let plain = |field: &Arc<Field>| {
            Field::new(field.name(), field.data_type().clone(), field.is_nullable())
        };
        return Ok(facts.schema.fields().iter().map(plain).collect());
    }
    declared
        .iter()
        .map(|column| {
            let found = column_of(facts, &column.name)?;
            let data_type = match &column.data_type {
                Some(declared) => fitting(found.data_type(), declared, &column.name)?,
                None => found.data_type().clone(),
            };
            if column.nullable == Some(false) && facts.with_nulls.contains(&column.name) {
                return Err(SourceError::new(SourceErrorKind::Null).in_column(&column.name));
            }
            Ok(Field::new(&column.name, data_type, found.is_nullable()))
        })
        .collect()
}

/// The table's columns, after one more file: as before, or nullable where this file is.
fn next(fields: &[Field], facts: &FileFacts) -> Result<Vec<Field>, SourceError> {
    unique(&facts.schema)?;
    fields
        .iter()
        .map(|field| {
            let found = column_of(facts, field.name())?;
            if !castable_views(found.data_type(), field.data_type()) {
                let fits = fitting(found.data_type(), field.data_type(), field.name())?;
                if fits != *field.data_type() {
                    return Err(contradiction(found.data_type(), field.data_type(), field.name()));
                }
            }
            Ok(field.clone().with_nullable(field.is_nullable() || found.is_nullable()))
        })
        .collect()
}

/// Whether the two differ in how strings or bytes are laid out only, in a dictionary or not.
fn castable_views(found: &DataType, wanted: &DataType) -> bool {
    use DataType as T;
    let plain = |of: &DataType| match of {
        T::Dictionary(_, values) => values.as_ref().clone(),
        other => other.clone(),
    };
    let (found, wanted) = (&plain(found), &plain(wanted));
    let text = |data_type: &DataType| matches!(data_type, T::Utf8 | T::LargeUtf8 | T::Utf8View);
    let bytes =
        |data_type: &DataType| matches!(data_type, T::Binary | T::LargeBinary | T::BinaryView);
    (text(found) && text(wanted)) || (bytes(found) && bytes(wanted))
}

fn unique(schema: &Schema) -> Result<(), SourceError> {
    let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    }) {
        Some(name) => Err(SourceError::new(SourceErrorKind::DuplicateColumn).in_column(name)),
        None => Ok(()),
    }
}

fn column_of<'a>(facts: &'a FileFacts, name: &str) -> Result<&'a Field, SourceError> {
    facts.schema.field_with_name(name).map_err(|_| {
        missing::column(name, facts.schema.fields().iter().map(|field| field.name().as_str()))
    })
}

fn fitting(found: &DataType, declared: &DataType, name: &str) -> Result<DataType, SourceError> {
    delivered_type(found, declared).ok_or_else(|| contradiction(found, declared, name))
}

fn contradiction(found: &DataType, declared: &DataType, name: &str) -> SourceError {
    SourceError::new(SourceErrorKind::DeclaredType {
        found: type_name(found),
        declared: type_name(declared),
    })
    .in_column(name)
}

#[async_trait]
impl TableProvider for ColumnarTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        if self.place.local.is_none() {
            let url = self.place.store_url.as_ref();
            state.runtime_env().register_object_store(url, self.place.store.clone());
        }
        let files = self.files.iter().map(|file| PartitionedFile::new_from_meta(file.meta.clone()));
        let partitions = state.config().target_partitions().max(1);
        let groups = FileGroup::new(files.collect()).split_files(partitions);
        // Counts only: minima and maxima of a file are values.
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = self.rows.map_or(Precision::Absent, Precision::Exact);
        let format = (self.format)(state);
        let source = format.file_source(TableSchema::from(self.schema.clone()));
        let config = FileScanConfigBuilder::new(self.place.store_url.clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let scan = format.create_physical_plan(state, config).await?;
        Ok(Arc::new(GuardedScan::new(scan, self.shown.clone())))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        // Row groups and pages are skipped by the files' statistics; the rows that remain
        // are filtered again above.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
