//! The files as they are written: one struct per mapping, from which the JSON Schemas
//! are made. Nothing here is checked beyond its shape.

mod datasets;
mod declared_tests;
mod events;
mod policies;
mod profiles;
mod retention;
mod root;
mod sources;
mod tracking;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

pub(crate) use datasets::{
    RawChunk, RawEncryption, RawExport, RawLoad, RawLoadMode, RawMinGroup, RawModel, RawModelColumn,
};
pub(crate) use declared_tests::{
    RawColumnTests, RawRange, RawRowCount, RawSeverity, RawTableTests,
};
pub(crate) use events::{RawDestination, RawOpenLineage, RawTopic, RawWebhook};
pub(crate) use policies::{
    RawApproval, RawClass, RawIndirect, RawMasking, RawMatch, RawOtherwise, RawRule,
    RawUnclassified,
};
pub(crate) use profiles::{RawExecution, RawKeys, RawProfiles, RawProvider, RawTarget};
pub(crate) use retention::{RawRetention, RawThen};
pub(crate) use root::{RawDefaults, RawRoot};
pub(crate) use sources::{RawColumn, RawReference, RawSource, RawTable};
pub(crate) use tracking::{RawHistory, RawHistoryReference, RawOnChange, RawSchemas, RawTracking};

use crate::location::Spanned;
use crate::node::Node;
use crate::secret::Setting;

/// A file under `sources/`, `policies/`, `models/` or `exports/`. Any of them may hold any
/// of these sections.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "project file")]
pub(crate) struct RawSections {
    /// What is read.
    #[serde(default)]
    pub(crate) sources: Vec<Spanned<RawSource>>,
    /// What kinds of data there are: dotted names, where `pii` covers `pii.email`.
    #[serde(default)]
    #[schemars(schema_with = "policies::classes")]
    pub(crate) classes: Option<Node>,
    /// How data is masked.
    #[serde(default)]
    pub(crate) masking: Option<RawMasking>,
    /// What is recorded, to be compared with later.
    #[serde(default)]
    pub(crate) tracking: Option<RawTracking>,
    /// How long things are kept.
    #[serde(default)]
    pub(crate) retention: Vec<Spanned<RawRetention>>,
    /// Descriptions of the models in `models/*.sql`.
    #[serde(default)]
    pub(crate) models: Vec<Spanned<RawModel>>,
    /// What is published.
    #[serde(default)]
    pub(crate) exports: Vec<Spanned<RawExport>>,
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Setting {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Setting")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// A mapping of anything.
pub(crate) fn open_map(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object"})
}
