//! The section `sources`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::declared_tests::{column_tests, table_tests};
use super::open_map;
use crate::location::Spanned;
use crate::node::Node;

/// A set of tables behind one connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSource {
    /// Name of the source: lower case letters, digits and `_`.
    pub(crate) name: Spanned<String>,
    /// Connection of the target that it is read through.
    pub(crate) connection: Spanned<String>,
    /// For people.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// For selection with `tag:`.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// Whether a plan may look at what the source's catalog says of its columns' contents: how many rows and
    /// nulls, how many bytes. A column that got another name is recognised by them. No by default.
    #[serde(default)]
    pub(crate) statistics: bool,
    /// Its tables.
    #[serde(default)]
    pub(crate) tables: Vec<Spanned<RawTable>>,
}

/// A table, file, or set of files with one schema.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTable {
    /// Name of the table.
    pub(crate) name: Spanned<String>,
    /// For people.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// For selection with `tag:`.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// How it is read: parameters of the connector, such as `path` and `delimiter` for CSV.
    #[serde(default)]
    #[schemars(schema_with = "open_map")]
    pub(crate) read: Option<Node>,
    /// Columns that identify a row.
    #[serde(default)]
    pub(crate) key: Vec<Spanned<String>>,
    /// Its columns; discovered when left out.
    #[serde(default)]
    pub(crate) columns: Vec<Spanned<RawColumn>>,
    /// Columns that refer to rows of other tables.
    #[serde(default)]
    pub(crate) references: Vec<Spanned<RawReference>>,
    /// Tests of its rows.
    #[serde(default)]
    #[schemars(schema_with = "table_tests")]
    pub(crate) tests: Vec<Node>,
}

/// A column of a table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawColumn {
    /// Name of the column.
    pub(crate) name: Spanned<String>,
    /// Its type: bool, int8 to int64, uint8 to uint64, float32, float64, decimal(p,s), string, binary, date, time,
    /// timestamp or timestamptz. Discovered when left out.
    #[serde(default, rename = "type")]
    pub(crate) column_type: Option<Spanned<String>>,
    /// Whether it may hold nulls; discovered when left out.
    #[serde(default)]
    pub(crate) nullable: Option<bool>,
    /// Class of its data.
    #[serde(default)]
    pub(crate) class: Option<Spanned<String>>,
    /// For people.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Tests of its values.
    #[serde(default)]
    #[schemars(schema_with = "column_tests")]
    pub(crate) tests: Vec<Node>,
}

/// A foreign key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawReference {
    /// Columns of this table.
    #[schemars(length(min = 1))]
    pub(crate) columns: Vec<Spanned<String>>,
    /// A table of the same source.
    pub(crate) table: Spanned<String>,
    /// As many columns of that table.
    #[schemars(length(min = 1))]
    pub(crate) to: Vec<Spanned<String>>,
}
