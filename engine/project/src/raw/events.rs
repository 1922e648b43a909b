//! `events:` of a target: who is told of operations.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::location::Spanned;
use crate::secret::Setting;

/// Another system that is told of operations; one key only.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct RawDestination {
    /// OpenLineage events, with the lineage of columns and which of it is masked: sent to `url`, or appended to `file`.
    #[serde(default)]
    #[schemars(with = "RawOpenLineage")]
    pub(crate) openlineage: Option<Spanned<RawOpenLineage>>,
    /// Metrics in a file for the textfile collector of Prometheus' node exporter.
    #[serde(default)]
    #[schemars(with = "RawPrometheus")]
    pub(crate) prometheus: Option<RawPrometheus>,
    /// The same metrics, pushed to a Pushgateway.
    #[serde(default)]
    #[schemars(with = "RawPushgateway")]
    pub(crate) pushgateway: Option<RawPushgateway>,
    /// Notices, signed as in Standard Webhooks.
    #[serde(default)]
    #[schemars(with = "RawWebhook")]
    pub(crate) webhook: Option<RawWebhook>,
}

/// OpenLineage events: `url` or `file`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOpenLineage {
    /// Where they are sent, as in `OPENLINEAGE_URL`: `https`, or `http` on this machine. `api/v1/lineage` is below it.
    #[serde(default)]
    pub(crate) url: Option<Spanned<Setting>>,
    /// What the receiver knows the sender by; sent as a bearer token.
    #[serde(default)]
    pub(crate) api_key: Option<Spanned<Setting>>,
    /// The file they are appended to, one a line; relative to the project.
    #[serde(default)]
    pub(crate) file: Option<Spanned<Setting>>,
}

/// Metrics in a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrometheus {
    /// The file, relative to the project; it ends in `.prom` where a textfile collector reads it.
    pub(crate) file: Spanned<Setting>,
}

/// Metrics in a Pushgateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPushgateway {
    /// Where it is: `https`, or `http` on this machine.
    pub(crate) url: Spanned<Setting>,
    /// The job the metrics are grouped under; the project's name when left out.
    #[serde(default)]
    pub(crate) job: Option<Spanned<String>>,
}

/// Notices to a webhook.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWebhook {
    /// Where they are sent: `https`, or `http` on this machine.
    pub(crate) url: Spanned<Setting>,
    /// What they are signed with: `whsec_` and base64 of 24 to 64 bytes.
    pub(crate) secret: Spanned<Setting>,
    /// What they are sent for; `[failed, security]` when left out.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) when: Option<Vec<RawTopic>>,
}

/// What a notice is sent for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawTopic {
    /// An operation began.
    Started,
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed,
    /// The start and the end of operations that security has to know of, such as opening sealed metadata.
    Security,
}
