//! What a table promises of its rows, and how they are found and kept: keys, checks, indexes, partitions.

use serde::{Deserialize, Serialize};

use super::Words;

/// Columns whose values are unique together: a primary key or a unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The constraint's name, where the source gives it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In the key's order.
    pub columns: Vec<String>,
}

/// A condition that every row fulfils.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The constraint's name, where the source gives it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In the source's SQL.
    pub condition: Words,
}

/// Columns whose values stand in another table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// The constraint's name, where the source gives it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// Its columns, one for each referring one.
    pub to: Vec<String>,
    /// What happens to this table's rows when the other's key changes.
    pub on_update: ReferenceAction,
    /// What happens to this table's rows when the other's row is deleted.
    pub on_delete: ReferenceAction,
}

/// What a database does with rows that refer to a row that changes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceAction {
    /// Refuses at the end of the statement or transaction.
    #[default]
    NoAction,
    /// Refuses at once.
    Restrict,
    /// Changes or deletes them too.
    Cascade,
    /// Sets their columns to null.
    SetNull,
    /// Sets their columns to the default.
    SetDefault,
}

impl ReferenceAction {
    /// As SQL spells it, in small letters.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoAction => "no action",
            Self::Restrict => "restrict",
            Self::Cascade => "cascade",
            Self::SetNull => "set null",
            Self::SetDefault => "set default",
        }
    }
}

/// An index that is not a key's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it refuses a second row with the same values.
    pub unique: bool,
    /// What it orders by.
    pub columns: Vec<IndexColumn>,
    /// Which rows are in it, in the source's SQL; all where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Words>,
    /// The source's word for how it is built, such as `btree`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// One part of an index's order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexColumn {
    /// A column, or what is computed of some.
    pub term: Term,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A column, or an expression over some.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// The column's name.
    Column(String),
    /// In the source's SQL.
    Expression(Words),
}

/// How a table's rows are spread over parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partitioning {
    /// What decides.
    pub strategy: PartitionStrategy,
    /// What it looks at.
    pub columns: Vec<Term>,
    /// By name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// What decides in which part a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionStrategy {
    /// Between which bounds a value is.
    Range,
    /// In which list a value is.
    List,
    /// The remainder of a value's hash.
    Hash,
}

impl PartitionStrategy {
    /// As SQL spells it, in small letters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::List => "list",
            Self::Hash => "hash",
        }
    }
}

/// One part of a partitioned table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Which rows are in it, in the source's SQL: `FOR VALUES FROM (1) TO (9)`, `DEFAULT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Words>,
}
