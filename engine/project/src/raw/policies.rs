//! The sections `classes` and `masking`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::open_map;
use crate::location::Spanned;
use crate::node::Node;

/// What kind of data a column holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawClass {
    /// Whether such data may leave only masked, or kept by a named owner.
    pub(crate) sensitive: bool,
    /// What it means that such data decides which rows an export has, without being published: `warn`
    /// when left out. Classes below say the same unless they say otherwise.
    #[serde(default)]
    pub(crate) indirect: Option<RawIndirect>,
    /// For people.
    #[serde(default)]
    pub(crate) description: Option<String>,
}

/// What it means that data decides about rows.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawIndirect {
    /// Nothing.
    Allow,
    /// The plan says so.
    Warn,
    /// The export does not compile.
    Deny,
}

pub(super) fn classes(generator: &mut SchemaGenerator) -> Schema {
    let class = generator.subschema_for::<RawClass>();
    json_schema!({"type": "object", "additionalProperties": class})
}

/// How data is masked. Several files may add rules.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMasking {
    /// What happens to columns that no rule covers: `deny` when left out.
    #[serde(default)]
    pub(crate) unclassified: Option<Spanned<RawUnclassified>>,
    /// Which columns are masked how.
    #[serde(default)]
    pub(crate) rules: Vec<Spanned<RawRule>>,
}

/// What happens to columns that no rule covers.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawUnclassified {
    /// The export does not compile.
    Deny,
    /// The column is left out.
    Drop,
}

/// Which columns get which treatment: exactly one of `mask` and `keep`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "name": "emails", "match": {"class": "pii.email"}, "mask": "email", "linkage": "customer"
}))]
pub(crate) struct RawRule {
    /// Name of the rule.
    pub(crate) name: Spanned<String>,
    /// Which columns; all parts must hold.
    #[serde(default, rename = "match")]
    pub(crate) matches: Option<Spanned<RawMatch>>,
    /// The masking function.
    #[serde(default)]
    pub(crate) mask: Option<Spanned<String>>,
    /// Parameters of the masking function.
    #[serde(default)]
    #[schemars(schema_with = "open_map")]
    pub(crate) params: Option<Node>,
    /// Name of the masking key, when it is not the default one.
    #[serde(default)]
    pub(crate) key: Option<Spanned<String>>,
    /// Pseudonym space: equal values under one linkage are masked alike.
    #[serde(default)]
    pub(crate) linkage: Option<Spanned<String>>,
    /// An SQL condition over the row as it is read: only where it holds, values are masked so.
    #[serde(default)]
    pub(crate) when: Option<Spanned<String>>,
    /// What happens to the other rows' values: `redact` for text and `null` for the rest when left out.
    #[serde(default)]
    pub(crate) otherwise: Option<Spanned<RawOtherwise>>,
    /// Let the columns through, on somebody's word.
    #[serde(default)]
    pub(crate) keep: Option<Spanned<RawApproval>>,
}

/// What happens to values where a rule's `when` does not hold: exactly one of `mask` and `keep`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOtherwise {
    /// The masking function.
    #[serde(default)]
    pub(crate) mask: Option<Spanned<String>>,
    /// Parameters of the masking function.
    #[serde(default)]
    #[schemars(schema_with = "open_map")]
    pub(crate) params: Option<Node>,
    /// Name of the masking key, when it is not the default one.
    #[serde(default)]
    pub(crate) key: Option<Spanned<String>>,
    /// Pseudonym space: equal values under one linkage are masked alike.
    #[serde(default)]
    pub(crate) linkage: Option<Spanned<String>>,
    /// Let the values through, on somebody's word.
    #[serde(default)]
    pub(crate) keep: Option<Spanned<RawApproval>>,
}

/// Which columns a rule is for; at least one key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMatch {
    /// A class, and every class below it.
    #[serde(default)]
    pub(crate) class: Option<Spanned<String>>,
    /// `source.table.column` or `model.column`, with `*` for any run of characters.
    #[serde(default)]
    pub(crate) column: Option<Spanned<String>>,
    /// A column type; `decimal` for decimals of any size.
    #[serde(default, rename = "type")]
    pub(crate) column_type: Option<Spanned<String>>,
}

/// Who answers for an exception.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawApproval {
    /// Who answers for it.
    pub(crate) owner: Spanned<String>,
    /// Why it is right.
    pub(crate) reason: Spanned<String>,
    /// The last day it holds, as YYYY-MM-DD.
    #[serde(default)]
    pub(crate) until: Option<Spanned<String>>,
}
