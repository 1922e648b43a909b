//! Run records as tables of SQL: `engine.operations` and others, read only where a query names one.
//!
//! ```text
//!  script_execution_h, script_execution_s     the records themselves, hub and satellite
//!  operations, nodes                          what they amount to: one row each as things stand now
//!  events                                     what security has to know of
//! ```
//!
//! Each says in a column whose a row is. Of a query that is bound to a tenant each is a plan of its own that holds
//! the tenant's rows, behind a fence, as exports and histories are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::catalog::{MemTable, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{col, lit};
use datafusion::sql::parser::DFParser;
use datafusion::sql::resolve::resolve_table_references;
use engine_tracking::runs::chain::Line;
use engine_tracking::runs::{
    Event, Execution, ExecutionId, Filter, Node, Object, Operation, Record, Scope, Status, Volume,
};

use crate::codes::run;
use crate::diagnostic::{Diagnostic, Failure, Outcome};
use crate::fault;
use crate::history::{Fenced, beside};
use crate::keys::Keys;
use crate::records::Records;
use crate::request::Context;
use crate::store::Store;

/// The schema that the tables are in.
pub const SCHEMA: &str = "engine";
/// The column that says whose a row is.
const TENANT: &str = "tenant";
/// Rows of a batch.
const BATCH_ROWS: usize = 8_192;

/// A table, for the reference page.
#[derive(Debug)]
pub struct TableText {
    /// Its name, in [`SCHEMA`].
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Name, type and meaning of each column.
    pub columns: Vec<[&'static str; 3]>,
}

/// Every table, in the order of the reference page.
#[must_use]
pub fn tables() -> Vec<TableText> {
    vec![OPERATIONS.text(), NODES.text(), EVENTS.text(), HUBS.text(), SATELLITES.text()]
}

/// A value of a cell.
enum Cell {
    Text(Option<String>),
    Number(Option<u64>),
    Moment(Option<DateTime<Utc>>),
    Texts(Vec<String>),
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Moment,
    Texts,
}

struct Column<T> {
    name: &'static str,
    kind: Kind,
    doc: &'static str,
    value: fn(&T) -> Cell,
}

struct Table<T: 'static> {
    name: &'static str,
    doc: &'static str,
    columns: &'static [Column<T>],
}

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Number => DataType::UInt64,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Texts => DataType::new_list(DataType::Utf8, true),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "unsigned 64-bit integer",
            Self::Moment => "timestamp, UTC, microseconds",
            Self::Texts => "list of text",
        }
    }

    fn array(self, cells: impl Iterator<Item = Cell>) -> ArrayRef {
        match self {
            Self::Text => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
                Cell::Text(text) => text,
                _ => None,
            }))),
            Self::Number => Arc::new(UInt64Array::from_iter(cells.map(|cell| match cell {
                Cell::Number(number) => number,
                _ => None,
            }))),
            Self::Moment => {
                let micros = cells.map(|cell| match cell {
                    Cell::Moment(moment) => moment.map(|moment| moment.timestamp_micros()),
                    _ => None,
                });
                Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
            }
            Self::Texts => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for cell in cells {
                    if let Cell::Texts(texts) = cell {
                        texts.iter().for_each(|text| lists.values().append_value(text));
                    }
                    lists.append(true);
                }
                Arc::new(lists.finish())
            }
        }
    }
}

impl<T> Table<T> {
    fn text(&self) -> TableText {
        let column = |column: &Column<T>| [column.name, column.kind.word(), column.doc];
        let columns = self.columns.iter().map(column).collect();
        TableText { name: self.name, doc: self.doc, columns }
    }

    fn add(&self, to: &Shelf<'_>, rows: &[T]) -> datafusion::error::Result<()> {
        let field = |column: &Column<T>| Field::new(column.name, column.kind.data_type(), true);
        let schema = Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()));
        let mut batches = Vec::new();
        for rows in rows.chunks(BATCH_ROWS) {
            let array = |column: &Column<T>| column.kind.array(rows.iter().map(column.value));
            let arrays = self.columns.iter().map(array).collect();
            batches.push(RecordBatch::try_new(Arc::clone(&schema), arrays)?);
        }
        let table = MemTable::try_new(schema, vec![batches])?;
        to.schema.register_table(self.name.to_owned(), to.bound(table)?).map(drop)
    }
}

