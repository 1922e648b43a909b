//! The document: its shape, its canonical text, its digest.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::{Change, Section};
use crate::retention::ExportRetention;
use crate::rotation::KeyDue;
use engine_bundle::digest::Digest;
use engine_sources::{ContentStatistics, TableState};

/// The version of the plan's format.
pub const FORMAT_VERSION: u32 = 1;

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The engine's version.
    pub engine: String,
    /// The project's name.
    pub project: String,
    /// The target.
    pub target: String,
    /// Whether the target runs from a reviewed plan only.
    pub protected: bool,
    /// Whether the store was looked at: without keys, no base snapshot is known.
    pub base_known: bool,
    /// The selectors it was made with; none for every export.
    pub select: Vec<String>,
    /// A keyed digest of the store's and the connections' settings; none without the keys.
    pub places: Option<String>,
    /// Where data is read from and written to, as far as that is no secret.
    pub locations: BTreeMap<String, String>,
    /// What the changes below are changes from.
    pub base: BaseName,
    /// What changes: what can be read afterwards that could not before first.
    pub changes: Vec<Change>,
    /// Columns that are published, before and afterwards.
    pub coverage: Coverages,
    /// The source tables that are read, with their columns.
    pub tables: BTreeMap<String, Vec<PlannedField>>,
    /// The masking keys that are used, by name, with the version.
    pub keys: BTreeMap<String, u32>,
    /// Who may approve plans, with the public keys.
    pub owners: BTreeMap<String, Vec<String>>,
    /// The retention policies that exports name, as far as they decide what goes: a run held to the plan deletes
    /// by no other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retention: BTreeMap<String, Value>,
    /// The exports, by name: the files they are declared in do not matter.
    pub exports: Vec<PlannedExport>,
    /// The digest of everything above.
    pub digest: String,
    /// What helps to read the plan. The digest does not bind it: brackets in SQL change no plan, and
    /// tables change while it is carried out.
    #[serde(default)]
    pub beside: Beside,
}

/// What helps to read a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// The compiled SQL of models and exports, by name; `model NAME` and `export NAME`.
    pub sql: BTreeMap<String, String>,
    /// How it differs from the base's, as unified diffs, where the base's is known.
    pub sql_diff: BTreeMap<String, String>,
    /// What the sources' catalogs say of the contents of columns, by table and column, where the project
    /// lets them be asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statistics: BTreeMap<String, BTreeMap<String, ContentStatistics>>,
    /// What retention wants gone now, of the exports that have a policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retention: Vec<ExportRetention>,
    /// The keys that are to be replaced soon, or should have been, where the target says how old one may become.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotation: Vec<KeyDue>,
    /// What stands in the tables that are loaded, by connection and table, where it could be looked at.
    pub tables: BTreeMap<String, TableState>,
}

/// What a load of this mode does to the table, in a few words.
fn words(state: &TableState, mode: &str) -> String {
    match (state, mode) {
        (TableState::Absent, _) => "the table is created".to_owned(),
        (TableState::Same, "replace") => {
            "the table is dropped and made again with the same columns".to_owned()
        }
        (TableState::Same, _) => "rows are added to the table".to_owned(),
        (TableState::Other { missing, additional, retyped }, mode) => {
            let parts = match mode {
                "replace" => [("adds", missing), ("drops", additional), ("retypes", retyped)],
                _ => [
                    ("lacks", missing),
                    ("has besides", additional),
                    ("has other types in", retyped),
                ],
            };
            let parts = parts.iter().filter(|(_, names)| !names.is_empty());
            let parts: Vec<String> =
                parts.map(|(verb, names)| format!("{verb} {}", names.join(", "))).collect();
            match (mode, missing.is_empty()) {
                ("replace", _) => format!(
                    "the table is dropped and made again with other columns: {}",
                    parts.join("; ")
                ),
                (_, true) => format!("rows are added to the table, which {}", parts.join("; ")),
                (_, false) => {
                    format!("the load will fail: the table {}", parts.join("; "))
                }
            }
        }
    }
}

