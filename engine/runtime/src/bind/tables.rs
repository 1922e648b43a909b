//! Source tables: connections opened where they are needed, schemas declared or discovered, each table
//! registered under its source's name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::empty::EmptyTable;
use engine_project::{Node, Project, Relation, Source, Table, Value};
use engine_sources::{
    ConnectContext, Connection, DeclaredColumn, SourceError, SourceErrorKind, TableRequest,
};

use super::connecting::placed;
use super::reach::Reaches;
use super::{Binding, BoundTable, MODELS_SCHEMA, Schemas};
use crate::codes::sources;
use crate::diagnostic::Diagnostic;
use crate::types::arrow_type;

/// The connections of a target, by name.
pub type Connections = BTreeMap<String, Arc<dyn Connection>>;

/// Makes every connection that a source or load names. Opens nothing.
pub(super) fn connect(project: &Project) -> Result<Connections, Vec<Diagnostic>> {
    let mut made = Connections::new();
    let mut findings = Vec::new();
    for (name, connection) in &project.target.connections {
        let context = ConnectContext {
            name: name.clone(),
            base: project.data.clone(),
            secret_params: secret_paths(&connection.params),
        };
        let found = engine_sources::kinds::find(&connection.kind.value);
        let result = found
            .and_then(|connector| connector.connect(&connection.params.reveal_json(), &context));
        match result {
            Ok(opened) => {
                made.insert(name.clone(), opened);
            }
            Err(error) => {
                findings.push(placed(&error, &connection.params, connection.kind.at));
            }
        }
    }
    if findings.is_empty() { Ok(made) } else { Err(findings) }
}

/// The dotted paths of the parameters that hold a secret.
fn secret_paths(params: &Node) -> BTreeSet<String> {
    let Value::Map(entries) = &params.value else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for (key, value) in entries {
        if matches!(value.value, Value::Secret(_)) {
            found.insert(key.value.clone());
        }
        found.extend(secret_paths(value).iter().map(|below| format!("{}.{below}", key.value)));
    }
    found
}

/// Registers the tables that are read.
pub(super) async fn register(
    project: &Project,
    connections: &Connections,
    reached: &BTreeSet<Relation>,
    binding: &Binding<'_>,
) -> Result<BTreeMap<Relation, BoundTable>, Vec<Diagnostic>> {
    let mut bound = BTreeMap::new();
    let mut findings = Vec::new();
    let catalog = binding.session.catalog("datafusion");
    for source in &project.sources {
        if let Some(catalog) = &catalog {
            let schema = Arc::new(MemorySchemaProvider::new());
            if catalog.register_schema(&source.name.value, schema).is_err() {
                continue;
            }
        }
        for table in &source.tables {
            let relation = Relation::Table {
                source: source.name.value.clone(),
                table: table.name.value.clone(),
            };
            if !reached.contains(&relation) {
                continue;
            }
            let connection = connections.get(&source.connection.value).cloned();
            match open(source, table, connection, binding.schemas).await {
                Ok((provider, table)) => {
                    let name = reference(&relation);
                    if binding.session.register_table(name, provider).is_ok() {
                        bound.insert(relation, table);
                    }
                }
                Err(finding) => findings.push(*finding),
            }
        }
    }
    if findings.is_empty() { Ok(bound) } else { Err(findings) }
}

/// What flows into the tables: their own columns.
pub(super) async fn reaches(
    project: &Project,
    tables: &BTreeMap<Relation, BoundTable>,
    binding: &Binding<'_>,
) -> Reaches {
    let mut reaches = Reaches::default();
    for relation in tables.keys() {
        // A table that is bound is registered.
        if let Ok(provider) = binding.session.table_provider(reference(relation)).await {
            reaches.add_table(project, relation, &provider.schema());
        }
    }
    reaches
}

/// The name under which a relation stands in the session.
pub(super) fn reference(relation: &Relation) -> TableReference {
    match relation {
        Relation::Table { source, table } => {
            TableReference::partial(source.as_str(), table.as_str())
        }
        Relation::Model { name } => TableReference::partial(MODELS_SCHEMA, name.as_str()),
    }
}

type Opened = (Arc<dyn TableProvider>, BoundTable);

async fn open(
    source: &Source,
    table: &Table,
    connection: Option<Arc<dyn Connection>>,
    schemas: Schemas,
) -> Result<Opened, Box<Diagnostic>> {
    let request = request(table);
    if let Some(connection) = &connection
        && let Err(error) = connection.accepts(&request)
    {
        return Err(Box::new(table_finding(&error, table)));
    }
    let complete = !table.columns.is_empty()
        && table.columns.iter().all(|column| column.column_type.is_some());
    let provider: Arc<dyn TableProvider> = match (schemas, &connection) {
        (Schemas::Declared | Schemas::Catalogs, _) if complete => {
            Arc::new(EmptyTable::new(Arc::new(declared_schema(table))))
        }
        (Schemas::Catalogs | Schemas::Sources, Some(connection)) => connection
            .table(&request)
            .await
            .map_err(|error| Box::new(table_finding(&error, table)))?,
        (Schemas::Declared, _) | (_, None) => return Err(Box::new(undeclared(source, table))),
    };
    let statistics = match &connection {
        // They help to recognise a column; where there are none, a plan says less.
        Some(connection) if source.statistics && schemas != Schemas::Declared => {
            connection.statistics(&request).await.unwrap_or_default()
        }
        _ => BTreeMap::new(),
    };
    Ok((provider, BoundTable { connection, request, statistics }))
}

/// What is asked of a connection for a declared table.
pub fn request(table: &Table) -> TableRequest {
    TableRequest {
        table: table.name.value.clone(),
        params: table.read.reveal_json(),
        declared: table
            .columns
            .iter()
            .map(|column| DeclaredColumn {
                name: column.name.value.clone(),
                data_type: column.column_type.as_ref().map(|found| arrow_type(found.value)),
                nullable: column.nullable,
            })
            .collect(),
        key: table.key.iter().map(|column| column.value.clone()).collect(),
    }
}

fn declared_schema(table: &Table) -> Schema {
    let fields = table.columns.iter().filter_map(|column| {
        let declared = column.column_type.as_ref()?;
        let nullable = column.nullable.unwrap_or(true);
        Some(Field::new(&column.name.value, arrow_type(declared.value), nullable))
    });
    Schema::new(fields.collect::<Vec<_>>())
}

fn table_finding(error: &SourceError, table: &Table) -> Diagnostic {
    let column = error.place().column.as_deref().and_then(|name| table.column(name));
    let at = column.map_or(table.name.at, |column| match error.kind() {
        SourceErrorKind::DeclaredType { .. } => {
            column.column_type.as_ref().map_or(column.name.at, |declared| declared.at)
        }
        _ => column.name.at,
    });
    placed(error, &table.read, at)
}

fn undeclared(source: &Source, table: &Table) -> Diagnostic {
    let without = table.columns.iter().find(|column| column.column_type.is_none());
    let at = without.map_or(table.name.at, |column| column.name.at);
    let name = format!("{}.{}", source.name.value, table.name.value);
    Diagnostic::new(
        &sources::TYPES_UNDECLARED,
        format!("the types of `{name}` are not declared, and nothing is opened to find them"),
    )
    .at(at, "has no declared type")
    .help("declare every column with its type, or use `engine plan`, which reads the source's catalog")
}
