//! The section `sources`, and tests of columns and exports.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

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

/// A test of a column with its arguments; one key only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct RawColumnTests {
    /// No nulls.
    #[serde(default)]
    pub(crate) not_null: Option<RawNoArguments>,
    /// No value twice.
    #[serde(default)]
    pub(crate) unique: Option<RawNoArguments>,
    /// Only these values.
    #[serde(default)]
    pub(crate) accepted_values: Option<RawValues>,
    /// Every value occurs in a column of another table or model.
    #[serde(default)]
    pub(crate) relationships: Option<RawRelationships>,
    /// Values within bounds, both inclusive.
    #[serde(default)]
    pub(crate) range: Option<Spanned<RawRange>>,
    /// Every value matches a regular expression.
    #[serde(default)]
    pub(crate) regex: Option<RawRegex>,
}

/// A test of an export with its arguments; one key only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct RawExportTests {
    /// Every combination of values occurs in at least `k` rows.
    #[serde(default)]
    pub(crate) k_anonymity: Option<RawKAnonymity>,
    /// No nulls in a column.
    #[serde(default)]
    pub(crate) not_null: Option<RawOfColumn>,
    /// No value twice in a column.
    #[serde(default)]
    pub(crate) unique: Option<RawOfColumn>,
    /// Only these values in a column.
    #[serde(default)]
    pub(crate) accepted_values: Option<RawValuesOfColumn>,
    /// Values of a column within bounds, both inclusive.
    #[serde(default)]
    pub(crate) range: Option<Spanned<RawRangeOfColumn>>,
}

/// Nothing to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawNoArguments {}

/// Arguments of `accepted_values`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawValues {
    /// The values.
    #[schemars(schema_with = "values")]
    pub(crate) values: Vec<Node>,
}

/// Arguments of `relationships`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRelationships {
    /// `source('name', 'table')` or `ref('model')`.
    pub(crate) to: Spanned<String>,
    /// Its column.
    pub(crate) field: Spanned<String>,
}

/// Arguments of `range`; at least one of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRange {
    /// Lower bound.
    #[serde(default)]
    #[schemars(schema_with = "bound")]
    pub(crate) min: Option<Node>,
    /// Upper bound.
    #[serde(default)]
    #[schemars(schema_with = "bound")]
    pub(crate) max: Option<Node>,
}

/// Arguments of `regex`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRegex {
    /// The regular expression.
    pub(crate) pattern: String,
}

/// Arguments of `k_anonymity`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKAnonymity {
    /// The columns.
    #[schemars(length(min = 1))]
    pub(crate) columns: Vec<Spanned<String>>,
    /// The least number of rows, at least 2.
    #[schemars(range(min = 2))]
    pub(crate) k: u64,
}

/// Arguments of a test that needs only its column.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
}

/// Arguments of `accepted_values` on an export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawValuesOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// The values.
    #[schemars(schema_with = "values")]
    pub(crate) values: Vec<Node>,
}

/// Arguments of `range` on an export; at least one bound.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRangeOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// Lower bound.
    #[serde(default)]
    #[schemars(schema_with = "bound")]
    pub(crate) min: Option<Node>,
    /// Upper bound.
    #[serde(default)]
    #[schemars(schema_with = "bound")]
    pub(crate) max: Option<Node>,
}

pub(super) fn column_tests(generator: &mut SchemaGenerator) -> Schema {
    let tests = generator.subschema_for::<RawColumnTests>();
    json_schema!({
        "type": "array",
        "items": {"anyOf": [{"type": "string", "enum": ["not_null", "unique"]}, tests]},
    })
}

pub(super) fn export_tests(generator: &mut SchemaGenerator) -> Schema {
    let tests = generator.subschema_for::<RawExportTests>();
    json_schema!({"type": "array", "items": tests})
}

fn values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1})
}

fn bound(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "string"]})
}
