//! What is recorded of a source's catalog: tables, columns and what holds them together.
//!
//! ```text
//!  SourceSchema ─┬─ EnumType
//!                └─ TableSchema ─┬─ ColumnSchema ── DataType
//!                                ├─ Key, Check, ForeignKey
//!                                └─ Index, Partitioning
//! ```
//!
//! Texts that somebody wrote are [`Words`], which a record holds as digests only. A record in its
//! [canonical](SourceSchema::canonical) form has one spelling: equal schemas give equal bytes.

mod constraint;
mod types;
mod words;

#[cfg(test)]
mod tests;

pub use constraint::{
    Check, ForeignKey, Index, IndexColumn, Key, Part, PartitionStrategy, Partitioning,
    ReferenceAction, Term,
};
pub use types::{DataType, Field};
pub use words::Words;

use serde::{Deserialize, Serialize};

/// The catalog of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSchema {
    /// The source's name in the project.
    pub source: String,
    /// The connector's kind, such as `sqlite`.
    pub kind: String,
    /// By name.
    #[serde(default)]
    pub tables: Vec<TableSchema>,
    /// By name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enums: Vec<EnumType>,
}

/// A type of the source with a list of labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumType {
    /// Its name.
    pub name: String,
    /// In the enum's order.
    pub labels: Vec<Words>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// Its name, as the project refers to it.
    pub name: String,
    /// In the table's order.
    pub columns: Vec<ColumnSchema>,
    /// What a row is known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Key>,
    /// Other keys, by name and columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Key>,
    /// By name and condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// By name and columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// By name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What its owner says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Words>,
    /// How its rows are spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Partitioning>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub data_type: DataType,
    /// The source's own spelling of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// Whether a value may be missing.
    pub nullable: bool,
    /// What stands where none is given, in the source's SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Words>,
    /// What the value is computed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// Whether the source counts the values up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The source's name for the order of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// What its owner says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Words>,
}

/// What a generated column is computed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// Whether the value is written, or computed when it is read.
    pub stored: bool,
    /// In the source's SQL.
    pub expression: Words,
}

/// Whether a statement may give an identity column a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The source counts, whatever the statement says.
    Always,
    /// The source counts where the statement gives none.
    ByDefault,
}

impl SourceSchema {
    /// A source without tables yet.
    #[must_use]
    pub fn new(source: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { source: source.into(), kind: kind.into(), tables: Vec::new(), enums: Vec::new() }
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableSchema> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The same schema in the one order a record has: what has no order of its own stands by name.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.tables.sort_by(|one, other| one.name.cmp(&other.name));
        self.enums.sort();
        for table in &mut self.tables {
            table.unique.sort();
            table.checks.sort();
            table.foreign_keys.sort();
            table.indexes.sort();
            if let Some(partitions) = &mut table.partitions {
                partitions.parts.sort();
            }
        }
        self
    }

    /// The same schema with the caller's keyed digest in place of every text that somebody wrote.
    ///
    /// In a type as its source spells it, a digest stands for what follows the name where something is
    /// quoted: some databases spell an enum with its labels.
    #[must_use]
    pub fn without_words(mut self, digest: &dyn Fn(&str) -> String) -> Self {
        self.each_word(&mut |words| words.replace(digest));
        for column in self.tables.iter_mut().flat_map(|table| &mut table.columns) {
            column.declared.iter_mut().for_each(|declared| replace_quoted(declared, digest));
            each_name(&mut column.data_type, &mut |name| replace_quoted(name, digest));
        }
        self.canonical()
    }

    fn each_word(&mut self, visit: &mut dyn FnMut(&mut Words)) {
        for one in &mut self.enums {
            one.labels.iter_mut().for_each(&mut *visit);
        }
        for table in &mut self.tables {
            table.each_word(visit);
        }
    }
}

