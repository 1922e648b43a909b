//! What everything will be called in PostgreSQL and which types it gets, before a word is written.

use std::collections::BTreeSet;

use super::condition;
use super::mapping::{Mapped, mapped};
use super::names::{Scope, quoted};
use crate::schema::{ColumnSchema, EnumType, SourceSchema, TableSchema};

/// The most columns of a table.
const COLUMNS_MAX: usize = 1600;
/// The most columns of a key or index.
const KEY_COLUMNS_MAX: usize = 32;
/// The longest label of an enum, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// Columns that every table has already.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// Types that an enum of the same name would be taken for.
const BUILTIN_TYPES: &[&str] = &[
    "aclitem",
    "any",
    "anyarray",
    "anyelement",
    "anyenum",
    "anyrange",
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "date",
    "datemultirange",
    "daterange",
    "float4",
    "float8",
    "gtsvector",
    "inet",
    "int2",
    "int2vector",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "internal",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "point",
    "polygon",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "text",
    "tid",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "trigger",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "unknown",
    "uuid",
    "varbit",
    "varchar",
    "void",
    "xid",
    "xid8",
    "xml",
];

/// A source with PostgreSQL's names.
pub(super) struct Layout<'a> {
    pub(super) context: Context<'a>,
    /// Names of tables, types, indexes and keys, which PostgreSQL keeps in one place.
    pub(super) relations: Scope,
    pub(super) tables: Vec<Table<'a>>,
    /// Tables that PostgreSQL cannot have.
    pub(super) left_out: Vec<&'a TableSchema>,
}

/// What expressions are read with.
pub(super) struct Context<'a> {
    /// The connector's kind, which says whose SQL it is.
    pub(super) kind: &'a str,
    /// Each with its name, where PostgreSQL gets it.
    pub(super) enums: Vec<(&'a EnumType, Option<String>)>,
    /// Whether something is called like the sequences PostgreSQL makes by itself.
    pub(super) names_sequences: bool,
}

impl Context<'_> {
    /// Whether an enum has a label.
    pub(super) fn has_label(&self, name: &str, label: &str) -> bool {
        let named = self.enums.iter().find(|(one, _)| one.name == name);
        named.is_some_and(|(one, _)| one.labels.iter().any(|words| words.text() == Some(label)))
    }
}

/// A table with PostgreSQL's names.
pub(super) struct Table<'a> {
    pub(super) of: &'a TableSchema,
    pub(super) name: String,
    pub(super) columns: Vec<Column<'a>>,
    /// Names of constraints.
    pub(super) constraints: Scope,
    /// The keys PostgreSQL gets, by the columns' names in the source: what may be referred to.
    pub(super) keys: Vec<Vec<String>>,
    /// The columns by which it is partitioned in PostgreSQL, by their names in the source.
    pub(super) partitioned_by: Vec<String>,
}

/// A column with PostgreSQL's name and type.
pub(super) struct Column<'a> {
    pub(super) of: &'a ColumnSchema,
    pub(super) name: String,
    pub(super) mapped: Mapped,
    /// What PostgreSQL computes it by.
    pub(super) generated: Option<String>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(schema: &'a SourceSchema) -> Self {
        let mut relations = Scope::default();
        let (possible, left_out): (Vec<_>, _) =
            schema.tables.iter().partition(|table| table.columns.len() <= COLUMNS_MAX);
        // Tables first: their names are the ones people look for.
        let names: Vec<_> =
            possible.iter().map(|table| relations.claim(&unreserved(&table.name))).collect();
        let mut enums: Vec<(&EnumType, Option<String>)> = Vec::new();
        for one in &schema.enums {
            let name = has_all_labels(one).then(|| relations.claim(&enum_name(&one.name)));
            enums.push((one, name));
        }
        let names_sequences = names_sequences(schema);
        let context = Context { kind: &schema.kind, enums, names_sequences };
        let tables = possible
            .into_iter()
            .zip(names)
            .map(|(of, name)| Table::new(of, name, &context))
            .collect();
        Self { context, relations, tables, left_out }
    }
}

/// Whether PostgreSQL can have the enum: all labels are known, different and short.
fn has_all_labels(one: &EnumType) -> bool {
    let labels: Vec<_> = one.labels.iter().filter_map(|label| label.text()).collect();
    let distinct: BTreeSet<_> = labels.iter().collect();
    let fits = |label: &&str| label.len() <= LABEL_BYTES_MAX && !label.contains('\0');
    labels.len() == one.labels.len() && distinct.len() == labels.len() && labels.iter().all(fits)
}

/// Whether any table, part, enum, key or index is called like a sequence: `orders_id_seq`.
fn names_sequences(schema: &SourceSchema) -> bool {
    let of_table = |table: &TableSchema| {
        let keys =
            table.primary_key.iter().chain(&table.unique).filter_map(|key| key.name.as_ref());
        let indexes = table.indexes.iter().map(|index| &index.name);
        let parts = table.partitions.iter().flat_map(|by| &by.parts).map(|part| &part.name);
        let mut names = keys.chain(indexes).chain(parts).chain([&table.name]);
        names.any(|name| name.contains("_seq"))
    };
    schema.tables.iter().any(of_table) || schema.enums.iter().any(|one| one.name.contains("_seq"))
}

/// `pg_` is PostgreSQL's own: a table called `pg_class` would be taken for the catalog's.
fn unreserved(name: &str) -> String {
    if name.starts_with("pg_") { format!("_{name}") } else { name.to_owned() }
}

/// Nor may an enum be called like a type PostgreSQL has, or like the arrays of one.
fn enum_name(name: &str) -> String {
    let is_taken = BUILTIN_TYPES.contains(&name.trim_start_matches('_'));
    if is_taken { format!("{name}_enum") } else { unreserved(name) }
}

impl<'a> Table<'a> {
    fn new(of: &'a TableSchema, name: String, context: &Context<'a>) -> Self {
        let mut names = Scope::without(SYSTEM_COLUMNS);
        let type_name = |wanted: &str| {
            let (_, name) = context.enums.iter().find(|(one, _)| one.name == wanted)?;
            name.as_deref().map(quoted)
        };
        let mut columns: Vec<_> = of
            .columns
            .iter()
            .map(|of| Column {
                of,
                name: names.claim(&of.name),
                mapped: mapped(&of.data_type, &type_name),
                generated: None,
            })
            .collect();
        let expressions: Vec<_> =
            columns.iter().map(|column| condition::generated(column, &columns, context)).collect();
        for (column, generated) in columns.iter_mut().zip(expressions) {
            column.generated = generated;
        }
        let constraints = Scope::default();
        Self { of, name, columns, constraints, keys: Vec::new(), partitioned_by: Vec::new() }
    }

    /// The columns of these names; nothing where one is missing or named twice, or they are too many.
    pub(super) fn columns_of(&self, names: &[String]) -> Option<Vec<&Column<'a>>> {
        let distinct: BTreeSet<_> = names.iter().collect();
        let is_possible = !names.is_empty() && names.len() <= KEY_COLUMNS_MAX;
        if !is_possible || distinct.len() != names.len() {
            return None;
        }
        names
            .iter()
            .map(|name| self.columns.iter().find(|column| column.of.name == *name))
            .collect()
    }
}
