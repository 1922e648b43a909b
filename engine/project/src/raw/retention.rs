//! The section `retention`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RawApproval;
use crate::location::Spanned;

/// How long that which names this policy is kept: snapshots of exports and rows in them, versions in histories,
/// run records, archives of schemas.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "uat", "snapshots": {"keep": 5, "max_age": "90d"}, "then": "delete"}))]
pub(crate) struct RawRetention {
    /// Name of the policy: lower case letters, digits and `_`.
    pub(crate) name: Spanned<String>,
    /// When snapshots go; never when left out.
    #[serde(default)]
    pub(crate) snapshots: Option<RawSnapshots>,
    /// Which rows go by their own age; none when left out.
    #[serde(default)]
    pub(crate) rows: Option<RawRowRule>,
    /// Which versions of rows go from histories; none when left out.
    #[serde(default)]
    pub(crate) versions: Option<RawVersionRule>,
    /// The greatest age of run records, by their class; a class that is not named is kept.
    #[serde(default)]
    pub(crate) records: Option<RawRecordAges>,
    /// How long what goes can still be brought back, such as `7d`; `30d` when left out.
    #[serde(default)]
    pub(crate) grace: Option<Spanned<String>>,
    /// Where chunks and manifests are copied to before they are destroyed: a `file://` URL, or a connection to
    /// files. Nothing is ever deleted there.
    #[serde(default)]
    pub(crate) cold: Option<Spanned<String>>,
    /// Exports that the project no longer has, and whose snapshots in the store this policy still reaches.
    #[serde(default)]
    pub(crate) former_exports: Vec<Spanned<String>>,
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

/// Which rows go by their own age.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRowRule {
    /// How far back the column may lie, such as `24mo`.
    pub(crate) older_than: Spanned<String>,
    /// A published column of dates or timestamps, judged as it is published. A row where it is null stays.
    pub(crate) by: Spanned<String>,
}

/// Which versions of rows go from histories.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawVersionRule {
    /// How long ago a version may have been superseded, or its row have gone, such as `2y`. What holds now stays.
    pub(crate) superseded_for: Spanned<String>,
}

/// The greatest age of run records, by their class.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRecordAges {
    /// Records of commands, such as `90d`.
    #[serde(default)]
    pub(crate) executions: Option<Spanned<String>>,
    /// Who opened keys, approved or was refused what, such as `1y`.
    #[serde(default)]
    pub(crate) security: Option<Spanned<String>>,
    /// What was deleted by which policy, such as `7y`.
    #[serde(default)]
    pub(crate) compliance: Option<Spanned<String>>,
}

/// What happens when the grace is over.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawThen {
    /// It is deleted.
    Delete,
}
