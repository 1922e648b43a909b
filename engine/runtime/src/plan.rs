//! The plan: what a run would read, mask and write, as a canonical document without any value.
//!
//! Equal projects, schemas and base snapshots give equal bytes. The digest at its end binds all of it: a
//! run that was given a plan makes its own and compares.

use engine_bundle::digest::Digest;
use engine_project::Relation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bind::{BoundColumn, BoundExport, BoundProject, Released, Treatment};
use crate::checks;
use crate::definition::{definition, digest};
use crate::flow::{Kinds, Origin};
use crate::types::type_name;

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
    /// Whether the store was looked at: without keys, no base snapshot is known.
    pub base_known: bool,
    /// The selectors it was made with; none for every export.
    pub select: Vec<String>,
    /// A keyed digest of the store's and the connections' settings; none without the keys.
    pub places: Option<String>,
    /// The exports, in declared order.
    pub exports: Vec<PlannedExport>,
    /// The digest of everything above.
    pub digest: String,
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
    /// The newest snapshot, which this one would follow.
    pub base: Option<u64>,
    /// What the run would do.
    pub action: Action,
    /// The digest of what the export is.
    pub definition: String,
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
        /// `bijective`, `injective` or `lossy`.
        uniqueness: String,
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
    },
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
}

/// What is known of an export's newest snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// Its version.
    pub version: u64,
    /// The definition it was made from.
    pub definition: Digest,
}

/// What a plan is made for, besides the project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope<'a> {
    /// The selectors.
    pub select: &'a [String],
    /// A keyed digest of the places that are read and written.
    pub places: Option<&'a str>,
}

/// What the store said about an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was not asked.
    Nothing,
    /// There is no snapshot.
    NoSnapshot,
    /// There is one.
    Snapshot(Base),
}

impl Plan {
    /// The plan of these exports of a bound project.
    pub fn new(bound: &BoundProject, scope: Scope<'_>, exports: &[(&BoundExport, Known)]) -> Self {
        let mut plan = Self {
            format_version: FORMAT_VERSION,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            project: bound.project.name.value.clone(),
            target: bound.project.target.name.value.clone(),
            base_known: exports.iter().all(|(_, known)| *known != Known::Nothing),
            select: scope.select.to_vec(),
            places: scope.places.map(str::to_owned),
            exports: exports.iter().map(|(export, known)| planned(bound, export, *known)).collect(),
            digest: String::new(),
        };
        let value = serde_json::to_value(&plan).unwrap_or(Value::Null);
        plan.digest = digest(&value).to_string();
        plan
    }

    /// The canonical text: JSON with two spaces, fixed order of fields, a newline at the end.
    pub fn canonical(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether a run would do something for sure.
    pub fn has_changes(&self) -> bool {
        self.exports.iter().any(|export| export.action != Action::Refresh)
    }

    /// Columns that are published, and how many of them are masked.
    pub fn coverage(&self) -> (usize, usize) {
        let columns = self.exports.iter().flat_map(|export| &export.columns);
        columns.fold((0, 0), |(all, masked), column| match column.treatment {
            PlannedTreatment::Masked { .. } => (all + 1, masked + 1),
            PlannedTreatment::Kept { .. } | PlannedTreatment::Open { .. } => (all + 1, masked),
        })
    }
}

fn planned(bound: &BoundProject, export: &BoundExport, known: Known) -> PlannedExport {
    let made_from = digest(&definition(bound, export));
    let published = |name: &str| export.columns.iter().any(|column| column.name == name);
    let declared = bound.project.columns(&export.from);
    let (base, action) = match known {
        Known::Nothing => (None, Action::Unknown),
        Known::NoSnapshot => (None, Action::Create),
        Known::Snapshot(base) if base.definition == made_from => {
            (Some(base.version), Action::Refresh)
        }
        Known::Snapshot(base) => (Some(base.version), Action::Rebuild),
    };
    PlannedExport {
        name: export.name.clone(),
        from: export.from.to_string(),
        reads: bound.reads(&export.from).iter().map(Relation::to_string).collect(),
        filter: export.filter.clone(),
        columns: export.columns.iter().map(|one| column(bound, one)).collect(),
        indirect: export
            .indirect
            .iter()
            .map(|used| PlannedSource {
                column: used.origin.to_string(),
                class: used.class.clone(),
                how: words(used.kinds),
            })
            .collect(),
        left_out: declared
            .iter()
            .map(|column| column.name.value.clone())
            .filter(|name| !published(name))
            .collect(),
        partition_by: export.partition_by.clone(),
        chunk_rows: export.chunk_rows,
        encryption: match export.encryption {
            engine_project::Encryption::Sealed => "sealed".to_owned(),
            engine_project::Encryption::Modular => "modular".to_owned(),
        },
        tests: export.tests.iter().map(|test| checks::describe(&test.value)).collect(),
        tests_left_out: export.tests_left_out.iter().map(checks::describe).collect(),
        loads: export
            .loads
            .iter()
            .map(|load| PlannedLoad {
                connection: load.connection.value.clone(),
                table: load.table.value.clone(),
                mode: match load.mode {
                    engine_project::LoadMode::Replace => "replace".to_owned(),
                    engine_project::LoadMode::Append => "append".to_owned(),
                },
            })
            .collect(),
        base,
        action,
        definition: made_from.to_string(),
    }
}

fn words(kinds: Kinds) -> Vec<String> {
    kinds.iter().map(|kind| kind.word().to_owned()).collect()
}

fn column(bound: &BoundProject, column: &BoundColumn) -> PlannedColumn {
    let treatment = match &column.treatment {
        Treatment::Masked { rule, function, spec, properties, .. } => {
            let mut params = spec.params.clone();
            params.sort_keys();
            PlannedTreatment::Masked {
                rule: rule.clone(),
                function: (*function).to_owned(),
                params,
                key: spec.key.as_ref().map(ToString::to_string),
                linkage: spec.linkage.clone(),
                uniqueness: match properties.uniqueness {
                    engine_masking::Uniqueness::Bijective => "bijective".to_owned(),
                    engine_masking::Uniqueness::Injective { .. } => "injective".to_owned(),
                    engine_masking::Uniqueness::Lossy => "lossy".to_owned(),
                },
                privacy: engine_masking::find(function)
                    .map(|found| found.doc().privacy.to_owned())
                    .unwrap_or_default(),
            }
        }
        Treatment::Kept { rule, owner, reason, until } => PlannedTreatment::Kept {
            rule: rule.clone(),
            owner: owner.clone(),
            reason: reason.clone(),
            until: until.clone(),
        },
        Treatment::Open(released) => {
            let text = |of: fn(&Released) -> &String| released.as_ref().map(|one| of(one).clone());
            PlannedTreatment::Open {
                by: text(|released| &released.by),
                owner: text(|released| &released.owner),
                reason: text(|released| &released.reason),
                until: released.as_ref().and_then(|released| released.until.clone()),
            }
        }
    };
    let source = |(origin, kinds): (&Origin, Kinds)| PlannedSource {
        column: origin.to_string(),
        class: bound.reaches.column(origin).and_then(|column| column.classes.first().cloned()?),
        how: words(kinds),
    };
    PlannedColumn {
        name: column.name.clone(),
        data_type: type_name(column.output.data_type()),
        class: column.class.clone(),
        sensitive: column.sensitive,
        sources: column.reach.sources.direct().map(source).collect(),
        treatment,
    }
}
