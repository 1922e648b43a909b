//! The section `tracking`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::location::Spanned;
use crate::node::Node;

/// What is recorded, to be compared with later.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTracking {
    /// The schemas of sources.
    #[serde(default)]
    pub(crate) schemas: Option<RawSchemas>,
    /// The records of commands, which are always made.
    #[serde(default)]
    pub(crate) runs: Option<RawRecords>,
    /// The rows of exports, with every version of each.
    #[serde(default)]
    pub(crate) history: Vec<Spanned<RawHistory>>,
}

/// Whose rows are kept with all their versions: what a run finds new, changed or gone is appended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "customer_history", "of": "export('customers')", "key": ["customer_id"]}))]
pub(crate) struct RawHistory {
    /// Name of the history: lower case letters, digits and `_`. Its tables are called after it.
    pub(crate) name: Spanned<String>,
    /// `export('name')`.
    pub(crate) of: Spanned<String>,
    /// The published columns that tell rows apart.
    #[schemars(length(min = 1))]
    pub(crate) key: Vec<Spanned<String>>,
    /// The published column that says whose a row is; the export's `tenant` when left out.
    #[serde(default)]
    pub(crate) tenant: Option<Spanned<String>>,
    /// Which columns refer to the keys of which other histories: they become links.
    #[serde(default)]
    pub(crate) references: Vec<Spanned<RawHistoryReference>>,
    /// The policy whose `versions` and `rows` say what goes from it; everything is kept when left out. What expires
    /// from the export by its rows' age expires here by the same policy.
    #[serde(default)]
    pub(crate) retention: Option<Spanned<String>>,
}

/// Columns that refer to the key of another history.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawHistoryReference {
    /// What it is called; the names of its columns when left out.
    #[serde(default)]
    pub(crate) name: Option<Spanned<String>>,
    /// The referring columns, in the order of the other history's key.
    #[schemars(length(min = 1))]
    pub(crate) columns: Vec<Spanned<String>>,
    /// The other history.
    pub(crate) to: Spanned<String>,
    /// The column that says whose the row is that is referred to; the history's own tenant when left out.
    #[serde(default)]
    pub(crate) tenant: Option<Spanned<String>>,
}

/// How the records of commands are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRecords {
    /// The policy whose `records` say for how long; for ever when left out.
    #[serde(default)]
    pub(crate) retention: Option<Spanned<String>>,
}

/// Whose schemas are recorded under `metadata/`, and what a change of them means.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSchemas {
    /// The sources.
    pub(crate) sources: Vec<Spanned<String>>,
    /// What each kind of change means, such as `column_removed: fail`; `warn` where nothing is said.
    #[serde(default)]
    #[schemars(schema_with = "on_change")]
    pub(crate) on_change: Option<Node>,
    /// Whether texts of the catalog are recorded as they are: defaults, checks, labels of enums, bounds of
    /// partitions, comments. They can hold personal data. Without it, what is recorded shows only whether they
    /// changed.
    #[serde(default)]
    pub(crate) values: bool,
    /// The policy whose `snapshots` say how many archives of a record are kept and for how long; for ever when
    /// left out. The current record stays.
    #[serde(default)]
    pub(crate) retention: Option<Spanned<String>>,
}

/// What a change of a schema means.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawOnChange {
    /// It is recorded.
    Ignore,
    /// It is recorded and said.
    Warn,
    /// Nothing is recorded and nothing runs before somebody accepts it.
    Fail,
}

fn on_change(generator: &mut SchemaGenerator) -> Schema {
    let meaning = generator.subschema_for::<RawOnChange>();
    json_schema!({"type": "object", "additionalProperties": meaning})
}
