//! Former names and what became of them, so that what merely follows a rename is not a change.

use std::collections::BTreeMap;

use super::pairs::Pairs;
use crate::schema::{
    ColumnSchema, ForeignKey, Index, IndexColumn, Key, Partitioning, TableSchema, Term,
};

/// The renames of one comparison. Columns are known by their table's former name.
#[derive(Default)]
pub(super) struct Names<'a> {
    tables: BTreeMap<&'a str, &'a str>,
    columns: BTreeMap<(&'a str, &'a str), &'a str>,
}

impl<'a> Names<'a> {
    /// Adds what became of a table and its columns.
    pub(super) fn add(
        &mut self,
        before: &'a TableSchema,
        after: &'a TableSchema,
        columns: &Pairs<'a, ColumnSchema>,
    ) {
        if before.name != after.name {
            self.tables.insert(&before.name, &after.name);
        }
        for ((_, one), (_, other)) in &columns.both {
            if one.name != other.name {
                self.columns.insert((&before.name, &one.name), &other.name);
            }
        }
    }

    /// A key of a former table as it reads today.
    pub(super) fn key(&self, table: &str, key: &Key) -> Key {
        Key { name: key.name.clone(), columns: self.columns(table, &key.columns) }
    }

    /// A reference of a former table as it reads today.
    pub(super) fn reference(&self, table: &str, key: &ForeignKey) -> ForeignKey {
        ForeignKey {
            columns: self.columns(table, &key.columns),
            to: self.columns(&key.table, &key.to),
            table: (*self.tables.get(key.table.as_str()).unwrap_or(&key.table.as_str())).to_owned(),
            ..key.clone()
        }
    }

    /// An index of a former table as it reads today. What it computes stays as it is written.
    pub(super) fn index(&self, table: &str, index: &Index) -> Index {
        let column = |column: &IndexColumn| IndexColumn {
            term: self.term(table, &column.term),
            descending: column.descending,
        };
        Index { columns: index.columns.iter().map(column).collect(), ..index.clone() }
    }

    /// The partitioning of a former table as it reads today, without its parts.
    pub(super) fn partitioning(&self, table: &str, former: &Partitioning) -> Partitioning {
        let columns = former.columns.iter().map(|term| self.term(table, term)).collect();
        Partitioning { strategy: former.strategy, columns, parts: Vec::new() }
    }

    fn term(&self, table: &str, term: &Term) -> Term {
        match term {
            Term::Column(name) => Term::Column(self.column(table, name)),
            Term::Expression(_) => term.clone(),
        }
    }

    fn columns(&self, table: &str, columns: &[String]) -> Vec<String> {
        columns.iter().map(|column| self.column(table, column)).collect()
    }

    fn column(&self, table: &str, column: &str) -> String {
        (*self.columns.get(&(table, column)).unwrap_or(&column)).to_owned()
    }
}
