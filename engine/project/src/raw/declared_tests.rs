//! Tests of columns, tables, models and exports.
//!
//! A key that may be left out is here an option, and in the schema `with` what it holds where nothing (`not_null:`,
//! `min:`) would be a test that tests nothing.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::location::Spanned;
use crate::node::Node;

/// What happens when a test fails.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawSeverity {
    /// Nothing is published.
    Error,
    /// It is reported.
    Warn,
}

/// A test of a column with its arguments; one key only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct RawColumnTests {
    /// No nulls.
    #[serde(default)]
    #[schemars(with = "RawPlain")]
    pub(crate) not_null: Option<RawPlain>,
    /// No value twice.
    #[serde(default)]
    #[schemars(with = "RawPlain")]
    pub(crate) unique: Option<RawPlain>,
    /// No value gives away what should be masked.
    #[serde(default)]
    #[schemars(with = "RawPlain")]
    pub(crate) leak: Option<RawPlain>,
    /// Only these values.
    #[serde(default)]
    #[schemars(with = "RawValues")]
    pub(crate) accepted_values: Option<RawValues>,
    /// Every value occurs in a column of another table or model.
    #[serde(default)]
    #[schemars(with = "RawRelationships")]
    pub(crate) relationships: Option<RawRelationships>,
    /// Values within bounds, both inclusive.
    #[serde(default)]
    #[schemars(with = "RawRange")]
    pub(crate) range: Option<Spanned<RawRange>>,
    /// Every value matches a regular expression.
    #[serde(default)]
    #[schemars(with = "RawRegex")]
    pub(crate) regex: Option<RawRegex>,
    /// The latest value, a date or a time, is not too old.
    #[serde(default)]
    #[schemars(with = "RawFreshness")]
    pub(crate) freshness: Option<RawFreshness>,
}

/// A test of the rows of a table, model or export with its arguments; one key only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct RawTableTests {
    /// Every combination of values occurs in at least `k` rows.
    #[serde(default)]
    #[schemars(with = "RawKAnonymity")]
    pub(crate) k_anonymity: Option<RawKAnonymity>,
    /// The rows of every combination of values have at least `l` distinct values of another column.
    #[serde(default)]
    #[schemars(with = "RawLDiversity")]
    pub(crate) l_diversity: Option<RawLDiversity>,
    /// A number of rows within bounds, both inclusive.
    #[serde(default)]
    #[schemars(with = "RawRowCount")]
    pub(crate) row_count: Option<Spanned<RawRowCount>>,
    /// A condition that holds for every row.
    #[serde(default)]
    #[schemars(with = "RawExpression")]
    pub(crate) expression: Option<RawExpression>,
    /// No nulls in a column.
    #[serde(default)]
    #[schemars(with = "RawOfColumn")]
    pub(crate) not_null: Option<RawOfColumn>,
    /// No value twice in a column.
    #[serde(default)]
    #[schemars(with = "RawOfColumn")]
    pub(crate) unique: Option<RawOfColumn>,
    /// No value of a column gives away what should be masked.
    #[serde(default)]
    #[schemars(with = "RawOfColumn")]
    pub(crate) leak: Option<RawOfColumn>,
    /// Only these values in a column.
    #[serde(default)]
    #[schemars(with = "RawValuesOfColumn")]
    pub(crate) accepted_values: Option<RawValuesOfColumn>,
    /// Every value of a column occurs in a column of another table or model.
    #[serde(default)]
    #[schemars(with = "RawRelationshipsOfColumn")]
    pub(crate) relationships: Option<RawRelationshipsOfColumn>,
    /// Values of a column within bounds, both inclusive.
    #[serde(default)]
    #[schemars(with = "RawRangeOfColumn")]
    pub(crate) range: Option<Spanned<RawRangeOfColumn>>,
    /// Every value of a column matches a regular expression.
    #[serde(default)]
    #[schemars(with = "RawRegexOfColumn")]
    pub(crate) regex: Option<RawRegexOfColumn>,
    /// The latest value of a column, a date or a time, is not too old.
    #[serde(default)]
    #[schemars(with = "RawFreshnessOfColumn")]
    pub(crate) freshness: Option<RawFreshnessOfColumn>,
}

/// Arguments of a test that needs none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPlain {
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `accepted_values`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawValues {
    /// The values.
    #[schemars(schema_with = "values")]
    pub(crate) values: Vec<Node>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `relationships`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRelationships {
    /// `source('name', 'table')` or `ref('model')`.
    pub(crate) to: Spanned<String>,
    /// Its column.
    pub(crate) field: Spanned<String>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `range`; at least one bound.
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
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `regex`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRegex {
    /// The regular expression.
    pub(crate) pattern: String,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `freshness`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFreshness {
    /// The greatest age: a whole number of seconds, minutes, hours, days or weeks, such as 90s, 30m, 48h, 7d or 2w.
    pub(crate) max_age: Spanned<String>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
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
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `l_diversity`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLDiversity {
    /// The columns whose values are combined.
    #[schemars(length(min = 1))]
    pub(crate) columns: Vec<Spanned<String>>,
    /// The column whose distinct values are counted.
    pub(crate) sensitive: Spanned<String>,
    /// The least number of distinct values, at least 2.
    #[schemars(range(min = 2))]
    pub(crate) l: u64,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `row_count`; at least one bound.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRowCount {
    /// The least number of rows.
    #[serde(default)]
    #[schemars(with = "u64")]
    pub(crate) min: Option<u64>,
    /// The greatest number of rows.
    #[serde(default)]
    #[schemars(with = "u64")]
    pub(crate) max: Option<u64>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `expression`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawExpression {
    /// SQL condition on the columns.
    pub(crate) sql: Spanned<String>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of a test that needs only its column.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `accepted_values` on a table, model or export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawValuesOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// The values.
    #[schemars(schema_with = "values")]
    pub(crate) values: Vec<Node>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `relationships` on a table, model or export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRelationshipsOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// `source('name', 'table')` or `ref('model')`.
    pub(crate) to: Spanned<String>,
    /// Its column.
    pub(crate) field: Spanned<String>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `range` on a table, model or export; at least one bound.
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
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `regex` on a table, model or export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRegexOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// The regular expression.
    pub(crate) pattern: String,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

/// Arguments of `freshness` on a table, model or export.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFreshnessOfColumn {
    /// The column.
    pub(crate) column: Spanned<String>,
    /// The greatest age: a whole number of seconds, minutes, hours, days or weeks, such as 90s, 30m, 48h, 7d or 2w.
    pub(crate) max_age: Spanned<String>,
    /// What happens when it fails: `error` when left out.
    #[serde(default)]
    pub(crate) severity: Option<RawSeverity>,
}

pub(super) fn column_tests(generator: &mut SchemaGenerator) -> Schema {
    let tests = generator.subschema_for::<RawColumnTests>();
    json_schema!({
        "type": "array",
        "items": {"anyOf": [{"type": "string", "enum": ["not_null", "unique", "leak"]}, tests]},
    })
}

pub(super) fn table_tests(generator: &mut SchemaGenerator) -> Schema {
    let tests = generator.subschema_for::<RawTableTests>();
    json_schema!({"type": "array", "items": tests})
}

fn values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1})
}

fn bound(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "string"]})
}
