//! The traits every connector implements, and the requests and answers they speak.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::SendableRecordBatchStream;
use engine_tracking::schema::{EnumType, TableSchema};
use serde::{Deserialize, Serialize};

use crate::error::SourceError;

/// A kind of source: a file format or a database. One unit struct per kind, registered
/// in [`kinds::ALL`](crate::kinds::ALL).
pub trait Connector: Send + Sync {
    /// The name a project uses in `type:`; lower case, one word.
    fn kind(&self) -> &'static str;

    /// One line for a list of connectors.
    fn summary(&self) -> &'static str;

    /// JSON Schema of a connection's parameters in `profiles.yml`, without `type`.
    fn connection_schema(&self) -> schemars::Schema;

    /// JSON Schema of a table's `read:` parameters.
    fn table_schema(&self) -> schemars::Schema;

    /// Checks the parameters and makes a connection. Opens nothing yet.
    ///
    /// # Errors
    /// Parameter errors with the parameter's JSON path, and URLs no store is built in for.
    fn connect(
        &self,
        params: &serde_json::Value,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Connection>, SourceError>;
}

/// What a connection needs to know about the project that uses it.
#[derive(Clone, Default)]
pub struct ConnectContext {
    /// The connection's name in the project; stands in every error.
    pub name: String,
    /// The project's directory: relative paths start here.
    pub base: PathBuf,
    /// Parameters whose values are secrets, because they come from the environment or a file, by
    /// their dotted paths. They are used and never shown, a path or URL neither.
    pub secret_params: BTreeSet<String>,
}

impl ConnectContext {
    /// The value of a parameter as it may stand in a message.
    pub(crate) fn shown(&self, param: &str, value: &str) -> String {
        if self.secret_params.contains(param) { "[secret]" } else { value }.to_owned()
    }
}

impl fmt::Debug for ConnectContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectContext")
            .field("name", &self.name)
            .field("base", &self.base)
            .field("secret_params", &self.secret_params)
            .finish()
    }
}

/// A place tables are read from: a directory of files or a database.
#[async_trait]
pub trait Connection: Send + Sync + fmt::Debug {
    /// Tries whether the place can be reached, and says so in one value-free sentence.
    ///
    /// # Errors
    /// Whatever stands in the way, with a hint.
    async fn check(&self) -> Result<String, SourceError>;

    /// Lists the tables with columns, keys and references, ordered by name.
    ///
    /// # Errors
    /// A place that cannot be read or files that are not of the connection's kind.
    async fn discover(&self) -> Result<Vec<FoundTable>, SourceError>;

    /// Everything the place says of its tables, to be recorded: of the declared ones, or of all there are where
    /// it knows them itself, as a database does.
    ///
    /// # Errors
    /// The same as for opening the tables.
    async fn catalog(&self, declared: &[TableRequest]) -> Result<Catalog, SourceError>;

    /// Checks the `read:` parameters of a table. Opens nothing.
    ///
    /// # Errors
    /// Parameter errors with the parameter's JSON path.
    fn accepts(&self, request: &TableRequest) -> Result<(), SourceError>;

    /// Offers a table to DataFusion. The schema is fixed from here on.
    ///
    /// The table reads in bounded memory, builds projected columns only, and reports each
    /// filter it applies honestly (exact, inexact or not at all).
    ///
    /// # Errors
    /// Missing data, parameter errors, and declared columns or types that the data's own
    /// schema contradicts. What only the rows can contradict is an error of the scan,
    /// carried as `DataFusionError::External` with a [`SourceError`] inside.
    async fn table(&self, request: &TableRequest) -> Result<Arc<dyn TableProvider>, SourceError>;

    /// A hex digest that changes whenever the table's data may have changed; `None` when
    /// that cannot be known, so that the table is read again each time.
    ///
    /// # Errors
    /// The same as for listing the files.
    async fn fingerprint(&self, request: &TableRequest) -> Result<Option<String>, SourceError>;

    /// What the place itself knows of the contents of a table's columns, by name, without a row being
    /// read. Columns of which it knows nothing are left out.
    ///
    /// # Errors
    /// The same as for opening the table.
    async fn statistics(
        &self,
        _request: &TableRequest,
    ) -> Result<BTreeMap<String, ContentStatistics>, SourceError> {
        Ok(BTreeMap::new())
    }

