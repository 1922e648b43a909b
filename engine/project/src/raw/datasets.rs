//! The sections `models` and `exports`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RawApproval;
use super::declared_tests::{column_tests, table_tests};
use crate::location::Spanned;
use crate::node::Node;

/// Description of the model in `models/<name>.sql`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawModel {
    /// Name of the model: the file's, without `.sql`.
    pub(crate) name: Spanned<String>,
    /// For people.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// For selection with `tag:`.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// Its columns.
    #[serde(default)]
    pub(crate) columns: Vec<Spanned<RawModelColumn>>,
    /// Sums, means and counts of groups of at least this size carry no class; smaller groups are left out.
    #[serde(default)]
    pub(crate) min_group: Option<Spanned<RawMinGroup>>,
    /// Tests of its rows.
    #[serde(default)]
    #[schemars(schema_with = "table_tests")]
    pub(crate) tests: Vec<Node>,
}

/// The least size of a model's groups, which makes its sums, means and counts safe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMinGroup {
    /// Least rows of a group, or least distinct values of `of` in it.
    #[schemars(range(min = 2))]
    pub(crate) size: Spanned<u64>,
    /// Column that names a person or thing to be counted once; rows are counted when left out.
    #[serde(default)]
    pub(crate) of: Option<Spanned<String>>,
    /// Who answers for it.
    pub(crate) owner: Spanned<String>,
    /// Why it is right.
    pub(crate) reason: Spanned<String>,
    /// The last day it holds, as YYYY-MM-DD.
    #[serde(default)]
    pub(crate) until: Option<Spanned<String>>,
}

/// A column of a model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawModelColumn {
    /// Name of the column.
    pub(crate) name: Spanned<String>,
    /// Its type.
    #[serde(default, rename = "type")]
    pub(crate) column_type: Option<Spanned<String>>,
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
    /// Who answers for the column no longer carrying the classes of what it was made from.
    #[serde(default)]
    pub(crate) declassify: Option<Spanned<RawApproval>>,
}

/// A published dataset: masked, sealed and versioned.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "customers", "from": "source('crm', 'customers')"}))]
pub(crate) struct RawExport {
    /// Name of the export: lower case letters, digits and `_`.
    pub(crate) name: Spanned<String>,
    /// `source('name', 'table')` or `ref('model')`.
    pub(crate) from: Spanned<String>,
    /// For people.
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// For selection with `tag:`.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// SQL condition that rows must meet, on the columns before masking.
    #[serde(default, rename = "where")]
    pub(crate) filter: Option<Spanned<String>>,
    /// Columns to publish, in this order; all when left out.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) columns: Option<Vec<Spanned<String>>>,
    /// Columns whose masked values split the chunks.
    #[serde(default)]
    pub(crate) partition_by: Vec<Spanned<String>>,
    /// How rows are cut into chunks.
    #[serde(default)]
    pub(crate) chunk: Option<RawChunk>,
    /// How chunks are encrypted.
    #[serde(default)]
    pub(crate) encryption: Option<RawEncryption>,
    /// Tests of the result.
    #[serde(default)]
    #[schemars(schema_with = "table_tests")]
    pub(crate) tests: Vec<Node>,
    /// Where committed snapshots are loaded.
    #[serde(default)]
    pub(crate) load: Vec<Spanned<RawLoad>>,
    /// The published column that says whose a row is: `--tenant` binds what is read to its rows.
    #[serde(default)]
    pub(crate) tenant: Option<Spanned<String>>,
    /// The retention policy of its snapshots; without one they are kept.
    #[serde(default)]
    pub(crate) retention: Option<Spanned<String>>,
}

/// How rows are cut into chunks.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawChunk {
    /// Most rows of a chunk.
    #[schemars(range(min = 1))]
    pub(crate) rows: u64,
}

/// How chunks are encrypted.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawEncryption {
    /// Whole files, with Tink's streaming AEAD.
    Sealed,
    /// Parquet Modular Encryption, which Parquet readers open with the key.
    Modular,
}

/// Where an export is loaded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLoad {
    /// Connection of the target.
    pub(crate) connection: Spanned<String>,
    /// Table to fill.
    pub(crate) table: Spanned<String>,
    /// What happens to rows that are there: `replace` when left out.
    #[serde(default)]
    pub(crate) mode: Option<RawLoadMode>,
}

/// What a load does with rows that are there.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawLoadMode {
    /// Drops the table and makes it again, in one transaction: indexes, triggers and constraints that it
    /// had are gone.
    Replace,
    /// Leaves them.
    Append,
}