/// Where tables are put.
struct Shelf<'a> {
    session: &'a SessionContext,
    tenant: Option<&'a str>,
    schema: MemorySchemaProvider,
}

impl Shelf<'_> {
    /// A table as the query may see it. One without a column of tenants cannot be bound, and is not there then.
    fn bound(&self, table: MemTable) -> datafusion::error::Result<Arc<dyn TableProvider>> {
        let Some(tenant) = self.tenant else { return Ok(Arc::new(table)) };
        let rows = beside(self.session).read_table(Arc::new(table))?;
        let rows = rows.filter(col(TENANT).eq(lit(tenant)))?;
        Ok(Arc::new(Fenced::new(rows.into_unoptimized_plan())))
    }
}

/// Makes tables of the records that a query names, of those of the tenant whom it is bound to: nothing is read where
/// it names none.
///
/// # Errors
/// The keyring has no key for records, the store cannot be read, or a record was changed.
pub async fn register(
    context: &Context,
    session: &SessionContext,
    (store, keys): (&Store, &Keys),
    sql: &str,
    tenant: Option<&str>,
) -> Outcome<()> {
    let named = named(sql);
    if named.is_empty() {
        return Ok(());
    }
    let is_named = |name: &str| named.iter().any(|one| one == name);
    let records = Records::of(context, store, keys)?;
    let shelf = Shelf { session, tenant, schema: MemorySchemaProvider::new() };
    let refused = |error| Failure::from(fault::running(&error, SCHEMA));
    if is_named(OPERATIONS.name) || is_named(NODES.name) || is_named(EVENTS.name) {
        let known = records.known().await?;
        let overview = known.overview(&Scope::All, DateTime::<Utc>::MIN_UTC, usize::MAX)?;
        EVENTS.add(&shelf, overview.events()).map_err(refused)?;
        let operations = overview.newest(&Filter::default(), usize::MAX);
        let operations =
            operations.map_err(|error| Diagnostic::new(&run::INTERNAL, error.to_string()))?;
        let nodes: Vec<OfOperation> = operations.iter().flat_map(nodes).collect();
        NODES.add(&shelf, &nodes).map_err(refused)?;
        OPERATIONS.add(&shelf, &operations).map_err(refused)?;
    }
    if is_named(HUBS.name) || is_named(SATELLITES.name) {
        let lines = records.lines().await?;
        let hubs = placed(&lines, hub, tenant);
        let satellites = placed(&lines, satellite, tenant);
        HUBS.add(&shelf, &hubs).map_err(refused)?;
        SATELLITES.add(&shelf, &satellites).map_err(refused)?;
    }
    let catalogs = session.catalog_names();
    if let Some(catalog) = catalogs.iter().find_map(|name| session.catalog(name)) {
        catalog.register_schema(SCHEMA, Arc::new(shelf.schema)).map_err(refused)?;
    }
    Ok(())
}

/// The tables of [`SCHEMA`] that SQL names; of SQL that cannot be read, none.
fn named(sql: &str) -> Vec<String> {
    let statements = DFParser::parse_sql(sql).unwrap_or_default();
    let references = statements.iter().filter_map(|one| resolve_table_references(one, false).ok());
    let tables = references.flat_map(|(tables, _)| tables);
    let of_schema = tables.filter(|table| table.schema() == Some(SCHEMA));
    of_schema.map(|table| table.table().to_owned()).collect()
}

/// A node of an operation.
struct OfOperation {
    execution: String,
    tenant: Option<String>,
    started: DateTime<Utc>,
    node: Node,
}

