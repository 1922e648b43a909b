//! `profiles.yml`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::events::RawDestination;
use super::open_map;
use crate::location::Spanned;
use crate::node::Node;
use crate::secret::Setting;

/// `profiles.yml`: where the project runs. The only file that may read the environment,
/// with `env_var('NAME')`, and the only place for secrets.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "profiles.yml")]
#[expect(dead_code, reason = "only the schema is made from it: targets are read one by one")]
pub(crate) struct RawProfiles {
    /// Target to use when neither the command line nor `engine.yml` chooses one.
    #[serde(default)]
    pub(crate) default: Option<Spanned<String>>,
    /// Targets by name.
    #[schemars(schema_with = "targets")]
    pub(crate) targets: Node,
}

/// Only the chosen target is read: others may need an environment that is not there.
fn targets(generator: &mut SchemaGenerator) -> Schema {
    let target = generator.subschema_for::<RawTarget>();
    json_schema!({"type": "object", "additionalProperties": target, "minProperties": 1})
}

/// A named environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTarget {
    /// URL of the store that holds exports and run records. Relative `file://` paths are relative to the project.
    pub(crate) store: Spanned<Setting>,
    /// Whether a run needs a reviewed plan.
    #[serde(default)]
    pub(crate) protected: bool,
    /// Where the keyring is and what opens it.
    pub(crate) keys: Spanned<RawKeys>,
    /// Connections by name.
    #[serde(default)]
    #[schemars(schema_with = "connections")]
    pub(crate) connections: Option<Node>,
    /// Other systems that are told of operations: what was done, how it ended, and what flowed where. No values.
    #[serde(default)]
    pub(crate) events: Vec<RawDestination>,
    /// How much of the machine a run may use.
    #[serde(default)]
    pub(crate) execution: RawExecution,
    /// Variables of this target; they override those of `engine.yml`.
    #[serde(default)]
    #[schemars(schema_with = "open_map")]
    pub(crate) vars: Option<Node>,
}

fn connections(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "description": "A database or file location. Besides `type`, the keys are those of the connector.",
            "properties": {"type": {"type": "string", "description": "The connector, such as `sqlite` or `files`."}},
            "required": ["type"],
        },
    })
}

/// Where the keyring is and what opens it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKeys {
    /// What opens the keyring.
    pub(crate) provider: RawProvider,
    /// Path of the keyring, relative to the project; `keys/keyring.json` in the store when left out.
    #[serde(default)]
    pub(crate) keyring: Option<Spanned<Setting>>,
    /// Name of the environment variable that holds the passphrase or the key.
    #[serde(default)]
    pub(crate) env: Option<Spanned<String>>,
    /// Path of the key file, relative to the project; for `provider: file`.
    #[serde(default)]
    pub(crate) path: Option<Spanned<Setting>>,
    /// When keys are to be replaced: plans and reports warn when one is close to it, or past it.
    #[serde(default)]
    pub(crate) rotation: Option<RawRotation>,
}

/// When keys are to be replaced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRotation {
    /// How old a key may become, such as `90d`, `12mo` or `1y`.
    pub(crate) max_age: Spanned<String>,
}

/// What opens the keyring.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawProvider {
    /// A passphrase, from a file, the environment or a prompt.
    Passphrase,
    /// A key in an environment variable.
    Environment,
    /// A key in a file.
    File,
}

/// How much of the machine a run may use.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawExecution {
    /// Streams that read, mask and write at once.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) jobs: Option<u32>,
    /// Memory for query execution: bytes, or text such as `512MiB` or `1GiB`.
    #[serde(default)]
    #[schemars(schema_with = "size")]
    pub(crate) memory: Option<Node>,
    /// Rows of a record batch; 8192 when left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_048_576))]
    pub(crate) batch_rows: Option<u32>,
}

fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "integer"], "minimum": 1})
}
