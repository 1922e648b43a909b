//! What is read: sources, their tables and columns.

use crate::location::{Location, Spanned};
use crate::model::declared_tests::{ColumnTest, Declared, TableTest};
use crate::model::policy::Approval;
use crate::node::Node;
use crate::types::ColumnType;

/// A set of tables behind one connection.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, an identifier.
    pub name: Spanned<String>,
    /// The connection it is read through; exists in the target.
    pub connection: Spanned<String>,
    /// For people.
    pub description: Option<String>,
    /// For selection; its tables have them too.
    pub tags: Vec<String>,
    /// Whether a plan may look at what the source's catalog says of its columns' contents.
    pub statistics: bool,
    /// Its tables, in written order.
    pub tables: Vec<Table>,
}

impl Source {
    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.value == name)
    }
}

/// A table, file or set of files with one schema.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name; any text.
    pub name: Spanned<String>,
    /// For people.
    pub description: Option<String>,
    /// For selection: its own and its source's.
    pub tags: Vec<String>,
    /// The connector's parameters: always a mapping.
    pub read: Node,
    /// Columns that identify a row; empty when none were declared. Declared columns, when columns are declared at all.
    pub key: Vec<Spanned<String>>,
    /// Declared columns; empty means that all are discovered.
    pub columns: Vec<Column>,
    /// Columns that refer to rows of other tables.
    pub references: Vec<Reference>,
    /// Tests of its rows, apart from those of its columns.
    pub tests: Vec<Declared<TableTest>>,
}

impl Table {
    /// The declared column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.value == name)
    }
}

/// A column of a table or of a model.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name; any text.
    pub name: Spanned<String>,
    /// Its declared type; `None` means discovered.
    pub column_type: Option<Spanned<ColumnType>>,
    /// Whether it may hold nulls; `None` means discovered.
    pub nullable: Option<bool>,
    /// The class of its data; declared, or below a declared one.
    pub class: Option<Spanned<String>>,
    /// For people.
    pub description: Option<String>,
    /// Tests of its values.
    pub tests: Vec<Declared<ColumnTest>>,
    /// Models only: who answers for the column no longer carrying its sources' classes.
    pub declassify: Option<Approval>,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Columns of this table.
    pub columns: Vec<Spanned<String>>,
    /// A table of the same source.
    pub table: Spanned<String>,
    /// As many columns of that table.
    pub to: Vec<Spanned<String>>,
    /// Where it stands.
    pub at: Location,
}