impl TableSchema {
    /// A table of these columns.
    #[must_use]
    pub fn new(name: impl Into<String>, columns: Vec<ColumnSchema>) -> Self {
        Self {
            name: name.into(),
            columns,
            primary_key: None,
            unique: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            comment: None,
            partitions: None,
        }
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn each_word(&mut self, visit: &mut dyn FnMut(&mut Words)) {
        self.comment.iter_mut().for_each(&mut *visit);
        for column in &mut self.columns {
            column.default.iter_mut().for_each(&mut *visit);
            column.comment.iter_mut().for_each(&mut *visit);
            column.generated.iter_mut().for_each(|generated| visit(&mut generated.expression));
        }
        self.checks.iter_mut().for_each(|check| visit(&mut check.condition));
        for index in &mut self.indexes {
            index.predicate.iter_mut().for_each(&mut *visit);
            index.columns.iter_mut().for_each(|column| each_term(&mut column.term, visit));
        }
        if let Some(partitions) = &mut self.partitions {
            partitions.columns.iter_mut().for_each(|term| each_term(term, visit));
            partitions.parts.iter_mut().filter_map(|part| part.bounds.as_mut()).for_each(visit);
        }
    }
}

impl ColumnSchema {
    /// A column that may be null and has nothing but a type.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            data_type,
            declared: None,
            nullable: true,
            default: None,
            generated: None,
            identity: None,
            collation: None,
            comment: None,
        }
    }
}

fn each_term(term: &mut Term, visit: &mut dyn FnMut(&mut Words)) {
    if let Term::Expression(words) = term {
        visit(words);
    }
}

/// Names of types that come from the source as they are.
fn each_name(data_type: &mut DataType, visit: &mut dyn FnMut(&mut String)) {
    match data_type {
        DataType::Other { name } => visit(name),
        DataType::List { of } => each_name(of, visit),
        DataType::Map { key, value } => {
            each_name(key, visit);
            each_name(value, visit);
        }
        DataType::Struct { fields } => {
            fields.iter_mut().for_each(|field| each_name(&mut field.data_type, visit));
        }
        _ => {}
    }
}

/// Words that types are spelled with. What else stands in a spelling was written by somebody.
const TYPE_WORDS: &[&str] = &[
    "array",
    "bigint",
    "bigserial",
    "binary",
    "bit",
    "blob",
    "bool",
    "boolean",
    "bytea",
    "char",
    "character",
    "clob",
    "date",
    "datetime",
    "datetime2",
    "datetimeoffset",
    "decimal",
    "double",
    "enum",
    "float",
    "float4",
    "float8",
    "guid",
    "image",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "json",
    "jsonb",
    "large",
    "local",
    "long",
    "longblob",
    "longtext",
    "mediumblob",
    "mediumint",
    "mediumtext",
    "money",
    "national",
    "native",
    "nchar",
    "ntext",
    "number",
    "numeric",
    "nvarchar",
    "object",
    "precision",
    "real",
    "serial",
    "set",
    "signed",
    "smalldatetime",
    "smallint",
    "smallmoney",
    "smallserial",
    "string",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tinyblob",
    "tinyint",
    "tinytext",
    "uniqueidentifier",
    "unsigned",
    "uuid",
    "varbinary",
    "varchar",
    "varchar2",
    "varying",
    "with",
    "without",
    "xml",
    "year",
    "zone",
];

/// `varchar(40)` stays. `enum('a','b')`, and whatever is not spelled with the words of types and numbers, becomes
/// its first word, where that is one of a type, and a digest: SQLite takes any text for a type.
fn replace_quoted(spelling: &mut String, digest: &dyn Fn(&str) -> String) {
    let is_separator = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ',');
    let is_known = |word: &str| {
        let word = word.to_ascii_lowercase();
        TYPE_WORDS.contains(&word.as_str()) || word.parse::<i64>().is_ok()
    };
    let mut words = spelling.split(is_separator).filter(|word| !word.is_empty());
    if words.clone().all(is_known) {
        return;
    }
    let first = words.next().filter(|word| is_known(word)).unwrap_or("type");
    *spelling = format!("{first}(digest {})", digest(spelling));
}