/// What a plan is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseName {
    /// Nothing could be looked at: there are no keys.
    Nothing,
    /// The newest snapshots in the target's store.
    Store,
    /// Another plan, by its digest.
    Plan(String),
    /// The project at a commit.
    Commit(String),
    /// The newest snapshots in another target's store.
    Target(String),
}

/// Columns that are published, by what happens to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// All of them.
    pub columns: usize,
    /// Masked.
    pub masked: usize,
    /// Let through on somebody's word.
    pub kept: usize,
}

/// Coverage before and afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverages {
    /// Of the base; none where it is not known.
    pub before: Option<Coverage>,
    /// Of this plan.
    pub after: Coverage,
}

/// A column of a source's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Its class.
    pub class: Option<String>,
}

/// What is expected of a snapshot, from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Rows.
    pub rows: u64,
    /// Bytes of its chunks.
    pub bytes: u64,
}

/// One export of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedExport {
    /// Its name.
    pub name: String,
    /// The table or model it is made from.
    pub from: String,
    /// The source tables that are read for it.
    pub reads: Vec<String>,
    /// The filter, as SQL.
    pub filter: Option<String>,
    /// Its columns.
    pub columns: Vec<PlannedColumn>,
    /// Sensitive source columns that decide which rows there are, without being published as they are.
    pub indirect: Vec<PlannedSource>,
    /// Columns that are not published: in `from`, and dropped or not listed.
    pub left_out: Vec<String>,
    /// Columns whose values divide the chunks.
    pub partition_by: Vec<String>,
    /// Rows after which a chunk is full.
    pub chunk_rows: u64,
    /// `sealed` or `modular`.
    pub encryption: String,
    /// Tests that must hold before the snapshot is committed.
    pub tests: Vec<Value>,
    /// Tests of columns that do not hold for what is published of them, and are not run.
    pub tests_left_out: Vec<Value>,
    /// Where the snapshot is loaded.
    pub loads: Vec<PlannedLoad>,
    /// The column that says whose a row is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The histories that its rows are recorded in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histories: Vec<PlannedHistory>,
    /// The newest snapshot, which this one would follow.
    pub base: Option<u64>,
    /// What the run would do.
    pub action: Action,
    /// Rows and bytes of the newest snapshot.
    pub expected: Option<Expected>,
    /// Digests of what it is defined by, part by part: why it is written again.
    pub parts: BTreeMap<String, String>,
    /// The digest of what the export is.
    pub definition: String,
}

/// A history that every version of an export's rows is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedHistory {
    /// Its name.
    pub name: String,
    /// The columns that tell rows apart.
    pub key: Vec<String>,
    /// The column that says whose a row is.
    pub tenant: Option<String>,
    /// Its references to other histories.
    pub references: Vec<PlannedReference>,
}

/// Columns that refer to the key of another history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedReference {
    /// What it is called.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
    /// The other history.
    pub to: String,
    /// The column with the tenant of what is referred to.
    pub tenant: Option<String>,
}

impl PlannedHistory {
    /// What it is, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let tenant = self.tenant.as_ref().map(|tenant| format!(", tenant {tenant}"));
        format!("{} (key {}{})", self.name, self.key.join(", "), tenant.unwrap_or_default())
    }
}

/// What a run would do with an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// There is no snapshot yet.
    Create,
    /// The definition changed since the newest snapshot: all rows are written again.
    Rebuild,
    /// The definition is that of the newest snapshot: rows are written again when the source changed.
    Refresh,
    /// The store was not looked at.
    Unknown,
}

/// One column of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// Its type in the chunks.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Its class.
    pub class: Option<String>,
    /// Whether the class is sensitive, or there is none.
    pub sensitive: bool,
    /// The source columns whose values it is made from.
    pub sources: Vec<PlannedSource>,
    /// What happens to it.
    pub treatment: PlannedTreatment,
    /// How likely two of its values become one, where only chance keeps them distinct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collision: Option<PlannedCollision>,
}

/// A bound of the probability that any two values of a column become one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCollision {
    /// The bound, as a decimal number with an exponent.
    pub below: String,
    /// Among so many rows, by `counted`: `last snapshot`, `row_count`, or `assumed`.
    pub rows: u64,
    /// Where that number is from.
    pub counted: String,
}

