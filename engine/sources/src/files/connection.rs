//! The connection that all file kinds share: parameters, listing, discovery, fingerprint.
//!
//! A kind adds what is its own: options, schema and table.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use engine_tracking::schema::TableSchema;
use futures::{StreamExt, TryStreamExt};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::listing::{SourceFile, all, fingerprint, matching};
use super::s3::S3Options;
use super::stores;
use crate::connector::{
    Catalog, ConnectContext, Connection, Connector, ContentStatistics, FoundTable, TableRequest,
};
use crate::error::{self, ParameterProblem, SourceError, SourceErrorKind};
use crate::params::{invalid, parse};
use crate::recorded;

/// Files whose own descriptions are read at the same time.
pub(crate) const DESCRIPTIONS_AT_ONCE: usize = 8;

/// A file format.
#[async_trait]
pub(crate) trait FileKind: fmt::Debug + Send + Sync + 'static {
    /// The connector's name.
    const KIND: &'static str;
    /// What it reads, in a few words.
    const SUMMARY: &'static str;
    /// The endings of its files, without the dot; the first is the default.
    const EXTENSIONS: &'static [&'static str];
    /// How its files are read. Every option has a default.
    type Options: DeserializeOwned + JsonSchema + Send + Sync;

    /// Checks what the options' types cannot say.
    fn check(options: &Self::Options) -> Result<(), SourceError>;

    /// The columns that files without declared ones are read with.
    async fn schema(
        place: &stores::Place,
        file: &SourceFile,
        options: &Self::Options,
    ) -> Result<SchemaRef, SourceError>;

    /// The table of these files (at least one).
    async fn table(
        place: &stores::Place,
        files: Vec<SourceFile>,
        options: Self::Options,
        request: &TableRequest,
        shown: error::Place,
    ) -> Result<Arc<dyn TableProvider>, SourceError>;

    /// What a file says of the contents of its columns, by name; nothing where its kind says none.
    async fn statistics(
        _place: &stores::Place,
        _file: &SourceFile,
    ) -> Result<BTreeMap<String, ContentStatistics>, SourceError> {
        Ok(BTreeMap::new())
    }
}

/// A directory of files of one kind.
pub(crate) struct FileConnection<K> {
    name: String,
    place: stores::Place,
    /// The URL as the project gives it, for messages, unless it is a secret.
    shown: String,
    /// The options of the connection, which a table's own override.
    options: Map<String, Value>,
    kind: std::marker::PhantomData<fn() -> K>,
}

impl<K: FileKind> fmt::Debug for FileConnection<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::KIND).field("url", &self.shown).finish_non_exhaustive()
    }
}

impl<K: FileKind> Connector for K {
    fn kind(&self) -> &'static str {
        K::KIND
    }

    fn summary(&self) -> &'static str {
        K::SUMMARY
    }

    fn connection_schema(&self) -> Schema {
        connection_schema::<K>()
    }

    fn table_schema(&self) -> Schema {
        table_schema::<K>()
    }

    fn connect(
        &self,
        params: &Value,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Connection>, SourceError> {
        connect::<K>(params, context)
    }
}

/// Makes the connection of a file kind.
fn connect<K: FileKind>(
    params: &Value,
    context: &ConnectContext,
) -> Result<Arc<dyn Connection>, SourceError> {
    let connect = || {
        let (mut own, options) = split::<K>(params, &["url", "store"])?;
        let missing = || SourceErrorKind::Parameter {
            path: "url".to_owned(),
            problem: ParameterProblem::Missing,
        };
        let url = text(&mut own, "url")?.ok_or_else(missing)?;
        let store = own.remove("store").unwrap_or(Value::Null);
        let place = stores::resolve(&url, &store, context)?;
        Ok(FileConnection::<K> {
            name: context.name.clone(),
            place,
            shown: context.shown("url", &url),
            options,
            kind: std::marker::PhantomData,
        })
    };
    let made: Result<_, SourceError> = connect();
    let connection = made.map_err(|error| error.in_connection(&context.name))?;
    Ok(Arc::new(connection))
}

/// The schema of a connection's parameters: `url`, `store` and the options.
fn connection_schema<K: FileKind>() -> Schema {
    let url = "Directory of the files: a path relative to the project, a file:// URL, or \
               s3://BUCKET/DIRECTORY.";
    let mut schema = with_property::<K>("connection", "url", url);
    let mut store = schemars::schema_for!(S3Options).to_value();
    if let Some(object) = store.as_object_mut() {
        object.retain(|key, _| matches!(key.as_str(), "type" | "properties" | "description"));
        object.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(object) = schema.as_object_mut() {
        object.insert("required".to_owned(), json!(["url"]));
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            properties.shift_insert(1, "store".to_owned(), store);
        }
    }
    schema
}