fn nodes(operation: &Operation) -> impl Iterator<Item = OfOperation> {
    let (execution, started) = (operation.id.to_string(), operation.started);
    let of = move |node: &Node| OfOperation {
        execution: execution.clone(),
        tenant: operation.tenant.clone(),
        started,
        node: node.clone(),
    };
    operation.nodes.iter().map(of)
}

/// A record with its place.
struct Placed<T> {
    record: T,
    /// Of the execution, as its hub says: none where there is no hub.
    tenant: Option<String>,
    writer: String,
    /// None for a tenant: it says how much others did in between.
    position: Option<u64>,
    mac: String,
}

fn placed<T>(lines: &[Line], of: fn(&Record) -> Option<T>, tenant: Option<&str>) -> Vec<Placed<T>> {
    let mut tenants: HashMap<ExecutionId, Option<&String>> = HashMap::new();
    for hub in lines.iter().filter_map(|line| hub_of(line.record())) {
        // The first says it, as where executions are folded.
        tenants.entry(hub.id).or_insert(hub.tenant.as_ref());
    }
    let placed = |line: &Line| {
        let place = line.place();
        let of_execution = tenants.get(&line.record().execution()).copied().flatten();
        Some(Placed {
            record: of(line.record())?,
            tenant: of_execution.cloned(),
            writer: place.chain.writer.to_string(),
            position: tenant.is_none().then_some(place.position),
            mac: place.mac.to_string(),
        })
    };
    lines.iter().filter_map(placed).collect()
}

fn hub_of(record: &Record) -> Option<&Execution> {
    match record {
        Record::Execution(execution) => Some(execution),
        Record::Status(_) | Record::Event(_) => None,
    }
}

fn hub(record: &Record) -> Option<Execution> {
    hub_of(record).cloned()
}

fn satellite(record: &Record) -> Option<Status> {
    match record {
        Record::Status(status) => Some(Status::clone(status)),
        Record::Execution(_) | Record::Event(_) => None,
    }
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(Some(text.into()))
}

fn optional(text: Option<&String>) -> Cell {
    Cell::Text(text.cloned())
}

const fn number(number: u64) -> Cell {
    Cell::Number(Some(number))
}

const fn moment(moment: DateTime<Utc>) -> Cell {
    Cell::Moment(Some(moment))
}

fn objects(objects: &[Object]) -> Cell {
    let shown = |object: &Object| format!("{}:{}", object.kind.word(), object.name);
    Cell::Texts(objects.iter().map(shown).collect())
}

fn metadata(metadata: &BTreeMap<String, String>) -> Cell {
    let is_there = !metadata.is_empty();
    Cell::Text(is_there.then(|| serde_json::to_string(metadata).unwrap_or_default()))
}

fn amount(volume: Option<Volume>, of: fn(&Volume) -> u64) -> Cell {
    Cell::Number(volume.as_ref().map(of))
}

macro_rules! columns {
    ($of:ty; $($name:literal $kind:ident $doc:literal, $value:expr;)*) => {
        &[$(Column::<$of> { name: $name, kind: Kind::$kind, doc: $doc, value: $value }),*]
    };
}

