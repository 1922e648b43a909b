//! Two small tables, and the same with one column changed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;

use crate::flow::Origin;
use crate::session::{Limits, session};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Int,
    Text,
}

/// Tables with their columns.
pub(super) const TABLES: &[(&str, &[(&str, Type)])] = &[
    ("a", &[("id", Type::Int), ("grp", Type::Text), ("val", Type::Int), ("email", Type::Text)]),
    ("b", &[("id", Type::Int), ("a_id", Type::Int), ("kind", Type::Text), ("num", Type::Int)]),
];

const ROWS: i64 = 9;

/// The rows of both tables, by table and column.
pub(super) struct Data(Vec<Vec<ArrayRef>>);

impl Data {
    pub(super) fn new() -> Self {
        let tables = TABLES.iter().enumerate();
        Self(tables.map(|(table, (_, columns))| filled(table, columns)).collect())
    }

    /// The same with other values, other nulls and other repetitions in one column.
    pub(super) fn with_other(mut self, origin: &Origin) -> Self {
        for (table, (name, columns)) in TABLES.iter().enumerate() {
            for (position, (column, of)) in columns.iter().enumerate() {
                let at = format!("crm.{name}.{column}");
                if at == origin.to_string() {
                    let other = |row: i64| match (row * 5 + 2) % 7 {
                        0 => None,
                        number => Some(number % 4),
                    };
                    self.0[table][position] = array(*of, (0..ROWS).map(other));
                }
            }
        }
        self
    }

    /// A session that has the tables as `crm.a` and `crm.b`.
    pub(super) fn session(self) -> SessionContext {
        let limits = Limits { jobs: 1, ..Limits::default() };
        let context = session(limits).expect("a session");
        let catalog = context.catalog("datafusion").expect("a catalog");
        let schema = Arc::new(MemorySchemaProvider::new());
        catalog.register_schema("crm", schema).expect("a schema");
        for ((name, columns), arrays) in TABLES.iter().zip(self.0) {
            let fields: Vec<Field> = columns
                .iter()
                .zip(&arrays)
                .map(|((name, _), array)| Field::new(*name, array.data_type().clone(), true))
                .collect();
            let schema = Arc::new(Schema::new(fields));
            let batch = RecordBatch::try_new(schema.clone(), arrays).expect("rows");
            let table = MemTable::try_new(schema, vec![vec![batch]]).expect("a table");
            let name = TableReference::partial("crm", *name);
            context.register_table(name, Arc::new(table)).expect("registered");
        }
        context
    }
}

fn filled(table: usize, columns: &[(&str, Type)]) -> Vec<ArrayRef> {
    let step = i64::try_from(table).expect("small") + 3;
    let columns = columns.iter().enumerate();
    columns
        .map(|(position, (name, of))| {
            let shift = i64::try_from(position).expect("small");
            let value = |row: i64| match (*name, (row * step + shift) % 8) {
                ("id", _) => Some(row),
                (_, 7) => None,
                (_, number) => Some(number % 5),
            };
            array(*of, (0..ROWS).map(value))
        })
        .collect()
}

fn array(of: Type, values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    match of {
        Type::Int => Arc::new(values.collect::<Int64Array>()),
        Type::Text => {
            let text = |number: i64| format!("t{number}");
            Arc::new(values.map(|value| value.map(text)).collect::<StringArray>())
        }
    }
}
