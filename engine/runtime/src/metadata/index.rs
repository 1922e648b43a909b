//! Which file of `metadata/` is whose.

use std::collections::BTreeMap;

use engine_tracking::log::ChangeLog;
use serde::{Deserialize, Serialize};

/// The version of the index's format.
pub(super) const FORMAT_VERSION: u32 = 1;

/// The index of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The version of its format: 1.
    pub format_version: u32,
    /// The project's name.
    pub project: String,
    /// What is recorded, by source.
    pub sources: BTreeMap<String, Recorded>,
}

/// The files of a source, relative to the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// When its schema last changed, as RFC 3339.
    pub changed: String,
    /// The schema.
    pub schema: String,
    /// The DDL.
    pub ddl: String,
    /// The log of changes.
    pub changes: String,
    /// What was put aside, newest first.
    pub archived: Vec<String>,
}

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new(project: &str) -> Self {
        let sources = BTreeMap::new();
        Self { format_version: FORMAT_VERSION, project: project.to_owned(), sources }
    }
}

impl Recorded {
    /// What a log says of a source's files; none where it has no entry.
    #[must_use]
    pub fn of(schema: String, ddl: String, changes: String, log: &ChangeLog) -> Option<Self> {
        let changed = log.entries.first()?.time.clone();
        let archived = log.entries.iter().flat_map(|entry| entry.archived.clone()).collect();
        Some(Self { changed, schema, ddl, changes, archived })
    }
}