static OPERATIONS: Table<Operation> = Table {
    name: "operations",
    doc: "Commands as they stand now, one row each.",
    columns: columns! { Operation;
        "execution" Text "its id", |it| text(it.id.to_string());
        "tenant" Text "the tenant whom it was bound to, as it was named; null for none", |it| optional(it.tenant.as_ref());
        "script_name" Text "the target", |it| text(&it.script_name);
        "script_type" Text "the kind of command: `run`, `load`, `metadata_decrypt`", |it| text(it.script_type.word());
        "class" Text "which records it belongs to: `execution`, `security` or `compliance`", |it| text(it.class.word());
        "status" Text "`started`, `running`, `success` or `failed`", |it| text(it.status.word());
        "started" Moment "when it began", |it| moment(it.started);
        "updated" Moment "when it was last heard of", |it| moment(it.updated);
        "duration_us" Number "how long it took, in microseconds; null where it has no end", |it| Cell::Number(it.duration_us);
        "user" Text "who asked for it, as the environment says", |it| optional(it.user.as_ref());
        "host" Text "on which machine", |it| optional(it.host.as_ref());
        "commit" Text "the project's Git commit", |it| optional(it.commit.as_ref());
        "plan" Text "the digest of the plan that a run was held to, or else of the definitions of its exports", |it| optional(it.plan.as_ref());
        "sql" Text "the digest of the compiled SQL of its exports", |it| optional(it.sql.as_ref());
        "objects" Texts "what it is about, such as `export:customers`", |it| objects(&it.objects);
        "rows_read" Number "rows that sources or chunks handed to its plans", |it| number(it.volume.rows_read);
        "rows_masked" Number "rows written by exports of which a column is masked", |it| number(it.volume.rows_masked);
        "rows_written" Number "rows that went into the store or a database", |it| number(it.volume.rows_written);
        "bytes_written" Number "bytes that the store has more of", |it| number(it.volume.bytes_written);
        "bytes_freed" Number "bytes that the store has fewer of", |it| number(it.volume.bytes_freed);
        "columns_masked" Number "columns of its exports that are masked; null where it publishes nothing", |it| Cell::Number(it.privacy.map(|it| it.masked));
        "columns_kept" Number "those that an owner answers for", |it| Cell::Number(it.privacy.map(|it| it.kept));
        "columns_unclassified" Number "those without a class that are neither", |it| Cell::Number(it.privacy.map(|it| it.unclassified));
        "findings_critical" Number "privacy gates that refused", |it| Cell::Number(it.privacy.map(|it| it.critical));
        "findings_other" Number "warnings", |it| Cell::Number(it.privacy.map(|it| it.other));
        "error_code" Text "why it failed", |it| Cell::Text(it.error.as_ref().map(|it| it.code.clone()));
        "error_message" Text "the title of that code", |it| Cell::Text(it.error.as_ref().map(|it| it.message.text().to_owned()));
        "closed_by" Text "the operation that found it crashed", |it| Cell::Text(it.closed_by.map(|it| it.to_string()));
        "metadata" Text "what else is known, as JSON", |it| metadata(&it.metadata);
    },
};

static NODES: Table<OfOperation> = Table {
    name: "nodes",
    doc: "What the nodes of operations took.",
    columns: columns! { OfOperation;
        "execution" Text "the operation", |it| text(&it.execution);
        "tenant" Text "whom that was bound to; null for none", |it| optional(it.tenant.as_ref());
        "started" Moment "when that began", |it| moment(it.started);
        "name" Text "the node, such as `export.customers`", |it| text(&it.node.name);
        "duration_us" Number "how long it took, in microseconds", |it| number(it.node.duration_us);
        "rows" Number "rows that came out of it", |it| number(it.node.rows);
    },
};

static EVENTS: Table<Event> = Table {
    name: "events",
    doc: "What security has to know of.",
    columns: columns! { Event;
        "execution" Text "in which operation", |it| text(it.execution.to_string());
        "tenant" Text "whom that was bound to; null for none", |it| optional(it.tenant.as_ref());
        "kind" Text "`decryption`, `unmasking`, `approval`, `refusal` or `key_use`", |it| text(it.kind.word());
        "time" Moment "when", |it| moment(it.time);
        "user" Text "who, as the environment says", |it| text(&it.user);
        "host" Text "on which machine", |it| optional(it.host.as_ref());
        "objects" Texts "to what, such as `metadata:crm`", |it| objects(&it.objects);
        "metadata" Text "why, or by whose leave, as JSON", |it| metadata(&it.metadata);
    },
};