    /// The loader, where this kind of place can be written.
    fn loader(&self) -> Option<Arc<dyn Loader>> {
        None
    }
}

/// What a place says of its tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The tables.
    pub tables: Vec<TableSchema>,
    /// Types with a list of labels.
    pub enums: Vec<EnumType>,
}

/// What a place knows of the contents of a column: counts, and no value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentStatistics {
    /// Rows of the table.
    pub rows: u64,
    /// Nulls in the column.
    pub nulls: u64,
    /// Bytes of the column, encoded but not compressed.
    pub bytes: u64,
}

/// A table as a project declares it.
#[derive(Debug, Clone, Default)]
pub struct TableRequest {
    /// The table's name in the project.
    pub table: String,
    /// The table's `read:` parameters: a mapping, or null for none.
    pub params: serde_json::Value,
    /// The declared columns, in order. Empty: every column the data has. Otherwise the
    /// table has exactly these columns.
    pub declared: Vec<DeclaredColumn>,
    /// The declared key columns; may be empty.
    pub key: Vec<String>,
}

/// A column as a project declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredColumn {
    /// The column's name in the data.
    pub name: String,
    /// Its type; `None` takes the type the data gives.
    pub data_type: Option<DataType>,
    /// `Some(false)`: a null is an error. `None` and `Some(true)`: nulls are allowed.
    pub nullable: Option<bool>,
}

/// A table that [`Connection::discover`] found.
#[derive(Debug, Clone)]
pub struct FoundTable {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// The columns of its primary key, in key order; empty where there is none or the
    /// kind of source has none.
    pub key: Vec<String>,
    /// Its foreign keys.
    pub references: Vec<FoundReference>,
    /// The `read:` parameters that find it again; null when its name alone does.
    pub params: serde_json::Value,
}

/// A foreign key that [`Connection::discover`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundReference {
    /// Columns of the table that refers.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// Columns of that table, one per entry of `columns`.
    pub to: Vec<String>,
}

/// Writes rows into a table of a connection.
#[async_trait]
pub trait Loader: Send + Sync {
    /// Loads all rows, or none: a failure leaves the table as it was.
    ///
    /// # Errors
    /// Failures of the database, of types it cannot hold, and of the rows themselves.
    async fn load(
        &self,
        request: LoadRequest,
        rows: SendableRecordBatchStream,
    ) -> Result<LoadReport, SourceError>;

    /// The receipt of the last load of a table; `None` when it was never loaded, or is not there.
    ///
    /// # Errors
    /// A database that cannot be read.
    async fn receipt(&self, table: &str) -> Result<Option<String>, SourceError>;

    /// The statements that [`Loader::load`] would run besides inserting, for a plan.
    fn statements(&self, request: &LoadRequest) -> Vec<String>;

    /// What stands where a load would go, compared with what the load would make; its rows and receipt
    /// do not matter. Changes nothing.
    ///
    /// # Errors
    /// A database that cannot be read.
    async fn compare(&self, request: &LoadRequest) -> Result<TableState, SourceError>;
}

/// What a database holds under a table's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TableState {
    /// Nothing.
    Absent,
    /// A table with the columns of the load.
    Same,
    /// A table with others.
    Other {
        /// Columns that the load has and the table lacks.
        missing: Vec<String>,
        /// Columns that the table has and the load lacks.
        additional: Vec<String>,
        /// Columns that both have, with another type.
        retyped: Vec<String>,
    },
}

/// What happens to the rows a table already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// The table afterwards holds exactly the loaded rows.
    Replace,
    /// The loaded rows join those that are there.
    Append,
}

/// A table to load.
#[derive(Debug, Clone)]
pub struct LoadRequest {
    /// The table's name in the database.
    pub table: String,
    /// What happens to the rows it has.
    pub mode: LoadMode,
    /// The columns; the stream's schema must have the same names and types.
    pub schema: SchemaRef,
    /// The primary key's columns; may be empty.
    pub key: Vec<String>,
    /// How many rows there are: any other number is an error, and loads nothing.
    pub rows: u64,
    /// Names what is loaded. Written in the same transaction, so that [`Loader::receipt`]
    /// tells for certain whether a load happened.
    pub receipt: String,
}

/// What a load did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadReport {
    /// Number of rows loaded.
    pub rows: u64,
}