/// The schema of a table's parameters: `path` and the options.
fn table_schema<K: FileKind>() -> Schema {
    let path = "File or glob below the connection's url; the table's name with the kind's ending \
                where absent.";
    with_property::<K>("table", "path", path)
}

fn with_property<K: FileKind>(of: &str, name: &str, description: &str) -> Schema {
    let mut schema = schemars::schema_for!(K::Options);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), format!("{} {of}", K::KIND).into());
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            let property = json!({"description": description, "type": "string"});
            properties.shift_insert(0, name.to_owned(), property);
        }
    }
    schema
}

type Parameters = Map<String, Value>;

/// Takes the parameters of these names out of the rest, which must be valid options.
fn split<K: FileKind>(
    params: &Value,
    names: &[&str],
) -> Result<(Parameters, Parameters), SourceError> {
    let given = match params {
        Value::Null => Map::new(),
        Value::Object(given) => given.clone(),
        _ => return Err(invalid("", "must be a mapping")),
    };
    let (own, options): (Map<_, _>, Map<_, _>) =
        given.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    let parsed: K::Options = parse(&Value::Object(options.clone())).map_err(|error| {
        match error.kind() {
            // The options' parser does not know of the parameters taken out.
            SourceErrorKind::Parameter {
                path,
                problem: ParameterProblem::UnknownKey { valid },
            } => {
                let names = names.iter().map(|name| (*name).to_owned());
                let valid = names.chain(valid.iter().cloned()).collect();
                let problem = ParameterProblem::UnknownKey { valid };
                SourceErrorKind::Parameter { path: path.clone(), problem }.into()
            }
            _ => error,
        }
    })?;
    K::check(&parsed)?;
    Ok((own, options))
}

/// Takes a string parameter.
fn text(params: &mut Map<String, Value>, name: &str) -> Result<Option<String>, SourceError> {
    match params.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(name, "must be a string")),
    }
}

impl<K: FileKind> FileConnection<K> {
    fn place(&self, table: Option<&str>) -> error::Place {
        error::Place {
            connection: Some(self.name.clone()),
            table: table.map(str::to_owned),
            ..error::Place::default()
        }
    }

    /// The path or glob of a table, and its options over the connection's.
    fn table_params(&self, request: &TableRequest) -> Result<(String, K::Options), SourceError> {
        let (mut named, own) = split::<K>(&request.params, &["path"])?;
        let extension = K::EXTENSIONS.first().copied().unwrap_or(K::KIND);
        let path =
            text(&mut named, "path")?.unwrap_or_else(|| format!("{}.{extension}", request.table));
        let mut options = self.options.clone();
        options.extend(own);
        let options: K::Options = parse(&Value::Object(options))?;
        // Two options that are valid alone can contradict each other.
        K::check(&options)?;
        Ok((path, options))
    }

    async fn files(
        &self,
        request: &TableRequest,
    ) -> Result<(Vec<SourceFile>, K::Options), SourceError> {
        let (path, options) = self.table_params(request)?;
        let files = match matching(&self.place, &path).await {
            Err(error) if matches!(error.kind(), SourceErrorKind::NoMatch { .. }) => {
                // That no file matches is no news where there is no directory.
                self.directory().await?;
                return Err(error);
            }
            files => files?,
        };
        Ok((files, options))
    }

    /// Whether the directory is there, where it is one of this machine.
    async fn directory(&self) -> Result<(), SourceError> {
        let Some(directory) = &self.place.local else { return Ok(()) };
        let found = tokio::fs::metadata(directory).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SourceErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => SourceErrorKind::Denied,
            kind => SourceErrorKind::Unavailable { reason: kind.to_string() },
        });
        let directory = found.map_err(|kind| SourceError::new(kind).in_file(&self.shown))?;
        if directory.is_dir() { Ok(()) } else { Err(invalid("url", "must be a directory")) }
    }

    async fn own_files(&self) -> Result<Vec<SourceFile>, SourceError> {
        self.directory().await?;
        let mut files = all(&self.place, &self.place.root).await?;
        files.retain(|file| {
            let hidden = file.shown.split('/').any(|part| part.starts_with(['.', '_']));
            !hidden && stem::<K>(&file.shown).is_some()
        });
        Ok(files)
    }
}