impl PlannedCollision {
    /// The bound in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { below, rows, counted } = self;
        format!("collision chance below {below} ({rows} rows, {counted})")
    }
}

/// A source column that a column depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSource {
    /// `source.table.column`.
    pub column: String,
    /// Its class.
    pub class: Option<String>,
    /// How: `copied`, `computed`, `filter` and so on.
    pub how: Vec<String>,
}

/// What happens to a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlannedTreatment {
    /// Masked.
    Masked {
        /// The rule that won.
        rule: String,
        /// The function.
        function: String,
        /// Its parameters.
        params: Map<String, Value>,
        /// The masking key.
        key: Option<String>,
        /// The pseudonym space.
        linkage: Option<String>,
        /// Version of the function's mapping: another one gives other pseudonyms.
        abi: u32,
        /// The condition under which it masks; none for every row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        when: Option<Box<PlannedWhen>>,
        /// `bijective`, `injective` or `lossy`.
        uniqueness: String,
        /// What of the value can still be seen: `equality`, `order` and so on.
        shows: Vec<String>,
        /// What a reader can still learn.
        privacy: String,
    },
    /// Let through as it is.
    Kept {
        /// The rule that won.
        rule: String,
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
        /// The last day it holds.
        until: Option<String>,
    },
    /// Let through because it shows no value of a sensitive column.
    Open {
        /// Why that is so: `declassify`, groups of a least size; none where it speaks for itself.
        by: Option<String>,
        /// Who answers for it.
        owner: Option<String>,
        /// Why.
        reason: Option<String>,
        /// The last day it holds.
        until: Option<String>,
        /// The expression that computes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expression: Option<String>,
    },
}

/// The condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWhen {
    /// As canonical SQL.
    pub condition: String,
    /// What happens to other rows, in words.
    pub otherwise: String,
    /// The masking key of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who answers for values that are let through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl PlannedWhen {
    /// The condition in words, to be set after the mask's.
    #[must_use]
    pub fn words(&self) -> String {
        format!("where {}, else {}", self.condition, self.otherwise)
    }
}

impl PlannedLoad {
    /// Connection, table and mode in one text.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{} ({})", self.connection, self.table, self.mode)
    }
}

/// A load of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedLoad {
    /// The connection.
    pub connection: String,
    /// The table.
    pub table: String,
    /// `replace` or `append`.
    pub mode: String,
    /// The statements that make the table, besides those that fill it.
    pub statements: Vec<String>,
}

impl Plan {
    /// The canonical text: JSON with two spaces, fixed order of fields, a newline at the end.
    pub fn canonical(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether a run would do something for sure.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|change| change.section != Section::Gates)
            || self.exports.iter().any(|export| export.action != Action::Refresh)
    }

    /// The plan with its digest.
    #[must_use]
    pub(super) fn sealed(mut self) -> Self {
        self.digest = String::new();
        let beside = std::mem::take(&mut self.beside);
        let exports = std::mem::take(&mut self.exports);
        // Exports are most of the text, and are written side by side.
        let each: Vec<String> = exports
            .par_iter()
            .map(|export| {
                Digest::of(serde_json::to_string(export).unwrap_or_default().as_bytes()).to_string()
            })
            .collect();
        let text = serde_json::to_string(&(&self, each)).unwrap_or_default();
        self.digest = Digest::of(text.as_bytes()).to_string();
        self.exports = exports;
        self.beside = beside;
        self
    }

    /// What becomes of the table that a change of loads is about, where it could be looked at.
    #[must_use]
    pub fn table_words(&self, change: &Change) -> Option<String> {
        if change.section != Section::Loads {
            return None;
        }
        let name = change.after.as_ref()?;
        let export = self.exports.iter().find(|export| export.name == change.node)?;
        let is_it = |load: &&PlannedLoad| format!("{}.{}", load.connection, load.table) == *name;
        let load = export.loads.iter().find(is_it)?;
        Some(words(self.beside.tables.get(name)?, &load.mode))
    }

    /// Whether the digest is that of the document.
    #[must_use]
    pub fn is_intact(self) -> bool {
        let said = self.digest.clone();
        self.sealed().digest == said
    }

    /// Changes after which more can be read than before.
    pub fn widenings(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.widens)
    }
}
