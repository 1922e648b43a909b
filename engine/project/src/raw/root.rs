//! `engine.yml`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawChunk, RawEncryption, open_map};
use crate::location::Spanned;
use crate::node::Node;

/// `engine.yml`: what makes a folder a project.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "engine.yml", example = serde_json::json!({"name": "acme", "edition": 2026}))]
pub(crate) struct RawRoot {
    /// Name of the project: lower case letters, digits and `_`.
    pub(crate) name: Spanned<String>,
    /// Edition of the configuration language: 2026.
    #[schemars(schema_with = "edition")]
    pub(crate) edition: Spanned<i64>,
    /// File with the targets, relative to the project; `profiles.yml` when left out.
    #[serde(default)]
    #[expect(dead_code, reason = "read from the tree, before the rest of the file is")]
    pub(crate) profile: Option<Spanned<String>>,
    /// Variables for `var('name')`. Targets and the command line override them.
    #[serde(default)]
    #[schemars(schema_with = "open_map")]
    pub(crate) vars: Option<Node>,
    /// Who may approve a plan, each with public keys in SSH's form.
    #[serde(default)]
    #[schemars(schema_with = "owners")]
    pub(crate) owners: Option<Node>,
    /// What holds where nothing else is said.
    #[serde(default)]
    pub(crate) defaults: RawDefaults,
}

/// What holds where nothing else is said.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDefaults {
    /// Target to use when none is chosen.
    #[serde(default)]
    pub(crate) target: Option<Spanned<String>>,
    /// How exports are cut into chunks.
    #[serde(default)]
    pub(crate) chunk: Option<RawChunk>,
    /// How chunks are encrypted.
    #[serde(default)]
    pub(crate) encryption: Option<RawEncryption>,
}

fn edition(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "integer"})
}

fn owners(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let keys = serde_json::json!({"type": "array", "minItems": 1, "items": {"type": "string"}});
    schemars::json_schema!({"type": "object", "additionalProperties": keys})
}
