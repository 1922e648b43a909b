//! Reads a table: one SELECT with the projected columns, the pushed filters and the
//! limit, stepped through on a blocking thread.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use rusqlite::types::{Value, ValueRef};

use super::catalog::{Table, arrow_type};
use super::database::{open_read_only, quoted, replaced};
use super::filters::{Comparable, Condition, condition};
use crate::cells::{Cells, Mismatch};
use crate::connector::DeclaredColumn;
use crate::error::{Place, SourceError, SourceErrorKind};
use crate::missing;
use crate::producer::{Output, produce};
use crate::rows::Rows;
use crate::scan::{Partition, ScanExec};
use crate::types::{buildable, type_name};

/// Virtual machine instructions between two looks at whether the reader is still there.
const STEPS_BETWEEN_LOOKS: i32 = 100_000;

/// A table of a database, for DataFusion.
#[derive(Debug)]
pub(crate) struct SqliteTable {
    path: PathBuf,
    table: Table,
    schema: SchemaRef,
    place: Place,
}

impl SqliteTable {
    /// The table with the declared columns, or with all where none are declared.
    ///
    /// # Errors
    /// Declared columns that the table does not have, and types that cannot be read.
    pub(crate) fn new(
        path: PathBuf,
        table: Table,
        declared: &[DeclaredColumn],
        place: Place,
    ) -> Result<Self, SourceError> {
        let schema = Arc::new(schema(&table, declared)?);
        Ok(Self { path, table, schema, place })
    }

    fn comparable(&self, name: &str) -> Option<Comparable> {
        let field = self.schema.field_with_name(name).ok()?;
        let column = self.table.columns.iter().find(|column| column.name == name)?;
        // A view's columns have the affinity of expressions, which may be none.
        Some(if self.table.stored {
            Comparable::of(&column.declared, field.data_type())
        } else {
            Comparable::Nothing
        })
    }

    fn condition(&self, filter: &Expr) -> Option<Condition> {
        condition(filter, &|name| self.comparable(name))
    }

    fn query(
        &self,
        projected: &Schema,
        conditions: Vec<Condition>,
        limit: Option<usize>,
    ) -> (String, Vec<Value>) {
        let mut columns: Vec<String> =
            projected.fields().iter().map(|field| quoted(field.name())).collect();
        // The last column is the row's number, for errors; or a placeholder for it.
        columns.push(if self.table.has_row_numbers { "rowid" } else { "NULL" }.to_owned());
        let mut sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(&self.table.name));
        let mut parameters = Vec::new();
        for (position, condition) in conditions.into_iter().enumerate() {
            sql.push_str(if position == 0 { " WHERE " } else { " AND " });
            sql.push_str(&condition.sql);
            parameters.extend(condition.parameters);
        }
        if let Some(limit) = limit.and_then(|limit| i64::try_from(limit).ok()) {
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        (sql, parameters)
    }
}

/// The schema of a table as it will be delivered.
pub(crate) fn schema(table: &Table, declared: &[DeclaredColumn]) -> Result<Schema, SourceError> {
    if declared.is_empty() {
        let fields = table.columns.iter().map(|column| {
            Field::new(&column.name, arrow_type(&column.declared), !column.never_null)
        });
        return Ok(Schema::new(fields.collect::<Vec<_>>()));
    }
    let mut fields = Vec::with_capacity(declared.len());
    for wanted in declared {
        let Some(column) = table.columns.iter().find(|column| column.name == wanted.name) else {
            let available = table.columns.iter().map(|column| column.name.as_str());
            return Err(missing::column(&wanted.name, available));
        };
        let data_type = wanted.data_type.clone().unwrap_or_else(|| arrow_type(&column.declared));
        if !buildable(&data_type) {
            let what = format!("reading {} from SQLite", type_name(&data_type));
            return Err(
                SourceError::new(SourceErrorKind::Unsupported { what }).in_column(&wanted.name)
            );
        }
        let nullable = wanted.nullable.unwrap_or(!column.never_null);
        fields.push(Field::new(&wanted.name, data_type, nullable));
    }
    Ok(Schema::new(fields))
}