static HUBS: Table<Placed<Execution>> = Table {
    name: "script_execution_h",
    doc: "The hub: each operation once, as it was recorded.",
    columns: columns! { Placed<Execution>;
        "execution" Text "its id, the business key", |it| text(it.record.id.to_string());
        "tenant" Text "the tenant whom it was bound to, as it was named; null for none", |it| optional(it.record.tenant.as_ref());
        "script_name" Text "the target", |it| text(&it.record.script_name);
        "script_type" Text "the kind of command", |it| text(it.record.script_type.word());
        "class" Text "which records it belongs to", |it| text(it.record.class.word());
        "writer" Text "who wrote the record", |it| text(&it.writer);
        "position" Number "its position in the writer's chain of this class; null with --tenant", |it| Cell::Number(it.position);
        "mac" Text "its MAC, which the next record of the chain holds", |it| text(&it.mac);
    },
};

static SATELLITES: Table<Placed<Status>> = Table {
    name: "script_execution_s",
    doc: "The satellite: each status of an operation as it was recorded; what is null is as it was in the status before.",
    columns: columns! { Placed<Status>;
        "execution" Text "of which operation", |it| text(it.record.execution.to_string());
        "tenant" Text "whom that was bound to, as its hub says; null for none", |it| optional(it.tenant.as_ref());
        "sequence" Number "its number within the operation, from 0", |it| number(it.record.sequence.into());
        "status" Text "`started`, `running`, `success` or `failed`", |it| text(it.record.status.word());
        "time" Moment "when", |it| moment(it.record.time);
        "duration_us" Number "microseconds since the start", |it| Cell::Number(it.record.duration_us);
        "user" Text "who asked for it", |it| optional(it.record.user.as_ref());
        "host" Text "on which machine", |it| optional(it.record.host.as_ref());
        "commit" Text "the project's Git commit", |it| optional(it.record.commit.as_ref());
        "plan" Text "the digest of the plan", |it| optional(it.record.plan.as_ref());
        "sql" Text "the digest of the compiled SQL", |it| optional(it.record.sql.as_ref());
        "objects" Texts "what it is about", |it| objects(&it.record.objects);
        "rows_read" Number "rows that sources or chunks handed to its plans", |it| amount(it.record.volume, |it| it.rows_read);
        "rows_masked" Number "rows written by exports of which a column is masked", |it| amount(it.record.volume, |it| it.rows_masked);
        "rows_written" Number "rows that went into the store or a database", |it| amount(it.record.volume, |it| it.rows_written);
        "bytes_written" Number "bytes that the store has more of", |it| amount(it.record.volume, |it| it.bytes_written);
        "bytes_freed" Number "bytes that the store has fewer of", |it| amount(it.record.volume, |it| it.bytes_freed);
        "error_code" Text "why it failed", |it| Cell::Text(it.record.error.as_ref().map(|it| it.code.clone()));
        "error_message" Text "the title of that code", |it| Cell::Text(it.record.error.as_ref().map(|it| it.message.text().to_owned()));
        "closed_by" Text "the operation that found it crashed", |it| Cell::Text(it.record.closed_by.map(|it| it.to_string()));
        "metadata" Text "what else is known, as JSON", |it| metadata(&it.record.metadata);
        "writer" Text "who wrote the record", |it| text(&it.writer);
        "position" Number "its position in the writer's chain of this class; null with --tenant", |it| Cell::Number(it.position);
        "mac" Text "its MAC, which the next record of the chain holds", |it| text(&it.mac);
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_however_they_are_written() {
        let tables = |sql| named(sql);
        assert_eq!(tables("SELECT 1 FROM people"), Vec::<String>::new());
        assert_eq!(tables("SELECT 'engine.operations' FROM people"), Vec::<String>::new());
        assert_eq!(tables("SELECT 1 FROM \"engine\" . operations"), ["operations"]);
        let nested = "WITH a AS (SELECT * FROM engine.nodes) SELECT 1 FROM a JOIN engine.events USING (execution)";
        assert_eq!(tables(nested), ["events", "nodes"]);
        assert_eq!(tables("nothing of it"), Vec::<String>::new());
    }

    #[test]
    fn each_table_says_whose_a_row_is() {
        let is_told = |table: &TableText| table.columns.iter().any(|column| column[0] == TENANT);
        assert!(tables().iter().all(is_told));
    }
}