/// The file's path without the kind's ending.
fn stem<K: FileKind>(path: &str) -> Option<&str> {
    K::EXTENSIONS.iter().find_map(|extension| path.strip_suffix(extension)?.strip_suffix('.'))
}

/// The statistics of several files. A column that one of them does not know is not known.
fn together(each: Vec<BTreeMap<String, ContentStatistics>>) -> BTreeMap<String, ContentStatistics> {
    let mut each = each.into_iter();
    let mut sums = each.next().unwrap_or_default();
    for file in each {
        sums.retain(|name, sum| {
            let Some(more) = file.get(name) else { return false };
            sum.rows = sum.rows.saturating_add(more.rows);
            sum.nulls = sum.nulls.saturating_add(more.nulls);
            sum.bytes = sum.bytes.saturating_add(more.bytes);
            true
        });
    }
    sums
}

#[async_trait]
impl<K: FileKind> Connection for FileConnection<K> {
    async fn check(&self) -> Result<String, SourceError> {
        let files = self.own_files().await.map_err(|error| error.in_connection(&self.name))?;
        let what = if files.len() == 1 { "file" } else { "files" };
        Ok(format!("directory {} with {} {} {what}", self.shown, files.len(), K::KIND))
    }

    async fn discover(&self) -> Result<Vec<FoundTable>, SourceError> {
        let place = self.place(None);
        let discover = async {
            let options: K::Options = parse(&Value::Object(self.options.clone()))?;
            let mut tables = Vec::new();
            for file in self.own_files().await? {
                let Some(stem) = stem::<K>(&file.shown) else { continue };
                let schema = K::schema(&self.place, &file, &options)
                    .await
                    .map_err(|error| error.in_file(&file.shown))?;
                tables.push(FoundTable {
                    // Directories become part of the name, so that names stay apart.
                    name: stem.replace('/', "_"),
                    schema,
                    key: Vec::new(),
                    references: Vec::new(),
                    params: json!({"path": file.shown}),
                });
            }
            tables.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(tables)
        };
        discover.await.map_err(|error: SourceError| error.within(&place))
    }

    async fn catalog(&self, declared: &[TableRequest]) -> Result<Catalog, SourceError> {
        let mut tables = Vec::with_capacity(declared.len());
        for request in declared {
            // The files' own columns and types, whatever the project says of them.
            let own = TableRequest { declared: Vec::new(), ..request.clone() };
            let columns = recorded::columns(&self.table(&own).await?.schema());
            tables.push(TableSchema::new(&request.table, columns));
        }
        Ok(Catalog { tables, enums: Vec::new() })
    }

    fn accepts(&self, request: &TableRequest) -> Result<(), SourceError> {
        let place = self.place(Some(&request.table));
        self.table_params(request).map(|_| ()).map_err(|error| error.within(&place))
    }

    async fn table(&self, request: &TableRequest) -> Result<Arc<dyn TableProvider>, SourceError> {
        let place = self.place(Some(&request.table));
        let table = async {
            let (files, options) = self.files(request).await?;
            K::table(&self.place, files, options, request, place.clone()).await
        };
        table.await.map_err(|error: SourceError| error.within(&place))
    }

    async fn statistics(
        &self,
        request: &TableRequest,
    ) -> Result<BTreeMap<String, ContentStatistics>, SourceError> {
        let place = self.place(Some(&request.table));
        let statistics = async {
            let (files, _) = self.files(request).await?;
            let each = futures::stream::iter(files)
                .map(|file| async move { K::statistics(&self.place, &file).await })
                .buffered(DESCRIPTIONS_AT_ONCE)
                .try_collect()
                .await?;
            Ok(together(each))
        };
        statistics.await.map_err(|error: SourceError| error.within(&place))
    }

    async fn fingerprint(&self, request: &TableRequest) -> Result<Option<String>, SourceError> {
        let place = self.place(Some(&request.table));
        let (files, _) = self.files(request).await.map_err(|error| error.within(&place))?;
        // Another delimiter of the connection gives other rows from the same bytes.
        let mut options = Value::Object(self.options.clone());
        options.sort_all_objects();
        let both = format!("{options}{}", fingerprint(&files));
        Ok(Some(blake3::hash(both.as_bytes()).to_hex().to_string()))
    }
}
