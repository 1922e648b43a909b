//! `sqlite`: a SQLite database file, read as streams and loaded in one transaction.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::connector::{
    Catalog, ConnectContext, Connection, Connector, FoundTable, Loader, TableRequest,
};
use crate::error::{Place, SourceError, SourceErrorKind};
use crate::params;
use crate::sqlite::catalog::{Table, references, table, table_names};
use crate::sqlite::database::{fingerprint, open_read_only};
use crate::sqlite::described;
use crate::sqlite::loader::SqliteLoader;
use crate::sqlite::reader::{SqliteTable, schema};

/// The connector.
pub(crate) struct Sqlite;

/// Parameters of a connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SqliteConnection")]
struct ConnectionParams {
    /// The database file; a relative path starts at the project.
    path: String,
}

/// `read:` parameters of a table.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SqliteTable")]
struct TableParams {
    /// The table's name in the database; the table's own name where absent.
    #[serde(default)]
    table: Option<String>,
}

impl Connector for Sqlite {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn summary(&self) -> &'static str {
        "a SQLite database file"
    }

    fn connection_schema(&self) -> schemars::Schema {
        schemars::schema_for!(ConnectionParams)
    }

    fn table_schema(&self) -> schemars::Schema {
        schemars::schema_for!(TableParams)
    }

    fn connect(
        &self,
        params: &serde_json::Value,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Connection>, SourceError> {
        let connect = || {
            let ConnectionParams { path } = params::parse(params)?;
            if path.is_empty() {
                return Err(params::invalid("path", "must name a file"));
            }
            let file = PathBuf::from(&path);
            let absolute = std::path::absolute(context.base.join(&file))
                .map_err(|_| params::invalid("path", "must be a path of this machine"))?;
            Ok((absolute, context.shown("path", &path)))
        };
        let (path, shown) =
            connect().map_err(|error: SourceError| error.in_connection(&context.name))?;
        Ok(Arc::new(Database { name: context.name.clone(), path, shown }))
    }
}

fn table_params(request: &TableRequest) -> Result<TableParams, SourceError> {
    params::parse(&request.params)
}

/// A database file.
#[derive(Debug)]
struct Database {
    name: String,
    path: PathBuf,
    /// The path as the project gives it, for messages, unless it is a secret.
    shown: String,
}

impl Database {
    fn place(&self, table: Option<&str>) -> Place {
        Place {
            connection: Some(self.name.clone()),
            table: table.map(str::to_owned),
            file: Some(self.shown.clone()),
            ..Place::default()
        }
    }

    /// Runs work that waits for the file system on a thread made for that.
    async fn blocking<T, W>(&self, place: Place, work: W) -> Result<T, SourceError>
    where
        T: Send + 'static,
        W: FnOnce(PathBuf) -> Result<T, SourceError> + Send + 'static,
    {
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || work(path)).await {
            Ok(result) => result.map_err(|error| error.within(&place)),
            Err(_) => Err(SourceError::new(SourceErrorKind::Cancelled).within(&place)),
        }
    }
}

#[async_trait]
impl Connection for Database {
    async fn check(&self) -> Result<String, SourceError> {
        let count = self.blocking(self.place(None), |path| {
            table_names(&open_read_only(&path)?).map(|names| names.len())
        });
        let tables = match count.await? {
            1 => "1 table or view".to_owned(),
            several => format!("{several} tables and views"),
        };
        Ok(format!("SQLite database {} with {tables}", self.shown))
    }

    async fn discover(&self) -> Result<Vec<FoundTable>, SourceError> {
        self.blocking(self.place(None), |path| {
            let database = open_read_only(&path)?;
            let names = table_names(&database)?;
            names
                .into_iter()
                .map(|name| {
                    let table = table(&database, &name)?;
                    Ok(FoundTable {
                        schema: Arc::new(schema(&table, &[])?),
                        key: table.key(),
                        references: references(&database, &name)?,
                        params: serde_json::Value::Null,
                        name,
                    })
                })
                .collect()
        })
        .await
    }

    async fn catalog(&self, _declared: &[TableRequest]) -> Result<Catalog, SourceError> {
        self.blocking(self.place(None), |path| {
            let tables = described::tables(&open_read_only(&path)?)?;
            Ok(Catalog { tables, enums: Vec::new() })
        })
        .await
    }

    fn accepts(&self, request: &TableRequest) -> Result<(), SourceError> {
        let place = self.place(Some(&request.table));
        table_params(request).map(|_| ()).map_err(|error| error.within(&place))
    }

    async fn table(&self, request: &TableRequest) -> Result<Arc<dyn TableProvider>, SourceError> {
        let place = self.place(Some(&request.table));
        let params = table_params(request).map_err(|error| error.within(&place))?;
        let name = params.table.unwrap_or_else(|| request.table.clone());
        let declared = request.declared.clone();
        let shown = place.clone();
        self.blocking(place, move |path| {
            let found: Table = table(&open_read_only(&path)?, &name)?;
            let table = SqliteTable::new(path, found, &declared, shown)?;
            Ok(Arc::new(table) as Arc<dyn TableProvider>)
        })
        .await
    }

    async fn fingerprint(&self, request: &TableRequest) -> Result<Option<String>, SourceError> {
        let place = self.place(Some(&request.table));
        self.blocking(place, |path| fingerprint(&path).map(Some)).await
    }

    fn loader(&self) -> Option<Arc<dyn Loader>> {
        Some(Arc::new(SqliteLoader::new(self.path.clone(), self.place(None))))
    }
}