#[async_trait]
impl TableProvider for SqliteTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema.clone(),
        };
        let conditions: Vec<Condition> =
            filters.iter().filter_map(|filter| self.condition(filter)).collect();
        // A limit counts rows after all filters, so it is SQLite's only if all of them are.
        let all_exact = conditions.len() == filters.len() && conditions.iter().all(|c| c.exact);
        let (sql, parameters) = self.query(&schema, conditions, limit.filter(|_| all_exact));
        let label = format!("sqlite, {sql}");
        let partition = SqlitePartition {
            path: self.path.clone(),
            sql,
            parameters: parameters.into(),
            schema: schema.clone(),
            place: self.place.clone(),
        };
        Ok(Arc::new(ScanExec::new(label, schema, vec![Arc::new(partition)])))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let supports = filters.iter().map(|filter| match self.condition(filter) {
            Some(condition) if condition.exact => TableProviderFilterPushDown::Exact,
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(supports.collect())
    }
}

/// The one partition of a table.
#[derive(Clone)]
struct SqlitePartition {
    path: PathBuf,
    sql: String,
    parameters: Arc<[Value]>,
    schema: SchemaRef,
    place: Place,
}

impl fmt::Debug for SqlitePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the parameters: they are literals of a filter.
        f.debug_struct("SqlitePartition").field("sql", &self.sql).finish_non_exhaustive()
    }
}

impl Partition for SqlitePartition {
    fn open(&self, batch_rows: usize) -> SendableRecordBatchStream {
        let partition = self.clone();
        produce(self.schema.clone(), move |output| {
            partition.read(batch_rows, output).map_err(|error| error.within(&partition.place))
        })
    }
}

impl SqlitePartition {
    fn read(&self, batch_rows: usize, output: &Output) -> Result<(), SourceError> {
        let mut database = open_read_only(&self.path)?;
        let reader = output.clone();
        database
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(move || !reader.wanted()))
            .map_err(|error| replaced(&error))?;
        let mut statement = database.prepare(&self.sql).map_err(|error| replaced(&error))?;
        let parameters = rusqlite::params_from_iter(self.parameters.iter());
        let mut found = statement.query(parameters).map_err(|error| replaced(&error))?;
        let mut rows = Rows::new(self.schema.clone(), batch_rows)?;
        let fields = self.schema.fields();
        while let Some(row) = found.next().map_err(|error| replaced(&error))? {
            let mut bytes = 0;
            for (index, (cells, field)) in rows.columns().iter_mut().zip(fields).enumerate() {
                let value = row.get_ref(index).map_err(|error| replaced(&error))?;
                bytes += match value {
                    ValueRef::Text(content) | ValueRef::Blob(content) => content.len(),
                    _ => 8,
                };
                if let Err(error) = append(cells.as_mut(), value, field) {
                    let number = row.get_ref(fields.len()).ok().and_then(|v| v.as_i64().ok());
                    let error = error.in_column(field.name());
                    return Err(match number {
                        Some(number) => error.at_row(number),
                        None => error,
                    });
                }
            }
            if let Some(batch) = rows.end_row(bytes)? {
                output.send(batch)?;
            }
        }
        rows.take()?.map_or(Ok(()), |batch| output.send(batch))
    }
}

fn append(cells: &mut dyn Cells, value: ValueRef<'_>, field: &Field) -> Result<(), SourceError> {
    let fits = match value {
        ValueRef::Null if !field.is_nullable() => return Err(SourceErrorKind::Null.into()),
        ValueRef::Null => {
            cells.null();
            return Ok(());
        }
        ValueRef::Integer(value) => cells.integer(value),
        ValueRef::Real(value) => cells.real(value),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => cells.text(text),
            Err(_) => Err(Mismatch),
        },
        ValueRef::Blob(bytes) => cells.blob(bytes),
    };
    fits.map_err(|_| mismatch(field.data_type()))
}

fn mismatch(data_type: &DataType) -> SourceError {
    SourceError::new(SourceErrorKind::Type { expected: type_name(data_type) }).with_hint(
        "SQLite stores any value in any column; declare the column as a string to read it as it is",
    )
}
