//! The section `retention`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RawApproval;
use crate::location::Spanned;

/// How long snapshots of the exports that name this policy are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "uat", "snapshots": {"keep": 5, "max_age": "90d"}, "then": "delete"}))]
pub(crate) struct RawRetention {
    /// Name of the policy: lower case letters, digits and `_`.
    pub(crate) name: Spanned<String>,
    /// When snapshots go; never when left out.
    #[serde(default)]
    pub(crate) snapshots: Option<RawSnapshots>,
    /// How long what goes can still be brought back, such as `7d`; `30d` when left out.
    #[serde(default)]
    pub(crate) grace: Option<Spanned<String>>,
    /// What happens when the grace is over: `delete`, which is what happens anyway.
    #[serde(default)]
    pub(crate) then: Option<RawThen>,
    /// Nothing goes while this holds, whatever any policy says; `until` is its last day.
    #[serde(default)]
    pub(crate) legal_hold: Option<Spanned<RawApproval>>,
    /// Why so long: a law, a contract.
    #[serde(default)]
    pub(crate) basis: Option<String>,
}

/// When snapshots go: when beyond the number or older than the age.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSnapshots {
    /// How many of the newest stay.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) keep: Option<u32>,
    /// The greatest age, such as `90d`, `24mo` or `7y`. The newest snapshot goes by it, too.
    #[serde(default)]
    pub(crate) max_age: Option<Spanned<String>>,
}

/// What happens when the grace is over.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawThen {
    /// It is deleted.
    Delete,
}
